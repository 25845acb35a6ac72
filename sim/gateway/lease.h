/* What a gateway has promised: the explicit mappings of NAT-PMP, PCP and UPnP, in one table, since
 * they are all ports of one box.  It promises, and has the NAT forward; a gateway that lies
 * (nat sheet 2.5) promises the same and has something else forwarded.  Sans-IO, one thread; memory
 * is reserved when it is made. */
#ifndef WZP_SIM_GATEWAY_LEASE_H
#define WZP_SIM_GATEWAY_LEASE_H

#include "sim/nat/nat.h"

#define WZP_SIM_LEASE_NONCE_LEN 12
#define WZP_SIM_LEASE_TEXT_MAX 64

typedef enum wzp_sim_lease_by {
    WZP_SIM_LEASE_PMP,
    WZP_SIM_LEASE_PCP,
    WZP_SIM_LEASE_PEER, /* PCP PEER: an ordinary mapping of the NAT that is kept alive */
    WZP_SIM_LEASE_UPNP
} wzp_sim_lease_by;

/* Which port is given when the wanted one is taken. */
typedef enum wzp_sim_lease_ports {
    WZP_SIM_LEASE_NEXT,   /* the next free one above it */
    WZP_SIM_LEASE_RANDOM, /* any from 32768 */
    WZP_SIM_LEASE_REFUSE
} wzp_sim_lease_ports;

typedef struct wzp_sim_leases_cfg {
    uint32_t min_s, max_s; /* lifetimes are moved into this range; 0: 120 and 86400 */
    wzp_sim_lease_ports ports;
    uint32_t quota;    /* per inside host; 0: 64 */
    uint32_t capacity; /* 0: 1024 */
    wzp_addr reports;  /* family NONE: the NAT's own; else this is what clients are told */
    bool strict;       /* nothing is promised while the address to tell is a private one */
    /* Lies. */
    bool does_not_forward;
    bool wrong_port;        /* forwards to the port above the one it was asked for */
    bool lease_ignored;     /* never expires */
    uint64_t forgets_after; /* gone so long after it was granted, ns, without a word; 0: never */
} wzp_sim_leases_cfg;

typedef struct wzp_sim_lease {
    wzp_sim_lease_by by;
    uint8_t proto; /* 17, 6 */
    bool disabled; /* UPnP: listed, not forwarded */
    wzp_addr internal, external;
    wzp_addr remote;  /* family NONE: anybody */
    wzp_time expires; /* what was promised; WZP_TIME_NEVER: permanent */
    wzp_time ends;    /* when it is forgotten */
    uint8_t nonce[WZP_SIM_LEASE_NONCE_LEN];
    char text[WZP_SIM_LEASE_TEXT_MAX];
} wzp_sim_lease;

typedef enum wzp_sim_lease_result {
    WZP_SIM_LEASE_GRANTED,
    WZP_SIM_LEASE_TAKEN,     /* the port cannot be had, and no other was acceptable */
    WZP_SIM_LEASE_QUOTA,     /* of this host */
    WZP_SIM_LEASE_EXHAUSTED, /* no port or no room in the table */
    WZP_SIM_LEASE_NO_ADDRESS /* strict and there is no public one, or none of this family */
} wzp_sim_lease_result;

typedef struct wzp_sim_lease_ask {
    wzp_sim_lease_by by;
    uint8_t proto;
    bool exact;     /* this external port or none */
    bool permanent; /* then lifetime_s does not matter */
    bool disabled;
    wzp_addr internal, remote;
    uint16_t external; /* wanted; 0: as inside */
    uint32_t lifetime_s;
    const uint8_t *nonce; /* WZP_SIM_LEASE_NONCE_LEN, may be NULL */
    wzp_bytes text;       /* cut to WZP_SIM_LEASE_TEXT_MAX - 1 */
} wzp_sim_lease_ask;

typedef struct wzp_sim_leases wzp_sim_leases;

/* `nat` is borrowed for its life; `seed` and `name` are those of its random stream.  NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_leases_new(wzp_sim_leases **out, const wzp_sim_leases_cfg *cfg,
                                        wzp_sim_nat *nat, uint64_t seed, const char *name);

/* The NAT, usually a firewall, that has the IPv6 hosts; borrowed.  Without one they are served if
 * the first is a firewall too, and else nothing can be promised to them. */
void wzp_sim_leases_set_v6(wzp_sim_leases *leases, wzp_sim_nat *nat);

void wzp_sim_leases_free(wzp_sim_leases **leases); /* what the NAT forwards stays */

/* A new lease, or the renewal of the one that is there: for PMP and PCP that of the same inside
 * endpoint, which keeps its external port; for UPnP that of the same external port and host.
 * `out` is borrowed until the next non-const call. */
wzp_sim_lease_result wzp_sim_leases_grant(wzp_sim_leases *leases, const wzp_sim_lease_ask *ask,
                                          wzp_time now, const wzp_sim_lease **out);

/* Takes it back; `index` as of wzp_sim_leases_at. */
void wzp_sim_leases_drop(wzp_sim_leases *leases, size_t index);

/* A reboot: forgets everything.  The NAT forgets by itself. */
void wzp_sim_leases_clear(wzp_sim_leases *leases);

/* In the order in which they were granted. */
size_t wzp_sim_leases_count(const wzp_sim_leases *leases);
const wzp_sim_lease *wzp_sim_leases_at(const wzp_sim_leases *leases, size_t index);

/* Of NAT-PMP or PCP MAP, by inside endpoint; of any protocol but PEER, by external port.  The
 * number of leases if there is none. */
size_t wzp_sim_leases_by_internal(const wzp_sim_leases *leases, uint8_t proto,
                                  const wzp_addr *internal);
size_t wzp_sim_leases_by_external(const wzp_sim_leases *leases, uint8_t proto, uint16_t port);

/* The address that `client` is told; family NONE: there is none (NO_ADDRESS above). */
wzp_addr wzp_sim_leases_address(const wzp_sim_leases *leases, const wzp_addr *client);

/* Moved into the configured range. */
uint32_t wzp_sim_leases_lifetime(const wzp_sim_leases *leases, uint32_t lifetime_s);

/* Whole seconds that are left, rounded up; 0 for a permanent one. */
uint32_t wzp_sim_lease_left_s(const wzp_sim_lease *lease, wzp_time now);

/* Ends leases and keeps PEER mappings alive. */
void wzp_sim_leases_tick(wzp_sim_leases *leases, wzp_time now);
wzp_time wzp_sim_leases_deadline(const wzp_sim_leases *leases);

#endif
