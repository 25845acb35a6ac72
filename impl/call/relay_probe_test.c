/* Probes of relays that behave in one way or another, in memory. */
#include "call/relay_probe.h"

#include <string.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"

enum { RELAYS = 6 };

#define ACK "{\"RegisterPresenceAck\":{\"version\":1,\"success\":true}}"
#define NO_ACK "{\"RegisterPresenceAck\":{\"version\":1,\"success\":false,\"error\":\"full\"}}"
#define LIST "{\"PresenceList\":{\"version\":1,\"users\":[]}}"
#define SEEN "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"203.0.113.5:40000\"}}"
#define NAMED "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"example.org:1\"}}"
#define NEW "{\"SomethingNew\":{\"version\":1}}"
#define LEAVE "leave"

/* What a relay says at which moment: signals one after another, or LEAVE. */
typedef struct probe_case {
    const char *name;
    const char *registered[3], *reflected[4];
    wzp_relay_probe_state want;
    const char *error;
    uint32_t skipped, unreadable;
} probe_case;

static const probe_case cases[] = {
    {"as before the lobby", {ACK}, {SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 0, 0},
    {"a presence list before the answer",
     {ACK, LIST},
     {LIST, SEEN},
     WZP_RELAY_PROBE_ANSWERED,
     "",
     2,
     0},
    {"a presence list before the ack", {LIST, ACK}, {SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 1, 0},
    {"signals that nobody knows", {ACK, NEW}, {NEW, SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 0, 2},
    {"signals that are no JSON", {ACK}, {"{", SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 0, 1},
    {"an answer before the question", {SEEN, ACK}, {SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 1, 0},
    {"two acks", {ACK, ACK}, {SEEN}, WZP_RELAY_PROBE_ANSWERED, "", 1, 0},
    {"refused",
     {NO_ACK},
     {NULL},
     WZP_RELAY_PROBE_FAILED,
     "unexpected pre-reflect signal: RegisterPresenceAck, full",
     0,
     0},
    {"a name for an address",
     {ACK},
     {NAMED},
     WZP_RELAY_PROBE_FAILED,
     "parse observed_addr example.org:1",
     0,
     0},
    {"gone before the ack",
     {LEAVE},
     {NULL},
     WZP_RELAY_PROBE_FAILED,
     "connection closed before RegisterPresenceAck",
     0,
     0},
    {"gone before the answer",
     {ACK},
     {LEAVE},
     WZP_RELAY_PROBE_FAILED,
     "connection closed before ReflectResponse",
     0,
     0},
    {"silent", {NULL}, {NULL}, WZP_RELAY_PROBE_FAILED, "probe timeout (1500ms)", 0, 0},
    {"older than Reflect", {ACK}, {NULL}, WZP_RELAY_PROBE_FAILED, "probe timeout (1500ms)", 0, 0},
};

typedef struct relay {
    wzp_endpoint *end;
    wzp_prng prng;
    wzp_endpoint_user user;
    const probe_case *script;
    wzp_core core; /* the endpoint's */
    char sni[WZP_QUIC_SNI_MAX + 1];
    unsigned registered, reflected, closed, other;
    char reason[128];
} relay;

typedef struct fixture {
    pair_net net;
    wzp_endpoint *end;
    wzp_prng prng;
    relay relays[RELAYS];
    wzp_relay_probe probes[RELAYS];
} fixture;

static wzp_addr relay_addr(int i) {
    return wzp_addr_v4(198, 51, 100, (uint8_t)(1 + i), 4433);
}

static const wzp_addr own = {WZP_ADDR_V4, 40000, {203, 0, 113, 5}};

static void say(relay *r, wzp_quic_conn conn, const char *const *what, size_t most, wzp_time now) {
    wzp_quic *quic = wzp_endpoint_quic(r->end);
    for (size_t i = 0; i < most && what[i] != NULL; i++) {
        if (strcmp(what[i], LEAVE) == 0) {
            wzp_quic_close(quic, conn, 0, "going", now);
        } else {
            ck_assert(wzp_quic_send_signal(quic, conn, wzp_bytes_str(what[i]), NULL) == WZP_OK);
        }
    }
}

static bool begins(wzp_bytes json, const char *with) {
    return json.len >= strlen(with) && memcmp(json.data, with, strlen(with)) == 0;
}

static void relay_event(void *self, const wzp_quic_event *ev, wzp_time now) {
    relay *r = self;
    if (ev->kind == WZP_QUIC_CLOSED) {
        r->closed++;
        memcpy(r->reason, ev->close.reason, sizeof r->reason);
    } else if (ev->kind == WZP_QUIC_SIGNAL && begins(ev->body, "{\"RegisterPresence\"")) {
        static const char zeros[] = "{\"RegisterPresence\":{\"version\":1,\"identity_pub\":["
                                    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
                                    "0],\"signature\":[],\"alias\":null}}";
        ck_assert(wzp_bytes_equal(ev->body, wzp_bytes_str(zeros))); /* F4 */
        r->registered++;
        say(r, ev->conn, r->script->registered, 3, now);
    } else if (ev->kind == WZP_QUIC_SIGNAL && begins(ev->body, "\"Reflect\"")) {
        r->reflected++;
        say(r, ev->conn, r->script->reflected, 4, now);
    } else if (ev->kind == WZP_QUIC_SIGNAL) {
        r->other++;
    }
}

/* The name is in the first packet: who only pings may be gone before it is connected. */
static void relay_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    relay *r = self;
    char sni[WZP_QUIC_SNI_MAX + 1];
    if (wzp_quic_peek_sni(payload, sni) == WZP_OK) {
        memcpy(r->sni, sni, sizeof r->sni);
    }
    r->core.ops->recv(r->core.self, path, ecn, payload, now);
}

static void relay_tick(void *self, wzp_time now) {
    const relay *r = self;
    r->core.ops->tick(r->core.self, now);
}

static wzp_time relay_deadline(const void *self) {
    const relay *r = self;
    return r->core.ops->deadline(r->core.self);
}

static size_t relay_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    const relay *r = self;
    return r->core.ops->next_packet(r->core.self, now, buf, cap, meta);
}

static wzp_endpoint *endpoint(fixture *f, wzp_prng *prng, uint8_t seed_byte) {
    const uint8_t seed[32] = {seed_byte};
    wzp_identity who;
    wzp_tls_identity tls;
    wzp_endpoint *end = NULL;
    wzp_identity_from_seed(&who, seed);
    wzp_tls_identity_of(&tls, &who);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    wzp_prng_init(prng, seed_byte, "probe");
    const wzp_quic_cfg cfg = {.identity = &identity, .rng = wzp_prng_rng(prng), .mutual = true};
    ck_assert(wzp_endpoint_new(&end, &cfg, f->net.now) == WZP_OK);
    return end;
}

static fixture *setup(const probe_case *script) {
    static const wzp_core_ops relay_ops = {relay_recv, relay_tick, relay_deadline, relay_next};
    fixture *f = calloc(1, sizeof *f);
    pair_init(&f->net, 1);
    f->end = endpoint(f, &f->prng, 200);
    pair_add(&f->net, wzp_endpoint_core(f->end), own, NULL, NULL);
    for (int i = 0; i < RELAYS; i++) {
        relay *r = &f->relays[i];
        r->end = endpoint(f, &r->prng, (uint8_t)i);
        r->script = script;
        r->user = (wzp_endpoint_user){r, relay_event};
        wzp_endpoint_on_incoming(r->end, &r->user);
        r->core = wzp_endpoint_core(r->end);
        pair_add(&f->net, (wzp_core){r, &relay_ops}, relay_addr(i), NULL, NULL);
    }
    return f;
}

static void teardown(fixture *f) {
    pair_clear(&f->net);
    wzp_endpoint_free(&f->end);
    for (int i = 0; i < RELAYS; i++) {
        wzp_endpoint_free(&f->relays[i].end);
    }
    free(f);
}

static void begin(fixture *f, int i, wzp_relay_probe_kind kind) {
    const wzp_addr addr = relay_addr(i);
    wzp_relay_probe_start(&f->probes[i], f->end, &addr, kind, 1500 * WZP_MS, f->net.now);
}

/* In steps, since the probes' own deadlines are not the endpoint's. */
static void run(fixture *f, uint64_t ms) {
    const wzp_time until = f->net.now + ms * WZP_MS;
    while (f->net.now < until) {
        pair_run(&f->net, f->net.now + 10 * WZP_MS);
        for (int i = 0; i < RELAYS; i++) {
            wzp_relay_probe_tick(&f->probes[i], f->net.now);
        }
    }
}

START_TEST(a_relay) {
    const probe_case *c = &cases[_i];
    fixture *f = setup(c);
    wzp_relay_probe *p = &f->probes[0];
    begin(f, 0, WZP_RELAY_PROBE_REFLECT);
    ck_assert(!wzp_relay_probe_is_over(p));
    run(f, 3000);
    ck_assert_msg(p->state == c->want, "%s: state %d, %s", c->name, p->state, p->error);
    ck_assert_msg(strcmp(p->error, c->error) == 0, "%s: '%s'", c->name, p->error);
    ck_assert_msg(p->skipped == c->skipped, "%s: skipped %u", c->name, p->skipped);
    ck_assert_msg(p->unreadable == c->unreadable, "%s: unreadable %u", c->name, p->unreadable);
    ck_assert_str_eq(f->relays[0].sni, "_signal");
    ck_assert_uint_eq(f->relays[0].registered, 1);
    ck_assert_uint_eq(f->relays[0].other, 0);
    ck_assert_uint_eq(f->relays[0].closed, 1);
    ck_assert(wzp_relay_probe_deadline(p) == WZP_TIME_NEVER);
    if (c->want == WZP_RELAY_PROBE_ANSWERED) {
        ck_assert(wzp_addr_equal(&p->observed, &own));
        ck_assert_uint_ge(p->rtt, 20 * WZP_MS); /* the network's */
        ck_assert_uint_lt(p->rtt, 30 * WZP_MS);
        ck_assert_uint_ge(p->took, 60 * WZP_MS); /* handshake, ack, answer */
    }
    teardown(f);
}
END_TEST

static uint64_t conns_of_relay(const fixture *f, int i) {
    wzp_quic_counters c;
    wzp_quic_count(wzp_endpoint_quic(f->relays[i].end), &c);
    return c.conns;
}

START_TEST(a_ping) {
    fixture *f = setup(&cases[0]);
    begin(f, 0, WZP_RELAY_PROBE_PING);
    run(f, 500);
    ck_assert_int_eq(f->probes[0].state, WZP_RELAY_PROBE_ANSWERED);
    ck_assert_uint_ge(f->probes[0].rtt, 20 * WZP_MS);
    ck_assert_uint_lt(f->probes[0].rtt, 30 * WZP_MS);
    ck_assert_int_eq(f->probes[0].observed.family, WZP_ADDR_NONE);
    ck_assert_str_eq(f->relays[0].sni, "ping");
    ck_assert_uint_eq(f->relays[0].registered, 0);
    ck_assert_uint_eq(conns_of_relay(f, 0), 0);
    teardown(f);
}
END_TEST

START_TEST(several_at_once) {
    fixture *f = setup(&cases[1]);
    f->relays[2].script = &cases[7];
    f->net.deaf[1 + 4] = true;
    for (int i = 0; i < RELAYS; i++) {
        begin(f, i, WZP_RELAY_PROBE_REFLECT);
    }
    run(f, 3000);
    for (int i = 0; i < RELAYS; i++) {
        const wzp_relay_probe *p = &f->probes[i];
        const char *want = i == 2 ? cases[7].error : i == 4 ? "probe timeout (1500ms)" : "";
        ck_assert_msg(strcmp(p->error, want) == 0, "relay %d: '%s'", i, p->error);
        ck_assert((p->state == WZP_RELAY_PROBE_ANSWERED) == (*want == '\0'));
    }
    teardown(f);
}
END_TEST

START_TEST(nobody_there) {
    fixture *f = setup(&cases[0]);
    const wzp_addr none = {.family = WZP_ADDR_NONE};
    const wzp_addr no_port = wzp_addr_v4(198, 51, 100, 1, 0);
    wzp_relay_probe_start(&f->probes[0], f->end, &none, WZP_RELAY_PROBE_REFLECT, 0, f->net.now);
    wzp_relay_probe_start(&f->probes[1], f->end, &no_port, WZP_RELAY_PROBE_REFLECT, 0, f->net.now);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(f->probes[i].state, WZP_RELAY_PROBE_FAILED);
        ck_assert_int_eq(strncmp(f->probes[i].error, "connect: ", 9), 0);
        ck_assert(wzp_relay_probe_is_over(&f->probes[i]));
    }
    teardown(f);
}
END_TEST

START_TEST(stopped_early) {
    fixture *f = setup(&cases[11]);
    begin(f, 0, WZP_RELAY_PROBE_REFLECT);
    run(f, 100);
    ck_assert_uint_eq(f->relays[0].registered, 1);
    wzp_relay_probe_stop(&f->probes[0], f->net.now);
    wzp_relay_probe_stop(&f->probes[0], f->net.now);
    ck_assert_int_eq(f->probes[0].state, WZP_RELAY_PROBE_IDLE);
    memset(&f->probes[0], 0, sizeof f->probes[0]); /* the storage is the caller's again */
    run(f, 2000);
    ck_assert_uint_eq(f->relays[0].closed, 1);
    ck_assert_str_eq(f->relays[0].reason, "probe");
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("relay_probe");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_relay, 0, WZP_COUNT_OF(cases));
    tcase_add_test(tc, a_ping);
    tcase_add_test(tc, several_at_once);
    tcase_add_test(tc, nobody_there);
    tcase_add_test(tc, stopped_early);
    return wzp_run_suite("call.relay_probe", tc);
}
