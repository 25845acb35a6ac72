/* Streams and searches on sockets of this machine.  Nothing is heard or said beyond the loopback
 * interface. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/engine/web.h"
#include "io/sockaddr.h"

enum { SSDP_PORT = 1900, BACKLOG = 16 };

#define STREAM_LIFE (10 * WZP_S) /* of one that asks nothing, or does not listen */

typedef struct stream {
    int fd; /* -1: free */
    size_t place;
    wzp_time ends_at;
    size_t asked_len, said_len, said_at;
    uint8_t asked[WZP_CT_WEB_ASKED_MAX], said[WZP_CT_WEB_SAID_MAX];
} stream;

struct wzp_ct_sockets {
    wzp_ct_web web;
    int group;
    int answers[WZP_CT_WEB_PLACES], listeners[WZP_CT_WEB_PLACES];
    stream streams[WZP_CT_STREAMS];
};

/* --- sockets ---------------------------------------------------------------------------------- */

static int open_socket(int kind) {
    const int on = 1;
    const int fd = socket(AF_INET, kind, 0);
    if (fd >= 0 && (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int bound(int kind, const wzp_addr *addr) {
    wzp_sockaddr at;
    const socklen_t len = wzp_sockaddr_write(&at, addr, false);
    const int fd = open_socket(kind);
    if (fd >= 0 && bind(fd, &at.any, len) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* One that hears what is said to the group by those who say it on the loopback interface. */
static int join(void) {
    const wzp_addr group = wzp_addr_v4(239, 255, 255, 250, SSDP_PORT);
    const struct ip_mreq where = {.imr_multiaddr.s_addr = htonl(0xeffffffa),
                                  .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = bound(SOCK_DGRAM, &group);
    bool ok = fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where) == 0;
#ifdef IP_MULTICAST_ALL
    const int others = 0; /* groups that somebody else joins elsewhere */
    ok = ok && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &others, sizeof others) == 0;
#endif
    if (!ok && fd >= 0) {
        (void)close(fd);
    }
    return ok ? fd : -1;
}

/* Answers come from the port that searches go to, if nobody has it. */
static int open_answers(const wzp_addr *place) {
    wzp_addr at = *place;
    at.port = SSDP_PORT;
    const int fd = bound(SOCK_DGRAM, &at);
    at.port = 0;
    return fd >= 0 ? fd : bound(SOCK_DGRAM, &at);
}

static int open_listener(wzp_addr *place) {
    wzp_sockaddr at;
    socklen_t len = sizeof at;
    wzp_addr any = *place;
    any.port = 0;
    const int fd = bound(SOCK_STREAM, &any);
    if (fd >= 0 && (listen(fd, BACKLOG) != 0 || getsockname(fd, &at.any, &len) != 0)) {
        (void)close(fd);
        return -1;
    }
    if (fd >= 0) {
        *place = wzp_sockaddr_read(&at);
    }
    return fd;
}

static void shut(int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

wzp_ct_sockets *wzp_ct_sockets_new(wzp_ct_web web, wzp_addr *places) {
    wzp_ct_sockets *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->web = web;
    s->group = join();
    bool ok = s->group >= 0;
    for (size_t i = 0; i < WZP_CT_WEB_PLACES; i++) {
        s->answers[i] = open_answers(&places[i]);
        s->listeners[i] = open_listener(&places[i]);
        ok = ok && s->answers[i] >= 0 && s->listeners[i] >= 0;
    }
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        s->streams[i].fd = -1;
    }
    if (!ok) {
        wzp_ct_sockets_free(&s);
    }
    return s;
}

void wzp_ct_sockets_free(wzp_ct_sockets **sockets) {
    wzp_ct_sockets *s = *sockets;
    if (s == NULL) {
        return;
    }
    shut(&s->group);
    for (size_t i = 0; i < WZP_CT_WEB_PLACES; i++) {
        shut(&s->answers[i]);
        shut(&s->listeners[i]);
    }
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        shut(&s->streams[i].fd);
    }
    free(s);
    *sockets = NULL;
}

const void *wzp_ct_sockets_self(const wzp_ct_sockets *s) {
    return s->web.self;
}

/* --- searches --------------------------------------------------------------------------------- */

static void hear(wzp_ct_sockets *s, wzp_time now) {
    uint8_t buf[2048];
    wzp_sockaddr from;
    socklen_t len = sizeof from;
    ssize_t n = 0;
    while ((n = recvfrom(s->group, buf, sizeof buf, 0, &from.any, &len)) >= 0) {
        const wzp_addr addr = wzp_sockaddr_read(&from);
        s->web.ops->heard(s->web.self, &addr, wzp_bytes_of(buf, (size_t)n), now);
        len = sizeof from;
    }
}

/* What is lost on a loopback interface nobody listens to. */
static void answer(const wzp_ct_sockets *s, wzp_time now) {
    wzp_ct_web_answer out;
    while (s->web.ops->next(s->web.self, now, &out)) {
        wzp_sockaddr to;
        const socklen_t len = wzp_sockaddr_write(&to, &out.to, false);
        (void)sendto(s->answers[out.place], out.bytes, out.len, 0, &to.any, len);
    }
}

/* --- streams ---------------------------------------------------------------------------------- */

/* The one that is free, or has been there longest. */
static stream *free_stream(wzp_ct_sockets *s) {
    stream *oldest = &s->streams[0];
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        stream *st = &s->streams[i];
        if (st->fd < 0) {
            return st;
        }
        oldest = st->ends_at < oldest->ends_at ? st : oldest;
    }
    shut(&oldest->fd);
    return oldest;
}

static void admit(wzp_ct_sockets *s, size_t place, wzp_time now) {
    int fd = -1;
    while ((fd = accept(s->listeners[place], NULL, NULL)) >= 0) {
        if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            (void)close(fd);
            continue;
        }
        stream *st = free_stream(s);
        st->fd = fd;
        st->place = place;
        st->ends_at = now + STREAM_LIFE;
        st->asked_len = st->said_len = st->said_at = 0;
    }
}

static bool would_block(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Who still sends when we close is told so, and may lose our answer: it is ended in one direction,
 * and then we wait for the other's end. */
static void speak(stream *st) {
    while (st->said_at < st->said_len) {
        const ssize_t n =
            send(st->fd, st->said + st->said_at, st->said_len - st->said_at, MSG_NOSIGNAL);
        if (n < 0) {
            if (!would_block()) {
                shut(&st->fd);
            }
            return;
        }
        st->said_at += (size_t)n;
    }
    (void)shutdown(st->fd, SHUT_WR);
}

static void ask(wzp_ct_sockets *s, stream *st, wzp_time now) {
    st->said_len = s->web.ops->asked(s->web.self, st->place, wzp_bytes_of(st->asked, st->asked_len),
                                     st->said, sizeof st->said, now);
    if (st->said_len > 0) {
        speak(st);
    } else if (st->asked_len == sizeof st->asked) {
        shut(&st->fd);
    }
}

/* What comes after a question is thrown away. */
static void listen_to(wzp_ct_sockets *s, stream *st, wzp_time now) {
    uint8_t rest[512];
    for (;;) {
        const bool is_answered = st->said_len > 0;
        uint8_t *at = is_answered ? rest : st->asked + st->asked_len;
        const size_t room = is_answered ? sizeof rest : sizeof st->asked - st->asked_len;
        const ssize_t n = recv(st->fd, at, room, 0);
        if (n == 0 || (n < 0 && !would_block())) {
            shut(&st->fd);
        }
        if (n <= 0) {
            return;
        }
        if (!is_answered) {
            st->asked_len += (size_t)n;
            ask(s, st, now);
        }
        if (st->fd < 0) {
            return;
        }
    }
}

/* --- the world's turn ------------------------------------------------------------------------- */

void wzp_ct_sockets_poll(const wzp_ct_sockets *s, struct pollfd *fds) {
    size_t n = 0;
    fds[n++] = (struct pollfd){.fd = s->group, .events = POLLIN};
    for (size_t i = 0; i < WZP_CT_WEB_PLACES; i++) {
        fds[n++] = (struct pollfd){.fd = s->listeners[i], .events = POLLIN};
    }
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        const stream *st = &s->streams[i];
        const bool is_full = st->said_at < st->said_len;
        fds[n++] =
            (struct pollfd){.fd = st->fd, .events = (short)(POLLIN | (is_full ? POLLOUT : 0))};
    }
}

wzp_time wzp_ct_sockets_deadline(const wzp_ct_sockets *s) {
    wzp_time first = s->web.ops->deadline(s->web.self);
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        first = s->streams[i].fd >= 0 ? wzp_time_min(first, s->streams[i].ends_at) : first;
    }
    return first;
}

static void serve_stream(wzp_ct_sockets *s, stream *st, short revents, wzp_time now) {
    if (st->fd >= 0 && (revents & POLLOUT) != 0) {
        speak(st);
    }
    if (st->fd >= 0 && (revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
        listen_to(s, st, now);
    }
    if (st->fd >= 0 && now >= st->ends_at) {
        shut(&st->fd);
    }
}

/* Streams before those who come: a place may become another's. */
void wzp_ct_sockets_serve(wzp_ct_sockets *s, const struct pollfd *fds, wzp_time now) {
    const struct pollfd *streams = fds + 1 + WZP_CT_WEB_PLACES;
    for (size_t i = 0; i < WZP_CT_STREAMS; i++) {
        serve_stream(s, &s->streams[i], streams[i].revents, now);
    }
    for (size_t i = 0; i < WZP_CT_WEB_PLACES; i++) {
        if (fds[1 + i].revents != 0) {
            admit(s, i, now);
        }
    }
    if (fds[0].revents != 0) {
        hear(s, now);
    }
    answer(s, now);
}
