#include "crypto/mnemonic.h"

/* 24 words of 11 bits: 256 bits of seed and 8 bits of checksum. */
enum { WORD_BITS = 11, TOTAL_BYTES = WZP_KEY_LEN + 1 };

static unsigned take_bits(const uint8_t *bytes, size_t first) {
    unsigned value = 0;
    for (size_t bit = first; bit < first + WORD_BITS; bit++) {
        value = value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1U);
    }
    return value;
}

static void put_bits(uint8_t *bytes, size_t first, unsigned value) {
    for (size_t i = 0; i < WORD_BITS; i++) {
        const size_t bit = first + i;
        const unsigned set = value >> (WORD_BITS - 1 - i) & 1U;
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | set << (7 - bit % 8));
    }
}

void wzp_mnemonic_write(char out[WZP_MNEMONIC_MAX], const uint8_t seed[WZP_KEY_LEN]) {
    uint8_t bytes[TOTAL_BYTES];
    uint8_t digest[WZP_SHA256_LEN];
    memcpy(bytes, seed, WZP_KEY_LEN);
    wzp_sha256(digest, wzp_bytes_of(seed, WZP_KEY_LEN));
    bytes[WZP_KEY_LEN] = digest[0];

    char *pos = out;
    for (size_t i = 0; i < WZP_MNEMONIC_COUNT; i++) {
        const char *word = wzp_bip39_english[take_bits(bytes, i * WORD_BITS)];
        const size_t len = strlen(word);
        if (i > 0) {
            *pos++ = ' ';
        }
        memcpy(pos, word, len);
        pos += len;
    }
    *pos = '\0';
    wzp_crypto_wipe(bytes, sizeof bytes);
    wzp_crypto_wipe(digest, sizeof digest);
}

/* Binary search; -1 if the word is not in the list. */
static int find_word(const uint8_t *word, size_t len) {
    int low = 0;
    int high = WZP_BIP39_WORDS - 1;
    while (low <= high) {
        const int mid = (low + high) / 2;
        const char *candidate = wzp_bip39_english[mid];
        const size_t candidate_len = strlen(candidate);
        int order = memcmp(word, candidate, len < candidate_len ? len : candidate_len);
        if (order == 0) {
            order = (len > candidate_len) - (len < candidate_len);
        }
        if (order == 0) {
            return mid;
        }
        low = order > 0 ? mid + 1 : low;
        high = order > 0 ? high : mid - 1;
    }
    return -1;
}

/* Length of the white space character at `pos`, 0 if there is none.  Phrases are pasted: besides
 * ASCII, the spaces of Unicode count, as UTF-8 (U+0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F,
 * 205F, 3000). */
static size_t space_len(wzp_bytes text, size_t pos) {
    const uint8_t *p = text.data + pos;
    const size_t left = text.len - pos;
    if (left >= 1 && (p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r'))) {
        return 1;
    }
    if (left >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0)) {
        return 2;
    }
    if (left < 3 || (p[0] & 0xf0) != 0xe0 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) {
        return 0;
    }
    const unsigned c = (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
    const bool is_space = c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
                          c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
    return is_space ? 3 : 0;
}

static wzp_err refuse(wzp_fail *fail, const char *field, size_t offset, uint64_t got) {
    if (fail != NULL) {
        *fail = (wzp_fail){WZP_ERR_MNEMONIC, field, offset, got};
    }
    return WZP_ERR_MNEMONIC;
}

/* The next word and *pos behind it; empty at the end. */
static wzp_bytes next_word(wzp_bytes text, size_t *pos) {
    size_t at = *pos;
    for (size_t n = 1; n > 0; at += n) {
        n = space_len(text, at);
    }
    const size_t from = at;
    while (at < text.len && space_len(text, at) == 0) {
        at++;
    }
    *pos = at;
    return wzp_bytes_of(text.data + from, at - from);
}

static wzp_err read_words(uint8_t bytes[TOTAL_BYTES], wzp_bytes text, wzp_fail *fail) {
    size_t count = 0;
    size_t pos = 0;
    for (;;) {
        const wzp_bytes word = next_word(text, &pos);
        if (word.len == 0) {
            break;
        }
        const int index = find_word(word.data, word.len);
        const size_t offset = pos - word.len;
        count++;
        if (index < 0) {
            return refuse(fail, "word", offset, count);
        }
        if (count > WZP_MNEMONIC_COUNT) {
            return refuse(fail, "word count", offset, count);
        }
        put_bits(bytes, (count - 1) * WORD_BITS, (unsigned)index);
    }
    return count == WZP_MNEMONIC_COUNT ? WZP_OK : refuse(fail, "word count", text.len, count);
}

wzp_err wzp_mnemonic_parse(uint8_t seed[WZP_KEY_LEN], wzp_bytes text, wzp_fail *fail) {
    uint8_t bytes[TOTAL_BYTES] = {0};
    uint8_t digest[WZP_SHA256_LEN];
    wzp_err err = read_words(bytes, text, fail);
    if (err == WZP_OK) {
        wzp_sha256(digest, wzp_bytes_of(bytes, WZP_KEY_LEN));
        if (digest[0] != bytes[WZP_KEY_LEN]) {
            err = refuse(fail, "checksum", text.len, 0);
        } else {
            memcpy(seed, bytes, WZP_KEY_LEN);
        }
        wzp_crypto_wipe(digest, sizeof digest);
    }
    wzp_crypto_wipe(bytes, sizeof bytes);
    return err;
}
