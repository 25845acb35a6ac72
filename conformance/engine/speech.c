#include "conformance/engine/speech.h"

#include "base/rng.h"
#include "wire/media.h"

wzp_bytes wzp_ct_speech_bytes(const wzp_ct_speech *s, uint64_t seed,
                              uint8_t out[WZP_CT_SPEECH_BYTES]) {
    static const uint8_t report[] = {0, 5, 0, 200};
    const bool q = s->index % 50 == 49;
    const wzp_media_hdr hdr = {.version = 2,
                               .flags = q ? WZP_MEDIA_QUALITY : 0,
                               .codec_id = WZP_CODEC_OPUS_24K,
                               .seq = s->seq + (uint32_t)s->index,
                               .timestamp_ms = s->ts + 20 * (uint32_t)s->index};
    wzp_prng prng;
    wzp_wr wr;
    wzp_wr_init(&wr, out, WZP_CT_SPEECH_BYTES);
    wzp_media_hdr_write(&wr, &hdr);
    wzp_prng_init(&prng, seed + hdr.seq, "speech");
    wzp_rng_fill(wzp_prng_rng(&prng), out + WZP_MEDIA_HDR_LEN, 76);
    if (q) {
        memcpy(out + WZP_MEDIA_HDR_LEN + 76, report, sizeof report);
    }
    return wzp_bytes_of(out, q ? 96 : 92);
}
