/* What a relay must do beyond the chapters of the conformance sheet: dispatch by SNI, rooms and
 * forwarding (relay sheet 16).  The cases about calls are in play_calls.c.
 *
 * Rows of that list that other cases state already carry its number in their source. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conformance/cases/macros.h"
#include "conformance/cases/relay/counters.h"
#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "wire/media.h"

enum { FRAME_BYTES = 200, LAYERS = 3, LAYER_FRAMES = 20 };

typedef struct scene {
    uint32_t sent, seq;
    wzp_time next;
    uint32_t of_layer[LAYERS]; /* that L got */
    uint32_t keyframe, other;  /* that the newcomer got */
    uint32_t directives;       /* that must have come by now */
    bool told;                 /* an estimate, once more */
    char upper[64];
} scene;

static void send_packet(wzp_ct_exec *e, wzp_media_hdr hdr, size_t len,
                        const wzp_quality_report *report) {
    uint8_t buf[WZP_MEDIA_HDR_LEN + FRAME_BYTES + WZP_QUALITY_REPORT_LEN];
    wzp_wr wr;
    hdr.version = 2;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &hdr);
    memset(buf + WZP_MEDIA_HDR_LEN, 7, len);
    if (report != NULL) {
        uint8_t *at = buf + WZP_MEDIA_HDR_LEN + len;
        *at++ = report->loss_pct;
        *at++ = report->rtt_4ms;
        *at++ = report->jitter_ms;
        *at = report->bitrate_cap_kbps;
        len += WZP_QUALITY_REPORT_LEN;
    }
    (void)wzp_ct_play_send(e, WZP_CT_X, wzp_bytes_of(buf, WZP_MEDIA_HDR_LEN + len));
}

/* The keyframe's packets bear block numbers of frame 1. */
static void on_scene(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    wzp_media_packet packet;
    (void)now;
    if (who != WZP_CT_L || wzp_media_packet_parse(&packet, bytes, NULL) != WZP_OK) {
        return;
    }
    if (packet.hdr.stream_id < LAYERS) {
        s->of_layer[packet.hdr.stream_id]++;
    }
    const bool of_keyframe = packet.hdr.seq < 3 && (packet.hdr.flags & WZP_MEDIA_KEYFRAME) != 0;
    s->keyframe += of_keyframe ? 1 : 0;
    s->other += of_keyframe ? 0 : 1;
}

/* --- by SNI ----------------------------------------------------------------------------------- */

static bool begin_named(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_dial(e, WZP_CT_X,
                            (wzp_party_dial){.room = wzp_ct_play_arg(e), .hold_first = true}, now);
}

static wzp_ct_so_far go_closed(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    (void)now;
    return !wzp_party_gone(x)                         ? WZP_CT_NOT_YET
           : x->close.kind == WZP_QUIC_CLOSE_PEER_APP ? WZP_CT_HAPPENED
                                                      : WZP_CT_NEVER;
}

static wzp_ct_so_far go_version(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    bool printable = x->uni_len >= 1 && x->uni_len <= 256;
    for (size_t i = 0; i < x->uni_len; i++) {
        printable = printable && (unsigned char)x->uni[i] < 0x80;
    }
    const wzp_ct_so_far closed = go_closed(e, now);
    return closed == WZP_CT_HAPPENED && !(printable && x->uni_ends == 1) ? WZP_CT_NEVER : closed;
}

static const wzp_ct_act rly001[] = {{.required = "the handshake completes and the relay closes",
                                     .within_s = 2,
                                     .begin = begin_named,
                                     .go = go_closed,
                                     .late = WZP_CT_REASON_NOT_CLOSED,
                                     .arg = "ping"}};
static const wzp_ct_act rly002[] = {
    {.required = "one unidirectional stream with 1 to 256 bytes of ASCII, then a close",
     .within_s = 3,
     .begin = begin_named,
     .go = go_version,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = "version"}};

static bool begin_nameless(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_X, "", WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_L, "", WZP_CT_L, now);
}

static bool sees(wzp_ct_exec *e, wzp_ct_who who, wzp_ct_who whom) {
    const wzp_signal *update = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_ROOM_UPDATE];
    const wzp_bytes name = wzp_bytes_str(wzp_ct_play_party(e, whom)->identity.fingerprint);
    for (size_t i = 0; update != NULL && i < update->u.RoomUpdate.participants.count; i++) {
        if (wzp_bytes_equal(update->u.RoomUpdate.participants.items[i].fingerprint, name)) {
            return true;
        }
    }
    return false;
}

static wzp_ct_so_far go_together(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_is_gone(e, WZP_CT_X) || wzp_ct_is_gone(e, WZP_CT_L)   ? WZP_CT_NEVER
           : sees(e, WZP_CT_X, WZP_CT_L) && sees(e, WZP_CT_L, WZP_CT_X) ? WZP_CT_HAPPENED
                                                                        : WZP_CT_NOT_YET;
}

static bool begin_upper(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    (void)snprintf(s->upper, sizeof s->upper, "%s", wzp_ct_play_room(e));
    for (char *c = s->upper; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    return wzp_ct_play_join(e, WZP_CT_X, s->upper, WZP_CT_X, now) &&
           wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
}

#define TOGETHER(begin_)                                                                           \
    {                                                                                              \
        {                                                                                          \
            .required = "both are in one room", .within_s = 3, .begin = (begin_),                  \
            .go = go_together, .late = WZP_CT_REASON_NO_RESPONSE                                   \
        }                                                                                          \
    }
static const wzp_ct_act rly003[] = TOGETHER(begin_nameless);
static const wzp_ct_act rly004[] = TOGETHER(begin_upper);

/* --- who is there ----------------------------------------------------------------------------- */

static bool begin_next(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_who *whos = wzp_ct_play_arg(e);
    size_t last = 0;
    while (whos[last + 1] != WZP_CT_PARTIES) {
        last++;
    }
    return wzp_ct_play_join(e, whos[last], NULL, whos[last], now);
}

#define LISTED(whos)                                                                               \
    {                                                                                              \
        .required = "all see the newcomer at the end of the list", .within_s = 3,                  \
        .begin = begin_next, .go = wzp_ct_step_listed, .late = WZP_CT_REASON_NO_RESPONSE,          \
        .arg = (whos)                                                                              \
    }

static bool begin_leave(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_leave(e, WZP_CT_KX, now);
    return true;
}

static bool begin_vanish(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    wzp_ct_play_vanish(e, WZP_CT_L);
    return true;
}

static const wzp_ct_act rly020[] = {LISTED(wzp_ct_only_x), LISTED(wzp_ct_x_and_l),
                                    LISTED(wzp_ct_three)};
/* Whoever has heard nothing since begins to wait anew when it asks for an answer (RFC 9000, 10.1):
 * the idle timeout of 30 s may begin with a keep-alive, 5 s after the last packet. */
static const wzp_ct_act rly021[] = {
    LISTED(wzp_ct_only_x),
    LISTED(wzp_ct_x_and_l),
    LISTED(wzp_ct_three),
    {.required = "the rest get a RoomUpdate without the one who closed",
     .within_s = 1.5,
     .begin = begin_leave,
     .go = wzp_ct_step_listed,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_x_and_l},
    {.required = "the last one gets a RoomUpdate without the one who fell silent",
     .within_s = 38,
     .begin = begin_vanish,
     .go = wzp_ct_step_listed,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &wzp_ct_only_x},
};

/* --- layers ----------------------------------------------------------------------------------- */

/* Three streams in turn. */
static void send_layers(wzp_ct_exec *e, scene *s, wzp_time now) {
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; s->sent < LAYERS * LAYER_FRAMES && s->sent * (20 * WZP_MS) <= elapsed; s->sent++) {
        send_packet(e,
                    (wzp_media_hdr){.flags = s->sent < LAYERS
                                                 ? WZP_MEDIA_FRAME_END | WZP_MEDIA_KEYFRAME
                                                 : WZP_MEDIA_FRAME_END,
                                    .media_type = WZP_MEDIA_VIDEO,
                                    .codec_id = WZP_CODEC_H264_BASELINE,
                                    .stream_id = (uint8_t)(s->sent % LAYERS),
                                    .seq = s->seq,
                                    .timestamp_ms = 20 * s->seq},
                    FRAME_BYTES, NULL);
        s->seq++;
    }
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
}

static wzp_ct_so_far go_layers(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    send_layers(e, s, now);
    if (wzp_ct_play_elapsed(e, now) < 2 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u, %u and %u of %d packets of streams 0, 1 and 2", s->of_layer[0],
                    s->of_layer[1], s->of_layer[2], LAYER_FRAMES);
    return s->of_layer[1] + s->of_layer[2] > 0 ? WZP_CT_NEVER
           : s->of_layer[0] == LAYER_FRAMES    ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e)         ? WZP_CT_UNSURE
                                               : WZP_CT_NEVER;
}

static const wzp_ct_act rly036[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    {.required = "all of stream 0 arrives, nothing of streams 1 and 2",
     .within_s = 4,
     .go = go_layers,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};

/* What a receiver says it can take, and the layer that should come of it. */
typedef struct estimate {
    uint32_t kbps;
    uint32_t wait_ms; /* until it is said again; 0: it is said once */
    uint8_t layer;
} estimate;

static bool tell_estimate(wzp_ct_exec *e) {
    const estimate *est = wzp_ct_play_arg(e);
    return wzp_party_tell(
        wzp_ct_play_party(e, WZP_CT_L),
        &(wzp_signal){.kind = WZP_SIGNAL_TRANSPORT_FEEDBACK,
                      .version = 1,
                      .u.TransportFeedback = {.remb_bps = est->kbps * 1000,
                                              .recv_time_us = UINT64_C(1780000000000000)}});
}

static bool begin_estimate(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    (void)now;
    memset(s->of_layer, 0, sizeof s->of_layer);
    s->sent = 0;
    s->told = false;
    return tell_estimate(e);
}

static wzp_ct_so_far go_estimate(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    const estimate *est = wzp_ct_play_arg(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    if (!s->told && elapsed >= est->wait_ms * WZP_MS) {
        s->told = est->wait_ms == 0 || tell_estimate(e);
    }
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    return s->told && elapsed >= (est->wait_ms + 500) * WZP_MS ? WZP_CT_HAPPENED : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_chosen(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    const estimate *est = wzp_ct_play_arg(e);
    send_layers(e, s, now);
    if (wzp_ct_play_elapsed(e, now) < 2 * WZP_S) {
        return WZP_CT_NOT_YET;
    }
    uint32_t others = 0;
    for (int i = 0; i < LAYERS; i++) {
        others += i != est->layer ? s->of_layer[i] : 0;
    }
    wzp_ct_play_say(e, "%u of %d packets of stream %u and %u others", s->of_layer[est->layer],
                    LAYER_FRAMES, est->layer, others);
    return others > 0                                ? WZP_CT_NEVER
           : s->of_layer[est->layer] == LAYER_FRAMES ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e)               ? WZP_CT_UNSURE
                                                     : WZP_CT_NEVER;
}

#define ESTIMATED(text, seconds, estimate)                                                         \
    {                                                                                              \
        .required = (text), .within_s = (seconds), .begin = begin_estimate, .go = go_estimate,     \
        .late = WZP_CT_REASON_SENDER_RATE, .arg = (estimate)                                       \
    }
#define CHOSEN(text, estimate)                                                                     \
    {                                                                                              \
        .required = (text), .within_s = 4, .go = go_chosen, .late = WZP_CT_REASON_NOT_FORWARDED,   \
        .arg = (estimate)                                                                          \
    }

static const estimate mid = {1000, 0, 1};
static const estimate high = {4000, 3200, 2};

static const wzp_ct_act rly037[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l),
    ESTIMATED("the receiver estimates 1000 kbit/s", 2, &mid),
    CHOSEN("all of stream 1 arrives and nothing else, at once for a first estimate", &mid),
    ESTIMATED("it estimates 4000 kbit/s, and still does 3 s later", 6, &high),
    CHOSEN("all of stream 2 arrives and nothing else", &high),
};

/* --- quality directives ----------------------------------------------------------------------- */

typedef struct reports {
    wzp_quality_report report;
    uint32_t count;   /* that are sent, 20 ms apart */
    uint32_t new_one; /* directives that come of it */
    const char *tier;
} reports;

static bool begin_reports(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    const reports *r = wzp_ct_play_arg(e);
    (void)now;
    s->sent = 0;
    s->directives += r->new_one;
    return true;
}

static bool has_directive(wzp_ct_exec *e, wzp_ct_who who, const char *tier) {
    const wzp_signal *directive = wzp_ct_play_party(e, who)->last[WZP_SIGNAL_QUALITY_DIRECTIVE];
    char reason[64];
    (void)snprintf(reason, sizeof reason, "weakest link: %s", tier);
    return directive != NULL &&
           wzp_bytes_equal(directive->u.QualityDirective.reason.value, wzp_bytes_str(reason));
}

static wzp_ct_so_far go_reports(wzp_ct_exec *e, wzp_time now) {
    scene *s = wzp_ct_play_state(e);
    const reports *r = wzp_ct_play_arg(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; s->sent < r->count && s->sent * (20 * WZP_MS) <= elapsed; s->sent++, s->seq++) {
        send_packet(e,
                    (wzp_media_hdr){.flags = WZP_MEDIA_QUALITY,
                                    .codec_id = WZP_CODEC_OPUS_24K,
                                    .seq = s->seq,
                                    .timestamp_ms = 20 * s->seq},
                    60, &r->report);
    }
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    if (elapsed < 800 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    const uint32_t at_x = wzp_ct_play_party(e, WZP_CT_X)->heard[WZP_SIGNAL_QUALITY_DIRECTIVE];
    const uint32_t at_l = wzp_ct_play_party(e, WZP_CT_L)->heard[WZP_SIGNAL_QUALITY_DIRECTIVE];
    const bool told = r->tier == NULL ||
                      (has_directive(e, WZP_CT_X, r->tier) && has_directive(e, WZP_CT_L, r->tier));
    if (at_x == s->directives && at_l == s->directives && told) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "the reporter got %u directives and the other %u, instead of %u", at_x, at_l,
                    s->directives);
    return wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE : WZP_CT_NEVER;
}

#define BAD                                                                                        \
    { .loss_pct = 51, .rtt_4ms = 10, .bitrate_cap_kbps = 200 }
#define FINE                                                                                       \
    { .rtt_4ms = 5, .bitrate_cap_kbps = 200 }
#define LOSS(raw)                                                                                  \
    { .loss_pct = (raw), .rtt_4ms = 5, .bitrate_cap_kbps = 200 }
#define RTT(raw)                                                                                   \
    { .rtt_4ms = (raw), .bitrate_cap_kbps = 200 }

static const reports bad_2 = {BAD, 2, 0, NULL};
static const reports bad_1 = {BAD, 1, 1, "Catastrophic"};
static const reports bad_3_more = {BAD, 3, 0, "Catastrophic"};
static const reports bad_3 = {BAD, 3, 1, "Catastrophic"};
static const reports fine_4 = {FINE, 4, 0, "Catastrophic"};
static const reports fine_1 = {FINE, 1, 1, "Degraded"};
static const reports fine_5 = {FINE, 5, 1, "Good"};
static const reports loss_12 = {LOSS(12), 3, 0, NULL};
static const reports loss_13 = {LOSS(13), 3, 1, "Degraded"};
static const reports loss_38 = {LOSS(38), 3, 0, "Degraded"};
static const reports rtt_49 = {RTT(49), 3, 0, "Degraded"};
static const reports rtt_50 = {RTT(50), 3, 1, "Catastrophic"};

#define REPORTED(text, reports)                                                                    \
    {                                                                                              \
        .required = (text), .within_s = 3, .begin = begin_reports, .go = go_reports,               \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (reports)                                        \
    }

static const wzp_ct_act rly040[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l), REPORTED("two catastrophic reports change nothing", &bad_2),
    REPORTED("the third brings a directive to both, for Catastrophic", &bad_1),
    REPORTED("three more repeat nothing", &bad_3_more)};
static const wzp_ct_act rly041[] = {
    WZP_CT_JOINED(wzp_ct_x_and_l), REPORTED("three catastrophic reports bring a directive", &bad_3),
    REPORTED("four good ones change nothing", &fine_4),
    REPORTED("the fifth brings a directive for Degraded", &fine_1),
    REPORTED("five more bring one for Good", &fine_5)};
static const wzp_ct_act rly042[] = {WZP_CT_JOINED(wzp_ct_x_and_l),
                                    REPORTED("a loss byte of 12 is Good", &loss_12),
                                    REPORTED("13 is Degraded", &loss_13),
                                    REPORTED("38 is Degraded", &loss_38),
                                    REPORTED("an RTT byte of 49 is Degraded", &rtt_49),
                                    REPORTED("50 is Catastrophic", &rtt_50)};

/* --- the last keyframe ------------------------------------------------------------------------ */

static void send_video(wzp_ct_exec *e, uint32_t seq, uint8_t flags, uint8_t frame, uint8_t index) {
    send_packet(e,
                (wzp_media_hdr){.flags = flags,
                                .media_type = WZP_MEDIA_VIDEO,
                                .codec_id = WZP_CODEC_H264_BASELINE,
                                .seq = seq,
                                .timestamp_ms = 33U * frame,
                                .fec_block = (uint16_t)(index << 8 | frame)},
                FRAME_BYTES, NULL);
}

/* A keyframe of three, a repair packet, a frame, and the first two packets of another keyframe. */
static bool begin_video(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    send_video(e, 0, WZP_MEDIA_KEYFRAME, 1, 0);
    send_video(e, 1, WZP_MEDIA_KEYFRAME, 1, 1);
    send_video(e, 2, WZP_MEDIA_KEYFRAME | WZP_MEDIA_FRAME_END, 1, 2);
    send_video(e, 3, WZP_MEDIA_REPAIR, 1, 3);
    send_video(e, 4, WZP_MEDIA_FRAME_END, 2, 0);
    send_video(e, 5, WZP_MEDIA_KEYFRAME, 3, 0);
    send_video(e, 6, WZP_MEDIA_KEYFRAME, 3, 1);
    return true;
}

/* The same keyframe, between audio of the same stream. */
static bool begin_both(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    for (uint8_t i = 0; i < 3; i++) {
        send_video(e, i, (uint8_t)(WZP_MEDIA_KEYFRAME | (i == 2 ? WZP_MEDIA_FRAME_END : 0)), 1, i);
        send_packet(e,
                    (wzp_media_hdr){.media_type = WZP_MEDIA_AUDIO,
                                    .codec_id = WZP_CODEC_OPUS_24K,
                                    .seq = i,
                                    .timestamp_ms = 20U * i},
                    60, NULL);
    }
    return true;
}

/* All of it has reached the relay. */
static wzp_ct_so_far go_acked(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    wzp_quic_stats stats;
    return wzp_ct_play_elapsed(e, now) > 500 * WZP_MS &&
                   wzp_quic_conn_stats(x->quic, x->conn, &stats) && stats.bytes_in_flight == 0
               ? WZP_CT_HAPPENED
               : WZP_CT_NOT_YET;
}

static wzp_ct_so_far go_replayed(wzp_ct_exec *e, wzp_time now) {
    const scene *s = wzp_ct_play_state(e);
    if (s->other > 0 || s->keyframe > 3) {
        wzp_ct_play_say(e, "%u other packets came", s->other + s->keyframe - 3);
        return WZP_CT_NEVER;
    }
    if (wzp_ct_play_elapsed(e, now) < 1500 * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "%u of 3 packets came", s->keyframe);
    return s->keyframe == 3            ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE
                                       : WZP_CT_NEVER;
}

static bool begin_late(wzp_ct_exec *e, wzp_time now) {
    return wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
}

static const wzp_ct_act rly046[] = {
    WZP_CT_JOINED(wzp_ct_only_x),
    {.required = "video reaches the relay",
     .within_s = 3,
     .begin = begin_video,
     .go = go_acked,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "a newcomer gets the three packets of the whole keyframe and nothing else",
     .within_s = 4,
     .begin = begin_late,
     .go = go_replayed,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};

static const wzp_ct_act rly047[] = {
    WZP_CT_JOINED(wzp_ct_only_x),
    {.required = "video and audio reach the relay",
     .within_s = 3,
     .begin = begin_both,
     .go = go_acked,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "a newcomer gets the three packets of the keyframe and nothing else",
     .within_s = 4,
     .begin = begin_late,
     .go = go_replayed,
     .late = WZP_CT_REASON_NOT_FORWARDED},
};

/* --- packets of other kinds ------------------------------------------------------------------- */

static void other_kinds(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 60; i++) {
        wzp_ct_packet *packet =
            wzp_ct_add(p, (wzp_time)i * 20 * WZP_MS,
                       i % 2 == 0 ? WZP_MEDIA_DATA : WZP_MEDIA_CONTROL, WZP_CODEC_OPUS_24K, 0, 40);
        p->end = packet->due;
        p->seq++;
        p->ts += 20;
    }
}

static void audio_streams(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (int i = 0; i < 60; i++) {
        wzp_ct_packet *packet =
            wzp_ct_add(p, (wzp_time)i * 20 * WZP_MS, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 40);
        packet->hdr.stream_id = (uint8_t)(i % 4);
        p->end = packet->due;
        p->seq++;
        p->ts += 20;
    }
}

/* --- the table -------------------------------------------------------------------------------- */

#define RLY(id, level_, title, must, what, script, ...)                                            \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "RLY", title, id, must, what, "relay 16"), .level = (level_)},           \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(scene), .on_datagram = on_scene,   \
        __VA_ARGS__                                                                                \
    }
#define ROOMS(id, title, must, what, script)                                                       \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .info = {INFO(id, "RLY", title, id, must, what, "relay 16")},         \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = WZP_CT_ROOMS_STATE,                       \
        .on_datagram = wzp_ct_rooms_datagram                                                       \
    }
#define OWN(id, level_, title, must, what, script, ...)                                            \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "RLY", title, id, must, what, "relay 16"), .level = (level_)},           \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), __VA_ARGS__                                             \
    }
#define FORWARDED(id, title, traffic, builder)                                                     \
    {                                                                                              \
        .info = {INFO(id, "RLY", title, id, FORWARD, traffic, "relay 16"), .must_forward = true},  \
        .criteria = {MUST_FORWARD}, .build = (builder)                                             \
    }

static const wzp_ct_case cases[] = {
    RLY("RLY-001", WZP_CT_MUST, "SNI ping", "complete the handshake and close", "SNI ping", rly001,
        .video = false),
    RLY("RLY-002", WZP_CT_MUST, "SNI version", "tell its version on one stream and close",
        "SNI version", rly002, .video = false),
    RLY("RLY-003", WZP_CT_MUST, "no SNI", "put both into the room default",
        "two clients without SNI", rly003, .video = false),
    RLY("RLY-004", WZP_CT_MUST, "SNI in capitals", "take it for the same room",
        "the same room in capitals and in small letters", rly004, .video = false),
    ROOMS("RLY-005", "clients that stall", "let another one in within a second",
          "a room and a signal connection that say nothing; then one joins", wzp_ct_acts_rly005),
    OWN("RLY-006", WZP_CT_MUST, "the same relay after a restart", "keep its certificate",
        "a handshake, a restart with the same identity file, a handshake", wzp_ct_acts_rly006,
        .config = WZP_CT_CONFIG_IDENTITY, .skip = WZP_CT_REASON_NO_TEST_CONFIG, .alone = true),
    OWN("RLY-006b", WZP_CT_SHOULD, "the certificate of a seed", "derive it as written",
        "a handshake; the identity file holds 00 01 .. 1f", wzp_ct_acts_rly006b,
        .config = WZP_CT_CONFIG_IDENTITY, .skip = WZP_CT_REASON_NO_TEST_CONFIG, .alone = true),
    OWN("RLY-007", WZP_CT_MUST, "a damaged identity file", "start as somebody else, and stay so",
        "handshakes before and after the identity file is damaged, and after another restart",
        wzp_ct_acts_rly007, .config = WZP_CT_CONFIG_IDENTITY, .skip = WZP_CT_REASON_NO_TEST_CONFIG,
        .alone = true),
    OWN("RLY-015", WZP_CT_MUST, "tokens are counted", "count those of media connections, by result",
        "a valid and a wrong token, none, and both on _signal", wzp_ct_acts_rly015,
        .config = WZP_CT_CONFIG_AUTH, .skip = WZP_CT_REASON_NO_AUTH, .alone = true,
        .reads_metrics = true, .state_size = sizeof(wzp_ct_counted)),
    RLY("RLY-020", WZP_CT_MUST, "who is in a room",
        "tell all members, in the order of joining, without relay_label",
        "three join one after the other", rly020, .video = false),
    RLY("RLY-021", WZP_CT_MUST, "who has left a room",
        "tell the rest within a second, or when the idle timeout is over",
        "one of three closes, another vanishes", rly021, .video = false),
    ROOMS("RLY-031", "two rooms", "keep rooms apart", "speech in two rooms at once",
          wzp_ct_acts_rly031),
    ROOMS("RLY-033", "a dead receiver", "go on delivering to the others",
          "one of three vanishes, another speaks for a second", wzp_ct_acts_rly033),
    OWN("RLY-034", WZP_CT_MUST, "a packet too large for one receiver", "drop it for that one only",
        "packets of 300 and 1300 bytes, one of two receivers behind a path of 1280",
        wzp_ct_acts_rly034, .state_size = WZP_CT_SIZES_STATE, .on_datagram = wzp_ct_sizes_datagram,
        .video = true),
    FORWARDED("RLY-035", "data and control packets", "media types 2 and 3 in turn, 60 packets",
              other_kinds),
    RLY("RLY-036", WZP_CT_MUST, "the lowest layer",
        "forward stream 0 and no other to who never reported", "video on streams 0, 1 and 2",
        rly036, .video = true),
    RLY("RLY-037", WZP_CT_SHOULD, "the layer that a receiver can take",
        "forward stream 1 at 1000 kbit/s, and stream 2 after 3 s of 4000",
        "TransportFeedback with REMB, then video on streams 0, 1 and 2, twice", rly037,
        .video = true),
    FORWARDED("RLY-038", "audio on other streams", "audio on streams 0 to 3, 60 packets",
              audio_streams),
    RLY("RLY-040", WZP_CT_MUST, "a path gets bad",
        "send a QualityDirective after three catastrophic reports, once",
        "2, 1 and 3 reports of 20 % loss", rly040, .video = false),
    RLY("RLY-041", WZP_CT_MUST, "a path recovers", "go up one step after five good reports",
        "3 bad reports, then 4, 1 and 5 good ones", rly041, .video = false),
    RLY("RLY-042", WZP_CT_MUST, "where tiers begin", "classify the bytes of reports exactly",
        "loss 12, 13, 38 and round trips of 49 and 50 times 4 ms", rly042, .video = false),
    RLY("RLY-046", WZP_CT_MUST, "a newcomer sees a picture",
        "replay the last whole keyframe and nothing else",
        "a keyframe, a repair packet, a frame, half a keyframe; then one joins", rly046,
        .video = true),
    RLY("RLY-047", WZP_CT_SHOULD, "a keyframe between audio", "replay the keyframe whole",
        "a keyframe, and audio on the same stream; then one joins", rly047, .video = true),
#define CALLS(id, level_, title, must, what, script)                                               \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "RLY", title, id, must, what, "relay 16"), .level = (level_)},           \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script)                                                          \
    }
    CALLS("RLY-061", WZP_CT_MUST, "nobody registers", "close after 10 s",
          "a connection to _signal that says nothing", wzp_ct_acts_rly061),
    OWN("RLY-062", WZP_CT_MUST, "where a relay is, and which others there are",
        "tell its region, and its peers in the order of its configuration", "RegisterPresence",
        wzp_ct_acts_rly062, .config = WZP_CT_CONFIG_REGION, .skip = WZP_CT_REASON_NO_TEST_CONFIG),
    CALLS("RLY-064", WZP_CT_MUST, "a signal of 1 MiB is no framing error",
          "keep the connection and answer what follows", "a text of 1 048 576 bytes, then Ping",
          wzp_ct_acts_rly064),
    CALLS("RLY-067", WZP_CT_MUST, "a call that hides the callee",
          "tell the caller no address, the callee those of the caller",
          "AcceptGeneric without addresses", wzp_ct_acts_rly067),
    CALLS("RLY-068", WZP_CT_MUST, "a call without addresses", "set it up with relay_addr alone",
          "neither party tells an address", wzp_ct_acts_rly068),
    CALLS("RLY-069", WZP_CT_MUST, "a call is rejected",
          "tell the caller with Hangup, and let nobody into its room", "Reject",
          wzp_ct_acts_rly069),
    CALLS("RLY-073", WZP_CT_MUST, "signals within a call",
          "hand each to the peer unchanged and to nobody else",
          "the eight signals that name a call; a third client listens", wzp_ct_acts_rly073),
    CALLS("RLY-074", WZP_CT_MUST, "a party vanishes from the hub", "tell its peers with Hangup",
          "the caller closes its signal connection", wzp_ct_acts_rly074),
    CALLS("RLY-075", WZP_CT_SHOULD, "a stranger hangs up", "ignore who is no party",
          "Hangup with the call_id of others", wzp_ct_acts_rly075),
    CALLS("RLY-075b", WZP_CT_SHOULD, "a caller that registered again",
          "keep its calls when the older connection ends",
          "a second connection of the caller, then the first one closes", wzp_ct_acts_rly075b),
    CALLS("RLY-076", WZP_CT_SHOULD, "old and new forms of signals", "take both and stay connected",
          "Hold, Unhold, Mute, Unmute and TransferAck as structs, then as bare names",
          wzp_ct_acts_rly076),
    CALLS("RLY-077", WZP_CT_MUST, "a client plays relay", "ignore FederatedSignalForward",
          "a forwarded offer on _signal", wzp_ct_acts_rly077),
};

const wzp_ct_chapter wzp_ct_chapter_rly = {"RLY", "Relay", cases, WZP_COUNT_OF(cases)};
