#include "conformance/engine/heard.h"

#include "base/testing/suite.h"

enum { TOO_LONG = 2 * WZP_CT_HEARD_PAYLOAD };

static wzp_ct_heard heard;

static void start(void) {
    ck_assert(wzp_ct_heard_init(&heard));
}

static void stop(void) {
    wzp_ct_heard_clear(&heard);
}

static void push(uint32_t seq, size_t len) {
    static const uint8_t bytes[TOO_LONG] = {7, 8};
    const wzp_media_packet packet = {.hdr = {.version = 2, .seq = seq}};
    wzp_ct_heard_push(&heard, &packet, false, wzp_bytes_of(bytes, len), seq);
}

START_TEST(keeps_the_newest) {
    for (uint32_t i = 0; i <= WZP_CT_HEARD_MAX; i++) {
        push(i, 2);
    }
    ck_assert_uint_eq(heard.count, WZP_CT_HEARD_MAX + 1);
    ck_assert_ptr_null(wzp_ct_heard_get(&heard, 0));
    ck_assert_ptr_null(wzp_ct_heard_get(&heard, WZP_CT_HEARD_MAX + 1));
    for (uint32_t i = 1; i <= WZP_CT_HEARD_MAX; i++) {
        ck_assert_uint_eq(wzp_ct_heard_get(&heard, i)->hdr.seq, i);
        ck_assert_uint_eq(wzp_ct_heard_get(&heard, i)->payload[1], 8);
    }
}
END_TEST

START_TEST(cuts_what_is_too_long) {
    push(0, TOO_LONG);
    push(1, 0);
    ck_assert_uint_eq(wzp_ct_heard_get(&heard, 0)->len, TOO_LONG);
    ck_assert_uint_eq(wzp_ct_heard_get(&heard, 1)->len, 0);
}
END_TEST

static const struct strange_case {
    const char *name;
    uint8_t bytes[17];
    size_t len;
    unsigned compact, no_codec;
} strange_cases[] = {
    {"audio with an unassigned codec", {2, 0, 0, 13}, 16, 0, 1},
    {"video with one", {2, 0, 1, 13}, 16, 0, 0},
    {"a MINI", {1, 1, 0, 20, 0, 1}, 7, 1, 0},
    {"a FULL", {0, 2, 0, 0, 0}, 17, 1, 0},
    {"too short for anything", {2, 0, 0, 13}, 15, 0, 0},
    {"nothing", {0}, 0, 0, 0},
};

START_TEST(strange) {
    const struct strange_case *c = &strange_cases[_i];
    wzp_ct_heard_strange(&heard, wzp_bytes_of(c->bytes, c->len));
    ck_assert_msg(heard.compact == c->compact, "%s: compact %u", c->name, (unsigned)heard.compact);
    ck_assert_msg(heard.no_codec == c->no_codec, "%s: codec %u", c->name, (unsigned)heard.no_codec);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("heard");
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_test(tc, keeps_the_newest);
    tcase_add_test(tc, cuts_what_is_too_long);
    tcase_add_loop_test(tc, strange, 0, (int)WZP_COUNT_OF(strange_cases));
    return wzp_run_suite("heard", tc);
}
