#include "conformance/mutants/faults_upnp.h"

#include <string.h>

#include "conformance/mutants/wrap.h"
#include "io/upnp.h"
#include "phone/handset.h"
#include "sim/host/upnp_words.h"

static wzp_upnp_fault fault;
static uint16_t own_port;   /* of the client under test */
static bool was_no_gateway; /* the device that answered it first */

enum { ACTION_FAILED = 501, CONFLICT = 718, ONLY_PERMANENT = 725 };

void wzp_upnp_fault_set(wzp_upnp_fault which) {
    fault = which;
}

bool wzp_upnp_fault_believes(void) {
    return fault == WZP_UPNP_FAULT_UNCRITICAL;
}

WRAP(wzp_err, wzp_upnp_start, wzp_upnp **out, const wzp_upnp_cfg *cfg, uv_loop_t *loop) {
    wzp_upnp_cfg changed = *cfg;
    own_port = cfg->own.port;
    was_no_gateway = false;
    if (fault == WZP_UPNP_FAULT_UNCRITICAL) {
        changed.accepts_local = true;
        changed.reflexive = (wzp_addr){.family = WZP_ADDR_NONE};
    }
    return __real_wzp_upnp_start(out, &changed, loop);
}

/* --- what it says ----------------------------------------------------------------------------- */

WRAP(void, wzp_sim_upnp_search, wzp_wr *wr, uint32_t mx_s) {
    static const char unquoted[] = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                                   "MAN: ssdp:discover\r\nMX: 1\r\n"
                                   "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                                   "\r\n";
    if (fault == WZP_UPNP_FAULT_UNQUOTED) {
        wzp_wr_str(wr, unquoted);
        return;
    }
    __real_wzp_sim_upnp_search(wr, fault == WZP_UPNP_FAULT_IMPATIENT ? 0 : mx_s);
    if (fault == WZP_UPNP_FAULT_UNENDED) {
        wr->pos -= 2;
    }
}

WRAP(void, wzp_sim_upnp_ask_mapping, wzp_wr *wr, const wzp_sim_upnp_control *control,
     const wzp_addr *own, uint16_t external, uint32_t lease_s) {
    wzp_addr inside = *own;
    inside.port = (uint16_t)(own->port ^ (fault == WZP_UPNP_FAULT_ELSEWHERE ? 1 : 0));
    __real_wzp_sim_upnp_ask_mapping(wr, control, &inside, external, lease_s);
}

WRAP(void, wzp_sim_upnp_ask_removal, wzp_wr *wr, const wzp_sim_upnp_control *control,
     uint16_t external) {
    if (fault != WZP_UPNP_FAULT_KEEPS) {
        __real_wzp_sim_upnp_ask_removal(wr, control, external);
    }
}

/* --- what it hears ---------------------------------------------------------------------------- */

WRAP(bool, wzp_sim_upnp_describes, wzp_bytes response, const wzp_sim_upnp_url *from, bool as_is,
     wzp_sim_upnp_control *out) {
    const bool is_gateway = __real_wzp_sim_upnp_describes(response, from, as_is, out);
    was_no_gateway = was_no_gateway || !is_gateway;
    return is_gateway && !(fault == WZP_UPNP_FAULT_FIRST && was_no_gateway);
}

WRAP(uint32_t, wzp_sim_upnp_fault, wzp_bytes response) {
    const uint32_t code = __real_wzp_sim_upnp_fault(response);
    const bool gives_up = (fault == WZP_UPNP_FAULT_LEASES && code == ONLY_PERMANENT) ||
                          (fault == WZP_UPNP_FAULT_ONE_PORT && code == CONFLICT);
    return gives_up ? ACTION_FAILED : code;
}

WRAP(void, wzp_handset_upnp, wzp_handset *handset, wzp_addr external, wzp_time now) {
    if (fault == WZP_UPNP_FAULT_PRESUMES && external.family != WZP_ADDR_NONE) {
        external.port = own_port;
    }
    if (fault != WZP_UPNP_FAULT_DUMB) {
        __real_wzp_handset_upnp(handset, external, now);
    }
}
