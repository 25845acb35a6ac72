#include "sim/lab/units.h"

#include "base/bytes.h"
#include "base/testing/suite.h"

static const struct parse_case {
    const char *text;
    wzp_lab_unit kind;
    wzp_lab_units_err want;
    int64_t low, high;
} parse_cases[] = {
    {"20 ms", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 20000000, 20000000},
    {"20ms", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 20000000, 20000000},
    {" 20  ms ", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 20000000, 20000000},
    {"0.6 s", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 600000000, 600000000},
    {"1.50 min", WZP_LAB_TIME, WZP_LAB_UNITS_OK, INT64_C(90000000000), INT64_C(90000000000)},
    {"10..50 ms", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 10000000, 50000000},
    {"10 ms..1 s", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 10000000, 1000000000},
    {"0.5..1.5 s", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 500000000, 1500000000},
    {"0 ms", WZP_LAB_TIME, WZP_LAB_UNITS_OK, 0, 0},
    {"10 Mbit/s", WZP_LAB_RATE, WZP_LAB_UNITS_OK, 10000000, 10000000},
    {"0.4 Mbit/s", WZP_LAB_RATE, WZP_LAB_UNITS_OK, 400000, 400000},
    {"1500 B", WZP_LAB_SIZE, WZP_LAB_UNITS_OK, 1500, 1500},
    {"64 KiB", WZP_LAB_SIZE, WZP_LAB_UNITS_OK, 65536, 65536},
    {"0.1 %", WZP_LAB_SHARE, WZP_LAB_UNITS_OK, 1000, 1000},
    {"0.0001 %", WZP_LAB_SHARE, WZP_LAB_UNITS_OK, 1, 1},
    {"250 ppm", WZP_LAB_SHARE, WZP_LAB_UNITS_OK, 250, 250},
    {"-100..100 ppm", WZP_LAB_SKEW, WZP_LAB_UNITS_OK, -100, 100},
    {"0.5 /s", WZP_LAB_PER_S, WZP_LAB_UNITS_OK, 500, 500},
    {"1..5", WZP_LAB_PLAIN, WZP_LAB_UNITS_OK, 1, 5},
    {"", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"ms", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {".5 ms", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"5. ms", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"-", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"1..", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"..5 ms", WZP_LAB_TIME, WZP_LAB_UNITS_NO_NUMBER, 0, 0},
    {"20", WZP_LAB_TIME, WZP_LAB_UNITS_NO_UNIT, 0, 0},
    {"10..20", WZP_LAB_TIME, WZP_LAB_UNITS_NO_UNIT, 0, 0},
    {"20 MS", WZP_LAB_TIME, WZP_LAB_UNITS_UNKNOWN, 0, 0},
    {"20 Mbit/s", WZP_LAB_TIME, WZP_LAB_UNITS_UNKNOWN, 0, 0},
    {"1.2.3 ms", WZP_LAB_TIME, WZP_LAB_UNITS_UNKNOWN, 0, 0},
    {"5 apples", WZP_LAB_PLAIN, WZP_LAB_UNITS_UNKNOWN, 0, 0},
    {"0.5 ns", WZP_LAB_TIME, WZP_LAB_UNITS_FINE, 0, 0},
    {"0.00001 %", WZP_LAB_SHARE, WZP_LAB_UNITS_FINE, 0, 0},
    {"1.5", WZP_LAB_PLAIN, WZP_LAB_UNITS_FINE, 0, 0},
    {"99999999999999999999 ms", WZP_LAB_TIME, WZP_LAB_UNITS_BIG, 0, 0},
    {"9999999999 h", WZP_LAB_TIME, WZP_LAB_UNITS_BIG, 0, 0},
    {"50..10 ms", WZP_LAB_TIME, WZP_LAB_UNITS_ORDER, 0, 0},
    {"1 s..10 ms", WZP_LAB_TIME, WZP_LAB_UNITS_ORDER, 0, 0},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    int64_t low = 77;
    int64_t high = 77;
    const wzp_lab_units_err got = wzp_lab_units_parse(c->kind, c->text, &low, &high);
    ck_assert_msg(got == c->want, "'%s': got %d", c->text, got);
    const bool ok = got == WZP_LAB_UNITS_OK;
    ck_assert_msg(low == (ok ? c->low : 77) && high == (ok ? c->high : 77), "'%s': %lld..%lld",
                  c->text, (long long)low, (long long)high);
}
END_TEST

static const struct text_case {
    wzp_lab_unit kind;
    int64_t value;
    const char *want;
} text_cases[] = {
    {WZP_LAB_TIME, 20000000, "20 ms"},
    {WZP_LAB_TIME, 1500000000, "1500 ms"},
    {WZP_LAB_TIME, 0, "0 ns"},
    {WZP_LAB_TIME, INT64_C(120000000000), "2 min"},
    {WZP_LAB_RATE, 48000, "48 kbit/s"},
    {WZP_LAB_SHARE, 10000, "1 %"},
    {WZP_LAB_SHARE, 1500, "1500 ppm"},
    {WZP_LAB_SKEW, -50, "-50 ppm"},
    {WZP_LAB_PER_S, 4000, "4 /s"},
    {WZP_LAB_PER_S, 1250, "1.250 /s"},
    {WZP_LAB_SIZE, 1500, "1500 B"},
    {WZP_LAB_SIZE, 65536, "64 KiB"},
    {WZP_LAB_PLAIN, 8, "8"},
};

START_TEST(text) {
    const struct text_case *c = &text_cases[_i];
    char buf[WZP_LAB_UNITS_TEXT_MAX];
    int64_t low = 0;
    int64_t high = 0;
    ck_assert_str_eq(wzp_lab_units_text(c->kind, c->value, buf), c->want);
    ck_assert_int_eq(wzp_lab_units_parse(c->kind, buf, &low, &high), WZP_LAB_UNITS_OK);
    ck_assert_int_eq(low, c->value);
    ck_assert_int_eq(high, c->value);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("units");
    tcase_add_loop_test(tc, parse, 0, (int)WZP_COUNT_OF(parse_cases));
    tcase_add_loop_test(tc, text, 0, (int)WZP_COUNT_OF(text_cases));
    return wzp_run_suite("units", tc);
}
