#include "federation/probe.h"

#include <math.h>
#include <stdio.h>

static size_t place(const wzp_probe_window *w, size_t i) {
    return (w->first + i) % WZP_PROBE_WINDOW;
}

void wzp_probe_sent(wzp_probe_window *w, uint64_t now_ms) {
    if (w->len == WZP_PROBE_WINDOW) {
        w->first = place(w, 1);
        w->len--;
    }
    const size_t at = place(w, w->len++);
    w->pings[at].sent_ms = now_ms;
    w->pings[at].rtt_ms = 0;
    w->pings[at].is_answered = false;
}

static void judge(wzp_probe_window *w) {
    double sum = 0;
    double squares = 0;
    size_t known = 0;
    for (size_t i = 0; i < w->len; i++) {
        if (w->pings[place(w, i)].is_answered) {
            const double rtt = w->pings[place(w, i)].rtt_ms;
            known++;
            sum += rtt;
            squares += rtt * rtt;
        }
    }
    const double mean = sum / (double)known;
    const double variance = squares / (double)known - mean * mean;
    w->loss_pct = 100.0 * (double)(w->len - known) / (double)w->len;
    w->jitter_ms = known >= 2 && variance > 0 ? sqrt(variance) : 0;
}

bool wzp_probe_answered(wzp_probe_window *w, uint64_t sent_ms, uint64_t now_ms) {
    for (size_t i = 0; i < w->len; i++) {
        const size_t at = place(w, i);
        if (w->pings[at].sent_ms != sent_ms || w->pings[at].is_answered || now_ms < sent_ms) {
            continue;
        }
        const uint64_t rtt = now_ms - sent_ms;
        w->pings[at].is_answered = true;
        w->pings[at].rtt_ms = rtt < UINT32_MAX ? (uint32_t)rtt : UINT32_MAX;
        w->rtt_ms = w->pings[at].rtt_ms;
        w->is_up = true;
        judge(w);
        return true;
    }
    return false;
}

void wzp_probe_lost(wzp_probe_window *w) {
    w->is_up = false;
    w->rtt_ms = 0;
}

void wzp_mesh_head(wzp_wr *out) {
    enum { RULE = 41 };
    char head[80];
    (void)snprintf(head, sizeof head, "%-20s %6s %6s %7s  %s\n", "Target", "RTT", "Loss", "Jitter",
                   "Status");
    wzp_wr_str(out, "Relay Mesh Health\n");
    for (int i = 0; i < RULE; i++) {
        wzp_wr_str(out, "\xe2\x94\x80");
    }
    wzp_wr_u8(out, '\n');
    wzp_wr_str(out, head);
}

void wzp_mesh_row(wzp_wr *out, const char *target, const wzp_probe_window *w) {
    char row[160];
    (void)snprintf(row, sizeof row, "%-20s %5.0fms %5.1f%% %5.0fms  %s\n", target, w->rtt_ms,
                   w->loss_pct, w->jitter_ms, w->is_up ? "UP" : "DOWN");
    wzp_wr_str(out, row);
}

void wzp_mesh_nobody(wzp_wr *out) {
    wzp_wr_str(out, "  (no probe targets configured)\n");
}
