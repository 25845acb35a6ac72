#include "wire/json.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "wire/testing/bytes.h"

static wzp_json reader(wzp_bytes text) {
    wzp_json json;
    wzp_json_init(&json, text);
    return json;
}

static const struct uint_case {
    const char *text;
    uint64_t max;
    bool ok;
    uint64_t want;
} uint_cases[] = {
    {"0", UINT64_MAX, true, 0},
    {" \t\r\n7", UINT64_MAX, true, 7},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"9223372036854775808", UINT64_MAX, true, UINT64_C(9223372036854775808)},
    {"18446744073709551616", UINT64_MAX, false, 0},
    {"100000000000000000000000000", UINT64_MAX, false, 0},
    {"255", 255, true, 255},
    {"256", 255, false, 0},
    {"-1", UINT64_MAX, false, 0},
    {"-0", UINT64_MAX, false, 0},
    {"1.0", UINT64_MAX, false, 0},
    {"1e3", UINT64_MAX, false, 0},
    {"01", UINT64_MAX, false, 0},
    {"+1", UINT64_MAX, false, 0},
    {"", UINT64_MAX, false, 0},
    {"true", UINT64_MAX, false, 0},
    {"\"1\"", UINT64_MAX, false, 0},
};

START_TEST(integers) {
    const struct uint_case *c = &uint_cases[_i];
    wzp_json json = reader(wzp_bytes_str(c->text));
    const uint64_t got = wzp_json_uint(&json, c->max, "n");
    ck_assert_msg((json.rd.fail.code == WZP_OK) == c->ok, "%s", c->text);
    ck_assert_uint_eq(got, c->want);
}
END_TEST

static const struct number_case {
    const char *text;
    bool ok;
    double want;
} number_cases[] = {
    {"0", true, 0},
    {"-0", true, -0.0},
    {"0.2", true, 0.2},
    {"-12.5e-1", true, -1.25},
    {"1E+3", true, 1000},
    {"0.000000000000000000000000000000000000000000000000000001e54", true, 1},
    {"100000000000000000000000000000000000000000000000000000e-53", true, 1},
    {"0e999999999999999999999", true, 0},
    {"1e-999999999999999999999", true, 0},
    {"1.7976931348623157e308", true, 1.7976931348623157e308},
    {"1e309", false, 0},
    {"1e999999999999999999999", false, 0},
    {".5", false, 0},
    {"1.", false, 0},
    {"1.e3", false, 0},
    {"1e", false, 0},
    {"1e+", false, 0},
    {"-", false, 0},
    {"00", false, 0},
    {"NaN", false, 0},
    {"Infinity", false, 0},
    {"0x10", true, 0}, /* the rest is for whoever reads next */
};

START_TEST(numbers) {
    const struct number_case *c = &number_cases[_i];
    wzp_json json = reader(wzp_bytes_str(c->text));
    const double got = wzp_json_number(&json, "n");
    ck_assert_msg((json.rd.fail.code == WZP_OK) == c->ok, "%s", c->text);
    ck_assert_msg(got == c->want && (signbit(got) != 0) == (signbit(c->want) != 0), "%s: %g",
                  c->text, got);
}
END_TEST

START_TEST(number_of_a_million_digits) {
    const size_t len = 1000000;
    char *text = malloc(len);
    memset(text, '0', len);
    put(text, "0.");
    put(text + len - 8, "25e99999"); /* 25 * 10^-(len - 8) * 10^99999 */
    wzp_json json = reader(wzp_bytes_of(text, len));
    ck_assert(wzp_json_number(&json, "n") == 0.0);
    ck_assert(json.rd.fail.code == WZP_OK);
    put(text + len - 9, "2e999990");
    json = reader(wzp_bytes_of(text, len - 1));
    ck_assert(wzp_json_number(&json, "n") == 2.0);
    free(text);
}
END_TEST

static const struct string_case {
    const char *name, *text;
    const char *want; /* NULL: refused */
} string_cases[] = {
    {"plain", "abc", "abc"},
    {"empty", "", ""},
    {"simple escapes", "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
    {"two bytes of UTF-8", "\\u00e9", "\xc3\xa9"},
    {"three", "\\u20AC", "\xe2\x82\xac"},
    {"four, as a pair", "\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
    {"UTF-8 as it is", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"lone high surrogate", "\\ud83d", NULL},
    {"high surrogate, then a letter", "\\ud83dx", NULL},
    {"two high surrogates", "\\ud83d\\ud83d", NULL},
    {"lone low surrogate", "\\ude00", NULL},
    {"unknown escape", "\\q", NULL},
    {"short escape", "\\u12", NULL},
    {"escape that is not hex", "\\u12g4", NULL},
    {"line end", "a\nb", NULL},
    {"invalid lead byte", "\xff", NULL},
    {"lone continuation", "\x80", NULL},
    {"cut sequence", "\xe2\x82", NULL},
    {"overlong slash", "\xc0\xaf", NULL},
    {"overlong three bytes", "\xe0\x80\xaf", NULL},
    {"overlong four bytes", "\xf0\x80\x80\xaf", NULL},
    {"surrogate in UTF-8", "\xed\xa0\x80", NULL},
    {"past U+10FFFF", "\xf4\x90\x80\x80", NULL},
    {"last code point", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
};

START_TEST(strings) {
    const struct string_case *c = &string_cases[_i];
    char text[64];
    uint8_t buf[WZP_JSON_NAME_MAX];
    (void)snprintf(text, sizeof text, "\"%s\"", c->text);
    wzp_json json = reader(wzp_bytes_str(text));
    const wzp_bytes got = wzp_json_name(&json, buf, "s");
    ck_assert_msg((json.rd.fail.code == WZP_OK) == (c->want != NULL), "%s", c->name);
    if (c->want != NULL) {
        CK_ASSERT_BYTES(got, wzp_bytes_str(c->want));
        wzp_json_end(&json);
        ck_assert(json.rd.fail.code == WZP_OK);
    }
}
END_TEST

START_TEST(long_name_keeps_its_escapes) {
    char text[400];
    uint8_t buf[WZP_JSON_NAME_MAX];
    memset(text, 'a', sizeof text);
    put(text, "\"\\u0061");
    text[sizeof text - 1] = '"';
    wzp_json json = reader(wzp_bytes_of(text, sizeof text));
    ck_assert_uint_eq(wzp_json_name(&json, buf, "s").len, sizeof text - 2);
    ck_assert(json.rd.fail.code == WZP_OK);
}
END_TEST

static const struct skip_case {
    const char *text;
    bool ok;
} skip_cases[] = {
    {"1", true},
    {"\"\xff\"", true}, /* not kept, so not checked */
    {"\"\\ud800\"", true},
    {"\"\\x\"", false},
    {"null", true},
    {"[]", true},
    {"{}", true},
    {"[1,[2,{\"a\":[]}],{}]", true},
    {"{\"a\":{\"b\":[null,true,false]},\"a\":1}", true},
    {" [ 1 , 2 ] ", true},
    {"[1,]", false},
    {"[,1]", false},
    {"[1 2]", false},
    {"{\"a\" 1}", false},
    {"{\"a\":1,}", false},
    {"{1:2}", false},
    {"{\"a\":1]", false},
    {"[1}", false},
    {"[", false},
    {"{\"a\":", false},
    {"nul", false},
    {"", false},
    {"]", false},
    {"[[[[[[[[1],2],3],4],5],6],7],8]", true},
};

START_TEST(skipping) {
    const struct skip_case *c = &skip_cases[_i];
    wzp_json json = reader(wzp_bytes_str(c->text));
    wzp_json_skip(&json, "x");
    wzp_json_end(&json);
    ck_assert_msg((json.rd.fail.code == WZP_OK) == c->ok, "%s", c->text);
    ck_assert_uint_eq(json.depth, 0);
}
END_TEST

/* The stack of open containers against the obvious twin: a random nest, whole and with one closing
 * bracket of the wrong kind. */
START_TEST(skipping_deep_nests) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "json_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    const size_t levels = _i == 0 ? 200000 : 1 + (size_t)wzp_rng_below(rng, 3000);
    char *text = malloc(6 * levels + 1);
    char *close = malloc(levels);
    size_t len = 0;
    for (size_t i = 0; i < levels; i++) {
        const bool object = wzp_rng_below(rng, 2) != 0;
        memcpy(text + len, object ? "{\"k\":" : "[", object ? 5 : 1);
        len += object ? 5 : 1;
        close[levels - 1 - i] = object ? '}' : ']';
    }
    text[len++] = '1';
    memcpy(text + len, close, levels);
    wzp_json json = reader(wzp_bytes_of(text, len + levels));
    wzp_json_skip(&json, "x");
    wzp_json_end(&json);
    ck_assert(json.rd.fail.code == WZP_OK);

    const size_t bad = len + (size_t)wzp_rng_below(rng, levels);
    text[bad] = text[bad] == '}' ? ']' : '}';
    json = reader(wzp_bytes_of(text, len + levels));
    wzp_json_skip(&json, "x");
    ck_assert_uint_eq(json.rd.fail.offset, bad);
    free(text);
    free(close);
}
END_TEST

START_TEST(reading_has_a_depth_limit) {
    char text[WZP_JSON_MAX_DEPTH + 1];
    memset(text, '[', sizeof text);
    wzp_json json = reader(wzp_bytes_of(text, sizeof text));
    for (unsigned i = 0; i < WZP_JSON_MAX_DEPTH; i++) {
        wzp_json_begin(&json, '[', "x");
    }
    ck_assert(json.rd.fail.code == WZP_OK);
    wzp_json_begin(&json, '[', "x");
    ck_assert(json.rd.fail.code == WZP_ERR_SIGNAL_JSON);
}
END_TEST

START_TEST(first_failure_stays) {
    wzp_json json = reader(wzp_bytes_str("[1,true]"));
    bool first = true;
    wzp_json_begin(&json, '[', "list");
    ck_assert(wzp_json_next(&json, ']', &first, "list"));
    ck_assert(!wzp_json_bool(&json, "flag"));
    ck_assert(!wzp_json_next(&json, ']', &first, "list"));
    wzp_json_null(&json, "later");
    wzp_json_skip(&json, "later");
    wzp_json_end(&json);
    ck_assert_str_eq(json.rd.fail.field, "flag");
    ck_assert_uint_eq(json.rd.fail.offset, 1);
}
END_TEST

static const struct f32_case {
    float value;
    const char *want;
} f32_cases[] = {
    {0.0F, "0.0"},
    {-0.0F, "-0.0"},
    {0.2F, "0.2"},
    {1.0F, "1.0"},
    {2.5F, "2.5"},
    {100.0F, "100.0"},
    {0.001F, "0.001"},
    {0.000001F, "0.000001"},
    {1e-7F, "1e-7"},
    {1.5e-7F, "1.5e-7"},
    {16777216.0F, "16777216.0"},
    {123456.79F, "123456.79"},
    {1e12F, "1000000000000.0"},
    {1e13F, "1e13"},
    {1.25e20F, "1.25e20"},
    {3.4028235e38F, "3.4028235e38"},
    {1e-45F, "1e-45"},
    {-33.333332F, "-33.333332"},
    {INFINITY, "null"},
    {NAN, "null"},
};

static const char *f32_text(float value, char buf[64]) {
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)buf, 63);
    wzp_json_write_f32(&wr, value);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    buf[wzp_wr_len(&wr)] = '\0';
    return buf;
}

START_TEST(f32_spelling) {
    char buf[64];
    ck_assert_str_eq(f32_text(f32_cases[_i].value, buf), f32_cases[_i].want);
}
END_TEST

START_TEST(every_f32_reads_back) {
    wzp_prng prng;
    wzp_prng_init(&prng, 5, "json_test");
    for (int i = 0; i < 20000; i++) {
        const uint32_t bits = (uint32_t)wzp_rng_u64(wzp_prng_rng(&prng));
        float value;
        char buf[64];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        wzp_json json = reader(wzp_bytes_str(f32_text(value, buf)));
        const float back = (float)wzp_json_number(&json, "n");
        wzp_json_end(&json);
        ck_assert(json.rd.fail.code == WZP_OK);
        ck_assert_msg(back == value && signbit(back) == signbit(value), "%s", buf);
    }
}
END_TEST

START_TEST(string_spelling) {
    const char text[] = "a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9";
    const char want[] = "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"";
    uint8_t buf[64];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_json_write_string(&wr, wzp_bytes_of(text, sizeof text - 1));
    CK_ASSERT_BYTES(wzp_bytes_of(buf, wzp_wr_len(&wr)), wzp_bytes_of(want, sizeof want - 1));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("json");
    tcase_add_loop_test(tc, integers, 0, WZP_COUNT_OF(uint_cases));
    tcase_add_loop_test(tc, numbers, 0, WZP_COUNT_OF(number_cases));
    tcase_add_test(tc, number_of_a_million_digits);
    tcase_add_loop_test(tc, strings, 0, WZP_COUNT_OF(string_cases));
    tcase_add_test(tc, long_name_keeps_its_escapes);
    tcase_add_loop_test(tc, skipping, 0, WZP_COUNT_OF(skip_cases));
    tcase_add_loop_test(tc, skipping_deep_nests, 0, 20);
    tcase_add_test(tc, reading_has_a_depth_limit);
    tcase_add_test(tc, first_failure_stays);
    tcase_add_loop_test(tc, f32_spelling, 0, WZP_COUNT_OF(f32_cases));
    tcase_add_test(tc, every_f32_reads_back);
    tcase_add_test(tc, string_spelling);
    return wzp_run_suite("json", tc);
}
