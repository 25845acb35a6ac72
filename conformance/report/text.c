#include "conformance/report/text.h"
#include "conformance/report/out.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT UINT32_C(0xfffd)

/* --- UTF-8 ------------------------------------------------------------------------------------ */

/* How many bytes follow a first byte, -1: it is none. */
static int followers(uint8_t first) {
    return first < 0x80   ? 0
           : first < 0xc2 ? -1
           : first < 0xe0 ? 1
           : first < 0xf0 ? 2
           : first < 0xf5 ? 3
                          : -1;
}

static bool is_character(uint32_t c, int count) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const bool surrogate = c >= 0xd800 && c < 0xe000;
    const bool noncharacter = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0);
    return c >= least[count] && c <= 0x10ffff && !surrogate && !noncharacter;
}

uint32_t wzp_ct_text_next(const char **text) {
    const uint8_t *p = (const uint8_t *)*text;
    const int count = followers(*p);
    if (*p == 0) {
        return 0;
    }
    uint32_t c = count < 0 ? 0 : *p & (0xffU >> (count == 0 ? 0 : count + 2));
    for (int i = 1; i <= count; i++) {
        if ((p[i] & 0xc0) != 0x80) { /* also stops at the end */
            *text += 1;
            return REPLACEMENT;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    if (count < 0 || !is_character(c, count)) {
        *text += 1;
        return REPLACEMENT;
    }
    *text += count + 1;
    return c;
}

static size_t encode(char out[4], uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3f));
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

static void put(FILE *out, uint32_t c) {
    char bytes[4];
    (void)fwrite(bytes, 1, encode(bytes, c), out);
}

void wzp_ct_text_clean(char *out, size_t cap, const char *text) {
    size_t len = 0;
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        char bytes[4];
        const size_t n = encode(bytes, c);
        if (len + n >= cap) {
            break;
        }
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
}

/* --- escapes ---------------------------------------------------------------------------------- */

/* Controls, and marks that change the direction of what follows: text must not look like other
 * text. */
static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void put_code(FILE *out, uint32_t c) {
    put_format(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
}

void wzp_ct_put_plain(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        if (c == '\n' || c == '\t') {
            put(out, ' ');
        } else if (is_control(c)) {
            put_code(out, c);
        } else {
            put(out, c);
        }
    }
}

void wzp_ct_put_xml(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        switch (c) {
        case '&':
            put_text(out, "&amp;");
            break;
        case '<':
            put_text(out, "&lt;");
            break;
        case '>':
            put_text(out, "&gt;");
            break;
        case '"':
            put_text(out, "&quot;");
            break;
        case '\'':
            put_text(out, "&#39;");
            break;
        case '\n':
        case '\t':
            put(out, ' ');
            break;
        default:
            put(out, is_control(c) ? REPLACEMENT : c);
            break;
        }
    }
}

void wzp_ct_put_markdown(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        if (c < 0x80 && strchr("\\`*_{}[]<>|~#!&$", (int)c) != NULL) {
            put(out, '\\');
            put(out, c);
        } else if (c == '@') {
            put_text(out, "&#64;"); /* nobody is to be notified */
        } else {
            put(out, c == '\n' || c == '\t' ? ' ' : is_control(c) ? REPLACEMENT : c);
        }
    }
}

void wzp_ct_put_yaml(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        if (c == '"' || c == '\\') {
            put(out, '\\');
            put(out, c);
        } else if (is_control(c)) {
            put_code(out, c);
        } else {
            put(out, c);
        }
    }
}

void wzp_ct_put_path(FILE *out, const char *path) {
    const char *plain = "-._~";
    while (*path == '/') {
        path++;
    }
    for (; *path != '\0'; path++) {
        const uint8_t b = (uint8_t)*path;
        const bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
        const bool digit = b >= '0' && b <= '9';
        if (letter || digit || b == '/' || strchr(plain, b) != NULL) {
            put_char(out, (char)b);
        } else {
            put_format(out, "%%%02X", b);
        }
    }
}
