/* Which part of a description goes where, and what is refused by its name. */
#include "sim/ns3/plan.h"

#include <check.h>
#include <string.h>

#include "base/testing/suite.h"

static const wzp_sim_point points[] = {{0, 0}, {WZP_S, WZP_MS}};
static const uint32_t opportunities[] = {1, 2, 5};
static const uint64_t lost_ones[] = {1, 5};
static const uint64_t far_ones[] = {UINT64_C(1) << 33};

/* --- refused ---------------------------------------------------------------------------------- */

static const struct refused_case {
    const char *name;
    wzp_sim_link_cfg link;
    const char *field;
} refused_cases[] = {
    {"unknown medium", {.access = "smoke"}, "access"},
    {"medium with a rate", {.access = "wifi", .rate = {.bits_per_s = 1000}}, "rate.bits_per_s"},
    {"medium with opportunities",
     {.access = "lte", .rate = {.opportunities = opportunities, .opportunity_count = 3}},
     "rate.bits_per_s"},
    {"medium with a queue",
     {.access = "wifi", .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL}},
     "queue.kind"},
    {"medium with a limit", {.access = "lte", .queue = {.limit_ns = WZP_MS}}, "queue.kind"},
    {"delay of a day", {.delay = {.base = 86400 * WZP_S}}, "delay.base"},
    {"spread of a day", {.delay = {.spread = 86400 * WZP_S}}, "delay.spread"},
    {"rate beyond Tbit/s", {.rate = {.bits_per_s = UINT64_MAX}}, "rate.bits_per_s"},
    {"overhead beyond a packet",
     {.rate = {.bits_per_s = 1000, .overhead = 65536}},
     "rate.overhead"},
    {"limit of 2^31 packets", {.queue = {.limit_packets = UINT32_MAX}}, "queue.limit_packets"},
    {"target beyond CoDel's clock", {.queue = {.target = 5000 * WZP_S}}, "queue.target"},
    {"interval beyond CoDel's clock", {.queue = {.interval = 5000 * WZP_S}}, "queue.interval"},
    {"tiny cross packets",
     {.cross = {{.kind = WZP_SIM_CROSS_CBR, .bits_per_s = 1, .packet = 20}}},
     "cross.packet"},
    {"cross traffic without a rate",
     {.cross = {{.kind = WZP_SIM_CROSS_POISSON}}},
     "cross.bits_per_s"},
    {"no TCP flows",
     {.rate = {.bits_per_s = 1000}, .cross = {{.kind = WZP_SIM_CROSS_CUBIC}}},
     "cross.flows"},
    {"TCP that nothing stops",
     {.cross = {{.kind = WZP_SIM_CROSS_NONE}, {.kind = WZP_SIM_CROSS_RENO, .flows = 1}}},
     "rate.bits_per_s"},
    {"TCP over a day",
     {.rate = {.bits_per_s = 1000},
      .cross = {{.kind = WZP_SIM_CROSS_RENO, .flows = 1, .rtt = 86400 * WZP_S}}},
     "cross.rtt"},
};

START_TEST(is_refused) {
    const struct refused_case *c = &refused_cases[_i];
    wzp_ns3_plan plan = {.has_after = true};
    wzp_fail fail = {0};
    const wzp_err got = wzp_ns3_plan_make(&plan, &c->link, &fail);
    ck_assert_msg(got == WZP_ERR_INVALID_ARGUMENT, "%s: got %s", c->name, wzp_err_name(got));
    ck_assert_msg(strcmp(fail.field, c->field) == 0, "%s: field %s", c->name, fail.field);
    ck_assert_msg(plan.has_after, "%s: written", c->name);
}
END_TEST

/* --- who does it ------------------------------------------------------------------------------ */

typedef enum who { NOBODY, NS3, BEFORE, MANGLE, AFTER } who;

static const struct place_case {
    const char *name;
    wzp_sim_link_cfg link;
    who loss, mangle, queue, delay;
} place_cases[] = {
    {"nothing", {.mtu = 0}, NOBODY, NOBODY, NOBODY, NOBODY},
    {"plain link",
     {.delay = {.base = 1},
      .rate = {.bits_per_s = 1000},
      .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1}},
     NS3,
     NOBODY,
     NS3,
     NS3},
    {"bursts as ns-3 knows them",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .r = 2, .bad = WZP_PPM}},
     NS3,
     NOBODY,
     NOBODY,
     NOBODY},
    {"bad state that loses half",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .r = 2, .bad = 500000}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"good state that loses",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .r = 2, .bad = WZP_PPM, .good = 1}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"bursts by time",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 1, .r = 2, .bad = WZP_PPM, .slot = WZP_MS}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"states that alternate faster than chance",
     {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 600000, .r = 600000, .bad = WZP_PPM}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"longest burst",
     {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1, .max_burst = 2}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"four states",
     {.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p13 = 1}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"list",
     {.loss = {.model = WZP_SIM_LOSS_LIST, .list = lost_ones, .count = 2}},
     NS3,
     NOBODY,
     NOBODY,
     NOBODY},
    {"list beyond 32 bits",
     {.loss = {.model = WZP_SIM_LOSS_LIST, .list = far_ones, .count = 1}},
     BEFORE,
     NOBODY,
     NOBODY,
     NOBODY},
    {"duplicates behind ns-3's loss",
     {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1}, .mangle = {.duplicate_ppm = 1}},
     NS3,
     MANGLE,
     NOBODY,
     NOBODY},
    {"corruption behind native loss",
     {.loss = {.model = WZP_SIM_LOSS_FOUR_STATE, .p13 = 1}, .mangle = {.corrupt_ppm = 1}},
     BEFORE,
     BEFORE,
     NOBODY,
     NOBODY},
    {"drophead draws all ahead of it along",
     {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1},
      .mangle = {.corrupt_ppm = 1},
      .rate = {.bits_per_s = 1000},
      .queue = {.kind = WZP_SIM_QUEUE_DROPHEAD},
      .delay = {.base = 1}},
     BEFORE,
     BEFORE,
     BEFORE,
     NS3},
    {"two queues",
     {.rate = {.bits_per_s = 1000}, .queue = {.kind = WZP_SIM_QUEUE_DUAL}},
     NOBODY,
     NOBODY,
     BEFORE,
     NOBODY},
    {"opportunities",
     {.rate = {.opportunities = opportunities, .opportunity_count = 3}},
     NOBODY,
     NOBODY,
     BEFORE,
     NOBODY},
    {"bucket for a packet",
     {.rate = {.bits_per_s = 1000, .burst = 20000}},
     NOBODY,
     NOBODY,
     NS3,
     NOBODY},
    {"bucket smaller than a packet",
     {.rate = {.bits_per_s = 1000, .burst = 300}},
     NOBODY,
     NOBODY,
     BEFORE,
     NOBODY},
    {"delay that remembers",
     {.delay = {.law = WZP_SIM_DELAY_AR1, .base = 1, .spread = 1, .rho_ppm = 900000}},
     NOBODY,
     NOBODY,
     NOBODY,
     AFTER},
    {"delay by a trace",
     {.delay = {.law = WZP_SIM_DELAY_TRACE, .trace = points, .trace_count = 2}},
     NOBODY,
     NOBODY,
     NOBODY,
     AFTER},
    {"delay that some skip",
     {.delay = {.base = 1, .skip_every = 5}},
     NOBODY,
     NOBODY,
     NOBODY,
     AFTER},
    {"slots bring their own delay",
     {.delay = {.base = 1}, .slots = {.on = true, .base_from = 1, .base_to = 2}},
     NOBODY,
     NOBODY,
     NOBODY,
     BEFORE},
    {"medium with delay behind it",
     {.access = "wifi", .delay = {.base = 1}, .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1}},
     NS3,
     NOBODY,
     NOBODY,
     AFTER},
};

static who where(bool before, bool mangle, bool ns3, bool after) {
    ck_assert_int_le(before + mangle + ns3 + after, 1);
    return before ? BEFORE : mangle ? MANGLE : ns3 ? NS3 : after ? AFTER : NOBODY;
}

static bool has_loss(const wzp_sim_link_cfg *cfg) {
    return cfg->loss.model != WZP_SIM_LOSS_NONE;
}

static bool has_mangle(const wzp_sim_link_cfg *cfg) {
    return cfg->mangle.duplicate_ppm != 0 || cfg->mangle.corrupt_ppm != 0;
}

static bool has_rate(const wzp_sim_link_cfg *cfg) {
    return cfg->rate.bits_per_s != 0 || cfg->rate.opportunity_count != 0;
}

static bool has_delay(const wzp_sim_link_cfg *cfg) {
    return cfg->delay.base != 0 || cfg->delay.law != WZP_SIM_DELAY_FIXED;
}

#define WHERE(has) where(has(&plan.before), has(&plan.mangle), has(&plan.ns3), has(&plan.after))

START_TEST(has_its_place) {
    const struct place_case *c = &place_cases[_i];
    wzp_ns3_plan plan;
    wzp_fail fail = {.field = "-"};
    const wzp_err got = wzp_ns3_plan_make(&plan, &c->link, &fail);
    ck_assert_msg(got == WZP_OK, "%s: %s", c->name, fail.field);
    ck_assert_msg(WHERE(has_loss) == c->loss, "%s: loss", c->name);
    ck_assert_msg(WHERE(has_mangle) == c->mangle, "%s: mangle", c->name);
    ck_assert_msg(WHERE(has_rate) == c->queue, "%s: queue", c->name);
    ck_assert_msg(WHERE(has_delay) == c->delay, "%s: delay", c->name);
    const bool before =
        c->loss == BEFORE || c->mangle == BEFORE || c->queue == BEFORE || c->delay == BEFORE;
    ck_assert_msg(plan.has_before == before, "%s: a stage before", c->name);
    ck_assert_msg(plan.has_mangle == (c->mangle == MANGLE), "%s: a stage between", c->name);
    ck_assert_msg(plan.has_after == (c->delay == AFTER), "%s: a stage behind", c->name);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("plan");
    tcase_add_loop_test(tc, is_refused, 0, WZP_COUNT_OF(refused_cases));
    tcase_add_loop_test(tc, has_its_place, 0, WZP_COUNT_OF(place_cases));
    return wzp_run_suite("plan", tc);
}
