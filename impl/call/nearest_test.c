/* Relays at several distances, some of which move or fall silent, in memory. */
#include "call/nearest.h"

#include <stdio.h>
#include <string.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"

enum { RELAYS = 12 };

/* A relay whose answers wait for so long. */
typedef struct relay {
    wzp_quic *quic;
    wzp_core core;
    wzp_prng prng;
    uint64_t extra;
    wzp_time hold_until;
} relay;

static void relay_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    relay *r = self;
    r->hold_until = wzp_time_after(now, r->extra);
    r->core.ops->recv(r->core.self, path, ecn, payload, now);
}

static void relay_tick(void *self, wzp_time now) {
    const relay *r = self;
    wzp_quic_event ev;
    r->core.ops->tick(r->core.self, now);
    while (wzp_quic_next_event(r->quic, &ev)) {
        continue;
    }
}

static wzp_time relay_deadline(const void *self) {
    const relay *r = self;
    const wzp_time deadline = r->core.ops->deadline(r->core.self);
    return deadline < r->hold_until ? r->hold_until : deadline;
}

static size_t relay_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    const relay *r = self;
    return now < r->hold_until ? 0 : r->core.ops->next_packet(r->core.self, now, buf, cap, meta);
}

typedef struct fixture {
    pair_net net;
    wzp_endpoint *end;
    wzp_prng prng;
    relay relays[RELAYS];
    wzp_nearest nearest;
    char text[RELAYS][64];
    wzp_bytes listed[RELAYS];
} fixture;

static const wzp_addr own = {WZP_ADDR_V4, 40000, {203, 0, 113, 5}};

static wzp_addr addr_of(int i) {
    return wzp_addr_v4(198, 51, 100, (uint8_t)(1 + i), 4433);
}

static void add_relay(fixture *f, int i, uint64_t extra) {
    static const wzp_core_ops ops = {relay_recv, relay_tick, relay_deadline, relay_next};
    const uint8_t seed[32] = {(uint8_t)i};
    relay *r = &f->relays[i];
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    wzp_prng_init(&r->prng, (uint64_t)i, "relay");
    const wzp_quic_cfg cfg = {.identity = &identity, .rng = wzp_prng_rng(&r->prng)};
    ck_assert(wzp_quic_new(&r->quic, &cfg, f->net.now) == WZP_OK);
    r->core = wzp_quic_core(r->quic);
    r->extra = extra;
    pair_add(&f->net, (wzp_core){r, &ops}, addr_of(i), NULL, NULL);
    (void)snprintf(f->text[i], sizeof f->text[i], "r%d|198.51.100.%d:4433", i, 1 + i);
    f->listed[i] = wzp_bytes_str(f->text[i]);
}

/* Relay 0 is the one that we are at; the others are listed. */
static fixture *setup(const uint64_t extra_ms[RELAYS]) {
    fixture *f = calloc(1, sizeof *f);
    pair_init(&f->net, 1);
    wzp_prng_init(&f->prng, 99, "nearest");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&f->prng)};
    ck_assert(wzp_endpoint_new(&f->end, &cfg, f->net.now) == WZP_OK);
    pair_add(&f->net, wzp_endpoint_core(f->end), own, NULL, NULL);
    for (int i = 0; i < RELAYS; i++) {
        add_relay(f, i, extra_ms[i] * WZP_MS);
    }
    wzp_nearest_init(&f->nearest, f->end, 0, 2 * WZP_S);
    return f;
}

static void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_nearest_stop(&f->nearest, f->net.now);
    wzp_endpoint_free(&f->end);
    for (int i = 0; i < RELAYS; i++) {
        wzp_quic_free(&f->relays[i].quic);
    }
    free(f);
}

static void registered(fixture *f, size_t count) {
    const wzp_addr addr = addr_of(0);
    wzp_nearest_registered(&f->nearest, wzp_bytes_str("here"), &addr, wzp_bytes_str("eu"),
                           &(wzp_list_str){f->listed + 1, count}, f->net.now);
}

static void run(fixture *f, uint64_t ms) {
    const wzp_time until = f->net.now + ms * WZP_MS;
    while (f->net.now < until) {
        wzp_nearest_tick(&f->nearest, f->net.now);
        const wzp_time next = wzp_time_min(wzp_nearest_deadline(&f->nearest), until);
        pair_run(&f->net, wzp_time_min(next > f->net.now ? next : f->net.now + WZP_MS,
                                       f->net.now + 50 * WZP_MS));
    }
}

static void is_preferred(fixture *f, const char *name) {
    const wzp_relay_entry *got = wzp_nearest_preferred(&f->nearest);
    ck_assert_msg(got != NULL && strcmp(got->name, name) == 0, "%s instead of %s",
                  got != NULL ? got->name : "nobody", name);
}

START_TEST(the_nearest_of_all) {
    static const uint64_t extra[RELAYS] = {80, 70, 60, 50, 40, 90, 90, 90, 90, 90, 20, 30};
    fixture *f = setup(extra);
    ck_assert(wzp_nearest_deadline(&f->nearest) == WZP_TIME_NEVER);
    ck_assert_ptr_null(wzp_nearest_preferred(&f->nearest));
    registered(f, RELAYS - 1);
    run(f, 3000);
    ck_assert_uint_eq(f->nearest.rounds, 1);
    ck_assert_uint_eq(f->nearest.map.count, RELAYS);
    is_preferred(f, "r10");
    ck_assert_str_eq(wzp_nearest_news(&f->nearest)->name, "r10");
    ck_assert_ptr_null(wzp_nearest_news(&f->nearest));
    for (size_t i = 0; i < f->nearest.map.count; i++) {
        ck_assert(f->nearest.map.entries[i].is_reachable);
    }
    run(f, 300000);
    ck_assert_uint_eq(f->nearest.rounds, 2); /* every five minutes */
    ck_assert_ptr_null(wzp_nearest_news(&f->nearest));
    teardown(f);
}
END_TEST

START_TEST(not_for_a_little) {
    static const uint64_t extra[RELAYS] = {30,  30,  200, 200, 200, 200,
                                           200, 200, 200, 200, 200, 200};
    fixture *f = setup(extra);
    registered(f, 1);
    run(f, 1000);
    is_preferred(f, "here");
    f->relays[1].extra = 22 * WZP_MS; /* nearer by 8 ms of 50 */
    run(f, 301000);
    ck_assert_uint_eq(f->nearest.rounds, 2);
    is_preferred(f, "here");
    f->relays[1].extra = 1 * WZP_MS; /* by 29 of 50 */
    run(f, 301000);
    is_preferred(f, "r1");
    teardown(f);
}
END_TEST

START_TEST(one_that_falls_silent) {
    static const uint64_t extra[RELAYS] = {1, 60, 90, 200, 200, 200, 200, 200, 200, 200, 200, 200};
    fixture *f = setup(extra);
    registered(f, 2);
    run(f, 1000);
    is_preferred(f, "here");
    f->net.deaf[1] = true; /* relay 0 */
    run(f, 305000);
    is_preferred(f, "r1");
    ck_assert_str_eq(wzp_nearest_news(&f->nearest)->name, "r1");
    f->net.deaf[2] = f->net.deaf[3] = true;
    run(f, 305000);
    ck_assert_ptr_null(wzp_nearest_preferred(&f->nearest));
    ck_assert_ptr_null(wzp_nearest_news(&f->nearest));
    teardown(f);
}
END_TEST

START_TEST(lists_that_come_while_it_asks) {
    static const uint64_t extra[RELAYS] = {50, 40, 1, 200, 200, 200, 200, 200, 200, 200, 200, 200};
    fixture *f = setup(extra);
    registered(f, 1);
    run(f, 20);
    registered(f, 2); /* the first round is under way */
    run(f, 3000);
    ck_assert_uint_eq(f->nearest.rounds, 2);
    is_preferred(f, "r2");
    f->listed[1] = wzp_bytes_str("a name|relay.example:4433");
    registered(f, 2);
    run(f, 3000);
    ck_assert_uint_eq(f->nearest.map.unreadable, 1);
    ck_assert_uint_eq(f->nearest.rounds, 3);
    teardown(f);
}
END_TEST

START_TEST(stopped) {
    static const uint64_t extra[RELAYS] = {50};
    fixture *f = setup(extra);
    registered(f, RELAYS - 1);
    run(f, 20);
    wzp_nearest_stop(&f->nearest, f->net.now);
    ck_assert(wzp_nearest_deadline(&f->nearest) == WZP_TIME_NEVER);
    run(f, 400000);
    ck_assert_uint_eq(f->nearest.rounds, 0);
    registered(f, 1);
    run(f, 1000);
    ck_assert_uint_eq(f->nearest.rounds, 1);
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("nearest");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_nearest_of_all);
    tcase_add_test(tc, not_for_a_little);
    tcase_add_test(tc, one_that_falls_silent);
    tcase_add_test(tc, lists_that_come_while_it_asks);
    tcase_add_test(tc, stopped);
    return wzp_run_suite("call.nearest", tc);
}
