/* Quality tiers: what one report calls for, and the hysteresis that clients and relays share (media
 * sheet 4.1-4.3, relay sheet 7.8).  Pure functions and one plain struct; no time, no memory. */
#ifndef WZP_ADAPT_TIER_H
#define WZP_ADAPT_TIER_H

#include "wire/signal.h"

/* Worst first: comparisons rely on the order. */
typedef enum wzp_tier {
    WZP_TIER_CATASTROPHIC,
    WZP_TIER_DEGRADED,
    WZP_TIER_GOOD,
    WZP_TIER_STUDIO_32K,
    WZP_TIER_STUDIO_48K,
    WZP_TIER_STUDIO_64K,
    WZP_TIER_COUNT
} wzp_tier;

/* What kind of network the endpoint is on; the three cellular ones are treated alike. */
typedef enum wzp_network {
    WZP_NETWORK_UNKNOWN,
    WZP_NETWORK_WIFI,
    WZP_NETWORK_CELLULAR_LTE,
    WZP_NETWORK_CELLULAR_5G,
    WZP_NETWORK_CELLULAR_3G,
    WZP_NETWORK_COUNT
} wzp_network;

bool wzp_network_is_cellular(wzp_network network);
const char *wzp_network_name(wzp_network network); /* "CellularLte" */

const char *wzp_tier_name(wzp_tier tier); /* "Degraded" */
const wzp_quality_profile *wzp_tier_profile(wzp_tier tier);

/* The tier that one report alone calls for; its jitter and cap do not count. */
wzp_tier wzp_tier_classify(const wzp_quality_report *report, wzp_network network);

/* Bits a second of the tier's profile with its FEC, nominally. */
uint32_t wzp_tier_total_bps(wzp_tier tier);

/* What a path must carry before the tier is climbed to: 1.3 times that (T2.3). */
uint32_t wzp_tier_required_bps(wzp_tier tier);

/* The highest tier that a path of `target_bps` carries; the lowest always is. */
wzp_tier wzp_tier_within(uint64_t target_bps);

/* Three worse reports in a row jump to the last one's tier, two in a cellular network; five better
 * ones, ten from Good up, climb one step. */
typedef struct wzp_tier_run {
    wzp_tier tier;
    unsigned worse, better; /* consecutive reports */
} wzp_tier_run;

static inline void wzp_tier_run_init(wzp_tier_run *run) {
    *run = (wzp_tier_run){.tier = WZP_TIER_GOOD};
}

/* Counts what one report called for; true if run->tier changed.  A climb to above `highest` is due
 * but does not happen: its reports are then counted anew. */
bool wzp_tier_run_observe(wzp_tier_run *run, wzp_tier seen, unsigned worse_needed,
                          wzp_tier highest);

/* How a client's send loop is told of a codec, as deployed (media sheet 4.7): a byte. */
#define WZP_PROFILE_INDEX_NONE 255
uint8_t wzp_profile_index(uint8_t codec);
/* NULL for a byte that names none. */
const wzp_quality_profile *wzp_profile_by_index(uint8_t index);

#endif
