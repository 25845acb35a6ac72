/* The events of a scenario, on their way to happen. */
#ifndef WZP_SIM_LAB_TIMELINE_H
#define WZP_SIM_LAB_TIMELINE_H

#include "sim/host/relay_host.h"
#include "sim/lab/topology.h"

typedef struct wzp_lab_timeline wzp_lab_timeline;

typedef struct wzp_lab_timeline_cfg {
    const wzp_lab_scenario *scenario;
    wzp_sim_fabric *fabric;
    wzp_lab_topology *topology;
    wzp_sim_relay_host **relays; /* NULL: they are no part of this, `told` sees to them */
    wzp_time start;
    void (*leave)(void *ctx, uint32_t host); /* its client hangs up */
    void (*lose)(void *ctx, uint32_t host);  /* its signalling connection; NULL: there is none */
    void (*abuse)(void *ctx, uint32_t host); /* its client begins to; NULL: nothing can */
    void (*moved)(void *ctx, uint32_t host); /* its addresses are others now; NULL: nobody cares */
    void (*told)(void *ctx, const wzp_lab_event *event, const char *what, wzp_time now);
    void *ctx;
} wzp_lab_timeline_cfg;

/* Leaves every event with the fabric's clock.  `cfg` is copied, what it points to is borrowed.
 * NULL: out of memory. */
wzp_lab_timeline *wzp_lab_timeline_new(const wzp_lab_timeline_cfg *cfg);
void wzp_lab_timeline_free(wzp_lab_timeline **timeline); /* when nothing runs any more */

#endif
