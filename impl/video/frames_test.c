#include "video/frames.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "video/slices.h"

#define FILM 20000

static uint8_t film[FILM];
static wzp_video_frames *frames;
static wzp_video_frame whole;

static void set_up(void) {
    for (size_t i = 0; i < FILM; i++) {
        film[i] = (uint8_t)(i * 7 + i / 251);
    }
    ck_assert_int_eq(wzp_video_frames_new(&frames), WZP_OK);
}

static void tear_down(void) {
    wzp_video_frames_free(&frames);
    wzp_video_frames_free(&frames);
}

/* A packet of its own, that can be kept. */
typedef struct kept {
    wzp_media_packet packet;
    uint8_t payload[WZP_VIDEO_SLICE_MAX];
} kept;

static size_t cut(kept *out, size_t cap, uint32_t timestamp_ms, wzp_bytes frame, size_t slice_len) {
    const wzp_video_frame_cfg cfg = {
        .codec = WZP_CODEC_H264_BASELINE,
        .is_key = true,
        .timestamp_ms = timestamp_ms,
        .frame = frame,
        .slice_len = slice_len,
    };
    wzp_video_slices slices;
    ck_assert_int_eq(wzp_video_slices_init(&slices, &cfg), WZP_OK);
    uint32_t seq = timestamp_ms * 256;
    size_t n = 0;
    while (wzp_video_slices_next(&slices, &seq, &out[n].packet)) {
        memcpy(out[n].payload, out[n].packet.payload.data, out[n].packet.payload.len);
        out[n].packet.payload.data = out[n].payload;
        n++;
        ck_assert_uint_lt(n, cap);
    }
    return n;
}

static bool push(const kept *k) {
    bool complete = false;
    ck_assert_int_eq(wzp_video_frames_push(frames, &k->packet, &whole, &complete), WZP_OK);
    return complete;
}

static const struct order_case {
    const char *name;
    const char *order; /* slices by digit, of three */
    int completes_at;  /* -1: never */
    unsigned duplicates;
} order_cases[] = {
    {"in order", "012", 2, 0},
    {"the last one first", "201", 2, 0},
    {"the last one in the middle", "021", 2, 0},
    {"one twice", "0012", 3, 1},
    {"one again when all is over", "0121", 2, 1},
    {"the first is missing", "12", -1, 0},
    {"the last is missing", "01", -1, 0},
};

START_TEST(order) {
    const struct order_case *c = &order_cases[_i];
    kept k[8];
    ck_assert_uint_eq(cut(k, 8, 5, wzp_bytes_of(film, 250), 100), 3);
    int at = -1;
    for (int i = 0; c->order[i] != '\0'; i++) {
        if (push(&k[c->order[i] - '0'])) {
            ck_assert_msg(at == -1, "%s: twice", c->name);
            at = i;
            ck_assert(wzp_bytes_equal(whole.data, wzp_bytes_of(film, 250)));
            ck_assert(whole.is_key && whole.slices == 3 && whole.seq == 5 * 256);
        }
    }
    ck_assert_msg(at == c->completes_at, "%s: at %d", c->name, at);
    ck_assert_uint_eq(wzp_video_frames_count(frames)->duplicates, c->duplicates);
    ck_assert_uint_eq(wzp_video_frames_waiting(frames), at == -1 ? 1 : 0);
}
END_TEST

static const struct refused_case {
    const char *name;
    uint8_t flags, media_type;
    uint16_t fec_block;
    wzp_err want;
} refused_cases[] = {
    {"sound", 0, WZP_MEDIA_AUDIO, 0x0001, WZP_ERR_MEDIA_TYPE},
    {"repair", WZP_MEDIA_REPAIR, WZP_MEDIA_VIDEO, 0x0001, WZP_ERR_PARSE},
    {"no slices at all", 0, WZP_MEDIA_VIDEO, 0x0000, WZP_ERR_PARSE},
    {"past the last", 0, WZP_MEDIA_VIDEO, 0x0303, WZP_ERR_PARSE},
};

START_TEST(refused) {
    const struct refused_case *c = &refused_cases[_i];
    const wzp_media_packet packet = {.hdr = {.version = 2,
                                             .flags = c->flags,
                                             .media_type = c->media_type,
                                             .codec_id = WZP_CODEC_AV1_MAIN,
                                             .fec_block = c->fec_block}};
    bool complete = true;
    const wzp_err err = wzp_video_frames_push(frames, &packet, &whole, &complete);
    ck_assert_msg(err == c->want && !complete, "%s: %s", c->name, wzp_err_name(err));
    ck_assert_uint_eq(wzp_video_frames_count(frames)->refused, 1);
}
END_TEST

START_TEST(two_counts_for_one_frame) {
    kept k[8];
    (void)cut(k, 8, 5, wzp_bytes_of(film, 250), 100);
    ck_assert(!push(&k[0]));
    kept liar = k[1];
    liar.packet.hdr.fec_block = 0x0102;
    bool complete = true;
    ck_assert_int_eq(wzp_video_frames_push(frames, &liar.packet, &whole, &complete), WZP_ERR_PARSE);
    ck_assert(!complete && !push(&k[1]) && push(&k[2]));
}
END_TEST

START_TEST(prefix_is_stripped) {
    const wzp_video_frame_cfg cfg = {.codec = WZP_CODEC_AV1_MAIN,
                                     .frame = wzp_bytes_of(film, 2000),
                                     .has_prefix = true,
                                     .width = 1280,
                                     .height = 720};
    wzp_video_slices slices;
    ck_assert_int_eq(wzp_video_slices_init(&slices, &cfg), WZP_OK);
    uint32_t seq = 0;
    wzp_media_packet packet;
    bool complete = false;
    while (wzp_video_slices_next(&slices, &seq, &packet)) {
        ck_assert_int_eq(wzp_video_frames_push(frames, &packet, &whole, &complete), WZP_OK);
    }
    ck_assert(complete && whole.width == 1280 && whole.height == 720 && !whole.is_key);
    ck_assert(wzp_bytes_equal(whole.data, wzp_bytes_of(film, 2000)));
}
END_TEST

static const struct age_case {
    const char *name;
    uint32_t frame_ms, now_ms, age_ms;
    size_t waiting;
} age_cases[] = {
    {"old", 500, 10000, 1000, 0},
    {"just old enough", 500, 1500, 1000, 0},
    {"not old enough", 501, 1500, 1000, 1},
    {"newer than what is complete", 1033, 1000, 1000, 1},
    {"old across the wrap", UINT32_MAX - 500, 600, 1000, 0},
    {"newer across the wrap", 100, UINT32_MAX - 100, 50, 1},
};

START_TEST(age) {
    const struct age_case *c = &age_cases[_i];
    kept k[8];
    (void)cut(k, 8, c->frame_ms, wzp_bytes_of(film, 150), 100);
    ck_assert(!push(&k[0]));
    wzp_video_frames_evict(frames, c->now_ms, c->age_ms);
    ck_assert_msg(wzp_video_frames_waiting(frames) == c->waiting, "%s", c->name);
    ck_assert_uint_eq(wzp_video_frames_count(frames)->given_up, 1 - c->waiting);
}
END_TEST

START_TEST(frames_are_bounded) {
    kept k[8];
    for (uint32_t i = 0; i < WZP_VIDEO_FRAMES_MAX + 5; i++) {
        (void)cut(k, 8, i, wzp_bytes_of(film, 150), 100);
        ck_assert(!push(&k[0]));
    }
    ck_assert_uint_eq(wzp_video_frames_waiting(frames), WZP_VIDEO_FRAMES_MAX);
    ck_assert_uint_eq(wzp_video_frames_count(frames)->given_up, 5);
}
END_TEST

START_TEST(bytes_are_bounded) {
    static uint8_t large[65000];
    wzp_media_packet packet = {
        .hdr = {.version = 2, .media_type = WZP_MEDIA_VIDEO, .codec_id = WZP_CODEC_AV1_MAIN},
        .payload = wzp_bytes_of(large, sizeof large)};
    uint64_t lost = 0;
    for (unsigned i = 0; i < 500; i++) { /* slices of three frames, none of them complete */
        bool complete = false;
        packet.hdr.timestamp_ms = i / 250;
        packet.hdr.fec_block = (uint16_t)((i % 250) << 8 | 255);
        const wzp_err err = wzp_video_frames_push(frames, &packet, &whole, &complete);
        lost += err == WZP_ERR_NOMEM ? 1 : 0;
    }
    ck_assert_uint_gt(lost, 0);
    ck_assert_uint_eq(wzp_video_frames_count(frames)->refused, lost);
    ck_assert_uint_le(wzp_video_frames_waiting(frames), 1);
}
END_TEST

/* Several frames at once, in any order, some slices twice and some never: exactly those come out of
 * which everything arrived, as they were. */
START_TEST(any_order) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "any_order");
    const wzp_rng rng = wzp_prng_rng(&prng);
    enum { FRAMES = 8, SLICES = 20 };
    kept *k = calloc((size_t)FRAMES * SLICES, sizeof *k);
    const kept *sent[FRAMES * SLICES * 2];
    size_t n = 0;
    bool lacks[FRAMES] = {false};
    for (uint32_t f = 0; f < FRAMES; f++) {
        const size_t len = 1 + wzp_rng_below(rng, 1800);
        const size_t count =
            cut(&k[(size_t)f * SLICES], SLICES, f * 33, wzp_bytes_of(film + f, len), 100);
        for (size_t i = 0; i < count; i++) {
            const unsigned copies = (unsigned)wzp_rng_below(rng, 40) == 0 ? 0 : 1;
            lacks[f] |= copies == 0;
            for (unsigned c = 0; c < copies + (wzp_rng_below(rng, 10) == 0 ? copies : 0); c++) {
                sent[n++] = &k[(size_t)f * SLICES + i];
            }
        }
    }
    for (size_t i = n; i > 1; i--) {
        const size_t j = wzp_rng_below(rng, i);
        const kept *swap = sent[i - 1];
        sent[i - 1] = sent[j];
        sent[j] = swap;
    }
    unsigned came = 0;
    for (size_t i = 0; i < n; i++) {
        if (push(sent[i])) {
            const uint32_t f = whole.timestamp_ms / 33;
            ck_assert_msg(!lacks[f], "seed %d: frame %u", _i, f);
            ck_assert_int_eq(memcmp(whole.data.data, film + f, whole.data.len), 0);
            lacks[f] = true; /* not twice */
            came++;
        }
    }
    for (uint32_t f = 0; f < FRAMES; f++) {
        ck_assert_msg(lacks[f], "seed %d: frame %u did not come", _i, f);
    }
    ck_assert_uint_eq(wzp_video_frames_count(frames)->complete, came);
    free(k);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("frames");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, order, 0, WZP_COUNT_OF(order_cases));
    tcase_add_loop_test(tc, refused, 0, WZP_COUNT_OF(refused_cases));
    tcase_add_test(tc, two_counts_for_one_frame);
    tcase_add_test(tc, prefix_is_stripped);
    tcase_add_loop_test(tc, age, 0, WZP_COUNT_OF(age_cases));
    tcase_add_test(tc, frames_are_bounded);
    tcase_add_test(tc, bytes_are_bounded);
    tcase_add_loop_test(tc, any_order, 0, 200);
    return wzp_run_suite("video.frames", tc);
}
