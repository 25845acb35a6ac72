#include "sim/host/host.h"

#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/engine/engine.h"
#include "sim/host/testing/wire.h"

#define WAY (5 * WZP_MS)

/* Two hosts, x on the left and y on the right, a wire each way between their ports 0. */
typedef struct pair {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_host *x, *y;
    wire xy, yx;
} pair;

static wzp_addr ip(const char *text) {
    wzp_addr addr;
    char full[64];
    (void)snprintf(full, sizeof full, strchr(text, ':') != NULL ? "[%s]:1" : "%s:1", text);
    ck_assert(wzp_addr_parse(&addr, full) == WZP_OK);
    addr.port = 0;
    return addr;
}

static wzp_addr at(const char *text, uint16_t port) {
    wzp_addr addr = ip(text);
    addr.port = port;
    return addr;
}

static void address(wzp_sim_host *host, unsigned port, const char *text) {
    const wzp_addr addr = ip(text);
    ck_assert(wzp_sim_host_address(host, port, &addr) == WZP_OK);
}

static void setup_with(pair *p, const wzp_sim_host_cfg *x, uint64_t delay) {
    const wzp_sim_engine_cfg engine = {.seed = 1};
    const wzp_sim_host_cfg y = {.name = "y"};
    memset(p, 0, sizeof *p);
    ck_assert(wzp_sim_engine_new(&p->engine, &engine) == WZP_OK);
    p->clock = wzp_sim_engine_clock(p->engine);
    p->pool = wzp_sim_pool_new();
    ck_assert(wzp_sim_host_new(&p->x, x, p->clock, p->pool) == WZP_OK);
    ck_assert(wzp_sim_host_new(&p->y, &y, p->clock, p->pool) == WZP_OK);
    wire_init(&p->xy, "x->y", p->clock, wzp_sim_host_node(p->y), 0, delay);
    wire_init(&p->yx, "y->x", p->clock, wzp_sim_host_node(p->x), 0, delay);
    ck_assert(wzp_sim_host_attach(p->x, 0, &p->xy.pipe) == WZP_OK);
    ck_assert(wzp_sim_host_attach(p->y, 0, &p->yx.pipe) == WZP_OK);
    address(p->x, 0, "10.0.0.1");
    address(p->x, 0, "2001:db8::1");
    address(p->y, 0, "10.0.0.2");
    address(p->y, 0, "2001:db8::2");
}

static void setup(pair *p) {
    const wzp_sim_host_cfg x = {.name = "x"};
    setup_with(p, &x, WAY);
}

static void teardown(pair *p) {
    wzp_sim_host_free(&p->x);
    wzp_sim_host_free(&p->y);
    wzp_sim_engine_free(&p->engine);
    wzp_sim_pool_free(&p->pool); /* asserts that nothing was forgotten */
}

static void run(pair *p, uint64_t duration) {
    const wzp_sim_stop stop = wzp_sim_engine_run(p->engine, wzp_sim_now(p->clock) + duration);
    ck_assert(stop == WZP_SIM_STOP_TIME || stop == WZP_SIM_STOP_IDLE);
}

/* --- sockets ---------------------------------------------------------------------------------- */

typedef struct inbox {
    size_t count;
    char text[32];
    wzp_addr local, remote;
    uint8_t ecn;
    wzp_time now;
    wzp_sim_socket **close, *answer;
    size_t errors;
    wzp_sim_icmp icmp;
} inbox;

static void receive(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                    wzp_bytes payload, wzp_time now) {
    inbox *in = ctx;
    in->count++;
    in->local = *local;
    in->remote = *remote;
    in->ecn = ecn;
    in->now = now;
    (void)snprintf(in->text, sizeof in->text, "%.*s", (int)payload.len, (const char *)payload.data);
    if (in->close != NULL) {
        wzp_sim_socket_close(in->close);
    } else if (in->answer != NULL && in->count < 100) {
        ck_assert(wzp_sim_socket_send(in->answer, local, remote, 0, payload, now));
    }
}

static void on_error(void *ctx, wzp_sim_icmp what, uint16_t mtu, const wzp_addr *remote,
                     wzp_time now) {
    inbox *in = ctx;
    (void)mtu;
    in->errors++;
    in->icmp = what;
    in->remote = *remote;
    in->now = now;
}

static wzp_sim_socket *bind_at(wzp_sim_host *host, uint16_t port, inbox *in) {
    *in = (inbox){0};
    wzp_sim_socket *s = wzp_sim_host_bind(host, port, receive, in);
    ck_assert_ptr_nonnull(s);
    wzp_sim_socket_on_error(s, on_error, in);
    return s;
}

static bool send_text(pair *p, wzp_sim_socket *s, const wzp_addr *local, wzp_addr remote,
                      const char *text) {
    return wzp_sim_socket_send(s, local, &remote, 2, wzp_bytes_str(text), wzp_sim_now(p->clock));
}

static uint64_t dropped(const wzp_sim_host *host, wzp_sim_drop why) {
    wzp_sim_counts counts;
    wzp_sim_host_count(host, &counts);
    return counts.dropped[why];
}

START_TEST(a_packet_arrives_as_it_was_sent) {
    pair p;
    inbox x;
    inbox y;
    setup(&p);
    const char *from = _i == 0 ? "10.0.0.1" : "2001:db8::1";
    const char *to = _i == 0 ? "10.0.0.2" : "2001:db8::2";
    wzp_sim_socket *sx = bind_at(p.x, 1000, &x);
    (void)bind_at(p.y, 2000, &y);
    const wzp_time sent = wzp_sim_now(p.clock);
    ck_assert(send_text(&p, sx, NULL, at(to, 2000), "hello"));
    run(&p, WZP_S);
    const wzp_addr source = at(from, 1000);
    const wzp_addr target = at(to, 2000);
    ck_assert_uint_eq(y.count, 1);
    ck_assert_str_eq(y.text, "hello");
    ck_assert(wzp_addr_equal(&y.remote, &source) && wzp_addr_equal(&y.local, &target));
    ck_assert_uint_eq(y.ecn, 2);
    ck_assert_uint_eq(y.now, sent + WAY);
    wzp_sim_counts counts;
    wzp_sim_host_count(p.x, &counts);
    ck_assert_uint_eq(counts.out, 1);
    ck_assert_uint_eq(counts.bytes_out, (_i == 0 ? 28U : 48U) + 5);
    wzp_sim_host_count(p.y, &counts);
    ck_assert_uint_eq(counts.in, 1);
    teardown(&p);
}
END_TEST

/* A gateway's word to all (nat sheet 2.5); who does not listen says nothing about it. */
START_TEST(groups_are_heard) {
    pair p;
    inbox x;
    inbox y;
    setup(&p);
    wzp_sim_socket *sender = bind_at(p.x, 0, &x);
    bind_at(p.y, 5350, &y);
    ck_assert(send_text(&p, sender, NULL, at("224.0.0.1", 5350), "reborn"));
    ck_assert(send_text(&p, sender, NULL, at("ff02::1", 5350), "reborn"));
    ck_assert(send_text(&p, sender, NULL, at("224.0.0.1", 5351), "reborn"));
    run(&p, WZP_S);
    ck_assert_uint_eq(y.count, 2);
    ck_assert_str_eq(y.text, "reborn");
    ck_assert_uint_eq(x.errors, 0);
    ck_assert_uint_eq(dropped(p.y, WZP_SIM_DROP_NO_SOCKET), 1);
    teardown(&p);
}
END_TEST

START_TEST(ports_are_taken_once) {
    pair p;
    inbox in;
    setup(&p);
    wzp_sim_socket *first = bind_at(p.x, 40000, &in);
    ck_assert_ptr_null(wzp_sim_host_bind(p.x, 40000, receive, &in));
    wzp_sim_socket *any = wzp_sim_host_bind(p.x, 0, receive, &in);
    ck_assert_uint_eq(wzp_sim_socket_port(any), 40001); /* 40000 is taken */
    wzp_sim_socket_close(&first);
    ck_assert_ptr_null(first);
    wzp_sim_socket_close(&first);
    ck_assert_ptr_nonnull(wzp_sim_host_bind(p.x, 40000, receive, &in));
    size_t count = 2;
    while (wzp_sim_host_bind(p.x, 0, receive, &in) != NULL) {
        count++;
    }
    ck_assert_uint_eq(count, 65536 - 40000);
    teardown(&p);
}
END_TEST

START_TEST(nobody_listens) {
    pair p;
    inbox x;
    setup(&p);
    wzp_sim_socket *sx = bind_at(p.x, 1000, &x);
    ck_assert(send_text(&p, sx, NULL, at("10.0.0.2", 9), "anyone?"));
    run(&p, WZP_S);
    const wzp_addr target = at("10.0.0.2", 9);
    ck_assert_uint_eq(x.errors, 1);
    ck_assert_uint_eq(x.icmp, WZP_SIM_ICMP_PORT_UNREACHABLE);
    ck_assert(wzp_addr_equal(&x.remote, &target));
    ck_assert_uint_eq(dropped(p.y, WZP_SIM_DROP_NO_SOCKET), 1);
    wzp_sim_socket_close(&sx); /* and the error about this one finds nobody either */
    wzp_sim_socket *again = bind_at(p.x, 1001, &x);
    ck_assert(send_text(&p, again, NULL, at("10.0.0.2", 9), "anyone?"));
    wzp_sim_socket_close(&again);
    run(&p, WZP_S);
    ck_assert_uint_eq(dropped(p.x, WZP_SIM_DROP_NO_SOCKET), 1);
    teardown(&p);
}
END_TEST

static const struct drop_case {
    const char *name, *to;
    bool corrupted, down;
    wzp_sim_drop why;
} drop_cases[] = {
    {"not for this host", "10.0.0.77", false, false, WZP_SIM_DROP_NO_ROUTE},
    {"the checksum tells", "10.0.0.2", true, false, WZP_SIM_DROP_CHECKSUM},
    {"the interface is down", "10.0.0.2", false, true, WZP_SIM_DROP_NODE_DOWN},
};

START_TEST(drops) {
    const struct drop_case *c = &drop_cases[_i];
    pair p;
    inbox y;
    setup(&p);
    (void)bind_at(p.y, 2000, &y);
    wzp_sim_host_up(p.y, 0, !c->down);
    const wzp_addr from = at("10.0.0.1", 1000);
    const wzp_addr to = at(c->to, 2000);
    wzp_sim_packet *packet =
        wzp_sim_packet_new(p.pool, &from, &to, wzp_bytes_str("x"), wzp_sim_now(p.clock));
    packet->corrupted = c->corrupted;
    wzp_sim_node_deliver(wzp_sim_host_node(p.y), 0, packet, wzp_sim_now(p.clock));
    run(&p, WZP_S);
    ck_assert_msg(dropped(p.y, c->why) == 1 && y.count == 0, "%s", c->name);
    teardown(&p);
}
END_TEST

START_TEST(tcp_and_foreign_icmp_are_nobodys) {
    pair p;
    inbox y;
    setup(&p);
    (void)bind_at(p.y, 2000, &y);
    const wzp_addr from = at("10.0.0.1", 1000);
    const wzp_addr to = at("10.0.0.2", 2000);
    wzp_sim_packet *tcp = wzp_sim_packet_new(p.pool, &from, &to, wzp_bytes_str("x"), 0);
    tcp->proto = WZP_SIM_TCP;
    wzp_sim_node_deliver(wzp_sim_host_node(p.y), 0, tcp, wzp_sim_now(p.clock));
    wzp_sim_packet *about = wzp_sim_packet_new(p.pool, &to, &from, wzp_bytes_str("x"), 0);
    wzp_sim_packet *icmp =
        wzp_sim_packet_icmp(about, &from, WZP_SIM_ICMP_TTL_EXCEEDED, 0, wzp_sim_now(p.clock));
    wzp_sim_node_deliver(wzp_sim_host_node(p.y), 0, icmp, wzp_sim_now(p.clock));
    wzp_sim_packet_free(about);
    run(&p, WZP_S);
    ck_assert_uint_eq(y.count, 0);
    ck_assert_uint_eq(y.errors, 1); /* its own port */
    ck_assert_uint_eq(y.icmp, WZP_SIM_ICMP_TTL_EXCEEDED);
    ck_assert_uint_eq(dropped(p.y, WZP_SIM_DROP_NO_SOCKET), 1);
    teardown(&p);
}
END_TEST

/* --- routing ---------------------------------------------------------------------------------- */

START_TEST(the_first_interface_that_can) {
    pair p;
    inbox x;
    setup(&p);
    wire second;
    wire_init(&second, "x.1->y", p.clock, wzp_sim_host_node(p.y), 0, WAY);
    ck_assert(wzp_sim_host_attach(p.x, 1, &second.pipe) == WZP_OK);
    address(p.x, 1, "172.16.0.1");
    wzp_sim_socket *sx = bind_at(p.x, 1000, &x);
    const wzp_addr target = at("10.0.0.2", 2000);
    const wzp_addr lte = ip("172.16.0.1");
    wzp_addr source = wzp_sim_host_source(p.x, &target);
    const wzp_addr wifi = ip("10.0.0.1");
    ck_assert(wzp_addr_equal(&source, &wifi));
    ck_assert(send_text(&p, sx, &lte, target, "bound"));
    ck_assert_uint_eq(second.carried, 1);
    wzp_sim_host_up(p.x, 0, false);
    source = wzp_sim_host_source(p.x, &target);
    ck_assert(wzp_addr_equal(&source, &lte));
    ck_assert(send_text(&p, sx, NULL, target, "over the other"));
    ck_assert_uint_eq(second.carried, 2);
    ck_assert(!send_text(&p, sx, &wifi, target, "from an address that is down"));
    ck_assert(!send_text(&p, sx, NULL, at("2001:db8::2", 2000), "no such family there"));
    ck_assert(!send_text(&p, sx, &lte, at("2001:db8::2", 2000), "two families"));
    ck_assert_uint_eq(dropped(p.x, WZP_SIM_DROP_NO_ROUTE), 3);
    wzp_sim_host_unaddress(p.x, 1, &lte);
    source = wzp_sim_host_source(p.x, &target);
    ck_assert_uint_eq(source.family, WZP_ADDR_NONE);
    wzp_sim_host_up(p.x, 0, true);
    ck_assert(send_text(&p, sx, NULL, target, "back"));
    ck_assert_uint_eq(p.xy.carried, 1);
    run(&p, WZP_S);
    teardown(&p);
}
END_TEST

START_TEST(what_is_for_itself_stays) {
    pair p;
    inbox a;
    inbox b;
    setup(&p);
    wzp_sim_socket *sa = bind_at(p.x, 1000, &a);
    (void)bind_at(p.x, 2000, &b);
    ck_assert(send_text(&p, sa, NULL, at("10.0.0.1", 2000), "me"));
    ck_assert_uint_eq(b.count, 0); /* not from within send */
    run(&p, WZP_S);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_uint_eq(p.xy.carried, 0);
    teardown(&p);
}
END_TEST

START_TEST(addresses_are_bounded) {
    pair p;
    setup(&p);
    address(p.x, 0, "10.0.0.1"); /* again: no second one */
    for (int i = 0; i < 14; i++) {
        const wzp_addr more = wzp_addr_v4(10, 1, 0, (uint8_t)i, 7);
        ck_assert(wzp_sim_host_address(p.x, 0, &more) == WZP_OK);
    }
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    const wzp_addr too_many = wzp_addr_v4(10, 2, 0, 1, 0);
    ck_assert(wzp_sim_host_address(p.x, 0, &too_many) == WZP_ERR_LIMIT);
    ck_assert(wzp_sim_host_address(p.x, 0, &none) == WZP_ERR_INVALID_ARGUMENT);
    wzp_sim_host_unaddress(p.x, 9, &too_many);
    wzp_sim_host_unaddress(p.x, 0, &too_many);
    wzp_sim_host_up(p.x, 9, true);
    teardown(&p);
}
END_TEST

/* --- no program is entered twice -------------------------------------------------------------- */

START_TEST(a_socket_may_go_in_its_own_callback) {
    pair p;
    inbox x;
    inbox y;
    setup(&p);
    wzp_sim_socket *sx = bind_at(p.x, 1000, &x);
    wzp_sim_socket *sy = bind_at(p.y, 2000, &y);
    y.close = &sy;
    ck_assert(send_text(&p, sx, NULL, at("10.0.0.2", 2000), "go"));
    run(&p, WZP_S);
    ck_assert_uint_eq(y.count, 1);
    ck_assert_ptr_null(sy);
    teardown(&p);
}
END_TEST

/* Wires without delay deliver from within send: the answers would nest for ever. */
START_TEST(instant_wires_do_not_nest) {
    pair p;
    inbox x;
    inbox y;
    const wzp_sim_host_cfg cfg = {.name = "x"};
    setup_with(&p, &cfg, 0);
    wzp_sim_socket *sx = bind_at(p.x, 1000, &x);
    wzp_sim_socket *sy = bind_at(p.y, 2000, &y);
    x.answer = sx;
    y.answer = sy;
    ck_assert(send_text(&p, sx, NULL, at("10.0.0.2", 2000), "ping"));
    run(&p, WZP_S);
    ck_assert_uint_eq(y.count, 100); /* and this one is not answered */
    ck_assert_uint_eq(x.count, 99);
    teardown(&p);
}
END_TEST

START_TEST(processing_takes_its_time) {
    pair p;
    inbox x;
    inbox y;
    const wzp_sim_host_cfg cfg = {.name = "x", .processing = 3 * WZP_MS};
    setup_with(&p, &cfg, WAY);
    (void)bind_at(p.x, 1000, &x);
    wzp_sim_socket *sy = bind_at(p.y, 2000, &y);
    const wzp_time sent = wzp_sim_now(p.clock);
    ck_assert(send_text(&p, sy, NULL, at("10.0.0.1", 1000), "one"));
    ck_assert(send_text(&p, sy, NULL, at("10.0.0.1", 1000), "two"));
    run(&p, WZP_S);
    ck_assert_uint_eq(x.count, 2);
    ck_assert_str_eq(x.text, "two");
    ck_assert_uint_eq(x.now, sent + WAY + 3 * WZP_MS);
    ck_assert(send_text(&p, sy, NULL, at("10.0.0.1", 1000), "on its way"));
    run(&p, WAY + WZP_MS);
    teardown(&p); /* while a packet waits */
}
END_TEST

/* --- the host's clock ------------------------------------------------------------------------- */

static const struct clock_case {
    int32_t skew_ppm;
    uint64_t offset;
    wzp_time now, want;
} clock_cases[] = {
    {0, 0, 1234567890123, 1234567890123},
    {0, 5 * WZP_S, WZP_S, 6 * WZP_S},
    {100, 0, 1000000, 1000100},
    {100, 0, 10 * WZP_S, 10 * WZP_S + WZP_MS},
    {-100, 0, 10 * WZP_S, 10 * WZP_S - WZP_MS},
    {-1000, 7, 1000, 1006},
    {1000, 0, WZP_TIME_NEVER, WZP_TIME_NEVER},
};

START_TEST(clock_shows) {
    const struct clock_case *c = &clock_cases[_i];
    const wzp_sim_host_cfg cfg = {.name = "x", .skew_ppm = c->skew_ppm, .offset = c->offset};
    pair p;
    setup_with(&p, &cfg, WAY);
    ck_assert_uint_eq(wzp_sim_host_local_time(p.x, c->now), c->want);
    teardown(&p);
}
END_TEST

/* A deadline on the host's clock is never woken too early, nor a nanosecond too late. */
START_TEST(clock_goes_back_and_forth) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "clock");
    const wzp_rng rng = wzp_prng_rng(&prng);
    const wzp_sim_host_cfg cfg = {.name = "x",
                                  .skew_ppm = (int32_t)wzp_rng_below(rng, 2001) - 1000,
                                  .offset = wzp_rng_below(rng, 100 * WZP_S)};
    pair p;
    setup_with(&p, &cfg, WAY);
    for (int i = 0; i < 1000; i++) {
        const wzp_time local = cfg.offset + wzp_rng_below(rng, UINT64_C(1) << (1 + i % 60));
        const wzp_time due = wzp_sim_host_network_time(p.x, local);
        ck_assert_uint_ge(wzp_sim_host_local_time(p.x, due), local);
        ck_assert(due == 0 || wzp_sim_host_local_time(p.x, due - 1) < local);
    }
    ck_assert_uint_eq(wzp_sim_host_network_time(p.x, 0), 0);
    ck_assert(wzp_sim_host_network_time(p.x, WZP_TIME_NEVER) == WZP_TIME_NEVER);
    teardown(&p);
}
END_TEST

START_TEST(a_clock_out_of_bounds) {
    wzp_sim_host *host = NULL;
    const wzp_sim_host_cfg cfg = {.name = "x", .skew_ppm = _i == 0 ? 1001 : -1001};
    pair p;
    setup(&p);
    ck_assert(wzp_sim_host_new(&host, &cfg, p.clock, p.pool) == WZP_ERR_INVALID_ARGUMENT);
    teardown(&p);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("host");
    tcase_add_loop_test(tc, a_packet_arrives_as_it_was_sent, 0, 2);
    tcase_add_test(tc, groups_are_heard);
    tcase_add_test(tc, ports_are_taken_once);
    tcase_add_test(tc, nobody_listens);
    tcase_add_loop_test(tc, drops, 0, WZP_COUNT_OF(drop_cases));
    tcase_add_test(tc, tcp_and_foreign_icmp_are_nobodys);
    tcase_add_test(tc, the_first_interface_that_can);
    tcase_add_test(tc, what_is_for_itself_stays);
    tcase_add_test(tc, addresses_are_bounded);
    tcase_add_test(tc, a_socket_may_go_in_its_own_callback);
    tcase_add_test(tc, instant_wires_do_not_nest);
    tcase_add_test(tc, processing_takes_its_time);
    tcase_add_loop_test(tc, clock_shows, 0, WZP_COUNT_OF(clock_cases));
    tcase_add_loop_test(tc, clock_goes_back_and_forth, 0, 30);
    tcase_add_loop_test(tc, a_clock_out_of_bounds, 0, 2);
    return wzp_run_suite("sim_host.host", tc);
}
