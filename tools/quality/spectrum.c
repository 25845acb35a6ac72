#include "tools/quality/spectrum.h"

#include <math.h>
#include <stddef.h>

#include "tools/quality/fft.h"

enum { SIZE = 1024, BITS = 10, RATE = 48000, ROW_BINS = 4 };

static const double scale = 2 / (0.375 * WZP_SPECTRUM_FRAME * SIZE); /* to mean squares */
static const double turn = 6.283185307179586;

static const uint16_t edges_hz[WZP_SPECTRUM_BANDS + 1] = {
    0,    100,  200,  300,  400,  510,  630,  770,  920,  1080, 1270,
    1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700};

static double squares(const wzp_fft_number *x) {
    return x->re * x->re + x->im * x->im;
}

static void transform(wzp_fft_number x[SIZE], const int16_t *pcm) {
    for (size_t i = 0; i < SIZE; i++) {
        const double window = 0.5 - 0.5 * cos(turn * ((double)i + 0.5) / WZP_SPECTRUM_FRAME);
        x[i] = (wzp_fft_number){i < WZP_SPECTRUM_FRAME ? pcm[i] * window : 0, 0};
    }
    wzp_fft(x, BITS);
}

void wzp_spectrum_bands(const int16_t *pcm, double bands[WZP_SPECTRUM_BANDS]) {
    wzp_fft_number x[SIZE];
    transform(x, pcm);
    size_t bin = 1;
    for (size_t b = 0; b < WZP_SPECTRUM_BANDS; b++) {
        const size_t end = (size_t)edges_hz[b + 1] * SIZE / RATE;
        bands[b] = 0;
        for (; bin <= end; bin++) {
            bands[b] += squares(&x[bin]) * scale;
        }
    }
}

void wzp_spectrum_rows(const int16_t *pcm, double rows[WZP_SPECTRUM_ROWS]) {
    wzp_fft_number x[SIZE];
    transform(x, pcm);
    for (size_t i = 0; i < WZP_SPECTRUM_ROWS; i++) {
        rows[i] = 0;
        for (size_t bin = i * ROW_BINS; bin < (i + 1) * ROW_BINS; bin++) {
            rows[i] += squares(&x[bin]) * scale;
        }
    }
}
