/* A media session: seals and opens payloads, refuses replays, rekeys (crypto sheet 6-8).
 *
 * The construction is the deployed one, weaknesses included (crypto sheet 6.4): the nonce is
 * session_id || seq || 0, the same in both directions and for all streams.  Whoever seals must
 * therefore draw the sequence numbers of all streams from one counter.
 *
 * Not thread-safe.  Sealing never allocates; opening allocates a replay window of some 150 bytes at
 * the first authentic packet of a (stream_id, media_type), and never after it. */
#ifndef WZP_CRYPTO_SESSION_H
#define WZP_CRYPTO_SESSION_H

#include "base/time.h"
#include "crypto/handshake.h"
#include "crypto/replay.h"
#include "wire/media.h"

#define WZP_TAG_LEN 16
#define WZP_NONCE_LEN 12
#define WZP_REKEY_PACKETS 65536
#define WZP_REKEY_GRACE (2 * WZP_S) /* the old key still opens for so long */

typedef struct wzp_session wzp_session;

/* Copies `keys`.  NULL when out of memory. */
wzp_session *wzp_session_new(const wzp_session_keys *keys);
void wzp_session_free(wzp_session **session); /* wipes */

/* `hdr` are the 16 header bytes as on the wire.  `out` has room for payload.len + WZP_TAG_LEN;
 * in-place (out == payload.data) is allowed.  A quality report is not part of the payload: it
 * follows the tag in clear (crypto sheet 6.3).
 * Errors of wzp_media_hdr_parse: nothing written. */
WZP_MUST_USE wzp_err wzp_session_seal(wzp_session *session, wzp_bytes hdr, wzp_bytes payload,
                                      uint8_t *out);

/* `sealed` is ciphertext || tag, without a quality report.  `out` has room for sealed.len -
 * WZP_TAG_LEN; in-place (out == sealed.data) is allowed.  The window moves only after a good tag.
 * DECRYPT, REPLAY: nothing of the plaintext is left in `out`; drop the packet, go on.
 * NOMEM: no memory for a new window, likewise.  Errors of wzp_media_hdr_parse. */
WZP_MUST_USE wzp_err wzp_session_open(wzp_session *session, wzp_bytes hdr, wzp_bytes sealed,
                                      uint8_t *out, wzp_time now);

/* True once WZP_REKEY_PACKETS were sealed and opened since the last rekey. */
bool wzp_session_rekey_due(const wzp_session *session);

/* Makes a fresh key pair and keeps the secret pending; a second call replaces it. */
void wzp_session_rekey_begin(wzp_session *session, wzp_rng rng, uint8_t pub[WZP_KEY_LEN]);

/* Mixes the peer's new public key in.  Sequence numbers, timestamps, replay windows and SAS stay.
 * NO_PENDING_REKEY, KEY_AGREEMENT: nothing changed. */
WZP_MUST_USE wzp_err wzp_session_rekey_complete(wzp_session *session,
                                                const uint8_t peer_pub[WZP_KEY_LEN], wzp_time now);

/* Borrowed until the next rekey or free. */
const wzp_session_keys *wzp_session_keys_of(const wzp_session *session);

/* For vectors: the nonce of a sequence number. */
void wzp_session_nonce(uint8_t nonce[WZP_NONCE_LEN], const uint8_t session_id[WZP_SESSION_ID_LEN],
                       uint32_t seq);

/* For vectors and rekeying: HKDF(X25519(secret, peer), salt = old key, "warzone-rekey").  The SAS
 * stays.  KEY_AGREEMENT: `keys` as before. */
WZP_MUST_USE wzp_err wzp_rekey_derive(wzp_session_keys *keys, const uint8_t secret[WZP_KEY_LEN],
                                      const uint8_t peer_pub[WZP_KEY_LEN]);

#endif
