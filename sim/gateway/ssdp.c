#include "sim/gateway/http.h"
#include "sim/gateway/upnp.h"
#include "sim/gateway/upnp_names.h"

wzp_err wzp_sim_ssdp_parse(wzp_sim_ssdp_search *out, wzp_bytes datagram, wzp_fail *fail) {
    wzp_sim_ssdp_search search = {0};
    wzp_bytes man;
    wzp_bytes mx;
    const char *missing = NULL;
    uint32_t seconds = 0;
    if (!wzp_sim_http_same(wzp_sim_http_start_line(datagram), "M-SEARCH * HTTP/1.1")) {
        missing = "request line";
    } else if (!wzp_sim_http_header(datagram, "MAN", &man) ||
               !wzp_sim_http_same(man, "\"ssdp:discover\"")) {
        missing = "MAN";
    } else if (!wzp_sim_http_header(datagram, "MX", &mx) ||
               !wzp_sim_http_number(mx, UINT16_MAX, &seconds)) {
        missing = "MX";
    } else if (!wzp_sim_http_header(datagram, "ST", &search.target) || search.target.len == 0) {
        missing = "ST";
    }
    if (missing != NULL) {
        if (fail != NULL) {
            *fail = (wzp_fail){WZP_ERR_PARSE, missing, 0, datagram.len};
        }
        return WZP_ERR_PARSE;
    }
    search.mx_s = seconds < WZP_SIM_UPNP_MX_MAX ? seconds : WZP_SIM_UPNP_MX_MAX;
    *out = search;
    return WZP_OK;
}

/* --- what the gateway is ---------------------------------------------------------------------- */

typedef enum part_kind { PART_ROOT, PART_UUID, PART_TYPE } part_kind;

/* One answer to "ssdp:all".  Types get their version appended. */
static const struct part {
    part_kind kind;
    bool is_fixed; /* version 1 whatever the gateway's is */
    const char *uuid, *type;
} parts[] = {
    {PART_ROOT, false, WZP_SIM_UPNP_UUID_ROOT, "upnp:rootdevice"},
    {PART_UUID, false, WZP_SIM_UPNP_UUID_ROOT, ""},
    {PART_TYPE, false, WZP_SIM_UPNP_UUID_ROOT, WZP_SIM_UPNP_IGD},
    {PART_UUID, false, WZP_SIM_UPNP_UUID_WAN, ""},
    {PART_TYPE, false, WZP_SIM_UPNP_UUID_WAN, WZP_SIM_UPNP_WAN_DEVICE},
    {PART_UUID, false, WZP_SIM_UPNP_UUID_CONNECTION, ""},
    {PART_TYPE, false, WZP_SIM_UPNP_UUID_CONNECTION, WZP_SIM_UPNP_CONNECTION_DEVICE},
    {PART_TYPE, true, WZP_SIM_UPNP_UUID_WAN, WZP_SIM_UPNP_COMMON_CONFIG},
    {PART_TYPE, false, WZP_SIM_UPNP_UUID_CONNECTION, WZP_SIM_UPNP_IP_CONNECTION},
};

static unsigned version_of(const wzp_sim_upnp *upnp, const struct part *part) {
    return part->is_fixed || upnp->cfg->version != 2 ? 1 : 2;
}

/* "urn:...:Name:1" for a part of this type that has at least the version asked for: a device of
 * version 2 is one of version 1 too. */
static bool is_type(const wzp_sim_upnp *upnp, const struct part *part, wzp_bytes target,
                    unsigned *asked) {
    const size_t len = strlen(part->type);
    uint32_t version = 0;
    if (target.len <= len || memcmp(target.data, part->type, len) != 0 ||
        !wzp_sim_http_number(wzp_bytes_of(target.data + len, target.len - len), UINT8_MAX,
                             &version)) {
        return false;
    }
    *asked = version;
    return version >= 1 && version <= version_of(upnp, part);
}

/* Whether this part answers, and for types with which version. */
static bool matches(const wzp_sim_upnp *upnp, const struct part *part, wzp_bytes target,
                    unsigned *version) {
    *version = version_of(upnp, part);
    if (wzp_sim_http_same(target, "ssdp:all")) {
        return true;
    }
    switch (part->kind) {
    case PART_ROOT:
        return wzp_sim_http_same(target, part->type);
    case PART_UUID:
        return wzp_sim_http_same(target, part->uuid);
    case PART_TYPE:
        break;
    }
    return is_type(upnp, part, target, version);
}

static void put_name(wzp_wr *wr, const struct part *part, unsigned version) {
    wzp_wr_str(wr, part->kind == PART_UUID ? part->uuid : part->type);
    if (part->kind == PART_TYPE) {
        wzp_sim_http_put_number(wr, version);
    }
}

static void put_location(wzp_wr *wr, const wzp_addr *http, const char *path) {
    wzp_wr_str(wr, "LOCATION: http://");
    wzp_sim_http_put_ip(wr, http);
    wzp_wr_str(wr, ":");
    wzp_sim_http_put_number(wr, http->port);
    wzp_wr_str(wr, path);
}

#define ANSWER_BEGIN                                                                               \
    "HTTP/1.1 200 OK\r\n"                                                                          \
    "CACHE-CONTROL: max-age=1800\r\n"                                                              \
    "EXT:\r\n"

static void put_answer(const wzp_sim_upnp *upnp, const struct part *part, unsigned version,
                       wzp_wr *out) {
    wzp_wr_str(out, ANSWER_BEGIN);
    put_location(out, &upnp->http, WZP_SIM_UPNP_ROOT_PATH);
    wzp_wr_str(out, "\r\nSERVER: wzp-sim UPnP/1.1 gateway/1\r\nST: ");
    put_name(out, part, version);
    wzp_wr_str(out, "\r\nUSN: ");
    wzp_wr_str(out, part->uuid);
    if (part->kind != PART_UUID) {
        wzp_wr_str(out, "::");
        put_name(out, part, version);
    }
    wzp_wr_str(out, "\r\n\r\n");
}

bool wzp_sim_ssdp_answer(const wzp_sim_upnp *upnp, const wzp_sim_ssdp_search *search, size_t index,
                         wzp_wr *out) {
    for (size_t i = 0; i < WZP_COUNT_OF(parts); i++) {
        unsigned version = 0;
        if (matches(upnp, &parts[i], search->target, &version) && index-- == 0) {
            put_answer(upnp, &parts[i], version, out);
            return true;
        }
    }
    return false;
}

/* --- the television --------------------------------------------------------------------------- */

#define TV_PATH "/dmr.xml"
#define TV_UUID "uuid:7d1e5a00-0001-4000-8000-0000000000f1"
#define TV_TYPE "urn:schemas-upnp-org:device:MediaRenderer:1"

void wzp_sim_tv_answer(const wzp_addr *tv, const wzp_sim_ssdp_search *search, wzp_wr *out) {
    wzp_wr_str(out, ANSWER_BEGIN);
    put_location(out, tv, TV_PATH);
    wzp_wr_str(out, "\r\nSERVER: wzp-sim UPnP/1.0 television/1\r\nST: ");
    wzp_wr_bytes(out, wzp_bytes_of(search->target.data,
                                   search->target.len < 128 ? search->target.len : 128));
    wzp_wr_str(out, "\r\nUSN: " TV_UUID "::" TV_TYPE "\r\n\r\n");
}

void wzp_sim_tv_http(wzp_bytes request, wzp_wr *out) {
    static const char description[] =
        "<?xml version=\"1.0\"?>"
        "<root xmlns=\"urn:schemas-upnp-org:device-1-0\">"
        "<specVersion><major>1</major><minor>0</minor></specVersion>"
        "<device><deviceType>" TV_TYPE "</deviceType><friendlyName>Television</friendlyName>"
        "<manufacturer>WZP</manufacturer><modelName>TV</modelName><UDN>" TV_UUID "</UDN>"
        "<serviceList><service>"
        "<serviceType>urn:schemas-upnp-org:service:RenderingControl:1</serviceType>"
        "<serviceId>urn:upnp-org:serviceId:RenderingControl</serviceId>"
        "<SCPDURL>/rc.xml</SCPDURL><controlURL>/rc</controlURL><eventSubURL>/re</eventSubURL>"
        "</service></serviceList></device></root>";
    wzp_sim_http_request got;
    const bool whole = wzp_sim_http_parse(&got, request, NULL) == WZP_OK;
    const bool found =
        whole && wzp_sim_http_same(got.method, "GET") && wzp_sim_http_same(got.target, TV_PATH);
    wzp_sim_http_respond(out, found ? 200 : 404, "text/xml",
                         found ? wzp_bytes_str(description) : wzp_bytes_str(""), false);
}
