/* Policy, sender and receiver of blocks. */
#include <check.h>
#include <math.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "fec/receiver.h"
#include "fec/sender.h"
#include "wire/media.h"

/* --- rules ------------------------------------------------------------------------------------ */

START_TEST(only_codec2_is_protected) {
    for (unsigned id = 0; id < 256; id++) {
        const wzp_codec_info *codec = wzp_codec_find((uint8_t)id);
        const wzp_fec_policy *policy = wzp_fec_policy_of((uint8_t)id);
        ck_assert_msg((policy != NULL) == (codec != NULL && codec->is_codec2), "codec %u", id);
        if (policy != NULL) {
            ck_assert_uint_eq(policy->codec_id, id);
            ck_assert_uint_eq(policy->frame_ms, codec->frame_ms);
            const uint32_t bits = codec->nominal_bps * policy->frame_ms / 1000;
            ck_assert_uint_eq(policy->frame_len * UINT64_C(8), bits);
        }
    }
}
END_TEST

static const struct count_case {
    const char *name;
    size_t k;
    unsigned percent;
    size_t want;
} count_cases[] = {
    {"none", 5, 0, 0},
    {"rounded up", 5, 50, 3},
    {"exact", 8, 100, 8},
    {"a fifth", 5, 20, 1},
    {"a tenth", 5, 10, 1},
    {"ten and three tenths", 10, 30, 3},
    {"twice as many", 8, 200, 16},
    {"largest octet", 8, 255, 21},
    {"no frames", 0, 100, 0},
};

START_TEST(repair_counts) {
    const struct count_case *c = &count_cases[_i];
    const size_t got = wzp_fec_repair_count(c->k, c->percent);
    ck_assert_msg(got == c->want, "%s: got %zu", c->name, got);
}
END_TEST

/* Upstream multiplies in single precision. */
START_TEST(repair_counts_are_upstreams) {
    for (unsigned k = 1; k <= 24; k++) {
        for (unsigned percent = 0; percent < 256; percent++) {
            const float ratio = (float)percent / 100.0F;
            const float product = (float)k * ratio;
            ck_assert_msg(wzp_fec_repair_count(k, percent) == (size_t)ceilf(product),
                          "%u frames, %u %%", k, percent);
        }
    }
}
END_TEST

START_TEST(keyframes_replace_the_ratio) {
    ck_assert_uint_eq(wzp_fec_ratio_with_keyframe(20, 80, true), 80);
    ck_assert_uint_eq(wzp_fec_ratio_with_keyframe(20, 80, false), 20);
    ck_assert_uint_eq(wzp_fec_ratio_with_keyframe(20, 0, true), 20);
    ck_assert_uint_eq(wzp_fec_ratio_with_keyframe(80, 20, true), 20);
}
END_TEST

START_TEST(expiry_is_a_half_of_the_ids) {
    for (unsigned before = 0; before < 256; before++) {
        for (unsigned age = 0; age < 256; age++) {
            const bool got = wzp_fec_is_expired((uint8_t)(before - age), (uint8_t)before);
            ck_assert_msg(got == (age >= 1 && age <= 128), "%u before %u", age, before);
        }
    }
}
END_TEST

START_TEST(symbols_take_turns) {
    static const size_t counts[] = {3, 0, 1, 2};
    static const wzp_fec_turn want[] = {{0, 0}, {2, 0}, {3, 0}, {0, 1}, {3, 1}, {0, 2}};
    wzp_fec_turn got[6] = {{9, 9}};
    ck_assert_uint_eq(wzp_fec_interleave(counts, 4, got, 6), 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert(got[i].block == want[i].block && got[i].symbol == want[i].symbol);
    }
    got[2].block = 9;
    ck_assert_uint_eq(wzp_fec_interleave(counts, 4, got, 2), 6);
    ck_assert_uint_eq(got[2].block, 9);
    ck_assert_uint_eq(wzp_fec_interleave(counts, 0, got, 6), 0);
}
END_TEST

START_TEST(symbols_have_a_prefix) {
    uint8_t frame[300];
    uint8_t symbol[WZP_FEC_SYMBOL_LEN];
    memset(frame, 7, sizeof frame);
    for (size_t len = 0; len <= sizeof frame; len++) {
        const size_t kept = len < 254 ? len : 254;
        wzp_bytes back = {NULL, 99};
        ck_assert_uint_eq(wzp_fec_symbol_write(symbol, wzp_bytes_of(frame, len)), kept + 2);
        ck_assert(symbol[0] == kept && symbol[1] == 0);
        ck_assert(kept == 254 || symbol[kept + 2] == 0);
        ck_assert_int_eq(wzp_fec_symbol_parse(&back, wzp_bytes_of(symbol, sizeof symbol)), WZP_OK);
        ck_assert(wzp_bytes_equal(back, wzp_bytes_of(frame, kept)));
        for (size_t cut = 0; cut < kept + 2; cut++) { /* every prefix */
            const wzp_err err = wzp_fec_symbol_parse(&back, wzp_bytes_of(symbol, cut));
            ck_assert(cut < 2 ? err == WZP_ERR_TRUNCATED : err == WZP_OK && back.len == cut - 2);
        }
    }
    symbol[1] = 0xff;
    wzp_bytes back;
    ck_assert_int_eq(wzp_fec_symbol_parse(&back, wzp_bytes_of(symbol, sizeof symbol)), WZP_OK);
    ck_assert_uint_eq(back.len, 254);
}
END_TEST

/* --- a stream --------------------------------------------------------------------------------- */

enum { PACKETS_MAX = 64 };

/* The packets of one block, sources first. */
typedef struct stream {
    wzp_fec_policy policy;
    wzp_fec_sender *sender;
    wzp_fec_receiver *receiver;
    uint32_t seq, timestamp_ms;
    size_t count;
    wzp_fec_packet packets[PACKETS_MAX];
    uint8_t payloads[PACKETS_MAX][WZP_FEC_SYMBOL_LEN];
} stream;

static stream *open_stream(uint8_t codec_id, bool as_deployed) {
    static stream s;
    s = (stream){.policy = *wzp_fec_policy_of(codec_id), .seq = 4294967290U, .timestamp_ms = 80};
    const wzp_fec_sender_cfg sending = {.source_count = s.policy.source_count,
                                        .ratio_percent = s.policy.ratio_percent,
                                        .as_deployed = as_deployed};
    const wzp_fec_receiver_cfg receiving = {.policy = s.policy, .as_deployed = as_deployed};
    ck_assert_int_eq(wzp_fec_sender_new(&s.sender, &sending), WZP_OK);
    ck_assert_int_eq(wzp_fec_receiver_new(&s.receiver, &receiving), WZP_OK);
    return &s;
}

static void close_stream(stream *s) {
    wzp_fec_sender_free(&s->sender);
    wzp_fec_receiver_free(&s->receiver);
}

static void emit(stream *s, bool is_repair, uint16_t word, wzp_bytes payload) {
    uint8_t *copy = s->payloads[s->count];
    memcpy(copy, payload.data, payload.len);
    s->packets[s->count++] = (wzp_fec_packet){is_repair, word, s->seq++, s->timestamp_ms,
                                              wzp_bytes_of(copy, payload.len)};
}

static void send_block(stream *s) {
    uint8_t frame[16];
    uint16_t word = 0;
    wzp_bytes payload;
    s->count = 0;
    for (size_t i = 0; i < s->policy.source_count; i++) {
        memset(frame, (int)(s->timestamp_ms / 20), sizeof frame);
        ck_assert_int_eq(
            wzp_fec_sender_push(s->sender, wzp_bytes_of(frame, s->policy.frame_len), false, &word),
            WZP_OK);
        emit(s, false, word, wzp_bytes_of(frame, s->policy.frame_len));
        s->timestamp_ms += s->policy.frame_ms;
    }
    while (wzp_fec_sender_next_repair(s->sender, &word, &payload)) {
        emit(s, true, word, payload);
    }
}

/* Packets whose bit is set arrive; returns how many frames are recovered, and correctly. */
static size_t deliver(stream *s, uint32_t arriving, wzp_time now) {
    size_t recovered = 0;
    for (size_t i = 0; i < s->count; i++) {
        if ((arriving >> i & 1) == 0) {
            continue;
        }
        const wzp_err err = wzp_fec_receiver_add(s->receiver, &s->packets[i], now);
        ck_assert_msg(err == WZP_OK || err == WZP_ERR_FEC_DUPLICATE, "packet %zu: %s", i,
                      wzp_err_name(err));
        wzp_fec_frame frame;
        while (wzp_fec_receiver_next_frame(s->receiver, &frame)) {
            const wzp_fec_packet *want = &s->packets[frame.index];
            ck_assert_uint_lt(frame.index, s->policy.source_count);
            ck_assert_uint_eq(frame.block, wzp_fec_block_of(want->fec_block));
            ck_assert((arriving >> frame.index & 1) == 0);
            ck_assert(wzp_bytes_equal(frame.payload, want->payload));
            ck_assert_uint_eq(frame.seq, want->seq);
            ck_assert_uint_eq(frame.timestamp_ms, want->timestamp_ms);
            recovered++;
        }
    }
    return recovered;
}

START_TEST(a_block_on_the_wire) {
    for (uint8_t codec = 3; codec <= 4; codec++) {
        stream *s = open_stream(codec, false);
        for (unsigned block = 0; block < 300; block++) {
            send_block(s);
            ck_assert_uint_eq(s->count, codec == 3 ? 8 : 16);
            for (size_t i = 0; i < s->count; i++) {
                const wzp_fec_packet *p = &s->packets[i];
                ck_assert_uint_eq(p->fec_block, i << 8 | block % 256);
                ck_assert_uint_eq(p->payload.len,
                                  p->is_repair ? s->policy.frame_len + 2U : s->policy.frame_len);
            }
        }
        close_stream(s);
    }
}
END_TEST

/* All losses there can be: whatever is recovered is right, and all is that K symbols allow. */
START_TEST(every_loss_of_a_block) {
    stream *s = open_stream(3, false);
    for (uint32_t arriving = 0; arriving < 256; arriving++) {
        send_block(s);
        const unsigned sources = (unsigned)__builtin_popcount(arriving & 31);
        const bool enough = __builtin_popcount(arriving) >= 5;
        const size_t got = deliver(s, arriving, (wzp_time)arriving * 100 * WZP_MS);
        ck_assert_msg(got == (enough ? 5 - sources : 0), "arriving %x: %zu recovered", arriving,
                      got);
    }
    close_stream(s);
    s = open_stream(4, false);
    size_t stuck = 0;
    for (uint32_t arriving = 0; arriving < 65536; arriving += 7) {
        send_block(s);
        const unsigned sources = (unsigned)__builtin_popcount(arriving & 255);
        const size_t got = deliver(s, arriving, (wzp_time)arriving * 320 * WZP_MS);
        const bool enough = __builtin_popcount(arriving) >= 8;
        ck_assert_msg(got == (enough ? 8 - sources : 0) || (enough && got == 0), "arriving %x",
                      arriving);
        stuck += enough && sources < 8 && got == 0;
    }
    ck_assert_uint_lt(stuck, 20);
    close_stream(s);
}
END_TEST

START_TEST(full_symbols_are_the_same) {
    stream *s = open_stream(4, true);
    wzp_fec_receiver *receiver = NULL;
    const wzp_fec_receiver_cfg cfg = {.policy = s->policy};
    ck_assert_int_eq(wzp_fec_receiver_new(&receiver, &cfg), WZP_OK);
    wzp_fec_receiver_free(&s->receiver);
    s->receiver = receiver;
    send_block(s);
    ck_assert_uint_eq(s->packets[8].payload.len, WZP_FEC_SYMBOL_LEN);
    ck_assert_uint_eq(deliver(s, 0xff0f, 0), 4);
    close_stream(s);
}
END_TEST

/* Media sheet 7.5: the deployed receiver mixes bare frames with sums of prefixed ones. */
START_TEST(the_deployed_receiver_recovers_garbage) {
    stream *s = open_stream(4, true);
    wzp_fec_frame frame;
    send_block(s);
    size_t given = 0;
    size_t right = 0;
    for (size_t i = 1; i < 9; i++) {
        ck_assert_int_eq(wzp_fec_receiver_add(s->receiver, &s->packets[i], 0), WZP_OK);
    }
    while (wzp_fec_receiver_next_frame(s->receiver, &frame)) {
        given++;
        right += wzp_bytes_equal(frame.payload, s->packets[frame.index].payload);
    }
    ck_assert_uint_eq(given, 8);
    ck_assert_uint_eq(right, 0);
    /* Repair symbols alone are consistent. */
    send_block(s);
    for (size_t i = 8; i < 16; i++) {
        ck_assert_int_eq(wzp_fec_receiver_add(s->receiver, &s->packets[i], 0), WZP_OK);
    }
    while (wzp_fec_receiver_next_frame(s->receiver, &frame)) {
        right += wzp_bytes_equal(frame.payload, s->packets[frame.index].payload);
    }
    ck_assert_uint_eq(right, 8);
    close_stream(s);
}
END_TEST

START_TEST(deployed_blocks_stay_until_they_are_expired) {
    stream *s = open_stream(3, true);
    for (unsigned block = 0; block < 200; block++) {
        send_block(s);
        ck_assert_int_eq(
            wzp_fec_receiver_add(s->receiver, &s->packets[0], (wzp_time)block * 100 * WZP_MS),
            WZP_OK);
    }
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 200);
    wzp_fec_receiver_expire_before(s->receiver, 150);
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 200 - 128);
    close_stream(s);
}
END_TEST

/* FEC-006: an id that comes again, a turn later, does not meet what is left of the former block. */
START_TEST(ids_that_wrap_do_not_mix) {
    stream *s = open_stream(3, false);
    for (unsigned block = 0; block < 600; block++) {
        const wzp_time now = (wzp_time)block * 100 * WZP_MS;
        send_block(s);
        if (block % 256 == 0) {
            ck_assert_uint_eq(deliver(s, 0x0f >> (block / 256 % 2), now), 0);
        } else {
            ck_assert_uint_eq(deliver(s, 0xfe, now), 1);
        }
        ck_assert_uint_le(wzp_fec_receiver_blocks(s->receiver), WZP_FEC_BLOCKS_AHEAD + 1);
    }
    wzp_fec_receiver_stats stats;
    wzp_fec_receiver_count(s->receiver, &stats);
    ck_assert_uint_eq(stats.blocks_incomplete, 3);
    close_stream(s);
}
END_TEST

static wzp_err offer(stream *s, bool is_repair, uint8_t block, uint8_t index, size_t len,
                     wzp_time now) {
    static const uint8_t octets[300] = {1};
    const wzp_fec_packet packet = {.is_repair = is_repair,
                                   .fec_block = wzp_fec_word(block, index),
                                   .payload = wzp_bytes_of(octets, len)};
    return wzp_fec_receiver_add(s->receiver, &packet, now);
}

START_TEST(what_a_receiver_refuses) {
    stream *s = open_stream(3, false);
    ck_assert_int_eq(offer(s, false, 0, 5, 8, 0), WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(offer(s, false, 0, 255, 8, 0), WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(offer(s, true, 0, 4, 8, 0), WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(offer(s, true, 0, 5, 0, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(offer(s, true, 0, 5, 257, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(offer(s, true, 0, 5, 300, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 0);
    ck_assert_int_eq(offer(s, true, 0, 5, 256, 0), WZP_OK);
    ck_assert_int_eq(offer(s, true, 0, 5, 1, 0), WZP_ERR_FEC_DUPLICATE);
    ck_assert_int_eq(offer(s, false, 0, 0, 300, 0), WZP_OK); /* cut, as the sender's view is */
    ck_assert_int_eq(offer(s, false, 0, 0, 8, 0), WZP_ERR_FEC_DUPLICATE);
    ck_assert_int_eq(offer(s, true, 0, 255, 8, 0), WZP_OK);
    ck_assert_int_eq(offer(s, false, 3, 0, 8, 0), WZP_OK);
    ck_assert_int_eq(offer(s, false, 0, 1, 8, 0), WZP_OK);
    ck_assert_int_eq(offer(s, false, 4, 0, 8, 0), WZP_OK);
    ck_assert_int_eq(offer(s, false, 0, 2, 8, 0), WZP_ERR_REPLAY);
    wzp_fec_receiver_stats stats;
    wzp_fec_receiver_count(s->receiver, &stats);
    ck_assert_uint_eq(stats.refused, 6);
    ck_assert_uint_eq(stats.duplicates, 2);
    ck_assert_uint_eq(stats.late, 1);
    close_stream(s);
}
END_TEST

START_TEST(more_repair_symbols_than_are_kept) {
    stream *s = open_stream(3, false);
    for (uint8_t i = 0; i < 4; i++) {
        ck_assert_int_eq(offer(s, true, 9, (uint8_t)(100 + i), 10, 0), WZP_OK);
    }
    close_stream(s);
    s = open_stream(4, false);
    for (unsigned i = 8; i < 256; i++) {
        (void)offer(s, true, 1, (uint8_t)i, 1, 0); /* the ninth at the latest completes it */
    }
    wzp_fec_receiver_stats stats;
    wzp_fec_receiver_count(s->receiver, &stats);
    ck_assert_uint_le(stats.repairs, 16);
    ck_assert_uint_eq(stats.recovered, 0); /* frames of a wrong length */
    close_stream(s);
}
END_TEST

START_TEST(blocks_live_two_seconds) {
    stream *s = open_stream(3, false);
    send_block(s);
    ck_assert_uint_eq(deliver(s, 0x0f, 0), 0);
    ck_assert_uint_eq(deliver(s, 0x20, WZP_FEC_BLOCK_LIFE - 1), 1);
    send_block(s);
    ck_assert_uint_eq(deliver(s, 0x0f, 10 * WZP_S), 0);
    ck_assert_uint_eq(deliver(s, 0x20, 10 * WZP_S + WZP_FEC_BLOCK_LIFE), 0);
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 1);
    /* After a silence any id may come, also one that would be far behind. */
    ck_assert_int_eq(offer(s, false, 200, 0, 8, 20 * WZP_S), WZP_OK);
    close_stream(s);
}
END_TEST

/* Half of the ids around: what was kept is neither ahead nor near. */
START_TEST(a_leap_drops_all) {
    stream *s = open_stream(3, false);
    for (unsigned id = 253; id <= 256; id++) {
        ck_assert_int_eq(offer(s, false, (uint8_t)id, 0, 8, 0), WZP_OK);
    }
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 4);
    ck_assert_int_eq(offer(s, false, 127, 0, 8, 0), WZP_OK);
    ck_assert_uint_eq(wzp_fec_receiver_blocks(s->receiver), 1);
    close_stream(s);
}
END_TEST

/* No source packet tells when its frame was said: the repair packets do. */
START_TEST(repair_symbols_alone) {
    stream *s = open_stream(4, false);
    send_block(s);
    ck_assert_uint_eq(deliver(s, 0xff00, 0), 8);
    close_stream(s);
}
END_TEST

/* Whatever arrives, places for blocks suffice. */
START_TEST(random_packets) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "packets");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int deployed = 0; deployed < 2; deployed++) {
        stream *s = open_stream(4, deployed != 0);
        for (int i = 0; i < 50000; i++) {
            wzp_fec_frame frame;
            const wzp_err err = offer(s, wzp_rng_below(rng, 2) == 0, (uint8_t)wzp_rng_u64(rng),
                                      (uint8_t)wzp_rng_below(rng, 20), wzp_rng_below(rng, 260),
                                      (wzp_time)i * WZP_MS);
            (void)err;
            while (wzp_fec_receiver_next_frame(s->receiver, &frame)) {
                ck_assert_uint_lt(frame.index, 8);
            }
        }
        ck_assert_uint_le(wzp_fec_receiver_blocks(s->receiver), deployed != 0 ? 256 : 4);
        close_stream(s);
    }
}
END_TEST

START_TEST(senders_are_refused_or_abandon) {
    static const wzp_fec_sender_cfg refused[] = {
        {.source_count = 0, .ratio_percent = 50},
        {.source_count = 257, .ratio_percent = 0},
        {.source_count = 200, .ratio_percent = 29},
        {.source_count = 200, .ratio_percent = 20, .keyframe_percent = 50},
        {.source_count = SIZE_MAX, .ratio_percent = 1}};
    wzp_fec_sender *sender = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(refused); i++) {
        ck_assert_int_eq(wzp_fec_sender_new(&sender, &refused[i]), WZP_ERR_FEC_BLOCK_SIZE);
    }
    for (int deployed = 0; deployed < 2; deployed++) {
        const wzp_fec_sender_cfg cfg = {
            .source_count = 5, .ratio_percent = 50, .as_deployed = deployed != 0};
        uint16_t word = 0;
        wzp_bytes payload;
        ck_assert_int_eq(wzp_fec_sender_new(&sender, &cfg), WZP_OK);
        ck_assert_int_eq(wzp_fec_sender_push(sender, wzp_bytes_str("frame"), false, &word), WZP_OK);
        ck_assert(!wzp_fec_sender_next_repair(sender, &word, &payload));
        wzp_fec_sender_abandon(sender);
        ck_assert_uint_eq(wzp_fec_sender_block(sender), deployed != 0 ? 0 : 1);
        wzp_fec_sender_abandon(sender); /* nothing is open */
        ck_assert_uint_eq(wzp_fec_sender_block(sender), deployed != 0 ? 0 : 1);
        wzp_fec_sender_resume(sender, 255);
        for (unsigned i = 0; i < 5; i++) {
            ck_assert_int_eq(wzp_fec_sender_push(sender, wzp_bytes_str("f"), false, &word), WZP_OK);
            ck_assert_uint_eq(word, i << 8 | 255);
        }
        ck_assert_int_eq(wzp_fec_sender_push(sender, wzp_bytes_str("f"), false, &word),
                         WZP_ERR_PEER_STATE);
        ck_assert_uint_eq(wzp_fec_sender_block(sender), 0);
        wzp_fec_sender_free(&sender);
    }
}
END_TEST

START_TEST(keyframes_get_more_repair_symbols) {
    const wzp_fec_sender_cfg cfg = {.source_count = 5, .ratio_percent = 20, .keyframe_percent = 80};
    wzp_fec_sender *sender = NULL;
    uint16_t word = 0;
    wzp_bytes payload;
    ck_assert_int_eq(wzp_fec_sender_new(&sender, &cfg), WZP_OK);
    for (unsigned block = 0; block < 4; block++) {
        for (unsigned i = 0; i < 5; i++) {
            const bool is_keyframe = block == 1 && i == 2;
            ck_assert_int_eq(
                wzp_fec_sender_push(sender, wzp_bytes_str("frame"), is_keyframe, &word), WZP_OK);
        }
        size_t repairs = 0;
        while (wzp_fec_sender_next_repair(sender, &word, &payload)) {
            repairs++;
        }
        ck_assert_uint_eq(repairs, block == 1 ? 4 : 1);
    }
    wzp_fec_sender_free(&sender);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("block");
    tcase_add_test(tc, only_codec2_is_protected);
    tcase_add_loop_test(tc, repair_counts, 0, WZP_COUNT_OF(count_cases));
    tcase_add_test(tc, repair_counts_are_upstreams);
    tcase_add_test(tc, keyframes_replace_the_ratio);
    tcase_add_test(tc, expiry_is_a_half_of_the_ids);
    tcase_add_test(tc, symbols_take_turns);
    tcase_add_test(tc, symbols_have_a_prefix);
    tcase_add_test(tc, a_block_on_the_wire);
    tcase_add_test(tc, every_loss_of_a_block);
    tcase_add_test(tc, full_symbols_are_the_same);
    tcase_add_test(tc, the_deployed_receiver_recovers_garbage);
    tcase_add_test(tc, deployed_blocks_stay_until_they_are_expired);
    tcase_add_test(tc, ids_that_wrap_do_not_mix);
    tcase_add_test(tc, what_a_receiver_refuses);
    tcase_add_test(tc, more_repair_symbols_than_are_kept);
    tcase_add_test(tc, blocks_live_two_seconds);
    tcase_add_test(tc, a_leap_drops_all);
    tcase_add_test(tc, repair_symbols_alone);
    tcase_add_test(tc, random_packets);
    tcase_add_test(tc, senders_are_refused_or_abandon);
    tcase_add_test(tc, keyframes_get_more_repair_symbols);
    return wzp_run_suite("block", tc);
}
