#include "base/bytes.h"
#include "base/testing/suite.h"
#include "bin/client/client_verdict.h"

static const struct grade_case {
    double drift_ms;
    const char *want;
} grades[] = {{0, "excellent"}, {4.9, "excellent"}, {-4.9, "excellent"},
              {5, "good"},      {-19.9, "good"},    {20, "fair"},
              {-99.9, "fair"},  {100, "poor"},      {-2000, "poor"}};

START_TEST(grade) {
    ck_assert_msg(wzp_drift_grade(grades[_i].drift_ms) != NULL, "%f", grades[_i].drift_ms);
    ck_assert_str_eq(wzp_drift_grade(grades[_i].drift_ms), grades[_i].want);
}
END_TEST

static const struct halves_case {
    const char *name;
    wzp_half first, second;
    const char *want; /* begins so; NULL: all is well */
} halves[] = {
    {"the same", {1, 0.9}, {1, 0.9}, NULL},
    {"better", {20, 0.2}, {1, 0.9}, NULL},
    {"five points more", {1, 0.9}, {6, 0.9}, NULL},
    {"more than five points more", {1, 0.9}, {6.1, 0.9}, "more is lost in the second half"},
    {"a tenth less alike", {1, 0.9}, {1, 0.8001}, NULL},
    {"more than a tenth less alike", {1, 0.9}, {1, 0.79}, "the second half sounds less"},
    {"both", {0, 1}, {30, 0.5}, "more is lost in the second half, and"},
};

START_TEST(differ) {
    const struct halves_case *c = &halves[_i];
    const char *got = wzp_halves_differ(&c->first, &c->second);
    ck_assert_msg(c->want == NULL ? got == NULL
                                  : got != NULL && strncmp(got, c->want, strlen(c->want)) == 0,
                  "%s: %s", c->name, got != NULL ? got : "nothing");
}
END_TEST

START_TEST(spread) {
    double one[] = {3};
    double two[] = {4, -1};
    double five[] = {5, 1, 4, 2, 3};
    ck_assert(wzp_spread_of(one, 1).median == 3 && wzp_spread_of(one, 1).most == 3);
    ck_assert(wzp_spread_of(two, 2).median == -1 && wzp_spread_of(two, 2).most == 4);
    const wzp_spread s = wzp_spread_of(five, 5);
    ck_assert(s.median == 3 && s.least == 1 && s.most == 5);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, grade, 0, WZP_COUNT_OF(grades));
    tcase_add_loop_test(tc, differ, 0, WZP_COUNT_OF(halves));
    tcase_add_test(tc, spread);
    return wzp_run_suite("client_verdict", tc);
}
