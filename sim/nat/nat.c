/* Packets through the NAT: out, in, and back in; ICMP errors (nat sheet 2.3). */
#include "sim/nat/state.h"

/* --- out -------------------------------------------------------------------------------------- */

/* A host that degraded keeps the mappings that it had before. */
static uint32_t find_out(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                         const wzp_addr *remote) {
    const wzp_sim_nat_scope usual = wzp_sim_nat_scope_of(nat, 0);
    if (!nat->cfg.degrade_on_collision) {
        return wzp_sim_nat_lookup_out(nat, proto, internal, remote, usual);
    }
    const uint32_t m = wzp_sim_nat_lookup_out(nat, proto, internal, remote, WZP_SIM_NAT_ADDR_PORT);
    return m != 0 ? m : wzp_sim_nat_lookup_out(nat, proto, internal, remote, usual);
}

static void went_out(wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote) {
    if (!nat->cfg.no_refresh_out) {
        wzp_sim_nat_mapping_at(nat, m)->refreshed = nat->now;
    }
    if (remote->port > 1023) {
        wzp_sim_nat_mark(nat, m, WZP_SIM_NAT_ORDINARY);
    }
}

static wzp_sim_nat_verdict leave(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src,
                                 const wzp_addr *dst) {
    const uint32_t e = wzp_sim_nat_explicit_out(nat, proto, src, dst);
    if (e != 0) {
        *src = wzp_sim_nat_explicit_get(nat, e)->external;
        return WZP_SIM_NAT_FORWARD;
    }
    uint32_t m = find_out(nat, proto, src, dst);
    if (m != 0) {
        went_out(nat, m, dst);
    } else if ((m = wzp_sim_nat_create(nat, proto, src, dst)) == 0) {
        return WZP_SIM_NAT_DROP_QUOTA;
    }
    if (!wzp_sim_nat_permit(nat, m, dst)) {
        return WZP_SIM_NAT_DROP_QUOTA;
    }
    *src = wzp_sim_nat_external_of(nat, wzp_sim_nat_mapping_at(nat, m));
    return WZP_SIM_NAT_FORWARD;
}

/* --- in --------------------------------------------------------------------------------------- */

static wzp_sim_nat_verdict miss(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *src,
                                const wzp_addr *dst) {
    if (nat->cfg.identity) {
        return WZP_SIM_NAT_DROP_FILTER;
    }
    const int ext = wzp_sim_nat_external_index(nat, dst);
    if (ext < 0) {
        return WZP_SIM_NAT_DROP_NO_MAPPING;
    }
    if (nat->cfg.inbound_creates_state) {
        wzp_sim_nat_create_local(nat, proto, (uint8_t)ext, dst, src);
    }
    return wzp_sim_nat_port_users(nat, proto, (uint8_t)ext, dst->port) > 0
               ? WZP_SIM_NAT_DROP_FILTER
               : WZP_SIM_NAT_DROP_NO_MAPPING;
}

static wzp_sim_nat_verdict came_in(wzp_sim_nat *nat, uint32_t m) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    if (wzp_sim_nat_is_local(mapping)) {
        mapping->refreshed = nat->now;
        return WZP_SIM_NAT_DROP_NO_MAPPING;
    }
    if (!nat->cfg.no_refresh_in) {
        mapping->refreshed = nat->now;
    }
    wzp_sim_nat_mark(nat, m, WZP_SIM_NAT_REPLIED);
    return WZP_SIM_NAT_FORWARD;
}

static wzp_sim_nat_verdict enter(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *src,
                                 wzp_addr *dst) {
    bool taken = false;
    const uint32_t e = wzp_sim_nat_explicit_in(nat, proto, dst, src, &taken);
    if (e != 0) {
        *dst = wzp_sim_nat_explicit_get(nat, e)->internal;
        return WZP_SIM_NAT_FORWARD;
    }
    const uint32_t m = wzp_sim_nat_lookup_in(nat, proto, dst, src);
    if (m == 0) {
        return taken ? WZP_SIM_NAT_DROP_FILTER : miss(nat, proto, src, dst);
    }
    if (!wzp_sim_nat_permitted(nat, m, src)) {
        return WZP_SIM_NAT_DROP_FILTER;
    }
    const wzp_sim_nat_verdict verdict = came_in(nat, m);
    if (verdict == WZP_SIM_NAT_FORWARD) {
        *dst = wzp_sim_nat_mapping_at(nat, m)->internal;
    }
    return verdict;
}

/* --- packets ---------------------------------------------------------------------------------- */

static wzp_sim_nat_verdict judged(wzp_sim_nat *nat, wzp_sim_nat_verdict verdict, uint8_t proto,
                                  const wzp_addr *internal, const wzp_addr *external,
                                  const wzp_addr *remote) {
    static const char *const reasons[] = {[WZP_SIM_NAT_DROP_NO_MAPPING] = "no-mapping",
                                          [WZP_SIM_NAT_DROP_FILTER] = "filter",
                                          [WZP_SIM_NAT_DROP_QUOTA] = "quota",
                                          [WZP_SIM_NAT_DROP_HAIRPIN] = "hairpin"};
    if (verdict < WZP_SIM_NAT_DROP_NO_MAPPING) {
        nat->counts.turned += verdict == WZP_SIM_NAT_TURN;
        return verdict;
    }
    nat->counts.dropped[verdict]++;
    if (nat->event != NULL) {
        const wzp_sim_nat_event event = {.kind = WZP_SIM_NAT_DROPPED,
                                         .at = nat->now,
                                         .proto = proto,
                                         .internal = *internal,
                                         .external = *external,
                                         .remote = *remote,
                                         .reason = reasons[verdict]};
        nat->event(nat->event_ctx, &event);
    }
    return verdict;
}

/* Out through one mapping and in through another; the host inside sees the external address, as
 * RFC 4787 REQ-9 wants it, or not. */
static wzp_sim_nat_verdict turn(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src, wzp_addr *dst) {
    const wzp_addr inside = *src;
    if (nat->cfg.hairpin == WZP_SIM_NAT_HAIRPIN_OFF) {
        return WZP_SIM_NAT_DROP_HAIRPIN;
    }
    wzp_sim_nat_verdict verdict = leave(nat, proto, src, dst);
    if (verdict == WZP_SIM_NAT_FORWARD) {
        verdict = enter(nat, proto, src, dst);
    }
    if (verdict != WZP_SIM_NAT_FORWARD || nat->cfg.hairpin == WZP_SIM_NAT_HAIRPIN_INTERNAL) {
        *src = inside;
    }
    return verdict == WZP_SIM_NAT_FORWARD ? WZP_SIM_NAT_TURN : verdict;
}

bool wzp_sim_nat_translates_stun(const wzp_sim_nat *nat) {
    return nat->cfg.alg_stun;
}

wzp_sim_nat_verdict wzp_sim_nat_out(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src, wzp_addr *dst,
                                    wzp_time now) {
    const wzp_addr none = {0};
    const wzp_addr inside = *src;
    const wzp_addr target = *dst;
    wzp_sim_nat_advance(nat, now);
    if (nat->cfg.open) {
        return WZP_SIM_NAT_FORWARD;
    }
    const bool own = !nat->cfg.identity && wzp_sim_nat_external_index(nat, dst) >= 0;
    const wzp_sim_nat_verdict verdict =
        own ? turn(nat, proto, src, dst) : leave(nat, proto, src, dst);
    return judged(nat, verdict, proto, &inside, &none, &target);
}

wzp_sim_nat_verdict wzp_sim_nat_in(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *src,
                                   wzp_addr *dst, wzp_time now) {
    const wzp_addr none = {0};
    const wzp_addr target = *dst;
    wzp_sim_nat_advance(nat, now);
    if (nat->cfg.open) {
        return WZP_SIM_NAT_FORWARD;
    }
    return judged(nat, enter(nat, proto, src, dst), proto, &none, &target, src);
}

/* --- ICMP ------------------------------------------------------------------------------------- */

bool wzp_sim_nat_icmp_in(wzp_sim_nat *nat, uint8_t proto, wzp_addr *dst, wzp_addr *inner_src,
                         const wzp_addr *inner_dst, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    if (nat->cfg.open) {
        return true;
    }
    wzp_addr internal;
    const uint32_t e = wzp_sim_nat_explicit_lookup(nat, proto, inner_src);
    if (e != 0) {
        internal = wzp_sim_nat_explicit_get(nat, e)->internal;
    } else {
        const uint32_t m = wzp_sim_nat_lookup_in(nat, proto, inner_src, inner_dst);
        if (m == 0 || wzp_sim_nat_is_local(wzp_sim_nat_mapping_at(nat, m)) ||
            !wzp_sim_nat_permitted(nat, m, inner_dst)) {
            return false;
        }
        internal = wzp_sim_nat_mapping_at(nat, m)->internal;
        if (nat->cfg.icmp_kills_mapping) {
            wzp_sim_nat_remove(nat, m, "icmp");
        }
    }
    *inner_src = internal;
    *dst = internal;
    dst->port = 0;
    return true;
}

/* The mapping that let `remote` in to `internal`. */
static uint32_t find_entered(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                             const wzp_addr *remote) {
    uint32_t m = find_out(nat, proto, internal, remote);
    if (m == 0 && !nat->cfg.overload) {
        m = wzp_sim_nat_newest(nat, proto, internal);
        while (m != 0 && !wzp_sim_nat_permitted(nat, m, remote)) {
            m = wzp_sim_nat_older(nat, m);
        }
    }
    return m;
}

bool wzp_sim_nat_icmp_out(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src, const wzp_addr *inner_src,
                          wzp_addr *inner_dst, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    if (nat->cfg.open) {
        return true;
    }
    const wzp_sim_nat_explicit *explicit =
        wzp_sim_nat_find_internal(nat, proto, inner_dst, nat->now);
    wzp_addr external;
    if (explicit != NULL) {
        external = explicit->external;
    } else {
        const uint32_t m = find_entered(nat, proto, inner_dst, inner_src);
        if (m == 0) {
            return false;
        }
        external = wzp_sim_nat_external_of(nat, wzp_sim_nat_mapping_at(nat, m));
    }
    *inner_dst = external;
    *src = external;
    src->port = 0;
    return true;
}
