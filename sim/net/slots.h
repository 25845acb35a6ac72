/* Starlink: every 15 s another satellite may serve, with another delay, a gap and losses.  nat
 * sheet 2.10. */
#ifndef WZP_SIM_NET_SLOTS_H
#define WZP_SIM_NET_SLOTS_H

#include "sim/net/loss.h"
#include "sim/net/timer.h"

typedef struct wzp_sim_slots {
    wzp_sim_slots_cfg cfg;
    wzp_prng prng;
    wzp_time start;
    wzp_sim_timer edge;    /* the earliest of the four below */
    wzp_time boundary;     /* the next one */
    wzp_time gap_ends;     /* WZP_TIME_NEVER: there is none */
    wzp_time outage, ends; /* the next outage begins, or this one ends; else WZP_TIME_NEVER */
    wzp_time burst_ends;
    wzp_sim_loss burst;
    uint64_t base; /* one-way delay of this slot */
} wzp_sim_slots;

/* `task` calls wzp_sim_slots_step. */
void wzp_sim_slots_init(wzp_sim_slots *slots, uint64_t seed, wzp_sim_clock clock,
                        wzp_sim_task *task, void *self);

/* The same description goes on as if nothing was said. */
void wzp_sim_slots_set(wzp_sim_slots *slots, const wzp_sim_slots_cfg *cfg, wzp_time now);

/* True: gap or outage may have changed. */
bool wzp_sim_slots_step(wzp_sim_slots *slots, wzp_time now);

static inline bool wzp_sim_slots_gap(const wzp_sim_slots *slots) {
    return slots->gap_ends != WZP_TIME_NEVER;
}

static inline bool wzp_sim_slots_down(const wzp_sim_slots *slots) {
    return slots->ends != WZP_TIME_NEVER;
}

/* Once for each packet: lost in the burst behind a boundary? */
bool wzp_sim_slots_hit(wzp_sim_slots *slots, wzp_time now);

#endif
