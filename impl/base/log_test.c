#include "base/log.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

typedef struct kept {
    char line[600];
    wzp_log_level level;
    unsigned count;
} kept;

static void keep(void *ctx, wzp_log_level level, const char *text) {
    kept *k = ctx;
    ck_assert_uint_lt(strlen(text), sizeof k->line);
    memcpy(k->line, text, strlen(text) + 1);
    k->level = level;
    k->count++;
}

START_TEST(lines_up_to_a_level) {
    kept k = {.count = 0};
    const wzp_log log = {keep, &k, WZP_LOG_INFO};
    wzp_logf(&log, WZP_LOG_DEBUG, "hidden");
    ck_assert_uint_eq(k.count, 0);
    wzp_logf(&log, WZP_LOG_WARN, "%s %d", "shown", 3);
    ck_assert_str_eq(k.line, "shown 3");
    ck_assert_uint_eq(k.level, WZP_LOG_WARN);
    wzp_logf(NULL, WZP_LOG_ERROR, "nobody listens");
    wzp_logf(&(wzp_log){.line = NULL}, WZP_LOG_ERROR, "nobody listens");
}
END_TEST

START_TEST(long_lines_are_cut) {
    kept k = {.count = 0};
    const wzp_log log = {keep, &k, WZP_LOG_DEBUG};
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    wzp_logf(&log, WZP_LOG_INFO, "%s", text);
    ck_assert_uint_eq(k.count, 1);
    ck_assert_uint_eq(strlen(k.line), 511);
}
END_TEST

START_TEST(nobody_writes_a_line_of_his_own) {
    kept k = {.count = 0};
    const wzp_log log = {keep, &k, WZP_LOG_DEBUG};
    wzp_logf(&log, WZP_LOG_INFO, "from '%s'", "a\nERROR \x1b[31mall is lost\x7f\xc3\xa9");
    ck_assert_str_eq(k.line, "from 'a?ERROR ?[31mall is lost?\xc3\xa9'");
}
END_TEST

static const struct clean_case {
    const char *name, *text, *want;
} clean_cases[] = {
    {"as it is", "room-1", "room-1"},
    {"line end", "a\nb", "a?b"},
    {"escape", "\x1b[31m", "?[31m"},
    {"quote and backslash", "a\"b\\", "a?b?"},
    {"UTF-8 and delete", "\xc3\xa9\x7f", "???"},
    {"cut", "0123456789", "0123456"},
    {"empty", "", ""},
};

START_TEST(clean) {
    char buf[8];
    ck_assert_str_eq(
        wzp_log_clean(buf, sizeof buf, clean_cases[_i].text, strlen(clean_cases[_i].text)),
        clean_cases[_i].want);
}
END_TEST

START_TEST(level_names) {
    ck_assert_str_eq(wzp_log_level_name(WZP_LOG_ERROR), "error");
    ck_assert_str_eq(wzp_log_level_name(WZP_LOG_DEBUG), "debug");
    ck_assert_str_eq(wzp_log_level_name(WZP_LOG_LEVEL_COUNT), "?");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("log");
    tcase_add_test(tc, lines_up_to_a_level);
    tcase_add_test(tc, long_lines_are_cut);
    tcase_add_test(tc, nobody_writes_a_line_of_his_own);
    tcase_add_loop_test(tc, clean, 0, WZP_COUNT_OF(clean_cases));
    tcase_add_test(tc, level_names);
    return wzp_run_suite("log", tc);
}
