/* What the readers of the four forms share; for this folder only.
 *
 * A reader holds a window of the file: buf[pos..end) is what was filled in and not yet taken.  A
 * form's step takes one block, record or line from the front of it. */
#ifndef WZP_PCAP_FILE_READER_INTERNAL_H
#define WZP_PCAP_FILE_READER_INTERNAL_H

#include "tools/pcap/file/reader.h"

typedef enum wzp_pcap_step {
    WZP_PCAP_STEP_ITEM,  /* out is written */
    WZP_PCAP_STEP_AGAIN, /* something was taken that nobody asks for */
    WZP_PCAP_STEP_MORE   /* nothing was taken: it is not whole */
} wzp_pcap_step;

/* Is this the beginning of a packet or block? */
typedef enum wzp_pcap_guess { WZP_PCAP_NO, WZP_PCAP_YES, WZP_PCAP_PERHAPS } wzp_pcap_guess;

typedef struct wzp_pcap_format {
    wzp_pcap_step (*step)(wzp_pcap_reader *reader, wzp_pcap_item *out);
    /* Whether buf[at..] looks like one; PERHAPS: more bytes would tell. */
    wzp_pcap_guess (*guess)(const wzp_pcap_reader *reader, size_t at);
    const char *ends_inside; /* the problem when the file ends in the middle of one */
} wzp_pcap_format;

extern const wzp_pcap_format wzp_pcap_format_pcap, wzp_pcap_format_pcapng, wzp_pcap_format_wzp,
    wzp_pcap_format_hex;

typedef struct wzp_pcap_interface {
    uint64_t times, divided; /* ns = units * times / divided; both 0: units of 2^-shift s */
    uint64_t units_max;      /* more would overflow */
    int64_t offset_ns;
    uint32_t link_type, snap_len;
    uint8_t shift;
    char name[WZP_PCAP_NAME_MAX];
} wzp_pcap_interface;

typedef enum wzp_pcap_kin { WZP_PCAP_KIN_UNKNOWN, WZP_PCAP_KIN_V1, WZP_PCAP_KIN_V2 } wzp_pcap_kin;

struct wzp_pcap_reader {
    uint8_t *buf;
    size_t pos, end;
    uint64_t base; /* offset of buf[0] in the file */
    const wzp_pcap_format *format;
    uint64_t number;                /* of the last packet, skipped ones counted */
    uint64_t lost_at;               /* where scanning began */
    wzp_pcap_interface *interfaces; /* pcapng: [WZP_PCAP_INTERFACES_MAX] */
    uint64_t secrets_left; /* bytes of a long block of secrets, its padding and end included */
    uint64_t secrets_text; /* of these, bytes of text */
    uint64_t start_ns;     /* `.wzp` */
    uint64_t last_us, old_packets;
    wzp_pcap_problem later;
    wzp_pcap_reader_counters count;
    wzp_pcap_form form;
    uint32_t link_type;
    uint32_t last_s; /* pcap: time of the last packet, for guesses; 0: none yet */
    uint32_t interface_count;
    uint32_t secrets_kind;
    wzp_pcap_kin kin; /* `.wzp` */
    bool ended, end_said;
    bool little; /* integers of this file or section */
    bool has_later;
    bool scanning;   /* lengths make no sense: looking for a place where they do */
    bool headed;     /* pcap, `.wzp`: the file's header is behind us */
    bool nano;       /* pcap */
    bool foreign;    /* pcapng: a section of another major version */
    bool stray_said; /* packets of interfaces that do not exist, of this section */
    bool long_line;  /* hex: the rest of this line is skipped */
};

static inline size_t wzp_pcap_left(const wzp_pcap_reader *r) {
    return r->end - r->pos;
}

static inline const uint8_t *wzp_pcap_at(const wzp_pcap_reader *r) {
    return r->buf + r->pos;
}

static inline uint64_t wzp_pcap_offset(const wzp_pcap_reader *r) {
    return r->base + r->pos;
}

static inline uint32_t wzp_pcap_read_u32(bool little, const uint8_t *p) {
    return little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]
                  : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* In the order of the file or section. */
static inline uint32_t wzp_pcap_u32(const wzp_pcap_reader *r, const uint8_t *p) {
    return wzp_pcap_read_u32(r->little, p);
}

static inline uint32_t wzp_pcap_u16(const wzp_pcap_reader *r, const uint8_t *p) {
    return r->little ? (uint32_t)p[1] << 8 | p[0] : (uint32_t)p[0] << 8 | p[1];
}

/* A packet of which nothing but number and offset (of bytes that begin `ahead` of the position) is
 * set yet. */
static inline wzp_pcap_packet *wzp_pcap_reader_packet(wzp_pcap_reader *r, wzp_pcap_item *out,
                                                      size_t ahead) {
    out->kind = WZP_PCAP_ITEM_PACKET;
    out->packet.number = ++r->number;
    out->packet.offset = wzp_pcap_offset(r) + ahead;
    r->count.packets++;
    return &out->packet;
}

/* A packet is there and cannot be given; it keeps its number. */
static inline void wzp_pcap_reader_skip(wzp_pcap_reader *r) {
    r->number++;
    r->count.skipped++;
}

/* The item is a problem, at `offset` of the file. */
wzp_pcap_step wzp_pcap_reader_problem(wzp_pcap_reader *r, wzp_pcap_item *out, const char *text,
                                      uint64_t offset, uint64_t got);

/* A problem that follows the item which is made now. */
void wzp_pcap_reader_later(wzp_pcap_reader *r, const char *text, uint64_t offset, uint64_t got);

/* Lengths at the position make no sense: says so and looks for the next place where they do. */
wzp_pcap_step wzp_pcap_reader_lost(wzp_pcap_reader *r, wzp_pcap_item *out, const char *text,
                                   uint64_t got);

#endif
