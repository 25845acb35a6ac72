/* Tier A: codec bitrate caps (conformance sheet 24.3). */
#include "conformance/cases/macros.h"

static void talk_and_noise(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_time at = 0;
    (void)c;
    for (int i = 0; i < 2; i++) {
        at = wzp_ct_talk(p, at, 2000);
        at = wzp_ct_noise(p, at, 5000);
    }
    p->end = at;
}

static void codec2_1200_fec(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_ct_codec2_fec(p, WZP_CODEC_CODEC2_1200, 8, 100, c->param);
}

static void codec2_3200_fec(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_ct_codec2_fec(p, WZP_CODEC_CODEC2_3200, 4, 50, c->param);
}

/* 64k, 24k, 64k, 24k: hides small frames' codec under the large ceiling. */
static void alternating(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i += 2) {
        p->packets[i].hdr.codec_id = WZP_CODEC_OPUS_64K;
    }
}

/* 3 s of speech, 1 s stall, the backlog within 50 ms, 5 s live. */
static void backlog(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    wzp_time at = wzp_ct_talk(p, 0, 3000) + WZP_S;
    const size_t first = p->count;
    (void)wzp_ct_talk(p, at, 1000);
    for (size_t i = first; i < p->count; i++) {
        p->packets[i].due = at + (i - first) * WZP_MS;
    }
    p->end = wzp_ct_talk(p, at + 50 * WZP_MS, 5000);
}

/* The same bytes on each side of a second's edge. */
static void edge_burst(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    wzp_ct_add(p, 0, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 76);
    p->seq++;
    for (int i = 0; i < 68; i++) {
        p->ts += 20;
        wzp_ct_add(p, 900 * WZP_MS + (wzp_time)i * 2941 * WZP_US, WZP_MEDIA_AUDIO,
                   WZP_CODEC_OPUS_24K, 0, 284);
        p->seq++;
    }
}

static void audio_and_video(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param);
    wzp_ct_video(p, 20, 6, 30, c->param);
}

static const wzp_ct_case cases[] = {
    {.info = {INFO("A-01", "A", "Opus24k at 5 Mbit/s", "CONF-A-2", HANG_UP,
                   "Opus24k, 2000 pkt/s x payload 300 (5.06 Mbit/s), 3 s",
                   "conformance 24.3, RLY-110"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 1.5), .over_bytes = 15525},
     .echo_ms = 5000,
     STEP(WZP_CODEC_OPUS_24K, 2000, 300, 3, 20)},
    {.info = {INFO("A-01b", "A", "Opus24k in datagrams of 1200 bytes", "CONF-A-2", HANG_UP,
                   "Opus24k, 521 pkt/s x payload 1184 (5.0 Mbit/s), 3 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE) | CODE(PAYLOAD_SIZE), 1.5), .over_bytes = 15525},
     STEP(WZP_CODEC_OPUS_24K, 521, 1184, 3, 20)},
    {.info = {INFO("A-02", "A", "Opus24k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus24k, 90 pkt/s x payload 97, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 10350},
     WALL(WZP_CODEC_OPUS_24K, 90, 97, 10)},
    {.info = {INFO("A-03", "A", "Opus24k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus24k, 90 pkt/s x payload 159, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 15525},
     WALL(WZP_CODEC_OPUS_24K, 90, 159, 10)},
    {.info = {INFO("A-04", "A", "Opus16k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus16k, 90 pkt/s x payload 59, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 6900},
     WALL(WZP_CODEC_OPUS_16K, 90, 59, 10)},
    {.info = {INFO("A-05", "A", "Opus16k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus16k, 90 pkt/s x payload 116, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 11700},
     WALL(WZP_CODEC_OPUS_16K, 90, 116, 10)},
    {.info = {INFO("A-06", "A", "Opus6k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus6k, 45 pkt/s x payload 40, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 2587},
     WALL(WZP_CODEC_OPUS_6K, 45, 40, 10)},
    {.info = {INFO("A-07", "A", "Opus6k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus6k, 45 pkt/s x payload 98, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 4987},
     WALL(WZP_CODEC_OPUS_6K, 45, 98, 10)},
    {.info = {INFO("A-08", "A", "Opus32k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus32k, 90 pkt/s x payload 135, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 13800},
     WALL(WZP_CODEC_OPUS_32K, 90, 135, 10)},
    {.info = {INFO("A-09", "A", "Opus32k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus32k, 90 pkt/s x payload 217, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 20700},
     WALL(WZP_CODEC_OPUS_32K, 90, 217, 10)},
    {.info = {INFO("A-10", "A", "Opus48k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus48k, 90 pkt/s x payload 211, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 20700},
     WALL(WZP_CODEC_OPUS_48K, 90, 211, 10)},
    {.info = {INFO("A-11", "A", "Opus48k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus48k, 90 pkt/s x payload 333, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 31050},
     WALL(WZP_CODEC_OPUS_48K, 90, 333, 10)},
    {.info = {INFO("A-12", "A", "Opus64k just under the ceiling", "CONF-A-1", FORWARD,
                   "Opus64k, 90 pkt/s x payload 287, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 27600},
     WALL(WZP_CODEC_OPUS_64K, 90, 287, 10)},
    {.info = {INFO("A-13", "A", "Opus64k just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Opus64k, 90 pkt/s x payload 450, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0), .over_bytes = 41400},
     WALL(WZP_CODEC_OPUS_64K, 90, 450, 10)},
    {.info = {INFO("A-14", "A", "Codec2_3200 encrypted, no FEC", "CONF-A-3", FORWARD,
                   "Codec2_3200, 50 pkt/s x payload 24, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 14460},
     WALL(WZP_CODEC_CODEC2_3200, 50, 24, 10)},
    {.info = {INFO("A-15", "A", "Codec2_3200 just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Codec2_3200, 90 pkt/s x payload 147, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE) | CODE(PAYLOAD_SIZE), 3.0), .over_bytes = 14460},
     WALL(WZP_CODEC_CODEC2_3200, 90, 147, 10)},
    {.info = {INFO("A-16", "A", "Codec2_1200 encrypted, no FEC", "CONF-A-3", FORWARD,
                   "Codec2_1200, 25 pkt/s x payload 22, 10 s", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 11197},
     WALL(WZP_CODEC_CODEC2_1200, 25, 22, 10)},
    {.info = {INFO("A-17", "A", "Codec2_1200 just over the guard ceiling", "CONF-A-2", HANG_UP,
                   "Codec2_1200, 45 pkt/s x payload 239, 10 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE) | CODE(PAYLOAD_SIZE), 3.0), .over_bytes = 11197},
     WALL(WZP_CODEC_CODEC2_1200, 45, 239, 10)},
    {.info = {INFO("A-18", "A", "Codec2_1200 with 100 % repair", "CONF-A-3", FORWARD,
                   "25 source/s payload 22; 8 repairs of 272 after each 8 sources; 30 s",
                   "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = codec2_1200_fec,
     .param = 30000},
    {.info = {INFO("A-19", "A", "Codec2_3200 with 50 % repair", "CONF-A-3", FORWARD,
                   "50 source/s payload 24; 4 repairs of 272 after each 8 sources; 30 s",
                   "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = codec2_3200_fec,
     .param = 30000},
    {.info = {INFO("A-20", "A", "speech and comfort noise", "CONF-A-3", FORWARD,
                   "2 s Opus24k, 5 s comfort noise each 200 ms, twice", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = talk_and_noise},
    {.info = {INFO("A-21", "A", "comfort noise as a carrier", "CONF-A-2", HANG_UP,
                   "ComfortNoise, 90 pkt/s x payload 41, 5 s", "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE) | CODE(PAYLOAD_SIZE), 3.0)},
     STEP(WZP_CODEC_COMFORT_NOISE, 90, 41, 5, 20)},
    {.info = {INFO("A-22", "A", "alternating codecs to hide under the larger ceiling", "CONF-A-2",
                   HANG_UP, "Opus64k and Opus24k by turns, 90 pkt/s x payload 300, 10 s",
                   "conformance 24.3"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(BITRATE), 3.0)},
     .build = alternating,
     WALL(WZP_CODEC_OPUS_24K, 90, 300, 10)},
    {.info = {INFO("A-23", "A", "video codec in audio packets", "CONF-A-4", HANG_UP,
                   "audio type with H264Baseline, 130 pkt/s x payload 1184, 30 s",
                   "conformance 24.3"),
              .level = WZP_CT_SHOULD, .abuse = true},
     .criteria = {SHOULD_HANG_UP(ANY_CODE, 20.0)},
     STEP(WZP_CODEC_H264_BASELINE, 130, 1184, 30, 33)},
    {.info = {INFO("A-24", "A", "backlog after a network stall", "CONF-A-1", FORWARD,
                   "3 s speech, 1 s stall, 50 packets in 50 ms, 5 s live", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = backlog},
    {.info = {INFO("A-25", "A", "quality trailers are not charged", "CONF-A-1", FORWARD,
                   "as A-02 with a report on every packet", "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .under_bytes = 10350},
     .stream = {.codec = WZP_CODEC_OPUS_24K,
                .rate = 90,
                .payload = 97,
                .duration_ms = 10000,
                .ts = WZP_CT_TS_FLOOR,
                .report_each = true}},
    {.info = {INFO("A-26", "A", "burst over a window's edge", "CONF-A-1",
                   "either react or forward (a tumbling and a sliding window differ)",
                   "1 packet, then 68 x payload 284 in 0.90 to 1.10 s", "conformance 24.3"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_INFO},
     .build = edge_burst},
    {.info = {INFO("A-27", "A", "audio and fragmented video together", "CONF-A-3", FORWARD,
                   "Opus24k speech and H264 at 30 fps, GOP 30, keyframes of 20, others of 6 "
                   "packets x 1116, 20 s",
                   "conformance 24.3"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = audio_and_video,
     .video = true,
     .param = 20000},
};

const wzp_ct_chapter wzp_ct_chapter_a = {"A", "Tier A: codec bitrate caps", cases,
                                         WZP_COUNT_OF(cases)};
