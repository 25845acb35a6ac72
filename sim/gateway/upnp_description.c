#include "sim/gateway/http.h"
#include "sim/gateway/upnp_names.h"

static void put_version(const wzp_sim_upnp *upnp, wzp_wr *out) {
    wzp_wr_str(out, upnp->cfg->version == 2 ? "2" : "1");
}

static void begin_device(const wzp_sim_upnp *upnp, const char *type, const char *uuid,
                         wzp_wr *out) {
    wzp_wr_str(out, "<device>\n<deviceType>");
    wzp_wr_str(out, type);
    put_version(upnp, out);
    wzp_wr_str(out, "</deviceType>\n<friendlyName>WZP simulated gateway</friendlyName>\n"
                    "<manufacturer>WZP</manufacturer>\n<modelName>gateway</modelName>\n<UDN>");
    wzp_wr_str(out, uuid);
    wzp_wr_str(out, "</UDN>\n");
}

/* Where orders go: an address with or without scheme and slash, as the gateway is configured. */
static void put_control_url(const wzp_sim_upnp *upnp, const char *path, wzp_wr *out) {
    if (upnp->cfg->https_only) {
        wzp_wr_str(out, "https://");
        wzp_sim_http_put_ip(out, &upnp->http);
        wzp_wr_str(out, ":");
        wzp_sim_http_put_number(out, upnp->http.port);
    }
    wzp_wr_str(out, upnp->cfg->relative_url && !upnp->cfg->https_only ? path + 1 : path);
}

static void put_service(const wzp_sim_upnp *upnp, const char *type, const char *version,
                        const char *id, const char *scpd, const char *control, wzp_wr *out) {
    wzp_wr_str(out, "<serviceList>\n<service>\n<serviceType>");
    wzp_wr_str(out, type);
    wzp_wr_str(out, version);
    wzp_wr_str(out, "</serviceType>\n<serviceId>urn:upnp-org:serviceId:");
    wzp_wr_str(out, id);
    wzp_wr_str(out, "</serviceId>\n<SCPDURL>");
    wzp_wr_str(out, scpd);
    wzp_wr_str(out, "</SCPDURL>\n<controlURL>");
    put_control_url(upnp, control, out);
    wzp_wr_str(out, "</controlURL>\n<eventSubURL>/evt</eventSubURL>\n</service>\n</serviceList>\n");
}

void wzp_sim_upnp_describe(const wzp_sim_upnp *upnp, wzp_wr *out) {
    wzp_wr_str(out, "<?xml version=\"1.0\"?>\n"
                    "<root xmlns=\"urn:schemas-upnp-org:device-1-0\">\n"
                    "<specVersion><major>1</major><minor>0</minor></specVersion>\n");
    begin_device(upnp, WZP_SIM_UPNP_IGD, WZP_SIM_UPNP_UUID_ROOT, out);
    wzp_wr_str(out, "<deviceList>\n");
    begin_device(upnp, WZP_SIM_UPNP_WAN_DEVICE, WZP_SIM_UPNP_UUID_WAN, out);
    put_service(upnp, WZP_SIM_UPNP_COMMON_CONFIG, "1", "WANCommonIFC1", WZP_SIM_UPNP_CONFIG_SCPD,
                WZP_SIM_UPNP_CONFIG_CONTROL, out);
    wzp_wr_str(out, "<deviceList>\n");
    begin_device(upnp, WZP_SIM_UPNP_CONNECTION_DEVICE, WZP_SIM_UPNP_UUID_CONNECTION, out);
    put_service(upnp, WZP_SIM_UPNP_IP_CONNECTION, upnp->cfg->version == 2 ? "2" : "1", "WANIPConn1",
                WZP_SIM_UPNP_CONNECTION_SCPD, WZP_SIM_UPNP_CONNECTION_CONTROL, out);
    wzp_wr_str(out, "</device>\n</deviceList>\n</device>\n</deviceList>\n</device>\n</root>\n");
}

void wzp_sim_upnp_describe_service(const char *const *actions, size_t action_count, wzp_wr *out) {
    wzp_wr_str(out, "<?xml version=\"1.0\"?>\n<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">\n"
                    "<specVersion><major>1</major><minor>0</minor></specVersion>\n<actionList>\n");
    for (size_t i = 0; i < action_count; i++) {
        wzp_wr_str(out, "<action><name>");
        wzp_wr_str(out, actions[i]);
        wzp_wr_str(out, "</name></action>\n");
    }
    wzp_wr_str(out, "</actionList>\n<serviceStateTable></serviceStateTable>\n</scpd>\n");
}
