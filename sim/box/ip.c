#include "sim/box/ip.h"

#include "base/rd.h"
#include "sim/net/wire.h"

enum {
    V4_HEADER = 20,
    V6_HEADER = 40,
    V4_CHECKSUM = 10,
    V4_ADDRESSES = 12,
    V6_ADDRESSES = 8,
    UDP_HEADER = 8,
    UDP_CHECKSUM = 6,
    TCP_HEADER = 20,
    TCP_CHECKSUM = 16,
    ICMP_HEADER = 8,
    ICMP_CHECKSUM = 2,
    ICMP_IDENTIFIER = 4
};

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t sum_of(const uint8_t *at, size_t len) {
    return wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(at, len)));
}

static wzp_addr addr_from(uint8_t family, wzp_bytes bytes) {
    wzp_addr addr = {.family = family};
    if (bytes.len > 0) {
        memcpy(addr.ip, bytes.data, bytes.len);
    }
    return addr;
}

/* --- IP headers ------------------------------------------------------------------------------- */

static wzp_err parse_v4(wzp_sim_ip *ip, wzp_rd *rd, bool quoted) {
    const uint8_t first = wzp_rd_u8(rd, "IHL");
    const size_t header = (size_t)(first & 15) * 4;
    (void)wzp_rd_u8(rd, "TOS");
    const uint16_t total = wzp_rd_u16(rd, "Total Length");
    ip->id = wzp_rd_u16(rd, "Identification");
    const uint16_t fragment = wzp_rd_u16(rd, "Fragment Offset");
    ip->ttl = wzp_rd_u8(rd, "TTL");
    ip->proto = wzp_rd_u8(rd, "Protocol");
    (void)wzp_rd_u16(rd, "Header Checksum");
    ip->src = addr_from(WZP_ADDR_V4, wzp_rd_bytes(rd, 4, "Source Address"));
    ip->dst = addr_from(WZP_ADDR_V4, wzp_rd_bytes(rd, 4, "Destination Address"));
    if (header < V4_HEADER || total < header) {
        return wzp_rd_reject(rd, WZP_ERR_PARSE, "IHL", 0, header);
    }
    (void)wzp_rd_bytes(rd, header - V4_HEADER, "Options");
    if (rd->fail.code == WZP_OK && total > ip->len && !quoted) {
        return wzp_rd_reject(rd, WZP_ERR_TRUNCATED, "Total Length", 0, total);
    }
    if (rd->fail.code == WZP_OK && !quoted && sum_of(ip->at, header) != 0xffff) {
        return wzp_rd_reject(rd, WZP_ERR_PARSE, "Header Checksum", 0, 0);
    }
    ip->len = total < ip->len ? total : ip->len;
    ip->body = header;
    ip->first = (fragment & 0x1fff) == 0;
    ip->divided = !ip->first || (fragment & 0x2000) != 0;
    return rd->fail.code;
}

static void parse_fragment_header(wzp_sim_ip *ip, wzp_rd *rd) {
    ip->proto = wzp_rd_u8(rd, "Next Header");
    (void)wzp_rd_u8(rd, "Reserved");
    const uint16_t fragment = wzp_rd_u16(rd, "Fragment Offset");
    ip->id = wzp_rd_u32(rd, "Identification");
    ip->first = (fragment & 0xfff8) == 0;
    ip->divided = !ip->first || (fragment & 1) != 0;
}

/* Hop-by-hop options, destination options, and routing headers that have done their work: of others
 * the destination that counts in checksums is not the one in the header. */
static void parse_options(wzp_sim_ip *ip, wzp_rd *rd, bool routing) {
    ip->proto = wzp_rd_u8(rd, "Next Header");
    const size_t len = (size_t)wzp_rd_u8(rd, "Hdr Ext Len") * 8 + 6;
    const wzp_bytes rest = wzp_rd_bytes(rd, len, "Options");
    if (routing && rest.len > 1 && rest.data[1] != 0) {
        (void)wzp_rd_reject(rd, WZP_ERR_PARSE, "Segments Left", 0, rest.data[1]);
    }
}

static void parse_extensions(wzp_sim_ip *ip, wzp_rd *rd) {
    enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, OPTIONS = 60 };
    while (rd->fail.code == WZP_OK && ip->first) {
        if (ip->proto == FRAGMENT) {
            parse_fragment_header(ip, rd);
        } else if (ip->proto == HOP_BY_HOP || ip->proto == ROUTING || ip->proto == OPTIONS) {
            parse_options(ip, rd, ip->proto == ROUTING);
        } else {
            return;
        }
    }
}

static wzp_err parse_v6(wzp_sim_ip *ip, wzp_rd *rd, bool quoted) {
    (void)wzp_rd_u32(rd, "Version");
    const size_t total = (size_t)wzp_rd_u16(rd, "Payload Length") + V6_HEADER;
    ip->proto = wzp_rd_u8(rd, "Next Header");
    ip->ttl = wzp_rd_u8(rd, "Hop Limit");
    ip->src = addr_from(WZP_ADDR_V6, wzp_rd_bytes(rd, 16, "Source Address"));
    ip->dst = addr_from(WZP_ADDR_V6, wzp_rd_bytes(rd, 16, "Destination Address"));
    if (rd->fail.code == WZP_OK && total > ip->len && !quoted) {
        return wzp_rd_reject(rd, WZP_ERR_TRUNCATED, "Payload Length", 0, total);
    }
    ip->len = total < ip->len ? total : ip->len;
    rd->end = ip->at + ip->len; /* what follows the packet is none of it */
    ip->first = true;
    parse_extensions(ip, rd);
    ip->body = wzp_rd_offset(rd);
    return rd->fail.code;
}

/* --- what they carry -------------------------------------------------------------------------- */

static wzp_err parse_udp(wzp_sim_ip *ip, wzp_rd *rd, bool quoted) {
    ip->src.port = wzp_rd_u16(rd, "Source Port");
    ip->dst.port = wzp_rd_u16(rd, "Destination Port");
    const uint16_t len = wzp_rd_u16(rd, "Length");
    const uint16_t checksum = wzp_rd_u16(rd, "Checksum");
    const size_t room = ip->len - ip->body;
    if (rd->fail.code == WZP_OK && (len < UDP_HEADER || (len > room && !quoted && !ip->divided))) {
        return wzp_rd_reject(rd, WZP_ERR_PARSE, "Length", 4, len);
    }
    ip->checksum = checksum != 0 ? ip->body + UDP_CHECKSUM : 0;
    return rd->fail.code;
}

/* Of a quoted one the checksum may be missing. */
static wzp_err parse_tcp(wzp_sim_ip *ip, wzp_rd *rd, bool quoted) {
    ip->src.port = wzp_rd_u16(rd, "Source Port");
    ip->dst.port = wzp_rd_u16(rd, "Destination Port");
    const size_t room = ip->len - ip->body;
    if (rd->fail.code == WZP_OK && room < TCP_HEADER && !quoted) {
        return wzp_rd_reject(rd, WZP_ERR_TRUNCATED, "TCP header", 0, room);
    }
    ip->checksum = room >= TCP_CHECKSUM + 2 ? ip->body + TCP_CHECKSUM : 0;
    return rd->fail.code;
}

/* RFC 792: echo and timestamp; RFC 4443: echo. */
static void parse_query(wzp_sim_ip *ip) {
    enum { REPLY = 0, ECHO = 8, STAMP = 13, STAMP_REPLY = 14, ECHO_6 = 128, REPLY_6 = 129 };
    const bool v4 = ip->proto == WZP_SIM_IP_ICMP && ip->family == WZP_ADDR_V4;
    const bool v6 = ip->proto == WZP_SIM_IP_ICMP6 && ip->family == WZP_ADDR_V6;
    if ((!v4 && !v6) || ip->len - ip->body < ICMP_HEADER) {
        return;
    }
    const uint8_t type = ip->at[ip->body];
    const bool query = v4 ? type == ECHO || type == STAMP : type == ECHO_6;
    ip->reply = v4 ? type == REPLY || type == STAMP_REPLY : type == REPLY_6;
    if (query || ip->reply) {
        ip->query = ip->body + ICMP_IDENTIFIER;
        const uint16_t id = get16(ip->at + ip->query);
        ip->src.port = query ? id : WZP_SIM_IP_QUERY_PORT;
        ip->dst.port = query ? WZP_SIM_IP_QUERY_PORT : id;
    }
}

static wzp_err parse_body(wzp_sim_ip *ip, wzp_rd *rd, bool quoted) {
    if (!ip->first) {
        return WZP_OK;
    }
    parse_query(ip);
    if (ip->proto == WZP_SIM_IP_UDP) {
        return parse_udp(ip, rd, quoted);
    }
    return ip->proto == WZP_SIM_IP_TCP ? parse_tcp(ip, rd, quoted) : WZP_OK;
}

wzp_err wzp_sim_ip_parse(wzp_sim_ip *out, uint8_t *at, size_t len, bool quoted) {
    wzp_sim_ip ip = {.at = at, .len = len};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(at, len));
    const unsigned version = len > 0 ? at[0] >> 4 : 0;
    if (version != 4 && version != 6) {
        return len > 0 ? WZP_ERR_PARSE : WZP_ERR_TRUNCATED;
    }
    ip.family = version == 4 ? WZP_ADDR_V4 : WZP_ADDR_V6;
    wzp_err err = version == 4 ? parse_v4(&ip, &rd, quoted) : parse_v6(&ip, &rd, quoted);
    if (err == WZP_OK) {
        rd.end = at + ip.len;
        err = parse_body(&ip, &rd, quoted);
    }
    if (err == WZP_OK) {
        *out = ip;
    }
    return err;
}

/* RFC 792, RFC 4443: unreachable, too big, time exceeded, parameter problem. */
bool wzp_sim_ip_is_error(const wzp_sim_ip *ip, size_t *inner) {
    static const uint8_t v4[] = {3, 11, 12};
    const bool is_v4 = ip->proto == WZP_SIM_IP_ICMP && ip->family == WZP_ADDR_V4;
    const bool is_v6 = ip->proto == WZP_SIM_IP_ICMP6 && ip->family == WZP_ADDR_V6;
    if (!ip->first || (!is_v4 && !is_v6) || ip->len - ip->body < ICMP_HEADER) {
        return false;
    }
    const uint8_t type = ip->at[ip->body];
    *inner = ip->body + ICMP_HEADER;
    return is_v4 ? memchr(v4, type, sizeof v4) != NULL : type >= 1 && type <= 4;
}

/* --- changes ---------------------------------------------------------------------------------- */

uint16_t wzp_sim_ip_adjust(uint16_t checksum, uint16_t before, uint16_t after) {
    const uint64_t sum = (uint64_t)(uint16_t)~checksum + (uint16_t)~before + after;
    return (uint16_t)~wzp_sim_sum_fold(sum);
}

static size_t addresses_at(const wzp_sim_ip *ip) {
    return ip->family == WZP_ADDR_V4 ? V4_ADDRESSES : V6_ADDRESSES;
}

static size_t address_len(const wzp_sim_ip *ip) {
    return ip->family == WZP_ADDR_V4 ? 4 : 16;
}

static bool has_ports(const wzp_sim_ip *ip) {
    return ip->first && (ip->proto == WZP_SIM_IP_UDP || ip->proto == WZP_SIM_IP_TCP);
}

static void adjust_at(uint8_t *checksum, uint16_t before, uint16_t after) {
    put16(checksum, wzp_sim_ip_adjust(get16(checksum), before, after));
}

/* Checksums of UDP, TCP and ICMPv6 cover addresses too (RFC 768, 8200 8.1).  On UDP 0 would mean
 * that there is none. */
static void adjust_body(const wzp_sim_ip *ip, uint16_t before, uint16_t after) {
    size_t at = ip->checksum;
    if (ip->first && ip->proto == WZP_SIM_IP_ICMP6 && ip->len - ip->body >= ICMP_CHECKSUM + 2) {
        at = ip->body + ICMP_CHECKSUM;
    }
    if (at == 0) {
        return;
    }
    adjust_at(ip->at + at, before, after);
    if (ip->proto == WZP_SIM_IP_UDP && get16(ip->at + at) == 0) {
        put16(ip->at + at, 0xffff);
    }
}

void wzp_sim_ip_changed(const wzp_sim_ip *ip, uint16_t before, uint16_t after) {
    adjust_body(ip, before, after);
}

static void readdress_query(const wzp_sim_ip *ip, uint16_t id) {
    uint8_t *at = ip->at + ip->query;
    const uint16_t before = get16(at);
    put16(at, id);
    adjust_at(ip->at + ip->body + ICMP_CHECKSUM, before, id);
}

void wzp_sim_ip_readdress(const wzp_sim_ip *ip, const wzp_addr *src, const wzp_addr *dst) {
    const size_t len = address_len(ip);
    uint8_t *addresses = ip->at + addresses_at(ip);
    uint8_t *ports = ip->at + ip->body;
    const size_t ports_len = has_ports(ip) ? 4 : 0;
    const uint16_t before = sum_of(addresses, len * 2);
    const uint16_t ports_before = sum_of(ports, ports_len);
    memcpy(addresses, src->ip, len);
    memcpy(addresses + len, dst->ip, len);
    if (ports_len > 0) {
        put16(ports, src->port);
        put16(ports + 2, dst->port);
    }
    const uint16_t after = sum_of(addresses, len * 2);
    const uint16_t ports_after = sum_of(ports, ports_len);
    if (ip->family == WZP_ADDR_V4) {
        adjust_at(ip->at + V4_CHECKSUM, before, after);
    }
    adjust_body(ip, before, after);
    adjust_body(ip, ports_before, ports_after);
    if (ip->query != 0) {
        readdress_query(ip, ip->reply ? dst->port : src->port);
    }
}

void wzp_sim_ip_take_ttl(const wzp_sim_ip *ip) {
    enum { V4_TTL = 8, V6_HOP_LIMIT = 7 };
    if (ip->family == WZP_ADDR_V6) {
        ip->at[V6_HOP_LIMIT]--;
        return;
    }
    const uint16_t before = get16(ip->at + V4_TTL);
    ip->at[V4_TTL]--;
    adjust_at(ip->at + V4_CHECKSUM, before, get16(ip->at + V4_TTL));
}
