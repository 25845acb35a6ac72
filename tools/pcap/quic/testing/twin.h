/* Test helper: the writing side of a QUIC connection, packet by packet as a test wants them, in any
 * suite and version.  Shares nothing with what it tests: keys come from OpenSSL's own KDF.
 * Header-only, so that no library carries it. */
#ifndef WZP_PCAP_QUIC_TESTING_TWIN_H
#define WZP_PCAP_QUIC_TESTING_TWIN_H

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/wr.h"
#include "tools/pcap/quic/quic.h"

#define TWIN_V1 UINT32_C(1)
#define TWIN_V2 UINT32_C(0x6b3343cf)

typedef enum twin_suite { TWIN_AES_128, TWIN_AES_256, TWIN_CHACHA20 } twin_suite;

/* Writes what does not fit: a fault of the test. */
static inline void twin_must(bool holds) {
    if (!holds) {
        abort();
    }
}

static inline const EVP_CIPHER *twin_aead(twin_suite suite) {
    return suite == TWIN_AES_128   ? EVP_aes_128_gcm()
           : suite == TWIN_AES_256 ? EVP_aes_256_gcm()
                                   : EVP_chacha20_poly1305();
}

static inline uint16_t twin_cipher(twin_suite suite) {
    return (uint16_t)(0x1301 + suite);
}

static inline size_t twin_key_len(twin_suite suite) {
    return suite == TWIN_AES_128 ? 16 : 32;
}

static inline size_t twin_secret_len(twin_suite suite) {
    return suite == TWIN_AES_256 ? 48 : 32;
}

static inline void twin_kdf(const char *name, OSSL_PARAM *params, uint8_t *out, size_t len) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    twin_must(EVP_KDF_derive(ctx, out, len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static inline void twin_expand(twin_suite suite, const uint8_t *secret, size_t secret_len,
                               const char *label, uint8_t *out, size_t len) {
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, wzp_drop_const("EXPAND_ONLY"), 0),
        OSSL_PARAM_construct_utf8_string(
            OSSL_KDF_PARAM_DIGEST, wzp_drop_const(suite == TWIN_AES_256 ? "SHA384" : "SHA256"), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, wzp_drop_const(secret), secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, wzp_drop_const("tls13 "), 6),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, wzp_drop_const(label),
                                          strlen(label)),
        OSSL_PARAM_construct_end()};
    twin_kdf("TLS13-KDF", params, out, len);
}

/* The secret of Initial packets of one side ("client in", "server in"). */
static inline void twin_initial(uint32_t version, const wzp_pcap_quic_cid *dcid, const char *label,
                                uint8_t out[32]) {
    uint8_t salt[20];
    uint8_t initial[32];
    const char *text = version == TWIN_V2 ? "0dede3def700a6db819381be6e269dcbf9bd2ed9"
                                          : "38762cf7f55934b34d179ae6a4c80cadccbb7f0a";
    twin_must(wzp_hex_parse(salt, sizeof salt, text, 40, NULL) == WZP_OK);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, wzp_drop_const("EXTRACT_ONLY"), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, wzp_drop_const("SHA256"), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, wzp_drop_const(dcid->data),
                                          dcid->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
        OSSL_PARAM_construct_end()};
    twin_kdf("HKDF", params, initial, sizeof initial);
    twin_expand(TWIN_AES_128, initial, 32, label, out, 32);
}

typedef struct twin_keys {
    twin_suite suite;
    uint32_t version;
    uint8_t secret[48]; /* of this generation */
    uint8_t hp[32];     /* of the first one */
} twin_keys;

static inline const char *twin_label(uint32_t version, const char *what, char buf[16]) {
    (void)snprintf(buf, 16, "%s %s", version == TWIN_V2 ? "quicv2" : "quic", what);
    return buf;
}

static inline void twin_part(const twin_keys *keys, const char *what, uint8_t *out, size_t len) {
    char label[16];
    twin_expand(keys->suite, keys->secret, twin_secret_len(keys->suite),
                twin_label(keys->version, what, label), out, len);
}

static inline twin_keys twin_keys_of(twin_suite suite, uint32_t version, const uint8_t *secret) {
    twin_keys keys = {.suite = suite, .version = version};
    memcpy(keys.secret, secret, twin_secret_len(suite));
    twin_part(&keys, "hp", keys.hp, twin_key_len(suite));
    return keys;
}

/* The next generation (RFC 9001, 6.1). */
static inline void twin_update(twin_keys *keys) {
    uint8_t next[48];
    twin_part(keys, "ku", next, twin_secret_len(keys->suite));
    memcpy(keys->secret, next, sizeof next);
}

static inline void twin_crypt(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                              wzp_bytes aad, wzp_bytes in, uint8_t *out, uint8_t *tag) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    twin_must(EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1);
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    twin_must(aad.len == 0 || EVP_EncryptUpdate(ctx, NULL, &len, aad.data, (int)aad.len) == 1);
    twin_must(in.len == 0 || EVP_EncryptUpdate(ctx, out, &len, in.data, (int)in.len) == 1);
    if (tag != NULL) {
        uint8_t end[16];
        twin_must(EVP_EncryptFinal_ex(ctx, end, &len) == 1);
        twin_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
    }
    EVP_CIPHER_CTX_free(ctx);
}

/* What a packet is made of.  Zeroed members are what they say. */
typedef struct twin_packet {
    wzp_pcap_quic_type type;
    const wzp_pcap_quic_cid *dcid, *scid; /* scid: long headers */
    wzp_bytes token;
    uint64_t number;
    size_t number_len; /* 0: 2 */
    bool phase, spin;
    size_t pad_to; /* bytes of the whole packet; 0: as it is */
    wzp_bytes payload;
} twin_packet;

static inline void twin_varint(wzp_wr *wr, uint64_t value) {
    if (value < 64) {
        wzp_wr_u8(wr, (uint8_t)value);
    } else if (value < 16384) {
        wzp_wr_u16(wr, (uint16_t)(0x4000 | value));
    } else if (value < (UINT64_C(1) << 30)) {
        wzp_wr_u32(wr, (uint32_t)(UINT32_C(0x80000000) | value));
    } else {
        wzp_wr_u64(wr, UINT64_C(0xc000000000000000) | value);
    }
}

static inline uint8_t twin_type_bits(uint32_t version, wzp_pcap_quic_type type) {
    return (uint8_t)(((uint8_t)type + (version == TWIN_V2)) & 3); /* the enum's order is v1's */
}

static inline void twin_cid(wzp_wr *wr, const wzp_pcap_quic_cid *cid) {
    wzp_wr_u8(wr, cid->len);
    wzp_wr_bytes(wr, wzp_bytes_of(cid->data, cid->len));
}

/* The header up to the packet number; `rest` is what follows the length field. */
static inline void twin_header(wzp_wr *wr, const twin_keys *keys, const twin_packet *p,
                               size_t number_len, size_t rest) {
    const uint8_t low = (uint8_t)(number_len - 1);
    if (p->type == WZP_PCAP_QUIC_1RTT) {
        wzp_wr_u8(wr, (uint8_t)(0x40 | (p->spin ? 0x20 : 0) | (p->phase ? 4 : 0) | low));
        wzp_wr_bytes(wr, wzp_bytes_of(p->dcid->data, p->dcid->len));
        return;
    }
    wzp_wr_u8(wr, (uint8_t)(0xc0 | twin_type_bits(keys->version, p->type) << 4 | low));
    wzp_wr_u32(wr, keys->version);
    twin_cid(wr, p->dcid);
    twin_cid(wr, p->scid);
    if (p->type == WZP_PCAP_QUIC_INITIAL) {
        twin_varint(wr, p->token.len);
        wzp_wr_bytes(wr, p->token);
    }
    wzp_wr_u16(wr, (uint16_t)(0x4000 | rest));
}

static inline void twin_mask(const twin_keys *keys, const uint8_t *sample, uint8_t mask[16]) {
    static const uint8_t zeros[16];
    const EVP_CIPHER *cipher = keys->suite == TWIN_AES_128   ? EVP_aes_128_ecb()
                               : keys->suite == TWIN_AES_256 ? EVP_aes_256_ecb()
                                                             : EVP_chacha20();
    const bool is_chacha = keys->suite == TWIN_CHACHA20;
    twin_crypt(cipher, keys->hp, is_chacha ? sample : NULL, (wzp_bytes){0},
               wzp_bytes_of(is_chacha ? zeros : sample, 16), mask, NULL);
}

/* Appends one packet. */
static inline void twin_write(wzp_wr *wr, const twin_keys *keys, const twin_packet *p) {
    static uint8_t payload[2000];
    uint8_t key[32];
    uint8_t iv[12];
    uint8_t mask[16];
    const size_t number_len = p->number_len > 0 ? p->number_len : 2;
    uint8_t *begin = wr->pos;
    size_t len = p->payload.len;
    twin_must(len <= sizeof payload);
    memset(payload, 0, sizeof payload);
    memcpy(payload, p->payload.data, len);
    if (len + number_len < 4) {
        len = 4 - number_len; /* PADDING, for the sample */
    }
    if (p->pad_to > 0) {
        wzp_wr probe = *wr;
        twin_header(&probe, keys, p, number_len, 0);
        len = p->pad_to - (size_t)(probe.pos - wr->pos) - number_len - 16;
    }
    twin_header(wr, keys, p, number_len, number_len + len + 16);
    uint8_t *number = wr->pos;
    for (size_t i = number_len; i > 0; i--) {
        wzp_wr_u8(wr, (uint8_t)(p->number >> (8 * (i - 1))));
    }
    twin_must(wzp_wr_end(wr) == WZP_OK && wzp_wr_room(wr) >= len + 16);
    twin_part(keys, "key", key, twin_key_len(keys->suite));
    twin_part(keys, "iv", iv, sizeof iv);
    for (size_t i = 0; i < 8; i++) {
        iv[11 - i] ^= (uint8_t)(p->number >> (8 * i));
    }
    twin_crypt(twin_aead(keys->suite), key, iv, wzp_bytes_of(begin, (size_t)(wr->pos - begin)),
               wzp_bytes_of(payload, len), wr->pos, wr->pos + len);
    wr->pos += len + 16;
    twin_mask(keys, number + 4, mask);
    begin[0] ^= mask[0] & (p->type == WZP_PCAP_QUIC_1RTT ? 0x1f : 0x0f);
    for (size_t i = 0; i < number_len; i++) {
        number[i] ^= mask[1 + i];
    }
}

/* --- frames and hellos ------------------------------------------------------------------------ */

static inline void twin_crypto(wzp_wr *wr, uint64_t offset, wzp_bytes data) {
    wzp_wr_u8(wr, 0x06);
    twin_varint(wr, offset);
    twin_varint(wr, data.len);
    wzp_wr_bytes(wr, data);
}

static inline void twin_datagram(wzp_wr *wr, wzp_bytes data) {
    wzp_wr_u8(wr, 0x31);
    twin_varint(wr, data.len);
    wzp_wr_bytes(wr, data);
}

static inline void twin_stream(wzp_wr *wr, uint64_t id, uint64_t offset, wzp_bytes data, bool fin) {
    wzp_wr_u8(wr, (uint8_t)(0x0e | fin));
    twin_varint(wr, id);
    twin_varint(wr, offset);
    twin_varint(wr, data.len);
    wzp_wr_bytes(wr, data);
}

static inline void twin_new_cid(wzp_wr *wr, uint64_t sequence, const wzp_pcap_quic_cid *cid,
                                const uint8_t token[16]) {
    wzp_wr_u8(wr, 0x18);
    twin_varint(wr, sequence);
    twin_varint(wr, 0);
    twin_cid(wr, cid);
    wzp_wr_bytes(wr, wzp_bytes_of(token, 16));
}

/* u16 of everything behind it, filled in at the end. */
static inline void twin_end_u16(wzp_wr *wr, size_t at) {
    const size_t len = wzp_wr_len(wr) - at - 2;
    wr->base[at] = (uint8_t)(len >> 8);
    wr->base[at + 1] = (uint8_t)len;
}

static inline void twin_end_message(wzp_wr *wr, size_t at) {
    const size_t len = wzp_wr_len(wr) - at - 4;
    wr->base[at + 1] = (uint8_t)(len >> 16);
    wr->base[at + 2] = (uint8_t)(len >> 8);
    wr->base[at + 3] = (uint8_t)len;
}

static inline void twin_extension(wzp_wr *wr, uint16_t type, wzp_bytes data) {
    wzp_wr_u16(wr, type);
    wzp_wr_u16(wr, (uint16_t)data.len);
    wzp_wr_bytes(wr, data);
}

static inline void twin_alpn(wzp_wr *wr, const char *name) {
    const size_t len = strlen(name);
    wzp_wr_u16(wr, 16);
    wzp_wr_u16(wr, (uint16_t)(len + 3));
    wzp_wr_u16(wr, (uint16_t)(len + 1));
    wzp_wr_u8(wr, (uint8_t)len);
    wzp_wr_str(wr, name);
}

static inline void twin_client_hello(wzp_wr *wr, const uint8_t random[32], const char *sni,
                                     wzp_bytes params) {
    const size_t at = wzp_wr_len(wr);
    wzp_wr_u32(wr, 0x01000000);
    wzp_wr_u16(wr, 0x0303);
    wzp_wr_bytes(wr, wzp_bytes_of(random, 32));
    wzp_wr_u8(wr, 0);
    wzp_wr_u16(wr, 6);
    wzp_wr_u16(wr, 0x1301);
    wzp_wr_u16(wr, 0x1302);
    wzp_wr_u16(wr, 0x1303);
    wzp_wr_u16(wr, 0x0100); /* compression: none */
    const size_t extensions = wzp_wr_len(wr);
    wzp_wr_u16(wr, 0);
    wzp_wr_u16(wr, 0);
    wzp_wr_u16(wr, (uint16_t)(strlen(sni) + 5));
    wzp_wr_u16(wr, (uint16_t)(strlen(sni) + 3));
    wzp_wr_u8(wr, 0);
    wzp_wr_u16(wr, (uint16_t)strlen(sni));
    wzp_wr_str(wr, sni);
    twin_alpn(wr, "wzp");
    twin_extension(wr, 57, params);
    twin_end_u16(wr, extensions);
    twin_end_message(wr, at);
}

static inline void twin_server_hello(wzp_wr *wr, twin_suite suite) {
    static const uint8_t random[32] = {1, 2, 3};
    const size_t at = wzp_wr_len(wr);
    wzp_wr_u32(wr, 0x02000000);
    wzp_wr_u16(wr, 0x0303);
    wzp_wr_bytes(wr, wzp_bytes_of(random, 32));
    wzp_wr_u8(wr, 0);
    wzp_wr_u16(wr, twin_cipher(suite));
    wzp_wr_u8(wr, 0);
    wzp_wr_u16(wr, 0);
    twin_end_message(wr, at);
}

static inline void twin_encrypted_extensions(wzp_wr *wr, wzp_bytes params) {
    const size_t at = wzp_wr_len(wr);
    wzp_wr_u32(wr, 0x08000000);
    const size_t extensions = wzp_wr_len(wr);
    wzp_wr_u16(wr, 0);
    twin_alpn(wr, "wzp");
    twin_extension(wr, 57, params);
    twin_end_u16(wr, extensions);
    twin_end_message(wr, at);
}

/* One connection: ids, secrets that follow from a seed, and the next packet numbers. */
typedef struct twin {
    twin_suite suite;
    uint32_t version;
    wzp_addr client, server;
    wzp_pcap_quic_cid original, to_client, to_server;
    uint8_t random[32];
    uint8_t secrets[4][48]; /* handshake, then 1-RTT; each the server's, the client's */
    twin_keys initial[2], handshake[2], app[2];
    uint64_t number[2][3];
    bool phase[2];
} twin;

static inline wzp_pcap_quic_cid twin_id(uint32_t seed, uint8_t what, uint8_t len) {
    wzp_pcap_quic_cid cid = {.len = len};
    const uint8_t bytes[] = {(uint8_t)(seed >> 24),
                             (uint8_t)(seed >> 16),
                             (uint8_t)(seed >> 8),
                             (uint8_t)seed,
                             what,
                             0x5a,
                             what,
                             0x11};
    for (size_t i = 0; i < len; i++) {
        cid.data[i] = bytes[i % sizeof bytes];
    }
    return cid;
}

static inline twin twin_make(uint32_t seed, twin_suite suite, uint32_t version, uint8_t cid_len) {
    twin t = {.suite = suite,
              .version = version,
              .client = wzp_addr_v4(10, 1, 0, 2, (uint16_t)(10000 + seed % 50000)),
              .server = wzp_addr_v4(10, 1, 0, 1, 4433)};
    uint8_t secret[32];
    t.original = twin_id(seed, 0xaa, 8);
    t.to_client = twin_id(seed, 0xbb, cid_len);
    t.to_server = twin_id(seed, 0xcc, 8);
    for (size_t i = 0; i < sizeof t.random; i++) {
        t.random[i] = (uint8_t)(seed >> (i % 4 * 8)) ^ (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < sizeof t.secrets; i++) {
        t.secrets[i / 48][i % 48] = (uint8_t)((size_t)seed * 31 + i * 17 + i / 48);
    }
    for (size_t i = 0; i < 2; i++) {
        twin_initial(version, &t.original, i == 0 ? "server in" : "client in", secret);
        t.initial[i] = twin_keys_of(TWIN_AES_128, version, secret);
        t.handshake[i] = twin_keys_of(suite, version, t.secrets[i]);
        t.app[i] = twin_keys_of(suite, version, t.secrets[2 + i]);
    }
    return t;
}

/* The four lines of a key log. */
static inline size_t twin_keylog(const twin *t, char *out, size_t cap) {
    static const char *const labels[] = {"SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                         "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                         "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0"};
    char random[65];
    char secret[97];
    size_t at = 0;
    wzp_hex_write(random, wzp_bytes_of(t->random, 32));
    for (size_t i = 0; i < 4; i++) {
        wzp_hex_write(secret, wzp_bytes_of(t->secrets[i], twin_secret_len(t->suite)));
        at += (size_t)snprintf(out + at, cap - at, "%s %s %s\n", labels[i], random, secret);
        twin_must(at < cap);
    }
    return at;
}

static inline const wzp_pcap_quic_cid *twin_dcid(const twin *t, bool to_server, bool is_first) {
    return !to_server ? &t->to_client : is_first ? &t->original : &t->to_server;
}

/* A packet of the handshake with one CRYPTO frame at offset 0. */
static inline void twin_talk(twin *t, wzp_wr *wr, wzp_pcap_quic_type type, bool to_server,
                             wzp_bytes message) {
    uint8_t buf[1500];
    wzp_wr payload;
    const bool is_initial = type == WZP_PCAP_QUIC_INITIAL;
    wzp_wr_init(&payload, buf, sizeof buf);
    twin_crypto(&payload, 0, message);
    const twin_packet p = {.type = type,
                           .dcid = twin_dcid(t, to_server, is_initial),
                           .scid = to_server ? &t->to_client : &t->to_server,
                           .number = t->number[to_server][is_initial ? 0 : 1]++,
                           .pad_to = is_initial && to_server ? 1200 : 0,
                           .payload = wzp_bytes_of(buf, wzp_wr_len(&payload))};
    twin_write(wr, is_initial ? &t->initial[to_server] : &t->handshake[to_server], &p);
}

/* max_datagram_frame_size 65535, initial_max_data 100000 */
static const uint8_t twin_params[] = {0x20, 0x04, 0x80, 0x00, 0xff, 0xff,
                                      0x04, 0x04, 0x80, 0x01, 0x86, 0xa0};

static inline size_t twin_first(twin *t, const char *sni, uint8_t *out, size_t cap) {
    uint8_t buf[1500];
    wzp_wr hello;
    wzp_wr wr;
    wzp_wr_init(&hello, buf, sizeof buf);
    wzp_wr_init(&wr, out, cap);
    twin_client_hello(&hello, t->random, sni, wzp_bytes_of(twin_params, sizeof twin_params));
    twin_talk(t, &wr, WZP_PCAP_QUIC_INITIAL, true, wzp_bytes_of(buf, wzp_wr_len(&hello)));
    return wzp_wr_len(&wr);
}

/* Initial and Handshake of the server in one datagram. */
static inline size_t twin_answer(twin *t, uint8_t *out, size_t cap) {
    uint8_t buf[1500];
    wzp_wr message;
    wzp_wr wr;
    wzp_wr_init(&wr, out, cap);
    wzp_wr_init(&message, buf, sizeof buf);
    twin_server_hello(&message, t->suite);
    twin_talk(t, &wr, WZP_PCAP_QUIC_INITIAL, false, wzp_bytes_of(buf, wzp_wr_len(&message)));
    wzp_wr_init(&message, buf, sizeof buf);
    twin_encrypted_extensions(&message, wzp_bytes_of(twin_params, sizeof twin_params));
    twin_talk(t, &wr, WZP_PCAP_QUIC_HANDSHAKE, false, wzp_bytes_of(buf, wzp_wr_len(&message)));
    return wzp_wr_len(&wr);
}

/* One 1-RTT packet with these frames. */
static inline size_t twin_short(twin *t, bool to_server, wzp_bytes frames, uint8_t *out,
                                size_t cap) {
    wzp_wr wr;
    wzp_wr_init(&wr, out, cap);
    const twin_packet p = {.type = WZP_PCAP_QUIC_1RTT,
                           .dcid = twin_dcid(t, to_server, false),
                           .number = t->number[to_server][2]++,
                           .phase = t->phase[to_server],
                           .payload = frames};
    twin_write(&wr, &t->app[to_server], &p);
    return wzp_wr_len(&wr);
}

static inline void twin_next_keys(twin *t, bool to_server) {
    twin_update(&t->app[to_server]);
    t->phase[to_server] = !t->phase[to_server];
}

#endif
