/* What the recorded frames are said to be, by the codecs and the code of the reference client. */
#include <check.h>

#include "base/testing/suite.h"
#include "conformance/cases/client/sounds.h"
#include "media/audio.h"
#include "media/codec2.h"
#include "media/repair.h"

START_TEST(frames_of_opus_can_be_played) {
    static const uint8_t codecs[] = {WZP_CODEC_OPUS_24K, WZP_CODEC_OPUS_6K};
    static int16_t pcm[WZP_OPUS_FRAME_MAX];
    wzp_opus_dec *dec = NULL;
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    for (uint32_t i = 0; i < 40; i++) {
        const uint8_t codec = codecs[i % 2];
        const wzp_bytes packet = wzp_ct_sound(codec, i / 2);
        size_t samples = 0;
        ck_assert_uint_eq(wzp_opus_dec_dred_reach(dec, packet), 0);
        ck_assert(wzp_opus_dec_frame(dec, packet, pcm, WZP_OPUS_FRAME_MAX, &samples) == WZP_OK);
        ck_assert_uint_eq(samples, wzp_opus_frame_samples(codec));
    }
    wzp_opus_dec_free(&dec);
}
END_TEST

START_TEST(only_known_dred_reaches_back) {
    enum { REACH = 4560 }; /* 95 ms */
    static int16_t pcm[WZP_OPUS_FRAME_MAX];
    uint8_t buf[WZP_CT_SOUND_MAX];
    wzp_opus_dec *dec = NULL;
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    for (uint32_t i = 0; i < 20; i++) {
        const wzp_bytes known = wzp_ct_sound_with_dred(i);
        const wzp_bytes strange = wzp_ct_sound_with_strange_dred(i, buf);
        size_t samples = 0;
        ck_assert_uint_eq(wzp_opus_dec_dred_reach(dec, known), wzp_opus_has_dred() ? REACH : 0);
        ck_assert_uint_eq(wzp_opus_dec_dred_reach(dec, strange), 0);
        ck_assert(!wzp_bytes_equal(known, strange));
        ck_assert(wzp_opus_dec_frame(dec, strange, pcm, WZP_OPUS_FRAME_MAX, &samples) == WZP_OK);
        ck_assert_uint_eq(samples, 960);
    }
    wzp_opus_dec_free(&dec);
}
END_TEST

static const struct block_case {
    uint8_t codec;
    uint32_t sources, repairs;
    size_t len;
} block_cases[] = {{WZP_CODEC_CODEC2_3200, WZP_CT_SOURCES_3200, WZP_CT_REPAIRS_3200, 8},
                   {WZP_CODEC_CODEC2_1200, WZP_CT_SOURCES_1200, WZP_CT_REPAIRS_1200, 6}};

START_TEST(symbols_are_those_of_the_block) {
    const struct block_case *c = &block_cases[_i];
    wzp_repair_out *out = NULL;
    wzp_media_packet packet;
    uint32_t seq = 0;
    ck_assert(wzp_repair_out_new(&out, false) == WZP_OK);
    for (uint32_t i = 0; i < c->sources; i++) {
        wzp_media_hdr hdr = {.version = 2, .codec_id = c->codec, .seq = seq++};
        ck_assert_uint_eq(wzp_ct_sound(c->codec, i).len, c->len);
        wzp_repair_out_source(out, &hdr, wzp_ct_sound(c->codec, i));
    }
    for (uint32_t i = 0; i < c->repairs; i++) {
        ck_assert(wzp_repair_out_next(out, &seq, &packet));
        ck_assert(wzp_bytes_equal(packet.payload, wzp_ct_sound_repair(c->codec, i)));
    }
    ck_assert(!wzp_repair_out_next(out, &seq, &packet));
    ck_assert(wzp_bytes_equal(wzp_ct_sound(c->codec, 0), wzp_ct_sound(c->codec, c->sources)));
    wzp_repair_out_free(&out);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("sounds");
    tcase_add_test(tc, frames_of_opus_can_be_played);
    tcase_add_test(tc, only_known_dred_reaches_back);
    tcase_add_loop_test(tc, symbols_are_those_of_the_block, 0, (int)WZP_COUNT_OF(block_cases));
    return wzp_run_suite("ct_cases.sounds", tc);
}
