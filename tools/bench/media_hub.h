/* What stands in for a relay where clients seal their media for it: rooms for two, in memory.  It
 * opens with the key of who speaks and seals with that of who listens, which no real relay does:
 * clients whose media are sealed hear each other through nobody else.
 *
 * Once both have come it tells them how much they may send, so that clients that adapt stay with
 * Opus24k on a network that would carry more. */
#ifndef WZP_BENCH_MEDIA_HUB_H
#define WZP_BENCH_MEDIA_HUB_H

#include "client/cipher.h"
#include "quic/quic.h"

#define MEDIA_HUB_ROOM "room-" /* and its number: the SNI of a room */

typedef struct media_hub_member {
    wzp_quic_conn conn;
    wzp_cipher cipher;
    bool has_key;
} media_hub_member;

typedef struct media_hub {
    wzp_quic *quic;
    wzp_rng rng;
    wzp_identity identity;
    media_hub_member *members; /* two of each room side by side */
    size_t count;
    uint64_t carried;
} media_hub;

/* For rooms 0 to members/2 - 1.  Errors of wzp_quic_new; NOMEM. */
WZP_MUST_USE wzp_err media_hub_open(media_hub *hub, size_t members, wzp_rng rng, wzp_time now);
void media_hub_close(media_hub *hub);

/* Does what the endpoint's events ask for.  False: something came that no client of ours says. */
bool media_hub_drain(media_hub *hub, wzp_time now);

#endif
