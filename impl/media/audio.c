#include "media/audio.h"

#include <stdlib.h>

#include "media/codec2.h"
#include "media/silence.h"

enum { FADE = 240 /* samples, 5 ms */, NOISE_SAMPLES = 960 };

/* One decoder or encoder of each kind is kept; Opus at all its rates is one. */
typedef enum kind { KIND_NONE, KIND_OPUS, KIND_CODEC2_3200, KIND_CODEC2_1200, KIND_NOISE } kind;

enum { CODEC2_KINDS = 2 };

static kind kind_of(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    if (info == NULL || info->is_video) {
        return KIND_NONE;
    }
    return info->is_opus                      ? KIND_OPUS
           : codec == WZP_CODEC_CODEC2_3200   ? KIND_CODEC2_3200
           : codec == WZP_CODEC_CODEC2_1200   ? KIND_CODEC2_1200
           : codec == WZP_CODEC_COMFORT_NOISE ? KIND_NOISE
                                              : KIND_NONE;
}

static bool is_codec2(kind k) {
    return k == KIND_CODEC2_3200 || k == KIND_CODEC2_1200;
}

static size_t index_of(kind k) {
    return k == KIND_CODEC2_3200 ? 0 : 1;
}

static const uint8_t codec2_ids[CODEC2_KINDS] = {WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200};

bool wzp_audio_is_codec(uint8_t codec) {
    const kind k = kind_of(codec);
    return k == KIND_OPUS || (is_codec2(k) && wzp_codec2_available());
}

/* --- sending ---------------------------------------------------------------------------------- */

struct wzp_audio_enc {
    uint8_t codec;
    kind last; /* of the last frame */
    wzp_opus_enc *opus;
    wzp_codec2_enc *codec2[CODEC2_KINDS];
};

static wzp_err create_encoders(wzp_audio_enc *enc, const wzp_audio_enc_cfg *cfg) {
    const uint8_t opus = kind_of(cfg->codec) == KIND_OPUS ? cfg->codec : WZP_CODEC_OPUS_24K;
    wzp_err err = cfg->legacy_fec ? wzp_opus_enc_new_legacy_fec(&enc->opus, opus)
                                  : wzp_opus_enc_new(&enc->opus, opus);
    for (size_t i = 0; i < CODEC2_KINDS && err == WZP_OK && wzp_codec2_available(); i++) {
        err = wzp_codec2_enc_new(&enc->codec2[i], codec2_ids[i]);
    }
    return err;
}

wzp_err wzp_audio_enc_new(wzp_audio_enc **out, const wzp_audio_enc_cfg *cfg) {
    if (!wzp_audio_is_codec(cfg->codec)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_audio_enc *enc = calloc(1, sizeof *enc);
    const wzp_err err = enc != NULL ? create_encoders(enc, cfg) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_audio_enc_free(&enc);
        return err;
    }
    enc->codec = cfg->codec;
    *out = enc;
    return WZP_OK;
}

void wzp_audio_enc_free(wzp_audio_enc **enc) {
    if (*enc != NULL) {
        wzp_opus_enc_free(&(*enc)->opus);
        for (size_t i = 0; i < CODEC2_KINDS; i++) {
            wzp_codec2_enc_free(&(*enc)->codec2[i]);
        }
        free(*enc);
        *enc = NULL;
    }
}

wzp_err wzp_audio_enc_set_codec(wzp_audio_enc *enc, uint8_t codec) {
    if (!wzp_audio_is_codec(codec)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    enc->codec = codec;
    return kind_of(codec) == KIND_OPUS ? wzp_opus_enc_set_codec(enc->opus, codec) : WZP_OK;
}

uint8_t wzp_audio_enc_codec(const wzp_audio_enc *enc) {
    return enc->codec;
}

size_t wzp_audio_enc_samples(const wzp_audio_enc *enc) {
    return kind_of(enc->codec) == KIND_OPUS ? wzp_opus_frame_samples(enc->codec)
                                            : wzp_codec2_frame_samples(enc->codec);
}

void wzp_audio_enc_tune(wzp_audio_enc *enc, unsigned dred_10ms, unsigned loss_percent) {
    wzp_opus_enc_tune(enc->opus, dred_10ms, loss_percent);
}

void wzp_audio_enc_set_complexity(wzp_audio_enc *enc, unsigned complexity) {
    wzp_opus_enc_set_complexity(enc->opus, complexity);
}

wzp_err wzp_audio_enc_frame(wzp_audio_enc *enc, const int16_t *pcm, size_t samples,
                            uint8_t out[WZP_AUDIO_PACKET_MAX], size_t *len) {
    const kind k = kind_of(enc->codec);
    if (samples != wzp_audio_enc_samples(enc)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (k != KIND_OPUS) {
        enc->last = k;
        return wzp_codec2_enc_frame(enc->codec2[index_of(k)], pcm, samples, out, len);
    }
    if (enc->last != KIND_OPUS && enc->last != KIND_NONE) {
        wzp_opus_enc_reset(enc->opus); /* what it remembers was said long ago */
    }
    enc->last = k;
    return wzp_opus_enc_frame(enc->opus, pcm, samples, out, len);
}

/* --- receiving -------------------------------------------------------------------------------- */

struct wzp_audio_dec {
    kind last; /* of what was played last */
    uint8_t noise_level;
    wzp_opus_dec *opus;
    wzp_codec2_dec *codec2[CODEC2_KINDS];
    wzp_prng noise;
    wzp_audio_counters counters;
};

static wzp_err create_decoders(wzp_audio_dec *dec) {
    wzp_err err = wzp_opus_dec_new(&dec->opus);
    for (size_t i = 0; i < CODEC2_KINDS && err == WZP_OK && wzp_codec2_available(); i++) {
        err = wzp_codec2_dec_new(&dec->codec2[i], codec2_ids[i]);
    }
    return err;
}

wzp_err wzp_audio_dec_new(wzp_audio_dec **out, const wzp_audio_dec_cfg *cfg) {
    wzp_audio_dec *dec = calloc(1, sizeof *dec);
    const wzp_err err = dec != NULL ? create_decoders(dec) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_audio_dec_free(&dec);
        return err;
    }
    if (cfg->is_direct) {
        wzp_opus_dec_limit_dred(dec->opus, WZP_OPUS_DRED_DIRECT);
    }
    wzp_prng_init(&dec->noise, cfg->noise_seed, "comfort noise");
    *out = dec;
    return WZP_OK;
}

void wzp_audio_dec_free(wzp_audio_dec **dec) {
    if (*dec != NULL) {
        wzp_opus_dec_free(&(*dec)->opus);
        for (size_t i = 0; i < CODEC2_KINDS; i++) {
            wzp_codec2_dec_free(&(*dec)->codec2[i]);
        }
        free(*dec);
        *dec = NULL;
    }
}

void wzp_audio_dec_arrive(wzp_audio_dec *dec, uint8_t codec, uint32_t timestamp_ms,
                          wzp_bytes payload) {
    if (kind_of(codec) == KIND_OPUS) {
        wzp_opus_dec_arrive(dec->opus, timestamp_ms, payload);
    }
}

uint32_t wzp_audio_dec_reach_ms(wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload) {
    const size_t samples =
        kind_of(codec) == KIND_OPUS ? wzp_opus_dec_dred_reach(dec->opus, payload) : 0;
    return (uint32_t)(samples / (WZP_AUDIO_RATE_HZ / 1000));
}

void wzp_audio_dec_forget(wzp_audio_dec *dec) {
    wzp_opus_dec_forget(dec->opus);
}

static void make_noise(wzp_audio_dec *dec, int16_t *pcm, size_t samples) {
    wzp_noise_fill(&dec->noise, dec->noise_level, pcm, samples);
    dec->counters.noise_frames++;
}

/* What the old kind would play on for pcm[FADE]. */
static void play_on(wzp_audio_dec *dec, int16_t *pcm) {
    switch (dec->last) {
    case KIND_OPUS:
        wzp_opus_dec_continue(dec->opus, pcm, FADE);
        break;
    case KIND_CODEC2_3200:
    case KIND_CODEC2_1200:
        wzp_codec2_dec_fade(dec->codec2[index_of(dec->last)], pcm, FADE);
        break;
    case KIND_NOISE:
        wzp_noise_fill(&dec->noise, dec->noise_level, pcm, FADE);
        break;
    case KIND_NONE:
        memset(pcm, 0, FADE * sizeof *pcm);
        break;
    }
}

static void cross_fade(const int16_t *old, int16_t *pcm, size_t samples) {
    for (int i = 0; i < FADE && (size_t)i < samples; i++) {
        pcm[i] = (int16_t)((old[i] * (FADE - i) + pcm[i] * i) / FADE);
    }
}

static wzp_err decode(wzp_audio_dec *dec, kind k, wzp_bytes payload, int16_t *pcm, size_t cap,
                      size_t *samples) {
    if (k == KIND_OPUS) {
        return wzp_opus_dec_frame(dec->opus, payload, pcm, cap, samples);
    }
    if (is_codec2(k)) {
        const wzp_err err =
            wzp_codec2_dec_frame(dec->codec2[index_of(k)], payload, pcm, cap, samples);
        dec->counters.codec2_decoded += err == WZP_OK ? 1 : 0;
        return err;
    }
    if (cap < NOISE_SAMPLES) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    dec->noise_level = wzp_noise_level(payload.data, payload.len);
    make_noise(dec, pcm, NOISE_SAMPLES);
    *samples = NOISE_SAMPLES;
    return WZP_OK;
}

wzp_err wzp_audio_dec_play(wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload, int16_t *pcm,
                           size_t cap, size_t *samples) {
    int16_t old[FADE];
    const kind k = kind_of(codec);
    if (k == KIND_NONE || (k != KIND_NOISE && !wzp_audio_is_codec(codec))) {
        dec->counters.refused++;
        return WZP_ERR_CODEC;
    }
    const bool switches = dec->last != k && dec->last != KIND_NONE;
    if (switches) {
        play_on(dec, old);
    }
    if (switches && k == KIND_OPUS) {
        wzp_opus_dec_restart(dec->opus);
    }
    const wzp_err err = decode(dec, k, payload, pcm, cap, samples);
    if (err != WZP_OK) {
        dec->counters.refused++;
        return err;
    }
    if (switches) {
        cross_fade(old, pcm, *samples);
        dec->counters.switches++;
    }
    dec->last = k;
    return WZP_OK;
}

void wzp_audio_dec_fill(wzp_audio_dec *dec, wzp_audio_fill what, uint32_t timestamp_ms,
                        int16_t *pcm, size_t samples) {
    if (dec->last == KIND_NOISE) {
        make_noise(dec, pcm, samples);
        return;
    }
    if (dec->last == KIND_OPUS && what == WZP_AUDIO_LOST) {
        (void)wzp_opus_dec_recover(dec->opus, timestamp_ms, pcm, samples);
        return;
    }
    if (dec->last == KIND_OPUS && what == WZP_AUDIO_ADDED) {
        wzp_opus_dec_conceal(dec->opus, pcm, samples);
        return;
    }
    memset(pcm, 0, samples * sizeof *pcm);
    dec->counters.silent_frames++;
}

void wzp_audio_dec_count(const wzp_audio_dec *dec, wzp_audio_counters *out) {
    *out = dec->counters;
    wzp_opus_dec_count(dec->opus, &out->opus);
}
