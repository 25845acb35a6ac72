#include "sound/align.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    STEP = 96,            /* 2 ms, of the envelopes */
    STEPS_MAX = 60 * 500, /* a minute of them */
    LEAST = 9600,         /* samples to say anything of */
    FINE = 2 * STEP,      /* samples either way */
    FINE_WINDOW = 48000,  /* samples that are compared */
};

static const double alike = 0.3; /* correlation from which on waveforms tell more than envelopes */

typedef struct envelope {
    double *level;
    size_t len;
} envelope;

static bool open_envelope(envelope *e, const wzp_align_sound *s) {
    const size_t whole = s->len / STEP;
    double mean = 0;
    e->len = whole < STEPS_MAX ? whole : STEPS_MAX;
    e->level = malloc((e->len + 1) * sizeof *e->level);
    if (e->level == NULL) {
        return false;
    }
    for (size_t i = 0; i < e->len; i++) {
        double sum = 0;
        for (size_t k = i * STEP; k < (i + 1) * STEP; k++) {
            sum += (double)s->pcm[k] * s->pcm[k];
        }
        e->level[i] = sqrt(sum / STEP);
        mean += e->level[i] / (double)e->len;
    }
    for (size_t i = 0; i < e->len; i++) {
        e->level[i] -= mean;
    }
    return true;
}

/* Of what overlaps when b is `lag` steps later; -1 if that is too little or one is constant. */
static double envelopes_agree(const envelope *a, const envelope *b, int32_t lag) {
    const size_t from_a = lag < 0 ? (size_t)-lag : 0;
    const size_t from_b = lag > 0 ? (size_t)lag : 0;
    double ab = 0;
    double aa = 0;
    double bb = 0;
    size_t n = 0;
    for (; from_a + n < a->len && from_b + n < b->len; n++) {
        const double x = a->level[from_a + n];
        const double y = b->level[from_b + n];
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return n * STEP >= LEAST && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : -1;
}

static int32_t coarse(const envelope *a, const envelope *b, int32_t most) {
    double best = -1;
    int32_t delay = 0;
    for (int32_t i = 0; i <= 2 * most; i++) {
        const int32_t lag = i % 2 == 0 ? i / 2 : -(i + 1) / 2; /* the nearest first */
        const double agree = envelopes_agree(a, b, lag);
        if (agree > best + 1e-9) {
            best = agree;
            delay = lag;
        }
    }
    return delay * STEP;
}

/* The start of the loudest second. */
static size_t loudest(const wzp_align_sound *a) {
    const size_t step = FINE_WINDOW / 4;
    double most = -1;
    size_t at = 0;
    for (size_t from = 0; from + FINE_WINDOW <= a->len && from < (size_t)STEP * STEPS_MAX;
         from += step) {
        double sum = 0;
        for (size_t i = from; i < from + FINE_WINDOW; i += 4) {
            sum += (double)a->pcm[i] * a->pcm[i];
        }
        if (sum > most) {
            most = sum;
            at = from;
        }
    }
    return at;
}

static double waveforms_agree(const wzp_align_sound *a, const wzp_align_sound *b, size_t from,
                              int64_t delay) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (size_t i = from; i < from + FINE_WINDOW && i < a->len; i++) {
        const int64_t k = (int64_t)i + delay;
        if (k >= 0 && (size_t)k < b->len) {
            const double x = a->pcm[i];
            const double y = b->pcm[k];
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : -1;
}

static int32_t fine(const wzp_align_sound *a, const wzp_align_sound *b, int32_t rough) {
    const size_t from = loudest(a);
    double best = alike;
    int32_t delay = rough;
    for (int32_t off = -FINE; off <= FINE; off++) {
        const double agree = waveforms_agree(a, b, from, rough + off);
        if (agree > best) {
            best = agree;
            delay = rough + off;
        }
    }
    return delay;
}

wzp_err wzp_align(int32_t *delay, const wzp_align_sound *a, const wzp_align_sound *b,
                  uint32_t most_ms) {
    envelope ea = {NULL, 0};
    envelope eb = {NULL, 0};
    wzp_err err = WZP_ERR_NOMEM;
    if (a->len < LEAST || b->len < LEAST) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    if (open_envelope(&ea, a) && open_envelope(&eb, b)) {
        *delay = fine(a, b, coarse(&ea, &eb, (int32_t)(most_ms * 48 / STEP)));
        err = WZP_OK;
    }
    free(ea.level);
    free(eb.level);
    return err;
}
