/* The 64-bit value by which the deployed desktop client remembers a relay's certificate (crypto
 * sheet 11.3).  Far too short to pin a key: ours pins SHA-256, this is for comparing with theirs.
 */
#ifndef WZP_CRYPTO_SIPHASH_H
#define WZP_CRYPTO_SIPHASH_H

#include "base/bytes.h"

/* SipHash-1-3 with a zero key over u64le(length) || der; printed as %016x there. */
uint64_t wzp_siphash13_tofu(wzp_bytes der);

#endif
