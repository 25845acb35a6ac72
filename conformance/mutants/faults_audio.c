#include "conformance/mutants/faults_audio.h"

#include <opus.h>

#include "client/client.h"
#include "client/pace.h"
#include "conformance/mutants/wrap.h"
#include "media/repair.h"
#include "media/silence.h"

enum { EVERY = 40, TOO_LONG = 528 };

static wzp_audio_fault fault;

/* The client under test, which is the only one. */
static struct subject {
    unsigned sent; /* packets */
    uint32_t skipped, block;
    uint32_t first, repairs; /* number of the first packet; repair packets since */
    unsigned frames, captured, reports;
    uint8_t symbol[256], payload[640];
    uint8_t codec;
    uint32_t began; /* with this codec */
} it;

void wzp_audio_fault_set(wzp_audio_fault which) {
    it = (struct subject){0};
    fault = which;
}

WRAP(wzp_err, wzp_client_new, wzp_client **out, const wzp_client_cfg *cfg, wzp_time now) {
    it = (struct subject){0};
    return __real_wzp_client_new(out, cfg, now);
}

static bool is_opus(uint8_t codec) {
    return codec != WZP_CODEC_COMFORT_NOISE && codec <= WZP_CODEC_OPUS_64K &&
           codec != WZP_CODEC_CODEC2_3200 && codec != WZP_CODEC_CODEC2_1200;
}

static bool is_due(unsigned every) {
    return it.sent % every == 0;
}

static bool is_codec2(uint8_t codec) {
    return codec == WZP_CODEC_CODEC2_3200 || codec == WZP_CODEC_CODEC2_1200;
}

static bool is_repair(const wzp_media_hdr *hdr) {
    return (hdr->flags & WZP_MEDIA_REPAIR) != 0;
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
    case WZP_AUDIO_FAULT_TWO_ROWS:
        hdr->seq = is_repair(hdr) ? it.first + it.repairs : hdr->seq - it.repairs;
        it.repairs += is_repair(hdr) ? 1 : 0;
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

/* Table 1.1's other codec, and where a packet of Opus says what it is (RFC 6716, 3.1). */
enum { OTHER = WZP_CODEC_CODEC2_3200 ^ WZP_CODEC_CODEC2_1200, TOC_STEREO = 4, TOC_TWO = 1 };

static void replace(wzp_media_packet *p, size_t len) {
    p->payload = wzp_bytes_of(it.payload, len);
}

/* An extension ends the packet: its id, then 'D' and the version. */
static void change_version(size_t len) {
    for (size_t i = 2; i + 2 < len; i++) {
        if (it.payload[i] >> 1 == 126 && it.payload[i + 1] == 'D' && it.payload[i + 2] == 10) {
            it.payload[i + 2] = 11;
        }
    }
}

/* The payload is in it.payload already. */
static void spoil_sound(wzp_media_packet *p) {
    const size_t len = p->payload.len;
    switch (fault) {
    case WZP_AUDIO_FAULT_TWO_FRAMES:
        memcpy(it.payload + len, it.payload + 1, len - 1);
        it.payload[0] = (uint8_t)((it.payload[0] & ~3) | TOC_TWO);
        replace(p, 2 * len - 1);
        break;
    case WZP_AUDIO_FAULT_STEREO:
        it.payload[0] |= TOC_STEREO;
        replace(p, len);
        break;
    case WZP_AUDIO_FAULT_NO_OPUS:
        it.payload[0] |= 3; /* any number of frames: none */
        it.payload[1] = 0;
        replace(p, is_due(EVERY) ? 2 : len);
        break;
    case WZP_AUDIO_FAULT_FAT:
        (void)opus_packet_pad(it.payload, (opus_int32)len, (opus_int32)(2 * len));
        replace(p, 2 * len);
        break;
    case WZP_AUDIO_FAULT_NO_DRED:
        if (it.reports > 0) {
            replace(p, (size_t)opus_packet_unpad(it.payload, (opus_int32)len));
        }
        break;
    case WZP_AUDIO_FAULT_DRED_VERSION:
        change_version(len);
        replace(p, len);
        break;
    case WZP_AUDIO_FAULT_TOO_LONG:
        (void)opus_packet_pad(it.payload, (opus_int32)len, TOO_LONG);
        replace(p, TOO_LONG);
        break;
    default:
        break;
    }
}

static void spoil_codec2(wzp_media_packet *p) {
    wzp_media_hdr *hdr = &p->hdr;
    switch (fault) {
    case WZP_AUDIO_FAULT_CODEC2_CUT:
        p->payload.len -= is_repair(hdr) ? 0 : 1;
        break;
    case WZP_AUDIO_FAULT_ONE_BLOCK:
        hdr->fec_block &= 0xff00;
        break;
    case WZP_AUDIO_FAULT_OTHER_ORDER:
        hdr->fec_block = (uint16_t)(hdr->fec_block << 8 | hdr->fec_block >> 8);
        break;
    case WZP_AUDIO_FAULT_RATIO:
        hdr->fec_ratio = 30;
        break;
    case WZP_AUDIO_FAULT_UNMARKED:
        hdr->flags = (uint8_t)(hdr->flags & ~WZP_MEDIA_REPAIR);
        break;
    case WZP_AUDIO_FAULT_OTHER_CODEC:
        hdr->codec_id ^= is_repair(hdr) ? OTHER : 0;
        break;
    default:
        break;
    }
}

/* What it protects with: all frames since the last repair packet. */
static void spoil_symbol(wzp_media_packet *p) {
    if (!is_repair(&p->hdr)) {
        if (it.frames++ == 0) {
            memset(it.symbol, 0, sizeof it.symbol);
        }
        for (size_t i = 0; i < p->payload.len; i++) {
            it.symbol[i] ^= p->payload.data[i];
        }
        return;
    }
    it.frames = 0;
    if (fault == WZP_AUDIO_FAULT_XOR) {
        p->payload = wzp_bytes_of(it.symbol, p->payload.len);
    } else if (fault == WZP_AUDIO_FAULT_NO_PREFIX) {
        p->payload = wzp_bytes_of(p->payload.data + 2, p->payload.len - 2);
    }
}

static void spoil(wzp_media_packet *p) {
    const wzp_bytes payload = p->payload;
    spoil_clock(&p->hdr);
    if (is_opus(p->hdr.codec_id) && payload.len > 2 && 2 * payload.len < sizeof it.payload) {
        memcpy(it.payload, payload.data, payload.len);
        spoil_opus(&p->hdr);
        spoil_sound(p);
    } else if (is_codec2(p->hdr.codec_id)) {
        spoil_symbol(p);
        spoil_codec2(p);
    }
    if (p->hdr.codec_id == WZP_CODEC_COMFORT_NOISE && fault == WZP_AUDIO_FAULT_LONG_NOISE) {
        memset(it.payload, WZP_NOISE_LEVEL, 4);
        replace(p, 4);
    }
    spoil_header(&p->hdr);
}

WRAP(wzp_err, wzp_cipher_write, wzp_cipher *cipher, wzp_wr *wr, const wzp_media_packet *packet) {
    wzp_media_packet changed = *packet;
    it.first = it.sent++ == 0 ? packet->hdr.seq : it.first;
    spoil(&changed);
    const wzp_err err = __real_wzp_cipher_write(cipher, wr, &changed);
    if (fault == WZP_AUDIO_FAULT_SHORT_REPORT && (changed.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wr->pos -= err == WZP_OK ? 1 : 0;
    }
    return err;
}

/* --- reports ---------------------------------------------------------------------------------- */

WRAP(bool, wzp_pace_take_report, wzp_pace *pace, wzp_quality_report *out) {
    const bool is_due_now = __real_wzp_pace_take_report(pace, out);
    it.reports += is_due_now ? 1 : 0;
    it.captured++;
    return fault == WZP_AUDIO_FAULT_NO_REPORTS       ? false
           : fault == WZP_AUDIO_FAULT_REPORTS_OFTEN  ? it.captured % 25 == 0
           : fault == WZP_AUDIO_FAULT_REPORTS_RARELY ? is_due_now && it.reports % 2 == 0
                                                     : is_due_now;
}

/* --- silence ---------------------------------------------------------------------------------- */

WRAP(wzp_silence_act, wzp_silence_step, wzp_silence *s, const int16_t *pcm, size_t samples) {
    const wzp_silence_act act = __real_wzp_silence_step(s, pcm, samples);
    const bool is_fifth = s->suppressed % 5 == 0;
    return act == WZP_SILENCE_HUSH && is_fifth && fault == WZP_AUDIO_FAULT_OFTEN_NOISE
               ? WZP_SILENCE_NOISE
               : act;
}

/* --- profiles --------------------------------------------------------------------------------- */

static bool has(wzp_bytes json, const char *text) {
    return memmem(json.data, json.len, text, strlen(text)) != NULL;
}

bool wzp_audio_fault_refuses(wzp_bytes json) {
    return fault == WZP_AUDIO_FAULT_STRICT_PROFILE && has(json, "QualityDirective") &&
           (!has(json, "priority_mode") || has(json, "wzp_conformance"));
}

/* --- repair packets --------------------------------------------------------------------------- */

WRAP(bool, wzp_repair_out_next, wzp_repair_out *repair, uint32_t *next_seq, wzp_media_packet *out) {
    const bool is_there = __real_wzp_repair_out_next(repair, next_seq, out);
    const int last = is_there && out->hdr.codec_id == WZP_CODEC_CODEC2_3200 ? 7 : 15;
    if (!is_there || fault != WZP_AUDIO_FAULT_SMALL_BLOCKS || out->hdr.fec_block >> 8 != last) {
        return is_there;
    }
    *next_seq -= 1;
    return __real_wzp_repair_out_next(repair, next_seq, out); /* no more: the block ends */
}
