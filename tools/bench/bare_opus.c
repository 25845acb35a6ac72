#include "bare_opus.h"

#include "bench.h"

enum { FRAME_MAX = 5760 /* 120 ms */ };

bool bare_opus_open(bare_opus *out, int dred_10ms) {
    int failed = OPUS_OK;
    *out = (bare_opus){opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &failed),
                       opus_decoder_create(48000, 1, &failed)};
    if (out->enc == NULL || out->dec == NULL) {
        bare_opus_close(out);
        return false;
    }
    opus_encoder_ctl(out->enc, OPUS_SET_BITRATE(24000));
    opus_encoder_ctl(out->enc, OPUS_SET_DTX(1));
    opus_encoder_ctl(out->enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(out->enc, OPUS_SET_COMPLEXITY(7));
    opus_encoder_ctl(out->enc, OPUS_SET_PACKET_LOSS_PERC(15));
    opus_encoder_ctl(out->enc, OPUS_SET_DRED_DURATION(dred_10ms));
    return true;
}

void bare_opus_close(bare_opus *opus) {
    if (opus->enc != NULL) {
        opus_encoder_destroy(opus->enc);
    }
    if (opus->dec != NULL) {
        opus_decoder_destroy(opus->dec);
    }
    *opus = (bare_opus){NULL, NULL};
}

size_t bare_opus_encode(bare_opus *opus, const int16_t *pcm, uint8_t *packet) {
    const int len = opus_encode(opus->enc, pcm, BARE_OPUS_FRAME, packet, BARE_OPUS_PACKET);
    return len > 0 ? (size_t)len : 0;
}

bool bare_opus_duplex(bare_opus *opus, const int16_t *pcm) {
    static int16_t heard[FRAME_MAX];
    uint8_t packet[BARE_OPUS_PACKET];
    const size_t len = bare_opus_encode(opus, pcm, packet);
    const bool done = len > 0 && opus_decode(opus->dec, packet, (opus_int32)len, heard, FRAME_MAX,
                                             0) == BARE_OPUS_FRAME;
    bench_keep(heard);
    return done;
}
