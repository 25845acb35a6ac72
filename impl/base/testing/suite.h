/* How every test of base ends: its one case, run as a suite. */
#ifndef WZP_BASE_TESTING_SUITE_H
#define WZP_BASE_TESTING_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Takes `tc`; returns what main() returns. */
static inline int wzp_run_suite(const char *name, TCase *tc) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
