/* The pipeline of one link: order, times, what is dropped and counted, changes while it runs. */
#include "sim/net/link.h"

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

#define MBIT UINT64_C(1000000)

/* --- the plain ones --------------------------------------------------------------------------- */

START_TEST(a_perfect_wire_delivers_at_once_but_not_within_the_call) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){0}, 1);
    bench_send(&b, 5 * WZP_MS, 1228);
    ck_assert_uint_eq(b.count, 0);
    bench_run(&b, 5 * WZP_MS);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_uint_eq(b.arrivals[0].at, 5 * WZP_MS);
    const wzp_sim_counts counts = bench_counts(&b);
    ck_assert_uint_eq(counts.bytes_in, 1228);
    ck_assert_uint_eq(counts.bytes_out, 1228);
    bench_close(&b);
}
END_TEST

START_TEST(delay_and_rate_add_up) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.delay = {.base = 10 * WZP_MS},
                                   .rate = {.bits_per_s = 8 * MBIT, .overhead = 22}},
               1);
    bench_send(&b, 0, 978);
    bench_send(&b, 0, 478);
    bench_send(&b, 5 * WZP_MS, 78);
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.count, 3);
    ck_assert_uint_eq(b.arrivals[0].at, 11 * WZP_MS);
    ck_assert_uint_eq(b.arrivals[1].at, 11500 * WZP_US);
    ck_assert_uint_eq(b.arrivals[2].at, 15100 * WZP_US);
    bench_close(&b);
}
END_TEST

START_TEST(one_packet_costs_one_event_and_one_that_waits_two) {
    bench b;
    bench_open(
        &b, &(wzp_sim_link_cfg){.delay = {.base = 10 * WZP_MS}, .rate = {.bits_per_s = 8 * MBIT}},
        1);
    for (uint64_t i = 0; i < 100; i++) {
        bench_send(&b, i * 2 * WZP_MS, 1000);
    }
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(bench_events(&b), 100);
    for (size_t i = 0; i < 100; i++) {
        bench_send(&b, 2 * WZP_S, 1000);
    }
    bench_run(&b, 3 * WZP_S);
    ck_assert_uint_eq(b.count, 200);
    ck_assert_uint_le(bench_events(&b), 300);
    bench_close(&b);
}
END_TEST

START_TEST(what_is_under_way_at_the_end_is_freed) {
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){
            .delay = {.base = WZP_S},
            .mangle = {.duplicate_ppm = WZP_PPM, .duplicate_from = WZP_S, .duplicate_to = WZP_S},
            .mtu = 1200,
            .rate = {.bits_per_s = MBIT, .burst = 3000}},
        1);
    for (size_t i = 0; i < 20; i++) {
        bench_send(&b, 0, 1200);
    }
    bench_send(&b, 0, 1201);
    ck_assert_uint_gt(wzp_sim_link_queued(b.link, NULL), 0);
    bench_close(&b); /* the pool asserts that nothing lives */
}
END_TEST

/* --- MTU -------------------------------------------------------------------------------------- */

START_TEST(too_big_is_reported_unless_silent) {
    for (int silent = 0; silent < 2; silent++) {
        bench b;
        bench_open(&b, &(wzp_sim_link_cfg){.mtu = 1280, .mtu_silent = silent != 0}, 1);
        bench_send(&b, 0, 1280);
        bench_send(&b, 0, 1281);
        ck_assert_uint_eq(b.errors, 0); /* not within the call either */
        bench_run(&b, WZP_MS);
        ck_assert_uint_eq(b.count, 1);
        ck_assert_uint_eq(b.errors, silent != 0 ? 0 : 1);
        ck_assert_uint_eq(b.error_mtu, silent != 0 ? 0 : 1280);
        ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_MTU], 1);
        bench_close(&b);
    }
}
END_TEST

START_TEST(without_an_address_nobody_reports) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.mtu = 1280}, 1);
    wzp_sim_link_set_origin(b.link, &b.near, 3, &(wzp_addr){0});
    bench_send(&b, 0, 1400);
    bench_run(&b, WZP_MS);
    ck_assert_uint_eq(b.errors, 0);
    bench_close(&b);
}
END_TEST

/* --- loss, duplicates, corruption ------------------------------------------------------------- */

START_TEST(losses_are_counted) {
    bench b;
    bench_open(
        &b,
        &(wzp_sim_link_cfg){
            .loss = {.model = WZP_SIM_LOSS_LIST, .list = (const uint64_t[]){0, 3, 4}, .count = 3}},
        1);
    for (uint64_t i = 0; i < 6; i++) {
        bench_send(&b, i * WZP_MS, 100);
    }
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.count, 3);
    ck_assert_uint_eq(b.arrivals[0].seq, 1);
    ck_assert_uint_eq(b.arrivals[1].seq, 2);
    ck_assert_uint_eq(b.arrivals[2].seq, 5);
    ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_LOSS], 3);
    bench_close(&b);
}
END_TEST

START_TEST(duplicates_follow_within_their_time) {
    bench b;
    bench_open(&b,
               &(wzp_sim_link_cfg){.delay = {.base = 10 * WZP_MS},
                                   .mangle = {.duplicate_ppm = 50000,
                                              .duplicate_from = 5 * WZP_MS,
                                              .duplicate_to = 20 * WZP_MS}},
               2);
    enum { COUNT = 20000 };
    for (uint64_t i = 0; i < COUNT; i++) {
        bench_send(&b, i * WZP_MS, 200);
    }
    bench_run(&b, 100 * WZP_S);
    const uint64_t copies = bench_counts(&b).duplicated;
    ck_assert_uint_eq(b.count, COUNT + copies);
    ck_assert_uint_ge(copies, 1000 - 3 * 31); /* 3 sigma */
    ck_assert_uint_le(copies, 1000 + 3 * 31);
    uint64_t late = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < b.count; i++) {
        const uint64_t took = b.arrivals[i].at - b.arrivals[i].sent;
        if (took != 10 * WZP_MS) { /* a copy; the others do not wait for it */
            ck_assert_uint_ge(took, 15 * WZP_MS);
            ck_assert_uint_le(took, 30 * WZP_MS);
            sum += took;
            late++;
        }
    }
    ck_assert_uint_eq(late, copies);
    ck_assert_uint_ge(sum / late, 22500 * WZP_US - 450 * WZP_US); /* uniform: 3 sigma */
    ck_assert_uint_le(sum / late, 22500 * WZP_US + 450 * WZP_US);
    bench_close(&b);
}
END_TEST

START_TEST(corruption_flips_one_bit) {
    for (int pass = 0; pass < 2; pass++) {
        bench b;
        bench_open(&b,
                   &(wzp_sim_link_cfg){.mangle = {.corrupt_ppm = WZP_PPM,
                                                  .corrupt_pass = pass != 0,
                                                  .until = 10 * WZP_MS}},
                   3);
        for (uint64_t i = 0; i < 20; i++) {
            bench_send(&b, i * WZP_MS, 28 + BENCH_NUMBER);
        }
        bench_run(&b, WZP_S);
        ck_assert_uint_eq(b.count, 20); /* dropping is the receiver's */
        for (uint64_t i = 0; i < 20; i++) {
            const int flipped = __builtin_popcountll(b.arrivals[i].seq ^ i);
            ck_assert_int_eq(flipped, i < 10 ? 1 : 0);
            ck_assert_int_eq(b.arrivals[i].corrupted, i < 10 && pass == 0);
        }
        bench_close(&b);
    }
}
END_TEST

START_TEST(corruption_stops_after_its_longest_burst) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.mangle = {.corrupt_ppm = WZP_PPM, .corrupt_max_burst = 3}},
               3);
    for (uint64_t i = 0; i < 40; i++) {
        bench_send(&b, i * WZP_MS, 100);
    }
    bench_run(&b, WZP_S);
    for (size_t i = 0; i < 40; i++) {
        ck_assert_int_eq(b.arrivals[i].corrupted, i % 4 != 3);
    }
    bench_close(&b);
}
END_TEST

/* --- changes while it runs -------------------------------------------------------------------- */

START_TEST(a_shorter_delay_does_not_overtake) {
    wzp_sim_link_cfg cfg = {.delay = {.base = 100 * WZP_MS}};
    bench b;
    bench_open(&b, &cfg, 1);
    bench_send(&b, 0, 100);
    bench_send(&b, 10 * WZP_MS, 100);
    cfg.delay.base = 5 * WZP_MS;
    wzp_sim_link_set(b.link, &cfg);
    bench_send(&b, 20 * WZP_MS, 100);
    bench_send(&b, 200 * WZP_MS, 100);
    bench_run(&b, WZP_S);
    static const wzp_time want[] = {100 * WZP_MS, 110 * WZP_MS, 110 * WZP_MS, 205 * WZP_MS};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(b.arrivals[i].seq, i);
        ck_assert_uint_eq(b.arrivals[i].at, want[i]);
    }
    bench_close(&b);
}
END_TEST

START_TEST(what_waits_leaves_at_the_new_rate) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = 80000}}; /* 100 ms for 1000 bytes */
    bench b;
    bench_open(&b, &cfg, 1);
    for (size_t i = 0; i < 4; i++) {
        bench_send(&b, 0, 1000);
    }
    bench_run(&b, 50 * WZP_MS);
    cfg.rate.bits_per_s = 800000;
    wzp_sim_link_set(b.link, &cfg);
    ck_assert_uint_eq(wzp_sim_link_queued(b.link, NULL), 3);
    bench_run(&b, 115 * WZP_MS);
    cfg.rate.bits_per_s = 0;
    wzp_sim_link_set(b.link, &cfg);
    bench_run(&b, WZP_S);
    static const wzp_time want[] = {100 * WZP_MS, 110 * WZP_MS, 120 * WZP_MS, 120 * WZP_MS};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(b.arrivals[i].at, want[i]);
    }
    bench_close(&b);
}
END_TEST

START_TEST(another_queue_takes_over_what_waits) {
    wzp_sim_link_cfg cfg = {.rate = {.bits_per_s = MBIT}};
    bench b;
    bench_open(&b, &cfg, 1);
    size_t sent = 0;
    for (int kind = WZP_SIM_QUEUE_DUAL; kind >= 0; kind--) {
        for (size_t i = 0; i < 10; i++) {
            bench_send_as(&b, 0, 500, 0, (uint16_t)(4000 + i));
        }
        sent += 10;
        cfg.queue.kind = (wzp_sim_queue_kind)kind;
        wzp_sim_link_set(b.link, &cfg);
        uint64_t bytes = 0;
        ck_assert_uint_eq(wzp_sim_link_queued(b.link, &bytes), sent - 1);
        ck_assert_uint_eq(bytes, (sent - 1) * 500);
    }
    bench_run(&b, 10 * WZP_S);
    ck_assert_uint_eq(b.count, sent);
    bench_close(&b);
}
END_TEST

START_TEST(a_cut_loses_what_comes_and_keeps_what_is_under_way) {
    bench b;
    bench_open(&b, &(wzp_sim_link_cfg){.delay = {.base = 30 * WZP_MS}}, 1);
    bench_send(&b, 0, 100);
    wzp_sim_link_cut(b.link, true, false);
    bench_send(&b, 10 * WZP_MS, 100);
    wzp_sim_link_cut(b.link, false, false);
    bench_send(&b, 20 * WZP_MS, 100);
    bench_run(&b, WZP_S);
    ck_assert_uint_eq(b.count, 2);
    ck_assert_uint_eq(b.arrivals[1].seq, 2);
    ck_assert_uint_eq(bench_counts(&b).dropped[WZP_SIM_DROP_OUTAGE], 1);
    bench_close(&b);
}
END_TEST

/* With and without a rate. */
START_TEST(a_cut_that_holds_lets_all_go_in_a_burst) {
    const uint64_t bits_per_s = _i == 0 ? 0 : 8 * MBIT;
    bench b;
    bench_open(
        &b, &(wzp_sim_link_cfg){.delay = {.base = 30 * WZP_MS}, .rate = {.bits_per_s = bits_per_s}},
        1);
    wzp_sim_link_cut(b.link, true, true);
    for (uint64_t i = 0; i < 10; i++) {
        bench_send(&b, i * WZP_MS, 1000);
    }
    bench_run(&b, 500 * WZP_MS);
    ck_assert_uint_eq(b.count, 0);
    ck_assert_uint_eq(wzp_sim_link_queued(b.link, NULL), 10);
    wzp_sim_link_cut(b.link, false, false);
    bench_run(&b, 2 * WZP_S);
    ck_assert_uint_eq(b.count, 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_uint_eq(b.arrivals[i].seq, i);
        ck_assert_uint_eq(b.arrivals[i].at, 530 * WZP_MS + (_i == 0 ? 0 : (i + 1) * WZP_MS));
    }
    bench_close(&b);
}
END_TEST

/* --- determinism ------------------------------------------------------------------------------ */

static const wzp_sim_link_cfg rough = {
    .delay = {.law = WZP_SIM_DELAY_NORMAL, .base = 20 * WZP_MS, .spread = 5 * WZP_MS},
    .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 100000},
    .mangle = {.duplicate_ppm = 50000, .duplicate_to = 20 * WZP_MS, .corrupt_ppm = 20000},
    .rate = {.bits_per_s = 2 * MBIT},
    .queue = {.kind = WZP_SIM_QUEUE_PIE},
    .cross = {{.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = MBIT}},
};

/* A number that stands for all that came out. */
static uint64_t digest(const wzp_sim_link_cfg *cfg, uint64_t seed, const char *name) {
    bench b;
    bench_open_named(&b, cfg, seed, name);
    for (uint64_t i = 0; i < 2000; i++) {
        bench_send(&b, i * 5 * WZP_MS, 300);
    }
    bench_run(&b, 20 * WZP_S);
    uint64_t sum = 0;
    for (size_t i = 0; i < b.count; i++) {
        const arrival *a = &b.arrivals[i];
        sum = (sum ^ a->at ^ a->seq << 32 ^ a->corrupted) * UINT64_C(0x100000001b3);
    }
    bench_close(&b);
    return sum;
}

START_TEST(the_same_seed_gives_the_same_and_names_are_apart) {
    const uint64_t one = digest(&rough, 42, "a->b");
    ck_assert_uint_eq(one, digest(&rough, 42, "a->b"));
    ck_assert_uint_ne(one, digest(&rough, 42, "b->a"));
    ck_assert_uint_ne(one, digest(&rough, 43, "a->b"));
}
END_TEST

/* Which packets are lost does not depend on what else is drawn for the link. */
START_TEST(one_model_shifts_no_other) {
    wzp_sim_link_cfg cfg = {.loss = rough.loss};
    uint64_t lost[3] = {0};
    for (size_t k = 0; k < 3; k++) {
        bench b;
        bench_open(&b, &cfg, 9);
        for (uint64_t i = 0; i < 1000; i++) {
            const uint64_t before = bench_counts(&b).dropped[WZP_SIM_DROP_LOSS];
            bench_send(&b, i * WZP_MS, 100);
            if (bench_counts(&b).dropped[WZP_SIM_DROP_LOSS] > before) {
                lost[k] = lost[k] * 31 + i;
            }
        }
        bench_close(&b);
        cfg.delay = rough.delay;
        if (k == 1) {
            cfg.mangle = rough.mangle;
        }
    }
    ck_assert_uint_eq(lost[0], lost[1]);
    ck_assert_uint_eq(lost[0], lost[2]);
}
END_TEST

START_TEST(access_that_only_another_engine_has_is_refused) {
    const wzp_sim_engine_cfg engine_cfg = {0};
    wzp_sim_engine *engine = NULL;
    ck_assert_int_eq(wzp_sim_engine_new(&engine, &engine_cfg), WZP_OK);
    wzp_sim_link *link = NULL;
    ck_assert_int_eq(wzp_sim_link_new(&link, "x", &(wzp_sim_link_cfg){.access = "wifi"},
                                      wzp_sim_engine_clock(engine), NULL, NULL, 0),
                     WZP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(link);
    wzp_sim_link_free(&link);
    wzp_sim_engine_free(&engine);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("link");
    tcase_add_test(tc, a_perfect_wire_delivers_at_once_but_not_within_the_call);
    tcase_add_test(tc, delay_and_rate_add_up);
    tcase_add_test(tc, one_packet_costs_one_event_and_one_that_waits_two);
    tcase_add_test(tc, what_is_under_way_at_the_end_is_freed);
    tcase_add_test(tc, too_big_is_reported_unless_silent);
    tcase_add_test(tc, without_an_address_nobody_reports);
    tcase_add_test(tc, losses_are_counted);
    tcase_add_test(tc, duplicates_follow_within_their_time);
    tcase_add_test(tc, corruption_flips_one_bit);
    tcase_add_test(tc, corruption_stops_after_its_longest_burst);
    tcase_add_test(tc, a_shorter_delay_does_not_overtake);
    tcase_add_test(tc, what_waits_leaves_at_the_new_rate);
    tcase_add_test(tc, another_queue_takes_over_what_waits);
    tcase_add_test(tc, a_cut_loses_what_comes_and_keeps_what_is_under_way);
    tcase_add_loop_test(tc, a_cut_that_holds_lets_all_go_in_a_burst, 0, 2);
    tcase_add_test(tc, the_same_seed_gives_the_same_and_names_are_apart);
    tcase_add_test(tc, one_model_shifts_no_other);
    tcase_add_test(tc, access_that_only_another_engine_has_is_refused);
    return wzp_run_suite("link", tc);
}
