#include "base/hex.h"

#include <check.h>

#include "base/testing/suite.h"

static const struct parse_case {
    const char *name, *text;
    size_t len; /* bytes that are asked for */
    wzp_err want;
    size_t want_at;
} parse_cases[] = {
    {"both cases", "aBc0", 2, WZP_OK, 99},
    {"nothing", "", 0, WZP_OK, 99},
    {"odd length", "abc", 2, WZP_ERR_HEX, 3},
    {"too short", "ab", 2, WZP_ERR_HEX, 2},
    {"too long", "abcdef", 2, WZP_ERR_HEX, 6},
    {"letter past f", "abxc", 2, WZP_ERR_HEX, 2},
    {"bad character before a bad length", "a b", 2, WZP_ERR_HEX, 1},
    {"blank at the end", "abc ", 2, WZP_ERR_HEX, 3},
    {"prefix", "0xab", 2, WZP_ERR_HEX, 1},
    {"between the ranges", "a:b@", 2, WZP_ERR_HEX, 1},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    uint8_t out[2] = {0};
    size_t at = 99;
    const wzp_err err = wzp_hex_parse(out, c->len, c->text, strlen(c->text), &at);
    ck_assert_msg(err == c->want, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_msg(at == c->want_at, "%s: at %zu", c->name, at);
    ck_assert(wzp_hex_parse(out, c->len, c->text, strlen(c->text), NULL) == c->want);
}
END_TEST

START_TEST(every_byte_round_trips) {
    uint8_t bytes[256];
    uint8_t back[256];
    char text[513];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    ck_assert_ptr_eq(wzp_hex_write(text, wzp_bytes_of(bytes, sizeof bytes)), text);
    ck_assert_uint_eq(strlen(text), 512);
    ck_assert_mem_eq(text + (size_t)2 * 0xa5, "a5a6", 4);
    ck_assert(wzp_hex_parse(back, sizeof back, text, 512, NULL) == WZP_OK);
    ck_assert_mem_eq(back, bytes, sizeof bytes);
    ck_assert_str_eq(wzp_hex_write(text, wzp_bytes_of(NULL, 0)), "");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("hex");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, every_byte_round_trips);
    return wzp_run_suite("hex", tc);
}
