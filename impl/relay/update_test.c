/* RoomUpdates of a room that is large. */
#include <check.h>
#include <stdio.h>

#include "relay/testing/crowd.h"

enum { MEMBERS = 300 };

typedef struct heard {
    unsigned updates, last; /* the last one's count */
} heard;

static void on_heard(void *ctx, size_t guest, wzp_bytes json) {
    heard *h = (heard *)ctx + guest;
    wzp_signal *signal = NULL;
    ck_assert(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    if (signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        h->updates++;
        h->last = signal->u.RoomUpdate.count;
    }
    wzp_signal_free(&signal);
}

static void join(crowd *c) {
    const size_t guest = crowd_arrive(c, "hall");
    session *s = c->guests[guest].session;
    wzp_fingerprint_text(s->fingerprint, (uint8_t[WZP_KEY_LEN]){(uint8_t)guest, 1});
    ck_assert(wzp_relay_join(s));
}

/* Everybody is told at once while the room is small; later who comes is told at once, and the
 * others when it is time; in the end all know of all. */
START_TEST(a_large_room_is_told_in_time) {
    static heard heards[MEMBERS];
    crowd *c = crowd_new(&(wzp_relay_cfg){.max_sessions = MEMBERS}, MEMBERS);
    c->on_heard = on_heard;
    c->ctx = heards;
    for (unsigned i = 0; i < MEMBERS; i++) {
        join(c);
        ck_assert_uint_eq(heards[i].last, i + 1);
        ck_assert(i >= 50 || heards[0].last == i + 1);
        crowd_pass(c, WZP_MS, true);
    }
    ck_assert_uint_lt(heards[0].updates, MEMBERS / 2);
    ck_assert_uint_gt(c->relay->metrics.updates_deferred, MEMBERS / 2);
    /* Less than 300 ms of joins, and what is told of itself to each. */
    ck_assert_uint_lt(c->bytes, WZP_LIMIT_UPDATE_RATE + MEMBERS * 30000U);
    crowd_pass(c, 2 * WZP_S, true);
    for (unsigned i = 0; i < MEMBERS; i++) {
        ck_assert_uint_eq(heards[i].last, MEMBERS);
    }
    crowd_leave(c, 7);
    crowd_pass(c, 2 * WZP_S, true);
    ck_assert_uint_eq(heards[0].last, MEMBERS - 1);
    crowd_free(&c);
}
END_TEST

START_TEST(a_room_that_empties_is_not_told) {
    static heard heards[MEMBERS];
    crowd *c = crowd_new(&(wzp_relay_cfg){.max_sessions = MEMBERS}, MEMBERS);
    c->on_heard = on_heard;
    c->ctx = heards;
    for (unsigned i = 0; i < MEMBERS; i++) {
        join(c);
    }
    for (unsigned i = 0; i < MEMBERS; i++) {
        crowd_leave(c, i);
    }
    crowd_pass(c, 10 * WZP_S, true);
    ck_assert_uint_eq(c->relay->room_count, 0);
    crowd_free(&c);
}
END_TEST

/* Two workers count together. */
START_TEST(max_sessions_holds_for_all_workers) {
    wzp_relay_shared shared = {0};
    crowd *c = crowd_new(
        &(wzp_relay_cfg){.max_sessions = 3, .workers = 2, .worker = 1, .shared = &shared}, 4);
    atomic_store(&shared.media_sessions, 1); /* of the other one */
    join(c);
    join(c);
    ck_assert(!wzp_relay_join(c->guests[crowd_arrive(c, "hall")].session));
    ck_assert_uint_eq(atomic_load(&shared.media_sessions), 3);
    crowd_leave(c, 0);
    ck_assert_uint_eq(atomic_load(&shared.media_sessions), 2);
    join(c);
    crowd_free(&c);
    ck_assert_uint_eq(atomic_load(&shared.media_sessions), 1);
}
END_TEST

static const struct worker_case {
    const char *sni;
    bool is_first;
} worker_cases[] = {
    {"_signal", true}, {"_federation", true}, {"_probe", true},
    {"call-c1", true}, {"", false},           {"general", false},
};

START_TEST(rooms_have_workers) {
    const struct worker_case *t = &worker_cases[_i];
    unsigned elsewhere = 0;
    for (unsigned workers = 1; workers <= 64; workers++) {
        const unsigned worker = wzp_relay_worker_of(t->sni, workers);
        ck_assert_uint_lt(worker, workers);
        elsewhere += worker != 0;
    }
    ck_assert_msg((elsewhere == 0) == t->is_first, "%s: %u", t->sni, elsewhere);
    ck_assert_uint_eq(wzp_relay_worker_of("", 64), wzp_relay_worker_of("default", 64));
}
END_TEST

START_TEST(rooms_are_spread) {
    unsigned rooms[4] = {0};
    for (unsigned i = 0; i < 1000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "room-%u", i);
        rooms[wzp_relay_worker_of(name, 4)]++;
    }
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_gt(rooms[i], 200);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("update");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_large_room_is_told_in_time);
    tcase_add_test(tc, a_room_that_empties_is_not_told);
    tcase_add_test(tc, max_sessions_holds_for_all_workers);
    tcase_add_loop_test(tc, rooms_have_workers, 0, (int)WZP_COUNT_OF(worker_cases));
    tcase_add_test(tc, rooms_are_spread);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
