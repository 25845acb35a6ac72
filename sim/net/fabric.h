/* A fabric joins nodes with links, runs them and looks at what passes: the native engine with
 * native links, or ns-3.  Everything above (routers, NAT boxes, hosts, the lab) is the same code on
 * both. */
#ifndef WZP_SIM_NET_FABRIC_H
#define WZP_SIM_NET_FABRIC_H

#include "sim/engine/engine.h"
#include "sim/net/link.h"

/* One end of a link. */
typedef struct wzp_sim_end {
    wzp_sim_node *node;
    unsigned port;
    wzp_addr address; /* of the node there; family NONE: it has none (source of ICMP errors) */
} wzp_sim_end;

/* Sees a packet at an interface, "node:port" (valid as long as the fabric): as it leaves the node,
 * before the link decides on it, and as it arrives at the far node, before that has it.  What a
 * link loses is seen once.  `packet` is borrowed; the tap must not send. */
typedef enum wzp_sim_way { WZP_SIM_WAY_OUT, WZP_SIM_WAY_IN } wzp_sim_way;
typedef void wzp_sim_tap(void *ctx, const char *interface, wzp_sim_way way,
                         const wzp_sim_packet *packet, wzp_time now);

/* Sees what a link drops: the link's way by its name, "NAME a->b". */
typedef void wzp_sim_drop_tap(void *ctx, const char *link, const wzp_sim_packet *packet,
                              wzp_sim_drop why, wzp_time now);

typedef struct wzp_sim_fabric wzp_sim_fabric;

typedef struct wzp_sim_fabric_ops {
    wzp_sim_clock (*clock)(wzp_sim_fabric *fabric);
    wzp_sim_pool *(*pool)(wzp_sim_fabric *fabric);
    /* Both directions: `ab` from a to b.  pipe[0] is a's way out, pipe[1] b's.  *index names the
     * link below, and direction 0 there is `ab`.  `name` is copied; the ways are called
     * "name a->b" and "name b->a", and their random streams depend on that.  INVALID_ARGUMENT: a
     * bad description, or the fabric has no such model; `fail` says which.  NOMEM. */
    wzp_err (*link)(wzp_sim_fabric *fabric, const char *name, const wzp_sim_end *a,
                    const wzp_sim_end *b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba,
                    wzp_sim_pipe *pipe[2], size_t *index, wzp_fail *fail);
    void (*set)(wzp_sim_fabric *fabric, size_t index, unsigned direction,
                const wzp_sim_link_cfg *cfg);
    void (*cut)(wzp_sim_fabric *fabric, size_t index, unsigned direction, bool down, bool hold);
    void (*count)(const wzp_sim_fabric *fabric, size_t index, unsigned direction,
                  wzp_sim_counts *out);
    /* Called for every packet that enters or leaves a link; NULL: nobody looks. */
    void (*tap)(wzp_sim_fabric *fabric, wzp_sim_tap *tap, void *ctx);
    /* Called for every packet that a link drops, cross traffic included.  May be absent: then the
     * counts are all that is known. */
    void (*watch)(wzp_sim_fabric *fabric, wzp_sim_drop_tap *tap, void *ctx);
    wzp_sim_stop (*run)(wzp_sim_fabric *fabric, wzp_time until);
    void (*stop)(wzp_sim_fabric *fabric);
    uint64_t (*events)(const wzp_sim_fabric *fabric);
    /* When the next task is due, WZP_TIME_NEVER if none waits (real-time drivers).  NULL: the
     * engine cannot say, and does not run in real time. */
    wzp_time (*deadline)(const wzp_sim_fabric *fabric);
    /* Packets that nodes keep must have been freed before; those in links are freed here. */
    void (*free)(wzp_sim_fabric *fabric);
} wzp_sim_fabric_ops;

struct wzp_sim_fabric {
    const wzp_sim_fabric_ops *ops;
    const char *engine; /* "native", "ns3" */
};

/* What engines call the ends and ways of their links: "node:port", and "link a->b".  The caller
 * frees it; NULL when out of memory. */
char *wzp_sim_interface_name(const wzp_sim_end *end);
char *wzp_sim_way_name(const char *link, const wzp_sim_end *from, const wzp_sim_end *to);

/* The native fabric; the clock's start and limits are those of `cfg`.  WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_fabric_native(wzp_sim_fabric **out, const wzp_sim_engine_cfg *cfg);

#endif
