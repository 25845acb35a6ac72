/* When a link is down.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_OUTAGE_H
#define WZP_SIM_NET_OUTAGE_H

#include "sim/net/link.h"
#include "sim/net/timer.h"

typedef struct wzp_sim_outage {
    wzp_sim_outage_cfg cfg;
    wzp_prng prng;
    wzp_time start;
    wzp_sim_timer edge; /* the next change */
    bool down;
} wzp_sim_outage;

/* `task` calls wzp_sim_outage_step. */
void wzp_sim_outage_init(wzp_sim_outage *outage, uint64_t seed, wzp_sim_clock clock,
                         wzp_sim_task *task, void *self);

/* Up, and the schedule begins anew; the same description goes on as if nothing was said. */
void wzp_sim_outage_set(wzp_sim_outage *outage, const wzp_sim_outage_cfg *cfg, wzp_time now);

/* True: `down` changed. */
bool wzp_sim_outage_step(wzp_sim_outage *outage, wzp_time now);

#endif
