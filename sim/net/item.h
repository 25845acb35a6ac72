/* What waits in a queue: a packet, or one of the link's own cross traffic, which has none.  Items
 * come from a slab that grows and then stays. */
#ifndef WZP_SIM_NET_ITEM_H
#define WZP_SIM_NET_ITEM_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/net/packet.h"

typedef struct wzp_sim_flow wzp_sim_flow; /* cross.h */

typedef struct wzp_sim_item {
    struct wzp_sim_item *next;
    wzp_sim_packet *packet; /* owned; NULL: of `flow` */
    wzp_sim_flow *flow;
    uint64_t seq; /* within `flow` */
    uint32_t len; /* bytes as the rate counts them */
    wzp_time entered;
} wzp_sim_item;

/* First in, first out.  `tail` is NULL or the last one. */
typedef struct wzp_sim_items {
    wzp_sim_item *head, *tail;
    uint64_t count, bytes;
} wzp_sim_items;

void wzp_sim_items_push(wzp_sim_items *items, wzp_sim_item *item);
wzp_sim_item *wzp_sim_items_pop(wzp_sim_items *items); /* NULL: empty */

typedef struct wzp_sim_chunk wzp_sim_chunk;

typedef struct wzp_sim_slab {
    wzp_sim_chunk *chunks;
    wzp_sim_item *idle;
} wzp_sim_slab;

/* All zero; NULL: out of memory. */
wzp_sim_item *wzp_sim_slab_take(wzp_sim_slab *slab);
void wzp_sim_slab_give(wzp_sim_slab *slab, wzp_sim_item *item); /* not its packet */
void wzp_sim_slab_clear(wzp_sim_slab *slab);                    /* frees the memory of all items */

/* Marks "congestion experienced" if the sender said that it understands (RFC 3168). */
bool wzp_sim_item_mark(const wzp_sim_item *item);

/* The sender wants low latency: ECT(1) or already marked (RFC 9331 5.1). */
bool wzp_sim_item_scalable(const wzp_sim_item *item);

#endif
