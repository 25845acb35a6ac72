#include "relay/quality.h"

#include "relay/limits.h"

wzp_tier wzp_quality_classify(const wzp_quality_report *report) {
    const uint8_t loss = report->loss_pct;
    const uint8_t rtt = report->rtt_4ms;
    if (loss >= 39 || rtt >= 50) {
        return WZP_TIER_CATASTROPHIC;
    }
    if (loss >= 13 || rtt >= 25) {
        return WZP_TIER_DEGRADED;
    }
    if (loss >= 6 || rtt >= 20) {
        return WZP_TIER_GOOD;
    }
    if (loss >= 3 || rtt >= 13) {
        return WZP_TIER_STUDIO_32K;
    }
    return rtt >= 8 ? WZP_TIER_STUDIO_48K : WZP_TIER_STUDIO_64K;
}

bool wzp_quality_observe(wzp_quality *quality, const wzp_quality_report *report) {
    const wzp_tier seen = wzp_quality_classify(report);
    const unsigned needed = quality->tier >= WZP_TIER_GOOD ? 10 : 5;
    if (seen < quality->tier) {
        quality->better = 0;
        if (++quality->worse >= 3) {
            *quality = (wzp_quality){.tier = seen};
            return true;
        }
    } else if (seen > quality->tier) {
        quality->worse = 0;
        if (++quality->better >= needed) {
            *quality = (wzp_quality){.tier = (wzp_tier)(quality->tier + 1)};
            return true;
        }
    } else {
        quality->worse = quality->better = 0;
    }
    return false;
}

const char *wzp_tier_name(wzp_tier tier) {
    static const char *const names[] = {"Catastrophic", "Degraded",  "Good",
                                        "Studio32k",    "Studio48k", "Studio64k"};
    return names[tier];
}

const wzp_quality_profile *wzp_tier_profile(wzp_tier tier) {
    static const wzp_quality_profile *const profiles[] = {
        &wzp_profile_catastrophic, &wzp_profile_degraded,   &wzp_profile_good,
        &wzp_profile_studio_32k,   &wzp_profile_studio_48k, &wzp_profile_studio_64k};
    return profiles[tier];
}

void wzp_layer_update(wzp_layer *layer, uint32_t bwe_kbps, uint8_t loss_raw, wzp_time now) {
    const uint8_t suggestion = bwe_kbps > 3000 && loss_raw < 2 ? 2 : bwe_kbps > 750 ? 1 : 0;
    const bool is_first = layer->bwe_kbps == 0;
    layer->bwe_kbps = bwe_kbps;
    const bool is_new = suggestion != layer->selected;
    const bool is_steady =
        suggestion == layer->candidate && wzp_time_since(now, layer->since) >= WZP_TIMER_LAYER;
    if (is_new && (is_first || is_steady)) {
        layer->selected = suggestion;
    }
    if (is_first || !is_new || suggestion != layer->candidate) {
        layer->candidate = suggestion;
        layer->since = now;
    }
}
