#include "media/opus.h"

#include <assert.h>
#include <opus/opus.h>
#include <stdlib.h>

enum { COMPLEXITY = 7, EXPECTED_LOSS_PERCENT = 15 };

/* DRED duration in units of 10 ms at (re)configuration, media sheet 2.2. */
static const struct {
    uint8_t codec;
    uint8_t dred_10ms;
} settings[] = {
    {WZP_CODEC_OPUS_6K, 104}, {WZP_CODEC_OPUS_16K, 20}, {WZP_CODEC_OPUS_24K, 20},
    {WZP_CODEC_OPUS_32K, 10}, {WZP_CODEC_OPUS_48K, 10}, {WZP_CODEC_OPUS_64K, 10},
};

struct wzp_opus_enc {
    OpusEncoder *opus;
    size_t frame_samples;
};

struct wzp_opus_dec {
    OpusDecoder *opus;
};

size_t wzp_opus_frame_samples(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    return info != NULL && info->is_opus ? (size_t)info->frame_ms * (WZP_OPUS_RATE_HZ / 1000) : 0;
}

static int dred_10ms(uint8_t codec) {
    for (size_t i = 0; i < WZP_COUNT_OF(settings); i++) {
        if (settings[i].codec == codec) {
            return settings[i].dred_10ms;
        }
    }
    return 0;
}

wzp_err wzp_opus_enc_set_codec(wzp_opus_enc *enc, uint8_t codec) {
    const size_t samples = wzp_opus_frame_samples(codec);
    if (samples == 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_codec_info *info = wzp_codec_find(codec);
    opus_encoder_ctl(enc->opus, OPUS_SET_BITRATE((opus_int32)info->nominal_bps));
    opus_encoder_ctl(enc->opus, OPUS_SET_PACKET_LOSS_PERC(EXPECTED_LOSS_PERCENT));
#ifdef OPUS_SET_DRED_DURATION
    /* A libopus without DRED refuses this, which is fine: DRED is optional for both sides. */
    opus_encoder_ctl(enc->opus, OPUS_SET_DRED_DURATION(dred_10ms(codec)));
#else
    (void)dred_10ms;
#endif
    enc->frame_samples = samples;
    return WZP_OK;
}

wzp_err wzp_opus_enc_new(wzp_opus_enc **out, uint8_t codec) {
    if (wzp_opus_frame_samples(codec) == 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_opus_enc *enc = calloc(1, sizeof *enc);
    int failed = OPUS_OK;
    if (enc == NULL) {
        return WZP_ERR_NOMEM;
    }
    enc->opus = opus_encoder_create(WZP_OPUS_RATE_HZ, 1, OPUS_APPLICATION_VOIP, &failed);
    if (failed != OPUS_OK) {
        free(enc);
        return WZP_ERR_NOMEM;
    }
    opus_encoder_ctl(enc->opus, OPUS_SET_DTX(1));
    opus_encoder_ctl(enc->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(enc->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(enc->opus, OPUS_SET_INBAND_FEC(0));
    const wzp_err err = wzp_opus_enc_set_codec(enc, codec);
    assert(err == WZP_OK); /* the codec was checked above */
    *out = enc;
    return err;
}

void wzp_opus_enc_free(wzp_opus_enc **enc) {
    if (*enc != NULL) {
        opus_encoder_destroy((*enc)->opus);
        free(*enc);
        *enc = NULL;
    }
}

wzp_err wzp_opus_enc_frame(wzp_opus_enc *enc, const int16_t *pcm, size_t samples, uint8_t *out,
                           size_t *len) {
    if (samples != enc->frame_samples) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const opus_int32 n = opus_encode(enc->opus, pcm, (int)samples, out, WZP_OPUS_PACKET_MAX);
    if (n < 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    *len = (size_t)n;
    return WZP_OK;
}

wzp_err wzp_opus_dec_new(wzp_opus_dec **out) {
    wzp_opus_dec *dec = calloc(1, sizeof *dec);
    int failed = OPUS_OK;
    if (dec == NULL) {
        return WZP_ERR_NOMEM;
    }
    dec->opus = opus_decoder_create(WZP_OPUS_RATE_HZ, 1, &failed);
    if (failed != OPUS_OK) {
        free(dec);
        return WZP_ERR_NOMEM;
    }
    *out = dec;
    return WZP_OK;
}

void wzp_opus_dec_free(wzp_opus_dec **dec) {
    if (*dec != NULL) {
        opus_decoder_destroy((*dec)->opus);
        free(*dec);
        *dec = NULL;
    }
}

wzp_err wzp_opus_dec_frame(wzp_opus_dec *dec, wzp_bytes packet, int16_t *pcm, size_t cap,
                           size_t *samples) {
    /* libopus reads a NULL or empty packet as "conceal": an empty payload is not a frame. */
    if (packet.len == 0 || packet.len > INT32_MAX) {
        return WZP_ERR_PARSE;
    }
    const int n = opus_decode(dec->opus, packet.data, (opus_int32)packet.len, pcm,
                              cap < WZP_OPUS_FRAME_MAX ? (int)cap : WZP_OPUS_FRAME_MAX, 0);
    if (n < 0) {
        return WZP_ERR_PARSE;
    }
    *samples = (size_t)n;
    return WZP_OK;
}

void wzp_opus_dec_conceal(wzp_opus_dec *dec, int16_t *pcm, size_t samples) {
    if (samples > WZP_OPUS_FRAME_MAX || opus_decode(dec->opus, NULL, 0, pcm, (int)samples, 0) < 0) {
        memset(pcm, 0, samples * sizeof *pcm);
    }
}
