/* A UPnP Internet Gateway Device: it is found (SSDP), describes itself and takes orders (SOAP over
 * HTTP).  WANIPConnection:1 or :2.
 *
 * The simulator has no TCP.  HTTP here is the text of one request in and the text of one response
 * out; whoever owns both ends carries them.  gateway.h says how. */
#ifndef WZP_SIM_GATEWAY_UPNP_H
#define WZP_SIM_GATEWAY_UPNP_H

#include "base/wr.h"
#include "sim/gateway/lease.h"

#define WZP_SIM_SSDP_PORT 1900      /* on 239.255.255.250 */
#define WZP_SIM_SSDP_ANSWER_MAX 512 /* no answer to a search is longer */
#define WZP_SIM_UPNP_HTTP_MAX 8192  /* no HTTP response is longer */
#define WZP_SIM_UPNP_MX_MAX 5       /* seconds; searches that allow more get no more */

typedef struct wzp_sim_upnp_cfg {
    unsigned version;    /* of IGD and WANIPConnection: 1 or 2; 0: 1 */
    uint16_t refuse;     /* a fault code for every order; 0: none */
    bool permanent_only; /* fault 725 for a lease */
    bool same_port_only; /* fault 724 where inside and outside port differ */
    bool wildcard_only;  /* fault 726 for a remote host */
    bool any_client;     /* hosts may map ports to others; else fault 606 */
    bool https_only;     /* orders are taken at an https:// address, and nobody is there */
    bool chunked;        /* responses come in chunks */
    bool relative_url;   /* control addresses are relative and lack their first slash */
} wzp_sim_upnp_cfg;

typedef struct wzp_sim_upnp {
    const wzp_sim_upnp_cfg *cfg;
    wzp_sim_leases *leases;
    wzp_addr http;     /* where its HTTP server is */
    uint32_t uptime_s; /* since it began */
} wzp_sim_upnp;

/* --- searches --------------------------------------------------------------------------------- */

typedef struct wzp_sim_ssdp_search {
    wzp_bytes target; /* ST; view into the datagram */
    uint32_t mx_s;    /* answers are to be spread over so many seconds; 0: at once */
} wzp_sim_ssdp_search;

/* PARSE: no search, or one without MAN, MX or ST; devices are to be silent then. */
WZP_MUST_USE wzp_err wzp_sim_ssdp_parse(wzp_sim_ssdp_search *out, wzp_bytes datagram,
                                        wzp_fail *fail);

/* The answers of this device, by number from 0; false past the last.  A search for everything has
 * one for each device, type and service. */
bool wzp_sim_ssdp_answer(const wzp_sim_upnp *upnp, const wzp_sim_ssdp_search *search, size_t index,
                         wzp_wr *out);

/* --- HTTP ------------------------------------------------------------------------------------- */

/* Answers one whole request (http.h) from `from`. */
void wzp_sim_upnp_http(const wzp_sim_upnp *upnp, const wzp_addr *from, wzp_bytes request,
                       wzp_time now, wzp_wr *out);

/* --- a television ----------------------------------------------------------------------------- */

/* Another device of the same network, which answers every search, whatever it is for. */
void wzp_sim_tv_answer(const wzp_addr *tv, const wzp_sim_ssdp_search *search, wzp_wr *out);
void wzp_sim_tv_http(wzp_bytes request, wzp_wr *out);

#endif
