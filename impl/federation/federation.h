/* Federation of relays: which peers there are, who may link, which rooms are bridged, who is in
 * them elsewhere, and what becomes of a packet that another relay sent (relay sheet 9).
 *
 * Sans-IO, and without QUIC: links are named by numbers that the caller chose.  Inputs are links
 * that come and go, their signals and datagrams, the members of local rooms, and time.  Outputs
 * (dial, send, close, tell a room) are drained with wzp_federation_next; the path of media packets
 * answers directly and allocates nothing.  Not thread-safe.
 *
 * Any mesh works, with deployed relays in it:
 *  - A packet is forwarded to every peer but the one that it came from, and a packet that was seen
 *    within two seconds is dropped.  Its mark is a keyed hash of all its bytes: senders whose
 *    headers are equal do not collide.  What leaves us is marked as well, so nothing comes back to
 *    its sender.
 *  - A GlobalRoomActive is the whole truth of the relay that sends it: its own members and those
 *    that it knows from others.  Lists that are told in circles would keep each other alive, so
 *    ours carry the relay that each member is on and a number that this relay raises with every
 *    list ("origins": ["ID:NUMBER"], "origin": "ID"; peers that do not know these fields ignore
 *    them).  Only a higher number is news, and what is not raised for WZP_FED_STALE is gone.  The
 *    list of a peer without numbers is taken as that peer's own. */
#ifndef WZP_FEDERATION_FEDERATION_H
#define WZP_FEDERATION_FEDERATION_H

#include "base/addr.h"
#include "base/rng.h"
#include "base/time.h"
#include "meter/meter.h"
#include "wire/federation.h"
#include "wire/signal.h"

typedef struct wzp_federation wzp_federation;
typedef struct wzp_fed_link wzp_fed_link; /* one connection to a peer; a peer may have several */
typedef struct wzp_fed_room wzp_fed_room; /* a room that is bridged */

#define WZP_FED_PEERS 64 /* peers and trusted together */
#define WZP_FED_NO_PEER UINT32_MAX
#define WZP_FED_NAME_MAX 253
#define WZP_FED_KEY_MAX 104 /* characters of a fingerprint without its colons */

#define WZP_FED_PARTICIPANTS 4096    /* of one relay in one room; longer lists are cut */
#define WZP_FED_TEXT_MAX 96          /* bytes of a fingerprint, an alias, a label; longer are cut */
#define WZP_FED_ORIGINS 128          /* relays that one room has members on */
#define WZP_FED_ROOMS_OF_PEER 1024   /* call- rooms that exist because one peer says so */
#define WZP_FED_ROOM_PPS 500         /* packets per second and room from one peer, default */
#define WZP_FED_PEER_PPS 20000       /* datagrams per second from one peer, default ... */
#define WZP_FED_PEER_BYTES 25000000  /* ... and their bytes, 200 Mbit/s */
#define WZP_FED_UNTOLD 8             /* senders in a room that no list may have named yet */
#define WZP_FED_DEDUP_CAP (1U << 17) /* packets remembered, default; a power of two */

#define WZP_FED_BACKOFF_MIN (5 * WZP_S)
#define WZP_FED_BACKOFF_MAX (300 * WZP_S)
#define WZP_FED_DEDUP (2 * WZP_S)
#define WZP_FED_REFRESH (5 * WZP_S) /* rooms are announced again */
#define WZP_FED_STALE (15 * WZP_S)
#define WZP_FED_HOLD (100 * WZP_MS) /* between two announcements of one room */

/* One [[peers]] or [[trusted]] entry.  Texts are copied. */
typedef struct wzp_fed_peer_cfg {
    wzp_addr addr;           /* family NONE: trusted, never dialled */
    const char *fingerprint; /* of its certificate, any case, with or without colons */
    const char *label;       /* NULL: its address, or 16 characters of the fingerprint */
} wzp_fed_peer_cfg;

typedef struct wzp_federation_cfg {
    wzp_rng rng;
    const char *fingerprint; /* our own, as printed: goes into hellos and envelopes.  Copied */
    const wzp_fed_peer_cfg *peers;
    size_t peer_count;        /* at most WZP_FED_PEERS; of equal fingerprints the first counts */
    const char *const *rooms; /* [[global_rooms]]; copied */
    size_t room_count;
    bool pin_required;             /* a dialled peer must show the certificate of its fingerprint */
    uint32_t room_pps;             /* 0: WZP_FED_ROOM_PPS */
    uint32_t peer_pps, peer_bytes; /* 0: WZP_FED_PEER_PPS, WZP_FED_PEER_BYTES */
    uint32_t dedup_cap;            /* 0: WZP_FED_DEDUP_CAP */
} wzp_federation_cfg;

/* WZP_ERR_NOMEM, WZP_ERR_LIMIT (too many peers), WZP_ERR_INVALID_ARGUMENT (a fingerprint or a
 * room's name is empty or too long). */
WZP_MUST_USE wzp_err wzp_federation_new(wzp_federation **out, const wzp_federation_cfg *cfg,
                                        wzp_time now);
/* Accepts NULL, leaves NULL. */
void wzp_federation_free(wzp_federation **fed);

void wzp_federation_tick(wzp_federation *fed, wzp_time now);
wzp_time wzp_federation_deadline(const wzp_federation *fed);

typedef enum wzp_fed_output_kind {
    WZP_FED_DIAL,  /* .peer, .addr: answer with wzp_federation_dialled or _failed */
    WZP_FED_SEND,  /* .conn, .json */
    WZP_FED_CLOSE, /* .conn, .reason: wzp_federation_closed follows */
    WZP_FED_ROOM   /* .room: others are in it now; tell its members here */
} wzp_fed_output_kind;

typedef struct wzp_fed_output {
    wzp_fed_output_kind kind;
    uint32_t peer;
    wzp_addr addr;
    uint64_t conn;
    wzp_bytes json;     /* borrowed until the next call on `fed` */
    const char *reason; /* static text */
    wzp_fed_room *room;
} wzp_fed_output;

/* False when there is none. */
bool wzp_federation_next(wzp_federation *fed, wzp_fed_output *out);

/* --- links ------------------------------------------------------------------------------------ */

/* The connection to a peer is on its way as `conn`.  NULL: out of memory, close it. */
wzp_fed_link *wzp_federation_dialled(wzp_federation *fed, uint32_t index, uint64_t conn);
/* It could not even be tried. */
void wzp_federation_failed(wzp_federation *fed, uint32_t index, wzp_time now);

/* The dialled connection stands: says hello and announces.  `cert` is the SHA-256 of the
 * certificate that the peer showed, NULL if unknown. */
void wzp_federation_connected(wzp_federation *fed, wzp_fed_link *link, const uint8_t cert[32],
                              wzp_time now);

/* Somebody linked to us and said hello.  NULL: not trusted, close it; *why (may be NULL) tells for
 * the log. */
wzp_fed_link *wzp_federation_accepted(wzp_federation *fed, uint64_t conn, const wzp_addr *remote,
                                      wzp_bytes hello, wzp_time now, const char **why);

/* The connection is gone; the link is freed. */
void wzp_federation_closed(wzp_federation *fed, wzp_fed_link *link, wzp_time now);

uint32_t wzp_fed_link_peer(const wzp_fed_link *link);

/* --- signals ---------------------------------------------------------------------------------- */

/* One signal of a link.  Returns the signal inside of a FederatedSignalForward that is not ours
 * (borrowed from `signal`), for the registry of calls; else NULL: it was dealt with. */
const wzp_signal *wzp_federation_signal(wzp_federation *fed, wzp_fed_link *link,
                                        const wzp_signal *signal, wzp_time now);

/* In an envelope to one peer, or with WZP_FED_NO_PEER to all.  Returns how many it was sent to. */
size_t wzp_federation_forward(wzp_federation *fed, uint32_t to, const wzp_signal *inner);

/* --- rooms ------------------------------------------------------------------------------------ */

/* A local room of this name came to be; `app` is what wzp_fed_room_local lends back.  NULL: the
 * room is not bridged. */
wzp_fed_room *wzp_federation_join(wzp_federation *fed, const char *name, void *app, wzp_time now);
/* Who is in it now; copied. */
void wzp_federation_members(wzp_federation *fed, wzp_fed_room *room, const void *app,
                            const wzp_room_participant *items, size_t count, wzp_time now);
/* It is gone. */
void wzp_federation_leave(wzp_federation *fed, wzp_fed_room *room, const void *app, wzp_time now);

/* The local rooms that share a bridged one: its name, and the hash that web clients call it by.
 * NULL: there is none. */
#define WZP_FED_LOCAL 2
void *wzp_fed_room_local(const wzp_fed_room *room, size_t i);

/* Those in it who are elsewhere; borrowed until the next non-const call.  The same fingerprint may
 * come twice.  `out` may be NULL; returns how many there are, at most `cap` are written. */
size_t wzp_fed_room_remote(const wzp_fed_room *room, wzp_room_participant *out, size_t cap);

const char *wzp_fed_room_name(const wzp_fed_room *room);

/* --- media: no allocation, no JSON ------------------------------------------------------------ */

typedef enum wzp_fed_verdict {
    WZP_FED_DELIVER,
    WZP_FED_MALFORMED,
    WZP_FED_NO_ROOM,
    WZP_FED_DUPLICATE,
    WZP_FED_RATE,      /* of this peer in this room */
    WZP_FED_PEER_RATE, /* of this peer: it was not looked at */
    WZP_FED_EXCESS,    /* more than those in the room could send, see wzp_federation_meter */
    WZP_FED_VERDICT_COUNT
} wzp_fed_verdict;

typedef struct wzp_fed_packet {
    wzp_fed_room *room;
    wzp_federation_datagram parsed; /* borrows from the datagram */
    size_t delivered;               /* the caller's */
} wzp_fed_packet;

/* What peers send in a room is held against what ENF-1 lets as many senders send as are known to be
 * elsewhere in it, and WZP_FED_UNTOLD more (meter/crowd.h). */
typedef enum wzp_fed_metering {
    WZP_FED_METER_OFF,
    WZP_FED_METER_COUNT, /* what is over is counted and delivered */
    WZP_FED_METER_DROP   /* it is counted, and its verdict is WZP_FED_EXCESS */
} wzp_fed_metering;
void wzp_federation_meter(wzp_federation *fed, wzp_fed_metering metering); /* at first: OFF */

/* A datagram from a link.  WZP_FED_DELIVER: its packet goes to the local rooms, and the datagram as
 * it is to wzp_federation_targets. */
wzp_fed_verdict wzp_federation_ingress(wzp_federation *fed, wzp_fed_link *link, wzp_bytes datagram,
                                       wzp_time now, wzp_fed_packet *out);

/* A packet of a local member is to leave: writes the datagram into `buf` and returns its length. 0:
 * there is no peer, or the packet does not fit (counted). */
size_t wzp_federation_egress(wzp_federation *fed, wzp_fed_room *room, wzp_bytes packet,
                             uint8_t *buf, size_t cap, wzp_time now);

/* The preferred link of every peer that is up, the newest of each. */
typedef struct wzp_fed_target {
    uint64_t conn;
    uint32_t peer;
} wzp_fed_target;
const wzp_fed_target *wzp_federation_targets(const wzp_federation *fed, size_t *count);
void wzp_federation_sent(wzp_federation *fed, uint32_t index); /* counts */
void wzp_federation_not_sent(wzp_federation *fed);

/* --- what is known ---------------------------------------------------------------------------- */

typedef struct wzp_fed_peer_info {
    const char *label, *key; /* borrowed from the federation; the key is the bare fingerprint */
    bool up;
    uint64_t conn; /* of the preferred link, 0: none */
    uint64_t packets_in, packets_out;
    uint64_t over_rate, over_room_rate, excess; /* datagrams */
    size_t active_rooms;
} wzp_fed_peer_info;
size_t wzp_federation_peers(const wzp_federation *fed);
/* This certificate is the one that the peer's fingerprint names. */
bool wzp_federation_is_pinned(const wzp_federation *fed, uint32_t index, const uint8_t cert[32]);
void wzp_federation_peer(const wzp_federation *fed, uint32_t index, wzp_fed_peer_info *out);

typedef struct wzp_fed_counters {
    uint64_t verdicts[WZP_FED_VERDICT_COUNT];
    uint64_t too_large, send_failures; /* packets that did not fit the datagram, or the path */
    uint64_t forgotten_early;          /* marks that made room before their two seconds were over */
    uint64_t dials, dial_failures, links_lost;
    uint64_t hellos_refused, pin_mismatches;
    uint64_t rooms_refused;   /* lists of rooms that are not bridged, or over a limit */
    uint64_t lists_cut;       /* participants or texts over a limit */
    uint64_t lists_old;       /* lists that were known already, or are older than what is known */
    uint64_t lists_expired;   /* nobody raised their number, or their peer was silent */
    uint64_t identity_echoes; /* somebody else announces under our identity, or we restarted */
    uint64_t envelopes_own;   /* our own came back */
    uint64_t
        envelopes_foreign; /* the origin is not the peer that sent it; answers go to the peer */
    uint64_t signals_ignored;
    uint64_t announcements; /* sent */
} wzp_fed_counters;
void wzp_federation_count(const wzp_federation *fed, wzp_fed_counters *out);

/* "duplicate"; static text. */
const char *wzp_fed_verdict_name(wzp_fed_verdict verdict);

#endif
