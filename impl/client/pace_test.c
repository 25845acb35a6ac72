#include "client/pace.h"

#include <check.h>
#include <stdlib.h>

/* A connection that loses `loss_percent` of 50 packets a second, with acknowledgements in time. */
typedef struct path {
    wzp_quic_stats stats;
    wzp_time now;
} path;

static void second(wzp_pace *pace, path *p, unsigned loss_percent, uint64_t rtt_ms) {
    p->stats.cwnd = 100000;
    p->stats.smoothed_rtt = rtt_ms * WZP_MS;
    for (unsigned i = 0; i < WZP_REPORT_EVERY; i++) {
        p->stats.packets_sent += 2;
        p->stats.packets_lost += i < loss_percent ? 1 : 0;
        p->stats.datagrams_sent += 2;
        p->stats.packets_received += p->stats.unacked_for == 0 ? 1 : 0;
        p->stats.datagrams_lost += i < loss_percent ? 1 : 0;
        p->stats.latest_rtt = rtt_ms * WZP_MS + i % 2 * WZP_MS;
        p->now += 20 * WZP_MS;
        wzp_pace_frame(pace, &p->stats, p->now);
    }
}

static wzp_pace fresh(wzp_adapt_policy policy, bool is_fixed) {
    wzp_pace pace;
    const wzp_pace_cfg cfg = {.policy = policy,
                              .is_fixed = is_fixed,
                              .codec = WZP_CODEC_OPUS_24K,
                              .smallest = WZP_CODEC_OPUS_6K};
    ck_assert_int_eq(wzp_pace_init(&pace, &cfg), WZP_OK);
    return pace;
}

static const char *sends(const wzp_pace *pace, const path *p) {
    return wzp_codec_find(wzp_pace_codec(pace, p->now))->name;
}

START_TEST(three_bad_seconds_slow_down) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 50, 40);
    second(&pace, &p, 50, 40);
    ck_assert_str_eq(sends(&pace, &p), "Opus24k");
    second(&pace, &p, 50, 40);
    ck_assert_str_eq(sends(&pace, &p),
                     "Opus6k"); /* Catastrophic asks for less, which this client cannot send */
}
END_TEST

/* A peer that hears nothing bad does not forgive what our own path does; as deployed, it does. */
START_TEST(good_reports_of_others_forgive_nothing) {
    static const wzp_quality_report good = {0, 5, 0, 200};
    for (int i = 0; i < 2; i++) {
        wzp_pace pace = fresh(i == 0 ? WZP_ADAPT_REFERENCE : WZP_ADAPT_DEPLOYED, false);
        path p = {.now = 100 * WZP_S};
        for (int s = 0; s < 3; s++) {
            second(&pace, &p, 50, 40);
            wzp_pace_report(&pace, &good, p.now);
        }
        ck_assert_str_eq(sends(&pace, &p), i == 0 ? "Opus6k" : "Opus24k");
    }
}
END_TEST

/* Both kinds of reports must be good. */
START_TEST(a_clean_path_climbs) {
    static const wzp_quality_report good = {0, 5, 0, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 10; s++) {
        ck_assert_str_eq(sends(&pace, &p), "Opus24k");
        second(&pace, &p, 0, 20);
        wzp_pace_report(&pace, &good, p.now);
    }
    ck_assert_str_eq(sends(&pace, &p), "Opus32k");
}
END_TEST

START_TEST(a_fixed_codec_stays) {
    static const wzp_quality_report bad = {255, 255, 0, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, true);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 20; s++) {
        second(&pace, &p, s < 10 ? 50 : 0, 40);
        wzp_pace_report(&pace, &bad, p.now);
        ck_assert_str_eq(sends(&pace, &p), "Opus24k");
    }
}
END_TEST

/* QUAL-003 */
START_TEST(reports_of_others_count) {
    static const wzp_quality_report bad = {127, 75, 10, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    const path p = {.now = 100 * WZP_S};
    wzp_pace_report(&pace, &bad, p.now);
    wzp_pace_report(&pace, &bad, p.now);
    ck_assert_str_eq(sends(&pace, &p), "Opus24k");
    wzp_pace_report(&pace, &bad, p.now);
    ck_assert_str_eq(sends(&pace, &p), "Opus6k");
}
END_TEST

/* Whoever says nothing more, or never did, holds nobody back. */
START_TEST(silent_others_do_not_count) {
    static const wzp_quality_report bad = {13, 25, 0, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 3; s++) {
        wzp_pace_report(&pace, &bad, p.now);
    }
    ck_assert_str_eq(sends(&pace, &p), "Opus6k");
    for (int s = 0; s < 10; s++) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_str_eq(sends(&pace, &p), "Opus32k");
}
END_TEST

static void direct(wzp_pace *pace, const wzp_quality_profile *profile, wzp_time now) {
    const wzp_signal directive = {.kind = WZP_SIGNAL_QUALITY_DIRECTIVE,
                                  .u.QualityDirective.recommended_profile = *profile};
    wzp_pace_signal(pace, &directive, now);
}

/* A relay sees only that the path is clean again, since less is sent. */
START_TEST(what_was_too_much_is_not_sent_again_at_once) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 3; s++) {
        second(&pace, &p, 50, 40);
    }
    for (int s = 0; s < 29; s++) {
        second(&pace, &p, 0, 20);
        direct(&pace, &wzp_profile_studio_64k, p.now);
        ck_assert_str_eq(sends(&pace, &p), "Opus6k");
    }
    second(&pace, &p, 0, 20);
    direct(&pace, &wzp_profile_studio_64k, p.now);
    ck_assert_str_eq(sends(&pace, &p), "Opus64k");
}
END_TEST

static unsigned seconds_held(wzp_pace *pace, path *p) {
    unsigned held = 0;
    for (int s = 0; s < 3; s++) {
        second(pace, p, 50, 40);
    }
    direct(pace, &wzp_profile_good, p->now);
    while (wzp_pace_codec(pace, p->now) != WZP_CODEC_OPUS_24K && held < 10000) {
        second(pace, p, 0, 20);
        direct(pace, &wzp_profile_good, p->now);
        held++;
    }
    return held;
}

START_TEST(it_is_held_for_longer_each_time) {
    static const unsigned held[] = {30, 60, 120, 240, 480, 480};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (size_t i = 0; i < WZP_COUNT_OF(held); i++) {
        ck_assert_uint_eq(seconds_held(&pace, &p), held[i]);
    }
    for (int s = 0; s < 31; s++) {
        second(&pace, &p, 5, 20);
    }
    ck_assert_uint_eq(seconds_held(&pace, &p), 30);
}
END_TEST

/* In a hole too a call slows down, but no rate was too much for it. */
START_TEST(a_hole_holds_nothing) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    wzp_quality_report report;
    unsigned seconds = 0;
    second(&pace, &p, 0, 40);
    for (int s = 0; s < 4; s++) {
        p.stats.unacked_for = (uint64_t)(s + 1) * WZP_S;
        second(&pace, &p, 0, 40);
        ck_assert(wzp_pace_take_report(&pace, &report));
        ck_assert_uint_eq(report.loss_pct, 255);
    }
    ck_assert_str_eq(sends(&pace, &p), "Opus6k");
    p.stats.unacked_for = 0;
    p.stats.datagrams_lost += 400;
    while (wzp_pace_codec(&pace, p.now) != WZP_CODEC_OPUS_24K && seconds++ < 100) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_uint_le(seconds, 11);
}
END_TEST

START_TEST(deployed_holds_nothing) {
    wzp_pace pace = fresh(WZP_ADAPT_DEPLOYED, false);
    path p = {.now = 100 * WZP_S};
    ck_assert_uint_eq(seconds_held(&pace, &p), 0);
}
END_TEST

/* They are lost to who listens, though QUIC never sent them. */
START_TEST(frames_that_never_left_are_lost) {
    static const wzp_adapt_policy policies[] = {WZP_ADAPT_REFERENCE, WZP_ADAPT_DEPLOYED};
    for (size_t i = 0; i < WZP_COUNT_OF(policies); i++) {
        wzp_pace pace = fresh(policies[i], false);
        wzp_quality_report report = {0};
        path p = {.now = 100 * WZP_S};
        p.stats.datagrams_expired = 25;
        second(&pace, &p, 0, 20);
        ck_assert(wzp_pace_take_report(&pace, &report));
        ck_assert_uint_eq(report.loss_pct, i == 0 ? 51 : 0);
        ck_assert_uint_eq(report.rtt_4ms, 5);
        ck_assert_uint_eq(report.jitter_ms, i == 0 ? 1 : 0);
    }
}
END_TEST

START_TEST(the_encoder_is_tuned) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_dred_setting setting;
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 20, 20);
    ck_assert(wzp_pace_take_setting(&pace, &setting));
    ck_assert(!wzp_pace_take_setting(&pace, &setting));
    ck_assert_uint_eq(setting.frames, 35);
    ck_assert_uint_eq(setting.expected_loss_pct, 20);
    second(&pace, &p, 0, 20);
    wzp_pace_switched(&pace, WZP_CODEC_OPUS_32K);
    ck_assert(!wzp_pace_take_setting(&pace, &setting));
}
END_TEST

/* BWE: a receiver that takes little forbids a step up. */
START_TEST(what_the_receiver_takes) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    const wzp_signal feedback = {.kind = WZP_SIGNAL_TRANSPORT_FEEDBACK,
                                 .u.TransportFeedback.remb_bps = 50844};
    wzp_pace_signal(&pace, &feedback, p.now);
    for (int s = 0; s < 100; s++) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_str_eq(sends(&pace, &p), "Opus24k");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pace");
    TCase *tc = tcase_create("pace");
    tcase_add_test(tc, three_bad_seconds_slow_down);
    tcase_add_test(tc, good_reports_of_others_forgive_nothing);
    tcase_add_test(tc, a_clean_path_climbs);
    tcase_add_test(tc, a_fixed_codec_stays);
    tcase_add_test(tc, reports_of_others_count);
    tcase_add_test(tc, silent_others_do_not_count);
    tcase_add_test(tc, what_was_too_much_is_not_sent_again_at_once);
    tcase_add_test(tc, it_is_held_for_longer_each_time);
    tcase_add_test(tc, a_hole_holds_nothing);
    tcase_add_test(tc, deployed_holds_nothing);
    tcase_add_test(tc, frames_that_never_left_are_lost);
    tcase_add_test(tc, the_encoder_is_tuned);
    tcase_add_test(tc, what_the_receiver_takes);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
