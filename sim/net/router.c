#include "sim/net/router.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define NO_PORT UINT_MAX

typedef struct route {
    uint8_t network[16];
    unsigned port;
} route;

/* All routes of one length, by ascending network. */
typedef struct group {
    uint8_t family;
    unsigned prefix;
    route *routes;
    size_t count, cap;
} group;

struct wzp_sim_router {
    wzp_sim_node node; /* first: a node is cast to its router */
    wzp_sim_router_cfg cfg;
    wzp_sim_pipe **pipes; /* by port; NULL: none */
    size_t pipe_count;
    group *groups; /* by descending prefix; never removed */
    size_t group_count;
    wzp_sim_counts counts;
};

/* --- table ------------------------------------------------------------------------------------ */

static void mask(uint8_t out[16], const wzp_addr *addr, unsigned prefix) {
    memset(out, 0, 16);
    memcpy(out, addr->ip, prefix / 8);
    if (prefix % 8 != 0) {
        out[prefix / 8] = (uint8_t)(addr->ip[prefix / 8] & (0xff00 >> prefix % 8));
    }
}

/* The first route that is not below `network`. */
static size_t lower_bound(const group *g, const uint8_t network[16]) {
    size_t low = 0;
    size_t high = g->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (memcmp(g->routes[middle].network, network, 16) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static route *find(const group *g, const uint8_t network[16]) {
    const size_t at = lower_bound(g, network);
    const bool there = at < g->count && memcmp(g->routes[at].network, network, 16) == 0;
    return there ? &g->routes[at] : NULL;
}

static unsigned look_up(const wzp_sim_router *router, const wzp_addr *to) {
    for (size_t i = 0; i < router->group_count; i++) {
        const group *g = &router->groups[i];
        if (g->family == to->family) {
            uint8_t network[16];
            mask(network, to, g->prefix);
            const route *r = find(g, network);
            if (r != NULL) {
                return r->port;
            }
        }
    }
    return NO_PORT;
}

static size_t group_of(const wzp_sim_router *router, uint8_t family, unsigned prefix) {
    size_t i = 0;
    while (i < router->group_count &&
           (router->groups[i].prefix > prefix ||
            (router->groups[i].prefix == prefix && router->groups[i].family != family))) {
        i++;
    }
    return i;
}

static bool is_group(const wzp_sim_router *router, size_t at, uint8_t family, unsigned prefix) {
    return at < router->group_count && router->groups[at].prefix == prefix &&
           router->groups[at].family == family;
}

/* NULL when out of memory. */
static group *make_group(wzp_sim_router *router, uint8_t family, unsigned prefix) {
    const size_t at = group_of(router, family, prefix);
    if (is_group(router, at, family, prefix)) {
        return &router->groups[at];
    }
    group *groups = realloc(router->groups, (router->group_count + 1) * sizeof *groups);
    if (groups == NULL) {
        return NULL;
    }
    memmove(&groups[at + 1], &groups[at], (router->group_count - at) * sizeof *groups);
    groups[at] = (group){.family = family, .prefix = prefix};
    router->groups = groups;
    router->group_count++;
    return &groups[at];
}

static bool make_room(group *g) {
    if (g->count < g->cap) {
        return true;
    }
    const size_t cap = g->cap == 0 ? 8 : g->cap * 2;
    route *routes = realloc(g->routes, cap * sizeof *routes);
    if (routes == NULL) {
        return false;
    }
    g->routes = routes;
    g->cap = cap;
    return true;
}

static bool is_prefix(const wzp_addr *network, unsigned prefix) {
    return network->family != WZP_ADDR_NONE &&
           prefix <= (network->family == WZP_ADDR_V4 ? 32u : 128u);
}

wzp_err wzp_sim_router_route(wzp_sim_router *router, const wzp_addr *network, unsigned prefix,
                             unsigned port) {
    assert(is_prefix(network, prefix));
    uint8_t masked[16];
    mask(masked, network, prefix);
    group *g = make_group(router, network->family, prefix);
    if (g == NULL) {
        return WZP_ERR_NOMEM;
    }
    route *same = find(g, masked);
    if (same != NULL) {
        same->port = port;
        return WZP_OK;
    }
    if (!make_room(g)) {
        return WZP_ERR_NOMEM;
    }
    const size_t at = lower_bound(g, masked);
    memmove(&g->routes[at + 1], &g->routes[at], (g->count - at) * sizeof *g->routes);
    memcpy(g->routes[at].network, masked, sizeof masked);
    g->routes[at].port = port;
    g->count++;
    return WZP_OK;
}

void wzp_sim_router_unroute(wzp_sim_router *router, const wzp_addr *network, unsigned prefix) {
    assert(is_prefix(network, prefix));
    const size_t at = group_of(router, network->family, prefix);
    if (!is_group(router, at, network->family, prefix)) {
        return;
    }
    group *g = &router->groups[at];
    uint8_t masked[16];
    mask(masked, network, prefix);
    route *gone = find(g, masked);
    if (gone != NULL) {
        const size_t behind = g->count - (size_t)(gone - g->routes) - 1;
        memmove(gone, gone + 1, behind * sizeof *gone);
        g->count--;
    }
}

/* --- forwarding ------------------------------------------------------------------------------- */

static void pass_on(wzp_sim_router *router, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    router->counts.out++;
    router->counts.bytes_out += wzp_sim_packet_wire_len(packet);
    wzp_sim_pipe_carry(router->pipes[port], packet, now);
}

static bool has_pipe(const wzp_sim_router *router, unsigned port) {
    return port < router->pipe_count && router->pipes[port] != NULL;
}

static const wzp_addr *own_address(const wzp_sim_router *router, uint8_t family) {
    return router->cfg.address.family == family ? &router->cfg.address : &router->cfg.address6;
}

/* The error goes by the routes, or back to where the packet came from if there is none. */
static void report(wzp_sim_router *router, unsigned in, const wzp_sim_packet *about,
                   wzp_sim_icmp what, wzp_time now) {
    wzp_sim_packet *icmp =
        wzp_sim_packet_icmp(about, own_address(router, about->src.family), what, 0, now);
    if (icmp == NULL) {
        return;
    }
    const unsigned routed = look_up(router, &icmp->dst);
    const unsigned out = has_pipe(router, routed) ? routed : in;
    if (has_pipe(router, out)) {
        pass_on(router, out, icmp, now);
    } else {
        wzp_sim_packet_free(icmp);
    }
}

static void drop(wzp_sim_router *router, wzp_sim_packet *packet, wzp_sim_drop why) {
    router->counts.dropped[why]++;
    wzp_sim_packet_free(packet);
}

static bool is_multicast(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V4 ? (addr->ip[0] & 0xf0) == 0xe0 : addr->ip[0] == 0xff;
}

static bool may_pass(const wzp_sim_router *router, unsigned in, unsigned out) {
    return !router->cfg.isolate || in == 0 || out == 0;
}

/* A switch sends what is for a group out of every other port. */
static void flood(wzp_sim_router *router, unsigned in, wzp_sim_packet *packet, wzp_time now) {
    for (unsigned out = 0; out < router->pipe_count; out++) {
        wzp_sim_packet *copy = out != in && router->pipes[out] != NULL && may_pass(router, in, out)
                                   ? wzp_sim_packet_copy(packet)
                                   : NULL;
        if (copy != NULL) {
            pass_on(router, out, copy, now);
        }
    }
    wzp_sim_packet_free(packet);
}

static void deliver(wzp_sim_node *node, unsigned in, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_router *router = (wzp_sim_router *)node;
    router->counts.in++;
    router->counts.bytes_in += wzp_sim_packet_wire_len(packet);
    const unsigned out = look_up(router, &packet->dst);
    if (router->cfg.keep_ttl && is_multicast(&packet->dst)) {
        flood(router, in, packet, now);
        return;
    }
    if (!has_pipe(router, out) || (out == in && router->cfg.keep_ttl)) {
        report(router, in, packet, WZP_SIM_ICMP_HOST_UNREACHABLE, now);
        drop(router, packet, WZP_SIM_DROP_NO_ROUTE);
        return;
    }
    if (!may_pass(router, in, out)) {
        drop(router, packet, WZP_SIM_DROP_POLICY);
        return;
    }
    if (!router->cfg.keep_ttl) {
        if (packet->ttl <= 1) {
            report(router, in, packet, WZP_SIM_ICMP_TTL_EXCEEDED, now);
            drop(router, packet, WZP_SIM_DROP_TTL);
            return;
        }
        packet->ttl--;
    }
    pass_on(router, out, packet, now);
}

/* --- router ----------------------------------------------------------------------------------- */

wzp_err wzp_sim_router_new(wzp_sim_router **out, const wzp_sim_router_cfg *cfg) {
    wzp_sim_router *router = calloc(1, sizeof *router);
    if (router == NULL) {
        return WZP_ERR_NOMEM;
    }
    router->node = (wzp_sim_node){.deliver = deliver, .name = cfg->name};
    router->cfg = *cfg;
    *out = router;
    return WZP_OK;
}

void wzp_sim_router_free(wzp_sim_router **router) {
    if (*router == NULL) {
        return;
    }
    for (size_t i = 0; i < (*router)->group_count; i++) {
        free((*router)->groups[i].routes);
    }
    free((*router)->groups);
    free((*router)->pipes);
    free(*router);
    *router = NULL;
}

wzp_sim_node *wzp_sim_router_node(wzp_sim_router *router) {
    return &router->node;
}

wzp_err wzp_sim_router_attach(wzp_sim_router *router, unsigned port, wzp_sim_pipe *pipe) {
    if (port >= router->pipe_count) {
        const size_t count = (size_t)port + 1;
        wzp_sim_pipe **pipes = realloc(router->pipes, count * sizeof(wzp_sim_pipe *));
        if (pipes == NULL) {
            return WZP_ERR_NOMEM;
        }
        for (size_t i = router->pipe_count; i < count; i++) {
            pipes[i] = NULL;
        }
        router->pipes = pipes;
        router->pipe_count = count;
    }
    router->pipes[port] = pipe;
    return WZP_OK;
}

void wzp_sim_router_count(const wzp_sim_router *router, wzp_sim_counts *out) {
    *out = router->counts;
}
