/* The fabric on ns-3: its clock, how it stops, what is seen and counted, and what is refused. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/ns3/testing/bed.h"

#define SKIPPED 77

static const wzp_sim_link_cfg perfect = {.mtu = 0};

/* --- clock ------------------------------------------------------------------------------------ */

typedef struct diary {
    wzp_sim_clock clock;
    char text[64];
    wzp_time at[16];
    size_t count;
} diary;

static void write_down(void *self, void *arg, wzp_time now) {
    diary *d = self;
    const char *letter = arg;
    ck_assert_uint_eq(now, wzp_sim_now(d->clock));
    d->text[d->count] = *letter;
    d->at[d->count++] = now;
}

static void leave(diary *d, wzp_time at, const char *letter) {
    wzp_sim_at(d->clock, at, write_down, d, wzp_drop_const(letter));
}

static void leave_more(void *self, void *arg, wzp_time now) {
    diary *d = self;
    write_down(self, arg, now);
    leave(d, now, "x");          /* after what was left for now before */
    leave(d, now - WZP_MS, "y"); /* the past is now */
    leave(d, WZP_TIME_NEVER, "!");
}

START_TEST(tasks_run_in_order) {
    bed b;
    bed_open(&b, "ns3", 1);
    diary d = {.clock = b.clock};
    const wzp_time s = b.start;
    leave(&d, s + 5 * WZP_MS, "c");
    leave(&d, s + 2 * WZP_MS, "a");
    wzp_sim_at(b.clock, s + 5 * WZP_MS, leave_more, &d, wzp_drop_const("d"));
    leave(&d, s + 5 * WZP_MS, "e");
    leave(&d, s + 2 * WZP_MS + 1, "b");
    leave(&d, 0, "0"); /* before the start */
    ck_assert_int_eq(bed_run(&b, 5 * WZP_MS), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "0abcdexy");
    ck_assert_uint_eq(d.at[0], s);
    ck_assert_uint_eq(d.at[2], s + 2 * WZP_MS + 1);
    ck_assert_uint_eq(d.at[7], s + 5 * WZP_MS);
    ck_assert_uint_eq(b.fabric->ops->events(b.fabric), 8);
    bed_close(&b);
}
END_TEST

START_TEST(runs_go_on) {
    bed b;
    bed_open(&b, "ns3", 1);
    diary d = {.clock = b.clock};
    leave(&d, b.start + 10 * WZP_MS, "a");
    leave(&d, b.start + 30 * WZP_MS, "b");
    ck_assert_int_eq(bed_run(&b, 20 * WZP_MS), WZP_SIM_STOP_TIME);
    ck_assert_uint_eq(wzp_sim_now(b.clock), b.start + 20 * WZP_MS);
    ck_assert_str_eq(d.text, "a");
    leave(&d, b.start + 25 * WZP_MS, "c");
    ck_assert_int_eq(bed_run(&b, 100 * WZP_MS), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "acb");
    ck_assert_uint_eq(wzp_sim_now(b.clock), b.start + 30 * WZP_MS); /* the last task */
    leave(&d, b.start + 40 * WZP_MS, "d");
    ck_assert_int_eq(bed_run(&b, 100 * WZP_MS), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(wzp_sim_now(b.clock), b.start + 40 * WZP_MS);
    bed_close(&b);
}
END_TEST

static void again(void *self, void *arg, wzp_time now) {
    const wzp_sim_clock *clock = self;
    (void)arg;
    wzp_sim_at(*clock, now + 1, again, self, NULL);
}

static void two_more(void *self, void *arg, wzp_time now) {
    const wzp_sim_clock *clock = self;
    (void)arg;
    wzp_sim_at(*clock, now + 1, two_more, self, NULL);
    wzp_sim_at(*clock, now + 1, two_more, self, NULL);
}

static void stop_it(void *self, void *arg, wzp_time now) {
    wzp_sim_fabric *fabric = self;
    (void)arg, (void)now;
    fabric->ops->stop(fabric);
}

START_TEST(limits_end_a_run) {
    const wzp_sim_engine_cfg cfg = {.max_events = 1000, .max_queue = 64};
    wzp_sim_fabric *fabric = NULL;
    ck_assert_int_eq(wzp_sim_fabric_ns3(&fabric, &cfg, bed_ns3()), WZP_OK);
    wzp_sim_clock clock = fabric->ops->clock(fabric);
    ck_assert_uint_eq(wzp_sim_now(clock), WZP_S);
    wzp_sim_at(clock, 2 * WZP_S, again, &clock, NULL);
    ck_assert_int_eq(fabric->ops->run(fabric, 3 * WZP_S), WZP_SIM_STOP_EVENTS);
    ck_assert_uint_eq(fabric->ops->events(fabric), 1000);
    ck_assert_uint_eq(wzp_sim_now(clock), 2 * WZP_S + 999);
    ck_assert_int_eq(fabric->ops->run(fabric, 3 * WZP_S), WZP_SIM_STOP_EVENTS);
    fabric->ops->free(fabric);
}
END_TEST

START_TEST(a_lost_task_ends_a_run) {
    const wzp_sim_engine_cfg cfg = {.max_queue = 64};
    wzp_sim_fabric *fabric = NULL;
    ck_assert_int_eq(wzp_sim_fabric_ns3(&fabric, &cfg, bed_ns3()), WZP_OK);
    wzp_sim_clock clock = fabric->ops->clock(fabric);
    wzp_sim_at(clock, 2 * WZP_S, two_more, &clock, NULL);
    ck_assert_int_eq(fabric->ops->run(fabric, 3 * WZP_S), WZP_SIM_STOP_QUEUE);
    ck_assert_uint_lt(fabric->ops->events(fabric), 129);
    fabric->ops->free(fabric);
}
END_TEST

START_TEST(a_run_is_stopped_from_within) {
    bed b;
    bed_open(&b, "ns3", 1);
    diary d = {.clock = b.clock};
    leave(&d, b.start + 1, "a");
    wzp_sim_at(b.clock, b.start + 2, stop_it, b.fabric, NULL);
    leave(&d, b.start + 2, "b");
    ck_assert_int_eq(bed_run(&b, 10), WZP_SIM_STOP_ASKED);
    ck_assert_str_eq(d.text, "a");
    ck_assert_int_eq(bed_run(&b, 10), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "ab");
    bed_close(&b);
}
END_TEST

START_TEST(one_world_at_a_time) {
    const wzp_sim_engine_cfg cfg = {.seed = 1};
    wzp_sim_fabric *second = NULL;
    bed b;
    bed_open(&b, "ns3", 1);
    ck_assert_int_eq(wzp_sim_fabric_ns3(&second, &cfg, bed_ns3()), WZP_ERR_LIMIT);
    ck_assert_ptr_null(second);
    bed_close(&b);
    bed_open(&b, "ns3", 1);
    bed_close(&b);
}
END_TEST

START_TEST(the_table_fits) {
    ck_assert_uint_eq(bed_ns3()->abi, WZP_NS3_ABI);
    ck_assert_str_eq(bed_ns3()->version, "3.37");
}
END_TEST

/* --- what is seen ----------------------------------------------------------------------------- */

typedef struct seen {
    char text[512];
    size_t len;
    wzp_time start;
} seen;

static void look(void *ctx, const char *interface, wzp_sim_way way, const wzp_sim_packet *packet,
                 wzp_time now) {
    seen *s = ctx;
    s->len += (size_t)snprintf(s->text + s->len, sizeof s->text - s->len, "%s %s %u @%u;",
                               interface, way == WZP_SIM_WAY_OUT ? "out" : "in",
                               (unsigned)packet->id, (unsigned)((now - s->start) / WZP_US));
}

START_TEST(taps_see_both_ends) {
    const wzp_sim_link_cfg there = {.delay = {.base = 7 * WZP_MS}};
    const wzp_sim_link_cfg back = {
        .delay = {.base = 1 * WZP_MS},
        .loss = {.model = WZP_SIM_LOSS_LIST, .list = (uint64_t[]){1}, .count = 1}};
    const bed_source source = {.size = 100, .interval = 20 * WZP_MS, .until = 40 * WZP_MS};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &there, &back);
    b.echoes = true;
    seen s = {.start = b.start};
    b.fabric->ops->tap(b.fabric, look, &s);
    bed_send(&b, &source);
    ck_assert_int_eq(bed_run(&b, WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(s.text, "a:0 out 1 @0;b:0 in 1 @7000;b:0 out 1 @7000;a:0 in 1 @8000;"
                             "a:0 out 2 @20000;b:0 in 2 @27000;b:0 out 2 @27000;");
    b.fabric->ops->tap(b.fabric, NULL, NULL);
    bed_close(&b);
}
END_TEST

START_TEST(packets_under_way_are_freed) {
    const wzp_sim_link_cfg slow = {.delay = {.base = WZP_S}, .rate = {.bits_per_s = 8000}};
    const bed_source source = {.size = 100, .interval = WZP_MS, .until = 50 * WZP_MS};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &slow, &perfect);
    bed_send(&b, &source);
    ck_assert_int_eq(bed_run(&b, 300 * WZP_MS), WZP_SIM_STOP_TIME);
    ck_assert_uint_eq(wzp_sim_pool_live(b.pool), 50);
    bed_close(&b); /* the pool would not go with packets that live */
}
END_TEST

/* --- what is refused -------------------------------------------------------------------------- */

static const struct refused_case {
    const char *name;
    wzp_sim_link_cfg ab, ba;
    const char *field;
} refused_cases[] = {
    {"impossible loss",
     {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1000001}},
     {.mtu = 0},
     "loss.p"},
    {"on the way back",
     {.mtu = 0},
     {.loss = {.model = WZP_SIM_LOSS_BERNOULLI, .p = 1000001}},
     "loss.p"},
    {"unknown medium", {.access = "smoke"}, {.access = "smoke"}, "access"},
    {"half a medium", {.access = "wifi"}, {.mtu = 0}, "access"},
    {"two media", {.access = "wifi"}, {.access = "lte"}, "access"},
    {"too fast", {.rate = {.bits_per_s = UINT64_C(1) << 60}}, {.mtu = 0}, "rate.bits_per_s"},
};

static wzp_err try_link(bed *b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba,
                        wzp_fail *fail) {
    const wzp_sim_end ends[2] = {{.node = &b->a.node}, {.node = &b->b.node}};
    size_t index = 0;
    return b->fabric->ops->link(b->fabric, "link", &ends[0], &ends[1], ab, ba, b->pipes, &index,
                                fail);
}

START_TEST(is_refused) {
    const struct refused_case *c = &refused_cases[_i];
    wzp_fail fail = {0};
    bed b;
    bed_open(&b, "ns3", 1);
    const wzp_err got = try_link(&b, &c->ab, &c->ba, &fail);
    ck_assert_msg(got == WZP_ERR_INVALID_ARGUMENT, "%s: got %s", c->name, wzp_err_name(got));
    ck_assert_msg(strcmp(fail.field, c->field) == 0, "%s: field %s", c->name, fail.field);
    ck_assert_int_eq(try_link(&b, &perfect, &perfect, &fail), WZP_OK);
    bed_close(&b);
}
END_TEST

START_TEST(media_are_there_before_the_start) {
    const wzp_sim_link_cfg wifi = {.access = "wifi"};
    wzp_fail fail = {0};
    bed b;
    bed_open(&b, "ns3", 1);
    bed_link(&b, &perfect, &perfect);
    (void)bed_run(&b, WZP_MS);
    ck_assert_int_eq(try_link(&b, &wifi, &wifi, &fail), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_str_eq(fail.field, "access");
    ck_assert_int_eq(try_link(&b, &perfect, &perfect, &fail), WZP_OK); /* wires may come later */
    bed_close(&b);
}
END_TEST

int main(void) {
    if (bed_ns3() == NULL) {
        return SKIPPED;
    }
    TCase *tc = tcase_create("ns3");
    tcase_add_test(tc, tasks_run_in_order);
    tcase_add_test(tc, runs_go_on);
    tcase_add_test(tc, limits_end_a_run);
    tcase_add_test(tc, a_lost_task_ends_a_run);
    tcase_add_test(tc, a_run_is_stopped_from_within);
    tcase_add_test(tc, one_world_at_a_time);
    tcase_add_test(tc, the_table_fits);
    tcase_add_test(tc, taps_see_both_ends);
    tcase_add_test(tc, packets_under_way_are_freed);
    tcase_add_loop_test(tc, is_refused, 0, WZP_COUNT_OF(refused_cases));
    tcase_add_test(tc, media_are_there_before_the_start);
    return wzp_run_suite("ns3", tc);
}
