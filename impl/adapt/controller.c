#include "adapt/controller.h"

enum { WORSE_FIXED = 3, WORSE_CELLULAR = 2, PROBE_BAD_MAX = 1 };

void wzp_controller_init(wzp_controller *c, wzp_adapt_policy policy, wzp_network network) {
    *c = (wzp_controller){.policy = policy, .network = network};
    wzp_tier_run_init(&c->run);
}

const wzp_quality_profile *wzp_controller_profile(const wzp_controller *c) {
    if (c->forced) {
        return &c->forced_profile;
    }
    return wzp_tier_profile(c->probing ? (wzp_tier)(c->run.tier + 1) : c->run.tier);
}

static void forget_probe(wzp_controller *c) {
    c->probing = c->has_stable = false;
    c->probe_bad = 0;
}

/* Deployed probes climb whatever the estimate says.  The guard would then hold only until the path
 * had been quiet for half a minute, which is not what T2.3 is for. */
static bool may_probe(const wzp_controller *c, wzp_tier highest) {
    return c->run.tier < (c->policy == WZP_ADAPT_DEPLOYED ? WZP_TIER_STUDIO_64K : highest);
}

static const wzp_quality_profile *abort_probe(wzp_controller *c, wzp_time now) {
    forget_probe(c);
    c->has_stable = true;
    c->stable_since = wzp_time_after(now, WZP_PROBE_COOLDOWN);
    return c->policy == WZP_ADAPT_DEPLOYED ? NULL : wzp_controller_profile(c);
}

static const wzp_quality_profile *go_on_probing(wzp_controller *c, wzp_tier seen, wzp_tier highest,
                                                wzp_time now) {
    c->probe_bad += seen < c->run.tier + 1 ? 1 : 0;
    if (c->probe_bad > PROBE_BAD_MAX || !may_probe(c, highest)) {
        return abort_probe(c, now);
    }
    if (wzp_time_since(now, c->probe_since) < WZP_PROBE_FOR) {
        return NULL;
    }
    forget_probe(c);
    c->run.tier++;
    c->run.better = 0;
    c->has_stable = true;
    c->stable_since = now;
    return wzp_controller_profile(c);
}

static const wzp_quality_profile *consider_probe(wzp_controller *c, wzp_tier seen, wzp_tier highest,
                                                 wzp_time now) {
    if (seen < c->run.tier) {
        c->has_stable = false;
        return NULL;
    }
    if (!c->has_stable) {
        c->has_stable = true;
        c->stable_since = now;
    }
    if (wzp_time_since(now, c->stable_since) < WZP_PROBE_AFTER || !may_probe(c, highest)) {
        return NULL;
    }
    c->probing = true;
    c->probe_bad = 0;
    c->probe_since = now;
    return wzp_controller_profile(c);
}

const wzp_quality_profile *wzp_controller_observe(wzp_controller *c,
                                                  const wzp_quality_report *report,
                                                  uint64_t target_bps, wzp_time now) {
    const bool is_cellular = wzp_network_is_cellular(c->network);
    const wzp_tier seen = wzp_tier_classify(report, c->network);
    const wzp_tier highest = wzp_tier_within(target_bps);
    if (c->forced) {
        return NULL;
    }
    if (wzp_tier_run_observe(&c->run, seen, is_cellular ? WORSE_CELLULAR : WORSE_FIXED, highest)) {
        forget_probe(c);
        return wzp_controller_profile(c);
    }
    if (is_cellular || c->run.tier == WZP_TIER_STUDIO_64K) {
        return NULL;
    }
    return c->probing ? go_on_probing(c, seen, highest, now)
                      : consider_probe(c, seen, highest, now);
}

void wzp_controller_force(wzp_controller *c, const wzp_quality_profile *profile) {
    c->forced_profile = *profile;
    c->forced = true;
    c->run.worse = c->run.better = 0;
}

void wzp_controller_direct(wzp_controller *c, wzp_tier tier) {
    c->run = (wzp_tier_run){.tier = tier};
    forget_probe(c);
}

void wzp_controller_network(wzp_controller *c, wzp_network network, wzp_time now) {
    if (network == c->network) {
        return;
    }
    if (c->network == WZP_NETWORK_WIFI && wzp_network_is_cellular(network)) {
        const wzp_tier tier = c->run.tier;
        c->run = (wzp_tier_run){.tier = tier > WZP_TIER_CATASTROPHIC ? (wzp_tier)(tier - 1) : tier};
        c->forced = false;
    }
    c->network = network;
    forget_probe(c);
    c->boost_until = wzp_time_after(now, WZP_BOOST_FOR);
}

unsigned wzp_controller_fec_boost(const wzp_controller *c, wzp_time now) {
    return now < c->boost_until ? WZP_BOOST_PERCENT : 0;
}
