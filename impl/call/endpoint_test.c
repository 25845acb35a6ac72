/* Two endpoints and a STUN server in memory: what shares a socket does not get in each other's way.
 */
#include "call/endpoint.h"

#include "base/testing/suite.h"
#include "call/testing/stun_server.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"

static const wzp_addr addrs[2] = {{WZP_ADDR_V4, 4000, {203, 0, 113, 5}},
                                  {WZP_ADDR_V4, 5000, {198, 51, 100, 9}}};
static const wzp_addr stun_addr = {WZP_ADDR_V4, 3478, {192, 0, 2, 1}};

typedef struct user {
    unsigned connected, closed, signals, datagrams;
    wzp_quic_conn conn;
    bool is_server;
    char reason[128];
} user;

static void on_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    user *u = self;
    (void)now;
    u->conn = ev->conn;
    u->is_server = ev->is_server;
    u->connected += ev->kind == WZP_QUIC_CONNECTED ? 1 : 0;
    u->signals += ev->kind == WZP_QUIC_SIGNAL ? 1 : 0;
    u->datagrams += ev->kind == WZP_QUIC_DATAGRAM ? 1 : 0;
    if (ev->kind == WZP_QUIC_CLOSED) {
        u->closed++;
        memcpy(u->reason, ev->close.reason, sizeof u->reason);
    }
}

typedef struct fixture {
    pair_net net;
    wzp_prng prngs[2];
    wzp_endpoint *ends[2];
    user users[2];
    wzp_endpoint_user handles[2];
    stun_server stun;
} fixture;

static fixture *setup(void) {
    fixture *f = calloc(1, sizeof *f);
    pair_init(&f->net, 1);
    for (uint8_t i = 0; i < 2; i++) {
        const uint8_t seed[32] = {i};
        wzp_identity who;
        wzp_tls_identity tls;
        wzp_identity_from_seed(&who, seed);
        wzp_tls_identity_of(&tls, &who);
        const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                            wzp_bytes_of(tls.ed25519_seed, 32)};
        wzp_prng_init(&f->prngs[i], i, "endpoint");
        const wzp_quic_cfg cfg = {
            .identity = &identity, .rng = wzp_prng_rng(&f->prngs[i]), .mutual = true};
        ck_assert(wzp_endpoint_new(&f->ends[i], &cfg, f->net.now) == WZP_OK);
        f->handles[i] = (wzp_endpoint_user){&f->users[i], on_event};
        pair_add(&f->net, wzp_endpoint_core(f->ends[i]), addrs[i], NULL, NULL);
    }
    pair_add(&f->net, stun_server_core(&f->stun), stun_addr, NULL, NULL);
    return f;
}

static void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_endpoint_free(&f->ends[0]);
    wzp_endpoint_free(&f->ends[1]);
    free(f);
}

static void run(fixture *f, uint64_t ms) {
    pair_run(&f->net, f->net.now + ms * WZP_MS);
}

static wzp_quic_conn dial(fixture *f) {
    const wzp_quic_dial d = {.path = {.remote = addrs[1]}, .sni = "call-call-1"};
    wzp_quic_conn conn;
    ck_assert(wzp_endpoint_dial(f->ends[0], &d, &f->handles[0], f->net.now, &conn) == WZP_OK);
    return conn;
}

static wzp_endpoint_counters counters(const fixture *f, int end) {
    wzp_endpoint_counters c;
    wzp_endpoint_count(f->ends[end], &c);
    return c;
}

/* The driver is told by the local port of the path which socket it is. */
START_TEST(from_another_socket) {
    fixture *f = setup();
    const wzp_core core = wzp_endpoint_core(f->ends[0]);
    const uint8_t tickle[1] = {0};
    const wzp_addr local = wzp_endpoint_local(7000);
    const wzp_quic_dial d = {.path = {local, addrs[1]}, .sni = "call-call-1"};
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    wzp_quic_conn conn;
    ck_assert(wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(tickle, 1)));
    ck_assert(wzp_endpoint_send_from(f->ends[0], &local, &addrs[1], wzp_bytes_of(tickle, 1)));
    ck_assert(wzp_endpoint_dial(f->ends[0], &d, &f->handles[0], f->net.now, &conn) == WZP_OK);
    const uint16_t ports[] = {0, 7000, 7000};
    for (size_t i = 0; i < WZP_COUNT_OF(ports); i++) {
        ck_assert_uint_gt(core.ops->next_packet(core.self, f->net.now, buf, sizeof buf, &meta), 0);
        ck_assert_uint_eq(meta.path.local.port, ports[i]);
        ck_assert(wzp_addr_equal(&meta.path.remote, &addrs[1]));
    }
    teardown(f);
}
END_TEST

START_TEST(all_on_one_socket) {
    fixture *f = setup();
    wzp_stun_client stun;
    const uint8_t tickle[1] = {0};
    wzp_endpoint_on_incoming(f->ends[1], &f->handles[1]);
    const wzp_quic_conn conn = dial(f);
    ck_assert(wzp_stun_client_start(&stun, &(wzp_stun_client_cfg){0}, &stun_addr, 1,
                                    wzp_prng_rng(&f->prngs[0]), f->net.now) == WZP_OK);
    wzp_endpoint_run_stun(f->ends[0], &stun);
    ck_assert(wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(tickle, 1)));
    run(f, 500);
    ck_assert_uint_eq(f->users[0].connected, 1);
    ck_assert_uint_eq(f->users[1].connected, 1);
    ck_assert(f->users[1].is_server);
    ck_assert_uint_eq(counters(f, 1).other, 1);
    ck_assert_ptr_nonnull(wzp_stun_client_first(&stun));
    ck_assert(wzp_addr_equal(&wzp_stun_client_first(&stun)->mapped, &addrs[0]));

    wzp_endpoint_run_stun(f->ends[0], NULL);
    ck_assert(wzp_quic_send_signal(wzp_endpoint_quic(f->ends[0]), conn,
                                   wzp_bytes_str("\"Reflect\""), NULL) == WZP_OK);
    ck_assert(wzp_quic_send_datagram(wzp_endpoint_quic(f->ends[1]), f->users[1].conn,
                                     wzp_bytes_str("sound")) == WZP_OK);
    run(f, 200);
    ck_assert_uint_eq(f->users[1].signals, 1);
    ck_assert_uint_eq(f->users[0].datagrams, 1);
    teardown(f);
}
END_TEST

START_TEST(who_is_attached_gets_the_events) {
    fixture *f = setup();
    user other = {0};
    const wzp_endpoint_user handle = {&other, on_event};
    wzp_endpoint_on_incoming(f->ends[1], &f->handles[1]);
    const wzp_quic_conn conn = dial(f);
    run(f, 200);
    wzp_endpoint_attach(f->ends[1], f->users[1].conn, &handle);
    ck_assert(wzp_quic_send_datagram(wzp_endpoint_quic(f->ends[0]), conn, wzp_bytes_str("sound")) ==
              WZP_OK);
    run(f, 200);
    ck_assert_uint_eq(other.datagrams, 1);
    ck_assert_uint_eq(f->users[1].datagrams, 0);

    wzp_endpoint_attach(f->ends[0], conn, NULL);
    wzp_quic_close(wzp_endpoint_quic(f->ends[0]), conn, 0, "not-selected", f->net.now);
    run(f, 200);
    ck_assert_uint_eq(other.closed, 1);
    ck_assert_str_eq(other.reason, "not-selected");
    ck_assert_uint_eq(f->users[0].closed, 0); /* it was detached */
    teardown(f);
}
END_TEST

START_TEST(nobody_wants_it) {
    fixture *f = setup();
    (void)dial(f);
    run(f, 500);
    ck_assert_uint_eq(f->users[0].closed, 1);
    ck_assert_str_eq(f->users[0].reason, "stale");
    ck_assert_uint_eq(counters(f, 1).stale, 1);
    teardown(f);
}
END_TEST

START_TEST(what_cannot_leave_is_counted) {
    fixture *f = setup();
    static const uint8_t bytes[WZP_ENDPOINT_RAW_MAX + 1] = {0};
    ck_assert(!wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(bytes, sizeof bytes)));
    ck_assert(!wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(bytes, 0)));
    for (int i = 0; i < WZP_ENDPOINT_QUEUE; i++) {
        ck_assert(wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(bytes, 1)));
    }
    ck_assert(!wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(bytes, 1)));
    run(f, 100);
    ck_assert_uint_eq(counters(f, 0).not_queued, 3);
    ck_assert_uint_eq(counters(f, 1).other, WZP_ENDPOINT_QUEUE);
    ck_assert(wzp_endpoint_send(f->ends[0], &addrs[1], wzp_bytes_of(bytes, WZP_ENDPOINT_RAW_MAX)));
    run(f, 100);
    ck_assert_uint_eq(counters(f, 1).other, WZP_ENDPOINT_QUEUE + 1);
    teardown(f);
}
END_TEST

START_TEST(stun_that_nobody_asked_for) {
    fixture *f = setup();
    const wzp_quic_path path = {addrs[0], stun_addr};
    uint8_t answer[64];
    wzp_wr wr;
    wzp_wr_init(&wr, answer, sizeof answer);
    wzp_stun_write(&wr, &(wzp_stun_message){.type = WZP_STUN_SUCCESS, .xor_mapped = addrs[1]});
    const wzp_core core = wzp_endpoint_core(f->ends[0]);
    core.ops->recv(core.self, &path, 0, wzp_bytes_of(answer, wzp_wr_len(&wr)), f->net.now);
    ck_assert_uint_eq(counters(f, 0).stun_unasked, 1);
    ck_assert_uint_eq(counters(f, 0).other, 0);
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("endpoint");
    tcase_add_test(tc, from_another_socket);
    tcase_add_test(tc, all_on_one_socket);
    tcase_add_test(tc, who_is_attached_gets_the_events);
    tcase_add_test(tc, nobody_wants_it);
    tcase_add_test(tc, what_cannot_leave_is_counted);
    tcase_add_test(tc, stun_that_nobody_asked_for);
    return wzp_run_suite("call.endpoint", tc);
}
