#include "video/bitstream.h"

#include <check.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "wire/registry.h"

static uint8_t buf[256];

static wzp_bytes unhex(const char *hex) {
    const size_t len = strlen(hex) / 2;
    ck_assert_uint_le(len, sizeof buf);
    ck_assert_msg(wzp_hex_parse(buf, len, hex, 2 * len, NULL) == WZP_OK, "%s", hex);
    return wzp_bytes_of(buf, len);
}

static const struct nal_case {
    const char *name, *hex;
    const char *units[4];
} nal_cases[] = {
    {"nothing", "", {NULL}},
    {"no start code", "65010203", {NULL}},
    {"one, short code", "0000016501", {"6501"}},
    {"two, long codes", "000000016742000000016501", {"6742", "6501"}},
    {"zeros at the end are padding", "00000165010000", {"6501"}},
    {"an empty one", "000001000001aa", {"", "aa"}},
    {"code at the very end", "00000165000001", {"65", ""}},
    {"a code that is cut off", "000001650000", {"65"}},
};

START_TEST(nal_units) {
    const struct nal_case *c = &nal_cases[_i];
    const wzp_bytes in = unhex(c->hex);
    size_t at = 0;
    wzp_bytes nal;
    unsigned n = 0;
    while (wzp_nal_next(in, &at, &nal)) {
        char text[64];
        ck_assert_msg(c->units[n] != NULL, "%s: one too many", c->name);
        ck_assert_str_eq(wzp_hex_write(text, nal), c->units[n]);
        n++;
    }
    ck_assert_msg(c->units[n] == NULL, "%s: %u", c->name, n);
}
END_TEST

static const struct obu_case {
    const char *name, *hex;
    unsigned count;
    size_t left;
} obu_cases[] = {
    {"nothing", "", 0, 0},
    {"delimiter and frame", "12003202aabb", 2, 0},
    {"one without a size goes to the end", "30aabbcc", 1, 0},
    {"with an extension", "3620020000", 1, 0},
    {"extension byte is missing", "36", 0, 1},
    {"forbidden bit", "b200", 0, 2},
    {"size is missing", "32", 0, 1},
    {"size past the end", "3203aabb", 0, 4},
    {"size of nine bytes", "32ffffffffffffffffff00", 0, 11},
    {"the second one is cut", "12003205aa", 1, 3},
};

START_TEST(obus) {
    const struct obu_case *c = &obu_cases[_i];
    const wzp_bytes in = unhex(c->hex);
    size_t at = 0;
    wzp_obu obu;
    unsigned n = 0;
    while (wzp_obu_next(in, &at, &obu)) {
        n++;
    }
    ck_assert_msg(n == c->count, "%s: %u", c->name, n);
    ck_assert_msg(in.len - at == c->left, "%s: %zu left", c->name, in.len - at);
}
END_TEST

START_TEST(leb128_of_any_length) {
    for (unsigned bits = 0; bits < 56; bits++) {
        const uint64_t value = (UINT64_C(1) << bits) + bits;
        uint8_t out[8];
        const size_t len = wzp_leb128_write(value, out);
        uint64_t back = 0;
        size_t used = 0;
        ck_assert_int_eq(wzp_leb128_read(wzp_bytes_of(out, len), &back, &used), WZP_OK);
        ck_assert(back == value && used == len);
        for (size_t cut = 0; cut < len; cut++) {
            ck_assert_int_eq(wzp_leb128_read(wzp_bytes_of(out, cut), &back, &used),
                             WZP_ERR_TRUNCATED);
        }
    }
}
END_TEST

static const struct key_case {
    const char *name;
    uint8_t codec;
    const char *hex;
    bool is_key;
} key_cases[] = {
    {"H.264 IDR behind parameter sets", WZP_CODEC_H264_BASELINE,
     "000000016742c01e0000000168ce3c80000000016501", true},
    {"H.264 slice", WZP_CODEC_H264_BASELINE, "0000000141010203", false},
    {"H.265 CRA does not count", WZP_CODEC_H265_MAIN, "000000012a0102", false},
    {"H.265 unit of one byte", WZP_CODEC_H265_MAIN, "0000000126", false},
    {"AV1 key frame behind its sequence header", WZP_CODEC_AV1_MAIN, "12000a04aaaaaaaa320100",
     true},
    {"AV1 frame that is shown again", WZP_CODEC_AV1_MAIN, "1a0180", false},
    {"AV1 frame without bytes", WZP_CODEC_AV1_MAIN, "3200", false},
    {"sound", WZP_CODEC_OPUS_24K, "0000016501", false},
};

START_TEST(key_frames) {
    const struct key_case *c = &key_cases[_i];
    ck_assert_msg(wzp_video_is_key_frame(c->codec, unhex(c->hex)) == c->is_key, "%s", c->name);
}
END_TEST

START_TEST(start_codes) {
    ck_assert(wzp_annexb_starts(unhex("00000167")));
    ck_assert(wzp_annexb_starts(unhex("0000000167")));
    ck_assert(!wzp_annexb_starts(unhex("000000000167")));
    ck_assert(!wzp_annexb_starts(unhex("67000001")));
    ck_assert(!wzp_annexb_starts(unhex("0000")));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("bitstream");
    tcase_add_loop_test(tc, nal_units, 0, WZP_COUNT_OF(nal_cases));
    tcase_add_loop_test(tc, obus, 0, WZP_COUNT_OF(obu_cases));
    tcase_add_test(tc, leb128_of_any_length);
    tcase_add_loop_test(tc, key_frames, 0, WZP_COUNT_OF(key_cases));
    tcase_add_test(tc, start_codes);
    return wzp_run_suite("video.bitstream", tc);
}
