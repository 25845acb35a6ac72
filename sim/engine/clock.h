/* Time and things to come, as every part of a simulated network sees them: hosts, boxes and links
 * ask what time it is and leave a task for later.  Two engines stand behind it: the native one
 * (engine/engine.h) and ns-3 (ns3/ns3.h).
 *
 * Tasks at the same instant run in the order in which they were left.  A task cannot be taken
 * back: whoever may change its mind keeps the time it waits for and lets a stale task do nothing.
 */
#ifndef WZP_SIM_ENGINE_CLOCK_H
#define WZP_SIM_ENGINE_CLOCK_H

#include "base/rng.h"
#include "base/time.h"

/* `self` and `arg` are what the task was left with. */
typedef void wzp_sim_task(void *self, void *arg, wzp_time now);

typedef struct wzp_sim_clock_ops {
    wzp_time (*now)(const void *self);
    /* A time in the past means now.  WZP_TIME_NEVER: the task is dropped at once. */
    void (*at)(void *self, wzp_time at, wzp_sim_task *task, void *task_self, void *task_arg);
} wzp_sim_clock_ops;

typedef struct wzp_sim_clock {
    const wzp_sim_clock_ops *ops;
    void *self;
    uint64_t seed; /* of the whole simulation */
} wzp_sim_clock;

static inline wzp_time wzp_sim_now(wzp_sim_clock clock) {
    return clock.ops->now(clock.self);
}

static inline void wzp_sim_at(wzp_sim_clock clock, wzp_time at, wzp_sim_task *task, void *self,
                              void *arg) {
    clock.ops->at(clock.self, at, task, self, arg);
}

/* The random stream of one element: it depends on the seed and the element's name alone, so that
 * another element, or one more draw there, changes nothing here (nat sheet 2.1). */
static inline void wzp_sim_stream(wzp_sim_clock clock, wzp_prng *out, const char *name) {
    wzp_prng_init(out, clock.seed, name);
}

#endif
