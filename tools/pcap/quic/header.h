/* Headers of QUIC packets before their protection is taken off (RFC 9000, 17; RFC 9369, 3). */
#ifndef WZP_PCAP_QUIC_HEADER_H
#define WZP_PCAP_QUIC_HEADER_H

#include "base/rd.h"
#include "tools/pcap/quic/quic.h"

#define WZP_PCAP_QUIC_V1 UINT32_C(0x00000001)
#define WZP_PCAP_QUIC_V2 UINT32_C(0x6b3343cf)

typedef struct wzp_pcap_quic_head {
    wzp_pcap_quic_type type;
    bool is_cut;       /* the packet goes on behind what was captured ... */
    bool is_cut_short; /* ... and even this header does */
    uint32_t version;
    wzp_pcap_quic_cid dcid, scid;
    wzp_bytes token;  /* of Initial and Retry packets */
    size_t number_at; /* where the protected packet number begins */
    size_t len;       /* of the packet, as far as it is there */
} wzp_pcap_quic_head;

static inline bool wzp_pcap_quic_is_long(uint8_t first_byte) {
    return (first_byte & 0x80) != 0;
}

static inline bool wzp_pcap_quic_cid_equal(const wzp_pcap_quic_cid *a, const wzp_pcap_quic_cid *b) {
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* `bytes`: from the packet's first byte to the datagram's end; `is_cut`: the datagram was longer.
 * WZP_ERR_TRUNCATED  ends inside a field, and not because of the capture
 * WZP_ERR_VERSION    another version than 1, 2 or 0; type and what follows the ids is not known
 * WZP_ERR_PARSE      not a QUIC packet */
WZP_MUST_USE wzp_err wzp_pcap_quic_head_long(wzp_pcap_quic_head *out, wzp_bytes bytes, bool is_cut,
                                             wzp_fail *fail);

/* A short header, which does not say how long its id is.  It reaches to the datagram's end.
 * WZP_ERR_TRUNCATED: shorter than the id */
WZP_MUST_USE wzp_err wzp_pcap_quic_head_short(wzp_pcap_quic_head *out, wzp_bytes bytes,
                                              size_t dcid_len, bool is_cut);

#endif
