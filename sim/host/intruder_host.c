#include "sim/host/intruder_host.h"

#include <stdio.h>
#include <stdlib.h>

struct wzp_sim_intruder_host {
    wzp_prng prng;
    wzp_endpoint *endpoint;
    wzp_endpoint_user user;
    wzp_sim_seat *seat;
    wzp_sim_intruder_report report;
};

static void on_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    wzp_sim_intruder_host *z = self;
    (void)now;
    z->report.let_in += ev->kind == WZP_QUIC_CONNECTED ? 1 : 0;
    z->report.thrown_out += ev->kind == WZP_QUIC_CLOSED ? 1 : 0;
}

wzp_err wzp_sim_intruder_host_new(wzp_sim_intruder_host **out, wzp_sim_host *host,
                                  const char *name) {
    char stream[128];
    wzp_sim_intruder_host *z = calloc(1, sizeof *z);
    if (z == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_sim_clock clock = wzp_sim_host_clock(host);
    z->user = (wzp_endpoint_user){z, on_event};
    (void)snprintf(stream, sizeof stream, "%s intruder", name);
    wzp_sim_stream(clock, &z->prng, stream);
    const wzp_quic_cfg quic = {.rng = wzp_prng_rng(&z->prng), .deterministic = true};
    const wzp_err err =
        wzp_endpoint_new(&z->endpoint, &quic, wzp_sim_host_local_time(host, wzp_sim_now(clock)));
    if (err == WZP_OK) {
        z->seat = wzp_sim_host_seat(host, 0, wzp_endpoint_core(z->endpoint), NULL, NULL);
    }
    if (z->seat == NULL) {
        wzp_sim_intruder_host_free(&z);
        return err != WZP_OK ? err : WZP_ERR_LIMIT;
    }
    *out = z;
    return WZP_OK;
}

void wzp_sim_intruder_host_free(wzp_sim_intruder_host **intruder) {
    wzp_sim_intruder_host *z = *intruder;
    if (z != NULL) {
        wzp_sim_seat_free(&z->seat);
        wzp_endpoint_free(&z->endpoint);
        free(z);
        *intruder = NULL;
    }
}

void wzp_sim_intruder_host_dial(wzp_sim_intruder_host *intruder, const wzp_addr *victim) {
    wzp_quic_conn conn;
    const wzp_quic_dial dial = {.path = {.remote = *victim}, .sni = "call-of-others"};
    if (wzp_endpoint_dial(intruder->endpoint, &dial, &intruder->user,
                          wzp_sim_seat_now(intruder->seat), &conn) == WZP_OK) {
        intruder->report.dialled++;
        wzp_sim_seat_wake(intruder->seat);
    }
}

void wzp_sim_intruder_host_report(const wzp_sim_intruder_host *intruder,
                                  wzp_sim_intruder_report *out) {
    *out = intruder->report;
}
