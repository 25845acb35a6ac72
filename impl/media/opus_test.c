#include "media/opus.h"

#include "base/testing/suite.h"
#include "media/testing/allocs.h"
#include "media/testing/voice.h"

enum { SECONDS = 4, FRAMES_MAX = SECONDS * 50 };

typedef struct coded {
    size_t count, step;
    size_t len[FRAMES_MAX];
    uint8_t packet[FRAMES_MAX][WZP_OPUS_PACKET_MAX];
} coded;

static int16_t voice[SECONDS * WZP_OPUS_RATE_HZ];
static coded said;
static int16_t pcm[WZP_OPUS_FRAME_MAX];

static void speak(void) {
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
}

static void code(wzp_opus_enc *enc, uint8_t codec) {
    said.step = wzp_opus_frame_samples(codec);
    for (said.count = 0; (said.count + 1) * said.step <= WZP_COUNT_OF(voice); said.count++) {
        ck_assert(wzp_opus_enc_frame(enc, voice + said.count * said.step, said.step,
                                     said.packet[said.count], &said.len[said.count]) == WZP_OK);
    }
}

static void code_as(uint8_t codec) {
    wzp_opus_enc *enc = NULL;
    ck_assert(wzp_opus_enc_new(&enc, codec) == WZP_OK);
    code(enc, codec);
    wzp_opus_enc_free(&enc);
}

static wzp_bytes packet(size_t i) {
    return wzp_bytes_of(said.packet[i], said.len[i]);
}

static uint32_t ts(size_t i) {
    return (uint32_t)(i * said.step * 1000 / WZP_OPUS_RATE_HZ);
}

/* --- settings (media sheet 2.2) --------------------------------------------------------------- */

static const struct setting_case {
    uint8_t codec;
    int32_t bitrate_bps;
    uint16_t frame_samples;
    uint8_t dred_10ms;
} setting_cases[] = {
    {WZP_CODEC_OPUS_24K, 24000, 960, 20}, {WZP_CODEC_OPUS_16K, 16000, 960, 20},
    {WZP_CODEC_OPUS_6K, 6000, 1920, 104}, {WZP_CODEC_OPUS_32K, 32000, 960, 10},
    {WZP_CODEC_OPUS_48K, 48000, 960, 10}, {WZP_CODEC_OPUS_64K, 64000, 960, 10},
};

static void check_settings(const wzp_opus_enc *enc, const struct setting_case *c,
                           unsigned complexity) {
    wzp_opus_settings s;
    wzp_opus_enc_read(enc, &s);
    ck_assert_int_eq(s.sample_rate_hz, 48000);
    ck_assert(s.is_voip);
    ck_assert_int_eq(s.bitrate_bps, c->bitrate_bps);
    ck_assert(s.dtx);
    ck_assert(s.is_voice);
    ck_assert_uint_eq(s.complexity, complexity);
    ck_assert_uint_eq(s.inband_fec, 0);
    ck_assert_uint_eq(s.dred_10ms, wzp_opus_has_dred() ? c->dred_10ms : 0);
    ck_assert_uint_eq(s.loss_percent, 15);
    ck_assert(s.vbr);
    ck_assert(s.vbr_constrained);
    ck_assert(s.auto_bandwidth);
    ck_assert_uint_eq(s.frame_samples, c->frame_samples);
}

START_TEST(settings_are_the_deployed_ones) {
    const struct setting_case *c = &setting_cases[_i];
    wzp_opus_enc *enc = NULL;
    ck_assert(wzp_opus_enc_new(&enc, c->codec) == WZP_OK);
    check_settings(enc, c, 7);
    wzp_opus_enc_free(&enc);
}
END_TEST

START_TEST(another_codec_undoes_the_tuner_and_keeps_the_complexity) {
    const struct setting_case *c = &setting_cases[_i];
    wzp_opus_enc *enc = NULL;
    ck_assert(wzp_opus_enc_new(&enc, WZP_CODEC_OPUS_64K) == WZP_OK);
    wzp_opus_enc_set_complexity(enc, 3);
    wzp_opus_enc_tune(enc, 44, 70);
    ck_assert(wzp_opus_enc_set_codec(enc, WZP_CODEC_CODEC2_1200) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_opus_enc_set_codec(enc, c->codec) == WZP_OK);
    check_settings(enc, c, 3);
    wzp_opus_enc_free(&enc);
}
END_TEST

static const struct tune_case {
    const char *name;
    unsigned dred, loss, want_dred, want_loss;
    bool legacy;
} tune_cases[] = {
    {"as told", 44, 40, 44, 40, false},
    {"loss has a floor", 20, 3, 20, 15, false},
    {"loss has a ceiling", 20, 300, 20, 100, false},
    {"DRED has one", 400, 15, 104, 15, false},
    {"none at all", 0, 0, 0, 15, false},
    {"legacy: no floor, no DRED", 50, 3, 0, 3, true},
};

START_TEST(tuning) {
    const struct tune_case *c = &tune_cases[_i];
    wzp_opus_enc *enc = NULL;
    wzp_opus_settings s;
    ck_assert((c->legacy ? wzp_opus_enc_new_legacy_fec(&enc, WZP_CODEC_OPUS_24K)
                         : wzp_opus_enc_new(&enc, WZP_CODEC_OPUS_24K)) == WZP_OK);
    wzp_opus_enc_tune(enc, c->dred, c->loss);
    wzp_opus_enc_read(enc, &s);
    ck_assert_msg(s.loss_percent == c->want_loss, "%s: loss %u", c->name, s.loss_percent);
    ck_assert_msg(s.dred_10ms == (wzp_opus_has_dred() ? c->want_dred : 0), "%s: DRED %u", c->name,
                  s.dred_10ms);
    wzp_opus_enc_free(&enc);
}
END_TEST

START_TEST(legacy_fec_is_lbrr_without_dred) {
    wzp_opus_enc *enc = NULL;
    wzp_opus_settings s;
    ck_assert(wzp_opus_enc_new_legacy_fec(&enc, WZP_CODEC_OPUS_6K) == WZP_OK);
    ck_assert(wzp_opus_enc_set_codec(enc, WZP_CODEC_OPUS_24K) == WZP_OK);
    wzp_opus_enc_read(enc, &s);
    ck_assert_uint_eq(s.inband_fec, 1);
    ck_assert_uint_eq(s.dred_10ms, 0);
    ck_assert_uint_eq(s.loss_percent, 0);
    ck_assert_int_eq(s.bitrate_bps, 24000);
    wzp_opus_enc_free(&enc);
}
END_TEST

static const struct asked_case {
    const char *value;
    bool want;
} asked_cases[] = {{NULL, false},    {"", false},    {"0", false},  {"false", false},
                   {"FaLSE", false}, {"1", true},    {"no", true},  {"00", true},
                   {"false ", true}, {"fals", true}, {"\x10", true}};

START_TEST(legacy_fec_by_environment) {
    ck_assert(wzp_opus_legacy_fec_asked(asked_cases[_i].value) == asked_cases[_i].want);
}
END_TEST

/* --- how much DRED (media sheet 2.3) ---------------------------------------------------------- */

static const struct chunk_case {
    const char *name;
    uint8_t codec;
    unsigned dred_10ms, loss, want;
} chunk_cases[] = {
    {"24k", WZP_CODEC_OPUS_24K, 20, 15, 3},
    {"24k, more loss", WZP_CODEC_OPUS_24K, 20, 25, 5},
    {"24k, longest", WZP_CODEC_OPUS_24K, 50, 25, 5},
    {"16k", WZP_CODEC_OPUS_16K, 20, 15, 0},
    {"16k, more loss", WZP_CODEC_OPUS_16K, 20, 25, 0},
    {"16k, longest", WZP_CODEC_OPUS_16K, 50, 40, 0},
    {"6k", WZP_CODEC_OPUS_6K, 104, 15, 0},
    {"6k, longest", WZP_CODEC_OPUS_6K, 104, 40, 0},
    {"32k", WZP_CODEC_OPUS_32K, 10, 15, 3},
    {"32k, longest", WZP_CODEC_OPUS_32K, 30, 25, 6},
    {"32k, longest, little loss", WZP_CODEC_OPUS_32K, 30, 15, 4},
    {"48k", WZP_CODEC_OPUS_48K, 10, 15, 3},
    {"48k, longest", WZP_CODEC_OPUS_48K, 30, 25, 8},
    {"64k", WZP_CODEC_OPUS_64K, 10, 15, 3},
    {"64k, longest", WZP_CODEC_OPUS_64K, 30, 25, 8},
    {"no DRED", WZP_CODEC_OPUS_64K, 0, 25, 0},
};

START_TEST(dred_budget) {
    const struct chunk_case *c = &chunk_cases[_i];
    const unsigned got =
        wzp_opus_dred_chunks(wzp_codec_find(c->codec)->nominal_bps,
                             wzp_opus_frame_samples(c->codec), c->loss, c->dred_10ms);
    ck_assert_msg(got == c->want, "%s: %u chunks", c->name, got);
}
END_TEST

/* Once the encoder has a history and as long as somebody speaks, packets have what the budget
 * says; where somebody does not, libopus leaves chunks out. */
START_TEST(libopus_keeps_to_the_budget) {
    const struct chunk_case *c = &chunk_cases[_i];
    wzp_opus_enc *enc = NULL;
    wzp_opus_dec *dec = NULL;
    if (!wzp_opus_has_dred()) {
        return;
    }
    speak();
    ck_assert(wzp_opus_enc_new(&enc, c->codec) == WZP_OK);
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    wzp_opus_enc_tune(enc, c->dred_10ms, c->loss);
    code(enc, c->codec);
    unsigned most = 0;
    size_t with = 0;
    for (size_t i = said.count / 2; i < said.count; i++) {
        const size_t reach = wzp_opus_dec_dred_reach(dec, packet(i));
        const unsigned chunks = reach == 0 ? 0 : (unsigned)((reach + 1919) / 1920);
        most = chunks > most ? chunks : most;
        with += chunks == c->want ? 1 : 0;
    }
    ck_assert_msg(most <= c->want, "%s: up to %u chunks", c->name, most);
    ck_assert_msg(with * 2 >= said.count / 2, "%s: only %zu of %zu packets", c->name, with,
                  said.count / 2);
    wzp_opus_enc_free(&enc);
    wzp_opus_dec_free(&dec);
}
END_TEST

/* --- concealment (media sheet 3) -------------------------------------------------------------- */

static wzp_opus_dec *hear_until(size_t first_missing) {
    wzp_opus_dec *dec = NULL;
    size_t n = 0;
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    for (size_t i = 0; i < first_missing; i++) {
        wzp_opus_dec_arrive(dec, ts(i), packet(i));
        ck_assert(wzp_opus_dec_frame(dec, packet(i), pcm, WZP_OPUS_FRAME_MAX, &n) == WZP_OK);
    }
    return dec;
}

enum { GAP = 100 }; /* amid a vowel */

static const struct conceal_case {
    const char *name;
    uint8_t codec;
    unsigned limit;
    size_t missing, arrived[3]; /* relative to the gap; 0 ends */
    wzp_concealment want;
} conceal_cases[] = {
    {"the next one", WZP_CODEC_OPUS_24K, 128, 0, {1}, WZP_CONCEALED_BY_DRED},
    {"nothing after it", WZP_CODEC_OPUS_24K, 128, 0, {0}, WZP_CONCEALED_BY_PLC},
    {"four on", WZP_CODEC_OPUS_24K, 128, 0, {4}, WZP_CONCEALED_BY_DRED},
    {"five on: 100 ms are too far", WZP_CODEC_OPUS_24K, 128, 0, {5}, WZP_CONCEALED_BY_PLC},
    {"the limit allows it", WZP_CODEC_OPUS_24K, 3, 0, {3}, WZP_CONCEALED_BY_DRED},
    {"the limit does not", WZP_CODEC_OPUS_24K, 2, 0, {3}, WZP_CONCEALED_BY_PLC},
    {"no DRED wanted", WZP_CODEC_OPUS_24K, 0, 0, {1}, WZP_CONCEALED_BY_PLC},
    {"newest first", WZP_CODEC_OPUS_24K, 128, 0, {9, 3, 6}, WZP_CONCEALED_BY_DRED},
    {"the second of two", WZP_CODEC_OPUS_24K, 128, 1, {3}, WZP_CONCEALED_BY_DRED},
    {"32k", WZP_CODEC_OPUS_32K, 128, 0, {2}, WZP_CONCEALED_BY_DRED},
    {"64k", WZP_CODEC_OPUS_64K, 128, 0, {1}, WZP_CONCEALED_BY_DRED},
    {"16k has none", WZP_CODEC_OPUS_16K, 128, 0, {1}, WZP_CONCEALED_BY_PLC},
    {"6k has none", WZP_CODEC_OPUS_6K, 128, 0, {1}, WZP_CONCEALED_BY_PLC},
};

START_TEST(order_of_concealment) {
    const struct conceal_case *c = &conceal_cases[_i];
    const size_t gap = c->codec == WZP_CODEC_OPUS_6K ? GAP / 2 : GAP;
    speak();
    code_as(c->codec);
    wzp_opus_dec *dec = hear_until(gap);
    wzp_opus_dec_limit_dred(dec, c->limit);
    for (size_t i = 0; i < WZP_COUNT_OF(c->arrived) && c->arrived[i] != 0; i++) {
        wzp_opus_dec_arrive(dec, ts(gap + c->arrived[i]), packet(gap + c->arrived[i]));
    }
    const wzp_concealment want = wzp_opus_has_dred() ? c->want : WZP_CONCEALED_BY_PLC;
    const wzp_concealment got = wzp_opus_dec_recover(dec, ts(gap + c->missing), pcm, said.step);
    wzp_opus_counters counters;
    wzp_opus_dec_count(dec, &counters);
    ck_assert_msg(got == want, "%s: %d", c->name, (int)got);
    ck_assert_uint_eq(counters.decoded, gap);
    ck_assert_uint_eq(counters.dred_reconstructions, want == WZP_CONCEALED_BY_DRED ? 1 : 0);
    ck_assert_uint_eq(counters.classical_plc, want == WZP_CONCEALED_BY_PLC ? 1 : 0);
    wzp_opus_dec_free(&dec);
}
END_TEST

START_TEST(the_closest_packet_serves) {
    static int16_t alone[960];
    speak();
    code_as(WZP_CODEC_OPUS_24K);
    wzp_opus_dec *a = hear_until(GAP);
    wzp_opus_dec_arrive(a, ts(GAP + 1), packet(GAP + 1));
    (void)wzp_opus_dec_recover(a, ts(GAP), alone, said.step);
    wzp_opus_dec *b = hear_until(GAP);
    for (size_t i = 4; i >= 1; i--) {
        wzp_opus_dec_arrive(b, ts(GAP + i), packet(GAP + i));
    }
    (void)wzp_opus_dec_recover(b, ts(GAP), pcm, said.step);
    ck_assert(memcmp(alone, pcm, sizeof alone) == 0);
    wzp_opus_dec_free(&a);
    wzp_opus_dec_free(&b);
}
END_TEST

START_TEST(old_arrivals_make_room) {
    wzp_opus_counters counters;
    speak();
    code_as(WZP_CODEC_OPUS_24K);
    wzp_opus_dec *dec = hear_until(GAP);
    wzp_opus_dec_arrive(dec, ts(GAP + 1), packet(GAP + 1));
    for (size_t i = 0; i < WZP_OPUS_RING; i++) {
        wzp_opus_dec_arrive(dec, ts(GAP + 20 + i), packet(GAP + 20 + i));
    }
    (void)wzp_opus_dec_recover(dec, ts(GAP), pcm, said.step);
    wzp_opus_dec_arrive(dec, ts(GAP + 2), packet(GAP + 2));
    wzp_opus_dec_forget(dec);
    (void)wzp_opus_dec_recover(dec, ts(GAP + 1), pcm, said.step);
    wzp_opus_dec_count(dec, &counters);
    ck_assert_uint_eq(counters.classical_plc, 2);
    wzp_opus_dec_free(&dec);
}
END_TEST

/* The clock of a long call wraps amid a gap. */
START_TEST(the_clock_wraps) {
    speak();
    code_as(WZP_CODEC_OPUS_24K);
    wzp_opus_dec *dec = hear_until(GAP);
    wzp_opus_dec_forget(dec);
    wzp_opus_dec_arrive(dec, 20, packet(GAP + 2));
    const wzp_concealment got = wzp_opus_dec_recover(dec, UINT32_MAX - 19, pcm, said.step);
    ck_assert(got == (wzp_opus_has_dred() ? WZP_CONCEALED_BY_DRED : WZP_CONCEALED_BY_PLC));
    wzp_opus_dec_free(&dec);
}
END_TEST

START_TEST(inband_fec_of_the_next_packet) {
    wzp_opus_enc *enc = NULL;
    wzp_opus_counters counters;
    speak();
    ck_assert(wzp_opus_enc_new_legacy_fec(&enc, WZP_CODEC_OPUS_24K) == WZP_OK);
    wzp_opus_enc_tune(enc, 0, 30);
    code(enc, WZP_CODEC_OPUS_24K);
    wzp_opus_dec *dec = hear_until(GAP);
    wzp_opus_dec_arrive(dec, ts(GAP + 2), packet(GAP + 2));
    ck_assert(wzp_opus_dec_recover(dec, ts(GAP), pcm, said.step) == WZP_CONCEALED_BY_PLC);
    ck_assert(wzp_opus_dec_recover(dec, ts(GAP + 1), pcm, said.step) == WZP_CONCEALED_BY_FEC);
    wzp_opus_dec_count(dec, &counters);
    ck_assert_uint_eq(counters.inband_fec, 1);
    wzp_opus_enc_free(&enc);
    wzp_opus_dec_free(&dec);
}
END_TEST

START_TEST(what_is_no_packet_ends_in_silence) {
    static int16_t loud[WZP_OPUS_FRAME_MAX + 1];
    wzp_opus_dec *dec = NULL;
    wzp_opus_counters counters;
    size_t n = 0;
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    ck_assert(wzp_opus_dec_frame(dec, wzp_bytes_of(NULL, 0), pcm, 960, &n) == WZP_ERR_PARSE);
    ck_assert(wzp_opus_dec_frame(dec, wzp_bytes_str("\xff"), pcm, 960, &n) == WZP_ERR_PARSE);
    memset(loud, 1, sizeof loud);
    ck_assert(wzp_opus_dec_recover(dec, 0, loud, WZP_COUNT_OF(loud)) == WZP_CONCEALED_BY_SILENCE);
    for (size_t i = 0; i < WZP_COUNT_OF(loud); i++) {
        ck_assert_int_eq(loud[i], 0);
    }
    wzp_opus_dec_count(dec, &counters);
    ck_assert_uint_eq(counters.silent, 1);
    ck_assert_uint_eq(counters.undecodable, 2);
    wzp_opus_dec_free(&dec);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

START_TEST(nothing_is_allocated_after_creation) {
    wzp_opus_enc *enc = NULL;
    wzp_opus_dec *dec = NULL;
    uint8_t coded_frame[WZP_OPUS_PACKET_MAX];
    size_t len = 0;
    size_t n = 0;
    wzp_err err = WZP_OK;
    speak();
    wzp_allocs_seen = 0;
    ck_assert(wzp_opus_enc_new(&enc, WZP_CODEC_OPUS_24K) == WZP_OK);
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    ck_assert_uint_gt(wzp_allocs_seen, 2); /* libopus's too are seen */
    wzp_allocs_seen = 0;
    for (uint32_t i = 0; i < 100 && err == WZP_OK; i++) {
        err = wzp_opus_enc_frame(enc, voice + (size_t)960 * i, 960, coded_frame, &len);
        wzp_opus_dec_arrive(dec, 20 * i, wzp_bytes_of(coded_frame, len));
        if (i % 5 == 4) {
            (void)wzp_opus_dec_recover(dec, 20 * i - 20, pcm, 960);
            (void)wzp_opus_dec_recover(dec, 20 * i, pcm, 960);
        } else if (i % 5 != 3 && err == WZP_OK) {
            err = wzp_opus_dec_frame(dec, wzp_bytes_of(coded_frame, len), pcm, 960, &n);
        }
        if (i == 50) {
            err = wzp_opus_enc_set_codec(enc, WZP_CODEC_OPUS_64K);
            wzp_opus_enc_reset(enc);
        }
    }
    const size_t seen = wzp_allocs_seen;
    ck_assert(err == WZP_OK);
    ck_assert_uint_eq(seen, 0);
    wzp_opus_enc_free(&enc);
    wzp_opus_dec_free(&dec);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, settings_are_the_deployed_ones, 0, WZP_COUNT_OF(setting_cases));
    tcase_add_loop_test(tc, another_codec_undoes_the_tuner_and_keeps_the_complexity, 0,
                        WZP_COUNT_OF(setting_cases));
    tcase_add_loop_test(tc, tuning, 0, WZP_COUNT_OF(tune_cases));
    tcase_add_test(tc, legacy_fec_is_lbrr_without_dred);
    tcase_add_loop_test(tc, legacy_fec_by_environment, 0, WZP_COUNT_OF(asked_cases));
    tcase_add_loop_test(tc, dred_budget, 0, WZP_COUNT_OF(chunk_cases));
    tcase_add_loop_test(tc, libopus_keeps_to_the_budget, 0, WZP_COUNT_OF(chunk_cases));
    tcase_add_loop_test(tc, order_of_concealment, 0, WZP_COUNT_OF(conceal_cases));
    tcase_add_test(tc, the_closest_packet_serves);
    tcase_add_test(tc, old_arrivals_make_room);
    tcase_add_test(tc, the_clock_wraps);
    tcase_add_test(tc, inband_fec_of_the_next_packet);
    tcase_add_test(tc, what_is_no_packet_ends_in_silence);
    tcase_add_test(tc, nothing_is_allocated_after_creation);
    return wzp_run_suite("opus", tc);
}
