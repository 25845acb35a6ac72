/* One stream of packets of any codec, short and long, present and missing: sound goes on, and no
 * packet makes more of it than fits.
 *
 *     codec (1), length (1), payload ...; a length of 255 is a frame that is missing */
#include "media/audio.h"
#include "require.h"

enum { MISSING = 255, FRAME = 960 };

static int16_t pcm[WZP_AUDIO_FRAME_MAX + 1];

static void play(wzp_audio_dec *dec, uint8_t codec, wzp_bytes payload, uint32_t now_ms) {
    size_t samples = 0;
    wzp_audio_dec_arrive(dec, codec, now_ms, payload);
    if (wzp_audio_dec_play(dec, codec, payload, pcm, WZP_AUDIO_FRAME_MAX, &samples) == WZP_OK) {
        require(samples > 0 && samples <= WZP_AUDIO_FRAME_MAX);
    } else {
        wzp_audio_dec_fill(dec, WZP_AUDIO_LOST, now_ms, pcm, FRAME);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const wzp_audio_dec_cfg cfg = {.noise_seed = 1};
    wzp_audio_dec *dec = NULL;
    uint32_t now_ms = 0;
    require(wzp_audio_dec_new(&dec, &cfg) == WZP_OK);
    pcm[WZP_AUDIO_FRAME_MAX] = 77;
    for (size_t at = 0; at + 2 <= size; now_ms += 20) {
        const uint8_t codec = data[at];
        const size_t want = data[at + 1];
        at += 2;
        if (want == MISSING) {
            wzp_audio_dec_fill(dec, (wzp_audio_fill)(codec % 3), now_ms, pcm, FRAME);
            continue;
        }
        const size_t len = want < size - at ? want : size - at;
        play(dec, codec, wzp_bytes_of(data + at, len), now_ms);
        at += len;
    }
    require(pcm[WZP_AUDIO_FRAME_MAX] == 77);
    wzp_audio_dec_free(&dec);
    return 0;
}
