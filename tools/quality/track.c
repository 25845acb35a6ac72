#include "tools/quality/track.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 96,        /* 2 ms, of the envelopes */
    WINDOW = 500,     /* steps that are compared */
    HOP = WINDOW / 2, /* from one window to the next */
    REACH = 150,      /* steps about the delay of most of it */
    LAGS = 2 * REACH + 1,
    LEAST = 4,             /* steps: less is no change */
    FINE_WINDOW = 480,     /* samples about a step that the waveforms decide about */
    FINE_MOST = 4 * 48000, /* samples that are compared, one of FINE_STEP */
    FINE_STEP = 3,
};

/* What a change must gain in correlation, summed over windows, and more for each step that it is
 * long.  A window in which loss makes another delay look a little better is not worth a change
 * there and back. */
static const double change_cost = 0.4;
static const double step_cost = 0.004;
static const double alike = 0.4; /* waveforms, of codecs that keep them */
static const double quiet = 0.1; /* of the mean level: nothing to compare */

typedef struct tracking {
    const wzp_align_sound *a, *b;
    double *level_a, *level_b;
    size_t steps_a, steps_b;
    double mean_a; /* level */
    double gain;   /* brings b's levels to those of a */
    wzp_track *track;
    int64_t current; /* delay, steps */
} tracking;

static double mean_of(const double *level, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += level[i];
    }
    return n > 0 ? sum / (double)n : 0;
}

static double *levels_of(const wzp_align_sound *s, size_t *steps) {
    *steps = s->len / STEP;
    double *level = malloc((*steps + 1) * sizeof *level);
    for (size_t i = 0; level != NULL && i < *steps; i++) {
        double sum = 0;
        for (size_t k = i * STEP; k < (i + 1) * STEP; k++) {
            sum += (double)s->pcm[k] * s->pcm[k];
        }
        level[i] = sqrt(sum / STEP);
    }
    return level;
}

/* --- windows ---------------------------------------------------------------------------------- */

/* The correlation of the levels from step `from` on; -1: b does not reach, or one is constant. */
static double agree(const tracking *t, size_t from, int64_t lag) {
    const int64_t other = (int64_t)from + lag;
    if (other < 0 || (size_t)other + WINDOW > t->steps_b) {
        return -1;
    }
    const double *a = t->level_a + from;
    const double *b = t->level_b + other;
    const double mean_a = mean_of(a, WINDOW);
    const double mean_b = mean_of(b, WINDOW);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (size_t i = 0; i < WINDOW; i++) {
        const double x = a[i] - mean_a;
        const double y = b[i] - mean_b;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : -1;
}

/* The waveforms' word about a delay that is known to a step, of windows `from` to `to`. */
static int32_t refine(const tracking *t, size_t from, size_t to, int64_t rough) {
    const size_t first = from * HOP * STEP;
    const size_t len = ((to - from) * HOP + WINDOW - HOP) * STEP;
    const size_t last = first + (len < FINE_MOST ? len : FINE_MOST);
    double best = alike;
    int64_t delay = rough * STEP;
    for (int64_t off = -FINE_WINDOW / 2; off <= FINE_WINDOW / 2; off++) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (size_t i = first; i < last && i < t->a->len; i += FINE_STEP) {
            const int64_t k = (int64_t)i + rough * STEP + off;
            if (k >= 0 && (size_t)k < t->b->len) {
                ab += (double)t->a->pcm[i] * t->b->pcm[k];
                aa += (double)t->a->pcm[i] * t->a->pcm[i];
                bb += (double)t->b->pcm[k] * t->b->pcm[k];
            }
        }
        const double is = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : -1;
        if (is > best) {
            best = is;
            delay = rough * STEP + off;
        }
    }
    return (int32_t)delay;
}

/* --- changes ---------------------------------------------------------------------------------- */

static double differ(const tracking *t, size_t i, int64_t lag) {
    const int64_t k = (int64_t)i + lag;
    const double b = k >= 0 && (size_t)k < t->steps_b ? t->level_b[k] * t->gain : 0;
    return fabs(t->level_a[i] - b);
}

/* Where the levels say that the one delay ends and the other begins. */
static size_t split(const tracking *t, size_t from, size_t to, int64_t before, int64_t after) {
    double sum = 0;
    double least = 0;
    size_t at = from;
    for (size_t i = from; i < to; i++) {
        sum += differ(t, i, before) - differ(t, i, after);
        if (sum < least) {
            least = sum;
            at = i + 1;
        }
    }
    return at;
}

static void change(tracking *t, size_t window, int64_t lag, int32_t delay) {
    wzp_track *track = t->track;
    const size_t at = split(t, window - HOP, window + WINDOW, t->current, lag);
    if (track->count < WZP_TRACK_CHANGES_MAX) {
        track->changes[track->count++] = (wzp_track_change){at * STEP, delay};
    }
    t->current = lag;
}

/* --- the way through all windows -------------------------------------------------------------- */

/* How bad each delay is in a window, 0 to 2; nothing for a window that cannot tell. */
static void weigh(const tracking *t, size_t window, double cost[LAGS]) {
    const int64_t first = t->track->delay / STEP - REACH;
    bool tells = mean_of(t->level_a + window, WINDOW) >= t->mean_a * quiet;
    for (size_t i = 0; i < LAGS; i++) {
        const double is = tells ? agree(t, window, first + (int64_t)i) : -2;
        tells = tells && is > -1;
        cost[i] = 1 - is;
    }
    for (size_t i = 0; i < LAGS && !tells; i++) {
        cost[i] = 0;
    }
}

static size_t least_of(const double sum[LAGS]) {
    size_t at = 0;
    for (size_t i = 1; i < LAGS; i++) {
        at = sum[i] < sum[at] ? i : at;
    }
    return at;
}

/* For each delay the one to come from, if it is to be another one: its sum is made more by what the
 * way from there costs. */
static void spread(double sum[LAGS], uint16_t from[LAGS]) {
    for (size_t i = 0; i < LAGS; i++) {
        from[i] = (uint16_t)i;
    }
    for (size_t i = 1; i < LAGS; i++) {
        if (sum[i - 1] + step_cost < sum[i]) {
            sum[i] = sum[i - 1] + step_cost;
            from[i] = from[i - 1];
        }
    }
    for (size_t i = LAGS - 1; i > 0; i--) {
        if (sum[i] + step_cost < sum[i - 1]) {
            sum[i - 1] = sum[i] + step_cost;
            from[i - 1] = from[i];
        }
    }
}

/* The delays with the least sum of what they and their changes cost: each window's is found going
 * back from the last (Viterbi).  from[windows][LAGS] tells which delay was before. */
static void pave(const tracking *t, uint16_t (*from)[LAGS], size_t windows, uint16_t *lags) {
    double sum[LAGS];
    double moved[LAGS];
    double cost[LAGS];
    weigh(t, 0, sum);
    for (size_t w = 1; w < windows; w++) {
        memcpy(moved, sum, sizeof moved);
        spread(moved, from[w]);
        weigh(t, w * HOP, cost);
        for (size_t i = 0; i < LAGS; i++) {
            const bool stays = sum[i] <= moved[i] + change_cost;
            from[w][i] = stays ? (uint16_t)i : from[w][i];
            sum[i] = cost[i] + (stays ? sum[i] : moved[i] + change_cost);
        }
    }
    lags[windows - 1] = (uint16_t)least_of(sum);
    for (size_t w = windows - 1; w > 0; w--) {
        lags[w - 1] = from[w][lags[w]];
    }
}

/* The delay that most of the windows have. */
static size_t usual(const uint16_t *lags, size_t from, size_t to) {
    uint16_t counts[LAGS] = {0};
    size_t most = lags[from];
    for (size_t i = from; i < to; i++) {
        counts[lags[i]]++;
        most = counts[lags[i]] > counts[most] ? lags[i] : most;
    }
    return most;
}

/* Windows whose delays are next to each other have one. */
static void follow(tracking *t, const uint16_t *lags, size_t windows) {
    const int64_t first = t->track->delay / STEP - REACH;
    size_t end = 0;
    for (size_t w = 0; w < windows; w = end) {
        end = w + 1;
        while (end < windows && abs((int)lags[end] - (int)lags[w]) <= LEAST) {
            end++;
        }
        const int64_t lag = first + (int64_t)usual(lags, w, end);
        /* Of the whole, wzp_align knows better than a window; but it may be what lies between two.
         */
        const bool is_main = llabs(lag - t->track->delay / STEP) <= 1;
        const int32_t delay = is_main ? t->track->delay : refine(t, w, end, lag);
        if (w == 0) {
            t->track->changes[0].delay = delay;
            t->current = lag;
        } else {
            change(t, w * HOP, lag, delay);
        }
    }
}

static wzp_err run(tracking *t) {
    const size_t windows = t->steps_a < WINDOW ? 0 : (t->steps_a - WINDOW) / HOP + 1;
    if (windows < 2) {
        return WZP_OK; /* too short for a change */
    }
    uint16_t(*from)[LAGS] = malloc(windows * sizeof *from);
    uint16_t *lags = malloc(windows * sizeof *lags);
    const bool has_room = from != NULL && lags != NULL;
    if (has_room) {
        const double mean_b = mean_of(t->level_b, t->steps_b);
        t->mean_a = mean_of(t->level_a, t->steps_a);
        t->gain = mean_b > 0 ? t->mean_a / mean_b : 1;
        pave(t, from, windows, lags);
        follow(t, lags, windows);
    }
    free(from);
    free(lags);
    return has_room ? WZP_OK : WZP_ERR_NOMEM;
}

wzp_err wzp_track_find(wzp_track *out, const wzp_align_sound *a, const wzp_align_sound *b,
                       uint32_t most_ms) {
    wzp_track track = {0};
    tracking t = {.a = a, .b = b, .track = &track};
    wzp_err err = wzp_align(&track.delay, a, b, most_ms);
    if (err != WZP_OK) {
        return err;
    }
    track.changes[0].delay = track.delay;
    track.count = 1;
    t.current = track.delay / STEP;
    t.level_a = levels_of(a, &t.steps_a);
    t.level_b = levels_of(b, &t.steps_b);
    if (t.level_a != NULL && t.level_b != NULL) {
        err = run(&t);
    } else {
        err = WZP_ERR_NOMEM;
    }
    if (err == WZP_OK) {
        *out = track;
    }
    free(t.level_a);
    free(t.level_b);
    return err;
}

int32_t wzp_track_delay_at(const wzp_track *track, size_t at) {
    size_t i = track->count - 1;
    while (i > 0 && track->changes[i].at > at) {
        i--;
    }
    return track->changes[i].delay;
}
