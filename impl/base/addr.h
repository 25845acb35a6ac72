/* Transport addresses as plain values, free of operating-system types. */
#ifndef WZP_BASE_ADDR_H
#define WZP_BASE_ADDR_H

#include "base/bytes.h"
#include "base/err.h"

typedef enum wzp_addr_family { WZP_ADDR_NONE, WZP_ADDR_V4, WZP_ADDR_V6 } wzp_addr_family;

typedef struct wzp_addr {
    uint8_t family; /* wzp_addr_family */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* network order; the first 4 bytes for IPv4, the rest 0 */
} wzp_addr;

/* Longest text: "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535" and its terminator. */
#define WZP_ADDR_TEXT_MAX 56

bool wzp_addr_equal(const wzp_addr *a, const wzp_addr *b);

/* Same IP, any port. */
bool wzp_addr_same_ip(const wzp_addr *a, const wzp_addr *b);

/* "a.b.c.d:port" or "[v6]:port"; numeric only.  WZP_ERR_PARSE leaves `out` as it was. */
WZP_MUST_USE wzp_err wzp_addr_parse(wzp_addr *out, const char *text);

/* Writes the form that wzp_addr_parse reads; a v4-mapped IPv6 address is written as IPv4.
 * "-" for WZP_ADDR_NONE.  Returns `buf`. */
const char *wzp_addr_text(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]);

static inline wzp_addr wzp_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
    return (wzp_addr){WZP_ADDR_V4, port, {a, b, c, d}};
}

#endif
