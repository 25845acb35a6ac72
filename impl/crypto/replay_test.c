#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "crypto/replay.h"

/* A slow obvious twin of the window: remembers every number that was accepted. */
typedef struct twin {
    uint32_t accepted[4096];
    size_t count;
    uint32_t highest;
} twin;

static bool twin_knows(const twin *t, uint32_t seq) {
    for (size_t i = 0; i < t->count; i++) {
        if (t->accepted[i] == seq) {
            return true;
        }
    }
    return false;
}

static bool twin_accept(twin *t, uint16_t size, uint32_t seq) {
    const uint32_t behind = t->highest - seq;
    const bool first = t->count == 0;
    const bool ahead = !first && seq != t->highest && seq - t->highest < UINT32_C(0x80000000);
    if (!first && !ahead && (behind >= size || twin_knows(t, seq))) {
        return false;
    }
    if (first || ahead) {
        t->highest = seq;
    }
    t->accepted[t->count++] = seq;
    return true;
}

/* Mostly around the edge of the window, now and then a jump. */
static uint32_t next_seq(wzp_rng rng, uint32_t *base, uint16_t size) {
    const uint32_t reach = 2U * size;
    *base += (uint32_t)wzp_rng_below(rng, 4);
    if (wzp_rng_below(rng, 100) == 0) {
        *base += (uint32_t)wzp_rng_below(rng, (uint64_t)3 * size);
    }
    return *base + (uint32_t)wzp_rng_below(rng, reach) - reach / 2;
}

START_TEST(window_equals_its_twin) {
    static const uint16_t sizes[] = {32, 64, 128, 256, 512, 1024};
    const uint16_t size = sizes[(size_t)_i % WZP_COUNT_OF(sizes)];
    uint32_t base = _i % 2 == 0 ? 1000 : UINT32_MAX - 700; /* odd rounds wrap */
    wzp_prng prng;
    wzp_replay window;
    twin *t = calloc(1, sizeof *t);
    wzp_prng_init(&prng, (uint64_t)_i, "replay");
    wzp_replay_init(&window, size);
    for (int step = 0; step < 3000; step++) {
        const uint32_t seq = next_seq(wzp_prng_rng(&prng), &base, size);
        const bool want = twin_accept(t, size, seq);
        ck_assert_msg(wzp_replay_accept(&window, seq) == want, "size %u step %d seq %u", size, step,
                      seq);
    }
    free(t);
}
END_TEST

START_TEST(windows_of_the_media_types) {
    ck_assert_uint_eq(wzp_replay_size_of(0), 64);
    ck_assert_uint_eq(wzp_replay_size_of(1), 1024);
    ck_assert_uint_eq(wzp_replay_size_of(2), 256);
    ck_assert_uint_eq(wzp_replay_size_of(3), 32);
    ck_assert_uint_eq(wzp_replay_size_of(4), 1024);
    ck_assert(wzp_replay_size_ok(32) && wzp_replay_size_ok(1024));
    ck_assert(!wzp_replay_size_ok(0) && !wzp_replay_size_ok(16) && !wzp_replay_size_ok(96));
    ck_assert(!wzp_replay_size_ok(2048) && !wzp_replay_size_ok(UINT64_C(1) << 40));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, window_equals_its_twin, 0, 24);
    tcase_add_test(tc, windows_of_the_media_types);
    return wzp_run_suite("replay", tc);
}
