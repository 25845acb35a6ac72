/* The slow twin: explicit mappings and events. */
#include <stdlib.h>
#include <string.h>

#include "sim/nat/testing/twin_state.h"

/* --- explicit mappings ------------------------------------------------------------------------ */

static bool only_own(const wzp_sim_nat_twin *t, const wzp_sim_nat_explicit *mapping) {
    for (size_t i = 0; i < t->flow_count; i++) {
        const flow *f = &t->flows[i];
        if (!f->local && f->proto == mapping->proto && eq(f->external, mapping->external) &&
            !eq(f->internal, mapping->internal)) {
            return false;
        }
    }
    return true;
}

const char *wzp_sim_nat_twin_map(wzp_sim_nat_twin *twin, const wzp_sim_nat_explicit *mapping,
                                 wzp_err err, wzp_time now) {
    twin_pass_time(twin, now);
    lease *e = twin_lease_at(twin, mapping->proto, mapping->external);
    if (e != NULL && !eq(e->m.internal, mapping->internal)) {
        return err == WZP_ERR_LIMIT ? NULL : "another's explicit mapping";
    }
    if (e != NULL) {
        e->m = *mapping;
        return err == WZP_OK ? NULL : "one's own explicit mapping";
    }
    const bool may =
        twin->cfg.identity ||
        (!twin_is_held(twin, mapping->proto, mapping->external) && only_own(twin, mapping));
    if (!may || twin->lease_count == twin->cfg.quota_total) {
        return err == WZP_ERR_LIMIT ? NULL : "not to be had";
    }
    if (twin->lease_count == MOST) {
        abort();
    }
    twin->leases[twin->lease_count++] = (lease){*mapping, ++twin->created};
    return err == WZP_OK ? NULL : "must be granted";
}

const char *wzp_sim_nat_twin_unmap(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr external,
                                   bool was_there) {
    const lease *e = twin_lease_at(twin, proto, external);
    if (e != NULL) {
        twin_end_lease(twin, (size_t)(e - twin->leases));
    }
    return was_there == (e != NULL) ? NULL : "otherwise";
}

const char *wzp_sim_nat_twin_port_free(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr external,
                                       bool is_free, wzp_time now) {
    twin_pass_time(twin, now);
    const bool want = twin_is_ours(twin, external) && !twin_is_held(twin, proto, external) &&
                      twin_users_of(twin, proto, external) == 0;
    return want == is_free ? NULL : "otherwise";
}

/* --- events ----------------------------------------------------------------------------------- */

void wzp_sim_nat_twin_flush(wzp_sim_nat_twin *twin, wzp_time now) {
    twin_pass_time(twin, now);
    while (twin->flow_count > 0) {
        twin_end_flow(twin, twin->flow_count - 1, twin->cfg.t_hold);
    }
}

void wzp_sim_nat_twin_reboot(wzp_sim_nat_twin *twin, wzp_time now) {
    wzp_sim_nat_twin_flush(twin, now);
    twin->lease_count = twin->perm_count = twin->hold_count = 0;
    twin->host_count = twin->block_count = 0;
    twin->last_step = 0;
    twin->round = 0;
    twin->tokens = twin->cfg.new_burst * WZP_S;
    twin->tokens_at = twin->now;
}

void wzp_sim_nat_twin_expire(wzp_sim_nat_twin *twin, wzp_time now) {
    twin_pass_time(twin, now);
    for (size_t i = twin->flow_count; i-- > 0;) {
        if (twin_timeout_of(twin, &twin->flows[i]) > 0) {
            twin_end_flow(twin, i, twin->cfg.t_hold);
        }
    }
    twin->perm_count = twin->cfg.t_filter > 0 ? 0 : twin->perm_count;
}

/* Leases keep their port; of two that come together the older stays. */
static void move_leases(wzp_sim_nat_twin *t, const wzp_addr *externals, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < t->lease_count; i++) {
        lease moved = t->leases[i];
        size_t at = 0;
        bool met = false;
        while (!same_ip(t->pool[at], moved.m.external)) {
            at++;
        }
        memcpy(moved.m.external.ip, externals[at % count].ip, 16);
        for (size_t k = 0; k < kept; k++) {
            met = met || (t->leases[k].m.proto == moved.m.proto &&
                          eq(t->leases[k].m.external, moved.m.external));
        }
        if (met) {
            twin_drop_perms(t, moved.number);
        } else {
            t->leases[kept++] = moved;
        }
    }
    t->lease_count = kept;
}

static void to_new_pool(wzp_sim_nat_twin *t, const wzp_addr *externals, size_t count) {
    move_leases(t, externals, count);
    for (size_t i = 0; i < t->host_count; i++) {
        if (twin_mappings_of(t, &t->hosts[i].ip) == 0) {
            t->hosts[i] = (host){.ip = t->hosts[i].ip};
        }
    }
    for (size_t i = 0; i < t->host_count; i++) {
        t->hosts[i].external = (wzp_addr){0};
    }
    memcpy(t->pool, externals, count * sizeof *externals);
    t->pool_count = count;
    t->hold_count = t->block_count = 0;
    t->renumbering = true;
}

void wzp_sim_nat_twin_rebind(wzp_sim_nat_twin *twin, const wzp_addr *externals, size_t count,
                             wzp_time now) {
    twin_pass_time(twin, now);
    for (size_t i = twin->flow_count; i-- > 0;) {
        twin->flows[i].moved = false;
        if (twin->flows[i].local) {
            twin_end_flow(twin, i, 0);
        }
    }
    if (externals != NULL && !twin->cfg.identity) {
        to_new_pool(twin, externals, count);
    }
}

static flow *flow_of(wzp_sim_nat_twin *t, const wzp_sim_nat_event *event) {
    for (size_t i = 0; i < t->flow_count; i++) {
        flow *f = &t->flows[i];
        if (!f->local && !f->moved && f->proto == event->proto &&
            eq(f->internal, event->internal) && eq(f->remote, event->remote)) {
            return f;
        }
    }
    return NULL;
}

/* Flows that shared an external endpoint share the new one; nobody else may have it, or had it
 * until this moment. */
static bool move_ok(wzp_sim_nat_twin *t, const flow *moving, wzp_addr external, wzp_addr old) {
    const range r = t->cfg.block_size > 0
                        ? twin_block_range(t, external.port / t->cfg.block_size * t->cfg.block_size)
                        : twin_usual_range(t, moving->internal);
    if (external.port < r.low || external.port > r.high || !twin_is_ours(t, external) ||
        twin_is_held(t, moving->proto, external)) {
        return false;
    }
    if (twin_lease_at(t, moving->proto, external) != NULL) {
        return false;
    }
    for (size_t i = 0; i < t->flow_count; i++) {
        const flow *f = &t->flows[i];
        const bool together = t->cfg.overload && f->moved && eq(f->internal, moving->internal);
        const bool occupied = f->moved || !t->renumbering;
        if (f != moving && !f->local && f->proto == moving->proto && eq(f->external, external) &&
            occupied && !together) {
            return false;
        }
    }
    return t->renumbering || !eq(external, old);
}

/* A port that is left in a rebind is not taken by another in the same one. */
static uint64_t at_least_now(const wzp_sim_nat_twin *t) {
    return t->cfg.t_hold > 0 ? t->cfg.t_hold : 1;
}

const char *wzp_sim_nat_twin_moved(wzp_sim_nat_twin *twin, const wzp_sim_nat_event *event) {
    flow *f = flow_of(twin, event);
    if (f == NULL) {
        return "no such mapping";
    }
    const wzp_addr old = f->external;
    if (event->kind == WZP_SIM_NAT_EXPIRED) {
        twin_end_flow(twin, (size_t)(f - twin->flows), twin->renumbering ? 0 : at_least_now(twin));
        return NULL;
    }
    if (!move_ok(twin, f, event->external, old)) {
        return "not a port that it may move to";
    }
    f->external = event->external;
    f->moved = true;
    if (!twin->renumbering) {
        twin_after_release(twin, f->proto, old, at_least_now(twin));
    }
    if (twin->cfg.block_size > 0) {
        const uint32_t low = f->external.port / twin->cfg.block_size * twin->cfg.block_size;
        if (!twin_block_owned(twin, f->external, low)) {
            twin->blocks[twin->block_count++] = (block){f->internal, f->external, low};
        }
    }
    return NULL;
}

const char *wzp_sim_nat_twin_rebound(wzp_sim_nat_twin *twin) {
    for (size_t i = 0; i < twin->flow_count; i++) {
        if (!twin->cfg.identity && !twin->flows[i].local && !twin->flows[i].moved) {
            return "a mapping stayed behind";
        }
    }
    twin->renumbering = false;
    return NULL;
}
