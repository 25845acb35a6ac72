/* One timer for each record of a table, the earliest first: a heap with four branches.
 *
 * A timer may be too early but never too late: whoever is called then looks whether its time has
 * really come, and else sets it anew.  So refreshing a record costs nothing here.  Order depends on
 * time and number alone.  Internal to sim/nat. */
#ifndef WZP_SIM_NAT_TIMERS_H
#define WZP_SIM_NAT_TIMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"

typedef struct wzp_sim_nat_timer {
    wzp_time at;
    uint32_t of; /* number of the record */
} wzp_sim_nat_timer;

typedef struct wzp_sim_nat_timers {
    wzp_sim_nat_timer *heap;
    uint32_t *place; /* by number: index in the heap + 1; 0: none */
    uint32_t count, cap;
} wzp_sim_nat_timers;

void wzp_sim_nat_timers_clear(wzp_sim_nat_timers *timers);
size_t wzp_sim_nat_timers_bytes(const wzp_sim_nat_timers *timers);

/* For records 1..cap; false: memory is out. */
bool wzp_sim_nat_timers_reserve(wzp_sim_nat_timers *timers, uint32_t cap);

/* New or changed. */
void wzp_sim_nat_timers_set(wzp_sim_nat_timers *timers, uint32_t of, wzp_time at);
void wzp_sim_nat_timers_cut(wzp_sim_nat_timers *timers, uint32_t of);

/* WZP_TIME_NEVER: there is none. */
static inline wzp_time wzp_sim_nat_timers_due(const wzp_sim_nat_timers *timers) {
    return timers->count > 0 ? timers->heap[0].at : WZP_TIME_NEVER;
}

#endif
