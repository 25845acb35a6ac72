/* Real sockets on loopback, each case with offload and without.  Refusals that loopback never shows
 * (a full socket, a device that cannot segment) come from a wrapped sendmmsg. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/testing/suite.h"
#include "io/udp.h"

/* --- a kernel that refuses -------------------------------------------------------------------- */

static struct refusal {
    int error;        /* 0: none */
    int times;        /* how often */
    bool segmented;   /* only when the first message is segmented */
    unsigned at_most; /* messages that a call takes; 0: all */
} refusal;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's option --wrap gives these names */
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);
/* NOLINTEND(bugprone-reserved-identifier) */

static bool is_segmented(const struct msghdr *message) {
    return message->msg_controllen > 0 && message->msg_iov->iov_len > 1500;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags) {
    if (refusal.times > 0 && (!refusal.segmented || is_segmented(&messages[0].msg_hdr))) {
        refusal.times--;
        errno = refusal.error;
        return -1;
    }
    if (refusal.at_most != 0 && n > refusal.at_most) {
        n = refusal.at_most;
    }
    return __real_sendmmsg(fd, messages, n, flags);
}

/* --- two sockets ------------------------------------------------------------------------------ */

typedef struct pair {
    wzp_udp *a, *b;
    wzp_udp_counters sent, received;
} pair;

static wzp_udp *open_at(const char *text, bool plain, uint32_t slot) {
    wzp_udp *udp = NULL;
    wzp_udp_cfg cfg = {.plain = plain, .slot_bytes = slot};
    ck_assert_int_eq(wzp_addr_parse(&cfg.local, text), WZP_OK);
    ck_assert_int_eq(wzp_udp_new(&udp, &cfg), WZP_OK);
    return udp;
}

static pair open_pair(const char *a, const char *b, bool plain) {
    refusal = (struct refusal){0};
    return (pair){.a = open_at(a, plain, 0), .b = open_at(b, plain, 0)};
}

static void close_pair(pair *p) {
    wzp_udp_close(&p->a);
    wzp_udp_close(&p->b);
    ck_assert_ptr_null(p->a);
}

static void count(pair *p) {
    wzp_udp_count(p->a, &p->sent);
    wzp_udp_count(p->b, &p->received);
}

static wzp_addr with_port_of(const char *text, const wzp_udp *udp) {
    wzp_addr addr;
    ck_assert_int_eq(wzp_addr_parse(&addr, text), WZP_OK);
    addr.port = wzp_udp_local(udp).port;
    return addr;
}

/* Queues `len` bytes 0, 1, 2 ... in packets of `segment`. */
static void queue(wzp_udp *udp, wzp_addr to, uint8_t ecn, size_t len, uint16_t segment) {
    size_t cap;
    uint8_t *room = wzp_udp_room(udp, &cap);
    ck_assert_ptr_nonnull(room);
    ck_assert_uint_ge(cap, len);
    for (size_t i = 0; i < len; i++) {
        room[i] = (uint8_t)(i * 7 + i / 251);
    }
    const wzp_quic_meta meta = {.path = {.remote = to}, .ecn = ecn, .segment = segment};
    wzp_udp_commit(udp, len, &meta);
}

static bool wait_readable(const wzp_udp *udp) {
    struct pollfd fd = {.fd = wzp_udp_fd(udp), .events = POLLIN};
    return poll(&fd, 1, 1000) > 0;
}

/* The next datagram, waiting a second for it. */
static wzp_udp_datagram receive(wzp_udp *udp) {
    wzp_udp_datagram dg;
    while (!wzp_udp_next(udp, &dg)) {
        ck_assert_msg(wait_readable(udp), "nothing came");
        wzp_udp_read(udp);
    }
    return dg;
}

static void expect_run(wzp_udp *udp, size_t len, uint16_t segment) {
    for (size_t at = 0; at < len;) {
        uint8_t want[1500];
        const wzp_udp_datagram dg = receive(udp);
        const size_t n = len - at < segment ? len - at : segment;
        for (size_t i = 0; i < n; i++, at++) {
            want[i] = (uint8_t)(at * 7 + at / 251);
        }
        ck_assert_uint_eq(dg.payload.len, n);
        ck_assert_mem_eq(dg.payload.data, want, n);
    }
}

static void expect_nothing(wzp_udp *udp) {
    wzp_udp_datagram dg;
    ck_assert(!wzp_udp_next(udp, &dg));
    ck_assert(!wzp_udp_read(udp));
    ck_assert(!wzp_udp_next(udp, &dg));
}

/* --- moving bytes ----------------------------------------------------------------------------- */

static const struct move_case {
    const char *name, *a, *b, *to;
    bool plain;
} move_cases[] = {
    {"IPv4", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:1", false},
    {"IPv4, plain", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:1", true},
    {"IPv4 wildcards", "0.0.0.0:0", "0.0.0.0:0", "127.0.0.5:1", false},
    {"IPv6", "[::1]:0", "[::1]:0", "[::1]:1", false},
    {"IPv6, plain", "[::1]:0", "[::1]:0", "[::1]:1", true},
    {"IPv6 wildcards", "[::]:0", "[::]:0", "[::1]:1", false},
    {"IPv4 to dual stack", "127.0.0.1:0", "[::]:0", "127.0.0.1:1", false},
    {"IPv4 to dual stack, plain", "127.0.0.1:0", "[::]:0", "127.0.0.1:1", true},
    {"dual stack to IPv4", "[::]:0", "127.0.0.1:0", "127.0.0.1:1", false},
    {"dual stack to dual stack over IPv4", "[::]:0", "[::]:0", "127.0.0.7:1", false},
};

/* Containers often have no IPv6. */
static bool is_possible(const struct move_case *c) {
    wzp_udp *udp = NULL;
    const wzp_udp_cfg cfg = {.local = {.family = WZP_ADDR_V6}};
    if (c->a[0] != '[' && c->b[0] != '[') {
        return true;
    }
    const bool opened = wzp_udp_new(&udp, &cfg) == WZP_OK;
    wzp_udp_close(&udp);
    return opened;
}

START_TEST(runs_arrive_whole_and_in_order) {
    const struct move_case *c = &move_cases[_i];
    if (!is_possible(c)) {
        return;
    }
    pair p = open_pair(c->a, c->b, c->plain);
    const wzp_addr to = with_port_of(c->to, p.b);
    queue(p.a, to, 0, 20 * 1200 + 300, 1200);
    queue(p.a, to, 0, 50, 50);
    queue(p.a, to, 0, (size_t)3 * 1452, 1452);
    ck_assert_msg(wzp_udp_flush(p.a), "%s", c->name);
    expect_run(p.b, 20 * 1200 + 300, 1200);
    expect_run(p.b, 50, 50);
    expect_run(p.b, (size_t)3 * 1452, 1452);
    expect_nothing(p.b);
    count(&p);
    ck_assert_uint_eq(p.sent.sent, 25);
    ck_assert_uint_eq(p.sent.send_calls, 1);
    ck_assert_uint_eq(p.received.received, 25);
    ck_assert_uint_eq(p.received.received_bytes, p.sent.sent_bytes);
    const wzp_udp_features f = wzp_udp_describe(p.a);
    ck_assert_uint_eq(p.sent.sent_segmented, f.segment ? 24 : 0);
    ck_assert(!(c->plain && (f.segment || f.gro)));
    close_pair(&p);
}
END_TEST

START_TEST(paths_name_both_ends_and_answers_leave_from_the_asked_address) {
    const struct move_case *c = &move_cases[_i];
    if (!is_possible(c)) {
        return;
    }
    pair p = open_pair(c->a, c->b, c->plain);
    const wzp_addr to = with_port_of(c->to, p.b);
    queue(p.a, to, 0, 100, 100);
    ck_assert(wzp_udp_flush(p.a));
    const wzp_udp_datagram dg = receive(p.b);
    char text[WZP_ADDR_TEXT_MAX];
    ck_assert_msg(wzp_addr_equal(&dg.path.local, &to), "%s: local %s", c->name,
                  wzp_addr_text(&dg.path.local, text));
    ck_assert_uint_eq(dg.path.remote.family, to.family);
    ck_assert_uint_eq(dg.path.remote.port, wzp_udp_local(p.a).port);

    size_t cap;
    memcpy(wzp_udp_room(p.b, &cap), "answer", 6);
    wzp_udp_commit(p.b, 6, &(wzp_quic_meta){.path = dg.path, .segment = 6});
    ck_assert(wzp_udp_flush(p.b));
    const wzp_udp_datagram answer = receive(p.a);
    ck_assert_uint_eq(answer.payload.len, 6);
    ck_assert_msg(wzp_addr_equal(&answer.path.remote, &to), "%s: answered from %s", c->name,
                  wzp_addr_text(&answer.path.remote, text));
    close_pair(&p);
}
END_TEST

START_TEST(ecn_is_carried) {
    const struct move_case *c = &move_cases[_i];
    if (!is_possible(c)) {
        return;
    }
    pair p = open_pair(c->a, c->b, c->plain);
    const wzp_addr to = with_port_of(c->to, p.b);
    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        queue(p.a, to, ecn, 2400, 1200);
    }
    ck_assert(wzp_udp_flush(p.a));
    for (int i = 0; i < 8; i++) {
        const wzp_udp_datagram dg = receive(p.b);
        ck_assert_msg(dg.ecn == i / 2, "%s: %d of packet %d", c->name, dg.ecn, i);
    }
    close_pair(&p);
}
END_TEST

START_TEST(more_than_the_queue_holds_goes_out_in_several_calls) {
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", _i == 1);
    const wzp_addr to = wzp_udp_local(p.b);
    for (int i = 0; i < 150; i++) {
        queue(p.a, to, 0, (size_t)5 * 1200, 1200);
        if (i % 10 == 9) {
            wzp_udp_flush(p.a);
            for (int k = 0; k < 10; k++) {
                expect_run(p.b, (size_t)5 * 1200, 1200);
            }
        }
    }
    for (int i = 0; i < 100; i++) {
        queue(p.a, to, 0, 40, 40);
    }
    wzp_udp_flush(p.a);
    for (int i = 0; i < 100; i++) {
        expect_run(p.b, 40, 40);
    }
    close_pair(&p);
}
END_TEST

START_TEST(environment_forces_plain_sockets) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    setenv(WZP_UDP_PLAIN_ENV, "1", 1);
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", false);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    unsetenv(WZP_UDP_PLAIN_ENV);
    const wzp_udp_features f = wzp_udp_describe(p.a);
    ck_assert(!f.segment && !f.gro);
    ck_assert(f.receive_buffer > 0 && f.send_buffer > 0);
    close_pair(&p);
}
END_TEST

START_TEST(kernel_buffers_that_are_refused_are_reported) {
    wzp_udp *udp = NULL;
    const wzp_udp_cfg cfg = {.local = wzp_addr_v4(127, 0, 0, 1, 0), .buffer_bytes = 1U << 30};
    ck_assert_int_eq(wzp_udp_new(&udp, &cfg), WZP_OK);
    const wzp_udp_features f = wzp_udp_describe(udp);
    ck_assert_int_eq(f.receive_clamped, f.receive_buffer < cfg.buffer_bytes);
    ck_assert_int_eq(f.send_clamped, f.send_buffer < cfg.buffer_bytes);
    wzp_udp_close(&udp);
}
END_TEST

/* --- losses ----------------------------------------------------------------------------------- */

START_TEST(longer_than_a_slot_is_dropped_and_counted) {
    wzp_udp *a = open_at("127.0.0.1:0", false, 0);
    wzp_udp *b = open_at("127.0.0.1:0", false, 1500);
    queue(a, wzp_udp_local(b), 0, 1501, 1501);
    queue(a, wzp_udp_local(b), 0, 1500, 1500);
    ck_assert(wzp_udp_flush(a));
    expect_run(b, 1500, 1500);
    expect_nothing(b);
    wzp_udp_counters c;
    wzp_udp_count(b, &c);
    ck_assert_uint_eq(c.dropped_truncated, 1);
    ck_assert_uint_eq(c.received, 1);
    wzp_udp_close(&a);
    wzp_udp_close(&b);
}
END_TEST

START_TEST(what_the_path_refuses_does_not_hold_up_the_rest) {
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", _i == 1);
    const wzp_addr to = wzp_udp_local(p.b);
    const wzp_addr v6 = with_port_of("[::1]:1", p.b);
    const wzp_addr nowhere = {.family = WZP_ADDR_NONE};
    queue(p.a, to, 0, 1000, 500);
    queue(p.a, to, 0, 65535, 65535); /* more than an IPv4 packet holds */
    queue(p.a, v6, 0, 1000, 500);
    queue(p.a, nowhere, 0, 10, 10);
    queue(p.a, to, 0, 700, 700);
    ck_assert(wzp_udp_flush(p.a));
    expect_run(p.b, 1000, 500);
    expect_run(p.b, 700, 700);
    expect_nothing(p.b);
    count(&p);
    ck_assert_uint_eq(p.sent.dropped_too_big, 1);
    ck_assert_uint_eq(p.sent.dropped_unreachable, 3);
    ck_assert_uint_eq(p.sent.sent, 3);
    close_pair(&p);
}
END_TEST

START_TEST(a_refused_port_leaves_the_socket_usable) {
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", _i == 1);
    wzp_udp *gone = open_at("127.0.0.1:0", true, 0);
    const wzp_addr closed = wzp_udp_local(gone);
    wzp_udp_close(&gone);
    for (int i = 0; i < 3; i++) {
        queue(p.a, closed, 0, 3000, 1000);
        ck_assert(wzp_udp_flush(p.a));
        expect_nothing(p.a);
    }
    queue(p.a, wzp_udp_local(p.b), 0, 100, 100);
    ck_assert(wzp_udp_flush(p.a));
    expect_run(p.b, 100, 100);
    close_pair(&p);
}
END_TEST

START_TEST(drops_of_the_kernel_are_counted) {
    wzp_udp *a = open_at("127.0.0.1:0", true, 0);
    wzp_udp *b = NULL;
    const wzp_udp_cfg small = {.local = wzp_addr_v4(127, 0, 0, 1, 0), .buffer_bytes = 4096};
    ck_assert_int_eq(wzp_udp_new(&b, &small), WZP_OK);
    for (int i = 0; i < 60; i++) {
        queue(a, wzp_udp_local(b), 0, 1000, 1000);
    }
    ck_assert(wzp_udp_flush(a));
    wzp_udp_datagram dg;
    for (int i = 0; i < 4; i++) { /* the count comes with the datagrams after the gap */
        while (wzp_udp_read(b)) {
            while (wzp_udp_next(b, &dg)) {
            }
        }
        queue(a, wzp_udp_local(b), 0, 1000, 1000);
        ck_assert(wzp_udp_flush(a));
    }
    wzp_udp_read(b);
    while (wzp_udp_next(b, &dg)) {
    }
    wzp_udp_counters c;
    wzp_udp_count(b, &c);
    ck_assert_uint_gt(c.dropped_kernel, 0);
    ck_assert_uint_eq(c.dropped_kernel + c.received, 64);
    wzp_udp_close(&a);
    wzp_udp_close(&b);
}
END_TEST

static const struct refusal_case {
    const char *name;
    struct refusal refusal;
    bool stops_segmenting;
    unsigned lost; /* datagrams of the 11 */
} refusal_cases[] = {
    {"device cannot segment", {EIO, 1, true, 0}, true, 0},
    {"segments larger than the path", {EINVAL, 1, true, 0}, false, 0},
    {"the same as newer kernels say it", {EMSGSIZE, 1, true, 0}, false, 0},
    {"interrupted", {EINTR, 3, false, 0}, false, 0},
    {"one message at a time", {0, 0, false, 1}, false, 0},
    {"firewall", {EPERM, 1, false, 0}, false, 10},
    {"no route", {ENETUNREACH, 1, false, 0}, false, 10},
    {"no memory", {ENOBUFS, 1, false, 0}, false, 10},
};

START_TEST(refusals_cost_at_most_their_message) {
    const struct refusal_case *c = &refusal_cases[_i];
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", false);
    if (!wzp_udp_describe(p.a).segment) {
        close_pair(&p);
        return;
    }
    refusal = c->refusal;
    queue(p.a, wzp_udp_local(p.b), 0, 10000, 1000);
    queue(p.a, wzp_udp_local(p.b), 0, 20, 20);
    ck_assert_msg(wzp_udp_flush(p.a), "%s", c->name);
    if (c->lost == 0) {
        expect_run(p.b, 10000, 1000);
    }
    expect_run(p.b, 20, 20);
    expect_nothing(p.b);
    count(&p);
    const uint64_t dropped =
        p.sent.dropped_denied + p.sent.dropped_unreachable + p.sent.dropped_other;
    ck_assert_msg(dropped == c->lost, "%s: %d lost", c->name, (int)dropped);
    ck_assert_uint_eq(p.sent.dropped_too_big, 0);
    ck_assert_uint_eq(p.sent.sent, 11 - c->lost);
    ck_assert_int_eq(wzp_udp_describe(p.a).segment, !c->stops_segmenting);
    close_pair(&p);
}
END_TEST

START_TEST(a_full_socket_keeps_the_batch_and_refuses_more) {
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", _i == 1);
    size_t cap;
    queue(p.a, wzp_udp_local(p.b), 0, 10000, 1000);
    queue(p.a, wzp_udp_local(p.b), 0, 500, 500);
    refusal = (struct refusal){EAGAIN, 2, false, 0};
    ck_assert(!wzp_udp_flush(p.a));
    ck_assert_ptr_null(wzp_udp_room(p.a, &cap));
    ck_assert(!wzp_udp_flush(p.a));
    expect_nothing(p.b);
    ck_assert(wzp_udp_flush(p.a));
    expect_run(p.b, 10000, 1000);
    expect_run(p.b, 500, 500);
    expect_nothing(p.b);
    ck_assert_ptr_nonnull(wzp_udp_room(p.a, &cap));
    count(&p);
    ck_assert_uint_eq(p.sent.send_blocked, 2);
    close_pair(&p);
}
END_TEST

/* --- opening ---------------------------------------------------------------------------------- */

START_TEST(a_port_in_use_is_an_error_with_its_cause) {
    wzp_udp *a = open_at("127.0.0.1:0", false, 0);
    wzp_udp *b = NULL;
    const wzp_addr same = wzp_udp_local(a);
    errno = 0;
    ck_assert_int_eq(wzp_udp_open(&b, &same, false), WZP_ERR_IO);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_ptr_null(b);
    wzp_udp_close(&a);
}
END_TEST

typedef struct tapped {
    size_t count[2]; /* in, out */
    size_t bytes[2];
    wzp_quic_path last[2];
    uint8_t first_byte; /* of the last one out */
} tapped;

static void on_tap(void *ctx, bool is_out, const wzp_quic_path *path, uint8_t ecn,
                   wzp_bytes payload) {
    tapped *t = ctx;
    (void)ecn;
    t->count[is_out ? 1 : 0]++;
    t->bytes[is_out ? 1 : 0] += payload.len;
    t->last[is_out ? 1 : 0] = *path;
    t->first_byte = is_out ? payload.data[0] : t->first_byte;
}

/* Once each, as datagrams, and only what the system took. */
START_TEST(a_tap_sees_what_comes_and_what_leaves) {
    tapped t = {0};
    pair p = open_pair("127.0.0.1:0", "127.0.0.1:0", _i == 1);
    const wzp_addr to = wzp_udp_local(p.b);
    wzp_udp_set_tap(p.a, on_tap, &t);
    wzp_udp_set_tap(p.b, on_tap, &t);
    queue(p.a, to, 0, 20 * 1200 + 300, 1200);
    refusal = (struct refusal){.error = EAGAIN, .times = 1};
    ck_assert(!wzp_udp_flush(p.a));
    ck_assert_uint_eq(t.count[1], 0);
    ck_assert(wzp_udp_flush(p.a));
    ck_assert_uint_eq(t.count[1], 21);
    ck_assert_uint_eq(t.bytes[1], 20 * 1200 + 300);
    ck_assert_uint_eq(t.first_byte, (uint8_t)(24000 * 7 + 24000 / 251));
    expect_run(p.b, 20 * 1200 + 300, 1200);
    ck_assert_uint_eq(t.count[0], 21);
    ck_assert_uint_eq(t.bytes[0], 20 * 1200 + 300);
    ck_assert(wzp_addr_equal(&t.last[0].local, &to) && wzp_addr_equal(&t.last[1].remote, &to));
    const wzp_addr from = wzp_udp_local(p.a);
    ck_assert(wzp_addr_equal(&t.last[1].local, &from));
    queue(p.a, to, 0, 100, 100);
    refusal = (struct refusal){.error = EPERM, .times = 1};
    ck_assert(wzp_udp_flush(p.a));
    ck_assert_uint_eq(t.count[1], 21);
    wzp_udp_set_tap(p.a, NULL, NULL);
    queue(p.a, to, 0, 100, 100);
    ck_assert(wzp_udp_flush(p.a));
    ck_assert_uint_eq(t.count[1], 21);
    close_pair(&p);
}
END_TEST

START_TEST(impossible_configurations_are_refused) {
    wzp_udp *udp = NULL;
    const wzp_udp_cfg none = {.local = {.family = WZP_ADDR_NONE}};
    const wzp_udp_cfg tiny = {.local = wzp_addr_v4(127, 0, 0, 1, 0), .slot_bytes = 100};
    ck_assert_int_eq(wzp_udp_new(&udp, &none), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_udp_new(&udp, &tiny), WZP_ERR_INVALID_ARGUMENT);
    const wzp_addr foreign = wzp_addr_v4(192, 0, 2, 1, 0);
    ck_assert_int_eq(wzp_udp_open(&udp, &foreign, false), WZP_ERR_IO);
    ck_assert_int_eq(errno, EADDRNOTAVAIL);
    ck_assert_ptr_null(udp);
    wzp_udp_close(&udp);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    const int moves = WZP_COUNT_OF(move_cases);
    tcase_add_loop_test(tc, runs_arrive_whole_and_in_order, 0, moves);
    tcase_add_loop_test(tc, paths_name_both_ends_and_answers_leave_from_the_asked_address, 0,
                        moves);
    tcase_add_loop_test(tc, ecn_is_carried, 0, moves);
    tcase_add_loop_test(tc, more_than_the_queue_holds_goes_out_in_several_calls, 0, 2);
    tcase_add_test(tc, environment_forces_plain_sockets);
    tcase_add_test(tc, kernel_buffers_that_are_refused_are_reported);
    tcase_add_test(tc, longer_than_a_slot_is_dropped_and_counted);
    tcase_add_loop_test(tc, what_the_path_refuses_does_not_hold_up_the_rest, 0, 2);
    tcase_add_loop_test(tc, a_refused_port_leaves_the_socket_usable, 0, 2);
    tcase_add_test(tc, drops_of_the_kernel_are_counted);
    tcase_add_loop_test(tc, refusals_cost_at_most_their_message, 0, WZP_COUNT_OF(refusal_cases));
    tcase_add_loop_test(tc, a_full_socket_keeps_the_batch_and_refuses_more, 0, 2);
    tcase_add_test(tc, a_port_in_use_is_an_error_with_its_cause);
    tcase_add_loop_test(tc, a_tap_sees_what_comes_and_what_leaves, 0, 2);
    tcase_add_test(tc, impossible_configurations_are_refused);
    return wzp_run_suite("udp", tc);
}
