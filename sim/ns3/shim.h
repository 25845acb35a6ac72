/* The seam between the simulator (C, in the program) and ns-3 (C++, in libwzp-ns3.so).
 *
 *     program                                  libwzp-ns3.so
 *     nodes, boxes, hosts, packets, models     clock, devices, queue discs, radio, TCP
 *     fabric.c  -- wzp_ns3_ops ------------->  world
 *               <- wzp_ns3_owner ------------
 *
 * The shared object never looks into a packet and never allocates or frees one: it carries a
 * handle with a length, and hands it back exactly once, by `arrive`, `drop` or `release`.  So the
 * pool, its layout and its checks are of one side only, and the shared object needs no code of the
 * simulator.  Both tables are plain C; whatever ns-3 would abort on was refused before (plan.h).
 * One world per process at a time, one thread. */
#ifndef WZP_SIM_NS3_SHIM_H
#define WZP_SIM_NS3_SHIM_H

#include "sim/engine/engine.h"
#include "sim/net/link.h"

/* Changes with every change of this header: the program refuses another one. */
#define WZP_NS3_ABI UINT32_C(1)

typedef struct wzp_ns3_world wzp_ns3_world;

/* As much of a packet as ns-3 gets to see. */
typedef struct wzp_ns3_parcel {
    void *packet;   /* the owner's handle, never NULL */
    uint64_t flow;  /* the same for all packets of one 5-tuple: flow queueing goes by it */
    uint32_t bytes; /* of the IP packet */
    uint8_t tos;
} wzp_ns3_parcel;

/* The side that owns the packets.  Handles are given back here; calls come from within run, send,
 * set and close. */
typedef struct wzp_ns3_owner {
    void *ctx;
    /* `tos` may have gained a congestion mark. */
    void (*arrive)(void *ctx, size_t link, unsigned direction, void *packet, uint8_t tos,
                   wzp_time now);
    void (*drop)(void *ctx, size_t link, unsigned direction, void *packet, wzp_sim_drop why,
                 wzp_time now);
    /* The world ended while the packet was under way. */
    void (*release)(void *ctx, void *packet);
    /* The IP packet, for captures; 0: it does not fit `cap`.  `packet` is borrowed. */
    size_t (*bytes)(void *ctx, const void *packet, uint8_t *out, size_t cap);
} wzp_ns3_owner;

typedef struct wzp_ns3_ops {
    uint32_t abi;
    const char *version; /* of ns-3; static text */

    /* NULL: there is a world already.  Both arguments are copied. */
    wzp_ns3_world *(*open)(const wzp_sim_engine_cfg *cfg, const wzp_ns3_owner *owner);
    void (*close)(wzp_ns3_world *world);

    /* `self` of the clock is the world. */
    const wzp_sim_clock_ops *clock;
    wzp_sim_stop (*run)(wzp_ns3_world *world, wzp_time until);
    void (*stop)(wzp_ns3_world *world);
    uint64_t (*events)(const wzp_ns3_world *world);
    bool (*started)(const wzp_ns3_world *world); /* run was called */

    size_t (*node)(wzp_ns3_world *world);
    /* Links are numbered from 0.  `name` is copied; the descriptions hold nothing but what ns-3
     * runs itself.  What they borrow must live as long as the world. */
    size_t (*link)(wzp_ns3_world *world, const char *name, size_t a, size_t b,
                   const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba);
    void (*set)(wzp_ns3_world *world, size_t link, unsigned direction, const wzp_sim_link_cfg *cfg);
    /* Whether the loss model takes this packet. */
    bool (*lost)(wzp_ns3_world *world, size_t link, unsigned direction, uint32_t bytes);
    /* The handle is taken. */
    void (*send)(wzp_ns3_world *world, size_t link, unsigned direction,
                 const wzp_ns3_parcel *parcel);
    /* ns-3's own capture of a device at end 0 (a) or 1 (b).  False: the file cannot be written. */
    bool (*pcap)(wzp_ns3_world *world, size_t link, unsigned end, const char *path);
} wzp_ns3_ops;

/* The one symbol that the shared object exports.  NULL: another ABI than `abi`. */
typedef const wzp_ns3_ops *wzp_ns3_engine_fn(uint32_t abi);

#ifdef __cplusplus
extern "C"
#endif
    __attribute__((visibility("default"))) const wzp_ns3_ops *
    wzp_ns3_engine(uint32_t abi);

#endif
