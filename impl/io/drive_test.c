/* QUIC endpoints on real sockets: one lives in this thread's libuv loop, the other in a thread of
 * its own. */
#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "io/drive.h"
#include "io/sys.h"
#include "io/thread.h"

enum { DATAGRAMS = 10000, WINDOW = 32, SIGNALS = 20 };

typedef struct side {
    wzp_quic *q;
    wzp_quic_conn conn;
    unsigned connected, closed, signals, datagrams;
    uint64_t sum; /* of the numbers in the datagrams */
    wzp_quic_path path;
    size_t last_signal_len;
} side;

/* --- an endpoint as a core -------------------------------------------------------------------- */

static wzp_quic *new_endpoint(bool server) {
    static const uint8_t seed[32] = {7};
    wzp_tls_identity tls;
    wzp_quic *q = NULL;
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(),
                              .identity = server ? &identity : NULL,
                              .datagram_queue_bytes = 1U << 20};
    ck_assert_int_eq(wzp_quic_new(&q, &cfg, wzp_io_now()), WZP_OK);
    return q;
}

/* --- the server echoes ------------------------------------------------------------------------ */

static void echo(void *ctx, wzp_time now) {
    side *s = ctx;
    wzp_quic_event ev;
    (void)now;
    while (wzp_quic_next_event(s->q, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            s->connected++;
            s->path = ev.path;
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            s->datagrams++;
            (void)!wzp_quic_send_datagram(s->q, ev.conn, ev.body);
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            s->signals++;
            ck_assert_int_eq(wzp_quic_send_signal(s->q, ev.conn, ev.body, NULL), WZP_OK);
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            s->closed++;
        }
    }
}

/* --- the client keeps a window of datagrams in flight ----------------------------------------- */

typedef struct client {
    side side;
    wzp_drive drive;
    unsigned sent;
    wzp_time give_up;
} client;

static void send_more(client *c) {
    side *s = &c->side;
    while (c->sent < DATAGRAMS && c->sent - s->datagrams < WINDOW) {
        uint8_t body[100] = {0};
        const uint32_t number = ++c->sent;
        memcpy(body, &number, sizeof number);
        ck_assert_int_eq(wzp_quic_send_datagram(s->q, s->conn, wzp_bytes_of(body, sizeof body)),
                         WZP_OK);
    }
}

static void start_talking(client *c, const wzp_quic_event *ev) {
    c->side.connected++;
    c->side.conn = ev->conn;
    static char text[3000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < SIGNALS; i++) {
        ck_assert_int_eq(
            wzp_quic_send_signal(c->side.q, ev->conn, wzp_bytes_of(text, 100 * (i + 1)), NULL),
            WZP_OK);
    }
}

static void client_after(void *ctx, wzp_time now) {
    client *c = ctx;
    side *s = &c->side;
    wzp_quic_event ev;
    while (wzp_quic_next_event(s->q, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED) {
            start_talking(c, &ev);
        } else if (ev.kind == WZP_QUIC_DATAGRAM) {
            uint32_t number;
            memcpy(&number, ev.body.data, sizeof number);
            s->datagrams++;
            s->sum += number;
        } else if (ev.kind == WZP_QUIC_SIGNAL) {
            s->signals++;
            s->last_signal_len = ev.body.len;
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            s->closed++;
        }
    }
    if (s->connected > 0 && s->closed == 0) {
        send_more(c);
    }
    if ((s->datagrams == DATAGRAMS && s->signals == SIGNALS) || s->closed > 0 || now > c->give_up) {
        wzp_drive_stop(&c->drive);
    }
}

static wzp_udp *open_local(bool v6, bool plain) {
    wzp_udp *udp = NULL;
    const wzp_addr any = v6 ? (wzp_addr){.family = WZP_ADDR_V6} : wzp_addr_v4(127, 0, 0, 1, 0);
    return wzp_udp_open(&udp, &any, plain) == WZP_OK ? udp : NULL;
}

static void dial(client *c, wzp_addr to) {
    const wzp_quic_dial where = {.path = {.remote = to}, .sni = "room"};
    c->side.q = new_endpoint(false);
    ck_assert_int_eq(wzp_quic_connect(c->side.q, &where, wzp_io_now(), &c->side.conn), WZP_OK);
}

static void run_client(client *c, bool plain) {
    wzp_udp *udp = open_local(false, plain);
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    c->drive =
        (wzp_drive){.core = wzp_quic_core(c->side.q), .udp = udp, .after = client_after, .ctx = c};
    c->give_up = wzp_time_after(wzp_io_now(), 20 * WZP_S);
    ck_assert_int_eq(wzp_drive_start(&c->drive, &loop), WZP_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    wzp_udp_counters n;
    wzp_udp_count(udp, &n);
    ck_assert_uint_gt(n.sent, 100);
    wzp_udp_close(&udp);
}

static void read_datagrams(void *ctx, wzp_time now) {
    (void)now;
    side *s = ctx;
    ck_assert_uint_eq(s->datagrams, DATAGRAMS);
}

static void close_all(void *ctx, wzp_time now) {
    side *s = ctx;
    wzp_quic_close_all(s->q, 0, "bye", now);
}

static const struct talk_case {
    const char *name;
    bool dual_stack, plain;
} talk_cases[] = {
    {"IPv4 with offload", false, false},
    {"IPv4, plain", false, true},
    {"client of a dual-stack server", true, false},
};

START_TEST(two_endpoints_exchange_signals_and_datagrams) {
    const struct talk_case *c = &talk_cases[_i];
    side server = {.q = new_endpoint(true)};
    wzp_udp *udp = open_local(c->dual_stack, c->plain);
    if (udp == NULL) {
        wzp_quic_free(&server.q);
        return; /* no IPv6 here */
    }
    wzp_io_thread *thread = NULL;
    const wzp_io_thread_cfg cfg = {
        .core = wzp_quic_core(server.q), .udp = udp, .after = echo, .ctx = &server};
    ck_assert_int_eq(wzp_io_thread_start(&thread, &cfg), WZP_OK);

    client caller = {.sent = 0};
    dial(&caller, wzp_addr_v4(127, 0, 0, 1, wzp_udp_local(udp).port));
    run_client(&caller, c->plain);
    ck_assert_msg(caller.side.datagrams == DATAGRAMS, "%s: %u came back", c->name,
                  caller.side.datagrams);
    ck_assert_uint_eq(caller.side.sum, (uint64_t)DATAGRAMS * (DATAGRAMS + 1) / 2);
    ck_assert_uint_eq(caller.side.signals, SIGNALS);

    wzp_io_thread_call(thread, read_datagrams, &server);
    wzp_io_thread_call(thread, close_all, &server);
    wzp_io_thread_stop(&thread);
    ck_assert_ptr_null(thread);
    ck_assert_uint_eq(server.connected, 1);
    const wzp_addr asked = wzp_addr_v4(127, 0, 0, 1, wzp_udp_local(udp).port);
    ck_assert(wzp_addr_equal(&server.path.local, &asked));
    wzp_quic_free(&caller.side.q);
    wzp_quic_free(&server.q);
    wzp_udp_close(&udp);
}
END_TEST

/* --- timers ----------------------------------------------------------------------------------- */

/* A core that only wants to be woken: 50 times. */
typedef struct alarm_core {
    wzp_time next, last;
    uint64_t apart;
    unsigned ticks;
    wzp_drive drive;
} alarm_core;

static void alarm_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    (void)self, (void)path, (void)ecn, (void)payload, (void)now;
}

static void alarm_tick(void *self, wzp_time now) {
    alarm_core *a = self;
    if (now >= a->next) {
        const uint64_t slack = a->drive.slack;
        ck_assert(a->ticks == 0 || slack == 0 || now / slack > a->last / slack);
        a->ticks++;
        a->last = now;
        a->next = wzp_time_after(now, a->apart);
    }
}

static wzp_time alarm_deadline(const void *self) {
    const alarm_core *a = self;
    return a->next;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is that of the core's operation */
static size_t alarm_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    (void)self, (void)now, (void)buf, (void)cap, (void)meta;
    return 0;
}

static void alarm_after(void *ctx, wzp_time now) {
    alarm_core *a = ctx;
    (void)now;
    if (a->ticks == 50) {
        wzp_drive_stop(&a->drive);
        wzp_drive_stop(&a->drive);
    }
}

static uint64_t ring(uint64_t apart, uint64_t slack) {
    static const wzp_core_ops ops = {alarm_recv, alarm_tick, alarm_deadline, alarm_next};
    alarm_core a = {.next = wzp_io_now(), .apart = apart};
    wzp_udp *udp = open_local(false, false);
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    a.drive = (wzp_drive){
        .core = {&a, &ops}, .udp = udp, .after = alarm_after, .ctx = &a, .slack = slack};
    const wzp_time begin = wzp_io_now();
    ck_assert_int_eq(wzp_drive_start(&a.drive, &loop), WZP_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    const uint64_t took = wzp_time_since(wzp_io_now(), begin);
    ck_assert_uint_eq(a.ticks, 50);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    wzp_udp_close(&udp);
    return took;
}

START_TEST(deadlines_are_met_between_milliseconds) {
    const uint64_t took = ring(1300 * WZP_US, 0);
    ck_assert_uint_ge(took, WZP_US * 49 * 1300);
    ck_assert_msg(took < WZP_S, "took %u ms", (unsigned)(took / WZP_MS)); /* a busy machine too */
}
END_TEST

/* Deadlines 100 us apart, and one ring in 2 ms for all of them. */
START_TEST(with_slack_many_deadlines_ring_once) {
    ck_assert_uint_ge(ring(100 * WZP_US, 2 * WZP_MS), (wzp_time)48 * 2 * WZP_MS);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, two_endpoints_exchange_signals_and_datagrams, 0,
                        WZP_COUNT_OF(talk_cases));
    tcase_add_test(tc, deadlines_are_met_between_milliseconds);
    tcase_add_test(tc, with_slack_many_deadlines_ring_once);
    tcase_set_timeout(tc, 60);
    return wzp_run_suite("drive", tc);
}
