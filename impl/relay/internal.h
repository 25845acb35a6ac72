/* Shared by the files of the relay core; nobody else includes it. */
#ifndef WZP_RELAY_INTERNAL_H
#define WZP_RELAY_INTERNAL_H

#include "crypto/handshake.h"
#include "federation/federation.h"
#include "federation/gossip.h"
#include "federation/probe.h"
#include "meter/enf.h"
#include "meter/meter.h"
#include "meter/quota.h"
#include "meter/scorer.h"
#include "relay/calls.h"
#include "relay/limits.h"
#include "relay/quality.h"
#include "relay/relay.h"
#include "relay/table.h"
#include "relay/tap.h"
#include "relay/timers.h"
#include "wire/signal.h"
#include "wire/trunk.h"

/* What a connection is to us; the SNI decides where it starts. */
typedef enum session_state {
    SESSION_TOKEN,    /* media or _signal: AuthToken is due */
    SESSION_ASKED,    /* the service is asked about the token */
    SESSION_OFFER,    /* media: CallOffer is due */
    SESSION_ROOM,     /* media: member of a room */
    SESSION_REGISTER, /* _signal: RegisterPresence is due */
    SESSION_SIGNAL,   /* _signal: registered, or was until somebody registered the same name */
    SESSION_PROBE,
    SESSION_HELLO,   /* _federation: FederationHello is due */
    SESSION_DIALLED, /* to a peer, by us */
    SESSION_LINK,    /* with a peer */
    SESSION_FAREWELL /* a last signal or stream is on its way, then close */
} session_state;

typedef struct room room;
typedef struct bridge bridge;
typedef struct bridge_frame bridge_frame;
typedef struct session session;
typedef struct probe probe;

typedef struct kept_packet {
    struct kept_packet *next;
    size_t len;
    uint8_t data[];
} kept_packet;

/* The last complete keyframe of one stream and the one that is coming in (relay sheet 7.5). */
typedef struct keyframe {
    bool used, filling;
    uint8_t stream_id;
    uint32_t next_seq;
    size_t bytes;
    kept_packet *ready, *partial, **tail;
} keyframe;

typedef struct kept_signal {
    struct kept_signal *next;
    size_t len;
    uint8_t json[];
} kept_signal;

/* A question to the service.  Clients do not wait for an answer that never comes on the wire: what
 * they send meanwhile is held. */
typedef struct auth {
    struct auth *next, *prev; /* the oldest first */
    session *owner;
    uint64_t id;
    bool asked; /* the driver has it */
    kept_signal *held, **held_tail;
    size_t held_count, held_bytes;
    size_t token_len;
    uint8_t token[];
} auth;

typedef struct pooled_batch {
    struct pooled_batch *next; /* free ones only */
    wzp_trunk_batch batch;
} pooled_batch;

/* What a sender has pending, one place per member of its room. */
typedef struct trunk {
    pooled_batch **places; /* as room->members; NULL: nothing is pending for that member */
    size_t cap;
    wzp_time flush_at; /* WZP_TIME_NEVER: not in the queue */
    session *next, *prev;
} trunk;

/* Why a frame left. */
typedef enum trunk_cause { TRUNK_FULL, TRUNK_TIMER, TRUNK_END, TRUNK_CAUSE_COUNT } trunk_cause;

/* Whose account of tier E. */
typedef enum account_kind { ACCOUNT_FINGERPRINT, ACCOUNT_ADDRESS, ACCOUNT_COUNT } account_kind;

typedef struct judge judge; /* policy.c */

/* So many in the second that began at `since`. */
typedef struct rate {
    wzp_time since;
    unsigned count;
} rate;

/* What every packet to a listener needs comes first. */
struct session {
    wzp_relay *relay;
    wzp_quic_conn conn;
    bridge *bridge; /* NULL: a QUIC connection */
    room *room;     /* NULL: in none */
    session_state state;
    bool barred; /* broke a rule: nothing of it is forwarded any more */
    wzp_layer layer;

    session *next, *prev;   /* all sessions */
    wzp_table_link by_conn; /* in relay->conns */
    wzp_timer timer;
    const char *farewell_reason;
    int64_t farewell_stream; /* its acknowledgement ends the farewell; 0: none */
    wzp_time connected_at;
    wzp_time offer_due_at; /* media: since when its CallOffer was waited for */
    wzp_quic_path path;
    char sni[WZP_QUIC_SNI_MAX + 1];
    char fingerprint[WZP_AUTH_IDENTITY_MAX + 1];
    bool is_named; /* by the service: the fingerprint of its key does not count */
    auth *auth;
    char alias[WZP_LIMIT_ALIAS + 1]; /* "": none */

    wzp_fed_link *link; /* with a peer; NULL: none */
    probe *probe;       /* that we dialled it for; NULL: none */
    rate updated;       /* on _probe */

    /* on _signal */
    bool is_registered; /* its name leads to it, in relay->clients */
    bool is_proven; /* it holds the key, or the service named it: only such a one takes its name */
    bool presence_waits; /* it missed a list while one was on its way */
    wzp_table_link by_name;
    session *newer, *older;  /* in the order of registration */
    int64_t presence_stream; /* of a list on its way, 0: none */
    rate passed, reflected;

    /* in a room */
    uint64_t number;                              /* process-wide, for the session id */
    uint64_t films[WZP_LIMIT_STREAM_OWNERS / 64]; /* a bit for each stream id of its video */
    wzp_time last_packet_at;
    wzp_meter *meter;
    wzp_enf *enf;
    wzp_video_scorer *scorer; /* of observe; NULL: no video yet */
    bool is_vanishing;        /* by its last verdict */
    judge *judge;             /* made by the first packet that is enforced */
    wzp_quality quality;
    wzp_quality_report last_report;
    bool has_report, has_remb, has_recovery;
    uint64_t dred, plc; /* the highest totals that it told */
    trunk trunk;
    wzp_tap_sender *tap; /* NULL: nobody taps its room */
    keyframe *keyframes; /* WZP_LIMIT_KEYFRAME_STREAMS of them, made on first use */
};

typedef struct stream_owner {
    uint64_t number; /* of the session that sent last, 0: nobody sends on it */
    wzp_time pli_at;
    bool pli_sent;
} stream_owner;

struct room {
    wzp_relay *relay;
    wzp_table_link by_name;
    char name[WZP_QUIC_SNI_MAX + 1];
    session **members; /* in the order in which they joined */
    size_t count, cap;
    wzp_tier tier;
    rate directives;
    bool directive_waits; /* the tier is not what was told last */
    stream_owner *owners; /* by stream id, made on first video packet */
    wzp_fed_room *global; /* NULL: it is not bridged */
    const session *least; /* of all members that told what they can take; only compared */
    uint32_t least_kbps, second_kbps; /* what it told, and the next one; UINT32_MAX: nobody */
    uint64_t estimates;               /* how often these were looked at anew */
    wzp_time update_from;             /* no RoomUpdate to all before */
    wzp_timer update_timer;
};

typedef struct histogram {
    uint64_t buckets[16]; /* one more than there are bounds: +Inf */
    uint64_t count;
    double sum;
} histogram;

/* Why a call is over. */
typedef enum call_end {
    CALL_END_REJECT,
    CALL_END_HANGUP,
    CALL_END_GONE,
    CALL_END_TIMEOUT,
    CALL_END_COUNT
} call_end;

/* Why a signal about a call was not passed on. */
typedef enum call_drop {
    CALL_DROP_NO_CALL,
    CALL_DROP_STRANGER,
    CALL_DROP_STATE,
    CALL_DROP_WITHHELD,
    CALL_DROP_RATE,
    CALL_DROP_SIZE,
    CALL_DROP_AMBIGUOUS,
    CALL_DROP_UNREACHED, /* the peer that the party is with is not known, or not linked */
    CALL_DROP_PEER,      /* of a peer, and not its party's */
    CALL_DROP_COUNT
} call_drop;

/* Why a frame of a guest, or for one, went nowhere. */
typedef enum bridge_drop {
    BRIDGE_DROP_QUEUE,
    BRIDGE_DROP_RATE,
    BRIDGE_DROP_SIZE,
    BRIDGE_DROP_DATAGRAM,
    BRIDGE_DROP_COUNT
} bridge_drop;

typedef struct relay_metrics {
    uint64_t packets_in, packets_forwarded, bytes_forwarded, packets_skipped, send_failures;
    uint64_t packets_ignored; /* before the join, or after a violation */
    uint64_t receivers_stalled, woken_late;
    uint64_t malformed[WZP_ERR_COUNT];
    uint64_t violations[WZP_VIOLATION_COUNT][WZP_CODEC_COUNT][WZP_MEDIA_TYPE_COUNT];
    uint64_t policy_hangups[WZP_VIOLATION_COUNT], video_dropped;
    uint64_t quota_exceeded[ACCOUNT_COUNT][WZP_QUOTA_VERDICT_COUNT];
    /* of tier F: changes to a verdict, and from a better one to suspect or worse */
    uint64_t verdicts[WZP_MEDIA_TYPE_COUNT][WZP_SCORE_VERDICT_COUNT];
    uint64_t suspects[WZP_MEDIA_TYPE_COUNT], abuse_seconds;
    uint64_t turned_away[2]; /* for cool-downs, for blocks */
    uint64_t refused_sessions, handshake_refusals, signals_unknown, signals_ignored;
    uint64_t auth_verdicts[WZP_AUTH_VERDICT_COUNT], auth_ok, auth_fail, auth_over_limit;
    uint64_t calls_offered, calls_offline, calls_misnamed, calls_refused[WZP_CALL_REFUSAL_COUNT];
    uint64_t calls_trusted, calls_generic, calls_ended[CALL_END_COUNT];
    uint64_t call_signals, call_drops[CALL_DROP_COUNT], candidates_cut, reflects_dropped;
    uint64_t calls_abroad, calls_from_abroad, offers_not_here, offers_spoofed;
    uint64_t peer_signals_dropped, probes_dropped, gossip_refused;
    uint64_t presence_lists, presence_sent, presence_deferred, updates_deferred;
    uint64_t bridge_frames_in, bridge_frames_out, bridge_rejected, bridge_drops[BRIDGE_DROP_COUNT];
    uint64_t directives_deferred;
    uint64_t trunk_frames[TRUNK_CAUSE_COUNT], trunk_packets;
    uint64_t pli_forwarded, pli_suppressed, keyframes_dropped, aliases_cut, events_dropped;
    uint64_t nobodies; /* registrations with a key of zeros */
    histogram bytes[WZP_MEDIA_TYPE_COUNT], iat[WZP_MEDIA_TYPE_COUNT], handshake;
    histogram scores[WZP_MEDIA_TYPE_COUNT];
} relay_metrics;

struct wzp_relay {
    wzp_relay_cfg cfg;
    wzp_relay_shared own; /* of a relay that is alone */
    char build[64], region[64];
    wzp_identity identity;
    wzp_tls_identity tls;
    wzp_quic *quic;
    wzp_bytes *relay_views; /* available_relays, in one piece of memory with their texts */
    size_t available_count;
    session *sessions;
    wzp_table conns; /* sessions by connection */
    wzp_timers timers;
    wzp_table clients;         /* registered on _signal, by name */
    session *newest;           /* of these */
    wzp_quic_shared *presence; /* the latest list */
    size_t presence_len, presence_listed;
    session *presence_next;             /* that is to be offered the latest; NULL: all were */
    size_t presence_pending;            /* clients that have not acknowledged theirs */
    wzp_time presence_due, presence_at; /* NEVER: nothing has changed; of the latest list */
    wzp_time presence_step_at;          /* when more clients are offered it */
    bool presence_is_spread;            /* most have it */
    wzp_calls *calls;
    wzp_federation *federation; /* NULL: this relay is alone */
    probe *probes;
    size_t probe_count;
    wzp_gossip *gossip; /* NULL: nobody told anything */
    auth *auth_first, *auth_last;
    uint64_t auth_count, next_auth;
    session *bridge_ready; /* guests that have something to be told */
    uint64_t bridge_count, next_guest;
    session *trunk_first, *trunk_last; /* senders with something pending, the earliest first */
    pooled_batch *trunk_pool;
    wzp_table rooms; /* by name */
    wzp_timers room_timers;
    uint64_t session_count, room_count, next_number, media_sessions, signal_clients;
    bool shutting_down, draining;
    wzp_time judge_from; /* no packet is judged before */
    wzp_bans *bans;      /* NULL: nobody ever was */
    wzp_quota *quotas[ACCOUNT_COUNT];
    uint8_t account_key[16]; /* for their ids */
    uint64_t account_key_id;
    wzp_ban *offences; /* WZP_LIMIT_OFFENCES, of which so many wait for the driver: */
    size_t offences_len;
    relay_metrics metrics;
    wzp_tap tap;
    wzp_relay_event *events;
    size_t events_first, events_len;
    wzp_time now;
};

/* relay.c */
void wzp_relay_set_deadline(session *s, wzp_time deadline);
WZP_MUST_USE wzp_err wzp_relay_set_relays(wzp_relay *r, const char *const *relays, size_t count);
/* The event, for more to be filled in; NULL: it did not fit. */
wzp_relay_event *wzp_relay_event_push(wzp_relay *r, const session *s, const char *event,
                                      const char *reason);

/* dispatch.c */
session *wzp_relay_find_session(const wzp_relay *r, wzp_quic_conn conn);
void wzp_relay_on_connected(wzp_relay *r, const wzp_quic_event *ev);
void wzp_relay_on_signal(session *s, wzp_bytes json);
void wzp_relay_on_timer(session *s);
void wzp_relay_on_closed(session *s);
void wzp_relay_end(session *s, const char *reason);
void wzp_relay_admit_first(session *s);
void wzp_relay_farewell(session *s, const wzp_signal *last, const char *reason, uint64_t wait);

session *wzp_relay_new_session(wzp_relay *r, wzp_quic_conn conn, const char *sni);

/* bridge.c */
void wzp_relay_bridge_admit(session *s);
void wzp_relay_bridge_refuse(session *s, const char *why);
void wzp_relay_bridge_end(session *s, const char *reason);
void wzp_relay_bridge_hangup(session *s, const wzp_signal *hangup);
void wzp_relay_bridge_free(session *s);
void wzp_relay_bridge_push(session *to, wzp_bytes body, bridge_frame **shared);
void wzp_relay_bridge_done(bridge_frame **shared);

/* auth.c */
void wzp_relay_auth_ask(session *s, wzp_bytes token);
void wzp_relay_on_token(session *s, wzp_bytes json);
void wzp_relay_auth_hold(session *s, wzp_bytes json);
bool wzp_relay_auth_admit(session *s, wzp_auth_verdict verdict, const char *identity);
void wzp_relay_auth_conclude(session *s, wzp_auth_verdict verdict, const char *identity);
void wzp_relay_auth_drop(session *s);
bool wzp_relay_auth_name(session *s, const uint8_t identity_pub[WZP_KEY_LEN]);

/* handshake.c */
void wzp_relay_on_offer(session *s, wzp_bytes json);

/* room.c */
room *wzp_relay_find_room(const wzp_relay *r, const char *name);
bool wzp_relay_join(session *s);
void wzp_relay_leave(session *s);
void wzp_relay_on_room_signal(session *s, wzp_bytes json);

/* update.c */
void wzp_relay_room_changed(room *rm, session *joined);
void wzp_relay_updates_tick(wzp_relay *r);

/* forward.c */
void wzp_relay_forward(session *s, wzp_bytes datagram);
bool wzp_relay_violates(session *s, const wzp_media_packet *packet);
void wzp_relay_fan_out(session *s, const wzp_media_packet *packet, wzp_bytes datagram);

/* policy.c */
wzp_violation wzp_relay_judge(session *s, const wzp_media_packet *packet);
void wzp_relay_judge_free(session *s);
bool wzp_relay_is_in_doubt(const session *s);
void wzp_relay_note_estimate(const session *s);
void wzp_relay_offend(session *s, wzp_violation violation);
bool wzp_relay_turn_away(session *s);
void wzp_relay_policy_change(wzp_relay *r, const wzp_relay_policy *policy);
void wzp_relay_policy_free(wzp_relay *r);

/* quotas.c */
void wzp_relay_accounts_init(wzp_relay *r);
uint64_t wzp_relay_account_id(const wzp_relay *r, wzp_bytes of);
wzp_quota *wzp_relay_quota(wzp_relay *r, account_kind kind); /* NULL: no memory */

/* tap.c */
void wzp_relay_tap_set(wzp_relay *r, const char *filter);
void wzp_relay_tap_join(session *s);
void wzp_relay_tap_leave(session *s, const room *rm);
void wzp_relay_tap_update(wzp_relay *r, const room *rm);
void wzp_relay_tap_directive(wzp_relay *r, const room *rm, const char *codec, const char *reason);
void wzp_relay_tap_packet(session *s, const wzp_media_packet *packet);
void wzp_relay_tap_tick(wzp_relay *r);
wzp_time wzp_relay_tap_deadline(const wzp_relay *r);

/* trunk.c */
void wzp_relay_trunk_push(session *from, size_t place, wzp_bytes datagram);
void wzp_relay_trunk_flush(session *from, trunk_cause cause);
void wzp_relay_trunk_leave(session *s, size_t place);
void wzp_relay_trunk_tick(wzp_relay *r);
wzp_time wzp_relay_trunk_deadline(const wzp_relay *r);
void wzp_relay_trunk_clear(wzp_relay *r);

/* video.c */
void wzp_relay_keyframe_update(session *s, const wzp_media_packet *packet, wzp_bytes datagram);
void wzp_relay_keyframe_replay(session *to);
void wzp_relay_keyframe_free(session *s);
void wzp_relay_own_stream(session *s, const wzp_media_hdr *hdr);
void wzp_relay_on_pli(session *from, uint8_t stream_id);

/* hub.c */
void wzp_relay_on_register(session *s, wzp_bytes json);
void wzp_relay_on_hub_signal(session *s, wzp_bytes json);
void wzp_relay_hub_leave(session *s);

session *wzp_relay_find_client(const wzp_relay *r, wzp_bytes name);
bool wzp_relay_rate(rate *counted, unsigned limit, wzp_time now);

/* direct.c */
void wzp_relay_on_call_signal(session *s, const wzp_signal *signal);
void wzp_relay_on_peer_call(session *link, const wzp_signal *signal);
const char *wzp_relay_address(const session *to, char buf[WZP_ADDR_TEXT_MAX]);
void wzp_relay_calls_leave(session *s);
void wzp_relay_calls_tick(wzp_relay *r);
bool wzp_relay_call_admit(const session *s);

/* peers.c */
WZP_MUST_USE wzp_err wzp_relay_peers_new(wzp_relay *r, const wzp_federation_cfg *cfg);
void wzp_relay_peers_enforce(wzp_relay *r);
void wzp_relay_on_dialled(session *s, const wzp_quic_event *ev);
void wzp_relay_on_hello(session *s, wzp_bytes json);
void wzp_relay_on_link_signal(session *s, wzp_bytes json);
void wzp_relay_on_link_datagram(session *s, wzp_bytes datagram);
void wzp_relay_link_closed(session *s);
void wzp_relay_to_peers(const room *rm, wzp_bytes packet);
void wzp_relay_bridge_room(room *rm);
void wzp_relay_unbridge_room(room *rm);
void wzp_relay_announce(const room *rm);
void wzp_relay_peers_tick(wzp_relay *r);
wzp_time wzp_relay_peers_deadline(const wzp_relay *r);

/* probes.c */
WZP_MUST_USE wzp_err wzp_relay_probes_new(wzp_relay *r, const wzp_addr *targets, size_t count);
void wzp_relay_probes_free(wzp_relay *r);
void wzp_relay_on_probe_connected(session *s, const wzp_quic_event *ev);
void wzp_relay_on_probe_signal(session *s, wzp_bytes json);
void wzp_relay_probe_closed(session *s);
void wzp_relay_probes_tick(wzp_relay *r);
wzp_time wzp_relay_probes_deadline(const wzp_relay *r);

/* presence.c */
void wzp_relay_presence_add(session *s);
void wzp_relay_presence_remove(session *s);
void wzp_relay_presence_changed(wzp_relay *r);
void wzp_relay_presence_acked(session *s, int64_t stream);
void wzp_relay_presence_tick(wzp_relay *r);
wzp_time wzp_relay_presence_deadline(const wzp_relay *r);
int64_t wzp_relay_send_presence(session *to, wzp_quic_shared *list);

/* operate.c */
bool wzp_relay_admits_connection(const wzp_relay *r, const char *sni);
bool wzp_relay_admits_session(const session *s);
void wzp_relay_drain_tick(wzp_relay *r);

/* metrics.c */
void wzp_relay_observe_bytes(wzp_relay *r, uint8_t media_type, size_t wire_len);
void wzp_relay_observe_gap(wzp_relay *r, uint8_t media_type, uint64_t gap);
void wzp_relay_observe_score(wzp_relay *r, uint8_t media_type, double score);
void wzp_relay_observe_handshake(wzp_relay *r, uint64_t duration);

/* send.c: everything that leaves the relay */
void wzp_relay_send_media(session *to, wzp_bytes datagram);
void wzp_relay_send_trunk(session *to, wzp_bytes frame);
uint8_t *wzp_relay_to_json(const wzp_signal *signal, size_t *len);
int64_t wzp_relay_send_signal(session *to, const wzp_signal *signal);
void wzp_relay_not_sent(session *to, wzp_err err);
size_t wzp_relay_send_to_room(const room *rm, const wzp_signal *signal);
void wzp_relay_send_pong(session *to, const wzp_signal_Ping *ping);
void wzp_relay_hangup_policy(session *s, wzp_violation violation);

#endif
