/* Which packets were seen within the last two seconds: a ring in the order of time and an index
 * over it.  Never allocates after init.  When it is full the oldest mark makes room. */
#ifndef WZP_FEDERATION_DEDUP_H
#define WZP_FEDERATION_DEDUP_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"

typedef struct wzp_fed_mark {
    uint64_t hash;
    wzp_time at;
} wzp_fed_mark;

typedef struct wzp_fed_dedup {
    wzp_fed_mark *ring;
    uint32_t *index; /* twice as many places: 1 + the place in the ring; 0: free */
    uint32_t cap, first, len;
    uint64_t window, early; /* marks that had to go before their time */
    uint8_t key[16];
} wzp_fed_dedup;

/* `cap` is a power of two.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_fed_dedup_init(wzp_fed_dedup *d, uint32_t cap, uint64_t window,
                                        wzp_rng rng);
void wzp_fed_dedup_clear(wzp_fed_dedup *d);

/* A keyed hash of all bytes: nobody else can make two that are equal. */
uint64_t wzp_fed_dedup_hash(const wzp_fed_dedup *d, wzp_bytes datagram);

bool wzp_fed_dedup_has(wzp_fed_dedup *d, uint64_t hash, wzp_time now);
/* Does nothing if it is there: a repetition does not prolong the window. */
void wzp_fed_dedup_add(wzp_fed_dedup *d, uint64_t hash, wzp_time now);

#endif
