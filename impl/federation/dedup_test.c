/* The ring and its index against a list that is searched from end to end. */
#include <stdlib.h>

#include "base/testing/suite.h"
#include "federation/dedup.h"

enum { CAP = 64, STEPS = 200000 };

typedef struct twin {
    wzp_fed_mark marks[STEPS];
    size_t first, len;
} twin;

static bool twin_has(const twin *t, uint64_t hash, wzp_time now) {
    for (size_t i = t->first; i < t->len; i++) {
        if (t->marks[i].hash == hash && now - t->marks[i].at < 2 * WZP_S) {
            return true;
        }
    }
    return false;
}

static void twin_add(twin *t, uint64_t hash, wzp_time now) {
    if (twin_has(t, hash, now)) {
        return;
    }
    while (t->first < t->len && now - t->marks[t->first].at >= 2 * WZP_S) {
        t->first++;
    }
    t->first += t->len - t->first == CAP ? 1 : 0;
    t->marks[t->len++] = (wzp_fed_mark){hash, now};
}

START_TEST(against_twin) {
    wzp_prng prng;
    wzp_fed_dedup d;
    twin *t = calloc(1, sizeof *t);
    wzp_time now = WZP_S;
    wzp_prng_init(&prng, 7, "dedup");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert(wzp_fed_dedup_init(&d, CAP, 2 * WZP_S, rng) == WZP_OK);
    for (int i = 0; i < STEPS; i++) {
        /* Few homes, so that runs of the index collide and wrap around. */
        const uint64_t hash =
            wzp_rng_below(rng, 5) * 2 * CAP + 120 + wzp_rng_below(rng, 12) + (1ULL << 40);
        now += wzp_rng_below(rng, 90) * WZP_MS;
        if (wzp_rng_below(rng, 2) == 0) {
            ck_assert_msg(wzp_fed_dedup_has(&d, hash, now) == twin_has(t, hash, now), "step %d", i);
        } else {
            wzp_fed_dedup_add(&d, hash, now);
            twin_add(t, hash, now);
        }
    }
    wzp_fed_dedup_clear(&d);
    free(t);
}
END_TEST

START_TEST(window) {
    wzp_prng prng;
    wzp_fed_dedup d;
    wzp_prng_init(&prng, 1, "dedup");
    ck_assert(wzp_fed_dedup_init(&d, 4, 2 * WZP_S, wzp_prng_rng(&prng)) == WZP_OK);
    wzp_fed_dedup_add(&d, 1, WZP_S);
    wzp_fed_dedup_add(&d, 1, 2 * WZP_S); /* does not prolong it */
    ck_assert(wzp_fed_dedup_has(&d, 1, 3 * WZP_S - 1));
    ck_assert(!wzp_fed_dedup_has(&d, 1, 3 * WZP_S));
    for (uint64_t h = 10; h < 15; h++) {
        wzp_fed_dedup_add(&d, h, 4 * WZP_S);
    }
    ck_assert(!wzp_fed_dedup_has(&d, 10, 4 * WZP_S));
    ck_assert(wzp_fed_dedup_has(&d, 11, 4 * WZP_S));
    ck_assert_uint_eq(d.early, 1);
    wzp_fed_dedup_clear(&d);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("dedup");
    tcase_add_test(tc, against_twin);
    tcase_add_test(tc, window);
    return wzp_run_suite("dedup", tc);
}
