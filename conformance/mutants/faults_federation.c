/* Faults of relays that are linked: who may link, what peers are told, what becomes of their
 * packets. */
#include <stdio.h>
#include <string.h>

#include "conformance/engine/peers.h"
#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

/* Of the relay that was made last. */
static unsigned dials;

/* --- who may link ----------------------------------------------------------------------------- */

static bool is_spelt_so(wzp_bytes hello) {
    for (size_t i = 0; i < WZP_CT_PEERS; i++) {
        if (wzp_bytes_equal(hello, wzp_bytes_str(wzp_ct_peers[i].fingerprint))) {
            return true;
        }
    }
    return false;
}

WRAP(wzp_fed_link *, wzp_federation_accepted, wzp_federation *fed, uint64_t conn,
     const wzp_addr *remote, wzp_bytes hello, wzp_time now, const char **why) {
    if (fault() == WZP_FAULT_FED_SPELLING && !is_spelt_so(hello)) {
        *why = "nobody trusts it";
        return NULL;
    }
    wzp_fed_link *link = __real_wzp_federation_accepted(fed, conn, remote, hello, now, why);
    if (link == NULL && fault() == WZP_FAULT_FED_STRANGERS) {
        const wzp_bytes trusted = wzp_bytes_str(wzp_ct_peers[0].fingerprint);
        link = __real_wzp_federation_accepted(fed, conn, remote, trusted, now, why);
    }
    return link;
}

WRAP(wzp_err, wzp_federation_new, wzp_federation **out, const wzp_federation_cfg *cfg,
     wzp_time now) {
    wzp_federation_cfg changed = *cfg;
    dials = 0;
    changed.room_pps = fault() == WZP_FAULT_FED_NO_RATE || fault() == WZP_FAULT_FED_ONE_RATE
                           ? 100000
                       : fault() == WZP_FAULT_FED_TIGHT_RATE ? 300
                                                             : cfg->room_pps;
    return __real_wzp_federation_new(out, &changed, now);
}

/* --- what peers are told ---------------------------------------------------------------------- */

static bool starts_with(wzp_bytes json, const char *start) {
    return json.len > strlen(start) && memcmp(json.data, start, strlen(start)) == 0;
}

static bool is_withheld(const wzp_fed_output *out) {
    switch (fault()) {
    case WZP_FAULT_FED_UNTOLD:
        return out->kind == WZP_FED_SEND && starts_with(out->json, "{\"GlobalRoomActive\"");
    case WZP_FAULT_FED_NO_END:
        return out->kind == WZP_FED_SEND && starts_with(out->json, "{\"GlobalRoomInactive\"");
    case WZP_FAULT_FED_NO_HELLO:
        return out->kind == WZP_FED_SEND && starts_with(out->json, "{\"FederationHello\"");
    case WZP_FAULT_FED_NO_REDIAL:
        return out->kind == WZP_FED_DIAL && dials++ > 0;
    default:
        return false;
    }
}

/* At once, if the wait is over already. */
WRAP(void, wzp_federation_closed, wzp_federation *fed, wzp_fed_link *link, wzp_time now) {
    const uint64_t early = fault() == WZP_FAULT_FED_HASTY_REDIAL ? WZP_FED_BACKOFF_MIN : 0;
    __real_wzp_federation_closed(fed, link, now > early ? now - early : now);
}

/* The first digit of the origin is another one. */
static void rename_origin(wzp_fed_output *out) {
    static const char field[] = "\"origin_relay_fp\":\"";
    static uint8_t changed[16384];
    const uint8_t *at = out->json.len <= sizeof changed
                            ? memmem(out->json.data, out->json.len, field, sizeof field - 1)
                            : NULL;
    if (at != NULL) {
        const size_t digit = (size_t)(at - out->json.data) + sizeof field - 1;
        memcpy(changed, out->json.data, out->json.len);
        changed[digit] = changed[digit] == '0' ? '1' : '0';
        out->json.data = changed;
    }
}

WRAP(bool, wzp_federation_next, wzp_federation *fed, wzp_fed_output *out) {
    bool more = __real_wzp_federation_next(fed, out);
    while (more && is_withheld(out)) {
        more = __real_wzp_federation_next(fed, out);
    }
    if (more && out->kind == WZP_FED_SEND && fault() == WZP_FAULT_FED_ANONYMOUS) {
        rename_origin(out);
    }
    return more;
}

static void tell_all(const room *rm, wzp_bytes json, uint32_t except) {
    size_t count = 0;
    const wzp_fed_target *targets = wzp_federation_targets(rm->relay->federation, &count);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].peer != except &&
            wzp_quic_send_signal(rm->relay->quic, targets[i].conn, json, NULL) != WZP_OK) {
            break;
        }
    }
}

WRAP(wzp_fed_room *, wzp_federation_join, wzp_federation *fed, const char *name, void *app,
     wzp_time now) {
    if (fault() == WZP_FAULT_FED_LOCAL_CALLS && strncmp(name, "call-", 5) == 0) {
        return NULL;
    }
    wzp_fed_room *shared = __real_wzp_federation_join(fed, name, app, now);
    if (shared == NULL && fault() == WZP_FAULT_FED_TELLS_ALL) {
        char json[400];
        (void)snprintf(json, sizeof json,
                       "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"%s\",\"participants\":[]}}",
                       name);
        tell_all(app, wzp_bytes_str(json), WZP_FED_NO_PEER);
    }
    return shared;
}

/* --- who is in a room, as members see it ------------------------------------------------------ */

void wzp_fault_room_update(wzp_signal_RoomUpdate *update) {
    static wzp_room_participant list[64];
    const size_t count = update->participants.count;
    if (count >= WZP_COUNT_OF(list) / 2) {
        return;
    }
    memcpy(list, update->participants.items, count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        if (fault() == WZP_FAULT_FED_UNLABELLED) {
            list[i].relay_label.present = false;
        }
    }
    memcpy(list + count, list, count * sizeof *list);
    update->participants = (wzp_list_participant){
        list, fault() == WZP_FAULT_FED_DOUBLES && list[count - 1].relay_label.present ? 2 * count
                                                                                      : count};
    update->count = (uint32_t)update->participants.count;
}

WRAP(void, wzp_fed_lists_sweep, wzp_federation *fed, wzp_time now) {
    if (fault() != WZP_FAULT_FED_NEVER_STALE) {
        __real_wzp_fed_lists_sweep(fed,
                                   now + (fault() == WZP_FAULT_FED_HASTY_STALE ? 10 * WZP_S : 0));
    }
}

/* --- signals of peers ------------------------------------------------------------------------- */

/* As deployed: what one peer says of a room is said to all others. */
static void circulate(const session *s, wzp_bytes json) {
    size_t count = 0;
    const wzp_fed_target *targets = wzp_federation_targets(s->relay->federation, &count);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].peer != wzp_fed_link_peer(s->link) &&
            wzp_quic_send_signal(s->relay->quic, targets[i].conn, json, NULL) != WZP_OK) {
            break;
        }
    }
}

WRAP(void, wzp_relay_on_link_signal, session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    const bool is_known = wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK;
    const bool is_end = is_known && signal->kind == WZP_SIGNAL_GLOBAL_ROOM_INACTIVE;
    wzp_signal_free(&signal);
    if (!is_known && fault() == WZP_FAULT_FED_UNKNOWN_ENDS) {
        wzp_relay_end(s, "normal close");
    } else if (!is_end || fault() != WZP_FAULT_FED_KEEPS_GONE) {
        __real_wzp_relay_on_link_signal(s, json);
        if (fault() == WZP_FAULT_FED_CIRCLES && starts_with(json, "{\"GlobalRoomActive\"")) {
            circulate(s, json);
        }
    }
}

WRAP(const wzp_signal *, wzp_federation_signal, wzp_federation *fed, wzp_fed_link *link,
     const wzp_signal *signal, wzp_time now) {
    const wzp_signal *inner = __real_wzp_federation_signal(fed, link, signal, now);
    return fault() == WZP_FAULT_FED_OWN_NAME && signal->kind == WZP_SIGNAL_FEDERATED_SIGNAL_FORWARD
               ? signal->u.FederatedSignalForward.inner.signal
               : inner;
}

/* What deployed relays take from peers, and send to them. */
static bool is_deployed(const wzp_signal *signal) {
    return signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER ||
           signal->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER ||
           signal->kind == WZP_SIGNAL_CALL_RINGING || signal->kind == WZP_SIGNAL_MEDIA_PATH_REPORT;
}

WRAP(void, wzp_relay_on_peer_call, session *link, const wzp_signal *signal) {
    const wzp_fault deaf =
        signal->kind == WZP_SIGNAL_DIRECT_CALL_OFFER    ? WZP_FAULT_FED_NO_OFFERS
        : signal->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER ? WZP_FAULT_FED_NO_ANSWERS
        : signal->kind == WZP_SIGNAL_MEDIA_PATH_REPORT  ? WZP_FAULT_FED_DEAF_TO_REPORTS
                                                        : WZP_FAULT_COUNT;
    if (fault() != deaf && (fault() != WZP_FAULT_FED_FEW_SIGNALS || is_deployed(signal))) {
        __real_wzp_relay_on_peer_call(link, signal);
    }
}

WRAP(size_t, wzp_federation_forward, wzp_federation *fed, uint32_t to, const wzp_signal *inner) {
    if ((inner->kind == WZP_SIGNAL_MEDIA_PATH_REPORT && fault() == WZP_FAULT_FED_NO_REPORTS) ||
        (!is_deployed(inner) && fault() == WZP_FAULT_FED_FEW_SIGNALS)) {
        return 1;
    }
    if ((inner->kind == WZP_SIGNAL_DIRECT_CALL_ANSWER && fault() == WZP_FAULT_FED_ANSWERS_ALL) ||
        wzp_fault_nat_all_peers(inner)) {
        to = WZP_FED_NO_PEER;
    } else if (to == WZP_FED_NO_PEER && fault() == WZP_FAULT_FED_ONE_PEER) {
        size_t count = 0;
        const wzp_fed_target *targets = wzp_federation_targets(fed, &count);
        to = count > 0 ? targets[0].peer : to;
    }
    return __real_wzp_federation_forward(fed, to, inner);
}

/* --- relays that only measure ----------------------------------------------------------------- */

bool wzp_fault_probe_signal(const session *to, wzp_signal *signal) {
    static unsigned pings;
    static char addr[WZP_ADDR_TEXT_MAX];
    static const wzp_bytes somewhere[] = {{(const uint8_t *)"192.0.2.5:4433", 14}};
    if (signal->kind == WZP_SIGNAL_PRESENCE_UPDATE && fault() == WZP_FAULT_FED_EMPTY_UPDATE) {
        signal->u.PresenceUpdate.fingerprints.count = 0;
    } else if (signal->kind == WZP_SIGNAL_PRESENCE_UPDATE &&
               fault() == WZP_FAULT_FED_YOUR_ADDRESS) {
        signal->u.PresenceUpdate.relay_addr = wzp_bytes_str(wzp_addr_text(&to->path.remote, addr));
    } else if (signal->kind == WZP_SIGNAL_ROUTE_RESPONSE && fault() == WZP_FAULT_FED_KNOWS_ALL) {
        signal->u.RouteResponse.found = true;
        signal->u.RouteResponse.relay_chain = (wzp_list_str){somewhere, 1};
    }
    return !(signal->kind == WZP_SIGNAL_PING && fault() == WZP_FAULT_FED_RARE_PINGS &&
             pings++ % 2 != 0) &&
           !(signal->kind == WZP_SIGNAL_PRESENCE_UPDATE && fault() == WZP_FAULT_FED_NO_UPDATES);
}

/* --- packets that come ------------------------------------------------------------------------ */

/* What was seen within `window`. */
typedef struct memory {
    uint64_t marks[4096];
    wzp_time at[4096];
} memory;
static memory seen;

static bool was_seen(wzp_bytes bytes, uint64_t window, wzp_time now) {
    uint64_t mark = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++) {
        mark = (mark ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    const size_t at = mark % WZP_COUNT_OF(seen.marks);
    if (seen.marks[at] == mark && now - seen.at[at] < window) {
        return true;
    }
    seen.marks[at] = mark;
    seen.at[at] = now;
    return false;
}

/* More than 500 a second, whatever their rooms. */
static bool is_too_many(wzp_time now) {
    static wzp_time since;
    static unsigned count;
    if (now < since || now - since >= WZP_S) {
        since = now;
        count = 0;
    }
    return ++count > 500;
}

void wzp_fault_federation_reset(void) {
    memset(&seen, 0, sizeof seen);
}

static wzp_time aged(wzp_time now) {
    static uint64_t age;
    age += fault() == WZP_FAULT_FED_NO_DEDUP ? 3 * WZP_S : 0;
    return now + (fault() == WZP_FAULT_FED_NO_DEDUP ? age : 0);
}

static wzp_bytes header_of(wzp_bytes datagram) {
    const size_t len = WZP_ROOM_HASH_LEN + WZP_MEDIA_HDR_LEN;
    return wzp_bytes_of(datagram.data, datagram.len < len ? datagram.len : len);
}

WRAP(wzp_fed_verdict, wzp_federation_ingress, wzp_federation *fed, wzp_fed_link *link,
     wzp_bytes datagram, wzp_time now, wzp_fed_packet *out) {
    if ((fault() == WZP_FAULT_FED_LONG_DEDUP && was_seen(datagram, 10 * WZP_S, now)) ||
        (fault() == WZP_FAULT_FED_HEADER_DEDUP && was_seen(header_of(datagram), 2 * WZP_S, now))) {
        return WZP_FED_DUPLICATE;
    }
    if (fault() == WZP_FAULT_FED_ONE_RATE && is_too_many(now)) {
        return WZP_FED_RATE;
    }
    const wzp_fed_verdict verdict =
        __real_wzp_federation_ingress(fed, link, datagram, aged(now), out);
    if (verdict == WZP_FED_DELIVER && fault() == WZP_FAULT_FED_CUTS &&
        (out->parsed.packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        out->parsed.packet_bytes.len -= WZP_QUALITY_REPORT_LEN;
    }
    return verdict;
}

static bool passing;

WRAP(void, wzp_relay_on_link_datagram, session *s, wzp_bytes datagram) {
    wzp_federation_datagram parsed;
    if (fault() == WZP_FAULT_FED_JUNK_ENDS &&
        wzp_federation_parse(&parsed, datagram, NULL) != WZP_OK) {
        wzp_relay_end(s, "normal close");
        return;
    }
    passing = true;
    __real_wzp_relay_on_link_datagram(s, datagram);
    passing = false;
    if (fault() == WZP_FAULT_FED_RETURNS &&
        wzp_quic_send_datagram(s->relay->quic, s->conn, datagram) != WZP_OK) {
        wzp_relay_end(s, "normal close");
    }
}

WRAP(const wzp_fed_target *, wzp_federation_targets, const wzp_federation *fed, size_t *count) {
    const wzp_fed_target *targets = __real_wzp_federation_targets(fed, count);
    *count = passing && fault() == WZP_FAULT_FED_NO_TRANSIT ? 0 : *count;
    return targets;
}

/* --- packets that leave ----------------------------------------------------------------------- */

static void turn_round(uint8_t hash[WZP_ROOM_HASH_LEN]) {
    for (size_t i = 0; i < WZP_ROOM_HASH_LEN / 2; i++) {
        const uint8_t byte = hash[i];
        hash[i] = hash[WZP_ROOM_HASH_LEN - 1 - i];
        hash[WZP_ROOM_HASH_LEN - 1 - i] = byte;
    }
}

WRAP(size_t, wzp_federation_egress, wzp_federation *fed, wzp_fed_room *to, wzp_bytes packet,
     uint8_t *buf, size_t cap, wzp_time now) {
    const wzp_time then = fault() == WZP_FAULT_FED_ECHO && now > 3 * WZP_S ? now - 3 * WZP_S : now;
    const size_t len = __real_wzp_federation_egress(fed, to, packet, buf, cap, then);
    const room *local = wzp_fed_room_local(to, 1);
    if (len > 0 && fault() == WZP_FAULT_FED_BACKWARDS) {
        turn_round(buf);
    } else if (len > 0 && fault() == WZP_FAULT_FED_SNI_HASH && local != NULL) {
        wzp_room_hash(buf, wzp_bytes_str(local->name));
    }
    return len;
}
