/* The older estimator of upstream: it watches delay and loss, in kbit/s (media sheet 9.3).  Nothing
 * deployed uses it, and nothing here decides by it; it is kept because vectors describe it, in
 * double precision as they were made.
 *
 * Plain struct, no memory. */
#ifndef WZP_ADAPT_DELAY_BWE_H
#define WZP_ADAPT_DELAY_BWE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/signal.h"

#define WZP_DELAY_BWE_WINDOW 10

typedef enum wzp_path_use { WZP_PATH_NORMAL, WZP_PATH_OVERUSE, WZP_PATH_UNDERUSE } wzp_path_use;

const char *wzp_path_use_name(wzp_path_use use); /* "Overuse" */

typedef struct wzp_delay_bwe {
    double estimate_kbps, min_kbps, max_kbps;
    bool has_rtt;
    double baseline_ms, rtt_ms; /* smallest, and smoothed */
    wzp_path_use use;
    double losses_pct[WZP_DELAY_BWE_WINDOW];
    size_t updates;
} wzp_delay_bwe;

void wzp_delay_bwe_init(wzp_delay_bwe *bwe, double initial_kbps, double min_kbps, double max_kbps);
void wzp_delay_bwe_update(wzp_delay_bwe *bwe, double rtt_ms, double loss_pct);

const wzp_quality_profile *wzp_delay_bwe_profile(const wzp_delay_bwe *bwe);

#endif
