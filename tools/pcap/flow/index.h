/* Finds streams and connections by what they are keyed on, so that a packet costs the same however
 * many there are.  What shares a bucket is walked in the order in which it was added; who walks
 * compares keys.  Plain object, zeroed: empty; nothing is allocated. */
#ifndef WZP_PCAP_FLOW_INDEX_H
#define WZP_PCAP_FLOW_INDEX_H

#include "base/bytes.h"

enum { WZP_PCAP_INDEXED_MAX = 1024 };

typedef struct wzp_pcap_index {
    uint16_t first[WZP_PCAP_INDEXED_MAX], last[WZP_PCAP_INDEXED_MAX]; /* of a bucket */
    uint16_t next[WZP_PCAP_INDEXED_MAX + 1];                          /* behind one in its bucket */
} wzp_pcap_index;

/* Of the bytes of a key; padding is none of it. */
uint32_t wzp_pcap_index_hash(wzp_bytes key);

/* `number` is from 1 to WZP_PCAP_INDEXED_MAX, and new. */
void wzp_pcap_index_add(wzp_pcap_index *index, uint32_t hash, size_t number);

/* The numbers that may have this hash, one after the other; 0: no more. */
static inline size_t wzp_pcap_index_first(const wzp_pcap_index *index, uint32_t hash) {
    return index->first[hash % WZP_PCAP_INDEXED_MAX];
}

static inline size_t wzp_pcap_index_next(const wzp_pcap_index *index, size_t number) {
    return index->next[number];
}

#endif
