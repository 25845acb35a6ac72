/* Deadlines of many objects: a binary heap of timers that lie in their owners.  At equal times the
 * one that was set first is due first. */
#ifndef WZP_RELAY_TIMERS_H
#define WZP_RELAY_TIMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/time.h"

typedef struct wzp_timer {
    wzp_time at; /* WZP_TIME_NEVER: not set.  To be read only */
    uint64_t order;
    size_t place;
} wzp_timer;

typedef struct wzp_timers {
    wzp_timer **heap;
    size_t len, cap;
    uint64_t next_order;
} wzp_timers;

static inline void wzp_timer_init(wzp_timer *timer) {
    *timer = (wzp_timer){.at = WZP_TIME_NEVER};
}

/* Room for so many timers at once; setting one then never fails.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_timers_reserve(wzp_timers *timers, size_t count);
void wzp_timers_clear(wzp_timers *timers);

/* WZP_TIME_NEVER stops it. */
void wzp_timers_set(wzp_timers *timers, wzp_timer *timer, wzp_time at);

/* The timer that is due first, NULL when none is set. */
wzp_timer *wzp_timers_first(const wzp_timers *timers);

static inline wzp_time wzp_timers_deadline(const wzp_timers *timers) {
    return timers->len > 0 ? timers->heap[0]->at : WZP_TIME_NEVER;
}

#endif
