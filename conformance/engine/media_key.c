#include "conformance/engine/media_key.h"

#include <sodium.h>

enum { NONCE = 12 };

/* id || seq || 0, the seq as in the header. */
static void make_nonce(uint8_t nonce[NONCE], const wzp_ct_media_key *key, const uint8_t hdr[16]) {
    memset(nonce, 0, NONCE);
    memcpy(nonce, key->id, sizeof key->id);
    memcpy(nonce + sizeof key->id, hdr + 6, 4);
}

static bool derive(wzp_ct_media_key *out, const wzp_ephemeral *own, const uint8_t *peer,
                   wzp_bytes salt, const char *info) {
    uint8_t shared[WZP_KEY_LEN];
    uint8_t digest[WZP_SHA256_LEN];
    if (wzp_x25519(shared, own->secret, peer) != WZP_OK) {
        return false;
    }
    wzp_hkdf(out->key, sizeof out->key, wzp_bytes_of(shared, sizeof shared), salt, info);
    wzp_sha256(digest, wzp_bytes_of(out->key, sizeof out->key));
    memcpy(out->id, digest, sizeof out->id);
    return true;
}

bool wzp_ct_media_key_first(wzp_ct_media_key *out, const wzp_ephemeral *own,
                            const uint8_t peer[WZP_KEY_LEN]) {
    return derive(out, own, peer, wzp_bytes_of(NULL, 0), "warzone-session-key");
}

bool wzp_ct_media_key_next(wzp_ct_media_key *key, const wzp_ephemeral *own,
                           const uint8_t peer[WZP_KEY_LEN]) {
    const wzp_ct_media_key old = *key;
    return derive(key, own, peer, wzp_bytes_of(old.key, sizeof old.key), "warzone-rekey");
}

void wzp_ct_media_key_seal(const wzp_ct_media_key *key, const uint8_t hdr[16], wzp_bytes payload,
                           uint8_t *out) {
    uint8_t nonce[NONCE];
    make_nonce(nonce, key, hdr);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, payload.data, payload.len, hdr, 16, NULL,
                                              nonce, key->key);
}

bool wzp_ct_media_key_open(const wzp_ct_media_key *key, const uint8_t hdr[16], wzp_bytes sealed,
                           uint8_t *out) {
    uint8_t nonce[NONCE];
    if (sealed.len < WZP_CT_TAG) {
        return false;
    }
    const size_t len = sealed.len - WZP_CT_TAG;
    make_nonce(nonce, key, hdr);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               out, NULL, sealed.data, len, sealed.data + len, hdr, 16, nonce, key->key) == 0;
}
