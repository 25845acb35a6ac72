#include "wire/signal_frame.h"

#include "base/rng.h"
#include "wire/testing/bytes.h"

static const struct frame_case {
    const char *name, *hex;
    wzp_err want;
    size_t want_offset;
    uint64_t want_got;
    const char *json;
} cases[] = {
    {"message", "00000009 225265666c65637422", WZP_OK, 0, 0, "\"Reflect\""},
    {"bytes after the message", "00000009 225265666c65637422 ff00", WZP_OK, 0, 0, "\"Reflect\""},
    {"length 0", "00000000", WZP_OK, 0, 0, ""},
    {"nothing", "", WZP_ERR_SIGNAL_TRUNCATED, 0, 0, NULL},
    {"3 of 4 length bytes", "000000", WZP_ERR_SIGNAL_TRUNCATED, 0, 3, NULL},
    {"8 of 10 bytes", "0000000a 225265666c656374", WZP_ERR_SIGNAL_TRUNCATED, 4, 8, NULL},
    {"one past the limit", "00100001", WZP_ERR_SIGNAL_TOO_LARGE, 0, 1048577, NULL},
    {"the limit itself", "00100000 22", WZP_ERR_SIGNAL_TRUNCATED, 4, 1, NULL},
    {"2^32-1", "ffffffff", WZP_ERR_SIGNAL_TOO_LARGE, 0, UINT32_MAX, NULL},
    {"little-endian length", "09000000 225265666c65637422", WZP_ERR_SIGNAL_TOO_LARGE, 0, 0x09000000,
     NULL},
    {"no length", "225265666c65637422", WZP_ERR_SIGNAL_TOO_LARGE, 0, 0x22526566, NULL},
};

static void judge(const struct frame_case *c, wzp_err err, const wzp_fail *fail, wzp_bytes json) {
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    if (err == WZP_OK) {
        CK_ASSERT_BYTES(json, wzp_bytes_str(c->json));
    } else {
        ck_assert_msg(fail->offset == c->want_offset, "%s: at %zu", c->name, fail->offset);
        ck_assert_uint_eq(fail->got, c->want_got);
    }
}

START_TEST(whole_stream) {
    uint8_t buf[64];
    wzp_bytes json = {NULL, 0};
    wzp_fail fail = {0};
    const wzp_err err = wzp_signal_frame_parse(&json, unhex(buf, sizeof buf, cases[_i].hex), &fail);
    judge(&cases[_i], err, &fail, json);
}
END_TEST

static wzp_err feed(wzp_signal_stream *stream, wzp_bytes input, size_t piece, wzp_fail *fail) {
    for (size_t at = 0; at < input.len; at += piece) {
        const size_t len = input.len - at < piece ? input.len - at : piece;
        uint8_t *copy = exact(input.data + at, len);
        const wzp_err err = wzp_signal_stream_push(stream, wzp_bytes_of(copy, len), fail);
        free(copy);
        if (err != WZP_OK) {
            return err;
        }
    }
    return wzp_signal_stream_end(stream, fail);
}

/* The same results from pieces of any size. */
START_TEST(stream_in_pieces) {
    uint8_t buf[64];
    const wzp_bytes input = unhex(buf, sizeof buf, cases[_i].hex);
    for (size_t piece = 1; piece <= 16; piece++) {
        wzp_signal_stream stream;
        wzp_bytes json = {NULL, 0};
        wzp_fail fail = {0};
        wzp_signal_stream_init(&stream, 0);
        const wzp_err err = feed(&stream, input, piece, &fail);
        ck_assert(wzp_signal_stream_message(&stream, &json) == (err == WZP_OK));
        judge(&cases[_i], err, &fail, json);
        wzp_signal_stream_clear(&stream);
    }
}
END_TEST

START_TEST(every_prefix_waits) {
    const char text[] = "\0\0\0\x09\"Reflect\"";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        wzp_signal_stream stream;
        wzp_bytes json;
        wzp_signal_stream_init(&stream, 0);
        ck_assert(wzp_signal_stream_push(&stream, wzp_bytes_of(text, len), NULL) == WZP_OK);
        ck_assert(!wzp_signal_stream_message(&stream, &json));
        ck_assert(wzp_signal_stream_end(&stream, NULL) == WZP_ERR_SIGNAL_TRUNCATED);
        wzp_signal_stream_clear(&stream);
        ck_assert(wzp_signal_frame_parse(&json, wzp_bytes_of(text, len), NULL) ==
                  WZP_ERR_SIGNAL_TRUNCATED);
    }
}
END_TEST

START_TEST(memory_follows_what_came) {
    uint8_t buf[16];
    wzp_signal_stream stream;
    wzp_signal_stream_init(&stream, 0);
    const wzp_bytes claim = unhex(buf, sizeof buf, "00100000 2222222222");
    ck_assert(wzp_signal_stream_push(&stream, claim, NULL) == WZP_OK);
    ck_assert_uint_le(stream.cap, 16);
    wzp_signal_stream_clear(&stream);
}
END_TEST

START_TEST(lower_limit) {
    wzp_signal_stream stream;
    wzp_fail fail;
    wzp_signal_stream_init(&stream, 8);
    ck_assert(wzp_signal_stream_push(&stream, wzp_bytes_of("\0\0\0\x09", 4), &fail) ==
              WZP_ERR_SIGNAL_TOO_LARGE);
    ck_assert_uint_eq(fail.got, 9);
    wzp_signal_stream_clear(&stream);
    ck_assert(wzp_signal_stream_push(&stream, wzp_bytes_of("\0\0\0\x08", 4), &fail) == WZP_OK);
    wzp_signal_stream_clear(&stream);
}
END_TEST

START_TEST(largest_message) {
    uint8_t *body = malloc(WZP_SIGNAL_MAX_LEN);
    uint8_t *raw = malloc(WZP_SIGNAL_MAX_LEN + WZP_SIGNAL_PREFIX_LEN);
    wzp_prng prng;
    wzp_prng_init(&prng, 4, "signal_frame_test");
    wzp_rng_fill(wzp_prng_rng(&prng), body, WZP_SIGNAL_MAX_LEN);
    wzp_wr wr;
    wzp_wr_init(&wr, raw, WZP_SIGNAL_MAX_LEN + WZP_SIGNAL_PREFIX_LEN);
    wzp_signal_frame_write(&wr, wzp_bytes_of(body, WZP_SIGNAL_MAX_LEN));
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    wzp_signal_stream stream;
    wzp_bytes json;
    wzp_signal_stream_init(&stream, 0);
    ck_assert(feed(&stream, wzp_bytes_of(raw, wzp_wr_len(&wr)), 1000, NULL) == WZP_OK);
    ck_assert(wzp_signal_stream_message(&stream, &json));
    CK_ASSERT_BYTES(json, wzp_bytes_of(body, WZP_SIGNAL_MAX_LEN));
    wzp_signal_stream_clear(&stream);
    free(body);
    free(raw);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("signal_frame");
    tcase_add_loop_test(tc, whole_stream, 0, WZP_COUNT_OF(cases));
    tcase_add_loop_test(tc, stream_in_pieces, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, every_prefix_waits);
    tcase_add_test(tc, memory_follows_what_came);
    tcase_add_test(tc, lower_limit);
    tcase_add_test(tc, largest_message);
    return wzp_run_suite("signal_frame", tc);
}
