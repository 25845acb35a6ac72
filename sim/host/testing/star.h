/* Test helper: hosts around a hub, each on a wire of its own, and a digest of all that passes.
 * Header-only. */
#ifndef WZP_SIM_HOST_TESTING_STAR_H
#define WZP_SIM_HOST_TESTING_STAR_H

#include <check.h>

#include "crypto/crypto.h"
#include "sim/host/call_host.h"
#include "sim/host/relay_host.h"
#include "sim/host/testing/wire.h"

enum { STAR_MAX = 12 };

typedef struct star {
    wzp_sim_node node; /* first: the hub */
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    size_t count;
    wzp_sim_host *hosts[STAR_MAX];
    wzp_addr addresses[STAR_MAX];
    wire up[STAR_MAX], down[STAR_MAX];
    uint8_t digest[WZP_SHA256_LEN]; /* of each packet that a host sent: when, from, to, bytes */
    uint64_t packets, bytes;
} star;

static inline void star_look(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    star *s = ctx;
    uint8_t buf[WZP_SHA256_LEN + 64 + 2048];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_bytes(&wr, wzp_bytes_of(s->digest, sizeof s->digest));
    wzp_wr_u64(&wr, now);
    wzp_wr_bytes(&wr, wzp_bytes_of(packet->src.ip, 16));
    wzp_wr_u16(&wr, packet->src.port);
    wzp_wr_bytes(&wr, wzp_bytes_of(packet->dst.ip, 16));
    wzp_wr_u16(&wr, packet->dst.port);
    wzp_wr_u8(&wr, packet->tos);
    wzp_wr_bytes(&wr, wzp_bytes_of(packet->payload, packet->len));
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    wzp_sha256(s->digest, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    s->packets++;
    s->bytes += packet->len;
}

static inline void star_deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet,
                                wzp_time now) {
    star *s = (star *)(void *)node;
    (void)port;
    for (size_t i = 0; i < s->count; i++) {
        if (wzp_addr_same_ip(&s->addresses[i], &packet->dst)) {
            wzp_sim_pipe_carry(&s->down[i].pipe, packet, now);
            return;
        }
    }
    wzp_sim_packet_free(packet);
}

static inline void star_init(star *s, uint64_t seed) {
    const wzp_sim_engine_cfg cfg = {.seed = seed};
    *s = (star){.node = {star_deliver, "hub"}};
    ck_assert(wzp_sim_engine_new(&s->engine, &cfg) == WZP_OK);
    s->clock = wzp_sim_engine_clock(s->engine);
    s->pool = wzp_sim_pool_new();
    ck_assert_ptr_nonnull(s->pool);
}

/* Index n gets the address 10.0.0.n and a wire of `delay` each way. */
static inline wzp_sim_host *star_add(star *s, const wzp_sim_host_cfg *cfg, uint64_t delay) {
    const size_t i = s->count++;
    ck_assert_uint_lt(i, STAR_MAX);
    ck_assert(wzp_sim_host_new(&s->hosts[i], cfg, s->clock, s->pool) == WZP_OK);
    s->addresses[i] = wzp_addr_v4(10, 0, 0, (uint8_t)i, 0);
    wire_init(&s->up[i], "up", s->clock, &s->node, 0, delay);
    wire_init(&s->down[i], "down", s->clock, wzp_sim_host_node(s->hosts[i]), 0, delay);
    s->up[i].look = star_look;
    s->up[i].ctx = s;
    ck_assert(wzp_sim_host_attach(s->hosts[i], 0, &s->up[i].pipe) == WZP_OK);
    ck_assert(wzp_sim_host_address(s->hosts[i], 0, &s->addresses[i]) == WZP_OK);
    return s->hosts[i];
}

static inline void star_run(star *s, wzp_time until) {
    const wzp_sim_stop stop = wzp_sim_engine_run(s->engine, until);
    ck_assert(stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE);
}

/* Programs first. */
static inline void star_clear(star *s) {
    for (size_t i = 0; i < s->count; i++) {
        wire_clear(&s->up[i]);
        wire_clear(&s->down[i]);
        wzp_sim_host_free(&s->hosts[i]);
    }
    wzp_sim_engine_free(&s->engine);
    wzp_sim_pool_free(&s->pool);
}

#endif
