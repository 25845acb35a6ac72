/* Whether the gateway gives out ports: NAT-PMP, PCP and UPnP beside each other, each for a socket
 * of its own, so that none sees what another has mapped (nat sheet 1.8, 1.12). */
#ifndef WZP_BIN_CLIENT_CLIENT_MAPPINGS_H
#define WZP_BIN_CLIENT_CLIENT_MAPPINGS_H

#include "io/netif.h"
#include "io/upnp.h"
#include "nat/netcheck.h"
#include "nat/portmap.h"

typedef struct wzp_mapper {
    wzp_portmap map;
    uv_udp_t udp;
    uv_timer_t timer;
    struct wzp_mappings *all;
    bool is_open, is_running;
    uint8_t buf[2048];
} wzp_mapper;

/* The caller sets changed and ctx, and zeros. */
typedef struct wzp_mappings {
    void (*changed)(void *ctx); /* one of them is through, or all is given back */
    void *ctx;

    wzp_mapper mappers[2]; /* NAT-PMP, PCP */
    uv_udp_t upnp_udp;     /* whose port is mapped */
    bool has_upnp_udp;
    wzp_upnp *upnp;
    bool upnp_is_through, upnp_is_leaving;
    wzp_upnp_state upnp_state;
} wzp_mappings;

/* Asks; without a gateway none of them but UPnP, which needs our address only. */
void wzp_mappings_start(wzp_mappings *all, const wzp_netif_table *table, uv_loop_t *loop);
/* Every protocol has an answer, or none. */
bool wzp_mappings_are_through(const wzp_mappings *all);
void wzp_mappings_report(const wzp_mappings *all, wzp_netcheck *report);

/* Gives back what was mapped, at most for 2 s; then nothing of it is in the loop, but a request
 * that hangs. */
void wzp_mappings_release(wzp_mappings *all);
bool wzp_mappings_are_released(const wzp_mappings *all);

#endif
