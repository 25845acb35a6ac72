/* Shared by the files of this folder only. */
#ifndef WZP_CRYPTO_INTERNAL_H
#define WZP_CRYPTO_INTERNAL_H

#include "crypto/crypto.h"

/* HKDF(seed, no salt, info, 32): every key of an identity comes from its seed this way. */
void wzp_seed_derive(uint8_t out[WZP_KEY_LEN], const uint8_t seed[WZP_KEY_LEN], const char *info);

/* Hexadecimal digits in groups of `group` bytes joined by ':', and a terminator. */
void wzp_hex_groups_write(char *out, wzp_bytes bytes, size_t group);

#endif
