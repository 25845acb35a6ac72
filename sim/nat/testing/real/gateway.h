/* A gateway on real sockets: what natpmpc and upnpc talk to. */
#ifndef WZP_SIM_NAT_TESTING_REAL_GATEWAY_H
#define WZP_SIM_NAT_TESTING_REAL_GATEWAY_H

#include "sim/gateway/gateway.h"
#include "sim/nat/testing/real/real.h"

#define REAL_CONNECTIONS 8

/* One HTTP connection: as much of a request as has come. */
typedef struct real_connection {
    int fd; /* -1: free */
    wzp_addr from, to;
    size_t len;
    uint8_t buf[WZP_SIM_UPNP_HTTP_MAX];
} real_connection;

typedef struct real_gateway {
    wzp_sim_gateway *core;
    wzp_addr inside, tv;
    int mapping, search, tv_search; /* UDP; -1: none */
    int http, tv_http;              /* listeners */
    real_connection connections[REAL_CONNECTIONS];
} real_gateway;

/* `words`: pmp, pcp, upnp, tv=IP, v2, chunked, relative, permanent, refuse, strict, reports=IP;
 * they end with NULL.  `inside` is an address of namespace `ns`. */
void real_gateway_open(real_gateway *g, const char *ns, const wzp_addr *inside, wzp_sim_nat *nat,
                       char **words);

#define REAL_GATEWAY_FDS (5 + REAL_CONNECTIONS)
void real_gateway_fds(const real_gateway *g, struct pollfd fds[REAL_GATEWAY_FDS]);
wzp_time real_gateway_deadline(const real_gateway *g);
void real_gateway_serve(real_gateway *g); /* after each poll */

#endif
