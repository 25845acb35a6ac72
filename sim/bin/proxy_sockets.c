#include "sim/bin/proxy_sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"

/* Mappings are many: less of everything for each. */
enum { MAPPING_BUFFER = 512 * 1024, MAPPING_SLOT = 16 * 1024, READS_MAX = 16 };

static void on_readable(uv_poll_t *poll, int status, int events);

/* --- ports ------------------------------------------------------------------------------------ */

static void await(wzp_proxy_port *port, bool writable) {
    port->waits = writable;
    uv_poll_start(&port->poll, writable ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_readable);
}

static wzp_proxy_port *open_port(wzp_proxy_sockets *s, const wzp_udp_cfg *cfg, uint32_t mapping) {
    wzp_proxy_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    port->owner = s;
    port->mapping = mapping;
    port->poll.data = port;
    if (wzp_udp_new(&port->udp, cfg) != WZP_OK ||
        uv_poll_init(&s->loop, &port->poll, wzp_udp_fd(port->udp)) != 0) {
        const int why = errno;
        wzp_udp_close(&port->udp);
        free(port);
        errno = why;
        return NULL;
    }
    await(port, false);
    return port;
}

static void free_port(uv_handle_t *handle) {
    free(handle->data);
}

static void close_port(wzp_proxy_port **port) {
    if (*port != NULL) {
        uv_close((uv_handle_t *)&(*port)->poll, free_port);
        wzp_udp_close(&(*port)->udp);
        *port = NULL;
    }
}

/* A program on this machine is nobody else's business. */
static wzp_addr local_towards(const wzp_addr *upstream) {
    wzp_addr local = {.family = upstream->family};
    if (wzp_addr_is_loopback(upstream)) {
        memcpy(local.ip, upstream->ip, sizeof local.ip);
    }
    return local;
}

static wzp_proxy_port *mapping_port(wzp_proxy_sockets *s, uint32_t mapping) {
    const wzp_udp_cfg cfg = {.local = local_towards(&s->upstream),
                             .plain = true,
                             .buffer_bytes = MAPPING_BUFFER,
                             .slot_bytes = MAPPING_SLOT};
    if (s->mappings[mapping] == NULL) {
        s->mappings[mapping] = open_port(s, &cfg, mapping);
    }
    return s->mappings[mapping];
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_from(wzp_proxy_sockets *s, wzp_proxy_port *port, const wzp_addr *to,
                      const wzp_sim_proxy_output *out) {
    size_t cap = 0;
    uint8_t *room = port != NULL ? wzp_udp_room(port->udp, &cap) : NULL;
    if (room == NULL || out->payload.len > cap || out->payload.len == 0) {
        s->unsent++;
        return;
    }
    const wzp_quic_meta meta = {
        .path.remote = *to, .ecn = out->ecn, .segment = (uint16_t)out->payload.len};
    memcpy(room, out->payload.data, out->payload.len);
    wzp_udp_commit(port->udp, out->payload.len, &meta);
    if (!port->dirty) {
        port->dirty = true;
        s->dirty[s->dirty_count++] = port;
    }
}

static void flush(wzp_proxy_sockets *s) {
    for (size_t i = 0; i < s->dirty_count; i++) {
        wzp_proxy_port *port = s->dirty[i];
        port->dirty = false;
        const bool full = !wzp_udp_flush(port->udp);
        if (full != port->waits) {
            await(port, full);
        }
    }
    s->dirty_count = 0;
}

static void drain(wzp_proxy_sockets *s) {
    wzp_sim_proxy_output out;
    while (wzp_sim_proxy_next(s->proxy, &out)) {
        switch (out.kind) {
        case WZP_SIM_PROXY_TO_CLIENT:
            send_from(s, s->clients, &out.addr, &out);
            break;
        case WZP_SIM_PROXY_TO_UPSTREAM:
            send_from(s, mapping_port(s, out.mapping), &s->upstream, &out);
            break;
        case WZP_SIM_PROXY_GONE:
            flush(s); /* or the list would keep a socket that is no more */
            close_port(&s->mappings[out.mapping]);
            break;
        case WZP_SIM_PROXY_EVENT:
            s->told(s->ctx, &out);
            break;
        }
    }
    flush(s);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void arm(wzp_proxy_sockets *s) {
    const wzp_time deadline = wzp_sim_proxy_deadline(s->proxy);
    struct itimerspec at = {0}; /* zero disarms */
    if (deadline == s->armed) {
        return;
    }
    s->armed = deadline;
    if (deadline != WZP_TIME_NEVER) {
        at.it_value.tv_sec = (time_t)(deadline / WZP_S);
        at.it_value.tv_nsec = (long)(deadline % WZP_S);
    }
    timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void turn(wzp_proxy_sockets *s) {
    if (wzp_sim_proxy_tick(s->proxy, wzp_io_now()) != WZP_OK) {
        s->failed = true;
        uv_stop(&s->loop);
    }
    drain(s);
    arm(s);
}

static void on_timer(uv_poll_t *poll, int status, int events) {
    wzp_proxy_sockets *s = poll->data;
    uint64_t expirations = 0;
    (void)status;
    (void)events;
    if (read(s->timer_fd, &expirations, sizeof expirations) > 0) {
        s->armed = WZP_TIME_NEVER;
        turn(s);
    }
}

/* --- receiving -------------------------------------------------------------------------------- */

static wzp_sim_proxy_from from_whom(const wzp_proxy_sockets *s, const wzp_addr *remote) {
    if (wzp_addr_equal(remote, &s->upstream)) {
        return WZP_SIM_PROXY_UPSTREAM;
    }
    return wzp_addr_same_ip(remote, &s->upstream) ? WZP_SIM_PROXY_OTHER_PORT
                                                  : WZP_SIM_PROXY_STRANGER;
}

static void take(wzp_proxy_sockets *s, uint32_t mapping, const wzp_udp_datagram *in) {
    const wzp_time now = wzp_io_now();
    if (mapping == WZP_SIM_PEERS_NONE) {
        wzp_sim_proxy_client(s->proxy, &in->path.remote, in->ecn, in->payload, now);
    } else {
        wzp_sim_proxy_upstream(s->proxy, mapping, from_whom(s, &in->path.remote), in->ecn,
                               in->payload, now);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    wzp_proxy_port *port = poll->data;
    wzp_proxy_sockets *s = port->owner;
    wzp_udp_datagram in;
    (void)events;
    if (port->waits || status != 0) { /* after an error libuv has stopped */
        await(port, !wzp_udp_flush(port->udp));
    }
    /* Mappings go in tick alone: until turn this port is there. */
    for (unsigned reads = 0; reads < READS_MAX && wzp_udp_read(port->udp); reads++) {
        while (wzp_udp_next(port->udp, &in)) {
            take(s, port->mapping, &in);
        }
        drain(s);
    }
    turn(s);
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_proxy_sockets_open(wzp_proxy_sockets *s, const wzp_addr *listen) {
    const wzp_udp_cfg cfg = {.local = *listen};
    s->armed = WZP_TIME_NEVER;
    s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (s->timer_fd < 0) {
        return WZP_ERR_IO;
    }
    if (uv_loop_init(&s->loop) != 0) {
        close(s->timer_fd);
        return WZP_ERR_NOMEM;
    }
    s->timer.data = s;
    if (uv_poll_init(&s->loop, &s->timer, s->timer_fd) == 0) {
        uv_poll_start(&s->timer, UV_READABLE, on_timer);
        s->clients = open_port(s, &cfg, WZP_SIM_PEERS_NONE);
    }
    if (s->clients == NULL) {
        const int why = errno;
        wzp_proxy_sockets_close(s);
        errno = why;
        return WZP_ERR_IO;
    }
    return WZP_OK;
}

wzp_addr wzp_proxy_sockets_local(const wzp_proxy_sockets *s) {
    return wzp_udp_local(s->clients->udp);
}

void wzp_proxy_sockets_run(wzp_proxy_sockets *s) {
    turn(s);
    if (!s->failed) {
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
}

static void close_handle(uv_handle_t *handle, void *ctx) {
    (void)ctx;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void wzp_proxy_sockets_close(wzp_proxy_sockets *s) {
    for (size_t i = 0; i < WZP_SIM_PEERS_MAX; i++) {
        close_port(&s->mappings[i]);
    }
    close_port(&s->clients);
    uv_walk(&s->loop, close_handle, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    close(s->timer_fd);
}
