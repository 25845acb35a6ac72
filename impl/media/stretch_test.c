#include "media/stretch.h"

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/testing/voice.h"

enum { FRAME = WZP_STRETCH_FRAME, ROOM = FRAME + WZP_STRETCH_MOST, RATE = 48000 };

/* The new length. */
static size_t stretch(int longer, int16_t *pcm, size_t samples, wzp_stretch_need need, size_t *by) {
    *by =
        longer ? wzp_stretch_lengthen(pcm, samples, need) : wzp_stretch_shorten(pcm, samples, need);
    return longer ? samples + *by : samples - *by;
}

/* A sine has x[n + 1] + x[n - 1] = 2 cos(w) x[n] wherever neither its pitch nor its phase jumps. */
static double worst_break(const int16_t *pcm, size_t samples, double hz) {
    const double twice_cos = 2 * cos(2 * M_PI * hz / RATE);
    double worst = 0;
    for (size_t i = 1; i + 1 < samples; i++) {
        const double off = fabs(pcm[i + 1] + pcm[i - 1] - twice_cos * pcm[i]);
        worst = off > worst ? off : worst;
    }
    return worst;
}

static void sing(int16_t *pcm, size_t samples, double hz, double level) {
    for (size_t i = 0; i < samples; i++) {
        pcm[i] = (int16_t)lrint(level * sin(2 * M_PI * hz * (double)i / RATE + 1));
    }
}

static const double tones[] = {70, 80, 100, 133.7, 200, 261.6, 399, 440, 1000, 3000};

START_TEST(a_tone_stays_a_tone) {
    const double hz = tones[_i / 2];
    int16_t pcm[ROOM];
    size_t by;
    sing(pcm, FRAME, hz, 10000);
    const double before = worst_break(pcm, FRAME, hz);
    const size_t n = stretch(_i % 2, pcm, FRAME, WZP_STRETCH_UNHEARD, &by);
    ck_assert_msg(by >= WZP_STRETCH_LEAST && by <= WZP_STRETCH_MOST, "%.1f Hz: %zu", hz, by);
    /* Rounding, and half a sample at the seam, over the time of the overlap. */
    ck_assert_msg(worst_break(pcm, n, hz) < before + 2 + hz / 10, "%.1f Hz: %.1f before %.1f", hz,
                  worst_break(pcm, n, hz), before);
}
END_TEST

START_TEST(the_ends_stay) {
    int16_t before[FRAME];
    int16_t pcm[ROOM];
    size_t by;
    wzp_voice_speak(before, FRAME);
    memcpy(pcm, before, sizeof before);
    const size_t n = stretch(_i, pcm, FRAME, WZP_STRETCH_ANYHOW, &by);
    ck_assert_uint_gt(by, 0);
    ck_assert_int_eq(pcm[0], before[0]); /* joins the frame before it */
    const size_t rest = FRAME - WZP_STRETCH_MOST - WZP_STRETCH_OVERLAP;
    ck_assert_mem_eq(pcm + n - rest, before + FRAME - rest, rest * sizeof *pcm);
    ck_assert_int_eq(pcm[n - 1], before[FRAME - 1]); /* and the one after it */
}
END_TEST

/* How far the steps of the sound are from each other, at the worst place: a click is far off. */
static int roughness(const int16_t *pcm, size_t samples) {
    int worst = 0;
    for (size_t i = 1; i + 1 < samples; i++) {
        const int bend = abs(pcm[i + 1] - 2 * pcm[i] + pcm[i - 1]);
        worst = bend > worst ? bend : worst;
    }
    return worst;
}

START_TEST(a_voice_has_no_clicks) {
    enum { FRAMES = 250 };
    static int16_t voice[FRAMES * FRAME];
    int16_t pcm[ROOM];
    size_t by;
    size_t stretched = 0;
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
    for (size_t f = 0; f < FRAMES; f++) {
        memcpy(pcm, voice + f * FRAME, FRAME * sizeof *pcm);
        const int before = roughness(pcm, FRAME);
        const size_t n = stretch(_i, pcm, FRAME, WZP_STRETCH_UNHEARD, &by);
        stretched += by > 0 ? 1 : 0;
        ck_assert_msg(roughness(pcm, n) <= before * 5 / 4 + 20, "frame %zu: %d of %d", f,
                      roughness(pcm, n), before);
    }
    ck_assert_uint_gt(stretched, FRAMES / 4);
}
END_TEST

START_TEST(noise_is_let_alone_unless_it_must_be) {
    int16_t pcm[ROOM];
    size_t by;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "noise");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t i = 0; i < FRAME; i++) {
        pcm[i] = (int16_t)((int)wzp_rng_below(rng, 20001) - 10000);
    }
    (void)stretch(_i, pcm, FRAME, WZP_STRETCH_UNHEARD, &by);
    ck_assert_uint_eq(by, 0);
    (void)stretch(_i, pcm, FRAME, WZP_STRETCH_ANYHOW, &by);
    ck_assert_uint_ge(by, WZP_STRETCH_LEAST);
}
END_TEST

static const struct odd_case {
    const char *name;
    size_t samples;
    size_t want; /* 0: any in the bounds */
    wzp_stretch_need need;
    int16_t level[2]; /* of even and odd samples */
} odd_cases[] = {
    {"silence goes as fast as it can", FRAME, WZP_STRETCH_MOST, WZP_STRETCH_UNHEARD, {0, 0}},
    {"almost silence as well", FRAME, WZP_STRETCH_MOST, WZP_STRETCH_UNHEARD, {90, -90}},
    {"the loudest there is", FRAME, 0, WZP_STRETCH_UNHEARD, {INT16_MIN, INT16_MIN}},
    {"the loudest there is, up and down", FRAME, 0, WZP_STRETCH_ANYHOW, {INT16_MIN, INT16_MAX}},
    {"a long frame", FRAME + 300, 0, WZP_STRETCH_UNHEARD, {5000, 5000}},
};

START_TEST(odd_sounds) {
    const struct odd_case *c = &odd_cases[_i / 2];
    int16_t pcm[ROOM + 300];
    size_t by;
    for (size_t i = 0; i < c->samples; i++) {
        pcm[i] = c->level[i % 2];
    }
    (void)stretch(_i % 2, pcm, c->samples, c->need, &by);
    ck_assert_msg(c->want == 0 || by == c->want, "%s: %zu", c->name, by);
    ck_assert_msg(by >= WZP_STRETCH_LEAST && by <= WZP_STRETCH_MOST, "%s: %zu", c->name, by);
}
END_TEST

START_TEST(a_short_frame_stays) {
    int16_t pcm[ROOM] = {0};
    size_t by;
    (void)stretch(_i, pcm, FRAME - 1, WZP_STRETCH_ANYHOW, &by);
    ck_assert_uint_eq(by, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("stretch");
    tcase_add_loop_test(tc, a_tone_stays_a_tone, 0, 2 * WZP_COUNT_OF(tones));
    tcase_add_loop_test(tc, the_ends_stay, 0, 2);
    tcase_add_loop_test(tc, a_voice_has_no_clicks, 0, 2);
    tcase_add_loop_test(tc, noise_is_let_alone_unless_it_must_be, 0, 2);
    tcase_add_loop_test(tc, odd_sounds, 0, 2 * WZP_COUNT_OF(odd_cases));
    tcase_add_loop_test(tc, a_short_frame_stays, 0, 2);
    return wzp_run_suite("media.stretch", tc);
}
