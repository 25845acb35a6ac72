/* Quality tracking of one participant from the reports on its media (relay sheet 7.8). */
#ifndef WZP_RELAY_QUALITY_H
#define WZP_RELAY_QUALITY_H

#include "base/time.h"
#include "wire/signal.h"

/* Worst first: comparisons rely on the order. */
typedef enum wzp_tier {
    WZP_TIER_CATASTROPHIC,
    WZP_TIER_DEGRADED,
    WZP_TIER_GOOD,
    WZP_TIER_STUDIO_32K,
    WZP_TIER_STUDIO_48K,
    WZP_TIER_STUDIO_64K
} wzp_tier;

typedef struct wzp_quality {
    wzp_tier tier;
    unsigned worse, better; /* consecutive reports */
} wzp_quality;

static inline void wzp_quality_init(wzp_quality *quality) {
    *quality = (wzp_quality){.tier = WZP_TIER_GOOD};
}

/* The tier that one report alone calls for; jitter and cap do not count. */
wzp_tier wzp_quality_classify(const wzp_quality_report *report);

/* True if the tier changed: three worse reports in a row jump to the last one's tier, five better
 * ones (ten from Good up) climb one step. */
bool wzp_quality_observe(wzp_quality *quality, const wzp_quality_report *report);

const char *wzp_tier_name(wzp_tier tier); /* "Degraded" */
const wzp_quality_profile *wzp_tier_profile(wzp_tier tier);

/* Simulcast layer of one receiver (relay sheet 7.6). */
typedef struct wzp_layer {
    uint8_t selected, candidate;
    uint32_t bwe_kbps;
    wzp_time since;
} wzp_layer;

void wzp_layer_update(wzp_layer *layer, uint32_t bwe_kbps, uint8_t loss_raw, wzp_time now);

#endif
