/* What a UPnP control point says and reads: searches, descriptions, orders (nat sheet 1.8).  The
 * bytes are upstream's.  Pure functions. */
#ifndef WZP_SIM_HOST_UPNP_WORDS_H
#define WZP_SIM_HOST_UPNP_WORDS_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/wr.h"

#define WZP_SIM_UPNP_PATH_MAX 160
#define WZP_SIM_UPNP_FIRST_SERVICE "urn:schemas-upnp-org:service:WANIPConnection:1"

typedef struct wzp_sim_upnp_url {
    wzp_addr at;
    char path[WZP_SIM_UPNP_PATH_MAX];
} wzp_sim_upnp_url;

/* Where orders for a gateway go. */
typedef struct wzp_sim_upnp_control {
    wzp_sim_upnp_url url;
    const char *service; /* static */
} wzp_sim_upnp_control;

/* M-SEARCH for the first version of a gateway, which those of the second answer too. */
void wzp_sim_upnp_search(wzp_wr *wr, uint32_t mx_s);

/* The LOCATION of an answer.  False: none, or none that we can fetch (http, an IPv4 address). */
bool wzp_sim_upnp_location(wzp_bytes answer, wzp_sim_upnp_url *out);

/* Finds a gateway's service in the response to a GET of `from`.  A control address without a first
 * slash gets one, except `as_is`.  False: this is no gateway, or its orders go elsewhere (https).
 */
bool wzp_sim_upnp_describes(wzp_bytes response, const wzp_sim_upnp_url *from, bool as_is,
                            wzp_sim_upnp_control *out);

void wzp_sim_upnp_get(wzp_wr *wr, const wzp_sim_upnp_url *url);
void wzp_sim_upnp_ask_address(wzp_wr *wr, const wzp_sim_upnp_control *control);
/* `own` is reached at `external` for `lease_s` seconds; 0: for ever. */
void wzp_sim_upnp_ask_mapping(wzp_wr *wr, const wzp_sim_upnp_control *control, const wzp_addr *own,
                              uint16_t external, uint32_t lease_s);

/* The mapping of `external` ends. */
void wzp_sim_upnp_ask_removal(wzp_wr *wr, const wzp_sim_upnp_control *control, uint16_t external);

/* The fault code of a response to an order; 0: it is done. */
uint32_t wzp_sim_upnp_fault(wzp_bytes response);
/* Of GetExternalIPAddress: its port is 0.  False: it is none. */
bool wzp_sim_upnp_address(wzp_bytes response, wzp_addr *out);

#endif
