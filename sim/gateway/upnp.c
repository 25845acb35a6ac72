#include <assert.h>

#include "sim/gateway/http.h"
#include "sim/gateway/upnp_names.h"
#include "sim/gateway/xml.h"

#define FAULTS(X)                                                                                  \
    X(401, "Invalid Action")                                                                       \
    X(402, "Invalid Args")                                                                         \
    X(501, "Action Failed")                                                                        \
    X(606, "Action not authorized")                                                                \
    X(713, "SpecifiedArrayIndexInvalid")                                                           \
    X(714, "NoSuchEntryInArray")                                                                   \
    X(715, "WildCardNotPermittedInSrcIP")                                                          \
    X(716, "WildCardNotPermittedInExtPort")                                                        \
    X(718, "ConflictInMappingEntry")                                                               \
    X(724, "SamePortValuesRequired")                                                               \
    X(725, "OnlyPermanentLeasesSupported")                                                         \
    X(726, "RemoteHostOnlySupportsWildcard")                                                       \
    X(727, "ExternalPortOnlySupportsWildcard")                                                     \
    X(728, "NoPortMapsAvailable")                                                                  \
    X(729, "ConflictWithOtherMechanisms")                                                          \
    X(732, "WildCardNotPermittedInIntPort")

/* One order while it is carried out; `out` takes the values of the response. */
typedef struct call {
    const wzp_sim_upnp *upnp;
    const wzp_addr *from;
    wzp_bytes body;
    wzp_time now;
    wzp_wr *out;
} call;

static void put_text(wzp_wr *wr, const char *name, const char *value) {
    wzp_wr_str(wr, "<");
    wzp_wr_str(wr, name);
    wzp_wr_str(wr, ">");
    wzp_sim_xml_escape(wr, wzp_bytes_str(value));
    wzp_wr_str(wr, "</");
    wzp_wr_str(wr, name);
    wzp_wr_str(wr, ">");
}

static void put_number(wzp_wr *wr, const char *name, uint32_t value) {
    char text[16];
    wzp_wr digits;
    wzp_wr_init(&digits, (uint8_t *)text, sizeof text - 1);
    wzp_sim_http_put_number(&digits, value);
    text[wzp_wr_len(&digits)] = '\0';
    put_text(wr, name, text);
}

static void put_ip(wzp_wr *wr, const char *name, const wzp_addr *addr) {
    char text[WZP_ADDR_TEXT_MAX];
    wzp_wr ip;
    wzp_wr_init(&ip, (uint8_t *)text, sizeof text - 1);
    if (addr->family != WZP_ADDR_NONE) {
        wzp_sim_http_put_ip(&ip, addr);
    }
    text[wzp_wr_len(&ip)] = '\0';
    put_text(wr, name, text);
}

/* --- arguments -------------------------------------------------------------------------------- */

typedef struct order {
    uint8_t proto;
    bool disabled;
    wzp_addr internal, remote;
    uint16_t external;
    uint32_t lease_s;
    char text[WZP_SIM_LEASE_TEXT_MAX];
    size_t text_len;
} order;

static bool read_number(const call *c, const char *name, uint32_t most, uint32_t *out) {
    wzp_bytes text;
    return wzp_sim_xml_text(c->body, name, &text) && wzp_sim_http_number(text, most, out);
}

static bool read_proto(const call *c, uint8_t *proto) {
    wzp_bytes text;
    if (!wzp_sim_xml_text(c->body, "NewProtocol", &text)) {
        return false;
    }
    *proto = wzp_sim_http_same(text, "UDP") ? 17 : 6;
    return *proto == 17 || wzp_sim_http_same(text, "TCP");
}

static bool read_flag(const call *c, const char *name, bool *out) {
    wzp_bytes text;
    if (!wzp_sim_xml_text(c->body, name, &text)) {
        return false;
    }
    *out = wzp_sim_http_same(text, "1") || wzp_sim_http_same(text, "true") ||
           wzp_sim_http_same(text, "yes");
    return *out || wzp_sim_http_same(text, "0") || wzp_sim_http_same(text, "false") ||
           wzp_sim_http_same(text, "no");
}

/* An address of the gateway's own family, as "a.b.c.d"; its port is 0. */
static bool read_ip(const call *c, const char *name, wzp_addr *out) {
    char text[WZP_ADDR_TEXT_MAX];
    wzp_bytes ip;
    if (!wzp_sim_xml_text(c->body, name, &ip) || ip.len > 15) {
        return false;
    }
    memcpy(text, ip.data, ip.len);
    memcpy(text + ip.len, ":0", 3);
    return wzp_addr_parse(out, text) == WZP_OK;
}

static bool is_empty(const call *c, const char *name) {
    wzp_bytes text;
    return !wzp_sim_xml_text(c->body, name, &text) || text.len == 0;
}

static void read_description(const call *c, order *out) {
    wzp_bytes text;
    uint8_t buf[1024];
    wzp_wr wr;
    if (wzp_sim_xml_text(c->body, "NewPortMappingDescription", &text)) {
        const size_t len = text.len < sizeof buf ? text.len : sizeof buf;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_sim_xml_unescape(&wr, wzp_bytes_of(text.data, len));
        out->text_len = wzp_wr_len(&wr) < sizeof out->text ? wzp_wr_len(&wr) : sizeof out->text;
        memcpy(out->text, buf, out->text_len);
    }
}

static bool read_order(const call *c, order *out) {
    uint32_t internal = 0;
    uint32_t external = 0;
    bool enabled = false;
    *out = (order){0};
    if (!read_number(c, "NewExternalPort", UINT16_MAX, &external) ||
        !read_number(c, "NewInternalPort", UINT16_MAX, &internal) || internal == 0 ||
        !read_number(c, "NewLeaseDuration", UINT32_MAX, &out->lease_s) ||
        !read_proto(c, &out->proto) || !read_flag(c, "NewEnabled", &enabled) ||
        !read_ip(c, "NewInternalClient", &out->internal) ||
        (!is_empty(c, "NewRemoteHost") && !read_ip(c, "NewRemoteHost", &out->remote))) {
        return false;
    }
    out->internal.port = (uint16_t)internal;
    out->external = (uint16_t)external;
    out->disabled = !enabled;
    read_description(c, out);
    return true;
}

/* --- orders ----------------------------------------------------------------------------------- */

static bool is_second(const call *c) {
    return c->upnp->cfg->version == 2;
}

/* What the gateway's rules say before any port is looked at. */
static unsigned check(const call *c, const order *wanted) {
    const wzp_sim_upnp_cfg *cfg = c->upnp->cfg;
    if (cfg->refuse != 0) {
        return cfg->refuse;
    }
    if (wanted->external == 0) {
        return 716;
    }
    if (!cfg->any_client && !wzp_addr_same_ip(&wanted->internal, c->from)) {
        return 606;
    }
    if (cfg->same_port_only && wanted->internal.port != wanted->external) {
        return 724;
    }
    if (cfg->permanent_only && wanted->lease_s != 0) {
        return 725;
    }
    return cfg->wildcard_only && wanted->remote.family != WZP_ADDR_NONE ? 726 : 0;
}

static unsigned fault_of(const call *c, const order *wanted, wzp_sim_lease_result result) {
    const wzp_sim_leases *leases = c->upnp->leases;
    const size_t i = wzp_sim_leases_by_external(leases, wanted->proto, wanted->external);
    switch (result) {
    case WZP_SIM_LEASE_GRANTED:
        return 0;
    case WZP_SIM_LEASE_TAKEN:
        return is_second(c) && i < wzp_sim_leases_count(leases) &&
                       wzp_sim_leases_at(leases, i)->by != WZP_SIM_LEASE_UPNP
                   ? 729
                   : 718;
    case WZP_SIM_LEASE_QUOTA:
    case WZP_SIM_LEASE_EXHAUSTED:
        return is_second(c) ? 728 : 501;
    case WZP_SIM_LEASE_NO_ADDRESS:
        break;
    }
    return 501;
}

static unsigned add(const call *c, bool exact, uint16_t *external) {
    order wanted;
    const wzp_sim_lease *lease = NULL;
    if (!read_order(c, &wanted)) {
        return 402;
    }
    const unsigned fault = check(c, &wanted);
    if (fault != 0) {
        return fault;
    }
    const wzp_sim_lease_ask ask = {.by = WZP_SIM_LEASE_UPNP,
                                   .proto = wanted.proto,
                                   .exact = exact,
                                   .permanent = wanted.lease_s == 0,
                                   .disabled = wanted.disabled,
                                   .internal = wanted.internal,
                                   .remote = wanted.remote,
                                   .external = wanted.external,
                                   .lifetime_s = wanted.lease_s,
                                   .text = wzp_bytes_of(wanted.text, wanted.text_len)};
    const wzp_sim_lease_result result = wzp_sim_leases_grant(c->upnp->leases, &ask, c->now, &lease);
    if (result == WZP_SIM_LEASE_GRANTED) {
        *external = lease->external.port;
    }
    return fault_of(c, &wanted, result);
}

static unsigned add_port_mapping(const call *c) {
    uint16_t external = 0;
    return add(c, true, &external);
}

static unsigned add_any_port_mapping(const call *c) {
    uint16_t external = 0;
    const unsigned fault = add(c, false, &external);
    if (fault == 0) {
        put_number(c->out, "NewReservedPort", external);
    }
    return fault;
}

/* The entry that NewExternalPort and NewProtocol name. */
static unsigned find_entry(const call *c, size_t *index) {
    const wzp_sim_leases *leases = c->upnp->leases;
    uint32_t external = 0;
    uint8_t proto = 0;
    if (!read_number(c, "NewExternalPort", UINT16_MAX, &external) || !read_proto(c, &proto)) {
        return 402;
    }
    *index = wzp_sim_leases_by_external(leases, proto, (uint16_t)external);
    return *index < wzp_sim_leases_count(leases) ? 0 : 714;
}

static unsigned delete_port_mapping(const call *c) {
    size_t index = 0;
    const unsigned fault = find_entry(c, &index);
    if (fault != 0 || c->upnp->cfg->refuse != 0) {
        return fault != 0 ? fault : c->upnp->cfg->refuse;
    }
    const wzp_sim_lease *lease = wzp_sim_leases_at(c->upnp->leases, index);
    if (lease->by != WZP_SIM_LEASE_UPNP ||
        (!c->upnp->cfg->any_client && !wzp_addr_same_ip(&lease->internal, c->from))) {
        return 606;
    }
    wzp_sim_leases_drop(c->upnp->leases, index);
    return 0;
}

static void put_entry(const call *c, const wzp_sim_lease *lease) {
    put_number(c->out, "NewInternalPort", lease->internal.port);
    put_ip(c->out, "NewInternalClient", &lease->internal);
    put_number(c->out, "NewEnabled", !lease->disabled);
    put_text(c->out, "NewPortMappingDescription", lease->text);
    put_number(c->out, "NewLeaseDuration", wzp_sim_lease_left_s(lease, c->now));
}

static unsigned get_specific_entry(const call *c) {
    size_t index = 0;
    const unsigned fault = find_entry(c, &index);
    if (fault == 0) {
        put_entry(c, wzp_sim_leases_at(c->upnp->leases, index));
    }
    return fault;
}

static unsigned get_generic_entry(const call *c) {
    const wzp_sim_leases *leases = c->upnp->leases;
    uint32_t number = 0;
    if (!read_number(c, "NewPortMappingIndex", UINT16_MAX, &number)) {
        return 402;
    }
    for (size_t i = 0; i < wzp_sim_leases_count(leases); i++) {
        const wzp_sim_lease *lease = wzp_sim_leases_at(leases, i);
        if (lease->by != WZP_SIM_LEASE_PEER && number-- == 0) {
            put_ip(c->out, "NewRemoteHost", &lease->remote);
            put_number(c->out, "NewExternalPort", lease->external.port);
            put_text(c->out, "NewProtocol", lease->proto == 17 ? "UDP" : "TCP");
            put_entry(c, lease);
            return 0;
        }
    }
    return 713;
}

static unsigned get_external_address(const call *c) {
    const wzp_addr addr = wzp_sim_leases_address(c->upnp->leases, c->from);
    if (addr.family == WZP_ADDR_NONE) {
        return 501;
    }
    put_ip(c->out, "NewExternalIPAddress", &addr);
    return 0;
}

static unsigned get_status(const call *c) {
    put_text(c->out, "NewConnectionStatus", "Connected");
    put_text(c->out, "NewLastConnectionError", "ERROR_NONE");
    put_number(c->out, "NewUptime", c->upnp->uptime_s);
    return 0;
}

static unsigned get_connection_type(const call *c) {
    put_text(c->out, "NewConnectionType", "IP_Routed");
    put_text(c->out, "NewPossibleConnectionTypes", "IP_Routed");
    return 0;
}

static unsigned get_nat_status(const call *c) {
    put_number(c->out, "NewRSIPAvailable", 0);
    put_number(c->out, "NewNATEnabled", 1);
    return 0;
}

static unsigned get_link_properties(const call *c) {
    put_text(c->out, "NewWANAccessType", "Ethernet");
    put_number(c->out, "NewLayer1UpstreamMaxBitRate", 100000000);
    put_number(c->out, "NewLayer1DownstreamMaxBitRate", 100000000);
    put_text(c->out, "NewPhysicalLinkStatus", "Up");
    return 0;
}

/* --- services --------------------------------------------------------------------------------- */

typedef unsigned action(const call *c); /* a fault code or 0 */

#define ACTIONS_MAX 10

static const struct service {
    const char *type, *scpd, *control;
    struct {
        const char *name;
        unsigned since; /* version */
        action *run;
    } actions[ACTIONS_MAX];
} services[] = {
    {WZP_SIM_UPNP_IP_CONNECTION,
     WZP_SIM_UPNP_CONNECTION_SCPD,
     WZP_SIM_UPNP_CONNECTION_CONTROL,
     {{"GetExternalIPAddress", 1, get_external_address},
      {"AddPortMapping", 1, add_port_mapping},
      {"DeletePortMapping", 1, delete_port_mapping},
      {"GetSpecificPortMappingEntry", 1, get_specific_entry},
      {"GetGenericPortMappingEntry", 1, get_generic_entry},
      {"GetStatusInfo", 1, get_status},
      {"GetConnectionTypeInfo", 1, get_connection_type},
      {"GetNATRSIPStatus", 1, get_nat_status},
      {"AddAnyPortMapping", 2, add_any_port_mapping}}},
    {WZP_SIM_UPNP_COMMON_CONFIG,
     WZP_SIM_UPNP_CONFIG_SCPD,
     WZP_SIM_UPNP_CONFIG_CONTROL,
     {{"GetCommonLinkProperties", 1, get_link_properties}}},
};

static unsigned version_of(const wzp_sim_upnp *upnp) {
    return upnp->cfg->version == 2 ? 2 : 1;
}

/* "urn:...:WANIPConnection:1#AddPortMapping" with or without quotes: the action's name; the type
 * and version must be ours. */
static bool split_action(const call *c, const struct service *service, wzp_bytes header,
                         wzp_bytes *type, wzp_bytes *name) {
    const size_t type_len = strlen(service->type);
    uint32_t version = 0;
    if (header.len >= 2 && header.data[0] == '"' && header.data[header.len - 1] == '"') {
        header = wzp_bytes_of(header.data + 1, header.len - 2);
    }
    size_t hash = 0;
    while (hash < header.len && header.data[hash] != '#') {
        hash++;
    }
    if (hash == header.len || hash <= type_len ||
        memcmp(header.data, service->type, type_len) != 0 ||
        !wzp_sim_http_number(wzp_bytes_of(header.data + type_len, hash - type_len),
                             version_of(c->upnp), &version)) {
        return false;
    }
    *type = wzp_bytes_of(header.data, hash);
    *name = wzp_bytes_of(header.data + hash + 1, header.len - hash - 1);
    return version != 0;
}

static action *find_action(const call *c, const struct service *service, wzp_bytes name) {
    for (size_t i = 0; i < ACTIONS_MAX && service->actions[i].name != NULL; i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(service->actions[i].name)) &&
            service->actions[i].since <= version_of(c->upnp)) {
            return service->actions[i].run;
        }
    }
    return NULL;
}

static const char *fault_text(unsigned code) {
    switch (code) {
#define X(value, text)                                                                             \
    case value:                                                                                    \
        return text;
        FAULTS(X)
#undef X
    default:
        return "Vendor defined";
    }
}

#define ENVELOPE_BEGIN                                                                             \
    "<?xml version=\"1.0\"?>\r\n"                                                                  \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "                           \
    "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
#define ENVELOPE_END "</s:Body></s:Envelope>\r\n"

static void put_fault(wzp_wr *wr, unsigned code) {
    wzp_wr_str(wr, ENVELOPE_BEGIN "<s:Fault><faultcode>s:Client</faultcode>"
                                  "<faultstring>UPnPError</faultstring><detail>"
                                  "<UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\">");
    put_number(wr, "errorCode", code);
    put_text(wr, "errorDescription", fault_text(code));
    wzp_wr_str(wr, "</UPnPError></detail></s:Fault>" ENVELOPE_END);
}

static void put_response(wzp_wr *wr, wzp_bytes type, wzp_bytes name, wzp_bytes values) {
    wzp_wr_str(wr, ENVELOPE_BEGIN "<u:");
    wzp_wr_bytes(wr, name);
    wzp_wr_str(wr, "Response xmlns:u=\"");
    wzp_wr_bytes(wr, type);
    wzp_wr_str(wr, "\">");
    wzp_wr_bytes(wr, values);
    wzp_wr_str(wr, "</u:");
    wzp_wr_bytes(wr, name);
    wzp_wr_str(wr, "Response>" ENVELOPE_END);
}

#define XML_TYPE "text/xml; charset=\"utf-8\""

/* Runs the action and writes its envelope; the status of the response. */
static unsigned run(const call *asked, const struct service *service, wzp_bytes header,
                    wzp_wr *envelope) {
    uint8_t values[1024];
    wzp_wr wr;
    call c = *asked;
    wzp_bytes type;
    wzp_bytes name;
    wzp_bytes in_body;
    action *act = NULL;
    unsigned fault = 401;
    /* The header and the body must agree (UPnP Device Architecture 3.1.1). */
    if (split_action(&c, service, header, &type, &name) &&
        wzp_sim_xml_child(c.body, "Body", &in_body) && wzp_bytes_equal(in_body, name)) {
        act = find_action(&c, service, name);
    }
    wzp_wr_init(&wr, values, sizeof values);
    c.out = &wr;
    if (act != NULL) {
        fault = act(&c);
    }
    if (fault != 0) {
        put_fault(envelope, fault);
        return 500;
    }
    put_response(envelope, type, name, wzp_bytes_of(values, wzp_wr_len(&wr)));
    return 200;
}

static unsigned post(const wzp_sim_upnp *upnp, const wzp_addr *from,
                     const wzp_sim_http_request *request, wzp_time now, wzp_wr *body) {
    wzp_bytes header;
    for (size_t i = 0; i < WZP_COUNT_OF(services); i++) {
        if (wzp_bytes_equal(request->target, wzp_bytes_str(services[i].control))) {
            const call c = {upnp, from, request->body, now, NULL};
            if (upnp->cfg->https_only) {
                return 403;
            }
            return wzp_sim_http_header(request->head, "SOAPAction", &header)
                       ? run(&c, &services[i], header, body)
                       : 400;
        }
    }
    return 404;
}

static unsigned get(const wzp_sim_upnp *upnp, const wzp_sim_http_request *request, wzp_wr *body) {
    if (wzp_bytes_equal(request->target, wzp_bytes_str(WZP_SIM_UPNP_ROOT_PATH))) {
        wzp_sim_upnp_describe(upnp, body);
        return 200;
    }
    for (size_t i = 0; i < WZP_COUNT_OF(services); i++) {
        if (wzp_bytes_equal(request->target, wzp_bytes_str(services[i].scpd))) {
            const char *names[ACTIONS_MAX];
            size_t count = 0;
            for (size_t k = 0; k < ACTIONS_MAX && services[i].actions[k].name != NULL; k++) {
                if (services[i].actions[k].since <= version_of(upnp)) {
                    names[count++] = services[i].actions[k].name;
                }
            }
            wzp_sim_upnp_describe_service(names, count, body);
            return 200;
        }
    }
    return 404;
}

void wzp_sim_upnp_http(const wzp_sim_upnp *upnp, const wzp_addr *from, wzp_bytes request,
                       wzp_time now, wzp_wr *out) {
    uint8_t buf[WZP_SIM_UPNP_HTTP_MAX / 2];
    wzp_sim_http_request got;
    wzp_wr body;
    unsigned status = 400;
    wzp_wr_init(&body, buf, sizeof buf);
    if (wzp_sim_http_parse(&got, request, NULL) == WZP_OK) {
        if (wzp_sim_http_same(got.method, "POST")) {
            status = post(upnp, from, &got, now, &body);
        } else if (wzp_sim_http_same(got.method, "GET")) {
            status = get(upnp, &got, &body);
        } else {
            status = 405;
        }
    }
    assert(wzp_wr_end(&body) == WZP_OK); /* all that goes into it is bounded */
    wzp_sim_http_respond(out, status, XML_TYPE, wzp_bytes_of(buf, wzp_wr_len(&body)),
                         upnp->cfg->chunked);
}
