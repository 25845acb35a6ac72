#include "tools/pcap/flow/timing.h"

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"

enum { DRIFT_LEAST = 8, DRIFT_SECONDS = 10 };
enum { CLOCK_SET_MS = 3600000 }; /* no path is so slow: it is another clock, or a wrong time */

const uint32_t wzp_pcap_gap_bounds_ms[WZP_PCAP_GAP_BOUNDS] = {1,  5,   10,  20,  30,  40, 60,
                                                              80, 100, 150, 200, 300, 500};
const uint32_t wzp_pcap_size_bounds[WZP_PCAP_SIZE_BOUNDS] = {
    16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};

size_t wzp_pcap_bound(const uint32_t *bounds, size_t count, double value) {
    size_t i = 0;
    while (i < count && value > bounds[i]) {
        i++;
    }
    return i;
}

/* --- spreads ---------------------------------------------------------------------------------- */

void wzp_pcap_spread_add(wzp_pcap_spread *s, double value) {
    s->count++;
    s->min = s->count == 1 || value < s->min ? value : s->min;
    s->max = s->count == 1 || value > s->max ? value : s->max;
    const double off = value - s->mean;
    s->mean += off / (double)s->count;
    s->squares += off * (value - s->mean);
}

double wzp_pcap_spread_cov(const wzp_pcap_spread *s) {
    return s->count < 2 || s->mean <= 0 ? 0 : sqrt(s->squares / (double)s->count) / s->mean;
}

/* --- drift ------------------------------------------------------------------------------------ */

static void put_least(wzp_pcap_drift *d, size_t bin, uint64_t at, int64_t delay) {
    if (d->at[bin] == 0 || delay < d->least[bin]) {
        d->at[bin] = at;
        d->least[bin] = delay;
    }
}

static void widen(wzp_pcap_drift *d) {
    for (size_t i = 0; i < WZP_PCAP_DRIFT_BINS; i++) {
        const uint64_t at = d->at[i];
        d->at[i] = 0;
        if (at != 0) {
            put_least(d, i / 2, at, d->least[i]);
        }
    }
    d->width_ns *= 2;
}

void wzp_pcap_drift_add(wzp_pcap_drift *d, uint64_t ns, int64_t delay_ns) {
    if (d->width_ns == 0) {
        d->width_ns = WZP_S;
        d->from_ns = ns;
    }
    const uint64_t since = wzp_time_since(ns, d->from_ns);
    while (since / d->width_ns >= WZP_PCAP_DRIFT_BINS) {
        widen(d);
    }
    put_least(d, (size_t)(since / d->width_ns), since + 1, delay_ns);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

bool wzp_pcap_drift_ppm(const wzp_pcap_drift *d, double *ppm) {
    static const size_t most = (size_t)WZP_PCAP_DRIFT_BINS * (WZP_PCAP_DRIFT_BINS - 1) / 2;
    size_t used[WZP_PCAP_DRIFT_BINS];
    size_t count = 0;
    size_t slopes = 0;
    for (size_t i = 0; i < WZP_PCAP_DRIFT_BINS; i++) {
        if (d->at[i] != 0) {
            used[count++] = i;
        }
    }
    if (count < DRIFT_LEAST || d->at[used[count - 1]] - d->at[used[0]] < DRIFT_SECONDS * WZP_S) {
        return false;
    }
    double *slope = malloc(most * sizeof *slope);
    if (slope == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            const double span = (double)d->at[used[j]] - (double)d->at[used[i]];
            const double rise = (double)d->least[used[j]] - (double)d->least[used[i]];
            slope[slopes++] = span > 0 ? rise / span : 0;
        }
    }
    qsort(slope, slopes, sizeof *slope, by_value);
    *ppm = (slope[(slopes - 1) / 2] + slope[slopes / 2]) / 2 * 1e6;
    free(slope);
    return true;
}

/* --- packets ---------------------------------------------------------------------------------- */

static void note_delta(wzp_pcap_timing *t, wzp_pcap_tick *tick, uint64_t ns, uint16_t frame_ms) {
    /* What was held back by the decoder has an earlier time than what came before it. */
    tick->delta_ms = ((double)ns - (double)t->last_ns) / 1e6;
    wzp_pcap_spread_add(&t->delta_ms, tick->delta_ms);
    t->gaps[wzp_pcap_bound(wzp_pcap_gap_bounds_ms, WZP_PCAP_GAP_BOUNDS, tick->delta_ms)]++;
    const double off = fabs(tick->delta_ms - frame_ms);
    t->upstream_now_ms = t->upstream_ms.count == 0 ? off : 0.9 * t->upstream_now_ms + 0.1 * off;
    wzp_pcap_spread_add(&t->upstream_ms, t->upstream_now_ms);
}

static void note_clock(wzp_pcap_timing *t, wzp_pcap_tick *tick, uint64_t ns, uint32_t ts) {
    const int64_t arrived = (int64_t)(ns - t->clocked_ns);
    const double off = (double)arrived / 1e6 - (double)tick->step_ms;
    tick->clocked = true;
    if (t->clocked && fabs(off) < CLOCK_SET_MS) {
        t->jitter_now_ms += (fabs(off) - t->jitter_now_ms) / 16;
        wzp_pcap_spread_add(&t->jitter_ms, t->jitter_now_ms);
        t->ts_ms += tick->step_ms;
    } else {
        t->drift = (wzp_pcap_drift){.width_ns = WZP_S, .from_ns = ns};
        t->ts_ms = 0;
    }
    t->clocked = true;
    t->clocked_ns = ns;
    t->raw_ts = ts;
    const int64_t delay = (int64_t)(ns - t->drift.from_ns - (uint64_t)t->ts_ms * WZP_MS);
    tick->delay_ms = (double)delay / 1e6;
    wzp_pcap_drift_add(&t->drift, ns, delay);
}

wzp_pcap_tick wzp_pcap_timing_take(wzp_pcap_timing *t, uint64_t ns, uint32_t timestamp_ms,
                                   uint16_t frame_ms, bool is_timed) {
    wzp_pcap_tick tick = {0};
    if (t->started) {
        note_delta(t, &tick, ns, frame_ms);
    }
    t->started = true;
    t->last_ns = ns;
    tick.step_ms = t->clocked ? (int32_t)(timestamp_ms - t->raw_ts) : 0;
    if (is_timed) {
        note_clock(t, &tick, ns, timestamp_ms);
    }
    return tick;
}

void wzp_pcap_timing_break(wzp_pcap_timing *t) {
    t->clocked = false;
}
