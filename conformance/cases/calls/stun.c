#include "conformance/cases/calls/stun.h"

#include <string.h>

static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};

bool wzp_ct_stun_is_request(wzp_bytes b) {
    static const uint8_t kind[] = {0x00, 0x01};
    return b.len >= WZP_CT_STUN_LEN && memcmp(b.data, kind, sizeof kind) == 0 &&
           memcmp(b.data + 4, cookie, sizeof cookie) == 0;
}

wzp_bytes wzp_ct_stun_success(uint8_t out[WZP_CT_STUN_ANSWER], wzp_bytes request,
                              const wzp_addr *seen, uint8_t change) {
    const uint16_t port = (uint16_t)(seen->port ^ 0x2112);
    memset(out, 0, WZP_CT_STUN_ANSWER);
    memcpy(out, request.data, WZP_CT_STUN_LEN);
    out[0] = out[1] = 1;
    out[2] = 0;
    out[3] = WZP_CT_STUN_ANSWER - WZP_CT_STUN_LEN;
    out[19] ^= change;
    out[21] = 0x20;
    out[23] = 8;
    out[25] = 1;
    out[26] = (uint8_t)(port >> 8);
    out[27] = (uint8_t)port;
    for (size_t i = 0; i < 4; i++) {
        out[28 + i] = seen->ip[i] ^ cookie[i];
    }
    return wzp_bytes_of(out, WZP_CT_STUN_ANSWER);
}
