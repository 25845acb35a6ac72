/* IP packets as bytes: where things are, and changing them with their checksums.  Internal to
 * sim/nat. */
#ifndef WZP_SIM_BOX_IP_H
#define WZP_SIM_BOX_IP_H

#include "base/addr.h"

enum { WZP_SIM_IP_TCP = 6, WZP_SIM_IP_UDP = 17, WZP_SIM_IP_ICMP = 1, WZP_SIM_IP_ICMP6 = 58 };

/* A query's identifier takes the place of a port at the end that asks (RFC 5508, 3.1); the other
 * end's port is this. */
#define WZP_SIM_IP_QUERY_PORT 65535

/* A packet in `at`, up to `len`: all offsets lie within. */
typedef struct wzp_sim_ip {
    uint8_t *at;
    size_t len; /* of the packet, or of what an error quotes of it */
    uint8_t family, proto, ttl;
    size_t body;       /* offset of what follows the IP headers */
    bool divided;      /* a fragment ... */
    bool first;        /* ... at offset 0, or whole: ports and checksum are here */
    uint32_t id;       /* of the fragments of one packet */
    size_t query;      /* offset of the identifier of an ICMP query or reply; 0: it is none */
    bool reply;        /* ... to a query, which the other side made */
    size_t checksum;   /* offset of UDP's or TCP's; 0: it is not here, or not used */
    wzp_addr src, dst; /* with ports if these are here */
} wzp_sim_ip;

/* WZP_ERR_TRUNCATED, WZP_ERR_PARSE.  `quoted`: the packet that an ICMP error is about, of which
 * only the begin is there. */
WZP_MUST_USE wzp_err wzp_sim_ip_parse(wzp_sim_ip *out, uint8_t *at, size_t len, bool quoted);

/* True for the ICMP errors that are about a packet, which then begins at *inner. */
bool wzp_sim_ip_is_error(const wzp_sim_ip *ip, size_t *inner);

/* Other addresses and ports, where there are ports, and all checksums with them.  `ip` stays what
 * it was about. */
void wzp_sim_ip_readdress(const wzp_sim_ip *ip, const wzp_addr *src, const wzp_addr *dst);

/* The transport's checksum, by what a change of its payload did to the folded sum of that. */
void wzp_sim_ip_changed(const wzp_sim_ip *ip, uint16_t before, uint16_t after);

void wzp_sim_ip_take_ttl(const wzp_sim_ip *ip);

/* RFC 1624, equation 3: a checksum over something whose folded sum was `before`. */
uint16_t wzp_sim_ip_adjust(uint16_t checksum, uint16_t before, uint16_t after);

#endif
