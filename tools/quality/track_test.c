#include "tools/quality/track.h"

#include <string.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "media/testing/voice.h"
#include "tools/quality/quality.h"

enum { MS = 48, LEN = 10000 * MS, ROOM = LEN + 1000 * MS };

static int16_t voice[LEN];
static int16_t heard[ROOM];

static const struct track_case {
    const char *name;
    struct {
        uint32_t at_ms;
        int32_t delay_ms;
    } steps[5]; /* the first from 0; a second one at 0 ends */
} cases[] = {
    {"none", {{0, 100}}},
    {"none and early", {{0, -40}}},
    {"a longer delay", {{0, 60}, {6000, 160}}},
    {"a longer delay soon", {{0, 60}, {2500, 160}}},
    {"a shorter one", {{0, 120}, {4000, 80}}},
    {"a frame", {{0, 60}, {5000, 80}}},
    {"10 ms, as the client's buffer moves", {{0, 60}, {5000, 70}}},
    {"there and back", {{0, 60}, {3000, 160}, {7000, 60}}},
    {"in steps", {{0, 60}, {2500, 80}, {4500, 120}, {6500, 100}}},
};

static size_t make(const struct track_case *c) {
    size_t n = 1;
    wzp_voice_speak(voice, LEN);
    memset(heard, 0, sizeof heard);
    while (n < WZP_COUNT_OF(c->steps) && c->steps[n].at_ms != 0) {
        n++;
    }
    for (size_t i = 0; i < LEN; i++) {
        size_t k = n - 1;
        while (k > 0 && i < (size_t)c->steps[k].at_ms * MS) {
            k--;
        }
        const int64_t to = (int64_t)i + (int64_t)c->steps[k].delay_ms * MS;
        if (to >= 0) {
            heard[to] = voice[i];
        }
    }
    return n;
}

START_TEST(changes_are_found) {
    const struct track_case *c = &cases[_i];
    const size_t n = make(c);
    const wzp_align_sound a = {voice, LEN};
    const wzp_align_sound b = {heard, ROOM};
    wzp_track t;
    ck_assert(wzp_track_find(&t, &a, &b, 500) == WZP_OK);
    ck_assert_msg(t.count == n, "%s: %zu delays", c->name, t.count);
    for (size_t i = 0; i < n; i++) {
        const size_t at_ms = t.changes[i].at / MS;
        ck_assert_msg(t.changes[i].delay == c->steps[i].delay_ms * MS, "%s: delay %zu is %d",
                      c->name, i, t.changes[i].delay);
        ck_assert_msg(at_ms + 150 >= c->steps[i].at_ms && at_ms <= c->steps[i].at_ms + 150,
                      "%s: change %zu at %zu ms", c->name, i, at_ms);
    }
}
END_TEST

/* What it is for: with the changes taken out, a call is as good as it was. */
START_TEST(the_measure_follows) {
    wzp_quality q;
    (void)make(&cases[7]);
    ck_assert(wzp_quality_measure(&q, voice, LEN, heard, ROOM, 500) == WZP_OK);
    ck_assert_uint_eq(q.delay_changes, 2);
    ck_assert_msg(q.snr_seg_db > 33, "SNR %f", q.snr_seg_db);
    ck_assert_msg(q.stoi > 0.97, "STOI %f", q.stoi);
}
END_TEST

START_TEST(delays_by_time) {
    const wzp_track t = {.changes = {{0, 5}, {100, 7}, {200, -1}}, .count = 3};
    ck_assert_int_eq(wzp_track_delay_at(&t, 0), 5);
    ck_assert_int_eq(wzp_track_delay_at(&t, 99), 5);
    ck_assert_int_eq(wzp_track_delay_at(&t, 100), 7);
    ck_assert_int_eq(wzp_track_delay_at(&t, 100000), -1);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, changes_are_found, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, the_measure_follows);
    tcase_add_test(tc, delays_by_time);
    return wzp_run_suite("track", tc);
}
