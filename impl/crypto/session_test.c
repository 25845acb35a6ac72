#include <check.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "crypto/session.h"

static const uint8_t header[WZP_MEDIA_HDR_LEN] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 7};

START_TEST(old_key_opens_for_the_grace_period_only) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "rekey");
    const wzp_rng rng = wzp_prng_rng(&prng);
    const wzp_session_keys keys = {{1, 2, 3}, {4, 5, 6, 7}, 0};
    wzp_session *a = wzp_session_new(&keys);
    wzp_session *b = wzp_session_new(&keys);
    const wzp_bytes hdr = wzp_bytes_of(header, sizeof header);
    uint8_t sealed[5 + WZP_TAG_LEN];
    uint8_t opened[5];
    uint8_t pub_a[32];
    uint8_t pub_b[32];
    const wzp_time t0 = 100 * WZP_S;

    ck_assert(wzp_session_rekey_complete(a, pub_a, t0) == WZP_ERR_NO_PENDING_REKEY);
    ck_assert(wzp_session_seal(a, hdr, wzp_bytes_str("hello"), sealed) == WZP_OK);
    wzp_session_rekey_begin(a, rng, pub_a);
    wzp_session_rekey_begin(b, rng, pub_b);
    ck_assert(wzp_session_rekey_complete(a, pub_b, t0) == WZP_OK);
    ck_assert(wzp_session_rekey_complete(b, pub_a, t0) == WZP_OK);
    ck_assert_mem_eq(wzp_session_keys_of(a)->key, wzp_session_keys_of(b)->key, 32);

    const wzp_bytes body = wzp_bytes_of(sealed, sizeof sealed);
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + WZP_REKEY_GRACE - 1) == WZP_OK);
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + WZP_REKEY_GRACE - 1) == WZP_ERR_REPLAY);
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + WZP_REKEY_GRACE) == WZP_ERR_DECRYPT);
    wzp_session_free(&a);
    wzp_session_free(&b);
}
END_TEST

START_TEST(every_truncation_of_a_sealed_packet_is_refused) {
    const wzp_session_keys keys = {{1}, {2}, 0};
    wzp_session *s = wzp_session_new(&keys);
    const wzp_bytes hdr = wzp_bytes_of(header, sizeof header);
    uint8_t sealed[5 + WZP_TAG_LEN];
    uint8_t opened[5];
    ck_assert(wzp_session_seal(s, hdr, wzp_bytes_str("hello"), sealed) == WZP_OK);
    for (size_t len = 0; len < sizeof sealed; len++) {
        ck_assert(wzp_session_open(s, hdr, wzp_bytes_of(sealed, len), opened, 0) ==
                  WZP_ERR_DECRYPT);
    }
    for (size_t len = 0; len < sizeof header; len++) {
        ck_assert(wzp_session_open(s, wzp_bytes_of(header, len),
                                   wzp_bytes_of(sealed, sizeof sealed), opened,
                                   0) == WZP_ERR_TRUNCATED);
    }
    wzp_session_free(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("session");
    tcase_add_test(tc, old_key_opens_for_the_grace_period_only);
    tcase_add_test(tc, every_truncation_of_a_sealed_packet_is_refused);
    return wzp_run_suite("crypto.session", tc);
}
