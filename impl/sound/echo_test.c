#include <math.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "sound/echo.h"

#define RATE INT64_C(48000)
#define LEN ((size_t)(11 * RATE))

static int16_t said[LEN], heard[LEN + 2 * RATE];

/* A voice-like glide that repeats nothing. */
static void speak(void) {
    double phase = 0;
    for (size_t i = 0; i < LEN; i++) {
        const double t = (double)i / RATE;
        phase += 6.2831853 * (220 + 90 * sin(1.3 * t)) / RATE;
        said[i] = (int16_t)(9000 * (0.2 + 0.8 * fabs(sin(5 * t + 2 * sin(0.7 * t)))) * sin(phase));
    }
}

/* What a network makes of it: `late` samples, from the second `moved_at` on `by` more. */
static const struct echo_case {
    const char *name;
    double gain;
    double correlation, snr_least, snr_most; /* expected of the second window */
    int32_t late, moved_at, by, noise;
    uint32_t moves;
    bool silent;
} cases[] = {
    {"untouched", 1, 1, 60, 60, 0, 0, 0, 0, 0, false},
    {"late by half a second", 1, 1, 60, 60, 24000, 0, 0, 0, 0, false},
    {"late by a frame and a bit", 1, 1, 60, 60, 997, 0, 0, 0, 0, false},
    {"noise at a tenth", 1, 0.98, 15, 20, 4800, 0, 0, 900, 0, false},
    {"a frame later from the sixth second on", 1, 1, 60, 60, 4800, 6, 960, 0, 1, false},
    {"a frame left out in the seventh second", 1, 1, 10, 45, 4800, 7, -960, 0, 1, false},
    {"half as loud", 0.5, 1, 5.9, 6.1, 4800, 0, 0, 0, 0, false},
    {"turned around", -1, 0, -7, 5, 4800, 0, 0, 0, 0, false},
    {"nothing", 0, 0, 0, 0, 4800, 0, 0, 0, 0, true},
    {"less than a hundred", 0.005, 0, 0, 0.1, 4800, 0, 0, 0, 0, true},
};

static void carry(const struct echo_case *c) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "noise");
    for (size_t i = 0; i < WZP_COUNT_OF(heard); i++) {
        const int32_t moved =
            c->moved_at > 0 && (int64_t)i - c->late >= (int64_t)c->moved_at * RATE;
        const int64_t k = (int64_t)i - c->late - (moved ? c->by : 0);
        const double sound = k >= 0 && (size_t)k < LEN ? c->gain * said[k] : 0;
        const int32_t noise =
            c->noise == 0 ? 0
                          : (int32_t)(wzp_prng_u64(&prng) % (uint64_t)(2 * c->noise)) - c->noise;
        heard[i] = (int16_t)(sound + noise);
    }
}

START_TEST(compares) {
    const struct echo_case *c = &cases[_i];
    wzp_echo_window w[3];
    speak();
    carry(c);
    ck_assert_uint_eq(wzp_echo_count(LEN), 3);
    ck_assert(wzp_echo_compare(w, &(wzp_align_sound){said, LEN},
                               &(wzp_align_sound){heard, WZP_COUNT_OF(heard)}) == WZP_OK);
    ck_assert_msg(fabs(w[1].correlation - c->correlation) < 0.05 ||
                      (c->correlation == 0 && w[1].correlation < 0.8),
                  "%s: correlation %.3f", c->name, w[1].correlation);
    ck_assert_msg(w[1].snr_db >= c->snr_least - 1e-6 && w[1].snr_db <= c->snr_most + 1e-6,
                  "%s: SNR %.2f dB", c->name, w[1].snr_db);
    ck_assert_msg(w[0].moves == 0 || c->correlation == 0, "%s: %u moves at first", c->name,
                  w[0].moves);
    ck_assert_msg(w[1].moves == c->moves || c->correlation == 0, "%s: %u moves", c->name,
                  w[1].moves);
    ck_assert_msg(w[1].silent == c->silent, "%s: silent %d", c->name, w[1].silent);
    if (c->correlation == 1) {
        ck_assert_msg(w[2].delay == c->late + (c->moved_at > 0 ? c->by : 0), "%s: delay %d",
                      c->name, w[2].delay);
    }
}
END_TEST

/* Without its alignment a delay of a tenth of a second leaves nothing of the SNR. */
START_TEST(alignment_matters) {
    double signal = 0;
    double noise = 0;
    speak();
    carry(&cases[3]);
    for (size_t i = 0; i < LEN; i++) {
        signal += (double)said[i] * said[i];
        noise += ((double)said[i] - heard[i]) * ((double)said[i] - heard[i]);
    }
    ck_assert_msg(10 * log10(signal / noise) < 0, "%.2f dB", 10 * log10(signal / noise));
}
END_TEST

static const struct count_case {
    const char *name;
    size_t len, want;
} counts[] = {
    {"nothing", 0, 0},
    {"less than a second", RATE - 1, 0},
    {"a second", RATE, 1},
    {"five seconds", 5 * RATE, 1},
    {"hardly more", 5 * RATE + RATE - 1, 1},
    {"a second more", 6 * RATE, 2},
};

/* Two seconds are enough to find a delay, and a short overlap at one end is no match. */
START_TEST(short_one) {
    wzp_echo_window w;
    speak();
    for (size_t i = 0; i < LEN; i++) {
        heard[i] = (int16_t)(i < 327 ? 0 : said[i - 327]);
    }
    ck_assert(wzp_echo_compare(&w, &(wzp_align_sound){said, 2 * RATE},
                               &(wzp_align_sound){heard, 2 * RATE}) == WZP_OK);
    ck_assert_msg(w.delay == 327 && w.correlation > 0.99, "delay %d, %f", w.delay, w.correlation);
}
END_TEST

START_TEST(counts_windows) {
    ck_assert_msg(wzp_echo_count(counts[_i].len) == counts[_i].want, "%s: %zu", counts[_i].name,
                  wzp_echo_count(counts[_i].len));
}
END_TEST

START_TEST(nothing_was_heard) {
    wzp_echo_window w[3];
    speak();
    ck_assert(wzp_echo_compare(w, &(wzp_align_sound){said, LEN}, &(wzp_align_sound){heard, 0}) ==
              WZP_OK);
    ck_assert(w[0].silent && w[2].silent && w[1].correlation == 0 && w[1].peak == 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("echo");
    tcase_set_timeout(tc, 200);
    tcase_add_loop_test(tc, compares, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, alignment_matters);
    tcase_add_test(tc, short_one);
    tcase_add_loop_test(tc, counts_windows, 0, WZP_COUNT_OF(counts));
    tcase_add_test(tc, nothing_was_heard);
    return wzp_run_suite("echo", tc);
}
