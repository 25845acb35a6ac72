#include "adapt/delay_bwe.h"

void wzp_delay_bwe_init(wzp_delay_bwe *bwe, double initial_kbps, double min_kbps, double max_kbps) {
    *bwe =
        (wzp_delay_bwe){.estimate_kbps = initial_kbps, .min_kbps = min_kbps, .max_kbps = max_kbps};
}

const char *wzp_path_use_name(wzp_path_use use) {
    static const char *const names[] = {"Normal", "Overuse", "Underuse"};
    return names[use];
}

static void follow_delay(wzp_delay_bwe *bwe, double rtt_ms) {
    if (!bwe->has_rtt) {
        bwe->has_rtt = true;
        bwe->baseline_ms = bwe->rtt_ms = rtt_ms;
        bwe->use = WZP_PATH_NORMAL;
        return;
    }
    if (rtt_ms < bwe->baseline_ms) {
        bwe->baseline_ms = rtt_ms;
    } else {
        bwe->baseline_ms += 0.001 * (rtt_ms - bwe->baseline_ms);
    }
    bwe->rtt_ms = 0.3 * rtt_ms + 0.7 * bwe->rtt_ms;
    bwe->use = bwe->rtt_ms > 1.5 * bwe->baseline_ms   ? WZP_PATH_OVERUSE
               : bwe->rtt_ms < 1.1 * bwe->baseline_ms ? WZP_PATH_UNDERUSE
                                                      : WZP_PATH_NORMAL;
}

static bool is_congested(const wzp_delay_bwe *bwe) {
    const size_t n =
        bwe->updates < WZP_DELAY_BWE_WINDOW ? bwe->updates : (size_t)WZP_DELAY_BWE_WINDOW;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += bwe->losses_pct[i];
    }
    return sum > 5.0 * (double)n;
}

void wzp_delay_bwe_update(wzp_delay_bwe *bwe, double rtt_ms, double loss_pct) {
    follow_delay(bwe, rtt_ms);
    bwe->losses_pct[bwe->updates++ % WZP_DELAY_BWE_WINDOW] = loss_pct;
    const bool congested = is_congested(bwe);
    if (bwe->use == WZP_PATH_OVERUSE || congested) {
        bwe->estimate_kbps *= 0.85;
    } else if (bwe->use == WZP_PATH_UNDERUSE) {
        bwe->estimate_kbps *= 1.05;
    }
    const double floored = bwe->estimate_kbps > bwe->min_kbps ? bwe->estimate_kbps : bwe->min_kbps;
    bwe->estimate_kbps = floored < bwe->max_kbps ? floored : bwe->max_kbps;
}

const wzp_quality_profile *wzp_delay_bwe_profile(const wzp_delay_bwe *bwe) {
    return bwe->estimate_kbps >= 25.0  ? &wzp_profile_good
           : bwe->estimate_kbps >= 8.0 ? &wzp_profile_degraded
                                       : &wzp_profile_catastrophic;
}
