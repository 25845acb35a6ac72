#include "base/text.h"

#include "base/testing/suite.h"

static const struct next_case {
    const char *name, *text;
    size_t len;
    uint32_t want[4];
    size_t count;
} next_cases[] = {
    {"ASCII", "a", 1, {'a'}, 1},
    {"a terminator is a character", "\0", 1, {0}, 1},
    {"two bytes", "\xc3\xa9", 2, {0xe9}, 1},
    {"three bytes", "\xe2\x82\xac", 3, {0x20ac}, 1},
    {"four bytes", "\xf0\x9f\x98\x80", 4, {0x1f600}, 1},
    {"cut inside", "\xe2\x82", 2, {0xfffd, 0xfffd}, 2},
    {"too long a form", "\xc0\xaf", 2, {0xfffd, 0xfffd}, 2},
    {"a surrogate", "\xed\xa0\x80", 3, {0xfffd, 0xfffd, 0xfffd}, 3},
    {"a noncharacter", "\xef\xbf\xbe", 3, {0xfffd, 0xfffd, 0xfffd}, 3},
    {"beyond the last", "\xf4\x90\x80\x80", 4, {0xfffd, 0xfffd, 0xfffd, 0xfffd}, 4},
    {"goes on after bad ones",
     "\xff"
     "a",
     2,
     {0xfffd, 'a'},
     2},
};

START_TEST(next) {
    const struct next_case *c = &next_cases[_i];
    wzp_bytes rest = wzp_bytes_of(c->text, c->len);
    size_t count = 0;
    while (rest.len > 0) {
        const uint32_t got = wzp_text_next(&rest);
        ck_assert_msg(count < c->count && got == c->want[count], "%s: U+%04x", c->name, got);
        count++;
    }
    ck_assert_uint_eq(count, c->count);
}
END_TEST

START_TEST(every_character_comes_back) {
    for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 251) {
        char out[4];
        wzp_bytes rest = wzp_bytes_of(out, wzp_text_encode(out, c));
        const bool is_none =
            (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0);
        ck_assert(is_none || (wzp_text_next(&rest) == c && rest.len == 0));
    }
}
END_TEST

START_TEST(what_must_not_be_shown) {
    ck_assert(wzp_text_is_control(0x1b));
    ck_assert(wzp_text_is_control(0x202e));
    ck_assert(!wzp_text_is_control('a'));
    ck_assert_str_eq(wzp_text_entity('<'), "&lt;");
    ck_assert_ptr_null(wzp_text_entity('a'));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("text");
    tcase_add_loop_test(tc, next, 0, (int)WZP_COUNT_OF(next_cases));
    tcase_add_test(tc, every_character_comes_back);
    tcase_add_test(tc, what_must_not_be_shown);
    return wzp_run_suite("base text", tc);
}
