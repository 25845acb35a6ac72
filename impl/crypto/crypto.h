/* The primitives that the other headers build on (crypto sheet, notation): SHA-256, HKDF-SHA256,
 * comparison and wiping of secrets.  libsodium underneath; nothing here draws randomness. */
#ifndef WZP_CRYPTO_CRYPTO_H
#define WZP_CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_SHA256_LEN 32
#define WZP_KEY_LEN 32
#define WZP_SIGNATURE_LEN 64

/* Picks the fastest code for this processor.  Optional: call it once, early, from main(), before
 * threads; nothing else depends on it, yet without it the portable code is used.  The library then
 * reads the system's random source for its own purposes; no result of ours comes from there.
 * WZP_ERR_CRYPTO_LIB: the library cannot work here. */
WZP_MUST_USE wzp_err wzp_crypto_init(void);

void wzp_sha256(uint8_t out[WZP_SHA256_LEN], wzp_bytes input);

/* RFC 5869.  An empty salt means 32 zero bytes.  At most 255 * 32 bytes of output. */
void wzp_hkdf(uint8_t *out, size_t out_len, wzp_bytes ikm, wzp_bytes salt, const char *info);

/* Constant time in the content. */
bool wzp_crypto_equal(const void *a, const void *b, size_t len);
void wzp_crypto_wipe(void *secret, size_t len);

#endif
