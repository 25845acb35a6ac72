#include "crypto/identity.h"

#include <sodium.h>

#include "base/hex.h"
#include "crypto/internal.h"

void wzp_seed_derive(uint8_t out[WZP_KEY_LEN], const uint8_t seed[WZP_KEY_LEN], const char *info) {
    wzp_hkdf(out, WZP_KEY_LEN, wzp_bytes_of(seed, WZP_KEY_LEN), wzp_bytes_of(NULL, 0), info);
}

void wzp_identity_from_seed(wzp_identity *out, const uint8_t seed[WZP_KEY_LEN]) {
    wzp_seed_derive(out->ed25519_seed, seed, "warzone-ed25519");
    crypto_sign_seed_keypair(out->ed25519_pub, out->ed25519_secret, out->ed25519_seed);
    wzp_seed_derive(out->x25519_scalar, seed, "warzone-x25519");
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

void wzp_hex_groups_write(char *out, wzp_bytes bytes, size_t group) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (i > 0 && i % group == 0) {
            *out++ = ':';
        }
        wzp_hex_write(out, wzp_bytes_of(bytes.data + i, 1));
        out += 2;
    }
}

void wzp_fingerprint_write(char out[WZP_FINGERPRINT_TEXT + 1],
                           const uint8_t fingerprint[WZP_FINGERPRINT_LEN]) {
    wzp_hex_groups_write(out, wzp_bytes_of(fingerprint, WZP_FINGERPRINT_LEN), 2);
}

void wzp_fingerprint_text(char out[WZP_FINGERPRINT_TEXT + 1],
                          const uint8_t ed25519_pub[WZP_KEY_LEN]) {
    uint8_t raw[WZP_FINGERPRINT_LEN];
    wzp_fingerprint(raw, ed25519_pub);
    wzp_fingerprint_write(out, raw);
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
