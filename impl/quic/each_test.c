/* What is told an endpoint about one of its connections, and does not touch the others. */
#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "quic/quic.h"
#include "quic/testing/pair.h"

enum { CONNS = 2 };

static const wzp_addr server_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};
static const wzp_addr client_addr = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};

typedef struct fixture {
    pair_net net;
    wzp_prng prngs[2];
    wzp_quic *server, *client;
    wzp_quic_conn conns[CONNS];
    bool closed[CONNS];
    void *last_app;
} fixture;

static void drain_client(void *ctx, wzp_time now) {
    fixture *f = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(f->client, &ev)) {
        for (size_t i = 0; i < CONNS; i++) {
            f->closed[i] |= ev.kind == WZP_QUIC_CLOSED && ev.conn == f->conns[i];
        }
        f->last_app = ev.app;
    }
}

static void drain_server(void *ctx, wzp_time now) {
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(ctx, &ev)) {
    }
}

static fixture *setup(uint64_t keep_alive) {
    fixture *f = calloc(1, sizeof *f);
    const uint8_t zero[32] = {0};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, zero);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    pair_init(&f->net, 1);
    wzp_prng_init(&f->prngs[0], 1, "server");
    wzp_prng_init(&f->prngs[1], 1, "client");
    wzp_quic_cfg cfg = {
        .rng = wzp_prng_rng(&f->prngs[0]), .identity = &identity, .keep_alive = WZP_TIME_NEVER};
    ck_assert(wzp_quic_new(&f->server, &cfg, f->net.now) == WZP_OK);
    cfg = (wzp_quic_cfg){.rng = wzp_prng_rng(&f->prngs[1]), .keep_alive = keep_alive};
    ck_assert(wzp_quic_new(&f->client, &cfg, f->net.now) == WZP_OK);
    pair_add(&f->net, wzp_quic_core(f->client), client_addr, drain_client, f);
    pair_add(&f->net, wzp_quic_core(f->server), server_addr, drain_server, f->server);
    return f;
}

static void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_quic_free(&f->server);
    wzp_quic_free(&f->client);
    free(f);
}

static void run(fixture *f, uint64_t ms) {
    pair_run(&f->net, f->net.now + ms * WZP_MS);
}

static void dial(fixture *f, size_t i, const wzp_addr *to, uint64_t initial_rtt) {
    const wzp_quic_dial d = {
        .path = {client_addr, *to}, .sni = "room", .app = f, .initial_rtt = initial_rtt};
    ck_assert(wzp_quic_connect(f->client, &d, f->net.now, &f->conns[i]) == WZP_OK);
}

static const struct rtt_case {
    uint64_t initial_rtt, again_after_ms;
} rtt_cases[] = {{0, 300}, {50 * WZP_MS, 150}, {100 * WZP_MS, 300}, {300 * WZP_MS, 900}};

START_TEST(a_lost_first_packet_is_sent_again_after_three_round_trips) {
    const wzp_addr nobody = wzp_addr_v4(10, 0, 0, 9, 4433);
    fixture *f = setup(WZP_TIME_NEVER);
    dial(f, 0, &nobody, rtt_cases[_i].initial_rtt);
    run(f, rtt_cases[_i].again_after_ms - 10);
    ck_assert_uint_eq(f->net.packets, 1);
    run(f, 20);
    ck_assert_uint_gt(f->net.packets, 1);
    teardown(f);
}
END_TEST

static const struct keep_case {
    uint64_t endpoint, own; /* 0: nothing is said about this connection */
    bool lasts;
} keep_cases[] = {
    {WZP_TIME_NEVER, 0, false},
    {WZP_TIME_NEVER, 2 * WZP_S, true},
    {2 * WZP_S, 0, true},
    {2 * WZP_S, WZP_TIME_NEVER, false},
};

START_TEST(one_is_kept_alive_and_the_other_not) {
    const struct keep_case *c = &keep_cases[_i];
    fixture *f = setup(c->endpoint);
    dial(f, 0, &server_addr, 0);
    dial(f, 1, &server_addr, 0);
    run(f, 500);
    if (c->own != 0) {
        wzp_quic_set_keep_alive(f->client, f->conns[0], c->own);
    }
    wzp_quic_set_keep_alive(f->client, f->conns[0] + ((uint64_t)1 << 32), WZP_S); /* nobody's */
    run(f, 60000);
    ck_assert_msg(f->closed[0] == !c->lasts, "case %d", _i);
    ck_assert_msg(f->closed[1] == (c->endpoint == WZP_TIME_NEVER), "case %d", _i);
    teardown(f);
}
END_TEST

START_TEST(an_event_that_waits_is_for_who_has_the_connection_now) {
    fixture *f = setup(WZP_TIME_NEVER);
    int other = 0;
    dial(f, 0, &server_addr, 0);
    run(f, 500);
    ck_assert_ptr_eq(f->last_app, f);
    wzp_quic_close(f->client, f->conns[0], 0, "over", f->net.now);
    wzp_quic_abandon(f->client, f->conns[0]);
    wzp_quic_set_app(f->client, f->conns[0], &other);
    drain_client(f, f->net.now);
    ck_assert(f->closed[0]);
    ck_assert_ptr_eq(f->last_app, &other);
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, a_lost_first_packet_is_sent_again_after_three_round_trips, 0,
                        WZP_COUNT_OF(rtt_cases));
    tcase_add_loop_test(tc, one_is_kept_alive_and_the_other_not, 0, WZP_COUNT_OF(keep_cases));
    tcase_add_test(tc, an_event_that_waits_is_for_who_has_the_connection_now);
    return wzp_run_suite("each", tc);
}
