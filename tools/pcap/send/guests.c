/* Why this is no client of impl/client: that is one participant with a socket, a voice, a clock of
 * frames and an opinion on quality, and it cannot send what it is given, byte for byte.  Here up to
 * 64 of them share one endpoint and say nothing of their own.  What both must do alike is shared:
 * admission (client/admission.h), the handshake and its keys (crypto/), signals (wire/).  What is
 * left is which of a guest's five states a signal moves.  The party of the conformance suite is a
 * third one on purpose: it breaks each of these rules when a case wants it to. */
#include "tools/pcap/send/guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/admission.h"
#include "crypto/session.h"
#include "wire/signal.h"

enum { SIGNAL_MAX = 8192, DATAGRAM_MAX = 1500, QUEUE_BYTES = 1 << 20 };

typedef enum guest_state { CONNECTS, OFFERED, ANSWERED, IN_ROOM, GONE } guest_state;

typedef struct guest {
    wzp_quic_conn conn;
    guest_state state;
    bool sees_room; /* a RoomUpdate came */
    wzp_admission admission;
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    wzp_session *session; /* from the answer on */
    char alias[64];
} guest;

struct wzp_pcap_guests {
    wzp_pcap_guests_cfg cfg;
    wzp_quic *quic;
    unsigned count;
    wzp_time began;
    wzp_pcap_guests_state state;
    bool never;
    uint64_t queued, heard;
    char why[192];
    guest list[];
};

/* --- words ------------------------------------------------------------------------------------ */

static void end(wzp_pcap_guests *g, const guest *who, const char *why) {
    if (g->state == WZP_PCAP_GUESTS_LEAVE || g->state == WZP_PCAP_GUESTS_GONE) {
        return;
    }
    g->never = g->state == WZP_PCAP_GUESTS_COME;
    g->state = WZP_PCAP_GUESTS_GONE;
    (void)snprintf(g->why, sizeof g->why, "%s: %s", who->alias, why);
}

static bool say(wzp_pcap_guests *g, const guest *who, const wzp_signal *signal) {
    uint8_t buf[SIGNAL_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, signal);
    return wzp_wr_end(&wr) == WZP_OK &&
           wzp_quic_send_signal(g->quic, who->conn, wzp_bytes_of(buf, wzp_wr_len(&wr)), NULL) ==
               WZP_OK;
}

static void offer(wzp_pcap_guests *g, guest *who) {
    static const uint8_t versions[] = {WZP_PROTOCOL_VERSION};
    const wzp_quality_profile profiles[] = {wzp_profile_good, wzp_profile_degraded};
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_handshake_sign(signature, &who->identity, WZP_ROLE_OFFER, who->ephemeral.pub);
    wzp_signal s = {.kind = WZP_SIGNAL_CALL_OFFER,
                    .version = 1,
                    .u.CallOffer = {.signature = {signature, sizeof signature},
                                    .supported_profiles = {profiles, WZP_COUNT_OF(profiles)},
                                    .alias = {true, wzp_bytes_str(who->alias)},
                                    .protocol_version = WZP_PROTOCOL_VERSION,
                                    .supported_versions = {versions, 1}}};
    memcpy(s.u.CallOffer.identity_pub.bytes, who->identity.ed25519_pub, WZP_KEY_LEN);
    memcpy(s.u.CallOffer.ephemeral_pub.bytes, who->ephemeral.pub, WZP_KEY_LEN);
    if (say(g, who, &s)) {
        who->state = OFFERED;
    } else {
        end(g, who, "the offer could not be sent");
    }
}

static void enter(wzp_pcap_guests *g, guest *who) {
    if (who->state != ANSWERED || !who->sees_room) {
        return;
    }
    who->state = IN_ROOM;
    for (unsigned i = 0; i < g->count; i++) {
        if (g->list[i].state != IN_ROOM) {
            return;
        }
    }
    g->state = g->state == WZP_PCAP_GUESTS_COME ? WZP_PCAP_GUESTS_IN : g->state;
}

static void on_answer(wzp_pcap_guests *g, guest *who, const wzp_signal_CallAnswer *a) {
    wzp_session_keys keys;
    const wzp_bytes signature = wzp_bytes_of(a->signature.items, a->signature.count);
    if (who->state != OFFERED) {
        return;
    }
    if (wzp_handshake_verify(signature, a->identity_pub.bytes, WZP_ROLE_ANSWER,
                             a->ephemeral_pub.bytes) != WZP_OK ||
        wzp_handshake_derive(&keys, &who->ephemeral, a->ephemeral_pub.bytes) != WZP_OK) {
        end(g, who, "the relay's answer is not genuine");
        return;
    }
    who->session = wzp_session_new(&keys);
    wzp_crypto_wipe(&keys, sizeof keys);
    if (who->session == NULL) {
        end(g, who, wzp_err_text(WZP_ERR_NOMEM));
        return;
    }
    who->state = ANSWERED;
    enter(g, who);
}

static void on_hangup(wzp_pcap_guests *g, const guest *who, const wzp_hangup_reason *reason) {
    char why[96];
    const char *name = wzp_hangup_name((wzp_hangup_kind)reason->kind);
    const char *code = reason->kind == WZP_HANGUP_POLICY_VIOLATION
                           ? wzp_violation_code_name((wzp_violation_code)reason->code)
                           : "";
    (void)snprintf(why, sizeof why, "the relay hung up: %s %s",
                   name != NULL ? name : "unknown reason", code);
    end(g, who, why);
}

static void on_signal(wzp_pcap_guests *g, guest *who, wzp_bytes json, wzp_time now) {
    wzp_signal *signal = NULL;
    if (g->cfg.signal != NULL) {
        g->cfg.signal(g->cfg.ctx, (unsigned)(who - g->list), json, now);
    }
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        return; /* new kinds are not for us */
    }
    if (signal->kind == WZP_SIGNAL_CALL_ANSWER) {
        on_answer(g, who, &signal->u.CallAnswer);
    } else if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        who->sees_room = true;
        enter(g, who);
    } else if (signal->kind == WZP_SIGNAL_HANGUP) {
        on_hangup(g, who, &signal->u.Hangup.reason);
    }
    wzp_signal_free(&signal);
}

/* --- events ----------------------------------------------------------------------------------- */

static void admit(wzp_pcap_guests *g, guest *who, const wzp_quic_event *ev) {
    const char *why = "";
    switch (wzp_admission_take(&who->admission, g->quic, ev, &why)) {
    case WZP_ADMISSION_GO:
        offer(g, who);
        break;
    case WZP_ADMISSION_REFUSE:
        end(g, who, why);
        break;
    case WZP_ADMISSION_NOTHING:
        break;
    }
}

static void on_event(wzp_pcap_guests *g, const wzp_quic_event *ev, wzp_time now) {
    guest *who = ev->app;
    switch (ev->kind) {
    case WZP_QUIC_CONNECTED:
    case WZP_QUIC_SIGNAL_ACKED:
        admit(g, who, ev);
        break;
    case WZP_QUIC_SIGNAL:
        on_signal(g, who, ev->body, now);
        break;
    case WZP_QUIC_DATAGRAM:
        g->heard++;
        if (g->cfg.media != NULL) {
            g->cfg.media(g->cfg.ctx, (unsigned)(who - g->list), ev->body, now);
        }
        break;
    case WZP_QUIC_CLOSED:
        who->state = GONE;
        end(g, who, wzp_quic_close_text(&ev->close));
        break;
    case WZP_QUIC_SIGNAL_BAD:
    case WZP_QUIC_UNI:
    case WZP_QUIC_PATH:
        break;
    }
}

/* --- as a core -------------------------------------------------------------------------------- */

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_pcap_guests *g = self;
    wzp_quic_recv(g->quic, path, ecn, payload, now);
}

static wzp_time patience_ends(const wzp_pcap_guests *g) {
    return g->state == WZP_PCAP_GUESTS_COME ? g->began + WZP_PCAP_GUESTS_PATIENCE : WZP_TIME_NEVER;
}

static void core_tick(void *self, wzp_time now) {
    wzp_pcap_guests *g = self;
    wzp_quic_event ev;
    wzp_quic_tick(g->quic, now);
    while (wzp_quic_next_event(g->quic, &ev)) {
        on_event(g, &ev, now);
    }
    if (patience_ends(g) <= now) {
        for (unsigned i = 0; i < g->count; i++) {
            if (g->list[i].state != IN_ROOM) {
                end(g, &g->list[i], "not let into the room in time");
            }
        }
    }
}

static wzp_time core_deadline(const void *self) {
    const wzp_pcap_guests *g = self;
    return wzp_time_min(wzp_quic_deadline(g->quic), patience_ends(g));
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_pcap_guests *g = self;
    return wzp_quic_next_packet(g->quic, now, buf, cap, meta);
}

wzp_core wzp_pcap_guests_core(wzp_pcap_guests *g) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    return (wzp_core){g, &ops};
}

/* --- commands --------------------------------------------------------------------------------- */

wzp_pcap_guests_state wzp_pcap_guests_state_of(const wzp_pcap_guests *g, const char **why) {
    if (why != NULL) {
        *why = g->why;
    }
    return g->state;
}

bool wzp_pcap_guests_came_never(const wzp_pcap_guests *g) {
    return g->state == WZP_PCAP_GUESTS_GONE && g->never;
}

wzp_err wzp_pcap_guests_send(wzp_pcap_guests *g, unsigned i, wzp_bytes packet) {
    const wzp_err err = wzp_quic_send_datagram(g->quic, g->list[i].conn, packet);
    g->queued += err == WZP_OK;
    return err;
}

wzp_err wzp_pcap_guests_seal(wzp_pcap_guests *g, unsigned i, const wzp_media_packet *packet) {
    uint8_t buf[DATAGRAM_MAX];
    uint8_t sealed[DATAGRAM_MAX];
    wzp_wr wr;
    const guest *who = &g->list[i];
    if (who->session == NULL) {
        return WZP_ERR_CLOSED;
    }
    if (packet->payload.len + WZP_TAG_LEN > sizeof sealed) {
        return WZP_ERR_TOO_LARGE;
    }
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_hdr_write(&wr, &packet->hdr);
    const wzp_err err = wzp_session_seal(who->session, wzp_bytes_of(buf, WZP_MEDIA_HDR_LEN),
                                         packet->payload, sealed);
    if (err != WZP_OK) {
        return err;
    }
    wzp_wr_bytes(&wr, wzp_bytes_of(sealed, packet->payload.len + WZP_TAG_LEN));
    if ((packet->hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        wzp_quality_report_write(&wr, &packet->report); /* in clear, as deployed */
    }
    return wzp_wr_end(&wr) == WZP_OK
               ? wzp_pcap_guests_send(g, i, wzp_bytes_of(buf, wzp_wr_len(&wr)))
               : WZP_ERR_TOO_LARGE;
}

void wzp_pcap_guests_count(const wzp_pcap_guests *g, wzp_pcap_guests_counters *out) {
    *out = (wzp_pcap_guests_counters){.queued = g->queued, .heard = g->heard};
    for (unsigned i = 0; i < g->count; i++) {
        wzp_quic_stats stats;
        if (wzp_quic_conn_stats(g->quic, g->list[i].conn, &stats)) {
            out->sent += stats.datagrams_sent;
            out->dropped += stats.datagrams_dropped_queue + stats.datagrams_expired;
            out->lost += stats.datagrams_lost;
        }
    }
}

void wzp_pcap_guests_leave(wzp_pcap_guests *g, wzp_time now) {
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP, .version = 1, .u.Hangup.reason.kind = WZP_HANGUP_NORMAL};
    if (g->state != WZP_PCAP_GUESTS_GONE) {
        g->state = WZP_PCAP_GUESTS_LEAVE;
    }
    for (unsigned i = 0; i < g->count; i++) {
        if (g->list[i].state == IN_ROOM) {
            (void)say(g, &g->list[i], &hangup);
        }
    }
    wzp_quic_close_all(g->quic, 0, "hangup", now);
}

/* --- life ------------------------------------------------------------------------------------- */

static wzp_err dial(wzp_pcap_guests *g, unsigned i, wzp_time now) {
    guest *who = &g->list[i];
    const wzp_quic_dial d = {.path = g->cfg.path, .sni = g->cfg.room, .app = who};
    wzp_identity_from_seed(&who->identity, g->cfg.seeds + (size_t)i * WZP_KEY_LEN);
    wzp_ephemeral_new(&who->ephemeral, g->cfg.rng);
    (void)snprintf(who->alias, sizeof who->alias, "%s", g->cfg.aliases[i]);
    const wzp_err err = wzp_admission_init(&who->admission, g->cfg.token, NULL);
    return err == WZP_OK ? wzp_quic_connect(g->quic, &d, now, &who->conn) : err;
}

wzp_err wzp_pcap_guests_new(wzp_pcap_guests **out, const wzp_pcap_guests_cfg *cfg, wzp_time now) {
    if (cfg->count == 0 || cfg->count > WZP_PCAP_GUESTS_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_pcap_guests *g = calloc(1, sizeof *g + cfg->count * sizeof g->list[0]);
    if (g == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_quic_cfg quic = {.rng = cfg->rng,
                               .datagram_queue_bytes = QUEUE_BYTES,
                               .deterministic = cfg->deterministic,
                               .keylog = cfg->keylog,
                               .keylog_ctx = cfg->keylog_ctx};
    g->cfg = *cfg;
    g->count = cfg->count;
    g->began = now;
    wzp_err err = wzp_quic_new(&g->quic, &quic, now);
    for (unsigned i = 0; i < cfg->count && err == WZP_OK; i++) {
        err = dial(g, i, now);
    }
    if (err != WZP_OK) {
        wzp_pcap_guests_free(&g);
        return err;
    }
    g->cfg.seeds = NULL;
    g->cfg.aliases = NULL;
    g->cfg.room = g->cfg.token = NULL;
    *out = g;
    return WZP_OK;
}

void wzp_pcap_guests_free(wzp_pcap_guests **guests) {
    wzp_pcap_guests *g = *guests;
    if (g == NULL) {
        return;
    }
    wzp_quic_free(&g->quic);
    for (unsigned i = 0; i < g->count; i++) {
        wzp_session_free(&g->list[i].session);
        wzp_identity_clear(&g->list[i].identity);
        wzp_crypto_wipe(&g->list[i], sizeof g->list[i]);
    }
    free(g);
    *guests = NULL;
}
