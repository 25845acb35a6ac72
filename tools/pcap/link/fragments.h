/* Puts fragments of IP datagrams together.  Sans-IO; at most WZP_PCAP_FRAGMENTED_MAX times
 * 64 KiB, reserved when first needed.
 *
 * Pieces may come in any order and twice.  Pieces that contradict each other, or cover each other
 * in part (RFC 5722), give the whole datagram up, and later pieces of it are refused.  For the
 * folder's own use. */
#ifndef WZP_PCAP_LINK_FRAGMENTS_H
#define WZP_PCAP_LINK_FRAGMENTS_H

#include "base/bytes.h"
#include "base/err.h"

/* What pieces of one datagram share. */
typedef struct wzp_pcap_fragment_key {
    uint8_t src[16], dst[16]; /* as in wzp_addr */
    uint32_t id;
    uint8_t family, proto; /* proto: of IPv4; 0 for IPv6, where only the first piece tells */
} wzp_pcap_fragment_key;

typedef struct wzp_pcap_fragment {
    wzp_pcap_fragment_key key;
    uint64_t time_ns;
    uint32_t offset; /* bytes */
    bool more;       /* this is not the last one */
    uint8_t proto;   /* of what begins at offset 0 */
    wzp_bytes data;
} wzp_pcap_fragment;

typedef enum wzp_pcap_fragment_verdict {
    WZP_PCAP_FRAGMENT_KEPT,
    WZP_PCAP_FRAGMENT_WHOLE,  /* the datagram */
    WZP_PCAP_FRAGMENT_REFUSED /* it contradicts others, or others of it have done so */
} wzp_pcap_fragment_verdict;

typedef struct wzp_pcap_fragments wzp_pcap_fragments;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_fragments_new(wzp_pcap_fragments **out);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_fragments_free(wzp_pcap_fragments **fragments);

/* WHOLE: *whole is what was put together, borrowed until the next call, *proto its first header. */
wzp_pcap_fragment_verdict wzp_pcap_fragments_take(wzp_pcap_fragments *fragments,
                                                  const wzp_pcap_fragment *fragment,
                                                  wzp_bytes *whole, uint8_t *proto);

/* This datagram cannot become whole: as if a piece had contradicted the others. */
void wzp_pcap_fragments_refuse(wzp_pcap_fragments *fragments, const wzp_pcap_fragment *fragment);

/* Datagrams that were given up: time, room, contradictions. */
uint64_t wzp_pcap_fragments_expired(const wzp_pcap_fragments *fragments);

#endif
