/* Packets as they are on a real wire: lengths and checksums.  Internal to net and nat. */
#ifndef WZP_SIM_NET_WIRE_H
#define WZP_SIM_NET_WIRE_H

#include "sim/net/packet.h"

/* Sum of 16-bit words as of RFC 1071, not folded; an odd last byte counts as if a zero followed. */
uint64_t wzp_sim_sum(wzp_bytes bytes);
uint16_t wzp_sim_sum_fold(uint64_t sum);

/* Bytes of payload that an ICMP error about such a packet has room to quote. */
size_t wzp_sim_icmp_room(uint8_t family, uint8_t proto);

#endif
