/* Where this handset can be reached: what STUN servers, the relay and the gateway say. */
#include "phone/handset_internal.h"

#define PORTMAP_PORT 5351

/* --- asking ----------------------------------------------------------------------------------- */

void wzp_handset_find(wzp_handset *h, uint64_t budget, wzp_time now) {
    const wzp_handset_net *net = &h->cfg.net;
    wzp_gather_cfg cfg = {.stun = {.rules = WZP_STUN_REFERENCE,
                                   .timeout = budget,
                                   .accepts_local = h->cfg.accepts_any},
                          .server_count = h->cfg.stun_count,
                          .gateway = net->gateway,
                          .own = net->own,
                          .interfaces = net->interfaces,
                          .interface_count = net->interface_count,
                          .v4_port = net->own.port,
                          .v6_port = net->own_v6.port,
                          .budget = budget,
                          .accepts_local = h->cfg.accepts_any && !h->cfg.maps_global};
    if (h->cfg.stun_count > 0) {
        memcpy(cfg.servers, h->stun, h->cfg.stun_count * sizeof h->stun[0]);
    }
    h->has_gathered = false;
    wzp_gather_begin(&h->gather, &cfg, h->cfg.rng, now);
}

/* The relay's view of its own connection: it needs no server, but may be out of date after a move
 * (U15). */
void wzp_handset_ask_relay(wzp_handset *h, wzp_time now) {
    h->asks_relay = true;
    wzp_phone_reflect(h->phone, now);
}

static void send_questions(wzp_handset *h) {
    wzp_gather_datagram question;
    while (wzp_gather_next(&h->gather, &question)) {
        (void)wzp_endpoint_send(h->endpoint, &question.to,
                                wzp_bytes_of(question.data, question.len));
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

/* NAT-PMP and PCP share the port and are told apart by their version.  A gateway that knows only
 * the former refuses the latter in it, with "unsupported version", which our NAT-PMP is never. */
static void on_gateway(wzp_handset *h, const wzp_addr *from, wzp_bytes payload, wzp_time now) {
    const bool is_pcp = payload.len > 0 && payload.data[0] >= 2;
    const bool is_refusal = payload.len > 3 && payload.data[0] == 0 && payload.data[3] == 1;
    if (!is_pcp && !is_refusal) {
        wzp_gather_recv(&h->gather, WZP_GATHER_NATPMP, from, payload, now);
    }
    if (is_pcp || is_refusal) {
        wzp_gather_recv(&h->gather, WZP_GATHER_PCP, from, payload, now);
    }
}

bool wzp_handset_on_datagram(void *self, const wzp_quic_path *path, wzp_bytes payload,
                             wzp_time now) {
    wzp_handset *h = self;
    const wzp_addr *from = &path->remote;
    const wzp_addr *gateway = &h->cfg.net.gateway;
    if (gateway->family != WZP_ADDR_NONE && wzp_addr_same_ip(from, gateway) &&
        from->port == PORTMAP_PORT) {
        on_gateway(h, from, payload, now);
        return true;
    }
    for (size_t i = 0; i < h->cfg.stun_count; i++) {
        if (wzp_addr_equal(from, &h->stun[i])) {
            wzp_gather_recv(&h->gather, WZP_GATHER_STUN, from, payload, now);
            return true;
        }
    }
    if (wzp_handset_birthday_heard(h, path, payload, now)) {
        return true;
    }
    const bool is_tickle = payload.len == 1 && payload.data[0] == 0;
    h->counters.strangers += is_tickle ? 0 : 1;
    return is_tickle;
}

/* --- what is known ---------------------------------------------------------------------------- */

static bool same_places(const wzp_call_addresses *a, const wzp_call_addresses *b) {
    bool same = wzp_addr_equal(&a->reflexive, &b->reflexive) &&
                wzp_addr_equal(&a->mapped, &b->mapped) && a->local_count == b->local_count;
    for (size_t i = 0; i < a->local_count && same; i++) {
        same = wzp_addr_equal(&a->local[i], &b->local[i]);
    }
    return same;
}

/* Found while it rang, say. */
bool wzp_handset_has_news(const wzp_handset *h) {
    return !same_places(&h->told, &h->own);
}

/* Where nothing has broken since, the same places again are no news. */
bool wzp_handset_is_told(const wzp_handset *h) {
    return h->told_since && !wzp_phone_owes_update(h->phone) && same_places(&h->told, &h->own);
}

/* True: it differs from before. */
static bool compose(wzp_handset *h) {
    const wzp_gathered *g = &h->gather.result;
    wzp_call_addresses now = {.reflexive = h->reflected, .mapped = g->mapped};
    if (now.reflexive.family == WZP_ADDR_NONE) {
        now.reflexive = g->reflexive;
    }
    now.local_count = g->local_count;
    memcpy(now.local, g->local, g->local_count * sizeof now.local[0]);
    const bool differs = !same_places(&now, &h->own);
    h->tell_seen = h->tell_seen || !wzp_addr_equal(&now.reflexive, &h->own.reflexive);
    h->own = now;
    return differs;
}

bool wzp_handset_reflected(wzp_handset *h, const wzp_addr *observed) {
    const bool is_awaited = h->holds_news;
    h->asks_relay = h->holds_news = false;
    h->reflected = *observed;
    return compose(h) || is_awaited;
}

bool wzp_handset_find_step(wzp_handset *h, wzp_time now) {
    wzp_gather_tick(&h->gather, now);
    send_questions(h);
    wzp_handset_ports_step(h, now);
    if (wzp_gather_news(&h->gather, now) == NULL) {
        return false;
    }
    const bool is_first = !h->has_gathered;
    h->has_gathered = true;
    if (h->gather.result.reflexive.family == WZP_ADDR_NONE &&
        h->reflected.family == WZP_ADDR_NONE && !h->asks_relay) {
        wzp_handset_ask_relay(h, now);
    }
    /* Without the relay's view others would learn nothing from it. */
    const bool is_news = compose(h) || is_first;
    h->holds_news = is_news && h->asks_relay && h->own.reflexive.family == WZP_ADDR_NONE;
    return is_news && !h->holds_news;
}

/* Who sees us, and, for a moment, whether the gateway opens a port. */
bool wzp_handset_is_found(const wzp_handset *h, wzp_time now) {
    const bool is_seen =
        h->own.reflexive.family != WZP_ADDR_NONE || (!h->asks_relay && h->has_gathered);
    const uint64_t patience =
        wzp_handset_is_reference(h) ? WZP_HANDSET_MAPPING_WAIT : WZP_HANDSET_GATHER;
    return (is_seen || now >= wzp_time_after(h->asked_at, WZP_PHONE_REFLECT_LIMIT)) &&
           (h->has_gathered || now >= wzp_time_after(h->asked_at, patience));
}

wzp_time wzp_handset_find_deadline(const wzp_handset *h) {
    wzp_time first = wzp_gather_deadline(&h->gather);
    if (h->waits != WAIT_NOTHING) {
        first = wzp_time_min(first, wzp_time_after(h->asked_at, WZP_HANDSET_MAPPING_WAIT));
        first = wzp_time_min(first, wzp_time_after(h->asked_at, WZP_PHONE_REFLECT_LIMIT));
    }
    return first;
}
