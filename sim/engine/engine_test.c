/* The engine against a slow twin that keeps its tasks sorted, and how runs end. */
#include "sim/engine/engine.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "sim/engine/chance.h"

static wzp_sim_engine *engine_of(const wzp_sim_engine_cfg *cfg) {
    wzp_sim_engine *engine = NULL;
    ck_assert_int_eq(wzp_sim_engine_new(&engine, cfg), WZP_OK);
    return engine;
}

/* --- against the twin ------------------------------------------------------------------------- */

enum { TWIN_MAX = 4096, TASKS = 200000 };

static char names[TASKS]; /* a task's argument points at its number */

/* Tasks in the order they must run: a new one goes behind all that are not later. */
typedef struct twin {
    wzp_sim_clock clock;
    wzp_prng prng;
    struct {
        wzp_time at;
        size_t name;
    } tasks[TWIN_MAX];
    size_t count, named, goal;
} twin;

static void check_first(void *self, void *arg, wzp_time now);

static void leave_one(twin *t, wzp_time now) {
    const wzp_time at = now + wzp_chance_between(&t->prng, 0, 40) - 5;
    const wzp_time due = at > now ? at : now;
    size_t i = t->count;
    while (i > 0 && t->tasks[i - 1].at > due) {
        t->tasks[i] = t->tasks[i - 1];
        i--;
    }
    t->tasks[i].at = due;
    t->tasks[i].name = t->named;
    t->count++;
    wzp_sim_at(t->clock, at, check_first, t, names + t->named++);
}

/* Leaves none to two more, fewer than one or more than one on average as the goal demands: the heap
 * grows and shrinks in waves. */
static void check_first(void *self, void *arg, wzp_time now) {
    twin *t = self;
    const size_t name = (size_t)((char *)arg - names);
    if (wzp_sim_now(t->clock) != now || now != t->tasks[0].at || name != t->tasks[0].name) {
        ck_abort_msg("task %zu at %llu instead of %zu at %llu", name, (unsigned long long)now,
                     t->tasks[0].name, (unsigned long long)t->tasks[0].at);
    }
    t->count--;
    memmove(t->tasks, t->tasks + 1, t->count * sizeof t->tasks[0]);
    uint64_t more = wzp_chance_between(&t->prng, 0, 2);
    if (more == 1) {
        more = t->count < t->goal ? 2 : 1;
    } else if (t->count > t->goal) {
        more = 0;
    }
    if (t->count == t->goal || t->count == 0) {
        t->goal = wzp_chance_between(&t->prng, 0, 1500);
        more = 1;
    }
    while (more-- > 0 && t->named < TASKS) {
        leave_one(t, now);
    }
}

START_TEST(runs_as_the_sorted_twin) {
    wzp_sim_engine *engine = engine_of(&(wzp_sim_engine_cfg){.start = 1000});
    static twin t;
    memset(&t, 0, sizeof t);
    t.clock = wzp_sim_engine_clock(engine);
    wzp_prng_init(&t.prng, (uint64_t)_i, "twin");
    for (int i = 0; i < 5; i++) {
        leave_one(&t, 1000);
    }
    ck_assert_int_eq(wzp_sim_engine_run(engine, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(t.count, 0);
    ck_assert_uint_eq(t.named, TASKS);
    ck_assert_uint_eq(wzp_sim_engine_events(engine), TASKS);
    wzp_sim_engine_free(&engine);
}
END_TEST

/* --- order and ends --------------------------------------------------------------------------- */

typedef struct diary {
    wzp_sim_clock clock;
    wzp_sim_engine *engine;
    char text[64];
    size_t len;
} diary;

static void note(void *self, void *arg, wzp_time now) {
    diary *d = self;
    (void)now;
    ck_assert_uint_lt(d->len, sizeof d->text - 1);
    d->text[d->len++] = *(const char *)arg;
}

/* Notes, and leaves "x" for the same instant. */
static void note_and_leave(void *self, void *arg, wzp_time now) {
    static char x[] = "x";
    note(self, arg, now);
    wzp_sim_at(((diary *)self)->clock, now, note, self, x);
}

static void note_and_stop(void *self, void *arg, wzp_time now) {
    note(self, arg, now);
    wzp_sim_engine_stop(((diary *)self)->engine);
}

static diary diary_of(const wzp_sim_engine_cfg *cfg) {
    diary d = {.engine = engine_of(cfg)};
    d.clock = wzp_sim_engine_clock(d.engine);
    return d;
}

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

START_TEST(equal_times_keep_their_order) {
    diary d = diary_of(&(wzp_sim_engine_cfg){.start = 10});
    for (size_t i = 0; i < 26; i++) { /* even ones at 20, odd ones at 15 */
        wzp_sim_at(d.clock, i % 2 == 0 ? 20 : 15, note, &d, &letters[i]);
    }
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, 20), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "bdfhjlnprtvxzacegikmoqsuwy");
    wzp_sim_engine_free(&d.engine);
}
END_TEST

START_TEST(a_task_for_now_runs_behind_those_that_wait) {
    diary d = diary_of(&(wzp_sim_engine_cfg){.start = 10});
    wzp_sim_at(d.clock, 3, note_and_leave, &d, &letters[0]); /* the past is now */
    wzp_sim_at(d.clock, 10, note, &d, &letters[1]);
    wzp_sim_at(d.clock, 11, note, &d, &letters[2]);
    wzp_sim_at(d.clock, WZP_TIME_NEVER, note, &d, &letters[3]);
    ck_assert_uint_eq(wzp_sim_engine_deadline(d.engine), 10);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, 10), WZP_SIM_STOP_TIME);
    ck_assert_str_eq(d.text, "abx");
    ck_assert_uint_eq(wzp_sim_engine_deadline(d.engine), 11);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "abxc");
    ck_assert_uint_eq(wzp_sim_now(d.clock), 11);
    ck_assert_uint_eq(wzp_sim_engine_deadline(d.engine), WZP_TIME_NEVER);
    wzp_sim_engine_free(&d.engine);
}
END_TEST

START_TEST(time_stops_at_until_and_never_goes_back) {
    diary d = diary_of(&(wzp_sim_engine_cfg){0});
    ck_assert_uint_eq(wzp_sim_now(d.clock), WZP_S);
    wzp_sim_at(d.clock, 5 * WZP_S, note, &d, letters);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, 3 * WZP_S), WZP_SIM_STOP_TIME);
    ck_assert_uint_eq(wzp_sim_now(d.clock), 3 * WZP_S);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, 2 * WZP_S), WZP_SIM_STOP_TIME);
    ck_assert_uint_eq(wzp_sim_now(d.clock), 3 * WZP_S);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, 5 * WZP_S), WZP_SIM_STOP_IDLE);
    ck_assert_uint_eq(wzp_sim_now(d.clock), 5 * WZP_S);
    wzp_sim_engine_free(&d.engine);
}
END_TEST

START_TEST(stops_when_asked_and_goes_on) {
    diary d = diary_of(&(wzp_sim_engine_cfg){0});
    wzp_sim_at(d.clock, 0, note_and_stop, &d, &letters[0]);
    wzp_sim_at(d.clock, 0, note, &d, &letters[1]);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_ASKED);
    ck_assert_str_eq(d.text, "a");
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, "ab");
    wzp_sim_engine_free(&d.engine);
}
END_TEST

static void again(void *self, void *arg, wzp_time now) {
    wzp_sim_at(((diary *)self)->clock, now, again, self, arg);
}

START_TEST(a_loop_ends_at_the_limit_of_events) {
    diary d = diary_of(&(wzp_sim_engine_cfg){.max_events = 1000});
    wzp_sim_at(d.clock, 0, again, &d, NULL);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_EVENTS);
    ck_assert_uint_eq(wzp_sim_engine_events(d.engine), 1000);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_EVENTS);
    wzp_sim_engine_free(&d.engine);
}
END_TEST

static void two_more(void *self, void *arg, wzp_time now) {
    wzp_sim_at(((diary *)self)->clock, now + 1, two_more, self, arg);
    wzp_sim_at(((diary *)self)->clock, now + 1, two_more, self, arg);
}

START_TEST(an_avalanche_ends_at_the_limit_of_the_queue) {
    diary d = diary_of(&(wzp_sim_engine_cfg){.max_queue = 1000});
    wzp_sim_at(d.clock, 0, two_more, &d, NULL);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_QUEUE);
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_QUEUE);
    wzp_sim_engine_free(&d.engine);
}
END_TEST

START_TEST(a_queue_may_be_full_to_the_brim) {
    diary d = diary_of(&(wzp_sim_engine_cfg){.max_queue = 26});
    for (size_t i = 0; i < 26; i++) {
        wzp_sim_at(d.clock, 0, note, &d, &letters[i]);
    }
    ck_assert_int_eq(wzp_sim_engine_run(d.engine, WZP_TIME_NEVER), WZP_SIM_STOP_IDLE);
    ck_assert_str_eq(d.text, letters);
    wzp_sim_engine_free(&d.engine);
}
END_TEST

/* nat sheet 2.1: what one element draws does not depend on what others do. */
START_TEST(streams_are_of_the_element_alone) {
    wzp_sim_engine *engine = engine_of(&(wzp_sim_engine_cfg){.seed = 7});
    const wzp_sim_clock clock = wzp_sim_engine_clock(engine);
    wzp_prng alone;
    wzp_prng other;
    wzp_prng beside;
    wzp_sim_stream(clock, &alone, "x->nat");
    wzp_sim_stream(clock, &other, "y->nat");
    (void)wzp_chance_u64(&other);
    wzp_sim_stream(clock, &beside, "x->nat");
    ck_assert_uint_eq(wzp_chance_u64(&alone), wzp_chance_u64(&beside));
    ck_assert_uint_ne(wzp_chance_u64(&alone), wzp_chance_u64(&other));
    wzp_sim_engine_free(&engine);
    wzp_sim_engine_free(&engine);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("engine");
    tcase_add_loop_test(tc, runs_as_the_sorted_twin, 0, 8);
    tcase_add_test(tc, equal_times_keep_their_order);
    tcase_add_test(tc, a_task_for_now_runs_behind_those_that_wait);
    tcase_add_test(tc, time_stops_at_until_and_never_goes_back);
    tcase_add_test(tc, stops_when_asked_and_goes_on);
    tcase_add_test(tc, a_loop_ends_at_the_limit_of_events);
    tcase_add_test(tc, an_avalanche_ends_at_the_limit_of_the_queue);
    tcase_add_test(tc, a_queue_may_be_full_to_the_brim);
    tcase_add_test(tc, streams_are_of_the_element_alone);
    return wzp_run_suite("engine", tc);
}
