#include <check.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/wav.h"

static char path[] = "/tmp/wzp-wav-test-XXXXXX.wav";

static void make_file(int rate, int channels, int format, double seconds, double hz) {
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < (int)(seconds * rate); i++) {
        float frame[16];
        for (int c = 0; c < channels; c++) {
            frame[c] = (float)(0.5 * sin(2 * 3.14159265358979 * hz * i / rate));
        }
        ck_assert_int_eq(sf_writef_float(file, frame, 1), 1);
    }
    sf_close(file);
}

static int16_t *read_wav(size_t *count) {
    int16_t *pcm = NULL;
    char why[WZP_WAV_WHY_MAX] = "";
    ck_assert_msg(wzp_wav_read(&pcm, count, path, why) == WZP_OK, "%s", why);
    return pcm;
}

/* Strength of one frequency in the middle of the signal, 1 for a full-scale sine. */
static double strength(const int16_t *pcm, size_t n, double hz) {
    double re = 0;
    double im = 0;
    for (size_t i = n / 4; i < 3 * n / 4; i++) {
        const double at = 2 * 3.14159265358979 * hz * (double)i / WZP_WAV_RATE_HZ;
        re += pcm[i] / 32768.0 * cos(at);
        im += pcm[i] / 32768.0 * sin(at);
    }
    return 2 * sqrt(re * re + im * im) / ((double)n / 2);
}

static const struct shape_case {
    const char *name;
    int rate, channels, format;
} shape_cases[] = {
    {"as we want it", 48000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    {"stereo", 48000, 2, SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    {"44.1 kHz stereo, 24 bit", 44100, 2, SF_FORMAT_WAV | SF_FORMAT_PCM_24},
    {"8 kHz", 8000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    {"8 kHz A-law", 8000, 1, SF_FORMAT_WAV | SF_FORMAT_ALAW},
    {"16 kHz floats, six channels", 16000, 6, SF_FORMAT_WAV | SF_FORMAT_FLOAT},
    {"96 kHz FLAC", 96000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
};

START_TEST(every_shape_becomes_48_khz_mono) {
    const struct shape_case *c = &shape_cases[_i];
    size_t n = 0;
    make_file(c->rate, c->channels, c->format, 1, 440);
    int16_t *pcm = read_wav(&n);
    ck_assert_msg(n > 47500 && n <= 48100, "%s: %zu samples", c->name, n);
    const double tone = strength(pcm, n, 440);
    ck_assert_msg(fabs(tone - 0.5) < 0.02, "%s: 440 Hz at %f", c->name, tone);
    ck_assert_msg(strength(pcm, n, 880) < 0.01, "%s: not clean", c->name);
    free(pcm);
}
END_TEST

static wzp_wav_out *create(void) {
    wzp_wav_out *out = NULL;
    char why[WZP_WAV_WHY_MAX] = "";
    ck_assert_msg(wzp_wav_create(&out, path, why) == WZP_OK, "%s", why);
    return out;
}

START_TEST(samples_survive_unchanged) {
    int16_t pcm[3000];
    size_t n = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(pcm); i++) {
        pcm[i] = (int16_t)(i * 7919);
    }
    pcm[0] = INT16_MIN;
    pcm[1] = INT16_MAX;
    wzp_wav_out *out = create();
    for (size_t i = 0; i < 3000; i += 600) {
        ck_assert_int_eq(wzp_wav_write_at(out, i, pcm + i, 600), WZP_OK);
    }
    ck_assert_int_eq(wzp_wav_finish(&out), WZP_OK);
    ck_assert_int_eq(wzp_wav_finish(&out), WZP_OK);
    int16_t *back = read_wav(&n);
    ck_assert_uint_eq(n, 3000);
    ck_assert_mem_eq(pcm, back, sizeof pcm);
    free(back);
}
END_TEST

START_TEST(gaps_are_silence_and_the_past_stays) {
    const int16_t a[] = {1, 2, 3, 4};
    const int16_t b[] = {5, 6, 7, 8};
    const int16_t want[] = {0, 0, 1, 2, 3, 4, 7, 8};
    size_t n = 0;
    wzp_wav_out *out = create();
    ck_assert_int_eq(wzp_wav_write_at(out, 2, a, 4), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, 0, b, 4), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, 4, b, 4), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, 6000, b, 1), WZP_OK);
    ck_assert_int_eq(wzp_wav_finish(&out), WZP_OK);
    int16_t *back = read_wav(&n);
    ck_assert_uint_eq(n, 6001);
    ck_assert_mem_eq(back, want, sizeof want);
    ck_assert_int_eq(back[8], 0);
    ck_assert_int_eq(back[6000], 5);
    free(back);
}
END_TEST

START_TEST(two_channels_stay_apart) {
    static const int16_t a[] = {1000, -1, 2000, -2, 3000, -3};
    static const int16_t want[] = {0, 0, 1000, -1, 2000, -2, 3000, -3};
    char why[WZP_WAV_WHY_MAX];
    wzp_wav_out *out = NULL;
    int16_t back[16];
    SF_INFO info = {0};
    ck_assert_int_eq(wzp_wav_create_stereo(&out, path, why), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, 1, a, 2), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, 1, a, 3), WZP_OK);
    ck_assert_int_eq(wzp_wav_write_at(out, UINT32_MAX / 4, a, 1), WZP_ERR_IO);
    ck_assert_int_eq(wzp_wav_finish(&out), WZP_ERR_IO); /* the last one is missing */
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(info.channels, 2);
    ck_assert_int_eq(sf_readf_short(file, back, 8), 4);
    ck_assert_mem_eq(back, want, sizeof want);
    sf_close(file);
}
END_TEST

START_TEST(more_than_a_wav_file_holds_is_refused) {
    const int16_t a[] = {1};
    wzp_wav_out *out = create();
    ck_assert_int_eq(wzp_wav_write_at(out, UINT64_MAX, a, 1), WZP_ERR_IO);
    ck_assert_int_eq(wzp_wav_write_at(out, UINT32_MAX / 2, a, 1), WZP_ERR_IO);
    ck_assert_int_eq(wzp_wav_finish(&out), WZP_ERR_IO);
}
END_TEST

START_TEST(values_outside_the_range_are_clipped) {
    SF_INFO info = {.samplerate = 48000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    const float wild[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 1.0f, -1.0f, 0.0f};
    const int16_t want[] = {0, 0, 0, INT16_MAX, INT16_MIN, INT16_MAX, INT16_MIN, 0};
    size_t n = 0;
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    ck_assert_int_eq(sf_writef_float(file, wild, 8), 8);
    sf_close(file);
    int16_t *pcm = read_wav(&n);
    ck_assert_uint_eq(n, 8);
    ck_assert_mem_eq(pcm, want, sizeof want);
    free(pcm);
}
END_TEST

static void put(const char *bytes, size_t len) {
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    (void)fclose(f);
}

START_TEST(what_is_no_sound_file_is_told) {
    int16_t *pcm = NULL;
    size_t n = 0;
    wzp_wav_out *out = NULL;
    char why[WZP_WAV_WHY_MAX] = "";
    put("hello, this is text", 19);
    ck_assert_int_eq(wzp_wav_read(&pcm, &n, path, why), WZP_ERR_PARSE);
    ck_assert_ptr_nonnull(strstr(why, path));
    ck_assert_ptr_nonnull(strstr(why, "expected a sound file"));
    ck_assert_int_eq(wzp_wav_read(&pcm, &n, "/tmp/wzp/none.wav", why), WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "/tmp/wzp/none.wav: "));
    make_file(48000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 0, 440);
    ck_assert_int_eq(wzp_wav_read(&pcm, &n, path, why), WZP_ERR_PARSE);
    ck_assert_ptr_nonnull(strstr(why, "it has none"));
    make_file(1000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 440);
    ck_assert_int_eq(wzp_wav_read(&pcm, &n, path, why), WZP_ERR_PARSE);
    ck_assert_ptr_nonnull(strstr(why, "found 1000"));
    ck_assert_int_eq(wzp_wav_create(&out, "/tmp/wzp/none/none.wav", why), WZP_ERR_IO);
    ck_assert_ptr_nonnull(strstr(why, "cannot be written"));
    ck_assert_ptr_null(pcm);
    ck_assert_ptr_null(out);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_read_or_refused) {
    char bytes[400];
    char why[WZP_WAV_WHY_MAX];
    make_file(48000, 1, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 0.003, 440);
    FILE *f = fopen(path, "rb");
    const size_t whole = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    for (size_t len = 0; len < whole; len++) {
        int16_t *pcm = NULL;
        size_t n = 0;
        put(bytes, len);
        if (wzp_wav_read(&pcm, &n, path, why) == WZP_OK) {
            ck_assert_uint_le(n, len / 2);
        }
        free(pcm);
    }
}
END_TEST

int main(void) {
    const int fd = mkstemps(path, 4);
    if (fd < 0) {
        return EXIT_FAILURE;
    }
    close(fd);
    Suite *suite = suite_create("wav");
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, every_shape_becomes_48_khz_mono, 0, WZP_COUNT_OF(shape_cases));
    tcase_add_test(tc, samples_survive_unchanged);
    tcase_add_test(tc, gaps_are_silence_and_the_past_stays);
    tcase_add_test(tc, two_channels_stay_apart);
    tcase_add_test(tc, more_than_a_wav_file_holds_is_refused);
    tcase_add_test(tc, values_outside_the_range_are_clipped);
    tcase_add_test(tc, what_is_no_sound_file_is_told);
    tcase_add_test(tc, a_file_cut_anywhere_is_read_or_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(path);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
