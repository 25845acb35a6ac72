/* The addresses of our own interfaces that a peer may be told (nat sheet 1.6).  A pure function:
 * what interfaces there are is the caller's to find out. */
#ifndef WZP_NAT_LOCAL_H
#define WZP_NAT_LOCAL_H

#include "base/addr.h"

typedef struct wzp_interface_addr {
    wzp_addr addr;     /* its port is ignored */
    bool is_loopback;  /* of a loopback interface, whatever the address */
    bool is_down;      /* of an interface that is */
    bool is_temporary; /* IPv6: RFC 8981 */
} wzp_interface_addr;

typedef enum wzp_local_rules {
    WZP_LOCAL_REFERENCE, /* none twice, none of interfaces that are down, none without a port; IPv4
                          * first, then temporary IPv6, then the others */
    WZP_LOCAL_DEPLOYED   /* in the order of the table */
} wzp_local_rules;

/* Kept are private and shared IPv4, global and unique local IPv6; a public IPv4 address is what
 * others see anyway.  `v6_port` 0: no IPv6.  Writes up to `cap` (the reference: 16 at most) to
 * `out` and returns how many; *surplus, unless NULL, gets how many more there would have been. */
size_t wzp_local_candidates(wzp_addr *out, size_t cap, const wzp_interface_addr *table,
                            size_t count, uint16_t v4_port, uint16_t v6_port, wzp_local_rules rules,
                            size_t *surplus);

#endif
