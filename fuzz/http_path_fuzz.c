/* Paths of requests, as libwebsockets hands them on: a name that is served has no surprises. */
#include <string.h>

#include "io/http.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = malloc(size + 1);
    require(path != NULL);
    if (size > 0) {
        memcpy(path, data, size);
    }
    path[size] = '\0';
    const char *page = wzp_http_match("/metrics", path);
    require((page != NULL) == (strcmp(path, "/metrics") == 0));
    const char *name = wzp_http_match("/ws/", path);
    if (name != NULL) {
        require(name == path + 4 && *name != '\0' && strlen(name) <= WZP_HTTP_NAME_MAX);
        for (const char *at = name; *at != '\0'; at++) {
            require((unsigned char)*at >= 0x20 && *at != 0x7f && *at != '/');
        }
    }
    free(path);
    return 0;
}
