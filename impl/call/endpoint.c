#include "call/endpoint.h"

#include <stdlib.h>

#include "nat/demux.h"

typedef struct raw {
    wzp_addr local, to;
    uint8_t len;
    uint8_t data[WZP_ENDPOINT_RAW_MAX];
} raw;

struct wzp_endpoint {
    wzp_quic *quic;
    wzp_stun_client *stun;
    const wzp_endpoint_user *incoming;
    const wzp_endpoint_tap *tap;
    wzp_endpoint_counters counters;
    size_t head, count; /* of the ring */
    raw queue[WZP_ENDPOINT_QUEUE];
};

/* --- events ----------------------------------------------------------------------------------- */

/* A connection that nobody wants is told so once, when it is there. */
static void refuse(wzp_endpoint *e, const wzp_quic_event *ev, wzp_time now) {
    if (ev->is_server && ev->kind == WZP_QUIC_CONNECTED) {
        e->counters.stale++;
        wzp_quic_close(e->quic, ev->conn, 0, "stale", now);
    }
}

static void drain(wzp_endpoint *e, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(e->quic, &ev)) {
        const wzp_endpoint_user *user = ev.app;
        user = user == NULL && ev.is_server ? e->incoming : user;
        if (user != NULL) {
            user->event(user->self, &ev, now);
        } else {
            refuse(e, &ev, now);
        }
    }
}

/* --- as a core -------------------------------------------------------------------------------- */

static bool is_expected(const wzp_endpoint *e, const wzp_quic_path *path, wzp_bytes payload,
                        wzp_time now) {
    return e->tap != NULL && e->tap->datagram(e->tap->self, path, payload, now);
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_endpoint *e = self;
    switch (wzp_demux_of(payload)) {
    case WZP_DEMUX_QUIC:
        wzp_quic_recv(e->quic, path, ecn, payload, now);
        drain(e, now);
        break;
    case WZP_DEMUX_STUN:
        if (e->stun != NULL) {
            (void)wzp_stun_client_recv(e->stun, &path->remote, payload, now);
        } else if (!is_expected(e, path, payload, now)) {
            e->counters.stun_unasked++;
        }
        break;
    case WZP_DEMUX_OTHER:
        e->counters.other += is_expected(e, path, payload, now) ? 0 : 1;
        break;
    }
}

static void core_tick(void *self, wzp_time now) {
    wzp_endpoint *e = self;
    wzp_quic_tick(e->quic, now);
    if (e->stun != NULL) {
        wzp_stun_client_tick(e->stun, now);
    }
    drain(e, now);
}

static wzp_time core_deadline(const void *self) {
    const wzp_endpoint *e = self;
    if (e->count > 0) {
        return 0;
    }
    const wzp_time quic = wzp_quic_deadline(e->quic);
    return e->stun != NULL ? wzp_time_min(quic, wzp_stun_client_deadline(e->stun)) : quic;
}

static size_t next_raw(wzp_endpoint *e, uint8_t *buf, wzp_quic_meta *meta) {
    const raw *r = &e->queue[e->head];
    const size_t len = r->len;
    memcpy(buf, r->data, len);
    *meta = (wzp_quic_meta){.path = {r->local, r->to}, .segment = r->len};
    e->head = (e->head + 1) % WZP_ENDPOINT_QUEUE;
    e->count--;
    return len;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_endpoint *e = self;
    wzp_stun_datagram request;
    if (e->stun != NULL && e->count < WZP_ENDPOINT_QUEUE &&
        wzp_stun_client_next(e->stun, &request)) {
        (void)wzp_endpoint_send(e, &request.to, wzp_bytes_of(request.data, request.len));
    }
    return e->count > 0 ? next_raw(e, buf, meta)
                        : wzp_quic_next_packet(e->quic, now, buf, cap, meta);
}

wzp_core wzp_endpoint_core(wzp_endpoint *endpoint) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){endpoint, &ops};
}

/* --- what its users do ------------------------------------------------------------------------ */

wzp_quic *wzp_endpoint_quic(wzp_endpoint *endpoint) {
    return endpoint->quic;
}

/* The connection keeps the pointer only. */
void wzp_endpoint_attach(wzp_endpoint *e, wzp_quic_conn conn, const wzp_endpoint_user *user) {
    wzp_quic_set_app(e->quic, conn, wzp_drop_const(user));
}

wzp_err wzp_endpoint_dial(wzp_endpoint *e, const wzp_quic_dial *dial, const wzp_endpoint_user *user,
                          wzp_time now, wzp_quic_conn *out) {
    wzp_quic_dial with_user = *dial;
    with_user.app = wzp_drop_const(user);
    return wzp_quic_connect(e->quic, &with_user, now, out);
}

void wzp_endpoint_on_incoming(wzp_endpoint *e, const wzp_endpoint_user *user) {
    e->incoming = user;
}

void wzp_endpoint_on_other(wzp_endpoint *e, const wzp_endpoint_tap *tap) {
    e->tap = tap;
}

wzp_addr wzp_endpoint_local(uint16_t port) {
    return port != 0 ? (wzp_addr){.family = WZP_ADDR_V4, .port = port}
                     : (wzp_addr){.family = WZP_ADDR_NONE};
}

bool wzp_endpoint_send(wzp_endpoint *e, const wzp_addr *to, wzp_bytes payload) {
    return wzp_endpoint_send_from(e, &(wzp_addr){.family = WZP_ADDR_NONE}, to, payload);
}

bool wzp_endpoint_send_from(wzp_endpoint *e, const wzp_addr *local, const wzp_addr *to,
                            wzp_bytes payload) {
    if (payload.len == 0 || payload.len > WZP_ENDPOINT_RAW_MAX || e->count == WZP_ENDPOINT_QUEUE) {
        e->counters.not_queued++;
        return false;
    }
    raw *r = &e->queue[(e->head + e->count) % WZP_ENDPOINT_QUEUE];
    r->local = *local;
    r->to = *to;
    r->len = (uint8_t)payload.len;
    memcpy(r->data, payload.data, payload.len);
    e->count++;
    return true;
}

void wzp_endpoint_run_stun(wzp_endpoint *e, wzp_stun_client *stun) {
    e->stun = stun;
}

void wzp_endpoint_count(const wzp_endpoint *endpoint, wzp_endpoint_counters *out) {
    *out = endpoint->counters;
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_endpoint_new(wzp_endpoint **out, const wzp_quic_cfg *quic, wzp_time now) {
    wzp_endpoint *e = calloc(1, sizeof *e);
    const wzp_err err = e != NULL ? wzp_quic_new(&e->quic, quic, now) : WZP_ERR_NOMEM;
    if (err != WZP_OK) {
        free(e);
        return err;
    }
    *out = e;
    return WZP_OK;
}

void wzp_endpoint_free(wzp_endpoint **endpoint) {
    if (*endpoint != NULL) {
        wzp_quic_free(&(*endpoint)->quic);
        free(*endpoint);
        *endpoint = NULL;
    }
}
