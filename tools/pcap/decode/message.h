/* What a capture says, one thing at a time: the currency of everything behind the decoder. */
#ifndef WZP_PCAP_DECODE_MESSAGE_H
#define WZP_PCAP_DECODE_MESSAGE_H

#include "tools/pcap/file/reader.h"
#include "tools/pcap/quic/quic.h"
#include "wire/media.h"
#include "wire/signal.h"

/* A connection, as far as it is known.  Lives as long as the decoder knows it. */
typedef enum wzp_pcap_role {
    WZP_PCAP_ROLE_UNKNOWN,
    WZP_PCAP_ROLE_ROOM,       /* SNI is a room, or `call-` */
    WZP_PCAP_ROLE_SIGNAL,     /* _signal */
    WZP_PCAP_ROLE_FEDERATION, /* _federation, _relay */
    WZP_PCAP_ROLE_PROBE,      /* _probe, ping */
    WZP_PCAP_ROLE_VERSION,
    WZP_PCAP_ROLE_DIRECT, /* between two clients */
    WZP_PCAP_ROLE_FILE    /* no connection: the records of a `.wzp` or hex file (conn 0) */
} wzp_pcap_role;

typedef struct wzp_pcap_conn {
    uint32_t number;
    wzp_pcap_role role;
    wzp_addr client, server;
    uint64_t opened_packet, opened_ns, last_ns;
    char sni[WZP_PCAP_QUIC_TEXT], alpn[WZP_PCAP_QUIC_TEXT];
    uint8_t client_random[32];
    bool hello;    /* sni, alpn and client_random are known */
    bool joined;   /* client_random alone is known: its beginning was not captured */
    bool readable; /* 1-RTT packets could be opened */
    bool closed;
} wzp_pcap_conn;

typedef enum wzp_pcap_shape {
    WZP_PCAP_PLAIN,
    WZP_PCAP_FULL,      /* compact framing, tag 00 */
    WZP_PCAP_MINI,      /* tag 01; hdr is the expanded one */
    WZP_PCAP_TRUNK,     /* an entry of a trunk frame: session_id, entry */
    WZP_PCAP_FEDERATION /* behind a room hash */
} wzp_pcap_shape;

/* What is known of a payload's encryption (crypto sheet 6). */
typedef enum wzp_pcap_media_seal {
    WZP_PCAP_SEAL_NO_KEY, /* may be sealed or not */
    WZP_PCAP_SEAL_OPENED,
    WZP_PCAP_SEAL_FAILED, /* keys of this connection are there, none of them fits */
    WZP_PCAP_SEAL_NONE    /* direct connections: never sealed by us */
} wzp_pcap_media_seal;

typedef struct wzp_pcap_media {
    wzp_pcap_shape shape;
    bool guessed; /* the shape was told from the bytes, not from the connection */
    wzp_media_packet packet;
    wzp_bytes bytes;       /* the media packet as on the wire, header first */
    uint8_t session_id[2]; /* TRUNK */
    uint16_t entry;        /* TRUNK: from 0 */
    uint8_t room_hash[8];  /* FEDERATION */
    wzp_pcap_media_seal seal;
    wzp_bytes plain; /* the payload in clear: OPENED, and NONE; empty otherwise */
    uint32_t epoch;  /* OPENED: which key */
    uint32_t sender; /* OPENED: whose keys these are, from 1, by no order; 0: not told by them */
    bool
        report_inside; /* OPENED: the quality report was sealed, as specified and not as deployed */
    bool nonce_again;  /* OPENED: another packet had the same key and nonce, and other bytes; only
                          packets not long before are remembered (keys.h) */
} wzp_pcap_media;

typedef struct wzp_pcap_signal {
    uint64_t stream_id;
    wzp_bytes json;           /* the whole message */
    const wzp_signal *parsed; /* NULL: not a known message in valid JSON; `fail` says where */
    char name[64];            /* variant, printable; "" if there is none */
    wzp_fail fail;
    uint64_t first_packet; /* of the capture, where the message began */
} wzp_pcap_signal;

typedef enum wzp_pcap_message_kind {
    WZP_PCAP_MESSAGE_MEDIA,
    WZP_PCAP_MESSAGE_SIGNAL,
    WZP_PCAP_MESSAGE_DATAGRAM,  /* a DATAGRAM frame that is no media packet: data, fail */
    WZP_PCAP_MESSAGE_TEXT,      /* bytes of a stream that is no signal, e.g. `version`: data */
    WZP_PCAP_MESSAGE_QUIC,      /* an event of quic.h that is none of the above: event */
    WZP_PCAP_MESSAGE_FORGOTTEN, /* this connection will not be heard of again */
    WZP_PCAP_MESSAGE_PROBLEM    /* of file, link layer or decoding: text, fail.offset */
} wzp_pcap_message_kind;

/* All borrowed for the call. */
typedef struct wzp_pcap_message {
    wzp_pcap_message_kind kind;
    uint64_t packet_number, time_ns;
    const wzp_pcap_packet *packet; /* NULL for what was held back (quic.h) */
    const wzp_pcap_conn *conn;     /* NULL: of no connection */
    bool to_server;
    const wzp_addr *src, *dst;        /* NULL: the file has none */
    const wzp_pcap_quic_event *event; /* what carried it; NULL: the file itself */
    const wzp_pcap_media *media;
    const wzp_pcap_signal *signal;
    wzp_bytes data;
    wzp_fail fail;
    const char *text; /* static */
} wzp_pcap_message;

#endif
