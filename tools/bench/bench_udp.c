/* Sending on loopback: one small packet to each of many peers, as fan-out does, and runs to one
 * peer; beside them the bare sendmmsg that a forwarder without any protocol would call. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/udp.h"

enum { PEERS = 64, PACKET = 165, TURNS = 20, ROUNDS = 31, RUN = 16, LONG_PACKET = 1200 };

typedef struct udp_ctx {
    wzp_udp *from, *plain, *to;
    wzp_addr target;
    uint8_t packet[LONG_PACKET];
    struct mmsghdr messages[PEERS];
    struct iovec iov[PEERS];
    wzp_sockaddr names[PEERS];
} udp_ctx;

/* What nobody reads would fill the receiver's buffer, and drops are cheaper than deliveries. */
static void empty(void *ctx) {
    udp_ctx *c = ctx;
    wzp_udp_datagram dg;
    while (wzp_udp_read(c->to)) {
        while (wzp_udp_next(c->to, &dg)) {
        }
    }
}

static void prepare_bare(udp_ctx *c, size_t len) {
    for (size_t i = 0; i < PEERS; i++) {
        c->iov[i] = (struct iovec){c->packet, len};
        c->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &c->names[i], .msg_iov = &c->iov[i], .msg_iovlen = 1};
        c->messages[i].msg_hdr.msg_namelen = wzp_sockaddr_write(&c->names[i], &c->target, false);
    }
}

static void send_bare(udp_ctx *c, unsigned n) {
    const int fd = wzp_udp_fd(c->from);
    for (unsigned sent = 0; sent < n;) {
        const int rv = sendmmsg(fd, c->messages + sent, n - sent, 0);
        if (rv < 0 && errno != EINTR) {
            return;
        }
        sent += rv > 0 ? (unsigned)rv : 0;
    }
}

static void bare_fan_out(void *ctx) {
    udp_ctx *c = ctx;
    prepare_bare(c, PACKET);
    for (int turn = 0; turn < TURNS; turn++) {
        send_bare(c, PEERS);
    }
}

static void fan_out(void *ctx) {
    udp_ctx *c = ctx;
    const wzp_quic_meta meta = {.path = {.remote = c->target}, .segment = PACKET};
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < PEERS; i++) {
            size_t cap;
            memcpy(wzp_udp_room(c->from, &cap), c->packet, PACKET);
            wzp_udp_commit(c->from, PACKET, &meta);
        }
        wzp_udp_flush(c->from);
    }
}

static void bare_runs(void *ctx) {
    udp_ctx *c = ctx;
    prepare_bare(c, LONG_PACKET);
    for (int turn = 0; turn < TURNS; turn++) {
        send_bare(c, RUN);
    }
}

static void send_runs(udp_ctx *c, wzp_udp *udp) {
    const wzp_quic_meta meta = {.path = {.remote = c->target}, .segment = LONG_PACKET};
    for (int turn = 0; turn < TURNS; turn++) {
        size_t cap;
        uint8_t *room = wzp_udp_room(udp, &cap);
        for (size_t i = 0; i < RUN; i++) {
            memcpy(room + i * LONG_PACKET, c->packet, LONG_PACKET);
        }
        wzp_udp_commit(udp, (size_t)RUN * LONG_PACKET, &meta);
        wzp_udp_flush(udp);
    }
}

static void runs(void *ctx) {
    udp_ctx *c = ctx;
    send_runs(c, c->from);
}

static void plain_runs(void *ctx) {
    udp_ctx *c = ctx;
    send_runs(c, c->plain);
}

int main(void) {
    static udp_ctx c;
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    if (wzp_udp_open(&c.from, &any, false) != WZP_OK ||
        wzp_udp_open(&c.plain, &any, true) != WZP_OK ||
        wzp_udp_open(&c.to, &any, false) != WZP_OK) {
        (void)fprintf(stderr, "bench_udp: no sockets: %s\n", wzp_io_reason(errno));
        return 1;
    }
    c.target = wzp_udp_local(c.to);
    bench benches[] = {
        {.name = "bare sendmmsg, 165 B to 64 peers",
         .run = bare_fan_out,
         .prepare = empty,
         .ctx = &c,
         .count = (size_t)PEERS * TURNS},
        {.name = "batched send, 165 B to 64 peers",
         .run = fan_out,
         .prepare = empty,
         .ctx = &c,
         .count = (size_t)PEERS * TURNS},
        {.name = "bare sendmmsg, 16 x 1200 B to one",
         .run = bare_runs,
         .prepare = empty,
         .ctx = &c,
         .count = (size_t)RUN * TURNS},
        {.name = "run of 16 x 1200 B, plain",
         .run = plain_runs,
         .prepare = empty,
         .ctx = &c,
         .count = (size_t)RUN * TURNS},
        {.name = "run of 16 x 1200 B, UDP_SEGMENT",
         .run = runs,
         .prepare = empty,
         .ctx = &c,
         .count = (size_t)RUN * TURNS},
    };
    bench_all(benches, 5, ROUNDS);
    bench_report(&benches[0], ROUNDS, NULL, 0);
    bench_report(&benches[1], ROUNDS, &benches[0], 0);
    bench_report(&benches[2], ROUNDS, NULL, 0);
    bench_report(&benches[3], ROUNDS, &benches[2], 0);
    bench_report(&benches[4], ROUNDS, &benches[2], 0);
    wzp_udp_close(&c.from);
    wzp_udp_close(&c.plain);
    wzp_udp_close(&c.to);
    return 0;
}
