/* Participants of a room without a voice of their own: they join, hand on what they hear, and send
 * what they are given.  All of them share one QUIC endpoint, and so one socket.
 *
 * A packet core like any other (quic/core.h), not thread-safe. */
#ifndef WZP_PCAP_SEND_GUESTS_H
#define WZP_PCAP_SEND_GUESTS_H

#include "quic/core.h"
#include "wire/media.h"

#define WZP_PCAP_GUESTS_MAX 64
#define WZP_PCAP_GUESTS_PATIENCE (10 * WZP_S) /* for an answer */

typedef struct wzp_pcap_guests wzp_pcap_guests;

typedef struct wzp_pcap_guests_cfg {
    wzp_rng rng;
    unsigned count;             /* 1 to WZP_PCAP_GUESTS_MAX */
    const uint8_t *seeds;       /* identities, 32 bytes each; borrowed for the call */
    const char *const *aliases; /* one each; borrowed for the call */
    const char *room, *token;   /* token: NULL: none; both borrowed for the call */
    wzp_quic_path path;         /* remote: the relay */
    bool deterministic;

    /* What comes; both may be NULL, everything is borrowed for the call. */
    void (*media)(void *ctx, unsigned guest, wzp_bytes datagram, wzp_time now);
    void (*signal)(void *ctx, unsigned guest, wzp_bytes json, wzp_time now);
    void *ctx;
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
} wzp_pcap_guests_cfg;

/* Starts to connect.  WZP_ERR_INVALID_ARGUMENT (count, room, token), NOMEM, CRYPTO_LIB, LIMIT */
WZP_MUST_USE wzp_err wzp_pcap_guests_new(wzp_pcap_guests **out, const wzp_pcap_guests_cfg *cfg,
                                         wzp_time now);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_guests_free(wzp_pcap_guests **guests);

wzp_core wzp_pcap_guests_core(wzp_pcap_guests *guests);

typedef enum wzp_pcap_guests_state {
    WZP_PCAP_GUESTS_COME,  /* somebody is not in yet */
    WZP_PCAP_GUESTS_IN,    /* all are in the room */
    WZP_PCAP_GUESTS_LEAVE, /* they were told to */
    WZP_PCAP_GUESTS_GONE   /* somebody was not let in, or was sent away */
} wzp_pcap_guests_state;

/* *why says it for GONE; borrowed.  May be NULL. */
wzp_pcap_guests_state wzp_pcap_guests_state_of(const wzp_pcap_guests *guests, const char **why);
/* GONE before all were in. */
bool wzp_pcap_guests_came_never(const wzp_pcap_guests *guests);

/* A media packet as it is: borrowed.  WZP_ERR_CLOSED, WZP_ERR_TOO_LARGE */
WZP_MUST_USE wzp_err wzp_pcap_guests_send(wzp_pcap_guests *guests, unsigned guest,
                                          wzp_bytes packet);
/* The same, sealed with the key that the guest shares with the relay.  Errors of wzp_session_seal
 * as well. */
WZP_MUST_USE wzp_err wzp_pcap_guests_seal(wzp_pcap_guests *guests, unsigned guest,
                                          const wzp_media_packet *packet);

/* What became of what was sent, of all guests. */
typedef struct wzp_pcap_guests_counters {
    uint64_t queued;  /* taken by wzp_pcap_guests_send */
    uint64_t sent;    /* left, as DATAGRAM frames */
    uint64_t dropped; /* found no room in QUIC's queue */
    uint64_t lost;    /* declared lost by QUIC on the way to the relay */
    uint64_t heard;   /* datagrams that came */
} wzp_pcap_guests_counters;
void wzp_pcap_guests_count(const wzp_pcap_guests *guests, wzp_pcap_guests_counters *out);

/* Good-bye; what it takes leaves while the core is driven on. */
void wzp_pcap_guests_leave(wzp_pcap_guests *guests, wzp_time now);

#endif
