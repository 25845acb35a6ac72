/* One packet of a capture, whatever kind of file it was in. */
#ifndef WZP_PCAP_FILE_PACKET_H
#define WZP_PCAP_FILE_PACKET_H

#include "base/bytes.h"

/* LINKTYPE_USER0: each packet is one v2 media packet, without addresses.  What `.wzp` and hex files
 * give, and how wzp-pcap writes such packets into pcapng (tools sheet 13). */
#define WZP_PCAP_LINK_MEDIA 147

typedef enum wzp_pcap_way { WZP_PCAP_WAY_UNKNOWN, WZP_PCAP_IN, WZP_PCAP_OUT } wzp_pcap_way;

typedef struct wzp_pcap_packet {
    uint64_t number;            /* from 1, as Wireshark counts */
    uint64_t offset;            /* of the bytes in the file */
    uint64_t time_ns;           /* since 1970-01-01 UTC; 0 if the file does not say */
    uint32_t link_type;         /* LINKTYPE_* */
    uint32_t interface;         /* of the section, from 0 */
    const char *interface_name; /* if_name; "" if the file has none; borrowed as `data` is */
    uint32_t original_len;      /* more than data.len: the capture cut the packet */
    wzp_pcap_way way;           /* epb_flags */
    wzp_bytes data;
    wzp_bytes comment; /* UTF-8 without terminator; empty: none */
} wzp_pcap_packet;

#endif
