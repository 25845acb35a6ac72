/* A few hundred IPv4 sockets beside the usual one, for a short time: each has a port of its own,
 * and few datagrams (phone/handset.h, WZP_HANDSET_OPEN; nat sheet 1.15).  A core knows them by
 * their port, in the local address of a path, whose IP is 0.0.0.0.
 *
 * For wzp_drive: its `ports`.  One datagram, one system call: who has many wants io/udp.h. */
#ifndef WZP_IO_UDP_PORTS_H
#define WZP_IO_UDP_PORTS_H

#include "io/udp.h"

#define WZP_UDP_PORTS_MAX 320 /* open at once */

typedef struct wzp_udp_ports wzp_udp_ports;

/* None is open yet; `ip` is where they will be, its port does not matter.  WZP_ERR_IO (errno says
 * why), NOMEM, INVALID_ARGUMENT (not IPv4). */
WZP_MUST_USE wzp_err wzp_udp_ports_new(wzp_udp_ports **out, const wzp_addr *ip);
/* Closes all.  Accepts NULL, leaves NULL. */
void wzp_udp_ports_free(wzp_udp_ports **ports);

/* Opens up to `count` and writes their ports to `out[count]`.  How many: the system may have no
 * more, and nobody has more than WZP_UDP_PORTS_MAX. */
size_t wzp_udp_ports_open(wzp_udp_ports *ports, size_t count, uint16_t *out);
/* Closes those that `keeps` does not keep. */
void wzp_udp_ports_shut(wzp_udp_ports *ports, bool (*keeps)(void *ctx, uint16_t port), void *ctx);
size_t wzp_udp_ports_count(const wzp_udp_ports *ports);

/* Readable when something has come by any of them. */
int wzp_udp_ports_fd(const wzp_udp_ports *ports);
/* Hands what has come to the core, at most a few hundred datagrams; how many. */
size_t wzp_udp_ports_receive(wzp_udp_ports *ports, wzp_core core, wzp_time now);
/* False: the packet is not for one of these sockets.  Otherwise it has left, or is dropped and
 * counted: these never wait. */
bool wzp_udp_ports_send(wzp_udp_ports *ports, const wzp_quic_meta *meta, wzp_bytes run);

/* As of a socket. */
void wzp_udp_ports_set_tap(wzp_udp_ports *ports, wzp_udp_tap *tap, void *ctx);

typedef struct wzp_udp_ports_counters {
    uint64_t opened, received, sent, dropped;
    uint64_t refused; /* sockets that the system did not give */
} wzp_udp_ports_counters;
void wzp_udp_ports_count_all(const wzp_udp_ports *ports, wzp_udp_ports_counters *out);

#endif
