/* Which worker a datagram is for: ids, first packets of real clients, and hellos that come in
 * several packets. */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "quic/internal.h"
#include "quic/steer.h"

enum { WORKERS = 4, INITIAL_LEN = 1200, NUMBER_AT_LEN = 4 };

static unsigned by_last_letter(void *ctx, const char *sni, unsigned workers) {
    (void)ctx;
    const size_t len = strlen(sni);
    return len > 0 ? (unsigned)sni[len - 1] % workers : 0;
}

static wzp_steer *new_steer(void) {
    wzp_steer *s = NULL;
    const wzp_steer_cfg cfg = {WORKERS, 1, by_last_letter, NULL};
    ck_assert(wzp_steer_new(&s, &cfg) == WZP_OK);
    return s;
}

/* The number of datagrams that come of it. */
static size_t take(wzp_steer *s, const uint8_t *data, size_t len, wzp_time now, unsigned *worker) {
    wzp_steer_datagram out[WZP_STEER_FLOW_PACKETS];
    const wzp_steer_datagram in = {
        .path = {wzp_addr_v4(127, 0, 0, 1, 4433), wzp_addr_v4(127, 0, 0, 2, 999)},
        .payload = wzp_bytes_of(data, len)};
    const size_t n = wzp_steer_take(s, &in, now, worker, out);
    if (n > 0) {
        ck_assert_ptr_eq(out[n - 1].payload.data, data); /* the last one is this one */
    }
    return n;
}

/* --- later packets ---------------------------------------------------------------------------- */

static const struct cid_case {
    const char *name;
    uint8_t start[16];
    unsigned worker;
} cid_cases[] = {
    {"short header, id 6...", {0x40, 6, 1, 1}, 2},
    {"short header, id 255...", {0x40, 255}, 3},
    {"handshake packet, id 5...", {0xe0, 0, 0, 0, 1, 8, 5}, 1},
    {"handshake packet, id of another length", {0xe0, 0, 0, 0, 1, 7, 6}, 1},
    {"first packet that cannot be opened, id 7...", {0xc0, 0, 0, 0, 1, 8, 7}, 3},
    {"version 2", {0xd0, 0x6b, 0x33, 0x43, 0xcf, 8, 6}, 1},
    {"no fixed bit", {0x80, 0, 0, 0, 1, 8, 6}, 1},
};

START_TEST(ids_say_whose_they_are) {
    const struct cid_case *t = &cid_cases[_i];
    uint8_t packet[INITIAL_LEN] = {0};
    wzp_steer *s = new_steer();
    unsigned worker = 99;
    memcpy(packet, t->start, sizeof t->start);
    ck_assert_uint_eq(take(s, packet, sizeof packet, WZP_S, &worker), 1);
    ck_assert_msg(worker == t->worker, "%s: %u", t->name, worker);
    for (size_t len = 0; len < sizeof t->start; len++) {
        ck_assert_uint_eq(take(s, packet, len, WZP_S, &worker), 1);
        ck_assert_uint_lt(worker, WORKERS);
    }
    wzp_steer_free(&s);
}
END_TEST

/* --- first packets ---------------------------------------------------------------------------- */

START_TEST(rooms_say_whose_they_are) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    const char *const rooms[] = {"room-a", "room-b", "Room-C", "call-d", ""};
    wzp_prng prng;
    wzp_steer *s = new_steer();
    wzp_quic *q = NULL;
    wzp_prng_init(&prng, 1, "steer");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    ck_assert(wzp_quic_new(&q, &cfg, WZP_S) == WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(rooms); i++) {
        wzp_quic_conn handle;
        wzp_quic_meta meta;
        unsigned worker = 99;
        const wzp_quic_dial dial = {.path.remote = wzp_addr_v4(127, 0, 0, 1, 4433),
                                    .sni = rooms[i]};
        ck_assert(wzp_quic_connect(q, &dial, WZP_S, &handle) == WZP_OK);
        const size_t n = wzp_quic_next_packet(q, WZP_S, buf, sizeof buf, &meta);
        ck_assert_uint_eq(take(s, buf, n, WZP_S, &worker), 1);
        char lower[16];
        (void)snprintf(lower, sizeof lower, "%s",
                       strcmp(rooms[i], "Room-C") == 0 ? "room-c" : rooms[i]);
        ck_assert_msg(worker == by_last_letter(NULL, lower, WORKERS), "'%s': %u", rooms[i], worker);
    }
    wzp_steer_counters counters;
    wzp_steer_count(s, &counters);
    ck_assert_uint_eq(counters.peeked, WZP_COUNT_OF(rooms));
    ck_assert_uint_eq(counters.held + counters.dropped, 0);
    wzp_quic_free(&q);
    wzp_steer_free(&s);
}
END_TEST

/* --- hellos of several packets ---------------------------------------------------------------- */

static void expand(uint8_t *out, size_t len, const uint8_t *secret, const char *label) {
    uint8_t info[64] = {(uint8_t)(len >> 8), (uint8_t)len, (uint8_t)(6 + strlen(label))};
    const ngtcp2_crypto_md md = {wzp_drop_const(EVP_sha256())};
    (void)snprintf((char *)info + 3, sizeof info - 3, "tls13 %s", label);
    ck_assert_int_eq(ngtcp2_crypto_hkdf_expand(out, len, &md, secret, 32, info, 10 + strlen(label)),
                     0);
}

static void run_cipher(const EVP_CIPHER *kind, const uint8_t *key, const uint8_t *iv, wzp_bytes aad,
                       uint8_t *data, size_t len, uint8_t *tag) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    ck_assert_int_eq(EVP_EncryptInit_ex(ctx, kind, NULL, key, iv), 1);
    ck_assert(aad.len == 0 || EVP_EncryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) == 1);
    ck_assert_int_eq(EVP_EncryptUpdate(ctx, data, &n, data, (int)len), 1);
    ck_assert(tag == NULL || EVP_EncryptFinal_ex(ctx, data + n, &n) == 1);
    ck_assert(tag == NULL || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* An Initial (RFC 9001, 5) with one CRYPTO frame and padding; its id begins with `id`. */
static void write_initial(uint8_t out[INITIAL_LEN], uint8_t id, uint8_t number, size_t offset,
                          const uint8_t *data, size_t len) {
    static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                   0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    const ngtcp2_crypto_md md = {wzp_drop_const(EVP_sha256())};
    const uint8_t header[] = {0xc3,
                              0,
                              0,
                              0,
                              1,
                              8,
                              id,
                              1,
                              2,
                              3,
                              4,
                              5,
                              6,
                              7,
                              0,
                              0,
                              (uint8_t)(0x40 | (INITIAL_LEN - 18) >> 8),
                              (uint8_t)(INITIAL_LEN - 18),
                              0,
                              0,
                              0,
                              number};
    const size_t body = INITIAL_LEN - sizeof header - 16;
    uint8_t secret[32];
    uint8_t client[32];
    uint8_t key[16];
    uint8_t iv[12];
    uint8_t hp[16];
    memset(out, 0, INITIAL_LEN);
    memcpy(out, header, sizeof header);
    uint8_t *at = out + sizeof header;
    const uint8_t frame[] = {0x06, (uint8_t)(0x40 | offset >> 8), (uint8_t)offset,
                             (uint8_t)(0x40 | len >> 8), (uint8_t)len};
    memcpy(at, frame, sizeof frame);
    memcpy(at + sizeof frame, data, len);
    ck_assert_int_eq(ngtcp2_crypto_hkdf_extract(secret, &md, out + 6, 8, salt, sizeof salt), 0);
    expand(client, 32, secret, "client in");
    expand(key, 16, client, "quic key");
    expand(iv, 12, client, "quic iv");
    expand(hp, 16, client, "quic hp");
    iv[11] ^= number;
    run_cipher(EVP_aes_128_gcm(), key, iv, wzp_bytes_of(header, sizeof header), at, body,
               at + body);
    uint8_t mask[16];
    memcpy(mask, at, 16);
    run_cipher(EVP_aes_128_ecb(), hp, NULL, wzp_bytes_of(NULL, 0), mask, 16, NULL);
    out[0] ^= mask[0] & 0x0f;
    for (size_t i = 0; i < NUMBER_AT_LEN; i++) {
        out[18 + i] ^= mask[1 + i];
    }
}

enum { HELLO_LEN = 1700, CUT = 1000 };

/* A ClientHello whose name comes after a large extension. */
static void write_hello(uint8_t hello[HELLO_LEN], const char *name) {
    const wzp_bytes text = wzp_bytes_str(name);
    const size_t name_len = text.len;
    const size_t large = HELLO_LEN - 47 - 4 - 9 - name_len;
    memset(hello, 0, HELLO_LEN);
    hello[0] = 1;
    hello[2] = (uint8_t)((HELLO_LEN - 4) >> 8);
    hello[3] = (uint8_t)(HELLO_LEN - 4);
    hello[4] = hello[5] = 3;
    hello[40] = 2; /* one cipher suite */
    hello[43] = 1; /* one compression method */
    hello[45] = (uint8_t)((HELLO_LEN - 47) >> 8);
    hello[46] = (uint8_t)(HELLO_LEN - 47);
    hello[47] = hello[48] = 0xfe; /* nobody knows it */
    hello[49] = (uint8_t)(large >> 8);
    hello[50] = (uint8_t)large;
    uint8_t *sni = hello + 51 + large;
    sni[3] = (uint8_t)(name_len + 5);
    sni[5] = (uint8_t)(name_len + 3);
    sni[8] = (uint8_t)name_len;
    memcpy(sni + 9, text.data, text.len);
}

static void write_both(uint8_t first[INITIAL_LEN], uint8_t second[INITIAL_LEN], uint8_t id) {
    uint8_t hello[HELLO_LEN];
    write_hello(hello, "room-c");
    write_initial(first, id, 0, 0, hello, CUT);
    write_initial(second, id, 1, CUT, hello + CUT, HELLO_LEN - CUT);
}

START_TEST(hellos_of_two_packets_in_any_order) {
    uint8_t packets[2][INITIAL_LEN];
    wzp_steer *s = new_steer();
    unsigned worker = 99;
    write_both(packets[0], packets[1], 9);
    ck_assert_uint_eq(take(s, packets[_i], INITIAL_LEN, WZP_S, &worker), 0);
    ck_assert_uint_eq(take(s, packets[1 - _i], INITIAL_LEN, WZP_S, &worker), 2);
    ck_assert_uint_eq(worker, 'c' % WORKERS);
    /* It is forgotten, and may come again. */
    ck_assert_uint_eq(take(s, packets[_i], INITIAL_LEN, WZP_S, &worker), 0);
    wzp_steer_free(&s);
}
END_TEST

START_TEST(half_a_hello_is_dropped_in_time) {
    uint8_t packets[2][INITIAL_LEN];
    wzp_steer *s = new_steer();
    wzp_steer_counters counters;
    unsigned worker = 99;
    write_both(packets[0], packets[1], 9);
    ck_assert_uint_eq(take(s, packets[0], INITIAL_LEN, WZP_S, &worker), 0);
    ck_assert_uint_eq(take(s, packets[1], INITIAL_LEN, WZP_S + WZP_STEER_HOLD, &worker), 0);
    wzp_steer_count(s, &counters);
    ck_assert_uint_eq(counters.dropped, 1);
    wzp_steer_free(&s);
}
END_TEST

/* As many halves as somebody likes: what is held is bounded, and whole hellos go on. */
START_TEST(halves_do_not_pile_up) {
    uint8_t packets[2][INITIAL_LEN];
    wzp_steer *s = new_steer();
    wzp_steer_counters counters;
    unsigned worker = 99;
    for (unsigned id = 0; id < 2 * WZP_STEER_FLOWS; id++) {
        write_both(packets[0], packets[1], (uint8_t)id);
        for (int again = 0; again < 5; again++) {
            ck_assert_uint_eq(take(s, packets[0], INITIAL_LEN, WZP_S, &worker), 0);
        }
    }
    wzp_steer_count(s, &counters);
    ck_assert_uint_eq(counters.held, (uint64_t)WZP_STEER_FLOWS * (WZP_STEER_FLOW_PACKETS - 1));
    ck_assert_uint_eq(counters.held + counters.dropped, (uint64_t)WZP_STEER_FLOWS * 10);
    uint8_t whole[INITIAL_LEN];
    uint8_t hello[HELLO_LEN];
    write_hello(hello, "room-c");
    hello[45] = hello[46] = 0; /* no extension, no name */
    write_initial(whole, 200, 0, 0, hello, 47);
    ck_assert_uint_eq(take(s, whole, INITIAL_LEN, WZP_S, &worker), 1);
    wzp_steer_free(&s);
}
END_TEST

/* --- ids of an endpoint ----------------------------------------------------------------------- */

START_TEST(endpoints_number_their_ids) {
    wzp_prng prng;
    bool seen[256] = {false};
    unsigned kinds = 0;
    wzp_prng_init(&prng, 1, "ids");
    for (uint32_t workers = 1; workers <= WZP_STEER_WORKERS_MAX; workers += 9) {
        const wzp_quic q = {
            .cfg = {.rng = wzp_prng_rng(&prng), .workers = workers, .worker = workers - 1}};
        for (int i = 0; i < 1000; i++) {
            uint8_t cid[SCID_LEN];
            wzp_quic_cid_fill(&q, cid, sizeof cid);
            ck_assert_uint_eq(cid[0] % workers, workers == 1 ? 0 : workers - 1);
            kinds += seen[cid[0]] ? 0 : 1;
            seen[cid[0]] = true;
        }
    }
    ck_assert_uint_gt(kinds, 200);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, ids_say_whose_they_are, 0, (int)WZP_COUNT_OF(cid_cases));
    tcase_add_test(tc, rooms_say_whose_they_are);
    tcase_add_loop_test(tc, hellos_of_two_packets_in_any_order, 0, 2);
    tcase_add_test(tc, half_a_hello_is_dropped_in_time);
    tcase_add_test(tc, halves_do_not_pile_up);
    tcase_add_test(tc, endpoints_number_their_ids);
    return wzp_run_suite("steer", tc);
}
