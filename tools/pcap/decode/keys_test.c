#include "tools/pcap/decode/keys.h"

#include <sodium.h>

#include "tools/pcap/decode/testing/events.h"
#include "wire/testing/bytes.h"

#define R1 "0101010101010101010101010101010101010101010101010101010101010101"
#define R2 "0202020202020202020202020202020202020202020202020202020202020202"
#define R3 "0303030303030303030303030303030303030303030303030303030303030303"
#define KEY_A "4242424242424242424242424242424242424242424242424242424242424242"
#define KEY_B "4343434343434343434343434343434343434343434343434343434343434343"

/* --- lines ------------------------------------------------------------------------------------ */

static const struct line_case {
    const char *name, *text;
    wzp_err want;
    size_t line, taken;
} line_cases[] = {
    {"one", "WZP_MEDIA_KEY " R1 " 0 " KEY_A "\n", WZP_OK, 1, 1},
    {"without a line end", "WZP_MEDIA_KEY " R1 " 0 " KEY_A, WZP_OK, 1, 1},
    {"for every connection", "WZP_MEDIA_KEY * 7 " KEY_A "\r\n", WZP_OK, 1, 1},
    {"comments and blanks", "# keys\n\n  \nWZP_MEDIA_KEY\t" R1 " 0  " KEY_A " \n", WZP_OK, 4, 1},
    {"twice the same", "WZP_MEDIA_KEY * 0 " KEY_A "\nWZP_MEDIA_KEY * 0 " KEY_A "\n", WZP_OK, 2, 2},
    {"nothing", "", WZP_OK, 0, 0},
    {"another label", "CLIENT_RANDOM " R1 " 0 " KEY_A "\n", WZP_ERR_PARSE, 1, 0},
    {"a short random", "WZP_MEDIA_KEY 0101 0 " KEY_A "\n", WZP_ERR_PARSE, 1, 0},
    {"no epoch", "WZP_MEDIA_KEY * " KEY_A "\n", WZP_ERR_PARSE, 1, 0},
    {"a large epoch", "WZP_MEDIA_KEY * 4294967296 " KEY_A "\n", WZP_ERR_PARSE, 1, 0},
    {"a short key", "WZP_MEDIA_KEY * 0 42\n", WZP_ERR_PARSE, 1, 0},
    {"a word too many", "WZP_MEDIA_KEY * 0 " KEY_A " x\n", WZP_ERR_PARSE, 1, 0},
    {"the second is bad", "WZP_MEDIA_KEY * 0 " KEY_A "\nx\n", WZP_ERR_PARSE, 2, 1},
};

START_TEST(lines) {
    const struct line_case *c = &line_cases[_i];
    wzp_pcap_keys keys;
    size_t line = 99;
    wzp_pcap_keys_init(&keys, false);
    const wzp_err got = wzp_pcap_keys_take(&keys, wzp_bytes_str(c->text), &line);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_err_name(got));
    ck_assert_msg(line == c->line, "%s: line %zu", c->name, line);
    ck_assert_msg(keys.lines == c->taken, "%s: %lu taken", c->name, (unsigned long)keys.lines);
    wzp_pcap_keys_clear(&keys);
}
END_TEST

START_TEST(limits) {
    char text[200];
    wzp_pcap_keys keys;
    wzp_err err = WZP_OK;
    unsigned n = 0;
    size_t line;
    wzp_pcap_keys_init(&keys, false);
    for (; err == WZP_OK; n++) {
        (void)snprintf(text, sizeof text, "WZP_MEDIA_KEY * %u %064x\n", 5000 - n, n);
        err = wzp_pcap_keys_take(&keys, wzp_bytes_str(text), &line);
    }
    ck_assert_int_eq(err, WZP_ERR_LIMIT);
    ck_assert_uint_eq(n, WZP_PCAP_EPOCHS_MAX + 1);
    err = WZP_OK;
    for (n = 0; err == WZP_OK; n++) {
        (void)snprintf(text, sizeof text, "WZP_MEDIA_KEY %064x 0 " KEY_A "\n", n);
        err = wzp_pcap_keys_take(&keys, wzp_bytes_str(text), &line);
    }
    ck_assert_int_eq(err, WZP_ERR_LIMIT);
    ck_assert_uint_eq(n, WZP_PCAP_CHAINS_MAX); /* one was there */
    wzp_pcap_keys_clear(&keys);
}
END_TEST

/* --- opening ---------------------------------------------------------------------------------- */

static void give_keys(const char *text) {
    size_t line;
    ck_assert_int_eq(wzp_pcap_keys_take(&ears.core.keys, wzp_bytes_str(text), &line), WZP_OK);
}

static const heard *last(void) {
    ck_assert_uint_gt(ears.count, 0);
    return &ears.list[ears.count - 1];
}

/* The worked examples of crypto sheet 6.2. */
START_TEST(vectors) {
    static const struct vector {
        const char *hex, *plain;
    } cases[] = {
        {"02000000000000000001000000140000"
         "64c859deca9c35578f2d47e464d49c935d41f86187885b3ad7608a676263a827eec1",
         "secret audio frame"},
        {"02000000000000000005000000640000"
         "7516ec23537beb0f38791cf9440721eadc6504d7284fe81d4528c54d55ab096c6e9a64ab36",
         "hello encrypted world"},
    };
    uint8_t buf[128];
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        ears_begin(false);
        give_keys("WZP_MEDIA_KEY " R1 " 3 " KEY_A "\n");
        tell_hello(1, "room", "wzp");
        tell_datagram(1, true, unhex(buf, sizeof buf, cases[i].hex));
        ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
        ck_assert_uint_eq(last()->media.epoch, 3);
        ck_assert_uint_eq(last()->media.plain.len, strlen(cases[i].plain));
        ck_assert_int_eq(memcmp(last()->plain, cases[i].plain, strlen(cases[i].plain)), 0);
        ears_end();
    }
}
END_TEST

/* A sender with its key, and the packets that it seals. */
static size_t make_sealed(uint8_t *out, const char *key_hex, const wzp_media_hdr *hdr,
                          wzp_bytes plain) {
    wzp_session_keys keys = {0};
    wzp_wr wr;
    ck_assert_int_eq(wzp_hex_parse(keys.key, 32, key_hex, 64, NULL), WZP_OK);
    wzp_session_id_of(keys.session_id, keys.key);
    wzp_session *session = wzp_session_new(&keys);
    wzp_wr_init(&wr, out, 16);
    wzp_media_hdr_write(&wr, hdr);
    ck_assert_int_eq(wzp_session_seal(session, wzp_bytes_of(out, 16), plain, out + 16), WZP_OK);
    wzp_session_free(&session);
    return 16 + plain.len + WZP_TAG_LEN;
}

static void tell_sealed(uint32_t conn, bool to_server, const char *key_hex, uint32_t seq,
                        const char *plain) {
    uint8_t out[256];
    const wzp_media_hdr hdr = {.version = 2, .seq = seq, .timestamp_ms = seq * 20};
    const size_t len = make_sealed(out, key_hex, &hdr, wzp_bytes_str(plain));
    tell_datagram(conn, to_server, wzp_bytes_of(out, len));
}

/* Current and next epoch around the boundary, late ones of the previous epoch, and no other once
 * the place is known. */
START_TEST(epochs) {
    static const char key_c[] = "4444444444444444444444444444444444444444444444444444444444444444";
    static const char key_d[] = "4545454545454545454545454545454545454545454545454545454545454545";
    ears_begin(false);
    give_keys("WZP_MEDIA_KEY " R1 " 9 4545454545454545454545454545454545454545454545454545454545454"
              "545\nWZP_MEDIA_KEY " R1 " 2 "
              "4444444444444444444444444444444444444444444444444444444444444444\n"
              "WZP_MEDIA_KEY " R1 " 1 " KEY_B "\nWZP_MEDIA_KEY " R1 " 0 " KEY_A "\n");
    tell_hello(1, "room", "wzp");
    static const struct step {
        const char *key;
        wzp_pcap_media_seal want;
        uint32_t epoch;
    } steps[] = {
        {KEY_B, WZP_PCAP_SEAL_OPENED, 1}, /* the capture begins in the middle */
        {KEY_A, WZP_PCAP_SEAL_OPENED, 0}, {KEY_B, WZP_PCAP_SEAL_OPENED, 1},
        {key_d, WZP_PCAP_SEAL_FAILED, 0}, {key_c, WZP_PCAP_SEAL_OPENED, 2},
        {KEY_A, WZP_PCAP_SEAL_FAILED, 0}, {key_d, WZP_PCAP_SEAL_OPENED, 9},
    };
    for (uint32_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        tell_sealed(1, true, steps[i].key, i, "x");
        ck_assert_msg(last()->media.seal == steps[i].want, "step %u", i);
        if (steps[i].want == WZP_PCAP_SEAL_OPENED) {
            ck_assert_msg(last()->media.epoch == steps[i].epoch, "step %u", i);
        }
    }
    ears_end();
}
END_TEST

/* On the way back packets are those of anybody in the room. */
START_TEST(others) {
    ears_begin(false);
    give_keys("WZP_MEDIA_KEY " R1 " 0 " KEY_A "\nWZP_MEDIA_KEY " R2 " 0 " KEY_B "\n");
    tell_hello(1, "room", "wzp");
    tell_sealed(1, false, KEY_B, 1, "from the second");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    ck_assert_uint_eq(last()->media.sender, 2);
    tell_sealed(1, false, KEY_A, 1, "an echo");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    ck_assert_uint_eq(last()->media.sender, 0); /* or its peer, who has the same key */
    tell_sealed(1, true, KEY_A, 1, "on its own way");
    ck_assert_uint_eq(last()->media.sender, 1);
    tell_sealed(1, true, KEY_B, 2, "with a key that is not its own");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_FAILED);
    tell_sealed(1, false, R3, 3, "of somebody whose key is not there");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_NO_KEY);
    ck_assert_uint_eq(ears.core.counters.opened, 3);
    ck_assert_uint_eq(ears.core.counters.failed, 1);
    ck_assert_uint_eq(ears.core.counters.no_key, 1);
    ears_end();
}
END_TEST

START_TEST(late_keys) {
    ears_begin(false);
    tell_hello(1, "room", "wzp");
    tell_sealed(1, true, KEY_A, 1, "x");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_NO_KEY);
    give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\n");
    tell_sealed(1, true, KEY_A, 2, "x");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    tell_hello(2, "call-call-1", "wzp"); /* between clients nothing is sealed */
    tell_sealed(2, true, KEY_A, 3, "x");
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_NONE);
    ck_assert_uint_eq(last()->media.plain.len, 17);
    ears_end();
}
END_TEST

/* The report behind the tag, as deployed, or under it, as specified (crypto sheet 6.3). */
START_TEST(reports) {
    static const uint8_t report[4] = {25, 25, 20, 200};
    static const uint8_t frame[10] = "opus frame";
    const wzp_media_hdr hdr = {.version = 2, .flags = WZP_MEDIA_QUALITY, .seq = 50};
    uint8_t out[256];
    uint8_t plain[16];
    ears_begin(false);
    give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\n");
    tell_hello(1, "room", "wzp");
    size_t len = make_sealed(out, KEY_A, &hdr, wzp_bytes_str("opus frame"));
    memcpy(out + len, report, sizeof report);
    tell_datagram(1, true, wzp_bytes_of(out, len + sizeof report));
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    ck_assert(!last()->media.report_inside);
    ck_assert_uint_eq(last()->media.plain.len, 10);
    ck_assert_uint_eq(last()->media.packet.report.bitrate_cap_kbps, 200);

    memcpy(plain, frame, sizeof frame);
    memcpy(plain + 10, report, sizeof report);
    len = make_sealed(out, KEY_A, &hdr, wzp_bytes_of(plain, 14));
    tell_datagram(1, true, wzp_bytes_of(out, len));
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    ck_assert(last()->media.report_inside);
    ck_assert_uint_eq(last()->media.plain.len, 10);
    ck_assert_uint_eq(last()->media.packet.payload.len, 30);
    ck_assert_uint_eq(last()->media.packet.report.loss_pct, 25);
    ck_assert_uint_eq(last()->media.packet.report.bitrate_cap_kbps, 200);
    ears_end();
}
END_TEST

/* A mini frame is sealed under the header that it stands for. */
START_TEST(mini) {
    const wzp_media_hdr hdr = {.version = 2, .seq = 7, .timestamp_ms = 140};
    uint8_t out[64];
    uint8_t frame[64] = {0x01, 0x01, 0x00, 0x14, 0x00, 19};
    uint8_t buf[32];
    ears_begin(false);
    give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\n");
    tell_hello(1, "room", "wzp");
    tell_datagram(1, true, unhex(buf, sizeof buf, "0002000000000000000006000000780000"));
    ck_assert_int_eq(last()->media.shape, WZP_PCAP_FULL);
    ck_assert_uint_eq(make_sealed(out, KEY_A, &hdr, wzp_bytes_str("abc")), 35);
    memcpy(frame + 6, out + 16, 19);
    tell_datagram(1, true, wzp_bytes_of(frame, 25));
    ck_assert_int_eq(last()->media.shape, WZP_PCAP_MINI);
    ck_assert_int_eq(last()->media.seal, WZP_PCAP_SEAL_OPENED);
    ears_end();
}
END_TEST

/* Before 2026-05-25 a counter of packets was the nonce. */
START_TEST(legacy) {
    for (int wanted = 0; wanted < 2; wanted++) {
        ears_begin(wanted != 0);
        give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\n");
        tell_hello(1, "room", "wzp");
        for (uint32_t i = 0; i < 3; i++) {
            /* Sealed as number i, sent as number 1000 + i: possible only without header data. */
            uint8_t out[256];
            uint8_t nonce[WZP_NONCE_LEN];
            const wzp_media_hdr hdr = {.version = 2, .seq = 1000 + i};
            wzp_session_keys keys = {0};
            wzp_wr wr;
            memset(keys.key, 0x42, 32);
            wzp_session_id_of(keys.session_id, keys.key);
            wzp_session_nonce(nonce, keys.session_id, i + 2); /* two were lost */
            wzp_wr_init(&wr, out, 16);
            wzp_media_hdr_write(&wr, &hdr);
            crypto_aead_chacha20poly1305_ietf_encrypt(out + 16, NULL, (const uint8_t *)"abc", 3,
                                                      out, 16, NULL, nonce, keys.key);
            tell_datagram(1, true, wzp_bytes_of(out, 35));
            ck_assert_int_eq(last()->media.seal,
                             wanted ? WZP_PCAP_SEAL_OPENED : WZP_PCAP_SEAL_FAILED);
        }
        ears_end();
    }
}
END_TEST

/* Audio and video that count by themselves meet at the same nonce (crypto sheet 6.4). */
START_TEST(nonces) {
    uint8_t out[256];
    const wzp_media_hdr video = {
        .version = 2, .media_type = WZP_MEDIA_VIDEO, .codec_id = WZP_CODEC_AV1_MAIN, .seq = 5};
    ears_begin(false);
    give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\nWZP_MEDIA_KEY * 1 " KEY_B "\n");
    tell_hello(1, "room", "wzp");
    tell_sealed(1, true, KEY_A, 5, "audio");
    ck_assert(!last()->media.nonce_again);
    tell_sealed(1, true, KEY_A, 5, "audio"); /* the same packet once more is no other one */
    ck_assert(!last()->media.nonce_again);
    const size_t len = make_sealed(out, KEY_A, &video, wzp_bytes_str("video"));
    tell_datagram(1, true, wzp_bytes_of(out, len));
    ck_assert(last()->media.nonce_again);
    tell_sealed(1, true, KEY_B, 5, "the next key makes another nonce");
    ck_assert(!last()->media.nonce_again);
    ck_assert_uint_eq(ears.core.counters.nonces_again, 1);
    ears_end();
}
END_TEST

/* Payloads that are too short for a tag, cut anywhere. */
START_TEST(prefixes) {
    uint8_t out[256];
    const wzp_media_hdr hdr = {.version = 2, .flags = WZP_MEDIA_QUALITY, .seq = 1};
    const size_t whole = make_sealed(out, KEY_A, &hdr, wzp_bytes_str("abcdefgh"));
    for (size_t len = 0; len < whole; len++) {
        uint8_t *copy = exact(out, len);
        ears_begin(true);
        give_keys("WZP_MEDIA_KEY * 0 " KEY_A "\n");
        tell_hello(1, "room", "wzp");
        tell_datagram(1, true, wzp_bytes_of(copy, len));
        ck_assert(last()->media.seal != WZP_PCAP_SEAL_OPENED);
        free(copy);
        ears_end();
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("keys");
    tcase_add_loop_test(tc, lines, 0, WZP_COUNT_OF(line_cases));
    tcase_add_test(tc, limits);
    tcase_add_test(tc, vectors);
    tcase_add_test(tc, epochs);
    tcase_add_test(tc, others);
    tcase_add_test(tc, late_keys);
    tcase_add_test(tc, reports);
    tcase_add_test(tc, mini);
    tcase_add_test(tc, legacy);
    tcase_add_test(tc, nonces);
    tcase_add_test(tc, prefixes);
    return wzp_run_suite("keys", tc);
}
