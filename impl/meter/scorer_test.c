/* The worked examples of conformance sheet 8, with its numbers. */
#include "meter/scorer.h"

#include <stdio.h>

#include "base/testing/suite.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Scores are compared as the sheet prints them. */
static void check_score(const char *name, unsigned packet, float score, const char *want) {
    static const char letters[] = "?LSA";
    char got[32];
    const int decimals = (int)strcspn(strchr(want, '.') + 1, " ");
    (void)snprintf(got, sizeof got, "%.*f %c", decimals, (double)score,
                   letters[wzp_score_judge(score)]);
    ck_assert_msg(strcmp(got, want) == 0, "%s, packet %u: %s instead of %s", name, packet, got,
                  want);
}

/* --- video ------------------------------------------------------------------------------------ */

/* 30 frames per second.  `odd_one` counts packets from 1 and has the other K flag. */
static const struct video_case {
    const char *name;
    unsigned gop, intra, inter; /* gop 0: no keyframes; packets per frame */
    unsigned odd_one, packets;
    struct {
        unsigned packet;
        const char *score;
    } want[9];
} video_cases[] = {
    {"GOP 30",
     30,
     1,
     1,
     0,
     150,
     {{30, "0.75 L"},
      {31, "0.5688 S"},
      {52, "0.70 S"},
      {53, "0.71 L"},
      {60, "0.75 L"},
      {61, "0.63 S"},
      {79, "0.70 L"},
      {120, "0.85 L"},
      {121, "0.7775 L"}}},
    {"GOP 30, later", 30, 1, 1, 0, 150, {{78, "0.70 S"}, {122, "0.78 L"}, {150, "0.85 L"}}},
    {"no keyframe", 0, 1, 1, 0, 150, {{30, "0.65 S"}, {120, "0.65 S"}, {121, "0.25 A"}}},
    {"one keyframe unblocks",
     0,
     1,
     1,
     151,
     200,
     {{121, "0.25 A"}, {150, "0.25 A"}, {151, "0.75 L"}, {200, "0.75 L"}}},
    {"all keyframes", 1, 1, 1, 0, 100, {{30, "0.55 S"}, {31, "0.25 A"}, {100, "0.25 A"}}},
    {"one delta unblocks", 1, 1, 1, 61, 61, {{31, "0.25 A"}, {60, "0.25 A"}, {61, "0.55 S"}}},
    {"GOP 10", 10, 1, 1, 0, 500, {{30, "0.50 S"}, {500, "0.60 S"}}},
    {"GOP 120", 120, 1, 1, 0, 500, {{30, "0.75 L"}, {120, "0.75 L"}, {500, "0.85 L"}}},
    {"FP-16: fragmented, GOP 30",
     30,
     20,
     3,
     0,
     300,
     {{30, "0.55 S"}, {107, "0.55 S"}, {108, "0.2655 A"}, {300, "0.26 A"}}},
    {"fragmented, GOP 60", 60, 20, 3, 0, 500, {{199, "0.30 S"}, {200, "0.30 A"}}},
    {"video of case A-27", 30, 20, 6, 0, 400, {{196, "0.30 S"}, {197, "0.29 A"}, {389, "0.31 S"}}},
};

START_TEST(video_example) {
    const struct video_case *c = &video_cases[_i];
    wzp_video_scorer scorer;
    wzp_video_scorer_init(&scorer);
    unsigned packet = 0;
    size_t next = 0;
    for (unsigned frame = 0; packet < c->packets; frame++) {
        const bool key = c->gop != 0 && frame % c->gop == 0;
        for (unsigned i = 0; i < (key ? c->intra : c->inter); i++) {
            const bool flagged = key != (++packet == c->odd_one);
            const wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO,
                                       .flags = flagged ? WZP_MEDIA_KEYFRAME : 0};
            float score = -1;
            wzp_video_scorer_observe(&scorer, &hdr, 1000, NULL,
                                     frame * WZP_S / 30 + WZP_US * 200 * i);
            ck_assert_int_eq(wzp_video_scorer_score(&scorer, &score), packet >= 30);
            if (next < COUNT_OF(c->want) && packet == c->want[next].packet) {
                check_score(c->name, packet, score, c->want[next++].score);
            }
        }
    }
    ck_assert_msg(next == COUNT_OF(c->want) || c->want[next].packet == 0,
                  "%s: packet %u is missing", c->name, c->want[next].packet);
}
END_TEST

/* An estimate at 2 s and another at 4 s; after the first the payload changes. */
static const struct estimate_case {
    const char *name;
    uint32_t first_kbps, second_kbps;
    size_t before, after;
    const char *score;
} estimate_cases[] = {
    {"constant rate", 4000, 2000, 1000, 1000, "0.60 S"},
    {"slows down", 4000, 2000, 1000, 400, "1.00 L"},
    {"slows down by less than 10 %", 4000, 2000, 1000, 930, "0.60 S"},
    {"the estimate falls by 30 % exactly", 1000, 700, 1000, 1000, "0.85 L"},
    {"the estimate rises", 2000, 4000, 1000, 1000, "0.85 L"},
    {"the first estimate is 0", 0, 200, 1000, 1000, "0.85 L"},
};

START_TEST(estimate_example) {
    const struct estimate_case *c = &estimate_cases[_i];
    wzp_video_scorer scorer;
    float score = -1;
    wzp_video_scorer_init(&scorer);
    for (unsigned i = 0; i < 120; i++) {
        const wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO,
                                   .flags = i % 30 == 0 ? WZP_MEDIA_KEYFRAME : 0};
        const uint32_t *estimate = i == 59 ? &c->first_kbps : i == 119 ? &c->second_kbps : NULL;
        wzp_video_scorer_observe(&scorer, &hdr, i < 60 ? c->before : c->after, estimate,
                                 i * WZP_S / 30);
    }
    ck_assert(wzp_video_scorer_score(&scorer, &score));
    check_score(c->name, 120, score, c->score);
}
END_TEST

START_TEST(video_ignores_audio) {
    const wzp_media_hdr hdr = {.media_type = WZP_MEDIA_AUDIO};
    wzp_video_scorer scorer;
    wzp_video_scorer_init(&scorer);
    for (unsigned i = 0; i < 100; i++) {
        wzp_video_scorer_observe(&scorer, &hdr, 100, NULL, i * WZP_MS);
    }
    ck_assert_int_eq(wzp_video_scorer_verdict(&scorer), WZP_SCORE_OPEN);
}
END_TEST

/* --- audio ------------------------------------------------------------------------------------ */

/* Packets come in groups: `group` of them `inner_us` apart, then `pause_us` after the last one. */
static const struct audio_case {
    const char *name;
    unsigned packets, group, inner_us, pause_us;
    size_t payload, silent_payload; /* each third, 0: none */
    unsigned report_every;
    struct {
        unsigned packet;
        const char *score;
    } want[7];
} audio_cases[] = {
    {"speech", 200, 1, 0, 20000, 100, 8, 10, {{20, "1.00 L"}, {200, "1.00 L"}}},
    {"FP-17: the same encrypted", 200, 1, 0, 20000, 116, 24, 10, {{200, "0.65 S"}}},
    {"tunnel",
     200,
     1,
     0,
     20000,
     200,
     0,
     0,
     {{20, "0.65 S"}, {100, "0.65 S"}, {101, "0.55 S"}, {200, "0.55 S"}}},
    {"tunnel for 60 s", 3000, 1, 0, 20000, 200, 0, 0, {{1500, "0.30 S"}, {3000, "0.30 S"}}},
    {"uneven gaps",
     1600,
     10,
     1000,
     191000,
     76,
     0,
     0,
     {{20, "0.40 S"},
      {100, "0.40 S"},
      {101, "0.30 S"},
      {1173, "0.30 S"},
      {1174, "0.30 A"},
      {1501, "0.30 S"}}},
    {"bursts",
     6000,
     10,
     0,
     100000,
     130,
     0,
     0,
     {{739, "0.30 S"}, {740, "0.30 A"}, {6000, "0.05 A"}}},
};

START_TEST(audio_example) {
    const struct audio_case *c = &audio_cases[_i];
    wzp_audio_scorer scorer;
    wzp_time now = 0;
    size_t next = 0;
    wzp_audio_scorer_init(&scorer, 0);
    for (unsigned i = 0; i < c->packets; i++) {
        const bool silent = c->silent_payload != 0 && i % 3 == 0;
        const bool report = c->report_every != 0 && i % c->report_every == 0;
        const wzp_media_hdr hdr = {.flags = report ? WZP_MEDIA_QUALITY : 0};
        float score = -1;
        wzp_audio_scorer_observe(&scorer, &hdr, silent ? c->silent_payload : c->payload, now);
        now += ((i + 1) % c->group == 0 ? c->pause_us : c->inner_us) * WZP_US;
        ck_assert_int_eq(wzp_audio_scorer_score(&scorer, &score), i + 1 >= 20);
        if (next < COUNT_OF(c->want) && i + 1 == c->want[next].packet) {
            check_score(c->name, i + 1, score, c->want[next++].score);
        }
    }
    ck_assert_msg(next == COUNT_OF(c->want) || c->want[next].packet == 0,
                  "%s: packet %u is missing", c->name, c->want[next].packet);
}
END_TEST

/* 1 - 0.25 - 0.25 - 0.1 - 0.1 is 0.30000001 in single precision and below 0.3 in double. */
START_TEST(limit_is_single_precision) {
    float sum = 1.0F;
    sum -= 0.25F;
    sum -= 0.25F;
    sum -= 0.1F;
    sum -= 0.1F;
    ck_assert_int_eq(wzp_score_judge(sum), WZP_SCORE_SUSPECT);
    ck_assert_int_eq(wzp_score_judge(0.7F), WZP_SCORE_LEGITIMATE);
    ck_assert_int_eq(wzp_score_judge(0.69999F), WZP_SCORE_SUSPECT);
    ck_assert_int_eq(wzp_score_judge(0.29999F), WZP_SCORE_ABUSIVE);
}
END_TEST

START_TEST(audio_ignores_video) {
    const wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO};
    wzp_audio_scorer scorer;
    wzp_audio_scorer_init(&scorer, 0);
    for (unsigned i = 0; i < 100; i++) {
        wzp_audio_scorer_observe(&scorer, &hdr, 100, i * WZP_MS);
    }
    ck_assert_int_eq(wzp_audio_scorer_verdict(&scorer), WZP_SCORE_OPEN);
}
END_TEST

/* Nothing but silence, from a codec without a nominal rate and at one single instant. */
START_TEST(degenerate_audio) {
    const wzp_media_hdr hdr = {.codec_id = WZP_CODEC_COMFORT_NOISE, .flags = WZP_MEDIA_QUALITY};
    wzp_audio_scorer scorer;
    float score = -1;
    wzp_audio_scorer_init(&scorer, 0);
    for (unsigned i = 0; i < 500; i++) {
        wzp_audio_scorer_observe(&scorer, &hdr, 0, 0);
    }
    ck_assert(wzp_audio_scorer_score(&scorer, &score));
    check_score("silence at once", 500, score, "0.65 S");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("scorer");
    tcase_add_loop_test(tc, video_example, 0, (int)COUNT_OF(video_cases));
    tcase_add_loop_test(tc, estimate_example, 0, (int)COUNT_OF(estimate_cases));
    tcase_add_test(tc, video_ignores_audio);
    tcase_add_loop_test(tc, audio_example, 0, (int)COUNT_OF(audio_cases));
    tcase_add_test(tc, limit_is_single_precision);
    tcase_add_test(tc, audio_ignores_video);
    tcase_add_test(tc, degenerate_audio);
    return wzp_run_suite("scorer", tc);
}
