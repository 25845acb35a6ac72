/* Reader and writer: they mirror each other. */
#include "base/rd.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "base/wr.h"

START_TEST(failure_is_sticky) {
    const uint8_t data[] = {1, 2, 3};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, sizeof data));
    ck_assert_uint_eq(wzp_rd_u8(&rd, "a"), 1);
    ck_assert_uint_eq(wzp_rd_u32(&rd, "b"), 0);
    ck_assert_uint_eq(rd.fail.code, WZP_ERR_TRUNCATED);
    ck_assert_uint_eq(rd.fail.offset, 1);
    ck_assert_uint_eq(rd.fail.got, 2);
    ck_assert_uint_eq(wzp_rd_u8(&rd, "c"), 0); /* it would fit */
    ck_assert_str_eq(rd.fail.field, "b");
    ck_assert_uint_eq(wzp_rd_offset(&rd), 1);
    ck_assert_uint_eq(wzp_rd_rest(&rd).len, 0);
}
END_TEST

START_TEST(lengths_near_the_end_of_memory) {
    const uint8_t data[4] = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, sizeof data));
    ck_assert_uint_eq(wzp_rd_bytes(&rd, SIZE_MAX, "huge").len, 0);
    ck_assert_uint_eq(rd.fail.code, WZP_ERR_TRUNCATED);
}
END_TEST

START_TEST(empty_input) {
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(NULL, 0));
    ck_assert_uint_eq(wzp_rd_bytes(&rd, 0, "nothing").len, 0);
    ck_assert_uint_eq(wzp_rd_rest(&rd).len, 0);
    ck_assert_uint_eq(rd.fail.code, WZP_OK);
    ck_assert_uint_eq(wzp_rd_u8(&rd, "byte"), 0);
    ck_assert_uint_eq(rd.fail.code, WZP_ERR_TRUNCATED);
}
END_TEST

START_TEST(rejected_value) {
    const uint8_t data[] = {1, 2, 3};
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(data, sizeof data));
    (void)wzp_rd_u8(&rd, "a");
    const uint16_t value = wzp_rd_u16(&rd, "b");
    ck_assert(wzp_rd_reject(&rd, WZP_ERR_CODEC, "b", 2, value) == WZP_ERR_CODEC);
    ck_assert_uint_eq(rd.fail.offset, 1);
    ck_assert_uint_eq(rd.fail.got, 0x0203);
    ck_assert(wzp_rd_reject(&rd, WZP_ERR_VERSION, "c", 0, 0) == WZP_ERR_CODEC); /* the first */
}
END_TEST

START_TEST(writer_overflow_is_sticky) {
    uint8_t buf[4] = {9, 9, 9, 9};
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u16(&wr, 0x0102);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    wzp_wr_u32(&wr, 7);
    ck_assert(wzp_wr_end(&wr) == WZP_ERR_OVERFLOW);
    wzp_wr_u8(&wr, 1); /* it would fit */
    ck_assert_uint_eq(wzp_wr_len(&wr), 2);
    ck_assert_uint_eq(buf[2], 9);
}
END_TEST

START_TEST(big_endian) {
    uint8_t buf[18];
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u8(&wr, 0xab);
    wzp_wr_u16(&wr, 0xcdef);
    wzp_wr_u32(&wr, 0x01234567);
    wzp_wr_u64(&wr, UINT64_C(0xfedcba9876543210));
    wzp_wr_str(&wr, "end");
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    ck_assert_uint_eq(wzp_wr_room(&wr), 0);
    ck_assert_mem_eq(buf,
                     "\xab\xcd\xef\x01\x23\x45\x67\xfe\xdc\xba\x98\x76\x54\x32\x10"
                     "end",
                     18);
}
END_TEST

/* The reader against an obvious twin: an index that only grows. */
START_TEST(random_reads) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "rd_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int round = 0; round < 2000; round++) {
        uint8_t data[40];
        wzp_rng_fill(rng, data, sizeof data);
        const size_t len = (size_t)wzp_rng_below(rng, sizeof data + 1);
        uint8_t *copy = malloc(len != 0 ? len : 1);
        memcpy(copy, data, len);
        wzp_rd rd;
        size_t at = 0;
        wzp_rd_init(&rd, wzp_bytes_of(copy, len));
        for (bool good = true; good;) {
            const size_t want = (size_t)1 << wzp_rng_below(rng, 4);
            uint64_t value = 0;
            for (size_t i = 0; i < want && at + want <= len; i++) {
                value = value << 8 | data[at + i];
            }
            const uint64_t got = want == 1   ? wzp_rd_u8(&rd, "u8")
                                 : want == 2 ? wzp_rd_u16(&rd, "u16")
                                 : want == 4 ? wzp_rd_u32(&rd, "u32")
                                             : wzp_rd_u64(&rd, "u64");
            good = at + want <= len;
            ck_assert_uint_eq(got, value);
            ck_assert((rd.fail.code == WZP_OK) == good);
            at += good ? want : 0;
            ck_assert_uint_eq(wzp_rd_offset(&rd), at);
            ck_assert_uint_eq(wzp_rd_left(&rd), len - at);
        }
        ck_assert_uint_eq(rd.fail.offset, at);
        free(copy);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("rd");
    tcase_add_test(tc, failure_is_sticky);
    tcase_add_test(tc, lengths_near_the_end_of_memory);
    tcase_add_test(tc, empty_input);
    tcase_add_test(tc, rejected_value);
    tcase_add_test(tc, writer_overflow_is_sticky);
    tcase_add_test(tc, big_endian);
    tcase_add_test(tc, random_reads);
    return wzp_run_suite("rd", tc);
}
