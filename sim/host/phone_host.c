#include "sim/host/phone_host.h"

#include <stdio.h>
#include <stdlib.h>

struct wzp_sim_phone_host {
    wzp_sim_phone_cfg cfg;
    wzp_sim_host *host;
    wzp_sim_clock clock;
    wzp_prng prng;
    wzp_phone *phone; /* NULL before it registers */
    wzp_sim_seat *seat;
    char callee[WZP_FINGERPRINT_TEXT + 1];
    wzp_sim_phone_report report;
};

const char *wzp_sim_phone_event_name(wzp_phone_event_kind kind) {
    static const char *const names[] = {
        [WZP_PHONE_REGISTERED] = "registered",
        [WZP_PHONE_PRESENCE] = "presence",
        [WZP_PHONE_INCOMING] = "rung",
        [WZP_PHONE_RINGING] = "ringing",
        [WZP_PHONE_SET_UP] = "set-up",
        [WZP_PHONE_REFLEXIVE] = "reflexive",
        [WZP_PHONE_PATH] = "path",
        [WZP_PHONE_UPDATE] = "moved",
        [WZP_PHONE_PROBE] = "probe",
        [WZP_PHONE_ENDED] = "ended",
        [WZP_PHONE_CLOSED] = "unregistered",
    };
    return names[kind];
}

void wzp_sim_phone_fingerprint(char out[WZP_FINGERPRINT_TEXT + 1], const uint8_t seed[32]) {
    wzp_identity identity;
    wzp_identity_from_seed(&identity, seed);
    (void)snprintf(out, WZP_FINGERPRINT_TEXT + 1, "%s", identity.fingerprint);
    wzp_identity_clear(&identity);
}

static void hang_up_sound(void *self, void *arg, wzp_time now) {
    const wzp_sim_phone_host *p = self;
    (void)arg;
    (void)now;
    wzp_sim_call_host_hangup(p->cfg.call);
}

static void on_incoming(wzp_sim_phone_host *p, wzp_time now) {
    p->report.rang_at = wzp_time_min(p->report.rang_at, now);
    if (!p->cfg.lets_ring && wzp_phone_answer(p->phone, p->cfg.accept) != WZP_OK) {
        wzp_phone_hangup(p->phone);
    }
}

static void on_event(wzp_sim_phone_host *p, const wzp_phone_event *ev, wzp_time now) {
    const char *text = ev->text;
    switch (ev->kind) {
    case WZP_PHONE_REGISTERED:
        p->report.registered_at = wzp_time_min(p->report.registered_at, now);
        break;
    case WZP_PHONE_PRESENCE:
        return;
    case WZP_PHONE_INCOMING:
        on_incoming(p, now);
        break;
    case WZP_PHONE_RINGING:
        p->report.rang_at = wzp_time_min(p->report.rang_at, now);
        break;
    case WZP_PHONE_SET_UP:
        text = ev->room;
        p->report.set_up_at = wzp_time_min(p->report.set_up_at, now);
        wzp_sim_call_host_dial(
            p->cfg.call, ev->relay.family != WZP_ADDR_NONE ? &ev->relay : &p->cfg.relay, ev->room);
        break;
    case WZP_PHONE_REFLEXIVE: /* nothing is direct here yet */
    case WZP_PHONE_PATH:
    case WZP_PHONE_UPDATE:
    case WZP_PHONE_PROBE:
        break;
    case WZP_PHONE_ENDED:
        p->report.ended_at = wzp_time_min(p->report.ended_at, now);
        (void)snprintf(p->report.ended, sizeof p->report.ended, "%s", ev->text);
        wzp_sim_at(p->clock, now, hang_up_sound, p, NULL); /* another program of this host */
        break;
    case WZP_PHONE_CLOSED:
        break;
    }
    if (p->cfg.event != NULL) {
        p->cfg.event(p->cfg.ctx, ev->kind, text, now);
    }
}

static void after(void *ctx, wzp_time local) {
    wzp_sim_phone_host *p = ctx;
    wzp_phone_event ev;
    (void)local;
    while (p->phone != NULL && wzp_phone_next_event(p->phone, &ev)) {
        on_event(p, &ev, wzp_sim_now(p->clock));
    }
}

static void on_signal(void *ctx, bool out, wzp_bytes json) {
    wzp_sim_phone_host *p = ctx;
    char name[48];
    if (out && strcmp(wzp_signal_peek_name(json, name, sizeof name), "DirectCallOffer") == 0) {
        p->report.offered_at = wzp_time_min(p->report.offered_at, wzp_sim_now(p->clock));
    }
}

static void start(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&p->prng),
                         .alias = p->cfg.name,
                         .path = {.remote = p->cfg.relay},
                         .deterministic = true,
                         .signal = on_signal,
                         .signal_ctx = p};
    (void)arg;
    memcpy(cfg.seed, wzp_sim_call_host_seed(p->cfg.call), sizeof cfg.seed);
    if (wzp_phone_new(&p->phone, &cfg, wzp_sim_host_local_time(p->host, now)) == WZP_OK) {
        p->seat = wzp_sim_host_seat(p->host, 0, wzp_phone_core(p->phone), after, p);
    }
}

static void ring(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    (void)arg;
    p->report.wished_at = now;
    if (p->seat == NULL || wzp_phone_call(p->phone, p->callee) != WZP_OK) {
        p->report.ended_at = now;
        (void)snprintf(p->report.ended, sizeof p->report.ended, "not registered");
        return;
    }
    wzp_sim_seat_wake(p->seat);
}

static void hangup_task(void *self, void *arg, wzp_time now) {
    (void)arg;
    (void)now;
    wzp_sim_phone_host_hangup(self);
}

wzp_err wzp_sim_phone_host_new(wzp_sim_phone_host **out, wzp_sim_host *host,
                               const wzp_sim_phone_cfg *cfg) {
    char stream[128];
    wzp_sim_phone_host *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->cfg = *cfg;
    p->host = host;
    p->clock = wzp_sim_host_clock(host);
    p->report = (wzp_sim_phone_report){
        .registered_at = WZP_TIME_NEVER,
        .wished_at = WZP_TIME_NEVER,
        .offered_at = WZP_TIME_NEVER,
        .rang_at = WZP_TIME_NEVER,
        .set_up_at = WZP_TIME_NEVER,
        .ended_at = WZP_TIME_NEVER,
    };
    (void)snprintf(stream, sizeof stream, "%s phone", cfg->name);
    wzp_sim_stream(p->clock, &p->prng, stream);
    wzp_sim_at(p->clock, cfg->register_at, start, p, NULL);
    wzp_sim_at(p->clock, cfg->hangup_at, hangup_task, p, NULL);
    *out = p;
    return WZP_OK;
}

void wzp_sim_phone_host_ring(wzp_sim_phone_host *p, const char *fingerprint, wzp_time at) {
    (void)snprintf(p->callee, sizeof p->callee, "%s", fingerprint);
    wzp_sim_at(p->clock, at, ring, p, NULL);
}

void wzp_sim_phone_host_hangup(wzp_sim_phone_host *p) {
    if (p->seat != NULL) {
        wzp_phone_hangup(p->phone);
        wzp_sim_seat_wake(p->seat);
    }
}

void wzp_sim_phone_host_free(wzp_sim_phone_host **phone) {
    wzp_sim_phone_host *p = *phone;
    if (p != NULL) {
        wzp_sim_seat_free(&p->seat);
        wzp_phone_free(&p->phone);
        free(p);
        *phone = NULL;
    }
}

void wzp_sim_phone_host_report(const wzp_sim_phone_host *p, wzp_sim_phone_report *out) {
    *out = p->report;
}
