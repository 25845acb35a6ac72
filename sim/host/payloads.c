#include "sim/host/payloads.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "media/opus.h"

enum {
    PADDED = 0x40,        /* flag of a code 3 packet's second byte */
    EXTENSION = 120,      /* first of the ids for experiments */
    EXTENSION_HEADER = 2, /* id with "a length follows", length */
    SPACE = EXTENSION_HEADER + WZP_SIM_TAG_LEN
};

typedef struct entry {
    size_t at;
    uint16_t len, tag_at;
} entry;

struct wzp_sim_payloads {
    uint8_t *bytes;
    entry *entries;
    size_t count;
    uint32_t frame_ms;
};

/* --- Opus packets, RFC 6716, 3.1 and 3.2 ------------------------------------------------------ */

/* Of one frame, in units of 2.5 ms. */
static unsigned frame_length(uint8_t toc) {
    static const uint8_t silk[] = {4, 8, 16, 24};
    const unsigned config = toc >> 3;
    if (config < 12) {
        return silk[config & 3];
    }
    return config < 16 ? 4U << (config & 1) : 1U << (config & 3);
}

static unsigned frame_count(wzp_bytes packet) {
    switch (packet.data[0] & 3) {
    case 0:
        return 1;
    case 3:
        return packet.len > 1 ? packet.data[1] & 0x3f : 0;
    default:
        return 2;
    }
}

/* Of a code 3 packet: bytes of padding, and in *at where the frames begin; false: not padded, or
 * the packet is shorter than it claims. */
static bool read_padding(wzp_bytes packet, size_t *at, size_t *padding) {
    size_t pos = 2;
    size_t total = 0;
    uint8_t b = UINT8_MAX;
    if (packet.len < 3 || (packet.data[0] & 3) != 3 || (packet.data[1] & PADDED) == 0) {
        return false;
    }
    while (b == UINT8_MAX && pos < packet.len) {
        b = packet.data[pos++];
        total += b == UINT8_MAX ? UINT8_MAX - 1 : b;
    }
    *at = pos;
    *padding = total;
    return b != UINT8_MAX && total <= packet.len - pos;
}

size_t wzp_sim_payload_tag_at(wzp_bytes packet) {
    size_t frames_at = 0;
    size_t padding = 0;
    if (!read_padding(packet, &frames_at, &padding) || padding < SPACE) {
        return 0;
    }
    const size_t at = packet.len - padding;
    const bool ours =
        packet.data[at] == (EXTENSION << 1 | 1) && packet.data[at + 1] == WZP_SIM_TAG_LEN;
    return ours ? at + EXTENSION_HEADER : 0;
}

static size_t put(uint8_t *out, size_t at, const uint8_t *bytes, size_t len) {
    if (len > 0) {
        memcpy(out + at, bytes, len);
    }
    return at + len;
}

/* Writes `packet` as code 3 with a tag in front of what its padding had; out[packet.len +
 * WZP_SIM_TAG_COST].  0: the packet is not whole. */
static size_t add_tag(uint8_t *out, wzp_bytes packet, size_t *tag_at) {
    static const uint8_t counts[] = {1, 2, 0x80 | 2}; /* 0x80: frames differ in length */
    const uint8_t code = packet.data[0] & 3;
    size_t frames_at = code == 3 ? 2 : 1;
    size_t padding = 0;
    if (code == 3 && !read_padding(packet, &frames_at, &padding)) {
        if (packet.len < 2 || (packet.data[1] & PADDED) != 0) {
            return 0;
        }
        frames_at = 2;
        padding = 0;
    }
    const uint8_t count = code == 3 ? packet.data[1] : counts[code];
    size_t n = 0;
    out[n++] = packet.data[0] | 3;
    out[n++] = count | PADDED;
    size_t left = padding + SPACE;
    for (; left >= UINT8_MAX; left -= UINT8_MAX - 1) {
        out[n++] = UINT8_MAX;
    }
    out[n++] = (uint8_t)left;
    const size_t frames = packet.len - padding - frames_at;
    n = put(out, n, packet.data + frames_at, frames);
    out[n++] = EXTENSION << 1 | 1;
    out[n++] = WZP_SIM_TAG_LEN;
    *tag_at = n;
    memset(out + n, 0, WZP_SIM_TAG_LEN);
    return put(out, n + WZP_SIM_TAG_LEN, packet.data + packet.len - padding, padding);
}

/* --- the text --------------------------------------------------------------------------------- */

static wzp_err refuse(wzp_fail *fail, wzp_err code, const char *what, size_t line) {
    *fail = (wzp_fail){.code = code, .field = what, .got = line};
    return code;
}

static wzp_err take_packet(wzp_sim_payloads *p, size_t *used, wzp_bytes packet, size_t line,
                           wzp_fail *fail) {
    const unsigned quarters =
        packet.len > 0 ? frame_length(packet.data[0]) * frame_count(packet) : 0;
    const uint32_t ms = quarters * 5 / 2;
    size_t tag_at = 0;
    if (ms == 0 || ms > 120) {
        return refuse(fail, WZP_ERR_PARSE, "not an Opus packet", line);
    }
    if (p->count > 0 && ms != p->frame_ms) {
        return refuse(fail, WZP_ERR_PARSE, "another duration than the first packet", line);
    }
    const size_t len = add_tag(p->bytes + *used, packet, &tag_at);
    if (len == 0) {
        return refuse(fail, WZP_ERR_PARSE, "not an Opus packet", line);
    }
    if (len > WZP_OPUS_PACKET_MAX) {
        return refuse(fail, WZP_ERR_OVERFLOW, "too long", line);
    }
    p->frame_ms = ms;
    p->entries[p->count++] = (entry){*used, (uint16_t)len, (uint16_t)tag_at};
    *used += len;
    return WZP_OK;
}

/* `line` without its comment and the white space around it. */
static wzp_bytes trim(const uint8_t *line, size_t len) {
    const uint8_t *hash = len > 0 ? memchr(line, '#', len) : NULL;
    len = hash != NULL ? (size_t)(hash - line) : len;
    while (len > 0 && line[len - 1] <= ' ') {
        len--;
    }
    while (len > 0 && *line <= ' ') {
        line++;
        len--;
    }
    return wzp_bytes_of(line, len);
}

static bool is_hex(uint8_t *out, wzp_bytes hex) {
    return wzp_hex_parse(out, hex.len / 2, (const char *)hex.data, hex.len, NULL) == WZP_OK;
}

static wzp_err take_lines(wzp_sim_payloads *p, wzp_bytes text, wzp_fail *fail) {
    uint8_t packet[WZP_OPUS_PACKET_MAX];
    size_t used = 0;
    size_t number = 0;
    for (size_t at = 0; at < text.len;) {
        const uint8_t *line = text.data + at;
        const uint8_t *end = memchr(line, '\n', text.len - at);
        const size_t len = end != NULL ? (size_t)(end - line) : text.len - at;
        const wzp_bytes hex = trim(line, len);
        at += len + 1;
        number++;
        if (hex.len == 0) {
            continue;
        }
        if (hex.len > 2 * sizeof packet) {
            return refuse(fail, WZP_ERR_OVERFLOW, "too long", number);
        }
        if (!is_hex(packet, hex)) {
            return refuse(fail, WZP_ERR_PARSE, "not hexadecimal", number);
        }
        const wzp_err err = take_packet(p, &used, wzp_bytes_of(packet, hex.len / 2), number, fail);
        if (err != WZP_OK) {
            return err;
        }
    }
    return p->count > 0 ? WZP_OK : refuse(fail, WZP_ERR_PARSE, "no packet", number);
}

/* A line of n digits is n / 2 bytes at most and grows by a tag. */
static bool make_room(wzp_sim_payloads *p, wzp_bytes text) {
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n' ? 1 : 0;
    }
    p->bytes = malloc(text.len / 2 + lines * WZP_SIM_TAG_COST);
    p->entries = malloc(lines * sizeof *p->entries);
    return p->bytes != NULL && p->entries != NULL;
}

wzp_err wzp_sim_payloads_parse(wzp_sim_payloads **out, wzp_bytes text, wzp_fail *fail) {
    wzp_sim_payloads *p = calloc(1, sizeof *p);
    wzp_err err = WZP_ERR_NOMEM;
    *fail = (wzp_fail){.code = err, .field = "memory"};
    if (p != NULL && make_room(p, text)) {
        err = take_lines(p, text, fail);
    }
    if (err != WZP_OK) {
        wzp_sim_payloads_free(&p);
        return err;
    }
    *fail = (wzp_fail){0};
    *out = p;
    return WZP_OK;
}

void wzp_sim_payloads_free(wzp_sim_payloads **payloads) {
    if (*payloads != NULL) {
        free((*payloads)->bytes);
        free((*payloads)->entries);
        free(*payloads);
        *payloads = NULL;
    }
}

size_t wzp_sim_payloads_count(const wzp_sim_payloads *payloads) {
    return payloads->count;
}

uint32_t wzp_sim_payloads_frame_ms(const wzp_sim_payloads *payloads) {
    return payloads->frame_ms;
}

wzp_sim_payload wzp_sim_payloads_at(const wzp_sim_payloads *payloads, uint64_t number) {
    const entry *e = &payloads->entries[number % payloads->count];
    return (wzp_sim_payload){wzp_bytes_of(payloads->bytes + e->at, e->len), e->tag_at};
}
