#include "tools/pcap/quic/frames.h"

#include "tools/pcap/quic/varint.h"

/* Ranges are only passed over: what a sender acknowledges is seen in the other direction. */
static void read_ack(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.value = wzp_pcap_quic_varint(rd, "largest acknowledged");
    (void)wzp_pcap_quic_varint(rd, "ack delay");
    uint64_t ranges = wzp_pcap_quic_varint(rd, "ack range count");
    (void)wzp_pcap_quic_varint(rd, "first ack range");
    for (; ranges > 0 && rd->fail.code == WZP_OK; ranges--) {
        (void)wzp_pcap_quic_varint(rd, "gap");
        (void)wzp_pcap_quic_varint(rd, "ack range length");
    }
    if (out->frame.type == WZP_PCAP_QUIC_ACK + 1) {
        (void)wzp_pcap_quic_varint(rd, "ECT0 count");
        (void)wzp_pcap_quic_varint(rd, "ECT1 count");
        (void)wzp_pcap_quic_varint(rd, "ECN-CE count");
    }
}

static void read_stream(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    const uint64_t type = out->frame.type;
    out->frame.fin = (type & 1) != 0;
    out->frame.stream_id = wzp_pcap_quic_varint(rd, "stream id");
    if ((type & 4) != 0) {
        out->frame.stream_offset = wzp_pcap_quic_varint(rd, "stream offset");
    }
    out->data = (type & 2) != 0 ? wzp_pcap_quic_counted(rd, "stream length") : wzp_rd_rest(rd);
}

static void read_close(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.value = wzp_pcap_quic_varint(rd, "error code");
    if (out->frame.type == WZP_PCAP_QUIC_CONNECTION_CLOSE) {
        out->trigger = wzp_pcap_quic_varint(rd, "frame type");
    }
    out->data = wzp_pcap_quic_counted(rd, "reason phrase");
}

static void read_new_cid(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.value = wzp_pcap_quic_varint(rd, "sequence number");
    out->retire_below = wzp_pcap_quic_varint(rd, "retire prior to");
    const uint8_t len = wzp_rd_u8(rd, "connection id length");
    if (rd->fail.code == WZP_OK && (len == 0 || len > WZP_PCAP_QUIC_CID_LEN)) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "connection id length", 1, len);
        return;
    }
    const wzp_bytes id = wzp_rd_bytes(rd, len, "connection id");
    out->reset_token = wzp_rd_bytes(rd, WZP_PCAP_QUIC_TOKEN_LEN, "stateless reset token");
    if (rd->fail.code == WZP_OK) {
        out->cid.len = len;
        memcpy(out->cid.data, id.data, len);
    }
}

static void read_reset(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.stream_id = wzp_pcap_quic_varint(rd, "stream id");
    out->frame.value = wzp_pcap_quic_varint(rd, "error code");
    if (out->frame.type == WZP_PCAP_QUIC_RESET_STREAM) {
        out->final_size = wzp_pcap_quic_varint(rd, "final size");
    }
}

static void read_stream_limit(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.stream_id = wzp_pcap_quic_varint(rd, "stream id");
    out->frame.value = wzp_pcap_quic_varint(rd, "maximum stream data");
}

static void read_ack_frequency(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    out->frame.value = wzp_pcap_quic_varint(rd, "sequence number");
    (void)wzp_pcap_quic_varint(rd, "ack-eliciting threshold");
    (void)wzp_pcap_quic_varint(rd, "request max ack delay");
    (void)wzp_pcap_quic_varint(rd, "reordering threshold");
}

static void read_body(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    const uint64_t type = out->frame.type;
    switch (type) {
    case 0x01: /* PING, HANDSHAKE_DONE, IMMEDIATE_ACK */
    case 0x1e:
    case 0x1f:
        return;
    case 0x02:
    case 0x03:
        read_ack(rd, out);
        return;
    case 0x04:
    case 0x05:
        read_reset(rd, out);
        return;
    case 0x06:
        out->frame.stream_offset = wzp_pcap_quic_varint(rd, "crypto offset");
        out->data = wzp_pcap_quic_counted(rd, "crypto length");
        return;
    case 0x07:
        out->data = wzp_pcap_quic_counted(rd, "token");
        return;
    case 0x10: /* MAX_DATA, MAX_STREAMS, ..._BLOCKED, RETIRE_CONNECTION_ID */
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x17:
    case 0x19:
        out->frame.value = wzp_pcap_quic_varint(rd, "value");
        return;
    case 0x11:
    case 0x15:
        read_stream_limit(rd, out);
        return;
    case 0x18:
        read_new_cid(rd, out);
        return;
    case 0x1a:
    case 0x1b:
        out->data = wzp_rd_bytes(rd, 8, "path data");
        return;
    case 0x1c:
    case 0x1d:
        read_close(rd, out);
        return;
    case 0x30:
        out->data = wzp_rd_rest(rd);
        return;
    case 0x31:
        out->data = wzp_pcap_quic_counted(rd, "datagram length");
        return;
    case WZP_PCAP_QUIC_ACK_FREQUENCY:
        read_ack_frequency(rd, out);
        return;
    default:
        if (type >= 0x08 && type <= 0x0f) {
            read_stream(rd, out);
            return;
        }
        (void)wzp_rd_reject(rd, WZP_ERR_FRAME_TYPE, "frame type", 1, type);
    }
}

bool wzp_pcap_quic_walk(wzp_rd *rd, wzp_pcap_quic_walked *out) {
    if (rd->fail.code != WZP_OK) {
        return false;
    }
    while (rd->pos < rd->end && *rd->pos == 0) {
        rd->pos++; /* PADDING */
    }
    if (rd->pos == rd->end) {
        return false;
    }
    *out = (wzp_pcap_quic_walked){.frame.offset = (uint32_t)wzp_rd_offset(rd)};
    out->frame.type = wzp_pcap_quic_varint(rd, "frame type");
    if (rd->fail.code == WZP_OK) {
        read_body(rd, out);
    }
    if (rd->fail.code != WZP_OK) {
        return false;
    }
    out->frame.len = (uint32_t)wzp_rd_offset(rd) - out->frame.offset;
    out->frame.length = out->data.len;
    return true;
}

/* Bits are frame types below 0x20. */
#define IN_HANDSHAKE UINT32_C(0x1000004f) /* PADDING, PING, ACK, CRYPTO, CONNECTION_CLOSE */
#define NOT_IN_0RTT UINT32_C(0x4a0000cc)  /* what answers to a server, or is told by one */

bool wzp_pcap_quic_frame_fits(uint64_t frame_type, wzp_pcap_quic_type packet_type) {
    switch (packet_type) {
    case WZP_PCAP_QUIC_INITIAL:
    case WZP_PCAP_QUIC_HANDSHAKE:
        return frame_type < 32 && (IN_HANDSHAKE >> frame_type & 1) != 0;
    case WZP_PCAP_QUIC_0RTT:
        return frame_type >= 32 || (NOT_IN_0RTT >> frame_type & 1) == 0;
    case WZP_PCAP_QUIC_1RTT:
        return true;
    case WZP_PCAP_QUIC_RETRY:
    case WZP_PCAP_QUIC_VERSION_NEGOTIATION:
        break;
    }
    return false;
}
