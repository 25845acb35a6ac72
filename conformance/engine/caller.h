/* The testers as all that a client under test meets in a direct call (nat sheet 1.4, 1.10, 1.16 to
 * 1.19): the relay's signal side, where it registers, and the other side of the call, which dials
 * and is dialled at addresses of its own.  The relay's room is the server's (server.h).
 *
 *     client ---- _signal ------- RELAY    registration, Reflect, offers, set-up, reports
 *            ---- call-ID ------- RELAY    its room: wzp_ct_server
 *            ---- call-call-ID -- PEER, LAN, MAPPED   the other side, as deployed: not able to
 *            ---- call-call-ID -- STRANGER            dial and accept at once
 *
 * Notes what comes and says what a case wants; it does nothing by itself but acknowledge a
 * registration, answer Reflect and, of a call that the client places, take over its id.  Sans-IO,
 * one client. */
#ifndef WZP_CONFORMANCE_ENGINE_CALLER_H
#define WZP_CONFORMANCE_ENGINE_CALLER_H

#include "conformance/engine/evidence.h"
#include "crypto/handshake.h"
#include "crypto/identity.h"
#include "quic/quic.h"
#include "wire/signal.h"

/* Each has an address of its own, and so an IP. */
typedef enum wzp_ct_place {
    WZP_CT_AT_RELAY,
    WZP_CT_AT_PEER, /* its reflexive address */
    WZP_CT_AT_LAN,  /* in its own network */
    WZP_CT_AT_MAPPED,
    WZP_CT_AT_STRANGER,
    WZP_CT_AT_STUN,
    WZP_CT_AT_GATEWAY, /* whose port is that of NAT-PMP and PCP */
    WZP_CT_AT_NOBODY,  /* nothing that comes here is looked at, but counted */
    WZP_CT_PLACES
} wzp_ct_place;

enum { WZP_CT_PORTMAP_PORT = 5351 }; /* of gateways */
enum { WZP_CT_DIRECTS = 32, WZP_CT_CALL_ID_MAX = 40, WZP_CT_THROWN_MAX = 1200, WZP_CT_THROWN = 32 };

/* What came to a place, of any connection or none. */
typedef struct wzp_ct_visits {
    uint64_t datagrams, initials, loose; /* loose: not QUIC */
    size_t longest_loose;
    wzp_time first_at, first_loose_at, last_at; /* NEVER: none */
    wzp_addr from, loose_from;                  /* of the last one */
} wzp_ct_visits;

/* A connection between the client and a place of the peer, or a stranger. */
typedef struct wzp_ct_direct {
    wzp_quic_conn conn;
    wzp_ct_place place;
    bool is_ours; /* we dialled */
    bool is_up;
    char sni[64]; /* of the client's, cut */
    wzp_addr client;
    wzp_time up_at, closed_at; /* NEVER: not yet */
    wzp_quic_close_info close;
    uint64_t datagrams;
    wzp_time first_datagram_at, last_datagram_at;
} wzp_ct_direct;

/* How we answer Reflect. */
typedef enum wzp_ct_observes {
    WZP_CT_OBSERVES_SMALLER, /* an IP whose text comes before the peer's: the client accepts */
    WZP_CT_OBSERVES_LARGER,  /* another IP, which comes after: it dials */
    WZP_CT_OBSERVES_MOVED,   /* a third one */
    WZP_CT_OBSERVES_SAME_IP, /* the peer's IP and port 9, whose text comes after the peer's */
    WZP_CT_OBSERVES_NOTHING, /* no answer */
    WZP_CT_OBSERVES_LATE,    /* like LARGER, 700 ms later */
    WZP_CT_OBSERVES_RUBBISH  /* no address */
} wzp_ct_observes;

/* How our signals are written where it makes no difference. */
typedef enum wzp_ct_wording {
    WZP_CT_WORDS_PLAIN,
    WZP_CT_WORDS_BARE, /* without "version" */
    WZP_CT_WORDS_LATER /* version 2, and a field that nobody knows */
} wzp_ct_wording;

typedef struct wzp_ct_thrown {
    wzp_quic_path path;
    size_t len;
    uint8_t bytes[WZP_CT_THROWN_MAX];
} wzp_ct_thrown;

typedef struct wzp_ct_caller {
    wzp_quic *quic;
    wzp_rng rng;
    wzp_identity identity;
    wzp_ephemeral ephemeral;
    char call_id[WZP_CT_CALL_ID_MAX];
    char room[sizeof "call-" + WZP_CT_CALL_ID_MAX];
    wzp_addr places[WZP_CT_PLACES];
    bool is_deaf[WZP_CT_PLACES]; /* what comes there is lost */

    /* The signal connection; another one replaces it. */
    wzp_quic_conn signal;
    wzp_addr client;  /* where it comes from */
    uint32_t signals; /* connections, in all */
    wzp_time signal_at[16], closed_at;
    bool turns_away, is_registered;
    char fingerprint[WZP_FINGERPRINT_TEXT + 1]; /* of the client */

    wzp_ct_wording wording;
    wzp_ct_observes observes;
    char observed[WZP_ADDR_TEXT_MAX]; /* what it was told last; "": nothing */
    wzp_time reflect_at, reflect_due; /* NEVER */
    bool was_reflected;

    uint32_t heard[WZP_SIGNAL_COUNT];   /* signals by kind */
    wzp_signal *last[WZP_SIGNAL_COUNT]; /* the last of each kind; owned */
    char *last_json[WZP_SIGNAL_COUNT];
    wzp_time first_at[WZP_SIGNAL_COUNT], last_at[WZP_SIGNAL_COUNT];
    uint32_t unreadable;
    uint32_t telling; /* signals of it that name an address of its own */
    int64_t watched;
    bool watched_came; /* its QUIC has acknowledged our last signal */
    wzp_time set_up_at;

    wzp_ct_direct directs[WZP_CT_DIRECTS];
    size_t direct_count, directs_missed;
    wzp_ct_visits visits[WZP_CT_PLACES];

    wzp_ct_thrown thrown[WZP_CT_THROWN];
    size_t thrown_first, thrown_count;
} wzp_ct_caller;

/* The call's id and room are drawn.  Places follow before anything comes. */
void wzp_ct_caller_init(wzp_ct_caller *caller, wzp_quic *quic, wzp_rng rng);
void wzp_ct_caller_clear(wzp_ct_caller *caller);

/* False: it is not the caller's, but the server's. */
bool wzp_ct_caller_event(wzp_ct_caller *caller, const wzp_quic_event *ev, wzp_time now,
                         wzp_evidence *evidence);
/* Every datagram before QUIC has it.  False: QUIC must not get it. */
bool wzp_ct_caller_packet(wzp_ct_caller *caller, const wzp_quic_path *path, wzp_bytes payload,
                          wzp_time now);
void wzp_ct_caller_tick(wzp_ct_caller *caller, wzp_time now);
wzp_time wzp_ct_caller_deadline(const wzp_ct_caller *caller);

/* --- the relay's signals ---------------------------------------------------------------------- */

/* Any text, and any signal. */
bool wzp_ct_caller_say(wzp_ct_caller *caller, const char *json);
bool wzp_ct_caller_tell(wzp_ct_caller *caller, const wzp_signal *signal);

/* Where the peer can be reached, as it is told; NULL: not. */
typedef struct wzp_ct_told {
    const char *reflexive, *mapped;
    const char *local[8];
    size_t local_count;
} wzp_ct_told;

/* "ip:port" of a place. */
const char *wzp_ct_caller_text(const wzp_ct_caller *caller, wzp_ct_place place,
                               char buf[WZP_ADDR_TEXT_MAX]);

/* We take the client's call: it rings, and we trust it.  CallSetup is to follow. */
bool wzp_ct_caller_take(wzp_ct_caller *caller);

/* A call for the client, without addresses, since its CallSetup has them. */
bool wzp_ct_caller_ring(wzp_ct_caller *caller);
/* The room of the call is at `relay`. */
bool wzp_ct_caller_set_up(wzp_ct_caller *caller, const wzp_ct_told *told, wzp_ct_place relay,
                          wzp_time now);
bool wzp_ct_caller_report(wzp_ct_caller *caller, bool direct_ok);

/* Signals get lost or take so long that a client's deadlines are not its own doing. */
bool wzp_ct_caller_path_is_bad(const wzp_ct_caller *caller);

/* What the client says its address is, in its answer or its offer; NULL: nothing. */
const wzp_opt_str *wzp_ct_caller_reflexive(const wzp_ct_caller *caller);

/* --- the other side's paths ------------------------------------------------------------------- */

/* Dials the client from a place; `sni` NULL: the right one.  NULL: it cannot. */
wzp_ct_direct *wzp_ct_caller_dial(wzp_ct_caller *caller, wzp_ct_place from, const char *sni,
                                  wzp_time now);
/* A packet of speech on a direct connection. */
bool wzp_ct_caller_speak(wzp_ct_caller *caller, const wzp_ct_direct *direct, uint32_t number);
/* One datagram that belongs to nothing.  False: too many wait. */
bool wzp_ct_caller_throw(wzp_ct_caller *caller, wzp_ct_place from, const wzp_addr *to,
                         wzp_bytes bytes);
bool wzp_ct_caller_next_thrown(wzp_ct_caller *caller, wzp_ct_thrown *out);

/* The first connection of a place that is up, or was; NULL: none. */
wzp_ct_direct *wzp_ct_caller_direct(wzp_ct_caller *caller, wzp_ct_place place);

#endif
