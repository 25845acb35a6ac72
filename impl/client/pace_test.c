#include "client/pace.h"

#include "base/testing/suite.h"

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

static const char *sends(const wzp_pace *pace) {
    return wzp_codec_find(wzp_pace_codec(pace))->name;
}

START_TEST(three_bad_seconds_slow_down) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 50, 40);
    second(&pace, &p, 50, 40);
    ck_assert_str_eq(sends(&pace), "Opus24k");
    second(&pace, &p, 50, 40);
    ck_assert_str_eq(sends(&pace),
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
        ck_assert_str_eq(sends(&pace), i == 0 ? "Opus6k" : "Opus24k");
    }
}
END_TEST

/* Both kinds of reports must be good. */
START_TEST(a_clean_path_climbs) {
    static const wzp_quality_report good = {0, 5, 0, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 10; s++) {
        ck_assert_str_eq(sends(&pace), "Opus24k");
        second(&pace, &p, 0, 20);
        wzp_pace_report(&pace, &good, p.now);
    }
    ck_assert_str_eq(sends(&pace), "Opus32k");
}
END_TEST

START_TEST(a_fixed_codec_stays) {
    static const wzp_quality_report bad = {255, 255, 0, 200};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, true);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 20; s++) {
        second(&pace, &p, s < 10 ? 50 : 0, 40);
        wzp_pace_report(&pace, &bad, p.now);
        ck_assert_str_eq(sends(&pace), "Opus24k");
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
    ck_assert_str_eq(sends(&pace), "Opus24k");
    wzp_pace_report(&pace, &bad, p.now);
    ck_assert_str_eq(sends(&pace), "Opus6k");
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
    ck_assert_str_eq(sends(&pace), "Opus6k");
    for (int s = 0; s < 10; s++) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_str_eq(sends(&pace), "Opus32k");
}
END_TEST

static void direct(wzp_pace *pace, const wzp_quality_profile *profile, wzp_time now) {
    const wzp_signal directive = {.kind = WZP_SIGNAL_QUALITY_DIRECTIVE,
                                  .u.QualityDirective.recommended_profile = *profile};
    wzp_pace_signal(pace, &directive, now);
}

/* Media sheet 9.5: mandatory, at once, both ways; though our own path was found too narrow. */
START_TEST(a_directive_is_obeyed) {
    static const struct {
        const wzp_quality_profile *profile;
        const char *codec;
    } steps[] = {{&wzp_profile_studio_64k, "Opus64k"},
                 {&wzp_profile_degraded, "Opus6k"},
                 {&wzp_profile_good, "Opus24k"},
                 {&wzp_profile_studio_32k, "Opus32k"}};
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 3; s++) {
        second(&pace, &p, 50, 40);
    }
    ck_assert_str_eq(sends(&pace), "Opus6k");
    for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        direct(&pace, steps[i].profile, p.now);
        ck_assert_str_eq(sends(&pace), steps[i].codec);
        second(&pace, &p, 0, 20);
        ck_assert_str_eq(sends(&pace), steps[i].codec);
    }
}
END_TEST

/* A controller that had not noticed would be at the lower tier already, and say nothing. */
START_TEST(what_was_directed_can_be_too_much) {
    for (int i = 0; i < 2; i++) {
        wzp_pace pace = fresh(i == 0 ? WZP_ADAPT_REFERENCE : WZP_ADAPT_DEPLOYED, false);
        path p = {.now = 100 * WZP_S};
        for (int s = 0; s < 3; s++) {
            second(&pace, &p, 50, 40);
        }
        direct(&pace, &wzp_profile_good, p.now);
        for (int s = 0; s < 3; s++) {
            ck_assert_str_eq(sends(&pace), "Opus24k");
            second(&pace, &p, 50, 40);
        }
        ck_assert_str_eq(sends(&pace), i == 0 ? "Opus6k" : "Opus24k");
    }
}
END_TEST

/* A good second of our own right after a directive down does not lead up again. */
START_TEST(a_directive_down_starts_the_count_anew) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 9; s++) {
        second(&pace, &p, 0, 20);
    }
    direct(&pace, &wzp_profile_degraded, p.now);
    for (int s = 0; s < 5; s++) {
        ck_assert_str_eq(sends(&pace), "Opus6k");
        second(&pace, &p, 0, 20);
    }
    ck_assert_str_eq(sends(&pace), "Opus24k");
}
END_TEST

static unsigned seconds_held(wzp_pace *pace, path *p) {
    unsigned held = 0;
    for (int s = 0; s < 3; s++) {
        second(pace, p, 50, 40);
    }
    while (wzp_pace_codec(pace) != WZP_CODEC_OPUS_24K && held < 10000) {
        second(pace, p, 0, 20);
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
    ck_assert_str_eq(sends(&pace), "Opus6k");
    p.stats.unacked_for = 0;
    p.stats.datagrams_lost += 400;
    while (wzp_pace_codec(&pace) != WZP_CODEC_OPUS_24K && seconds++ < 100) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_uint_le(seconds, 11);
}
END_TEST

START_TEST(deployed_holds_nothing) {
    wzp_pace pace = fresh(WZP_ADAPT_DEPLOYED, false);
    path p = {.now = 100 * WZP_S};
    (void)seconds_held(&pace, &p);
    ck_assert_uint_eq(pace.ceiling_until, 0);
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

/* Cellular networks: two reports are enough, and they bear more (media sheet 4.2, 4.3). */
START_TEST(networks_differ) {
    static const struct {
        wzp_network network;
        unsigned loss; /* percent of all packets */
        uint64_t rtt_ms;
        unsigned seconds; /* until it slows down; 9: it does not */
    } networks[] = {{WZP_NETWORK_WIFI, 6, 40, 3},          {WZP_NETWORK_UNKNOWN, 6, 40, 3},
                    {WZP_NETWORK_CELLULAR_LTE, 6, 40, 9},  {WZP_NETWORK_CELLULAR_LTE, 20, 40, 2},
                    {WZP_NETWORK_CELLULAR_LTE, 0, 320, 2}, {WZP_NETWORK_WIFI, 0, 120, 3},
                    {WZP_NETWORK_CELLULAR_LTE, 0, 120, 9}};
    for (size_t i = 0; i < WZP_COUNT_OF(networks); i++) {
        wzp_pace pace;
        const wzp_pace_cfg cfg = {.codec = WZP_CODEC_OPUS_24K,
                                  .smallest = WZP_CODEC_OPUS_6K,
                                  .network = networks[i].network};
        path p = {.now = 100 * WZP_S};
        unsigned seconds = 0;
        ck_assert_int_eq(wzp_pace_init(&pace, &cfg), WZP_OK);
        while (seconds < 9 && wzp_pace_codec(&pace) == WZP_CODEC_OPUS_24K) {
            second(&pace, &p, networks[i].loss, networks[i].rtt_ms);
            seconds++;
        }
        ck_assert_msg(seconds == networks[i].seconds, "network %zu: %u s", i, seconds);
    }
}
END_TEST

/* From Wi-Fi to a cellular network: a step down at once, and as much DRED as there is. */
START_TEST(leaving_wifi_slows_down) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_dred_setting setting = {0};
    path p = {.now = 100 * WZP_S};
    wzp_pace_network(&pace, WZP_NETWORK_WIFI, p.now);
    for (int s = 0; s < 10; s++) {
        second(&pace, &p, 0, 20);
    }
    ck_assert_str_eq(sends(&pace), "Opus32k");
    wzp_pace_network(&pace, WZP_NETWORK_CELLULAR_LTE, p.now);
    ck_assert_str_eq(sends(&pace), "Opus24k");
    wzp_pace_switched(&pace, WZP_CODEC_OPUS_24K);
    second(&pace, &p, 0, 20);
    ck_assert(wzp_pace_take_setting(&pace, &setting));
    ck_assert_uint_eq(setting.frames, 50);
}
END_TEST

/* A connection that lost nearly all of what was sent, long ago. */
static path other_connection(const path *p) {
    return (path){.now = p->now,
                  .stats = {.packets_sent = 2000,
                            .packets_lost = 900,
                            .packets_received = 1000,
                            .datagrams_sent = 1000,
                            .datagrams_lost = 900}};
}

/* Neither of them has lost anything since. */
START_TEST(what_another_connection_did_does_not_count) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_quality_report report = {0};
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 50, 40);
    second(&pace, &p, 50, 40);
    path q = other_connection(&p);
    wzp_pace_moved(&pace, &q.stats);
    ck_assert(!wzp_pace_take_report(&pace, &report));
    second(&pace, &q, 0, 100);
    ck_assert(wzp_pace_take_report(&pace, &report));
    ck_assert_uint_eq(report.loss_pct, 0);
    ck_assert_uint_eq(report.rtt_4ms, 25);
    ck_assert_uint_le(report.jitter_ms, 1); /* from 40 to 100 ms is none */
}
END_TEST

START_TEST(bad_seconds_are_counted_anew) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 50, 40);
    second(&pace, &p, 50, 40);
    path q = other_connection(&p);
    wzp_pace_moved(&pace, &q.stats);
    second(&pace, &q, 50, 40);
    second(&pace, &q, 50, 40);
    ck_assert_str_eq(sends(&pace), "Opus24k");
    second(&pace, &q, 50, 40);
    ck_assert_str_eq(sends(&pace), "Opus6k");
}
END_TEST

START_TEST(another_connection_may_bear_more) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_dred_setting setting = {0};
    path p = {.now = 100 * WZP_S};
    unsigned seconds = 0;
    for (int s = 0; s < 3; s++) {
        second(&pace, &p, 50, 40);
    }
    ck_assert_str_eq(sends(&pace), "Opus6k");
    path q = other_connection(&p);
    wzp_pace_moved(&pace, &q.stats);
    ck_assert_str_eq(sends(&pace), "Opus6k"); /* no jump */
    while (wzp_pace_codec(&pace) != WZP_CODEC_OPUS_24K && seconds < 100) {
        second(&pace, &q, 0, 20);
        ck_assert(seconds++ > 0 || wzp_pace_take_setting(&pace, &setting));
    }
    ck_assert_uint_eq(setting.frames, 50); /* a handoff */
    ck_assert_uint_le(seconds, 11);
}
END_TEST

/* Round trips that jump are another path: DRED goes to its ceiling and comes back. */
START_TEST(a_handoff_calls_for_dred) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_dred_setting setting = {0};
    path p = {.now = 100 * WZP_S};
    second(&pace, &p, 0, 20);
    second(&pace, &p, 0, 20);
    (void)wzp_pace_take_setting(&pace, &setting);
    second(&pace, &p, 0, 70);
    ck_assert(wzp_pace_take_setting(&pace, &setting));
    ck_assert_uint_eq(setting.frames, 50);
    for (int s = 0; s < 8; s++) {
        second(&pace, &p, 0, 70);
    }
    ck_assert(wzp_pace_take_setting(&pace, &setting));
    ck_assert_uint_eq(setting.frames, 20);
}
END_TEST

/* Steady for 30 s: the next tier is tried.  It is given up at the second report that does not bear
 * it, and not tried again for 60 and 30 s (media sheet 4.5, REF). */
START_TEST(a_probe_is_tried_and_given_up) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    path p = {.now = 100 * WZP_S};
    for (int s = 0; s < 31; s++) {
        ck_assert_str_eq(sends(&pace), "Opus24k");
        second(&pace, &p, 5, 20); /* 2.5 %: Good */
    }
    ck_assert_str_eq(sends(&pace), "Opus32k");
    second(&pace, &p, 5, 20);
    ck_assert_str_eq(sends(&pace), "Opus32k");
    for (int s = 0; s < 90; s++) {
        second(&pace, &p, 5, 20);
        ck_assert_str_eq(sends(&pace), "Opus24k");
    }
    second(&pace, &p, 5, 20);
    ck_assert_str_eq(sends(&pace), "Opus32k");
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
    ck_assert_str_eq(sends(&pace), "Opus24k");
}
END_TEST

/* Of several receivers the one that takes least counts, for as long as it speaks. */
START_TEST(the_smallest_receiver_counts) {
    wzp_pace pace = fresh(WZP_ADAPT_REFERENCE, false);
    wzp_signal feedback = {.kind = WZP_SIGNAL_TRANSPORT_FEEDBACK};
    static const uint32_t told[] = {50000, 900000, 60000};
    for (size_t i = 0; i < WZP_COUNT_OF(told); i++) {
        feedback.u.TransportFeedback.remb_bps = told[i];
        wzp_pace_signal(&pace, &feedback, 100 * WZP_S);
        ck_assert_uint_eq(pace.bwe.remb_bps, 50000);
    }
    wzp_pace_signal(&pace, &feedback, 102 * WZP_S);
    ck_assert_uint_eq(pace.bwe.remb_bps, 60000);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("pace");
    tcase_add_test(tc, three_bad_seconds_slow_down);
    tcase_add_test(tc, good_reports_of_others_forgive_nothing);
    tcase_add_test(tc, a_clean_path_climbs);
    tcase_add_test(tc, a_fixed_codec_stays);
    tcase_add_test(tc, reports_of_others_count);
    tcase_add_test(tc, silent_others_do_not_count);
    tcase_add_test(tc, a_directive_is_obeyed);
    tcase_add_test(tc, what_was_directed_can_be_too_much);
    tcase_add_test(tc, a_directive_down_starts_the_count_anew);
    tcase_add_test(tc, it_is_held_for_longer_each_time);
    tcase_add_test(tc, a_hole_holds_nothing);
    tcase_add_test(tc, deployed_holds_nothing);
    tcase_add_test(tc, frames_that_never_left_are_lost);
    tcase_add_test(tc, the_encoder_is_tuned);
    tcase_add_test(tc, networks_differ);
    tcase_add_test(tc, leaving_wifi_slows_down);
    tcase_add_test(tc, what_another_connection_did_does_not_count);
    tcase_add_test(tc, bad_seconds_are_counted_anew);
    tcase_add_test(tc, another_connection_may_bear_more);
    tcase_add_test(tc, a_handoff_calls_for_dred);
    tcase_add_test(tc, a_probe_is_tried_and_given_up);
    tcase_add_test(tc, what_the_receiver_takes);
    tcase_add_test(tc, the_smallest_receiver_counts);
    return wzp_run_suite("pace", tc);
}
