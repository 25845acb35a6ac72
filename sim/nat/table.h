/* Records in one growing array, named by number from 1; 0 is none.  They are found through hash
 * indexes and kept in order by lists, whose links lie in arrays beside the records: a lookup reads
 * one slot and one record, since with many records it is memory that takes time.
 *
 * Order never depends on hashes or addresses: records of one key come newest first.  Internal to
 * sim/nat.  Memory grows by doubling up to a limit; what is given back is used again. */
#ifndef WZP_SIM_NAT_TABLE_H
#define WZP_SIM_NAT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define WZP_SIM_NAT_INDEXES 3
#define WZP_SIM_NAT_LINKS 2

typedef struct wzp_sim_nat_link {
    uint32_t prev, next;
} wzp_sim_nat_link;

typedef struct wzp_sim_nat_list {
    uint32_t head, tail;
} wzp_sim_nat_list;

/* All records of one hash. */
typedef struct wzp_sim_nat_slot {
    uint32_t hash, head; /* head 0: empty */
} wzp_sim_nat_slot;

/* Open addressing: a slot is where its hash says, or the next free place. */
typedef struct wzp_sim_nat_index {
    wzp_sim_nat_slot *slot; /* twice `cap` of them */
    wzp_sim_nat_link *link; /* records of one hash, newest first */
    uint32_t *hash;
} wzp_sim_nat_index;

typedef struct wzp_sim_nat_table {
    uint8_t *records;
    size_t record_size;
    uint32_t cap;                /* a power of two */
    uint32_t limit;              /* records that may live at once */
    uint32_t live, fresh, spare; /* fresh: the first number never taken; spare: head of those given
                                    back, linked through the first index */
    unsigned index_count, link_count;
    wzp_sim_nat_index index[WZP_SIM_NAT_INDEXES];
    wzp_sim_nat_link *link[WZP_SIM_NAT_LINKS];
} wzp_sim_nat_table;

/* At least one index.  No memory is taken before the first record. */
void wzp_sim_nat_table_init(wzp_sim_nat_table *table, size_t record_size, uint32_t limit,
                            unsigned index_count, unsigned link_count);
void wzp_sim_nat_table_clear(wzp_sim_nat_table *table);
size_t wzp_sim_nat_table_bytes(const wzp_sim_nat_table *table);

/* A zeroed record in no index and no list; 0: the limit is reached or memory is out.  Moves the
 * records: pointers to them are void afterwards. */
uint32_t wzp_sim_nat_table_take(wzp_sim_nat_table *table);
void wzp_sim_nat_table_give(wzp_sim_nat_table *table, uint32_t i);

static inline void *wzp_sim_nat_table_at(const wzp_sim_nat_table *table, uint32_t i) {
    return table->records + (size_t)(i - 1) * table->record_size;
}

void wzp_sim_nat_index_put(wzp_sim_nat_table *table, unsigned index, uint32_t i, uint32_t hash);
void wzp_sim_nat_index_cut(wzp_sim_nat_table *table, unsigned index, uint32_t i);

/* The newest record of this hash, and the next older one; 0: none.  Keys are to be compared. */
uint32_t wzp_sim_nat_index_first(const wzp_sim_nat_table *table, unsigned index, uint32_t hash);
uint32_t wzp_sim_nat_index_next(const wzp_sim_nat_table *table, unsigned index, uint32_t i);

void wzp_sim_nat_list_append(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                             uint32_t i);
/* Behind `after`; 0: at the head. */
void wzp_sim_nat_list_insert(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                             uint32_t i, uint32_t after);
void wzp_sim_nat_list_cut(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                          uint32_t i);

/* Spreads a key: fold parts in, then finish. */
static inline uint64_t wzp_sim_nat_mix(uint64_t hash, uint64_t part) {
    hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

uint64_t wzp_sim_nat_mix_addr(uint64_t hash, const wzp_addr *addr);

static inline uint32_t wzp_sim_nat_fold(uint64_t hash) {
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

#endif
