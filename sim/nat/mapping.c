/* Mappings: found, made, moved, removed. */
#include "sim/nat/state.h"

/* --- keys ------------------------------------------------------------------------------------- */

int wzp_sim_nat_external_index(const wzp_sim_nat *nat, const wzp_addr *ip) {
    for (size_t i = 0; i < nat->external_count; i++) {
        if (wzp_addr_same_ip(&nat->externals[i], ip)) {
            return (int)i;
        }
    }
    return -1;
}

wzp_addr wzp_sim_nat_external_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping) {
    if (nat->cfg.identity) {
        return mapping->internal;
    }
    wzp_addr external = nat->externals[mapping->ext];
    external.port = mapping->port;
    return external;
}

static uint32_t hash_pair(uint8_t proto, const wzp_addr *a, const wzp_addr *b) {
    return wzp_sim_nat_fold(wzp_sim_nat_mix_addr(wzp_sim_nat_mix_addr(proto, a), b));
}

static uint32_t hash_one(uint8_t proto, const wzp_addr *a) {
    return wzp_sim_nat_fold(wzp_sim_nat_mix_addr(proto, a));
}

/* What arrives is told apart by its remote only where flows share external endpoints. */
static uint32_t hash_in(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                        const wzp_addr *remote) {
    return nat->cfg.overload ? hash_pair(proto, external, remote) : hash_one(proto, external);
}

/* --- lookups ---------------------------------------------------------------------------------- */

uint32_t wzp_sim_nat_lookup_out(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                                const wzp_addr *remote, wzp_sim_nat_scope scope) {
    const wzp_addr key = wzp_sim_nat_masked(remote, scope);
    const uint32_t hash = hash_pair(proto, internal, &key);
    uint32_t m = wzp_sim_nat_index_first(&nat->mappings, BY_OUT, hash);
    for (; m != 0; m = wzp_sim_nat_index_next(&nat->mappings, BY_OUT, m)) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        if (mapping->proto == proto && mapping->scope == scope &&
            wzp_addr_equal(&mapping->internal, internal) &&
            wzp_sim_nat_alike(&mapping->remote, remote, scope)) {
            return m;
        }
    }
    return 0;
}

uint32_t wzp_sim_nat_lookup_in(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                               const wzp_addr *remote) {
    const uint32_t hash = hash_in(nat, proto, external, remote);
    uint32_t m = wzp_sim_nat_index_first(&nat->mappings, BY_IN, hash);
    for (; m != 0; m = wzp_sim_nat_index_next(&nat->mappings, BY_IN, m)) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        const wzp_addr own = wzp_sim_nat_external_of(nat, mapping);
        if (mapping->proto == proto && wzp_addr_equal(&own, external) &&
            (!nat->cfg.overload || wzp_addr_equal(&mapping->remote, remote))) {
            return m;
        }
    }
    return 0;
}

uint32_t wzp_sim_nat_newest(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal) {
    uint32_t m = wzp_sim_nat_index_first(&nat->mappings, BY_ENDPOINT, hash_one(proto, internal));
    for (; m != 0; m = wzp_sim_nat_index_next(&nat->mappings, BY_ENDPOINT, m)) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        if (mapping->proto == proto && wzp_addr_equal(&mapping->internal, internal)) {
            return m;
        }
    }
    return 0;
}

uint32_t wzp_sim_nat_older(const wzp_sim_nat *nat, uint32_t m) {
    const wzp_sim_nat_mapping *newer = wzp_sim_nat_mapping_at(nat, m);
    while ((m = wzp_sim_nat_index_next(&nat->mappings, BY_ENDPOINT, m)) != 0) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        if (mapping->proto == newer->proto &&
            wzp_addr_equal(&mapping->internal, &newer->internal)) {
            return m;
        }
    }
    return 0;
}

/* --- mappings come, move and go --------------------------------------------------------------- */

/* Foreign flows have inside addresses of 0.0.0.0/8. */
static bool is_foreign(const wzp_sim_nat_mapping *mapping) {
    return mapping->internal.family == WZP_ADDR_V4 && mapping->internal.ip[0] == 0;
}

void wzp_sim_nat_tell(wzp_sim_nat *nat, wzp_sim_nat_event_kind kind,
                      const wzp_sim_nat_mapping *mapping, const char *reason) {
    if (is_foreign(mapping)) {
        return;
    }
    nat->counts.created += kind == WZP_SIM_NAT_CREATED;
    nat->counts.expired += kind == WZP_SIM_NAT_EXPIRED;
    if (nat->event != NULL) {
        const wzp_sim_nat_event event = {.kind = kind,
                                         .at = nat->now,
                                         .proto = mapping->proto,
                                         .internal = mapping->internal,
                                         .external = wzp_sim_nat_external_of(nat, mapping),
                                         .remote = mapping->remote,
                                         .reason = reason};
        nat->event(nat->event_ctx, &event);
    }
}

static void link_in(wzp_sim_nat *nat, uint32_t m) {
    const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    const wzp_addr external = wzp_sim_nat_external_of(nat, mapping);
    wzp_sim_nat_index_put(&nat->mappings, BY_IN, m,
                          hash_in(nat, mapping->proto, &external, &mapping->remote));
}

uint64_t wzp_sim_nat_timeout_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping) {
    if (wzp_sim_nat_is_local(mapping)) {
        return 30 * WZP_S;
    }
    if ((mapping->flags & WZP_SIM_NAT_ORDINARY) == 0 && nat->cfg.t_well_known > 0) {
        return nat->cfg.t_well_known;
    }
    return (mapping->flags & WZP_SIM_NAT_REPLIED) != 0 ? nat->cfg.t_replied : nat->cfg.t_unreplied;
}

wzp_time wzp_sim_nat_expiry_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping) {
    const uint64_t timeout = wzp_sim_nat_timeout_of(nat, mapping);
    return timeout == 0 ? WZP_TIME_NEVER
                        : wzp_time_after(wzp_time_after(mapping->refreshed, timeout), 1);
}

void wzp_sim_nat_set_timer(wzp_sim_nat *nat, uint32_t m) {
    const wzp_time at = wzp_sim_nat_expiry_of(nat, wzp_sim_nat_mapping_at(nat, m));
    wzp_sim_nat_timers_set(&nat->timers, m, at);
    wzp_sim_nat_due_at(nat, at);
}

void wzp_sim_nat_mark(wzp_sim_nat *nat, uint32_t m, uint8_t flag) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    if ((mapping->flags & flag) == 0) {
        mapping->flags |= flag;
        wzp_sim_nat_set_timer(nat, m);
    }
}

/* With a timer to be; 0: the limit is reached or memory is out. */
static uint32_t take(wzp_sim_nat *nat) {
    const uint32_t m = wzp_sim_nat_table_take(&nat->mappings);
    if (m != 0 && !wzp_sim_nat_timers_reserve(&nat->timers, nat->mappings.cap)) {
        wzp_sim_nat_table_give(&nat->mappings, m);
        return 0;
    }
    return m;
}

static void give(wzp_sim_nat *nat, uint32_t m) {
    wzp_sim_nat_timers_cut(&nat->timers, m);
    wzp_sim_nat_mapping_at(nat, m)->flags = 0;
    wzp_sim_nat_table_give(&nat->mappings, m);
}

void wzp_sim_nat_lift(wzp_sim_nat *nat, uint32_t m) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    if ((mapping->flags & WZP_SIM_NAT_LIFTED) == 0) {
        wzp_sim_nat_index_cut(&nat->mappings, BY_IN, m);
        wzp_sim_nat_port_released(nat, mapping->proto, mapping->ext, mapping->port);
        mapping->flags |= WZP_SIM_NAT_LIFTED;
    }
}

void wzp_sim_nat_land(wzp_sim_nat *nat, uint32_t m, uint8_t ext, uint16_t port) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    mapping->ext = ext;
    mapping->port = port;
    mapping->flags &= (uint8_t)~WZP_SIM_NAT_LIFTED;
    wzp_sim_nat_port_used(nat, mapping->proto, ext, port);
    link_in(nat, m);
}

static void link_mapping(wzp_sim_nat *nat, uint32_t m, uint32_t h) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    mapping->flags |= WZP_SIM_NAT_LIVE;
    wzp_sim_nat_land(nat, m, mapping->ext, mapping->port);
    wzp_sim_nat_set_timer(nat, m);
    const wzp_addr key = wzp_sim_nat_masked(&mapping->remote, (wzp_sim_nat_scope)mapping->scope);
    wzp_sim_nat_index_put(&nat->mappings, BY_OUT, m,
                          hash_pair(mapping->proto, &mapping->internal, &key));
    wzp_sim_nat_index_put(&nat->mappings, BY_ENDPOINT, m,
                          hash_one(mapping->proto, &mapping->internal));
    wzp_sim_nat_host_used(nat, h);
    nat->counts.mappings++;
}

void wzp_sim_nat_remove(wzp_sim_nat *nat, uint32_t m, const char *reason) {
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    if (wzp_sim_nat_is_local(mapping)) {
        wzp_sim_nat_index_cut(&nat->mappings, BY_IN, m);
        nat->local_count--;
        give(nat, m);
        return;
    }
    wzp_sim_nat_tell(nat, WZP_SIM_NAT_EXPIRED, mapping, reason);
    wzp_sim_nat_lift(nat, m);
    wzp_sim_nat_index_cut(&nat->mappings, BY_OUT, m);
    wzp_sim_nat_index_cut(&nat->mappings, BY_ENDPOINT, m);
    wzp_sim_nat_perms_drop(nat, &mapping->perms);
    wzp_sim_nat_host_released(nat, wzp_sim_nat_host_find(nat, &mapping->internal));
    nat->counts.mappings--;
    give(nat, m);
}

/* --- a new one -------------------------------------------------------------------------------- */

/* A bucket of time: each new mapping costs the time between two at the rate. */
static bool take_token(wzp_sim_nat *nat) {
    if (nat->cfg.new_per_s == 0) {
        return true;
    }
    const uint64_t cost = WZP_S / nat->cfg.new_per_s;
    const uint64_t full = cost * nat->cfg.new_burst;
    const uint64_t since = wzp_time_since(nat->now, nat->credit_at);
    nat->credit = since >= full - nat->credit ? full : nat->credit + since;
    nat->credit_at = nat->now;
    if (nat->credit < cost) {
        return false;
    }
    nat->credit -= cost;
    return true;
}

/* With arbitrary pooling an endpoint has an external address per remote address at least. */
wzp_sim_nat_scope wzp_sim_nat_scope_of(const wzp_sim_nat *nat, uint32_t h) {
    if (nat->cfg.overload || (h != 0 && wzp_sim_nat_host_at(nat, h)->degraded)) {
        return WZP_SIM_NAT_ADDR_PORT;
    }
    if (nat->cfg.arbitrary_pooling && nat->cfg.mapping == WZP_SIM_NAT_ANY) {
        return WZP_SIM_NAT_ADDR;
    }
    return nat->cfg.mapping;
}

static bool may_create(wzp_sim_nat *nat, uint32_t h) {
    return h != 0 && nat->mappings.live < nat->cfg.quota_total &&
           wzp_sim_nat_host_at(nat, h)->mappings < nat->cfg.quota && take_token(nat);
}

uint32_t wzp_sim_nat_create(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                            const wzp_addr *remote) {
    const uint32_t h = wzp_sim_nat_host_get(nat, internal);
    const wzp_sim_nat_want want = {proto, *internal, *remote, h};
    uint8_t ext = 0;
    uint16_t port = 0;
    if (!may_create(nat, h) || !wzp_sim_nat_allocate(nat, &want, &ext, &port)) {
        return 0;
    }
    const uint32_t m = take(nat);
    if (m == 0) {
        return 0;
    }
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    *mapping = (wzp_sim_nat_mapping){.internal = *internal,
                                     .remote = *remote,
                                     .scope = (uint8_t)wzp_sim_nat_scope_of(nat, h),
                                     .port = port,
                                     .ext = ext,
                                     .proto = proto,
                                     .refreshed = nat->now};
    mapping->flags |= remote->port > 1023 ? WZP_SIM_NAT_ORDINARY : 0;
    link_mapping(nat, m, h);
    wzp_sim_nat_tell(nat, WZP_SIM_NAT_CREATED, mapping, "new");
    return m;
}

/* The kernel of such a box takes the packet for its own and keeps a flow for it, which occupies
 * the port towards that remote. */
void wzp_sim_nat_create_local(wzp_sim_nat *nat, uint8_t proto, uint8_t ext,
                              const wzp_addr *external, const wzp_addr *remote) {
    const uint32_t m = take(nat);
    if (m != 0) {
        *wzp_sim_nat_mapping_at(nat, m) =
            (wzp_sim_nat_mapping){.remote = *remote,
                                  .port = external->port,
                                  .ext = ext,
                                  .proto = proto,
                                  .flags = WZP_SIM_NAT_LIVE | WZP_SIM_NAT_LOCAL,
                                  .refreshed = nat->now};
        link_in(nat, m);
        wzp_sim_nat_set_timer(nat, m);
        nat->local_count++;
    }
}
