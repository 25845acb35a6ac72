#include "tools/quality/glitch.h"

#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "media/testing/voice.h"

enum { MS = 48, LEN = 2000 * MS };

static int16_t voice[LEN];
static int16_t worse[LEN];

static void speak(void) {
    wzp_voice_speak(voice, LEN);
    memcpy(worse, voice, sizeof voice);
}

static void nothing(void) {
}

static void zeros(size_t at_ms, size_t ms) {
    memset(worse + at_ms * MS, 0, ms * MS * sizeof *worse);
}

static void zeros_20(void) {
    zeros(500, 20);
}

static void zeros_4(void) {
    zeros(500, 4);
}

static void two_dropouts(void) {
    zeros(500, 20);
    zeros(900, 60);
}

static void zeros_in_silence(void) {
    memset(voice + 24000, 0, sizeof *voice * 1920);
    zeros(500, 40);
}

static void repeat(size_t at_ms, size_t back_ms, size_t ms) {
    for (size_t i = at_ms * MS; i < (at_ms + ms) * MS; i++) {
        worse[i] = worse[i - back_ms * MS];
    }
}

static void repeat_20(void) {
    repeat(600, 20, 20);
}

static void repeat_thrice(void) {
    repeat(600, 20, 60);
}

static void repeat_60(void) {
    repeat(700, 60, 60);
}

static void said_twice(void) {
    repeat(600, 20, 20);
    memcpy(voice, worse, sizeof voice);
}

static void clip(void) {
    for (size_t i = 0; i < 3; i++) {
        worse[1000 + i] = INT16_MAX;
        worse[2000 + i] = INT16_MIN;
    }
}

static void touch(void) {
    worse[1000] = worse[1001] = INT16_MAX;
    worse[1002] = worse[1003] = INT16_MIN;
}

static void recorded_so(void) {
    clip();
    memcpy(voice, worse, sizeof voice);
}

static const struct glitch_case {
    const char *name;
    void (*make)(void);
    wzp_glitches want;
} cases[] = {
    {"nothing", nothing, {0}},
    {"20 ms of zeros", zeros_20, {.dropouts = 1, .dropout_ms = 20}},
    {"4 ms of zeros are none", zeros_4, {0}},
    {"twice", two_dropouts, {.dropouts = 2, .dropout_ms = 80}},
    {"zeros where nothing was said", zeros_in_silence, {0}},
    {"a frame again", repeat_20, {.repeats = 1, .repeat_ms = 20}},
    {"a frame three times again", repeat_thrice, {.repeats = 1, .repeat_ms = 60}},
    {"60 ms again", repeat_60, {.repeats = 1, .repeat_ms = 60}},
    {"it was said twice", said_twice, {0}},
    {"peaks cut off", clip, {.clipped = 6}},
    {"two samples at full scale are none", touch, {0}},
    {"recorded so", recorded_so, {0}},
};

START_TEST(glitches) {
    const struct glitch_case *c = &cases[_i];
    wzp_glitches got;
    speak();
    c->make();
    wzp_glitch_count(&got, voice, worse, LEN);
    ck_assert_msg(got.dropouts == c->want.dropouts && got.dropout_ms == c->want.dropout_ms,
                  "%s: %u dropouts of %u ms", c->name, got.dropouts, got.dropout_ms);
    ck_assert_msg(got.repeats == c->want.repeats && got.repeat_ms == c->want.repeat_ms,
                  "%s: %u repeats of %u ms", c->name, got.repeats, got.repeat_ms);
    ck_assert_msg(got.clipped == c->want.clipped, "%s: %u clipped", c->name, got.clipped);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, glitches, 0, WZP_COUNT_OF(cases));
    return wzp_run_suite("glitch", tc);
}
