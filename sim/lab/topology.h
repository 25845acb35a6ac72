/* The network of a scenario, wired on a fabric:
 *
 *     host -- box -- box -- access --+-- edge ---- core paths ---- edge -- relay
 *     host --+                       |
 *            +-- LAN -- box -- access
 *
 * Every place at the core has an edge router; a core path joins each two of them, so that each has
 * its own delay and can be cut alone.  All elements are called as the scenario calls them: host
 * "x", box "x.nat" (of several "x.nat1" is the inner), link "x.access", router "x.edge", LAN
 * "home", core path "core.x-y".  Behind a NAT64 (box "x.nat") a host may have a translator of its
 * own, "x.clat", in front of the box. */
#ifndef WZP_SIM_LAB_TOPOLOGY_H
#define WZP_SIM_LAB_TOPOLOGY_H

#include "sim/gateway/gateway_seat.h"
#include "sim/host/host.h"
#include "sim/lab/scenario.h"
#include "sim/net/fabric.h"
#include "sim/net/router.h"

typedef struct wzp_lab_topology wzp_lab_topology;

/* Both are borrowed for its life.  On failure `why` says what could not be built.
 * INVALID_ARGUMENT: the engine has no such link, or a box refuses its description; NOMEM */
WZP_MUST_USE wzp_err wzp_lab_topology_new(wzp_lab_topology **out, const wzp_lab_scenario *scenario,
                                          wzp_sim_fabric *fabric, char why[256]);
/* After what lives on its hosts, before the fabric. */
void wzp_lab_topology_free(wzp_lab_topology **topology);

wzp_sim_host *wzp_lab_topology_host(const wzp_lab_topology *t, size_t index);
wzp_sim_host *wzp_lab_topology_relay(const wzp_lab_topology *t, size_t index);

/* The host of a STUN server, and its two addresses with their ports. */
wzp_sim_host *wzp_lab_topology_stun(const wzp_lab_topology *t, size_t index, wzp_addr addresses[2]);

/* The gateway on the inner box of a host's way; NULL: there is none. */
wzp_sim_gateway_seat *wzp_lab_topology_gateway(const wzp_lab_topology *t, size_t host, size_t way);

/* Of an event's target. */
wzp_sim_box *wzp_lab_topology_box(const wzp_lab_topology *t, const wzp_lab_target *target);
size_t wzp_lab_topology_link(const wzp_lab_topology *t, const wzp_lab_target *target);

/* New external addresses of the outermost box of a way; the network learns the way to them. */
WZP_MUST_USE wzp_err wzp_lab_topology_renumber(wzp_lab_topology *t, const wzp_lab_target *target,
                                               const wzp_addr *address, wzp_time now);

/* A new address of a host's way: its IPv6 one, or the IPv4 one behind its boxes. */
WZP_MUST_USE wzp_err wzp_lab_topology_readdress(wzp_lab_topology *t, const wzp_lab_target *target,
                                                const wzp_addr *address);

/* --- for reports ------------------------------------------------------------------------------ */

typedef enum wzp_lab_element_kind {
    WZP_LAB_ELEMENT_LINK, /* one direction */
    WZP_LAB_ELEMENT_BOX,
    WZP_LAB_ELEMENT_CLAT,
    WZP_LAB_ELEMENT_ROUTER,
    WZP_LAB_ELEMENT_HOST
} wzp_lab_element_kind;

typedef struct wzp_lab_element {
    wzp_lab_element_kind kind;
    const char *name; /* of a link, its direction included: "x.access.up" */
    size_t link;      /* LINK: of the fabric */
    unsigned direction;
    const char *to; /* LINK: the interface that it arrives at */
    bool access;    /* LINK: of a host or a LAN, not a core path or a wire inside */
    void *object;   /* box, CLAT, router or host */
} wzp_lab_element;

size_t wzp_lab_topology_count(const wzp_lab_topology *t);
const wzp_lab_element *wzp_lab_topology_element(const wzp_lab_topology *t, size_t index);
void wzp_lab_element_count(const wzp_lab_topology *t, const wzp_lab_element *element,
                           wzp_sim_counts *out);

/* Who is at an address, seen from the core: hosts first, then relays (host_count + i);
 * WZP_LAB_NONE: nobody, or several. */
uint32_t wzp_lab_topology_at(const wzp_lab_topology *t, const wzp_addr *address);

#endif
