#include "base/err.h"

#include <check.h>
#include <string.h>

#include "base/testing/suite.h"

START_TEST(every_code_has_name_text_and_consequence) {
    for (int i = 1; i < WZP_ERR_COUNT; i++) {
        const wzp_err err = (wzp_err)i;
        const char *text = wzp_err_text(err);
        ck_assert_str_ne(wzp_err_name(err), "UNKNOWN");
        ck_assert_uint_ne(wzp_err_consequence(err), WZP_CONSEQUENCE_NONE);
        ck_assert_uint_gt(strlen(text), 0);
        ck_assert_msg(text[strlen(text) - 1] != '.', "%s ends in a full stop", text);
        for (int k = 1; k < i; k++) {
            ck_assert_str_ne(wzp_err_name((wzp_err)k), wzp_err_name(err));
        }
    }
}
END_TEST

START_TEST(known_rows) {
    ck_assert_str_eq(wzp_err_name(WZP_OK), "OK");
    ck_assert_uint_eq(wzp_err_consequence(WZP_OK), WZP_CONSEQUENCE_NONE);
    ck_assert_str_eq(wzp_err_name(WZP_ERR_QUALITY_TRUNCATED), "QUALITY_TRUNCATED");
    ck_assert_uint_eq(wzp_err_consequence(WZP_ERR_QUALITY_TRUNCATED), WZP_CONSEQUENCE_DROP);
    ck_assert_uint_eq(wzp_err_consequence(WZP_ERR_SIGNAL_TOO_LARGE), WZP_CONSEQUENCE_CLOSE);
    ck_assert_uint_eq(wzp_err_consequence(WZP_ERR_NOMEM), WZP_CONSEQUENCE_FATAL);
}
END_TEST

START_TEST(values_outside_the_enum) {
    static const int values[] = {-1, WZP_ERR_COUNT, 9999};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        ck_assert_str_eq(wzp_err_name((wzp_err)values[i]), "UNKNOWN");
        ck_assert_uint_eq(wzp_err_consequence((wzp_err)values[i]), WZP_CONSEQUENCE_FATAL);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("err");
    tcase_add_test(tc, every_code_has_name_text_and_consequence);
    tcase_add_test(tc, known_rows);
    tcase_add_test(tc, values_outside_the_enum);
    return wzp_run_suite("err", tc);
}
