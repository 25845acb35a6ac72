#include "tools/pcap/tree/text.h"

#include "base/text.h"

#define NUMBER_MAX 20 /* digits of 2^64 - 1 */

static const char digits16[] = "0123456789abcdef";

void wzp_pcap_text_flush(wzp_pcap_text *text) {
    if (text->len > 0) {
        text->sink(text->ctx, wzp_bytes_of(text->buf, text->len));
        text->len = 0;
    }
}

/* Room for `len` characters, at most WZP_PCAP_TEXT_CAP. */
static char *reserve(wzp_pcap_text *text, size_t len) {
    if (WZP_PCAP_TEXT_CAP - text->len < len) {
        wzp_pcap_text_flush(text);
    }
    return text->buf + text->len;
}

void wzp_pcap_text_char(wzp_pcap_text *text, char c) {
    *reserve(text, 1) = c;
    text->len++;
}

void wzp_pcap_text_bytes(wzp_pcap_text *text, wzp_bytes bytes) {
    while (bytes.len > 0) {
        const size_t piece = bytes.len < WZP_PCAP_TEXT_CAP ? bytes.len : WZP_PCAP_TEXT_CAP;
        memcpy(reserve(text, piece), bytes.data, piece);
        text->len += piece;
        bytes = wzp_bytes_of(bytes.data + piece, bytes.len - piece);
    }
}

void wzp_pcap_text_str(wzp_pcap_text *text, const char *str) {
    wzp_pcap_text_bytes(text, wzp_bytes_str(str));
}

/* Digits at the end of `out`; returns the first. */
static char *to_digits(char out[NUMBER_MAX], uint64_t value) {
    char *at = out + NUMBER_MAX;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return at;
}

static void padded(wzp_pcap_text *text, uint64_t value, unsigned width, char with) {
    char digits[NUMBER_MAX];
    const char *first = to_digits(digits, value);
    const size_t len = (size_t)(digits + NUMBER_MAX - first);
    const size_t blanks = width > len ? width - len : 0;
    char *out = reserve(text, blanks + len);
    memset(out, with, blanks);
    memcpy(out + blanks, first, len);
    text->len += blanks + len;
}

void wzp_pcap_text_uint(wzp_pcap_text *text, uint64_t value) {
    padded(text, value, 0, ' ');
}

void wzp_pcap_text_uint_wide(wzp_pcap_text *text, uint64_t value, unsigned width) {
    padded(text, value, width, ' ');
}

void wzp_pcap_text_zeros(wzp_pcap_text *text, uint64_t value, unsigned width) {
    padded(text, value, width, '0');
}

void wzp_pcap_text_hex(wzp_pcap_text *text, wzp_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        char *out = reserve(text, 2);
        out[0] = digits16[bytes.data[i] >> 4];
        out[1] = digits16[bytes.data[i] & 15];
        text->len += 2;
    }
}

void wzp_pcap_text_hex_uint(wzp_pcap_text *text, uint64_t value) {
    unsigned shift = 60;
    wzp_pcap_text_str(text, "0x");
    while (shift > 0 && value >> shift == 0) {
        shift -= 4;
    }
    for (unsigned at = shift + 4; at > 0; at -= 4) {
        wzp_pcap_text_char(text, digits16[(value >> (at - 4)) & 15]);
    }
}

void wzp_pcap_text_seconds(wzp_pcap_text *text, uint64_t ns, unsigned digits) {
    uint64_t part = ns % 1000000000;
    for (unsigned i = digits; i < 9; i++) {
        part /= 10;
    }
    wzp_pcap_text_uint(text, ns / 1000000000);
    wzp_pcap_text_char(text, '.');
    wzp_pcap_text_zeros(text, part, digits);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void v4(wzp_pcap_text *text, const uint8_t ip[4]) {
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            wzp_pcap_text_char(text, '.');
        }
        wzp_pcap_text_uint(text, ip[i]);
    }
}

/* RFC 5952 through wzp_addr_text: rare enough. */
static void v6(wzp_pcap_text *text, const wzp_addr *addr) {
    char buf[WZP_ADDR_TEXT_MAX];
    const char *begin = wzp_addr_text(addr, buf);
    const char *end = strchr(begin, ']');
    if (*begin == '[' && end != NULL) {
        wzp_pcap_text_bytes(text, wzp_bytes_of(begin + 1, (size_t)(end - begin - 1)));
        return;
    }
    end = strchr(begin, ':'); /* a v4-mapped one */
    wzp_pcap_text_str(text, "::ffff:");
    wzp_pcap_text_bytes(text,
                        wzp_bytes_of(begin, end != NULL ? (size_t)(end - begin) : strlen(begin)));
}

void wzp_pcap_text_ip(wzp_pcap_text *text, const wzp_addr *addr) {
    if (addr->family == WZP_ADDR_V4) {
        v4(text, addr->ip);
    } else if (addr->family == WZP_ADDR_V6) {
        v6(text, addr);
    } else {
        wzp_pcap_text_char(text, '-');
    }
}

void wzp_pcap_text_addr(wzp_pcap_text *text, const wzp_addr *addr) {
    const bool is_v6 = addr->family == WZP_ADDR_V6;
    if (is_v6) {
        wzp_pcap_text_char(text, '[');
    }
    wzp_pcap_text_ip(text, addr);
    if (is_v6) {
        wzp_pcap_text_char(text, ']');
    }
    wzp_pcap_text_char(text, ':');
    wzp_pcap_text_uint(text, addr->port);
}

/* --- strings ---------------------------------------------------------------------------------- */

void wzp_pcap_text_clean(wzp_pcap_text *text, wzp_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        const uint8_t shown = c >= 0x20 && c < 0x7f ? c : '?';
        wzp_pcap_text_bytes(text, wzp_bytes_of(&shown, 1));
    }
}

static void put(wzp_pcap_text *text, uint32_t c) {
    char bytes[4];
    const size_t len = wzp_text_encode(bytes, c);
    wzp_pcap_text_bytes(text, wzp_bytes_of(bytes, len));
}

static void json_escape(wzp_pcap_text *text, uint8_t c) {
    static const char short_from[] = "\"\\\n\r\t";
    static const char short_to[] = "\"\\nrt";
    const char *found = c != 0 ? strchr(short_from, c) : NULL;
    wzp_pcap_text_char(text, '\\');
    if (found != NULL) {
        wzp_pcap_text_char(text, short_to[found - short_from]);
        return;
    }
    wzp_pcap_text_str(text, "u00");
    wzp_pcap_text_hex(text, wzp_bytes_of(&c, 1));
}

void wzp_pcap_text_json(wzp_pcap_text *text, wzp_bytes bytes) {
    wzp_pcap_text_char(text, '"');
    while (bytes.len > 0) {
        const uint32_t c = wzp_text_next(&bytes);
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            json_escape(text, (uint8_t)c);
        } else {
            put(text, c);
        }
    }
    wzp_pcap_text_char(text, '"');
}

/* Line ends and tabs may be in a cell; what acts on a terminal may not. */
static uint32_t csv_char(wzp_bytes *bytes) {
    const uint32_t c = wzp_text_next(bytes);
    const bool stays = c == '\n' || c == '\r' || c == '\t' || !wzp_text_is_control(c);
    return stays ? c : WZP_TEXT_REPLACEMENT;
}

static bool is_formula(wzp_bytes bytes) {
    return bytes.len > 0 && bytes.data[0] != '\0' && strchr("=+-@\t\r", bytes.data[0]) != NULL;
}

void wzp_pcap_text_csv_part(wzp_pcap_text *text, wzp_bytes bytes, bool is_first) {
    if (is_first && is_formula(bytes)) {
        wzp_pcap_text_char(text, '\'');
    }
    while (bytes.len > 0) {
        const uint32_t c = csv_char(&bytes);
        if (c == '"') {
            wzp_pcap_text_char(text, '"');
        }
        put(text, c);
    }
}

void wzp_pcap_text_csv(wzp_pcap_text *text, wzp_bytes bytes) {
    bool quoted = false;
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        quoted = quoted || c == ',' || c == '"' || c == '\n' || c == '\r';
    }
    if (quoted) {
        wzp_pcap_text_char(text, '"');
    }
    wzp_pcap_text_csv_part(text, bytes, true);
    if (quoted) {
        wzp_pcap_text_char(text, '"');
    }
}
