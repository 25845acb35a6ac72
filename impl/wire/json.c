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

wzp_err wzp_json_reject_at(wzp_json *json, size_t offset, const char *field, uint64_t got) {
    return wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, wzp_rd_offset(&json->rd) - offset,
                         got);
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

static bool eat_char(wzp_rd *rd, uint8_t c) {
    if (rd->pos == rd->end || *rd->pos != c) {
        return false;
    }
    rd->pos++;
    return true;
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

/* "0" or digits that do not begin with it, then the fraction, then the exponent. */
static bool eat_number(wzp_rd *rd, bool *plain) {
    *plain = !eat_char(rd, '-');
    bool good = eat_char(rd, '0') ? !is_digit(rd) : eat_digits(rd);
    if (good && eat_char(rd, '.')) {
        *plain = false;
        good = eat_digits(rd);
    }
    if (good && (eat_char(rd, 'e') || eat_char(rd, 'E'))) {
        *plain = false;
        (void)(eat_char(rd, '+') || eat_char(rd, '-'));
        good = eat_digits(rd);
    }
    return good;
}

/* Consumes one number of JSON's grammar; *plain if it is a bare sequence of digits. */
static wzp_bytes number_token(wzp_json *json, const char *field, bool *plain) {
    wzp_rd *rd = &json->rd;
    *plain = false;
    (void)look(json);
    const uint8_t *from = rd->pos;
    if (failed(json) || !eat_number(rd, plain)) {
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
        value = plain ? value * 10 + digit : UINT64_MAX;
    }
    if (!failed(json) && (!plain || value > max)) {
        (void)wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, token.len, value);
    }
    return failed(json) ? 0 : value;
}

enum { SIGNIFICANT = 40, DECIMAL_MAX = SIGNIFICANT + 16 };

/* The exponent as written, saturated where it decides alone. */
static long written_exponent(const uint8_t *p, const uint8_t *end) {
    long value = 0;
    const bool negative = p < end && *p == '-';
    for (p += p < end && (*p == '-' || *p == '+') ? 1 : 0; p < end; p++) {
        value = value < 10000000 ? value * 10 + (*p - '0') : value;
    }
    return negative ? -value : value;
}

/* Spells a number as DIGITSeEXPONENT: strtod's decimal point depends on the locale, and a number
 * from a peer may have a million digits. */
static void respell(char out[DECIMAL_MAX], wzp_bytes token) {
    const uint8_t *p = token.data;
    const uint8_t *end = p + token.len;
    size_t used = 0;
    long exponent = 0;
    bool fraction = false;
    p += *p == '-' ? 1 : 0;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
        } else if (used == SIGNIFICANT) {
            exponent += fraction ? 0 : 1;
        } else {
            exponent -= fraction ? 1 : 0;
            if (*p != '0' || used > 0) {
                out[used++] = (char)*p;
            }
        }
    }
    if (used == 0) {
        out[used++] = '0';
    }
    exponent += p < end ? written_exponent(p + 1, end) : 0;
    (void)snprintf(out + used, DECIMAL_MAX - used, "e%ld", exponent);
}

double wzp_json_number(wzp_json *json, const char *field) {
    bool plain = false;
    const wzp_bytes token = number_token(json, field, &plain);
    char text[DECIMAL_MAX];
    if (token.len == 0) {
        return 0;
    }
    respell(text, token);
    const double value = strtod(text, NULL);
    if (!isfinite(value)) {
        (void)wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, token.len, 0);
        return 0;
    }
    return token.data[0] == '-' ? -value : value;
}

static bool is_hex(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of the escape at the backslash p, 0 if there is none of that kind. */
static size_t escape_len(const uint8_t *p, size_t left) {
    if (left < 2 || p[1] == '\0' || strchr("\"\\/bfnrtu", p[1]) == NULL) {
        return 0;
    }
    if (p[1] != 'u') {
        return 2;
    }
    return left >= 6 && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]) ? 6 : 0;
}

wzp_bytes wzp_json_raw_string(wzp_json *json, const char *field) {
    wzp_rd *rd = &json->rd;
    if (look(json) != '"') {
        (void)wzp_json_reject(json, field, 0);
        return wzp_bytes_of(rd->pos, 0);
    }
    const uint8_t *from = ++rd->pos;
    while (rd->pos < rd->end && *rd->pos != '"' && *rd->pos >= 0x20) {
        const size_t len = *rd->pos == '\\' ? escape_len(rd->pos, wzp_rd_left(rd)) : 1;
        if (len == 0) {
            break;
        }
        rd->pos += len;
    }
    if (rd->pos >= rd->end || *rd->pos != '"') {
        (void)wzp_json_reject(json, field, rd->pos < rd->end ? *rd->pos : 0);
        return wzp_bytes_of(from, 0);
    }
    const wzp_bytes raw = {from, (size_t)(rd->pos - from)};
    rd->pos++;
    return raw;
}

wzp_bytes wzp_json_name(wzp_json *json, uint8_t buf[WZP_JSON_NAME_MAX], const char *field) {
    const wzp_bytes raw = wzp_json_raw_string(json, field);
    uint8_t *out = raw.len <= WZP_JSON_NAME_MAX ? buf : NULL;
    const size_t len = wzp_json_unescape(out, raw);
    if (len == SIZE_MAX) {
        (void)wzp_rd_reject(&json->rd, WZP_ERR_SIGNAL_JSON, field, raw.len + 1, 0);
        return wzp_bytes_of(raw.data, 0);
    }
    return out != NULL ? wzp_bytes_of(out, len) : raw;
}

void wzp_json_begin(wzp_json *json, char open, const char *field) {
    if (look(json) != open || json->depth >= WZP_JSON_MAX_DEPTH) {
        (void)wzp_json_reject(json, field, json->depth);
        return;
    }
    json->rd.pos++;
    json->depth++;
}

static bool has_more(wzp_json *json, char close, bool *first, const char *field) {
    const int c = look(json);
    const bool was_first = *first;
    *first = false;
    if (c == close) {
        json->rd.pos++;
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

bool wzp_json_next(wzp_json *json, char close, bool *first, const char *field) {
    const bool more = has_more(json, close, first, field);
    if (!more && !failed(json)) {
        json->depth--;
    }
    return more;
}

static void eat_colon(wzp_json *json, const char *field) {
    if (look(json) == ':') {
        json->rd.pos++;
    } else {
        (void)wzp_json_reject(json, field, 0);
    }
}

wzp_bytes wzp_json_key(wzp_json *json, uint8_t buf[WZP_JSON_NAME_MAX], const char *field) {
    const wzp_bytes key = wzp_json_name(json, buf, field);
    eat_colon(json, field);
    return key;
}

/* The containers that are open while a value is skipped: one bit each, set for objects. */
typedef struct nesting {
    uint8_t small[64];
    uint8_t *bits; /* `small`, or memory of our own once that is full */
    size_t level, cap;
} nesting;

static bool enter(nesting *open, bool is_object) {
    if (open->level == 8 * open->cap) {
        const size_t cap = 2 * open->cap;
        const bool on_heap = open->bits != open->small;
        uint8_t *bits = realloc(on_heap ? open->bits : NULL, cap);
        if (bits == NULL) {
            return false;
        }
        if (!on_heap) {
            memcpy(bits, open->small, sizeof open->small);
        }
        open->bits = bits;
        open->cap = cap;
    }
    uint8_t *byte = &open->bits[open->level / 8];
    const uint8_t bit = (uint8_t)(1U << (open->level % 8));
    *byte = (uint8_t)(is_object ? *byte | bit : *byte & ~bit);
    open->level++;
    return true;
}

static bool is_in_object(const nesting *open) {
    const size_t i = open->level - 1;
    return (open->bits[i / 8] >> (i % 8) & 1) != 0;
}

static void skip_scalar(wzp_json *json, wzp_json_type type, const char *field) {
    bool plain = false;
    if (type == WZP_JSON_NULL) {
        wzp_json_null(json, field);
    } else if (type == WZP_JSON_BOOL) {
        (void)wzp_json_bool(json, field);
    } else if (type == WZP_JSON_NUMBER) {
        (void)number_token(json, field, &plain);
    } else {
        (void)wzp_json_raw_string(json, field);
    }
}

/* A scalar, or only the opening of a container. */
static bool skip_token(wzp_json *json, nesting *open, const char *field) {
    const wzp_json_type type = wzp_json_peek(json);
    const bool container = type == WZP_JSON_ARRAY || type == WZP_JSON_OBJECT;
    if (!container) {
        skip_scalar(json, type, field);
    } else if (enter(open, type == WZP_JSON_OBJECT)) {
        json->rd.pos++;
    } else {
        (void)wzp_rd_reject(&json->rd, WZP_ERR_NOMEM, field, 0, open->level);
    }
    return container;
}

/* Leaves the containers that end here; false when none is left open. */
static bool skip_to_value(wzp_json *json, nesting *open, bool first, const char *field) {
    while (open->level > 0 && !failed(json)) {
        const bool object = is_in_object(open);
        if (has_more(json, object ? '}' : ']', &first, field)) {
            if (object) {
                (void)wzp_json_raw_string(json, field);
                eat_colon(json, field);
            }
            return !failed(json);
        }
        open->level--;
    }
    return false;
}

void wzp_json_skip(wzp_json *json, const char *field) {
    nesting open = {.cap = sizeof open.small};
    open.bits = open.small;
    bool more = true;
    while (more) {
        const bool opened = skip_token(json, &open, field);
        more = skip_to_value(json, &open, opened, field);
    }
    if (open.bits != open.small) {
        free(open.bits);
    }
}

void wzp_json_end(wzp_json *json) {
    if (look(json) >= 0) {
        (void)wzp_json_reject(json, "end of message", *json->rd.pos);
    }
}
