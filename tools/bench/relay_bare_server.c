/* The bare server in a process of its own: recvmmsg, what it says to all of it gathered for
 * sendmmsg, as the forwarder does it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "io/sys.h"
#include "io/udp.h"
#include "relay_bare.h"
#include "relay_quic.h"

enum { BATCH = 64, READS = 16, WAIT_MS = 20 };

typedef struct outbox {
    int fd;
    bare *bare;
    struct mmsghdr out[BATCH];
    struct iovec iov[BATCH];
    uint8_t data[BATCH][BARE_PACKET];
    unsigned queued;
} outbox;

static void flush(outbox *o) {
    for (unsigned sent = 0; sent < o->queued;) {
        const int rv = sendmmsg(o->fd, o->out + sent, o->queued - sent, 0);
        if (rv < 0 && errno != EINTR) {
            sent++; /* lost, and seen to be lost */
        }
        sent += rv > 0 ? (unsigned)rv : 0;
    }
    o->queued = 0;
}

static uint8_t *room(void *ctx) {
    outbox *o = ctx;
    if (o->queued == BATCH) {
        flush(o);
    }
    return o->data[o->queued];
}

static void commit(void *ctx, unsigned client, size_t len) {
    outbox *o = ctx;
    o->out[o->queued].msg_hdr.msg_name = wzp_drop_const(bare_addr(o->bare, client));
    o->iov[o->queued++].iov_len = len;
}

static void prepare(outbox *o) {
    for (unsigned i = 0; i < BATCH; i++) {
        o->iov[i].iov_base = o->data[i];
        o->out[i] = (struct mmsghdr){.msg_hdr = {.msg_namelen = sizeof(struct sockaddr_in),
                                                 .msg_iov = &o->iov[i],
                                                 .msg_iovlen = 1}};
    }
}

static int receive(int fd, struct mmsghdr in[READS], wzp_sockaddr from[READS]) {
    static uint8_t data[READS][2048];
    static struct iovec iov[READS];
    struct pollfd ready = {fd, POLLIN, 0};
    for (unsigned i = 0; i < READS; i++) {
        iov[i] = (struct iovec){data[i], sizeof data[i]};
        in[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                             .msg_namelen = sizeof from[i],
                                             .msg_iov = &iov[i],
                                             .msg_iovlen = 1}};
    }
    int n = recvmmsg(fd, in, READS, 0, NULL);
    if (n < 0 && poll(&ready, 1, WAIT_MS) > 0) {
        n = recvmmsg(fd, in, READS, 0, NULL);
    }
    return n;
}

static _Noreturn void serve(int fd, const load *l, const wzp_addr *local, uint16_t port) {
    static outbox o;
    struct mmsghdr in[READS];
    wzp_sockaddr from[READS];
    o.fd = fd;
    prepare(&o);
    o.bare = bare_new(l, local, port, (bare_sink){room, commit, &o});
    while (o.bare != NULL) {
        const int n = receive(fd, in, from);
        const wzp_time now = wzp_io_now();
        for (int i = 0; i < n; i++) {
            const unsigned client = load_client((const uint8_t *)&from[i].v4.sin_addr);
            if (client < l->rooms * l->members) {
                bare_recv(o.bare, client, in[i].msg_hdr.msg_iov->iov_base, in[i].msg_len, now);
            }
        }
        bare_tick(o.bare, now);
        flush(&o);
    }
    _exit(1);
}

contender *bare_open(const load *l) {
    const wzp_addr local = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp *server = NULL;
    contender *c = quic_clients_new(l, false);
    if (c == NULL || wzp_udp_open(&server, &local, true) != WZP_OK) {
        contender_close(&c);
        return NULL;
    }
    const wzp_addr at = wzp_udp_local(server);
    c->server = load_fork();
    if (c->server == 0) {
        serve(dup(wzp_udp_fd(server)), l, &at, quic_clients_port(c));
    }
    wzp_udp_close(&server);
    return quic_clients_join(c, &at);
}
