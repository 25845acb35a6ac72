#include "io/lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "io/sockaddr.h"

static bool is_port(const char *text) {
    unsigned long value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || value > 65535) {
            return false;
        }
        value = value * 10 + (unsigned long)(*c - '0');
    }
    return value > 0 && value <= 65535;
}

bool wzp_lookup_split(const char *text, char host[WZP_LOOKUP_HOST_MAX], const char **port) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon - text >= WZP_LOOKUP_HOST_MAX ||
        !is_port(colon + 1)) {
        return false;
    }
    (void)snprintf(host, WZP_LOOKUP_HOST_MAX, "%.*s", (int)(colon - text), text);
    *port = colon + 1;
    return true;
}

wzp_lookup_result wzp_lookup(const char *text, int family, wzp_addr *out, const char **why) {
    char host[WZP_LOOKUP_HOST_MAX];
    const char *port = NULL;
    if (wzp_addr_parse(out, text) == WZP_OK) {
        return WZP_LOOKUP_FOUND;
    }
    if (!wzp_lookup_split(text, host, &port)) {
        *why = "expected HOST:PORT, with a port from 1 to 65535";
        return WZP_LOOKUP_MALFORMED;
    }
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    const int rv = getaddrinfo(host, port, &hints, &found);
    if (rv != 0) {
        *why = gai_strerror(rv);
        return WZP_LOOKUP_UNKNOWN;
    }
    wzp_sockaddr addr = {0};
    memcpy(&addr, found->ai_addr,
           found->ai_addrlen < sizeof addr ? found->ai_addrlen : sizeof addr);
    freeaddrinfo(found);
    *out = wzp_sockaddr_read(&addr);
    return WZP_LOOKUP_FOUND;
}
