/* What the devices of igd.h say of themselves; static text. */
#ifndef WZP_CONFORMANCE_CASES_CALLS_IGD_TEXT_H
#define WZP_CONFORMANCE_CASES_CALLS_IGD_TEXT_H

#define WZP_CT_IGD_UUID "uuid:7a1e0000-0042-4000-8000-000000000001"
#define WZP_CT_IGD_TYPE "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#define WZP_CT_IGD_SERVICE "urn:schemas-upnp-org:service:WANIPConnection:1"
#define WZP_CT_IGD_PATH "/igd.xml"
#define WZP_CT_IGD_SCPD "/wanip.xml"
#define WZP_CT_IGD_CONTROL "/wanip"
#define WZP_CT_PRINTER_UUID "uuid:7a1e0000-0042-4000-8000-0000000000f1"
#define WZP_CT_PRINTER_TYPE "urn:schemas-upnp-org:device:Printer:1"
#define WZP_CT_PRINTER_PATH "/printer.xml"

extern const char wzp_ct_igd_description[], wzp_ct_igd_service[], wzp_ct_printer_description[];

#endif
