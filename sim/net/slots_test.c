/* Starlink's slots: boundaries, gaps, losses behind them, the delay of each slot, outages. */
#include "sim/net/slots.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

static const wzp_sim_slots_cfg usual = {
    .on = true,
    .base_from = 15 * WZP_MS,
    .base_to = 35 * WZP_MS,
    .gap_from = 20 * WZP_MS,
    .gap_to = 100 * WZP_MS,
};

static void run(bench *b, const wzp_sim_slots_cfg *slots, uint64_t seconds, uint64_t gap) {
    bench_open(b, &(wzp_sim_link_cfg){.slots = *slots, .queue = {.limit_packets = 10000}}, 3);
    for (uint64_t at = 0; at < seconds * WZP_S; at += gap) {
        bench_send(b, at, 200);
    }
    bench_run(b, seconds * WZP_S + WZP_S);
}

/* Which slot a time lies in: 0 until second 12, then one more at 12, 27, 42, 57, 72, ... */
static uint64_t slot_of(uint64_t at) {
    return at < 12 * WZP_S ? 0 : (at - 12 * WZP_S) / (15 * WZP_S) + 1;
}

static uint64_t since_boundary(uint64_t at) {
    return at < 12 * WZP_S ? at + WZP_S : (at - 12 * WZP_S) % (15 * WZP_S);
}

START_TEST(delays_change_at_the_boundaries_only) {
    bench b;
    run(&b, &usual, 120, 5 * WZP_MS);
    ck_assert_uint_eq(b.count, b.sent);
    uint64_t base[9] = {0};
    for (size_t i = 0; i < b.count; i++) {
        const arrival *a = &b.arrivals[i];
        const uint64_t slot = slot_of(a->sent);
        if (since_boundary(a->sent) < 150 * WZP_MS) {
            continue; /* held, or behind what was held */
        }
        const uint64_t took = a->at - a->sent;
        bench_expect(took >= 15 * WZP_MS && took <= 35 * WZP_MS);
        if (base[slot] == 0) {
            base[slot] = took;
        }
        bench_expect(took == base[slot]);
    }
    for (size_t i = 1; i <= slot_of(120 * WZP_S); i++) {
        ck_assert_uint_ne(base[i], base[i - 1]);
    }
    bench_close(&b);
}
END_TEST

START_TEST(gaps_hold_at_the_boundaries) {
    bench b;
    run(&b, &usual, 120, WZP_MS);
    for (uint64_t boundary = 12 * WZP_S; boundary < 120 * WZP_S; boundary += 15 * WZP_S) {
        uint64_t first = 0; /* to arrive that was sent at the boundary or later */
        uint64_t burst = 0; /* that left together with it */
        for (size_t i = 0; i < b.count; i++) {
            const arrival *a = &b.arrivals[i];
            if (a->sent >= boundary && first == 0) {
                first = a->at;
            }
            burst += a->sent >= boundary && a->at == first ? 1 : 0;
        }
        const uint64_t held = first - boundary; /* gap and delay of the new slot, both unknown */
        ck_assert(held >= 35 * WZP_MS && held <= 135 * WZP_MS);
        ck_assert(burst >= 20 && burst <= 101);
    }
    bench_close(&b);
}
END_TEST

START_TEST(losses_follow_a_boundary) {
    wzp_sim_slots_cfg cfg = usual;
    cfg.burst_loss_ppm = 300000;
    bench b;
    run(&b, &cfg, 600, WZP_MS);
    uint64_t expected = 0;
    uint64_t lost = 0;
    uint64_t runs = 0;
    bool before = true;
    for (size_t i = 0, seq = 0; seq < b.sent; seq++) {
        const bool came = i < b.count && b.arrivals[i].seq == seq;
        i += came ? 1 : 0;
        runs += before && !came ? 1 : 0;
        before = came;
        const uint64_t at = seq * WZP_MS;
        const bool in_burst = at >= 12 * WZP_S && since_boundary(at) < 200 * WZP_MS;
        bench_expect(came || in_burst);
        expected += in_burst ? 1 : 0;
        lost += came ? 0 : 1;
    }
    ck_assert_uint_eq(expected, 8000);
    ck_assert_uint_ge(lost * 100 / expected, 25); /* 30 %, three deviations of such bursts are 3 */
    ck_assert_uint_le(lost * 100 / expected, 35);
    ck_assert_uint_ge(lost * 100, runs * 185); /* two in a row on average */
    ck_assert_uint_le(lost * 100, runs * 215);
    bench_close(&b);
}
END_TEST

START_TEST(outages_come_now_and_then) {
    const wzp_sim_slots_cfg cfg = {.on = true,
                                   .base_from = 20 * WZP_MS,
                                   .base_to = 20 * WZP_MS,
                                   .outage_every = 100 * WZP_S,
                                   .outage_from = 300 * WZP_MS,
                                   .outage_to = 2 * WZP_S};
    bench b;
    run(&b, &cfg, 10000, 50 * WZP_MS);
    unsigned outages = 0;
    uint64_t length = 0; /* packets */
    for (size_t i = 0, seq = 0; seq < b.sent; seq++) {
        const bool came = i < b.count && b.arrivals[i].seq == seq;
        i += came ? 1 : 0;
        if (!came) {
            length++;
        } else if (length > 0) {
            ck_assert(length >= 5 && length <= 41);
            length = 0;
            outages++;
        }
    }
    ck_assert_uint_ge(outages, 70);
    ck_assert_uint_le(outages, 130);
    ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_OUTAGE], b.sent - b.count);
    bench_close(&b);
}
END_TEST

START_TEST(slots_may_begin_later) {
    wzp_sim_link_cfg cfg = {.delay = {.base = 20 * WZP_MS}};
    bench b;
    bench_open(&b, &cfg, 1);
    bench_send(&b, 20 * WZP_S, 100);
    bench_run(&b, 21 * WZP_S);
    ck_assert_uint_eq(b.arrivals[0].at, 20 * WZP_S + 20 * WZP_MS);
    cfg.slots = usual;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 21 * WZP_S + 5 * WZP_MS, 100); /* no boundary is made up for */
    bench_send(&b, 27 * WZP_S - 1, 100);
    bench_send(&b, 27 * WZP_S + WZP_MS, 100); /* in the gap */
    bench_run(&b, 30 * WZP_S);
    ck_assert_uint_lt(b.arrivals[1].at, 21 * WZP_S + 40 * WZP_MS);
    ck_assert_uint_le(b.arrivals[2].at, 27 * WZP_S + 35 * WZP_MS);
    ck_assert_uint_ge(b.arrivals[3].at, 27 * WZP_S + 35 * WZP_MS);
    cfg.slots.on = false;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 42 * WZP_S + WZP_MS, 100);
    bench_run(&b, 43 * WZP_S);
    ck_assert_uint_eq(b.arrivals[4].at, 42 * WZP_S + 21 * WZP_MS);
    bench_close(&b);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("slots");
    tcase_add_test(tc, delays_change_at_the_boundaries_only);
    tcase_add_test(tc, gaps_hold_at_the_boundaries);
    tcase_add_test(tc, losses_follow_a_boundary);
    tcase_add_test(tc, outages_come_now_and_then);
    tcase_add_test(tc, slots_may_begin_later);
    return wzp_run_suite("slots", tc);
}
