#include "conformance/report/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

static bool read_text(wzp_ct_expectations *out, const char *text, size_t len, char *why,
                      unsigned *line) {
    FILE *in = fmemopen(wzp_drop_const(text), len, "rb");
    ck_assert_ptr_nonnull(in);
    const bool good = wzp_ct_expect_read(out, in, why, line);
    (void)fclose(in);
    return good;
}

static const struct line_case {
    const char *name, *text;
    const char *why; /* NULL: it is good */
    unsigned line;
    size_t count;
} line_cases[] = {
    {"an id alone", "A-03\n", NULL, 0, 1},
    {"no line end", "A-03", NULL, 0, 1},
    {"comments and empty lines", "# a\n\n  \t\nA-03 # b\n#A-04\n", NULL, 0, 1},
    {"verdict and reason", "A-27 FAIL false-positive\r\nS-07\tWARN\n", NULL, 0, 2},
    {"another verdict", "A-03\nA-04 fail\n", "'fail' is none of", 2, 0},
    {"another reason", "A-04 FAIL silently\n", "'silently' is no reason", 1, 0},
    {"a fourth word", "A-04 FAIL late again\n", "more than id, verdict and reason", 1, 0},
    {"named twice", "A-04\nA-05\n\nA-04 PASS\n", "A-04 was named in line 1 already", 4, 0},
    {"no id", "A_04\n", "'A_04' is no case id", 1, 0},
    {"a long id", "ABCDEFGHIJKLMNOP\n", "is no case id", 1, 0},
};

START_TEST(lines) {
    const struct line_case *c = &line_cases[_i];
    wzp_ct_expectations e;
    char why[WZP_CT_EXPECT_WHY] = "";
    unsigned line = 0;
    const bool good = read_text(&e, c->text, strlen(c->text), why, &line);
    ck_assert_msg(good == (c->why == NULL), "%s: %s", c->name, why);
    ck_assert_msg(good || (strstr(why, c->why) != NULL && line == c->line), "%s: line %u: %s",
                  c->name, line, why);
    ck_assert_msg(e.count == c->count, "%s: %zu", c->name, e.count);
    wzp_ct_expect_clear(&e);
}
END_TEST

START_TEST(a_line_that_does_not_end) {
    char text[400];
    wzp_ct_expectations e;
    char why[WZP_CT_EXPECT_WHY] = "";
    unsigned line = 0;
    memset(text, ' ', sizeof text);
    static const uint8_t first[] = {'A', '-', '0', '1', '\n'};
    memcpy(text, first, sizeof first);
    ck_assert(!read_text(&e, text, sizeof text, why, &line));
    ck_assert_uint_eq(line, 2);
    ck_assert_ptr_nonnull(strstr(why, "longer than"));
}
END_TEST

START_TEST(every_prefix) {
    static const char text[] = "A-27 FAIL false-positive # x\nS-07 WARN no-response\nW-01\n";
    for (size_t len = 1; len < sizeof text; len++) {
        char *cut = malloc(len);
        memcpy(cut, text, len);
        wzp_ct_expectations e;
        char why[WZP_CT_EXPECT_WHY] = "";
        unsigned line = 0;
        const bool good = read_text(&e, cut, len, why, &line);
        ck_assert_msg(good || why[0] != '\0', "%zu bytes", len);
        wzp_ct_expect_clear(&e);
        free(cut);
    }
}
END_TEST

#define WARNING WZP_CT_GRADE_COUNT /* a pass that warns */

static const struct compare_case {
    const char *name;
    int expected; /* -1: not named */
    wzp_ct_reason wanted;
    int grade;
    wzp_ct_deviation deviation;
} compare_cases[] = {
    {"not named, passes", -1, 0, WZP_CT_PASS, WZP_CT_DEVIATION_NONE},
    {"not named, fails", -1, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_NEW},
    {"not named, warns", -1, 0, WARNING, WZP_CT_DEVIATION_NEW},
    {"PASS, fails", WZP_CT_EXPECT_PASS, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_NEW},
    {"FAIL, fails", WZP_CT_EXPECT_FAIL, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_KNOWN},
    {"FAIL, fails so", WZP_CT_EXPECT_FAIL, WZP_CT_REASON_LATE, WZP_CT_FAIL, WZP_CT_DEVIATION_KNOWN},
    {"FAIL, fails otherwise", WZP_CT_EXPECT_FAIL, WZP_CT_REASON_ALTERED, WZP_CT_FAIL,
     WZP_CT_DEVIATION_NEW},
    {"FAIL, passes", WZP_CT_EXPECT_FAIL, 0, WZP_CT_PASS, WZP_CT_DEVIATION_GONE},
    {"WARN, warns", WZP_CT_EXPECT_WARN, 0, WARNING, WZP_CT_DEVIATION_KNOWN},
    {"WARN, fails", WZP_CT_EXPECT_WARN, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_NEW},
    {"WARN, passes", WZP_CT_EXPECT_WARN, 0, WZP_CT_PASS, WZP_CT_DEVIATION_GONE},
    {"SKIP, fails", WZP_CT_EXPECT_SKIP, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_NEW},
    {"SKIP, passes", WZP_CT_EXPECT_SKIP, 0, WZP_CT_PASS, WZP_CT_DEVIATION_NONE},
    {"ANY, fails", WZP_CT_EXPECT_ANY, 0, WZP_CT_FAIL, WZP_CT_DEVIATION_KNOWN},
    {"ANY, passes", WZP_CT_EXPECT_ANY, 0, WZP_CT_PASS, WZP_CT_DEVIATION_NONE},
    {"FAIL, inconclusive", WZP_CT_EXPECT_FAIL, 0, WZP_CT_INCONCLUSIVE, WZP_CT_DEVIATION_NONE},
    {"FAIL, skipped", WZP_CT_EXPECT_FAIL, 0, WZP_CT_SKIP, WZP_CT_DEVIATION_NONE},
};

START_TEST(comparison) {
    const struct compare_case *c = &compare_cases[_i];
    static const wzp_ct_info info = {.id = "A-01", .level = WZP_CT_MUST};
    const bool bad = c->grade == WZP_CT_FAIL || c->grade == WARNING;
    const wzp_ct_case_result result = {.info = &info,
                                       .grade = c->grade == WARNING ? WZP_CT_PASS
                                                                    : (wzp_ct_grade)c->grade,
                                       .lenient = c->grade == WARNING,
                                       .reason = bad ? WZP_CT_REASON_LATE : WZP_CT_REASON_NONE};
    const wzp_ct_expectation e = {.id = "A-01",
                                  .what = (wzp_ct_expected)(c->expected < 0 ? 0 : c->expected),
                                  .reason = c->wanted};
    const wzp_ct_deviation got = wzp_ct_expect_compare(&result, c->expected < 0 ? NULL : &e);
    ck_assert_msg(got == c->deviation, "%s: %d", c->name, (int)got);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("expect");
    tcase_add_loop_test(tc, lines, 0, (int)WZP_COUNT_OF(line_cases));
    tcase_add_test(tc, a_line_that_does_not_end);
    tcase_add_test(tc, every_prefix);
    tcase_add_loop_test(tc, comparison, 0, (int)WZP_COUNT_OF(compare_cases));
    return wzp_run_suite("expect", tc);
}
