/* Where each side of a call can be reached as it says, and which addresses of the other side are
 * tried, in which order (nat sheet 1.6, 1.10, 1.16, 1.18).
 *
 * Addresses come from strangers.  What cannot be read, has no port, is nobody's address or our own
 * is left out and counted; nothing is sent to it. */
#ifndef WZP_CALL_ADDRESSES_H
#define WZP_CALL_ADDRESSES_H

#include "call/race.h"
#include "wire/signal.h"

#define WZP_CALL_LOCALS_MAX 16

typedef struct wzp_call_addresses {
    wzp_addr reflexive, mapped; /* family NONE: not known */
    wzp_addr local[WZP_CALL_LOCALS_MAX];
    size_t local_count;
} wzp_call_addresses;

/* Addresses that were left out. */
typedef struct wzp_call_refused {
    uint64_t unreadable; /* no address in text form */
    uint64_t surplus;    /* more than LOCALS_MAX, or than are dialled at once */
    uint64_t unusable; /* no port; unspecified, loopback, multicast, reserved; a mapped or reflexive
                          one that is not global */
    uint64_t our_own;
} wzp_call_refused;

/* From the fields of an offer, an answer, a set-up or an update. */
void wzp_call_addresses_read(wzp_call_addresses *out, const wzp_opt_str *reflexive,
                             const wzp_list_str *local, const wzp_opt_str *mapped,
                             wzp_call_refused *refused);

/* The same fields to be sent; they point into themselves. */
typedef struct wzp_call_address_fields {
    wzp_opt_str reflexive, mapped;
    wzp_list_str local;
    wzp_bytes locals[WZP_CALL_LOCALS_MAX];
    char text[WZP_CALL_LOCALS_MAX + 2][WZP_ADDR_TEXT_MAX];
} wzp_call_address_fields;

void wzp_call_addresses_write(wzp_call_address_fields *out, const wzp_call_addresses *addresses);

struct wzp_call_probe; /* hard_nat.h */

typedef struct wzp_call_dial_cfg {
    wzp_race_policy policy;
    const struct wzp_call_probe *probe; /* reference, of a peer that dials as well; NULL: none */
    bool accepts_any; /* reference: loopback and private addresses may be anybody's: for labs */
} wzp_call_dial_cfg;

/* What a race may dial or tickle, in its order; the number of them.
 *   deployed   local IPv4 if both have the same reflexive IP, mapped, reflexive; never IPv6
 *   reference  local ones if both have the same reflexive IP, else global IPv6 ones if we have such
 *              as well, and the next ports of a NAT that counts; then mapped, then reflexive.  None
 *              twice, none of ours.  Ports at another IP than the reflexive one are not believed.
 */
size_t wzp_call_dial_order(wzp_race_candidate out[WZP_RACE_CANDIDATES_MAX],
                           const wzp_call_addresses *own, const wzp_call_addresses *peer,
                           const wzp_call_dial_cfg *cfg, wzp_call_refused *refused);

#endif
