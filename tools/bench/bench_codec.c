/* What sound costs: a call in both directions is one frame encoded and one decoded each 20 ms.  The
 * floor is libopus alone with the deployed settings; a core of a whole client shall carry three
 * quarters of the calls that it does. */
#include <string.h>

#include "bare_opus.h"
#include "bench.h"
#include "media/audio.h"
#include "media/codec2.h"
#include "media/jbuf.h"
#include "media/testing/voice.h"

enum {
    FRAMES = 250,
    FRAME = 960,
    ROUNDS = 11,
    LOSSES_IN = 5, /* frames, of which one is lost */
    JBUF_FRAMES = 20000,
    JBUF_DELAY_MS = 80
};

static int16_t voice[FRAMES * FRAME];
static int16_t heard[WZP_AUDIO_FRAME_MAX];

static void give_up(const char *what) {
    (void)fprintf(stderr, "bench_codec: %s\n", what);
    _Exit(1);
}

/* --- libopus alone ---------------------------------------------------------------------------- */

static bare_opus bare_new(int dred_10ms) {
    bare_opus opus;
    if (!bare_opus_open(&opus, dred_10ms)) {
        give_up("out of memory");
    }
    return opus;
}

static void run_bare(void *ctx) {
    for (size_t i = 0; i < FRAMES; i++) {
        if (!bare_opus_duplex(ctx, voice + i * FRAME)) {
            give_up("the codec failed");
        }
    }
}

/* --- ours ------------------------------------------------------------------------------------- */

typedef struct call {
    wzp_audio_enc *enc;
    wzp_audio_dec *dec;
    uint32_t ts_ms;
    bool loses;
} call;

static call call_new(uint8_t codec, bool loses) {
    call c = {.loses = loses};
    const wzp_audio_enc_cfg enc = {.codec = codec};
    const wzp_audio_dec_cfg dec = {.noise_seed = 1};
    if (wzp_audio_enc_new(&c.enc, &enc) != WZP_OK || wzp_audio_dec_new(&c.dec, &dec) != WZP_OK) {
        give_up("this codec cannot be opened");
    }
    return c;
}

static void run_call(void *ctx) {
    call *c = ctx;
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    const uint8_t codec = wzp_audio_enc_codec(c->enc);
    size_t len = 0;
    size_t samples = 0;
    for (size_t i = 0; i < FRAMES; i++, c->ts_ms += 20) {
        if (wzp_audio_enc_frame(c->enc, voice + i * FRAME, FRAME, packet, &len) != WZP_OK) {
            give_up("the codec failed");
        }
        if (c->loses && i % LOSSES_IN == 0) {
            continue;
        }
        wzp_audio_dec_arrive(c->dec, codec, c->ts_ms, wzp_bytes_of(packet, len));
        if (c->loses && i % LOSSES_IN == 1) {
            wzp_audio_dec_fill(c->dec, WZP_AUDIO_LOST, c->ts_ms - 20, heard, FRAME);
        }
        if (wzp_audio_dec_play(c->dec, codec, wzp_bytes_of(packet, len), heard, WZP_AUDIO_FRAME_MAX,
                               &samples) != WZP_OK) {
            give_up("the codec failed");
        }
        bench_keep(heard);
    }
}

/* --- the jitter buffer ------------------------------------------------------------------------ */

typedef struct buffer {
    wzp_jbuf *jbuf;
    uint32_t seq;
} buffer;

static void run_buffer(void *ctx) {
    buffer *b = ctx;
    static const uint8_t payload[60];
    wzp_jbuf_out out;
    for (size_t i = 0; i < JBUF_FRAMES; i++, b->seq++) {
        const wzp_media_hdr hdr = {
            .version = WZP_PROTOCOL_VERSION, .seq = b->seq, .timestamp_ms = 20 * b->seq};
        const wzp_time now = WZP_S + b->seq * (20 * WZP_MS);
        wzp_jbuf_push(b->jbuf, &hdr, wzp_bytes_of(payload, sizeof payload), now);
        if (wzp_jbuf_pop(b->jbuf, now, &out)) {
            bench_keep(&out);
        }
    }
}

/* --- main ------------------------------------------------------------------------------------- */

static void report_calls(const char *name, const bench *b, const bench *floor) {
    const double frame_ns = 20e6;
    bench_line(name, frame_ns / b->ns[0], "", frame_ns / b->ns[ROUNDS / 2],
               floor != NULL ? floor->ns[0] / b->ns[0] : 0, "-");
}

int main(void) {
    enum { PLAIN, FLOOR, OURS, LOSING, JBUF, CODEC2, COUNT };
    bare_opus with_dred = bare_new(BARE_OPUS_DRED_10MS);
    bare_opus without = bare_new(0);
    call ours = call_new(WZP_CODEC_OPUS_24K, false);
    call losing = call_new(WZP_CODEC_OPUS_24K, true);
    const wzp_jbuf_cfg cfg = {.delay = JBUF_DELAY_MS * WZP_MS};
    buffer buf = {.jbuf = wzp_jbuf_new(&cfg)};
    bench b[COUNT] = {
        [PLAIN] = {.name = "libopus 24k, no DRED: frame both ways",
                   .run = run_bare,
                   .ctx = &without},
        [FLOOR] = {.name = "libopus 24k with DRED: frame both ways",
                   .run = run_bare,
                   .ctx = &with_dred},
        [OURS] = {.name = "the same by audio.h", .run = run_call, .ctx = &ours},
        [LOSING] = {.name = "and every fifth rebuilt by DRED", .run = run_call, .ctx = &losing},
        [JBUF] = {.name = "jitter buffer: push and pop", .run = run_buffer, .ctx = &buf},
        [CODEC2] = {.name = "Codec2 3200: frame both ways", .run = run_call},
    };
    size_t count = CODEC2;
    call narrow;
    if (wzp_codec2_available()) {
        narrow = call_new(WZP_CODEC_CODEC2_3200, false);
        b[CODEC2].ctx = &narrow;
        count = COUNT;
    }
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
    for (size_t i = 0; i < count; i++) {
        b[i].count = i == JBUF ? 2 * JBUF_FRAMES : FRAMES;
    }
    bench_all(b, count, ROUNDS);
    bench_report(&b[PLAIN], ROUNDS, NULL, 0);
    bench_report(&b[FLOOR], ROUNDS, NULL, 0);
    bench_report(&b[OURS], ROUNDS, &b[FLOOR], 1 / 0.75);
    bench_report(&b[LOSING], ROUNDS, &b[FLOOR], 0);
    if (count == COUNT) {
        bench_report(&b[CODEC2], ROUNDS, &b[FLOOR], 0);
    }
    bench_report(&b[JBUF], ROUNDS, NULL, 1000);
    report_calls("calls a core, libopus with DRED", &b[FLOOR], NULL);
    report_calls("calls a core, audio.h", &b[OURS], &b[FLOOR]);
    return 0;
}
