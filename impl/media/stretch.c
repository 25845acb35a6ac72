#include "media/stretch.h"

#include <stdbool.h>
#include <string.h>

/* A lag is looked for at a quarter of the rate first, then around the one that was found. */
enum { COARSE = 4, COARSE_FRAME = WZP_STRETCH_FRAME / COARSE, AROUND = COARSE - 1 };

#define QUIET 100 /* root mean square, as in silence.h: what is below it may be cut anywhere */

/* So that the square of a sum over the overlap has 64 bits. */
enum { SHIFT = 3 };

static uint64_t energy(const int16_t *x, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t a = x[i] / (1 << SHIFT);
        sum += (uint64_t)(a * a);
    }
    return sum;
}

/* The share of `x` that `y` is like, as an energy: 0 to that of x. */
static uint64_t likeness(const int16_t *x, const int16_t *y, size_t n) {
    int64_t product = 0;
    for (size_t i = 0; i < n; i++) {
        product += (int64_t)(x[i] / (1 << SHIFT)) * (y[i] / (1 << SHIFT));
    }
    const uint64_t other = energy(y, n);
    return product > 0 && other > 0 ? (uint64_t)product * (uint64_t)product / other : 0;
}

typedef struct found {
    size_t lag;
    uint64_t likeness;
} found;

/* The longest of the lags at which x is nearly as much like itself as it ever is: of a high voice
 * several periods go at once. */
static found search(const int16_t *x, size_t overlap, size_t first, size_t last) {
    found best = {0, 0};
    for (size_t lag = first; lag <= last; lag++) {
        const uint64_t here = likeness(x, x + lag, overlap);
        const bool is_better = here > best.likeness;
        if (is_better || (here > 0 && here >= best.likeness - best.likeness / 32)) {
            best.lag = lag;
            best.likeness = is_better ? here : best.likeness;
        }
    }
    return best;
}

static size_t coarse_lag(const int16_t *pcm) {
    int16_t slow[COARSE_FRAME];
    for (size_t i = 0; i < COARSE_FRAME; i++) {
        int32_t sum = 0;
        for (size_t k = 0; k < COARSE; k++) {
            sum += pcm[COARSE * i + k];
        }
        slow[i] = (int16_t)(sum / COARSE);
    }
    return COARSE * search(slow, WZP_STRETCH_OVERLAP / COARSE, WZP_STRETCH_LEAST / COARSE,
                           WZP_STRETCH_MOST / COARSE)
                        .lag;
}

/* 0: at no lag is the sound enough like itself. */
static size_t find_lag(const int16_t *pcm, wzp_stretch_need need) {
    const uint64_t own = energy(pcm, WZP_STRETCH_OVERLAP);
    const uint64_t quiet = (uint64_t)(QUIET >> SHIFT) * (QUIET >> SHIFT);
    if (energy(pcm, WZP_STRETCH_FRAME) < quiet * WZP_STRETCH_FRAME) {
        return WZP_STRETCH_MOST;
    }
    const size_t near = coarse_lag(pcm);
    if (near == 0) {
        return need == WZP_STRETCH_ANYHOW ? WZP_STRETCH_LEAST : 0;
    }
    const size_t first = near - AROUND > WZP_STRETCH_LEAST ? near - AROUND : WZP_STRETCH_LEAST;
    const size_t last = near + AROUND < WZP_STRETCH_MOST ? near + AROUND : WZP_STRETCH_MOST;
    const found best = search(pcm, WZP_STRETCH_OVERLAP, first, last);
    const bool is_alike = best.likeness >= own * 5 / 8; /* a correlation of 0.8 */
    return is_alike || need == WZP_STRETCH_ANYHOW ? best.lag : 0;
}

/* From one sound to the other; both may lie where the result goes. */
static void fade(int16_t *at, const int16_t *from, const int16_t *to) {
    int16_t seam[WZP_STRETCH_OVERLAP];
    for (int32_t i = 0; i < WZP_STRETCH_OVERLAP; i++) {
        const int32_t left = WZP_STRETCH_OVERLAP - i;
        seam[i] = (int16_t)((from[i] * left + to[i] * i) / WZP_STRETCH_OVERLAP);
    }
    memcpy(at, seam, sizeof seam);
}

size_t wzp_stretch_shorten(int16_t *pcm, size_t samples, wzp_stretch_need need) {
    const size_t lag = samples >= WZP_STRETCH_FRAME ? find_lag(pcm, need) : 0;
    if (lag > 0) {
        fade(pcm + lag, pcm, pcm + lag);
        memmove(pcm, pcm + lag, (samples - lag) * sizeof *pcm);
    }
    return lag;
}

size_t wzp_stretch_lengthen(int16_t *pcm, size_t samples, wzp_stretch_need need) {
    const size_t lag = samples >= WZP_STRETCH_FRAME ? find_lag(pcm, need) : 0;
    if (lag > 0) {
        memmove(pcm + lag, pcm, samples * sizeof *pcm);
        /* pcm[0..lag) is as it was, and what comes again lies behind it. */
        fade(pcm + lag, pcm + 2 * lag, pcm + lag);
    }
    return lag;
}
