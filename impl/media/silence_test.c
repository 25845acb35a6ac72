#include "media/silence.h"

#include <math.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

enum { FRAME = 960 };

/* As the sheet has it. */
static bool silent_by_root(const int16_t *pcm, size_t samples) {
    double sum = 0;
    for (size_t i = 0; i < samples; i++) {
        sum += (double)pcm[i] * pcm[i];
    }
    return sqrt(sum / (double)samples) < 100.0;
}

static bool is_silent(const int16_t *pcm, size_t samples) {
    wzp_silence s = {.silent = WZP_SILENCE_HANGOVER};
    return wzp_silence_step(&s, pcm, samples) != WZP_SILENCE_SEND;
}

static const struct level_case {
    const char *name;
    int16_t level;
    int16_t first; /* of the first sample */
    bool want;
} level_cases[] = {
    {"nothing", 0, 0, true},
    {"99", 99, 99, true},
    {"a hair below 100", 100, 99, true},
    {"exactly 100", 100, 100, false},
    {"a hair above", 100, 101, false},
    {"-100", -100, -100, false},
    {"loudest", INT16_MIN, INT16_MIN, false},
};

START_TEST(threshold) {
    const struct level_case *c = &level_cases[_i];
    int16_t pcm[FRAME];
    for (size_t i = 0; i < FRAME; i++) {
        pcm[i] = c->level;
    }
    pcm[0] = c->first;
    ck_assert_msg(is_silent(pcm, FRAME) == c->want, "%s", c->name);
    ck_assert_msg(silent_by_root(pcm, FRAME) == c->want, "%s: the sheet", c->name);
}
END_TEST

START_TEST(integers_agree_with_the_root) {
    wzp_prng prng;
    int16_t pcm[FRAME];
    wzp_prng_init(&prng, (uint64_t)_i, "silence");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int n = 0; n < 500; n++) {
        const uint64_t most = 165 + wzp_rng_below(rng, 18); /* uniform to 173: an rms of 100 */
        for (size_t i = 0; i < FRAME; i++) {
            pcm[i] = (int16_t)((int)wzp_rng_below(rng, 2 * most + 1) - (int)most);
        }
        ck_assert(is_silent(pcm, FRAME) == silent_by_root(pcm, FRAME));
    }
}
END_TEST

/* s a silent frame, v a loud one; + sent, . not, n noise. */
static const struct run_case {
    const char *name, *in, *want;
} run_cases[] = {
    {"hangover", "vsssssss", "++++++.."},
    {"noise every tenth", "sssssssssssssssssssssssss", "+++++.........n.........n"},
    {"speech ends it at once", "sssssssvs", "+++++..++"},
    {"and all is counted anew", "sssssssssssssvssssssssssssssss", "+++++........++++++.........n."},
    {"one loud frame in the hangover", "ssssvsssss", "++++++++++"},
};

START_TEST(runs) {
    const struct run_case *c = &run_cases[_i];
    static const char names[] = {'+', '.', 'n'};
    wzp_silence s = {0, 0};
    int16_t pcm[2] = {0, 0};
    for (size_t i = 0; c->in[i] != '\0'; i++) {
        pcm[0] = pcm[1] = c->in[i] == 'v' ? 3000 : 0;
        const char got = names[wzp_silence_step(&s, pcm, 2)];
        ck_assert_msg(got == c->want[i], "%s: %c at %zu", c->name, got, i);
    }
}
END_TEST

START_TEST(noise_is_as_loud_as_told) {
    wzp_prng prng;
    static int16_t pcm[FRAME * 10];
    const uint8_t level = (uint8_t[]){0, 1, 50, 127}[_i];
    int least = 0;
    int most = 0;
    wzp_prng_init(&prng, 1, "noise");
    wzp_noise_fill(&prng, level, pcm, WZP_COUNT_OF(pcm));
    for (size_t i = 0; i < WZP_COUNT_OF(pcm); i++) {
        least = pcm[i] < least ? pcm[i] : least;
        most = pcm[i] > most ? pcm[i] : most;
    }
    ck_assert_int_eq(least, -level);
    ck_assert_int_eq(most, level);
}
END_TEST

START_TEST(levels) {
    ck_assert_uint_eq(wzp_noise_level((const uint8_t *)"\x32", 1), 50);
    ck_assert_uint_eq(wzp_noise_level((const uint8_t *)"\x00", 1), 0);
    ck_assert_uint_eq(wzp_noise_level((const uint8_t *)"\xff", 1), 127);
    ck_assert_uint_eq(wzp_noise_level((const uint8_t *)"\x09\xff", 2), 9);
    ck_assert_uint_eq(wzp_noise_level(NULL, 0), 50);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, threshold, 0, WZP_COUNT_OF(level_cases));
    tcase_add_loop_test(tc, integers_agree_with_the_root, 0, 4);
    tcase_add_loop_test(tc, runs, 0, WZP_COUNT_OF(run_cases));
    tcase_add_loop_test(tc, noise_is_as_loud_as_told, 0, 4);
    tcase_add_test(tc, levels);
    return wzp_run_suite("silence", tc);
}
