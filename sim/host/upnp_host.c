#include "sim/host/upnp_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/host/upnp_words.h"

enum {
    DEVICES_MAX = 4,
    OTHER_PORTS = 3,
    OTHER_PORT_FIRST = 49152,
    CONFLICT = 718,
    ONLY_PERMANENT = 725,
    REQUEST_MAX = 2048
};

/* One attempt to get a mapping. */
typedef struct attempt {
    struct attempt *next;
    wzp_sim_upnp_host *upnp;
    wzp_sim_gateway_seat *gateway;
    wzp_addr own, external;
    wzp_sim_socket *socket; /* of the search; NULL: it is over */
    wzp_sim_upnp_url devices[DEVICES_MAX];
    size_t device_count, looked_at;
    bool looks; /* at a description */
    wzp_sim_upnp_control control;
    uint32_t lease_s;
    unsigned ports_tried;
    uintptr_t step; /* that waits for an answer */
} attempt;

struct wzp_sim_upnp_host {
    wzp_sim_upnp_host_cfg cfg;
    wzp_sim_host *host;
    wzp_sim_clock clock;
    wzp_prng prng;
    attempt *attempts; /* the first is the one that counts, if any does */
    bool is_asking;
};

static bool counts(const attempt *a) {
    return a->upnp->is_asking && a == a->upnp->attempts;
}

static void finish(attempt *a, const char *why, wzp_time now) {
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    a->upnp->is_asking = false;
    wzp_sim_socket_close(&a->socket);
    a->upnp->cfg.done(a->upnp->cfg.ctx, *why == '\0' ? &a->external : &none, why, now);
}

static void refuse(attempt *a, const char *order, uint32_t fault, wzp_time now) {
    char why[64];
    (void)snprintf(why, sizeof why, "%s: fault %u", order, (unsigned)fault);
    finish(a, why, now);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void late(void *self, void *arg, wzp_time now) {
    attempt *a = self;
    if (counts(a) && a->step == (uintptr_t)arg) {
        finish(a, a->socket != NULL ? "no gateway answers the search" : "the gateway is silent",
               now);
    }
}

static void begin_step(attempt *a, wzp_time now) {
    a->step++;
    wzp_sim_at(a->upnp->clock, wzp_time_after(now, WZP_SIM_UPNP_STEP_LIMIT), late, a,
               (void *)a->step); /* NOLINT(performance-no-int-to-ptr): their only luggage */
}

static void fetch(attempt *a, const wzp_addr *to, const wzp_wr *request,
                  wzp_sim_gateway_response *response, wzp_time now) {
    begin_step(a, now);
    if (wzp_wr_end(request) != WZP_OK ||
        wzp_sim_gateway_fetch(a->gateway, &a->own, to,
                              wzp_bytes_of(request->base, wzp_wr_len(request)),
                              WZP_SIM_UPNP_LAN_WAY, response, a, now) != WZP_OK) {
        finish(a, "no memory", now);
    }
}

/* --- orders ----------------------------------------------------------------------------------- */

static void order_mapping(attempt *a, wzp_time now);

/* Whether it is worth another order. */
static bool adapts(attempt *a, uint32_t fault) {
    if (a->upnp->cfg.deployed) {
        return false;
    }
    if (fault == ONLY_PERMANENT && a->lease_s != 0) {
        a->lease_s = 0;
        return true;
    }
    if (fault == CONFLICT && a->ports_tried < OTHER_PORTS) {
        a->ports_tried++;
        a->external.port =
            (uint16_t)(OTHER_PORT_FIRST + wzp_rng_below(wzp_prng_rng(&a->upnp->prng),
                                                        UINT16_MAX + 1 - OTHER_PORT_FIRST));
        return true;
    }
    return false;
}

static void on_mapping(void *ctx, wzp_sim_gateway_reach reach, wzp_bytes response, wzp_time now) {
    attempt *a = ctx;
    if (!counts(a)) {
        return;
    }
    const uint32_t fault = wzp_sim_upnp_fault(response);
    if (reach != WZP_SIM_GATEWAY_ANSWERED) {
        finish(a, "AddPortMapping: connection refused", now);
    } else if (fault == 0) {
        finish(a, "", now);
    } else if (adapts(a, fault)) {
        order_mapping(a, now);
    } else {
        refuse(a, "AddPortMapping", fault, now);
    }
}

static void order_mapping(attempt *a, wzp_time now) {
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_ask_mapping(&wr, &a->control, &a->own, a->external.port, a->lease_s);
    fetch(a, &a->control.url.at, &wr, on_mapping, now);
}

static void on_address(void *ctx, wzp_sim_gateway_reach reach, wzp_bytes response, wzp_time now) {
    attempt *a = ctx;
    if (!counts(a)) {
        return;
    }
    if (reach != WZP_SIM_GATEWAY_ANSWERED) {
        finish(a, "GetExternalIPAddress: connection refused", now);
    } else if (!wzp_sim_upnp_address(response, &a->external)) {
        refuse(a, "GetExternalIPAddress", wzp_sim_upnp_fault(response), now);
    } else {
        a->external.port = a->own.port;
        order_mapping(a, now);
    }
}

static void order_address(attempt *a, wzp_time now) {
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    if (a->upnp->cfg.deployed) {
        a->control.service = WZP_SIM_UPNP_FIRST_SERVICE; /* whatever it has found */
    }
    wzp_sim_upnp_ask_address(&wr, &a->control);
    fetch(a, &a->control.url.at, &wr, on_address, now);
}

/* --- the search ------------------------------------------------------------------------------- */

static void look_at_next(attempt *a, wzp_time now);

static void on_description(void *ctx, wzp_sim_gateway_reach reach, wzp_bytes response,
                           wzp_time now) {
    attempt *a = ctx;
    if (!counts(a)) {
        return;
    }
    const bool deployed = a->upnp->cfg.deployed;
    a->looks = false;
    if (reach == WZP_SIM_GATEWAY_ANSWERED &&
        wzp_sim_upnp_describes(response, &a->devices[a->looked_at - 1], deployed, &a->control)) {
        wzp_sim_socket_close(&a->socket);
        order_address(a, now);
    } else if (deployed) {
        finish(a, "the device that answered first is no gateway", now);
    } else {
        look_at_next(a, now);
    }
}

/* Where none waits, others may still answer; the step that waits for them is the next one. */
static void look_at_next(attempt *a, wzp_time now) {
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    if (a->looks) {
        return;
    }
    if (a->looked_at == a->device_count) {
        begin_step(a, now);
        return;
    }
    const wzp_sim_upnp_url *device = &a->devices[a->looked_at++];
    a->looks = true;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_get(&wr, device);
    fetch(a, &device->at, &wr, on_description, now);
}

static bool is_known(const attempt *a, const wzp_sim_upnp_url *url) {
    for (size_t i = 0; i < a->device_count; i++) {
        if (wzp_addr_equal(&a->devices[i].at, &url->at) &&
            strcmp(a->devices[i].path, url->path) == 0) {
            return true;
        }
    }
    return false;
}

static void on_answer(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                      wzp_bytes payload, wzp_time now) {
    attempt *a = ctx;
    wzp_sim_upnp_url url;
    (void)local;
    (void)remote;
    (void)ecn;
    if (counts(a) && a->device_count < DEVICES_MAX && wzp_sim_upnp_location(payload, &url) &&
        !is_known(a, &url)) {
        a->devices[a->device_count++] = url;
        look_at_next(a, now);
    }
}

/* Upstream allows devices two seconds; who wants to be known before a call allows one. */
static void search(attempt *a, wzp_time now) {
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, WZP_SIM_SSDP_PORT);
    uint8_t buf[REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_upnp_search(&wr, a->upnp->cfg.deployed ? 2 : 1);
    a->socket = wzp_sim_host_bind(a->upnp->host, 0, on_answer, a);
    if (a->socket == NULL ||
        !wzp_sim_socket_send(a->socket, &(wzp_addr){.family = WZP_ADDR_NONE}, &group, 0,
                             wzp_bytes_of(buf, wzp_wr_len(&wr)), now)) {
        finish(a, "the search cannot be sent", now);
        return;
    }
    begin_step(a, now);
}

/* --- life ------------------------------------------------------------------------------------- */

void wzp_sim_upnp_host_ask(wzp_sim_upnp_host *u, wzp_sim_gateway_seat *gateway, const wzp_addr *own,
                           wzp_time now) {
    attempt *a = calloc(1, sizeof *a);
    wzp_sim_upnp_host_stop(u);
    if (a == NULL) {
        return;
    }
    *a = (attempt){.next = u->attempts,
                   .upnp = u,
                   .gateway = gateway,
                   .own = *own,
                   .lease_s = WZP_SIM_UPNP_LEASE_S};
    u->attempts = a;
    u->is_asking = true;
    search(a, now);
}

void wzp_sim_upnp_host_stop(wzp_sim_upnp_host *u) {
    if (u->is_asking) {
        wzp_sim_socket_close(&u->attempts->socket);
        u->is_asking = false;
    }
}

wzp_err wzp_sim_upnp_host_new(wzp_sim_upnp_host **out, wzp_sim_host *host,
                              const wzp_sim_upnp_host_cfg *cfg) {
    char stream[128];
    wzp_sim_upnp_host *u = calloc(1, sizeof *u);
    if (u == NULL) {
        return WZP_ERR_NOMEM;
    }
    u->cfg = *cfg;
    u->host = host;
    u->clock = wzp_sim_host_clock(host);
    (void)snprintf(stream, sizeof stream, "%s upnp", cfg->name);
    wzp_sim_stream(u->clock, &u->prng, stream);
    *out = u;
    return WZP_OK;
}

/* Attempts that are over stay until here: somebody may still answer them. */
void wzp_sim_upnp_host_free(wzp_sim_upnp_host **upnp) {
    wzp_sim_upnp_host *u = *upnp;
    if (u == NULL) {
        return;
    }
    wzp_sim_upnp_host_stop(u);
    while (u->attempts != NULL) {
        attempt *a = u->attempts;
        u->attempts = a->next;
        free(a);
    }
    free(u);
    *upnp = NULL;
}
