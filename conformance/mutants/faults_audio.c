#include "conformance/mutants/faults_audio.h"

#include "client/cipher.h"
#include "conformance/mutants/wrap.h"

enum { EVERY = 40 };

static wzp_audio_fault fault;

/* The client under test, which is the only one. */
static struct subject {
    unsigned sent; /* packets */
    uint32_t skipped, block;
    uint8_t codec;
    uint32_t began; /* with this codec */
} it;

void wzp_audio_fault_set(wzp_audio_fault which) {
    it = (struct subject){0};
    fault = which;
}

static bool is_opus(uint8_t codec) {
    return codec != WZP_CODEC_COMFORT_NOISE && codec <= WZP_CODEC_OPUS_64K &&
           codec != WZP_CODEC_CODEC2_3200 && codec != WZP_CODEC_CODEC2_1200;
}

static bool is_due(unsigned every) {
    return it.sent % every == 0;
}

static void spoil_clock(wzp_media_hdr *hdr) {
    if (it.sent == 1 || it.codec != hdr->codec_id) {
        it.codec = hdr->codec_id;
        it.began = hdr->timestamp_ms;
    }
    switch (fault) {
    case WZP_AUDIO_FAULT_UNEVEN_CLOCK:
        hdr->timestamp_ms += is_due(EVERY) ? 1 : 0;
        break;
    case WZP_AUDIO_FAULT_SAMPLES:
        hdr->timestamp_ms *= 48;
        break;
    case WZP_AUDIO_FAULT_CLOCK_BACK:
        hdr->timestamp_ms -= is_due(2 * EVERY) ? 1000 : 0;
        break;
    case WZP_AUDIO_FAULT_CLOCK_BY_CODEC:
        hdr->timestamp_ms -= it.began;
        break;
    default:
        break;
    }
}

static void spoil_header(wzp_media_hdr *hdr) {
    switch (fault) {
    case WZP_AUDIO_FAULT_VIDEO_ID:
        hdr->codec_id = is_due(EVERY) ? WZP_CODEC_AV1_MAIN : hdr->codec_id;
        break;
    case WZP_AUDIO_FAULT_NO_ID:
        hdr->codec_id = is_due(EVERY) ? 13 : hdr->codec_id;
        break;
    case WZP_AUDIO_FAULT_SKIPS:
        it.skipped += is_due(EVERY) ? 1 : 0;
        hdr->seq += it.skipped;
        break;
    case WZP_AUDIO_FAULT_REPEATS:
        hdr->seq -= is_due(EVERY) ? 1 : 0;
        break;
    default:
        break;
    }
}

static void spoil_opus(wzp_media_hdr *hdr) {
    switch (fault) {
    case WZP_AUDIO_FAULT_OPUS_RATIO:
        hdr->fec_ratio = 20;
        break;
    case WZP_AUDIO_FAULT_OPUS_BLOCK:
        hdr->fec_block = (uint16_t)(it.block / 5 | it.block % 5 << 8);
        it.block++;
        break;
    case WZP_AUDIO_FAULT_OPUS_REPAIR:
        hdr->flags |= is_due(10) ? WZP_MEDIA_REPAIR : 0;
        break;
    default:
        break;
    }
}

WRAP(wzp_err, wzp_cipher_write, wzp_cipher *cipher, wzp_wr *wr, const wzp_media_packet *packet) {
    wzp_media_packet changed = *packet;
    it.sent++;
    spoil_clock(&changed.hdr);
    if (is_opus(changed.hdr.codec_id)) {
        spoil_opus(&changed.hdr);
    }
    spoil_header(&changed.hdr);
    return __real_wzp_cipher_write(cipher, wr, &changed);
}
