/* Tier C: timestamps against sequence numbers (conformance sheet 24.5). */
#include "conformance/cases/macros.h"

static void random_stamps(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_stream_add(p, &c->stream, 0);
    for (size_t i = 0; i < p->count; i++) {
        p->packets[i].hdr.timestamp_ms = (uint32_t)wzp_rng_u64(wzp_prng_rng(&p->prng));
    }
}

static void lossy(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param);
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (wzp_rng_below(wzp_prng_rng(&p->prng), 10) != 0) {
            p->packets[kept++] = p->packets[i];
        }
    }
    p->count = kept;
}

static void swap(wzp_ct_pattern *p, size_t i) {
    const wzp_media_hdr hdr = p->packets[i].hdr;
    p->packets[i].hdr = p->packets[i + 1].hdr;
    p->packets[i + 1].hdr = hdr;
}

/* Every `param`-th pair of neighbours; 0: only the very first. */
static void swapped(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, 20000);
    if (c->param == 0) {
        swap(p, 0);
        return;
    }
    for (size_t i = c->param; i + 1 < p->count; i += 2 * (size_t)c->param) {
        swap(p, i);
    }
}

/* The copies carry the same bytes and follow at once. */
static void duplicated(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param);
    const size_t count = p->count;
    for (size_t i = 24; i < count; i += 25) {
        p->packets[i].copies = 1;
    }
}

static void noise_between(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    wzp_time at = wzp_ct_talk(p, 0, 5000);
    at = wzp_ct_noise(p, at, 10000);
    p->end = wzp_ct_talk(p, at, 5000);
}

static void noise_first(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    p->end = wzp_ct_talk(p, wzp_ct_noise(p, 0, 10000), 5000);
}

/* 10 s of nothing in the middle; `param` ms pass on the sender's clock meanwhile. */
static void pause(wzp_ct_pattern *p, const wzp_ct_case *c) {
    const wzp_time at = wzp_ct_talk(p, 0, 5000) + 10 * WZP_S;
    p->ts += c->param;
    p->end = wzp_ct_talk(p, at, 5000);
}

static void codec_switches(wzp_ct_pattern *p, const wzp_ct_case *c) {
    static const wzp_ct_stream slow = {.codec = WZP_CODEC_OPUS_6K,
                                       .rate = 25,
                                       .payload = 40,
                                       .duration_ms = 10000,
                                       .ts = WZP_CT_TS_STEP,
                                       .step_ms = 40};
    (void)c;
    wzp_time at = wzp_ct_talk(p, 0, 10000);
    at = wzp_ct_stream_add(p, &slow, at);
    p->end = wzp_ct_talk(p, at, 5000);
}

/* At packet 500 the timestamp (param 0) or the sequence number (1) starts again at 0. */
static void restart(wzp_ct_pattern *p, const wzp_ct_case *c) {
    const wzp_time at = wzp_ct_talk(p, 0, 10000);
    p->ts = c->param == 0 ? 0 : p->ts;
    p->seq = c->param == 1 ? 0 : p->seq;
    p->end = wzp_ct_talk(p, at, 10000);
}

static void codec2_fec(wzp_ct_pattern *p, const wzp_ct_case *c) {
    wzp_ct_codec2_fec(p, WZP_CODEC_CODEC2_1200, 8, 100, c->param);
}

static void audio_and_video(wzp_ct_pattern *p, const wzp_ct_case *c) {
    p->end = wzp_ct_talk(p, 0, c->param);
    wzp_ct_video(p, 20, 6, 30, c->param);
}

static void ramp(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    const wzp_time at = wzp_ct_talk(p, 0, 2000);
    const wzp_ct_stream fast = {.codec = WZP_CODEC_OPUS_24K,
                                .rate = 50,
                                .payload = 76,
                                .duration_ms = 12000,
                                .ts = WZP_CT_TS_STEP,
                                .step_ms = 45};
    p->end = wzp_ct_stream_add(p, &fast, at);
}

/* One packet far ahead in time, 5 s of nothing, then speech from there. */
static void lone_packet(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    p->seq = 0;
    p->ts = 999999;
    wzp_ct_add(p, 0, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 76);
    p->seq = 1;
    p->ts = 1000019;
    p->end = wzp_ct_talk(p, 5 * WZP_S, 10000);
}

static const wzp_ct_case cases[] = {
    {.info = {INFO("C-01", "C", "Opus24k in step", "CONF-C-1", FORWARD,
                   "Opus24k, 50 pkt/s x payload 76, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 20, 20)},
    {.info = {INFO("C-02", "C", "Opus24k, 10 ms per packet (bound)", "CONF-C-1", FORWARD,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 10),
     .echo_ms = 5000},
    {.info = {INFO("C-03", "C", "Opus24k, 9 ms per packet", "CONF-C-1", HANG_UP,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 9)},
    {.info = {INFO("C-04", "C", "Opus24k, 40 ms per packet (bound)", "CONF-C-1", FORWARD,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 40)},
    {.info = {INFO("C-05", "C", "Opus24k, 41 ms per packet", "CONF-C-1", HANG_UP,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 41)},
    {.info = {INFO("C-06", "C", "Opus6k, 20 ms per packet (bound)", "CONF-C-1", FORWARD,
                   "Opus6k, 25 pkt/s x payload 60, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_6K, 25, 60, 20, 20)},
    {.info = {INFO("C-07", "C", "Opus6k, 19 ms per packet", "CONF-C-1", HANG_UP,
                   "Opus6k, 25 pkt/s x payload 60, 20 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 16.0)},
     STEP(WZP_CODEC_OPUS_6K, 25, 60, 20, 19)},
    {.info = {INFO("C-08", "C", "Opus6k, 80 ms per packet (bound)", "CONF-C-1", FORWARD,
                   "Opus6k, 25 pkt/s x payload 60, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_6K, 25, 60, 20, 80)},
    {.info = {INFO("C-09", "C", "Opus6k, 81 ms per packet", "CONF-C-1", HANG_UP,
                   "Opus6k, 25 pkt/s x payload 60, 20 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 16.0)},
     STEP(WZP_CODEC_OPUS_6K, 25, 60, 20, 81)},
    {.info = {INFO("C-10", "C", "frozen timestamp", "CONF-C-1", HANG_UP,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 0)},
    {.info = {INFO("C-11", "C", "a second per packet", "CONF-C-1", HANG_UP,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 1000)},
    {.info = {INFO("C-12", "C", "random timestamps", "CONF-C-1", HANG_UP,
                   "Opus24k, 50 pkt/s x payload 60, 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 8.0)},
     STEP(WZP_CODEC_OPUS_24K, 50, 60, 12, 20),
     .build = random_stamps},
    {.info = {INFO("C-13", "C", "both counters wrap", "CONF-C-2", FORWARD,
                   "Opus24k, 50 pkt/s x payload 76, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 20, 20),
     .has_start = true,
     .start_seq = 0xfffffe0c,
     .start_ts = 0xffffd8f0},
    {.info = {INFO("C-14", "C", "10 % loss before the relay", "CONF-C-2", FORWARD,
                   "speech with one packet in ten missing, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = lossy,
     .param = 20000},
    {.info = {INFO("C-15", "C", "reordered neighbours", "CONF-C-2", FORWARD,
                   "every 20th pair swapped, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = swapped,
     .param = 20},
    {.info = {INFO("C-16", "C", "first two packets swapped", "CONF-C-2", FORWARD,
                   "seq 1 before seq 0, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = swapped,
     .param = 0,
     .no_echo = true},
    {.info = {INFO("C-17", "C", "duplicates", "CONF-C-2", FORWARD, "every 25th packet twice, 10 s",
                   "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD, .duplicates_ok = true},
     .build = duplicated,
     .param = 10000},
    {.info = {INFO("C-18", "C", "silence as comfort noise", "CONF-C-2", FORWARD,
                   "5 s speech, 10 s noise, 5 s speech", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = noise_between,
     .param = 0},
    {.info = {INFO("C-19", "C", "muted first", "CONF-C-2", FORWARD,
                   "10 s comfort noise, then 5 s speech", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = noise_first,
     .param = 0,
     .no_echo = true},
    {.info = {INFO("C-20", "C", "pause, clock runs", "CONF-C-2", FORWARD,
                   "5 s speech, 10 s nothing with ts + 10 000, 5 s speech", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = pause,
     .param = 10000},
    {.info = {INFO("C-21", "C", "pause, clock stands", "CONF-C-2", FORWARD,
                   "5 s speech, 10 s nothing with ts frozen, 5 s speech", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = pause,
     .param = 0},
    {.info = {INFO("C-22", "C", "codec switches", "CONF-C-2", FORWARD,
                   "Opus24k 10 s, Opus6k 10 s, Opus24k 5 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = codec_switches,
     .param = 0},
    {.info = {INFO("C-23", "C", "over the rekey point", "CONF-C-2", FORWARD,
                   "Opus24k, 50 pkt/s x payload 76, 20 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     STEP(WZP_CODEC_OPUS_24K, 50, 76, 20, 20),
     .echo_ms = 5000,
     .has_start = true,
     .start_seq = 65036,
     .start_ts = 1300720},
    {.info = {INFO("C-24", "C", "timestamp restarts", "CONF-C-3", HANG_UP,
                   "speech; at packet 500 ts starts at 0 again", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 18.0)},
     .build = restart,
     .param = 0},
    {.info = {INFO("C-25", "C", "sequence number restarts", "CONF-C-3",
                   "either hang up with TimestampDrift or forward",
                   "speech; at packet 500 seq starts at 0 again", "conformance 24.5"),
              .level = WZP_CT_INFO},
     .criteria = {.rule = WZP_CT_RULE_INFO},
     .build = restart,
     .param = 1},
    {.info = {INFO("C-26", "C", "Codec2_1200 with 100 % repair", "CONF-C-2", FORWARD,
                   "as A-18, 30 s", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = codec2_fec,
     .param = 30000},
    {.info = {INFO("C-27", "C", "audio and video, two clocks", "CONF-C-2", FORWARD, "as A-27, 20 s",
                   "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = audio_and_video,
     .param = 20000,
     .video = true},
    {.info = {INFO("C-28", "C", "slow ramp into a full window", "CONF-C-1", HANG_UP,
                   "2 s speech, then ts + 45 per packet for 12 s", "conformance 24.5"),
              .abuse = true},
     .criteria = {MUST_HANG_UP(CODE(TIMESTAMP_DRIFT), 12.0)},
     .echo_ms = 5000,
     .build = ramp},
    {.info = {INFO("C-29", "C", "one lone packet, then a call", "CONF-C-2", FORWARD,
                   "seq 0 ts 999 999, 5 s idle, then speech from seq 1", "conformance 24.5"),
              .must_forward = true},
     .criteria = {MUST_FORWARD},
     .build = lone_packet,
     .param = 0,
     .no_echo = true},
};

const wzp_ct_chapter wzp_ct_chapter_c = {"C", "Tier C: timestamp rate", cases, WZP_COUNT_OF(cases)};
