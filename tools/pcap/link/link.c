#include "tools/pcap/link/link.h"

#include <stdlib.h>

#include "base/rd.h"
#include "tools/pcap/link/fragments.h"

enum { /* LINKTYPE_* */
       LINK_NULL = 0,
       LINK_ETHERNET = 1,
       LINK_RAW_BSD = 12,
       LINK_RAW_OPENBSD = 14,
       LINK_RAW = 101,
       LINK_LOOP = 108,
       LINK_COOKED = 113,
       LINK_IPV4 = 228,
       LINK_IPV6 = 229,
       LINK_COOKED_2 = 276
};
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };
enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51 };
enum {
    NEXT_DESTINATION = 60,
    NEXT_MOBILITY = 135,
    NEXT_HIP = 139,
    NEXT_SHIM6 = 140,
    NEXT_UDP = 17
};

#define TAGS_MAX 8        /* of VLANs on one frame */
#define EXTENSIONS_MAX 16 /* of one IPv6 packet */

struct wzp_pcap_link {
    wzp_pcap_fragments *fragments;
    wzp_pcap_link_counters count;
};

/* One packet on its way up. */
typedef struct walk {
    wzp_pcap_link *link;
    const wzp_pcap_packet *packet;
    wzp_pcap_udp *out;
    wzp_rd rd;     /* what was captured, up to the end of the IP packet */
    uint32_t left; /* bytes of the IP packet behind the position, captured or not */
    bool whole;    /* put together from fragments */
} walk;

static unsigned u16(const uint8_t *p) {
    return (unsigned)p[0] << 8 | p[1];
}

/* The failure is in w->rd. */
static wzp_pcap_link_verdict reject(walk *w, const char *field, size_t back, uint64_t got) {
    (void)wzp_rd_reject(&w->rd, WZP_ERR_PARSE, field, back, got);
    return WZP_PCAP_LINK_MALFORMED;
}

/* The next `len` bytes; NULL: they were not captured. */
static const uint8_t *head(walk *w, size_t len, const char *field) {
    const wzp_bytes bytes = wzp_rd_bytes(&w->rd, len, field);
    return w->rd.fail.code == WZP_OK ? bytes.data : NULL;
}

/* The next bytes of the IP packet; NULL: they were not captured, or are not in it. */
static const uint8_t *take(walk *w, uint32_t len, const char *field) {
    if (len > w->left) {
        (void)reject(w, field, 0, w->left);
        return NULL;
    }
    w->left -= len;
    return head(w, len, field);
}

/* --- UDP -------------------------------------------------------------------------------------- */

static wzp_pcap_link_verdict udp(walk *w) {
    const uint8_t *p = take(w, 8, "UDP header");
    if (p == NULL) {
        return WZP_PCAP_LINK_MALFORMED;
    }
    /* 0: longer than 65,535 bytes, as before segmentation by a network card */
    const bool jumbo = u16(p + 4) == 0 && w->left + 8 > UINT16_MAX;
    const uint32_t len = jumbo ? w->left + 8 : u16(p + 4);
    if (len < 8 || len - 8 > w->left) {
        return reject(w, "UDP Length", 4, len);
    }
    const size_t captured = wzp_rd_left(&w->rd);
    w->out->src.port = (uint16_t)u16(p);
    w->out->dst.port = (uint16_t)u16(p + 2);
    w->out->payload_len = len - 8;
    w->out->cut = captured < len - 8;
    w->out->payload = wzp_bytes_of(w->rd.pos, w->out->cut ? captured : len - 8);
    return WZP_PCAP_LINK_UDP;
}

/* --- fragments -------------------------------------------------------------------------------- */

/* All that is left of the packet is a piece of a datagram.  UDP: it is whole now, and the walk goes
 * on at its first header, *next. */
static wzp_pcap_link_verdict fragment(walk *w, wzp_pcap_fragment *piece, uint8_t *next) {
    wzp_bytes whole;
    memcpy(piece->key.src, w->out->src.ip, 16);
    memcpy(piece->key.dst, w->out->dst.ip, 16);
    piece->key.family = w->out->src.family;
    piece->time_ns = w->packet->time_ns;
    if (wzp_rd_left(&w->rd) < w->left) {
        wzp_pcap_fragments_refuse(w->link->fragments, piece);
        (void)wzp_rd_bytes(&w->rd, w->left, "fragment");
        return WZP_PCAP_LINK_MALFORMED;
    }
    piece->data = wzp_bytes_of(w->rd.pos, w->left);
    switch (wzp_pcap_fragments_take(w->link->fragments, piece, &whole, next)) {
    case WZP_PCAP_FRAGMENT_KEPT:
        return WZP_PCAP_LINK_PIECE;
    case WZP_PCAP_FRAGMENT_REFUSED:
        return reject(w, "fragment that contradicts others", 0, piece->offset);
    case WZP_PCAP_FRAGMENT_WHOLE:
        break;
    }
    w->link->count.whole++;
    w->whole = true;
    w->left = (uint32_t)whole.len;
    wzp_rd_init(&w->rd, whole);
    return WZP_PCAP_LINK_UDP;
}

/* --- IP --------------------------------------------------------------------------------------- */

/* The IP packet ends here: what a link layer has put behind it is none of it. */
static void limit(walk *w) {
    if (w->left < wzp_rd_left(&w->rd)) {
        w->rd.end = w->rd.pos + w->left;
    }
}

/* Bytes behind the position that were on the wire. */
static uint32_t on_the_wire(const walk *w) {
    const size_t captured = wzp_rd_left(&w->rd);
    const size_t before = wzp_rd_offset(&w->rd);
    const size_t len = w->packet->original_len;
    return (uint32_t)(len > before + captured ? len - before : captured);
}

static wzp_pcap_link_verdict ipv4(walk *w) {
    const uint8_t *p = head(w, 20, "IPv4 header");
    if (p == NULL) {
        return WZP_PCAP_LINK_MALFORMED;
    }
    const unsigned header_len = (p[0] & 15u) * 4;
    const unsigned flags = u16(p + 6);
    if (p[0] >> 4 != 4 || header_len < 20) {
        return reject(w, "IPv4 Version, IHL", 20, p[0]);
    }
    const unsigned total_len = u16(p + 2);
    if (total_len != 0 && total_len < header_len) {
        return reject(w, "IPv4 Total Length", 18, total_len);
    }
    /* 0: longer than 65,535 bytes, as before segmentation by a network card */
    w->left = total_len == 0 ? on_the_wire(w) : total_len - 20;
    limit(w);
    if (take(w, header_len - 20, "IPv4 options") == NULL) {
        return WZP_PCAP_LINK_MALFORMED;
    }
    if (p[9] != NEXT_UDP) {
        return WZP_PCAP_LINK_OTHER;
    }
    w->out->ecn = p[1] & 3;
    w->out->src = wzp_addr_v4(p[12], p[13], p[14], p[15], 0);
    w->out->dst = wzp_addr_v4(p[16], p[17], p[18], p[19], 0);
    if ((flags & 0x3fff) == 0) {
        return udp(w);
    }
    wzp_pcap_fragment piece = {.key = {.id = u16(p + 4), .proto = p[9]},
                               .offset = (flags & 0x1fff) * 8,
                               .more = (flags & 0x2000) != 0,
                               .proto = p[9]};
    uint8_t next = 0;
    const wzp_pcap_link_verdict verdict = fragment(w, &piece, &next);
    return verdict == WZP_PCAP_LINK_UDP ? udp(w) : verdict;
}

static bool is_extension(uint8_t next) {
    return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
           next == NEXT_AUTHENTICATION || next == NEXT_DESTINATION || next == NEXT_MOBILITY ||
           next == NEXT_HIP || next == NEXT_SHIM6;
}

/* p is a fragment header.  One that is all of its datagram (RFC 6946) needs no others.  Result as
 * of fragment(). */
static wzp_pcap_link_verdict ipv6_fragment(walk *w, const uint8_t *p, uint8_t *next) {
    const unsigned offset = u16(p + 2);
    if ((offset & 0xfff9) == 0) {
        *next = p[0];
        return WZP_PCAP_LINK_UDP;
    }
    if (w->whole) {
        return reject(w, "fragment header within a fragment", 8, p[0]);
    }
    if (p[0] != NEXT_UDP && !is_extension(p[0])) {
        return WZP_PCAP_LINK_OTHER;
    }
    const uint32_t id = (uint32_t)u16(p + 4) << 16 | u16(p + 6);
    wzp_pcap_fragment piece = {
        .key = {.id = id}, .offset = offset & 0xfff8, .more = (offset & 1) != 0, .proto = p[0]};
    return fragment(w, &piece, next);
}

/* From the first header behind the fixed one to UDP. */
static wzp_pcap_link_verdict extensions(walk *w, uint8_t next) {
    for (int i = 0; i < EXTENSIONS_MAX && is_extension(next); i++) {
        const uint8_t *p = take(w, 8, "IPv6 extension header");
        if (p == NULL) {
            return WZP_PCAP_LINK_MALFORMED;
        }
        if (next == NEXT_FRAGMENT) {
            const wzp_pcap_link_verdict verdict = ipv6_fragment(w, p, &next);
            if (verdict != WZP_PCAP_LINK_UDP) {
                return verdict;
            }
            continue;
        }
        const uint32_t more = p[1] * (next == NEXT_AUTHENTICATION ? 4u : 8u);
        if (take(w, more, "IPv6 extension header") == NULL) {
            return WZP_PCAP_LINK_MALFORMED;
        }
        next = p[0];
    }
    if (is_extension(next)) {
        return reject(w, "too many IPv6 extension headers", 0, next);
    }
    return next == NEXT_UDP ? udp(w) : WZP_PCAP_LINK_OTHER;
}

static wzp_addr ipv6_addr(const uint8_t *p) {
    wzp_addr addr = {.family = WZP_ADDR_V6};
    memcpy(addr.ip, p, 16);
    return addr;
}

static wzp_pcap_link_verdict ipv6(walk *w) {
    const uint8_t *p = head(w, 40, "IPv6 header");
    if (p == NULL) {
        return WZP_PCAP_LINK_MALFORMED;
    }
    if (p[0] >> 4 != 6) {
        return reject(w, "IPv6 Version", 40, p[0]);
    }
    w->left = u16(p + 4) == 0 ? on_the_wire(w) : u16(p + 4); /* 0 as in IPv4 */
    limit(w);
    w->out->ecn = p[1] >> 4 & 3;
    w->out->src = ipv6_addr(p + 8);
    w->out->dst = ipv6_addr(p + 24);
    return extensions(w, p[6]);
}

/* --- link layers ------------------------------------------------------------------------------ */

static wzp_pcap_link_verdict raw(walk *w) {
    if (wzp_rd_left(&w->rd) == 0) {
        (void)wzp_rd_u8(&w->rd, "IP Version");
        return WZP_PCAP_LINK_MALFORMED;
    }
    const unsigned version = *w->rd.pos >> 4;
    if (version != 4 && version != 6) {
        return reject(w, "IP Version", 0, version);
    }
    return version == 4 ? ipv4(w) : ipv6(w);
}

/* 802.1Q, 802.1ad, and what was used before that. */
static bool is_tag(unsigned type) {
    return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

static wzp_pcap_link_verdict ethertype(walk *w, unsigned type) {
    for (int i = 0; i < TAGS_MAX && is_tag(type); i++) {
        const uint8_t *p = head(w, 4, "VLAN tag");
        if (p == NULL) {
            return WZP_PCAP_LINK_MALFORMED;
        }
        type = u16(p + 2);
    }
    if (is_tag(type)) {
        return reject(w, "too many VLAN tags", 2, type);
    }
    return type == TYPE_IPV4 ? ipv4(w) : type == TYPE_IPV6 ? ipv6(w) : WZP_PCAP_LINK_OTHER;
}

/* A header of fixed length with the type of what follows somewhere in it. */
static wzp_pcap_link_verdict framed(walk *w, size_t len, size_t type_at, const char *field) {
    const uint8_t *p = head(w, len, field);
    return p == NULL ? WZP_PCAP_LINK_MALFORMED : ethertype(w, u16(p + type_at));
}

/* An address family in the order of the machine that captured: the values are small. */
static wzp_pcap_link_verdict loopback(walk *w) {
    const uint8_t *p = head(w, 4, "loopback family");
    if (p == NULL) {
        return WZP_PCAP_LINK_MALFORMED;
    }
    const bool little = p[2] == 0 && p[3] == 0;
    const unsigned family = little ? (unsigned)p[1] << 8 | p[0] : u16(p + 2);
    switch (family) {
    case 2:
        return ipv4(w);
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return ipv6(w);
    default:
        return WZP_PCAP_LINK_OTHER;
    }
}

static wzp_pcap_link_verdict by_link_type(walk *w) {
    switch (w->packet->link_type) {
    case LINK_ETHERNET:
        return framed(w, 14, 12, "Ethernet header");
    case LINK_COOKED:
        return framed(w, 16, 14, "Linux cooked header");
    case LINK_COOKED_2:
        return framed(w, 20, 0, "Linux cooked header v2");
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        return raw(w);
    case LINK_IPV4:
        return ipv4(w);
    case LINK_IPV6:
        return ipv6(w);
    case LINK_NULL:
    case LINK_LOOP:
        return loopback(w);
    default:
        return WZP_PCAP_LINK_UNKNOWN;
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

wzp_err wzp_pcap_link_new(wzp_pcap_link **out) {
    wzp_pcap_link *link = calloc(1, sizeof *link);
    if (link == NULL || wzp_pcap_fragments_new(&link->fragments) != WZP_OK) {
        free(link);
        return WZP_ERR_NOMEM;
    }
    *out = link;
    return WZP_OK;
}

void wzp_pcap_link_free(wzp_pcap_link **link) {
    if (*link != NULL) {
        wzp_pcap_fragments_free(&(*link)->fragments);
        free(*link);
        *link = NULL;
    }
}

static void count(walk *w, wzp_pcap_link_verdict verdict) {
    wzp_pcap_link_counters *c = &w->link->count;
    switch (verdict) {
    case WZP_PCAP_LINK_UDP:
        c->udp++;
        c->cut += w->out->cut ? 1 : 0;
        return;
    case WZP_PCAP_LINK_OTHER:
        c->other++;
        return;
    case WZP_PCAP_LINK_PIECE:
        c->pieces++;
        return;
    case WZP_PCAP_LINK_UNKNOWN:
        c->unknown++;
        return;
    case WZP_PCAP_LINK_MALFORMED:
        c->malformed++;
        c->cut += w->packet->original_len > w->packet->data.len ? 1 : 0;
        return;
    }
}

wzp_pcap_link_verdict wzp_pcap_link_take(wzp_pcap_link *link, const wzp_pcap_packet *packet,
                                         wzp_pcap_udp *out, wzp_fail *fail) {
    walk w = {.link = link, .packet = packet, .out = out};
    wzp_rd_init(&w.rd, packet->data);
    const wzp_pcap_link_verdict verdict = by_link_type(&w);
    if (verdict == WZP_PCAP_LINK_MALFORMED) {
        *fail = w.rd.fail;
    }
    count(&w, verdict);
    link->count.expired = wzp_pcap_fragments_expired(link->fragments);
    return verdict;
}

const wzp_pcap_link_counters *wzp_pcap_link_count(const wzp_pcap_link *link) {
    return &link->count;
}
