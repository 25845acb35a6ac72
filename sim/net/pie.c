#include "sim/net/queue.h"

/* RFC 8033, with the waiting time taken from when the first packet entered (5.2 allows it). */
#define SMALL_PACKETS 2             /* so few are never dropped */
#define IDLE_UPDATES 4096           /* more of them with an empty queue leave nothing behind */
#define DECAY_SHIFT 6               /* 1/64 less in each update while nothing waits */
#define ALPHA_PER_NS INT64_C(35184) /* 0.125 /s as a share */
#define BETA_PER_NS INT64_C(351844) /* 1.25 /s */

#define PERCENT (WZP_SIM_SHARE_ONE / 100)

/* --- the probability, every interval ---------------------------------------------------------- */

/* 5.1: small probabilities move slowly. */
static wzp_sim_share tuned(wzp_sim_share change, wzp_sim_share drop) {
    static const struct {
        int64_t below_ppm, divisor;
    } steps[] = {{1, 2048}, {10, 512}, {100, 128}, {1000, 32}, {10000, 8}, {100000, 2}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (drop < steps[i].below_ppm * (WZP_SIM_SHARE_ONE / (int64_t)WZP_PPM)) {
            return change / steps[i].divisor;
        }
    }
    return change;
}

static wzp_sim_share clamp(wzp_sim_share share) {
    if (share < 0) {
        return 0;
    }
    return share > WZP_SIM_SHARE_ONE ? WZP_SIM_SHARE_ONE : share;
}

static void update(wzp_sim_queue *queue, uint64_t wait) {
    wzp_sim_pie *pie = &queue->pie;
    const uint64_t target = queue->cfg.target;
    const uint64_t half = target / 2;
    wzp_sim_share change = tuned(ALPHA_PER_NS * ((int64_t)wait - (int64_t)target) +
                                     BETA_PER_NS * ((int64_t)wait - (int64_t)pie->last_wait),
                                 pie->drop);
    if (pie->drop >= 10 * PERCENT && change > 2 * PERCENT) {
        change = 2 * PERCENT;
    }
    pie->drop += change;
    if (wait == 0 && pie->last_wait == 0) {
        pie->drop -= pie->drop >> DECAY_SHIFT;
    }
    pie->drop = clamp(pie->drop);
    pie->burst = pie->burst > queue->cfg.interval ? pie->burst - queue->cfg.interval : 0;
    if (pie->drop == 0 && wait < half && pie->last_wait < half) {
        pie->burst = WZP_SIM_PIE_BURST;
    }
    pie->last_wait = wait;
}

/* Nothing entered or left since the last call, so what the timer would have seen is known. */
static void catch_up(wzp_sim_queue *queue, wzp_time now) {
    wzp_sim_pie *pie = &queue->pie;
    const uint64_t interval = queue->cfg.interval;
    if (queue->packets == 0 && wzp_time_since(now, pie->updated) / interval > IDLE_UPDATES) {
        const uint64_t rest = (now - pie->updated) % interval;
        *pie = (wzp_sim_pie){.burst = WZP_SIM_PIE_BURST, .updated = now - rest};
    }
    while (wzp_time_since(now, pie->updated) >= interval) {
        pie->updated += interval;
        update(queue, wzp_sim_items_wait(&queue->items, pie->updated));
    }
}

/* --- the decision, for every packet ----------------------------------------------------------- */

/* 5.4: evens out the gaps between drops. */
static bool unlucky(wzp_sim_queue *queue) {
    wzp_sim_pie *pie = &queue->pie;
    if (pie->drop == 0) {
        pie->heap = 0;
    }
    pie->heap += pie->drop;
    if (pie->heap < 85 * PERCENT) {
        return false;
    }
    const uint64_t draw = wzp_chance_u64(&queue->prng) >> 16;
    return pie->heap >= 850 * PERCENT || draw < (uint64_t)pie->drop;
}

static bool drop_early(wzp_sim_queue *queue) {
    wzp_sim_pie *pie = &queue->pie;
    const bool calm = pie->last_wait < queue->cfg.target / 2 && pie->drop < 20 * PERCENT;
    if (pie->burst > 0 || calm || queue->bytes <= SMALL_PACKETS * (uint64_t)queue->largest ||
        !unlucky(queue)) {
        return false;
    }
    pie->heap = 0;
    return true;
}

static void push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    catch_up(queue, now);
    if (wzp_sim_queue_full(queue, item->len)) {
        wzp_sim_queue_drop(queue, item, now);
        queue->pie.heap = 0;
        return;
    }
    const bool mark_only = queue->pie.drop < 10 * PERCENT;
    if (drop_early(queue) && !(mark_only && wzp_sim_queue_mark(queue, item))) {
        wzp_sim_queue_drop(queue, item, now);
        return;
    }
    wzp_sim_queue_in(queue, &queue->items, item);
}

static wzp_sim_item *pop(wzp_sim_queue *queue, wzp_time now) {
    catch_up(queue, now);
    return wzp_sim_queue_out(queue, &queue->items);
}

static wzp_sim_item *take(wzp_sim_queue *queue) {
    return wzp_sim_queue_out(queue, &queue->items);
}

const wzp_sim_queue_ops wzp_sim_pie_ops = {push, pop, take};
