/* How a test program ends: its one case, run as a suite. */
#ifndef WZP_BASE_TESTING_SUITE_H
#define WZP_BASE_TESTING_SUITE_H

#include <check.h>
#include <stdlib.h>

static inline int wzp_run_suite_as(const char *name, TCase *tc, enum fork_status forked) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, forked);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Takes `tc`; returns what main() returns. */
static inline int wzp_run_suite(const char *name, TCase *tc) {
    return wzp_run_suite_as(name, tc, CK_FORK_GETENV);
}

/* The same when some of the tests end in an assertion: each has a process of its own. */
static inline int wzp_run_suite_forked(const char *name, TCase *tc) {
    return wzp_run_suite_as(name, tc, CK_FORK);
}

#endif
