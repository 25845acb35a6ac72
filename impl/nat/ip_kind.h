/* What an IP address can be good for: the ranges that tell candidates, mapped addresses and NAT
 * types apart (nat sheet 1.5, 1.6, 1.8; RFC 6890). */
#ifndef WZP_NAT_IP_KIND_H
#define WZP_NAT_IP_KIND_H

#include "base/addr.h"

typedef enum wzp_ip_kind {
    WZP_IP_NONE,        /* family NONE */
    WZP_IP_UNSPECIFIED, /* 0.0.0.0/8, :: */
    WZP_IP_LOOPBACK,
    WZP_IP_LINK_LOCAL,   /* 169.254/16, fe80::/10 */
    WZP_IP_PRIVATE,      /* RFC 1918 */
    WZP_IP_SHARED,       /* 100.64/10: between a home and its carrier's NAT */
    WZP_IP_UNIQUE_LOCAL, /* fc00::/7 */
    WZP_IP_SPECIAL,      /* 192.0.0/24, and IPv6 that is none of the others: 64:ff9b::/96 */
    WZP_IP_MULTICAST,
    WZP_IP_RESERVED, /* 240/4, with the broadcast address */
    WZP_IP_GLOBAL,   /* the rest of IPv4; 2000::/3.  Addresses for examples count as global. */
    WZP_IP_KIND_COUNT
} wzp_ip_kind;

/* A v4-mapped IPv6 address is judged as the IPv4 address in it. */
wzp_ip_kind wzp_ip_kind_of(const wzp_addr *addr);

/* "link-local" and so on; static text. */
const char *wzp_ip_kind_name(wzp_ip_kind kind);

/* The IPv4 address inside of a v4-mapped one, every other address as it is. */
wzp_addr wzp_ip_unmap(const wzp_addr *addr);

#endif
