#include "wire/v1.h"

#include "wire/media.h"
#include "wire/testing/bytes.h"

static const struct v1_case {
    const char *name, *hex;
    wzp_v1_hdr want;
    wzp_err as_v2;
} cases[] = {
    {"bare header", "000000000000000000000000", {0}, WZP_ERR_TRUNCATED},
    {"Opus24k with payload",
     "000000010000001400000000 000102030405060708090a0b0c0d0e0f10111213",
     {.seq = 1, .timestamp_ms = 20},
     WZP_ERR_VERSION},
    {"Codec2_1200 repair",
     "51fcffffffffffffffffff00 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     {0, true, false, 4, 127, 0xffff, 0xffffffff, 0xff, 0xff, 0xff, 0},
     WZP_ERR_VERSION},
    {"version bit",
     "800000090000000000000000 0000000000000000000000000000000000000000",
     {.version = 1, .seq = 9},
     WZP_ERR_VERSION},
    {"aliases a v2 header: nothing in the bytes tells them apart",
     "023400050000006400000000 000102030405060708090a0b0c0d0e0f10111213000a05c8",
     {.quality = true, .fec_ratio_raw = 13, .seq = 5, .timestamp_ms = 100},
     WZP_OK},
    {"same with a sequence number that is no media type",
     "023404000000006400000000 000102030405060708090a0b0c0d0e0f1011121314151617",
     {.quality = true, .fec_ratio_raw = 13, .seq = 0x400, .timestamp_ms = 100},
     WZP_ERR_MEDIA_TYPE},
};

START_TEST(old_packet) {
    const struct v1_case *c = &cases[_i];
    uint8_t buf[64];
    uint8_t out[WZP_V1_HDR_LEN];
    const wzp_bytes input = unhex(buf, sizeof buf, c->hex);
    wzp_v1_hdr hdr = {0};
    wzp_rd rd;
    wzp_wr wr;
    wzp_rd_init(&rd, input);
    ck_assert(wzp_v1_hdr_parse(&hdr, &rd) == WZP_OK);
    ck_assert_msg(hdr.version == c->want.version && hdr.repair == c->want.repair &&
                      hdr.quality == c->want.quality && hdr.codec_id == c->want.codec_id &&
                      hdr.fec_ratio_raw == c->want.fec_ratio_raw && hdr.seq == c->want.seq &&
                      hdr.timestamp_ms == c->want.timestamp_ms &&
                      hdr.fec_block == c->want.fec_block && hdr.fec_symbol == c->want.fec_symbol,
                  "%s", c->name);
    wzp_wr_init(&wr, out, sizeof out);
    wzp_v1_hdr_write(&wr, &hdr);
    CK_ASSERT_BYTES(wzp_bytes_of(out, wzp_wr_len(&wr)), wzp_bytes_of(buf, WZP_V1_HDR_LEN));

    wzp_media_packet packet;
    const wzp_err as_v2 = wzp_media_packet_parse(&packet, input, NULL);
    ck_assert_msg(as_v2 == c->as_v2, "%s: %s", c->name, wzp_err_name(as_v2));
}
END_TEST

START_TEST(every_prefix) {
    const uint8_t raw[WZP_V1_HDR_LEN] = {0};
    for (size_t len = 0; len < sizeof raw; len++) {
        uint8_t *cut = exact(raw, len);
        wzp_v1_hdr hdr;
        wzp_rd rd;
        wzp_rd_init(&rd, wzp_bytes_of(cut, len));
        ck_assert(wzp_v1_hdr_parse(&hdr, &rd) == WZP_ERR_TRUNCATED);
        free(cut);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("v1");
    tcase_add_loop_test(tc, old_packet, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, every_prefix);
    return wzp_run_suite("v1", tc);
}
