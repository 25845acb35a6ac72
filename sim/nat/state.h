/* The inside of wzp_sim_nat, shared by the files that make it up; nobody else includes this.
 *
 *     nat.c       packets: out, in, hairpin, ICMP
 *     mapping.c   mappings: found, made, moved, removed
 *     ports.c     which external address and port a new mapping gets
 *     filter.c    permissions: who may answer
 *     explicit.c  mappings that gateways were asked for
 *     events.c    time and what happens to a NAT: expiry, flush, reboot, rebind, renumber
 *
 * Two ways to keep state.  A mapping as RFC 4787 sees it serves all remotes in its scope, and
 * permissions say which of them may answer.  With `overload` a mapping is one flow as Linux keeps
 * it: its remote is complete, has timers of its own, and is itself the permission; flows of one
 * inside endpoint then share a port by taking over that of the newest. */
#ifndef WZP_SIM_NAT_STATE_H
#define WZP_SIM_NAT_STATE_H

#include "sim/nat/nat.h"
#include "sim/nat/table.h"
#include "sim/nat/timers.h"

/* Indexes of `mappings` and of `explicits`. */
enum { BY_OUT, BY_IN, BY_ENDPOINT };
enum { BY_EXTERNAL, BY_INTERNAL };
/* Links of `perms`. */
enum { OF_MAPPING, BY_AGE };

enum {
    WZP_SIM_NAT_LIVE = 1,
    WZP_SIM_NAT_REPLIED = 2,
    WZP_SIM_NAT_ORDINARY = 4, /* has served a remote port above 1023 */
    WZP_SIM_NAT_MOVED = 8,    /* by the rebind that is going on */
    WZP_SIM_NAT_LIFTED = 16,  /* has no external endpoint for the moment */
    WZP_SIM_NAT_LOCAL = 32    /* what the box took for its own: `inbound_creates_state` */
};

/* One cache line. */
typedef struct wzp_sim_nat_mapping {
    wzp_addr internal; /* family NONE if it is LOCAL */
    wzp_addr remote;   /* that it was made for; `scope` of it is the key */
    uint16_t port;     /* external */
    uint8_t ext;       /* its address, by number */
    uint8_t proto;
    uint8_t flags, scope;
    wzp_sim_nat_list perms; /* but for `remote`, whose is as old as the mapping if it may be */
    wzp_time refreshed;
} wzp_sim_nat_mapping;

_Static_assert(sizeof(wzp_sim_nat_mapping) == 64, "a mapping is one cache line");

typedef struct wzp_sim_nat_perm {
    uint32_t of; /* mapping, or explicit mapping + WZP_SIM_NAT_OF_EXPLICIT */
    wzp_addr remote;
    wzp_time last; /* outbound packet */
} wzp_sim_nat_perm;

#define WZP_SIM_NAT_OF_EXPLICIT UINT32_C(0x80000000)

/* An inside host.  One without mappings is idle and may be forgotten. */
typedef struct wzp_sim_nat_host {
    wzp_addr ip;
    uint32_t mappings;
    uint16_t last_port, last_step; /* CONTIGUOUS, SEQUENTIAL; 0: none yet */
    uint16_t block_count, block;   /* the newest block + 1; 0: none */
    uint8_t ext;
    bool degraded;
} wzp_sim_nat_host;

typedef struct wzp_sim_nat_block {
    uint32_t host;
    uint16_t next; /* older block of that host + 1; 0: none */
} wzp_sim_nat_block;

typedef struct wzp_sim_nat_held {
    wzp_time until;
    uint16_t port;
    uint8_t ext, proto;
} wzp_sim_nat_held;

/* A port that is held, beside its users. */
#define WZP_SIM_NAT_HELD UINT32_C(0x80000000)

#define WZP_SIM_NAT_PROTOS 3

struct wzp_sim_nat {
    wzp_sim_nat_cfg cfg; /* with defaults filled in */
    wzp_addr externals[WZP_SIM_NAT_POOL_MAX];
    size_t external_count;
    wzp_prng prng, foreign;
    uint64_t salt; /* of pooling */
    wzp_time now;
    wzp_time due; /* nothing expires before */
    wzp_sim_nat_table mappings, perms, hosts, explicits;
    wzp_sim_nat_timers timers; /* of mappings */
    wzp_sim_nat_list perm_queue, idle, explicit_list;
    size_t local_count;
    /* By wzp_sim_nat_proto_index: mappings of each port, or of each ICMP identifier, in pages that
     * are there when a port of theirs was used: most boxes use few. */
    uint32_t **users[WZP_SIM_NAT_PROTOS][WZP_SIM_NAT_POOL_MAX];
    size_t user_pages;
    wzp_sim_nat_block *blocks[WZP_SIM_NAT_POOL_MAX];
    wzp_sim_nat_held *held; /* a ring, earliest first */
    size_t held_cap, held_head, held_count;
    bool moving;        /* ports that are left are held for this moment */
    uint16_t last_step; /* SEQUENTIAL; 0: none yet */
    uint32_t round;     /* arbitrary pooling */
    uint64_t credit;    /* ns of the rate limit's bucket */
    wzp_time credit_at;
    wzp_time next_foreign;
    wzp_sim_nat_counts counts;
    void (*event)(void *ctx, const wzp_sim_nat_event *event);
    void *event_ctx;
};

static inline wzp_sim_nat_mapping *wzp_sim_nat_mapping_at(const wzp_sim_nat *nat, uint32_t m) {
    return wzp_sim_nat_table_at(&nat->mappings, m);
}

static inline wzp_sim_nat_host *wzp_sim_nat_host_at(const wzp_sim_nat *nat, uint32_t h) {
    return wzp_sim_nat_table_at(&nat->hosts, h);
}

static inline void wzp_sim_nat_due_at(wzp_sim_nat *nat, wzp_time at) {
    nat->due = wzp_time_min(nat->due, at);
}

/* UDP, TCP, ICMP: none takes the others' ports (RFC 7857, 2). */
static inline unsigned wzp_sim_nat_proto_index(uint8_t proto) {
    return proto == 6 ? 1 : proto == 1 || proto == 58 ? 2 : 0;
}

/* As much of `remote` as `scope` looks at. */
static inline wzp_addr wzp_sim_nat_masked(const wzp_addr *remote, wzp_sim_nat_scope scope) {
    wzp_addr masked = {0};
    if (scope != WZP_SIM_NAT_ANY) {
        masked = *remote;
        masked.port = scope == WZP_SIM_NAT_ADDR ? 0 : remote->port;
    }
    return masked;
}

static inline bool wzp_sim_nat_alike(const wzp_addr *a, const wzp_addr *b,
                                     wzp_sim_nat_scope scope) {
    return scope == WZP_SIM_NAT_ANY ||
           (wzp_addr_same_ip(a, b) && (scope == WZP_SIM_NAT_ADDR || a->port == b->port));
}

/* --- mapping.c -------------------------------------------------------------------------------- */

/* -1: not one of ours. */
int wzp_sim_nat_external_index(const wzp_sim_nat *nat, const wzp_addr *ip);
wzp_addr wzp_sim_nat_external_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping);

/* The mapping that what comes from `remote` to `external` belongs to; a LOCAL one too. */
uint32_t wzp_sim_nat_lookup_in(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                               const wzp_addr *remote);
uint32_t wzp_sim_nat_lookup_out(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                                const wzp_addr *remote, wzp_sim_nat_scope scope);
/* All of an inside endpoint. */
uint32_t wzp_sim_nat_newest(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal);
uint32_t wzp_sim_nat_older(const wzp_sim_nat *nat, uint32_t m);

static inline bool wzp_sim_nat_is_local(const wzp_sim_nat_mapping *mapping) {
    return (mapping->flags & WZP_SIM_NAT_LOCAL) != 0;
}

/* A new mapping for a packet; 0: quota. */
uint32_t wzp_sim_nat_create(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                            const wzp_addr *remote);
/* The box itself took a packet from `remote`. */
void wzp_sim_nat_create_local(wzp_sim_nat *nat, uint8_t proto, uint8_t ext,
                              const wzp_addr *external, const wzp_addr *remote);
void wzp_sim_nat_remove(wzp_sim_nat *nat, uint32_t m, const char *reason); /* static text */

/* Off its external endpoint, and on another. */
void wzp_sim_nat_lift(wzp_sim_nat *nat, uint32_t m);
void wzp_sim_nat_land(wzp_sim_nat *nat, uint32_t m, uint8_t ext, uint16_t port);

/* 0: for ever. */
uint64_t wzp_sim_nat_timeout_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping);
/* The first moment at which it is gone, as things are. */
wzp_time wzp_sim_nat_expiry_of(const wzp_sim_nat *nat, const wzp_sim_nat_mapping *mapping);
/* Sets its timer; needed when the expiry may have come nearer, not after a refresh. */
void wzp_sim_nat_set_timer(wzp_sim_nat *nat, uint32_t m);
/* Marks it; sets the timer if that was news. */
void wzp_sim_nat_mark(wzp_sim_nat *nat, uint32_t m, uint8_t flag);
void wzp_sim_nat_tell(wzp_sim_nat *nat, wzp_sim_nat_event_kind kind,
                      const wzp_sim_nat_mapping *mapping, const char *reason);

/* How much of the remote a mapping of this host depends on; h 0: of one that did not degrade. */
wzp_sim_nat_scope wzp_sim_nat_scope_of(const wzp_sim_nat *nat, uint32_t h);

/* --- ports.c ---------------------------------------------------------------------------------- */

typedef struct wzp_sim_nat_want {
    uint8_t proto;
    wzp_addr internal, remote;
    uint32_t host;
} wzp_sim_nat_want;

/* False: no port is left. */
bool wzp_sim_nat_allocate(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t *ext,
                          uint16_t *port);
/* A random port on `ext` that nobody uses, where the host may have one; 0: none. */
uint16_t wzp_sim_nat_random_port(wzp_sim_nat *nat, const wzp_sim_nat_want *want, uint8_t ext);
/* `ip` alone counts; 0: too many hosts. */
uint32_t wzp_sim_nat_host_get(wzp_sim_nat *nat, const wzp_addr *ip);
void wzp_sim_nat_hosts_forget(wzp_sim_nat *nat);   /* those without mappings */
void wzp_sim_nat_hosts_reassign(wzp_sim_nat *nat); /* to a new pool; their blocks are gone */
uint32_t wzp_sim_nat_host_find(const wzp_sim_nat *nat, const wzp_addr *ip);
void wzp_sim_nat_host_used(wzp_sim_nat *nat, uint32_t h);     /* one mapping more */
void wzp_sim_nat_host_released(wzp_sim_nat *nat, uint32_t h); /* one less */
/* The address of the pool for this inside host (paired pooling). */
uint8_t wzp_sim_nat_pooled(const wzp_sim_nat *nat, const wzp_addr *ip);
void wzp_sim_nat_port_used(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port);
/* Starts the hold-down when nobody uses it any more. */
void wzp_sim_nat_port_released(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port);
uint32_t wzp_sim_nat_port_users(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port);
/* Neither used nor held. */
bool wzp_sim_nat_port_idle(const wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port);
/* Memory to count the users of a port; false: there is none. */
bool wzp_sim_nat_port_room(wzp_sim_nat *nat, uint8_t proto, uint8_t ext, uint16_t port);
void wzp_sim_nat_unhold(wzp_sim_nat *nat); /* whose time is up */
void wzp_sim_nat_unhold_all(wzp_sim_nat *nat);
void wzp_sim_nat_ports_clear(wzp_sim_nat *nat); /* users, held ports and blocks */
size_t wzp_sim_nat_ports_bytes(const wzp_sim_nat *nat);

/* --- filter.c --------------------------------------------------------------------------------- */

/* From now on `remote` may answer.  False: too many permissions. */
bool wzp_sim_nat_permit(wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote);
bool wzp_sim_nat_permitted(const wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote);
/* `list` is that of the mapping or explicit mapping. */
bool wzp_sim_nat_perm_add(wzp_sim_nat *nat, uint32_t of, wzp_sim_nat_list *list,
                          const wzp_addr *remote);
uint32_t wzp_sim_nat_perm_find(const wzp_sim_nat *nat, uint32_t of, const wzp_addr *remote);
void wzp_sim_nat_perms_drop(wzp_sim_nat *nat, wzp_sim_nat_list *list);
void wzp_sim_nat_perms_sweep(wzp_sim_nat *nat);
void wzp_sim_nat_perms_expire(wzp_sim_nat *nat); /* all that have a timer */

/* --- explicit.c ------------------------------------------------------------------------------- */

void wzp_sim_nat_explicits_init(wzp_sim_nat *nat);
/* The list of permissions that `of` names. */
wzp_sim_nat_list *wzp_sim_nat_perms_of(wzp_sim_nat *nat, uint32_t of);
/* 0: none, or not for `remote`; *taken: the endpoint is one of an explicit mapping all the same. */
uint32_t wzp_sim_nat_explicit_out(const wzp_sim_nat *nat, uint8_t proto, const wzp_addr *internal,
                                  const wzp_addr *remote);
uint32_t wzp_sim_nat_explicit_in(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external,
                                 const wzp_addr *remote, bool *taken);
const wzp_sim_nat_explicit *wzp_sim_nat_explicit_get(const wzp_sim_nat *nat, uint32_t e);
uint32_t wzp_sim_nat_explicit_lookup(const wzp_sim_nat *nat, uint8_t proto,
                                     const wzp_addr *external);
void wzp_sim_nat_explicits_sweep(wzp_sim_nat *nat);
void wzp_sim_nat_explicits_drop(wzp_sim_nat *nat);
void wzp_sim_nat_explicits_renumber(wzp_sim_nat *nat); /* after the pool has changed */

/* --- events.c --------------------------------------------------------------------------------- */

/* To `now`: whatever has expired is gone afterwards, and foreign flows have come. */
void wzp_sim_nat_advance(wzp_sim_nat *nat, wzp_time now);
void wzp_sim_nat_next_foreign(wzp_sim_nat *nat, wzp_time after);
void wzp_sim_nat_start(wzp_sim_nat *nat); /* counters as after power-on */
void wzp_sim_nat_set_pool(wzp_sim_nat *nat, const wzp_addr *externals, size_t count);

#endif
