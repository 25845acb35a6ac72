/* Bearer tokens through real connections; the test is the service. */
#include <ctype.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/limits.h"
#include "relay/testing/stage.h"

static const wzp_relay_cfg with_auth = {.auth = true};

static const char name[] = "0123:4567:89ab:cdef:0123:4567:89ab:cdef";

static void show(guest *g, const char *token) {
    const wzp_signal signal = {
        .kind = WZP_SIGNAL_AUTH_TOKEN, .version = 1, .u.AuthToken.token = wzp_bytes_str(token)};
    guest_tell(g, &signal);
    stage_run(g->stage, 100);
}

/* The one open question; its token must be this. */
static uint64_t asked(stage *st, const char *token) {
    wzp_relay_auth question;
    ck_assert(wzp_relay_next_auth(st->relay, &question));
    ck_assert(wzp_bytes_equal(question.token, wzp_bytes_str(token)));
    ck_assert_uint_gt(question.deadline, st->net.now);
    ck_assert_uint_le(question.deadline, st->net.now + 5 * WZP_S);
    const uint64_t id = question.id;
    ck_assert(!wzp_relay_next_auth(st->relay, &question));
    return id;
}

static void answer(stage *st, uint64_t id, wzp_auth_verdict verdict, const char *identity) {
    wzp_relay_auth_result(st->relay, id, verdict, identity, st->net.now);
    stage_run(st, 200);
}

START_TEST(accepted_before_the_offer) {
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "room");
    show(g, "t1");
    answer(st, asked(st, "t1"), WZP_AUTH_ACCEPTED, name);
    guest_offer(g, NULL);
    stage_run(st, 200);
    ck_assert_uint_eq(guest_count(g, "CallAnswer"), 1);
    ck_assert_ptr_nonnull(strstr(guest_heard(g, "RoomUpdate", 0)->text, name));
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"ok\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"fail\"}"), 0);
    stage_free(&st);
}
END_TEST

/* Clients do not wait: nothing on the wire answers a token. */
START_TEST(offer_is_held_until_the_answer) {
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "room");
    show(g, "t1");
    guest_offer(g, NULL);
    stage_run(st, 1000);
    ck_assert_uint_eq(guest_count(g, "CallAnswer"), 0);
    answer(st, asked(st, "t1"), WZP_AUTH_ACCEPTED, name);
    ck_assert_uint_eq(guest_count(g, "CallAnswer"), 1);
    ck_assert_ptr_nonnull(strstr(guest_heard(g, "RoomUpdate", 0)->text, name));
    stage_free(&st);
}
END_TEST

START_TEST(signal_connections_show_one_too) {
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "_signal");
    show(g, "t1");
    guest_register(g, "Ann");
    stage_run(st, 200);
    ck_assert_uint_eq(g->signal_count, 0);
    answer(st, asked(st, "t1"), WZP_AUTH_ACCEPTED, name);
    ck_assert_uint_eq(guest_count(g, "RegisterPresenceAck"), 1);
    ck_assert_ptr_nonnull(strstr(guest_heard(g, "PresenceList", 0)->text, name));
    /* As deployed these are not attempts. */
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"ok\"}"), 0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_results_total{verdict=\"accepted\"}"), 1);
    stage_free(&st);
}
END_TEST

static const struct refusal {
    const char *name;
    wzp_auth_verdict verdict;
    const char *identity, *reason, *metric;
} refusals[] = {
    {"unknown token", WZP_AUTH_REFUSED, NULL, "token check: refused", "refused"},
    {"no answer in time", WZP_AUTH_TIMEOUT, NULL, "token check: timeout", "timeout"},
    {"service is down", WZP_AUTH_UNREACHABLE, NULL, "token check: unreachable", "unreachable"},
    {"service fails", WZP_AUTH_BAD_STATUS, NULL, "token check: bad status", "bad status"},
    {"service talks nonsense", WZP_AUTH_BAD_ANSWER, NULL, "token check: bad answer", "bad answer"},
    {"no name", WZP_AUTH_ACCEPTED, NULL, "token check: bad answer", "bad answer"},
    {"empty name", WZP_AUTH_ACCEPTED, "", "token check: bad answer", "bad answer"},
    {"name with a line end", WZP_AUTH_ACCEPTED, "a\nb", "token check: bad answer", "bad answer"},
};

START_TEST(refused) {
    const struct refusal *c = &refusals[_i];
    char metric[96];
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "room");
    show(g, "t1");
    guest_offer(g, NULL);
    stage_run(st, 100);
    answer(st, asked(st, "t1"), c->verdict, c->identity);
    ck_assert_msg(g->closed, "%s: still open", c->name);
    ck_assert_uint_eq(g->close.code, 0);
    ck_assert_str_eq(g->close.reason, c->reason);
    ck_assert_uint_eq(g->signal_count, 0);
    (void)snprintf(metric, sizeof metric, "wzp_relay_auth_results_total{verdict=\"%s\"}",
                   c->metric);
    ck_assert_int_eq(stage_metric(st, metric), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_attempts_total{result=\"fail\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_pending"), 0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 0);
    stage_free(&st);
}
END_TEST

static const struct first_signal {
    const char *sni, *json; /* NULL: a valid CallOffer */
} first_signals[] = {
    {"room", NULL},
    {"room", "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}"},
    {"room", "not json"},
    {"room", "{\"AuthToken\":{\"version\":1,\"token\":7}}"},
    {"_signal", "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}"},
};

START_TEST(something_else_first) {
    const struct first_signal *c = &first_signals[_i];
    wzp_relay_auth question;
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, c->sni);
    if (c->json != NULL) {
        guest_say(g, c->json);
    } else {
        guest_offer(g, NULL);
    }
    show(g, "t1"); /* too late */
    ck_assert(g->closed);
    ck_assert_str_eq(g->close.reason, "token expected");
    ck_assert_uint_eq(g->signal_count, 0);
    ck_assert(!wzp_relay_next_auth(st->relay, &question));
    stage_free(&st);
}
END_TEST

START_TEST(timers) {
    stage *st = stage_new(&with_auth);
    const guest *silent = stage_guest(st, "room");
    guest *asking = stage_guest(st, "room");
    show(asking, "t1");
    const uint64_t id = asked(st, "t1");
    stage_run(st, 4500);
    ck_assert(!asking->closed);
    stage_run(st, 1000);
    ck_assert(asking->closed);
    ck_assert_str_eq(asking->close.reason, "token check: timeout");
    ck_assert(!silent->closed);
    stage_run(st, 5000);
    ck_assert(silent->closed);
    answer(st, id, WZP_AUTH_ACCEPTED, name); /* comes too late */
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_results_total{verdict=\"timeout\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_results_total{verdict=\"accepted\"}"), 0);
    stage_free(&st);
}
END_TEST

START_TEST(answers_that_nobody_waits_for) {
    stage *st = stage_new(&with_auth);
    guest *a = stage_guest(st, "room");
    guest *b = stage_guest(st, "room");
    show(a, "ta");
    const uint64_t id = asked(st, "ta");
    guest_leave(a);
    stage_run(st, 100);
    show(b, "tb");
    answer(st, id, WZP_AUTH_ACCEPTED, name);
    answer(st, 0, WZP_AUTH_ACCEPTED, name);
    answer(st, 99, WZP_AUTH_ACCEPTED, name);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_pending"), 1);
    const uint64_t own = asked(st, "tb");
    answer(st, own, WZP_AUTH_ACCEPTED, name);
    answer(st, own, WZP_AUTH_REFUSED, NULL); /* it was answered */
    ck_assert(!b->closed);
    stage_free(&st);
}
END_TEST

START_TEST(limits) {
    static char token[WZP_LIMIT_TOKEN + 2];
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "room");
    memset(token, 'x', sizeof token - 1);
    show(g, token + 1);
    ck_assert(!g->closed); /* the longest */
    g = stage_guest(st, "room");
    show(g, token);
    ck_assert(g->closed);
    ck_assert_str_eq(g->close.reason, "token not checked");
    g = stage_guest(st, "room");
    show(g, "t");
    for (int i = 0; i < WZP_LIMIT_HELD; i++) {
        guest_offer(g, NULL);
    }
    stage_run(st, 200);
    ck_assert(!g->closed);
    guest_offer(g, NULL);
    stage_run(st, 200);
    ck_assert_str_eq(g->close.reason, "too much before the token was checked");
    g = stage_guest(st, "_signal");
    show(g, "t");
    static char alias[WZP_LIMIT_HELD_BYTES];
    memset(alias, 'a', sizeof alias - 1);
    guest_register(g, alias);
    stage_run(st, 500);
    ck_assert_str_eq(g->close.reason, "too much before the token was checked");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_over_limit_total"), 3);
    stage_free(&st);
}
END_TEST

START_TEST(too_many_questions) {
    wzp_quic_conn conns[WZP_LIMIT_AUTH_PENDING];
    wzp_relay_cfg cfg = with_auth;
    cfg.max_handshakes = 2 * WZP_LIMIT_AUTH_PENDING;
    stage *st = stage_new(&cfg);
    guest *g = stage_guest(st, "room"); /* its endpoint dials for all */
    for (size_t i = 0; i < WZP_LIMIT_AUTH_PENDING; i++) {
        const wzp_quic_dial dial = {.path = {g->addr, st->relay_addr}, .sni = "room"};
        ck_assert(wzp_quic_connect(g->quic, &dial, st->net.now, &conns[i]) == WZP_OK);
    }
    stage_run(st, 200);
    for (size_t i = 0; i < WZP_LIMIT_AUTH_PENDING; i++) {
        g->conn = conns[i];
        guest_say(g, "{\"AuthToken\":{\"version\":1,\"token\":\"t\"}}");
    }
    stage_run(st, 200);
    ck_assert(!g->closed);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_auth_pending"), WZP_LIMIT_AUTH_PENDING);
    guest *last = stage_guest(st, "room");
    show(last, "t");
    ck_assert_str_eq(last->close.reason, "token not checked");
    stage_free(&st);
}
END_TEST

/* With strict identities a token speaks for its owner only, however its name is written. */
START_TEST(strict_identity) {
    static const struct {
        bool strict, upper, own, admitted;
    } cases[] = {
        {false, false, false, true},
        {true, false, false, false},
        {true, true, true, true},
        {true, false, true, true},
    };
    wzp_relay_cfg cfg = with_auth;
    cfg.strict_identity = cases[_i].strict;
    stage *st = stage_new(&cfg);
    guest *g = stage_guest(st, _i % 2 == 0 ? "room" : "_signal");
    char identity[WZP_FINGERPRINT_TEXT + 1] = "";
    const char *from = cases[_i].own ? g->identity.fingerprint : name;
    for (size_t len = 0; *from != '\0'; from++) {
        if (!cases[_i].upper) {
            identity[len++] = *from;
        } else if (*from != ':') {
            identity[len++] = (char)toupper((unsigned char)*from);
        }
    }
    show(g, "t");
    answer(st, asked(st, "t"), WZP_AUTH_ACCEPTED, identity);
    if (_i % 2 == 0) {
        guest_offer(g, NULL);
    } else {
        guest_register(g, NULL);
    }
    stage_run(st, 300);
    ck_assert_int_eq(!g->closed, cases[_i].admitted);
    stage_free(&st);
}
END_TEST

START_TEST(probes_need_none) {
    stage *st = stage_new(&with_auth);
    guest *g = stage_guest(st, "_probe");
    guest_say(g, "{\"Ping\":{\"version\":1,\"timestamp_ms\":42}}");
    stage_run(st, 100);
    ck_assert_uint_eq(guest_count(g, "Pong"), 1);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("auth");
    tcase_add_test(tc, accepted_before_the_offer);
    tcase_add_test(tc, offer_is_held_until_the_answer);
    tcase_add_test(tc, signal_connections_show_one_too);
    tcase_add_loop_test(tc, refused, 0, (int)WZP_COUNT_OF(refusals));
    tcase_add_loop_test(tc, something_else_first, 0, (int)WZP_COUNT_OF(first_signals));
    tcase_add_test(tc, timers);
    tcase_add_test(tc, answers_that_nobody_waits_for);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, too_many_questions);
    tcase_add_loop_test(tc, strict_identity, 0, 4);
    tcase_add_test(tc, probes_need_none);
    return wzp_run_suite("auth", tc);
}
