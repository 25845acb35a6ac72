/* A phone that loses its relay: when it looks for it, and when it does not. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "phone/phone.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { RELAY_HOST, LOG_MAX = 256, TIMES_MAX = 16 };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};
static const wzp_addr phone_addr = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};

static struct {
    pair_net net;
    wzp_relay *relay;
    wzp_phone *phone;
    wzp_prng relay_prng, phone_prng, door_prng;
    char log[LOG_MAX];
    wzp_quic *door; /* lets nobody in */
    wzp_time came[TIMES_MAX];
    size_t came_count;
} t;

static void after(void *ctx, wzp_time now) {
    static const char *const names[] = {[WZP_PHONE_REGISTERED] = "registered;",
                                        [WZP_PHONE_ENDED] = "ended;",
                                        [WZP_PHONE_AWAY] = "away;",
                                        [WZP_PHONE_CLOSED] = "closed;"};
    wzp_phone_event ev;
    (void)ctx;
    (void)now;
    while (wzp_phone_next_event(t.phone, &ev)) {
        const char *name = ev.kind < WZP_COUNT_OF(names) ? names[ev.kind] : NULL;
        const size_t len = strlen(t.log);
        (void)snprintf(t.log + len, sizeof t.log - len, "%s", name != NULL ? name : "");
    }
}

static void run_to(wzp_time until) {
    pair_run(&t.net, until);
}

static void run(uint64_t ms) {
    run_to(t.net.now + ms * WZP_MS);
}

static void open_relay(void) {
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.relay_prng)};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    t.net.core[RELAY_HOST] = wzp_relay_core(t.relay);
}

static void start(bool reconnects) {
    const wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&t.phone_prng),
                               .seed = {7},
                               .path = {phone_addr, relay_addr},
                               .reconnects = reconnects};
    memset(&t, 0, sizeof t);
    pair_init(&t.net, 1);
    wzp_prng_init(&t.relay_prng, 1, "relay");
    wzp_prng_init(&t.phone_prng, 2, "phone");
    pair_add(&t.net, (wzp_core){NULL, NULL}, relay_addr, NULL, NULL);
    open_relay();
    ck_assert_int_eq(wzp_phone_new(&t.phone, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_phone_core(t.phone), phone_addr, after, NULL);
    run(200);
    ck_assert_str_eq(t.log, "registered;");
    t.log[0] = '\0';
}

static void finish(void) {
    pair_clear(&t.net);
    wzp_phone_free(&t.phone);
    wzp_quic_free(&t.door);
    wzp_relay_free(&t.relay);
}

/* --- a door that stays shut ------------------------------------------------------------------- */

static void door_events(wzp_time now) {
    wzp_quic_event ev;
    while (wzp_quic_next_event(t.door, &ev)) {
        if (ev.kind == WZP_QUIC_CONNECTED && t.came_count < TIMES_MAX) {
            t.came[t.came_count++] = now;
            wzp_quic_close(t.door, ev.conn, 0, "restarting", now);
        }
    }
}

static void door_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    (void)self;
    wzp_quic_recv(t.door, path, ecn, payload, now);
    door_events(now);
}

static void door_tick(void *self, wzp_time now) {
    (void)self;
    wzp_quic_tick(t.door, now);
    door_events(now);
}

static wzp_time door_deadline(const void *self) {
    (void)self;
    return wzp_quic_deadline(t.door);
}

static size_t door_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    (void)self;
    return wzp_quic_next_packet(t.door, now, buf, cap, meta);
}

static void shut_door(void) {
    static const wzp_core_ops ops = {door_recv, door_tick, door_deadline, door_next};
    static const uint8_t seed[WZP_KEY_LEN] = {9};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, seed);
    wzp_prng_init(&t.door_prng, 3, "door");
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, sizeof tls.ed25519_seed)};
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&t.door_prng), .identity = &identity};
    ck_assert_int_eq(wzp_quic_new(&t.door, &cfg, t.net.now), WZP_OK);
    wzp_tls_identity_clear(&tls);
    t.net.core[RELAY_HOST] = (wzp_core){&t, &ops};
}

static void lose_relay(void) {
    wzp_relay_shutdown(t.relay, t.net.now);
    run(5); /* its last words are on their way */
}

/* --- what happens ----------------------------------------------------------------------------- */

START_TEST(it_comes_later_and_later) {
    static const uint64_t delays_s[] = {0, 1, 2, 4, 8, 15, 30, 30, 30};
    wzp_time before;
    start(true);
    lose_relay();
    shut_door();
    before = t.net.now + t.net.delay;
    run(125000);
    ck_assert_uint_eq(t.came_count, WZP_COUNT_OF(delays_s));
    for (size_t i = 0; i < t.came_count; i++) {
        const uint64_t gap_ms = (t.came[i] - before) / WZP_MS;
        ck_assert_msg(gap_ms >= delays_s[i] * 1000 && gap_ms < delays_s[i] * 1000 + 200,
                      "attempt %zu after %u ms", i, (unsigned)gap_ms);
        before = t.came[i];
    }
    ck_assert_str_eq(t.log, "away;"); /* once */
    finish();
}
END_TEST

START_TEST(it_is_registered_again) {
    start(true);
    for (int i = 0; i < 3; i++) { /* each time as if it were the first */
        lose_relay();
        run(100);
        wzp_relay_free(&t.relay);
        open_relay();
        run(40000); /* a dial of a relay that is gone takes 10 s */
        ck_assert_str_eq(t.log, "away;registered;");
        ck_assert_int_eq(wzp_phone_state_of(t.phone), WZP_PHONE_STATE_IDLE);
        t.log[0] = '\0';
    }
    finish();
}
END_TEST

/* It is let in each time, and dropped at once: it must not come back as fast as it is let in. */
START_TEST(a_relay_that_drops_it) {
    static const unsigned ms[] = {100, 1100, 2100, 4100};
    start(true);
    for (size_t i = 0; i < WZP_COUNT_OF(ms); i++) {
        wzp_phone_lose(t.phone, t.net.now);
        run(ms[i] - 100);
        ck_assert_msg(i == 0 || strcmp(t.log, "away;") == 0, "%zu: %s", i, t.log);
        run(200);
        ck_assert_msg(strcmp(t.log, "away;registered;") == 0, "%zu: %s", i, t.log);
        t.log[0] = '\0';
    }
    run(WZP_PHONE_STEADY / WZP_MS);
    wzp_phone_lose(t.phone, t.net.now);
    run(200);
    ck_assert_str_eq(t.log, "away;registered;");
    finish();
}
END_TEST

START_TEST(it_says_nothing_while_it_is_away) {
    start(true);
    lose_relay();
    shut_door();
    run(500);
    ck_assert_int_eq(wzp_phone_state_of(t.phone), WZP_PHONE_STATE_OFF);
    ck_assert_int_eq(wzp_phone_call(t.phone, wzp_phone_fingerprint(t.phone)),
                     WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_phone_answer(t.phone, WZP_ACCEPT_TRUSTED), WZP_ERR_INVALID_ARGUMENT);
    wzp_phone_reflect(t.phone, t.net.now);
    wzp_phone_hangup(t.phone);
    run(100);
    ck_assert_str_eq(t.log, "away;");
    finish();
}
END_TEST

START_TEST(who_has_left_does_not_come) {
    start(true);
    lose_relay();
    shut_door();
    run(500);
    const size_t before = t.came_count;
    wzp_phone_close(t.phone, t.net.now);
    run(60000);
    ck_assert_uint_eq(t.came_count, before);
    ck_assert_str_eq(t.log, "away;closed;");
    finish();
}
END_TEST

/* Not asked to, on purpose, and before it was there at all. */
START_TEST(who_need_not_does_not_come) {
    start(false);
    lose_relay();
    shut_door();
    run(60000);
    ck_assert_uint_eq(t.came_count, 0);
    ck_assert_str_eq(t.log, "closed;");
    finish();
    start(true);
    wzp_phone_close(t.phone, t.net.now);
    run(60000);
    ck_assert_str_eq(t.log, "closed;");
    finish();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("line");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, it_comes_later_and_later);
    tcase_add_test(tc, it_is_registered_again);
    tcase_add_test(tc, a_relay_that_drops_it);
    tcase_add_test(tc, it_says_nothing_while_it_is_away);
    tcase_add_test(tc, who_has_left_does_not_come);
    tcase_add_test(tc, who_need_not_does_not_come);
    return wzp_run_suite("client.phone_line", tc);
}
