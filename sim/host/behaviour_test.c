/* SIM-002: our NATs are found to be what they are meant to be, by the tests of RFC 5780. */
#include "sim/host/behaviour_host.h"

#include "nat/nat_type.h"
#include "nat/stun_client.h"
#include "sim/box/box.h"
#include "sim/engine/engine.h"
#include "sim/host/stun_host.h"
#include "sim/host/testing/wire.h"
#include "wire/testing/bytes.h"

#define WAY (5 * WZP_MS)
#define BOXES 2

/* client - box - box - server, with no box, one or two. */
typedef struct world {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_host *client, *server;
    wzp_sim_box *boxes[BOXES];
    size_t box_count;
    wire out[BOXES + 1], in[BOXES + 1]; /* from the client on; back to it */
    wzp_sim_stun_host *stun;
    wzp_sim_behaviour_host *behaviour;
} world;

static wzp_addr addr(const char *text) {
    wzp_addr out;
    ck_assert_msg(wzp_addr_parse(&out, text) == WZP_OK, "%s", text);
    return out;
}

static void give(wzp_sim_host *host, const char *text) {
    const wzp_addr ip = addr(text);
    ck_assert(wzp_sim_host_address(host, 0, &ip) == WZP_OK);
}

static void add_box(world *w, const wzp_sim_nat_cfg *nat, size_t i, size_t count) {
    static const char *const names[BOXES] = {"inner", "outer"};
    wzp_sim_box_cfg cfg = {.name = names[i], .nat = *nat, .inside = addr("192.168.1.1:0")};
    cfg.external_count = nat->arbitrary_pooling ? 4 : 1;
    for (size_t k = 0; k < cfg.external_count; k++) {
        cfg.externals[k] = i + 1 == count ? wzp_addr_v4(203, 0, 113, (uint8_t)(9 + k), 0)
                                          : wzp_addr_v4(100, 64, 0, (uint8_t)(2 + k), 0);
    }
    ck_assert(wzp_sim_box_new(&w->boxes[i], &cfg, w->clock, w->pool, NULL) == WZP_OK);
}

static void connect(world *w) {
    wzp_sim_node *at = wzp_sim_host_node(w->client);
    unsigned port = 0;
    for (size_t i = 0; i <= w->box_count; i++) {
        wzp_sim_node *to =
            i < w->box_count ? wzp_sim_box_node(w->boxes[i]) : wzp_sim_host_node(w->server);
        wire_init(&w->out[i], "out", w->clock, to, 0, WAY);
        wire_init(&w->in[i], "in", w->clock, at, port, WAY);
        at = to;
        port = 1;
    }
    ck_assert(wzp_sim_host_attach(w->client, 0, &w->out[0].pipe) == WZP_OK);
    ck_assert(wzp_sim_host_attach(w->server, 0, &w->in[w->box_count].pipe) == WZP_OK);
    for (size_t i = 0; i < w->box_count; i++) {
        wzp_sim_box_attach(w->boxes[i], 0, &w->in[i].pipe);
        wzp_sim_box_attach(w->boxes[i], 1, &w->out[i + 1].pipe);
    }
}

static void open_world(world *w, const wzp_sim_nat_cfg *nats, size_t count) {
    const bool is_public = count == 0 || nats[0].identity;
    *w = (world){.box_count = count};
    ck_assert(wzp_sim_engine_new(&w->engine, &(wzp_sim_engine_cfg){.seed = 1}) == WZP_OK);
    w->clock = wzp_sim_engine_clock(w->engine);
    w->pool = wzp_sim_pool_new();
    ck_assert(wzp_sim_host_new(&w->client, &(wzp_sim_host_cfg){.name = "client"}, w->clock,
                               w->pool) == WZP_OK);
    ck_assert(wzp_sim_host_new(&w->server, &(wzp_sim_host_cfg){.name = "server"}, w->clock,
                               w->pool) == WZP_OK);
    for (size_t i = 0; i < count; i++) {
        add_box(w, &nats[i], i, count);
    }
    connect(w);
    give(w->client, is_public ? "192.0.2.10:0" : "192.168.1.10:0");
    give(w->server, "198.51.100.1:0");
    give(w->server, "198.51.100.2:0");
}

static void close_world(world *w) {
    wzp_sim_behaviour_host_free(&w->behaviour);
    wzp_sim_stun_host_free(&w->stun);
    wzp_sim_host_free(&w->client);
    wzp_sim_host_free(&w->server);
    for (size_t i = 0; i <= w->box_count; i++) {
        wire_clear(&w->out[i]);
        wire_clear(&w->in[i]);
    }
    for (size_t i = 0; i < w->box_count; i++) {
        wzp_sim_box_free(&w->boxes[i]);
    }
    ck_assert_uint_eq(wzp_sim_pool_live(w->pool), 0);
    wzp_sim_engine_free(&w->engine);
    wzp_sim_pool_free(&w->pool);
}

static const wzp_sim_stun_cfg two = {.primary = {WZP_ADDR_V4, 3478, {198, 51, 100, 1}},
                                     .alternate = {WZP_ADDR_V4, 3479, {198, 51, 100, 2}}};

static void count_calls(void *ctx, const wzp_sim_behaviour_result *result, wzp_time now) {
    unsigned *calls = ctx;
    (void)now;
    ck_assert_ptr_nonnull(result);
    ++*calls;
}

/* Runs the whole discovery. */
static wzp_sim_behaviour_result discover(world *w, const wzp_sim_stun_cfg *server,
                                         const wzp_sim_behaviour_cfg *cfg) {
    unsigned calls = 0;
    ck_assert(wzp_sim_stun_host_new(&w->stun, server, w->server, w->server) == WZP_OK);
    ck_assert(wzp_sim_behaviour_host_new(&w->behaviour, w->client, cfg, "discovery", count_calls,
                                         &calls) == WZP_OK);
    ck_assert_ptr_null(wzp_sim_behaviour_host_result(w->behaviour));
    (void)wzp_sim_engine_run(w->engine, 100000 * WZP_S);
    ck_assert_uint_eq(calls, 1);
    return *wzp_sim_behaviour_host_result(w->behaviour);
}

static const wzp_sim_behaviour_cfg everything = {
    .server = {WZP_ADDR_V4, 3478, {198, 51, 100, 1}}, .hairpin = true, .lifetime = true};

/* --- a server that others answer for ---------------------------------------------------------- */

typedef struct heard {
    size_t count;
    wzp_stun_message messages[4];
    wzp_addr from[4];
} heard;

static void hear(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                 wzp_bytes payload, wzp_time now) {
    heard *h = ctx;
    (void)local;
    (void)ecn;
    (void)now;
    ck_assert_uint_lt(h->count, 4);
    ck_assert(wzp_stun_parse(&h->messages[h->count], payload, NULL) == WZP_OK);
    h->from[h->count++] = *remote;
}

START_TEST(forgeries_come_first) {
    const wzp_sim_nat_cfg nat = {
        .name = "open", .t_unreplied = 30 * WZP_S, .t_replied = 30 * WZP_S};
    const wzp_stun_message request = {.type = WZP_STUN_REQUEST, .txid = {7, 8, 9}};
    heard h = {0};
    world w;
    uint8_t buf[64];
    wzp_wr wr;
    open_world(&w, &nat, 1);
    ck_assert(wzp_sim_stun_host_new(&w.stun, &two, w.server, w.server) == WZP_OK);
    wzp_sim_stun_host_spoof(w.stun);
    wzp_sim_socket *socket = wzp_sim_host_bind(w.client, 0, hear, &h);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_stun_write(&wr, &request);
    ck_assert(wzp_sim_socket_send(socket, NULL, &two.primary, 0, wzp_bytes_of(buf, wzp_wr_len(&wr)),
                                  wzp_sim_now(wzp_sim_host_clock(w.client))));
    (void)wzp_sim_engine_run(w.engine, 20 * WZP_S);
    ck_assert_uint_eq(h.count, 3);
    ck_assert_mem_ne(h.messages[0].txid, request.txid, sizeof request.txid);
    ck_assert_mem_eq(h.messages[1].txid, request.txid, sizeof request.txid);
    ck_assert(!wzp_addr_equal(&h.from[1], &two.primary));
    ck_assert(!wzp_addr_equal(&h.messages[1].xor_mapped, &h.messages[2].xor_mapped));
    ck_assert_mem_eq(h.messages[2].txid, request.txid, sizeof request.txid);
    ck_assert(wzp_addr_equal(&h.from[2], &two.primary));
    wzp_sim_socket_close(&socket);
    close_world(&w);
}
END_TEST

/* --- nine combinations ------------------------------------------------------------------------ */

START_TEST(combinations) {
    static const wzp_sim_nat_scope scopes[] = {WZP_SIM_NAT_ANY, WZP_SIM_NAT_ADDR,
                                               WZP_SIM_NAT_ADDR_PORT};
    static const wzp_sim_behaviour_scope found[] = {WZP_SIM_BEHAVIOUR_ANY, WZP_SIM_BEHAVIOUR_ADDR,
                                                    WZP_SIM_BEHAVIOUR_ADDR_PORT};
    const size_t m = (size_t)_i / 3;
    const size_t f = (size_t)_i % 3;
    const wzp_sim_nat_cfg nat = {.name = "combination",
                                 .mapping = scopes[m],
                                 .filtering = scopes[f],
                                 .ports = WZP_SIM_NAT_RANDOM,
                                 .t_unreplied = 30 * WZP_S,
                                 .t_replied = 77 * WZP_S};
    world w;
    open_world(&w, &nat, 1);
    const wzp_sim_behaviour_result got = discover(&w, &two, &everything);
    ck_assert(got.answered && got.translated && !got.many);
    ck_assert_msg(got.mapping == found[m] && got.filtering == found[f],
                  "mapping %zu filtering %zu: %s, %s", m, f,
                  wzp_sim_behaviour_scope_text(got.mapping),
                  wzp_sim_behaviour_scope_text(got.filtering));
    ck_assert_uint_eq(got.hairpin, WZP_SIM_BEHAVIOUR_NO_TURN);
    ck_assert_uint_eq(got.alive_s, 76);
    ck_assert_uint_eq(got.gone_s, 77);
    close_world(&w);
}
END_TEST

/* --- presets (SIM-007) ------------------------------------------------------------------------ */

#define ANY WZP_SIM_BEHAVIOUR_ANY
#define ADDR WZP_SIM_BEHAVIOUR_ADDR
#define ADDR_PORT WZP_SIM_BEHAVIOUR_ADDR_PORT
#define NO_TURN WZP_SIM_BEHAVIOUR_NO_TURN
#define TURN WZP_SIM_BEHAVIOUR_TURN_EXTERNAL

static const struct preset_case {
    const char *name;
    bool translated, many;
    wzp_sim_behaviour_scope mapping, filtering;
    wzp_sim_behaviour_turn hairpin;
    uint32_t gone_s; /* 0: it was looked for 600 s, where all is behind one IP */
} preset_cases[] = {
    {"pub", false, false, ANY, ANY, NO_TURN, 0},
    {"fw", false, false, ANY, ADDR_PORT, NO_TURN, 120},
    {"1to1", true, false, ANY, ANY, TURN, 0},
    {"fullcone", true, false, ANY, ANY, TURN, 300},
    {"addrcone", true, false, ANY, ADDR, NO_TURN, 180},
    {"linux-masq", true, false, ANY, ADDR_PORT, NO_TURN, 120},
    {"mikrotik", true, false, ANY, ADDR_PORT, NO_TURN, 180},
    {"pf", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 60},
    {"symseq", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 180},
    {"symseq2", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 180},
    {"adm", true, false, ADDR, ADDR_PORT, NO_TURN, 180},
    {"symrand", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 120},
    {"cgn-rfc", true, false, ANY, ANY, TURN, 300},
    {"cgn-hard", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 60},
    {"pool-arb", true, true, ADDR, ADDR_PORT, NO_TURN, 0},
    {"natlab-easy", true, false, ANY, ADDR_PORT, NO_TURN, 300},
    {"natlab-easyaf", true, false, ANY, ADDR, NO_TURN, 300},
    {"natlab-hard", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 300},
    {"pion-default", true, false, ANY, ANY, NO_TURN, 30},
    {"ns3-rebind", true, false, ANY, ANY, NO_TURN, 0},
    {"double-easy", true, false, ANY, ADDR_PORT, TURN, 120},
    {"double-hard", true, false, ADDR_PORT, ADDR_PORT, NO_TURN, 60},
};

START_TEST(presets) {
    const struct preset_case *c = &preset_cases[_i];
    wzp_sim_nat_cfg nats[BOXES];
    world w;
    const int count = wzp_sim_nat_chain(c->name, nats);
    ck_assert_msg(count >= 0, "%s", c->name);
    open_world(&w, nats, (size_t)count);
    const wzp_sim_behaviour_result got = discover(&w, &two, &everything);
    ck_assert_msg(got.answered && got.translated == c->translated && got.many == c->many, "%s",
                  c->name);
    ck_assert_msg(got.mapping == c->mapping && got.filtering == c->filtering, "%s: %s, %s", c->name,
                  wzp_sim_behaviour_scope_text(got.mapping),
                  wzp_sim_behaviour_scope_text(got.filtering));
    ck_assert_msg(got.hairpin == c->hairpin, "%s: hairpin %d", c->name, (int)got.hairpin);
    const uint32_t looked_s = c->many ? 0 : 600;
    ck_assert_msg(got.gone_s == c->gone_s, "%s: %u s", c->name, got.gone_s);
    ck_assert_uint_eq(got.alive_s, c->gone_s != 0 ? c->gone_s - 1 : looked_s);
    close_world(&w);
}
END_TEST

START_TEST(no_preset_is_forgotten) {
    for (size_t i = 0; wzp_sim_nat_preset_name(i) != NULL; i++) {
        bool found = false;
        for (size_t k = 0; k < WZP_COUNT_OF(preset_cases); k++) {
            found |= strcmp(preset_cases[k].name, wzp_sim_nat_preset_name(i)) == 0;
        }
        ck_assert_msg(found, "%s", wzp_sim_nat_preset_name(i));
    }
}
END_TEST

/* --- what a client finds ---------------------------------------------------------------------- */

typedef struct asker {
    wzp_stun_client client;
    wzp_sim_socket *socket;
} asker;

static void hear_answer(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                        wzp_bytes payload, wzp_time now) {
    asker *a = ctx;
    (void)local;
    (void)ecn;
    (void)wzp_stun_client_recv(&a->client, remote, payload, now);
}

/* Two servers, one socket. */
static wzp_nat_verdict ask(world *w) {
    const wzp_addr servers[2] = {two.primary, two.alternate};
    const wzp_stun_client_cfg cfg = {.order = WZP_STUN_ALL};
    const wzp_time now = wzp_sim_now(wzp_sim_host_clock(w->client));
    wzp_nat_probe probes[2];
    wzp_stun_datagram out;
    wzp_prng prng;
    asker a;
    wzp_prng_init(&prng, 1, "transactions");
    ck_assert(wzp_sim_stun_host_new(&w->stun, &two, w->server, w->server) == WZP_OK);
    a.socket = wzp_sim_host_bind(w->client, 0, hear_answer, &a);
    ck_assert_ptr_nonnull(a.socket);
    ck_assert(wzp_stun_client_start(&a.client, &cfg, servers, 2, wzp_prng_rng(&prng), now) ==
              WZP_OK);
    while (wzp_stun_client_next(&a.client, &out)) {
        ck_assert(
            wzp_sim_socket_send(a.socket, NULL, &out.to, 0, wzp_bytes_of(out.data, out.len), now));
    }
    (void)wzp_sim_engine_run(w->engine, now + WZP_S);
    ck_assert(wzp_stun_client_is_done(&a.client));
    for (size_t i = 0; i < 2; i++) {
        const wzp_stun_result *result = wzp_stun_client_result(&a.client, i);
        probes[i] = (wzp_nat_probe){result->server, result->mapped};
    }
    wzp_sim_socket_close(&a.socket);
    return wzp_nat_type_classify(probes, 2, WZP_NAT_TYPE_REFERENCE);
}

/* NAT-021 */
static const struct kind_case {
    const char *preset;
    wzp_nat_type want;
} kind_cases[] = {
    {"pub", WZP_NAT_TYPE_CONE},
    {"fullcone", WZP_NAT_TYPE_CONE},
    {"linux-masq", WZP_NAT_TYPE_CONE},
    {"adm", WZP_NAT_TYPE_SYMMETRIC_PORT},
    {"symseq", WZP_NAT_TYPE_SYMMETRIC_PORT},
    {"symrand", WZP_NAT_TYPE_SYMMETRIC_PORT},
    {"pool-arb", WZP_NAT_TYPE_MULTIPLE},
    {"double-easy", WZP_NAT_TYPE_CONE},
    {"double-hard", WZP_NAT_TYPE_SYMMETRIC_PORT},
};

START_TEST(kinds_from_one_socket) {
    const struct kind_case *c = &kind_cases[_i];
    wzp_sim_nat_cfg nats[BOXES];
    world w;
    const int count = wzp_sim_nat_chain(c->preset, nats);
    ck_assert_msg(count >= 0, "%s", c->preset);
    open_world(&w, nats, (size_t)count);
    const wzp_nat_verdict got = ask(&w);
    ck_assert_uint_eq(got.observations, 2);
    ck_assert_msg(got.type == c->want, "%s: %s", c->preset, wzp_nat_type_text(got.type));
    close_world(&w);
}
END_TEST

/* --- the rest --------------------------------------------------------------------------------- */

START_TEST(inner_source_is_told_apart) {
    wzp_sim_nat_cfg nat;
    world w;
    ck_assert(wzp_sim_nat_preset("fullcone", &nat));
    nat.hairpin = WZP_SIM_NAT_HAIRPIN_INTERNAL;
    open_world(&w, &nat, 1);
    const wzp_sim_behaviour_result got = discover(&w, &two, &everything);
    ck_assert_uint_eq(got.hairpin, WZP_SIM_BEHAVIOUR_TURN_INTERNAL);
    close_world(&w);
}
END_TEST

START_TEST(server_without_alternates) {
    const wzp_sim_stun_cfg one = {.primary = two.primary};
    wzp_sim_nat_cfg nat;
    world w;
    ck_assert(wzp_sim_nat_preset("symrand", &nat));
    open_world(&w, &nat, 1);
    const wzp_sim_behaviour_result got = discover(&w, &one, &everything);
    ck_assert(got.answered && got.translated);
    ck_assert(got.mapping == WZP_SIM_BEHAVIOUR_UNKNOWN &&
              got.filtering == WZP_SIM_BEHAVIOUR_UNKNOWN);
    ck_assert_uint_eq(got.gone_s, 120); /* for which one address is enough */
    close_world(&w);
}
END_TEST

START_TEST(no_server) {
    wzp_sim_behaviour_cfg cfg = everything;
    wzp_sim_nat_cfg nat;
    world w;
    cfg.server.port = 5;
    ck_assert(wzp_sim_nat_preset("symrand", &nat));
    open_world(&w, &nat, 1);
    const wzp_sim_behaviour_result got = discover(&w, &two, &cfg);
    ck_assert(!got.answered && got.mapping == WZP_SIM_BEHAVIOUR_UNKNOWN);
    close_world(&w);
}
END_TEST

START_TEST(server_of_another_family) {
    wzp_sim_behaviour_cfg cfg = everything;
    world w;
    cfg.server = addr("[2001:db8::1]:3478");
    open_world(&w, NULL, 0);
    ck_assert(wzp_sim_behaviour_host_new(&w.behaviour, w.client, &cfg, "discovery", NULL, NULL) ==
              WZP_ERR_INVALID_ARGUMENT);
    close_world(&w);
}
END_TEST

static bool lose_two_of_three(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    unsigned *count = ctx;
    (void)packet;
    (void)now;
    return ++*count % 3 != 0;
}

START_TEST(lost_requests_are_sent_again) {
    wzp_sim_behaviour_cfg cfg = everything;
    wzp_sim_nat_cfg nat;
    unsigned count = 0;
    world w;
    cfg.hairpin = false;
    cfg.lifetime = false;
    ck_assert(wzp_sim_nat_preset("addrcone", &nat));
    open_world(&w, &nat, 1);
    w.out[0].loses = lose_two_of_three;
    w.out[0].ctx = &count;
    const wzp_sim_behaviour_result got = discover(&w, &two, &cfg);
    ck_assert(got.mapping == ANY && got.filtering == ADDR);
    close_world(&w);
}
END_TEST

START_TEST(two_hosts_serve_as_one) {
    const wzp_addr second = addr("198.51.100.2:0");
    wzp_sim_host *hosts[2];
    world w;
    open_world(&w, NULL, 0);
    hosts[0] = w.server;
    ck_assert(wzp_sim_host_new(&hosts[1], &(wzp_sim_host_cfg){.name = "second"}, w.clock, w.pool) ==
              WZP_OK);
    wzp_sim_host_unaddress(w.server, 0, &second);
    ck_assert(wzp_sim_host_attach(hosts[1], 0, &w.in[0].pipe) == WZP_OK);
    ck_assert(wzp_sim_host_address(hosts[1], 0, &second) == WZP_OK);
    ck_assert(wzp_sim_stun_host_new(&w.stun, &two, hosts[0], hosts[1]) == WZP_OK);
    /* The filtering test of a public host: the second host must answer what the first was asked. */
    const wzp_sim_behaviour_cfg cfg = {.server = two.primary};
    ck_assert(wzp_sim_behaviour_host_new(&w.behaviour, w.client, &cfg, "discovery", NULL, NULL) ==
              WZP_OK);
    (void)wzp_sim_engine_run(w.engine, 1000 * WZP_S);
    const wzp_sim_behaviour_result *got = wzp_sim_behaviour_host_result(w.behaviour);
    ck_assert_uint_eq(got->filtering, WZP_SIM_BEHAVIOUR_ANY);
    wzp_sim_stun_host_free(&w.stun);
    wzp_sim_host_free(&hosts[1]);
    close_world(&w);
}
END_TEST

START_TEST(ports_are_taken) {
    wzp_sim_stun_host *another;
    world w;
    open_world(&w, NULL, 0);
    ck_assert(wzp_sim_stun_host_new(&w.stun, &two, w.server, w.server) == WZP_OK);
    ck_assert(wzp_sim_stun_host_new(&another, &two, w.server, w.server) == WZP_ERR_LIMIT);
    wzp_sim_stun_host_stop(w.stun);
    ck_assert(wzp_sim_stun_host_new(&another, &two, w.server, w.server) == WZP_OK);
    wzp_sim_stun_host_free(&another);
    close_world(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("behaviour");
    tcase_add_test(tc, forgeries_come_first);
    tcase_add_loop_test(tc, combinations, 0, 9);
    tcase_add_loop_test(tc, presets, 0, WZP_COUNT_OF(preset_cases));
    tcase_add_test(tc, no_preset_is_forgotten);
    tcase_add_loop_test(tc, kinds_from_one_socket, 0, (int)WZP_COUNT_OF(kind_cases));
    tcase_add_test(tc, inner_source_is_told_apart);
    tcase_add_test(tc, server_without_alternates);
    tcase_add_test(tc, no_server);
    tcase_add_test(tc, server_of_another_family);
    tcase_add_test(tc, lost_requests_are_sent_again);
    tcase_add_test(tc, two_hosts_serve_as_one);
    tcase_add_test(tc, ports_are_taken);
    return wzp_run_suite("behaviour", tc);
}
