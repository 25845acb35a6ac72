#include "nat/ip_kind.h"

static const struct range {
    uint8_t prefix[4];
    uint8_t bits;
    uint8_t kind;
} v4_ranges[] = {
    {{0}, 8, WZP_IP_UNSPECIFIED},        {{127}, 8, WZP_IP_LOOPBACK},
    {{169, 254}, 16, WZP_IP_LINK_LOCAL}, {{10}, 8, WZP_IP_PRIVATE},
    {{172, 16}, 12, WZP_IP_PRIVATE},     {{192, 168}, 16, WZP_IP_PRIVATE},
    {{100, 64}, 10, WZP_IP_SHARED},      {{192, 0, 0}, 24, WZP_IP_SPECIAL},
    {{224}, 4, WZP_IP_MULTICAST},        {{240}, 4, WZP_IP_RESERVED},
};

static bool within(const uint8_t *ip, const uint8_t *prefix, unsigned bits) {
    const unsigned whole = bits / 8;
    const uint8_t mask = (uint8_t)(0xff00U >> (bits % 8));
    return memcmp(ip, prefix, whole) == 0 &&
           (mask == 0 || ((ip[whole] ^ prefix[whole]) & mask) == 0);
}

static wzp_ip_kind kind_of_v4(const uint8_t *ip) {
    for (size_t i = 0; i < WZP_COUNT_OF(v4_ranges); i++) {
        if (within(ip, v4_ranges[i].prefix, v4_ranges[i].bits)) {
            return (wzp_ip_kind)v4_ranges[i].kind;
        }
    }
    return WZP_IP_GLOBAL;
}

static wzp_ip_kind kind_of_v6(const uint8_t *ip) {
    static const uint8_t zeros[15];
    if (memcmp(ip, zeros, sizeof zeros) == 0 && ip[15] <= 1) {
        return ip[15] == 0 ? WZP_IP_UNSPECIFIED : WZP_IP_LOOPBACK;
    }
    if (ip[0] == 0xff) {
        return WZP_IP_MULTICAST;
    }
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) {
        return WZP_IP_LINK_LOCAL;
    }
    if ((ip[0] & 0xfe) == 0xfc) {
        return WZP_IP_UNIQUE_LOCAL;
    }
    return (ip[0] & 0xe0) == 0x20 ? WZP_IP_GLOBAL : WZP_IP_SPECIAL;
}

wzp_ip_kind wzp_ip_kind_of(const wzp_addr *addr) {
    const wzp_addr plain = wzp_ip_unmap(addr);
    switch ((wzp_addr_family)plain.family) {
    case WZP_ADDR_V4:
        return kind_of_v4(plain.ip);
    case WZP_ADDR_V6:
        return kind_of_v6(plain.ip);
    case WZP_ADDR_NONE:
        break;
    }
    return WZP_IP_NONE;
}

const char *wzp_ip_kind_name(wzp_ip_kind kind) {
    static const char *const names[WZP_IP_KIND_COUNT] = {
        "none",         "unspecified", "loopback",  "link-local", "private", "shared",
        "unique-local", "special",     "multicast", "reserved",   "global"};
    return (unsigned)kind < WZP_IP_KIND_COUNT ? names[kind] : "unknown";
}

wzp_addr wzp_ip_unmap(const wzp_addr *addr) {
    static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
    if (addr->family != WZP_ADDR_V6 || memcmp(addr->ip, mapped_prefix, sizeof mapped_prefix) != 0) {
        return *addr;
    }
    return wzp_addr_v4(addr->ip[12], addr->ip[13], addr->ip[14], addr->ip[15], addr->port);
}
