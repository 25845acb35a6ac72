/* Writes captures: pcapng with secrets, and upstream's `.wzp` version 1.  Bytes go to a sink, block
 * by block, for nothing here writes files; the same calls give the same bytes.  What is written
 * reads back through reader.h as it was. */
#ifndef WZP_PCAP_FILE_WRITER_H
#define WZP_PCAP_FILE_WRITER_H

#include "base/addr.h"
#include "tools/pcap/file/reader.h"

/* The next bytes of the file, borrowed for the call. */
typedef void wzp_pcap_sink(void *ctx, wzp_bytes bytes);

typedef struct wzp_pcap_writer_cfg {
    wzp_pcap_form form; /* PCAPNG or WZP */
    wzp_pcap_sink *sink;
    void *sink_ctx;
    const char *comment;      /* pcapng: about the file; NULL: none */
    const char *room, *relay; /* `.wzp`: NULL counts as "" */
    uint64_t start_ns;        /* `.wzp`: since 1970-01-01 UTC; times are written relative to it */
} wzp_pcap_writer_cfg;

typedef struct wzp_pcap_writer wzp_pcap_writer;

/* Writes the file's head.  All strings are borrowed for the call.
 * WZP_ERR_INVALID_ARGUMENT (form), WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_writer_new(wzp_pcap_writer **out, const wzp_pcap_writer_cfg *cfg);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_writer_free(wzp_pcap_writer **writer);

/* pcapng: Decryption Secrets Blocks with lines of a key log; `.wzp`: INVALID_ARGUMENT.  They must
 * come before the packets that need them. */
WZP_MUST_USE wzp_err wzp_pcap_writer_secrets(wzp_pcap_writer *writer, wzp_bytes keylog);
/* The same with keys of sealed media (trace/pcapng.h). */
WZP_MUST_USE wzp_err wzp_pcap_writer_media_keys(wzp_pcap_writer *writer, wzp_bytes lines);

/* An interface is described in front of its first packet: one for each link type and name; `name`
 * (NULL or "": none) is borrowed and cut as the reader cuts it.  Number, offset and interface of
 * the packet do not matter.
 * WZP_ERR_INVALID_ARGUMENT: longer than WZP_PCAP_PACKET_MAX; `.wzp`, which holds neither names nor
 * comments, takes WZP_PCAP_LINK_MEDIA of 65,535 bytes only, and a time before its start counts as
 * the start.  WZP_ERR_LIMIT: more than WZP_PCAP_INTERFACES_MAX interfaces. */
WZP_MUST_USE wzp_err wzp_pcap_writer_packet(wzp_pcap_writer *writer, const char *name,
                                            const wzp_pcap_packet *packet);

/* A UDP datagram as an IP packet (LINKTYPE_RAW) with right checksums: for programs that capture
 * their own sockets.  Longer than 65,507 bytes, ends of two families, or `.wzp`: INVALID_ARGUMENT.
 */
typedef struct wzp_pcap_datagram {
    uint64_t time_ns; /* since 1970-01-01 UTC */
    const wzp_addr *src, *dst;
    wzp_pcap_way way;
    uint8_t ecn;
    wzp_bytes payload;
} wzp_pcap_datagram;

WZP_MUST_USE wzp_err wzp_pcap_writer_udp(wzp_pcap_writer *writer,
                                         const wzp_pcap_datagram *datagram);

#endif
