/* Two phones on endpoints that they share with others: what each tells of where it is, to whom, and
 * what it hears. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "phone/phone.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { A, B, PHONES };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

typedef struct handset {
    wzp_endpoint *endpoint;
    wzp_phone *phone;
    wzp_prng prng;
    wzp_addr addr;
    bool answers;
    wzp_accept_mode mode;
    wzp_phone_event set_up, reflexive;
    wzp_call_addresses peer;
    unsigned set_ups, reflexives, paths, updates, ended;
    bool direct_ok;
    uint32_t number; /* of the race that this is about */
    char call_id[64];
    bool is_first_path; /* before the set-up: that would be told in the wrong order */
} handset;

static struct {
    pair_net net;
    handset phones[PHONES];
    wzp_relay *relay;
    wzp_prng prng;
} t;

static void on_event(handset *h, const wzp_phone_event *ev) {
    switch (ev->kind) {
    case WZP_PHONE_INCOMING:
        if (h->answers) {
            ck_assert_int_eq(wzp_phone_answer(h->phone, h->mode), WZP_OK);
        }
        break;
    case WZP_PHONE_SET_UP:
        h->set_ups++;
        (void)snprintf(h->call_id, sizeof h->call_id, "%s", ev->room + strlen("call-"));
        h->set_up = *ev;
        h->peer = *ev->peer;
        break;
    case WZP_PHONE_REFLEXIVE:
        h->reflexives++;
        h->reflexive = *ev;
        break;
    case WZP_PHONE_PATH:
        h->is_first_path |= h->set_ups == 0;
        h->paths++;
        h->direct_ok = ev->direct_ok;
        h->number = ev->number;
        break;
    case WZP_PHONE_UPDATE:
        h->updates++;
        h->peer = *ev->peer;
        break;
    case WZP_PHONE_ENDED:
        h->ended++;
        break;
    case WZP_PHONE_REGISTERED:
    case WZP_PHONE_PRESENCE:
    case WZP_PHONE_RINGING:
    case WZP_PHONE_PROBE:
    case WZP_PHONE_BIRTHDAY:
    case WZP_PHONE_AWAY:
    case WZP_PHONE_CLOSED:
        break;
    }
}

/* The phone's own timers are its user's matter. */
static void after(void *ctx, wzp_time now) {
    handset *h = ctx;
    wzp_phone_event ev;
    const wzp_core core = wzp_phone_core(h->phone);
    core.ops->tick(core.self, now);
    while (wzp_phone_next_event(h->phone, &ev)) {
        on_event(h, &ev);
    }
}

static void start(unsigned i) {
    handset *h = &t.phones[i];
    *h = (handset){.addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + i), 5000)};
    wzp_prng_init(&h->prng, i, "phone");
    const wzp_quic_cfg quic = {.rng = wzp_prng_rng(&h->prng)};
    ck_assert_int_eq(wzp_endpoint_new(&h->endpoint, &quic, t.net.now), WZP_OK);
    const wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&h->prng),
                               .seed = {(uint8_t)(i + 1)},
                               .endpoint = h->endpoint,
                               .path = {h->addr, relay_addr}};
    ck_assert_int_eq(wzp_phone_new(&h->phone, &cfg, t.net.now), WZP_OK);
    const wzp_call_addresses addresses = {.reflexive = wzp_addr_v4(203, 0, 113, (uint8_t)i, 5000),
                                          .mapped = wzp_addr_v4(203, 0, 113, (uint8_t)i, 51413),
                                          .local = {wzp_addr_v4(192, 168, 1, (uint8_t)i, 5000)},
                                          .local_count = 1};
    wzp_phone_set_addresses(h->phone, &addresses);
    pair_add(&t.net, wzp_endpoint_core(h->endpoint), h->addr, after, h);
}

static void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

static void set_up(void) {
    pair_init(&t.net, 1);
    wzp_prng_init(&t.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_relay_core(t.relay), relay_addr, NULL, NULL);
    start(A);
    start(B);
    run(500);
}

static void tear_down(void) {
    pair_clear(&t.net);
    for (unsigned i = 0; i < PHONES; i++) {
        wzp_phone_free(&t.phones[i].phone);
        wzp_endpoint_free(&t.phones[i].endpoint);
    }
    wzp_relay_free(&t.relay);
}

static void talk(wzp_accept_mode mode) {
    t.phones[B].answers = true;
    t.phones[B].mode = mode;
    ck_assert_int_eq(wzp_phone_call(t.phones[A].phone, wzp_phone_fingerprint(t.phones[B].phone)),
                     WZP_OK);
    run(300);
    ck_assert_uint_eq(t.phones[A].set_ups, 1);
    ck_assert_uint_eq(t.phones[B].set_ups, 1);
}

static bool knows(unsigned who, unsigned whom) {
    const wzp_call_addresses *peer = &t.phones[who].peer;
    const wzp_addr reflexive = wzp_addr_v4(203, 0, 113, (uint8_t)whom, 5000);
    const wzp_addr mapped = wzp_addr_v4(203, 0, 113, (uint8_t)whom, 51413);
    const wzp_addr local = wzp_addr_v4(192, 168, 1, (uint8_t)whom, 5000);
    return wzp_addr_equal(&peer->reflexive, &reflexive) && wzp_addr_equal(&peer->mapped, &mapped) &&
           peer->local_count == 1 && wzp_addr_equal(&peer->local[0], &local);
}

START_TEST(who_trusts_each_other_tells) {
    talk(WZP_ACCEPT_TRUSTED);
    ck_assert(knows(A, B) && knows(B, A));
    for (unsigned i = 0; i < PHONES; i++) {
        ck_assert(t.phones[i].set_up.may_be_direct);
        ck_assert(t.phones[i].set_up.peer_is_able);
        ck_assert(t.phones[i].set_up.proven);
    }
}
END_TEST

/* Nat sheet 1.11: a callee that does not trust tells nothing, and uses nothing that it is told. */
START_TEST(who_does_not_trust_tells_nothing) {
    talk(WZP_ACCEPT_GENERIC);
    ck_assert_uint_eq(t.phones[A].peer.reflexive.family, WZP_ADDR_NONE);
    ck_assert_uint_eq(t.phones[A].peer.mapped.family, WZP_ADDR_NONE);
    ck_assert_uint_eq(t.phones[A].peer.local_count, 0);
    ck_assert(!t.phones[A].set_up.may_be_direct);
    ck_assert(!t.phones[B].set_up.may_be_direct);
    wzp_phone_update(t.phones[A].phone, &(wzp_call_addresses){.local_count = 0});
    wzp_phone_update(t.phones[B].phone, &(wzp_call_addresses){.local_count = 0});
    run(300);
    ck_assert_uint_eq(t.phones[A].updates + t.phones[B].updates, 0);
}
END_TEST

START_TEST(reports_cross) {
    talk(WZP_ACCEPT_TRUSTED);
    wzp_phone_report(t.phones[A].phone, 0, true, true);
    run(300);
    ck_assert_uint_eq(t.phones[B].paths, 1);
    ck_assert(t.phones[B].direct_ok);
    wzp_phone_report(t.phones[B].phone, 0, false, false);
    wzp_phone_report(t.phones[A].phone, 0, false, false);
    run(300);
    ck_assert_uint_eq(t.phones[A].paths, 1);
    ck_assert(!t.phones[A].direct_ok);
    ck_assert_uint_eq(t.phones[B].paths, 2);
    ck_assert(!t.phones[B].direct_ok);
    ck_assert(!t.phones[A].is_first_path && !t.phones[B].is_first_path);
}
END_TEST

/* Of later races, with the number of the race in a text that relays leave alone. */
START_TEST(reports_say_of_which_race) {
    static const uint32_t numbers[] = {0, 1, 7, 40, UINT32_MAX};
    talk(WZP_ACCEPT_TRUSTED);
    for (unsigned i = 0; i < WZP_COUNT_OF(numbers); i++) {
        wzp_phone_report(t.phones[A].phone, numbers[i], i % 2 == 0, true);
        run(300);
        ck_assert_uint_eq(t.phones[B].paths, i + 1);
        ck_assert_uint_eq(t.phones[B].number, numbers[i]);
        ck_assert_int_eq(t.phones[B].direct_ok, i % 2 == 0);
    }
}
END_TEST

static void hear_report(const char *winner, bool direct_ok) {
    char json[256];
    (void)snprintf(json, sizeof json,
                   "{\"MediaPathReport\":{\"version\":1,\"call_id\":\"%s\",\"direct_ok\":%s,"
                   "\"race_winner\":\"%s\"}}",
                   t.phones[B].call_id, direct_ok ? "true" : "false", winner);
    wzp_phone_signal(t.phones[B].phone, false, wzp_bytes_str(json), t.net.now);
}

static const struct winner_case {
    const char *winner;
    uint32_t want;
} winners[] = {{"", 0},
               {"Direct", 0},
               {"Direct 1", 1},
               {"Relay 4294967295", UINT32_MAX},
               {"Relay 4294967296", 0},
               {"Relay 99999999999999999999999999999999999999", 0},
               {"Relay 3x", 0},
               {"Relay 3 4", 0},
               {"Relay -1", 0},
               {"Relay ", 0},
               {" 5", 5},
               {"none of these", 0}};

START_TEST(what_names_no_race_is_about_the_first) {
    const struct winner_case *c = &winners[_i];
    talk(WZP_ACCEPT_TRUSTED);
    hear_report(c->winner, true);
    after(&t.phones[B], t.net.now);
    ck_assert_uint_eq(t.phones[B].paths, 1);
    ck_assert_msg(t.phones[B].number == c->want, "\"%s\": %u", c->winner, t.phones[B].number);
}
END_TEST

/* Nothing is lost: who has left stays away, and who is in a later race has left. */
START_TEST(reports_that_come_at_once_are_one) {
    talk(WZP_ACCEPT_TRUSTED);
    hear_report("Relay 1", false);
    hear_report("Direct 1", true);
    after(&t.phones[B], t.net.now);
    ck_assert_uint_eq(t.phones[B].paths, 1);
    ck_assert_uint_eq(t.phones[B].number, 1);
    ck_assert(!t.phones[B].direct_ok);
    hear_report("Direct 2", true);
    hear_report("Relay 1", false);
    after(&t.phones[B], t.net.now);
    ck_assert_uint_eq(t.phones[B].paths, 2);
    ck_assert_uint_eq(t.phones[B].number, 2);
    ck_assert(t.phones[B].direct_ok);
}
END_TEST

START_TEST(no_reports_without_a_call) {
    wzp_phone_report(t.phones[A].phone, 0, true, true);
    talk(WZP_ACCEPT_TRUSTED);
    wzp_phone_hangup(t.phones[A].phone);
    wzp_phone_report(t.phones[A].phone, 0, true, true);
    wzp_phone_update(t.phones[A].phone, &(wzp_call_addresses){.local_count = 0});
    run(300);
    ck_assert_uint_eq(t.phones[B].paths + t.phones[B].updates, 0);
    ck_assert_uint_eq(t.phones[B].ended, 1);
}
END_TEST

START_TEST(somebody_moves) {
    talk(WZP_ACCEPT_TRUSTED);
    const wzp_call_addresses fresh = {.reflexive = wzp_addr_v4(192, 0, 2, 7, 7000)};
    wzp_phone_update(t.phones[A].phone, &fresh);
    run(300);
    ck_assert_uint_eq(t.phones[B].updates, 1);
    ck_assert(wzp_addr_equal(&t.phones[B].peer.reflexive, &fresh.reflexive));
    ck_assert_uint_eq(t.phones[B].peer.local_count, 0);
    wzp_phone_update(t.phones[A].phone, &fresh);
    run(300);
    ck_assert_uint_eq(t.phones[B].updates, 2); /* each has a number of its own */
}
END_TEST

static void update(unsigned who) {
    wzp_phone_update(t.phones[who].phone,
                     &(wzp_call_addresses){.reflexive = wzp_addr_v4(192, 0, 2, 7, 7000)});
}

static void expect_pair(uint32_t number) {
    for (unsigned i = 0; i < PHONES; i++) {
        ck_assert_uint_eq(wzp_phone_pair(t.phones[i].phone), number);
        ck_assert(!wzp_phone_owes_update(t.phones[i].phone));
    }
}

START_TEST(an_update_and_its_answer_are_a_pair) {
    talk(WZP_ACCEPT_TRUSTED);
    for (unsigned n = 1; n < 6; n++) {
        const unsigned first = n % 2;
        update(first);
        run(300);
        ck_assert_uint_eq(wzp_phone_pair(t.phones[first].phone), 0);
        ck_assert(wzp_phone_owes_update(t.phones[1 - first].phone));
        update(1 - first);
        run(300);
        expect_pair(n);
    }
}
END_TEST

START_TEST(updates_that_cross_are_a_pair) {
    talk(WZP_ACCEPT_TRUSTED);
    update(A);
    update(B);
    run(300);
    expect_pair(1);
    update(A);
    update(A);
    update(B);
    run(300);
    ck_assert_uint_eq(wzp_phone_pair(t.phones[A].phone), 0);
    ck_assert(wzp_phone_owes_update(t.phones[B].phone));
    update(B);
    run(300);
    expect_pair(3);
}
END_TEST

static uint64_t stale_updates(unsigned who) {
    wzp_phone_counters counters;
    wzp_phone_count(t.phones[who].phone, &counters);
    return counters.stale_updates;
}

/* Whoever says it again may have missed the answer. */
START_TEST(an_update_that_comes_again_is_answered_again) {
    talk(WZP_ACCEPT_TRUSTED);
    wzp_phone_update_again(t.phones[A].phone); /* nothing to say yet */
    update(A);
    run(300);
    ck_assert_uint_eq(stale_updates(B), 0);
    wzp_phone_update_again(t.phones[A].phone); /* there is no answer yet */
    run(300);
    ck_assert_uint_eq(stale_updates(B), 1);
    ck_assert_uint_eq(t.phones[A].updates, 0);
    update(B);
    run(300);
    for (unsigned n = 2; n < 5; n++) {
        wzp_phone_update_again(t.phones[A].phone);
        run(300);
        ck_assert_uint_eq(stale_updates(B), n);
        ck_assert_uint_eq(stale_updates(A), 1); /* once, and that is not answered */
    }
    expect_pair(1);
    ck_assert_uint_eq(t.phones[A].updates + t.phones[B].updates, 2);
}
END_TEST

/* Who counts to the end has said enough: there is no number to answer the next one with. */
START_TEST(numbers_do_not_begin_again) {
    char json[256];
    talk(WZP_ACCEPT_TRUSTED);
    (void)snprintf(json, sizeof json,
                   "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"%s\",\"generation\":%u}}",
                   t.phones[B].call_id, UINT32_MAX);
    wzp_phone_signal(t.phones[B].phone, false, wzp_bytes_str(json), t.net.now);
    update(B);
    update(B);
    run(300);
    ck_assert_uint_eq(t.phones[A].updates, 1);
    ck_assert_uint_eq(wzp_phone_pair(t.phones[B].phone), UINT32_MAX);
}
END_TEST

START_TEST(the_relay_says_how_it_sees_us) {
    wzp_phone_reflect(t.phones[A].phone, t.net.now);
    run(300);
    ck_assert_uint_eq(t.phones[A].reflexives, 1);
    ck_assert(wzp_addr_equal(&t.phones[A].reflexive.observed, &t.phones[A].addr));
    run(2000);
    ck_assert_uint_eq(t.phones[A].reflexives, 1);
    ck_assert_uint_eq(t.phones[B].reflexives, 0);
}
END_TEST

/* It is gone, or is too old to know the question. */
START_TEST(the_relay_says_nothing) {
    t.net.cut[0] = true;
    wzp_phone_reflect(t.phones[A].phone, t.net.now);
    const wzp_core core = wzp_phone_core(t.phones[A].phone);
    ck_assert_uint_eq(core.ops->deadline(core.self), t.net.now + WZP_PHONE_REFLECT_LIMIT);
    run(900);
    ck_assert_uint_eq(t.phones[A].reflexives, 0);
    run(200);
    after(&t.phones[A], t.net.now);
    ck_assert_uint_eq(t.phones[A].reflexives, 1);
    ck_assert_uint_eq(t.phones[A].reflexive.observed.family, WZP_ADDR_NONE);
    t.net.cut[0] = false; /* and the answer, which comes after all, is nobody's */
    run(3000);
    ck_assert_uint_eq(t.phones[A].reflexives, 1);
}
END_TEST

static const char *const no_places[] = {"224.0.0.1:5000",    "0.0.0.0:5000",   "203.0.113.1:0",
                                        "255.255.255.255:9", "[ff02::1]:5000", "nowhere"};

START_TEST(the_relay_names_no_place) {
    char json[160];
    wzp_phone_reflect(t.phones[A].phone, t.net.now);
    (void)snprintf(json, sizeof json,
                   "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"%s\"}}", no_places[_i]);
    wzp_phone_signal(t.phones[A].phone, false, wzp_bytes_str(json), t.net.now);
    after(&t.phones[A], t.net.now);
    ck_assert_uint_eq(t.phones[A].reflexives, 1);
    ck_assert_uint_eq(t.phones[A].reflexive.observed.family, WZP_ADDR_NONE);
    const wzp_call_refused *refused = wzp_phone_refused_addresses(t.phones[A].phone);
    ck_assert_uint_eq(refused->unusable + refused->unreadable, 1);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("phone_paths");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, who_trusts_each_other_tells);
    tcase_add_test(tc, who_does_not_trust_tells_nothing);
    tcase_add_test(tc, reports_cross);
    tcase_add_test(tc, reports_say_of_which_race);
    tcase_add_loop_test(tc, what_names_no_race_is_about_the_first, 0, WZP_COUNT_OF(winners));
    tcase_add_test(tc, reports_that_come_at_once_are_one);
    tcase_add_test(tc, no_reports_without_a_call);
    tcase_add_test(tc, somebody_moves);
    tcase_add_test(tc, an_update_and_its_answer_are_a_pair);
    tcase_add_test(tc, updates_that_cross_are_a_pair);
    tcase_add_test(tc, an_update_that_comes_again_is_answered_again);
    tcase_add_test(tc, numbers_do_not_begin_again);
    tcase_add_test(tc, the_relay_says_how_it_sees_us);
    tcase_add_test(tc, the_relay_says_nothing);
    tcase_add_loop_test(tc, the_relay_names_no_place, 0, WZP_COUNT_OF(no_places));
    return wzp_run_suite("client.phone_paths", tc);
}
