#include "conformance/engine/heard.h"

#include <stdlib.h>

bool wzp_ct_heard_init(wzp_ct_heard *h) {
    *h = (wzp_ct_heard){.ring = calloc(WZP_CT_HEARD_MAX, sizeof *h->ring)};
    return h->ring != NULL;
}

void wzp_ct_heard_clear(wzp_ct_heard *h) {
    free(h->ring);
    *h = (wzp_ct_heard){0};
}

void wzp_ct_heard_push(wzp_ct_heard *h, const wzp_media_packet *packet, bool sealed,
                       wzp_bytes clear, wzp_time now) {
    wzp_ct_heard_packet *p = &h->ring[h->count % WZP_CT_HEARD_MAX];
    const size_t kept = clear.len < WZP_CT_HEARD_PAYLOAD ? clear.len : WZP_CT_HEARD_PAYLOAD;
    *p = (wzp_ct_heard_packet){.hdr = packet->hdr,
                               .report = packet->report,
                               .at = now,
                               .sealed = sealed,
                               .len = clear.len};
    if (kept > 0) {
        memcpy(p->payload, clear.data, kept);
    }
    h->count++;
}

/* FULL begins with 00 and a packet, MINI with 01; version, flags, type and codec begin a packet. */
void wzp_ct_heard_strange(wzp_ct_heard *h, wzp_bytes datagram) {
    const uint8_t *p = datagram.data;
    if (datagram.len >= WZP_MEDIA_HDR_LEN && p[0] == 2 && p[2] == WZP_MEDIA_AUDIO) {
        h->no_codec++;
        h->wrong_codec = p[3];
    } else if (datagram.len > 1 && (p[0] == 1 || (p[0] == 0 && p[1] == 2))) {
        h->compact++;
    }
}

const wzp_ct_heard_packet *wzp_ct_heard_get(const wzp_ct_heard *h, uint64_t i) {
    return i < h->count && i + WZP_CT_HEARD_MAX >= h->count ? &h->ring[i % WZP_CT_HEARD_MAX] : NULL;
}
