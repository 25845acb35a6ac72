/* NAT64 and 464XLAT: IPv6 addresses that stand for IPv4 ones, and packets between the two
 * (RFC 6052, 6146, 6877; nat sheet 2.9).
 *
 *     host 192.0.0.4 -- CLAT -- IPv6 network -- NAT64 -- IPv4 network
 *
 * The stateful half is a wzp_sim_nat with IPv6 hosts inside and IPv4 addresses outside; a box runs
 * it (box.h).  The CLAT keeps no state. */
#ifndef WZP_SIM_BOX_NAT64_H
#define WZP_SIM_BOX_NAT64_H

#include "sim/nat/nat.h"
#include "sim/net/node.h"

/* EIM and ADF, 300 s: the NAT of a NAT64. */
wzp_sim_nat_cfg wzp_sim_nat64_cfg(void);

/* 64:ff9b::/96 and the four bytes of `v4`; the port stays. */
wzp_addr wzp_sim_nat64_embed(const wzp_addr *v4);
/* False: `v6` is none of that prefix, and `out` stays as it was. */
bool wzp_sim_nat64_extract(const wzp_addr *v6, wzp_addr *out);

/* All addresses of a packet in the prefix become IPv4 and back; those of the inside host are left
 * to the NAT, which comes in between.  ICMP errors about size count with the other header's 20
 * bytes less or more (RFC 7915, 4.2). */
bool wzp_sim_nat64_to_v4(wzp_sim_packet *packet);
void wzp_sim_nat64_to_v6(wzp_sim_packet *packet);

/* --- CLAT ------------------------------------------------------------------------------------- */

/* A packet of the host at `v4` (192.0.0.4) to the IPv6 network, where it is `v6`.  False: it is
 * none of that host's, and stays as it was. */
bool wzp_sim_clat_out(wzp_sim_packet *packet, const wzp_addr *v4, const wzp_addr *v6);
bool wzp_sim_clat_in(wzp_sim_packet *packet, const wzp_addr *v4, const wzp_addr *v6);

/* As a node: port 0 to the host, port 1 to the network.  IPv6 passes as it is. */
typedef struct wzp_sim_clat {
    wzp_sim_node node; /* first */
    wzp_addr v4, v6;
    wzp_sim_pipe *pipe[2];
    wzp_sim_counts counts;
} wzp_sim_clat;

/* `name` is borrowed for its life. */
void wzp_sim_clat_init(wzp_sim_clat *clat, const char *name, const wzp_addr *v4,
                       const wzp_addr *v6);

#endif
