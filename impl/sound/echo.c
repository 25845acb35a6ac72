#include "sound/echo.h"

#include <math.h>
#include <stdlib.h>

enum { SECOND = 48000, NEAR_MS = 300 /* the delay does not change by more at once */ };

static const double same = 0.8;   /* correlation from which on the delay is taken to be the same */
static const double limit = 60.0; /* dB, either way */

/* Sums over what is compared. */
typedef struct sums {
    double aa, bb, ab, noise;
} sums;

/* Of said[from..to) with what was heard `delay` later.  What was not heard is zero. */
static sums add_up(const wzp_align_sound *said, const wzp_align_sound *heard, size_t from,
                   size_t to, int32_t delay) {
    sums s = {0};
    for (size_t i = from; i < to; i++) {
        const int64_t k = (int64_t)i + delay;
        const double a = said->pcm[i];
        const double b = k >= 0 && (size_t)k < heard->len ? heard->pcm[k] : 0;
        s.aa += a * a;
        s.bb += b * b;
        s.ab += a * b;
        s.noise += (a - b) * (a - b);
    }
    return s;
}

static double correlation_of(const sums *s) {
    return s->aa > 0 && s->bb > 0 ? s->ab / sqrt(s->aa * s->bb) : 0;
}

static double snr_of(const sums *s) {
    const double db = s->aa > 0 && s->noise > 0 ? 10 * log10(s->aa / s->noise) : limit;
    return fmax(-limit, fmin(limit, s->aa > 0 ? db : -limit));
}

static int32_t peak_of(const wzp_align_sound *heard, size_t from, size_t to, int32_t delay) {
    int32_t peak = 0;
    for (size_t i = from; i < to; i++) {
        const int64_t k = (int64_t)i + delay;
        const int32_t level = k >= 0 && (size_t)k < heard->len ? abs(heard->pcm[k]) : 0;
        peak = level > peak ? level : peak;
    }
    return peak;
}

static size_t within(int64_t at, size_t len) {
    return at < 0 ? 0 : (size_t)at < len ? (size_t)at : len;
}

/* The delay around said[from..to), not further than `most_ms` from what it was.  So much is added
 * at both ends that any delay leaves enough to compare.  WZP_ERR_INVALID_ARGUMENT: too little was
 * heard. */
static wzp_err realign(int32_t *delay, const wzp_align_sound *said, const wzp_align_sound *heard,
                       size_t from, size_t to, uint32_t most_ms) {
    const int64_t margin = (int64_t)most_ms * (SECOND / 1000);
    const size_t a = within((int64_t)from - margin, said->len);
    const size_t a_end = within((int64_t)to + margin, said->len);
    const size_t b = within((int64_t)a + *delay, heard->len);
    const size_t b_end = within((int64_t)a_end + *delay + margin, heard->len);
    int32_t found = 0;
    if (b_end <= b) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_err err = wzp_align(&found, &(wzp_align_sound){said->pcm + a, a_end - a},
                                  &(wzp_align_sound){heard->pcm + b, b_end - b}, most_ms);
    if (err == WZP_OK) {
        *delay = (int32_t)((int64_t)found + (int64_t)b - (int64_t)a);
    }
    return err;
}

static double alike(const wzp_align_sound *said, const wzp_align_sound *heard, size_t from,
                    size_t to, int32_t delay) {
    const sums s = add_up(said, heard, from, to, delay);
    return correlation_of(&s);
}

/* What was found is about more than this second; here it may be some samples off. */
static int32_t settle(const wzp_align_sound *said, const wzp_align_sound *heard, size_t from,
                      size_t to, int32_t delay) {
    double best = alike(said, heard, from, to, delay);
    for (int32_t step = -1; step <= 1; step += 2) {
        double next = 0;
        while ((next = alike(said, heard, from, to, delay + step)) > best) {
            best = next;
            delay += step;
        }
    }
    return delay;
}

/* One second: where is it?  It moves only to where it is more alike. */
static wzp_err place(wzp_echo_window *w, const wzp_align_sound *said, const wzp_align_sound *heard,
                     size_t from, size_t to) {
    const double here = alike(said, heard, from, to, w->delay);
    int32_t delay = w->delay;
    if (here >= same || peak_of(heard, from, to, w->delay) < WZP_ECHO_SILENT_PEAK) {
        return WZP_OK;
    }
    const wzp_err err = realign(&delay, said, heard, from, to, NEAR_MS);
    if (err == WZP_OK && delay != w->delay) {
        delay = settle(said, heard, from, to, delay);
        if (alike(said, heard, from, to, delay) > here + 0.05) {
            w->delay = delay;
            w->moves++;
        }
    }
    return err == WZP_ERR_INVALID_ARGUMENT ? WZP_OK : err;
}

static wzp_err compare_window(wzp_echo_window *w, const wzp_align_sound *said,
                              const wzp_align_sound *heard, size_t from, size_t to) {
    sums all = {0};
    for (size_t at = from; at < to; at += SECOND) {
        const size_t next = at + SECOND < to ? at + SECOND : to;
        const wzp_err err = place(w, said, heard, at, next);
        if (err != WZP_OK) {
            return err;
        }
        const sums s = add_up(said, heard, at, next, w->delay);
        const int32_t peak = peak_of(heard, at, next, w->delay);
        all.aa += s.aa;
        all.bb += s.bb;
        all.ab += s.ab;
        all.noise += s.noise;
        w->peak = peak > w->peak ? peak : w->peak;
    }
    w->silent = w->peak < WZP_ECHO_SILENT_PEAK;
    w->correlation = w->silent ? 0 : correlation_of(&all);
    w->snr_db = snr_of(&all);
    return WZP_OK;
}

size_t wzp_echo_count(size_t len) {
    const size_t whole = len / WZP_ECHO_WINDOW;
    return whole + (len % WZP_ECHO_WINDOW >= SECOND ? 1 : 0);
}

wzp_err wzp_echo_compare(wzp_echo_window *windows, const wzp_align_sound *said,
                         const wzp_align_sound *heard) {
    int32_t delay = 0;
    const size_t count = wzp_echo_count(said->len);
    const size_t first = within((int64_t)3 * SECOND, said->len); /* with its margin a window */
    /* A quarter of what is compared: else a short overlap could look alike by chance. */
    const size_t quarter = within((int64_t)5 * SECOND, said->len) / ((size_t)4 * (SECOND / 1000));
    const uint32_t most =
        quarter < WZP_ECHO_DELAY_MAX_MS ? (uint32_t)quarter : WZP_ECHO_DELAY_MAX_MS;
    wzp_err err = realign(&delay, said, heard, 0, first, most);
    err = err == WZP_ERR_INVALID_ARGUMENT ? WZP_OK : err;
    for (size_t i = 0; i < count && err == WZP_OK; i++) {
        const size_t from = i * WZP_ECHO_WINDOW;
        const size_t to = from + WZP_ECHO_WINDOW < said->len ? from + WZP_ECHO_WINDOW : said->len;
        windows[i] = (wzp_echo_window){.delay = delay};
        err = compare_window(&windows[i], said, heard, from, to);
        delay = windows[i].delay;
    }
    return err;
}
