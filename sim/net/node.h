/* What a network is made of: nodes that packets arrive at, and pipes that carry them away.
 *
 *     node --pipe--> node --pipe--> node
 *          <--pipe--      <--pipe--
 *
 * A node has numbered ports; each port has one outgoing pipe.  A pipe knows the node and port at
 * its far end.  So topologies are wired, not coded: a host, a router, a NAT box and a capture all
 * look alike to their neighbours, and native links and ns-3 channels look alike to all of them. */
#ifndef WZP_SIM_NET_NODE_H
#define WZP_SIM_NET_NODE_H

#include "sim/engine/clock.h"
#include "sim/net/packet.h"

typedef struct wzp_sim_node wzp_sim_node;
typedef struct wzp_sim_pipe wzp_sim_pipe;

/* `packet` is taken. */
typedef void wzp_sim_deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet,
                             wzp_time now);
typedef void wzp_sim_carry(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now);

struct wzp_sim_node {
    wzp_sim_deliver *deliver;
    const char *name; /* unique in its network; outlives the node */
};

struct wzp_sim_pipe {
    wzp_sim_carry *carry;
    const char *name; /* "x->nat1"; unique in its network */
};

static inline void wzp_sim_node_deliver(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet,
                                        wzp_time now) {
    node->deliver(node, port, packet, now);
}

static inline void wzp_sim_pipe_carry(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    pipe->carry(pipe, packet, now);
}

/* Why an element dropped a packet: one list for all, so that a report can add them up. */
#define WZP_SIM_DROP_MAP(X)                                                                        \
    X(LOSS, "loss")   /* the link's loss model */                                                  \
    X(QUEUE, "queue") /* full, or the queue discipline's decision */                               \
    X(OUTAGE, "outage")                                                                            \
    X(MTU, "mtu")                                                                                  \
    X(CHECKSUM, "checksum") /* corrupted in flight, the receiver noticed */                        \
    X(NO_ROUTE, "no-route")                                                                        \
    X(TTL, "ttl")                                                                                  \
    X(NO_MAPPING, "no-mapping") /* NAT, nat sheet 2.3 */                                           \
    X(FILTER, "filter")                                                                            \
    X(QUOTA, "quota") /* mappings, ports or their rate */                                          \
    X(HAIRPIN, "hairpin")                                                                          \
    X(POLICY, "policy") /* firewalls and policers, nat sheet 2.6 */                                \
    X(NO_SOCKET, "no-socket")                                                                      \
    X(NODE_DOWN, "node-down")                                                                      \
    X(NOMEM, "no-memory")

typedef enum wzp_sim_drop {
#define X(id, text) WZP_SIM_DROP_##id,
    WZP_SIM_DROP_MAP(X)
#undef X
        WZP_SIM_DROP_COUNT
} wzp_sim_drop;

const char *wzp_sim_drop_name(wzp_sim_drop drop); /* static text */

/* Every element keeps these. */
typedef struct wzp_sim_counts {
    uint64_t in, out, bytes_in, bytes_out;
    uint64_t dropped[WZP_SIM_DROP_COUNT];
    uint64_t duplicated; /* copies made here: in + duplicated = out + dropped + inside */
    uint64_t marked;     /* "congestion experienced" instead of a drop */
} wzp_sim_counts;

#endif
