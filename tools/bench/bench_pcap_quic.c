/* What it costs to open a captured QUIC packet, beside OpenSSL alone: one AES-128-GCM and one block
 * of AES for the header, which is what anybody pays. */
#include <openssl/evp.h>

#include "bench.h"
#include "tools/pcap/quic/testing/twin.h"

enum { PACKETS = 4096, PACKET_LEN = 120, ROUNDS = 31 };

typedef struct quic_ctx {
    wzp_pcap_quic *quic;
    twin t;
    uint8_t first[1300], answer[1300];
    size_t first_len, answer_len;
    char keylog[1024];
    uint8_t packets[PACKETS][PACKET_LEN];
    uint64_t datagrams;
    EVP_CIPHER_CTX *gcm, *ecb;
} quic_ctx;

static void count(void *ctx, const wzp_pcap_quic_event *event) {
    quic_ctx *c = ctx;
    c->datagrams += event->kind == WZP_PCAP_QUIC_DATAGRAM;
}

static void take(quic_ctx *c, bool to_server, const uint8_t *data, size_t len) {
    const wzp_pcap_udp udp = {.src = to_server ? c->t.client : c->t.server,
                              .dst = to_server ? c->t.server : c->t.client,
                              .payload_len = (uint32_t)len,
                              .payload = wzp_bytes_of(data, len)};
    wzp_pcap_quic_take(c->quic, &udp, 1, 0);
}

static void make(quic_ctx *c) {
    uint8_t frames[PACKET_LEN] = {0x30};
    const size_t header = 1 + 8 + 2;
    c->t = twin_make(1, TWIN_AES_128, TWIN_V1, 8);
    (void)twin_keylog(&c->t, c->keylog, sizeof c->keylog);
    c->first_len = twin_first(&c->t, "room", c->first, sizeof c->first);
    c->answer_len = twin_answer(&c->t, c->answer, sizeof c->answer);
    for (size_t i = 0; i < PACKETS; i++) {
        (void)twin_short(&c->t, true, wzp_bytes_of(frames, PACKET_LEN - header - 16), c->packets[i],
                         PACKET_LEN);
    }
    c->gcm = EVP_CIPHER_CTX_new();
    c->ecb = EVP_CIPHER_CTX_new();
    twin_must(EVP_DecryptInit_ex(c->gcm, EVP_aes_128_gcm(), NULL, c->t.random, NULL) == 1);
    twin_must(EVP_EncryptInit_ex(c->ecb, EVP_aes_128_ecb(), NULL, c->t.random, NULL) == 1);
}

/* A decoder that has seen the handshake, and none of the packets. */
static void prepare(void *ctx) {
    quic_ctx *c = ctx;
    const wzp_pcap_quic_cfg cfg = {.sink = count, .sink_ctx = c};
    wzp_pcap_quic_free(&c->quic);
    twin_must(wzp_pcap_quic_new(&c->quic, &cfg) == WZP_OK);
    twin_must(wzp_pcap_quic_secrets(c->quic, wzp_bytes_str(c->keylog)) == WZP_OK);
    take(c, true, c->first, c->first_len);
    take(c, false, c->answer, c->answer_len);
    c->datagrams = 0;
}

static void decode(void *ctx) {
    quic_ctx *c = ctx;
    for (size_t i = 0; i < PACKETS; i++) {
        take(c, true, c->packets[i], PACKET_LEN);
    }
    twin_must(c->datagrams == PACKETS);
}

static void bare(void *ctx) {
    quic_ctx *c = ctx;
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t out[PACKET_LEN];
        uint8_t mask[16];
        int len = 0;
        uint8_t *packet = c->packets[i];
        (void)EVP_EncryptUpdate(c->ecb, mask, &len, packet + 13, 16);
        (void)EVP_DecryptInit_ex(c->gcm, NULL, NULL, NULL, mask);
        (void)EVP_CIPHER_CTX_ctrl(c->gcm, EVP_CTRL_AEAD_SET_TAG, 16, packet + PACKET_LEN - 16);
        (void)EVP_DecryptUpdate(c->gcm, NULL, &len, packet, 11);
        (void)EVP_DecryptUpdate(c->gcm, out, &len, packet + 11, PACKET_LEN - 11 - 16);
        (void)EVP_DecryptFinal_ex(c->gcm, out + len, &len); /* fails: at the same cost */
        bench_keep(out);
    }
}

int main(void) {
    static quic_ctx c;
    make(&c);
    bench benches[] = {
        {.name = "QUIC packet of 120 B, OpenSSL alone", .run = bare, .ctx = &c, .count = PACKETS},
        {.name = "QUIC packet of 120 B, captured, opened",
         .run = decode,
         .prepare = prepare,
         .ctx = &c,
         .count = PACKETS}};
    bench_all(benches, WZP_COUNT_OF(benches), ROUNDS);
    bench_report(&benches[0], ROUNDS, NULL, 0);
    bench_report(&benches[1], ROUNDS, NULL, 1500);
    bench_report(&benches[1], ROUNDS, &benches[0], 0);
    wzp_pcap_quic_free(&c.quic);
    EVP_CIPHER_CTX_free(c.gcm);
    EVP_CIPHER_CTX_free(c.ecb);
    return 0;
}
