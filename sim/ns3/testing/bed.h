/* Two hosts without any protocol and one link between them, on either engine: packets go in at
 * given times from `a`, and what comes out at `b` is written down. */
#ifndef WZP_SIM_NS3_TESTING_BED_H
#define WZP_SIM_NS3_TESTING_BED_H

#include "sim/ns3/ns3.h"

typedef struct bed_arrival {
    uint64_t seq; /* as it was sent: 0, 1, ... */
    wzp_time sent, at;
    uint32_t bytes;
    uint16_t flow;
    uint8_t tos;
    bool corrupted;
} bed_arrival;

typedef struct bed_end {
    wzp_sim_node node; /* first: what deliver is called with */
    struct bed *bed;
} bed_end;

typedef struct bed {
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    bed_end a, b;
    wzp_sim_pipe *pipes[2]; /* a's way out, b's */
    size_t link;
    wzp_time start;
    bed_arrival *arrivals; /* at b, with `echoes` at a */
    size_t count, cap;
    bool echoes; /* b sends back what it gets */
    uint64_t sent;
    uint64_t errors; /* ICMP that came to a */
    uint64_t hash;   /* of all arrivals */
} bed;

/* NULL: ns-3 is not here, and it was said; tests are skipped then. */
const wzp_ns3_ops *bed_ns3(void);

/* `engine`: "native" or "ns3".  Fails the test when it does not open. */
void bed_open(bed *b, const char *engine, uint64_t seed);
void bed_link(bed *b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);
void bed_close(bed *b);

/* What `a` sends: `size` IP bytes (at least 36) from `from` after the start of the bed until
 * `until`, every `interval` or with exponential gaps of that mean; flows have ports of their own.
 */
typedef struct bed_source {
    uint32_t size;
    uint64_t interval, from, until;
    bool poisson;
    uint32_t burst; /* packets at once; 0: 1 */
    uint16_t flow;
    uint8_t tos;
    uint8_t fill; /* of the payload behind the number */
} bed_source;

/* Starts it.  Its gaps depend on the seed and the flow alone, so both engines see the same. */
void bed_send(bed *b, const bed_source *source);

/* Until `duration` after the start. */
wzp_sim_stop bed_run(bed *b, uint64_t duration);

/* --- figures ---------------------------------------------------------------------------------- */

/* Of the packets of one flow. */
typedef struct bed_figures {
    uint64_t received, bytes;
    uint64_t percentile[5]; /* delay in ns: 10, 50, 90, 99, 100 % */
    uint64_t throughput;    /* IP bit/s between the first and the last arrival */
} bed_figures;

void bed_measure(const bed *b, uint16_t flow, bed_figures *out);

#endif
