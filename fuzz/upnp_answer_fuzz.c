/* What a gateway, or whoever answers in its place, sends to our UPnP client: miniupnpc's parsers of
 * descriptions and of SOAP answers, as it calls them.  All that they keep is within their fields.
 */
#include <miniupnpc/igd_desc_parse.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>
#include <string.h>

#include "require.h"

static void check(const char *field) {
    require(memchr(field, '\0', MINIUPNPC_URL_MAXSIZE) != NULL);
}

static void check_service(const struct IGDdatas_service *service) {
    check(service->controlurl);
    check(service->eventsuburl);
    check(service->scpdurl);
    check(service->servicetype);
}

static void description(const char *text, int len) {
    struct IGDdatas data;
    struct UPNPUrls urls = {0};
    memset(&data, 0, sizeof data);
    parserootdesc(text, len, &data);
    check(data.urlbase);
    check_service(&data.CIF);
    check_service(&data.first);
    check_service(&data.second);
    check_service(&data.IPv6FC);
    GetUPNPUrls(&urls, &data, "http://192.168.1.1:5000/rootDesc.xml", 0);
    FreeUPNPUrls(&urls);
}

static void answer(const char *text, int len) {
    struct NameValueParserData values;
    ParseNameValue(text, len, &values);
    const char *external = GetValueFromNameValueList(&values, "NewExternalIPAddress");
    const char *error = GetValueFromNameValueList(&values, "errorCode");
    require(external == NULL || strlen(external) <= (size_t)len);
    require(error == NULL || strlen(error) <= (size_t)len);
    ClearNameValueList(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    description((const char *)data, (int)size);
    answer((const char *)data, (int)size);
    return 0;
}
