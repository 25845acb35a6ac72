/* The SNI of a client's first Initial, read without keeping state (notes of RFC 9001, 5.2: Initial
 * keys derive from the connection id that everyone can see). */
#include <openssl/evp.h>

#include "base/rd.h"
#include "quic/internal.h"

static const uint8_t salt_v1[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};

enum { SAMPLE_LEN = 16, TAG_LEN = 16 };

typedef struct initial_keys {
    uint8_t key[16], iv[12], hp[16];
} initial_keys;

/* HKDF-Expand-Label of TLS 1.3 with an empty context. */
static bool expand(uint8_t *out, size_t len, const uint8_t *secret, const char *label,
                   const ngtcp2_crypto_md *md) {
    uint8_t info[64];
    const size_t label_len = strlen(label);
    info[0] = (uint8_t)(len >> 8);
    info[1] = (uint8_t)len;
    info[2] = (uint8_t)(6 + label_len);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, label_len);
    info[9 + label_len] = 0;
    return ngtcp2_crypto_hkdf_expand(out, len, md, secret, 32, info, 10 + label_len) == 0;
}

static bool derive(initial_keys *keys, const ngtcp2_version_cid *vc) {
    uint8_t initial[32];
    uint8_t client[32];
    const ngtcp2_crypto_md md = {wzp_drop_const(EVP_sha256())};
    return ngtcp2_crypto_hkdf_extract(initial, &md, vc->dcid, vc->dcidlen, salt_v1,
                                      sizeof salt_v1) == 0 &&
           expand(client, 32, initial, "client in", &md) &&
           expand(keys->key, 16, client, "quic key", &md) &&
           expand(keys->iv, 12, client, "quic iv", &md) &&
           expand(keys->hp, 16, client, "quic hp", &md);
}

static bool aes_ecb(uint8_t out[16], const uint8_t key[16], const uint8_t in[16]) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    const bool ok = ctx != NULL &&
                    EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
                    EVP_EncryptUpdate(ctx, out, &len, in, 16) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool aes_gcm_open(uint8_t *out, const initial_keys *keys, uint64_t number, wzp_bytes aad,
                         wzp_bytes sealed) {
    uint8_t nonce[12];
    uint8_t tag[TAG_LEN];
    int len = 0;
    memcpy(nonce, keys->iv, sizeof nonce);
    for (size_t i = 0; i < 8; i++) {
        nonce[11 - i] ^= (uint8_t)(number >> (8 * i));
    }
    const size_t body = sealed.len - TAG_LEN;
    memcpy(tag, sealed.data + body, TAG_LEN);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const bool ok = ctx != NULL &&
                    EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys->key, nonce) == 1 &&
                    EVP_DecryptUpdate(ctx, NULL, &len, aad.data, (int)aad.len) == 1 &&
                    EVP_DecryptUpdate(ctx, out, &len, sealed.data, (int)body) == 1 &&
                    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
                    EVP_DecryptFinal_ex(ctx, out + len, &len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* QUIC's variable-length integer (RFC 9000, 16). */
static uint64_t varint(wzp_rd *rd, const char *field) {
    const uint8_t first = wzp_rd_u8(rd, field);
    uint64_t value = first & 0x3f;
    for (unsigned left = (1U << (first >> 6)) - 1; left > 0; left--) {
        value = value << 8 | wzp_rd_u8(rd, field);
    }
    return value;
}

/* Adds the CRYPTO frames of one packet. */
static wzp_err collect(wzp_bytes frames, wzp_quic_hello *hello) {
    wzp_rd rd;
    wzp_rd_init(&rd, frames);
    while (wzp_rd_left(&rd) > 0 && rd.fail.code == WZP_OK) {
        const uint64_t type = varint(&rd, "frame type");
        if (type == 0x00 || type == 0x01) { /* PADDING, PING */
            continue;
        }
        if (type != 0x06) {
            return WZP_ERR_PARSE;
        }
        const uint64_t offset = varint(&rd, "crypto offset");
        const uint64_t len = varint(&rd, "crypto length");
        const wzp_bytes data = wzp_rd_bytes(&rd, len, "crypto data");
        if (rd.fail.code != WZP_OK || offset > sizeof hello->bytes ||
            data.len > sizeof hello->bytes - offset) {
            return WZP_ERR_PARSE;
        }
        memcpy(hello->bytes + offset, data.data, data.len);
        for (size_t i = 0; i < data.len; i++) {
            hello->known[(offset + i) / 8] |= (uint8_t)(1U << (offset + i) % 8);
        }
    }
    return rd.fail.code == WZP_OK ? WZP_OK : WZP_ERR_PARSE;
}

/* How far it is known without a gap. */
static size_t known_len(const wzp_quic_hello *hello) {
    size_t n = 0;
    while (n < sizeof hello->bytes && (hello->known[n / 8] >> n % 8 & 1) != 0) {
        n++;
    }
    return n;
}

void wzp_quic_hello_init(wzp_quic_hello *hello) {
    memset(hello->known, 0, sizeof hello->known);
}

static void read_name(wzp_rd *extension, char sni[WZP_QUIC_SNI_MAX + 1]) {
    (void)wzp_rd_u16(extension, "server name list");
    const uint8_t type = wzp_rd_u8(extension, "name type");
    const wzp_bytes name = wzp_rd_bytes(extension, wzp_rd_u16(extension, "name length"), "name");
    if (extension->fail.code == WZP_OK && type == 0 && name.len <= WZP_QUIC_SNI_MAX) {
        for (size_t i = 0; i < name.len; i++) {
            const uint8_t ch = name.data[i];
            sni[i] = (char)(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
        }
        sni[name.len] = '\0';
    }
}

/* ClientHello (RFC 8446, 4.1.2). */
static wzp_err find_name(wzp_bytes hello, char sni[WZP_QUIC_SNI_MAX + 1]) {
    wzp_rd rd;
    wzp_rd_init(&rd, hello);
    const uint32_t type_and_len = wzp_rd_u32(&rd, "handshake header");
    (void)wzp_rd_bytes(&rd, 34, "version and random");
    (void)wzp_rd_bytes(&rd, wzp_rd_u8(&rd, "session id length"), "session id");
    (void)wzp_rd_bytes(&rd, wzp_rd_u16(&rd, "cipher suites length"), "cipher suites");
    (void)wzp_rd_bytes(&rd, wzp_rd_u8(&rd, "compression length"), "compression");
    const uint16_t extensions = wzp_rd_u16(&rd, "extensions length");
    if (rd.fail.code == WZP_OK && type_and_len >> 24 != 1) {
        return WZP_ERR_PARSE;
    }
    wzp_rd list;
    wzp_rd_init(&list, wzp_rd_bytes(&rd, extensions, "extensions"));
    while (rd.fail.code == WZP_OK && list.fail.code == WZP_OK && wzp_rd_left(&list) > 0) {
        const uint16_t type = wzp_rd_u16(&list, "extension type");
        wzp_rd extension;
        wzp_rd_init(&extension,
                    wzp_rd_bytes(&list, wzp_rd_u16(&list, "extension length"), "extension"));
        if (type == 0 && list.fail.code == WZP_OK) {
            read_name(&extension, sni);
        }
    }
    return rd.fail.code;
}

wzp_err wzp_quic_hello_frames(wzp_quic_hello *hello, wzp_bytes frames,
                              char sni[WZP_QUIC_SNI_MAX + 1]) {
    const wzp_err err = collect(frames, hello);
    sni[0] = '\0';
    return err != WZP_OK ? err : find_name(wzp_bytes_of(hello->bytes, known_len(hello)), sni);
}

wzp_err wzp_quic_hello_read(wzp_quic_hello *hello, wzp_bytes payload,
                            char sni[WZP_QUIC_SNI_MAX + 1]) {
    ngtcp2_version_cid vc;
    initial_keys keys;
    uint8_t plain[1500];
    uint8_t header[1500];
    uint8_t mask[16];
    wzp_rd rd;
    if (payload.len < 1200 || payload.len > sizeof plain ||
        ngtcp2_pkt_decode_version_cid(&vc, payload.data, payload.len, SCID_LEN) != 0 ||
        vc.version != NGTCP2_PROTO_VER_V1 || (payload.data[0] & 0xf0) != 0xc0) {
        return WZP_ERR_PARSE;
    }
    wzp_rd_init(&rd, payload);
    (void)wzp_rd_bytes(&rd, 7 + vc.dcidlen + vc.scidlen, "long header");
    (void)wzp_rd_bytes(&rd, varint(&rd, "token length"), "token");
    const uint64_t length = varint(&rd, "length");
    const size_t number_at = wzp_rd_offset(&rd);
    const wzp_bytes rest = wzp_rd_bytes(&rd, length, "packet");
    if (rd.fail.code != WZP_OK || rest.len < 4 + SAMPLE_LEN || !derive(&keys, &vc) ||
        !aes_ecb(mask, keys.hp, rest.data + 4)) {
        return WZP_ERR_PARSE;
    }
    memcpy(header, payload.data, number_at + 4);
    header[0] = (uint8_t)(header[0] ^ (mask[0] & 0x0f));
    const size_t number_len = (header[0] & 3U) + 1;
    uint64_t number = 0;
    for (size_t i = 0; i < number_len; i++) {
        header[number_at + i] ^= mask[1 + i];
        number = number << 8 | header[number_at + i];
    }
    const wzp_bytes sealed = wzp_bytes_of(rest.data + number_len, rest.len - number_len);
    if (!aes_gcm_open(plain, &keys, number, wzp_bytes_of(header, number_at + number_len), sealed)) {
        return WZP_ERR_DECRYPT;
    }
    return wzp_quic_hello_frames(hello, wzp_bytes_of(plain, sealed.len - TAG_LEN), sni);
}

wzp_err wzp_quic_peek_sni(wzp_bytes payload, char sni[WZP_QUIC_SNI_MAX + 1]) {
    wzp_quic_hello hello;
    wzp_quic_hello_init(&hello);
    return wzp_quic_hello_read(&hello, payload, sni);
}
