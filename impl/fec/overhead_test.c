/* How often do random symbols not suffice?  What is promised of RaptorQ: less than once in
 * 100 with as many symbols as there are sources, once in 10,000 with one more, once in a million
 * with two more.  Structure only: no symbols are computed. */
#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "fec/solve.h"

enum { EXTRA_MAX = 2, SOURCES_MAX = 200 };

static uint32_t draw_new(const wzp_rq_equation *taken, size_t n, wzp_rng rng) {
    for (;;) {
        const uint32_t isi = (uint32_t)wzp_rng_below(rng, WZP_RQ_ESI_MAX);
        size_t i = 0;
        while (i < n && taken[i].isi != isi) {
            i++;
        }
        if (i == n) {
            return isi;
        }
    }
}

static size_t count_failures(size_t k, size_t extra, size_t rounds) {
    wzp_rq_params p;
    wzp_rq_equation equations[SOURCES_MAX + EXTRA_MAX];
    wzp_prng prng;
    size_t failures = 0;
    ck_assert_int_eq(wzp_rq_params_of(&p, k), WZP_OK);
    ck_assert_uint_eq(p.kp, k); /* no padding that would help */
    wzp_rq_solver *solver = wzp_rq_solver_new(p.k, EXTRA_MAX);
    ck_assert_ptr_nonnull(solver);
    wzp_prng_init(&prng, k, "overhead");
    for (size_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < k + extra; i++) {
            equations[i] = (wzp_rq_equation){draw_new(equations, i, wzp_prng_rng(&prng)), i};
        }
        const wzp_rq_program *program = NULL;
        failures += wzp_rq_solve(solver, &p, equations, k + extra, (uint32_t)(k + extra),
                                 &program) != WZP_OK
                        ? 1
                        : 0;
    }
    wzp_rq_solver_free(&solver);
    return failures;
}

/* Below `most` the promise is kept beyond doubt: were it only just kept, as few failures would be
 * three standard deviations less than expected, or have a probability under 3 %.  The one marked
 * weak only finds a promise that is broken: its `most` is three deviations more. */
static const struct promise {
    const char *name;
    size_t k, extra, rounds, most;
} promises[] = {
    {"10, none", 10, 0, 40000, 340},      /* 400 - 3 * 20 */
    {"26, none", 26, 0, 40000, 340},      /* the same */
    {"101, none", 101, 0, 10000, 70},     /* 100 - 3 * 10 */
    {"10, one, weak", 10, 1, 200000, 33}, /* 20 + 3 * 4.5 */
    /* with an argument */
    {"10, one", 10, 1, 1000000, 70}, /* 100 - 3 * 10 */
    {"26, one", 26, 1, 1000000, 70}, /* the same */
    {"10, two", 10, 2, 10000000, 4}, /* 10 expected: 4 or less have 2.9 % */
    {"26, two", 26, 2, 10000000, 4}, /* the same */
};

enum { PROMISES_SHORT = 4 };

START_TEST(failures_are_as_rare_as_promised) {
    const struct promise *c = &promises[_i];
    const size_t got = count_failures(c->k, c->extra, c->rounds);
    ck_assert_msg(got <= c->most, "%s: %zu of %zu fail", c->name, got, c->rounds);
    /* There are failures without more symbols, or nothing was tried. */
    ck_assert_msg(c->extra > 0 || got > 0, "%s: none of %zu fails", c->name, c->rounds);
}
END_TEST

int main(int argc, char **argv) {
    (void)argv;
    const bool is_long = argc > 1;
    TCase *tc = tcase_create("overhead");
    tcase_add_loop_test(tc, failures_are_as_rare_as_promised, is_long ? PROMISES_SHORT : 0,
                        is_long ? (int)WZP_COUNT_OF(promises) : PROMISES_SHORT);
    return wzp_run_suite("overhead", tc);
}
