/* A link with nothing around it: packets go in at given times, what comes out is written down. */
#ifndef WZP_SIM_NET_TESTING_BENCH_H
#define WZP_SIM_NET_TESTING_BENCH_H

#include <check.h>
#include <stdlib.h>

#include "sim/engine/engine.h"
#include "sim/net/link.h"

#define BENCH_START WZP_S

/* For what is looked at a million times: check writes down every assertion of its own. */
#define bench_expect(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)

/* One packet that came out.  Times are counted from the link's start. */
typedef struct arrival {
    uint64_t seq; /* as it was sent: 0, 1, ... */
    wzp_time sent, at;
    uint32_t bytes; /* IP */
    uint8_t tos;
    bool corrupted;
} arrival;

typedef struct bench {
    wzp_sim_node far, near; /* first: what deliver is called with */
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_link *link;
    uint64_t sent, own_events;
    arrival *arrivals;
    size_t count, cap;
    size_t errors; /* ICMP that came back */
    uint16_t error_mtu;
    uint8_t first_payload; /* of the last arrival, after the number */
} bench;

#define BENCH_NUMBER 8 /* bytes of payload that hold `seq` */

static inline void bench_deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet,
                                 wzp_time now) {
    bench *b = (bench *)node;
    bench_expect(port == 7);
    bench_expect(now == wzp_sim_now(b->clock));
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 1024 : b->cap * 2;
        b->arrivals = realloc(b->arrivals, b->cap * sizeof *b->arrivals);
        bench_expect(b->arrivals != NULL);
    }
    uint64_t seq = 0;
    for (size_t i = 0; i < BENCH_NUMBER && i < packet->len; i++) {
        seq = seq << 8 | packet->payload[i];
    }
    b->first_payload = packet->len > BENCH_NUMBER ? packet->payload[BENCH_NUMBER] : 0;
    b->arrivals[b->count++] = (arrival){
        .seq = seq,
        .sent = packet->created - BENCH_START,
        .at = now - BENCH_START,
        .bytes = wzp_sim_packet_wire_len(packet),
        .tos = packet->tos,
        .corrupted = packet->corrupted,
    };
    wzp_sim_packet_free(packet);
}

static inline void bench_error(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet,
                               wzp_time now) {
    bench *b = (bench *)(node - 1);
    (void)now;
    ck_assert_uint_eq(port, 3);
    ck_assert_uint_eq(packet->icmp, WZP_SIM_ICMP_TOO_BIG);
    b->errors++;
    b->error_mtu = packet->mtu;
    wzp_sim_packet_free(packet);
}

static inline void bench_open_named(bench *b, const wzp_sim_link_cfg *cfg, uint64_t seed,
                                    const char *name) {
    *b = (bench){.far = {bench_deliver, "far"}, .near = {bench_error, "near"}};
    const wzp_sim_engine_cfg engine = {.seed = seed, .start = BENCH_START};
    ck_assert_int_eq(wzp_sim_engine_new(&b->engine, &engine), WZP_OK);
    b->clock = wzp_sim_engine_clock(b->engine);
    b->pool = wzp_sim_pool_new();
    wzp_fail fail;
    ck_assert_msg(wzp_sim_link_check(cfg, &fail) == WZP_OK, "%s", fail.field);
    ck_assert_int_eq(wzp_sim_link_new(&b->link, name, cfg, b->clock, b->pool, &b->far, 7), WZP_OK);
    const wzp_addr origin = wzp_addr_v4(10, 0, 0, 1, 0);
    wzp_sim_link_set_origin(b->link, &b->near, 3, &origin);
}

static inline void bench_open(bench *b, const wzp_sim_link_cfg *cfg, uint64_t seed) {
    bench_open_named(b, cfg, seed, "a->b");
}

static inline void bench_nothing(void *self, void *arg, wzp_time now) {
    (void)self;
    (void)arg;
    (void)now;
}

/* Afterwards it is `until`, also when nothing was left to do. */
static inline void bench_run(bench *b, wzp_time until) {
    wzp_sim_at(b->clock, BENCH_START + until, bench_nothing, NULL, NULL);
    b->own_events++;
    const wzp_sim_stop stop = wzp_sim_engine_run(b->engine, BENCH_START + until);
    bench_expect(stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE);
    bench_expect(wzp_sim_now(b->clock) == BENCH_START + until);
}

/* Tasks that the link has run. */
static inline uint64_t bench_events(const bench *b) {
    return wzp_sim_engine_events(b->engine) - b->own_events;
}

/* At `at`, from `from_port`, a packet of so many IP bytes. */
static inline void bench_send_as(bench *b, wzp_time at, uint32_t bytes, uint8_t tos,
                                 uint16_t from_port) {
    static uint8_t payload[WZP_SIM_PAYLOAD_MAX];
    bench_run(b, at);
    bench_expect(bytes >= 28 + BENCH_NUMBER);
    for (size_t i = 0; i < BENCH_NUMBER; i++) {
        payload[i] = (uint8_t)(b->sent >> (8 * (BENCH_NUMBER - 1 - i)));
    }
    b->sent++;
    const wzp_addr src = wzp_addr_v4(10, 0, 0, 2, from_port);
    const wzp_addr dst = wzp_addr_v4(10, 9, 0, 2, 4433);
    wzp_sim_packet *packet = wzp_sim_packet_new(
        b->pool, &src, &dst, wzp_bytes_of(payload, bytes - 28), BENCH_START + at);
    bench_expect(packet != NULL);
    packet->tos = tos;
    wzp_sim_pipe_carry(wzp_sim_link_pipe(b->link), packet, BENCH_START + at);
}

static inline void bench_send(bench *b, wzp_time at, uint32_t bytes) {
    bench_send_as(b, at, bytes, 0, 4000);
}

/* Also checks that no packet is lost or made without being counted. */
static inline wzp_sim_counts bench_counts(const bench *b) {
    wzp_sim_counts counts;
    wzp_sim_link_count(b->link, &counts);
    uint64_t gone = counts.out;
    for (size_t i = 0; i < WZP_SIM_DROP_COUNT; i++) {
        gone += counts.dropped[i];
    }
    bench_expect(counts.in == b->sent);
    bench_expect(counts.out == b->count);
    const uint64_t inside = counts.in + counts.duplicated - gone;
    const uint64_t live = wzp_sim_pool_live(b->pool); /* ICMP that is under way lives too */
    bench_expect(inside <= live && live - inside <= counts.dropped[WZP_SIM_DROP_MTU] - b->errors);
    return counts;
}

/* Checks that no packet is left anywhere. */
static inline void bench_close(bench *b) {
    bench_counts(b);
    wzp_sim_engine_free(&b->engine);
    wzp_sim_link_free(&b->link);
    ck_assert_ptr_null(b->link);
    wzp_sim_pool_free(&b->pool);
    free(b->arrivals);
}

#endif
