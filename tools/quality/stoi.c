#include "tools/quality/stoi.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/quality/fft.h"

enum {
    PHASES = 5, /* 10 kHz are 5 samples for 24 at 48 kHz */
    STEP = 24,
    REACH = 96, /* samples at 48 kHz that a filter sees, either way */
    TAPS = 2 * REACH + 1,
    FRAME = 256,
    HOP = FRAME / 2,
    BITS = 9, /* of the transform */
    SIZE = 1 << BITS,
    BANDS = 15,
    SEGMENT = 30, /* frames */
};

static const double turn = 6.283185307179586;
static const double tiny = 2.220446049250313e-16;
static const double range_db = 40;            /* below the loudest frame: silence */
static const double silence_db = 0;           /* of one sample of 1 and the others 0 */
static const double clip = 5.623413251903491; /* 15 dB */

typedef struct levels {
    double band[BANDS];
} levels;

/* --- 48 kHz to 10 kHz ------------------------------------------------------------------------- */

/* A sinc under a Hann window, for each place that a sample can have between those at 48 kHz. */
static void make_filter(double filter[PHASES][TAPS]) {
    const double cutoff = 2 * 4700.0 / 48000;
    for (size_t phase = 0; phase < PHASES; phase++) {
        const double at = (double)(phase * STEP % PHASES) / PHASES;
        for (size_t i = 0; i < TAPS; i++) {
            const double x = (double)i - REACH - at;
            const double angle = turn / 2 * cutoff * x;
            const double window = 0.5 + 0.5 * cos(turn / 2 * x / (REACH + 1));
            filter[phase][i] = cutoff * window * (fabs(angle) < 1e-9 ? 1 : sin(angle) / angle);
        }
    }
}

static double *resample(const int16_t *pcm, size_t len, size_t count) {
    double filter[PHASES][TAPS];
    double *out = malloc((count + 1) * sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    make_filter(filter);
    for (size_t n = 0; n < count; n++) {
        const size_t at = n * STEP / PHASES;
        const size_t first = at < REACH ? REACH - at : 0;
        out[n] = 0;
        for (size_t i = first; i < TAPS && at + i < len + REACH; i++) {
            out[n] += filter[n % PHASES][i] * pcm[at + i - REACH];
        }
    }
    return out;
}

/* --- frames without silence ------------------------------------------------------------------- */

static double window_at(size_t i) {
    return 0.5 - 0.5 * cos(turn * (double)(i + 1) / (FRAME + 1));
}

static double loudness(const double *x) {
    double sum = 0;
    for (size_t i = 0; i < FRAME; i++) {
        const double v = x[i] * window_at(i);
        sum += v * v;
    }
    return 20 * log10(sqrt(sum) + tiny);
}

/* Puts the frames in which `x` is no silence one after the other, in place, and those of `y` at
 * the same time.  Returns the samples that are left. */
static size_t drop_silence(double *x, double *y, size_t len) {
    double most = -1e9;
    size_t kept = 0;
    for (size_t at = 0; at + FRAME < len; at += HOP) {
        most = fmax(most, loudness(x + at));
    }
    if (most < silence_db) {
        return 0;
    }
    double last[2][HOP] = {{0}}; /* the second halves of the frames before */
    for (size_t at = 0; at + FRAME < len; at += HOP) {
        if (loudness(x + at) <= most - range_db) {
            continue;
        }
        double *const both[2] = {x, y};
        for (size_t k = 0; k < 2; k++) {
            double frame[FRAME];
            memcpy(frame, both[k] + at, sizeof frame);
            for (size_t i = 0; i < HOP; i++) { /* never beyond what was read */
                both[k][kept + i] = last[k][i] + frame[i] * window_at(i);
                last[k][i] = frame[HOP + i] * window_at(HOP + i);
            }
        }
        kept += HOP;
    }
    if (kept == 0) {
        return 0;
    }
    memcpy(x + kept, last[0], sizeof last[0]);
    memcpy(y + kept, last[1], sizeof last[1]);
    return kept + HOP;
}

/* --- levels in bands -------------------------------------------------------------------------- */

static size_t bin_of(double hz) {
    return (size_t)(hz * SIZE / 10000 + 0.5);
}

static void levels_of(levels *out, const double *x) {
    wzp_fft_number spectrum[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        spectrum[i] = (wzp_fft_number){i < FRAME ? x[i] * window_at(i) : 0, 0};
    }
    wzp_fft(spectrum, BITS);
    for (size_t b = 0; b < BANDS; b++) {
        const size_t end = bin_of(150 * pow(2, (2 * (double)b + 1) / 6));
        double sum = 0;
        for (size_t i = bin_of(150 * pow(2, (2 * (double)b - 1) / 6)); i < end; i++) {
            sum += spectrum[i].re * spectrum[i].re + spectrum[i].im * spectrum[i].im;
        }
        out->band[b] = sqrt(sum);
    }
}

/* --- how they go together --------------------------------------------------------------------- */

typedef double segment[BANDS][SEGMENT];

static void take(segment out, const levels *first) {
    for (size_t b = 0; b < BANDS; b++) {
        for (size_t i = 0; i < SEGMENT; i++) {
            out[b][i] = first[i].band[b];
        }
    }
}

/* v[n], each `stride` after the one before, without its mean and of length 1. */
static void normalise(double *v, size_t n, size_t stride) {
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        mean += v[i * stride] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        v[i * stride] -= mean;
        squares += v[i * stride] * v[i * stride];
    }
    for (size_t i = 0; i < n; i++) {
        v[i * stride] /= sqrt(squares) + tiny;
    }
}

static double norm(const double *v) {
    double squares = 0;
    for (size_t i = 0; i < SEGMENT; i++) {
        squares += v[i] * v[i];
    }
    return sqrt(squares);
}

static double product(segment x, segment y) {
    double sum = 0;
    for (size_t b = 0; b < BANDS; b++) {
        for (size_t i = 0; i < SEGMENT; i++) {
            sum += x[b][i] * y[b][i];
        }
    }
    return sum;
}

/* Band by band: of one level, and no band counts for more than 15 dB of noise. */
static double agree(const levels *a, const levels *b) {
    segment x;
    segment y;
    take(x, a);
    take(y, b);
    for (size_t k = 0; k < BANDS; k++) {
        const double gain = norm(x[k]) / (norm(y[k]) + tiny);
        for (size_t i = 0; i < SEGMENT; i++) {
            y[k][i] = fmin(y[k][i] * gain, x[k][i] * (1 + clip));
        }
        normalise(x[k], SEGMENT, 1);
        normalise(y[k], SEGMENT, 1);
    }
    return product(x, y) / BANDS;
}

static double agree_extended(const levels *a, const levels *b) {
    segment both[2];
    take(both[0], a);
    take(both[1], b);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < BANDS; i++) {
            normalise(both[k][i], SEGMENT, 1);
        }
        for (size_t i = 0; i < SEGMENT; i++) {
            normalise(&both[k][0][i], BANDS, SEGMENT);
        }
    }
    return product(both[0], both[1]) / SEGMENT;
}

static wzp_err compare(wzp_stoi *out, double *x, double *y, size_t len) {
    const size_t left = drop_silence(x, y, len);
    const size_t frames = left > FRAME ? (left - FRAME - 1) / HOP + 1 : 0;
    if (frames < SEGMENT) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    levels *a = malloc(2 * frames * sizeof *a);
    if (a == NULL) {
        return WZP_ERR_NOMEM;
    }
    levels *b = a + frames;
    for (size_t i = 0; i < frames; i++) {
        levels_of(&a[i], x + i * HOP);
        levels_of(&b[i], y + i * HOP);
    }
    wzp_stoi sum = {0};
    for (size_t i = 0; i + SEGMENT <= frames; i++) {
        sum.stoi += agree(a + i, b + i);
        sum.estoi += agree_extended(a + i, b + i);
    }
    const double segments = (double)(frames - SEGMENT + 1);
    *out = (wzp_stoi){sum.stoi / segments, sum.estoi / segments};
    free(a);
    return WZP_OK;
}

wzp_err wzp_stoi_measure(wzp_stoi *out, const int16_t *reference, const int16_t *degraded,
                         size_t len) {
    const size_t count = len / STEP * PHASES;
    double *x = resample(reference, len, count);
    double *y = resample(degraded, len, count);
    const wzp_err err = x != NULL && y != NULL ? compare(out, x, y, count) : WZP_ERR_NOMEM;
    free(x);
    free(y);
    return err;
}
