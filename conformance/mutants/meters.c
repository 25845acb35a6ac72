/* Faults of the enforcing meter. */
#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "meter/enf.h"

/* What a faulty meter remembers of a sender, by the healthy meter that it replaces. */
typedef struct track {
    const wzp_enf *enf;
    wzp_media_hdr first, previous;
    wzp_time first_at, previous_at;
    unsigned packets;
    unsigned at_once; /* so many in a row without a pause */
    double size;      /* moving average over all codecs */
} track;

enum { TRACKS = 4096 };
static track tracks[TRACKS];
static size_t track_count; /* the others were never used */

/* Asked for each packet: the first places are taken first, so that few are looked at. */
static track *track_of(const wzp_enf *enf) {
    track *place = NULL;
    for (size_t i = 0; i < track_count; i++) {
        if (tracks[i].enf == enf) {
            return &tracks[i];
        }
        place = place == NULL && tracks[i].enf == NULL ? &tracks[i] : place;
    }
    if (place == NULL) {
        place = &tracks[track_count < TRACKS ? track_count++ : 0];
    }
    *place = (track){.enf = enf};
    return place;
}

WRAP(void, wzp_enf_free, wzp_enf **enf) {
    if (*enf != NULL) {
        *track_of(*enf) = (track){.enf = NULL};
    }
    __real_wzp_enf_free(enf);
}

static wzp_violation drift_if(bool found) {
    return found ? WZP_VIOLATION_TIMESTAMP_DRIFT : WZP_VIOLATION_NONE;
}

/* Meters that are too simple for real calls: each takes something ordinary for drift. */
static wzp_violation simple_meter(const track *t, const wzp_media_hdr *hdr, wzp_time now) {
    const wzp_codec_info *codec = wzp_codec_find(hdr->codec_id);
    const uint32_t steps = hdr->seq - t->previous.seq;
    const uint32_t ms = hdr->timestamp_ms - t->previous.timestamp_ms;
    const uint64_t gap_ms = (now - t->previous_at) / WZP_MS;
    const uint64_t here_ms = (now - t->first_at) / WZP_MS;
    const uint64_t there_ms = hdr->timestamp_ms - t->first.timestamp_ms;
    const bool is_audio = hdr->media_type == WZP_MEDIA_AUDIO;
    if (t->packets == 0 || !is_audio) {
        return WZP_VIOLATION_NONE;
    }
    switch (wzp_fault_now()) {
    case WZP_FAULT_EXACT_STEPS:
        return drift_if(steps == 1 && ms > 0 && ms != codec->frame_ms &&
                        hdr->codec_id == t->previous.codec_id && t->packets > 200);
    case WZP_FAULT_NO_GAPS:
        return drift_if(steps != 1 && steps != 0);
    case WZP_FAULT_NO_REPEATS:
        return drift_if(steps == 0);
    case WZP_FAULT_WALL_CLOCK:
        return drift_if(here_ms > there_ms + 3000);
    case WZP_FAULT_NO_PAUSES:
        return drift_if(gap_ms > 8000);
    case WZP_FAULT_NO_BACKLOG:
        return drift_if(t->at_once > 20);
    case WZP_FAULT_ONE_CODEC:
        return drift_if(hdr->codec_id != t->first.codec_id);
    case WZP_FAULT_SEQ16:
        return drift_if((uint16_t)hdr->seq < (uint16_t)t->previous.seq && steps < 100);
    case WZP_FAULT_SHORT_CALLS:
        return drift_if(t->packets > 15 * 50);
    default:
        return WZP_VIOLATION_NONE;
    }
}

static wzp_violation simple_decides(const wzp_enf *enf, const wzp_media_hdr *hdr, wzp_time now) {
    track *t = track_of(enf);
    const wzp_violation found = simple_meter(t, hdr, now);
    if (hdr->media_type == WZP_MEDIA_AUDIO) {
        t->at_once = now - t->previous_at < 2 * WZP_MS ? t->at_once + 1 : 0;
        if (t->packets++ == 0) {
            t->first = *hdr;
            t->first_at = now;
        }
        t->previous = *hdr;
        t->previous_at = now;
    }
    return found;
}

/* Limits in quarters of the codec's usual size. */
static wzp_violation simple_sizes(const wzp_enf *enf, const wzp_media_hdr *hdr, size_t len) {
    const wzp_meter_limits *limits = wzp_meter_limits_of(hdr->codec_id);
    track *t = track_of(enf);
    const bool is_repair = (hdr->flags & WZP_MEDIA_REPAIR) != 0;
    const unsigned quarters = wzp_fault_now() == WZP_FAULT_D_TIGHT          ? 3
                              : wzp_fault_now() == WZP_FAULT_STRICT_D_TIGHT ? 4
                                                                            : 8;
    t->size = is_repair ? t->size : 0.05 * (double)len + 0.95 * t->size;
    const double size = wzp_fault_now() == WZP_FAULT_D_OUTLIERS ? (double)len : t->size;
    return !is_repair && 4 * size > (double)(quarters * limits->payload_bound)
               ? WZP_VIOLATION_PAYLOAD_SIZE
               : WZP_VIOLATION_NONE;
}

static wzp_violation without(wzp_violation found, wzp_violation off) {
    return found == off ? WZP_VIOLATION_NONE : found;
}

WRAP(wzp_violation, wzp_enf_observe, wzp_enf *enf, const wzp_media_hdr *hdr, size_t len,
     wzp_time now) {
    wzp_media_hdr changed = *hdr;
    wzp_violation found = WZP_VIOLATION_NONE;
    const wzp_violation simple = simple_decides(enf, hdr, now);
    if (simple != WZP_VIOLATION_NONE) {
        return simple;
    }
    if (!wzp_fault_declared(&changed)) {
        return WZP_VIOLATION_NONE;
    }
    switch (wzp_fault_now()) {
    case WZP_FAULT_NO_METER:
        return WZP_VIOLATION_NONE;
    case WZP_FAULT_A_OFF:
        return without(__real_wzp_enf_observe(enf, hdr, len, now), WZP_VIOLATION_BITRATE);
    case WZP_FAULT_B_OFF:
    case WZP_FAULT_STRICT_B_OFF:
        return without(__real_wzp_enf_observe(enf, hdr, len, now), WZP_VIOLATION_PACKET_RATE);
    case WZP_FAULT_C_OFF:
        return without(__real_wzp_enf_observe(enf, hdr, len, now), WZP_VIOLATION_TIMESTAMP_DRIFT);
    case WZP_FAULT_D_OFF:
    case WZP_FAULT_STRICT_D_OFF:
        return without(__real_wzp_enf_observe(enf, hdr, len, now), WZP_VIOLATION_PAYLOAD_SIZE);
    case WZP_FAULT_D_REPAIRS:
        return (hdr->flags & WZP_MEDIA_REPAIR) != 0 ? WZP_VIOLATION_NONE
                                                    : __real_wzp_enf_observe(enf, hdr, len, now);
    case WZP_FAULT_D_TIGHT:
    case WZP_FAULT_D_OUTLIERS:
    case WZP_FAULT_D_SHARED:
    case WZP_FAULT_STRICT_D_TIGHT:
        found = simple_sizes(enf, hdr, len);
        return found != WZP_VIOLATION_NONE ? found : __real_wzp_enf_observe(enf, hdr, len, now);
    case WZP_FAULT_E_OFF:
        return without(__real_wzp_enf_observe(enf, hdr, len, now), WZP_VIOLATION_RATE_CAP);
    case WZP_FAULT_A_DOUBLE:
        return __real_wzp_enf_observe(enf, hdr, len / 2 > 8 ? len / 2 - 8 : 0, now);
    case WZP_FAULT_STRICT_A_TIGHT:
        return __real_wzp_enf_observe(enf, hdr, len + (len + 16) / 8, now);
    case WZP_FAULT_A_HALF:
        return __real_wzp_enf_observe(enf, hdr, 2 * len + 16, now);
    case WZP_FAULT_STRICT_B_TIGHT: /* a shadow of each eighth packet */
        changed.flags |= WZP_MEDIA_REPAIR;
        found = hdr->seq % 8 == 0 ? __real_wzp_enf_observe(enf, &changed, 0, now) : found;
        return found != WZP_VIOLATION_NONE ? found : __real_wzp_enf_observe(enf, hdr, len, now);
    case WZP_FAULT_B_HALF: /* a shadow of each packet, empty and unseen by tier C */
        changed.flags |= WZP_MEDIA_REPAIR;
        found = __real_wzp_enf_observe(enf, &changed, 0, now);
        return found != WZP_VIOLATION_NONE ? found : __real_wzp_enf_observe(enf, hdr, len, now);
    case WZP_FAULT_B_THIRD: /* two shadows */
        changed.flags |= WZP_MEDIA_REPAIR;
        found = __real_wzp_enf_observe(enf, &changed, 0, now);
        if (found == WZP_VIOLATION_NONE) {
            found = __real_wzp_enf_observe(enf, &changed, 0, now);
        }
        return found != WZP_VIOLATION_NONE ? found : __real_wzp_enf_observe(enf, hdr, len, now);
    case WZP_FAULT_REPAIR_AS_SOURCE:
        changed.flags &= (uint8_t)~WZP_MEDIA_REPAIR;
        return __real_wzp_enf_observe(enf, &changed, len, now);
    case WZP_FAULT_ONE_CLOCK:
        changed.media_type = WZP_MEDIA_AUDIO;
        return __real_wzp_enf_observe(enf, &changed, len, now);
    case WZP_FAULT_C_NARROW: /* the sender's clock seems a little slower than it is */
        changed.timestamp_ms -= changed.timestamp_ms / 64;
        return __real_wzp_enf_observe(enf, &changed, len, now);
    case WZP_FAULT_ANY_TYPE:
        return __real_wzp_enf_observe(enf, &changed, len, now);
    default:
        return __real_wzp_enf_observe(enf, hdr, len, now);
    }
}
