/* Presence: few clients through real connections, ten thousand without any. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/testing/crowd.h"

enum { MANY = 10000 };

static bool names(const crowd *c, size_t guest, size_t number) {
    char fingerprint[WZP_FINGERPRINT_TEXT + 1];
    crowd_fingerprint(fingerprint, number);
    return strstr(crowd_list(c, guest), fingerprint) != NULL;
}

static size_t users_in(const char *list) {
    size_t count = 0;
    for (const char *at = list; (at = strstr(at, "\"fingerprint\"")) != NULL; at++) {
        count++;
    }
    return count;
}

static crowd *registered(size_t count, size_t cap) {
    crowd *c = crowd_new(NULL, cap);
    for (size_t i = 0; i < count; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, NULL);
        crowd_pass(c, WZP_MS, true);
    }
    crowd_pass(c, 2 * WZP_S, true);
    crowd_pass(c, 0, true);
    return c;
}

START_TEST(few_hear_at_once) {
    crowd *c = registered(3, 10);
    const size_t d = crowd_arrive(c, "_signal");
    crowd_register(c, d, 3, "Dan \"the\" man");
    crowd_pass(c, 0, false);
    for (size_t i = 0; i <= d; i++) {
        ck_assert_uint_eq(users_in(crowd_list(c, i)), 4);
        ck_assert(names(c, i, 0) && names(c, i, 3));
        ck_assert_ptr_nonnull(strstr(crowd_list(c, i), "\"alias\":\"Dan \\\"the\\\" man\""));
    }
    ck_assert_ptr_nonnull(strstr(c->guests[d].last,
                                 "{\"RegisterPresenceAck\":{\"version\":1,"
                                 "\"success\":true,\"relay_build\":\"unknown\"}}"));
    crowd_pass(c, WZP_S, true);
    crowd_leave(c, 1);
    crowd_pass(c, 0, false);
    ck_assert(names(c, 0, 3) && !names(c, 0, 1));
    ck_assert_uint_eq(c->guests[1].lists, 3); /* two as it came and with the others, none since */
    crowd_free(&c);
}
END_TEST

/* A client that does not acknowledge gets one list, and the latest of all when it does. */
START_TEST(one_list_on_its_way) {
    crowd *c = registered(2, 30);
    for (size_t i = 2; i < 10; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, NULL);
        crowd_pass(c, WZP_S, false);
    }
    const size_t lists = c->guests[0].lists;
    ck_assert_uint_eq(users_in(crowd_list(c, 0)), 3);
    crowd_pass(c, WZP_S, true);
    ck_assert_uint_eq(c->guests[0].lists, lists + 1);
    ck_assert_uint_eq(users_in(crowd_list(c, 0)), 10);
    crowd_pass(c, WZP_S, true);
    ck_assert_uint_eq(c->guests[0].lists, lists + 1);
    crowd_free(&c);
}
END_TEST

START_TEST(name_registered_anew) {
    crowd *c = registered(3, 10);
    const size_t again = crowd_arrive(c, "_signal");
    crowd_register(c, again, 0, "new");
    crowd_pass(c, WZP_S, true);
    const size_t lists = c->guests[0].lists;
    ck_assert_uint_eq(users_in(crowd_list(c, 1)), 3);
    crowd_leave(c, 0); /* the older connection: nothing changes */
    crowd_pass(c, WZP_S, true);
    crowd_register(c, crowd_arrive(c, "_signal"), 7, NULL);
    crowd_pass(c, WZP_S, true);
    ck_assert_uint_eq(c->guests[0].lists, lists);
    ck_assert_uint_eq(users_in(crowd_list(c, again)), 4);
    ck_assert(names(c, again, 0) && names(c, 1, 0));
    crowd_free(&c);
}
END_TEST

/* Ten thousand come within two seconds, and the traffic stays in its bounds; then one more comes
 * and one goes: all know before two seconds are over, by one list each. */
START_TEST(ten_thousand) {
    crowd *c = crowd_new(NULL, MANY + 1);
    const wzp_time began = c->now;
    for (size_t i = 0; i < MANY; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, i % 3 == 0 ? "somebody" : NULL);
        if (i % 10 == 0) {
            crowd_pass(c, 2 * WZP_MS, true);
        }
    }
    const double allowed = (double)WZP_LIMIT_PRESENCE_BYTES +
                           (double)WZP_LIMIT_PRESENCE_RATE * (double)(c->now - began) / 1e9;
    ck_assert_msg((double)c->bytes < 1.3 * allowed, "%.0f bytes", (double)c->bytes);
    for (int i = 0; i < 40; i++) {
        crowd_pass(c, 100 * WZP_MS, true);
    }
    const uint64_t lists = c->relay->metrics.presence_lists;
    const size_t last = crowd_arrive(c, "_signal");
    crowd_register(c, last, MANY, NULL);
    crowd_leave(c, MANY - 1);
    for (int i = 0; i < 19; i++) {
        crowd_pass(c, 100 * WZP_MS, true);
    }
    ck_assert_uint_eq(c->relay->metrics.presence_lists, lists + 1);
    for (size_t i = 0; i <= last; i++) {
        ck_assert(i == MANY - 1 || (names(c, i, MANY) && !names(c, i, MANY - 1)));
    }
    ck_assert_uint_ge(users_in(crowd_list(c, 0)), 15);
    ck_assert_uint_le((uint64_t)c->relay->presence_len * MANY, WZP_LIMIT_PRESENCE_BYTES);
    crowd_free(&c);
}
END_TEST

/* When a list takes long to arrive, the next one waits for that, but not for ever. */
START_TEST(slow_to_arrive) {
    crowd *c = registered(40, 60);
    crowd_register(c, crowd_arrive(c, "_signal"), 40, NULL);
    crowd_pass(c, WZP_S, false);
    const uint64_t lists = c->relay->metrics.presence_lists;
    crowd_register(c, crowd_arrive(c, "_signal"), 41, NULL);
    crowd_pass(c, 2 * WZP_S, false); /* nobody has the one before */
    ck_assert_uint_eq(c->relay->metrics.presence_lists, lists);
    crowd_pass(c, 0, true);
    crowd_pass(c, 10 * WZP_MS, false);
    ck_assert_uint_eq(c->relay->metrics.presence_lists, lists + 1);
    ck_assert(names(c, 0, 41));
    crowd_register(c, crowd_arrive(c, "_signal"), 42, NULL);
    crowd_pass(c, 9 * WZP_S, false);
    ck_assert_uint_eq(c->relay->metrics.presence_lists, lists + 1);
    crowd_pass(c, 2 * WZP_S, false);
    ck_assert_uint_eq(c->relay->metrics.presence_lists, lists + 2);
    crowd_free(&c);
}
END_TEST

/* A few that are slow or dead do not count. */
START_TEST(some_never_acknowledge) {
    crowd *c = registered(3, 40);
    for (size_t i = 3; i < 16; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, NULL);
        crowd_pass(c, 100 * WZP_MS, false);
        ck_assert(names(c, i, i));
    }
    crowd_free(&c);
}
END_TEST

/* A list to many leaves over some time, in packets that do not crowd out media; whoever goes
 * meanwhile is not missed, and whoever comes gets the next one. */
START_TEST(lists_leave_little_by_little) {
    enum { COUNT = 2000 };
    crowd *c = registered(COUNT, COUNT + 2);
    crowd_pass(c, 5 * WZP_S, true);
    const uint64_t sent = c->relay->metrics.presence_sent;
    const uint64_t before = c->bytes;
    crowd_register(c, crowd_arrive(c, "_signal"), COUNT, NULL);
    crowd_pass(c, 0, true);
    uint64_t bytes = c->bytes - before;
    ck_assert_uint_gt(c->relay->metrics.presence_sent, sent);
    for (unsigned ms = 1; c->relay->presence_next != NULL; ms++) {
        const uint64_t allowed = (uint64_t)WZP_LIMIT_PRESENCE_BURST * (ms + 1) / 1000;
        ck_assert_msg(bytes <= allowed + 2 * (uint64_t)c->relay->presence_len,
                      "%llu bytes after %u ms", (unsigned long long)bytes, ms);
        if (ms == 100) {
            crowd_leave(c, (size_t)(c->relay->presence_next->conn - 1)); /* is next */
            crowd_register(c, crowd_arrive(c, "_signal"), COUNT + 1, NULL);
        }
        crowd_pass(c, WZP_MS, true);
        bytes = c->bytes - before;
    }
    ck_assert_uint_ge(bytes, WZP_LIMIT_PRESENCE_BYTES / 2);
    ck_assert_uint_eq(c->relay->metrics.presence_sent, sent + COUNT);
    crowd_pass(c, 2 * WZP_S, true);
    ck_assert_uint_eq(c->relay->metrics.presence_sent, sent + COUNT + COUNT + 1);
    ck_assert(names(c, 0, COUNT + 1));
    crowd_free(&c);
}
END_TEST

/* A driver that comes late makes no burst of what it missed. */
START_TEST(late_driver) {
    enum { COUNT = 2000 };
    crowd *c = registered(COUNT, COUNT + 1);
    crowd_pass(c, 5 * WZP_S, true);
    crowd_register(c, crowd_arrive(c, "_signal"), COUNT, NULL);
    crowd_pass(c, 0, false);
    const uint64_t before = c->bytes;
    wzp_relay_tick(c->relay, c->now + 300 * WZP_MS);
    ck_assert_uint_gt(c->bytes, before);
    ck_assert_uint_le(c->bytes - before,
                      12 * WZP_LIMIT_PRESENCE_BURST / 1000 + c->relay->presence_len);
    ck_assert_ptr_nonnull(c->relay->presence_next);
    crowd_free(&c);
}
END_TEST

START_TEST(names_that_need_escapes) {
    char alias[WZP_LIMIT_ALIAS + 1];
    memset(alias, 1, WZP_LIMIT_ALIAS); /* six bytes each when written */
    alias[WZP_LIMIT_ALIAS] = '\0';
    crowd *c = crowd_new(NULL, 3000);
    for (size_t i = 0; i < 2999; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, alias);
    }
    crowd_pass(c, 2 * WZP_S, false);
    ck_assert_uint_gt(c->guests[0].lists, 0);
    ck_assert(names(c, 0, 2998));
    ck_assert_uint_le((uint64_t)c->relay->presence_len * 2999, WZP_LIMIT_PRESENCE_BYTES);
    crowd_free(&c);
}
END_TEST

START_TEST(full_relay_says_so) {
    crowd *c = crowd_new(NULL, WZP_LIMIT_SIGNAL_CLIENTS + 1);
    for (size_t i = 0; i < WZP_LIMIT_SIGNAL_CLIENTS; i++) {
        crowd_register(c, crowd_arrive(c, "_signal"), i, NULL);
    }
    const size_t one_more = crowd_arrive(c, "_signal");
    crowd_register(c, one_more, WZP_LIMIT_SIGNAL_CLIENTS, NULL);
    ck_assert_ptr_nonnull(
        strstr(c->guests[one_more].last, "\"success\":false,\"error\":\"the relay is full\""));
    ck_assert(!c->guests[one_more].session->is_registered);
    crowd_free(&c);
}
END_TEST

START_TEST(acknowledgement) {
    static const char *const relays[] = {"us-east|203.0.113.5:4433", "peer|[2001:db8::1]:4433"};
    const wzp_relay_cfg cfg = {.build = "abc1234",
                               .region = "eu-west",
                               .available_relays = relays,
                               .available_count = WZP_COUNT_OF(relays)};
    crowd *c = crowd_new(&cfg, 1);
    crowd_register(c, crowd_arrive(c, "_signal"), 0, NULL);
    ck_assert_str_eq(c->guests[0].last,
                     "{\"RegisterPresenceAck\":{\"version\":1,\"success\":true,\"relay_build\":"
                     "\"abc1234\",\"relay_region\":\"eu-west\",\"available_relays\":"
                     "[\"us-east|203.0.113.5:4433\",\"peer|[2001:db8::1]:4433\"]}}");
    crowd_free(&c);
}
END_TEST

START_TEST(strict_identity_wants_proof) {
    const wzp_relay_cfg cfg = {.strict_identity = true};
    crowd *c = crowd_new(&cfg, 1);
    crowd_register(c, crowd_arrive(c, "_signal"), 0, NULL); /* signs nothing */
    ck_assert_ptr_nonnull(strstr(c->guests[0].last, "\"error\":\"the identity is not proven\""));
    ck_assert(!c->guests[0].session->is_registered);
    crowd_free(&c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("presence");
    tcase_add_test(tc, few_hear_at_once);
    tcase_add_test(tc, one_list_on_its_way);
    tcase_add_test(tc, name_registered_anew);
    tcase_add_test(tc, ten_thousand);
    tcase_add_test(tc, slow_to_arrive);
    tcase_add_test(tc, some_never_acknowledge);
    tcase_add_test(tc, lists_leave_little_by_little);
    tcase_add_test(tc, late_driver);
    tcase_add_test(tc, names_that_need_escapes);
    tcase_add_test(tc, full_relay_says_so);
    tcase_add_test(tc, acknowledgement);
    tcase_add_test(tc, strict_identity_wants_proof);
    return wzp_run_suite("presence", tc);
}
