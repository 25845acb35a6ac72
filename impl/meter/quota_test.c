/* Accounts of tier E: buckets and months by the numbers, the table against a slow twin. */
#include "meter/quota.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* --- one account ------------------------------------------------------------------------------ */

/* `bytes` each `every_us` until the first refusal. */
static const struct drain_case {
    const char *name;
    bool is_video;
    uint32_t senders, bytes, every_us, month_bytes;
    wzp_quota_verdict want;
    double at_s; /* within a tenth; 0: never within 60 s */
} drain_cases[] = {
    {"audio below the refill", false, 1, 300, 10000, 0, WZP_QUOTA_FINE, 0},
    {"audio at the refill", false, 1, 320, 10000, 0, WZP_QUOTA_FINE, 0},
    {"audio at 100,000 B/s", false, 1, 1000, 10000, 0, WZP_QUOTA_RATE, 28.2},
    {"130 packets of 1,200 B", false, 1, 1200, 7692, 0, WZP_QUOTA_RATE, 15.5},
    {"the same as video", true, 1, 1200, 7692, 0, WZP_QUOTA_FINE, 0},
    {"video at 2 MB/s", true, 1, 1200, 600, 0, WZP_QUOTA_RATE, 27.3},
    {"audio at 100,000 B/s for four", false, 4, 1000, 10000, 0, WZP_QUOTA_FINE, 0},
    {"256 senders of video at once", true, 256, 60000, 1000, 0, WZP_QUOTA_FINE, 0},
    {"a month of 1 MB", false, 1, 300, 10000, 1000000, WZP_QUOTA_MONTH_SPENT, 33.3},
};

START_TEST(drains) {
    const struct drain_case *c = &drain_cases[_i];
    const wzp_quota_limits limits = {c->senders, c->month_bytes};
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, WZP_QUOTA_WAYS), WZP_OK);
    const wzp_time from = 7 * WZP_S;
    wzp_quota_account *a = wzp_quota_open(q, 1, from);
    wzp_quota_verdict got = WZP_QUOTA_FINE;
    wzp_time now = from;
    while (got == WZP_QUOTA_FINE && now < from + 60 * WZP_S) {
        got = wzp_quota_charge(a, &limits, c->is_video, c->bytes, now);
        now += c->every_us * WZP_US;
    }
    const double at = got == WZP_QUOTA_FINE ? 0 : (double)(now - from) / 1e9;
    ck_assert_msg(got == c->want, "%s: verdict %d at %.2f s", c->name, (int)got, at);
    ck_assert_msg(at > c->at_s - 0.1 && at < c->at_s + 0.1, "%s: at %.2f s", c->name, at);
    wzp_quota_close(a);
    wzp_quota_free(&q);
}
END_TEST

START_TEST(an_account_outlives_its_connections) {
    const wzp_quota_limits limits = {1, 0};
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, 64), WZP_OK);
    wzp_quota_account *a = wzp_quota_open(q, 42, 1);
    while (wzp_quota_charge(a, &limits, false, 10000, 1) == WZP_QUOTA_FINE) {
    }
    wzp_quota_close(a);
    a = wzp_quota_open(q, 42, 2);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 10000, 2), WZP_QUOTA_RATE);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, true, 10000, 2), WZP_QUOTA_FINE);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 30000, 1 + WZP_S), WZP_QUOTA_FINE);
    wzp_quota_close(a);
    wzp_quota_free(&q);
}
END_TEST

START_TEST(a_month_ends) {
    const wzp_quota_limits limits = {1, 1000};
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, 64), WZP_OK);
    wzp_quota_account *a = wzp_quota_open(q, 42, 5);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 1000, 6), WZP_QUOTA_FINE);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 1, 7), WZP_QUOTA_MONTH_SPENT);
    const wzp_time end = 5 + WZP_QUOTA_MONTH;
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 1, end - 1), WZP_QUOTA_MONTH_SPENT);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 1000, end), WZP_QUOTA_FINE);
    wzp_quota_close(a);
    wzp_quota_free(&q);
}
END_TEST

/* --- who is forgotten ------------------------------------------------------------------------- */

START_TEST(spenders_are_not_forgotten) {
    const wzp_quota_limits limits = {1, 2000000};
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, WZP_QUOTA_WAYS), WZP_OK);
    wzp_quota_account *spender = wzp_quota_open(q, 1, 1);
    ck_assert_int_eq(wzp_quota_charge(spender, &limits, true, 1500000, 1), WZP_QUOTA_FINE);
    wzp_quota_close(spender);
    for (uint64_t id = 2; id < 100000; id++) { /* a crowd that sends a little each */
        wzp_quota_account *a = wzp_quota_open(q, id, 2);
        ck_assert_int_eq(wzp_quota_charge(a, &limits, true, 100, 2), WZP_QUOTA_FINE);
        wzp_quota_close(a);
    }
    spender = wzp_quota_open(q, 1, 3);
    ck_assert_int_eq(wzp_quota_charge(spender, &limits, true, 600000, 3), WZP_QUOTA_MONTH_SPENT);
    wzp_quota_close(spender);
    wzp_quota_free(&q);
}
END_TEST

START_TEST(whoever_is_here_is_not_forgotten) {
    wzp_quota *q = NULL;
    wzp_quota_account *here[WZP_QUOTA_WAYS];
    ck_assert_int_eq(wzp_quota_new(&q, WZP_QUOTA_WAYS), WZP_OK);
    for (uint64_t id = 0; id < WZP_QUOTA_WAYS; id++) {
        here[id] = wzp_quota_open(q, id + 1, 1);
        ck_assert_ptr_nonnull(here[id]);
    }
    ck_assert_ptr_null(wzp_quota_open(q, 100, 1));
    ck_assert_uint_eq(wzp_quota_count(q).refused, 1);
    ck_assert_ptr_eq(wzp_quota_open(q, 3, 1), here[2]); /* a second connection of one */
    wzp_quota_close(here[2]);
    wzp_quota_close(here[5]);
    ck_assert_ptr_eq(wzp_quota_open(q, 100, 1), here[5]);
    ck_assert_uint_eq(wzp_quota_count(q).forgotten, 1);
    wzp_quota_free(&q);
}
END_TEST

/* --- a slow twin ------------------------------------------------------------------------------ */

enum { IDS = 6, OPERATIONS = 4000 };

/* Every charge that was taken, ever; looked through from the start each time. */
typedef struct charge {
    unsigned id;
    bool is_video;
    uint64_t bytes;
    wzp_time at;
} charge;

typedef struct twin {
    charge taken[OPERATIONS];
    size_t count;
    wzp_time month_from[IDS], opened[IDS];
} twin;

/* The level of a bucket, by filling and emptying it through all of history. */
static double level(const twin *t, unsigned id, bool is_video, uint32_t senders, wzp_time now) {
    const double rate = (is_video ? 625000.0 : 32000.0) * senders;
    double tokens = 60 * rate;
    wzp_time at = t->opened[id];
    for (size_t i = 0; i <= t->count; i++) {
        const bool last = i == t->count;
        if (!last && (t->taken[i].id != id || t->taken[i].is_video != is_video)) {
            continue;
        }
        const wzp_time then = last ? now : t->taken[i].at;
        tokens += (double)(then - at) / 1e9 * rate;
        tokens = tokens < 60 * rate ? tokens : 60 * rate;
        tokens -= last ? 0 : (double)t->taken[i].bytes;
        at = then;
    }
    return tokens;
}

static uint64_t sent(const twin *t, unsigned id) {
    uint64_t sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        sum += t->taken[i].id == id && t->taken[i].at >= t->month_from[id] ? t->taken[i].bytes : 0;
    }
    return sum;
}

static uint32_t below(wzp_prng *prng, uint64_t bound) {
    return (uint32_t)wzp_rng_below(wzp_prng_rng(prng), bound);
}

START_TEST(as_the_twin_says) {
    static twin t;
    wzp_prng prng;
    wzp_quota *q = NULL;
    wzp_quota_account *accounts[IDS];
    wzp_prng_init(&prng, (uint64_t)_i, "quota");
    const wzp_quota_limits limits = {1 + below(&prng, 3), below(&prng, 2) * UINT64_C(90000000)};
    t = (twin){.count = 0};
    ck_assert_int_eq(wzp_quota_new(&q, WZP_QUOTA_WAYS), WZP_OK);
    wzp_time now = WZP_S;
    for (unsigned id = 0; id < IDS; id++) {
        accounts[id] = wzp_quota_open(q, id, now);
        t.month_from[id] = t.opened[id] = now;
    }
    for (unsigned i = 0; i < 600; i++) {
        const unsigned id = below(&prng, IDS);
        const bool is_video = below(&prng, 2) != 0;
        const uint64_t bytes = 1 + below(&prng, is_video ? 9000000 : 500000);
        now += below(&prng, 100) == 0 ? WZP_QUOTA_MONTH / 3 : below(&prng, 2000) * WZP_MS;
        if (now - t.month_from[id] >= WZP_QUOTA_MONTH) {
            t.month_from[id] = now;
        }
        const double tokens = level(&t, id, is_video, limits.senders, now);
        const bool spent = limits.month_bytes != 0 && sent(&t, id) + bytes > limits.month_bytes;
        const wzp_quota_verdict want = spent                    ? WZP_QUOTA_MONTH_SPENT
                                       : tokens < (double)bytes ? WZP_QUOTA_RATE
                                                                : WZP_QUOTA_FINE;
        const wzp_quota_verdict got =
            wzp_quota_charge(accounts[id], &limits, is_video, (size_t)bytes, now);
        const bool is_close = tokens - (double)bytes < 1 && tokens - (double)bytes > -1;
        ck_assert_msg(got == want || is_close, "seed %d, step %u: %d instead of %d", _i, i,
                      (int)got, (int)want);
        if (got == WZP_QUOTA_FINE) {
            t.taken[t.count++] = (charge){id, is_video, bytes, now};
        }
    }
    wzp_quota_free(&q);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("quota");
    TCase *tc = tcase_create("quota");
    tcase_add_loop_test(tc, drains, 0, (int)COUNT_OF(drain_cases));
    tcase_add_test(tc, an_account_outlives_its_connections);
    tcase_add_test(tc, a_month_ends);
    tcase_add_test(tc, spenders_are_not_forgotten);
    tcase_add_test(tc, whoever_is_here_is_not_forgotten);
    tcase_add_loop_test(tc, as_the_twin_says, 0, 20);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
