#include "bin/client/client_mappings.h"

#include <string.h>

#include "io/sockaddr.h"
#include "io/sys.h"

/* --- NAT-PMP and PCP -------------------------------------------------------------------------- */

static bool is_through(const wzp_mapper *m) {
    const wzp_portmap_state state = wzp_portmap_state_of(&m->map);
    return !m->is_running || state == WZP_PORTMAP_MAPPED || state == WZP_PORTMAP_FAILED;
}

static void close_mapper(wzp_mapper *m) {
    if (m->is_open) {
        m->is_open = m->is_running = false;
        uv_close((uv_handle_t *)&m->udp, NULL);
        uv_close((uv_handle_t *)&m->timer, NULL);
    }
}

static void on_timer(uv_timer_t *timer);

static void wait_for_next(wzp_mapper *m) {
    const wzp_time deadline = wzp_portmap_deadline(&m->map);
    const uint64_t left = wzp_time_since(deadline, wzp_io_now());
    if (deadline == WZP_TIME_NEVER) {
        uv_timer_stop(&m->timer);
    } else {
        uv_timer_start(&m->timer, on_timer, (left + WZP_MS - 1) / WZP_MS, 0);
    }
}

static void turn(wzp_mapper *m) {
    wzp_portmap_datagram out;
    wzp_portmap_tick(&m->map, wzp_io_now());
    while (wzp_portmap_next(&m->map, &out)) {
        wzp_sockaddr to;
        const uv_buf_t buf = uv_buf_init((char *)out.data, (unsigned)out.len);
        (void)wzp_sockaddr_write(&to, &out.to, false);
        (void)uv_udp_try_send(&m->udp, &buf, 1, &to.any); /* what is lost is sent again */
    }
    if (wzp_portmap_state_of(&m->map) == WZP_PORTMAP_OFF) {
        close_mapper(m);
    } else {
        wait_for_next(m);
    }
    m->all->changed(m->all->ctx);
}

static void on_timer(uv_timer_t *timer) {
    turn(timer->data);
}

static void lend(uv_handle_t *handle, size_t wished, uv_buf_t *out) {
    wzp_mapper *m = handle->data;
    (void)wished;
    *out = uv_buf_init((char *)m->buf, sizeof m->buf);
}

static void on_answer(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from,
                      unsigned flags) {
    wzp_mapper *m = udp->data;
    (void)flags;
    if (len > 0 && from != NULL && m->is_running) {
        const wzp_addr addr = wzp_sockaddr_read((const wzp_sockaddr *)(const void *)from);
        (void)wzp_portmap_recv(&m->map, &addr, wzp_bytes_of(buf->base, (size_t)len), wzp_io_now());
        turn(m);
    }
}

/* A socket at our address towards the gateway, and its port. */
static bool bind_udp(uv_udp_t *udp, uv_loop_t *loop, const wzp_addr *own, uint16_t *port) {
    wzp_sockaddr addr;
    int len = sizeof addr;
    (void)wzp_sockaddr_write(&addr, own, false);
    uv_udp_init(loop, udp);
    if (uv_udp_bind(udp, &addr.any, 0) != 0 || uv_udp_getsockname(udp, &addr.any, &len) != 0) {
        return false;
    }
    *port = wzp_sockaddr_read(&addr).port;
    return true;
}

static void start_mapper(wzp_mapper *m, wzp_portmap_protocol protocol, const wzp_netif_table *table,
                         uv_loop_t *loop) {
    wzp_portmap_cfg cfg = {
        .protocol = protocol, .gateway = table->gateway, .local = table->own, .lifetime_s = 600};
    m->is_open = true;
    uv_timer_init(loop, &m->timer);
    m->is_running = bind_udp(&m->udp, loop, &table->own, &cfg.local.port) &&
                    wzp_portmap_start(&m->map, &cfg, wzp_io_rng(), wzp_io_now()) == WZP_OK;
    m->udp.data = m->timer.data = m;
    if (m->is_running) {
        uv_udp_recv_start(&m->udp, lend, on_answer);
        uv_timer_start(&m->timer, on_timer, 0, 0);
    }
}

/* --- UPnP ------------------------------------------------------------------------------------- */

static void on_attempt(void *ctx, const wzp_upnp_state *state) {
    wzp_mappings *all = ctx;
    all->upnp_state = *state;
    all->upnp_is_through = true;
    all->changed(all->ctx);
}

static void on_released(void *ctx) {
    wzp_mappings *all = ctx;
    all->upnp_is_leaving = false;
    all->changed(all->ctx);
}

static void start_upnp(wzp_mappings *all, const wzp_netif_table *table, uv_loop_t *loop) {
    wzp_upnp_cfg cfg = {.own = table->own,
                        .lease_s = 600,
                        .rng = wzp_io_rng(),
                        .attempted = on_attempt,
                        .ctx = all};
    all->has_upnp_udp = true;
    if (!bind_udp(&all->upnp_udp, loop, &table->own, &cfg.own.port) ||
        wzp_upnp_start(&all->upnp, &cfg, loop) != WZP_OK) {
        all->upnp_is_through = true; /* a build without it has none */
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

void wzp_mappings_start(wzp_mappings *all, const wzp_netif_table *table, uv_loop_t *loop) {
    static const wzp_portmap_protocol protocols[] = {WZP_PORTMAP_NATPMP, WZP_PORTMAP_PCP};
    if (table->gateway.family == WZP_ADDR_NONE || table->own.family != WZP_ADDR_V4) {
        all->upnp_is_through = true;
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        all->mappers[i].all = all;
        start_mapper(&all->mappers[i], protocols[i], table, loop);
    }
    start_upnp(all, table, loop);
}

bool wzp_mappings_are_through(const wzp_mappings *all) {
    return all->upnp_is_through && is_through(&all->mappers[0]) && is_through(&all->mappers[1]);
}

void wzp_mappings_report(const wzp_mappings *all, wzp_netcheck *report) {
    const wzp_mapper *m = all->mappers;
    report->natpmp = m[0].is_running && wzp_portmap_is_spoken(&m[0].map);
    report->pcp = m[1].is_running && wzp_portmap_is_spoken(&m[1].map);
    report->upnp = all->upnp_is_through && all->upnp_state.has_gateway;
    if (report->natpmp && wzp_portmap_external(&m[0].map) != NULL) {
        report->mapping = WZP_NETCHECK_NATPMP;
    } else if (report->pcp && wzp_portmap_external(&m[1].map) != NULL) {
        report->mapping = WZP_NETCHECK_PCP;
    } else if (report->upnp && all->upnp_state.external.family != WZP_ADDR_NONE) {
        report->mapping = WZP_NETCHECK_UPNP;
    }
}

void wzp_mappings_release(wzp_mappings *all) {
    if (all->upnp != NULL) {
        all->upnp_is_leaving = true;
        wzp_upnp_release(&all->upnp, on_released, all);
    }
    if (all->has_upnp_udp) {
        all->has_upnp_udp = false;
        uv_close((uv_handle_t *)&all->upnp_udp, NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        wzp_mapper *m = &all->mappers[i];
        if (m->is_running) {
            wzp_portmap_release(&m->map, wzp_io_now());
            turn(m);
        } else {
            close_mapper(m);
        }
    }
}

bool wzp_mappings_are_released(const wzp_mappings *all) {
    return !all->upnp_is_leaving && !all->mappers[0].is_open && !all->mappers[1].is_open;
}
