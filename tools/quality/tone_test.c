#include "tools/quality/tone.h"

#include <math.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/testing/voice.h"

enum { LEN = 2 * 48000 };

static const double turn = 6.283185307179586;
static int16_t said[LEN];
static int16_t heard[LEN];

static void sing(int16_t *pcm, double hz, double level) {
    for (size_t i = 0; i < LEN; i++) {
        pcm[i] = (int16_t)lrint(level * sin(turn * hz * (double)i / 48000));
    }
}

static double noise(wzp_rng rng) {
    return ((double)wzp_rng_below(rng, 2001) - 1000) / 1000;
}

/* What comes instead of the tone; `by` of full level. */
static void degrade(char what, double hz, double by) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "tone");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t i = 0; i < LEN; i++) {
        const double t = (double)i / 48000;
        double x = 10000 * sin(turn * hz * t + 1);
        x += what == 'h' ? by * 10000 * sin(turn * 3 * hz * t) : 0;
        x += what == 'n' ? by * 10000 * noise(rng) : 0;
        x = what == 'c' ? fmax(-by * 10000, fmin(by * 10000, x)) : x;
        x = what == 'd' ? 10000 * sin(turn * hz * (1 + by) * t) : x;
        x = what == 'z' && i % 9600 < 960 ? 0 : x;
        heard[i] = (int16_t)lrint(x);
    }
}

static const struct tone_case {
    const char *name;
    double hz;
    char what;
    double by, want_db, within_db;
} cases[] = {
    {"as it was", 1000, ' ', 0, -90, 10},
    {"odd frequency", 441.7, ' ', 0, -90, 10},
    {"low", 100, ' ', 0, -90, 10},
    {"high", 15000, ' ', 0, -90, 10},
    {"a third harmonic of 1 %", 1000, 'h', 0.01, -40, 0.1},
    {"of 10 %", 997, 'h', 0.1, -20, 0.1},
    {"noise", 1000, 'n', 0.1, -20 - 1.76, 0.3}, /* even noise of 1: mean square 1/3; a sine: 1/2 */
    {"cut off at half", 1000, 'c', 0.5, -12.88, 0.3},
    {"a clock 100 ppm fast", 1000, 'd', 1e-4, -80, 20},
    {"a tenth is missing", 1000, 'z', 0, -9.5, 1},
};

START_TEST(purity) {
    const struct tone_case *c = &cases[_i];
    wzp_tone tone;
    sing(said, c->hz, 10000);
    degrade(c->what, c->hz, c->by);
    wzp_tone_measure(&tone, said, heard, LEN);
    ck_assert_msg(fabs(tone.hz - c->hz) < 0.01, "%s: %f Hz", c->name, tone.hz);
    ck_assert_msg(tone.reference_db < -75, "%s: reference %f dB", c->name, tone.reference_db);
    ck_assert_msg(fabs(tone.thdn_db - c->want_db) < c->within_db, "%s: %f dB", c->name,
                  tone.thdn_db);
    ck_assert(fabs(20 * log10(tone.thdn_permille / 1000) - tone.thdn_db) < 1e-6);
}
END_TEST

START_TEST(a_tone_may_begin_late_and_end_early) {
    wzp_tone tone;
    sing(said, 1000, 10000);
    for (size_t i = 0; i < LEN; i++) {
        said[i] = (int16_t)(i > 15000 && i < 80000 ? said[i] : 0);
        heard[i] = said[i];
    }
    wzp_tone_measure(&tone, said, heard, LEN);
    ck_assert(fabs(tone.hz - 1000) < 0.01);
    ck_assert_msg(tone.thdn_db < -70, "%f", tone.thdn_db);
}
END_TEST

START_TEST(speech_and_silence_are_no_tone) {
    wzp_tone tone;
    wzp_voice_speak(said, LEN);
    wzp_tone_measure(&tone, said, said, LEN);
    ck_assert(tone.hz == 0.0);
    sing(said, 1000, 0);
    wzp_tone_measure(&tone, said, said, LEN);
    ck_assert(tone.hz == 0.0);
    wzp_tone_measure(&tone, said, said, 100);
    ck_assert(tone.hz == 0.0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, purity, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, a_tone_may_begin_late_and_end_early);
    tcase_add_test(tc, speech_and_silence_are_no_tone);
    return wzp_run_suite("tone", tc);
}
