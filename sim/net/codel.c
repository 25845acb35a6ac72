#include "sim/net/codel.h"

#include "sim/engine/chance.h"
#include "sim/net/queue.h"

/* Dropping that stopped only so many intervals ago goes on where it was. */
#define RECENT_INTERVALS 16

typedef struct candidate {
    wzp_sim_item *item;
    bool may_drop;
} candidate;

static wzp_time control_law(const wzp_sim_queue *queue, wzp_time at, uint32_t count) {
    const uint64_t root = wzp_isqrt((uint64_t)count << 32); /* sqrt(count), 16 fractional bits */
    return wzp_time_after(at, (queue->cfg.interval << 16) / root);
}

/* RFC 8289 5.4, dodequeue. */
static candidate next(wzp_sim_codel *codel, wzp_sim_queue *queue, wzp_sim_items *items,
                      wzp_time now) {
    candidate got = {wzp_sim_queue_out(queue, items), false};
    if (got.item == NULL || wzp_time_since(now, got.item->entered) < queue->cfg.target ||
        items->bytes <= queue->largest) {
        codel->first_above = 0;
    } else if (codel->first_above == 0) {
        codel->first_above = wzp_time_after(now, queue->cfg.interval);
    } else if (now >= codel->first_above) {
        got.may_drop = true;
    }
    return got;
}

static candidate drop(wzp_sim_codel *codel, wzp_sim_queue *queue, wzp_sim_items *items,
                      candidate got, wzp_time now) {
    wzp_sim_queue_drop(queue, got.item, now);
    return next(codel, queue, items, now);
}

static candidate keep_dropping(wzp_sim_codel *codel, wzp_sim_queue *queue, wzp_sim_items *items,
                               candidate got, wzp_time now) {
    if (!got.may_drop) {
        codel->dropping = false;
        return got;
    }
    while (codel->dropping && now >= codel->drop_next) {
        codel->count++;
        if (wzp_sim_queue_mark(queue, got.item)) {
            codel->drop_next = control_law(queue, codel->drop_next, codel->count);
            return got;
        }
        got = drop(codel, queue, items, got, now);
        if (!got.may_drop) {
            codel->dropping = false;
        } else {
            codel->drop_next = control_law(queue, codel->drop_next, codel->count);
        }
    }
    return got;
}

static candidate begin_dropping(wzp_sim_codel *codel, wzp_sim_queue *queue, wzp_sim_items *items,
                                candidate got, wzp_time now) {
    if (!wzp_sim_queue_mark(queue, got.item)) {
        got = drop(codel, queue, items, got, now);
    }
    const uint32_t before = codel->count - codel->last_count;
    const uint64_t recent = RECENT_INTERVALS * queue->cfg.interval;
    const bool resume = before > 1 && wzp_time_since(now, codel->drop_next) < recent;
    codel->dropping = true;
    codel->count = resume ? before : 1;
    codel->last_count = codel->count;
    codel->drop_next = control_law(queue, now, codel->count);
    return got;
}

wzp_sim_item *wzp_sim_codel_pop(wzp_sim_codel *codel, wzp_sim_queue *queue, wzp_sim_items *items,
                                wzp_time now) {
    candidate got = next(codel, queue, items, now);
    if (got.item == NULL) {
        codel->dropping = false;
    } else if (codel->dropping) {
        got = keep_dropping(codel, queue, items, got, now);
    } else if (got.may_drop) {
        got = begin_dropping(codel, queue, items, got, now);
    }
    return got.item;
}

/* --- one queue -------------------------------------------------------------------------------- */

static void push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    if (wzp_sim_queue_full(queue, item->len)) {
        wzp_sim_queue_drop(queue, item, now);
    } else {
        wzp_sim_queue_in(queue, &queue->items, item);
    }
}

static wzp_sim_item *pop(wzp_sim_queue *queue, wzp_time now) {
    return wzp_sim_codel_pop(&queue->codel, queue, &queue->items, now);
}

static wzp_sim_item *take(wzp_sim_queue *queue) {
    return wzp_sim_queue_out(queue, &queue->items);
}

const wzp_sim_queue_ops wzp_sim_codel_ops = {push, pop, take};
