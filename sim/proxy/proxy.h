/* A scenario's links and boxes in front of programs that are not ours.
 *
 *     real client --+                                                    +-- real socket -->
 * upstream real client --+-- host -- boxes -- access -- core -- upstream host +-- real socket -->
 * upstream one socket for each client        one for each external address and port
 *
 * What a client sends enters the network at a host of the scenario, from a socket of its own there,
 * and goes to the host that stands for the upstream program.  Every address and port that it then
 * seems to come from is a mapping, and has a real socket towards upstream: when a box gives a
 * client another port, upstream sees one too.  Answers go the same way back and through the boxes'
 * filters.
 *
 * Sans-IO: datagrams and the real clock are handed in, what must be sent is drained.  Virtual time
 * is the real clock.  Bounded: WZP_SIM_PEERS_MAX clients and as many mappings, each forgotten when
 * idle. Not thread-safe.  nat sheet 2.1 (front end b). */
#ifndef WZP_SIM_PROXY_PROXY_H
#define WZP_SIM_PROXY_PROXY_H

#include "sim/lab/topology.h"
#include "sim/proxy/peers.h"

typedef struct wzp_sim_proxy wzp_sim_proxy;

#define WZP_SIM_PROXY_IDLE (120 * WZP_S)

typedef struct wzp_sim_proxy_cfg {
    const wzp_lab_scenario *scenario; /* borrowed for its life */
    uint32_t host;                    /* where the clients are */
    wzp_time start;   /* the scenario's beginning on the real clock, as all later times; not 0 */
    wzp_sim_tap *tap; /* NULL: none */
    void *ctx;        /* of `tap` */
} wzp_sim_proxy_cfg;

/* On failure `why` is one line.  INVALID_ARGUMENT: the network cannot be built; NOMEM */
WZP_MUST_USE wzp_err wzp_sim_proxy_new(wzp_sim_proxy **out, const wzp_sim_proxy_cfg *cfg,
                                       char why[256]);
void wzp_sim_proxy_free(wzp_sim_proxy **proxy); /* accepts NULL, leaves NULL */

/* --- what comes in ---------------------------------------------------------------------------- */

/* From a real client; one that is new is taken in if there is room. */
void wzp_sim_proxy_client(wzp_sim_proxy *proxy, const wzp_addr *client, uint8_t ecn,
                          wzp_bytes payload, wzp_time now);

/* Who sends to a mapping.  The boxes decide whether a stranger gets through. */
typedef enum wzp_sim_proxy_from {
    WZP_SIM_PROXY_UPSTREAM,
    WZP_SIM_PROXY_OTHER_PORT, /* of upstream's address */
    WZP_SIM_PROXY_STRANGER    /* another address */
} wzp_sim_proxy_from;

void wzp_sim_proxy_upstream(wzp_sim_proxy *proxy, uint32_t mapping, wzp_sim_proxy_from from,
                            uint8_t ecn, wzp_bytes payload, wzp_time now);

/* When to call tick; WZP_TIME_NEVER: not before something comes in. */
wzp_time wzp_sim_proxy_deadline(const wzp_sim_proxy *proxy);

/* Lets the network run up to `now`.  NOMEM: it cannot go on. */
WZP_MUST_USE wzp_err wzp_sim_proxy_tick(wzp_sim_proxy *proxy, wzp_time now);

/* --- what comes out --------------------------------------------------------------------------- */

typedef enum wzp_sim_proxy_kind {
    WZP_SIM_PROXY_TO_CLIENT,
    WZP_SIM_PROXY_TO_UPSTREAM, /* from the socket of `mapping`, which is opened when it has none */
    WZP_SIM_PROXY_GONE,        /* `mapping` is over: its number may come again as another one's */
    WZP_SIM_PROXY_EVENT        /* of the scenario */
} wzp_sim_proxy_kind;

typedef struct wzp_sim_proxy_output {
    wzp_sim_proxy_kind kind;
    uint32_t mapping;
    wzp_addr addr; /* TO_CLIENT: the client; TO_UPSTREAM, GONE: the mapping's in the network */
    uint8_t ecn;
    wzp_bytes payload; /* borrowed until something comes in again or tick */
    wzp_time at;
    const wzp_lab_event *event;
    const char *what; /* EVENT: "rebind-port", "restored", ... */
} wzp_sim_proxy_output;

/* Drain after every call above. */
bool wzp_sim_proxy_next(wzp_sim_proxy *proxy, wzp_sim_proxy_output *out);

/* --- for reports ------------------------------------------------------------------------------ */

typedef struct wzp_sim_proxy_counts {
    uint64_t from_clients, to_clients, from_upstream, to_upstream; /* datagrams */
    uint64_t strangers;         /* of from_upstream: not from upstream itself */
    uint64_t clients, mappings; /* ever */
    size_t live_clients, live_mappings;
    uint64_t refused;  /* datagrams of clients or mappings that there was no room for */
    uint64_t unheard;  /* while the scenario has the relay down */
    uint64_t overflow; /* nobody drained */
} wzp_sim_proxy_counts;

void wzp_sim_proxy_count(const wzp_sim_proxy *proxy, wzp_sim_proxy_counts *out);
const wzp_lab_topology *wzp_sim_proxy_topology(const wzp_sim_proxy *proxy);

#endif
