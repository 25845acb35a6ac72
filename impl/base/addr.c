#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

static size_t ip_len(const wzp_addr *addr) {
    return addr->family == WZP_ADDR_V4 ? 4 : addr->family == WZP_ADDR_V6 ? 16 : 0;
}

bool wzp_addr_same_ip(const wzp_addr *a, const wzp_addr *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

bool wzp_addr_equal(const wzp_addr *a, const wzp_addr *b) {
    return a->port == b->port && wzp_addr_same_ip(a, b);
}

static bool parse_port(const char *text, uint16_t *port) {
    uint32_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(*text - '0');
        if (value > 65535) {
            return false;
        }
    }
    *port = (uint16_t)value;
    return true;
}

wzp_err wzp_addr_parse(wzp_addr *out, const char *text) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) {
        return WZP_ERR_PARSE;
    }
    const bool bracketed = text[0] == '[';
    const char *host = bracketed ? text + 1 : text;
    const size_t len = (size_t)(colon - host) - (bracketed ? 1 : 0);
    char ip[INET6_ADDRSTRLEN];
    if (len == 0 || len >= sizeof ip || (bracketed && colon[-1] != ']')) {
        return WZP_ERR_PARSE;
    }
    memcpy(ip, host, len);
    ip[len] = '\0';

    wzp_addr addr = {.family = bracketed ? WZP_ADDR_V6 : WZP_ADDR_V4};
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, ip, addr.ip) != 1 ||
        !parse_port(colon + 1, &addr.port)) {
        return WZP_ERR_PARSE;
    }
    *out = addr;
    return WZP_OK;
}

const char *wzp_addr_text(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char ip[INET6_ADDRSTRLEN] = "";
    if (addr->family == WZP_ADDR_NONE) {
        memcpy(buf, "-", 2);
        return buf;
    }
    const bool is_mapped =
        addr->family == WZP_ADDR_V6 && memcmp(addr->ip, mapped, sizeof mapped) == 0;
    if (addr->family == WZP_ADDR_V4 || is_mapped) {
        inet_ntop(AF_INET, is_mapped ? addr->ip + 12 : addr->ip, ip, sizeof ip);
        (void)snprintf(buf, WZP_ADDR_TEXT_MAX, "%s:%u", ip, addr->port);
    } else {
        inet_ntop(AF_INET6, addr->ip, ip, sizeof ip);
        (void)snprintf(buf, WZP_ADDR_TEXT_MAX, "[%s]:%u", ip, addr->port);
    }
    return buf;
}
