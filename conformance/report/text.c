#include "conformance/report/text.h"
#include <string.h>

#include "base/text.h"
#include "conformance/report/out.h"

/* --- UTF-8 ------------------------------------------------------------------------------------ */

uint32_t wzp_ct_text_next(const char **text) {
    enum { LONGEST = 4 };
    wzp_bytes rest = wzp_bytes_of(*text, strnlen(*text, LONGEST));
    if (rest.len == 0) {
        return 0;
    }
    const uint32_t c = wzp_text_next(&rest);
    *text = (const char *)rest.data;
    return c;
}

static void put(FILE *out, uint32_t c) {
    char bytes[4];
    (void)fwrite(bytes, 1, wzp_text_encode(bytes, c), out);
}

void wzp_ct_text_clean(char *out, size_t cap, const char *text) {
    size_t len = 0;
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        char bytes[4];
        const size_t n = wzp_text_encode(bytes, c);
        if (len + n >= cap) {
            break;
        }
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
}

/* --- escapes ---------------------------------------------------------------------------------- */

static void put_code(FILE *out, uint32_t c) {
    put_format(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
}

void wzp_ct_put_plain(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        if (c == '\n' || c == '\t') {
            put(out, ' ');
        } else if (wzp_text_is_control(c)) {
            put_code(out, c);
        } else {
            put(out, c);
        }
    }
}

void wzp_ct_put_xml(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        const char *entity = wzp_text_entity(c);
        if (entity != NULL) {
            put_text(out, entity);
        } else if (c == '\n' || c == '\t') {
            put(out, ' ');
        } else {
            put(out, wzp_text_is_control(c) ? WZP_TEXT_REPLACEMENT : c);
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
            put(out, c == '\n' || c == '\t'   ? ' '
                     : wzp_text_is_control(c) ? WZP_TEXT_REPLACEMENT
                                              : c);
        }
    }
}

void wzp_ct_put_yaml(FILE *out, const char *text) {
    for (uint32_t c; (c = wzp_ct_text_next(&text)) != 0;) {
        if (c == '"' || c == '\\') {
            put(out, '\\');
            put(out, c);
        } else if (wzp_text_is_control(c)) {
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
