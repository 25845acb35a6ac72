/* A client's search for a gateway (nat sheet 1.8, UPnP device architecture 1.3.2).  Written apart
 * from impl/io, so that the client is not measured by its own code.  Pure functions. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_SSDP_H
#define WZP_CONFORMANCE_CASES_CALLS_SSDP_H

#include "base/bytes.h"

typedef enum wzp_ct_search_kind {
    WZP_CT_SEARCH_NONE,    /* no M-SEARCH at all */
    WZP_CT_SEARCH_OTHER,   /* for something that is no gateway */
    WZP_CT_SEARCH_GATEWAY, /* finds one, if it is well formed */
} wzp_ct_search_kind;

typedef struct wzp_ct_search {
    wzp_ct_search_kind kind;
    wzp_bytes target;      /* its ST; a view */
    const char *objection; /* to its form; NULL: none.  Static text */
} wzp_ct_search;

/* Any datagram may be given. */
wzp_ct_search wzp_ct_search_read(wzp_bytes datagram);

#endif
