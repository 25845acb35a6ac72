#include "client/repeats.h"

#include "base/testing/suite.h"

/* Datagram `i` of a sender, like all others but for one byte. */
static bool seen(wzp_repeats *r, unsigned i) {
    uint8_t bytes[100] = {2};
    bytes[9] = (uint8_t)i;
    return wzp_repeats_seen(r, wzp_bytes_of(bytes, sizeof bytes));
}

START_TEST(what_comes_again_soon_is_seen) {
    wzp_repeats r = {0};
    for (unsigned i = 0; i < WZP_REPEATS_WINDOW; i++) {
        ck_assert(!seen(&r, i));
        ck_assert(seen(&r, i));
    }
    ck_assert(seen(&r, 0)); /* the oldest of the window */
    ck_assert(!seen(&r, WZP_REPEATS_WINDOW));
    ck_assert(!seen(&r, 0)); /* beyond it */
}
END_TEST

START_TEST(length_counts) {
    static const uint8_t zeros[4];
    wzp_repeats r = {0};
    for (size_t len = 0; len <= sizeof zeros; len++) {
        ck_assert(!wzp_repeats_seen(&r, wzp_bytes_of(zeros, len)));
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("repeats");
    tcase_add_test(tc, what_comes_again_soon_is_seen);
    tcase_add_test(tc, length_counts);
    return wzp_run_suite("client.repeats", tc);
}
