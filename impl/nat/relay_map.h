/* Which relays there are, how far away they are, and which one is preferred (nat sheet 1.13).
 *
 * Plain struct, nothing allocates: a relay's list of others is bounded, and what does not fit or
 * cannot be read is counted.  Times are the caller's. */
#ifndef WZP_NAT_RELAY_MAP_H
#define WZP_NAT_RELAY_MAP_H

#include "base/addr.h"
#include "base/time.h"

#define WZP_RELAY_MAP_MAX 32
/* With its terminator; what is longer is cut, what is not printable ASCII becomes '?'. */
#define WZP_RELAY_NAME_MAX 64

typedef struct wzp_relay_entry {
    char name[WZP_RELAY_NAME_MAX];
    char region[WZP_RELAY_NAME_MAX]; /* "": not known */
    wzp_addr addr;
    bool is_reachable, has_rtt, was_probed;
    uint32_t rtt_ms;
    wzp_time probed_at; /* when it answered last */
} wzp_relay_entry;

typedef struct wzp_relay_map {
    wzp_relay_entry entries[WZP_RELAY_MAP_MAX]; /* the nearest first; equal ones as they came */
    size_t count;
    uint64_t unreadable, surplus, unusable; /* of what was to be added */
} wzp_relay_map;

/* Adds a relay, or gives the one at `addr` another name, and a region if there is one.
 * INVALID_ARGUMENT: no address or port; LIMIT: the map is full.  Both are counted. */
WZP_MUST_USE wzp_err wzp_relay_map_upsert(wzp_relay_map *map, wzp_bytes name, const wzp_addr *addr,
                                          wzp_bytes region);

/* It has answered; nothing if it is not known. */
void wzp_relay_map_answered(wzp_relay_map *map, const wzp_addr *addr, uint32_t rtt_ms,
                            wzp_time now);

/* It has not; what is known of its distance stays. */
void wzp_relay_map_unreachable(wzp_relay_map *map, const wzp_addr *addr);

/* The nearest one that answers; NULL: none does.  Valid until the map is changed. */
const wzp_relay_entry *wzp_relay_map_preferred(const wzp_relay_map *map);

/* The reference's: `current` unless it does not answer, or the nearest one is nearer by more than
 * 10 ms and by more than 33 %.  NULL: none answers. */
const wzp_relay_entry *wzp_relay_map_choose(const wzp_relay_map *map, const wzp_addr *current);

/* One was never heard, or not for longer than `age` (ns). */
bool wzp_relay_map_needs_probe(const wzp_relay_map *map, uint64_t age, wzp_time now);

/* One of a relay's `available_relays`, "name|ip:port".  False: it cannot be read (a host name is
 * such), does not fit, or nobody should be sent there: what is not global must be of the kind of
 * the relay that lists it, `teller` (a lab's, a home's); NULL: no matter. */
bool wzp_relay_map_add_listed(wzp_relay_map *map, wzp_bytes text, const wzp_addr *teller);

#endif
