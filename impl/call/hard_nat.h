/* What a peer is told of how our NAT gives out ports, and what of that we believe of theirs: where
 * the ports count up, the next ones can be dialled (HardNatProbe, nat sheet 1.14, 1.15, 1.18).
 *
 * Plain values, nothing allocates. */
#ifndef WZP_CALL_HARD_NAT_H
#define WZP_CALL_HARD_NAT_H

#include "call/addresses.h"
#include "nat/gather.h"

#define WZP_CALL_PROBE_PORTS_MAX 16
#define WZP_CALL_AHEAD 7 /* so many of the next ports are tried */

typedef struct wzp_call_probe {
    wzp_port_alloc alloc;
    wzp_addr external; /* the IP outside of the NAT, with the latest port; NONE: not known */
    uint16_t ports[WZP_CALL_PROBE_PORTS_MAX]; /* as servers saw them, the latest first */
    size_t port_count;
    uint64_t time_ms; /* Unix, when that was; 0: nobody knows */
} wzp_call_probe;

/* Ours. */
void wzp_call_probe_of(wzp_call_probe *out, const wzp_gather_ports *ports, uint64_t time_ms);

typedef struct wzp_call_probe_text {
    char allocation[WZP_PORT_ALLOC_TEXT_MAX], ip[WZP_ADDR_TEXT_MAX];
} wzp_call_probe_text;

/* All fields but the call_id; they point into `probe` and `text`.  In the form that deployed
 * clients read. */
void wzp_call_probe_write(wzp_signal_HardNatProbe *out, const wzp_call_probe *probe,
                          wzp_call_probe_text *text);

/* A peer's, in either form and order (U5, U6).  False: it makes no sense, which is counted, and
 * `out` is as it was: a port 0, more than PORTS_MAX of them, no allocation or IP that can be read,
 * steps of 0 or without a port. */
bool wzp_call_probe_read(wzp_call_probe *out, const wzp_signal_HardNatProbe *in,
                         wzp_call_refused *refused);

/* Where the NAT's next mappings will be, in this order; the number of them, 0 unless it counts. */
size_t wzp_call_probe_ahead(wzp_addr out[WZP_CALL_AHEAD], const wzp_call_probe *probe);

#endif
