/* Firewalls and policers of nat sheet 2.6: what a box lets through besides its NAT.  Sans-IO, one
 * thread; no call after wzp_sim_policy_new needs memory but the port-scan guard, which grows to 32
 * remotes. */
#ifndef WZP_SIM_BOX_POLICY_H
#define WZP_SIM_BOX_POLICY_H

#include "base/err.h"
#include "base/rng.h"
#include "sim/net/packet.h"

#define WZP_SIM_POLICY_PORTS_MAX 16

typedef struct wzp_sim_policy_cfg {
    bool only_v6; /* IPv4 is not looked at */
    bool block_udp;
    bool block_quic;           /* long headers with a version */
    bool drop_fragments;       /* IP packets over 1500 bytes that may be divided */
    bool suppress_frag_needed; /* ICMP "too big" does not come back */
    bool icmp_prohibited;      /* what is blocked is answered with ICMP */
    uint16_t allow_ports[WZP_SIM_POLICY_PORTS_MAX]; /* remote UDP ports; none: all */
    size_t allow_port_count;
    uint64_t block_after_bytes, block_after; /* UDP dies after so many bytes, or ns; 0: never */
    uint64_t bits_per_s;                     /* policers, each way by itself; 0: none */
    uint32_t pps, pps_burst;                 /* burst 0: 1 */
    uint32_t initial_drop_ppm;               /* of QUIC Initial packets */
    uint32_t bits_burst;                     /* bytes; 0: 65567, one packet of any size */
    uint32_t max_size;                       /* IP bytes; 0: any */
    uint32_t scan_ports;              /* port-scan guard, up to 4096: so many ports of one remote,
                                         or of ours by it, ... */
    uint64_t scan_window, scan_block; /* ... within this; then it is blocked for so long */
} wzp_sim_policy_cfg;

typedef struct wzp_sim_policy wzp_sim_policy;

/* INVALID_ARGUMENT: a count, rate or probability is out of range; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_policy_new(wzp_sim_policy **out, const wzp_sim_policy_cfg *cfg,
                                        uint64_t seed, const char *name, wzp_time now);
void wzp_sim_policy_free(wzp_sim_policy **policy);

typedef enum wzp_sim_policy_verdict {
    WZP_SIM_POLICY_PASS,
    WZP_SIM_POLICY_DROP,
    WZP_SIM_POLICY_REJECT /* drop, and say so with ICMP */
} wzp_sim_policy_verdict;

/* `outbound`: from inside.  The remote's address counts, and the inbound port outside of the NAT.
 */
wzp_sim_policy_verdict wzp_sim_policy_judge(wzp_sim_policy *policy, const wzp_sim_packet *packet,
                                            bool outbound, wzp_time now);

#endif
