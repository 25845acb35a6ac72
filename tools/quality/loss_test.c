#include "tools/quality/loss.h"

#include "base/testing/suite.h"
#include "media/audio.h"
#include "media/testing/voice.h"

enum { LEN = 12 * WZP_QUALITY_RATE_HZ };

static int16_t voice[LEN];

static wzp_loss_result run(wzp_loss_cfg cfg) {
    wzp_loss_result r;
    cfg.mean_burst = 3;
    wzp_voice_speak(voice, LEN);
    ck_assert(wzp_loss_run(&r, &cfg, voice, LEN) == WZP_OK);
    return r;
}

START_TEST(without_loss_nothing_is_concealed) {
    const wzp_loss_result r = run((wzp_loss_cfg){.codec = WZP_CODEC_OPUS_24K, .dred = true});
    ck_assert_uint_eq(r.frames, LEN / 960);
    ck_assert_uint_eq(r.lost, 0);
    ck_assert_uint_eq(r.rebuilt, 0);
    ck_assert_uint_eq(r.concealed, 0);
    ck_assert_uint_eq(r.longest_ms, 0);
    ck_assert_uint_eq(r.quality.delay_changes, 0);
    ck_assert_msg(r.quality.stoi > 0.95, "STOI %f", r.quality.stoi);
}
END_TEST

START_TEST(the_channel_loses_what_it_shall) {
    const wzp_loss_result a =
        run((wzp_loss_cfg){.codec = WZP_CODEC_OPUS_24K, .loss_ppm = 200000, .seed = 5});
    ck_assert_uint_gt(a.lost * 100 / a.frames, 13);
    ck_assert_uint_lt(a.lost * 100 / a.frames, 27);
    ck_assert_uint_ge(a.concealed, a.lost);
    const wzp_loss_result b =
        run((wzp_loss_cfg){.codec = WZP_CODEC_OPUS_24K, .loss_ppm = 200000, .seed = 5});
    ck_assert(a.quality.lsd_db == b.quality.lsd_db);
    ck_assert(a.quality.snr_seg_db == b.quality.snr_seg_db);
    ck_assert_uint_eq(a.concealed, b.concealed);
}
END_TEST

/* The reason why DRED is there: at 20 % loss in bursts most of what is missing comes back, no
 * gap is longer, and the spectrum is clearly closer to what was said. */
START_TEST(dred_beats_concealment_at_20_percent) {
    const uint64_t seed = (uint64_t)_i / 2 + 1;
    const bool adapts = _i % 2 == 0; /* the client's own buffer: it waits once it has seen bursts */
    const double nearer = adapts ? 0.82 : 0.8;
    const double clearer = adapts ? 0.01 : 0.03;
    if (!wzp_opus_has_dred()) {
        return;
    }
    wzp_loss_cfg cfg = {.codec = WZP_CODEC_OPUS_24K, .loss_ppm = 200000, .seed = seed};
    const wzp_loss_result plain = run(cfg);
    cfg.dred = cfg.tuned = true;
    cfg.playout_ms = adapts ? 0 : 160;
    const wzp_loss_result dred = run(cfg);
    ck_assert_uint_eq(plain.lost, dred.lost);
    ck_assert_uint_eq(plain.rebuilt, 0);
    ck_assert_msg(dred.concealed * 2 < plain.concealed, "%llu of %llu",
                  (unsigned long long)dred.concealed, (unsigned long long)plain.concealed);
    ck_assert_uint_le(dred.longest_ms, plain.longest_ms);
    ck_assert_msg(dred.quality.lsd_db < plain.quality.lsd_db * nearer, "LSD %f against %f",
                  dred.quality.lsd_db, plain.quality.lsd_db);
    ck_assert_msg(dred.quality.stoi > plain.quality.stoi + clearer, "STOI %f against %f",
                  dred.quality.stoi, plain.quality.stoi);
    ck_assert_msg(dred.quality.estoi > plain.quality.estoi + clearer, "ESTOI %f against %f",
                  dred.quality.estoi, plain.quality.estoi);
    ck_assert_msg(dred.quality.lsd_worst_db < plain.quality.lsd_worst_db * nearer,
                  "worst LSD %f against %f", dred.quality.lsd_worst_db, plain.quality.lsd_worst_db);
}
END_TEST

START_TEST(repair_packets_bring_codec2_back) {
    if (!wzp_audio_is_codec(WZP_CODEC_CODEC2_1200)) {
        return;
    }
    const uint8_t codec = _i == 0 ? WZP_CODEC_CODEC2_3200 : WZP_CODEC_CODEC2_1200;
    wzp_loss_cfg cfg = {.codec = codec, .loss_ppm = 100000, .seed = 3, .playout_ms = 400};
    const wzp_loss_result plain = run(cfg);
    cfg.fec = true;
    const wzp_loss_result fec = run(cfg);
    ck_assert_uint_eq(plain.rebuilt, 0);
    ck_assert_uint_gt(fec.lost, 0);
    ck_assert_uint_eq(fec.concealed, fec.lost - fec.rebuilt);
    ck_assert_msg(fec.rebuilt * 10 > fec.lost * 5, "%llu of %llu", (unsigned long long)fec.rebuilt,
                  (unsigned long long)fec.lost);
    ck_assert(fec.quality.lsd_db < plain.quality.lsd_db);
    ck_assert(fec.quality.stoi > plain.quality.stoi);
}
END_TEST

START_TEST(what_cannot_be_said) {
    wzp_loss_result r;
    const wzp_loss_cfg cfg = {.codec = WZP_CODEC_AV1_MAIN};
    ck_assert(wzp_loss_run(&r, &cfg, voice, LEN) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_loss_run(&r, &cfg, voice, 0) == WZP_ERR_INVALID_ARGUMENT);
    const wzp_loss_cfg opus = {.codec = WZP_CODEC_OPUS_24K, .fec = true};
    ck_assert(wzp_loss_run(&r, &opus, voice, LEN) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, without_loss_nothing_is_concealed);
    tcase_add_test(tc, the_channel_loses_what_it_shall);
    tcase_add_loop_test(tc, dred_beats_concealment_at_20_percent, 0, 6);
    tcase_add_loop_test(tc, repair_packets_bring_codec2_back, 0, 2);
    tcase_add_test(tc, what_cannot_be_said);
    return wzp_run_suite("loss", tc);
}
