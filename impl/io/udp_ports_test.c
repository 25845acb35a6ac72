/* Many sockets of one core over loopback. */
#include "io/udp_ports.h"

#include <string.h>

#include "base/testing/suite.h"
#include "io/drive.h"
#include "io/sys.h"

enum { SOCKETS = 3, SAID_MAX = 16 };

/* Says what it is given to say, and keeps what it hears. */
typedef struct talker {
    wzp_quic_path said[SAID_MAX];
    size_t count, at;
    wzp_quic_path heard[SAID_MAX];
    size_t heard_count;
    uv_loop_t *loop;
    size_t stop_at;
    unsigned seen_in, seen_out;
} talker;

static void hear(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                 wzp_time now) {
    talker *t = self;
    (void)ecn;
    (void)now;
    ck_assert_uint_le(payload.len, 5);
    ck_assert_uint_lt(t->heard_count, SAID_MAX);
    t->heard[t->heard_count++] = *path;
}

static void tick(void *self, wzp_time now) {
    talker *t = self;
    (void)now;
    if (t->loop != NULL && t->heard_count >= t->stop_at) {
        uv_stop(t->loop);
    }
}

static wzp_time deadline(const void *self) {
    const talker *t = self;
    return t->at < t->count ? 0 : WZP_TIME_NEVER;
}

/* Two datagrams, of five bytes and of two. */
static size_t say(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    talker *t = self;
    (void)now;
    ck_assert_uint_ge(cap, 1500);
    if (t->at == t->count) {
        return 0;
    }
    memset(buf, 'x', 7);
    *meta = (wzp_quic_meta){.path = t->said[t->at++], .segment = 5};
    return 7;
}

static const wzp_core_ops ops = {hear, tick, deadline, say};

static void see(void *ctx, bool is_out, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload) {
    talker *t = ctx;
    (void)ecn;
    ck_assert_uint_ne(path->local.port, 0);
    ck_assert_uint_gt(payload.len, 0);
    *(is_out ? &t->seen_out : &t->seen_in) += 1;
}

static wzp_addr by_port(uint16_t port) {
    return (wzp_addr){.family = WZP_ADDR_V4, .port = port};
}

static void add(talker *t, uint16_t local, wzp_addr to) {
    t->said[t->count++] =
        (wzp_quic_path){local != 0 ? by_port(local) : (wzp_addr){.family = WZP_ADDR_NONE}, to};
}

/* One side with more sockets, one without: to and fro by each of them, driven by a loop. */
START_TEST(each_packet_by_its_socket) {
    const wzp_addr ip = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp_pair pairs[2];
    wzp_udp_ports *ports = NULL;
    uint16_t numbers[SOCKETS];
    talker sides[2] = {{.count = 0}, {.count = 0}};
    wzp_drive drives[2];
    uv_loop_t loop;
    const wzp_udp_pair_cfg cfg = {.v4 = ip, .no_v6 = true, .plain = true};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wzp_udp_pair_open(&pairs[i], &cfg), WZP_OK);
        drives[i] = (wzp_drive){.core = {&sides[i], &ops}, .udp = pairs[i].v4};
    }
    ck_assert_int_eq(wzp_udp_ports_new(&ports, &ip), WZP_OK);
    wzp_udp_ports_set_tap(ports, see, &sides[0]);
    drives[0].ports = ports;
    ck_assert_uint_eq(wzp_udp_ports_open(ports, SOCKETS, numbers), SOCKETS);
    const wzp_addr far = wzp_udp_local(pairs[1].v4);
    add(&sides[0], 0, far);
    for (int i = 0; i < SOCKETS; i++) {
        add(&sides[0], numbers[i], far);
        add(&sides[1], 0, wzp_addr_v4(127, 0, 0, 1, numbers[i]));
    }
    sides[0].loop = &loop;
    sides[0].stop_at = (size_t)2 * SOCKETS;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wzp_drive_start(&drives[i], &loop), WZP_OK);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    unsigned from_main = 0;
    unsigned from[SOCKETS] = {0};
    unsigned to[SOCKETS] = {0};
    while (sides[1].heard_count < (size_t)2 * (1 + SOCKETS)) {
        wzp_udp_receive(pairs[1].v4, (wzp_core){&sides[1], &ops}, wzp_io_now());
    }
    for (size_t i = 0; i < sides[1].heard_count; i++) {
        const uint16_t port = sides[1].heard[i].remote.port;
        from_main += port == wzp_udp_local(pairs[0].v4).port;
        for (int k = 0; k < SOCKETS; k++) {
            from[k] += port == numbers[k];
            to[k] += i < sides[0].heard_count && sides[0].heard[i].local.port == numbers[k];
        }
    }
    ck_assert_uint_eq(from_main, 2);
    for (int k = 0; k < SOCKETS; k++) {
        ck_assert_uint_eq(from[k], 2);
        ck_assert_uint_eq(to[k], 2);
    }
    ck_assert_uint_eq(sides[0].seen_in, (size_t)2 * SOCKETS);
    ck_assert_uint_eq(sides[0].seen_out, (size_t)2 * SOCKETS);
    for (int i = 0; i < 2; i++) {
        wzp_drive_stop(&drives[i]);
        wzp_udp_pair_close(&pairs[i]);
    }
    wzp_udp_ports_free(&ports);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

static bool is_it(void *ctx, uint16_t port) {
    return port == *(const uint16_t *)ctx;
}

START_TEST(what_is_shut_is_gone) {
    const wzp_addr ip = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp_ports *ports = NULL;
    wzp_udp_ports_counters counters;
    uint16_t numbers[SOCKETS];
    talker t = {.count = 0};
    const wzp_core core = {&t, &ops};
    ck_assert_int_eq(wzp_udp_ports_new(&ports, &ip), WZP_OK);
    ck_assert_uint_eq(wzp_udp_ports_open(ports, SOCKETS, numbers), SOCKETS);
    wzp_udp_ports_shut(ports, is_it, &numbers[1]);
    ck_assert_uint_eq(wzp_udp_ports_count(ports), 1);
    wzp_quic_meta meta = {.path = {by_port(numbers[0]), wzp_addr_v4(127, 0, 0, 1, numbers[1])},
                          .segment = 5};
    const wzp_bytes five = wzp_bytes_str("xxxxx");
    ck_assert(!wzp_udp_ports_send(ports, &meta, five));
    meta.path.local.port = 0;
    ck_assert(!wzp_udp_ports_send(ports, &meta, five));
    ck_assert_uint_eq(wzp_udp_ports_receive(ports, core, 0), 0);
    meta.path.local.port = numbers[1]; /* to itself */
    ck_assert(wzp_udp_ports_send(ports, &meta, five));
    ck_assert_uint_eq(wzp_udp_ports_receive(ports, core, 0), 1);
    ck_assert_uint_eq(t.heard[0].local.port, numbers[1]);
    ck_assert_uint_eq(t.heard[0].remote.port, numbers[1]);
    meta.path.remote.port = 0; /* the system refuses that */
    ck_assert(wzp_udp_ports_send(ports, &meta, five));
    wzp_udp_ports_count_all(ports, &counters);
    ck_assert_uint_eq(counters.sent, 1);
    ck_assert_uint_eq(counters.dropped, 1);
    wzp_udp_ports_free(&ports);
    wzp_udp_ports_free(&ports);
}
END_TEST

START_TEST(no_more_than_that) {
    static uint16_t numbers[WZP_UDP_PORTS_MAX + 8];
    const wzp_addr ip = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp_ports *ports = NULL;
    wzp_udp_ports_counters counters;
    ck_assert_int_eq(wzp_udp_ports_new(&ports, &ip), WZP_OK);
    ck_assert_uint_eq(wzp_udp_ports_open(ports, WZP_COUNT_OF(numbers), numbers), WZP_UDP_PORTS_MAX);
    ck_assert_uint_eq(wzp_udp_ports_open(ports, 1, numbers), 0);
    wzp_udp_ports_count_all(ports, &counters);
    ck_assert_uint_eq(counters.opened, WZP_UDP_PORTS_MAX);
    ck_assert_uint_eq(counters.refused, 9);
    wzp_udp_ports_free(&ports);
    ck_assert_int_eq(wzp_udp_ports_new(&ports, &(wzp_addr){.family = WZP_ADDR_V6}),
                     WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("udp_ports");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_packet_by_its_socket);
    tcase_add_test(tc, what_is_shut_is_gone);
    tcase_add_test(tc, no_more_than_that);
    return wzp_run_suite("io.udp_ports", tc);
}
