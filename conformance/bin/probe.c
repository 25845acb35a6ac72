#include "conformance/bin/probe.h"

#include <stdio.h>

typedef struct probe {
    wzp_quic *quic;
    bool connected, closed, fin;
    char *build;
    size_t cap, len;
    wzp_quic_close_info close;
} probe;

static void drain(probe *p) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(p->quic, &ev)) {
        p->connected = p->connected || ev.kind == WZP_QUIC_CONNECTED;
        if (ev.kind == WZP_QUIC_UNI) {
            for (size_t i = 0; i < ev.body.len && p->len + 1 < p->cap; i++) {
                const uint8_t c = ev.body.data[i];
                p->build[p->len++] = (char)(c > 0x20 && c < 0x7f ? c : '?');
            }
            p->build[p->len] = '\0';
            p->fin = p->fin || ev.fin;
        } else if (ev.kind == WZP_QUIC_CLOSED) {
            p->closed = true;
            p->close = ev.close;
        }
    }
}

static void probe_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    wzp_quic_recv(((probe *)self)->quic, path, ecn, payload, now);
    drain(self);
}

static void probe_tick(void *self, wzp_time now) {
    wzp_quic_tick(((probe *)self)->quic, now);
    drain(self);
}

static wzp_time probe_deadline(const void *self) {
    return wzp_quic_deadline(((const probe *)self)->quic);
}

static size_t probe_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    return wzp_quic_next_packet(((probe *)self)->quic, now, buf, cap, meta);
}

static bool once(wzp_ct_world *w, probe *p, const wzp_addr *addr, wzp_rng rng, wzp_time until) {
    static const wzp_core_ops ops = {probe_recv, probe_tick, probe_deadline, probe_next};
    const wzp_time now = w->ops->now(w);
    const wzp_quic_cfg cfg = {.rng = rng, .handshake_timeout = 3 * WZP_S};
    wzp_addr local = {0};
    wzp_quic_conn conn;
    if (wzp_quic_new(&p->quic, &cfg, now) != WZP_OK) {
        return false;
    }
    if (w->ops->add(w, (wzp_core){p, &ops}, addr, &local, 1)) {
        const wzp_quic_dial dial = {.path = {local, *addr}, .sni = "version"};
        if (wzp_quic_connect(p->quic, &dial, now, &conn) == WZP_OK) {
            while (!p->closed && !p->fin && w->ops->now(w) < until) {
                w->ops->step(w, wzp_time_after(w->ops->now(w), 20 * WZP_MS));
            }
        }
        w->ops->remove(w, p);
    }
    wzp_quic_free(&p->quic);
    return p->connected;
}

bool wzp_ct_probe(wzp_ct_world *w, const wzp_addr *addr, wzp_rng rng, uint64_t patience,
                  /* NOLINTNEXTLINE(readability-non-const-parameter): the probe writes there */
                  char *build, size_t cap, char why[160]) {
    const wzp_time until = wzp_time_after(w->ops->now(w), patience);
    (void)snprintf(why, 160, "no answer within %.0f s", (double)patience / 1e9);
    while (w->ops->now(w) < until) {
        probe p = {.build = build, .cap = cap};
        const wzp_time attempt = wzp_time_min(until, wzp_time_after(w->ops->now(w), WZP_S));
        if (once(w, &p, addr, rng, attempt)) {
            return true;
        }
        if (p.close.kind == WZP_QUIC_CLOSE_PEER_TRANSPORT) {
            (void)snprintf(why, 160, "the handshake was refused with code 0x%llx",
                           (unsigned long long)p.close.code);
            return false;
        }
    }
    return false;
}
