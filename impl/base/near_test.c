#include "base/near.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

static const struct near_case {
    const char *a, *b;
    size_t want;
} near_cases[] = {
    {"", "", 0},         {"", "abc", 3},        {"NAT-042", "NAT-042", 0}, {"A-01", "A-01b", 1},
    {"A-01", "B-01", 1}, {"delya", "delay", 2}, {"jiter", "jitter", 1},    {"kitten", "sitting", 3},
    {"abc", "xyz", 3},
};

START_TEST(distances) {
    const struct near_case *c = &near_cases[_i];
    ck_assert_uint_eq(wzp_near_distance(c->a, c->b), c->want);
    ck_assert_uint_eq(wzp_near_distance(c->b, c->a), c->want);
}
END_TEST

START_TEST(as_long_as_may_be) {
    char longest[WZP_NEAR_LONGEST + 2];
    memset(longest, 'x', sizeof longest);
    longest[WZP_NEAR_LONGEST] = '\0';
    ck_assert_uint_eq(wzp_near_distance(longest, ""), WZP_NEAR_LONGEST);
    ck_assert_uint_eq(wzp_near_distance("", longest), WZP_NEAR_LONGEST);
    longest[WZP_NEAR_LONGEST] = 'x';
    longest[WZP_NEAR_LONGEST + 1] = '\0';
    ck_assert_uint_eq(wzp_near_distance(longest, ""), SIZE_MAX);
    ck_assert_uint_eq(wzp_near_distance("", longest), SIZE_MAX);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("near");
    tcase_add_loop_test(tc, distances, 0, WZP_COUNT_OF(near_cases));
    tcase_add_test(tc, as_long_as_may_be);
    return wzp_run_suite("base_near", tc);
}
