/* Faults in what traversal needs of a relay: whom it tells which address, where path signals go,
 * and what it makes of clients whose address changes. */
#include "conformance/mutants/faults_nat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

/* --- registration, Reflect -------------------------------------------------------------------- */

/* To all who have a name. */
static void tell_clients(const wzp_relay *r, const wzp_signal *signal) {
    for (session *to = r->newest; to != NULL; to = to->older) {
        (void)wzp_relay_send_signal(to, signal);
    }
}

void wzp_fault_nat_nobody(const session *s) {
    static const wzp_presence_user user = {
        .fingerprint = {(const uint8_t *)"6668:7aad:f862:bd77:6c8f:c18b:8e9f:8e20", 39}};
    static const wzp_relay *relay;
    static wzp_quic_conn last;
    if (fault() == WZP_FAULT_NAT_LISTS_NOBODY) {
        tell_clients(s->relay, &(wzp_signal){.kind = WZP_SIGNAL_PRESENCE_LIST,
                                             .version = 1,
                                             .u.PresenceList.users = {&user, 1}});
    }
    session *older = relay != NULL && relay == s->relay ? wzp_quic_app(s->relay->quic, last) : NULL;
    if (fault() == WZP_FAULT_NAT_ONE_NOBODY && older != NULL) {
        wzp_relay_end(older, "normal close");
    }
    relay = s->relay;
    last = s->conn;
}

void wzp_fault_nat_reflect(wzp_signal_ReflectResponse *response) {
    static char text[WZP_ADDR_TEXT_MAX + 16];
    const wzp_bytes addr = response->observed_addr;
    const uint8_t *colon = memchr(addr.data, ':', addr.len);
    if (fault() == WZP_FAULT_NAT_MAPPED && colon != NULL && addr.data[0] != '[') {
        (void)snprintf(text, sizeof text, "[::ffff:%.*s]%.*s", (int)(colon - addr.data),
                       (const char *)addr.data, (int)(addr.data + addr.len - colon),
                       (const char *)colon);
        response->observed_addr = wzp_bytes_str(text);
    }
}

/* More than it writes itself is more than it knows. */
bool wzp_fault_nat_reads(const wzp_signal *signal, wzp_bytes json) {
    char *known = NULL;
    size_t len = 0;
    if (fault() != WZP_FAULT_NAT_KNOWN_ONLY || wzp_signal_to_json(&known, &len, signal) != WZP_OK) {
        return true;
    }
    free(known);
    return json.len <= len;
}

/* --- who is told which address ---------------------------------------------------------------- */

static char last_offer[WZP_CALL_ID_MAX + 1];

static void put_place(wzp_signal_CallSetup *setup, const wzp_call_place *place) {
    setup->peer_direct_addr = place->reflexive;
    setup->peer_mapped_addr = place->mapped;
    setup->peer_local_addrs = place->local;
}

/* False: there was nothing to write null for. */
static bool send_null(const session *to, const wzp_signal *signal) {
    static const char extra[] = ",\"peer_mapped_addr\": null}}";
    char *json = NULL;
    size_t len = 0;
    if (signal->u.CallSetup.peer_mapped_addr.present ||
        wzp_signal_to_json(&json, &len, signal) != WZP_OK) {
        return false;
    }
    char *changed = malloc(len + sizeof extra);
    bool sent = false;
    if (changed != NULL) {
        const int n = snprintf(changed, len + sizeof extra, "%.*s%s", (int)len - 2, json, extra);
        sent = wzp_quic_send_signal(to->relay->quic, to->conn, wzp_bytes_of(changed, (size_t)n),
                                    NULL) == WZP_OK;
    }
    free(changed);
    free(json);
    return sent;
}

bool wzp_fault_nat_setup(const session *to, wzp_signal *signal) {
    wzp_signal_CallSetup *setup = &signal->u.CallSetup;
    const wzp_call *call = wzp_calls_find(to->relay->calls, setup->call_id);
    const wzp_call *last = wzp_calls_find(to->relay->calls, wzp_bytes_str(last_offer));
    const wzp_call_role role =
        call != NULL ? wzp_call_role_of(call, to->fingerprint) : WZP_CALL_STRANGER;
    if (fault() == WZP_FAULT_NAT_OWN_PLACE && role != WZP_CALL_STRANGER) {
        put_place(setup, &call->sides[role].place);
    } else if (fault() == WZP_FAULT_NAT_LAST_PLACE && role == WZP_CALL_CALLEE && last != NULL) {
        put_place(setup, &last->sides[WZP_CALL_CALLER].place);
    } else if (fault() == WZP_FAULT_NAT_ALL_OR_NONE && !setup->peer_direct_addr.present) {
        put_place(setup, &(wzp_call_place){.local = {NULL, 0}});
    } else if (fault() == WZP_FAULT_NAT_NOWHERE) {
        setup->relay_addr = wzp_bytes_str("");
    }
    return fault() != WZP_FAULT_NAT_NULLS || !send_null(to, signal);
}

/* --- where path signals go -------------------------------------------------------------------- */

/* NULL: no path signal. */
static const wzp_bytes *path_call_id(const wzp_signal *signal) {
    return signal->kind == WZP_SIGNAL_MEDIA_PATH_REPORT  ? &signal->u.MediaPathReport.call_id
           : signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE ? &signal->u.CandidateUpdate.call_id
           : signal->kind == WZP_SIGNAL_HARD_NAT_PROBE   ? &signal->u.HardNatProbe.call_id
           : signal->kind == WZP_SIGNAL_HARD_NAT_BIRTHDAY_START
               ? &signal->u.HardNatBirthdayStart.call_id
               : NULL;
}

static void note_offer(const wzp_signal_DirectCallOffer *offer) {
    const size_t len =
        offer->call_id.len < sizeof last_offer ? offer->call_id.len : sizeof last_offer - 1;
    memcpy(last_offer, offer->call_id.data, len);
    last_offer[len] = '\0';
}

bool wzp_fault_nat_takes(session *s, const wzp_signal *signal) {
    const wzp_bytes *id = path_call_id(signal);
    if (signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER) {
        note_offer(&signal->u.DirectCallOffer);
    }
    if (id == NULL) {
        return true;
    }
    const wzp_call *call = wzp_calls_find(s->relay->calls, *id);
    switch (fault()) {
    case WZP_FAULT_NAT_NO_PROBES:
        return signal->kind != WZP_SIGNAL_HARD_NAT_PROBE;
    case WZP_FAULT_NAT_NOT_RINGING:
        return call != NULL && (call->state == WZP_CALL_TRUSTED || call->state == WZP_CALL_GENERIC);
    case WZP_FAULT_NAT_ONE_WAY:
        return call != NULL && wzp_call_role_of(call, s->fingerprint) == WZP_CALL_CALLER;
    case WZP_FAULT_NAT_ANY_CALL:
        if (call == NULL) {
            tell_clients(s->relay, signal);
        }
        return true;
    case WZP_FAULT_NAT_ECHO:
        if (signal->kind == WZP_SIGNAL_MEDIA_PATH_REPORT) {
            (void)wzp_relay_send_signal(s, signal);
        }
        return true;
    default:
        return true;
    }
}

bool wzp_fault_nat_all_peers(const wzp_signal *inner) {
    return fault() == WZP_FAULT_NAT_ALL_PEERS && path_call_id(inner) != NULL;
}

/* --- clients that move ------------------------------------------------------------------------ */

void wzp_fault_nat_endpoint(wzp_quic_cfg *cfg) {
    if (cfg->identity != NULL && fault() == WZP_FAULT_NAT_NO_KEEP) {
        cfg->keep_alive = WZP_TIME_NEVER;
    } else if (cfg->identity != NULL && fault() == WZP_FAULT_NAT_HASTY_IDLE) {
        cfg->idle_timeout = 20 * WZP_S;
    }
}

/* Where a connection was when it began, and is; its clients do not know that they moved, so that
 * they go on naming it by the same id. */
typedef struct home {
    const wzp_quic *quic;
    uint8_t id[8];
    wzp_addr at, now;
    wzp_time moved_at;
} home;

static home homes[512];
static size_t home_count;

/* Endpoints that accept connections: the relays. */
static const wzp_quic *servers[64];
static size_t server_count;

static bool is_server(const wzp_quic *quic) {
    for (size_t i = 0; i < server_count && i < WZP_COUNT_OF(servers); i++) {
        if (servers[i] == quic) {
            return true;
        }
    }
    return false;
}

/* Another one may have been at that address before. */
void wzp_fault_nat_made(const wzp_quic *quic, bool accepts) {
    for (size_t i = 0; i < WZP_COUNT_OF(servers); i++) {
        servers[i] = servers[i] == quic ? NULL : servers[i];
    }
    for (size_t i = 0; i < WZP_COUNT_OF(homes); i++) {
        homes[i] = homes[i].quic == quic ? (home){0} : homes[i];
    }
    if (accepts) {
        servers[server_count++ % WZP_COUNT_OF(servers)] = quic;
    }
}

static const home *home_of(const wzp_quic *quic, const wzp_addr *from, wzp_bytes payload,
                           wzp_time now) {
    const uint8_t *id = payload.data + 1;
    for (size_t i = 0; i < home_count && i < WZP_COUNT_OF(homes); i++) {
        home *h = &homes[i];
        if (h->quic == quic && memcmp(h->id, id, sizeof h->id) == 0) {
            h->moved_at = wzp_addr_equal(&h->now, from) ? h->moved_at : now;
            h->now = *from;
            return h;
        }
    }
    home *h = &homes[home_count++ % WZP_COUNT_OF(homes)];
    *h = (home){.quic = quic, .at = *from, .now = *from, .moved_at = now};
    memcpy(h->id, id, sizeof h->id);
    return h;
}

static bool minds_moves(void) {
    return fault() == WZP_FAULT_NAT_TRUSTS || fault() == WZP_FAULT_NAT_STAYS ||
           fault() == WZP_FAULT_NAT_DEAF || fault() == WZP_FAULT_NAT_SLOW;
}

static bool is_short(wzp_bytes payload) {
    return payload.len > 9 && (payload.data[0] & 0xc0) == 0x40;
}

WRAP(void, wzp_quic_recv, wzp_quic *quic, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
     wzp_time now) {
    wzp_quic_path seen = *path;
    if (minds_moves() && is_server(quic) && is_short(payload)) {
        const home *h = home_of(quic, &path->remote, payload, now);
        const bool has_moved = !wzp_addr_equal(&h->at, &path->remote);
        if (has_moved &&
            (fault() == WZP_FAULT_NAT_DEAF ||
             (fault() == WZP_FAULT_NAT_SLOW && wzp_time_since(now, h->moved_at) < WZP_S))) {
            return;
        }
        seen.remote = fault() == WZP_FAULT_NAT_SLOW ? path->remote : h->at;
    }
    __real_wzp_quic_recv(quic, &seen, ecn, payload, now);
}

WRAP(size_t, wzp_quic_next_packet, wzp_quic *quic, wzp_time now, uint8_t *buf, size_t cap,
     wzp_quic_meta *meta) {
    const size_t n = __real_wzp_quic_next_packet(quic, now, buf, cap, meta);
    for (size_t i = 0; n > 0 && fault() == WZP_FAULT_NAT_TRUSTS && i < WZP_COUNT_OF(homes); i++) {
        if (homes[i].quic == quic && wzp_addr_equal(&homes[i].at, &meta->path.remote)) {
            meta->path.remote = homes[i].now;
        }
    }
    return n;
}
