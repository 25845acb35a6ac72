/* Captures byte by byte, for tests: integers in the order that the file says. */
#ifndef WZP_PCAP_FILE_TESTING_BUILD_H
#define WZP_PCAP_FILE_TESTING_BUILD_H

#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"

typedef struct build {
    bool little;
    size_t len;
    uint8_t data[65536];
} build;

static inline void put(build *b, wzp_bytes bytes) {
    assert(bytes.len <= sizeof b->data - b->len);
    if (bytes.len > 0) {
        memcpy(b->data + b->len, bytes.data, bytes.len);
    }
    b->len += bytes.len;
}

static inline void put_int(build *b, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        const unsigned shift = 8 * (b->little ? i : size - 1 - i);
        const uint8_t byte = (uint8_t)(value >> shift);
        put(b, wzp_bytes_of(&byte, 1));
    }
}

static inline void put_u16(build *b, uint64_t value) {
    put_int(b, value, 2);
}

static inline void put_u32(build *b, uint64_t value) {
    put_int(b, value, 4);
}

static inline void put_u64(build *b, uint64_t value) {
    put_int(b, value, 8);
}

static inline void put_str(build *b, const char *text) {
    put(b, wzp_bytes_str(text));
}

/* "02 00 0a", white space anywhere. */
static inline void put_hex(build *b, const char *text) {
    unsigned value = 1;
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            const char digit[2] = {*text, '\0'};
            value = value << 4 | (unsigned)strtoul(digit, NULL, 16);
        }
        if (value >= 256) {
            const uint8_t byte = (uint8_t)value;
            put(b, wzp_bytes_of(&byte, 1));
            value = 1;
        }
    }
    assert(value == 1);
}

static inline void put_zeros(build *b, size_t len) {
    static const uint8_t zeros[4096];
    put(b, wzp_bytes_of(zeros, len));
}

static inline wzp_bytes built(const build *b) {
    return wzp_bytes_of(b->data, b->len);
}

/* --- pcap ------------------------------------------------------------------------------------- */

static inline void put_pcap_head(build *b, uint32_t magic, uint32_t link_type) {
    put_u32(b, magic);
    put_u16(b, 2);
    put_u16(b, 4);
    put_u64(b, 0);
    put_u32(b, 65535);
    put_u32(b, link_type);
}

static inline void put_pcap_packet(build *b, uint32_t seconds, uint32_t fraction, uint32_t original,
                                   wzp_bytes data) {
    put_u32(b, seconds);
    put_u32(b, fraction);
    put_u32(b, data.len);
    put_u32(b, original);
    put(b, data);
}

/* --- pcapng ----------------------------------------------------------------------------------- */

static inline size_t begin_block(build *b, uint32_t type) {
    const size_t begin = b->len;
    put_u32(b, type);
    put_u32(b, 0);
    return begin;
}

static inline void pad(build *b, size_t begin) {
    put_zeros(b, (4 - (b->len - begin) % 4) % 4);
}

static inline void end_block(build *b, size_t begin) {
    pad(b, begin);
    const size_t len = b->len - begin + 4;
    put_u32(b, len);
    const size_t end = b->len;
    b->len = begin + 4;
    put_u32(b, len);
    b->len = end;
}

static inline void put_option(build *b, size_t begin, uint32_t code, wzp_bytes value) {
    put_u16(b, code);
    put_u16(b, value.len);
    put(b, value);
    pad(b, begin);
}

static inline void put_section(build *b) {
    const size_t begin = begin_block(b, 0x0a0d0d0a);
    put_u32(b, 0x1a2b3c4d);
    put_u16(b, 1);
    put_u16(b, 0);
    put_u64(b, UINT64_MAX);
    end_block(b, begin);
}

/* `resolution` 0: not said; `name` NULL: none. */
static inline void put_interface(build *b, uint32_t link_type, uint8_t resolution,
                                 const char *name) {
    const size_t begin = begin_block(b, 1);
    put_u16(b, link_type);
    put_u16(b, 0);
    put_u32(b, 0);
    if (name != NULL) {
        put_option(b, begin, 2, wzp_bytes_str(name));
    }
    if (resolution != 0) {
        put_option(b, begin, 9, wzp_bytes_of(&resolution, 1));
    }
    if (name != NULL || resolution != 0) {
        put_u32(b, 0);
    }
    end_block(b, begin);
}

static inline void put_packet(build *b, uint32_t interface, uint64_t time, wzp_bytes data) {
    const size_t begin = begin_block(b, 6);
    put_u32(b, interface);
    put_u32(b, time >> 32);
    put_u32(b, time & 0xffffffff);
    put_u32(b, data.len);
    put_u32(b, data.len);
    put(b, data);
    end_block(b, begin);
}

static inline void put_secrets(build *b, uint32_t kind, const char *text) {
    const size_t begin = begin_block(b, 10);
    put_u32(b, kind);
    put_u32(b, strlen(text));
    put_str(b, text);
    end_block(b, begin);
}

#endif
