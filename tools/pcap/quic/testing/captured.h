/* Test helper: a call between two endpoints of ours on a network in memory, every datagram of it
 * kept as a capture would have it, with its key log, and beside it what both sides said.
 * Header-only, so that no library carries it. */
#ifndef WZP_PCAP_QUIC_TESTING_CAPTURED_H
#define WZP_PCAP_QUIC_TESTING_CAPTURED_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/identity.h"
#include "quic/testing/pair.h"
#include "tools/pcap/quic/quic.h"

enum { CAPTURED_MAX = 6000, CAPTURED_SERVER = 0, CAPTURED_CLIENT = 1 };

typedef struct captured_packet {
    wzp_addr src, dst;
    wzp_time time;
    size_t len;
    uint8_t *data;
} captured_packet;

typedef struct captured captured;

typedef struct captured_side {
    captured *all;
    wzp_core core; /* behind the one that keeps what is sent */
    wzp_addr addr;
    wzp_quic *q;
    wzp_prng prng;
    wzp_quic_conn conn;
    unsigned connected, closed, datagrams, signals;
} captured_side;

struct captured {
    pair_net net;
    captured_side sides[2];
    captured_packet packets[CAPTURED_MAX];
    size_t count;
    char keylog[8192];
};

static const wzp_addr captured_server = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};
static const wzp_addr captured_client = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};

static inline void captured_keep(captured *all, const wzp_addr *src, const wzp_addr *dst,
                                 const uint8_t *data, size_t len) {
    ck_assert_uint_lt(all->count, CAPTURED_MAX);
    captured_packet *p = &all->packets[all->count++];
    *p = (captured_packet){*src, *dst, all->net.now, len, malloc(len)};
    memcpy(p->data, data, len);
}

static inline void captured_recv(void *self, const wzp_quic_path *path, uint8_t ecn,
                                 wzp_bytes payload, wzp_time now) {
    captured_side *side = self;
    side->core.ops->recv(side->core.self, path, ecn, payload, now);
}

static inline void captured_tick(void *self, wzp_time now) {
    captured_side *side = self;
    side->core.ops->tick(side->core.self, now);
}

static inline wzp_time captured_deadline(const void *self) {
    const captured_side *side = self;
    return side->core.ops->deadline(side->core.self);
}

static inline size_t captured_next(void *self, wzp_time now, uint8_t *buf, size_t cap,
                                   wzp_quic_meta *meta) {
    captured_side *side = self;
    const size_t n = side->core.ops->next_packet(side->core.self, now, buf, cap, meta);
    for (size_t at = 0; at < n; at += meta->segment) {
        const size_t len = n - at < meta->segment ? n - at : meta->segment;
        captured_keep(side->all, pair_is_named(&meta->path.local) ? &meta->path.local : &side->addr,
                      &meta->path.remote, buf + at, len);
    }
    return n;
}

static const wzp_core_ops captured_ops = {captured_recv, captured_tick, captured_deadline,
                                          captured_next};

static inline void captured_drain(void *ctx, wzp_time now) {
    captured_side *side = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(side->q, &ev)) {
        side->connected += ev.kind == WZP_QUIC_CONNECTED;
        side->closed += ev.kind == WZP_QUIC_CLOSED;
        side->datagrams += ev.kind == WZP_QUIC_DATAGRAM;
        side->signals += ev.kind == WZP_QUIC_SIGNAL;
        if (ev.kind == WZP_QUIC_CONNECTED) {
            side->conn = ev.conn;
        }
    }
}

static inline void captured_log(void *ctx, wzp_quic_conn conn, const char *line) {
    captured *all = ctx;
    const size_t at = strlen(all->keylog);
    (void)conn;
    (void)snprintf(all->keylog + at, sizeof all->keylog - at, "%s\n", line);
}

static inline void captured_add(captured *all, size_t i, wzp_addr addr, wzp_quic_cfg cfg,
                                uint64_t seed) {
    captured_side *side = &all->sides[i];
    side->all = all;
    side->addr = addr;
    wzp_prng_init(&side->prng, seed, i == CAPTURED_SERVER ? "server" : "client");
    cfg.rng = wzp_prng_rng(&side->prng);
    ck_assert(wzp_quic_new(&side->q, &cfg, all->net.now) == WZP_OK);
    side->core = wzp_quic_core(side->q);
    pair_add(&all->net, (wzp_core){side, &captured_ops}, addr, captured_drain, side);
}

static inline captured *captured_new(wzp_quic_cfg cfg, uint64_t seed) {
    captured *all = calloc(1, sizeof *all);
    const uint8_t zero[32] = {0};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, zero);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    pair_init(&all->net, seed);
    cfg.deterministic = true;
    cfg.identity = &identity;
    captured_add(all, CAPTURED_SERVER, captured_server, cfg, seed);
    cfg.identity = NULL;
    cfg.keylog = captured_log;
    cfg.keylog_ctx = all;
    captured_add(all, CAPTURED_CLIENT, captured_client, cfg, seed);
    return all;
}

static inline void captured_free(captured *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->packets[i].data);
    }
    pair_clear(&all->net);
    wzp_quic_free(&all->sides[0].q);
    wzp_quic_free(&all->sides[1].q);
    free(all);
}

static inline void captured_run(captured *all, uint64_t ms) {
    pair_run(&all->net, all->net.now + ms * WZP_MS);
}

static inline void captured_dial(captured *all, const char *sni) {
    const wzp_quic_dial dial = {.path = {captured_client, captured_server}, .sni = sni};
    wzp_quic_conn conn;
    ck_assert(wzp_quic_connect(all->sides[CAPTURED_CLIENT].q, &dial, all->net.now, &conn) ==
              WZP_OK);
    captured_run(all, 500);
    ck_assert_uint_eq(all->sides[CAPTURED_SERVER].connected, 1);
    ck_assert_uint_eq(all->sides[CAPTURED_CLIENT].connected, 1);
}

static inline void captured_datagram(captured *all, size_t from, const void *data, size_t len) {
    ck_assert(wzp_quic_send_datagram(all->sides[from].q, all->sides[from].conn,
                                     wzp_bytes_of(data, len)) == WZP_OK);
}

static inline void captured_signal(captured *all, size_t from, const void *data, size_t len) {
    ck_assert(wzp_quic_send_signal(all->sides[from].q, all->sides[from].conn,
                                   wzp_bytes_of(data, len), NULL) == WZP_OK);
}

#endif
