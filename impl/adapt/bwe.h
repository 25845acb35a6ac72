/* What the path carries: from QUIC's congestion window and from what the receiver says that it can
 * take (REMB, in TransportFeedback; media sheet 9.2, conformance sheet 18).  All in whole bits a
 * second.
 *
 * Plain struct, no memory. */
#ifndef WZP_ADAPT_BWE_H
#define WZP_ADAPT_BWE_H

#include <stdbool.h>

#include "adapt/policy.h"
#include "base/time.h"

#define WZP_BWE_HALF_LIFE (2 * WZP_S)

typedef struct wzp_bwe {
    wzp_adapt_policy policy;
    bool has_path;
    uint64_t cwnd_bps;
    uint64_t remb_bps; /* UINT64_MAX: the receiver said nothing */
    bool has_smoothed;
    uint64_t smoothed_bps;
    wzp_time smoothed_at;
} wzp_bwe;

void wzp_bwe_init(wzp_bwe *bwe, wzp_adapt_policy policy);

/* Congestion window and round trip time of the connection; less than 1 ms counts as that. */
void wzp_bwe_path(wzp_bwe *bwe, uint64_t cwnd_bytes, uint32_t rtt_ms, wzp_time now);

void wzp_bwe_remb(wzp_bwe *bwe, uint32_t remb_bps, wzp_time now);

/* Nine tenths of the smaller of both.  Before the first update of the path DEPLOYED says 0, which
 * forbids every upgrade; REFERENCE says WZP_TARGET_UNKNOWN (controller.h). */
uint64_t wzp_bwe_target(const wzp_bwe *bwe);

/* The smaller of both with a half-life of 2 s; 0 before the first update.  The target does not
 * use it, as deployed. */
uint64_t wzp_bwe_smoothed(const wzp_bwe *bwe);

#endif
