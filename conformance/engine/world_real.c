/* Real time: one socket per core, waited for with poll. */
#include <poll.h>
#include <stdlib.h>

#include "conformance/engine/world.h"
#include "io/sys.h"
#include "io/udp.h"

typedef struct socket_host {
    wzp_core core;
    wzp_udp *udp;
} socket_host;

typedef struct real_world {
    wzp_ct_world world;
    socket_host *hosts;
    struct pollfd *fds;
    size_t count, cap;
} real_world;

static wzp_time real_now(const wzp_ct_world *world) {
    (void)world;
    return wzp_io_now();
}

static bool make_room(real_world *w) {
    if (w->count < w->cap) {
        return true;
    }
    const size_t cap = w->cap == 0 ? 32 : 2 * w->cap;
    socket_host *hosts = realloc(w->hosts, cap * sizeof *hosts);
    w->hosts = hosts != NULL ? hosts : w->hosts;
    struct pollfd *fds = realloc(w->fds, cap * sizeof *fds);
    w->fds = fds != NULL ? fds : w->fds;
    w->cap = hosts != NULL && fds != NULL ? cap : w->cap;
    return w->count < w->cap;
}

static bool real_add(wzp_ct_world *world, wzp_core core, const wzp_addr *target, wzp_addr *local) {
    real_world *w = (real_world *)(void *)world;
    wzp_addr any = {.family = target->family};
    if (target->family == WZP_ADDR_V4 && target->ip[0] == 127) {
        any = wzp_addr_v4(127, 0, 0, 1, 0); /* loopback stays on loopback */
    }
    socket_host *h = make_room(w) ? &w->hosts[w->count] : NULL;
    if (h == NULL || wzp_udp_open(&h->udp, &any, false) != WZP_OK) {
        return false;
    }
    h->core = core;
    w->count++;
    *local = wzp_udp_local(h->udp);
    return true;
}

static void real_remove(wzp_ct_world *world, void *core_self) {
    real_world *w = (real_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        if (w->hosts[i].core.self == core_self) {
            wzp_udp_close(&w->hosts[i].udp);
            w->hosts[i] = w->hosts[--w->count];
            return;
        }
    }
}

static wzp_time next_deadline(const real_world *w, wzp_time until) {
    for (size_t i = 0; i < w->count; i++) {
        until = wzp_time_min(until, w->hosts[i].core.ops->deadline(w->hosts[i].core.self));
    }
    return until;
}

static void serve(socket_host *h, bool readable) {
    const wzp_time now = wzp_io_now();
    if (readable) {
        wzp_udp_receive(h->udp, h->core, now);
    }
    if (readable || h->core.ops->deadline(h->core.self) <= now) {
        h->core.ops->tick(h->core.self, now);
        wzp_udp_transmit(h->udp, h->core, now);
    }
}

static void real_step(wzp_ct_world *world, wzp_time until) {
    real_world *w = (real_world *)(void *)world;
    const uint64_t wait = wzp_time_since(next_deadline(w, until), wzp_io_now());
    const struct timespec timeout = {(time_t)(wait / WZP_S), (long)(wait % WZP_S)};
    for (size_t i = 0; i < w->count; i++) {
        w->fds[i] = (struct pollfd){.fd = wzp_udp_fd(w->hosts[i].udp), .events = POLLIN};
    }
    (void)ppoll(w->fds, w->count, &timeout, NULL);
    for (size_t i = 0; i < w->count; i++) {
        serve(&w->hosts[i], (w->fds[i].revents & (POLLIN | POLLERR)) != 0);
    }
}

static void real_free(wzp_ct_world *world) {
    real_world *w = (real_world *)(void *)world;
    for (size_t i = 0; i < w->count; i++) {
        wzp_udp_close(&w->hosts[i].udp);
    }
    free(w->hosts);
    free(w->fds);
    free(w);
}

wzp_ct_world *wzp_ct_world_real(void) {
    static const wzp_ct_world_ops ops = {real_now, real_add, real_remove, real_step, real_free};
    real_world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->world.ops = &ops;
    return &w->world;
}
