#include "media/repair.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/jbuf.h"

typedef struct sender {
    wzp_repair_out *repair;
    uint32_t seq, timestamp_ms;
    wzp_media_packet packets[32]; /* of the last frame: a source packet and what follows it */
    uint8_t payloads[32][WZP_FEC_SYMBOL_LEN];
    size_t count;
} sender;

static void keep(sender *s, const wzp_media_packet *packet) {
    ck_assert_uint_lt(s->count, WZP_COUNT_OF(s->packets));
    uint8_t *copy = s->payloads[s->count];
    memcpy(copy, packet->payload.data, packet->payload.len);
    s->packets[s->count] = *packet;
    s->packets[s->count++].payload = wzp_bytes_of(copy, packet->payload.len);
}

/* A frame that says at which time it was said. */
static void say(sender *s, uint8_t codec) {
    const wzp_fec_policy *policy = wzp_fec_policy_of(codec);
    uint8_t frame[WZP_FEC_FRAME_MAX] = {0};
    wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION,
                                       .codec_id = codec,
                                       .seq = s->seq++,
                                       .timestamp_ms = s->timestamp_ms},
                               .payload = {frame, policy != NULL ? policy->frame_len : 60}};
    memcpy(frame, &s->timestamp_ms, sizeof s->timestamp_ms);
    s->count = 0;
    wzp_repair_out_source(s->repair, &packet.hdr, packet.payload);
    keep(s, &packet);
    while (wzp_repair_out_next(s->repair, &s->seq, &packet)) {
        keep(s, &packet);
    }
    s->timestamp_ms += wzp_codec_find(codec)->frame_ms;
}

START_TEST(codecs_change_at_any_frame) {
    static const struct {
        uint8_t codec;
        uint8_t ratio;
        uint16_t word;
        size_t repairs;
    } steps[] = {
        {WZP_CODEC_OPUS_24K, 0, 0, 0},           {WZP_CODEC_CODEC2_3200, 50, 0x0000, 0},
        {WZP_CODEC_CODEC2_3200, 50, 0x0100, 0},  {WZP_CODEC_COMFORT_NOISE, 0, 0x0000, 0},
        {WZP_CODEC_CODEC2_3200, 50, 0x0200, 0},  {WZP_CODEC_CODEC2_3200, 50, 0x0300, 0},
        {WZP_CODEC_CODEC2_3200, 50, 0x0400, 3},  {WZP_CODEC_CODEC2_3200, 50, 0x0001, 0},
        {WZP_CODEC_CODEC2_1200, 100, 0x0002, 0}, {WZP_CODEC_OPUS_6K, 0, 0, 0},
        {WZP_CODEC_COMFORT_NOISE, 0, 0x0003, 0}, {WZP_CODEC_CODEC2_1200, 100, 0x0003, 0},
        {WZP_CODEC_CODEC2_1200, 100, 0x0103, 0},
    };
    static sender s;
    s = (sender){.seq = 7};
    ck_assert_int_eq(wzp_repair_out_new(&s.repair, false), WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        say(&s, steps[i].codec);
        const wzp_media_hdr *hdr = &s.packets[0].hdr;
        ck_assert_msg(hdr->fec_ratio == steps[i].ratio && hdr->fec_block == steps[i].word,
                      "frame %zu: fec_block %04x", i, hdr->fec_block);
        ck_assert_msg(s.count == 1 + steps[i].repairs, "frame %zu: %zu packets", i, s.count);
        for (size_t k = 1; k < s.count; k++) {
            const wzp_media_hdr *repair = &s.packets[k].hdr;
            ck_assert_uint_eq(repair->flags, WZP_MEDIA_REPAIR);
            ck_assert_uint_eq(repair->codec_id, steps[i].codec);
            ck_assert_uint_eq(repair->fec_ratio, steps[i].ratio);
            ck_assert_uint_eq(repair->seq, hdr->seq + k);
            ck_assert_uint_eq(repair->timestamp_ms, s.timestamp_ms);
            ck_assert_uint_eq(repair->fec_block, steps[i].word + (k << 8));
        }
    }
    wzp_repair_out_free(&s.repair);
}
END_TEST

/* --- what a listener hears -------------------------------------------------------------------- */

typedef struct listener {
    wzp_repair_in *repair; /* NULL: without */
    wzp_jbuf *jbuf;
    unsigned played, concealed, wrong;
} listener;

static void hear(listener *l, wzp_time now) {
    wzp_jbuf_out out;
    while (wzp_jbuf_pop(l->jbuf, now, &out)) {
        l->played += out.kind == WZP_JBUF_FRAME ? 1 : 0;
        l->concealed += out.kind == WZP_JBUF_CONCEAL ? 1 : 0;
        l->wrong += out.kind == WZP_JBUF_FRAME &&
                    memcmp(out.payload.data, &out.timestamp_ms, sizeof out.timestamp_ms) != 0;
    }
}

static void arrive(listener *l, const wzp_media_packet *packet, wzp_time now) {
    wzp_media_packet back;
    if ((packet->hdr.flags & WZP_MEDIA_REPAIR) == 0) {
        wzp_jbuf_push(l->jbuf, &packet->hdr, packet->payload, now);
    }
    if (l->repair != NULL) {
        wzp_repair_in_packet(l->repair, packet, now);
        while (wzp_repair_in_next(l->repair, &back)) {
            wzp_jbuf_push(l->jbuf, &back.hdr, back.payload, now);
        }
    }
}

/* `seconds` of a codec through a network that loses packets independently. */
static listener listen(uint8_t codec, unsigned percent, bool repairs, unsigned seconds) {
    static sender s;
    const wzp_jbuf_cfg cfg = {0};
    listener l = {.jbuf = wzp_jbuf_new(&cfg)};
    wzp_prng prng;
    wzp_prng_init(&prng, percent, "loss");
    s = (sender){.seq = 1};
    ck_assert_ptr_nonnull(l.jbuf);
    ck_assert_int_eq(wzp_repair_out_new(&s.repair, false), WZP_OK);
    if (repairs) {
        ck_assert_int_eq(wzp_repair_in_new(&l.repair), WZP_OK);
    }
    while (s.timestamp_ms < seconds * 1000) {
        const wzp_time now = WZP_S + s.timestamp_ms * WZP_MS;
        say(&s, codec);
        for (size_t i = 0; i < s.count; i++) {
            if (wzp_rng_below(wzp_prng_rng(&prng), 100) >= percent) {
                arrive(&l, &s.packets[i], now);
            }
        }
        for (uint32_t ms = 0; ms < wzp_codec_find(codec)->frame_ms; ms += 10) {
            hear(&l, now + ms * WZP_MS);
        }
    }
    if (repairs) {
        wzp_fec_receiver_stats stats;
        wzp_repair_in_count(l.repair, &stats);
        ck_assert(percent == 0 || stats.recovered > 0);
        ck_assert_uint_eq(stats.invalid + stats.refused, 0);
    }
    wzp_repair_out_free(&s.repair);
    wzp_repair_in_free(&l.repair);
    wzp_jbuf_free(&l.jbuf);
    return l;
}

/* The jitter buffer learns that some frames come as late as their block's end, and waits. */
START_TEST(lost_frames_are_played) {
    static const struct {
        uint8_t codec;
        unsigned percent, most_percent; /* of what is concealed without */
    } cases[] = {{WZP_CODEC_CODEC2_3200, 0, 100},
                 {WZP_CODEC_CODEC2_3200, 5, 25},
                 {WZP_CODEC_CODEC2_3200, 20, 50},
                 {WZP_CODEC_CODEC2_1200, 5, 25},
                 {WZP_CODEC_CODEC2_1200, 20, 25}};
    const uint8_t codec = cases[_i].codec;
    const listener without = listen(codec, cases[_i].percent, false, 120);
    const listener with = listen(codec, cases[_i].percent, true, 120);
    ck_assert_uint_eq(without.wrong + with.wrong, 0);
    ck_assert_msg(with.concealed * 100 <= without.concealed * cases[_i].most_percent,
                  "codec %u, %u %% lost: %u of %u frames are concealed, %u without repair", codec,
                  cases[_i].percent, with.concealed, with.played, without.concealed);
}
END_TEST

START_TEST(what_is_not_protected_is_passed_over) {
    wzp_repair_in *in = NULL;
    wzp_media_packet back;
    wzp_fec_receiver_stats stats;
    const wzp_media_hdr hdrs[] = {
        {.codec_id = WZP_CODEC_OPUS_24K, .flags = WZP_MEDIA_REPAIR}, /* FEC-007 */
        {.codec_id = WZP_CODEC_COMFORT_NOISE},
        {.codec_id = WZP_CODEC_AV1_MAIN, .media_type = WZP_MEDIA_VIDEO},
        {.codec_id = WZP_CODEC_CODEC2_1200, .media_type = WZP_MEDIA_DATA},
        {.codec_id = 255}};
    ck_assert_int_eq(wzp_repair_in_new(&in), WZP_OK);
    for (size_t i = 0; i < WZP_COUNT_OF(hdrs); i++) {
        const wzp_media_packet packet = {.hdr = hdrs[i], .payload = wzp_bytes_str("x")};
        wzp_repair_in_packet(in, &packet, 0);
        ck_assert(!wzp_repair_in_next(in, &back));
    }
    wzp_repair_in_count(in, &stats);
    ck_assert_uint_eq(stats.sources + stats.repairs + stats.refused, 0);
    wzp_repair_in_free(&in);
    wzp_repair_in_free(&in);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("repair");
    tcase_add_test(tc, codecs_change_at_any_frame);
    tcase_add_loop_test(tc, lost_frames_are_played, 0, 5);
    tcase_add_test(tc, what_is_not_protected_is_passed_over);
    return wzp_run_suite("repair", tc);
}
