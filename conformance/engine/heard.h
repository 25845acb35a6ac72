/* The audio that came from the client under test: its newest packets, and what they carried. */
#ifndef WZP_CONFORMANCE_ENGINE_HEARD_H
#define WZP_CONFORMANCE_ENGINE_HEARD_H

#include "base/time.h"
#include "wire/media.h"

/* Ten seconds of the busiest sender; payloads are cut behind what is longer than any may be. */
enum { WZP_CT_HEARD_MAX = 1024, WZP_CT_HEARD_PAYLOAD = 640 };

typedef struct wzp_ct_heard_packet {
    wzp_media_hdr hdr;
    wzp_quality_report report; /* zero unless the Q flag is set */
    wzp_time at;               /* when it came */
    bool sealed;               /* with the session key; what follows was under the seal */
    size_t len;                /* of the payload, which may be longer than what is kept */
    uint8_t payload[WZP_CT_HEARD_PAYLOAD];
} wzp_ct_heard_packet;

typedef struct wzp_ct_heard {
    uint64_t count;      /* packets in all */
    uint64_t compact;    /* datagrams in compact framing (wire sheet 5.9): not among them */
    uint64_t no_codec;   /* audio whose codec id nobody knows: neither */
    uint8_t wrong_codec; /* of the last such */
    wzp_ct_heard_packet *ring;
} wzp_ct_heard;

/* False: no memory. */
bool wzp_ct_heard_init(wzp_ct_heard *heard);
void wzp_ct_heard_clear(wzp_ct_heard *heard);

/* An audio packet; `clear` is its payload without the seal, if there was one.  Copied. */
void wzp_ct_heard_push(wzp_ct_heard *heard, const wzp_media_packet *packet, bool sealed,
                       wzp_bytes clear, wzp_time now);
/* A datagram that is no media packet. */
void wzp_ct_heard_strange(wzp_ct_heard *heard, wzp_bytes datagram);

/* Packet `i` of all, in order of arrival; NULL: it has not come, or is not kept any more. */
const wzp_ct_heard_packet *wzp_ct_heard_get(const wzp_ct_heard *heard, uint64_t i);

#endif
