/* Congestion windows against the formulas of their RFCs. */
#include "sim/net/window.h"

#include <check.h>
#include <math.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

#define ONE ((double)WZP_SIM_WINDOW_ONE)
#define RTT (40 * WZP_MS)

static double packets(const wzp_sim_window *window) {
    return (double)window->size / ONE;
}

/* One round trip: every packet of the window is acknowledged. */
static void round_trip(wzp_sim_window *window, wzp_time now) {
    for (uint64_t n = window->size / WZP_SIM_WINDOW_ONE; n > 0; n--) {
        wzp_sim_window_grow(window, RTT, now);
    }
}

START_TEST(slow_start_doubles) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, _i != 0);
    ck_assert_double_eq(packets(&window), 10);
    round_trip(&window, WZP_S);
    ck_assert_double_eq(packets(&window), 20);
    round_trip(&window, WZP_S);
    ck_assert_double_eq(packets(&window), 40);
}
END_TEST

START_TEST(cubic_leaves_slow_start_when_a_queue_builds_up) {
    for (int cubic = 0; cubic < 2; cubic++) {
        wzp_sim_window window;
        wzp_sim_window_init(&window, cubic != 0);
        round_trip(&window, WZP_S);
        for (int i = 0; i < 12; i++) {
            wzp_sim_window_grow(&window, RTT + (i == 4 ? 0 : 6 * WZP_MS), WZP_S);
        }
        ck_assert_double_eq(packets(&window), 32); /* eight in a row it takes */
        wzp_sim_window_grow(&window, RTT + 6 * WZP_MS, WZP_S);
        ck_assert(cubic != 0 ? packets(&window) < 32.1 : packets(&window) == 33);
    }
}
END_TEST

START_TEST(reno_halves_and_adds_one_each_round) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, false);
    window.size = 100 * WZP_SIM_WINDOW_ONE;
    wzp_sim_window_shrink(&window, WZP_S);
    ck_assert_double_eq(packets(&window), 50);
    for (int i = 1; i <= 20; i++) {
        round_trip(&window, WZP_S);
        ck_assert_double_eq_tol(packets(&window), 50 + i, 0.6);
    }
}
END_TEST

/* RFC 9438 4.2: W(t) = 0.4 (t - K)^3 + W_max, K = cbrt(0.3 W_max / 0.4). */
START_TEST(cubic_follows_its_curve) {
    static const double peaks[] = {200, 1000, 5000};
    const double peak = peaks[_i];
    wzp_sim_window window;
    wzp_sim_window_init(&window, true);
    window.size = (uint64_t)(peak * ONE);
    wzp_sim_window_shrink(&window, WZP_S);
    ck_assert_double_eq_tol(packets(&window), peak * 0.7, 1);
    const double k = cbrt(peak * 0.3 / 0.4);
    for (int i = 1; i * 0.04 < 2 * k; i++) {
        round_trip(&window, WZP_S + (uint64_t)i * RTT);
        const double t = i * 0.04 + 0.04; /* the target of the next round */
        const double want = 0.4 * pow(t - k, 3) + peak;
        const double slow = peak * 0.7 + 9.0 / 17 * i; /* 4.3: until the peak, then one a round */
        const double reno = slow < peak ? slow : peak + (slow - peak) * 17 / 9;
        ck_assert_msg(fabs(packets(&window) - fmax(want, reno)) < 0.03 * want,
                      "%.2f s after: %.1f, want %.1f", t, packets(&window), want);
    }
}
END_TEST

/* A short path: CUBIC must not be slower than Reno with the same mean (RFC 9438 4.3). */
START_TEST(cubic_is_friendly_where_reno_is_faster) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, true);
    window.size = 20 * WZP_SIM_WINDOW_ONE;
    wzp_sim_window_shrink(&window, WZP_S);
    for (int i = 1; i <= 8; i++) {
        round_trip(&window, WZP_S + (uint64_t)i * WZP_MS);
    }
    ck_assert_double_eq_tol(packets(&window), 14 + 8 * 9.0 / 17, 0.5);
}
END_TEST

START_TEST(cubic_gives_way_when_its_peak_falls) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, true);
    window.size = 100 * WZP_SIM_WINDOW_ONE;
    wzp_sim_window_shrink(&window, WZP_S);
    ck_assert_double_eq_tol((double)window.peak / ONE, 100, 0.01);
    wzp_sim_window_shrink(&window, 2 * WZP_S);
    ck_assert_double_eq_tol((double)window.peak / ONE, 70 * 0.85, 0.1);
}
END_TEST

START_TEST(a_timeout_starts_again_with_one) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, _i != 0);
    window.size = 100 * WZP_SIM_WINDOW_ONE;
    wzp_sim_window_timeout(&window);
    ck_assert_double_eq(packets(&window), 1);
    for (int i = 0; i < 10; i++) {
        round_trip(&window, WZP_S + (uint64_t)i * RTT);
    }
    ck_assert_double_ge(packets(&window), 50); /* slow start to the half, then slowly */
    ck_assert_double_le(packets(&window), 60);
}
END_TEST

START_TEST(windows_stay_in_bounds) {
    wzp_sim_window window;
    wzp_sim_window_init(&window, _i != 0);
    for (int i = 0; i < 40; i++) {
        wzp_sim_window_shrink(&window, WZP_S + (uint64_t)i * RTT);
    }
    ck_assert_double_eq(packets(&window), 2);
    window.threshold = UINT64_MAX;
    for (int i = 0; i < 200000; i++) {
        wzp_sim_window_grow(&window, RTT, 1000 * WZP_S + (uint64_t)i * WZP_MS);
    }
    window.threshold = 0;
    for (int i = 0; i < 1000; i++) {
        wzp_sim_window_grow(&window, RTT, 2000 * WZP_S + (uint64_t)i * WZP_S);
    }
    ck_assert_double_eq(packets(&window), 50000);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("window");
    tcase_add_loop_test(tc, slow_start_doubles, 0, 2);
    tcase_add_test(tc, cubic_leaves_slow_start_when_a_queue_builds_up);
    tcase_add_test(tc, reno_halves_and_adds_one_each_round);
    tcase_add_loop_test(tc, cubic_follows_its_curve, 0, 3);
    tcase_add_test(tc, cubic_is_friendly_where_reno_is_faster);
    tcase_add_test(tc, cubic_gives_way_when_its_peak_falls);
    tcase_add_loop_test(tc, a_timeout_starts_again_with_one, 0, 2);
    tcase_add_loop_test(tc, windows_stay_in_bounds, 0, 2);
    return wzp_run_suite("window", tc);
}
