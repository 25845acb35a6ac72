#include "tools/pcap/flow/index.h"

#include <assert.h>

uint32_t wzp_pcap_index_hash(wzp_bytes key) {
    uint32_t h = UINT32_C(2166136261); /* FNV-1a */
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.data[i]) * UINT32_C(16777619);
    }
    return h ^ h >> 16;
}

void wzp_pcap_index_add(wzp_pcap_index *index, uint32_t hash, size_t number) {
    assert(number > 0 && number <= WZP_PCAP_INDEXED_MAX && index->next[number] == 0);
    const size_t bucket = hash % WZP_PCAP_INDEXED_MAX;
    const uint16_t last = index->last[bucket];
    *(last != 0 ? &index->next[last] : &index->first[bucket]) = (uint16_t)number;
    index->last[bucket] = (uint16_t)number;
}
