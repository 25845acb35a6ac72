#include "sim/net/queue.h"

/* DualPI2 (RFC 9332 appendix A): one controller on the classic queue's wait.  Classic packets are
 * dropped, or marked if they may be, with the square of its output p'; low-latency ones are marked
 * with 2 p', or always when they waited longer than the step. */
#define COUPLING 2
#define STEP (1 * WZP_MS)
#define IDLE_UPDATES 4096              /* more of them with an empty queue leave nothing behind */
#define ALPHA_PER_NS INT64_C(45036)    /* 0.16 /s as a share */
#define BETA_PER_NS INT64_C(900720)    /* 3.2 /s */
#define CLASSIC_TURN 15                /* low-latency bytes for each classic one when both wait */
#define CLASSIC_CREDIT INT64_C(-22500) /* ten packets before the first classic one */

/* --- the controller, every interval ----------------------------------------------------------- */

static void update(wzp_sim_queue *queue, uint64_t wait) {
    wzp_sim_dual *dual = &queue->dual;
    dual->base += ALPHA_PER_NS * ((int64_t)wait - (int64_t)queue->cfg.target) +
                  BETA_PER_NS * ((int64_t)wait - (int64_t)dual->last_wait);
    if (dual->base < 0) {
        dual->base = 0;
    }
    if (dual->base > WZP_SIM_SHARE_ONE) {
        dual->base = WZP_SIM_SHARE_ONE;
    }
    dual->last_wait = wait;
}

static void catch_up(wzp_sim_queue *queue, wzp_time now) {
    wzp_sim_dual *dual = &queue->dual;
    const uint64_t interval = queue->cfg.interval;
    if (queue->items.count == 0 && wzp_time_since(now, dual->updated) / interval > IDLE_UPDATES) {
        dual->updated = now - (now - dual->updated) % interval;
        dual->base = 0;
        dual->last_wait = 0;
    }
    while (wzp_time_since(now, dual->updated) >= interval) {
        dual->updated += interval;
        update(queue, wzp_sim_items_wait(&queue->items, dual->updated));
    }
}

static wzp_sim_share square(wzp_sim_share share) {
    return (share >> 18) * (share >> 18) >> 12;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* Every 1/share-th time, without chance: RFC 9332 "recur". */
static bool recurs(wzp_sim_share *heap, wzp_sim_share share) {
    *heap += share;
    if (*heap < WZP_SIM_SHARE_ONE) {
        return false;
    }
    *heap -= WZP_SIM_SHARE_ONE;
    return true;
}

static void push(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    catch_up(queue, now);
    if (wzp_sim_queue_full(queue, item->len)) {
        wzp_sim_queue_drop(queue, item, now);
        return;
    }
    const bool fast = wzp_sim_item_scalable(item);
    wzp_sim_queue_in(queue, fast ? &queue->dual.fast : &queue->items, item);
}

/* Whose turn it is; the classic queue is never starved. */
static bool classic_turn(wzp_sim_queue *queue) {
    wzp_sim_dual *dual = &queue->dual;
    if (dual->fast.count == 0 || queue->items.count == 0) {
        dual->credit = CLASSIC_CREDIT;
        return dual->fast.count == 0;
    }
    return dual->credit > 0;
}

/* False: dropped, which happens when marks no longer help. */
static bool pass_fast(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    wzp_sim_dual *dual = &queue->dual;
    const wzp_sim_share coupled = COUPLING * dual->base;
    dual->credit += item->len;
    if (coupled >= WZP_SIM_SHARE_ONE && recurs(&dual->loss_heap, square(dual->base))) {
        wzp_sim_queue_drop(queue, item, now);
        return false;
    }
    const bool late = dual->fast.count > 0 && wzp_time_since(now, item->entered) >= STEP;
    const wzp_sim_share share = late || coupled > WZP_SIM_SHARE_ONE ? WZP_SIM_SHARE_ONE : coupled;
    if (recurs(&dual->mark_heap, share) && wzp_sim_item_mark(item)) {
        queue->marked++;
    }
    return true;
}

static bool pass_classic(wzp_sim_queue *queue, wzp_sim_item *item, wzp_time now) {
    wzp_sim_dual *dual = &queue->dual;
    dual->credit -= (int64_t)item->len * CLASSIC_TURN;
    if (recurs(&dual->drop_heap, square(dual->base)) && !wzp_sim_queue_mark(queue, item)) {
        wzp_sim_queue_drop(queue, item, now);
        return false;
    }
    return true;
}

static wzp_sim_item *pop(wzp_sim_queue *queue, wzp_time now) {
    catch_up(queue, now);
    for (;;) {
        const bool classic = classic_turn(queue);
        wzp_sim_item *item = wzp_sim_queue_out(queue, classic ? &queue->items : &queue->dual.fast);
        if (item == NULL) {
            return NULL;
        }
        if (classic ? pass_classic(queue, item, now) : pass_fast(queue, item, now)) {
            return item;
        }
    }
}

static wzp_sim_item *take(wzp_sim_queue *queue) {
    wzp_sim_item *item = wzp_sim_queue_out(queue, &queue->dual.fast);
    return item != NULL ? item : wzp_sim_queue_out(queue, &queue->items);
}

const wzp_sim_queue_ops wzp_sim_dual_ops = {push, pop, take};
