/* Clients whose UPnP is broken on purpose, as faults_map.h has others.
 */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_UPNP_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_UPNP_H

#include <stdbool.h>

/* name, what is wrong with the client, the cases that must notice */
#define WZP_UPNP_FAULT_MAP(X)                                                                      \
    X(UNQUOTED, "unquoted-search", "searches without the quotation marks of MAN", "NAT-042")       \
    X(IMPATIENT, "impatient-search", "gives devices no time to answer", "NAT-042")                 \
    X(UNENDED, "unended-search", "leaves out the last line of a search", "NAT-042")                \
    X(FIRST, "first-device", "takes the first device that answers", "NAT-042b")                    \
    X(DUMB, "dumb-upnp", "tells nobody what UPnP has mapped", "NAT-043c NAT-042b")                 \
    X(ELSEWHERE, "maps-elsewhere", "has another port mapped than its own", "NAT-043c")             \
    X(UNCRITICAL, "uncritical-upnp", "tells any address that a gateway says by UPnP", "NAT-044e")  \
    X(KEEPS, "keeps-upnp", "gives no port back by UPnP", "NAT-046d")                               \
    X(LEASES, "only-leases", "gives up where it gets no lease", "NAT-048")                         \
    X(ONE_PORT, "one-port", "gives up where its port is another's", "NAT-048b")                    \
    X(PRESUMES, "presumes-upnp", "tells its own port, whichever was mapped", "NAT-048b")

typedef enum wzp_upnp_fault {
    WZP_UPNP_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_UPNP_FAULT_##id,
    WZP_UPNP_FAULT_MAP(X)
#undef X
        WZP_UPNP_FAULT_COUNT
} wzp_upnp_fault;

/* The fault of every client in this process from now on. */
void wzp_upnp_fault_set(wzp_upnp_fault which);
/* It believes whatever a gateway says of addresses. */
bool wzp_upnp_fault_believes(void);

#endif
