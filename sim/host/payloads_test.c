#include "sim/host/payloads.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "media/opus.h"
#include "sim/host/speech.h"

static const wzp_sim_speech sample = {
    .sender = 7, .number = 42, .slots = 1, .end = UINT32_MAX, .sent = 1234567};

static const struct text_case {
    const char *name, *text;
    wzp_err want;
    const char *field; /* of the failure */
    uint64_t line;
    size_t count, frame_ms;
} text_cases[] = {
    {"one packet of 20 ms", "48 \n", WZP_OK, NULL, 0, 1, 20},
    {"without a last line end", "48", WZP_OK, NULL, 0, 1, 20},
    {"comments and empty lines", "# said\r\n\n48aabb # first\r\n  48cc\n", WZP_OK, NULL, 0, 2, 20},
    {"40 ms", "10ab\n", WZP_OK, NULL, 0, 1, 40},
    {"10 ms hybrid, twice: 20 ms", "61ab\n", WZP_OK, NULL, 0, 1, 20},
    {"CELT, 2.5 ms eight times", "e308\n", WZP_OK, NULL, 0, 1, 20},
    {"nothing", "", WZP_ERR_PARSE, "no packet", 0, 0, 0},
    {"only comments", "# a\n# b\n", WZP_ERR_PARSE, "no packet", 2, 0, 0},
    {"not hexadecimal", "48\n4x\n", WZP_ERR_PARSE, "not hexadecimal", 2, 0, 0},
    {"half a byte", "48\n\n483\n", WZP_ERR_PARSE, "not hexadecimal", 3, 0, 0},
    {"another duration", "48\n10\n", WZP_ERR_PARSE, "another duration than the first packet", 2, 0,
     0},
    {"code 3 without a count", "4b\n", WZP_ERR_PARSE, "not an Opus packet", 1, 0, 0},
    {"code 3 with no frame", "4b00\n", WZP_ERR_PARSE, "not an Opus packet", 1, 0, 0},
    {"longer than 120 ms", "4b07\n", WZP_ERR_PARSE, "not an Opus packet", 1, 0, 0},
    {"more padding than bytes", "4b410500\n", WZP_ERR_PARSE, "not an Opus packet", 1, 0, 0},
    {"padding without its end", "4b41ff\n", WZP_ERR_PARSE, "not an Opus packet", 1, 0, 0},
};

START_TEST(texts) {
    const struct text_case *c = &text_cases[_i];
    wzp_sim_payloads *p = NULL;
    wzp_fail fail;
    const wzp_err got = wzp_sim_payloads_parse(&p, wzp_bytes_str(c->text), &fail);
    ck_assert_msg(got == c->want, "%s: %s", c->name, wzp_err_name(got));
    if (got == WZP_OK) {
        ck_assert_uint_eq(wzp_sim_payloads_count(p), c->count);
        ck_assert_uint_eq(wzp_sim_payloads_frame_ms(p), c->frame_ms);
    } else {
        ck_assert_msg(strcmp(fail.field, c->field) == 0, "%s: %s", c->name, fail.field);
        ck_assert_uint_eq(fail.got, c->line);
    }
    wzp_sim_payloads_free(&p);
}
END_TEST

START_TEST(too_long_with_a_tag) {
    static const struct {
        size_t len;
        wzp_err want;
    } cases[] = {{478, WZP_OK}, {479, WZP_ERR_OVERFLOW}, {513, WZP_ERR_OVERFLOW}};
    uint8_t packet[513] = {0x48};
    char text[2 * sizeof packet + 1];
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        wzp_sim_payloads *p = NULL;
        wzp_fail fail;
        wzp_hex_write(text, wzp_bytes_of(packet, cases[i].len));
        ck_assert_msg(wzp_sim_payloads_parse(&p, wzp_bytes_str(text), &fail) == cases[i].want,
                      "%zu bytes", cases[i].len);
        wzp_sim_payloads_free(&p);
    }
}
END_TEST

/* How a packet looks afterwards: "T" stands for the tag, which is zeros. */
static const struct shape_case {
    const char *name, *packet, *want;
} shape_cases[] = {
    {"code 0", "48aabb", "4b4120aabbf11eT"},
    {"code 0 without a frame", "48", "4b4120f11eT"},
    {"code 1", "69aabb", "6b4220aabbf11eT"},
    {"code 2", "6a01aabbcc", "6bc22001aabbccf11eT"},
    {"code 3", "4b01aabb", "4b4120aabbf11eT"},
    {"code 3 with padding", "4b4102aabb0102", "4b4122aabbf11eT0102"},
    {"code 3 with empty padding", "4b4100aabb", "4b4120aabbf11eT"},
};

START_TEST(shapes) {
    const struct shape_case *c = &shape_cases[_i];
    char want[256];
    char got[256];
    wzp_sim_payloads *p = NULL;
    wzp_fail fail;
    const char *tag = strchr(c->want, 'T');
    (void)snprintf(want, sizeof want, "%.*s%060d%s", (int)(tag - c->want), c->want, 0, tag + 1);
    ck_assert(wzp_sim_payloads_parse(&p, wzp_bytes_str(c->packet), &fail) == WZP_OK);
    const wzp_sim_payload payload = wzp_sim_payloads_at(p, 5);
    ck_assert_msg(strcmp(wzp_hex_write(got, payload.packet), want) == 0, "%s: %s", c->name, got);
    ck_assert_uint_eq(payload.tag_at, (size_t)(tag - c->want) / 2);
    ck_assert_uint_eq(wzp_sim_payload_tag_at(payload.packet), payload.tag_at);
    wzp_sim_payloads_free(&p);
}
END_TEST

/* Padding of 254 bytes and more has a length of several bytes (RFC 6716, 3.2.5). */
START_TEST(long_padding) {
    static const size_t paddings[] = {0, 221, 222, 223, 253, 254, 255, 300, 400};
    uint8_t packet[512];
    char text[2 * sizeof packet + 1];
    for (size_t i = 0; i < WZP_COUNT_OF(paddings); i++) {
        const size_t padding = paddings[i];
        size_t n = 2;
        wzp_sim_payloads *p = NULL;
        wzp_fail fail;
        memset(packet, 0xee, sizeof packet);
        packet[0] = 0x4b;
        packet[1] = 0x41;
        size_t left = padding;
        for (; left >= 255; left -= 254) {
            packet[n++] = 255;
        }
        packet[n++] = (uint8_t)left;
        packet[n] = 0xaa; /* the frame */
        wzp_hex_write(text, wzp_bytes_of(packet, n + 1 + padding));
        ck_assert(wzp_sim_payloads_parse(&p, wzp_bytes_str(text), &fail) == WZP_OK);
        const wzp_bytes out = wzp_sim_payloads_at(p, 0).packet;
        ck_assert_uint_eq(wzp_sim_payload_tag_at(out), out.len - padding - WZP_SIM_TAG_LEN);
        wzp_sim_payloads_free(&p);
    }
}
END_TEST

/* --- with the codec --------------------------------------------------------------------------- */

enum { FRAMES = 40 };

/* A voice of sorts: a buzz whose pitch and loudness change. */
static void hum(int16_t *pcm, size_t samples, size_t frame) {
    for (size_t i = 0; i < samples; i++) {
        const size_t t = frame * samples + i;
        const int saw = (int)(t % (200 + frame % 7 * 30)) * 80 - 8000;
        pcm[i] = (int16_t)(saw * (int)(2 + frame % 5) / 8);
    }
}

/* Encoded frames as text; and as packets one after the other, each with its length before it. */
static void encode(uint8_t codec, char *text, uint8_t packets[FRAMES][512], size_t lens[FRAMES]) {
    int16_t pcm[WZP_OPUS_MAX_FRAME_SAMPLES];
    const size_t samples = wzp_opus_frame_samples(codec);
    wzp_opus_enc *enc = NULL;
    ck_assert(wzp_opus_enc_new(&enc, codec) == WZP_OK);
    *text = '\0';
    for (size_t f = 0; f < FRAMES; f++) {
        hum(pcm, samples, f);
        ck_assert(wzp_opus_enc_frame(enc, pcm, samples, packets[f], &lens[f]) == WZP_OK);
        wzp_hex_write(text, wzp_bytes_of(packets[f], lens[f]));
        text += strlen(text);
        *text++ = '\n';
    }
    *text = '\0';
    wzp_opus_enc_free(&enc);
}

static const uint8_t codecs[] = {WZP_CODEC_OPUS_24K, WZP_CODEC_OPUS_16K, WZP_CODEC_OPUS_6K,
                                 WZP_CODEC_OPUS_32K, WZP_CODEC_OPUS_48K, WZP_CODEC_OPUS_64K};

START_TEST(the_sound_stays_the_same) {
    static char text[FRAMES * 1030];
    static uint8_t packets[FRAMES][512];
    static int16_t want[WZP_OPUS_FRAME_MAX];
    static int16_t got[WZP_OPUS_FRAME_MAX];
    size_t lens[FRAMES];
    wzp_opus_dec *plain = NULL;
    wzp_opus_dec *tagged = NULL;
    wzp_sim_payloads *p = NULL;
    wzp_fail fail;
    encode(codecs[_i], text, packets, lens);
    ck_assert(wzp_sim_payloads_parse(&p, wzp_bytes_str(text), &fail) == WZP_OK);
    ck_assert_uint_eq(wzp_sim_payloads_count(p), FRAMES);
    ck_assert(wzp_opus_dec_new(&plain) == WZP_OK && wzp_opus_dec_new(&tagged) == WZP_OK);
    for (size_t f = 0; f < FRAMES; f++) {
        uint8_t frame[WZP_OPUS_PACKET_MAX];
        wzp_sim_speech back;
        size_t n = 0;
        size_t m = 0;
        const wzp_sim_payload payload = wzp_sim_payloads_at(p, f);
        wzp_sim_speech_wrap(frame, payload, &sample);
        const wzp_bytes said = wzp_bytes_of(frame, payload.packet.len);
        ck_assert(wzp_opus_dec_frame(plain, wzp_bytes_of(packets[f], lens[f]), want,
                                     WZP_OPUS_FRAME_MAX, &n) == WZP_OK);
        ck_assert(wzp_opus_dec_frame(tagged, said, got, WZP_OPUS_FRAME_MAX, &m) == WZP_OK);
        ck_assert_uint_eq(n, m);
        ck_assert_mem_eq(want, got, n * sizeof *want);
        ck_assert_uint_le(said.len, lens[f] + WZP_SIM_TAG_COST);
        ck_assert(wzp_sim_speech_parse(&back, said));
        ck_assert_uint_eq(back.sender, sample.sender);
        ck_assert_uint_eq(back.sent, sample.sent);
    }
    wzp_opus_dec_free(&plain);
    wzp_opus_dec_free(&tagged);
    wzp_sim_payloads_free(&p);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_is_seen) {
    wzp_sim_payloads *p = NULL;
    wzp_fail fail;
    uint8_t frame[WZP_OPUS_PACKET_MAX];
    ck_assert(wzp_sim_payloads_parse(&p, wzp_bytes_str("4b4103aabbccdd1122f1"), &fail) == WZP_OK);
    const wzp_sim_payload payload = wzp_sim_payloads_at(p, 0);
    const size_t len = payload.packet.len;
    wzp_sim_speech back = {0};
    wzp_sim_speech_wrap(frame, payload, &sample);
    ck_assert(wzp_sim_speech_parse(&back, wzp_bytes_of(frame, len)));
    for (size_t bit = 0; bit < 8 * len; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!wzp_sim_speech_parse(&back, wzp_bytes_of(frame, len)), "bit %zu", bit);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert_msg(!wzp_sim_speech_parse(&back, wzp_bytes_of(frame, cut)), "cut to %zu", cut);
    }
    wzp_sim_payloads_free(&p);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("payloads");
    tcase_add_loop_test(tc, texts, 0, WZP_COUNT_OF(text_cases));
    tcase_add_test(tc, too_long_with_a_tag);
    tcase_add_loop_test(tc, shapes, 0, WZP_COUNT_OF(shape_cases));
    tcase_add_test(tc, long_padding);
    tcase_add_loop_test(tc, the_sound_stays_the_same, 0, WZP_COUNT_OF(codecs));
    tcase_add_test(tc, every_flipped_bit_and_every_cut_is_seen);
    return wzp_run_suite("sim_host.payloads", tc);
}
