/* Accounts of tier E: buckets and months by the numbers, the table against a slow twin. */
#include "meter/quota.h"

#include "base/rng.h"
#include "base/testing/suite.h"

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
    const wzp_quota_limits limits = {c->senders, c->month_bytes, false};
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
    const wzp_quota_limits limits = {1, 0, false};
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
    const wzp_quota_limits limits = {1, 1000, false};
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
    const wzp_quota_limits limits = {1, 2000000, false};
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
    const wzp_quota_limits limits = {1 + below(&prng, 3), below(&prng, 2) * UINT64_C(90000000),
                                     false};
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

/* --- suspects, several tables, files ---------------------------------------------------------- */

/* 20,000 bytes a second fit 32,000 and not 16,000: the bucket of 1,920,000 is empty after 480 s. */
START_TEST(a_tight_bucket_refills_at_half_speed) {
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, WZP_QUOTA_WAYS), WZP_OK);
    for (int is_tight = 0; is_tight < 2; is_tight++) {
        const wzp_quota_limits limits = {.senders = 1, .is_tight = is_tight != 0};
        wzp_quota_account *a = wzp_quota_open(q, (uint64_t)is_tight, 1);
        unsigned s = 0;
        while (s < 1000 &&
               wzp_quota_charge(a, &limits, false, 20000, s * WZP_S + 1) == WZP_QUOTA_FINE) {
            s++;
        }
        ck_assert_msg(is_tight ? s > 470 && s < 490 : s == 1000, "tight %d: %u s", is_tight, s);
        wzp_quota_close(a);
    }
    wzp_quota_free(&q);
}
END_TEST

/* An account that three tables charge, which tell each other once a second, sends no more than one
 * second's worth above what a single table allows. */
START_TEST(tables_that_tell_each_other) {
    enum { TABLES = 3, RATE = 100, BYTES = 700 };
    const uint64_t second = UINT64_C(1) * BYTES * RATE; /* of one table */
    const wzp_quota_limits limits = {.senders = 1, .month_bytes = 9000000};
    wzp_quota *q[TABLES];
    wzp_quota_account *a[TABLES];
    uint64_t sent = 0;
    for (int i = 0; i < TABLES; i++) {
        ck_assert_int_eq(wzp_quota_new(&q[i], 64), WZP_OK);
        a[i] = wzp_quota_open(q[i], 42, 1);
    }
    for (unsigned n = 1; n <= 60 * RATE; n++) {
        const wzp_time now = n * WZP_S / RATE;
        for (int i = 0; i < TABLES; i++) {
            sent +=
                wzp_quota_charge(a[i], &limits, false, BYTES, now) == WZP_QUOTA_FINE ? BYTES : 0;
        }
        for (int i = 0; n % RATE == 0 && i < TABLES; i++) {
            wzp_quota_news news[4];
            const size_t count = wzp_quota_take_news(q[i], news, 4);
            for (int k = 0; k < TABLES; k++) {
                if (k != i) {
                    wzp_quota_put_news(q[k], news, count, now);
                }
            }
        }
    }
    const uint64_t alone = UINT64_C(60) * 32000 + UINT64_C(60) * 32000;
    ck_assert_msg(sent > alone - second && sent <= alone + TABLES * second,
                  "%llu bytes instead of %llu", (unsigned long long)sent,
                  (unsigned long long)alone);
    wzp_quota_news none[1];
    ck_assert_uint_eq(wzp_quota_take_news(q[0], none, 1), 0); /* told once */
    for (int i = 0; i < TABLES; i++) {
        wzp_quota_close(a[i]);
        wzp_quota_free(&q[i]);
    }
}
END_TEST

START_TEST(news_that_do_not_fit_wait) {
    const wzp_quota_limits limits = {.senders = 1};
    bool told[10] = {false};
    wzp_quota *q = NULL;
    ck_assert_int_eq(wzp_quota_new(&q, 64), WZP_OK);
    for (uint64_t id = 0; id < 10; id++) {
        ck_assert_int_eq(wzp_quota_charge(wzp_quota_open(q, id, 1), &limits, id % 2 == 1, 100, 1),
                         WZP_QUOTA_FINE);
    }
    for (size_t left = 10; left > 0;) {
        wzp_quota_news news[4];
        const size_t count = wzp_quota_take_news(q, news, 4);
        ck_assert_uint_eq(count, left < 4 ? left : 4);
        for (size_t i = 0; i < count; i++) {
            ck_assert(!told[news[i].id]);
            told[news[i].id] = true;
            ck_assert_uint_eq(news[i].id % 2 == 1 ? news[i].video : news[i].audio, 100);
        }
        left -= count;
    }
    wzp_quota_free(&q);
}
END_TEST

enum { SAVED_AT = 1000000 }; /* wall clock, seconds */

/* Account 5 of table 1 has sent 800 bytes of its 1,000; the month is ten days old. */
static size_t saved(uint8_t *buf, size_t cap) {
    const wzp_quota_limits limits = {.senders = 1, .month_bytes = 1000};
    const wzp_time later = 10 * UINT64_C(86400) * WZP_S;
    wzp_quota *q = NULL;
    wzp_wr wr;
    ck_assert_int_eq(wzp_quota_new(&q, 64), WZP_OK);
    wzp_quota_account *a = wzp_quota_open(q, 5, 1);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, 800, 1), WZP_QUOTA_FINE);
    (void)wzp_quota_open(q, 6, 1); /* has sent nothing */
    wzp_wr_init(&wr, buf, cap);
    const wzp_quota *const tables[] = {NULL, q};
    ck_assert_int_eq(wzp_quota_save(tables, 2, 77, later, SAVED_AT, &wr), WZP_OK);
    wzp_quota_free(&q);
    return wzp_wr_len(&wr);
}

/* What account 5 may still send after `gone_s` seconds, in another life that is a second old. */
static const struct life_case {
    const char *name;
    int64_t gone_s;
    size_t fits;
} life_cases[] = {
    {"at once", 0, 200},
    {"after 19 days", INT64_C(19) * 86400, 200},
    {"after 20 days the month is over", INT64_C(20) * 86400 + 1, 1000},
    {"the clock was set back", -500000, 200},
};

START_TEST(months_survive) {
    const struct life_case *c = &life_cases[_i];
    const wzp_quota_limits limits = {.senders = 1, .month_bytes = 1000};
    uint8_t buf[256];
    const size_t len = saved(buf, sizeof buf);
    wzp_quota *q[2];
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wzp_quota_new(&q[i], 64), WZP_OK);
    }
    ck_assert_int_eq(wzp_quota_load(q, 2, 77, wzp_bytes_of(buf, len), WZP_S,
                                    (uint64_t)(SAVED_AT + c->gone_s), NULL),
                     WZP_OK);
    ck_assert_uint_eq(wzp_quota_count(q[0]).accounts, 0);
    wzp_quota_account *a = wzp_quota_open(q[1], 5, WZP_S);
    ck_assert_int_eq(wzp_quota_charge(a, &limits, false, c->fits + 1, WZP_S),
                     WZP_QUOTA_MONTH_SPENT);
    ck_assert_msg(wzp_quota_charge(a, &limits, false, c->fits, WZP_S) == WZP_QUOTA_FINE, "%s",
                  c->name);
    for (int i = 0; i < 2; i++) {
        wzp_quota_free(&q[i]);
    }
}
END_TEST

START_TEST(damaged_files_change_nothing) {
    uint8_t buf[256];
    const size_t len = saved(buf, sizeof buf);
    wzp_quota *q[2];
    wzp_fail fail;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wzp_quota_new(&q[i], 64), WZP_OK);
    }
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert_int_ne(wzp_quota_load(q, 2, 77, wzp_bytes_of(buf, cut), WZP_S, SAVED_AT, &fail),
                         WZP_OK);
    }
    for (size_t i = 0; i < len; i++) {
        buf[i] ^= 0x10;
        ck_assert_msg(wzp_quota_load(q, 2, 77, wzp_bytes_of(buf, len), WZP_S, SAVED_AT, &fail) !=
                          WZP_OK,
                      "byte %zu", i);
        buf[i] ^= 0x10;
    }
    ck_assert_int_eq(wzp_quota_load(q, 2, 78, wzp_bytes_of(buf, len), WZP_S, SAVED_AT, &fail),
                     WZP_ERR_PEER_STATE);
    ck_assert_uint_eq(wzp_quota_count(q[1]).accounts, 0);
    for (int i = 0; i < 2; i++) {
        wzp_quota_free(&q[i]);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("quota");
    tcase_add_loop_test(tc, drains, 0, (int)COUNT_OF(drain_cases));
    tcase_add_test(tc, an_account_outlives_its_connections);
    tcase_add_test(tc, a_month_ends);
    tcase_add_test(tc, spenders_are_not_forgotten);
    tcase_add_test(tc, whoever_is_here_is_not_forgotten);
    tcase_add_loop_test(tc, as_the_twin_says, 0, 20);
    tcase_add_test(tc, a_tight_bucket_refills_at_half_speed);
    tcase_add_test(tc, tables_that_tell_each_other);
    tcase_add_test(tc, news_that_do_not_fit_wait);
    tcase_add_loop_test(tc, months_survive, 0, (int)COUNT_OF(life_cases));
    tcase_add_test(tc, damaged_files_change_nothing);
    return wzp_run_suite("quota", tc);
}
