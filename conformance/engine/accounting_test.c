/* What was sent in the fullest and the emptiest second, against counting it the slow way; and who
 * received what. */
#include "conformance/engine/accounting.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "conformance/engine/ledger.h"

enum { PACKETS = 300, ROUNDS = 50 };

static uint64_t in_window(const wzp_ct_sent *sent, size_t n, wzp_time after, wzp_time before,
                          uint64_t *bytes) {
    uint64_t packets = 0;
    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (sent[i].at > after && sent[i].at < before) {
            packets++;
            *bytes += sent[i].wire;
        }
    }
    return packets;
}

/* Windows that begin or end at a packet, both ways of taking it in. */
static void slow_twin(wzp_ct_accounts *out, const wzp_ct_sent *sent, size_t n) {
    *out = (wzp_ct_accounts){.min_bytes = UINT64_MAX, .min_packets = UINT64_MAX};
    const wzp_time last = sent[n - 1].at;
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = 0;
        uint64_t packets = in_window(sent, n, sent[i].at - 1, sent[i].at + WZP_S, &bytes);
        out->max_packets = packets > out->max_packets ? packets : out->max_packets;
        out->max_bytes = bytes > out->max_bytes ? bytes : out->max_bytes;
        if (last - sent[i].at >= WZP_S && i + 1 < n) {
            packets = in_window(sent, n, sent[i].at, sent[i].at + WZP_S + 1, &bytes);
            out->min_packets = packets < out->min_packets ? packets : out->min_packets;
            out->min_bytes = bytes < out->min_bytes ? bytes : out->min_bytes;
        }
    }
}

START_TEST(like_its_twin) {
    wzp_prng prng;
    wzp_ct_sent sent[PACKETS];
    wzp_ct_accounts got;
    wzp_ct_accounts want;
    wzp_prng_init(&prng, (uint64_t)_i, "accounting");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_time at = WZP_S;
    for (size_t i = 0; i < PACKETS; i++) {
        at += WZP_MS * (1 + wzp_rng_below(rng, 30)); /* no two at once */
        sent[i] = (wzp_ct_sent){at, (uint32_t)wzp_rng_below(rng, 1200)};
    }
    wzp_ct_account(&got, sent, PACKETS);
    slow_twin(&want, sent, PACKETS);
    ck_assert_uint_eq(got.max_bytes, want.max_bytes);
    ck_assert_uint_eq(got.max_packets, want.max_packets);
    ck_assert_uint_eq(got.min_bytes, want.min_bytes);
    ck_assert_uint_eq(got.min_packets, want.min_packets);
}
END_TEST

START_TEST(short_traffic_has_no_full_window) {
    const wzp_ct_sent sent[] = {{WZP_S, 100}, {2 * WZP_S, 200}};
    wzp_ct_accounts got;
    wzp_ct_account(&got, sent, WZP_COUNT_OF(sent));
    ck_assert_uint_eq(got.min_packets, 0);
    ck_assert_uint_eq(got.max_packets, 1);
    ck_assert_uint_eq(got.max_bytes, 200);
    wzp_ct_account(&got, NULL, 0);
    ck_assert_uint_eq(got.max_packets, 0);
}
END_TEST

START_TEST(the_ledger_knows_its_datagrams) {
    wzp_ledger l = {0};
    wzp_ledger_sent(&l, wzp_bytes_str("one"), 100);
    wzp_ledger_sent(&l, wzp_bytes_str("two"), 200);
    wzp_ledger_got(&l, wzp_bytes_str("two"), false, 260);
    wzp_ledger_got(&l, wzp_bytes_str("one"), false, 190);
    wzp_ledger_got(&l, wzp_bytes_str("one"), false, 400); /* again: not a second delivery */
    wzp_ledger_got(&l, wzp_bytes_str("onf"), true, 400);
    ck_assert_uint_eq(l.offered, 2);
    ck_assert_uint_eq(l.delivered, 2);
    ck_assert_uint_eq(l.twice, 1);
    ck_assert_uint_eq(l.unknown, 1);
    ck_assert_uint_eq(l.late, 1);
    ck_assert_uint_eq(l.fastest, 60);
    ck_assert_uint_eq(l.slowest, 90);
    wzp_ledger_reset(&l);
    wzp_ledger_got(&l, wzp_bytes_str("two"), false, 500); /* from before: no news */
    ck_assert_uint_eq(l.delivered + l.offered, 0);
    ck_assert_uint_eq(l.twice, 2);
    ck_assert(wzp_ledger_knows(&l, wzp_bytes_str("one")));
    ck_assert(!wzp_ledger_knows(&l, wzp_bytes_str("three")));
    wzp_ledger_clear(&l);
}
END_TEST

START_TEST(the_ledger_grows) {
    wzp_ledger l = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        wzp_ledger_sent(&l, wzp_bytes_of(&i, sizeof i), i);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        wzp_ledger_got(&l, wzp_bytes_of(&i, sizeof i), false, i + 7);
    }
    ck_assert_uint_eq(l.delivered, 5000);
    ck_assert_uint_eq(l.unknown, 0);
    ck_assert_uint_eq(l.slowest, 7);
    wzp_ledger_clear(&l);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("accounting");
    tcase_add_loop_test(tc, like_its_twin, 0, ROUNDS);
    tcase_add_test(tc, short_traffic_has_no_full_window);
    tcase_add_test(tc, the_ledger_knows_its_datagrams);
    tcase_add_test(tc, the_ledger_grows);
    return wzp_run_suite("accounting", tc);
}
