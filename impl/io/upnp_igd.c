/* miniupnpc behind wzp_upnp_backend. */
#include "io/upnp.h"

#ifdef WZP_HAVE_MINIUPNPC

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TTL = 2, IP_TEXT = 40, NUMBER_TEXT = 12 };

typedef struct gateway {
    struct UPNPUrls urls;
    struct IGDdatas data;
} gateway;

/* "a.b.c.d", as the library wants it. */
static void ip_text(const wzp_addr *addr, char out[IP_TEXT]) {
    (void)snprintf(out, IP_TEXT, "%u.%u.%u.%u", addr->ip[0], addr->ip[1], addr->ip[2], addr->ip[3]);
}

/* 1 and 2 are gateways (2: it says it is not connected, or has no global address, which its
 * external address then tells better); 3 is any other device. */
static bool is_gateway(int kind) {
    return kind == 1 || kind == 2;
}

static int choose(struct UPNPDev *devices, gateway *g, char own[IP_TEXT]) {
#if MINIUPNPC_API_VERSION >= 18
    char external[IP_TEXT];
    const int kind =
        UPNP_GetValidIGD(devices, &g->urls, &g->data, own, IP_TEXT, external, sizeof external);
    return kind >= 3 ? kind - 1 : kind; /* 2: no global address, 3: not connected */
#else
    return UPNP_GetValidIGD(devices, &g->urls, &g->data, own, IP_TEXT);
#endif
}

static void *find(const wzp_addr *own, uint32_t wait_ms, char error[WZP_UPNP_TEXT_MAX]) {
    /* The second version answers searches for the first, but not all do. */
    static const char *const kinds[] = {"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                                        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
                                        NULL};
    char text[IP_TEXT];
    int why = 0;
    ip_text(own, text);
    struct UPNPDev *devices =
        upnpDiscoverDevices(kinds, (int)wait_ms, text, NULL, 0, 0, TTL, &why, 1);
    gateway *g = calloc(1, sizeof *g);
    if (devices == NULL || g == NULL) {
        (void)snprintf(error, WZP_UPNP_TEXT_MAX, "no device answers");
        free(g);
        freeUPNPDevlist(devices);
        return NULL;
    }
    const int kind = choose(devices, g, text);
    freeUPNPDevlist(devices);
    if (is_gateway(kind)) {
        return g;
    }
    (void)snprintf(error, WZP_UPNP_TEXT_MAX, "no device that answers is a gateway");
    if (kind != 0) {
        FreeUPNPUrls(&g->urls);
    }
    free(g);
    return NULL;
}

static void forget(void *self) {
    gateway *g = self;
    FreeUPNPUrls(&g->urls);
    free(g);
}

static int external(void *self, wzp_addr *out) {
    const gateway *g = self;
    char ip[IP_TEXT] = "";
    char text[IP_TEXT + 2];
    const int result = UPNP_GetExternalIPAddress(g->urls.controlURL, g->data.first.servicetype, ip);
    if (result != 0) {
        return result;
    }
    (void)snprintf(text, sizeof text, "%s:0", ip);
    return wzp_addr_parse(out, text) == WZP_OK ? 0 : UPNPCOMMAND_INVALID_RESPONSE;
}

static int add(void *self, const wzp_addr *own, uint16_t port, uint32_t lease_s) {
    const gateway *g = self;
    char outer[NUMBER_TEXT];
    char inner[NUMBER_TEXT];
    char lease[NUMBER_TEXT];
    char ip[IP_TEXT];
    (void)snprintf(outer, sizeof outer, "%u", port);
    (void)snprintf(inner, sizeof inner, "%u", own->port);
    (void)snprintf(lease, sizeof lease, "%u", lease_s);
    ip_text(own, ip);
    return UPNP_AddPortMapping(g->urls.controlURL, g->data.first.servicetype, outer, inner, ip,
                               "WarzonePhone", "UDP", NULL, lease);
}

static int remove_port(void *self, uint16_t port) {
    const gateway *g = self;
    char outer[NUMBER_TEXT];
    (void)snprintf(outer, sizeof outer, "%u", port);
    return UPNP_DeletePortMapping(g->urls.controlURL, g->data.first.servicetype, outer, "UDP",
                                  NULL);
}

static const char *text_of(int result) {
    return strupnperror(result);
}

const wzp_upnp_backend *wzp_upnp_miniupnpc(void) {
    static const wzp_upnp_backend backend = {find, forget, external, add, remove_port, text_of};
    return &backend;
}

#else

const wzp_upnp_backend *wzp_upnp_miniupnpc(void) {
    return NULL;
}

#endif
