/* One core over two sockets of loopback. */
#include "io/udp_pair.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/drive.h"
#include "io/sys.h"

/* Says what it was given to say, and keeps what it hears. */
typedef struct talker {
    wzp_addr to[8];
    size_t count, at;
    unsigned v4, v6; /* heard */
    uint16_t from_v4, from_v6;
    uv_loop_t *loop;
    unsigned stop_at;
} talker;

static void hear(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                 wzp_time now) {
    talker *t = self;
    (void)ecn;
    (void)now;
    ck_assert_uint_eq(payload.len, 5);
    t->v4 += path->remote.family == WZP_ADDR_V4;
    t->v6 += path->remote.family == WZP_ADDR_V6;
    *(path->remote.family == WZP_ADDR_V4 ? &t->from_v4 : &t->from_v6) = path->remote.port;
}

static void tick(void *self, wzp_time now) {
    talker *t = self;
    (void)now;
    if (t->loop != NULL && t->v4 + t->v6 >= t->stop_at) {
        uv_stop(t->loop);
    }
}

static wzp_time deadline(const void *self) {
    const talker *t = self;
    return t->at < t->count ? 0 : WZP_TIME_NEVER;
}

static size_t say(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    talker *t = self;
    (void)now;
    ck_assert_uint_ge(cap, 1500);
    if (t->at == t->count) {
        return 0;
    }
    memset(buf, 'x', 5);
    *meta = (wzp_quic_meta){.path = {.remote = t->to[t->at++]}, .segment = 5};
    return 5;
}

static const wzp_core_ops ops = {hear, tick, deadline, say};

static wzp_addr loopback(bool is_v6, uint16_t port) {
    wzp_addr addr = wzp_addr_v4(127, 0, 0, 1, port);
    if (is_v6) {
        addr = (wzp_addr){.family = WZP_ADDR_V6, .port = port, .ip = {[15] = 1}};
    }
    return addr;
}

static bool has_v6(void) {
    wzp_udp *udp = NULL;
    const wzp_addr local = loopback(true, 0);
    const bool has = wzp_udp_open(&udp, &local, true) == WZP_OK;
    wzp_udp_close(&udp);
    return has;
}

START_TEST(each_family_by_its_socket) {
    wzp_udp_pair pairs[2];
    talker sides[2] = {{.count = 0}, {.count = 0}};
    uv_loop_t loop;
    wzp_drive drives[2];
    if (!has_v6()) {
        return; /* said by the test below */
    }
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wzp_udp_pair_open(&pairs[i], &(wzp_udp_pair_cfg){.plain = i == 0}),
                         WZP_OK);
        ck_assert_ptr_nonnull(pairs[i].v6);
        ck_assert_int_eq(pairs[i].v6_error, 0);
        drives[i] = (wzp_drive){.core = {&sides[i], &ops}, .udp = pairs[i].v4, .udp6 = pairs[i].v6};
    }
    const uint16_t port4 = wzp_udp_pair_port(pairs[1].v4);
    const uint16_t port6 = wzp_udp_pair_port(pairs[1].v6);
    const wzp_addr to[] = {loopback(true, port6), loopback(false, port4), loopback(true, port6),
                           loopback(true, port6), loopback(false, port4)};
    memcpy(sides[0].to, to, sizeof to);
    sides[0].count = WZP_COUNT_OF(to);
    sides[1].stop_at = WZP_COUNT_OF(to);
    sides[1].loop = &loop;
    for (int i = 1; i >= 0; i--) {
        ck_assert_int_eq(wzp_drive_start(&drives[i], &loop), WZP_OK);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(sides[1].v4, 2);
    ck_assert_uint_eq(sides[1].v6, 3);
    ck_assert_uint_eq(sides[1].from_v4, wzp_udp_pair_port(pairs[0].v4));
    ck_assert_uint_eq(sides[1].from_v6, wzp_udp_pair_port(pairs[0].v6));
    for (int i = 0; i < 2; i++) {
        wzp_drive_stop(&drives[i]);
        wzp_udp_pair_close(&pairs[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

START_TEST(the_same_port_if_it_is_free) {
    wzp_udp_pair first;
    wzp_udp_pair second = {0};
    ck_assert_int_eq(wzp_udp_pair_open(&first, &(wzp_udp_pair_cfg){.plain = true}), WZP_OK);
    if (first.v6 == NULL) {
        puts("skipped: no IPv6 here");
        wzp_udp_pair_close(&first);
        return;
    }
    const uint16_t port = wzp_udp_pair_port(first.v4);
    wzp_udp_close(&first.v4); /* now the port is taken over IPv6 only */
    const wzp_udp_pair_cfg same = {
        .v4 = {.family = WZP_ADDR_V4, .port = wzp_udp_pair_port(first.v6)}, .plain = true};
    const wzp_err err = wzp_udp_pair_open(&second, &same);
    ck_assert_int_eq(err, WZP_OK);
    ck_assert_ptr_nonnull(second.v6);
    ck_assert_uint_ne(wzp_udp_pair_port(second.v6), wzp_udp_pair_port(first.v6));
    ck_assert_uint_eq(wzp_udp_pair_port(first.v6), port);
    wzp_udp_pair_close(&first);
    wzp_udp_pair_close(&second);
    wzp_udp_pair_close(&second);
    ck_assert_uint_eq(wzp_udp_pair_port(second.v4), 0);
}
END_TEST

START_TEST(without_ipv6_it_is_counted) {
    wzp_udp_pair pair;
    talker side = {.count = 2};
    wzp_udp_counters counters;
    ck_assert_int_eq(wzp_udp_pair_open(&pair, &(wzp_udp_pair_cfg){.plain = true, .no_v6 = true}),
                     WZP_OK);
    ck_assert_ptr_null(pair.v6);
    ck_assert_int_eq(pair.v6_error, 0);
    side.to[0] = loopback(true, 9);
    side.to[1] = loopback(false, wzp_udp_pair_port(pair.v4));
    ck_assert(wzp_udp_pair_transmit(pair.v4, pair.v6, NULL, (wzp_core){&side, &ops}, wzp_io_now()));
    wzp_udp_count(pair.v4, &counters);
    ck_assert_uint_eq(counters.dropped_unreachable, 1);
    ck_assert_uint_eq(counters.sent, 1);
    wzp_udp_pair_close(&pair);
}
END_TEST

START_TEST(an_address_that_is_not_ours) {
    wzp_udp_pair pair = {0};
    const wzp_udp_pair_cfg v4 = {.v4 = wzp_addr_v4(192, 0, 2, 1, 0)};
    const wzp_udp_pair_cfg v6 = {.v6 = {WZP_ADDR_V6, 0, {0x20, 1, 0x0d, 0xb8}}};
    ck_assert_int_eq(wzp_udp_pair_open(&pair, &v4), WZP_ERR_IO);
    ck_assert_int_eq(errno, EADDRNOTAVAIL);
    ck_assert_int_eq(wzp_udp_pair_open(&pair, &v6), WZP_ERR_IO);
    ck_assert_ptr_null(pair.v4);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("udp_pair");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_family_by_its_socket);
    tcase_add_test(tc, the_same_port_if_it_is_free);
    tcase_add_test(tc, without_ipv6_it_is_counted);
    tcase_add_test(tc, an_address_that_is_not_ours);
    return wzp_run_suite("io.udp_pair", tc);
}
