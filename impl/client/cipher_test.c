#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "client/cipher.h"

/* The key of example 1 of the crypto sheet, 4.4. */
static const wzp_session_keys keys = {{0xb2, 0xfa, 0x52, 0x13, 0xed, 0x35, 0x0d, 0x8e,
                                       0x98, 0x47, 0xb7, 0xe2, 0x5d, 0xd3, 0xa7, 0x91,
                                       0x07, 0xa4, 0xab, 0x6a, 0xa7, 0x53, 0x83, 0x2e,
                                       0x3d, 0x00, 0xbb, 0x66, 0x60, 0xfc, 0xf6, 0x66},
                                      {0x20, 0xdd, 0xa3, 0x2a},
                                      4812};

static wzp_media_packet packet_50(void) {
    return (wzp_media_packet){.hdr = {.version = 2,
                                      .flags = WZP_MEDIA_QUALITY,
                                      .fec_ratio = 20,
                                      .seq = 50,
                                      .timestamp_ms = 1000,
                                      .fec_block = 10},
                              .payload = wzp_bytes_str("opus frame 50"),
                              .report = {25, 25, 20, 200}};
}

static wzp_bytes written(wzp_cipher *c, const wzp_media_packet *packet, uint8_t buf[256]) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, 256);
    ck_assert(wzp_cipher_write(c, &wr, packet) == WZP_OK);
    return wzp_bytes_of(buf, wzp_wr_len(&wr));
}

static bool is_read(wzp_cipher *c, wzp_bytes datagram, wzp_time now) {
    wzp_media_packet packet;
    ck_assert(wzp_media_packet_parse(&packet, datagram, NULL) == WZP_OK);
    return wzp_cipher_read(c, &packet, datagram, now) &&
           wzp_bytes_equal(packet.payload, wzp_bytes_str("opus frame 50"));
}

static const struct form_case {
    const char *name;
    wzp_media_crypto mode;
    const char *hex;
} form_cases[] = {
    {"clear", WZP_MEDIA_CRYPTO_CLEAR,
     "02400000001400000032000003e8000a"
     "6f707573206672616d65203530"
     "191914c8"},
    {"relay-aead, as deployed", WZP_MEDIA_CRYPTO_RELAY_AEAD,
     "02400000001400000032000003e8000a"
     "825f19b8dc2ba14760da72545e"
     "60c4255654779aa9fa56e0c603488c36"
     "191914c8"},
};

START_TEST(bytes_are_those_of_the_sheet) {
    const struct form_case *f = &form_cases[_i];
    const uint8_t peer[WZP_KEY_LEN] = {0};
    const wzp_media_packet packet = packet_50();
    uint8_t buf[256];
    char hex[512];
    wzp_cipher c = {.mode = f->mode};
    ck_assert(wzp_cipher_start(&c, &keys, peer) == WZP_OK);
    const wzp_bytes bytes = written(&c, &packet, buf);
    wzp_hex_write(hex, bytes);
    ck_assert_msg(strcmp(hex, f->hex) == 0, "%s: %s", f->name, hex);
    ck_assert_msg(is_read(&c, bytes, 0), "%s is not read", f->name);
    wzp_cipher_clear(&c);
}
END_TEST

START_TEST(what_is_refused_is_counted) {
    const uint8_t peer[WZP_KEY_LEN] = {0};
    const wzp_media_packet packet = packet_50();
    uint8_t buf[256];
    uint8_t bad[256];
    wzp_cipher c = {.mode = WZP_MEDIA_CRYPTO_RELAY_AEAD};
    wzp_cipher early = c;
    ck_assert(wzp_cipher_start(&c, &keys, peer) == WZP_OK);
    const wzp_bytes bytes = written(&c, &packet, buf);

    ck_assert(!is_read(&early, bytes, 0)); /* no key yet */
    ck_assert_uint_eq(early.stats.undecryptable, 1);
    memcpy(bad, buf, sizeof bad);
    bad[20] ^= 1;
    ck_assert(!is_read(&c, wzp_bytes_of(bad, bytes.len), 0));
    ck_assert_uint_eq(c.stats.forged, 1);
    ck_assert(is_read(&c, bytes, 0)); /* the forgery did not use its number up */
    ck_assert(!is_read(&c, bytes, 0));
    ck_assert_uint_eq(c.stats.opened, 1);
    ck_assert_uint_eq(c.stats.replayed, 1);
    /* 19 bytes behind the header: a report and one byte less than a tag. */
    ck_assert(!is_read(&c, wzp_bytes_of(buf, WZP_MEDIA_HDR_LEN + 19), 0));
    ck_assert_uint_eq(c.stats.undecryptable, 1);
    wzp_cipher_clear(&c);
}
END_TEST

typedef struct end {
    wzp_cipher cipher;
    wzp_identity identity;
    uint8_t signature[WZP_SIGNATURE_LEN];
    wzp_signal told;
} end;

static void start_ends(end *a, end *b) {
    const uint8_t seeds[2][WZP_KEY_LEN] = {{1}, {2}};
    *a = *b = (end){.cipher.mode = WZP_MEDIA_CRYPTO_RELAY_AEAD};
    wzp_identity_from_seed(&a->identity, seeds[0]);
    wzp_identity_from_seed(&b->identity, seeds[1]);
    ck_assert(wzp_cipher_start(&a->cipher, &keys, b->identity.ed25519_pub) == WZP_OK);
    ck_assert(wzp_cipher_start(&b->cipher, &keys, a->identity.ed25519_pub) == WZP_OK);
}

static void tell(end *e, wzp_rng rng) {
    wzp_cipher_rekey_begin(&e->cipher, &e->identity, rng, e->signature, &e->told);
}

START_TEST(both_have_the_new_key) {
    static end a;
    static end b;
    wzp_prng prng;
    uint8_t buf[256];
    wzp_media_packet packet = packet_50();
    wzp_prng_init(&prng, 1, "rekey");
    start_ends(&a, &b);
    tell(&a, wzp_prng_rng(&prng));
    ck_assert(wzp_cipher_rekey_verify(&b.cipher, &a.told.u.Rekey) == WZP_OK);
    tell(&b, wzp_prng_rng(&prng));
    ck_assert(wzp_cipher_rekey_complete(&b.cipher, &a.told.u.Rekey, 1) == WZP_OK);
    ck_assert(wzp_cipher_rekey_verify(&a.cipher, &b.told.u.Rekey) == WZP_OK);
    ck_assert(is_read(&b.cipher, written(&a.cipher, &packet, buf), 1)); /* with the old key still */
    ck_assert(wzp_cipher_rekey_complete(&a.cipher, &b.told.u.Rekey, 1) == WZP_OK);
    packet.hdr.seq++;
    ck_assert(is_read(&b.cipher, written(&a.cipher, &packet, buf), 1 + WZP_REKEY_GRACE));
    ck_assert(is_read(&a.cipher, written(&b.cipher, &packet, buf), 1 + WZP_REKEY_GRACE));
    ck_assert_uint_eq(a.cipher.stats.rekeys, 1);
    /* The same words again are about a key that is gone. */
    ck_assert(wzp_cipher_rekey_verify(&b.cipher, &a.told.u.Rekey) == WZP_ERR_SIGNATURE);
    wzp_cipher_clear(&a.cipher);
    wzp_cipher_clear(&b.cipher);
}
END_TEST

START_TEST(only_the_peer_can_rekey) {
    static end a;
    static end b;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "rekey");
    start_ends(&a, &b);
    tell(&a, wzp_prng_rng(&prng));
    ck_assert(wzp_cipher_rekey_verify(&a.cipher, &a.told.u.Rekey) == WZP_ERR_SIGNATURE);
    a.told.u.Rekey.new_ephemeral_pub.bytes[3] ^= 1;
    ck_assert(wzp_cipher_rekey_verify(&b.cipher, &a.told.u.Rekey) == WZP_ERR_SIGNATURE);
    wzp_cipher_clear(&a.cipher);
    wzp_cipher_clear(&b.cipher);
}
END_TEST

START_TEST(a_new_key_is_due_after_65536_packets) {
    static end a;
    static end b;
    wzp_prng prng;
    uint8_t buf[256];
    wzp_media_packet packet = packet_50();
    wzp_prng_init(&prng, 1, "rekey");
    start_ends(&a, &b);
    for (uint32_t i = 0; i < WZP_REKEY_PACKETS; i++) {
        ck_assert(!wzp_cipher_rekey_due(&a.cipher));
        packet.hdr.seq = i;
        (void)written(&a.cipher, &packet, buf);
    }
    ck_assert(wzp_cipher_rekey_due(&a.cipher));
    tell(&a, wzp_prng_rng(&prng));
    ck_assert(!wzp_cipher_rekey_due(&a.cipher)); /* one at a time */
    wzp_cipher_clear(&a.cipher);
    wzp_cipher_clear(&b.cipher);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("cipher");
    tcase_add_loop_test(tc, bytes_are_those_of_the_sheet, 0, (int)WZP_COUNT_OF(form_cases));
    tcase_add_test(tc, what_is_refused_is_counted);
    tcase_add_test(tc, both_have_the_new_key);
    tcase_add_test(tc, only_the_peer_can_rekey);
    tcase_add_test(tc, a_new_key_is_due_after_65536_packets);
    return wzp_run_suite("client.cipher", tc);
}
