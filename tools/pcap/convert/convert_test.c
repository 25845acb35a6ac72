/* Captures in other forms: what is kept, what is left out, and that nothing of it can be told. */
#include "tools/pcap/convert/convert.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/convert/anonymous.h"
#include "tools/pcap/file/testing/build.h"
#include "tools/pcap/link/link.h"
#include "trace/inet.h"

static build out;

static void to_build(void *ctx, wzp_bytes bytes) {
    put(ctx, bytes);
}

static wzp_pcap_convert *convert;

static void begin(const wzp_pcap_convert_cfg *cfg) {
    wzp_pcap_convert_cfg with_sink = *cfg;
    with_sink.sink = to_build;
    with_sink.sink_ctx = &out;
    out = (build){.len = 0};
    ck_assert_int_eq(wzp_pcap_convert_new(&convert, &with_sink), WZP_OK);
}

static void end(void) {
    wzp_pcap_convert_free(&convert);
    ck_assert_ptr_null(convert);
}

static bool contains(wzp_bytes all, const char *text) {
    const size_t len = strlen(text);
    for (size_t i = 0; i + len <= all.len; i++) {
        if (memcmp(all.data + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

static void secrets(bool media_keys) {
    const wzp_pcap_item item = {
        .kind = WZP_PCAP_ITEM_SECRETS, .text = wzp_bytes_str("SECRET"), .media_keys = media_keys};
    ck_assert_int_eq(wzp_pcap_convert_item(convert, &item), WZP_OK);
}

static void packet(const char *src, const char *dst, const char *payload_hex) {
    static build bytes;
    static build payload;
    wzp_addr from;
    wzp_addr to;
    uint8_t head[WZP_INET_HEAD_MAX];
    ck_assert_int_eq(wzp_addr_parse(&from, src), WZP_OK);
    ck_assert_int_eq(wzp_addr_parse(&to, dst), WZP_OK);
    payload.len = 0;
    bytes.len = 0;
    put_hex(&payload, payload_hex);
    put(&bytes, wzp_bytes_of(head, wzp_inet_udp_head(head, &from, &to, 1, built(&payload))));
    put(&bytes, built(&payload));
    const wzp_pcap_item item = {.kind = WZP_PCAP_ITEM_PACKET,
                                .packet = {.time_ns = 5,
                                           .link_type = 101,
                                           .interface_name = "secret name",
                                           .original_len = (uint32_t)bytes.len,
                                           .data = built(&bytes),
                                           .comment = wzp_bytes_str("secret comment")}};
    ck_assert_int_eq(wzp_pcap_convert_item(convert, &item), WZP_OK);
}

/* --- packets ---------------------------------------------------------------------------------- */

START_TEST(secrets_stay_unless_stripped) {
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_PACKETS});
    ck_assert_int_eq(wzp_pcap_convert_inject(convert, wzp_bytes_str("INJECTED")), WZP_OK);
    secrets(false);
    packet("10.0.0.1:1", "10.0.0.2:2", "aa");
    ck_assert(contains(built(&out), "SECRET") && contains(built(&out), "INJECTED"));
    ck_assert(contains(built(&out), "secret name") && contains(built(&out), "secret comment"));
    end();
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_PACKETS, .strip_secrets = true});
    ck_assert_int_eq(wzp_pcap_convert_inject(convert, wzp_bytes_str("INJECTED")),
                     WZP_ERR_INVALID_ARGUMENT);
    secrets(false);
    secrets(true);
    packet("10.0.0.1:1", "10.0.0.2:2", "aa");
    ck_assert(!contains(built(&out), "SECRET") && contains(built(&out), "secret name"));
    ck_assert_uint_eq(wzp_pcap_convert_count(convert)->secrets_stripped, 2);
    ck_assert_uint_eq(wzp_pcap_convert_count(convert)->written, 1);
    end();
}
END_TEST

#define INITIAL "c3 00000001 00 00 00 05 0102030405"
#define INITIAL_2 "d3 6b3343cf 00 00 00 05 0102030405"
#define HANDSHAKE "e3 00000001 01 aa 00 03 010203"
#define SHORT "43 0102030405"

static const struct show_case {
    const char *name, *first, *then;
    bool shows;
} show_cases[] = {
    {"a handshake packet", NULL, HANDSHAKE, true},
    {"a short header of a known connection", HANDSHAKE, SHORT, true},
    {"a short header after Initial", INITIAL, SHORT, true},
    {"a short header of nothing known", NULL, SHORT, false},
    {"Initial", NULL, INITIAL, false},
    {"Initial of version 2", NULL, INITIAL_2, false},
    {"Initial behind a handshake packet", HANDSHAKE, HANDSHAKE INITIAL, false},
    {"0-RTT", NULL, "d3 00000001 00 00 01 aa", true},
    {"Retry", NULL, "f3 00000001 00 01 aa 0102030405", true},
    {"handshake and short", NULL, HANDSHAKE SHORT, true},
    {"another version", HANDSHAKE, "c3 ff00001d 00 00 00 01 aa", false},
    {"version negotiation", HANDSHAKE, "c3 00000000 00 00 00000001", false},
    {"a length that lies", HANDSHAKE, "e3 00000001 01 aa 00 09 010203", false},
    {"STUN", HANDSHAKE, "0001 0000 2112a442", false},
    {"nothing", HANDSHAKE, "", false},
    {"a cut header", NULL, "e3 0000", false},
};

START_TEST(what_others_may_see) {
    const struct show_case *c = &show_cases[_i];
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_PACKETS, .anonymous = true, .seed = 7});
    if (c->first != NULL) {
        packet("10.0.0.1:1", "10.0.0.2:2", c->first);
    }
    const uint64_t before = wzp_pcap_convert_count(convert)->written;
    packet("10.0.0.2:2", "10.0.0.1:1", c->then);
    ck_assert_msg(wzp_pcap_convert_count(convert)->written - before == (c->shows ? 1 : 0), "%s",
                  c->name);
    ck_assert(!contains(built(&out), "secret"));
    ck_assert(!contains(built(&out), "\x0a\x01\x01\x01"));
    end();
}
END_TEST

START_TEST(anonymous_files_hold_no_secrets) {
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_PACKETS, .anonymous = true});
    secrets(false);
    secrets(true);
    packet("203.0.113.77:1", "10.1.1.1:2", HANDSHAKE);
    ck_assert_uint_eq(wzp_pcap_convert_count(convert)->written, 1);
    ck_assert(!contains(built(&out), "SECRET"));
    ck_assert(!contains(built(&out), "\xcb\x71\x4d") && !contains(built(&out), "\x0a\x01\x01\x01"));
    end();
}
END_TEST

/* --- addresses -------------------------------------------------------------------------------- */

static unsigned shared_bits(const wzp_addr *a, const wzp_addr *b) {
    unsigned bits = 0;
    while (bits < 128 && ((a->ip[bits / 8] ^ b->ip[bits / 8]) & 0x80 >> bits % 8) == 0) {
        bits++;
    }
    return bits;
}

START_TEST(prefixes_stay) {
    static wzp_pcap_anonymous a;
    static wzp_pcap_anonymous other;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "convert_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    wzp_pcap_anonymous_init(&a, 7);
    wzp_pcap_anonymous_init(&other, 8);
    unsigned changed = 0;
    unsigned seeds_differ = 0;
    for (int round = 0; round < 500; round++) {
        wzp_addr x = {.family = round % 2 == 0 ? WZP_ADDR_V4 : WZP_ADDR_V6, .port = 4433};
        const size_t len = round % 2 == 0 ? 4 : 16;
        wzp_rng_fill(rng, x.ip, len);
        wzp_addr y = x;
        y.ip[wzp_rng_below(rng, len)] ^= (uint8_t)(1u << wzp_rng_below(rng, 8));
        const wzp_addr mx = wzp_pcap_anonymous_addr(&a, &x);
        const wzp_addr my = wzp_pcap_anonymous_addr(&a, &y);
        ck_assert_uint_eq(shared_bits(&mx, &my), shared_bits(&x, &y));
        ck_assert_uint_eq(mx.port, 4433);
        changed += wzp_addr_equal(&mx, &x) ? 0 : 1;
        const wzp_addr ox = wzp_pcap_anonymous_addr(&other, &x);
        seeds_differ += wzp_addr_equal(&mx, &ox) ? 0 : 1;
    }
    ck_assert_uint_ge(changed, 498);
    ck_assert_uint_ge(seeds_differ, 498);
}
END_TEST

/* --- media ------------------------------------------------------------------------------------ */

static void media(uint64_t time_ns, const char *hex) {
    static build bytes;
    bytes.len = 0;
    put_hex(&bytes, hex);
    wzp_pcap_media m = {.bytes = built(&bytes)};
    ck_assert_int_eq(wzp_media_packet_parse(&m.packet, m.bytes, NULL), WZP_OK);
    const wzp_pcap_conn conn = {.number = 3, .role = WZP_PCAP_ROLE_ROOM, .sni = "room"};
    const wzp_pcap_message message = {.kind = WZP_PCAP_MESSAGE_MEDIA,
                                      .time_ns = time_ns,
                                      .conn = &conn,
                                      .to_server = true,
                                      .media = &m};
    ck_assert_int_eq(wzp_pcap_convert_message(convert, &message), WZP_OK);
}

START_TEST(rtp_from_media) {
    static build want;
    want = (build){.len = 0};
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_RTPDUMP});
    media(UINT64_C(1700000000123456789), "02100006 02 00 00010001 00000014 0000 aabb");
    media(UINT64_C(1700000000143456789), "02800006 02 00 00010002 00000028 0000 aabb"); /* repair */
    media(UINT64_C(1700000000163456789), "02000109 02 00 00000003 00000028 0000 cc");
    put_str(&want, "#!rtpplay1.0 0.0.0.0/0\n");
    put_hex(&want, "6553f100 0001e240 00000000 0000 0000");
    put_hex(&want, "0016 000e 00000000 80 e6 0001 000003c0 00000702 aabb");
    put_hex(&want, "0015 000d 00000028 80 69 0003 00000e10 00000702 cc");
    ck_assert_uint_eq(out.len, want.len);
    ck_assert_mem_eq(out.data, want.data, want.len);
    ck_assert_uint_eq(wzp_pcap_convert_count(convert)->written, 2);
    ck_assert_uint_eq(wzp_pcap_convert_count(convert)->left_out, 1);
    end();
}
END_TEST

START_TEST(media_alone) {
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_MEDIA});
    media(5, "02100006 02 00 00010001 00000014 0000 aabb");
    ck_assert(contains(built(&out), "conn 3 client"));
    end();
    begin(&(wzp_pcap_convert_cfg){.form = WZP_PCAP_CONVERT_WZP});
    media(5, "02100006 02 00 00010001 00000014 0000 aabb");
    ck_assert(contains(built(&out), "{\"room\":\"room\",\"relay\":\"-\""));
    end();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("convert");
    tcase_add_test(tc, secrets_stay_unless_stripped);
    tcase_add_loop_test(tc, what_others_may_see, 0, WZP_COUNT_OF(show_cases));
    tcase_add_test(tc, anonymous_files_hold_no_secrets);
    tcase_add_test(tc, prefixes_stay);
    tcase_add_test(tc, rtp_from_media);
    tcase_add_test(tc, media_alone);
    return wzp_run_suite("convert", tc);
}
