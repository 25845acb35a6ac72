#include "wire/federation.h"

#include "wire/testing/bytes.h"

static const struct parse_case {
    const char *name, *hex;
    wzp_err want;
    size_t want_offset;
} parse_cases[] = {
    {"plain", "0feae16d55365acf 02000000000000000001000000140000 616263", WZP_OK, 0},
    {"with report", "1ad18b2c598d0733 02400000000000000002000000280000 616263 001903c8", WZP_OK, 0},
    {"minimum", "876af21d3bdac6d3 02000000000000000000000000000000", WZP_OK, 0},
    {"empty", "", WZP_ERR_FEDERATION_SHORT, 0},
    {"11 bytes", "0feae16d55365acf 020000", WZP_ERR_FEDERATION_SHORT, 0},
    {"12 bytes reach the packet parser", "0feae16d55365acf 02000000", WZP_ERR_TRUNCATED, 8},
    {"23 bytes", "0feae16d55365acf 020000000000000000010000001400", WZP_ERR_TRUNCATED, 8},
    {"no prefix", "0200000000000000 00010000001400006162636465666768", WZP_ERR_VERSION, 8},
    {"bad codec", "0feae16d55365acf 0200000a000000000001000000140000", WZP_ERR_CODEC, 11},
};

START_TEST(parse) {
    const struct parse_case *c = &parse_cases[_i];
    uint8_t buf[64];
    uint8_t out[64];
    const wzp_bytes input = unhex(buf, sizeof buf, c->hex);
    wzp_federation_datagram got;
    wzp_fail fail = {0};
    const wzp_err err = wzp_federation_parse(&got, input, &fail);
    ck_assert_msg(err == c->want, "%s: got %s", c->name, wzp_err_name(err));
    ck_assert_msg(fail.offset == c->want_offset, "%s: at %zu", c->name, fail.offset);
    if (err != WZP_OK) {
        ck_assert(wzp_federation_parse(&got, input, NULL) == err);
        return;
    }
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_federation_write(&wr, got.room_hash, got.packet_bytes);
    CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), input);
}
END_TEST

START_TEST(every_prefix) {
    uint8_t buf[64];
    const wzp_bytes whole =
        unhex(buf, sizeof buf, "1ad18b2c598d0733 02400000000000000002000000280000 001903c8");
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *cut = exact(whole.data, len);
        wzp_federation_datagram got;
        const wzp_err want = len < 12   ? WZP_ERR_FEDERATION_SHORT
                             : len < 24 ? WZP_ERR_TRUNCATED
                             : len < 28 ? WZP_ERR_QUALITY_TRUNCATED
                                        : WZP_OK;
        ck_assert(wzp_federation_parse(&got, wzp_bytes_of(cut, len), NULL) == want);
        free(cut);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("federation");
    tcase_add_loop_test(tc, parse, 0, WZP_COUNT_OF(parse_cases));
    tcase_add_test(tc, every_prefix);
    return wzp_run_suite("federation", tc);
}
