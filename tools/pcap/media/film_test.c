#include "tools/pcap/media/film.h"

#include <check.h>

#include "base/hex.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "video/slices.h"

static uint8_t file[1 << 16];
static size_t file_len;
static wzp_pcap_film *film;

static void sink(void *ctx, wzp_bytes bytes) {
    (void)ctx;
    ck_assert_uint_le(file_len + bytes.len, sizeof file);
    memcpy(file + file_len, bytes.data, bytes.len);
    file_len += bytes.len;
}

static void open_film(wzp_pcap_film_form form, uint8_t codec) {
    file_len = 0;
    ck_assert_int_eq(wzp_pcap_film_new(&film, form, codec, sink, NULL), WZP_OK);
}

static void tear_down(void) {
    wzp_pcap_film_free(&film);
    wzp_pcap_film_free(&film);
}

static wzp_bytes unhex(const char *hex) {
    static uint8_t buf[512];
    ck_assert_int_eq(wzp_hex_parse(buf, strlen(hex) / 2, hex, strlen(hex), NULL), WZP_OK);
    return wzp_bytes_of(buf, strlen(hex) / 2);
}

/* All slices of a frame. */
static void take(uint8_t codec, uint32_t timestamp_ms, bool is_key, const char *hex) {
    const wzp_video_frame_cfg cfg = {.codec = codec,
                                     .is_key = is_key,
                                     .timestamp_ms = timestamp_ms,
                                     .frame = unhex(hex),
                                     .slice_len = 3};
    wzp_video_slices slices;
    uint32_t seq = timestamp_ms * 100;
    wzp_media_packet packet;
    ck_assert_int_eq(wzp_video_slices_init(&slices, &cfg), WZP_OK);
    while (wzp_video_slices_next(&slices, &seq, &packet)) {
        wzp_pcap_film_take(film, &packet);
    }
}

static void assert_file(const char *hex) {
    char text[2 * 512 + 1];
    ck_assert_uint_le(file_len, 512);
    ck_assert_str_eq(wzp_hex_write(text, wzp_bytes_of(file, file_len)), hex);
}

START_TEST(frames_in_order_of_their_time) {
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_H264_BASELINE);
    take(WZP_CODEC_H264_BASELINE, 66, false, "0000000141aa");
    take(WZP_CODEC_H264_BASELINE, 33, true, "0000000165bb");
    take(WZP_CODEC_H264_BASELINE, 99, false, "00000141cc");
    wzp_pcap_film_end(film);
    assert_file("0000000165bb"
                "0000000141aa"
                "00000141cc");
    ck_assert_uint_eq(wzp_pcap_film_count(film)->written, 3);
}
END_TEST

START_TEST(nothing_before_a_key_frame) {
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_H265_MAIN);
    take(WZP_CODEC_H265_MAIN, 1, false, "00000001020102");
    take(WZP_CODEC_H265_MAIN, 2, false, "00000001260102"); /* not said by the flag, but seen */
    take(WZP_CODEC_H265_MAIN, 3, false, "00000001020103");
    wzp_pcap_film_end(film);
    assert_file("00000001260102"
                "00000001020103");
    ck_assert_uint_eq(wzp_pcap_film_count(film)->before_key, 1);
}
END_TEST

START_TEST(what_a_player_needs_is_added) {
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_AV1_MAIN);
    take(WZP_CODEC_AV1_MAIN, 1, true, "0a04aaaaaaaa320100");
    take(WZP_CODEC_AV1_MAIN, 2, false, "120032014c");
    wzp_pcap_film_end(film);
    assert_file("1200"
                "0a04aaaaaaaa320100"
                "120032014c");
    tear_down();
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_H264_BASELINE);
    take(WZP_CODEC_H264_BASELINE, 1, true, "65bb");
    wzp_pcap_film_end(film);
    assert_file("0000000165bb");
}
END_TEST

START_TEST(ivf) {
    open_film(WZP_PCAP_FILM_IVF, WZP_CODEC_AV1_MAIN);
    take(WZP_CODEC_AV1_MAIN, 5000, true, "575a5631028001e0320100");
    take(WZP_CODEC_AV1_MAIN, 5033, false, "120032014c");
    wzp_pcap_film_end(film);
    assert_file("444b4946000020004156303180" /* DKIF, version 0, head of 32 bytes, AV01 */
                "02e001e8030000010000000000000000000000"
                "050000000000000000000000"
                "1200320100"
                "050000002100000000000000"
                "120032014c");
}
END_TEST

START_TEST(a_frame_with_a_hole_is_left_out) {
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_H264_BASELINE);
    take(WZP_CODEC_H264_BASELINE, 1, true, "0000000165bb");
    const wzp_media_packet half = {.hdr = {.version = 2,
                                           .media_type = WZP_MEDIA_VIDEO,
                                           .codec_id = WZP_CODEC_H264_BASELINE,
                                           .timestamp_ms = 2,
                                           .fec_block = 0x0002},
                                   .payload = wzp_bytes_str("abc")};
    wzp_pcap_film_take(film, &half);
    take(WZP_CODEC_H264_BASELINE, 3000, false, "0000000141");
    wzp_pcap_film_end(film);
    assert_file("0000000165bb0000000141");
    ck_assert_uint_eq(wzp_pcap_film_frames(film)->given_up, 1);
}
END_TEST

START_TEST(a_sender_that_starts_anew) {
    open_film(WZP_PCAP_FILM_IVF, WZP_CODEC_H264_BASELINE);
    take(WZP_CODEC_H264_BASELINE, 50000, true, "0000000165");
    take(WZP_CODEC_H264_BASELINE, 50033, false, "0000000141");
    take(WZP_CODEC_H264_BASELINE, 7, true, "0000000165");
    take(WZP_CODEC_H264_BASELINE, 40, false, "0000000141");
    wzp_pcap_film_end(film);
    const wzp_pcap_film_counters *count = wzp_pcap_film_count(film);
    ck_assert_uint_eq(count->written, 4);
    ck_assert_uint_eq(count->restarts, 1);
    ck_assert_uint_eq(file_len, 32 + 4 * (12 + 5));
    const uint8_t times[] = {0, 33, 34, 67};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(file[32 + i * 17 + 4], times[i]);
    }
}
END_TEST

START_TEST(another_codec_is_another_film) {
    open_film(WZP_PCAP_FILM_RAW, WZP_CODEC_AV1_MAIN);
    take(WZP_CODEC_H264_BASELINE, 1, true, "0000000165bb");
    ck_assert_uint_eq(wzp_pcap_film_count(film)->refused, 2);
    wzp_pcap_film *none = NULL;
    ck_assert_int_eq(wzp_pcap_film_new(&none, WZP_PCAP_FILM_RAW, WZP_CODEC_OPUS_24K, sink, NULL),
                     WZP_ERR_CODEC);
    ck_assert(wzp_pcap_film_ending(WZP_PCAP_FILM_RAW, WZP_CODEC_OPUS_24K) == NULL);
    ck_assert_str_eq(wzp_pcap_film_ending(WZP_PCAP_FILM_RAW, WZP_CODEC_AV1_MAIN), "obu");
    ck_assert_str_eq(wzp_pcap_film_ending(WZP_PCAP_FILM_IVF, WZP_CODEC_H265_MAIN), "ivf");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("film");
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_test(tc, frames_in_order_of_their_time);
    tcase_add_test(tc, nothing_before_a_key_frame);
    tcase_add_test(tc, what_a_player_needs_is_added);
    tcase_add_test(tc, ivf);
    tcase_add_test(tc, a_frame_with_a_hole_is_left_out);
    tcase_add_test(tc, a_sender_that_starts_anew);
    tcase_add_test(tc, another_codec_is_another_film);
    return wzp_run_suite("pcap_media.film", tc);
}
