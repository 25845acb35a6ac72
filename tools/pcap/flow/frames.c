#include "tools/pcap/flow/frames.h"

static unsigned count_here(const wzp_pcap_frame *f) {
    unsigned count = 0;
    for (unsigned i = 0; i < f->count; i++) {
        count += (unsigned)(f->here[i / 64] >> (i % 64) & 1);
    }
    return count;
}

static void give_up(wzp_pcap_frames *s, wzp_pcap_frame *f) {
    s->incomplete++;
    s->keyframes_incomplete += f->is_key ? 1 : 0;
    s->fragments_missing += f->count - count_here(f);
    f->used = false;
}

void wzp_pcap_frames_end(wzp_pcap_frames *s) {
    for (size_t i = 0; i < WZP_PCAP_FRAMES_OPEN; i++) {
        if (s->open[i].used) {
            give_up(s, &s->open[i]);
        }
    }
}

static void expire(wzp_pcap_frames *s) {
    for (size_t i = 0; i < WZP_PCAP_FRAMES_OPEN; i++) {
        wzp_pcap_frame *f = &s->open[i];
        const int32_t age = (int32_t)(s->newest_ts - f->timestamp_ms);
        if (f->used && (age > WZP_PCAP_FRAME_AGE_MS || age < -WZP_PCAP_FRAME_AGE_MS)) {
            give_up(s, f);
        }
    }
}

static wzp_pcap_frame *find(wzp_pcap_frames *s, uint32_t ts, uint64_t ns, bool *began) {
    wzp_pcap_frame *place = &s->open[0];
    for (size_t i = 0; i < WZP_PCAP_FRAMES_OPEN; i++) {
        wzp_pcap_frame *f = &s->open[i];
        if (f->used && f->timestamp_ms == ts) {
            return f;
        }
        const bool older = (int32_t)(f->timestamp_ms - place->timestamp_ms) < 0;
        if (!f->used ? place->used : place->used && older) {
            place = f;
        }
    }
    if (place->used) {
        give_up(s, place);
    }
    *place = (wzp_pcap_frame){.first_ns = ns, .timestamp_ms = ts, .used = true};
    *began = true;
    return place;
}

static void finish(wzp_pcap_frames *s, wzp_pcap_frame *f, uint64_t ns, wzp_pcap_frame_news *news) {
    news->complete = true;
    news->is_key = f->is_key;
    s->complete++;
    wzp_pcap_spread_add(f->is_key ? &s->key_bytes : &s->delta_bytes, (double)f->bytes);
    wzp_pcap_spread_add(&s->assembly_ms, (double)wzp_time_since(ns, f->first_ns) / 1e6);
    if (f->is_key) {
        if (s->keyframes++ > 0) {
            wzp_pcap_spread_add(&s->key_gap_ms, (double)wzp_time_since(ns, s->last_key_ns) / 1e6);
        } else {
            s->first_key_ns = ns;
        }
        s->last_key_ns = ns;
    }
    const uint64_t still = s->complete > 1 ? wzp_time_since(ns, s->last_complete_ns) : 0;
    if (still > WZP_PCAP_FREEZE_NS) {
        s->freezes++;
        s->frozen_ns += still;
        s->freeze_max_ns = still > s->freeze_max_ns ? still : s->freeze_max_ns;
        news->freeze_ns = still;
    }
    s->last_complete_ns = ns;
    f->used = false;
}

wzp_pcap_frame_news wzp_pcap_frames_take(wzp_pcap_frames *s, const wzp_media_hdr *hdr,
                                         size_t payload_len, uint64_t ns) {
    wzp_pcap_frame_news news = {0};
    const uint8_t index = (uint8_t)(hdr->fec_block >> 8);
    const uint8_t count = (uint8_t)hdr->fec_block;
    if (!s->started || (int32_t)(hdr->timestamp_ms - s->newest_ts) > 0 ||
        (int32_t)(s->newest_ts - hdr->timestamp_ms) > 10 * WZP_PCAP_FRAME_AGE_MS) {
        s->newest_ts = hdr->timestamp_ms; /* the next frame, or a clock that began anew */
    }
    s->first_ns = s->started ? s->first_ns : ns;
    s->started = true;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0 || (count != 0 && index >= count)) {
        s->fragments_bad++;
        return news;
    }
    expire(s);
    wzp_pcap_frame *f = find(s, hdr->timestamp_ms, ns, &news.began);
    f->is_key = f->is_key || (hdr->flags & WZP_MEDIA_KEYFRAME) != 0;
    f->count = count != 0                                ? count
               : (hdr->flags & WZP_MEDIA_FRAME_END) != 0 ? (uint8_t)(index + 1)
                                                         : f->count;
    f->here[index / 64] |= UINT64_C(1) << (index % 64);
    f->bytes += payload_len;
    news.is_key = f->is_key;
    if (f->count != 0 && count_here(f) == f->count) {
        finish(s, f, ns, &news);
    }
    return news;
}
