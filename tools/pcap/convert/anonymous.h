/* Addresses that others may see, and datagrams that they may.  Pure but for the flows that were
 * seen; bounded.  Tools sheet 13. */
#ifndef WZP_PCAP_CONVERT_ANONYMOUS_H
#define WZP_PCAP_CONVERT_ANONYMOUS_H

#include "base/addr.h"

#define WZP_PCAP_ANONYMOUS_FLOWS                                                                   \
    4096 /* pairs of addresses; datagrams of further ones are left out */

typedef struct wzp_pcap_anonymous {
    uint8_t key[16];
    uint64_t flows[WZP_PCAP_ANONYMOUS_FLOWS]; /* digests; 0: free */
} wzp_pcap_anonymous;

void wzp_pcap_anonymous_init(wzp_pcap_anonymous *anonymous, uint64_t seed);

/* Keeps prefixes: two addresses that share their first n bits still do, and no more.  The port
 * stays.  The same seed gives the same addresses. */
wzp_addr wzp_pcap_anonymous_addr(const wzp_pcap_anonymous *anonymous, const wzp_addr *addr);

/* Part of a QUIC connection that began in this file, of a known version, and without an Initial
 * packet in it.  What cannot be told is not. */
bool wzp_pcap_anonymous_may_show(wzp_pcap_anonymous *anonymous, const wzp_addr *src,
                                 const wzp_addr *dst, wzp_bytes payload);

#endif
