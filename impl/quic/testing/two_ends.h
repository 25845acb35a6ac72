/* A server and a client in memory, and everything that each of them reported. */
#ifndef WZP_QUIC_TESTING_TWO_ENDS_H
#define WZP_QUIC_TESTING_TWO_ENDS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"

enum { LOG_MAX = 4000 };

/* One side of a test: an endpoint and everything that it reported. */
typedef struct side {
    wzp_quic *q;
    wzp_prng prng;
    wzp_quic_conn conn;
    void *last_app;
    unsigned connected, closed, datagrams, acked, bad, paths;
    char sni[WZP_QUIC_SNI_MAX + 1];
    wzp_quic_close_info close;
    wzp_err last_bad;
    size_t signals;
    size_t signal_len[LOG_MAX];
    char last_signal[64];
    uint8_t last_datagram[1500];
    size_t last_datagram_len;
    char uni[64];
    bool uni_fin;
    unsigned keylog_lines;
    size_t qlog_bytes;
} side;

typedef struct fixture {
    pair_net net;
    side server, client;
} fixture;

static inline void drain(void *ctx, wzp_time now) {
    side *s = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(s->q, &ev)) {
        switch (ev.kind) {
        case WZP_QUIC_CONNECTED:
            s->connected++;
            s->conn = ev.conn;
            (void)snprintf(s->sni, sizeof s->sni, "%s", ev.sni);
            break;
        case WZP_QUIC_SIGNAL:
            ck_assert_uint_lt(s->signals, LOG_MAX);
            s->signal_len[s->signals++] = ev.body.len;
            (void)snprintf(s->last_signal, sizeof s->last_signal, "%.*s", (int)ev.body.len,
                           (const char *)ev.body.data);
            break;
        case WZP_QUIC_SIGNAL_BAD:
            s->bad++;
            s->last_bad = ev.err;
            break;
        case WZP_QUIC_SIGNAL_ACKED:
            s->acked++;
            break;
        case WZP_QUIC_UNI:
            strncat(s->uni, (const char *)ev.body.data, ev.body.len);
            s->uni_fin = ev.fin;
            break;
        case WZP_QUIC_DATAGRAM:
            s->datagrams++;
            memcpy(s->last_datagram, ev.body.data, ev.body.len);
            s->last_datagram_len = ev.body.len;
            break;
        case WZP_QUIC_PATH:
            s->paths++;
            break;
        case WZP_QUIC_CLOSED:
            s->closed++;
            s->close = ev.close;
            s->last_app = ev.app;
            break;
        }
    }
}

static inline void count_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    side *s = ctx;
    (void)conn;
    ck_assert_ptr_nonnull(strchr(line, ' '));
    s->keylog_lines++;
}

static inline void count_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin) {
    side *s = ctx;
    (void)conn;
    (void)fin;
    s->qlog_bytes += data.len;
}

static const wzp_addr server_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};
static const wzp_addr client_addr = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};

static inline fixture *setup_with(wzp_quic_cfg cfg, uint64_t seed) {
    fixture *f = calloc(1, sizeof *f);
    const uint8_t zero[32] = {0};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, zero);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    pair_init(&f->net, seed);
    wzp_prng_init(&f->server.prng, seed, "server");
    wzp_prng_init(&f->client.prng, seed, "client");
    cfg.identity = &identity;
    cfg.rng = wzp_prng_rng(&f->server.prng);
    ck_assert(wzp_quic_new(&f->server.q, &cfg, f->net.now) == WZP_OK);
    cfg.identity = NULL;
    cfg.rng = wzp_prng_rng(&f->client.prng);
    cfg.keylog = count_keylog;
    cfg.qlog = count_qlog;
    cfg.keylog_ctx = cfg.qlog_ctx = &f->client;
    ck_assert(wzp_quic_new(&f->client.q, &cfg, f->net.now) == WZP_OK);
    pair_add(&f->net, wzp_quic_core(f->server.q), server_addr, drain, &f->server);
    pair_add(&f->net, wzp_quic_core(f->client.q), client_addr, drain, &f->client);
    return f;
}

static inline fixture *setup(void) {
    return setup_with((wzp_quic_cfg){0}, 1);
}

static inline void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_quic_free(&f->server.q);
    wzp_quic_free(&f->client.q);
    free(f);
}

static inline void run(fixture *f, uint64_t ms) {
    pair_run(&f->net, f->net.now + ms * WZP_MS);
}

static inline void dial(fixture *f, const char *sni, const char *alpn) {
    const wzp_quic_dial d = {.path = {client_addr, server_addr}, .sni = sni, .alpn = alpn};
    wzp_quic_conn conn;
    ck_assert(wzp_quic_connect(f->client.q, &d, f->net.now, &conn) == WZP_OK);
}

enum { SERVER, CLIENT }; /* hosts in the network */

static inline fixture *connected(void) {
    fixture *f = setup();
    dial(f, "room", NULL);
    run(f, 500);
    ck_assert_uint_eq(f->server.connected, 1);
    ck_assert_uint_eq(f->client.connected, 1);
    return f;
}

#endif
