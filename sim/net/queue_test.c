/* Limits of the plain queues, against a slow twin too, and marks instead of drops. */
#include "sim/net/queue.h"

#include <string.h>

#include "base/testing/suite.h"
#include "sim/net/rate.h"
#include "sim/net/testing/bench.h"

#define MBIT UINT64_C(1000000)

/* --- by hand ---------------------------------------------------------------------------------- */

static const struct limit_case {
    const char *name;
    wzp_sim_queue_cfg queue;
    uint32_t bytes;      /* of each of the packets */
    size_t sent, out;    /* all at once; the first is being sent at once and does not wait */
    uint64_t first_lost; /* of those that did not come out, the first */
} limit_cases[] = {
    {"the usual 1000", {0}, 100, 1500, 1001, 1001},
    {"packets", {.limit_packets = 25}, 100, 100, 26, 26},
    {"bytes", {.limit_bytes = 5000}, 1000, 100, 6, 6},
    {"bytes, not a byte more", {.limit_bytes = 4999}, 1000, 100, 5, 5},
    {"time at 8 Mbit/s", {.limit_ns = 20 * WZP_MS}, 1000, 100, 21, 21},
    {"the least of all",
     {.limit_packets = 9, .limit_bytes = 8000, .limit_ns = 10 * WZP_MS},
     1000,
     100,
     9,
     9},
    {"one always fits", {.limit_bytes = 500}, 1000, 100, 2, 2},
    {"head: the last ones stay",
     {.kind = WZP_SIM_QUEUE_DROPHEAD, .limit_packets = 25},
     100,
     100,
     26,
     1},
    {"head, bytes", {.kind = WZP_SIM_QUEUE_DROPHEAD, .limit_bytes = 5000}, 1000, 100, 6, 1},
    {"fq-codel's usual 10240",
     {.kind = WZP_SIM_QUEUE_FQ_CODEL, .target = WZP_S},
     100,
     11000,
     10241,
     0},
};

START_TEST(limits) {
    const struct limit_case *c = &limit_cases[_i];
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.rate = {.bits_per_s = 8 * MBIT}, .queue = c->queue}, 1);
    for (size_t i = 0; i < c->sent; i++) {
        bench_send(&b, 0, c->bytes);
    }
    bench_run(&b, 10 * WZP_S);
    ck_assert_msg(b.count == c->out, "%s: %zu came out", c->name, b.count);
    ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_QUEUE], c->sent - c->out);
    uint64_t first_lost = 0;
    while (first_lost < b.count && b.arrivals[first_lost].seq == first_lost) {
        first_lost++;
    }
    ck_assert_msg(c->first_lost == 0 || first_lost == c->first_lost, "%s: %u is lost first",
                  c->name, (unsigned)first_lost);
    bench_close(&b);
}
END_TEST

START_TEST(a_lower_limit_keeps_what_waits) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = 8 * MBIT}, .queue = {.limit_packets = 50}};
    bench b;
    bench_open(&b, &cfg, 1);
    for (size_t i = 0; i < 51; i++) {
        bench_send(&b, 0, 1000);
    }
    cfg.queue.limit_packets = 10;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 0, 1000);                 /* this one does not fit any more */
    cfg.queue.kind = WZP_SIM_QUEUE_DROPHEAD; /* nor does moving over cost any */
    wzp_sim_link_set(b.link, &cfg);
    bench_run(&b, 10 * WZP_S);
    ck_assert_uint_eq(b.count, 51);
    bench_close(&b);
}
END_TEST

/* --- droptail and drophead against a slow twin ------------------------------------------------ */

#define TWIN_MAX 4000

/* Lengths in an array, added up anew each time. */
typedef struct twin {
    uint32_t len[TWIN_MAX];
    uint64_t seq[TWIN_MAX];
    size_t count;
} twin;

static uint64_t twin_bytes(const twin *t) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->count; i++) {
        bytes += t->len[i];
    }
    return bytes;
}

static void twin_remove(twin *t) {
    for (size_t i = 1; i < t->count; i++) {
        t->len[i - 1] = t->len[i];
        t->seq[i - 1] = t->seq[i];
    }
    t->count--;
}

typedef struct twin_rig {
    wzp_sim_slab slab;
    uint64_t dropped[TWIN_MAX];
    size_t dropped_count;
} twin_rig;

static void twin_discard(void *ctx, wzp_sim_item *item, wzp_time now) {
    twin_rig *rig = ctx;
    (void)now;
    rig->dropped[rig->dropped_count++] = item->seq;
    wzp_sim_slab_give(&rig->slab, item);
}

static const struct twin_case {
    wzp_sim_queue_kind kind;
    uint32_t limit_packets, limit_bytes;
} twin_cases[] = {
    {WZP_SIM_QUEUE_DROPTAIL, 10, 0},    {WZP_SIM_QUEUE_DROPTAIL, 0, 9000},
    {WZP_SIM_QUEUE_DROPTAIL, 12, 7000}, {WZP_SIM_QUEUE_DROPHEAD, 10, 0},
    {WZP_SIM_QUEUE_DROPHEAD, 0, 9000},
};

static bool twin_full(const twin *t, const struct twin_case *c, uint32_t len) {
    const bool packets = c->limit_packets > 0 && t->count >= c->limit_packets;
    const bool bytes = c->limit_bytes > 0 && twin_bytes(t) + len > c->limit_bytes;
    return t->count > 0 && (packets || bytes);
}

static void twin_push(twin *t, const struct twin_case *c, uint64_t seq, uint32_t len,
                      twin_rig *rig) {
    while (c->kind == WZP_SIM_QUEUE_DROPHEAD && twin_full(t, c, len)) {
        rig->dropped[rig->dropped_count++] = t->seq[0];
        twin_remove(t);
    }
    if (twin_full(t, c, len)) {
        rig->dropped[rig->dropped_count++] = seq;
        return;
    }
    t->len[t->count] = len;
    t->seq[t->count++] = seq;
}

START_TEST(like_a_slow_twin) {
    const struct twin_case *c = &twin_cases[_i];
    static twin_rig rig;
    static twin_rig twin_says;
    static twin t;
    memset(&rig, 0, sizeof rig);
    memset(&twin_says, 0, sizeof twin_says);
    memset(&t, 0, sizeof t);
    wzp_sim_queue queue;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "twin");
    wzp_sim_queue_init(&queue, 1, twin_discard, &rig);
    ck_assert_int_eq(wzp_sim_queue_set(&queue,
                                       &(wzp_sim_queue_cfg){.kind = c->kind,
                                                            .limit_packets = c->limit_packets,
                                                            .limit_bytes = c->limit_bytes},
                                       &(wzp_sim_rate_cfg){0}, 0),
                     WZP_OK);
    for (uint64_t seq = 0; seq < TWIN_MAX; seq++) {
        const uint32_t len = (uint32_t)wzp_chance_between(&prng, 40, 1500);
        wzp_sim_item *item = wzp_sim_slab_take(&rig.slab);
        item->seq = seq;
        item->len = len;
        wzp_sim_queue_push(&queue, item, seq);
        twin_push(&t, c, seq, len, &twin_says);
        const bool calm = seq / 100 % 2 == 0; /* fills up and runs dry by turns */
        for (uint64_t pops = wzp_chance_between(&prng, 0, calm ? 3 : 1); pops > 0; pops--) {
            item = wzp_sim_queue_pop(&queue, seq);
            ck_assert((item == NULL) == (t.count == 0));
            if (item != NULL) {
                ck_assert_uint_eq(item->seq, t.seq[0]);
                wzp_sim_slab_give(&rig.slab, item);
                twin_remove(&t);
            }
        }
        ck_assert_uint_eq(queue.packets, t.count);
        ck_assert_uint_eq(queue.bytes, twin_bytes(&t));
        ck_assert_uint_eq(rig.dropped_count, twin_says.dropped_count);
    }
    ck_assert_mem_eq(rig.dropped, twin_says.dropped, sizeof rig.dropped);
    ck_assert_uint_gt(rig.dropped_count, 100);
    wzp_sim_queue_clear(&queue);
    wzp_sim_slab_clear(&rig.slab);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("queue");
    tcase_add_loop_test(tc, limits, 0, WZP_COUNT_OF(limit_cases));
    tcase_add_test(tc, a_lower_limit_keeps_what_waits);
    tcase_add_loop_test(tc, like_a_slow_twin, 0, WZP_COUNT_OF(twin_cases));
    return wzp_run_suite("queue", tc);
}
