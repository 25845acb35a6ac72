/* Names that the parts of the gateway go by; shared by ssdp.c, upnp.c and upnp_description.c. */
#ifndef WZP_SIM_GATEWAY_UPNP_NAMES_H
#define WZP_SIM_GATEWAY_UPNP_NAMES_H

#include "sim/gateway/upnp.h"

#define WZP_SIM_UPNP_UUID_ROOT "uuid:7d1e5a00-0001-4000-8000-000000000001"
#define WZP_SIM_UPNP_UUID_WAN "uuid:7d1e5a00-0001-4000-8000-000000000002"
#define WZP_SIM_UPNP_UUID_CONNECTION "uuid:7d1e5a00-0001-4000-8000-000000000003"

/* The version follows. */
#define WZP_SIM_UPNP_IGD "urn:schemas-upnp-org:device:InternetGatewayDevice:"
#define WZP_SIM_UPNP_WAN_DEVICE "urn:schemas-upnp-org:device:WANDevice:"
#define WZP_SIM_UPNP_CONNECTION_DEVICE "urn:schemas-upnp-org:device:WANConnectionDevice:"
#define WZP_SIM_UPNP_COMMON_CONFIG "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:"
#define WZP_SIM_UPNP_IP_CONNECTION "urn:schemas-upnp-org:service:WANIPConnection:"

#define WZP_SIM_UPNP_ROOT_PATH "/rootDesc.xml"
#define WZP_SIM_UPNP_CONNECTION_SCPD "/WANIPCn.xml"
#define WZP_SIM_UPNP_CONFIG_SCPD "/WANCfg.xml"
#define WZP_SIM_UPNP_CONNECTION_CONTROL "/ctl/IPConn"
#define WZP_SIM_UPNP_CONFIG_CONTROL "/ctl/CmnIfCfg"

/* The description of the whole device. */
void wzp_sim_upnp_describe(const wzp_sim_upnp *upnp, wzp_wr *out);

/* Of one service: its actions by name. */
void wzp_sim_upnp_describe_service(const char *const *actions, size_t action_count, wzp_wr *out);

#endif
