#include <assert.h>
#include <opus.h>
#include <stdlib.h>

#include "media/opus.h"

enum { COMPLEXITY = 7, COMPLEXITY_MAX = 10 };

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
    bool legacy_fec;
};

size_t wzp_opus_frame_samples(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    return info != NULL && info->is_opus ? (size_t)info->frame_ms * (WZP_OPUS_RATE_HZ / 1000) : 0;
}

uint8_t wzp_opus_dred_10ms(uint8_t codec) {
    for (size_t i = 0; i < WZP_COUNT_OF(settings); i++) {
        if (settings[i].codec == codec) {
            return settings[i].dred_10ms;
        }
    }
    return 0;
}

/* `word` is in lower case. */
static bool is_word(const char *value, const char *word) {
    size_t n = 0;
    for (; word[n] != '\0'; n++) {
        const char c = value[n];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[n]) {
            return false;
        }
    }
    return value[n] == '\0';
}

bool wzp_opus_legacy_fec_asked(const char *value) {
    return value != NULL && !is_word(value, "") && !is_word(value, "0") && !is_word(value, "false");
}

/* --- settings --------------------------------------------------------------------------------- */

/* A libopus without DRED refuses this, which is fine: DRED is optional for both sides. */
static void set_dred(wzp_opus_enc *enc, unsigned dred_10ms) {
#ifdef OPUS_SET_DRED_DURATION
    opus_encoder_ctl(enc->opus, OPUS_SET_DRED_DURATION((opus_int32)dred_10ms));
#else
    (void)enc;
    (void)dred_10ms;
#endif
}

void wzp_opus_enc_tune(wzp_opus_enc *enc, unsigned dred_10ms, unsigned loss_percent) {
    const unsigned least = enc->legacy_fec ? 0 : WZP_OPUS_LOSS_FLOOR;
    const unsigned loss = loss_percent < least ? least : loss_percent < 100 ? loss_percent : 100;
    opus_encoder_ctl(enc->opus, OPUS_SET_PACKET_LOSS_PERC((opus_int32)loss));
    if (!enc->legacy_fec) {
        set_dred(enc, dred_10ms < WZP_OPUS_DRED_MAX ? dred_10ms : WZP_OPUS_DRED_MAX);
    }
}

wzp_err wzp_opus_enc_set_codec(wzp_opus_enc *enc, uint8_t codec) {
    const size_t samples = wzp_opus_frame_samples(codec);
    if (samples == 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_codec_info *info = wzp_codec_find(codec);
    opus_encoder_ctl(enc->opus, OPUS_SET_BITRATE((opus_int32)info->nominal_bps));
    if (!enc->legacy_fec) {
        wzp_opus_enc_tune(enc, wzp_opus_dred_10ms(codec), WZP_OPUS_LOSS_FLOOR);
    }
    enc->frame_samples = samples;
    return WZP_OK;
}

void wzp_opus_enc_set_complexity(wzp_opus_enc *enc, unsigned complexity) {
    const unsigned value = complexity < COMPLEXITY_MAX ? complexity : COMPLEXITY_MAX;
    opus_encoder_ctl(enc->opus, OPUS_SET_COMPLEXITY((opus_int32)value));
}

void wzp_opus_enc_reset(wzp_opus_enc *enc) {
    opus_encoder_ctl(enc->opus, OPUS_RESET_STATE);
}

static opus_int32 dred_of(OpusEncoder *opus) {
    opus_int32 dred = 0;
#ifdef OPUS_GET_DRED_DURATION
    if (opus_encoder_ctl(opus, OPUS_GET_DRED_DURATION(&dred)) != OPUS_OK) {
        dred = 0;
    }
#else
    (void)opus;
#endif
    return dred;
}

void wzp_opus_enc_read(const wzp_opus_enc *enc, wzp_opus_settings *out) {
    opus_int32 application = 0;
    opus_int32 signal = 0;
    opus_int32 dtx = 0;
    opus_int32 vbr = 0;
    opus_int32 constrained = 0;
    opus_int32 complexity = 0;
    opus_int32 fec = 0;
    opus_int32 loss = 0;
    *out = (wzp_opus_settings){.frame_samples = (uint16_t)enc->frame_samples};
    opus_encoder_ctl(enc->opus, OPUS_GET_APPLICATION(&application));
    opus_encoder_ctl(enc->opus, OPUS_GET_SIGNAL(&signal));
    opus_encoder_ctl(enc->opus, OPUS_GET_DTX(&dtx));
    opus_encoder_ctl(enc->opus, OPUS_GET_VBR(&vbr));
    opus_encoder_ctl(enc->opus, OPUS_GET_VBR_CONSTRAINT(&constrained));
    opus_encoder_ctl(enc->opus, OPUS_GET_COMPLEXITY(&complexity));
    opus_encoder_ctl(enc->opus, OPUS_GET_INBAND_FEC(&fec));
    opus_encoder_ctl(enc->opus, OPUS_GET_PACKET_LOSS_PERC(&loss));
    opus_encoder_ctl(enc->opus, OPUS_GET_BITRATE(&out->bitrate_bps));
    opus_encoder_ctl(enc->opus, OPUS_GET_SAMPLE_RATE(&out->sample_rate_hz));
    /* What OPUS_GET_BANDWIDTH tells is what the last frame used; the limit is the setting. */
    opus_int32 widest = 0;
    opus_encoder_ctl(enc->opus, OPUS_GET_MAX_BANDWIDTH(&widest));
    out->is_voip = application == OPUS_APPLICATION_VOIP;
    out->is_voice = signal == OPUS_SIGNAL_VOICE;
    out->dtx = dtx != 0;
    out->vbr = vbr != 0;
    out->vbr_constrained = constrained != 0;
    out->auto_bandwidth = widest == OPUS_BANDWIDTH_FULLBAND;
    out->complexity = (uint8_t)complexity;
    out->inband_fec = (uint8_t)fec;
    out->loss_percent = (uint8_t)loss;
    out->dred_10ms = (uint8_t)dred_of(enc->opus);
}

/* --- life ------------------------------------------------------------------------------------- */

static wzp_err create(wzp_opus_enc **out, uint8_t codec, bool legacy_fec) {
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
    enc->legacy_fec = legacy_fec;
    opus_encoder_ctl(enc->opus, OPUS_SET_DTX(1));
    opus_encoder_ctl(enc->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(enc->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(enc->opus, OPUS_SET_INBAND_FEC(legacy_fec ? 1 : 0));
    const wzp_err err = wzp_opus_enc_set_codec(enc, codec);
    assert(err == WZP_OK); /* the codec was checked above */
    *out = enc;
    return err;
}

wzp_err wzp_opus_enc_new(wzp_opus_enc **out, uint8_t codec) {
    return create(out, codec, false);
}

wzp_err wzp_opus_enc_new_legacy_fec(wzp_opus_enc **out, uint8_t codec) {
    return create(out, codec, true);
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

/* --- what libopus makes of it ----------------------------------------------------------------- */

static double clamp(double x, double least, double most) {
    return x < least ? least : x > most ? most : x;
}

static int bit_length(uint32_t x) {
    int n = 0;
    for (; x != 0; x >>= 1) {
        n++;
    }
    return n;
}

/* Media sheet 2.3: the share of the bitrate above 12 kbit/s that goes to DRED, as bits a packet. */
static double dred_budget(uint32_t bps, size_t samples, unsigned loss_percent) {
    const double raw =
        loss_percent > 5 ? clamp(0.55 + loss_percent / 100.0, 0, 0.8) : 0.12 * loss_percent;
    const double share = raw / (raw + (1 - raw) * (double)samples * 50 / WZP_OPUS_RATE_HZ);
    return bps > 12000 ? share * (bps - 12000) * (double)samples / WZP_OPUS_RATE_HZ : 0;
}

unsigned wzp_opus_dred_chunks(uint32_t bps, size_t samples, unsigned loss_percent,
                              unsigned dred_10ms) {
    enum { CHUNKS_MAX = 26, LOADS = 16, SIDE_BITS = 40 + 50 };
    static const double bits[LOADS] = {73.2, 68.1, 62.5, 57.0, 51.5, 45.7, 39.9, 32.4,
                                       26.4, 20.4, 16.3, 13,   9.3,  8.2,  7.2,  6.4};
    const double budget = dred_budget(bps, samples, loss_percent);
    const uint32_t over = bps > 12001 ? bps - 12000 : 1;
    const unsigned q0 = (unsigned)clamp(51 - 3 * bit_length(over), 4, LOADS - 1);
    const unsigned step = over > 36000 ? 4 : 8;
    const unsigned most = (dred_10ms + 5) / 4 < CHUNKS_MAX ? (dred_10ms + 5) / 4 : CHUNKS_MAX;
    double cost = SIDE_BITS + bits[q0];
    unsigned count = 0;
    while (dred_10ms > 0 && count < most) {
        const unsigned q = q0 + (step * count + 8) / 16;
        cost += bits[q < LOADS ? q : LOADS - 1];
        if (cost >= budget) {
            break;
        }
        count++;
    }
    return count;
}
