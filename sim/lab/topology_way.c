/* Hosts, LANs, and what lies between them and the core. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/topology_build.h"

/* --- ways ------------------------------------------------------------------------------------ */

static wzp_sim_nat_scope filter6_of(wzp_lab_filter6 filter) {
    switch (filter) {
    case WZP_LAB_FILTER6_ADDR_PORT:
        return WZP_SIM_NAT_ADDR_PORT;
    case WZP_LAB_FILTER6_ADDR:
        return WZP_SIM_NAT_ADDR;
    case WZP_LAB_FILTER6_ANY:
        return WZP_SIM_NAT_ANY;
    }
    return WZP_SIM_NAT_ADDR_PORT;
}

static wzp_err new_box(wzp_lab_topology *t, const wzp_lab_way *way, size_t b, wzp_sim_box **out) {
    const wzp_lab_box *box = &way->boxes[b];
    const char *name = way->box_count == 1 ? wzp_lab_name_of(t, "%s.nat", way->name)
                                           : wzp_lab_name_of(t, "%s.nat%zu", way->name, b + 1);
    wzp_sim_box_cfg cfg = {.name = name,
                           .nat = box->nat,
                           .policy = box->policy,
                           .inside = box->inside,
                           .inside_v6 = box->inside6,
                           .nat64 = box->nat64,
                           .external_count = box->external_count,
                           .has_v6 = way->address6.family != WZP_ADDR_NONE};
    memcpy(cfg.externals, box->externals, sizeof cfg.externals);
    if (cfg.has_v6 && wzp_sim_nat_preset("fw", &cfg.v6)) { /* nat sheet 2.9 */
        cfg.v6.filtering = filter6_of((wzp_lab_filter6)way->filtering6);
        cfg.v6.overload = way->filtering6 == WZP_LAB_FILTER6_ADDR_PORT;
        cfg.v6.t_unreplied = 120 * WZP_S;
        cfg.v6.t_replied = 300 * WZP_S;
    }
    wzp_fail fail = {0};
    if (name == NULL) {
        return wzp_lab_no_memory(t);
    }
    const wzp_err err = wzp_sim_box_new(out, &cfg, t->clock, t->pool, &fail);
    if (err != WZP_OK) {
        (void)snprintf(t->why, 256, "%s: %s cannot be %llu", name,
                       fail.field != NULL ? fail.field : wzp_err_text(err),
                       (unsigned long long)fail.got);
        return err;
    }
    return wzp_lab_add_element(
               t, (wzp_lab_element){.kind = WZP_LAB_ELEMENT_BOX, .name = name, .object = *out})
               ? WZP_OK
               : wzp_lab_no_memory(t);
}

static wzp_err new_gateway(wzp_lab_topology *t, wzp_lab_built_way *built) {
    const char *name = wzp_lab_name_of(t, "%s.gateway", built->way->name);
    return name != NULL ? wzp_sim_gateway_seat_new(&built->gateway, &built->way->gateway,
                                                   built->boxes[0], t->clock, name)
                        : WZP_ERR_NOMEM;
}

/* The host's own translator, in front of the NAT64; *inside becomes its far side. */
static wzp_err build_clat(wzp_lab_topology *t, wzp_lab_built_way *built, wzp_lab_joint *inside) {
    static const wzp_sim_link_cfg wire[2] = {{.mtu = 0}, {.mtu = 0}};
    const wzp_lab_way *way = built->way;
    const char *name = wzp_lab_name_of(t, "%s.clat", way->name);
    const char *to = wzp_lab_name_of(t, "%s.wire", way->name);
    size_t index = 0;
    /* An address of its own, so that the host's IPv6 is not taken for IPv4 (RFC 6877, 6.3). */
    wzp_addr v6 = way->address6;
    memset(v6.ip + 8, 0, 6);
    v6.ip[14] = 0xc1;
    v6.ip[15] = 0xa7;
    built->clat = calloc(1, sizeof *built->clat);
    if (built->clat == NULL || name == NULL || to == NULL) {
        return wzp_lab_no_memory(t);
    }
    wzp_sim_clat_init(built->clat, name, &way->local, &v6);
    if (!wzp_lab_add_element(
            t,
            (wzp_lab_element){.kind = WZP_LAB_ELEMENT_CLAT, .name = name, .object = built->clat})) {
        return wzp_lab_no_memory(t);
    }
    const wzp_lab_joint near = wzp_lab_at_clat(built->clat, 0, way->local);
    const wzp_err err = wzp_lab_join(t, to, inside, &near, wire, wzp_lab_up_down, &index);
    *inside = wzp_lab_at_clat(built->clat, 1, v6);
    return err;
}

/* From `inside` through all boxes; *last is where the access begins. */
static wzp_err build_boxes(wzp_lab_topology *t, wzp_lab_built_way *built, wzp_lab_joint inside,
                           wzp_lab_joint *last) {
    static const wzp_sim_link_cfg wire[2] = {{.mtu = 0}, {.mtu = 0}};
    const wzp_lab_way *way = built->way;
    for (size_t b = 0; b < way->box_count; b++) {
        const char *name = wzp_lab_name_of(t, "%s.wire%zu", way->name, b + 1);
        size_t index = 0;
        wzp_err err = new_box(t, way, b, &built->boxes[b]);
        if (err == WZP_OK) {
            const wzp_lab_box *described = &way->boxes[b];
            const wzp_lab_joint box = wzp_lab_at_box(
                built->boxes[b], 0, described->nat64 ? described->inside6 : described->inside);
            err = name != NULL ? wzp_lab_join(t, name, &inside, &box, wire, wzp_lab_up_down, &index)
                               : wzp_lab_no_memory(t);
        }
        if (err != WZP_OK) {
            return err;
        }
        if (b == 0 && way->has_gateway && new_gateway(t, built) != WZP_OK) {
            return wzp_lab_no_memory(t);
        }
        inside = wzp_lab_at_box(built->boxes[b], 1, way->boxes[b].externals[0]);
    }
    *last = inside;
    return WZP_OK;
}

/* The port of the LAN or of the core's edge that the way ends at. */
static wzp_lab_joint outside_of(wzp_lab_topology *t, wzp_lab_built_way *built) {
    const wzp_lab_way *way = built->way;
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    if (way->lan != WZP_LAB_NONE) {
        built->outside = t->lans[way->lan].hub;
        built->outside_port = t->lans[way->lan].ports++;
    } else {
        built->outside = wzp_lab_place_named(t, way->name)->edge;
        built->outside_port = 0;
    }
    return wzp_lab_at_router(built->outside, built->outside_port, none);
}

static wzp_err build_way(wzp_lab_topology *t, wzp_lab_built_way *built, wzp_lab_joint inside) {
    wzp_lab_joint last;
    wzp_err err = built->way->clat ? build_clat(t, built, &inside) : WZP_OK;
    err = err == WZP_OK ? build_boxes(t, built, inside, &last) : err;
    const char *name = wzp_lab_name_of(t, "%s.access", built->way->name);
    if (err != WZP_OK || name == NULL) {
        return err != WZP_OK ? err : wzp_lab_no_memory(t);
    }
    const wzp_lab_joint outside = outside_of(t, built);
    err =
        wzp_lab_join(t, name, &last, &outside, built->way->links, wzp_lab_up_down, &built->access);
    for (size_t d = 1; err == WZP_OK && d <= 2; d++) {
        t->elements[t->element_count - d].access = true;
    }
    return err;
}

/* --- addresses that lead to a way ------------------------------------------------------------ */

void wzp_lab_expose(wzp_lab_built_way *built, const wzp_addr *address) {
    if (address->family != WZP_ADDR_NONE && built->exposed_count < WZP_COUNT_OF(built->exposed)) {
        built->exposed[built->exposed_count++] = *address;
    }
}

static void expose_box(wzp_lab_built_way *built) {
    const wzp_lab_box *last = &built->way->boxes[built->way->box_count - 1];
    for (size_t i = 0; i < last->external_count; i++) {
        wzp_lab_expose(built, &last->externals[i]);
    }
}

static bool translates(const wzp_lab_way *way) {
    bool any = false;
    for (size_t i = 0; i < way->box_count; i++) {
        any = any || !way->boxes[i].nat.identity;
    }
    return any;
}

/* Behind a firewall that translates nothing, a LAN's members are seen as they are. */
static void expose_members(const wzp_lab_topology *t, wzp_lab_built_way *built,
                           uint32_t lan_index) {
    for (size_t i = 0; i < t->s->host_count * WZP_LAB_WAYS_MAX; i++) {
        const wzp_lab_built_way *member = &t->host_ways[i];
        for (size_t e = 0;
             member->way != NULL && member->way->lan == lan_index && e < member->exposed_count;
             e++) {
            wzp_lab_expose(built, &member->exposed[e]);
        }
    }
}

static void expose_way(const wzp_lab_topology *t, wzp_lab_built_way *built, uint32_t lan_index) {
    if (translates(built->way)) {
        expose_box(built);
        wzp_lab_expose(built, &built->way->address6);
    } else if (lan_index != WZP_LAB_NONE) {
        expose_members(t, built, lan_index);
    } else {
        wzp_lab_expose(built, &built->way->address);
        wzp_lab_expose(built, &built->way->address6);
    }
}

/* --- hosts, LANs ------------------------------------------------------------------------------ */

static wzp_err build_host_way(wzp_lab_topology *t, size_t index, unsigned port) {
    const wzp_lab_way *way = &t->s->hosts[index].ways[port];
    wzp_lab_built_way *built = &t->host_ways[index * WZP_LAB_WAYS_MAX + port];
    const bool has_v4 = way->local.family != WZP_ADDR_NONE;
    wzp_sim_host *host = t->hosts[index];
    built->way = way;
    built->own[0] = way->local;
    built->own[1] = way->address6;
    wzp_err err =
        build_way(t, built, wzp_lab_at_host(host, port, has_v4 ? way->local : way->address6));
    err = err == WZP_OK && has_v4 ? wzp_sim_host_address(host, port, &way->local) : err;
    if (err == WZP_OK && way->address6.family != WZP_ADDR_NONE) {
        err = wzp_sim_host_address(host, port, &way->address6);
    }
    wzp_sim_host_up(host, port, !way->down);
    expose_way(t, built, WZP_LAB_NONE);
    return err;
}

wzp_err wzp_lab_build_host(wzp_lab_topology *t, size_t index) {
    const wzp_lab_host *host = &t->s->hosts[index];
    const wzp_sim_host_cfg cfg = {.name = host->name,
                                  .skew_ppm = host->skew_ppm,
                                  .offset = host->ahead,
                                  .processing = host->processing};
    wzp_err err = wzp_lab_new_host(t, &cfg, &t->hosts[index]);
    for (unsigned w = 0; err == WZP_OK && w < host->way_count; w++) {
        err = build_host_way(t, index, w);
    }
    return err;
}

wzp_err wzp_lab_build_lan(wzp_lab_topology *t, size_t index) {
    const wzp_lab_lan *described = &t->s->lans[index];
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    wzp_lab_built_way *built = &t->lan_ways[index];
    built->way = &described->way;
    wzp_err err = build_way(t, built, wzp_lab_at_router(t->lans[index].hub, 0, none));
    expose_way(t, built, (uint32_t)index);
    return err;
}

/* Hubs first: hosts and other LANs hang on them. */
wzp_err wzp_lab_build_hubs(wzp_lab_topology *t) {
    wzp_err err = WZP_OK;
    for (size_t i = 0; err == WZP_OK && i < t->s->lan_count; i++) {
        const wzp_sim_router_cfg cfg = {.keep_ttl = true, .isolate = t->s->lans[i].isolate};
        err = wzp_lab_new_router(t, t->s->lans[i].name, cfg, &t->lans[i].hub);
        t->lans[i].ports = 1;
    }
    return err;
}

wzp_err wzp_lab_route_inside(wzp_lab_topology *t) {
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    wzp_err err = WZP_OK;
    for (size_t i = 0; err == WZP_OK && i < t->s->lan_count; i++) {
        if (wzp_sim_router_route(t->lans[i].hub, &any, 0, 0) != WZP_OK) {
            return wzp_lab_no_memory(t);
        }
        const wzp_lab_built_way *own = &t->lan_ways[i];
        err = own->way->lan != WZP_LAB_NONE ? wzp_lab_route(t, own->outside, own, own->outside_port)
                                            : err;
    }
    for (size_t i = 0; err == WZP_OK && i < t->s->host_count * WZP_LAB_WAYS_MAX; i++) {
        const wzp_lab_built_way *way = &t->host_ways[i];
        if (way->way != NULL && way->way->lan != WZP_LAB_NONE) {
            err = wzp_lab_route(t, way->outside, way, way->outside_port);
        }
    }
    return err;
}
