#include "conformance/embedded/phrase.h"

#include "media/audio.h"
#include "media/testing/voice.h"

enum { FRAMES = 100, CODECS = WZP_CODEC_OPUS_64K + 1 };

typedef struct phrase {
    size_t count, lens[FRAMES];
    uint8_t frames[FRAMES][WZP_AUDIO_PACKET_MAX];
} phrase;

/* Any bytes are a frame of Codec2, so that a build without it has a phrase as well. */
static void make_codec2(phrase *p, size_t len) {
    for (p->count = 0; p->count < FRAMES; p->count++) {
        for (size_t i = 0; i < len; i++) {
            p->frames[p->count][i] = (uint8_t)(p->count * 37 + i * 101 + 1);
        }
        p->lens[p->count] = len;
    }
}

static void make_opus(phrase *p, uint8_t codec) {
    static int16_t pcm[FRAMES * WZP_AUDIO_SENT_MAX];
    wzp_audio_enc *enc = NULL;
    if (wzp_audio_enc_new(&enc, &(wzp_audio_enc_cfg){.codec = codec}) != WZP_OK) {
        return;
    }
    const size_t samples = wzp_audio_enc_samples(enc);
    wzp_voice_speak(pcm, FRAMES * samples);
    while (p->count < FRAMES &&
           wzp_audio_enc_frame(enc, pcm + p->count * samples, samples, p->frames[p->count],
                               &p->lens[p->count]) == WZP_OK) {
        p->count++;
    }
    wzp_audio_enc_free(&enc);
}

wzp_bytes wzp_ct_phrase(uint8_t codec, uint32_t i) {
    static phrase phrases[CODECS];
    phrase *p = codec < CODECS ? &phrases[codec] : NULL;
    if (p != NULL && p->count == 0) {
        if (codec == WZP_CODEC_CODEC2_3200 || codec == WZP_CODEC_CODEC2_1200) {
            make_codec2(p, codec == WZP_CODEC_CODEC2_3200 ? 8 : 6);
        } else {
            make_opus(p, codec);
        }
    }
    return p != NULL && p->count > 0 ? wzp_bytes_of(p->frames[i % p->count], p->lens[i % p->count])
                                     : wzp_bytes_of(NULL, 0);
}
