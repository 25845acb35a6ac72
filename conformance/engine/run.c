#include "conformance/engine/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance/engine/exec.h"
#include "conformance/engine/peers.h"

static const char *const names[WZP_CT_PARTIES] = {"X",  "L",  "KX", "KL", "AX",
                                                  "AL", "P6", "P7", "P8"};

/* --- for the files that play ------------------------------------------------------------------ */

double wzp_ct_exec_since_onset(const wzp_ct_exec *e, wzp_time at) {
    return ((double)at - (double)e->onset) / 1e9;
}

void wzp_ct_exec_mark(wzp_ct_exec *e, wzp_ct_lane lane, double from, double until,
                      const char *label) {
    if (e->result.mark_count < WZP_CT_MARKS_MAX) {
        wzp_ct_mark *m = &e->result.marks[e->result.mark_count++];
        *m = (wzp_ct_mark){.lane = lane, .t_s = from, .until_s = until};
        (void)snprintf(m->label, sizeof m->label, "%s", label);
    }
}

void wzp_ct_exec_enter(wzp_ct_exec *e, wzp_ct_phase next, wzp_time now) {
    static const char *const phases[] = {"setup", "echo",     "gap",  "pattern", "settle",
                                         "after", "exchange", "play", "done"};
    e->phase = next;
    e->phase_at = now;
    wzp_evidence_event(e->cfg.evidence, now, "case", "phase", phases[next]);
}

void wzp_ct_exec_finish(wzp_ct_exec *e, wzp_time now) {
    e->result.duration_s = ((double)now - (double)e->started) / 1e9;
    wzp_quic_close_all(e->quic, 0, "done", now); /* leave the relay as it was found */
    wzp_ct_exec_enter(e, WZP_CT_PHASE_DONE, now);
}

void wzp_ct_exec_decide(wzp_ct_exec *e, wzp_ct_grade grade, wzp_ct_reason reason,
                        const char *actual, wzp_time now) {
    e->result.grade = grade;
    e->result.reason = reason;
    (void)snprintf(e->result.actual, sizeof e->result.actual, "%s", actual);
    wzp_ct_exec_finish(e, now);
}

/* How often it is served at least, and what counts as late: an idle machine needs a few ms. */
#define PULSE (25 * WZP_MS)
#define LATE (10 * WZP_MS)

void wzp_ct_exec_reset_pulse(wzp_ct_exec *e) {
    e->pulse_due = WZP_TIME_NEVER;
    e->late_worst = e->late_total = 0;
}

void wzp_ct_exec_pulse(wzp_ct_exec *e, wzp_time now) {
    if (e->pulse_due != WZP_TIME_NEVER && now > e->pulse_due) {
        const uint64_t late = now - e->pulse_due;
        e->late_worst = late > e->late_worst ? late : e->late_worst;
        e->late_total += late > LATE ? late : 0;
    }
    e->pulse_due = now + PULSE;
    e->wake = wzp_time_min(e->wake, e->pulse_due);
}

/* A relay waits half a second for the acknowledgement of last words. */
bool wzp_ct_exec_was_late(const wzp_ct_exec *e, double within_s) {
    const double total_s = (double)e->late_total / 1e9;
    return total_s > 0.4 || total_s > within_s / 4;
}

void wzp_ct_exec_room(wzp_ct_exec *e, char out[40]) {
    (void)snprintf(out, 40, "ct-%016llx", (unsigned long long)wzp_rng_u64(wzp_prng_rng(&e->prng)));
}

bool wzp_ct_exec_connect(wzp_ct_exec *e, wzp_ct_who who, wzp_party_dial *dial, wzp_time now) {
    dial->name = names[who];
    dial->local = &e->locals[who];
    dial->target = &e->cfg.target;
    dial->video = e->cfg.which->video;
    return wzp_party_connect(&e->parties[who], e->quic, dial, e->cfg.rng, now);
}

bool wzp_ct_exec_dial(wzp_ct_exec *e, wzp_ct_who who, const char *room, wzp_time now) {
    return wzp_ct_exec_connect(e, who, &(wzp_party_dial){.room = room}, now);
}

bool wzp_ct_exec_send(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes datagram) {
    return wzp_party_open(&e->parties[who]) &&
           wzp_quic_send_datagram(e->quic, e->parties[who].conn, datagram) == WZP_OK;
}

wzp_time wzp_ct_exec_speak(wzp_ct_exec *e, wzp_ct_speech *s, wzp_ct_who who, wzp_ledger *ledger,
                           wzp_time now) {
    uint8_t buf[WZP_CT_SPEECH_BYTES];
    while (s->index < s->count && s->from + s->index * WZP_CT_SPEECH_STEP <= now) {
        const wzp_bytes bytes = wzp_ct_speech_bytes(s, e->cfg.seed + (uint64_t)who, buf);
        if (wzp_ct_exec_send(e, who, bytes)) {
            wzp_ledger_sent(ledger, bytes, now);
        }
        s->index++;
    }
    return s->index < s->count ? s->from + s->index * WZP_CT_SPEECH_STEP : WZP_TIME_NEVER;
}

/* --- events ----------------------------------------------------------------------------------- */

static int who_is(const wzp_ct_exec *e, wzp_quic_conn conn) {
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        if (e->parties[i].conn == conn && conn != 0) {
            return i;
        }
    }
    return -1;
}

static void on_datagram(wzp_ct_exec *e, wzp_ct_who who, wzp_bytes bytes, wzp_time now) {
    if (e->cfg.which->kind == WZP_CT_TRAFFIC) {
        wzp_ct_traffic_datagram(e, who, bytes, now);
    } else if (e->cfg.which->on_datagram != NULL) {
        e->cfg.which->on_datagram(e, who, bytes, now);
    }
}

static void on_other(wzp_ct_exec *e, wzp_ct_who who, const wzp_quic_event *ev, wzp_time now) {
    const wzp_signal *signal = wzp_party_event(&e->parties[who], ev, now, e->cfg.evidence);
    if (signal != NULL && e->cfg.which->on_signal != NULL) {
        e->cfg.which->on_signal(e, who, signal, now);
    }
}

static void tell_crowd(const wzp_ct_exec *e, const wzp_quic_event *ev, wzp_time now) {
    for (size_t i = 0; i < e->crowd_count; i++) {
        if (e->crowd_conns[i] == ev->conn) {
            (void)wzp_party_event(&e->crowd[i], ev, now, e->cfg.evidence);
            return;
        }
    }
}

/* Somebody dialled us: as a relay that links, or as one that measures. */
static void admit(wzp_ct_exec *e, const wzp_quic_event *ev) {
    const bool is_probe = strcmp(ev->sni, "_probe") == 0;
    const wzp_ct_who who = is_probe                                 ? WZP_CT_L
                           : wzp_party_open(&e->parties[WZP_CT_KX]) ? WZP_CT_KL
                                                                    : WZP_CT_KX;
    wzp_party_accept(&e->parties[who], e->quic, ev, names[who]);
}

static void drain(wzp_ct_exec *e, wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(e->quic, &ev)) {
        if (e->caller != NULL && wzp_ct_caller_event(e->caller, &ev, now, e->cfg.evidence)) {
            continue;
        }
        if (e->server != NULL) {
            wzp_ct_server_event(e->server, &ev, now, e->cfg.evidence);
            continue;
        }
        if (ev.kind == WZP_QUIC_CONNECTED && ev.is_server && e->server == NULL) {
            admit(e, &ev);
        }
        const int who = who_is(e, ev.conn);
        if (who < 0) {
            tell_crowd(e, &ev, now);
            continue;
        }
        if (ev.kind == WZP_QUIC_DATAGRAM) {
            on_datagram(e, (wzp_ct_who)who, ev.body, now);
        } else {
            on_other(e, (wzp_ct_who)who, &ev, now);
        }
    }
}

static void step(wzp_ct_exec *e, wzp_time now) {
    e->wake = WZP_TIME_NEVER;
    switch (e->phase) {
    case WZP_CT_PHASE_EXCHANGE:
        wzp_ct_exchange_step(e, now);
        break;
    case WZP_CT_PHASE_PLAY:
        wzp_ct_play_step(e, now);
        break;
    case WZP_CT_PHASE_DONE:
        break;
    default:
        wzp_ct_traffic_step(e, now);
        break;
    }
}

/* --- packet core --- */

/* Of no connection, or lost on purpose. */
static void on_loose(wzp_ct_exec *e, const wzp_quic_path *path, wzp_bytes payload, wzp_time now) {
    if (e->cfg.which->on_loose != NULL) {
        e->cfg.which->on_loose(e, path, payload, now);
    }
    e->wake = now;
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_ct_exec *e = self;
    wzp_quic_path inside = *path;
    const bool is_play = e->cfg.which->kind == WZP_CT_PLAY;
    if (is_play && !wzp_ct_wire_in(e, &inside, payload.len, now)) {
        return;
    }
    wzp_evidence_packet(e->cfg.evidence, &path->remote, &path->local, payload, now);
    if (e->caller != NULL && !wzp_ct_caller_packet(e->caller, path, payload, now)) {
        on_loose(e, path, payload, now);
        return;
    }
    wzp_quic_recv(e->quic, &inside, ecn, payload, now);
    drain(e, now);
}

static void core_tick(void *self, wzp_time now) {
    wzp_ct_exec *e = self;
    wzp_quic_tick(e->quic, now);
    drain(e, now);
    if (e->caller != NULL) {
        wzp_ct_caller_tick(e->caller, now);
    }
    wzp_ct_phase before;
    do { /* a phase that ends may let the next one begin at once */
        before = e->phase;
        step(e, now);
    } while (e->phase != before && e->phase != WZP_CT_PHASE_DONE);
}

static wzp_time core_deadline(const void *self) {
    const wzp_ct_exec *e = self;
    const wzp_time first = wzp_time_min(wzp_quic_deadline(e->quic), e->wake);
    return e->caller != NULL ? wzp_time_min(first, wzp_ct_caller_deadline(e->caller)) : first;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_ct_exec *e = self;
    wzp_ct_thrown thrown;
    size_t n = 0;
    if (e->caller != NULL && wzp_ct_caller_next_thrown(e->caller, &thrown)) {
        memcpy(buf, thrown.bytes, thrown.len);
        *meta = (wzp_quic_meta){.path = thrown.path, .segment = (uint16_t)thrown.len};
        n = thrown.len;
    } else {
        n = wzp_quic_next_packet(e->quic, now, buf, cap, meta);
        if (n > 0 && e->cfg.which->kind == WZP_CT_PLAY) {
            wzp_ct_wire_out(e, &meta->path, n, now);
        }
    }
    for (size_t at = 0; e->cfg.evidence != NULL && at < n; at += meta->segment) {
        const size_t len = n - at < meta->segment ? n - at : meta->segment;
        wzp_evidence_packet(e->cfg.evidence, &meta->path.local, &meta->path.remote,
                            wzp_bytes_of(buf + at, len), now);
    }
    return n;
}

wzp_core wzp_ct_exec_core(wzp_ct_exec *e) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){e, &ops};
}

/* --- life --- */

static void on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    wzp_ct_exec *e = ctx;
    (void)conn;
    wzp_evidence_secret(e->cfg.evidence, line);
}

static bool open_endpoint(wzp_ct_exec *e, const wzp_quic_identity *identity, wzp_time now) {
    const wzp_quic_cfg quic = {.rng = e->cfg.rng,
                               .identity = identity,
                               .loopback_mtu = false,
                               .datagram_queue_bytes = 262144,
                               .deterministic = e->cfg.deterministic,
                               .keep_alive = e->cfg.which->silent ? WZP_TIME_NEVER : 0,
                               .qlog = e->cfg.which->sees_paths ? wzp_ct_wire_qlog : NULL,
                               .qlog_ctx = e,
                               .keylog = e->cfg.evidence != NULL ? on_keylog : NULL,
                               .keylog_ctx = e};
    return wzp_quic_new(&e->quic, &quic, now) == WZP_OK;
}

/* An endpoint that accepts connections: the testers are the relay. */
static bool open_relay(wzp_ct_exec *e, wzp_time now) {
    wzp_tls_identity tls;
    uint8_t seed[WZP_KEY_LEN];
    wzp_rng_fill(e->cfg.rng, seed, sizeof seed);
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    const bool opened = open_endpoint(e, &identity, now);
    wzp_tls_identity_clear(&tls);
    e->server = opened ? calloc(1, sizeof *e->server) : NULL;
    if (e->server == NULL || /* a play's room is in `offer` */
        !wzp_ct_server_init(e->server, e->quic, e->cfg.rng, e->offer)) {
        return false;
    }
    if (e->cfg.which->mode != WZP_CT_JOINS) {
        e->caller = calloc(1, sizeof *e->caller);
        if (e->caller == NULL) {
            return false;
        }
        wzp_ct_caller_init(e->caller, e->quic, e->cfg.rng);
        e->server->room = e->caller->room; /* which a client that calls names anew */
    }
    return true;
}

/* One that accepts relays: the testers are the first of their peers. */
static bool open_peer(wzp_ct_exec *e, wzp_time now) {
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, (const uint8_t *)wzp_ct_peers[0].seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    const bool opened = open_endpoint(e, &identity, now);
    wzp_tls_identity_clear(&tls);
    return opened;
}

static bool open_as_needed(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_case *c = e->cfg.which;
    return c->client != WZP_CT_CLIENT_NONE       ? open_relay(e, now)
           : c->config == WZP_CT_CONFIG_DIALLING ? open_peer(e, now)
                                                 : open_endpoint(e, NULL, now);
}

wzp_ct_exec *wzp_ct_exec_new(const wzp_ct_exec_cfg *cfg, wzp_time now) {
    wzp_ct_exec *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    e->cfg = *cfg;
    e->started = now;
    e->result.hangup_s = e->result.close_s = -1;
    wzp_prng_init(&e->prng, cfg->seed, "run");
    if (cfg->deterministic) {
        e->cfg.rng = wzp_prng_rng(&e->prng);
    }
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        wzp_party_init(&e->parties[i]);
    }
    if (!open_as_needed(e, now)) {
        wzp_ct_exec_free(&e);
    }
    return e;
}

size_t wzp_ct_exec_addresses(const wzp_ct_case *c) {
    return c->mode != WZP_CT_JOINS           ? WZP_CT_PLACES
           : c->client != WZP_CT_CLIENT_NONE ? 1
           : c->kind == WZP_CT_EXCHANGE      ? WZP_CT_L + 1
           : c->kind == WZP_CT_TRAFFIC       ? WZP_CT_AL + 1
                                             : WZP_CT_PARTIES;
}

/* All of 127/8 is this machine. */
void wzp_ct_exec_wishes(const wzp_ct_exec *e, wzp_addr *locals) {
    const uint64_t net = e->cfg.seed;
    const size_t count = wzp_ct_exec_addresses(e->cfg.which);
    memset(locals, 0, count * sizeof *locals);
    for (size_t i = 0; i < count && e->caller != NULL; i++) {
        locals[i] = wzp_addr_v4(127, (uint8_t)(1 + net % 250), (uint8_t)(net >> 16),
                                (uint8_t)(i + 1), i == WZP_CT_AT_GATEWAY ? WZP_CT_PORTMAP_PORT : 0);
    }
}

void wzp_ct_exec_start(wzp_ct_exec *e, const wzp_addr *locals, wzp_time now) {
    memcpy(e->locals, locals, wzp_ct_exec_addresses(e->cfg.which) * sizeof *locals);
    if (e->caller != NULL) {
        memcpy(e->caller->places, locals, sizeof e->caller->places);
    }
    e->started = now;
    e->wake = now;
    if (e->cfg.which->kind == WZP_CT_EXCHANGE) {
        wzp_ct_exchange_begin(e, now);
    } else if (e->cfg.which->kind == WZP_CT_PLAY) {
        wzp_ct_play_begin(e, now);
    } else {
        wzp_ct_traffic_begin(e, now);
    }
}

void wzp_ct_exec_invitation(const wzp_ct_case *c, wzp_ct_invitation *out) {
    *out = (wzp_ct_invitation){.mode = c->mode,
                               .answer = c->answer,
                               .paths = c->paths,
                               .stun.family = c->needs_stun ? WZP_ADDR_V4 : WZP_ADDR_NONE,
                               .stun2.family = c->needs_stun2 ? WZP_ADDR_V4 : WZP_ADDR_NONE,
                               .as_json = c->as_json,
                               .gateway.family = c->needs_gateway ? WZP_ADDR_V4 : WZP_ADDR_NONE,
                               .room = "",
                               .hears = c->hears,
                               .sealed = c->client == WZP_CT_CLIENT_SEALED,
                               .quiet = c->quiet,
                               .quality = c->quality != NULL ? c->quality : "good"};
}

bool wzp_ct_exec_invite(wzp_ct_exec *e) {
    wzp_ct_invitation to;
    wzp_ct_exec_invitation(e->cfg.which, &to);
    to.addr = e->locals[0];
    to.room = e->offer;
    to.peer = to.mode == WZP_CT_CALLS ? e->caller->identity.fingerprint : NULL;
    if (e->cfg.which->needs_stun || to.mode == WZP_CT_CHECKS) { /* who need not be told may be */
        to.stun = e->locals[WZP_CT_AT_STUN];
    }
    to.stun2 = e->cfg.which->needs_stun2 ? e->locals[WZP_CT_AT_STRANGER] : to.stun2;
    to.gateway = e->cfg.which->needs_gateway || e->cfg.which->takes_gateway
                     ? e->locals[WZP_CT_AT_GATEWAY]
                     : to.gateway;
    e->subject = e->cfg.clients->start(e->cfg.clients_ctx, &to);
    return e->subject != NULL;
}

bool wzp_ct_exec_done(const wzp_ct_exec *e) {
    return e->phase == WZP_CT_PHASE_DONE;
}

const wzp_ct_run *wzp_ct_exec_result(const wzp_ct_exec *e) {
    return &e->result;
}

wzp_evidence *wzp_ct_exec_evidence(wzp_ct_exec *e) {
    return e->cfg.evidence;
}

wzp_ct_mode wzp_ct_exec_mode(const wzp_ct_exec *e) {
    return e->mode;
}

void wzp_ct_exec_abort(wzp_ct_exec *e, wzp_ct_grade grade, wzp_ct_reason reason, wzp_time now) {
    if (e->phase != WZP_CT_PHASE_DONE) {
        wzp_ct_exec_decide(e, grade, reason, wzp_ct_reason_text(reason), now);
    }
}

void wzp_ct_exec_free(wzp_ct_exec **exec) {
    wzp_ct_exec *e = *exec;
    if (e == NULL) {
        return;
    }
    if (e->subject != NULL) {
        e->cfg.clients->end(e->cfg.clients_ctx, e->subject);
    }
    if (e->server != NULL) {
        wzp_ct_server_clear(e->server);
        free(e->server);
    }
    if (e->caller != NULL) {
        wzp_ct_caller_clear(e->caller);
        free(e->caller);
    }
    wzp_quic_free(&e->quic);
    for (int i = 0; i < WZP_CT_PARTIES; i++) {
        wzp_party_clear(&e->parties[i]);
    }
    for (size_t i = 0; i < e->crowd_count; i++) {
        wzp_party_clear(&e->crowd[i]);
    }
    free(e->crowd);
    free(e->crowd_conns);
    free(e->play_state);
    wzp_ct_pattern_free(&e->pattern);
    wzp_ledger_clear(&e->main);
    wzp_ledger_clear(&e->side);
    wzp_ledger_clear(&e->forbidden);
    wzp_evidence_free(&e->cfg.evidence);
    free(e->sent);
    free(e);
    *exec = NULL;
}
