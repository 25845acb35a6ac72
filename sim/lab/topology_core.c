/* The core: an edge for each place, and a path between each two of them. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/host/stun_host.h"
#include "sim/lab/topology_build.h"

wzp_lab_place *wzp_lab_place_named(const wzp_lab_topology *t, const char *name) {
    for (size_t i = 0; i < t->place_count; i++) {
        if (strcmp(t->places[i].name, name) == 0) {
            return &t->places[i];
        }
    }
    return NULL;
}

static wzp_err add_place(wzp_lab_topology *t, wzp_lab_place place) {
    wzp_lab_place *p = &t->places[t->place_count];
    const wzp_sim_router_cfg cfg = {.address = wzp_addr_v4(100, 126, (uint8_t)(t->place_count >> 8),
                                                           (uint8_t)t->place_count, 0)};
    *p = place;
    p->ports = 1;
    t->place_count++;
    return place.name != NULL
               ? wzp_lab_new_router(t, wzp_lab_name_of(t, "%s.edge", place.name), cfg, &p->edge)
               : wzp_lab_no_memory(t);
}

/* Documentation addresses above those of relays. */
static wzp_lab_place stun_place(wzp_lab_topology *t, size_t index) {
    const uint8_t last = (uint8_t)(100 + 2 * index);
    return (wzp_lab_place){
        .name = wzp_lab_name_of(t, "stun%zu", index + 1),
        .delay = t->s->stun.delay,
        .servers = {wzp_addr_v4(192, 0, 2, last, WZP_SIM_STUN_PORT),
                    wzp_addr_v4(192, 0, 2, (uint8_t)(last + 1), WZP_SIM_STUN_PORT + 1)}};
}

static wzp_err add_servers(wzp_lab_topology *t) {
    wzp_err err = WZP_OK;
    for (size_t i = 0; err == WZP_OK && i < t->s->relay_count; i++) {
        const wzp_lab_relay *relay = &t->s->relays[i];
        err = add_place(t, (wzp_lab_place){.name = relay->name,
                                           .delay = relay->delay,
                                           .servers = {relay->address}});
    }
    for (size_t i = 0; err == WZP_OK && i < t->s->stun.servers; i++) {
        err = add_place(t, stun_place(t, i));
    }
    return err;
}

wzp_err wzp_lab_build_places(wzp_lab_topology *t) {
    const wzp_lab_scenario *s = t->s;
    wzp_err err = WZP_OK;
    for (size_t i = 0; err == WZP_OK && i < s->host_count; i++) {
        for (size_t w = 0; err == WZP_OK && w < s->hosts[i].way_count; w++) {
            const wzp_lab_way *way = &s->hosts[i].ways[w];
            if (way->lan == WZP_LAB_NONE) {
                err = add_place(t, (wzp_lab_place){.name = way->name,
                                                   .way = &t->host_ways[i * WZP_LAB_WAYS_MAX + w]});
            }
        }
    }
    for (size_t i = 0; err == WZP_OK && i < s->lan_count; i++) {
        if (s->lans[i].way.lan == WZP_LAB_NONE) {
            err = add_place(t, (wzp_lab_place){.name = s->lans[i].name, .way = &t->lan_ways[i]});
        }
    }
    return err == WZP_OK ? add_servers(t) : err;
}

/* A host with all addresses of its place, beside its edge. */
static wzp_err build_server(wzp_lab_topology *t, const wzp_sim_host_cfg *cfg, wzp_lab_place *p,
                            wzp_sim_host **out) {
    static const wzp_sim_link_cfg wire[2] = {{.mtu = 0}, {.mtu = 0}};
    const char *name = wzp_lab_name_of(t, "%s.access", p->name);
    size_t link = 0;
    wzp_err err = wzp_lab_new_host(t, cfg, out);
    if (err != WZP_OK || name == NULL) {
        return wzp_lab_no_memory(t);
    }
    const wzp_lab_joint host = wzp_lab_at_host(*out, 0, p->servers[0]);
    const wzp_lab_joint edge = wzp_lab_at_router(p->edge, 0, (wzp_addr){.family = WZP_ADDR_NONE});
    err = wzp_lab_join(t, name, &host, &edge, wire, wzp_lab_up_down, &link);
    for (size_t i = 0; err == WZP_OK && i < 2; i++) {
        const wzp_addr *a = &p->servers[i];
        if (a->family != WZP_ADDR_NONE &&
            (wzp_sim_host_address(*out, 0, a) != WZP_OK ||
             wzp_sim_router_route(p->edge, a, wzp_lab_full_length(a), 0) != WZP_OK)) {
            err = wzp_lab_no_memory(t);
        }
    }
    return err;
}

wzp_err wzp_lab_build_relay(wzp_lab_topology *t, size_t index) {
    const wzp_lab_relay *relay = &t->s->relays[index];
    const wzp_sim_host_cfg cfg = {.name = relay->name, .processing = relay->processing};
    return build_server(t, &cfg, wzp_lab_place_named(t, relay->name), &t->relays[index]);
}

wzp_err wzp_lab_build_stun(wzp_lab_topology *t, size_t index) {
    wzp_lab_place *p = &t->places[t->place_count - t->s->stun.servers + index];
    const wzp_sim_host_cfg cfg = {.name = p->name};
    const wzp_err err = build_server(t, &cfg, p, &t->stuns[index]);
    if (err == WZP_OK && t->s->stun.down) {
        wzp_sim_host_up(t->stuns[index], 0, false);
    }
    return err;
}

/* The description of the path between two places; `swapped` if it is told the other way round. */
static const wzp_lab_pair *pair_of(const wzp_lab_topology *t, const wzp_lab_place *a,
                                   const wzp_lab_place *b, size_t *index, bool *swapped) {
    for (size_t i = 0; i < t->s->pair_count; i++) {
        const wzp_lab_pair *pair = &t->s->pairs[i];
        for (unsigned d = 0; d < 2; d++) {
            if (strcmp(pair->ends[d], a->name) == 0 && strcmp(pair->ends[1 - d], b->name) == 0) {
                *index = i;
                *swapped = d == 1;
                return pair;
            }
        }
    }
    return NULL;
}

static uint64_t core_delay(const wzp_lab_topology *t, const wzp_lab_place *a,
                           const wzp_lab_place *b) {
    const uint64_t longer = a->delay > b->delay ? a->delay : b->delay;
    return longer != 0 ? longer : t->s->core_delay;
}

static wzp_err route_place(const wzp_lab_topology *t, wzp_sim_router *edge, const wzp_lab_place *to,
                           unsigned port) {
    if (to->way != NULL) {
        return wzp_lab_route(t, edge, to->way, port);
    }
    for (size_t i = 0; i < 2; i++) {
        const wzp_addr *a = &to->servers[i];
        if (a->family != WZP_ADDR_NONE &&
            wzp_sim_router_route(edge, a, wzp_lab_full_length(a), port) != WZP_OK) {
            return wzp_lab_no_memory(t);
        }
    }
    return WZP_OK;
}

/* Where a place's packets to another place leave; 0 is its own. */
static unsigned *port_to(const wzp_lab_topology *t, size_t from, size_t to) {
    return &t->ports_to[from * t->place_count + to];
}

static wzp_err build_path(wzp_lab_topology *t, wzp_lab_place *a, wzp_lab_place *b) {
    static const char *const forth_back[2] = {"forth", "back"};
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    const wzp_sim_link_cfg plain = {.delay.base = core_delay(t, a, b)};
    const wzp_sim_link_cfg plain_pair[2] = {plain, plain};
    size_t index = 0;
    size_t link = 0;
    bool swapped = false;
    const wzp_lab_pair *pair = pair_of(t, a, b, &index, &swapped);
    if (swapped) {
        wzp_lab_place *first = b;
        b = a;
        a = first;
    }
    const unsigned port_a = a->ports++;
    const unsigned port_b = b->ports++;
    *port_to(t, (size_t)(a - t->places), (size_t)(b - t->places)) = port_a;
    *port_to(t, (size_t)(b - t->places), (size_t)(a - t->places)) = port_b;
    const wzp_lab_joint from = wzp_lab_at_router(a->edge, port_a, none);
    const wzp_lab_joint to = wzp_lab_at_router(b->edge, port_b, none);
    const char *name = wzp_lab_name_of(t, "core.%s-%s", a->name, b->name);
    if (name == NULL) {
        return wzp_lab_no_memory(t);
    }
    wzp_err err = wzp_lab_join(t, name, &from, &to, pair != NULL ? pair->links : plain_pair,
                               forth_back, &link);
    if (pair != NULL) {
        t->pairs[index] = link;
    }
    err = err == WZP_OK ? route_place(t, a->edge, b, port_a) : err;
    return err == WZP_OK ? route_place(t, b->edge, a, port_b) : err;
}

wzp_err wzp_lab_build_core(wzp_lab_topology *t) {
    wzp_err err = WZP_OK;
    t->ports_to = calloc(t->place_count * t->place_count, sizeof *t->ports_to);
    if (t->ports_to == NULL) {
        return wzp_lab_no_memory(t);
    }
    for (size_t i = 0; err == WZP_OK && i < t->place_count; i++) {
        wzp_lab_place *a = &t->places[i];
        err = a->way != NULL ? wzp_lab_route(t, a->edge, a->way, 0) : WZP_OK;
        for (size_t j = i + 1; err == WZP_OK && j < t->place_count; j++) {
            err = build_path(t, a, &t->places[j]);
        }
    }
    return err;
}

/* --- new addresses ---------------------------------------------------------------------------- */

static wzp_err reroute_at(wzp_lab_topology *t, wzp_sim_router *router, unsigned port,
                          const wzp_lab_built_way *built, const wzp_addr *old, size_t old_count) {
    for (size_t i = 0; i < old_count; i++) {
        wzp_sim_router_unroute(router, &old[i], wzp_lab_full_length(&old[i]));
    }
    return wzp_lab_route(t, router, built, port);
}

static wzp_err reroute(wzp_lab_topology *t, const wzp_lab_built_way *built, const wzp_addr *old,
                       size_t old_count) {
    if (built->way->lan != WZP_LAB_NONE) {
        return reroute_at(t, built->outside, built->outside_port, built, old, old_count);
    }
    const size_t own = (size_t)(wzp_lab_place_named(t, built->way->name) - t->places);
    wzp_err err = WZP_OK;
    for (size_t i = 0; err == WZP_OK && i < t->place_count; i++) {
        err = reroute_at(t, t->places[i].edge, *port_to(t, i, own), built, old, old_count);
    }
    return err;
}

wzp_err wzp_lab_topology_renumber(wzp_lab_topology *t, const wzp_lab_target *target,
                                  const wzp_addr *address, wzp_time now) {
    wzp_addr fresh[WZP_SIM_NAT_POOL_MAX];
    wzp_addr old[WZP_COUNT_OF(((wzp_lab_built_way *)NULL)->exposed)];
    wzp_lab_built_way *built = wzp_lab_way_of(t, target);
    const wzp_lab_box *box = &built->way->boxes[target->box];
    for (size_t i = 0; i < box->external_count; i++) {
        fresh[i] = *address;
        fresh[i].ip[address->family == WZP_ADDR_V6 ? 15 : 3] += (uint8_t)i;
    }
    wzp_sim_nat_renumber(wzp_sim_box_nat(built->boxes[target->box]), fresh, box->external_count,
                         now);
    if (target->box + 1 != built->way->box_count || box->nat.identity) {
        return WZP_OK; /* only its neighbours know it */
    }
    const size_t old_count = built->exposed_count;
    memcpy(old, built->exposed, sizeof old);
    built->exposed_count = 0;
    for (size_t i = 0; i < box->external_count; i++) {
        wzp_lab_expose(built, &fresh[i]);
    }
    wzp_lab_expose(built, &built->way->address6);
    return reroute(t, built, old, old_count);
}

wzp_err wzp_lab_topology_readdress(wzp_lab_topology *t, const wzp_lab_target *target,
                                   const wzp_addr *address) {
    wzp_addr old[WZP_COUNT_OF(((wzp_lab_built_way *)NULL)->exposed)];
    wzp_lab_built_way *built = wzp_lab_way_of(t, target);
    wzp_addr *own = &built->own[address->family == WZP_ADDR_V6 ? 1 : 0];
    bool seen = false;
    memcpy(old, built->exposed, sizeof old);
    for (size_t i = 0; i < built->exposed_count; i++) {
        if (wzp_addr_same_ip(&built->exposed[i], own)) {
            built->exposed[i] = *address;
            seen = true;
        }
    }
    wzp_sim_host *host = t->hosts[target->index];
    wzp_sim_host_unaddress(host, target->way, own);
    *own = *address;
    const wzp_err err = wzp_sim_host_address(host, target->way, address);
    return err == WZP_OK && seen ? reroute(t, built, old, built->exposed_count) : err;
}
