#include "base/text.h"

/* How many bytes follow a first byte, -1: it is none. */
static int followers(uint8_t first) {
    return first < 0x80   ? 0
           : first < 0xc2 ? -1
           : first < 0xe0 ? 1
           : first < 0xf0 ? 2
           : first < 0xf5 ? 3
                          : -1;
}

static bool is_character(uint32_t c, size_t count) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const bool surrogate = c >= 0xd800 && c < 0xe000;
    const bool noncharacter = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0);
    return c >= least[count] && c <= 0x10ffff && !surrogate && !noncharacter;
}

static uint32_t give(wzp_bytes *rest, size_t len, uint32_t c) {
    rest->data += len;
    rest->len -= len;
    return c;
}

uint32_t wzp_text_next(wzp_bytes *rest) {
    const uint8_t *p = rest->data;
    const int more = followers(*p);
    if (more < 0 || (size_t)more >= rest->len) {
        return give(rest, 1, WZP_TEXT_REPLACEMENT);
    }
    const size_t count = (size_t)more;
    uint32_t c = *p & (0xffU >> (count == 0 ? 0 : count + 2));
    for (size_t i = 1; i <= count; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return give(rest, 1, WZP_TEXT_REPLACEMENT);
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    return is_character(c, count) ? give(rest, count + 1, c) : give(rest, 1, WZP_TEXT_REPLACEMENT);
}

size_t wzp_text_encode(char out[4], uint32_t c) {
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3f));
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

bool wzp_text_is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

const char *wzp_text_entity(uint32_t c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}
