/* Real time: one socket per address, waited for with poll. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine/world.h"
#include "io/sys.h"
#include "io/udp.h"

enum { SLOT_BYTES = 4096, BUFFER_BYTES = 1 << 20 };

typedef struct socket_host {
    wzp_core core;
    wzp_udp **sockets; /* owned */
    size_t count;
} socket_host;

typedef struct real_world {
    wzp_ct_world world;
    socket_host *hosts;
    size_t count, cap;
    struct pollfd *fds;
    size_t fd_cap, sockets;
    wzp_ct_sockets *web; /* one at a time hears the searches of this machine; NULL: none */
    uint8_t buf[WZP_QUIC_PACKET_MAX];
} real_world;

static wzp_time real_now(const wzp_ct_world *world) {
    (void)world;
    return wzp_io_now();
}

static bool make_room(real_world *w, size_t sockets) {
    if (w->count == w->cap) {
        const size_t cap = w->cap == 0 ? 32 : 2 * w->cap;
        socket_host *hosts = realloc(w->hosts, cap * sizeof *hosts);
        if (hosts == NULL) {
            return false;
        }
        w->hosts = hosts;
        w->cap = cap;
    }
    if (w->sockets + sockets + WZP_CT_SOCKETS > w->fd_cap) {
        const size_t cap = 2 * (w->sockets + sockets) + WZP_CT_SOCKETS;
        struct pollfd *fds = realloc(w->fds, cap * sizeof *fds);
        if (fds == NULL) {
            return false;
        }
        w->fds = fds;
        w->fd_cap = cap;
    }
    return true;
}

static void close_host(real_world *w, socket_host *h) {
    for (size_t i = 0; i < h->count; i++) {
        wzp_udp_close(&h->sockets[i]);
    }
    w->sockets -= h->count;
    free(h->sockets);
}

static bool real_add(wzp_ct_world *world, wzp_core core, const wzp_addr *target, wzp_addr *locals,
                     size_t count) {
    real_world *w = (real_world *)(void *)world;
    wzp_udp_cfg cfg = {.local = {.family = target->family},
                       .plain = true,
                       .buffer_bytes = BUFFER_BYTES,
                       .slot_bytes = SLOT_BYTES};
    if (target->family == WZP_ADDR_V4 && target->ip[0] == 127) {
        cfg.local = wzp_addr_v4(127, 0, 0, 1, 0); /* loopback stays on loopback */
    }
    if (!make_room(w, count)) {
        return false;
    }
    socket_host *h = &w->hosts[w->count];
    *h = (socket_host){.core = core, .sockets = calloc(count, sizeof(wzp_udp *))};
    const wzp_addr usual = cfg.local;
    while (h->sockets != NULL && h->count < count) {
        cfg.local = locals[h->count].family != WZP_ADDR_NONE ? locals[h->count] : usual;
        if (wzp_udp_new(&h->sockets[h->count], &cfg) != WZP_OK) {
            break;
        }
        locals[h->count] = wzp_udp_local(h->sockets[h->count]);
        h->count++;
    }
    w->sockets += h->count;
    if (h->count < count) {
        close_host(w, h);
        return false;
    }
    w->count++;
    return true;
}

static bool real_host(wzp_ct_world *world, wzp_ct_web web, wzp_addr *places) {
    real_world *w = (real_world *)(void *)world;
    w->web = w->web == NULL ? wzp_ct_sockets_new(web, places) : w->web;
    return w->web != NULL && wzp_ct_sockets_self(w->web) == web.self;
}

static void real_remove(wzp_ct_world *world, void *core_self) {
    real_world *w = (real_world *)(void *)world;
    if (w->web != NULL && wzp_ct_sockets_self(w->web) == core_self) {
        wzp_ct_sockets_free(&w->web);
    }
    for (size_t i = 0; i < w->count; i++) {
        if (w->hosts[i].core.self == core_self) {
            close_host(w, &w->hosts[i]);
            w->hosts[i] = w->hosts[--w->count];
            return;
        }
    }
}

static wzp_time next_deadline(const real_world *w, wzp_time until) {
    until = w->web != NULL ? wzp_time_min(until, wzp_ct_sockets_deadline(w->web)) : until;
    for (size_t i = 0; i < w->count; i++) {
        until = wzp_time_min(until, w->hosts[i].core.ops->deadline(w->hosts[i].core.self));
    }
    return until;
}

/* A socket of all addresses knows which one is meant. */
static bool is_at(const wzp_udp *udp, const wzp_addr *local) {
    static const uint8_t any[sizeof local->ip] = {0};
    const wzp_addr at = wzp_udp_local(udp);
    return at.port == local->port &&
           (memcmp(at.ip, any, sizeof any) == 0 || memcmp(at.ip, local->ip, sizeof at.ip) == 0);
}

/* The socket that the core means; the first one where it names none. */
static wzp_udp *socket_for(const socket_host *h, const wzp_addr *local) {
    for (size_t i = 0; i < h->count; i++) {
        if (is_at(h->sockets[i], local)) {
            return h->sockets[i];
        }
    }
    return h->sockets[0];
}

/* False while a socket is full: the packets then stay in the core. */
static bool all_have_room(const socket_host *h) {
    size_t cap;
    for (size_t i = 0; i < h->count; i++) {
        if (wzp_udp_room(h->sockets[i], &cap) == NULL && !wzp_udp_flush(h->sockets[i])) {
            return false;
        }
    }
    return true;
}

static void transmit(real_world *w, const socket_host *h, wzp_time now) {
    while (all_have_room(h)) {
        wzp_quic_meta meta;
        size_t cap = 0;
        /* A run that fits the room of a socket. */
        const size_t n = h->core.ops->next_packet(h->core.self, now, w->buf, 32768, &meta);
        if (n == 0) {
            break;
        }
        wzp_udp *udp = socket_for(h, &meta.path.local);
        uint8_t *room = wzp_udp_room(udp, &cap);
        if (room != NULL && cap >= n) {
            memcpy(room, w->buf, n);
            wzp_udp_commit(udp, n, &meta);
        }
    }
    for (size_t i = 0; i < h->count; i++) {
        (void)wzp_udp_flush(h->sockets[i]);
    }
}

static void serve(real_world *w, const socket_host *h, const struct pollfd *fds) {
    const wzp_time now = wzp_io_now();
    bool came = false;
    for (size_t i = 0; i < h->count; i++) {
        if ((fds[i].revents & (POLLIN | POLLERR)) != 0) {
            wzp_udp_receive(h->sockets[i], h->core, now);
            came = true;
        }
    }
    if (came || h->core.ops->deadline(h->core.self) <= now) {
        h->core.ops->tick(h->core.self, now);
        transmit(w, h, now);
    }
}

static void real_step(wzp_ct_world *world, wzp_time until) {
    real_world *w = (real_world *)(void *)world;
    const uint64_t wait = wzp_time_since(next_deadline(w, until), wzp_io_now());
    const struct timespec timeout = {(time_t)(wait / WZP_S), (long)(wait % WZP_S)};
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        for (size_t s = 0; s < w->hosts[i].count; s++) {
            w->fds[n++] =
                (struct pollfd){.fd = wzp_udp_fd(w->hosts[i].sockets[s]), .events = POLLIN};
        }
    }
    if (w->web != NULL) {
        wzp_ct_sockets_poll(w->web, w->fds + n);
    }
    (void)ppoll(w->fds, n + (w->web != NULL ? WZP_CT_SOCKETS : 0), &timeout, NULL);
    if (w->web != NULL) { /* before its core, which is to know */
        wzp_ct_sockets_serve(w->web, w->fds + n, wzp_io_now());
    }
    n = 0;
    for (size_t i = 0; i < w->count; i++) {
        serve(w, &w->hosts[i], &w->fds[n]);
        n += w->hosts[i].count;
    }
}

static void real_free(wzp_ct_world *world) {
    real_world *w = (real_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        close_host(w, &w->hosts[i]);
    }
    wzp_ct_sockets_free(&w->web);
    free(w->hosts);
    free(w->fds);
    free(w);
}

wzp_ct_world *wzp_ct_world_real(void) {
    static const wzp_ct_world_ops ops = {real_now,    real_add,  real_host,
                                         real_remove, real_step, real_free};
    real_world *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->world.ops = &ops;
    }
    return w != NULL ? &w->world : NULL;
}
