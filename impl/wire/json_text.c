/* Strings: escapes, surrogates and UTF-8. */
#include "wire/json.h"

static int hex4(const uint8_t *p) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const int c = p[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

static size_t put_utf8(uint8_t *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    const size_t tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(lead[tail] | c >> (6 * tail));
    for (size_t i = 1; i <= tail; i++) {
        out[i] = (uint8_t)(0x80 | ((c >> (6 * (tail - i))) & 0x3f));
    }
    return tail + 1;
}

/* \uXXXX at p (after the backslash), a surrogate pair included.  Bytes consumed, 0: not valid. */
static size_t unicode_escape(const uint8_t *p, size_t left, uint32_t *c) {
    const int high = left >= 5 ? hex4(p + 1) : -1;
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) {
        return 0;
    }
    *c = (uint32_t)high;
    if (high < 0xd800 || high >= 0xe000) {
        return 5;
    }
    const int low = left >= 11 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
    if (low < 0xdc00 || low >= 0xe000) {
        return 0;
    }
    *c = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    return 11;
}

/* Length of the valid UTF-8 sequence at p, 0 if there is none (RFC 3629: no overlong forms, no
 * surrogates, nothing past U+10FFFF). */
static size_t utf8_len(const uint8_t *p, size_t left) {
    if (p[0] < 0x80) {
        return 1;
    }
    const size_t len = p[0] >= 0xc2 && p[0] < 0xe0   ? 2
                       : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                       : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                     : 0;
    if (len == 0 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    const bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
    const bool too_high = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : len;
}

static int simple_escape(uint8_t c) {
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c == '"' || c == '\\' || c == '/' ? c : -1;
    }
}

/* Resolves one character or escape into at most four bytes.  Bytes taken, 0: not valid. */
static size_t resolve(uint8_t out[4], size_t *len, const uint8_t *p, size_t left) {
    if (p[0] != '\\') {
        *len = utf8_len(p, left);
        memcpy(out, p, *len);
        return *len;
    }
    if (left >= 2 && p[1] == 'u') {
        uint32_t c = 0;
        const size_t taken = unicode_escape(p + 1, left - 1, &c);
        *len = taken != 0 ? put_utf8(out, c) : 0;
        return taken != 0 ? taken + 1 : 0;
    }
    const int c = left >= 2 ? simple_escape(p[1]) : -1;
    out[0] = (uint8_t)c;
    *len = 1;
    return c >= 0 ? 2 : 0;
}

size_t wzp_json_unescape(uint8_t *out, wzp_bytes raw) {
    size_t used = 0;
    for (size_t i = 0; i < raw.len;) {
        uint8_t text[4];
        size_t len = 0;
        const size_t taken = resolve(text, &len, raw.data + i, raw.len - i);
        if (taken == 0) {
            return SIZE_MAX;
        }
        if (out != NULL) {
            memcpy(out + used, text, len);
        }
        used += len;
        i += taken;
    }
    return used;
}
