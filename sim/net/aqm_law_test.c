/* The laws of the active queues, step by step, as their RFCs have them. */
#include <check.h>
#include <math.h>

#include "base/testing/suite.h"
#include "sim/net/queue.h"

typedef struct rig {
    wzp_sim_queue queue;
    wzp_sim_slab slab;
    wzp_time dropped[400];
    size_t count;
} rig;

static void note_drop(void *ctx, wzp_sim_item *item, wzp_time now) {
    rig *r = ctx;
    if (r->count < WZP_COUNT_OF(r->dropped)) {
        r->dropped[r->count++] = now;
    }
    wzp_sim_slab_give(&r->slab, item);
}

static void rig_open(rig *r, wzp_sim_queue_kind kind) {
    *r = (rig){0};
    wzp_sim_queue_init(&r->queue, 1, note_drop, r);
    ck_assert_int_eq(
        wzp_sim_queue_set(&r->queue, &(wzp_sim_queue_cfg){.kind = kind}, &(wzp_sim_rate_cfg){0}, 0),
        WZP_OK);
}

static void rig_close(rig *r) {
    wzp_sim_queue_clear(&r->queue);
    wzp_sim_slab_clear(&r->slab);
}

static void push(rig *r, wzp_time now) {
    wzp_sim_item *item = wzp_sim_slab_take(&r->slab);
    item->len = 1000;
    item->entered = now;
    wzp_sim_queue_push(&r->queue, item, now);
}

/* False: it was empty. */
static bool pop(rig *r, wzp_time now) {
    wzp_sim_item *item = wzp_sim_queue_pop(&r->queue, now);
    if (item != NULL) {
        wzp_sim_slab_give(&r->slab, item);
    }
    return item != NULL;
}

/* --- CoDel ------------------------------------------------------------------------------------ */

/* Twice as many come as go. */
static void overload(rig *r, wzp_time from, wzp_time until) {
    for (wzp_time now = from; now < until; now += WZP_MS) {
        push(r, now);
        push(r, now);
        (void)pop(r, now);
    }
}

/* The wait is above 5 ms from about 10 ms on, so the first is dropped about 100 ms later, and then
 * one every 100 ms / sqrt(n). */
START_TEST(codel_drops_by_the_square_root) {
    static rig r;
    rig_open(&r, WZP_SIM_QUEUE_CODEL);
    overload(&r, 0, 900 * WZP_MS);
    static const uint64_t want_ms[] = {0, 100, 171, 228, 278, 323, 364, 402, 437};
    ck_assert_uint_ge(r.count, WZP_COUNT_OF(want_ms));
    ck_assert(r.dropped[0] >= 105 * WZP_MS && r.dropped[0] <= 115 * WZP_MS);
    for (size_t i = 0; i < WZP_COUNT_OF(want_ms); i++) {
        const uint64_t after = (r.dropped[i] - r.dropped[0]) / WZP_MS;
        ck_assert_msg(after >= want_ms[i] && after <= want_ms[i] + 1, "drop %zu after %u ms", i,
                      (unsigned)after);
    }
    rig_close(&r);
}
END_TEST

/* Dropping that stopped a moment ago goes on at its pace; after 1.6 s it begins anew. */
START_TEST(codel_remembers_for_a_while) {
    for (int late = 0; late < 2; late++) {
        static rig r;
        rig_open(&r, WZP_SIM_QUEUE_CODEL);
        overload(&r, 0, 900 * WZP_MS);
        ck_assert_uint_ge(r.count, 15);
        while (pop(&r, 900 * WZP_MS)) {
        }
        const wzp_time again = late != 0 ? 3000 * WZP_MS : 1000 * WZP_MS;
        const size_t drained = r.count;
        overload(&r, again, again + 400 * WZP_MS);
        ck_assert_uint_ge(r.count, drained + 2);
        const uint64_t gap = r.dropped[drained + 1] - r.dropped[drained];
        ck_assert_msg(late != 0 ? gap / WZP_MS == 100 : gap <= 30 * WZP_MS, "%u us",
                      (unsigned)(gap / WZP_US));
        rig_close(&r);
    }
}
END_TEST

/* On a slow link a single packet waits long; that is no standing queue. */
START_TEST(codel_leaves_the_last_packet_alone) {
    static rig r;
    rig_open(&r, WZP_SIM_QUEUE_CODEL);
    push(&r, 0);
    for (uint64_t i = 0; i < 100; i++) {
        push(&r, i * 120 * WZP_MS);
        ck_assert(pop(&r, i * 120 * WZP_MS + 60 * WZP_MS));
    }
    ck_assert_uint_eq(r.count, 0);
    push(&r, 12 * WZP_S); /* one more, and it is */
    for (uint64_t i = 101; i < 110; i++) {
        push(&r, i * 120 * WZP_MS);
        (void)pop(&r, i * 120 * WZP_MS + 60 * WZP_MS);
    }
    ck_assert_uint_ge(r.count, 1);
    rig_close(&r);
}
END_TEST

/* --- PIE -------------------------------------------------------------------------------------- */

/* RFC 8033 4.2 and 5.1 in floating point. */
typedef struct pie {
    double drop, last_wait;
} pie;

static void pie_update(pie *p, double wait) {
    double change = 0.125 * (wait - 0.015) + 1.25 * (wait - p->last_wait);
    if (p->drop < 0.000001) {
        change /= 2048;
    } else if (p->drop < 0.00001) {
        change /= 512;
    } else if (p->drop < 0.0001) {
        change /= 128;
    } else if (p->drop < 0.001) {
        change /= 32;
    } else if (p->drop < 0.01) {
        change /= 8;
    } else if (p->drop < 0.1) {
        change /= 2;
    }
    if (p->drop >= 0.1 && change > 0.02) {
        change = 0.02;
    }
    p->drop += change;
    if (wait == 0 && p->last_wait == 0) {
        p->drop -= p->drop / 64;
    }
    p->drop = fmin(fmax(p->drop, 0), 1);
    p->last_wait = wait;
}

/* A queue that is kept at a wait of so many steps of 5 ms, up, down and empty again. */
START_TEST(pie_moves_as_its_formula) {
    static const unsigned waits[] = {4, 8, 20, 4, 2, 1, 12, 0, 0};
    static rig r;
    rig_open(&r, WZP_SIM_QUEUE_PIE);
    r.queue.pie.burst = WZP_TIME_NEVER; /* no packet is dropped; it is about the number */
    pie want = {0};
    wzp_time now = 0;
    double largest = 0;
    for (size_t k = 0; k < WZP_COUNT_OF(waits); k++) {
        for (unsigned i = 0; i < 600; i++, now += 5 * WZP_MS) {
            const wzp_sim_item *head = r.queue.items.head;
            if (now % (15 * WZP_MS) == 0 && now > 0) {
                pie_update(&want, head == NULL ? 0 : (double)(now - head->entered) / 1e9);
            }
            if (waits[k] > 0) {
                push(&r, now);
            } else {
                (void)pop(&r, now);
            }
            while (r.queue.items.head != NULL &&
                   now - r.queue.items.head->entered >= waits[k] * (5 * WZP_MS)) {
                (void)pop(&r, now);
            }
            const double got = (double)r.queue.pie.drop / (double)WZP_SIM_SHARE_ONE;
            ck_assert_msg(fabs(got - want.drop) <= 1e-6 + want.drop * 1e-3, "%u ms: %.9f, not %.9f",
                          (unsigned)(now / WZP_MS), got, want.drop);
            largest = fmax(largest, got);
        }
    }
    ck_assert_double_ge(largest, 0.2); /* all steps of the tuning were passed */
    ck_assert_double_le(want.drop, 0.001);
    rig_close(&r);
}
END_TEST

/* 5.4: without a drop for too long the next one is certain, and none comes too early.  4.1: none
 * where little waits or waited, unless the share is 20 %. */
START_TEST(pie_evens_out_its_drops) {
    static const struct heap_case {
        wzp_sim_share heap, drop;
        uint64_t last_wait;
        size_t waiting, want;
    } cases[] = {
        {WZP_SIM_SHARE_ONE * 9, 1, 20 * WZP_MS, 5, 1},
        {WZP_SIM_SHARE_ONE * 8, 1, 20 * WZP_MS, 5, 0},
        {0, WZP_SIM_SHARE_ONE * 8 / 10, 20 * WZP_MS, 5, 0},
        {WZP_SIM_SHARE_ONE, WZP_SIM_SHARE_ONE, 20 * WZP_MS, 5, 1},
        {WZP_SIM_SHARE_ONE * 9, 1, 7500 * WZP_US, 5, 1},
        {WZP_SIM_SHARE_ONE * 9, 1, 7499 * WZP_US, 5, 0},
        {WZP_SIM_SHARE_ONE * 9, WZP_SIM_SHARE_ONE * 19 / 100, 0, 5, 0},
        {WZP_SIM_SHARE_ONE * 9, WZP_SIM_SHARE_ONE * 21 / 100, 0, 5, 1},
        {WZP_SIM_SHARE_ONE * 9, WZP_SIM_SHARE_ONE, 20 * WZP_MS, 2, 0},
        {WZP_SIM_SHARE_ONE * 9, WZP_SIM_SHARE_ONE, 20 * WZP_MS, 3, 1},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        static rig r;
        rig_open(&r, WZP_SIM_QUEUE_PIE);
        for (size_t n = 0; n < cases[i].waiting; n++) {
            push(&r, 0);
        }
        r.queue.pie = (wzp_sim_pie){
            .drop = cases[i].drop, .heap = cases[i].heap, .last_wait = cases[i].last_wait};
        push(&r, WZP_MS);
        ck_assert_msg(r.count == cases[i].want, "case %zu: %zu", i, r.count);
        ck_assert(cases[i].want == 0 || r.queue.pie.heap == 0);
        rig_close(&r);
    }
}
END_TEST

START_TEST(pie_lets_a_burst_through) {
    static rig r;
    rig_open(&r, WZP_SIM_QUEUE_PIE);
    wzp_time now = 0;
    while (r.count == 0 && now < WZP_S) { /* four come for each that goes */
        for (size_t n = 0; n < 4; n++) {
            push(&r, now);
        }
        (void)pop(&r, now);
        now += WZP_MS;
    }
    ck_assert(now > WZP_SIM_PIE_BURST && now < 300 * WZP_MS);
    rig_close(&r);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("aqm_law");
    tcase_add_test(tc, codel_drops_by_the_square_root);
    tcase_add_test(tc, codel_remembers_for_a_while);
    tcase_add_test(tc, codel_leaves_the_last_packet_alone);
    tcase_add_test(tc, pie_moves_as_its_formula);
    tcase_add_test(tc, pie_evens_out_its_drops);
    tcase_add_test(tc, pie_lets_a_burst_through);
    return wzp_run_suite("aqm_law", tc);
}
