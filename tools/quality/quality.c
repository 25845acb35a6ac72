#include "tools/quality/quality.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/quality/spectrum.h"
#include "tools/quality/stoi.h"

enum { HOP = WZP_SPECTRUM_FRAME / 2, LEAST_FRAMES = 10 };

static const double snr_least = -10;
static const double snr_most = 35;
static const double si_sdr_most = 100;
static const double spoken_db = -35; /* below the loud frames: still speech */
static const double heard_db = -25;  /* below the reference: not heard */

static double power(const int16_t *pcm) {
    double sum = 0;
    for (size_t i = 0; i < WZP_SPECTRUM_FRAME; i++) {
        sum += (double)pcm[i] * pcm[i];
    }
    return sum / WZP_SPECTRUM_FRAME;
}

static double decibel(double ratio) {
    return 10 * log10(ratio);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* --- frames ----------------------------------------------------------------------------------- */

typedef struct sums {
    double snr, lsd, power_a, power_b;
    size_t frames, unheard, run, longest_run;
    double *distances; /* LSD of each frame */
    double floor;      /* power of a band below which nothing is heard */
} sums;

static double snr_of(const int16_t *a, const int16_t *b, double power_a) {
    double noise = 0;
    for (size_t i = 0; i < WZP_SPECTRUM_FRAME; i++) {
        const double d = (double)a[i] - b[i];
        noise += d * d;
    }
    noise /= WZP_SPECTRUM_FRAME;
    const double snr = noise > 0 ? decibel(power_a / noise) : snr_most;
    return fmax(snr_least, fmin(snr_most, snr));
}

static double distance_of(const int16_t *a, const int16_t *b, double floor) {
    double bands_a[WZP_SPECTRUM_BANDS];
    double bands_b[WZP_SPECTRUM_BANDS];
    double sum = 0;
    wzp_spectrum_bands(a, bands_a);
    wzp_spectrum_bands(b, bands_b);
    for (size_t i = 0; i < WZP_SPECTRUM_BANDS; i++) {
        const double d = decibel((bands_b[i] + floor) / (bands_a[i] + floor));
        sum += d * d;
    }
    return sqrt(sum / WZP_SPECTRUM_BANDS);
}

static void add_frame(sums *s, const int16_t *a, const int16_t *b, double power_a) {
    const double power_b = power(b);
    const double distance = distance_of(a, b, s->floor);
    const bool unheard = power_b <= power_a * pow(10, heard_db / 10);
    s->snr += snr_of(a, b, power_a);
    s->lsd += distance;
    s->power_a += power_a;
    s->power_b += power_b;
    s->distances[s->frames++] = distance;
    s->unheard += unheard ? 1 : 0;
    s->run = unheard ? s->run + 1 : 0;
    s->longest_run = s->run > s->longest_run ? s->run : s->longest_run;
}

/* The power below which a frame of the reference counts as a pause. */
static double least_power(const wzp_pair *p, double *scratch) {
    size_t n = 0;
    for (size_t at = 0; at + WZP_SPECTRUM_FRAME <= p->len; at += HOP) {
        scratch[n++] = power(p->reference + at);
    }
    if (n == 0) {
        return 0;
    }
    qsort(scratch, n, sizeof *scratch, by_value);
    return scratch[n - 1 - n / 20] * pow(10, spoken_db / 10);
}

static double worst_tenth(double *distances, size_t n) {
    const size_t count = (n + 9) / 10;
    double sum = 0;
    qsort(distances, n, sizeof *distances, by_value);
    for (size_t i = n - count; i < n; i++) {
        sum += distances[i];
    }
    return sum / (double)count;
}

/* Of the whole, by the best gain: what is not the reference is noise. */
static double si_sdr(const wzp_pair *p) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (size_t i = 0; i < p->len; i++) {
        ab += (double)p->reference[i] * p->degraded[i];
        aa += (double)p->reference[i] * p->reference[i];
        bb += (double)p->degraded[i] * p->degraded[i];
    }
    const double signal = aa > 0 ? ab * ab / aa : 0;
    const double noise = bb - signal;
    const double is = noise > 0 ? decibel(signal / noise + 1e-10) : si_sdr_most;
    return fmin(is, si_sdr_most);
}

/* `scratch` has room for a number a frame. */
static wzp_err compare(wzp_quality *out, const wzp_pair *p, double *scratch) {
    const double least = least_power(p, scratch);
    sums s = {.distances = scratch, .floor = least * 1e-2 / WZP_SPECTRUM_BANDS};
    for (size_t at = 0; least > 0 && at + WZP_SPECTRUM_FRAME <= p->len; at += HOP) {
        const double power_a = power(p->reference + at);
        if (power_a >= least) {
            add_frame(&s, p->reference + at, p->degraded + at, power_a);
        } else {
            s.run = 0;
        }
    }
    if (s.frames < LEAST_FRAMES) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const double n = (double)s.frames;
    /* One frame without sound is 20 ms, each further one 10 ms more. */
    const size_t gap = s.longest_run == 0 ? 0 : (s.longest_run + 1) * HOP;
    *out = (wzp_quality){.snr_seg_db = s.snr / n,
                         .lsd_db = s.lsd / n,
                         .lsd_worst_db = worst_tenth(scratch, s.frames),
                         .level_db = decibel(fmax(s.power_b, 1e-9) / s.power_a),
                         .longest_gap_ms = (uint32_t)(gap * 1000 / WZP_QUALITY_RATE_HZ),
                         .gap_permille = (uint32_t)(1000 * s.unheard / s.frames),
                         .frames = s.frames};
    return WZP_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The degraded sound as it would be without the delay; what it does not reach is left out. */
static wzp_err cut(wzp_pair *out, const wzp_align_sound *a, const wzp_align_sound *b) {
    const int64_t first = wzp_track_delay_at(&out->track, 0);
    const int64_t last = wzp_track_delay_at(&out->track, a->len);
    const size_t from = first < 0 ? (size_t)-first : 0;
    const int64_t reach = (int64_t)b->len - last;
    const size_t to = reach < (int64_t)a->len ? (size_t)(reach > 0 ? reach : 0) : a->len;
    if (from >= to) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    out->degraded = malloc((to - from) * sizeof *out->degraded);
    if (out->degraded == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = from; i < to; i++) {
        const int64_t k = (int64_t)i + wzp_track_delay_at(&out->track, i);
        const bool is_there = k >= 0 && (size_t)k < b->len;
        out->degraded[i - from] = (int16_t)(is_there ? b->pcm[k] : 0);
    }
    out->reference = a->pcm + from;
    out->len = to - from;
    out->skipped = from;
    return WZP_OK;
}

wzp_err wzp_pair_open(wzp_pair *out, const int16_t *reference, size_t reference_len,
                      const int16_t *degraded, size_t degraded_len, uint32_t delay_max_ms) {
    const uint32_t most =
        delay_max_ms < WZP_QUALITY_DELAY_MAX_MS ? delay_max_ms : WZP_QUALITY_DELAY_MAX_MS;
    const wzp_align_sound a = {reference, reference_len};
    const wzp_align_sound b = {degraded, degraded_len};
    *out = (wzp_pair){0};
    const wzp_err err = wzp_track_find(&out->track, &a, &b, most);
    return err == WZP_OK ? cut(out, &a, &b) : err;
}

void wzp_pair_clear(wzp_pair *pair) {
    free(pair->degraded);
    *pair = (wzp_pair){0};
}

wzp_err wzp_quality_of(wzp_quality *out, const wzp_pair *pair) {
    double *scratch = malloc((pair->len / HOP + 1) * sizeof *scratch);
    if (scratch == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_stoi stoi = {0};
    wzp_err err = compare(out, pair, scratch);
    free(scratch);
    if (err == WZP_OK) {
        err = wzp_stoi_measure(&stoi, pair->reference, pair->degraded, pair->len);
        /* Less speech than STOI needs is no reason to say nothing. */
        err = err == WZP_ERR_INVALID_ARGUMENT ? WZP_OK : err;
        out->stoi = stoi.stoi;
        out->estoi = stoi.estoi;
        out->si_sdr_db = si_sdr(pair);
        out->delay_samples = pair->track.delay;
        out->delay_changes = pair->track.count - 1;
        wzp_glitch_count(&out->glitches, pair->reference, pair->degraded, pair->len);
        wzp_tone_measure(&out->tone, pair->reference, pair->degraded, pair->len);
    }
    return err;
}

wzp_err wzp_quality_measure(wzp_quality *out, const int16_t *reference, size_t reference_len,
                            const int16_t *degraded, size_t degraded_len, uint32_t delay_max_ms) {
    wzp_pair pair;
    wzp_quality q;
    wzp_err err =
        wzp_pair_open(&pair, reference, reference_len, degraded, degraded_len, delay_max_ms);
    err = err == WZP_OK ? wzp_quality_of(&q, &pair) : err;
    wzp_pair_clear(&pair);
    if (err == WZP_OK) {
        *out = q;
    }
    return err;
}
