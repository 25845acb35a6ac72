#include "sim/lab/topology.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/topology_build.h"

/* --- bookkeeping ----------------------------------------------------------------------------- */

wzp_err wzp_lab_no_memory(const wzp_lab_topology *t) {
    if (t->why != NULL) { /* while it is built */
        (void)snprintf(t->why, 256, "out of memory");
    }
    return WZP_ERR_NOMEM;
}

/* A name that lives as long as the topology; NULL when out of memory. */
const char *wzp_lab_name_of(wzp_lab_topology *t, const char *format, ...) {
    char text[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (t->name_count == t->name_cap) {
        const size_t cap = t->name_cap == 0 ? 64 : 2 * t->name_cap;
        char **names = realloc(t->names, cap * sizeof(char *));
        if (names == NULL) {
            return NULL;
        }
        t->names = names;
        t->name_cap = cap;
    }
    char *copy = strdup(text);
    if (copy != NULL) {
        t->names[t->name_count++] = copy;
    }
    return copy;
}

bool wzp_lab_add_element(wzp_lab_topology *t, wzp_lab_element element) {
    if (t->element_count == t->element_cap) {
        const size_t cap = t->element_cap == 0 ? 64 : 2 * t->element_cap;
        wzp_lab_element *elements = realloc(t->elements, cap * sizeof *elements);
        if (elements == NULL) {
            return false;
        }
        t->elements = elements;
        t->element_cap = cap;
    }
    t->elements[t->element_count++] = element;
    return element.name != NULL;
}

size_t wzp_lab_topology_count(const wzp_lab_topology *t) {
    return t->element_count;
}

const wzp_lab_element *wzp_lab_topology_element(const wzp_lab_topology *t, size_t index) {
    return &t->elements[index];
}

void wzp_lab_element_count(const wzp_lab_topology *t, const wzp_lab_element *element,
                           wzp_sim_counts *out) {
    switch (element->kind) {
    case WZP_LAB_ELEMENT_LINK:
        t->fabric->ops->count(t->fabric, element->link, element->direction, out);
        break;
    case WZP_LAB_ELEMENT_BOX:
        wzp_sim_box_count(element->object, out);
        break;
    case WZP_LAB_ELEMENT_CLAT:
        *out = ((const wzp_sim_clat *)element->object)->counts;
        break;
    case WZP_LAB_ELEMENT_ROUTER:
        wzp_sim_router_count(element->object, out);
        break;
    case WZP_LAB_ELEMENT_HOST:
        wzp_sim_host_count(element->object, out);
        break;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static bool make_room(wzp_lab_topology *t) {
    const wzp_lab_scenario *s = t->s;
    const size_t ways = s->host_count * WZP_LAB_WAYS_MAX;
    t->hosts = calloc(s->host_count + 1, sizeof(wzp_sim_host *));
    t->relays = calloc(s->relay_count + 1, sizeof(wzp_sim_host *));
    t->host_ways = calloc(ways + 1, sizeof *t->host_ways);
    t->lan_ways = calloc(s->lan_count + 1, sizeof *t->lan_ways);
    t->lans = calloc(s->lan_count + 1, sizeof *t->lans);
    t->places = calloc(ways + s->lan_count + s->relay_count + WZP_LAB_STUNS_MAX, sizeof *t->places);
    t->pairs = calloc(s->pair_count + 1, sizeof *t->pairs);
    return t->hosts != NULL && t->relays != NULL && t->host_ways != NULL && t->lan_ways != NULL &&
           t->lans != NULL && t->places != NULL && t->pairs != NULL;
}

static wzp_err build(wzp_lab_topology *t) {
    wzp_err err = wzp_lab_build_hubs(t);
    err = err == WZP_OK ? wzp_lab_build_places(t) : err;
    for (size_t i = 0; err == WZP_OK && i < t->s->host_count; i++) {
        err = wzp_lab_build_host(t, i);
    }
    for (size_t i = 0; err == WZP_OK && i < t->s->lan_count; i++) {
        err = wzp_lab_build_lan(t, i);
    }
    for (size_t i = 0; err == WZP_OK && i < t->s->relay_count; i++) {
        err = wzp_lab_build_relay(t, i);
    }
    for (size_t i = 0; err == WZP_OK && i < t->s->stun.servers; i++) {
        err = wzp_lab_build_stun(t, i);
    }
    err = err == WZP_OK ? wzp_lab_route_inside(t) : err;
    return err == WZP_OK ? wzp_lab_build_core(t) : err;
}

wzp_err wzp_lab_topology_new(wzp_lab_topology **out, const wzp_lab_scenario *scenario,
                             wzp_sim_fabric *fabric, char why[256]) {
    wzp_lab_topology *t = calloc(1, sizeof *t);
    why[0] = '\0';
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    t->s = scenario;
    t->fabric = fabric;
    t->clock = fabric->ops->clock(fabric);
    t->pool = fabric->ops->pool(fabric);
    t->why = why;
    const wzp_err err = make_room(t) ? build(t) : wzp_lab_no_memory(t);
    t->why = NULL;
    if (err != WZP_OK) {
        wzp_lab_topology_free(&t);
        return err;
    }
    *out = t;
    return WZP_OK;
}

static void free_boxes(wzp_lab_built_way *ways, size_t count) {
    for (size_t i = 0; ways != NULL && i < count; i++) {
        wzp_sim_gateway_seat_free(&ways[i].gateway);
        free(ways[i].clat);
        for (size_t b = 0; b < WZP_LAB_BOXES_MAX; b++) {
            wzp_sim_box_free(&ways[i].boxes[b]);
        }
    }
}

void wzp_lab_topology_free(wzp_lab_topology **topology) {
    wzp_lab_topology *t = *topology;
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; t->hosts != NULL && i < t->s->host_count; i++) {
        wzp_sim_host_free(&t->hosts[i]);
    }
    for (size_t i = 0; t->relays != NULL && i < t->s->relay_count; i++) {
        wzp_sim_host_free(&t->relays[i]);
    }
    for (size_t i = 0; i < WZP_LAB_STUNS_MAX; i++) {
        wzp_sim_host_free(&t->stuns[i]);
    }
    free_boxes(t->host_ways, t->s->host_count * WZP_LAB_WAYS_MAX);
    free_boxes(t->lan_ways, t->s->lan_count);
    for (size_t i = 0; t->lans != NULL && i < t->s->lan_count; i++) {
        wzp_sim_router_free(&t->lans[i].hub);
    }
    for (size_t i = 0; i < t->place_count; i++) {
        wzp_sim_router_free(&t->places[i].edge);
    }
    for (size_t i = 0; i < t->name_count; i++) {
        free(t->names[i]);
    }
    free(t->names);
    free(t->elements);
    free(t->hosts);
    free(t->relays);
    free(t->host_ways);
    free(t->lan_ways);
    free(t->lans);
    free(t->places);
    free(t->ports_to);
    free(t->pairs);
    free(t);
    *topology = NULL;
}

/* --- what others look up ---------------------------------------------------------------------- */

wzp_sim_host *wzp_lab_topology_host(const wzp_lab_topology *t, size_t index) {
    return t->hosts[index];
}

wzp_sim_host *wzp_lab_topology_relay(const wzp_lab_topology *t, size_t index) {
    return t->relays[index];
}

wzp_lab_built_way *wzp_lab_way_of(const wzp_lab_topology *t, const wzp_lab_target *target) {
    return target->of_lan ? &t->lan_ways[target->index]
                          : &t->host_ways[target->index * WZP_LAB_WAYS_MAX + target->way];
}

wzp_sim_gateway_seat *wzp_lab_topology_gateway(const wzp_lab_topology *t, size_t host, size_t way) {
    return t->host_ways[host * WZP_LAB_WAYS_MAX + way].gateway;
}

wzp_sim_box *wzp_lab_topology_box(const wzp_lab_topology *t, const wzp_lab_target *target) {
    return wzp_lab_way_of(t, target)->boxes[target->box];
}

size_t wzp_lab_topology_link(const wzp_lab_topology *t, const wzp_lab_target *target) {
    return target->kind == WZP_LAB_TARGET_CORE ? t->pairs[target->index]
                                               : wzp_lab_way_of(t, target)->access;
}

wzp_sim_host *wzp_lab_topology_stun(const wzp_lab_topology *t, size_t index,
                                    wzp_addr addresses[2]) {
    const wzp_lab_place *p = &t->places[t->place_count - t->s->stun.servers + index];
    memcpy(addresses, p->servers, sizeof p->servers);
    return t->stuns[index];
}

static bool exposes(const wzp_lab_built_way *built, const wzp_addr *address) {
    for (size_t i = 0; i < built->exposed_count; i++) {
        if (wzp_addr_same_ip(&built->exposed[i], address)) {
            return true;
        }
    }
    return false;
}

uint32_t wzp_lab_topology_at(const wzp_lab_topology *t, const wzp_addr *address) {
    wzp_addr behind;
    if (wzp_sim_nat64_extract(address, &behind)) {
        address = &behind;
    }
    for (size_t i = 0; i < t->s->relay_count; i++) {
        if (wzp_addr_same_ip(&t->s->relays[i].address, address)) {
            return (uint32_t)(t->s->host_count + i);
        }
    }
    for (size_t i = 0; i < t->s->host_count * WZP_LAB_WAYS_MAX; i++) {
        if (t->host_ways[i].way != NULL && exposes(&t->host_ways[i], address)) {
            return (uint32_t)(i / WZP_LAB_WAYS_MAX);
        }
    }
    return WZP_LAB_NONE;
}
