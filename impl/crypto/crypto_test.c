#include "base/hex.h"
#include "base/testing/suite.h"
#include "crypto/crypto.h"

static size_t unhex(uint8_t *out, const char *hex) {
    const size_t len = strlen(hex) / 2;
    ck_assert(wzp_hex_parse(out, len, hex, strlen(hex), NULL) == WZP_OK);
    return len;
}

/* RFC 5869, A.1 and A.3. */
static const struct hkdf_case {
    const char *name, *ikm, *salt, *info, *okm;
} hkdf_cases[] = {
    {"salt and info", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"neither salt nor info", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    {"zeros as salt equal none", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "0000000000000000000000000000000000000000000000000000000000000000", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

START_TEST(hkdf_equals_the_rfc) {
    const struct hkdf_case *c = &hkdf_cases[_i];
    uint8_t ikm[64];
    uint8_t salt[64];
    uint8_t want[64];
    uint8_t got[64];
    const wzp_bytes secret = {ikm, unhex(ikm, c->ikm)};
    const wzp_bytes salting = {salt, unhex(salt, c->salt)};
    const size_t len = unhex(want, c->okm);
    wzp_hkdf(got, len, secret, salting, c->info);
    ck_assert_msg(memcmp(got, want, len) == 0, "%s", c->name);
}
END_TEST

START_TEST(hkdf_shorter_output_is_a_prefix) {
    uint8_t all[255 * 32];
    uint8_t part[100];
    wzp_hkdf(all, sizeof all, wzp_bytes_str("secret"), wzp_bytes_str("salt"), "info");
    for (size_t len = 0; len <= sizeof part; len++) {
        wzp_hkdf(part, len, wzp_bytes_str("secret"), wzp_bytes_str("salt"), "info");
        ck_assert_msg(memcmp(part, all, len) == 0, "%zu bytes", len);
    }
}
END_TEST

START_TEST(equal_and_wipe) {
    uint8_t a[3] = {1, 2, 3};
    const uint8_t b[3] = {1, 2, 4};
    ck_assert(wzp_crypto_init() == WZP_OK);
    ck_assert(wzp_crypto_init() == WZP_OK); /* again does no harm */
    ck_assert(!wzp_crypto_equal(a, b, 3));
    ck_assert(wzp_crypto_equal(a, b, 2));
    wzp_crypto_wipe(a, sizeof a);
    ck_assert(a[0] == 0 && a[1] == 0 && a[2] == 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, hkdf_equals_the_rfc, 0, WZP_COUNT_OF(hkdf_cases));
    tcase_add_test(tc, hkdf_shorter_output_is_a_prefix);
    tcase_add_test(tc, equal_and_wipe);
    return wzp_run_suite("crypto", tc);
}
