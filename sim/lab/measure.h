/* What packets went through, seen at the interfaces: how long they were under way from one party to
 * another, how many never came, and how long each access line kept them.
 *
 * Parties are the hosts, then the relays.  A packet belongs to the host that made it, whatever NATs
 * do to its addresses; so a media path is what really was, not what a log says.  Time is cut into
 * bins.  nat sheet 2.13. */
#ifndef WZP_SIM_LAB_MEASURE_H
#define WZP_SIM_LAB_MEASURE_H

#include "sim/lab/topology.h"

#define WZP_LAB_BINS_MAX 300

typedef struct wzp_lab_bin {
    uint32_t sent, arrived; /* of those sent in this bin */
    uint64_t delay_sum, delay_max;
} wzp_lab_bin;

typedef struct wzp_lab_flow {
    uint32_t from, to; /* parties */
    uint64_t sent, arrived, bytes;
    uint64_t delay_min, delay_max, delay_sum;
    uint64_t first_at, last_at; /* arrivals */
    wzp_lab_bin bins[WZP_LAB_BINS_MAX];
} wzp_lab_flow;

/* One direction of an access line: the time that packets spent on it beyond the least. */
typedef struct wzp_lab_line {
    const char *name; /* "x.access.up"; borrowed from the topology */
    uint64_t least;
    uint64_t most[WZP_LAB_BINS_MAX]; /* transit, ns; 0: nothing came through */
} wzp_lab_line;

typedef struct wzp_lab_measure wzp_lab_measure;

/* From `start` for `duration`.  The topology is borrowed for its life.  NULL: out of memory. */
wzp_lab_measure *wzp_lab_measure_new(const wzp_lab_scenario *scenario,
                                     const wzp_lab_topology *topology, wzp_time start);
void wzp_lab_measure_free(wzp_lab_measure **measure);

void wzp_lab_measure_packet(wzp_lab_measure *m, const char *interface, wzp_sim_way way,
                            const wzp_sim_packet *packet, wzp_time now);

/* Whether a packet is one of a party's, not of cross traffic. */
bool wzp_lab_measure_knows(const wzp_lab_measure *m, const wzp_sim_packet *packet);

uint64_t wzp_lab_measure_bin_ns(const wzp_lab_measure *m);
size_t wzp_lab_measure_bins(const wzp_lab_measure *m);
size_t wzp_lab_measure_flows(const wzp_lab_measure *m);
const wzp_lab_flow *wzp_lab_measure_flow(const wzp_lab_measure *m, size_t index);
size_t wzp_lab_measure_lines(const wzp_lab_measure *m);
const wzp_lab_line *wzp_lab_measure_line(const wzp_lab_measure *m, size_t index);

/* Which of the others' packets reached `host` most between two moments (scenario time): a party,
 * WZP_LAB_NONE if nothing came. */
uint32_t wzp_lab_measure_source(const wzp_lab_measure *m, uint32_t host, wzp_time from,
                                wzp_time until);

#endif
