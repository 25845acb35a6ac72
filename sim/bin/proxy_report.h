/* What a proxy carried and dropped. */
#ifndef WZP_SIM_BIN_PROXY_REPORT_H
#define WZP_SIM_BIN_PROXY_REPORT_H

#include <jansson.h>

#include "sim/proxy/proxy.h"

typedef struct wzp_proxy_summary {
    const wzp_lab_scenario *scenario;
    const char *host;
    const wzp_sim_proxy *proxy;
    uint64_t lasted; /* ns */
    uint64_t unsent; /* at the real sockets */
} wzp_proxy_summary;

void wzp_proxy_report_text(FILE *out, const wzp_proxy_summary *summary);
json_t *wzp_proxy_report_json(const wzp_proxy_summary *summary); /* returned; NULL: no memory */

#endif
