/* One mapping of our UDP port at the gateway, by NAT-PMP or PCP: asked for, kept, and given back
 * (nat sheet 1.8; RFC 6886, RFC 6887).  Whoever wants both protocols runs one of each beside the
 * other; a refusal of one says nothing about the other.
 *
 *     start --> ASKING --> MAPPED --> RELEASING --> OFF
 *                |  ^        |  ^
 *                v  |        +--+ renewed at half of its life, then at half of what is left
 *              FAILED         (expired, or the gateway has restarted: ASKING again, at once)
 *              tried again after 10 minutes
 *
 * A gateway may be another one than we think, and so may be who answers: only its own address and
 * port are listened to, what does not fit is counted and changes nothing, and an external address
 * that nobody can reach is given back instead of told to peers (carriers' NATs, U13).
 *
 * Sans-IO, the caller's storage, nothing allocates; the caller owns a socket for it. */
#ifndef WZP_NAT_PORTMAP_H
#define WZP_NAT_PORTMAP_H

#include "base/rng.h"
#include "base/time.h"
#include "nat/natpmp.h"
#include "nat/pcp.h"

typedef enum wzp_portmap_protocol { WZP_PORTMAP_NATPMP, WZP_PORTMAP_PCP } wzp_portmap_protocol;

typedef struct wzp_portmap_cfg {
    wzp_portmap_protocol protocol;
    wzp_addr gateway;    /* port 0: 5351 */
    wzp_addr local;      /* our address towards it, and the port that is to be mapped */
    wzp_addr reflexive;  /* what else is known of our outer address; NONE: nothing */
    uint32_t lifetime_s; /* to ask for; 0: 7200 */
    uint64_t rto;        /* ns until a request is sent again, then doubling; 0: 250 ms */
    uint64_t timeout;    /* ns for a mapping; 0: 1 s */
    uint64_t retry;      /* ns after a failure; 0: 10 minutes, the cache of failures */
    bool accepts_local;  /* external addresses need not be global: for networks in a lab */
} wzp_portmap_cfg;

typedef enum wzp_portmap_state {
    WZP_PORTMAP_OFF,
    WZP_PORTMAP_ASKING,
    WZP_PORTMAP_MAPPED,
    WZP_PORTMAP_FAILED,
    WZP_PORTMAP_RELEASING
} wzp_portmap_state;

typedef enum wzp_portmap_why {
    WZP_PORTMAP_FINE,
    WZP_PORTMAP_SILENT,        /* no answer */
    WZP_PORTMAP_VERSION,       /* the gateway speaks another protocol */
    WZP_PORTMAP_REFUSED,       /* wzp_portmap_result() says how */
    WZP_PORTMAP_NOT_GLOBAL,    /* there is another NAT behind it */
    WZP_PORTMAP_NOT_REFLEXIVE, /* as above: others see us elsewhere */
    WZP_PORTMAP_NO_LIFETIME    /* granted for 0 seconds, or port 0 */
} wzp_portmap_why;

/* Each datagram counts once, by the first thing that is wrong with it. */
typedef struct wzp_portmap_refusals {
    uint64_t wrong_source;
    uint64_t cut;
    uint64_t malformed;   /* a request, or no answer of the protocol */
    uint64_t unasked;     /* nothing is asked, or another operation */
    uint64_t wrong_nonce; /* PCP */
    uint64_t wrong_port;  /* another internal port or transport */
} wzp_portmap_refusals;

/* What the gateway is being asked. */
typedef enum wzp_portmap_exchange {
    WZP_PORTMAP_QUIET,
    WZP_PORTMAP_ADDRESS, /* NAT-PMP */
    WZP_PORTMAP_MAP,
    WZP_PORTMAP_DELETE
} wzp_portmap_exchange;

/* Private, but the caller's storage. */
typedef struct wzp_portmap {
    wzp_portmap_cfg cfg;
    wzp_portmap_state state;
    wzp_portmap_why why;
    unsigned result; /* of the gateway's last error */
    wzp_portmap_exchange exchange;
    bool is_due;
    uint64_t gap;
    wzp_time again_at, ends_at; /* of the exchange */
    wzp_time renew_at, expires_at, retry_at;
    wzp_addr external; /* the IP from its own answer with NAT-PMP; port 0 until mapped */
    uint8_t nonce[WZP_PCP_NONCE_LEN];
    bool has_epoch;
    uint32_t epoch_s;
    wzp_time epoch_at;
    uint32_t lifetime_s; /* granted */
    uint64_t changes, reboots, sends;
    wzp_portmap_refusals refusals;
} wzp_portmap;

typedef struct wzp_portmap_datagram {
    wzp_addr to;
    uint8_t data[WZP_PCP_MAP_LEN];
    size_t len;
} wzp_portmap_datagram;

/* Begins to ask.  `rng` gives PCP's nonce and is not kept.
 * INVALID_ARGUMENT  gateway or local address missing, or no local port; NAT-PMP over IPv6 */
WZP_MUST_USE wzp_err wzp_portmap_start(wzp_portmap *p, const wzp_portmap_cfg *cfg, wzp_rng rng,
                                       wzp_time now);

/* Right after start: it asks the same gateway for the same port as `last` did.  The nonce stays,
 * since a mapping is its owner's only by that (RFC 6887 11.3), and so do the external port, which
 * is asked for again, and the gateway's clock; nothing of that where it asks for something else.
 * What was counted stays in any case. */
void wzp_portmap_resume(wzp_portmap *p, const wzp_portmap *last);

/* Announcements of the gateway (224.0.0.1:5350, its port 5351) are handed in here as well.
 * True: it was accepted. */
bool wzp_portmap_recv(wzp_portmap *p, const wzp_addr *from, wzp_bytes datagram, wzp_time now);
void wzp_portmap_tick(wzp_portmap *p, wzp_time now);
wzp_time wzp_portmap_deadline(const wzp_portmap *p);
bool wzp_portmap_next(wzp_portmap *p, wzp_portmap_datagram *out);

/* What others say about our outer address; a mapping at another one is given back. */
void wzp_portmap_reflexive(wzp_portmap *p, const wzp_addr *reflexive, wzp_time now);

/* Gives the mapping back, as well as that works within 2 s; then it is OFF. */
void wzp_portmap_release(wzp_portmap *p, wzp_time now);

/* The mapped candidate.  NULL: there is none (now). */
const wzp_addr *wzp_portmap_external(const wzp_portmap *p);

static inline wzp_portmap_state wzp_portmap_state_of(const wzp_portmap *p) {
    return p->state;
}

/* The gateway speaks the protocol: it has mapped a port, or says why not. */
bool wzp_portmap_is_spoken(const wzp_portmap *p);

/* Goes up with each new, changed or lost external address: peers are to be told. */
static inline uint64_t wzp_portmap_changes(const wzp_portmap *p) {
    return p->changes;
}

/* "no answer" and so on; static text. */
const char *wzp_portmap_why_text(wzp_portmap_why why);

#endif
