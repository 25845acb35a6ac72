/* Walks over the frames of an opened packet (RFC 9000, 19; RFC 9221; ACK_FREQUENCY as drafted). */
#ifndef WZP_PCAP_QUIC_FRAMES_H
#define WZP_PCAP_QUIC_FRAMES_H

#include "base/rd.h"
#include "tools/pcap/quic/quic.h"

enum wzp_pcap_quic_frame_type {
    WZP_PCAP_QUIC_PADDING = 0x00,
    WZP_PCAP_QUIC_PING = 0x01,
    WZP_PCAP_QUIC_ACK = 0x02, /* and 0x03, with counts of ECN */
    WZP_PCAP_QUIC_RESET_STREAM = 0x04,
    WZP_PCAP_QUIC_STOP_SENDING = 0x05,
    WZP_PCAP_QUIC_CRYPTO = 0x06,
    WZP_PCAP_QUIC_NEW_TOKEN = 0x07,
    WZP_PCAP_QUIC_STREAM_FRAME = 0x08, /* to 0x0f: 1 FIN, 2 length, 4 offset */
    WZP_PCAP_QUIC_MAX_DATA = 0x10,
    WZP_PCAP_QUIC_MAX_STREAM_DATA = 0x11,
    WZP_PCAP_QUIC_MAX_STREAMS = 0x12, /* and 0x13 */
    WZP_PCAP_QUIC_DATA_BLOCKED = 0x14,
    WZP_PCAP_QUIC_STREAM_DATA_BLOCKED = 0x15,
    WZP_PCAP_QUIC_STREAMS_BLOCKED = 0x16, /* and 0x17 */
    WZP_PCAP_QUIC_NEW_CONNECTION_ID = 0x18,
    WZP_PCAP_QUIC_RETIRE_CONNECTION_ID = 0x19,
    WZP_PCAP_QUIC_PATH_CHALLENGE = 0x1a,
    WZP_PCAP_QUIC_PATH_RESPONSE = 0x1b,
    WZP_PCAP_QUIC_CONNECTION_CLOSE = 0x1c, /* and 0x1d, by the application */
    WZP_PCAP_QUIC_HANDSHAKE_DONE = 0x1e,
    WZP_PCAP_QUIC_IMMEDIATE_ACK = 0x1f,
    WZP_PCAP_QUIC_DATAGRAM_FRAME = 0x30, /* and 0x31, with length */
    WZP_PCAP_QUIC_ACK_FREQUENCY = 0xaf
};

#define WZP_PCAP_QUIC_TOKEN_LEN 16 /* of stateless resets */

/* What is public, and what only we follow.  Views are borrowed from the payload. */
typedef struct wzp_pcap_quic_walked {
    wzp_pcap_quic_frame frame;
    wzp_bytes data;        /* of CRYPTO, STREAM, DATAGRAM; token, path data, reason */
    wzp_pcap_quic_cid cid; /* NEW_CONNECTION_ID */
    wzp_bytes reset_token; /* NEW_CONNECTION_ID */
    uint64_t final_size;   /* RESET_STREAM */
    uint64_t retire_below; /* NEW_CONNECTION_ID */
    uint64_t trigger;      /* CONNECTION_CLOSE 0x1c: the type of the frame */
} wzp_pcap_quic_walked;

/* The next frame but PADDING; false at the end, and after a failure, which `rd` has recorded:
 * WZP_ERR_TRUNCATED, or WZP_ERR_FRAME_TYPE for a type whose length nobody knows. */
bool wzp_pcap_quic_walk(wzp_rd *rd, wzp_pcap_quic_walked *out);

/* Whether packets of that type may carry it (RFC 9000, 12.4). */
bool wzp_pcap_quic_frame_fits(uint64_t frame_type, wzp_pcap_quic_type packet_type);

#endif
