#include "sim/net/queue.h"

#include "sim/net/rate.h"

#define LIMIT_PACKETS 1000
#define FQ_LIMIT_PACKETS 10240 /* RFC 8290 5.2.2 */
#define CODEL_TARGET (5 * WZP_MS)
#define CODEL_INTERVAL (100 * WZP_MS)
#define PIE_TARGET (15 * WZP_MS)
#define PIE_INTERVAL (15 * WZP_MS)
#define DUAL_INTERVAL (16 * WZP_MS)

/* --- for the disciplines ---------------------------------------------------------------------- */

void wzp_sim_queue_in(wzp_sim_queue *queue, wzp_sim_items *items, wzp_sim_item *item) {
    queue->packets++;
    queue->bytes += item->len;
    wzp_sim_items_push(items, item);
}

wzp_sim_item *wzp_sim_queue_out(wzp_sim_queue *queue, wzp_sim_items *items) {
    wzp_sim_item *item = wzp_sim_items_pop(items);
    if (item != NULL) {
        queue->packets--;
        queue->bytes -= item->len;
    }
    return item;
}

void wzp_sim_queue_drop(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    queue->discard(queue->discard_ctx, item, now);
}

bool wzp_sim_queue_full(const wzp_sim_queue *queue, uint32_t len) {
    return queue->packets > 0 &&
           (queue->packets >= queue->limit_packets || queue->bytes + len > queue->limit_bytes);
}

bool wzp_sim_queue_over(const wzp_sim_queue *queue) {
    return queue->packets > 1 &&
           (queue->packets > queue->limit_packets || queue->bytes > queue->limit_bytes);
}

bool wzp_sim_queue_mark(wzp_sim_queue *queue, const wzp_sim_item *item) {
    if (!queue->cfg.ecn || !wzp_sim_item_mark(item)) {
        return false;
    }
    queue->marked++;
    return true;
}

uint64_t wzp_sim_items_wait(const wzp_sim_items *items, wzp_time now) {
    return items->head == NULL ? 0 : wzp_time_since(now, items->head->entered);
}

/* --- droptail and drophead -------------------------------------------------------------------- */

static void push_tail(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    if (wzp_sim_queue_full(queue, item->len)) {
        wzp_sim_queue_drop(queue, item, now);
    } else {
        wzp_sim_queue_in(queue, &queue->items, item);
    }
}

static void push_head(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    while (wzp_sim_queue_full(queue, item->len)) {
        wzp_sim_queue_drop(queue, wzp_sim_queue_out(queue, &queue->items), now);
    }
    wzp_sim_queue_in(queue, &queue->items, item);
}

static wzp_sim_item *pop_first(wzp_sim_queue *queue, wzp_time now) {
    (void)now;
    return wzp_sim_queue_out(queue, &queue->items);
}

static wzp_sim_item *take_first(wzp_sim_queue *queue) {
    return wzp_sim_queue_out(queue, &queue->items);
}

static const wzp_sim_queue_ops droptail_ops = {push_tail, pop_first, take_first};
static const wzp_sim_queue_ops drophead_ops = {push_head, pop_first, take_first};

/* --- all of them ------------------------------------------------------------------------------ */

static const wzp_sim_queue_ops *const kinds[] = {
    [WZP_SIM_QUEUE_DROPTAIL] = &droptail_ops,   [WZP_SIM_QUEUE_DROPHEAD] = &drophead_ops,
    [WZP_SIM_QUEUE_CODEL] = &wzp_sim_codel_ops, [WZP_SIM_QUEUE_FQ_CODEL] = &wzp_sim_fq_codel_ops,
    [WZP_SIM_QUEUE_PIE] = &wzp_sim_pie_ops,     [WZP_SIM_QUEUE_DUAL] = &wzp_sim_dual_ops,
};

void wzp_sim_queue_init(wzp_sim_queue *queue, uint64_t seed, wzp_sim_discard *discard, void *ctx) {
    *queue = (wzp_sim_queue){
        .ops = &droptail_ops,
        .discard = discard,
        .discard_ctx = ctx,
    };
    wzp_prng_init(&queue->prng, seed, "queue");
}

void wzp_sim_queue_clear(wzp_sim_queue *queue) {
    for (wzp_sim_item *item; (item = queue->ops->take(queue)) != NULL;) {
        wzp_sim_queue_drop(queue, item, 0);
    }
    wzp_sim_fq_free(&queue->fq);
}

static void set_limits(wzp_sim_queue *queue, const wzp_sim_rate_cfg *rate) {
    const wzp_sim_queue_cfg *cfg = &queue->cfg;
    const bool timed = cfg->limit_ns > 0 && wzp_sim_rate_limited(rate);
    queue->limit_packets = cfg->limit_packets > 0 ? cfg->limit_packets : UINT64_MAX;
    queue->limit_bytes = cfg->limit_bytes > 0 ? cfg->limit_bytes : UINT64_MAX;
    if (cfg->limit_packets == 0 && cfg->limit_bytes == 0 && !timed) {
        const bool fq = cfg->kind == WZP_SIM_QUEUE_FQ_CODEL;
        queue->limit_packets = fq ? FQ_LIMIT_PACKETS : LIMIT_PACKETS;
    }
    if (timed) {
        const uint64_t bytes = wzp_sim_rate_bytes(rate, cfg->limit_ns);
        queue->limit_bytes = bytes < queue->limit_bytes ? bytes : queue->limit_bytes;
    }
}

static void set_times(wzp_sim_queue *queue) {
    wzp_sim_queue_cfg *cfg = &queue->cfg;
    const bool codel = cfg->kind == WZP_SIM_QUEUE_CODEL || cfg->kind == WZP_SIM_QUEUE_FQ_CODEL;
    if (cfg->target == 0) {
        cfg->target = codel ? CODEL_TARGET : PIE_TARGET;
    }
    if (cfg->interval == 0) {
        const bool dual = cfg->kind == WZP_SIM_QUEUE_DUAL;
        cfg->interval = codel ? CODEL_INTERVAL : dual ? DUAL_INTERVAL : PIE_INTERVAL;
    }
}

/* Another discipline knows nothing of the past; what waits moves over, list by list, and no limit
 * applies. */
static void change_kind(wzp_sim_queue *queue, wzp_sim_queue_kind kind, wzp_time now) {
    wzp_sim_items waiting = {0};
    for (wzp_sim_item *item; (item = queue->ops->take(queue)) != NULL;) {
        wzp_sim_items_push(&waiting, item);
    }
    if (queue->ops == &wzp_sim_fq_codel_ops) {
        wzp_sim_fq_free(&queue->fq);
    }
    queue->ops = kinds[kind];
    queue->codel = (wzp_sim_codel){0};
    queue->pie = (wzp_sim_pie){.burst = WZP_SIM_PIE_BURST, .updated = now};
    queue->dual = (wzp_sim_dual){.updated = now};
    queue->limit_packets = queue->limit_bytes = UINT64_MAX;
    for (wzp_sim_item *item; (item = wzp_sim_items_pop(&waiting)) != NULL;) {
        wzp_sim_queue_push(queue, item, now);
    }
}

wzp_err wzp_sim_queue_set(wzp_sim_queue *queue, const wzp_sim_queue_cfg *cfg,
                          const wzp_sim_rate_cfg *rate, wzp_time now) {
    wzp_err err = WZP_OK;
    wzp_sim_queue_kind kind = cfg->kind;
    if (kind == WZP_SIM_QUEUE_FQ_CODEL && queue->fq == NULL) {
        queue->fq = wzp_sim_fq_new(wzp_chance_u64(&queue->prng));
        if (queue->fq == NULL) {
            err = WZP_ERR_NOMEM;
            kind = queue->cfg.kind;
        }
    }
    const bool change = queue->ops != kinds[kind];
    queue->cfg = *cfg;
    queue->cfg.kind = kind;
    set_times(queue);
    if (change) {
        change_kind(queue, kind, now);
    }
    set_limits(queue, rate);
    return err;
}

void wzp_sim_queue_push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    queue->largest = item->len > queue->largest ? item->len : queue->largest;
    queue->ops->push(queue, item, now);
}

wzp_sim_item *wzp_sim_queue_pop(wzp_sim_queue *queue, wzp_time now) {
    return queue->ops->pop(queue, now);
}
