/* The hot path: one packet in, the same bytes out to every other member (relay sheet 7.2). */
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

static void record(session *s, const wzp_media_hdr *hdr, size_t wire_len) {
    wzp_relay *r = s->relay;
    wzp_relay_observe_bytes(r, hdr->media_type, wire_len);
    wzp_relay_observe_gap(r, hdr->media_type, wzp_time_since(r->now, s->last_packet_at));
    s->last_packet_at = r->now;
}

/* Counts with the deployed meters; true if ENF-1 says that the sender must go. */
bool wzp_relay_violates(session *s, const wzp_media_packet *packet) {
    wzp_relay *r = s->relay;
    if (r->cfg.enforce == WZP_ENFORCE_OFF || r->now < r->judge_from) {
        return false;
    }
    if (s->meter == NULL) {
        /* The first window is anchored at the join, as deployed. */
        s->meter = malloc(sizeof *s->meter);
        s->enf = r->cfg.enforce == WZP_ENFORCE_ON
                     ? wzp_enf_new(r->cfg.exact_limits ? WZP_ENF_EXACT : WZP_ENF_GUARDED, r->now)
                     : NULL;
        if (s->meter == NULL || (r->cfg.enforce == WZP_ENFORCE_ON && s->enf == NULL)) {
            return false;
        }
        wzp_meter_init(s->meter, s->connected_at);
    }
    const wzp_media_hdr *hdr = &packet->hdr;
    const wzp_violation seen = wzp_meter_observe(s->meter, hdr, packet->payload.len, r->now);
    if (seen != WZP_VIOLATION_NONE) {
        r->metrics.violations[seen][hdr->codec_id][hdr->media_type]++;
    }
    if (s->enf == NULL || r->cfg.enforce != WZP_ENFORCE_ON) {
        return false;
    }
    wzp_violation hard = wzp_enf_observe(s->enf, hdr, packet->payload.len, r->now);
    hard = hard == WZP_VIOLATION_NONE ? wzp_relay_judge(s, packet) : hard;
    if (hard == WZP_VIOLATION_NONE) {
        return false;
    }
    wzp_relay_hangup_policy(s, hard);
    return true;
}

/* As deployed: each video packet is told to the scorer, with the estimate that its sender claimed
 * before, and what it calls abusive vanishes.  It goes on looking, so the stream comes back with
 * its score. */
static bool vanishes(session *s, const wzp_media_packet *packet) {
    wzp_relay *r = s->relay;
    const uint32_t claimed_kbps = s->last_report.bitrate_cap_kbps;
    if (r->cfg.enforce != WZP_ENFORCE_OBSERVE || r->now < r->judge_from) {
        return false;
    }
    if (s->scorer == NULL) {
        s->scorer = malloc(sizeof *s->scorer);
        if (s->scorer == NULL) {
            return false;
        }
        wzp_video_scorer_init(s->scorer);
    }
    wzp_video_scorer_observe(s->scorer, &packet->hdr, packet->payload.len,
                             s->has_report ? &claimed_kbps : NULL, r->now);
    const bool is_abusive = wzp_video_scorer_verdict(s->scorer) == WZP_SCORE_ABUSIVE;
    if (is_abusive && !s->is_vanishing) {
        wzp_relay_event_push(r, s, "video_drop", "video score below 0.3");
    }
    s->is_vanishing = is_abusive;
    r->metrics.video_dropped += is_abusive ? 1 : 0;
    return is_abusive;
}

static void send_directive(const room *rm) {
    char reason[48];
    (void)snprintf(reason, sizeof reason, "weakest link: %s", wzp_tier_name(rm->tier));
    const wzp_signal directive = {
        .kind = WZP_SIGNAL_QUALITY_DIRECTIVE,
        .version = 1,
        .u.QualityDirective = {.recommended_profile = *wzp_tier_profile(rm->tier),
                               .reason = {true, wzp_bytes_str(reason)}}};
    (void)wzp_relay_send_to_room(rm, &directive);
    wzp_relay_tap_directive(rm->members[0]->relay, rm,
                            wzp_codec_find(wzp_tier_profile(rm->tier)->codec)->name, reason);
}

/* One whose reports go up and down must not make the relay tell everybody each time: what is not
 * told now is told with a later report. */
static void direct(session *s, wzp_tier weakest) {
    room *rm = s->room;
    relay_metrics *metrics = &s->relay->metrics;
    const bool waited = rm->directive_waits;
    rm->directive_waits = false;
    if (weakest == rm->tier) {
        return;
    }
    if (wzp_relay_rate(&rm->directives, WZP_LIMIT_DIRECTIVE_RATE, s->relay->now)) {
        rm->tier = weakest;
        send_directive(rm);
    } else {
        rm->directive_waits = true;
        metrics->directives_deferred += waited ? 0 : 1;
    }
}

/* A report tells of the sender's path: it moves its layer and its tier, and the room follows its
 * weakest member. */
static void take_report(session *s, const wzp_quality_report *report) {
    const room *rm = s->room;
    s->last_report = *report;
    s->has_report = true;
    if (!s->has_remb) { /* its byte cannot name what a second layer takes */
        wzp_layer_update(&s->layer, report->bitrate_cap_kbps, report->loss_pct, s->relay->now);
    }
    wzp_relay_note_estimate(s);
    if (!wzp_quality_observe(&s->quality, report) && !rm->directive_waits) {
        return;
    }
    wzp_tier weakest = s->quality.tier;
    for (size_t i = 0; i < rm->count; i++) {
        const wzp_tier tier = rm->members[i]->quality.tier;
        weakest = tier < weakest ? tier : weakest;
    }
    direct(s, weakest);
}

void wzp_relay_fan_out(session *s, const wzp_media_packet *packet, wzp_bytes datagram) {
    const room *rm = s->room;
    relay_metrics *metrics = &s->relay->metrics;
    const bool is_video = packet->hdr.media_type == WZP_MEDIA_VIDEO;
    bridge_frame *shared = NULL;
    for (size_t i = 0; i < rm->count; i++) {
        session *to = rm->members[i];
        if (to == s || to->barred) {
            continue;
        }
        if (is_video && packet->hdr.stream_id != to->layer.selected) {
            metrics->packets_skipped++;
            continue;
        }
        if (to->bridge != NULL) {
            wzp_relay_bridge_push(to, packet->payload, &shared);
        } else if (s->relay->cfg.trunking) {
            wzp_relay_trunk_push(s, i, datagram);
        } else {
            wzp_relay_send_media(to, datagram);
        }
    }
    wzp_relay_bridge_done(&shared);
    /* As deployed: every other member counts, whether it got the packet or not. */
    metrics->packets_forwarded += rm->count - 1;
    metrics->bytes_forwarded += packet->payload.len * (rm->count - 1);
}

void wzp_relay_forward(session *s, wzp_bytes datagram) {
    wzp_relay *r = s->relay;
    wzp_media_packet packet;
    if (s->state == SESSION_LINK) {
        wzp_relay_on_link_datagram(s, datagram);
        return;
    }
    if (s->state != SESSION_ROOM || s->barred) {
        r->metrics.packets_ignored++;
        return;
    }
    r->metrics.packets_in++;
    const wzp_err err = wzp_media_packet_parse(&packet, datagram, NULL);
    if (err != WZP_OK) {
        r->metrics.malformed[err]++;
        return;
    }
    if (wzp_relay_violates(s, &packet)) {
        return;
    }
    record(s, &packet.hdr, WZP_MEDIA_HDR_LEN + packet.payload.len);
    if (packet.hdr.media_type == WZP_MEDIA_VIDEO) {
        wzp_relay_own_stream(s, &packet.hdr);
        wzp_relay_keyframe_update(s, &packet, datagram);
        if (vanishes(s, &packet)) {
            return;
        }
    }
    if ((packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        take_report(s, &packet.report);
    }
    if (s->tap != NULL) {
        wzp_relay_tap_packet(s, &packet);
    }
    wzp_relay_fan_out(s, &packet, datagram);
    if (s->room->global != NULL) {
        wzp_relay_to_peers(s->room, datagram);
    }
}
