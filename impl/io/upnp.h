/* One mapping of our UDP port at the gateway by UPnP IGD: asked for, kept, given back (nat sheet
 * 1.8).  The third beside nat/portmap.h's NAT-PMP and PCP, and not a core, since its HTTP is a
 * library's, miniupnpc, which blocks: requests run on libuv's worker threads, one at a time, and
 * everything else on the loop's.
 *
 * Of several devices that answer, the one that is a gateway is taken.  Where only permanent leases
 * are given (725) one is taken, where the port is another's (718) three others are tried.  An
 * external address that nobody can reach is not told to peers (U13).  Renewed at half of its life;
 * tried again 10 minutes after a failure. */
#ifndef WZP_IO_UPNP_H
#define WZP_IO_UPNP_H

#include <uv.h>

#include "base/addr.h"
#include "base/rng.h"

#define WZP_UPNP_TEXT_MAX 128
#define WZP_UPNP_OTHER_PORTS 3
#define WZP_UPNP_RELEASE_LIMIT_MS 2000

/* --- who talks to gateways -------------------------------------------------------------------- */

/* Blocking calls, on a worker thread, one at a time.  Results other than 0 are UPnP's error codes,
 * or negative. */
typedef struct wzp_upnp_backend {
    /* NULL: none; `error` says why.  `own` is our address; `wait_ms` how long answers may take. */
    void *(*find)(const wzp_addr *own, uint32_t wait_ms, char error[WZP_UPNP_TEXT_MAX]);
    void (*forget)(void *gateway);
    int (*external)(void *gateway, wzp_addr *out); /* port 0 */
    int (*add)(void *gateway, const wzp_addr *own, uint16_t port, uint32_t lease_s);
    int (*remove)(void *gateway, uint16_t port);
    const char *(*text)(int result); /* static text, or NULL */
} wzp_upnp_backend;

/* miniupnpc's; NULL in a build without it. */
const wzp_upnp_backend *wzp_upnp_miniupnpc(void);

/* --- a mapping -------------------------------------------------------------------------------- */

typedef struct wzp_upnp wzp_upnp;

typedef struct wzp_upnp_state {
    bool has_gateway;              /* one speaks UPnP */
    wzp_addr external;             /* NONE: there is no mapping (now) */
    uint32_t lease_s;              /* 0 with a mapping: permanent */
    uint32_t failures;             /* in a row */
    char error[WZP_UPNP_TEXT_MAX]; /* of the last failure; "" while there is a mapping */
} wzp_upnp_state;

typedef struct wzp_upnp_cfg {
    const wzp_upnp_backend *backend; /* NULL: miniupnpc's */
    wzp_addr own;                    /* IPv4, with the port that is to be mapped */
    wzp_addr reflexive;              /* what else is known of our outer address; NONE: nothing */
    uint32_t lease_s;                /* to ask for; 0: 7200 */
    uint32_t wait_ms;                /* for devices to answer; 0: 1000 */
    uint32_t retry_ms;               /* after a failure; 0: 10 minutes */
    bool accepts_local;              /* external addresses need not be global: for labs */
    wzp_rng rng;
    /* On the loop's thread, after each attempt; borrowed for the call.  May release. */
    void (*attempted)(void *ctx, const wzp_upnp_state *state);
    void *ctx;
} wzp_upnp_cfg;

/* Begins to ask.
 * INVALID_ARGUMENT  no IPv4 address or port, or no backend in this build; NOMEM */
WZP_MUST_USE wzp_err wzp_upnp_start(wzp_upnp **out, const wzp_upnp_cfg *cfg, uv_loop_t *loop);

/* Gives the mapping back and ends it; accepts NULL, leaves NULL.  `released` (or NULL) is called
 * once, at the latest after WZP_UPNP_RELEASE_LIMIT_MS; a request that hangs is then left to itself,
 * and holds its memory and a worker thread until the network lets it go. */
void wzp_upnp_release(wzp_upnp **upnp, void (*released)(void *ctx), void *ctx);

#endif
