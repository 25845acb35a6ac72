#include "sim/host/relay_host.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_PORT = 4433 };

struct wzp_sim_relay_host {
    wzp_sim_relay_host_cfg cfg;
    wzp_sim_host *host;
    wzp_sim_clock clock;
    wzp_prng prng; /* of the present life */
    wzp_relay *relay;
    wzp_sim_seat *seat;
    unsigned lives;
};

/* Whoever gets an event may kill the relay. */
static void after(void *ctx, wzp_time now) {
    wzp_sim_relay_host *r = ctx;
    wzp_relay_event event;
    (void)now;
    while (r->relay != NULL && wzp_relay_next_event(r->relay, &event)) {
        if (r->cfg.event != NULL) {
            r->cfg.event(r->cfg.ctx, &event, wzp_sim_now(r->clock));
        }
    }
}

static void make_seed(wzp_sim_relay_host *r) {
    static const uint8_t none[sizeof r->cfg.relay.seed];
    char stream[128];
    wzp_prng prng;
    if (memcmp(r->cfg.relay.seed, none, sizeof none) == 0) {
        (void)snprintf(stream, sizeof stream, "%s identity", r->cfg.name);
        wzp_sim_stream(r->clock, &prng, stream);
        wzp_rng_fill(wzp_prng_rng(&prng), r->cfg.relay.seed, sizeof r->cfg.relay.seed);
    }
}

wzp_err wzp_sim_relay_host_start(wzp_sim_relay_host *r) {
    char stream[128];
    if (r->relay != NULL) {
        return WZP_OK;
    }
    /* Each life draws afresh: a relay that comes back must not repeat its keys. */
    (void)snprintf(stream, sizeof stream, "%s life %u", r->cfg.name, r->lives + 1);
    wzp_sim_stream(r->clock, &r->prng, stream);
    const wzp_time local = wzp_sim_host_local_time(r->host, wzp_sim_now(r->clock));
    wzp_err err = wzp_relay_new(&r->relay, &r->cfg.relay, local);
    if (err == WZP_OK) {
        r->seat = wzp_sim_host_seat(r->host, r->cfg.port, wzp_relay_core(r->relay), after, r);
        err = r->seat != NULL ? WZP_OK : WZP_ERR_LIMIT;
    }
    if (err != WZP_OK) {
        wzp_sim_relay_host_kill(r);
        return err;
    }
    r->lives++;
    return WZP_OK;
}

wzp_err wzp_sim_relay_host_new(wzp_sim_relay_host **out, wzp_sim_host *host,
                               const wzp_sim_relay_host_cfg *cfg) {
    wzp_sim_relay_host *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return WZP_ERR_NOMEM;
    }
    r->cfg = *cfg;
    r->cfg.port = cfg->port != 0 ? cfg->port : DEFAULT_PORT;
    r->cfg.relay.rng = wzp_prng_rng(&r->prng);
    r->cfg.relay.deterministic = true;
    r->host = host;
    r->clock = wzp_sim_host_clock(host);
    make_seed(r);
    const wzp_err err = wzp_sim_relay_host_start(r);
    if (err != WZP_OK) {
        wzp_sim_relay_host_free(&r);
        return err;
    }
    *out = r;
    return WZP_OK;
}

void wzp_sim_relay_host_free(wzp_sim_relay_host **relay) {
    wzp_sim_relay_host *r = *relay;
    if (r != NULL) {
        wzp_sim_relay_host_kill(r);
        free(r);
        *relay = NULL;
    }
}

void wzp_sim_relay_host_kill(wzp_sim_relay_host *r) {
    wzp_sim_seat_free(&r->seat);
    wzp_relay_free(&r->relay);
}

static void kill_task(void *self, void *arg, wzp_time now) {
    (void)arg;
    (void)now;
    wzp_sim_relay_host_kill(self);
}

static void start_task(void *self, void *arg, wzp_time now) {
    wzp_sim_relay_host *r = self;
    (void)arg;
    const wzp_err err = wzp_sim_relay_host_start(r);
    if (err != WZP_OK && r->cfg.event != NULL) {
        wzp_relay_event event = {.event = "start_failed",
                                 .at = wzp_sim_host_local_time(r->host, now)};
        (void)snprintf(event.reason, sizeof event.reason, "%s", wzp_err_text(err));
        r->cfg.event(r->cfg.ctx, &event, now);
    }
}

void wzp_sim_relay_host_restart(wzp_sim_relay_host *r, wzp_time at, uint64_t down) {
    wzp_sim_at(r->clock, at, kill_task, r, NULL);
    wzp_sim_at(r->clock, wzp_time_after(at, down), start_task, r, NULL);
}

void wzp_sim_relay_host_shutdown(wzp_sim_relay_host *r) {
    if (r->relay != NULL) {
        wzp_relay_shutdown(r->relay, wzp_sim_seat_now(r->seat));
        wzp_sim_seat_wake(r->seat);
    }
}

const wzp_relay *wzp_sim_relay_host_relay(const wzp_sim_relay_host *r) {
    return r->relay;
}

unsigned wzp_sim_relay_host_lives(const wzp_sim_relay_host *r) {
    return r->lives;
}
