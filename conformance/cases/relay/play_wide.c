/* Packets that fit the path of one receiver and not that of another (relay sheet 7.2). */
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"
#include "wire/media.h"

/* A packet of LARGE bytes needs datagrams of some 30 bytes more: those reach the control, and L is
 * behind a path that takes NARROW. */
enum { SMALL = 300, LARGE = 1300, NARROW = 1280, EACH = 20, STEP_MS = 20, SETTLE_MS = 700 };

typedef struct sizes {
    uint32_t seq, sent;
    uint32_t small[WZP_CT_PARTIES], large[WZP_CT_PARTIES]; /* that came */
} sizes;

_Static_assert(sizeof(sizes) <= WZP_CT_SIZES_STATE, "room for the state");

void wzp_ct_sizes_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    sizes *s = wzp_ct_play_state(e);
    (void)now;
    s->small[who] += bytes.len == SMALL ? 1 : 0;
    s->large[who] += bytes.len == LARGE ? 1 : 0;
}

static void send_packet(wzp_ct_exec *e, size_t len) {
    sizes *s = wzp_ct_play_state(e);
    uint8_t buf[LARGE];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &(wzp_media_hdr){.version = 2,
                                              .flags = WZP_MEDIA_FRAME_END,
                                              .media_type = WZP_MEDIA_VIDEO,
                                              .codec_id = WZP_CODEC_H264_BASELINE,
                                              .seq = s->seq,
                                              .timestamp_ms = STEP_MS * s->seq});
    memset(buf + WZP_MEDIA_HDR_LEN, 9, sizeof buf - WZP_MEDIA_HDR_LEN);
    s->seq++;
    (void)wzp_ct_play_send(e, WZP_CT_X, wzp_bytes_of(buf, len));
}

static const wzp_ct_whos wide_ones = {WZP_CT_X, WZP_CT_KL, WZP_CT_PARTIES};
static const wzp_ct_whos all_three = {WZP_CT_X, WZP_CT_KL, WZP_CT_L, WZP_CT_PARTIES};

/* Both paths have been found to be wide: a path is taken for one of 1200 bytes at first. */
static wzp_ct_so_far go_wide(wzp_ct_exec *e, wzp_time now) {
    sizes *s = wzp_ct_play_state(e);
    const wzp_ct_party *x = wzp_ct_play_party(e, WZP_CT_X);
    if (s->large[WZP_CT_KL] > 0) {
        return WZP_CT_HAPPENED;
    }
    if (wzp_quic_max_datagram(x->quic, x->conn) >= LARGE &&
        s->seq * (100 * WZP_MS) <= wzp_ct_play_elapsed(e, now)) {
        send_packet(e, LARGE);
    }
    wzp_ct_play_wake(e, now + 50 * WZP_MS);
    return WZP_CT_NOT_YET;
}

static bool begin_narrow(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_play_narrow(e, WZP_CT_L, NARROW);
    return wzp_ct_play_join(e, WZP_CT_L, NULL, WZP_CT_L, now);
}

static bool begin_both(wzp_ct_exec *e, wzp_time now) {
    sizes *s = wzp_ct_play_state(e);
    (void)now;
    memset(s->small, 0, sizeof s->small);
    memset(s->large, 0, sizeof s->large);
    return true;
}

static wzp_ct_so_far go_both(wzp_ct_exec *e, wzp_time now) {
    sizes *s = wzp_ct_play_state(e);
    const uint64_t elapsed = wzp_ct_play_elapsed(e, now);
    for (; s->sent < 2 * EACH && s->sent * (STEP_MS * WZP_MS) <= elapsed; s->sent++) {
        send_packet(e, s->sent % 2 == 0 ? SMALL : LARGE);
    }
    wzp_ct_play_wake(e, now + STEP_MS * WZP_MS);
    if (elapsed < (2 * EACH * STEP_MS + SETTLE_MS) * WZP_MS) {
        return WZP_CT_NOT_YET;
    }
    wzp_ct_play_say(e, "the control got %u large and %u small of %d each, the narrow one %u small",
                    s->large[WZP_CT_KL], s->small[WZP_CT_KL], EACH, s->small[WZP_CT_L]);
    const bool gone = wzp_ct_is_gone(e, WZP_CT_L) || wzp_ct_is_gone(e, WZP_CT_KL);
    const bool all =
        s->large[WZP_CT_KL] == EACH && s->small[WZP_CT_KL] == EACH && s->small[WZP_CT_L] == EACH;
    return gone                        ? WZP_CT_NEVER
           : all                       ? WZP_CT_HAPPENED
           : wzp_ct_play_path_loses(e) ? WZP_CT_UNSURE
                                       : WZP_CT_NEVER;
}

/* Where nothing so large gets through at all nothing can be said. */
const wzp_ct_act wzp_ct_acts_rly034[WZP_CT_RLY034_ACTS] = {
    WZP_CT_JOINED(wide_ones),
    {.required = "a packet of 1300 bytes reaches the control",
     .within_s = 8,
     .go = go_wide,
     .late = WZP_CT_REASON_SENDER_RATE},
    {.required = "a receiver joins whose path takes datagrams of 1280 bytes",
     .within_s = 5,
     .begin = begin_narrow,
     .go = wzp_ct_step_joined,
     .late = WZP_CT_REASON_NO_RESPONSE,
     .arg = &all_three},
    {.required = "the control gets packets of 300 and of 1300 bytes, the other one those of 300",
     .within_s = 4,
     .begin = begin_both,
     .go = go_both,
     .late = WZP_CT_REASON_NOT_FORWARDED,
     .never = WZP_CT_REASON_NOT_FORWARDED},
};
