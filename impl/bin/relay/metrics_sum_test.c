#include "bin/relay/metrics_sum.h"

#include "base/testing/suite.h"

static const struct sum_case {
    const char *name, *first, *second, *want;
} sum_cases[] = {
    {"counters", "# HELP a x\n# TYPE a counter\na 1\n", "# HELP a x\n# TYPE a counter\na 41\n",
     "# HELP a x\n# TYPE a counter\na 42\n"},
    {"labels of one page only stay with their family",
     "# TYPE a counter\na{s=\"1\"} 1\n# TYPE b gauge\nb 2\n",
     "# TYPE a counter\na{s=\"2\"} 7\n# TYPE b gauge\nb 3\n",
     "# TYPE a counter\na{s=\"1\"} 1\na{s=\"2\"} 7\n# TYPE b gauge\nb 5\n"},
    {"a family of the second page only", "# TYPE a counter\na 1\n",
     "# TYPE c counter\nc 5\n# TYPE a counter\na 1\n",
     "# TYPE a counter\na 2\n# TYPE c counter\nc 5\n"},
    {"fractions", "# TYPE a gauge\na 0.5\n", "# TYPE a gauge\na 1\n", "# TYPE a gauge\na 1.5\n"},
    {"what is so everywhere", "# TYPE x_info gauge\nx_info{m=\"on\"} 1\n",
     "# TYPE x_info gauge\nx_info{m=\"on\"} 1\n", "# TYPE x_info gauge\nx_info{m=\"on\"} 1\n"},
    {"large numbers", "a 9007199254740993\n", "a 1\n", "a 9007199254740994\n"},
    {"an empty page", "", "a 1\n", "a 1\n"},
    {"no number", "a 1\n", "a one\n", NULL},
    {"no value", "a\n", "", NULL},
};

START_TEST(pages_add_up) {
    const struct sum_case *t = &sum_cases[_i];
    uint8_t buf[512];
    wzp_wr wr;
    const wzp_bytes pages[] = {wzp_bytes_str(t->first), wzp_bytes_str(t->second)};
    wzp_wr_init(&wr, buf, sizeof buf - 1);
    const wzp_err err = wzp_metrics_sum(pages, 2, &wr);
    ck_assert_msg((err == WZP_OK) == (t->want != NULL), "%s: %s", t->name, wzp_err_name(err));
    buf[wzp_wr_len(&wr)] = '\0';
    if (t->want != NULL) {
        ck_assert_str_eq((const char *)buf, t->want);
    }
}
END_TEST

START_TEST(a_short_buffer_is_an_error) {
    uint8_t buf[8];
    wzp_wr wr;
    const wzp_bytes page = wzp_bytes_str("# TYPE a counter\na 1\n");
    wzp_wr_init(&wr, buf, sizeof buf);
    ck_assert(wzp_metrics_sum(&page, 1, &wr) != WZP_OK);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, pages_add_up, 0, (int)WZP_COUNT_OF(sum_cases));
    tcase_add_test(tc, a_short_buffer_is_an_error);
    return wzp_run_suite("metrics_sum", tc);
}
