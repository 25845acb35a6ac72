/* Packets that come twice, byte for byte: relays of ours forward each once, but nobody must hear it
 * twice where another one does not.  The header names no sender, and two deployed clients that join
 * together number alike, so that only the whole datagram tells.
 *
 * Sealed media need none of this: there the replay window refuses them. */
#ifndef WZP_CLIENT_REPEATS_H
#define WZP_CLIENT_REPEATS_H

#include "base/bytes.h"

enum { WZP_REPEATS_WINDOW = 64 }; /* packets, of all senders together */

typedef struct wzp_repeats {
    size_t next;
    uint64_t digests[WZP_REPEATS_WINDOW]; /* 0: none yet */
} wzp_repeats;

/* Whether it is one of the last; otherwise it is from now on. */
bool wzp_repeats_seen(wzp_repeats *repeats, wzp_bytes datagram);

#endif
