/* Loss between an encoder and a listener: what came is heard, and how much of the rest comes back.
 */
#include "client/listener.h"

#include <stdlib.h>

#include "base/testing/suite.h"
#include "media/testing/voice.h"

enum { FRAMES = 600 };

static const struct loss_case {
    const char *name;
    uint8_t codec;
    unsigned every; /* so many frames from one loss to the next; 0: none is lost */
    unsigned in_row;
    bool coded;
    uint32_t least_recovered, most_concealed;
} loss_cases[] = {
    {"nothing is lost", WZP_CODEC_OPUS_24K, 0, 0, false, 0, 0},
    {"Opus, one of ten", WZP_CODEC_OPUS_24K, 10, 1, false, 50, 3},
    {"Opus, two in a row of twenty", WZP_CODEC_OPUS_24K, 20, 2, false, 50, 5},
    {"Opus, six in a row of sixty: the buffer waits for the four that come back",
     WZP_CODEC_OPUS_24K, 60, 6, false, 33, 29},
    {"Opus 6k has no DRED", WZP_CODEC_OPUS_6K, 10, 1, false, 0, 62},
    {"Codec2 3200, one of ten", WZP_CODEC_CODEC2_3200, 10, 1, false, 58, 3},
    {"Codec2 1200, three of sixteen", WZP_CODEC_CODEC2_1200, 16, 3, false, 105, 10},
    {"Codec2 in coded mode", WZP_CODEC_CODEC2_3200, 10, 1, true, 58, 3},
    {"Opus in coded mode is for the caller to rebuild", WZP_CODEC_OPUS_24K, 10, 1, true, 0, 62},
};

typedef struct line {
    const struct loss_case *c;
    wzp_audio_enc *enc;
    wzp_repair_out *repair;
    wzp_listener listener;
    wzp_listener_counts counts;
    uint32_t seq, played, wrong_slots;
    uint64_t next_at;
} line;

static void deliver(line *l, const wzp_media_packet *packet, wzp_time now) {
    wzp_listener_take(&l->listener, packet, now, &l->counts);
}

static void say(line *l, uint32_t number, wzp_time now) {
    const uint32_t frame_ms = wzp_codec_find(l->c->codec)->frame_ms;
    int16_t pcm[WZP_AUDIO_SENT_MAX];
    uint8_t coded[WZP_AUDIO_PACKET_MAX];
    size_t len = 0;
    const size_t samples = wzp_audio_enc_samples(l->enc);
    for (size_t i = 0; i < samples; i++) { /* a buzz of 150 Hz that swells */
        const uint32_t n = (uint32_t)(number * samples + i);
        pcm[i] = (int16_t)((int32_t)(n % 320) * 40 * (int32_t)(1 + n / 4800 % 3) / 3 - 4000);
    }
    ck_assert(wzp_audio_enc_frame(l->enc, pcm, samples, coded, &len) == WZP_OK);
    wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                       .codec_id = l->c->codec,
                                       .seq = l->seq++,
                                       .timestamp_ms = number * frame_ms},
                               .payload = {coded, len}};
    wzp_repair_out_source(l->repair, &packet.hdr, packet.payload);
    if (l->c->every == 0 || number % l->c->every < l->c->every - l->c->in_row) {
        deliver(l, &packet, now);
    }
    while (wzp_repair_out_next(l->repair, &l->seq, &packet)) {
        deliver(l, &packet, now);
    }
}

static void listen(line *l, wzp_time now) {
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
    wzp_listener_out out;
    while (wzp_listener_next(&l->listener, now, pcm, &out, &l->counts)) {
        l->wrong_slots += out.at_sample != l->next_at || (out.pcm != NULL) == l->c->coded ? 1 : 0;
        l->next_at = out.at_sample + out.samples;
        l->played++;
    }
}

START_TEST(loss) {
    const struct loss_case *c = &loss_cases[_i];
    line l = {.c = c};
    const wzp_audio_enc_cfg cfg = {.codec = c->codec};
    const uint64_t step = wzp_codec_find(c->codec)->frame_ms * WZP_MS;
    wzp_time now = WZP_S;
    ck_assert(wzp_audio_enc_new(&l.enc, &cfg) == WZP_OK);
    ck_assert(wzp_repair_out_new(&l.repair, false) == WZP_OK);
    ck_assert(wzp_listener_start(&l.listener, c->coded, 1));
    for (uint32_t number = 0; number < FRAMES; number++) {
        for (uint64_t part = 0; part < 4; part++, now += step / 4) {
            listen(&l, now);
            if (part == 0) {
                say(&l, number, now);
            }
        }
    }
    ck_assert_uint_eq(l.wrong_slots, 0);
    ck_assert_uint_gt(l.played, FRAMES - 20);
    ck_assert_msg(l.counts.recovered >= c->least_recovered, "%s: %llu came back", c->name,
                  (unsigned long long)l.counts.recovered);
    ck_assert_msg(l.counts.concealed <= c->most_concealed, "%s: %llu are concealed", c->name,
                  (unsigned long long)l.counts.concealed);
    ck_assert(c->least_recovered > 0 || l.counts.recovered == 0);
    /* What DRED gives back fills a gap, what repair packets do is a frame like any other. */
    const uint64_t by_dred = wzp_codec_find(c->codec)->is_codec2 ? 0 : l.counts.recovered;
    ck_assert_uint_eq(l.counts.played + l.counts.concealed + by_dred, l.played);
    wzp_listener_clear(&l.listener);
    wzp_repair_out_free(&l.repair);
    wzp_audio_enc_free(&l.enc);
}
END_TEST

START_TEST(what_is_no_sound_is_ignored) {
    static const uint8_t bytes[300];
    static const wzp_media_hdr headers[] = {
        {.version = 2, .codec_id = WZP_CODEC_AV1_MAIN},
        {.version = 2, .codec_id = WZP_CODEC_OPUS_24K, .flags = WZP_MEDIA_REPAIR},
        {.version = 2,
         .codec_id = WZP_CODEC_CODEC2_1200,
         .flags = WZP_MEDIA_REPAIR,
         .fec_block = 2},
    };
    wzp_listener l = {0};
    wzp_listener_counts counts = {0};
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
    wzp_listener_out out;
    for (size_t i = 0; i < WZP_COUNT_OF(headers); i++) {
        const wzp_media_packet packet = {.hdr = headers[i], .payload = {bytes, 300}};
        wzp_listener_take(&l, &packet, WZP_S, &counts); /* it has not started */
    }
    ck_assert(wzp_listener_start(&l, false, 1));
    for (size_t i = 0; i < WZP_COUNT_OF(headers); i++) {
        const wzp_media_packet packet = {.hdr = headers[i], .payload = {bytes, 300}};
        wzp_listener_take(&l, &packet, WZP_S, &counts);
    }
    wzp_listener_refused refused = {0};
    ck_assert(!wzp_listener_next(&l, 2 * WZP_S, pcm, &out, &counts));
    ck_assert_uint_eq(wzp_listener_deadline(&l), WZP_TIME_NEVER);
    wzp_listener_add_refused(&l, &refused);
    ck_assert_uint_eq(refused.not_sound, 1);
    ck_assert_uint_eq(refused.surplus, 1);
    ck_assert_uint_eq(refused.repair, 1);
    wzp_listener_clear(&l);
}
END_TEST

/* Hostile packets among good ones: each is counted once, under its reason, and the sound goes on.
 */
static const struct hostile_case {
    const char *name;
    wzp_media_hdr hdr; /* seq and timestamp are relative to the good packet after it */
    size_t len;
    size_t counter; /* its place in wzp_listener_refused */
} hostile_cases[] = {
#define REASON(name_) .counter = offsetof(wzp_listener_refused, name_)
    {"video", {.codec_id = WZP_CODEC_H264_BASELINE}, 100, REASON(not_sound)},
    {"a repair packet of Opus",
     {.codec_id = WZP_CODEC_OPUS_24K, .flags = WZP_MEDIA_REPAIR},
     100,
     REASON(surplus)},
    {"a repair packet with the index of a source",
     {.codec_id = WZP_CODEC_CODEC2_1200, .flags = WZP_MEDIA_REPAIR, .fec_block = 0x0200},
     256,
     REASON(repair)},
    {"a repair packet of 300 octets",
     {.codec_id = WZP_CODEC_CODEC2_1200, .flags = WZP_MEDIA_REPAIR, .fec_block = 0x0900},
     300,
     REASON(repair)},
    {"a frame of 600 octets", {.codec_id = WZP_CODEC_OPUS_24K, .seq = 1000}, 600, REASON(too_long)},
    {"the number of a packet that waits",
     {.codec_id = WZP_CODEC_OPUS_24K, .seq = UINT32_MAX},
     60,
     REASON(duplicate)},
    {"a packet of five seconds ago",
     {.codec_id = WZP_CODEC_OPUS_24K, .seq = (uint32_t)-250, .timestamp_ms = (uint32_t)-5000},
     60,
     REASON(late)},
    {"a truncated frame of Codec2",
     {.codec_id = WZP_CODEC_CODEC2_3200, .seq = 1000, .timestamp_ms = 0},
     3,
     REASON(undecodable)},
    {"no frame at all",
     {.codec_id = WZP_CODEC_CODEC2_1200, .seq = 1000, .timestamp_ms = 0},
     0,
     REASON(undecodable)},
};

static uint64_t refused_for(const wzp_listener *l, size_t counter) {
    wzp_listener_refused refused = {0};
    uint64_t value;
    wzp_listener_add_refused(l, &refused);
    memcpy(&value, (const char *)&refused + counter, sizeof value);
    return value;
}

START_TEST(hostile_packets_are_counted) {
    const struct hostile_case *c = &hostile_cases[_i];
    static const uint8_t bytes[600] = {0xF8, 1, 2, 3};
    line l = {.c = &loss_cases[0]};
    const wzp_audio_enc_cfg cfg = {.codec = l.c->codec};
    wzp_time now = WZP_S;
    ck_assert(wzp_audio_enc_new(&l.enc, &cfg) == WZP_OK);
    ck_assert(wzp_repair_out_new(&l.repair, false) == WZP_OK);
    ck_assert(wzp_listener_start(&l.listener, false, 1));
    for (uint32_t number = 0; number < 100; number++, now += 20 * WZP_MS) {
        listen(&l, now);
        if (number == 50) {
            wzp_media_packet packet = {.hdr = c->hdr, .payload = {bytes, c->len}};
            packet.hdr.version = WZP_PROTOCOL_VERSION;
            packet.hdr.seq += l.seq;
            packet.hdr.timestamp_ms += number * 20;
            deliver(&l, &packet, now);
        }
        say(&l, number, now);
    }
    ck_assert_msg(refused_for(&l.listener, c->counter) == 1, "%s: %llu", c->name,
                  (unsigned long long)refused_for(&l.listener, c->counter));
    ck_assert_uint_gt(l.played, 90);
    ck_assert_uint_le(l.counts.concealed, 2);
    wzp_listener_clear(&l.listener);
    wzp_repair_out_free(&l.repair);
    wzp_audio_enc_free(&l.enc);
}
END_TEST

/* --- clocks ----------------------------------------------------------------------------------- */

/* A minute of a voice whose sender's clock is not ours. */
typedef struct drift {
    uint64_t heard;    /* samples */
    int64_t roughness; /* of the worst place: a click is rougher than any voice */
    uint64_t concealed;
    wzp_jbuf_stats jbuf;
} drift;

enum { DRIFT_FRAMES = 3000, DRIFT_FRAME = 960 };

static void hear(drift *d, const int16_t *pcm, size_t samples, int32_t last[2]) {
    for (size_t i = 0; i < samples; i++) {
        const int32_t bend = abs(pcm[i] - 2 * last[1] + last[0]);
        d->roughness = bend > d->roughness ? bend : d->roughness;
        last[0] = last[1];
        last[1] = pcm[i];
    }
    d->heard += samples;
}

static drift listen_to_drift(int64_t ppm) {
    static int16_t voice[DRIFT_FRAMES * DRIFT_FRAME];
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
    int32_t last[2] = {0, 0};
    drift d = {.heard = 0};
    wzp_audio_enc *enc = NULL;
    wzp_listener l = {0};
    wzp_listener_counts counts = {0};
    wzp_listener_out out;
    wzp_voice_speak(voice, WZP_COUNT_OF(voice));
    ck_assert(wzp_audio_enc_new(&enc, &(wzp_audio_enc_cfg){.codec = WZP_CODEC_OPUS_24K}) == WZP_OK);
    ck_assert(wzp_listener_start(&l, false, 1));
    for (uint32_t i = 0; i < DRIFT_FRAMES; i++) {
        const int64_t media = (int64_t)(i * (20 * WZP_MS));
        const wzp_time now = (wzp_time)((int64_t)WZP_S + media - media / 1000000 * ppm);
        while (wzp_listener_deadline(&l) <= now) {
            const wzp_time due = wzp_listener_deadline(&l);
            while (wzp_listener_next(&l, due, pcm, &out, &counts)) {
                hear(&d, out.pcm, out.samples, last);
            }
        }
        uint8_t coded[WZP_AUDIO_PACKET_MAX];
        size_t len = 0;
        ck_assert(wzp_audio_enc_frame(enc, voice + (size_t)i * DRIFT_FRAME, DRIFT_FRAME, coded,
                                      &len) == WZP_OK);
        const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                                 .codec_id = WZP_CODEC_OPUS_24K,
                                                 .seq = i,
                                                 .timestamp_ms = i * 20},
                                         .payload = {coded, len}};
        wzp_listener_take(&l, &packet, now, &counts);
    }
    wzp_jbuf_count(l.jbuf, &d.jbuf);
    d.concealed = counts.concealed + counts.recovered;
    wzp_listener_clear(&l);
    wzp_audio_enc_free(&enc);
    return d;
}

/* 0.3 % of a minute are 180 ms: nine frames, which are neither dropped nor made up. */
START_TEST(clocks_drift) {
    const int64_t ppm = _i == 0 ? 3000 : -3000;
    const drift even = listen_to_drift(0);
    const drift d = listen_to_drift(ppm);
    const uint64_t changed = d.jbuf.shorter + d.jbuf.longer;
    ck_assert_uint_eq(even.jbuf.shorter + even.jbuf.longer, 0);
    ck_assert_msg(changed >= 10 && changed <= 100, "%llu", (unsigned long long)changed);
    ck_assert_uint_eq(d.jbuf.added + d.jbuf.dropped + d.concealed, 0);
    /* What is still in the buffer differs by some frames. */
    const int64_t more = (int64_t)d.heard - (int64_t)even.heard;
    ck_assert_msg(ppm > 0 ? more < 0 : more > 0, "%lld samples", (long long)more);
    ck_assert_msg(llabs(more) > INT64_C(48) * 120 && llabs(more) < INT64_C(48) * 220,
                  "%lld samples", (long long)more);
    ck_assert_msg(d.roughness <= even.roughness * 5 / 4, "%lld after %lld", (long long)d.roughness,
                  (long long)even.roughness);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("listener");
    tcase_add_loop_test(tc, loss, 0, (int)WZP_COUNT_OF(loss_cases));
    tcase_add_test(tc, what_is_no_sound_is_ignored);
    tcase_add_loop_test(tc, hostile_packets_are_counted, 0, (int)WZP_COUNT_OF(hostile_cases));
    tcase_add_loop_test(tc, clocks_drift, 0, 2);
    return wzp_run_suite("client.listener", tc);
}
