#include "conformance/cases/calls/ssdp.h"

#include "sim/gateway/http.h"

/* What a gateway answers to: itself, its parts, and what everybody is. */
static const char *const targets[] = {
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:device:WANDevice:1",
    "urn:schemas-upnp-org:device:WANDevice:2",
    "urn:schemas-upnp-org:device:WANConnectionDevice:1",
    "urn:schemas-upnp-org:device:WANConnectionDevice:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
    "upnp:rootdevice",
    "ssdp:all",
};

static bool finds_gateway(wzp_bytes target) {
    for (size_t i = 0; i < WZP_COUNT_OF(targets); i++) {
        if (wzp_bytes_equal(target, wzp_bytes_str(targets[i]))) {
            return true;
        }
    }
    return false;
}

/* Lines end with CR LF, the last one is empty, and nothing follows. */
static bool has_lines(wzp_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r')) {
            return false;
        }
    }
    return text.len >= 4 && memcmp(text.data + text.len - 4, "\r\n\r\n", 4) == 0;
}

static bool is_header(wzp_bytes text, const char *name, const char *value) {
    wzp_bytes got;
    return wzp_sim_http_header(text, name, &got) && wzp_bytes_equal(got, wzp_bytes_str(value));
}

static const char *objection_to(wzp_bytes text) {
    static const char start[] = "M-SEARCH * HTTP/1.1\r\n";
    wzp_bytes value;
    uint32_t seconds = 0;
    if (!wzp_bytes_equal(
            wzp_bytes_of(text.data, text.len < sizeof start - 1 ? 0 : sizeof start - 1),
            wzp_bytes_str(start))) {
        return "its first line is another";
    }
    if (!has_lines(text)) {
        return "its lines do not end with CR LF, the last one empty";
    }
    if (!is_header(text, "HOST", "239.255.255.250:1900") &&
        !is_header(text, "HOST", "239.255.255.250")) {
        return "HOST is missing, or not 239.255.255.250:1900";
    }
    if (!is_header(text, "MAN", "\"ssdp:discover\"")) {
        return "MAN is missing, or not \"ssdp:discover\" in quotation marks";
    }
    if (!wzp_sim_http_header(text, "MX", &value) ||
        !wzp_sim_http_number(value, UINT16_MAX, &seconds) || seconds == 0) {
        return "MX is missing, or no number of seconds";
    }
    return NULL;
}

wzp_ct_search wzp_ct_search_read(wzp_bytes datagram) {
    static const char method[] = "M-SEARCH";
    wzp_ct_search search = {WZP_CT_SEARCH_NONE, {NULL, 0}, NULL};
    if (datagram.len < sizeof method - 1 || memcmp(datagram.data, method, sizeof method - 1) != 0) {
        return search;
    }
    search.kind = WZP_CT_SEARCH_GATEWAY;
    search.objection = objection_to(datagram);
    if (!wzp_sim_http_header(datagram, "ST", &search.target) || search.target.len == 0) {
        search.objection = "ST is missing";
    } else if (!finds_gateway(search.target)) {
        search.kind = WZP_CT_SEARCH_OTHER;
    }
    return search;
}
