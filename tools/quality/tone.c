#include "tools/quality/tone.h"

#include <math.h>
#include <stdbool.h>

#include "tools/quality/fft.h"

enum { RATE = 48000, WINDOW = 9600, BITS = 13, SIZE = 1 << BITS, ROUNDS = 40, TRIES = 3 };

static const double turn = 6.283185307179586;
static const double pure_db = -40;
static const double silent = 25; /* mean square of a window without a tone */

typedef struct fit {
    double tone, rest; /* mean squares */
} fit;

/* The least squares of a constant, a sine and a cosine: three equations, by Cramer's rule. */
static fit fit_window(const int16_t *pcm, double hz) {
    double c2 = 0;
    double s2 = 0;
    double cs = 0;
    double c1 = 0;
    double s1 = 0;
    double xc = 0;
    double xs = 0;
    double x1 = 0;
    double xx = 0;
    for (size_t i = 0; i < WINDOW; i++) {
        const double angle = turn * hz * (double)i / RATE;
        const double c = cos(angle);
        const double s = sin(angle);
        const double x = pcm[i];
        c2 += c * c;
        s2 += s * s;
        cs += c * s;
        c1 += c;
        s1 += s;
        xc += x * c;
        xs += x * s;
        x1 += x;
        xx += x * x;
    }
    const double n = WINDOW; /* the constant is taken out first */
    const double cc = c2 - c1 * c1 / n;
    const double ss = s2 - s1 * s1 / n;
    const double both = cs - c1 * s1 / n;
    const double yc = xc - x1 * c1 / n;
    const double ys = xs - x1 * s1 / n;
    const double det = cc * ss - both * both;
    if (det < 1e-6 * n * n) {
        return (fit){0, xx / n};
    }
    const double a = (yc * ss - ys * both) / det;
    const double b = (ys * cc - yc * both) / det;
    const double tone = (a * yc + b * ys) / n;
    const double rest = (xx - x1 * x1 / n) / n - tone;
    return (fit){tone, rest > 0 ? rest : 0};
}

/* The strongest bin, and what of the tone lies beside it. */
static double rough_hz(const int16_t *pcm) {
    static const size_t least = 4;
    wzp_fft_number x[SIZE];
    size_t at = least;
    double most = 0;
    for (size_t i = 0; i < SIZE; i++) {
        const double window = 0.5 - 0.5 * cos(turn * ((double)i + 0.5) / SIZE);
        x[i] = (wzp_fft_number){pcm[i] * window, 0};
    }
    wzp_fft(x, BITS);
    for (size_t i = least; i < SIZE / 2; i++) {
        const double power = x[i].re * x[i].re + x[i].im * x[i].im;
        if (power > most) {
            most = power;
            at = i;
        }
    }
    return (double)at * RATE / SIZE;
}

/* Of the frequencies a bin either way, the one that leaves the least. */
static double find_hz(const int16_t *pcm) {
    const double golden = 0.6180339887498949;
    const double rough = rough_hz(pcm);
    double low = rough - (double)RATE / SIZE / 2;
    double high = rough + (double)RATE / SIZE / 2;
    for (int i = 0; i < ROUNDS; i++) {
        const double left = high - (high - low) * golden;
        const double right = low + (high - low) * golden;
        if (fit_window(pcm, left).rest < fit_window(pcm, right).rest) {
            high = right;
        } else {
            low = left;
        }
    }
    return (low + high) / 2;
}

static double decibel(fit f) {
    return 10 * log10((f.rest + 1e-12) / (f.tone + 1e-12));
}

static bool is_silent(fit f) {
    return f.tone + f.rest < silent;
}

static void add(fit *sum, fit f) {
    sum->tone += f.tone;
    sum->rest += f.rest;
}

/* The frequency of the first window that is pure; 0: none of the first three with sound is. */
static double tone_of(const int16_t *pcm, size_t len, size_t *at) {
    size_t tries = 0;
    for (*at = 0; *at + WINDOW <= len && tries < TRIES; *at += WINDOW) {
        if (is_silent(fit_window(pcm + *at, 1000))) {
            continue;
        }
        const double hz = find_hz(pcm + *at);
        if (decibel(fit_window(pcm + *at, hz)) <= pure_db) {
            return hz;
        }
        tries++;
    }
    return 0;
}

/* Where the other side's clock runs a little faster, its tone is a little higher. */
static double tone_near(const int16_t *pcm, double hz) {
    const double found = find_hz(pcm);
    return fabs(found - hz) < hz * 0.001 ? found : hz;
}

void wzp_tone_measure(wzp_tone *out, const int16_t *reference, const int16_t *degraded,
                      size_t len) {
    size_t at = 0;
    size_t pure = 0;
    size_t impure = 0;
    fit a = {0, 0};
    fit b = {0, 0};
    *out = (wzp_tone){0};
    const double hz = tone_of(reference, len, &at);
    const double heard_hz = hz > 0 ? tone_near(degraded + at, hz) : 0;
    for (; hz > 0 && at + WINDOW <= len; at += WINDOW) {
        const fit f = fit_window(reference + at, hz);
        if (is_silent(f)) {
            continue;
        }
        if (decibel(f) > pure_db) { /* it begins or ends here, or there is more than it */
            impure++;
            continue;
        }
        pure++;
        add(&a, f);
        add(&b, fit_window(degraded + at, heard_hz));
    }
    if (pure > impure) {
        *out = (wzp_tone){.hz = hz, .reference_db = decibel(a), .thdn_db = decibel(b)};
        out->thdn_permille = 1000 * pow(10, out->thdn_db / 20);
    }
}
