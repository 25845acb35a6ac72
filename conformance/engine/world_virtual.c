/* Virtual time: every core on a simulated host of its own, all of them around one router.
 *
 *     relay ---- router ---- tester       a tester's access link may be as bad as one likes
 *                  |    ---- tester ...                                                       */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/world.h"
#include "sim/host/host.h"
#include "sim/net/fabric.h"
#include "sim/net/router.h"

enum { PORT = 40000, RELAY_PORT = 4433, NAME_MAX_LEN = 24, WEBS_MAX = 4, WEB_PORT = 80 };

typedef struct place {
    char name[NAME_MAX_LEN];
    void *core_self; /* NULL: removed */
    wzp_sim_host *host;
    wzp_sim_seat *seat;
    wzp_addr addr; /* of a relay */
} place;

/* Its memory is all the network that it has. */
typedef struct hosted {
    wzp_ct_web web; /* self NULL: nobody's */
    wzp_addr places[WZP_CT_WEB_PLACES];
} hosted;

typedef struct virtual_world {
    wzp_ct_world world;
    wzp_sim_fabric *fabric;
    wzp_sim_router *router;
    wzp_ct_net net;
    place **places;
    size_t count, cap;
    uint32_t next_ip;
    hosted webs[WEBS_MAX];
} virtual_world;

static wzp_sim_clock clock_of(const virtual_world *w) {
    return w->fabric->ops->clock(w->fabric);
}

static wzp_time virtual_now(const wzp_ct_world *world) {
    return wzp_sim_now(clock_of((const virtual_world *)(const void *)world));
}

static place *new_place(virtual_world *w) {
    if (w->count == w->cap) {
        const size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
        place **places = realloc(w->places, cap * sizeof(place *));
        if (places == NULL) {
            return NULL;
        }
        w->places = places;
        w->cap = cap;
    }
    place *p = calloc(1, sizeof *p);
    if (p != NULL) {
        (void)snprintf(p->name, sizeof p->name, "host%zu", w->count);
        w->places[w->count++] = p;
    }
    return p;
}

/* A link between the host and the router; `up` leads to the router. */
static bool wire(virtual_world *w, const place *p, const wzp_sim_link_cfg *up,
                 const wzp_sim_link_cfg *down) {
    const unsigned port = (unsigned)(w->count - 1);
    const wzp_sim_end a = {.node = wzp_sim_host_node(p->host)};
    const wzp_sim_end b = {.node = wzp_sim_router_node(w->router), .port = port};
    wzp_sim_pipe *pipe[2];
    size_t index = 0;
    wzp_fail fail = {0};
    return w->fabric->ops->link(w->fabric, p->name, &a, &b, up, down, pipe, &index, &fail) ==
               WZP_OK &&
           wzp_sim_host_attach(p->host, 0, pipe[0]) == WZP_OK &&
           wzp_sim_router_attach(w->router, port, pipe[1]) == WZP_OK;
}

static bool number(virtual_world *w, const place *p, wzp_addr *out, uint16_t port) {
    const uint32_t ip = w->next_ip++;
    *out = wzp_addr_v4(10, (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip, port);
    return wzp_sim_host_address(p->host, 0, out) == WZP_OK &&
           wzp_sim_router_route(w->router, out, 32, (unsigned)(w->count - 1)) == WZP_OK;
}

static place *settle(virtual_world *w, const wzp_sim_link_cfg *up, const wzp_sim_link_cfg *down) {
    place *p = new_place(w);
    if (p == NULL) {
        return NULL;
    }
    const wzp_sim_host_cfg cfg = {.name = p->name};
    const bool ok =
        wzp_sim_host_new(&p->host, &cfg, clock_of(w), w->fabric->ops->pool(w->fabric)) == WZP_OK &&
        wire(w, p, up, down);
    return ok ? p : NULL;
}

/* The address of a core that has a port of its own is on a second socket of its seat. */
static bool seat(place *p, wzp_core core, const wzp_addr *locals, size_t count) {
    p->core_self = core.self;
    p->seat = wzp_sim_host_seat(p->host, PORT, core, NULL, NULL);
    bool ok = p->seat != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = locals[i].port == PORT || wzp_sim_seat_also(p->seat, locals[i].port);
    }
    return ok;
}

static bool virtual_add(wzp_ct_world *world, wzp_core core, const wzp_addr *target,
                        wzp_addr *locals, size_t count) {
    virtual_world *w = (virtual_world *)(void *)world;
    (void)target;
    place *p = settle(w, &w->net.up, &w->net.down);
    for (size_t i = 0; p != NULL && i < count; i++) {
        if (!number(w, p, &locals[i], locals[i].port != 0 ? locals[i].port : PORT)) {
            return false;
        }
    }
    return p != NULL && seat(p, core, locals, count);
}

static place *free_place(const virtual_world *w, const wzp_addr *addr) {
    for (size_t i = 0; i < w->count && addr->family != WZP_ADDR_NONE; i++) {
        if (w->places[i]->seat == NULL && wzp_addr_equal(&w->places[i]->addr, addr)) {
            return w->places[i];
        }
    }
    return NULL;
}

bool wzp_ct_world_serve(wzp_ct_world *world, wzp_core core, void (*after)(void *ctx, wzp_time now),
                        void *ctx, wzp_addr *addr) {
    static const wzp_sim_link_cfg wire_cfg = {0};
    virtual_world *w = (virtual_world *)(void *)world;
    place *p = free_place(w, addr);
    if (p == NULL) {
        p = settle(w, &wire_cfg, &wire_cfg);
        if (p == NULL || !number(w, p, addr, RELAY_PORT)) {
            return false;
        }
        p->addr = *addr;
    }
    p->core_self = core.self;
    p->seat = wzp_sim_host_seat(p->host, RELAY_PORT, core, after, ctx);
    return p->seat != NULL;
}

/* --- webs ------------------------------------------------------------------------------------- */

static bool virtual_host(wzp_ct_world *world, wzp_ct_web web, wzp_addr *places) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < WEBS_MAX; i++) {
        if (w->webs[i].web.self == NULL) {
            for (size_t k = 0; k < WZP_CT_WEB_PLACES; k++) {
                places[k].port = WEB_PORT;
            }
            w->webs[i].web = web;
            memcpy(w->webs[i].places, places, sizeof w->webs[i].places);
            return true;
        }
    }
    return false;
}

void wzp_ct_world_search(wzp_ct_world *world, const wzp_addr *from, wzp_bytes datagram) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < WEBS_MAX; i++) {
        const wzp_ct_web *web = &w->webs[i].web;
        if (web->self != NULL) {
            web->ops->heard(web->self, from, datagram, virtual_now(world));
        }
    }
}

bool wzp_ct_world_found(wzp_ct_world *world, wzp_time until, wzp_ct_web_answer *out) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < WEBS_MAX; i++) {
        const wzp_ct_web *web = &w->webs[i].web;
        if (web->self != NULL && web->ops->next(web->self, until, out)) {
            return true;
        }
    }
    return false;
}

size_t wzp_ct_world_ask(wzp_ct_world *world, const wzp_addr *to, wzp_bytes question, uint8_t *out,
                        size_t cap) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < WEBS_MAX; i++) {
        const hosted *h = &w->webs[i];
        for (size_t k = 0; h->web.self != NULL && k < WZP_CT_WEB_PLACES; k++) {
            if (wzp_addr_equal(&h->places[k], to)) {
                return h->web.ops->asked(h->web.self, k, question, out, cap, virtual_now(world));
            }
        }
    }
    return 0;
}

/* --- time, and the end ------------------------------------------------------------------------ */

/* The host stays: packets may still be on their way to it. */
static void virtual_remove(wzp_ct_world *world, void *core_self) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        if (w->places[i]->core_self == core_self) {
            wzp_sim_seat_free(&w->places[i]->seat);
            w->places[i]->core_self = NULL;
        }
    }
    for (size_t i = 0; i < WEBS_MAX; i++) {
        if (w->webs[i].web.self == core_self) {
            w->webs[i].web.self = NULL;
        }
    }
}

static void virtual_step(wzp_ct_world *world, wzp_time until) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        if (w->places[i]->seat != NULL) {
            wzp_sim_seat_wake(w->places[i]->seat); /* the suite may have given it commands */
        }
    }
    (void)w->fabric->ops->run(w->fabric, until);
}

static void virtual_free(wzp_ct_world *world) {
    virtual_world *w = (virtual_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        wzp_sim_seat_free(&w->places[i]->seat);
        wzp_sim_host_free(&w->places[i]->host);
        free(w->places[i]);
    }
    wzp_sim_router_free(&w->router);
    if (w->fabric != NULL) {
        w->fabric->ops->free(w->fabric);
    }
    free(w->places);
    free(w);
}

wzp_ct_world *wzp_ct_world_virtual(uint64_t seed, const wzp_ct_net *net) {
    static const wzp_ct_world_ops ops = {virtual_now,    virtual_add,  virtual_host,
                                         virtual_remove, virtual_step, virtual_free};
    const wzp_sim_engine_cfg engine = {.seed = seed};
    const wzp_sim_router_cfg router = {.name = "router"};
    virtual_world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->world.ops = &ops;
    w->net.up.delay.base = w->net.down.delay.base = WZP_MS;
    w->net = net != NULL ? *net : w->net;
    if (wzp_sim_fabric_native(&w->fabric, &engine) != WZP_OK ||
        wzp_sim_router_new(&w->router, &router) != WZP_OK) {
        virtual_free(&w->world);
        return NULL;
    }
    return &w->world;
}
