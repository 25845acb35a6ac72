/* The seed as 24 English words (BIP39), where the seed is the entropy itself: no passphrase, no
 * stretching (crypto sheet 1.1). */
#ifndef WZP_CRYPTO_MNEMONIC_H
#define WZP_CRYPTO_MNEMONIC_H

#include "crypto/crypto.h"

#define WZP_BIP39_WORDS 2048
#define WZP_MNEMONIC_COUNT 24

/* Words of at most 8 letters, separators, the terminator. */
#define WZP_MNEMONIC_MAX (WZP_MNEMONIC_COUNT * 9)

extern const char *const wzp_bip39_english[WZP_BIP39_WORDS];

/* Lower case, single spaces, terminated. */
void wzp_mnemonic_write(char out[WZP_MNEMONIC_MAX], const uint8_t seed[WZP_KEY_LEN]);

/* Any run of white space separates words, the spaces of Unicode included; the list is matched
 * case-sensitively.
 * WZP_ERR_MNEMONIC: *fail (may be NULL) has field "word", "word count" or "checksum"; for the first
 * two the byte offset of the offending word and, in `got`, its number from 1 or the count. */
WZP_MUST_USE wzp_err wzp_mnemonic_parse(uint8_t seed[WZP_KEY_LEN], wzp_bytes text, wzp_fail *fail);

#endif
