/* Descriptions that make no sense, and the field that is to blame. */
#include <check.h>

#include "base/testing/suite.h"
#include "sim/net/link.h"

#define MBIT UINT64_C(1000000)
#define RATE .rate = {.bits_per_s = MBIT}

static const wzp_sim_point falling[] = {{0, 1}, {5, 1}, {5, 1}};
static const wzp_sim_point endless[] = {{0, 1}, {5, UINT64_MAX}};
static const uint64_t unsorted[] = {1, 2, 2};
static const uint32_t backwards[] = {1, 5, 4, 9};
static const uint32_t at_zero[] = {0, 0};
static const wzp_sim_rate_step late[] = {{WZP_MS, 8000}, {WZP_S, 0}};
static const wzp_sim_rate_step dense[] = {{0, 8000}, {10, 8000}, {WZP_S, 0}};
static const wzp_sim_rate_step dead[] = {{0, 0}, {WZP_S, 0}, {2 * WZP_S, 8000}};
static const wzp_sim_rate_step slow[] = {{0, 8000}, {WZP_S, 7}, {2 * WZP_S, 0}};

static const struct bad_case {
    wzp_sim_link_cfg cfg;
    const char *field;
    uint64_t got;
    size_t index;
} bad_cases[] = {
    {{.delay = {.law = (wzp_sim_delay_law)99}}, "delay.law", 99, 0},
    {{.delay = {.base = 1001 * WZP_S}}, "delay.base", 1001 * WZP_S, 0},
    {{.delay = {.spread = 101 * WZP_S}}, "delay.spread", 101 * WZP_S, 0},
    {{.delay = {.rho_ppm = 1000001}}, "delay.rho_ppm", 1000001, 0},
    {{.delay = {.skip_ppm = 1000001}}, "delay.skip_ppm", 1000001, 0},
    {{.delay = {.law = WZP_SIM_DELAY_LOGNORMAL, .shape_milli = 2501}},
     "delay.shape_milli",
     2501,
     0},
    {{.delay = {.law = WZP_SIM_DELAY_PARETO, .shape_milli = 99}}, "delay.shape_milli", 99, 0},
    {{.delay = {.law = WZP_SIM_DELAY_TRACE}}, "delay.trace", 0, 0},
    {{.delay = {.law = WZP_SIM_DELAY_TRACE, .trace = falling, .trace_count = 3}},
     "delay.trace.at",
     5,
     2},
    {{.delay = {.law = WZP_SIM_DELAY_TRACE, .trace = endless, .trace_count = 2}},
     "delay.trace.delay",
     UINT64_MAX,
     1},
    {{.loss = {.model = (wzp_sim_loss_model)7}}, "loss.model", 7, 0},
    {{.loss = {.p = 1000001}}, "loss.p", 1000001, 0},
    {{.loss = {.r = 1000001}}, "loss.r", 1000001, 0},
    {{.loss = {.bad = 1000001}}, "loss.bad", 1000001, 0},
    {{.loss = {.good = 1000001}}, "loss.good", 1000001, 0},
    {{.loss = {.p13 = 1000001}}, "loss.p13", 1000001, 0},
    {{.loss = {.p23 = 1000001}}, "loss.p23", 1000001, 0},
    {{.loss = {.slot = 9999}}, "loss.slot", 9999, 0},
    {{.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .bad = 1000000}}, "loss.r", 0, 0},
    {{.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p31 = 1, .p13 = 600000, .p14 = 400001}},
     "loss.p14",
     400001,
     0},
    {{.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p31 = 600000, .p32 = 400001}},
     "loss.p32",
     400001,
     0},
    {{.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p13 = 1}}, "loss.p31", 0, 0},
    {{.loss = {.model = WZP_SIM_LOSS_PATTERN}}, "loss.pattern", 0, 0},
    {{.loss = {.model = WZP_SIM_LOSS_PATTERN, .pattern = (const uint8_t *)"01x", .count = 3}},
     "loss.pattern",
     'x',
     2},
    {{.loss = {.model = WZP_SIM_LOSS_LIST, .count = 3}}, "loss.list", 3, 0},
    {{.loss = {.model = WZP_SIM_LOSS_LIST, .list = unsorted, .count = 3}}, "loss.list", 2, 2},
    {{.mangle = {.duplicate_ppm = 1000001}}, "mangle.duplicate_ppm", 1000001, 0},
    {{.mangle = {.duplicate_from = 2, .duplicate_to = 1}}, "mangle.duplicate_from", 2, 0},
    {{.mangle = {.duplicate_to = UINT64_MAX}}, "mangle.duplicate_to", UINT64_MAX, 0},
    {{.mangle = {.corrupt_ppm = 1000001}}, "mangle.corrupt_ppm", 1000001, 0},
    {{.rate = {.bits_per_s = 7}}, "rate.bits_per_s", 7, 0},
    {{.rate = {.bits_per_s = 100001 * MBIT}}, "rate.bits_per_s", 100001 * MBIT, 0},
    {{.rate = {.bits_per_s = MBIT, .overhead = 65536}}, "rate.overhead", 65536, 0},
    {{.rate = {.burst = 1500}}, "rate.burst", 1500, 0},
    {{.rate = {.opportunity_count = 4}}, "rate.opportunities", 4, 0},
    {{.rate = {.opportunities = backwards, .opportunity_count = 4}}, "rate.opportunities", 4, 2},
    {{.rate = {.opportunities = at_zero, .opportunity_count = 2}}, "rate.opportunities", 0, 1},
    {{.rate = {.bits_per_s = MBIT, .steps = dead, .step_count = 3}}, "rate.bits_per_s", MBIT, 0},
    {{.rate = {.steps = late, .step_count = 1}}, "rate.steps", 1, 0},
    {{.rate = {.steps = late, .step_count = 2}}, "rate.steps.at", WZP_MS, 0},
    {{.rate = {.steps = dense, .step_count = 3}}, "rate.steps.at", 10, 1},
    {{.rate = {.steps = dead, .step_count = 3}}, "rate.steps.bits_per_s", 0, 0},
    {{.rate = {.steps = slow, .step_count = 3}}, "rate.steps.bits_per_s", 7, 1},
    {{RATE, .queue = {.kind = (wzp_sim_queue_kind)6}}, "queue.kind", 6, 0},
    {{RATE, .queue = {.limit_ns = 1001 * WZP_S}}, "queue.limit_ns", 1001 * WZP_S, 0},
    {{RATE, .queue = {.target = 1001 * WZP_S}}, "queue.target", 1001 * WZP_S, 0},
    {{RATE, .queue = {.interval = 999999}}, "queue.interval", 999999, 0},
    {{.outage = {.kind = (wzp_sim_outage_kind)4}}, "outage.kind", 4, 0},
    {{.outage = {.kind = WZP_SIM_OUTAGE_PERIODIC, .off = WZP_S}}, "outage.on", 0, 0},
    {{.outage = {.kind = WZP_SIM_OUTAGE_EXPONENTIAL, .on = WZP_S, .off = 9}}, "outage.off", 9, 0},
    {{.outage = {.kind = WZP_SIM_OUTAGE_HANDOVER, .on = WZP_S, .off = WZP_S, .off_to = WZP_S}},
     "outage.on_to",
     0,
     0},
    {{.outage = {.kind = WZP_SIM_OUTAGE_HANDOVER, .on = WZP_S, .on_to = WZP_S, .off = WZP_S}},
     "outage.off_to",
     0,
     0},
    {{.slots = {.on = true, .base_from = 2, .base_to = 1}}, "slots.base_from", 2, 0},
    {{.slots = {.on = true, .gap_from = 2, .gap_to = 1}}, "slots.gap_from", 2, 0},
    {{.slots = {.on = true, .gap_to = 11 * WZP_S}}, "slots.gap_to", 11 * WZP_S, 0},
    {{.slots = {.on = true, .burst_loss_ppm = 800001}}, "slots.burst_loss_ppm", 800001, 0},
    {{.slots = {.on = true, .outage_every = 5, .outage_from = 1, .outage_to = 1}},
     "slots.outage_every",
     5,
     0},
    {{.slots = {.on = true, .outage_every = WZP_S}}, "slots.outage_from", 0, 0},
    {{.cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = MBIT}}},
     "cross.kind",
     WZP_SIM_CROSS_CBR,
     0},
    {{RATE, .cross = {{.kind = (wzp_sim_cross_kind)6}}}, "cross.kind", 6, 0},
    {{RATE, .cross = {{0}, {.kind = WZP_SIM_CROSS_POISSON}}}, "cross.bits_per_s", 0, 1},
    {{RATE, .cross = {{0}, {0}, {.kind = WZP_SIM_CROSS_RENO}}}, "cross.flows", 0, 2},
    {{RATE, .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 257}}}, "cross.flows", 257, 0},
    {{RATE, .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 1, .packet = 39}}},
     "cross.packet",
     39,
     0},
    {{RATE, .cross = {{.kind = WZP_SIM_CROSS_CUBIC, .flows = 1, .rtt = 101 * WZP_S}}},
     "cross.rtt",
     101 * WZP_S,
     0},
    {{RATE,
      .cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = MBIT, .from = WZP_S, .until = WZP_S}}},
     "cross.until",
     WZP_S,
     0},
    {{.mtu = 67}, "mtu", 67, 0},
    {{.mtu = 65536}, "mtu", 65536, 0},
};

START_TEST(bad) {
    const struct bad_case *c = &bad_cases[_i];
    wzp_fail fail;
    ck_assert_msg(wzp_sim_link_check(&c->cfg, &fail) == WZP_ERR_INVALID_ARGUMENT, "%s passes",
                  c->field);
    ck_assert_str_eq(fail.field, c->field);
    ck_assert_msg(fail.got == c->got && fail.offset == c->index, "%s: %llu at %zu", c->field,
                  (unsigned long long)fail.got, fail.offset);
    ck_assert_int_eq(fail.code, WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

static const wzp_sim_link_cfg good_cases[] = {
    {.mtu = 0},
    {.queue = {.limit_ns = WZP_MS}},
    {.delay = {.base = 1000 * WZP_S, .spread = 100 * WZP_S, .rho_ppm = 1000000}},
    {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1000000}},
    {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .bad = 1000000, .max_burst = 5}},
    {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .bad = 1000000, .until = 1}},
    {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .bad = 999999}},
    {.loss = {.model = WZP_SIM_LOSS_LIST}},
    {.queue = {.limit_packets = 5}},
    {.rate = {.bits_per_s = 8, .burst = 1}},
    {.slots = {.on = true}},
    {.slots = {.base_from = 2}},
    {.mtu = 68},
    {.mtu = 65535, .access = "lte"},
    {.access = "wifi", .cross = {{.kind = WZP_SIM_CROSS_RENO, .flows = 1}}}, /* its own queue */
};

START_TEST(good) {
    wzp_fail fail = {.code = WZP_ERR_NOMEM};
    ck_assert_msg(wzp_sim_link_check(&good_cases[_i], &fail) == WZP_OK, "%s", fail.field);
    ck_assert_int_eq(fail.code, WZP_OK);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("link_check");
    tcase_add_loop_test(tc, bad, 0, WZP_COUNT_OF(bad_cases));
    tcase_add_loop_test(tc, good, 0, WZP_COUNT_OF(good_cases));
    return wzp_run_suite("link_check", tc);
}
