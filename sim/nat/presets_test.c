/* The presets: each is what nat sheet 2.4 says it is, by behaviour. */
#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/nat/testing/script.h"

/* What tells them apart: mapping, filtering, whether the first port is kept, the timers. */
static const struct preset_case {
    const char *name;
    const char *mapping, *filtering; /* "any", "addr", "port" */
    bool preserves, hairpins;
    unsigned unreplied, replied; /* s; 0: none */
} cases[] = {
    {"1to1", "any", "any", true, true, 0, 0},
    {"fullcone", "any", "any", true, true, 60, 300},
    {"addrcone", "any", "addr", true, false, 60, 180},
    {"linux-masq", "any", "port", true, false, 30, 120},
    {"mikrotik", "any", "port", true, false, 10, 180},
    {"pf", "port", "port", false, false, 30, 60},
    {"symseq", "port", "port", false, false, 60, 180},
    {"symseq2", "port", "port", false, false, 60, 180},
    {"adm", "addr", "port", false, false, 60, 180},
    {"symrand", "port", "port", false, false, 30, 120},
    {"cgn-rfc", "any", "any", false, true, 120, 300},
    {"cgn-hard", "port", "port", false, false, 30, 60},
    {"natlab-easy", "any", "port", false, false, 0, 0},
    {"natlab-easyaf", "any", "addr", false, false, 0, 0},
    {"natlab-hard", "port", "port", false, false, 0, 0},
    {"pion-default", "any", "any", false, false, 30, 30},
    {"ns3-rebind", "any", "any", true, false, 0, 0},
};

static wzp_sim_nat_cfg preset(const char *name) {
    wzp_sim_nat_cfg cfg = {0};
    ck_assert_msg(wzp_sim_nat_preset(name, &cfg), "%s", name);
    ck_assert_str_eq(cfg.name, name);
    return cfg;
}

static void run(const struct preset_case *c, const char *script) {
    const wzp_sim_nat_cfg cfg = preset(c->name);
    wzp_sim_nat_script(c->name, &cfg, "X", script);
}

START_TEST(mapping_and_filtering) {
    const struct preset_case *c = &cases[_i];
    char script[400];
    const bool any = strcmp(c->filtering, "any") == 0;
    (void)snprintf(script, sizeof script,
                   "0 out A:5000 > S:80 = X:%s\n"
                   "- in S:99 > X:%s %s\n"
                   "- in U:80 > X:%s %s\n"
                   "- out A:5000 > S:81 = X:%s\n"
                   "- out A:5000 > T:80 = X:%s\n",
                   c->preserves ? "5000" : "a", c->preserves ? "5000" : "a",
                   strcmp(c->filtering, "port") == 0 ? "filter" : "= A:5000",
                   c->preserves ? "5000" : "a", any ? "= A:5000" : "filter",
                   c->preserves                      ? "5000"
                   : strcmp(c->mapping, "port") == 0 ? "b"
                                                     : "a",
                   c->preserves                     ? "5000"
                   : strcmp(c->mapping, "any") == 0 ? "a"
                                                    : "c");
    run(c, script);
}
END_TEST

START_TEST(timers) {
    const struct preset_case *c = &cases[_i];
    char script[400];
    if (c->unreplied == 0) {
        run(c, "0 out A:5000 > S:80 = X:a\n"
               "9999999999 mappings 1\n");
        return;
    }
    (void)snprintf(script, sizeof script,
                   "0 out A:5000 > S:80 = X:?\n"
                   "%u tick\n- mappings 1\n"
                   "%u+1 tick\n- mappings 0\n"
                   "600000 out A:5000 > S:80 = X:p\n"
                   "- in S:80 > X:p = A:5000\n"
                   "%u tick\n- mappings 1\n"
                   "%u+1 tick\n- mappings 0\n",
                   c->unreplied * 1000, c->unreplied * 1000, 600000 + c->replied * 1000,
                   600000 + c->replied * 1000);
    run(c, script);
}
END_TEST

START_TEST(hairpin) {
    const struct preset_case *c = &cases[_i];
    run(c, c->hairpins ? "0 out B:6000 > S:80 = X:b\n"
                         "- turn A:5000 > X:b = X:a > B:6000\n"
                       : "0 out B:6000 > S:80 = X:b\n"
                         "- turn A:5000 > X:b hairpin\n");
}
END_TEST

/* What the table of columns does not say. */
static const struct remark_case {
    const char *name, *externals, *script;
} remarks[] = {
    {"pub", "", "0 in S:80 > A:5000 = A:5000\n- out A:5000 > S:80 = A:5000\n"},
    {"fw", "",
     "0 out A:5000 > S:80 = A:5000\n"
     "- in T:80 > A:5000 filter\n"
     "30000+1 in S:80 > A:5000 filter\n"},
    {"linux-masq", "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- out B:5000 > T:80 = X:5000\n"
     "- out B:5000 > S:80 = X:p\n"
     "- in U:80 > X:5000 filter\n"
     "- out A:5000 > U:80 = X:5000\n"},
    {"symseq", "X",
     "0 out A:5000 > S:80 = X:1024\n"
     "- out A:5000 > S:81 = X:1025\n"
     "- out B:5000 > S:80 = X:1026\n"},
    {"adm", "X",
     "0 out A:5000 > S:80 = X:1024\n"
     "- out A:5000 > T:80 = X:1025\n"
     "- out A:5000 > S:81 = X:1024\n"},
    {"pion-default", "X",
     "0 out A:5000 > S:80 = X:49152\n"
     "- out B:5000 > S:80 = X:49153\n"
     "20000 in S:80 > X:49152 = A:5000\n"
     "30000+1 in S:80 > X:49152 no-mapping\n"},
    {"pool-arb", "XY",
     "0 out A:5000 > S:80 = X:a\n"
     "- out A:5000 > T:80 = Y:b\n"
     "- in S:81 > X:a filter\n"},
    {"natlab-easy", "X",
     "0 out A:5000 > S:80 = X:a\n"
     "300000 in S:80 > X:a = A:5000\n"
     "300000+1 in S:80 > X:a filter\n"
     "- out A:5000 > T:80 = X:a\n"},
    {"ns3-rebind", "X",
     "0 out A:5000 > S:80 = X:5000\n"
     "- rebind\n"
     "- in S:80 > X:5000 no-mapping\n"
     "- out A:5000 > S:80 = X:p\n"
     "- rebind\n"
     "- in S:80 > X:p no-mapping\n"},
};

START_TEST(remark) {
    const struct remark_case *c = &remarks[_i];
    const wzp_sim_nat_cfg cfg = preset(c->name);
    wzp_sim_nat_script(c->name, &cfg, c->externals, c->script);
}
END_TEST

/* The figures of the table; what each of them does is nat_test's matter.  0: nothing said. */
static const struct figure_case {
    const char *name;
    uint16_t first_port;
    uint32_t delta, skip_ppm, block_size, blocks_max, quota;
    unsigned t_hold, t_filter; /* s */
    bool per_flow, keeps_well_known, arbitrary, refreshed_from_outside;
} figures[] = {
    {.name = "fw", .per_flow = true, .refreshed_from_outside = true},
    {.name = "1to1", .refreshed_from_outside = true},
    {.name = "fullcone", .refreshed_from_outside = true},
    {.name = "addrcone", .refreshed_from_outside = true},
    {.name = "linux-masq",
     .per_flow = true,
     .keeps_well_known = true,
     .refreshed_from_outside = true},
    {.name = "mikrotik",
     .per_flow = true,
     .keeps_well_known = true,
     .refreshed_from_outside = true},
    {.name = "pf", .first_port = 50001, .refreshed_from_outside = true},
    {.name = "symseq", .delta = 1, .refreshed_from_outside = true},
    {.name = "symseq2", .delta = 2, .skip_ppm = 50000, .refreshed_from_outside = true},
    {.name = "adm", .delta = 1, .refreshed_from_outside = true},
    {.name = "symrand", .refreshed_from_outside = true},
    {.name = "cgn-rfc",
     .block_size = 1024,
     .blocks_max = 4,
     .t_hold = 120,
     .refreshed_from_outside = true},
    {.name = "cgn-hard",
     .block_size = 1024,
     .blocks_max = 1,
     .quota = 1024,
     .refreshed_from_outside = true},
    {.name = "pool-arb", .arbitrary = true, .refreshed_from_outside = true},
    {.name = "natlab-easy", .first_port = 32768, .t_filter = 300, .refreshed_from_outside = true},
    {.name = "natlab-easyaf", .first_port = 32768, .t_filter = 300, .refreshed_from_outside = true},
    {.name = "natlab-hard", .first_port = 32768, .t_filter = 300, .refreshed_from_outside = true},
    {.name = "pion-default", .first_port = 49152, .delta = 1},
    {.name = "ns3-rebind", .refreshed_from_outside = true},
};

START_TEST(figures_of_the_table) {
    const struct figure_case *c = &figures[_i];
    const wzp_sim_nat_cfg cfg = preset(c->name);
    ck_assert_msg(cfg.first_port == c->first_port && cfg.last_port == 0, "%s: ports", c->name);
    ck_assert_msg(cfg.delta == c->delta && cfg.skip_ppm == c->skip_ppm, "%s: steps", c->name);
    ck_assert_msg(cfg.block_size == c->block_size && cfg.blocks_max == c->blocks_max, "%s: blocks",
                  c->name);
    ck_assert_msg(cfg.quota == c->quota, "%s: quota", c->name);
    ck_assert_msg(cfg.t_hold == c->t_hold * WZP_S && cfg.t_filter == c->t_filter * WZP_S,
                  "%s: times", c->name);
    ck_assert_msg(cfg.overload == c->per_flow && cfg.keep_well_known == c->keeps_well_known,
                  "%s: flows", c->name);
    ck_assert_msg(cfg.arbitrary_pooling == c->arbitrary, "%s: pool", c->name);
    ck_assert_msg(cfg.ports != WZP_SIM_NAT_PRESERVE || cfg.identity ||
                      cfg.fallback == WZP_SIM_NAT_RANDOM,
                  "%s: fallback", c->name);
    ck_assert_msg(cfg.no_refresh_in != c->refreshed_from_outside && !cfg.no_refresh_out,
                  "%s: refresh", c->name);
}
END_TEST

/* A subscriber of a carrier has aligned blocks of 1024 ports; what is given back rests for 120 s.
 */
START_TEST(carrier_blocks) {
    static const struct {
        const char *name;
        uint32_t most;
    } carriers[] = {{"cgn-rfc", 4096}, {"cgn-hard", 1024}};
    const wzp_sim_nat_cfg cfg = preset(carriers[_i].name);
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 1, 0);
    wzp_addr blocks[4] = {{0}};
    wzp_sim_nat *nat = NULL;
    wzp_fail fail;
    ck_assert_int_eq(wzp_sim_nat_new(&nat, &cfg, &external, 1, 1, "cgn", 0, &fail), WZP_OK);
    for (uint32_t i = 0; i <= carriers[_i].most; i++) {
        wzp_addr src = wzp_addr_v4(100, 64, 0, 1, (uint16_t)(10000 + i));
        wzp_addr dst = wzp_addr_v4(192, 0, 2, 1, 80);
        const wzp_sim_nat_verdict verdict = wzp_sim_nat_out(nat, 17, &src, &dst, 0);
        if (i == carriers[_i].most) {
            ck_assert_int_eq(verdict, WZP_SIM_NAT_DROP_QUOTA);
            break;
        }
        ck_assert_int_eq(verdict, WZP_SIM_NAT_FORWARD);
        wzp_addr *block = &blocks[i / 1024];
        block->port = i % 1024 == 0 ? src.port / 1024 : block->port;
        ck_assert_msg(src.port / 1024 == block->port, "%s: %u: port %u outside block %u",
                      carriers[_i].name, i, src.port, block->port);
    }
    wzp_sim_nat_free(&nat);
}
END_TEST

START_TEST(names_and_chains) {
    size_t count = 0;
    size_t chains = 0;
    for (const char *name = wzp_sim_nat_preset_name(0); name != NULL;
         name = wzp_sim_nat_preset_name(++count)) {
        wzp_sim_nat_cfg boxes[2];
        wzp_sim_nat_cfg cfg;
        const int n = wzp_sim_nat_chain(name, boxes);
        ck_assert_msg(n == (strcmp(name, "pub") == 0           ? 0
                            : strncmp(name, "double-", 7) == 0 ? 2
                                                               : 1),
                      "%s: %d boxes", name, n);
        ck_assert_msg(wzp_sim_nat_preset(name, &cfg) == (n < 2), "%s", name);
        chains += n == 2;
    }
    ck_assert_uint_eq(count, 22);
    ck_assert_uint_eq(chains, 2);
    wzp_sim_nat_cfg boxes[2];
    ck_assert_int_eq(wzp_sim_nat_chain("double-hard", boxes), 2);
    ck_assert_str_eq(boxes[0].name, "linux-masq");
    ck_assert_str_eq(boxes[1].name, "cgn-hard");
    ck_assert_int_eq(wzp_sim_nat_chain("double-easy", boxes), 2);
    ck_assert_str_eq(boxes[1].name, "cgn-rfc");
    ck_assert_int_eq(wzp_sim_nat_chain("nonesuch", boxes), -1);
}
END_TEST

/* What cannot be is refused with the name of the field. */
START_TEST(refusals) {
    const wzp_addr v4 = wzp_addr_v4(203, 0, 113, 1, 0);
    const wzp_addr mixed[] = {v4, {.family = WZP_ADDR_V6}};
    static const struct {
        const char *field;
        wzp_sim_nat_cfg cfg;
        size_t externals;
    } refused[] = {
        {"overload", {.overload = true}, 1},
        {"inbound_creates_state", {.inbound_creates_state = true}, 1},
        {"first_port", {.first_port = 2000, .last_port = 1999}, 1},
        {"skip_ppm", {.skip_ppm = 1000001}, 1},
        {"new_per_s", {.new_per_s = 1000000001}, 1},
        {"quota_total", {.quota_total = (1U << 24) + 1}, 1},
        {"block_size", {.block_size = 3, .first_port = 5000, .last_port = 5001}, 1},
        {"arbitrary_pooling", {.block_size = 2, .arbitrary_pooling = true}, 1},
        {"overload", {.block_size = 2, .overload = true, .filtering = WZP_SIM_NAT_ADDR_PORT}, 1},
        {"externals", {.identity = false}, 0},
        {"externals", {.identity = false}, 2},
        {"externals", {.identity = false}, WZP_SIM_NAT_POOL_MAX + 1},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(refused); i++) {
        wzp_sim_nat *nat = NULL;
        wzp_fail fail = {.field = "-"};
        const wzp_err err = wzp_sim_nat_new(&nat, &refused[i].cfg, mixed, refused[i].externals, 1,
                                            "refused", 0, &fail);
        ck_assert_msg(err == WZP_ERR_INVALID_ARGUMENT && nat == NULL, "%zu", i);
        ck_assert_str_eq(fail.field, refused[i].field);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("presets");
    const int count = (int)WZP_COUNT_OF(cases);
    tcase_add_loop_test(tc, mapping_and_filtering, 0, count);
    tcase_add_loop_test(tc, timers, 0, count);
    tcase_add_loop_test(tc, hairpin, 0, count);
    tcase_add_loop_test(tc, remark, 0, (int)WZP_COUNT_OF(remarks));
    tcase_add_loop_test(tc, figures_of_the_table, 0, (int)WZP_COUNT_OF(figures));
    tcase_add_loop_test(tc, carrier_blocks, 0, 2);
    tcase_add_test(tc, names_and_chains);
    tcase_add_test(tc, refusals);
    return wzp_run_suite("presets", tc);
}
