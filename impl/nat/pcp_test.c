#include "nat/pcp.h"

#include "wire/testing/bytes.h"

/* Vector P5: MAP 192.168.1.10:40000, 7200 s. */
#define P5_HEADER "02010000 00001c20 00000000000000000000ffffc0a8010a "
#define P5_BODY "00112233445566778899aabb 11000000 9c409c40 00000000000000000000000000000000 "
#define P5 P5_HEADER P5_BODY
#define PEER_HEADER "02020000 00001c20 00000000000000000000ffffc0a8010a "
#define PEER_END "01bb0000 00000000000000000000ffffc6336409 "
#define THIRD_PARTY "01000010 00000000000000000000ffffc0a8010b "
#define FILTER "03000014 00800000 00000000000000000000ffffc6336409 "

static const struct result_case {
    const char *name, *hex;
    wzp_err want;
    wzp_pcp_result result;
    unsigned want_offset; /* of the failure */
} result_cases[] = {
    {"vector P5", P5, WZP_OK, WZP_PCP_SUCCESS, 0},
    {"announce", "02000000 00000000 00000000000000000000ffffc0a8010a", WZP_OK, WZP_PCP_SUCCESS, 0},
    {"peer", PEER_HEADER P5_BODY PEER_END, WZP_OK, WZP_PCP_SUCCESS, 0},
    {"all three options", P5 THIRD_PARTY "02000000" FILTER FILTER, WZP_OK, WZP_PCP_SUCCESS, 0},
    {"unknown option that we may ignore", P5 "80000003 aabbcc00 02000000", WZP_OK, WZP_PCP_SUCCESS,
     0},
    {"a response", "0281", WZP_ERR_PARSE, WZP_PCP_SUCCESS, 1},
    {"one byte", "02", WZP_ERR_TRUNCATED, WZP_PCP_SUCCESS, 1},
    {"version 1", "0101", WZP_OK, WZP_PCP_UNSUPP_VERSION, 0},
    {"version 3, whole",
     "0301"
     "0000 00000000 00000000000000000000ffffc0a8010a",
     WZP_OK, WZP_PCP_UNSUPP_VERSION, 0},
    {"shorter than a header", "0201000000001c20", WZP_OK, WZP_PCP_MALFORMED_REQUEST, 0},
    {"not whole words", P5 "0000", WZP_OK, WZP_PCP_MALFORMED_REQUEST, 0},
    {"MAP without its fields", P5_HEADER, WZP_OK, WZP_PCP_MALFORMED_REQUEST, 24},
    {"PEER without its remote peer", PEER_HEADER P5_BODY, WZP_OK, WZP_PCP_MALFORMED_REQUEST, 60},
    {"PEER without remote port", PEER_HEADER P5_BODY "00000000 00000000000000000000ffffc6336409",
     WZP_OK, WZP_PCP_MALFORMED_REQUEST, 24},
    {"operation 3", "02030000 00000000 00000000000000000000ffffc0a8010a", WZP_OK,
     WZP_PCP_UNSUPP_OPCODE, 1},
    {"unknown option that we must know", P5 "04000000", WZP_OK, WZP_PCP_UNSUPP_OPTION, 60},
    {"option longer than the request", P5 "02000004", WZP_OK, WZP_PCP_MALFORMED_OPTION, 62},
    {"option of 65535 bytes", P5 "8000ffff", WZP_OK, WZP_PCP_MALFORMED_OPTION, 62},
    {"PREFER_FAILURE with data", P5 "02000004 00000000", WZP_OK, WZP_PCP_MALFORMED_OPTION, 60},
    {"PREFER_FAILURE twice", P5 "02000000 02000000", WZP_OK, WZP_PCP_MALFORMED_OPTION, 64},
    {"THIRD_PARTY twice", P5 THIRD_PARTY THIRD_PARTY, WZP_OK, WZP_PCP_MALFORMED_OPTION, 80},
    {"THIRD_PARTY of 12 bytes", P5 "0100000c 000000000000000000000000", WZP_OK,
     WZP_PCP_MALFORMED_OPTION, 60},
    {"FILTER of 129 bits", P5 "03000014 00810000 00000000000000000000ffffc6336409", WZP_OK,
     WZP_PCP_MALFORMED_OPTION, 65},
    {"more filters than we read", P5 FILTER FILTER FILTER FILTER FILTER FILTER FILTER FILTER FILTER,
     WZP_OK, WZP_PCP_EXCESSIVE_REMOTE_PEERS, 252},
    {"PEER with PREFER_FAILURE", PEER_HEADER P5_BODY PEER_END "02000000", WZP_OK,
     WZP_PCP_MALFORMED_REQUEST, 80},
    {"PEER with FILTER", PEER_HEADER P5_BODY PEER_END FILTER, WZP_OK, WZP_PCP_MALFORMED_OPTION, 80},
    {"ANNOUNCE with THIRD_PARTY", "02000000 00000000 00000000000000000000ffffc0a8010a" THIRD_PARTY,
     WZP_OK, WZP_PCP_MALFORMED_OPTION, 24},
};

START_TEST(results) {
    const struct result_case *c = &result_cases[_i];
    uint8_t buf[512];
    wzp_pcp_request got;
    wzp_pcp_result result = WZP_PCP_SUCCESS;
    wzp_fail fail;
    const wzp_err err = wzp_pcp_parse(&got, &result, unhex(buf, sizeof buf, c->hex), &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(result == c->result, "%s: result %u", c->name, (unsigned)result);
    ck_assert_msg(fail.offset == c->want_offset, "%s: offset %zu", c->name, fail.offset);
}
END_TEST

START_TEST(too_long) {
    static uint8_t datagram[WZP_PCP_MAX + 4] = {2, WZP_PCP_MAP};
    uint8_t answer[WZP_PCP_MAX];
    wzp_pcp_request got;
    wzp_pcp_result result;
    wzp_wr wr;
    ck_assert(wzp_pcp_parse(&got, &result, wzp_bytes_of(datagram, sizeof datagram), NULL) ==
              WZP_OK);
    ck_assert_uint_eq(result, WZP_PCP_MALFORMED_REQUEST);
    wzp_wr_init(&wr, answer, sizeof answer);
    wzp_pcp_write_error(&wr, wzp_bytes_of(datagram, sizeof datagram), result, 1, 1800);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    ck_assert_uint_eq(wzp_wr_len(&wr), WZP_PCP_MAX);
}
END_TEST

static wzp_pcp_request parsed(const char *hex) {
    uint8_t buf[512];
    wzp_pcp_request request;
    wzp_pcp_result result;
    ck_assert(wzp_pcp_parse(&request, &result, unhex(buf, sizeof buf, hex), NULL) == WZP_OK);
    ck_assert_uint_eq(result, WZP_PCP_SUCCESS);
    return request;
}

START_TEST(fields) {
    const wzp_addr client = wzp_addr_v4(192, 168, 1, 10, 0);
    const wzp_addr peer = wzp_addr_v4(198, 51, 100, 9, 443);
    const wzp_addr third = wzp_addr_v4(192, 168, 1, 11, 0);
    wzp_pcp_request got = parsed(P5 THIRD_PARTY "02000000" FILTER);
    ck_assert(wzp_addr_equal(&got.client, &client));
    ck_assert_uint_eq(got.lifetime_s, 7200);
    ck_assert_mem_eq(got.nonce, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb", 12);
    ck_assert_uint_eq(got.protocol, 17);
    ck_assert_uint_eq(got.internal, 40000);
    ck_assert_uint_eq(got.external.port, 40000);
    ck_assert(got.external.family == WZP_ADDR_V6); /* "::" */
    ck_assert(got.prefer_failure && got.has_third_party);
    ck_assert(wzp_addr_equal(&got.third_party, &third));
    ck_assert_uint_eq(got.filter_count, 1);
    ck_assert_uint_eq(got.filters[0].prefix, 128);
    ck_assert(wzp_addr_same_ip(&got.filters[0].remote, &peer));
    got = parsed(PEER_HEADER P5_BODY PEER_END);
    ck_assert(wzp_addr_equal(&got.remote, &peer));
}
END_TEST

/* Only the whole request is a good one; no prefix is read past its end. */
static void try_prefixes(const char *hex) {
    uint8_t buf[512];
    const wzp_bytes whole = unhex(buf, sizeof buf, hex);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_pcp_request got;
        wzp_pcp_result result = WZP_PCP_SUCCESS;
        const wzp_err err = wzp_pcp_parse(&got, &result, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == (len < 2 ? WZP_ERR_TRUNCATED : WZP_OK));
        if (err == WZP_OK && len < 60) {
            ck_assert_uint_eq(result, WZP_PCP_MALFORMED_REQUEST);
        }
        ck_assert(len < whole.len || result == WZP_PCP_SUCCESS);
        free(copy);
    }
}

START_TEST(every_prefix) {
    try_prefixes(P5 THIRD_PARTY "02000000" FILTER);
    try_prefixes(PEER_HEADER P5_BODY PEER_END);
}
END_TEST

static void assert_written(const wzp_wr *wr, const char *hex) {
    uint8_t want[512];
    ck_assert(wzp_wr_end(wr) == WZP_OK);
    CK_ASSERT_BYTES(wzp_bytes_of(wr->base, wzp_wr_len(wr)), unhex(want, sizeof want, hex));
}

START_TEST(granted) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 9, 51413);
    uint8_t buf[WZP_PCP_MAX];
    wzp_wr wr;
    wzp_pcp_request request = parsed(P5);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_granted(&wr, &request, 123456, &external, 7200);
    assert_written(&wr, "0281000000001c200001e24000000000000000000000000000112233445566778899"
                        "aabb110000009c40c8d500000000000000000000ffffcb007109"); /* vector P6 */
    request = parsed(PEER_HEADER P5_BODY PEER_END THIRD_PARTY);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_granted(&wr, &request, 123456, &external, 7200);
    assert_written(&wr,
                   "0282000000001c200001e24000000000000000000000000000112233445566778899"
                   "aabb110000009c40c8d500000000000000000000ffffcb007109" PEER_END THIRD_PARTY);
    request = parsed(P5 "02000000" FILTER);
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_granted(&wr, &request, 123456, &external, 7200);
    assert_written(&wr, "0281000000001c200001e24000000000000000000000000000112233445566778899"
                        "aabb110000009c40c8d500000000000000000000ffffcb007109 02000000" FILTER);
}
END_TEST

START_TEST(errors) {
    uint8_t buf[WZP_PCP_MAX];
    uint8_t in[128];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_error(&wr,
                        unhex(in, sizeof in,
                              P5_HEADER "00112233445566778899aabb 11000000 9c400000 "
                                        "00000000000000000000000000000000"),
                        WZP_PCP_ADDRESS_MISMATCH, 123456, 30);
    assert_written(&wr, "0281000c0000001e0001e24000000000000000000000000000112233445566778899"
                        "aabb110000009c40000000000000000000000000000000000000"); /* vector P7 */
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_error(&wr, wzp_bytes_of("\x03\x01", 2), WZP_PCP_UNSUPP_VERSION, 5, 1800);
    assert_written(&wr, "02810001000007080000000500000000 0000000000000000");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_error(&wr, unhex(in, sizeof in, P5_HEADER "0011223344"),
                        WZP_PCP_MALFORMED_REQUEST, 5, 1800);
    assert_written(&wr, "02810003000007080000000500000000 0000000000000000 0011223344000000");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_announce(&wr, 0);
    assert_written(&wr, "028000000000000000000000000000000000000000000000");
}
END_TEST

START_TEST(how_long_an_error_lasts) {
    ck_assert_uint_eq(wzp_pcp_error_lifetime(WZP_PCP_SUCCESS), 0);
    ck_assert_uint_eq(wzp_pcp_error_lifetime(WZP_PCP_NO_RESOURCES), 30);
    ck_assert_uint_eq(wzp_pcp_error_lifetime(WZP_PCP_NOT_AUTHORIZED), 1800);
    ck_assert_uint_eq(wzp_pcp_error_lifetime(200), 1800);
}
END_TEST

/* --- clients ---------------------------------------------------------------------------------- */

static wzp_pcp_request map_request(void) {
    wzp_pcp_request request = {.op = WZP_PCP_MAP,
                               .lifetime_s = 7200,
                               .client = wzp_addr_v4(192, 168, 1, 10, 0),
                               .protocol = 17,
                               .internal = 40000,
                               .external = {WZP_ADDR_NONE, 40000, {0}}};
    unhex(request.nonce, sizeof request.nonce, "00112233445566778899aabb");
    return request;
}

START_TEST(request_as_the_vector) {
    const wzp_pcp_request request = map_request();
    uint8_t want[WZP_PCP_MAP_LEN];
    uint8_t buf[WZP_PCP_MAP_LEN];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_request(&wr, &request);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    CK_ASSERT_BYTES(wzp_bytes_of(buf, wzp_wr_len(&wr)), unhex(want, sizeof want, P5));
}
END_TEST

/* What a client writes, a gateway reads. */
START_TEST(requests_round_trip) {
    wzp_pcp_request request = map_request();
    wzp_pcp_request got;
    wzp_pcp_result result;
    uint8_t buf[256];
    wzp_wr wr;
    request.has_third_party = true;
    request.third_party = wzp_addr_v4(192, 168, 1, 11, 0);
    request.prefer_failure = true;
    request.filter_count = 1;
    request.filters[0] = (wzp_pcp_filter){128, wzp_addr_v4(198, 51, 100, 9, 5)};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_pcp_write_request(&wr, &request);
    ck_assert(wzp_pcp_parse(&got, &result, wzp_bytes_of(buf, wzp_wr_len(&wr)), NULL) == WZP_OK);
    ck_assert(result == WZP_PCP_SUCCESS && got.prefer_failure && got.filter_count == 1);
    ck_assert(wzp_addr_equal(&got.third_party, &request.third_party));
    ck_assert(wzp_addr_equal(&got.filters[0].remote, &request.filters[0].remote));
    ck_assert(got.internal == 40000 && got.external.port == 40000 && got.lifetime_s == 7200);
}
END_TEST

#define P6_HEADER "02810000 00001c20 0001e240 000000000000000000000000"
#define P6_BODY "00112233445566778899aabb 11000000 9c40c8d5 00000000000000000000ffffcb007109"
#define P6 P6_HEADER P6_BODY
#define P7                                                                                         \
    "0281000c 0000001e 0001e240 000000000000000000000000 00112233445566778899aabb 11000000 "       \
    "9c400000 00000000000000000000000000000000"

static const struct answer_case {
    const char *name, *hex;
    wzp_err want;
    unsigned want_offset;
    unsigned version, op, result;
    uint32_t lifetime_s, epoch_s;
    const char *external; /* NULL: no mapping */
} answer_cases[] = {
    {"vector P6", P6, WZP_OK, 0, 2, 1, 0, 7200, 123456, "203.0.113.9:51413"},
    {"vector P7", P7, WZP_OK, 0, 2, 1, 12, 30, 123456, "[::]:0"},
    {"P6 and an option", P6 "02000000", WZP_OK, 0, 2, 1, 0, 7200, 123456, "203.0.113.9:51413"},
    {"an error with its header only", "0281000c 0000001e 0001e240 000000000000000000000000", WZP_OK,
     0, 2, 1, 12, 30, 123456, NULL},
    {"an error of another operation", "02ff0004 00000708 0001e240 000000000000000000000000", WZP_OK,
     0, 2, 127, 4, 1800, 123456, NULL},
    {"announcement", "02800000 00000000 00000001 000000000000000000000000", WZP_OK, 0, 2, 0, 0, 0,
     1, NULL},
    {"NAT-PMP's unsupported version", "0081000100015180", WZP_OK, 0, 0, 1, 1, 0, 0, NULL},
    {"version 3", "03810001", WZP_OK, 0, 3, 1, 1, 0, 0, NULL},
    {"a request", P5, WZP_ERR_PARSE, 1, 0, 0, 0, 0, 0, NULL},
    {"success of nothing", "02830000 00000000 00000001 000000000000000000000000", WZP_ERR_PARSE, 1,
     0, 0, 0, 0, 0, NULL},
    {"P6 without its mapping", P6_HEADER, WZP_ERR_TRUNCATED, 24, 0, 0, 0, 0, 0, NULL},
    {"not whole words", P6 "0000", WZP_ERR_PARSE, 0, 0, 0, 0, 0, 0, NULL},
    {"nothing", "", WZP_ERR_TRUNCATED, 0, 0, 0, 0, 0, 0, NULL},
};

START_TEST(answers_read) {
    const struct answer_case *c = &answer_cases[_i];
    uint8_t buf[128];
    char text[WZP_ADDR_TEXT_MAX];
    wzp_pcp_answer got = {0};
    wzp_fail fail;
    const wzp_err err = wzp_pcp_parse_answer(&got, unhex(buf, sizeof buf, c->hex), &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: offset %zu", c->name, fail.offset);
    ck_assert_msg(got.version == c->version && got.op == c->op && got.result == c->result, "%s",
                  c->name);
    ck_assert_msg(got.lifetime_s == c->lifetime_s && got.epoch_s == c->epoch_s, "%s", c->name);
    ck_assert_msg(got.has_mapping == (c->external != NULL), "%s", c->name);
    if (c->external != NULL) {
        ck_assert_str_eq(wzp_addr_text(&got.external, text), c->external);
        ck_assert(got.nonce[11] == 0xbb && got.protocol == 17 && got.internal == 40000);
    }
}
END_TEST

START_TEST(every_prefix_of_an_answer) {
    uint8_t buf[WZP_PCP_MAP_LEN];
    const wzp_bytes whole = unhex(buf, sizeof buf, P6);
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_pcp_answer got = {.internal = 7};
        const wzp_err err = wzp_pcp_parse_answer(&got, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == (len == whole.len ? WZP_OK : WZP_ERR_TRUNCATED));
        ck_assert(len == whole.len || got.internal == 7);
        free(copy);
    }
}
END_TEST

START_TEST(an_answer_longer_than_any) {
    static uint8_t buf[WZP_PCP_MAX + 4];
    wzp_pcp_answer got;
    unhex(buf, sizeof buf, P6);
    ck_assert(wzp_pcp_parse_answer(&got, wzp_bytes_of(buf, WZP_PCP_MAX), NULL) == WZP_OK);
    ck_assert(wzp_pcp_parse_answer(&got, wzp_bytes_of(buf, sizeof buf), NULL) == WZP_ERR_PARSE);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("pcp");
    tcase_add_loop_test(tc, results, 0, WZP_COUNT_OF(result_cases));
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, granted);
    tcase_add_test(tc, errors);
    tcase_add_test(tc, how_long_an_error_lasts);
    tcase_add_test(tc, request_as_the_vector);
    tcase_add_test(tc, requests_round_trip);
    tcase_add_loop_test(tc, answers_read, 0, WZP_COUNT_OF(answer_cases));
    tcase_add_test(tc, every_prefix_of_an_answer);
    tcase_add_test(tc, an_answer_longer_than_any);
    return wzp_run_suite("pcp", tc);
}
