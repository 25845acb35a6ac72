#include "sim/nat/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, CACHE_LINE = 64, SLOTS = 2 /* for each record */ };

void wzp_sim_nat_table_init(wzp_sim_nat_table *table, size_t record_size, uint32_t limit,
                            unsigned index_count, unsigned link_count) {
    assert(index_count > 0 && index_count <= WZP_SIM_NAT_INDEXES &&
           link_count <= WZP_SIM_NAT_LINKS);
    *table = (wzp_sim_nat_table){.record_size = record_size,
                                 .limit = limit,
                                 .fresh = 1,
                                 .index_count = index_count,
                                 .link_count = link_count};
}

static void release(wzp_sim_nat_table *table) {
    free(table->records);
    for (unsigned k = 0; k < table->index_count; k++) {
        free(table->index[k].slot);
        free(table->index[k].link);
        free(table->index[k].hash);
    }
    for (unsigned k = 0; k < table->link_count; k++) {
        free(table->link[k]);
    }
}

void wzp_sim_nat_table_clear(wzp_sim_nat_table *table) {
    release(table);
    wzp_sim_nat_table_init(table, table->record_size, table->limit, table->index_count,
                           table->link_count);
}

size_t wzp_sim_nat_table_bytes(const wzp_sim_nat_table *table) {
    const size_t index =
        SLOTS * sizeof(wzp_sim_nat_slot) + sizeof(wzp_sim_nat_link) + sizeof(uint32_t);
    return table->cap * (table->record_size + table->index_count * index +
                         table->link_count * sizeof(wzp_sim_nat_link));
}

/* --- growth ----------------------------------------------------------------------------------- */

/* Zeroed, and aligned so that a record of a cache line lies in one. */
static void *room(size_t size, size_t count) {
    const size_t bytes = (size * count + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *memory = aligned_alloc(CACHE_LINE, bytes);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

static bool reserve(wzp_sim_nat_table *table) {
    bool ok = (table->records = room(table->record_size, table->cap)) != NULL;
    for (unsigned k = 0; k < table->index_count; k++) {
        wzp_sim_nat_index *index = &table->index[k];
        index->slot = room(SLOTS * sizeof *index->slot, table->cap);
        index->link = room(sizeof *index->link, table->cap);
        index->hash = room(sizeof *index->hash, table->cap);
        ok = ok && index->slot != NULL && index->link != NULL && index->hash != NULL;
    }
    for (unsigned k = 0; k < table->link_count; k++) {
        table->link[k] = room(sizeof *table->link[k], table->cap);
        ok = ok && table->link[k] != NULL;
    }
    return ok;
}

/* Where the records of this hash are, or would be. */
static uint32_t find_slot(const wzp_sim_nat_index *index, uint32_t cap, uint32_t hash) {
    uint32_t at = hash & (SLOTS * cap - 1);
    while (index->slot[at].head != 0 && index->slot[at].hash != hash) {
        at = (at + 1) & (SLOTS * cap - 1);
    }
    return at;
}

static void rehash(wzp_sim_nat_index *to, uint32_t cap, const wzp_sim_nat_index *from,
                   uint32_t from_cap) {
    memcpy(to->hash, from->hash, from_cap * sizeof *to->hash);
    memcpy(to->link, from->link, from_cap * sizeof *to->link);
    for (uint32_t i = 0; i < SLOTS * from_cap; i++) {
        if (from->slot[i].head != 0) {
            to->slot[find_slot(to, cap, from->slot[i].hash)] = from->slot[i];
        }
    }
}

static bool grow(wzp_sim_nat_table *table) {
    wzp_sim_nat_table wider = *table;
    wider.cap = table->cap == 0 ? FIRST_CAP : table->cap * 2;
    if (!reserve(&wider)) {
        release(&wider);
        return false;
    }
    if (table->cap > 0) {
        memcpy(wider.records, table->records, table->record_size * table->cap);
        for (unsigned k = 0; k < table->index_count; k++) {
            rehash(&wider.index[k], wider.cap, &table->index[k], table->cap);
        }
        for (unsigned k = 0; k < table->link_count; k++) {
            memcpy(wider.link[k], table->link[k], table->cap * sizeof *table->link[k]);
        }
    }
    release(table);
    *table = wider;
    return true;
}

uint32_t wzp_sim_nat_table_take(wzp_sim_nat_table *table) {
    uint32_t i = table->spare;
    if (table->live == table->limit) {
        return 0;
    }
    if (i != 0) {
        table->spare = table->index[0].link[i - 1].next;
    } else if (table->fresh <= table->cap || grow(table)) {
        i = table->fresh++;
    } else {
        return 0;
    }
    table->live++;
    memset(wzp_sim_nat_table_at(table, i), 0, table->record_size);
    return i;
}

void wzp_sim_nat_table_give(wzp_sim_nat_table *table, uint32_t i) {
    assert(table->live > 0);
    table->live--;
    table->index[0].link[i - 1].next = table->spare;
    table->spare = i;
}

/* --- indexes ---------------------------------------------------------------------------------- */

void wzp_sim_nat_index_put(wzp_sim_nat_table *table, unsigned index, uint32_t i, uint32_t hash) {
    wzp_sim_nat_index *ix = &table->index[index];
    wzp_sim_nat_slot *slot = &ix->slot[find_slot(ix, table->cap, hash)];
    ix->hash[i - 1] = hash;
    ix->link[i - 1] = (wzp_sim_nat_link){.next = slot->head};
    if (slot->head != 0) {
        ix->link[slot->head - 1].prev = i;
    }
    *slot = (wzp_sim_nat_slot){hash, i};
}

/* Slots that came later and had to step aside move up, so that none is out of reach. */
static void empty_slot(const wzp_sim_nat_index *index, uint32_t cap, uint32_t at) {
    const uint32_t mask = SLOTS * cap - 1;
    for (uint32_t i = (at + 1) & mask; index->slot[i].head != 0; i = (i + 1) & mask) {
        const uint32_t home = index->slot[i].hash & mask;
        if (((i - home) & mask) >= ((i - at) & mask)) {
            index->slot[at] = index->slot[i];
            at = i;
        }
    }
    index->slot[at] = (wzp_sim_nat_slot){0};
}

void wzp_sim_nat_index_cut(wzp_sim_nat_table *table, unsigned index, uint32_t i) {
    wzp_sim_nat_index *ix = &table->index[index];
    const wzp_sim_nat_link link = ix->link[i - 1];
    if (link.next != 0) {
        ix->link[link.next - 1].prev = link.prev;
    }
    if (link.prev != 0) {
        ix->link[link.prev - 1].next = link.next;
        return;
    }
    const uint32_t at = find_slot(ix, table->cap, ix->hash[i - 1]);
    if (link.next != 0) {
        ix->slot[at].head = link.next;
    } else {
        empty_slot(ix, table->cap, at);
    }
}

uint32_t wzp_sim_nat_index_first(const wzp_sim_nat_table *table, unsigned index, uint32_t hash) {
    const wzp_sim_nat_index *ix = &table->index[index];
    return table->cap == 0 ? 0 : ix->slot[find_slot(ix, table->cap, hash)].head;
}

uint32_t wzp_sim_nat_index_next(const wzp_sim_nat_table *table, unsigned index, uint32_t i) {
    return table->index[index].link[i - 1].next;
}

/* --- lists ------------------------------------------------------------------------------------ */

void wzp_sim_nat_list_insert(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                             uint32_t i, uint32_t after) {
    wzp_sim_nat_link *links = table->link[link];
    uint32_t *forward = after != 0 ? &links[after - 1].next : &list->head;
    uint32_t *back = *forward != 0 ? &links[*forward - 1].prev : &list->tail;
    links[i - 1] = (wzp_sim_nat_link){.prev = after, .next = *forward};
    *forward = i;
    *back = i;
}

void wzp_sim_nat_list_append(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                             uint32_t i) {
    wzp_sim_nat_list_insert(table, link, list, i, list->tail);
}

void wzp_sim_nat_list_cut(wzp_sim_nat_table *table, unsigned link, wzp_sim_nat_list *list,
                          uint32_t i) {
    wzp_sim_nat_link *links = table->link[link];
    const wzp_sim_nat_link here = links[i - 1];
    *(here.prev != 0 ? &links[here.prev - 1].next : &list->head) = here.next;
    *(here.next != 0 ? &links[here.next - 1].prev : &list->tail) = here.prev;
    links[i - 1] = (wzp_sim_nat_link){0};
}

/* --- hashes ----------------------------------------------------------------------------------- */

uint64_t wzp_sim_nat_mix_addr(uint64_t hash, const wzp_addr *addr) {
    uint64_t half[2];
    memcpy(half, addr->ip, sizeof half);
    hash = wzp_sim_nat_mix(hash, half[0] ^ ((uint64_t)addr->family << 48));
    return wzp_sim_nat_mix(hash, half[1] ^ ((uint64_t)addr->port << 16));
}
