/* QUIC seen from beside: takes the UDP datagrams of many connections, as captured, and says what
 * was in them.  Opens Initial packets always (RFC 9001, 5.2), everything else with secrets of an
 * NSS key log, matched by the client's random (tools sheet 7).  QUIC versions 1 and 2.
 *
 * Connections are found by the ids that either side issued (NEW_CONNECTION_ID included, Retry and
 * migration followed), and by addresses where an id has no bytes.  Packet numbers are decoded for
 * each direction and number space; key updates followed by derivation.  Packets that cannot be
 * opened yet are kept (WZP_PCAP_QUIC_HELD_MAX a connection) and tried again once secrets or the
 * hello have come: their events then carry their own packet number and time.  Where no hello was
 * captured, the secrets of the log are tried one after the other.  Datagrams that segmentation
 * offload has put together are taken apart where ids of 4 bytes and more show how.
 *
 * Sans-IO, not thread-safe.  Bounded: WZP_PCAP_QUIC_CONNS_MAX connections (the one that was quiet
 * for longest goes), and for each the constants below.  No allocation for a packet with DATAGRAM
 * frames on an established connection. */
#ifndef WZP_PCAP_QUIC_QUIC_H
#define WZP_PCAP_QUIC_QUIC_H

#include "base/err.h"
#include "tools/pcap/link/link.h"

#define WZP_PCAP_QUIC_CONNS_MAX 4096
#define WZP_PCAP_QUIC_HELD_MAX 32
#define WZP_PCAP_QUIC_CIDS_MAX 32            /* each side of a connection */
#define WZP_PCAP_QUIC_STREAMS_MAX 64         /* with bytes that wait for others, each connection */
#define WZP_PCAP_QUIC_STREAM_BYTES (1 << 18) /* that wait for others, each connection */
#define WZP_PCAP_QUIC_BYTES_MAX (64U << 20)  /* that wait or are held, all connections together */
#define WZP_PCAP_QUIC_SECRETS_MAX (1U << 17) /* connections in the key log; the oldest goes */
#define WZP_PCAP_QUIC_CID_LEN 20
#define WZP_PCAP_QUIC_TEXT 256

typedef enum wzp_pcap_quic_kind {
    WZP_PCAP_QUIC_OPENED,   /* the first packet of a connection */
    WZP_PCAP_QUIC_HELLO,    /* the client's hello is whole: hello */
    WZP_PCAP_QUIC_ACCEPTED, /* the server chose: hello.alpn, hello.cipher.  Needs handshake secrets
                               for alpn; without: alpn is "", and if they come, it is said again */
    WZP_PCAP_QUIC_PARAMS,   /* transport parameters of the side that sends: params */
    WZP_PCAP_QUIC_PACKET,   /* one QUIC packet, before the events of its frames: packet */
    WZP_PCAP_QUIC_FRAME,    /* one frame, PADDING aside (cfg.frames): frame */
    WZP_PCAP_QUIC_DATAGRAM, /* a DATAGRAM frame: data */
    WZP_PCAP_QUIC_STREAM,   /* the next bytes of a stream, in order: stream, data */
    WZP_PCAP_QUIC_PATH,     /* the connection goes on over other addresses */
    WZP_PCAP_QUIC_KEYS,     /* a key update: packet.key_generation */
    WZP_PCAP_QUIC_CLOSED,   /* CONNECTION_CLOSE, or a stateless reset: close; once each direction */
    WZP_PCAP_QUIC_JOINED,   /* its beginning was not captured; secrets of the key log open it: hello
                               has the client's random and nothing else */
    WZP_PCAP_QUIC_PROBLEM,  /* text, offset in the UDP payload */
    WZP_PCAP_QUIC_FORGOTTEN /* it made room for others and will not be heard of again */
} wzp_pcap_quic_kind;

typedef enum wzp_pcap_quic_type {
    WZP_PCAP_QUIC_INITIAL,
    WZP_PCAP_QUIC_0RTT,
    WZP_PCAP_QUIC_HANDSHAKE,
    WZP_PCAP_QUIC_RETRY,
    WZP_PCAP_QUIC_1RTT,
    WZP_PCAP_QUIC_VERSION_NEGOTIATION
} wzp_pcap_quic_type;

typedef enum wzp_pcap_quic_seal {
    WZP_PCAP_QUIC_CLEAR,     /* opened */
    WZP_PCAP_QUIC_NO_SECRET, /* the key log has no line for this connection or level */
    WZP_PCAP_QUIC_NO_HELLO,  /* the capture has no ClientHello of it: no secret can be matched */
    WZP_PCAP_QUIC_BAD_TAG,   /* a wrong key, or a damaged packet */
    WZP_PCAP_QUIC_CUT        /* the capture holds a part of the packet only */
} wzp_pcap_quic_seal;

typedef struct wzp_pcap_quic_cid {
    uint8_t len;
    uint8_t data[WZP_PCAP_QUIC_CID_LEN];
} wzp_pcap_quic_cid;

typedef struct wzp_pcap_quic_packet {
    wzp_pcap_quic_type type;
    wzp_pcap_quic_seal seal;
    uint32_t version; /* 0 for short headers */
    wzp_pcap_quic_cid dcid, scid;
    uint64_t number;         /* packet number; only when opened */
    uint32_t key_generation; /* 1-RTT: how many key updates before it */
    uint32_t offset, len;    /* in the UDP payload */
    bool spin;
    bool late;  /* was held, and opened later than it came */
    bool again; /* one with this number was there before: its frames are not said again */
} wzp_pcap_quic_packet;

typedef struct wzp_pcap_quic_hello {
    uint8_t client_random[32];
    char sni[WZP_PCAP_QUIC_TEXT];  /* "" none; bytes outside printable ASCII as '?' */
    char alpn[WZP_PCAP_QUIC_TEXT]; /* offered, joined by commas; or the chosen one */
    uint16_t cipher;               /* TLS cipher suite; 0 in a client's hello */
} wzp_pcap_quic_hello;

typedef struct wzp_pcap_quic_param {
    uint64_t id;
    bool is_number; /* known to be a varint: value; otherwise: data */
    uint64_t value;
    wzp_bytes data;
} wzp_pcap_quic_param;

#define WZP_PCAP_QUIC_PARAMS_MAX 40

typedef struct wzp_pcap_quic_params {
    size_t count;
    wzp_pcap_quic_param list[WZP_PCAP_QUIC_PARAMS_MAX];
} wzp_pcap_quic_params;

typedef struct wzp_pcap_quic_frame {
    uint64_t type;
    uint32_t offset, len;              /* in the decrypted payload */
    uint64_t stream_id, stream_offset; /* frames that have them */
    uint64_t value;                    /* largest acknowledged, maximum, error code, sequence */
    uint64_t length;                   /* of the data it carries */
    bool fin;
} wzp_pcap_quic_frame;

typedef struct wzp_pcap_quic_close {
    uint64_t code;
    bool application, reset;         /* CONNECTION_CLOSE 0x1d; stateless reset */
    char reason[WZP_PCAP_QUIC_TEXT]; /* as sni */
} wzp_pcap_quic_close;

/* Which members are set is said beside wzp_pcap_quic_kind; everything is borrowed for the call. */
typedef struct wzp_pcap_quic_event {
    wzp_pcap_quic_kind kind;
    uint32_t conn; /* from 1, in the order of first packets; never used again */
    bool to_server;
    uint64_t packet_number; /* of the capture */
    uint64_t time_ns;
    const wzp_addr *src, *dst;
    const wzp_pcap_quic_packet *packet; /* PACKET, KEYS, FRAME, DATAGRAM, STREAM: what carried it */
    const wzp_pcap_quic_hello *hello;
    const wzp_pcap_quic_params *params;
    const wzp_pcap_quic_frame *frame; /* DATAGRAM, too */
    const wzp_pcap_quic_close *close;
    uint64_t stream_id, stream_offset; /* STREAM */
    bool fin;                          /* STREAM: nothing follows */
    wzp_bytes data;
    const char *text; /* static */
    size_t offset;
} wzp_pcap_quic_event;

typedef struct wzp_pcap_quic_cfg {
    void (*sink)(void *ctx, const wzp_pcap_quic_event *event); /* must not call back */
    void *sink_ctx;
    bool frames;   /* FRAME events wanted */
    bool at_once;  /* nothing waits for secrets as long as there are none at all, so that a capture
                      without any is said in its order */
    bool any_port; /* false: datagrams that open no connection that we know and do not look like
                      a first flight are counted and ignored; true: said as PROBLEM */
} wzp_pcap_quic_cfg;

typedef struct wzp_pcap_quic wzp_pcap_quic;

/* WZP_ERR_NOMEM, WZP_ERR_CRYPTO_LIB */
WZP_MUST_USE wzp_err wzp_pcap_quic_new(wzp_pcap_quic **out, const wzp_pcap_quic_cfg *cfg);
/* Wipes all keys.  Accepts NULL, leaves NULL. */
void wzp_pcap_quic_free(wzp_pcap_quic **quic);

/* Lines of a key log (tools sheet 7.2): "LABEL client_random secret".  Comments, blank lines and
 * labels that QUIC does not use are ignored; lines that are not well-formed are counted.
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_quic_secrets(wzp_pcap_quic *quic, wzp_bytes text);

/* One datagram.  Never fails: what cannot be read is counted and said. */
void wzp_pcap_quic_take(wzp_pcap_quic *quic, const wzp_pcap_udp *udp, uint64_t packet_number,
                        uint64_t time_ns);

/* The capture ends: what is still held is said as it is. */
void wzp_pcap_quic_end(wzp_pcap_quic *quic);

typedef struct wzp_pcap_quic_counters {
    uint64_t datagrams, not_quic, packets, opened, no_secret, no_hello, bad_tag, cut;
    uint64_t conns, conns_forgotten, key_updates, migrations;
    uint64_t held_dropped, streams_dropped, cids_dropped; /* limits above */
    uint64_t again;                                       /* opened: duplicates */
    uint64_t secrets, secrets_bad;                        /* lines taken, lines refused */
    uint64_t secrets_dropped;                             /* connections */
    uint64_t frames_bad;                                  /* payloads that end inside a frame */
    uint64_t joined;   /* connections without a beginning that were opened all the same */
    uint64_t headless; /* of not_quic: may be QUIC of connections whose beginning is missing */
    uint64_t segments; /* packets with another one behind them that reached as far as the datagram:
                          of datagrams before a network card cut them, or put together by it */
} wzp_pcap_quic_counters;

const wzp_pcap_quic_counters *wzp_pcap_quic_count(const wzp_pcap_quic *quic);

#endif
