/* The CallOffer/CallAnswer handshake: ephemeral keys, signatures, session key (crypto sheet 4). */
#ifndef WZP_CRYPTO_HANDSHAKE_H
#define WZP_CRYPTO_HANDSHAKE_H

#include "base/rng.h"
#include "crypto/identity.h"

#define WZP_SESSION_ID_LEN 4

typedef enum wzp_handshake_role { WZP_ROLE_OFFER, WZP_ROLE_ANSWER } wzp_handshake_role;

/* Holds a secret: wipe after wzp_handshake_derive. */
typedef struct wzp_ephemeral {
    uint8_t secret[WZP_KEY_LEN];
    uint8_t pub[WZP_KEY_LEN];
} wzp_ephemeral;

typedef struct wzp_session_keys {
    uint8_t key[WZP_KEY_LEN];
    uint8_t session_id[WZP_SESSION_ID_LEN];
    uint16_t sas; /* 0..9999, print with %04u */
} wzp_session_keys;

void wzp_ephemeral_new(wzp_ephemeral *out, wzp_rng rng);
void wzp_ephemeral_from_secret(wzp_ephemeral *out, const uint8_t secret[WZP_KEY_LEN]);

/* Ed25519 over ephemeral_pub || "call-offer" or "call-answer". */
void wzp_handshake_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity,
                        wzp_handshake_role role, const uint8_t ephemeral_pub[WZP_KEY_LEN]);

/* WZP_ERR_SIGNATURE: another length than 64, a bad key, or it does not verify (strict check). */
WZP_MUST_USE wzp_err wzp_handshake_verify(wzp_bytes signature,
                                          const uint8_t identity_pub[WZP_KEY_LEN],
                                          wzp_handshake_role role,
                                          const uint8_t ephemeral_pub[WZP_KEY_LEN]);

/* The same key at both ends, whatever their roles.  WZP_ERR_KEY_AGREEMENT: the peer's key gives an
 * all-zero secret; end the handshake. */
WZP_MUST_USE wzp_err wzp_handshake_derive(wzp_session_keys *out, const wzp_ephemeral *own,
                                          const uint8_t peer_pub[WZP_KEY_LEN]);

/* The two halves of wzp_handshake_derive, for vectors and for rekeying. */
WZP_MUST_USE wzp_err wzp_x25519(uint8_t shared[WZP_KEY_LEN], const uint8_t secret[WZP_KEY_LEN],
                                const uint8_t peer_pub[WZP_KEY_LEN]);
void wzp_session_keys_from_shared(wzp_session_keys *out, const uint8_t shared[WZP_KEY_LEN]);

/* SHA-256(key)[0..4]: tells the nonces of two keys apart, never sent. */
void wzp_session_id_of(uint8_t session_id[WZP_SESSION_ID_LEN], const uint8_t key[WZP_KEY_LEN]);

/* Ed25519 over new_ephemeral_pub || session_id, the 4 bytes that both ends have before the rekey
 * (crypto sheet 8). */
void wzp_rekey_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity,
                    const uint8_t ephemeral_pub[WZP_KEY_LEN],
                    const uint8_t session_id[WZP_SESSION_ID_LEN]);
WZP_MUST_USE wzp_err wzp_rekey_verify(wzp_bytes signature, const uint8_t identity_pub[WZP_KEY_LEN],
                                      const uint8_t ephemeral_pub[WZP_KEY_LEN],
                                      const uint8_t session_id[WZP_SESSION_ID_LEN]);

/* Ed25519 over "register-presence" || identity_pub, as specified (crypto sheet 5). */
void wzp_presence_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity);
WZP_MUST_USE wzp_err wzp_presence_verify(wzp_bytes signature,
                                         const uint8_t identity_pub[WZP_KEY_LEN]);

#endif
