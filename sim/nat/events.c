/* Time, and what happens to a NAT (nat sheet 2.3 "Timers", 2.7). */
#include "sim/engine/chance.h"
#include "sim/nat/state.h"

/* --- expiry ----------------------------------------------------------------------------------- */

/* A timer may have been set before the last refresh. */
static void sweep_mappings(wzp_sim_nat *nat) {
    while (wzp_sim_nat_timers_due(&nat->timers) <= nat->now) {
        const uint32_t m = nat->timers.heap[0].of;
        const wzp_time expiry = wzp_sim_nat_expiry_of(nat, wzp_sim_nat_mapping_at(nat, m));
        if (expiry <= nat->now) {
            wzp_sim_nat_remove(nat, m, "timeout");
        } else {
            wzp_sim_nat_timers_set(&nat->timers, m, expiry);
        }
    }
    wzp_sim_nat_due_at(nat, wzp_sim_nat_timers_due(&nat->timers));
}

static void sweep(wzp_sim_nat *nat) {
    nat->due = WZP_TIME_NEVER;
    wzp_sim_nat_unhold(nat);
    wzp_sim_nat_perms_sweep(nat);
    wzp_sim_nat_explicits_sweep(nat);
    sweep_mappings(nat);
}

/* Each thing ends at its own time, however late that is noticed: so events are in order, and
 * hold-down begins when it should. */
static void run_to(wzp_sim_nat *nat, wzp_time now) {
    while (nat->due <= now) {
        nat->now = nat->due > nat->now ? nat->due : nat->now;
        sweep(nat);
    }
    nat->now = now > nat->now ? now : nat->now;
}

/* Another subscriber talks to somebody: that takes a port and a step of the allocator. */
static void foreign_flow(wzp_sim_nat *nat) {
    wzp_prng *prng = &nat->foreign;
    const wzp_addr internal = wzp_addr_v4(0, 0, 0, (uint8_t)wzp_chance_between(prng, 1, 255),
                                          (uint16_t)wzp_chance_between(prng, 1024, 65535));
    const wzp_addr remote =
        wzp_addr_v4(198, 51, 100, (uint8_t)wzp_chance_between(prng, 1, 255), 443);
    (void)wzp_sim_nat_create(nat, 17, &internal, &remote); /* or finds no room, like anyone */
}

void wzp_sim_nat_next_foreign(wzp_sim_nat *nat, wzp_time after) {
    nat->next_foreign = WZP_TIME_NEVER;
    if (nat->cfg.foreign_per_s_milli > 0 && !nat->cfg.identity) {
        const uint64_t mean = 1000 * WZP_S / nat->cfg.foreign_per_s_milli;
        nat->next_foreign = wzp_time_after(after, wzp_chance_exponential(&nat->foreign, mean) + 1);
    }
}

void wzp_sim_nat_advance(wzp_sim_nat *nat, wzp_time now) {
    while (nat->next_foreign <= now) {
        const wzp_time at = nat->next_foreign;
        run_to(nat, at);
        foreign_flow(nat);
        wzp_sim_nat_next_foreign(nat, at);
    }
    run_to(nat, now);
}

void wzp_sim_nat_tick(wzp_sim_nat *nat, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
}

wzp_time wzp_sim_nat_deadline(const wzp_sim_nat *nat) {
    return nat->event != NULL ? nat->due : WZP_TIME_NEVER;
}

/* --- all mappings ----------------------------------------------------------------------------- */

static bool is_live(const wzp_sim_nat *nat, uint32_t m) {
    return (wzp_sim_nat_mapping_at(nat, m)->flags & WZP_SIM_NAT_LIVE) != 0;
}

static bool has_timer(const wzp_sim_nat *nat, uint32_t m) {
    return wzp_sim_nat_timeout_of(nat, wzp_sim_nat_mapping_at(nat, m)) > 0;
}

static void remove_all(wzp_sim_nat *nat, bool with_timer, const char *reason) {
    for (uint32_t m = 1; m < nat->mappings.fresh; m++) {
        if (is_live(nat, m) && (!with_timer || has_timer(nat, m))) {
            wzp_sim_nat_remove(nat, m, reason);
        }
    }
}

void wzp_sim_nat_flush(wzp_sim_nat *nat, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    remove_all(nat, false, "flush");
}

void wzp_sim_nat_expire(wzp_sim_nat *nat, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    remove_all(nat, true, "expire");
    wzp_sim_nat_perms_expire(nat);
}

void wzp_sim_nat_start(wzp_sim_nat *nat) {
    nat->last_step = 0;
    nat->round = 0;
    nat->credit_at = nat->now;
    nat->credit = nat->cfg.new_per_s > 0 ? WZP_S / nat->cfg.new_per_s * nat->cfg.new_burst : 0;
}

void wzp_sim_nat_reboot(wzp_sim_nat *nat, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    remove_all(nat, false, "reboot");
    wzp_sim_nat_explicits_drop(nat);
    wzp_sim_nat_hosts_forget(nat);
    wzp_sim_nat_unhold_all(nat);
    wzp_sim_nat_start(nat);
}

/* --- other ports ------------------------------------------------------------------------------ */

static uint16_t new_port(wzp_sim_nat *nat, uint32_t m, uint8_t ext) {
    const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    const uint32_t h = wzp_sim_nat_host_find(nat, &mapping->internal);
    const wzp_sim_nat_want want = {mapping->proto, mapping->internal, mapping->remote, h};
    return wzp_sim_nat_random_port(nat, &want, ext);
}

static void rebound(wzp_sim_nat *nat, uint32_t m, uint8_t ext, uint16_t port) {
    if (port == 0) {
        wzp_sim_nat_remove(nat, m, "no port");
        return;
    }
    wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    wzp_sim_nat_lift(nat, m);
    wzp_sim_nat_land(nat, m, ext, port);
    mapping->flags |= WZP_SIM_NAT_MOVED;
    wzp_sim_nat_tell(nat, WZP_SIM_NAT_REBOUND, mapping, "rebind");
}

static bool is_movable(const wzp_sim_nat *nat, uint32_t m) {
    const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    return (mapping->flags & (WZP_SIM_NAT_LIVE | WZP_SIM_NAT_MOVED)) == WZP_SIM_NAT_LIVE;
}

/* Flows of one inside endpoint that share an external one stay together. */
static void rebind(wzp_sim_nat *nat, uint32_t m, uint8_t ext) {
    const wzp_sim_nat_mapping old = *wzp_sim_nat_mapping_at(nat, m);
    const uint16_t port = new_port(nat, m, ext);
    if (!nat->cfg.overload) {
        rebound(nat, m, ext, port);
        return;
    }
    uint32_t older = 0;
    for (m = wzp_sim_nat_newest(nat, old.proto, &old.internal); m != 0; m = older) {
        const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
        older = wzp_sim_nat_older(nat, m);
        if (is_movable(nat, m) && mapping->ext == old.ext && mapping->port == old.port) {
            rebound(nat, m, ext, port);
        }
    }
}

static uint8_t ext_of(const wzp_sim_nat *nat, uint32_t m) {
    const wzp_sim_nat_mapping *mapping = wzp_sim_nat_mapping_at(nat, m);
    return nat->cfg.arbitrary_pooling
               ? (uint8_t)(mapping->ext % nat->external_count)
               : wzp_sim_nat_host_at(nat, wzp_sim_nat_host_find(nat, &mapping->internal))->ext;
}

/* What the box took for its own would be in the way. */
static void remove_locals(wzp_sim_nat *nat) {
    for (uint32_t m = 1; nat->local_count > 0; m++) {
        if (wzp_sim_nat_is_local(wzp_sim_nat_mapping_at(nat, m))) {
            wzp_sim_nat_remove(nat, m, NULL);
        }
    }
}

/* `moving`: ports that are left now are not given to those that still look for one. */
static void rebind_all(wzp_sim_nat *nat) {
    nat->moving = true;
    remove_locals(nat);
    for (uint32_t m = 1; m < nat->mappings.fresh; m++) {
        if (is_movable(nat, m)) {
            rebind(nat, m, ext_of(nat, m));
        }
    }
    for (uint32_t m = 1; m < nat->mappings.fresh; m++) {
        wzp_sim_nat_mapping_at(nat, m)->flags &= (uint8_t)~WZP_SIM_NAT_MOVED;
    }
    nat->moving = false;
}

void wzp_sim_nat_rebind(wzp_sim_nat *nat, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    if (!nat->cfg.identity) {
        rebind_all(nat);
    }
}

void wzp_sim_nat_set_pool(wzp_sim_nat *nat, const wzp_addr *externals, size_t count) {
    nat->external_count = count;
    for (size_t i = 0; i < count; i++) {
        nat->externals[i] = externals[i];
        nat->externals[i].port = 0;
    }
}

static void lift_all(wzp_sim_nat *nat) {
    for (uint32_t m = 1; m < nat->mappings.fresh; m++) {
        if (is_movable(nat, m)) {
            wzp_sim_nat_lift(nat, m);
        }
    }
}

void wzp_sim_nat_renumber(wzp_sim_nat *nat, const wzp_addr *externals, size_t count, wzp_time now) {
    wzp_sim_nat_advance(nat, now);
    if (nat->cfg.identity) {
        return;
    }
    remove_locals(nat);
    lift_all(nat);
    wzp_sim_nat_set_pool(nat, externals, count);
    wzp_sim_nat_hosts_reassign(nat);
    wzp_sim_nat_ports_clear(nat);
    wzp_sim_nat_explicits_renumber(nat);
    rebind_all(nat);
}
