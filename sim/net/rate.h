/* When packets leave: a serial line, a token bucket or a trace of opportunities.  nat sheet 2.10.
 */
#ifndef WZP_SIM_NET_RATE_H
#define WZP_SIM_NET_RATE_H

#include "sim/net/link.h"

typedef struct wzp_sim_rate {
    wzp_sim_rate_cfg cfg;
    wzp_time start; /* of the trace */
    wzp_time free;  /* the line is idle, the bucket full from here on */
    uint64_t rest;  /* of the division that gave `free`, in parts of bits_per_s */
    uint64_t next;  /* opportunity, counted through all periods */
    uint32_t left;  /* bytes of it */
} wzp_sim_rate;

void wzp_sim_rate_init(wzp_sim_rate *rate, wzp_time start);

/* What is being sent keeps its time. */
void wzp_sim_rate_set(wzp_sim_rate *rate, const wzp_sim_rate_cfg *cfg);

bool wzp_sim_rate_limited(const wzp_sim_rate_cfg *cfg);

/* The earliest time, `now` or later, at which a packet of `len` bytes may begin to leave. */
wzp_time wzp_sim_rate_ready(wzp_sim_rate *rate, wzp_time now, uint32_t len);

/* Begins it, at a time when it may; returns when its last byte is out. */
wzp_time wzp_sim_rate_send(wzp_sim_rate *rate, wzp_time now, uint32_t len);

/* Bytes that leave in `ns` on average. */
uint64_t wzp_sim_rate_bytes(const wzp_sim_rate_cfg *cfg, uint64_t ns);

#endif
