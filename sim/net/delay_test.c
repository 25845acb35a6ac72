/* SIM-010: moments of the delay laws within 2 %, order of arrival, traces. */
#include "sim/net/delay.h"

#include <check.h>
#include <math.h>

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

#define DRAWS 400000

static void open_law(wzp_sim_delay *delay, const wzp_sim_delay_cfg *cfg) {
    wzp_sim_delay_init(delay, 7, BENCH_START);
    wzp_sim_delay_set(delay, cfg);
}

/* --- what the laws should be, by numeric integration ------------------------------------------ */

typedef struct moments {
    double mean, deviation;
} moments;

/* Of f(x) for x of the density on a grid. */
static moments of_normal(double (*f)(double z, const wzp_sim_delay_cfg *cfg),
                         const wzp_sim_delay_cfg *cfg) {
    const double step = 0.0005;
    double mean = 0;
    double square = 0;
    for (int i = 0; i < 24000; i++) {
        const double z = -6 + (i + 0.5) * step;
        const double weight = exp(-z * z / 2) / sqrt(2 * M_PI) * step;
        mean += weight * f(z, cfg);
        square += weight * f(z, cfg) * f(z, cfg);
    }
    return (moments){mean, sqrt(square - mean * mean)};
}

static double cut_normal(double z, const wzp_sim_delay_cfg *cfg) {
    const double x = (double)cfg->base + (double)cfg->spread * fmin(z, 4);
    return x < 0 ? 0 : x;
}

static double lognormal(double z, const wzp_sim_delay_cfg *cfg) {
    return (double)cfg->base + (double)cfg->spread * exp(cfg->shape_milli / 1000.0 * z);
}

static moments pareto_excess(const wzp_sim_delay_cfg *cfg) {
    const double shape = cfg->shape_milli == 0 ? 3 : cfg->shape_milli / 1000.0;
    const int steps = 200000;
    double mean = 0;
    double square = 0;
    for (int i = 0; i < steps; i++) {
        const double x = fmin(pow((i + 0.5) / steps, -1 / shape) - 1, 10) * (double)cfg->spread;
        mean += x / steps;
        square += x * x / steps;
    }
    return (moments){mean, sqrt(square - mean * mean)};
}

static moments of_law(const wzp_sim_delay_cfg *cfg) {
    const double base = (double)cfg->base;
    const double spread = (double)cfg->spread;
    const bool has_tail =
        cfg->law == WZP_SIM_DELAY_PARETO || cfg->law == WZP_SIM_DELAY_PARETO_NORMAL;
    const moments tail = has_tail ? pareto_excess(cfg) : (moments){0};
    switch (cfg->law) {
    case WZP_SIM_DELAY_UNIFORM:
        return (moments){base, spread / sqrt(3)};
    case WZP_SIM_DELAY_NORMAL:
        return of_normal(cut_normal, cfg);
    case WZP_SIM_DELAY_LOGNORMAL:
        return of_normal(lognormal, cfg);
    case WZP_SIM_DELAY_PARETO:
        return (moments){base + tail.mean, tail.deviation};
    case WZP_SIM_DELAY_PARETO_NORMAL:
        return (moments){base + 0.75 * tail.mean, hypot(0.25 * spread, 0.75 * tail.deviation)};
    case WZP_SIM_DELAY_AR1:
        return (moments){base, spread};
    case WZP_SIM_DELAY_NETEM: { /* u_n = (1-rho) v + rho u_(n-1) */
        const double rho = cfg->rho_ppm / 1e6;
        return (moments){base, spread / sqrt(3) * sqrt((1 - rho) / (1 + rho))};
    }
    case WZP_SIM_DELAY_WIFI: {
        /* Poisson(1) slots of 1 ms, less a uniform part of one if there are any; and with p as many
         * of 7.5 ms by Poisson(12), less a part if there are two or more. */
        const double p = fmax(0, spread - 1e6) / 84e6;
        const double some = 1 - exp(-1);
        const double one = 1e6 * (1 - some / 2);
        const double two = 7.5e6 * (12 - 0.5 * (1 - 13 * exp(-12)));
        const double one2 = 1e12 * (2 - 1 + some / 3); /* E(N^2) - E(N) + P/3 */
        const double two2 = 7.5e6 * 7.5e6 * (156 - (12 - 12 * exp(-12)) + 1.0 / 3);
        const double mean = one + p * two;
        const double square = one2 + p * two2 + 2 * one * p * two;
        return (moments){base + mean, sqrt(square - mean * mean)};
    }
    case WZP_SIM_DELAY_FIXED:
    case WZP_SIM_DELAY_TRACE:
        break;
    }
    return (moments){base, 0};
}

static const struct law_case {
    const char *name;
    wzp_sim_delay_cfg cfg;
    double least, most; /* ms; no draw lies outside */
} law_cases[] = {
    {"fixed", {.base = 20 * WZP_MS}, 20, 20},
    {"uniform", {.law = WZP_SIM_DELAY_UNIFORM, .base = 20 * WZP_MS, .spread = 10 * WZP_MS}, 10, 30},
    {"uniform, wider than its base",
     {.law = WZP_SIM_DELAY_UNIFORM, .base = 20 * WZP_MS, .spread = 20 * WZP_MS},
     0,
     40},
    {"normal L10", {.law = WZP_SIM_DELAY_NORMAL, .base = 20 * WZP_MS, .spread = 8 * WZP_MS}, 0, 52},
    {"normal L11",
     {.law = WZP_SIM_DELAY_NORMAL, .base = 50 * WZP_MS, .spread = 20 * WZP_MS},
     0,
     130},
    {"lognormal",
     {.law = WZP_SIM_DELAY_LOGNORMAL,
      .base = 10 * WZP_MS,
      .spread = 5 * WZP_MS,
      .shape_milli = 600},
     10,
     200},
    {"pareto L12",
     {.law = WZP_SIM_DELAY_PARETO, .base = 15 * WZP_MS, .spread = 10 * WZP_MS, .shape_milli = 2500},
     15,
     115},
    {"pareto, usual shape",
     {.law = WZP_SIM_DELAY_PARETO, .base = 0, .spread = 10 * WZP_MS},
     0,
     100},
    {"pareto-normal",
     {.law = WZP_SIM_DELAY_PARETO_NORMAL, .base = 40 * WZP_MS, .spread = 10 * WZP_MS},
     20,
     130},
    {"ar1 of lte",
     {.law = WZP_SIM_DELAY_AR1, .base = 40 * WZP_MS, .spread = 6 * WZP_MS, .rho_ppm = 900000},
     1,
     80},
    {"netem",
     {.law = WZP_SIM_DELAY_NETEM, .base = 20 * WZP_MS, .spread = 10 * WZP_MS, .rho_ppm = 250000},
     10,
     30},
    {"wifi", {.law = WZP_SIM_DELAY_WIFI, .base = 4 * WZP_MS, .spread = 7 * WZP_MS}, 4, 300},
    {"calm wifi", {.law = WZP_SIM_DELAY_WIFI, .base = 4 * WZP_MS, .spread = WZP_MS}, 4, 20},
};

START_TEST(moments_are_those_of_the_law) {
    const struct law_case *c = &law_cases[_i];
    wzp_sim_delay delay;
    open_law(&delay, &c->cfg);
    double mean = 0;
    double square = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        const double x = (double)wzp_sim_delay_draw(&delay, c->cfg.base, 0);
        bench_expect(x >= c->least * 1e6 && x <= c->most * 1e6);
        mean += x / DRAWS;
        square += x * x / DRAWS;
    }
    const double deviation = sqrt(square - mean * mean);
    const moments want = of_law(&c->cfg);
    ck_assert_msg(fabs(mean - want.mean) <= 0.02 * want.mean, "%s: mean %f, want %f", c->name, mean,
                  want.mean);
    ck_assert_msg(fabs(deviation - want.deviation) <= 0.02 * want.deviation + 1,
                  "%s: deviation %f, want %f", c->name, deviation, want.deviation);
}
END_TEST

/* Correlation of neighbours. */
static const struct memory_case {
    const char *name;
    wzp_sim_delay_law law;
    uint32_t rho_ppm;
} memory_cases[] = {
    {"ar1, 0.9", WZP_SIM_DELAY_AR1, 900000}, {"ar1, 0.5", WZP_SIM_DELAY_AR1, 500000},
    {"ar1, 0", WZP_SIM_DELAY_AR1, 0},        {"netem, 0.25", WZP_SIM_DELAY_NETEM, 250000},
    {"uniform", WZP_SIM_DELAY_UNIFORM, 0},
};

START_TEST(neighbours_are_correlated) {
    const struct memory_case *c = &memory_cases[_i];
    const wzp_sim_delay_cfg cfg = {
        .law = c->law, .base = 100 * WZP_MS, .spread = 10 * WZP_MS, .rho_ppm = c->rho_ppm};
    wzp_sim_delay delay;
    open_law(&delay, &cfg);
    double sum = 0;
    double square = 0;
    double last = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        const double x = (double)wzp_sim_delay_draw(&delay, cfg.base, 0) - 100e6;
        sum += x * last;
        square += x * x;
        last = x;
    }
    ck_assert_msg(fabs(sum / square - c->rho_ppm / 1e6) < 0.02, "%s: %f", c->name, sum / square);
}
END_TEST

/* --- order ------------------------------------------------------------------------------------ */

static size_t overtakings(const bench *b) {
    size_t count = 0;
    for (size_t i = 1; i < b->count; i++) {
        count += b->arrivals[i].seq < b->arrivals[i - 1].seq ? 1 : 0;
    }
    return count;
}

START_TEST(only_reordering_reorders) {
    const struct law_case *c = &law_cases[_i];
    for (int reorder = 0; reorder < 2; reorder++) {
        wzp_sim_link_cfg cfg = {.delay = c->cfg};
        cfg.delay.reorder = reorder != 0;
        bench b;
        bench_open(&b, &cfg, 11);
        for (uint64_t i = 0; i < 5000; i++) {
            bench_send(&b, i * WZP_MS / 2, 200);
        }
        bench_run(&b, 10 * WZP_S);
        ck_assert_uint_eq(b.count, 5000);
        const bool varies = c->cfg.law != WZP_SIM_DELAY_FIXED;
        ck_assert_msg((overtakings(&b) > 0) == (reorder != 0 && varies), "%s: %zu", c->name,
                      overtakings(&b));
        bench_close(&b);
    }
}
END_TEST

START_TEST(every_fifth_skips_the_delay) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.delay = {.base = 40 * WZP_MS, .skip_every = 5}}, 1);
    for (uint64_t i = 0; i < 50; i++) {
        bench_send(&b, i * 20 * WZP_MS, 200);
    }
    bench_run(&b, 10 * WZP_S);
    for (size_t i = 0; i < b.count; i++) {
        const uint64_t took = b.arrivals[i].at - b.arrivals[i].sent;
        ck_assert_uint_eq(took, b.arrivals[i].seq % 5 == 4 ? 0 : 40 * WZP_MS);
    }
    ck_assert_uint_eq(overtakings(&b), 10);
    bench_close(&b);
}
END_TEST

START_TEST(some_skip_the_delay_by_chance) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.delay = {.base = 40 * WZP_MS, .skip_ppm = 100000}}, 1);
    for (uint64_t i = 0; i < 10000; i++) {
        bench_send(&b, i * WZP_MS, 200);
    }
    bench_run(&b, 100 * WZP_S);
    unsigned skipped = 0;
    for (size_t i = 0; i < b.count; i++) {
        skipped += b.arrivals[i].at == b.arrivals[i].sent ? 1 : 0;
    }
    ck_assert_uint_ge(skipped, 1000 - 3 * 30);
    ck_assert_uint_le(skipped, 1000 + 3 * 30);
    bench_close(&b);
}
END_TEST

/* --- traces ----------------------------------------------------------------------------------- */

static const wzp_sim_point hill[] = {
    {10 * WZP_MS, 20 * WZP_MS}, {30 * WZP_MS, 60 * WZP_MS}, {40 * WZP_MS, 10 * WZP_MS}};

static const struct trace_case {
    uint64_t at, want; /* us */
} trace_cases[] = {
    {0, 20000},     {10000, 20000}, {15000, 30000},   {20000, 40000},   {29999, 59998},
    {30000, 60000}, {31000, 55000}, {39000, 15000},   {40000, 20000}, /* the next period */
    {50000, 20000}, {55000, 30000}, {4010000, 20000}, {4025000, 50000},
};

START_TEST(traces_are_interpolated_and_repeat) {
    const struct trace_case *c = &trace_cases[_i];
    wzp_sim_delay delay;
    open_law(&delay, &(wzp_sim_delay_cfg){.law = WZP_SIM_DELAY_TRACE,
                                          .trace = hill,
                                          .trace_count = WZP_COUNT_OF(hill)});
    const uint64_t got = wzp_sim_delay_draw(&delay, 0, BENCH_START + c->at * WZP_US);
    ck_assert_msg(got / 1000 + 1 >= c->want && got / 1000 <= c->want, "at %u us: %u ns",
                  (unsigned)c->at, (unsigned)got);
}
END_TEST

START_TEST(a_trace_of_one_point_is_a_constant) {
    const wzp_sim_point one = {0, 5 * WZP_MS};
    wzp_sim_delay delay;
    open_law(&delay,
             &(wzp_sim_delay_cfg){.law = WZP_SIM_DELAY_TRACE, .trace = &one, .trace_count = 1});
    ck_assert_uint_eq(wzp_sim_delay_draw(&delay, 3 * WZP_MS, BENCH_START + WZP_S), 8 * WZP_MS);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("delay");
    tcase_add_loop_test(tc, moments_are_those_of_the_law, 0, WZP_COUNT_OF(law_cases));
    tcase_add_loop_test(tc, neighbours_are_correlated, 0, WZP_COUNT_OF(memory_cases));
    tcase_add_loop_test(tc, only_reordering_reorders, 0, WZP_COUNT_OF(law_cases));
    tcase_add_test(tc, every_fifth_skips_the_delay);
    tcase_add_test(tc, some_skip_the_delay_by_chance);
    tcase_add_loop_test(tc, traces_are_interpolated_and_repeat, 0, WZP_COUNT_OF(trace_cases));
    tcase_add_test(tc, a_trace_of_one_point_is_a_constant);
    return wzp_run_suite("delay", tc);
}
