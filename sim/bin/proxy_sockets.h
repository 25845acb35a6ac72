/* The real sockets of a proxy, and its clock: one socket towards the clients, one for each mapping
 * towards upstream.  A driver of sim/proxy on libuv. */
#ifndef WZP_SIM_BIN_PROXY_SOCKETS_H
#define WZP_SIM_BIN_PROXY_SOCKETS_H

#include <uv.h>

#include "io/udp.h"
#include "sim/proxy/proxy.h"

/* A real socket. */
typedef struct wzp_proxy_port {
    struct wzp_proxy_sockets *owner;
    wzp_udp *udp;
    uv_poll_t poll;
    uint32_t mapping; /* WZP_SIM_PEERS_NONE: towards the clients */
    bool dirty;       /* has something to send */
    bool waits;       /* until it is writable */
} wzp_proxy_port;

/* The caller sets the first part; the object must stay where it is. */
typedef struct wzp_proxy_sockets {
    wzp_sim_proxy *proxy; /* borrowed */
    wzp_addr upstream;
    void (*told)(void *ctx, const wzp_sim_proxy_output *event); /* EVENT */
    void *ctx;

    uv_loop_t loop;
    uv_poll_t timer;
    int timer_fd;
    wzp_time armed;
    wzp_proxy_port *clients;
    wzp_proxy_port *mappings[WZP_SIM_PEERS_MAX];
    wzp_proxy_port *dirty[WZP_SIM_PEERS_MAX + 1];
    size_t dirty_count;
    uint64_t unsent; /* the socket was full or could not be had */
    bool failed;     /* the network cannot go on */
} wzp_proxy_sockets;

/* Listens; the loop is there to add handles to.  WZP_ERR_IO: errno says why.  NOMEM. */
WZP_MUST_USE wzp_err wzp_proxy_sockets_open(wzp_proxy_sockets *sockets, const wzp_addr *listen);
wzp_addr wzp_proxy_sockets_local(const wzp_proxy_sockets *sockets);

/* Until somebody calls uv_stop on the loop, or `failed`. */
void wzp_proxy_sockets_run(wzp_proxy_sockets *sockets);

/* Closes all, handles that were added to the loop too. */
void wzp_proxy_sockets_close(wzp_proxy_sockets *sockets);

#endif
