/* Who is at which relay, as relays that probe each other tell (relay sheet 10.1).  Allocates; what
 * is not told again for a minute is forgotten. */
#ifndef WZP_FEDERATION_GOSSIP_H
#define WZP_FEDERATION_GOSSIP_H

#include "base/addr.h"
#include "base/time.h"
#include "wire/signal.h"

#define WZP_GOSSIP_RELAYS 64
#define WZP_GOSSIP_CLIENTS 4096 /* of one relay; more are left out */
#define WZP_GOSSIP_LIFETIME (60 * WZP_S)

typedef struct wzp_gossip wzp_gossip;

/* NULL: out of memory. */
wzp_gossip *wzp_gossip_new(void);
/* Accepts NULL, leaves NULL. */
void wzp_gossip_free(wzp_gossip **gossip);

/* Replaces what is known of the relay at `addr`; copied.  Who was `asked` takes the place of
 * somebody who was not, if there are too many.  False: there are too many relays, or no memory. */
bool wzp_gossip_told(wzp_gossip *gossip, const wzp_addr *addr, bool asked,
                     wzp_list_str fingerprints, wzp_time now);

/* Where somebody is; family NONE: nobody told. */
wzp_addr wzp_gossip_find(const wzp_gossip *gossip, wzp_bytes fingerprint, wzp_time now);

/* Everybody, relay by relay, with `fingerprint` NULL first for the relay itself.  `visit` returns
 * false to end it. */
void wzp_gossip_visit(const wzp_gossip *gossip, wzp_time now,
                      bool (*visit)(void *ctx, const wzp_addr *relay, const char *fingerprint),
                      void *ctx);

#endif
