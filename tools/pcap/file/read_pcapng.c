/* pcapng: blocks with their length at both ends; integers in the order of their section. */
#include "tools/pcap/file/reader_internal.h"
#include "trace/pcapng.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a
};
enum { OPTION_END = 0, OPTION_COMMENT = 1 };
enum { PACKET_FLAGS = 2 };
enum { INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14 };

enum { BLOCK_MIN = 12, SECTION_MIN = 28, INTERFACE_MIN = 20, PACKET_MIN = 32, SIMPLE_MIN = 16 };
enum { SECRETS_HEAD = 16, SECRETS_MIN = 20 };

#define SECRETS_TLS_KEY_LOG 0x544c534bu
#define S_NS 1000000000

static size_t padded(size_t len) {
    return (len + 3) & ~(size_t)3;
}

/* --- options ---------------------------------------------------------------------------------- */

typedef struct options {
    const wzp_pcap_reader *reader;
    const uint8_t *pos, *end;
    uint32_t code;
    wzp_bytes value;
    bool bad; /* one was longer than its block */
} options;

static bool next_option(options *o) {
    if (o->end - o->pos < 4) {
        o->bad = o->end != o->pos;
        return false;
    }
    o->code = wzp_pcap_u16(o->reader, o->pos);
    const size_t len = wzp_pcap_u16(o->reader, o->pos + 2);
    if (o->code == OPTION_END) {
        return false;
    }
    if (padded(len) > (size_t)(o->end - o->pos) - 4) {
        o->bad = true;
        return false;
    }
    o->value = wzp_bytes_of(o->pos + 4, len);
    o->pos += 4 + padded(len);
    return true;
}

static void say_bad_options(wzp_pcap_reader *r, const options *o) {
    if (o->bad) {
        wzp_pcap_reader_later(r,
                              "an option is longer than its block: it and later ones are not read",
                              r->base + (uint64_t)(o->pos - r->buf), 0);
    }
}

/* --- sections and interfaces ------------------------------------------------------------------ */

static wzp_pcap_step section(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (wzp_pcap_left(r) < SECTION_MIN) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    const bool little = memcmp(p + 8, "\x4d\x3c\x2b\x1a", 4) == 0;
    if (!little && memcmp(p + 8, "\x1a\x2b\x3c\x4d", 4) != 0) {
        return wzp_pcap_reader_lost(r, out, "a section does not say its byte order: passed over",
                                    0);
    }
    r->little = little;
    const uint32_t len = wzp_pcap_u32(r, p + 4);
    if (len < SECTION_MIN || len % 4 != 0 || len > WZP_PCAP_BLOCK_MAX) {
        return wzp_pcap_reader_lost(
            r, out, "a section's length cannot be true: looking for the next block", len);
    }
    if (wzp_pcap_left(r) < len) {
        return WZP_PCAP_STEP_MORE;
    }
    if (wzp_pcap_u32(r, p + len - 4) != len) {
        return wzp_pcap_reader_lost(r, out,
                                    "a section's two lengths differ: looking for the next block",
                                    wzp_pcap_u32(r, p + len - 4));
    }
    const uint32_t major = wzp_pcap_u16(r, p + 12);
    r->interface_count = 0;
    r->stray_said = false;
    r->foreign = major != 1;
    r->pos += len;
    return r->foreign ? wzp_pcap_reader_problem(
                            r, out, "a section of another version than 1: its blocks are skipped",
                            wzp_pcap_offset(r) - len, major)
                      : WZP_PCAP_STEP_AGAIN;
}

static uint64_t power_of_ten(unsigned digits) {
    uint64_t value = 1;
    for (; digits > 0; digits--) {
        value *= 10;
    }
    return value;
}

/* if_tsresol: units of 10^-n s, or of 2^-n s with the highest bit set. */
static void set_resolution(wzp_pcap_interface *face, uint8_t resolution) {
    const unsigned digits = resolution & 0x7f;
    face->times = 0;
    face->divided = 0;
    face->shift = 0;
    face->units_max = UINT64_MAX;
    if ((resolution & 0x80) != 0) {
        face->shift = (uint8_t)digits;
        face->units_max = digits < 30 ? UINT64_MAX / S_NS << digits : UINT64_MAX;
    } else if (digits <= 9) {
        face->times = power_of_ten(9 - digits);
        face->divided = 1;
        face->units_max = UINT64_MAX / face->times;
    } else {
        face->times = 1;
        face->divided = digits < 28 ? power_of_ten(digits - 9) : UINT64_MAX;
    }
}

/* if_tsoffset: seconds, of both signs. */
static void set_offset(wzp_pcap_reader *r, wzp_pcap_interface *face, const uint8_t *p) {
    const uint64_t low = wzp_pcap_u32(r, r->little ? p : p + 4);
    const uint64_t high = wzp_pcap_u32(r, r->little ? p + 4 : p);
    const int64_t seconds = (int64_t)(high << 32 | low);
    if (seconds > INT64_MAX / S_NS || seconds < INT64_MIN / S_NS) {
        wzp_pcap_reader_later(r, "an interface's time offset is out of range: taken as 0",
                              r->base + (uint64_t)(p - r->buf), high << 32 | low);
        return;
    }
    face->offset_ns = seconds * S_NS;
}

static void set_name(wzp_pcap_interface *face, wzp_bytes name) {
    const wzp_bytes cut = wzp_pcapng_cut(name, WZP_PCAP_NAME_MAX - 1);
    memcpy(face->name, cut.data, cut.len);
    face->name[cut.len] = '\0';
}

static wzp_pcap_step interface(wzp_pcap_reader *r, wzp_pcap_item *out, const uint8_t *p,
                               uint32_t len) {
    if (len < INTERFACE_MIN) {
        return wzp_pcap_reader_problem(r, out, "an interface is too short: not known",
                                       wzp_pcap_offset(r) - len, len);
    }
    if (r->interface_count == WZP_PCAP_INTERFACES_MAX) {
        return wzp_pcap_reader_problem(r, out,
                                       "too many interfaces in a section: packets are skipped",
                                       wzp_pcap_offset(r) - len, r->interface_count);
    }
    wzp_pcap_interface *face = &r->interfaces[r->interface_count++];
    *face = (wzp_pcap_interface){.link_type = wzp_pcap_u16(r, p + 8),
                                 .snap_len = wzp_pcap_u32(r, p + 12)};
    set_resolution(face, 6);
    options o = {.reader = r, .pos = p + 16, .end = p + len - 4};
    while (next_option(&o)) {
        if (o.code == INTERFACE_NAME) {
            set_name(face, o.value);
        } else if (o.code == INTERFACE_RESOLUTION && o.value.len >= 1) {
            set_resolution(face, o.value.data[0]);
        } else if (o.code == INTERFACE_OFFSET && o.value.len == 8) {
            set_offset(r, face, o.value.data);
        }
    }
    say_bad_options(r, &o);
    return WZP_PCAP_STEP_AGAIN;
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint64_t unscaled_ns(const wzp_pcap_interface *face, uint64_t units) {
    if (units > face->units_max) {
        return UINT64_MAX;
    }
    if (face->divided != 0) {
        return units * face->times / face->divided;
    }
    const unsigned shift = face->shift;
    const uint64_t whole = shift < 64 ? units >> shift : 0;
    const uint64_t part = shift < 64 ? units & ((UINT64_C(1) << shift) - 1) : units;
    if (shift <= 34) {
        return whole * S_NS + (part * S_NS >> shift);
    }
    /* the 34 highest bits of the fraction are more than a nanosecond needs */
    const unsigned drop = shift - 34;
    return whole * S_NS + ((drop < 64 ? part >> drop : 0) * S_NS >> 34);
}

static uint64_t time_of(const wzp_pcap_interface *face, uint32_t high, uint32_t low) {
    const uint64_t ns = unscaled_ns(face, (uint64_t)high << 32 | low);
    if (face->offset_ns >= 0) {
        const uint64_t offset = (uint64_t)face->offset_ns;
        return ns > UINT64_MAX - offset ? UINT64_MAX : ns + offset;
    }
    const uint64_t before = ~(uint64_t)face->offset_ns + 1;
    return ns > before ? ns - before : 0;
}

static wzp_pcap_step bad_packet(wzp_pcap_reader *r, wzp_pcap_item *out, const char *text,
                                uint32_t len, uint64_t got) {
    wzp_pcap_reader_skip(r);
    return wzp_pcap_reader_problem(r, out, text, wzp_pcap_offset(r) - len, got);
}

/* Said once in a section; all are counted. */
static wzp_pcap_step stray_packet(wzp_pcap_reader *r, wzp_pcap_item *out, uint32_t len,
                                  uint32_t interface) {
    if (r->stray_said) {
        wzp_pcap_reader_skip(r);
        return WZP_PCAP_STEP_AGAIN;
    }
    r->stray_said = true;
    return bad_packet(r, out, "a packet of an interface that is not described: skipped, as others",
                      len, interface);
}

/* What was captured at p + `head` and how it is described; the position is behind the block. */
typedef struct captured {
    const uint8_t *block;
    uint32_t block_len, head, interface, len, original_len;
} captured;

static wzp_pcap_packet *give(wzp_pcap_reader *r, wzp_pcap_item *out, const captured *c) {
    const wzp_pcap_interface *face = &r->interfaces[c->interface];
    r->pos -= c->block_len;
    wzp_pcap_packet *packet = wzp_pcap_reader_packet(r, out, c->head);
    r->pos += c->block_len;
    packet->time_ns = 0;
    packet->link_type = face->link_type;
    packet->interface = c->interface;
    packet->interface_name = face->name;
    packet->original_len = c->original_len;
    packet->way = WZP_PCAP_WAY_UNKNOWN;
    packet->data = wzp_bytes_of(c->block + c->head, c->len);
    packet->comment = wzp_bytes_of(NULL, 0);
    return packet;
}

static void packet_options(wzp_pcap_reader *r, wzp_pcap_packet *packet, const captured *c) {
    options o = {.reader = r,
                 .pos = c->block + c->head + padded(c->len),
                 .end = c->block + c->block_len - 4};
    while (next_option(&o)) {
        if (o.code == OPTION_COMMENT && packet->comment.len == 0) {
            packet->comment = o.value;
        } else if (o.code == PACKET_FLAGS && o.value.len == 4) {
            const uint32_t way = wzp_pcap_u32(r, o.value.data) & 3;
            packet->way = way == 1 ? WZP_PCAP_IN : way == 2 ? WZP_PCAP_OUT : WZP_PCAP_WAY_UNKNOWN;
        }
    }
    say_bad_options(r, &o);
}

/* Enhanced packets, and the old ones: interface and drops share what is the interface there. */
static wzp_pcap_step packet(wzp_pcap_reader *r, wzp_pcap_item *out, const uint8_t *p, uint32_t len,
                            bool old) {
    if (len < PACKET_MIN) {
        return bad_packet(r, out, "a packet's block is too short: skipped", len, len);
    }
    const captured c = {.block = p,
                        .block_len = len,
                        .head = 28,
                        .interface = old ? wzp_pcap_u16(r, p + 8) : wzp_pcap_u32(r, p + 8),
                        .len = wzp_pcap_u32(r, p + 20),
                        .original_len = wzp_pcap_u32(r, p + 24)};
    if (c.len > len - PACKET_MIN) {
        return bad_packet(r, out, "a packet is longer than its block: skipped", len, c.len);
    }
    if (c.interface >= r->interface_count) {
        return stray_packet(r, out, len, c.interface);
    }
    wzp_pcap_packet *given = give(r, out, &c);
    given->time_ns =
        time_of(&r->interfaces[c.interface], wzp_pcap_u32(r, p + 12), wzp_pcap_u32(r, p + 16));
    if (PACKET_MIN + padded(c.len) < len) {
        packet_options(r, given, &c);
    }
    return WZP_PCAP_STEP_ITEM;
}

/* Of the first interface, whole unless that cuts them, without a time. */
static wzp_pcap_step simple_packet(wzp_pcap_reader *r, wzp_pcap_item *out, const uint8_t *p,
                                   uint32_t len) {
    if (len < SIMPLE_MIN) {
        return bad_packet(r, out, "a packet's block is too short: skipped", len, len);
    }
    if (r->interface_count == 0) {
        return stray_packet(r, out, len, 0);
    }
    const uint32_t snap_len = r->interfaces[0].snap_len;
    captured c = {.block = p, .block_len = len, .head = 12, .original_len = wzp_pcap_u32(r, p + 8)};
    c.len = snap_len != 0 && c.original_len > snap_len ? snap_len : c.original_len;
    if (c.len > len - SIMPLE_MIN) {
        return bad_packet(r, out, "a packet is longer than its block: skipped", len, c.len);
    }
    (void)give(r, out, &c);
    return WZP_PCAP_STEP_ITEM;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static bool is_read(uint32_t kind) {
    return kind == SECRETS_TLS_KEY_LOG || kind == WZP_PCAPNG_SECRETS_MEDIA;
}

static wzp_pcap_step give_secrets(wzp_pcap_reader *r, wzp_pcap_item *out, uint32_t kind,
                                  wzp_bytes text) {
    r->count.secrets++;
    out->kind = WZP_PCAP_ITEM_SECRETS;
    out->media_keys = kind == WZP_PCAPNG_SECRETS_MEDIA;
    out->text = text;
    return WZP_PCAP_STEP_ITEM;
}

static wzp_pcap_step secrets(wzp_pcap_reader *r, wzp_pcap_item *out, const uint8_t *p,
                             uint32_t len) {
    const uint64_t offset = wzp_pcap_offset(r) - len;
    if (len < SECRETS_MIN || wzp_pcap_u32(r, p + 12) > len - SECRETS_MIN) {
        return wzp_pcap_reader_problem(r, out, "secrets are longer than their block: not used",
                                       offset, len < SECRETS_MIN ? len : wzp_pcap_u32(r, p + 12));
    }
    const uint32_t kind = wzp_pcap_u32(r, p + 8);
    if (!is_read(kind)) {
        return wzp_pcap_reader_problem(r, out, "secrets of an unknown kind: not used", offset,
                                       kind);
    }
    return give_secrets(r, out, kind, wzp_bytes_of(p + SECRETS_HEAD, wzp_pcap_u32(r, p + 12)));
}

/* A block of secrets that is too long for the buffer: its text is given in pieces, so that the
 * key log of a busy relay may be of any size. */
static wzp_pcap_step begin_long_secrets(wzp_pcap_reader *r) {
    if (wzp_pcap_left(r) < SECRETS_HEAD) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    r->secrets_left = wzp_pcap_u32(r, p + 4) - SECRETS_HEAD;
    r->secrets_text = wzp_pcap_u32(r, p + 12);
    r->secrets_kind = wzp_pcap_u32(r, p + 8);
    if (!is_read(r->secrets_kind) || r->secrets_text > r->secrets_left - 4) {
        r->secrets_text = 0;
        wzp_pcap_reader_later(r, "secrets of an unknown kind, or longer than their block: not used",
                              wzp_pcap_offset(r), r->secrets_kind);
    }
    r->pos += SECRETS_HEAD;
    return WZP_PCAP_STEP_AGAIN;
}

/* Length of the whole lines among these bytes; all if there is no end of line. */
static size_t whole_lines(wzp_bytes text) {
    size_t len = text.len;
    while (len > 0 && text.data[len - 1] != '\n') {
        len--;
    }
    return len;
}

static wzp_pcap_step more_long_secrets(wzp_pcap_reader *r, wzp_pcap_item *out) {
    const size_t there = wzp_pcap_left(r);
    if (r->secrets_text == 0) { /* padding and the length behind it */
        const size_t len = there < r->secrets_left ? there : (size_t)r->secrets_left;
        r->pos += len;
        r->secrets_left -= len;
        return len == 0 ? WZP_PCAP_STEP_MORE : WZP_PCAP_STEP_AGAIN;
    }
    size_t len = there < r->secrets_text ? there : (size_t)r->secrets_text;
    if (len < r->secrets_text) {
        len = whole_lines(wzp_bytes_of(wzp_pcap_at(r), len));
        if (len == 0 && there < WZP_PCAP_BLOCK_MAX) {
            return WZP_PCAP_STEP_MORE;
        }
        len = len == 0 ? there : len; /* a line that long is no secret: whoever reads it says so */
    }
    const wzp_bytes text = wzp_bytes_of(wzp_pcap_at(r), len);
    r->pos += len;
    r->secrets_left -= len;
    r->secrets_text -= len;
    return give_secrets(r, out, r->secrets_kind, text);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static wzp_pcap_step foreign_block(wzp_pcap_reader *r, uint32_t type) {
    if (type == BLOCK_PACKET || type == BLOCK_SIMPLE_PACKET || type == BLOCK_OLD_PACKET) {
        wzp_pcap_reader_skip(r);
    } else {
        r->count.ignored++;
    }
    return WZP_PCAP_STEP_AGAIN;
}

/* A whole block at `p`; the position is behind it. */
static wzp_pcap_step block(wzp_pcap_reader *r, wzp_pcap_item *out, const uint8_t *p, uint32_t len) {
    const uint32_t type = wzp_pcap_u32(r, p);
    if (r->foreign) {
        return foreign_block(r, type);
    }
    switch (type) {
    case BLOCK_PACKET:
        return packet(r, out, p, len, false);
    case BLOCK_SIMPLE_PACKET:
        return simple_packet(r, out, p, len);
    case BLOCK_OLD_PACKET:
        return packet(r, out, p, len, true);
    case BLOCK_INTERFACE:
        return interface(r, out, p, len);
    case BLOCK_SECRETS:
        return secrets(r, out, p, len);
    default:
        r->count.ignored++;
        return WZP_PCAP_STEP_AGAIN;
    }
}

static wzp_pcap_step long_block(wzp_pcap_reader *r, wzp_pcap_item *out, uint32_t len) {
    const uint32_t type = wzp_pcap_u32(r, wzp_pcap_at(r));
    if (type == BLOCK_SECRETS && len > WZP_PCAP_BLOCK_MAX && len <= WZP_PCAP_SECRETS_MAX &&
        len % 4 == 0 && !r->foreign) {
        return begin_long_secrets(r);
    }
    return wzp_pcap_reader_lost(r, out,
                                "a block's length cannot be true: looking for the next block", len);
}

static wzp_pcap_step step(wzp_pcap_reader *r, wzp_pcap_item *out) {
    if (r->secrets_left > 0) {
        return more_long_secrets(r, out);
    }
    if (wzp_pcap_left(r) < BLOCK_MIN) {
        return WZP_PCAP_STEP_MORE;
    }
    const uint8_t *p = wzp_pcap_at(r);
    if (memcmp(p, "\n\r\r\n", 4) == 0) {
        return section(r, out);
    }
    const uint32_t len = wzp_pcap_u32(r, p + 4);
    if (len < BLOCK_MIN || len % 4 != 0 || len > WZP_PCAP_BLOCK_MAX) {
        return long_block(r, out, len);
    }
    if (wzp_pcap_left(r) < len) {
        return WZP_PCAP_STEP_MORE;
    }
    if (wzp_pcap_u32(r, p + len - 4) != len) {
        return wzp_pcap_reader_lost(r, out,
                                    "a block's two lengths differ: looking for the next block",
                                    wzp_pcap_u32(r, p + len - 4));
    }
    r->pos += len;
    return block(r, out, p, len);
}

static bool is_known(uint32_t type) {
    return (type >= BLOCK_INTERFACE && type <= BLOCK_PACKET) || type == BLOCK_SECRETS;
}

/* A known block with the same length at both ends. */
static wzp_pcap_guess guess(const wzp_pcap_reader *r, size_t at) {
    const size_t left = r->end - at;
    if (left < BLOCK_MIN) {
        return WZP_PCAP_PERHAPS;
    }
    const uint8_t *p = r->buf + at;
    const bool is_section = memcmp(p, "\n\r\r\n", 4) == 0;
    const bool little = is_section ? p[8] == 0x4d : r->little;
    const uint32_t len = wzp_pcap_read_u32(little, p + 4);
    if ((!is_section && !is_known(wzp_pcap_read_u32(little, p))) || len < BLOCK_MIN ||
        len % 4 != 0 || len > WZP_PCAP_BLOCK_MAX || (is_section && len < SECTION_MIN)) {
        return WZP_PCAP_NO;
    }
    if (left < len) {
        return WZP_PCAP_PERHAPS;
    }
    return wzp_pcap_read_u32(little, p + len - 4) == len ? WZP_PCAP_YES : WZP_PCAP_NO;
}

const wzp_pcap_format wzp_pcap_format_pcapng = {step, guess, "the file ends inside a block"};
