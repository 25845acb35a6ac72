/* Quality tracking of one participant from the reports on its media (relay sheet 7.8). */
#ifndef WZP_RELAY_QUALITY_H
#define WZP_RELAY_QUALITY_H

#include "adapt/tier.h"
#include "base/time.h"

typedef wzp_tier_run wzp_quality;

static inline void wzp_quality_init(wzp_quality *quality) {
    wzp_tier_run_init(quality);
}

/* The tier that one report alone calls for; a relay knows of no networks. */
static inline wzp_tier wzp_quality_classify(const wzp_quality_report *report) {
    return wzp_tier_classify(report, WZP_NETWORK_UNKNOWN);
}

/* True if the tier changed. */
bool wzp_quality_observe(wzp_quality *quality, const wzp_quality_report *report);

/* Simulcast layer of one receiver (relay sheet 7.6). */
typedef struct wzp_layer {
    uint8_t selected, candidate;
    uint32_t bwe_kbps;
    wzp_time since;
} wzp_layer;

void wzp_layer_update(wzp_layer *layer, uint32_t bwe_kbps, uint8_t loss_raw, wzp_time now);

#endif
