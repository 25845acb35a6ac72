/* A UPnP control point on a simulated host: finds the gateway and has one UDP port mapped (nat
 * sheet 1.8).  Searches are packets of the host; HTTP goes by wzp_sim_gateway_fetch.
 *
 * With the reference policy every device that answers is looked at until one is a gateway, a
 * gateway that gives permanent leases only (725) gives one, and where the port is another's (718)
 * three others are tried.  With the deployed policy the first answer is taken and nothing is tried
 * again, as upstream does it.  Neither reads responses in chunks.  Leases are not renewed: two
 * hours outlast the calls of a lab. */
#ifndef WZP_SIM_HOST_UPNP_HOST_H
#define WZP_SIM_HOST_UPNP_HOST_H

#include "sim/gateway/gateway_seat.h"
#include "sim/host/host.h"

#define WZP_SIM_UPNP_LEASE_S 7200
#define WZP_SIM_UPNP_STEP_LIMIT (3 * WZP_S) /* for each answer that is waited for */
#define WZP_SIM_UPNP_LAN_WAY (500 * WZP_US) /* one way of its HTTP */

typedef struct wzp_sim_upnp_host wzp_sim_upnp_host;

/* How a search ended; `external` has family NONE where `why` says why there is no mapping. */
typedef void wzp_sim_upnp_done(void *ctx, const wzp_addr *external, const char *why, wzp_time now);

typedef struct wzp_sim_upnp_host_cfg {
    const char *name; /* of its stream of chance */
    bool deployed;
    wzp_sim_upnp_done *done;
    void *ctx;
} wzp_sim_upnp_host_cfg;

/* `host` is borrowed for its life; `cfg` is copied.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_upnp_host_new(wzp_sim_upnp_host **out, wzp_sim_host *host,
                                           const wzp_sim_upnp_host_cfg *cfg);
/* Not while the simulation runs; before the gateway. */
void wzp_sim_upnp_host_free(wzp_sim_upnp_host **upnp);

/* Has the port of `own`, our address towards `gateway` (borrowed), mapped.  What was asked before
 * is forgotten and never done. */
void wzp_sim_upnp_host_ask(wzp_sim_upnp_host *upnp, wzp_sim_gateway_seat *gateway,
                           const wzp_addr *own, wzp_time now);

/* Forgets what was asked. */
void wzp_sim_upnp_host_stop(wzp_sim_upnp_host *upnp);

#endif
