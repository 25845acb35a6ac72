#include "trace/inet.h"

#include "base/wr.h"

enum { UDP = 17, TTL = 64 };

uint16_t wzp_inet_sum(uint16_t sum, wzp_bytes bytes) {
    uint64_t wide = sum;
    size_t i = 0;
    for (; i + 4 <= bytes.len; i += 4) { /* 2^32 such words fit into 64 bits */
        wide += (uint32_t)bytes.data[i] << 24 | (uint32_t)bytes.data[i + 1] << 16 |
                (uint32_t)bytes.data[i + 2] << 8 | bytes.data[i + 3];
    }
    for (; i < bytes.len; i++) {
        wide += i % 2 == 0 ? (uint64_t)bytes.data[i] << 8 : bytes.data[i];
    }
    while (wide >> 16 != 0) {
        wide = (wide & 0xffff) + (wide >> 16);
    }
    return (uint16_t)wide;
}

static size_t ip_len(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V6 ? 16 : 4;
}

uint16_t wzp_inet_udp_checksum(const wzp_addr *src, const wzp_addr *dst, wzp_bytes head,
                               wzp_bytes payload) {
    const size_t len = head.len + payload.len;
    const uint8_t pseudo[6] = {
        (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 0, UDP};
    uint16_t sum = wzp_inet_sum(0, wzp_bytes_of(src->ip, ip_len(src)));
    sum = wzp_inet_sum(sum, wzp_bytes_of(dst->ip, ip_len(dst)));
    sum = wzp_inet_sum(sum, wzp_bytes_of(pseudo, sizeof pseudo));
    sum = wzp_inet_sum(sum, head);
    return (uint16_t)~wzp_inet_sum(sum, payload);
}

static void ipv4_head(wzp_wr *wr, const wzp_addr *src, const wzp_addr *dst, uint8_t ecn,
                      size_t udp_len) {
    const uint8_t *const begin = wr->pos;
    wzp_wr_u8(wr, 0x45);
    wzp_wr_u8(wr, ecn);
    wzp_wr_u16(wr, (uint16_t)(20 + udp_len));
    wzp_wr_u32(wr, 0x4000); /* don't fragment */
    wzp_wr_u8(wr, TTL);
    wzp_wr_u8(wr, UDP);
    uint8_t *const checksum = wr->pos;
    wzp_wr_u16(wr, 0);
    wzp_wr_bytes(wr, wzp_bytes_of(src->ip, 4));
    wzp_wr_bytes(wr, wzp_bytes_of(dst->ip, 4));
    const unsigned value = (uint16_t)~wzp_inet_sum(0, wzp_bytes_of(begin, 20));
    checksum[0] = (uint8_t)(value >> 8);
    checksum[1] = (uint8_t)value;
}

static void ipv6_head(wzp_wr *wr, const wzp_addr *src, const wzp_addr *dst, uint8_t ecn,
                      size_t udp_len) {
    wzp_wr_u32(wr, UINT32_C(0x60000000) | (uint32_t)ecn << 20);
    wzp_wr_u16(wr, (uint16_t)udp_len);
    wzp_wr_u8(wr, UDP);
    wzp_wr_u8(wr, TTL);
    wzp_wr_bytes(wr, wzp_bytes_of(src->ip, 16));
    wzp_wr_bytes(wr, wzp_bytes_of(dst->ip, 16));
}

static void udp_head(wzp_wr *wr, const wzp_addr *src, const wzp_addr *dst, wzp_bytes payload) {
    uint8_t *const head = wr->pos;
    wzp_wr_u16(wr, src->port);
    wzp_wr_u16(wr, dst->port);
    wzp_wr_u16(wr, (uint16_t)(8 + payload.len));
    wzp_wr_u16(wr, 0);
    unsigned value = wzp_inet_udp_checksum(src, dst, wzp_bytes_of(head, 8), payload);
    value = value == 0 ? 0xffff : value; /* 0 would say that there is none */
    head[6] = (uint8_t)(value >> 8);
    head[7] = (uint8_t)value;
}

size_t wzp_inet_udp_head(uint8_t out[WZP_INET_HEAD_MAX], const wzp_addr *src, const wzp_addr *dst,
                         uint8_t ecn, wzp_bytes payload) {
    if (src->family == WZP_ADDR_NONE || src->family != dst->family ||
        payload.len > WZP_INET_PAYLOAD_MAX) {
        return 0;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, out, WZP_INET_HEAD_MAX);
    if (src->family == WZP_ADDR_V4) {
        ipv4_head(&wr, src, dst, ecn & 3, 8 + payload.len);
    } else {
        ipv6_head(&wr, src, dst, ecn & 3, 8 + payload.len);
    }
    udp_head(&wr, src, dst, payload);
    return wzp_wr_len(&wr);
}
