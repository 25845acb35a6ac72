/* The slow twin: which ports the NAT may give. */
#include <stdlib.h>

#include "sim/nat/testing/twin_state.h"

/* --- ports ------------------------------------------------------------------------------------ */

static bool tuple_taken(const wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external,
                        wzp_addr remote) {
    for (size_t i = 0; i < t->flow_count; i++) {
        const flow *f = &t->flows[i];
        if (f->proto == proto && eq(f->external, external) && eq(f->remote, remote)) {
            return true;
        }
    }
    return false;
}

static bool port_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                    wzp_addr external) {
    if (twin_is_held(t, proto, external) ||
        (t->cfg.parity && external.port % 2 != internal.port % 2)) {
        return false;
    }
    if (!t->cfg.overload) {
        return twin_users_of(t, proto, external) == 0;
    }
    const lease *e = twin_lease_at(t, proto, external);
    return (e == NULL || eq(e->m.internal, internal)) && !tuple_taken(t, proto, external, remote);
}

static bool any_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                   wzp_addr external, range r) {
    for (uint32_t port = r.low; port <= r.high; port++) {
        external.port = (uint16_t)port;
        if (port_ok(t, proto, internal, remote, external)) {
            return true;
        }
    }
    return false;
}

/* The first good port from `first` on by `step`, then by 1; 0: none. */
static uint16_t first_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                         wzp_addr external, range r, uint32_t first, uint32_t step) {
    const uint32_t n = r.high - r.low + 1;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t by = pass == 0 ? step : 1;
            external.port = (uint16_t)(r.low + (first - r.low + i * by) % n);
            if (port_ok(t, proto, internal, remote, external)) {
                return external.port;
            }
        }
    }
    return 0;
}

static uint32_t follow(range r, uint32_t last, uint32_t step) {
    return last < r.low || last > r.high ? r.low
                                         : r.low + (last - r.low + step) % (r.high - r.low + 1);
}

static bool sequential_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                          wzp_addr external, range r) {
    const bool own = t->cfg.per_host_counter || t->cfg.block_size > 0;
    uint16_t *last = own ? &twin_host_of(t, internal)->last_step : &t->last_step;
    const uint32_t first = follow(r, *last, t->cfg.delta);
    const uint32_t second = follow(r, first, t->cfg.delta);
    const bool plain =
        first_ok(t, proto, internal, remote, external, r, first, t->cfg.delta) == external.port;
    const bool skipped = t->cfg.skip_ppm > 0 && first_ok(t, proto, internal, remote, external, r,
                                                         second, t->cfg.delta) == external.port;
    *last = plain || skipped ? external.port : *last;
    return plain || skipped;
}

static bool mode_ok(wzp_sim_nat_twin *t, wzp_sim_nat_ports mode, uint8_t proto, wzp_addr internal,
                    wzp_addr remote, wzp_addr external, range r) {
    const uint16_t last = twin_host_of(t, internal)->last_port;
    switch (mode) {
    case WZP_SIM_NAT_SEQUENTIAL:
        return sequential_ok(t, proto, internal, remote, external, r);
    case WZP_SIM_NAT_CONTIGUOUS:
        if (last < r.low || last > r.high) {
            return port_ok(t, proto, internal, remote, external);
        }
        return first_ok(t, proto, internal, remote, external, r, follow(r, last, 1), 1) ==
               external.port;
    case WZP_SIM_NAT_NEXT_HIGHER:
        return first_ok(t, proto, internal, remote, external, r, follow(r, internal.port, 1), 1) ==
               external.port;
    case WZP_SIM_NAT_PRESERVE:
    case WZP_SIM_NAT_RANDOM:
        break;
    }
    return port_ok(t, proto, internal, remote, external);
}

/* May a new mapping get this port, given that one of the range is to be had? */
static bool choice_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                      wzp_addr external, range r) {
    if (external.port < r.low || external.port > r.high) {
        return false;
    }
    if (t->cfg.ports != WZP_SIM_NAT_PRESERVE) {
        return mode_ok(t, t->cfg.ports, proto, internal, remote, external, r);
    }
    wzp_addr kept = external;
    kept.port = internal.port;
    if (kept.port >= r.low && kept.port <= r.high) {
        if (port_ok(t, proto, internal, remote, kept)) {
            return external.port == kept.port;
        }
        twin_host_of(t, internal)->degraded |= t->cfg.degrade_on_collision;
    }
    return mode_ok(t, t->cfg.fallback, proto, internal, remote, external, r);
}

range twin_usual_range(const wzp_sim_nat_twin *t, wzp_addr internal) {
    if (t->cfg.keep_well_known && internal.port < 1024) {
        return (range){1, 1023};
    }
    return (range){t->cfg.first_port, t->cfg.last_port};
}

range twin_block_range(const wzp_sim_nat_twin *t, uint32_t low) {
    return (range){low, low + t->cfg.block_size - 1};
}

bool twin_block_owned(const wzp_sim_nat_twin *t, wzp_addr external, uint32_t low) {
    for (size_t i = 0; i < t->block_count; i++) {
        if (same_ip(t->blocks[i].external, external) && t->blocks[i].low == low) {
            return true;
        }
    }
    return false;
}

/* Blocks that the host owns, newest first; *found: one of them has a port. */
static bool owned_block_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                           wzp_addr external, bool *found) {
    for (size_t i = t->block_count; i-- > 0;) {
        const range r = twin_block_range(t, t->blocks[i].low);
        if (same_ip(t->blocks[i].ip, internal)) {
            wzp_addr at = external;
            if (any_ok(t, proto, internal, remote, at, r)) {
                *found = true;
                return choice_ok(t, proto, internal, remote, external, r);
            }
            if (t->cfg.ports == WZP_SIM_NAT_PRESERVE && t->cfg.degrade_on_collision &&
                internal.port >= r.low && internal.port <= r.high) {
                twin_host_of(t, internal)->degraded = true;
            }
        }
    }
    *found = false;
    return false;
}

static size_t blocks_of(const wzp_sim_nat_twin *t, wzp_addr ip) {
    size_t n = 0;
    for (size_t i = 0; i < t->block_count; i++) {
        n += same_ip(t->blocks[i].ip, ip);
    }
    return n;
}

static bool new_block_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                         wzp_addr external) {
    const uint32_t low = external.port / t->cfg.block_size * t->cfg.block_size;
    const range r = twin_block_range(t, low);
    if (blocks_of(t, internal) >= t->cfg.blocks_max || twin_block_owned(t, external, low) ||
        low < t->cfg.first_port || r.high > t->cfg.last_port || t->block_count == BLOCKS) {
        return false;
    }
    t->blocks[t->block_count++] = (block){internal, external, low};
    return choice_ok(t, proto, internal, remote, external, r);
}

static bool any_new_block(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                          wzp_addr external) {
    const uint32_t size = t->cfg.block_size;
    for (uint32_t low = 0; low + size - 1 <= t->cfg.last_port; low += size) {
        if (low >= t->cfg.first_port && !twin_block_owned(t, external, low) &&
            any_ok(t, proto, internal, remote, external, twin_block_range(t, low))) {
            return blocks_of(t, internal) < t->cfg.blocks_max;
        }
    }
    return false;
}

/* --- new mappings ----------------------------------------------------------------------------- */

bool twin_may_create(wzp_sim_nat_twin *t, wzp_addr internal) {
    const uint64_t full = t->cfg.new_burst * WZP_S;
    if (t->flow_count >= t->cfg.quota_total || twin_mappings_of(t, &internal) >= t->cfg.quota) {
        return false;
    }
    if (t->cfg.new_per_s == 0) {
        return true;
    }
    t->tokens += (t->now - t->tokens_at) * t->cfg.new_per_s;
    t->tokens = t->tokens > full ? full : t->tokens;
    t->tokens_at = t->now;
    if (t->tokens < WZP_S) {
        return false;
    }
    t->tokens -= WZP_S;
    return true;
}

/* What a new flow takes over from the newest of its endpoint; NULL: nothing. */
static const wzp_addr *taken_over(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal,
                                  wzp_addr remote) {
    for (size_t i = t->flow_count; i-- > 0;) {
        const flow *f = &t->flows[i];
        if (!f->local && f->proto == proto && eq(f->internal, internal) &&
            alike(f->remote, remote, t->cfg.mapping)) {
            return port_ok(t, proto, internal, remote, f->external) ? &f->external : NULL;
        }
    }
    return NULL;
}

/* Paired: always the one that the host had first. */
static bool address_ok(wzp_sim_nat_twin *t, wzp_addr internal, wzp_addr external) {
    host *h = twin_host_of(t, internal);
    if (t->cfg.arbitrary_pooling) {
        return same_ip(t->pool[t->round++ % t->pool_count], external);
    }
    if (h->external.family == WZP_ADDR_NONE) {
        h->external = external;
    }
    return twin_is_ours(t, external) && same_ip(h->external, external);
}

/* Whether the real NAT may have given `external`. */
bool twin_given_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                   wzp_addr external) {
    if (t->cfg.identity) {
        return eq(external, internal);
    }
    if (t->cfg.overload && t->cfg.mapping != WZP_SIM_NAT_ADDR_PORT) {
        const wzp_addr *over = taken_over(t, proto, internal, remote);
        if (over != NULL) {
            return eq(*over, external);
        }
    }
    const bool ip_ok = address_ok(t, internal, external);
    bool ok = false;
    if (t->cfg.block_size > 0) {
        bool found = false;
        ok = owned_block_ok(t, proto, internal, remote, external, &found);
        ok = found ? ok : new_block_ok(t, proto, internal, remote, external);
    } else {
        ok = choice_ok(t, proto, internal, remote, external, twin_usual_range(t, internal));
    }
    twin_host_of(t, internal)->last_port = external.port;
    return ip_ok && ok;
}

static bool none_at(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                    wzp_addr external) {
    if (t->cfg.block_size == 0) {
        return !any_ok(t, proto, internal, remote, external, twin_usual_range(t, internal));
    }
    bool found = false;
    (void)owned_block_ok(t, proto, internal, remote, external, &found);
    return !found && !any_new_block(t, proto, internal, remote, external);
}

/* Whether there really was no port: at the address that it must be, or at any if the host's is not
 * known yet. */
bool twin_none_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote) {
    const range r = twin_usual_range(t, internal);
    if (t->cfg.identity || (t->cfg.overload && t->cfg.mapping != WZP_SIM_NAT_ADDR_PORT &&
                            taken_over(t, proto, internal, remote) != NULL)) {
        return false;
    }
    twin_host_of(t, internal)->degraded |= t->cfg.block_size == 0 && t->cfg.degrade_on_collision &&
                                           t->cfg.ports == WZP_SIM_NAT_PRESERVE &&
                                           internal.port >= r.low && internal.port <= r.high;
    if (t->cfg.arbitrary_pooling) {
        return none_at(t, proto, internal, remote, t->pool[t->round++ % t->pool_count]);
    }
    const wzp_addr known = twin_host_of(t, internal)->external;
    if (known.family != WZP_ADDR_NONE) {
        return none_at(t, proto, internal, remote, known);
    }
    for (size_t i = 0; i < t->pool_count; i++) {
        if (none_at(t, proto, internal, remote, t->pool[i])) {
            return true;
        }
    }
    return false;
}

wzp_sim_nat_scope twin_scope_now(wzp_sim_nat_twin *t, wzp_addr internal) {
    if (t->cfg.overload || twin_host_of(t, internal)->degraded) {
        return WZP_SIM_NAT_ADDR_PORT;
    }
    if (t->cfg.identity) {
        return WZP_SIM_NAT_ANY;
    }
    return t->cfg.arbitrary_pooling && t->cfg.mapping == WZP_SIM_NAT_ANY ? WZP_SIM_NAT_ADDR
                                                                         : t->cfg.mapping;
}
