/* Other relays that are only measured: pings to them and from them, and gossip about who is where
 * (relay sheet 10.1). */
#include <stdio.h>
#include <stdlib.h>

#include "relay/internal.h"

#define PING_EVERY WZP_S
#define RETRY_AFTER (5 * WZP_S)

/* An update is some bytes, and what it is answered with a list of everybody here. */
enum { UPDATE_EVERY = 10, PINGS_PER_SECOND = 50, UPDATES_PER_SECOND = 2, CLIENTS_MAX = 4096 };

/* One target. */
struct probe {
    wzp_addr target;
    session *session; /* NULL: until `at`, then it is dialled */
    wzp_time at;
    uint64_t pings; /* of this connection */
    wzp_probe_window window;
};

/* --- what is told ----------------------------------------------------------------------------- */

typedef struct gathering {
    wzp_bytes *names;
    size_t count;
} gathering;

static bool gather(void *ctx, const char *fingerprint) {
    gathering *g = ctx;
    g->names[g->count++] = wzp_bytes_str(fingerprint);
    return g->count < CLIENTS_MAX;
}

/* Our own address: deployed relays tell the other one's, and so file clients under the wrong relay.
 */
static void send_update(session *to) {
    char addr[WZP_ADDR_TEXT_MAX];
    gathering g = {.names = calloc(CLIENTS_MAX, sizeof *g.names)};
    if (g.names == NULL) {
        return;
    }
    wzp_relay_visit_clients(to->relay, gather, &g);
    const wzp_signal update = {
        .kind = WZP_SIGNAL_PRESENCE_UPDATE,
        .version = 1,
        .u.PresenceUpdate = {.fingerprints = {g.names, g.count},
                             .relay_addr = wzp_bytes_str(wzp_relay_address(to, addr))}};
    (void)wzp_relay_send_signal(to, &update);
    free(g.names);
}

/* Under the address that we know it by: what it says of itself is only believed for the port.
 * Anybody may tell; whom we asked, we want to know. */
static void take_update(session *from, const wzp_signal_PresenceUpdate *update) {
    wzp_relay *r = from->relay;
    char text[WZP_ADDR_TEXT_MAX];
    wzp_addr addr = from->path.remote;
    wzp_addr told;
    const size_t len = update->relay_addr.len;
    if (from->probe != NULL) {
        addr = from->probe->target;
    } else if (len < sizeof text) {
        memcpy(text, update->relay_addr.data, len);
        text[len] = '\0';
        addr =
            wzp_addr_parse(&told, text) == WZP_OK && wzp_addr_same_ip(&told, &addr) ? told : addr;
    }
    r->gossip = r->gossip != NULL ? r->gossip : wzp_gossip_new();
    if (r->gossip == NULL ||
        !wzp_gossip_told(r->gossip, &addr, from->probe != NULL, update->fingerprints, r->now)) {
        r->metrics.gossip_refused++;
    }
}

static wzp_addr find_gossip(const wzp_relay *r, wzp_bytes fingerprint) {
    return r->gossip != NULL ? wzp_gossip_find(r->gossip, fingerprint, r->now) : (wzp_addr){0};
}

static bool is_client(const wzp_relay *r, wzp_bytes fingerprint) {
    char text[WZP_AUTH_IDENTITY_MAX + 1];
    if (fingerprint.len >= sizeof text) {
        return false;
    }
    memcpy(text, fingerprint.data, fingerprint.len);
    text[fingerprint.len] = '\0';
    return wzp_relay_has_client(r, text);
}

static void answer_query(session *to, const wzp_signal_RouteQuery *query) {
    char own[WZP_ADDR_TEXT_MAX];
    char other[WZP_ADDR_TEXT_MAX];
    const wzp_addr there = find_gossip(to->relay, query->fingerprint);
    const bool is_here = is_client(to->relay, query->fingerprint);
    const bool is_known = is_here || there.family != WZP_ADDR_NONE;
    const wzp_bytes chain[] = {wzp_bytes_str(wzp_relay_address(to, own)),
                               wzp_bytes_str(wzp_addr_text(&there, other))};
    const wzp_signal response = {.kind = WZP_SIGNAL_ROUTE_RESPONSE,
                                 .version = 1,
                                 .u.RouteResponse = {.fingerprint = query->fingerprint,
                                                     .found = is_known,
                                                     .relay_chain = {chain, is_here    ? 1
                                                                            : is_known ? 2
                                                                                       : 0}}};
    (void)wzp_relay_send_signal(to, &response);
}

/* --- signals ---------------------------------------------------------------------------------- */

static void on_signal(session *s, const wzp_signal *signal) {
    wzp_relay *r = s->relay;
    switch (signal->kind) {
    case WZP_SIGNAL_PING:
        wzp_relay_send_pong(s, &signal->u.Ping);
        break;
    case WZP_SIGNAL_PONG:
        if (s->probe != NULL) {
            (void)wzp_probe_answered(&s->probe->window, signal->u.Pong.timestamp_ms,
                                     r->now / WZP_MS);
        }
        break;
    case WZP_SIGNAL_PRESENCE_UPDATE:
        if (!wzp_relay_rate(&s->updated, UPDATES_PER_SECOND, r->now)) {
            r->metrics.probes_dropped++;
            break;
        }
        take_update(s, &signal->u.PresenceUpdate);
        if (s->probe == NULL) {
            send_update(s);
        }
        break;
    case WZP_SIGNAL_ROUTE_QUERY:
        answer_query(s, &signal->u.RouteQuery);
        break;
    default:
        r->metrics.signals_ignored++;
        break;
    }
}

/* Anyone may probe: not more often than is of any use. */
void wzp_relay_on_probe_signal(session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (!wzp_relay_rate(&s->passed, PINGS_PER_SECOND, s->relay->now)) {
        s->relay->metrics.probes_dropped++;
    } else if (wzp_signal_parse(&signal, json, NULL, NULL) != WZP_OK) {
        s->relay->metrics.signals_unknown++;
    } else {
        on_signal(s, signal);
    }
    wzp_signal_free(&signal);
}

/* --- probing ---------------------------------------------------------------------------------- */

wzp_err wzp_relay_probes_new(wzp_relay *r, const wzp_addr *targets, size_t count) {
    r->probe_count = count < WZP_LIMIT_RELAYS ? count : WZP_LIMIT_RELAYS;
    r->probes = calloc(r->probe_count + 1, sizeof *r->probes);
    if (r->probes == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < r->probe_count; i++) {
        r->probes[i].target = targets[i];
        r->probes[i].at = r->now;
    }
    return WZP_OK;
}

static void dial(wzp_relay *r, probe *p) {
    const wzp_quic_dial how = {.path.remote = p->target, .sni = "_probe"};
    wzp_quic_conn conn = 0;
    p->at = wzp_time_after(r->now, RETRY_AFTER);
    if (wzp_relay_is_ending(r) || wzp_quic_connect(r->quic, &how, r->now, &conn) != WZP_OK) {
        return;
    }
    session *s = wzp_relay_new_session(r, conn, "_probe");
    if (s == NULL) {
        wzp_quic_close(r->quic, conn, 0, "no memory", r->now);
        return;
    }
    s->state = SESSION_DIALLED;
    s->probe = p;
    s->path.remote = p->target;
    p->session = s;
    p->at = WZP_TIME_NEVER;
    wzp_quic_set_app(r->quic, conn, s);
}

/* Every second; with every tenth, who is here. */
static void ping(probe *p) {
    session *s = p->session;
    const uint64_t now_ms = s->relay->now / WZP_MS;
    const wzp_signal signal = {
        .kind = WZP_SIGNAL_PING, .version = 1, .u.Ping.timestamp_ms = now_ms};
    p->at = wzp_time_after(s->relay->now, PING_EVERY);
    wzp_probe_sent(&p->window, now_ms);
    (void)wzp_relay_send_signal(s, &signal);
    if (++p->pings % UPDATE_EVERY == 0 && p->session != NULL) {
        send_update(s);
    }
}

void wzp_relay_on_probe_connected(session *s, const wzp_quic_event *ev) {
    s->path = ev->path;
    s->state = SESSION_PROBE;
    s->probe->window.is_up = true;
    s->probe->pings = 0;
    s->probe->at = s->relay->now;
}

void wzp_relay_probe_closed(session *s) {
    if (s->probe != NULL) {
        wzp_probe_lost(&s->probe->window);
        s->probe->session = NULL;
        s->probe->at = wzp_time_after(s->relay->now, RETRY_AFTER);
        s->probe = NULL;
    }
}

void wzp_relay_probes_tick(wzp_relay *r) {
    for (size_t i = 0; i < r->probe_count; i++) {
        probe *p = &r->probes[i];
        if (p->at > r->now) {
            continue;
        }
        if (p->session != NULL) {
            ping(p);
        } else {
            dial(r, p);
        }
    }
}

wzp_time wzp_relay_probes_deadline(const wzp_relay *r) {
    wzp_time first = WZP_TIME_NEVER;
    for (size_t i = 0; i < r->probe_count; i++) {
        first = wzp_time_min(first, r->probes[i].at);
    }
    return first;
}

void wzp_relay_probes_free(wzp_relay *r) {
    wzp_gossip_free(&r->gossip);
    free(r->probes);
    r->probes = NULL;
}

/* --- for operators ---------------------------------------------------------------------------- */

bool wzp_relay_probe(const wzp_relay *r, size_t index, wzp_addr *target, wzp_probe_window *window) {
    if (index >= r->probe_count) {
        return false;
    }
    *target = r->probes[index].target;
    *window = r->probes[index].window;
    return true;
}

void wzp_relay_visit_gossip(const wzp_relay *r,
                            bool (*visit)(void *ctx, const wzp_addr *relay, const char *fp),
                            void *ctx) {
    if (r->gossip != NULL) {
        wzp_gossip_visit(r->gossip, r->now, visit, ctx);
    }
}

/* Rows by target, as texts are sorted. */
wzp_err wzp_relay_mesh(const wzp_relay *r, wzp_wr *out) {
    char texts[WZP_LIMIT_RELAYS][WZP_ADDR_TEXT_MAX];
    size_t order[WZP_LIMIT_RELAYS];
    wzp_mesh_head(out);
    for (size_t i = 0; i < r->probe_count; i++) {
        (void)wzp_addr_text(&r->probes[i].target, texts[i]);
        size_t at = i;
        for (; at > 0 && strcmp(texts[order[at - 1]], texts[i]) > 0; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (size_t i = 0; i < r->probe_count; i++) {
        wzp_mesh_row(out, texts[order[i]], &r->probes[order[i]].window);
    }
    if (r->probe_count == 0) {
        wzp_mesh_nobody(out);
    }
    return wzp_wr_end(out);
}
