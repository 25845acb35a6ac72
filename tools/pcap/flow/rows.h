/* A stream in intervals of equal length.  When WZP_PCAP_ROWS_MAX are not enough, two become one and
 * the interval is twice as long: memory is bounded, and nothing is forgotten. */
#ifndef WZP_PCAP_FLOW_ROWS_H
#define WZP_PCAP_FLOW_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WZP_PCAP_ROWS_MAX 2048

/* Counts are of what happened in the interval; `lost` of what was skipped in it and never came. */
typedef struct wzp_pcap_row {
    uint64_t bytes;
    double jitter_sum_ms; /* of `clocked` packets */
    uint32_t packets, clocked, lost, recovered, duplicates, reordered, keyframes, frames, reports;
    float jitter_max_ms, delta_max_ms;
    uint16_t report_rtt_ms;   /* the most */
    uint8_t report_loss;      /* the most, 0..255 */
    uint8_t report_jitter_ms; /* the most */
    uint8_t codec;            /* of the last packet that is no comfort noise */
    bool has_codec;
} wzp_pcap_row;

typedef struct wzp_pcap_rows {
    uint64_t from_ns, interval_ns;
    wzp_pcap_row *rows;
    size_t count, cap;
    bool started;
} wzp_pcap_rows;

/* `interval_ns` is at least 1 ms. */
void wzp_pcap_rows_init(wzp_pcap_rows *rows, uint64_t interval_ns);
void wzp_pcap_rows_clear(wzp_pcap_rows *rows);

/* The interval of that time; earlier times than the first belong to the first.  Borrowed until the
 * next call; NULL: out of memory. */
wzp_pcap_row *wzp_pcap_rows_at(wzp_pcap_rows *rows, uint64_t ns);

#endif
