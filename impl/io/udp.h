/* A UDP socket that moves datagrams in batches: recvmmsg and sendmmsg, UDP_GRO and UDP_SEGMENT
 * where the kernel has them, one by one where it has not.  Errors of single datagrams are counted,
 * never fatal. */
#ifndef WZP_IO_UDP_H
#define WZP_IO_UDP_H

#include "quic/core.h"

typedef struct wzp_udp wzp_udp;

typedef struct wzp_udp_counters {
    uint64_t received, sent;       /* datagrams */
    uint64_t receive_calls, send_calls;
    uint64_t dropped_full;         /* the kernel's send buffer was full */
    uint64_t dropped_errors;       /* unreachable, too large, ... */
} wzp_udp_counters;

/* Binds to `local` (port 0: any).  IO: errno says why.  `plain`: without batches and offload. */
WZP_MUST_USE wzp_err wzp_udp_open(wzp_udp **out, const wzp_addr *local, bool plain);
void wzp_udp_close(wzp_udp **udp);

int wzp_udp_fd(const wzp_udp *udp);
wzp_addr wzp_udp_local(const wzp_udp *udp); /* the port is the real one */
void wzp_udp_count(const wzp_udp *udp, wzp_udp_counters *out);

/* Reads what is there, at most a few hundred datagrams, and hands each to the core.  Returns the
 * number. */
size_t wzp_udp_receive(wzp_udp *udp, wzp_core core, wzp_time now);

/* Sends everything that the core has to say. */
void wzp_udp_transmit(wzp_udp *udp, wzp_core core, wzp_time now);

#endif
