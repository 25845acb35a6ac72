#include "media/codec2.h"

#include <stdlib.h>

static const struct mode {
    uint8_t codec;
    uint8_t bytes;
    uint16_t samples;
} modes[] = {{WZP_CODEC_CODEC2_3200, 8, 960}, {WZP_CODEC_CODEC2_1200, 6, 1920}};

static const struct mode *find(uint8_t codec) {
    for (size_t i = 0; i < WZP_COUNT_OF(modes); i++) {
        if (modes[i].codec == codec) {
            return &modes[i];
        }
    }
    return NULL;
}

size_t wzp_codec2_frame_samples(uint8_t codec) {
    const struct mode *mode = find(codec);
    return mode != NULL ? mode->samples : 0;
}

size_t wzp_codec2_frame_bytes(uint8_t codec) {
    const struct mode *mode = find(codec);
    return mode != NULL ? mode->bytes : 0;
}

#if defined(WZP_HAVE_CODEC2) && defined(WZP_HAVE_SPEEXDSP)

#include <codec2.h>
#include <speex/speex_resampler.h>

enum { NARROW_HZ = 8000, STEP = WZP_CODEC2_RATE_HZ / NARROW_HZ, NARROW_MAX = 320, QUALITY = 3 };

/* Either direction: the codec and the resampler before or after it. */
typedef struct line {
    const struct mode *mode;
    struct CODEC2 *codec;
    SpeexResamplerState *resampler;
} line;

struct wzp_codec2_enc {
    line line;
};

struct wzp_codec2_dec {
    line line;
};

bool wzp_codec2_available(void) {
    return true;
}

static void close_line(line *l) {
    if (l->codec != NULL) {
        codec2_destroy(l->codec);
    }
    if (l->resampler != NULL) {
        speex_resampler_destroy(l->resampler);
    }
}

static wzp_err open_line(line *l, uint8_t codec, unsigned from_hz, unsigned to_hz) {
    int failed = RESAMPLER_ERR_SUCCESS;
    l->mode = find(codec);
    if (l->mode == NULL) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    l->codec = codec2_create(codec == WZP_CODEC_CODEC2_3200 ? CODEC2_MODE_3200 : CODEC2_MODE_1200);
    l->resampler = speex_resampler_init(1, from_hz, to_hz, QUALITY, &failed);
    return l->codec != NULL && l->resampler != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

/* The ratio is whole, so that this many come for that many, from the first frame on. */
static void resample(line *l, const int16_t *in, size_t in_len, int16_t *out, size_t out_len) {
    spx_uint32_t used = (spx_uint32_t)in_len;
    spx_uint32_t made = (spx_uint32_t)out_len;
    speex_resampler_process_int(l->resampler, 0, in, &used, out, &made);
    memset(out + made, 0, (out_len - made) * sizeof *out);
}

/* --- encoder ---------------------------------------------------------------------------------- */

wzp_err wzp_codec2_enc_new(wzp_codec2_enc **out, uint8_t codec) {
    wzp_codec2_enc *enc = calloc(1, sizeof *enc);
    const wzp_err err =
        enc != NULL ? open_line(&enc->line, codec, WZP_CODEC2_RATE_HZ, NARROW_HZ) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_codec2_enc_free(&enc);
        return err;
    }
    *out = enc;
    return WZP_OK;
}

void wzp_codec2_enc_free(wzp_codec2_enc **enc) {
    if (*enc != NULL) {
        close_line(&(*enc)->line);
        free(*enc);
        *enc = NULL;
    }
}

wzp_err wzp_codec2_enc_frame(wzp_codec2_enc *enc, const int16_t *pcm, size_t samples,
                             uint8_t out[WZP_CODEC2_PACKET_MAX], size_t *len) {
    int16_t narrow[NARROW_MAX];
    if (samples != enc->line.mode->samples) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    resample(&enc->line, pcm, samples, narrow, samples / STEP);
    codec2_encode(enc->line.codec, out, narrow);
    *len = enc->line.mode->bytes;
    return WZP_OK;
}

/* --- decoder ---------------------------------------------------------------------------------- */

wzp_err wzp_codec2_dec_new(wzp_codec2_dec **out, uint8_t codec) {
    wzp_codec2_dec *dec = calloc(1, sizeof *dec);
    const wzp_err err =
        dec != NULL ? open_line(&dec->line, codec, NARROW_HZ, WZP_CODEC2_RATE_HZ) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        wzp_codec2_dec_free(&dec);
        return err;
    }
    *out = dec;
    return WZP_OK;
}

void wzp_codec2_dec_free(wzp_codec2_dec **dec) {
    if (*dec != NULL) {
        close_line(&(*dec)->line);
        free(*dec);
        *dec = NULL;
    }
}

wzp_err wzp_codec2_dec_frame(wzp_codec2_dec *dec, wzp_bytes packet, int16_t *pcm, size_t cap,
                             size_t *samples) {
    const struct mode *mode = dec->line.mode;
    int16_t narrow[NARROW_MAX];
    if (packet.len < mode->bytes) {
        return WZP_ERR_TRUNCATED;
    }
    if (cap < mode->samples) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    codec2_decode(dec->line.codec, narrow, packet.data);
    resample(&dec->line, narrow, mode->samples / STEP, pcm, mode->samples);
    *samples = mode->samples;
    return WZP_OK;
}

void wzp_codec2_dec_fade(wzp_codec2_dec *dec, int16_t *pcm, size_t samples) {
    static const int16_t silence[NARROW_MAX];
    for (size_t at = 0; at < samples;) {
        const size_t left = samples - at;
        const size_t n = left < WZP_CODEC2_MAX_FRAME_SAMPLES ? left : WZP_CODEC2_MAX_FRAME_SAMPLES;
        resample(&dec->line, silence, n / STEP, pcm + at, n);
        at += n;
    }
}

#else

bool wzp_codec2_available(void) {
    return false;
}

wzp_err wzp_codec2_enc_new(wzp_codec2_enc **out, uint8_t codec) {
    (void)out;
    (void)codec;
    return WZP_ERR_INVALID_ARGUMENT;
}

void wzp_codec2_enc_free(wzp_codec2_enc **enc) {
    *enc = NULL;
}

wzp_err wzp_codec2_enc_frame(wzp_codec2_enc *enc, const int16_t *pcm, size_t samples,
                             uint8_t out[WZP_CODEC2_PACKET_MAX], size_t *len) {
    (void)enc;
    (void)pcm;
    (void)samples;
    (void)out;
    (void)len;
    return WZP_ERR_INVALID_ARGUMENT;
}

wzp_err wzp_codec2_dec_new(wzp_codec2_dec **out, uint8_t codec) {
    (void)out;
    (void)codec;
    return WZP_ERR_INVALID_ARGUMENT;
}

void wzp_codec2_dec_free(wzp_codec2_dec **dec) {
    *dec = NULL;
}

wzp_err wzp_codec2_dec_frame(wzp_codec2_dec *dec, wzp_bytes packet, int16_t *pcm, size_t cap,
                             size_t *samples) {
    (void)dec;
    (void)packet;
    (void)pcm;
    (void)cap;
    (void)samples;
    return WZP_ERR_INVALID_ARGUMENT;
}

void wzp_codec2_dec_fade(wzp_codec2_dec *dec, int16_t *pcm, size_t samples) {
    (void)dec;
    memset(pcm, 0, samples * sizeof *pcm);
}

#endif
