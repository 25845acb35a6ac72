#include <check.h>
#include <stdlib.h>

#include "crypto/mnemonic.h"
#include "crypto/session.h"

/* A slow obvious twin of the window: remembers every number that was accepted. */
typedef struct twin {
    uint32_t accepted[4096];
    size_t count;
    uint32_t highest;
} twin;

static bool twin_accept(twin *t, uint16_t size, uint32_t seq) {
    bool ok = true;
    if (t->count > 0) {
        const uint32_t behind = t->highest - seq;
        const bool ahead = seq != t->highest && seq - t->highest < UINT32_C(0x80000000);
        ok = ahead || behind < size;
        for (size_t i = 0; i < t->count; i++) {
            ok = ok && t->accepted[i] != seq;
        }
        if (ahead) {
            t->highest = seq;
        }
    } else {
        t->highest = seq;
    }
    if (ok) {
        t->accepted[t->count++] = seq;
    }
    return ok;
}

START_TEST(replay_window_equals_its_twin) {
    static const uint16_t sizes[] = {32, 64, 256, 1024};
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "replay");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_replay window;
    wzp_replay_init(&window, sizes[_i % 4]);
    twin *t = calloc(1, sizeof *t);
    uint32_t base = _i % 2 == 0 ? 1000 : UINT32_MAX - 700; /* odd rounds wrap */
    for (int step = 0; step < 2000; step++) {
        const uint32_t reach = 2U * sizes[_i % 4];
        const uint32_t seq = base + (uint32_t)wzp_rng_below(rng, reach) - reach / 2;
        const bool want = twin_accept(t, sizes[_i % 4], seq);
        ck_assert_msg(wzp_replay_accept(&window, seq) == want, "round %d step %d seq %u", _i, step,
                      seq);
        base += (uint32_t)wzp_rng_below(rng, 4);
    }
    free(t);
}
END_TEST

static const struct mnemonic_case {
    const char *name, *text, *field;
    uint64_t got;
} mnemonic_cases[] = {
    {"empty", "", "word count", 0},
    {"unknown first word", "warzone abandon", "word", 1},
    {"prefix of a word is not a word", "abando", "word", 1},
    {"longer than a word is not a word", "abandons", "word", 1},
    {"23 words",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon",
     "word count", 23},
    {"25 words",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon art art",
     "word count", 25},
    {"wrong checksum",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon",
     "checksum", 0},
};

START_TEST(mnemonic_says_what_is_wrong) {
    const struct mnemonic_case *c = &mnemonic_cases[_i];
    uint8_t seed[WZP_KEY_LEN];
    wzp_fail fail;
    ck_assert_msg(wzp_mnemonic_parse(seed, wzp_bytes_str(c->text), &fail) == WZP_ERR_MNEMONIC,
                  "%s: accepted", c->name);
    ck_assert_str_eq(fail.field, c->field);
    ck_assert_msg(fail.got == c->got, "%s: got %llu", c->name, (unsigned long long)fail.got);
}
END_TEST

START_TEST(mnemonic_round_trip) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "mnemonic");
    uint8_t seed[WZP_KEY_LEN];
    uint8_t back[WZP_KEY_LEN];
    char text[WZP_MNEMONIC_MAX];
    wzp_rng_fill(wzp_prng_rng(&prng), seed, sizeof seed);
    wzp_mnemonic_write(text, seed);
    ck_assert(wzp_mnemonic_parse(back, wzp_bytes_str(text), NULL) == WZP_OK);
    ck_assert_mem_eq(seed, back, sizeof seed);
}
END_TEST

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
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + WZP_REKEY_GRACE) == WZP_ERR_DECRYPT);
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + WZP_REKEY_GRACE - 1) == WZP_OK);
    ck_assert(wzp_session_open(b, hdr, body, opened, t0 + 1) == WZP_ERR_REPLAY);
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
    Suite *suite = suite_create("crypto");
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, replay_window_equals_its_twin, 0, 16);
    tcase_add_loop_test(tc, mnemonic_says_what_is_wrong, 0, WZP_COUNT_OF(mnemonic_cases));
    tcase_add_loop_test(tc, mnemonic_round_trip, 0, 50);
    tcase_add_test(tc, old_key_opens_for_the_grace_period_only);
    tcase_add_test(tc, every_truncation_of_a_sealed_packet_is_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
