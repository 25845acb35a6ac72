/* The worked examples of RFC 9001, appendix A, and RFC 9369, appendix A. */
#include "base/testing/suite.h"
#include "tools/pcap/quic/keys.h"
#include "tools/pcap/quic/testing/twin.h"

/* One for each version of QUIC. */
static const struct example {
    uint32_t version;
    const char *client_secret, *client[3], *server[3];          /* key, iv, hp */
    const char *sample, *first, *tag;                           /* A.2 */
    const char *server_initial;                                 /* A.3 */
    const char *retry;                                          /* A.4 */
    const char *chacha[3], *chacha_secret, *ku, *chacha_packet; /* A.5 */
} examples[] = {
    {TWIN_V1,
     "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea",
     {"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
      "9f50449e04a0e810283a1e9933adedd2"},
     {"cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
      "c206b8d9b9f0f37644430b490eeaa314"},
     "d1b1c98dd7689fb8ec11d242b123dc9b",
     "c000000001088394c8f03e5157080000449e7b9aec34",
     "e221af44860018ab0856972e194cd934",
     "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780"
     "b"
     "b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb1"
     "9"
     "fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
     "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
     {"c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
      "e0459b3474bdd0e44a41c144",
      "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"},
     "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b",
     "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9",
     "4cfe4189655e5cd55c41f69080575d7999c25a5bfb"},
    {TWIN_V2,
     "14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b",
     {"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
      "45b95e15235d6f45a6b19cbcb0294ba9"},
     {"82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
      "edf6d05c83121201b436e16877593c3a"},
     "ffe67b6abcdb4298b485dd04de806071",
     "d76b3343cf088394c8f03e5157080000449ea0c95e82",
     "a18b2faa745b6fe189cf772a9f84cbfc",
     "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf872"
     "6"
     "3017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698"
     "075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
     "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
     {"3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2",
      "a6b5bc6ab7dafce30ffff5dd",
      "d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2"},
     "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b",
     "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88",
     "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba"},
};

/* The client's hello of both. */
static const char client_hello[] =
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413"
    "011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d00170018001000"
    "07000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71"
    "f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c"
    "00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8"
    "f03e51570806048000ffff";

static size_t unhex(uint8_t *out, const char *text) {
    const size_t len = strlen(text) / 2;
    ck_assert_msg(wzp_hex_parse(out, len, text, 2 * len, NULL) == WZP_OK, "%s", text);
    return len;
}

static void is(const uint8_t *got, const char *want) {
    uint8_t bytes[64];
    const size_t len = unhex(bytes, want);
    ck_assert_msg(memcmp(got, bytes, len) == 0, "not %s", want);
}

static const wzp_pcap_quic_cid first_id = {8, {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}};

static wzp_pcap_quic_crypto crypto;

START_TEST(initial_keys) {
    const struct example *e = &examples[_i];
    wzp_pcap_quic_secret secrets[2];
    wzp_pcap_quic_keys keys = {0};
    ck_assert(wzp_pcap_quic_initial_secrets(&crypto, e->version, &first_id, secrets));
    is(secrets[1].data, e->client_secret);
    for (size_t i = 0; i < 2; i++) {
        const char *const *want = i == 0 ? e->server : e->client;
        ck_assert(
            wzp_pcap_quic_keys_set(&keys, &crypto, e->version, WZP_PCAP_QUIC_AES_128, &secrets[i]));
        is(keys.aead.key, want[0]);
        is(keys.aead.iv, want[1]);
        is(keys.mask.key, want[2]);
    }
    wzp_pcap_quic_keys_clear(&keys);
}
END_TEST

static size_t first_flight(const struct example *e, uint8_t *out, size_t cap) {
    static const wzp_pcap_quic_cid none;
    uint8_t secret[32];
    uint8_t hello[512];
    wzp_wr wr;
    wzp_wr_init(&wr, out, cap);
    twin_initial(e->version, &first_id, "client in", secret);
    const twin_keys keys = twin_keys_of(TWIN_AES_128, e->version, secret);
    const twin_packet p = {.type = WZP_PCAP_QUIC_INITIAL,
                           .dcid = &first_id,
                           .scid = &none,
                           .number = 2,
                           .number_len = 4,
                           .pad_to = 1200,
                           .payload = wzp_bytes_of(hello, unhex(hello, client_hello))};
    twin_write(&wr, &keys, &p);
    return wzp_wr_len(&wr);
}

/* The twin writes the example, and the example is what is read: both agree with the document. */
START_TEST(client_initial) {
    const struct example *e = &examples[_i];
    uint8_t out[1300];
    ck_assert_uint_eq(first_flight(e, out, sizeof out), 1200);
    is(out, e->first);
    is(out + 22, e->sample);
    is(out + 1184, e->tag);
}
END_TEST

typedef struct heard {
    wzp_pcap_quic_hello hello;
    uint16_t cipher;
    unsigned clear, params, frames;
    uint64_t number, ack;
    wzp_pcap_quic_seal last;
    wzp_pcap_quic_type type;
} heard;

static void listen(void *ctx, const wzp_pcap_quic_event *ev) {
    heard *h = ctx;
    if (ev->kind == WZP_PCAP_QUIC_HELLO) {
        h->hello = *ev->hello;
    } else if (ev->kind == WZP_PCAP_QUIC_ACCEPTED) {
        h->cipher = ev->hello->cipher;
    } else if (ev->kind == WZP_PCAP_QUIC_PARAMS) {
        h->params += (unsigned)ev->params->count;
    } else if (ev->kind == WZP_PCAP_QUIC_PACKET) {
        h->last = ev->packet->seal;
        h->type = ev->packet->type;
        h->number = ev->packet->number;
        h->clear += h->last == WZP_PCAP_QUIC_CLEAR;
    } else if (ev->kind == WZP_PCAP_QUIC_FRAME) {
        h->frames++;
        h->ack = ev->frame->type == 2 ? ev->frame->value : h->ack;
    }
}

static void take(wzp_pcap_quic *quic, bool to_server, const uint8_t *data, size_t len) {
    const wzp_addr client = wzp_addr_v4(192, 0, 2, 1, 50000);
    const wzp_addr server = wzp_addr_v4(192, 0, 2, 2, 443);
    const wzp_pcap_udp udp = {.src = to_server ? client : server,
                              .dst = to_server ? server : client,
                              .payload_len = (uint32_t)len,
                              .payload = wzp_bytes_of(data, len)};
    wzp_pcap_quic_take(quic, &udp, 1, 0);
}

START_TEST(both_sides) {
    const struct example *e = &examples[_i];
    heard h = {0};
    uint8_t buf[1300];
    wzp_pcap_quic *quic = NULL;
    const wzp_pcap_quic_cfg cfg = {.sink = listen, .sink_ctx = &h, .frames = true};
    ck_assert(wzp_pcap_quic_new(&quic, &cfg) == WZP_OK);
    take(quic, true, buf, first_flight(e, buf, sizeof buf));
    ck_assert_uint_eq(h.clear, 1);
    ck_assert_uint_eq(h.number, 2);
    ck_assert_str_eq(h.hello.sni, "example.com");
    ck_assert_str_eq(h.hello.alpn, "alpn");
    ck_assert_uint_eq(h.params, 8);
    is(h.hello.client_random, "ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c");
    take(quic, false, buf, unhex(buf, e->server_initial));
    ck_assert_uint_eq(h.clear, 2);
    ck_assert_uint_eq(h.number, 1);
    ck_assert_uint_eq(h.cipher, 0x1301);
    ck_assert_uint_eq(h.frames, 3);
    wzp_pcap_quic_free(&quic);
}
END_TEST

START_TEST(retry) {
    const struct example *e = &examples[_i];
    heard h = {0};
    uint8_t buf[1300];
    wzp_pcap_quic *quic = NULL;
    const wzp_pcap_quic_cfg cfg = {.sink = listen, .sink_ctx = &h};
    ck_assert(wzp_pcap_quic_new(&quic, &cfg) == WZP_OK);
    take(quic, true, buf, first_flight(e, buf, sizeof buf));
    const size_t len = unhex(buf, e->retry);
    buf[len - 1] ^= 1;
    take(quic, false, buf, len);
    ck_assert_uint_eq(h.type, WZP_PCAP_QUIC_RETRY);
    ck_assert_uint_eq(h.last, WZP_PCAP_QUIC_BAD_TAG);
    buf[len - 1] ^= 1;
    take(quic, false, buf, len);
    ck_assert_uint_eq(h.last, WZP_PCAP_QUIC_CLEAR);
    wzp_pcap_quic_free(&quic);
}
END_TEST

START_TEST(chacha20) {
    const struct example *e = &examples[_i];
    wzp_pcap_quic_secret secret = {.len = 32};
    wzp_pcap_quic_keys keys = {0};
    uint8_t mask[5];
    uint8_t buf[32];
    uint8_t plain[32];
    (void)unhex(secret.data, e->chacha_secret);
    ck_assert(wzp_pcap_quic_keys_set(&keys, &crypto, e->version, WZP_PCAP_QUIC_CHACHA20, &secret));
    is(keys.aead.key, e->chacha[0]);
    is(keys.aead.iv, e->chacha[1]);
    is(keys.mask.key, e->chacha[2]);
    const size_t len = unhex(buf, e->chacha_packet);
    ck_assert(wzp_pcap_quic_unmask(&keys.mask, &crypto, WZP_PCAP_QUIC_CHACHA20, buf + 5, mask));
    buf[0] ^= mask[0] & 0x1f;
    for (size_t i = 0; i < 3; i++) {
        buf[1 + i] ^= mask[1 + i];
    }
    is(buf, "4200bff4");
    ck_assert(wzp_pcap_quic_open(&keys.aead, &crypto, WZP_PCAP_QUIC_CHACHA20, 654360564,
                                 wzp_bytes_of(buf, 4), wzp_bytes_of(buf + 4, len - 4), plain));
    is(plain, "01");
    buf[len - 1] ^= 0x80;
    ck_assert(!wzp_pcap_quic_open(&keys.aead, &crypto, WZP_PCAP_QUIC_CHACHA20, 654360564,
                                  wzp_bytes_of(buf, 4), wzp_bytes_of(buf + 4, len - 4), plain));
    ck_assert(wzp_pcap_quic_secret_next(&secret, &crypto, e->version, WZP_PCAP_QUIC_CHACHA20));
    is(secret.data, e->ku);
    wzp_pcap_quic_keys_clear(&keys);
}
END_TEST

static void setup(void) {
    ck_assert(wzp_pcap_quic_crypto_init(&crypto) == WZP_OK);
}

static void teardown(void) {
    wzp_pcap_quic_crypto_clear(&crypto);
}

int main(void) {
    TCase *tc = tcase_create("vectors");
    const int n = (int)WZP_COUNT_OF(examples);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, initial_keys, 0, n);
    tcase_add_loop_test(tc, client_initial, 0, n);
    tcase_add_loop_test(tc, both_sides, 0, n);
    tcase_add_loop_test(tc, retry, 0, n);
    tcase_add_loop_test(tc, chacha20, 0, n);
    return wzp_run_suite("pcap_quic vectors", tc);
}
