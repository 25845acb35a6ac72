/* What NAT we are behind, as far as two servers can tell (nat sheet 1.5): pure functions over what
 * Reflect or STUN probes saw.  It informs users; nothing in a call's setup branches on it. */
#ifndef WZP_NAT_NAT_TYPE_H
#define WZP_NAT_NAT_TYPE_H

#include "base/addr.h"

typedef enum wzp_nat_type {
    WZP_NAT_TYPE_UNKNOWN,        /* fewer than two observations */
    WZP_NAT_TYPE_CONE,           /* all servers see one endpoint */
    WZP_NAT_TYPE_SYMMETRIC_PORT, /* one IP, several ports */
    WZP_NAT_TYPE_MULTIPLE        /* several IPs */
} wzp_nat_type;

typedef enum wzp_nat_type_rules {
    WZP_NAT_TYPE_REFERENCE, /* only global addresses with a port count, and each server's IP once:
                             * two names of one server hide a mapping that depends on addresses */
    WZP_NAT_TYPE_DEPLOYED   /* unique local IPv6 counts, and so does every probe */
} wzp_nat_type_rules;

typedef struct wzp_nat_probe {
    wzp_addr server;
    wzp_addr observed; /* NONE: the probe failed */
} wzp_nat_probe;

typedef struct wzp_nat_verdict {
    wzp_nat_type type;
    wzp_addr consensus;  /* CONE; else NONE */
    size_t observations; /* that counted */
} wzp_nat_verdict;

/* `probes[count]` of one socket; those of several sockets look like SYMMETRIC_PORT (U2). */
wzp_nat_verdict wzp_nat_type_classify(const wzp_nat_probe *probes, size_t count,
                                      wzp_nat_type_rules rules);

/* "Cone", "SymmetricPort", "Multiple", "Unknown", as in JSON; static text. */
const char *wzp_nat_type_text(wzp_nat_type type);

#endif
