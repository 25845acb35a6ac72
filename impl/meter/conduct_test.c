/* The worked examples of conformance sheet 24.8 and 24.9: what ENF-1 says of each, and when. */
#include "meter/conduct.h"

#include "base/testing/suite.h"
#include "wire/registry.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Where a pattern stands. */
typedef struct sender {
    wzp_conduct conduct;
    wzp_media_hdr hdr;
    wzp_time now;
    unsigned packets, suspects, abuses; /* seconds with such a verdict */
    wzp_time abuse_at;                  /* 0: never */
    float lowest;
} sender;

static void send(sender *s, size_t payload, const uint32_t *estimate) {
    const wzp_conduct_news news =
        wzp_conduct_observe(&s->conduct, &s->hdr, payload, estimate, s->now);
    s->hdr.seq++;
    s->packets++;
    if (!news.judged) {
        return;
    }
    s->suspects += news.after == WZP_SCORE_SUSPECT ? 1 : 0;
    s->abuses += news.after == WZP_SCORE_ABUSIVE ? 1 : 0;
    s->lowest = news.score < s->lowest ? news.score : s->lowest;
    if (news.is_abuse && s->abuse_at == 0) {
        s->abuse_at = s->now;
    }
}

static sender new_sender(uint8_t media_type, uint8_t codec) {
    sender s = {.hdr = {.version = 2, .media_type = media_type, .codec_id = codec}, .lowest = 1.0F};
    s.now = 5 * WZP_S;
    wzp_conduct_init(&s.conduct, s.now);
    return s;
}

/* --- audio ------------------------------------------------------------------------------------ */

/* `burst` packets `inside_us` apart each `every_us`; silence of `silent_ms` after `talk_ms`, as a
 * packet of comfort noise each 200 ms. */
static const struct audio_case {
    const char *name;
    wzp_codec codec;
    unsigned burst;
    uint32_t inside_us, every_us, payload;
    unsigned report_every; /* packets; 0: no reports */
    uint32_t talk_ms, silent_ms, seconds;
    unsigned is_abuse, from_s, until_s; /* when it must be said */
    unsigned ever_suspect, ever_abusive;
} audio_cases[] = {
    {"FA-01 conversation", WZP_CODEC_OPUS_24K, 1, 0, 20000, 81, 50, 2000, 1000, 90, 0, 0, 0, 1, 0},
    {"FA-02 lecture", WZP_CODEC_OPUS_24K, 1, 0, 20000, 81, 50, 0, 0, 60, 0, 0, 0, 1, 0},
    {"FA-03 music", WZP_CODEC_OPUS_24K, 1, 0, 20000, 76, 50, 0, 0, 60, 0, 0, 0, 1, 0},
    {"FA-04 uneven gaps", WZP_CODEC_OPUS_24K, 10, 1000, 200000, 76, 0, 0, 0, 90, 0, 0, 0, 1, 0},
    {"the same with larger packets", WZP_CODEC_OPUS_24K, 10, 1000, 200000, 110, 0, 0, 0, 75, 1, 65,
     75, 1, 1},
    {"FA-05 bursts", WZP_CODEC_OPUS_24K, 10, 500, 100000, 85, 0, 0, 0, 150, 1, 60, 80, 1, 1},
    {"FA-06 19 packets", WZP_CODEC_OPUS_24K, 19, 500, 9000000, 85, 0, 0, 0, 2, 0, 0, 0, 0, 0},
    {"Codec2 with its tag, a lecture", WZP_CODEC_CODEC2_1200, 1, 0, 40000, 22, 25, 0, 0, 90, 0, 0,
     0, 0, 0},
};

static void talk(sender *s, const struct audio_case *c, uint32_t duration_ms) {
    const wzp_time from = s->now;
    const uint64_t every = c->every_us * WZP_US;
    for (uint64_t n = 0; n * every < duration_ms * WZP_MS; n++) {
        for (unsigned i = 0; i < c->burst; i++) {
            s->now = from + n * every + (uint64_t)i * c->inside_us * WZP_US;
            s->hdr.codec_id = (uint8_t)c->codec;
            s->hdr.flags =
                c->report_every != 0 && s->packets % c->report_every == 0 ? WZP_MEDIA_QUALITY : 0;
            send(s, c->payload, NULL);
        }
    }
    s->now = from + duration_ms * WZP_MS;
}

static void be_silent(sender *s, uint32_t duration_ms) {
    s->hdr.codec_id = WZP_CODEC_COMFORT_NOISE;
    s->hdr.flags = 0;
    for (uint32_t ms = 0; ms < duration_ms; ms += 200) {
        send(s, 17, NULL);
        s->now += 200 * WZP_MS;
    }
}

START_TEST(audio_example) {
    const struct audio_case *c = &audio_cases[_i];
    sender s = new_sender(WZP_MEDIA_AUDIO, (uint8_t)c->codec);
    const wzp_time from = s.now;
    const wzp_time end = from + c->seconds * WZP_S;
    while (s.now < end) {
        const uint32_t left_ms = (uint32_t)((end - s.now) / WZP_MS);
        talk(&s, c, c->talk_ms == 0 || c->talk_ms > left_ms ? left_ms : c->talk_ms);
        be_silent(&s, c->silent_ms);
    }
    const double at = s.abuse_at == 0 ? 0 : (double)(s.abuse_at - from) / 1e9;
    ck_assert_msg((s.abuse_at != 0) == c->is_abuse, "%s: abuse at %.1f s, score down to %.3f",
                  c->name, at, (double)s.lowest);
    ck_assert_msg(at >= c->from_s && at <= c->until_s, "%s: abuse at %.1f s", c->name, at);
    ck_assert_msg((s.suspects > 0) == c->ever_suspect, "%s: %u s suspect, down to %.3f", c->name,
                  s.suspects, (double)s.lowest);
    ck_assert_msg((s.abuses > 0) == c->ever_abusive, "%s: %u s abusive, down to %.3f", c->name,
                  s.abuses, (double)s.lowest);
}
END_TEST

/* --- video ------------------------------------------------------------------------------------ */

static const struct video_case {
    const char *name;
    unsigned gop;        /* 0: no keyframes, 1: all */
    unsigned key, delta; /* packets */
    unsigned fps, seconds;
    unsigned ends;       /* 1: says where a frame ends */
    unsigned key_until;  /* frames before which all are keyframes */
    unsigned none_until; /* ... none is */
    unsigned is_abuse, from_s, until_s;
} video_cases[] = {
    {"FV-01", 30, 1, 1, 30, 60, 1, 0, 0, 0, 0, 0},
    {"FV-02 no keyframe", 0, 1, 1, 30, 90, 1, 0, 0, 1, 63, 67},
    {"FV-03 all keyframes", 1, 1, 1, 30, 90, 1, 0, 0, 1, 60, 64},
    {"FV-04", 30, 1, 1, 30, 60, 1, 0, 120, 0, 0, 0},
    {"FV-05", 30, 1, 1, 30, 60, 1, 30, 0, 0, 0, 0},
    {"FV-06 fragmented, GOP 30", 30, 20, 3, 30, 90, 1, 0, 0, 0, 0, 0},
    {"FV-07 fragmented, GOP 60", 60, 20, 3, 30, 90, 1, 0, 0, 0, 0, 0},
    {"FV-08 fragmented, GOP 120", 120, 60, 3, 30, 90, 1, 0, 0, 0, 0, 0},
    {"FV-09 screen", 50, 1, 1, 5, 90, 1, 0, 0, 0, 0, 0},
    {"FV-11 GOP 10", 10, 1, 1, 30, 90, 1, 0, 0, 0, 0, 0},
    {"fragmented, ends lost", 30, 20, 3, 30, 90, 0, 0, 0, 0, 0, 0},
    {"no keyframe, ends unsaid", 0, 3, 3, 30, 90, 0, 0, 0, 1, 63, 67},
};

static void send_frame(sender *s, const struct video_case *c, unsigned frame) {
    const bool is_key =
        frame < c->key_until || (frame >= c->none_until && c->gop != 0 && frame % c->gop == 0);
    const unsigned n = is_key ? c->key : c->delta;
    s->hdr.timestamp_ms = frame * 1000 / c->fps;
    for (unsigned i = 0; i < n; i++) {
        s->hdr.flags = (uint8_t)((is_key ? WZP_MEDIA_KEYFRAME : 0) |
                                 (c->ends != 0 && i + 1 == n ? WZP_MEDIA_FRAME_END : 0));
        send(s, 1116, NULL);
    }
}

START_TEST(video_example) {
    const struct video_case *c = &video_cases[_i];
    sender s = new_sender(WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE);
    const wzp_time from = s.now;
    for (unsigned frame = 0; frame < c->fps * c->seconds; frame++) {
        s.now = from + frame * WZP_S / c->fps;
        send_frame(&s, c, frame);
    }
    const double at = s.abuse_at == 0 ? 0 : (double)(s.abuse_at - from) / 1e9;
    ck_assert_msg((s.abuse_at != 0) == c->is_abuse, "%s: abuse at %.1f s, score down to %.3f",
                  c->name, at, (double)s.lowest);
    ck_assert_msg(at >= c->from_s && at <= c->until_s, "%s: abuse at %.1f s", c->name, at);
}
END_TEST

/* A sender that keeps its rate when its receivers' estimate falls by half: one weak feature. */
START_TEST(estimates_count_once) {
    sender s = new_sender(WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE);
    const struct video_case c = {"", 30, 1, 1, 30, 60, 1, 0, 0, 0, 0, 0};
    const wzp_time from = s.now;
    for (unsigned frame = 0; frame < 30 * 60; frame++) {
        const uint32_t kbps = frame < 900 ? 200 : 100;
        s.now = from + frame * WZP_S / 30;
        s.hdr.timestamp_ms = frame * 1000 / 30;
        s.hdr.flags =
            (uint8_t)((frame % c.gop == 0 ? WZP_MEDIA_KEYFRAME : 0) | WZP_MEDIA_FRAME_END);
        send(&s, 1000, frame % 30 == 0 ? &kbps : NULL);
    }
    ck_assert_uint_eq(s.conduct.video.unresponsive, 1);
    ck_assert_uint_eq(s.conduct.video.responsive, 0);
    ck_assert_uint_eq(s.abuses, 0);
    ck_assert_uint_gt(s.suspects, 0);
}
END_TEST

/* A minute is one without a break: a better second in between starts it anew. */
START_TEST(a_break_starts_anew) {
    sender s = new_sender(WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE);
    const wzp_time from = s.now;
    for (unsigned frame = 0; frame < 30 * 100; frame++) {
        const bool is_key = frame / 30 == 50; /* one second with keyframes among those without */
        s.now = from + frame * WZP_S / 30;
        s.hdr.timestamp_ms = frame * 1000 / 30;
        s.hdr.flags = (uint8_t)((is_key ? WZP_MEDIA_KEYFRAME : 0) | WZP_MEDIA_FRAME_END);
        send(&s, 1000, NULL);
    }
    ck_assert_uint_gt(s.abuses, 30);
    ck_assert_uint_eq(s.abuse_at, 0);
}
END_TEST

START_TEST(data_and_control_are_not_judged) {
    for (unsigned type = WZP_MEDIA_AUDIO; type < WZP_MEDIA_TYPE_COUNT; type++) {
        sender s = new_sender((uint8_t)type, WZP_CODEC_OPUS_24K);
        for (int i = 0; i < 500; i++) {
            s.now += 20 * WZP_MS;
            s.hdr.timestamp_ms += 20;
            send(&s, 100, NULL);
        }
        const bool is_judged = s.suspects + s.abuses > 0;
        ck_assert_int_eq(is_judged, type == WZP_MEDIA_AUDIO || type == WZP_MEDIA_VIDEO);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("conduct");
    tcase_add_loop_test(tc, audio_example, 0, (int)COUNT_OF(audio_cases));
    tcase_add_loop_test(tc, video_example, 0, (int)COUNT_OF(video_cases));
    tcase_add_test(tc, estimates_count_once);
    tcase_add_test(tc, a_break_starts_anew);
    tcase_add_test(tc, data_and_control_are_not_judged);
    return wzp_run_suite("conduct", tc);
}
