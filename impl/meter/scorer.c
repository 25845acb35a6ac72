#include "meter/scorer.h"

#include <math.h>

#include "wire/registry.h"

enum {
    SILENT_MAX = 16, /* payload bytes of a packet that counts as silence */
    AUDIO_LEAST = 20,
    AUDIO_WINDOW_S = 30,
    ARRIVALS_LEAST = 10,
    VIDEO_LEAST = 30,
    GAPS_LEAST = 3,
    SIZES_LEAST = 20,
    REPORTS_DUE = 100,  /* packets after which a sender without reports is penalised */
    KEYFRAME_DUE = 120, /* ... without a keyframe */
    INTER_DUE = 30      /* ... with nothing but keyframes */
};

wzp_score_verdict wzp_score_judge(float score) {
    if (score >= 0.7F) {
        return WZP_SCORE_LEGITIMATE;
    }
    return score >= 0.3F ? WZP_SCORE_SUSPECT : WZP_SCORE_ABUSIVE;
}

/* --- gaps ------------------------------------------------------------------------------------- */

static void note_event(wzp_gap_ring *ring, uint64_t *gaps_ns, uint16_t cap, wzp_time now) {
    if (ring->started) {
        gaps_ns[(ring->first + ring->len) % cap] = wzp_time_since(now, ring->last);
        if (ring->len < cap) {
            ring->len++;
        } else {
            ring->first = (uint16_t)((ring->first + 1) % cap);
        }
    }
    ring->started = true;
    ring->last = now;
}

/* Whole seconds and the rest apart, as the deployed code converts: the sum differs in its last bit
 * from one division. */
static double seconds(uint64_t ns) {
    const uint64_t whole = ns / WZP_S;
    return (double)whole + (double)(ns % WZP_S) / 1e9;
}

/* Coefficient of variation, oldest gap first; negative if there are fewer than `least` gaps or
 * all of them are 0. */
static double variation(const wzp_gap_ring *ring, const uint64_t *gaps_ns, uint16_t cap,
                        uint16_t least) {
    double sum = 0;
    double squares = 0;
    if (ring->len < least) {
        return -1;
    }
    for (uint16_t i = 0; i < ring->len; i++) {
        sum += seconds(gaps_ns[(ring->first + i) % cap]);
    }
    const double mean = sum / ring->len;
    if (!(mean > 0)) {
        return -1;
    }
    for (uint16_t i = 0; i < ring->len; i++) {
        const double off = seconds(gaps_ns[(ring->first + i) % cap]) - mean;
        squares += off * off;
    }
    return sqrt(squares / ring->len) / mean;
}

/* How far `value` is past `limit`, 1 at `limit` + `span`, in parts of `weight`. */
static float excess(double value, double limit, double span, double weight) {
    const double share = (value - limit) / span;
    return (float)((share < 1.0 ? share : 1.0) * weight);
}

static float clamp(float score) {
    return score < 0.0F ? 0.0F : score > 1.0F ? 1.0F : score;
}

/* --- audio ------------------------------------------------------------------------------------ */

void wzp_audio_scorer_init(wzp_audio_scorer *s, wzp_time now) {
    *s = (wzp_audio_scorer){.window_start = now};
}

static void note_size(wzp_audio_scorer *s, bool small) {
    const uint16_t at = (uint16_t)((s->small_first + s->small_len) % WZP_AUDIO_SCORER_RING);
    if (s->small_len < WZP_AUDIO_SCORER_RING) {
        s->small_len++;
    } else {
        s->small_count = (uint16_t)(s->small_count - (s->small[at] ? 1 : 0));
        s->small_first = (uint16_t)((s->small_first + 1) % WZP_AUDIO_SCORER_RING);
    }
    s->small[at] = small;
    s->small_count = (uint16_t)(s->small_count + (small ? 1 : 0));
}

void wzp_audio_scorer_observe(wzp_audio_scorer *s, const wzp_media_hdr *hdr, size_t payload_len,
                              wzp_time now) {
    if (hdr->media_type != WZP_MEDIA_AUDIO) {
        return;
    }
    if (!s->started) {
        s->started = true;
        s->declared_codec = hdr->codec_id;
    }
    const bool silent = payload_len <= SILENT_MAX;
    note_event(&s->arrivals, s->arrival_ns, WZP_AUDIO_SCORER_RING, now);
    note_size(s, silent);
    s->total++;
    s->silent += silent ? 1 : 0;
    if (wzp_time_since(now, s->window_start) >= AUDIO_WINDOW_S * WZP_S) {
        s->window_start = now;
        s->window_bytes = 0;
    }
    s->window_bytes += WZP_MEDIA_HDR_LEN + payload_len;
    if ((hdr->flags & WZP_MEDIA_QUALITY) != 0) {
        note_event(&s->reports, s->report_ns, WZP_AUDIO_SCORER_REPORTS, now);
    }
}

static float silence_penalty(const wzp_audio_scorer *s) {
    const double silence = (double)s->silent / (double)s->total;
    if (silence < 0.02) {
        const double share = (0.02 - silence) / 0.02;
        return (float)((share < 1.0 ? share : 1.0) * 0.25);
    }
    return silence > 0.60 ? excess(silence, 0.60, 0.40, 0.15) : 0.0F;
}

/* Always over 30 s, however young the window is: as deployed. */
static double rate_ratio(const wzp_audio_scorer *s) {
    const double nominal = wzp_codec_find(s->declared_codec)->nominal_bps;
    return nominal > 0 ? (double)s->window_bytes * 8.0 / AUDIO_WINDOW_S / nominal : -1;
}

static float report_penalty(const wzp_audio_scorer *s) {
    const double cv = variation(&s->reports, s->report_ns, WZP_AUDIO_SCORER_REPORTS, GAPS_LEAST);
    if (cv < 0) {
        return s->total > REPORTS_DUE ? 0.10F : 0.0F;
    }
    return cv > 0.5 ? excess(cv, 0.5, 0.5, 0.15) : 0.0F;
}

/* Speech has two sizes, small in silence and large in talk. */
static float size_penalty(const wzp_audio_scorer *s) {
    if (s->small_len < SIZES_LEAST) {
        return 0.0F;
    }
    const double small = (double)s->small_count / (double)s->small_len;
    return 1.0 - fabs(small - 0.5) * 2.0 < 0.2 ? 0.10F : 0.0F;
}

bool wzp_audio_scorer_score_at(const wzp_audio_scorer *s, double ratio, float *out) {
    if (s->total < AUDIO_LEAST) {
        return false;
    }
    const double cov =
        variation(&s->arrivals, s->arrival_ns, WZP_AUDIO_SCORER_RING, ARRIVALS_LEAST);
    float score = 1.0F;
    score -= cov > 0.4 ? excess(cov, 0.4, 0.6, 0.25) : 0.0F;
    score -= silence_penalty(s);
    score -= ratio > 1.20 ? excess(ratio, 1.20, 0.80, 0.25) : 0.0F;
    score -= report_penalty(s);
    score -= size_penalty(s);
    *out = clamp(score);
    return true;
}

bool wzp_audio_scorer_score(const wzp_audio_scorer *s, float *out) {
    return s->total > 0 && wzp_audio_scorer_score_at(s, rate_ratio(s), out);
}

wzp_score_verdict wzp_audio_scorer_verdict(const wzp_audio_scorer *s) {
    float score;
    return wzp_audio_scorer_score(s, &score) ? wzp_score_judge(score) : WZP_SCORE_OPEN;
}

/* --- video ------------------------------------------------------------------------------------ */

void wzp_video_scorer_init(wzp_video_scorer *s) {
    *s = (wzp_video_scorer){0};
}

/* Did the sender slow down when the estimate fell by more than 30 %? */
static void note_estimate(wzp_video_scorer *s, uint32_t estimate_kbps, wzp_time now) {
    const double elapsed = seconds(wzp_time_since(now, s->window_start));
    const double rate = elapsed > 0 ? (double)s->window_bytes * 8.0 / 1000.0 / elapsed : 0.0;
    const double before = s->estimate_kbps;
    if (s->has_estimate && before > 0 && (before - estimate_kbps) / before > 0.30) {
        const double drop = s->rate_kbps > 0 ? (s->rate_kbps - rate) / s->rate_kbps : 0.0;
        s->responsive += drop >= 0.10 ? 1 : 0;
        s->unresponsive += drop >= 0.10 ? 0 : 1;
    }
    s->has_estimate = true;
    s->estimate_kbps = estimate_kbps;
    s->rate_kbps = rate;
    s->window_start = now;
    s->window_bytes = 0;
}

void wzp_video_scorer_observe(wzp_video_scorer *s, const wzp_media_hdr *hdr, size_t payload_len,
                              const uint32_t *estimate_kbps, wzp_time now) {
    if (hdr->media_type != WZP_MEDIA_VIDEO) {
        return;
    }
    if (s->total == 0) {
        s->window_start = now;
    }
    s->total++;
    if ((hdr->flags & WZP_MEDIA_KEYFRAME) != 0) {
        s->intra++;
        note_event(&s->keyframes, s->keyframe_ns, WZP_VIDEO_SCORER_KEYFRAMES, now);
    } else {
        s->inter++;
    }
    s->window_bytes += WZP_MEDIA_HDR_LEN + payload_len;
    if (estimate_kbps != NULL) {
        note_estimate(s, *estimate_kbps, now);
    }
}

static float keyframe_penalty(const wzp_video_scorer *s) {
    const double cov =
        variation(&s->keyframes, s->keyframe_ns, WZP_VIDEO_SCORER_KEYFRAMES, GAPS_LEAST);
    if (cov >= 0) {
        const float regularity = (float)(1.0 / (1.0 + cov));
        return (1.0F - regularity) * 0.35F;
    }
    return s->intra == 0 && s->total > KEYFRAME_DUE ? 0.50F : 0.10F;
}

/* 1 from 29 inter packets for each intra packet (a GOP of 30), 0 up to 5. */
static float mix_penalty(const wzp_video_scorer *s) {
    if (s->inter == 0 && s->total > INTER_DUE) {
        return 0.60F;
    }
    if (s->intra == 0) {
        return 0.10F;
    }
    const double ratio = (double)s->inter / (double)s->intra;
    const double health = ratio >= 29.0 ? 1.0 : ratio <= 5.0 ? 0.0 : (ratio - 5.0) / 24.0;
    return (1.0F - (float)health) * 0.30F;
}

static float response_penalty(const wzp_video_scorer *s) {
    const uint32_t events = s->responsive + s->unresponsive;
    if (events == 0) {
        return 0.15F;
    }
    const float share = (float)((double)s->responsive / (double)events);
    return (1.0F - share) * 0.40F;
}

bool wzp_video_scorer_score(const wzp_video_scorer *s, float *out) {
    if (s->total < VIDEO_LEAST) {
        return false;
    }
    float score = 1.0F;
    score -= keyframe_penalty(s);
    score -= mix_penalty(s);
    score -= response_penalty(s);
    *out = clamp(score);
    return true;
}

wzp_score_verdict wzp_video_scorer_verdict(const wzp_video_scorer *s) {
    float score;
    return wzp_video_scorer_score(s, &score) ? wzp_score_judge(score) : WZP_SCORE_OPEN;
}
