#include <math.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/jbuf.h"
#include "media/opus.h"
#include "media/tracks.h"

static wzp_media_hdr frame(uint32_t seq, uint32_t ts) {
    return (wzp_media_hdr){.version = 2, .seq = seq, .timestamp_ms = ts};
}

static void push(wzp_jbuf *jb, uint32_t seq, uint32_t ts, wzp_time now) {
    const wzp_media_hdr hdr = frame(seq, ts);
    const uint8_t payload[] = {(uint8_t)seq};
    wzp_jbuf_push(jb, &hdr, wzp_bytes_of(payload, 1), now);
}

/* Plays until `until` and writes what came: the frame's byte, '.' concealed, '_' pause. */
static void play(wzp_jbuf *jb, wzp_time until, char *out, size_t cap) {
    size_t used = strlen(out);
    wzp_jbuf_out o;
    for (;;) {
        const wzp_time due = wzp_jbuf_deadline(jb);
        if (due > until || used + 1 >= cap || !wzp_jbuf_pop(jb, due, &o)) {
            break;
        }
        const int letter = o.kind == WZP_JBUF_FRAME ? 'a' + o.payload.data[0] : '.';
        out[used++] = (char)(o.kind == WZP_JBUF_PAUSE ? '_' : letter);
    }
    out[used] = '\0';
}

static const struct jbuf_case {
    const char *name;
    struct {
        uint32_t seq, ts;
        uint32_t at_ms;
    } packets[8];
    size_t count;
    const char *want; /* until 300 ms */
} jbuf_cases[] = {
    {"in order", {{0, 0, 0}, {1, 20, 20}, {2, 40, 40}}, 3, "abc........."},
    {"swapped", {{0, 0, 0}, {2, 40, 20}, {1, 20, 40}}, 3, "abc........."},
    {"duplicate", {{0, 0, 0}, {0, 0, 1}, {1, 20, 20}}, 3, "ab.........."},
    {"one lost", {{0, 0, 0}, {2, 40, 40}, {3, 60, 60}}, 3, "a.cd........"},
    {"late is ignored", {{0, 0, 0}, {1, 20, 20}, {3, 60, 60}, {2, 40, 110}}, 4, "ab.d........"},
    {"late with nothing in its place", {{0, 0, 0}, {1, 20, 20}, {2, 40, 200}}, 3, "ab......c..."},
    {"and what follows it",
     {{0, 0, 0}, {1, 20, 20}, {2, 40, 200}, {3, 60, 200}, {4, 80, 210}},
     5,
     "ab......cde."},
    {"swapped then", {{0, 0, 0}, {1, 20, 20}, {3, 60, 200}, {2, 40, 201}}, 4, "ab......cd.."},
    {"the first of them lost", {{0, 0, 0}, {1, 20, 20}, {3, 60, 200}}, 3, "ab......d..."},
    {"what was played comes again then", {{0, 0, 0}, {1, 20, 20}, {1, 20, 200}}, 3, "ab.........."},
    {"lost, then in time", {{0, 0, 0}, {1, 20, 20}, {6, 120, 130}}, 3, "ab....g....."},
    {"a pause is not loss", {{0, 0, 0}, {1, 200, 40}, {2, 220, 50}}, 3, "a_bc"},
    {"older first", {{1, 20, 0}, {0, 0, 10}, {2, 40, 20}}, 3, "abc........."},
    {"wrap",
     {{UINT32_MAX - 255, UINT32_MAX - 19, 0}, {UINT32_MAX - 254, 0, 20}},
     2,
     "ab.........."},
};

START_TEST(jitter_buffer) {
    const struct jbuf_case *c = &jbuf_cases[_i];
    const wzp_jbuf_cfg cfg = {0};
    wzp_jbuf *jb = wzp_jbuf_new(&cfg);
    char got[64] = "";
    for (size_t i = 0; i < c->count; i++) {
        const wzp_time at = WZP_S + c->packets[i].at_ms * WZP_MS;
        play(jb, at, got, sizeof got);
        push(jb, c->packets[i].seq, c->packets[i].ts, at);
    }
    play(jb, WZP_S + 299 * WZP_MS, got, sizeof got);
    ck_assert_msg(strncmp(got, c->want, strlen(c->want)) == 0 || strcmp(got, c->want) == 0,
                  "%s: %s", c->name, got);
    wzp_jbuf_free(&jb);
}
END_TEST

/* With codec 0, Opus at 24 kbit/s, a packet brings back four frames before it. */
static const struct gap_case {
    const char *name;
    uint32_t seq, ts, at_ms; /* of the packet after the first two, the lost ones and the gap */
    const char *want;
} gap_cases[] = {
    {"ten lost", 12, 240, 240, "ab..........m"},
    {"twelve lost: the last ones are asked for, too", 14, 280, 280, "ab............o"},
    {"sixteen: after ten all but four are left out", 18, 360, 290, "ab.........._....s"},
    {"after the track fell silent: what there is time for", 22, 440, 440, "ab.............w"},
    {"after a pause nothing is missing", 2, 600, 600, "ab..........c"},
    {"what is not heard any more is not asked for", 12, 240, 340, "ab..........m"},
};

START_TEST(gaps_end_with_what_comes_back) {
    const struct gap_case *c = &gap_cases[_i];
    const wzp_jbuf_cfg cfg = {0};
    wzp_jbuf *jb = wzp_jbuf_new(&cfg);
    char got[64] = "";
    push(jb, 0, 0, WZP_S);
    push(jb, 1, 20, WZP_S + 20 * WZP_MS);
    play(jb, WZP_S + c->at_ms * WZP_MS, got, sizeof got);
    push(jb, c->seq, c->ts, WZP_S + c->at_ms * WZP_MS);
    play(jb, WZP_S + (c->at_ms + 140) * WZP_MS, got, sizeof got);
    ck_assert_msg(strncmp(got, c->want, strlen(c->want)) == 0, "%s: %s", c->name, got);
    wzp_jbuf_free(&jb);
}
END_TEST

START_TEST(random_pushes_never_break_it) {
    const wzp_jbuf_cfg cfg = {.cap_frames = 8};
    wzp_jbuf *jb = wzp_jbuf_new(&cfg);
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "jbuf");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_time now = WZP_S;
    for (int i = 0; i < 20000; i++) {
        wzp_jbuf_out out;
        now += wzp_rng_below(rng, 30) * WZP_MS;
        push(jb, (uint32_t)wzp_rng_below(rng, 100), (uint32_t)wzp_rng_u64(rng), now);
        for (int n = 0; n < 20 && wzp_jbuf_pop(jb, now, &out); n++) {
        }
    }
    wzp_jbuf_stats stats;
    wzp_jbuf_count(jb, &stats);
    ck_assert_uint_eq(stats.pushed, 20000);
    wzp_jbuf_free(&jb);
}
END_TEST

START_TEST(two_senders_with_the_same_numbers_are_told_apart) {
    wzp_tracks tracks;
    wzp_tracks_init(&tracks);
    bool is_new;
    int a = -1;
    int b = -1;
    for (uint32_t i = 0; i < 500; i++) {
        const wzp_media_hdr hdr = frame(i, 20 * i);
        const wzp_time t = WZP_S + WZP_MS * 20 * i;
        const int first = wzp_tracks_place(&tracks, &hdr, t, &is_new);
        const int second = wzp_tracks_place(&tracks, &hdr, t + 9 * WZP_MS, &is_new);
        if (i == 0) {
            a = first;
            b = second;
        }
        ck_assert_int_eq(first, a);
        ck_assert_int_eq(second, b);
    }
    ck_assert_int_ne(a, b);
    ck_assert_uint_eq(wzp_track_lost(&tracks.tracks[a]), 0);
    ck_assert_uint_lt(wzp_track_jitter(&tracks.tracks[a]), WZP_MS);
}
END_TEST

START_TEST(loss_and_pauses_keep_a_track) {
    wzp_tracks tracks;
    wzp_tracks_init(&tracks);
    bool is_new;
    uint32_t seq = 7;
    uint32_t ts = 100;
    wzp_time now = WZP_S;
    for (int i = 0; i < 300; i++) {
        const uint32_t lost = i % 10 == 9 ? 1 : 0;
        const wzp_media_hdr hdr = frame(seq + lost, ts + 20 * lost);
        ck_assert_int_eq(wzp_tracks_place(&tracks, &hdr, now, &is_new), 0);
        seq += 1 + lost;
        ts += 20 + 20 * lost;
        now += (20 + 20 * lost) * WZP_MS;
        if (i == 150) {
            ts += 10000;
            now += 10 * WZP_S;
        }
    }
    ck_assert_uint_eq(wzp_track_lost(&tracks.tracks[0]), 30);
}
END_TEST

START_TEST(opus_round_trip) {
    static const uint8_t codecs[] = {0, 1, 2, 6, 7, 8};
    wzp_opus_enc *enc = NULL;
    wzp_opus_dec *dec = NULL;
    int16_t pcm[WZP_OPUS_MAX_FRAME_SAMPLES];
    int16_t back[WZP_OPUS_FRAME_MAX];
    uint8_t packet[WZP_OPUS_PACKET_MAX];
    const size_t n = wzp_opus_frame_samples(codecs[_i]);
    ck_assert(wzp_opus_enc_new(&enc, codecs[_i]) == WZP_OK);
    ck_assert(wzp_opus_dec_new(&dec) == WZP_OK);
    double energy = 0;
    for (int f = 0; f < 50; f++) {
        size_t len = 0;
        size_t samples = 0;
        for (size_t i = 0; i < n; i++) {
            pcm[i] =
                (int16_t)(8000.0 * sin((double)((size_t)f * n + i) * 440.0 * 6.2831853 / 48000));
        }
        ck_assert(wzp_opus_enc_frame(enc, pcm, n, packet, &len) == WZP_OK);
        ck_assert(wzp_opus_enc_frame(enc, pcm, n - 1, packet, &len) == WZP_ERR_INVALID_ARGUMENT);
        ck_assert(wzp_opus_dec_frame(dec, wzp_bytes_of(packet, len), back, WZP_OPUS_FRAME_MAX,
                                     &samples) == WZP_OK);
        ck_assert_uint_eq(samples, n);
        for (size_t i = 0; i < n && f > 10; i++) {
            energy += (double)back[i] * back[i];
        }
    }
    ck_assert(sqrt(energy / (39.0 * (double)n)) > 3000);
    size_t samples = 0;
    ck_assert(wzp_opus_dec_frame(dec, wzp_bytes_of(NULL, 0), back, WZP_OPUS_FRAME_MAX, &samples) ==
              WZP_ERR_PARSE);
    wzp_opus_dec_conceal(dec, back, n);
    wzp_opus_enc_free(&enc);
    wzp_opus_dec_free(&dec);
}
END_TEST

START_TEST(other_codecs_are_not_opus) {
    wzp_opus_enc *enc = NULL;
    ck_assert(wzp_opus_enc_new(&enc, WZP_CODEC_CODEC2_1200) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_opus_enc_new(&enc, 10) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(wzp_opus_frame_samples(5), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, jitter_buffer, 0, WZP_COUNT_OF(jbuf_cases));
    tcase_add_loop_test(tc, gaps_end_with_what_comes_back, 0, WZP_COUNT_OF(gap_cases));
    tcase_add_loop_test(tc, random_pushes_never_break_it, 0, 4);
    tcase_add_test(tc, two_senders_with_the_same_numbers_are_told_apart);
    tcase_add_test(tc, loss_and_pauses_keep_a_track);
    tcase_add_loop_test(tc, opus_round_trip, 0, 6);
    tcase_add_test(tc, other_codecs_are_not_opus);
    return wzp_run_suite("media", tc);
}
