/* Relays that are dialled, dropped, lost and dialled again in a call, and the end of it. */
#include "client/testing/links.h"

#include "base/testing/suite.h"

/* --- the relay comes and goes ----------------------------------------------------------------- */

/* A dropped relay is told, and tells nothing any more. */
START_TEST(dropped_while_it_is_dialled_and_while_it_is_up) {
    links_call *c = links_begin_waiting();
    wzp_quic_counters counters;
    links_dial_relay(c);
    links_run(c, (uint64_t)_i * 5); /* up to 75 ms: the handshake takes less */
    wzp_client_drop_relay(c->a.client, c->net.now);
    const uint32_t told = c->a.joined + c->a.rooms;
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    links_run(c, 3000);
    ck_assert_uint_eq(c->a.joined + c->a.rooms, told);
    ck_assert_uint_eq(c->a.hangups + c->a.closed + c->a.lost, 0);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_eq(counters.conns, 0);
    wzp_client_drop_relay(c->a.client, c->net.now); /* there is none */
    ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) == WZP_OK);
    links_run(c, 400);
    links_take_relay(c);
    links_run(c, 3000);
    links_check_both(c, 100);
    links_end(c);
}
END_TEST

/* Here the other side plays a relay that never answers. */
START_TEST(a_dropped_relay_is_told_why) {
    links_call *c = links_begin_waiting();
    ck_assert(wzp_client_dial_relay(c->a.client, &c->b.addr, c->net.now) == WZP_OK);
    links_run(c, 200);
    wzp_client_drop_relay(c->a.client, c->net.now);
    links_run(c, 200);
    ck_assert(c->b.direct != 0);
    ck_assert_uint_eq(c->b.close.kind, WZP_QUIC_CLOSE_PEER_APP);
    ck_assert_uint_eq(c->b.close.code, 0);
    ck_assert_str_eq(c->b.close.reason, "not-selected");
    links_end(c);
}
END_TEST

START_TEST(nobody_answers) {
    const wzp_addr nobody = wzp_addr_v4(10, 0, 0, 9, 4433);
    links_call *c = links_begin_waiting();
    const char *why = NULL;
    ck_assert(wzp_client_dial_relay(c->a.client, &nobody, c->net.now) == WZP_OK);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DIALLING);
    ck_assert_str_eq(why, "");
    links_run(c, 11000);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DOWN);
    ck_assert_str_eq(why, "no answer (code 0x0)");
    ck_assert_uint_eq(c->a.closed + c->a.lost, 0);
    ck_assert(wzp_client_dial_relay(c->a.client, &(wzp_addr){0}, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    links_end(c);
}
END_TEST

/* The call goes on: sound is still asked for, and heard again when the relay is back. */
START_TEST(a_relay_that_is_lost_is_dialled_again) {
    links_call *c = links_begin_waiting();
    wzp_client_stats stats;
    links_dial_relay(c);
    links_take_relay(c);
    links_run(c, 2000);
    c->net.cut[LINKS_RELAY] = c->net.deaf[LINKS_RELAY] = true;
    links_run(c, 33000);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_DOWN &&
              links_relay_of(&c->b) == links_relay_of(&c->a));
    ck_assert_uint_eq(c->a.lost, 1);
    ck_assert_uint_eq(c->a.closed + c->a.back, 0);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_gt(stats.unsent, 0);
    c->net.cut[LINKS_RELAY] = c->net.deaf[LINKS_RELAY] = false;
    links_dial_relay(c);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_DIALLING);
    links_run(c, 1000);
    const uint32_t from = c->b.pushed;
    links_run(c, 2000);
    ck_assert_uint_eq(c->a.joined, 2);
    ck_assert_uint_eq(c->a.back, 1);
    ck_assert_uint_gt(c->a.pushed, 1800); /* through all of it, one every 20 ms */
    ck_assert_uint_eq(c->a.wrong, 0);
    for (uint32_t i = from; i < from + 80; i++) {
        ck_assert_msg(c->a.heard[i] == 1, "frame %u", i);
    }
    links_end(c);
}
END_TEST

/* Until the relay is there the direct connection is used, if it works; then what is said is lost
 * for as long as that takes. */
START_TEST(to_a_relay_that_is_not_there_yet) {
    links_call *c = links_begin_waiting();
    links_connect(c);
    links_take_direct(c);
    links_run(c, 1000);
    links_take_relay(c);
    links_run(c, 1000);
    links_dial_relay(c);
    links_run(c, 1000);
    links_check_both(c, c->a.pushed - 10);
    ck_assert_uint_eq(c->a.concealed, 0);
    ck_assert(wzp_quic_is_confirmed(wzp_endpoint_quic(c->a.endpoint), c->a.direct));
    links_end(c);
}
END_TEST

START_TEST(a_direct_path_that_is_gone_loses_what_is_said_until_the_relay_is_there) {
    links_call *c = links_begin_waiting();
    wzp_client_stats stats;
    links_connect(c);
    links_take_direct(c);
    links_run(c, 1000);
    wzp_quic_close(wzp_endpoint_quic(c->a.endpoint), c->a.direct, 0, "gone", c->net.now);
    links_run(c, 200);
    links_take_relay(c);
    links_dial_relay(c);
    links_run(c, 1000);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_ge(stats.unsent, 10);
    ck_assert_uint_le(stats.unsent, 18);
    ck_assert_uint_eq(c->a.wrong + c->b.wrong, 0);
    ck_assert_uint_le(c->b.packets + stats.unsent, c->a.pushed + 1);
    ck_assert_uint_ge(c->b.packets + stats.unsent + 3, c->a.pushed); /* under way */
    ck_assert_uint_eq(c->b.last_seq - c->b.first_seq + 1, c->b.packets + stats.unsent);
    links_end(c);
}
END_TEST

START_TEST(a_relay_that_hangs_up_ends_nothing_else) {
    static const char json[] = "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}";
    links_call *c = links_begin_waiting();
    const char *why = NULL;
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    links_take_direct(c);
    wzp_client_signal(c->a.client, false, wzp_bytes_str(json), c->net.now);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DOWN);
    ck_assert_str_eq(why, "Busy");
    if (_i == 0) { /* else once it has gone by itself */
        ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) == WZP_OK);
    }
    links_run(c, 2000);
    ck_assert_uint_eq(c->a.hangups, 1);
    ck_assert_str_eq(c->a.text, "Busy");
    ck_assert_uint_eq(c->a.closed, 0);
    links_check_both(c, 90);
    ck_assert(_i == 0 || links_relay_of(&c->a) == WZP_CLIENT_RELAY_DOWN);
    ck_assert(_i == 0 ||
              wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) == WZP_OK);
    links_run(c, 500);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_UP);
    ck_assert_uint_eq(c->a.joined, 2);
    links_end(c);
}
END_TEST

/* --- the end ---------------------------------------------------------------------------------- */

static void wait_for_relay(links_call *c) {
    links_dial_relay(c);
    links_run(c, 400);
}

static void speak(links_call *c) {
    wait_for_relay(c);
    links_take_relay(c);
    links_run(c, 400);
}

static void speak_directly(links_call *c) {
    wait_for_relay(c);
    links_connect(c);
    links_take_direct(c);
    links_run(c, 400);
}

static void lose_relay(links_call *c) {
    speak(c);
    c->net.cut[LINKS_RELAY] = true;
    links_run(c, 32000);
}

static void drop(links_call *c) {
    speak(c);
    wzp_client_drop_relay(c->a.client, c->net.now);
}

static void hang_up(links_call *c) {
    speak(c);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_directly(links_call *c) {
    speak_directly(c);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_a_dial(links_call *c) {
    links_dial_relay(c);
    links_run(c, 10);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_nothing(links_call *c) {
    wzp_client_hangup(c->a.client, c->net.now);
}

static void linger(links_call *c) {
    speak(c);
    links_connect(c);
    links_take_direct(c);
    wzp_client_drop_relay(c->a.client, c->net.now);
}

static void (*const states[])(links_call *c) = {
    linger,         hang_up_nothing, links_dial_relay, wait_for_relay,   speak,         drop,
    speak_directly, lose_relay,      hang_up,          hang_up_directly, hang_up_a_dial};

/* In whatever state: nothing is asked for after it, and nothing is kept alive for nobody. */
START_TEST(it_may_be_freed_at_any_time) {
    links_call *c = links_begin_waiting();
    wzp_quic_counters counters;
    states[_i](c);
    wzp_client_free(&c->a.client);
    c->net.cut[LINKS_RELAY] = false;
    links_run(c, 2000);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_le(counters.conns, c->a.direct != 0 ? 1 : 0); /* is not the client's */
    links_end(c);
}
END_TEST

/* And so may the endpoint. */
START_TEST(it_may_lose_its_endpoint_at_any_time) {
    links_call *c = links_begin_waiting();
    wzp_client_stats before;
    wzp_client_stats stats;
    states[_i](c);
    wzp_client_count(c->a.client, &before);
    wzp_client_detach(c->a.client);
    c->net.hosts = 0;
    wzp_endpoint_free(&c->a.endpoint);
    const wzp_core core = wzp_client_core(c->a.client);
    core.ops->tick(core.self, c->net.now);
    wzp_client_drop_relay(c->a.client, c->net.now);
    wzp_client_hangup(c->a.client, c->net.now);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.rtt != 0, before.rtt != 0);
    ck_assert(wzp_client_push_coded(c->a.client, wzp_bytes_str("x"), c->net.now) == WZP_ERR_CLOSED);
    links_end(c);
}
END_TEST

static void (*const ends[])(links_call *c) = {drop, lose_relay, hang_up, hang_up_directly};

/* Who hears that a call is over asks how it was. */
START_TEST(how_the_way_was_is_known_when_it_is_gone) {
    links_call *c = links_begin_waiting();
    wzp_client_stats stats;
    ends[_i](c);
    links_run(c, 2000);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_ge(stats.rtt, 2 * c->net.delay);
    ck_assert_uint_le(stats.rtt, 4 * c->net.delay);
    ck_assert_double_eq(stats.rtt_ms, (double)stats.rtt / 1e6);
    ck_assert_uint_eq(stats.expired != 0, ends[_i] == lose_relay);
    links_end(c);
}
END_TEST

START_TEST(after_a_hangup_nothing_can_be_begun) {
    links_call *c = links_begin_waiting();
    speak(c);
    links_connect(c);
    const uint32_t pushed = c->a.pushed;
    wzp_client_hangup(c->a.client, c->net.now);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    links_take_direct(c);
    wzp_client_take_relay(c->a.client, c->net.now);
    links_run(c, 1000);
    ck_assert_uint_eq(c->a.pushed, pushed);
    ck_assert_uint_eq(c->a.closed + c->a.hangups + c->a.lost, 0);
    links_end(c);
}
END_TEST

START_TEST(who_waits_needs_an_endpoint) {
    wzp_client *client = NULL;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "client");
    const wzp_client_cfg cfg = {
        .rng = wzp_prng_rng(&prng), .codec = WZP_CODEC_OPUS_24K, .waits = true};
    ck_assert(wzp_client_new(&client, &cfg, WZP_S) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, dropped_while_it_is_dialled_and_while_it_is_up, 0, 16);
    tcase_add_test(tc, a_dropped_relay_is_told_why);
    tcase_add_test(tc, nobody_answers);
    tcase_add_test(tc, a_relay_that_is_lost_is_dialled_again);
    tcase_add_test(tc, to_a_relay_that_is_not_there_yet);
    tcase_add_test(tc, a_direct_path_that_is_gone_loses_what_is_said_until_the_relay_is_there);
    tcase_add_loop_test(tc, a_relay_that_hangs_up_ends_nothing_else, 0, 2);
    tcase_add_loop_test(tc, how_the_way_was_is_known_when_it_is_gone, 0, WZP_COUNT_OF(ends));
    tcase_add_loop_test(tc, it_may_be_freed_at_any_time, 0, WZP_COUNT_OF(states));
    tcase_add_loop_test(tc, it_may_lose_its_endpoint_at_any_time, 0, WZP_COUNT_OF(states));
    tcase_add_test(tc, after_a_hangup_nothing_can_be_begun);
    tcase_add_test(tc, who_waits_needs_an_endpoint);
    return wzp_run_suite("links_relay", tc);
}
