/* The handset: all of a telephone but its sound.  One UDP socket, and on it the phone (phone.h),
 * what finds out where we can be reached (gather.h), the race of a call's paths (race.h) and direct
 * connections to the other side (nat sheet 1.3, 1.16 to 1.19).
 *
 *     create; drive wzp_handset_core(); after each recv and tick pull events until there is none
 *     SET_UP       make a client with .endpoint and .waits, give it to wzp_handset_use()
 *     PATH         media now go directly, or over the relay; again whenever that changes
 *     ENDED        free the client
 *
 * The sound is the client's, whose own events its owner pulls; ticks, deadline and packets of the
 * client are served here.
 *
 * With the reference policy a direct connection is the other side's only if it asks for this call
 * (SNI), comes from an address that the other side has told, and, where the other side is a
 * reference client too, shows the key of the fingerprint that was called (crypto sheet 12).  One
 * that breaks is replaced by the relay, and then by a new one if that can be had.  With the
 * deployed policy all is as upstream does it, for comparison.
 *
 * Sans-IO, one thread, bounded memory, one call at a time. */
#ifndef WZP_PHONE_HANDSET_H
#define WZP_PHONE_HANDSET_H

#include "call/race.h"
#include "client/client.h"
#include "nat/gather.h"
#include "nat/relay_map.h"
#include "phone/phone.h"

typedef struct wzp_handset wzp_handset;

/* Where this host is in the network; copied.  What is not known is NONE or 0. */
typedef struct wzp_handset_net {
    wzp_addr own;     /* of the IPv4 socket as the gateway sees it: address and port */
    wzp_addr own_v6;  /* of the IPv6 socket; only the port matters */
    wzp_addr gateway; /* for NAT-PMP and PCP; NONE: no mapping is asked for */
    wzp_interface_addr interfaces[2 * WZP_GATHER_LOCALS_MAX];
    size_t interface_count;
} wzp_handset_net;

/* Many sockets against many probes, where that is the only way (handset_birthday.c).  Both sides
 * must want it.  0: what is said. */
typedef struct wzp_handset_birthday {
    uint16_t sockets;  /* that we open if our NAT is the hard one; 0: it is off, which is usual.  At
                          most WZP_BIRTHDAY_PORTS_MAX */
    uint16_t probes;   /* that we send if it is theirs; at most WZP_BIRTHDAY_PROBES_MAX */
    uint64_t interval; /* of these, ns; WZP_BIRTHDAY_INTERVAL_MIN at least */
} wzp_handset_birthday;

/* Enough for all but one of fifty pairs (nat sheet 1.15). */
#define WZP_HANDSET_BIRTHDAY_LARGE                                                                 \
    { .sockets = 256, .probes = 1024, .interval = 10 * WZP_MS }

typedef struct wzp_handset_cfg {
    wzp_rng rng;
    wzp_log log;
    uint8_t seed[32];   /* identity; wiped */
    const char *alias;  /* NULL: none */
    const char *token;  /* see admission.h; NULL: none */
    const uint8_t *pin; /* SHA-256 of the relay's certificate; NULL: any will do */
    wzp_quic_path path; /* remote: the relay */
    wzp_race_policy policy;
    bool no_prediction; /* nothing is said or made of what NATs do with ports */
    wzp_handset_birthday birthday;
    bool claims; /* for labs: what is told of our ports is `claimed`, whatever was found */
    wzp_port_alloc claimed;
    bool direct_only; /* a call fails where it would take the relay */
    bool relay_only;  /* we tell nobody where we are, and use nothing that we are told */
    bool maps_global; /* even so, what a gateway maps must be reachable from everywhere */
    bool accepts_any; /* loopback and private addresses may be anybody's: for labs */
    wzp_handset_net net;
    const wzp_addr *stun; /* servers; copied, WZP_STUN_SERVERS_MAX at most */
    size_t stun_count;
    uint64_t
        unix_ms; /* the time of day when it is made, for those who are told of our NAT; 0: not */
    bool reconnects; /* see phone.h: a direct call survives the loss of its relay */
    bool deterministic;
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
    void (*qlog)(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);
    void *qlog_ctx;
    /* As in phone.h; may be NULL. */
    void (*signal)(void *ctx, bool out, wzp_bytes json);
    void *signal_ctx;
    bool (*filter)(void *ctx, bool out, wzp_bytes json); /* with wzp_handset_signal */
    void *filter_ctx;
} wzp_handset_cfg;

/* Starts to connect.  WZP_ERR_INVALID_ARGUMENT (token), NOMEM, CRYPTO_LIB. */
WZP_MUST_USE wzp_err wzp_handset_new(wzp_handset **out, const wzp_handset_cfg *cfg, wzp_time now);
/* After the client that it was given.  Accepts NULL, leaves NULL. */
void wzp_handset_free(wzp_handset **handset);

/* Of the socket, and of all that uses it. */
wzp_core wzp_handset_core(wzp_handset *handset);
wzp_endpoint *wzp_handset_endpoint(wzp_handset *handset);
const char *wzp_handset_fingerprint(const wzp_handset *handset);

typedef enum wzp_handset_event_kind {
    WZP_HANDSET_PHONE,   /* .phone: REGISTERED, PRESENCE, INCOMING, RINGING, SET_UP, ENDED, AWAY,
                            CLOSED */
    WZP_HANDSET_SEEN,    /* others see us at .addr; NONE: nobody says where */
    WZP_HANDSET_PATH,    /* media take .path now, which is not what was told before; .addr is its
                            far end, .text why, if not as hoped */
    WZP_HANDSET_OPEN,    /* .sockets more, for IPv4, are wanted: wzp_handset_opened() when they are.
                            An owner that cannot does nothing */
    WZP_HANDSET_NEAREST, /* of the relays that ours lists, .nearest is the nearest now */
    WZP_HANDSET_SHUT     /* those for which wzp_handset_uses_port() is false can be closed */
} wzp_handset_event_kind;

typedef struct wzp_handset_event {
    wzp_handset_event_kind kind;
    const wzp_phone_event *phone; /* borrowed until the next call */
    wzp_race_path path;           /* DIRECT or RELAY */
    bool proven; /* PATH, DIRECT: the far end has shown the key of the fingerprint of this call */
    wzp_addr addr;
    size_t sockets;
    const wzp_relay_entry *nearest; /* borrowed until the next call */
    const char *text;               /* static, never NULL */
} wzp_handset_event;

bool wzp_handset_next_event(wzp_handset *handset, wzp_time now, wzp_handset_event *out);

/* Rings, as soon as it is known where we can be reached: at once, as a rule; a mapping delays it by
 * WZP_HANDSET_MAPPING_WAIT at most (U12), who sees us by WZP_PHONE_REFLECT_LIMIT.
 * INVALID_ARGUMENT: no fingerprint, not registered, in a call; CLOSED. */
#define WZP_HANDSET_MAPPING_WAIT (250 * WZP_MS)
WZP_MUST_USE wzp_err wzp_handset_call(wzp_handset *handset, const char *fingerprint, wzp_time now);

/* Answers, likewise.  INVALID_ARGUMENT: nobody rings; CLOSED. */
WZP_MUST_USE wzp_err wzp_handset_answer(wzp_handset *handset, wzp_accept_mode mode, wzp_time now);

/* The sound of the call that SET_UP told of; borrowed until ENDED, or until the handset is freed.
 */
void wzp_handset_use(wzp_handset *handset, wzp_client *client, wzp_time now);

void wzp_handset_hangup(wzp_handset *handset, wzp_time now); /* the call */
/* As wzp_phone_lose. */
void wzp_handset_lose(wzp_handset *handset, wzp_time now);
void wzp_handset_close(wzp_handset *handset, wzp_time now); /* the connection, and the call */

/* The network is another one now: addresses, gateway or default route. */
void wzp_handset_network(wzp_handset *handset, const wzp_handset_net *net, wzp_time now);

/* A mapping by UPnP, which its owner keeps: `external` NONE: there is none (any more). */
void wzp_handset_upnp(wzp_handset *handset, wzp_addr external, wzp_time now);

/* The ports of sockets that were opened after OPEN.  What comes in by one of them is given to recv
 * with its port in the local address of the path; what next_packet gives with such a port there
 * leaves by that socket.  Without any the other side is told nothing. */
void wzp_handset_opened(wzp_handset *handset, const uint16_t *ports, size_t count, wzp_time now);
bool wzp_handset_uses_port(const wzp_handset *handset, uint16_t port);

/* Ends a birthday; so long its sockets are open at most, but for one that media take. */
#define WZP_HANDSET_BIRTHDAY (12 * WZP_S)

/* As wzp_phone_signal. */
void wzp_handset_signal(wzp_handset *handset, bool out, wzp_bytes json, wzp_time now);

/* Reference: so long nothing came by a direct connection; then it is broken. */
#define WZP_HANDSET_SILENCE (1500 * WZP_MS)
/* Each end says something at least so often, so that silence means something. */
#define WZP_HANDSET_KEEP_ALIVE (500 * WZP_MS)

typedef struct wzp_handset_counters {
    uint64_t dials, tickles;
    uint64_t refused_sni, refused_addr, refused_key; /* direct connections of somebody else */
    uint64_t stale;                                  /* and such that came too late, or too often */
    uint64_t held;      /* dials and tickles that were too many at once: a peer's word sends them */
    uint64_t repairs;   /* a direct path that broke in a call */
    uint64_t races;     /* and how often one was looked for */
    uint64_t birthdays; /* begun */
    uint64_t birthday_ports, birthday_probes, birthday_hits; /* opened, sent, come in */
    uint64_t strangers;              /* datagrams that are nothing we asked for */
    uint64_t updates, stale_updates; /* as in phone.h */
    uint64_t refused_calls, unreadable, ignored, unsent;
    uint64_t probes_elsewhere, birthdays_ignored;
    uint32_t update_number;
    wzp_call_refused told;        /* addresses of others that were left out */
    wzp_gather_refusals answers;  /* of servers and gateways */
    wzp_endpoint_counters socket; /* its `stale`: connections that nobody waits for at all */
} wzp_handset_counters;

void wzp_handset_count(const wzp_handset *handset, wzp_handset_counters *out);

#endif
