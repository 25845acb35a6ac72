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

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static wzp_err refuse(wzp_fail *fail, const char *field, size_t offset, uint64_t got) {
    if (fail != NULL) {
        *fail = (wzp_fail){WZP_ERR_MNEMONIC, field, offset, got};
    }
    return WZP_ERR_MNEMONIC;
}

static wzp_err read_words(uint8_t bytes[TOTAL_BYTES], wzp_bytes text, wzp_fail *fail) {
    size_t count = 0;
    size_t pos = 0;
    for (;;) {
        while (pos < text.len && is_space(text.data[pos])) {
            pos++;
        }
        if (pos == text.len) {
            break;
        }
        const size_t from = pos;
        while (pos < text.len && !is_space(text.data[pos])) {
            pos++;
        }
        const int index = find_word(text.data + from, pos - from);
        count++;
        if (index < 0) {
            return refuse(fail, "word", from, count);
        }
        if (count > WZP_MNEMONIC_COUNT) {
            return refuse(fail, "word count", from, count);
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
            err = refuse(fail, "checksum", text.len, bytes[WZP_KEY_LEN]);
        } else {
            memcpy(seed, bytes, WZP_KEY_LEN);
        }
        wzp_crypto_wipe(digest, sizeof digest);
    }
    wzp_crypto_wipe(bytes, sizeof bytes);
    return err;
}
