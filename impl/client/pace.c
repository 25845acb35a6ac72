#include "client/pace.h"

#define OVERDUE (100 * WZP_MS)

wzp_err wzp_pace_init(wzp_pace *pace, const wzp_pace_cfg *cfg) {
    *pace = (wzp_pace){.cfg = *cfg, .ceiling = WZP_TIER_STUDIO_64K, .hold = WZP_PACE_HOLD};
    wzp_controller_init(&pace->own, cfg->policy, cfg->network);
    wzp_controller_init(&pace->others, cfg->policy, cfg->network);
    wzp_reporter_init(&pace->reporter, cfg->policy);
    wzp_dred_tuner_init(&pace->tuner, cfg->policy, cfg->codec);
    wzp_bwe_init(&pace->bwe, cfg->policy);
    wzp_path_monitor_init(&pace->path, cfg->policy);
    return wzp_agreement_init(&pace->agreement, cfg->policy, cfg->is_fixed, cfg->codec, "");
}

/* --- what our own path carries ---------------------------------------------------------------- */

static wzp_tier ceiling(const wzp_pace *pace, wzp_time now) {
    return now < pace->ceiling_until ? pace->ceiling : WZP_TIER_STUDIO_64K;
}

static uint32_t bps_of(uint8_t codec) {
    return wzp_codec_find(codec)->nominal_bps;
}

/* The highest tier that sends less than `codec`. */
static wzp_tier below(uint8_t codec) {
    wzp_tier tier = WZP_TIER_STUDIO_64K;
    while (tier > WZP_TIER_CATASTROPHIC && bps_of(wzp_tier_profile(tier)->codec) >= bps_of(codec)) {
        tier--;
    }
    return tier;
}

/* What was too much soon after it had been forbidden is too much for longer. */
static void hold_below(wzp_pace *pace, uint8_t codec, wzp_time now) {
    const bool again =
        pace->ceiling_until != 0 && now < wzp_time_after(pace->ceiling_until, WZP_PACE_HOLD);
    if (!again) {
        pace->hold = WZP_PACE_HOLD;
    }
    pace->ceiling = below(codec);
    pace->ceiling_until = wzp_time_after(now, pace->hold);
    pace->hold = pace->hold < WZP_PACE_HOLD_MAX / 2 ? 2 * pace->hold : WZP_PACE_HOLD_MAX;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* One of the controllers has changed its mind: the lower one counts. */
static void follow(wzp_pace *pace, const wzp_controller *c, wzp_time now) {
    const wzp_controller *other = c == &pace->own ? &pace->others : &pace->own;
    const uint8_t codec = wzp_controller_profile(c)->codec;
    const uint8_t others = wzp_controller_profile(other)->codec;
    const bool is_alone = c == &pace->own && now >= pace->others_until;
    const bool is_lower = is_alone || bps_of(codec) < bps_of(others);
    (void)wzp_agreement_adapt(&pace->agreement, is_lower ? codec : others);
}

void wzp_pace_network(wzp_pace *pace, wzp_network network, wzp_time now) {
    const wzp_tier before = wzp_controller_tier(&pace->own);
    wzp_controller_network(&pace->own, network, now);
    wzp_controller_network(&pace->others, network, now);
    pace->handed_off = true;
    if (wzp_controller_tier(&pace->own) != before) {
        follow(pace, &pace->own, now);
    }
}

/* True if the tier fell. */
static bool observe(wzp_pace *pace, wzp_controller *c, const wzp_quality_report *report,
                    wzp_time now) {
    const uint64_t estimate = wzp_bwe_target(&pace->bwe);
    const uint64_t own = ceiling(pace, now) < WZP_TIER_STUDIO_64K
                             ? wzp_tier_required_bps(ceiling(pace, now))
                             : WZP_TARGET_UNKNOWN;
    const wzp_tier before = wzp_controller_tier(c);
    const wzp_quality_profile *profile =
        wzp_controller_observe(c, report, estimate < own ? estimate : own, now);
    if (profile != NULL) {
        follow(pace, c, now);
    }
    return wzp_controller_tier(c) < before;
}

void wzp_pace_report(wzp_pace *pace, const wzp_quality_report *report, wzp_time now) {
    const bool is_one = pace->cfg.policy == WZP_ADAPT_DEPLOYED;
    if (pace->cfg.is_fixed) {
        return;
    }
    if (!is_one) {
        pace->others_until = wzp_time_after(now, WZP_PACE_OTHERS);
    }
    (void)observe(pace, is_one ? &pace->own : &pace->others, report, now);
}

/* An acknowledgement that is not there after so long will come late, if at all. */
static uint64_t patience(const wzp_quic_stats *stats) {
    return 3 * stats->smoothed_rtt + OVERDUE;
}

static uint64_t overdue(wzp_pace *pace, const wzp_quic_stats *stats) {
    if (stats->unacked_for <= patience(stats) || stats->datagrams_sent < pace->in_time) {
        pace->in_time = stats->datagrams_sent;
    }
    return stats->datagrams_sent - pace->in_time;
}

/* Deployed clients count all packets, of which those that only acknowledge are never declared lost:
 * half of them in a call.  Datagrams are what listeners miss; those that waited too long to leave
 * are as lost to them as those that got lost. */
static wzp_path_totals totals_of(wzp_pace *pace, const wzp_quic_stats *stats) {
    wzp_path_totals totals = {.packets_sent = stats->packets_sent,
                              .packets_lost = stats->packets_lost,
                              .rtt_ms = (uint32_t)(stats->smoothed_rtt / WZP_MS),
                              .jitter_ms = wzp_path_monitor_jitter_ms(&pace->path)};
    if (pace->cfg.policy == WZP_ADAPT_REFERENCE) {
        const uint64_t never_sent = stats->datagrams_expired + stats->datagrams_dropped_queue;
        totals.packets_sent = stats->datagrams_sent + never_sent;
        totals.packets_lost = stats->datagrams_lost + never_sent;
        totals.packets_overdue = overdue(pace, stats);
        totals.down_loss_ppm = pace->down_loss_ppm;
    }
    return totals;
}

/* Where nothing comes back at all it is not the rate that is too much. */
static void on_own_report(wzp_pace *pace, const wzp_quic_stats *stats, wzp_time now) {
    const uint8_t codec = wzp_pace_codec(pace);
    const bool is_hole = stats->packets_received == pace->received;
    pace->received = stats->packets_received;
    wzp_bwe_path(&pace->bwe, stats->cwnd, (uint32_t)(stats->smoothed_rtt / WZP_MS), now);
    if (!pace->cfg.is_fixed && observe(pace, &pace->own, &pace->reporter.own, now) &&
        pace->cfg.policy == WZP_ADAPT_REFERENCE && !is_hole) {
        hold_below(pace, codec, now);
    }
}

void wzp_pace_moved(wzp_pace *pace, const wzp_quic_stats *stats) {
    pace->handed_off = pace->path.samples > 0;
    pace->received = stats->packets_received;
    pace->in_time = stats->datagrams_sent;
    pace->latest_rtt = pace->down_loss_ppm = 0;
    pace->ceiling_until = pace->remb_at = 0;
    pace->hold = WZP_PACE_HOLD;
    wzp_controller_direct(&pace->own, wzp_controller_tier(&pace->own));
    wzp_bwe_init(&pace->bwe, pace->cfg.policy);
    wzp_path_monitor_init(&pace->path, pace->cfg.policy);
    const wzp_path_totals totals = totals_of(pace, stats);
    wzp_reporter_moved(&pace->reporter, &totals);
}

bool wzp_pace_wants_reception(const wzp_pace *pace) {
    return wzp_reporter_is_due(&pace->reporter);
}

void wzp_pace_reception(wzp_pace *pace, uint32_t loss_ppm) {
    pace->down_loss_ppm = loss_ppm;
}

void wzp_pace_frame(wzp_pace *pace, const wzp_quic_stats *stats, wzp_time now) {
    const wzp_path_totals totals = totals_of(pace, stats);
    if (stats->latest_rtt != 0 && stats->latest_rtt != pace->latest_rtt) {
        pace->latest_rtt = stats->latest_rtt;
        wzp_path_monitor_rtt(&pace->path, stats->latest_rtt);
        pace->handed_off = pace->handed_off || wzp_path_monitor_handoff(&pace->path);
    }
    if (wzp_reporter_frame(&pace->reporter, &totals)) {
        on_own_report(pace, stats, now);
    }
    if (wzp_dred_tuner_frame(&pace->tuner)) {
        if (pace->handed_off && pace->cfg.policy == WZP_ADAPT_REFERENCE) {
            wzp_dred_tuner_boost(&pace->tuner);
        }
        pace->handed_off = false;
        const float loss = (float)pace->reporter.loss_ppm / 10000.0F;
        pace->has_setting |= wzp_dred_tuner_update(&pace->tuner, loss, totals.rtt_ms,
                                                   totals.jitter_ms, &pace->setting);
    }
}

bool wzp_pace_take_report(wzp_pace *pace, wzp_quality_report *out) {
    return wzp_reporter_take(&pace->reporter, out);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* The highest tier that sends no more than that. */
static wzp_tier tier_of(uint8_t codec) {
    wzp_tier tier = WZP_TIER_STUDIO_64K;
    while (tier > WZP_TIER_CATASTROPHIC && bps_of(wzp_tier_profile(tier)->codec) > bps_of(codec)) {
        tier--;
    }
    return tier;
}

static void on_feedback(wzp_pace *pace, uint32_t remb_bps, wzp_time now) {
    if (remb_bps <= pace->bwe.remb_bps || wzp_time_since(now, pace->remb_at) >= WZP_PACE_REMB) {
        wzp_bwe_remb(&pace->bwe, remb_bps, now);
        pace->remb_at = now;
    }
}

static void on_directive(wzp_pace *pace, uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    if (pace->cfg.policy == WZP_ADAPT_REFERENCE && info != NULL && !info->is_video) {
        wzp_controller_direct(&pace->own, tier_of(codec));
        wzp_controller_direct(&pace->others, tier_of(codec));
    }
}

void wzp_pace_signal(wzp_pace *pace, const wzp_signal *signal, wzp_time now) {
    if (signal->kind == WZP_SIGNAL_TRANSPORT_FEEDBACK) {
        on_feedback(pace, signal->u.TransportFeedback.remb_bps, now);
        return;
    }
    (void)wzp_agreement_recv(&pace->agreement, signal);
    if (signal->kind == WZP_SIGNAL_QUALITY_DIRECTIVE && !pace->cfg.is_fixed) {
        on_directive(pace, signal->u.QualityDirective.recommended_profile.codec);
    }
}

bool wzp_pace_next_signal(wzp_pace *pace, wzp_signal *out) {
    return wzp_agreement_next(&pace->agreement, out);
}

/* --- the encoder ------------------------------------------------------------------------------ */

uint8_t wzp_pace_codec(const wzp_pace *pace) {
    const uint8_t codec = wzp_agreement_profile(&pace->agreement)->codec;
    return bps_of(codec) < bps_of(pace->cfg.smallest) ? pace->cfg.smallest : codec;
}

void wzp_pace_switched(wzp_pace *pace, uint8_t codec) {
    wzp_dred_tuner_set_codec(&pace->tuner, codec);
    pace->has_setting = false; /* was for the codec before */
}

bool wzp_pace_take_setting(wzp_pace *pace, wzp_dred_setting *out) {
    if (!pace->has_setting) {
        return false;
    }
    pace->has_setting = false;
    *out = pace->setting;
    return true;
}
