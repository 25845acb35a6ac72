/* Tier F, video: keyframes and what only claims to be some (conformance sheet 24.9).  30 frames per
 * second and payload 1000 unless said; the end of each frame is marked. */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

typedef struct shape {
    uint32_t fps, seconds;
    uint32_t gop;        /* frames; 0: no keyframe, 1: nothing else */
    uint32_t key, delta; /* packets */
    uint32_t none_until; /* frames before which there is no keyframe, ... */
    uint32_t all_until;  /* ... nothing else */
    uint16_t payload;
    uint8_t stream_id;
} shape;

enum { FV01, FV02, FV03, FV04, FV05, FV06, FV07, FV08, FV09, FV11, FV13, FV14 };

/* FV-05 has 30 keyframes and not one more: with the 31st, or with a GOP of 30 behind them, the
 * deployed score falls below 0.3, and the sheet says that this stream is forwarded. */
static const shape shapes[] = {
    [FV01] = {30, 60, 30, 1, 1, 0, 0, 1000, 0},  [FV02] = {30, 90, 0, 1, 1, 0, 0, 1000, 0},
    [FV03] = {30, 90, 1, 1, 1, 0, 0, 1000, 0},   [FV04] = {30, 20, 30, 1, 1, 120, 0, 1000, 0},
    [FV05] = {30, 20, 0, 1, 1, 0, 30, 1000, 0},  [FV06] = {30, 30, 30, 20, 3, 0, 0, 1116, 0},
    [FV07] = {30, 60, 60, 20, 3, 0, 0, 1116, 0}, [FV08] = {30, 60, 120, 60, 3, 0, 0, 1116, 0},
    [FV09] = {5, 60, 50, 1, 1, 0, 0, 1000, 0},   [FV11] = {30, 60, 10, 1, 1, 0, 0, 1000, 0},
    [FV13] = {30, 10, 30, 1, 1, 0, 0, 1000, 1},  [FV14] = {30, 3, 1, 1, 1, 0, 0, 1000, 0},
};

static bool is_key(const shape *s, uint32_t frame) {
    return frame < s->all_until || (frame >= s->none_until && s->gop != 0 && frame % s->gop == 0);
}

/* Its own timestamps and numbers. */
static void add_frame(wzp_ct_pattern *p, const shape *s, uint32_t frame, bool key) {
    const uint32_t n = key ? s->key : s->delta;
    p->ts = frame * 1000 / s->fps;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t flags =
            (uint8_t)((key ? WZP_MEDIA_KEYFRAME : 0) | (i + 1 == n ? WZP_MEDIA_FRAME_END : 0));
        const wzp_time due = frame * WZP_S / s->fps + (wzp_time)i * 200 * WZP_US;
        wzp_ct_add(p, due, WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, flags, s->payload)
            ->hdr.stream_id = s->stream_id;
        p->seq++;
    }
}

static void frames(wzp_ct_pattern *p, const wzp_ct_case *c) {
    const shape *s = &shapes[c->param];
    p->seq = 0;
    for (uint32_t frame = 0; frame < s->fps * s->seconds; frame++) {
        add_frame(p, s, frame, is_key(s, frame));
    }
    p->end = s->seconds * WZP_S;
}

/* Keyframes where picture loss asks for them: at 0, 1, 4, 5 and 9 s, of 10. */
static void on_demand(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const uint32_t keys[] = {0, 30, 120, 150, 270};
    const shape *s = &shapes[FV01];
    (void)c;
    p->seq = 0;
    for (uint32_t frame = 0; frame < 30 * c->param; frame++) {
        bool key = false;
        for (size_t i = 0; i < WZP_COUNT_OF(keys); i++) {
            key = key || frame % 300 == keys[i];
        }
        add_frame(p, s, frame, key);
    }
    p->end = c->param * WZP_S;
}

/* A report each second whose cap falls to a quarter in the middle. */
static void falling_cap(wzp_ct_pattern *p, const wzp_ct_case *c) {
    frames(p, c);
    for (size_t i = 0; i < p->count; i += 30) {
        p->packets[i].hdr.flags |= WZP_MEDIA_QUALITY;
        p->packets[i].report_cap = i < p->count / 2 ? 200 : 50;
    }
}

#define FV(id, title, must, what) INFO(id, "FV", title, "CONF-F-1", must, what, "conformance 24.9")
#define LEGITIMATE(id, title, what, make, n, ...)                                                  \
    {                                                                                              \
        .info = {FV(id, title, FORWARD, what), .must_forward = true}, .criteria = {MUST_FORWARD},  \
        .build = (make), .param = (n), .video = true, __VA_ARGS__                                  \
    }
#define ABUSE(id, title, what, n)                                                                  \
    {                                                                                              \
        .info = {INFO(id, "FV", title, "CONF-F-2", HANG_UP, what, "conformance 24.9"),             \
                 .level = WZP_CT_SHOULD, .abuse = true},                                           \
        .criteria = {SHOULD_HANG_UP(CODE(ENTROPY), 80.0), .never_silent = true}, .build = frames,  \
        .param = (n), .video = true, .is_long = true                                               \
    }

static const wzp_ct_case cases[] = {
    LEGITIMATE("FV-01", "a keyframe each second", "one packet per frame, GOP 30, 60 s", frames,
               FV01, .is_long = true),
    ABUSE("FV-02", "no keyframe", "one packet per frame, no keyframe, 90 s", FV02),
    ABUSE("FV-03", "nothing but keyframes", "one packet per frame, all keyframes, 90 s", FV03),
    LEGITIMATE("FV-04", "the first keyframe after 4 s", "120 frames without, then GOP 30, 20 s",
               frames, FV04, .is_long = false),
    LEGITIMATE("FV-05", "a second of keyframes", "30 keyframes, then none, 20 s", frames, FV05,
               .is_long = false),
    LEGITIMATE("FV-06", "fragmented, GOP 30", "keyframes of 20 packets, others of 3, 30 s", frames,
               FV06, .is_long = false),
    LEGITIMATE("FV-07", "fragmented, GOP 60", "keyframes of 20 packets, others of 3, 60 s", frames,
               FV07, .is_long = true),
    LEGITIMATE("FV-08", "fragmented, GOP 120", "keyframes of 60 packets, others of 3, 60 s", frames,
               FV08, .is_long = true),
    LEGITIMATE("FV-09", "a screen", "5 frames per second, a keyframe each 10 s, 60 s", frames, FV09,
               .is_long = true),
    LEGITIMATE("FV-10", "keyframes on demand", "at 0, 1, 4, 5, 9 s of each 10 s, 30 s", on_demand,
               30, .is_long = false),
    LEGITIMATE("FV-11", "three keyframes a second", "GOP 10, 60 s", frames, FV11, .is_long = true),
    LEGITIMATE("FV-12", "its own cap falls, its rate does not",
               "GOP 30 with reports, cap 200, then 50, 60 s", falling_cap, FV01, .is_long = true),
    {.info = {FV("FV-13", "another layer alone", "anything: it is only described",
                 "stream 1, GOP 30, 10 s"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_INFO},
     .build = frames,
     .param = FV13,
     .video = true},
    {.kind = WZP_CT_PLAY,
     .info = {FV("FV-14", "keyframes of who is in doubt", "replay none to a newcomer",
                 "3 s of FV-03, then a listener joins"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = wzp_ct_acts_fv14,
     .act_count = WZP_CT_FV14_ACTS,
     .state_size = WZP_CT_G_STATE,
     .on_datagram = wzp_ct_g_datagram,
     .build = frames,
     .param = FV14,
     .video = true},
};

const wzp_ct_chapter wzp_ct_chapter_fv = {"FV", "Tier F: behaviour of video", cases,
                                          WZP_COUNT_OF(cases)};
