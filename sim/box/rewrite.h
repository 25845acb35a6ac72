/* The NAT on the bytes of real packets: IPv4 and IPv6, UDP and TCP, ICMP queries, and ICMP errors
 * about all of these.
 *
 * Queries (echo, and timestamp on IPv4) are mapped by their identifier and live as long as UDP
 * mappings do; only those from inside pass, and the replies to them (RFC 5508, REQ-1 to 4).
 * Checksums change by what changes (RFC 1624), so that what was corrupt stays so, and a UDP
 * checksum of 0 stays 0 on IPv4.  TTL goes down by one.  Later fragments follow their first one
 * through a bounded table; one that comes before it is dropped (RFC 4787, REQ-14 allows that).
 * Whatever cannot be understood in full is dropped; nothing is read past the end.  Packets for the
 * box itself are for the caller to take out before.  Sans-IO, one thread.  nat sheet 2.3; SIM-008.
 */
#ifndef WZP_SIM_BOX_REWRITE_H
#define WZP_SIM_BOX_REWRITE_H

#include "sim/nat/nat.h"

typedef struct wzp_sim_rewriter wzp_sim_rewriter;

typedef struct wzp_sim_rewriter_cfg {
    bool drop_fragments;
    uint32_t fragments_max;    /* divided packets at once; 0: 256 */
    uint64_t fragment_timeout; /* ns that later fragments are waited for; 0: 30 s */
} wzp_sim_rewriter_cfg;

typedef enum wzp_sim_rewrite {
    WZP_SIM_REWRITE_FORWARD, /* changed in place: send it on the other side */
    WZP_SIM_REWRITE_TURN,    /* changed in place: send it back inside */
    WZP_SIM_REWRITE_MALFORMED,
    WZP_SIM_REWRITE_PROTOCOL, /* neither UDP, TCP, an ICMP error nor a query of those who
                                 may ask; a family that the NAT has not */
    WZP_SIM_REWRITE_TTL,
    WZP_SIM_REWRITE_FRAGMENT, /* unwanted, or its first one is not known */
    WZP_SIM_REWRITE_NO_MAPPING,
    WZP_SIM_REWRITE_FILTER,
    WZP_SIM_REWRITE_QUOTA,
    WZP_SIM_REWRITE_HAIRPIN
} wzp_sim_rewrite;

/* `nat` is borrowed for its life.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_rewriter_new(wzp_sim_rewriter **out, const wzp_sim_rewriter_cfg *cfg,
                                          wzp_sim_nat *nat);
void wzp_sim_rewriter_free(wzp_sim_rewriter **rewriter);

/* One IP packet from inside or outside, which begins at packet[0]; bytes after its end (padding)
 * are no part of it.  Dropped packets are as they were. */
wzp_sim_rewrite wzp_sim_rewrite_out(wzp_sim_rewriter *rewriter, uint8_t *packet, size_t len,
                                    wzp_time now);
wzp_sim_rewrite wzp_sim_rewrite_in(wzp_sim_rewriter *rewriter, uint8_t *packet, size_t len,
                                   wzp_time now);

const char *wzp_sim_rewrite_name(wzp_sim_rewrite verdict); /* static text */

#endif
