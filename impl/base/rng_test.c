/* Randomness and time, the two things that are handed in. */
#include "base/rng.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "base/time.h"

static wzp_prng stream(uint64_t seed, const char *name) {
    wzp_prng prng;
    wzp_prng_init(&prng, seed, name);
    return prng;
}

START_TEST(streams_repeat) {
    wzp_prng a = stream(7, "link");
    wzp_prng b = stream(7, "link");
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_eq(wzp_rng_u64(wzp_prng_rng(&a)), wzp_rng_u64(wzp_prng_rng(&b)));
    }
}
END_TEST

START_TEST(streams_of_other_names_and_seeds_differ) {
    wzp_prng streams[] = {stream(7, "link"), stream(7, "nat"), stream(8, "link"), stream(7, ""),
                          stream(0, "link")};
    uint64_t firsts[WZP_COUNT_OF(streams)];
    for (size_t i = 0; i < WZP_COUNT_OF(streams); i++) {
        firsts[i] = wzp_rng_u64(wzp_prng_rng(&streams[i]));
        for (size_t k = 0; k < i; k++) {
            ck_assert_uint_ne(firsts[i], firsts[k]);
        }
    }
}
END_TEST

/* A stream is one sequence of bytes, however it is drawn. */
START_TEST(pieces_join) {
    wzp_prng a = stream(1, "pieces");
    wzp_prng b = stream(1, "pieces");
    uint8_t whole[64];
    uint8_t pieces[64];
    wzp_rng_fill(wzp_prng_rng(&a), whole, sizeof whole);
    for (size_t at = 0, len = 1; at < sizeof pieces; at += len, len = len % 7 + 1) {
        len = len < sizeof pieces - at ? len : sizeof pieces - at;
        wzp_rng_fill(wzp_prng_rng(&b), pieces + at, len);
    }
    ck_assert_mem_eq(whole, pieces, sizeof whole);
}
END_TEST

/* Words and bytes may be drawn in any order from one stream. */
START_TEST(words_are_the_same_both_ways) {
    wzp_prng a = stream(5, "words");
    wzp_prng b = stream(5, "words");
    for (size_t i = 0; i < 1000; i++) {
        uint8_t some[2][16];
        wzp_rng_fill(wzp_prng_rng(&a), some[0], i % 3 == 0 ? i % 11 : 0);
        wzp_rng_fill(wzp_prng_rng(&b), some[1], i % 3 == 0 ? i % 11 : 0);
        ck_assert_uint_eq(wzp_prng_u64(&a), wzp_rng_u64(wzp_prng_rng(&b)));
    }
}
END_TEST

/* Runs recorded with a seed must replay years later: the first draws are part of the contract. */
START_TEST(known_draws) {
    static const uint64_t want[] = {UINT64_C(0xa72dd619ef22f912), UINT64_C(0x8b8d3ff40ba18160),
                                    UINT64_C(0x8fb2a2d10d111757)};
    wzp_prng prng = stream(42, "known");
    for (size_t i = 0; i < WZP_COUNT_OF(want); i++) {
        ck_assert_uint_eq(wzp_rng_u64(wzp_prng_rng(&prng)), want[i]);
    }
}
END_TEST

START_TEST(below_is_in_range_and_even) {
    static const uint64_t bounds[] = {1, 2, 3, 7, 1000, UINT64_C(1) << 63, UINT64_MAX};
    wzp_prng prng = stream(3, "below");
    unsigned counts[7] = {0};
    for (size_t i = 0; i < WZP_COUNT_OF(bounds); i++) {
        for (int n = 0; n < 1000; n++) {
            ck_assert_uint_lt(wzp_rng_below(wzp_prng_rng(&prng), bounds[i]), bounds[i]);
        }
    }
    for (int n = 0; n < 70000; n++) {
        counts[wzp_rng_below(wzp_prng_rng(&prng), 7)]++;
    }
    for (size_t i = 0; i < 7; i++) { /* 10000 expected, sigma 93 */
        ck_assert_uint_gt(counts[i], 9500);
        ck_assert_uint_lt(counts[i], 10500);
    }
}
END_TEST

/* Hands out the values of a list, to reach the draws that would bias. */
static void scripted(void *ctx, uint8_t *out, size_t len) {
    const uint64_t **next = ctx;
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(**next >> (8 * i));
    }
    (*next)++;
}

START_TEST(biased_draws_are_drawn_again) {
    /* 2^64 mod 7 is 2: the draws 0 and 1 are one too many. */
    static const uint64_t draws[] = {0, 1, 2, 9};
    const uint64_t *next = draws;
    const wzp_rng rng = {scripted, &next};
    ck_assert_uint_eq(wzp_rng_below(rng, 7), 2);
    ck_assert_uint_eq(wzp_rng_below(rng, 7), 2);
}
END_TEST

START_TEST(time_saturates) {
    ck_assert_uint_eq(wzp_time_after(1, 2), 3);
    ck_assert_uint_eq(wzp_time_after(WZP_TIME_NEVER - 1, 1), WZP_TIME_NEVER);
    ck_assert_uint_eq(wzp_time_after(WZP_TIME_NEVER - 1, 5), WZP_TIME_NEVER);
    ck_assert_uint_eq(wzp_time_after(WZP_TIME_NEVER, WZP_TIME_NEVER), WZP_TIME_NEVER);
    ck_assert_uint_eq(wzp_time_since(3, 5), 0);
    ck_assert_uint_eq(wzp_time_since(5, 3), 2);
    ck_assert_uint_eq(wzp_time_min(3, WZP_TIME_NEVER), 3);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("rng");
    tcase_add_test(tc, streams_repeat);
    tcase_add_test(tc, streams_of_other_names_and_seeds_differ);
    tcase_add_test(tc, pieces_join);
    tcase_add_test(tc, words_are_the_same_both_ways);
    tcase_add_test(tc, known_draws);
    tcase_add_test(tc, below_is_in_range_and_even);
    tcase_add_test(tc, biased_draws_are_drawn_again);
    tcase_add_test(tc, time_saturates);
    return wzp_run_suite("rng", tc);
}
