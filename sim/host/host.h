/* A host: interfaces with addresses, UDP sockets, and a clock that may run fast or slow.
 *
 * Programs live on sockets: a packet core of impl/ (wzp_core), a STUN server, a scripted peer.
 * A host routes by destination: the first interface that is up and has an address of the same
 * family, or the one whose address a socket sends from.  What it sends to itself does not leave it.
 *
 * Sockets speak the network's time; a seat shows its core the host's own, which may be ahead and
 * run fast or slow.  A host and what lives on it are freed when the simulation is over, except for
 * sockets and seats: those may go at any time, even from within their own callbacks.
 * nat sheet 2.1, 2.7. */
#ifndef WZP_SIM_HOST_HOST_H
#define WZP_SIM_HOST_HOST_H

#include "quic/core.h"
#include "sim/net/node.h"

typedef struct wzp_sim_host wzp_sim_host;

typedef struct wzp_sim_host_cfg {
    const char *name;    /* borrowed for its life; unique in its network */
    int32_t skew_ppm;    /* of its clock, +-1000 */
    uint64_t offset;     /* its clock is ahead by this, ns */
    uint64_t processing; /* from arrival to the program, ns */
} wzp_sim_host_cfg;

WZP_MUST_USE wzp_err wzp_sim_host_new(wzp_sim_host **out, const wzp_sim_host_cfg *cfg,
                                      wzp_sim_clock clock, wzp_sim_pool *pool);
void wzp_sim_host_free(wzp_sim_host **host);
wzp_sim_node *wzp_sim_host_node(wzp_sim_host *host);

/* Interfaces are the node's ports.  Several addresses (v4, v6) on one. */
WZP_MUST_USE wzp_err wzp_sim_host_attach(wzp_sim_host *host, unsigned port, wzp_sim_pipe *pipe);
WZP_MUST_USE wzp_err wzp_sim_host_address(wzp_sim_host *host, unsigned port, const wzp_addr *ip);
void wzp_sim_host_unaddress(wzp_sim_host *host, unsigned port, const wzp_addr *ip);
void wzp_sim_host_up(wzp_sim_host *host, unsigned port, bool up);

bool wzp_sim_host_is_up(const wzp_sim_host *host, unsigned port);

/* The address that a packet to `remote` would leave from; family NONE: none would. */
wzp_addr wzp_sim_host_source(const wzp_sim_host *host, const wzp_addr *remote);

/* The addresses of all interfaces that are up, in the order of its interfaces, their ports 0.  How
 * many there are. */
size_t wzp_sim_host_addresses(const wzp_sim_host *host, wzp_addr *out, size_t cap);

const char *wzp_sim_host_name(const wzp_sim_host *host);
wzp_sim_clock wzp_sim_host_clock(const wzp_sim_host *host); /* the network's */

/* From the network's time to the host's own and back: the first moment at which the host's clock
 * shows `local`.  WZP_TIME_NEVER stays what it is. */
wzp_time wzp_sim_host_local_time(const wzp_sim_host *host, wzp_time now);
wzp_time wzp_sim_host_network_time(const wzp_sim_host *host, wzp_time local);

/* --- sockets ---------------------------------------------------------------------------------- */

typedef struct wzp_sim_socket wzp_sim_socket;

/* `local` is where it arrived, perhaps a multicast group; `payload` is borrowed. */
typedef void wzp_sim_receive(void *ctx, const wzp_addr *local, const wzp_addr *remote, uint8_t ecn,
                             wzp_bytes payload, wzp_time now);

/* Any address of the host at `port`; 0: the next from 40000.  NULL: taken, or no memory. */
wzp_sim_socket *wzp_sim_host_bind(wzp_sim_host *host, uint16_t port, wzp_sim_receive *receive,
                                  void *ctx);
void wzp_sim_socket_close(wzp_sim_socket **socket);
uint16_t wzp_sim_socket_port(const wzp_sim_socket *socket);

/* `local` NULL or family NONE: the host chooses.  False: no address of that family is up. */
bool wzp_sim_socket_send(wzp_sim_socket *socket, const wzp_addr *local, const wzp_addr *remote,
                         uint8_t ecn, wzp_bytes payload, wzp_time now);

/* ICMP errors about packets of this socket. */
void wzp_sim_socket_on_error(wzp_sim_socket *socket,
                             void (*error)(void *ctx, wzp_sim_icmp what, uint16_t mtu,
                                           const wzp_addr *remote, wzp_time now),
                             void *ctx);

/* --- programs --------------------------------------------------------------------------------- */

/* Runs a packet core on a socket of its own at `port` (0: any): feeds it, wakes it in time, sends
 * for it, all on the host's own clock.  `after` (may be NULL) is called when the core has been
 * served, to drain its events; what the core then has to send leaves at once.  The core is borrowed
 * and must outlive the seat.  NULL: the port is taken, or no memory. */
typedef struct wzp_sim_seat wzp_sim_seat;
wzp_sim_seat *wzp_sim_host_seat(wzp_sim_host *host, uint16_t port, wzp_core core,
                                void (*after)(void *ctx, wzp_time now), void *ctx);
/* The core has another socket, at `port`: what comes there it gets too, and what it says it sends
 * from that port leaves from there.  Once per seat.  False: the port is taken, or no memory. */
bool wzp_sim_seat_also(wzp_sim_seat *seat, uint16_t port);
void wzp_sim_seat_wake(wzp_sim_seat *seat); /* after a command from outside: serve it now */
wzp_time wzp_sim_seat_now(const wzp_sim_seat *seat); /* the host's own clock */
uint16_t wzp_sim_seat_port(const wzp_sim_seat *seat);
void wzp_sim_seat_free(wzp_sim_seat **seat);

/* One more socket for the same core, at any port: what comes in has its port in the local address
 * of its path, and what the core gives with that port leaves by it.  0: no memory, or
 * WZP_SIM_SEAT_SOCKETS_MAX are open. */
#define WZP_SIM_SEAT_SOCKETS_MAX 512
uint16_t wzp_sim_seat_open(wzp_sim_seat *seat);
/* Closes those of them that `keeps` does not keep.  What is still sent by one is lost. */
void wzp_sim_seat_shut(wzp_sim_seat *seat, bool (*keeps)(void *ctx, uint16_t port), void *ctx);

/* The ends of the last packet that came in; family NONE before the first. */
wzp_quic_path wzp_sim_seat_path(const wzp_sim_seat *seat);

void wzp_sim_host_count(const wzp_sim_host *host, wzp_sim_counts *out);

#endif
