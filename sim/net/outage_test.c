/* Outages that lose, outages that hold, and when they come. */
#include "sim/net/outage.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

/* One packet each ms for so long; returns where nothing was lost as a list of lengths: up, down,
 * up, ... in ms. */
static size_t phases(const wzp_sim_outage_cfg *outage, uint64_t ms, uint64_t *lengths, size_t cap) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.outage = *outage}, 5);
    size_t count = 0;
    bool down = false;
    uint64_t length = 0;
    for (uint64_t i = 0; i < ms && count < cap; i++) {
        bench_send(&b, i * WZP_MS + WZP_MS / 2, 100);
        bench_run(&b, i * WZP_MS + WZP_MS / 2);
        const bool lost = b.count == 0 || b.arrivals[b.count - 1].seq != i;
        if (lost != down) {
            lengths[count++] = length;
            length = 0;
            down = lost;
        }
        length++;
    }
    ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_OUTAGE], b.sent - b.count);
    bench_close(&b);
    return count;
}

START_TEST(periodic) {
    uint64_t lengths[8];
    const size_t count = phases(&(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_PERIODIC,
                                                      .on = 50 * WZP_MS,
                                                      .off = 20 * WZP_MS},
                                400, lengths, WZP_COUNT_OF(lengths));
    ck_assert_uint_eq(count, 8);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(lengths[i], i % 2 == 0 ? 50 : 20);
    }
}
END_TEST

START_TEST(the_first_one_when_it_is_said) {
    uint64_t lengths[4];
    const size_t count = phases(&(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_PERIODIC,
                                                      .first = 7 * WZP_MS,
                                                      .on = 50 * WZP_MS,
                                                      .off = 20 * WZP_MS},
                                200, lengths, WZP_COUNT_OF(lengths));
    ck_assert_uint_eq(count, 4);
    ck_assert_uint_eq(lengths[0], 7);
    ck_assert_uint_eq(lengths[1], 20);
    ck_assert_uint_eq(lengths[2], 50);
}
END_TEST

START_TEST(exponential) {
    enum { COUNT = 400 };
    static uint64_t lengths[COUNT];
    const size_t count = phases(&(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_EXPONENTIAL,
                                                      .on = 200 * WZP_MS,
                                                      .off = 50 * WZP_MS},
                                200000, lengths, COUNT);
    ck_assert_uint_eq(count, COUNT);
    uint64_t sum[2] = {0};
    uint64_t shorter[2] = {0}; /* than half the mean: 1 - exp(-1/2) of them, 79 of 200 */
    for (size_t i = 0; i < COUNT; i++) {
        sum[i % 2] += lengths[i];
        shorter[i % 2] += lengths[i] < (i % 2 == 0 ? 100 : 25) ? 1 : 0;
    }
    const uint64_t half = COUNT / 2; /* of each; three deviations are 3/sqrt(200) of the mean */
    ck_assert_uint_ge(sum[0] / half, 200 - 42);
    ck_assert_uint_le(sum[0] / half, 200 + 42);
    ck_assert_uint_ge(sum[1] / half, 50 - 11);
    ck_assert_uint_le(sum[1] / half, 50 + 11);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_ge(shorter[i], 79 - 21);
        ck_assert_uint_le(shorter[i], 79 + 21);
    }
}
END_TEST

START_TEST(handovers_are_within_their_bounds) {
    enum { COUNT = 100 };
    static uint64_t lengths[COUNT];
    const size_t count = phases(&(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_HANDOVER,
                                                      .on = 200 * WZP_MS,
                                                      .on_to = 600 * WZP_MS,
                                                      .off = 30 * WZP_MS,
                                                      .off_to = 60 * WZP_MS},
                                100000, lengths, COUNT);
    ck_assert_uint_eq(count, COUNT);
    uint64_t least[2] = {1000, 1000};
    uint64_t most[2] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        least[i % 2] = lengths[i] < least[i % 2] ? lengths[i] : least[i % 2];
        most[i % 2] = lengths[i] > most[i % 2] ? lengths[i] : most[i % 2];
    }
    ck_assert(least[0] >= 199 && least[0] < 240 && most[0] <= 601 && most[0] > 560);
    ck_assert(least[1] >= 29 && least[1] < 34 && most[1] <= 61 && most[1] > 56);
}
END_TEST

/* Wi-Fi that sleeps 200 ms each 2 s: nothing is lost, all that waited comes at once, in order. */
START_TEST(held_packets_come_in_a_burst) {
    const uint64_t bits_per_s = _i == 0 ? 0 : UINT64_C(50000000);
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.delay = {.base = 2 * WZP_MS},
                                   .rate = {.bits_per_s = bits_per_s},
                                   .outage = {.kind = WZP_SIM_OUTAGE_PERIODIC,
                                              .on = 1800 * WZP_MS,
                                              .off = 200 * WZP_MS,
                                              .hold = true}},
               1);
    for (uint64_t i = 0; i < 500; i++) {
        bench_send(&b, i * 20 * WZP_MS, 200);
    }
    bench_run(&b, 20 * WZP_S);
    ck_assert_uint_eq(b.count, 500);
    unsigned held = 0;
    for (size_t i = 0; i < b.count; i++) {
        const arrival *a = &b.arrivals[i];
        ck_assert_uint_eq(a->seq, i);
        const uint64_t phase = a->sent % (2 * WZP_S);
        const uint64_t wait = phase >= 1800 * WZP_MS ? 2 * WZP_S - phase : 0;
        const uint64_t slack = bits_per_s == 0 ? 0 : 11 * (32 * WZP_US);
        ck_assert_uint_ge(a->at, a->sent + wait + 2 * WZP_MS);
        ck_assert_uint_le(a->at, a->sent + wait + 2 * WZP_MS + slack);
        held += wait > 0 ? 1 : 0;
    }
    ck_assert_uint_eq(held, 50);
    bench_close(&b);
}
END_TEST

START_TEST(only_a_new_description_begins_anew) {
    wzp_sim_link_cfg cfg = {
        .outage = {.kind = WZP_SIM_OUTAGE_PERIODIC, .on = 100 * WZP_MS, .off = 100 * WZP_MS}};
    bench b;
    bench_open(&b, &cfg, 1);
    bench_run(&b, 150 * WZP_MS);
    cfg.delay.base = WZP_MS;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 160 * WZP_MS, 100); /* still down */
    cfg.outage.off = 50 * WZP_MS;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 161 * WZP_MS, 100); /* up, until 260 */
    bench_send(&b, 261 * WZP_MS, 100);
    cfg.outage.kind = WZP_SIM_OUTAGE_NONE;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 262 * WZP_MS, 100);
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.count, 2);
    ck_assert_uint_eq(b.arrivals[0].seq, 1);
    ck_assert_uint_eq(b.arrivals[1].seq, 3);
    bench_close(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("outage");
    tcase_add_test(tc, periodic);
    tcase_add_test(tc, the_first_one_when_it_is_said);
    tcase_add_test(tc, exponential);
    tcase_add_test(tc, handovers_are_within_their_bounds);
    tcase_add_loop_test(tc, held_packets_come_in_a_burst, 0, 2);
    tcase_add_test(tc, only_a_new_description_begins_anew);
    return wzp_run_suite("outage", tc);
}
