#include <check.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rd.h"
#include "base/rng.h"
#include "base/time.h"
#include "base/wr.h"

START_TEST(reader_fails_once_and_stays) {
    const uint8_t data[] = {1, 2, 3};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, sizeof data));
    ck_assert_uint_eq(wzp_rd_u8(&rd, "a"), 1);
    ck_assert_uint_eq(wzp_rd_u32(&rd, "b"), 0);
    ck_assert_uint_eq(rd.fail.code, WZP_ERR_TRUNCATED);
    ck_assert_str_eq(rd.fail.field, "b");
    ck_assert_uint_eq(rd.fail.offset, 1);
    ck_assert_uint_eq(wzp_rd_u8(&rd, "c"), 0);
    ck_assert_str_eq(rd.fail.field, "b");
    ck_assert_uint_eq(wzp_rd_rest(&rd).len, 0);
}
END_TEST

START_TEST(reader_survives_lengths_near_the_end_of_memory) {
    const uint8_t data[4] = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, sizeof data));
    ck_assert_uint_eq(wzp_rd_bytes(&rd, SIZE_MAX, "huge").len, 0);
    ck_assert_uint_eq(rd.fail.code, WZP_ERR_TRUNCATED);
    wzp_rd_init(&rd, wzp_bytes_of(NULL, 0));
    ck_assert_uint_eq(wzp_rd_bytes(&rd, 0, "nothing").len, 0);
    ck_assert_uint_eq(rd.fail.code, WZP_OK);
}
END_TEST

START_TEST(writer_overflow_is_sticky) {
    uint8_t buf[4];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u16(&wr, 0x0102);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    wzp_wr_u32(&wr, 7);
    ck_assert(wzp_wr_end(&wr) == WZP_ERR_OVERFLOW);
    wzp_wr_u8(&wr, 1);
    ck_assert_uint_eq(wzp_wr_len(&wr), 2);
}
END_TEST

START_TEST(numbers_round_trip) {
    uint8_t buf[15];
    wzp_wr wr;
    wzp_rd rd;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u8(&wr, 0xab);
    wzp_wr_u16(&wr, 0xcdef);
    wzp_wr_u32(&wr, 0x01234567);
    wzp_wr_u64(&wr, UINT64_C(0xfedcba9876543210));
    wzp_rd_init(&rd, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    ck_assert_uint_eq(wzp_rd_u8(&rd, "u8"), 0xab);
    ck_assert_uint_eq(wzp_rd_u16(&rd, "u16"), 0xcdef);
    ck_assert_uint_eq(wzp_rd_u32(&rd, "u32"), 0x01234567);
    ck_assert_uint_eq(wzp_rd_u64(&rd, "u64"), UINT64_C(0xfedcba9876543210));
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
}
END_TEST

static const struct addr_case {
    const char *text, *want; /* NULL: refused */
} addr_cases[] = {
    {"127.0.0.1:4433", "127.0.0.1:4433"},
    {"[::1]:80", "[::1]:80"},
    {"[::ffff:192.0.2.1]:5", "192.0.2.1:5"},
    {"0.0.0.0:0", "0.0.0.0:0"},
    {"127.0.0.1", NULL},
    {"127.0.0.1:", NULL},
    {"127.0.0.1:65536", NULL},
    {"127.0.0.1:12x", NULL},
    {":4433", NULL},
    {"::1:80", NULL},
    {"[::1:80", NULL},
    {"[]:80", NULL},
    {"localhost:80", NULL},
    {"", NULL},
    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1", NULL},
};

START_TEST(addresses) {
    const struct addr_case *c = &addr_cases[_i];
    wzp_addr addr;
    char buf[WZP_ADDR_TEXT_MAX];
    const wzp_err err = wzp_addr_parse(&addr, c->text);
    ck_assert_msg((err == WZP_OK) == (c->want != NULL), "%s: %s", c->text, wzp_err_name(err));
    if (c->want != NULL) {
        ck_assert_str_eq(wzp_addr_text(&addr, buf), c->want);
    }
}
END_TEST

START_TEST(hex_text) {
    uint8_t out[2];
    size_t at = 99;
    ck_assert(wzp_hex_parse(out, 2, "aBc0", 4, &at) == WZP_OK);
    ck_assert_uint_eq(out[0], 0xab);
    ck_assert_uint_eq(out[1], 0xc0);
    ck_assert(wzp_hex_parse(out, 2, "abc", 3, &at) == WZP_ERR_HEX);
    ck_assert_uint_eq(at, 3);
    ck_assert(wzp_hex_parse(out, 2, "abxc", 4, &at) == WZP_ERR_HEX);
    ck_assert_uint_eq(at, 2);
}
END_TEST

START_TEST(random_streams_are_repeatable_and_apart) {
    wzp_prng a;
    wzp_prng b;
    wzp_prng other;
    wzp_prng_init(&a, 7, "link");
    wzp_prng_init(&b, 7, "link");
    wzp_prng_init(&other, 7, "nat");
    const uint64_t first = wzp_rng_u64(wzp_prng_rng(&a));
    ck_assert_uint_eq(first, wzp_rng_u64(wzp_prng_rng(&b)));
    ck_assert_uint_ne(first, wzp_rng_u64(wzp_prng_rng(&other)));
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_lt(wzp_rng_below(wzp_prng_rng(&a), 7), 7);
    }
}
END_TEST

START_TEST(errors_have_names_and_consequences) {
    ck_assert_str_eq(wzp_err_name(WZP_OK), "OK");
    ck_assert_str_eq(wzp_err_name(WZP_ERR_QUALITY_TRUNCATED), "QUALITY_TRUNCATED");
    ck_assert_str_eq(wzp_err_name((wzp_err)9999), "UNKNOWN");
    ck_assert_uint_eq(wzp_err_consequence(WZP_ERR_NOMEM), WZP_CONSEQUENCE_FATAL);
    for (int i = 1; i < WZP_ERR_COUNT; i++) {
        ck_assert_ptr_nonnull(wzp_err_text((wzp_err)i));
        ck_assert_uint_ne(wzp_err_consequence((wzp_err)i), WZP_CONSEQUENCE_NONE);
    }
}
END_TEST

START_TEST(time_saturates) {
    ck_assert_uint_eq(wzp_time_after(WZP_TIME_NEVER - 1, 5), WZP_TIME_NEVER);
    ck_assert_uint_eq(wzp_time_after(1, 2), 3);
    ck_assert_uint_eq(wzp_time_since(3, 5), 0);
}
END_TEST

static void keep_line(void *ctx, wzp_log_level level, const char *text) {
    (void)level;
    strcpy(ctx, text);
}

START_TEST(log_text_from_peers_is_cleaned) {
    char clean[8];
    char line[512] = "";
    ck_assert_str_eq(wzp_log_clean(clean, sizeof clean, "a\n\"b\\\x7f\xc3zzzz", 11), "a??b???");
    const wzp_log log = {keep_line, line, WZP_LOG_INFO};
    wzp_logf(&log, WZP_LOG_DEBUG, "hidden");
    ck_assert_str_eq(line, "");
    wzp_logf(&log, WZP_LOG_WARN, "%s %d", "shown", 3);
    ck_assert_str_eq(line, "shown 3");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, reader_fails_once_and_stays);
    tcase_add_test(tc, reader_survives_lengths_near_the_end_of_memory);
    tcase_add_test(tc, writer_overflow_is_sticky);
    tcase_add_test(tc, numbers_round_trip);
    tcase_add_loop_test(tc, addresses, 0, WZP_COUNT_OF(addr_cases));
    tcase_add_test(tc, hex_text);
    tcase_add_test(tc, random_streams_are_repeatable_and_apart);
    tcase_add_test(tc, errors_have_names_and_consequences);
    tcase_add_test(tc, time_saturates);
    tcase_add_test(tc, log_text_from_peers_is_cleaned);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
