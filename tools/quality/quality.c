#include "tools/quality/quality.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/quality/align.h"
#include "tools/quality/spectrum.h"

enum { HOP = WZP_SPECTRUM_FRAME / 2, LEAST_FRAMES = 10 };

static const double snr_least = -10;
static const double snr_most = 35;
static const double spoken_db = -35; /* below the loud frames: still speech */
static const double heard_db = -25;  /* below the reference: not heard */

typedef struct pair {
    const int16_t *a, *b; /* reference, degraded */
    size_t len;
} pair;

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
static double least_power(const pair *p, double *scratch) {
    size_t n = 0;
    for (size_t at = 0; at + WZP_SPECTRUM_FRAME <= p->len; at += HOP) {
        scratch[n++] = power(p->a + at);
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

/* `scratch` has room for a number a frame. */
static wzp_err compare(wzp_quality *out, const pair *p, double *scratch) {
    const double least = least_power(p, scratch);
    sums s = {.distances = scratch, .floor = least * 1e-2 / WZP_SPECTRUM_BANDS};
    for (size_t at = 0; least > 0 && at + WZP_SPECTRUM_FRAME <= p->len; at += HOP) {
        const double power_a = power(p->a + at);
        if (power_a >= least) {
            add_frame(&s, p->a + at, p->b + at, power_a);
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

wzp_err wzp_quality_measure(wzp_quality *out, const int16_t *reference, size_t reference_len,
                            const int16_t *degraded, size_t degraded_len, uint32_t delay_max_ms) {
    int32_t delay = 0;
    const uint32_t most =
        delay_max_ms < WZP_QUALITY_DELAY_MAX_MS ? delay_max_ms : WZP_QUALITY_DELAY_MAX_MS;
    const wzp_align_sound a = {reference, reference_len};
    const wzp_align_sound b = {degraded, degraded_len};
    const wzp_err err = wzp_align(&delay, &a, &b, most);
    if (err != WZP_OK) {
        return err;
    }
    const size_t skip_a = delay < 0 ? (size_t)-delay : 0;
    const size_t skip_b = delay > 0 ? (size_t)delay : 0;
    if (skip_a >= reference_len || skip_b >= degraded_len) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const size_t len_a = reference_len - skip_a;
    const size_t len_b = degraded_len - skip_b;
    const pair p = {reference + skip_a, degraded + skip_b, len_a < len_b ? len_a : len_b};
    double *scratch = malloc((p.len / HOP + 1) * sizeof *scratch);
    if (scratch == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_err compared = compare(out, &p, scratch);
    free(scratch);
    if (compared == WZP_OK) {
        out->delay_samples = delay;
    }
    return compared;
}
