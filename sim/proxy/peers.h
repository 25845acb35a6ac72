/* A bounded table of addresses.  Each has a number that stays its own as long as it is there, and
 * the time at which it was last heard of. */
#ifndef WZP_SIM_PROXY_PEERS_H
#define WZP_SIM_PROXY_PEERS_H

#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

#define WZP_SIM_PEERS_MAX 1024
#define WZP_SIM_PEERS_NONE UINT32_MAX

typedef struct wzp_sim_peer {
    wzp_addr addr; /* family NONE: this number is free */
    wzp_time used;
    uint32_t next; /* of its bucket, or of the free ones */
} wzp_sim_peer;

typedef struct wzp_sim_peers {
    wzp_sim_peer all[WZP_SIM_PEERS_MAX];
    uint32_t buckets[WZP_SIM_PEERS_MAX];
    uint32_t free;
    size_t count;
} wzp_sim_peers;

void wzp_sim_peers_init(wzp_sim_peers *peers);

/* Its number, or WZP_SIM_PEERS_NONE. */
uint32_t wzp_sim_peers_find(const wzp_sim_peers *peers, const wzp_addr *addr);

/* One that is not there yet; WZP_SIM_PEERS_NONE: there is no room. */
uint32_t wzp_sim_peers_add(wzp_sim_peers *peers, const wzp_addr *addr, wzp_time now);
void wzp_sim_peers_remove(wzp_sim_peers *peers, uint32_t index);

static inline bool wzp_sim_peers_has(const wzp_sim_peers *peers, uint32_t index) {
    return index < WZP_SIM_PEERS_MAX && peers->all[index].addr.family != WZP_ADDR_NONE;
}

#endif
