/* A packet of the simulated network: the header fields that boxes look at, and its payload.
 *
 * One owner at a time; handing it to a node or link hands over the memory.  Packets come from a
 * pool, so that a running simulation allocates nothing.  nat sheet 2.1. */
#ifndef WZP_SIM_NET_PACKET_H
#define WZP_SIM_NET_PACKET_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/time.h"

typedef enum wzp_sim_proto {
    WZP_SIM_UDP = 17,
    WZP_SIM_TCP = 6,  /* cross traffic; ports and length matter, the payload is not real */
    WZP_SIM_ICMP = 1, /* ICMP or ICMPv6 errors, by the family of the addresses */
} wzp_sim_proto;

/* What errors the network reports; both families share them. */
typedef enum wzp_sim_icmp {
    WZP_SIM_ICMP_NONE,
    WZP_SIM_ICMP_PORT_UNREACHABLE,
    WZP_SIM_ICMP_HOST_UNREACHABLE,
    WZP_SIM_ICMP_ADMIN_PROHIBITED,
    WZP_SIM_ICMP_TOO_BIG, /* fragmentation needed, packet too big; `mtu` */
    WZP_SIM_ICMP_TTL_EXCEEDED
} wzp_sim_icmp;

typedef struct wzp_sim_pool wzp_sim_pool;

/* What all elements look at comes first, in one cache line. */
typedef struct wzp_sim_packet {
    struct wzp_sim_packet *next; /* for whoever owns it: queues and free lists */
    wzp_sim_pool *pool;
    uint64_t id; /* 1, 2, ... in order of creation: names the packet in traces */
    wzp_time created;
    uint16_t len;     /* payload bytes that count */
    uint16_t cap;     /* payload bytes that there is room for */
    uint8_t proto;    /* wzp_sim_proto */
    uint8_t ttl, tos; /* tos: DSCP << 2 | ECN */
    bool dont_fragment;
    bool corrupted;    /* payload was changed in flight and the UDP checksum tells */
    uint8_t icmp;      /* wzp_sim_icmp */
    uint16_t mtu;      /* WZP_SIM_ICMP_TOO_BIG */
    wzp_addr src, dst; /* of one family; ports 0 for ICMP */

    /* The packet that an ICMP error is about, as seen there.  The error's payload quotes the first
     * of its inner_len bytes; inner_sum (RFC 1071) is of them all, so that its checksum is right
     * whatever boxes make of its addresses. */
    wzp_addr inner_src, inner_dst;
    uint8_t inner_proto, inner_ttl, inner_tos;
    bool inner_dont_fragment;
    uint16_t inner_len, inner_sum, inner_id;

    uint8_t payload[];
} wzp_sim_packet;

#define WZP_SIM_PAYLOAD_MAX 65507 /* for TCP 12 less */

/* NULL when out of memory.  Packets that were freed keep their memory for later ones of about their
 * size, until the pool is freed. */
wzp_sim_pool *wzp_sim_pool_new(void);

/* Every packet must have been freed before; asserts so. */
void wzp_sim_pool_free(wzp_sim_pool **pool);

/* A UDP packet with TTL 64, don't-fragment set and a copy of `payload` (data NULL: of zeros).
 * `src` and `dst` are of one family.  NULL: too long or out of memory, which the pool counts. */
wzp_sim_packet *wzp_sim_packet_new(wzp_sim_pool *pool, const wzp_addr *src, const wzp_addr *dst,
                                   wzp_bytes payload, wzp_time now);
wzp_sim_packet *wzp_sim_packet_copy(const wzp_sim_packet *packet); /* a new id */
void wzp_sim_packet_free(wzp_sim_packet *packet);                  /* accepts NULL */

/* The ICMP error that a box at `from` sends about `about` (borrowed), with as much of it as fits
 * into 576 bytes (RFC 1812 4.3.2.3) or 1280 (RFC 4443 2.4).  NULL: none is due (about an error, to
 * or from a multicast or broadcast address: RFC 1122 3.2.2; `from` of another family) or out of
 * memory. */
wzp_sim_packet *wzp_sim_packet_icmp(const wzp_sim_packet *about, const wzp_addr *from,
                                    wzp_sim_icmp what, uint16_t mtu, wzp_time now);

/* Bytes of the IP packet: 28 (IPv4) or 48 (IPv6) and the payload for UDP, 12 more for TCP. */
uint32_t wzp_sim_packet_wire_len(const wzp_sim_packet *packet);

uint64_t wzp_sim_pool_live(const wzp_sim_pool *pool);
uint64_t wzp_sim_pool_failed(const wzp_sim_pool *pool);

/* Room enough for any packet's bytes. */
#define WZP_SIM_BYTES_MAX 65567

/* The packet as an IPv4 or IPv6 packet with right checksums (pcap files, ns-3, TUN devices); a
 * corrupted one gets a wrong UDP checksum.  Returns the length, 0 if `cap` is too small. */
size_t wzp_sim_packet_bytes(const wzp_sim_packet *packet, uint8_t *out, size_t cap);

#endif
