/* Datagrams that a network card was to cut, or has put together: with segmentation offload
 * (UDP_SEGMENT, UDP_GRO) a capture has them as one.  All but the last are equally long; nothing
 * says how long, but a packet with a short header reaches to the end of its datagram, and the next
 * one is sent to the same connection id. */
#include "tools/pcap/quic/internal.h"

/* Header, packet number, one byte of payload or padding each, and the tag; behind the id. */
#define AROUND_ID (1 + 4 + WZP_PCAP_QUIC_TAG_LEN)

static bool begins_here(wzp_bytes bytes, size_t at, const wzp_pcap_quic_cid *id) {
    return (bytes.data[at] & 0xc0) == 0x40 && memcmp(bytes.data + at + 1, id->data, id->len) == 0;
}

/* The packet's length if another one to the same id stands behind it, else 0.  Short ids say too
 * little: their bytes may be there by chance. */
size_t wzp_pcap_quic_segment(const passing *p) {
    const wzp_pcap_quic_cid *id = &p->head.dcid;
    const size_t least = AROUND_ID + (size_t)id->len;
    if (id->len < SHORT_CID || p->bytes.len < 2 * least) {
        return 0;
    }
    for (size_t at = least; at <= p->bytes.len - least; at++) {
        if (begins_here(p->bytes, at, id)) {
            return at;
        }
    }
    return 0;
}
