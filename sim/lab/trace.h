/* Every packet at every interface: a line of text where somebody wants to read it, and one number
 * that says whether two runs were the same.
 *
 *     1.005123456 x:0 > #12 udp 192.168.1.10:40000 192.0.2.1:4433 1228
 *     1.020123456 x.access.up ! #13 udp 203.0.113.5:40000 192.0.2.1:4433 loss
 *     1.030123456 y.nat ! - udp 203.0.113.5:40000 198.51.100.9:40001 filter
 *
 * Time in s, interface, way (> out of the node, < into it, ! dropped there), packet, protocol,
 * source, destination, bytes of the IP packet or the reason.  A box tells no packet's number; what
 * it drops came in just before. */
#ifndef WZP_SIM_LAB_TRACE_H
#define WZP_SIM_LAB_TRACE_H

#include <stdio.h>

#include "sim/nat/nat.h"
#include "sim/net/fabric.h"

typedef struct wzp_lab_trace {
    FILE *out; /* NULL: only the hash; borrowed */
    uint64_t hash, packets;
    uint64_t newest; /* packet id: contents count once */
} wzp_lab_trace;

void wzp_lab_trace_init(wzp_lab_trace *trace, FILE *out);
void wzp_lab_trace_packet(wzp_lab_trace *trace, const char *interface, wzp_sim_way way,
                          const wzp_sim_packet *packet, wzp_time now);
void wzp_lab_trace_drop(wzp_lab_trace *trace, const char *link, const wzp_sim_packet *packet,
                        wzp_sim_drop why, wzp_time now);
void wzp_lab_trace_nat(wzp_lab_trace *trace, const char *box, const wzp_sim_nat_event *event);

#endif
