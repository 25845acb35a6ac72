#include "wire/media.h"

#include <math.h>

#include "base/rng.h"
#include "wire/testing/bytes.h"

static const struct header_case {
    const char *name, *hex;
    wzp_err want;
    size_t want_offset;
    uint64_t want_got;
} header_cases[] = {
    {"first packet of a call", "02 00 00 00 00 00 00000000 00000000 0000", WZP_OK, 0, 0},
    {"all counters at their maximum", "02 f0 01 0c ff ff ffffffff ffffffff ffff", WZP_OK, 0, 0},
    {"reserved flag bits", "02 0f 00 00 00 00 0000000a 000000c8 0000", WZP_OK, 0, 0},
    {"type and codec disagree", "02 00 01 00 00 00 00000005 00000005 0000", WZP_OK, 0, 0},
    {"empty datagram", "", WZP_ERR_TRUNCATED, 0, 0},
    {"one byte short", "02 00 00 00 00 00 00000001 00000014 00", WZP_ERR_TRUNCATED, 0, 15},
    {"short and of version 1: length is checked first", "01 00 00 00 00 00 00000001 00000014 00",
     WZP_ERR_TRUNCATED, 0, 15},
    {"version 1", "01 00 00 00 00 00 00000001 00000014 0000", WZP_ERR_VERSION, 0, 1},
    {"all bad: version is checked first", "03 00 ff ff 00 00 00000001 00000014 0000",
     WZP_ERR_VERSION, 0, 3},
    {"type 4", "02 00 04 00 00 00 00000001 00000014 0000", WZP_ERR_MEDIA_TYPE, 2, 4},
    {"type and codec bad: type is checked first", "02 00 ff ff 00 00 00000001 00000014 0000",
     WZP_ERR_MEDIA_TYPE, 2, 255},
    {"codec 10 is reserved", "02 00 00 0a 00 00 00000001 00000014 0000", WZP_ERR_CODEC, 3, 10},
    {"codec 13 is reserved", "02 00 00 0d 00 00 00000001 00000014 0000", WZP_ERR_CODEC, 3, 13},
    {"codec 255", "02 00 00 ff 00 00 00000001 00000014 0000", WZP_ERR_CODEC, 3, 255},
};

START_TEST(header) {
    const struct header_case *c = &header_cases[_i];
    uint8_t buf[64];
    uint8_t out[WZP_MEDIA_HDR_LEN];
    const wzp_bytes input = unhex(buf, sizeof buf, c->hex);
    wzp_rd rd;
    wzp_rd_init(&rd, input);
    wzp_media_hdr hdr;
    const wzp_err got = wzp_media_hdr_parse(&hdr, &rd);
    ck_assert_msg(got == c->want, "%s: got %s", c->name, wzp_err_name(got));
    if (got != WZP_OK) {
        ck_assert_msg(rd.fail.offset == c->want_offset, "%s: at %zu", c->name, rd.fail.offset);
        ck_assert_uint_eq(rd.fail.got, c->want_got);
        return;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_media_hdr_write(&wr, &hdr);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), input);
}
END_TEST

START_TEST(header_fields_are_where_the_figure_says) {
    uint8_t buf[16];
    wzp_rd rd;
    wzp_media_hdr hdr;
    wzp_rd_init(&rd, unhex(buf, sizeof buf, "02 81 01 0c 13 20 01020304 05060708 090a"));
    ck_assert(wzp_media_hdr_parse(&hdr, &rd) == WZP_OK);
    ck_assert_uint_eq(hdr.version, 2);
    ck_assert_uint_eq(hdr.flags, WZP_MEDIA_REPAIR | 0x01);
    ck_assert_uint_eq(hdr.media_type, WZP_MEDIA_VIDEO);
    ck_assert_uint_eq(hdr.codec_id, WZP_CODEC_AV1_MAIN);
    ck_assert_uint_eq(hdr.stream_id, 0x13);
    ck_assert_uint_eq(hdr.fec_ratio, 0x20);
    ck_assert_uint_eq(hdr.seq, 0x01020304);
    ck_assert_uint_eq(hdr.timestamp_ms, 0x05060708);
    ck_assert_uint_eq(hdr.fec_block, 0x090a);
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
}
END_TEST

START_TEST(every_type_and_codec) {
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned codec = 0; codec < 256; codec++) {
            const uint8_t raw[16] = {2, 0, (uint8_t)type, (uint8_t)codec};
            const wzp_err want = type > 3                    ? WZP_ERR_MEDIA_TYPE
                                 : codec == 10 || codec > 12 ? WZP_ERR_CODEC
                                                             : WZP_OK;
            wzp_rd rd;
            wzp_media_hdr hdr;
            wzp_rd_init(&rd, wzp_bytes_of(raw, sizeof raw));
            ck_assert(wzp_media_hdr_parse(&hdr, &rd) == want);
            ck_assert((wzp_codec_find((uint8_t)codec) != NULL) == (codec != 10 && codec <= 12));
        }
        ck_assert((wzp_media_type_name((uint8_t)type) != NULL) == (type < 4));
    }
}
END_TEST

static const struct packet_case {
    const char *name, *hex;
    size_t want_offset, payload_len;
    wzp_err want;
    wzp_quality_report report;
} packet_cases[] = {
    {"header only", "02000000000000000001000000140000", 0, 0, WZP_OK, {0}},
    {"payload", "02000000000000000001000000140000 010203", 0, 3, WZP_OK, {0}},
    {"payload and report",
     "02400002002000000064000007d00001 7465737420617564696f 194b0a64",
     0,
     10,
     WZP_OK,
     {25, 75, 10, 100}},
    {"report only", "02400000000000000002000000280000 01020304", 0, 0, WZP_OK, {1, 2, 3, 4}},
    {"Q without bytes", "02400000000000000001000000140000", 16, 0, WZP_ERR_QUALITY_TRUNCATED, {0}},
    {"Q with three bytes",
     "02400000000000000001000000140000 010203",
     16,
     0,
     WZP_ERR_QUALITY_TRUNCATED,
     {0}},
    {"FULL frame on the plain path",
     "0002000000000000000001000000140000 616263",
     0,
     0,
     WZP_ERR_VERSION,
     {0}},
    {"short MINI frame on the plain path", "010100140003 616263", 0, 0, WZP_ERR_TRUNCATED, {0}},
};

START_TEST(packet) {
    const struct packet_case *c = &packet_cases[_i];
    uint8_t buf[64];
    uint8_t out[64];
    const wzp_bytes input = unhex(buf, sizeof buf, c->hex);
    wzp_media_packet got;
    wzp_fail fail = {0};
    const wzp_err err = wzp_media_packet_parse(&got, input, &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: at %zu", c->name, fail.offset);
    if (err != WZP_OK) {
        ck_assert_ptr_nonnull(fail.field);
        ck_assert(wzp_media_packet_parse(&got, input, NULL) == err);
        return;
    }
    ck_assert_uint_eq(got.payload.len, c->payload_len);
    ck_assert_mem_eq(&got.report, &c->report, sizeof got.report);
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_media_packet_write(&wr, &got);
    CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), input);
}
END_TEST

START_TEST(every_prefix) {
    uint8_t buf[64];
    const wzp_bytes whole =
        unhex(buf, sizeof buf, "02400002002000000064000007d00001 746573740102 194b0a64");
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *cut = exact(whole.data, len);
        wzp_media_packet got;
        const wzp_err want = len < 16   ? WZP_ERR_TRUNCATED
                             : len < 20 ? WZP_ERR_QUALITY_TRUNCATED
                                        : WZP_OK;
        ck_assert(wzp_media_packet_parse(&got, wzp_bytes_of(cut, len), NULL) == want);
        free(cut);
    }
}
END_TEST

/* Whatever parses is written back byte for byte. */
START_TEST(random_datagrams) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "media_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    unsigned accepted = 0;
    for (int i = 0; i < 20000; i++) {
        uint8_t raw[40];
        uint8_t out[40];
        const size_t len = (size_t)wzp_rng_below(rng, sizeof raw + 1);
        wzp_rng_fill(rng, raw, sizeof raw);
        raw[0] = wzp_rng_below(rng, 8) != 0 ? 2 : raw[0];
        raw[2] &= wzp_rng_below(rng, 8) != 0 ? 3 : 0xff;
        raw[3] &= 15;
        uint8_t *copy = exact(raw, len);
        wzp_media_packet got;
        if (wzp_media_packet_parse(&got, wzp_bytes_of(copy, len), NULL) == WZP_OK) {
            wzp_wr wr;
            wzp_wr_init(&wr, out, sizeof out);
            wzp_media_packet_write(&wr, &got);
            CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), wzp_bytes_of(raw, len));
            accepted++;
        }
        free(copy);
    }
    ck_assert_uint_gt(accepted, 5000);
}
END_TEST

START_TEST(report_from_path) {
    static const struct {
        double loss;
        uint32_t rtt, jitter;
        wzp_quality_report want;
    } cases[] = {
        {0.0, 0, 0, {0, 0, 0, 200}},
        {10.0, 100, 20, {25, 25, 20, 200}},
        {100.0, 2000, 300, {255, 255, 255, 200}},
        {5.0, 300, 5, {12, 75, 5, 200}},
        {-3.0, 3, 1, {0, 0, 1, 200}},
        {1e30, 1, 0, {255, 0, 0, 200}},
        {NAN, UINT32_MAX, UINT32_MAX, {0, 255, 255, 200}},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        const wzp_quality_report got =
            wzp_quality_report_from_path(cases[i].loss, cases[i].rtt, cases[i].jitter);
        ck_assert_mem_eq(&got, &cases[i].want, sizeof got);
    }
}
END_TEST

START_TEST(fec_ratio) {
    static const struct {
        double ratio;
        uint8_t want;
    } cases[] = {{0.0, 0},   {0.2, 20},  {0.42, 42},  {1.0, 100}, {2.0, 200},
                 {2.5, 250}, {3.0, 255}, {-1.0, 0},   {NAN, 0},   {INFINITY, 255},
                 {0.005, 1}, {0.004, 0}, {2.549, 255}};
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        ck_assert_msg(wzp_fec_ratio_encode(cases[i].ratio) == cases[i].want, "%f", cases[i].ratio);
    }
}
END_TEST

START_TEST(sequence_order_wraps) {
    ck_assert(wzp_seq_newer(1, 0));
    ck_assert(wzp_seq_newer(0, UINT32_MAX));
    ck_assert(!wzp_seq_newer(UINT32_MAX, 0));
    ck_assert(!wzp_seq_newer(7, 7));
    ck_assert(wzp_seq_newer(UINT32_C(0x7fffffff), 0));
    ck_assert(!wzp_seq_newer(UINT32_C(0x80000000), 0));
}
END_TEST

START_TEST(codec_names) {
    for (unsigned id = 0; id < WZP_CODEC_COUNT; id++) {
        const wzp_codec_info *info = wzp_codec_find((uint8_t)id);
        if (info != NULL) {
            ck_assert_int_eq(wzp_codec_by_name(wzp_bytes_str(info->name)), (int)id);
            ck_assert_int_le(info->is_opus + info->is_codec2 + info->is_video, 1);
        }
    }
    ck_assert_int_eq(wzp_codec_by_name(wzp_bytes_str("opus24k")), -1);
    ck_assert_int_eq(wzp_codec_by_name(wzp_bytes_str("Opus24")), -1);
    ck_assert_int_eq(wzp_codec_by_name(wzp_bytes_str("")), -1);
    ck_assert_uint_eq(wzp_codec_find(WZP_CODEC_OPUS_6K)->frame_ms, 40);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("media");
    tcase_add_loop_test(tc, header, 0, WZP_COUNT_OF(header_cases));
    tcase_add_test(tc, header_fields_are_where_the_figure_says);
    tcase_add_test(tc, every_type_and_codec);
    tcase_add_loop_test(tc, packet, 0, WZP_COUNT_OF(packet_cases));
    tcase_add_test(tc, every_prefix);
    tcase_add_test(tc, random_datagrams);
    tcase_add_test(tc, report_from_path);
    tcase_add_test(tc, fec_ratio);
    tcase_add_test(tc, sequence_order_wraps);
    tcase_add_test(tc, codec_names);
    return wzp_run_suite("media", tc);
}
