/* Other people's packets in a link's queue: senders at a fixed rate, and window models of TCP that
 * wait for what really leaves the queue and shrink when it really drops.
 *
 * They end at the link: what has left is acknowledged after a round trip.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_CROSS_H
#define WZP_SIM_NET_CROSS_H

#include "sim/net/item.h"
#include "sim/net/link.h"

typedef struct wzp_sim_cross wzp_sim_cross;

/* A packet of `bytes` IP bytes joins the queue; it ends in one of the two calls below. */
typedef void wzp_sim_emit(void *ctx, wzp_sim_flow *flow, uint64_t seq, uint32_t bytes,
                          wzp_time now);

/* NULL: out of memory.  `start` is the link's. */
wzp_sim_cross *wzp_sim_cross_new(const wzp_sim_cross_cfg *cfg, uint64_t seed, wzp_sim_clock clock,
                                 wzp_time start, wzp_sim_emit *emit, void *ctx);

/* Sends no more.  Its flows stay until it is freed, which must wait for their tasks and packets. */
void wzp_sim_cross_stop(wzp_sim_cross *cross);
void wzp_sim_cross_free(wzp_sim_cross **cross);

const wzp_sim_cross_cfg *wzp_sim_cross_cfg_of(const wzp_sim_cross *cross);

/* For the queue's own use: stable from run to run, different for each flow. */
uint32_t wzp_sim_flow_hash(const wzp_sim_flow *flow);

void wzp_sim_flow_left(wzp_sim_flow *flow, uint64_t seq, wzp_time entered, wzp_time leaves);
void wzp_sim_flow_lost(wzp_sim_flow *flow, uint64_t seq, wzp_sim_drop why, wzp_time now);

void wzp_sim_cross_count(const wzp_sim_cross *cross, wzp_sim_counts *out); /* adds */

#endif
