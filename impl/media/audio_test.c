#include "media/audio.h"

#include <math.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "media/codec2.h"
#include "media/silence.h"
#include "media/testing/allocs.h"
#include "media/testing/voice.h"

enum { SECONDS = 6, WINDOW = 240 };

static int16_t voice[SECONDS * WZP_AUDIO_RATE_HZ];
static int16_t heard[SECONDS * WZP_AUDIO_RATE_HZ + WZP_AUDIO_FRAME_MAX];

static const uint8_t codecs[] = {WZP_CODEC_OPUS_24K,    WZP_CODEC_OPUS_16K,   WZP_CODEC_OPUS_6K,
                                 WZP_CODEC_OPUS_32K,    WZP_CODEC_OPUS_48K,   WZP_CODEC_OPUS_64K,
                                 WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200};

static double rms(const int16_t *pcm, size_t samples) {
    double sum = 0;
    for (size_t i = 0; i < samples; i++) {
        sum += (double)pcm[i] * pcm[i];
    }
    return sqrt(sum / (double)samples);
}

typedef struct call {
    wzp_audio_enc *enc;
    wzp_audio_dec *dec;
    uint32_t ts_ms;
    size_t said, played; /* samples */
} call;

static call begin(uint8_t codec) {
    call c = {0};
    const wzp_audio_enc_cfg enc = {.codec = codec};
    const wzp_audio_dec_cfg dec = {.noise_seed = 7};
    ck_assert(wzp_audio_enc_new(&c.enc, &enc) == WZP_OK);
    ck_assert(wzp_audio_dec_new(&c.dec, &dec) == WZP_OK);
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
    return c;
}

static void end(call *c) {
    wzp_audio_enc_free(&c->enc);
    wzp_audio_dec_free(&c->dec);
}

/* Says and plays one frame. */
static wzp_err step(call *c, size_t *len) {
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    size_t n = 0;
    const size_t samples = wzp_audio_enc_samples(c->enc);
    const uint8_t codec = wzp_audio_enc_codec(c->enc);
    wzp_err err = wzp_audio_enc_frame(c->enc, voice + c->said, samples, packet, len);
    wzp_audio_dec_arrive(c->dec, codec, c->ts_ms, wzp_bytes_of(packet, *len));
    if (err == WZP_OK) {
        err = wzp_audio_dec_play(c->dec, codec, wzp_bytes_of(packet, *len), heard + c->played,
                                 WZP_AUDIO_FRAME_MAX, &n);
    }
    c->said += samples;
    c->played += n;
    c->ts_ms += (uint32_t)samples / 48;
    return err;
}

START_TEST(every_codec_round_trips) {
    const uint8_t codec = codecs[_i];
    size_t len = 0;
    if (!wzp_audio_is_codec(codec)) {
        return;
    }
    call c = begin(codec);
    while (c.said < 2 * (size_t)WZP_AUDIO_RATE_HZ) {
        ck_assert(step(&c, &len) == WZP_OK);
        ck_assert_uint_le(len, WZP_AUDIO_PACKET_MAX);
        ck_assert(wzp_codec2_frame_bytes(codec) == 0 || len == wzp_codec2_frame_bytes(codec));
    }
    ck_assert_uint_eq(c.said, c.played);
    const double loud = rms(heard + 4800, c.played - 4800) / rms(voice + 4800, c.said - 4800);
    ck_assert_msg(loud > 0.4 && loud < 2, "%s: %f as loud", wzp_codec_find(codec)->name, loud);
    end(&c);
}
END_TEST

/* Codec2's rate of bytes is that of the table in media sheet 1.1. */
START_TEST(frames_of_codec2) {
    ck_assert_uint_eq(wzp_codec2_frame_bytes(WZP_CODEC_CODEC2_3200), 8);
    ck_assert_uint_eq(wzp_codec2_frame_bytes(WZP_CODEC_CODEC2_1200), 6);
    ck_assert_uint_eq(wzp_codec2_frame_samples(WZP_CODEC_CODEC2_3200), 960);
    ck_assert_uint_eq(wzp_codec2_frame_samples(WZP_CODEC_CODEC2_1200), 1920);
    ck_assert_uint_eq(wzp_codec2_frame_bytes(WZP_CODEC_OPUS_6K), 0);
}
END_TEST

/* The quietest 5 ms within a vowel, against how loud the voice is there. */
static void check_no_hole(const call *c, size_t from) {
    double least = 1e9;
    size_t where = 0;
    for (size_t at = from; at + WINDOW <= c->played; at += WINDOW) {
        const size_t syllable = at % (WZP_AUDIO_RATE_HZ / 5);
        const double loud = rms(heard + at, WINDOW);
        if (syllable > 2400 && syllable < 6000 && loud < least) {
            least = loud;
            where = at;
        }
    }
    ck_assert_msg(least > 150, "only %f at %zu ms", least, where / 48);
}

static const uint8_t changes[][8] = {
    {WZP_CODEC_OPUS_24K, WZP_CODEC_OPUS_6K, WZP_CODEC_CODEC2_1200, WZP_CODEC_OPUS_24K},
    {WZP_CODEC_OPUS_64K, WZP_CODEC_OPUS_16K, WZP_CODEC_OPUS_48K, WZP_CODEC_OPUS_32K},
    {WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200, WZP_CODEC_CODEC2_3200, WZP_CODEC_OPUS_64K},
};

START_TEST(a_switch_leaves_no_gap) {
    size_t len = 0;
    if (!wzp_codec2_available()) {
        return;
    }
    call c = begin(changes[_i][0]);
    for (size_t n = 0; c.said + WZP_AUDIO_SENT_MAX <= WZP_COUNT_OF(voice); n++) {
        if (n % 12 == 0) {
            ck_assert(wzp_audio_enc_set_codec(c.enc, changes[_i][n / 12 % 4]) == WZP_OK);
        }
        ck_assert(step(&c, &len) == WZP_OK);
    }
    ck_assert_uint_eq(c.said, c.played);
    check_no_hole(&c, 9600);
    end(&c);
}
END_TEST

START_TEST(lost_frames) {
    const uint8_t codec = codecs[_i];
    wzp_audio_counters counters;
    size_t len = 0;
    if (!wzp_audio_is_codec(codec)) {
        return;
    }
    call c = begin(codec);
    for (int i = 0; i < 22; i++) {
        ck_assert(step(&c, &len) == WZP_OK);
    }
    const size_t n = wzp_audio_enc_samples(c.enc);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_LOST, c.ts_ms, heard, n);
    wzp_audio_dec_count(c.dec, &counters);
    const bool is_opus = wzp_codec_find(codec)->is_opus;
    ck_assert_uint_eq(counters.opus.classical_plc, is_opus ? 1 : 0);
    ck_assert_uint_eq(counters.silent_frames, is_opus ? 0 : 1);
    ck_assert((rms(heard, n) > 0) == is_opus);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_PAUSE, c.ts_ms, heard, n);
    ck_assert(rms(heard, n) == 0.0);
    end(&c);
}
END_TEST

START_TEST(what_is_lost_comes_back_by_dred) {
    wzp_audio_counters counters;
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    if (!wzp_opus_has_dred()) {
        return;
    }
    call c = begin(WZP_CODEC_OPUS_24K);
    for (int i = 0; i < 100; i++) {
        ck_assert(step(&c, &len) == WZP_OK);
    }
    ck_assert(wzp_audio_enc_frame(c.enc, voice + c.said, 960, packet, &len) == WZP_OK);
    ck_assert(wzp_audio_enc_frame(c.enc, voice + c.said + 960, 960, packet, &len) == WZP_OK);
    wzp_audio_dec_arrive(c.dec, WZP_CODEC_OPUS_24K, c.ts_ms + 20, wzp_bytes_of(packet, len));
    const uint32_t reach =
        wzp_audio_dec_reach_ms(c.dec, WZP_CODEC_OPUS_24K, wzp_bytes_of(packet, len));
    ck_assert_msg(reach >= 80 && reach < 120, "%u ms", reach);
    ck_assert_uint_eq(
        wzp_audio_dec_reach_ms(c.dec, WZP_CODEC_CODEC2_1200, wzp_bytes_of(packet, len)), 0);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_ADDED, c.ts_ms, heard, 960);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_LOST, c.ts_ms, heard, 960);
    wzp_audio_dec_count(c.dec, &counters);
    ck_assert_uint_eq(counters.opus.dred_reconstructions, 1);
    ck_assert_uint_eq(counters.opus.classical_plc, 1);
    end(&c);
}
END_TEST

START_TEST(comfort_noise_stays_until_somebody_speaks) {
    wzp_audio_counters counters;
    size_t len = 0;
    size_t n = 0;
    call c = begin(WZP_CODEC_OPUS_24K);
    ck_assert(wzp_audio_dec_play(c.dec, WZP_CODEC_COMFORT_NOISE, wzp_bytes_str("\x50"), heard,
                                 WZP_AUDIO_FRAME_MAX, &n) == WZP_OK);
    ck_assert_uint_eq(n, 960);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_LOST, 20, heard + n, n);
    wzp_audio_dec_fill(c.dec, WZP_AUDIO_PAUSE, 40, heard + 2 * n, n);
    for (size_t i = 0; i < 3 * n; i++) {
        ck_assert_int_le(abs(heard[i]), 80);
    }
    ck_assert(rms(heard + 2 * n, n) > 30);
    ck_assert(step(&c, &len) == WZP_OK);
    wzp_audio_dec_count(c.dec, &counters);
    ck_assert_uint_eq(counters.noise_frames, 3);
    ck_assert_uint_eq(counters.switches, 1);
    end(&c);
}
END_TEST

static const struct refused_case {
    const char *name;
    size_t len;
    wzp_err want;
    uint8_t codec;
} refused_cases[] = {
    {"H.264", 20, WZP_ERR_CODEC, WZP_CODEC_H264_BASELINE},
    {"AV1", 20, WZP_ERR_CODEC, WZP_CODEC_AV1_MAIN},
    {"reserved", 20, WZP_ERR_CODEC, 10},
    {"past the registry", 20, WZP_ERR_CODEC, 255},
    {"empty Opus", 0, WZP_ERR_PARSE, WZP_CODEC_OPUS_24K},
    {"bad Opus", 1, WZP_ERR_PARSE, WZP_CODEC_OPUS_24K},
    {"short Codec2 3200", 7, WZP_ERR_TRUNCATED, WZP_CODEC_CODEC2_3200},
    {"short Codec2 1200", 5, WZP_ERR_TRUNCATED, WZP_CODEC_CODEC2_1200},
    {"empty Codec2", 0, WZP_ERR_TRUNCATED, WZP_CODEC_CODEC2_1200},
    {"long Codec2", 60, WZP_OK, WZP_CODEC_CODEC2_1200},
    {"empty noise", 0, WZP_OK, WZP_CODEC_COMFORT_NOISE},
};

START_TEST(what_cannot_be_played) {
    const struct refused_case *c = &refused_cases[_i];
    const wzp_audio_dec_cfg cfg = {0};
    wzp_audio_counters counters;
    wzp_audio_dec *dec = NULL;
    uint8_t bytes[60];
    size_t n = 12345;
    if (wzp_codec2_frame_bytes(c->codec) > 0 && !wzp_codec2_available()) {
        return;
    }
    memset(bytes, 0xff, sizeof bytes);
    ck_assert(wzp_audio_dec_new(&dec, &cfg) == WZP_OK);
    wzp_audio_dec_arrive(dec, c->codec, 0, wzp_bytes_of(bytes, c->len));
    const wzp_err got = wzp_audio_dec_play(dec, c->codec, wzp_bytes_of(bytes, c->len), heard,
                                           WZP_AUDIO_FRAME_MAX, &n);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_err_name(got));
    wzp_audio_dec_count(dec, &counters);
    ck_assert_uint_eq(counters.refused, c->want == WZP_OK ? 0 : 1);
    ck_assert(c->want == WZP_OK || n == 12345);
    wzp_audio_dec_free(&dec);
}
END_TEST

START_TEST(not_every_id_can_be_sent) {
    static const uint8_t ids[] = {WZP_CODEC_COMFORT_NOISE, WZP_CODEC_AV1_MAIN, 10, 99};
    call c = begin(WZP_CODEC_OPUS_24K);
    for (size_t i = 0; i < WZP_COUNT_OF(ids); i++) {
        wzp_audio_enc *enc = NULL;
        const wzp_audio_enc_cfg cfg = {.codec = ids[i]};
        ck_assert(wzp_audio_enc_new(&enc, &cfg) == WZP_ERR_INVALID_ARGUMENT);
        ck_assert(wzp_audio_enc_set_codec(c.enc, ids[i]) == WZP_ERR_INVALID_ARGUMENT);
        ck_assert_uint_eq(wzp_audio_enc_codec(c.enc), WZP_CODEC_OPUS_24K);
    }
    end(&c);
}
END_TEST

START_TEST(nothing_is_allocated_after_creation) {
    size_t len = 0;
    wzp_err err = WZP_OK;
    call c = begin(WZP_CODEC_OPUS_24K);
    wzp_allocs_seen = 0;
    for (size_t i = 0; i < 80 && err == WZP_OK; i++) {
        if (i % 10 == 0 && wzp_codec2_available()) {
            err = wzp_audio_enc_set_codec(c.enc, codecs[i / 10]);
        }
        err = err == WZP_OK ? step(&c, &len) : err;
        wzp_audio_dec_fill(c.dec, WZP_AUDIO_LOST, c.ts_ms, heard + c.played, 960);
    }
    const size_t seen = wzp_allocs_seen;
    ck_assert(err == WZP_OK);
    ck_assert_uint_eq(seen, 0);
    end(&c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, every_codec_round_trips, 0, WZP_COUNT_OF(codecs));
    tcase_add_test(tc, frames_of_codec2);
    tcase_add_loop_test(tc, a_switch_leaves_no_gap, 0, WZP_COUNT_OF(changes));
    tcase_add_loop_test(tc, lost_frames, 0, WZP_COUNT_OF(codecs));
    tcase_add_test(tc, what_is_lost_comes_back_by_dred);
    tcase_add_test(tc, comfort_noise_stays_until_somebody_speaks);
    tcase_add_loop_test(tc, what_cannot_be_played, 0, WZP_COUNT_OF(refused_cases));
    tcase_add_test(tc, not_every_id_can_be_sent);
    tcase_add_test(tc, nothing_is_allocated_after_creation);
    return wzp_run_suite("audio", tc);
}
