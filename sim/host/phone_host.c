#include "sim/host/phone_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/host/upnp_host.h"

/* A signal that a fault holds. */
typedef struct kept {
    struct kept *next;
    bool out;
    size_t len;
    uint8_t json[];
} kept;

struct wzp_sim_phone_host {
    wzp_sim_phone_cfg cfg;
    wzp_sim_host *host;
    wzp_sim_clock clock;
    wzp_prng prng;
    wzp_handset *handset; /* NULL before it registers */
    wzp_sim_seat *seat;
    wzp_sim_upnp_host *upnp;
    wzp_time upnp_at; /* when its turn comes; NEVER: it has come */
    char callee[WZP_FINGERPRINT_TEXT + 1];
    wzp_addr stun[WZP_STUN_SERVERS_MAX];
    wzp_sim_signal_judge judge;
    kept *kept;
    wzp_sim_phone_report report;
};

static const char *event_name(wzp_phone_event_kind kind) {
    static const char *const names[] = {
        [WZP_PHONE_REGISTERED] = "registered",
        [WZP_PHONE_PRESENCE] = "presence",
        [WZP_PHONE_INCOMING] = "rung",
        [WZP_PHONE_RINGING] = "ringing",
        [WZP_PHONE_SET_UP] = "set-up",
        [WZP_PHONE_REFLEXIVE] = "reflexive",
        [WZP_PHONE_PATH] = "report",
        [WZP_PHONE_UPDATE] = "moved",
        [WZP_PHONE_PROBE] = "probe",
        [WZP_PHONE_BIRTHDAY] = "birthday",
        [WZP_PHONE_AWAY] = "away",
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

static wzp_time local_of(const wzp_sim_phone_host *p) {
    return wzp_sim_host_local_time(p->host, wzp_sim_now(p->clock));
}

static void tell(const wzp_sim_phone_host *p, const char *what, const char *text) {
    if (p->cfg.event != NULL) {
        p->cfg.event(p->cfg.ctx, what, text, wzp_sim_now(p->clock));
    }
}

static void serve_later(wzp_sim_phone_host *p) {
    if (p->seat != NULL) {
        wzp_sim_seat_wake(p->seat);
    }
}

/* --- UPnP ------------------------------------------------------------------------------------- */

static void on_upnp(void *ctx, const wzp_addr *external, const char *why, wzp_time now) {
    wzp_sim_phone_host *p = ctx;
    char text[WZP_ADDR_TEXT_MAX];
    (void)now;
    if (p->seat != NULL) {
        wzp_handset_upnp(p->handset, *external, local_of(p));
        serve_later(p);
    }
    tell(p, "upnp", *why != '\0' ? why : wzp_addr_text(external, text));
}

static void ask_upnp(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    (void)arg;
    if (now < p->upnp_at || p->cfg.gateway_seat == NULL) {
        return; /* the network is another one by now */
    }
    wzp_addr own = wzp_sim_host_source(p->host, &p->cfg.gateway);
    own.port = p->cfg.port;
    p->upnp_at = WZP_TIME_NEVER;
    if (own.family == WZP_ADDR_V4) {
        wzp_sim_upnp_host_ask(p->upnp, p->cfg.gateway_seat, &own, now);
    }
}

/* Upstream asks by one protocol after the other, and each of the first two has three seconds; what
 * they do is the handset's, and not seen here. */
static void upnp_later(wzp_sim_phone_host *p) {
    const uint64_t turn = p->cfg.policy == WZP_RACE_DEPLOYED ? 2 * WZP_SIM_UPNP_STEP_LIMIT : 0;
    wzp_sim_upnp_host_stop(p->upnp);
    p->upnp_at = WZP_TIME_NEVER;
    if (p->cfg.gateway_seat != NULL) {
        p->upnp_at = wzp_time_after(wzp_sim_now(p->clock), turn);
        wzp_sim_at(p->clock, p->upnp_at, ask_upnp, p, NULL);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_incoming(wzp_sim_phone_host *p, wzp_time local) {
    p->report.rang_at = wzp_time_min(p->report.rang_at, wzp_sim_now(p->clock));
    if (!p->cfg.lets_ring && wzp_handset_answer(p->handset, p->cfg.accept, local) != WZP_OK) {
        wzp_handset_hangup(p->handset, local);
    }
}

static void on_set_up(wzp_sim_phone_host *p, const wzp_phone_event *ev, wzp_time local) {
    const wzp_addr *relay = ev->relay.family != WZP_ADDR_NONE ? &ev->relay : &p->cfg.relay;
    wzp_client *client =
        wzp_sim_call_host_join(p->cfg.call, wzp_handset_endpoint(p->handset), relay, ev->room);
    p->report.set_up_at = wzp_time_min(p->report.set_up_at, wzp_sim_now(p->clock));
    if (client == NULL) {
        wzp_handset_hangup(p->handset, local);
    } else {
        wzp_handset_use(p->handset, client, local);
    }
}

static void on_end(wzp_sim_phone_host *p, const char *text) {
    if (p->report.ended_at == WZP_TIME_NEVER) {
        p->report.ended_at = wzp_sim_now(p->clock);
        (void)snprintf(p->report.ended, sizeof p->report.ended, "%s", text);
    }
    wzp_sim_call_host_leave(p->cfg.call, text);
}

static void on_phone(wzp_sim_phone_host *p, const wzp_phone_event *ev, wzp_time local) {
    const wzp_time now = wzp_sim_now(p->clock);
    const char *text = ev->text;
    switch (ev->kind) {
    case WZP_PHONE_REGISTERED:
        if (p->report.registered_at != WZP_TIME_NEVER) {
            p->report.back_at = now;
        }
        p->report.registered_at = wzp_time_min(p->report.registered_at, now);
        upnp_later(p); /* the handset forgets what it knew */
        break;
    case WZP_PHONE_PRESENCE:
        return;
    case WZP_PHONE_INCOMING:
        on_incoming(p, local);
        break;
    case WZP_PHONE_RINGING:
        p->report.rang_at = wzp_time_min(p->report.rang_at, now);
        break;
    case WZP_PHONE_SET_UP:
        text = ev->room;
        on_set_up(p, ev, local);
        break;
    case WZP_PHONE_REFLEXIVE: /* the handset's matter */
    case WZP_PHONE_PATH:
    case WZP_PHONE_UPDATE:
    case WZP_PHONE_PROBE:
    case WZP_PHONE_BIRTHDAY:
        break;
    case WZP_PHONE_ENDED:
    case WZP_PHONE_CLOSED:
        on_end(p, ev->text);
        break;
    default:
        break;
    }
    tell(p, event_name(ev->kind), text);
}

static void on_path(wzp_sim_phone_host *p, const wzp_handset_event *ev) {
    p->report.direct = ev->path == WZP_RACE_DIRECT;
    if (p->report.direct) {
        p->report.direct_at = wzp_time_min(p->report.direct_at, wzp_sim_now(p->clock));
    }
    wzp_sim_call_host_take(p->cfg.call, p->report.direct, &ev->addr);
    if (*ev->text != '\0') {
        tell(p, "why", ev->text);
    }
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void open_sockets(wzp_sim_phone_host *p, size_t wanted, wzp_time local) {
    uint16_t ports[WZP_BIRTHDAY_PORTS_MAX];
    char text[48];
    size_t count = 0;
    while (count < wanted && count < WZP_BIRTHDAY_PORTS_MAX &&
           (ports[count] = wzp_sim_seat_open(p->seat)) != 0) {
        count++;
    }
    (void)snprintf(text, sizeof text, "%zu sockets", count);
    tell(p, "opened", text);
    wzp_handset_opened(p->handset, ports, count, local);
}

static bool is_used(void *ctx, uint16_t port) {
    return wzp_handset_uses_port(((wzp_sim_phone_host *)ctx)->handset, port);
}

static void after(void *ctx, wzp_time local) {
    wzp_sim_phone_host *p = ctx;
    char addr[WZP_ADDR_TEXT_MAX];
    wzp_handset_event ev;
    while (wzp_handset_next_event(p->handset, local, &ev)) {
        switch (ev.kind) {
        case WZP_HANDSET_PHONE:
            on_phone(p, ev.phone, local);
            break;
        case WZP_HANDSET_SEEN:
            tell(p, "seen", wzp_addr_text(&ev.addr, addr));
            break;
        case WZP_HANDSET_PATH:
            on_path(p, &ev);
            break;
        case WZP_HANDSET_NEAREST:
            tell(p, "nearest relay", ev.nearest->name);
            break;
        case WZP_HANDSET_OPEN:
            open_sockets(p, ev.sockets, local);
            break;
        case WZP_HANDSET_SHUT:
            wzp_sim_seat_shut(p->seat, is_used, p);
            break;
        }
    }
    wzp_sim_call_host_serve(p->cfg.call, local);
}

/* --- signals and what goes wrong with them ---------------------------------------------------- */

static void forget(wzp_sim_phone_host *p, kept *k) {
    kept **at = &p->kept;
    while (*at != k) {
        at = &(*at)->next;
    }
    *at = k->next;
    free(k);
}

static void let_go(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    kept *k = arg;
    wzp_handset_signal(p->handset, k->out, wzp_bytes_of(k->json, k->len),
                       wzp_sim_host_local_time(p->host, now));
    serve_later(p);
    forget(p, k);
}

static void keep(wzp_sim_phone_host *p, bool out, wzp_bytes json, uint64_t by) {
    kept *k = malloc(sizeof *k + json.len);
    if (k == NULL) {
        return; /* lost */
    }
    *k = (kept){.next = p->kept, .out = out, .len = json.len};
    memcpy(k->json, json.data, json.len);
    p->kept = k;
    wzp_sim_at(p->clock, wzp_time_after(wzp_sim_now(p->clock), by), let_go, p, k);
}

static bool filter(void *ctx, bool out, wzp_bytes json) {
    static const char *const did[] = {"passed", "dropped", "delayed", "duplicated"};
    wzp_sim_phone_host *p = ctx;
    char name[48];
    char text[80];
    (void)wzp_signal_peek_name(json, name, sizeof name);
    const wzp_sim_signal_fault *hit =
        wzp_sim_signal_judge_next(&p->judge, out, name, wzp_sim_now(p->clock));
    if (hit == NULL) {
        return true;
    }
    if (hit->act == WZP_SIM_SIGNAL_DELAY || hit->act == WZP_SIM_SIGNAL_DUPLICATE) {
        keep(p, out, json, hit->by);
    }
    if (hit->act == WZP_SIM_SIGNAL_DELAY && strcmp(name, "CallSetup") == 0) {
        p->report.set_up_held = hit->by;
    }
    p->report.signals_hit++;
    (void)snprintf(text, sizeof text, "%s %s", name, did[hit->act]);
    tell(p, "signal", text);
    return hit->act == WZP_SIM_SIGNAL_DUPLICATE || hit->act == WZP_SIM_SIGNAL_PASS;
}

static void on_signal(void *ctx, bool out, wzp_bytes json) {
    wzp_sim_phone_host *p = ctx;
    char name[48];
    (void)wzp_signal_peek_name(json, name, sizeof name);
    for (size_t i = 0; out && i < WZP_SIGNAL_COUNT; i++) {
        p->report.said[i] += strcmp(name, wzp_signal_name((wzp_signal_kind)i)) == 0 ? 1 : 0;
    }
    if (out && strcmp(name, "DirectCallOffer") == 0) {
        p->report.offered_at = wzp_time_min(p->report.offered_at, wzp_sim_now(p->clock));
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void find_place(const wzp_sim_phone_host *p, wzp_handset_net *net) {
    wzp_addr own[WZP_COUNT_OF(net->interfaces)];
    const wzp_addr v4 = {.family = WZP_ADDR_V4, .ip = {192, 0, 2, 1}};
    const size_t count = wzp_sim_host_addresses(p->host, own, WZP_COUNT_OF(own));
    *net = (wzp_handset_net){.own = wzp_sim_host_source(p->host, &v4), .gateway = p->cfg.gateway};
    net->own.port = net->own.family != WZP_ADDR_NONE ? p->cfg.port : 0;
    for (size_t i = 0; i < count && i < WZP_COUNT_OF(own); i++) {
        net->interfaces[net->interface_count++].addr = own[i];
        if (own[i].family == WZP_ADDR_V6) {
            net->own_v6 = own[i];
            net->own_v6.port = p->cfg.port;
        }
    }
}

/* The handset must know its port before it has a socket. */
static void choose_port(wzp_sim_phone_host *p) {
    wzp_sim_socket *free_one = NULL;
    if (p->cfg.port == 0) {
        free_one = wzp_sim_host_bind(p->host, 0, NULL, NULL);
        p->cfg.port = free_one != NULL ? wzp_sim_socket_port(free_one) : 0;
        wzp_sim_socket_close(&free_one);
    }
}

static void start(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    wzp_handset_cfg cfg = {.rng = wzp_prng_rng(&p->prng),
                           .alias = p->cfg.name,
                           .path = {.remote = p->cfg.relay},
                           .policy = p->cfg.policy,
                           .no_prediction = p->cfg.no_prediction,
                           .birthday = p->cfg.birthday,
                           .claims = p->cfg.claims,
                           .claimed = p->cfg.claimed,
                           .reconnects = true,
                           .stun = p->stun,
                           .stun_count = p->cfg.stun_count,
                           .deterministic = true,
                           .keylog = p->cfg.keylog,
                           .keylog_ctx = p->cfg.keylog_ctx,
                           .signal = on_signal,
                           .signal_ctx = p,
                           .filter = p->judge.count > 0 ? filter : NULL,
                           .filter_ctx = p};
    (void)arg;
    choose_port(p);
    find_place(p, &cfg.net);
    memcpy(cfg.seed, wzp_sim_call_host_seed(p->cfg.call), sizeof cfg.seed);
    if (wzp_handset_new(&p->handset, &cfg, wzp_sim_host_local_time(p->host, now)) == WZP_OK) {
        p->seat = wzp_sim_host_seat(p->host, p->cfg.port, wzp_handset_core(p->handset), after, p);
    }
}

static void ring(void *self, void *arg, wzp_time now) {
    wzp_sim_phone_host *p = self;
    (void)arg;
    p->report.wished_at = now;
    if (p->seat == NULL || wzp_handset_call(p->handset, p->callee, local_of(p)) != WZP_OK) {
        on_end(p, "not registered");
        return;
    }
    serve_later(p);
}

static void hangup_task(void *self, void *arg, wzp_time now) {
    (void)arg;
    (void)now;
    wzp_sim_phone_host_hangup(self);
}

wzp_err wzp_sim_phone_host_new(wzp_sim_phone_host **out, wzp_sim_host *host,
                               const wzp_sim_phone_cfg *cfg) {
    char stream[128];
    if (cfg->stun_count > WZP_STUN_SERVERS_MAX || cfg->fault_count > WZP_SIM_SIGNAL_FAULTS_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_sim_phone_host *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->cfg = *cfg;
    for (size_t i = 0; i < cfg->stun_count; i++) {
        p->stun[i] = cfg->stun[i];
    }
    p->judge = (wzp_sim_signal_judge){.faults = cfg->faults, .count = cfg->fault_count};
    p->host = host;
    p->clock = wzp_sim_host_clock(host);
    p->upnp_at = WZP_TIME_NEVER;
    p->report = (wzp_sim_phone_report){
        .registered_at = WZP_TIME_NEVER,
        .wished_at = WZP_TIME_NEVER,
        .offered_at = WZP_TIME_NEVER,
        .rang_at = WZP_TIME_NEVER,
        .set_up_at = WZP_TIME_NEVER,
        .back_at = WZP_TIME_NEVER,
        .ended_at = WZP_TIME_NEVER,
        .direct_at = WZP_TIME_NEVER,
    };
    const wzp_sim_upnp_host_cfg upnp = {
        .name = cfg->name, .deployed = cfg->policy == WZP_RACE_DEPLOYED, .done = on_upnp, .ctx = p};
    if (wzp_sim_upnp_host_new(&p->upnp, host, &upnp) != WZP_OK) {
        free(p);
        return WZP_ERR_NOMEM;
    }
    (void)snprintf(stream, sizeof stream, "%s phone", cfg->name);
    wzp_sim_stream(p->clock, &p->prng, stream);
    wzp_sim_at(p->clock, cfg->register_at, start, p, NULL);
    wzp_sim_at(p->clock, cfg->hangup_at, hangup_task, p, NULL);
    *out = p;
    return WZP_OK;
}

void wzp_sim_phone_host_free(wzp_sim_phone_host **phone) {
    wzp_sim_phone_host *p = *phone;
    if (p != NULL) {
        wzp_sim_upnp_host_free(&p->upnp);
        wzp_sim_seat_free(&p->seat);
        p->cfg.event = NULL;
        wzp_sim_call_host_leave(p->cfg.call, "");
        wzp_handset_free(&p->handset);
        while (p->kept != NULL) {
            forget(p, p->kept);
        }
        free(p);
        *phone = NULL;
    }
}

/* --- from outside ------------------------------------------------------------------------------
 */

void wzp_sim_phone_host_ring(wzp_sim_phone_host *p, const char *fingerprint, wzp_time at) {
    (void)snprintf(p->callee, sizeof p->callee, "%s", fingerprint);
    wzp_sim_at(p->clock, at, ring, p, NULL);
}

void wzp_sim_phone_host_hangup(wzp_sim_phone_host *p) {
    if (p->seat != NULL) {
        wzp_handset_hangup(p->handset, local_of(p));
        serve_later(p);
    }
}

void wzp_sim_phone_host_lose(wzp_sim_phone_host *p) {
    if (p->seat != NULL) {
        wzp_handset_lose(p->handset, local_of(p));
        serve_later(p);
    }
}

void wzp_sim_phone_host_network(wzp_sim_phone_host *p, const wzp_addr *gateway,
                                wzp_sim_gateway_seat *gateway_seat) {
    wzp_handset_net net;
    p->cfg.gateway = *gateway;
    p->cfg.gateway_seat = gateway_seat;
    if (p->seat != NULL) {
        find_place(p, &net);
        wzp_handset_network(p->handset, &net, local_of(p));
        serve_later(p);
        upnp_later(p);
    }
}

void wzp_sim_phone_host_report(const wzp_sim_phone_host *p, wzp_sim_phone_report *out) {
    *out = p->report;
    if (p->handset != NULL) {
        wzp_handset_count(p->handset, &out->counters);
    }
}
