/* Bytes that come in pieces, late and twice, in their order: CRYPTO and STREAM frames.  What is
 * next is lent as it is; only what waits for others is copied. */
#ifndef WZP_PCAP_QUIC_GATHER_H
#define WZP_PCAP_QUIC_GATHER_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct wzp_pcap_quic_piece wzp_pcap_quic_piece;

/* Zeroed: nothing yet. */
typedef struct wzp_pcap_quic_gather {
    uint64_t next;               /* offset of the first byte that was not handed out */
    size_t waiting;              /* memory of all pieces */
    wzp_pcap_quic_piece *pieces; /* by offset */
    wzp_pcap_quic_piece *last, *lent;
} wzp_pcap_quic_gather;

void wzp_pcap_quic_gather_clear(wzp_pcap_quic_gather *gather);

/* Bytes at an offset.  What of them is next in order goes to `out`, borrowed from `data`; take()
 * then has what waited for it.  Otherwise `out` is empty.
 * WZP_ERR_LIMIT  would have to wait, and `waiting` would exceed `limit`; nothing changed
 * WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_quic_gather_add(wzp_pcap_quic_gather *gather, uint64_t at,
                                              wzp_bytes data, size_t limit, wzp_bytes *out);

/* The next bytes that had to wait, valid until the next call; false when there are none. */
bool wzp_pcap_quic_gather_take(wzp_pcap_quic_gather *gather, wzp_bytes *out);

#endif
