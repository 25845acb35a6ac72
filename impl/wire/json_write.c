/* The canonical spelling of numbers and strings (wire sheet 6). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/json.h"

void wzp_json_write_uint(wzp_wr *wr, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    wzp_wr_str(wr, text);
}

static const char *escape_of(uint8_t c, char buf[8]) {
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        (void)snprintf(buf, 8, "\\u%04x", c);
        return buf;
    }
}

/* text[from..to): an empty view may have no address to count from. */
static void write_part(wzp_wr *wr, wzp_bytes text, size_t from, size_t to) {
    if (to > from) {
        wzp_wr_bytes(wr, wzp_bytes_of(text.data + from, to - from));
    }
}

void wzp_json_write_string(wzp_wr *wr, wzp_bytes text) {
    wzp_wr_u8(wr, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            char buf[8];
            write_part(wr, text, from, i);
            wzp_wr_str(wr, escape_of(c, buf));
            from = i + 1;
        }
    }
    write_part(wr, text, from, text.len);
    wzp_wr_u8(wr, '"');
}

/* Digits without trailing zeros and the decimal exponent of the first one. */
static int shortest(float value, char digits[16]) {
    char text[32];
    for (int precision = 0; precision < 9; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, (double)value);
        if (strtof(text, NULL) == value) {
            break;
        }
    }
    size_t used = 0;
    const char *p = text;
    for (; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9') {
            digits[used++] = *p;
        }
    }
    while (used > 1 && digits[used - 1] == '0') {
        used--;
    }
    digits[used] = '\0';
    return (int)strtol(p + 1, NULL, 10);
}

static void repeat_zero(wzp_wr *wr, int count) {
    for (int i = 0; i < count; i++) {
        wzp_wr_u8(wr, '0');
    }
}

void wzp_json_write_f32(wzp_wr *wr, float value) {
    if (!isfinite(value)) {
        wzp_wr_str(wr, "null");
        return;
    }
    if (signbit(value)) {
        wzp_wr_u8(wr, '-');
        value = -value;
    }
    char digits[16];
    const int exponent = shortest(value, digits);
    const int count = (int)strlen(digits);
    if (exponent >= 13 || exponent < -6) { /* where the deployed writer changes over */
        char text[8];
        wzp_wr_u8(wr, (uint8_t)digits[0]);
        if (count > 1) {
            wzp_wr_u8(wr, '.');
            wzp_wr_str(wr, digits + 1);
        }
        (void)snprintf(text, sizeof text, "e%d", exponent);
        wzp_wr_str(wr, text);
    } else if (exponent < 0) {
        wzp_wr_str(wr, "0.");
        repeat_zero(wr, -exponent - 1);
        wzp_wr_str(wr, digits);
    } else {
        const int whole = count < exponent + 1 ? count : exponent + 1;
        wzp_wr_bytes(wr, wzp_bytes_of(digits, (size_t)whole));
        repeat_zero(wr, exponent + 1 - whole);
        wzp_wr_u8(wr, '.');
        wzp_wr_str(wr, count > whole ? digits + whole : "0");
    }
}
