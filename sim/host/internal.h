/* Shared by host.c and seat.c; nobody else includes it. */
#ifndef WZP_SIM_HOST_INTERNAL_H
#define WZP_SIM_HOST_INTERNAL_H

#include "sim/host/host.h"

#define ADDRESSES_MAX 16
#define SOCKET_BUCKETS 64

typedef struct interface {
    wzp_sim_pipe *pipe; /* NULL: not attached */
    bool down;
    size_t address_count;
    wzp_addr addresses[ADDRESSES_MAX]; /* their ports are 0 */
} interface;

struct wzp_sim_socket {
    wzp_sim_host *host;
    wzp_sim_socket *next; /* in its bucket */
    uint16_t port;
    wzp_sim_receive *receive;
    void *ctx;
    void (*error)(void *ctx, wzp_sim_icmp what, uint16_t mtu, const wzp_addr *remote, wzp_time now);
    void *error_ctx;
};

struct wzp_sim_host {
    wzp_sim_node node; /* first: the network knows the host by it */
    wzp_sim_host_cfg cfg;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    interface *interfaces;
    size_t interface_count;
    wzp_sim_socket *sockets[SOCKET_BUCKETS];
    uint16_t next_port;
    unsigned inside; /* programs of this host that are running: no other one is entered */

    /* Packets that have arrived and wait for their program; a task is under way for each. */
    wzp_sim_packet *waiting, **waiting_tail;

    wzp_sim_seat *seats; /* those whose tasks still wait included */
    wzp_sim_counts counts;
};

void wzp_sim_seats_free(wzp_sim_host *host);

#endif
