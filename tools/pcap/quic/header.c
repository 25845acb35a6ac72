#include "tools/pcap/quic/header.h"

#include "tools/pcap/quic/varint.h"

static const wzp_pcap_quic_type types_v1[] = {WZP_PCAP_QUIC_INITIAL, WZP_PCAP_QUIC_0RTT,
                                              WZP_PCAP_QUIC_HANDSHAKE, WZP_PCAP_QUIC_RETRY};
static const wzp_pcap_quic_type types_v2[] = {WZP_PCAP_QUIC_RETRY, WZP_PCAP_QUIC_INITIAL,
                                              WZP_PCAP_QUIC_0RTT, WZP_PCAP_QUIC_HANDSHAKE};

static void read_cid(wzp_pcap_quic_cid *out, wzp_rd *rd, const char *field) {
    const uint8_t len = wzp_rd_u8(rd, field);
    if (len > WZP_PCAP_QUIC_CID_LEN) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, field, 1, len);
        return;
    }
    const wzp_bytes id = wzp_rd_bytes(rd, len, field);
    if (id.len > 0) {
        out->len = len;
        memcpy(out->data, id.data, id.len);
    }
}

/* Version Negotiation and Retry reach to the datagram's end, the others say how long they are. */
static void read_end(wzp_pcap_quic_head *head, wzp_rd *rd, bool is_cut) {
    if (head->type == WZP_PCAP_QUIC_VERSION_NEGOTIATION || head->type == WZP_PCAP_QUIC_RETRY) {
        head->number_at = wzp_rd_offset(rd);
        head->is_cut = is_cut;
        head->token = wzp_rd_rest(rd);
        head->len = wzp_rd_offset(rd);
        return;
    }
    if (head->type == WZP_PCAP_QUIC_INITIAL) {
        head->token = wzp_pcap_quic_counted(rd, "token");
    }
    const uint64_t len = wzp_pcap_quic_varint(rd, "length");
    head->number_at = wzp_rd_offset(rd);
    head->is_cut = is_cut && len > wzp_rd_left(rd);
    const size_t there = head->is_cut ? wzp_rd_left(rd) : (size_t)len;
    (void)wzp_rd_bytes(rd, there, "length");
    head->len = wzp_rd_offset(rd);
}

static wzp_pcap_quic_type type_of(wzp_rd *rd, uint8_t first, uint32_t version) {
    const size_t bits = first >> 4 & 3;
    if (version == WZP_PCAP_QUIC_V1) {
        return types_v1[bits];
    }
    if (version == WZP_PCAP_QUIC_V2) {
        return types_v2[bits];
    }
    if (version != 0) {
        (void)wzp_rd_reject(rd, WZP_ERR_VERSION, "version", sizeof version, version);
    }
    return WZP_PCAP_QUIC_VERSION_NEGOTIATION;
}

wzp_err wzp_pcap_quic_head_long(wzp_pcap_quic_head *out, wzp_bytes bytes, bool is_cut,
                                wzp_fail *fail) {
    wzp_pcap_quic_head head = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, bytes);
    const uint8_t first = wzp_rd_u8(&rd, "first byte");
    head.version = wzp_rd_u32(&rd, "version");
    head.type = type_of(&rd, first, head.version);
    read_cid(&head.dcid, &rd, "destination connection id");
    read_cid(&head.scid, &rd, "source connection id");
    if (rd.fail.code == WZP_OK) {
        read_end(&head, &rd, is_cut);
    }
    *fail = rd.fail;
    if (rd.fail.code == WZP_ERR_TRUNCATED && is_cut) {
        head.is_cut = head.is_cut_short = true; /* what of the header is there, is known */
        head.len = bytes.len;
        *out = head;
        return WZP_OK;
    }
    if (rd.fail.code == WZP_OK) {
        *out = head;
    }
    return rd.fail.code;
}

wzp_err wzp_pcap_quic_head_short(wzp_pcap_quic_head *out, wzp_bytes bytes, size_t dcid_len,
                                 bool is_cut) {
    if (bytes.len < 1 + dcid_len) {
        return WZP_ERR_TRUNCATED;
    }
    *out = (wzp_pcap_quic_head){
        .type = WZP_PCAP_QUIC_1RTT, .is_cut = is_cut, .number_at = 1 + dcid_len, .len = bytes.len};
    out->dcid.len = (uint8_t)dcid_len;
    memcpy(out->dcid.data, bytes.data + 1, dcid_len);
    return WZP_OK;
}
