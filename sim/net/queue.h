/* Queues in front of a rate: which packets wait, which are dropped or marked, who is next.
 *
 * droptail and drophead are in queue.c, the others in a file each.  All are driven by their two
 * calls alone: what a discipline does every 15 ms it makes up for when it is called next, with the
 * same result.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_QUEUE_H
#define WZP_SIM_NET_QUEUE_H

#include "sim/net/codel.h"
#include "sim/net/item.h"
#include "sim/net/link.h"

typedef struct wzp_sim_queue wzp_sim_queue;
typedef struct wzp_sim_fq wzp_sim_fq;

/* The queue lets go of an item that will not leave.  `item` is taken. */
typedef void wzp_sim_discard(void *ctx, wzp_sim_item *item, wzp_time now);

typedef struct wzp_sim_queue_ops {
    void (*push)(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now);
    wzp_sim_item *(*pop)(wzp_sim_queue *queue, wzp_time now);
    wzp_sim_item *(*take)(wzp_sim_queue *queue); /* the next one, without any decision */
} wzp_sim_queue_ops;

/* A controller's probability has 48 fractional bits. */
typedef int64_t wzp_sim_share;
#define WZP_SIM_SHARE_ONE (INT64_C(1) << 48)

#define WZP_SIM_PIE_BURST (150 * WZP_MS) /* RFC 8033 4.3 */

typedef struct wzp_sim_pie {
    wzp_sim_share drop, heap; /* `heap`: what has piled up since the last drop */
    uint64_t burst;           /* ns that are still let through */
    uint64_t last_wait;
    wzp_time updated;
} wzp_sim_pie;

typedef struct wzp_sim_dual {
    wzp_sim_items fast;      /* low latency; the classic ones are in the queue's own list */
    wzp_sim_share base;      /* p' of RFC 9332: classic p'^2, low latency 2 p' */
    wzp_sim_share mark_heap; /* what has piled up since the last mark, and the like */
    wzp_sim_share drop_heap, loss_heap;
    uint64_t last_wait;
    wzp_time updated;
    int64_t credit; /* of the classic queue, in bytes; it is its turn above 0 */
} wzp_sim_dual;

struct wzp_sim_queue {
    const wzp_sim_queue_ops *ops;
    wzp_sim_queue_cfg cfg; /* target and interval are never 0 */
    uint64_t limit_packets, limit_bytes;
    uint64_t packets, bytes; /* that wait, in all lists */
    uint64_t marked;
    uint32_t largest; /* packet so far */
    wzp_prng prng;
    wzp_sim_discard *discard;
    void *discard_ctx;
    wzp_sim_items items; /* of those with one list */
    wzp_sim_codel codel;
    wzp_sim_pie pie;
    wzp_sim_dual dual;
    wzp_sim_fq *fq; /* FQ-CoDel's buckets; NULL before they are used */
};

void wzp_sim_queue_init(wzp_sim_queue *queue, uint64_t seed, wzp_sim_discard *discard, void *ctx);
void wzp_sim_queue_clear(wzp_sim_queue *queue); /* discards what waits */

/* What waits stays, in its order, also above a new limit.  `rate` turns time into bytes.
 * WZP_ERR_NOMEM: the discipline stays the old one. */
WZP_MUST_USE wzp_err wzp_sim_queue_set(wzp_sim_queue *queue, const wzp_sim_queue_cfg *cfg,
                                       const wzp_sim_rate_cfg *rate, wzp_time now);

void wzp_sim_queue_push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now); /* taken */
wzp_sim_item *wzp_sim_queue_pop(wzp_sim_queue *queue, wzp_time now);             /* NULL: empty */

/* --- for the disciplines ---------------------------------------------------------------------- */

extern const wzp_sim_queue_ops wzp_sim_codel_ops, wzp_sim_fq_codel_ops, wzp_sim_pie_ops,
    wzp_sim_dual_ops;

wzp_sim_fq *wzp_sim_fq_new(uint64_t salt);
void wzp_sim_fq_free(wzp_sim_fq **fq);

/* Move an item into a list or out of it and keep the sums. */
void wzp_sim_queue_in(wzp_sim_queue *queue, wzp_sim_items *items, wzp_sim_item *item);
wzp_sim_item *wzp_sim_queue_out(wzp_sim_queue *queue, wzp_sim_items *items);
void wzp_sim_queue_drop(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now);

/* No room for `len` more bytes.  A packet always fits into an empty queue. */
bool wzp_sim_queue_full(const wzp_sim_queue *queue, uint32_t len);
bool wzp_sim_queue_over(const wzp_sim_queue *queue); /* more waits than may */

/* Marks `item` if both sides want that; false: it has to be dropped. */
bool wzp_sim_queue_mark(wzp_sim_queue *queue, const wzp_sim_item *item);

/* Nanoseconds that the first of `items` has waited; 0: there is none. */
uint64_t wzp_sim_items_wait(const wzp_sim_items *items, wzp_time now);

#endif
