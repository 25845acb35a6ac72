/* The jitter buffer over minutes: what it adds and drops while clocks drift and networks change. */
#include "media/jbuf.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "media/jbuf_bursts.h"
#include "media/jbuf_lateness.h"
#include "media/opus.h"

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
    uint64_t lose, lose_every,
        lose_until; /* frames in a row, of so many, before frame lose_until */
    uint32_t reach; /* ms of lost sound that a packet brings back */
    bool stretches;
    unsigned stretch_ms; /* by so much; 0: it never can */
    bool only_if_urgent;
} flow;

typedef struct outcome {
    wzp_jbuf_stats stats;
    uint64_t depth;                             /* ns from arrival to playing, of the last frame */
    uint64_t closest_steps;                     /* frames between two of them */
    uint64_t late_in_the_end, steps_in_the_end; /* in the last quarter */
    uint64_t concealed_in_a_row;
    uint64_t backwards; /* frames that were played in the wrong order: never */
    uint64_t gone;      /* of the lost frames: when they were due, no packet with their sound was
                           there, in the last quarter */
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
    uint32_t said = 0;
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
        const uint32_t seq = said++;
        if (f->lose != 0 && i < f->lose_until && i % f->lose_every >= f->lose_every - f->lose) {
            continue;
        }
        out[n] = (arrival){f->route_is_shorter ? sent + late - more : sent + late + more, seq,
                           f->first_ts + (uint32_t)(20 * i) + jump};
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
    uint32_t reach;
    const uint32_t *ts_of; /* by seq */
    bool counts_gone;
    const flow *flow;
} listener;

static uint32_t tell_reach(void *ctx, uint8_t codec_id, wzp_bytes payload) {
    (void)codec_id;
    (void)payload;
    return ((const flow *)ctx)->reach;
}

/* Is a packet there that comes after the lost frame and brings it back? */
static bool is_back(const listener *l, uint32_t ts, wzp_time now) {
    for (size_t seq = (size_t)(l->last_seq + 1); seq < (size_t)l->last_seq + 64; seq++) {
        const uint32_t away = l->ts_of[seq] - ts;
        if (l->arrived_at[seq] != 0 && l->arrived_at[seq] <= now && away > 0 && away <= l->reach) {
            return true;
        }
    }
    return false;
}

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
    if (o->kind == WZP_JBUF_CONCEAL && !o->is_added && l->counts_gone) {
        l->out->gone += is_back(l, o->timestamp_ms, now) ? 0 : 1;
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

static void stretch(const listener *l, const wzp_jbuf_out *o) {
    const flow *f = l->flow;
    const int64_t by = (int64_t)(f->stretch_ms * WZP_MS);
    ck_assert(f->stretches || o->lean == WZP_JBUF_EVEN);
    if (o->kind == WZP_JBUF_FRAME && o->lean != WZP_JBUF_EVEN && by != 0 &&
        (o->is_urgent || !f->only_if_urgent)) {
        wzp_jbuf_stretched(l->jb, o->lean == WZP_JBUF_LONGER ? by : -by);
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
            stretch(l, &o);
        }
    }
}

static outcome listen_with(const flow *f, uint64_t seed, size_t cap_frames) {
    flow told = *f;
    const wzp_jbuf_cfg cfg = {.cap_frames = cap_frames,
                              .reach = tell_reach,
                              .reach_ctx = &told,
                              .stretches = f->stretches};
    outcome out = {.closest_steps = UINT64_MAX};
    wzp_prng prng;
    wzp_prng_init(&prng, seed, "flow");
    arrival *packets = calloc(f->frames, sizeof *packets);
    wzp_time *arrived_at = calloc(f->frames + 64, sizeof *arrived_at);
    uint32_t *ts_of = calloc(f->frames + 64, sizeof *ts_of);
    listener l = {.jb = wzp_jbuf_new(&cfg),
                  .arrived_at = arrived_at,
                  .out = &out,
                  .last_seq = -1,
                  .reach = f->reach,
                  .ts_of = ts_of,
                  .flow = f};
    wzp_jbuf_stats at_three_quarters = {0};
    ck_assert(packets != NULL && arrived_at != NULL && ts_of != NULL && l.jb != NULL);
    const size_t n = say(f, packets, wzp_prng_rng(&prng));
    for (size_t i = 0; i < n; i++) {
        const arrival *p = &packets[i];
        const wzp_media_hdr hdr = {.version = 2, .seq = p->seq, .timestamp_ms = p->ts};
        play_until(&l, p->at);
        arrived_at[p->seq] = p->at;
        ts_of[p->seq] = p->ts;
        wzp_jbuf_push(l.jb, &hdr, wzp_bytes_of(&p->seq, sizeof p->seq), p->at);
        if (i == n * 3 / 4) {
            wzp_jbuf_count(l.jb, &at_three_quarters);
            l.counts_gone = true;
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
    free(ts_of);
    return out;
}

static outcome listen(const flow *f, uint64_t seed) {
    return listen_with(f, seed, 0);
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

/* --- bursts of loss --------------------------------------------------------------------------- */

static const struct burst_case {
    const char *name;
    flow flow;
    uint64_t gone_from, gone_to; /* of a burst's frames in the end */
    uint64_t depth_from, depth_to;
    uint64_t added_to, dropped_to;
} burst_cases[] = {
    {"single frames come back as it is",
     {.frames = MIN(2), .lose = 1, .lose_every = 20, .lose_until = ALL, .reach = 95},
     0,
     0,
     60,
     60,
     0,
     0},
    {"four in a row: there is time for all of them, soon",
     {.frames = MIN(2), .lose = 4, .lose_every = 100, .lose_until = ALL, .reach = 95},
     0,
     0,
     80,
     110,
     3,
     0},
    {"ten: the last four come back",
     {.frames = MIN(2), .lose = 10, .lose_every = 100, .lose_until = ALL, .reach = 95},
     6,
     6,
     80,
     110,
     3,
     0},
    {"fourteen, which is more than is concealed in a row: these do, too",
     {.frames = MIN(2), .lose = 14, .lose_every = 100, .lose_until = ALL, .reach = 95},
     9,
     10,
     80,
     110,
     3,
     0},
    {"thirty, in which the track falls silent: likewise",
     {.frames = MIN(2), .lose = 30, .lose_every = 200, .lose_until = ALL, .reach = 95},
     0,
     WZP_JBUF_IDLE_FRAMES,
     80,
     110,
     3,
     0},
    {"twelve, and as many come back: the delay has a bound",
     {.frames = MIN(2), .lose = 12, .lose_every = 100, .lose_until = ALL, .reach = 500},
     2,
     3,
     190,
     210,
     8,
     0},
    {"nothing brings them back: it is no use to wait",
     {.frames = MIN(2), .lose = 8, .lose_every = 100, .lose_until = ALL, .reach = 0},
     8,
     8,
     60,
     60,
     0,
     0},
    {"holes say nothing about loss",
     {.frames = MIN(2), .lose = 100, .lose_every = 500, .lose_until = ALL, .reach = 175},
     0,
     WZP_JBUF_IDLE_FRAMES,
     60,
     60,
     0,
     0},
    {"when it is over, it is over",
     {.frames = MIN(3), .lose = 8, .lose_every = 100, .lose_until = MIN(1), .reach = 175},
     0,
     0,
     60,
     90,
     8,
     8},
    {"with jitter",
     {.frames = MIN(2),
      .lose = 4,
      .lose_every = 100,
      .lose_until = ALL,
      .reach = 95,
      .jitter = 20 * WZP_MS},
     0,
     0,
     80,
     150,
     5,
     1},
    {"and pauses",
     {.frames = MIN(2),
      .lose = 4,
      .lose_every = 100,
      .lose_until = ALL,
      .reach = 95,
      .talk = 60,
      .silence = 2},
     0,
     1,
     60,
     110,
     3,
     3},
};

START_TEST(bursts_come_back) {
    const struct burst_case *c = &burst_cases[_i];
    const outcome o = listen(&c->flow, 1);
    const uint64_t bursts = c->flow.frames / 4 / c->flow.lose_every; /* in the last quarter */
    within(c->name, "gone", o.gone, c->gone_from * (bursts - 1), c->gone_to * (bursts + 1));
    within(c->name, "depth", o.depth, c->depth_from * WZP_MS, c->depth_to * WZP_MS);
    within(c->name, "added", o.stats.added, 0, c->added_to);
    within(c->name, "dropped", o.stats.dropped, 0, c->dropped_to);
    within(c->name, "late", o.stats.late, 0, 0);
    within(c->name, "steps so close:", o.closest_steps, WZP_JBUF_STEP_FRAMES, ALL);
    within(c->name, "played in the wrong order:", o.backwards, 0, 0);
}
END_TEST

/* What the buffer supposes of senders that nobody has looked at is what libopus does. */
START_TEST(codecs_reach_back_as_libopus_lets_them) {
    static const uint8_t codecs[] = {WZP_CODEC_OPUS_6K,  WZP_CODEC_OPUS_16K, WZP_CODEC_OPUS_24K,
                                     WZP_CODEC_OPUS_32K, WZP_CODEC_OPUS_48K, WZP_CODEC_OPUS_64K};
    const uint8_t codec = codecs[_i];
    const unsigned chunks =
        wzp_opus_dred_chunks(wzp_codec_find(codec)->nominal_bps, wzp_opus_frame_samples(codec),
                             WZP_OPUS_LOSS_FLOOR, wzp_opus_dred_10ms(codec));
    const uint32_t reach = chunks > 1 ? chunks * 40 - 25 : 0;
    ck_assert_uint_eq(wzp_jbuf_reach(codec), reach);
}
END_TEST

/* The obvious way: all that ever was. */
START_TEST(bursts_are_those_of_a_list) {
    static struct {
        uint64_t span;
        uint32_t ms;
    } all[3000];
    wzp_jbuf_bursts b = {0};
    wzp_time now = _i == 0 ? 0 : (uint64_t)_i * 1000 * WZP_S;
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "bursts");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (size_t n = 0; n < WZP_COUNT_OF(all); n++) {
        uint32_t longest = 0;
        now += wzp_rng_below(rng, n % 100 == 0 ? 60 * WZP_S : 2 * WZP_S);
        all[n].span = now / WZP_JBUF_BURSTS_SPAN;
        all[n].ms = 20 * (uint32_t)wzp_rng_below(rng, 50);
        wzp_jbuf_bursts_add(&b, all[n].ms, now);
        const wzp_time later = now + wzp_rng_below(rng, 40 * WZP_S);
        for (size_t i = 0; i <= n; i++) {
            const bool counts = all[i].span + WZP_JBUF_BURSTS_SPANS > later / WZP_JBUF_BURSTS_SPAN;
            longest = counts && all[i].ms > longest ? all[i].ms : longest;
        }
        ck_assert_uint_eq(wzp_jbuf_bursts_longest(&b, later), longest);
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

/* --- a small buffer --------------------------------------------------------------------------- */

/* It holds a fifth of a second.  What a stall of 400 ms leaves is more: some of it goes, once, and
 * no frame is lost to that afterwards. */
START_TEST(a_small_buffer_is_not_always_full) {
    const flow f = {
        .frames = MIN(1), .hold_from = 10 * WZP_S, .hold = 400 * WZP_MS, .hold_every = 2 * WZP_S};
    const uint64_t stalls = 25;
    const outcome small = listen_with(&f, 1, 10);
    const outcome large = listen_with(&f, 1, 250);
    ck_assert_uint_eq(large.stats.overrun, 0);
    ck_assert_uint_ge(small.stats.overrun, stalls);
    ck_assert_uint_le(small.stats.overrun, 15 * stalls);
    ck_assert_uint_eq(small.backwards, 0);
    ck_assert_uint_le(small.stats.concealed, (WZP_JBUF_IDLE_FRAMES + 1) * stalls);
}
END_TEST

/* --- stretching ------------------------------------------------------------------------------- */

static const struct stretch_case {
    const char *name;
    flow flow;
    uint64_t longer_from, longer_to, shorter_from, shorter_to, steps_to; /* frames */
    uint64_t depth_from, depth_to;                                       /* in the end, ms */
} stretch_cases[] = {
#define BY(ms) .stretches = true, .stretch_ms = (ms)
    {"nothing changes", {.frames = MIN(10), BY(8)}, 0, 0, 0, 0, 0, 60, 60},
    /* 120 ms, in steps of 8. */
    {"the sender is slow", {.frames = MIN(10), .skew_ppm = -200, BY(8)}, 13, 16, 0, 0, 0, 50, 70},
    {"the sender is fast", {.frames = MIN(10), .skew_ppm = 200, BY(8)}, 0, 0, 11, 15, 0, 60, 82},
    {"noise, which is stretched if it must be",
     {.frames = MIN(10), .skew_ppm = 200, BY(15), .only_if_urgent = true},
     0,
     0,
     5,
     8,
     0,
     60,
     85},
    {"frames that are too short",
     {.frames = MIN(10), .skew_ppm = 200, BY(0)},
     0,
     0,
     0,
     0,
     6,
     60,
     95},
    {"a long stall",
     {.frames = MIN(1), .hold_from = 30 * WZP_S, .hold = 400 * WZP_MS, BY(15)},
     0,
     0,
     24,
     27,
     0,
     55,
     85},
    {"jitter and reordering",
     {.frames = MIN(10), .jitter = 50 * WZP_MS, BY(8)},
     0,
     6,
     0,
     6,
     0,
     30,
     110},
};

START_TEST(stretching) {
    const struct stretch_case *c = &stretch_cases[_i];
    const outcome o = listen(&c->flow, 1);
    const wzp_jbuf_stats *s = &o.stats;
    within(c->name, "longer", s->longer, c->longer_from, c->longer_to);
    within(c->name, "shorter", s->shorter, c->shorter_from, c->shorter_to);
    within(c->name, "steps", s->added + s->dropped, 0, c->steps_to);
    within(c->name, "depth", o.depth / WZP_MS, c->depth_from, c->depth_to);
    ck_assert_uint_eq(o.backwards, 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("jbuf");
    tcase_add_loop_test(tc, minutes, 0, WZP_COUNT_OF(flow_cases));
    tcase_add_test(tc, a_small_buffer_is_not_always_full);
    tcase_add_loop_test(tc, stretching, 0, (int)WZP_COUNT_OF(stretch_cases));
    tcase_add_test(tc, jitter_is_learnt);
    tcase_add_loop_test(tc, bursts_come_back, 0, WZP_COUNT_OF(burst_cases));
    tcase_add_loop_test(tc, codecs_reach_back_as_libopus_lets_them, 0, 6);
    tcase_add_loop_test(tc, bursts_are_those_of_a_list, 0, 4);
    tcase_add_loop_test(tc, lateness_is_that_of_a_sorted_list, 0, 4);
    return wzp_run_suite("media.jbuf", tc);
}
