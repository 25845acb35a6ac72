/* How a client's media travel: in clear inside QUIC, which is what deployed clients understand of
 * each other, or sealed with the key that the client shares with its relay (crypto sheet 6, 10.4).
 * In a room nobody else has that key, so sealed media are for who holds the other end: a tester.
 *
 * Sans-IO, one instance per connection, not thread-safe.  Allocates a session when it starts. */
#ifndef WZP_CLIENT_CIPHER_H
#define WZP_CLIENT_CIPHER_H

#include "crypto/session.h"
#include "wire/signal.h"

typedef enum wzp_media_crypto {
    WZP_MEDIA_CRYPTO_CLEAR,
    WZP_MEDIA_CRYPTO_RELAY_AEAD
} wzp_media_crypto;

typedef struct wzp_cipher_stats {
    uint64_t opened;        /* authentic, not seen before, and not too old */
    uint64_t forged;        /* the tag is wrong: altered, or sealed with another key */
    uint64_t replayed;      /* authentic, but seen before or older than the window */
    uint64_t undecryptable; /* too short for a tag, or before there was a key */
    uint64_t rekeys;        /* completed */
} wzp_cipher_stats;

typedef struct wzp_cipher {
    wzp_media_crypto mode;
    wzp_session *session; /* owned; NULL in clear, and before the answer */
    bool pending;         /* our half of a rekey is on its way */
    uint32_t epoch;       /* of the key that seals: rekeys of this session */
    uint8_t peer_identity[WZP_KEY_LEN];
    wzp_cipher_stats stats;
    uint8_t opened[1500]; /* the payload of the last packet that was opened */
} wzp_cipher;

/* Does nothing in clear.  NOMEM. */
WZP_MUST_USE wzp_err wzp_cipher_start(wzp_cipher *cipher, const wzp_session_keys *keys,
                                      const uint8_t peer_identity[WZP_KEY_LEN]);
void wzp_cipher_clear(wzp_cipher *cipher); /* wipes */

/* Writes a whole datagram, sealed if that is the mode.  Errors of the session, overflow of `wr`. */
WZP_MUST_USE wzp_err wzp_cipher_write(wzp_cipher *cipher, wzp_wr *wr,
                                      const wzp_media_packet *packet);

/* Turns the payload of a packet that `datagram` was parsed into to what it means: borrowed until
 * the next call.  False: it was counted and must be dropped. */
bool wzp_cipher_read(wzp_cipher *cipher, wzp_media_packet *packet, wzp_bytes datagram,
                     wzp_time now);

/* So many packets went by that a new key is due, and ours was not told yet. */
bool wzp_cipher_rekey_due(const wzp_cipher *cipher);

/* Our half of a rekey, to be sent: *out borrows `signature`. */
void wzp_cipher_rekey_begin(wzp_cipher *cipher, const wzp_identity *identity, wzp_rng rng,
                            uint8_t signature[WZP_SIGNATURE_LEN], wzp_signal *out);

/* Whether the peer's half is genuine and meant for the present key.  SIGNATURE; CLOSED: there is no
 * key. */
WZP_MUST_USE wzp_err wzp_cipher_rekey_verify(const wzp_cipher *cipher,
                                             const wzp_signal_Rekey *rekey);

/* From now on the new key seals.  Both halves must have been told.  NO_PENDING_REKEY,
 * KEY_AGREEMENT: nothing changed. */
WZP_MUST_USE wzp_err wzp_cipher_rekey_complete(wzp_cipher *cipher, const wzp_signal_Rekey *rekey,
                                               wzp_time now);

#endif
