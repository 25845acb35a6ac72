#include "wire/compact.h"

#include "base/rng.h"
#include "wire/testing/bytes.h"

#define BASE "00 020000000000 0000000a 000000c8 0000 61" /* FULL: seq 10, timestamp 200 */

/* Frames on one context; the last one is judged. */
static const struct decode_case {
    const char *name, *frames[4];
    wzp_err want;
    size_t want_offset;
    uint32_t seq, timestamp_ms;
    const char *payload;
} decode_cases[] = {
    {"full", {BASE}, WZP_OK, 0, 10, 200, "61"},
    {"mini", {BASE, "01 01 0014 0002 6f6b"}, WZP_OK, 0, 11, 220, "6f6b"},
    {"deltas add up", {BASE, "01 01 0014 0001 62", "01 02 0028 0001 63"}, WZP_OK, 0, 13, 260, "63"},
    {"maximum deltas, no payload", {BASE, "01 ff ffff 0000"}, WZP_OK, 0, 265, 65735, ""},
    {"zero deltas", {BASE, "01 00 0000 0001 79"}, WZP_OK, 0, 10, 200, "79"},
    {"both counters wrap",
     {"00 020000000000fffffffffffffff00000 61", "01 01 0014 0001 62"},
     WZP_OK,
     0,
     0,
     4,
     "62"},
    {"bytes after payload_len",
     {BASE, "01 01 0014 0002 6f6b 4a554e4b"},
     WZP_OK,
     0,
     11,
     220,
     "6f6b"},
    {"a refused mini does not move the context",
     {BASE, "01 01 0014 0003 6162", "01 01 0014 0002 6f6b"},
     WZP_OK,
     0,
     11,
     220,
     "6f6b"},
    {"nor does a refused full",
     {BASE, "00 010000000000 0000000b 000000dc 0000 62", "01 01 0014 0001 63"},
     WZP_OK,
     0,
     11,
     220,
     "63"},
    {"empty", {""}, WZP_ERR_TRUNCATED, 0, 0, 0, NULL},
    {"tag FULL only", {"00"}, WZP_ERR_TRUNCATED, 1, 0, 0, NULL},
    {"tag MINI only", {"01"}, WZP_ERR_TRUNCATED, 1, 0, 0, NULL},
    {"mini header one byte short", {"01 01 0014 00"}, WZP_ERR_TRUNCATED, 4, 0, 0, NULL},
    {"payload_len past the end", {"01 01 0014 0001"}, WZP_ERR_MINI_LENGTH, 4, 0, 0, NULL},
    {"no baseline", {"01 01 0014 0001 78"}, WZP_ERR_NO_BASELINE, 0, 0, 0, NULL},
    {"unknown tag", {"ff"}, WZP_ERR_FRAME_TYPE, 0, 0, 0, NULL},
    {"a plain packet", {"02 02000000000000000000000000000000"}, WZP_ERR_FRAME_TYPE, 0, 0, 0, NULL},
    {"bad codec in a full", {"00 0200000a000000000001000000140000"}, WZP_ERR_CODEC, 4, 0, 0, NULL},
};

START_TEST(decode) {
    const struct decode_case *c = &decode_cases[_i];
    wzp_compact context;
    wzp_media_packet packet = {0};
    wzp_fail fail = {0};
    wzp_err err = WZP_OK;
    uint8_t buf[64];
    wzp_compact_init(&context);
    for (size_t i = 0; i < WZP_COUNT_OF(c->frames) && c->frames[i] != NULL; i++) {
        fail = (wzp_fail){0};
        err = wzp_compact_decode(&context, unhex(buf, sizeof buf, c->frames[i]), &packet, &fail);
    }
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: at %zu", c->name, fail.offset);
    if (err == WZP_OK) {
        uint8_t want[16];
        ck_assert_msg(packet.hdr.seq == c->seq, "%s: seq %u", c->name, packet.hdr.seq);
        ck_assert_uint_eq(packet.hdr.timestamp_ms, c->timestamp_ms);
        CK_ASSERT_BYTES(packet.payload, unhex(want, sizeof want, c->payload));
    }
}
END_TEST

static void check_same_header(const wzp_media_hdr *got, const wzp_media_hdr *want) {
    uint8_t bytes[2][WZP_MEDIA_HDR_LEN];
    const wzp_media_hdr *const hdrs[] = {got, want};
    for (size_t i = 0; i < 2; i++) {
        wzp_wr wr;
        wzp_wr_init(&wr, bytes[i], sizeof bytes[i]);
        wzp_media_hdr_write(&wr, hdrs[i]);
    }
    ck_assert_mem_eq(bytes[0], bytes[1], sizeof bytes[0]);
}

START_TEST(mini_inherits_the_rest) {
    uint8_t buf[64];
    wzp_compact context;
    wzp_media_packet full;
    wzp_media_packet mini;
    wzp_compact_init(&context);
    ck_assert(wzp_compact_decode(
                  &context,
                  unhex(buf, sizeof buf, "00 02400004073200000064000003e80305 61 01020304"), &full,
                  NULL) == WZP_OK);
    ck_assert_uint_eq(full.report.loss_pct, 1);
    ck_assert(wzp_compact_decode(&context, unhex(buf, sizeof buf, "01 01 0014 0001 62"), &mini,
                                 NULL) == WZP_OK);
    wzp_media_hdr want = full.hdr;
    want.seq = 101;
    want.timestamp_ms = 1020;
    check_same_header(&mini.hdr, &want); /* the Q flag too, as deployed */
    ck_assert_uint_eq(mini.report.loss_pct, 0);
}
END_TEST

static const struct encode_case {
    const char *name;
    uint8_t tag;
    wzp_media_hdr next; /* after seq 10, timestamp 200, everything else 0 */
} encode_cases[] = {
    {"steady state", WZP_COMPACT_MINI, {.seq = 11, .timestamp_ms = 220}},
    {"same counters", WZP_COMPACT_MINI, {.seq = 10, .timestamp_ms = 200}},
    {"255 lost", WZP_COMPACT_MINI, {.seq = 265, .timestamp_ms = 220}},
    {"256 lost", WZP_COMPACT_FULL, {.seq = 266, .timestamp_ms = 220}},
    {"seq goes back", WZP_COMPACT_FULL, {.seq = 9, .timestamp_ms = 220}},
    {"pause of 65 535 ms", WZP_COMPACT_MINI, {.seq = 11, .timestamp_ms = 65735}},
    {"pause of 65 536 ms", WZP_COMPACT_FULL, {.seq = 11, .timestamp_ms = 65736}},
    {"repair", WZP_COMPACT_FULL, {.flags = WZP_MEDIA_REPAIR, .seq = 11, .timestamp_ms = 220}},
    {"report", WZP_COMPACT_FULL, {.flags = WZP_MEDIA_QUALITY, .seq = 11, .timestamp_ms = 220}},
    {"other flags", WZP_COMPACT_FULL, {.flags = 1, .seq = 11, .timestamp_ms = 220}},
    {"other codec", WZP_COMPACT_FULL, {.codec_id = 1, .seq = 11, .timestamp_ms = 220}},
    {"other stream", WZP_COMPACT_FULL, {.stream_id = 1, .seq = 11, .timestamp_ms = 220}},
    {"other fec_ratio", WZP_COMPACT_FULL, {.fec_ratio = 1, .seq = 11, .timestamp_ms = 220}},
    {"other fec_block", WZP_COMPACT_FULL, {.fec_block = 1, .seq = 11, .timestamp_ms = 220}},
    {"video", WZP_COMPACT_FULL, {.media_type = 1, .seq = 11, .timestamp_ms = 220}},
};

static wzp_bytes encode(wzp_compact *context, wzp_media_hdr hdr, uint8_t *buf, size_t cap) {
    wzp_wr wr;
    wzp_wr_init(&wr, buf, cap);
    hdr.version = WZP_PROTOCOL_VERSION;
    const wzp_media_packet packet = {.hdr = hdr, .payload = wzp_bytes_of("frame", 5)};
    wzp_compact_encode(context, &packet, &wr);
    return wzp_bytes_of(buf, wzp_wr_end(&wr) == WZP_OK ? wzp_wr_len(&wr) : 0);
}

START_TEST(encoder_chooses) {
    const struct encode_case *c = &encode_cases[_i];
    uint8_t buf[64];
    wzp_compact context;
    wzp_compact_init(&context);
    const wzp_media_hdr first = {.seq = 10, .timestamp_ms = 200};
    ck_assert_uint_eq(encode(&context, first, buf, sizeof buf).data[0], WZP_COMPACT_FULL);
    const wzp_bytes frame = encode(&context, c->next, buf, sizeof buf);
    ck_assert_msg(frame.data[0] == c->tag, "%s: tag %u", c->name, frame.data[0]);
}
END_TEST

START_TEST(every_fiftieth_is_full) {
    uint8_t buf[64];
    wzp_compact context;
    wzp_compact_init(&context);
    for (uint32_t i = 0; i < 201; i++) {
        const wzp_media_hdr hdr = {.seq = i, .timestamp_ms = 20 * i};
        const wzp_bytes frame = encode(&context, hdr, buf, sizeof buf);
        ck_assert_uint_eq(frame.data[0], i % 50 == 0 ? WZP_COMPACT_FULL : WZP_COMPACT_MINI);
    }
}
END_TEST

START_TEST(frame_that_does_not_fit_is_no_baseline) {
    uint8_t buf[64];
    wzp_compact context;
    wzp_compact_init(&context);
    const wzp_media_hdr hdr = {.seq = 10, .timestamp_ms = 200};
    ck_assert_uint_eq(encode(&context, hdr, buf, 20).len, 0);
    ck_assert(!context.has_baseline);
    ck_assert_uint_eq(encode(&context, hdr, buf, sizeof buf).data[0], WZP_COMPACT_FULL);
}
END_TEST

/* Senders that jump, change codec, attach reports: the receiver always expands the same packet. */
START_TEST(random_sender_round_trips) {
    wzp_prng prng;
    wzp_prng_init(&prng, 2, "compact_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_compact sender;
    wzp_compact receiver;
    wzp_compact_init(&sender);
    wzp_compact_init(&receiver);
    wzp_media_packet packet = {.hdr = {.version = 2}};
    unsigned minis = 0;
    for (int i = 0; i < 20000; i++) {
        static const uint8_t flags[] = {0, 0, 0, 0, 0, 0, 0, 0x40, 0x80, 0x01};
        uint8_t buf[128];
        uint8_t payload[40];
        wzp_media_packet got;
        wzp_rng_fill(rng, payload, sizeof payload);
        packet.hdr.flags = flags[wzp_rng_below(rng, WZP_COUNT_OF(flags))];
        packet.hdr.seq += (uint32_t)wzp_rng_below(rng, wzp_rng_below(rng, 20) == 0 ? 1000 : 4);
        packet.hdr.timestamp_ms += (uint32_t)wzp_rng_below(rng, i % 50 == 0 ? 100000 : 60);
        packet.hdr.codec_id = (uint8_t)(wzp_rng_below(rng, 30) == 0 ? i % 9 : packet.hdr.codec_id);
        packet.hdr.media_type = (uint8_t)(wzp_rng_below(rng, 30) == 0);
        packet.payload = wzp_bytes_of(payload, (size_t)wzp_rng_below(rng, sizeof payload + 1));
        packet.report = (wzp_quality_report){0};
        if ((packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
            packet.report.jitter_ms = (uint8_t)i;
        }
        wzp_wr wr;
        wzp_wr_init(&wr, buf, sizeof buf);
        wzp_compact_encode(&sender, &packet, &wr);
        uint8_t *copy = exact(buf, wzp_wr_len(&wr));
        ck_assert(wzp_compact_decode(&receiver, wzp_bytes_of(copy, wzp_wr_len(&wr)), &got, NULL) ==
                  WZP_OK);
        check_same_header(&got.hdr, &packet.hdr);
        ck_assert_mem_eq(&got.report, &packet.report, sizeof got.report);
        CK_ASSERT_BYTES(got.payload, packet.payload);
        minis += copy[0] == WZP_COMPACT_MINI;
        free(copy);
    }
    ck_assert_uint_gt(minis, 5000);
}
END_TEST

START_TEST(mini_header) {
    static const char *const texts[] = {"01001400a0", "03001400a0", "ffffffffff", "0000000000"};
    uint8_t buf[8];
    uint8_t out[8];
    for (size_t i = 0; i < WZP_COUNT_OF(texts); i++) {
        const wzp_bytes input = unhex(buf, sizeof buf, texts[i]);
        for (size_t len = 0; len <= input.len; len++) {
            wzp_mini_hdr mini;
            wzp_rd rd;
            wzp_wr wr;
            wzp_rd_init(&rd, wzp_bytes_of(buf, len));
            const wzp_err err = wzp_mini_hdr_parse(&mini, &rd);
            ck_assert(err == (len == WZP_MINI_HDR_LEN ? WZP_OK : WZP_ERR_TRUNCATED));
            if (err == WZP_OK) {
                wzp_wr_init(&wr, out, sizeof out);
                wzp_mini_hdr_write(&wr, &mini);
                CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), input);
            }
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("compact");
    tcase_add_loop_test(tc, decode, 0, WZP_COUNT_OF(decode_cases));
    tcase_add_test(tc, mini_inherits_the_rest);
    tcase_add_loop_test(tc, encoder_chooses, 0, WZP_COUNT_OF(encode_cases));
    tcase_add_test(tc, every_fiftieth_is_full);
    tcase_add_test(tc, frame_that_does_not_fit_is_no_baseline);
    tcase_add_test(tc, random_sender_round_trips);
    tcase_add_test(tc, mini_header);
    return wzp_run_suite("compact", tc);
}
