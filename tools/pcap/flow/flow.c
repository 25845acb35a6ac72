#include <inttypes.h>
#include <stdlib.h>

#include "tools/pcap/flow/internal.h"

wzp_err wzp_pcap_flow_new(wzp_pcap_flow **out, uint64_t interval_ns) {
    wzp_pcap_flow *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return WZP_ERR_NOMEM;
    }
    f->interval_ns = interval_ns != 0 ? interval_ns : WZP_S;
    f->steps = malloc(WZP_PCAP_STEPS_MAX * sizeof *f->steps);
    const wzp_bans_cfg bans = {.cooldown = WZP_PCAP_COOLDOWN, .block = WZP_PCAP_BLOCK};
    if (f->steps == NULL || wzp_quota_new(&f->quota, WZP_PCAP_SESSIONS_MAX) != WZP_OK ||
        wzp_bans_new(&f->bans, &bans) != WZP_OK) {
        wzp_pcap_flow_free(&f);
        return WZP_ERR_NOMEM;
    }
    *out = f;
    return WZP_OK;
}

void wzp_pcap_flow_free(wzp_pcap_flow **flow) {
    wzp_pcap_flow *f = *flow;
    if (f == NULL) {
        return;
    }
    wzp_quota_free(&f->quota);
    wzp_bans_free(&f->bans);
    for (size_t i = 0; i < f->stream_count; i++) {
        wzp_pcap_stream_clear(f->streams[i]);
        free(f->streams[i]);
    }
    for (size_t i = 0; i < f->sender_count; i++) {
        wzp_pcap_gauge_clear(&f->senders[i]->gauge);
        free(f->senders[i]);
    }
    for (size_t i = 0; i < f->session_count; i++) {
        free(f->sessions[i]);
    }
    free(f->steps);
    free(f);
    *flow = NULL;
}

/* --- connections ------------------------------------------------------------------------------ */

/* Numbers are given one after the other: their low bits spread well. */
static wzp_pcap_session *find(const wzp_pcap_flow *f, uint32_t conn) {
    size_t i = wzp_pcap_index_first(&f->by_conn, conn);
    while (i != 0 && f->sessions[i - 1]->conn.number != conn) {
        i = wzp_pcap_index_next(&f->by_conn, i);
    }
    return i != 0 ? f->sessions[i - 1] : NULL;
}

const wzp_pcap_session *wzp_pcap_flow_find(const wzp_pcap_flow *f, uint32_t conn) {
    return find(f, conn);
}

wzp_pcap_session *wzp_pcap_flow_session_of(wzp_pcap_flow *f, const wzp_pcap_message *m) {
    if (m->conn == NULL) {
        return NULL;
    }
    if (f->last_session != NULL && f->last_session->conn.number == m->conn->number) {
        return f->last_session;
    }
    wzp_pcap_session *c = find(f, m->conn->number);
    if (c == NULL && f->session_count == WZP_PCAP_SESSIONS_MAX) {
        f->totals.sessions_dropped++;
        return NULL;
    }
    if (c == NULL) {
        c = calloc(1, sizeof *c);
        if (c == NULL) {
            f->totals.no_memory++;
            return NULL;
        }
        c->conn = *m->conn;
        f->sessions[f->session_count++] = c;
        wzp_pcap_index_add(&f->by_conn, m->conn->number, f->session_count);
    }
    f->last_session = c;
    return c;
}

/* Names change with the hello only, and that is no media message. */
static void refresh(wzp_pcap_session *c, const wzp_pcap_message *m) {
    if (m->kind != WZP_PCAP_MESSAGE_MEDIA) {
        c->conn = *m->conn;
    }
    c->conn.readable = m->conn->readable;
    c->conn.closed = m->conn->closed;
    c->conn.last_ns = m->time_ns > c->conn.last_ns ? m->time_ns : c->conn.last_ns;
}

const char *wzp_pcap_unmetered(const wzp_pcap_session *session) {
    if (session->media[0] + session->media[1] > 0) {
        return NULL;
    }
    if (session->conn.readable) {
        return "it carries no media";
    }
    return session->no_hello > 0 && session->no_secret == 0
               ? "not decrypted: the capture does not hold its first packets"
           : session->bad_tag > 0 && session->no_secret == 0
               ? "not decrypted: the secrets of the key log do not fit"
           : session->cut > 0 && session->no_secret == 0
               ? "not decrypted: the capture holds parts of packets only"
               : "not decrypted: no secrets for it in the key log";
}

/* --- messages --------------------------------------------------------------------------------- */

/* Tier E across connections: what this packet takes of its sender's account. */
static void charge(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    static const wzp_quota_limits limits = {.senders = 1, .month_bytes = WZP_PCAP_MONTH_BYTES};
    const wzp_media_packet *packet = &m->media->packet;
    if (c->account == NULL || c->is_overdrawn || !m->to_server || m->time_ns == 0) {
        return;
    }
    const wzp_quota_verdict v =
        wzp_quota_charge(c->account, &limits, packet->hdr.media_type == WZP_MEDIA_VIDEO,
                         WZP_MEDIA_HDR_LEN + packet->payload.len, m->time_ns);
    if (v == WZP_QUOTA_FINE) {
        return;
    }
    c->is_overdrawn = true;
    (void)wzp_bans_offend(f->bans, c->identity, 0, WZP_VIOLATION_RATE_CAP, m->time_ns);
    const wzp_pcap_about at = {
        .packet = m->packet_number, .ns = m->time_ns, .conn = c->conn.number};
    wzp_pcap_findings_add(
        &f->findings, WZP_PCAP_FINDING_HANGUP, WZP_PCAP_LEVEL_BAD, &at,
        "a relay that enforces (ENF-1) would hang up on this client here: tier E, "
        "it has sent more than %s",
        v == WZP_QUOTA_RATE ? "its rate allows, over all its connections"
                            : "one gigabyte in 30 days without a token");
}

static void take_media(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const uint32_t digest = wzp_pcap_digest(m->media->bytes);
    f->totals.media++;
    f->totals.media_bytes += m->media->bytes.len;
    if (c != NULL) {
        c->media[m->to_server ? 1 : 0]++;
        c->media_bytes[m->to_server ? 1 : 0] += m->media->bytes.len;
        wzp_pcap_flow_follow(f, c, m);
        charge(f, c, m);
    }
    wzp_pcap_stream *s = wzp_pcap_flow_sort(f, m, digest);
    if (s == NULL) {
        return;
    }
    f->last_stream = s->number;
    wzp_pcap_stream_take(s, m, digest, &f->findings);
    if (s->sender == 0) {
        return;
    }
    const wzp_violation hangup = wzp_pcap_gauge_take(
        &f->senders[s->sender - 1]->gauge, &m->media->packet, m->packet_number, m->time_ns);
    if (hangup != WZP_VIOLATION_NONE) {
        if (c != NULL && m->to_server && m->time_ns > 0) {
            (void)wzp_bans_offend(f->bans, c->identity, 0, hangup, m->time_ns);
        }
        const wzp_violation_info *info = wzp_violation_find(hangup);
        const wzp_pcap_about at = {
            .packet = m->packet_number, .ns = m->time_ns, .conn = s->key.conn, .stream = s->number};
        wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_HANGUP, WZP_PCAP_LEVEL_BAD, &at,
                              "a relay that enforces (ENF-1) would hang up on this sender here: "
                              "tier %c, %s",
                              info->tier, info->code);
    }
}

static void take_bad(wzp_pcap_flow *f, wzp_pcap_session *c, const wzp_pcap_message *m) {
    const wzp_pcap_about at = {.packet = m->packet_number,
                               .ns = m->time_ns,
                               .conn = m->conn != NULL ? m->conn->number : 0};
    f->totals.bad_datagrams++;
    if (c != NULL) {
        c->bad_datagrams++;
    }
    wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_BAD_DATAGRAM, WZP_PCAP_LEVEL_NOTE, &at,
                          "a datagram of %zu bytes is no media packet: %s (%s, offset %zu)",
                          m->data.len, wzp_err_text(m->fail.code),
                          m->fail.field != NULL ? m->fail.field : "-", m->fail.offset);
}

static void take_problem(wzp_pcap_flow *f, const wzp_pcap_message *m) {
    const wzp_pcap_about at = {.packet = m->packet_number,
                               .ns = m->time_ns,
                               .conn = m->conn != NULL ? m->conn->number : 0};
    f->totals.problems++;
    wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_PROBLEM, WZP_PCAP_LEVEL_NOTE, &at,
                          "%s (offset %zu)", m->text != NULL ? m->text : "problem", m->fail.offset);
}

static void note_edges(wzp_pcap_flow *f, const wzp_pcap_message *m) {
    f->totals.messages++;
    if (m->packet_number != 0) {
        f->totals.first_ns = f->totals.last_packet == 0 || m->time_ns < f->totals.first_ns
                                 ? m->time_ns
                                 : f->totals.first_ns;
        f->totals.last_ns = m->time_ns > f->totals.last_ns ? m->time_ns : f->totals.last_ns;
        f->totals.last_packet =
            m->packet_number > f->totals.last_packet ? m->packet_number : f->totals.last_packet;
    }
}

/* Its account may be given to somebody else. */
static void leave(wzp_pcap_session *c) {
    if (c != NULL && c->account != NULL) {
        wzp_quota_close(c->account);
        c->account = NULL;
    }
}

void wzp_pcap_flow_take(wzp_pcap_flow *f, const wzp_pcap_message *m) {
    note_edges(f, m);
    f->last_stream = 0;
    wzp_pcap_session *c = wzp_pcap_flow_session_of(f, m);
    if (c != NULL) {
        refresh(c, m);
    }
    switch (m->kind) {
    case WZP_PCAP_MESSAGE_MEDIA:
        take_media(f, c, m);
        break;
    case WZP_PCAP_MESSAGE_SIGNAL:
        wzp_pcap_flow_signal(f, c, m);
        break;
    case WZP_PCAP_MESSAGE_DATAGRAM:
        take_bad(f, c, m);
        break;
    case WZP_PCAP_MESSAGE_QUIC:
        wzp_pcap_flow_quic(f, c, m);
        break;
    case WZP_PCAP_MESSAGE_PROBLEM:
        take_problem(f, m);
        break;
    case WZP_PCAP_MESSAGE_FORGOTTEN:
        leave(c);
        break;
    case WZP_PCAP_MESSAGE_TEXT:
        break;
    }
}

uint32_t wzp_pcap_flow_last(const wzp_pcap_flow *f) {
    return f->last_stream;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* What a relay passes on breaks the same rules once more: that is told only where its sender's own
 * way is not in the capture. */
static bool is_told(const wzp_pcap_flow *f, const wzp_pcap_sender *s, int violation) {
    for (size_t i = 0; i < f->sender_count && !s->to_server; i++) {
        const wzp_pcap_sender *other = f->senders[i];
        if (other->to_server && other->gauge.breaches[violation].count > 0) {
            return false;
        }
    }
    return s->gauge.breaches[violation].count > 0;
}

static void end_senders(wzp_pcap_flow *f) {
    for (size_t i = 0; i < f->sender_count; i++) {
        const wzp_pcap_sender *s = f->senders[i];
        for (int v = WZP_VIOLATION_NONE + 1; v < WZP_VIOLATION_COUNT; v++) {
            const wzp_pcap_breach *b = &s->gauge.breaches[v];
            const wzp_violation_info *info = wzp_violation_find((wzp_violation)v);
            const wzp_pcap_about at = {
                .packet = b->packet, .ns = b->ns, .conn = s->conn, .stream = s->stream};
            if (is_told(f, s, v)) {
                wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_VIOLATION, WZP_PCAP_LEVEL_NOTE,
                                      &at,
                                      "a deployed relay counts %s (tier %c) from here on, %" PRIu64
                                      " times, and does nothing",
                                      info->verdict, info->tier, b->count);
            }
        }
    }
}

static void end_sessions(wzp_pcap_flow *f) {
    for (size_t i = 0; i < f->session_count; i++) {
        const wzp_pcap_session *c = f->sessions[i];
        const wzp_pcap_about at = {
            .packet = c->conn.opened_packet, .ns = c->conn.opened_ns, .conn = c->conn.number};
        if (c->conn.number != 0 && !c->conn.readable && c->media[0] + c->media[1] == 0) {
            wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_UNREADABLE, WZP_PCAP_LEVEL_WARNING,
                                  &at, "connection %" PRIu32 " is %s", c->conn.number,
                                  wzp_pcap_unmetered(c));
        }
    }
}

static void end_limits(wzp_pcap_flow *f) {
    const wzp_pcap_totals *t = &f->totals;
    const wzp_pcap_about at = {0};
    const uint64_t dropped = t->streams_dropped + t->senders_dropped + t->sessions_dropped;
    if (dropped + t->no_memory > 0) {
        wzp_pcap_findings_add(&f->findings, WZP_PCAP_FINDING_LIMIT, WZP_PCAP_LEVEL_WARNING, &at,
                              "more than fits: %" PRIu64 " packets of further streams, %" PRIu64
                              " messages of further connections are not in the figures",
                              t->streams_dropped, t->sessions_dropped);
    }
}

void wzp_pcap_flow_end(wzp_pcap_flow *f) {
    for (size_t i = 0; i < f->stream_count; i++) {
        wzp_pcap_stream_end(f->streams[i], &f->findings);
    }
    end_senders(f);
    end_sessions(f);
    end_limits(f);
    wzp_pcap_findings_sort(&f->findings);
}

/* --- what there is ---------------------------------------------------------------------------- */

size_t wzp_pcap_flow_streams(const wzp_pcap_flow *f) {
    return f->stream_count;
}

const wzp_pcap_stream *wzp_pcap_flow_stream(const wzp_pcap_flow *f, size_t i) {
    return f->streams[i];
}

size_t wzp_pcap_flow_senders(const wzp_pcap_flow *f) {
    return f->sender_count;
}

const wzp_pcap_sender *wzp_pcap_flow_sender(const wzp_pcap_flow *f, size_t i) {
    return f->senders[i];
}

size_t wzp_pcap_flow_sessions(const wzp_pcap_flow *f) {
    return f->session_count;
}

const wzp_pcap_session *wzp_pcap_flow_session(const wzp_pcap_flow *f, size_t i) {
    return f->sessions[i];
}

size_t wzp_pcap_flow_steps(const wzp_pcap_flow *f) {
    return f->step_count;
}

const wzp_pcap_step *wzp_pcap_flow_step(const wzp_pcap_flow *f, size_t i) {
    return &f->steps[i];
}

const wzp_pcap_findings *wzp_pcap_flow_findings(const wzp_pcap_flow *f) {
    return &f->findings;
}

const wzp_pcap_totals *wzp_pcap_flow_count(const wzp_pcap_flow *f) {
    return &f->totals;
}
