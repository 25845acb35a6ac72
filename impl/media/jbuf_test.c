/* The jitter buffer over minutes: what it adds and drops while clocks drift and networks change. */
#include "media/jbuf.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/jbuf_lateness.h"

#define BEGIN (100 * WZP_S)

typedef struct flow {
    int skew_ppm;    /* the sender's clock; > 0: fast */
    uint64_t frames; /* said */
    uint32_t first_ts;
    uint64_t jitter;    /* uniform from 0, packets may overtake */
    uint64_t hold_from; /* what is sent in [hold_from, hold_from + hold) arrives at its end ... */
    uint64_t hold;
    uint64_t hold_every;           /* ... and again and again; 0: once */
    uint64_t route_at, route_more; /* from then on packets take so much longer, or shorter: <0 */
    bool route_is_shorter;
    uint64_t talk, silence; /* frames; 0: never pauses */
    uint32_t jump_ms;       /* the timestamp at route_at */
} flow;

typedef struct outcome {
    wzp_jbuf_stats stats;
    uint64_t depth;                             /* ns from arrival to playing, of the last frame */
    uint64_t closest_steps;                     /* frames between two of them */
    uint64_t late_in_the_end, steps_in_the_end; /* in the last quarter */
    uint64_t concealed_in_a_row;
    uint64_t backwards; /* frames that were played in the wrong order: never */
} outcome;

typedef struct arrival {
    wzp_time at;
    uint32_t seq, ts;
} arrival;

static int by_time(const void *a, const void *b) {
    const arrival *x = a;
    const arrival *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static wzp_time held(const flow *f, wzp_time sent) {
    const uint64_t since = sent - BEGIN;
    if (f->hold == 0 || since < f->hold_from) {
        return sent;
    }
    const uint64_t period = f->hold_every;
    const uint64_t in = period != 0 ? (since - f->hold_from) % period : since - f->hold_from;
    return in < f->hold ? sent + f->hold - in : sent;
}

/* All packets of a flow in the order of their arrival. */
static size_t say(const flow *f, arrival *out, wzp_rng rng) {
    size_t n = 0;
    for (uint64_t i = 0; i < f->frames; i++) {
        const uint64_t media = i * 20 * WZP_MS;
        const int64_t gained = (int64_t)(media / 1000000) * f->skew_ppm;
        const wzp_time sent = held(f, BEGIN + media - (uint64_t)gained);
        const bool rerouted = f->route_at != 0 && media >= f->route_at;
        const uint64_t more = rerouted ? f->route_more : 0;
        const uint32_t jump = rerouted ? f->jump_ms : 0;
        const uint64_t late = f->jitter != 0 ? wzp_rng_below(rng, f->jitter) : 0;
        if (f->silence != 0 && i % (f->talk + f->silence) >= f->talk) {
            continue;
        }
        out[n] = (arrival){f->route_is_shorter ? sent + late - more : sent + late + more,
                           (uint32_t)n, f->first_ts + (uint32_t)(20 * i) + jump};
        n++;
    }
    qsort(out, n, sizeof *out, by_time);
    return n;
}

typedef struct listener {
    wzp_jbuf *jb;
    const wzp_time *arrived_at; /* by seq */
    outcome *out;
    uint64_t frames_out, last_step, row;
    uint64_t steps;
    int64_t last_seq;
} listener;

static void look_at(listener *l, const wzp_jbuf_out *o, wzp_time now) {
    wzp_jbuf_stats s;
    wzp_jbuf_count(l->jb, &s);
    l->frames_out++;
    if (s.added + s.dropped != l->steps) {
        const uint64_t apart = l->frames_out - l->last_step;
        l->out->closest_steps = apart < l->out->closest_steps ? apart : l->out->closest_steps;
        l->steps = s.added + s.dropped;
        l->last_step = l->frames_out;
    }
    l->row = o->kind == WZP_JBUF_CONCEAL ? l->row + 1 : 0;
    l->out->concealed_in_a_row =
        l->row > l->out->concealed_in_a_row ? l->row : l->out->concealed_in_a_row;
    if (o->kind == WZP_JBUF_FRAME) {
        uint32_t seq;
        memcpy(&seq, o->payload.data, sizeof seq);
        l->out->backwards += seq <= l->last_seq ? 1 : 0;
        l->last_seq = seq;
        l->out->depth = now - l->arrived_at[seq];
    }
}

static void play_until(listener *l, wzp_time until) {
    for (;;) {
        const wzp_time due = wzp_jbuf_deadline(l->jb);
        wzp_jbuf_out o;
        if (due > until) {
            return;
        }
        if (wzp_jbuf_pop(l->jb, due, &o)) {
            look_at(l, &o, due);
        }
    }
}

static outcome listen(const flow *f, uint64_t seed) {
    const wzp_jbuf_cfg cfg = {0};
    outcome out = {.closest_steps = UINT64_MAX};
    wzp_prng prng;
    wzp_prng_init(&prng, seed, "flow");
    arrival *packets = calloc(f->frames, sizeof *packets);
    wzp_time *arrived_at = calloc(f->frames, sizeof *arrived_at);
    listener l = {.jb = wzp_jbuf_new(&cfg), .arrived_at = arrived_at, .out = &out, .last_seq = -1};
    wzp_jbuf_stats at_three_quarters = {0};
    ck_assert(packets != NULL && arrived_at != NULL && l.jb != NULL);
    const size_t n = say(f, packets, wzp_prng_rng(&prng));
    for (size_t i = 0; i < n; i++) {
        const arrival *p = &packets[i];
        const wzp_media_hdr hdr = {.version = 2, .seq = p->seq, .timestamp_ms = p->ts};
        play_until(&l, p->at);
        arrived_at[p->seq] = p->at;
        wzp_jbuf_push(l.jb, &hdr, wzp_bytes_of(&p->seq, sizeof p->seq), p->at);
        if (i == n * 3 / 4) {
            wzp_jbuf_count(l.jb, &at_three_quarters);
        }
    }
    play_until(&l, packets[n - 1].at);
    wzp_jbuf_count(l.jb, &out.stats);
    out.late_in_the_end = out.stats.late - at_three_quarters.late;
    out.steps_in_the_end =
        out.stats.added - at_three_quarters.added + out.stats.dropped - at_three_quarters.dropped;
    wzp_jbuf_free(&l.jb);
    free(packets);
    free(arrived_at);
    return out;
}

/* --- minutes ---------------------------------------------------------------------------------- */

#define MIN(n) ((n)*UINT64_C(60) * 50)
#define ALL UINT64_MAX

static const struct flow_case {
    const char *name;
    flow flow;
    uint64_t added_from, added_to, dropped_from, dropped_to;
    uint64_t concealed_to;         /* in all */
    uint64_t late_to;              /* in all */
    uint64_t depth_from, depth_to; /* in the end, ms */
} flow_cases[] = {
    {"nothing changes", {.frames = MIN(10)}, 0, 0, 0, 0, 0, 0, 60, 60},
    /* 200 ppm of 600 s are 120 ms, six frames. */
    {"the sender is slow", {.frames = MIN(10), .skew_ppm = -200}, 6, 6, 0, 0, 0, 0, 50, 70},
    {"the sender is fast", {.frames = MIN(10), .skew_ppm = 200}, 0, 0, 5, 5, 0, 0, 70, 90},
    {"an hour of 20 ppm", {.frames = MIN(60), .skew_ppm = -20}, 3, 4, 0, 0, 0, 0, 50, 70},
    {"1000 ppm", {.frames = MIN(10), .skew_ppm = 1000}, 0, 0, 29, 30, 0, 0, 60, 90},
    {"over the wrap of timestamps",
     {.frames = MIN(10), .skew_ppm = -200, .first_ts = UINT32_MAX - 300000},
     6,
     6,
     0,
     0,
     0,
     0,
     50,
     70},
    {"jitter and reordering",
     {.frames = MIN(10), .jitter = 50 * WZP_MS},
     0,
     3,
     0,
     3,
     5,
     5,
     30,
     110},
    {"much jitter", {.frames = MIN(10), .jitter = 150 * WZP_MS}, 0, 9, 0, 3, 20, 20, 10, 200},
    {"jitter and drift",
     {.frames = MIN(10), .jitter = 40 * WZP_MS, .skew_ppm = -200},
     4,
     9,
     0,
     2,
     5,
     5,
     20,
     100},
    {"one stall that is played over",
     {.frames = MIN(2), .hold_from = 60 * WZP_S, .hold = 50 * WZP_MS},
     0,
     0,
     0,
     0,
     0,
     0,
     60,
     60},
    /* 400 ms less the 60 of the buffer: concealed, then it begins anew, 400 ms late; all of that
     * goes again, a frame at a time. */
    {"a long stall",
     {.frames = MIN(2), .hold_from = 60 * WZP_S, .hold = 400 * WZP_MS},
     0,
     0,
     18,
     20,
     WZP_JBUF_IDLE_FRAMES,
     0,
     50,
     90},
    /* Less than it takes to begin anew, and yet nothing is lost: 140 ms and a part of a frame are
     * concealed, then all goes on where it stopped, and the delay shrinks again. */
    {"a stall of 200 ms",
     {.frames = MIN(2), .hold_from = 60 * WZP_S, .hold = 200 * WZP_MS},
     0,
     0,
     6,
     8,
     8,
     0,
     50,
     90},
    {"the first frames are the late ones",
     {.frames = MIN(1), .hold_from = 0, .hold = 300 * WZP_MS},
     0,
     0,
     13,
     15,
     0,
     0,
     50,
     90},
    {"the first frames are the late ones, but there are pauses",
     {.frames = MIN(1), .hold_from = 0, .hold = 300 * WZP_MS, .talk = 20, .silence = 5},
     0,
     0,
     0,
     3,
     ALL, /* a pause is longer than the buffer is deep */
     0,
     50,
     90},
    {"a stall every two seconds",
     {.frames = MIN(4), .hold_from = 2 * WZP_S, .hold = 200 * WZP_MS, .hold_every = 2 * WZP_S},
     0,
     1,
     0,
     1,
     8, /* once: from then on it is deep enough */
     0,
     200,
     240},
    {"a longer way",
     {.frames = MIN(2), .route_at = 30 * WZP_S, .route_more = 50 * WZP_MS},
     2,
     4,
     0,
     2,
     3,
     3,
     50,
     90},
    {"a shorter way",
     {.frames = MIN(2),
      .route_at = 30 * WZP_S,
      .route_more = 80 * WZP_MS,
      .route_is_shorter = true},
     0,
     0,
     3,
     4,
     0,
     0,
     50,
     90},
    {"talk and silence, slow",
     {.frames = MIN(10), .skew_ppm = -200, .talk = 150, .silence = 100},
     0,
     0,
     0,
     0,
     ALL,
     0,
     50,
     70},
    {"short pauses, fast",
     {.frames = MIN(10), .skew_ppm = 200, .talk = 150, .silence = 2},
     0,
     0,
     0,
     5,
     0,
     0,
     50,
     90},
    {"the clock is set forward",
     {.frames = MIN(2), .route_at = 30 * WZP_S, .jump_ms = 30000},
     0,
     0,
     0,
     3,
     12,
     0,
     50,
     90},
    {"the clock is set back",
     {.frames = MIN(2), .route_at = 30 * WZP_S, .jump_ms = (uint32_t)-30000},
     0,
     0,
     0,
     3,
     12,
     12,
     50,
     90},
};

static void within(const char *name, const char *what, uint64_t value, uint64_t from, uint64_t to) {
    ck_assert_msg(value >= from && value <= to, "%s: %s %llu", name, what,
                  (unsigned long long)value);
}

START_TEST(minutes) {
    const struct flow_case *c = &flow_cases[_i];
    const outcome o = listen(&c->flow, 1);
    const wzp_jbuf_stats *s = &o.stats;
    within(c->name, "added", s->added, c->added_from, c->added_to);
    within(c->name, "dropped", s->dropped, c->dropped_from, c->dropped_to);
    within(c->name, "concealed", s->concealed, 0, c->concealed_to);
    within(c->name, "late", s->late, 0, c->late_to);
    within(c->name, "depth", o.depth, c->depth_from * WZP_MS, c->depth_to * WZP_MS);
    within(c->name, "steps so close:", o.closest_steps, WZP_JBUF_STEP_FRAMES, ALL);
    within(c->name, "played in the wrong order:", o.backwards, 0, 0);
}
END_TEST

/* Whatever the jitter, nothing comes too late once it is known, and there is no to and fro. */
START_TEST(jitter_is_learnt) {
    for (uint64_t ms = 0; ms <= 400; ms += 40) {
        const flow f = {.frames = MIN(5), .jitter = ms * WZP_MS, .skew_ppm = 50};
        const outcome o = listen(&f, ms);
        ck_assert_msg(o.late_in_the_end <= 10, "%llu ms: late %llu", (unsigned long long)ms,
                      (unsigned long long)o.late_in_the_end);
        ck_assert_msg(o.steps_in_the_end <= 2, "%llu ms: steps %llu", (unsigned long long)ms,
                      (unsigned long long)o.steps_in_the_end);
        ck_assert_msg(o.depth <= (ms + 120) * WZP_MS, "%llu ms: depth %llu", (unsigned long long)ms,
                      (unsigned long long)o.depth);
    }
}
END_TEST

/* --- lateness --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The obvious way: all of the last ones, sorted. */
static void sort_them(const int64_t *all, size_t n, int64_t *floor, int64_t *spread) {
    static int64_t last[WZP_JBUF_LATENESS_FRAMES];
    const size_t count = n < WZP_JBUF_LATENESS_FRAMES ? n : WZP_JBUF_LATENESS_FRAMES;
    memcpy(last, all + n - count, count * sizeof *last);
    qsort(last, count, sizeof *last, by_value);
    *floor = last[0];
    *spread = last[count - 1 - count / 200] - last[0];
}

START_TEST(lateness_is_that_of_a_sorted_list) {
    static int64_t all[2000];
    wzp_jbuf_lateness l = {0};
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "lateness");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert_int_eq(wzp_jbuf_lateness_last(&l), 0);
    for (size_t n = 0; n < WZP_COUNT_OF(all); n++) {
        const int64_t range = n % 700 < 350 ? 1000 : 5;
        all[n] = 1000 * ((int64_t)wzp_rng_below(rng, 2 * (uint64_t)range) - range);
        wzp_jbuf_lateness_add(&l, all[n]);
        ck_assert_int_eq(wzp_jbuf_lateness_last(&l), all[n]);
        ck_assert(l.known == (n + 1 >= WZP_JBUF_LATENESS_FIRST));
        if (l.known && l.fresh == 0) {
            int64_t floor = 0;
            int64_t spread = 0;
            sort_them(all, n + 1, &floor, &spread);
            ck_assert_int_eq(l.floor, floor);
            ck_assert_int_eq(l.spread, spread);
        }
    }
    wzp_jbuf_lateness_clear(&l);
    ck_assert(!l.known && wzp_jbuf_lateness_last(&l) == 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("jbuf");
    tcase_add_loop_test(tc, minutes, 0, WZP_COUNT_OF(flow_cases));
    tcase_add_test(tc, jitter_is_learnt);
    tcase_add_loop_test(tc, lateness_is_that_of_a_sorted_list, 0, 4);
    return wzp_run_suite("media.jbuf", tc);
}
