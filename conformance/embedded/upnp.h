/* The embedded client's mapping by UPnP, in virtual time: io/upnp.h on a loop of its own, which
 * runs while time stands still, and its gateway in the world's memory instead of on sockets. */
#ifndef WZP_CONFORMANCE_EMBEDDED_UPNP_H
#define WZP_CONFORMANCE_EMBEDDED_UPNP_H

#include "conformance/engine/world.h"
#include "io/upnp.h"

typedef struct wzp_ct_upnp wzp_ct_upnp;

typedef struct wzp_ct_upnp_cfg {
    wzp_ct_world *world; /* virtual */
    wzp_addr own;        /* whose port is mapped */
    wzp_addr reflexive;
    wzp_rng rng;
} wzp_ct_upnp_cfg;

/* Has a port mapped, or not: `external` NONE.  NULL: no memory. */
wzp_ct_upnp *wzp_ct_upnp_new(const wzp_ct_upnp_cfg *cfg, wzp_addr *external);
/* Gives it back.  Accepts NULL, leaves NULL. */
void wzp_ct_upnp_free(wzp_ct_upnp **upnp);

#endif
