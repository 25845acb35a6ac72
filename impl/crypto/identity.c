#include "crypto/identity.h"

#include <sodium.h>

#include "base/hex.h"

static void derive(uint8_t out[WZP_KEY_LEN], const uint8_t seed[WZP_KEY_LEN], const char *info) {
    wzp_hkdf(out, WZP_KEY_LEN, wzp_bytes_of(seed, WZP_KEY_LEN), wzp_bytes_of(NULL, 0), info);
}

void wzp_identity_from_seed(wzp_identity *out, const uint8_t seed[WZP_KEY_LEN]) {
    derive(out->ed25519_seed, seed, "warzone-ed25519");
    crypto_sign_seed_keypair(out->ed25519_pub, out->ed25519_secret, out->ed25519_seed);
    derive(out->x25519_scalar, seed, "warzone-x25519");
    crypto_scalarmult_base(out->x25519_pub, out->x25519_scalar);
    wzp_fingerprint_text(out->fingerprint, out->ed25519_pub);
}

void wzp_identity_clear(wzp_identity *identity) {
    wzp_crypto_wipe(identity, sizeof *identity);
}

void wzp_fingerprint(uint8_t out[WZP_FINGERPRINT_LEN], const uint8_t ed25519_pub[WZP_KEY_LEN]) {
    uint8_t digest[WZP_SHA256_LEN];
    wzp_sha256(digest, wzp_bytes_of(ed25519_pub, WZP_KEY_LEN));
    memcpy(out, digest, WZP_FINGERPRINT_LEN);
}

/* Hex digits in groups of `group` bytes, joined by ':'. */
static void write_groups(char *out, const uint8_t *bytes, size_t len, size_t group) {
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && i % group == 0) {
            *out++ = ':';
        }
        wzp_hex_write(out, wzp_bytes_of(bytes + i, 1));
        out += 2;
    }
}

void wzp_fingerprint_text(char out[WZP_FINGERPRINT_TEXT + 1],
                          const uint8_t ed25519_pub[WZP_KEY_LEN]) {
    uint8_t raw[WZP_FINGERPRINT_LEN];
    wzp_fingerprint(raw, ed25519_pub);
    write_groups(out, raw, sizeof raw, 2);
}

wzp_err wzp_fingerprint_parse(uint8_t out[WZP_FINGERPRINT_LEN], wzp_bytes text) {
    char digits[2 * WZP_FINGERPRINT_LEN];
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        const bool is_hex =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (is_hex && count < sizeof digits) {
            digits[count] = (char)c;
        }
        count += is_hex ? 1 : 0;
    }
    if (count % 2 != 0 || count < sizeof digits) {
        return WZP_ERR_HEX;
    }
    return wzp_hex_parse(out, WZP_FINGERPRINT_LEN, digits, sizeof digits, NULL);
}

/* --- certificate: exactly what the deployed relay's library writes (crypto sheet 11.2) ---------- */

static const uint8_t oid_ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
static const uint8_t subject_alt_name[] = {0xa3, 0x18, 0x30, 0x16, 0x30, 0x14, 0x06, 0x03, 0x55,
                                           0x1d, 0x11, 0x04, 0x0d, 0x30, 0x0b, 0x82, 0x09, 'l',
                                           'o',  'c',  'a',  'l',  'h',  'o',  's',  't'};

enum { TAG_INTEGER = 0x02, TAG_BIT_STRING = 0x03, TAG_UTF8 = 0x0c, TAG_UTC_TIME = 0x17,
       TAG_GENERALIZED_TIME = 0x18, TAG_SEQUENCE = 0x30, TAG_SET = 0x31 };

static void der_header(wzp_wr *wr, uint8_t tag, size_t len) {
    wzp_wr_u8(wr, tag);
    if (len >= 256) {
        wzp_wr_u8(wr, 0x82);
        wzp_wr_u16(wr, (uint16_t)len);
        return;
    }
    if (len >= 128) {
        wzp_wr_u8(wr, 0x81);
    }
    wzp_wr_u8(wr, (uint8_t)len);
}

static void der_value(wzp_wr *wr, uint8_t tag, wzp_bytes content) {
    der_header(wr, tag, content.len);
    wzp_wr_bytes(wr, content);
}

#define ALL_OF(array) wzp_bytes_of(array, sizeof(array))

static void der_name(wzp_wr *wr) {
    const wzp_bytes name = wzp_bytes_str("rcgen self signed cert");
    const size_t attribute = sizeof oid_common_name + 2 + name.len;
    der_header(wr, TAG_SEQUENCE, attribute + 4);
    der_header(wr, TAG_SET, attribute + 2);
    der_header(wr, TAG_SEQUENCE, attribute);
    wzp_wr_bytes(wr, ALL_OF(oid_common_name));
    der_value(wr, TAG_UTF8, name);
}

static void der_validity(wzp_wr *wr) {
    const wzp_bytes from = wzp_bytes_str("750101000000Z");
    const wzp_bytes until = wzp_bytes_str("40960101000000Z");
    der_header(wr, TAG_SEQUENCE, 4 + from.len + until.len);
    der_value(wr, TAG_UTC_TIME, from);
    der_value(wr, TAG_GENERALIZED_TIME, until);
}

static void der_bit_string(wzp_wr *wr, wzp_bytes content) {
    der_header(wr, TAG_BIT_STRING, content.len + 1);
    wzp_wr_u8(wr, 0); /* no unused bits */
    wzp_wr_bytes(wr, content);
}

/* First 20 bytes of SHA-256(public key) as a positive number without leading zeros. */
static void der_serial(wzp_wr *wr, const uint8_t pub[WZP_KEY_LEN]) {
    uint8_t digest[WZP_SHA256_LEN];
    wzp_sha256(digest, wzp_bytes_of(pub, WZP_KEY_LEN));
    digest[0] &= 0x7f;
    size_t skip = 0;
    while (skip < 19 && digest[skip] == 0 && (digest[skip + 1] & 0x80) == 0) {
        skip++;
    }
    der_value(wr, TAG_INTEGER, wzp_bytes_of(digest + skip, 20 - skip));
}

static void der_tbs(wzp_wr *wr, const uint8_t pub[WZP_KEY_LEN]) {
    wzp_wr_bytes(wr, ALL_OF(version_3));
    der_serial(wr, pub);
    wzp_wr_bytes(wr, ALL_OF(oid_ed25519));
    der_name(wr);
    der_validity(wr);
    der_name(wr);
    der_header(wr, TAG_SEQUENCE, sizeof oid_ed25519 + 3 + WZP_KEY_LEN);
    wzp_wr_bytes(wr, ALL_OF(oid_ed25519));
    der_bit_string(wr, wzp_bytes_of(pub, WZP_KEY_LEN));
    wzp_wr_bytes(wr, ALL_OF(subject_alt_name));
}

void wzp_tls_identity_from_seed(wzp_tls_identity *out, const uint8_t seed[WZP_KEY_LEN]) {
    uint8_t secret[64];
    uint8_t content[WZP_CERT_MAX];
    uint8_t tbs[WZP_CERT_MAX];
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_wr wr;

    derive(out->ed25519_seed, seed, "wzp-tls-ed25519");
    crypto_sign_seed_keypair(out->ed25519_pub, secret, out->ed25519_seed);

    wzp_wr_init(&wr, content, sizeof content);
    der_tbs(&wr, out->ed25519_pub);
    const size_t content_len = wzp_wr_len(&wr);
    wzp_wr_init(&wr, tbs, sizeof tbs);
    der_value(&wr, TAG_SEQUENCE, wzp_bytes_of(content, content_len));
    const wzp_bytes signed_part = wzp_bytes_of(tbs, wzp_wr_len(&wr));
    crypto_sign_detached(signature, NULL, signed_part.data, signed_part.len, secret);
    sodium_memzero(secret, sizeof secret);

    wzp_wr_init(&wr, out->cert_der, sizeof out->cert_der);
    der_header(&wr, TAG_SEQUENCE,
               signed_part.len + sizeof oid_ed25519 + 3 + WZP_SIGNATURE_LEN);
    wzp_wr_bytes(&wr, signed_part);
    wzp_wr_bytes(&wr, ALL_OF(oid_ed25519));
    der_bit_string(&wr, wzp_bytes_of(signature, sizeof signature));
    out->cert_len = wzp_wr_len(&wr);

    uint8_t digest[WZP_SHA256_LEN];
    wzp_sha256(digest, wzp_bytes_of(out->cert_der, out->cert_len));
    write_groups(out->fingerprint, digest, sizeof digest, 1);
}

void wzp_tls_identity_clear(wzp_tls_identity *tls) {
    wzp_crypto_wipe(tls, sizeof *tls);
}

/* --- rooms --------------------------------------------------------------------------------------- */

void wzp_room_sni_hash(char out[WZP_ROOM_SNI_LEN + 1], wzp_bytes room) {
    static const char prefix[] = "featherchat-group:";
    crypto_hash_sha256_state state;
    uint8_t digest[WZP_SHA256_LEN];
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)prefix, sizeof prefix - 1);
    crypto_hash_sha256_update(&state, room.data, room.len);
    crypto_hash_sha256_final(&state, digest);
    wzp_hex_write(out, wzp_bytes_of(digest, WZP_ROOM_SNI_LEN / 2));
}

void wzp_room_hash(uint8_t out[WZP_ROOM_HASH_LEN], wzp_bytes room) {
    uint8_t digest[WZP_SHA256_LEN];
    wzp_sha256(digest, room);
    memcpy(out, digest, WZP_ROOM_HASH_LEN);
}
