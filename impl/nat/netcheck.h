/* What netcheck has found, as text and as JSON, exactly as deployed clients print it (nat sheet
 * 1.12).  Who probes fills in the report; this only judges and writes. */
#ifndef WZP_NAT_NETCHECK_H
#define WZP_NAT_NETCHECK_H

#include "base/wr.h"
#include "nat/nat_type.h"
#include "nat/port_alloc.h"

#define WZP_NETCHECK_PROBES_MAX 16 /* of each kind */

/* A STUN server, or a relay. */
typedef struct wzp_netcheck_probe {
    const char *name;  /* STUN: host:port as configured */
    wzp_addr addr;     /* NONE: the name was not resolved */
    wzp_addr observed; /* STUN: how it sees us; NONE: it did not answer */
    bool has_time;
    uint32_t time_ms;
    const char *error; /* NULL: none */
} wzp_netcheck_probe;

typedef enum wzp_netcheck_mapping {
    WZP_NETCHECK_NO_MAPPING,
    WZP_NETCHECK_NATPMP,
    WZP_NETCHECK_PCP,
    WZP_NETCHECK_UPNP
} wzp_netcheck_mapping;

typedef enum wzp_netcheck_answer {
    WZP_NETCHECK_UNTRIED, /* JSON: null */
    WZP_NETCHECK_NO,
    WZP_NETCHECK_YES
} wzp_netcheck_answer;

/* Texts are borrowed. */
typedef struct wzp_netcheck {
    wzp_nat_verdict nat;
    bool ipv4, ipv6;
    wzp_netcheck_answer hairpin;
    bool natpmp, pcp, upnp; /* the gateway speaks it */
    wzp_netcheck_mapping mapping;
    bool has_alloc;
    wzp_port_alloc alloc;
    wzp_addr gateway; /* without port; NONE: not known */
    wzp_netcheck_probe stun[WZP_NETCHECK_PROBES_MAX], relays[WZP_NETCHECK_PROBES_MAX];
    size_t stun_count, relay_count;
    uint32_t duration_ms;
} wzp_netcheck;

/* Relays by their time, those without one last, otherwise as they were; to be called before the
 * report is written. */
void wzp_netcheck_sort(wzp_netcheck *report);

/* The nearest relay; NULL: none has answered. */
const wzp_netcheck_probe *wzp_netcheck_preferred(const wzp_netcheck *report);

/* UTF-8; each line ends with a line feed. */
void wzp_netcheck_text(wzp_wr *wr, const wzp_netcheck *report);
/* One object without white space. */
void wzp_netcheck_json(wzp_wr *wr, const wzp_netcheck *report);

#endif
