/* The floor: a forwarder without any protocol.  It knows from the source address who speaks, and
 * sends what it got to all others of that room with sendmmsg, up to 64 at once, whatever it had
 * read in one recvmmsg together. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/udp.h"
#include "relay_load.h"

enum { BATCH = 64, READS = 16 };

/* --- the server ------------------------------------------------------------------------------- */

typedef struct forwarder {
    int fd;
    wzp_sockaddr to[LOAD_MEMBERS_MAX];
    struct mmsghdr out[BATCH];
    struct iovec iov[BATCH];
    unsigned queued;
} forwarder;

static void flush(forwarder *f) {
    for (unsigned sent = 0; sent < f->queued;) {
        const int rv = sendmmsg(f->fd, f->out + sent, f->queued - sent, 0);
        if (rv < 0 && errno != EINTR) {
            sent++; /* lost, and seen to be lost */
        }
        sent += rv > 0 ? (unsigned)rv : 0;
    }
    f->queued = 0;
}

static void queue(forwarder *f, unsigned client, struct iovec packet) {
    if (f->queued == BATCH) {
        flush(f);
    }
    f->iov[f->queued] = packet;
    f->out[f->queued] = (struct mmsghdr){.msg_hdr = {.msg_name = &f->to[client],
                                                     .msg_namelen = sizeof(struct sockaddr_in),
                                                     .msg_iov = &f->iov[f->queued],
                                                     .msg_iovlen = 1}};
    f->queued++;
}

static _Noreturn void forward(int fd, const load *l, uint16_t port) {
    static forwarder f;
    static uint8_t data[READS][2048];
    struct mmsghdr in[READS];
    struct iovec iov[READS];
    wzp_sockaddr from[READS];
    f.fd = fd;
    for (unsigned i = 0; i < l->rooms * l->members; i++) {
        const wzp_addr addr = load_addr(i, port);
        wzp_sockaddr_write(&f.to[i], &addr, false);
    }
    for (;;) {
        for (unsigned i = 0; i < READS; i++) {
            iov[i] = (struct iovec){data[i], sizeof data[i]};
            in[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                 .msg_namelen = sizeof from[i],
                                                 .msg_iov = &iov[i],
                                                 .msg_iovlen = 1}};
        }
        const int n = recvmmsg(fd, in, READS, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            const wzp_addr source = wzp_sockaddr_read(&from[i]);
            const unsigned speaker = load_client(source.ip);
            const unsigned first = speaker / l->members * l->members;
            for (unsigned k = first; k < first + l->members && speaker < LOAD_MEMBERS_MAX; k++) {
                if (k != speaker) {
                    queue(&f, k, (struct iovec){data[i], in[i].msg_len});
                }
            }
        }
        flush(&f);
    }
}

/* --- its clients ------------------------------------------------------------------------------ */

typedef struct raw {
    contender *owner;
    wzp_udp *udp;
    wzp_addr server;
} raw;

static void raw_speak(void *self, unsigned client, const uint8_t *body, wzp_time now) {
    raw *r = self;
    size_t cap;
    const wzp_quic_meta meta = {.path = {load_addr(client, wzp_udp_local(r->udp).port), r->server},
                                .segment = LOAD_WIRE};
    uint8_t *room = wzp_udp_room(r->udp, &cap);
    (void)now;
    if (room != NULL) {
        memset(room, 0, LOAD_WIRE);
        memcpy(room, body, LOAD_HEADER + LOAD_PAYLOAD);
        wzp_udp_commit(r->udp, LOAD_WIRE, &meta);
    }
}

static void raw_turn(void *self, wzp_time now) {
    raw *r = self;
    wzp_udp_datagram dg;
    wzp_udp_flush(r->udp);
    for (int batch = 0; batch < 64 && wzp_udp_read(r->udp); batch++) {
        now = wzp_io_now();
        while (wzp_udp_next(r->udp, &dg)) {
            load_heard(r->owner, dg.payload.data, dg.payload.len, now);
        }
    }
}

static wzp_time raw_deadline(const void *self) {
    (void)self;
    return WZP_TIME_NEVER;
}

static void raw_close(void *self) {
    raw *r = self;
    wzp_udp_close(&r->udp);
    free(r);
}

contender *raw_open(const load *l) {
    static const clients_ops ops = {raw_speak, raw_turn, raw_deadline, raw_close};
    const wzp_addr any = wzp_addr_v4(0, 0, 0, 0, 0);
    const wzp_addr local = wzp_addr_v4(127, 0, 0, 1, 0);
    contender *c = calloc(1, sizeof *c);
    raw *r = calloc(1, sizeof *r);
    wzp_udp *server = NULL;
    if (c == NULL || r == NULL || wzp_udp_open(&r->udp, &any, false) != WZP_OK ||
        wzp_udp_open(&server, &local, true) != WZP_OK) {
        (void)fprintf(stderr, "bench_relay: no sockets: %s\n", wzp_io_reason(errno));
        free(c);
        free(r);
        return NULL;
    }
    r->owner = c;
    r->server = wzp_udp_local(server);
    *c = (contender){.ops = &ops, .self = r, .fd = wzp_udp_fd(r->udp)};
    c->server = load_fork();
    if (c->server == 0) {
        /* It waits in recvmmsg. */
        const int fd = dup(wzp_udp_fd(server));
        (void)fcntl(fd, F_SETFL, 0);
        forward(fd, l, wzp_udp_local(r->udp).port);
    }
    wzp_udp_close(&server);
    return c;
}
