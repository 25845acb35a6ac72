#include "tools/pcap/media/sound.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "media/repair.h"
#include "media/testing/voice.h"

#define SECONDS 3
#define SAMPLES ((size_t)SECONDS * WZP_AUDIO_RATE_HZ)
#define PACKETS_MAX 400

static int16_t voice[SAMPLES];
static int16_t heard[4 * SAMPLES];
static uint64_t heard_end;
static wzp_pcap_sound *sound;

typedef struct kept {
    wzp_media_packet packet;
    uint8_t payload[WZP_AUDIO_PACKET_MAX];
} kept;

static kept sent[PACKETS_MAX];
static size_t sent_count;

static void pcm(void *ctx, uint64_t position, const int16_t *samples, size_t count) {
    (void)ctx;
    ck_assert_uint_ge(position, heard_end);
    ck_assert_uint_le(position + count, WZP_COUNT_OF(heard));
    memcpy(heard + position, samples, count * sizeof *samples);
    heard_end = position + count;
}

static void set_up(void) {
    wzp_voice_speak(voice, SAMPLES);
    memset(heard, 0, sizeof heard);
    heard_end = 0;
    sent_count = 0;
    ck_assert_int_eq(wzp_pcap_sound_new(&sound, pcm, NULL), WZP_OK);
}

static void tear_down(void) {
    wzp_pcap_sound_free(&sound);
    wzp_pcap_sound_free(&sound);
}

static void add(const wzp_media_packet *packet) {
    kept *k = &sent[sent_count++];
    ck_assert_uint_le(sent_count, PACKETS_MAX);
    k->packet = *packet;
    memcpy(k->payload, packet->payload.data, packet->payload.len);
    k->packet.payload.data = k->payload;
}

/* The voice as packets, with repair packets where the codec has them. */
static void speak(uint8_t codec, uint32_t seq, uint32_t timestamp_ms) {
    wzp_audio_enc *encoder = NULL;
    wzp_repair_out *repair = NULL;
    ck_assert_int_eq(wzp_audio_enc_new(&encoder, &(wzp_audio_enc_cfg){.codec = codec}), WZP_OK);
    ck_assert_int_eq(wzp_repair_out_new(&repair, false), WZP_OK);
    const size_t frame = wzp_audio_enc_samples(encoder);
    for (size_t at = 0; at + frame <= SAMPLES; at += frame) {
        uint8_t payload[WZP_AUDIO_PACKET_MAX];
        wzp_media_packet packet = {
            .hdr = {.version = 2, .codec_id = codec, .seq = seq++, .timestamp_ms = timestamp_ms}};
        ck_assert_int_eq(
            wzp_audio_enc_frame(encoder, voice + at, frame, payload, &packet.payload.len), WZP_OK);
        packet.payload.data = payload;
        wzp_repair_out_source(repair, &packet.hdr, packet.payload);
        add(&packet);
        timestamp_ms += (uint32_t)(frame / 48);
        while (wzp_repair_out_next(repair, &seq, &packet)) {
            packet.hdr.timestamp_ms = timestamp_ms;
            add(&packet);
        }
    }
    wzp_audio_enc_free(&encoder);
    wzp_repair_out_free(&repair);
}

static void take(size_t i) {
    wzp_pcap_sound_take(sound, &sent[i].packet, (uint64_t)i * 20000000);
}

static void take_all(void) {
    for (size_t i = 0; i < sent_count; i++) {
        take(i);
    }
    wzp_pcap_sound_end(sound);
}

/* How alike two sounds are, the second one up to 40 ms behind: correlation in thousandths. */
static int likeness(const int16_t *a, const int16_t *b, size_t count) {
    double best = 0;
    for (size_t lag = 0; lag < 1920; lag += 8) {
        double ab = 0;
        double aa = 1;
        double bb = 1;
        for (size_t i = 0; i + lag < count; i++) {
            ab += (double)a[i] * b[i + lag];
            aa += (double)a[i] * a[i];
            bb += (double)b[i + lag] * b[i + lag];
        }
        best = fmax(best, ab / sqrt(aa * bb));
    }
    return (int)(1000 * best);
}

static const struct whole_case {
    const char *name;
    uint8_t codec;
    uint32_t seq, timestamp_ms;
    int like;
} whole_cases[] = {
    {"Opus", WZP_CODEC_OPUS_24K, 0, 0, 900},
    {"frames of 40 ms", WZP_CODEC_OPUS_6K, 0, 0, 700},
    {"sequence numbers and times that wrap", WZP_CODEC_OPUS_24K, UINT32_MAX - 20, UINT32_MAX - 500,
     900},
    {"Codec2 with repair packets", WZP_CODEC_CODEC2_3200, 7, 100, 0},
};

START_TEST(everything_came) {
    const struct whole_case *c = &whole_cases[_i];
    if (!wzp_audio_is_codec(c->codec)) {
        return;
    }
    speak(c->codec, c->seq, c->timestamp_ms);
    take_all();
    const wzp_pcap_sound_counters *count = wzp_pcap_sound_count(sound);
    ck_assert_msg(heard_end == SAMPLES, "%s: %zu samples", c->name, (size_t)heard_end);
    ck_assert_msg(count->filled_ms == 0 && count->paused_ms == 0 && count->late == 0, "%s",
                  c->name);
    ck_assert_uint_eq(count->refused + count->duplicates + count->restarts, 0);
    const int like = likeness(voice, heard, SAMPLES);
    ck_assert_msg(like >= c->like, "%s: %d", c->name, like);
}
END_TEST

/* Any order within the window gives the same sound. */
START_TEST(order_does_not_matter) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    take_all();
    int16_t *first = malloc(SAMPLES * sizeof *first);
    ck_assert_ptr_nonnull(first);
    memcpy(first, heard, SAMPLES * sizeof *first);
    tear_down();
    heard_end = 0;
    ck_assert_int_eq(wzp_pcap_sound_new(&sound, pcm, NULL), WZP_OK);
    take(0);
    for (size_t i = 1; i + 20 <= sent_count; i += 20) {
        for (size_t k = 20; k > 0; k--) {
            take(i + k - 1);
            take(i + k - 1);
        }
    }
    wzp_pcap_sound_end(sound);
    ck_assert_uint_gt(wzp_pcap_sound_count(sound)->duplicates, 100);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, 0);
    ck_assert_int_eq(memcmp(first, heard, (size_t)heard_end * sizeof *first), 0);
    free(first);
}
END_TEST

START_TEST(losses_are_filled) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    unsigned lost = 0;
    for (size_t i = 0; i < sent_count; i++) {
        if (i % 10 == 5) {
            lost++;
        } else {
            take(i);
        }
    }
    wzp_pcap_sound_end(sound);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, UINT64_C(20) * lost);
    ck_assert_uint_eq(heard_end, SAMPLES);
    ck_assert_int_ge(likeness(voice, heard, SAMPLES), 800);
}
END_TEST

START_TEST(repair_packets_bring_frames_back) {
    if (!wzp_audio_is_codec(WZP_CODEC_CODEC2_3200)) {
        return;
    }
    speak(WZP_CODEC_CODEC2_3200, 0, 0);
    unsigned lost = 0;
    for (size_t i = 0; i < sent_count; i++) {
        if (i % 15 == 2 && (sent[i].packet.hdr.flags & WZP_MEDIA_REPAIR) == 0) {
            lost++;
        } else {
            take(i);
        }
    }
    wzp_pcap_sound_end(sound);
    const wzp_pcap_sound_counters *count = wzp_pcap_sound_count(sound);
    ck_assert_uint_gt(lost, 5);
    ck_assert_uint_ge(count->repaired, lost - 1); /* the last block may lack its repair packets */
    ck_assert_uint_le(count->filled_ms, 20);
}
END_TEST

START_TEST(a_pause_is_no_loss) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    for (size_t i = 50; i < sent_count; i++) {
        sent[i].packet.hdr.timestamp_ms += 600;
    }
    take_all();
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->paused_ms, 600);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, 0);
    ck_assert_uint_eq(heard_end, SAMPLES + UINT64_C(600) * 48);
}
END_TEST

START_TEST(numbers_of_repair_packets_are_no_loss_either) {
    if (!wzp_audio_is_codec(WZP_CODEC_CODEC2_3200)) {
        return;
    }
    speak(WZP_CODEC_CODEC2_3200, 0, 0);
    size_t i = 1;
    while ((sent[i - 1].packet.hdr.flags & WZP_MEDIA_REPAIR) == 0) {
        i++;
    }
    for (; i < sent_count; i++) {
        sent[i].packet.hdr.timestamp_ms += 600;
    }
    take_all();
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->paused_ms, 600);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, 0);
}
END_TEST

/* Eleven seconds are lost: the last ten of them are concealed. */
START_TEST(a_long_loss_is_silence) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    sent[10].packet.hdr.seq += 550;
    sent[10].packet.hdr.timestamp_ms += 11000;
    sent_count = 11;
    take_all();
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->silent_ms, 1000);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, WZP_PCAP_SOUND_FILL_MS);
    ck_assert_uint_eq(heard_end, UINT64_C(11220) * 48);
}
END_TEST

/* One packet whose time is wrong, or a clock that was set: its silence is not written. */
START_TEST(a_time_from_far_away) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    for (size_t i = 50; i < sent_count; i++) {
        sent[i].packet.hdr.timestamp_ms += UINT32_C(72000000); /* 20 hours */
    }
    take_all();
    ck_assert_uint_eq(heard_end, SAMPLES);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->restarts, 1);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->played, sent_count);
}
END_TEST

START_TEST(a_sender_that_starts_anew_goes_on) {
    speak(WZP_CODEC_OPUS_24K, 100000, 2000000);
    speak(WZP_CODEC_OPUS_24K, 5, 0);
    take_all();
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->restarts, 1);
    ck_assert_uint_eq(heard_end, 2 * SAMPLES);
    ck_assert_int_ge(likeness(voice, heard + SAMPLES, SAMPLES), 900);
}
END_TEST

START_TEST(too_late) {
    speak(WZP_CODEC_OPUS_24K, 0, 0);
    for (size_t i = 0; i < sent_count; i++) {
        if (i != 3) {
            take(i);
        }
    }
    ck_assert_uint_gt(heard_end, 0);
    take(3);
    wzp_pcap_sound_end(sound);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->late, 1);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->filled_ms, 20);
}
END_TEST

static const struct refused_case {
    const char *name;
    uint8_t media_type, codec;
    size_t len;
} refused_cases[] = {
    {"video", WZP_MEDIA_VIDEO, WZP_CODEC_AV1_MAIN, 10},
    {"without payload", WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0},
    {"too long", WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, WZP_AUDIO_PACKET_MAX + 1},
    {"a video codec as audio", WZP_MEDIA_AUDIO, WZP_CODEC_AV1_MAIN, 10},
};

START_TEST(refused) {
    static const uint8_t zeros[WZP_AUDIO_PACKET_MAX + 1];
    const struct refused_case *c = &refused_cases[_i];
    const wzp_media_packet packet = {
        .hdr = {.version = 2, .media_type = c->media_type, .codec_id = c->codec},
        .payload = wzp_bytes_of(zeros, c->len)};
    wzp_pcap_sound_take(sound, &packet, 0);
    wzp_pcap_sound_end(sound);
    ck_assert_msg(wzp_pcap_sound_count(sound)->refused == 1, "%s", c->name);
    ck_assert_uint_eq(wzp_pcap_sound_count(sound)->played, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("sound");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, everything_came, 0, WZP_COUNT_OF(whole_cases));
    tcase_add_test(tc, order_does_not_matter);
    tcase_add_test(tc, losses_are_filled);
    tcase_add_test(tc, repair_packets_bring_frames_back);
    tcase_add_test(tc, a_pause_is_no_loss);
    tcase_add_test(tc, numbers_of_repair_packets_are_no_loss_either);
    tcase_add_test(tc, a_long_loss_is_silence);
    tcase_add_test(tc, a_sender_that_starts_anew_goes_on);
    tcase_add_test(tc, a_time_from_far_away);
    tcase_add_test(tc, too_late);
    tcase_add_loop_test(tc, refused, 0, WZP_COUNT_OF(refused_cases));
    return wzp_run_suite("pcap_media.sound", tc);
}
