#include "tools/pcap/quic/keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "base/wr.h"

/* --- what is fetched once --------------------------------------------------------------------- */

static const struct suite {
    uint16_t cipher;
    const char *aead, *mask;
    int key_len;
    size_t secret_len;
} suites[WZP_PCAP_QUIC_SUITE_COUNT] = {
    [WZP_PCAP_QUIC_AES_128] = {0x1301, "AES-128-GCM", "AES-128-ECB", 16, 32},
    [WZP_PCAP_QUIC_AES_256] = {0x1302, "AES-256-GCM", "AES-256-ECB", 32, 48},
    [WZP_PCAP_QUIC_CHACHA20] = {0x1303, "ChaCha20-Poly1305", "ChaCha20", 32, 32},
};

/* What differs between the versions of QUIC. */
static const struct version {
    uint8_t salt[20];
    const char *key, *iv, *hp, *ku;
    uint8_t retry_key[16], retry_nonce[12];
} versions[2] = {
    {{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     "quic key",
     "quic iv",
     "quic hp",
     "quic ku",
     {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8,
      0x4e},
     {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb}},
    {{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
     "quicv2 key",
     "quicv2 iv",
     "quicv2 hp",
     "quicv2 ku",
     {0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc,
      0x92},
     {0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a}},
};

static const struct version *version_of(uint32_t version) {
    return &versions[version == WZP_PCAP_QUIC_V2];
}

wzp_pcap_quic_suite wzp_pcap_quic_suite_of(uint16_t cipher) {
    size_t i = 0;
    while (i < WZP_PCAP_QUIC_SUITE_COUNT && suites[i].cipher != cipher) {
        i++;
    }
    return (wzp_pcap_quic_suite)i;
}

size_t wzp_pcap_quic_secret_len(wzp_pcap_quic_suite suite) {
    return suites[suite].secret_len;
}

static EVP_MAC_CTX *new_mac(EVP_MAC *hmac, const char *digest) {
    char name[16];
    memcpy(name, digest, strlen(digest) + 1);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static EVP_CIPHER_CTX *new_ctx(const EVP_CIPHER *cipher, const uint8_t *key, int encrypts) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx != NULL && (EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypts, NULL) != 1 ||
                        EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* Not in the thread's default context, which simulators replace. */
wzp_err wzp_pcap_quic_crypto_init(wzp_pcap_quic_crypto *crypto) {
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_get0_global_default();
    bool ok = true;
    *crypto = (wzp_pcap_quic_crypto){.hmac = EVP_MAC_fetch(lib, "HMAC", NULL)};
    for (size_t i = 0; i < WZP_PCAP_QUIC_SUITE_COUNT; i++) {
        crypto->aead[i] = EVP_CIPHER_fetch(lib, suites[i].aead, NULL);
        crypto->mask[i] = EVP_CIPHER_fetch(lib, suites[i].mask, NULL);
        ok = ok && crypto->aead[i] != NULL && crypto->mask[i] != NULL;
    }
    if (!ok || crypto->hmac == NULL) {
        return WZP_ERR_CRYPTO_LIB;
    }
    crypto->sha256 = new_mac(crypto->hmac, "SHA256");
    crypto->sha384 = new_mac(crypto->hmac, "SHA384");
    for (size_t i = 0; i < WZP_COUNT_OF(versions); i++) {
        crypto->retry[i] = new_ctx(crypto->aead[WZP_PCAP_QUIC_AES_128], versions[i].retry_key, 0);
        ok = ok && crypto->retry[i] != NULL;
    }
    return ok && crypto->sha256 != NULL && crypto->sha384 != NULL ? WZP_OK : WZP_ERR_CRYPTO_LIB;
}

void wzp_pcap_quic_crypto_clear(wzp_pcap_quic_crypto *crypto) {
    for (size_t i = 0; i < WZP_COUNT_OF(versions); i++) {
        EVP_CIPHER_CTX_free(crypto->retry[i]);
    }
    EVP_MAC_CTX_free(crypto->sha256);
    EVP_MAC_CTX_free(crypto->sha384);
    EVP_MAC_free(crypto->hmac);
    for (size_t i = 0; i < WZP_PCAP_QUIC_SUITE_COUNT; i++) {
        EVP_CIPHER_free(crypto->aead[i]);
        EVP_CIPHER_free(crypto->mask[i]);
    }
    *crypto = (wzp_pcap_quic_crypto){0};
}

/* --- derivation ------------------------------------------------------------------------------- */

static bool hmac(EVP_MAC_CTX *ctx, wzp_bytes key, wzp_bytes text,
                 uint8_t out[WZP_PCAP_QUIC_SECRET_MAX]) {
    size_t len = 0;
    return EVP_MAC_init(ctx, key.data, key.len, NULL) == 1 &&
           EVP_MAC_update(ctx, text.data, text.len) == 1 &&
           EVP_MAC_final(ctx, out, &len, WZP_PCAP_QUIC_SECRET_MAX) == 1;
}

/* HKDF-Expand-Label (RFC 8446, 7.1) without context; nothing here is longer than one digest. */
static bool expand(EVP_MAC_CTX *ctx, wzp_bytes secret, const char *label, uint8_t *out,
                   size_t len) {
    uint8_t info[64];
    uint8_t block[WZP_PCAP_QUIC_SECRET_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, info, sizeof info);
    wzp_wr_u16(&wr, (uint16_t)len);
    wzp_wr_u8(&wr, (uint8_t)(6 + strlen(label)));
    wzp_wr_str(&wr, "tls13 ");
    wzp_wr_str(&wr, label);
    wzp_wr_u8(&wr, 0); /* no context */
    wzp_wr_u8(&wr, 1); /* the first block */
    const bool ok = hmac(ctx, secret, wzp_bytes_of(info, wzp_wr_len(&wr)), block);
    memcpy(out, block, len);
    OPENSSL_cleanse(block, sizeof block);
    return ok;
}

static EVP_MAC_CTX *mac_of(const wzp_pcap_quic_crypto *crypto, wzp_pcap_quic_suite suite) {
    return suite == WZP_PCAP_QUIC_AES_256 ? crypto->sha384 : crypto->sha256;
}

bool wzp_pcap_quic_initial_secrets(wzp_pcap_quic_crypto *crypto, uint32_t version,
                                   const wzp_pcap_quic_cid *dcid, wzp_pcap_quic_secret out[2]) {
    const struct version *v = version_of(version);
    uint8_t initial[WZP_PCAP_QUIC_SECRET_MAX];
    const wzp_bytes secret = wzp_bytes_of(initial, 32);
    out[0].len = out[1].len = 32;
    return hmac(crypto->sha256, wzp_bytes_of(v->salt, sizeof v->salt),
                wzp_bytes_of(dcid->data, dcid->len), initial) &&
           expand(crypto->sha256, secret, "server in", out[0].data, 32) &&
           expand(crypto->sha256, secret, "client in", out[1].data, 32);
}

bool wzp_pcap_quic_aead_set(wzp_pcap_quic_aead *aead, wzp_pcap_quic_crypto *crypto,
                            uint32_t version, wzp_pcap_quic_suite suite,
                            const wzp_pcap_quic_secret *secret) {
    const struct version *v = version_of(version);
    const wzp_bytes bytes = wzp_bytes_of(secret->data, secret->len);
    EVP_MAC_CTX *mac = mac_of(crypto, suite);
    wzp_pcap_quic_aead_clear(aead);
    return expand(mac, bytes, v->key, aead->key, (size_t)suites[suite].key_len) &&
           expand(mac, bytes, v->iv, aead->iv, sizeof aead->iv);
}

bool wzp_pcap_quic_keys_set(wzp_pcap_quic_keys *keys, wzp_pcap_quic_crypto *crypto,
                            uint32_t version, wzp_pcap_quic_suite suite,
                            const wzp_pcap_quic_secret *secret) {
    wzp_pcap_quic_keys_clear(keys);
    keys->suite = suite;
    keys->known = secret->len == suites[suite].secret_len &&
                  wzp_pcap_quic_aead_set(&keys->aead, crypto, version, suite, secret) &&
                  expand(mac_of(crypto, suite), wzp_bytes_of(secret->data, secret->len),
                         version_of(version)->hp, keys->mask.key, (size_t)suites[suite].key_len);
    return keys->known;
}

bool wzp_pcap_quic_secret_next(wzp_pcap_quic_secret *secret, wzp_pcap_quic_crypto *crypto,
                               uint32_t version, wzp_pcap_quic_suite suite) {
    return expand(mac_of(crypto, suite), wzp_bytes_of(secret->data, secret->len),
                  version_of(version)->ku, secret->data, secret->len);
}

void wzp_pcap_quic_keys_rest(wzp_pcap_quic_keys *keys) {
    EVP_CIPHER_CTX_free(keys->aead.ctx);
    EVP_CIPHER_CTX_free(keys->mask.ctx);
    keys->aead.ctx = keys->mask.ctx = NULL;
}

void wzp_pcap_quic_aead_clear(wzp_pcap_quic_aead *aead) {
    EVP_CIPHER_CTX_free(aead->ctx);
    OPENSSL_cleanse(aead, sizeof *aead);
    aead->ctx = NULL;
}

void wzp_pcap_quic_keys_clear(wzp_pcap_quic_keys *keys) {
    wzp_pcap_quic_keys_rest(keys);
    OPENSSL_cleanse(keys, sizeof *keys);
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool need(EVP_CIPHER_CTX **ctx, const EVP_CIPHER *cipher, const uint8_t *key, int encrypts) {
    if (*ctx == NULL) {
        *ctx = new_ctx(cipher, key, encrypts);
    }
    return *ctx != NULL;
}

bool wzp_pcap_quic_unmask(wzp_pcap_quic_mask *mask, wzp_pcap_quic_crypto *crypto,
                          wzp_pcap_quic_suite suite, const uint8_t sample[WZP_PCAP_QUIC_SAMPLE_LEN],
                          uint8_t out[5]) {
    static const uint8_t zeros[5];
    uint8_t block[16];
    int len = 0;
    if (!need(&mask->ctx, crypto->mask[suite], mask->key, 1)) {
        return false;
    }
    if (suite == WZP_PCAP_QUIC_CHACHA20) { /* the sample is counter and nonce */
        return EVP_CipherInit_ex(mask->ctx, NULL, NULL, NULL, sample, -1) == 1 &&
               EVP_CipherUpdate(mask->ctx, out, &len, zeros, sizeof zeros) == 1;
    }
    const bool ok = EVP_CipherUpdate(mask->ctx, block, &len, sample, sizeof block) == 1;
    memcpy(out, block, 5);
    return ok;
}

static bool open_with(EVP_CIPHER_CTX *ctx, const uint8_t nonce[WZP_PCAP_QUIC_IV_LEN],
                      wzp_bytes header, wzp_bytes sealed, uint8_t *out) {
    uint8_t tag[WZP_PCAP_QUIC_TAG_LEN];
    int len = 0;
    const size_t body = sealed.len - sizeof tag;
    memcpy(tag, sealed.data + body, sizeof tag);
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, -1) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &len, header.data, (int)header.len) == 1 &&
           EVP_CipherUpdate(ctx, out, &len, sealed.data, (int)body) == 1 &&
           EVP_CipherFinal_ex(ctx, out + len, &len) == 1;
}

bool wzp_pcap_quic_open(wzp_pcap_quic_aead *aead, wzp_pcap_quic_crypto *crypto,
                        wzp_pcap_quic_suite suite, uint64_t number, wzp_bytes header,
                        wzp_bytes sealed, uint8_t *out) {
    uint8_t nonce[WZP_PCAP_QUIC_IV_LEN];
    if (sealed.len < WZP_PCAP_QUIC_TAG_LEN ||
        !need(&aead->ctx, crypto->aead[suite], aead->key, 0)) {
        return false;
    }
    memcpy(nonce, aead->iv, sizeof nonce);
    for (size_t i = 0; i < sizeof number; i++) {
        nonce[sizeof nonce - 1 - i] ^= (uint8_t)(number >> (8 * i));
    }
    return open_with(aead->ctx, nonce, header, sealed, out);
}

bool wzp_pcap_quic_retry_is_whole(wzp_pcap_quic_crypto *crypto, uint32_t version,
                                  const wzp_pcap_quic_cid *original, wzp_bytes packet) {
    EVP_CIPHER_CTX *ctx = crypto->retry[version_of(version) - versions];
    uint8_t tag[WZP_PCAP_QUIC_TAG_LEN];
    uint8_t nothing[1];
    int len = 0;
    if (packet.len < sizeof tag) {
        return false;
    }
    const size_t body = packet.len - sizeof tag;
    memcpy(tag, packet.data + body, sizeof tag);
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, version_of(version)->retry_nonce, -1) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &len, &original->len, 1) == 1 &&
           (original->len == 0 ||
            EVP_CipherUpdate(ctx, NULL, &len, original->data, original->len) == 1) &&
           EVP_CipherUpdate(ctx, NULL, &len, packet.data, (int)body) == 1 &&
           EVP_CipherFinal_ex(ctx, nothing, &len) == 1;
}
