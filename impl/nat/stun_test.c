#include "nat/stun.h"

#include "wire/testing/bytes.h"

#define T1 "000102030405060708090a0b"
#define T2 "a1b2c3d4e5f60718293a4b5c"

/* NAT-023: nat sheet 1.7, S1-S6; RFC 5769 2.1 and 2.2 for the fingerprint. */
#define S1 "00010000 2112a442" T1
#define S2 "0101000c 2112a442" T1 "00200008 0001112bea12d547"
#define S3 "01010018 2112a442" T2 "00200014 0002f5230113a9faa1b2c3d4e5f60718293a4b5d"
#define S4 "0101000c 2112a442" T1 "00010008 00011f90c633642a"
#define S5                                                                                         \
    "01010024 2112a442" T2 "80220005 6162636465000000 00010008 00010457c0000201 "                  \
    "00200008 0001bd53ea12d50f"
#define S6 "0111001c 2112a442" T1 "00090015 00000414 556e6b6e6f776e20417474726962757465000000"
#define RFC5769_REQUEST                                                                            \
    "00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 "        \
    "00240004 6e0001ff 80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 "               \
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf"
#define RFC5769_RESPONSE                                                                           \
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 "                \
    "00200008 0001a147e112a643 00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 "                 \
    "80280004 c07d4c96"

static const struct parse_case {
    const char *name, *hex;
    wzp_err want;
    unsigned want_offset; /* of the failure */
    const char *mapped, *xor_mapped;
    unsigned error, unknown_count;
} parse_cases[] = {
    {"S1", S1, WZP_OK, 0, "-", "-", 0, 0},
    {"S2", S2, WZP_OK, 0, "-", "203.0.113.5:12345", 0, 0},
    {"S3", S3, WZP_OK, 0, "-", "[2001:db8::1]:54321", 0, 0},
    {"S4", S4, WZP_OK, 0, "198.51.100.42:8080", "-", 0, 0},
    {"S5", S5, WZP_OK, 0, "192.0.2.1:1111", "203.0.113.77:40001", 0, 0},
    {"S6", S6, WZP_OK, 0, "-", "-", 420, 0},
    {"RFC 5769 request", RFC5769_REQUEST, WZP_OK, 0, "-", "-", 0, 3},
    {"RFC 5769 response", RFC5769_RESPONSE, WZP_OK, 0, "-", "192.0.2.1:32853", 0, 1},
    {"the first of two counts",
     "01010018 2112a442" T1 "00010008 00011f90c633642a 00010008 00010001c0000201", WZP_OK, 0,
     "198.51.100.42:8080", "-", 0, 0},
    {"bytes after the message", S1 "ff", WZP_OK, 0, "-", "-", 0, 0},
    {"cookie of another protocol", "00010000 2112a443" T1, WZP_ERR_PARSE, 4, "-", "-", 0, 0},
    {"first bits set", "40010000 2112a442" T1, WZP_ERR_PARSE, 0, "-", "-", 0, 0},
    {"length not of whole words", "00010003 2112a442" T1 "000000", WZP_ERR_PARSE, 2, "-", "-", 0,
     0},
    {"longer than the datagram", "00010004 2112a442" T1, WZP_ERR_TRUNCATED, 2, "-", "-", 0, 0},
    {"attribute longer than the message", "00010004 2112a442" T1 "80220004", WZP_ERR_TRUNCATED, 24,
     "-", "-", 0, 0},
    {"address of 4 bytes", "01010008 2112a442" T1 "00200004 0001112b", WZP_ERR_TRUNCATED, 28, "-",
     "-", 0, 0},
    {"IPv6 address of 4 bytes", "0101000c 2112a442" T1 "00200008 0002112bea12d547",
     WZP_ERR_TRUNCATED, 28, "-", "-", 0, 0},
    {"address of family 3", "0101000c 2112a442" T1 "00200008 0003112bea12d547", WZP_ERR_PARSE, 25,
     "-", "-", 0, 0},
    {"address of nothing", "01010004 2112a442" T1 "00200000", WZP_ERR_TRUNCATED, 24, "-", "-", 0,
     0},
    {"error 955", "01110008 2112a442" T1 "00090004 000007ff", WZP_ERR_PARSE, 26, "-", "-", 0, 0},
    {"error 200", "01110008 2112a442" T1 "00090004 00000200", WZP_ERR_PARSE, 26, "-", "-", 0, 0},
    {"wrong fingerprint", "00010008 2112a442" T1 "80280004 00000000", WZP_ERR_PARSE, 20, "-", "-",
     0, 0},
    {"fingerprint of nothing", "00010004 2112a442" T1 "80280000", WZP_ERR_PARSE, 20, "-", "-", 0,
     0},
    {"fingerprint is not last", "00010010 2112a442" T1 "80280004 aa4e201f 80220004 61626364",
     WZP_ERR_PARSE, 20, "-", "-", 0, 0},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    uint8_t buf[256];
    char text[WZP_ADDR_TEXT_MAX];
    wzp_stun_message got = {0};
    wzp_fail fail;
    const wzp_err err = wzp_stun_parse(&got, unhex(buf, sizeof buf, c->hex), &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: offset %zu", c->name, fail.offset);
    ck_assert_str_eq(wzp_addr_text(&got.mapped, text), c->mapped);
    ck_assert_str_eq(wzp_addr_text(&got.xor_mapped, text), c->xor_mapped);
    ck_assert_uint_eq(got.error, c->error);
    ck_assert_uint_eq(got.unknown_count, c->unknown_count);
}
END_TEST

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert(wzp_addr_parse(&addr, text) == WZP_OK);
    return addr;
}

static void assert_written(const wzp_stun_message *message, const char *hex) {
    uint8_t buf[256];
    uint8_t want[256];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_stun_write(&wr, message);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    CK_ASSERT_BYTES(wzp_bytes_of(buf, wzp_wr_len(&wr)), unhex(want, sizeof want, hex));
}

START_TEST(written_as_the_vectors) {
    wzp_stun_message message = {.type = WZP_STUN_REQUEST};
    unhex(message.txid, sizeof message.txid, T1);
    assert_written(&message, S1);
    message.type = WZP_STUN_SUCCESS;
    message.xor_mapped = address("203.0.113.5:12345");
    assert_written(&message, S2);
    message.xor_mapped = (wzp_addr){0};
    message.mapped = address("198.51.100.42:8080");
    assert_written(&message, S4);
    message.mapped = (wzp_addr){0};
    message.type = WZP_STUN_ERROR;
    message.error = 420;
    assert_written(&message, S6);
    message.error = 0;
    message.type = WZP_STUN_SUCCESS;
    unhex(message.txid, sizeof message.txid, T2);
    message.xor_mapped = address("[2001:db8::1]:54321");
    assert_written(&message, S3);
}
END_TEST

static const wzp_stun_message full = {.type = WZP_STUN_SUCCESS,
                                      .txid = {1, 2, 3},
                                      .mapped = {WZP_ADDR_V4, 1, {192, 0, 2, 1}},
                                      .xor_mapped = {WZP_ADDR_V6, 2, {0x20, 1, 0xd, 0xb8}},
                                      .origin = {WZP_ADDR_V4, 3, {192, 0, 2, 3}},
                                      .other = {WZP_ADDR_V4, 4, {192, 0, 2, 4}},
                                      .has_change = true,
                                      .change_port = true,
                                      .response_port = 5,
                                      .has_padding = true,
                                      .padding_len = 6,
                                      .error = 600,
                                      .has_fingerprint = true};

static size_t write_full(uint8_t *buf, size_t cap) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, cap);
    wzp_stun_write(&wr, &full);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    return wzp_wr_len(&wr);
}

START_TEST(round_trip) {
    uint8_t buf[256];
    wzp_stun_message got;
    const size_t len = write_full(buf, sizeof buf);
    ck_assert(wzp_stun_parse(&got, wzp_bytes_of(buf, len), NULL) == WZP_OK);
    ck_assert(got.type == full.type && memcmp(got.txid, full.txid, sizeof got.txid) == 0);
    ck_assert(wzp_addr_equal(&got.mapped, &full.mapped));
    ck_assert(wzp_addr_equal(&got.xor_mapped, &full.xor_mapped));
    ck_assert(wzp_addr_equal(&got.origin, &full.origin));
    ck_assert(wzp_addr_equal(&got.other, &full.other));
    ck_assert(got.has_change && !got.change_ip && got.change_port);
    ck_assert(got.response_port == 5 && got.has_padding && got.padding_len == 6);
    ck_assert(got.error == 600 && got.has_fingerprint && got.unknown_count == 0);
}
END_TEST

START_TEST(every_prefix) {
    uint8_t buf[256];
    const size_t whole = write_full(buf, sizeof buf);
    for (size_t len = 0; len <= whole; len++) {
        uint8_t *copy = exact(buf, len);
        wzp_stun_message got;
        const wzp_err err = wzp_stun_parse(&got, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == (len == whole ? WZP_OK : WZP_ERR_TRUNCATED));
        ck_assert(wzp_stun_is(wzp_bytes_of(copy, len)) == (len >= WZP_STUN_HEADER_LEN));
        free(copy);
    }
}
END_TEST

START_TEST(any_flipped_bit_breaks_the_fingerprint) {
    uint8_t buf[256];
    const size_t len = write_full(buf, sizeof buf);
    for (size_t i = 0; i < 8 * len; i++) {
        wzp_stun_message got = {0};
        buf[i / 8] ^= (uint8_t)(1U << (i % 8));
        const wzp_err err = wzp_stun_parse(&got, wzp_bytes_of(buf, len), NULL);
        /* A bit of the fingerprint's own type hides it, as an attribute that nobody knows. */
        ck_assert(err != WZP_OK || !got.has_fingerprint);
        buf[i / 8] ^= (uint8_t)(1U << (i % 8));
    }
}
END_TEST

START_TEST(does_not_fit) {
    uint8_t buf[256];
    const size_t len = write_full(buf, sizeof buf);
    for (size_t cap = 0; cap < len; cap++) {
        wzp_wr wr;
        wzp_wr_init(&wr, buf, cap);
        wzp_stun_write(&wr, &full);
        ck_assert(wzp_wr_end(&wr) == WZP_ERR_OVERFLOW);
    }
}
END_TEST

START_TEST(told_apart_from_other_datagrams) {
    uint8_t buf[32];
    ck_assert(wzp_stun_is(unhex(buf, sizeof buf, S1)));
    ck_assert(!wzp_stun_is(unhex(buf, sizeof buf, "c0000001 2112a442" T1)));
    ck_assert(!wzp_stun_is(unhex(buf, sizeof buf, "00010000 00000000" T1)));
    ck_assert(!wzp_stun_is(wzp_bytes_of("\0", 1)));
}
END_TEST

/* --- what a client reads ---------------------------------------------------------------------- */

#define FOR_T1(len) "010100" len " 2112a442" T1
#define XOR_5 "00200008 0001112bea12d547" /* 203.0.113.5:12345 */
#define XOR_4 "00200008 0001112bea12d546" /* 203.0.113.4:12345 */

/* NAT-027 */
static const struct answer_case {
    const char *name, *hex, *txid;
    const char *mapped; /* by the reference's rules, as all three; NULL: not accepted */
    wzp_stun_verdict want;
    unsigned error;
    const char *deployed; /* NULL: the same, "" not accepted */
    wzp_stun_verdict want_deployed;
} answer_cases[] = {
    {"S2", S2, T1, "203.0.113.5:12345", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"S3", S3, T2, "[2001:db8::1]:54321", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"S4", S4, T1, "198.51.100.42:8080", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"S5, XOR wins", S5, T2, "203.0.113.77:40001", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"S6, error 420", S6, T1, NULL, WZP_STUN_REFUSED, 420, "", WZP_STUN_REFUSED},
    {"an error of another transaction", S6, T2, NULL, WZP_STUN_WRONG_TXID, 0, "", WZP_STUN_REFUSED},
    {"another transaction", S2, T2, NULL, WZP_STUN_WRONG_TXID, 0, "", WZP_STUN_WRONG_TXID},
    {"a request", S1, T1, NULL, WZP_STUN_NOT_STUN, 0, "", WZP_STUN_NOT_STUN},
    {"another method", "01020000 2112a442" T1, T1, NULL, WZP_STUN_NOT_STUN, 0, "",
     WZP_STUN_NOT_STUN},
    {"another cookie", "0101000c 2112a443" T1 XOR_5, T1, NULL, WZP_STUN_NOT_STUN, 0, "",
     WZP_STUN_NOT_STUN},
    {"19 bytes", "01010000 2112a442 000102030405060708090a", T1, NULL, WZP_STUN_NOT_STUN, 0, "",
     WZP_STUN_NOT_STUN},
    {"longer than the datagram", FOR_T1("10") XOR_5, T1, NULL, WZP_STUN_CUT, 0, "", WZP_STUN_CUT},
    {"shorter than the datagram", FOR_T1("0c") XOR_5 "ff", T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"nothing in it", FOR_T1("00"), T1, NULL, WZP_STUN_NO_ADDRESS, 0, "", WZP_STUN_NO_ADDRESS},
    {"a cut attribute after the address", FOR_T1("10") XOR_5 "80220004", T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"a cut attribute before the address", FOR_T1("10") "8022000d" XOR_5, T1, NULL,
     WZP_STUN_NO_ADDRESS, 0, "", WZP_STUN_NO_ADDRESS},
    {"one that must be understood", FOR_T1("10") "7fff0000" XOR_5, T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"no filling after the last one", FOR_T1("11") XOR_5 "80220001 41", T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"twice", FOR_T1("18") XOR_5 XOR_4, T1, "203.0.113.5:12345", WZP_STUN_ACCEPTED, 0,
     "203.0.113.4:12345", WZP_STUN_ACCEPTED},
    {"a bad one later", FOR_T1("18") XOR_5 "00200008 0003112bea12d547", T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, "", WZP_STUN_NO_ADDRESS},
    {"a bad one before", FOR_T1("18") "00200008 0003112bea12d547" XOR_5, T1, "203.0.113.5:12345",
     WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"a bad XOR, a good one plain",
     FOR_T1("14") "00200004 00010000"
                  "00010008 00010001c0000201",
     T1, "192.0.2.1:1", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"IPv6 of 8 bytes", FOR_T1("0c") "00200008 0002112bea12d547", T1, NULL, WZP_STUN_NO_ADDRESS, 0,
     "", WZP_STUN_NO_ADDRESS},
    {"XOR of a draft, which nobody knows", FOR_T1("0c") "80200008 0001112bea12d547", T1, NULL,
     WZP_STUN_NO_ADDRESS, 0, "", WZP_STUN_NO_ADDRESS},
    {"a wrong fingerprint", FOR_T1("14") XOR_5 "80280004 00000000", T1, NULL,
     WZP_STUN_BAD_FINGERPRINT, 0, "203.0.113.5:12345", WZP_STUN_ACCEPTED},
    {"RFC 5769 with its fingerprint", RFC5769_RESPONSE, "b7e7a701bc34d686fa87dfae",
     "192.0.2.1:32853", WZP_STUN_ACCEPTED, 0, NULL, WZP_STUN_ACCEPTED},
    {"an error without code", "01110000 2112a442" T1, T1, NULL, WZP_STUN_REFUSED, 0, "",
     WZP_STUN_REFUSED},
};

static void assert_answer(const struct answer_case *c, wzp_stun_rules rules, const char *mapped,
                          wzp_stun_verdict want, unsigned error) {
    uint8_t buf[256];
    uint8_t txid[WZP_STUN_TXID_LEN];
    char text[WZP_ADDR_TEXT_MAX];
    wzp_stun_answer got = {.error = 7};
    unhex(txid, sizeof txid, c->txid);
    const wzp_stun_verdict verdict =
        wzp_stun_read_answer(&got, unhex(buf, sizeof buf, c->hex), txid, rules);
    ck_assert_msg(verdict == want, "%s: got %s", c->name, wzp_stun_verdict_text(verdict));
    if (want == WZP_STUN_ACCEPTED) {
        ck_assert_str_eq(wzp_addr_text(&got.mapped, text), mapped);
    } else {
        ck_assert_uint_eq(got.error, want == WZP_STUN_REFUSED ? error : 7);
    }
}

START_TEST(answer) {
    const struct answer_case *c = &answer_cases[_i];
    assert_answer(c, WZP_STUN_REFERENCE, c->mapped, c->want, c->error);
    assert_answer(c, WZP_STUN_DEPLOYED, c->deployed != NULL ? c->deployed : c->mapped,
                  c->want_deployed, 0);
}
END_TEST

START_TEST(every_prefix_of_an_answer) {
    uint8_t buf[256];
    const wzp_bytes whole = unhex(buf, sizeof buf, S5);
    uint8_t txid[WZP_STUN_TXID_LEN];
    unhex(txid, sizeof txid, T2);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(buf, len);
        wzp_stun_answer got;
        const wzp_stun_verdict want = len < WZP_STUN_HEADER_LEN ? WZP_STUN_NOT_STUN
                                      : len < whole.len         ? WZP_STUN_CUT
                                                                : WZP_STUN_ACCEPTED;
        ck_assert(wzp_stun_read_answer(&got, wzp_bytes_of(copy, len), txid, WZP_STUN_REFERENCE) ==
                  want);
        ck_assert(wzp_stun_read_answer(&got, wzp_bytes_of(copy, len), txid, WZP_STUN_DEPLOYED) ==
                  want);
        free(copy);
    }
}
END_TEST

START_TEST(software_comes_and_goes) {
    uint8_t buf[256];
    wzp_stun_message got;
    ck_assert(wzp_stun_parse(&got, unhex(buf, sizeof buf, S5), NULL) == WZP_OK);
    CK_ASSERT_BYTES(got.software, wzp_bytes_str("abcde"));
    wzp_stun_message message = {.type = WZP_STUN_REQUEST, .software = wzp_bytes_str("abcde")};
    unhex(message.txid, sizeof message.txid, T1);
    assert_written(&message, "0001000c 2112a442" T1 "80220005 6162636465000000");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("stun");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, written_as_the_vectors);
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, any_flipped_bit_breaks_the_fingerprint);
    tcase_add_test(tc, does_not_fit);
    tcase_add_test(tc, told_apart_from_other_datagrams);
    tcase_add_loop_test(tc, answer, 0, WZP_COUNT_OF(answer_cases));
    tcase_add_test(tc, every_prefix_of_an_answer);
    tcase_add_test(tc, software_comes_and_goes);
    return wzp_run_suite("stun", tc);
}
