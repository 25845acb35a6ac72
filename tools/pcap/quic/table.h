/* A hash table whose nodes live in what they index: connection ids, address pairs, randoms.  Equal
 * keys may be in it more than once; who looks up compares. */
#ifndef WZP_PCAP_QUIC_TABLE_H
#define WZP_PCAP_QUIC_TABLE_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct wzp_pcap_quic_node wzp_pcap_quic_node;
struct wzp_pcap_quic_node {
    wzp_pcap_quic_node *next;
    uint64_t hash;
};

/* Zeroed: empty. */
typedef struct wzp_pcap_quic_table {
    wzp_pcap_quic_node **buckets;
    size_t bucket_count, count; /* a power of two, or 0 */
} wzp_pcap_quic_table;

/* The nodes stay whose they are. */
void wzp_pcap_quic_table_clear(wzp_pcap_quic_table *table);

/* `node` is borrowed until it is removed; its hash is set.  WZP_ERR_NOMEM: nothing changed. */
WZP_MUST_USE wzp_err wzp_pcap_quic_table_add(wzp_pcap_quic_table *table, wzp_pcap_quic_node *node);
void wzp_pcap_quic_table_remove(wzp_pcap_quic_table *table, wzp_pcap_quic_node *node);

/* The latest node with this hash, and the one before it; NULL when there is none. */
wzp_pcap_quic_node *wzp_pcap_quic_table_first(const wzp_pcap_quic_table *table, uint64_t hash);
wzp_pcap_quic_node *wzp_pcap_quic_table_next(const wzp_pcap_quic_node *node);

uint64_t wzp_pcap_quic_hash(wzp_bytes bytes, uint64_t seed);

#endif
