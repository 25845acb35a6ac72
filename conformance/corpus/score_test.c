#include "conformance/corpus/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "conformance/corpus/network.h"
#include "conformance/corpus/recipes.h"

/* Nothing in sizes and times tells it from speech.  It is in the corpus so that this is seen. */
static const char beyond_us[] = "covert";

static void make(wzp_trace *t, const char *name) {
    size_t i = 0;
    while (strcmp(wzp_recipe_name(i), name) != 0) {
        i++;
    }
    ck_assert_int_eq(wzp_recipe_make(t, i), WZP_OK);
}

START_TEST(the_generated_corpus_is_judged_right) {
    for (size_t i = 0; wzp_recipe_name(i) != NULL; i++) {
        wzp_trace t;
        wzp_score s;
        ck_assert_int_eq(wzp_recipe_make(&t, i), WZP_OK);
        ck_assert_int_eq(wzp_score_trace(&s, &t, NULL), WZP_OK);
        const wzp_score_outcome expected =
            strcmp(t.name, beyond_us) == 0 ? WZP_SCORE_MISSED : WZP_SCORE_RIGHT;
        ck_assert_msg(s.outcome == expected, "%s: %s, ENF-1 %s at packet %zu, %.2f s", t.name,
                      wzp_score_outcome_name(s.outcome),
                      s.enf.is_hit ? wzp_violation_find(s.enf_code)->code : "quiet", s.enf.packet,
                      (double)s.enf.after / (double)WZP_S);
        wzp_trace_clear(&t);
    }
}
END_TEST

START_TEST(a_label_decides_between_false_and_right) {
    wzp_trace t;
    wzp_score s;
    make(&t, "many-small");
    ck_assert_int_eq(wzp_score_trace(&s, &t, NULL), WZP_OK);
    ck_assert_int_eq(s.outcome, WZP_SCORE_RIGHT);
    ck_assert_int_eq(s.enf_code, WZP_VIOLATION_PACKET_RATE);
    t.within = s.enf.after - 1;
    ck_assert_int_eq(wzp_score_trace(&s, &t, NULL), WZP_OK);
    ck_assert_int_eq(s.outcome, WZP_SCORE_MISSED);
    t.tier = 0;
    ck_assert_int_eq(wzp_score_trace(&s, &t, NULL), WZP_OK);
    ck_assert_int_eq(s.outcome, WZP_SCORE_FALSE);
    wzp_trace_clear(&t);
}
END_TEST

START_TEST(a_network_loses_and_delays) {
    wzp_trace t;
    make(&t, "lecture");
    wzp_time *first = calloc(t.count, sizeof *first);
    wzp_time *second = calloc(t.count, sizeof *second);
    ck_assert(first != NULL && second != NULL);
    ck_assert_int_eq(wzp_trace_carry(&t, "no-such", 1, first), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_trace_carry(&t, "wifi-bad", 1, first), WZP_OK);
    ck_assert_int_eq(wzp_trace_carry(&t, "wifi-bad", 1, second), WZP_OK);
    ck_assert_mem_eq(first, second, t.count * sizeof *first);
    ck_assert_int_eq(wzp_trace_carry(&t, "wifi-bad", 2, second), WZP_OK);
    ck_assert_mem_ne(first, second, t.count * sizeof *first);
    size_t lost = 0;
    for (size_t i = 0; i < t.count; i++) {
        lost += first[i] == WZP_TIME_NEVER;
        ck_assert(first[i] > t.packets[i].at);
    }
    ck_assert(lost > 0 && lost < t.count / 5);
    wzp_score s;
    ck_assert_int_eq(wzp_score_trace(&s, &t, first), WZP_OK);
    ck_assert_int_eq(s.outcome, WZP_SCORE_RIGHT);
    free(first);
    free(second);
    wzp_trace_clear(&t);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_generated_corpus_is_judged_right);
    tcase_add_test(tc, a_label_decides_between_false_and_right);
    tcase_add_test(tc, a_network_loses_and_delays);
    tcase_set_timeout(tc, 300);
    return wzp_run_suite("score", tc);
}
