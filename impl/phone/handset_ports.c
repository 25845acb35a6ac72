/* What our NAT and the other side's do with ports: found, told, heard, and used in the race (nat
 * sheet 1.14, 1.15, 1.18). */
#include "phone/handset_internal.h"

bool wzp_handset_predicts(const wzp_handset_cfg *cfg) {
    return cfg->policy == WZP_RACE_REFERENCE && !cfg->relay_only && !cfg->no_prediction;
}

bool wzp_handset_tells_ports(const wzp_handset_cfg *cfg) {
    return wzp_handset_predicts(cfg) || wzp_handset_celebrates(cfg);
}

/* --- ours ------------------------------------------------------------------------------------- */

/* The relay is one more who sees our socket, since before all others, as long as we do not move. */
static void add_relay_view(wzp_handset *h) {
    if (h->reflected.family != WZP_ADDR_NONE && !h->has_moved) {
        h->relay_view = h->reflected;
    }
    if (h->relay_view.family != WZP_ADDR_NONE) {
        wzp_gather_reflected(&h->gather, &h->cfg.path.remote, &h->relay_view, h->created);
    }
}

static uint64_t unix_ms(const wzp_handset *h, wzp_time now) {
    return h->cfg.unix_ms != 0 ? h->cfg.unix_ms + wzp_time_since(now, h->created) / WZP_MS : 0;
}

static bool says_the_same(const wzp_call_probe *a, const wzp_call_probe *b) {
    return a->alloc.kind == b->alloc.kind && a->alloc.delta == b->alloc.delta &&
           wzp_addr_equal(&a->external, &b->external);
}

void wzp_handset_ports_step(wzp_handset *h, wzp_time now) {
    wzp_call_probe probe;
    add_relay_view(h);
    const wzp_gather_ports *ports = wzp_gather_port_news(&h->gather, now);
    if (ports == NULL || !wzp_handset_tells_ports(&h->cfg)) {
        return;
    }
    wzp_call_probe_of(&probe, ports, unix_ms(h, now));
    if (h->cfg.claims) {
        probe.alloc = h->cfg.claimed;
    }
    h->ports_at = now;
    if (!h->has_ports || !says_the_same(&probe, &h->ports)) {
        h->has_ports = true;
        h->ports = probe;
        wzp_phone_set_probe(h->phone, &probe);
    }
}

void wzp_handset_ports_refresh(wzp_handset *h, wzp_time now) {
    const bool counts = h->has_ports && h->ports.alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL;
    const uint64_t age = wzp_gather_has_reserve(&h->gather) ? WZP_HANDSET_PORTS_FRESH_ENOUGH
                                                            : WZP_HANDSET_PORTS_FRESH;
    if (counts && now >= wzp_time_after(h->ports_at, age)) {
        h->has_ports = false;
        wzp_phone_hold_probe(h->phone);
        wzp_gather_look_again(&h->gather, h->cfg.rng, now);
    }
}

/* What was seen is no view of where we are now, and the relay's is not asked for again. */
void wzp_handset_ports_moved(wzp_handset *h) {
    h->has_moved = true;
    h->relay_view = (wzp_addr){.family = WZP_ADDR_NONE};
}

/* --- theirs ----------------------------------------------------------------------------------- */

size_t wzp_handset_candidates(wzp_handset *h, wzp_race_candidate out[WZP_RACE_CANDIDATES_MAX]) {
    const bool predicts = h->has_peer_ports && h->peer_is_able && wzp_handset_predicts(&h->cfg);
    const wzp_call_dial_cfg cfg = {.policy = h->cfg.policy,
                                   .probe = predicts ? &h->peer_ports : NULL,
                                   .accepts_any = h->cfg.accepts_any};
    return wzp_call_dial_order(out, &h->told, &h->peer, &cfg, &h->counters.told);
}

bool wzp_handset_awaits_ports(const wzp_handset *h) {
    return h->peer_probes && h->peer_is_able && !h->has_peer_ports && wzp_handset_predicts(&h->cfg);
}

void wzp_handset_on_ports(wzp_handset *h, const wzp_call_probe *probe, wzp_time now) {
    wzp_race_candidate candidates[WZP_RACE_CANDIDATES_MAX];
    h->peer_ports = *probe;
    h->has_peer_ports = true;
    if (h->races && h->race.cfg.role != WZP_RACE_NO_ROLE && h->peer_is_able &&
        wzp_handset_predicts(&h->cfg)) {
        const size_t count = wzp_handset_candidates(h, candidates);
        wzp_race_candidates(&h->race, candidates, count, now);
    }
}

void wzp_handset_forget_ports(wzp_handset *h) {
    h->peer_probes = h->has_peer_ports = false;
}
