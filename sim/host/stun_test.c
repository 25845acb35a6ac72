#include "sim/host/stun.h"

#include "wire/testing/bytes.h"

static const wzp_sim_stun_cfg two = {.primary = {WZP_ADDR_V4, 3478, {192, 0, 2, 1}},
                                     .alternate = {WZP_ADDR_V4, 3479, {192, 0, 2, 2}}};
static const wzp_addr client = {WZP_ADDR_V4, 40000, {198, 51, 100, 9}};

static wzp_bytes written(uint8_t *buf, size_t cap, const wzp_stun_message *message) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, cap);
    wzp_stun_write(&wr, message);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    return wzp_bytes_of(buf, wzp_wr_len(&wr));
}

/* Asks and returns the answer, which there must be. */
static wzp_stun_message ask(const wzp_sim_stun_cfg *cfg, const char *local,
                            const wzp_stun_message *request, wzp_sim_stun_answer *raw) {
    uint8_t buf[2048];
    wzp_addr at;
    wzp_stun_message answer;
    ck_assert(wzp_addr_parse(&at, local) == WZP_OK);
    ck_assert(wzp_sim_stun_serve(cfg, &at, &client, written(buf, sizeof buf, request), raw));
    ck_assert(wzp_stun_parse(&answer, wzp_bytes_of(raw->data, raw->len), NULL) == WZP_OK);
    ck_assert_mem_eq(answer.txid, request->txid, sizeof answer.txid);
    return answer;
}

static const struct change_case {
    const char *name, *local;
    bool ip, port;
    const char *from, *other;
} change_cases[] = {
    {"I", "192.0.2.1:3478", false, false, "192.0.2.1:3478", "192.0.2.2:3479"},
    {"II", "192.0.2.1:3478", true, true, "192.0.2.2:3479", "192.0.2.2:3479"},
    {"III", "192.0.2.1:3478", false, true, "192.0.2.1:3479", "192.0.2.2:3479"},
    {"IP alone", "192.0.2.1:3478", true, false, "192.0.2.2:3478", "192.0.2.2:3479"},
    {"other port", "192.0.2.1:3479", false, false, "192.0.2.1:3479", "192.0.2.2:3478"},
    {"other IP", "192.0.2.2:3478", false, false, "192.0.2.2:3478", "192.0.2.1:3479"},
    {"both other", "192.0.2.2:3479", false, false, "192.0.2.2:3479", "192.0.2.1:3478"},
    {"back from both", "192.0.2.2:3479", true, true, "192.0.2.1:3478", "192.0.2.1:3478"},
};

START_TEST(where_answers_come_from) {
    const struct change_case *c = &change_cases[_i];
    const wzp_stun_message request = {.type = WZP_STUN_REQUEST,
                                      .txid = {9},
                                      .has_change = c->ip || c->port,
                                      .change_ip = c->ip,
                                      .change_port = c->port};
    char text[WZP_ADDR_TEXT_MAX];
    wzp_sim_stun_answer raw;
    const wzp_stun_message got = ask(&two, c->local, &request, &raw);
    ck_assert_uint_eq(got.type, WZP_STUN_SUCCESS);
    ck_assert_str_eq(wzp_addr_text(&raw.from, text), c->from);
    ck_assert(wzp_addr_equal(&got.origin, &raw.from));
    ck_assert_str_eq(wzp_addr_text(&got.other, text), c->other);
    ck_assert(wzp_addr_equal(&raw.to, &client));
    ck_assert(wzp_addr_equal(&got.mapped, &client) && wzp_addr_equal(&got.xor_mapped, &client));
    ck_assert(!got.has_fingerprint && !got.has_padding);
}
END_TEST

START_TEST(binding_alone) {
    const wzp_sim_stun_cfg one = {.primary = two.primary};
    wzp_stun_message request = {.type = WZP_STUN_REQUEST, .has_fingerprint = true};
    wzp_sim_stun_answer raw;
    wzp_stun_message got = ask(&one, "192.0.2.1:3478", &request, &raw);
    ck_assert_uint_eq(got.type, WZP_STUN_SUCCESS);
    ck_assert(got.has_fingerprint);
    ck_assert(got.other.family == WZP_ADDR_NONE && got.origin.family == WZP_ADDR_NONE);
    request.has_change = true;
    got = ask(&one, "192.0.2.1:3478", &request, &raw);
    ck_assert(got.type == WZP_STUN_ERROR && got.error == 420);
}
END_TEST

START_TEST(response_port) {
    const wzp_stun_message request = {.type = WZP_STUN_REQUEST, .response_port = 41000};
    wzp_sim_stun_answer raw;
    const wzp_stun_message got = ask(&two, "192.0.2.1:3478", &request, &raw);
    ck_assert(wzp_addr_same_ip(&raw.to, &client));
    ck_assert_uint_eq(raw.to.port, 41000);
    ck_assert(wzp_addr_equal(&got.xor_mapped, &client)); /* still what was seen */
}
END_TEST

START_TEST(padding) {
    wzp_stun_message request = {.type = WZP_STUN_REQUEST, .has_padding = true};
    wzp_sim_stun_answer raw;
    wzp_stun_message got = ask(&two, "192.0.2.1:3478", &request, &raw);
    ck_assert(got.has_padding);
    ck_assert_uint_gt(raw.len + 28, 1500); /* needs fragments */
    request.response_port = 1;
    got = ask(&two, "192.0.2.1:3478", &request, &raw);
    ck_assert(got.type == WZP_STUN_ERROR && got.error == 400);
}
END_TEST

/* USERNAME and another that must be understood; one that need not. */
START_TEST(unknown_attributes) {
    uint8_t buf[64];
    wzp_sim_stun_answer raw;
    ck_assert(wzp_sim_stun_serve(
        &two, &two.primary, &client,
        unhex(buf, sizeof buf,
              "00010014 2112a442 000102030405060708090a0b 00060001 61000000 7fff0000 c0de0004 "
              "00000000"),
        &raw));
    CK_ASSERT_BYTES(wzp_bytes_of(raw.data, raw.len),
                    unhex((uint8_t[64]){0}, 64,
                          "01110024 2112a442 000102030405060708090a0b 00090015 00000414 "
                          "556e6b6e6f776e20417474726962757465000000 000a0004 00067fff"));
}
END_TEST

static const struct silent_case {
    const char *name, *hex;
} silent_cases[] = {
    {"empty", ""},
    {"an indication", "00110000 2112a442 000102030405060708090a0b"},
    {"a response", "01010000 2112a442 000102030405060708090a0b"},
    {"another method", "00030000 2112a442 000102030405060708090a0b"},
    {"QUIC", "c0000000 01112233 445566778899aabbccddeeff"},
    {"cut", "00010004 2112a442 000102030405060708090a0b"},
};

START_TEST(silent) {
    uint8_t buf[64];
    wzp_sim_stun_answer raw;
    ck_assert_msg(!wzp_sim_stun_serve(&two, &two.primary, &client,
                                      unhex(buf, sizeof buf, silent_cases[_i].hex), &raw),
                  "%s", silent_cases[_i].name);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("stun");
    tcase_add_loop_test(tc, where_answers_come_from, 0, WZP_COUNT_OF(change_cases));
    tcase_add_test(tc, binding_alone);
    tcase_add_test(tc, response_port);
    tcase_add_test(tc, padding);
    tcase_add_test(tc, unknown_attributes);
    tcase_add_loop_test(tc, silent, 0, WZP_COUNT_OF(silent_cases));
    return wzp_run_suite("stun", tc);
}
