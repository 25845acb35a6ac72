#include "tools/quality/fft.h"

#include <math.h>
#include <stddef.h>

static const double turn = 6.283185307179586;

static void reorder(wzp_fft_number *x, unsigned bits) {
    for (size_t i = 0; i < (size_t)1 << bits; i++) {
        size_t reversed = 0;
        for (unsigned bit = 0; bit < bits; bit++) {
            reversed = reversed << 1 | (i >> bit & 1);
        }
        if (reversed > i) {
            const wzp_fft_number t = x[i];
            x[i] = x[reversed];
            x[reversed] = t;
        }
    }
}

void wzp_fft(wzp_fft_number *x, unsigned bits) {
    const size_t size = (size_t)1 << bits;
    reorder(x, bits);
    for (size_t half = 1; half < size; half *= 2) {
        for (size_t k = 0; k < half; k++) {
            const double angle = -turn * (double)k / (double)(2 * half);
            const wzp_fft_number w = {cos(angle), sin(angle)};
            for (size_t i = k; i < size; i += 2 * half) {
                const wzp_fft_number a = x[i];
                const wzp_fft_number b = x[i + half];
                const wzp_fft_number t = {b.re * w.re - b.im * w.im, b.re * w.im + b.im * w.re};
                x[i] = (wzp_fft_number){a.re + t.re, a.im + t.im};
                x[i + half] = (wzp_fft_number){a.re - t.re, a.im - t.im};
            }
        }
    }
}
