#include "conformance/engine/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFLECTS_LATE (700 * WZP_MS)
#define SLOW (40 * WZP_MS)

static void forget_visits(wzp_ct_visits *v) {
    *v = (wzp_ct_visits){
        .first_at = WZP_TIME_NEVER, .first_loose_at = WZP_TIME_NEVER, .last_at = WZP_TIME_NEVER};
}

void wzp_ct_caller_init(wzp_ct_caller *c, wzp_quic *quic, wzp_rng rng) {
    uint8_t seed[WZP_KEY_LEN];
    *c = (wzp_ct_caller){.quic = quic,
                         .rng = rng,
                         .closed_at = WZP_TIME_NEVER,
                         .reflect_at = WZP_TIME_NEVER,
                         .reflect_due = WZP_TIME_NEVER,
                         .set_up_at = WZP_TIME_NEVER};
    wzp_rng_fill(rng, seed, sizeof seed);
    wzp_identity_from_seed(&c->identity, seed);
    wzp_ephemeral_new(&c->ephemeral, rng);
    (void)snprintf(c->call_id, sizeof c->call_id, "%016llx", (unsigned long long)wzp_rng_u64(rng));
    (void)snprintf(c->room, sizeof c->room, "call-%s", c->call_id);
    for (size_t i = 0; i < WZP_CT_PLACES; i++) {
        forget_visits(&c->visits[i]);
    }
    c->is_deaf[WZP_CT_AT_NOBODY] = true;
}

void wzp_ct_caller_clear(wzp_ct_caller *c) {
    for (size_t i = 0; i < WZP_SIGNAL_COUNT; i++) {
        wzp_signal_free(&c->last[i]);
        free(c->last_json[i]);
    }
    wzp_identity_clear(&c->identity);
    wzp_crypto_wipe(&c->ephemeral, sizeof c->ephemeral);
}

/* --- datagrams -------------------------------------------------------------------------------- */

static size_t place_of(const wzp_ct_caller *c, const wzp_addr *local) {
    size_t i = 0;
    while (i < WZP_CT_PLACES && !wzp_addr_equal(&c->places[i], local)) {
        i++;
    }
    return i;
}

/* RFC 9443: long headers of QUIC, and short ones. */
static bool is_quic(wzp_bytes payload) {
    return payload.len > 0 && payload.data[0] >= 64;
}

static bool is_initial(wzp_bytes payload) {
    return payload.len > 0 && (payload.data[0] & 0xf0) == 0xc0;
}

static void visit(wzp_ct_visits *v, const wzp_addr *from, wzp_bytes payload, wzp_time now) {
    v->datagrams++;
    v->first_at = v->first_at == WZP_TIME_NEVER ? now : v->first_at;
    v->last_at = now;
    v->from = *from;
    v->initials += is_initial(payload) ? 1 : 0;
    if (!is_quic(payload)) {
        v->loose++;
        v->longest_loose = payload.len > v->longest_loose ? payload.len : v->longest_loose;
        v->first_loose_at = v->first_loose_at == WZP_TIME_NEVER ? now : v->first_loose_at;
        v->loose_from = *from;
    }
}

bool wzp_ct_caller_packet(wzp_ct_caller *c, const wzp_quic_path *path, wzp_bytes payload,
                          wzp_time now) {
    const size_t place = place_of(c, &path->local);
    if (place == WZP_CT_PLACES) {
        return true;
    }
    visit(&c->visits[place], &path->remote, payload, now);
    return !c->is_deaf[place] && is_quic(payload);
}

bool wzp_ct_caller_throw(wzp_ct_caller *c, wzp_ct_place from, const wzp_addr *to, wzp_bytes bytes) {
    if (c->thrown_count == WZP_CT_THROWN || bytes.len > WZP_CT_THROWN_MAX) {
        return false;
    }
    wzp_ct_thrown *t = &c->thrown[(c->thrown_first + c->thrown_count++) % WZP_CT_THROWN];
    *t = (wzp_ct_thrown){.path = {c->places[from], *to}, .len = bytes.len};
    memcpy(t->bytes, bytes.data, bytes.len);
    return true;
}

bool wzp_ct_caller_next_thrown(wzp_ct_caller *c, wzp_ct_thrown *out) {
    if (c->thrown_count == 0) {
        return false;
    }
    *out = c->thrown[c->thrown_first];
    c->thrown_first = (c->thrown_first + 1) % WZP_CT_THROWN;
    c->thrown_count--;
    return true;
}

/* --- Reflect ---------------------------------------------------------------------------------- */

static void observe(wzp_ct_caller *c) {
    wzp_addr seen = c->places[WZP_CT_AT_PEER];
    seen.port = c->client.port;
    switch (c->observes) {
    case WZP_CT_OBSERVES_SMALLER: /* the last number of no place is 0, and no text is before "0" */
        seen.ip[3] = 0;
        break;
    case WZP_CT_OBSERVES_LARGER:
    case WZP_CT_OBSERVES_LATE:
        seen = wzp_addr_v4(203, 0, 113, 1, c->client.port);
        break;
    case WZP_CT_OBSERVES_MOVED:
        seen = wzp_addr_v4(203, 0, 113, 2, c->client.port);
        break;
    case WZP_CT_OBSERVES_SAME_IP:
        seen.port = 9;
        break;
    case WZP_CT_OBSERVES_RUBBISH:
    case WZP_CT_OBSERVES_NOTHING:
        break;
    }
    wzp_addr_text(&seen, c->observed);
}

static void answer_reflect(wzp_ct_caller *c) {
    char json[160];
    c->reflect_due = WZP_TIME_NEVER;
    c->was_reflected = c->observes != WZP_CT_OBSERVES_NOTHING;
    if (c->observes == WZP_CT_OBSERVES_RUBBISH) {
        (void)wzp_ct_caller_say(
            c, "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"somewhere:else\"}}");
    } else if (c->was_reflected) {
        observe(c);
        (void)snprintf(json, sizeof json,
                       "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"%s\"}}",
                       c->observed);
        (void)wzp_ct_caller_say(c, json);
    }
}

static void on_reflect(wzp_ct_caller *c, wzp_time now) {
    c->reflect_at = c->reflect_at == WZP_TIME_NEVER ? now : c->reflect_at;
    if (c->observes == WZP_CT_OBSERVES_LATE) {
        c->reflect_due = now + REFLECTS_LATE;
    } else {
        answer_reflect(c);
    }
}

void wzp_ct_caller_tick(wzp_ct_caller *c, wzp_time now) {
    if (c->reflect_due <= now) {
        answer_reflect(c);
    }
}

wzp_time wzp_ct_caller_deadline(const wzp_ct_caller *c) {
    return c->thrown_count > 0 ? 0 : c->reflect_due;
}

/* --- signals that come ------------------------------------------------------------------------ */

static bool tells_address(const wzp_signal *signal) {
    switch (signal->kind) {
    case WZP_SIGNAL_DIRECT_CALL_ANSWER:
        return signal->u.DirectCallAnswer.callee_reflexive_addr.present ||
               signal->u.DirectCallAnswer.callee_local_addrs.count > 0 ||
               signal->u.DirectCallAnswer.callee_mapped_addr.present;
    case WZP_SIGNAL_CANDIDATE_UPDATE:
    case WZP_SIGNAL_HARD_NAT_PROBE:
    case WZP_SIGNAL_HARD_NAT_BIRTHDAY_START:
        return true;
    default:
        return false;
    }
}

static void on_register(wzp_ct_caller *c, const wzp_signal_RegisterPresence *reg) {
    wzp_fingerprint_text(c->fingerprint, reg->identity_pub.bytes);
    c->is_registered = true;
    (void)wzp_ct_caller_say(
        c, "{\"RegisterPresenceAck\":{\"version\":1,\"success\":true,\"relay_build\":\"conform\","
           "\"a_field_of_the_future\":[1,{\"x\":null}]}}");
    (void)wzp_ct_caller_say(c, "{\"PresenceList\":{\"version\":1,\"users\":[]}}");
}

static void remember(wzp_ct_caller *c, wzp_signal *signal, wzp_bytes json, wzp_time now) {
    const size_t kind = signal->kind;
    c->first_at[kind] = c->heard[kind] == 0 ? now : c->first_at[kind];
    c->last_at[kind] = now;
    c->heard[kind]++;
    wzp_signal_free(&c->last[kind]);
    c->last[kind] = signal;
    free(c->last_json[kind]);
    c->last_json[kind] = strndup((const char *)json.data, json.len);
    c->telling += tells_address(signal) ? 1 : 0;
}

/* The relay names the room. */
static void on_offer(wzp_ct_caller *c, const wzp_signal_DirectCallOffer *offer) {
    if (offer->call_id.len > 0 && offer->call_id.len < sizeof c->call_id) {
        (void)snprintf(c->call_id, sizeof c->call_id, "%.*s", (int)offer->call_id.len,
                       (const char *)offer->call_id.data);
        (void)snprintf(c->room, sizeof c->room, "call-%s", c->call_id);
    }
}

static void on_signal(wzp_ct_caller *c, wzp_bytes json, wzp_time now, wzp_evidence *evidence) {
    char text[224];
    wzp_signal *signal = NULL;
    (void)snprintf(text, sizeof text, "%.*s", (int)(json.len < 200 ? json.len : 200),
                   (const char *)json.data);
    wzp_evidence_event(evidence, now, "client", "signal", text);
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        c->unreadable++;
        return;
    }
    remember(c, signal, json, now);
    if (signal->kind == WZP_SIGNAL_REGISTER_PRESENCE) {
        on_register(c, &signal->u.RegisterPresence);
    } else if (signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        on_offer(c, &signal->u.DirectCallOffer);
    } else if (signal->kind == WZP_SIGNAL_REFLECT) {
        on_reflect(c, now);
    }
}

/* --- connections ------------------------------------------------------------------------------ */

static void on_hub_connected(wzp_ct_caller *c, const wzp_quic_event *ev, wzp_time now) {
    if (c->signals < WZP_COUNT_OF(c->signal_at)) {
        c->signal_at[c->signals] = now;
    }
    c->signals++;
    if (c->turns_away) {
        wzp_quic_close(c->quic, ev->conn, 0, "restarting", now);
        return;
    }
    c->signal = ev->conn;
    c->client = ev->path.remote;
    c->closed_at = WZP_TIME_NEVER;
}

static wzp_ct_direct *new_direct(wzp_ct_caller *c) {
    if (c->direct_count == WZP_CT_DIRECTS) {
        c->directs_missed++;
        return NULL;
    }
    wzp_ct_direct *d = &c->directs[c->direct_count++];
    *d = (wzp_ct_direct){.up_at = WZP_TIME_NEVER,
                         .closed_at = WZP_TIME_NEVER,
                         .first_datagram_at = WZP_TIME_NEVER,
                         .last_datagram_at = WZP_TIME_NEVER};
    return d;
}

static wzp_ct_direct *find_direct(wzp_ct_caller *c, wzp_quic_conn conn) {
    for (size_t i = 0; i < c->direct_count; i++) {
        if (c->directs[i].conn == conn) {
            return &c->directs[i];
        }
    }
    return NULL;
}

static void on_dialled(wzp_ct_caller *c, const wzp_quic_event *ev, size_t place) {
    wzp_ct_direct *d = new_direct(c);
    if (d != NULL) {
        d->conn = ev->conn;
        d->place = (wzp_ct_place)place;
        d->client = ev->path.remote;
        (void)snprintf(d->sni, sizeof d->sni, "%s", ev->sni);
    }
}

static void on_direct(wzp_ct_direct *d, const wzp_quic_event *ev, wzp_time now,
                      wzp_evidence *evidence) {
    if (ev->kind == WZP_QUIC_CONNECTED) {
        wzp_evidence_event(evidence, now, "peer", "connected", d->sni);
        d->is_up = true;
        d->up_at = now;
    } else if (ev->kind == WZP_QUIC_DATAGRAM) {
        d->datagrams++;
        d->first_datagram_at = d->first_datagram_at == WZP_TIME_NEVER ? now : d->first_datagram_at;
        d->last_datagram_at = now;
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        wzp_evidence_event(evidence, now, "peer", "closed", wzp_quic_close_text(&ev->close));
        d->closed_at = now;
        d->close = ev->close;
    }
}

static void on_hub(wzp_ct_caller *c, const wzp_quic_event *ev, wzp_time now,
                   wzp_evidence *evidence) {
    if (ev->kind == WZP_QUIC_SIGNAL) {
        on_signal(c, ev->body, now, evidence);
    } else if (ev->kind == WZP_QUIC_SIGNAL_BAD) {
        c->unreadable++;
    } else if (ev->kind == WZP_QUIC_SIGNAL_ACKED) {
        c->watched_came = c->watched_came || ev->stream == c->watched;
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        wzp_evidence_event(evidence, now, "client", "closed", wzp_quic_close_text(&ev->close));
        c->closed_at = now;
        c->signal = 0;
    }
}

bool wzp_ct_caller_event(wzp_ct_caller *c, const wzp_quic_event *ev, wzp_time now,
                         wzp_evidence *evidence) {
    if (ev->kind == WZP_QUIC_CONNECTED && ev->is_server) {
        const size_t place = place_of(c, &ev->path.local);
        if (strcmp(ev->sni, "_signal") == 0 && place == WZP_CT_AT_RELAY) {
            wzp_evidence_event(evidence, now, "client", "connected", ev->sni);
            on_hub_connected(c, ev, now);
            return true;
        }
        if (place != WZP_CT_AT_RELAY && place != WZP_CT_PLACES) {
            on_dialled(c, ev, place);
        }
    }
    wzp_ct_direct *d = find_direct(c, ev->conn);
    if (d != NULL) {
        on_direct(d, ev, now, evidence);
        return true;
    }
    if (c->signal != 0 && ev->conn == c->signal) {
        on_hub(c, ev, now, evidence);
        return true;
    }
    return false;
}

bool wzp_ct_caller_path_is_bad(const wzp_ct_caller *c) {
    wzp_quic_stats stats = {0};
    (void)wzp_quic_conn_stats(c->quic, c->signal, &stats);
    return stats.packets_lost > 0 || stats.smoothed_rtt > SLOW;
}

wzp_ct_direct *wzp_ct_caller_direct(wzp_ct_caller *c, wzp_ct_place place) {
    for (size_t i = 0; i < c->direct_count; i++) {
        if (c->directs[i].place == place && c->directs[i].is_up) {
            return &c->directs[i];
        }
    }
    return NULL;
}

wzp_ct_direct *wzp_ct_caller_dial(wzp_ct_caller *c, wzp_ct_place from, const char *sni,
                                  wzp_time now) {
    char own[sizeof c->room + 8];
    (void)snprintf(own, sizeof own, "call-%s", c->room);
    const wzp_quic_dial dial = {.path = {c->places[from], c->client},
                                .sni = sni != NULL ? sni : own};
    wzp_ct_direct *d = new_direct(c);
    if (d == NULL || wzp_quic_connect(c->quic, &dial, now, &d->conn) != WZP_OK) {
        return NULL;
    }
    d->place = from;
    d->is_ours = true;
    d->client = c->client;
    return d;
}
