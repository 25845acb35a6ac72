/* Pieces of datagrams: named cases, and random splits against a slow obvious twin. */
#include "tools/pcap/link/fragments.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/link/link.h"

#define S_NS UINT64_C(1000000000)

static wzp_pcap_fragments *fragments;

static void begin(void) {
    ck_assert_int_eq(wzp_pcap_fragments_new(&fragments), WZP_OK);
}

static void end(void) {
    wzp_pcap_fragments_free(&fragments);
    ck_assert_ptr_null(fragments);
}

/* --- cases: each piece is "offset length more", its bytes count from its offset -------------- */

typedef struct piece {
    uint32_t offset;
    uint16_t len;
    bool more;
    uint8_t plus; /* added to its bytes */
} piece;

static const struct piece_case {
    const char *name;
    piece pieces[5];
    const char *want; /* Kept, Whole, Refused; of each piece */
    uint64_t expired;
} piece_cases[] = {
    {"in order", {{0, 16, 1, 0}, {16, 8, 1, 0}, {24, 5, 0, 0}}, "KKW", 0},
    {"last first", {{24, 5, 0, 0}, {16, 8, 1, 0}, {0, 16, 1, 0}}, "KKW", 0},
    {"a piece twice", {{0, 16, 1, 0}, {0, 16, 1, 0}, {16, 8, 0, 0}}, "KKW", 0},
    {"the last piece twice", {{16, 7, 0, 0}, {16, 7, 0, 0}, {0, 16, 1, 0}}, "KKW", 0},
    {"a part of what is there", {{0, 16, 1, 0}, {8, 8, 1, 0}, {16, 8, 0, 0}}, "KKW", 0},
    {"once more with other bytes", {{0, 16, 1, 0}, {0, 16, 1, 1}, {16, 8, 0, 0}}, "KRR", 1},
    {"overlaps", {{0, 16, 1, 0}, {8, 16, 1, 0}, {24, 8, 0, 0}}, "KRR", 1},
    {"overlaps from before", {{8, 16, 1, 0}, {0, 16, 1, 0}}, "KR", 1},
    {"behind the last", {{16, 8, 0, 0}, {24, 8, 1, 0}, {0, 16, 1, 0}}, "KRR", 1},
    {"the last is not behind all", {{16, 8, 1, 0}, {8, 8, 0, 0}}, "KR", 1},
    {"two ends", {{16, 8, 0, 0}, {24, 8, 0, 0}}, "KR", 1},
    {"two ends, the second shorter", {{16, 8, 0, 0}, {16, 7, 0, 0}}, "KR", 1},
    {"what was not the end is", {{16, 8, 1, 0}, {16, 8, 0, 0}}, "KR", 1},
    {"what was the end is not", {{16, 8, 0, 0}, {16, 8, 1, 0}}, "KR", 1},
    {"an odd length in the middle", {{0, 15, 1, 0}, {16, 8, 0, 0}}, "RR", 1},
    {"no bytes", {{0, 16, 1, 0}, {16, 0, 0, 0}}, "KR", 1},
    {"past the longest datagram", {{65528, 7, 0, 0}, {65528, 8, 0, 0}}, "KR", 1},
    {"a piece alone", {{8, 8, 1, 0}}, "K", 0},
};

static wzp_pcap_fragment make(const piece *p, uint32_t id, uint64_t time_ns, uint8_t *data) {
    for (uint32_t i = 0; i < p->len; i++) {
        data[i] = (uint8_t)((p->offset + i) * 7 + p->plus);
    }
    return (wzp_pcap_fragment){.key = {.id = id, .family = WZP_ADDR_V4, .proto = 17},
                               .time_ns = time_ns,
                               .offset = p->offset,
                               .more = p->more,
                               .proto = p->offset == 0 ? 17 : 99,
                               .data = wzp_bytes_of(data, p->len)};
}

static char letter(wzp_pcap_fragment_verdict verdict) {
    return "KWR"[verdict];
}

static wzp_bytes whole;
static uint8_t proto;

static char take(const piece *p, uint32_t id, uint64_t time_ns) {
    static uint8_t data[65536];
    const wzp_pcap_fragment fragment = make(p, id, time_ns, data);
    return letter(wzp_pcap_fragments_take(fragments, &fragment, &whole, &proto));
}

START_TEST(cases) {
    const struct piece_case *c = &piece_cases[_i];
    begin();
    for (size_t i = 0; c->want[i] != '\0'; i++) {
        const char got = take(&c->pieces[i], 1, 0);
        ck_assert_msg(got == c->want[i], "%s: piece %zu: %c", c->name, i, got);
        if (got == 'W') {
            ck_assert_uint_eq(proto, 17);
            for (size_t at = 0; at < whole.len; at++) {
                ck_assert_uint_eq(whole.data[at], (uint8_t)(at * 7));
            }
        }
    }
    ck_assert_uint_eq(wzp_pcap_fragments_expired(fragments), c->expired);
    end();
}
END_TEST

START_TEST(datagrams_do_not_mix) {
    const piece first = {0, 8, true, 0};
    const piece last = {8, 8, false, 0};
    begin();
    for (uint32_t id = 0; id < WZP_PCAP_FRAGMENTED_MAX; id++) {
        ck_assert_int_eq(take(&first, id, 0), 'K');
    }
    for (uint32_t id = WZP_PCAP_FRAGMENTED_MAX; id-- > 0;) {
        ck_assert_int_eq(take(&last, id, 0), 'W');
    }
    ck_assert_uint_eq(wzp_pcap_fragments_expired(fragments), 0);
    end();
}
END_TEST

START_TEST(every_part_of_the_key_counts) {
    const piece first = {0, 8, true, 0};
    const piece last = {8, 8, false, 0};
    uint8_t data[8];
    wzp_pcap_fragment other[5];
    for (size_t i = 0; i < 5; i++) {
        other[i] = make(&last, 7, 0, data);
    }
    other[0].key.src[15] = 1;
    other[1].key.dst[0] = 1;
    other[2].key.id = 8;
    other[3].key.family = WZP_ADDR_V6;
    other[4].key.proto = 1;
    for (size_t i = 0; i < 5; i++) {
        begin();
        ck_assert_int_eq(take(&first, 7, 0), 'K');
        ck_assert_int_eq(letter(wzp_pcap_fragments_take(fragments, &other[i], &whole, &proto)),
                         'K');
        end();
    }
}
END_TEST

START_TEST(the_oldest_goes) {
    const piece first = {0, 8, true, 0};
    const piece last = {8, 8, false, 0};
    begin();
    for (uint32_t id = 0; id <= WZP_PCAP_FRAGMENTED_MAX; id++) {
        ck_assert_int_eq(take(&first, id, 0), 'K');
    }
    ck_assert_uint_eq(wzp_pcap_fragments_expired(fragments), 1);
    ck_assert_int_eq(take(&last, 1, 0), 'W');
    ck_assert_int_eq(take(&last, 0, 0), 'K');
    end();
}
END_TEST

START_TEST(time_passes) {
    const piece first = {0, 8, true, 0};
    const piece last = {8, 8, false, 0};
    begin();
    ck_assert_int_eq(take(&first, 1, 100 * S_NS), 'K');
    ck_assert_int_eq(take(&last, 1, 100 * S_NS + WZP_PCAP_FRAGMENTS_TIMEOUT_NS), 'W');
    ck_assert_int_eq(take(&first, 1, 100 * S_NS), 'K');
    ck_assert_int_eq(take(&last, 1, 101 * S_NS + WZP_PCAP_FRAGMENTS_TIMEOUT_NS), 'K');
    ck_assert_uint_eq(wzp_pcap_fragments_expired(fragments), 1);
    ck_assert_int_eq(take(&first, 1, 5 * S_NS), 'W'); /* a clock that was set back */
    end();
}
END_TEST

START_TEST(refused_from_outside) {
    const piece first = {0, 8, true, 0};
    const piece last = {8, 8, false, 0};
    uint8_t data[8];
    const wzp_pcap_fragment cut = make(&first, 1, 0, data);
    begin();
    wzp_pcap_fragments_refuse(fragments, &cut);
    wzp_pcap_fragments_refuse(fragments, &cut);
    ck_assert_int_eq(take(&last, 1, 0), 'R');
    ck_assert_uint_eq(wzp_pcap_fragments_expired(fragments), 1);
    end();
}
END_TEST

/* --- the twin: a byte each, and who wrote it -------------------------------------------------- */

typedef struct twin {
    uint8_t bytes[65536];
    bool there[65536];
    long end; /* -1: not known */
    bool refused;
} twin;

static bool twin_fits(const twin *t, const piece *p) {
    const uint32_t stop = p->offset + p->len;
    if (p->len == 0 || stop > 65535 || (p->more && p->len % 8 != 0)) {
        return false;
    }
    if (t->end >= 0 && (p->more ? (long)stop >= t->end : (long)stop != t->end)) {
        return false;
    }
    for (uint32_t i = stop; !p->more && i < 65536; i++) {
        if (t->there[i]) {
            return false;
        }
    }
    return true;
}

static char twin_take(twin *t, const piece *p) {
    uint32_t there = 0;
    bool differs = false;
    for (uint32_t i = p->offset; i < p->offset + p->len && i < 65536; i++) {
        const uint8_t byte = (uint8_t)(i * 7 + p->plus);
        there += t->there[i] ? 1 : 0;
        differs = differs || (t->there[i] && t->bytes[i] != byte);
    }
    const bool again = there == p->len && !differs && (p->more || t->end >= 0);
    t->refused = t->refused || !twin_fits(t, p) || (there != 0 && !again);
    if (t->refused) {
        return 'R';
    }
    for (uint32_t i = p->offset; i < p->offset + p->len; i++) {
        t->bytes[i] = (uint8_t)(i * 7 + p->plus);
        t->there[i] = true;
    }
    t->end = p->more ? t->end : (long)(p->offset + p->len);
    for (long i = 0; i < t->end; i++) {
        if (!t->there[i]) {
            return 'K';
        }
    }
    return t->end >= 0 ? 'W' : 'K';
}

/* Splits a datagram at random, shuffles the pieces, repeats some; now and then one is wrong. */
START_TEST(random_splits) {
    static twin t;
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "fragments_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    begin();
    for (uint32_t round = 0; round < 200; round++) {
        piece pieces[64];
        size_t count = 0;
        const uint32_t len = 1 + (uint32_t)wzp_rng_below(rng, 600);
        for (uint32_t at = 0; at < len; count++) {
            const uint32_t size = 8 * (1 + (uint32_t)wzp_rng_below(rng, 20));
            const bool more = at + size < len;
            pieces[count] = (piece){at, (uint16_t)(more ? size : len - at), more, 0};
            at += size;
        }
        for (size_t i = count; i > 1; i--) {
            const size_t other = (size_t)wzp_rng_below(rng, i);
            const piece swap = pieces[i - 1];
            pieces[i - 1] = pieces[other];
            pieces[other] = swap;
        }
        if (wzp_rng_below(rng, 2) == 0) {
            pieces[count] = pieces[wzp_rng_below(rng, count)];
            count++;
        }
        if (wzp_rng_below(rng, 3) == 0) {
            piece *bad = &pieces[wzp_rng_below(rng, count)];
            bad->offset += 8 * (uint32_t)wzp_rng_below(rng, 2);
            bad->more = wzp_rng_below(rng, 2) == 0;
            bad->plus = (uint8_t)wzp_rng_below(rng, 2);
        }
        memset(&t, 0, sizeof t);
        t.end = -1;
        for (size_t i = 0; i < count; i++) {
            const char want = twin_take(&t, &pieces[i]);
            const char got = take(&pieces[i], round, round);
            ck_assert_msg(got == want, "round %u piece %zu: %c, twin %c", round, i, got, want);
            if (got == 'W') {
                ck_assert(wzp_bytes_equal(whole, wzp_bytes_of(t.bytes, (size_t)t.end)));
                break;
            }
        }
    }
    end();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("fragments");
    tcase_add_loop_test(tc, cases, 0, WZP_COUNT_OF(piece_cases));
    tcase_add_test(tc, datagrams_do_not_mix);
    tcase_add_test(tc, every_part_of_the_key_counts);
    tcase_add_test(tc, the_oldest_goes);
    tcase_add_test(tc, time_passes);
    tcase_add_test(tc, refused_from_outside);
    tcase_add_loop_test(tc, random_splits, 0, 20);
    return wzp_run_suite("fragments", tc);
}
