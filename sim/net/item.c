#include "sim/net/item.h"

#include <stdlib.h>

#define CHUNK_ITEMS 64

#define ECN_MASK 3U
#define ECN_NONE 0U
#define ECN_ECT1 1U
#define ECN_CE 3U

struct wzp_sim_chunk {
    struct wzp_sim_chunk *next;
    wzp_sim_item items[CHUNK_ITEMS];
};

void wzp_sim_items_push(wzp_sim_items *items, wzp_sim_item *item) {
    item->next = NULL;
    if (items->tail == NULL) {
        items->head = item;
    } else {
        items->tail->next = item;
    }
    items->tail = item;
    items->count++;
    items->bytes += item->len;
}

wzp_sim_item *wzp_sim_items_pop(wzp_sim_items *items) {
    wzp_sim_item *item = items->head;
    if (item == NULL) {
        return NULL;
    }
    items->head = item->next;
    if (items->head == NULL) {
        items->tail = NULL;
    }
    items->count--;
    items->bytes -= item->len;
    item->next = NULL;
    return item;
}

static bool grow(wzp_sim_slab *slab) {
    wzp_sim_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) {
        return false;
    }
    chunk->next = slab->chunks;
    slab->chunks = chunk;
    for (size_t i = 0; i < CHUNK_ITEMS; i++) {
        wzp_sim_slab_give(slab, &chunk->items[i]);
    }
    return true;
}

wzp_sim_item *wzp_sim_slab_take(wzp_sim_slab *slab) {
    if (slab->idle == NULL && !grow(slab)) {
        return NULL;
    }
    wzp_sim_item *item = slab->idle;
    slab->idle = item->next;
    *item = (wzp_sim_item){0};
    return item;
}

void wzp_sim_slab_give(wzp_sim_slab *slab, wzp_sim_item *item) {
    item->next = slab->idle;
    slab->idle = item;
}

void wzp_sim_slab_clear(wzp_sim_slab *slab) {
    while (slab->chunks != NULL) {
        wzp_sim_chunk *chunk = slab->chunks;
        slab->chunks = chunk->next;
        free(chunk);
    }
    slab->idle = NULL;
}

bool wzp_sim_item_mark(const wzp_sim_item *item) {
    if (item->packet == NULL || (item->packet->tos & ECN_MASK) == ECN_NONE) {
        return false;
    }
    item->packet->tos |= ECN_CE;
    return true;
}

bool wzp_sim_item_scalable(const wzp_sim_item *item) {
    return item->packet != NULL && (item->packet->tos & ECN_ECT1) != 0;
}
