/* Opus packets from the network, with whatever DRED is in them: they arrive, fill gaps and are
 * played, and no input makes sound of another length than asked for.
 *
 *     arrivals: length (1), bytes ...; an arrival of 0 bytes is a gap */
#include "media/opus.h"
#include "require.h"

enum { FRAME = 960 };

static wzp_opus_dec *dec;
static int16_t pcm[WZP_OPUS_FRAME_MAX + 1];

static void play(wzp_bytes packet, uint32_t now_ms) {
    size_t samples = 0;
    pcm[WZP_OPUS_FRAME_MAX] = 77;
    wzp_opus_dec_arrive(dec, now_ms, packet);
    (void)wzp_opus_dec_recover(dec, now_ms - 20, pcm, FRAME);
    if (wzp_opus_dec_frame(dec, packet, pcm, WZP_OPUS_FRAME_MAX, &samples) == WZP_OK) {
        require(samples > 0 && samples <= WZP_OPUS_FRAME_MAX);
    }
    require(wzp_opus_dec_dred_reach(dec, packet) <= WZP_OPUS_RATE_HZ + WZP_OPUS_MAX_FRAME_SAMPLES);
    require(pcm[WZP_OPUS_FRAME_MAX] == 77);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t now_ms = 0;
    require(wzp_opus_dec_new(&dec) == WZP_OK);
    for (size_t at = 0; at < size; now_ms += 40) {
        const size_t want = data[at++];
        const size_t len = want < size - at ? want : size - at;
        play(wzp_bytes_of(data + at, len), now_ms);
        at += len;
    }
    wzp_opus_dec_free(&dec);
    return 0;
}
