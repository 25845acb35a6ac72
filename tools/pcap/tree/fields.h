/* All fields that a message can have: one table of names (tools sheet 8), as Wireshark calls them
 * where it knows them, as the Lua dissector of tools/wireshark does where it does not.
 *
 * A message becomes a flat list in the order in which a tree shows it, without allocation. */
#ifndef WZP_PCAP_TREE_FIELDS_H
#define WZP_PCAP_TREE_FIELDS_H

#include "tools/pcap/decode/message.h"

typedef enum wzp_pcap_type {
    WZP_PCAP_TYPE_HEAD, /* a heading, has no value */
    WZP_PCAP_TYPE_UINT,
    WZP_PCAP_TYPE_BOOL,
    WZP_PCAP_TYPE_TIME,  /* number: nanoseconds, shown in seconds */
    WZP_PCAP_TYPE_BYTES, /* shown in hexadecimal */
    WZP_PCAP_TYPE_TEXT,
    WZP_PCAP_TYPE_IP /* addr; its port is another field */
} wzp_pcap_type;

/* id, name, type, what a tree calls it */
#define WZP_PCAP_FIELD_MAP(X)                                                                      \
    X(FRAME, "frame", HEAD, "Packet")                                                              \
    X(FRAME_NUMBER, "frame.number", UINT, "Number in the capture")                                 \
    X(FRAME_TIME, "frame.time_epoch", TIME, "Seconds since 1970")                                  \
    X(FRAME_RELATIVE, "frame.time_relative", TIME, "Seconds since the first")                      \
    X(FRAME_LEN, "frame.len", UINT, "Length on the wire")                                          \
    X(FRAME_CAP_LEN, "frame.cap_len", UINT, "Length captured")                                     \
    X(IP, "ip", HEAD, "Addresses")                                                                 \
    X(IP_SRC, "ip.src", IP, "Source")                                                              \
    X(IP_DST, "ip.dst", IP, "Destination")                                                         \
    X(IPV6, "ipv6", HEAD, "Addresses")                                                             \
    X(IPV6_SRC, "ipv6.src", IP, "Source")                                                          \
    X(IPV6_DST, "ipv6.dst", IP, "Destination")                                                     \
    X(UDP_SRCPORT, "udp.srcport", UINT, "Source port")                                             \
    X(UDP_DSTPORT, "udp.dstport", UINT, "Destination port")                                        \
    X(QUIC, "quic", HEAD, "QUIC")                                                                  \
    X(QUIC_TYPE, "wzp.quic.type", TEXT, "Packet type")                                             \
    X(QUIC_STATE, "wzp.quic.state", TEXT, "Protection")                                            \
    X(QUIC_VERSION, "quic.version", UINT, "Version")                                               \
    X(QUIC_DCID, "quic.dcid", BYTES, "Destination connection ID")                                  \
    X(QUIC_SCID, "quic.scid", BYTES, "Source connection ID")                                       \
    X(QUIC_NUMBER, "quic.packet_number", UINT, "Packet number")                                    \
    X(QUIC_LENGTH, "quic.packet_length", UINT, "Packet length")                                    \
    X(QUIC_SPIN, "quic.spin_bit", BOOL, "Spin bit")                                                \
    X(QUIC_GENERATION, "wzp.quic.key_generation", UINT, "Key updates so far")                      \
    X(QUIC_LATE, "wzp.quic.late", BOOL, "Opened later than it came")                               \
    X(QUIC_FRAME_TYPE, "quic.frame_type", UINT, "Frame type")                                      \
    X(QUIC_STREAM_ID, "quic.stream.stream_id", UINT, "Stream")                                     \
    X(QUIC_STREAM_OFFSET, "quic.stream.offset", UINT, "Stream offset")                             \
    X(QUIC_STREAM_FIN, "wzp.quic.fin", BOOL, "Stream ends")                                        \
    X(QUIC_FRAME_VALUE, "wzp.quic.value", UINT, "Value")                                           \
    X(QUIC_DG_LENGTH, "quic.dg.length", UINT, "Datagram length")                                   \
    X(QUIC_CLOSE, "quic.cc.error_code", UINT, "Transport error")                                   \
    X(QUIC_CLOSE_APP, "quic.cc.error_code.app", UINT, "Application error")                         \
    X(QUIC_REASON, "quic.cc.reason_phrase", TEXT, "Reason")                                        \
    X(TLS_RANDOM, "tls.handshake.random", BYTES, "Client random")                                  \
    X(TLS_SNI, "tls.handshake.extensions_server_name", TEXT, "Server name")                        \
    X(TLS_ALPN, "tls.handshake.extensions_alpn_str", TEXT, "ALPN")                                 \
    X(TLS_CIPHER, "tls.handshake.ciphersuite", UINT, "Cipher suite")                               \
    X(PARAM_TYPE, "tls.quic.parameter.type", UINT, "Transport parameter")                          \
    X(PARAM_NUMBER, "wzp.quic.parameter.number", UINT, "Value")                                    \
    X(PARAM_BYTES, "tls.quic.parameter.value", BYTES, "Value")                                     \
    X(WZP, "wzp", HEAD, "WZP")                                                                     \
    X(EVENT, "wzp.event", TEXT, "What")                                                            \
    X(CONN, "wzp.conn", UINT, "Connection")                                                        \
    X(ROLE, "wzp.role", TEXT, "Role of the connection")                                            \
    X(ROOM, "wzp.sni", TEXT, "Server name of the connection")                                      \
    X(TO_SERVER, "wzp.to_server", BOOL, "Towards the server")                                      \
    X(SHAPE, "wzp.shape", TEXT, "Form of the datagram")                                            \
    X(GUESSED, "wzp.guessed", BOOL, "Form guessed from the bytes")                                 \
    X(ROOM_HASH, "wzp.room_hash", BYTES, "Room hash")                                              \
    X(SESSION_ID, "wzp.trunk.session_id", BYTES, "Session of the trunk entry")                     \
    X(ENTRY, "wzp.trunk.entry", UINT, "Trunk entry")                                               \
    X(VERSION, "wzp.version", UINT, "Version")                                                     \
    X(FLAGS, "wzp.flags", UINT, "Flags")                                                           \
    X(FLAG_REPAIR, "wzp.flags.repair", BOOL, "T: repair symbol")                                   \
    X(FLAG_QUALITY, "wzp.flags.quality", BOOL, "Q: quality report follows")                        \
    X(FLAG_KEYFRAME, "wzp.flags.keyframe", BOOL, "K: key frame")                                   \
    X(FLAG_FRAME_END, "wzp.flags.frame_end", BOOL, "E: frame ends")                                \
    X(FLAG_RESERVED, "wzp.flags.reserved", UINT, "Reserved bits")                                  \
    X(MEDIA_TYPE, "wzp.media_type", UINT, "Media type")                                            \
    X(CODEC, "wzp.codec", UINT, "Codec")                                                           \
    X(STREAM_ID, "wzp.stream_id", UINT, "Stream")                                                  \
    X(FEC_RATIO, "wzp.fec_ratio", UINT, "FEC ratio, percent")                                      \
    X(SEQ, "wzp.seq", UINT, "Sequence")                                                            \
    X(TIMESTAMP, "wzp.timestamp_ms", UINT, "Timestamp, ms")                                        \
    X(FEC_BLOCK, "wzp.fec_block", UINT, "FEC block")                                               \
    X(FEC_SYMBOL, "wzp.fec_symbol", UINT, "FEC symbol")                                            \
    X(FRAG_INDEX, "wzp.frag.index", UINT, "Fragment")                                              \
    X(FRAG_COUNT, "wzp.frag.count", UINT, "Fragments of the frame")                                \
    X(PAYLOAD, "wzp.payload", BYTES, "Payload")                                                    \
    X(PAYLOAD_LENGTH, "wzp.payload.length", UINT, "Payload length")                                \
    X(SEAL, "wzp.seal", TEXT, "Encryption")                                                        \
    X(EPOCH, "wzp.epoch", UINT, "Key epoch")                                                       \
    X(PLAIN, "wzp.plain", BYTES, "Payload in clear")                                               \
    X(REPORT_INSIDE, "wzp.quality.inside", BOOL, "Report was sealed")                              \
    X(NONCE_AGAIN, "wzp.nonce_again", BOOL, "Nonce used before for other bytes")                   \
    X(LOSS, "wzp.quality.loss", UINT, "Loss, of 255")                                              \
    X(RTT, "wzp.quality.rtt", UINT, "Round trip, 4 ms")                                            \
    X(JITTER, "wzp.quality.jitter", UINT, "Jitter, ms")                                            \
    X(CAP, "wzp.quality.cap", UINT, "Bitrate cap, kbit/s")                                         \
    X(SIGNAL_TYPE, "wzp.signal.type", TEXT, "Signal")                                              \
    X(SIGNAL_VERSION, "wzp.signal.version", UINT, "Signal version")                                \
    X(SIGNAL_STREAM, "wzp.signal.stream_id", UINT, "Stream")                                       \
    X(SIGNAL_FIRST, "wzp.signal.first_packet", UINT, "Begins in packet")                           \
    X(SIGNAL_LENGTH, "wzp.signal.length", UINT, "Length of the JSON")                              \
    X(SIGNAL_JSON, "wzp.signal.json", TEXT, "JSON")                                                \
    X(DATA, "wzp.data", BYTES, "Bytes")                                                            \
    X(DATA_TEXT, "wzp.text", TEXT, "Text")                                                         \
    X(ERROR, "wzp.error", TEXT, "Error")                                                           \
    X(ERROR_FIELD, "wzp.error.field", TEXT, "in")                                                  \
    X(ERROR_OFFSET, "wzp.error.offset", UINT, "at byte")                                           \
    X(ERROR_GOT, "wzp.error.got", UINT, "which is")

typedef enum wzp_pcap_field_id {
#define X(id, name, type, what) WZP_PCAP_FIELD_##id,
    WZP_PCAP_FIELD_MAP(X)
#undef X
        WZP_PCAP_FIELD_COUNT
} wzp_pcap_field_id;

typedef struct wzp_pcap_field_info {
    const char *name, *what;
    wzp_pcap_type type;
} wzp_pcap_field_info;

/* `id` is below WZP_PCAP_FIELD_COUNT. */
const wzp_pcap_field_info *wzp_pcap_field_info_of(unsigned id);

/* -1: no field has that name. */
int wzp_pcap_field_by_name(wzp_bytes name);

/* What a number stands for ("Opus24k"); NULL: just a number. */
const char *wzp_pcap_field_value_name(unsigned id, uint64_t value);

/* The number that a name stands for in that field; -1: none. */
int64_t wzp_pcap_field_value_by_name(unsigned id, wzp_bytes name);

#define WZP_PCAP_NO_OFFSET UINT32_MAX
#define WZP_PCAP_TREE_MAX 160 /* transport parameters are the most: two fields each */

typedef struct wzp_pcap_field {
    uint16_t id;
    uint8_t depth;   /* 0: headings */
    uint32_t offset; /* in the datagram, record or message; WZP_PCAP_NO_OFFSET: of no bytes there */
    uint32_t len;
    union {
        uint64_t number;
        wzp_bytes bytes; /* BYTES, TEXT */
        const wzp_addr *addr;
    } u;
} wzp_pcap_field;

typedef struct wzp_pcap_tree {
    size_t count;
    wzp_pcap_field list[WZP_PCAP_TREE_MAX];
} wzp_pcap_tree;

/* Borrows from the message.  `first_ns`: the time that relative times count from. */
void wzp_pcap_tree_build(wzp_pcap_tree *tree, const wzp_pcap_message *message, uint64_t first_ns);

/* "media", "signal", "hello", ...; static text. */
const char *wzp_pcap_event_name(const wzp_pcap_message *message);
const char *wzp_pcap_shape_name(wzp_pcap_shape shape);
const char *wzp_pcap_seal_name(wzp_pcap_media_seal seal);
const char *wzp_pcap_quic_type_name(wzp_pcap_quic_type type);
const char *wzp_pcap_quic_seal_name(wzp_pcap_quic_seal seal);

#endif
