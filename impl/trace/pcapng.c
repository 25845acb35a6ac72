#include "trace/pcapng.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, BLOCK_SECRETS = 10 };
enum { OPTION_END = 0, OPTION_COMMENT = 1 };
enum { SECTION_PROGRAM = 4 };
enum { INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14 };
enum { PACKET_FLAGS = 2, PACKET_ID = 5 };

#define SECRETS_TLS_KEY_LOG 0x544c534b

/* One block that is being written. */
typedef struct block {
    wzp_wr *wr;
    wzp_pcapng_order order;
    size_t begin;
    bool options; /* at least one was written: their end must be, too */
} block;

static void put_u16(block *b, uint16_t value) {
    wzp_wr_u16(b->wr, b->order == WZP_PCAPNG_LITTLE ? __builtin_bswap16(value) : value);
}

static void put_u32(block *b, uint32_t value) {
    wzp_wr_u32(b->wr, b->order == WZP_PCAPNG_LITTLE ? __builtin_bswap32(value) : value);
}

static void put_u64(block *b, uint64_t value) {
    wzp_wr_u64(b->wr, b->order == WZP_PCAPNG_LITTLE ? __builtin_bswap64(value) : value);
}

static void pad(block *b) {
    static const uint8_t zeros[4] = {0};
    const size_t odd = (wzp_wr_len(b->wr) - b->begin) % 4;
    wzp_wr_bytes(b->wr, wzp_bytes_of(zeros, (4 - odd) % 4));
}

/* Its length follows its type and is filled in at its end. */
static block begin_block(wzp_wr *wr, wzp_pcapng_order order, uint32_t type) {
    block b = {wr, order, wzp_wr_len(wr), false};
    put_u32(&b, type);
    put_u32(&b, 0);
    return b;
}

static void option(block *b, uint16_t code, wzp_bytes value) {
    put_u16(b, code);
    put_u16(b, (uint16_t)value.len);
    wzp_wr_bytes(b->wr, value);
    pad(b);
    b->options = true;
}

static void option_text(block *b, uint16_t code, wzp_bytes text) {
    option(b, code, wzp_pcapng_cut(text, WZP_PCAPNG_TEXT_MAX));
}

static void option_str(block *b, uint16_t code, const char *text) {
    if (text != NULL) {
        option_text(b, code, wzp_bytes_str(text));
    }
}

static void end_block(block *b) {
    if (b->options) {
        put_u32(b, OPTION_END);
    }
    const uint32_t len = (uint32_t)(wzp_wr_len(b->wr) - b->begin) + 4;
    put_u32(b, len);
    if (wzp_wr_end(b->wr) == WZP_OK) {
        wzp_wr at;
        wzp_wr_init(&at, b->wr->base + b->begin + 4, 4);
        put_u32(&(block){.wr = &at, .order = b->order}, len);
    }
}

wzp_bytes wzp_pcapng_cut(wzp_bytes text, size_t max) {
    if (text.len > max) {
        text.len = max;
        while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    return text;
}

void wzp_pcapng_put_section(wzp_wr *wr, wzp_pcapng_order order, const wzp_pcapng_section *section) {
    block b = begin_block(wr, order, BLOCK_SECTION);
    put_u32(&b, 0x1a2b3c4d);
    put_u16(&b, 1);
    put_u16(&b, 0);
    put_u64(&b, UINT64_MAX); /* length of the section: not known */
    option_str(&b, SECTION_PROGRAM, section->program);
    option_str(&b, OPTION_COMMENT, section->comment);
    end_block(&b);
}

void wzp_pcapng_put_interface(wzp_wr *wr, wzp_pcapng_order order,
                              const wzp_pcapng_interface *interface) {
    block b = begin_block(wr, order, BLOCK_INTERFACE);
    put_u16(&b, interface->link_type);
    put_u16(&b, 0);
    put_u32(&b, interface->snap_len);
    option_str(&b, INTERFACE_NAME, interface->name);
    if (interface->digits != 0) {
        option(&b, INTERFACE_RESOLUTION, wzp_bytes_of(&interface->digits, 1));
    }
    if (interface->offset_s != NULL) {
        put_u16(&b, INTERFACE_OFFSET);
        put_u16(&b, 8);
        put_u64(&b, *interface->offset_s);
        b.options = true;
    }
    end_block(&b);
}

static void put_lines(wzp_wr *wr, wzp_pcapng_order order, uint32_t type, wzp_bytes lines) {
    block b = begin_block(wr, order, BLOCK_SECRETS);
    put_u32(&b, type);
    put_u32(&b, (uint32_t)lines.len);
    wzp_wr_bytes(wr, lines);
    pad(&b);
    end_block(&b);
}

void wzp_pcapng_put_secrets(wzp_wr *wr, wzp_pcapng_order order, wzp_bytes keylog) {
    put_lines(wr, order, SECRETS_TLS_KEY_LOG, keylog);
}

void wzp_pcapng_put_media_keys(wzp_wr *wr, wzp_pcapng_order order, wzp_bytes lines) {
    put_lines(wr, order, WZP_PCAPNG_SECRETS_MEDIA, lines);
}

static void packet_options(block *b, const wzp_pcapng_packet *packet) {
    if (packet->flags != 0) {
        put_u16(b, PACKET_FLAGS);
        put_u16(b, 4);
        put_u32(b, packet->flags);
        b->options = true;
    }
    if (packet->id != 0) {
        put_u16(b, PACKET_ID);
        put_u16(b, 8);
        put_u64(b, packet->id);
        b->options = true;
    }
    if (packet->comment.len != 0) {
        option_text(b, OPTION_COMMENT, packet->comment);
    }
}

void wzp_pcapng_put_packet(wzp_wr *wr, wzp_pcapng_order order, const wzp_pcapng_packet *packet) {
    block b = begin_block(wr, order, BLOCK_PACKET);
    const uint32_t len = (uint32_t)(packet->head.len + packet->data.len);
    put_u32(&b, packet->interface);
    put_u32(&b, (uint32_t)(packet->time >> 32));
    put_u32(&b, (uint32_t)packet->time);
    put_u32(&b, len);
    put_u32(&b, packet->original_len != 0 ? packet->original_len : len);
    wzp_wr_bytes(wr, packet->head);
    wzp_wr_bytes(wr, packet->data);
    pad(&b);
    packet_options(&b, packet);
    end_block(&b);
}
