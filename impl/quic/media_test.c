/* Media in both directions: what they are worth after a hole, how they are acknowledged, and what
 * that costs. */
#include "quic/testing/two_ends.h"

static void send_voice(side *s) {
    static const uint8_t frame[76];
    ck_assert(wzp_quic_send_datagram(s->q, s->conn, wzp_bytes_of(frame, sizeof frame)) == WZP_OK);
}

/* Both sides speak: a frame of a coded voice every 20 ms. */
static void talk(fixture *f, uint64_t ms) {
    for (uint64_t at = 0; at < ms; at += 20) {
        send_voice(&f->client);
        send_voice(&f->server);
        run(f, 20);
    }
}

static fixture *talking(uint64_t lifetime) {
    fixture *f = setup_with((wzp_quic_cfg){.datagram_lifetime = lifetime}, 1);
    dial(f, "room", NULL);
    run(f, 500);
    talk(f, 20000);
    ck_assert_uint_eq(f->client.datagrams, 1000);
    ck_assert_uint_eq(f->server.datagrams, 1000);
    return f;
}

static const struct hole_case {
    const char *name;
    uint64_t lifetime_ms, hole_ms;
    bool stale; /* what could not leave in the hole comes after it */
} hole_cases[] = {
    {"5 s", 200, 5000, false},
    {"10 s", 200, 10000, false},
    {"27 s, almost the idle timeout", 200, 27000, false},
    {"10 s, and datagrams live for ever", 0, 10000, true},
};

START_TEST(media_flow_again_after_a_hole) {
    const struct hole_case *c = &hole_cases[_i];
    fixture *f = talking(c->lifetime_ms * WZP_MS);
    f->net.loss_ppm = 1000000;
    talk(f, c->hole_ms);
    f->net.loss_ppm = 0;
    /* One probe is due within 200 ms; what it brings back takes a round trip. */
    talk(f, 300);
    const unsigned before[] = {f->client.datagrams, f->server.datagrams};
    talk(f, 5000);
    wzp_quic_stats stats;
    ck_assert(wzp_quic_conn_stats(f->client.q, f->client.conn, &stats));
    for (unsigned i = 0; i < WZP_COUNT_OF(before); i++) {
        const unsigned after = i == 0 ? f->client.datagrams : f->server.datagrams;
        ck_assert_msg(c->stale != (after - before[i] == 250), "%s: %u datagrams in 5 s", c->name,
                      after - before[i]);
        ck_assert_msg(c->stale || (before[i] > 1000 && before[i] <= 1000 + 15),
                      "%s: %u datagrams within 300 ms", c->name, before[i] - 1000);
    }
    wzp_quic_counters counters;
    wzp_quic_count(f->client.q, &counters);
    ck_assert_uint_eq(counters.datagrams_expired, stats.datagrams_expired);
    ck_assert_uint_eq(stats.datagrams_expired != 0, !c->stale && c->hole_ms > 5000);
    teardown(f);
}
END_TEST

/* Half of what a listener would send otherwise. */
START_TEST(media_are_acknowledged_in_pairs) {
    fixture *f = setup_with((wzp_quic_cfg){.datagram_lifetime = 200 * WZP_MS}, 1);
    dial(f, "room", NULL);
    run(f, 2000);
    wzp_quic_stats before;
    wzp_quic_stats after;
    ck_assert(wzp_quic_conn_stats(f->server.q, f->server.conn, &before));
    for (unsigned i = 0; i < 100; i++) {
        send_voice(&f->client);
        run(f, 20);
    }
    ck_assert_uint_eq(f->server.datagrams, 100);
    ck_assert(wzp_quic_conn_stats(f->server.q, f->server.conn, &after));
    ck_assert_uint_ge(after.packets_sent - before.packets_sent, 45);
    ck_assert_uint_le(after.packets_sent - before.packets_sent, 60);
    /* A single one is not forgotten, nor does the sender think that it was lost. */
    send_voice(&f->client);
    run(f, 60);
    wzp_quic_stats sender;
    ck_assert(wzp_quic_conn_stats(f->client.q, f->client.conn, &sender));
    ck_assert_uint_eq(sender.bytes_in_flight, 0);
    ck_assert_uint_eq(sender.datagrams_lost, 0);
    teardown(f);
}
END_TEST

static uint64_t in_flight(const side *s) {
    wzp_quic_stats stats;
    ck_assert(wzp_quic_conn_stats(s->q, s->conn, &stats));
    return stats.bytes_in_flight;
}

/* Who speaks as well acknowledges with what it says, near and far: hardly a packet more.  (Where
 * what it says leaves less than an eighth of the round trip after what came, ngtcp2 adds nothing to
 * it.) */
static const uint8_t ways_ms[] = {1, 10, 22, 150};

START_TEST(speech_carries_acknowledgements) {
    fixture *f = setup_with((wzp_quic_cfg){.datagram_lifetime = 200 * WZP_MS}, 1);
    dial(f, "room", NULL);
    run(f, 2000);
    f->net.delay = ways_ms[_i] * WZP_MS;
    wzp_quic_stats before;
    wzp_quic_stats after;
    for (unsigned i = 0; i < 400; i++) {
        if (i == 200) { /* by then the round trip is known */
            ck_assert(wzp_quic_conn_stats(f->server.q, f->server.conn, &before));
        }
        send_voice(&f->client);
        run(f, 13);
        send_voice(&f->server);
        run(f, 7);
    }
    ck_assert(wzp_quic_conn_stats(f->server.q, f->server.conn, &after));
    const uint64_t sent = after.packets_sent - before.packets_sent;
    ck_assert_msg(sent <= 210, "%u ms away: %llu packets for 200 of speech", ways_ms[_i],
                  (unsigned long long)sent);
    teardown(f);
}
END_TEST

/* A keep-alive reaches the server while it believes in a long way.  Before its time to be
 * acknowledged has come the server hears how short the way is now, so that it has passed: nothing
 * else would bring about what is overdue then. */
START_TEST(what_is_due_at_once_is_acknowledged) {
    fixture *f = connected();
    f->net.delay = 80 * WZP_MS;
    talk(f, 10000);
    run(f, 1000);
    f->net.delay = WZP_MS;
    const uint64_t before = f->net.packets;
    wzp_quic_set_keep_alive(f->client.q, f->client.conn, 2 * WZP_S);
    while (f->net.packets == before) {
        run(f, 1);
    }
    wzp_quic_set_keep_alive(f->client.q, f->client.conn, WZP_TIME_NEVER);
    ck_assert_uint_gt(in_flight(&f->client), 0);
    run(f, 16); /* an eighth of the long way takes it 20 */
    ck_assert_uint_gt(in_flight(&f->client), 0);
    send_voice(&f->server);
    send_voice(&f->server);
    run(f, 12);
    ck_assert_uint_eq(in_flight(&f->client), 0);
    teardown(f);
}
END_TEST

/* The same voice, with and without the mark of a congested router. */
START_TEST(congestion_is_told_at_once) {
    fixture *f = talking(200 * WZP_MS);
    run(f, 500);
    f->net.ecn = _i == 0 ? 0 : 3;
    send_voice(&f->client);
    run(f, 21);
    ck_assert_msg((in_flight(&f->client) == 0) == (_i == 1), "mark %u: %llu bytes in flight",
                  f->net.ecn, (unsigned long long)in_flight(&f->client));
    run(f, 20);
    ck_assert_uint_eq(in_flight(&f->client), 0);
    teardown(f);
}
END_TEST

static uint64_t writes_in_vain(const side *s) {
    wzp_quic_counters counters;
    wzp_quic_count(s->q, &counters);
    return counters.writes_in_vain;
}

/* To ask the transport after each packet that came, and after each that left, would double its
 * work: most packets that come only acknowledge, and most that leave say all there is to say.  A
 * listener that is silent lets every second acknowledgement be acknowledged; after that it is asked
 * for more. */
static const struct vain_case {
    const char *name;
    uint64_t answer_ms; /* the other side speaks so much later; 0: never */
    uint64_t at_most[2];
} vain_cases[] = {
    {"both speak by turns", 7, {20, 20}},
    {"both speak, one right after the other", 1, {20, 20}},
    {"one speaks", 0, {20, 260}},
};

START_TEST(the_transport_is_not_asked_in_vain) {
    const struct vain_case *c = &vain_cases[_i];
    fixture *f = talking(200 * WZP_MS);
    const side *const sides[] = {&f->client, &f->server};
    const uint64_t before[] = {writes_in_vain(&f->client), writes_in_vain(&f->server)};
    for (unsigned i = 0; i < 1000; i++) {
        send_voice(&f->client);
        run(f, c->answer_ms);
        if (c->answer_ms != 0) {
            send_voice(&f->server);
        }
        run(f, 20 - c->answer_ms);
    }
    ck_assert_uint_eq(f->server.datagrams, 2000);
    for (unsigned i = 0; i < WZP_COUNT_OF(sides); i++) {
        const uint64_t times = writes_in_vain(sides[i]) - before[i];
        ck_assert_msg(times <= c->at_most[i], "%s: %llu times by the %s", c->name,
                      (unsigned long long)times, i == 0 ? "client" : "server");
    }
    teardown(f);
}
END_TEST

START_TEST(a_broken_way_back_does_not_stop_media) {
    fixture *f = talking(200 * WZP_MS);
    f->net.cut[CLIENT] = true;
    talk(f, 5000);
    ck_assert_uint_eq(f->client.datagrams, 1250);
    f->net.cut[CLIENT] = false;
    talk(f, 1000);
    ck_assert_uint_eq(f->client.datagrams, 1300);
    ck_assert_uint_eq(f->server.datagrams, 1050);
    teardown(f);
}
END_TEST

/* A program that slept has lost nothing: lives begin at the first attempt to send. */
START_TEST(datagrams_wait_for_a_sleeping_program) {
    fixture *f = setup_with((wzp_quic_cfg){.datagram_lifetime = 200 * WZP_MS}, 1);
    dial(f, "room", NULL);
    run(f, 500);
    send_voice(&f->client);
    f->net.now += WZP_S;
    run(f, 200);
    ck_assert_uint_eq(f->server.datagrams, 1);
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, media_flow_again_after_a_hole, 0, WZP_COUNT_OF(hole_cases));
    tcase_add_test(tc, media_are_acknowledged_in_pairs);
    tcase_add_loop_test(tc, speech_carries_acknowledgements, 0, WZP_COUNT_OF(ways_ms));
    tcase_add_test(tc, what_is_due_at_once_is_acknowledged);
    tcase_add_loop_test(tc, congestion_is_told_at_once, 0, 2);
    tcase_add_loop_test(tc, the_transport_is_not_asked_in_vain, 0, WZP_COUNT_OF(vain_cases));
    tcase_add_test(tc, a_broken_way_back_does_not_stop_media);
    tcase_add_test(tc, datagrams_wait_for_a_sleeping_program);
    return wzp_run_suite("quic_media", tc);
}
