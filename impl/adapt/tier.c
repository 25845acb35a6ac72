#include "adapt/tier.h"

enum { CLIMB_LOW = 5, CLIMB_HIGH = 10, HEADROOM_PERCENT = 130 };

/* The first row that either byte reaches decides; NEVER is more than a byte holds. */
typedef struct threshold {
    wzp_tier tier;
    uint16_t loss, rtt;
} threshold;

enum { NEVER = 256 };

static const threshold fixed_line[] = {
    {WZP_TIER_CATASTROPHIC, 39, 50}, {WZP_TIER_DEGRADED, 13, 25},     {WZP_TIER_GOOD, 6, 20},
    {WZP_TIER_STUDIO_32K, 3, 13},    {WZP_TIER_STUDIO_48K, NEVER, 8}, {WZP_TIER_STUDIO_64K, 0, 0},
};

static const threshold cellular[] = {
    {WZP_TIER_CATASTROPHIC, 64, 126},
    {WZP_TIER_DEGRADED, 21, 76},
    {WZP_TIER_GOOD, 0, 0},
};

bool wzp_network_is_cellular(wzp_network network) {
    return network >= WZP_NETWORK_CELLULAR_LTE;
}

const char *wzp_network_name(wzp_network network) {
    static const char *const names[WZP_NETWORK_COUNT] = {"Unknown", "WiFi", "CellularLte",
                                                         "Cellular5g", "Cellular3g"};
    return names[network];
}

const char *wzp_tier_name(wzp_tier tier) {
    static const char *const names[WZP_TIER_COUNT] = {"Catastrophic", "Degraded",  "Good",
                                                      "Studio32k",    "Studio48k", "Studio64k"};
    return names[tier];
}

const wzp_quality_profile *wzp_tier_profile(wzp_tier tier) {
    static const wzp_quality_profile *const profiles[WZP_TIER_COUNT] = {
        &wzp_profile_catastrophic, &wzp_profile_degraded,   &wzp_profile_good,
        &wzp_profile_studio_32k,   &wzp_profile_studio_48k, &wzp_profile_studio_64k};
    return profiles[tier];
}

wzp_tier wzp_tier_classify(const wzp_quality_report *report, wzp_network network) {
    const threshold *row = wzp_network_is_cellular(network) ? cellular : fixed_line;
    while (report->loss_pct < row->loss && report->rtt_4ms < row->rtt) {
        row++; /* the last row has no conditions */
    }
    return row->tier;
}

uint32_t wzp_tier_total_bps(wzp_tier tier) {
    const wzp_quality_profile *profile = wzp_tier_profile(tier);
    const uint32_t bps = wzp_codec_find(profile->codec)->nominal_bps;
    return bps + bps * wzp_fec_ratio_encode((double)profile->fec_ratio) / 100;
}

uint32_t wzp_tier_required_bps(wzp_tier tier) {
    return wzp_tier_total_bps(tier) * HEADROOM_PERCENT / 100;
}

wzp_tier wzp_tier_within(uint64_t target_bps) {
    wzp_tier tier = WZP_TIER_STUDIO_64K;
    while (tier > WZP_TIER_CATASTROPHIC && wzp_tier_required_bps(tier) > target_bps) {
        tier--;
    }
    return tier;
}

static bool climb(wzp_tier_run *run, wzp_tier highest) {
    run->worse = 0;
    if (++run->better < (run->tier >= WZP_TIER_GOOD ? CLIMB_HIGH : CLIMB_LOW)) {
        return false;
    }
    run->better = 0;
    if (run->tier >= highest) {
        return false;
    }
    run->tier++;
    return true;
}

bool wzp_tier_run_observe(wzp_tier_run *run, wzp_tier seen, unsigned worse_needed,
                          wzp_tier highest) {
    if (seen > run->tier) {
        return climb(run, highest);
    }
    run->better = 0;
    if (seen == run->tier) {
        run->worse = 0;
        return false;
    }
    if (++run->worse < worse_needed) {
        return false;
    }
    *run = (wzp_tier_run){.tier = seen};
    return true;
}

static const wzp_quality_profile *const indexed[] = {
    &wzp_profile_studio_64k, &wzp_profile_studio_48k, &wzp_profile_studio_32k,
    &wzp_profile_good,       &wzp_profile_degraded,   &wzp_profile_catastrophic};

uint8_t wzp_profile_index(uint8_t codec) {
    enum { OTHER = 3 };
    for (size_t i = 0; i < WZP_COUNT_OF(indexed); i++) {
        if (indexed[i]->codec == codec) {
            return (uint8_t)i;
        }
    }
    return OTHER;
}

const wzp_quality_profile *wzp_profile_by_index(uint8_t index) {
    return index < WZP_COUNT_OF(indexed) ? indexed[index] : NULL;
}
