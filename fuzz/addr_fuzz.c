/* Addresses as text: what parses is written in a form that gives the same address. */
#include <string.h>

#include "base/addr.h"
#include "require.h"

static bool is_v4_mapped(const wzp_addr *addr) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return addr->family == WZP_ADDR_V6 && memcmp(addr->ip, prefix, sizeof prefix) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    char buf[WZP_ADDR_TEXT_MAX];
    wzp_addr addr;
    wzp_addr back;
    memcpy(text, data, size);
    text[size] = '\0';
    if (wzp_addr_parse(&addr, text) == WZP_OK) {
        require(addr.family == (text[0] == '[' ? WZP_ADDR_V6 : WZP_ADDR_V4));
        require(wzp_addr_parse(&back, wzp_addr_text(&addr, buf)) == WZP_OK);
        require(back.port == addr.port);
        require(is_v4_mapped(&addr) ? memcmp(back.ip, addr.ip + 12, 4) == 0
                                    : wzp_addr_equal(&addr, &back));
    }
    free(text);
    return 0;
}
