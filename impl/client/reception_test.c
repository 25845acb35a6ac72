#include "client/reception.h"

#include "base/testing/suite.h"

typedef struct sender {
    uint32_t seq, ts;
} sender;

typedef struct ear {
    wzp_tracks tracks;
    wzp_reception reception;
    sender senders[2];
    wzp_time now;
} ear;

static void fresh(ear *e) {
    *e = (ear){.senders = {{1000, 0}, {900000, 5000}}, .now = 100 * WZP_S};
    wzp_tracks_init(&e->tracks);
}

/* 20 ms of a sender: a packet that comes, or one that does not. */
static void frame(ear *e, size_t number, bool comes) {
    sender *s = &e->senders[number];
    bool is_new = false;
    const wzp_media_hdr hdr = {
        .codec_id = WZP_CODEC_OPUS_24K, .seq = s->seq++, .timestamp_ms = s->ts};
    s->ts += 20;
    if (comes) {
        const int index = wzp_tracks_place(&e->tracks, &hdr, e->now, &is_new);
        ck_assert_int_ge(index, 0);
        wzp_reception_packet(&e->reception, index, &e->tracks.tracks[index], &hdr, e->now);
    }
}

/* A second in which of every ten packets of the two so many are lost. */
static void second(ear *e, int lost, int other) {
    for (int i = 0; i < 50; i++) {
        frame(e, 0, i % 10 >= lost);
        frame(e, 1, i % 10 >= other);
        e->now += 20 * WZP_MS;
    }
}

static uint32_t measure(ear *e) {
    return wzp_reception_measure(&e->reception, &e->tracks, e->now);
}

START_TEST(who_loses_least_counts) {
    ear e;
    fresh(&e);
    second(&e, 0, 0);
    ck_assert_uint_eq(measure(&e), 0);
    second(&e, 2, 5);
    ck_assert_uint_eq(measure(&e), 200000);
    second(&e, 5, 2);
    ck_assert_uint_eq(measure(&e), 200000);
    second(&e, 0, 9);
    ck_assert_uint_eq(measure(&e), 0);
}
END_TEST

static void alone(ear *e, unsigned frames) {
    for (unsigned i = 0; i < frames; i++) {
        frame(e, 0, true);
        e->now += 20 * WZP_MS;
    }
}

/* Silent for so long; then as many packets are missing, or none. */
static const struct quiet_case {
    const char *name;
    unsigned before;    /* frames */
    bool paused_before; /* once */
    unsigned quiet_ms;
    uint32_t loss_ppm;
} quiet_cases[] = {
    {"a hiccup", 100, false, 400, 0},
    {"a stream that stands still", 100, false, 1000, 1000000},
    {"it paused before", 100, true, 1000, 0},
    {"hardly a stream", 40, false, 1000, 0},
    {"it has ended", 100, false, 6000, 0},
};

START_TEST(what_stands_still_is_missed) {
    const struct quiet_case *q = &quiet_cases[_i];
    ear e;
    fresh(&e);
    if (q->paused_before) {
        alone(&e, 60);
        e.senders[0].ts += 1000;
        e.now += WZP_S;
    }
    alone(&e, q->before);
    ck_assert_uint_eq(measure(&e), 0);
    e.now += q->quiet_ms * WZP_MS;
    const uint32_t got = measure(&e);
    ck_assert_msg(got == q->loss_ppm, "%s: %u", q->name, got);
}
END_TEST

/* What stood still is not missed twice, and not at all if it was a pause. */
START_TEST(then_it_goes_on) {
    for (int was_lost = 0; was_lost < 2; was_lost++) {
        ear e;
        fresh(&e);
        alone(&e, 100);
        ck_assert_uint_eq(measure(&e), 0);
        e.now += 2 * WZP_S;
        ck_assert_uint_eq(measure(&e), 1000000);
        e.senders[0].ts += 2000;
        e.senders[0].seq += was_lost ? 100 : 0;
        alone(&e, 50);
        ck_assert_uint_eq(measure(&e), 0);
        alone(&e, 50);
        ck_assert_uint_eq(measure(&e), 0);
    }
}
END_TEST

START_TEST(who_left_is_not_missed) {
    ear e;
    fresh(&e);
    alone(&e, 100);
    ck_assert_uint_eq(measure(&e), 0);
    wzp_reception_left(&e.reception);
    e.now += WZP_S;
    ck_assert_uint_eq(measure(&e), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("reception");
    tcase_add_test(tc, who_loses_least_counts);
    tcase_add_loop_test(tc, what_stands_still_is_missed, 0, WZP_COUNT_OF(quiet_cases));
    tcase_add_test(tc, then_it_goes_on);
    tcase_add_test(tc, who_left_is_not_missed);
    return wzp_run_suite("reception", tc);
}
