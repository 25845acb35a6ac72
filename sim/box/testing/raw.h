/* Real packets for tests: made from parts, and judged by a decoder that shares nothing with the
 * code under test. */
#ifndef WZP_SIM_BOX_TESTING_RAW_H
#define WZP_SIM_BOX_TESTING_RAW_H

#include "base/addr.h"

#define RAW_MAX 2048

typedef struct raw {
    uint8_t at[RAW_MAX];
    size_t len;
} raw;

/* What a packet is made of; zero: usual. */
typedef struct raw_cfg {
    const char *src, *dst;    /* with ports */
    uint8_t proto;            /* 0: UDP */
    uint8_t ttl;              /* 0: 64 */
    size_t payload;           /* bytes of UDP's or TCP's payload */
    size_t options;           /* bytes: of IPv4 options, or of IPv6 destination options */
    bool no_checksum;         /* UDP's is 0 */
    const struct raw *quoted; /* ICMP: the error is about this */
    uint16_t query;           /* ICMP: a query or reply with this identifier, of icmp_type */
    uint8_t icmp_type;        /* 0: destination unreachable of the family */
    size_t quote_len;         /* so much of it; 0: all */
} raw_cfg;

void raw_make(raw *out, const raw_cfg *cfg);

/* A piece of `whole`: bytes from..to of what follows the IP header, both multiples of 8 but at the
 * end; `id` names the packet. */
void raw_fragment(raw *out, const raw *whole, size_t from, size_t to, uint32_t id);

/* NULL: all checksums are right and all lengths fit; else what is wrong.  A UDP checksum of 0
 * counts as right.  Of fragments only headers are judged. */
const char *raw_judge(const uint8_t *at, size_t len);

/* "10.0.0.1:5000 > 192.0.2.1:80 ttl 63"; of an ICMP error " about " and the same of the packet
 * inside follow, and of a query the identifier is the port of who asks.  `buf` has 256 bytes. */
const char *raw_text(const uint8_t *at, char *buf);

#endif
