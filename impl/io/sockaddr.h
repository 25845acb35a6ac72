/* wzp_addr to and from the operating system's socket addresses. */
#ifndef WZP_IO_SOCKADDR_H
#define WZP_IO_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"

/* Large enough for every family that we use, and small enough to have one per
 * message. */
typedef union wzp_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} wzp_sockaddr;

/* `mapped`: an IPv4 address is written in IPv6 form (::ffff:a.b.c.d), as a
 * dual-stack socket wants it.  Returns the length, 0 for WZP_ADDR_NONE. */
socklen_t wzp_sockaddr_write(wzp_sockaddr *out, const wzp_addr *addr, bool mapped);

/* An IPv4 address in IPv6 form becomes plain IPv4; families that are not ours
 * WZP_ADDR_NONE. */
wzp_addr wzp_sockaddr_read(const wzp_sockaddr *from);

wzp_addr wzp_addr_from_in(struct in_addr ip, uint16_t port);
wzp_addr wzp_addr_from_in6(const struct in6_addr *ip, uint16_t port);

/* `addr` in IPv6 form, IPv4 as ::ffff:a.b.c.d. */
struct in6_addr wzp_addr_to_in6(const wzp_addr *addr);

/* 0.0.0.0 or [::], whatever the port. */
bool wzp_addr_is_any(const wzp_addr *addr);
bool wzp_addr_is_loopback(const wzp_addr *addr);

#endif
