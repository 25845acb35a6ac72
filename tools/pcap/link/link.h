/* From a packet of a capture to the UDP datagram in it: Ethernet, 802.1Q and 802.1ad tags, Linux
 * cooked v1 and v2, raw IP, BSD loopback; IPv4, IPv6 with extension headers; fragments of both are
 * put together.  Sans-IO; memory is bounded by the constants below; checksums are not verified, as
 * captures at a sender lack them (offload). */
#ifndef WZP_PCAP_LINK_LINK_H
#define WZP_PCAP_LINK_LINK_H

#include "base/addr.h"
#include "tools/pcap/file/packet.h"

#define WZP_PCAP_FRAGMENTED_MAX 64                /* datagrams in pieces at once; the oldest goes */
#define WZP_PCAP_FRAGMENTS_TIMEOUT_NS 30000000000 /* of capture time (RFC 8200, 4.5: 60 s) */

typedef struct wzp_pcap_udp {
    wzp_addr src, dst;
    uint8_t ecn;
    bool cut;             /* the capture holds a part of the payload only */
    uint32_t payload_len; /* as the UDP header says */
    wzp_bytes payload;    /* what is there; borrowed from the packet, or until the next call */
} wzp_pcap_udp;

typedef enum wzp_pcap_link_verdict {
    WZP_PCAP_LINK_UDP,
    WZP_PCAP_LINK_OTHER,     /* not IP, or not UDP */
    WZP_PCAP_LINK_PIECE,     /* a fragment that waits for others */
    WZP_PCAP_LINK_UNKNOWN,   /* a link type that we do not read */
    WZP_PCAP_LINK_MALFORMED, /* *why and *at say what and where */
} wzp_pcap_link_verdict;

typedef struct wzp_pcap_link wzp_pcap_link;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_link_new(wzp_pcap_link **out);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_link_free(wzp_pcap_link **link);

/* `out` is written for WZP_PCAP_LINK_UDP, `fail` (field, offset in the packet) for MALFORMED. */
wzp_pcap_link_verdict wzp_pcap_link_take(wzp_pcap_link *link, const wzp_pcap_packet *packet,
                                         wzp_pcap_udp *out, wzp_fail *fail);

typedef struct wzp_pcap_link_counters {
    uint64_t udp, other, pieces, unknown, malformed, cut;
    uint64_t whole;   /* datagrams that were put together */
    uint64_t expired; /* given up: time, room, or pieces that contradict each other */
} wzp_pcap_link_counters;

const wzp_pcap_link_counters *wzp_pcap_link_count(const wzp_pcap_link *link);

#endif
