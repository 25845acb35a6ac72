/* Tier D: sizes of payloads (conformance sheet 24.6). */
#include "conformance/cases/macros.h"

/* 3.5 packets per second. */
static void few_large(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (wzp_time at = 0; at < 20 * WZP_S; at += 2 * WZP_S / 7) {
        wzp_ct_add(p, at, WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_1200, 0, 100);
        p->seq++;
        p->ts += 40;
    }
    p->end = 20 * WZP_S;
}

/* One large packet each 2 s, five in all. */
static void outliers(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    p->end = wzp_ct_talk(p, 0, 10000);
    for (size_t i = 50; i < p->count; i += 100) {
        p->packets[i].payload = 1100;
    }
}

static void talk_and_noise(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_time at = 0;
    (void)c;
    for (int i = 0; i < 2; i++) {
        at = wzp_ct_talk(p, at, 2000);
        at = wzp_ct_noise(p, at, 5000);
    }
    p->end = at;
}

static void all_repairs(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i++) {
        p->packets[i].hdr.flags |= WZP_MEDIA_REPAIR;
    }
}

static void large_video(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i++) {
        p->packets[i].hdr.flags =
            (uint8_t)(WZP_MEDIA_FRAME_END | (i % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0));
    }
}

#define D(id, title, must, what) INFO(id, "D", title, "CONF-D-1", must, what, "conformance 24.6")

static const wzp_ct_case cases[] = {
    {.info = {D("D-01", "Opus24k at its usual size", FORWARD,
                "Opus24k, 28 pkt/s x payload 160, 12 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 28, 160, 12, 20)},
    {.info = {D("D-02", "few large packets, under tier A", HANG_UP,
                "Opus24k, 22 pkt/s x payload 400, 12 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 22, 400, 12, 20)},
    {.info = {D("D-03", "just over twice the usual size", HANG_UP,
                "Opus24k, 28 pkt/s x payload 330, 12 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 28, 330, 12, 20)},
    {.info = {D("D-04", "Codec2 as a carrier of blobs", HANG_UP,
                "Codec2_1200, 3.5 pkt/s x payload 100, 20 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE), 10.0)},
     .build = few_large},
    {.info = {D("D-05", "Opus6k with large packets", HANG_UP,
                "Opus6k, 10 pkt/s x payload 240, 12 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE), 8.0)},
     STEP(WZP_CODEC_OPUS_6K, 10, 240, 12, 40)},
    {.info = {D("D-06", "single large packets", FORWARD,
                "speech with one packet of payload 1100 each 2 s, 10 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = outliers},
    {.info = {D("D-07", "comfort noise as a carrier", HANG_UP,
                "ComfortNoise, 5 pkt/s x payload 60, 20 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE) | CODE(BITRATE), 10.0)},
     STEP(WZP_CODEC_COMFORT_NOISE, 5, 60, 20, 20)},
    {.info = {D("D-08", "comfort noise after speech", FORWARD,
                "as A-20: 2 s speech, 5 s noise, twice"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = talk_and_noise},
    {.info = {D("D-09", "Opus6k with a second of DRED", FORWARD,
                "Opus6k, 25 pkt/s x payload 70, 20 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_6K, 25, 70, 20, 40)},
    {.info = {D("D-10", "video in full datagrams", FORWARD, "H264, 30 pkt/s x payload 1116, 20 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = large_video,
     .video = true,
     .stream = {.media_type = WZP_MEDIA_VIDEO,
                .codec = WZP_CODEC_H264_BASELINE,
                .rate = 30,
                .payload = 1116,
                .duration_ms = 20000,
                .ts = WZP_CT_TS_STEP,
                .step_ms = 33}},
    {.info = {D("D-11", "the repair flag as a tunnel", HANG_UP,
                "Codec2_1200, all repair, 20 pkt/s x payload 1100, 10 s"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PAYLOAD_SIZE) | CODE(BITRATE), 8.0)},
     .build = all_repairs,
     STEP(WZP_CODEC_CODEC2_1200, 20, 1100, 10, 40)},
    {.info = {D("D-12", "exactly twice the usual size", FORWARD,
                "Opus64k, 25 pkt/s x payload 640, 20 s"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_64K, 25, 640, 20, 20)},
};

const wzp_ct_chapter wzp_ct_chapter_d = {"D", "Tier D: payload size", cases, WZP_COUNT_OF(cases)};
