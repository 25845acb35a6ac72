#include "io/ring.h"

#include <check.h>
#include <stdlib.h>
#include <uv.h>

#include "base/testing/suite.h"

static wzp_ring ring;

static void open_ring(size_t cap) {
    ck_assert_int_eq(wzp_ring_init(&ring, cap), WZP_OK);
}

static bool put(const char *head, const char *body) {
    return wzp_ring_put(&ring, wzp_bytes_str(head), wzp_bytes_str(body));
}

static void expect(const char *want) {
    uint8_t out[64] = {0};
    ck_assert_uint_eq(wzp_ring_peek(&ring, out, 2), strlen(want));
    ck_assert_mem_eq(out, want, 2);
    ck_assert_uint_eq(out[2], 0);
    ck_assert_uint_eq(wzp_ring_take(&ring, out, sizeof out), strlen(want));
    ck_assert_mem_eq(out, want, strlen(want));
}

START_TEST(records_come_whole_and_in_order) {
    open_ring(50);
    ck_assert_uint_eq(ring.cap, 64);
    for (int i = 0; i < 100; i++) { /* past the end again and again */
        ck_assert(put("one", ""));
        ck_assert(put("t", "wo"));
        expect("one");
        ck_assert(put("", "three, which is longer"));
        expect("two");
        expect("three, which is longer");
        ck_assert_uint_eq(wzp_ring_used(&ring), 0);
        uint8_t out[4];
        ck_assert_uint_eq(wzp_ring_take(&ring, out, sizeof out), 0);
    }
    wzp_ring_clear(&ring);
}
END_TEST

START_TEST(what_finds_no_room_changes_nothing) {
    open_ring(64);
    const char *sixty = "012345678901234567890123456789012345678901234567890123456789";
    ck_assert(!put("x", sixty));
    ck_assert(put("", sixty));
    ck_assert_uint_eq(wzp_ring_used(&ring), 64);
    ck_assert(!put("", "a"));
    expect(sixty);
    ck_assert(put("", "a"));
    wzp_ring_clear(&ring);
    wzp_ring_clear(&ring);
}
END_TEST

enum { RECORDS = 20000, LONGEST = 200 };

/* What the n-th record looks like. */
static size_t make(uint8_t out[LONGEST], uint32_t n) {
    const size_t len = 1 + n * 7919U % LONGEST;
    memset(out, (int)(n & 0xff), len);
    return len;
}

static void write_all(void *ctx) {
    uint8_t bytes[LONGEST];
    (void)ctx;
    for (uint32_t n = 0; n < RECORDS;) {
        const size_t len = make(bytes, n);
        const size_t head = len / 3;
        n += wzp_ring_put(&ring, wzp_bytes_of(bytes, head), wzp_bytes_of(bytes + head, len - head))
                 ? 1
                 : 0;
    }
}

START_TEST(two_threads_agree) {
    uv_thread_t writer;
    uint8_t want[LONGEST];
    uint8_t got[LONGEST];
    open_ring(4096);
    ck_assert_int_eq(uv_thread_create(&writer, write_all, NULL), 0);
    for (uint32_t n = 0; n < RECORDS;) {
        const size_t len = wzp_ring_take(&ring, got, sizeof got);
        if (len > 0) {
            ck_assert_uint_eq(len, make(want, n));
            ck_assert_mem_eq(got, want, len);
            n++;
        }
    }
    uv_thread_join(&writer);
    ck_assert_uint_eq(wzp_ring_used(&ring), 0);
    wzp_ring_clear(&ring);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, records_come_whole_and_in_order);
    tcase_add_test(tc, what_finds_no_room_changes_nothing);
    tcase_add_test(tc, two_threads_agree);
    return wzp_run_suite("ring", tc);
}
