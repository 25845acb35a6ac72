/* The relay object: the packet core's four functions, events, timers. */
#include "relay/relay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

/* What a receiver's connection did not take for so long would come too late to be played. */
#define MEDIA_LIFETIME (200 * WZP_MS)

#define LATE (1 * WZP_S)
#define GRACE (500 * WZP_MS)

/* Views and texts in one piece. */
wzp_err wzp_relay_set_relays(wzp_relay *r, const char *const *relays, size_t relay_count) {
    const size_t count = relay_count < WZP_LIMIT_RELAYS ? relay_count : WZP_LIMIT_RELAYS;
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += strlen(relays[i]);
    }
    wzp_bytes *views = malloc(count * sizeof *views + len + 1);
    if (views == NULL) {
        return WZP_ERR_NOMEM;
    }
    uint8_t *at = (uint8_t *)(views + count);
    for (size_t i = 0; i < count; i++) {
        const wzp_bytes text = wzp_bytes_str(relays[i]);
        memcpy(at, text.data, text.len);
        views[i] = wzp_bytes_of(at, text.len);
        at += text.len;
    }
    free(r->relay_views);
    r->relay_views = views;
    r->available_count = count;
    return WZP_OK;
}

wzp_err wzp_relay_new(wzp_relay **out, const wzp_relay_cfg *cfg, wzp_time now) {
    wzp_relay *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return WZP_ERR_NOMEM;
    }
    r->cfg = *cfg;
    r->cfg.max_sessions = cfg->max_sessions != 0 ? cfg->max_sessions : WZP_LIMIT_SESSIONS;
    r->cfg.workers = cfg->workers != 0 ? cfg->workers : 1;
    r->cfg.shared = cfg->shared != NULL ? cfg->shared : &r->own;
    r->now = now;
    r->presence_due = WZP_TIME_NEVER;
    r->presence_is_spread = true;
    (void)snprintf(r->build, sizeof r->build, "%s", cfg->build != NULL ? cfg->build : "unknown");
    wzp_relay_tap_set(r, cfg->debug_tap);
    (void)snprintf(r->region, sizeof r->region, "%s", cfg->region != NULL ? cfg->region : "");
    wzp_identity_from_seed(&r->identity, cfg->seed);
    wzp_tls_identity_from_seed(&r->tls, cfg->seed);
    wzp_relay_accounts_init(r);
    const wzp_quic_identity identity = {wzp_bytes_of(r->tls.cert_der, r->tls.cert_len),
                                        wzp_bytes_of(r->tls.ed25519_seed, WZP_KEY_LEN)};
    const wzp_quic_cfg quic = {.rng = cfg->rng,
                               .workers = cfg->workers,
                               .worker = cfg->worker,
                               .log = cfg->log,
                               .identity = &identity,
                               .max_conns = cfg->max_conns,
                               .max_conns_per_ip = cfg->max_conns_per_ip,
                               .max_handshakes = cfg->max_handshakes,
                               .datagram_lifetime = MEDIA_LIFETIME,
                               .loopback_mtu = cfg->loopback_mtu,
                               .always_retry = cfg->always_retry,
                               .deterministic = cfg->deterministic,
                               .keylog = cfg->keylog,
                               .keylog_ctx = cfg->keylog_ctx,
                               .qlog = cfg->qlog,
                               .qlog_ctx = cfg->qlog_ctx};
    const wzp_calls_cfg calls = {.rng = cfg->rng,
                                 .max_calls = WZP_LIMIT_CALLS,
                                 .max_per_client = WZP_LIMIT_CLIENT_CALLS,
                                 .ring_timeout =
                                     cfg->ring_timeout != 0 ? cfg->ring_timeout : WZP_TIMER_RING};
    wzp_err err = wzp_quic_new(&r->quic, &quic, now);
    err = err == WZP_OK ? wzp_table_init(&r->clients, cfg->rng) : err;
    err = err == WZP_OK ? wzp_table_init(&r->conns, cfg->rng) : err;
    err = err == WZP_OK ? wzp_table_init(&r->rooms, cfg->rng) : err;
    err =
        err == WZP_OK ? wzp_relay_set_relays(r, cfg->available_relays, cfg->available_count) : err;
    err = err == WZP_OK ? wzp_calls_new(&r->calls, &calls) : err;
    err = err == WZP_OK ? wzp_relay_peers_new(r, cfg->federation) : err;
    err = err == WZP_OK ? wzp_relay_probes_new(r, cfg->probe_targets, cfg->probe_count) : err;
    if (err != WZP_OK) {
        wzp_relay_free(&r);
        return err;
    }
    *out = r;
    return WZP_OK;
}

unsigned wzp_relay_worker_of(const char *sni, unsigned workers) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const char *name = *sni != '\0' ? sni : "default";
    if (workers < 2 || wzp_call_is_room(name) || strcmp(name, "_signal") == 0 ||
        strcmp(name, "_federation") == 0 || strcmp(name, "_probe") == 0) {
        return 0;
    }
    for (const char *ch = name; *ch != '\0'; ch++) {
        hash = (hash ^ (uint8_t)*ch) * UINT64_C(0x100000001b3);
    }
    return (unsigned)((hash ^ hash >> 32) % workers);
}

void wzp_relay_free(wzp_relay **relay) {
    wzp_relay *r = *relay;
    if (r == NULL) {
        return;
    }
    while (r->sessions != NULL) {
        wzp_relay_on_closed(r->sessions);
    }
    wzp_calls_free(&r->calls);
    wzp_federation_free(&r->federation);
    wzp_relay_probes_free(r);
    wzp_table_clear(&r->clients);
    wzp_table_clear(&r->conns);
    wzp_table_clear(&r->rooms);
    wzp_timers_clear(&r->timers);
    wzp_timers_clear(&r->room_timers);
    wzp_quic_shared_drop(&r->presence);
    free(r->relay_views);
    wzp_relay_policy_free(r);
    wzp_relay_trunk_clear(r);
    wzp_quic_free(&r->quic);
    wzp_identity_clear(&r->identity);
    wzp_tls_identity_clear(&r->tls);
    free(r->events);
    wzp_crypto_wipe(r, sizeof *r);
    free(r);
    *relay = NULL;
}

/* --- timers ----------------------------------------------------------------------------------- */

void wzp_relay_set_deadline(session *s, wzp_time deadline) {
    wzp_timers_set(&s->relay->timers, &s->timer, deadline);
}

static session *due(const wzp_relay *r) {
    wzp_timer *first = wzp_timers_first(&r->timers);
    return first != NULL && first->at <= r->now ? WZP_OWNER_OF(first, session, timer) : NULL;
}

/* --- events of the endpoint ------------------------------------------------------------------- */

static void on_acked(session *s, int64_t stream) {
    if (s->state == SESSION_FAREWELL && s->farewell_stream == stream) {
        wzp_relay_end(s, s->farewell_reason);
    } else {
        wzp_relay_presence_acked(s, stream);
    }
}

static void on_event(wzp_relay *r, const wzp_quic_event *ev) {
    session *s = wzp_quic_app(r->quic, ev->conn);
    if (ev->kind == WZP_QUIC_CONNECTED) {
        wzp_relay_on_connected(r, ev);
        return;
    }
    if (s == NULL) {
        return;
    }
    switch (ev->kind) {
    case WZP_QUIC_DATAGRAM:
        wzp_relay_forward(s, ev->body);
        break;
    case WZP_QUIC_SIGNAL:
        wzp_relay_on_signal(s, ev->body);
        break;
    case WZP_QUIC_SIGNAL_BAD:
        r->metrics.signals_unknown++;
        if (s->state == SESSION_TOKEN || s->state == SESSION_OFFER ||
            s->state == SESSION_REGISTER) {
            r->metrics.handshake_refusals++;
            wzp_relay_event_push(r, s, "handshake_refused", "unreadable signal");
            wzp_relay_end(s, "normal close");
        }
        break;
    case WZP_QUIC_SIGNAL_ACKED:
        on_acked(s, ev->stream);
        break;
    case WZP_QUIC_PATH:
        s->path = ev->path;
        break;
    case WZP_QUIC_UNI: /* of which our clients have none */
        r->metrics.signals_ignored += ev->fin ? 1 : 0;
        break;
    case WZP_QUIC_CONNECTED:
    case WZP_QUIC_CLOSED:
        break;
    }
}

/* The handle of a closed connection is stale for the endpoint already. */
static void on_closed_handle(wzp_relay *r, wzp_quic_conn conn) {
    session *s = wzp_relay_find_session(r, conn);
    if (s != NULL) {
        wzp_relay_on_closed(s);
    }
}

static void drain(wzp_relay *r) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(r->quic, &ev)) {
        if (ev.kind == WZP_QUIC_CLOSED) {
            on_closed_handle(r, ev.conn);
        } else {
            on_event(r, &ev);
        }
    }
}

/* --- packet core ------------------------------------------------------------------------------ */

/* Nobody called for a second although there was something to do: the machine or the process slept.
 * What was sent meanwhile comes at once, and its senders are not to blame for that. */
static void wake(wzp_relay *r, wzp_time now) {
    if (wzp_time_since(now, r->now) >= LATE && wzp_time_since(now, wzp_relay_deadline(r)) >= LATE) {
        r->metrics.woken_late++;
        r->judge_from = wzp_time_after(now, GRACE);
    }
    r->now = now;
}

void wzp_relay_recv(wzp_relay *r, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                    wzp_time now) {
    wake(r, now);
    wzp_quic_recv(r->quic, path, ecn, payload, now);
    drain(r);
}

void wzp_relay_tick(wzp_relay *r, wzp_time now) {
    wake(r, now);
    wzp_quic_tick(r->quic, now);
    drain(r);
    for (session *s; (s = due(r)) != NULL;) {
        wzp_relay_on_timer(s);
    }
    wzp_relay_updates_tick(r);
    wzp_relay_trunk_tick(r);
    wzp_relay_calls_tick(r);
    wzp_relay_presence_tick(r);
    wzp_relay_drain_tick(r);
    wzp_relay_peers_tick(r);
    wzp_relay_probes_tick(r);
    wzp_relay_tap_tick(r);
    drain(r);
}

wzp_time wzp_relay_deadline(const wzp_relay *r) {
    wzp_time first = wzp_time_min(wzp_quic_deadline(r->quic), wzp_relay_trunk_deadline(r));
    first = wzp_time_min(first, wzp_calls_deadline(r->calls));
    first = wzp_time_min(first, wzp_relay_tap_deadline(r));
    first = wzp_time_min(first, wzp_relay_peers_deadline(r));
    first = wzp_time_min(first, wzp_relay_probes_deadline(r));
    first = wzp_time_min(first, wzp_timers_deadline(&r->timers));
    first = wzp_time_min(first, wzp_timers_deadline(&r->room_timers));
    return wzp_time_min(first, wzp_relay_presence_deadline(r));
}

size_t wzp_relay_next_packet(wzp_relay *r, wzp_time now, uint8_t *buf, size_t cap,
                             wzp_quic_meta *meta) {
    r->now = now;
    return wzp_quic_next_packet(r->quic, now, buf, cap, meta);
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_relay_recv(self, path, ecn, payload, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_relay_tick(self, now);
}

static wzp_time core_deadline(const void *self) {
    return wzp_relay_deadline(self);
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    return wzp_relay_next_packet(self, now, buf, cap, meta);
}

wzp_core wzp_relay_core(wzp_relay *relay) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){relay, &ops};
}

/* --- event log -------------------------------------------------------------------------------- */

wzp_relay_event *wzp_relay_event_push(wzp_relay *r, const session *s, const char *event,
                                      const char *reason) {
    if (r->events == NULL) {
        r->events = calloc(WZP_LIMIT_EVENTS, sizeof *r->events);
    }
    if (r->events == NULL || r->events_len == WZP_LIMIT_EVENTS) {
        r->metrics.events_dropped++;
        return NULL;
    }
    wzp_relay_event *e = &r->events[(r->events_first + r->events_len++) % WZP_LIMIT_EVENTS];
    *e = (wzp_relay_event){.event = event, .at = r->now};
    (void)snprintf(e->reason, sizeof e->reason, "%s", reason);
    if (s != NULL) {
        char addr[WZP_ADDR_TEXT_MAX];
        memcpy(e->room, s->sni, strlen(s->sni) + 1);
        (void)snprintf(e->peer, sizeof e->peer, "%s",
                       s->fingerprint[0] != '\0' ? s->fingerprint
                                                 : wzp_addr_text(&s->path.remote, addr));
        e->count = s->room != NULL ? (uint32_t)s->room->count : 0;
    }
    return e;
}

bool wzp_relay_next_event(wzp_relay *r, wzp_relay_event *out) {
    if (r->events_len == 0) {
        return false;
    }
    *out = r->events[r->events_first];
    r->events_first = (r->events_first + 1) % WZP_LIMIT_EVENTS;
    r->events_len--;
    return true;
}

/* --- the rest --------------------------------------------------------------------------------- */

void wzp_relay_shutdown(wzp_relay *r, wzp_time now) {
    r->now = now;
    r->shutting_down = true;
    for (session *s = r->sessions; s != NULL; s = s->next) {
        if (s->bridge != NULL) {
            wzp_relay_end(s, "normal close");
        }
    }
    wzp_quic_close_all(r->quic, 0, "normal close", now);
    drain(r);
}

const char *wzp_relay_tls_fingerprint(const wzp_relay *relay) {
    return relay->tls.fingerprint;
}

const char *wzp_relay_fingerprint(const wzp_relay *relay) {
    return relay->identity.fingerprint;
}
