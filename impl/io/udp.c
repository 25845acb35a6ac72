#include "io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { BATCH = 32, BUFFER = 65536, SOCKET_BUFFER = 4 << 20, ROUNDS = 8, RUNS = 16 };

struct wzp_udp {
    int fd;
    wzp_addr local;
    bool plain, segment;
    wzp_udp_counters counters;
    uint8_t *rx; /* BATCH buffers */
    uint8_t *tx; /* RUNS buffers */
};

typedef union any_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
} any_addr;

static socklen_t to_sockaddr(any_addr *out, const wzp_addr *addr) {
    memset(out, 0, sizeof *out);
    if (addr->family == WZP_ADDR_V6) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(addr->port);
        memcpy(&out->in6.sin6_addr, addr->ip, 16);
        return sizeof out->in6;
    }
    out->in.sin_family = AF_INET;
    out->in.sin_port = htons(addr->port);
    memcpy(&out->in.sin_addr, addr->ip, 4);
    return sizeof out->in;
}

static wzp_addr from_sockaddr(const any_addr *any) {
    wzp_addr addr = {.family = WZP_ADDR_V4};
    if (any->sa.sa_family == AF_INET6) {
        addr.family = WZP_ADDR_V6;
        addr.port = ntohs(any->in6.sin6_port);
        memcpy(addr.ip, &any->in6.sin6_addr, 16);
    } else {
        addr.port = ntohs(any->in.sin_port);
        memcpy(addr.ip, &any->in.sin_addr, 4);
    }
    return addr;
}

/* Best effort all of them: the socket works without, only slower or without MTU discovery. */
static void set_options(wzp_udp *u, bool v6) {
    const int size = SOCKET_BUFFER;
    const int on = 1;
    const int probe = IP_PMTUDISC_PROBE;
    (void)setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (v6) {
        (void)setsockopt(u->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
        (void)setsockopt(u->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
    } else {
        (void)setsockopt(u->fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
        (void)setsockopt(u->fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
    }
    if (!u->plain) {
        int segment = 0;
        socklen_t len = sizeof segment;
        u->segment = getsockopt(u->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &len) == 0;
        (void)setsockopt(u->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    }
}

wzp_err wzp_udp_open(wzp_udp **out, const wzp_addr *local, bool plain) {
    any_addr addr;
    socklen_t len = to_sockaddr(&addr, local);
    wzp_udp *u = calloc(1, sizeof *u);
    if (u == NULL) {
        return WZP_ERR_NOMEM;
    }
    u->plain = plain;
    u->fd = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd < 0 || bind(u->fd, &addr.sa, len) != 0 ||
        getsockname(u->fd, &addr.sa, &len) != 0) {
        const int why = errno;
        wzp_udp_close(&u);
        errno = why;
        return WZP_ERR_IO;
    }
    u->local = from_sockaddr(&addr);
    set_options(u, addr.sa.sa_family == AF_INET6);
    u->rx = malloc((size_t)BATCH * BUFFER);
    u->tx = malloc((size_t)RUNS * BUFFER);
    if (u->rx == NULL || u->tx == NULL) {
        wzp_udp_close(&u);
        return WZP_ERR_NOMEM;
    }
    *out = u;
    return WZP_OK;
}

void wzp_udp_close(wzp_udp **udp) {
    wzp_udp *u = *udp;
    if (u != NULL) {
        if (u->fd >= 0) {
            close(u->fd);
        }
        free(u->rx);
        free(u->tx);
        free(u);
        *udp = NULL;
    }
}

int wzp_udp_fd(const wzp_udp *u) {
    return u->fd;
}

wzp_addr wzp_udp_local(const wzp_udp *u) {
    return u->local;
}

void wzp_udp_count(const wzp_udp *u, wzp_udp_counters *out) {
    *out = u->counters;
}

/* --- receiving ---------------------------------------------------------------------------------------- */

typedef union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(int)) * 4];
} control;

static void read_control(struct msghdr *msg, uint8_t *ecn, size_t *segment) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        int value = 0;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            *ecn = *CMSG_DATA(c) & 3;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
            memcpy(&value, CMSG_DATA(c), sizeof value);
            *ecn = (uint8_t)(value & 3);
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&value, CMSG_DATA(c), sizeof value);
            *segment = value > 0 ? (size_t)value : *segment;
        }
    }
}

/* One message may hold several datagrams of equal size (UDP_GRO). */
static size_t hand_over(wzp_udp *u, wzp_core core, struct msghdr *msg, const uint8_t *data,
                        size_t len, wzp_time now) {
    size_t count = 0;
    size_t segment = len;
    uint8_t ecn = 0;
    read_control(msg, &ecn, &segment);
    const wzp_quic_path path = {u->local, from_sockaddr((const any_addr *)msg->msg_name)};
    for (size_t at = 0; at < len; at += segment) {
        const size_t n = len - at < segment ? len - at : segment;
        core.ops->recv(core.self, &path, ecn, wzp_bytes_of(data + at, n), now);
        count++;
    }
    u->counters.received += count;
    return count;
}

static size_t receive_once(wzp_udp *u, wzp_core core, wzp_time now, bool *more) {
    struct mmsghdr msgs[BATCH];
    struct iovec iov[BATCH];
    any_addr names[BATCH];
    control controls[BATCH];
    const unsigned batch = u->plain ? 1 : BATCH;
    memset(msgs, 0, sizeof msgs);
    for (unsigned i = 0; i < batch; i++) {
        iov[i] = (struct iovec){u->rx + (size_t)i * BUFFER, BUFFER};
        msgs[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                          .msg_namelen = sizeof names[i],
                                          .msg_iov = &iov[i],
                                          .msg_iovlen = 1,
                                          .msg_control = &controls[i],
                                          .msg_controllen = sizeof controls[i]};
    }
    u->counters.receive_calls++;
    const int n = recvmmsg(u->fd, msgs, batch, MSG_DONTWAIT, NULL);
    size_t count = 0;
    for (int i = 0; i < n; i++) {
        count += hand_over(u, core, &msgs[i].msg_hdr, u->rx + (size_t)i * BUFFER, msgs[i].msg_len,
                           now);
    }
    /* Errors of earlier sends (ECONNREFUSED) are reported here: look again, they are harmless. */
    *more = n == (int)batch || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    return count;
}

size_t wzp_udp_receive(wzp_udp *u, wzp_core core, wzp_time now) {
    size_t count = 0;
    bool more = true;
    for (int round = 0; round < ROUNDS && more; round++) {
        count += receive_once(u, core, now, &more);
    }
    return count;
}

/* --- sending ------------------------------------------------------------------------------------------ */

typedef struct outgoing {
    struct mmsghdr msgs[RUNS];
    struct iovec iov[RUNS];
    any_addr names[RUNS];
    control controls[RUNS];
    unsigned count;
} outgoing;

static void add_segment_size(struct msghdr *msg, control *space, uint16_t size) {
    memset(space, 0, sizeof *space);
    msg->msg_control = space;
    msg->msg_controllen = CMSG_SPACE(sizeof size);
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(c), &size, sizeof size);
}

static void add_message(outgoing *o, uint8_t *data, size_t len, const wzp_quic_meta *meta,
                        bool segmented) {
    const unsigned i = o->count++;
    struct msghdr *msg = &o->msgs[i].msg_hdr;
    o->iov[i] = (struct iovec){data, len};
    *msg = (struct msghdr){.msg_name = &o->names[i],
                           .msg_namelen = to_sockaddr(&o->names[i], &meta->path.remote),
                           .msg_iov = &o->iov[i],
                           .msg_iovlen = 1};
    if (segmented) {
        add_segment_size(msg, &o->controls[i], meta->segment);
    }
}

/* Sends all, dropping what the kernel refuses: QUIC repairs what matters. */
static void flush(wzp_udp *u, outgoing *o) {
    for (unsigned from = 0; from < o->count;) {
        u->counters.send_calls++;
        const int n = sendmmsg(u->fd, o->msgs + from, u->plain ? 1 : o->count - from, MSG_DONTWAIT);
        if (n > 0) {
            u->counters.sent += (uint64_t)n;
            from += (unsigned)n;
            continue;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
            u->counters.dropped_full += o->count - from;
            break;
        }
        u->counters.dropped_errors++;
        from++;
    }
    o->count = 0;
}

static void send_one_by_one(wzp_udp *u, outgoing *o, uint8_t *data, size_t len,
                            const wzp_quic_meta *meta) {
    for (size_t at = 0; at < len; at += meta->segment) {
        const size_t n = len - at < meta->segment ? len - at : meta->segment;
        if (o->count == RUNS) {
            flush(u, o);
        }
        add_message(o, data + at, n, meta, false);
    }
    flush(u, o); /* the buffer is used again */
}

void wzp_udp_transmit(wzp_udp *u, wzp_core core, wzp_time now) {
    outgoing o = {.count = 0};
    wzp_quic_meta meta;
    for (;;) {
        uint8_t *data = u->tx + (size_t)o.count * BUFFER;
        const size_t len = core.ops->next_packet(core.self, now, data, BUFFER, &meta);
        if (len == 0) {
            break;
        }
        if (len > meta.segment && !u->segment) {
            flush(u, &o);
            send_one_by_one(u, &o, data, len, &meta);
            continue;
        }
        add_message(&o, data, len, &meta, len > meta.segment);
        if (o.count == RUNS) {
            flush(u, &o);
        }
    }
    flush(u, &o);
}
