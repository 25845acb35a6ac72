/* The native fabric: nodes joined by links, seen from outside.  SIM-001: a seed is a trace. */
#include "sim/net/fabric.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "sim/net/capture.h"
#include "sim/net/router.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* Counts what arrives; with `left` it sends a packet every millisecond, of random length. */
typedef struct host {
    wzp_sim_node node;
    wzp_sim_fabric *fabric;
    wzp_sim_pipe *pipe;
    wzp_addr own, peer;
    wzp_prng prng;
    unsigned left, got;
    unsigned port; /* the last packet came by */
    wzp_sim_icmp error;
} host;

static void receive(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    host *h = (host *)node;
    (void)now;
    h->got++;
    h->port = port;
    h->error = (wzp_sim_icmp)packet->icmp;
    wzp_sim_packet_free(packet);
}

static void send_one(host *h, size_t len) {
    const wzp_time now = wzp_sim_now(h->fabric->ops->clock(h->fabric));
    wzp_sim_packet *packet = wzp_sim_packet_new(h->fabric->ops->pool(h->fabric), &h->own, &h->peer,
                                                wzp_bytes_of(NULL, len), now);
    ck_assert_ptr_nonnull(packet);
    wzp_sim_pipe_carry(h->pipe, packet, now);
}

static void send_many(void *self, void *arg, wzp_time now) {
    host *h = self;
    (void)arg;
    send_one(h, wzp_chance_between(&h->prng, 20, 200));
    if (--h->left > 0) {
        wzp_sim_at(h->fabric->ops->clock(h->fabric), now + WZP_MS, send_many, h, NULL);
    }
}

static host host_of(wzp_sim_fabric *fabric, const char *name, const char *own, const char *peer) {
    host h = {.node = {.deliver = receive, .name = name},
              .fabric = fabric,
              .own = address(own),
              .peer = address(peer)};
    wzp_sim_stream(fabric->ops->clock(fabric), &h.prng, name);
    return h;
}

static wzp_sim_fabric *fabric_of(uint64_t seed) {
    wzp_sim_fabric *fabric = NULL;
    const wzp_sim_engine_cfg cfg = {.seed = seed, .max_events = 10000000};
    ck_assert_int_eq(wzp_sim_fabric_native(&fabric, &cfg), WZP_OK);
    ck_assert_str_eq(fabric->engine, "native");
    return fabric;
}

static size_t join(wzp_sim_fabric *fabric, const char *name, wzp_sim_end a, wzp_sim_end b,
                   const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba, wzp_sim_pipe *pipe[2]) {
    size_t index = SIZE_MAX;
    wzp_fail fail = {0};
    ck_assert_int_eq(fabric->ops->link(fabric, name, &a, &b, ab, ba, pipe, &index, &fail), WZP_OK);
    return index;
}

/* --- two hosts and a router ------------------------------------------------------------------- */

/*     a:0 -- 10 ms -- 0:core:1 -- 3 ms, back 20 ms -- 7:b */
typedef struct line {
    wzp_sim_fabric *fabric;
    wzp_sim_router *core;
    host a, b;
    size_t links[2];
} line;

static wzp_sim_link_cfg delay(uint64_t ms) {
    return (wzp_sim_link_cfg){.delay.base = ms * WZP_MS};
}

static void set_up(line *l) {
    const wzp_sim_router_cfg cfg = {.name = "core", .address = address("192.0.2.1:0")};
    const wzp_sim_link_cfg near = delay(10);
    const wzp_sim_link_cfg there = delay(3);
    const wzp_sim_link_cfg back = delay(20);
    wzp_sim_pipe *pipe[2];
    l->fabric = fabric_of(1);
    l->a = host_of(l->fabric, "a", "10.0.0.1:1000", "10.0.1.1:2000");
    l->b = host_of(l->fabric, "b", "10.0.1.1:2000", "10.0.0.1:1000");
    ck_assert_int_eq(wzp_sim_router_new(&l->core, &cfg), WZP_OK);
    wzp_sim_node *core = wzp_sim_router_node(l->core);
    l->links[0] = join(l->fabric, "near", (wzp_sim_end){.node = &l->a.node, .address = l->a.own},
                       (wzp_sim_end){.node = core, .address = cfg.address}, &near, &near, pipe);
    l->a.pipe = pipe[0];
    ck_assert_int_eq(wzp_sim_router_attach(l->core, 0, pipe[1]), WZP_OK);
    l->links[1] = join(l->fabric, "far", (wzp_sim_end){.node = core, .port = 1},
                       (wzp_sim_end){.node = &l->b.node, .port = 7}, &there, &back, pipe);
    ck_assert_int_eq(wzp_sim_router_attach(l->core, 1, pipe[0]), WZP_OK);
    l->b.pipe = pipe[1];
    ck_assert_int_eq(wzp_sim_router_route(l->core, &l->a.own, 32, 0), WZP_OK);
    ck_assert_int_eq(wzp_sim_router_route(l->core, &l->b.own, 32, 1), WZP_OK);
}

static void tear_down(line *l) {
    wzp_sim_router_free(&l->core);
    l->fabric->ops->free(l->fabric);
}

typedef struct diary {
    char text[1024];
    size_t len;
} diary;

static void note(void *ctx, const char *interface, wzp_sim_way way, const wzp_sim_packet *packet,
                 wzp_time now) {
    diary *d = ctx;
    const int len = snprintf(d->text + d->len, sizeof d->text - d->len, "%llu %s %s %llu/%u\n",
                             (unsigned long long)((now - WZP_S) / WZP_MS), interface,
                             way == WZP_SIM_WAY_OUT ? "out" : "in", (unsigned long long)packet->id,
                             (unsigned)packet->ttl);
    ck_assert_int_gt(len, 0);
    d->len += (size_t)len;
    ck_assert_uint_lt(d->len, sizeof d->text);
}

START_TEST(taps_see_both_ends_of_each_link) {
    static diary d;
    line l;
    set_up(&l);
    l.fabric->ops->tap(l.fabric, note, &d);
    send_one(&l.a, 100);
    send_one(&l.b, 100);
    ck_assert_int_eq(l.fabric->ops->run(l.fabric, 2 * WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "0 a:0 out 1/64\n"
                             "0 b:7 out 2/64\n"
                             "10 core:0 in 1/64\n"
                             "10 core:1 out 1/63\n"
                             "13 b:7 in 1/63\n"
                             "20 core:1 in 2/64\n"
                             "20 core:0 out 2/63\n"
                             "30 a:0 in 2/63\n");
    ck_assert_uint_eq(l.b.port, 7);
    ck_assert_uint_gt(l.fabric->ops->events(l.fabric), 0);
    l.fabric->ops->tap(l.fabric, NULL, NULL);
    send_one(&l.a, 100);
    ck_assert_int_eq(l.fabric->ops->run(l.fabric, 3 * WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(l.b.got, 2);
    tear_down(&l);
}
END_TEST

static void note_drop(void *ctx, const char *link, const wzp_sim_packet *packet, wzp_sim_drop why,
                      wzp_time now) {
    diary *d = ctx;
    d->len += (size_t)snprintf(d->text + d->len, sizeof d->text - d->len, "%llu %s %llu %s\n",
                               (unsigned long long)((now - WZP_S) / WZP_MS), link,
                               (unsigned long long)packet->id, wzp_sim_drop_name(why));
}

START_TEST(drops_are_seen_where_they_happen) {
    static diary d;
    line l;
    set_up(&l);
    const wzp_sim_fabric_ops *ops = l.fabric->ops;
    const wzp_sim_link_cfg lossy = {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = WZP_PPM}};
    ops->watch(l.fabric, note_drop, &d);
    ops->cut(l.fabric, l.links[1], 0, true, false);
    ops->set(l.fabric, l.links[1], 1, &lossy);
    send_one(&l.a, 100);
    send_one(&l.b, 100);
    ops->run(l.fabric, 2 * WZP_S);
    ck_assert_str_eq(d.text, "0 far b->core 2 loss\n"
                             "10 far core->b 1 outage\n");
    ops->watch(l.fabric, NULL, NULL);
    send_one(&l.a, 100);
    ops->run(l.fabric, 3 * WZP_S);
    ck_assert_uint_eq(d.len, strlen("0 far b->core 2 loss\n10 far core->b 1 outage\n"));
    tear_down(&l);
}
END_TEST

START_TEST(pipes_are_named_after_link_and_nodes) {
    line l;
    set_up(&l);
    ck_assert_str_eq(l.a.pipe->name, "near a->core");
    ck_assert_str_eq(l.b.pipe->name, "far b->core");
    tear_down(&l);
}
END_TEST

START_TEST(cut_set_and_count_reach_one_direction) {
    line l;
    set_up(&l);
    const wzp_sim_fabric_ops *ops = l.fabric->ops;
    wzp_sim_counts counts;
    ops->cut(l.fabric, l.links[1], 0, true, false);
    send_one(&l.a, 100);
    send_one(&l.b, 100);
    ops->run(l.fabric, 2 * WZP_S);
    ck_assert_uint_eq(l.a.got, 1);
    ck_assert_uint_eq(l.b.got, 0);
    ops->count(l.fabric, l.links[1], 0, &counts);
    ck_assert_uint_eq(counts.in, 1);
    ck_assert_uint_eq(counts.dropped[WZP_SIM_DROP_OUTAGE], 1);
    ops->count(l.fabric, l.links[1], 1, &counts);
    ck_assert_uint_eq(counts.out, 1);
    ck_assert_uint_eq(counts.bytes_out, 128);

    ops->cut(l.fabric, l.links[1], 0, false, false);
    const wzp_sim_link_cfg slow = delay(500);
    ops->set(l.fabric, l.links[1], 0, &slow);
    send_one(&l.a, 100);
    const wzp_time sent = wzp_sim_now(ops->clock(l.fabric));
    ops->run(l.fabric, 5 * WZP_S);
    ck_assert_uint_eq(l.b.got, 1);
    ck_assert_uint_eq(wzp_sim_now(ops->clock(l.fabric)) - sent, 510 * WZP_MS);
    tear_down(&l);
}
END_TEST

START_TEST(too_big_comes_back_as_an_error) {
    line l;
    set_up(&l);
    wzp_sim_link_cfg narrow = delay(10);
    narrow.mtu = 1280;
    l.fabric->ops->set(l.fabric, l.links[0], 0, &narrow);
    send_one(&l.a, 1400);
    l.fabric->ops->run(l.fabric, 2 * WZP_S);
    ck_assert_uint_eq(l.b.got, 0);
    ck_assert_uint_eq(l.a.got, 1);
    ck_assert_int_eq(l.a.error, WZP_SIM_ICMP_TOO_BIG);
    wzp_sim_counts counts;
    wzp_sim_router_count(l.core, &counts); /* the error comes from the sender's own machine */
    ck_assert_uint_eq(counts.in, 0);
    tear_down(&l);
}
END_TEST

START_TEST(packets_in_flight_are_freed) {
    line l;
    set_up(&l);
    send_one(&l.a, 100);
    send_one(&l.b, 100);
    ck_assert_int_eq(l.fabric->ops->run(l.fabric, WZP_S + 5 * WZP_MS), WZP_SIM_STOP_TIME);
    ck_assert_uint_eq(wzp_sim_pool_live(l.fabric->ops->pool(l.fabric)), 2);
    tear_down(&l); /* the pool asserts that none is left */
}
END_TEST

static void stop_now(void *self, void *arg, wzp_time now) {
    wzp_sim_fabric *fabric = self;
    (void)arg, (void)now;
    fabric->ops->stop(fabric);
}

START_TEST(stops_when_asked) {
    line l;
    set_up(&l);
    send_one(&l.a, 100);
    wzp_sim_at(l.fabric->ops->clock(l.fabric), WZP_S + 11 * WZP_MS, stop_now, l.fabric, NULL);
    ck_assert_int_eq(l.fabric->ops->run(l.fabric, 2 * WZP_S), WZP_SIM_STOP_ASKED);
    ck_assert_uint_eq(l.b.got, 0);
    tear_down(&l);
}
END_TEST

static const struct bad_case {
    const char *name;
    wzp_sim_link_cfg cfg;
    const char *field;
} bad_cases[] = {
    {"a medium of ns-3", {.access = "wifi"}, "access"},
    {"a probability above one", {.loss = {WZP_SIM_LOSS_BERNOULLI, .p = WZP_PPM + 1}}, NULL},
};

START_TEST(bad_descriptions_are_refused) {
    const struct bad_case *c = &bad_cases[_i / 2];
    const wzp_sim_link_cfg good = delay(1);
    wzp_sim_fabric *fabric = fabric_of(1);
    host a = host_of(fabric, "a", "10.0.0.1:1", "10.0.0.2:2");
    const wzp_sim_end end = {.node = &a.node};
    wzp_sim_pipe *pipe[2] = {NULL, NULL};
    size_t index = 77;
    wzp_fail fail = {0};
    const wzp_err err = fabric->ops->link(fabric, "l", &end, &end, _i % 2 == 0 ? &c->cfg : &good,
                                          _i % 2 == 0 ? &good : &c->cfg, pipe, &index, &fail);
    ck_assert_msg(err == WZP_ERR_INVALID_ARGUMENT, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_int_eq(fail.code, WZP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(fail.field);
    if (c->field != NULL) {
        ck_assert_str_eq(fail.field, c->field);
    }
    ck_assert_ptr_null(pipe[0]);
    ck_assert_uint_eq(index, 77);
    fabric->ops->free(fabric);
}
END_TEST

/* --- SIM-001 ---------------------------------------------------------------------------------- */

/* FNV-1a of a capture's bytes. */
static void add_to_hash(void *ctx, wzp_bytes bytes) {
    uint64_t *hash = ctx;
    for (size_t i = 0; i < bytes.len; i++) {
        *hash = (*hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
}

/* A diary of one pair of hosts, without packet ids, which the whole network shares. */
typedef struct pair_trace {
    uint64_t hash;
    const char *interface;
} pair_trace;

static void trace_pair(void *ctx, const char *interface, wzp_sim_way way,
                       const wzp_sim_packet *packet, wzp_time now) {
    pair_trace *t = ctx;
    if (strncmp(interface, t->interface, strlen(t->interface)) == 0) {
        char what[64];
        (void)snprintf(what, sizeof what, "%llu %d %u", (unsigned long long)now, (int)way,
                       (unsigned)packet->len);
        add_to_hash(&t->hash, wzp_bytes_str(what));
    }
}

static const wzp_sim_link_cfg rough = {
    .delay = {.law = WZP_SIM_DELAY_NORMAL, .base = 20 * WZP_MS, .spread = 5 * WZP_MS},
    .loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 20000, .r = 300000, .bad = WZP_PPM},
    .mangle = {.duplicate_ppm = 10000, .duplicate_to = WZP_MS, .corrupt_ppm = 10000},
    .rate = {.bits_per_s = 1000000},
};

static void start_pair(wzp_sim_fabric *fabric, host hosts[2]) {
    wzp_sim_pipe *pipe[2];
    (void)join(fabric, "rough", (wzp_sim_end){.node = &hosts[0].node},
               (wzp_sim_end){.node = &hosts[1].node}, &rough, &rough, pipe);
    for (size_t i = 0; i < 2; i++) {
        hosts[i].pipe = pipe[i];
        hosts[i].left = 2000;
        wzp_sim_at(fabric->ops->clock(fabric), 0, send_many, &hosts[i], NULL);
    }
}

static uint64_t capture_hash(uint64_t seed) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    wzp_sim_capture *capture = NULL;
    const wzp_sim_capture_cfg cfg = {.sink = add_to_hash, .sink_ctx = &hash};
    ck_assert_int_eq(wzp_sim_capture_new(&capture, &cfg), WZP_OK);
    wzp_sim_fabric *fabric = fabric_of(seed);
    fabric->ops->tap(fabric, wzp_sim_capture_tap, capture);
    host hosts[2] = {host_of(fabric, "x", "10.0.0.1:1", "10.0.0.2:2"),
                     host_of(fabric, "y", "10.0.0.2:2", "10.0.0.1:1")};
    start_pair(fabric, hosts);
    ck_assert_int_eq(fabric->ops->run(fabric, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    ck_assert_uint_gt(hosts[0].got, 1000);
    ck_assert_uint_lt(hosts[0].got, 2000);
    wzp_sim_capture_free(&capture);
    fabric->ops->free(fabric);
    return hash;
}

START_TEST(sim_001_a_seed_is_a_trace) {
    const uint64_t once = capture_hash(7);
    ck_assert_uint_eq(capture_hash(7), once);
    ck_assert_uint_ne(capture_hash(8), once);
}
END_TEST

static uint64_t pair_hash(bool crowded) {
    pair_trace trace = {.interface = "x:"};
    wzp_sim_fabric *fabric = fabric_of(7);
    fabric->ops->tap(fabric, trace_pair, &trace);
    host others[2] = {host_of(fabric, "v", "10.0.1.1:1", "10.0.1.2:2"),
                      host_of(fabric, "w", "10.0.1.2:2", "10.0.1.1:1")};
    if (crowded) {
        start_pair(fabric, others);
    }
    host hosts[2] = {host_of(fabric, "x", "10.0.0.1:1", "10.0.0.2:2"),
                     host_of(fabric, "y", "10.0.0.2:2", "10.0.0.1:1")};
    start_pair(fabric, hosts);
    ck_assert_int_eq(fabric->ops->run(fabric, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    fabric->ops->free(fabric);
    return trace.hash;
}

START_TEST(others_change_nothing) {
    ck_assert_uint_ne(pair_hash(false), 0);
    ck_assert_uint_eq(pair_hash(false), pair_hash(true));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("fabric");
    tcase_add_test(tc, taps_see_both_ends_of_each_link);
    tcase_add_test(tc, drops_are_seen_where_they_happen);
    tcase_add_test(tc, pipes_are_named_after_link_and_nodes);
    tcase_add_test(tc, cut_set_and_count_reach_one_direction);
    tcase_add_test(tc, too_big_comes_back_as_an_error);
    tcase_add_test(tc, packets_in_flight_are_freed);
    tcase_add_test(tc, stops_when_asked);
    tcase_add_loop_test(tc, bad_descriptions_are_refused, 0, 2 * WZP_COUNT_OF(bad_cases));
    tcase_add_test(tc, sim_001_a_seed_is_a_trace);
    tcase_add_test(tc, others_change_nothing);
    return wzp_run_suite("fabric", tc);
}
