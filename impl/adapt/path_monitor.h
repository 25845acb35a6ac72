/* What a path has been like lately (media sheet 9.4): loss, round trip time, jitter, rate, and a
 * hint that it is another path now.  Whole numbers only.
 *
 * The deployed monitor compares what is sent with what is received, which says nothing where one
 * side talks more; takes every packet for 100 bytes; and sees another path in any change before the
 * first jitter was measured.  REFERENCE takes losses from QUIC, counts bytes, and wants a full
 * window first and a change that can be heard.
 *
 * Plain struct, no memory; time is an argument. */
#ifndef WZP_ADAPT_PATH_MONITOR_H
#define WZP_ADAPT_PATH_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "adapt/policy.h"
#include "base/time.h"

#define WZP_PATH_WINDOW 10

/* Since the connection began. */
typedef struct wzp_path_counts {
    uint64_t packets_sent, packets_lost;
    uint64_t packets_received, bytes_received;
} wzp_path_counts;

typedef struct wzp_path_monitor {
    wzp_adapt_policy policy;
    bool has_counts, has_loss;
    wzp_path_counts counts;
    wzp_time counted_at, began_at;
    uint64_t loss_ppm, bps;           /* smoothed; of the last interval */
    uint64_t rtt, jitter;             /* ns, smoothed */
    uint64_t window[WZP_PATH_WINDOW]; /* the newest round trip times */
    size_t samples;
} wzp_path_monitor;

void wzp_path_monitor_init(wzp_path_monitor *monitor, wzp_adapt_policy policy);

/* One measured round trip, in ns. */
void wzp_path_monitor_rtt(wzp_path_monitor *monitor, uint64_t rtt);

/* What was counted until now; say it about once a second. */
void wzp_path_monitor_count(wzp_path_monitor *monitor, const wzp_path_counts *counts, wzp_time now);

/* Standard deviation of the last WZP_PATH_WINDOW round trips in ns; 0 with fewer than two. */
uint64_t wzp_path_monitor_deviation(const wzp_path_monitor *monitor);

/* The last round trip is far from the usual one. */
bool wzp_path_monitor_handoff(const wzp_path_monitor *monitor);

/* The jitter to report, in whole ms. */
uint32_t wzp_path_monitor_jitter_ms(const wzp_path_monitor *monitor);

#endif
