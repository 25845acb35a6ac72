/* A router: longest-prefix match, TTL, ICMP errors.  Many ports, no queues of its own (links have
 * them).  Also the hub of a LAN: a switch is a router whose hosts are routes of full length.
 *
 * It has no sockets: a packet to its own address goes where the routes say, multicast and broadcast
 * too.  A switch sends what is for a group out of every other port: what a host asks of all (SSDP)
 * reaches the gateway, and what a gateway tells all (224.0.0.1) its hosts. */
#ifndef WZP_SIM_NET_ROUTER_H
#define WZP_SIM_NET_ROUTER_H

#include "base/err.h"
#include "sim/net/node.h"

typedef struct wzp_sim_router wzp_sim_router;

typedef struct wzp_sim_router_cfg {
    const char *name;           /* borrowed for its life */
    wzp_addr address, address6; /* of any family, sources of ICMP errors about packets of the same
                                   one; NONE: it sends none */
    bool keep_ttl; /* a switch: TTL stays, and nothing goes back to the port it came from */
    bool isolate;  /* client isolation: nothing goes from one host port to another; only to and
                      from port 0 */
} wzp_sim_router_cfg;

WZP_MUST_USE wzp_err wzp_sim_router_new(wzp_sim_router **out, const wzp_sim_router_cfg *cfg);
void wzp_sim_router_free(wzp_sim_router **router);
wzp_sim_node *wzp_sim_router_node(wzp_sim_router *router);

/* `pipe` is borrowed for the router's life.  Port numbers are dense from 0, in any order; what is
 * routed to a port without a pipe is dropped.  WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_router_attach(wzp_sim_router *router, unsigned port,
                                           wzp_sim_pipe *pipe);

/* The longest prefix wins.  A second route to the same prefix replaces the first.  `prefix` is
 * 0..32 or 0..128; bits of `network` beyond it, and its port, do not count.  WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_router_route(wzp_sim_router *router, const wzp_addr *network,
                                          unsigned prefix, unsigned port);
void wzp_sim_router_unroute(wzp_sim_router *router, const wzp_addr *network, unsigned prefix);

void wzp_sim_router_count(const wzp_sim_router *router, wzp_sim_counts *out);

#endif
