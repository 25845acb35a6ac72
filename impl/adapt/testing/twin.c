#include "adapt/testing/twin.h"

#include <assert.h>

void wzp_controller_twin_init(wzp_controller_twin *t, bool deployed, wzp_network network) {
    *t = (wzp_controller_twin){.deployed = deployed,
                               .is_wifi = network == WZP_NETWORK_WIFI,
                               .is_cellular = wzp_network_is_cellular(network),
                               .tier = WZP_TIER_GOOD};
}

static size_t better_in_a_row(const wzp_controller_twin *t) {
    size_t i = t->count;
    while (i > t->better_from && t->reports[i - 1].seen > t->tier) {
        i--;
    }
    return t->count - i;
}

static size_t worse_in_a_row(const wzp_controller_twin *t) {
    size_t i = t->count;
    while (i > t->worse_from && t->reports[i - 1].seen < t->tier) {
        i--;
    }
    return t->count - i;
}

static void change(wzp_controller_twin *t, wzp_tier tier) {
    t->tier = tier;
    t->better_from = t->worse_from = t->steady_from = t->count;
    t->not_before = 0;
    t->probe_from = 0;
}

static void end_probe(wzp_controller_twin *t, wzp_time stable_since) {
    t->probe_from = 0;
    t->steady_from = t->count;
    t->not_before = stable_since;
}

static bool guard_forbids(const wzp_controller_twin *t, uint64_t target_bps) {
    static const uint32_t required[] = {3120, 11700, 37440, 45760, 68640, 91520};
    return target_bps < required[t->tier + 1];
}

static bool probe(wzp_controller_twin *t, uint64_t target_bps, wzp_time now, wzp_tier *out) {
    unsigned bad = 0;
    for (size_t i = t->probe_from; i < t->count; i++) {
        bad += t->reports[i].seen <= t->tier ? 1 : 0;
    }
    if (bad >= 2 || (!t->deployed && guard_forbids(t, target_bps))) {
        end_probe(t, now + 60 * WZP_S);
        *out = t->tier;
        return !t->deployed;
    }
    if (now < t->probe_at + 5 * WZP_S) {
        return false;
    }
    end_probe(t, now);
    t->better_from = t->count;
    t->worse_from = t->count - worse_in_a_row(t); /* what was no worse is not so afterwards */
    *out = ++t->tier;
    return true;
}

static bool start_probe(wzp_controller_twin *t, uint64_t target_bps, wzp_time now, wzp_tier *out) {
    size_t i = t->count;
    while (i > t->steady_from && t->reports[i - 1].seen >= t->tier) {
        i--;
    }
    if (i == t->count) {
        return false; /* this one was worse */
    }
    const wzp_time since =
        i == t->steady_from && t->not_before != 0 ? t->not_before : t->reports[i].at;
    if (now < since + 30 * WZP_S || (!t->deployed && guard_forbids(t, target_bps))) {
        return false;
    }
    t->probe_from = t->count;
    t->probe_at = now;
    *out = t->tier + 1;
    return true;
}

bool wzp_controller_twin_observe(wzp_controller_twin *t, const wzp_quality_report *report,
                                 uint64_t target_bps, wzp_time now, wzp_tier *out) {
    if (t->forced) {
        return false;
    }
    assert(t->count < WZP_CONTROLLER_TWIN_MAX);
    const wzp_tier seen =
        wzp_tier_classify(report, t->is_cellular ? WZP_NETWORK_CELLULAR_5G : WZP_NETWORK_UNKNOWN);
    t->reports[t->count].seen = seen;
    t->reports[t->count].at = now;
    t->count++;
    if (worse_in_a_row(t) >= (t->is_cellular ? 2 : 3)) {
        change(t, seen);
        *out = seen;
        return true;
    }
    if (better_in_a_row(t) >= (t->tier <= WZP_TIER_DEGRADED ? 5 : 10)) {
        if (!guard_forbids(t, target_bps)) {
            change(t, (wzp_tier)(t->tier + 1));
            *out = t->tier;
            return true;
        }
        t->better_from = t->count;
    }
    if (t->is_cellular || t->tier == WZP_TIER_STUDIO_64K) {
        return false;
    }
    return t->probe_from != 0 ? probe(t, target_bps, now, out)
                              : start_probe(t, target_bps, now, out);
}

void wzp_controller_twin_force(wzp_controller_twin *t) {
    t->forced = true;
    t->better_from = t->worse_from = t->count;
}

void wzp_controller_twin_network(wzp_controller_twin *t, wzp_network network) {
    const bool is_cellular = wzp_network_is_cellular(network);
    if (t->is_wifi && is_cellular) {
        t->forced = false;
        t->better_from = t->worse_from = t->count;
        t->tier = t->tier == WZP_TIER_CATASTROPHIC ? t->tier : (wzp_tier)(t->tier - 1);
    }
    t->is_wifi = network == WZP_NETWORK_WIFI;
    t->is_cellular = is_cellular;
    end_probe(t, 0);
}
