/* Headers checked by a reader that shares nothing with the writer: it adds bytes with an
 * end-around carry and expects all ones. */
#include "trace/inet.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

static uint16_t add(uint16_t sum, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        const uint32_t next = sum + (uint32_t)(i % 2 == 0 ? bytes[i] * 256 : bytes[i]);
        sum = (uint16_t)(next > 65535 ? next - 65535 : next);
    }
    return sum;
}

/* Not unless all words are 0, which no header is. */
static bool is_zero(uint16_t sum) {
    return sum == 0 || sum == 0xffff;
}

START_TEST(sums_are_those_of_the_slow_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "inet_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[67];
        wzp_rng_fill(rng, bytes, sizeof bytes);
        const size_t len = (size_t)wzp_rng_below(rng, sizeof bytes + 1);
        const size_t even = (size_t)wzp_rng_below(rng, len / 2 + 1) * 2;
        const uint16_t want = add(0, bytes, len);
        uint16_t got = wzp_inet_sum(0, wzp_bytes_of(bytes, len));
        ck_assert(got == want || (is_zero(got) && is_zero(want)));
        got = wzp_inet_sum(0, wzp_bytes_of(bytes, even));
        got = wzp_inet_sum(got, wzp_bytes_of(bytes + even, len - even));
        ck_assert(got == want || (is_zero(got) && is_zero(want)));
    }
}
END_TEST

START_TEST(a_header_of_rfc_791) { /* a well-known example */
    static const uint8_t head[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                   0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    ck_assert_uint_eq(wzp_inet_sum(0, wzp_bytes_of(head, sizeof head)), 0xffff);
}
END_TEST

static const struct {
    const char *src, *dst;
    uint8_t ecn;
    size_t len;
} head_cases[] = {
    {"192.0.2.1:4433", "198.51.100.7:50000", 0, 0},
    {"192.0.2.1:4433", "198.51.100.7:50000", 2, 1},
    {"0.0.0.0:0", "255.255.255.255:65535", 3, 1200},
    {"10.0.0.1:1", "10.0.0.2:2", 1, WZP_INET_PAYLOAD_MAX},
    {"[2001:db8::1]:4433", "[fe80::7]:50000", 0, 0},
    {"[2001:db8::1]:4433", "[2001:db8::2]:50000", 2, 1201},
    {"[::]:0", "[::1]:9", 1, WZP_INET_PAYLOAD_MAX},
};

START_TEST(heads_with_right_checksums) {
    static uint8_t packet[WZP_INET_HEAD_MAX + WZP_INET_PAYLOAD_MAX];
    static uint8_t payload[WZP_INET_PAYLOAD_MAX];
    const wzp_addr src = address(head_cases[_i].src);
    const wzp_addr dst = address(head_cases[_i].dst);
    const size_t len = head_cases[_i].len;
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "inet_test");
    wzp_rng_fill(wzp_prng_rng(&prng), payload, len);
    const size_t head =
        wzp_inet_udp_head(packet, &src, &dst, head_cases[_i].ecn, wzp_bytes_of(payload, len));
    memcpy(packet + head, payload, len);
    const bool v4 = src.family == WZP_ADDR_V4;
    const size_t ip = v4 ? 20 : 40;
    const size_t alen = v4 ? 4 : 16;
    ck_assert_uint_eq(head, ip + 8);
    ck_assert_uint_eq(packet[0] >> 4, v4 ? 4 : 6);
    ck_assert_uint_eq((v4 ? packet[1] : packet[1] >> 4) & 3, head_cases[_i].ecn);
    ck_assert_uint_eq(packet[v4 ? 9 : 6], 17);
    const unsigned said = packet[v4 ? 2 : 4] * 256u + packet[v4 ? 3 : 5];
    ck_assert_uint_eq(said, v4 ? 28 + len : 8 + len);
    if (v4) {
        ck_assert_uint_eq(add(0, packet, 20), 0xffff);
    }
    const uint8_t *at = packet + (v4 ? 12 : 8);
    ck_assert_mem_eq(at, src.ip, alen);
    ck_assert_mem_eq(at + alen, dst.ip, alen);
    ck_assert_uint_eq(packet[ip] * 256u + packet[ip + 1], src.port);
    ck_assert_uint_eq(packet[ip + 2] * 256u + packet[ip + 3], dst.port);
    ck_assert_uint_eq(packet[ip + 4] * 256u + packet[ip + 5], 8 + len);
    const uint8_t pseudo[4] = {0, 17, (uint8_t)((8 + len) >> 8), (uint8_t)(8 + len)};
    const uint16_t sum = add(add(0, at, 2 * alen), pseudo, 4);
    ck_assert_uint_eq(add(sum, packet + ip, 8 + len), 0xffff);
    ck_assert(packet[ip + 6] != 0 || packet[ip + 7] != 0);
}
END_TEST

START_TEST(a_checksum_of_zero_is_written_as_ones) {
    const wzp_addr src = address("10.0.0.1:1");
    const wzp_addr dst = address("10.0.0.2:2");
    uint8_t out[WZP_INET_HEAD_MAX];
    unsigned found = 0;
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t payload[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        (void)wzp_inet_udp_head(out, &src, &dst, 0, wzp_bytes_of(payload, 2));
        ck_assert(out[26] != 0 || out[27] != 0);
        found += out[26] == 0xff && out[27] == 0xff;
    }
    ck_assert_uint_ge(found, 1);
}
END_TEST

START_TEST(what_no_packet_can_hold) {
    static const uint8_t payload[WZP_INET_PAYLOAD_MAX + 1];
    const wzp_addr v4 = address("10.0.0.1:1");
    const wzp_addr v6 = address("[::1]:2");
    const wzp_addr none = {0};
    const wzp_bytes all = wzp_bytes_of(payload, sizeof payload);
    uint8_t out[WZP_INET_HEAD_MAX];
    ck_assert_uint_eq(wzp_inet_udp_head(out, &v4, &v4, 0, all), 0);
    ck_assert_uint_eq(wzp_inet_udp_head(out, &v6, &v6, 0, all), 0);
    ck_assert_uint_eq(wzp_inet_udp_head(out, &v4, &v6, 0, wzp_bytes_of(NULL, 0)), 0);
    ck_assert_uint_eq(wzp_inet_udp_head(out, &none, &none, 0, wzp_bytes_of(NULL, 0)), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("inet");
    tcase_add_test(tc, sums_are_those_of_the_slow_twin);
    tcase_add_test(tc, a_header_of_rfc_791);
    tcase_add_loop_test(tc, heads_with_right_checksums, 0, WZP_COUNT_OF(head_cases));
    tcase_add_test(tc, a_checksum_of_zero_is_written_as_ones);
    tcase_add_test(tc, what_no_packet_can_hold);
    return wzp_run_suite("inet", tc);
}
