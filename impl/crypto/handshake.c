#include "crypto/handshake.h"

#include <sodium.h>

void wzp_ephemeral_from_secret(wzp_ephemeral *out, const uint8_t secret[WZP_KEY_LEN]) {
    memcpy(out->secret, secret, WZP_KEY_LEN);
    crypto_scalarmult_base(out->pub, out->secret);
}

void wzp_ephemeral_new(wzp_ephemeral *out, wzp_rng rng) {
    uint8_t secret[WZP_KEY_LEN];
    wzp_rng_fill(rng, secret, sizeof secret);
    wzp_ephemeral_from_secret(out, secret);
    wzp_crypto_wipe(secret, sizeof secret);
}

enum { SIGNED_MAX = WZP_KEY_LEN + 11 };

/* ephemeral_pub || label; returns the length. */
static size_t signed_bytes(uint8_t out[SIGNED_MAX], wzp_handshake_role role,
                           const uint8_t ephemeral_pub[WZP_KEY_LEN]) {
    const wzp_bytes label = wzp_bytes_str(role == WZP_ROLE_OFFER ? "call-offer" : "call-answer");
    memcpy(out, ephemeral_pub, WZP_KEY_LEN);
    memcpy(out + WZP_KEY_LEN, label.data, label.len);
    return WZP_KEY_LEN + label.len;
}

static wzp_err verify(wzp_bytes signature, const uint8_t *message, size_t len,
                      const uint8_t identity_pub[WZP_KEY_LEN]) {
    if (signature.len != WZP_SIGNATURE_LEN ||
        crypto_sign_verify_detached(signature.data, message, len, identity_pub) != 0) {
        return WZP_ERR_SIGNATURE;
    }
    return WZP_OK;
}

void wzp_handshake_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity,
                        wzp_handshake_role role, const uint8_t ephemeral_pub[WZP_KEY_LEN]) {
    uint8_t message[SIGNED_MAX];
    const size_t len = signed_bytes(message, role, ephemeral_pub);
    crypto_sign_detached(signature, NULL, message, len, identity->ed25519_secret);
}

wzp_err wzp_handshake_verify(wzp_bytes signature, const uint8_t identity_pub[WZP_KEY_LEN],
                             wzp_handshake_role role, const uint8_t ephemeral_pub[WZP_KEY_LEN]) {
    uint8_t message[SIGNED_MAX];
    const size_t len = signed_bytes(message, role, ephemeral_pub);
    return verify(signature, message, len, identity_pub);
}

wzp_err wzp_x25519(uint8_t shared[WZP_KEY_LEN], const uint8_t secret[WZP_KEY_LEN],
                   const uint8_t peer_pub[WZP_KEY_LEN]) {
    uint8_t result[WZP_KEY_LEN];
    const bool ok = crypto_scalarmult(result, secret, peer_pub) == 0;
    if (ok) {
        memcpy(shared, result, sizeof result);
        wzp_crypto_wipe(result, sizeof result);
    }
    return ok ? WZP_OK : WZP_ERR_KEY_AGREEMENT;
}

void wzp_session_id_of(uint8_t session_id[WZP_SESSION_ID_LEN], const uint8_t key[WZP_KEY_LEN]) {
    uint8_t digest[WZP_SHA256_LEN];
    wzp_sha256(digest, wzp_bytes_of(key, WZP_KEY_LEN));
    memcpy(session_id, digest, WZP_SESSION_ID_LEN);
    wzp_crypto_wipe(digest, sizeof digest);
}

void wzp_session_keys_from_shared(wzp_session_keys *out, const uint8_t shared[WZP_KEY_LEN]) {
    const wzp_bytes ikm = wzp_bytes_of(shared, WZP_KEY_LEN);
    const wzp_bytes no_salt = wzp_bytes_of(NULL, 0);
    uint8_t sas[4];
    wzp_hkdf(out->key, sizeof out->key, ikm, no_salt, "warzone-session-key");
    wzp_session_id_of(out->session_id, out->key);
    wzp_hkdf(sas, sizeof sas, ikm, no_salt, "warzone-sas-code");
    const uint32_t number =
        (uint32_t)sas[0] << 24 | (uint32_t)sas[1] << 16 | (uint32_t)sas[2] << 8 | sas[3];
    out->sas = (uint16_t)(number % 10000);
    wzp_crypto_wipe(sas, sizeof sas);
}

wzp_err wzp_handshake_derive(wzp_session_keys *out, const wzp_ephemeral *own,
                             const uint8_t peer_pub[WZP_KEY_LEN]) {
    uint8_t shared[WZP_KEY_LEN];
    const wzp_err err = wzp_x25519(shared, own->secret, peer_pub);
    if (err == WZP_OK) {
        wzp_session_keys_from_shared(out, shared);
        wzp_crypto_wipe(shared, sizeof shared);
    }
    return err;
}

enum { REKEY_SIGNED = WZP_KEY_LEN + WZP_SESSION_ID_LEN };

static void rekey_bytes(uint8_t out[REKEY_SIGNED], const uint8_t ephemeral_pub[WZP_KEY_LEN],
                        const uint8_t session_id[WZP_SESSION_ID_LEN]) {
    memcpy(out, ephemeral_pub, WZP_KEY_LEN);
    memcpy(out + WZP_KEY_LEN, session_id, WZP_SESSION_ID_LEN);
}

void wzp_rekey_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity,
                    const uint8_t ephemeral_pub[WZP_KEY_LEN],
                    const uint8_t session_id[WZP_SESSION_ID_LEN]) {
    uint8_t message[REKEY_SIGNED];
    rekey_bytes(message, ephemeral_pub, session_id);
    crypto_sign_detached(signature, NULL, message, sizeof message, identity->ed25519_secret);
}

wzp_err wzp_rekey_verify(wzp_bytes signature, const uint8_t identity_pub[WZP_KEY_LEN],
                         const uint8_t ephemeral_pub[WZP_KEY_LEN],
                         const uint8_t session_id[WZP_SESSION_ID_LEN]) {
    uint8_t message[REKEY_SIGNED];
    rekey_bytes(message, ephemeral_pub, session_id);
    return verify(signature, message, sizeof message, identity_pub);
}

enum { PRESENCE_LABEL = 17 };

static void presence_bytes(uint8_t out[PRESENCE_LABEL + WZP_KEY_LEN],
                           const uint8_t identity_pub[WZP_KEY_LEN]) {
    memcpy(out, "register-presence", PRESENCE_LABEL);
    memcpy(out + PRESENCE_LABEL, identity_pub, WZP_KEY_LEN);
}

void wzp_presence_sign(uint8_t signature[WZP_SIGNATURE_LEN], const wzp_identity *identity) {
    uint8_t message[PRESENCE_LABEL + WZP_KEY_LEN];
    presence_bytes(message, identity->ed25519_pub);
    crypto_sign_detached(signature, NULL, message, sizeof message, identity->ed25519_secret);
}

wzp_err wzp_presence_verify(wzp_bytes signature, const uint8_t identity_pub[WZP_KEY_LEN]) {
    uint8_t message[PRESENCE_LABEL + WZP_KEY_LEN];
    presence_bytes(message, identity_pub);
    return verify(signature, message, sizeof message, identity_pub);
}
