/* How far another relay is: the last 60 pings to it (relay sheet 10.1).  Plain values, nothing to
 * free; times are milliseconds of the prober's own clock. */
#ifndef WZP_FEDERATION_PROBE_H
#define WZP_FEDERATION_PROBE_H

#include "base/bytes.h"
#include "base/wr.h"

#define WZP_PROBE_WINDOW 60

typedef struct wzp_probe_window {
    struct {
        uint64_t sent_ms;
        uint32_t rtt_ms;
        bool is_answered;
    } pings[WZP_PROBE_WINDOW];
    size_t first, len;
    double rtt_ms, loss_pct, jitter_ms; /* as of the last pong */
    bool is_up;
} wzp_probe_window;

void wzp_probe_sent(wzp_probe_window *w, uint64_t now_ms);

/* False: no ping in the window has this time, or it was answered already.  Loss counts pings that
 * are still under way, as deployed; jitter is the standard deviation of the known times. */
bool wzp_probe_answered(wzp_probe_window *w, uint64_t sent_ms, uint64_t now_ms);

/* The connection is gone. */
void wzp_probe_lost(wzp_probe_window *w);

/* The table that GET /mesh shows: its head, then one row for each target, or wzp_mesh_nobody. */
void wzp_mesh_head(wzp_wr *out);
void wzp_mesh_row(wzp_wr *out, const char *target, const wzp_probe_window *w);
void wzp_mesh_nobody(wzp_wr *out);

#endif
