#include "relay/auth_service.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"

static const struct answer_case {
    const char *name;
    unsigned status;
    wzp_auth_verdict want;
    const char *body, *identity;
} answer_cases[] = {
    {"the shortest", 200, WZP_AUTH_ACCEPTED, "{\"valid\":true,\"fingerprint\":\"a\"}", "a"},
    {"any 2xx", 299, WZP_AUTH_ACCEPTED, "{\"fingerprint\":\"a b\",\"valid\":true}", "a b"},
    {"escapes", 200, WZP_AUTH_ACCEPTED, "{\"valid\":true,\"fingerprint\":\"\\u0061\\\"\"}", "a\""},
    {"more than was asked for", 200, WZP_AUTH_ACCEPTED,
     " { \"x\" : [ {} , \"valid\" ] , \"valid\" : true , \"fingerprint\" : \"f\" } ", "f"},
    {"not valid", 200, WZP_AUTH_REFUSED, "{\"valid\":false,\"fingerprint\":\"a\"}", NULL},
    {"not valid, null", 200, WZP_AUTH_REFUSED, "{\"valid\":false,\"fingerprint\":null}", NULL},
    {"redirect", 302, WZP_AUTH_BAD_STATUS, "{\"valid\":true,\"fingerprint\":\"a\"}", NULL},
    {"informational", 199, WZP_AUTH_BAD_STATUS, "{\"valid\":true,\"fingerprint\":\"a\"}", NULL},
    {"server error", 500, WZP_AUTH_BAD_STATUS, "", NULL},
    {"empty", 200, WZP_AUTH_BAD_ANSWER, "", NULL},
    {"no object", 200, WZP_AUTH_BAD_ANSWER, "true", NULL},
    {"no member", 200, WZP_AUTH_BAD_ANSWER, "{}", NULL},
    {"valid is text", 200, WZP_AUTH_BAD_ANSWER, "{\"valid\":\"true\",\"fingerprint\":\"a\"}", NULL},
    {"fingerprint is a number", 200, WZP_AUTH_BAD_ANSWER, "{\"valid\":true,\"fingerprint\":1}",
     NULL},
    {"fingerprint is null", 200, WZP_AUTH_BAD_ANSWER, "{\"valid\":true,\"fingerprint\":null}",
     NULL},
    {"fingerprint is empty", 200, WZP_AUTH_BAD_ANSWER, "{\"valid\":true,\"fingerprint\":\"\"}",
     NULL},
    {"fingerprint with a line end", 200, WZP_AUTH_BAD_ANSWER,
     "{\"valid\":true,\"fingerprint\":\"a\\nb\"}", NULL},
    {"fingerprint with a zero", 200, WZP_AUTH_BAD_ANSWER,
     "{\"valid\":true,\"fingerprint\":\"a\\u0000b\"}", NULL},
    {"fingerprint that is not ASCII", 200, WZP_AUTH_BAD_ANSWER,
     "{\"valid\":true,\"fingerprint\":\"\\u00e4\"}", NULL},
    {"something follows", 200, WZP_AUTH_BAD_ANSWER, "{\"valid\":true,\"fingerprint\":\"a\"} x",
     NULL},
};

START_TEST(answers) {
    const struct answer_case *c = &answer_cases[_i];
    char identity[WZP_AUTH_IDENTITY_MAX + 1] = "";
    const wzp_auth_verdict got = wzp_auth_answer_read(c->status, wzp_bytes_str(c->body), identity);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_auth_verdict_name(got));
    if (c->identity != NULL) {
        ck_assert_str_eq(identity, c->identity);
    }
}
END_TEST

START_TEST(every_prefix_is_bad) {
    static const char whole[] = "{\"valid\":true,\"fingerprint\":\"\\u0061b\",\"alias\":[1,{}]}";
    char identity[WZP_AUTH_IDENTITY_MAX + 1];
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *copy = malloc(len + 1); /* its end is a fence */
        memcpy(copy, whole, len);
        ck_assert(wzp_auth_answer_read(200, wzp_bytes_of(copy, len), identity) ==
                  WZP_AUTH_BAD_ANSWER);
        free(copy);
    }
    ck_assert(wzp_auth_answer_read(200, wzp_bytes_str(whole), identity) == WZP_AUTH_ACCEPTED);
}
END_TEST

START_TEST(longest_identity) {
    char body[512];
    char identity[WZP_AUTH_IDENTITY_MAX + 1];
    for (int len = WZP_AUTH_IDENTITY_MAX; len <= WZP_AUTH_IDENTITY_MAX + 1; len++) {
        (void)snprintf(body, sizeof body, "{\"valid\":true,\"fingerprint\":\"%0*d\"}", len, 7);
        ck_assert(wzp_auth_answer_read(200, wzp_bytes_str(body), identity) ==
                  (len == WZP_AUTH_IDENTITY_MAX ? WZP_AUTH_ACCEPTED : WZP_AUTH_BAD_ANSWER));
    }
}
END_TEST

START_TEST(vectors) {
    json_t *file = json_load_file(WZP_VECTORS_DIR "/crypto.json", 0, NULL);
    const json_t *list = json_object_get(file, "auth_http");
    size_t i;
    json_t *entry;
    size_t answered = 0;
    ck_assert_uint_gt(json_array_size(list), 0);
    json_array_foreach(list, i, entry) {
        const char *request = json_string_value(json_object_get(entry, "request"));
        char text[WZP_AUTH_IDENTITY_MAX + 128];
        if (request != NULL) {
            wzp_wr wr;
            wzp_wr_init(&wr, (uint8_t *)text, sizeof text);
            wzp_auth_request_write(&wr, wzp_bytes_str("test-token-123"));
            ck_assert(wzp_bytes_equal(wzp_bytes_of(text, wzp_wr_len(&wr)), wzp_bytes_str(request)));
            continue;
        }
        const char *want = json_string_value(json_object_get(entry, "result"));
        const char *body = json_string_value(json_object_get(entry, "response"));
        const unsigned status = (unsigned)json_integer_value(json_object_get(entry, "status"));
        char identity[WZP_AUTH_IDENTITY_MAX + 1] = "";
        const bool ok =
            wzp_auth_answer_read(status, wzp_bytes_str(body), identity) == WZP_AUTH_ACCEPTED;
        (void)snprintf(text, sizeof text, "accept, participant id %s", identity);
        ck_assert_msg(ok ? strcmp(text, want) == 0 : strncmp(want, "reject", 6) == 0, "%s", want);
        answered++;
    }
    ck_assert_uint_eq(answered, 5);
    json_decref(file);
}
END_TEST

START_TEST(request_escapes) {
    static const char token[] = "a\"\\\n\x01";
    uint8_t buf[6 * sizeof token + 16];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_auth_request_write(&wr, wzp_bytes_str(token));
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    json_t *tree = json_loadb((const char *)buf, wzp_wr_len(&wr), 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(tree, "token")), token);
    json_decref(tree);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("auth_service");
    tcase_add_loop_test(tc, answers, 0, (int)WZP_COUNT_OF(answer_cases));
    tcase_add_test(tc, every_prefix_is_bad);
    tcase_add_test(tc, longest_identity);
    tcase_add_test(tc, vectors);
    tcase_add_test(tc, request_escapes);
    return wzp_run_suite("auth_service", tc);
}
