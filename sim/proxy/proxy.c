#include "sim/proxy/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/timeline.h"
#include "sim/proxy/outputs.h"

/* How often idle clients and mappings are looked for. */
#define SWEEP (10 * WZP_S)

typedef struct seat {
    wzp_sim_proxy *proxy;
    wzp_sim_socket *socket; /* of a client at the scenario's host */
} seat;

struct wzp_sim_proxy {
    wzp_sim_proxy_cfg cfg;
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    wzp_lab_topology *topology;
    wzp_lab_timeline *timeline;
    wzp_sim_host *inside;
    uint32_t relay;                       /* the one that stands for upstream */
    wzp_addr relay_addr, stranger_addr;   /* in the network */
    wzp_sim_socket *relay_socket, *aside; /* `aside`: another port there */
    bool relay_down;
    bool broken; /* the engine reached a limit */
    wzp_time sweep_at;
    wzp_sim_peers clients, mappings;
    seat seats[WZP_SIM_PEERS_MAX]; /* of clients */
    wzp_sim_proxy_counts counts;
    wzp_sim_outputs outputs;
};

/* --- time ------------------------------------------------------------------------------------- */

static void nothing(void *self, void *arg, wzp_time now) {
    (void)self;
    (void)arg;
    (void)now;
}

static void run(wzp_sim_proxy *p, wzp_time now) {
    const wzp_sim_stop stop = p->fabric->ops->run(p->fabric, now);
    p->broken = p->broken || (stop != WZP_SIM_STOP_TIME && stop != WZP_SIM_STOP_IDLE);
}

/* An engine with nothing to do stays at its last task, which may be long ago. */
static void advance(wzp_sim_proxy *p, wzp_time now) {
    if (wzp_sim_now(p->clock) < now) {
        wzp_sim_at(p->clock, now, nothing, NULL, NULL);
        run(p, now);
    }
}

/* --- outputs ---------------------------------------------------------------------------------- */

static bool push(wzp_sim_proxy *p, const wzp_sim_proxy_output *output) {
    const bool good = wzp_sim_outputs_push(&p->outputs, output);
    p->counts.overflow += good ? 0 : 1;
    return good;
}

static void on_event(void *ctx, const wzp_lab_event *event, const char *what, wzp_time now) {
    wzp_sim_proxy *p = ctx;
    if (event->target.kind == WZP_LAB_TARGET_RELAY && event->target.index == p->relay) {
        p->relay_down = event->kind == WZP_LAB_EVENT_KILL_RELAY ||
                        (event->lasts > 0 && strcmp(what, "over") != 0);
    }
    push(p, &(wzp_sim_proxy_output){
                .kind = WZP_SIM_PROXY_EVENT, .event = event, .what = what, .at = now});
}

/* A client that is not ours cannot be told to hang up. */
static void on_leave(void *ctx, uint32_t host) {
    (void)ctx;
    (void)host;
}

static void to_client(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                      wzp_bytes payload, wzp_time now) {
    const seat *s = ctx;
    wzp_sim_proxy *p = s->proxy;
    wzp_sim_peer *client = &p->clients.all[s - p->seats];
    (void)local;
    (void)remote; /* a real client sees all from the one address that it knows */
    client->used = now;
    p->counts.to_clients += push(p, &(wzp_sim_proxy_output){.kind = WZP_SIM_PROXY_TO_CLIENT,
                                                            .addr = client->addr,
                                                            .ecn = ecn,
                                                            .payload = payload,
                                                            .at = now})
                                ? 1
                                : 0;
}

static uint32_t mapping_of(wzp_sim_proxy *p, const wzp_addr *external, wzp_time now) {
    uint32_t index = wzp_sim_peers_find(&p->mappings, external);
    if (index == WZP_SIM_PEERS_NONE) {
        index = wzp_sim_peers_add(&p->mappings, external, now);
        p->counts.mappings += index != WZP_SIM_PEERS_NONE ? 1 : 0;
    }
    return index;
}

static void to_upstream(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                        wzp_bytes payload, wzp_time now) {
    wzp_sim_proxy *p = ctx;
    (void)local;
    if (p->relay_down) {
        p->counts.unheard++;
        return;
    }
    const uint32_t index = mapping_of(p, remote, now);
    if (index == WZP_SIM_PEERS_NONE) {
        p->counts.refused++;
        return;
    }
    p->mappings.all[index].used = now;
    p->counts.to_upstream += push(p, &(wzp_sim_proxy_output){.kind = WZP_SIM_PROXY_TO_UPSTREAM,
                                                             .mapping = index,
                                                             .addr = *remote,
                                                             .ecn = ecn,
                                                             .payload = payload,
                                                             .at = now})
                                 ? 1
                                 : 0;
}

/* Only scripts have a use for it; what comes to that port is nobody's. */
static void ignore(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                   wzp_bytes payload, wzp_time now) {
    (void)ctx;
    (void)local;
    (void)remote;
    (void)ecn;
    (void)payload;
    (void)now;
}

/* --- life ------------------------------------------------------------------------------------- */

/* That of the host's own call, else the first. */
static uint32_t relay_of(const wzp_lab_scenario *s, uint32_t host) {
    for (size_t c = 0; c < s->call_count; c++) {
        for (size_t m = 0; m < s->calls[c].member_count; m++) {
            if (s->calls[c].members[m] == host) {
                return s->calls[c].relays[m];
            }
        }
    }
    return 0;
}

static wzp_err seat_upstream(wzp_sim_proxy *p) {
    const wzp_lab_relay *relay = &p->cfg.scenario->relays[p->relay];
    wzp_sim_host *host = wzp_lab_topology_relay(p->topology, p->relay);
    p->relay_addr = relay->address;
    p->relay_addr.port = relay->port;
    p->stranger_addr = wzp_addr_v4(100, 127, 255, 254, 0);
    p->relay_socket = wzp_sim_host_bind(host, relay->port, to_upstream, p);
    p->aside = wzp_sim_host_bind(host, 0, ignore, p);
    return p->relay_socket != NULL && p->aside != NULL
               ? wzp_sim_host_address(host, 0, &p->stranger_addr)
               : WZP_ERR_NOMEM;
}

static wzp_err start_events(wzp_sim_proxy *p) {
    const wzp_lab_timeline_cfg cfg = {.scenario = p->cfg.scenario,
                                      .fabric = p->fabric,
                                      .topology = p->topology,
                                      .start = p->cfg.start,
                                      .leave = on_leave,
                                      .told = on_event,
                                      .ctx = p};
    p->timeline = wzp_lab_timeline_new(&cfg);
    return p->timeline != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

static wzp_err build(wzp_sim_proxy *p, char why[256]) {
    const wzp_sim_engine_cfg engine = {.seed = p->cfg.scenario->seed, .start = p->cfg.start};
    wzp_err err = wzp_sim_fabric_native(&p->fabric, &engine);
    if (err != WZP_OK) {
        return err;
    }
    p->clock = p->fabric->ops->clock(p->fabric);
    err = wzp_lab_topology_new(&p->topology, p->cfg.scenario, p->fabric, why);
    if (err != WZP_OK) {
        return err;
    }
    p->inside = wzp_lab_topology_host(p->topology, p->cfg.host);
    err = seat_upstream(p);
    err = err == WZP_OK ? start_events(p) : err;
    p->fabric->ops->tap(p->fabric, p->cfg.tap, p->cfg.ctx);
    return err;
}

wzp_err wzp_sim_proxy_new(wzp_sim_proxy **out, const wzp_sim_proxy_cfg *cfg, char why[256]) {
    wzp_sim_proxy *p = calloc(1, sizeof *p);
    why[0] = '\0';
    if (p == NULL) {
        (void)snprintf(why, 256, "out of memory");
        return WZP_ERR_NOMEM;
    }
    p->cfg = *cfg;
    p->relay = relay_of(cfg->scenario, cfg->host);
    p->sweep_at = cfg->start + SWEEP;
    wzp_sim_peers_init(&p->clients);
    wzp_sim_peers_init(&p->mappings);
    const wzp_err err = build(p, why);
    if (err != WZP_OK) {
        if (why[0] == '\0') {
            (void)snprintf(why, 256, "out of memory");
        }
        wzp_sim_proxy_free(&p);
        return err;
    }
    why[0] = '\0';
    *out = p;
    return WZP_OK;
}

void wzp_sim_proxy_free(wzp_sim_proxy **proxy) {
    wzp_sim_proxy *p = *proxy;
    if (p == NULL) {
        return;
    }
    wzp_lab_timeline_free(&p->timeline);
    wzp_lab_topology_free(&p->topology);
    if (p->fabric != NULL) {
        p->fabric->ops->free(p->fabric);
    }
    wzp_sim_outputs_clear(&p->outputs);
    free(p);
    *proxy = NULL;
}

/* --- what comes in ---------------------------------------------------------------------------- */

/* At the port that it really has, if that is free: some boxes preserve ports. */
static uint32_t admit(wzp_sim_proxy *p, const wzp_addr *client, wzp_time now) {
    const uint32_t index = wzp_sim_peers_add(&p->clients, client, now);
    if (index == WZP_SIM_PEERS_NONE) {
        return index;
    }
    seat *s = &p->seats[index];
    *s = (seat){.proxy = p, .socket = wzp_sim_host_bind(p->inside, client->port, to_client, s)};
    if (s->socket == NULL) {
        s->socket = wzp_sim_host_bind(p->inside, 0, to_client, s);
    }
    if (s->socket == NULL) {
        wzp_sim_peers_remove(&p->clients, index);
        return WZP_SIM_PEERS_NONE;
    }
    p->counts.clients++;
    return index;
}

void wzp_sim_proxy_client(wzp_sim_proxy *p, const wzp_addr *client, uint8_t ecn, wzp_bytes payload,
                          wzp_time now) {
    advance(p, now);
    p->counts.from_clients++;
    uint32_t index = wzp_sim_peers_find(&p->clients, client);
    index = index == WZP_SIM_PEERS_NONE ? admit(p, client, now) : index;
    if (index == WZP_SIM_PEERS_NONE) {
        p->counts.refused++;
        return;
    }
    p->clients.all[index].used = now;
    /* When it has no way out the host counts that as no-route. */
    (void)wzp_sim_socket_send(p->seats[index].socket, NULL, &p->relay_addr, ecn, payload, now);
    run(p, now);
}

void wzp_sim_proxy_upstream(wzp_sim_proxy *p, uint32_t mapping, wzp_sim_proxy_from from,
                            uint8_t ecn, wzp_bytes payload, wzp_time now) {
    advance(p, now);
    p->counts.from_upstream++;
    p->counts.strangers += from != WZP_SIM_PROXY_UPSTREAM ? 1 : 0;
    if (!wzp_sim_peers_has(&p->mappings, mapping) || p->relay_down) {
        p->counts.unheard++;
        return;
    }
    wzp_sim_peer *peer = &p->mappings.all[mapping];
    peer->used = from == WZP_SIM_PROXY_UPSTREAM ? now : peer->used;
    (void)wzp_sim_socket_send(from == WZP_SIM_PROXY_UPSTREAM ? p->relay_socket : p->aside,
                              from == WZP_SIM_PROXY_STRANGER ? &p->stranger_addr : &p->relay_addr,
                              &peer->addr, ecn, payload, now);
    run(p, now);
}

/* --- idleness --------------------------------------------------------------------------------- */

static bool is_idle(const wzp_sim_peers *peers, uint32_t index, wzp_time now) {
    return wzp_sim_peers_has(peers, index) &&
           wzp_time_since(now, peers->all[index].used) >= WZP_SIM_PROXY_IDLE;
}

static void forget_mapping(wzp_sim_proxy *p, uint32_t index, wzp_time now) {
    push(p, &(wzp_sim_proxy_output){.kind = WZP_SIM_PROXY_GONE,
                                    .mapping = index,
                                    .addr = p->mappings.all[index].addr,
                                    .at = now});
    wzp_sim_peers_remove(&p->mappings, index);
}

static void sweep(wzp_sim_proxy *p, wzp_time now) {
    for (uint32_t i = 0; i < WZP_SIM_PEERS_MAX; i++) {
        if (is_idle(&p->clients, i, now)) {
            wzp_sim_socket_close(&p->seats[i].socket);
            wzp_sim_peers_remove(&p->clients, i);
        }
        if (is_idle(&p->mappings, i, now)) {
            forget_mapping(p, i, now);
        }
    }
    p->sweep_at = now + SWEEP;
}

wzp_time wzp_sim_proxy_deadline(const wzp_sim_proxy *p) {
    const wzp_time next = p->fabric->ops->deadline(p->fabric);
    return p->clients.count + p->mappings.count > 0 ? wzp_time_min(next, p->sweep_at) : next;
}

wzp_err wzp_sim_proxy_tick(wzp_sim_proxy *p, wzp_time now) {
    advance(p, now);
    if (now >= p->sweep_at) {
        sweep(p, now);
    }
    return p->broken ? WZP_ERR_NOMEM : WZP_OK;
}

bool wzp_sim_proxy_next(wzp_sim_proxy *p, wzp_sim_proxy_output *out) {
    return wzp_sim_outputs_pop(&p->outputs, out);
}

/* --- for reports ------------------------------------------------------------------------------ */

void wzp_sim_proxy_count(const wzp_sim_proxy *p, wzp_sim_proxy_counts *out) {
    *out = p->counts;
    out->live_clients = p->clients.count;
    out->live_mappings = p->mappings.count;
}

const wzp_lab_topology *wzp_sim_proxy_topology(const wzp_sim_proxy *p) {
    return p->topology;
}
