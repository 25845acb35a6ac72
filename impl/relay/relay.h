/* The relay core: connection dispatch by SNI, media handshake, rooms, fan-out, meters, metrics.
 *
 * Sans-IO: datagrams, time and commands in; packets, events and one deadline out.  One instance
 * is one worker; it is not thread-safe and shares nothing.  Memory per participant is bounded by
 * the limits in relay/limits.h.  Relay sheet 3, 5-7, 11, 13; conformance sheet 2-14. */
#ifndef WZP_RELAY_RELAY_H
#define WZP_RELAY_RELAY_H

#include <stdatomic.h>

#include "base/wr.h"
#include "federation/federation.h"
#include "federation/probe.h"
#include "meter/bans.h"
#include "quic/core.h"

typedef struct wzp_relay wzp_relay;

/* off: no metering, no scores, nothing is closed or dropped.  count: the deployed meters of tiers
 * A-E count, nothing else.  observe: exactly what deployed relays do, so these meters and the video
 * scorer, whose Abusive verdict drops packets without a word, fragmented video of honest senders
 * included (conformance sheet 8.2, 9, 14).  on: ENF-1 decides, nothing is dropped silently, and
 * the offender gets a typed Hangup before the close (conformance sheet 10.4, 13). */
typedef enum wzp_enforce {
    WZP_ENFORCE_OFF,
    WZP_ENFORCE_COUNT,
    WZP_ENFORCE_OBSERVE,
    WZP_ENFORCE_ON
} wzp_enforce;

/* What several workers count together. */
typedef struct wzp_relay_shared {
    atomic_uint_least32_t media_sessions;
    atomic_uint_least32_t offences; /* since the start: look for wzp_relay_next_offence */
} wzp_relay_shared;

/* What --enforce on does beyond the meters of one connection (conformance sheet 7, 10.2); 0: the
 * default. */
typedef struct wzp_relay_policy {
    bool entropy_closes; /* a minute of abuse by tier F hangs up; otherwise it is only counted */
    uint64_t cooldown;   /* ns after a violation; 1 h */
    uint64_t block;      /* ns after one of the same kind within that time; 24 h */
    uint64_t month_anonymous, month_authenticated; /* bytes of a fingerprint in 30 days; 1, 50 GB */
    uint64_t senders_per_ip; /* one address sends no more than so many would; 256, which is most */
} wzp_relay_policy;

#define WZP_POLICY_NONE UINT64_MAX /* in place of any number there: no such limit */
#define WZP_POLICY_COOLDOWN (3600 * WZP_S)
#define WZP_POLICY_BLOCK (86400 * WZP_S)
#define WZP_POLICY_MONTH_ANONYMOUS UINT64_C(1000000000)
#define WZP_POLICY_MONTH_AUTHENTICATED UINT64_C(50000000000)

typedef struct wzp_relay_cfg {
    wzp_rng rng;
    wzp_log log;
    uint8_t seed[32]; /* identity: signing key and TLS certificate derive from it; wiped by the
                         relay in its own copy on free, the caller wipes its own */
    wzp_enforce enforce;
    wzp_relay_policy policy;
    bool exact_limits;                   /* tier A without its guard band for Opus */
    const char *build;                   /* answer to SNI "version"; NULL: "unknown".  Copied */
    const char *region;                  /* RegisterPresenceAck; may be NULL.  Copied */
    const char *const *available_relays; /* "label|IP:PORT" for RegisterPresenceAck.  Copied */
    size_t available_count;              /* at most 64 */
    uint32_t max_sessions;               /* 0: 100 (relay sheet 1.2) */
    uint64_t ring_timeout; /* of direct calls; 0: 60 s, WZP_TIME_NEVER: none, as deployed */
    wzp_addr advertised;   /* CallSetup.relay_addr; family NONE: where the client reached us */
    bool strict_identity;  /* RegisterPresence proves its key; tokens and callers bear its name */
    bool auth;             /* connections begin with an AuthToken, see wzp_relay_next_auth */
    bool pli_broadcast;    /* PLI to all members as deployed, instead of to the owner only */
    bool layers_by_report; /* video layers by QualityReport alone, as deployed: always the lowest */
    bool trunking;         /* media leaves in TrunkFrames, which no deployed client reads */
    const wzp_federation_cfg *federation; /* NULL: alone.  Copied; its rng and fingerprint are the
                                             relay's own.  The first worker's, to which the rooms
                                             that it names belong (federation/names.h) */
    const wzp_addr *probe_targets;        /* relays that are measured.  Copied */
    size_t probe_count;                   /* at most 64 */
    bool packet_events;                   /* events of every packet from peers, for the event log */
    const char *debug_tap; /* a room's name or "*": its traffic is logged, see tap.h.  Copied */

    /* One of several instances behind one address; 0 and NULL: alone.  Each owns whole rooms:
     * whoever drives them asks wzp_relay_worker_of.  `shared` is borrowed, and max_sessions holds
     * for all of them. */
    uint32_t workers, worker;
    wzp_relay_shared *shared;

    /* Handed to the endpoint, see quic/quic.h. */
    uint32_t max_conns, max_conns_per_ip, max_handshakes;
    bool loopback_mtu, always_retry, deterministic;
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
    void (*qlog)(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);
    void *qlog_ctx;
} wzp_relay_cfg;

/* WZP_ERR_NOMEM, WZP_ERR_CRYPTO_LIB.  `cfg` is borrowed for the call. */
WZP_MUST_USE wzp_err wzp_relay_new(wzp_relay **out, const wzp_relay_cfg *cfg, wzp_time now);

/* Whose a connection is, by its SNI in lower case.  Worker 0 has all signal connections, and so
 * presence and the registry of direct calls; the rooms of calls are with it, as who may join them
 * is looked up there.  Other rooms are spread by a hash of their names. */
unsigned wzp_relay_worker_of(const char *sni, unsigned workers);

/* Accepts NULL, leaves NULL. */
void wzp_relay_free(wzp_relay **relay);

/* The four functions of a packet core. */
void wzp_relay_recv(wzp_relay *relay, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                    wzp_time now);
void wzp_relay_tick(wzp_relay *relay, wzp_time now);
wzp_time wzp_relay_deadline(const wzp_relay *relay);
size_t wzp_relay_next_packet(wzp_relay *relay, wzp_time now, uint8_t *buf, size_t cap,
                             wzp_quic_meta *meta);

wzp_core wzp_relay_core(wzp_relay *relay);

/* What happened, for the event log; names and fields of relay sheet 11.4 plus our own. */
typedef struct wzp_relay_event {
    const char *event; /* static text, e.g. "join", "leave", "violation" */
    wzp_time at;
    char room[256];          /* "" where it does not apply */
    char peer[104];          /* fingerprint or address */
    char reason[160];        /* printable */
    char codec[16], tier[4]; /* "" where it does not apply */
    uint32_t seq, len, count;
} wzp_relay_event;

/* False when there is none.  The queue holds 1024 events; what does not fit is counted. */
bool wzp_relay_next_event(wzp_relay *relay, wzp_relay_event *out);

/* Bearer tokens (relay sheet 4, crypto sheet 5).
 *
 * With cfg.auth the first signal of media and signal connections is an AuthToken.  The relay asks
 * through this queue, and the driver asks the service (relay/auth_service.h has its format).  At
 * most WZP_LIMIT_AUTH_PENDING questions are open, each for WZP_TIMER_AUTH. */

typedef struct wzp_relay_auth {
    uint64_t id;       /* never reused */
    wzp_bytes token;   /* borrowed until the next non-const call on the relay */
    wzp_time deadline; /* then the relay gives up by itself */
} wzp_relay_auth;

/* False when there is none.  Each question comes once. */
bool wzp_relay_next_auth(wzp_relay *relay, wzp_relay_auth *out);

typedef enum wzp_auth_verdict {
    WZP_AUTH_REFUSED, /* the service does not know the token */
    WZP_AUTH_ACCEPTED,
    WZP_AUTH_TIMEOUT,
    WZP_AUTH_UNREACHABLE,
    WZP_AUTH_BAD_STATUS, /* not 2xx */
    WZP_AUTH_BAD_ANSWER, /* not the JSON that was expected, or without a usable fingerprint */
    WZP_AUTH_VERDICT_COUNT
} wzp_auth_verdict;

/* "refused"; static text. */
const char *wzp_auth_verdict_name(wzp_auth_verdict verdict);

#define WZP_AUTH_IDENTITY_MAX 96

/* The answer.  `identity` (with ACCEPTED: 1 to WZP_AUTH_IDENTITY_MAX printable ASCII characters)
 * replaces the fingerprint of the connection's key; borrowed.  An id whose connection is gone or
 * that was answered is ignored. */
void wzp_relay_auth_result(wzp_relay *relay, uint64_t id, wzp_auth_verdict verdict,
                           const char *identity, wzp_time now);

/* Prometheus text exposition, every name of relay sheet 11.1 that applies, and ours.
 * WZP_ERR_OVERFLOW: the buffer is too small (room for 256 KiB always suffices). */
WZP_MUST_USE wzp_err wzp_relay_metrics(const wzp_relay *relay, wzp_wr *out);

/* The clients that are here, registered or in a room, by their fingerprints; one that is both, or
 * in several rooms, comes several times, and those without a fingerprint do not come.  `visit`
 * borrows the text and returns false to end it. */
void wzp_relay_visit_clients(const wzp_relay *relay, bool (*visit)(void *ctx, const char *fp),
                             void *ctx);
bool wzp_relay_has_client(const wzp_relay *relay, const char *fingerprint);

/* Relays that this one measures: each with its last pings.  False: `index` is past the last. */
bool wzp_relay_probe(const wzp_relay *relay, size_t index, wzp_addr *target,
                     wzp_probe_window *window);
/* The table of these for people (relay sheet 10.1). */
WZP_MUST_USE wzp_err wzp_relay_mesh(const wzp_relay *relay, wzp_wr *out);
/* What relays that are measured, or that measure us, tell of their clients: each relay with a NULL
 * first, then its clients.  `visit` borrows, and returns false to end it. */
void wzp_relay_visit_gossip(const wzp_relay *relay,
                            bool (*visit)(void *ctx, const wzp_addr *addr, const char *fp),
                            void *ctx);

/* Since wzp_relay_drain or wzp_relay_shutdown. */
bool wzp_relay_is_ending(const wzp_relay *relay);

/* What can change while the relay runs.  Texts are copied; 0 and NULL as in wzp_relay_cfg. */
typedef struct wzp_relay_live {
    wzp_log_level log_max; /* of cfg.log */
    wzp_enforce enforce;
    wzp_relay_policy policy;
    bool exact_limits, strict_identity, pli_broadcast, layers_by_report, trunking;
    uint32_t max_sessions;
    uint64_t ring_timeout; /* of calls to come */
    wzp_addr advertised;
    const char *region, *debug_tap;
    const char *const *available_relays;
    size_t available_count;
} wzp_relay_live;
void wzp_relay_change(wzp_relay *relay, const wzp_relay_live *live);

/* Who is barred by the list of tier G; NULL: nobody ever was.  Borrowed until the next non-const
 * call on the relay. */
const wzp_bans *wzp_relay_bans(const wzp_relay *relay);

/* Several workers have a list each, which their driver keeps alike: what one notes comes out of
 * next_offence (at most 256 wait; the counter in wzp_relay_shared says when to look) and is put
 * into the others'. */
bool wzp_relay_next_offence(wzp_relay *relay, wzp_ban *out);
bool wzp_relay_put_ban(wzp_relay *relay, const wzp_ban *ban, wzp_time now);

/* False: nothing was known of this fingerprint. */
bool wzp_relay_pardon(wzp_relay *relay, const char *fingerprint);

/* As wzp_bans_load. */
WZP_MUST_USE wzp_err wzp_relay_bans_load(wzp_relay *relay, wzp_bytes snapshot, wzp_time now,
                                         uint64_t unix_s, wzp_fail *fail);

/* Admits nobody any more but the parties of calls that are set up, and closes every connection that
 * is neither in a room nor party of a call; these go when they have finished.  The protocol has no
 * signal for it: the close says "the relay drains". */
void wzp_relay_drain(wzp_relay *relay, wzp_time now);

/* Everybody has gone: nobody minds a shutdown. */
bool wzp_relay_is_drained(const wzp_relay *relay);

/* Stops admitting, closes every connection with code 0 "normal close".  Drain packets afterwards.
 */
void wzp_relay_shutdown(wzp_relay *relay, wzp_time now);

/* SHA-256 of the TLS certificate as 32 colon-separated pairs (95 characters), and the identity
 * fingerprint (39 characters).  Borrowed from the relay. */
const char *wzp_relay_tls_fingerprint(const wzp_relay *relay);
const char *wzp_relay_fingerprint(const wzp_relay *relay);

typedef struct wzp_relay_totals {
    uint64_t sessions, rooms; /* now */
    uint64_t packets_in, packets_forwarded, bytes_forwarded, packets_malformed;
    uint64_t violations, policy_hangups, events_dropped;
} wzp_relay_totals;
void wzp_relay_count(const wzp_relay *relay, wzp_relay_totals *out);

#endif
