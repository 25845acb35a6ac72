/* Other relays: their connections feed the federation, and what it wants is done here (relay sheet
 * 9).  What of it concerns direct calls is in direct.c. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

/* Our own peers announce 1600 rooms per second at most, and calls are few. */
enum { SIGNALS_PER_SECOND = 4000, DATAGRAM_MAX = 2048 };

/* --- connections ------------------------------------------------------------------------------ */

static void dial(wzp_relay *r, const wzp_fed_output *out) {
    const wzp_quic_dial how = {.path.remote = out->addr, .sni = "_federation"};
    wzp_quic_conn conn = 0;
    if (wzp_relay_is_ending(r) || wzp_quic_connect(r->quic, &how, r->now, &conn) != WZP_OK) {
        wzp_federation_failed(r->federation, out->peer, r->now);
        return;
    }
    wzp_fed_link *link = wzp_federation_dialled(r->federation, out->peer, conn);
    session *s = link != NULL ? wzp_relay_new_session(r, conn, "_federation") : NULL;
    if (s == NULL) {
        wzp_quic_close(r->quic, conn, 0, "no memory", r->now);
        if (link != NULL) {
            wzp_federation_closed(r->federation, link, r->now);
        } else {
            wzp_federation_failed(r->federation, out->peer, r->now);
        }
        return;
    }
    s->state = SESSION_DIALLED;
    s->link = link;
    s->path.remote = out->addr;
    wzp_quic_set_app(r->quic, conn, s);
}

/* Our own connection to a peer stands. */
void wzp_relay_on_dialled(session *s, const wzp_quic_event *ev) {
    wzp_relay *r = s->relay;
    uint8_t cert[WZP_SHA256_LEN];
    wzp_fed_peer_info peer;
    const bool is_known = wzp_quic_peer_cert_sha256(r->quic, s->conn, cert);
    s->path = ev->path;
    s->state = SESSION_LINK;
    wzp_federation_connected(r->federation, s->link, is_known ? cert : NULL, r->now);
    wzp_federation_peer(r->federation, wzp_fed_link_peer(s->link), &peer);
    wzp_relay_event_push(r, s, "federation_link", peer.label);
    if (!is_known || !wzp_federation_is_pinned(r->federation, wzp_fed_link_peer(s->link), cert)) {
        wzp_relay_event_push(r, s, "federation_certificate", peer.label);
        wzp_logf(&r->cfg.log, WZP_LOG_WARN,
                 "federation: '%s' shows another certificate than its fingerprint says",
                 peer.label);
    }
}

static void admit(session *s, wzp_bytes hello) {
    wzp_relay *r = s->relay;
    const char *why = "";
    s->link = wzp_federation_accepted(r->federation, s->conn, &s->path.remote, hello, r->now, &why);
    if (s->link == NULL) {
        char addr[WZP_ADDR_TEXT_MAX];
        r->metrics.handshake_refusals++;
        wzp_relay_event_push(r, s, "federation_refused", why);
        wzp_logf(&r->cfg.log, WZP_LOG_INFO,
                 "federation: %s from %s, fingerprint '%.*s'; to trust it, add [[trusted]]", why,
                 wzp_addr_text(&s->path.remote, addr), (int)(hello.len < 95 ? hello.len : 95),
                 (const char *)hello.data);
        wzp_relay_end(s, "normal close");
        return;
    }
    wzp_fed_peer_info peer;
    wzp_federation_peer(r->federation, wzp_fed_link_peer(s->link), &peer);
    s->state = SESSION_LINK;
    wzp_relay_set_deadline(s, WZP_TIME_NEVER);
    wzp_relay_event_push(r, s, "federation_link", peer.label);
}

/* The first signal of somebody who linked to us. */
void wzp_relay_on_hello(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    if (r->federation != NULL && wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK &&
        signal->kind == WZP_SIGNAL_FEDERATION_HELLO) {
        admit(s, signal->u.FederationHello.tls_fingerprint);
    } else {
        r->metrics.handshake_refusals++;
        wzp_relay_end(s, "normal close");
    }
    wzp_signal_free(&signal);
}

void wzp_relay_link_closed(session *s) {
    if (s->link != NULL) {
        wzp_relay_event_push(s->relay, s, "federation_unlink", "");
        wzp_federation_closed(s->relay->federation, s->link, s->relay->now);
        s->link = NULL;
    }
}

/* Unlike with deployed relays, what cannot be read does not end the link. */
void wzp_relay_on_link_signal(session *s, wzp_bytes json) {
    wzp_relay *r = s->relay;
    wzp_signal *signal = NULL;
    if (!wzp_relay_rate(&s->passed, SIGNALS_PER_SECOND, r->now)) {
        r->metrics.peer_signals_dropped++;
        return;
    }
    if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        r->metrics.signals_unknown++;
        return;
    }
    const wzp_signal *inner = wzp_federation_signal(r->federation, s->link, signal, r->now);
    if (inner != NULL) {
        wzp_relay_on_peer_call(s, inner);
    }
    wzp_signal_free(&signal);
}

/* --- media: no allocation, no JSON ------------------------------------------------------------ */

static void send_to_peers(wzp_relay *r, wzp_bytes datagram, uint32_t except) {
    size_t count = 0;
    const wzp_fed_target *targets = wzp_federation_targets(r->federation, &count);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].peer == except) {
            continue;
        }
        if (wzp_quic_send_datagram(r->quic, targets[i].conn, datagram) == WZP_OK) {
            wzp_federation_sent(r->federation, targets[i].peer);
        } else {
            wzp_federation_not_sent(r->federation);
        }
    }
}

/* A packet of a local member of a bridged room. */
void wzp_relay_to_peers(const room *rm, wzp_bytes packet) {
    uint8_t buf[DATAGRAM_MAX];
    const size_t len = wzp_federation_egress(rm->relay->federation, rm->global, packet, buf,
                                             sizeof buf, rm->relay->now);
    if (len > 0) {
        send_to_peers(rm->relay, wzp_bytes_of(buf, len), WZP_FED_NO_PEER);
    }
}

/* To everyone, without a choice of layers, as deployed. */
static size_t deliver(const room *rm, const wzp_federation_datagram *in) {
    bridge_frame *shared = NULL;
    for (size_t i = 0; i < rm->count; i++) {
        session *to = rm->members[i];
        if (to->barred) {
            continue;
        }
        if (to->bridge != NULL) {
            wzp_relay_bridge_push(to, in->packet.payload, &shared);
        } else {
            wzp_relay_send_media(to, in->packet_bytes);
        }
    }
    wzp_relay_bridge_done(&shared);
    return rm->count;
}

/* For the event log, if it wants every packet (relay sheet 11.4). */
static void note(session *s, wzp_fed_verdict verdict, const wzp_fed_packet *in, size_t len) {
    static const char *const names[WZP_FED_VERDICT_COUNT] = {
        [WZP_FED_DELIVER] = "local_deliver",  [WZP_FED_MALFORMED] = "federation_ingress_malformed",
        [WZP_FED_NO_ROOM] = "room_not_found", [WZP_FED_DUPLICATE] = "dedup_drop",
        [WZP_FED_RATE] = "rate_limit_drop",   [WZP_FED_PEER_RATE] = "peer_rate_limit_drop",
        [WZP_FED_EXCESS] = "excess_drop",
    };
    wzp_relay *r = s->relay;
    if (!r->cfg.packet_events) {
        return;
    }
    wzp_fed_peer_info peer;
    wzp_federation_peer(r->federation, wzp_fed_link_peer(s->link), &peer);
    wzp_relay_event *e = wzp_relay_event_push(r, NULL, names[verdict], "");
    if (e == NULL) {
        return;
    }
    (void)snprintf(e->peer, sizeof e->peer, "%s", peer.key);
    e->len = (uint32_t)len;
    e->count = (uint32_t)(verdict == WZP_FED_DELIVER ? in->delivered : 0);
    if (verdict != WZP_FED_MALFORMED && verdict != WZP_FED_PEER_RATE) {
        e->seq = in->parsed.packet.hdr.seq;
        (void)snprintf(e->codec, sizeof e->codec, "%s",
                       wzp_codec_find(in->parsed.packet.hdr.codec_id)->name);
    }
    if (verdict == WZP_FED_DELIVER || verdict == WZP_FED_RATE || verdict == WZP_FED_EXCESS) {
        (void)snprintf(e->room, sizeof e->room, "%s", wzp_fed_room_name(in->room));
    }
}

void wzp_relay_on_link_datagram(session *s, wzp_bytes datagram) {
    wzp_relay *r = s->relay;
    wzp_fed_packet in = {0};
    const wzp_fed_verdict verdict =
        wzp_federation_ingress(r->federation, s->link, datagram, r->now, &in);
    for (size_t i = 0; verdict == WZP_FED_DELIVER && i < WZP_FED_LOCAL; i++) {
        const room *rm = wzp_fed_room_local(in.room, i);
        in.delivered += rm != NULL ? deliver(rm, &in.parsed) : 0;
    }
    if (verdict == WZP_FED_DELIVER) {
        r->metrics.packets_forwarded += in.delivered;
        r->metrics.bytes_forwarded += in.parsed.packet.payload.len * in.delivered;
        send_to_peers(r, datagram, wzp_fed_link_peer(s->link));
    }
    note(s, verdict, &in, datagram.len);
}

/* --- rooms ------------------------------------------------------------------------------------ */

void wzp_relay_bridge_room(room *rm) {
    wzp_relay *r = rm->relay;
    if (r->federation != NULL) {
        rm->global = wzp_federation_join(r->federation, rm->name, rm, r->now);
    }
}

void wzp_relay_unbridge_room(room *rm) {
    if (rm->global != NULL) {
        wzp_federation_leave(rm->relay->federation, rm->global, rm, rm->relay->now);
        rm->global = NULL;
    }
}

/* Who is here, for the peers. */
void wzp_relay_announce(const room *rm) {
    if (rm->global == NULL) {
        return;
    }
    wzp_room_participant *list = calloc(rm->count, sizeof *list);
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < rm->count; i++) {
        const session *m = rm->members[i];
        list[i].fingerprint = wzp_bytes_str(m->fingerprint);
        list[i].alias = (wzp_opt_str){m->alias[0] != '\0', wzp_bytes_str(m->alias)};
    }
    wzp_federation_members(rm->relay->federation, rm->global, rm, list, rm->count, rm->relay->now);
    free(list);
}

static void tell_rooms(const wzp_fed_room *global) {
    for (size_t i = 0; i < WZP_FED_LOCAL; i++) {
        room *rm = wzp_fed_room_local(global, i);
        if (rm != NULL) {
            wzp_relay_room_changed(rm, NULL);
        }
    }
}

/* --- life ------------------------------------------------------------------------------------- */

wzp_err wzp_relay_peers_new(wzp_relay *r, const wzp_federation_cfg *cfg) {
    if (cfg == NULL) {
        return WZP_OK;
    }
    wzp_federation_cfg own = *cfg;
    own.rng = r->cfg.rng;
    own.fingerprint = r->tls.fingerprint;
    const wzp_err err = wzp_federation_new(&r->federation, &own, r->now);
    wzp_relay_peers_enforce(r);
    return err;
}

/* As with local senders: deployed relays, and observe, look at nothing that peers send. */
void wzp_relay_peers_enforce(wzp_relay *r) {
    static const wzp_fed_metering metering[] = {[WZP_ENFORCE_OFF] = WZP_FED_METER_OFF,
                                                [WZP_ENFORCE_COUNT] = WZP_FED_METER_COUNT,
                                                [WZP_ENFORCE_OBSERVE] = WZP_FED_METER_OFF,
                                                [WZP_ENFORCE_ON] = WZP_FED_METER_DROP};
    if (r->federation != NULL) {
        wzp_federation_meter(r->federation, metering[r->cfg.enforce]);
    }
}

static void send_signal(wzp_relay *r, const wzp_fed_output *out) {
    session *to = wzp_relay_find_session(r, out->conn);
    const wzp_err err = wzp_quic_send_signal(r->quic, out->conn, out->json, NULL);
    if (err != WZP_OK && to != NULL) {
        wzp_relay_not_sent(to, err);
    }
}

void wzp_relay_peers_tick(wzp_relay *r) {
    wzp_fed_output out;
    if (r->federation == NULL) {
        return;
    }
    wzp_federation_tick(r->federation, r->now);
    while (wzp_federation_next(r->federation, &out)) {
        session *s = NULL;
        switch (out.kind) {
        case WZP_FED_DIAL:
            dial(r, &out);
            break;
        case WZP_FED_SEND:
            send_signal(r, &out);
            break;
        case WZP_FED_CLOSE:
            s = wzp_relay_find_session(r, out.conn);
            if (s != NULL) {
                wzp_relay_end(s, out.reason);
            }
            break;
        case WZP_FED_ROOM:
            tell_rooms(out.room);
            break;
        }
    }
}

wzp_time wzp_relay_peers_deadline(const wzp_relay *r) {
    return r->federation != NULL ? wzp_federation_deadline(r->federation) : WZP_TIME_NEVER;
}
