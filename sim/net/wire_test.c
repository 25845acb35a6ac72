/* Packets as real bytes, checked by a reader that shares nothing with the writer: it adds bytes
 * with an end-around carry and expects all ones. */
#include "sim/net/wire.h"

#include <check.h>

#include "base/rng.h"
#include "base/testing/suite.h"

static wzp_addr address(const char *text) {
    wzp_addr addr;
    ck_assert_msg(wzp_addr_parse(&addr, text) == WZP_OK, "%s", text);
    return addr;
}

/* --- an independent reader -------------------------------------------------------------------- */

static uint16_t add(uint16_t sum, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        const uint32_t next = sum + (uint32_t)(i % 2 == 0 ? bytes[i] * 256 : bytes[i]);
        sum = (uint16_t)(next > 65535 ? next - 65535 : next);
    }
    return sum;
}

static unsigned u16(const uint8_t *at) {
    return at[0] * 256u + at[1];
}

typedef struct seen {
    unsigned version, proto, ttl, header, length;
    const uint8_t *above;
    uint16_t sum; /* of the transport: header, payload and pseudo-header */
} seen;

static seen look(const uint8_t *bytes, size_t len) {
    seen s = {.version = bytes[0] >> 4};
    const size_t addr_len = s.version == 4 ? 4 : 16;
    const uint8_t *addresses = bytes + (s.version == 4 ? 12 : 8);
    if (s.version == 4) {
        s.header = (bytes[0] & 15) * 4u;
        s.length = u16(bytes + 2);
        s.ttl = bytes[8];
        s.proto = bytes[9];
        ck_assert_uint_eq(add(0, bytes, s.header), 0xffff);
    } else {
        ck_assert_uint_eq(s.version, 6);
        s.header = 40;
        s.length = 40 + u16(bytes + 4);
        s.proto = bytes[6];
        s.ttl = bytes[7];
    }
    s.above = bytes + s.header;
    const uint8_t lengths[4] = {0, (uint8_t)s.proto, (uint8_t)((s.length - s.header) >> 8),
                                (uint8_t)(s.length - s.header)};
    if (s.proto != 1) { /* ICMP of IPv4 has no pseudo-header */
        s.sum = add(add(0, addresses, 2 * addr_len), lengths, 4);
    }
    s.sum = add(s.sum, s.above, len - s.header);
    return s;
}

/* --- UDP and TCP ------------------------------------------------------------------------------ */

static const struct addresses {
    const char *name, *src, *dst, *box;
} families[] = {
    {"IPv4", "10.0.0.2:4000", "203.0.113.5:4433", "10.0.0.1:0"},
    {"IPv6", "[2001:db8::2]:4000", "[2001:db8:ffff::5]:4433", "[2001:db8::1]:0"},
};

static wzp_sim_packet *random_packet(wzp_sim_pool *pool, const struct addresses *a, wzp_prng *prng,
                                     size_t len) {
    const wzp_addr src = address(a->src);
    const wzp_addr dst = address(a->dst);
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &src, &dst, wzp_bytes_of(NULL, len), 0);
    ck_assert_ptr_nonnull(packet);
    wzp_rng_fill(wzp_prng_rng(prng), packet->payload, len);
    packet->ttl = (uint8_t)(1 + wzp_prng_u64(prng) % 255);
    packet->tos = (uint8_t)wzp_prng_u64(prng);
    return packet;
}

static uint8_t bytes[WZP_SIM_BYTES_MAX];

START_TEST(udp_and_tcp) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "udp");
    for (size_t i = 0; i < 3000; i++) {
        const bool tcp = i % 3 == 0;
        const size_t size = i < 600 ? i : wzp_prng_u64(&prng) % 65496;
        wzp_sim_packet *packet = random_packet(pool, &families[_i], &prng, size);
        packet->proto = tcp ? WZP_SIM_TCP : WZP_SIM_UDP;
        packet->corrupted = i % 7 == 0;
        const size_t len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
        const seen s = look(bytes, len);
        const unsigned header = tcp ? 20 : 8;
        ck_assert_uint_eq(len, wzp_sim_packet_wire_len(packet));
        ck_assert_uint_eq(len, s.header + header + size);
        ck_assert_uint_eq(s.length, len);
        ck_assert_uint_eq(s.ttl, packet->ttl);
        ck_assert_uint_eq(s.proto, packet->proto);
        ck_assert_uint_eq(u16(s.above), 4000);
        ck_assert_uint_eq(u16(s.above + 2), 4433);
        ck_assert_msg((s.sum == 0xffff) == !packet->corrupted, "sum %x", s.sum);
        if (!tcp) {
            ck_assert_uint_eq(u16(s.above + 4), 8 + size);
            ck_assert_uint_ne(u16(s.above + 6), 0);
        }
        ck_assert_mem_eq(s.above + header, packet->payload, size);
        wzp_sim_packet_free(packet);
    }
    wzp_sim_pool_free(&pool);
}
END_TEST

/* Payloads made so that the checksum comes out as 0 and as 1, right and corrupted: a 0 on the wire
 * would say that there is none. */
START_TEST(a_checksum_of_zero_is_sent_as_ones) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    const wzp_addr src = address(families[_i].src);
    const wzp_addr dst = address(families[_i].dst);
    const uint8_t zeros[2] = {0};
    wzp_sim_packet *packet = wzp_sim_packet_new(pool, &src, &dst, wzp_bytes_of(zeros, 2), 0);
    const size_t zeros_len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
    const unsigned checksum = u16(look(bytes, zeros_len).above + 6);
    for (unsigned want = 0; want < 2; want++) {
        packet->payload[0] = (uint8_t)((checksum - want) >> 8);
        packet->payload[1] = (uint8_t)(checksum - want);
        packet->corrupted = false;
        size_t len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
        seen s = look(bytes, len);
        ck_assert_uint_eq(s.sum, 0xffff);
        ck_assert_uint_eq(u16(s.above + 6), want == 0 ? 0xffff : want);
        packet->corrupted = true;
        len = wzp_sim_packet_bytes(packet, bytes, sizeof bytes);
        s = look(bytes, len);
        ck_assert_uint_ne(s.sum, 0xffff);
        ck_assert_uint_ne(u16(s.above + 6), 0);
    }
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(too_little_room_writes_nothing) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "room");
    wzp_sim_packet *packet = random_packet(pool, &families[_i], &prng, 30);
    const size_t len = wzp_sim_packet_wire_len(packet);
    for (size_t cap = 0; cap < len; cap++) {
        ck_assert_uint_eq(wzp_sim_packet_bytes(packet, bytes, cap), 0);
    }
    ck_assert_uint_eq(wzp_sim_packet_bytes(packet, bytes, len), len);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
}
END_TEST

/* --- ICMP ------------------------------------------------------------------------------------- */

static const struct icmp_case {
    wzp_sim_icmp what;
    unsigned type[2], code[2];
} icmp_cases[] = {
    {WZP_SIM_ICMP_PORT_UNREACHABLE, {3, 1}, {3, 4}},
    {WZP_SIM_ICMP_HOST_UNREACHABLE, {3, 1}, {1, 3}},
    {WZP_SIM_ICMP_ADMIN_PROHIBITED, {3, 1}, {13, 1}},
    {WZP_SIM_ICMP_TOO_BIG, {3, 2}, {4, 0}},
    {WZP_SIM_ICMP_TTL_EXCEEDED, {11, 3}, {0, 0}},
};

/* The error about `packet` holds what that one had: its first bytes as they are. */
static void check_icmp(const wzp_sim_packet *packet, const wzp_sim_packet *icmp,
                       const struct icmp_case *c) {
    static uint8_t original[WZP_SIM_BYTES_MAX];
    const size_t original_len = wzp_sim_packet_bytes(packet, original, sizeof original);
    const size_t len = wzp_sim_packet_bytes(icmp, bytes, sizeof bytes);
    const seen s = look(bytes, len);
    const size_t most = s.version == 4 ? 576 : 1280;
    const size_t quote = len - s.header - 8;
    const size_t v6 = s.version == 6;
    ck_assert_uint_eq(len, wzp_sim_packet_wire_len(icmp));
    ck_assert_uint_eq(len, s.length);
    ck_assert_uint_eq(s.sum, 0xffff);
    ck_assert_uint_eq(s.proto, v6 ? 58 : 1);
    ck_assert_uint_eq(s.above[0], c->type[v6]);
    ck_assert_uint_eq(s.above[1], c->code[v6]);
    ck_assert_uint_eq(u16(s.above + 4), 0);
    ck_assert_uint_eq(u16(s.above + 6), c->what == WZP_SIM_ICMP_TOO_BIG ? 1400 : 0);
    ck_assert_uint_eq(quote,
                      original_len + s.header + 8 < most ? original_len : most - s.header - 8);
    ck_assert_mem_eq(s.above + 8, original, quote);
}

START_TEST(icmp_quotes_the_packet) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "icmp");
    for (size_t i = 0; i < 2000; i++) {
        const struct icmp_case *c = &icmp_cases[i % WZP_COUNT_OF(icmp_cases)];
        wzp_sim_packet *packet =
            random_packet(pool, &families[_i], &prng, i < 1300 ? i : wzp_prng_u64(&prng) % 65000);
        const wzp_addr box = address(families[_i].box);
        packet->proto = i % 4 == 0 ? WZP_SIM_TCP : WZP_SIM_UDP;
        packet->dont_fragment = i % 8 != 0;
        wzp_sim_packet *icmp = wzp_sim_packet_icmp(packet, &box, c->what, 1400, 0);
        check_icmp(packet, icmp, c);
        wzp_sim_packet_free(packet);
        wzp_sim_packet_free(icmp);
    }
    wzp_sim_pool_free(&pool);
}
END_TEST

/* A NAT changes addresses outside and inside; all checksums follow, also that of a payload of which
 * only the beginning is there (nat sheet 2.3). */
START_TEST(a_translated_icmp_quotes_the_translated_packet) {
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "translated");
    wzp_sim_packet *packet = random_packet(pool, &families[0], &prng, 1201);
    const wzp_addr box = address(families[0].box);
    wzp_sim_packet *icmp = wzp_sim_packet_icmp(packet, &box, WZP_SIM_ICMP_TOO_BIG, 1400, 0);
    packet->src = address("192.168.7.9:61001");
    icmp->dst = address("192.168.7.9:0");
    icmp->inner_src = packet->src;
    check_icmp(packet, icmp, &icmp_cases[3]);
    wzp_sim_packet_free(packet);
    wzp_sim_packet_free(icmp);
    wzp_sim_pool_free(&pool);
}
END_TEST

/* RFC 1071, 3 */
START_TEST(sum_of_the_example) {
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x80};
    ck_assert_uint_eq(wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(example, 8))), 0xddf2);
    ck_assert_uint_eq(wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(example, 9))), 0x5df3);
    ck_assert_uint_eq(wzp_sim_sum_fold(wzp_sim_sum(wzp_bytes_of(example, 0))), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("wire");
    tcase_add_loop_test(tc, udp_and_tcp, 0, WZP_COUNT_OF(families));
    tcase_add_loop_test(tc, a_checksum_of_zero_is_sent_as_ones, 0, WZP_COUNT_OF(families));
    tcase_add_loop_test(tc, too_little_room_writes_nothing, 0, WZP_COUNT_OF(families));
    tcase_add_loop_test(tc, icmp_quotes_the_packet, 0, WZP_COUNT_OF(families));
    tcase_add_test(tc, a_translated_icmp_quotes_the_translated_packet);
    tcase_add_test(tc, sum_of_the_example);
    return wzp_run_suite("wire", tc);
}
