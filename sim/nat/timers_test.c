/* The timers against an array that is searched. */
#include "sim/nat/timers.h"

#include <check.h>

#include "base/testing/suite.h"
#include "sim/engine/chance.h"

enum { MOST = 300, STEPS = 200000 };

static void check(const wzp_sim_nat_timers *timers, const wzp_time *want) {
    uint32_t first = 0;
    uint32_t count = 0;
    for (uint32_t i = 1; i <= MOST; i++) {
        if (want[i] > 0) {
            count++;
            first = first == 0 || want[i] < want[first] ? i : first;
        }
    }
    if (count != timers->count ||
        (count > 0 && (timers->heap[0].of != first || timers->heap[0].at != want[first]))) {
        ck_abort_msg("%u timers, first %u", timers->count, timers->heap[0].of);
    }
    ck_assert_uint_eq(wzp_sim_nat_timers_due(timers), count > 0 ? want[first] : WZP_TIME_NEVER);
}

START_TEST(as_an_array_does) {
    static wzp_time want[MOST + 1]; /* 0: none */
    wzp_sim_nat_timers timers = {0};
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "timers");
    for (unsigned step = 0; step < STEPS; step++) {
        const uint32_t of = (uint32_t)wzp_chance_between(&prng, 1, MOST);
        ck_assert(wzp_sim_nat_timers_reserve(&timers, of));
        if (want[of] > 0 && wzp_chance(&prng, 400000)) {
            wzp_sim_nat_timers_cut(&timers, of);
            want[of] = 0;
        } else { /* few different times: the number decides */
            want[of] = wzp_chance_between(&prng, 1, 50);
            wzp_sim_nat_timers_set(&timers, of, want[of]);
        }
        if (step % 37 == 0) {
            check(&timers, want);
        }
    }
    for (uint32_t left = timers.count; left > 0; left--) {
        check(&timers, want);
        want[timers.heap[0].of] = 0;
        wzp_sim_nat_timers_cut(&timers, timers.heap[0].of);
    }
    wzp_sim_nat_timers_clear(&timers);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("timers");
    tcase_add_test(tc, as_an_array_does);
    return wzp_run_suite("timers", tc);
}
