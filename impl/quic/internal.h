/* Shared by the files of this folder; nobody else includes it. */
#ifndef WZP_QUIC_INTERNAL_H
#define WZP_QUIC_INTERNAL_H

#include <netinet/in.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>
#include <openssl/ssl.h>

#include "quic/quic.h"

#define SCID_LEN 8
#define MAX_DATAGRAM_OVERHEAD 32 /* flags, 8-byte DCID, packet number, tag, frame header */
#define TX_STREAM_BYTES_MAX (4U << 20)
#define TX_STREAMS_MAX 1024 /* of ours that the peer has not acknowledged; their list is walked */
#define RX_BUFFERED_MAX (2U << 20) /* unread signal bytes before the window stops growing */
#define EVENT_BYTES_MAX (8U << 20) /* queued events before datagrams are dropped */
#define ORDER_HOLD (200 * WZP_MS)  /* how long a complete signal waits for an earlier stream */
#define STATELESS_MAX 64
#define DATAGRAM_SMALL 1168 /* every path and MAX_DATAGRAM_OVERHEAD carry so many bytes */
#define BODY_KEPT 256       /* voice: buffers of this size are used again */
#define BODIES_KEPT_MAX 256
#define DATAGRAMS_KEPT_MAX 4096

typedef union sockaddr_any {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
} sockaddr_any;

struct wzp_quic_shared {
    size_t references, len;
    uint8_t data[];
};

typedef struct stream stream;
struct stream {
    stream *next;
    int64_t id;   /* -1 until it is opened */
    int64_t name; /* of a local stream: negative; else the id */
    bool local, bidi, raw;

    /* receiving */
    uint8_t *rx;
    size_t rx_len, rx_cap;
    uint64_t rx_owed; /* bytes not yet given back to the connection's window */
    bool complete, delivered;
    bool closed; /* by the transport, while its signal waits for its turn */
    wzp_err bad; /* why it will never be a signal */
    wzp_time deadline;

    /* sending; what is to be sent of a signal lies in `shared` */
    wzp_quic_shared *shared;
    uint8_t *tx;
    size_t tx_len, tx_cap, tx_sent, tx_acked;
    bool tx_fin, tx_fin_sent, tx_done, tx_blocked, acked_told;
};

/* What a datagram says.  A relay says the same to many: they share it. */
typedef struct datagram_body {
    struct datagram_body *next; /* free ones only */
    size_t references, len;
    uint8_t data[];
} datagram_body;

typedef struct datagram {
    struct datagram *next;
    wzp_time dies_at; /* once it was tried; only with a lifetime */
    datagram_body *body;
} datagram;

typedef enum conn_state { CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSING, CONN_GONE } conn_state;

/* With many connections each one was last used 20 ms and all the others ago, and nothing of it is
 * in a cache.  So what belongs together lies in one line of it: handing in a datagram needs the
 * first line, writing it the second and third as well, a packet from the peer also the fourth. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): lines are filled up on purpose */
typedef struct conn {
    _Alignas(64) wzp_quic *quic;
    struct conn *next_dirty;
    datagram *datagrams, **datagrams_tail;
    datagram *new_datagrams; /* the first one that was not tried yet */
    uint32_t generation, datagram_bytes;
    uint32_t peer_datagram; /* what the peer takes; 0 before the handshake is over */
    conn_state state;
    bool dirty;
    bool datagram_turn; /* streams and datagrams take turns */
    bool all_said;      /* after the last packet there was no more to send */
    bool ack_held;      /* until ack_by, or until it can travel with something (acks.c) */
    bool is_server, local_known;

    _Alignas(64) ngtcp2_conn *ng;
    stream *streams; /* oldest first */
    wzp_time deadline;
    wzp_time ack_by;
    uint64_t ack_eighth; /* of the round trip, when ngtcp2 was asked last after a packet came */
    wzp_time hold_until;
    wzp_time datagram_at;   /* when the last one left */
    wzp_time unacked_since; /* one left then, and none was acknowledged since */
    uint32_t index;

    _Alignas(64) void *app;
    uint64_t datagrams_sent, datagrams_received, datagrams_dropped, datagrams_lost;
    uint64_t datagrams_expired;
    uint64_t lost_seen;
    stream *last_stream;

    _Alignas(64) sockaddr_any local, remote;

    bool told_closed, was_reset;
    int64_t next_name;     /* of the next local stream */
    int64_t next_in_order; /* id of the peer's bidirectional stream whose signal is due */
    size_t tx_queued, rx_buffered;
    unsigned tx_streams; /* of ours in the list */

    SSL *ssl;
    ngtcp2_crypto_ossl_ctx *ossl;
    ngtcp2_crypto_conn_ref ref;
    uint8_t *close_packet;
    size_t close_len;
    unsigned close_budget;
    bool close_due; /* to `close_path` */
    wzp_quic_path close_path;
    bool has_cert, has_key, is_confirmed;
    uint8_t cert_sha256[32];
    uint8_t peer_key[32];
    char sni[WZP_QUIC_SNI_MAX + 1];
} conn;

typedef struct chunk {
    struct chunk *next;
    size_t used, cap, read;
    _Alignas(16) uint8_t data[];
} chunk;

typedef struct cid_entry {
    struct cid_entry *next;
    ngtcp2_cid cid;
    conn *owner;
} cid_entry;

/* The deadline lies beside the connection's index: a comparison touches no connection. */
typedef struct timer {
    wzp_time deadline;
    uint32_t index;
} timer;

typedef struct stateless {
    size_t len;
    wzp_quic_path path;
    uint8_t data[1280];
} stateless;

/* Here too. */
struct wzp_quic {
    wzp_time now;
    conn *dirty_first, **dirty_tail;
    timer *heap;
    size_t heap_len;
    uint32_t *heap_at; /* by a connection's index: where its timer is */
    size_t stateless_len, stash_len;
    cid_entry **cids;
    size_t cid_buckets, cid_count;
    conn **conns; /* by index; NULL: free */
    uint32_t conn_cap, conn_count;
    size_t event_bytes;
    chunk *events, *events_last, *lent, *spare;
    datagram *free_datagrams;
    datagram_body *free_bodies; /* with room for BODY_KEPT bytes */
    datagram_body *last_body;   /* of the last datagram */
    size_t free_datagram_count, free_body_count;
    wzp_quic_cfg cfg;

    uint32_t *generations;
    uint32_t handshakes, dialled_count;
    uint32_t *free_indices, free_count;
    SSL_CTX *server_tls, *client_tls;
    wzp_quic_counters counters;
    uint8_t retry_secret[32], reset_secret[32];
    stateless *stateless;
    size_t stateless_first;
    wzp_quic_meta stash_meta;
    uint8_t stash[2048]; /* a packet that did not fit the run before it */
};

/* quic.c */
conn *wzp_quic_find(const wzp_quic *q, wzp_quic_conn handle);
wzp_quic_conn wzp_quic_handle(const conn *c);
conn *wzp_quic_new_conn(wzp_quic *q);
void wzp_quic_drop_conn(conn *c);
void wzp_quic_mark_dirty(conn *c);
void wzp_quic_reschedule(conn *c);
void wzp_quic_schedule(conn *c, wzp_time deadline);
void wzp_quic_send_stateless(wzp_quic *q, const wzp_quic_path *path, const uint8_t *data,
                             size_t len);

/* cids.c */
bool wzp_quic_cid_add(wzp_quic *q, const ngtcp2_cid *cid, conn *owner);
void wzp_quic_cid_remove(wzp_quic *q, const ngtcp2_cid *cid);
conn *wzp_quic_cid_find(const wzp_quic *q, const uint8_t *cid, size_t len);
void wzp_quic_cids_forget(wzp_quic *q, const conn *owner);
void wzp_quic_cid_fill(const wzp_quic *q, uint8_t *cid, size_t len);

/* addresses */
void wzp_quic_to_sockaddr(sockaddr_any *out, const wzp_addr *addr, uint8_t family_if_none);
wzp_addr wzp_quic_from_sockaddr(const ngtcp2_sockaddr *sa);
socklen_t wzp_quic_sockaddr_len(const sockaddr_any *any);
ngtcp2_path wzp_quic_ng_path(sockaddr_any *local, sockaddr_any *remote);

/* conn.c */
WZP_MUST_USE wzp_err wzp_conn_accept(wzp_quic *q, const wzp_quic_path *path,
                                     const ngtcp2_pkt_hd *hd, const ngtcp2_cid *original_dcid,
                                     conn **out);
WZP_MUST_USE wzp_err wzp_conn_dial(wzp_quic *q, const wzp_quic_dial *dial, conn **out);
/* As the driver is told it. */
wzp_quic_path wzp_conn_path(const conn *c, const ngtcp2_sockaddr *local,
                            const ngtcp2_sockaddr *remote);
void wzp_conn_read(conn *c, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload);
void wzp_conn_tick(conn *c);
void wzp_conn_fail(conn *c, int liberr);
void wzp_conn_close_app(conn *c, uint64_t code, const char *reason);
wzp_time wzp_conn_deadline(const conn *c);
void wzp_conn_release(conn *c);
void wzp_conn_told_closed(conn *c, const wzp_quic_close_info *info);

/* acks.c */
typedef struct wzp_read {
    uint64_t datagrams_before;
    bool was_open;
    bool is_congested; /* marked so on its way */
} wzp_read;
void wzp_acks_after_read(conn *c, const wzp_read *read);

/* tls.c */
WZP_MUST_USE wzp_err wzp_tls_new(wzp_quic *q);
void wzp_tls_free(wzp_quic *q);
WZP_MUST_USE wzp_err wzp_tls_attach(conn *c, const char *sni, const char *alpn);
void wzp_tls_detach(conn *c);
void wzp_tls_learn(conn *c);
void wzp_tls_enter(wzp_quic *q);

/* streams.c */
int wzp_streams_recv(conn *c, uint32_t flags, int64_t id, const uint8_t *data, size_t len,
                     stream *s);
int wzp_streams_reset(conn *c, int64_t id, stream *s);
int wzp_streams_closed(conn *c, int64_t id, stream *s);
int wzp_streams_acked(conn *c, stream *s, uint64_t upto);
void wzp_streams_deliver(conn *c);
void wzp_streams_tick(conn *c);
wzp_time wzp_streams_deadline(const conn *c);
bool wzp_streams_want_write(const conn *c);
ngtcp2_ssize wzp_streams_write(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                               size_t cap);
void wzp_streams_free(conn *c);
void wzp_streams_unblock(conn *c);

/* datagrams.c */
void wzp_datagrams_learn(conn *c);
void wzp_datagrams_acked(conn *c);
bool wzp_datagrams_window_is_full(const conn *c);
ngtcp2_ssize wzp_datagrams_write(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                 size_t cap);
ngtcp2_ssize wzp_datagrams_write_rest(conn *c, ngtcp2_path *path, ngtcp2_pkt_info *pi, uint8_t *buf,
                                      size_t cap);
void wzp_datagrams_free(conn *c);
void wzp_datagrams_forget(wzp_quic *q);

/* events.c */
void wzp_events_push(wzp_quic *q, const wzp_quic_event *event);
void wzp_events_set_app(wzp_quic *q, wzp_quic_conn handle, void *app);
void wzp_events_free(wzp_quic *q);

#endif
