#include "wire/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void wzp_json_init(wzp_json *json, wzp_bytes text) {
    wzp_rd_init(&json->rd, text);
    json->depth = 0;
}

wzp_err wzp_json_reject(wzp_json *json, const char *field, uint64_t got) {
    return wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, 0, got);
}

static bool failed(const wzp_json *json) {
    return json->rd.fail.code != WZP_OK;
}

/* The next character that is not white space, or -1; not consumed. */
static int look(wzp_json *json) {
    wzp_rd *rd = &json->rd;
    if (failed(json)) {
        return -1;
    }
    while (rd->pos < rd->end &&
           (*rd->pos == ' ' || *rd->pos == '\t' || *rd->pos == '\n' || *rd->pos == '\r')) {
        rd->pos++;
    }
    return rd->pos < rd->end ? *rd->pos : -1;
}

wzp_json_type wzp_json_peek(wzp_json *json) {
    const int c = look(json);
    switch (c) {
    case 'n':
        return WZP_JSON_NULL;
    case 't':
    case 'f':
        return WZP_JSON_BOOL;
    case '"':
        return WZP_JSON_STRING;
    case '[':
        return WZP_JSON_ARRAY;
    case '{':
        return WZP_JSON_OBJECT;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? WZP_JSON_NUMBER : WZP_JSON_NONE;
    }
}

static bool eat_word(wzp_json *json, const char *word) {
    wzp_rd *rd = &json->rd;
    const size_t len = strlen(word);
    if (look(json) < 0 || wzp_rd_left(rd) < len || memcmp(rd->pos, word, len) != 0) {
        return false;
    }
    rd->pos += len;
    return true;
}

void wzp_json_null(wzp_json *json, const char *field) {
    if (!eat_word(json, "null")) {
        (void)wzp_json_reject(json, field, 0);
    }
}

bool wzp_json_bool(wzp_json *json, const char *field) {
    if (eat_word(json, "true")) {
        return true;
    }
    if (!eat_word(json, "false")) {
        (void)wzp_json_reject(json, field, 0);
    }
    return false;
}

static bool is_digit(const wzp_rd *rd) {
    return rd->pos < rd->end && *rd->pos >= '0' && *rd->pos <= '9';
}

static bool eat_digits(wzp_rd *rd) {
    const uint8_t *from = rd->pos;
    while (is_digit(rd)) {
        rd->pos++;
    }
    return rd->pos > from;
}

/* Consumes one number of JSON's grammar; *plain if it is a bare sequence of digits. */
static wzp_bytes number_token(wzp_json *json, const char *field, bool *plain) {
    wzp_rd *rd = &json->rd;
    *plain = look(json) != '-';
    const uint8_t *from = rd->pos;
    bool good = !failed(json);
    if (!*plain) {
        rd->pos++;
    }
    if (good && rd->pos < rd->end && *rd->pos == '0') {
        rd->pos++;
        good = !is_digit(rd); /* no leading zeros */
    } else {
        good = good && eat_digits(rd);
    }
    if (good && rd->pos < rd->end && *rd->pos == '.') {
        rd->pos++;
        *plain = false;
        good = eat_digits(rd);
    }
    if (good && rd->pos < rd->end && (*rd->pos == 'e' || *rd->pos == 'E')) {
        rd->pos++;
        *plain = false;
        if (rd->pos < rd->end && (*rd->pos == '+' || *rd->pos == '-')) {
            rd->pos++;
        }
        good = eat_digits(rd);
    }
    if (!good) {
        (void)wzp_json_reject(json, field, 0);
        return wzp_bytes_of(from, 0);
    }
    return wzp_bytes_of(from, (size_t)(rd->pos - from));
}

uint64_t wzp_json_uint(wzp_json *json, uint64_t max, const char *field) {
    bool plain = false;
    const wzp_bytes token = number_token(json, field, &plain);
    uint64_t value = 0;
    for (size_t i = 0; plain && i < token.len; i++) {
        const uint64_t digit = (uint64_t)(token.data[i] - '0');
        plain = value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (!failed(json) && (!plain || value > max)) {
        (void)wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, token.len, value);
        return 0;
    }
    return value;
}

double wzp_json_number(wzp_json *json, const char *field) {
    bool plain = false;
    const wzp_bytes token = number_token(json, field, &plain);
    char text[64];
    if (token.len == 0) {
        return 0;
    }
    /* 60 characters hold every digit that can matter to an f32. */
    const size_t len = token.len < sizeof text ? token.len : sizeof text - 1;
    if (len < token.len) {
        (void)wzp_json_reject(json, field, token.len);
        return 0;
    }
    memcpy(text, token.data, len);
    text[len] = '\0';
    const double value = strtod(text, NULL);
    if (!isfinite(value)) {
        (void)wzp_json_reject(json, field, 0);
        return 0;
    }
    return value;
}

wzp_bytes wzp_json_raw_string(wzp_json *json, const char *field) {
    wzp_rd *rd = &json->rd;
    if (look(json) != '"') {
        (void)wzp_json_reject(json, field, 0);
        return wzp_bytes_of(rd->pos, 0);
    }
    const uint8_t *from = ++rd->pos;
    while (rd->pos < rd->end && *rd->pos != '"' && *rd->pos >= 0x20) {
        rd->pos += *rd->pos == '\\' && rd->end - rd->pos > 1 ? 2 : 1;
    }
    if (rd->pos >= rd->end || *rd->pos != '"') {
        (void)wzp_json_reject(json, field, 0);
        return wzp_bytes_of(from, 0);
    }
    const wzp_bytes raw = {from, (size_t)(rd->pos - from)};
    rd->pos++;
    return raw;
}

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

size_t wzp_json_unescape(uint8_t *out, wzp_bytes raw) {
    size_t used = 0;
    for (size_t i = 0; i < raw.len;) {
        const uint8_t *p = raw.data + i;
        const size_t left = raw.len - i;
        size_t taken = 0;
        if (p[0] != '\\') {
            taken = utf8_len(p, left);
            memcpy(out + used, p, taken);
            used += taken;
        } else if (left >= 2 && p[1] == 'u') {
            uint32_t c = 0;
            taken = unicode_escape(p + 1, left - 1, &c);
            taken += taken != 0 ? 1 : 0;
            used += taken != 0 ? put_utf8(out + used, c) : 0;
        } else if (left >= 2 && simple_escape(p[1]) >= 0) {
            out[used++] = (uint8_t)simple_escape(p[1]);
            taken = 2;
        }
        if (taken == 0) {
            return SIZE_MAX;
        }
        i += taken;
    }
    return used;
}

void wzp_json_begin(wzp_json *json, char open, const char *field) {
    if (look(json) != open || json->depth >= WZP_JSON_MAX_DEPTH) {
        (void)wzp_json_reject(json, field, json->depth);
        return;
    }
    json->rd.pos++;
    json->depth++;
}

bool wzp_json_next(wzp_json *json, char close, bool *first, const char *field) {
    const int c = look(json);
    const bool was_first = *first;
    *first = false;
    if (c == close) {
        json->rd.pos++;
        json->depth--;
        return false;
    }
    if (was_first && c >= 0) {
        return true;
    }
    if (c == ',') {
        json->rd.pos++;
        if (look(json) != close) { /* no trailing comma */
            return !failed(json);
        }
    }
    (void)wzp_json_reject(json, field, 0);
    return false;
}

wzp_bytes wzp_json_key(wzp_json *json, const char *field) {
    const wzp_bytes key = wzp_json_raw_string(json, field);
    if (look(json) != ':') {
        (void)wzp_json_reject(json, field, 0);
        return key;
    }
    json->rd.pos++;
    return key;
}

static void skip_scalar(wzp_json *json, const char *field) {
    bool plain = false;
    switch (wzp_json_peek(json)) {
    case WZP_JSON_NULL:
        wzp_json_null(json, field);
        break;
    case WZP_JSON_BOOL:
        (void)wzp_json_bool(json, field);
        break;
    case WZP_JSON_NUMBER:
        (void)number_token(json, field, &plain);
        break;
    case WZP_JSON_STRING:
        (void)wzp_json_raw_string(json, field);
        break;
    case WZP_JSON_NONE:
    case WZP_JSON_ARRAY:
    case WZP_JSON_OBJECT:
        (void)wzp_json_reject(json, field, 0);
        break;
    }
}

/* Without recursion and without a stack: only the kind of the innermost container matters, and
 * that is kept as one bit per level.  Levels past the bitmap would need memory, so they are
 * bounded by it, at 4096: far beyond what any sender nests. */
enum { SKIP_DEPTH = 4096 };

void wzp_json_skip(wzp_json *json, const char *field) {
    uint8_t is_object[SKIP_DEPTH / 8] = {0};
    size_t level = 0;
    bool first = true;
    bool want_value = true;
    while (!failed(json)) {
        if (want_value) {
            const wzp_json_type type = wzp_json_peek(json);
            if (type == WZP_JSON_ARRAY || type == WZP_JSON_OBJECT) {
                if (level == SKIP_DEPTH) {
                    (void)wzp_json_reject(json, field, level);
                    return;
                }
                const uint8_t bit = (uint8_t)(1U << (level % 8));
                is_object[level / 8] = (uint8_t)(type == WZP_JSON_OBJECT
                                                     ? is_object[level / 8] | bit
                                                     : is_object[level / 8] & ~bit);
                level++;
                json->rd.pos++;
                first = true;
            } else {
                skip_scalar(json, field);
                first = false;
            }
        }
        if (level == 0) {
            return;
        }
        const bool object = (is_object[(level - 1) / 8] >> ((level - 1) % 8) & 1) != 0;
        json->depth++; /* wzp_json_next leaves a container that it closes */
        want_value = wzp_json_next(json, object ? '}' : ']', &first, field);
        if (want_value) {
            json->depth--;
            if (object) {
                (void)wzp_json_key(json, field);
            }
        } else {
            level--;
            first = false;
        }
    }
}

void wzp_json_end(wzp_json *json) {
    if (look(json) >= 0) {
        (void)wzp_json_reject(json, "end of message", *json->rd.pos);
    }
}

/* --- writing --------------------------------------------------------------------------------- */

void wzp_json_write_uint(wzp_wr *wr, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
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
        snprintf(buf, 8, "\\u%04x", c);
        return buf;
    }
}

void wzp_json_write_string(wzp_wr *wr, wzp_bytes text) {
    wzp_wr_u8(wr, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            char buf[8];
            wzp_wr_bytes(wr, wzp_bytes_of(text.data + from, i - from));
            wzp_wr_str(wr, escape_of(c, buf));
            from = i + 1;
        }
    }
    wzp_wr_bytes(wr, wzp_bytes_of(text.data + from, text.len - from));
    wzp_wr_u8(wr, '"');
}

/* Digits without trailing zeros and the decimal exponent of the first one. */
static int shortest(float value, char digits[16]) {
    char text[32];
    for (int precision = 0; precision < 9; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, (double)value);
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
    if (exponent >= 13 || exponent < -5) {
        char text[8];
        wzp_wr_u8(wr, (uint8_t)digits[0]);
        if (count > 1) {
            wzp_wr_u8(wr, '.');
            wzp_wr_str(wr, digits + 1);
        }
        snprintf(text, sizeof text, "e%d", exponent);
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
