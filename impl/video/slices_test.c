#include "video/slices.h"

#include <check.h>

#include "base/testing/suite.h"

static uint8_t film[WZP_VIDEO_SLICE_MAX * WZP_VIDEO_SLICES_MAX + 1];

static const struct cut_case {
    const char *name;
    size_t frame_len, slice_len;
    bool has_prefix;
    wzp_err want;
    unsigned count;
    size_t last_len;
} cut_cases[] = {
    {"nothing has no packets", 0, 0, false, WZP_OK, 0, 0},
    {"nor with a prefix", 0, 0, true, WZP_OK, 0, 0},
    {"one byte", 1, 0, false, WZP_OK, 1, 1},
    {"exactly one slice", 1168, 0, false, WZP_OK, 1, 1168},
    {"one byte over it", 1169, 0, false, WZP_OK, 2, 1},
    {"the prefix counts", 1161, 0, true, WZP_OK, 2, 1},
    {"shorter slices", 100, 30, false, WZP_OK, 4, 10},
    {"as many as there may be", (size_t)1168 * 255, 0, false, WZP_OK, 255, 1168},
    {"one byte more", (size_t)1168 * 255 + 1, 0, false, WZP_ERR_TOO_LARGE, 0, 0},
    {"slices over the limit", 100, 1169, false, WZP_ERR_INVALID_ARGUMENT, 0, 0},
    {"slices without room for more than the prefix", 100, 8, true, WZP_ERR_INVALID_ARGUMENT, 0, 0},
};

START_TEST(cuts) {
    const struct cut_case *c = &cut_cases[_i];
    const wzp_video_frame_cfg cfg = {
        .codec = WZP_CODEC_AV1_MAIN,
        .is_key = true,
        .timestamp_ms = 7,
        .frame = wzp_bytes_of(film, c->frame_len),
        .slice_len = c->slice_len,
        .has_prefix = c->has_prefix,
        .width = 640,
        .height = 480,
    };
    wzp_video_slices slices;
    const wzp_err err = wzp_video_slices_init(&slices, &cfg);
    ck_assert_msg(err == c->want, "%s: %s", c->name, wzp_err_name(err));
    if (err != WZP_OK) {
        return;
    }
    uint32_t seq = UINT32_MAX;
    unsigned n = 0;
    size_t bytes = 0;
    wzp_media_packet packet = {0};
    while (wzp_video_slices_next(&slices, &seq, &packet)) {
        ck_assert_msg(packet.hdr.fec_block == (n << 8 | c->count), "%s", c->name);
        ck_assert_msg(packet.hdr.seq == UINT32_MAX + n, "%s", c->name);
        const bool is_last = (packet.hdr.flags & WZP_MEDIA_FRAME_END) != 0;
        ck_assert_msg(is_last == (n + 1 == c->count), "%s: packet %u", c->name, n);
        ck_assert((packet.hdr.flags & WZP_MEDIA_KEYFRAME) != 0);
        bytes += packet.payload.len;
        n++;
    }
    ck_assert_msg(n == c->count, "%s: %u packets", c->name, n);
    ck_assert_msg(n == 0 || packet.payload.len == c->last_len, "%s", c->name);
    ck_assert_uint_eq(bytes, n == 0 ? 0 : c->frame_len + (c->has_prefix ? 8 : 0));
}
END_TEST

START_TEST(sound_is_no_video) {
    const wzp_video_frame_cfg cfg = {.codec = WZP_CODEC_OPUS_24K, .frame = wzp_bytes_of(film, 1)};
    wzp_video_slices slices;
    ck_assert_int_eq(wzp_video_slices_init(&slices, &cfg), WZP_ERR_CODEC);
}
END_TEST

START_TEST(slices_leave_room_for_what_is_around_them) {
    ck_assert_uint_eq(wzp_video_slice_len(0), 0);
    ck_assert_uint_eq(wzp_video_slice_len(40), 0);
    ck_assert_uint_eq(wzp_video_slice_len(1162), 1122);
    ck_assert_uint_eq(wzp_video_slice_len(9000), WZP_VIDEO_SLICE_MAX);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("slices");
    tcase_add_loop_test(tc, cuts, 0, WZP_COUNT_OF(cut_cases));
    tcase_add_test(tc, sound_is_no_video);
    tcase_add_test(tc, slices_leave_room_for_what_is_around_them);
    return wzp_run_suite("video.slices", tc);
}
