/* When packets of a stream came, against when they were made (tools sheet 11).
 *
 *   delta    between packets, duplicates left out
 *   jitter   RFC 3550, 6.4.1: D = (Rj - Ri) - (Sj - Si), J += (|D| - J) / 16, in the order of
 *            arrival; R is the time of capture, S the header's timestamp, of 1 ms resolution.
 *            A time that is off by an hour and more is another clock, and no jitter.
 * Repair packets and further fragments of a video frame have no time of their own and are left out.
 *   upstream 0.1 and 0.9 of |delta - frame time|, as upstream's analyzer does (sheet 2)
 *   drift    slope of delay by the sender's clock, in parts per million: the median of slopes
 *            between the quickest packets of each of up to 128 stretches (Theil and Sen). Positive:
 *            the sender's clock is slow.
 *
 * Plain object, nothing is allocated. */
#ifndef WZP_PCAP_FLOW_TIMING_H
#define WZP_PCAP_FLOW_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* Figures of many values, one by one (Welford). */
typedef struct wzp_pcap_spread {
    uint64_t count;
    double min, max, mean, squares;
} wzp_pcap_spread;

void wzp_pcap_spread_add(wzp_pcap_spread *spread, double value);
/* Standard deviation by mean; 0 while there are fewer than two values. */
double wzp_pcap_spread_cov(const wzp_pcap_spread *spread);

/* The limits of the relay's own histograms, so that both can be laid side by side. */
enum { WZP_PCAP_GAP_BOUNDS = 13, WZP_PCAP_SIZE_BOUNDS = 13 };
extern const uint32_t wzp_pcap_gap_bounds_ms[WZP_PCAP_GAP_BOUNDS];
extern const uint32_t wzp_pcap_size_bounds[WZP_PCAP_SIZE_BOUNDS];
/* The first bound that is not exceeded, `count`: none. */
size_t wzp_pcap_bound(const uint32_t *bounds, size_t count, double value);

enum { WZP_PCAP_DRIFT_BINS = 128 };

typedef struct wzp_pcap_drift {
    uint64_t from_ns, width_ns;
    int64_t least[WZP_PCAP_DRIFT_BINS]; /* delay, ns; meaningful where at is set */
    uint64_t at[WZP_PCAP_DRIFT_BINS];   /* since from_ns, plus 1; 0: nothing there */
} wzp_pcap_drift;

void wzp_pcap_drift_add(wzp_pcap_drift *drift, uint64_t ns, int64_t delay_ns);
/* False: less than 10 s, or fewer than 8 stretches with packets. */
bool wzp_pcap_drift_ppm(const wzp_pcap_drift *drift, double *ppm);

typedef struct wzp_pcap_timing {
    wzp_pcap_spread delta_ms, jitter_ms, upstream_ms;
    double jitter_now_ms, upstream_now_ms;
    uint64_t gaps[WZP_PCAP_GAP_BOUNDS + 1];
    wzp_pcap_drift drift;
    uint64_t last_ns, clocked_ns;
    int64_t ts_ms;   /* extended, of the newest clocked packet */
    uint32_t raw_ts; /* of it, as in the header */
    bool started, clocked;
} wzp_pcap_timing;

typedef struct wzp_pcap_tick {
    double delta_ms; /* since the packet before; 0 for the first */
    double delay_ms; /* against the first packet's, positive: slower; of clocked packets */
    int64_t step_ms; /* of the timestamp since the newest clocked packet */
    bool clocked;
} wzp_pcap_tick;

/* One packet that is no duplicate.  `is_timed`: its timestamp is that of its own first sample. */
wzp_pcap_tick wzp_pcap_timing_take(wzp_pcap_timing *timing, uint64_t ns, uint32_t timestamp_ms,
                                   uint16_t frame_ms, bool is_timed);

/* The sender began anew: neither jitter nor drift goes on over the break. */
void wzp_pcap_timing_break(wzp_pcap_timing *timing);

#endif
