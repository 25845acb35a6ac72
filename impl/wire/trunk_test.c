#include "wire/trunk.h"

#include "base/rng.h"
#include "wire/testing/bytes.h"

static const struct parse_case {
    const char *name, *hex;
    size_t want_offset, count, trailing;
    wzp_err want;
} parse_cases[] = {
    {"empty frame", "0000", 0, 0, 0, WZP_OK},
    {"three entries", "0003 0001 0005 68656c6c6f 0002 0006 776f726c6421 0100 0001 78", 0, 3, 0,
     WZP_OK},
    {"empty payload", "0001 0001 0000", 0, 1, 0, WZP_OK},
    {"trailing bytes", "0001 0001 0001 61 4a554e4b", 0, 1, 4, WZP_OK},
    {"no bytes", "", 0, 0, 0, WZP_ERR_TRUNCATED},
    {"half a count", "00", 0, 0, 0, WZP_ERR_TRUNCATED},
    {"no entry", "0001", 2, 0, 0, WZP_ERR_TRUNCATED},
    {"entry header short", "0001 0001 00", 4, 0, 0, WZP_ERR_TRUNCATED},
    {"payload short", "0001 0001 0005 61626364", 6, 0, 0, WZP_ERR_TRUNCATED},
    {"65 535 entries announced", "ffff", 2, 0, 0, WZP_ERR_TRUNCATED},
    {"second entry missing", "0002 0001 0001 61", 7, 0, 0, WZP_ERR_TRUNCATED},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    uint8_t buf[64];
    wzp_rd rd;
    uint16_t count = 99;
    const wzp_err err = wzp_trunk_parse(&rd, unhex(buf, sizeof buf, c->hex), &count);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    if (err != WZP_OK) {
        ck_assert_msg(rd.fail.offset == c->want_offset, "%s: at %zu", c->name, rd.fail.offset);
        ck_assert_uint_eq(count, 99);
        return;
    }
    ck_assert_uint_eq(count, c->count);
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
    }
    ck_assert_uint_eq(wzp_rd_left(&rd), c->trailing);
}
END_TEST

START_TEST(round_trip_and_every_prefix) {
    const wzp_trunk_entry entries[] = {{{0xab, 0xcd}, wzp_bytes_str("one")},
                                       {{0xab, 0xcd}, wzp_bytes_str("")},
                                       {{0x00, 0x01}, wzp_bytes_str("three")}};
    uint8_t buf[64];
    wzp_wr wr;
    wzp_rd rd;
    uint16_t count = 0;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_trunk_write(&wr, entries, WZP_COUNT_OF(entries));
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    for (size_t len = 0; len < wzp_wr_len(&wr); len++) {
        uint8_t *cut = exact(buf, len);
        ck_assert(wzp_trunk_parse(&rd, wzp_bytes_of(cut, len), &count) == WZP_ERR_TRUNCATED);
        free(cut);
    }
    ck_assert(wzp_trunk_parse(&rd, wzp_bytes_of(buf, wzp_wr_len(&wr)), &count) == WZP_OK);
    ck_assert_uint_eq(count, WZP_COUNT_OF(entries));
    for (size_t i = 0; i < WZP_COUNT_OF(entries); i++) {
        wzp_trunk_entry got;
        wzp_trunk_next(&rd, &got);
        ck_assert_mem_eq(got.session_id, entries[i].session_id, 2);
        CK_ASSERT_BYTES(got.payload, entries[i].payload);
    }
}
END_TEST

/* What a batch emitted: frames as they came, and all payloads in their order. */
typedef struct outlet {
    size_t frames, entries, last_count, last_len;
    uint32_t next; /* payloads are numbered */
} outlet;

static void take(void *ctx, wzp_bytes frame) {
    outlet *o = ctx;
    wzp_rd rd;
    uint16_t count = 0;
    ck_assert(wzp_trunk_parse(&rd, frame, &count) == WZP_OK);
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, WZP_TRUNK_MAX_ENTRIES);
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_entry entry;
        wzp_trunk_next(&rd, &entry);
        ck_assert_mem_eq(entry.session_id, "\xab\xcd", 2);
        wzp_rd payload;
        wzp_rd_init(&payload, entry.payload);
        ck_assert_uint_eq(wzp_rd_u32(&payload, "number"), o->next++);
    }
    ck_assert_uint_eq(wzp_rd_left(&rd), 0);
    o->frames++;
    o->entries += count;
    o->last_count = count;
    o->last_len = frame.len;
}

static uint32_t pushed; /* reset by each test that pushes */

static wzp_err push(wzp_trunk_batch *batch, size_t len, size_t max_bytes, wzp_time now, outlet *o) {
    uint8_t packet[2000] = {0};
    wzp_wr wr;
    wzp_wr_init(&wr, packet, sizeof packet);
    wzp_wr_u32(&wr, pushed);
    const wzp_err err =
        wzp_trunk_batch_push(batch, wzp_bytes_of(packet, len), max_bytes, now, take, o);
    pushed += err == WZP_OK;
    return err;
}

static void start(wzp_trunk_batch *batch) {
    pushed = 0;
    wzp_trunk_batch_init(batch, (const uint8_t[2]){0xab, 0xcd});
}

START_TEST(tenth_entry_flushes) {
    wzp_trunk_batch batch;
    outlet o = {0};
    start(&batch);
    for (int i = 0; i < 9; i++) {
        ck_assert(push(&batch, 20, 0, 0, &o) == WZP_OK);
    }
    ck_assert_uint_eq(o.frames, 0);
    ck_assert(push(&batch, 20, 0, 0, &o) == WZP_OK);
    ck_assert_uint_eq(o.frames, 1);
    ck_assert_uint_eq(o.last_count, 10);
    ck_assert_uint_eq(o.last_len, 2 + 10 * 24);
    ck_assert(wzp_trunk_batch_deadline(&batch) == WZP_TIME_NEVER);
}
END_TEST

START_TEST(what_does_not_fit_starts_the_next_batch) {
    wzp_trunk_batch batch;
    outlet o = {0};
    start(&batch);
    ck_assert(push(&batch, 500, 1000, 0, &o) == WZP_OK);
    ck_assert(push(&batch, 500, 1000, 0, &o) == WZP_OK); /* 2 + 2 * 504 > 1000 */
    ck_assert_uint_eq(o.frames, 1);
    ck_assert_uint_eq(o.last_count, 1);
    ck_assert_uint_eq(batch.count, 1);
    ck_assert(push(&batch, 490, 1000, 0, &o) == WZP_OK); /* 2 + 504 + 494: exactly the limit */
    ck_assert_uint_eq(o.frames, 2);
    ck_assert_uint_eq(o.last_len, 1000);
}
END_TEST

START_TEST(oversize_packet_goes_alone) {
    wzp_trunk_batch batch;
    outlet o = {0};
    start(&batch);
    ck_assert(push(&batch, 1300, 1162, 0, &o) == WZP_OK);
    ck_assert_uint_eq(o.frames, 1);
    ck_assert_uint_eq(o.last_len, 1306);
    ck_assert(push(&batch, WZP_TRUNK_BUFFER - 5, 1162, 0, &o) == WZP_ERR_TOO_LARGE);
    ck_assert_uint_eq(o.frames, 1);
}
END_TEST

/* The entry that caused a flush is not tested against the limits until the next push. */
START_TEST(oversize_packet_after_others_waits) {
    wzp_trunk_batch batch;
    outlet o = {0};
    start(&batch);
    ck_assert(push(&batch, 20, 1162, 0, &o) == WZP_OK);
    ck_assert(push(&batch, 1300, 1162, 0, &o) == WZP_OK);
    ck_assert_uint_eq(o.frames, 1);
    ck_assert_uint_eq(batch.count, 1);
    ck_assert(push(&batch, 20, 1162, 0, &o) == WZP_OK);
    ck_assert_uint_eq(o.frames, 2);
    ck_assert_uint_eq(o.last_len, 1306);
}
END_TEST

START_TEST(timer) {
    wzp_trunk_batch batch;
    outlet o = {0};
    start(&batch);
    wzp_trunk_batch_flush(&batch, 0, true, take, &o);
    ck_assert_uint_eq(o.frames, 0); /* nothing pending, nothing emitted */
    ck_assert(push(&batch, 20, 0, WZP_S, &o) == WZP_OK);
    ck_assert(push(&batch, 20, 0, WZP_S + 3 * WZP_MS, &o) == WZP_OK);
    ck_assert_uint_eq(wzp_trunk_batch_deadline(&batch), WZP_S + 5 * WZP_MS); /* of the oldest */
    wzp_trunk_batch_flush(&batch, WZP_S + 5 * WZP_MS - 1, false, take, &o);
    ck_assert_uint_eq(o.frames, 0);
    wzp_trunk_batch_flush(&batch, WZP_S + 5 * WZP_MS, false, take, &o);
    ck_assert_uint_eq(o.last_count, 2);
    ck_assert(push(&batch, 20, 0, WZP_S, &o) == WZP_OK);
    wzp_trunk_batch_flush(&batch, WZP_S, true, take, &o);
    ck_assert_uint_eq(o.frames, 2);
}
END_TEST

START_TEST(random_traffic_keeps_order) {
    wzp_prng prng;
    wzp_prng_init(&prng, 3, "trunk_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_trunk_batch batch;
    outlet o = {0};
    wzp_time now = 0;
    start(&batch);
    for (int i = 0; i < 20000; i++) {
        const size_t len = 4 + (size_t)wzp_rng_below(rng, i % 7 == 0 ? 1600 : 200);
        const size_t limit = wzp_rng_below(rng, 5) == 0 ? 0 : 100 + wzp_rng_below(rng, 1400);
        now += wzp_rng_below(rng, 3 * WZP_MS);
        const wzp_err err = push(&batch, len, limit, now, &o);
        ck_assert(err == (len > WZP_TRUNK_BUFFER - 6 ? WZP_ERR_TOO_LARGE : WZP_OK));
        wzp_trunk_batch_flush(&batch, now, false, take, &o);
        ck_assert(wzp_trunk_batch_deadline(&batch) > now);
        ck_assert_uint_lt(batch.count, WZP_TRUNK_MAX_ENTRIES);
    }
    wzp_trunk_batch_flush(&batch, now, true, take, &o);
    ck_assert_uint_eq(o.entries, pushed);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("trunk");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, round_trip_and_every_prefix);
    tcase_add_test(tc, tenth_entry_flushes);
    tcase_add_test(tc, what_does_not_fit_starts_the_next_batch);
    tcase_add_test(tc, oversize_packet_goes_alone);
    tcase_add_test(tc, oversize_packet_after_others_waits);
    tcase_add_test(tc, timer);
    tcase_add_test(tc, random_traffic_keeps_order);
    return wzp_run_suite("trunk", tc);
}
