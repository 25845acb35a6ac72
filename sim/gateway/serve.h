/* What a gateway answers to NAT-PMP and PCP: request bytes in, answer bytes out, and leases made or
 * ended on the way.  nat sheet 2.5; RFC 6886, RFC 6887. */
#ifndef WZP_SIM_GATEWAY_SERVE_H
#define WZP_SIM_GATEWAY_SERVE_H

#include "base/wr.h"
#include "sim/gateway/lease.h"

typedef struct wzp_sim_service {
    wzp_sim_leases *leases; /* borrowed */
    uint32_t epoch_s;       /* seconds since the gateway began */
    uint16_t refuse;        /* a result code of the protocol for whatever is asked; 0: none */
    bool third_party;       /* PCP: hosts may map ports of others */
} wzp_sim_service;

/* Appends the answer to `out`, or nothing if there is none: room for WZP_NATPMP_ANSWER_MAX. */
void wzp_sim_serve_pmp(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes datagram,
                       wzp_time now, wzp_wr *out);

/* As above: room for WZP_PCP_MAX. */
void wzp_sim_serve_pcp(const wzp_sim_service *service, const wzp_addr *from, wzp_bytes datagram,
                       wzp_time now, wzp_wr *out);

#endif
