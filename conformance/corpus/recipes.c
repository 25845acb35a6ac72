#include "conformance/corpus/recipes.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/chance.h"

/* One sender at work: where its clock, its numbers and its luck are. */
typedef struct sender {
    wzp_trace *trace;
    wzp_prng prng;
    wzp_time now;
    uint32_t seq, ts;
    uint8_t media_type, codec, flags, stream;
    bool failed;
} sender;

typedef struct recipe {
    const char *name, *what;
    void (*make)(sender *s);
    char tier; /* 0: legitimate */
    bool is_encrypted;
    uint32_t within_ms;
} recipe;

/* A packet now; numbers move on, time does not. */
static void say(sender *s, size_t payload) {
    wzp_trace_packet *p = wzp_trace_add(s->trace, s->now);
    if (p == NULL) {
        s->failed = true;
        return;
    }
    p->hdr = (wzp_media_hdr){.version = WZP_PROTOCOL_VERSION,
                             .flags = s->flags,
                             .media_type = s->media_type,
                             .codec_id = s->codec,
                             .stream_id = s->stream,
                             .seq = s->seq++,
                             .timestamp_ms = s->ts};
    p->payload = (uint16_t)(payload + (s->trace->is_encrypted ? 16 : 0));
}

static void wait_ms(sender *s, uint32_t ms) {
    s->now += ms * WZP_MS;
    s->ts += ms;
}

static size_t between(sender *s, size_t low, size_t high) {
    return (size_t)wzp_chance_between(&s->prng, low, high);
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Frames of `low` to `high` bytes; with each 50th goes a quality report. */
static void talk(sender *s, uint8_t codec, uint32_t ms, size_t low, size_t high) {
    const uint32_t frame = wzp_codec_find(codec)->frame_ms;
    s->codec = codec;
    for (uint32_t spent = 0; spent < ms; spent += frame) {
        s->flags = s->seq % 50 == 49 ? WZP_MEDIA_QUALITY : 0;
        say(s, between(s, low, high));
        wait_ms(s, frame);
    }
    s->flags = 0;
}

/* Comfort noise every 200 ms. */
static void pause(sender *s, uint32_t ms) {
    s->codec = WZP_CODEC_COMFORT_NOISE;
    for (uint32_t spent = 0; spent < ms; spent += 200) {
        say(s, 8);
        wait_ms(s, 200);
    }
}

static void converse(sender *s) {
    while (s->now < 90 * WZP_S) {
        talk(s, WZP_CODEC_OPUS_24K, (uint32_t)between(s, 1000, 3000), 50, 80);
        pause(s, (uint32_t)between(s, 600, 1600));
    }
}

static void lecture(sender *s) {
    talk(s, WZP_CODEC_OPUS_24K, 120000, 50, 80);
}

static void music(sender *s) {
    talk(s, WZP_CODEC_OPUS_64K, 120000, 140, 180);
}

/* Soft, steady, almost nothing happens. */
static void ambient(sender *s) {
    talk(s, WZP_CODEC_OPUS_32K, 120000, 78, 82);
}

static void listen_only(sender *s) {
    pause(s, 60000);
    talk(s, WZP_CODEC_OPUS_24K, 10000, 50, 80);
}

/* Stops, and nothing is sent for ten seconds while its clock goes on. */
static void hold(sender *s) {
    for (int i = 0; i < 4; i++) {
        talk(s, WZP_CODEC_OPUS_24K, 15000, 50, 80);
        wait_ms(s, 10000);
    }
}

/* With as much redundancy as DRED has. */
static void poor_opus(sender *s) {
    talk(s, WZP_CODEC_OPUS_6K, 90000, 40, 74);
}

/* The network gets worse and better again. */
static void adapt(sender *s) {
    static const struct {
        uint8_t codec;
        size_t low, high;
    } steps[] = {{WZP_CODEC_OPUS_64K, 140, 180}, {WZP_CODEC_OPUS_24K, 50, 80},
                 {WZP_CODEC_OPUS_6K, 40, 74},    {WZP_CODEC_CODEC2_1200, 6, 6},
                 {WZP_CODEC_OPUS_6K, 40, 74},    {WZP_CODEC_OPUS_24K, 50, 80}};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
            talk(s, steps[i].codec, (uint32_t)between(s, 4130, 9710), steps[i].low, steps[i].high);
        }
    }
}

/* Codec2 with `repairs` repair symbols, padded to 256 bytes, after every 5 frames. */
static void codec2(sender *s, uint8_t codec, size_t bytes, unsigned repairs, uint32_t ms) {
    const uint32_t frame = wzp_codec_find(codec)->frame_ms;
    s->codec = codec;
    for (uint32_t spent = 0; spent < ms; spent += 5 * frame) {
        for (int i = 0; i < 5; i++) {
            s->flags = 0;
            say(s, bytes);
            wait_ms(s, frame);
        }
        s->flags = WZP_MEDIA_REPAIR;
        for (unsigned i = 0; i < repairs; i++) {
            say(s, 256);
        }
    }
    s->flags = 0;
}

static void codec2_plain(sender *s) {
    codec2(s, WZP_CODEC_CODEC2_1200, 6, 0, 90000);
}

static void codec2_good(sender *s) {
    codec2(s, WZP_CODEC_CODEC2_3200, 8, 2, 90000);
}

static void codec2_catastrophic(sender *s) {
    codec2(s, WZP_CODEC_CODEC2_1200, 6, 5, 90000);
}

/* --- video ------------------------------------------------------------------------------------ */

/* A frame of so many packets, the last of which says so. */
static void frame(sender *s, bool is_key, unsigned packets, size_t payload) {
    for (unsigned i = 0; i < packets; i++) {
        s->flags = (uint8_t)((is_key ? WZP_MEDIA_KEYFRAME : 0) |
                             (i + 1 == packets ? WZP_MEDIA_FRAME_END : 0));
        say(s, payload);
    }
    s->flags = 0;
}

static void film(sender *s, unsigned fps, unsigned gop, unsigned key_packets, unsigned packets,
                 uint32_t frames) {
    s->media_type = WZP_MEDIA_VIDEO;
    s->codec = WZP_CODEC_H264_BASELINE;
    for (uint32_t i = 0; i < frames; i++) {
        const bool is_key = i % gop == 0;
        frame(s, is_key, is_key ? key_packets : packets, between(s, 900, 1180));
        wait_ms(s, 1000 / fps);
    }
}

/* 30 frames a second that are all of one size; each `gop`th is a key frame, 0: none. */
static void equal_frames(sender *s, unsigned gop, unsigned packets, size_t payload,
                         uint32_t frames) {
    s->media_type = WZP_MEDIA_VIDEO;
    s->codec = WZP_CODEC_H264_BASELINE;
    for (uint32_t i = 0; i < frames; i++) {
        frame(s, gop > 0 && i % gop == 0, packets, payload);
        wait_ms(s, 33);
    }
}

static void camera(sender *s) {
    film(s, 30, 30, 20, 3, 2700);
}

static void camera_long_gop(sender *s) {
    film(s, 30, 120, 60, 3, 2700);
}

static void screen(sender *s) {
    film(s, 5, 50, 30, 1, 450);
}

/* Both on one connection, 33 ms and 20 ms apart, each with numbers of its own. */
static void camera_and_voice(sender *s) {
    sender voice = *s;
    voice.codec = WZP_CODEC_OPUS_24K;
    s->media_type = WZP_MEDIA_VIDEO;
    s->codec = WZP_CODEC_H264_BASELINE;
    for (uint32_t i = 0; i < 2700; i++) {
        while (voice.now <= s->now) {
            say(&voice, between(&voice, 50, 80));
            wait_ms(&voice, 20);
        }
        frame(s, i % 30 == 0, i % 30 == 0 ? 12 : 2, between(s, 900, 1180));
        wait_ms(s, 33);
    }
    s->failed = s->failed || voice.failed;
}

/* --- abuse ------------------------------------------------------------------------------------ */

/* `rate` a second of `payload` bytes, the timestamp moving by `step` ms. */
static void pour(sender *s, unsigned rate, size_t payload, uint32_t step, uint32_t packets) {
    for (uint32_t i = 0; i < packets; i++) {
        say(s, payload);
        s->now += WZP_S / rate;
        s->ts += step;
    }
}

static void file_transfer(sender *s) {
    pour(s, 100, 1150, 10, 1000);
}

/* A third more than the ceiling. */
static void fat_opus(sender *s) {
    pour(s, 50, 400, 20, 600);
}

/* Whatever comes, as long as it comes. */
static void random_bytes(sender *s) {
    for (int i = 0; i < 1000; i++) {
        pour(s, 50, between(s, 1, 1150), 20, 1);
    }
}

static void video_as_audio(sender *s) {
    s->codec = WZP_CODEC_H264_BASELINE;
    pour(s, 100, 1150, 10, 1000);
}

static void alternate(sender *s) {
    for (int i = 0; i < 1000; i++) {
        s->codec = i % 2 == 0 ? WZP_CODEC_OPUS_64K : WZP_CODEC_OPUS_24K;
        pour(s, 100, 700, 10, 1);
    }
}

static void many_small(sender *s) {
    pour(s, 400, 20, 20, 2000);
}

static void data_flood(sender *s) {
    s->media_type = WZP_MEDIA_DATA;
    pour(s, 500, 20, 20, 2500);
}

static void stuck_clock(sender *s) {
    pour(s, 50, 76, 0, 600);
}

static void fast_clock(sender *s) {
    pour(s, 50, 76, 60, 600);
}

static void blobs(sender *s) {
    pour(s, 22, 380, 20, 300);
}

static void repair_tunnel(sender *s) {
    s->codec = WZP_CODEC_CODEC2_1200;
    s->flags = WZP_MEDIA_REPAIR;
    pour(s, 20, 1100, 40, 200);
}

/* More than 5 Mbit/s for ever: 23 packets to a frame. */
static void video_hose(sender *s) {
    equal_frames(s, 30, 23, 1184, 7200);
}

/* Ten packets at once ten times a second, as a tunnel makes them that batches. */
static void batching_tunnel(sender *s) {
    for (int i = 0; i < 1500; i++) {
        for (int k = 0; k < 10; k++) {
            say(s, 69);
            s->now += WZP_MS / 2;
            s->ts += 20;
        }
        s->now += 95 * WZP_MS;
    }
}

/* Requests and answers: bursts of full packets, pauses of chance. */
static void tcp_tunnel(sender *s) {
    s->codec = WZP_CODEC_OPUS_64K;
    while (s->now < 150 * WZP_S) {
        const size_t burst = between(s, 2, 12);
        for (size_t i = 0; i < burst; i++) {
            say(s, i + 1 == burst ? between(s, 20, 290) : 290);
            s->now += WZP_MS;
            s->ts += 20;
        }
        s->now += between(s, 20, 180) * WZP_MS;
    }
}

/* Under every limit, at the cadence of speech: what nothing here can tell from speech. */
static void covert(sender *s) {
    pour(s, 50, 60, 20, 7500);
}

static void no_keyframe(sender *s) {
    equal_frames(s, 0, 1, 1000, 2700);
}

static void all_keyframes(sender *s) {
    equal_frames(s, 1, 1, 1000, 2700);
}

/* --- the table -------------------------------------------------------------------------------- */

static const recipe recipes[] = {
    {"conversation", "Turns of 1 to 3 s, comfort noise between them", converse, 0, true, 0},
    {"lecture", "Two minutes without a pause", lecture, 0, true, 0},
    {"music", "Opus at 64 kbit/s, never silent", music, 0, true, 0},
    {"ambient", "Soft music, all frames of one size", ambient, 0, true, 0},
    {"listener", "A minute of comfort noise, then a question", listen_only, 0, true, 0},
    {"on-hold", "Nothing for ten seconds, while the clock runs on", hold, 0, true, 0},
    {"poor-network", "Opus at 6 kbit/s with 1040 ms of DRED", poor_opus, 0, true, 0},
    {"adapting", "Opus 64, 24, 6 kbit/s, Codec2, and back", adapt, 0, true, 0},
    {"codec2-1200", "Codec2 at 1200 bit/s, encrypted", codec2_plain, 0, true, 0},
    {"codec2-3200-fec", "Codec2 at 3200 bit/s, two repair symbols for five", codec2_good, 0, true,
     0},
    {"codec2-worst", "Codec2 at 1200 bit/s, a repair symbol for each frame", codec2_catastrophic, 0,
     true, 0},
    {"camera", "30 frames a second, key frames of 20 packets each second", camera, 0, true, 0},
    {"camera-long-gop", "Key frames of 60 packets every four seconds", camera_long_gop, 0, true, 0},
    {"screen", "5 frames a second, a key frame every ten seconds", screen, 0, true, 0},
    {"camera-and-voice", "Video and speech of one sender", camera_and_voice, 0, true, 0},
    {"file-transfer", "920 kbit/s that call themselves Opus24k", file_transfer, 'A', false, 1500},
    {"fat-opus", "160 kbit/s that call themselves Opus24k", fat_opus, 'A', false, 3000},
    {"random-bytes", "50 packets a second of 1 to 1150 bytes, in the name of Opus24k", random_bytes,
     'A', true, 3000},
    {"video-as-audio", "A video codec's id in audio packets", video_as_audio, 'A', false, 1500},
    {"alternating", "Two codecs by turns, to be under each one's ceiling", alternate, 'A', false,
     1500},
    {"many-small", "400 packets a second of 20 bytes", many_small, 'B', false, 3000},
    {"data-flood", "500 packets a second of type data", data_flood, 'B', false, 3000},
    {"stuck-clock", "The timestamp never moves", stuck_clock, 'C', false, 8000},
    {"fast-clock", "The timestamp runs three times too fast", fast_clock, 'C', false, 8000},
    {"blobs", "22 packets a second of 380 bytes", blobs, 'D', false, 8000},
    {"repair-tunnel", "Data in repair packets of Codec2", repair_tunnel, 'D', false, 8000},
    {"video-hose", "6.7 Mbit/s of video for four minutes", video_hose, 'E', false, 200000},
    {"batching-tunnel", "Ten packets at once ten times a second", batching_tunnel, 'F', false,
     130000},
    {"tcp-tunnel", "Bursts of a web page's traffic under Opus64k's ceiling", tcp_tunnel, 'F', true,
     130000},
    {"covert", "Bytes at the size and cadence of speech", covert, 'F', true, 130000},
    {"no-key-frame", "Video without any key frame", no_keyframe, 'F', false, 80000},
    {"only-key-frames", "Video of nothing but key frames", all_keyframes, 'F', false, 80000}};

const char *wzp_recipe_name(size_t index) {
    return index < WZP_COUNT_OF(recipes) ? recipes[index].name : NULL;
}

wzp_err wzp_recipe_make(wzp_trace *out, size_t index) {
    *out = (wzp_trace){0};
    if (index >= WZP_COUNT_OF(recipes)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const recipe *r = &recipes[index];
    (void)snprintf(out->name, sizeof out->name, "%s", r->name);
    (void)snprintf(out->what, sizeof out->what, "%s", r->what);
    out->is_encrypted = r->is_encrypted;
    out->tier = r->tier;
    out->within = r->within_ms * WZP_MS;
    sender s = {.trace = out};
    wzp_prng_init(&s.prng, 1, r->name);
    r->make(&s);
    if (s.failed) {
        wzp_trace_clear(out);
        return WZP_ERR_NOMEM;
    }
    return WZP_OK;
}
