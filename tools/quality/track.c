#include "tools/quality/track.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    STEP = 96,         /* 2 ms, of the envelopes */
    WINDOW = 500,      /* steps that are compared */
    HOP = WINDOW / 2,  /* from one window to the next */
    REACH = 150,       /* steps about the delay of most of it */
    LEAST = 2,         /* steps: less is no change */
    FINE_WINDOW = 480, /* samples about a step that the waveforms decide about */
};

static const double alike = 0.85; /* correlation from which on a window tells a delay */
static const double better = 0.2; /* than with the delay of before */
static const double quiet = 0.1;  /* of the mean level: nothing to compare */

typedef struct tracking {
    const wzp_align_sound *a, *b;
    double *level_a, *level_b;
    size_t steps_a, steps_b;
    double mean_a; /* level */
    double gain;   /* brings b's levels to those of a */
    wzp_track *track;
    int64_t current;  /* delay, steps */
    int64_t proposed; /* by the window before */
    bool is_proposed;
    size_t since; /* step from which on `proposed` may hold */
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

static double best_of(const tracking *t, size_t from, int64_t *lag) {
    const int64_t middle = t->track->delay / STEP;
    double best = -1;
    for (int64_t i = middle - REACH; i <= middle + REACH; i++) {
        const double is = agree(t, from, i);
        if (is > best) {
            best = is;
            *lag = i;
        }
    }
    return best;
}

/* The waveforms' word about a delay that is known to a step. */
static int32_t refine(const tracking *t, size_t from, int64_t rough) {
    const size_t first = from * STEP;
    double best = 0.3;
    int64_t delay = rough * STEP;
    for (int64_t off = -FINE_WINDOW / 2; off <= FINE_WINDOW / 2; off++) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (size_t i = first; i < first + (size_t)WINDOW * STEP && i < t->a->len; i++) {
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

static void change(tracking *t, size_t window, int64_t lag) {
    wzp_track *track = t->track;
    const size_t at = split(t, t->since, window + WINDOW, t->current, lag);
    const int32_t delay = refine(t, window, lag);
    const bool at_once = track->count == 1 && at <= LEAST;
    if (at_once) {
        track->changes[0].delay = delay;
    } else if (track->count < WZP_TRACK_CHANGES_MAX) {
        track->changes[track->count++] = (wzp_track_change){at * STEP, delay};
    }
    t->current = lag;
}

/* Two windows in a row must say the same: one may be a chance of loss and likeness. */
static void look(tracking *t, size_t window) {
    int64_t lag = t->current;
    if (mean_of(t->level_a + window, WINDOW) < t->mean_a * quiet) {
        return;
    }
    const double with = best_of(t, window, &lag);
    const double without = agree(t, window, t->current);
    const bool is_other =
        llabs(lag - t->current) > LEAST && with > alike && with > without + better;
    if (is_other && t->is_proposed && llabs(lag - t->proposed) <= LEAST) {
        change(t, window, lag);
        t->is_proposed = false;
    } else {
        t->is_proposed = is_other;
        t->proposed = lag;
    }
    if (!t->is_proposed) {
        t->since = window;
    }
}

static void run(tracking *t) {
    t->mean_a = mean_of(t->level_a, t->steps_a);
    const double mean_b = mean_of(t->level_b, t->steps_b);
    t->gain = mean_b > 0 ? t->mean_a / mean_b : 1;
    for (size_t window = 0; window + WINDOW <= t->steps_a; window += HOP) {
        look(t, window);
    }
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
        run(&t);
        *out = track;
    } else {
        err = WZP_ERR_NOMEM;
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
