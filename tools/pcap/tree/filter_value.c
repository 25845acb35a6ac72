/* Values of filters. */
#include "tools/pcap/tree/filter_internal.h"

static int digit_of(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool parse_uint(uint64_t *out, wzp_bytes word) {
    const bool is_hex = word.len > 2 && word.data[0] == '0' && (word.data[1] | 0x20) == 'x';
    const unsigned base = is_hex ? 16 : 10;
    uint64_t value = 0;
    for (size_t i = is_hex ? 2 : 0; i < word.len; i++) {
        const int digit = digit_of(word.data[i]);
        if (digit < 0 || (unsigned)digit >= base || value > (UINT64_MAX - (uint64_t)digit) / base) {
            return false;
        }
        value = value * base + (uint64_t)digit;
    }
    *out = value;
    return word.len > 0;
}

/* "12.5" seconds; more than nine decimals are refused. */
static bool parse_seconds(uint64_t *out, wzp_bytes word) {
    const uint8_t *dot = memchr(word.data, '.', word.len);
    const size_t whole = dot != NULL ? (size_t)(dot - word.data) : word.len;
    const size_t decimals = dot != NULL ? word.len - whole - 1 : 0;
    uint64_t seconds = 0;
    uint64_t part = 0;
    if (!parse_uint(&seconds, wzp_bytes_of(word.data, whole)) || decimals > 9 ||
        seconds > UINT64_MAX / 2000000000 ||
        (decimals > 0 && !parse_uint(&part, wzp_bytes_of(dot + 1, decimals)))) {
        return false;
    }
    for (size_t i = decimals; i < 9; i++) {
        part *= 10;
    }
    *out = seconds * 1000000000 + part;
    return true;
}

static bool parse_bool(uint64_t *out, wzp_bytes word) {
    const bool yes = wzp_bytes_equal(word, wzp_bytes_str("true"));
    if (yes || wzp_bytes_equal(word, wzp_bytes_str("false"))) {
        *out = yes;
        return true;
    }
    return parse_uint(out, word) && *out <= 1;
}

/* "10.0.0.0/8", "fe80::1" */
static bool parse_ip(wzp_pcap_filter_value *out, wzp_bytes word) {
    char text[WZP_ADDR_TEXT_MAX];
    const uint8_t *slash = memchr(word.data, '/', word.len);
    const size_t len = slash != NULL ? (size_t)(slash - word.data) : word.len;
    const bool is_v6 = memchr(word.data, ':', len) != NULL;
    uint64_t prefix = is_v6 ? 128 : 32;
    if (len + 6 > sizeof text ||
        (slash != NULL && (!parse_uint(&out->number, wzp_bytes_of(slash + 1, word.len - len - 1)) ||
                           out->number > prefix))) {
        return false;
    }
    prefix = slash != NULL ? out->number : prefix;
    size_t at = 0;
    if (is_v6) {
        text[at++] = '[';
    }
    memcpy(text + at, word.data, len);
    at += len;
    memcpy(text + at, is_v6 ? "]:0" : ":0", is_v6 ? 4 : 3);
    out->prefix = (uint8_t)prefix;
    return wzp_addr_parse(&out->addr, text) == WZP_OK;
}

/* --- the pool --------------------------------------------------------------------------------- */

/* The pool holds as much as the text is long, and nothing in it is longer than its text. */
static bool keep(wzp_pcap_filter *filter, uint8_t byte) {
    if (filter->pool_len == sizeof filter->pool) {
        return false;
    }
    filter->pool[filter->pool_len++] = byte;
    return true;
}

/* "0a:0b", "0a0b" */
static bool parse_bytes(wzp_pcap_filter *filter, wzp_bytes *out, wzp_bytes word) {
    const size_t begin = filter->pool_len;
    size_t i = 0;
    while (i < word.len) {
        const int high = digit_of(word.data[i]);
        const int low = i + 1 < word.len ? digit_of(word.data[i + 1]) : -1;
        if (high < 0 || low < 0 || !keep(filter, (uint8_t)(high << 4 | low))) {
            return false;
        }
        i += 2;
        if (i < word.len && word.data[i] == ':' && i + 1 < word.len) {
            i++;
        }
    }
    *out = wzp_bytes_of(filter->pool + begin, filter->pool_len - begin);
    return word.len > 0;
}

static bool parse_string(wzp_pcap_filter *filter, wzp_bytes *out, wzp_bytes word, bool quoted) {
    const size_t begin = filter->pool_len;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        if (quoted && c == '\\') {
            c = i + 1 < word.len ? word.data[++i] : 0;
            if (c == 'x' && i + 2 < word.len) {
                const int high = digit_of(word.data[i + 1]);
                const int low = digit_of(word.data[i + 2]);
                if (high < 0 || low < 0) {
                    return false;
                }
                c = (uint8_t)(high << 4 | low);
                i += 2;
            } else if (c != '"' && c != '\\') {
                return false;
            }
        }
        if (!keep(filter, c)) {
            return false;
        }
    }
    *out = wzp_bytes_of(filter->pool + begin, filter->pool_len - begin);
    return true;
}

const char *wzp_pcap_filter_value_parse(wzp_pcap_filter *filter, unsigned field, wzp_bytes word,
                                        bool quoted, wzp_pcap_filter_value *out) {
    int64_t named;
    *out = (wzp_pcap_filter_value){0};
    switch (wzp_pcap_field_info_of(field)->type) {
    case WZP_PCAP_TYPE_HEAD:
        return "this field has no value";
    case WZP_PCAP_TYPE_UINT:
        if (parse_uint(&out->number, word)) {
            return NULL;
        }
        named = wzp_pcap_field_value_by_name(field, word);
        out->number = (uint64_t)named;
        return named >= 0 ? NULL : "a whole number, or a name that this field knows, is wanted";
    case WZP_PCAP_TYPE_BOOL:
        return parse_bool(&out->number, word) ? NULL : "0, 1, true or false is wanted";
    case WZP_PCAP_TYPE_TIME:
        return parse_seconds(&out->number, word) ? NULL : "seconds are wanted, as 1.5";
    case WZP_PCAP_TYPE_BYTES:
        return (quoted ? parse_string(filter, &out->bytes, word, quoted)
                       : parse_bytes(filter, &out->bytes, word))
                   ? NULL
                   : "bytes are wanted, as 0a:0b or \"text\"";
    case WZP_PCAP_TYPE_TEXT:
        return parse_string(filter, &out->bytes, word, quoted)
                   ? NULL
                   : "this escape is none of \\\" \\\\ \\xHH";
    case WZP_PCAP_TYPE_IP:
        return parse_ip(out, word) ? NULL : "an address is wanted, as 10.0.0.1 or 10.0.0.0/8";
    }
    return "this field has no value";
}
