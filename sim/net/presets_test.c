/* The access presets, run: rate, delay, loss and queue are those of the sheet's table. */
#include <check.h>
#include <math.h>

#include "base/testing/suite.h"
#include "sim/net/testing/bench.h"

/* What a call of 50 packets per second sees in five minutes. */
static const struct preset_case {
    const char *name;
    double up_mbit, down_mbit;
    double mean_from, mean_to, deviation_from, deviation_to; /* ms, one way up */
    double loss_from, loss_to;                               /* percent */
    uint32_t up_queue_ms;
} preset_cases[] = {
    {"fiber", 100, 300, 2.9, 3.2, .15, .25, 0, 0, 50},
    {"cable", 20, 200, 10, 10.3, 1.8, 2.2, 0, 0, 150},
    {"dsl", 1, 16, 16, 17, .9, 1.1, 0, 0, 600},
    {"wifi-good", 50, 50, 2.4, 3, .5, 1.5, .03, .2, 100},
    {"wifi-bad", 10, 10, 15, 35, 20, 50, 1.8, 3.2, 200},
    {"lte", 10, 40, 24, 27, 5, 7, .1, .35, 400},
    {"lte-drive", 0, 0, 30, 60, 100, 180, 0, 0, 1000},
    {"3g", .4, 2, 65, 85, 12, 22, .7, 1.3, 1500},
    {"starlink", 15, 150, 20, 32, 6, 16, .5, 2.5, 100},
    {"geo", 3, 25, 288, 300, 4, 6, .15, .45, 300},
    {"corp-vpn", 5, 5, 40, 41, 0, .1, .03, .2, 100},
};

START_TEST(as_the_table_says) {
    const struct preset_case *c = &preset_cases[_i];
    ck_assert_str_eq(wzp_sim_link_preset_name((size_t)_i), c->name);
    wzp_sim_link_cfg up;
    wzp_sim_link_cfg down;
    ck_assert(wzp_sim_link_preset(c->name, true, &up));
    ck_assert(wzp_sim_link_preset(c->name, false, &down));
    ck_assert_double_eq((double)up.rate.bits_per_s / 1e6, c->up_mbit);
    ck_assert_double_eq((double)down.rate.bits_per_s / 1e6, c->down_mbit);
    ck_assert_uint_eq(up.queue.limit_ns, c->up_queue_ms * WZP_MS);
    bench b;
    bench_open(&b, &up, 3);
    enum { PACKETS = 15000 };
    for (uint64_t i = 0; i < PACKETS; i++) {
        bench_send(&b, i * 20 * WZP_MS, 150);
    }
    bench_run(&b, 400 * WZP_S);
    double mean = 0;
    double square = 0;
    for (size_t i = 0; i < b.count; i++) {
        const double took = (double)(b.arrivals[i].at - b.arrivals[i].sent) / 1e6;
        mean += took / (double)b.count;
        square += took * took / (double)b.count;
    }
    const double deviation = sqrt(square - mean * mean);
    const double loss = 100.0 * (double)(PACKETS - b.count) / PACKETS;
    ck_assert_msg(mean >= c->mean_from && mean <= c->mean_to && deviation >= c->deviation_from &&
                      deviation <= c->deviation_to && loss >= c->loss_from && loss <= c->loss_to,
                  "%s: %.2f +- %.2f ms, loss %.2f %%", c->name, mean, deviation, loss);
    bench_close(&b);
}
END_TEST

/* The figures of nat sheet 2.10 that a minute of packets does not show.  Times in us. */
static const struct figure_case {
    const char *name;
    wzp_sim_delay_law law;
    uint64_t base, spread, up_queue, down_queue;
    uint32_t shape_milli, rho_ppm, loss_ppm, mtu;
} figures[] = {
    {"fiber", WZP_SIM_DELAY_NORMAL, 3000, 200, 50000, 50000, 0, 0, 0, 0},
    {"cable", WZP_SIM_DELAY_NORMAL, 10000, 2000, 150000, 150000, 0, 0, 0, 0},
    {"dsl", WZP_SIM_DELAY_NORMAL, 15000, 1000, 600000, 100000, 0, 0, 0, 0},
    {"wifi-good", WZP_SIM_DELAY_PARETO, 2000, 1000, 100000, 100000, 2500, 0, 1000, 0},
    {"wifi-bad", WZP_SIM_DELAY_WIFI, 4000, 7000, 200000, 200000, 0, 0, 10000, 0},
    {"lte", WZP_SIM_DELAY_AR1, 25000, 6000, 400000, 400000, 0, 900000, 2000, 0},
    {"lte-drive", WZP_SIM_DELAY_FIXED, 20000, 0, 1000000, 1000000, 0, 0, 0, 0},
    {"3g", WZP_SIM_DELAY_NORMAL, 60000, 20000, 1500000, 1500000, 0, 0, 10000, 0},
    {"starlink", WZP_SIM_DELAY_AR1, 20000, 6000, 100000, 100000, 0, 500000, 7500, 0},
    {"geo", WZP_SIM_DELAY_NORMAL, 290000, 5000, 300000, 300000, 0, 0, 3000, 0},
    {"corp-vpn", WZP_SIM_DELAY_FIXED, 40000, 0, 100000, 100000, 0, 0, 1000, 1280},
};

START_TEST(figures_of_the_table) {
    const struct figure_case *c = &figures[_i];
    wzp_sim_link_cfg up;
    wzp_sim_link_cfg down;
    ck_assert(wzp_sim_link_preset(c->name, true, &up));
    ck_assert(wzp_sim_link_preset(c->name, false, &down));
    ck_assert_msg(up.delay.law == c->law && up.delay.base == c->base * WZP_US &&
                      up.delay.spread == c->spread * WZP_US,
                  "%s: delay", c->name);
    ck_assert_msg(up.delay.shape_milli == c->shape_milli && up.delay.rho_ppm == c->rho_ppm,
                  "%s: shape", c->name);
    ck_assert_msg(up.queue.limit_ns == c->up_queue * WZP_US &&
                      down.queue.limit_ns == c->down_queue * WZP_US,
                  "%s: queues", c->name);
    ck_assert_msg(up.loss.p == c->loss_ppm && down.loss.p == c->loss_ppm, "%s: loss", c->name);
    ck_assert_msg(up.mtu == c->mtu && down.mtu == c->mtu, "%s: MTU", c->name);
}
END_TEST

static void is_outage(const char *name, const wzp_sim_outage_cfg *want) {
    for (int up = 0; up < 2; up++) {
        wzp_sim_link_cfg cfg;
        ck_assert(wzp_sim_link_preset(name, up != 0, &cfg));
        const wzp_sim_outage_cfg *o = &cfg.outage;
        ck_assert_msg(o->kind == want->kind && o->on == want->on && o->on_to == want->on_to &&
                          o->off == want->off && o->off_to == want->off_to && o->hold,
                      "%s", name);
    }
}

START_TEST(what_stands_still) {
    is_outage("wifi-bad", &(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_PERIODIC,
                                                .on = 1800 * WZP_MS,
                                                .off = 200 * WZP_MS});
    is_outage("lte", &(wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_HANDOVER,
                                           .on = 20 * WZP_S,
                                           .on_to = 60 * WZP_S,
                                           .off = 30 * WZP_MS,
                                           .off_to = 60 * WZP_MS});
    for (int up = 0; up < 2; up++) {
        wzp_sim_link_cfg cfg;
        ck_assert(wzp_sim_link_preset("starlink", up != 0, &cfg));
        const wzp_sim_slots_cfg *s = &cfg.slots;
        ck_assert(s->on && s->base_from == 15 * WZP_MS && s->base_to == 35 * WZP_MS);
        ck_assert(s->gap_from == 20 * WZP_MS && s->gap_to == 100 * WZP_MS);
        ck_assert_uint_eq(s->burst_loss_ppm, 100000);
        ck_assert(s->outage_every == 600 * WZP_S && s->outage_from == 300 * WZP_MS &&
                  s->outage_to == 2 * WZP_S);
        ck_assert(wzp_sim_link_preset("wifi-bad", up != 0, &cfg));
        ck_assert(cfg.loss.r == 300000 && cfg.loss.bad == 700000 && cfg.loss.good == 2000);
    }
}
END_TEST

START_TEST(all_pass_the_check) {
    for (size_t i = 0; wzp_sim_link_preset_name(i) != NULL; i++) {
        for (int up = 0; up < 2; up++) {
            wzp_sim_link_cfg cfg;
            ck_assert(wzp_sim_link_preset(wzp_sim_link_preset_name(i), up != 0, &cfg));
            wzp_fail fail;
            ck_assert_msg(wzp_sim_link_check(&cfg, &fail) == WZP_OK, "%s: %s",
                          wzp_sim_link_preset_name(i), fail.field);
        }
    }
    ck_assert_ptr_null(wzp_sim_link_preset_name(WZP_COUNT_OF(preset_cases)));
}
END_TEST

START_TEST(others_are_unknown) {
    wzp_sim_link_cfg cfg = {.mtu = 77};
    ck_assert(!wzp_sim_link_preset("carrier-pigeon", true, &cfg));
    ck_assert_uint_eq(cfg.mtu, 77);
}
END_TEST

START_TEST(a_vpn_has_a_small_mtu_and_says_so) {
    wzp_sim_link_cfg cfg;
    ck_assert(wzp_sim_link_preset("corp-vpn", true, &cfg));
    ck_assert_uint_eq(cfg.mtu, 1280);
    ck_assert(!cfg.mtu_silent);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("presets");
    tcase_add_loop_test(tc, as_the_table_says, 0, WZP_COUNT_OF(preset_cases));
    tcase_add_loop_test(tc, figures_of_the_table, 0, WZP_COUNT_OF(figures));
    tcase_add_test(tc, what_stands_still);
    tcase_add_test(tc, all_pass_the_check);
    tcase_add_test(tc, others_are_unknown);
    tcase_add_test(tc, a_vpn_has_a_small_mtu_and_says_so);
    return wzp_run_suite("presets", tc);
}
