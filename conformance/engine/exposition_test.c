#include "conformance/engine/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

static const char page[] = "# HELP a_total packets\n"
                           "# TYPE a_total counter\n"
                           "a_total{codec_id=\"Opus24k\",tier=\"A\"} 3\n"
                           "a_total{tier=\"A\",codec_id=\"Opus6k\"} 4\n"
                           "a_total{tier=\"B\",codec_id=\"Opus24k\"} 5 1700000000000\n"
                           "a_total_more{tier=\"A\"} 100\n"
                           "b 2.5\n"
                           "c{x=\"say \\\"} 9\\\" \"} 7\n"
                           "d +Inf\n"
                           "\n";

static const struct sum_case {
    const char *name, *series;
    unsigned found;
    double sum;
} sum_cases[] = {
    {"all of a name", "a_total", 3, 12},
    {"one label", "a_total{tier=\"A\"}", 2, 7},
    {"two labels in another order", "a_total{tier=\"A\",codec_id=\"Opus24k\"}", 1, 3},
    {"a label that no sample has", "a_total{tier=\"C\"}", 0, 0},
    {"a name that is the start of another", "a_tot", 0, 0},
    {"no labels", "b", 1, 2.5},
    {"quotes and braces in a value", "c", 1, 7},
    {"a timestamp after the value", "a_total{tier=\"B\"}", 1, 5},
    {"no series at all", "", 0, 0},
};

START_TEST(sums) {
    const struct sum_case *c = &sum_cases[_i];
    double sum = -1;
    const unsigned found = wzp_exposition_sum(page, c->series, &sum);
    ck_assert_msg(found == c->found, "%s: %u samples", c->name, found);
    ck_assert_msg(sum == c->sum, "%s: %g", c->name, sum);
}
END_TEST

static const struct valid_case {
    const char *name, *text;
    bool valid;
    unsigned samples;
} valid_cases[] = {
    {"a whole page", page, true, 7},
    {"nothing", "", false, 0},
    {"comments alone", "# nothing\n", false, 0},
    {"HTML", "<html>\n", false, 0},
    {"no value", "a\n", false, 0},
    {"a word for a value", "a b\n", false, 0},
    {"labels that do not end", "a{b=\"c\" 1\n", false, 0},
    {"a value cut off", "a 1", false, 0},
};

START_TEST(validity) {
    const struct valid_case *c = &valid_cases[_i];
    unsigned samples = 0;
    ck_assert_msg(wzp_exposition_is_valid(c->text, &samples) == c->valid, "%s", c->name);
    ck_assert_msg(!c->valid || samples == c->samples, "%s: %u samples", c->name, samples);
}
END_TEST

/* Memory of exactly that size, so that reading past it is noticed. */
START_TEST(every_prefix) {
    for (size_t len = 0; len < sizeof page; len++) {
        char *cut = strndup(page, len);
        unsigned samples = 0;
        double sum = 0;
        (void)wzp_exposition_is_valid(cut, &samples);
        ck_assert_uint_le(wzp_exposition_sum(cut, "a_total", &sum), 3);
        free(cut);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("exposition");
    tcase_add_loop_test(tc, sums, 0, WZP_COUNT_OF(sum_cases));
    tcase_add_loop_test(tc, validity, 0, WZP_COUNT_OF(valid_cases));
    tcase_add_test(tc, every_prefix);
    return wzp_run_suite("exposition", tc);
}
