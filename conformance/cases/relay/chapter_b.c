/* Tier B: packet rate (conformance sheet 24.4). */
#include "conformance/cases/macros.h"

/* 50 sources per second, two repairs each with their source's timestamp. */
static void fec_ratio_two(wzp_ct_pattern *p, const wzp_ct_case *c) {
    for (uint32_t i = 0; i < c->param / 20; i++) {
        for (uint32_t n = 0; n < 3; n++) {
            wzp_ct_add(p, (wzp_time)i * 20 * WZP_MS + WZP_US * 300 * n, WZP_MEDIA_AUDIO,
                       WZP_CODEC_OPUS_64K, n > 0 ? WZP_MEDIA_REPAIR : 0, 40);
            p->seq++;
        }
        p->ts += 20;
    }
}

static void video_720(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_ct_video(p, 24, 24, 30, c->param);
}

static const wzp_ct_case cases[] = {
    {.info = {INFO("B-01", "B", "Opus64k at 95 pkt/s", "CONF-B-1", FORWARD,
                   "Opus64k, 95 pkt/s x payload 40, 10 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     WALL(WZP_CODEC_OPUS_64K, 95, 40, 10)},
    {.info = {INFO("B-02", "B", "FEC ratio 2.0: the mathematical maximum", "CONF-B-1", FORWARD,
                   "Opus64k, 50 source/s with 2 repairs each, payload 40, 10 s",
                   "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = fec_ratio_two,
     .param = 10000},
    {.info = {INFO("B-03", "B", "under both limits", "CONF-B-1", FORWARD,
                   "Opus64k, 195 pkt/s x payload 40, 10 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_64K, 195, 40, 10, 20)},
    {.info = {INFO("B-04", "B", "Opus64k over the threshold", "CONF-B-1", HANG_UP,
                   "Opus64k, 240 pkt/s x payload 40, 10 s", "conformance 24.4"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PACKET_RATE), 3.0), .over_packets = 225},
     STEP(WZP_CODEC_OPUS_64K, 240, 40, 10, 20)},
    {.info = {INFO("B-05", "B", "flood of bare headers", "CONF-B-1", HANG_UP,
                   "Opus24k, 400 pkt/s x payload 0, 5 s", "conformance 24.4"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PACKET_RATE), 3.0), .over_packets = 225},
     STEP(WZP_CODEC_OPUS_24K, 400, 0, 5, 20)},
    {.info = {INFO("B-06", "B", "video at 720 pkt/s", "CONF-B-2", FORWARD,
                   "H264 at 30 fps x 24 packets x payload 1116, 20 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = video_720,
     .video = true,
     .param = 20000},
    {.info = {INFO("B-07", "B", "video flood of small packets", "CONF-B-2", HANG_UP,
                   "H264, 4000 pkt/s x payload 60, 3 s", "conformance 24.4"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {SHOULD_HANG_UP(CODE(PACKET_RATE) | CODE(TIMESTAMP_DRIFT) | CODE(ENTROPY), 5.0)},
     .video = true,
     .stream = {.media_type = WZP_MEDIA_VIDEO,
                .codec = WZP_CODEC_H264_BASELINE,
                .rate = 4000,
                .payload = 60,
                .duration_ms = 3000,
                .ts = WZP_CT_TS_STEP,
                .step_ms = 33}},
    {.info = {INFO("B-08", "B", "Opus6k at 95 pkt/s", "CONF-B-1", FORWARD,
                   "Opus6k, 95 pkt/s x payload 2, 10 s", "conformance 24.4"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_6K, 95, 2, 10, 40)},
    {.info = {INFO("B-09", "B", "Opus6k over the threshold", "CONF-B-1", HANG_UP,
                   "Opus6k, 140 pkt/s x payload 2, 10 s", "conformance 24.4"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(PACKET_RATE), 3.0), .over_packets = 112},
     STEP(WZP_CODEC_OPUS_6K, 140, 2, 10, 40)},
};

const wzp_ct_chapter wzp_ct_chapter_b = {"B", "Tier B: packet rate", cases, WZP_COUNT_OF(cases)};
