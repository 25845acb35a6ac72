/* An IPv4 and an IPv6 socket that belong together: one core behind both, each packet leaves by the
 * one of its family (nat sheet 1.3).  The IPv6 one takes no IPv4, and has the same port if it is
 * free.  A machine without IPv6 has the first only: what the core says to IPv6 addresses is then
 * dropped, and counted by it as unreachable.
 *
 * For wzp_drive: its `udp` is v4, its `udp6` v6. */
#ifndef WZP_IO_UDP_PAIR_H
#define WZP_IO_UDP_PAIR_H

#include "io/udp_ports.h"

typedef struct wzp_udp_pair {
    wzp_udp *v4, *v6; /* v6 is NULL where there is no IPv6 */
    int v6_error;     /* errno of why there is none; 0: there is, or none was asked for */
} wzp_udp_pair;

typedef struct wzp_udp_pair_cfg {
    wzp_addr v4, v6; /* NONE: 0.0.0.0:0, and [::] with the port of the other one */
    bool no_v6;
    bool plain; /* as in udp.h */
} wzp_udp_pair_cfg;

/* Errors of wzp_udp_new, of the IPv4 socket; and of the IPv6 one if its address was named. */
WZP_MUST_USE wzp_err wzp_udp_pair_open(wzp_udp_pair *out, const wzp_udp_pair_cfg *cfg);

/* Twice is harmless. */
void wzp_udp_pair_close(wzp_udp_pair *pair);

/* As wzp_udp_set_tap, of both. */
void wzp_udp_pair_set_tap(const wzp_udp_pair *pair, wzp_udp_tap *tap, void *ctx);

/* Ports of the sockets; 0: there is none. */
uint16_t wzp_udp_pair_port(const wzp_udp *udp);

/* As wzp_udp_transmit, for both; `v6` may be NULL, and `ports` (more sockets of the same core).
 * False: one of them is full, which stops both,
 * since the core's packets come in one order. */
bool wzp_udp_pair_transmit(wzp_udp *v4, wzp_udp *v6, wzp_udp_ports *ports, wzp_core core,
                           wzp_time now);

#endif
