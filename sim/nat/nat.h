/* The NAT: which external address and port a flow gets, and who may answer (nat sheet 2.3).
 *
 * This is the decision alone, on addresses and ports: the same object sits in simulated boxes
 * (sim/box), rewrites real packets there and stands in front of programs in real time (the
 * proxy).  Sans-IO, one thread.  Memory is bounded by the quota: at most 256 bytes a mapping. */
#ifndef WZP_SIM_NAT_NAT_H
#define WZP_SIM_NAT_NAT_H

#include "base/addr.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"

/* How much of the remote endpoint a decision depends on (RFC 4787, 4.1 and 5). */
typedef enum wzp_sim_nat_scope {
    WZP_SIM_NAT_ANY,      /* endpoint-independent: EIM, EIF */
    WZP_SIM_NAT_ADDR,     /* address-dependent: ADM, ADF */
    WZP_SIM_NAT_ADDR_PORT /* address- and port-dependent: APDM, APDF */
} wzp_sim_nat_scope;

typedef enum wzp_sim_nat_ports {
    WZP_SIM_NAT_PRESERVE,   /* the inside port if it is free, else `fallback` */
    WZP_SIM_NAT_SEQUENTIAL, /* last + delta; skip_ppm: another flow took one */
    WZP_SIM_NAT_RANDOM,
    WZP_SIM_NAT_CONTIGUOUS, /* next of this host's previous */
    WZP_SIM_NAT_NEXT_HIGHER /* as a fallback: the next free port above */
} wzp_sim_nat_ports;

typedef enum wzp_sim_nat_hairpin {
    WZP_SIM_NAT_HAIRPIN_OFF,
    WZP_SIM_NAT_HAIRPIN_EXTERNAL, /* the inside host is seen with its external address */
    WZP_SIM_NAT_HAIRPIN_INTERNAL
} wzp_sim_nat_hairpin;

#define WZP_SIM_NAT_POOL_MAX 16

typedef struct wzp_sim_nat_cfg {
    const char *name;       /* of the preset; static text */
    bool identity;          /* no translation: a stateful firewall; `mapping` does not matter */
    bool open;              /* no firewall either: everything passes */
    bool arbitrary_pooling; /* the next external address for each mapping, which then serves one
                               remote address; else one external address per inside host */
    wzp_sim_nat_scope mapping, filtering;
    wzp_sim_nat_ports ports, fallback;
    wzp_sim_nat_hairpin hairpin;
    uint32_t delta; /* SEQUENTIAL; 0: 1 */
    uint32_t skip_ppm;
    bool per_host_counter; /* SEQUENTIAL: one counter per inside host, else one for all */
    bool parity;           /* even stays even, odd stays odd */
    bool keep_well_known;  /* inside 0-1023 stays in 0-1023 */
    bool overload; /* state per flow, as Linux keeps it (needs ADDR_PORT filtering): flows to
                      different remotes may share an external port, each has its own timer */
    uint16_t first_port, last_port;  /* 0, 0: 1024-65535 */
    uint16_t block_size, blocks_max; /* > 0: aligned blocks of ports per inside host */
    uint32_t quota;                  /* mappings per inside host; 0: 4096 */
    uint64_t t_unreplied, t_replied; /* ns; 0: never expires */
    uint64_t t_well_known;           /* remote ports 0-1023; 0: as the others */
    uint64_t t_filter;               /* age of a permission; 0: as the mapping */
    uint64_t t_hold;                 /* a freed port is not used again for so long */
    uint32_t quota_total;            /* 0: 65536 */
    uint32_t new_per_s, new_burst;   /* mapping creation of all hosts; 0: any */
    bool no_refresh_out, no_refresh_in;
    bool alg_stun;                /* translates addresses in STUN messages: against REQ-10 */
    bool icmp_on_miss;            /* port unreachable for what has no mapping */
    bool icmp_kills_mapping;      /* against RFC 4787, REQ-12 */
    bool inbound_creates_state;   /* the "early inbound packet" clash of Linux boxes that do not
                                     drop what is for nobody (needs `overload`) */
    bool degrade_on_collision;    /* against REQ-11: becomes APDM for a host after a clash */
    bool port_map_reply_only;     /* explicit mappings serve replies only (nat sheet 2.3, step 3) */
    uint32_t foreign_per_s_milli; /* Poisson flows of others, which take ports and steps */
    uint64_t proc_delay;          /* added by the box; 0: 100 us */
} wzp_sim_nat_cfg;

/* The presets of nat sheet 2.4 that are one box ("pub" ... "ns3-rebind"); false: none by that name.
 * Chains ("double-easy") are two boxes, see wzp_sim_nat_chain. */
bool wzp_sim_nat_preset(const char *name, wzp_sim_nat_cfg *out);
const char *wzp_sim_nat_preset_name(size_t index); /* NULL past the last; chains included */

/* The boxes of a preset, inner first: 0 for "pub", 1, or 2 for chains.  -1: unknown. */
int wzp_sim_nat_chain(const char *name, wzp_sim_nat_cfg out[2]);

typedef struct wzp_sim_nat wzp_sim_nat;

/* `externals`: 1..WZP_SIM_NAT_POOL_MAX addresses of one family (ports ignored); copied.
 * INVALID_ARGUMENT with the field in `fail`, which may be NULL; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_nat_new(wzp_sim_nat **out, const wzp_sim_nat_cfg *cfg,
                                     const wzp_addr *externals, size_t external_count,
                                     uint64_t seed, const char *name, wzp_time now, wzp_fail *fail);
void wzp_sim_nat_free(wzp_sim_nat **nat);

typedef enum wzp_sim_nat_verdict {
    WZP_SIM_NAT_FORWARD, /* rewritten: send it on the other side */
    WZP_SIM_NAT_TURN,    /* hairpin: rewritten, send it back inside */
    WZP_SIM_NAT_DROP_NO_MAPPING,
    WZP_SIM_NAT_DROP_FILTER,
    WZP_SIM_NAT_DROP_QUOTA, /* mappings, ports, or their rate */
    WZP_SIM_NAT_DROP_HAIRPIN
} wzp_sim_nat_verdict;

/* One packet of protocol `proto` (17 UDP, 6 TCP) from inside.  Rewrites *src (and *dst when it
 * turns). */
wzp_sim_nat_verdict wzp_sim_nat_out(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src, wzp_addr *dst,
                                    wzp_time now);

/* From outside.  Rewrites *dst. */
wzp_sim_nat_verdict wzp_sim_nat_in(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *src,
                                   wzp_addr *dst, wzp_time now);

/* An ICMP error from outside about a packet that left here from `inner_src` to `inner_dst`:
 * rewrites *inner_src and *dst (port 0) to the inside host.  False: nothing like that left here. */
bool wzp_sim_nat_icmp_in(wzp_sim_nat *nat, uint8_t proto, wzp_addr *dst, wzp_addr *inner_src,
                         const wzp_addr *inner_dst, wzp_time now);

/* An ICMP error from inside about a packet that came in from `inner_src` to `inner_dst`: rewrites
 * *inner_dst and *src (port 0) to the external endpoint.  False: nothing like that came in. */
bool wzp_sim_nat_icmp_out(wzp_sim_nat *nat, uint8_t proto, wzp_addr *src, const wzp_addr *inner_src,
                          wzp_addr *inner_dst, wzp_time now);

/* What expires is gone at the next call with a time, whichever that is; these two let whoever
 * watches hear of it in time.  The deadline may come too early, never too late; WZP_TIME_NEVER when
 * nobody watches. */
wzp_time wzp_sim_nat_deadline(const wzp_sim_nat *nat);
void wzp_sim_nat_tick(wzp_sim_nat *nat, wzp_time now);

/* --- explicit mappings (gateways) ------------------------------------------------------------- */

typedef struct wzp_sim_nat_explicit {
    uint8_t proto;
    wzp_addr internal, external;
    wzp_addr remote;  /* family NONE: anybody; port 0: any port of it */
    wzp_time expires; /* gone at this time; WZP_TIME_NEVER: a permanent one */
} wzp_sim_nat_explicit;

/* New, or of the same internal and external endpoint: then renewed.  A firewall (`identity`) opens
 * itself for an internal endpoint; `external` is the same.
 * WZP_ERR_LIMIT            the external port is taken by another endpoint, or held
 * WZP_ERR_INVALID_ARGUMENT `external` is none of the NAT's, or a port is 0 */
WZP_MUST_USE wzp_err wzp_sim_nat_map(wzp_sim_nat *nat, const wzp_sim_nat_explicit *mapping,
                                     wzp_time now);
bool wzp_sim_nat_unmap(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external);
/* The one of this internal endpoint, or of this external one; NULL.  Borrowed until the next
 * non-const call. */
const wzp_sim_nat_explicit *wzp_sim_nat_find_internal(const wzp_sim_nat *nat, uint8_t proto,
                                                      const wzp_addr *internal, wzp_time now);
const wzp_sim_nat_explicit *wzp_sim_nat_find_external(const wzp_sim_nat *nat, uint8_t proto,
                                                      const wzp_addr *external, wzp_time now);
/* No mapping of any kind has it, and it is not in hold-down. */
bool wzp_sim_nat_port_free(wzp_sim_nat *nat, uint8_t proto, const wzp_addr *external, wzp_time now);
/* Addresses in STUN messages are for whoever has the payload to translate (`alg_stun`). */
bool wzp_sim_nat_translates_stun(const wzp_sim_nat *nat);
/* The external address of this inside host, port 0. */
wzp_addr wzp_sim_nat_external(const wzp_sim_nat *nat, const wzp_addr *internal);

/* --- events of nat sheet 2.7 ------------------------------------------------------------------ */

void wzp_sim_nat_flush(wzp_sim_nat *nat, wzp_time now);  /* dynamic mappings only */
void wzp_sim_nat_reboot(wzp_sim_nat *nat, wzp_time now); /* all, and counters restart */
void wzp_sim_nat_rebind(wzp_sim_nat *nat, wzp_time now); /* new random ports; the old are dead */
void wzp_sim_nat_expire(wzp_sim_nat *nat, wzp_time now); /* as if every timer had run out */
/* New external addresses; live mappings move to them with new ports. */
void wzp_sim_nat_renumber(wzp_sim_nat *nat, const wzp_addr *externals, size_t count, wzp_time now);

/* --- watching --------------------------------------------------------------------------------- */

typedef enum wzp_sim_nat_event_kind {
    WZP_SIM_NAT_CREATED,
    WZP_SIM_NAT_EXPIRED,
    WZP_SIM_NAT_REBOUND,
    WZP_SIM_NAT_DROPPED
} wzp_sim_nat_event_kind;

typedef struct wzp_sim_nat_event {
    wzp_sim_nat_event_kind kind;
    wzp_time at;
    uint8_t proto;
    wzp_addr internal, external, remote;
    const char *reason; /* static text */
} wzp_sim_nat_event;

void wzp_sim_nat_watch(wzp_sim_nat *nat, void (*event)(void *ctx, const wzp_sim_nat_event *event),
                       void *ctx);

typedef struct wzp_sim_nat_counts {
    uint64_t mappings, explicits; /* live now */
    uint64_t created, expired, turned;
    uint64_t dropped[WZP_SIM_NAT_DROP_HAIRPIN + 1]; /* by verdict */
    size_t bytes;                                   /* memory in use */
} wzp_sim_nat_counts;
void wzp_sim_nat_count(const wzp_sim_nat *nat, wzp_sim_nat_counts *out);

#endif
