/* Allocators by their statistics and at their limits (SIM-004), and what mappings cost. */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/nat/nat.h"

enum { UDP = 17, TCP = 6 };

static wzp_sim_nat *make(const wzp_sim_nat_cfg *cfg, uint64_t seed) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    wzp_sim_nat *nat = NULL;
    wzp_fail fail = {.field = "-"};
    const wzp_err err = wzp_sim_nat_new(&nat, cfg, &external, 1, seed, "ports", 0, &fail);
    ck_assert_msg(err == WZP_OK, "%s", fail.field);
    return nat;
}

/* The external port of host `host`, port `port`; 0: dropped. */
static uint16_t out(wzp_sim_nat *nat, uint32_t host, uint16_t port, wzp_time now) {
    wzp_addr src = wzp_addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host, port);
    wzp_addr dst = wzp_addr_v4(192, 0, 2, 1, 443);
    return wzp_sim_nat_out(nat, UDP, &src, &dst, now) == WZP_SIM_NAT_FORWARD ? src.port : 0;
}

/* The value that chi-square with this many degrees of freedom exceeds in 1 % of all cases (Wilson
 * and Hilferty). */
static double chi_square_1_percent(double degrees) {
    const double z = 2.3263;
    const double term = 2 / (9 * degrees);
    return degrees * pow(1 - term + z * sqrt(term), 3);
}

static void uniform(const char *name, const unsigned *seen, size_t kinds, unsigned total) {
    const double each = (double)total / (double)kinds;
    double chi_square = 0;
    for (size_t i = 0; i < kinds; i++) {
        chi_square += (seen[i] - each) * (seen[i] - each) / each;
    }
    ck_assert_msg(chi_square < chi_square_1_percent((double)kinds - 1), "%s: chi-square %.1f", name,
                  chi_square);
}

/* Of an empty NAT, and of one that is nearly full, where ports are counted instead of tried. */
static const struct random_case {
    const char *name;
    uint16_t first_port, last_port;
    uint32_t taken;
} randoms[] = {
    {"all ports", 1024, 65535, 0},
    {"a small range", 40000, 40099, 0},
    {"all but 20 are taken", 30000, 31999, 1980},
};

START_TEST(random_is_uniform) {
    const struct random_case *c = &randoms[_i];
    const wzp_sim_nat_cfg cfg = {.ports = WZP_SIM_NAT_RANDOM,
                                 .first_port = c->first_port,
                                 .last_port = c->last_port,
                                 .t_unreplied = WZP_S};
    enum { KINDS = 20, DRAWS = 20000 };
    unsigned seen[KINDS] = {0};
    wzp_sim_nat *nat = make(&cfg, 1);
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    for (uint32_t i = 0; i < c->taken; i++) { /* the lower ones, for ever */
        wzp_sim_nat_explicit taken = {.proto = UDP,
                                      .internal = wzp_addr_v4(10, 9, 9, 9, 9),
                                      .external = external,
                                      .expires = WZP_TIME_NEVER};
        taken.external.port = (uint16_t)(c->first_port + i);
        ck_assert_int_eq(wzp_sim_nat_map(nat, &taken, 0), WZP_OK);
    }
    const uint32_t first = c->first_port + c->taken;
    const uint32_t span = c->last_port + UINT32_C(1) - first;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint16_t port = out(nat, 1, 5000, i * 2 * WZP_S);
        ck_assert_msg(port >= first, "%s: %u", c->name, port);
        seen[(port - first) * KINDS / span]++;
    }
    uniform(c->name, seen, KINDS, DRAWS);
    wzp_sim_nat_free(&nat);
}
END_TEST

/* Independent of the port before: pairs are uniform too. */
START_TEST(random_has_no_memory) {
    const wzp_sim_nat_cfg cfg = {.ports = WZP_SIM_NAT_RANDOM, .t_unreplied = WZP_S};
    enum { SIDE = 8, DRAWS = 40000 };
    unsigned seen[SIDE * SIDE] = {0};
    wzp_sim_nat *nat = make(&cfg, 2);
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint16_t one = out(nat, 1, 5000, i * 4 * WZP_S);
        const uint16_t two = out(nat, 1, 5001, (i * 4 + 2) * WZP_S);
        seen[(one - 1024) * SIDE / 64512 * SIDE + (two - 1024) * SIDE / 64512]++;
    }
    uniform("pairs", seen, WZP_COUNT_OF(seen), DRAWS);
    wzp_sim_nat_free(&nat);
}
END_TEST

START_TEST(blocks_are_random_too) {
    const wzp_sim_nat_cfg cfg = {
        .ports = WZP_SIM_NAT_RANDOM, .block_size = 1024, .blocks_max = 1, .t_unreplied = WZP_S};
    enum { BLOCKS = 63, DRAWS = 20000 };
    unsigned seen[BLOCKS] = {0};
    wzp_sim_nat *nat = make(&cfg, 3);
    for (uint64_t i = 0; i < DRAWS; i++) {
        seen[out(nat, 1, 5000, i * 2 * WZP_S) / 1024 - 1]++;
    }
    uniform("blocks", seen, BLOCKS, DRAWS);
    wzp_sim_nat_free(&nat);
}
END_TEST

START_TEST(extra_steps_come_at_their_rate) {
    const wzp_sim_nat_cfg cfg = {
        .ports = WZP_SIM_NAT_SEQUENTIAL, .delta = 2, .skip_ppm = 50000, .quota = 30000};
    enum { FLOWS = 15000 };
    unsigned skipped = 0;
    wzp_sim_nat *nat = make(&cfg, 4);
    uint16_t last = out(nat, 1, 1, 0);
    for (unsigned i = 0; i < FLOWS; i++) {
        const uint16_t port = out(nat, 1, (uint16_t)(2 + i), 0);
        ck_assert(port == last + 2 || port == last + 4);
        skipped += port == last + 4;
        last = port;
    }
    const double expected = FLOWS * 0.05;
    ck_assert_msg(fabs(skipped - expected) < 3 * sqrt(expected * 0.95), "%u", skipped);
    wzp_sim_nat_free(&nat);
}
END_TEST

/* Foreign flows take steps: the gaps between our own ports are Poisson with mean rate x time. */
START_TEST(foreign_flows_take_steps) {
    const wzp_sim_nat_cfg cfg = {
        .ports = WZP_SIM_NAT_SEQUENTIAL, .foreign_per_s_milli = 2500, .t_unreplied = 30 * WZP_S};
    enum { DRAWS = 4000 };
    wzp_sim_nat *nat = make(&cfg, 5);
    double sum = 0;
    double squares = 0;
    uint16_t last = out(nat, 1, 1, 0);
    for (uint64_t i = 1; i <= DRAWS; i++) {
        const uint16_t port = out(nat, 1, (uint16_t)(1 + i), i * WZP_S);
        const double gap = (port - last + 64512) % 64512 - 1;
        sum += gap;
        squares += gap * gap;
        last = port;
    }
    const double mean = sum / DRAWS;
    const double variance = squares / DRAWS - mean * mean;
    ck_assert_msg(fabs(mean - 2.5) < 3 * sqrt(2.5 / DRAWS), "mean %.3f", mean);
    ck_assert_msg(fabs(variance - 2.5) < 0.25, "variance %.3f", variance);
    wzp_sim_nat_counts counts;
    wzp_sim_nat_count(nat, &counts);
    ck_assert_uint_eq(counts.created, DRAWS + 1); /* only our own count */
    wzp_sim_nat_free(&nat);
}
END_TEST

/* All ports of a NAT can be had, whatever the mode, and no port twice. */
START_TEST(every_port_can_be_had) {
    const wzp_sim_nat_cfg cfg = {.ports = (wzp_sim_nat_ports)_i,
                                 .fallback = WZP_SIM_NAT_RANDOM,
                                 .delta = 6,
                                 .quota = 2000,
                                 .first_port = 30000,
                                 .last_port = 30999};
    bool seen[1000] = {false};
    wzp_sim_nat *nat = make(&cfg, 6);
    for (uint16_t i = 0; i < 1000; i++) {
        const uint16_t port = out(nat, 1, (uint16_t)(30500 + i), 0);
        ck_assert_msg(port >= 30000 && port <= 30999 && !seen[port - 30000], "%u: %u", i, port);
        seen[port - 30000] = true;
    }
    ck_assert_uint_eq(out(nat, 1, 9, 0), 0);
    wzp_sim_nat_free(&nat);
}
END_TEST

/* TCP and UDP have ports of their own. */
START_TEST(protocols_are_apart) {
    const wzp_sim_nat_cfg cfg = {.first_port = 5000, .last_port = 5000};
    wzp_sim_nat *nat = make(&cfg, 7);
    wzp_addr src = wzp_addr_v4(10, 0, 0, 2, 5000);
    wzp_addr dst = wzp_addr_v4(192, 0, 2, 1, 443);
    ck_assert_uint_eq(out(nat, 1, 5000, 0), 5000);
    ck_assert_int_eq(wzp_sim_nat_out(nat, TCP, &src, &dst, 0), WZP_SIM_NAT_FORWARD);
    ck_assert_uint_eq(src.port, 5000);
    src = wzp_addr_v4(203, 0, 113, 1, 5000);
    ck_assert_int_eq(wzp_sim_nat_in(nat, UDP, &dst, &src, 0), WZP_SIM_NAT_FORWARD);
    ck_assert_uint_eq(src.ip[3], 1);
    wzp_sim_nat_free(&nat);
}
END_TEST

/* Same seed, same name: same ports.  Another of either: others. */
START_TEST(ports_repeat) {
    const wzp_sim_nat_cfg cfg = {.ports = WZP_SIM_NAT_RANDOM};
    wzp_sim_nat *a = make(&cfg, 8);
    wzp_sim_nat *b = make(&cfg, 8);
    wzp_sim_nat *c = make(&cfg, 9);
    unsigned same = 0;
    for (uint16_t i = 1; i <= 100; i++) {
        const uint16_t port = out(a, 1, i, 0);
        ck_assert_uint_eq(port, out(b, 1, i, 0));
        same += port == out(c, 1, i, 0);
    }
    ck_assert_uint_lt(same, 5);
    wzp_sim_nat_free(&a);
    wzp_sim_nat_free(&b);
    wzp_sim_nat_free(&c);
}
END_TEST

/* Paired pooling spreads hosts over the pool and keeps each where it is. */
START_TEST(pairs_are_spread) {
    const wzp_sim_nat_cfg cfg = {.mapping = WZP_SIM_NAT_ADDR_PORT, .ports = WZP_SIM_NAT_RANDOM};
    wzp_addr pool[4];
    unsigned seen[4] = {0};
    wzp_sim_nat *nat = NULL;
    wzp_fail fail;
    for (uint8_t i = 0; i < 4; i++) {
        pool[i] = wzp_addr_v4(203, 0, 113, i, 0);
    }
    ck_assert_int_eq(wzp_sim_nat_new(&nat, &cfg, pool, 4, 1, "pool", 0, &fail), WZP_OK);
    for (uint16_t host = 0; host < 1000; host++) {
        const wzp_addr inside = wzp_addr_v4(10, 1, (uint8_t)(host >> 8), (uint8_t)host, 5000);
        const wzp_addr foretold = wzp_sim_nat_external(nat, &inside);
        for (uint8_t remote = 0; remote < 3; remote++) {
            wzp_addr src = inside;
            wzp_addr dst = wzp_addr_v4(192, 0, 2, remote, 443);
            ck_assert_int_eq(wzp_sim_nat_out(nat, UDP, &src, &dst, 0), WZP_SIM_NAT_FORWARD);
            ck_assert(wzp_addr_same_ip(&src, &foretold));
        }
        seen[foretold.ip[3]]++;
    }
    uniform("pool", seen, 4, 1000);
    wzp_sim_nat_free(&nat);
}
END_TEST

/* 65,000 mappings of 250 hosts, or of 65,000: 16 MiB, and 256 bytes each. */
START_TEST(mappings_are_small) {
    static const struct {
        wzp_sim_nat_cfg cfg;
        uint32_t hosts;
    } cases[] = {
        {{.filtering = WZP_SIM_NAT_ADDR_PORT, .ports = WZP_SIM_NAT_RANDOM, .first_port = 1}, 250},
        {{.filtering = WZP_SIM_NAT_ADDR_PORT, .ports = WZP_SIM_NAT_RANDOM, .first_port = 1}, 65000},
        {{.filtering = WZP_SIM_NAT_ADDR_PORT, .overload = true}, 250},
    };
    wzp_sim_nat_counts counts;
    wzp_sim_nat *nat = make(&cases[_i].cfg, 10);
    for (uint32_t i = 0; i < 65000; i++) {
        const uint32_t host = i % cases[_i].hosts;
        wzp_addr src = wzp_addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host,
                                   (uint16_t)(1024 + i / cases[_i].hosts));
        wzp_addr dst = wzp_addr_v4(192, 0, 2, (uint8_t)host, 443);
        ck_assert_int_eq(wzp_sim_nat_out(nat, UDP, &src, &dst, 0), WZP_SIM_NAT_FORWARD);
    }
    wzp_sim_nat_count(nat, &counts);
    ck_assert_uint_eq(counts.mappings, 65000);
    ck_assert_msg(counts.bytes <= (size_t)16 << 20 && counts.bytes / 65000 <= 256, "%zu bytes",
                  counts.bytes);
    wzp_sim_nat_free(&nat);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ports");
    tcase_add_loop_test(tc, random_is_uniform, 0, (int)WZP_COUNT_OF(randoms));
    tcase_add_test(tc, random_has_no_memory);
    tcase_add_test(tc, blocks_are_random_too);
    tcase_add_test(tc, extra_steps_come_at_their_rate);
    tcase_add_test(tc, foreign_flows_take_steps);
    tcase_add_loop_test(tc, every_port_can_be_had, 0, 5);
    tcase_add_test(tc, protocols_are_apart);
    tcase_add_test(tc, ports_repeat);
    tcase_add_test(tc, pairs_are_spread);
    tcase_add_loop_test(tc, mappings_are_small, 0, 3);
    return wzp_run_suite("ports", tc);
}
