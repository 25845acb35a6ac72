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

static void count(crowd_guest *g, size_t len) {
    g->signals++;
    g->bytes += len;
    here->bytes += len;
}

/* --- in the place of the endpoint ---------------------------------------------------------------
 */

#define INSTEAD_OF(type, name, ...)                                                                \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

INSTEAD_OF(wzp_err, wzp_quic_send_signal, wzp_quic *q, wzp_quic_conn conn, wzp_bytes json,
           int64_t *stream) {
    crowd_guest *g = guest_of(conn);
    (void)q;
    if (g == NULL || g->session == NULL) {
        return WZP_ERR_CLOSED;
    }
    count(g, json.len);
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
    if (g == NULL || g->session == NULL) {
        return WZP_ERR_CLOSED;
    }
    count(g, shared->len);
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

/* The relay hears of it when it has let go of the session: crowd_pass and crowd_say do that. */
INSTEAD_OF(void, wzp_quic_close, wzp_quic *q, wzp_quic_conn conn, uint64_t code, const char *reason,
           wzp_time now) {
    (void)q;
    (void)conn;
    (void)code;
    (void)reason;
    (void)now;
}

/* --- guests -------------------------------------------------------------------------------------
 */

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
    if (s != NULL) {
        wzp_relay_on_signal(s, wzp_bytes_str(json));
    }
}

static void key_of(uint8_t key[WZP_KEY_LEN], size_t number) {
    memset(key, 0, WZP_KEY_LEN);
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
    c->now += duration;
    if (acks) {
        c->relay->now = c->now;
        acknowledge(c);
    }
    wzp_relay_tick(c->relay, c->now);
}

const char *crowd_list(const crowd *c, size_t guest) {
    const wzp_quic_shared *list = c->guests[guest].list;
    return list != NULL ? list->json : "";
}
