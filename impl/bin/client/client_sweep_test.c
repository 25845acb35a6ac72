#include "base/bytes.h"
#include "base/testing/suite.h"
#include "bin/client/client_sweep.h"

static wzp_sweep_result sweep(uint32_t loss_ppm, uint32_t jitter_us, uint64_t draw,
                              uint32_t delay_ms, uint32_t cap) {
    const wzp_sweep_net net = {loss_ppm, jitter_us, 3000, draw};
    wzp_sweep_result r = {0};
    ck_assert(wzp_sweep_run(&r, &net, &(wzp_sweep_setting){delay_ms, cap}) == WZP_OK);
    return r;
}

/* Nothing is lost, nothing waits longer than it is told to. */
START_TEST(quiet) {
    static const uint32_t delays[] = {20, 60, 200, 400};
    const uint32_t delay = delays[_i];
    const wzp_sweep_result r = sweep(0, 0, 1, delay, 250);
    ck_assert_uint_eq(r.received, 3000);
    ck_assert_uint_eq(r.played, 3000);
    ck_assert_uint_eq(r.late + r.underruns + r.overruns, 0);
    ck_assert_msg(r.latency_us == (20 + delay) * 1000, "%u us with %u ms", r.latency_us, delay);
}
END_TEST

/* The same draw, the same figures; another one, others. */
START_TEST(same_again) {
    const wzp_sweep_result a = sweep(20000, 20000, 7, 60, 50);
    const wzp_sweep_result b = sweep(20000, 20000, 7, 60, 50);
    const wzp_sweep_result c = sweep(20000, 20000, 8, 60, 50);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_mem_ne(&a, &c, sizeof a);
}
END_TEST

START_TEST(loss) {
    const wzp_sweep_result r = sweep(100000, 0, 1, 60, 50);
    ck_assert_msg(r.received > 2600 && r.received < 2800, "%u", r.received);
    ck_assert_uint_eq(r.played, r.received);
    ck_assert_msg(r.underruns >= 3000 - r.received - 5 && r.underruns <= 3000 - r.received,
                  "%u missing of %u lost", r.underruns, 3000 - r.received);
    ck_assert_uint_eq(sweep(1000000, 0, 1, 60, 50).played, 0);
}
END_TEST

/* More delay, less that comes too late; a small buffer overflows when a stall ends. */
START_TEST(trade) {
    const wzp_sweep_result hasty = sweep(0, 20000, 3, 20, 250);
    const wzp_sweep_result patient = sweep(0, 20000, 3, 400, 250);
    const wzp_sweep_result small = sweep(0, 20000, 3, 200, 10);
    ck_assert_msg(patient.underruns < hasty.underruns, "%u, %u", patient.underruns,
                  hasty.underruns);
    ck_assert_msg(patient.latency_us > hasty.latency_us, "%u, %u", patient.latency_us,
                  hasty.latency_us);
    ck_assert_uint_gt(small.overruns, 0);
    ck_assert_uint_eq(patient.overruns, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, quiet, 0, 4);
    tcase_add_test(tc, same_again);
    tcase_add_test(tc, loss);
    tcase_add_test(tc, trade);
    return wzp_run_suite("client_sweep", tc);
}
