#include "tools/quality/spectrum.h"

#include <math.h>
#include <stddef.h>

enum { SIZE = 1024, BITS = 10, RATE = 48000 };

static const double turn = 6.283185307179586;

static const uint16_t edges_hz[WZP_SPECTRUM_BANDS + 1] = {
    0,    100,  200,  300,  400,  510,  630,  770,  920,  1080, 1270,
    1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700};

typedef struct number {
    double re, im;
} number;

static size_t reversed(size_t i) {
    size_t out = 0;
    for (int bit = 0; bit < BITS; bit++) {
        out = out << 1 | (i >> bit & 1);
    }
    return out;
}

/* In place, input in the order of reversed bits. */
static void transform(number x[SIZE]) {
    for (size_t half = 1; half < SIZE; half *= 2) {
        for (size_t k = 0; k < half; k++) {
            const double angle = -turn * (double)k / (double)(2 * half);
            const number w = {cos(angle), sin(angle)};
            for (size_t i = k; i < SIZE; i += 2 * half) {
                const number a = x[i];
                const number b = x[i + half];
                const number t = {b.re * w.re - b.im * w.im, b.re * w.im + b.im * w.re};
                x[i] = (number){a.re + t.re, a.im + t.im};
                x[i + half] = (number){a.re - t.re, a.im - t.im};
            }
        }
    }
}

void wzp_spectrum_bands(const int16_t *pcm, double bands[WZP_SPECTRUM_BANDS]) {
    number x[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        const double window = 0.5 - 0.5 * cos(turn * ((double)i + 0.5) / WZP_SPECTRUM_FRAME);
        x[reversed(i)] = (number){i < WZP_SPECTRUM_FRAME ? pcm[i] * window : 0, 0};
    }
    transform(x);
    size_t bin = 1;
    for (size_t b = 0; b < WZP_SPECTRUM_BANDS; b++) {
        const size_t end = (size_t)edges_hz[b + 1] * SIZE / RATE;
        bands[b] = 0;
        for (; bin <= end; bin++) {
            const double squares = x[bin].re * x[bin].re + x[bin].im * x[bin].im;
            bands[b] += squares * 2 / (0.375 * WZP_SPECTRUM_FRAME * SIZE);
        }
    }
}
