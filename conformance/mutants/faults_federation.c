/* Faults of relays that are linked: who may link, what peers are told, what becomes of their
 * packets. */
#include <string.h>

#include "conformance/engine/peers.h"
#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

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
    return out->kind == WZP_FED_SEND && fault() == WZP_FAULT_FED_UNTOLD &&
           starts_with(out->json, "{\"GlobalRoomActive\"");
}

WRAP(bool, wzp_federation_next, wzp_federation *fed, wzp_fed_output *out) {
    bool more = __real_wzp_federation_next(fed, out);
    while (more && is_withheld(out)) {
        more = __real_wzp_federation_next(fed, out);
    }
    return more;
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
    const size_t len = __real_wzp_federation_egress(fed, to, packet, buf, cap, now);
    const room *local = wzp_fed_room_local(to, 1);
    if (len > 0 && fault() == WZP_FAULT_FED_BACKWARDS) {
        turn_round(buf);
    } else if (len > 0 && fault() == WZP_FAULT_FED_SNI_HASH && local != NULL) {
        wzp_room_hash(buf, wzp_bytes_str(local->name));
    }
    return len;
}
