#include "conformance/engine/pattern.h"

#include <stdlib.h>
#include <string.h>

void wzp_ct_pattern_init(wzp_ct_pattern *pattern, uint64_t seed, uint32_t seq, uint32_t ts) {
    *pattern = (wzp_ct_pattern){.seq = seq, .ts = ts};
    wzp_prng_init(&pattern->prng, seed, "pattern");
}

void wzp_ct_pattern_free(wzp_ct_pattern *pattern) {
    free(pattern->packets);
    pattern->packets = NULL;
    pattern->count = pattern->cap = 0;
}

static wzp_ct_packet *append(wzp_ct_pattern *p, const wzp_ct_packet *packet) {
    static wzp_ct_packet nowhere;
    if (p->count == p->cap) {
        const size_t cap = p->cap == 0 ? 1024 : 2 * p->cap;
        wzp_ct_packet *packets = realloc(p->packets, cap * sizeof *packets);
        if (packets == NULL) {
            p->out_of_memory = true;
            return &nowhere;
        }
        p->packets = packets;
        p->cap = cap;
    }
    p->packets[p->count] = *packet;
    p->packets[p->count].order = (uint32_t)p->count;
    if (packet->due > p->end) {
        p->end = packet->due;
    }
    return &p->packets[p->count++];
}

wzp_ct_packet *wzp_ct_add(wzp_ct_pattern *p, wzp_time due, uint8_t media_type, uint8_t codec,
                          uint8_t flags, uint16_t payload) {
    const wzp_ct_packet packet = {.due = due,
                                  .hdr = {.version = WZP_PROTOCOL_VERSION,
                                          .flags = flags,
                                          .media_type = media_type,
                                          .codec_id = codec,
                                          .seq = p->seq,
                                          .timestamp_ms = p->ts},
                                  .payload = payload};
    return append(p, &packet);
}

static int by_time(const void *a, const void *b) {
    const wzp_ct_packet *x = a;
    const wzp_ct_packet *y = b;
    const int time = (x->due > y->due) - (x->due < y->due);
    return time != 0 ? time : (x->order > y->order) - (x->order < y->order);
}

void wzp_ct_pattern_sort(wzp_ct_pattern *p) {
    if (p->count > 1) {
        qsort(p->packets, p->count, sizeof *p->packets, by_time);
    }
}

size_t wzp_ct_pattern_bytes(const wzp_ct_pattern *p, size_t i, uint64_t seed, uint8_t out[1500]) {
    static const uint8_t report[WZP_QUALITY_REPORT_LEN] = {0, 5, 0, 200};
    const wzp_ct_packet *packet = &p->packets[i];
    wzp_prng prng;
    wzp_wr wr;
    wzp_wr_init(&wr, out, 1500);
    wzp_wr_bytes(&wr, wzp_bytes_of(packet->raw_prefix, packet->raw_prefix_len));
    wzp_media_hdr_write(&wr, &packet->hdr);
    wzp_prng_init(&prng, seed ^ i, "payload");
    uint8_t *payload = out + wzp_wr_len(&wr);
    wzp_rng_fill(wzp_prng_rng(&prng), payload, packet->payload);
    size_t len = wzp_wr_len(&wr) + packet->payload;
    if ((packet->hdr.flags & WZP_MEDIA_QUALITY) != 0 && !packet->no_report) {
        memcpy(out + len, report, sizeof report);
        out[len + 3] = packet->report_cap != 0 ? packet->report_cap : report[3];
        len += sizeof report;
    }
    return packet->raw_len != 0 ? (packet->raw_len == UINT16_MAX ? 0 : packet->raw_len) : len;
}

/* --- shapes ---------------------------------------------------------------------------------- */

static wzp_time nth(wzp_time from, uint64_t i, uint32_t rate) {
    return from + i * WZP_S / rate;
}

wzp_time wzp_ct_stream_add(wzp_ct_pattern *p, const wzp_ct_stream *s, wzp_time from) {
    const uint64_t count = (uint64_t)s->rate * s->duration_ms / 1000;
    const uint32_t base = p->ts;
    for (uint64_t i = 0; i < count; i++) {
        const bool report =
            s->report_each || (s->report_every != 0 && i % s->report_every == s->report_every - 1U);
        p->ts = base + (uint32_t)(s->ts == WZP_CT_TS_FLOOR ? i * 1000 / s->rate : i * s->step_ms);
        wzp_ct_add(p, nth(from, i, s->rate), s->media_type, s->codec,
                   report ? WZP_MEDIA_QUALITY : 0, s->payload);
        p->seq++;
    }
    p->ts =
        base + (uint32_t)(s->ts == WZP_CT_TS_FLOOR ? count * 1000 / s->rate : count * s->step_ms);
    return nth(from, count, s->rate);
}

wzp_time wzp_ct_talk(wzp_ct_pattern *p, wzp_time from, uint32_t duration_ms) {
    const wzp_ct_stream talk = {.codec = WZP_CODEC_OPUS_24K,
                                .rate = 50,
                                .payload = 76,
                                .duration_ms = duration_ms,
                                .ts = WZP_CT_TS_STEP,
                                .step_ms = 20,
                                .report_every = 50};
    return wzp_ct_stream_add(p, &talk, from);
}

wzp_time wzp_ct_noise(wzp_ct_pattern *p, wzp_time from, uint32_t duration_ms) {
    for (uint32_t t = 200; t <= duration_ms; t += 200) {
        p->ts += 200;
        wzp_ct_add(p, from + t * WZP_MS - 20 * WZP_MS, WZP_MEDIA_AUDIO, WZP_CODEC_COMFORT_NOISE, 0,
                   17);
        p->seq++;
    }
    return from + duration_ms * WZP_MS;
}

void wzp_ct_codec2_fec(wzp_ct_pattern *p, uint8_t codec, uint32_t repairs, uint8_t fec_ratio,
                       uint32_t duration_ms) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    const uint32_t count = duration_ms / info->frame_ms;
    uint16_t block = 0;
    for (uint32_t i = 0; i < count; i++) {
        const wzp_time due = (wzp_time)i * info->frame_ms * WZP_MS;
        const uint16_t symbol = (uint16_t)(i % 8);
        wzp_ct_packet *source =
            wzp_ct_add(p, due, WZP_MEDIA_AUDIO, codec, 0, codec == WZP_CODEC_CODEC2_1200 ? 22 : 24);
        source->hdr.fec_ratio = fec_ratio;
        source->hdr.fec_block = (uint16_t)(symbol << 8 | block);
        p->seq++;
        p->ts += info->frame_ms;
        if (symbol != 7) {
            continue;
        }
        for (uint32_t r = 0; r < repairs; r++) {
            wzp_ct_packet *repair = wzp_ct_add(p, due + WZP_US * 100 * (r + 1), WZP_MEDIA_AUDIO,
                                               codec, WZP_MEDIA_REPAIR, 272);
            repair->hdr.fec_ratio = fec_ratio;
            repair->hdr.fec_block = (uint16_t)((8 + r) << 8 | block);
            p->seq++;
        }
        block = (uint16_t)((block + 1) & 0xff);
    }
}

void wzp_ct_video(wzp_ct_pattern *p, uint32_t key, uint32_t delta, uint32_t gop,
                  uint32_t duration_ms) {
    const uint32_t main_seq = p->seq;
    const uint32_t main_ts = p->ts;
    const uint32_t frames = duration_ms * 30 / 1000;
    p->seq = 0;
    for (uint32_t f = 0; f < frames; f++) {
        const bool is_key = f % gop == 0;
        const uint32_t n = is_key ? key : delta;
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t flags = (uint8_t)((is_key ? WZP_MEDIA_KEYFRAME : 0) |
                                            (i + 1 == n ? WZP_MEDIA_FRAME_END : 0));
            p->ts = f * 1000 / 30;
            /* A frame's packets leave back to back, 200 us apart. */
            wzp_ct_packet *packet = wzp_ct_add(p, nth(0, f, 30) + WZP_US * 200 * i, WZP_MEDIA_VIDEO,
                                               WZP_CODEC_H264_BASELINE, flags, 1116);
            packet->hdr.fec_block = (uint16_t)(i << 8 | n);
            p->seq++;
        }
    }
    p->seq = main_seq;
    p->ts = main_ts;
}
