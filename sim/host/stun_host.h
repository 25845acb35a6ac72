/* A STUN server on simulated hosts: both of its addresses on one host, or one on each of two. */
#ifndef WZP_SIM_HOST_STUN_HOST_H
#define WZP_SIM_HOST_STUN_HOST_H

#include "sim/host/host.h"
#include "sim/host/stun.h"

typedef struct wzp_sim_stun_host wzp_sim_stun_host;

/* `first` has the primary's address, `second` the alternate's; the same host twice, or NULL with no
 * alternate.  Both are borrowed for its life, `cfg` is copied.  LIMIT: a port is taken; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_stun_host_new(wzp_sim_stun_host **out, const wzp_sim_stun_cfg *cfg,
                                           wzp_sim_host *first, wzp_sim_host *second);
void wzp_sim_stun_host_free(wzp_sim_stun_host **stun);

/* Off: its ports are closed, and answer with ICMP. */
void wzp_sim_stun_host_stop(wzp_sim_stun_host *stun);

/* From now on somebody else answers first, twice and wrongly: with another transaction, and for
 * another address from another port (N60). */
void wzp_sim_stun_host_spoof(wzp_sim_stun_host *stun);

uint64_t wzp_sim_stun_host_served(const wzp_sim_stun_host *stun);

#endif
