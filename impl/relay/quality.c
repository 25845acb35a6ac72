#include "relay/quality.h"

#include "relay/limits.h"

bool wzp_quality_observe(wzp_quality *quality, const wzp_quality_report *report) {
    enum { WORSE_NEEDED = 3 };
    return wzp_tier_run_observe(quality, wzp_quality_classify(report), WORSE_NEEDED,
                                WZP_TIER_STUDIO_64K);
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
