/* Blocks of a pcapng file (draft-ietf-opsawg-pcapng), written one at a time into a buffer of the
 * caller's, in the order in which a file has them: a section, its interfaces, its secrets, its
 * packets.  Sans-IO, no state, no allocation; the same arguments give the same bytes.
 *
 * What does not fit is the sticky overflow of the writer; what a block takes at most is said
 * below. */
#ifndef WZP_TRACE_PCAPNG_H
#define WZP_TRACE_PCAPNG_H

#include "base/wr.h"

#define WZP_LINKTYPE_RAW 101 /* packets begin with an IPv4 or IPv6 header */

/* Bytes of one text; what is longer is cut, not inside a character of UTF-8. */
#define WZP_PCAPNG_TEXT_MAX 65528

/* Every block of a file is in the order of its section. */
typedef enum wzp_pcapng_order { WZP_PCAPNG_BIG, WZP_PCAPNG_LITTLE } wzp_pcapng_order;

/* Not longer than `max` bytes, and no character of UTF-8 in two. */
wzp_bytes wzp_pcapng_cut(wzp_bytes text, size_t max);

/* All strings are borrowed for the call; NULL: none. */
typedef struct wzp_pcapng_section {
    const char *program; /* that writes the file */
    const char *comment;
} wzp_pcapng_section;

/* At most 40 bytes and the texts, each with 8 more. */
void wzp_pcapng_put_section(wzp_wr *wr, wzp_pcapng_order order, const wzp_pcapng_section *section);

typedef struct wzp_pcapng_interface {
    uint16_t link_type;       /* WZP_LINKTYPE_RAW */
    uint32_t snap_len;        /* of packets; 0: no limit */
    const char *name;         /* borrowed for the call; NULL: none */
    uint8_t digits;           /* a unit of time is 10^-digits s; 0: not said, which means 6 */
    const uint64_t *offset_s; /* added to all times; NULL: none */
} wzp_pcapng_interface;

/* At most 48 bytes and the name, with 8 more. */
void wzp_pcapng_put_interface(wzp_wr *wr, wzp_pcapng_order order,
                              const wzp_pcapng_interface *interface);

/* Lines of an NSS key log, as a Decryption Secrets Block: it comes before the packets that need
 * it.  At most 24 bytes and the text. */
void wzp_pcapng_put_secrets(wzp_wr *wr, wzp_pcapng_order order, wzp_bytes keylog);

/* Keys of sealed media, lines as in tools sheet 7.4, in a block of the same kind but of a type of
 * secrets of our own, which other readers skip: "WZPK". */
#define WZP_PCAPNG_SECRETS_MEDIA 0x575a504bu
void wzp_pcapng_put_media_keys(wzp_wr *wr, wzp_pcapng_order order, wzp_bytes lines);

#define WZP_PCAPNG_INBOUND 1u /* lowest bits of flags */
#define WZP_PCAPNG_OUTBOUND 2u

typedef struct wzp_pcapng_packet {
    uint32_t interface;    /* from 0, in the order of their blocks */
    uint64_t time;         /* in the interface's unit */
    uint32_t original_len; /* 0: nothing was cut off */
    wzp_bytes head, data;  /* the packet: one behind the other; either may be empty */
    uint32_t flags;        /* 0: none */
    uint64_t id;           /* 0: none */
    wzp_bytes comment;     /* UTF-8; empty: none */
} wzp_pcapng_packet;

/* At most 64 bytes, the packet, and the comment with 8 more. */
void wzp_pcapng_put_packet(wzp_wr *wr, wzp_pcapng_order order, const wzp_pcapng_packet *packet);

#endif
