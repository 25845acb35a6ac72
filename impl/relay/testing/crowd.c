#include "relay/testing/crowd.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static crowd *here;

/* What the endpoint keeps of a shared signal, ours for a test. */
struct wzp_quic_shared {
    size_t references, len;
    char json[];
};

/* Handles are the guests' numbers and one. */
static crowd_guest *guest_of(wzp_quic_conn conn) {
    return conn > 0 && conn <= here->count ? &here->guests[conn - 1] : NULL;
}

static void count(crowd_guest *g, wzp_bytes json) {
    g->signals++;
    g->bytes += json.len;
    here->bytes += json.len;
    if (here->on_heard != NULL) {
        here->on_heard(here->ctx, (size_t)(g - here->guests), json);
    }
}

static bool is_open(const crowd_guest *g) {
    return g != NULL && g->session != NULL && !g->is_closed;
}

/* --- in the place of the endpoint ------------------------------------------------------------- */

#define INSTEAD_OF(type, name, ...)                                                                \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

INSTEAD_OF(wzp_err, wzp_quic_send_signal, wzp_quic *q, wzp_quic_conn conn, wzp_bytes json,
           int64_t *stream) {
    crowd_guest *g = guest_of(conn);
    (void)q;
    if (!is_open(g)) {
        return WZP_ERR_CLOSED;
    }
    count(g, json);
    free(g->last);
    g->last = malloc(json.len + 1);
    assert(g->last != NULL);
    memcpy(g->last, json.data, json.len);
    g->last[json.len] = '\0';
    if (stream != NULL) {
        *stream = -(int64_t)g->signals;
    }
    return WZP_OK;
}

INSTEAD_OF(wzp_err, wzp_quic_shared_new, wzp_quic_shared **out, wzp_bytes json) {
    wzp_quic_shared *shared = malloc(sizeof *shared + json.len + 1);
    assert(shared != NULL && json.len <= WZP_QUIC_SIGNAL_MAX);
    *shared = (wzp_quic_shared){1, json.len};
    memcpy(shared->json, json.data, json.len);
    shared->json[json.len] = '\0';
    *out = shared;
    return WZP_OK;
}

INSTEAD_OF(void, wzp_quic_shared_drop, wzp_quic_shared **shared) {
    if (*shared != NULL && --(*shared)->references == 0) {
        free(*shared);
    }
    *shared = NULL;
}

INSTEAD_OF(wzp_err, wzp_quic_send_shared, wzp_quic *q, wzp_quic_conn conn, wzp_quic_shared *shared,
           int64_t *stream) {
    crowd_guest *g = guest_of(conn);
    (void)q;
    if (!is_open(g)) {
        return WZP_ERR_CLOSED;
    }
    count(g, wzp_bytes_of(shared->json, shared->len));
    if (stream == NULL) {
        return WZP_OK; /* nobody waits for its arrival: not a list */
    }
    g->lists++;
    shared->references++;
    wzp_quic_shared_drop(&g->list);
    g->list = shared;
    g->list_stream = *stream = -(int64_t)g->signals;
    return WZP_OK;
}

INSTEAD_OF(wzp_err, wzp_quic_send_datagram, wzp_quic *q, wzp_quic_conn conn, wzp_bytes datagram) {
    (void)q;
    (void)conn;
    (void)datagram;
    return WZP_OK;
}

/* The relay hears of it later, see crowd_settle. */
INSTEAD_OF(void, wzp_quic_close, wzp_quic *q, wzp_quic_conn conn, uint64_t code, const char *reason,
           wzp_time now) {
    crowd_guest *g = guest_of(conn);
    (void)q;
    (void)code;
    (void)reason;
    (void)now;
    if (g != NULL) {
        g->is_closed = true;
    }
}

/* --- guests ----------------------------------------------------------------------------------- */

crowd *crowd_new(const wzp_relay_cfg *cfg, size_t cap) {
    crowd *c = calloc(1, sizeof *c);
    wzp_relay_cfg own = cfg != NULL ? *cfg : (wzp_relay_cfg){0};
    assert(c != NULL);
    c->guests = calloc(cap, sizeof *c->guests);
    c->cap = cap;
    c->now = 1000 * WZP_S;
    wzp_prng_init(&c->prng, 1, "crowd");
    own.rng = wzp_prng_rng(&c->prng);
    const wzp_err err = wzp_relay_new(&c->relay, &own, c->now);
    assert(c->guests != NULL && err == WZP_OK);
    (void)err;
    here = c;
    return c;
}

void crowd_free(crowd **c) {
    wzp_relay_free(&(*c)->relay);
    for (size_t i = 0; i < (*c)->count; i++) {
        free((*c)->guests[i].last);
        wzp_quic_shared_drop(&(*c)->guests[i].list);
    }
    free((*c)->guests);
    free(*c);
    *c = NULL;
    here = NULL;
}

size_t crowd_arrive(crowd *c, const char *sni) {
    assert(c->count < c->cap);
    const size_t number = c->count++;
    const wzp_quic_conn conn = number + 1;
    const wzp_quic_event ev = {
        .kind = WZP_QUIC_CONNECTED,
        .conn = conn,
        .is_server = true,
        .sni = sni,
        .path = {wzp_addr_v4(192, 0, 2, 1, 4433),
                 wzp_addr_v4(198, 51, (uint8_t)(number >> 8), (uint8_t)number, 5000)}};
    c->relay->now = c->now;
    wzp_relay_on_connected(c->relay, &ev);
    c->guests[number].session = wzp_relay_find_session(c->relay, conn);
    return number;
}

void crowd_leave(crowd *c, size_t guest) {
    session *s = c->guests[guest].session;
    c->guests[guest].session = NULL;
    c->relay->now = c->now;
    if (s != NULL) {
        wzp_relay_on_closed(s);
    }
}

void crowd_say(crowd *c, size_t guest, const char *json) {
    session *s = c->guests[guest].session;
    c->relay->now = c->now;
    if (is_open(&c->guests[guest])) {
        wzp_relay_on_signal(s, wzp_bytes_str(json));
    }
}

void crowd_settle(crowd *c) {
    for (size_t i = 0; i < c->count; i++) {
        if (c->guests[i].is_closed) {
            crowd_leave(c, i);
        }
    }
}

static void key_of(uint8_t key[WZP_KEY_LEN], size_t number) {
    memset(key, 0, WZP_KEY_LEN);
    key[WZP_KEY_LEN - 1] = 1; /* no number makes a key of zeros, which has no name */
    for (size_t i = 0; i < sizeof number; i++) {
        key[i] = (uint8_t)(number >> (8 * i));
    }
}

void crowd_fingerprint(char out[WZP_FINGERPRINT_TEXT + 1], size_t number) {
    uint8_t key[WZP_KEY_LEN];
    key_of(key, number);
    wzp_fingerprint_text(out, key);
}

void crowd_register(crowd *c, size_t guest, size_t number, const char *alias) {
    char json[1024];
    wzp_wr wr;
    wzp_signal reg = {
        .kind = WZP_SIGNAL_REGISTER_PRESENCE,
        .version = 1,
        .u.RegisterPresence.alias = {alias != NULL, wzp_bytes_str(alias != NULL ? alias : "")}};
    key_of(reg.u.RegisterPresence.identity_pub.bytes, number);
    wzp_wr_init(&wr, (uint8_t *)json, sizeof json - 1);
    wzp_signal_write(&wr, &reg);
    json[wzp_wr_len(&wr)] = '\0';
    crowd_say(c, guest, json);
}

static void acknowledge(crowd *c) {
    for (size_t i = 0; i < c->count; i++) {
        crowd_guest *g = &c->guests[i];
        const int64_t stream = g->list_stream;
        g->list_stream = 0;
        if (g->session != NULL && stream != 0) {
            wzp_relay_presence_acked(g->session, stream);
        }
    }
}

void crowd_pass(crowd *c, uint64_t duration, bool acks) {
    const wzp_time end = c->now + duration;
    bool is_over = false;
    while (!is_over) {
        const wzp_time due = wzp_relay_deadline(c->relay);
        c->now = due >= end ? end : due > c->now ? due : c->now;
        c->relay->now = c->now;
        if (acks) {
            acknowledge(c);
        }
        wzp_relay_tick(c->relay, c->now);
        is_over = c->now == end && wzp_relay_deadline(c->relay) > end;
    }
}

const char *crowd_list(const crowd *c, size_t guest) {
    const wzp_quic_shared *list = c->guests[guest].list;
    return list != NULL ? list->json : "";
}
