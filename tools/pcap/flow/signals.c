/* Signals and connections: the ladder, and what of it is worth telling. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "tools/pcap/flow/internal.h"

#define FOLLOW_NS (2 * WZP_S) /* so long a directive may take */

static wzp_pcap_about about(const wzp_pcap_message *m) {
    return (wzp_pcap_about){.packet = m->packet_number,
                            .ns = m->time_ns,
                            .conn = m->conn != NULL ? m->conn->number : 0};
}

/* --- the ladder ------------------------------------------------------------------------------- */

static bool repeats(const wzp_pcap_flow *f, const wzp_pcap_step *step) {
    const wzp_pcap_step *last = f->step_count > 0 ? &f->steps[f->step_count - 1] : NULL;
    return last != NULL && last->is_signal && step->is_signal && last->conn == step->conn &&
           last->to_server == step->to_server && strcmp(last->name, step->name) == 0 &&
           strcmp(last->detail, step->detail) == 0;
}

static void add_step(wzp_pcap_flow *f, const wzp_pcap_message *m, const wzp_pcap_step *what) {
    wzp_pcap_step step = *what;
    step.packet = m->packet_number;
    step.ns = step.last_ns = m->time_ns;
    step.conn = m->conn != NULL ? m->conn->number : 0;
    step.to_server = m->to_server;
    step.times = 1;
    if (repeats(f, &step)) {
        f->steps[f->step_count - 1].times++;
        f->steps[f->step_count - 1].last_ns = m->time_ns;
    } else if (f->step_count < WZP_PCAP_STEPS_MAX) {
        f->steps[f->step_count++] = step;
    } else {
        f->totals.steps_dropped++;
    }
}

static const char *codec_name(uint8_t codec) {
    const wzp_codec_info *info = wzp_codec_find(codec);
    return info != NULL ? info->name : "?";
}

/* For "%.*s": nothing of a string that is absent. */
static int shown(wzp_bytes text) {
    enum { MOST = 60 };
    return text.len < MOST ? (int)text.len : MOST;
}

static void put_hangup(wzp_pcap_step *step, const wzp_hangup_reason *r) {
    step->bad = r->kind >= WZP_HANGUP_TIMEOUT; /* not by anyone's choice */
    const char *kind = wzp_hangup_name((wzp_hangup_kind)r->kind);
    const char *code = r->kind == WZP_HANGUP_POLICY_VIOLATION
                           ? wzp_violation_code_name((wzp_violation_code)r->code)
                           : NULL;
    (void)snprintf(step->detail, sizeof step->detail, "%s%s%s%s%.*s", kind != NULL ? kind : "?",
                   code != NULL ? " " : "", code != NULL ? code : "", r->reason.len > 0 ? ": " : "",
                   shown(r->reason), (const char *)r->reason.data);
}

static void put_room(wzp_pcap_step *step, const wzp_signal_RoomUpdate *u) {
    size_t len = (size_t)snprintf(step->detail, sizeof step->detail, "%" PRIu32 " here", u->count);
    for (size_t i = 0; i < u->participants.count && len + 1 < sizeof step->detail; i++) {
        const wzp_room_participant *p = &u->participants.items[i];
        const wzp_bytes name = p->alias.present ? p->alias.value : p->fingerprint;
        const int most = name.len < 24 ? (int)name.len : 24;
        const int n = snprintf(step->detail + len, sizeof step->detail - len, "%s%.*s",
                               i == 0 ? ": " : ", ", most, (const char *)name.data);
        len += n > 0 ? (size_t)n : 0;
    }
}

/* What matters of the messages that are often looked for; of the others their first bytes. */
static void put_detail(wzp_pcap_step *step, const wzp_pcap_signal *s) {
    char *out = step->detail;
    const size_t cap = sizeof step->detail;
    const wzp_signal *p = s->parsed;
    switch (p != NULL ? p->kind : WZP_SIGNAL_COUNT) {
    case WZP_SIGNAL_HANGUP:
        put_hangup(step, &p->u.Hangup.reason);
        break;
    case WZP_SIGNAL_ROOM_UPDATE:
        put_room(step, &p->u.RoomUpdate);
        break;
    case WZP_SIGNAL_QUALITY_DIRECTIVE:
        (void)snprintf(out, cap, "%s%s%.*s",
                       codec_name(p->u.QualityDirective.recommended_profile.codec),
                       p->u.QualityDirective.reason.present ? ": " : "",
                       shown(p->u.QualityDirective.reason.value),
                       (const char *)p->u.QualityDirective.reason.value.data);
        break;
    case WZP_SIGNAL_CALL_OFFER:
        (void)snprintf(out, cap, "%.*s%s%zu profiles, %zu video codecs",
                       shown(p->u.CallOffer.alias.value),
                       (const char *)p->u.CallOffer.alias.value.data,
                       p->u.CallOffer.alias.value.len > 0 ? ", " : "",
                       p->u.CallOffer.supported_profiles.count, p->u.CallOffer.video_codecs.count);
        break;
    case WZP_SIGNAL_CALL_ANSWER:
        (void)snprintf(out, cap, "%s%s%s", codec_name(p->u.CallAnswer.chosen_profile.codec),
                       p->u.CallAnswer.video_codec.present ? ", " : "",
                       p->u.CallAnswer.video_codec.present
                           ? codec_name(p->u.CallAnswer.video_codec.value)
                           : "");
        break;
    case WZP_SIGNAL_NACK:
        (void)snprintf(out, cap, "stream %u, %zu packets", p->u.Nack.stream_id,
                       p->u.Nack.seqs.count);
        break;
    case WZP_SIGNAL_PICTURE_LOSS_INDICATION:
        (void)snprintf(out, cap, "stream %u", p->u.PictureLossIndication.stream_id);
        break;
    case WZP_SIGNAL_PING:
    case WZP_SIGNAL_PONG:
    case WZP_SIGNAL_TRANSPORT_FEEDBACK:
    case WZP_SIGNAL_LOSS_RECOVERY_UPDATE:
        break; /* by the second: they are counted as one */
    default:
        (void)snprintf(out, cap, "%.*s", s->json.len < cap ? (int)s->json.len : (int)cap - 1,
                       (const char *)s->json.data);
        break;
    }
}

/* --- what signals ask for --------------------------------------------------------------------- */

/* Whoever sends against the request's direction, on its connection. */
static void ask(wzp_pcap_flow *f, const wzp_pcap_message *m, const wzp_signal *p) {
    const bool pli = p->kind == WZP_SIGNAL_PICTURE_LOSS_INDICATION;
    const uint8_t id = pli ? p->u.PictureLossIndication.stream_id : p->u.Nack.stream_id;
    for (size_t i = 0; i < f->stream_count; i++) {
        wzp_pcap_stream *s = f->streams[i];
        if (s->key.conn != m->conn->number || s->key.to_server == m->to_server ||
            s->key.stream_id != id || s->key.media_type != WZP_MEDIA_VIDEO) {
            continue;
        }
        if (pli) {
            wzp_pcap_stream_pli(s, m->packet_number, m->time_ns);
            continue;
        }
        for (size_t k = 0; k < p->u.Nack.seqs.count && k < WZP_PCAP_NACKS; k++) {
            const uint32_t seq = p->u.Nack.seqs.items[k];
            if (s->basis != WZP_PCAP_BY_SEQUENCE || wzp_pcap_loss_misses(&s->loss, seq)) {
                wzp_pcap_stream_nack(s, seq, m->time_ns);
            }
        }
    }
}

static void ping(wzp_pcap_session *c, const wzp_pcap_message *m, uint64_t value) {
    wzp_pcap_ping *place = &c->pings[0];
    for (size_t i = 0; i < WZP_PCAP_PINGS; i++) {
        wzp_pcap_ping *p = &c->pings[i];
        place = !p->used || (place->used && p->ns < place->ns) ? p : place;
    }
    *place = (wzp_pcap_ping){value, m->time_ns, true, m->to_server};
}

static void pong(wzp_pcap_session *c, const wzp_pcap_message *m, uint64_t value) {
    for (size_t i = 0; i < WZP_PCAP_PINGS; i++) {
        wzp_pcap_ping *p = &c->pings[i];
        if (p->used && p->value == value && p->to_server != m->to_server) {
            wzp_pcap_spread_add(&c->ping_ms, (double)wzp_time_since(m->time_ns, p->ns) / 1e6);
            p->used = false;
            return;
        }
    }
}

/* Somebody joins: may he? */
static void identify(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m,
                     const wzp_key *key) {
    char left[WZP_BAN_TEXT_MAX];
    (void)wzp_hex_write(c->identity, wzp_bytes_of(key->bytes, sizeof key->bytes));
    if (c->account == NULL) {
        uint64_t id = 0;
        memcpy(&id, key->bytes, sizeof id);
        c->account = wzp_quota_open(f->quota, id, m->time_ns);
    }
    const wzp_ban *ban = wzp_bans_find(f->bans, c->identity, m->time_ns);
    if (ban == NULL) {
        return;
    }
    const wzp_pcap_about at = about(m);
    const wzp_violation_info *info = wzp_violation_find(ban->code);
    wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_BARRED, WZP_PCAP_LEVEL_BAD, &at,
                          "a relay that enforces (ENF-1) would not let this client in again: tier "
                          "G, %s, after tier %c, %s",
                          wzp_ban_text(ban, m->time_ns, left), info->tier, info->code);
}

static void act(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m,
                const wzp_signal *p) {
    if (p->kind == WZP_SIGNAL_PICTURE_LOSS_INDICATION || p->kind == WZP_SIGNAL_NACK) {
        ask(f, m, p);
    } else if (p->kind == WZP_SIGNAL_CALL_OFFER && m->to_server) {
        identify(f, c, m, &p->u.CallOffer.identity_pub);
    } else if (p->kind == WZP_SIGNAL_PING) {
        ping(c, m, p->u.Ping.timestamp_ms);
    } else if (p->kind == WZP_SIGNAL_PONG) {
        pong(c, m, p->u.Pong.timestamp_ms);
    } else if (p->kind == WZP_SIGNAL_QUALITY_DIRECTIVE && !m->to_server) {
        c->directive_packet = m->packet_number;
        c->directive_ns = m->time_ns;
        c->directive_codec = p->u.QualityDirective.recommended_profile.codec;
    } else if (p->kind == WZP_SIGNAL_HANGUP &&
               p->u.Hangup.reason.kind == WZP_HANGUP_POLICY_VIOLATION) {
        const wzp_pcap_about at = about(m);
        const char *code = wzp_violation_code_name((wzp_violation_code)p->u.Hangup.reason.code);
        wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_HANGUP_SEEN, WZP_PCAP_LEVEL_BAD, &at,
                              "the relay hangs up on this client for %s",
                              code != NULL ? code : "an unknown violation");
    }
}

void wzp_pcap_flow_signal(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const wzp_pcap_signal *s = m->signal;
    wzp_pcap_step step = {.is_signal = true, .bad = s->parsed == NULL};
    (void)snprintf(step.name, sizeof step.name, "%.39s",
                   s->name[0] != '\0' ? s->name : "(unknown)");
    put_detail(&step, s);
    add_step(f, m, &step);
    f->totals.signals++;
    if (c != NULL) {
        c->signals[m->to_server ? 1 : 0]++;
    }
    if (s->parsed == NULL) {
        const wzp_pcap_about at = about(m);
        f->totals.bad_signals++;
        if (c != NULL) {
            c->bad_signals++;
        }
        wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_BAD_SIGNAL, WZP_PCAP_LEVEL_WARNING,
                              &at, "%s%ssignal that cannot be read: %s (%s, offset %zu)", s->name,
                              s->name[0] != '\0' ? ": " : "", wzp_err_text(s->fail.code),
                              s->fail.field != NULL ? s->fail.field : "-", s->fail.offset);
    } else if (c != NULL) {
        act(f, c, m, s->parsed);
    }
}

void wzp_pcap_flow_follow(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    if (c->directive_ns == 0 || !m->to_server || hdr->media_type != WZP_MEDIA_AUDIO ||
        hdr->codec_id == WZP_CODEC_COMFORT_NOISE) {
        return;
    }
    if (hdr->codec_id == c->directive_codec) {
        c->directive_ns = 0;
        return;
    }
    if (wzp_time_since(m->time_ns, c->directive_ns) < FOLLOW_NS) {
        return;
    }
    const wzp_pcap_about at = {
        .packet = c->directive_packet, .ns = c->directive_ns, .conn = c->conn.number};
    c->directive_ns = 0;
    /* A relay that allows more orders nothing. */
    const bool allows = wzp_codec_find(c->directive_codec)->nominal_bps >=
                        wzp_codec_find(hdr->codec_id)->nominal_bps;
    wzp_pcap_findings_add(
        &f->findings, WZP_PCAP_FINDING_DIRECTIVE_IGNORED,
        allows ? WZP_PCAP_LEVEL_NOTE : WZP_PCAP_LEVEL_WARNING, &at,
        "the relay %s %s, and 2 s later (packet %" PRIu64 ") the client still sends %s%s",
        allows ? "allows" : "asks for", codec_name(c->directive_codec), m->packet_number,
        codec_name(hdr->codec_id), allows ? "" : "; only one with a fixed quality may");
}

/* --- connections ------------------------------------------------------------------------------ */

static void path_changed(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    char src[WZP_ADDR_TEXT_MAX];
    char dst[WZP_ADDR_TEXT_MAX];
    static const wzp_addr none;
    wzp_pcap_step step = {.bad = false};
    const wzp_pcap_about at = about(m);
    (void)snprintf(step.name, sizeof step.name, "new path");
    (void)snprintf(step.detail, sizeof step.detail, "%s to %s",
                   wzp_addr_text(m->src != NULL ? m->src : &none, src),
                   wzp_addr_text(m->dst != NULL ? m->dst : &none, dst));
    add_step(f, m, &step);
    c->path_changes++;
    wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_PATH_CHANGED, WZP_PCAP_LEVEL_NOTE, &at,
                          "the connection goes on from %s (a new address or NAT binding)",
                          step.detail);
}

static void closed(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const wzp_pcap_quic_close *close = m->event->close;
    wzp_pcap_step step = {.bad = close->reset || close->code != 0};
    if (c->close_packet != 0) {
        return; /* said again, or by the other side */
    }
    c->close_packet = m->packet_number;
    c->close_code = close->code;
    c->close_application = close->application;
    c->close_reset = close->reset;
    memcpy(c->close_reason, close->reason, sizeof c->close_reason);
    c->close_reason[sizeof c->close_reason - 1] = '\0';
    (void)snprintf(step.name, sizeof step.name, close->reset ? "stateless reset" : "close");
    (void)snprintf(step.detail, sizeof step.detail, "code %" PRIu64 " %.80s", close->code,
                   c->close_reason);
    add_step(f, m, &step);
    if (step.bad) {
        const wzp_pcap_about at = about(m);
        wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_CLOSED, WZP_PCAP_LEVEL_WARNING, &at,
                              "the %s closes the connection: %s %" PRIu64 "%s%.120s",
                              m->to_server ? "client" : "server",
                              close->reset         ? "stateless reset"
                              : close->application ? "application code"
                                                   : "transport error",
                              close->code, c->close_reason[0] != '\0' ? ", " : "", c->close_reason);
    }
}

static void note_seal(wzp_pcap_session *c, wzp_pcap_quic_seal seal) {
    c->packets++;
    c->opened += seal == WZP_PCAP_QUIC_CLEAR ? 1 : 0;
    c->no_secret += seal == WZP_PCAP_QUIC_NO_SECRET ? 1 : 0;
    c->no_hello += seal == WZP_PCAP_QUIC_NO_HELLO ? 1 : 0;
    c->bad_tag += seal == WZP_PCAP_QUIC_BAD_TAG ? 1 : 0;
    c->cut += seal == WZP_PCAP_QUIC_CUT ? 1 : 0;
}

void wzp_pcap_flow_quic(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const wzp_pcap_quic_event *e = m->event;
    wzp_pcap_step step = {.bad = false};
    if (e == NULL || c == NULL) {
        return;
    }
    switch (e->kind) {
    case WZP_PCAP_QUIC_HELLO:
        (void)snprintf(step.name, sizeof step.name, "hello");
        (void)snprintf(step.detail, sizeof step.detail, "%.60s %.40s", c->conn.sni, c->conn.alpn);
        add_step(f, m, &step);
        break;
    case WZP_PCAP_QUIC_JOINED:
        (void)snprintf(step.name, sizeof step.name, "joined");
        (void)snprintf(step.detail, sizeof step.detail, "its beginning was not captured");
        add_step(f, m, &step);
        break;
    case WZP_PCAP_QUIC_ACCEPTED:
        (void)snprintf(step.name, sizeof step.name, "accepted");
        add_step(f, m, &step);
        break;
    case WZP_PCAP_QUIC_PATH:
        path_changed(f, c, m);
        break;
    case WZP_PCAP_QUIC_CLOSED:
        if (e->close != NULL) {
            closed(f, c, m);
        }
        break;
    case WZP_PCAP_QUIC_KEYS:
        c->key_updates++;
        break;
    case WZP_PCAP_QUIC_PACKET:
        if (e->packet != NULL) {
            note_seal(c, e->packet->seal);
        }
        break;
    case WZP_PCAP_QUIC_OPENED:
    case WZP_PCAP_QUIC_PARAMS:
    case WZP_PCAP_QUIC_FRAME:
    case WZP_PCAP_QUIC_DATAGRAM:
    case WZP_PCAP_QUIC_STREAM:
    case WZP_PCAP_QUIC_FORGOTTEN:
    case WZP_PCAP_QUIC_PROBLEM:
        break;
    }
}
