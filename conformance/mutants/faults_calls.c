#include "conformance/mutants/faults_calls.h"

#include <stdio.h>
#include <string.h>

#include "conformance/embedded/phone.h"
#include "conformance/mutants/faults_map.h"
#include "conformance/mutants/wrap.h"
#include "phone/handset_internal.h"
#include "phone/phone_internal.h"
#include "sim/net/packet.h"

static wzp_call_fault fault;

/* The client under test, which is the only one: testers have no handset. */
static struct subject {
    wzp_addr own, relay;
    unsigned asked, answers, reports, peer_reports, updates, strangers, losses;
    bool has_role, has_candidates;
} it;

void wzp_call_fault_set(wzp_call_fault which) {
    it = (struct subject){.asked = 0};
    fault = which;
}

WRAP(wzp_ct_phone *, wzp_ct_phone_new, const wzp_ct_invitation *to, const wzp_addr *local,
     wzp_rng rng, bool deterministic, wzp_time now) {
    it = (struct subject){.own = *local, .relay = to->addr};
    return __real_wzp_ct_phone_new(to, local, rng, deterministic, now);
}

/* --- where it is ------------------------------------------------------------------------------ */

WRAP(bool, wzp_handset_is_found, const wzp_handset *h, wzp_time now) {
    return fault == WZP_CALL_FAULT_IMPATIENT ||
           (__real_wzp_handset_is_found(h, now) && (h->has_gathered || !wzp_map_fault_waits()) &&
            (fault != WZP_CALL_FAULT_WAITS || h->own.reflexive.family != WZP_ADDR_NONE));
}

WRAP(size_t, wzp_local_candidates, wzp_addr *out, size_t cap, const wzp_interface_addr *table,
     size_t count, uint16_t v4_port, uint16_t v6_port, wzp_local_rules rules, size_t *surplus) {
    size_t n =
        __real_wzp_local_candidates(out, cap, table, count, v4_port, v6_port, rules, surplus);
    if (fault == WZP_CALL_FAULT_TELLS_ALL && n < cap) {
        out[n++] = wzp_addr_v4(127, 0, 0, 1, v4_port);
    }
    for (size_t i = 0; i < n && fault == WZP_CALL_FAULT_WRONG_PORT; i++) {
        out[i].port ^= 1;
    }
    return n;
}

WRAP(bool, wzp_stun_client_next, wzp_stun_client *c, wzp_stun_datagram *out) {
    while (__real_wzp_stun_client_next(c, out)) {
        it.asked++;
        if (fault == WZP_CALL_FAULT_ASKS_ANEW) {
            out->data[19] ^= (uint8_t)it.asked;
        }
        if (fault != WZP_CALL_FAULT_ASKS_ONCE || it.asked == 1) {
            return true;
        }
    }
    return false;
}

WRAP(bool, wzp_stun_client_recv, wzp_stun_client *c, const wzp_addr *from, wzp_bytes datagram,
     wzp_time now) {
    it.answers++;
    return fault != WZP_CALL_FAULT_STARTLED && __real_wzp_stun_client_recv(c, from, datagram, now);
}

WRAP(const char *, wzp_port_alloc_text, wzp_port_alloc alloc, char buf[WZP_PORT_ALLOC_TEXT_MAX]) {
    return fault == WZP_CALL_FAULT_OWN_WORDS ? "symmetric" : __real_wzp_port_alloc_text(alloc, buf);
}

WRAP(void, wzp_handset_network, wzp_handset *h, const wzp_handset_net *net, wzp_time now) {
    if (fault != WZP_CALL_FAULT_SETTLED) {
        __real_wzp_handset_network(h, net, now);
    }
}

/* --- sockets ---------------------------------------------------------------------------------- */

enum { ASIDE = 1000 };

static bool is_stun(wzp_bytes payload) {
    return payload.len > 4 && payload.data[0] == 0 && payload.data[4] == 0x21;
}

/* The other port is the same socket, behind a gateway of its own. */
WRAP(wzp_sim_packet *, wzp_sim_packet_new, wzp_sim_pool *pool, const wzp_addr *src,
     const wzp_addr *dst, wzp_bytes payload, wzp_time now) {
    wzp_addr from = *src;
    wzp_addr to = *dst;
    const bool is_its = wzp_addr_same_ip(src, &it.own);
    const bool is_aside = (fault == WZP_CALL_FAULT_STUN_ASIDE && is_stun(payload)) ||
                          (fault == WZP_CALL_FAULT_TWO_PORTS && !wzp_addr_same_ip(dst, &it.relay));
    from.port = (uint16_t)(from.port + (is_its && is_aside ? ASIDE : 0));
    to.port =
        fault == WZP_CALL_FAULT_TWO_PORTS && wzp_addr_same_ip(dst, &it.own) ? it.own.port : to.port;
    return __real_wzp_sim_packet_new(pool, &from, &to, payload, now);
}

WRAP(wzp_err, wzp_endpoint_new, wzp_endpoint **out, const wzp_quic_cfg *quic, wzp_time now) {
    wzp_quic_cfg cfg = *quic;
    cfg.keep_alive = fault == WZP_CALL_FAULT_MUTE ? WZP_TIME_NEVER : cfg.keep_alive;
    return __real_wzp_endpoint_new(out, &cfg, now);
}

WRAP(wzp_err, wzp_endpoint_dial, wzp_endpoint *e, const wzp_quic_dial *dial,
     const wzp_endpoint_user *user, wzp_time now, wzp_quic_conn *out) {
    wzp_quic_dial changed = *dial;
    if (fault == WZP_CALL_FAULT_WRONG_NAME && strncmp(dial->sni, "call-call-", 10) == 0) {
        changed.sni += 5;
    }
    return __real_wzp_endpoint_dial(e, &changed, user, now, out);
}

WRAP(bool, wzp_endpoint_send, wzp_endpoint *e, const wzp_addr *to, wzp_bytes payload) {
    return (fault == WZP_CALL_FAULT_NO_TICKLE && payload.len == 1) ||
           __real_wzp_endpoint_send(e, to, payload);
}

WRAP(bool, wzp_handset_on_datagram, void *self, const wzp_quic_path *path, wzp_bytes payload,
     wzp_time now) {
    it.strangers++;
    return __real_wzp_handset_on_datagram(self, path, payload, now);
}

static bool is_overwhelmed(void) {
    enum { BEARS = 100 };
    return fault == WZP_CALL_FAULT_BRITTLE && it.strangers > BEARS;
}

WRAP(void, wzp_handset_on_direct, void *self, const wzp_quic_event *ev, wzp_time now) {
    const wzp_handset *h = self;
    wzp_quic_event changed = *ev;
    char name[WZP_QUIC_SNI_MAX + 8];
    if (fault == WZP_CALL_FAULT_TRUSTS_ANY && ev->kind == WZP_QUIC_CONNECTED && ev->is_server) {
        (void)snprintf(name, sizeof name, "call-%s", h->room);
        changed.sni = name;
        changed.path.remote = h->peer.reflexive;
    }
    if (!is_overwhelmed()) {
        __real_wzp_handset_on_direct(self, &changed, now);
    }
}

/* --- signals ---------------------------------------------------------------------------------- */

bool wzp_call_fault_refuses(wzp_bytes json) {
    return fault == WZP_CALL_FAULT_NARROW && memmem(json.data, json.len, "\"later\":", 8) != NULL;
}

WRAP(bool, wzp_phone_next_event, wzp_phone *p, wzp_phone_event *out) {
    enum { LATE = 7 };
    if (p->line == LINE_WAITS && fault == WZP_CALL_FAULT_HURRIES) {
        p->dial_at = 0;
    } else if (p->line == LINE_WAITS && fault == WZP_CALL_FAULT_TIRES && p->losses >= LATE &&
               it.losses != p->losses) {
        it.losses = p->losses;
        p->dial_at += 30 * WZP_S;
    }
    return __real_wzp_phone_next_event(p, out);
}

WRAP(wzp_err, wzp_phone_answer, wzp_phone *p, wzp_accept_mode mode) {
    return __real_wzp_phone_answer(p, fault == WZP_CALL_FAULT_LEAKS ? WZP_ACCEPT_TRUSTED : mode);
}

WRAP(void, wzp_phone_report, wzp_phone *p, uint32_t number, bool direct_ok, bool direct_won) {
    it.reports++;
    if (fault != WZP_CALL_FAULT_SILENT && (fault != WZP_CALL_FAULT_ONCE || it.reports == 1)) {
        __real_wzp_phone_report(p, number, direct_ok || fault == WZP_CALL_FAULT_OPTIMIST,
                                direct_won);
    }
}

static bool reads(wzp_bytes text, wzp_addr *out) {
    char copy[WZP_ADDR_TEXT_MAX] = "";
    memcpy(copy, text.data, text.len < sizeof copy ? text.len : sizeof copy - 1);
    return wzp_addr_parse(out, copy) == WZP_OK;
}

static void on_update(wzp_phone *p, const wzp_signal_CandidateUpdate *u) {
    static const uint8_t tickle[1] = {0};
    wzp_addr to;
    if (fault == WZP_CALL_FAULT_OBEYS_STALE && u->generation == 0 &&
        reads(u->reflexive_addr.value, &to)) {
        (void)wzp_endpoint_send(p->endpoint, &to, wzp_bytes_of(tickle, sizeof tickle));
    }
    if (fault == WZP_CALL_FAULT_FLAPS && ++it.updates == 10) {
        wzp_phone_hangup(p);
    }
}

static void on_probe(wzp_phone *p, const wzp_signal_HardNatProbe *probe) {
    if (fault == WZP_CALL_FAULT_ANSWERS_PROBES) {
        wzp_phone_send(p, &(wzp_signal){.kind = WZP_SIGNAL_HARD_NAT_BIRTHDAY_START,
                                        .version = 1,
                                        .u.HardNatBirthdayStart = {
                                            .call_id = probe->call_id,
                                            .external_ip = wzp_bytes_str("203.0.113.5")}});
    }
}

static void on_birthday(wzp_phone *p, const wzp_signal_HardNatBirthdayStart *start) {
    static const uint8_t tickle[1] = {0};
    char text[WZP_ADDR_TEXT_MAX];
    wzp_addr to;
    (void)snprintf(text, sizeof text, "%.*s:%u", (int)start->external_ip.len,
                   (const char *)start->external_ip.data,
                   start->acceptor_ports.count > 0 ? start->acceptor_ports.items[0] : 0);
    if (fault == WZP_CALL_FAULT_OBEYS_BIRTHDAY && wzp_addr_parse(&to, text) == WZP_OK) {
        (void)wzp_endpoint_send(p->endpoint, &to, wzp_bytes_of(tickle, sizeof tickle));
    }
}

WRAP(void, wzp_phone_on_path_signal, wzp_phone *p, const wzp_signal *signal) {
    wzp_addr seen;
    if (fault == WZP_CALL_FAULT_FORGETS && signal->kind == WZP_SIGNAL_MEDIA_PATH_REPORT &&
        p->state != PHONE_TALKING) {
        return;
    }
    if (fault == WZP_CALL_FAULT_BELIEVES && signal->kind == WZP_SIGNAL_REFLECT_RESPONSE &&
        reads(signal->u.ReflectResponse.observed_addr, &seen)) {
        wzp_phone_reflected(p, seen);
    }
    if (signal->kind == WZP_SIGNAL_CANDIDATE_UPDATE) {
        on_update(p, &signal->u.CandidateUpdate);
    } else if (signal->kind == WZP_SIGNAL_HARD_NAT_PROBE) {
        on_probe(p, &signal->u.HardNatProbe);
    } else if (signal->kind == WZP_SIGNAL_HARD_NAT_BIRTHDAY_START) {
        on_birthday(p, &signal->u.HardNatBirthdayStart);
    }
    __real_wzp_phone_on_path_signal(p, signal);
}

WRAP(void, wzp_call_addresses_read, wzp_call_addresses *out, const wzp_opt_str *reflexive,
     const wzp_list_str *local, const wzp_opt_str *mapped, wzp_call_refused *refused) {
    const uint64_t before = refused->unreadable;
    __real_wzp_call_addresses_read(out, reflexive, local, mapped, refused);
    if (fault == WZP_CALL_FAULT_FUSSY && refused->unreadable > before) {
        out->local_count = 0;
    }
}

/* --- the race --------------------------------------------------------------------------------- */

static wzp_race_role by_number(const char *own, const char *peer) {
    wzp_addr a;
    wzp_addr b;
    if (wzp_addr_parse(&a, own) != WZP_OK || wzp_addr_parse(&b, peer) != WZP_OK) {
        return WZP_RACE_NO_ROLE;
    }
    const int ips = memcmp(a.ip, b.ip, sizeof a.ip);
    return ips < 0 || (ips == 0 && a.port < b.port) ? WZP_RACE_ACCEPTOR : WZP_RACE_DIALER;
}

WRAP(wzp_race_role, wzp_race_role_of, const char *own, const char *peer) {
    const wzp_race_role role = __real_wzp_race_role_of(own, peer);
    if (fault == WZP_CALL_FAULT_COUNTS_PORTS) {
        return by_number(own, peer);
    }
    if (fault == WZP_CALL_FAULT_UPSIDE_DOWN && role != WZP_RACE_NO_ROLE) {
        return role == WZP_RACE_DIALER ? WZP_RACE_ACCEPTOR : WZP_RACE_DIALER;
    }
    return fault == WZP_CALL_FAULT_EAGER && strcmp(own, peer) == 0 ? WZP_RACE_DIALER : role;
}

WRAP(size_t, wzp_call_dial_order, wzp_race_candidate out[WZP_RACE_CANDIDATES_MAX],
     const wzp_call_addresses *own, const wzp_call_addresses *peer, const wzp_call_dial_cfg *cfg,
     wzp_call_refused *refused) {
    wzp_call_addresses changed = *own;
    if (fault == WZP_CALL_FAULT_LAN_ALWAYS) {
        changed.reflexive = peer->reflexive;
        changed.reflexive.port = 1;
    } else if (fault == WZP_CALL_FAULT_LAN_NEVER) {
        changed.reflexive.ip[3] ^= 0x80;
    }
    return __real_wzp_call_dial_order(out, &changed, peer, cfg, refused);
}

WRAP(void, wzp_race_init, wzp_race *race, const wzp_race_cfg *cfg, wzp_time now) {
    wzp_race_cfg changed = *cfg;
    changed.both_dial = changed.both_dial || fault == WZP_CALL_FAULT_BOTH_DIAL;
    changed.direct_only = changed.direct_only && fault != WZP_CALL_FAULT_YIELDS;
    it.has_role = cfg->role != WZP_RACE_NO_ROLE;
    it.has_candidates = cfg->count > 0;
    it.peer_reports = 0;
    __real_wzp_race_init(race, &changed, now);
}

WRAP(void, wzp_race_peer_report, wzp_race *race, uint32_t number, bool direct_ok, wzp_time now) {
    it.peer_reports++;
    const bool is_refused = fault == WZP_CALL_FAULT_DISTRUSTS ||
                            (fault == WZP_CALL_FAULT_FICKLE && it.peer_reports > 1);
    const bool is_taken = direct_ok || fault == WZP_CALL_FAULT_TRUSTING;
    __real_wzp_race_peer_report(race, number, is_taken && !is_refused, now);
}

WRAP(void, wzp_race_leave_direct, wzp_race *race) {
    if (fault != WZP_CALL_FAULT_STAYS) {
        __real_wzp_race_leave_direct(race);
    }
}

/* What the client does not do although it should. */
static bool is_left_out(const wzp_race *race, const wzp_race_act *act) {
    const bool takes_relay = act->kind == WZP_RACE_TAKE && act->path == WZP_RACE_RELAY;
    switch (fault) {
    case WZP_CALL_FAULT_LOST:
        return !it.has_role && act->kind == WZP_RACE_DIAL_RELAY;
    case WZP_CALL_FAULT_NO_RELAY:
        return act->kind == WZP_RACE_DIAL_RELAY;
    case WZP_CALL_FAULT_GIVES_UP:
        return it.has_role && !it.has_candidates && act->kind == WZP_RACE_DIAL_RELAY;
    case WZP_CALL_FAULT_HOPES:
        return act->kind == WZP_RACE_FAIL;
    case WZP_CALL_FAULT_FOLLOWS:
        return takes_relay && (!race->has_peer || race->peer_ok);
    case WZP_CALL_FAULT_PATIENT:
        return takes_relay && !race->has_peer;
    case WZP_CALL_FAULT_KEEPS_DIRECT:
        return act->kind == WZP_RACE_CLOSE;
    case WZP_CALL_FAULT_KEEPS_RELAY:
        return act->kind == WZP_RACE_CLOSE_RELAY;
    default:
        return false;
    }
}

WRAP(bool, wzp_race_next, wzp_race *race, wzp_time now, wzp_race_act *out) {
    while (__real_wzp_race_next(race, now, out)) {
        if (!is_left_out(race, out)) {
            return true;
        }
    }
    return false;
}
