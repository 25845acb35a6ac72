#include "tools/pcap/flow/loss.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"

/* --- orders of arrival ------------------------------------------------------------------------ */

static const struct order_case {
    const char *name;
    uint32_t seqs[12];
    size_t count;
    uint64_t expected, lost, reordered, duplicates, resets, strays;
} order_cases[] = {
    {"one packet", {7}, 1, 1, 0, 0, 0, 0, 0},
    {"in order", {1, 2, 3, 4}, 4, 4, 0, 0, 0, 0, 0},
    {"one lost", {1, 2, 4, 5}, 4, 5, 1, 0, 0, 0, 0},
    {"one late", {1, 3, 2, 4}, 4, 4, 0, 1, 0, 0, 0},
    {"late and twice", {1, 3, 2, 2, 4}, 5, 4, 0, 1, 1, 0, 0},
    {"twice is no late one", {1, 2, 3, 1, 2}, 5, 3, 0, 0, 2, 0, 0},
    {"overtaken at the start", {5, 4, 3, 6}, 4, 4, 0, 2, 0, 0, 0},
    {"numbers wrap", {0xfffffffe, 0xffffffff, 0, 1}, 4, 4, 0, 0, 0, 0, 0},
    {"late across the wrap", {0xffffffff, 1, 0, 2}, 4, 4, 0, 1, 0, 0, 0},
    {"lost across the wrap", {0xfffffffe, 2}, 2, 5, 3, 0, 0, 0, 0},
    {"2999 ahead is loss", {0, 2999}, 2, 3000, 2998, 0, 0, 0, 0},
    {"3000 ahead is another beginning", {0, 3000, 3001}, 3, 3, 0, 0, 0, 1, 0},
    {"back to 0 after many", {100000, 100001, 0, 1}, 4, 4, 0, 0, 0, 1, 0},
    {"back by a window less one is late", {5000, 5000 - 1023}, 2, 1024, 1022, 1, 0, 0, 0},
    {"back by a window is another beginning",
     {5000, 5000 - 1024, 5000 - 1023},
     3,
     3,
     0,
     0,
     0,
     1,
     0},
    {"one that comes very late is a stray", {5000, 5000 - 1024, 5001}, 3, 2, 0, 0, 0, 0, 1},
    {"and so is one far ahead", {5000, 9000, 5001, 5002}, 4, 3, 0, 0, 0, 0, 1},
    {"strays apart make no beginning", {5000, 1, 5001, 2, 5002, 3, 5003}, 7, 4, 0, 0, 0, 0, 3},
    {"anew with a loss", {100000, 0, 3, 4}, 4, 6, 2, 0, 0, 1, 0},
    {"a stray, then anew elsewhere", {100000, 7, 50000, 50001}, 4, 3, 0, 0, 0, 1, 1},
    {"anew across the wrap", {100000, 0xffffffff, 0, 1}, 4, 4, 0, 0, 0, 1, 0},
};

START_TEST(order) {
    const struct order_case *c = &order_cases[_i];
    wzp_pcap_loss loss = {0};
    wzp_pcap_loss_figures f;
    for (size_t i = 0; i < c->count; i++) {
        (void)wzp_pcap_loss_take(&loss, c->seqs[i], c->seqs[i], 1000 * i);
    }
    wzp_pcap_loss_sum(&loss, &f);
    ck_assert_msg(f.expected == c->expected && f.lost == c->lost, "%s: %llu of %llu lost", c->name,
                  (unsigned long long)f.lost, (unsigned long long)f.expected);
    ck_assert_msg(loss.reordered == c->reordered, "%s: reordered", c->name);
    ck_assert_msg(loss.duplicates == c->duplicates, "%s: duplicates", c->name);
    ck_assert_msg(loss.resets == c->resets, "%s: resets", c->name);
    ck_assert_msg(loss.strays == c->strays, "%s: strays", c->name);
}
END_TEST

START_TEST(same_number_with_other_bytes) {
    wzp_pcap_loss loss = {0};
    (void)wzp_pcap_loss_take(&loss, 1, 11, 0);
    ck_assert_int_eq(wzp_pcap_loss_take(&loss, 1, 11, 0).kind, WZP_PCAP_ARRIVAL_DUPLICATE);
    ck_assert_int_eq(wzp_pcap_loss_take(&loss, 1, 12, 0).kind, WZP_PCAP_ARRIVAL_OTHER);
    ck_assert_uint_eq(loss.unique, 1);
    ck_assert_uint_eq(loss.others, 1);
}
END_TEST

START_TEST(lateness_is_since_the_packet_that_overtook) {
    wzp_pcap_loss loss = {0};
    (void)wzp_pcap_loss_take(&loss, 1, 0, 0);
    (void)wzp_pcap_loss_take(&loss, 4, 0, 60 * WZP_MS);
    const wzp_pcap_place soon = wzp_pcap_loss_take(&loss, 2, 0, 259 * WZP_MS);
    const wzp_pcap_place late = wzp_pcap_loss_take(&loss, 3, 0, 260 * WZP_MS);
    ck_assert_uint_eq(soon.late_ns, 199 * WZP_MS);
    ck_assert_uint_eq(soon.distance, 2);
    ck_assert_uint_eq(late.late_ns, 200 * WZP_MS);
    ck_assert_uint_eq(loss.too_late, 1);
    ck_assert_uint_eq(loss.reorder_max, 2);
    ck_assert_uint_eq(loss.late_max_ns, 200 * WZP_MS);
}
END_TEST

START_TEST(what_is_missed) {
    wzp_pcap_loss loss = {0};
    ck_assert(!wzp_pcap_loss_misses(&loss, 1));
    (void)wzp_pcap_loss_take(&loss, 5, 0, 0);
    (void)wzp_pcap_loss_take(&loss, 8, 0, 0);
    ck_assert(!wzp_pcap_loss_misses(&loss, 4));
    ck_assert(!wzp_pcap_loss_misses(&loss, 5));
    ck_assert(wzp_pcap_loss_misses(&loss, 6));
    ck_assert(!wzp_pcap_loss_misses(&loss, 9));
}
END_TEST

/* --- patterns: '.' received, 'x' lost --------------------------------------------------------- */

static const struct pattern_case {
    const char *name, *packets;
    uint64_t bursts, longest;
    double burst_packets, burst_density, gap_density, p, r;
} pattern_cases[] = {
    {"nothing lost", "....", 0, 0, 0, 0, 0, 0, 0},
    {"one lost is of a gap", "....x.....", 0, 1, 0, 0, .1, 1. / 8, 1},
    {"two in a row", "....xx....", 1, 2, 2, 1, 0, 1. / 7, .5},
    {"15 between: one burst", "x...............x", 1, 1, 17, 2. / 17, 0, 1. / 15, 1},
    {"16 between: two alone", "x................x", 0, 1, 0, 0, 2. / 18, 1. / 16, 1},
    {"all lost", "xxxx", 1, 4, 4, 1, 0, 0, 0},
    {"burst, gap, one", "xx.x................x...", 1, 2, 4, .75, 1. / 20, 2. / 19, .75},
};

START_TEST(pattern) {
    const struct pattern_case *c = &pattern_cases[_i];
    wzp_pcap_pattern p = {0};
    for (const char *at = c->packets; *at != '\0'; at++) {
        wzp_pcap_pattern_feed(&p, *at == 'x');
    }
    wzp_pcap_pattern_close(&p);
    const double packets = p.bursts > 0 ? (double)p.burst_packets / (double)p.bursts : 0;
    ck_assert_msg(p.bursts == c->bursts, "%s: bursts", c->name);
    ck_assert_msg(p.longest_run == c->longest, "%s: longest run", c->name);
    ck_assert_double_eq_tol(packets, c->burst_packets, 1e-9);
    ck_assert_double_eq_tol(p.burst_packets > 0 ? (double)p.burst_lost / (double)p.burst_packets
                                                : 0,
                            c->burst_density, 1e-9);
    ck_assert_double_eq_tol(p.packets > p.burst_packets ? (double)(p.lost - p.burst_lost) /
                                                              (double)(p.packets - p.burst_packets)
                                                        : 0,
                            c->gap_density, 1e-9);
    ck_assert_double_eq_tol(
        p.after_received > 0 ? (double)p.lost_after_received / (double)p.after_received : 0, c->p,
        1e-9);
    ck_assert_double_eq_tol(
        p.after_lost > 0 ? (double)p.received_after_lost / (double)p.after_lost : 0, c->r, 1e-9);
}
END_TEST

/* --- a slow twin ------------------------------------------------------------------------------ */

enum { TWIN = 6000 };

/* Packets 0..TWIN-1 through a network that loses, doubles and delays them. */
static size_t make_arrivals(uint32_t *out, uint8_t *fate, wzp_rng rng, uint32_t base) {
    size_t count = 0;
    bool bad = false;
    for (uint32_t i = 0; i < TWIN; i++) {
        bad = wzp_rng_below(rng, 100) < (bad ? 70 : 2);
        fate[i] = bad ? 0 : wzp_rng_below(rng, 50) == 0 ? 2 : 1;
        for (uint8_t copy = 0; copy < fate[i]; copy++) {
            out[count++] = base + i;
        }
    }
    for (size_t i = 0; i + 40 < count; i++) { /* swaps over short distances */
        if (wzp_rng_below(rng, 30) == 0) {
            const size_t other = i + wzp_rng_below(rng, 40);
            const uint32_t keep = out[i];
            out[i] = out[other];
            out[other] = keep;
        }
    }
    return count;
}

START_TEST(agrees_with_a_slow_twin) {
    static uint32_t arrivals[2 * TWIN];
    static uint8_t fate[TWIN];
    static uint8_t seen[TWIN];
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "loss");
    const uint32_t base = _i % 2 == 0 ? 100 : UINT32_C(0xfffff000);
    const size_t count = make_arrivals(arrivals, fate, wzp_prng_rng(&prng), base);
    wzp_pcap_loss loss = {0};
    memset(seen, 0, sizeof seen);
    uint64_t reordered = 0;
    uint64_t duplicates = 0;
    uint32_t highest = arrivals[0] - base;
    uint32_t lowest = highest;
    for (size_t i = 0; i < count; i++) {
        const uint32_t n = arrivals[i] - base;
        (void)wzp_pcap_loss_take(&loss, arrivals[i], n, i);
        duplicates += seen[n];
        reordered += seen[n] == 0 && n < highest ? 1 : 0;
        seen[n] = 1;
        highest = n > highest ? n : highest;
        lowest = n < lowest ? n : lowest;
    }
    wzp_pcap_pattern twin = {0};
    for (uint32_t n = lowest; n <= highest; n++) {
        wzp_pcap_pattern_feed(&twin, seen[n] == 0);
    }
    wzp_pcap_pattern_close(&twin);
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(&loss, &f);
    ck_assert_uint_eq(f.expected, highest - lowest + 1);
    ck_assert_uint_eq(f.lost, twin.lost);
    ck_assert_uint_eq(loss.duplicates, duplicates);
    ck_assert_uint_eq(loss.reordered, reordered);
    ck_assert_uint_eq(f.bursts, twin.bursts);
    ck_assert_uint_eq(f.longest_run, twin.longest_run);
    ck_assert_double_eq_tol(f.gilbert_r, (double)twin.received_after_lost / (double)twin.after_lost,
                            1e-12);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("loss");
    tcase_add_loop_test(tc, order, 0, (int)WZP_COUNT_OF(order_cases));
    tcase_add_test(tc, same_number_with_other_bytes);
    tcase_add_test(tc, lateness_is_since_the_packet_that_overtook);
    tcase_add_test(tc, what_is_missed);
    tcase_add_loop_test(tc, pattern, 0, (int)WZP_COUNT_OF(pattern_cases));
    tcase_add_loop_test(tc, agrees_with_a_slow_twin, 0, 8);
    return wzp_run_suite("pcap_flow loss", tc);
}
