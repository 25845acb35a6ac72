#include "base/hex.h"

char *wzp_hex_write(char *out, wzp_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    char *pos = out;
    for (size_t i = 0; i < bytes.len; i++) {
        *pos++ = digits[bytes.data[i] >> 4];
        *pos++ = digits[bytes.data[i] & 15];
    }
    *pos = '\0';
    return out;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

wzp_err wzp_hex_parse(uint8_t *out, size_t len, const char *text, size_t text_len, size_t *bad_at) {
    size_t at = text_len;
    wzp_err err = text_len == 2 * len ? WZP_OK : WZP_ERR_HEX;
    for (size_t i = 0; i < text_len; i++) {
        const int value = digit(text[i]);
        if (value < 0) {
            at = i;
            err = WZP_ERR_HEX;
            break;
        }
        if (err == WZP_OK) {
            out[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
        }
    }
    if (err != WZP_OK && bad_at != NULL) {
        *bad_at = at;
    }
    return err;
}
