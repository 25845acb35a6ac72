/* A plan that may change, on a clock whose tasks cannot be taken back: the task that wakes up early
 * goes back to sleep, the one that is late finds nothing to do. */
#ifndef WZP_SIM_NET_TIMER_H
#define WZP_SIM_NET_TIMER_H

#include <stdbool.h>

#include "sim/engine/clock.h"

typedef struct wzp_sim_timer {
    wzp_sim_clock clock;
    wzp_sim_task *task; /* asks wzp_sim_timer_due before it does anything */
    void *self;
    wzp_time due;  /* WZP_TIME_NEVER: nothing is planned */
    wzp_time wake; /* of the earliest task that waits; never later than `due` */
} wzp_sim_timer;

static inline void wzp_sim_timer_init(wzp_sim_timer *timer, wzp_sim_clock clock, wzp_sim_task *task,
                                      void *self) {
    *timer = (wzp_sim_timer){clock, task, self, WZP_TIME_NEVER, WZP_TIME_NEVER};
}

/* Replaces what was planned; WZP_TIME_NEVER: nothing any more. */
static inline void wzp_sim_timer_set(wzp_sim_timer *timer, wzp_time due) {
    timer->due = due;
    if (due < timer->wake) {
        timer->wake = due;
        wzp_sim_at(timer->clock, due, timer->task, timer->self, NULL);
    }
}

/* First in the task: true if the plan is due, which is then over. */
static inline bool wzp_sim_timer_due(wzp_sim_timer *timer, wzp_time now) {
    if (timer->wake <= now) {
        timer->wake = WZP_TIME_NEVER;
    }
    if (timer->due <= now) {
        timer->due = WZP_TIME_NEVER;
        return true;
    }
    wzp_sim_timer_set(timer, timer->due);
    return false;
}

#endif
