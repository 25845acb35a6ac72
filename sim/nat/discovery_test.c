/* The tests of RFC 5780 against every kind of NAT (SIM-002; nat sheet 2.8): what an outside
 * observer finds out must be what was configured. */
#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/nat/nat.h"

enum { UDP = 17 };

/* What RFC 5780 can tell. */
typedef struct verdict {
    bool translated;
    wzp_sim_nat_scope mapping, filtering;
    int hairpin; /* wzp_sim_nat_hairpin */
    uint64_t lifetime_s;
} verdict;

typedef struct lab {
    wzp_sim_nat *nat;
    wzp_time now;
    uint16_t next_port; /* each test has a socket of its own */
} lab;

static wzp_addr server(unsigned ip, unsigned port) {
    return wzp_addr_v4(192, 0, 2, (uint8_t)(1 + ip), (uint16_t)(3478 + port));
}

static wzp_addr new_socket(lab *l) {
    return wzp_addr_v4(10, 0, 0, 1, l->next_port++);
}

/* The address that the server sees; family NONE: nothing arrives. */
static wzp_addr ask(lab *l, wzp_addr local, wzp_addr to) {
    return wzp_sim_nat_out(l->nat, UDP, &local, &to, l->now) == WZP_SIM_NAT_FORWARD ? local
                                                                                    : (wzp_addr){0};
}

static bool answer(lab *l, wzp_addr from, wzp_addr to, wzp_addr local) {
    return wzp_sim_nat_in(l->nat, UDP, &from, &to, l->now) == WZP_SIM_NAT_FORWARD &&
           wzp_addr_equal(&to, &local);
}

/* 4.3: to IP1:P1, IP2:P1, IP2:P2. */
static wzp_sim_nat_scope find_mapping(lab *l, bool *translated) {
    const wzp_addr local = new_socket(l);
    const wzp_addr one = ask(l, local, server(0, 0));
    const wzp_addr two = ask(l, local, server(1, 0));
    const wzp_addr three = ask(l, local, server(1, 1));
    *translated = !wzp_addr_equal(&one, &local);
    if (wzp_addr_equal(&one, &two)) {
        return WZP_SIM_NAT_ANY;
    }
    return wzp_addr_equal(&two, &three) ? WZP_SIM_NAT_ADDR : WZP_SIM_NAT_ADDR_PORT;
}

/* 4.4: answers from the other address, from the other port. */
static wzp_sim_nat_scope find_filtering(lab *l) {
    const wzp_addr local = new_socket(l);
    const wzp_addr seen = ask(l, local, server(0, 0));
    ck_assert(answer(l, server(0, 0), seen, local));
    if (answer(l, server(1, 1), seen, local)) {
        return WZP_SIM_NAT_ANY;
    }
    return answer(l, server(0, 1), seen, local) ? WZP_SIM_NAT_ADDR : WZP_SIM_NAT_ADDR_PORT;
}

/* 4.5: from a second socket to the first one's reflexive address.  The first has sent to it before,
 * so that its filter is no obstacle. */
static int find_hairpin(lab *l) {
    const wzp_addr a = new_socket(l);
    const wzp_addr b = new_socket(l);
    wzp_addr seen_a = ask(l, a, server(0, 0));
    wzp_addr seen_b = ask(l, b, server(0, 0));
    wzp_addr src = a;
    (void)wzp_sim_nat_out(l->nat, UDP, &src, &seen_b, l->now);
    src = b;
    if (wzp_sim_nat_out(l->nat, UDP, &src, &seen_a, l->now) != WZP_SIM_NAT_TURN) {
        return WZP_SIM_NAT_HAIRPIN_OFF;
    }
    return wzp_addr_equal(&src, &b) ? WZP_SIM_NAT_HAIRPIN_INTERNAL : WZP_SIM_NAT_HAIRPIN_EXTERNAL;
}

/* 4.6: by halving.  A new socket each time; one answer, then silence, then another answer. */
static uint64_t find_lifetime(lab *l) {
    uint64_t alive = 0;
    uint64_t dead = 1000;
    while (dead - alive > 1) {
        const uint64_t middle = (alive + dead) / 2;
        const wzp_addr local = new_socket(l);
        const wzp_addr seen = ask(l, local, server(0, 0));
        ck_assert(answer(l, server(0, 0), seen, local));
        l->now += middle * WZP_S;
        *(answer(l, server(0, 0), seen, local) ? &alive : &dead) = middle;
    }
    return alive;
}

static verdict discover(const wzp_sim_nat_cfg *cfg) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    lab l = {.next_port = 40000, .now = WZP_S};
    verdict v = {.hairpin = 0};
    wzp_fail fail = {.field = "-"};
    const wzp_err err = wzp_sim_nat_new(&l.nat, cfg, &external, 1, 1, "lab", l.now, &fail);
    ck_assert_msg(err == WZP_OK, "%s", fail.field);
    v.mapping = find_mapping(&l, &v.translated);
    v.filtering = find_filtering(&l);
    v.hairpin = v.translated ? find_hairpin(&l) : 0;
    v.lifetime_s = find_lifetime(&l);
    wzp_sim_nat_free(&l.nat);
    return v;
}

START_TEST(every_combination_is_recognised) {
    wzp_sim_nat_cfg cfg = {.mapping = (wzp_sim_nat_scope)(_i % 3),
                           .filtering = (wzp_sim_nat_scope)(_i / 3 % 3),
                           .hairpin = (wzp_sim_nat_hairpin)(_i / 9),
                           .ports = WZP_SIM_NAT_RANDOM,
                           .t_unreplied = 30 * WZP_S,
                           .t_replied = (uint64_t)(60 + _i) * WZP_S};
    /* With another mapping for another destination it is the one towards the server that is
     * addressed, and its filter knows nobody but the server. */
    const bool can_turn = cfg.filtering == WZP_SIM_NAT_ANY || cfg.mapping == WZP_SIM_NAT_ANY;
    const verdict v = discover(&cfg);
    ck_assert(v.translated);
    ck_assert_int_eq(v.mapping, cfg.mapping);
    ck_assert_int_eq(v.filtering, cfg.filtering);
    ck_assert_int_eq(v.hairpin, can_turn ? cfg.hairpin : WZP_SIM_NAT_HAIRPIN_OFF);
    ck_assert_uint_eq(v.lifetime_s, (uint64_t)(60 + _i));
}
END_TEST

/* As measured on a Linux 6 kernel with nftables masquerade and coturn's natdiscovery: "Endpoint
 * Independent Mapping", "Address and Port Dependent Filtering". */
START_TEST(presets_are_recognised) {
    static const struct {
        const char *name;
        verdict want;
    } presets[] = {
        {"fw", {false, WZP_SIM_NAT_ANY, WZP_SIM_NAT_ADDR_PORT, 0, 120}},
        {"linux-masq", {true, WZP_SIM_NAT_ANY, WZP_SIM_NAT_ADDR_PORT, 0, 120}},
        {"fullcone", {true, WZP_SIM_NAT_ANY, WZP_SIM_NAT_ANY, WZP_SIM_NAT_HAIRPIN_EXTERNAL, 300}},
        {"addrcone", {true, WZP_SIM_NAT_ANY, WZP_SIM_NAT_ADDR, 0, 180}},
        {"adm", {true, WZP_SIM_NAT_ADDR, WZP_SIM_NAT_ADDR_PORT, 0, 180}},
        {"symseq", {true, WZP_SIM_NAT_ADDR_PORT, WZP_SIM_NAT_ADDR_PORT, 0, 180}},
        {"pub", {false, WZP_SIM_NAT_ANY, WZP_SIM_NAT_ANY, 0, 999}},
    };
    wzp_sim_nat_cfg cfg;
    ck_assert(wzp_sim_nat_preset(presets[_i].name, &cfg));
    const verdict want = presets[_i].want;
    const verdict v = discover(&cfg);
    ck_assert_msg(v.translated == want.translated && v.mapping == want.mapping &&
                      v.filtering == want.filtering && v.hairpin == want.hairpin &&
                      v.lifetime_s == want.lifetime_s,
                  "%s: translated %d mapping %d filtering %d hairpin %d lifetime %llu",
                  presets[_i].name, v.translated, v.mapping, v.filtering, v.hairpin,
                  (unsigned long long)v.lifetime_s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("discovery");
    tcase_add_loop_test(tc, every_combination_is_recognised, 0, 27);
    tcase_add_loop_test(tc, presets_are_recognised, 0, 7);
    return wzp_run_suite("discovery", tc);
}
