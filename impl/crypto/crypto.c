#include "crypto/crypto.h"

#include <assert.h>
#include <sodium.h>

wzp_err wzp_crypto_init(void) {
    return sodium_init() >= 0 ? WZP_OK : WZP_ERR_CRYPTO_LIB;
}

void wzp_sha256(uint8_t out[WZP_SHA256_LEN], wzp_bytes input) {
    crypto_hash_sha256(out, input.data, input.len);
}

void wzp_hkdf(uint8_t *out, size_t out_len, wzp_bytes ikm, wzp_bytes salt, const char *info) {
    static const uint8_t zeros[WZP_SHA256_LEN];
    uint8_t prk[WZP_SHA256_LEN];
    uint8_t block[WZP_SHA256_LEN];
    crypto_auth_hmacsha256_state hmac;
    assert(out_len <= 255 * sizeof block);

    crypto_auth_hmacsha256_init(&hmac, salt.len != 0 ? salt.data : zeros,
                                salt.len != 0 ? salt.len : sizeof zeros);
    crypto_auth_hmacsha256_update(&hmac, ikm.data, ikm.len);
    crypto_auth_hmacsha256_final(&hmac, prk);

    size_t done = 0;
    for (uint8_t counter = 1; done < out_len; counter++) {
        crypto_auth_hmacsha256_init(&hmac, prk, sizeof prk);
        if (counter > 1) {
            crypto_auth_hmacsha256_update(&hmac, block, sizeof block);
        }
        crypto_auth_hmacsha256_update(&hmac, (const uint8_t *)info, strlen(info));
        crypto_auth_hmacsha256_update(&hmac, &counter, 1);
        crypto_auth_hmacsha256_final(&hmac, block);
        const size_t n = out_len - done < sizeof block ? out_len - done : sizeof block;
        memcpy(out + done, block, n);
        done += n;
    }
    sodium_memzero(prk, sizeof prk);
    sodium_memzero(block, sizeof block);
    sodium_memzero(&hmac, sizeof hmac);
}

bool wzp_crypto_equal(const void *a, const void *b, size_t len) {
    return sodium_memcmp(a, b, len) == 0;
}

void wzp_crypto_wipe(void *secret, size_t len) {
    sodium_memzero(secret, len);
}
