/* A stranger on a host of its own: dials somebody who waits for a direct call, by the name of
 * another call, and says nothing (nat sheet 2.14, N55). */
#ifndef WZP_SIM_HOST_INTRUDER_HOST_H
#define WZP_SIM_HOST_INTRUDER_HOST_H

#include "call/endpoint.h"
#include "sim/host/host.h"

typedef struct wzp_sim_intruder_host wzp_sim_intruder_host;

/* `name`, of its stream of chance, and `host` are borrowed.  Errors of wzp_endpoint_new; LIMIT. */
WZP_MUST_USE wzp_err wzp_sim_intruder_host_new(wzp_sim_intruder_host **out, wzp_sim_host *host,
                                               const char *name);
/* Not while the simulation runs. */
void wzp_sim_intruder_host_free(wzp_sim_intruder_host **intruder);

/* Dials `victim` now. */
void wzp_sim_intruder_host_dial(wzp_sim_intruder_host *intruder, const wzp_addr *victim);

typedef struct wzp_sim_intruder_report {
    uint32_t dialled, let_in; /* handshakes that were completed: nobody is refused earlier */
    uint32_t thrown_out;
} wzp_sim_intruder_report;

void wzp_sim_intruder_host_report(const wzp_sim_intruder_host *intruder,
                                  wzp_sim_intruder_report *out);

#endif
