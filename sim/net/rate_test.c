/* SIM-011: a rate is exact to one packet per second; bursts, opportunities and steps. */
#include "sim/net/rate.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

#define MBIT UINT64_C(1000000)

/* So many packets at once, and room for all of them. */
static void flood(bench *b, const wzp_sim_rate_cfg *rate, size_t count, uint32_t bytes) {
    bench_open(
        b, &(wzp_sim_link_cfg){.rate = *rate, .queue = {.limit_packets = (uint32_t)count + 1}}, 1);
    for (size_t i = 0; i < count; i++) {
        bench_send(b, 0, bytes);
    }
}

/* Arrivals before `until`. */
static uint64_t arrived(const bench *b, wzp_time until) {
    uint64_t count = 0;
    while (count < b->count && b->arrivals[count].at < until) {
        count++;
    }
    return count;
}

static const struct speed_case {
    const char *name;
    wzp_sim_rate_cfg rate;
    uint32_t bytes;
} speed_cases[] = {
    {"24 kbit/s", {.bits_per_s = 24000}, 120},
    {"64 kbit/s", {.bits_per_s = 64000}, 120},
    {"a rate that divides nothing", {.bits_per_s = 999983}, 1237},
    {"10 Mbit/s", {.bits_per_s = 10 * MBIT}, 1200},
    {"97 Mbit/s of small ones", {.bits_per_s = 97 * MBIT + 1}, 613},
    {"overhead counts", {.bits_per_s = MBIT, .overhead = 38}, 200},
    {"bucket", {.bits_per_s = 999983, .burst = 4000}, 1237},
    {"bucket smaller than a packet", {.bits_per_s = 999983, .burst = 500}, 1237},
};

START_TEST(rates_are_exact) {
    const struct speed_case *c = &speed_cases[_i];
    const uint64_t unit = (c->bytes + c->rate.overhead) * UINT64_C(8);
    const uint64_t seconds = c->rate.bits_per_s > 50 * MBIT ? 1 : 10;
    bench b;
    flood(&b, &c->rate, (size_t)(seconds * c->rate.bits_per_s / unit) + 10, c->bytes);
    bench_run(&b, 20 * WZP_S);
    for (uint64_t s = 1; s <= seconds; s++) {
        const uint64_t want = (s * c->rate.bits_per_s + c->rate.burst * UINT64_C(8)) / unit;
        const uint64_t got = arrived(&b, s * WZP_S + 1);
        ck_assert_msg(got + 1 >= want && got <= want + 1, "%s: %u in %u s, want %u", c->name,
                      (unsigned)got, (unsigned)s, (unsigned)want);
    }
    bench_close(&b);
}
END_TEST

/* 52.78 ns each: what is rounded off must not add up. */
START_TEST(rates_do_not_drift) {
    wzp_sim_rate rate;
    wzp_sim_rate_init(&rate, 0);
    wzp_sim_rate_set(&rate, &(wzp_sim_rate_cfg){.bits_per_s = 9700 * MBIT});
    wzp_time end = 0;
    for (size_t i = 0; i < 970000; i++) {
        end = wzp_sim_rate_send(&rate, wzp_sim_rate_ready(&rate, end, 64), 64);
    }
    ck_assert_uint_eq(end, 51200 * WZP_US);
}
END_TEST

START_TEST(a_bucket_lets_a_burst_through_and_no_more) {
    bench b;
    flood(&b, &(wzp_sim_rate_cfg){.bits_per_s = 80000, .burst = 5000}, 10, 1000);
    bench_run(&b, WZP_S);
    for (size_t i = 0; i < 10; i++) { /* 100 ms each once it is empty */
        ck_assert_uint_eq(b.arrivals[i].at, i < 5 ? 0 : (i - 4) * 100 * WZP_MS);
    }
    bench_send(&b, 1300 * WZP_MS, 1000); /* filled again by 3000 - 2000 bytes */
    for (size_t i = 0; i < 7; i++) {
        bench_send(&b, 10 * WZP_S, 1000);
    }
    bench_run(&b, 20 * WZP_S);
    ck_assert_uint_eq(b.arrivals[10].at, 1300 * WZP_MS);
    ck_assert_uint_eq(b.arrivals[15].at, 10 * WZP_S);
    ck_assert_uint_eq(b.arrivals[16].at, 10100 * WZP_MS);
    bench_close(&b);
}
END_TEST

/* --- opportunities ---------------------------------------------------------------------------- */

static const uint32_t some_ms[] = {1, 1, 4, 5, 5, 5, 9, 20};

static const struct opportunity_case {
    const char *name;
    size_t count;
    uint32_t bytes;
    wzp_time at;      /* sent */
    uint64_t want[9]; /* ms */
} opportunity_cases[] = {
    {"one each", 9, 1504, 0, {1, 1, 4, 5, 5, 5, 9, 20, 21}},
    {"two in each", 9, 752, 0, {1, 1, 1, 1, 4, 4, 5, 5, 5}},
    {"what is left over is used", 9, 1000, 0, {1, 1, 1, 4, 5, 5, 5, 5, 5}},
    {"three for one", 4, 4512, 0, {4, 5, 21, 25}},
    {"those that passed are lost", 3, 1504, 6 * WZP_MS, {9, 20, 21}},
    {"one that is now is not", 3, 1504, 5 * WZP_MS, {5, 5, 5}},
    {"the last of a period", 3, 1504, 20 * WZP_MS, {20, 21, 21}},
    {"many periods later", 3, 1504, 2000 * WZP_MS + 1, {2001, 2001, 2004}},
};

START_TEST(opportunities) {
    const struct opportunity_case *c = &opportunity_cases[_i];
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){
                   .rate = {.opportunities = some_ms, .opportunity_count = WZP_COUNT_OF(some_ms)}},
               1);
    for (size_t i = 0; i < c->count; i++) {
        bench_send(&b, c->at, c->bytes);
    }
    bench_run(&b, 10 * WZP_S);
    ck_assert_uint_eq(b.count, c->count);
    for (size_t i = 0; i < c->count; i++) {
        ck_assert_msg(b.arrivals[i].at == c->want[i] * WZP_MS, "%s: packet %zu at %u ns", c->name,
                      i, (unsigned)b.arrivals[i].at);
    }
    bench_close(&b);
}
END_TEST

/* Mahimahi's own way: every opportunity in turn, byte by byte. */
typedef struct twin {
    uint32_t waiting[2000];
    size_t head, count;
    uint32_t rest; /* of the packet that is under way */
    wzp_time left[2000];
    size_t gone;
} twin;

static void twin_opportunity(twin *t, wzp_time at) {
    for (uint32_t bytes = 1504; bytes > 0; bytes--) {
        if (t->rest == 0) {
            if (t->head == t->count) {
                return;
            }
            t->rest = t->waiting[t->head++];
        }
        if (--t->rest == 0) {
            t->left[t->gone++] = at;
        }
    }
}

START_TEST(opportunities_like_a_slow_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "opportunities");
    uint32_t trace[40];
    uint32_t at_ms = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(trace); i++) {
        at_ms += (uint32_t)wzp_chance_between(&prng, 0, 4);
        trace[i] = at_ms + 1;
    }
    const uint32_t period = trace[WZP_COUNT_OF(trace) - 1];
    static twin t;
    t = (twin){0};
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){
                   .rate = {.opportunities = trace, .opportunity_count = WZP_COUNT_OF(trace)},
                   .queue = {.limit_packets = 2000}},
               1);
    for (uint32_t ms = 0; ms < 3000; ms++) {
        for (size_t i = 0; i < WZP_COUNT_OF(trace); i++) {
            if (ms > 0 && (trace[i] % period) == ms % period) {
                twin_opportunity(&t, ms * WZP_MS);
            }
        }
        for (uint64_t n = wzp_chance_between(&prng, 0, 5); n > 4 && t.count < 2000; n--) {
            const uint32_t bytes = (uint32_t)wzp_chance_between(&prng, 40, 4000);
            t.waiting[t.count++] = bytes;
            bench_send(&b, ms * WZP_MS + 1, bytes); /* never at an opportunity */
        }
    }
    bench_run(&b, 3000 * WZP_MS - 1);
    ck_assert_uint_gt(t.gone, 100);
    ck_assert_uint_eq(b.count, t.gone);
    for (size_t i = 0; i < t.gone; i++) {
        ck_assert_uint_eq(b.arrivals[i].at, t.left[i]);
    }
    bench_close(&b);
}
END_TEST

/* --- steps ------------------------------------------------------------------------------------ */

static const wzp_sim_rate_step stairs[] = {
    {0, 80000}, {100 * WZP_MS, 0}, {300 * WZP_MS, 800000}, {500 * WZP_MS, 0}};

START_TEST(steps) {
    bench b;
    flood(&b, &(wzp_sim_rate_cfg){.steps = stairs, .step_count = 4}, 24, 1000);
    bench_run(&b, 2 * WZP_S);
    ck_assert_uint_eq(b.count, 24);
    /* 1 in the first 100 ms, 20 while it is fast, 1 in the first 100 ms of the next period. */
    ck_assert_uint_eq(b.arrivals[0].at, 300 * WZP_MS); /* out when the pause ends, to the byte */
    ck_assert_uint_eq(b.arrivals[1].at, 310 * WZP_MS);
    ck_assert_uint_eq(b.arrivals[20].at, 500 * WZP_MS);
    ck_assert_uint_eq(b.arrivals[21].at, 800 * WZP_MS);
    ck_assert_uint_eq(b.arrivals[22].at, 810 * WZP_MS);
    bench_close(&b);
}
END_TEST

START_TEST(a_packet_may_span_steps) {
    bench b;
    flood(&b, &(wzp_sim_rate_cfg){.steps = stairs, .step_count = 4}, 1, 1500);
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.arrivals[0].at, 305 * WZP_MS); /* 500 bytes of it at the fast rate */
    bench_close(&b);
}
END_TEST

static const struct mean_case {
    const char *name;
    wzp_sim_rate_cfg rate;
    uint64_t bytes; /* in 100 ms */
} mean_cases[] = {
    {"line", {.bits_per_s = 8 * MBIT}, 100000},
    {"opportunities", {.opportunities = some_ms, .opportunity_count = 8}, 60160},
    {"steps", {.steps = stairs, .step_count = 4}, 4200},
};

START_TEST(the_mean_rate_sets_the_queue) {
    const struct mean_case *c = &mean_cases[_i];
    ck_assert_uint_eq(wzp_sim_rate_bytes(&c->rate, 100 * WZP_MS), c->bytes);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("rate");
    tcase_add_loop_test(tc, rates_are_exact, 0, WZP_COUNT_OF(speed_cases));
    tcase_add_test(tc, rates_do_not_drift);
    tcase_add_test(tc, a_bucket_lets_a_burst_through_and_no_more);
    tcase_add_loop_test(tc, opportunities, 0, WZP_COUNT_OF(opportunity_cases));
    tcase_add_loop_test(tc, opportunities_like_a_slow_twin, 0, 10);
    tcase_add_test(tc, steps);
    tcase_add_test(tc, a_packet_may_span_steps);
    tcase_add_loop_test(tc, the_mean_rate_sets_the_queue, 0, WZP_COUNT_OF(mean_cases));
    return wzp_run_suite("rate", tc);
}
