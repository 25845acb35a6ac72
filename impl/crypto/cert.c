/* The relay's certificate: DER, byte for byte what the deployed relay's library writes (crypto
 * sheet 11.2).
 *
 *   Certificate   SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING signature }
 *   TBS           version 3, serial, algorithm, issuer, validity, subject, public key, [3]
 * localhost */
#include <assert.h>
#include <sodium.h>

#include "crypto/identity.h"
#include "crypto/internal.h"

static const uint8_t oid_ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
static const uint8_t subject_alt_name[] = {0xa3, 0x18, 0x30, 0x16, 0x30, 0x14, 0x06, 0x03, 0x55,
                                           0x1d, 0x11, 0x04, 0x0d, 0x30, 0x0b, 0x82, 0x09, 'l',
                                           'o',  'c',  'a',  'l',  'h',  'o',  's',  't'};

enum {
    TAG_INTEGER = 0x02,
    TAG_BIT_STRING = 0x03,
    TAG_UTF8 = 0x0c,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31
};

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

static void tbs_parts(wzp_wr *wr, const uint8_t pub[WZP_KEY_LEN]) {
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

/* SEQUENCE { the parts of the TBSCertificate }; returns its length. */
static size_t write_tbs(uint8_t out[WZP_CERT_MAX], const uint8_t pub[WZP_KEY_LEN]) {
    uint8_t parts[WZP_CERT_MAX];
    wzp_wr inner;
    wzp_wr outer;
    wzp_wr_init(&inner, parts, sizeof parts);
    tbs_parts(&inner, pub);
    wzp_wr_init(&outer, out, WZP_CERT_MAX);
    der_value(&outer, TAG_SEQUENCE, wzp_bytes_of(parts, wzp_wr_len(&inner)));
    return wzp_wr_len(&outer);
}

static size_t write_certificate(uint8_t out[WZP_CERT_MAX], wzp_bytes tbs,
                                const uint8_t signature[WZP_SIGNATURE_LEN]) {
    wzp_wr wr;
    wzp_wr_init(&wr, out, WZP_CERT_MAX);
    der_header(&wr, TAG_SEQUENCE, tbs.len + sizeof oid_ed25519 + 3 + WZP_SIGNATURE_LEN);
    wzp_wr_bytes(&wr, tbs);
    wzp_wr_bytes(&wr, ALL_OF(oid_ed25519));
    der_bit_string(&wr, wzp_bytes_of(signature, WZP_SIGNATURE_LEN));
    assert(wzp_wr_end(&wr) == WZP_OK); /* every length above is fixed */
    return wzp_wr_len(&wr);
}

/* For the key of out->ed25519_seed. */
static void self_sign(wzp_tls_identity *out) {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t tbs[WZP_CERT_MAX];
    uint8_t signature[WZP_SIGNATURE_LEN];
    uint8_t digest[WZP_SHA256_LEN];

    crypto_sign_seed_keypair(out->ed25519_pub, secret, out->ed25519_seed);
    const size_t tbs_len = write_tbs(tbs, out->ed25519_pub);
    crypto_sign_detached(signature, NULL, tbs, tbs_len, secret);
    wzp_crypto_wipe(secret, sizeof secret);

    out->cert_len = write_certificate(out->cert_der, wzp_bytes_of(tbs, tbs_len), signature);
    wzp_sha256(digest, wzp_bytes_of(out->cert_der, out->cert_len));
    wzp_hex_groups_write(out->fingerprint, wzp_bytes_of(digest, sizeof digest), 1);
}

void wzp_tls_identity_from_seed(wzp_tls_identity *out, const uint8_t seed[WZP_KEY_LEN]) {
    wzp_seed_derive(out->ed25519_seed, seed, "wzp-tls-ed25519");
    self_sign(out);
}

void wzp_tls_identity_of(wzp_tls_identity *out, const wzp_identity *identity) {
    memcpy(out->ed25519_seed, identity->ed25519_seed, WZP_KEY_LEN);
    self_sign(out);
}

void wzp_tls_identity_clear(wzp_tls_identity *tls) {
    wzp_crypto_wipe(tls, sizeof *tls);
}
