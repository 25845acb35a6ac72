/* Blocks byte for byte as the format draws them, in both orders. */
#include "trace/pcapng.h"

#include <check.h>
#include <stdlib.h>

#include "base/testing/suite.h"

static size_t unhex(uint8_t *out, const char *text) {
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            const char pair[3] = {text[0], text[1], 0};
            out[len++] = (uint8_t)strtoul(pair, NULL, 16);
            text++;
        }
    }
    return len;
}

typedef void put(wzp_wr *wr, wzp_pcapng_order order);

static void put_bare_section(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_section(wr, order, &(wzp_pcapng_section){0});
}

static void put_section(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_section(wr, order, &(wzp_pcapng_section){.program = "ab", .comment = "cdef"});
}

static void put_bare_interface(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_interface(wr, order, &(wzp_pcapng_interface){.link_type = WZP_LINKTYPE_RAW});
}

static void put_interface(wzp_wr *wr, wzp_pcapng_order order) {
    const uint64_t offset = 0x0102030405060708;
    wzp_pcapng_put_interface(wr, order,
                             &(wzp_pcapng_interface){.link_type = 147,
                                                     .snap_len = 0x40000,
                                                     .name = "eth0x",
                                                     .digits = 9,
                                                     .offset_s = &offset});
}

static void put_media_keys(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_media_keys(wr, order, wzp_bytes_str("A b\n"));
}

static void put_secrets(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_secrets(wr, order, wzp_bytes_str("A b c\n"));
}

static void put_bare_packet(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_packet(
        wr, order, &(wzp_pcapng_packet){.time = 0x1122334455667788, .data = wzp_bytes_str("data")});
}

static void put_packet(wzp_wr *wr, wzp_pcapng_order order) {
    wzp_pcapng_put_packet(wr, order,
                          &(wzp_pcapng_packet){.interface = 3,
                                               .time = 0x1122334455667788,
                                               .original_len = 99,
                                               .head = wzp_bytes_str("IP"),
                                               .data = wzp_bytes_str("udp"),
                                               .flags = WZP_PCAPNG_OUTBOUND,
                                               .id = 5,
                                               .comment = wzp_bytes_str("lost!")});
}

static const struct block_case {
    const char *name;
    put *put;
    const char *big, *little;
} block_cases[] = {
    {"section without texts", put_bare_section,
     "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c",
     "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"},
    {"section", put_section,
     "0a0d0d0a 00000030 1a2b3c4d 0001 0000 ffffffffffffffff 0004 0002 61620000 0001 0004 63646566"
     "0000 0000 00000030",
     "0a0d0d0a 30000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0200 61620000 0100 0400 63646566"
     "0000 0000 30000000"},
    {"interface without options", put_bare_interface,
     "00000001 00000014 0065 0000 00000000 00000014",
     "01000000 14000000 6500 0000 00000000 14000000"},
    {"interface", put_interface,
     "00000001 00000038 0093 0000 00040000 0002 0005 6574683078 000000 0009 0001 09 000000"
     "000e 0008 0102030405060708 0000 0000 00000038",
     "01000000 38000000 9300 0000 00000400 0200 0500 6574683078 000000 0900 0100 09 000000"
     "0e00 0800 0807060504030201 0000 0000 38000000"},
    {"secrets", put_secrets, "0000000a 0000001c 544c534b 00000006 41206220630a 0000 0000001c",
     "0a000000 1c000000 4b534c54 06000000 41206220630a 0000 1c000000"},
    {"media keys", put_media_keys, "0000000a 00000018 575a504b 00000004 4120620a 00000018",
     "0a000000 18000000 4b505a57 04000000 4120620a 18000000"},
    {"packet without options", put_bare_packet,
     "00000006 00000024 00000000 11223344 55667788 00000004 00000004 64617461 00000024",
     "06000000 24000000 00000000 44332211 88776655 04000000 04000000 64617461 24000000"},
    {"packet", put_packet,
     "00000006 0000004c 00000003 11223344 55667788 00000005 00000063 4950756470 000000"
     "0002 0004 00000002 0005 0008 0000000000000005 0001 0005 6c6f737421 000000 0000 0000 0000004c",
     "06000000 4c000000 03000000 44332211 88776655 05000000 63000000 4950756470 000000"
     "0200 0400 02000000 0500 0800 0500000000000000 0100 0500 6c6f737421 000000 0000 0000 "
     "4c000000"},
};

static void check_block(const struct block_case *c, wzp_pcapng_order order, const char *hex) {
    uint8_t want[256];
    uint8_t got[256];
    const size_t len = unhex(want, hex);
    for (size_t before = 0; before < 4; before++) { /* wherever the block begins */
        wzp_wr wr;
        wzp_wr_init(&wr, got, sizeof got);
        wr.pos += before;
        c->put(&wr, order);
        ck_assert_int_eq(wzp_wr_end(&wr), WZP_OK);
        ck_assert_msg(wzp_wr_len(&wr) - before == len, "%s: %zu bytes", c->name, wzp_wr_len(&wr));
        ck_assert_msg(memcmp(got + before, want, len) == 0, "%s: other bytes", c->name);
    }
    for (size_t cap = 0; cap < len; cap++) {
        wzp_wr wr;
        wzp_wr_init(&wr, got, cap);
        memset(got, 0xaa, sizeof got);
        c->put(&wr, order);
        ck_assert_msg(wzp_wr_end(&wr) == WZP_ERR_OVERFLOW, "%s: fits into %zu", c->name, cap);
        ck_assert_uint_eq(got[cap], 0xaa);
    }
}

START_TEST(blocks) {
    const struct block_case *c = &block_cases[_i];
    check_block(c, WZP_PCAPNG_BIG, c->big);
    check_block(c, WZP_PCAPNG_LITTLE, c->little);
}
END_TEST

START_TEST(texts_are_cut_between_characters) {
    const wzp_bytes text = wzp_bytes_str("a\xc3\xa4\xe2\x82\xac");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6};
    for (size_t max = 0; max < WZP_COUNT_OF(want); max++) {
        ck_assert_uint_eq(wzp_pcapng_cut(text, max).len, want[max]);
    }
}
END_TEST

START_TEST(a_comment_of_any_length_stays_an_option) {
    static char text[80001];
    static uint8_t out[90000];
    memset(text, 'x', sizeof text - 1);
    wzp_wr wr;
    wzp_wr_init(&wr, out, sizeof out);
    wzp_pcapng_put_packet(&wr, WZP_PCAPNG_BIG,
                          &(wzp_pcapng_packet){.comment = wzp_bytes_str(text)});
    ck_assert_int_eq(wzp_wr_end(&wr), WZP_OK);
    ck_assert_uint_eq(wzp_wr_len(&wr), 28 + 4 + WZP_PCAPNG_TEXT_MAX + 4 + 4);
    ck_assert_uint_eq(out[30] * 256u + out[31], WZP_PCAPNG_TEXT_MAX);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("pcapng");
    tcase_add_loop_test(tc, blocks, 0, WZP_COUNT_OF(block_cases));
    tcase_add_test(tc, texts_are_cut_between_characters);
    tcase_add_test(tc, a_comment_of_any_length_stays_an_option);
    return wzp_run_suite("pcapng", tc);
}
