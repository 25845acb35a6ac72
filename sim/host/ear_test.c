#include "sim/host/ear.h"

#include "base/rng.h"
#include "base/testing/suite.h"

#define START (10 * WZP_S)
#define BUFFER (60 * WZP_MS)
#define WAY (30 * WZP_MS)
#define SLOT (20 * WZP_MS)

typedef struct voice {
    uint32_t sender;
    uint8_t slots;
    uint16_t talk, silence;
    uint32_t end;
} voice;

static wzp_sim_speech frame_of(const voice *v, uint32_t number) {
    return (wzp_sim_speech){.sender = v->sender,
                            .number = number,
                            .slots = v->slots,
                            .talk = v->talk,
                            .silence = v->silence,
                            .end = v->end,
                            .sent = START + number * SLOT};
}

static const voice plain = {1, 1, 1, 0, UINT32_MAX};

/* What is heard, a letter for each slot: T true, r recovered, c concealed, _ silent. */
static const char *letters(wzp_sim_ear *ear, wzp_time until, char *out, size_t cap) {
    const wzp_sim_slots heard = wzp_sim_ear_slots(ear, until);
    ck_assert_uint_lt(heard.count, cap);
    for (size_t i = 0; i < heard.count; i++) {
        out[i] = "_Tcr"[heard.slots[i]];
    }
    out[heard.count] = '\0';
    return out;
}

static const struct play_case {
    const char *name;
    voice voice;
    struct {
        uint32_t number, at_ms; /* played, from START */
    } plays[8];
    size_t count;
    uint32_t until_ms;
    const char *want;
    uint64_t skipped;
} play_cases[] = {
    {"in a row", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {1, 20}, {2, 40}}, 3, 60, "TTT", 0},
    {"one missing", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {2, 40}}, 2, 60, "TcT", 0},
    {"missing at the end", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {1, 20}}, 2, 100, "TTccc", 0},
    {"it ended", {1, 1, 1, 0, 3}, {{0, 0}, {1, 20}}, 2, 100, "TTc__", 0},
    {"a pause", {1, 1, 2, 2, UINT32_MAX}, {{0, 0}, {1, 20}, {4, 80}}, 3, 100, "TT__T", 0},
    {"lost around a pause", {1, 1, 2, 2, UINT32_MAX}, {{0, 0}, {5, 100}}, 2, 120, "Tc__cT", 0},
    {"the wait before a frame that was late",
     {1, 1, 1, 0, UINT32_MAX},
     {{0, 0}, {1, 100}},
     2,
     120,
     "TccccT",
     0},
    {"a longer pause is no gap",
     {1, 1, 2, 2, UINT32_MAX},
     {{0, 0}, {1, 20}, {4, 140}},
     3,
     160,
     "TT_____T",
     0},
    {"loss, and a wait on top", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {3, 120}}, 2, 140, "TcccccT", 0},
    {"it caught up", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {5, 40}}, 2, 60, "TcT", 3},
    {"it caught up in a pause", {1, 1, 1, 4, UINT32_MAX}, {{0, 0}, {5, 40}}, 2, 60, "T_T", 0},
    {"frames of 40 ms", {1, 2, 2, 0, UINT32_MAX}, {{0, 0}, {4, 80}}, 2, 120, "TTccTT", 0},
    {"half a slot early", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {1, 11}, {2, 31}}, 3, 51, "TTT", 0},
    {"a drifting clock", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {1, 21}, {2, 42}}, 3, 62, "TTT", 0},
    {"played twice counts once", {1, 1, 1, 0, UINT32_MAX}, {{0, 0}, {0, 20}}, 2, 20, "T", 0},
};

START_TEST(timeline) {
    const struct play_case *c = &play_cases[_i];
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    char got[64];
    for (size_t i = 0; i < c->count; i++) {
        const wzp_sim_speech frame = frame_of(&c->voice, c->plays[i].number);
        wzp_sim_ear_play(ear, &frame, START + c->plays[i].at_ms * WZP_MS);
    }
    const wzp_time until = START + c->until_ms * WZP_MS;
    letters(ear, until, got, sizeof got);
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: %s", c->name, got);
    wzp_sim_ear_report(ear, until, &heard);
    ck_assert_msg(heard.skipped == c->skipped, "%s: skipped %llu", c->name,
                  (unsigned long long)heard.skipped);
    ck_assert_uint_eq(heard.slots, strlen(c->want));
    ck_assert_uint_eq(heard.first_at, START);
    wzp_sim_ear_free(&ear);
}
END_TEST

/* Frames that know those before them; `dred` is of all.  What arrives is played 60 ms later. */
static const struct dred_case {
    const char *name;
    uint8_t dred;
    uint32_t numbers[6]; /* of the frames that arrive */
    uint32_t at_ms[6];   /* from START; how late each is there */
    size_t count;
    const char *want;
    uint64_t recovered;
} dred_cases[] = {
    {"the next one knows it", 1, {0, 2, 3}, {0, 40, 60}, 3, "TrTT", 1},
    {"nobody knows", 0, {0, 2, 3}, {0, 40, 60}, 3, "TcTT", 0},
    {"it does not reach so far", 1, {0, 3, 4}, {0, 60, 80}, 3, "TcrTT", 1},
    {"it came when one slot was over", 4, {0, 5}, {0, 100}, 2, "TcrrrT", 3},
    {"it came just in time", 4, {0, 4}, {0, 80}, 2, "TrrrT", 3},
    {"it came a moment late", 4, {0, 4}, {0, 81}, 2, "TcrrT", 2},
    {"the frame itself came too late", 2, {0, 2, 1, 3}, {0, 40, 90, 100}, 4, "TrTT", 1},
};

START_TEST(dred) {
    const struct dred_case *c = &dred_cases[_i];
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    char got[64];
    for (uint64_t ms = 0; ms <= 400; ms++) {
        for (size_t i = 0; i < c->count; i++) {
            wzp_sim_speech frame = frame_of(&plain, c->numbers[i]);
            frame.dred = c->dred;
            const uint64_t due = UINT64_C(20) * c->numbers[i] + BUFFER / WZP_MS;
            const bool in_time = c->at_ms[i] <= due;
            if (ms == c->at_ms[i]) {
                wzp_sim_ear_arrive(ear, &frame, START + ms * WZP_MS);
            }
            if (in_time && ms == due) {
                wzp_sim_ear_play(ear, &frame, START + ms * WZP_MS);
            }
        }
    }
    const wzp_time until = START + (UINT64_C(20) * c->numbers[c->count - 1] + 20) * WZP_MS + BUFFER;
    letters(ear, until, got, sizeof got);
    ck_assert_msg(strcmp(got, c->want) == 0, "%s: %s", c->name, got);
    wzp_sim_ear_report(ear, until, &heard);
    ck_assert_uint_eq(heard.recovered, c->recovered);
    ck_assert_uint_eq(heard.verdict.concealed, strlen(c->want) - strcspn(c->want, "c") > 0
                                                   ? heard.slots - heard.recovered - heard.played
                                                   : 0);
    wzp_sim_ear_free(&ear);
}
END_TEST

/* The obvious twin: with a fixed delay, slot n of the output is frame n or its absence. */
START_TEST(random_loss_against_the_obvious_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "ear");
    const wzp_rng rng = wzp_prng_rng(&prng);
    const uint8_t slots = (uint8_t)(1 + wzp_rng_below(rng, 2));
    const voice v = {3, slots, (uint16_t)(slots * (1 + wzp_rng_below(rng, 9))),
                     (uint16_t)(slots * wzp_rng_below(rng, 9)),
                     (uint32_t)(slots * (1500 + wzp_rng_below(rng, 1000)))};
    wzp_sim_ear *ear = wzp_sim_ear_new(3);
    wzp_sim_heard heard;
    static uint8_t twin[8192];
    size_t twin_len = 0;
    uint64_t played = 0;
    uint64_t lost = 0;
    uint64_t pending = 0; /* lost, and nothing came after them yet */
    for (uint32_t n = 0; n < 4000; n += slots) {
        const wzp_sim_speech frame = frame_of(&v, n);
        const bool spoken = wzp_sim_speech_spoken(&frame, n);
        if (spoken && wzp_rng_below(rng, 10) != 0) {
            wzp_sim_ear_arrive(ear, &frame, frame.sent + WAY);
            wzp_sim_ear_play(ear, &frame, frame.sent + WAY + BUFFER);
            lost += pending;
            pending = 0;
            played++;
            memset(twin + twin_len, WZP_SIM_SLOT_TRUE, slots);
            twin_len += slots;
        } else if (played > 0) {
            pending += spoken ? 1 : 0;
            memset(twin + twin_len, spoken ? WZP_SIM_SLOT_CONCEALED : WZP_SIM_SLOT_SILENT, slots);
            twin_len += slots;
        }
    }
    const wzp_time until = START + 4000 * SLOT + WAY + BUFFER;
    const wzp_sim_slots got = wzp_sim_ear_slots(ear, until);
    ck_assert_uint_eq(got.count, twin_len);
    ck_assert(memcmp(got.slots, twin, twin_len) == 0);
    wzp_sim_ear_report(ear, until, &heard);
    ck_assert_uint_eq(heard.played, played);
    ck_assert_uint_eq(heard.arrived, played);
    ck_assert_uint_eq(heard.lost, lost);
    ck_assert_uint_eq(heard.late, 0);
    ck_assert_uint_eq(heard.delay_min, WAY);
    ck_assert_uint_eq(heard.delay_max, WAY);
    ck_assert_uint_eq(heard.ear_p50, WAY + BUFFER);
    ck_assert_uint_eq(heard.jitter, 0);
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(arrivals_are_counted_by_kind) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    static const uint32_t order[] = {2, 3, 5, 4, 5, 9, 1};
    for (size_t i = 0; i < WZP_COUNT_OF(order); i++) {
        const wzp_sim_speech frame = frame_of(&plain, order[i]);
        wzp_sim_ear_arrive(ear, &frame, START + WZP_S + i * WZP_MS);
    }
    static const uint32_t played[] = {2, 3, 9};
    for (size_t i = 0; i < WZP_COUNT_OF(played); i++) {
        const wzp_sim_speech frame = frame_of(&plain, played[i]);
        wzp_sim_ear_play(ear, &frame, START + 2 * WZP_S + played[i] * SLOT);
    }
    wzp_sim_ear_report(ear, START + 3 * WZP_S, &heard);
    ck_assert_uint_eq(heard.arrived, 6);
    ck_assert_uint_eq(heard.duplicates, 1);
    ck_assert_uint_eq(heard.reordered, 2); /* 4 and 1 */
    ck_assert_uint_eq(heard.lost, 3);      /* 6, 7, 8 */
    ck_assert_uint_eq(heard.late, 3);      /* 1, 4, 5 */
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(percentiles_are_close) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    for (uint32_t n = 0; n < 1000; n++) {
        const wzp_sim_speech frame = frame_of(&plain, n);
        const uint64_t way = (n * 7919 % 1000 + 1) * WZP_MS; /* 1..1000 ms in no order */
        wzp_sim_ear_arrive(ear, &frame, frame.sent + way);
    }
    wzp_sim_ear_report(ear, START + 60 * WZP_S, &heard);
    ck_assert_uint_eq(heard.delay_min, WZP_MS);
    ck_assert_uint_eq(heard.delay_max, WZP_S);
    const uint64_t got[] = {heard.delay_p50, heard.delay_p95, heard.delay_p99};
    const uint64_t want[] = {500 * WZP_MS, 950 * WZP_MS, 990 * WZP_MS};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_ge(got[i], want[i] - want[i] / 60);
        ck_assert_uint_le(got[i], want[i] + want[i] / 60);
    }
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(jitter_of_an_alternating_delay) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    for (uint32_t n = 0; n < 500; n++) {
        const wzp_sim_speech frame = frame_of(&plain, n);
        wzp_sim_ear_arrive(ear, &frame, frame.sent + WAY + (n % 2 != 0 ? 8 * WZP_MS : 0));
    }
    wzp_sim_ear_report(ear, START + 60 * WZP_S, &heard);
    ck_assert_uint_ge(heard.jitter, 7900 * WZP_US);
    ck_assert_uint_le(heard.jitter, 8000 * WZP_US);
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(who_has_left_is_not_missed) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    char got[64];
    const wzp_sim_speech first = frame_of(&plain, 0);
    const wzp_sim_speech back = frame_of(&plain, 20);
    wzp_sim_ear_play(ear, &first, START);
    wzp_sim_ear_leave(ear, START + 60 * WZP_MS);
    ck_assert_str_eq(letters(ear, START + WZP_S, got, sizeof got), "Tcc");
    wzp_sim_ear_play(ear, &back, START + 400 * WZP_MS);
    ck_assert_str_eq(letters(ear, START + 420 * WZP_MS, got, sizeof got), "TcccccccccccccccccccT");
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(an_ear_that_heard_nothing) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    wzp_sim_heard heard;
    wzp_sim_speech late = frame_of(&plain, 0);
    late.number = UINT32_MAX; /* not even this one: it would need too much memory */
    wzp_sim_ear_arrive(ear, &late, START);
    wzp_sim_ear_play(ear, &late, START);
    wzp_sim_ear_report(ear, START, &heard);
    ck_assert(heard.first_at == WZP_TIME_NEVER && heard.arrived == 0 && heard.played == 0);
    ck_assert_uint_eq(heard.slots, 0);
    ck_assert_uint_eq(heard.delay_p50, 0);
    ck_assert_uint_eq(wzp_sim_ear_slot_at(ear, START), 0);
    wzp_sim_ear_free(&ear);
    wzp_sim_ear_free(&ear);
}
END_TEST

START_TEST(moments_are_slots) {
    wzp_sim_ear *ear = wzp_sim_ear_new(1);
    const wzp_sim_speech first = frame_of(&plain, 0);
    wzp_sim_ear_play(ear, &first, START);
    ck_assert_uint_eq(wzp_sim_ear_slot_at(ear, START - WZP_S), 0);
    ck_assert_uint_eq(wzp_sim_ear_slot_at(ear, START + 19 * WZP_MS), 0);
    ck_assert_uint_eq(wzp_sim_ear_slot_at(ear, START + WZP_S), 50);
    wzp_sim_ear_free(&ear);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ear");
    tcase_add_loop_test(tc, dred, 0, WZP_COUNT_OF(dred_cases));
    tcase_add_loop_test(tc, timeline, 0, WZP_COUNT_OF(play_cases));
    tcase_add_loop_test(tc, random_loss_against_the_obvious_twin, 0, 40);
    tcase_add_test(tc, arrivals_are_counted_by_kind);
    tcase_add_test(tc, percentiles_are_close);
    tcase_add_test(tc, jitter_of_an_alternating_delay);
    tcase_add_test(tc, who_has_left_is_not_missed);
    tcase_add_test(tc, an_ear_that_heard_nothing);
    tcase_add_test(tc, moments_are_slots);
    return wzp_run_suite("sim_host.ear", tc);
}
