/* Sealing and opening media, beside the same AEAD called bare: what the session adds are nonce,
 * replay window and header checks. */
#include <sodium.h>

#include "bench.h"
#include "crypto/session.h"

enum { BATCH = 512, ROUNDS = 61, PAYLOAD = 120, SEALED = PAYLOAD + WZP_TAG_LEN };

typedef struct session_ctx {
    wzp_session *sealer, *opener;
    wzp_session_keys keys;
    uint32_t seq;
    uint8_t headers[BATCH][WZP_MEDIA_HDR_LEN];
    uint8_t nonces[BATCH][WZP_NONCE_LEN];
    uint8_t payload[PAYLOAD];
    uint8_t sealed[BATCH][SEALED];
    uint8_t out[SEALED];
    unsigned failed;
} session_ctx;

/* Each round has sequence numbers of its own: the replay window takes each but once. */
static void next_headers(void *ctx) {
    session_ctx *c = ctx;
    for (size_t i = 0; i < BATCH; i++) {
        wzp_wr wr;
        const wzp_media_hdr hdr = {.version = 2,
                                   .codec_id = WZP_CODEC_OPUS_24K,
                                   .seq = c->seq,
                                   .timestamp_ms = c->seq * 20};
        wzp_wr_init(&wr, c->headers[i], sizeof c->headers[i]);
        wzp_media_hdr_write(&wr, &hdr);
        wzp_session_nonce(c->nonces[i], c->keys.session_id, c->seq++);
    }
}

static void seal(void *ctx) {
    session_ctx *c = ctx;
    for (size_t i = 0; i < BATCH; i++) {
        c->failed += wzp_session_seal(c->sealer, wzp_bytes_of(c->headers[i], WZP_MEDIA_HDR_LEN),
                                      wzp_bytes_of(c->payload, PAYLOAD), c->sealed[i]) != WZP_OK;
    }
}

static void bare_seal(void *ctx) {
    session_ctx *c = ctx;
    for (size_t i = 0; i < BATCH; i++) {
        crypto_aead_chacha20poly1305_ietf_encrypt(c->sealed[i], NULL, c->payload, PAYLOAD,
                                                  c->headers[i], WZP_MEDIA_HDR_LEN, NULL,
                                                  c->nonces[i], c->keys.key);
    }
}

static void next_sealed(void *ctx) {
    next_headers(ctx);
    seal(ctx);
}

static void open_sealed(void *ctx) {
    session_ctx *c = ctx;
    for (size_t i = 0; i < BATCH; i++) {
        c->failed += wzp_session_open(c->opener, wzp_bytes_of(c->headers[i], WZP_MEDIA_HDR_LEN),
                                      wzp_bytes_of(c->sealed[i], SEALED), c->out, 0) != WZP_OK;
    }
}

static void bare_open(void *ctx) {
    session_ctx *c = ctx;
    for (size_t i = 0; i < BATCH; i++) {
        c->failed += crypto_aead_chacha20poly1305_ietf_decrypt(
                         c->out, NULL, NULL, c->sealed[i], SEALED, c->headers[i], WZP_MEDIA_HDR_LEN,
                         c->nonces[i], c->keys.key) != 0;
    }
}

int main(void) {
    static session_ctx c;
    if (sodium_init() < 0) {
        return 1;
    }
    const uint8_t shared[WZP_KEY_LEN] = {1, 2, 3};
    wzp_session_keys_from_shared(&c.keys, shared);
    c.sealer = wzp_session_new(&c.keys);
    c.opener = wzp_session_new(&c.keys);
    bench benches[] = {
        {.name = "libsodium alone, seal 120 B",
         .run = bare_seal,
         .prepare = next_headers,
         .ctx = &c,
         .count = BATCH},
        {.name = "media seal 120 B",
         .run = seal,
         .prepare = next_headers,
         .ctx = &c,
         .count = BATCH},
        {.name = "libsodium alone, open 120 B",
         .run = bare_open,
         .prepare = next_sealed,
         .ctx = &c,
         .count = BATCH},
        {.name = "media open 120 B",
         .run = open_sealed,
         .prepare = next_sealed,
         .ctx = &c,
         .count = BATCH},
    };
    bench_all(benches, 4, ROUNDS);
    bench_report(&benches[0], ROUNDS, NULL, 0);
    bench_report(&benches[1], ROUNDS, &benches[0], 1.1);
    bench_report(&benches[2], ROUNDS, NULL, 0);
    bench_report(&benches[3], ROUNDS, &benches[2], 1.1);
    wzp_session_free(&c.sealer);
    wzp_session_free(&c.opener);
    if (c.failed != 0) {
        (void)fprintf(stderr, "bench_session: %u packets did not open\n", c.failed);
    }
    return c.failed != 0;
}
