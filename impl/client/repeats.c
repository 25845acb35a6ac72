#include "client/repeats.h"

/* FNV-1a.  Who makes two datagrams alike has only made his own be heard once. */
static uint64_t digest(wzp_bytes bytes) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash != 0 ? hash : 1;
}

bool wzp_repeats_seen(wzp_repeats *r, wzp_bytes datagram) {
    const uint64_t hash = digest(datagram);
    for (size_t i = 0; i < WZP_REPEATS_WINDOW; i++) {
        if (r->digests[i] == hash) {
            return true;
        }
    }
    r->digests[r->next] = hash;
    r->next = (r->next + 1) % WZP_REPEATS_WINDOW;
    return false;
}
