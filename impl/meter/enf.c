/* ENF-1 (conformance sheet 13).  Each check says in its comment which rule it is. */
#include "meter/enf.h"

#include <stdlib.h>

#include "wire/registry.h"

enum {
    STEPS = 200,
    STEPS_NEEDED = 50,
    BACK_LIMIT_MS = 2000, /* a timestamp may not fall back further than this */
    GAP_LIMIT = 1000,     /* sequence numbers: a longer jump is no step */
    REPAIR_MAX = 272,     /* a padded repair symbol and its tag */
    VIDEO_THRESHOLD = 3000
};

/* E-C: how timestamps advanced against what the sequence numbers promise. */
typedef struct pace {
    bool started, noise_between;
    uint32_t prev_seq, prev_ts, repairs_between;
    wzp_time prev_at;
    uint16_t first, len;
    uint32_t step_ms[STEPS], expected_ms[STEPS];
    uint64_t sum_ms, sum_expected_ms;
} pace;

typedef struct budget { /* E-E */
    double tokens, rate, capacity;
    wzp_time refilled_at;
} budget;

/* Parts of what is allowed. */
typedef struct use {
    double bytes, packets;
} use;

/* Per media type. */
typedef struct lane {
    wzp_time window_start;
    use before; /* of the window before; none: all */
    uint32_t bytes[WZP_CODEC_COUNT], packets[WZP_CODEC_COUNT];
    double ewma[WZP_CODEC_COUNT];
} lane;

struct wzp_enf {
    lane lanes[WZP_MEDIA_TYPE_COUNT];
    pace pace; /* audio only */
    budget audio, video;
    wzp_enf_limits limits;
};

wzp_enf *wzp_enf_new(wzp_enf_limits limits, wzp_time now) {
    wzp_enf *enf = calloc(1, sizeof *enf);
    if (enf != NULL) {
        for (size_t i = 0; i < WZP_MEDIA_TYPE_COUNT; i++) {
            enf->lanes[i].window_start = now;
            enf->lanes[i].before = (use){1, 1};
        }
        enf->limits = limits;
        enf->audio = (budget){1920000.0, 32000.0, 1920000.0, now};
        enf->video = (budget){37500000.0, 625000.0, 37500000.0, now};
    }
    return enf;
}

void wzp_enf_free(wzp_enf **enf) {
    free(*enf);
    *enf = NULL;
}

static bool is_video(uint8_t codec) {
    return wzp_codec_find(codec)->is_video;
}

/* The others' headers and tags do not fit their own ceilings: they need the guard band. */
static bool is_opus(uint8_t codec) {
    return !is_video(codec) && !wzp_codec_find(codec)->is_codec2 &&
           codec != WZP_CODEC_COMFORT_NOISE;
}

/* A codec that contradicts its media type must not raise the ceiling: it is charged like comfort
 * noise. */
uint32_t wzp_enf_ceiling(uint8_t media_type, uint8_t codec, wzp_enf_limits limits) {
    const bool mismatch = (media_type == WZP_MEDIA_AUDIO && is_video(codec)) ||
                          (media_type == WZP_MEDIA_VIDEO && !is_video(codec));
    const wzp_meter_limits *of = wzp_meter_limits_of(mismatch ? WZP_CODEC_COMFORT_NOISE : codec);
    return limits == WZP_ENF_EXACT && is_opus(codec) ? of->budget_bytes : of->guard_bytes;
}

uint32_t wzp_enf_threshold(uint8_t codec) {
    return is_video(codec) ? VIDEO_THRESHOLD : wzp_meter_limits_of(codec)->threshold_packets;
}

/* Utilisations of all codecs in the window add up, so that switching is neutral and alternating is
 * useless. */
static use use_of(const lane *l, uint8_t media_type, wzp_enf_limits limits) {
    use u = {0, 0};
    for (unsigned codec = 0; codec < WZP_CODEC_COUNT; codec++) {
        if (l->packets[codec] != 0) {
            u.bytes +=
                (double)l->bytes[codec] / wzp_enf_ceiling(media_type, (uint8_t)codec, limits);
            u.packets += (double)l->packets[codec] / wzp_enf_threshold((uint8_t)codec);
        }
    }
    return u;
}

static void next_window(lane *l, uint8_t media_type, wzp_enf_limits limits, wzp_time now) {
    const bool adjoins = wzp_time_since(now, l->window_start) < 2 * WZP_S;
    l->before = adjoins ? use_of(l, media_type, limits) : (use){0, 0};
    l->window_start = now;
    for (size_t i = 0; i < WZP_CODEC_COUNT; i++) {
        l->bytes[i] = l->packets[i] = 0;
    }
}

/* What did not come in the window before, because the network stood still, may come in this one:
 * two windows together never hold more than two windows' worth.  The sheet's rule, without this,
 * hangs up on Codec2 with full repair where Wi-Fi stalls for half a second.  Sums of quotients may
 * miss a limit by a rounding error; limits are inclusive. */
static bool exceeds(double used, double before, wzp_enf_limits limits) {
    const double spared = before < 1 && limits == WZP_ENF_GUARDED ? 1 - before : 0;
    return used > 1 + spared + 1e-9;
}

/* E-A, E-B */
static wzp_violation check_window(lane *l, const wzp_media_hdr *hdr, size_t wire,
                                  wzp_enf_limits limits, wzp_time now) {
    if (wzp_time_since(now, l->window_start) >= WZP_S) {
        next_window(l, hdr->media_type, limits, now);
    }
    l->bytes[hdr->codec_id] += (uint32_t)wire;
    l->packets[hdr->codec_id]++;
    const use u = use_of(l, hdr->media_type, limits);
    if (exceeds(u.bytes, l->before.bytes, limits)) {
        return WZP_VIOLATION_BITRATE;
    }
    return exceeds(u.packets, l->before.packets, limits) ? WZP_VIOLATION_PACKET_RATE
                                                         : WZP_VIOLATION_NONE;
}

static void push_step(pace *p, uint32_t step_ms, uint32_t expected_ms) {
    if (p->len == STEPS) {
        p->sum_ms -= p->step_ms[p->first];
        p->sum_expected_ms -= p->expected_ms[p->first];
        p->first = (uint16_t)((p->first + 1) % STEPS);
        p->len--;
    }
    const uint16_t at = (uint16_t)((p->first + p->len) % STEPS);
    p->step_ms[at] = step_ms;
    p->expected_ms[at] = expected_ms;
    p->sum_ms += step_ms;
    p->sum_expected_ms += expected_ms;
    p->len++;
}

static void move_on(pace *p, const wzp_media_hdr *hdr, wzp_time now) {
    p->started = true;
    p->prev_seq = hdr->seq;
    p->prev_ts = hdr->timestamp_ms;
    p->prev_at = now;
    p->repairs_between = 0;
    p->noise_between = false;
}

static int32_t ts_step(uint32_t now, uint32_t before) {
    const uint32_t d = now - before;
    return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

/* A pause of the sender's clock that was a pause of the wall clock too. */
static bool genuine_pause(const pace *p, int32_t dt, uint16_t frame_ms, wzp_time now) {
    const uint64_t gap = wzp_time_since(now, p->prev_at);
    return dt >= 10 * frame_ms && 2 * gap >= (uint64_t)dt * WZP_MS;
}

/* E-C */
static wzp_violation check_pace(pace *p, const wzp_media_hdr *hdr, wzp_time now) {
    const uint16_t frame_ms = wzp_codec_find(hdr->codec_id)->frame_ms;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0) {
        p->repairs_between++;
        return WZP_VIOLATION_NONE;
    }
    if (hdr->codec_id == WZP_CODEC_COMFORT_NOISE) {
        p->noise_between = true;
        return WZP_VIOLATION_NONE;
    }
    if (!p->started) {
        move_on(p, hdr, now);
        return WZP_VIOLATION_NONE;
    }
    const uint32_t d = hdr->seq - p->prev_seq;
    if (d == 0 || d >= UINT32_C(0x80000000)) {
        return WZP_VIOLATION_NONE; /* duplicate or reordered */
    }
    const int32_t dt = ts_step(hdr->timestamp_ms, p->prev_ts);
    if (dt < -BACK_LIMIT_MS) {
        return WZP_VIOLATION_TIMESTAMP_DRIFT;
    }
    const bool no_step =
        p->noise_between || d > GAP_LIMIT || dt < 0 || genuine_pause(p, dt, frame_ms, now);
    if (!no_step) {
        const uint32_t sources = d > p->repairs_between ? d - p->repairs_between : 1;
        push_step(p, (uint32_t)dt, sources * frame_ms);
    }
    move_on(p, hdr, now);
    const bool slow = 2 * p->sum_ms < p->sum_expected_ms;
    const bool fast = p->sum_ms > 2 * p->sum_expected_ms;
    return p->len >= STEPS_NEEDED && (slow || fast) ? WZP_VIOLATION_TIMESTAMP_DRIFT
                                                    : WZP_VIOLATION_NONE;
}

/* E-D */
static wzp_violation check_size(lane *l, const wzp_media_hdr *hdr, size_t payload_len) {
    const bool codec2_repair =
        (hdr->flags & WZP_MEDIA_REPAIR) != 0 && wzp_codec_find(hdr->codec_id)->is_codec2;
    if (codec2_repair) {
        return payload_len > REPAIR_MAX ? WZP_VIOLATION_PAYLOAD_SIZE : WZP_VIOLATION_NONE;
    }
    double *ewma = &l->ewma[hdr->codec_id];
    *ewma = 0.05 * (double)payload_len + 0.95 * *ewma;
    const uint32_t bound = wzp_meter_limits_of(hdr->codec_id)->payload_bound;
    return *ewma > (double)(2 * bound) ? WZP_VIOLATION_PAYLOAD_SIZE : WZP_VIOLATION_NONE;
}

/* E-E */
static wzp_violation check_budget(budget *b, size_t wire, wzp_time now) {
    const double elapsed = (double)wzp_time_since(now, b->refilled_at) / (double)WZP_S;
    const double filled = b->tokens + elapsed * b->rate;
    b->tokens = filled < b->capacity ? filled : b->capacity;
    b->refilled_at = now;
    if (b->tokens < (double)wire) {
        return WZP_VIOLATION_RATE_CAP;
    }
    b->tokens -= (double)wire;
    return WZP_VIOLATION_NONE;
}

wzp_violation wzp_enf_observe(wzp_enf *enf, const wzp_media_hdr *hdr, size_t payload_len,
                              wzp_time now) {
    lane *l = &enf->lanes[hdr->media_type];
    const size_t wire = WZP_MEDIA_HDR_LEN + payload_len;
    wzp_violation v = check_window(l, hdr, wire, enf->limits, now);
    if (v == WZP_VIOLATION_NONE && hdr->media_type == WZP_MEDIA_AUDIO) {
        v = check_pace(&enf->pace, hdr, now);
    }
    if (v == WZP_VIOLATION_NONE) {
        v = check_size(l, hdr, payload_len);
    }
    if (v == WZP_VIOLATION_NONE) {
        v = check_budget(hdr->media_type == WZP_MEDIA_VIDEO ? &enf->video : &enf->audio, wire, now);
    }
    return v;
}
