#include "conformance/embedded/phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/embedded/phrase.h"
#include "conformance/embedded/upnp.h"
#include "phone/handset.h"

struct wzp_ct_phone {
    wzp_handset *handset;
    wzp_client *client; /* of the call; NULL: none */
    wzp_rng rng;
    wzp_addr local, relay;
    char peer[WZP_FINGERPRINT_TEXT + 1]; /* whom it calls; "": nobody */
    wzp_accept_mode answer;
    wzp_ct_world *world; /* with UPnP in it; NULL: it is not asked */
    wzp_ct_upnp *upnp;
    bool deterministic, is_over;
    uint32_t spoken; /* frames */
    uint64_t unsent; /* of these, those that found no way out */
};

/* --- sound ------------------------------------------------------------------------------------ */

static void start_sound(wzp_ct_phone *p, const wzp_phone_event *ev, wzp_time now) {
    wzp_client_cfg cfg = {.rng = p->rng,
                          .room = ev->room,
                          .codec = WZP_CODEC_OPUS_24K,
                          .coded = true,
                          .endpoint = wzp_handset_endpoint(p->handset),
                          .waits = true,
                          .path = {p->local, ev->relay},
                          .deterministic = p->deterministic};
    wzp_rng_fill(p->rng, cfg.seed, sizeof cfg.seed);
    if (wzp_client_new(&p->client, &cfg, now) == WZP_OK) {
        wzp_handset_use(p->handset, p->client, now);
    }
}

static void speak(wzp_ct_phone *p, wzp_time now) {
    wzp_client_event ev;
    while (p->client != NULL && wzp_client_next_event(p->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            const wzp_bytes frame = wzp_ct_phrase(ev.codec, p->spoken++);
            p->unsent += wzp_client_push_coded(p->client, frame, now) != WZP_OK ? 1 : 0;
        }
    }
}

/* --- its port --------------------------------------------------------------------------------- */

void wzp_ct_phone_allow_upnp(wzp_ct_phone *p, wzp_ct_world *world) {
    p->world = world;
}

static void map_port(wzp_ct_phone *p, const wzp_addr *seen, wzp_time now) {
    const wzp_ct_upnp_cfg cfg = {p->world, p->local, *seen, p->rng};
    wzp_addr external = {.family = WZP_ADDR_NONE};
    if (p->world != NULL && p->upnp == NULL && seen->family != WZP_ADDR_NONE) {
        p->upnp = wzp_ct_upnp_new(&cfg, &external);
        wzp_handset_upnp(p->handset, external, now);
    }
}

/* --- calls ------------------------------------------------------------------------------------ */

static void on_phone(wzp_ct_phone *p, const wzp_phone_event *ev, wzp_time now) {
    if (ev->kind == WZP_PHONE_REGISTERED && p->peer[0] != '\0') {
        p->is_over = p->is_over || wzp_handset_call(p->handset, p->peer, now) != WZP_OK;
        p->peer[0] = '\0'; /* once */
    } else if (ev->kind == WZP_PHONE_INCOMING) {
        p->is_over = p->is_over || wzp_handset_answer(p->handset, p->answer, now) != WZP_OK;
    } else if (ev->kind == WZP_PHONE_SET_UP) {
        start_sound(p, ev, now);
    } else if (ev->kind == WZP_PHONE_ENDED || ev->kind == WZP_PHONE_CLOSED) {
        wzp_client_free(&p->client);
        wzp_ct_upnp_free(&p->upnp);
        p->is_over = true;
        wzp_handset_close(p->handset, now);
    }
}

static void drain(wzp_ct_phone *p, wzp_time now) {
    wzp_handset_event ev;
    while (wzp_handset_next_event(p->handset, now, &ev)) {
        if (ev.kind == WZP_HANDSET_PHONE) {
            on_phone(p, ev.phone, now);
        } else if (ev.kind == WZP_HANDSET_SEEN) {
            map_port(p, &ev.addr, now);
        }
    }
    speak(p, now);
}

bool wzp_ct_phone_is_over(const wzp_ct_phone *phone) {
    return phone->is_over;
}

/* --- core ------------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    const wzp_core core = wzp_handset_core(((wzp_ct_phone *)self)->handset);
    core.ops->recv(core.self, path, ecn, payload, now);
    drain(self, now);
}

static void core_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_handset_core(((wzp_ct_phone *)self)->handset);
    core.ops->tick(core.self, now);
    drain(self, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_core core = wzp_handset_core(((const wzp_ct_phone *)self)->handset);
    return core.ops->deadline(core.self);
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    const wzp_core core = wzp_handset_core(((wzp_ct_phone *)self)->handset);
    return core.ops->next_packet(core.self, now, buf, cap, meta);
}

wzp_core wzp_ct_phone_core(wzp_ct_phone *phone) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){phone, &ops};
}

/* --- life ------------------------------------------------------------------------------------- */

/* An address of each kind, of which two may be told. */
static void describe(wzp_handset_net *net, const wzp_addr *local) {
    const wzp_interface_addr all[] = {{.addr = wzp_addr_v4(127, 0, 0, 1, 0), .is_loopback = true},
                                      {.addr = wzp_addr_v4(192, 168, 77, 5, 0)},
                                      {.addr = wzp_addr_v4(169, 254, 3, 4, 0)},
                                      {.addr = wzp_addr_v4(100, 64, 0, 42, 0)},
                                      {.addr = wzp_addr_v4(198, 51, 100, 8, 0)}};
    net->own = *local;
    net->interface_count = WZP_COUNT_OF(all);
    memcpy(net->interfaces, all, sizeof all);
}

void wzp_ct_phone_move(wzp_ct_phone *p, wzp_time now) {
    wzp_handset_net net = {.own = p->local,
                           .interfaces = {{.addr = wzp_addr_v4(192, 168, 99, 5, 0)}},
                           .interface_count = 1};
    wzp_handset_network(p->handset, &net, now);
}

wzp_ct_phone *wzp_ct_phone_new(const wzp_ct_invitation *to, const wzp_addr *local, wzp_rng rng,
                               bool deterministic, wzp_time now) {
    wzp_handset_cfg cfg = {.rng = rng,
                           .alias = "client",
                           .path = {*local, to->addr},
                           .direct_only = to->paths == WZP_CT_DIRECT_ONLY,
                           .reconnects = true,
                           .maps_global = true,
                           .accepts_any = true,
                           .stun = &to->stun,
                           .stun_count = to->stun.family != WZP_ADDR_NONE ? 1 : 0,
                           .deterministic = deterministic};
    wzp_ct_phone *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    *p = (wzp_ct_phone){.rng = rng,
                        .local = *local,
                        .relay = to->addr,
                        .answer =
                            to->answer == WZP_CT_TRUSTS ? WZP_ACCEPT_TRUSTED : WZP_ACCEPT_GENERIC,
                        .deterministic = deterministic};
    (void)snprintf(p->peer, sizeof p->peer, "%s", to->peer != NULL ? to->peer : "");
    describe(&cfg.net, local);
    cfg.net.gateway = to->gateway;
    wzp_rng_fill(rng, cfg.seed, sizeof cfg.seed);
    if (wzp_handset_new(&p->handset, &cfg, now) != WZP_OK) {
        wzp_ct_phone_free(&p);
    }
    return p;
}

void wzp_ct_phone_free(wzp_ct_phone **phone) {
    if (*phone != NULL) {
        wzp_ct_upnp_free(&(*phone)->upnp);
        wzp_client_free(&(*phone)->client); /* on the handset's socket */
        wzp_handset_free(&(*phone)->handset);
        free(*phone);
        *phone = NULL;
    }
}
