#include "tools/quality/stoi.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/testing/voice.h"

enum { LEN = 4 * 48000 };

static int16_t voice[LEN];
static int16_t worse[LEN];

static void speak(void) {
    wzp_voice_speak(voice, LEN);
    memcpy(worse, voice, sizeof voice);
}

static void add_noise(double part) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "noise");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t i = 0; i < LEN; i++) {
        const double noise = ((double)wzp_rng_below(rng, 20001) - 10000) * part;
        worse[i] = (int16_t)fmax(-32768, fmin(32767, voice[i] + noise));
    }
}

/* One of `every` frames of 20 ms is zero. */
static void punch(double every) {
    for (size_t frame = 0; frame < LEN / 960; frame++) {
        if (frame % (size_t)every == 0) {
            memset(worse + frame * 960, 0, 960 * sizeof *worse);
        }
    }
}

static void quieter(double by) {
    for (size_t i = 0; i < LEN; i++) {
        worse[i] = (int16_t)(voice[i] * by);
    }
}

/* The values are those of the published Python implementation (pystoi 0.4) for the same samples,
 * brought to 10 kHz by cutting their spectrum. */
static const struct stoi_case {
    const char *name;
    void (*degrade)(double by);
    double by, stoi, estoi;
} cases[] = {
    {"little noise", add_noise, 0.02, 0.99993, 0.99952},
    {"noise", add_noise, 0.1, 0.99799, 0.98726},
    {"much noise", add_noise, 0.5, 0.96214, 0.81774},
    {"hardly anything else", add_noise, 2, 0.80160, 0.48956},
    {"a tenth missing", punch, 10, 0.96654, 0.91924},
    {"a fifth missing", punch, 5, 0.83638, 0.79672},
    {"a third missing", punch, 3, 0.72487, 0.68219},
    {"20 dB weaker", quieter, 0.1, 1.0, 1.0},
};

START_TEST(as_published) {
    const struct stoi_case *c = &cases[_i];
    wzp_stoi got;
    speak();
    c->degrade(c->by);
    ck_assert(wzp_stoi_measure(&got, voice, worse, LEN) == WZP_OK);
    ck_assert_msg(fabs(got.stoi - c->stoi) < 2e-4, "%s: STOI %f", c->name, got.stoi);
    ck_assert_msg(fabs(got.estoi - c->estoi) < 2e-4, "%s: ESTOI %f", c->name, got.estoi);
}
END_TEST

/* Silence at the beginning and within is left out of the reckoning. */
START_TEST(pauses_do_not_count) {
    wzp_stoi whole;
    wzp_stoi paused;
    speak();
    add_noise(0.5);
    ck_assert(wzp_stoi_measure(&whole, voice, worse, LEN / 2) == WZP_OK);
    memmove(voice + LEN / 2, voice, LEN / 2 * sizeof *voice);
    memmove(worse + LEN / 2, worse, LEN / 2 * sizeof *worse);
    for (size_t i = 0; i < LEN / 2; i++) {
        voice[i] = 0;
        worse[i] = (int16_t)(i % 257);
    }
    ck_assert(wzp_stoi_measure(&paused, voice, worse, LEN) == WZP_OK);
    ck_assert_msg(fabs(paused.stoi - whole.stoi) < 0.01, "%f, %f", paused.stoi, whole.stoi);
}
END_TEST

START_TEST(too_little) {
    wzp_stoi got;
    speak();
    ck_assert(wzp_stoi_measure(&got, voice, worse, 0) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_stoi_measure(&got, voice, worse, 15000) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_stoi_measure(&got, voice, worse, 24000) == WZP_OK);
    memset(voice, 0, sizeof voice);
    ck_assert(wzp_stoi_measure(&got, voice, worse, LEN) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, as_published, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, pauses_do_not_count);
    tcase_add_test(tc, too_little);
    return wzp_run_suite("stoi", tc);
}
