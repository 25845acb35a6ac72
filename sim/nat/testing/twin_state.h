/* The inside of the slow twin, shared by the files that make it up. */
#ifndef WZP_SIM_NAT_TESTING_TWIN_STATE_H
#define WZP_SIM_NAT_TESTING_TWIN_STATE_H

#include "sim/nat/testing/twin.h"

enum { MOST = 512, PERMS = 2048, HOSTS = 16, BLOCKS = 64 };

typedef struct flow {
    uint8_t proto;
    wzp_addr internal, external;
    wzp_sim_nat_scope scope; /* how much of `remote` counts */
    wzp_addr remote;         /* of the packet that made it */
    wzp_time refreshed;
    bool replied, ordinary, local, moved;
    unsigned number;
} flow;

typedef struct lease {
    wzp_sim_nat_explicit m;
    unsigned number; /* of flows and leases, in order of creation */
} lease;

typedef struct perm {
    unsigned of; /* number of a flow or lease */
    wzp_addr remote;
    wzp_time last;
} perm;

typedef struct held {
    uint8_t proto;
    wzp_addr external;
    wzp_time until;
} held;

typedef struct host {
    wzp_addr ip;
    wzp_addr external; /* family NONE: not known yet */
    uint16_t last_port, last_step;
    bool degraded;
} host;

typedef struct block {
    wzp_addr ip, external; /* of the host, of the pool */
    uint32_t low;
} block;

typedef struct range {
    uint32_t low, high;
} range;

struct wzp_sim_nat_twin {
    wzp_sim_nat_cfg cfg;
    wzp_addr pool[WZP_SIM_NAT_POOL_MAX];
    size_t pool_count;
    flow flows[MOST];
    size_t flow_count;
    perm perms[PERMS];
    size_t perm_count;
    held holds[MOST * 8];
    size_t hold_count;
    lease leases[MOST];
    size_t lease_count;
    host hosts[HOSTS];
    size_t host_count;
    block blocks[BLOCKS]; /* oldest first */
    size_t block_count;
    uint16_t last_step;
    unsigned created, round;
    uint64_t tokens; /* x 10^9 */
    wzp_time tokens_at, now;
    bool renumbering;
};

static inline bool eq(wzp_addr a, wzp_addr b) {
    return wzp_addr_equal(&a, &b);
}

static inline bool same_ip(wzp_addr a, wzp_addr b) {
    return wzp_addr_same_ip(&a, &b);
}

/* Alike as far as the scope looks. */
static inline bool alike(wzp_addr a, wzp_addr b, wzp_sim_nat_scope scope) {
    return scope == WZP_SIM_NAT_ANY || (scope == WZP_SIM_NAT_ADDR ? same_ip(a, b) : eq(a, b));
}

/* twin.c */
bool twin_is_ours(const wzp_sim_nat_twin *t, wzp_addr ip);
size_t twin_mappings_of(const wzp_sim_nat_twin *t, const wzp_addr *ip);
host *twin_host_of(wzp_sim_nat_twin *t, wzp_addr ip);
size_t twin_users_of(const wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external);
bool twin_is_held(const wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external);
lease *twin_lease_at(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external);
lease *twin_lease_of(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal);
void twin_after_release(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr external, uint64_t hold);
void twin_drop_perms(wzp_sim_nat_twin *t, unsigned of);
void twin_end_flow(wzp_sim_nat_twin *t, size_t i, uint64_t hold);
void twin_end_lease(wzp_sim_nat_twin *t, size_t i);
uint64_t twin_timeout_of(const wzp_sim_nat_twin *t, const flow *f);
void twin_pass_time(wzp_sim_nat_twin *t, wzp_time now);

/* twin_ports.c */
range twin_usual_range(const wzp_sim_nat_twin *t, wzp_addr internal);
range twin_block_range(const wzp_sim_nat_twin *t, uint32_t low);
bool twin_block_owned(const wzp_sim_nat_twin *t, wzp_addr external, uint32_t low);
bool twin_may_create(wzp_sim_nat_twin *t, wzp_addr internal);
bool twin_given_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote,
                   wzp_addr external);
bool twin_none_ok(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote);
wzp_sim_nat_scope twin_scope_now(wzp_sim_nat_twin *t, wzp_addr internal);

/* twin_packets.c */
flow *twin_find_out(wzp_sim_nat_twin *t, uint8_t proto, wzp_addr internal, wzp_addr remote);
bool twin_keeps_perms(const wzp_sim_nat_twin *t);
bool twin_may_answer(wzp_sim_nat_twin *t, const flow *f, wzp_addr remote);
perm *twin_perm_of(wzp_sim_nat_twin *t, const flow *f, wzp_addr remote);
bool twin_add_perm(wzp_sim_nat_twin *t, perm new_perm, perm *old);
perm *twin_user_of(wzp_sim_nat_twin *t, const lease *e, wzp_addr remote);
bool twin_is_for(const lease *e, wzp_addr remote);

#endif
