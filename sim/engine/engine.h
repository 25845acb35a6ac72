/* The native engine: a 4-ary heap of tasks in integer nanoseconds.
 *
 * Order is (time, order of leaving); nothing depends on addresses.  A run ends when its time is
 * reached, when nothing is left to do, or at a limit, and says which: a run that hits a limit is a
 * failed run and never a hang.  Not thread-safe; memory grows with the number of tasks that wait,
 * 40 bytes each.  nat sheet 2.1. */
#ifndef WZP_SIM_ENGINE_ENGINE_H
#define WZP_SIM_ENGINE_ENGINE_H

#include "base/err.h"
#include "sim/engine/clock.h"

typedef struct wzp_sim_engine wzp_sim_engine;

#define WZP_SIM_QUEUE_MAX (UINT64_C(1) << 24)
#define WZP_SIM_EVENTS_MAX ((UINT64_C(1) << 40) - WZP_SIM_QUEUE_MAX)

typedef struct wzp_sim_engine_cfg {
    uint64_t seed;
    wzp_time start;      /* of virtual time; 0: one second */
    uint64_t max_events; /* 0, or more than there can be: WZP_SIM_EVENTS_MAX */
    uint64_t max_queue;  /* tasks that wait at once; likewise WZP_SIM_QUEUE_MAX */
} wzp_sim_engine_cfg;

typedef enum wzp_sim_stop {
    WZP_SIM_STOP_TIME,   /* `until` is reached; now == until */
    WZP_SIM_STOP_IDLE,   /* nothing waits; now stays at the last task */
    WZP_SIM_STOP_EVENTS, /* max_events were run */
    WZP_SIM_STOP_QUEUE,  /* max_queue tasks waited, or memory is out; a task was lost for ever, and
                            every later run stops here too */
    WZP_SIM_STOP_ASKED   /* wzp_sim_engine_stop */
} wzp_sim_stop;

/* WZP_ERR_NOMEM.  `cfg` is borrowed for the call. */
WZP_MUST_USE wzp_err wzp_sim_engine_new(wzp_sim_engine **out, const wzp_sim_engine_cfg *cfg);

/* Tasks that still wait are forgotten without being run.  Accepts NULL, leaves NULL. */
void wzp_sim_engine_free(wzp_sim_engine **engine);

/* Valid as long as the engine. */
wzp_sim_clock wzp_sim_engine_clock(wzp_sim_engine *engine);

/* Runs all tasks up to and including `until`.  May be called again with a later time. */
wzp_sim_stop wzp_sim_engine_run(wzp_sim_engine *engine, wzp_time until);

/* From within a task: run returns after it.  Between runs: the next one returns at once. */
void wzp_sim_engine_stop(wzp_sim_engine *engine);

uint64_t wzp_sim_engine_events(const wzp_sim_engine *engine); /* run so far */

/* When the next task is due; WZP_TIME_NEVER if none waits (real-time drivers). */
wzp_time wzp_sim_engine_deadline(const wzp_sim_engine *engine);

#endif
