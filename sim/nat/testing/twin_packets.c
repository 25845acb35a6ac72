/* The slow twin: packets. */
#include <stdlib.h>

#include "sim/nat/testing/twin_state.h"

/* --- what serves whom ------------------------------------------------------------------------- */

/* The mapping that serves this; the narrower first. */
flow *twin_find_out(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote) {
    flow *wide = NULL;
    for (size_t i = 0; i < t->flow_count; i++) {
        flow *f = &t->flows[i];
        if (!f->local && f->proto == proto && eq(f->internal, internal) &&
            alike(f->remote, remote, f->scope)) {
            if (f->scope == WZP_SIM_NAT_ADDR_PORT) {
                return f;
            }
            wide = f;
        }
    }
    return wide;
}

bool twin_keeps_perms(const wzp_sim_nat_twin *t) {
    return !t->cfg.overload && t->cfg.filtering != WZP_SIM_NAT_ANY;
}

/* The remote that a mapping was made for may answer as long as it lives, if permissions do not
 * age. */
bool twin_may_answer(wzp_sim_nat_twin *t, const flow *f, wzp_addr remote) {
    return !twin_keeps_perms(t) || twin_perm_of(t, f, remote) != NULL ||
           (t->cfg.t_filter == 0 && alike(f->remote, remote, t->cfg.filtering));
}

perm *twin_perm_of(wzp_sim_nat_twin *t, const flow *f, wzp_addr remote) {
    for (size_t i = 0; i < t->perm_count; i++) {
        perm *p = &t->perms[i];
        if (p->of == f->number && alike(p->remote, remote, t->cfg.filtering)) {
            return p;
        }
    }
    return NULL;
}

bool twin_add_perm(wzp_sim_nat_twin *t, perm new_perm, perm *old) {
    new_perm.last = t->now;
    if (old != NULL) {
        *old = new_perm;
        return true;
    }
    if (t->perm_count == (size_t)4 * t->cfg.quota_total) {
        return false;
    }
    if (t->perm_count == PERMS) {
        abort();
    }
    t->perms[t->perm_count++] = new_perm;
    return true;
}

perm *twin_user_of(wzp_sim_nat_twin *t, const lease *e, wzp_addr remote) {
    for (size_t i = 0; i < t->perm_count; i++) {
        if (t->perms[i].of == e->number && eq(t->perms[i].remote, remote)) {
            return &t->perms[i];
        }
    }
    return NULL;
}

bool twin_is_for(const lease *e, wzp_addr remote) {
    const wzp_addr only = e->m.remote;
    return only.family == WZP_ADDR_NONE ||
           (same_ip(only, remote) && (only.port == 0 || only.port == remote.port));
}

/* --- out -------------------------------------------------------------------------------------- */

static flow *create(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                    wzp_addr external) {
    if (t->flow_count == MOST) {
        abort();
    }
    flow *f = &t->flows[t->flow_count++];
    *f = (flow){.proto = proto,
                .internal = internal,
                .external = external,
                .scope = twin_scope_now(t, internal),
                .remote = remote,
                .refreshed = t->now,
                .ordinary = remote.port > 1023,
                .number = ++t->created};
    return f;
}

/* Its mapping, an old one or a new one; *wrong: what is wrong; NULL: there can be none. */
static flow *mapping_for(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr src, wzp_addr dst,
                         const wzp_addr *created, const char **wrong) {
    flow *f = twin_find_out(t, proto, src, dst);
    if (f != NULL) {
        f->ordinary = f->ordinary || dst.port > 1023;
        f->refreshed = t->cfg.no_refresh_out ? f->refreshed : t->now;
        *wrong = created != NULL ? "a second mapping" : NULL;
        return f;
    }
    if (!twin_may_create(t, src)) {
        *wrong = created != NULL ? "beyond a quota or rate" : NULL;
        return NULL;
    }
    if (created == NULL) {
        *wrong = twin_none_ok(t, proto, src, dst) ? NULL : "no mapping although there was a port";
        return NULL;
    }
    *wrong = twin_given_ok(t, proto, src, dst, *created) ? NULL : "not a port that it may give";
    return create(t, proto, src, dst, *created);
}

/* A packet leaves with the source *external, or it cannot for a quota: family NONE. */
static const char *leave(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr src, wzp_addr dst,
                         const wzp_addr *created, wzp_addr *external) {
    const lease *e = twin_lease_of(t, proto, src);
    const char *wrong = NULL;
    *external = (wzp_addr){0};
    if (e != NULL && twin_is_for(e, dst) &&
        (!t->cfg.port_map_reply_only || twin_user_of(t, e, dst) != NULL)) {
        *external = e->m.external;
        return created != NULL ? "a mapping beside the explicit one" : NULL;
    }
    const flow *f = mapping_for(t, proto, src, dst, created, &wrong);
    if (f == NULL || wrong != NULL) {
        return wrong;
    }
    const perm p = {.of = f->number, .remote = dst};
    const bool is_first = t->cfg.t_filter == 0 && alike(f->remote, dst, t->cfg.filtering);
    if (!twin_keeps_perms(t) || is_first || twin_add_perm(t, p, twin_perm_of(t, f, dst))) {
        *external = f->external;
    }
    return NULL;
}

/* --- in --------------------------------------------------------------------------------------- */

static flow *find_in(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external, wzp_addr remote) {
    for (size_t i = 0; i < t->flow_count; i++) {
        flow *f = &t->flows[i];
        if (f->proto == proto && eq(f->external, external) &&
            (!t->cfg.overload || eq(f->remote, remote))) {
            return f;
        }
    }
    return NULL;
}

static wzp_sim_nat_verdict missed(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr src, wzp_addr dst) {
    if (t->cfg.identity) {
        return WZP_SIM_NAT_DROP_FILTER;
    }
    if (!twin_is_ours(t, dst)) {
        return WZP_SIM_NAT_DROP_NO_MAPPING;
    }
    if (t->cfg.inbound_creates_state && t->flow_count < t->cfg.quota_total) {
        flow *f = &t->flows[t->flow_count++];
        *f = (flow){.proto = proto,
                    .external = dst,
                    .remote = src,
                    .scope = WZP_SIM_NAT_ADDR_PORT,
                    .refreshed = t->now,
                    .local = true,
                    .number = ++t->created};
    }
    return twin_users_of(t, proto, dst) > 0 ? WZP_SIM_NAT_DROP_FILTER : WZP_SIM_NAT_DROP_NO_MAPPING;
}

/* *internal: whom it reaches. */
static wzp_sim_nat_verdict enter(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr src, wzp_addr dst,
                                 wzp_addr *internal) {
    const lease *e = twin_lease_at(t, proto, dst);
    if (e != NULL && twin_is_for(e, src)) {
        if (t->cfg.port_map_reply_only) {
            const perm p = {.of = e->number, .remote = src};
            (void)twin_add_perm(t, p, twin_user_of(t, e, src));
        }
        *internal = e->m.internal;
        return WZP_SIM_NAT_FORWARD;
    }
    flow *f = find_in(t, proto, dst, src);
    if (f == NULL) {
        return e != NULL ? WZP_SIM_NAT_DROP_FILTER : missed(t, proto, src, dst);
    }
    if (f->local) {
        f->refreshed = t->now;
        return WZP_SIM_NAT_DROP_NO_MAPPING;
    }
    if (!twin_may_answer(t, f, src)) {
        return WZP_SIM_NAT_DROP_FILTER;
    }
    f->replied = true;
    f->refreshed = t->cfg.no_refresh_in ? f->refreshed : t->now;
    *internal = f->internal;
    return WZP_SIM_NAT_FORWARD;
}

/* --- packets ---------------------------------------------------------------------------------- */

static const char *turned(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr src, wzp_addr dst,
                          const wzp_addr *created, wzp_sim_nat_verdict verdict, wzp_addr src_after,
                          wzp_addr dst_after) {
    wzp_addr external;
    wzp_addr internal;
    if (t->cfg.hairpin == WZP_SIM_NAT_HAIRPIN_OFF) {
        return verdict == WZP_SIM_NAT_DROP_HAIRPIN && created == NULL ? NULL : "hairpin is off";
    }
    const char *wrong = leave(t, proto, src, dst, created, &external);
    if (wrong != NULL) {
        return wrong;
    }
    if (external.family == WZP_ADDR_NONE) {
        return verdict == WZP_SIM_NAT_DROP_QUOTA ? NULL : "beyond a quota";
    }
    const wzp_sim_nat_verdict want = enter(t, proto, external, dst, &internal);
    if (want != WZP_SIM_NAT_FORWARD) {
        return verdict == want ? NULL : "must not turn";
    }
    const wzp_addr shown = t->cfg.hairpin == WZP_SIM_NAT_HAIRPIN_INTERNAL ? src : external;
    return verdict == WZP_SIM_NAT_TURN && eq(dst_after, internal) && eq(src_after, shown)
               ? NULL
               : "must turn";
}

const char *wzp_sim_nat_twin_out(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr src, wzp_addr dst,
                                 const wzp_addr *created, wzp_sim_nat_verdict verdict,
                                 wzp_addr src_after, wzp_addr dst_after, wzp_time now) {
    wzp_addr external;
    twin_pass_time(twin, now);
    if (!twin->cfg.identity && twin_is_ours(twin, dst)) {
        return turned(twin, proto, src, dst, created, verdict, src_after, dst_after);
    }
    const char *wrong = leave(twin, proto, src, dst, created, &external);
    if (wrong != NULL) {
        return wrong;
    }
    if (external.family == WZP_ADDR_NONE) {
        return verdict == WZP_SIM_NAT_DROP_QUOTA ? NULL : "beyond a quota";
    }
    return verdict == WZP_SIM_NAT_FORWARD && eq(src_after, external) && eq(dst_after, dst)
               ? NULL
               : "not forwarded as it should";
}

const char *wzp_sim_nat_twin_in(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr src, wzp_addr dst,
                                wzp_sim_nat_verdict verdict, wzp_addr dst_after, wzp_time now) {
    wzp_addr internal = dst;
    twin_pass_time(twin, now);
    if (enter(twin, proto, src, dst, &internal) != verdict) {
        return "another verdict";
    }
    return eq(internal, dst_after) ? NULL : "another host";
}

const char *wzp_sim_nat_twin_icmp_in(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr inner_src,
                                     wzp_addr inner_dst, bool passed, wzp_addr inner_src_after,
                                     wzp_time now) {
    twin_pass_time(twin, now);
    const lease *e = twin_lease_at(twin, proto, inner_src);
    flow *f = find_in(twin, proto, inner_src, inner_dst);
    if (e != NULL) {
        return passed && eq(inner_src_after, e->m.internal) ? NULL : "must pass: explicit mapping";
    }
    const bool may = f != NULL && !f->local && twin_may_answer(twin, f, inner_dst);
    if (!may) {
        return passed ? "must not pass" : NULL;
    }
    const bool ok = passed && eq(inner_src_after, f->internal);
    if (twin->cfg.icmp_kills_mapping) {
        twin_end_flow(twin, (size_t)(f - twin->flows), twin->cfg.t_hold);
    }
    return ok ? NULL : "must pass";
}

const char *wzp_sim_nat_twin_icmp_out(wzp_sim_nat_twin *twin, uint8_t proto, wzp_addr inner_src,
                                      wzp_addr inner_dst, bool passed, wzp_addr inner_dst_after,
                                      wzp_time now) {
    twin_pass_time(twin, now);
    const lease *e = twin_lease_of(twin, proto, inner_dst);
    if (e != NULL) {
        return passed && eq(inner_dst_after, e->m.external) ? NULL : "must pass: explicit mapping";
    }
    const flow *f = twin_find_out(twin, proto, inner_dst, inner_src);
    for (size_t i = twin->flow_count; f == NULL && !twin->cfg.overload && i-- > 0;) {
        const flow *other = &twin->flows[i];
        if (other->proto == proto && eq(other->internal, inner_dst) &&
            twin_may_answer(twin, other, inner_src)) {
            f = other;
        }
    }
    if (f == NULL) {
        return passed ? "must not pass" : NULL;
    }
    return passed && eq(inner_dst_after, f->external) ? NULL : "must pass";
}
