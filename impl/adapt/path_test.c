/* Reports, DRED, estimates, path and feedback. */
#include <math.h>

#include "adapt/bwe.h"
#include "adapt/controller.h"
#include "adapt/dred_tuner.h"
#include "adapt/feedback.h"
#include "adapt/path_monitor.h"
#include "adapt/remb.h"
#include "adapt/reporter.h"
#include "base/rng.h"
#include "base/testing/suite.h"

/* --- reports ---------------------------------------------------------------------------------- */

static wzp_quality_report report_at(wzp_reporter *r, uint64_t sent, uint64_t lost) {
    const wzp_path_totals totals = {
        .packets_sent = sent, .packets_lost = lost, .rtt_ms = 100, .jitter_ms = 7};
    wzp_quality_report report = {0};
    for (int i = 1; i < WZP_REPORT_EVERY; i++) {
        ck_assert(!wzp_reporter_frame(r, &totals));
        ck_assert(!wzp_reporter_take(r, &report));
    }
    ck_assert(wzp_reporter_frame(r, &totals));
    ck_assert(wzp_reporter_take(r, &report));
    ck_assert(!wzp_reporter_take(r, &report));
    return report;
}

/* Loss in raw units after each second: packets sent and lost by then. */
static const struct {
    const char *name;
    wzp_adapt_policy policy;
    struct {
        uint64_t sent, lost;
        uint8_t raw;
    } seconds[4];
    size_t count;
} windows[] = {
    {"what was lost since the last one",
     WZP_ADAPT_REFERENCE,
     {{50, 5, 25}, {100, 5, 0}, {150, 55, 255}, {200, 80, 127}},
     4},
    {"deployed: since the beginning",
     WZP_ADAPT_DEPLOYED,
     {{50, 5, 25}, {100, 5, 12}, {150, 55, 93}},
     3},
    {"nothing was sent", WZP_ADAPT_REFERENCE, {{0, 0, 0}, {0, 0, 0}}, 2},
    {"deployed: nothing was sent", WZP_ADAPT_DEPLOYED, {{0, 0, 0}}, 1},
    {"a silence is no news", WZP_ADAPT_REFERENCE, {{50, 5, 25}, {53, 6, 25}, {73, 6, 11}}, 3},
    {"more than were sent", WZP_ADAPT_REFERENCE, {{50, 0, 0}, {60, 20, 255}}, 2},
    {"another connection", WZP_ADAPT_REFERENCE, {{5000, 100, 5}, {50, 5, 25}}, 2},
};

START_TEST(loss_of_reports) {
    wzp_reporter r;
    wzp_reporter_init(&r, windows[_i].policy);
    for (size_t i = 0; i < windows[_i].count; i++) {
        const wzp_quality_report report =
            report_at(&r, windows[_i].seconds[i].sent, windows[_i].seconds[i].lost);
        ck_assert_msg(report.loss_pct == windows[_i].seconds[i].raw, "%s, report %zu: loss %u",
                      windows[_i].name, i, report.loss_pct);
        ck_assert_uint_eq(report.rtt_4ms, 25);
        ck_assert_uint_eq(report.jitter_ms, windows[_i].policy == WZP_ADAPT_DEPLOYED ? 0 : 7);
        ck_assert_uint_eq(report.bitrate_cap_kbps, 200);
    }
}
END_TEST

START_TEST(a_report_that_waits_is_replaced) {
    const wzp_path_totals totals[] = {{.packets_sent = 50, .rtt_ms = 40},
                                      {.packets_sent = 100, .packets_lost = 50, .rtt_ms = 80}};
    wzp_reporter r;
    wzp_quality_report report;
    wzp_reporter_init(&r, WZP_ADAPT_REFERENCE);
    for (int i = 0; i < 2 * WZP_REPORT_EVERY; i++) {
        (void)wzp_reporter_frame(&r, &totals[i / WZP_REPORT_EVERY]);
    }
    ck_assert(wzp_reporter_take(&r, &report));
    ck_assert_uint_eq(report.rtt_4ms, 20);
    ck_assert_uint_eq(report.loss_pct, 255);
    ck_assert(!wzp_reporter_take(&r, &report));
}
END_TEST

static void second(wzp_reporter *r, wzp_path_totals totals) {
    for (int i = 0; i < WZP_REPORT_EVERY; i++) {
        (void)wzp_reporter_frame(r, &totals);
    }
}

/* Nothing is declared lost while nothing is acknowledged.  What then was lost is not lost twice,
 * and what was not is no loss of the seconds after. */
START_TEST(a_hole_is_loss_before_it_ends) {
    for (int was_lost = 0; was_lost <= 1; was_lost++) {
        wzp_reporter r;
        wzp_reporter_init(&r, WZP_ADAPT_REFERENCE);
        second(&r, (wzp_path_totals){.packets_sent = 50});
        ck_assert_uint_eq(r.report.loss_pct, 0);
        second(&r, (wzp_path_totals){.packets_sent = 100, .packets_overdue = 30});
        ck_assert_uint_eq(r.report.loss_pct, 153);
        second(&r, (wzp_path_totals){.packets_sent = 150, .packets_overdue = 80});
        ck_assert_uint_eq(r.report.loss_pct, 255);
        second(&r, (wzp_path_totals){.packets_sent = 200, .packets_lost = was_lost ? 80 : 0});
        ck_assert_uint_eq(r.report.loss_pct, 0);
        second(&r, (wzp_path_totals){.packets_sent = 250, .packets_lost = was_lost ? 85 : 5});
        ck_assert_uint_eq(r.report.loss_pct, 25);
    }
}
END_TEST

/* Others are told of what they lose on the way to us; our own encoder cannot mend it. */
START_TEST(the_way_down_is_told) {
    static const struct {
        wzp_adapt_policy policy;
        uint64_t lost;
        uint32_t down_ppm;
        uint8_t told, own;
    } ways[] = {{WZP_ADAPT_REFERENCE, 5, 400000, 102, 25},
                {WZP_ADAPT_REFERENCE, 20, 100000, 102, 102},
                {WZP_ADAPT_DEPLOYED, 5, 400000, 25, 25}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        wzp_reporter r;
        wzp_reporter_init(&r, ways[i].policy);
        second(&r, (wzp_path_totals){.packets_sent = 50,
                                     .packets_lost = ways[i].lost,
                                     .down_loss_ppm = ways[i].down_ppm});
        ck_assert_uint_eq(r.report.loss_pct, ways[i].told);
        ck_assert_uint_eq(r.own.loss_pct, ways[i].own);
    }
}
END_TEST

/* Seconds of 10000 octets. */
START_TEST(a_receiver_knows_nothing_until_it_loses) {
    static const struct {
        uint32_t loss_ppm, bps;
    } windows_of[] = {{0, UINT32_MAX}, {50000, UINT32_MAX}, {100000, 68000},
                      {50000, 68000},  {0, 80000},          {0, 84000}};
    wzp_remb remb;
    wzp_remb_init(&remb);
    for (size_t i = 0; i < sizeof windows_of / sizeof *windows_of; i++) {
        wzp_remb_window(&remb, 10000, WZP_S, windows_of[i].loss_ppm);
        ck_assert_uint_eq(remb.bps, windows_of[i].bps);
    }
}
END_TEST

/* --- DRED ------------------------------------------------------------------------------------- */

START_TEST(dred_is_tuned_every_25_frames) {
    wzp_dred_tuner t;
    wzp_dred_tuner_init(&t, WZP_ADAPT_REFERENCE, WZP_CODEC_OPUS_24K);
    for (int i = 1; i <= 100; i++) {
        ck_assert_int_eq(wzp_dred_tuner_frame(&t), i % WZP_DRED_EVERY == 0);
    }
}
END_TEST

START_TEST(dred_only_for_opus) {
    static const uint8_t others[] = {WZP_CODEC_CODEC2_3200,
                                     WZP_CODEC_CODEC2_1200,
                                     WZP_CODEC_COMFORT_NOISE,
                                     WZP_CODEC_H264_BASELINE,
                                     10,
                                     200};
    for (size_t i = 0; i < sizeof others; i++) {
        wzp_dred_tuner t;
        wzp_dred_setting setting;
        wzp_dred_tuner_init(&t, WZP_ADAPT_REFERENCE, others[i]);
        ck_assert(!wzp_dred_tuner_update(&t, 40, 400, 100, &setting));
        wzp_dred_tuner_set_codec(&t, WZP_CODEC_OPUS_16K);
        ck_assert(wzp_dred_tuner_update(&t, 40, 400, 100, &setting));
        ck_assert_uint_eq(setting.frames, 50);
        ck_assert_uint_eq(setting.expected_loss_pct, 45);
    }
}
END_TEST

/* The profile has set the encoder anew, perhaps to what the tuner would not have said again. */
START_TEST(dred_after_another_codec) {
    wzp_dred_setting setting;
    for (int i = 0; i < 2; i++) {
        wzp_dred_tuner t;
        wzp_dred_tuner_init(&t, i == 0 ? WZP_ADAPT_REFERENCE : WZP_ADAPT_DEPLOYED,
                            WZP_CODEC_OPUS_32K);
        ck_assert(wzp_dred_tuner_update(&t, 20, 50, 0, &setting));
        ck_assert_uint_eq(setting.frames, 20);
        wzp_dred_tuner_set_codec(&t, WZP_CODEC_OPUS_64K);
        ck_assert_int_eq(wzp_dred_tuner_update(&t, 20, 50, 0, &setting), i == 0);
    }
}
END_TEST

START_TEST(another_codec_ends_the_boost) {
    wzp_dred_tuner t;
    wzp_dred_setting setting;
    wzp_dred_tuner_init(&t, WZP_ADAPT_REFERENCE, WZP_CODEC_OPUS_24K);
    (void)wzp_dred_tuner_update(&t, 0, 50, 10, &setting);
    ck_assert(wzp_dred_tuner_update(&t, 0, 50, 50, &setting));
    ck_assert_uint_eq(setting.frames, 50);
    wzp_dred_tuner_set_codec(&t, WZP_CODEC_OPUS_16K);
    ck_assert(wzp_dred_tuner_update(&t, 0, 50, 10, &setting));
    ck_assert_uint_eq(setting.frames, 20);
}
END_TEST

START_TEST(dred_takes_any_number) {
    static const float losses[] = {-5.0F, 1e30F, -1e30F, (float)NAN, (float)INFINITY};
    for (size_t i = 0; i < WZP_COUNT_OF(losses); i++) {
        wzp_dred_tuner t;
        wzp_dred_setting setting = {20, 0};
        wzp_dred_tuner_init(&t, WZP_ADAPT_REFERENCE, WZP_CODEC_OPUS_24K);
        (void)wzp_dred_tuner_update(&t, losses[i], UINT32_MAX, UINT32_MAX, &setting);
        ck_assert_uint_ge(setting.frames, 20);
        ck_assert_uint_le(setting.frames, 50);
        ck_assert_uint_le(setting.expected_loss_pct, 100);
    }
}
END_TEST

/* --- estimates -------------------------------------------------------------------------------- */

START_TEST(nothing_is_known_at_first) {
    wzp_bwe bwe;
    wzp_bwe_init(&bwe, WZP_ADAPT_DEPLOYED);
    ck_assert_uint_eq(wzp_bwe_target(&bwe), 0);
    wzp_bwe_init(&bwe, WZP_ADAPT_REFERENCE);
    ck_assert_uint_eq(wzp_bwe_target(&bwe), WZP_TARGET_UNKNOWN);
    ck_assert_uint_eq(wzp_bwe_smoothed(&bwe), 0);
    wzp_bwe_remb(&bwe, 1000, 0);
    ck_assert_uint_eq(wzp_bwe_target(&bwe), WZP_TARGET_UNKNOWN);
    wzp_bwe_path(&bwe, 12500, 100, 0);
    ck_assert_uint_eq(wzp_bwe_target(&bwe), 900);
    wzp_bwe_path(&bwe, UINT64_MAX, 0, 0);
    ck_assert_uint_eq(wzp_bwe_target(&bwe), 900);
}
END_TEST

/* What a window of 50 ms must be worth for a tier: conformance sheet 18. */
START_TEST(the_guard_in_bits) {
    static const struct {
        uint32_t remb;
        wzp_tier tier;
    } cases[] = {
        {12999, WZP_TIER_CATASTROPHIC}, {13000, WZP_TIER_DEGRADED},   {41599, WZP_TIER_DEGRADED},
        {41600, WZP_TIER_GOOD},         {50844, WZP_TIER_GOOD},       {50845, WZP_TIER_STUDIO_32K},
        {76266, WZP_TIER_STUDIO_32K},   {76267, WZP_TIER_STUDIO_48K}, {101688, WZP_TIER_STUDIO_48K},
        {101689, WZP_TIER_STUDIO_64K},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        wzp_bwe bwe;
        wzp_bwe_init(&bwe, WZP_ADAPT_REFERENCE);
        wzp_bwe_path(&bwe, 1000000, 1, 0);
        wzp_bwe_remb(&bwe, cases[i].remb, 0);
        ck_assert_msg(wzp_tier_within(wzp_bwe_target(&bwe)) == cases[i].tier, "%u bit/s: %s",
                      cases[i].remb, wzp_tier_name(wzp_tier_within(wzp_bwe_target(&bwe))));
    }
}
END_TEST

/* BWE-005; in steps of any length. */
START_TEST(half_is_forgotten_in_two_seconds) {
    static const uint64_t steps_us[] = {2000000, 1000000, 500000,  50000,   1000,
                                        250,     333,     1777000, 1023000, 1555555};
    wzp_bwe bwe;
    const uint64_t step = steps_us[_i] * WZP_US;
    wzp_bwe_init(&bwe, WZP_ADAPT_REFERENCE);
    wzp_bwe_path(&bwe, 125000, 1, 0); /* 1 Gbit/s */
    ck_assert_uint_eq(wzp_bwe_smoothed(&bwe), 1000000000);
    wzp_time now = 0;
    for (unsigned half = 1; half <= 6; half++) {
        while (now < half * WZP_BWE_HALF_LIFE) {
            now += step;
            wzp_bwe_path(&bwe, 0, 1, now);
        }
        const double want = 1e9 * pow(0.5, trunc((double)now / 1e6) / 2000.0);
        ck_assert_double_eq_tol((double)wzp_bwe_smoothed(&bwe), want, want * 1e-3);
    }
    wzp_bwe_path(&bwe, 125000, 1, now + 1000 * WZP_S);
    ck_assert_uint_eq(wzp_bwe_smoothed(&bwe), 1000000000);
}
END_TEST

/* --- the path --------------------------------------------------------------------------------- */

START_TEST(round_trips) {
    wzp_path_monitor m;
    wzp_path_monitor_init(&m, WZP_ADAPT_REFERENCE);
    ck_assert_uint_eq(wzp_path_monitor_deviation(&m), 0);
    wzp_path_monitor_rtt(&m, 100 * WZP_MS);
    ck_assert_uint_eq(m.rtt, 100 * WZP_MS);
    ck_assert_uint_eq(wzp_path_monitor_deviation(&m), 0);
    wzp_path_monitor_rtt(&m, 140 * WZP_MS);
    ck_assert_uint_eq(m.rtt, 104 * WZP_MS);
    ck_assert_uint_eq(wzp_path_monitor_jitter_ms(&m), 40);
    ck_assert_uint_eq(wzp_path_monitor_deviation(&m), 20 * WZP_MS);
    wzp_path_monitor_rtt(&m, 140 * WZP_MS);
    ck_assert_uint_eq(wzp_path_monitor_jitter_ms(&m), 36);
    for (int i = 0; i < WZP_PATH_WINDOW; i++) {
        wzp_path_monitor_rtt(&m, UINT64_MAX);
    }
    ck_assert_uint_eq(wzp_path_monitor_deviation(&m), 0);
}
END_TEST

START_TEST(another_path) {
    wzp_path_monitor m;
    wzp_path_monitor_init(&m, WZP_ADAPT_REFERENCE);
    ck_assert(!wzp_path_monitor_handoff(&m));
    for (uint64_t i = 0; i < 20; i++) {
        wzp_path_monitor_rtt(&m, (40 + i % 3) * WZP_MS);
        ck_assert(!wzp_path_monitor_handoff(&m));
    }
    wzp_path_monitor_rtt(&m, 90 * WZP_MS);
    ck_assert(wzp_path_monitor_handoff(&m));
    wzp_path_monitor_init(&m, WZP_ADAPT_DEPLOYED);
    wzp_path_monitor_rtt(&m, 40 * WZP_MS);
    ck_assert(!wzp_path_monitor_handoff(&m));
}
END_TEST

START_TEST(only_our_own_losses_count) {
    wzp_path_monitor m;
    wzp_path_counts counts = {0};
    for (int i = 0; i < 2; i++) {
        const bool deployed = i == 1;
        wzp_path_monitor_init(&m, deployed ? WZP_ADAPT_DEPLOYED : WZP_ADAPT_REFERENCE);
        /* 50 packets a second leave, two of them get lost; 10 of 250 bytes come. */
        for (uint64_t s = 0; s <= 10; s++) {
            counts = (wzp_path_counts){50 * s, 2 * s, 10 * s, 2500 * s};
            wzp_path_monitor_count(&m, &counts, s * WZP_S);
        }
        ck_assert_uint_eq(m.loss_ppm, deployed ? 800000 : 40000);
        ck_assert_uint_eq(m.bps, deployed ? 8000 : 20000);
    }
}
END_TEST

START_TEST(a_new_connection_is_no_loss) {
    wzp_path_monitor m;
    const wzp_path_counts before = {5000, 5, 5000, 500000};
    const wzp_path_counts after = {10, 0, 10, 1000};
    wzp_path_monitor_init(&m, WZP_ADAPT_REFERENCE);
    wzp_path_monitor_count(&m, &before, 0);
    wzp_path_monitor_count(&m, &after, WZP_S);
    ck_assert_uint_eq(m.loss_ppm, 0);
}
END_TEST

/* --- feedback --------------------------------------------------------------------------------- */

static void expect_list(const char *what, wzp_list_u32 list, const uint32_t *want, size_t count) {
    ck_assert_msg(list.count == count, "%s: %zu numbers", what, list.count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(list.items[i] == want[i], "%s, number %zu: %u", what, i, list.items[i]);
    }
}

START_TEST(feedback_says_what_came) {
    static const uint32_t came[] = {10, 11, 13, 13, 16, 15};
    static const uint32_t acked[] = {10, 11, 13, 16, 15};
    static const uint32_t missing[] = {12, 14};
    wzp_feedback f;
    wzp_signal signal;
    wzp_feedback_init(&f, 3);
    ck_assert_uint_eq(wzp_feedback_deadline(&f), WZP_TIME_NEVER);
    for (size_t i = 0; i < WZP_COUNT_OF(came); i++) {
        wzp_feedback_packet(&f, came[i], 1000 + came[i], 100 * WZP_MS + i * WZP_MS);
    }
    ck_assert_uint_eq(wzp_feedback_deadline(&f), 150 * WZP_MS);
    ck_assert(!wzp_feedback_next(&f, 1500000, 150 * WZP_MS - 1, &signal));
    ck_assert(wzp_feedback_next(&f, 1500000, 150 * WZP_MS, &signal));
    const wzp_signal_TransportFeedback *told = &signal.u.TransportFeedback;
    ck_assert_int_eq(signal.kind, WZP_SIGNAL_TRANSPORT_FEEDBACK);
    ck_assert_uint_eq(told->stream_id, 3);
    ck_assert_uint_eq(told->remb_bps, 1500000);
    ck_assert_uint_eq(told->recv_time_us, 1016);
    expect_list("acked", told->acked_seqs, acked, WZP_COUNT_OF(acked));
    expect_list("missing", told->nacked_seqs, missing, WZP_COUNT_OF(missing));
    ck_assert(!wzp_feedback_next(&f, 1500000, 10 * WZP_S, &signal));
}
END_TEST

/* BWE-002, with a packet in every millisecond; and only the newest 64 are named. */
START_TEST(feedback_is_bounded) {
    wzp_feedback f;
    wzp_signal signal;
    unsigned signals = 0;
    wzp_feedback_init(&f, 0);
    for (uint32_t ms = 0; ms < 1000; ms++) {
        for (uint32_t i = 0; i < 3; i++) {
            wzp_feedback_packet(&f, UINT32_MAX - 1000 + 6 * ms + 2 * i, ms, ms * WZP_MS);
        }
        if (wzp_feedback_next(&f, 0, ms * WZP_MS, &signal)) {
            const wzp_list_u32 acked = signal.u.TransportFeedback.acked_seqs;
            const wzp_list_u32 missing = signal.u.TransportFeedback.nacked_seqs;
            ck_assert_uint_eq(acked.count, WZP_FEEDBACK_MAX);
            ck_assert_uint_eq(missing.count, WZP_FEEDBACK_MAX);
            ck_assert_uint_eq(acked.items[63], UINT32_MAX - 1000 + 6 * ms + 4);
            ck_assert_uint_eq(missing.items[63], UINT32_MAX - 1000 + 6 * ms + 3);
            signals++;
        }
    }
    ck_assert_uint_ge(signals, 19);
    ck_assert_uint_le(signals, 20);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("path");
    tcase_add_loop_test(tc, loss_of_reports, 0, (int)WZP_COUNT_OF(windows));
    tcase_add_test(tc, a_report_that_waits_is_replaced);
    tcase_add_test(tc, a_hole_is_loss_before_it_ends);
    tcase_add_test(tc, the_way_down_is_told);
    tcase_add_test(tc, a_receiver_knows_nothing_until_it_loses);
    tcase_add_test(tc, dred_is_tuned_every_25_frames);
    tcase_add_test(tc, dred_only_for_opus);
    tcase_add_test(tc, dred_after_another_codec);
    tcase_add_test(tc, another_codec_ends_the_boost);
    tcase_add_test(tc, dred_takes_any_number);
    tcase_add_test(tc, nothing_is_known_at_first);
    tcase_add_test(tc, the_guard_in_bits);
    tcase_add_loop_test(tc, half_is_forgotten_in_two_seconds, 0, 10);
    tcase_add_test(tc, round_trips);
    tcase_add_test(tc, another_path);
    tcase_add_test(tc, only_our_own_losses_count);
    tcase_add_test(tc, a_new_connection_is_no_loss);
    tcase_add_test(tc, feedback_says_what_came);
    tcase_add_test(tc, feedback_is_bounded);
    return wzp_run_suite("path", tc);
}
