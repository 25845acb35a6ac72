#include "tools/quality/quality.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/audio.h"
#include "media/testing/voice.h"
#include "tools/quality/spectrum.h"

enum { LEN = 4 * WZP_QUALITY_RATE_HZ };

static int16_t voice[LEN];
static int16_t worse[LEN + WZP_AUDIO_FRAME_MAX];

static wzp_quality measure(void) {
    wzp_quality q;
    ck_assert(wzp_quality_measure(&q, voice, LEN, worse, LEN, 500) == WZP_OK);
    return q;
}

static void speak(void) {
    wzp_voice_speak(voice, LEN);
    memcpy(worse, voice, sizeof voice);
}

START_TEST(identical_is_perfect) {
    speak();
    const wzp_quality q = measure();
    ck_assert(q.snr_seg_db == 35.0);
    ck_assert(q.lsd_db == 0.0);
    ck_assert(q.lsd_worst_db == 0.0);
    ck_assert(q.level_db == 0.0);
    ck_assert_int_eq(q.delay_samples, 0);
    ck_assert_uint_eq(q.longest_gap_ms, 0);
    ck_assert_uint_eq(q.gap_permille, 0);
    ck_assert_uint_gt(q.frames, 300);
}
END_TEST

static const int32_t delays[] = {1, -1, 47, 4800, -4801, 23999, -23000};

START_TEST(a_delay_is_found_to_the_sample) {
    const int32_t delay = delays[_i];
    wzp_quality q;
    speak();
    memset(worse, 0, sizeof worse);
    for (int32_t i = 0; i < LEN; i++) {
        if (i - delay >= 0 && i - delay < LEN) {
            worse[i] = (int16_t)(voice[i - delay] / 2);
        }
    }
    ck_assert(wzp_quality_measure(&q, voice, LEN, worse, LEN, 500) == WZP_OK);
    ck_assert_msg(q.delay_samples == delay, "%d instead of %d", q.delay_samples, delay);
    ck_assert(fabs(q.level_db + 6.02) < 0.3);
}
END_TEST

/* --- degradations, each worse than the one before --------------------------------------------- */

static void add_noise(double part) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "noise");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t i = 0; i < LEN; i++) {
        const double noise = ((double)wzp_rng_below(rng, 20001) - 10000) * part;
        worse[i] = (int16_t)fmax(-32768, fmin(32767, voice[i] + noise));
    }
}

/* One of `every` frames of 20 ms is zero. */
static void punch(double every) {
    for (size_t frame = 0; frame < LEN / 960; frame++) {
        if (frame % (size_t)every == 5 % (size_t)every) {
            memset(worse + frame * 960, 0, 960 * sizeof *worse);
        }
    }
}

static void muffle(double by) {
    double y = 0;
    for (size_t i = 0; i < LEN; i++) {
        y += (voice[i] - y) * by;
        worse[i] = (int16_t)y;
    }
}

static void code(double codec) {
    const wzp_audio_enc_cfg cfg = {.codec = (uint8_t)codec};
    const wzp_audio_dec_cfg hear = {0};
    wzp_audio_enc *enc = NULL;
    wzp_audio_dec *dec = NULL;
    uint8_t packet[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    size_t n = 0;
    ck_assert(wzp_audio_enc_new(&enc, &cfg) == WZP_OK && wzp_audio_dec_new(&dec, &hear) == WZP_OK);
    for (size_t at = 0; at + wzp_audio_enc_samples(enc) <= LEN; at += n) {
        ck_assert(wzp_audio_enc_frame(enc, voice + at, wzp_audio_enc_samples(enc), packet, &len) ==
                  WZP_OK);
        ck_assert(wzp_audio_dec_play(dec, cfg.codec, wzp_bytes_of(packet, len), worse + at,
                                     WZP_AUDIO_FRAME_MAX, &n) == WZP_OK);
    }
    wzp_audio_enc_free(&enc);
    wzp_audio_dec_free(&dec);
}

static const struct ladder {
    const char *name;
    void (*degrade)(double by);
    double steps[6]; /* 0 ends, after the first */
    bool by_snr;     /* the SNR falls as well */
} ladders[] = {
    {"noise", add_noise, {0.005, 0.02, 0.08, 0.3}, true},
    {"gaps", punch, {40, 20, 10, 5, 3}, true},
    {"muffled", muffle, {0.8, 0.4, 0.2, 0.1, 0.05}, true},
    {"Opus", code, {WZP_CODEC_OPUS_64K, WZP_CODEC_OPUS_16K, WZP_CODEC_OPUS_6K}, false},
    {"codecs",
     code,
     {WZP_CODEC_OPUS_48K, WZP_CODEC_OPUS_6K, WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200},
     false},
};

START_TEST(worse_is_told_from_bad) {
    const struct ladder *l = &ladders[_i];
    wzp_quality last = {.snr_seg_db = 35.1, .lsd_db = 0};
    for (size_t i = 0; i < WZP_COUNT_OF(l->steps) && l->steps[i] > 0; i++) {
        if (l->degrade == code && !wzp_audio_is_codec((uint8_t)l->steps[i])) {
            return;
        }
        speak();
        l->degrade(l->steps[i]);
        const wzp_quality q = measure();
        ck_assert_msg(q.lsd_db > last.lsd_db, "%s: LSD %f after %f", l->name, q.lsd_db,
                      last.lsd_db);
        ck_assert_msg(!l->by_snr || q.snr_seg_db < last.snr_seg_db, "%s: SNR %f after %f", l->name,
                      q.snr_seg_db, last.snr_seg_db);
        last = q;
    }
}
END_TEST

START_TEST(gaps_are_measured) {
    speak();
    memset(worse + 60000, 0, 9600 * sizeof *worse);  /* 200 ms, in which there is a hiss as well */
    memset(worse + 100000, 0, 1920 * sizeof *worse); /* 40 ms */
    const wzp_quality q = measure();
    ck_assert_msg(q.longest_gap_ms >= 180 && q.longest_gap_ms <= 200, "%u ms", q.longest_gap_ms);
    ck_assert_uint_gt(q.gap_permille, 40);
    ck_assert_uint_lt(q.gap_permille, 70);
}
END_TEST

START_TEST(what_cannot_be_compared) {
    wzp_quality q;
    speak();
    ck_assert(wzp_quality_measure(&q, voice, 100, worse, LEN, 0) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_quality_measure(&q, voice, LEN, worse, 100, 0) == WZP_ERR_INVALID_ARGUMENT);
    memset(voice, 0, sizeof voice);
    ck_assert(wzp_quality_measure(&q, voice, LEN, worse, LEN, 0) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* A tone lies in its band, with its power. */
START_TEST(bands) {
    int16_t tone[WZP_SPECTRUM_FRAME];
    double band[WZP_SPECTRUM_BANDS];
    for (size_t i = 0; i < WZP_SPECTRUM_FRAME; i++) {
        tone[i] = (int16_t)lrint(10000 * sin(6.283185307179586 * 1000 * (double)i / 48000));
    }
    wzp_spectrum_bands(tone, band);
    ck_assert_msg(fabs(10 * log10(band[8] / 5e7)) < 0.5, "%f", band[8]); /* 920 to 1080 Hz */
    for (size_t i = 0; i < WZP_SPECTRUM_BANDS; i++) {
        ck_assert(i == 8 || i == 7 || i == 9 || band[i] < band[8] / 1000);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, identical_is_perfect);
    tcase_add_loop_test(tc, a_delay_is_found_to_the_sample, 0, WZP_COUNT_OF(delays));
    tcase_add_loop_test(tc, worse_is_told_from_bad, 0, WZP_COUNT_OF(ladders));
    tcase_add_test(tc, gaps_are_measured);
    tcase_add_test(tc, what_cannot_be_compared);
    tcase_add_test(tc, bands);
    return wzp_run_suite("quality", tc);
}
