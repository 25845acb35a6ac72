#include "relay/table.h"

#include <sodium.h>
#include <stdlib.h>

enum { BUCKETS_MIN = 64 }; /* a power of two, like every later count */

_Static_assert(sizeof((wzp_table){0}.key) == crypto_shorthash_KEYBYTES, "key of SipHash");

wzp_err wzp_table_init(wzp_table *table, wzp_rng rng) {
    *table = (wzp_table){.buckets = calloc(BUCKETS_MIN, sizeof(wzp_table_link *)),
                         .bucket_count = BUCKETS_MIN};
    wzp_rng_fill(rng, table->key, sizeof table->key);
    return table->buckets != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

void wzp_table_clear(wzp_table *table) {
    free(table->buckets);
    *table = (wzp_table){0};
}

uint64_t wzp_table_hash(const wzp_table *table, wzp_bytes key) {
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t value = 0;
    crypto_shorthash(hash, key.data, key.len, table->key);
    for (size_t i = 0; i < sizeof hash; i++) {
        value = value << 8 | hash[i];
    }
    return value;
}

static wzp_table_link **bucket_of(const wzp_table *table, uint64_t hash) {
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static void grow(wzp_table *table) {
    wzp_table old = *table;
    table->bucket_count = 2 * old.bucket_count;
    table->buckets = calloc(table->bucket_count, sizeof(wzp_table_link *));
    if (table->buckets == NULL) {
        *table = old;
        return;
    }
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (wzp_table_link *link = old.buckets[i], *next; link != NULL; link = next) {
            wzp_table_link **at = bucket_of(table, link->hash);
            next = link->next;
            link->next = *at;
            *at = link;
        }
    }
    free(old.buckets);
}

void wzp_table_add(wzp_table *table, wzp_table_link *link, uint64_t hash) {
    if (table->count >= table->bucket_count) {
        grow(table);
    }
    wzp_table_link **at = bucket_of(table, hash);
    *link = (wzp_table_link){*at, hash};
    *at = link;
    table->count++;
}

void wzp_table_remove(wzp_table *table, wzp_table_link *link) {
    wzp_table_link **at = bucket_of(table, link->hash);
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    table->count--;
}

static wzp_table_link *from(wzp_table_link *link, uint64_t hash) {
    while (link != NULL && link->hash != hash) {
        link = link->next;
    }
    return link;
}

wzp_table_link *wzp_table_first(const wzp_table *table, uint64_t hash) {
    return from(*bucket_of(table, hash), hash);
}

wzp_table_link *wzp_table_next(const wzp_table_link *link) {
    return from(link->next, link->hash);
}
