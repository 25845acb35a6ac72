#include "sim/host/behaviour_host.h"

#include <stdlib.h>

/* A socket's callback must know which of the five it is. */
typedef struct seat {
    wzp_sim_behaviour_host *of;
    wzp_sim_behaviour_socket which;
    wzp_sim_socket *socket;
} seat;

struct wzp_sim_behaviour_host {
    wzp_sim_behaviour core;
    wzp_prng prng;
    wzp_sim_clock clock;
    wzp_time wake; /* of the task that waits; NEVER: none */
    seat seats[WZP_SIM_BEHAVIOUR_SOCKETS];
    bool told;
    void (*done)(void *ctx, const wzp_sim_behaviour_result *result, wzp_time now);
    void *ctx;
};

static void serve(wzp_sim_behaviour_host *b, wzp_time now);

static void wake(void *self, void *arg, wzp_time now) {
    wzp_sim_behaviour_host *b = self;
    (void)arg;
    if (now >= b->wake) { /* else it is of an earlier mind */
        b->wake = WZP_TIME_NEVER;
        wzp_sim_behaviour_tick(&b->core, now);
        serve(b, now);
    }
}

static void serve(wzp_sim_behaviour_host *b, wzp_time now) {
    wzp_sim_behaviour_datagram datagram;
    while (wzp_sim_behaviour_next(&b->core, &datagram)) {
        (void)wzp_sim_socket_send(b->seats[datagram.socket].socket, NULL, &datagram.to, 0,
                                  wzp_bytes_of(datagram.data, datagram.len), now);
    }
    const wzp_time due = wzp_sim_behaviour_deadline(&b->core);
    if (due < b->wake) {
        b->wake = due;
        wzp_sim_at(b->clock, due, wake, b, NULL);
    }
    const wzp_sim_behaviour_result *result = wzp_sim_behaviour_done(&b->core);
    if (result != NULL && !b->told) {
        b->told = true;
        if (b->done != NULL) {
            b->done(b->ctx, result, now);
        }
    }
}

static void receive(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                    wzp_bytes payload, wzp_time now) {
    const seat *at = ctx;
    (void)local;
    (void)ecn;
    wzp_sim_behaviour_recv(&at->of->core, at->which, remote, payload, now);
    serve(at->of, now);
}

static bool bind_all(wzp_sim_behaviour_host *b, wzp_sim_host *host, const wzp_addr *source,
                     wzp_addr local[WZP_SIM_BEHAVIOUR_SOCKETS]) {
    for (unsigned i = 0; i < WZP_SIM_BEHAVIOUR_SOCKETS; i++) {
        seat *at = &b->seats[i];
        *at = (seat){b, (wzp_sim_behaviour_socket)i, NULL};
        at->socket = wzp_sim_host_bind(host, 0, receive, at);
        if (at->socket == NULL) {
            return false;
        }
        local[i] = *source;
        local[i].port = wzp_sim_socket_port(at->socket);
    }
    return true;
}

wzp_err wzp_sim_behaviour_host_new(wzp_sim_behaviour_host **out, wzp_sim_host *host,
                                   const wzp_sim_behaviour_cfg *cfg, const char *name,
                                   void (*done)(void *ctx, const wzp_sim_behaviour_result *result,
                                                wzp_time now),
                                   void *ctx) {
    wzp_addr local[WZP_SIM_BEHAVIOUR_SOCKETS];
    const wzp_addr source = wzp_sim_host_source(host, &cfg->server);
    if (source.family == WZP_ADDR_NONE) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_sim_behaviour_host *b = calloc(1, sizeof *b);
    if (b == NULL || !bind_all(b, host, &source, local)) {
        wzp_sim_behaviour_host_free(&b);
        return WZP_ERR_NOMEM;
    }
    b->clock = wzp_sim_host_clock(host);
    b->wake = WZP_TIME_NEVER;
    b->done = done;
    b->ctx = ctx;
    wzp_sim_stream(b->clock, &b->prng, name);
    wzp_sim_behaviour_start(&b->core, cfg, local, wzp_prng_rng(&b->prng), wzp_sim_now(b->clock));
    serve(b, wzp_sim_now(b->clock));
    *out = b;
    return WZP_OK;
}

void wzp_sim_behaviour_host_free(wzp_sim_behaviour_host **behaviour) {
    wzp_sim_behaviour_host *b = *behaviour;
    if (b == NULL) {
        return;
    }
    for (size_t i = 0; i < WZP_SIM_BEHAVIOUR_SOCKETS; i++) {
        if (b->seats[i].socket != NULL) {
            wzp_sim_socket_close(&b->seats[i].socket);
        }
    }
    free(b);
    *behaviour = NULL;
}

const wzp_sim_behaviour_result *
wzp_sim_behaviour_host_result(const wzp_sim_behaviour_host *behaviour) {
    return wzp_sim_behaviour_done(&behaviour->core);
}
