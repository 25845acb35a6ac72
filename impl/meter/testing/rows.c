/* One maker per shape of traffic, then the rows of the sheet in its order. */
#include "base/rng.h"
#include "meter/testing/traffic.h"

static void advance(wzp_traffic *t, uint32_t ts_ms, wzp_time delay) {
    t->seq++;
    t->ts += ts_ms;
    t->now += delay;
}

static wzp_time nth(wzp_time from, uint32_t i, uint32_t rate) {
    return from + i * WZP_S / rate;
}

static void make_stream(wzp_traffic *t, const wzp_traffic_row *row) {
    const wzp_time from = t->now;
    const uint32_t base = t->ts;
    const uint32_t count = (uint32_t)row->stream.rate * row->stream.seconds;
    for (uint32_t i = 0; i < count; i++) {
        t->now = nth(from, i, row->stream.rate);
        t->ts = base +
                (row->stream.step_ms != 0 ? i * row->stream.step_ms : i * 1000 / row->stream.rate);
        wzp_traffic_add(t, row->stream.media_type, row->stream.codec, row->stream.payload);
        t->seq++;
    }
}

static void make_noise(wzp_traffic *t, uint32_t duration_ms) {
    const wzp_time from = t->now - 20 * WZP_MS;
    const uint32_t base = t->ts - 20;
    for (uint32_t ms = 200; ms <= duration_ms; ms += 200) {
        t->now = from + ms * WZP_MS;
        t->ts = base + ms;
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_COMFORT_NOISE, 17);
        t->seq++;
    }
    t->ts = base + duration_ms + 20;
    t->now = from + (duration_ms + 20) * WZP_MS;
}

/* Codec2 with param repairs of 272 bytes after each 8 sources; they take sequence numbers and the
 * stamp of the frame that comes next. */
static void make_codec2_fec(wzp_traffic *t, const wzp_traffic_row *row) {
    const uint16_t frame_ms = wzp_codec_find(row->stream.codec)->frame_ms;
    const uint32_t count = row->stream.seconds * 1000U / frame_ms;
    for (uint32_t i = 0; i < count; i++) {
        t->now = (wzp_time)i * frame_ms * WZP_MS;
        t->ts = i * frame_ms;
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, row->stream.codec, row->stream.payload);
        advance(t, frame_ms, 100 * WZP_US);
        for (uint32_t n = 0; i % 8 == 7 && n < row->param; n++) {
            wzp_traffic_add(t, WZP_MEDIA_AUDIO, row->stream.codec, 272)->hdr.flags =
                WZP_MEDIA_REPAIR;
            advance(t, 0, 100 * WZP_US);
        }
    }
}

static void make_talk_and_noise(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    for (int i = 0; i < 2; i++) {
        wzp_traffic_talk(t, 2000);
        make_noise(t, 5000);
    }
}

static void make_alternating(wzp_traffic *t, const wzp_traffic_row *row) {
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i += 2) {
        t->packets[i].hdr.codec_id = WZP_CODEC_OPUS_64K;
    }
}

static void make_backlog(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    wzp_traffic_talk(t, 3000);
    t->now += WZP_S;
    for (int i = 0; i < 50; i++) {
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 76);
        advance(t, 20, WZP_MS);
    }
    wzp_traffic_talk(t, 5000);
}

static void make_reports(wzp_traffic *t, const wzp_traffic_row *row) {
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i++) {
        t->packets[i].hdr.flags |= WZP_MEDIA_QUALITY;
    }
}

static void make_edge_burst(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 76);
    for (uint32_t i = 0; i < 68; i++) {
        advance(t, 20, 0);
        t->now = 900 * WZP_MS + WZP_MS * 200 * i / 68;
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 284);
    }
}

/* Keyframes of `key` packets each second, others of `delta`, each frame at once. */
static void make_frames(wzp_traffic *t, uint32_t key, uint32_t delta, uint32_t seconds) {
    t->seq = 0;
    for (uint32_t frame = 0; frame < 30 * seconds; frame++) {
        const bool is_key = frame % 30 == 0;
        const uint32_t n = is_key ? key : delta;
        t->now = nth(0, frame, 30);
        t->ts = frame * 1000 / 30;
        for (uint32_t i = 0; i < n; i++) {
            wzp_traffic_packet *p =
                wzp_traffic_add(t, WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 1116);
            p->hdr.flags = (uint8_t)((is_key ? WZP_MEDIA_KEYFRAME : 0) |
                                     (i + 1 == n ? WZP_MEDIA_FRAME_END : 0));
            t->seq++;
        }
    }
}

static void make_call(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, row->stream.seconds * 1000U);
    make_frames(t, 20, 6, row->stream.seconds);
}

static void make_video(wzp_traffic *t, const wzp_traffic_row *row) {
    make_frames(t, row->param, row->param, row->stream.seconds);
}

/* 50 sources a second with two repairs each; param: the repairs carry the next frame's stamp. */
static void make_double_fec(wzp_traffic *t, const wzp_traffic_row *row) {
    for (uint32_t i = 0; i < 50U * row->stream.seconds; i++) {
        t->now = nth(0, i, 50);
        t->ts = i * 20;
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, row->stream.codec, row->stream.payload);
        t->ts += row->param != 0 ? 20 : 0;
        for (int n = 0; n < 2; n++) {
            t->seq++;
            wzp_traffic_add(t, WZP_MEDIA_AUDIO, row->stream.codec, row->stream.payload)->hdr.flags =
                WZP_MEDIA_REPAIR;
        }
        t->seq++;
    }
}

static void make_frozen(wzp_traffic *t, const wzp_traffic_row *row) {
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i++) {
        t->packets[i].hdr.timestamp_ms = 0;
    }
}

static void make_random(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_prng prng;
    wzp_prng_init(&prng, row->param, "stamps");
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i++) {
        t->packets[i].hdr.timestamp_ms = (uint32_t)wzp_rng_u64(wzp_prng_rng(&prng));
    }
}

static void make_wrap(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    t->seq = UINT32_C(0xfffffe0c);
    t->ts = UINT32_C(0xffffd8f0);
    wzp_traffic_talk(t, 20000);
}

static void make_lossy(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "loss");
    wzp_traffic_talk(t, 20000);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (wzp_rng_below(wzp_prng_rng(&prng), 10) != 0) {
            t->packets[kept++] = t->packets[i];
        }
    }
    t->count = kept;
}

static void swap_with_next(wzp_traffic *t, size_t i) {
    const wzp_media_hdr hdr = t->packets[i].hdr;
    t->packets[i].hdr = t->packets[i + 1].hdr;
    t->packets[i + 1].hdr = hdr;
}

/* Every param-th pair; 0: the very first two packets. */
static void make_swapped(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 20000);
    if (row->param == 0) {
        swap_with_next(t, 0);
        return;
    }
    for (size_t i = 2 * (size_t)row->param - 2; i + 1 < t->count; i += 2 * (size_t)row->param) {
        swap_with_next(t, i);
    }
}

static void make_twice(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    wzp_traffic_talk(t, 10000);
    const size_t count = t->count;
    for (size_t i = 24; i < count; i += 25) {
        t->now = t->packets[i].at + WZP_MS;
        const wzp_media_hdr hdr = t->packets[i].hdr;
        wzp_traffic_add(t, hdr.media_type, hdr.codec_id, t->packets[i].payload)->hdr = hdr;
    }
}

static void make_noise_between(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    wzp_traffic_talk(t, 5000);
    make_noise(t, 10000);
    wzp_traffic_talk(t, 5000);
}

static void make_noise_first(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    make_noise(t, 10000);
    wzp_traffic_talk(t, 5000);
}

/* Nothing for 10 s, while param milliseconds pass on the sender's clock. */
static void make_pause(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 5000);
    t->now += 10 * WZP_S;
    t->ts += row->param;
    wzp_traffic_talk(t, 5000);
}

static void make_switches(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 10000);
    make_stream(t, row);
    t->now = 20 * WZP_S;
    t->ts += 40;
    wzp_traffic_talk(t, 5000);
}

static void make_rekey(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    t->seq = 65036;
    wzp_traffic_talk(t, 20000);
}

/* At packet 500 the stamp (param 0) or the sequence number (1) starts again. */
static void make_restart(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 10000);
    t->ts = row->param == 0 ? 0 : t->ts;
    t->seq = row->param == 1 ? 0 : t->seq;
    wzp_traffic_talk(t, 10000);
}

static void make_ramp(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 2000);
    make_stream(t, row);
}

static void make_lone_packet(wzp_traffic *t, const wzp_traffic_row *row) {
    (void)row;
    t->ts = 999999;
    wzp_traffic_add(t, WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 76);
    advance(t, 20, 5 * WZP_S);
    wzp_traffic_talk(t, 5000);
}

/* 0.7 s of Opus24k, then Opus6k within the same second. */
static void make_switch_at_once(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, 700);
    make_stream(t, row);
}

/* Speech with one packet of 1100 bytes each 2 s. */
static void make_outliers(wzp_traffic *t, const wzp_traffic_row *row) {
    wzp_traffic_talk(t, row->stream.seconds * 1000U);
    for (size_t i = 50; i < t->count; i += 100) {
        t->packets[i].payload = 1100;
    }
}

/* 7 packets in 2 s. */
static void make_few(wzp_traffic *t, const wzp_traffic_row *row) {
    for (uint32_t i = 0; i < row->stream.seconds * 7U / 2; i++) {
        t->now = (wzp_time)i * 2 * WZP_S / 7;
        t->ts = i * row->stream.step_ms;
        wzp_traffic_add(t, WZP_MEDIA_AUDIO, row->stream.codec, row->stream.payload);
        t->seq++;
    }
}

static void make_all_repairs(wzp_traffic *t, const wzp_traffic_row *row) {
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i++) {
        t->packets[i].hdr.flags |= WZP_MEDIA_REPAIR;
    }
}

/* A stamp for each param packets. */
static void make_frames_of(wzp_traffic *t, const wzp_traffic_row *row) {
    make_stream(t, row);
    for (size_t i = 0; i < t->count; i++) {
        t->packets[i].hdr.timestamp_ms = (uint32_t)(i / row->param) * row->stream.step_ms;
    }
}

#define WALL(codec, rate, payload, seconds)                                                        \
    .make = make_stream, .stream = {WZP_MEDIA_AUDIO, codec, rate, payload, 0, seconds}
#define STEP(codec, rate, payload, ms, seconds)                                                    \
    .make = make_stream, .stream = {WZP_MEDIA_AUDIO, codec, rate, payload, ms, seconds}
#define LASTS(seconds) .stream = {0, 0, 0, 0, 0, seconds}

const wzp_traffic_row wzp_traffic_rows[] = {
    {"A-01", STEP(WZP_CODEC_OPUS_24K, 2000, 300, 20, 3), 0, "A@33 0.02", "A@50 0.02"},
    {"A-01b", STEP(WZP_CODEC_OPUS_24K, 521, 1184, 20, 3), 0, "D@7 0.01, A@9 0.02",
     "D@7 0.01, A@13 0.02"},
    {"A-02", WALL(WZP_CODEC_OPUS_24K, 90, 97, 10), 0, "none", "none"},
    {"A-03", WALL(WZP_CODEC_OPUS_24K, 90, 159, 10), 0, "A@60 0.66", "A@89 0.98"},
    {"A-04", WALL(WZP_CODEC_OPUS_16K, 90, 59, 10), 0, "none", "none"},
    {"A-05", WALL(WZP_CODEC_OPUS_16K, 90, 116, 10), 0, "A@53 0.58", "A@89 0.98"},
    {"A-06", WALL(WZP_CODEC_OPUS_6K, 45, 40, 10), 0, "none", "none"},
    {"A-07", WALL(WZP_CODEC_OPUS_6K, 45, 98, 10), 0, "A@23 0.49", "A@44 0.96"},
    {"A-08", WALL(WZP_CODEC_OPUS_32K, 90, 135, 10), 0, "none", "none"},
    {"A-09", WALL(WZP_CODEC_OPUS_32K, 90, 217, 10), 0, "A@60 0.66", "A@89 0.98"},
    {"A-10", WALL(WZP_CODEC_OPUS_48K, 90, 211, 10), 0, "none", "none"},
    {"A-11", WALL(WZP_CODEC_OPUS_48K, 90, 333, 10), 0, "A@60 0.66", "A@89 0.98"},
    {"A-12", WALL(WZP_CODEC_OPUS_64K, 90, 287, 10), 0, "none", "none"},
    {"A-13", WALL(WZP_CODEC_OPUS_64K, 90, 450, 10), 0, "A@60 0.66", "A@89 0.98"},
    {"A-14", WALL(WZP_CODEC_CODEC2_3200, 50, 24, 10), 0, "A@35 0.68", "none"},
    {"A-15", WALL(WZP_CODEC_CODEC2_3200, 90, 147, 10), 0, "A@9 0.09, D@93 1.02",
     "D@11 0.11, A@89 0.98"},
    {"A-16", WALL(WZP_CODEC_CODEC2_1200, 25, 22, 10), 0, "A@14 0.52", "none"},
    {"A-17", WALL(WZP_CODEC_CODEC2_1200, 45, 239, 10), 0, "A@3 0.04, D@92 2.02",
     "D@6 0.11, A@44 0.96"},
    {"A-18",
     make_codec2_fec,
     {0, WZP_CODEC_CODEC2_1200, 0, 22, 0, 30},
     8,
     "A@9 0.28, D@297 6.04",
     "none"},
    {"A-19",
     make_codec2_fec,
     {0, WZP_CODEC_CODEC2_3200, 0, 24, 0, 30},
     4,
     "A@12 0.14, D@82 1.10",
     "none"},
    /* Packet 226 comes one whole second after its window's anchor: no tier A on an exact clock. */
    {"A-20", make_talk_and_noise, LASTS(14), 0, "D@101 2.18, C@113 4.58", "none"},
    {"A-21", STEP(WZP_CODEC_COMFORT_NOISE, 90, 41, 20, 5), 0, "A@5 0.04", "D@30 0.32, A@89 0.98"},
    {"A-22",
     make_alternating,
     {0, WZP_CODEC_OPUS_24K, 90, 300, 0, 10},
     0,
     "A@34 0.37",
     "A@72 0.79"},
    {"A-23", STEP(WZP_CODEC_H264_BASELINE, 130, 1184, 33, 30), 0, "E@2013 15.48", "A@5 0.03"},
    {"A-24", make_backlog, LASTS(9), 0, "none", "none"},
    {"A-25", make_reports, {0, WZP_CODEC_OPUS_24K, 90, 97, 0, 10}, 0, "none", "none"},
    {"A-26", make_edge_burst, LASTS(2), 0, "none", "none"},
    {"A-27", make_call, LASTS(20), 0, "C@3 0.00, A@22 0.02, B@136 0.50", "none"},

    {"AS-01", WALL(WZP_CODEC_OPUS_24K, 90, 97, 10), 0, "none", "none"},
    {"AS-02", WALL(WZP_CODEC_OPUS_24K, 90, 101, 10), 0, "A@89 0.98", "none"},
    {"AS-03", WALL(WZP_CODEC_OPUS_16K, 90, 59, 10), 0, "none", "none"},
    {"AS-04", WALL(WZP_CODEC_OPUS_16K, 90, 62, 10), 0, "A@89 0.98", "none"},
    {"AS-05", WALL(WZP_CODEC_OPUS_6K, 45, 40, 10), 0, "none", "none"},
    {"AS-06", WALL(WZP_CODEC_OPUS_6K, 45, 43, 10), 0, "A@44 0.96", "none"},
    {"AS-07", WALL(WZP_CODEC_OPUS_32K, 90, 135, 10), 0, "none", "none"},
    {"AS-08", WALL(WZP_CODEC_OPUS_32K, 90, 140, 10), 0, "A@89 0.98", "none"},
    {"AS-09", WALL(WZP_CODEC_OPUS_48K, 90, 211, 10), 0, "none", "none"},
    {"AS-10", WALL(WZP_CODEC_OPUS_48K, 90, 217, 10), 0, "A@89 0.98", "none"},
    {"AS-11", WALL(WZP_CODEC_OPUS_64K, 90, 287, 10), 0, "none", "none"},
    {"AS-12", WALL(WZP_CODEC_OPUS_64K, 90, 295, 10), 0, "A@89 0.98", "none"},

    {"B-01", WALL(WZP_CODEC_OPUS_64K, 95, 40, 10), 0, "none", "none"},
    {"B-02", make_double_fec, {0, WZP_CODEC_OPUS_64K, 0, 40, 0, 10}, 0, "C@2 0.00", "none"},
    {"B-02, next frame's stamp",
     make_double_fec,
     {0, WZP_CODEC_OPUS_64K, 0, 40, 0, 10},
     1,
     "C@4 0.02",
     "none"},
    {"B-03", STEP(WZP_CODEC_OPUS_64K, 195, 40, 20, 10), 0, "none", "none"},
    {"B-04", STEP(WZP_CODEC_OPUS_64K, 240, 40, 20, 10), 0, "B@226 0.94", "B@226 0.94"},
    {"B-05", STEP(WZP_CODEC_OPUS_24K, 400, 0, 20, 5), 0, "B@226 0.56", "B@226 0.56"},
    {"B-06", make_video, LASTS(20), 24, "C@2 0.00, B@136 0.17", "none"},
    {"B-07",
     make_stream,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 4000, 60, 33, 3},
     0,
     "B@136 0.03",
     "B@3001 0.75"},
    {"B-08", STEP(WZP_CODEC_OPUS_6K, 95, 2, 40, 10), 0, "none", "none"},
    {"B-09", STEP(WZP_CODEC_OPUS_6K, 140, 2, 40, 10), 0, "B@113 0.80", "B@113 0.80"},
    {"BS-01", STEP(WZP_CODEC_OPUS_64K, 223, 40, 20, 10), 0, "none", "none"},
    {"BS-02", STEP(WZP_CODEC_OPUS_64K, 228, 40, 20, 10), 0, "B@226 0.99", "B@226 0.99"},
    {"BS-03", STEP(WZP_CODEC_OPUS_6K, 110, 2, 40, 10), 0, "none", "none"},
    {"BS-04", STEP(WZP_CODEC_OPUS_6K, 115, 2, 40, 10), 0, "B@113 0.97", "B@113 0.97"},

    {"C-01", STEP(WZP_CODEC_OPUS_24K, 50, 76, 20, 20), 0, "none", "none"},
    {"C-02", STEP(WZP_CODEC_OPUS_24K, 50, 60, 10, 12), 0, "none", "none"},
    {"C-03", STEP(WZP_CODEC_OPUS_24K, 50, 60, 9, 12), 0, "C@2 0.02", "C@51 1.00"},
    {"C-04", STEP(WZP_CODEC_OPUS_24K, 50, 60, 40, 12), 0, "none", "none"},
    {"C-05", STEP(WZP_CODEC_OPUS_24K, 50, 60, 41, 12), 0, "C@2 0.02", "C@51 1.00"},
    {"C-06", STEP(WZP_CODEC_OPUS_6K, 25, 60, 20, 16), 0, "none", "none"},
    {"C-07", STEP(WZP_CODEC_OPUS_6K, 25, 60, 19, 16), 0, "C@2 0.04", "C@51 2.00"},
    {"C-08", STEP(WZP_CODEC_OPUS_6K, 25, 60, 80, 16), 0, "none", "none"},
    {"C-09", STEP(WZP_CODEC_OPUS_6K, 25, 60, 81, 16), 0, "C@2 0.04", "C@51 2.00"},
    {"C-10", make_frozen, {0, WZP_CODEC_OPUS_24K, 50, 76, 20, 12}, 0, "C@2 0.02", "C@51 1.00"},
    {"C-11", STEP(WZP_CODEC_OPUS_24K, 50, 76, 1000, 12), 0, "C@2 0.02", "C@51 1.00"},
    /* ENF-1 hits at packet 2 when the second stamp lies behind the first, as with this seed. */
    {"C-12", make_random, {0, WZP_CODEC_OPUS_24K, 50, 76, 20, 12}, 1, "C@2 0.02", "C@2 0.02"},
    {"C-13", make_wrap, LASTS(20), 0, "none", "none"},
    {"C-14", make_lossy, LASTS(20), 0, "none", "none"},
    {"C-15", make_swapped, LASTS(20), 20, "none", "none"},
    {"C-16", make_swapped, LASTS(20), 0, "C@2 0.02", "none"},
    {"C-17", make_twice, LASTS(10), 0, "none", "none"},
    {"C-18", make_noise_between, LASTS(20), 0, "D@251 5.18, C@273 9.58", "none"},
    {"C-19", make_noise_first, LASTS(15), 0, "C@2 0.38", "none"},
    {"C-20", make_pause, LASTS(20), 10000, "C@251 15.00", "none"},
    {"C-21", make_pause, LASTS(20), 0, "none", "none"},
    {"C-22", make_switches, {0, WZP_CODEC_OPUS_6K, 25, 40, 40, 10}, 0, "none", "none"},
    {"C-23", make_rekey, LASTS(20), 0, "none", "none"},
    {"C-24", make_restart, LASTS(20), 0, "C@501 10.00", "C@501 10.00"},
    {"C-25", make_restart, LASTS(20), 1, "C@501 10.00", "none"},
    {"C-26",
     make_codec2_fec,
     {0, WZP_CODEC_CODEC2_1200, 0, 22, 0, 30},
     8,
     "A@9 0.28, D@297 6.04",
     "none"},
    {"C-27", make_call, LASTS(20), 0, "C@3 0.00, A@22 0.02, B@136 0.50", "none"},
    {"C-28", make_ramp, {0, WZP_CODEC_OPUS_24K, 50, 76, 45, 12}, 0, "C@261 5.20", "C@262 5.22"},
    {"C-29", make_lone_packet, LASTS(10), 0, "none", "none"},

    {"D-01", STEP(WZP_CODEC_OPUS_24K, 28, 160, 20, 12), 0, "none", "none"},
    {"D-02", STEP(WZP_CODEC_OPUS_24K, 22, 400, 20, 12), 0, "D@32 1.41", "D@32 1.41"},
    {"D-03", STEP(WZP_CODEC_OPUS_24K, 28, 330, 20, 12), 0, "D@69 2.43", "D@69 2.43"},
    {"D-04", make_few, {0, WZP_CODEC_CODEC2_1200, 0, 100, 40, 20}, 0, "D@18 4.86", "D@18 4.86"},
    {"D-05", STEP(WZP_CODEC_OPUS_6K, 10, 240, 40, 12), 0, "D@28 2.70", "D@28 2.70"},
    {"D-06", make_outliers, LASTS(10), 0, "none", "none"},
    {"D-07", STEP(WZP_CODEC_COMFORT_NOISE, 5, 60, 20, 20), 0, "A@4 0.60, D@23 4.40", "D@15 2.80"},
    {"D-08", make_talk_and_noise, LASTS(14), 0, "D@101 2.18, C@113 4.58", "none"},
    {"D-09", STEP(WZP_CODEC_OPUS_6K, 25, 70, 40, 20), 0, "none", "none"},
    {"D-10",
     make_stream,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 30, 1184, 33, 20},
     0,
     "none",
     "none"},
    {"D-11",
     make_all_repairs,
     {0, WZP_CODEC_CODEC2_1200, 20, 1100, 40, 10},
     0,
     "A@1 0.00",
     "D@1 0.00, A@11 0.50"},
    {"D-12", STEP(WZP_CODEC_OPUS_64K, 25, 640, 20, 20), 0, "none", "none"},
    {"DS-01", STEP(WZP_CODEC_OPUS_24K, 28, 320, 20, 12), 0, "none", "none"},
    {"DS-02", STEP(WZP_CODEC_OPUS_24K, 28, 321, 20, 12), 0, "D@113 4.00", "D@113 4.00"},

    {"E-01",
     make_stream,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 130, 1184, 33, 40},
     0,
     "E@2013 15.48",
     "none"},
    {"E-02",
     make_stream,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 60, 500, 33, 60},
     0,
     "none",
     "none"},
    {"E-03",
     make_frames_of,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 690, 1184, 33, 240},
     23,
     "C@2 0.00, B@136 0.20",
     "E@127460 184.72"},
    {"E-06", STEP(WZP_CODEC_OPUS_64K, 90, 284, 0, 50), 0, "none", "none"},

    /* The false positives of section 14, each by its name. */
    {"FP-1", WALL(WZP_CODEC_CODEC2_1200, 25, 22, 10), 0, "A@14 0.52", "none"},
    {"FP-2", WALL(WZP_CODEC_CODEC2_1200, 25, 6, 10), 0, "A@24 0.92", "none"},
    {"FP-3",
     make_codec2_fec,
     {0, WZP_CODEC_CODEC2_1200, 0, 22, 0, 30},
     8,
     "A@9 0.28, D@297 6.04",
     "none"},
    {"FP-4", WALL(WZP_CODEC_CODEC2_3200, 50, 24, 10), 0, "A@35 0.68", "none"},
    {"FP-4, plain", WALL(WZP_CODEC_CODEC2_3200, 50, 8, 10), 0, "none", "none"},
    {"FP-5",
     make_codec2_fec,
     {0, WZP_CODEC_CODEC2_3200, 0, 24, 0, 30},
     4,
     "A@12 0.14, D@82 1.10",
     "none"},
    /* Tier A too, if noise shares a window with speech: window_edge in meter_test.c. */
    {"FP-6", make_talk_and_noise, LASTS(14), 0, "D@101 2.18, C@113 4.58", "none"},
    {"FP-7", make_noise_first, LASTS(15), 0, "C@2 0.38", "none"},
    {"FP-8", make_pause, LASTS(20), 10000, "C@251 15.00", "none"},
    {"FP-9", make_call, LASTS(20), 0, "C@3 0.00, A@22 0.02, B@136 0.50", "none"},
    {"FP-10", make_video, LASTS(5), 3, "C@2 0.00", "none"},
    {"FP-10, two packets", make_video, LASTS(5), 2, "C@2 0.00", "none"},
    {"FP-11", make_video, LASTS(5), 5, "C@2 0.00, B@136 0.90", "none"},
    {"FP-12",
     make_stream,
     {WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE, 130, 1184, 33, 60},
     0,
     "E@2013 15.48",
     "none"},
    {"FP-13", make_swapped, LASTS(20), 0, "C@2 0.02", "none"},
    {"FP-14", make_double_fec, {0, WZP_CODEC_OPUS_24K, 0, 40, 0, 10}, 0, "C@2 0.00", "none"},
    {"FP-15", make_switch_at_once, {0, WZP_CODEC_OPUS_6K, 25, 40, 40, 5}, 0, "A@36 0.70", "none"},
};

const size_t wzp_traffic_row_count = sizeof wzp_traffic_rows / sizeof *wzp_traffic_rows;
