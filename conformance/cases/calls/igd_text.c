#include "conformance/cases/calls/igd_text.h"

#define ROOT                                                                                       \
    "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">"                  \
    "<specVersion><major>1</major><minor>0</minor></specVersion>"
#define DEVICE(type, name, uuid)                                                                   \
    "<device><deviceType>" type "</deviceType><friendlyName>" name "</friendlyName>"               \
    "<manufacturer>WZP</manufacturer><modelName>" name "</modelName><UDN>" uuid "</UDN>"
#define SERVICE(type, id, scpd, control)                                                           \
    "<service><serviceType>" type "</serviceType><serviceId>urn:upnp-org:serviceId:" id            \
    "</serviceId><SCPDURL>" scpd "</SCPDURL><controlURL>" control "</controlURL>"                  \
    "<eventSubURL>/events</eventSubURL></service>"

const char wzp_ct_igd_description[] =
    ROOT DEVICE(WZP_CT_IGD_TYPE, "Gateway", WZP_CT_IGD_UUID) "<deviceList>" DEVICE(
        "urn:schemas-upnp-org:device:WANDevice:1", "WAN",
        "uuid:7a1e0000-0042-4000-8000-000000000002") "<serviceList>" SERVICE("urn:schemas-upnp-org:"
                                                                             "service:"
                                                                             "WANCommonInterfaceCon"
                                                                             "fig:1",
                                                                             "WANCommonIFC1",
                                                                             "/wancfg.xml",
                                                                             "/wancfg") "</"
                                                                                        "serviceLis"
                                                                                        "t><"
                                                                                        "deviceList"
                                                                                        ">" DEVICE(
                                                                                            "urn:"
                                                                                            "schema"
                                                                                            "s-"
                                                                                            "upnp-"
                                                                                            "org:"
                                                                                            "device"
                                                                                            ":WANCo"
                                                                                            "nnecti"
                                                                                            "onDevi"
                                                                                            "ce:1",
                                                                                            "WAN "
                                                                                            "connec"
                                                                                            "tion",
                                                                                            "uuid:"
                                                                                            "7a1e00"
                                                                                            "00-"
                                                                                            "0042-"
                                                                                            "4000-"
                                                                                            "8000-"
                                                                                            "000000"
                                                                                            "00000"
                                                                                            "3") "<"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "r"
                                                                                                 "v"
                                                                                                 "i"
                                                                                                 "c"
                                                                                                 "e"
                                                                                                 "L"
                                                                                                 "i"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 ">" SERVICE(
                                                                                                     WZP_CT_IGD_SERVICE,
                                                                                                     "WANIPConn1",
                                                                                                     WZP_CT_IGD_SCPD,
                                                                                                     WZP_CT_IGD_CONTROL) "</serviceList></device></deviceList></device></deviceList></device></root>\r\n";

const char wzp_ct_printer_description[] =
    ROOT DEVICE(WZP_CT_PRINTER_TYPE, "Printer", WZP_CT_PRINTER_UUID) "<serviceList>" SERVICE(
        "urn:schemas-upnp-org:service:PrintBasic:1", "1", "/print.xml",
        "/print") "</serviceList></device></root>\r\n";

/* --- the service: some clients look up what they may order ------------------------------------ */

#define ARGUMENT(name, direction, variable)                                                        \
    "<argument><name>" name "</name><direction>" direction                                         \
    "</direction><relatedStateVariable>" variable "</relatedStateVariable></argument>"
#define IN(name, variable) ARGUMENT(name, "in", variable)
#define OUT(name, variable) ARGUMENT(name, "out", variable)
#define ACTION(name, arguments)                                                                    \
    "<action><name>" name "</name><argumentList>" arguments "</argumentList></action>"
#define WHICH(d)                                                                                   \
    ARGUMENT("NewRemoteHost", d, "RemoteHost")                                                     \
    ARGUMENT("NewExternalPort", d, "ExternalPort")                                                 \
    ARGUMENT("NewProtocol", d, "PortMappingProtocol")
#define WHERE(d)                                                                                   \
    ARGUMENT("NewInternalPort", d, "InternalPort")                                                 \
    ARGUMENT("NewInternalClient", d, "InternalClient")                                             \
    ARGUMENT("NewEnabled", d, "PortMappingEnabled")                                                \
    ARGUMENT("NewPortMappingDescription", d, "PortMappingDescription")                             \
    ARGUMENT("NewLeaseDuration", d, "PortMappingLeaseDuration")
#define VARIABLE(name, type)                                                                       \
    "<stateVariable sendEvents=\"no\"><name>" name "</name><dataType>" type                        \
    "</dataType></stateVariable>"

const char wzp_ct_igd_service[] =
    "<?xml version=\"1.0\"?>\r\n<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">"
    "<specVersion><major>1</major><minor>0</minor></specVersion><actionList>" ACTION(
        "GetExternalIPAddress", OUT("NewExternalIPAddress", "ExternalIPAddress"))
        ACTION("GetStatusInfo",
               OUT("NewConnectionStatus", "ConnectionStatus")
                   OUT("NewLastConnectionError", "LastConnectionError")
                       OUT("NewUptime", "Uptime")) ACTION("AddPortMapping", WHICH("in") WHERE("in"))
            ACTION("DeletePortMapping", WHICH("in")) ACTION("GetSpecificPortMappingEntry",
                                                            WHICH("in") WHERE("out"))
                ACTION("GetGenericPortMappingEntry",
                       IN("NewPortMappingIndex", "PortMappingNumberOfEntries") WHICH("out") WHERE(
                           "out")) "</actionList><serviceStateTable>" VARIABLE("ExternalIPAddress",
                                                                               "string")
                    VARIABLE("ConnectionStatus", "string") VARIABLE("LastConnectionError", "string")
                        VARIABLE("Uptime", "ui4") VARIABLE("RemoteHost", "string") VARIABLE(
                            "ExternalPort", "ui2") VARIABLE("PortMappingProtocol", "string")
                            VARIABLE("InternalPort", "ui2") VARIABLE("InternalClient", "string")
                                VARIABLE("PortMappingEnabled", "boolean")
                                    VARIABLE("PortMappingDescription", "string")
                                        VARIABLE("PortMappingLeaseDuration", "ui4")
                                            VARIABLE("PortMappingNumberOfEntries",
                                                     "ui2") "</serviceStateTable></scpd>\r\n";
