/* Firewalls and policers (nat sheet 2.6), and the CLAT of RFC 6877. */
#include "sim/box/policy.h"

#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"

/* A packet with this much payload and these first bytes. */
static wzp_sim_packet *make(wzp_sim_pool *pool, const wzp_addr *src, const wzp_addr *dst,
                            const char *begins, size_t begins_len, size_t len) {
    static uint8_t payload[2000];
    memset(payload, 0, sizeof payload);
    memcpy(payload, begins, begins_len);
    return wzp_sim_packet_new(pool, src, dst, wzp_bytes_of(payload, len), 0);
}

#define INITIAL "\xc0\x00\x00\x00\x01"
#define HANDSHAKE "\xe0\x00\x00\x00\x01"
#define INITIAL_V2 "\xd0\x6b\x33\x43\xcf"
#define NEGOTIATION "\xc0\x00\x00\x00\x00"
#define SHORT "\x40\x00\x00\x00\x01"

/* One packet of `len` payload bytes out to port `port`, after `before_s`. */
static const struct judge_case {
    const char *name;
    wzp_sim_policy_cfg cfg;
    const char *begins;
    size_t len;
    uint16_t port;
    bool inbound, divisible;
    unsigned after_s;
    wzp_sim_policy_verdict want;
} cases[] = {
    {"nothing forbidden", {0}, INITIAL, 1200, 443, false, false, 0, WZP_SIM_POLICY_PASS},
    {"UDP blocked", {.block_udp = true}, SHORT, 20, 443, false, false, 0, WZP_SIM_POLICY_DROP},
    {"UDP blocked on IPv6 only",
     {.block_udp = true, .only_v6 = true},
     SHORT,
     20,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"UDP blocked, inbound",
     {.block_udp = true},
     SHORT,
     20,
     9,
     true,
     false,
     0,
     WZP_SIM_POLICY_DROP},
    {"UDP blocked, and said so",
     {.block_udp = true, .icmp_prohibited = true},
     SHORT,
     20,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_REJECT},
    {"port allowed",
     {.allow_ports = {53, 443}, .allow_port_count = 2},
     SHORT,
     20,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"port not allowed",
     {.allow_ports = {53, 443}, .allow_port_count = 2},
     SHORT,
     20,
     444,
     false,
     false,
     0,
     WZP_SIM_POLICY_DROP},
    {"port allowed, inbound: the remote's counts",
     {.allow_ports = {53, 443}, .allow_port_count = 2},
     SHORT,
     20,
     443,
     true,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"before the block",
     {.block_after = 20 * WZP_S},
     SHORT,
     20,
     443,
     false,
     false,
     19,
     WZP_SIM_POLICY_PASS},
    {"at the block",
     {.block_after = 20 * WZP_S},
     SHORT,
     20,
     443,
     false,
     false,
     20,
     WZP_SIM_POLICY_DROP},
    {"QUIC long header",
     {.block_quic = true},
     HANDSHAKE,
     100,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_DROP},
    {"QUIC short header",
     {.block_quic = true},
     SHORT,
     100,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"QUIC version negotiation",
     {.block_quic = true},
     NEGOTIATION,
     100,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"four bytes of QUIC",
     {.block_quic = true},
     INITIAL,
     4,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"Initial dropped",
     {.initial_drop_ppm = 1000000},
     INITIAL,
     1200,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_DROP},
    {"Initial of version 2 dropped",
     {.initial_drop_ppm = 1000000},
     INITIAL_V2,
     1200,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_DROP},
    {"Handshake not dropped",
     {.initial_drop_ppm = 1000000},
     HANDSHAKE,
     1200,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"size allowed", {.max_size = 1280}, SHORT, 1252, 443, false, false, 0, WZP_SIM_POLICY_PASS},
    {"one byte more", {.max_size = 1280}, SHORT, 1253, 443, false, false, 0, WZP_SIM_POLICY_DROP},
    {"fragments", {.drop_fragments = true}, SHORT, 1473, 443, false, true, 0, WZP_SIM_POLICY_DROP},
    {"large, but not to be divided",
     {.drop_fragments = true},
     SHORT,
     1473,
     443,
     false,
     false,
     0,
     WZP_SIM_POLICY_PASS},
    {"in one piece",
     {.drop_fragments = true},
     SHORT,
     1472,
     443,
     false,
     true,
     0,
     WZP_SIM_POLICY_PASS},
};

static wzp_addr inside(void) {
    return wzp_addr_v4(192, 168, 1, 2, 5000);
}

static wzp_addr remote(uint8_t last, uint16_t port) {
    return wzp_addr_v4(192, 0, 2, last, port);
}

START_TEST(judge) {
    const struct judge_case *c = &cases[_i];
    wzp_sim_policy *policy = NULL;
    wzp_sim_pool *pool = wzp_sim_pool_new();
    const wzp_addr own = inside();
    const wzp_addr other = remote(1, c->port);
    ck_assert_int_eq(wzp_sim_policy_new(&policy, &c->cfg, 1, "p", WZP_S), WZP_OK);
    wzp_sim_packet *packet =
        make(pool, c->inbound ? &other : &own, c->inbound ? &own : &other, c->begins, 5, c->len);
    packet->dont_fragment = !c->divisible;
    const wzp_sim_policy_verdict got =
        wzp_sim_policy_judge(policy, packet, !c->inbound, (1 + c->after_s) * WZP_S);
    ck_assert_msg(got == c->want, "%s: %d", c->name, got);
    wzp_sim_packet_free(packet);
    wzp_sim_pool_free(&pool);
    wzp_sim_policy_free(&policy);
}
END_TEST

/* --- over time -------------------------------------------------------------------------------- */

typedef struct stream {
    wzp_sim_policy *policy;
    wzp_sim_pool *pool;
} stream;

static stream begin(const wzp_sim_policy_cfg *cfg) {
    stream s = {.pool = wzp_sim_pool_new()};
    ck_assert_int_eq(wzp_sim_policy_new(&s.policy, cfg, 1, "p", 0), WZP_OK);
    return s;
}

static void end(stream *s) {
    wzp_sim_policy_free(&s->policy);
    wzp_sim_pool_free(&s->pool);
}

/* Out to `other`, or in from it, with `len` bytes of IP. */
static bool passes(stream *s, const wzp_addr *other, bool outbound, uint16_t own_port, size_t len,
                   wzp_time now) {
    wzp_addr own = inside();
    own.port = own_port;
    wzp_sim_packet *packet =
        make(s->pool, outbound ? &own : other, outbound ? other : &own, INITIAL, 5, len - 28);
    const bool pass = wzp_sim_policy_judge(s->policy, packet, outbound, now) == WZP_SIM_POLICY_PASS;
    wzp_sim_packet_free(packet);
    return pass;
}

static size_t count_passed(stream *s, size_t packets, uint64_t apart, size_t len, wzp_time from) {
    const wzp_addr other = remote(1, 443);
    size_t passed = 0;
    for (size_t i = 0; i < packets; i++) {
        passed += passes(s, &other, true, 5000, len, from + i * apart);
    }
    return passed;
}

START_TEST(packet_policer_is_exact) {
    stream s = begin(&(wzp_sim_policy_cfg){.pps = 50, .pps_burst = 10});
    ck_assert_uint_eq(count_passed(&s, 1000, 0, 100, 0), 10);
    ck_assert_uint_eq(count_passed(&s, 10000, WZP_MS, 100, 0), 499); /* 50/s for 9.999 s */
    ck_assert_uint_eq(count_passed(&s, 500, 20 * WZP_MS, 100, 20 * WZP_S), 500);
    const wzp_addr other = remote(1, 443);
    ck_assert(passes(&s, &other, false, 5000, 100, 30 * WZP_S)); /* each way by itself */
    end(&s);
}
END_TEST

START_TEST(bit_policer_is_exact) {
    stream s = begin(&(wzp_sim_policy_cfg){.bits_per_s = 800000, .bits_burst = 1000});
    ck_assert_uint_eq(count_passed(&s, 10, 0, 100, 0), 10);
    ck_assert_uint_eq(count_passed(&s, 1, 0, 100, 0), 0);
    ck_assert_uint_eq(count_passed(&s, 10000, WZP_MS, 100, WZP_MS), 10000); /* the rate itself */
    ck_assert_uint_eq(count_passed(&s, 10000, WZP_MS / 2, 100, 20 * WZP_S), 5009);
    end(&s);
}
END_TEST

START_TEST(blocked_after_so_many_bytes) {
    stream s = begin(&(wzp_sim_policy_cfg){.block_after_bytes = 1000});
    ck_assert_uint_eq(count_passed(&s, 100, 0, 100, 0), 10);
    const wzp_addr other = remote(1, 443);
    ck_assert(!passes(&s, &other, false, 5000, 100, WZP_S));
    end(&s);
}
END_TEST

START_TEST(initials_are_lost_at_the_rate) {
    stream s = begin(&(wzp_sim_policy_cfg){.initial_drop_ppm = 300000});
    const size_t passed = count_passed(&s, 10000, 0, 1228, 0);
    ck_assert_msg(passed > 6862 && passed < 7138, "%zu of 10000", passed); /* 3 sigma */
    end(&s);
}
END_TEST

START_TEST(scans_are_noticed_and_end) {
    stream s = begin(&(wzp_sim_policy_cfg){
        .scan_ports = 50, .scan_window = 5 * WZP_S, .scan_block = 60 * WZP_S});
    wzp_addr other = remote(1, 1000);
    for (uint64_t i = 0; i < 49; i++) { /* 10 ms apart, and twice each */
        other.port = (uint16_t)(1000 + i);
        ck_assert(passes(&s, &other, true, 5000, 100, i * 10 * WZP_MS));
        ck_assert(passes(&s, &other, true, 5000, 100, i * 10 * WZP_MS));
    }
    const wzp_addr bystander = remote(2, 443);
    other.port = 2000;
    ck_assert(!passes(&s, &other, true, 5000, 100, WZP_S));
    other.port = 1000;
    ck_assert(!passes(&s, &other, true, 5000, 100, WZP_S));
    ck_assert(!passes(&s, &other, false, 5000, 100, WZP_S));
    ck_assert(passes(&s, &bystander, true, 5000, 100, WZP_S));
    ck_assert(!passes(&s, &other, true, 5000, 100, 61 * WZP_S - 1));
    ck_assert(passes(&s, &other, true, 5000, 100, 61 * WZP_S));
    end(&s);
}
END_TEST

START_TEST(slow_scans_pass) {
    stream s = begin(&(wzp_sim_policy_cfg){
        .scan_ports = 50, .scan_window = 5 * WZP_S, .scan_block = 60 * WZP_S});
    wzp_addr other = remote(1, 1000);
    for (uint64_t i = 0; i < 5000; i++) { /* at most 49 within 5 s */
        other.port = (uint16_t)(1000 + i);
        ck_assert(passes(&s, &other, true, 5000, 100, i * 103 * WZP_MS));
    }
    end(&s);
}
END_TEST

START_TEST(scans_from_outside) {
    stream s = begin(
        &(wzp_sim_policy_cfg){.scan_ports = 3, .scan_window = 5 * WZP_S, .scan_block = 60 * WZP_S});
    const wzp_addr other = remote(1, 1000);
    ck_assert(passes(&s, &other, false, 5000, 100, 0));
    ck_assert(passes(&s, &other, false, 5001, 100, 0));
    ck_assert(!passes(&s, &other, false, 5002, 100, 0));
    for (uint8_t i = 2; i < 250; i++) { /* more remotes than are remembered */
        const wzp_addr another = remote(i, 1000);
        ck_assert(passes(&s, &another, false, 5000, 100, i * WZP_MS));
    }
    end(&s);
}
END_TEST

START_TEST(errors_about_size_get_lost) {
    wzp_sim_policy *policy = NULL;
    wzp_sim_pool *pool = wzp_sim_pool_new();
    const wzp_sim_policy_cfg cfg = {.suppress_frag_needed = true, .block_udp = true};
    const wzp_addr own = inside();
    const wzp_addr other = remote(1, 443);
    const wzp_addr router = remote(254, 0);
    ck_assert_int_eq(wzp_sim_policy_new(&policy, &cfg, 1, "p", 0), WZP_OK);
    wzp_sim_packet *about = make(pool, &own, &other, SHORT, 5, 100);
    for (int what = WZP_SIM_ICMP_PORT_UNREACHABLE; what <= WZP_SIM_ICMP_TTL_EXCEEDED; what++) {
        wzp_sim_packet *icmp = wzp_sim_packet_icmp(about, &router, (wzp_sim_icmp)what, 1280, 0);
        ck_assert_int_eq(wzp_sim_policy_judge(policy, icmp, false, 0),
                         what == WZP_SIM_ICMP_TOO_BIG ? WZP_SIM_POLICY_DROP : WZP_SIM_POLICY_PASS);
        wzp_sim_packet_free(icmp);
    }
    wzp_sim_packet_free(about);
    wzp_sim_policy_free(&policy);
    wzp_sim_pool_free(&pool);
}
END_TEST

START_TEST(refusals) {
    const wzp_sim_policy_cfg refused[] = {{.allow_port_count = WZP_SIM_POLICY_PORTS_MAX + 1},
                                          {.initial_drop_ppm = 1000001},
                                          {.pps = 1000000001},
                                          {.scan_ports = 4097}};
    for (size_t i = 0; i < WZP_COUNT_OF(refused); i++) {
        wzp_sim_policy *policy = NULL;
        ck_assert_int_eq(wzp_sim_policy_new(&policy, &refused[i], 1, "p", 0),
                         WZP_ERR_INVALID_ARGUMENT);
    }
}
END_TEST

START_TEST(only_ipv6) {
    const wzp_addr from = {WZP_ADDR_V6, 40000, {0x20, 1, 0xd, 0xb8, [15] = 1}};
    const wzp_addr to = {WZP_ADDR_V6, 443, {0x20, 1, 0xd, 0xb8, [15] = 2}};
    const wzp_sim_policy_cfg cfg = {.only_v6 = true, .max_size = 1000};
    wzp_sim_pool *pool = wzp_sim_pool_new();
    wzp_sim_policy *policy = NULL;
    ck_assert_int_eq(wzp_sim_policy_new(&policy, &cfg, 1, "p", 0), WZP_OK);
    wzp_sim_packet *packet = make(pool, &from, &to, SHORT, 5, 1200);
    ck_assert_int_eq(wzp_sim_policy_judge(policy, packet, true, 0), WZP_SIM_POLICY_DROP);
    wzp_sim_packet_free(packet);
    wzp_sim_policy_free(&policy);
    wzp_sim_pool_free(&pool);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("policy");
    tcase_add_test(tc, only_ipv6);
    tcase_add_loop_test(tc, judge, 0, (int)WZP_COUNT_OF(cases));
    tcase_add_test(tc, packet_policer_is_exact);
    tcase_add_test(tc, bit_policer_is_exact);
    tcase_add_test(tc, blocked_after_so_many_bytes);
    tcase_add_test(tc, initials_are_lost_at_the_rate);
    tcase_add_test(tc, scans_are_noticed_and_end);
    tcase_add_test(tc, slow_scans_pass);
    tcase_add_test(tc, scans_from_outside);
    tcase_add_test(tc, errors_about_size_get_lost);
    tcase_add_test(tc, refusals);
    return wzp_run_suite("policy", tc);
}
