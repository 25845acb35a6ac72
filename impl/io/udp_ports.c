#include "io/udp_ports.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/sockaddr.h"

enum {
    DATAGRAM_MAX = 2048, /* of QUIC, and more than that nobody sends here */
    TURN = 256,          /* datagrams, then timers and owners get their turn */
    READY = 64
};

typedef struct port_socket {
    int fd;
    uint16_t port;
} port_socket;

struct wzp_udp_ports {
    int epoll;
    wzp_addr ip;
    wzp_udp_tap *tap;
    void *tap_ctx;
    wzp_udp_ports_counters counters;
    size_t count;
    port_socket sockets[WZP_UDP_PORTS_MAX];
};

/* --- opening and closing ---------------------------------------------------------------------- */

wzp_err wzp_udp_ports_new(wzp_udp_ports **out, const wzp_addr *ip) {
    if (ip->family != WZP_ADDR_V4) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_udp_ports *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->ip = *ip;
    p->ip.port = 0;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0) {
        free(p);
        return WZP_ERR_IO;
    }
    *out = p;
    return WZP_OK;
}

void wzp_udp_ports_free(wzp_udp_ports **ports) {
    wzp_udp_ports *p = *ports;
    if (p != NULL) {
        for (size_t i = 0; i < p->count; i++) {
            close(p->sockets[i].fd);
        }
        close(p->epoll);
        free(p);
        *ports = NULL;
    }
}

/* Its port; 0: it is none. */
static uint16_t bind_any(int fd, const wzp_addr *ip) {
    wzp_sockaddr at;
    socklen_t len = wzp_sockaddr_write(&at, ip, false);
    if (bind(fd, &at.any, len) != 0) {
        return 0;
    }
    len = sizeof at;
    return getsockname(fd, &at.any, &len) == 0 ? wzp_sockaddr_read(&at).port : 0;
}

static bool open_one(wzp_udp_ports *p, port_socket *out) {
    const int probe = IP_PMTUDISC_PROBE; /* QUIC finds the path's MTU */
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    *out = (port_socket){fd, bind_any(fd, &p->ip)};
    struct epoll_event ev = {.events = EPOLLIN, .data.u32 = out->port};
    if (out->port == 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
        close(fd);
        return false;
    }
    return true;
}

size_t wzp_udp_ports_open(wzp_udp_ports *p, size_t count, uint16_t *out) {
    size_t n = 0;
    while (n < count && p->count < WZP_UDP_PORTS_MAX && open_one(p, &p->sockets[p->count])) {
        out[n++] = p->sockets[p->count++].port;
    }
    p->counters.opened += n;
    p->counters.refused += count - n;
    return n;
}

void wzp_udp_ports_shut(wzp_udp_ports *p, bool (*keeps)(void *ctx, uint16_t port), void *ctx) {
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (keeps(ctx, p->sockets[i].port)) {
            p->sockets[kept++] = p->sockets[i];
        } else {
            close(p->sockets[i].fd);
        }
    }
    p->count = kept;
}

size_t wzp_udp_ports_count(const wzp_udp_ports *ports) {
    return ports->count;
}

static const port_socket *find(const wzp_udp_ports *p, uint32_t port) {
    for (size_t i = 0; i < p->count; i++) {
        if (p->sockets[i].port == port) {
            return &p->sockets[i];
        }
    }
    return NULL;
}

/* --- datagrams -------------------------------------------------------------------------------- */

int wzp_udp_ports_fd(const wzp_udp_ports *ports) {
    return ports->epoll;
}

static void show(const wzp_udp_ports *p, bool is_out, const wzp_quic_path *path, wzp_bytes what) {
    if (p->tap != NULL) {
        p->tap(p->tap_ctx, is_out, path, 0, what);
    }
}

/* False: there is nothing more. */
static bool receive_one(wzp_udp_ports *p, const port_socket *s, wzp_core core, wzp_time now) {
    uint8_t data[DATAGRAM_MAX];
    wzp_sockaddr from;
    socklen_t len = sizeof from;
    const ssize_t n = recvfrom(s->fd, data, sizeof data, MSG_TRUNC, &from.any, &len);
    if (n < 0) {
        return false; /* also what ICMP says of a datagram before: nothing hangs on it */
    }
    if ((size_t)n > sizeof data) {
        p->counters.dropped++;
        return true;
    }
    const wzp_quic_path path = {{.family = WZP_ADDR_V4, .port = s->port}, wzp_sockaddr_read(&from)};
    const wzp_bytes payload = wzp_bytes_of(data, (size_t)n);
    p->counters.received++;
    show(p, false, &path, payload);
    core.ops->recv(core.self, &path, 0, payload, now);
    return true;
}

size_t wzp_udp_ports_receive(wzp_udp_ports *p, wzp_core core, wzp_time now) {
    struct epoll_event ready[READY];
    const uint64_t before = p->counters.received;
    const int n = p->count > 0 ? epoll_wait(p->epoll, ready, READY, 0) : 0;
    for (int i = 0; i < n; i++) {
        const port_socket *s = find(p, ready[i].data.u32);
        for (int turn = 0; s != NULL && turn < TURN && receive_one(p, s, core, now); turn++) {
        }
    }
    return (size_t)(p->counters.received - before);
}

bool wzp_udp_ports_send(wzp_udp_ports *p, const wzp_quic_meta *meta, wzp_bytes run) {
    const uint16_t port = meta->path.local.port;
    const port_socket *s = port != 0 ? find(p, port) : NULL;
    wzp_sockaddr to;
    const socklen_t len = wzp_sockaddr_write(&to, &meta->path.remote, false);
    if (s == NULL) {
        return false;
    }
    for (size_t at = 0; at < run.len; at += meta->segment) {
        const size_t n = run.len - at < meta->segment ? run.len - at : meta->segment;
        if (sendto(s->fd, run.data + at, n, 0, &to.any, len) < 0) {
            p->counters.dropped++;
        } else {
            p->counters.sent++;
            show(p, true, &meta->path, wzp_bytes_of(run.data + at, n));
        }
    }
    return true;
}

void wzp_udp_ports_set_tap(wzp_udp_ports *ports, wzp_udp_tap *tap, void *ctx) {
    ports->tap = tap;
    ports->tap_ctx = ctx;
}

void wzp_udp_ports_count_all(const wzp_udp_ports *ports, wzp_udp_ports_counters *out) {
    *out = ports->counters;
}
