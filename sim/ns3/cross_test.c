/* The same link on both engines: what ns-3 and the native link say about delay, loss and
 * throughput must agree, although they share no line of the models.  `sim_ns3_cross_test print`
 * shows the figures side by side;
 * a part of a name and another seed may follow. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77

static uint64_t seed = 7;

typedef struct scenario {
    const char *name;
    const char *preset; /* instead of `link`: towards the network */
    wzp_sim_link_cfg link;
    bed_source sources[2]; /* flow 0 and 1 */
    uint64_t duration;     /* until all has arrived */
    wzp_sim_link_cfg later;
    uint64_t later_at; /* > 0: `later` from then on */
} scenario;

static const uint64_t lost_ones[] = {0, 2, 3, 500, 999};

#define MBIT UINT64_C(1000000)
#define VOICE(duration)                                                                            \
    { .size = 200, .interval = 20 * WZP_MS, .until = (duration) }
#define JITTERED                                                                                   \
    { .size = 200, .interval = 2500 * WZP_US, .until = 200 * WZP_S }
#define CALL                                                                                       \
    { .size = 400, .interval = 10 * WZP_MS, .until = 200 * WZP_S, .poisson = true }
/* 240 ms to drain, three times a second. */
#define BULK                                                                                       \
    { .size = 1500, .interval = 330 * WZP_MS, .until = 240 * WZP_S, .burst = 200, .poisson = true }

static const scenario scenarios[] = {
    {.name = "a wire with delay",
     .link = {.delay.base = 30 * WZP_MS},
     .sources = {VOICE(20 * WZP_S)},
     .duration = 21 * WZP_S},
    {.name = "serial line, a third full",
     .link = {.delay.base = 5 * WZP_MS, .rate = {.bits_per_s = 1 * MBIT, .overhead = 14}},
     .sources = {{.size = 1000, .interval = 24 * WZP_MS, .until = 20 * WZP_S}},
     .duration = 21 * WZP_S},
    {.name = "serial line, Poisson, four fifths full",
     .link = {.delay.base = 1 * WZP_MS, .rate.bits_per_s = 2 * MBIT},
     .sources = {{.size = 500, .interval = 2500 * WZP_US, .until = 100 * WZP_S, .poisson = true}},
     .duration = 102 * WZP_S},
    {.name = "droptail of 30 packets, overload",
     .link = {.delay.base = 10 * WZP_MS, .rate.bits_per_s = 5 * MBIT, .queue.limit_packets = 30},
     .sources = {{.size = 1500, .interval = 2200 * WZP_US, .until = 60 * WZP_S, .poisson = true},
                 {.size = 200, .interval = 20 * WZP_MS, .until = 60 * WZP_S, .flow = 1}},
     .duration = 62 * WZP_S},
    {.name = "droptail of 40 kB, bursts",
     .link = {.rate.bits_per_s = 10 * MBIT, .queue.limit_bytes = 40000},
     .sources = {{.size = 1200,
                  .interval = 50 * WZP_MS,
                  .until = 60 * WZP_S,
                  .burst = 45,
                  .poisson = true}},
     .duration = 62 * WZP_S},
    {.name = "droptail of 150 ms",
     .link = {.delay.base = 15 * WZP_MS,
              .rate.bits_per_s = 1 * MBIT,
              .queue.limit_ns = 150 * WZP_MS},
     .sources = {{.size = 1000, .interval = 7 * WZP_MS, .until = 120 * WZP_S, .poisson = true}},
     .duration = 122 * WZP_S},
    {.name = "loss of 2 %",
     .link = {.delay.base = 20 * WZP_MS, .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 20000}},
     .sources = {{.size = 200, .interval = 1 * WZP_MS, .until = 100 * WZP_S}},
     .duration = 101 * WZP_S},
    {.name = "loss in bursts of four",
     .link = {.loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 5000, .r = 250000, .bad = WZP_PPM}},
     .sources = {{.size = 200, .interval = 1 * WZP_MS, .until = 100 * WZP_S}},
     .duration = 101 * WZP_S},
    {.name = "loss by index",
     .link = {.loss = {.model = WZP_SIM_LOSS_LIST,
                       .list = lost_ones,
                       .count = WZP_COUNT_OF(lost_ones)}},
     .sources = {{.size = 200, .interval = 1 * WZP_MS, .until = 2 * WZP_S}},
     .duration = 3 * WZP_S},
    {.name = "uniform jitter, in order",
     .link = {.delay = {.law = WZP_SIM_DELAY_UNIFORM, .base = 30 * WZP_MS, .spread = 10 * WZP_MS}},
     .sources = {JITTERED},
     .duration = 201 * WZP_S},
    {.name = "normal jitter, reordering",
     .link = {.delay = {.law = WZP_SIM_DELAY_NORMAL,
                        .base = 20 * WZP_MS,
                        .spread = 5 * WZP_MS,
                        .reorder = true}},
     .sources = {JITTERED},
     .duration = 201 * WZP_S},
    {.name = "lognormal jitter, reordering",
     .link = {.delay = {.law = WZP_SIM_DELAY_LOGNORMAL,
                        .base = 10 * WZP_MS,
                        .spread = 5 * WZP_MS,
                        .shape_milli = 500,
                        .reorder = true}},
     .sources = {JITTERED},
     .duration = 201 * WZP_S},
    {.name = "Pareto jitter, in order",
     .link = {.delay = {.law = WZP_SIM_DELAY_PARETO,
                        .base = 20 * WZP_MS,
                        .spread = 2 * WZP_MS,
                        .shape_milli = 2500}},
     .sources = {JITTERED},
     .duration = 201 * WZP_S},
    {.name = "Pareto and normal jitter, reordering",
     .link = {.delay = {.law = WZP_SIM_DELAY_PARETO_NORMAL,
                        .base = 40 * WZP_MS,
                        .spread = 4 * WZP_MS,
                        .reorder = true}},
     .sources = {JITTERED},
     .duration = 201 * WZP_S},
    {.name = "token bucket, bursts",
     .link = {.rate = {.bits_per_s = 4 * MBIT, .burst = 15000}, .queue.limit_packets = 100},
     .sources = {{.size = 1200,
                  .interval = 60 * WZP_MS,
                  .until = 60 * WZP_S,
                  .burst = 20,
                  .poisson = true}},
     .duration = 62 * WZP_S},
    {.name = "CoDel, bursts that it cuts",
     .link = {.delay.base = 10 * WZP_MS,
              .rate.bits_per_s = 10 * MBIT,
              .queue.kind = WZP_SIM_QUEUE_CODEL},
     .sources = {BULK, {.size = 200, .interval = 20 * WZP_MS, .until = 240 * WZP_S, .flow = 1}},
     .duration = 242 * WZP_S},
    {.name = "FQ-CoDel, voice beside bursts",
     .link = {.delay.base = 10 * WZP_MS,
              .rate.bits_per_s = 10 * MBIT,
              .queue.kind = WZP_SIM_QUEUE_FQ_CODEL},
     .sources = {BULK, {.size = 200, .interval = 20 * WZP_MS, .until = 240 * WZP_S, .flow = 1}},
     .duration = 242 * WZP_S},
    {.name = "PIE, overload",
     .link = {.delay.base = 10 * WZP_MS,
              .rate.bits_per_s = 10 * MBIT,
              .queue.kind = WZP_SIM_QUEUE_PIE},
     .sources = {{.size = 1500, .interval = 1100 * WZP_US, .until = 120 * WZP_S, .poisson = true}},
     .duration = 122 * WZP_S},
    {.name = "voice beside Poisson cross traffic",
     .link = {.delay.base = 10 * WZP_MS,
              .rate.bits_per_s = 20 * MBIT,
              .cross = {{.kind = WZP_SIM_CROSS_POISSON, .bits_per_s = 12 * MBIT}}},
     .sources = {{.size = 200, .interval = 2 * WZP_MS, .until = 200 * WZP_S}},
     .duration = 201 * WZP_S},
    {.name = "voice beside a video",
     .link = {.delay.base = 10 * WZP_MS,
              .rate.bits_per_s = 5 * MBIT,
              .queue.limit_ns = 100 * WZP_MS,
              .cross = {{.kind = WZP_SIM_CROSS_VIDEO, .bits_per_s = 4 * MBIT, .packet = 1000}}},
     .sources = {{.size = 200, .interval = 5 * WZP_MS, .until = 200 * WZP_S, .poisson = true}},
     .duration = 201 * WZP_S},
    {.name = "a rate that falls",
     .link = {.delay.base = 10 * WZP_MS, .rate.bits_per_s = 8 * MBIT, .queue.limit_packets = 100},
     .sources = {{.size = 1000, .interval = 2 * WZP_MS, .until = 40 * WZP_S, .poisson = true}},
     .duration = 42 * WZP_S,
     .later = {.delay.base = 10 * WZP_MS, .rate.bits_per_s = 2 * MBIT, .queue.limit_packets = 100},
     .later_at = 20 * WZP_S},
    {.name = "jitter, loss, rate and queue",
     .link = {.delay = {.law = WZP_SIM_DELAY_NORMAL, .base = 60 * WZP_MS, .spread = 10 * WZP_MS},
              .loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 10000},
              .rate.bits_per_s = 2 * MBIT,
              .queue.limit_ns = 200 * WZP_MS},
     .sources = {{.size = 600, .interval = 3200 * WZP_US, .until = 200 * WZP_S, .poisson = true},
                 {.size = 200, .interval = 20 * WZP_MS, .until = 200 * WZP_S, .flow = 1}},
     .duration = 202 * WZP_S},
    {.name = "dsl, upstream", .preset = "dsl", .sources = {CALL}, .duration = 202 * WZP_S},
    {.name = "wifi-bad", .preset = "wifi-bad", .sources = {CALL}, .duration = 202 * WZP_S},
    {.name = "lte", .preset = "lte", .sources = {CALL}, .duration = 202 * WZP_S},
    {.name = "geo", .preset = "geo", .sources = {CALL}, .duration = 202 * WZP_S},
};

/* --- both engines ----------------------------------------------------------------------------- */

typedef struct change {
    bed *bed;
    const wzp_sim_link_cfg *cfg;
} change;

static void change_link(void *self, void *arg, wzp_time now) {
    const change *c = self;
    (void)arg, (void)now;
    c->bed->fabric->ops->set(c->bed->fabric, c->bed->link, 0, c->cfg);
}

typedef struct outcome {
    uint64_t sent, events;
    bed_figures flows[2];
} outcome;

static void play(const scenario *s, const char *engine, outcome *out) {
    const wzp_sim_link_cfg back = {0};
    wzp_sim_link_cfg link = s->link;
    bed b;
    ck_assert(s->preset == NULL || wzp_sim_link_preset(s->preset, true, &link));
    bed_open(&b, engine, seed);
    bed_link(&b, &link, &back);
    const change later = {&b, &s->later};
    if (s->later_at > 0) {
        wzp_sim_at(b.clock, b.start + s->later_at, change_link, wzp_drop_const(&later), NULL);
    }
    for (size_t i = 0; i < 2 && s->sources[i].size > 0; i++) {
        bed_send(&b, &s->sources[i]);
    }
    (void)bed_run(&b, s->duration);
    out->sent = b.sent;
    out->events = b.fabric->ops->events(b.fabric);
    for (uint16_t i = 0; i < 2; i++) {
        bed_measure(&b, i, &out->flows[i]);
    }
    bed_close(&b);
}

/* --- agreement -------------------------------------------------------------------------------- */

/* Within 2 %, and a microsecond for what is almost nothing. */
static bool close_to(uint64_t a, uint64_t b) {
    const uint64_t larger = a > b ? a : b;
    const uint64_t difference = larger - (a > b ? b : a);
    return difference <= larger / 50 || difference <= 1 * WZP_US;
}

/* Of two samples of one binomial, the difference stays below 3 sigma: d^2 <= 9 (n1 + n2) p (1-p)
 * with n1 = n2 = sent.  Losses that come in bursts of `burst` on average vary that much more. */
static bool loss_agrees(uint64_t sent, uint64_t a, uint64_t b, uint64_t burst) {
    const uint64_t difference = a > b ? a - b : b - a;
    const uint64_t kept = 2 * sent - a - b;
    return difference * difference <= 9 * (a + b) * burst * kept / (2 * sent);
}

static void compare(const scenario *s, const outcome *native, const outcome *ns3) {
    static const unsigned at[] = {10, 50, 90, 99};
    const bool gilbert = s->link.loss.model == WZP_SIM_LOSS_GILBERT;
    uint64_t lost[2] = {native->sent, ns3->sent};
    ck_assert_msg(native->sent == ns3->sent, "%s: other packets were sent", s->name);
    for (size_t f = 0; f < 2; f++) {
        const bed_figures *x = &native->flows[f];
        const bed_figures *y = &ns3->flows[f];
        lost[0] -= x->received;
        lost[1] -= y->received;
        for (size_t i = 0; i < WZP_COUNT_OF(at); i++) {
            ck_assert_msg(close_to(x->percentile[i], y->percentile[i]),
                          "%s: flow %zu: %u %% have %" PRIu64 " ns natively, %" PRIu64 " on ns-3",
                          s->name, f, at[i], x->percentile[i], y->percentile[i]);
        }
        ck_assert_msg(close_to(x->throughput, y->throughput),
                      "%s: flow %zu: %" PRIu64 " bit/s natively, %" PRIu64 " on ns-3", s->name, f,
                      x->throughput, y->throughput);
    }
    /* A Gilbert burst of mean m has a mean square of 2 m^2: the variance grows by 2 m. */
    ck_assert_msg(loss_agrees(native->sent, lost[0], lost[1], gilbert ? 8 : 1),
                  "%s: of %" PRIu64 " are lost %" PRIu64 " natively, %" PRIu64 " on ns-3", s->name,
                  native->sent, lost[0], lost[1]);
}

START_TEST(engines_agree) {
    const scenario *s = &scenarios[_i];
    outcome native;
    outcome ns3;
    play(s, "native", &native);
    play(s, "ns3", &ns3);
    ck_assert_uint_gt(native.flows[0].received, 0);
    compare(s, &native, &ns3);
}
END_TEST

/* --- side by side ----------------------------------------------------------------------------- */

static void print_engine(const char *engine, const outcome *o, size_t flow) {
    const bed_figures *f = &o->flows[flow];
    (void)printf("  %-6s %8" PRIu64 " %8" PRIu64, engine, o->sent, f->received);
    for (size_t i = 0; i < WZP_COUNT_OF(f->percentile); i++) {
        (void)printf(" %9.3f", (double)f->percentile[i] / 1e6);
    }
    (void)printf(" %8.1f\n", (double)f->throughput / 1e3);
}

START_TEST(print_figures) {
    const scenario *s = &scenarios[_i];
    outcome native;
    outcome ns3;
    play(s, "native", &native);
    play(s, "ns3", &ns3);
    (void)printf("%s\n", s->name);
    for (size_t f = 0; f < 2 && native.flows[f].received > 0; f++) {
        print_engine("native", &native, f);
        print_engine("ns3", &ns3, f);
    }
}
END_TEST

int main(int argc, char **argv) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    const bool print = argc > 1 && strcmp(argv[1], "print") == 0;
    if (print) {
        (void)printf(
            "  engine     sent  arrived   10 %% ms      50 %%      90 %%      99 %%       max"
            "   kbit/s\n");
    }
    seed = argc > 3 ? strtoull(argv[3], NULL, 10) : seed;
    TCase *tc = tcase_create("cross");
    for (int i = 0; i < (int)WZP_COUNT_OF(scenarios); i++) {
        if (argc < 3 || strstr(scenarios[i].name, argv[2]) != NULL) {
            tcase_add_loop_test(tc, print ? print_figures : engines_agree, i, i + 1);
        }
    }
    return wzp_run_suite("cross", tc);
}
