/* Other people's traffic: rates, times, and TCP models that feel the queue they fill. */
#include "sim/net/cross.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

#define MBIT UINT64_C(1000000)

static wzp_sim_counts others(const bench *b) {
    wzp_sim_counts counts;
    wzp_sim_link_cross_count(b->link, &counts);
    return counts;
}

/* --- fixed rates ------------------------------------------------------------------------------ */

static const struct rate_case {
    const char *name;
    wzp_sim_cross_cfg cross;
    uint64_t want, slack; /* packets in the first 40 s */
} rate_cases[] = {
    {"cbr", {.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 1900000}, 6333, 1},
    {"cbr that divides nothing",
     {.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 999983, .packet = 1237},
     4042,
     1},
    {"small packets", {.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 80000, .packet = 200}, 2000, 1},
    {"from and until",
     {.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 1200000, .from = 10 * WZP_S, .until = 15 * WZP_S},
     500,
     1},
    {"poisson", {.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = 1200000}, 4000, 190}, /* 3 sigma */
    {"video", {.kind = WZP_SIM_CROSS_VIDEO, .bits_per_s = 1200000}, 4000, 10},
};

START_TEST(rates) {
    const struct rate_case *c = &rate_cases[_i];
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.rate = {.bits_per_s = 10 * MBIT}, .cross = {{0}, c->cross}},
               1);
    bench_run(&b, 40 * WZP_S - 1);
    const wzp_sim_counts counts = others(&b);
    const uint64_t low = c->want - c->slack;
    ck_assert_msg(counts.in >= low && counts.in <= c->want + c->slack, "%s: %u packets", c->name,
                  (unsigned)counts.in);
    bench_run(&b, 40 * WZP_S + WZP_S / 2);
    ck_assert_uint_eq(bench_counts(&b).in, 0); /* they are not the users' */
    bench_close(&b);
}
END_TEST

START_TEST(video_is_silent_half_of_the_time) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){
                   .rate = {.bits_per_s = 10 * MBIT},
                   .cross = {{.kind = WZP_SIM_CROSS_VIDEO, .bits_per_s = MBIT, .from = WZP_S}}},
               1);
    uint64_t before = 0;
    for (uint64_t s = 1; s < 30; s++) {
        bench_run(&b, s * WZP_S);
        const uint64_t got = others(&b).in - before; /* in the second before `s` */
        before += got;
        const bool on = s >= 2 && (s - 2) % 4 < 2;
        ck_assert_msg(on ? got >= 165 && got <= 168 : got <= 1, "second %u: %u packets",
                      (unsigned)s, (unsigned)got);
    }
    bench_close(&b);
}
END_TEST

/* Arrivals of a Poisson process: the variance of counts is their mean. */
START_TEST(poisson_is_as_random_as_it_should_be) {
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){.rate = {.bits_per_s = 100 * MBIT},
                            .cross = {{.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = 12 * MBIT}}},
        1);
    uint64_t before = 0;
    double sum = 0;
    double square = 0;
    enum { WINDOWS = 4000 }; /* of 10 ms with 10 packets on average */
    for (uint64_t i = 1; i <= WINDOWS; i++) {
        bench_run(&b, i * 10 * WZP_MS);
        const double got = (double)(others(&b).in - before);
        before = others(&b).in;
        sum += got;
        square += got * got;
    }
    const double mean = sum / WINDOWS;
    ck_assert_double_eq_tol(mean, 10, 0.15);
    ck_assert_double_eq_tol((square / WINDOWS - mean * mean) / mean, 1, 0.07);
    bench_close(&b);
}
END_TEST

/* L22: 1.9 Mbit/s beside a call on 2 Mbit/s: full, but the call comes through. */
START_TEST(cross_traffic_takes_its_place_in_the_queue) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){
                   .rate = {.bits_per_s = 2 * MBIT},
                   .queue = {.limit_ns = 100 * WZP_MS},
                   .cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 2 * MBIT, .from = WZP_S}}},
               1);
    for (uint64_t i = 0; i < 500; i++) {
        bench_send(&b, i * 20 * WZP_MS, 200);
    }
    bench_run(&b, 20 * WZP_S);
    for (size_t i = 0; i < b.count; i++) {
        const uint64_t wait = b.arrivals[i].at - b.arrivals[i].sent;
        if (b.arrivals[i].sent < WZP_S) {
            ck_assert_uint_eq(wait, 800 * WZP_US);
        } else if (b.arrivals[i].sent > 8 * WZP_S) {
            ck_assert_uint_ge(wait, 80 * WZP_MS);
            ck_assert_uint_le(wait, 110 * WZP_MS);
        }
    }
    ck_assert_uint_gt(others(&b).dropped[WZP_SIM_DROP_QUEUE], 20);
    bench_close(&b);
}
END_TEST

/* --- TCP models ------------------------------------------------------------------------------- */

static const struct tcp_case {
    const char *name;
    wzp_sim_cross_kind kind;
    uint64_t bits_per_s, rtt, queue_ns;
    double least, most; /* share of the link that one flow gets in 30 s */
} tcp_cases[] = {
    {"reno, a queue of its own length", WZP_SIM_CROSS_RENO, 10 * MBIT, 40 * WZP_MS, 40 * WZP_MS,
     .96, 1},
    {"reno, next to no queue", WZP_SIM_CROSS_RENO, 10 * MBIT, 100 * WZP_MS, 5 * WZP_MS, .7, .9},
    {"cubic, next to no queue", WZP_SIM_CROSS_CUBIC, 10 * MBIT, 100 * WZP_MS, 5 * WZP_MS, .75, .97},
    {"reno, long and fat", WZP_SIM_CROSS_RENO, 100 * MBIT, 200 * WZP_MS, 20 * WZP_MS, .2, .8},
    {"cubic, long and fat", WZP_SIM_CROSS_CUBIC, 100 * MBIT, 200 * WZP_MS, 20 * WZP_MS, .5, 1},
    {"bloat L19", WZP_SIM_CROSS_CUBIC, MBIT, 40 * WZP_MS, 1000 * WZP_MS, .96, 1},
};

START_TEST(one_flow_uses_the_link) {
    const struct tcp_case *c = &tcp_cases[_i];
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = c->bits_per_s},
                                   .queue = {.limit_ns = c->queue_ns},
                                   .cross = {{.kind = c->kind, .flows = 1, .rtt = c->rtt}}},
               1);
    bench_run(&b, 30 * WZP_S);
    const wzp_sim_counts counts = others(&b);
    const double share = (double)counts.bytes_out * 8 / 30 / (double)c->bits_per_s;
    ck_assert_msg(share >= c->least && share <= c->most + 0.001, "%s: %.3f", c->name, share);
    ck_assert_uint_gt(counts.dropped[WZP_SIM_DROP_QUEUE], 0);
    ck_assert_uint_lt(counts.dropped[WZP_SIM_DROP_QUEUE], counts.in / 20);
    bench_close(&b);
}
END_TEST

START_TEST(two_flows_fill_the_link_as_one_does) {
    const wzp_sim_cross_kind kind = _i == 0 ? WZP_SIM_CROSS_RENO : WZP_SIM_CROSS_CUBIC;
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = 10 * MBIT},
                                   .queue = {.limit_ns = 50 * WZP_MS},
                                   .cross = {{.kind = kind, .flows = 1},
                                             {.kind = kind, .flows = 1, .from = 5 * WZP_S}}},
               1);
    bench_run(&b, 15 * WZP_S);
    const uint64_t both_before = others(&b).bytes_out;
    bench_run(&b, 75 * WZP_S);
    const uint64_t both = others(&b).bytes_out - both_before;
    ck_assert_uint_ge(both * 8 / 60, 9500000);
    bench_close(&b);
}
END_TEST

/* Twice: all is lost for 3 s, then it goes on. */
START_TEST(flows_recover_from_an_outage) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = 10 * MBIT},
                                   .queue = {.limit_ns = 50 * WZP_MS},
                                   .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 3}}},
               1);
    for (uint64_t round = 1; round <= 2; round++) {
        bench_run(&b, round * 20 * WZP_S);
        wzp_sim_link_cut(b.link, true, false);
        bench_run(&b, round * 20 * WZP_S + WZP_S);
        const uint64_t sent = others(&b).in;
        bench_run(&b, round * 20 * WZP_S + 3 * WZP_S);
        ck_assert_uint_le(others(&b).in - sent, 12); /* timeouts, further and further apart */
        wzp_sim_link_cut(b.link, false, false);
        bench_run(&b, round * 20 * WZP_S + 9 * WZP_S);
        const uint64_t before = others(&b).bytes_out;
        bench_run(&b, round * 20 * WZP_S + 14 * WZP_S);
        ck_assert_uint_ge((others(&b).bytes_out - before) * 8 / 5, 9 * MBIT);
    }
    ck_assert_uint_gt(others(&b).dropped[WZP_SIM_DROP_OUTAGE], 30);
    bench_close(&b);
}
END_TEST

START_TEST(flows_begin_and_end_in_time) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.rate = {.bits_per_s = 10 * MBIT},
                                   .cross = {{.kind = WZP_SIM_CROSS_RENO,
                                              .flows = 4,
                                              .from = 2 * WZP_S,
                                              .until = 5 * WZP_S}}},
               1);
    bench_run(&b, 2 * WZP_S - 1);
    ck_assert_uint_eq(others(&b).in, 0);
    bench_run(&b, 2 * WZP_S);
    ck_assert_uint_eq(others(&b).in, 10); /* the others begin a little later */
    bench_run(&b, 5 * WZP_S);
    const uint64_t sent = others(&b).in;
    ck_assert_uint_gt(sent, 1000);
    bench_run(&b, 20 * WZP_S);
    ck_assert_uint_eq(others(&b).in, sent);
    bench_close(&b);
}
END_TEST

/* 33 ns each: what is rounded off must not add up. */
START_TEST(rates_do_not_drift) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){
                   .rate = {.bits_per_s = 100000 * MBIT},
                   .cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 9700 * MBIT, .packet = 40}}},
               1);
    bench_run(&b, 10 * WZP_MS);
    ck_assert_uint_ge(others(&b).in, 303125);
    ck_assert_uint_le(others(&b).in, 303126);
    bench_close(&b);
}
END_TEST

START_TEST(the_same_traffic_goes_on_when_something_else_changes) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = 10 * MBIT},
                            .cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 1200000}}};
    bench b;
    bench_open(&b, &cfg, 1);
    for (uint64_t i = 1; i <= 400; i++) {
        bench_run(&b, i * 3 * WZP_MS);
        cfg.delay.base = i;
        wzp_sim_link_set(b.link, &cfg);
    }
    ck_assert_uint_ge(others(&b).in, 120);
    ck_assert_uint_le(others(&b).in, 121);
    bench_close(&b);
}
END_TEST

START_TEST(traffic_that_is_taken_away_ends) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = 10 * MBIT},
                            .cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = MBIT},
                                      {.kind = WZP_SIM_CROSS_RENO, .flows = 2}}};
    bench b;
    bench_open(&b, &cfg, 1);
    bench_run(&b, WZP_S);
    memset(cfg.cross, 0, sizeof cfg.cross);
    wzp_sim_link_set(b.link, &cfg);
    const wzp_sim_counts then = others(&b);
    bench_run(&b, 10 * WZP_S);
    ck_assert_uint_eq(others(&b).in, then.in);
    ck_assert_uint_gt(others(&b).out, then.out); /* what waited has left */
    bench_close(&b);
}
END_TEST

/* Changed in the middle, with their packets in the queue and acknowledgements under way. */
START_TEST(flows_may_be_replaced_at_any_time) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = 5 * MBIT}, .queue = {.limit_packets = 50}};
    bench b;
    bench_open(&b, &cfg, 1);
    uint64_t before = 0;
    for (uint64_t i = 0; i < 60; i++) {
        cfg.cross[i % 4] = (wzp_sim_cross_cfg){
            .kind = (wzp_sim_cross_kind)(i % 6),
            .bits_per_s = MBIT,
            .flows = (uint32_t)(1 + i % 3),
        };
        wzp_sim_link_set(b.link, &cfg);
        bench_run(&b, (i + 1) * 300 * WZP_MS);
        ck_assert(i == 0 || others(&b).in > before);
        before = others(&b).in;
    }
    const wzp_sim_counts counts = others(&b);
    ck_assert_uint_le(counts.out + counts.dropped[WZP_SIM_DROP_QUEUE], counts.in);
    bench_close(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("cross");
    tcase_add_loop_test(tc, rates, 0, WZP_COUNT_OF(rate_cases));
    tcase_add_test(tc, video_is_silent_half_of_the_time);
    tcase_add_test(tc, poisson_is_as_random_as_it_should_be);
    tcase_add_test(tc, cross_traffic_takes_its_place_in_the_queue);
    tcase_add_loop_test(tc, one_flow_uses_the_link, 0, WZP_COUNT_OF(tcp_cases));
    tcase_add_loop_test(tc, two_flows_fill_the_link_as_one_does, 0, 2);
    tcase_add_test(tc, flows_recover_from_an_outage);
    tcase_add_test(tc, flows_begin_and_end_in_time);
    tcase_add_test(tc, rates_do_not_drift);
    tcase_add_test(tc, the_same_traffic_goes_on_when_something_else_changes);
    tcase_add_test(tc, traffic_that_is_taken_away_ends);
    tcase_add_test(tc, flows_may_be_replaced_at_any_time);
    return wzp_run_suite("cross", tc);
}
