/* Asks STUN servers what our address looks like from outside: several servers, one socket, which is
 * the one that QUIC uses, for another socket's address would be of no use (nat sheet 1.3, 1.7).
 *
 *   first     all at once; the first answer ends it        a reflexive address for a call
 *   all       all at once, each to its end                 NAT type, netcheck
 *   in turn   the next when one has answered or is silent  port allocation: in the order of probing
 *
 * Sans-IO, the caller's storage, nothing allocates: start, then until it is done send what `next`
 * gives, hand in what the socket's datagrams of STUN are (demux.h), and call `tick` at the
 * deadline. A datagram that is refused is counted and changes nothing: off-path forgers cannot end
 * a transaction.  RFC 8489 6.2.1, 6.3. */
#ifndef WZP_NAT_STUN_CLIENT_H
#define WZP_NAT_STUN_CLIENT_H

#include "base/rng.h"
#include "base/time.h"
#include "nat/stun.h"

#define WZP_STUN_SERVERS_MAX 8
#define WZP_STUN_SOFTWARE_MAX 128
#define WZP_STUN_REQUEST_MAX (WZP_STUN_HEADER_LEN + 4 + WZP_STUN_SOFTWARE_MAX + 8)

typedef enum wzp_stun_order { WZP_STUN_FIRST, WZP_STUN_ALL, WZP_STUN_IN_TURN } wzp_stun_order;

typedef struct wzp_stun_client_cfg {
    wzp_stun_order order;
    wzp_stun_rules rules; /* REFERENCE: sends again after rto, 2 rto, 4 rto...; an address must be
                           * one that peers can use.  DEPLOYED: once, after half of the timeout; any
                           * address will do. */
    uint64_t rto;         /* ns; 0: 500 ms */
    uint64_t timeout;     /* ns for each server; 0: 3 s (2 s in calls) */
    bool accepts_local;   /* REFERENCE: private and loopback addresses too, for networks in a lab */
    bool has_fingerprint;
    wzp_bytes software; /* up to 128 bytes, borrowed while it runs; empty: not said */
} wzp_stun_client_cfg;

typedef enum wzp_stun_state {
    WZP_STUN_WAITING, /* not asked yet */
    WZP_STUN_ASKED,
    WZP_STUN_ANSWERED,
    WZP_STUN_DENIED, /* an error response */
    WZP_STUN_SILENT,
    WZP_STUN_UNUSABLE, /* no port, or no address that a packet can go to; never asked */
    WZP_STUN_LATER     /* another one was first */
} wzp_stun_state;

typedef struct wzp_stun_result {
    wzp_addr server;
    wzp_stun_state state;
    wzp_addr mapped; /* ANSWERED */
    uint64_t rtt;    /* ns from the first request; ANSWERED and DENIED */
    uint16_t error;  /* DENIED: the code */
    uint32_t sends;
} wzp_stun_result;

/* What was refused.  Each datagram counts once, by the first thing that is wrong with it. */
typedef struct wzp_stun_refusals {
    uint64_t not_answer;   /* requests, indications, other methods */
    uint64_t wrong_txid;   /* of nothing that we asked */
    uint64_t wrong_source; /* right, but not from the server that was asked */
    uint64_t late;         /* of a server that is done with */
    uint64_t cut, fingerprint, no_address;
    uint64_t port_zero;   /* a mapped address ... without port, */
    uint64_t not_unicast; /* ... unspecified, multicast, reserved, */
    uint64_t local;       /* ... private, shared, link-local, loopback */
} wzp_stun_refusals;

/* Private, but the caller's storage. */
typedef struct wzp_stun_client {
    wzp_stun_client_cfg cfg;
    struct wzp_stun_slot {
        wzp_stun_result result;
        uint8_t txid[WZP_STUN_TXID_LEN];
        bool is_due; /* to be sent */
        wzp_time asked_at, again_at, ends_at;
        uint64_t gap;
    } slots[WZP_STUN_SERVERS_MAX];
    size_t count;
    size_t first; /* index of the first answer; `count`: none yet */
    wzp_stun_refusals refusals;
} wzp_stun_client;

typedef struct wzp_stun_datagram {
    wzp_addr to;
    uint8_t data[WZP_STUN_REQUEST_MAX];
    size_t len;
} wzp_stun_datagram;

/* `servers[count]` is copied.  Draws the transaction ids from `rng`, which is not kept; they must
 * not be guessable.
 * INVALID_ARGUMENT  no server, or the software's name is too long
 * LIMIT             more servers than WZP_STUN_SERVERS_MAX */
WZP_MUST_USE wzp_err wzp_stun_client_start(wzp_stun_client *c, const wzp_stun_client_cfg *cfg,
                                           const wzp_addr *servers, size_t count, wzp_rng rng,
                                           wzp_time now);

/* True: an answer was accepted, or an error of the server that was asked. */
bool wzp_stun_client_recv(wzp_stun_client *c, const wzp_addr *from, wzp_bytes datagram,
                          wzp_time now);
void wzp_stun_client_tick(wzp_stun_client *c, wzp_time now);
wzp_time wzp_stun_client_deadline(const wzp_stun_client *c); /* NEVER when it is done */

/* What is to be sent from the one socket; until it returns false. */
bool wzp_stun_client_next(wzp_stun_client *c, wzp_stun_datagram *out);

bool wzp_stun_client_is_done(const wzp_stun_client *c);

/* NULL: nobody has answered (yet). */
const wzp_stun_result *wzp_stun_client_first(const wzp_stun_client *c);

/* In the order of the servers; valid as long as the client.  NULL from `count` on. */
const wzp_stun_result *wzp_stun_client_result(const wzp_stun_client *c, size_t i);

const wzp_stun_refusals *wzp_stun_client_refusals(const wzp_stun_client *c);

#endif
