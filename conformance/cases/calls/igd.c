#include "conformance/cases/calls/igd.h"

#include <stdio.h>
#include <string.h>

#include "base/wr.h"
#include "conformance/cases/calls/igd_text.h"
#include "sim/gateway/http.h"
#include "sim/gateway/xml.h"

enum { GATEWAY, PRINTER };
enum {
    INVALID_ACTION = 401,
    INVALID_ARGS = 402,
    NOT_AUTHORIZED = 606,
    NO_SUCH_INDEX = 713,
    NO_SUCH_ENTRY = 714,
    CONFLICT = 718,
    ONLY_PERMANENT = 725
};

/* The printer first, and long before the end of a search. */
#define PRINTER_AFTER (10 * WZP_MS)
#define GATEWAY_AFTER (120 * WZP_MS)

/* --- searches --------------------------------------------------------------------------------- */

static void find(wzp_ct_igd *igd, size_t place, const wzp_addr *to, const char *target,
                 wzp_time due) {
    if (igd->answer_count < WZP_CT_IGD_ANSWERS) {
        wzp_ct_igd_found *f = &igd->answers[igd->answer_count++];
        *f = (wzp_ct_igd_found){.place = place, .to = *to, .due = due};
        (void)snprintf(f->target, sizeof f->target, "%s", target);
    }
}

/* A gateway has no WANPPPConnection, nor the second version of a service: those who search for
 * these alone do not find it.  Old clients take it for the second version of a device. */
static bool is_ours(wzp_bytes target) {
    static const char *const not_ours[] = {"urn:schemas-upnp-org:service:WANIPConnection:2",
                                           "urn:schemas-upnp-org:service:WANPPPConnection:1"};
    return !wzp_bytes_equal(target, wzp_bytes_str(not_ours[0])) &&
           !wzp_bytes_equal(target, wzp_bytes_str(not_ours[1]));
}

static void answer(wzp_ct_igd *igd, const wzp_addr *from, wzp_bytes target, wzp_time now) {
    char text[80];
    const bool wants_all = wzp_bytes_equal(target, wzp_bytes_str("ssdp:all"));
    (void)snprintf(text, sizeof text, "%.*s", (int)target.len, (const char *)target.data);
    if (igd->cfg->has_printer) {
        find(igd, PRINTER, from, "upnp:rootdevice", now + PRINTER_AFTER);
    }
    find(igd, GATEWAY, from, wants_all ? WZP_CT_IGD_TYPE : text, now + GATEWAY_AFTER);
    if (wants_all) {
        find(igd, GATEWAY, from, WZP_CT_IGD_SERVICE, now + GATEWAY_AFTER);
    }
    igd->found++;
}

void wzp_ct_igd_heard(wzp_ct_igd *igd, const wzp_addr *from, wzp_bytes datagram, wzp_time now) {
    const wzp_ct_search search = wzp_ct_search_read(datagram);
    if (igd->cfg == NULL || search.kind == WZP_CT_SEARCH_NONE) {
        return;
    }
    igd->searches++;
    if (search.kind == WZP_CT_SEARCH_GATEWAY) {
        igd->good += search.objection == NULL ? 1 : 0;
        igd->objection = search.objection != NULL ? search.objection : igd->objection;
        if (is_ours(search.target)) {
            answer(igd, from, search.target, now);
        }
    }
}

static void write_answer(const wzp_ct_igd *igd, const wzp_ct_igd_found *f, wzp_ct_web_answer *out) {
    char at[WZP_ADDR_TEXT_MAX];
    const bool is_gateway = f->place == GATEWAY;
    const int len = snprintf(
        (char *)out->bytes, sizeof out->bytes,
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nLOCATION: http://%s%s\r\n"
        "SERVER: wzp-conformance/1 UPnP/1.0 device/1\r\nST: %s\r\nUSN: %s::%s\r\n\r\n",
        wzp_addr_text(&igd->places[f->place], at),
        is_gateway ? WZP_CT_IGD_PATH : WZP_CT_PRINTER_PATH, f->target,
        is_gateway ? WZP_CT_IGD_UUID : WZP_CT_PRINTER_UUID, f->target);
    out->place = f->place;
    out->to = f->to;
    out->len = len > 0 && (size_t)len < sizeof out->bytes ? (size_t)len : 0;
}

bool wzp_ct_igd_next(wzp_ct_igd *igd, wzp_time now, wzp_ct_web_answer *out) {
    size_t first = igd->answer_count;
    for (size_t i = 0; i < igd->answer_count; i++) {
        if (igd->answers[i].due <= now &&
            (first == igd->answer_count || igd->answers[i].due < igd->answers[first].due)) {
            first = i;
        }
    }
    if (first == igd->answer_count) {
        return false;
    }
    write_answer(igd, &igd->answers[first], out);
    igd->answers[first] = igd->answers[--igd->answer_count];
    return true;
}

wzp_time wzp_ct_igd_deadline(const wzp_ct_igd *igd) {
    wzp_time first = WZP_TIME_NEVER;
    for (size_t i = 0; i < igd->answer_count; i++) {
        first = wzp_time_min(first, igd->answers[i].due);
    }
    return first;
}

/* --- ports ------------------------------------------------------------------------------------ */

static uint16_t *grant_of(wzp_ct_igd *igd, uint16_t port) {
    for (size_t i = 0; i < WZP_CT_IGD_GRANTS; i++) {
        if (igd->grants[i] == port) {
            return &igd->grants[i];
        }
    }
    return NULL;
}

bool wzp_ct_igd_has_granted(const wzp_ct_igd *igd, uint16_t port) {
    for (size_t i = 0; i < WZP_CT_IGD_GRANTS; i++) {
        if (igd->grants[i] == port && port != 0) {
            return true;
        }
    }
    return false;
}

/* --- orders ----------------------------------------------------------------------------------- */

typedef struct order {
    wzp_bytes body;
    wzp_wr *out; /* what the response tells */
} order;

static wzp_bytes trimmed(wzp_bytes text) {
    while (text.len > 0 && text.data[0] <= ' ') {
        text = wzp_bytes_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

static bool number(const order *o, const char *name, uint32_t most, uint32_t *out) {
    wzp_bytes text;
    return wzp_sim_xml_text(o->body, name, &text) && wzp_sim_http_number(trimmed(text), most, out);
}

static bool is_udp(const order *o, bool *out) {
    wzp_bytes text;
    if (!wzp_sim_xml_text(o->body, "NewProtocol", &text)) {
        return false;
    }
    *out = wzp_sim_http_same(trimmed(text), "UDP");
    return *out || wzp_sim_http_same(trimmed(text), "TCP");
}

static unsigned refusal(wzp_ct_igd *igd, uint32_t external, uint32_t lease_s) {
    if (igd->cfg->first_is_taken && igd->taken == 0) {
        igd->taken = (uint16_t)external;
    }
    return igd->taken == external                     ? CONFLICT
           : igd->cfg->only_permanent && lease_s != 0 ? ONLY_PERMANENT
                                                      : 0;
}

static unsigned add(wzp_ct_igd *igd, const order *o) {
    uint32_t external = 0;
    uint32_t internal = 0;
    uint32_t lease_s = 0;
    bool udp = false;
    if (!number(o, "NewExternalPort", UINT16_MAX, &external) || external == 0 ||
        !number(o, "NewInternalPort", UINT16_MAX, &internal) || internal == 0 ||
        !number(o, "NewLeaseDuration", UINT32_MAX, &lease_s) || !is_udp(o, &udp)) {
        return INVALID_ARGS;
    }
    if (!udp || internal != igd->own_port) {
        return 0;
    }
    const unsigned fault = refusal(igd, external, lease_s);
    igd->faults += fault != 0 ? 1 : 0;
    if (fault == 0) {
        uint16_t *grant = grant_of(igd, (uint16_t)external);
        grant = grant != NULL ? grant : grant_of(igd, 0);
        igd->adds++;
        igd->permanent += lease_s == 0 ? 1 : 0;
        if (grant != NULL) {
            *grant = (uint16_t)external;
        }
    }
    return fault;
}

static unsigned remove_one(wzp_ct_igd *igd, const order *o) {
    uint32_t external = 0;
    bool udp = false;
    if (!number(o, "NewExternalPort", UINT16_MAX, &external) || !is_udp(o, &udp)) {
        return INVALID_ARGS;
    }
    uint16_t *grant = udp && external != 0 ? grant_of(igd, (uint16_t)external) : NULL;
    if (grant == NULL) {
        return udp && external != 0 && igd->taken == external ? NOT_AUTHORIZED : NO_SUCH_ENTRY;
    }
    *grant = 0;
    igd->removes++;
    return 0;
}

/* A port that is another's leads to another host. */
static unsigned look_up(wzp_ct_igd *igd, const order *o) {
    char text[256];
    uint32_t external = 0;
    bool udp = false;
    if (!number(o, "NewExternalPort", UINT16_MAX, &external) || !is_udp(o, &udp)) {
        return INVALID_ARGS;
    }
    const bool is_taken = external == igd->taken && external != 0;
    if (!udp || (!is_taken && !wzp_ct_igd_has_granted(igd, (uint16_t)external))) {
        return NO_SUCH_ENTRY;
    }
    const uint8_t *ip = igd->places[GATEWAY].ip; /* the client's own is not known */
    (void)snprintf(text, sizeof text,
                   "<NewInternalPort>%u</NewInternalPort><NewInternalClient>%u.%u.%u.%u"
                   "</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>"
                   "</NewPortMappingDescription><NewLeaseDuration>3600</NewLeaseDuration>",
                   is_taken ? 9U : igd->own_port, ip[0], ip[1], ip[2], is_taken ? 99U : 1U);
    wzp_wr_str(o->out, text);
    return 0;
}

static unsigned address(wzp_ct_igd *igd, const order *o) {
    char text[96];
    const uint8_t *ip = igd->cfg->ip;
    (void)snprintf(text, sizeof text, "<NewExternalIPAddress>%u.%u.%u.%u</NewExternalIPAddress>",
                   ip[0], ip[1], ip[2], ip[3]);
    wzp_wr_str(o->out, text);
    return 0;
}

static unsigned status(wzp_ct_igd *igd, const order *o) {
    (void)igd;
    wzp_wr_str(o->out,
               "<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>"
               "ERROR_NONE</NewLastConnectionError><NewUptime>86400</NewUptime>");
    return 0;
}

static unsigned no_index(wzp_ct_igd *igd, const order *o) {
    (void)igd;
    (void)o;
    return NO_SUCH_INDEX;
}

static const struct action {
    const char *name;
    unsigned (*act)(wzp_ct_igd *igd, const order *o); /* a fault, or 0 */
} actions[] = {
    {"GetExternalIPAddress", address},
    {"GetStatusInfo", status},
    {"AddPortMapping", add},
    {"DeletePortMapping", remove_one},
    {"GetSpecificPortMappingEntry", look_up},
    {"GetGenericPortMappingEntry", no_index},
};

static const char *fault_text(unsigned fault) {
    switch (fault) {
    case INVALID_ACTION:
        return "Invalid Action";
    case INVALID_ARGS:
        return "Invalid Args";
    case NOT_AUTHORIZED:
        return "Action not authorized";
    case NO_SUCH_INDEX:
        return "SpecifiedArrayIndexInvalid";
    case NO_SUCH_ENTRY:
        return "NoSuchEntryInArray";
    case CONFLICT:
        return "ConflictInMappingEntry";
    default:
        return "OnlyPermanentLeasesSupported";
    }
}

#define ENVELOPE                                                                                   \
    "<?xml version=\"1.0\"?>\r\n"                                                                  \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "                           \
    "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
#define ENVELOPE_END "</s:Body></s:Envelope>\r\n"

static void put_xml(wzp_wr *out, unsigned status_code, const char *text) {
    wzp_sim_http_respond(out, status_code, "text/xml; charset=\"utf-8\"", wzp_bytes_str(text),
                         false);
}

static void put_fault(wzp_wr *out, unsigned fault) {
    char text[768];
    (void)snprintf(
        text, sizeof text,
        ENVELOPE
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError"
        "</faultstring><detail><UPnPError "
        "xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>%u</errorCode>"
        "<errorDescription>%s</errorDescription></UPnPError></detail></s:Fault>" ENVELOPE_END,
        fault, fault_text(fault));
    put_xml(out, 500, text);
}

static void put_done(wzp_wr *out, const char *action, const char *told) {
    char text[1024];
    (void)snprintf(text, sizeof text,
                   ENVELOPE "<u:%sResponse xmlns:u=\"" WZP_CT_IGD_SERVICE
                            "\">%s</u:%sResponse>" ENVELOPE_END,
                   action, told, action);
    put_xml(out, 200, text);
}

static void obey(wzp_ct_igd *igd, const wzp_sim_http_request *request, wzp_wr *out) {
    char told[320];
    wzp_wr wr;
    wzp_bytes name;
    const bool has_name = wzp_sim_xml_child(request->body, "Body", &name);
    wzp_wr_init(&wr, (uint8_t *)told, sizeof told - 1);
    igd->orders++;
    for (size_t i = 0; has_name && i < WZP_COUNT_OF(actions); i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(actions[i].name))) {
            const unsigned fault = actions[i].act(igd, &(order){request->body, &wr});
            told[wzp_wr_len(&wr)] = '\0';
            if (fault != 0) {
                put_fault(out, fault);
            } else {
                put_done(out, actions[i].name, told);
            }
            return;
        }
    }
    put_fault(out, INVALID_ACTION);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static const char *document(size_t place, wzp_bytes path) {
    static const struct {
        size_t place;
        const char *path, *text;
    } documents[] = {{GATEWAY, WZP_CT_IGD_PATH, wzp_ct_igd_description},
                     {GATEWAY, WZP_CT_IGD_SCPD, wzp_ct_igd_service},
                     {PRINTER, WZP_CT_PRINTER_PATH, wzp_ct_printer_description}};
    for (size_t i = 0; i < WZP_COUNT_OF(documents); i++) {
        if (documents[i].place == place &&
            wzp_bytes_equal(path, wzp_bytes_str(documents[i].path))) {
            return documents[i].text;
        }
    }
    return NULL;
}

static void serve(wzp_ct_igd *igd, size_t place, const wzp_sim_http_request *request, wzp_wr *out) {
    const char *text = document(place, request->target);
    if (wzp_sim_http_same(request->method, "POST") && place == GATEWAY &&
        wzp_bytes_equal(request->target, wzp_bytes_str(WZP_CT_IGD_CONTROL))) {
        obey(igd, request, out);
    } else if (wzp_sim_http_same(request->method, "GET") && text != NULL) {
        put_xml(out, 200, text);
    } else {
        put_xml(out, 404, "");
    }
}

size_t wzp_ct_igd_asked(wzp_ct_igd *igd, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap) {
    wzp_sim_http_request request;
    wzp_wr wr;
    const wzp_err err = wzp_sim_http_parse(&request, so_far, NULL);
    if (err == WZP_ERR_TRUNCATED || igd->cfg == NULL) {
        return 0;
    }
    igd->questions++;
    wzp_wr_init(&wr, out, cap);
    if (err != WZP_OK) {
        put_xml(&wr, 400, "");
    } else {
        serve(igd, place, &request, &wr);
    }
    return wzp_wr_end(&wr) == WZP_OK ? wzp_wr_len(&wr) : 0;
}
