#include <stdlib.h>

#include "sim/nat/testing/twin_state.h"

static uint32_t either(uint32_t value, uint32_t standard) {
    return value > 0 ? value : standard;
}

wzp_sim_nat_twin *wzp_sim_nat_twin_new(const wzp_sim_nat_cfg *cfg, const wzp_addr *externals,
                                       size_t count, wzp_time now) {
    wzp_sim_nat_twin *t = calloc(1, sizeof *t);
    if (t == NULL) {
        abort();
    }
    t->cfg = *cfg;
    t->cfg.first_port = (uint16_t)either(cfg->first_port, 1024);
    t->cfg.last_port = (uint16_t)either(cfg->last_port, 65535);
    t->cfg.delta = either(cfg->delta, 1);
    t->cfg.blocks_max = (uint16_t)either(cfg->blocks_max, 1);
    t->cfg.quota = either(cfg->quota, 4096);
    t->cfg.quota_total = either(cfg->quota_total, 65536);
    t->cfg.new_burst = either(cfg->new_burst, either(cfg->new_per_s, 1));
    t->now = t->tokens_at = now;
    t->tokens = t->cfg.new_burst * WZP_S;
    t->pool_count = count;
    memcpy(t->pool, externals, count * sizeof *externals);
    return t;
}

void wzp_sim_nat_twin_free(wzp_sim_nat_twin *twin) {
    free(twin);
}

/* --- what there is ---------------------------------------------------------------------------- */

bool twin_is_ours(const wzp_sim_nat_twin *t, wzp_addr ip) {
    for (size_t i = 0; i < t->pool_count; i++) {
        if (same_ip(t->pool[i], ip)) {
            return true;
        }
    }
    return false;
}

size_t twin_mappings_of(const wzp_sim_nat_twin *t, const wzp_addr *ip) {
    size_t n = 0;
    for (size_t i = 0; i < t->flow_count; i++) {
        n += !t->flows[i].local && (ip == NULL || same_ip(t->flows[i].internal, *ip));
    }
    return n;
}

host *twin_host_of(wzp_sim_nat_twin *t, wzp_addr ip) {
    for (size_t i = 0; i < t->host_count; i++) {
        if (same_ip(t->hosts[i].ip, ip)) {
            return &t->hosts[i];
        }
    }
    if (t->host_count == HOSTS) {
        abort();
    }
    t->hosts[t->host_count] = (host){.ip = ip};
    return &t->hosts[t->host_count++];
}

size_t twin_users_of(const wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external) {
    size_t n = 0;
    for (size_t i = 0; i < t->flow_count; i++) {
        const flow *f = &t->flows[i];
        n += !f->local && f->proto == proto && eq(f->external, external);
    }
    for (size_t i = 0; i < t->lease_count; i++) {
        n += t->leases[i].m.proto == proto && eq(t->leases[i].m.external, external);
    }
    return n;
}

bool twin_is_held(const wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external) {
    for (size_t i = 0; i < t->hold_count; i++) {
        if (t->holds[i].proto == proto && eq(t->holds[i].external, external)) {
            return true;
        }
    }
    return false;
}

lease *twin_lease_at(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external) {
    for (size_t i = 0; i < t->lease_count; i++) {
        if (t->leases[i].m.proto == proto && eq(t->leases[i].m.external, external)) {
            return &t->leases[i];
        }
    }
    return NULL;
}

/* The newest, if there are several. */
lease *twin_lease_of(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal) {
    for (size_t i = t->lease_count; i-- > 0;) {
        if (t->leases[i].m.proto == proto && eq(t->leases[i].m.internal, internal)) {
            return &t->leases[i];
        }
    }
    return NULL;
}

/* --- things end ------------------------------------------------------------------------------- */

void twin_after_release(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external, uint64_t hold) {
    if (!t->cfg.identity && hold > 0 && twin_users_of(t, proto, external) == 0) {
        if (t->hold_count == WZP_COUNT_OF(t->holds)) {
            abort();
        }
        t->holds[t->hold_count++] = (held){proto, external, t->now + hold};
    }
}

void twin_drop_perms(wzp_sim_nat_twin *t, unsigned of) {
    size_t kept = 0;
    for (size_t i = 0; i < t->perm_count; i++) {
        if (t->perms[i].of != of) {
            t->perms[kept++] = t->perms[i];
        }
    }
    t->perm_count = kept;
}

/* A host without mappings has no blocks and no bad name. */
static void after_idle(wzp_sim_nat_twin *t, wzp_addr ip) {
    size_t kept = 0;
    if (twin_mappings_of(t, &ip) > 0) {
        return;
    }
    for (size_t i = 0; i < t->block_count; i++) {
        if (!same_ip(t->blocks[i].ip, ip)) {
            t->blocks[kept++] = t->blocks[i];
        }
    }
    t->block_count = kept;
    twin_host_of(t, ip)->degraded = false;
}

void twin_end_flow(wzp_sim_nat_twin *t, size_t i, uint64_t hold) {
    const flow f = t->flows[i];
    t->flow_count--;
    memmove(&t->flows[i], &t->flows[i + 1], (t->flow_count - i) * sizeof *t->flows);
    if (!f.local) {
        twin_drop_perms(t, f.number);
        twin_after_release(t, f.proto, f.external, hold);
        after_idle(t, f.internal);
    }
}

void twin_end_lease(wzp_sim_nat_twin *t, size_t i) {
    const lease e = t->leases[i];
    t->lease_count--;
    memmove(&t->leases[i], &t->leases[i + 1], (t->lease_count - i) * sizeof *t->leases);
    twin_drop_perms(t, e.number);
    twin_after_release(t, e.m.proto, e.m.external, t->cfg.t_hold);
}

uint64_t twin_timeout_of(const wzp_sim_nat_twin *t, const flow *f) {
    if (f->local) {
        return 30 * WZP_S;
    }
    if (!f->ordinary && t->cfg.t_well_known > 0) {
        return t->cfg.t_well_known;
    }
    return f->replied ? t->cfg.t_replied : t->cfg.t_unreplied;
}

static bool is_over(const wzp_sim_nat_twin *t, const flow *f) {
    const uint64_t timeout = twin_timeout_of(t, f);
    return timeout > 0 && t->now > f->refreshed && t->now - f->refreshed > timeout;
}

static void end_holds(wzp_sim_nat_twin *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->hold_count; i++) {
        if (t->holds[i].until > t->now) {
            t->holds[kept++] = t->holds[i];
        }
    }
    t->hold_count = kept;
}

static void end_perms(wzp_sim_nat_twin *t, uint64_t timeout) {
    size_t kept = 0;
    for (size_t i = 0; i < t->perm_count; i++) {
        if (t->now - t->perms[i].last <= timeout) {
            t->perms[kept++] = t->perms[i];
        }
    }
    t->perm_count = kept;
}

static void end_what_is_over(wzp_sim_nat_twin *t) {
    end_holds(t);
    if (t->cfg.t_filter > 0) {
        end_perms(t, t->cfg.t_filter);
    }
    for (size_t i = t->lease_count; i-- > 0;) {
        if (t->leases[i].m.expires <= t->now) {
            twin_end_lease(t, i);
        }
    }
    for (size_t i = t->flow_count; i-- > 0;) {
        if (is_over(t, &t->flows[i])) {
            twin_end_flow(t, i, t->cfg.t_hold);
        }
    }
}

/* The next time at which something ends. */
static wzp_time next_end(const wzp_sim_nat_twin *t) {
    wzp_time next = WZP_TIME_NEVER;
    for (size_t i = 0; i < t->hold_count; i++) {
        next = wzp_time_min(next, t->holds[i].until);
    }
    for (size_t i = 0; t->cfg.t_filter > 0 && i < t->perm_count; i++) {
        next = wzp_time_min(next, t->perms[i].last + t->cfg.t_filter + 1);
    }
    for (size_t i = 0; i < t->lease_count; i++) {
        next = wzp_time_min(next, t->leases[i].m.expires);
    }
    for (size_t i = 0; i < t->flow_count; i++) {
        const flow *f = &t->flows[i];
        if (twin_timeout_of(t, f) > 0) {
            next = wzp_time_min(next, f->refreshed + twin_timeout_of(t, f) + 1);
        }
    }
    return next;
}

void twin_pass_time(wzp_sim_nat_twin *t, wzp_time now) {
    for (wzp_time next = next_end(t); next <= now; next = next_end(t)) {
        t->now = next > t->now ? next : t->now;
        end_what_is_over(t);
    }
    t->now = now > t->now ? now : t->now;
}

/* --- invariants ------------------------------------------------------------------------------- */

static bool clash(const wzp_sim_nat_twin *t, const flow *f, const flow *g) {
    return f->external.port == g->external.port && f->proto == g->proto &&
           eq(f->external, g->external) && !(t->cfg.overload && !eq(f->remote, g->remote));
}

static bool any_clash(const wzp_sim_nat_twin *t) {
    for (size_t i = 0; i < t->flow_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (clash(t, &t->flows[i], &t->flows[k])) {
                return true;
            }
        }
    }
    return false;
}

const char *wzp_sim_nat_twin_check(wzp_sim_nat_twin *twin, const wzp_sim_nat_counts *counts,
                                   wzp_time now) {
    twin_pass_time(twin, now);
    if (counts->mappings != twin_mappings_of(twin, NULL) ||
        counts->explicits != twin->lease_count) {
        return "another number of mappings";
    }
    if (twin->flow_count > twin->cfg.quota_total) {
        return "more mappings than the quota";
    }
    for (size_t i = 0; i < twin->host_count; i++) {
        if (twin_mappings_of(twin, &twin->hosts[i].ip) > twin->cfg.quota) {
            return "more mappings of a host than its quota";
        }
    }
    if (!twin->cfg.identity && any_clash(twin)) {
        return "two mappings share an external endpoint";
    }
    return NULL;
}
