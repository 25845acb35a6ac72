#include "tools/pcap/quic/table.h"

#include <stdlib.h>

#define FIRST_BUCKETS 64

void wzp_pcap_quic_table_clear(wzp_pcap_quic_table *table) {
    free(table->buckets);
    *table = (wzp_pcap_quic_table){0};
}

/* Keeps the order of equal hashes: the old buckets are walked from their ends. */
static void move(wzp_pcap_quic_node **to, size_t mask, wzp_pcap_quic_node *from) {
    wzp_pcap_quic_node *reversed = NULL;
    while (from != NULL) {
        wzp_pcap_quic_node *next = from->next;
        from->next = reversed;
        reversed = from;
        from = next;
    }
    while (reversed != NULL) {
        wzp_pcap_quic_node *next = reversed->next;
        reversed->next = to[reversed->hash & mask];
        to[reversed->hash & mask] = reversed;
        reversed = next;
    }
}

static wzp_err grow(wzp_pcap_quic_table *table) {
    const size_t n = table->bucket_count > 0 ? table->bucket_count * 2 : FIRST_BUCKETS;
    wzp_pcap_quic_node **buckets = calloc(n, sizeof(wzp_pcap_quic_node *));
    if (buckets == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < table->bucket_count; i++) {
        move(buckets, n - 1, table->buckets[i]);
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = n;
    return WZP_OK;
}

wzp_err wzp_pcap_quic_table_add(wzp_pcap_quic_table *table, wzp_pcap_quic_node *node) {
    if (table->count >= table->bucket_count) {
        const wzp_err err = grow(table);
        if (err != WZP_OK) {
            return err;
        }
    }
    wzp_pcap_quic_node **bucket = &table->buckets[node->hash & (table->bucket_count - 1)];
    node->next = *bucket;
    *bucket = node;
    table->count++;
    return WZP_OK;
}

void wzp_pcap_quic_table_remove(wzp_pcap_quic_table *table, wzp_pcap_quic_node *node) {
    wzp_pcap_quic_node **at = &table->buckets[node->hash & (table->bucket_count - 1)];
    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    table->count--;
}

static wzp_pcap_quic_node *with_hash(wzp_pcap_quic_node *node, uint64_t hash) {
    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}

wzp_pcap_quic_node *wzp_pcap_quic_table_first(const wzp_pcap_quic_table *table, uint64_t hash) {
    return table->bucket_count == 0
               ? NULL
               : with_hash(table->buckets[hash & (table->bucket_count - 1)], hash);
}

wzp_pcap_quic_node *wzp_pcap_quic_table_next(const wzp_pcap_quic_node *node) {
    return with_hash(node->next, node->hash);
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t wzp_pcap_quic_hash(wzp_bytes bytes, uint64_t seed) {
    uint64_t hash = mix(seed, bytes.len);
    uint64_t word = 0;
    size_t at = 0;
    for (; bytes.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes.data + at, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    for (; at < bytes.len; at++) {
        word = word << 8 | bytes.data[at];
    }
    hash = mix(hash, word);
    return hash ^ hash >> 32;
}
