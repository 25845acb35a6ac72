/* Which relay is near: those that a relay lists are pinged when they are told and every five
 * minutes, and another one is preferred only when it is clearly nearer (nat sheet 1.13, the
 * reference).
 *
 * Sans-IO, the caller's storage, nothing allocates: probes are connections of a shared endpoint,
 * some at a time, which its owner drives.  What the list has that cannot be read is counted in the
 * map. */
#ifndef WZP_CALL_NEAREST_H
#define WZP_CALL_NEAREST_H

#include "call/relay_probe.h"
#include "nat/relay_map.h"
#include "wire/signal.h"

#define WZP_NEAREST_AT_ONCE 8

/* Must not move before it is stopped.  `map` and `rounds` are to be read, the rest is private. */
typedef struct wzp_nearest {
    wzp_relay_map map;
    uint64_t rounds; /* that are complete */

    wzp_endpoint *endpoint;
    uint64_t interval, timeout;
    wzp_relay_probe probes[WZP_NEAREST_AT_ONCE];
    wzp_addr queue[WZP_RELAY_MAP_MAX]; /* of this round; the map moves its entries */
    size_t queue_count, queue_at;
    bool is_in_round, is_again; /* again: there are new ones, and this round has not seen them */
    wzp_time next_at;
    wzp_addr current; /* NONE: no preference yet */
    bool is_news;
} wzp_nearest;

/* `interval` and `timeout` of one probe in ns; 0: 5 minutes, 5 s.  Idle until it is told of relays.
 * The endpoint is borrowed until it is stopped. */
void wzp_nearest_init(wzp_nearest *n, wzp_endpoint *endpoint, uint64_t interval, uint64_t timeout);

/* At registration: the relay that we are at, and what it lists (`available_relays`).  A round
 * begins at once, or after the one that runs. */
void wzp_nearest_registered(wzp_nearest *n, wzp_bytes name, const wzp_addr *addr, wzp_bytes region,
                            const wzp_list_str *listed, wzp_time now);

void wzp_nearest_tick(wzp_nearest *n, wzp_time now);
wzp_time wzp_nearest_deadline(const wzp_nearest *n);

/* The preferred relay when it has become another one, once; valid until the next call.  NULL: no
 * news, or nobody answers any more. */
const wzp_relay_entry *wzp_nearest_news(wzp_nearest *n);

/* The preferred relay of the last round; NULL: none answered. */
const wzp_relay_entry *wzp_nearest_preferred(const wzp_nearest *n);

/* Ends its probes; there are no more rounds until a registration. */
void wzp_nearest_stop(wzp_nearest *n, wzp_time now);

#endif
