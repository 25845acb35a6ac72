/* The discovery of NAT behaviour as a program on a simulated host. */
#ifndef WZP_SIM_HOST_BEHAVIOUR_HOST_H
#define WZP_SIM_HOST_BEHAVIOUR_HOST_H

#include "sim/host/behaviour.h"
#include "sim/host/host.h"

typedef struct wzp_sim_behaviour_host wzp_sim_behaviour_host;

/* Starts at once, on five free ports.  `host` and `name` are borrowed for its life; `done` (may be
 * NULL) is called once.  INVALID_ARGUMENT: the host has no address for the server's family; NOMEM.
 */
WZP_MUST_USE wzp_err wzp_sim_behaviour_host_new(
    wzp_sim_behaviour_host **out, wzp_sim_host *host, const wzp_sim_behaviour_cfg *cfg,
    const char *name, void (*done)(void *ctx, const wzp_sim_behaviour_result *result, wzp_time now),
    void *ctx);

/* Not while the simulation runs. */
void wzp_sim_behaviour_host_free(wzp_sim_behaviour_host **behaviour);

/* NULL while it runs. */
const wzp_sim_behaviour_result *
wzp_sim_behaviour_host_result(const wzp_sim_behaviour_host *behaviour);

#endif
