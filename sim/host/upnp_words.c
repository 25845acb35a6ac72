#include "sim/host/upnp_words.h"

#include <stdio.h>

#include "base/words.h"
#include "sim/gateway/http.h"
#include "sim/gateway/xml.h"

/* --- searches --------------------------------------------------------------------------------- */

void wzp_sim_upnp_search(wzp_wr *wr, uint32_t mx_s) {
    wzp_wr_str(wr, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                   "MAN: \"ssdp:discover\"\r\nMX: ");
    wzp_sim_http_put_number(wr, mx_s);
    wzp_wr_str(wr, "\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n");
}

static bool keep(char *out, size_t cap, wzp_bytes text) {
    if (text.len >= cap) {
        return false;
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

static bool read_url(wzp_bytes text, wzp_sim_upnp_url *out) {
    static const char scheme[] = "http://";
    char host[WZP_ADDR_TEXT_MAX];
    char place[WZP_ADDR_TEXT_MAX + 3];
    if (!wzp_words_begin(text, scheme)) {
        return false;
    }
    text = wzp_words_after(text, sizeof scheme - 1);
    const size_t len = wzp_words_find(text, "/");
    if (!keep(host, sizeof host, wzp_bytes_of(text.data, len)) ||
        !keep(out->path, sizeof out->path, wzp_words_after(text, len))) {
        return false;
    }
    (void)snprintf(place, sizeof place, "%s%s", host, strchr(host, ':') == NULL ? ":80" : "");
    return wzp_addr_parse(&out->at, place) == WZP_OK && out->at.family == WZP_ADDR_V4;
}

bool wzp_sim_upnp_location(wzp_bytes answer, wzp_sim_upnp_url *out) {
    wzp_bytes text;
    return wzp_sim_http_header(answer, "LOCATION", &text) && read_url(text, out);
}

/* --- descriptions ----------------------------------------------------------------------------- */

static wzp_bytes body_of(wzp_bytes response) {
    static const char blank[] = "\r\n\r\n";
    const size_t end = wzp_words_find(response, blank);
    return end < response.len ? wzp_words_after(response, end + sizeof blank - 1)
                              : wzp_bytes_str("");
}

static bool read_control(wzp_bytes text, const wzp_sim_upnp_url *from, bool as_is,
                         wzp_sim_upnp_url *out) {
    if (wzp_words_begin(text, "https://")) {
        return false;
    }
    if (wzp_words_begin(text, "http://")) {
        return read_url(text, out);
    }
    out->at = from->at;
    if (wzp_words_begin(text, "/")) {
        return keep(out->path, sizeof out->path, text);
    }
    out->path[0] = '/';
    return !as_is && keep(out->path + 1, sizeof out->path - 1, text);
}

bool wzp_sim_upnp_describes(wzp_bytes response, const wzp_sim_upnp_url *from, bool as_is,
                            wzp_sim_upnp_control *out) {
    static const char *const services[] = {WZP_SIM_UPNP_FIRST_SERVICE,
                                           "urn:schemas-upnp-org:service:WANIPConnection:2",
                                           "urn:schemas-upnp-org:service:WANPPPConnection:1"};
    const wzp_bytes body = body_of(response);
    for (size_t i = 0; i < WZP_COUNT_OF(services); i++) {
        const size_t at = wzp_words_find(body, services[i]);
        wzp_bytes text;
        if (at < body.len && wzp_sim_xml_text(wzp_words_after(body, at), "controlURL", &text)) {
            out->service = services[i];
            return read_control(text, from, as_is, &out->url);
        }
    }
    return false;
}

/* --- requests --------------------------------------------------------------------------------- */

static void put_host(wzp_wr *wr, const wzp_sim_upnp_url *url) {
    char text[WZP_ADDR_TEXT_MAX];
    wzp_wr_str(wr, " HTTP/1.1\r\nHost: ");
    wzp_wr_str(wr, wzp_addr_text(&url->at, text));
    wzp_wr_str(wr, "\r\n");
}

void wzp_sim_upnp_get(wzp_wr *wr, const wzp_sim_upnp_url *url) {
    wzp_wr_str(wr, "GET ");
    wzp_wr_str(wr, url->path);
    put_host(wr, url);
    wzp_wr_str(wr, "Connection: close\r\n\r\n");
}

/* `arguments` is the inside of the action's element, from the end of its tag's name on. */
static void put_order(wzp_wr *wr, const wzp_sim_upnp_control *control, const char *action,
                      const char *arguments) {
    char body[1024];
    char head[512];
    const int len = snprintf(body, sizeof body,
                             "<?xml version=\"1.0\"?><s:Envelope "
                             "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
                             "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
                             "<s:Body><u:%s xmlns:u=\"%s\"%s</s:Body></s:Envelope>",
                             action, control->service, arguments);
    (void)snprintf(head, sizeof head,
                   "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"%s#%s\"\r\n"
                   "Content-Length: %d\r\nConnection: close\r\n\r\n",
                   control->service, action, len);
    wzp_wr_str(wr, "POST ");
    wzp_wr_str(wr, control->url.path);
    put_host(wr, &control->url);
    wzp_wr_str(wr, head);
    wzp_wr_str(wr, body);
}

void wzp_sim_upnp_ask_address(wzp_wr *wr, const wzp_sim_upnp_control *control) {
    put_order(wr, control, "GetExternalIPAddress", "/>");
}

void wzp_sim_upnp_ask_mapping(wzp_wr *wr, const wzp_sim_upnp_control *control, const wzp_addr *own,
                              uint16_t external, uint32_t lease_s) {
    char text[640];
    (void)snprintf(text, sizeof text,
                   "><NewRemoteHost></NewRemoteHost><NewExternalPort>%u</NewExternalPort>"
                   "<NewProtocol>UDP</NewProtocol><NewInternalPort>%u</NewInternalPort>"
                   "<NewInternalClient>%u.%u.%u.%u</NewInternalClient><NewEnabled>1</NewEnabled>"
                   "<NewPortMappingDescription>WarzonePhone</NewPortMappingDescription>"
                   "<NewLeaseDuration>%u</NewLeaseDuration></u:AddPortMapping>",
                   external, own->port, own->ip[0], own->ip[1], own->ip[2], own->ip[3], lease_s);
    put_order(wr, control, "AddPortMapping", text);
}

void wzp_sim_upnp_ask_removal(wzp_wr *wr, const wzp_sim_upnp_control *control, uint16_t external) {
    char text[160];
    (void)snprintf(text, sizeof text,
                   "><NewRemoteHost></NewRemoteHost><NewExternalPort>%u</NewExternalPort>"
                   "<NewProtocol>UDP</NewProtocol></u:DeletePortMapping>",
                   external);
    put_order(wr, control, "DeletePortMapping", text);
}

/* --- responses -------------------------------------------------------------------------------- */

uint32_t wzp_sim_upnp_fault(wzp_bytes response) {
    enum { ACTION_FAILED = 501 };
    wzp_bytes text;
    uint32_t code = 0;
    if (wzp_sim_xml_text(body_of(response), "errorCode", &text)) {
        return wzp_sim_http_number(text, UINT16_MAX, &code) && code != 0 ? code : ACTION_FAILED;
    }
    return wzp_words_find(response, "<s:Fault>") < response.len ? ACTION_FAILED : 0;
}

bool wzp_sim_upnp_address(wzp_bytes response, wzp_addr *out) {
    char ip[WZP_ADDR_TEXT_MAX];
    char place[WZP_ADDR_TEXT_MAX + 2];
    wzp_bytes text;
    if (!wzp_sim_xml_text(body_of(response), "NewExternalIPAddress", &text) ||
        !keep(ip, sizeof ip, text)) {
        return false;
    }
    (void)snprintf(place, sizeof place, "%s:0", ip);
    return wzp_addr_parse(out, place) == WZP_OK;
}
