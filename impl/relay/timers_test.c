#include "relay/timers.h"

#include "base/rng.h"
#include "base/testing/suite.h"

enum { TIMERS = 40, STEPS = 20000 };

/* The twin looks at all of them. */
static const wzp_timer *first_of(const wzp_timer *timers) {
    const wzp_timer *first = NULL;
    for (size_t i = 0; i < TIMERS; i++) {
        const wzp_timer *t = &timers[i];
        if (t->at != WZP_TIME_NEVER && (first == NULL || t->at < first->at ||
                                        (t->at == first->at && t->order < first->order))) {
            first = t;
        }
    }
    return first;
}

START_TEST(like_looking_at_all) {
    wzp_timer timers[TIMERS];
    wzp_timers heap = {0};
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "timers");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert(wzp_timers_reserve(&heap, TIMERS) == WZP_OK);
    for (size_t i = 0; i < TIMERS; i++) {
        wzp_timer_init(&timers[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        wzp_timer *t = &timers[wzp_rng_below(rng, TIMERS)];
        const bool stop = wzp_rng_below(rng, 3) == 0;
        wzp_timers_set(&heap, t, stop ? WZP_TIME_NEVER : wzp_rng_below(rng, 50));
        const wzp_timer *first = first_of(timers);
        ck_assert_ptr_eq(wzp_timers_first(&heap), first);
        ck_assert_uint_eq(wzp_timers_deadline(&heap), first != NULL ? first->at : WZP_TIME_NEVER);
    }
    wzp_timers_clear(&heap);
}
END_TEST

START_TEST(equal_times_in_order) {
    wzp_timer timers[TIMERS];
    wzp_timers heap = {0};
    ck_assert(wzp_timers_reserve(&heap, TIMERS) == WZP_OK);
    for (size_t i = 0; i < TIMERS; i++) {
        wzp_timer_init(&timers[i]);
        wzp_timers_set(&heap, &timers[i], 7);
    }
    wzp_timers_set(&heap, &timers[0], 7); /* set anew: last now */
    for (size_t i = 1; i <= TIMERS; i++) {
        wzp_timer *t = wzp_timers_first(&heap);
        ck_assert_ptr_eq(t, &timers[i % TIMERS]);
        wzp_timers_set(&heap, t, WZP_TIME_NEVER);
    }
    ck_assert_ptr_null(wzp_timers_first(&heap));
    wzp_timers_clear(&heap);
}
END_TEST

START_TEST(room_grows) {
    wzp_timers heap = {0};
    ck_assert(wzp_timers_reserve(&heap, 1) == WZP_OK);
    ck_assert_uint_ge(heap.cap, 1);
    const size_t cap = heap.cap;
    ck_assert(wzp_timers_reserve(&heap, cap) == WZP_OK);
    ck_assert_uint_eq(heap.cap, cap);
    ck_assert(wzp_timers_reserve(&heap, cap + 1) == WZP_OK);
    ck_assert_uint_gt(heap.cap, cap);
    wzp_timers_clear(&heap);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("timers");
    tcase_add_loop_test(tc, like_looking_at_all, 0, 3);
    tcase_add_test(tc, equal_times_in_order);
    tcase_add_test(tc, room_grows);
    return wzp_run_suite("timers", tc);
}
