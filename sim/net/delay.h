/* How long a packet travels, and when it arrives.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_DELAY_H
#define WZP_SIM_NET_DELAY_H

#include "sim/net/link.h"

typedef struct wzp_sim_delay {
    wzp_sim_delay_cfg cfg;
    wzp_prng prng, skips; /* one stream each */
    wzp_time start;
    wzp_time last;     /* arrival of the last one in order */
    int64_t deviation; /* AR1: x_(n-1) */
    int64_t fresh_ppm; /* AR1: sqrt(1 - rho^2) */
    wzp_q32 uniform;   /* NETEM: the last one, in [0, 1) */
    uint64_t index;    /* of the next packet */
} wzp_sim_delay;

void wzp_sim_delay_init(wzp_sim_delay *delay, uint64_t seed, wzp_time start);

/* The order of what is under way stays, also behind a longer delay than the new one. */
void wzp_sim_delay_set(wzp_sim_delay *delay, const wzp_sim_delay_cfg *cfg);

/* When a packet arrives that leaves at `leaves`, which never falls from call to call.  `base`
 * stands in for that of the description. */
wzp_time wzp_sim_delay_arrival(wzp_sim_delay *delay, uint64_t base, wzp_time leaves);

/* One draw of the law, without order and skips. */
uint64_t wzp_sim_delay_draw(wzp_sim_delay *delay, uint64_t base, wzp_time leaves);

#endif
