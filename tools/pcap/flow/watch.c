#include "tools/pcap/flow/watch.h"

#include <inttypes.h>

#define HOLE_SETTLES_NS (2 * WZP_S) /* what has not come by then does not count as late */
#define STALL_SETTLES_NS WZP_S
#define NO_KEYFRAME_NS (2 * WZP_S)
enum {
    HOLE_LEAST = 8,      /* packets */
    HOLE_LEAST_MS = 200, /* of the sender's clock */
    STALL_MS = 400,
    FREEZE_TOLD_MS = 500,
    RTT_JUMP_MS = 100,
    FLAPS = 6, /* changes of codec */
    FEW = 50   /* packets: too few to speak of shares */
};
#define FLAP_NS (20 * WZP_S)

static wzp_pcap_about about(const wzp_pcap_stream *s, uint64_t packet, uint64_t ns) {
    return (wzp_pcap_about){.packet = packet, .ns = ns, .conn = s->key.conn, .stream = s->number};
}

static wzp_pcap_about about_packet(const wzp_pcap_stream *s, const wzp_pcap_message *m) {
    return about(s, m->packet_number, m->time_ns);
}

/* --- holes ------------------------------------------------------------------------------------ */

static void settle(const wzp_pcap_stream *s, wzp_pcap_hole *h, wzp_pcap_findings *findings) {
    const uint32_t count = h->count;
    const uint32_t ms = count > 0 ? (uint32_t)((uint64_t)h->media_ms * h->left / count) : 0;
    h->count = 0;
    if (h->left < HOLE_LEAST && !(h->left >= 2 && ms >= HOLE_LEAST_MS)) {
        return;
    }
    const wzp_pcap_about at = about(s, h->packet, h->to_ns);
    wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_LOSS_BURST,
                          ms >= 1000 ? WZP_PCAP_LEVEL_BAD : WZP_PCAP_LEVEL_WARNING, &at,
                          "%" PRIu32 " packets in a row are missing before this one, %.1f s of %s "
                          "(seq %" PRIu32 " to %" PRIu32 ")",
                          h->left, (double)ms / 1000,
                          s->key.media_type == WZP_MEDIA_VIDEO ? "video" : "the stream", h->seq,
                          h->seq + count - 1);
}

static void settle_old(wzp_pcap_stream *s, uint64_t ns, wzp_pcap_findings *findings) {
    for (size_t i = 0; i < WZP_PCAP_HOLES; i++) {
        wzp_pcap_hole *h = &s->holes[i];
        if (h->count > 0 && wzp_time_since(ns, h->to_ns) >= HOLE_SETTLES_NS) {
            settle(s, h, findings);
        }
    }
}

static void open_hole(wzp_pcap_stream *s, const wzp_pcap_message *m, uint32_t missing,
                      wzp_pcap_findings *findings) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    wzp_pcap_hole *place = &s->holes[0];
    for (size_t i = 0; i < WZP_PCAP_HOLES; i++) {
        wzp_pcap_hole *h = &s->holes[i];
        place = place->count > 0 && (h->count == 0 || h->to_ns < place->to_ns) ? h : place;
    }
    if (place->count > 0) {
        settle(s, place, findings);
    }
    const int32_t step = (int32_t)(hdr->timestamp_ms - s->newest_ts);
    *place = (wzp_pcap_hole){.packet = m->packet_number,
                             .from_ns = s->newest_ns,
                             .to_ns = m->time_ns,
                             .seq = hdr->seq - missing,
                             .count = missing,
                             .left = missing,
                             .media_ms = step > 0 ? (uint32_t)step : 0};
}

static void fill_hole(wzp_pcap_stream *s, uint32_t seq) {
    for (size_t i = 0; i < WZP_PCAP_HOLES; i++) {
        wzp_pcap_hole *h = &s->holes[i];
        if (h->count > 0 && seq - h->seq < h->count && h->left > 0) {
            h->left--;
        }
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

static void watch_switches(wzp_pcap_stream *s, const wzp_pcap_message *m,
                           wzp_pcap_findings *findings) {
    const uint64_t n = s->switches;
    if (n < FLAPS || n > WZP_PCAP_SWITCHES_MAX ||
        s->switch_list[n - 1].packet != m->packet_number) {
        return;
    }
    const uint64_t took = wzp_time_since(m->time_ns, s->switch_list[n - FLAPS].ns);
    if (took <= FLAP_NS && n % FLAPS == 0) {
        const wzp_pcap_about at = about_packet(s, m);
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_FLAPPING, WZP_PCAP_LEVEL_WARNING, &at,
                              "the codec changed %d times within %.1f s", FLAPS,
                              (double)took / 1e9);
    }
}

static void watch_pli(wzp_pcap_stream *s, const wzp_pcap_message *m, wzp_pcap_findings *findings) {
    const uint64_t waited = wzp_time_since(m->time_ns, s->asks.pli_ns);
    if (s->asks.pli_ns == 0 || s->asks.pli_told || waited < NO_KEYFRAME_NS) {
        return;
    }
    s->asks.pli_told = true;
    const wzp_pcap_about at = about(s, s->asks.pli_packet, s->asks.pli_ns);
    wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_NO_KEYFRAME, WZP_PCAP_LEVEL_BAD, &at,
                          "no key frame came within 2 s of this request (PictureLossIndication)");
}

/* Told of its first packet, which was a stray until this one came. */
static void anew(const wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    const wzp_pcap_about at = about(s, s->stray_packet, s->loss.stray_ns);
    wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_RESET, WZP_PCAP_LEVEL_WARNING, &at,
                          "the sender began its sequence anew: %" PRIu32 " after %" PRIu32,
                          s->loss.stray_seq, s->newest_seq);
}

void wzp_pcap_watch_place(wzp_pcap_stream *s, const wzp_pcap_message *m,
                          const wzp_pcap_place *place, wzp_pcap_findings *findings) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    const wzp_pcap_about at = about_packet(s, m);
    settle_old(s, m->time_ns, findings);
    watch_pli(s, m, findings);
    watch_switches(s, m, findings);
    if (m->media->nonce_again) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_NONCE_AGAIN, WZP_PCAP_LEVEL_BAD, &at,
                              "seq %" PRIu32 ": another packet was sealed with this nonce and key, "
                              "so both can be read by whoever has one",
                              hdr->seq);
    }
    switch (place->kind) {
    case WZP_PCAP_ARRIVAL_NEXT:
        if (place->missing > 1) {
            open_hole(s, m, place->missing, findings);
        }
        break;
    case WZP_PCAP_ARRIVAL_REORDERED:
        fill_hole(s, hdr->seq);
        break;
    case WZP_PCAP_ARRIVAL_RESET:
        anew(s, findings);
        break;
    case WZP_PCAP_ARRIVAL_OTHER:
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_SEQUENCE_TWICE, WZP_PCAP_LEVEL_WARNING,
                              &at,
                              "seq %" PRIu32 " again, with other bytes: the sender used it twice, "
                              "or there are two senders",
                              hdr->seq);
        break;
    case WZP_PCAP_ARRIVAL_STRAY:
        s->stray_packet = m->packet_number;
        break;
    case WZP_PCAP_ARRIVAL_DUPLICATE:
        break;
    }
}

static void settle_stall(wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    const wzp_pcap_stall *stall = &s->stall;
    const wzp_pcap_about at = about(s, stall->packet, stall->ns);
    const bool drained = stall->delay_ms - s->delay_ms >= stall->still_ms / 2;
    if (drained) {
        wzp_pcap_findings_add(
            findings, WZP_PCAP_FINDING_STALL,
            stall->still_ms >= 1000 ? WZP_PCAP_LEVEL_BAD : WZP_PCAP_LEVEL_WARNING, &at,
            "the path stood still: nothing came for %.2f s, then at once what had "
            "been sent meanwhile",
            stall->delta_ms / 1000);
    } else if (stall->still_ms >= 1000) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_PAUSE, WZP_PCAP_LEVEL_NOTE, &at,
                              "the sender made nothing for %.2f s, and its clock stood still",
                              stall->delta_ms / 1000);
    }
    s->stall.open = false;
}

void wzp_pcap_watch_delay(wzp_pcap_stream *s, const wzp_pcap_message *m,
                          const wzp_pcap_place *place, const wzp_pcap_tick *tick,
                          wzp_pcap_findings *findings) {
    const double still = tick->delta_ms - (tick->step_ms > 0 ? (double)tick->step_ms : 0);
    const bool over = place->kind == WZP_PCAP_ARRIVAL_RESET ||
                      wzp_time_since(m->time_ns, s->stall.ns) >= STALL_SETTLES_NS;
    if (!tick->clocked || s->key.media_type != WZP_MEDIA_AUDIO) {
        return;
    }
    const bool stalls = place->kind == WZP_PCAP_ARRIVAL_NEXT && still >= STALL_MS;
    if (s->stall.open && (over || stalls)) {
        settle_stall(s, findings);
    }
    s->delay_ms = tick->delay_ms;
    if (stalls) {
        s->stall = (wzp_pcap_stall){m->packet_number, m->time_ns, tick->delta_ms, still,
                                    tick->delay_ms,   true};
    }
}

void wzp_pcap_watch_freeze(const wzp_pcap_stream *s, const wzp_pcap_message *m,
                           const wzp_pcap_frame_news *news, wzp_pcap_findings *findings) {
    if (news->freeze_ns < FREEZE_TOLD_MS * WZP_MS) {
        return;
    }
    const wzp_pcap_about at = about_packet(s, m);
    wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_FREEZE, WZP_PCAP_LEVEL_WARNING, &at,
                          "the picture stood still for %.1f s: no complete frame until this one",
                          (double)news->freeze_ns / 1e9);
}

/* --- quality reports -------------------------------------------------------------------------- */

static void keep_report(wzp_pcap_stream *s, const wzp_pcap_message *m) {
    if (s->reports % s->report_stride != 0) {
        return;
    }
    if (s->report_count == WZP_PCAP_REPORTS_MAX) {
        for (size_t i = 0; i < WZP_PCAP_REPORTS_MAX / 2; i++) {
            s->report_list[i] = s->report_list[2 * i];
        }
        s->report_count /= 2;
        s->report_stride *= 2;
        if (s->reports % s->report_stride != 0) {
            return;
        }
    }
    s->report_list[s->report_count++] =
        (wzp_pcap_report_seen){m->packet_number, m->time_ns, m->media->packet.report};
}

static void put_report(wzp_pcap_row *row, const wzp_quality_report *r) {
    const uint16_t rtt_ms = (uint16_t)(r->rtt_4ms * 4);
    row->reports++;
    row->report_loss = r->loss_pct > row->report_loss ? r->loss_pct : row->report_loss;
    row->report_rtt_ms = rtt_ms > row->report_rtt_ms ? rtt_ms : row->report_rtt_ms;
    row->report_jitter_ms =
        r->jitter_ms > row->report_jitter_ms ? r->jitter_ms : row->report_jitter_ms;
}

void wzp_pcap_watch_report(wzp_pcap_stream *s, const wzp_pcap_message *m, wzp_pcap_row *row,
                           wzp_pcap_findings *findings) {
    const wzp_quality_report *r = &m->media->packet.report;
    const double rtt_ms = r->rtt_4ms * 4.0;
    const double before = s->report_rtt_ms.mean;
    if (s->reports >= 3 && rtt_ms - before >= RTT_JUMP_MS && rtt_ms >= 2 * before) {
        const wzp_pcap_about at = about_packet(s, m);
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_RTT_JUMP, WZP_PCAP_LEVEL_WARNING, &at,
                              "the sender reports a round trip of %.0f ms, %.0f ms on average "
                              "before",
                              rtt_ms, before);
    }
    keep_report(s, m);
    s->reports++;
    wzp_pcap_spread_add(&s->report_loss, r->loss_pct / 2.55);
    wzp_pcap_spread_add(&s->report_rtt_ms, rtt_ms);
    wzp_pcap_spread_add(&s->report_jitter_ms, r->jitter_ms);
    if (row != NULL) {
        put_report(row, r);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static void end_loss(const wzp_pcap_stream *s, const wzp_pcap_loss_figures *f,
                     wzp_pcap_findings *findings) {
    const wzp_pcap_about at = about(s, 0, 0);
    if (f->expected >= FEW && f->lost_percent >= 1) {
        wzp_pcap_findings_add(
            findings, WZP_PCAP_FINDING_LOSS,
            f->lost_percent >= 5 ? WZP_PCAP_LEVEL_BAD : WZP_PCAP_LEVEL_WARNING, &at,
            "%.1f %% of packets are lost (%" PRIu64 " of %" PRIu64 "), the most in a row %" PRIu64,
            f->lost_percent, f->lost, f->expected, f->longest_run);
    }
    if (f->expected >= FEW && s->loss.too_late * 100 >= f->expected) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_LATE, WZP_PCAP_LEVEL_WARNING, &at,
                              "%" PRIu64
                              " packets came 200 ms or more after one that follows them, "
                              "too late to be played",
                              s->loss.too_late);
    }
    if (f->expected >= FEW && s->loss.duplicates * 100 >= s->packets) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_DUPLICATES, WZP_PCAP_LEVEL_NOTE, &at,
                              "%" PRIu64 " of %" PRIu64 " packets came twice: a path, or the "
                              "capture, duplicates them",
                              s->loss.duplicates, s->packets);
    }
    const double told = s->report_loss.mean;
    if (s->reports >= 3 && told >= 2 && f->lost_percent < 0.1) {
        wzp_pcap_findings_add(
            findings, WZP_PCAP_FINDING_REPORT_DISAGREES, WZP_PCAP_LEVEL_NOTE, &at,
            "reports in this stream tell of %.1f %% loss, of which the capture "
            "shows none: it happens behind the place of capture, or the other way",
            told);
    }
}

static void end_clock(const wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    const wzp_pcap_about at = about(s, 0, 0);
    double ppm = 0;
    if (s->sample_steps > 0 && (uint64_t)s->sample_steps * 2 > s->loss.unique) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_CLOCK_UNIT, WZP_PCAP_LEVEL_WARNING, &at,
                              "timestamps count samples at 48 kHz instead of milliseconds: an old "
                              "sender; jitter and drift of this stream mean nothing");
        return;
    }
    if (s->key.media_type == WZP_MEDIA_AUDIO && wzp_pcap_drift_ppm(&s->timing.drift, &ppm) &&
        (ppm > 300 || ppm < -300)) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_DRIFT, WZP_PCAP_LEVEL_WARNING, &at,
                              "the sender's clock is %s by %.0f ppm against the capture's: %.0f ms "
                              "in a minute",
                              ppm > 0 ? "slow" : "fast", ppm > 0 ? ppm : -ppm,
                              (ppm > 0 ? ppm : -ppm) * 0.06);
    }
}

static void end_recovery(const wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    const wzp_pcap_about at = about(s, 0, 0);
    const wzp_pcap_blocks *b = &s->blocks;
    if (b->lost > 0) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_FEC_LOST, WZP_PCAP_LEVEL_WARNING, &at,
                              "%" PRIu64 " of %" PRIu64
                              " FEC blocks could not be recovered: %" PRIu64
                              " frames lost, %" PRIu64 " without FEC",
                              b->lost, b->complete + b->recovered + b->lost, b->frames_lost_after,
                              b->frames_lost_before);
    }
    const wzp_pcap_frames *f = &s->frames;
    if (f->incomplete * 100 >= f->complete && f->incomplete > 1) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_FRAMES_LOST, WZP_PCAP_LEVEL_WARNING, &at,
                              "%" PRIu64 " of %" PRIu64 " video frames are incomplete (%" PRIu64
                              " fragments missing)",
                              f->incomplete, f->complete + f->incomplete, f->fragments_missing);
    }
    if (s->seals.failed > 0) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_SEAL_FAILED, WZP_PCAP_LEVEL_WARNING, &at,
                              "media keys were given, and none opens %" PRIu64 " of these packets",
                              s->seals.failed);
    }
}

/* What the network is to blame for, and what the codec alone. */
static void end_quality(const wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    wzp_pcap_mos mos;
    if (s->packets < FEW || !wzp_pcap_stream_mos(s, &mos) || mos.mos >= 3.1) {
        return;
    }
    const wzp_pcap_about at = about(s, 0, 0);
    const bool by_network = mos.loss_percent >= 1 || mos.delay_ms >= 250;
    wzp_pcap_findings_add(
        findings, WZP_PCAP_FINDING_MOS, by_network ? WZP_PCAP_LEVEL_BAD : WZP_PCAP_LEVEL_NOTE, &at,
        "estimated MOS %.2f: %.1f %% of frames lost after recovery, %.0f ms "
        "delay%s",
        mos.mos, mos.loss_percent, mos.delay_ms, by_network ? "" : "; the codec allows no more");
}

static void end_strays(const wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    const wzp_pcap_about at = about(s, s->stray_packet, s->loss.stray_ns);
    if (s->loss.strays > 0) {
        wzp_pcap_findings_add(findings, WZP_PCAP_FINDING_RESET, WZP_PCAP_LEVEL_NOTE, &at,
                              "%" PRIu64 " packets are far from the sequence, and it did not go on "
                              "from there: under way for long, or of another sender",
                              s->loss.strays);
    }
}

void wzp_pcap_watch_end(wzp_pcap_stream *s, wzp_pcap_findings *findings) {
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(&s->loss, &f);
    for (size_t i = 0; i < WZP_PCAP_HOLES; i++) {
        if (s->holes[i].count > 0) {
            settle(s, &s->holes[i], findings);
        }
    }
    if (s->stall.open) {
        settle_stall(s, findings);
    }
    end_loss(s, &f, findings);
    end_strays(s, findings);
    end_clock(s, findings);
    end_recovery(s, findings);
    end_quality(s, findings);
}
