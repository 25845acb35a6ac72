#include "sim/box/alg.h"

#include <string.h>

enum { HEADER = 20, ATTRIBUTE = 4, MAPPED_ADDRESS = 0x0001, FAMILY_V4 = 1, FAMILY_V6 = 2 };

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* As old gateways tell: two zero bits in front, and the length fits. */
static bool is_stun(const uint8_t *payload, size_t len) {
    return len >= HEADER && payload[0] < 0x40 && len % 4 == 0 &&
           HEADER + (size_t)get16(payload + 2) == len;
}

/* An address as STUN writes it: zero, family, port, address. */
static size_t write_address(uint8_t out[20], const wzp_addr *addr) {
    const bool v4 = addr->family == WZP_ADDR_V4;
    const size_t ip_len = v4 ? 4 : 16;
    out[0] = 0;
    out[1] = v4 ? FAMILY_V4 : FAMILY_V6;
    out[2] = (uint8_t)(addr->port >> 8);
    out[3] = (uint8_t)addr->port;
    memcpy(out + 4, addr->ip, ip_len);
    return 4 + ip_len;
}

bool wzp_sim_alg_stun(uint8_t *payload, size_t len, const wzp_addr *was, const wzp_addr *is) {
    uint8_t from[20];
    uint8_t to[20];
    bool changed = false;
    if (!is_stun(payload, len) || was->family != is->family || wzp_addr_equal(was, is)) {
        return false;
    }
    const size_t value_len = write_address(from, was);
    (void)write_address(to, is);
    for (size_t at = HEADER; at + ATTRIBUTE <= len;) {
        const size_t attribute_len = get16(payload + at + 2);
        uint8_t *value = payload + at + ATTRIBUTE;
        if (attribute_len > len - at - ATTRIBUTE) {
            break;
        }
        if (get16(payload + at) == MAPPED_ADDRESS && attribute_len == value_len &&
            memcmp(value, from, value_len) == 0) {
            memcpy(value, to, value_len);
            changed = true;
        }
        at += ATTRIBUTE + (attribute_len + 3) / 4 * 4;
    }
    return changed;
}
