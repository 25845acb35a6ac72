/* A QUIC endpoint: one UDP socket's worth of connections, servers and clients alike, without
 * touching a socket or a clock.  ngtcp2 and OpenSSL 3.5 stay behind this header.
 *
 * Inputs are datagrams, commands and time; outputs are packets, events and one deadline, and they
 * are drained rather than called back, so an endpoint never re-enters itself:
 *
 *     wzp_quic_recv(q, &path, ecn, bytes, now);      for every datagram that came in
 *     while (wzp_quic_next_event(q, &ev)) ...        react: send signals, datagrams, close
 *     wzp_quic_tick(q, now);                         when deadline <= now
 *     while ((n = wzp_quic_next_packet(q, now, buf, cap, &meta)) > 0) ...   transmit
 *     sleep until wzp_quic_deadline(q)
 *
 * One signal per bidirectional stream (wire sheet 3): u32 length || JSON || FIN.  Framing, limits
 * and stalled streams are handled here; the JSON itself is the caller's matter.
 *
 * Not thread-safe: one thread per endpoint.  Connections are named by handles that are never
 * reused, so a stale handle is harmless: every function treats it as "closed". */
#ifndef WZP_QUIC_QUIC_H
#define WZP_QUIC_QUIC_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/time.h"

typedef struct wzp_quic wzp_quic;

/* 0 is never a connection. */
typedef uint64_t wzp_quic_conn;

/* Both ends of a path as the socket saw them.  `local` may have family NONE, or be that of a socket
 * for all addresses, where the driver does not know which one it is. */
typedef struct wzp_quic_path {
    wzp_addr local, remote;
} wzp_quic_path;

/* A server's certificate (DER) and the 32-byte Ed25519 private seed that signs for it.  Borrowed
 * during wzp_quic_new only.  The key of stateless resets comes from the seed, so that a server that
 * comes back can tell the peers of its former life that it does not know them any more (RFC 9000,
 * 10.3). */
typedef struct wzp_quic_identity {
    wzp_bytes cert_der;
    wzp_bytes ed25519_seed;
} wzp_quic_identity;

#define WZP_QUIC_SIGNAL_MAX 1048576 /* bytes of JSON in one signal (wire sheet 3.2) */
#define WZP_QUIC_PACKET_MAX 65536   /* room that wzp_quic_next_packet needs */
#define WZP_QUIC_SNI_MAX 253

typedef struct wzp_quic_cfg {
    wzp_rng rng;
    wzp_log log;
    const wzp_quic_identity *identity; /* NULL: this endpoint accepts no connections */

    /* Everything below: 0 means the default in brackets. */
    uint32_t workers, worker;   /* [1] endpoints that share an address, and which one this is:
                                   see quic/steer.h */
    uint32_t max_conns;         /* [4096] connections at once */
    uint32_t max_conns_per_ip;  /* [max_conns] accepted connections of one remote IP, or IPv6 /64 */
    uint32_t max_handshakes;    /* [256] in flight before Retry is demanded */
    uint32_t max_proven;        /* [4 * max_handshakes] in flight at all: the packet of another
                                   client is as if lost, and it asks again in a second */
    uint32_t max_signal_len;    /* [WZP_QUIC_SIGNAL_MAX] */
    uint64_t signal_deadline;   /* [10 s] a signal stream must be complete by then */
    uint64_t idle_timeout;      /* [30 s] */
    uint64_t keep_alive;        /* [5 s]; WZP_TIME_NEVER: none */
    uint64_t handshake_timeout; /* [10 s] */
    uint32_t max_udp_payload;   /* [1452] upper bound of path MTU discovery */
    uint32_t datagram_queue_bytes; /* [65536] per connection, oldest dropped and counted */
    uint64_t datagram_lifetime; /* [for ever] from the first attempt to send; older ones are dropped
                                   and counted, and holes are probed (datagrams.c): for media */
    bool mutual;                /* both ends of a call: who dials is asked for a certificate, which
                                   may be missing, and who is asked shows `identity` */
    bool loopback_mtu;          /* start at max_udp_payload instead of probing */
    bool always_retry;          /* demand address validation from everyone */
    bool deterministic;         /* OpenSSL draws from `rng` as well: simulators and tests */

    /* TLS secrets in NSS key log form, one line without line end per call; may be NULL. */
    void (*keylog)(void *ctx, wzp_quic_conn handle, const char *line);
    void *keylog_ctx;
    /* qlog (JSON-SEQ) output of a connection; data is borrowed; `fin` ends the file. */
    void (*qlog)(void *ctx, wzp_quic_conn handle, wzp_bytes data, bool fin);
    void *qlog_ctx;
} wzp_quic_cfg;

/* Allocates.  `cfg` is borrowed for the call; hooks and their contexts must outlive the endpoint.
 * `now` is the start of time for it.
 * WZP_ERR_INVALID_ARGUMENT  identity does not parse or its key does not match
 * WZP_ERR_CRYPTO_LIB, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_quic_new(wzp_quic **out, const wzp_quic_cfg *cfg, wzp_time now);

/* Frees everything without sending a packet; call wzp_quic_close_all and drain first to be
 * polite.  Accepts NULL, leaves NULL. */
void wzp_quic_free(wzp_quic **quic);

/* --- input ----------------------------------------------------------------------------------- */

/* One UDP payload.  `ecn` is the 2-bit codepoint.  Never fails: what is not for us is counted. */
void wzp_quic_recv(wzp_quic *quic, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                   wzp_time now);

/* Serves timers that are due. */
void wzp_quic_tick(wzp_quic *quic, wzp_time now);

/* WZP_TIME_NEVER when idle.  0 ("at once") while packets are waiting to be drained. */
wzp_time wzp_quic_deadline(const wzp_quic *quic);

/* --- output ---------------------------------------------------------------------------------- */

typedef struct wzp_quic_meta {
    wzp_quic_path path;
    uint8_t ecn;
    uint16_t segment; /* payloads of this size, the last one may be shorter (UDP_SEGMENT) */
} wzp_quic_meta;

/* Writes the next packet, or a run of equal-sized packets for one path, into `buf` (room for
 * WZP_QUIC_PACKET_MAX) and returns the number of bytes; 0: nothing to send now.
 * `cap` below WZP_QUIC_PACKET_MAX limits the run; at least 1500. */
size_t wzp_quic_next_packet(wzp_quic *quic, wzp_time now, uint8_t *buf, size_t cap,
                            wzp_quic_meta *meta);

typedef enum wzp_quic_event_kind {
    WZP_QUIC_CONNECTED,    /* handshake done; .sni of a server connection is lower case */
    WZP_QUIC_SIGNAL,       /* .body: the JSON of one complete signal, .stream */
    WZP_QUIC_SIGNAL_BAD,   /* .err: SIGNAL_TOO_LARGE, SIGNAL_TRUNCATED (FIN or reset too early) or
                              TIMEOUT (stalled; only that stream is dropped); .stream */
    WZP_QUIC_SIGNAL_ACKED, /* all bytes of a stream of ours, FIN included, were acknowledged, or
                              the peer wants no more of it */
    WZP_QUIC_UNI,          /* .body: some bytes of a unidirectional stream of the peer; .fin */
    WZP_QUIC_DATAGRAM,     /* .body */
    WZP_QUIC_PATH,         /* the peer moved and the new path is validated: .path */
    WZP_QUIC_CLOSED        /* the connection is gone, .close says how; its last event */
} wzp_quic_event_kind;

typedef enum wzp_quic_close_kind {
    WZP_QUIC_CLOSE_NONE,
    WZP_QUIC_CLOSE_PEER_APP,       /* CONNECTION_CLOSE with an application code from the peer */
    WZP_QUIC_CLOSE_PEER_TRANSPORT, /* ... with a transport code (0x1xx: TLS alert) */
    WZP_QUIC_CLOSE_LOCAL,          /* wzp_quic_close was called */
    WZP_QUIC_CLOSE_LOCAL_ERROR,    /* we found a protocol error; code is what we sent */
    WZP_QUIC_CLOSE_IDLE,           /* idle timeout */
    WZP_QUIC_CLOSE_HANDSHAKE_TIMEOUT,
    WZP_QUIC_CLOSE_RESET /* stateless reset */
} wzp_quic_close_kind;

typedef struct wzp_quic_close_info {
    wzp_quic_close_kind kind;
    uint64_t code;
    char reason[128]; /* as sent, cleaned for printing */
} wzp_quic_close_info;

/* For people: what ended it, or the reason that was sent; borrowed from `close`. */
const char *wzp_quic_close_text(const wzp_quic_close_info *close);

/* `body`, `sni` are borrowed until the next non-const call on the endpoint other than the send
 * and close functions. */
typedef struct wzp_quic_event {
    wzp_quic_event_kind kind;
    wzp_quic_conn conn;
    void *app;      /* as it was set last */
    bool is_server; /* the connection was accepted, not dialled */
    int64_t stream;
    bool fin;
    wzp_err err;
    wzp_bytes body;
    const char *sni;    /* CONNECTED: "" when the client sent none */
    wzp_quic_path path; /* CONNECTED, PATH */
    wzp_quic_close_info close;
} wzp_quic_event;

/* False when there is none.  The order is that of arrival within a connection. */
bool wzp_quic_next_event(wzp_quic *quic, wzp_quic_event *out);

/* --- commands -------------------------------------------------------------------------------- */

typedef struct wzp_quic_dial {
    wzp_quic_path path;   /* remote is required */
    const char *sni;      /* NULL or "": no SNI */
    const char *alpn;     /* NULL: "wzp"; "": none offered.  Up to 32 bytes */
    void *app;            /* see wzp_quic_app */
    uint64_t initial_rtt; /* ns: what a round trip is taken for before one was measured; the first
                             packet is sent again after three of them.  0: 100 ms */
} wzp_quic_dial;

/* Starts a client connection; any server certificate is accepted (wire sheet 2.3).
 * WZP_ERR_LIMIT, WZP_ERR_CRYPTO_LIB, WZP_ERR_NOMEM, WZP_ERR_INVALID_ARGUMENT (SNI, ALPN) */
WZP_MUST_USE wzp_err wzp_quic_connect(wzp_quic *quic, const wzp_quic_dial *dial, wzp_time now,
                                      wzp_quic_conn *out);

/* Opens a bidirectional stream and queues one signal with its length prefix and FIN.  `json` is
 * copied.  *stream (may be NULL) is the name that SIGNAL_ACKED will carry.  Streams that the peer
 * does not allow yet wait in order.
 * WZP_ERR_CLOSED, WZP_ERR_SIGNAL_TOO_LARGE, WZP_ERR_NOMEM
 * WZP_ERR_QUEUE_FULL  the peer is slow: 4 MiB are unsent, or 1024 streams not acknowledged */
WZP_MUST_USE wzp_err wzp_quic_send_signal(wzp_quic *quic, wzp_quic_conn handle, wzp_bytes json,
                                          int64_t *stream);

/* The same for many connections without a copy for each: the message lives until the last of them
 * needs it no more. */
typedef struct wzp_quic_shared wzp_quic_shared;

/* One signal with its length prefix; `json` is copied.  The caller holds one reference.
 * WZP_ERR_SIGNAL_TOO_LARGE, WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_quic_shared_new(wzp_quic_shared **out, wzp_bytes json);

/* Gives up the caller's reference.  Accepts NULL, leaves NULL. */
void wzp_quic_shared_drop(wzp_quic_shared **shared);

/* As wzp_quic_send_signal, which see. */
WZP_MUST_USE wzp_err wzp_quic_send_shared(wzp_quic *quic, wzp_quic_conn handle,
                                          wzp_quic_shared *shared, int64_t *stream);

/* Queues one DATAGRAM frame; `datagram` is copied.  When the queue is over its bound the oldest
 * is dropped and counted.
 * WZP_ERR_CLOSED, WZP_ERR_TOO_LARGE (see wzp_quic_max_datagram; nothing is sent) */
WZP_MUST_USE wzp_err wzp_quic_send_datagram(wzp_quic *quic, wzp_quic_conn handle,
                                            wzp_bytes datagram);

/* The largest payload that fits the path now, 0 if the peer takes no datagrams or is gone. */
size_t wzp_quic_max_datagram(const wzp_quic *quic, wzp_quic_conn handle);

/* Raw streams, for "version" replies and for testers that break the framing on purpose.
 * open gives a local name (negative) at once; write appends and, with `fin`, ends the stream. */
typedef enum wzp_quic_stream_kind { WZP_QUIC_BIDI, WZP_QUIC_UNI_STREAM } wzp_quic_stream_kind;
WZP_MUST_USE wzp_err wzp_quic_stream_open(wzp_quic *quic, wzp_quic_conn handle,
                                          wzp_quic_stream_kind kind, int64_t *out);
WZP_MUST_USE wzp_err wzp_quic_stream_write(wzp_quic *quic, wzp_quic_conn handle, int64_t stream,
                                           wzp_bytes data, bool fin);
WZP_MUST_USE wzp_err wzp_quic_stream_reset(wzp_quic *quic, wzp_quic_conn handle, int64_t stream,
                                           uint64_t code);

/* Application close.  Queued datagrams and unsent stream data are discarded: wait for
 * SIGNAL_ACKED first where a last signal matters.  A CLOSED event follows. */
void wzp_quic_close(wzp_quic *quic, wzp_quic_conn handle, uint64_t code, const char *reason,
                    wzp_time now);
void wzp_quic_close_all(wzp_quic *quic, uint64_t code, const char *reason, wzp_time now);

/* Vanishes without a word: no packet is sent for it any more (testers). */
void wzp_quic_abandon(wzp_quic *quic, wzp_quic_conn handle);

/* Client only: moves the connection to another local address (RFC 9000, 9.2). */
WZP_MUST_USE wzp_err wzp_quic_migrate(wzp_quic *quic, wzp_quic_conn handle, const wzp_addr *local,
                                      wzp_time now);

/* From now on, instead of cfg.keep_alive; WZP_TIME_NEVER: none. */
void wzp_quic_set_keep_alive(wzp_quic *quic, wzp_quic_conn handle, uint64_t keep_alive);

/* --- what is known --------------------------------------------------------------------------- */

/* One pointer per connection for the caller; NULL at first.  Events that wait get it as well, also
 * those of a connection that is gone.  get returns NULL for stale handles. */
void wzp_quic_set_app(wzp_quic *quic, wzp_quic_conn handle, void *app);
void *wzp_quic_app(const wzp_quic *quic, wzp_quic_conn handle);

typedef struct wzp_quic_stats {
    uint64_t smoothed_rtt, min_rtt, latest_rtt; /* ns, 0 before the first sample */
    uint64_t cwnd, bytes_in_flight, bytes_sent, bytes_received;
    uint64_t packets_sent, packets_received, packets_lost;
    uint64_t datagrams_sent, datagrams_received;
    uint64_t datagrams_dropped_queue; /* pushed out of the send queue by newer ones */
    uint64_t datagrams_expired;       /* older than datagram_lifetime before they could leave */
    uint64_t datagrams_lost;          /* declared lost by loss recovery */
    uint64_t unacked_for;             /* ns since the first one left that was sent after the last
                                         acknowledgement of any; 0: there is none */
    uint32_t mtu;                     /* UDP payload of the current path */
    wzp_quic_path path;
} wzp_quic_stats;

/* False for stale handles. */
bool wzp_quic_conn_stats(const wzp_quic *quic, wzp_quic_conn handle, wzp_quic_stats *out);

/* Transport parameters that the peer advertised; false before the handshake is done. */
typedef struct wzp_quic_peer_params {
    uint64_t max_idle_timeout; /* ns */
    uint64_t max_datagram_frame_size, max_udp_payload_size, initial_max_data;
    uint64_t initial_max_streams_bidi, initial_max_streams_uni;
} wzp_quic_peer_params;
bool wzp_quic_peer(const wzp_quic *quic, wzp_quic_conn handle, wzp_quic_peer_params *out);

/* SHA-256 of the peer's certificate (DER); false if it showed none, or before it is known. */
bool wzp_quic_peer_cert_sha256(const wzp_quic *quic, wzp_quic_conn handle, uint8_t out[32]);

/* The Ed25519 key of the peer's certificate, which it has proven to hold.  False: it showed none,
 * or one of another kind; an accepted peer shows one only if cfg.mutual asked for it. */
bool wzp_quic_peer_key(const wzp_quic *quic, wzp_quic_conn handle, uint8_t out[32]);

/* Both ends have completed the handshake, and this one knows (RFC 9001, 4.1.2). */
bool wzp_quic_is_confirmed(const wzp_quic *quic, wzp_quic_conn handle);

typedef struct wzp_quic_counters {
    uint64_t conns; /* now */
    uint64_t accepted, dialled, handshakes_failed, retries_sent, version_negotiations_sent;
    uint64_t refused_limit;     /* no room: max_conns or max_conns_per_ip */
    uint64_t deferred;          /* first packets over max_proven */
    uint64_t packets_ignored;   /* not for any connection of ours */
    uint64_t resets_sent;       /* stateless ones, in answer to some of those */
    uint64_t events_dropped;    /* the event queue was full of datagrams: datagrams only */
    uint64_t datagrams_expired; /* of all connections, gone ones too ... */
    uint64_t datagrams_dropped; /* ... and so are these: no room in the queue, or on the path */
    uint64_t signals_bad;
    uint64_t writes_in_vain; /* the transport was asked for a packet and had none */
} wzp_quic_counters;
void wzp_quic_count(const wzp_quic *quic, wzp_quic_counters *out);

/* --- before a connection exists -------------------------------------------------------------- */

/* Reads the SNI out of a client's first Initial packet(s) without keeping state, for steering by
 * room.  WZP_OK: `sni` (lower case, "" if none) is set.  WZP_ERR_TRUNCATED: the ClientHello
 * continues in another packet.  Other errors: not a QUIC v1 Initial, or its tag is wrong. */
WZP_MUST_USE wzp_err wzp_quic_peek_sni(wzp_bytes payload, char sni[WZP_QUIC_SNI_MAX + 1]);

/* The same for a hello whose packets come one by one: after WZP_ERR_TRUNCATED the next one is read
 * into the same object.  Nothing to free. */
typedef struct wzp_quic_hello {
    uint8_t bytes[4096], known[512]; /* one bit for each byte */
} wzp_quic_hello;
void wzp_quic_hello_init(wzp_quic_hello *hello);
/* What is in such a packet once it is open; wzp_quic_hello_read does both. */
WZP_MUST_USE wzp_err wzp_quic_hello_frames(wzp_quic_hello *hello, wzp_bytes frames,
                                           char sni[WZP_QUIC_SNI_MAX + 1]);
WZP_MUST_USE wzp_err wzp_quic_hello_read(wzp_quic_hello *hello, wzp_bytes payload,
                                         char sni[WZP_QUIC_SNI_MAX + 1]);

#endif
