/* Tier E: buckets and quotas (conformance sheet 24.7).  Payloads of video are 1116 bytes, which
 * every path carries. */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

/* One packet per frame, a keyframe each 30th. */
static void video(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i++) {
        p->packets[i].hdr.flags =
            (uint8_t)(WZP_MEDIA_FRAME_END | (i % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0));
    }
}

/* `param` packets have one timestamp; GOP 30. */
static void fragmented(wzp_ct_pattern *p, const wzp_ct_case *c) {
    const uint32_t base = p->ts;
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i++) {
        const size_t frame = i / c->param;
        p->packets[i].hdr.timestamp_ms = base + (uint32_t)frame * 33;
        p->packets[i].hdr.flags = (uint8_t)((frame % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0) |
                                            ((i + 1) % c->param == 0 ? WZP_MEDIA_FRAME_END : 0));
    }
}

#define VIDEO(rate_, payload_, seconds)                                                            \
    .video = true, .stream = {.media_type = WZP_MEDIA_VIDEO,                                       \
                              .codec = WZP_CODEC_H264_BASELINE,                                    \
                              .rate = (rate_),                                                     \
                              .payload = (payload_),                                               \
                              .duration_ms = (seconds)*1000,                                       \
                              .ts = WZP_CT_TS_STEP,                                                \
                              .step_ms = 33}
/* Twice as much as the control sends meanwhile, which must not spend its own month. */
#define SIX_MEGABYTES                                                                              \
    .stream = {.codec = WZP_CODEC_OPUS_64K,                                                        \
               .rate = 50,                                                                         \
               .payload = 176,                                                                     \
               .duration_ms = 625000,                                                              \
               .ts = WZP_CT_TS_STEP,                                                               \
               .step_ms = 20,                                                                      \
               .report_every = 50}
#define E(id, requirement, title, must, what)                                                      \
    INFO(id, "E", title, requirement, must, what, "conformance 24.7")

static const wzp_ct_case cases[] = {
    {.info = {E("E-01", "CONF-E-1", "video over the audio budget", FORWARD,
                "H264, 138 pkt/s x payload 1116 (1.25 Mbit/s), 40 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = video,
     VIDEO(138, 1116, 40)},
    {.info = {E("E-02", "CONF-E-1", "slow video for a minute", FORWARD,
                "H264, 60 pkt/s x payload 500, 60 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = video,
     .is_long = true,
     VIDEO(60, 500, 60)},
    {.info = {E("E-03", "CONF-E-2", "video over its own budget", HANG_UP,
                "H264, 731 pkt/s x payload 1116 (6.6 Mbit/s), 23 per frame, 240 s"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {SHOULD_HANG_UP(CODE(RATE_CAP) | CODE(BITRATE), 200.0)},
     .build = fragmented,
     .param = 23,
     .is_long = true,
     VIDEO(731, 1116, 240)},
    {.info = {E("E-04", "CONF-E-2", "a month's quota without a token", HANG_UP,
                "Opus64k, 50 pkt/s x payload 176 to 6 MB; the quota is 5 MB"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {SHOULD_HANG_UP(CODE(RATE_CAP), 575.0)},
     .config = WZP_CT_CONFIG_POLICY,
     .skip = WZP_CT_REASON_NO_TEST_CONFIG,
     .is_long = true,
     SIX_MEGABYTES},
    {.kind = WZP_CT_PLAY,
     .info = {E("E-05", "CONF-E-2", "the same with a token", FORWARD,
                "as E-04, with a valid token"),
              .level = WZP_CT_SHOULD},
     .criteria = {.rule = WZP_CT_RULE_RESP},
     .acts = wzp_ct_acts_e05,
     .act_count = WZP_CT_E05_ACTS,
     .state_size = WZP_CT_G_STATE,
     .on_datagram = wzp_ct_g_datagram,
     .config = WZP_CT_CONFIG_AUTH,
     .skip = WZP_CT_REASON_NO_AUTH,
     .is_long = true,
     SIX_MEGABYTES},
    {.info = {E("E-06", "CONF-E-2", "below the refill for ever", FORWARD,
                "Opus64k, 90 pkt/s x payload 284 (27,000 B/s), 50 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     WALL(WZP_CODEC_OPUS_64K, 90, 284, 50)},
};

const wzp_ct_chapter wzp_ct_chapter_e = {"E", "Tier E: buckets and quotas", cases,
                                         WZP_COUNT_OF(cases)};
