#include "sim/net/wire.h"

#include <assert.h>

#include "base/wr.h"

/* --- lengths ---------------------------------------------------------------------------------- */

static uint32_t ip_header_len(uint8_t family) {
    assert(family != WZP_ADDR_NONE);
    return family == WZP_ADDR_V4 ? 20 : 40;
}

/* UDP and ICMP have 8 bytes. */
static uint32_t header_len(uint8_t proto) {
    return proto == WZP_SIM_TCP ? 20 : 8;
}

size_t wzp_sim_icmp_room(uint8_t family, uint8_t proto) {
    const uint32_t whole = family == WZP_ADDR_V4 ? 576 : 1280;
    return whole - 2 * ip_header_len(family) - 8 - header_len(proto);
}

/* What an ICMP error quotes: header and payload of a packet. */
static uint32_t quote_len(const wzp_sim_packet *packet) {
    return ip_header_len(packet->inner_src.family) + header_len(packet->inner_proto) + packet->len;
}

uint32_t wzp_sim_packet_wire_len(const wzp_sim_packet *packet) {
    const uint32_t headers = ip_header_len(packet->src.family) + header_len(packet->proto);
    return headers + (packet->proto == WZP_SIM_ICMP ? quote_len(packet) : packet->len);
}

/* --- checksums -------------------------------------------------------------------------------- */

uint64_t wzp_sim_sum(wzp_bytes bytes) {
    uint64_t sum = 0;
    size_t i = 0;
    for (; i + 1 < bytes.len; i += 2) {
        sum += (uint64_t)bytes.data[i] << 8 | bytes.data[i + 1];
    }
    return i < bytes.len ? sum + ((uint64_t)bytes.data[i] << 8) : sum;
}

uint16_t wzp_sim_sum_fold(uint64_t sum) {
    while (sum > UINT16_MAX) {
        sum = (sum >> 16) + (sum & UINT16_MAX);
    }
    return (uint16_t)sum;
}

/* What is put into the header; a wrong one differs in a bit. */
static uint16_t checksum(uint64_t sum, bool wrong) {
    return (uint16_t)(~wzp_sim_sum_fold(sum) ^ (wrong ? 1 : 0));
}

static void patch_u16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static size_t ip_len(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V4 ? 4 : 16;
}

/* --- headers ---------------------------------------------------------------------------------- */

/* Of a packet or of what an error quotes. */
typedef struct head {
    const wzp_addr *src, *dst;
    uint8_t proto, ttl, tos; /* proto: wzp_sim_proto */
    bool dont_fragment;
    uint16_t id;
    uint32_t above; /* bytes above IP */
} head;

static uint8_t proto_number(const head *h) {
    return h->proto == WZP_SIM_ICMP && h->src->family == WZP_ADDR_V6 ? 58 : h->proto;
}

static void write_v4(wzp_wr *wr, const head *h) {
    uint8_t *const begin = wr->pos;
    wzp_wr_u8(wr, 0x45);
    wzp_wr_u8(wr, h->tos);
    wzp_wr_u16(wr, (uint16_t)(20 + h->above));
    wzp_wr_u16(wr, h->id);
    wzp_wr_u16(wr, h->dont_fragment ? 0x4000 : 0);
    wzp_wr_u8(wr, h->ttl);
    wzp_wr_u8(wr, proto_number(h));
    wzp_wr_u16(wr, 0);
    wzp_wr_bytes(wr, wzp_bytes_of(h->src->ip, 4));
    wzp_wr_bytes(wr, wzp_bytes_of(h->dst->ip, 4));
    patch_u16(begin + 10, checksum(wzp_sim_sum(wzp_bytes_of(begin, 20)), false));
}

static void write_v6(wzp_wr *wr, const head *h) {
    wzp_wr_u32(wr, UINT32_C(6) << 28 | (uint32_t)h->tos << 20);
    wzp_wr_u16(wr, (uint16_t)h->above);
    wzp_wr_u8(wr, proto_number(h));
    wzp_wr_u8(wr, h->ttl);
    wzp_wr_bytes(wr, wzp_bytes_of(h->src->ip, 16));
    wzp_wr_bytes(wr, wzp_bytes_of(h->dst->ip, 16));
}

static void write_ip(wzp_wr *wr, const head *h) {
    assert(h->src->family == h->dst->family && 20 + h->above <= UINT16_MAX);
    if (h->src->family == WZP_ADDR_V4) {
        write_v4(wr, h);
    } else {
        write_v6(wr, h);
    }
}

static uint64_t pseudo_sum(const head *h) {
    const size_t len = ip_len(h->src);
    return wzp_sim_sum(wzp_bytes_of(h->src->ip, len)) + wzp_sim_sum(wzp_bytes_of(h->dst->ip, len)) +
           proto_number(h) + h->above;
}

/* `payload_sum` is of all the payload, which may not be in what follows. */
static void write_udp(wzp_wr *wr, const head *h, uint64_t payload_sum, bool wrong) {
    uint8_t *const begin = wr->pos;
    wzp_wr_u16(wr, h->src->port);
    wzp_wr_u16(wr, h->dst->port);
    wzp_wr_u16(wr, (uint16_t)h->above);
    wzp_wr_u16(wr, 0);
    const uint64_t sum = wzp_sim_sum(wzp_bytes_of(begin, 8)) + pseudo_sum(h) + payload_sum;
    const uint16_t sent = checksum(sum, wrong);
    patch_u16(begin + 6, sent == 0 ? UINT16_MAX : sent); /* 0 would mean that there is none */
}

/* Sequence numbers are not modelled: a segment with ACK and nothing else. */
static void write_tcp(wzp_wr *wr, const head *h, uint64_t payload_sum, bool wrong) {
    uint8_t *const begin = wr->pos;
    wzp_wr_u16(wr, h->src->port);
    wzp_wr_u16(wr, h->dst->port);
    wzp_wr_u64(wr, 0);
    wzp_wr_u16(wr, 5 << 12 | 1 << 4);
    wzp_wr_u16(wr, UINT16_MAX);
    wzp_wr_u32(wr, 0);
    const uint64_t sum = wzp_sim_sum(wzp_bytes_of(begin, 20)) + pseudo_sum(h) + payload_sum;
    patch_u16(begin + 16, checksum(sum, wrong));
}

static void write_transport(wzp_wr *wr, const head *h, uint64_t payload_sum, bool wrong) {
    if (h->proto == WZP_SIM_TCP) {
        write_tcp(wr, h, payload_sum, wrong);
    } else {
        write_udp(wr, h, payload_sum, wrong);
    }
}

/* --- ICMP ------------------------------------------------------------------------------------- */

/* RFC 792, 1812 and 4443 */
static const struct icmp_code {
    uint8_t type_v4, code_v4, type_v6, code_v6;
} icmp_codes[] = {
    [WZP_SIM_ICMP_PORT_UNREACHABLE] = {3, 3, 1, 4},  [WZP_SIM_ICMP_HOST_UNREACHABLE] = {3, 1, 1, 3},
    [WZP_SIM_ICMP_ADMIN_PROHIBITED] = {3, 13, 1, 1}, [WZP_SIM_ICMP_TOO_BIG] = {3, 4, 2, 0},
    [WZP_SIM_ICMP_TTL_EXCEEDED] = {11, 0, 3, 0},
};

static head inner_head(const wzp_sim_packet *packet) {
    return (head){
        .src = &packet->inner_src,
        .dst = &packet->inner_dst,
        .proto = packet->inner_proto,
        .ttl = packet->inner_ttl,
        .tos = packet->inner_tos,
        .dont_fragment = packet->inner_dont_fragment,
        .id = packet->inner_id,
        .above = header_len(packet->inner_proto) + packet->inner_len,
    };
}

/* The MTU is the last 16 of 32 bits in both families. */
static void write_icmp(wzp_wr *wr, const wzp_sim_packet *packet, const head *h) {
    assert(packet->icmp > WZP_SIM_ICMP_NONE && packet->icmp < WZP_COUNT_OF(icmp_codes));
    const struct icmp_code *code = &icmp_codes[packet->icmp];
    const bool v4 = h->src->family == WZP_ADDR_V4;
    const head inner = inner_head(packet);
    uint8_t *const begin = wr->pos;
    wzp_wr_u8(wr, v4 ? code->type_v4 : code->type_v6);
    wzp_wr_u8(wr, v4 ? code->code_v4 : code->code_v6);
    wzp_wr_u16(wr, 0);
    wzp_wr_u32(wr, packet->mtu);
    write_ip(wr, &inner);
    write_transport(wr, &inner, packet->inner_sum, false);
    wzp_wr_bytes(wr, wzp_bytes_of(packet->payload, packet->len));
    const uint64_t sum = wzp_sim_sum(wzp_bytes_of(begin, h->above)) + (v4 ? 0 : pseudo_sum(h));
    patch_u16(begin + 2, checksum(sum, packet->corrupted));
}

/* --- packet ----------------------------------------------------------------------------------- */

size_t wzp_sim_packet_bytes(const wzp_sim_packet *packet, uint8_t *out, size_t cap) {
    const size_t len = wzp_sim_packet_wire_len(packet);
    if (cap < len) {
        return 0;
    }
    const head h = {
        .src = &packet->src,
        .dst = &packet->dst,
        .proto = packet->proto,
        .ttl = packet->ttl,
        .tos = packet->tos,
        .dont_fragment = packet->dont_fragment,
        .id = (uint16_t)packet->id,
        .above = (uint32_t)len - ip_header_len(packet->src.family),
    };
    wzp_wr wr;
    wzp_wr_init(&wr, out, len);
    write_ip(&wr, &h);
    if (packet->proto == WZP_SIM_ICMP) {
        write_icmp(&wr, packet, &h);
    } else {
        const wzp_bytes payload = wzp_bytes_of(packet->payload, packet->len);
        write_transport(&wr, &h, wzp_sim_sum(payload), packet->corrupted);
        wzp_wr_bytes(&wr, payload);
    }
    assert(wzp_wr_end(&wr) == WZP_OK && wzp_wr_room(&wr) == 0);
    return len;
}
