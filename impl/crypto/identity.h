/* What one 32-byte seed gives: signing key, key-agreement key, fingerprint, relay certificate; and
 * the hashes of room names (crypto sheet 1, 11.2; wire sheet 2.3, 2.6, 5.11). */
#ifndef WZP_CRYPTO_IDENTITY_H
#define WZP_CRYPTO_IDENTITY_H

#include "crypto/crypto.h"
#include "wire/federation.h"

#define WZP_FINGERPRINT_LEN 16
#define WZP_FINGERPRINT_TEXT 39     /* without the terminator */
#define WZP_TLS_FINGERPRINT_TEXT 95 /* without the terminator */
#define WZP_ROOM_SNI_LEN 32
#define WZP_CERT_MAX 320

/* Holds secrets: wipe with wzp_identity_clear. */
typedef struct wzp_identity {
    uint8_t ed25519_seed[WZP_KEY_LEN];
    uint8_t ed25519_secret[64]; /* libsodium's form: seed || public key */
    uint8_t ed25519_pub[WZP_KEY_LEN];
    uint8_t x25519_scalar[WZP_KEY_LEN]; /* unclamped; used by no message today */
    uint8_t x25519_pub[WZP_KEY_LEN];
    char fingerprint[WZP_FINGERPRINT_TEXT + 1];
} wzp_identity;

void wzp_identity_from_seed(wzp_identity *out, const uint8_t seed[WZP_KEY_LEN]);
void wzp_identity_clear(wzp_identity *identity);

/* First 16 bytes of SHA-256(ed25519_pub), and their printed form "xxxx:xxxx:...". */
void wzp_fingerprint(uint8_t out[WZP_FINGERPRINT_LEN], const uint8_t ed25519_pub[WZP_KEY_LEN]);
void wzp_fingerprint_write(char out[WZP_FINGERPRINT_TEXT + 1],
                           const uint8_t fingerprint[WZP_FINGERPRINT_LEN]);
void wzp_fingerprint_text(char out[WZP_FINGERPRINT_TEXT + 1],
                          const uint8_t ed25519_pub[WZP_KEY_LEN]);

/* Every hex digit in the text counts, everything else is skipped; the first 16 bytes are used.
 * WZP_ERR_HEX: an odd number of digits or fewer than 32. */
WZP_MUST_USE wzp_err wzp_fingerprint_parse(uint8_t out[WZP_FINGERPRINT_LEN], wzp_bytes text);

/* A TLS key and its self-signed certificate.  Holds a secret: wipe with the clear function. */
typedef struct wzp_tls_identity {
    uint8_t ed25519_seed[WZP_KEY_LEN];
    uint8_t ed25519_pub[WZP_KEY_LEN];
    uint8_t cert_der[WZP_CERT_MAX];
    size_t cert_len;
    char fingerprint[WZP_TLS_FINGERPRINT_TEXT + 1]; /* SHA-256 of the certificate */
} wzp_tls_identity;

/* A relay's. */
void wzp_tls_identity_from_seed(wzp_tls_identity *out, const uint8_t seed[WZP_KEY_LEN]);
/* A client's, for direct calls: the key is the identity itself, so that who sees the certificate
 * can compare it with a fingerprint (nat sheet 1.23, U16). */
void wzp_tls_identity_of(wzp_tls_identity *out, const wzp_identity *identity);
void wzp_tls_identity_clear(wzp_tls_identity *tls);

/* SNI of a room as the web bridge sends it: 32 hex digits and a terminator. */
void wzp_room_sni_hash(char out[WZP_ROOM_SNI_LEN + 1], wzp_bytes room);

/* Tag of a room in federation datagrams. */
void wzp_room_hash(uint8_t out[WZP_ROOM_HASH_LEN], wzp_bytes room);

#endif
