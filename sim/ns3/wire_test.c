/* Links of wires on ns-3: what is counted, changed, cut, marked, and what the native stages around
 * ns-3 add. */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77
#define MBIT UINT64_C(1000000)

static const wzp_sim_link_cfg perfect = {.mtu = 0};

static uint64_t dropped(const wzp_sim_counts *counts) {
    uint64_t sum = 0;
    for (size_t i = 0; i < WZP_SIM_DROP_COUNT; i++) {
        sum += counts->dropped[i];
    }
    return sum;
}

static wzp_sim_counts counts_of(const bed *b) {
    wzp_sim_counts counts;
    b->fabric->ops->count(b->fabric, b->link, 0, &counts);
    return counts;
}

/* --- every part of a description does something ----------------------------------------------- */

static const uint32_t opportunities[] = {3, 7, 10};
static const wzp_sim_point points[] = {{0, 5 * WZP_MS}, {WZP_S, 50 * WZP_MS}};

static const struct part_case {
    const char *name;
    wzp_sim_link_cfg link;
    wzp_sim_drop drop;    /* what it has to drop; COUNT: nothing */
    uint64_t least, most; /* delay of the first packet, microseconds */
} part_cases[] = {
    {"nothing", {.mtu = 0}, WZP_SIM_DROP_COUNT, 0, 0},
    {"delay", {.delay = {.base = 5 * WZP_MS}}, WZP_SIM_DROP_COUNT, 5000, 5000},
    {"rate", {.rate = {.bits_per_s = 8 * MBIT}}, WZP_SIM_DROP_COUNT, 1000, 1000},
    {"rate with overhead",
     {.rate = {.bits_per_s = 8 * MBIT, .overhead = 38}},
     WZP_SIM_DROP_COUNT,
     1038,
     1038},
    {"full queue",
     {.rate = {.bits_per_s = 2 * MBIT}, .queue = {.limit_packets = 5}},
     WZP_SIM_DROP_QUEUE,
     4000,
     4000},
    {"loss", {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 100000}}, WZP_SIM_DROP_LOSS, 0, 0},
    {"bursts",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 50000, .r = 300000, .bad = WZP_PPM}},
     WZP_SIM_DROP_LOSS,
     0,
     0},
    {"four states",
     {.loss = {.model = WZP_SIM_LOSS_FOUR_STATE,
               .p13 = 100000,
               .p31 = 500000,
               .p23 = 100000,
               .p32 = 100000}},
     WZP_SIM_DROP_LOSS,
     0,
     0},
    {"pattern",
     {.loss = {.model = WZP_SIM_LOSS_PATTERN, .pattern = (const uint8_t *)"001", .count = 3}},
     WZP_SIM_DROP_LOSS,
     0,
     0},
    {"mtu", {.mtu = 999}, WZP_SIM_DROP_MTU, 0, 0},
    {"outage",
     {.outage = {.kind = WZP_SIM_OUTAGE_PERIODIC, .on = 100 * WZP_MS, .off = 100 * WZP_MS}},
     WZP_SIM_DROP_OUTAGE,
     0,
     0},
    {"drophead",
     {.rate = {.bits_per_s = 2 * MBIT},
      .queue = {.kind = WZP_SIM_QUEUE_DROPHEAD, .limit_packets = 5}},
     WZP_SIM_DROP_QUEUE,
     4000,
     4000},
    {"two queues",
     {.rate = {.bits_per_s = 2 * MBIT}, .queue = {.kind = WZP_SIM_QUEUE_DUAL, .limit_packets = 5}},
     WZP_SIM_DROP_QUEUE,
     4000,
     4000},
    {"opportunities",
     {.rate = {.opportunities = opportunities, .opportunity_count = 3},
      .queue = {.limit_packets = 5}},
     WZP_SIM_DROP_QUEUE,
     3000,
     3000},
    {"delay by a trace",
     {.delay = {.law = WZP_SIM_DELAY_TRACE, .trace = points, .trace_count = 2}},
     WZP_SIM_DROP_COUNT,
     5000,
     5001},
    {"delay that remembers",
     {.delay =
          {.law = WZP_SIM_DELAY_AR1, .base = 20 * WZP_MS, .spread = 3 * WZP_MS, .rho_ppm = 900000}},
     WZP_SIM_DROP_COUNT,
     8000,
     32000},
    {"bucket",
     {.rate = {.bits_per_s = 2 * MBIT, .burst = 3000}, .queue = {.limit_packets = 5}},
     WZP_SIM_DROP_QUEUE,
     0,
     0},
    {"video beside it",
     {.rate = {.bits_per_s = 10 * MBIT},
      .queue = {.limit_packets = 20},
      .cross = {{.kind = WZP_SIM_CROSS_VIDEO, .bits_per_s = 8 * MBIT}}},
     WZP_SIM_DROP_QUEUE,
     800,
     3000},
};

/* 1000 bytes every 2 ms: 4 Mbit/s. */
START_TEST(part_does_its_work) {
    const struct part_case *c = &part_cases[_i];
    const bed_source source = {.size = 1000, .interval = 2 * WZP_MS, .until = 2 * WZP_S};
    bed b;
    bed_open(&b, "ns3", 3);
    bed_link(&b, &c->link, &perfect);
    bed_send(&b, &source);
    (void)bed_run(&b, 4 * WZP_S);
    const wzp_sim_counts counts = counts_of(&b);
    ck_assert_uint_eq(b.sent, 1000);
    ck_assert_msg(counts.in == 1000 && counts.bytes_in == 1000000, "%s: in", c->name);
    ck_assert_msg(counts.out == b.count && counts.bytes_out == 1000 * b.count, "%s: out", c->name);
    ck_assert_msg(counts.out + dropped(&counts) == 1000, "%s: sum", c->name);
    ck_assert_msg(wzp_sim_pool_live(b.pool) == 0, "%s: packets live", c->name);
    if (c->drop == WZP_SIM_DROP_COUNT) {
        ck_assert_msg(counts.out == 1000, "%s: %" PRIu64 " are lost", c->name, 1000 - counts.out);
    } else {
        ck_assert_msg(counts.dropped[c->drop] == 1000 - counts.out, "%s: reason", c->name);
        ck_assert_msg(counts.dropped[c->drop] >= 40, "%s: only %" PRIu64 " are lost", c->name,
                      counts.dropped[c->drop]);
    }
    if (b.count > 0 && c->most > 0) {
        const uint64_t us = (b.arrivals[0].at - b.arrivals[0].sent) / WZP_US;
        ck_assert_msg(us >= c->least && us <= c->most, "%s: %" PRIu64 " us", c->name, us);
    }
    bed_close(&b);
}
END_TEST

/* --- the same, to the nanosecond, where all that is random is native -------------------------- */

static const wzp_sim_link_cfg same_cases[] = {
    {.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p13 = 50000, .p31 = 500000},
     .mangle = {.duplicate_ppm = 50000, .duplicate_to = 5 * WZP_MS, .corrupt_ppm = 20000},
     .delay =
         {.law = WZP_SIM_DELAY_AR1, .base = 20 * WZP_MS, .spread = 3 * WZP_MS, .rho_ppm = 900000}},
    {.rate = {.bits_per_s = 3 * MBIT},
     .queue = {.kind = WZP_SIM_QUEUE_DROPHEAD, .limit_ns = 50 * WZP_MS},
     .mangle = {.corrupt_ppm = 50000}},
    {.outage = {.kind = WZP_SIM_OUTAGE_EXPONENTIAL, .on = 200 * WZP_MS, .off = 100 * WZP_MS},
     .delay =
         {.law = WZP_SIM_DELAY_NETEM, .base = 9 * WZP_MS, .spread = WZP_MS, .rho_ppm = 250000}},
    {.outage = {.kind = WZP_SIM_OUTAGE_HANDOVER,
                .on = 200 * WZP_MS,
                .on_to = 300 * WZP_MS,
                .off = 30 * WZP_MS,
                .off_to = 60 * WZP_MS,
                .hold = true},
     .delay = {.base = 25 * WZP_MS}},
    {.slots = {.on = true,
               .base_from = 15 * WZP_MS,
               .base_to = 35 * WZP_MS,
               .gap_from = 20 * WZP_MS,
               .gap_to = 100 * WZP_MS,
               .burst_loss_ppm = 50000},
     .delay = {.law = WZP_SIM_DELAY_AR1, .spread = 2 * WZP_MS, .rho_ppm = 500000}},
};

static uint64_t hash_of(const char *engine, const wzp_sim_link_cfg *cfg, uint64_t *arrived) {
    const bed_source source = {
        .size = 1000, .interval = 3 * WZP_MS, .until = 40 * WZP_S, .poisson = true};
    bed b;
    bed_open(&b, engine, 5);
    bed_link(&b, cfg, &perfect);
    bed_send(&b, &source);
    (void)bed_run(&b, 42 * WZP_S);
    const uint64_t hash = b.hash;
    *arrived = b.count;
    bed_close(&b);
    return hash;
}

START_TEST(native_stages_are_the_native_link) {
    uint64_t arrived[2];
    const uint64_t native = hash_of("native", &same_cases[_i], &arrived[0]);
    const uint64_t ns3 = hash_of("ns3", &same_cases[_i], &arrived[1]);
    ck_assert_uint_gt(arrived[0], 1000);
    ck_assert_uint_eq(arrived[0], arrived[1]);
    ck_assert_uint_eq(native, ns3);
}
END_TEST

/* --- while it runs ---------------------------------------------------------------------------- */

typedef struct change {
    bed *bed;
    const wzp_sim_link_cfg *cfg; /* NULL: cut */
    bool down, hold;
} change;

static void apply(void *self, void *arg, wzp_time now) {
    const change *c = self;
    const wzp_sim_fabric_ops *ops = c->bed->fabric->ops;
    (void)arg, (void)now;
    if (c->cfg != NULL) {
        ops->set(c->bed->fabric, c->bed->link, 0, c->cfg);
    } else {
        ops->cut(c->bed->fabric, c->bed->link, 0, c->down, c->hold);
    }
}

static void plan_change(change *c, uint64_t at) {
    wzp_sim_at(c->bed->clock, c->bed->start + at, apply, c, NULL);
}

START_TEST(a_cut_loses_or_holds) {
    const bool hold = _i == 1;
    const wzp_sim_link_cfg link = {.delay = {.base = 1 * WZP_MS}, .rate = {.bits_per_s = 8 * MBIT}};
    const bed_source source = {.size = 1000, .interval = 10 * WZP_MS, .until = 300 * WZP_MS};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &link, &perfect);
    change down = {.bed = &b, .down = true, .hold = hold};
    change up = {.bed = &b, .hold = hold};
    plan_change(&down, 95 * WZP_MS);
    plan_change(&up, 195 * WZP_MS);
    bed_send(&b, &source);
    ck_assert_int_eq(bed_run(&b, WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(counts_of(&b).dropped[WZP_SIM_DROP_OUTAGE], hold ? 0 : 10);
    ck_assert_uint_eq(b.count, hold ? 30 : 20);
    if (hold) {
        ck_assert_uint_eq(b.arrivals[10].at, 197 * WZP_MS); /* a burst, back to back */
        ck_assert_uint_eq(b.arrivals[19].at, 206 * WZP_MS);
    }
    bed_close(&b);
}
END_TEST

/* Ten packets of a millisecond wait when the change comes, after 2.5 of them. */
static const struct change_case {
    const char *name;
    wzp_sim_link_cfg from, to;
    uint64_t arrived, last_us;
} change_cases[] = {
    {"half the rate",
     {.rate = {.bits_per_s = 8 * MBIT}},
     {.rate = {.bits_per_s = 4 * MBIT}},
     10,
     3000 + 14000},
    {"no rate", {.rate = {.bits_per_s = 8 * MBIT}}, {.mtu = 0}, 10, 3000},
    {"another discipline",
     {.rate = {.bits_per_s = 8 * MBIT}},
     {.rate = {.bits_per_s = 8 * MBIT}, .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL}},
     10,
     10000},
    {"and back",
     {.rate = {.bits_per_s = 8 * MBIT}, .queue = {.kind = WZP_SIM_QUEUE_PIE}},
     {.rate = {.bits_per_s = 8 * MBIT}},
     10,
     10000},
    {"a bucket",
     {.rate = {.bits_per_s = 8 * MBIT}},
     {.rate = {.bits_per_s = 8 * MBIT, .burst = 3000}},
     10,
     3000 + 4000},
    {"no bucket any more",
     {.rate = {.bits_per_s = 8 * MBIT, .burst = 3000}},
     {.rate = {.bits_per_s = 8 * MBIT}},
     10,
     2500 + 5000},
    {"a longer wire",
     {.rate = {.bits_per_s = 8 * MBIT}, .delay = {.base = 1 * WZP_MS}},
     {.rate = {.bits_per_s = 8 * MBIT}, .delay = {.base = 50 * WZP_MS}},
     10,
     60000},
    {"a delay of another law, behind ns-3",
     {.rate = {.bits_per_s = 8 * MBIT}},
     {.rate = {.bits_per_s = 8 * MBIT}, .delay = {.base = 5 * WZP_MS, .skip_every = 100}},
     10,
     15000},
    {"a description that is refused",
     {.rate = {.bits_per_s = 8 * MBIT}},
     {.rate = {.bits_per_s = UINT64_MAX}},
     10,
     10000},
};

START_TEST(is_changed) {
    const struct change_case *c = &change_cases[_i];
    const bed_source source = {.size = 1000, .interval = WZP_S, .until = 1, .burst = 10};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &c->from, &perfect);
    change later = {.bed = &b, .cfg = &c->to};
    plan_change(&later, 2500 * WZP_US);
    bed_send(&b, &source);
    (void)bed_run(&b, WZP_S);
    ck_assert_msg(b.count == c->arrived, "%s: %zu arrived", c->name, b.count);
    const uint64_t last_us = b.arrivals[b.count - 1].at / WZP_US;
    ck_assert_msg(last_us == c->last_us, "%s: last one after %" PRIu64 " us", c->name, last_us);
    for (size_t i = 0; i < b.count; i++) {
        ck_assert_msg(b.arrivals[i].seq == i, "%s: order", c->name);
    }
    bed_close(&b);
}
END_TEST

/* --- marks, errors, copies -------------------------------------------------------------------- */

static const struct mark_case {
    const char *name;
    wzp_sim_queue_kind kind;
    uint8_t tos, marked_tos;
    bool marks;
} mark_cases[] = {
    {"CoDel, capable", WZP_SIM_QUEUE_CODEL, 2, 3, true},
    {"CoDel, not capable", WZP_SIM_QUEUE_CODEL, 0, 0, false},
    {"FQ-CoDel, capable, with a class", WZP_SIM_QUEUE_FQ_CODEL, 46 << 2 | 1, 46 << 2 | 3, true},
    {"FQ-CoDel, not capable", WZP_SIM_QUEUE_FQ_CODEL, 46 << 2, 46 << 2, false},
    {"PIE, capable", WZP_SIM_QUEUE_PIE, 1, 3, true},
    {"PIE, not capable", WZP_SIM_QUEUE_PIE, 0, 0, false},
};

START_TEST(queue_marks) {
    const struct mark_case *c = &mark_cases[_i];
    const wzp_sim_link_cfg link = {.rate = {.bits_per_s = 4 * MBIT},
                                   .queue = {.kind = c->kind, .ecn = true}};
    /* A tenth too much. */
    const bed_source source = {
        .size = 1000, .interval = 1800 * WZP_US, .until = 5 * WZP_S, .tos = c->tos};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &link, &perfect);
    bed_send(&b, &source);
    (void)bed_run(&b, 10 * WZP_S);
    uint64_t marked = 0;
    for (size_t i = 0; i < b.count; i++) {
        ck_assert(b.arrivals[i].tos == c->tos || b.arrivals[i].tos == c->marked_tos);
        marked += b.arrivals[i].tos != c->tos ? 1 : 0;
    }
    const wzp_sim_counts counts = counts_of(&b);
    ck_assert_msg(counts.marked == marked, "%s", c->name);
    ck_assert_msg((marked > 10) == c->marks, "%s: %" PRIu64 " marks", c->name, marked);
    ck_assert_msg(c->marks || counts.dropped[WZP_SIM_DROP_QUEUE] > 10, "%s: drops", c->name);
    bed_close(&b);
}
END_TEST

START_TEST(what_is_too_big_is_reported) {
    const wzp_sim_link_cfg narrow = {.mtu = 1280};
    const bed_source source = {.size = 1281, .interval = 10 * WZP_MS, .until = 50 * WZP_MS};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &narrow, &perfect);
    bed_send(&b, &source);
    ck_assert_int_eq(bed_run(&b, WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(b.errors, 5);
    ck_assert_uint_eq(b.count, 0);
    bed_close(&b);
}
END_TEST

START_TEST(copies_and_bit_errors) {
    const wzp_sim_link_cfg link = {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 100000},
                                   .mangle = {.duplicate_ppm = 200000, .corrupt_ppm = 100000}};
    const bed_source source = {.size = 500, .interval = 1 * WZP_MS, .until = 10 * WZP_S};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &link, &perfect);
    bed_send(&b, &source);
    (void)bed_run(&b, 11 * WZP_S);
    uint64_t corrupted = 0;
    for (size_t i = 0; i < b.count; i++) {
        corrupted += b.arrivals[i].corrupted ? 1 : 0;
    }
    const wzp_sim_counts counts = counts_of(&b);
    ck_assert_uint_eq(counts.in + counts.duplicated, counts.out + dropped(&counts));
    ck_assert_uint_gt(counts.duplicated, 1600); /* of 9000 */
    ck_assert_uint_lt(counts.duplicated, 2000);
    ck_assert_uint_gt(corrupted, 900); /* of 10800 */
    ck_assert_uint_lt(corrupted, 1260);
    bed_close(&b);
}
END_TEST

/* --- TCP -------------------------------------------------------------------------------------- */

static const struct tcp_case {
    const char *name;
    wzp_sim_cross_cfg cross;
    wzp_sim_queue_cfg queue;
    uint64_t least_ms, most_ms; /* of voice beside it: 90 % arrive within */
} tcp_cases[] = {
    {"nobody", {.kind = WZP_SIM_CROSS_NONE}, {.limit_packets = 100}, 10, 11},
    {"Reno fills a queue of 200 ms",
     {.kind = WZP_SIM_CROSS_RENO, .flows = 1},
     {.limit_ns = 200 * WZP_MS},
     150,
     212},
    {"Cubic fills a queue of 200 ms",
     {.kind = WZP_SIM_CROSS_CUBIC, .flows = 1},
     {.limit_ns = 200 * WZP_MS},
     150,
     212},
    {"five flows", {.kind = WZP_SIM_CROSS_CUBIC, .flows = 5}, {.limit_ns = 200 * WZP_MS}, 170, 212},
    {"CoDel keeps it short",
     {.kind = WZP_SIM_CROSS_CUBIC, .flows = 1},
     {.kind = WZP_SIM_QUEUE_CODEL},
     12,
     40},
    {"FQ-CoDel keeps voice apart",
     {.kind = WZP_SIM_CROSS_CUBIC, .flows = 3},
     {.kind = WZP_SIM_QUEUE_FQ_CODEL},
     11,
     16},
    {"three of forty seconds",
     {.kind = WZP_SIM_CROSS_RENO, .flows = 1, .from = 5 * WZP_S, .until = 8 * WZP_S},
     {.limit_ns = 200 * WZP_MS},
     10,
     11},
};

START_TEST(tcp_shares_the_queue) {
    const struct tcp_case *c = &tcp_cases[_i];
    const wzp_sim_link_cfg link = {.delay = {.base = 10 * WZP_MS},
                                   .rate = {.bits_per_s = 5 * MBIT},
                                   .queue = c->queue,
                                   .cross = {c->cross}};
    const bed_source voice = {.size = 200, .interval = 20 * WZP_MS, .until = 40 * WZP_S};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &link, &perfect);
    bed_send(&b, &voice);
    (void)bed_run(&b, 41 * WZP_S);
    bed_figures figures;
    bed_measure(&b, 0, &figures);
    const uint64_t ms = figures.percentile[2] / WZP_MS;
    ck_assert_msg(ms >= c->least_ms && ms <= c->most_ms, "%s: %" PRIu64 " ms", c->name, ms);
    ck_assert_msg(figures.received > 1800, "%s: %" PRIu64 " arrived", c->name, figures.received);
    bed_close(&b);
}
END_TEST

int main(void) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("wire");
    tcase_add_loop_test(tc, part_does_its_work, 0, WZP_COUNT_OF(part_cases));
    tcase_add_loop_test(tc, native_stages_are_the_native_link, 0, WZP_COUNT_OF(same_cases));
    tcase_add_loop_test(tc, a_cut_loses_or_holds, 0, 2);
    tcase_add_loop_test(tc, is_changed, 0, WZP_COUNT_OF(change_cases));
    tcase_add_loop_test(tc, queue_marks, 0, WZP_COUNT_OF(mark_cases));
    tcase_add_test(tc, what_is_too_big_is_reported);
    tcase_add_test(tc, copies_and_bit_errors);
    tcase_add_loop_test(tc, tcp_shares_the_queue, 0, WZP_COUNT_OF(tcp_cases));
    return wzp_run_suite("wire", tc);
}
