#include "io/sockaddr.h"

#include <string.h>

struct in6_addr wzp_addr_to_in6(const wzp_addr *addr) {
    struct in6_addr ip = {0};
    if (addr->family == WZP_ADDR_V6) {
        memcpy(ip.s6_addr, addr->ip, 16);
    } else {
        ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
        memcpy(ip.s6_addr + 12, addr->ip, 4);
    }
    return ip;
}

socklen_t wzp_sockaddr_write(wzp_sockaddr *out, const wzp_addr *addr, bool mapped) {
    memset(out, 0, sizeof *out);
    if (addr->family == WZP_ADDR_NONE) {
        return 0;
    }
    if (addr->family == WZP_ADDR_V4 && !mapped) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(addr->port);
        memcpy(&out->v4.sin_addr, addr->ip, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(addr->port);
    out->v6.sin6_addr = wzp_addr_to_in6(addr);
    return sizeof out->v6;
}

wzp_addr wzp_addr_from_in(struct in_addr ip, uint16_t port) {
    wzp_addr addr = {.family = WZP_ADDR_V4, .port = port};
    memcpy(addr.ip, &ip, 4);
    return addr;
}

wzp_addr wzp_addr_from_in6(const struct in6_addr *ip, uint16_t port) {
    wzp_addr addr = {.family = WZP_ADDR_V6, .port = port};
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        addr.family = WZP_ADDR_V4;
        memcpy(addr.ip, ip->s6_addr + 12, 4);
    } else {
        memcpy(addr.ip, ip->s6_addr, 16);
    }
    return addr;
}

wzp_addr wzp_sockaddr_read(const wzp_sockaddr *from) {
    switch (from->any.sa_family) {
    case AF_INET:
        return wzp_addr_from_in(from->v4.sin_addr, ntohs(from->v4.sin_port));
    case AF_INET6:
        return wzp_addr_from_in6(&from->v6.sin6_addr, ntohs(from->v6.sin6_port));
    default:
        return (wzp_addr){.family = WZP_ADDR_NONE};
    }
}

bool wzp_addr_is_any(const wzp_addr *addr) {
    static const uint8_t zero[16];
    return memcmp(addr->ip, zero, sizeof zero) == 0;
}

bool wzp_addr_is_loopback(const wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V4) {
        return addr->ip[0] == 127;
    }
    const struct in6_addr ip = wzp_addr_to_in6(addr);
    return addr->family == WZP_ADDR_V6 && IN6_IS_ADDR_LOOPBACK(&ip);
}
