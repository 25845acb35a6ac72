/* Packet protection (RFC 9001, 5; RFC 9369, 3.3): secrets to keys, masks of headers, opening of
 * payloads.  Cipher contexts are made when they are first needed and keep their keys; for a packet
 * only the nonce changes. */
#ifndef WZP_PCAP_QUIC_KEYS_H
#define WZP_PCAP_QUIC_KEYS_H

#include <openssl/evp.h>

#include "tools/pcap/quic/header.h"

enum {
    WZP_PCAP_QUIC_TAG_LEN = 16,
    WZP_PCAP_QUIC_SAMPLE_LEN = 16,
    WZP_PCAP_QUIC_IV_LEN = 12,
    WZP_PCAP_QUIC_SECRET_MAX = 48
};

typedef enum wzp_pcap_quic_suite {
    WZP_PCAP_QUIC_AES_128,
    WZP_PCAP_QUIC_AES_256,
    WZP_PCAP_QUIC_CHACHA20,
    WZP_PCAP_QUIC_SUITE_COUNT,
    WZP_PCAP_QUIC_SUITE_UNKNOWN = WZP_PCAP_QUIC_SUITE_COUNT
} wzp_pcap_quic_suite;

/* Of a TLS cipher suite's number. */
wzp_pcap_quic_suite wzp_pcap_quic_suite_of(uint16_t cipher);
/* Bytes of a secret of this suite. */
size_t wzp_pcap_quic_secret_len(wzp_pcap_quic_suite suite);

/* What is fetched from the library once. */
typedef struct wzp_pcap_quic_crypto {
    EVP_CIPHER *aead[WZP_PCAP_QUIC_SUITE_COUNT], *mask[WZP_PCAP_QUIC_SUITE_COUNT];
    EVP_MAC *hmac;
    EVP_MAC_CTX *sha256, *sha384;
    EVP_CIPHER_CTX *retry[2]; /* versions 1 and 2 */
} wzp_pcap_quic_crypto;

/* WZP_ERR_CRYPTO_LIB: clear() is due all the same. */
WZP_MUST_USE wzp_err wzp_pcap_quic_crypto_init(wzp_pcap_quic_crypto *crypto);
void wzp_pcap_quic_crypto_clear(wzp_pcap_quic_crypto *crypto);

typedef struct wzp_pcap_quic_secret {
    uint8_t len; /* 0: there is none */
    uint8_t data[WZP_PCAP_QUIC_SECRET_MAX];
} wzp_pcap_quic_secret;

/* Of payloads, and of headers. */
typedef struct wzp_pcap_quic_aead {
    EVP_CIPHER_CTX *ctx; /* NULL until it is needed */
    uint8_t key[32], iv[WZP_PCAP_QUIC_IV_LEN];
} wzp_pcap_quic_aead;

typedef struct wzp_pcap_quic_mask {
    EVP_CIPHER_CTX *ctx;
    uint8_t key[32];
} wzp_pcap_quic_mask;

/* Zeroed: none. */
typedef struct wzp_pcap_quic_keys {
    bool known;
    bool is_proven; /* they have opened something */
    wzp_pcap_quic_suite suite;
    wzp_pcap_quic_aead aead;
    wzp_pcap_quic_mask mask;
} wzp_pcap_quic_keys;

/* The secrets of both sides' Initial packets: [0] the server's, [1] the client's. */
WZP_MUST_USE bool wzp_pcap_quic_initial_secrets(wzp_pcap_quic_crypto *crypto, uint32_t version,
                                                const wzp_pcap_quic_cid *dcid,
                                                wzp_pcap_quic_secret out[2]);

/* In the place of what `keys` were. */
WZP_MUST_USE bool wzp_pcap_quic_keys_set(wzp_pcap_quic_keys *keys, wzp_pcap_quic_crypto *crypto,
                                         uint32_t version, wzp_pcap_quic_suite suite,
                                         const wzp_pcap_quic_secret *secret);
/* Only what opens payloads: a later generation. */
WZP_MUST_USE bool wzp_pcap_quic_aead_set(wzp_pcap_quic_aead *aead, wzp_pcap_quic_crypto *crypto,
                                         uint32_t version, wzp_pcap_quic_suite suite,
                                         const wzp_pcap_quic_secret *secret);
/* The next generation's secret (RFC 9001, 6.1). */
WZP_MUST_USE bool wzp_pcap_quic_secret_next(wzp_pcap_quic_secret *secret,
                                            wzp_pcap_quic_crypto *crypto, uint32_t version,
                                            wzp_pcap_quic_suite suite);

/* Gives up contexts; they are made again when they are needed. */
void wzp_pcap_quic_keys_rest(wzp_pcap_quic_keys *keys);
void wzp_pcap_quic_keys_clear(wzp_pcap_quic_keys *keys);
void wzp_pcap_quic_aead_clear(wzp_pcap_quic_aead *aead);

/* False: the library failed. */
WZP_MUST_USE bool wzp_pcap_quic_unmask(wzp_pcap_quic_mask *mask, wzp_pcap_quic_crypto *crypto,
                                       wzp_pcap_quic_suite suite,
                                       const uint8_t sample[WZP_PCAP_QUIC_SAMPLE_LEN],
                                       uint8_t out[5]);

/* `sealed` ends with the tag; `out` has room for it without.  False: the tag does not match. */
WZP_MUST_USE bool wzp_pcap_quic_open(wzp_pcap_quic_aead *aead, wzp_pcap_quic_crypto *crypto,
                                     wzp_pcap_quic_suite suite, uint64_t number, wzp_bytes header,
                                     wzp_bytes sealed, uint8_t *out);

/* Whether a Retry packet answers to a first packet with this id (RFC 9001, 5.8). */
WZP_MUST_USE bool wzp_pcap_quic_retry_is_whole(wzp_pcap_quic_crypto *crypto, uint32_t version,
                                               const wzp_pcap_quic_cid *original, wzp_bytes packet);

#endif
