#include "sim/proxy/peers.h"

#include <assert.h>

/* FNV-1a; who sends from many addresses that collide makes only this laboratory slower. */
static uint32_t bucket_of(const wzp_addr *addr) {
    uint32_t hash = UINT32_C(2166136261);
    hash = (hash ^ addr->port) * UINT32_C(16777619);
    for (size_t i = 0; i < sizeof addr->ip; i++) {
        hash = (hash ^ addr->ip[i]) * UINT32_C(16777619);
    }
    return (hash ^ hash >> 16) % WZP_SIM_PEERS_MAX;
}

void wzp_sim_peers_init(wzp_sim_peers *peers) {
    *peers = (wzp_sim_peers){.free = 0};
    for (uint32_t i = 0; i < WZP_SIM_PEERS_MAX; i++) {
        peers->buckets[i] = WZP_SIM_PEERS_NONE;
        peers->all[i].next = i + 1 < WZP_SIM_PEERS_MAX ? i + 1 : WZP_SIM_PEERS_NONE;
    }
}

uint32_t wzp_sim_peers_find(const wzp_sim_peers *peers, const wzp_addr *addr) {
    uint32_t at = peers->buckets[bucket_of(addr)];
    while (at != WZP_SIM_PEERS_NONE && !wzp_addr_equal(&peers->all[at].addr, addr)) {
        at = peers->all[at].next;
    }
    return at;
}

uint32_t wzp_sim_peers_add(wzp_sim_peers *peers, const wzp_addr *addr, wzp_time now) {
    const uint32_t index = peers->free;
    assert(addr->family != WZP_ADDR_NONE);
    if (index == WZP_SIM_PEERS_NONE) {
        return index;
    }
    uint32_t *bucket = &peers->buckets[bucket_of(addr)];
    peers->free = peers->all[index].next;
    peers->all[index] = (wzp_sim_peer){.addr = *addr, .used = now, .next = *bucket};
    *bucket = index;
    peers->count++;
    return index;
}

void wzp_sim_peers_remove(wzp_sim_peers *peers, uint32_t index) {
    wzp_sim_peer *peer = &peers->all[index];
    assert(wzp_sim_peers_has(peers, index));
    uint32_t *at = &peers->buckets[bucket_of(&peer->addr)];
    while (*at != index) {
        at = &peers->all[*at].next;
    }
    *at = peer->next;
    *peer = (wzp_sim_peer){.next = peers->free};
    peers->free = index;
    peers->count--;
}
