/* Test helper: a relay and clients in one network in memory.  Header-only, so that no product
 * library carries it.  The relay is number 0 in the network, clients follow in the order in which
 * they join. */
#ifndef WZP_CLIENT_TESTING_CALL_H
#define WZP_CLIENT_TESTING_CALL_H

#include "client/client.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

/* First member of a test's own struct, which the hooks get as their context. */
typedef struct call_user {
    wzp_client *client;
    wzp_prng prng;
    size_t host; /* number in the network */
} call_user;

typedef struct call_net {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
} call_net;

static const wzp_addr call_relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

static inline void call_begin(call_net *c, uint64_t seed, wzp_enforce enforce) {
    memset(c, 0, sizeof *c);
    pair_init(&c->net, seed);
    wzp_prng_init(&c->prng, seed + 1000, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&c->prng), .enforce = enforce};
    ck_assert_int_eq(wzp_relay_new(&c->relay, &cfg, c->net.now), WZP_OK);
    pair_add(&c->net, wzp_relay_core(c->relay), call_relay_addr, NULL, NULL);
}

/* Dials.  What `cfg` does not say: room "room", Opus at 24 kbit/s; hooks get `u`. */
static inline void call_join(call_net *c, call_user *u, wzp_client_cfg cfg,
                             void (*after)(void *ctx, wzp_time now)) {
    u->host = c->net.hosts;
    const wzp_addr addr = wzp_addr_v4(10, 0, 1, (uint8_t)u->host, 5000);
    wzp_prng_init(&u->prng, u->host, "client");
    cfg.rng = wzp_prng_rng(&u->prng);
    cfg.seed[0] = (uint8_t)u->host;
    cfg.room = cfg.room != NULL ? cfg.room : "room";
    cfg.codec = cfg.codec != 0 ? cfg.codec : WZP_CODEC_OPUS_24K;
    cfg.arrival_ctx = cfg.signal_ctx = u;
    cfg.path = (wzp_quic_path){addr, call_relay_addr};
    ck_assert_int_eq(wzp_client_new(&u->client, &cfg, c->net.now), WZP_OK);
    pair_add(&c->net, wzp_client_core(u->client), addr, after, u);
}

static inline void call_run(call_net *c, uint64_t ms) {
    pair_run(&c->net, c->net.now + ms * WZP_MS);
}

/* Clients are the caller's to free. */
static inline void call_end(call_net *c) {
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
}

#endif
