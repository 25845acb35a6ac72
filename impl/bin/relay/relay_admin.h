/* What the relay tells its operator over HTTP beside the metrics (relay sheet 11.2): who is here,
 * where a client is, which relays are known.  What is remote is what relays tell that probe each
 * other. */
#ifndef WZP_BIN_RELAY_RELAY_ADMIN_H
#define WZP_BIN_RELAY_RELAY_ADMIN_H

#include "base/addr.h"
#include "base/err.h"
#include "base/wr.h"

/* The relays that are asked: those of all workers, or one. */
typedef struct wzp_admin_source {
    void *ctx;
    void (*visit)(void *ctx, bool (*seen)(void *seen_ctx, const char *fp), void *seen_ctx);
    bool (*has)(void *ctx, const char *fingerprint);
    /* As wzp_relay_visit_gossip, which see; NULL: nobody tells anything. */
    void (*gossip)(void *ctx, bool (*seen)(void *seen_ctx, const wzp_addr *relay, const char *fp),
                   void *seen_ctx);
} wzp_admin_source;

/* /presence names so many at most: making the list must not hold up media.  Whether a certain one
 * is here /presence/FP says in any case. */
#define WZP_ADMIN_PRESENCE_MAX 4096

/* [{"fingerprint": ..., "location": "Local" or {"Remote": "IP:PORT"}}, ...], indented, in the order
 * of fingerprints. */
WZP_MUST_USE wzp_err wzp_admin_presence(const wzp_admin_source *from, wzp_wr *out);

/* One of these, or on one line with null.  `fingerprint` is UTF-8. */
WZP_MUST_USE wzp_err wzp_admin_presence_of(const wzp_admin_source *from, const char *fingerprint,
                                           wzp_wr *out);

/* {"fingerprint": ..., "relay_chain": [...], "route": "local", "direct_peer" or "not_found"}; the
 * chain is `listen` and, of a remote client, its relay. */
WZP_MUST_USE wzp_err wzp_admin_route(const wzp_admin_source *from, const char *fingerprint,
                                     const wzp_addr *listen, wzp_wr *out);

/* [{"addr": ..., "fingerprints": [...], "rtt_ms": null}, ...] */
WZP_MUST_USE wzp_err wzp_admin_peers(const wzp_admin_source *from, wzp_wr *out);

#endif
