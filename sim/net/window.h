/* A congestion window, in packets with 16 fractional bits: Reno (RFC 5681), or CUBIC (RFC 9438)
 * which ends its slow start when round trips become longer (HyStart, RFC 9406). */
#ifndef WZP_SIM_NET_WINDOW_H
#define WZP_SIM_NET_WINDOW_H

#include <stdbool.h>

#include "base/time.h"

#define WZP_SIM_WINDOW_ONE (UINT64_C(1) << 16)

typedef struct wzp_sim_window {
    bool cubic;
    uint64_t size, threshold; /* slow start while size < threshold */
    uint64_t peak;            /* CUBIC: W_max */
    uint64_t last_peak;       /* before fast convergence lowered it */
    uint64_t friendly;        /* what Reno would have, W_est */
    wzp_time epoch;           /* CUBIC: of the last reduction; 0: none */
    uint64_t k_ms;            /* from there until the peak */
    uint64_t least_rtt;
    unsigned slow; /* CUBIC: round trips in a row that were longer than that by far */
} wzp_sim_window;

void wzp_sim_window_init(wzp_sim_window *window, bool cubic);

/* For each packet that is acknowledged, except while a loss is being repaired; `rtt` is its own. */
void wzp_sim_window_grow(wzp_sim_window *window, uint64_t rtt, wzp_time now);
void wzp_sim_window_shrink(wzp_sim_window *window, wzp_time now); /* once for each round of loss */
void wzp_sim_window_timeout(wzp_sim_window *window);

#endif
