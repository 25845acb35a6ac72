/* Calls while there is no memory: whatever fails, both sides end, and can call again. */
#include "base/testing/suite.h"
#include "phone/testing/handsets.h"

/* --- memory that is not there ----------------------------------------------------------------- */

/* The linker sends all allocations here, OpenSSL's and ngtcp2's too (--wrap); those of handsets at
 * work are counted, and some fail. */
static struct {
    size_t count;        /* so far */
    size_t first, until; /* of those that fail; none: both 0 */
} memory;

static bool fails(void) {
    if (!t.is_at_work) {
        return false;
    }
    const size_t number = memory.count++;
    return number >= memory.first && number < memory.until;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names for wrapped functions. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- calls ------------------------------------------------------------------------------------ */

static const wzp_handset_cfg cfg = {.policy = WZP_RACE_REFERENCE, .reconnects = true};

static void hang_up(unsigned who) {
    wzp_handset_hangup(t.sides[who].handset, t.net.now);
    wzp_client_free(&t.sides[who].client);
}

/* How many allocations a call makes until both hear each other. */
static size_t usual(void) {
    memory.first = memory.until = 0;
    open_net(&cfg, &cfg);
    memory.count = 0;
    call();
    run(1500);
    expect_path(WZP_RACE_DIRECT);
    close_net();
    return memory.count;
}

enum { SAMPLES = 12 };

static const size_t lengths[] = {1, 4, 100};

/* Out of so many, at one of SAMPLES points of a call.  A line that breaks is found again within
 * half a minute. */
START_TEST(memory_runs_out) {
    const size_t length = lengths[(size_t)_i / SAMPLES];
    const size_t all = usual();
    open_net(&cfg, &cfg);
    memory.count = 0;
    memory.first = all * ((size_t)_i % SAMPLES) / SAMPLES;
    memory.until = memory.first + length;
    call();
    run(3000);
    ck_assert_uint_ge(memory.count, memory.first);
    memory.first = memory.until = 0;
    hang_up(A);
    hang_up(B);
    run(35000);
    const unsigned before[SIDES] = {t.sides[A].set_ups, t.sides[B].set_ups};
    call();
    run(3000);
    for (unsigned i = 0; i < SIDES; i++) {
        ck_assert_msg(t.sides[i].set_ups == before[i] + 1, "side %u: the next call", i);
        ck_assert_int_ne(t.sides[i].path.path, WZP_RACE_UNDECIDED);
    }
    expect_sound(500);
    close_net();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("memory");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, memory_runs_out, 0, SAMPLES * (int)WZP_COUNT_OF(lengths));
    return wzp_run_suite("phone.handset_memory", tc);
}
