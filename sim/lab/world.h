/* Between run.c and the files that help it: everything a run is built of. */
#ifndef WZP_SIM_LAB_WORLD_H
#define WZP_SIM_LAB_WORLD_H

#include "io/traces.h"
#include "sim/host/intruder_host.h"
#include "sim/host/stun_host.h"
#include "sim/lab/captures.h"
#include "sim/lab/run.h"
#include "sim/lab/timeline.h"

/* A member of a call while it runs. */
typedef struct wzp_lab_seat {
    struct wzp_lab_world *world;
    wzp_sim_signal_fault faults[WZP_SIM_SIGNAL_FAULTS_MAX]; /* at network times */
    uint32_t host;
    wzp_addr seen;      /* where others see it, as its phone was told last; NONE: not known */
    wzp_time set_up_at; /* when a relay told both sides of a direct call that they agreed */
    char name[2 * WZP_LAB_NAME_MAX + 2]; /* "x"; "x/call2" in a second call */
} wzp_lab_seat;

typedef struct wzp_lab_watch {
    struct wzp_lab_world *world;
    const char *name; /* of a box or relay */
} wzp_lab_watch;

struct wzp_lab_world {
    wzp_lab_result result;
    wzp_lab_run_cfg cfg;
    const wzp_lab_scenario *s;
    wzp_sim_fabric *fabric;
    wzp_lab_timeline *timeline;
    wzp_lab_trace trace;
    wzp_lab_captures *captures;
    wzp_traces *qlog[WZP_LAB_RELAYS_MAX];
    wzp_sim_relay_host **relays;
    wzp_time answered_at;      /* a direct call, last; network time */
    struct wzp_lab_mesh *mesh; /* NULL: the relays know nothing of each other */
    wzp_sim_stun_host *stuns[WZP_LAB_STUNS_MAX];
    wzp_sim_intruder_host *intruders[WZP_LAB_HOSTS_MAX]; /* by host; NULL: it is none */
    wzp_lab_seat *seats;                                 /* of all members of all calls, in order */
    size_t seat_count;
    wzp_lab_watch *watches;
    size_t entry_cap;
    char *why;
};

/* One more line of what happened; `at` is network time. */
__attribute__((format(printf, 6, 7))) void wzp_lab_note(struct wzp_lab_world *world, wzp_time at,
                                                        bool event, const char *who,
                                                        const char *what, const char *format, ...);

/* What hosts on this way ask for mappings; family NONE: nobody. */
wzp_addr wzp_lab_gateway_of(const wzp_lab_way *way);

/* The programs: relays, then everybody in a call. */
WZP_MUST_USE wzp_err wzp_lab_seat_programs(struct wzp_lab_world *world);
void wzp_lab_free_programs(struct wzp_lab_world *world);

/* mesh.c: relays that federate, if the scenario needs that.  `relay` borrows from the world. */
WZP_MUST_USE wzp_err wzp_lab_mesh_new(struct wzp_lab_world *world);
void wzp_lab_mesh_join(const struct wzp_lab_world *world, size_t index, wzp_relay_cfg *relay);
void wzp_lab_mesh_free(struct wzp_lab_world *world);

/* Fills calls[].members[] and checks[] once the run is over. */
WZP_MUST_USE wzp_err wzp_lab_judge(struct wzp_lab_world *world);

#endif
