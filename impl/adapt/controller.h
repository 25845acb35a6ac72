/* The adaptive controller of a sender: quality reports in, profiles for its encoder out (media
 * sheet 4.3-4.5).
 *
 *   worse reports -> down at once to what the last one called for
 *   better ones   -> up one step, if the path's estimate carries it (T2.3)
 *   30 s stable   -> a probe: the next step is tried for 5 s, and kept or given up
 *
 * Sans-IO, plain struct, no memory; time is an argument. */
#ifndef WZP_ADAPT_CONTROLLER_H
#define WZP_ADAPT_CONTROLLER_H

#include "adapt/policy.h"
#include "adapt/tier.h"
#include "base/time.h"

#define WZP_PROBE_AFTER (30 * WZP_S)    /* stable for so long before a probe */
#define WZP_PROBE_FOR (5 * WZP_S)       /* until its tier is kept */
#define WZP_PROBE_COOLDOWN (60 * WZP_S) /* on top of WZP_PROBE_AFTER, once one failed */
#define WZP_BOOST_FOR (10 * WZP_S)      /* more FEC after the network changed */
#define WZP_BOOST_PERCENT 20

/* What wzp_controller_observe is told when nothing estimates the path. */
#define WZP_TARGET_UNKNOWN UINT64_MAX

typedef struct wzp_controller {
    wzp_adapt_policy policy;
    wzp_network network;
    wzp_tier_run run;
    bool forced, probing, has_stable;
    wzp_quality_profile forced_profile;
    unsigned probe_bad;
    wzp_time probe_since;
    wzp_time stable_since; /* lies in the future after a failed probe */
    wzp_time boost_until;
} wzp_controller;

/* At Good, not forced. */
void wzp_controller_init(wzp_controller *c, wzp_adapt_policy policy, wzp_network network);

static inline wzp_tier wzp_controller_tier(const wzp_controller *c) {
    return c->run.tier;
}

/* What the encoder is to use now: the forced profile, that of a running probe, or the tier's.
 * Borrowed from `c` or static. */
const wzp_quality_profile *wzp_controller_profile(const wzp_controller *c);

/* One report.  `target_bps` is the path's estimate, WZP_TARGET_UNKNOWN without one.  Returns the
 * profile to change to, or NULL.  With the deployed policy a probe that is given up returns NULL
 * too, and is not held back by the estimate. */
const wzp_quality_profile *wzp_controller_observe(wzp_controller *c,
                                                  const wzp_quality_report *report,
                                                  uint64_t target_bps, wzp_time now);

/* Fixes the profile until the endpoint leaves Wi-Fi for a cellular network.  A copy is kept. */
void wzp_controller_force(wzp_controller *c, const wzp_quality_profile *profile);

/* Somebody else decided: reports are counted from this tier on. */
void wzp_controller_direct(wzp_controller *c, wzp_tier tier);

/* Ask for the profile afterwards: none is returned. */
void wzp_controller_network(wzp_controller *c, wzp_network network, wzp_time now);

/* Percent of FEC to add: WZP_BOOST_PERCENT for a while after the network changed, else 0.  Nothing
 * deployed uses it. */
unsigned wzp_controller_fec_boost(const wzp_controller *c, wzp_time now);

#endif
