/* Test helper: two clients on shared endpoints, a relay, and direct connections between the
 * endpoints, as a handset has them.  Header-only, so that no product library carries it. */
#ifndef WZP_CLIENT_TESTING_LINKS_H
#define WZP_CLIENT_TESTING_LINKS_H

#include <stdio.h>

#include "client/client.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { LINKS_FRAMES = 3000, LINKS_FRAME_LEN = 60, LINKS_RELAY = 0 };

static const wzp_addr links_relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

/* --- one side of a call ----------------------------------------------------------------------- */

typedef struct links_party {
    wzp_endpoint *endpoint;
    wzp_client *client;
    wzp_prng prng;
    wzp_endpoint_user user;
    wzp_addr addr;
    size_t host;
    wzp_quic_conn direct;      /* the newest */
    wzp_quic_close_info close; /* of a direct one */
    bool mirrors;              /* hears each datagram of a direct connection twice */
    uint32_t joined, rooms, lost, back, hangups, closed;
    uint32_t pushed, concealed, wrong;
    uint32_t heard[LINKS_FRAMES];
    uint32_t packets, first_seq, last_seq, offset; /* of what came; offset: of the media clock */
    char text[192];
} links_party;

static inline size_t links_frame_of(uint32_t number, uint8_t out[LINKS_FRAME_LEN]) {
    memset(out, (int)(number % 251), LINKS_FRAME_LEN);
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
    return LINKS_FRAME_LEN;
}

static inline void links_on_play(links_party *p, const wzp_client_event *ev) {
    uint8_t want[LINKS_FRAME_LEN];
    if (ev->slot == WZP_JBUF_FRAME) {
        const uint32_t number = (uint32_t)ev->payload.data[0] << 8 | ev->payload.data[1];
        const size_t len = links_frame_of(number, want);
        p->wrong +=
            number >= LINKS_FRAMES || !wzp_bytes_equal(ev->payload, wzp_bytes_of(want, len));
        p->heard[number % LINKS_FRAMES]++;
    }
    p->concealed += ev->slot == WZP_JBUF_CONCEAL ? 1 : 0;
}

static inline void links_after(void *ctx, wzp_time now) {
    links_party *p = ctx;
    wzp_client_event ev;
    uint8_t frame[LINKS_FRAME_LEN];
    while (p->client != NULL && wzp_client_next_event(p->client, now, &ev)) {
        switch (ev.kind) {
        case WZP_CLIENT_PLAY:
            links_on_play(p, &ev);
            break;
        case WZP_CLIENT_CAPTURE:
            ck_assert(wzp_client_push_coded(p->client,
                                            wzp_bytes_of(frame, links_frame_of(p->pushed++, frame)),
                                            now) == WZP_OK);
            break;
        case WZP_CLIENT_JOINED:
            p->joined++;
            break;
        case WZP_CLIENT_ROOM:
            p->rooms++;
            break;
        case WZP_CLIENT_LOST:
            p->lost++;
            break;
        case WZP_CLIENT_BACK:
            p->back++;
            break;
        case WZP_CLIENT_HANGUP:
            p->hangups++;
            (void)snprintf(p->text, sizeof p->text, "%s", ev.text);
            break;
        case WZP_CLIENT_CLOSED:
            p->closed++;
            break;
        }
    }
}

static inline void links_on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    links_party *p = ctx;
    const uint32_t offset = packet->hdr.timestamp_ms - 20 * packet->hdr.seq;
    (void)now;
    if (p->packets++ == 0) {
        p->first_seq = p->last_seq = packet->hdr.seq;
        p->offset = offset;
    }
    p->wrong += offset != p->offset ? 1 : 0;
    p->last_seq = packet->hdr.seq - p->last_seq < UINT32_MAX / 2 ? packet->hdr.seq : p->last_seq;
}

static inline void links_on_direct(void *self, const wzp_quic_event *ev, wzp_time now) {
    links_party *p = self;
    if (ev->kind == WZP_QUIC_CONNECTED) {
        p->direct = ev->conn;
        wzp_endpoint_attach(p->endpoint, ev->conn, &p->user);
    } else if (ev->kind == WZP_QUIC_DATAGRAM && p->client != NULL) {
        wzp_client_direct_media(p->client, ev->body, now);
        if (p->mirrors) {
            wzp_client_direct_media(p->client, ev->body, now);
        }
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        p->close = ev->close;
    }
}

/* --- as a core: what shares the socket -------------------------------------------------------- */

static inline void links_party_recv(void *self, const wzp_quic_path *path, uint8_t ecn,
                                    wzp_bytes payload, wzp_time now) {
    const wzp_core end = wzp_endpoint_core(((links_party *)self)->endpoint);
    end.ops->recv(end.self, path, ecn, payload, now);
}

static inline void links_party_tick(void *self, wzp_time now) {
    links_party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    end.ops->tick(end.self, now);
    if (p->client != NULL) {
        const wzp_core core = wzp_client_core(p->client);
        core.ops->tick(core.self, now);
    }
}

static inline wzp_time links_party_deadline(const void *self) {
    const links_party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    wzp_time first = end.ops->deadline(end.self);
    if (p->client != NULL) {
        const wzp_core core = wzp_client_core(p->client);
        first = wzp_time_min(first, core.ops->deadline(core.self));
    }
    return first;
}

static inline size_t links_party_next(void *self, wzp_time now, uint8_t *buf, size_t cap,
                                      wzp_quic_meta *meta) {
    const links_party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    if (p->client != NULL) { /* has none of its own */
        const wzp_core core = wzp_client_core(p->client);
        ck_assert_uint_eq(core.ops->next_packet(core.self, now, buf, cap, meta), 0);
    }
    return end.ops->next_packet(end.self, now, buf, cap, meta);
}

/* --- the call --------------------------------------------------------------------------------- */

typedef struct links_call {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
    links_party a, b;
} links_call;

static inline void links_start(links_call *c, links_party *p, wzp_client_cfg cfg) {
    static const wzp_core_ops ops = {links_party_recv, links_party_tick, links_party_deadline,
                                     links_party_next};
    p->host = c->net.hosts;
    p->addr = wzp_addr_v4(10, 0, 1, (uint8_t)p->host, 5000);
    p->user = (wzp_endpoint_user){p, links_on_direct};
    wzp_prng_init(&p->prng, p->host, "party");
    wzp_identity who;
    wzp_tls_identity tls;
    cfg.seed[0] = (uint8_t)p->host;
    wzp_identity_from_seed(&who, cfg.seed);
    wzp_tls_identity_of(&tls, &who);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    const wzp_quic_cfg quic = {.rng = wzp_prng_rng(&p->prng),
                               .identity = &identity,
                               .mutual = true,
                               .datagram_lifetime = WZP_CLIENT_LIFETIME};
    ck_assert(wzp_endpoint_new(&p->endpoint, &quic, c->net.now) == WZP_OK);
    wzp_endpoint_on_incoming(p->endpoint, &p->user);
    cfg.rng = wzp_prng_rng(&p->prng);
    cfg.room = "room";
    cfg.codec = WZP_CODEC_OPUS_24K;
    cfg.coded = true;
    cfg.arrival = links_on_arrival;
    cfg.arrival_ctx = p;
    cfg.path = (wzp_quic_path){p->addr, links_relay_addr};
    cfg.endpoint = p->endpoint;
    ck_assert(wzp_client_new(&p->client, &cfg, c->net.now) == WZP_OK);
    pair_add(&c->net, (wzp_core){p, &ops}, p->addr, links_after, p);
}

static inline links_call *links_begin(wzp_client_cfg cfg) {
    links_call *c = calloc(1, sizeof *c);
    pair_init(&c->net, 4);
    wzp_prng_init(&c->prng, 3, "relay");
    const wzp_relay_cfg relay = {.rng = wzp_prng_rng(&c->prng), .enforce = WZP_ENFORCE_ON};
    ck_assert(wzp_relay_new(&c->relay, &relay, c->net.now) == WZP_OK);
    pair_add(&c->net, wzp_relay_core(c->relay), links_relay_addr, NULL, NULL);
    links_start(c, &c->a, cfg);
    links_start(c, &c->b, cfg);
    return c;
}

static inline links_call *links_begin_waiting(void) {
    return links_begin((wzp_client_cfg){.waits = true});
}

static inline void links_end(links_call *c) {
    wzp_client_free(&c->a.client);
    wzp_client_free(&c->b.client);
    wzp_endpoint_free(&c->a.endpoint);
    wzp_endpoint_free(&c->b.endpoint);
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
    free(c);
}

static inline void links_run(links_call *c, uint64_t ms) {
    pair_run(&c->net, c->net.now + ms * WZP_MS);
}

/* A dials B directly, and both know it. */
static inline void links_connect(links_call *c) {
    const wzp_quic_dial d = {.path = {c->a.addr, c->b.addr}, .sni = "call-room"};
    wzp_quic_conn conn;
    ck_assert(wzp_endpoint_dial(c->a.endpoint, &d, &c->a.user, c->net.now, &conn) == WZP_OK);
    links_run(c, 100);
    ck_assert(c->a.direct == conn && c->b.direct != 0);
}

static inline void links_dial_relay(links_call *c) {
    ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) == WZP_OK);
    ck_assert(wzp_client_dial_relay(c->b.client, &links_relay_addr, c->net.now) == WZP_OK);
}

static inline void links_take_direct(links_call *c) {
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_take_direct(c->b.client, c->b.direct, c->net.now);
}

static inline void links_take_relay(links_call *c) {
    wzp_client_take_relay(c->a.client, c->net.now);
    wzp_client_take_relay(c->b.client, c->net.now);
}

static inline wzp_client_relay links_relay_of(const links_party *p) {
    return wzp_client_relay_state(p->client, NULL);
}

/* Of the first so many frames of the other side all were heard, and once. */
static inline void links_check_heard(const links_party *p, uint32_t frames, const char *name) {
    for (uint32_t i = 0; i < frames; i++) {
        ck_assert_msg(p->heard[i] == 1, "%s: frame %u was heard %u times", name, i, p->heard[i]);
    }
    ck_assert_uint_eq(p->wrong, 0);
    ck_assert_uint_eq(p->last_seq - p->first_seq + 1, p->packets);
}

static inline void links_check_both(const links_call *c, uint32_t frames) {
    links_check_heard(&c->a, frames, "a");
    links_check_heard(&c->b, frames, "b");
}

#endif
