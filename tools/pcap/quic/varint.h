/* QUIC's variable-length integers (RFC 9000, 16), read by the same rules as rd.h has. */
#ifndef WZP_PCAP_QUIC_VARINT_H
#define WZP_PCAP_QUIC_VARINT_H

#include "base/rd.h"

static inline uint64_t wzp_pcap_quic_varint(wzp_rd *rd, const char *field) {
    if (rd->fail.code != WZP_OK) {
        return 0;
    }
    const size_t left = wzp_rd_left(rd);
    const size_t len = left > 0 ? (size_t)1 << (rd->pos[0] >> 6) : 1;
    if (left < len) {
        (void)wzp_rd_bytes(rd, len, field); /* says where */
        return 0;
    }
    uint64_t value = rd->pos[0] & 0x3f;
    for (size_t i = 1; i < len; i++) {
        value = value << 8 | rd->pos[i];
    }
    rd->pos += len;
    return value;
}

/* A count of bytes that follow, as a size: one that no memory holds is refused there anyway. */
static inline wzp_bytes wzp_pcap_quic_counted(wzp_rd *rd, const char *field) {
    const uint64_t len = wzp_pcap_quic_varint(rd, field);
    return wzp_rd_bytes(rd, len > SIZE_MAX ? SIZE_MAX : (size_t)len, field);
}

#endif
