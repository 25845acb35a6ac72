/* The controller once more, slow and obvious: it keeps every report of the call and answers each
 * question by reading them again (media sheet 4.3-4.5, word for word). */
#ifndef WZP_ADAPT_TESTING_TWIN_H
#define WZP_ADAPT_TESTING_TWIN_H

#include "adapt/controller.h"

#define WZP_CONTROLLER_TWIN_MAX 4096

typedef struct wzp_controller_twin {
    bool deployed, is_cellular, is_wifi, forced;
    wzp_tier tier;
    size_t count;        /* reports so far */
    size_t better_from;  /* the first one that may count towards a climb */
    size_t worse_from;   /* or towards a fall */
    size_t steady_from;  /* or towards being stable */
    wzp_time not_before; /* no report before it makes a probe start */
    size_t probe_from;   /* the first one of the probe, 0: none */
    wzp_time probe_at;
    struct {
        wzp_tier seen;
        wzp_time at;
    } reports[WZP_CONTROLLER_TWIN_MAX];
} wzp_controller_twin;

void wzp_controller_twin_init(wzp_controller_twin *t, bool deployed, wzp_network network);

/* True if the controller is to return the profile of *out. */
bool wzp_controller_twin_observe(wzp_controller_twin *t, const wzp_quality_report *report,
                                 uint64_t target_bps, wzp_time now, wzp_tier *out);
void wzp_controller_twin_force(wzp_controller_twin *t);
void wzp_controller_twin_network(wzp_controller_twin *t, wzp_network network);

#endif
