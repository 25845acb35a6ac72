/* Where cores live: real UDP sockets and the clock, or an in-memory network in virtual time.  The
 * cases cannot tell the difference. */
#ifndef WZP_CONFORMANCE_ENGINE_WORLD_H
#define WZP_CONFORMANCE_ENGINE_WORLD_H

#include "conformance/engine/web.h"
#include "quic/core.h"
#include "sim/net/link.h"

typedef struct wzp_ct_world wzp_ct_world;

typedef struct wzp_ct_world_ops {
    wzp_time (*now)(const wzp_ct_world *world);
    /* Gives `core` `count` addresses to send from; false: no socket, no memory.  Where `locals` are
     * not NONE they say which IPs, and where these have a port, which; a world that has IPs of its
     * own takes those. */
    bool (*add)(wzp_ct_world *world, wzp_core core, const wzp_addr *target, wzp_addr *locals,
                size_t count);
    /* The web of a core that was added, at the IPs of `places`, which get their ports.  False: this
     * machine has none. */
    bool (*host)(wzp_ct_world *world, wzp_ct_web web, wzp_addr *places);
    void (*remove)(wzp_ct_world *world, void *core_self); /* and its web */
    /* Lets time pass until something happened or `until` is reached. */
    void (*step)(wzp_ct_world *world, wzp_time until);
    void (*free)(wzp_ct_world *world);
} wzp_ct_world_ops;

struct wzp_ct_world {
    const wzp_ct_world_ops *ops;
};

/* A tester's access link; what it borrows must outlive the world. */
typedef struct wzp_ct_net {
    wzp_sim_link_cfg up, down;
} wzp_ct_net;

/* Virtual: `net` NULL is 1 ms each way and no loss.  NULL when out of memory. */
wzp_ct_world *wzp_ct_world_virtual(uint64_t seed, const wzp_ct_net *net);

/* Virtual only: a relay, with an address of its own, or again at *addr if a relay that was removed
 * had that.  `after` (may be NULL) is called when it was served, to drain its events.  It lives as
 * long as the world or longer, or until it is removed. */
bool wzp_ct_world_serve(wzp_ct_world *world, wzp_core core, void (*after)(void *ctx, wzp_time now),
                        void *ctx, wzp_addr *addr);

/* Virtual only: a client of the world's webs, which waits for no packet: its search is heard by all
 * of them, their next answer until `until` is given out, the answer to a question returned (0:
 * there is none).  From a thread of its own, while nothing else uses the world. */
void wzp_ct_world_search(wzp_ct_world *world, const wzp_addr *from, wzp_bytes datagram);
bool wzp_ct_world_found(wzp_ct_world *world, wzp_time until, wzp_ct_web_answer *out);
size_t wzp_ct_world_ask(wzp_ct_world *world, const wzp_addr *to, wzp_bytes question, uint8_t *out,
                        size_t cap);

/* Real: one socket per address. */
wzp_ct_world *wzp_ct_world_real(void);

#endif
