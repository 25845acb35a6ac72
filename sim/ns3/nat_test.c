/* NAT boxes and routers on ns-3: two hosts with the same private address behind NATs find each
 * other with the help of a server.  Where nothing in the links is random, the whole trace is the
 * one of the native engine.
 *
 *     a -- box 1 --\          /-- box 2 -- b
 *     10.0.0.2      -- core --      10.0.0.2
 *                       |
 *                    server */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/box/box.h"
#include "sim/net/router.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77
#define PORT 4000
#define WHERE 6 /* octets of an address and its port */

typedef struct town town;

typedef struct peer {
    wzp_sim_node node; /* first */
    town *town;
    wzp_sim_pipe *pipe;
    wzp_addr own, other; /* `other` is learnt from the server */
    unsigned heard;      /* from the other */
} peer;

struct town {
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    peer a, b, server;
    wzp_addr seen[2]; /* by the server */
    wzp_sim_box *boxes[2];
    wzp_sim_router *core;
    uint64_t hash, passed;
};

/* --- hosts ------------------------------------------------------------------------------------ */

static void send_to(peer *from, const wzp_addr *to, const void *payload, size_t len, wzp_time now) {
    wzp_sim_packet *packet = wzp_sim_packet_new(from->town->fabric->ops->pool(from->town->fabric),
                                                &from->own, to, wzp_bytes_of(payload, len), now);
    ck_assert_ptr_nonnull(packet);
    wzp_sim_pipe_carry(from->pipe, packet, now);
}

/* Asks the server until it knows where the other one is, then knocks there. */
static void knock(void *self, void *arg, wzp_time now) {
    peer *p = self;
    (void)arg;
    const bool knows = p->other.family != WZP_ADDR_NONE;
    send_to(p, knows ? &p->other : &p->town->server.own, "knock", 5, now);
    wzp_sim_at(p->town->clock, now + 20 * WZP_MS, knock, p, NULL);
}

static void hear(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    peer *p = (peer *)node;
    (void)port, (void)now;
    if (packet->proto == WZP_SIM_UDP && wzp_addr_equal(&packet->src, &p->town->server.own)) {
        const uint8_t *w = packet->payload;
        ck_assert_uint_eq(packet->len, WHERE);
        p->other = wzp_addr_v4(w[0], w[1], w[2], w[3], (uint16_t)(w[4] << 8 | w[5]));
    } else if (packet->proto == WZP_SIM_UDP) {
        p->heard++;
    }
    wzp_sim_packet_free(packet);
}

/* Once it has seen both it tells each where the other is. */
static void serve(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    peer *server = (peer *)node;
    town *t = server->town;
    (void)port;
    const size_t i = packet->src.ip[3] == 1 ? 0 : 1; /* by the box's own address */
    t->seen[i] = packet->src;
    wzp_sim_packet_free(packet);
    if (t->seen[0].family != WZP_ADDR_NONE && t->seen[1].family != WZP_ADDR_NONE) {
        const wzp_addr *other = &t->seen[1 - i];
        const uint8_t where[WHERE] = {other->ip[0],
                                      other->ip[1],
                                      other->ip[2],
                                      other->ip[3],
                                      (uint8_t)(other->port >> 8),
                                      (uint8_t)other->port};
        send_to(server, &t->seen[i], where, sizeof where, now);
    }
}

/* --- the town --------------------------------------------------------------------------------- */

static void look(void *ctx, const char *interface, wzp_sim_way way, const wzp_sim_packet *packet,
                 wzp_time now) {
    town *t = ctx;
    uint8_t bytes[2048];
    const size_t len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
    const uint64_t words[] = {(uint64_t)way, now, strlen(interface)};
    for (size_t i = 0; i < WZP_COUNT_OF(words); i++) {
        t->hash = (t->hash ^ words[i]) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < len; i++) {
        t->hash = (t->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    t->passed++;
}

static void join(town *t, const char *name, wzp_sim_node *a, unsigned a_port, wzp_sim_node *b,
                 unsigned b_port, const wzp_sim_link_cfg *cfg, wzp_sim_pipe *pipe[2]) {
    const wzp_sim_end ends[2] = {{.node = a, .port = a_port}, {.node = b, .port = b_port}};
    size_t index = 0;
    wzp_fail fail = {.field = "-"};
    ck_assert_msg(t->fabric->ops->link(t->fabric, name, &ends[0], &ends[1], cfg, cfg, pipe, &index,
                                       &fail) == WZP_OK,
                  "%s: %s", name, fail.field);
}

static void build_house(town *t, size_t i, peer *p, const wzp_sim_link_cfg *access) {
    static const char *const names[2] = {"box 1", "box 2"};
    static const char *const lines[2][2] = {{"home 1", "line 1"}, {"home 2", "line 2"}};
    const wzp_addr outside = wzp_addr_v4(203, 0, 113, (uint8_t)(i + 1), 0);
    const wzp_sim_link_cfg dsl = {.delay = {.base = (10 + 7 * i) * WZP_MS},
                                  .rate = {.bits_per_s = 2000000}};
    wzp_sim_box_cfg cfg = {.name = names[i],
                           .inside = wzp_addr_v4(10, 0, 0, 1, 0),
                           .externals = {outside},
                           .external_count = 1};
    wzp_fail fail = {.field = "-"};
    ck_assert(wzp_sim_nat_preset("linux-masq", &cfg.nat));
    ck_assert_msg(wzp_sim_box_new(&t->boxes[i], &cfg, t->clock, t->fabric->ops->pool(t->fabric),
                                  &fail) == WZP_OK,
                  "%s", fail.field);
    wzp_sim_node *box = wzp_sim_box_node(t->boxes[i]);
    wzp_sim_pipe *pipe[2];
    join(t, lines[i][0], &p->node, 0, box, 0, access, pipe);
    p->pipe = pipe[0];
    wzp_sim_box_attach(t->boxes[i], 0, pipe[1]);
    join(t, lines[i][1], box, 1, wzp_sim_router_node(t->core), (unsigned)i, &dsl, pipe);
    wzp_sim_box_attach(t->boxes[i], 1, pipe[0]);
    ck_assert_int_eq(wzp_sim_router_attach(t->core, (unsigned)i, pipe[1]), WZP_OK);
    ck_assert_int_eq(wzp_sim_router_route(t->core, &outside, 32, (unsigned)i), WZP_OK);
}

static void build(town *t, const char *engine, const wzp_sim_link_cfg access[2]) {
    const wzp_sim_engine_cfg cfg = {.seed = 11};
    const wzp_sim_router_cfg core = {.name = "core"};
    const wzp_sim_link_cfg near = {.delay = {.base = 5 * WZP_MS}};
    const wzp_addr home = wzp_addr_v4(10, 0, 0, 2, PORT);
    *t = (town){.a = {.node = {hear, "a"}, .town = t, .own = home},
                .b = {.node = {hear, "b"}, .town = t, .own = home},
                .server = {.node = {serve, "server"},
                           .town = t,
                           .own = wzp_addr_v4(198, 51, 100, 1, PORT)}};
    ck_assert_int_eq(strcmp(engine, "ns3") == 0 ? wzp_sim_fabric_ns3(&t->fabric, &cfg, bed_ns3())
                                                : wzp_sim_fabric_native(&t->fabric, &cfg),
                     WZP_OK);
    t->clock = t->fabric->ops->clock(t->fabric);
    ck_assert_int_eq(wzp_sim_router_new(&t->core, &core), WZP_OK);
    build_house(t, 0, &t->a, &access[0]);
    build_house(t, 1, &t->b, &access[1]);
    wzp_sim_pipe *pipe[2];
    join(t, "near", &t->server.node, 0, wzp_sim_router_node(t->core), 2, &near, pipe);
    t->server.pipe = pipe[0];
    ck_assert_int_eq(wzp_sim_router_attach(t->core, 2, pipe[1]), WZP_OK);
    ck_assert_int_eq(wzp_sim_router_route(t->core, &t->server.own, 32, 2), WZP_OK);
    t->fabric->ops->tap(t->fabric, look, t);
}

/* Until one second after the start; `late` is when b begins. */
static void play(town *t, const char *engine, const wzp_sim_link_cfg access[2], uint64_t late) {
    build(t, engine, access);
    const wzp_time start = wzp_sim_now(t->clock);
    wzp_sim_at(t->clock, start, knock, &t->a, NULL);
    wzp_sim_at(t->clock, start + late, knock, &t->b, NULL);
    ck_assert_int_eq(t->fabric->ops->run(t->fabric, start + WZP_S), WZP_SIM_STOP_TIME);
}

static void tear_down(town *t) {
    wzp_sim_box_free(&t->boxes[0]);
    wzp_sim_box_free(&t->boxes[1]);
    wzp_sim_router_free(&t->core);
    t->fabric->ops->free(t->fabric);
}

/* --- tests ------------------------------------------------------------------------------------ */

static const struct access_case {
    const char *name;
    wzp_sim_link_cfg access[2];
    unsigned least; /* knocks that each hears */
} accesses[] = {
    {"wires", {{.delay = {.base = 1 * WZP_MS}}, {.delay = {.base = 2 * WZP_MS}}}, 35},
    {"Wi-Fi and wire", {{.access = "wifi"}, {.delay = {.base = 2 * WZP_MS}}}, 35},
    {"LTE and Wi-Fi", {{.access = "lte"}, {.access = "wifi"}}, 35},
};

START_TEST(peers_find_each_other) {
    const struct access_case *c = &accesses[_i];
    town t;
    play(&t, "ns3", c->access, 0);
    ck_assert_msg(t.a.heard >= c->least, "%s: a hears %u", c->name, t.a.heard);
    ck_assert_msg(t.b.heard >= c->least, "%s: b hears %u", c->name, t.b.heard);
    tear_down(&t);
}
END_TEST

START_TEST(a_closed_door_stays_closed) {
    town t;
    play(&t, "ns3", accesses[0].access, 300 * WZP_MS);
    wzp_sim_nat_counts counts;
    wzp_sim_nat_count(wzp_sim_box_nat(t.boxes[0]), &counts);
    ck_assert_uint_gt(t.a.heard, 0);
    ck_assert_uint_eq(counts.created, 2); /* to the server, to the peer */
    tear_down(&t);
}
END_TEST

START_TEST(the_trace_is_the_native_one) {
    static const uint64_t late[] = {0, 33 * WZP_MS, 300 * WZP_MS};
    town native;
    town ns3;
    play(&native, "native", accesses[0].access, late[_i]);
    play(&ns3, "ns3", accesses[0].access, late[_i]);
    ck_assert_uint_gt(native.passed, 400);
    ck_assert_uint_eq(native.passed, ns3.passed);
    ck_assert_uint_eq(native.a.heard, ns3.a.heard);
    ck_assert_uint_eq(native.hash, ns3.hash);
    tear_down(&native);
    tear_down(&ns3);
}
END_TEST

int main(void) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("nat");
    tcase_add_loop_test(tc, peers_find_each_other, 0, WZP_COUNT_OF(accesses));
    tcase_add_test(tc, a_closed_door_stays_closed);
    tcase_add_loop_test(tc, the_trace_is_the_native_one, 0, 3);
    return wzp_run_suite("nat", tc);
}
