/* IP and UDP headers around a datagram, for files of captured packets: a program that captures its
 * own socket has seen the datagram only.  Checksums are right.  Pure functions. */
#ifndef WZP_TRACE_INET_H
#define WZP_TRACE_INET_H

#include "base/addr.h"

#define WZP_INET_HEAD_MAX 48       /* IPv6 and UDP */
#define WZP_INET_PAYLOAD_MAX 65507 /* of UDP in IPv4 */

/* One's complement sum of big-endian 16-bit words (RFC 1071), folded; an odd last byte is the
 * upper half of a word.  `sum` is what came before: pieces of even length can be summed one after
 * the other. */
uint16_t wzp_inet_sum(uint16_t sum, wzp_bytes bytes);

/* The checksum of a UDP header and its payload, its own field counted as it is: 0 once it is
 * right.  `src` and `dst` hold the addresses, of one family; their ports do not matter. */
uint16_t wzp_inet_udp_checksum(const wzp_addr *src, const wzp_addr *dst, wzp_bytes head,
                               wzp_bytes payload);

/* IPv4 (20 bytes, don't fragment) or IPv6 (40) header and UDP header (8) in front of `payload`,
 * with TTL 64.  `ecn` is 0..3.  Returns their length; 0: the ends are of two families or of none,
 * or the payload is longer than WZP_INET_PAYLOAD_MAX. */
size_t wzp_inet_udp_head(uint8_t out[WZP_INET_HEAD_MAX], const wzp_addr *src, const wzp_addr *dst,
                         uint8_t ecn, wzp_bytes payload);

#endif
