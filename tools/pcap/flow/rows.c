#include "tools/pcap/flow/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { FIRST_CAP = 32 };

void wzp_pcap_rows_init(wzp_pcap_rows *r, uint64_t interval_ns) {
    *r = (wzp_pcap_rows){.interval_ns = interval_ns < WZP_MS ? WZP_MS : interval_ns};
}

void wzp_pcap_rows_clear(wzp_pcap_rows *r) {
    free(r->rows);
    *r = (wzp_pcap_rows){0};
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

static void add(wzp_pcap_row *a, const wzp_pcap_row *b) {
    a->bytes += b->bytes;
    a->jitter_sum_ms += b->jitter_sum_ms;
    a->packets += b->packets;
    a->clocked += b->clocked;
    a->lost += b->lost;
    a->recovered += b->recovered;
    a->duplicates += b->duplicates;
    a->reordered += b->reordered;
    a->keyframes += b->keyframes;
    a->frames += b->frames;
    a->reports += b->reports;
    a->jitter_max_ms = larger(a->jitter_max_ms, b->jitter_max_ms);
    a->delta_max_ms = larger(a->delta_max_ms, b->delta_max_ms);
    a->report_rtt_ms = b->report_rtt_ms > a->report_rtt_ms ? b->report_rtt_ms : a->report_rtt_ms;
    a->report_loss = b->report_loss > a->report_loss ? b->report_loss : a->report_loss;
    a->report_jitter_ms =
        b->report_jitter_ms > a->report_jitter_ms ? b->report_jitter_ms : a->report_jitter_ms;
    if (b->has_codec) {
        a->codec = b->codec;
        a->has_codec = true;
    }
}

static void halve(wzp_pcap_rows *r) {
    for (size_t i = 0; i < r->count; i++) {
        const wzp_pcap_row row = r->rows[i];
        if (i % 2 == 0) {
            r->rows[i / 2] = row;
        } else {
            add(&r->rows[i / 2], &row);
        }
    }
    r->count = (r->count + 1) / 2;
    r->interval_ns *= 2;
}

static bool reserve(wzp_pcap_rows *r, size_t count) {
    if (count <= r->cap) {
        return true;
    }
    size_t cap = r->cap > 0 ? r->cap : FIRST_CAP;
    while (cap < count) {
        cap *= 2;
    }
    wzp_pcap_row *rows = realloc(r->rows, cap * sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    r->rows = rows;
    r->cap = cap;
    return true;
}

wzp_pcap_row *wzp_pcap_rows_at(wzp_pcap_rows *r, uint64_t ns) {
    if (!r->started) {
        r->started = true;
        r->from_ns = ns;
    }
    const uint64_t since = wzp_time_since(ns, r->from_ns);
    while (since / r->interval_ns >= WZP_PCAP_ROWS_MAX) {
        halve(r);
    }
    const size_t at = (size_t)(since / r->interval_ns);
    if (!reserve(r, at + 1)) {
        return NULL;
    }
    if (at >= r->count) {
        memset(r->rows + r->count, 0, (at + 1 - r->count) * sizeof *r->rows);
        r->count = at + 1;
    }
    return &r->rows[at];
}
