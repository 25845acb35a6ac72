/* What a stream lost, from its sequence numbers in the order of arrival (tools sheet 11).
 *
 *   lost         numbers from the first to the highest one that never came
 *   duplicate    a number that came before; with other bytes: `others`
 *   reordered    came after a later one (RFC 4737, 3.3); first copies only
 *   too late     of these, those that came WZP_PCAP_LATE_NS after being overtaken, or later: what
 * the deployed jitter buffer no longer plays
 *   stray        a jump ahead of WZP_PCAP_JUMP or more, or back beyond the window
 *   reset        a stray, and the next packet goes on from there (as in RFC 3550, A.1): counting
 *                begins anew.  One packet alone that was under way for long moves nothing.
 *
 * Which numbers are lost is decided when they leave the window, and by then late ones have come.
 * Plain object of some 16 KiB, nothing is allocated. */
#ifndef WZP_PCAP_FLOW_LOSS_H
#define WZP_PCAP_FLOW_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum {
    WZP_PCAP_WINDOW = 1024, /* sequence numbers */
    WZP_PCAP_JUMP = 3000,
    WZP_PCAP_GMIN = 16 /* received between two losses: then they are of two bursts (RFC 3611) */
};
#define WZP_PCAP_LATE_NS (200 * WZP_MS)

/* Losses in a row and apart, fed one decided packet at a time. */
typedef struct wzp_pcap_pattern {
    uint64_t packets, lost;
    uint64_t bursts, burst_packets, burst_lost;   /* RFC 3611, 4.7.2: at least two losses */
    uint64_t runs, longest_run;                   /* of losses without a packet between */
    uint64_t after_received, lost_after_received; /* Gilbert: transitions seen */
    uint64_t after_lost, received_after_lost;
    uint64_t run;                                     /* of losses, open */
    uint64_t cluster_packets, cluster_lost, received; /* open: up to its last loss; and since */
    bool started, was_lost;
} wzp_pcap_pattern;

void wzp_pcap_pattern_feed(wzp_pcap_pattern *pattern, bool is_lost);
/* Nothing follows: what is open is counted. */
void wzp_pcap_pattern_close(wzp_pcap_pattern *pattern);

typedef enum wzp_pcap_arrival {
    WZP_PCAP_ARRIVAL_NEXT, /* newer than all before */
    WZP_PCAP_ARRIVAL_REORDERED,
    WZP_PCAP_ARRIVAL_DUPLICATE,
    WZP_PCAP_ARRIVAL_OTHER, /* a number that was there, with other bytes */
    WZP_PCAP_ARRIVAL_STRAY,
    WZP_PCAP_ARRIVAL_RESET /* with the stray before it */
} wzp_pcap_arrival;

/* What came of one packet. */
typedef struct wzp_pcap_place {
    wzp_pcap_arrival kind;
    uint32_t missing;    /* NEXT: numbers that were skipped */
    uint32_t distance;   /* REORDERED: below the highest */
    uint64_t late_ns;    /* REORDERED: since it was overtaken */
    uint64_t skipped_ns; /* REORDERED: when that was */
} wzp_pcap_place;

typedef struct wzp_pcap_loss {
    uint64_t first,
        highest; /* of the sequence since the last reset, extended; 2^32 more at least */
    uint64_t expected_before; /* of the sequences before */
    uint64_t unique, duplicates, others, reordered, too_late, strays, resets;
    uint64_t reorder_max, late_max_ns;
    wzp_pcap_pattern pattern; /* of what has left the window */
    uint64_t skipped_ns[WZP_PCAP_WINDOW];
    uint64_t here[WZP_PCAP_WINDOW / 64]; /* bits */
    uint32_t digest[WZP_PCAP_WINDOW];
    uint64_t stray_ns; /* the last one, until a packet is where it was to be */
    uint32_t stray_seq, stray_digest;
    bool started, has_stray;
} wzp_pcap_loss;

/* `digest` tells packets apart: equal for equal bytes. */
wzp_pcap_place wzp_pcap_loss_take(wzp_pcap_loss *loss, uint32_t seq, uint32_t digest, uint64_t ns);

/* What it would say of this packet, with nothing changed. */
wzp_pcap_place wzp_pcap_loss_ask(const wzp_pcap_loss *loss, uint32_t seq, uint32_t digest,
                                 uint64_t ns);

/* The number was not there when its turn was, and may still come: false if it came, or was never
 * skipped. */
bool wzp_pcap_loss_misses(const wzp_pcap_loss *loss, uint32_t seq);

typedef struct wzp_pcap_loss_figures {
    uint64_t expected, lost;
    double lost_percent;
    uint64_t bursts, longest_run;
    double burst_packets, gap_packets; /* mean lengths */
    double burst_density, gap_density; /* lost in them, 0..1 */
    double gilbert_p, gilbert_r;       /* received to lost, lost to received; 0..1 */
    double burst_ratio;                /* E-model: mean run of losses by that of random loss */
} wzp_pcap_loss_figures;

/* So far: what is in the window counts as it stands. */
void wzp_pcap_loss_sum(const wzp_pcap_loss *loss, wzp_pcap_loss_figures *out);

#endif
