/* Between the files that build a topology. */
#ifndef WZP_SIM_LAB_TOPOLOGY_BUILD_H
#define WZP_SIM_LAB_TOPOLOGY_BUILD_H

#include "sim/box/nat64.h"
#include "sim/gateway/gateway_seat.h"
#include "sim/lab/topology.h"

/* Something with ports that links end at. */
typedef struct wzp_lab_joint {
    wzp_lab_element_kind kind; /* any but LINK */
    void *object;
    wzp_sim_node *node;
    unsigned port;
    wzp_addr address;
} wzp_lab_joint;

/* What belongs to one way out. */
typedef struct wzp_lab_built_way {
    const wzp_lab_way *way;
    wzp_sim_box *boxes[WZP_LAB_BOXES_MAX];
    wzp_sim_gateway_seat *gateway; /* on boxes[0]; NULL: none */
    wzp_sim_clat *clat;            /* between the host and boxes[0]; NULL: none */
    size_t access;                 /* link of the fabric */
    wzp_sim_router *outside;
    unsigned outside_port;
    wzp_addr own[2]; /* of its host now: IPv4, IPv6; family NONE: none */
    wzp_addr exposed[WZP_LAB_HOSTS_MAX + WZP_SIM_NAT_POOL_MAX]; /* addresses that lead to it */
    size_t exposed_count;
} wzp_lab_built_way;

/* A place at the core. */
typedef struct wzp_lab_place {
    const char *name;
    wzp_sim_router *edge;
    unsigned ports;         /* used so far */
    wzp_lab_built_way *way; /* NULL: a server */
    wzp_addr servers[2];    /* its addresses; family NONE: none */
    uint64_t delay;         /* of a server, from every access; 0: not one */
} wzp_lab_place;

/* Its hub, with the way out at port 0. */
typedef struct wzp_lab_built_lan {
    wzp_sim_router *hub;
    unsigned ports;
} wzp_lab_built_lan;

struct wzp_lab_topology {
    const wzp_lab_scenario *s;
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    char *why;

    wzp_sim_host **hosts, **relays, *stuns[WZP_LAB_STUNS_MAX];
    wzp_lab_built_way *host_ways; /* WZP_LAB_WAYS_MAX for each host */
    wzp_lab_built_way *lan_ways;
    wzp_lab_built_lan *lans;
    wzp_lab_place *places;
    size_t place_count;
    unsigned *ports_to; /* place_count times place_count */
    size_t *pairs;      /* links of the scenario's core paths */

    wzp_lab_element *elements;
    size_t element_count, element_cap;
    char **names;
    size_t name_count, name_cap;
};

/* --- bookkeeping (topology.c) ----------------------------------------------------------------- */

wzp_err wzp_lab_no_memory(const wzp_lab_topology *t); /* says so, and returns NOMEM */

/* A name that lives as long as the topology; NULL when out of memory. */
const char *wzp_lab_name_of(wzp_lab_topology *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* False: out of memory, or the element has no name. */
bool wzp_lab_add_element(wzp_lab_topology *t, wzp_lab_element element);

wzp_lab_built_way *wzp_lab_way_of(const wzp_lab_topology *t, const wzp_lab_target *target);

/* --- joints (topology_join.c) ----------------------------------------------------------------- */

wzp_lab_joint wzp_lab_at_router(wzp_sim_router *router, unsigned port, wzp_addr address);
wzp_lab_joint wzp_lab_at_box(wzp_sim_box *box, unsigned port, wzp_addr address);
wzp_lab_joint wzp_lab_at_clat(wzp_sim_clat *clat, unsigned port, wzp_addr address);
wzp_lab_joint wzp_lab_at_host(wzp_sim_host *host, unsigned port, wzp_addr address);

extern const char *const wzp_lab_up_down[2];

/* A link between two joints; `names` are those of its directions, links[0] is from a to b. */
wzp_err wzp_lab_join(wzp_lab_topology *t, const char *name, const wzp_lab_joint *a,
                     const wzp_lab_joint *b, const wzp_sim_link_cfg links[2],
                     const char *const names[2], size_t *index);

wzp_err wzp_lab_new_router(wzp_lab_topology *t, const char *name, wzp_sim_router_cfg cfg,
                           wzp_sim_router **out);
wzp_err wzp_lab_new_host(wzp_lab_topology *t, const wzp_sim_host_cfg *cfg, wzp_sim_host **out);

/* The router sends what is for the way to `port`. */
wzp_err wzp_lab_route(const wzp_lab_topology *t, wzp_sim_router *router,
                      const wzp_lab_built_way *to, unsigned port);
unsigned wzp_lab_full_length(const wzp_addr *address); /* 32 or 128 */

/* --- hosts, LANs and their ways (topology_way.c), the core (topology_core.c) ------------------ */

wzp_err wzp_lab_build_hubs(wzp_lab_topology *t); /* first: hosts and other LANs hang on them */
wzp_err wzp_lab_build_host(wzp_lab_topology *t, size_t index);
wzp_err wzp_lab_build_lan(wzp_lab_topology *t, size_t index);
wzp_err wzp_lab_route_inside(wzp_lab_topology *t);
void wzp_lab_expose(wzp_lab_built_way *built, const wzp_addr *address);

wzp_lab_place *wzp_lab_place_named(const wzp_lab_topology *t, const char *name);
wzp_err wzp_lab_build_places(wzp_lab_topology *t);
wzp_err wzp_lab_build_relay(wzp_lab_topology *t, size_t index);
wzp_err wzp_lab_build_stun(wzp_lab_topology *t, size_t index);
wzp_err wzp_lab_build_core(wzp_lab_topology *t); /* last: all ways are known */

#endif
