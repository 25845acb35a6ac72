/* SIM-011: what the active queues do to a greedy flow and for a small one beside it. */
#include "sim/net/queue.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

#define MBIT UINT64_C(1000000)
#define RATE (10 * MBIT)
#define CALL_GAP (20 * WZP_MS) /* 50 packets per second */
#define CALL_BYTES 200
#define SECONDS 30

/* How long the packets of a small flow waited, from the first second on. */
typedef struct waits {
    double mean_ms, most_ms;
    double standing_ms;    /* mean of the shortest in each 100 ms */
    double utilisation;    /* of the link, by the others */
    uint64_t lost, marked; /* from the tenth second on, when all have settled */
} waits;

static waits look(const bench *b, const wzp_sim_counts *before, uint64_t gap) {
    waits w = {0};
    const uint64_t own = CALL_BYTES * UINT64_C(8) * WZP_S / RATE;
    const uint64_t per_window = 100 * WZP_MS / gap;
    double shortest = 1e9;
    size_t count = 0;
    size_t windows = 0;
    for (size_t i = 0; i < b->count; i++) {
        const arrival *a = &b->arrivals[i];
        if (a->sent < WZP_S) {
            continue;
        }
        const double wait = (double)(a->at - a->sent - own) / 1e6;
        w.mean_ms += wait;
        w.most_ms = wait > w.most_ms ? wait : w.most_ms;
        shortest = wait < shortest ? wait : shortest;
        if (++count % per_window == 0) {
            w.standing_ms += shortest;
            shortest = 1e9;
            windows++;
        }
    }
    w.mean_ms /= (double)count;
    w.standing_ms /= (double)windows;
    const wzp_sim_counts counts = bench_counts(b);
    wzp_sim_counts others;
    wzp_sim_link_cross_count(b->link, &others);
    w.lost = counts.dropped[WZP_SIM_DROP_QUEUE] - before->dropped[WZP_SIM_DROP_QUEUE];
    w.marked = counts.marked - before->marked;
    w.utilisation = (double)others.bytes_out * 8 / (double)RATE / SECONDS;
    return w;
}

static waits call_beside(wzp_sim_cross_kind kind, uint32_t flows, const wzp_sim_queue_cfg *queue,
                         uint8_t tos, uint64_t gap) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = RATE},
                                   .queue = *queue,
                                   .cross = {{.kind = kind, .flows = flows}}},
               1);
    wzp_sim_counts before = {0};
    for (uint64_t at = 0; at < SECONDS * WZP_S; at += gap) {
        bench_send_as(&b, at, CALL_BYTES, tos, 4000);
        if (at <= 10 * WZP_S) {
            before = bench_counts(&b);
        }
    }
    const waits w = look(&b, &before, gap);
    bench_close(&b);
    return w;
}

static const struct greedy_case {
    const char *name;
    wzp_sim_cross_kind kind;
    uint32_t flows;
    wzp_sim_queue_cfg queue;
    double mean_from, mean_to, standing_to, most_to; /* ms */
    double utilisation;
} greedy_cases[] = {
    {"droptail, reno", WZP_SIM_CROSS_RENO, 1, {.limit_ns = 200 * WZP_MS}, 80, 200, 200, 205, .95},
    {"droptail, cubic",
     WZP_SIM_CROSS_CUBIC,
     1,
     {.limit_ns = 200 * WZP_MS},
     120,
     200,
     200,
     205,
     .95},
    {"codel, reno", WZP_SIM_CROSS_RENO, 1, {.kind = WZP_SIM_QUEUE_CODEL}, 1, 10, 6, 40, .85},
    {"codel, cubic", WZP_SIM_CROSS_CUBIC, 1, {.kind = WZP_SIM_QUEUE_CODEL}, 2, 10, 6, 60, .9},
    {"codel, four of them",
     WZP_SIM_CROSS_CUBIC,
     4,
     {.kind = WZP_SIM_QUEUE_CODEL},
     3,
     15,
     9,
     80,
     .9},
    {"fq-codel, reno", WZP_SIM_CROSS_RENO, 1, {.kind = WZP_SIM_QUEUE_FQ_CODEL}, 0, 2, 2, 10, .85},
    {"fq-codel, cubic", WZP_SIM_CROSS_CUBIC, 1, {.kind = WZP_SIM_QUEUE_FQ_CODEL}, 0, 2, 2, 10, .9},
    {"fq-codel, eight", WZP_SIM_CROSS_CUBIC, 8, {.kind = WZP_SIM_QUEUE_FQ_CODEL}, 0, 1, 1, 4, .9},
    {"pie, reno", WZP_SIM_CROSS_RENO, 1, {.kind = WZP_SIM_QUEUE_PIE}, 5, 25, 20, 150, .9},
    {"pie, four of them", WZP_SIM_CROSS_RENO, 4, {.kind = WZP_SIM_QUEUE_PIE}, 10, 20, 20, 100, .95},
    {"dual, reno", WZP_SIM_CROSS_RENO, 1, {.kind = WZP_SIM_QUEUE_DUAL}, 5, 25, 20, 150, .9},
    {"dual, four of them",
     WZP_SIM_CROSS_RENO,
     4,
     {.kind = WZP_SIM_QUEUE_DUAL},
     10,
     20,
     20,
     100,
     .95},
};

START_TEST(a_call_beside_greedy_flows) {
    const struct greedy_case *c = &greedy_cases[_i];
    const waits w = call_beside(c->kind, c->flows, &c->queue, 0, CALL_GAP);
    ck_assert_msg(w.mean_ms >= c->mean_from && w.mean_ms <= c->mean_to &&
                      w.standing_ms <= c->standing_to && w.most_ms <= c->most_to &&
                      w.utilisation >= c->utilisation && w.utilisation <= 1,
                  "%s: mean %.1f, standing %.1f, most %.1f ms, use %.3f", c->name, w.mean_ms,
                  w.standing_ms, w.most_ms, w.utilisation);
}
END_TEST

/* --- marks ------------------------------------------------------------------------------------ */

static const struct ecn_case {
    const char *name;
    wzp_sim_queue_kind kind;
    bool ecn;
    uint8_t tos;
    bool marked, lost;
} ecn_cases[] = {
    {"codel marks", WZP_SIM_QUEUE_CODEL, true, 2, true, false},
    {"codel, unable sender", WZP_SIM_QUEUE_CODEL, true, 0, false, true},
    {"codel, not asked to", WZP_SIM_QUEUE_CODEL, false, 2, false, true},
    {"fq-codel marks", WZP_SIM_QUEUE_FQ_CODEL, true, 2, true, false},
    {"fq-codel, unable sender", WZP_SIM_QUEUE_FQ_CODEL, true, 0, false, true},
    {"pie marks", WZP_SIM_QUEUE_PIE, true, 2, true, false},
    {"pie, unable sender", WZP_SIM_QUEUE_PIE, true, 0, false, true},
    {"dual marks", WZP_SIM_QUEUE_DUAL, true, 2, true, false},
    {"dual, unable sender", WZP_SIM_QUEUE_DUAL, true, 0, false, true},
    {"dual, low latency is always marked", WZP_SIM_QUEUE_DUAL, false, 1, true, false},
};

START_TEST(marks_instead_of_drops) {
    const struct ecn_case *c = &ecn_cases[_i];
    /* Half the link is the own flow, so that it has its share of what is dropped. */
    const wzp_sim_queue_cfg queue = {.kind = c->kind, .ecn = c->ecn, .limit_packets = 100000};
    const uint64_t gap = c->kind == WZP_SIM_QUEUE_FQ_CODEL ? 300 * WZP_US : WZP_MS;
    const waits w = call_beside(WZP_SIM_CROSS_CUBIC, 2, &queue, c->tos, gap);
    ck_assert_msg((w.marked > 0) == c->marked && (w.lost > 0) == c->lost, "%s: %u marked, %u lost",
                  c->name, (unsigned)w.marked, (unsigned)w.lost);
}
END_TEST

/* --- low latency ------------------------------------------------------------------------------ */

START_TEST(low_latency_does_not_wait_for_the_classic_queue) {
    const wzp_sim_queue_cfg queue = {.kind = WZP_SIM_QUEUE_DUAL};
    const waits fast = call_beside(WZP_SIM_CROSS_CUBIC, 2, &queue, 1, CALL_GAP);
    const waits classic = call_beside(WZP_SIM_CROSS_CUBIC, 2, &queue, 0, CALL_GAP);
    ck_assert_double_le(fast.most_ms, 1.3); /* one packet of the others is being sent */
    ck_assert_uint_eq(fast.lost, 0);
    ck_assert_double_ge(classic.mean_ms, 8);
}
END_TEST

START_TEST(low_latency_does_not_starve_the_classic_queue) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = RATE},
                                   .queue = {.kind = WZP_SIM_QUEUE_DUAL, .limit_packets = 100000}},
               1);
    for (uint64_t at = 0; at < 3 * WZP_S; at += WZP_MS) { /* twice what the link can carry */
        bench_send_as(&b, at, 1000, 1, 4000);
        bench_send_as(&b, at, 1000, 1, 4000);
        if (at % (20 * WZP_MS) == 0) {
            bench_send_as(&b, at, CALL_BYTES, 0, 4001);
        }
    }
    bench_run(&b, 3 * WZP_S);
    unsigned classic = 0;
    for (size_t i = 0; i < b.count; i++) {
        classic += b.arrivals[i].bytes == CALL_BYTES ? 1 : 0;
    }
    ck_assert_uint_ge(classic, 140);                  /* of 150 */
    ck_assert_uint_ge(bench_counts(&b).marked, 2500); /* late ones, though no classic queue asks */
    bench_close(&b);
}
END_TEST

/* Of four that come together, 0.8 ms apart when they leave, the third has waited for more than the
 * step of 1 ms and has one behind it; the fourth has nobody to wait. */
START_TEST(low_latency_is_marked_from_a_millisecond_on) {
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){.rate = {.bits_per_s = RATE}, .queue = {.kind = WZP_SIM_QUEUE_DUAL}},
        1);
    for (uint64_t at = 0; at < WZP_S; at += 10 * WZP_MS) {
        for (unsigned i = 0; i < 4; i++) {
            bench_send_as(&b, at, 1000, 1, 4000);
        }
    }
    bench_run(&b, 2 * WZP_S);
    ck_assert_uint_eq(bench_counts(&b).marked, 100);
    for (size_t i = 0; i < b.count; i++) {
        bench_expect((b.arrivals[i].tos == 3) == (i % 4 == 2));
    }
    bench_close(&b);
}
END_TEST

/* --- fairness --------------------------------------------------------------------------------- */

START_TEST(flows_share_by_bytes) {
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){
            .rate = {.bits_per_s = RATE},
            .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL, .target = WZP_S, .limit_packets = 500}},
        1);
    for (uint64_t at = 0; at < 5 * WZP_S; at += WZP_MS) { /* 8, 12 and 1.6 Mbit/s */
        bench_send_as(&b, at, 1000, 0, 4000);
        bench_send_as(&b, at, 1500, 0, 4001);
        bench_send_as(&b, at, CALL_BYTES, 0, 4002);
    }
    uint64_t bytes[3] = {0};
    for (size_t i = 0; i < b.count; i++) {
        const uint32_t len = b.arrivals[i].bytes;
        bytes[len == 1000 ? 0 : len == 1500 ? 1 : 2] += len;
    }
    ck_assert_uint_ge(bytes[2] * 8 / 5, MBIT * 159 / 100); /* the small one has all it wants */
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_ge(bytes[i] * 8 / 5, MBIT * 405 / 100);
        ck_assert_uint_le(bytes[i] * 8 / 5, MBIT * 435 / 100);
    }
    bench_close(&b);
}
END_TEST

/* RFC 8290, 4: flows that meet in one of 1024 buckets share a turn.  With so many flows none is
 * empty (1 in 8000 that one were), and each packet is more than a quantum: one after the other is
 * served once, in the order of its first packet, and then the first again, whose second packet came
 * long before the last bucket's first. */
START_TEST(flows_meet_in_1024_buckets) {
    enum { FLOWS = 16384, MORE_THAN_A_QUANTUM = 1600 };
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){
            .rate = {.bits_per_s = 1000 * MBIT},
            .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL, .target = WZP_S, .limit_packets = FLOWS}},
        (uint64_t)_i);
    for (unsigned i = 0; i < FLOWS; i++) {
        bench_send_as(&b, 0, MORE_THAN_A_QUANTUM, 0, (uint16_t)(4000 + i));
    }
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.count, FLOWS);
    size_t served = 1;
    while (served < b.count && b.arrivals[served].seq > b.arrivals[served - 1].seq) {
        served++;
    }
    ck_assert_uint_eq(served, 1024);
    bench_close(&b);
}
END_TEST

/* What they make up for after a silence is what a timer would have done, and takes no time. */
START_TEST(controllers_forget_in_silence) {
    static const wzp_sim_queue_kind kinds[] = {WZP_SIM_QUEUE_PIE, WZP_SIM_QUEUE_DUAL};
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.rate = {.bits_per_s = RATE}, .queue = {.kind = kinds[_i]}},
               1);
    for (uint64_t at = 0; at < 5 * WZP_S; at += WZP_MS / 2) { /* 16 Mbit/s */
        bench_send(&b, at, 1000);
    }
    bench_run(&b, 10 * WZP_S);
    ck_assert_uint_gt(bench_counts(&b).dropped[WZP_SIM_DROP_QUEUE], 1000);
    const uint64_t quiet[] = {60 * WZP_S, 1000 * WZP_S, 100000 * WZP_S};
    for (size_t k = 0; k < WZP_COUNT_OF(quiet); k++) {
        const uint64_t before = bench_counts(&b).dropped[WZP_SIM_DROP_QUEUE];
        for (size_t i = 0; i < 20; i++) {
            bench_send(&b, quiet[k], 1000);
        }
        bench_run(&b, quiet[k] + WZP_S);
        ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_QUEUE], before);
    }
    bench_close(&b);
}
END_TEST

/* RFC 8290: who begins goes first, for a quantum of 1514 bytes, and then takes turns. */
START_TEST(a_new_flow_has_a_quantum) {
    enum { SMALL = 252 }; /* six of them fit, and the seventh begins within it */
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = RATE},
                                   .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL, .target = WZP_S}},
               1);
    for (unsigned i = 0; i < 40; i++) {
        bench_send_as(&b, 0, 1500, 0, 4000);
    }
    for (unsigned i = 0; i < 20; i++) {
        bench_send_as(&b, 10 * WZP_MS, SMALL, 0, 5000);
    }
    bench_run(&b, WZP_S);
    size_t first = 0;
    while (first < b.count && b.arrivals[first].bytes != SMALL) {
        first++;
    }
    ck_assert_uint_le(b.arrivals[first].at, 10 * WZP_MS + 2 * UINT64_C(12000) * WZP_S / RATE);
    for (size_t i = first; i < first + 7; i++) {
        ck_assert_uint_eq(b.arrivals[i].bytes, SMALL);
    }
    ck_assert_uint_eq(b.arrivals[first + 13].bytes, 1500); /* its second turn is over too */
    bench_close(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("aqm");
    tcase_add_loop_test(tc, a_call_beside_greedy_flows, 0, WZP_COUNT_OF(greedy_cases));
    tcase_add_loop_test(tc, marks_instead_of_drops, 0, WZP_COUNT_OF(ecn_cases));
    tcase_add_test(tc, low_latency_does_not_wait_for_the_classic_queue);
    tcase_add_test(tc, low_latency_does_not_starve_the_classic_queue);
    tcase_add_test(tc, flows_share_by_bytes);
    tcase_add_loop_test(tc, flows_meet_in_1024_buckets, 1, 4);
    tcase_add_loop_test(tc, controllers_forget_in_silence, 0, 2);
    tcase_add_test(tc, low_latency_is_marked_from_a_millisecond_on);
    tcase_add_test(tc, a_new_flow_has_a_quantum);
    return wzp_run_suite("aqm", tc);
}
