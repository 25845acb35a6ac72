#include "nat/natpmp.h"

#include "wire/testing/bytes.h"

static const struct parse_case {
    const char *name, *hex;
    wzp_err want;
    unsigned want_offset; /* of the failure */
    wzp_natpmp_request request;
} parse_cases[] = {
    {"address", "0000", WZP_OK, 0, {.op = WZP_NATPMP_ADDRESS}},
    {"vector P2: map 40000, 7200 s",
     "000100009c409c4000001c20",
     WZP_OK,
     0,
     {.op = WZP_NATPMP_MAP_UDP, .internal = 40000, .external = 40000, .lifetime_s = 7200}},
    {"vector P4: release 40000",
     "000100009c40000000000000",
     WZP_OK,
     0,
     {.op = WZP_NATPMP_MAP_UDP, .internal = 40000}},
    {"TCP, bytes after it",
     "0002ffff00500050ffffffff99",
     WZP_OK,
     0,
     {.op = WZP_NATPMP_MAP_TCP, .internal = 80, .external = 80, .lifetime_s = UINT32_MAX}},
    {"version 2 is not read further", "0201", WZP_OK, 0, {.version = 2, .op = 1}},
    {"unknown operation", "0003", WZP_OK, 0, {.op = 3}},
    {"empty", "", WZP_ERR_TRUNCATED, 0, {0}},
    {"one byte", "00", WZP_ERR_TRUNCATED, 1, {0}},
    {"cut in the lifetime", "000100009c409c4000001c", WZP_ERR_TRUNCATED, 8, {0}},
    {"a response", "0080000000015180cb007109", WZP_ERR_PARSE, 1, {0}},
};

static bool same_request(const wzp_natpmp_request *a, const wzp_natpmp_request *b) {
    return a->version == b->version && a->op == b->op && a->internal == b->internal &&
           a->external == b->external && a->lifetime_s == b->lifetime_s;
}

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    uint8_t buf[64];
    wzp_natpmp_request got = {0};
    wzp_fail fail;
    const wzp_err err = wzp_natpmp_parse(&got, unhex(buf, sizeof buf, c->hex), &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: offset %zu", c->name, fail.offset);
    ck_assert_msg(same_request(&got, &c->request), "%s", c->name);
}
END_TEST

START_TEST(every_prefix) {
    uint8_t buf[12];
    const wzp_bytes whole = unhex(buf, sizeof buf, "000100009c409c4000001c20");
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_natpmp_request got = {.internal = 7};
        const wzp_err err = wzp_natpmp_parse(&got, wzp_bytes_of(copy, len), NULL);
        ck_assert(err == (len == whole.len ? WZP_OK : WZP_ERR_TRUNCATED));
        ck_assert_uint_eq(got.internal, len == whole.len ? 40000 : 7); /* else left as it was */
        free(copy);
    }
}
END_TEST

static void assert_written(const wzp_wr *wr, const char *hex) {
    uint8_t want[128];
    ck_assert(wzp_wr_end(wr) == WZP_OK);
    CK_ASSERT_BYTES(wzp_bytes_of(wr->base, wzp_wr_len(wr)), unhex(want, sizeof want, hex));
}

START_TEST(answers) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 9, 0);
    const wzp_natpmp_request map = {
        .op = WZP_NATPMP_MAP_UDP, .internal = 40000, .external = 40000, .lifetime_s = 7200};
    uint8_t buf[WZP_NATPMP_ANSWER_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_address(&wr, WZP_NATPMP_SUCCESS, 86400, &external);
    assert_written(&wr, "0080000000015180cb007109"); /* vector P1 */
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_map(&wr, &map, WZP_NATPMP_SUCCESS, 86401, 51413, 3600);
    assert_written(&wr, "00810000000151819c40c8d500000e10"); /* vector P3 */
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_address(&wr, WZP_NATPMP_NETWORK_FAILURE, 1, NULL);
    assert_written(&wr, "008000030000000100000000");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_version(&wr, 5);
    assert_written(&wr, "0080000100000005");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_opcode(&wr, wzp_bytes_of("\x00\x07\x11\x22\x33", 5));
    assert_written(&wr, "0087000533");
}
END_TEST

START_TEST(long_unknown_request_is_cut) {
    static const uint8_t request[1500] = {0, 9};
    uint8_t buf[WZP_NATPMP_ANSWER_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_opcode(&wr, wzp_bytes_of(request, sizeof request));
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    ck_assert_uint_eq(wzp_wr_len(&wr), WZP_NATPMP_ANSWER_MAX);
}
END_TEST

/* --- clients ---------------------------------------------------------------------------------- */

START_TEST(requests) {
    uint8_t buf[WZP_NATPMP_REQUEST_MAX];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_request(&wr, &(wzp_natpmp_request){.op = WZP_NATPMP_ADDRESS});
    assert_written(&wr, "0000");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_request(&wr, &(wzp_natpmp_request){.op = WZP_NATPMP_MAP_UDP,
                                                        .internal = 40000,
                                                        .external = 40000,
                                                        .lifetime_s = 7200});
    assert_written(&wr, "000100009c409c4000001c20"); /* vector P2 */
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_natpmp_write_request(&wr,
                             &(wzp_natpmp_request){.op = WZP_NATPMP_MAP_UDP, .internal = 40000});
    assert_written(&wr, "000100009c40000000000000"); /* vector P4 */
}
END_TEST

#define P1 "0080000000015180cb007109"
#define P3 "00810000000151819c40c8d500000e10"

static const struct answer_case {
    const char *name, *hex;
    wzp_err want;
    unsigned want_offset;
    wzp_natpmp_answer answer;
} answer_cases[] = {
    {"vector P1",
     P1,
     WZP_OK,
     0,
     {.epoch_s = 86400, .external = {WZP_ADDR_V4, 0, {203, 0, 113, 9}}}},
    {"vector P3",
     P3,
     WZP_OK,
     0,
     {.op = 1, .epoch_s = 86401, .internal = 40000, .external_port = 51413, .lifetime_s = 3600}},
    {"P3 with bytes after it",
     P3 "ff",
     WZP_OK,
     0,
     {.op = 1, .epoch_s = 86401, .internal = 40000, .external_port = 51413, .lifetime_s = 3600}},
    {"version, 8 bytes", "0080000100015180", WZP_OK, 0, {.result = 1}},
    {"refused, 4 bytes", "00810002", WZP_OK, 0, {.op = 1, .result = 2}},
    {"refused, 16 bytes", "00810002000151819c40000000000000", WZP_OK, 0, {.op = 1, .result = 2}},
    {"opcode, the request comes back",
     "00ff00059c409c4000001c20",
     WZP_OK,
     0,
     {.op = 127, .result = 5}},
    {"code that nobody knows", "0081ffff", WZP_OK, 0, {.op = 1, .result = 65535}},
    {"from a gateway of PCP",
     "02810001000000000001e240",
     WZP_OK,
     0,
     {.version = 2, .op = 1, .result = 1}},
    {"empty", "", WZP_ERR_TRUNCATED, 0, {0}},
    {"a request", "000100009c409c4000001c20", WZP_ERR_PARSE, 1, {0}},
    {"success of nothing", "0083000000015180", WZP_ERR_PARSE, 1, {0}},
    {"address cut", "0080000000015180cb0071", WZP_ERR_TRUNCATED, 8, {0}},
    {"mapping cut", "00810000000151819c40c8d500000e", WZP_ERR_TRUNCATED, 12, {0}},
};

START_TEST(answers_read) {
    const struct answer_case *c = &answer_cases[_i];
    uint8_t buf[64];
    wzp_natpmp_answer got = {0};
    wzp_fail fail;
    const wzp_err err = wzp_natpmp_parse_answer(&got, unhex(buf, sizeof buf, c->hex), &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: offset %zu", c->name, fail.offset);
    const wzp_natpmp_answer *want = &c->answer;
    ck_assert_msg(got.version == want->version && got.op == want->op &&
                      got.result == want->result && got.epoch_s == want->epoch_s &&
                      wzp_addr_equal(&got.external, &want->external) &&
                      got.internal == want->internal && got.external_port == want->external_port &&
                      got.lifetime_s == want->lifetime_s,
                  "%s", c->name);
}
END_TEST

START_TEST(every_prefix_of_answers) {
    static const char *const wholes[] = {P1, P3};
    for (size_t i = 0; i < WZP_COUNT_OF(wholes); i++) {
        uint8_t buf[16];
        const wzp_bytes whole = unhex(buf, sizeof buf, wholes[i]);
        for (size_t len = 0; len <= whole.len; len++) {
            uint8_t *copy = exact(whole.data, len);
            wzp_natpmp_answer got = {.internal = 7};
            const wzp_err err = wzp_natpmp_parse_answer(&got, wzp_bytes_of(copy, len), NULL);
            ck_assert(err == (len == whole.len ? WZP_OK : WZP_ERR_TRUNCATED));
            ck_assert(len == whole.len || got.internal == 7);
            free(copy);
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("natpmp");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, answers);
    tcase_add_test(tc, long_unknown_request_is_cut);
    tcase_add_test(tc, requests);
    tcase_add_loop_test(tc, answers_read, 0, WZP_COUNT_OF(answer_cases));
    tcase_add_test(tc, every_prefix_of_answers);
    return wzp_run_suite("natpmp", tc);
}
