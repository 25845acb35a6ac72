#include "base/rng.h"
#include "base/testing/suite.h"
#include "crypto/mnemonic.h"

#define ABANDON_11                                                                                 \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
#define ABANDON_22 ABANDON_11 ABANDON_11

static const struct refused {
    const char *name, *text, *field;
    uint64_t got;
    size_t offset;
} refused[] = {
    {"empty", "", "word count", 0, 0},
    {"only white space", " \t\n", "word count", 0, 3},
    {"unknown first word", " warzone abandon", "word", 1, 1},
    {"unknown third word", "abandon  abandon abandonn", "word", 3, 17},
    {"prefix of a word is not a word", "abando", "word", 1, 0},
    {"longer than a word is not a word", "abandons", "word", 1, 0},
    {"capitals are other words", "Abandon", "word", 1, 0},
    {"a cut multi-byte space is no space", "abandon\xe3\x80", "word", 1, 0},
    {"12 words", ABANDON_11 "about", "word count", 12, 93},
    {"23 words", ABANDON_22 "abandon", "word count", 23, 183},
    {"25 words", ABANDON_22 "abandon art art", "word count", 25, 188},
    {"wrong checksum", ABANDON_22 "abandon abandon", "checksum", 0, 191},
};

START_TEST(says_what_is_wrong) {
    const struct refused *c = &refused[_i];
    uint8_t seed[WZP_KEY_LEN] = {7};
    wzp_fail fail;
    ck_assert_msg(wzp_mnemonic_parse(seed, wzp_bytes_str(c->text), &fail) == WZP_ERR_MNEMONIC,
                  "%s: accepted", c->name);
    ck_assert_str_eq(fail.field, c->field);
    ck_assert_msg(fail.got == c->got, "%s: got %llu", c->name, (unsigned long long)fail.got);
    ck_assert_msg(fail.offset == c->offset, "%s: offset %zu", c->name, fail.offset);
    ck_assert_msg(seed[0] == 7, "%s: the seed was written", c->name);
}
END_TEST

static const struct accepted {
    const char *name, *text;
} accepted[] = {
    {"single spaces", ABANDON_22 "abandon art"},
    {"around and between", "\n\t " ABANDON_22 "\r\n  abandon \v\f art \n"},
    {"no-break space", ABANDON_22 "abandon\xc2\xa0"
                                  "art"},
    {"next line", ABANDON_22 "abandon\xc2\x85"
                             "art"},
    {"ideographic space", "\xe3\x80\x80" ABANDON_22 "abandon\xe3\x80\x80"
                          "art\xe3\x80\x80"},
    {"thin space and line separator", ABANDON_22 "abandon\xe2\x80\x89\xe2\x80\xa8"
                                                 "art"},
};

START_TEST(any_white_space_separates) {
    const struct accepted *c = &accepted[_i];
    static const uint8_t zeros[WZP_KEY_LEN];
    uint8_t seed[WZP_KEY_LEN] = {7};
    wzp_fail fail = {0};
    const wzp_err err = wzp_mnemonic_parse(seed, wzp_bytes_str(c->text), &fail);
    ck_assert_msg(err == WZP_OK, "%s: refused at %zu", c->name, fail.offset);
    ck_assert_mem_eq(seed, zeros, sizeof seed);
}
END_TEST

START_TEST(round_trip_and_every_prefix) {
    wzp_prng prng;
    uint8_t seed[WZP_KEY_LEN];
    uint8_t back[WZP_KEY_LEN];
    char text[WZP_MNEMONIC_MAX];
    wzp_prng_init(&prng, (uint64_t)_i, "mnemonic");
    wzp_rng_fill(wzp_prng_rng(&prng), seed, sizeof seed);
    wzp_mnemonic_write(text, seed);
    ck_assert(wzp_mnemonic_parse(back, wzp_bytes_str(text), NULL) == WZP_OK);
    ck_assert_mem_eq(seed, back, sizeof seed);
    const char *last = strrchr(text, ' ');
    for (size_t len = 0; text + len <= last; len++) {
        ck_assert(wzp_mnemonic_parse(back, wzp_bytes_of(text, len), NULL) == WZP_ERR_MNEMONIC);
    }
}
END_TEST

START_TEST(list_is_sorted) {
    for (size_t i = 1; i < WZP_BIP39_WORDS; i++) {
        ck_assert_msg(strcmp(wzp_bip39_english[i - 1], wzp_bip39_english[i]) < 0, "word %zu", i);
        ck_assert(strlen(wzp_bip39_english[i]) <= 8);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, says_what_is_wrong, 0, WZP_COUNT_OF(refused));
    tcase_add_loop_test(tc, any_white_space_separates, 0, WZP_COUNT_OF(accepted));
    tcase_add_loop_test(tc, round_trip_and_every_prefix, 0, 50);
    tcase_add_test(tc, list_is_sorted);
    return wzp_run_suite("mnemonic", tc);
}
