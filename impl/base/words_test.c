#include "base/words.h"

#include "base/testing/suite.h"

static const struct find_case {
    const char *name, *text, *word;
    size_t want;
    bool begins;
} find_cases[] = {
    {"at the start", "abc", "ab", 0, true},  {"inside", "xxabab", "ab", 2, false},
    {"at the end", "xxab", "ab", 2, false},  {"cut", "xxa", "ab", 3, false},
    {"the whole text", "ab", "ab", 0, true}, {"longer than the text", "a", "ab", 1, false},
    {"no text", "", "ab", 0, false},         {"after half of it", "aab", "ab", 1, false},
};

START_TEST(words_are_found) {
    const struct find_case *c = &find_cases[_i];
    const wzp_bytes text = wzp_bytes_str(c->text);
    ck_assert_msg(wzp_words_find(text, c->word) == c->want, "%s", c->name);
    ck_assert_msg(wzp_words_begin(text, c->word) == c->begins, "%s", c->name);
    const wzp_bytes rest = wzp_words_after(text, c->want);
    ck_assert_uint_eq(rest.len, text.len - c->want);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("words");
    tcase_add_loop_test(tc, words_are_found, 0, WZP_COUNT_OF(find_cases));
    return wzp_run_suite("base.words", tc);
}
