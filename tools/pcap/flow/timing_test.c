#include "tools/pcap/flow/timing.h"

#include <math.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/flow/rows.h"

/* RFC 3550, A.8, by hand: frames of 20 ms that come at 0, 20, 45, 60, 80 ms.
 *   D = 0, 5, -5, 0     J = 0, 0.3125, 0.60546875, 0.567626953125 */
static const struct jitter_case {
    uint64_t at_ms;
    double jitter;
} jitter_cases[] = {{0, 0}, {20, 0}, {45, 0.3125}, {60, 0.60546875}, {80, 0.567626953125}};

START_TEST(jitter_by_hand) {
    wzp_pcap_timing t = {0};
    for (size_t i = 0; i < WZP_COUNT_OF(jitter_cases); i++) {
        const uint64_t ns = WZP_S + jitter_cases[i].at_ms * WZP_MS;
        (void)wzp_pcap_timing_take(&t, ns, UINT32_C(0xffffffec) + (uint32_t)i * 20, 20, true);
        ck_assert_double_eq_tol(t.jitter_now_ms, jitter_cases[i].jitter, 1e-12);
    }
    ck_assert_double_eq_tol(t.jitter_ms.max, 0.60546875, 1e-12);
    ck_assert_double_eq_tol(t.jitter_ms.min, 0, 1e-12);
    ck_assert_double_eq_tol(t.jitter_ms.mean, (0.3125 + 0.60546875 + 0.567626953125) / 4, 1e-12);
    ck_assert_double_eq_tol(t.delta_ms.mean, 20, 1e-9);
    ck_assert_double_eq_tol(t.delta_ms.max, 25, 1e-9);
    ck_assert_double_eq_tol(t.delta_ms.min, 15, 1e-9);
}
END_TEST

/* Upstream's: 0.9 J + 0.1 |gap - 20|: 0, 0.5, 0.95, 0.855. */
START_TEST(upstreams_jitter_by_hand) {
    wzp_pcap_timing t = {0};
    for (size_t i = 0; i < WZP_COUNT_OF(jitter_cases); i++) {
        (void)wzp_pcap_timing_take(&t, jitter_cases[i].at_ms * WZP_MS, (uint32_t)i * 20, 20, true);
    }
    ck_assert_double_eq_tol(t.upstream_now_ms, 0.855, 1e-9);
}
END_TEST

/* One wrong time among others, and a clock that was set. */
START_TEST(another_clock_is_no_jitter) {
    wzp_pcap_timing t = {0};
    for (uint32_t i = 0; i < 100; i++) {
        const uint32_t set = i == 20 ? UINT32_C(0x40000000) : i >= 50 ? UINT32_C(0x60000000) : 0;
        (void)wzp_pcap_timing_take(&t, (uint64_t)i * 20 * WZP_MS, i * 20 + set, 20, true);
    }
    ck_assert_double_eq_tol(t.jitter_ms.max, 0, 1e-12);
    ck_assert_uint_eq(t.jitter_ms.count, 96);
}
END_TEST

/* Times that go on by three weeks with each packet, and seven centuries of them: nothing overflows.
 */
START_TEST(times_from_a_liar) {
    wzp_pcap_timing t = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        (void)wzp_pcap_timing_take(&t, i * UINT64_C(900000) * WZP_S, i * UINT32_C(0x7fffffff), 20,
                                   true);
    }
    ck_assert(isfinite(t.jitter_ms.max));
}
END_TEST

START_TEST(what_has_no_time_of_its_own_makes_no_jitter) {
    wzp_pcap_timing t = {0};
    (void)wzp_pcap_timing_take(&t, 0, 0, 20, true);
    (void)wzp_pcap_timing_take(&t, WZP_MS, 20, 20, false); /* a repair packet */
    (void)wzp_pcap_timing_take(&t, 20 * WZP_MS, 20, 20, true);
    ck_assert_double_eq_tol(t.jitter_now_ms, 0, 1e-12);
    ck_assert_uint_eq(t.jitter_ms.count, 1);
    ck_assert_uint_eq(t.delta_ms.count, 2);
}
END_TEST

START_TEST(histogram_and_variation) {
    wzp_pcap_spread s = {0};
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    for (size_t i = 0; i < WZP_COUNT_OF(values); i++) {
        wzp_pcap_spread_add(&s, values[i]);
    }
    ck_assert_double_eq_tol(wzp_pcap_spread_cov(&s), 2.0 / 5.0, 1e-12);
    ck_assert_uint_eq(wzp_pcap_bound(wzp_pcap_gap_bounds_ms, WZP_PCAP_GAP_BOUNDS, 0.5), 0);
    ck_assert_uint_eq(wzp_pcap_bound(wzp_pcap_gap_bounds_ms, WZP_PCAP_GAP_BOUNDS, 20), 3);
    ck_assert_uint_eq(wzp_pcap_bound(wzp_pcap_gap_bounds_ms, WZP_PCAP_GAP_BOUNDS, 20.1), 4);
    ck_assert_uint_eq(wzp_pcap_bound(wzp_pcap_gap_bounds_ms, WZP_PCAP_GAP_BOUNDS, 501),
                      WZP_PCAP_GAP_BOUNDS);
}
END_TEST

/* --- drift ------------------------------------------------------------------------------------ */

static const struct drift_case {
    const char *name;
    double ppm;
    uint32_t seconds;
    bool known;
} drift_cases[] = {
    {"none", 0, 60, true},        {"slow", 500, 60, true},      {"fast", -200, 600, true},
    {"for long", 50, 7200, true}, {"too short", 500, 9, false},
};

START_TEST(drift) {
    const struct drift_case *c = &drift_cases[_i];
    wzp_pcap_timing t = {0};
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "drift");
    for (uint32_t i = 0; i < c->seconds * 50; i++) {
        const uint64_t queue = wzp_rng_below(wzp_prng_rng(&prng), 30 * WZP_MS);
        const uint64_t outlier = wzp_rng_below(wzp_prng_rng(&prng), 40) == 0 ? 300 * WZP_MS : 0;
        const double sent = i * 20e6 * (1 + c->ppm / 1e6);
        (void)wzp_pcap_timing_take(&t, WZP_S + (uint64_t)sent + queue + outlier, i * 20, 20, true);
    }
    double ppm = 1e9;
    ck_assert_msg(wzp_pcap_drift_ppm(&t.drift, &ppm) == c->known, "%s", c->name);
    ck_assert_msg(!c->known || fabs(ppm - c->ppm) < 40, "%s: %.1f ppm", c->name, ppm);
}
END_TEST

START_TEST(drift_does_not_go_on_over_a_break) {
    wzp_pcap_timing t = {0};
    double ppm = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        if (i == 1500) {
            wzp_pcap_timing_break(&t);
        }
        (void)wzp_pcap_timing_take(&t, UINT64_C(20) * i * WZP_MS,
                                   i < 1500 ? i * 20 : i * 20 - 7777777, 20, true);
    }
    ck_assert(wzp_pcap_drift_ppm(&t.drift, &ppm));
    ck_assert_double_eq_tol(ppm, 0, 1);
    ck_assert_double_lt(t.jitter_ms.max, 0.001);
}
END_TEST

/* --- intervals -------------------------------------------------------------------------------- */

START_TEST(intervals_double) {
    wzp_pcap_rows rows;
    wzp_pcap_rows_init(&rows, WZP_S);
    for (uint64_t s = 0; s < UINT64_C(3) * WZP_PCAP_ROWS_MAX; s++) {
        wzp_pcap_row *row = wzp_pcap_rows_at(&rows, (s + 100) * WZP_S);
        ck_assert_ptr_nonnull(row);
        row->packets += 50;
        row->jitter_max_ms = s == 4000 ? 9 : row->jitter_max_ms;
    }
    uint64_t packets = 0;
    float most = 0;
    for (size_t i = 0; i < rows.count; i++) {
        packets += rows.rows[i].packets;
        most = rows.rows[i].jitter_max_ms > most ? rows.rows[i].jitter_max_ms : most;
    }
    ck_assert_uint_eq(rows.interval_ns, 4 * WZP_S);
    ck_assert_uint_eq(rows.count, 3 * WZP_PCAP_ROWS_MAX / 4);
    ck_assert_uint_eq(packets, UINT64_C(50) * 3 * WZP_PCAP_ROWS_MAX);
    ck_assert(most > 8);
    ck_assert_ptr_eq(wzp_pcap_rows_at(&rows, 0), rows.rows);    /* before the first one */
    ck_assert_ptr_nonnull(wzp_pcap_rows_at(&rows, UINT64_MAX)); /* however late */
    ck_assert_uint_le(rows.count, WZP_PCAP_ROWS_MAX);
    wzp_pcap_rows_clear(&rows);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("timing");
    tcase_add_test(tc, jitter_by_hand);
    tcase_add_test(tc, upstreams_jitter_by_hand);
    tcase_add_test(tc, another_clock_is_no_jitter);
    tcase_add_test(tc, times_from_a_liar);
    tcase_add_test(tc, what_has_no_time_of_its_own_makes_no_jitter);
    tcase_add_test(tc, histogram_and_variation);
    tcase_add_loop_test(tc, drift, 0, (int)WZP_COUNT_OF(drift_cases));
    tcase_add_test(tc, drift_does_not_go_on_over_a_break);
    tcase_add_test(tc, intervals_double);
    return wzp_run_suite("pcap_flow timing", tc);
}
