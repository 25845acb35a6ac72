#include "meter/testing/twin.h"

#include "wire/registry.h"

static uint32_t wire_len(const wzp_twin_packet *p) {
    return (uint32_t)(WZP_MEDIA_HDR_LEN + p->payload);
}

static bool is_repair(const wzp_twin_packet *p) {
    return (p->hdr.flags & WZP_MEDIA_REPAIR) != 0;
}

/* Packets whose verdict is `until` or a later tier got past all tiers before it. */
static bool reached(wzp_violation verdict, wzp_violation until) {
    return verdict == WZP_VIOLATION_NONE || verdict >= until;
}

/* The index of the packet that opened the window of the last packet. */
static size_t window_first(const wzp_twin *t) {
    wzp_time anchor = t->joined;
    size_t first = 0;
    for (size_t i = 0; i < t->count; i++) {
        const wzp_twin_packet *p = &t->packets[i];
        if (p->at - anchor >= WZP_S) {
            anchor = p->at;
            first = i;
        }
    }
    return first;
}

typedef struct tokens {
    double rate, capacity;
} tokens;

static bool bucket_holds(const wzp_twin *t, tokens b, bool deployed, bool video) {
    double left = b.capacity;
    wzp_time filled = t->joined;
    bool held = true;
    for (size_t i = 0; i < t->count; i++) {
        const wzp_twin_packet *p = &t->packets[i];
        const bool same = deployed || (p->hdr.media_type == WZP_MEDIA_VIDEO) == video;
        const bool last = i + 1 == t->count;
        if (!same || (!last && !reached(deployed ? p->deployed : p->enf, WZP_VIOLATION_RATE_CAP))) {
            continue;
        }
        left += (double)(p->at - filled) / 1e9 * b.rate;
        left = left > b.capacity ? b.capacity : left;
        filled = p->at;
        held = left >= wire_len(p);
        left -= held ? wire_len(p) : 0;
    }
    return held;
}

/* --- deployed --------------------------------------------------------------------------------- */

static bool deployed_drifts(const wzp_twin *t) {
    const wzp_twin_packet *last = &t->packets[t->count - 1];
    const wzp_twin_packet *first = last;
    unsigned in_ring = 1;
    for (size_t i = t->count - 1; i-- > 0 && in_ring < 200;) {
        if (reached(t->packets[i].deployed, WZP_VIOLATION_TIMESTAMP_DRIFT)) {
            first = &t->packets[i];
            in_ring++;
        }
    }
    const uint32_t ds = last->hdr.seq - first->hdr.seq;
    const uint32_t dt = last->hdr.timestamp_ms - first->hdr.timestamp_ms;
    const uint64_t frame_ms = wzp_codec_find(last->hdr.codec_id)->frame_ms;
    return ds != 0 && (2 * (uint64_t)dt < frame_ms * ds || dt > 2 * frame_ms * ds);
}

static double deployed_mean(const wzp_twin *t) {
    double mean = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (i + 1 == t->count || reached(t->packets[i].deployed, WZP_VIOLATION_PAYLOAD_SIZE)) {
            mean = 0.05 * (double)t->packets[i].payload + (1.0 - 0.05) * mean;
        }
    }
    return mean;
}

static wzp_violation deployed(const wzp_twin *t) {
    const wzp_meter_limits *limits = wzp_meter_limits_of(t->packets[t->count - 1].hdr.codec_id);
    const size_t first = window_first(t);
    uint64_t bytes = 0;
    for (size_t i = first; i < t->count; i++) {
        bytes += wire_len(&t->packets[i]);
    }
    if (bytes > limits->budget_bytes) {
        return WZP_VIOLATION_BITRATE;
    }
    if (t->count - first > limits->threshold_packets) {
        return WZP_VIOLATION_PACKET_RATE;
    }
    if (deployed_drifts(t)) {
        return WZP_VIOLATION_TIMESTAMP_DRIFT;
    }
    if (deployed_mean(t) > 2.0 * limits->payload_bound) {
        return WZP_VIOLATION_PAYLOAD_SIZE;
    }
    const tokens b = {32000, 1920000};
    return bucket_holds(t, b, true, false) ? WZP_VIOLATION_NONE : WZP_VIOLATION_RATE_CAP;
}

/* --- ENF-1 ------------------------------------------------------------------------------------ */

typedef struct shares {
    long double bytes, packets;
} shares;

/* Of all packets of one type whose index is from..to-1. */
static shares enf_shares(const wzp_twin *t, uint8_t type, size_t from, size_t to) {
    shares s = {0, 0};
    for (size_t i = from; i < to; i++) {
        const wzp_media_hdr *hdr = &t->packets[i].hdr;
        const bool video = wzp_codec_find(hdr->codec_id)->is_video;
        const bool contradiction =
            (type == WZP_MEDIA_AUDIO && video) || (type == WZP_MEDIA_VIDEO && !video);
        if (hdr->media_type == type) {
            const wzp_meter_limits *own = wzp_meter_limits_of(hdr->codec_id);
            s.bytes +=
                (long double)wire_len(&t->packets[i]) / (contradiction ? 5050 : own->guard_bytes);
            s.packets += 1.0L / (video ? 3000 : own->threshold_packets);
        }
    }
    return s;
}

static bool enf_exceeds(long double used, long double before) {
    return used > (before < 1 ? 2 - before : 1) + 1e-9L;
}

static wzp_violation enf_window(const wzp_twin *t) {
    const uint8_t type = t->packets[t->count - 1].hdr.media_type;
    wzp_time anchor = t->joined;
    size_t first = 0;
    shares before = {1, 1}; /* of the window before */
    for (size_t i = 0; i < t->count; i++) {
        const wzp_twin_packet *p = &t->packets[i];
        if (p->hdr.media_type == type && p->at - anchor >= WZP_S) {
            const bool adjoins = p->at - anchor < 2 * WZP_S;
            before = adjoins ? enf_shares(t, type, first, i) : (shares){0, 0};
            anchor = p->at;
            first = i;
        }
    }
    const shares now = enf_shares(t, type, first, t->count);
    if (enf_exceeds(now.bytes, before.bytes)) {
        return WZP_VIOLATION_BITRATE;
    }
    return enf_exceeds(now.packets, before.packets) ? WZP_VIOLATION_PACKET_RATE
                                                    : WZP_VIOLATION_NONE;
}

/* Replays E-C over all audio packets that reached it; true: the last one drifts. */
static bool enf_drifts(const wzp_twin *t) {
    static struct { uint64_t moved, expected; } steps[WZP_TWIN_MAX];
    const wzp_twin_packet *prev = NULL;
    size_t count = 0;
    uint32_t repairs = 0;
    bool noise = false;
    bool drift = false;
    for (size_t i = 0; i < t->count; i++) {
        const wzp_twin_packet *p = &t->packets[i];
        const bool skipped = i + 1 < t->count && !reached(p->enf, WZP_VIOLATION_TIMESTAMP_DRIFT);
        drift = false;
        if (p->hdr.media_type != WZP_MEDIA_AUDIO || skipped) {
            continue;
        }
        if (is_repair(p) || p->hdr.codec_id == WZP_CODEC_COMFORT_NOISE) {
            repairs += is_repair(p) ? 1 : 0;
            noise = noise || !is_repair(p);
            continue;
        }
        if (prev != NULL) {
            const uint32_t d = p->hdr.seq - prev->hdr.seq;
            const int64_t raw = (uint32_t)(p->hdr.timestamp_ms - prev->hdr.timestamp_ms);
            const int64_t dt = raw < INT64_C(0x80000000) ? raw : raw - INT64_C(0x100000000);
            const int64_t frame_ms = wzp_codec_find(p->hdr.codec_id)->frame_ms;
            if (d == 0 || d >= UINT32_C(0x80000000)) {
                continue;
            }
            if (dt < -2000) {
                drift = true;
                continue;
            }
            const double gap_ms = (double)(p->at - prev->at) / 1e6;
            const bool pause = dt >= 10 * frame_ms && gap_ms >= 0.5 * (double)dt;
            if (!noise && d <= 1000 && dt >= 0 && !pause) {
                steps[count].moved = (uint64_t)dt;
                steps[count++].expected = (uint64_t)frame_ms * (d > repairs ? d - repairs : 1);
            }
        }
        prev = p;
        repairs = 0;
        noise = false;
        uint64_t moved = 0;
        uint64_t expected = 0;
        for (size_t n = count > 200 ? count - 200 : 0; n < count; n++) {
            moved += steps[n].moved;
            expected += steps[n].expected;
        }
        drift = count >= 50 && (2 * moved < expected || moved > 2 * expected);
    }
    return drift;
}

static bool enf_too_large(const wzp_twin *t) {
    const wzp_twin_packet *last = &t->packets[t->count - 1];
    if (is_repair(last) && wzp_codec_find(last->hdr.codec_id)->is_codec2) {
        return last->payload > 256 + 16;
    }
    double mean = 0;
    for (size_t i = 0; i < t->count; i++) {
        const wzp_twin_packet *p = &t->packets[i];
        const bool counts = p == last || reached(p->enf, WZP_VIOLATION_PAYLOAD_SIZE);
        const bool left_out = is_repair(p) && wzp_codec_find(p->hdr.codec_id)->is_codec2;
        if (counts && !left_out && p->hdr.media_type == last->hdr.media_type &&
            p->hdr.codec_id == last->hdr.codec_id) {
            mean = 0.05 * (double)p->payload + 0.95 * mean;
        }
    }
    return mean > 2.0 * wzp_meter_limits_of(last->hdr.codec_id)->payload_bound;
}

static wzp_violation enf(const wzp_twin *t) {
    const uint8_t type = t->packets[t->count - 1].hdr.media_type;
    const wzp_violation window = enf_window(t);
    if (window != WZP_VIOLATION_NONE) {
        return window;
    }
    if (type == WZP_MEDIA_AUDIO && enf_drifts(t)) {
        return WZP_VIOLATION_TIMESTAMP_DRIFT;
    }
    if (enf_too_large(t)) {
        return WZP_VIOLATION_PAYLOAD_SIZE;
    }
    const bool video = type == WZP_MEDIA_VIDEO;
    const tokens b = video ? (tokens){625000, 37500000} : (tokens){32000, 1920000};
    return bucket_holds(t, b, false, video) ? WZP_VIOLATION_NONE : WZP_VIOLATION_RATE_CAP;
}

const wzp_twin_packet *wzp_twin_observe(wzp_twin *t, const wzp_media_hdr *hdr, size_t payload,
                                        wzp_time at) {
    wzp_twin_packet *p = &t->packets[t->count++];
    *p = (wzp_twin_packet){.hdr = *hdr, .payload = payload, .at = at};
    p->deployed = deployed(t);
    p->enf = enf(t);
    return p;
}
