/* Two handsets behind NATs that give out ports: what servers see of the socket is told, and the
 * next ports are met.  All is real but the network, which is a toy, and the sound. */
#include "phone/handset.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "call/testing/stun_server.h"
#include "call/testing/toy_nat.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { A, B, SIDES, STUNS = 4, FLYING = 1024 };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {192, 0, 2, 1}};

typedef struct side {
    wzp_handset *handset;
    wzp_client *client;
    wzp_prng prng;
    wzp_addr inside;
    toy_nat nat;
    /* Where to, of what flies here from the other side directly; in the order of arrival. */
    wzp_addr flying[FLYING];
    size_t flown, arrived;
    wzp_race_path path;
    unsigned registered, probes, paths, birthdays;
    wzp_port_alloc_kind said;
    uint16_t next_port; /* of the sockets that it is asked for; 0: it opens none */
    size_t open;
    char forged[256]; /* a signal to be sent */
} side;

typedef struct server {
    stun_server stun; /* first: what is not wrapped is its own */
    wzp_addr addr;
} server;

static struct {
    pair_net net;
    side sides[SIDES];
    server stuns[STUNS];
    wzp_relay *relay;
    wzp_prng prng;
} t;

/* --- NATs in the network ------------------------------------------------------------------------
 */

static side *behind(const wzp_addr *external) {
    for (unsigned i = 0; i < SIDES; i++) {
        const wzp_addr outside = wzp_addr_v4(198, 51, 100, t.sides[i].nat.ip, 0);
        if (wzp_addr_same_ip(external, &outside)) {
            return &t.sides[i];
        }
    }
    return NULL;
}

/* From a server to one of the sides: the network knows only inner addresses. */
static void go_in(const wzp_addr *from, wzp_quic_meta *meta) {
    const side *s = behind(&meta->path.remote);
    if (s != NULL && toy_nat_enters(&s->nat, from, meta->path.remote.port)) {
        meta->path.remote = s->inside;
    }
}

static void side_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    side *s = self;
    const wzp_core core = wzp_handset_core(s->handset);
    wzp_quic_path at = *path;
    if (behind(&path->remote) != NULL) {
        const wzp_addr to = s->flying[s->arrived++ % FLYING];
        const struct mapping *m = toy_nat_entry(&s->nat, &path->remote, to.port);
        if (m == NULL) {
            return;
        }
        at.local.port = m->inside != 0 ? m->inside : at.local.port;
    }
    core.ops->recv(core.self, &at, ecn, payload, now);
}

static void side_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_handset_core(((side *)self)->handset);
    core.ops->tick(core.self, now);
}

static wzp_time side_deadline(const void *self) {
    const wzp_core core = wzp_handset_core(((const side *)self)->handset);
    return core.ops->deadline(core.self);
}

static size_t side_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    side *s = self;
    const wzp_core core = wzp_handset_core(s->handset);
    const size_t len = core.ops->next_packet(core.self, now, buf, cap, meta);
    if (len == 0) {
        return 0;
    }
    side *to = behind(&meta->path.remote);
    const uint16_t port = meta->path.local.port != TOY_NAT_PORT ? meta->path.local.port : 0;
    meta->path.local = toy_nat_leave_from(&s->nat, port, &meta->path.remote);
    for (size_t from = 0; to != NULL && from < len; from += meta->segment) {
        to->flying[to->flown++ % FLYING] = meta->path.remote;
    }
    meta->path.remote = to != NULL ? to->inside : meta->path.remote;
    return len;
}

/* --- servers ------------------------------------------------------------------------------------
 */

static size_t stun_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    server *s = self;
    const size_t len = stun_server_next(&s->stun, now, buf, cap, meta);
    go_in(&s->addr, meta);
    return len;
}

static void relay_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    const wzp_core core = wzp_relay_core(self);
    core.ops->recv(core.self, path, ecn, payload, now);
}

static void relay_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_relay_core(self);
    core.ops->tick(core.self, now);
}

static wzp_time relay_deadline(const void *self) {
    const wzp_core core = wzp_relay_core(wzp_drop_const(self));
    return core.ops->deadline(core.self);
}

static size_t relay_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    const wzp_core core = wzp_relay_core(self);
    const size_t len = core.ops->next_packet(core.self, now, buf, cap, meta);
    if (len > 0) {
        meta->path.local = relay_addr;
        go_in(&relay_addr, meta);
    }
    return len;
}

/* --- those who talk -----------------------------------------------------------------------------
 */

static void on_signal(void *ctx, bool out, wzp_bytes json) {
    side *s = ctx;
    wzp_signal *signal = NULL;
    wzp_call_refused refused = {0};
    wzp_call_probe probe;
    ck_assert(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    if (out && signal->kind == WZP_SIGNAL_HARD_NAT_PROBE) {
        ck_assert(wzp_call_probe_read(&probe, &signal->u.HardNatProbe, &refused));
        ck_assert(probe.port_count >= WZP_GATHER_SERVERS && probe.time_ms > 1779700000000);
        s->said = probe.alloc.kind;
        s->probes++;
    }
    s->birthdays += out && signal->kind == WZP_SIGNAL_HARD_NAT_BIRTHDAY_START ? 1 : 0;
    wzp_signal_free(&signal);
}

static void start_sound(side *s, const char *room, wzp_time now) {
    wzp_client_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                          .room = room,
                          .codec = WZP_CODEC_OPUS_24K,
                          .coded = true,
                          .endpoint = wzp_handset_endpoint(s->handset),
                          .waits = true,
                          .path = {.remote = relay_addr}};
    cfg.seed[0] = (uint8_t)(s - t.sides + 1);
    ck_assert_int_eq(wzp_client_new(&s->client, &cfg, now), WZP_OK);
    wzp_handset_use(s->handset, s->client, now);
}

static void on_phone(side *s, const wzp_phone_event *ev, wzp_time now) {
    if (ev->kind == WZP_PHONE_REGISTERED) {
        s->registered++;
    } else if (ev->kind == WZP_PHONE_INCOMING) {
        ck_assert_int_eq(wzp_handset_answer(s->handset, WZP_ACCEPT_TRUSTED, now), WZP_OK);
    } else if (ev->kind == WZP_PHONE_SET_UP) {
        start_sound(s, ev->room, now);
    }
}

static void open_sockets(side *s, size_t count, wzp_time now) {
    uint16_t ports[WZP_BIRTHDAY_PORTS_MAX];
    ck_assert_uint_le(count, WZP_BIRTHDAY_PORTS_MAX);
    for (size_t i = 0; i < count && s->next_port != 0; i++) {
        ports[i] = s->next_port++;
        s->open++;
    }
    wzp_handset_opened(s->handset, ports, s->open, now);
}

static size_t used_count(const side *s) {
    size_t used = 0;
    for (unsigned port = 20000; port < s->next_port; port++) {
        used += wzp_handset_uses_port(s->handset, (uint16_t)port) ? 1 : 0;
    }
    return used;
}

static const char *lie; /* the IP that whoever has opened many ports says it has */

/* The relay does not look inside. */
static bool forge(void *ctx, bool out, wzp_bytes json) {
    side *s = ctx;
    wzp_signal *signal = NULL;
    ck_assert(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    const bool is_it = out && lie != NULL && signal->kind == WZP_SIGNAL_HARD_NAT_BIRTHDAY_START;
    if (is_it) {
        const wzp_bytes id = signal->u.HardNatBirthdayStart.call_id;
        (void)snprintf(s->forged, sizeof s->forged,
                       "{\"HardNatBirthdayStart\":{\"version\":1,\"call_id\":\"%.*s\","
                       "\"acceptor_port_count\":32,\"acceptor_ports\":[4000],"
                       "\"external_ip\":\"%s\"}}",
                       (int)id.len, (const char *)id.data, lie);
    }
    wzp_signal_free(&signal);
    return !is_it;
}

static void after(void *ctx, wzp_time now) {
    side *s = ctx;
    if (s->forged[0] != '\0') {
        wzp_handset_signal(s->handset, true, wzp_bytes_str(s->forged), now);
        s->forged[0] = '\0';
    }
    wzp_handset_event ev;
    wzp_client_event sound;
    while (wzp_handset_next_event(s->handset, now, &ev)) {
        if (ev.kind == WZP_HANDSET_PHONE) {
            on_phone(s, ev.phone, now);
        } else if (ev.kind == WZP_HANDSET_PATH) {
            s->path = ev.path;
            s->paths++;
        } else if (ev.kind == WZP_HANDSET_OPEN) {
            open_sockets(s, ev.sockets, now);
        } else if (ev.kind == WZP_HANDSET_SHUT) {
            s->open = used_count(s);
        }
    }
    while (s->client != NULL && wzp_client_next_event(s->client, now, &sound)) {
        if (sound.kind == WZP_CLIENT_CAPTURE) {
            static const uint8_t frame[40];
            (void)(wzp_client_push_coded(s->client, wzp_bytes_of(frame, sizeof frame), now) ==
                   WZP_OK);
        }
    }
}

/* --- set-up -------------------------------------------------------------------------------------
 */

static void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

static wzp_handset_birthday party; /* that is held */

static void start(unsigned i, toy_nat_kind kind, uint8_t ip, bool no_prediction) {
    static const wzp_core_ops ops = {side_recv, side_tick, side_deadline, side_next};
    wzp_addr stuns[STUNS];
    side *s = &t.sides[i];
    *s =
        (side){.next_port = 20000,
               .inside = wzp_addr_v4(192, 168, (uint8_t)i, 2, TOY_NAT_PORT),
               .nat = {.kind = kind, .ip = ip, .step = 1, .latest = (uint16_t)(40000 + 10000 * i)}};
    wzp_prng_init(&s->prng, i, "handset");
    for (unsigned k = 0; k < STUNS; k++) {
        stuns[k] = t.stuns[k].addr;
    }
    const wzp_handset_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                                 .seed = {(uint8_t)(i + 1)},
                                 .path = {.remote = relay_addr},
                                 .no_prediction = no_prediction,
                                 .birthday = party,
                                 .net.own = s->inside,
                                 .stun = stuns,
                                 .stun_count = STUNS,
                                 .unix_ms = 1779700000000,
                                 .signal = on_signal,
                                 .signal_ctx = s,
                                 .filter = forge,
                                 .filter_ctx = s};
    ck_assert_int_eq(wzp_handset_new(&s->handset, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, (wzp_core){s, &ops}, s->inside, after, s);
}

static void set_up(void) {
    static const wzp_core_ops relay_ops = {relay_recv, relay_tick, relay_deadline, relay_next};
    static const wzp_core_ops stun_ops = {stun_server_recv, stun_server_tick, stun_server_deadline,
                                          stun_next};
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    pair_init(&t.net, 1);
    party = (wzp_handset_birthday){.sockets = 0};
    lie = NULL;
    wzp_prng_init(&t.prng, 3, "relay");
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, (wzp_core){t.relay, &relay_ops}, relay_addr, NULL, NULL);
    for (unsigned k = 0; k < STUNS; k++) {
        t.stuns[k] = (server){.addr = wzp_addr_v4(192, 0, 2, (uint8_t)(2 + k), 3478)};
        pair_add(&t.net, (wzp_core){&t.stuns[k], &stun_ops}, t.stuns[k].addr, NULL, NULL);
    }
}

static void tear_down(void) {
    pair_clear(&t.net);
    for (unsigned i = 0; i < SIDES; i++) {
        wzp_client_free(&t.sides[i].client);
        wzp_handset_free(&t.sides[i].handset);
    }
    wzp_relay_free(&t.relay);
}

static void start_both(toy_nat_kind a, toy_nat_kind b, bool swapped, bool no_prediction) {
    start(A, a, swapped ? 20 : 10, no_prediction);
    start(B, b, swapped ? 10 : 20, no_prediction);
    run(2000);
    ck_assert_uint_eq(t.sides[A].registered + t.sides[B].registered, 2);
}

static wzp_race_path ring(toy_nat_kind a, toy_nat_kind b) {
    ck_assert_int_eq(wzp_handset_call(t.sides[A].handset,
                                      wzp_handset_fingerprint(t.sides[B].handset), t.net.now),
                     WZP_OK);
    run(5000);
    ck_assert_msg(t.sides[A].path == t.sides[B].path && t.sides[A].path != WZP_RACE_UNDECIDED,
                  "%s-%s: paths %d and %d", toy_nat_name(a), toy_nat_name(b), t.sides[A].path,
                  t.sides[B].path);
    return t.sides[A].path;
}

static wzp_race_path call(toy_nat_kind a, toy_nat_kind b, bool swapped, bool no_prediction) {
    start_both(a, b, swapped, no_prediction);
    return ring(a, b);
}

/* --- calls --------------------------------------------------------------------------------------
 */

START_TEST(all_pairs_meet) {
    const toy_nat_kind kinds[] = {(toy_nat_kind)(_i / 2 % TOY_NAT_KINDS),
                                  (toy_nat_kind)(_i / 2 / TOY_NAT_KINDS)};
    const wzp_race_path path = call(kinds[A], kinds[B], _i % 2 == 1, false);
    for (unsigned i = 0; i < SIDES; i++) {
        ck_assert_uint_eq(t.sides[i].probes, 1);
        ck_assert_int_eq(t.sides[i].said, kinds[i] == TOY_PRC ? WZP_PORT_ALLOC_PRESERVING
                                                              : WZP_PORT_ALLOC_SEQUENTIAL);
        ck_assert_uint_eq(t.sides[i].paths, 1);
    }
    ck_assert_msg(path == WZP_RACE_DIRECT, "%s-%s%s: relay", toy_nat_name(kinds[A]),
                  toy_nat_name(kinds[B]), _i % 2 == 1 ? " swapped" : "");
}
END_TEST

/* The mappings to STUN servers are gone, and others have taken many ports. */
START_TEST(a_minute_later) {
    start_both(TOY_SYS, TOY_SYS, false, false);
    run(60000);
    for (unsigned i = 0; i < SIDES; i++) {
        toy_nat *nat = &t.sides[i].nat;
        nat->latest = (uint16_t)(nat->latest + 100 * (1 + i));
        toy_nat_forget(nat, &relay_addr);
    }
    ck_assert_int_eq(ring(TOY_SYS, TOY_SYS), WZP_RACE_DIRECT);
    ck_assert_uint_eq(t.sides[A].probes, 1);
    ck_assert_uint_eq(t.sides[B].probes, 1);
}
END_TEST

/* The servers that were asked still show the old ports; one was kept for this. */
START_TEST(others_took_ports) {
    start_both(TOY_SYS, TOY_SYS, false, false);
    t.sides[A].nat.latest = (uint16_t)(t.sides[A].nat.latest + 20);
    t.sides[B].nat.latest = (uint16_t)(t.sides[B].nat.latest + 10);
    ck_assert_int_eq(ring(TOY_SYS, TOY_SYS), WZP_RACE_DIRECT);
}
END_TEST

START_TEST(without_prediction_they_do_not) {
    ck_assert_int_eq(call(TOY_PRC, TOY_SYS, _i == 1, true), WZP_RACE_RELAY);
    ck_assert_uint_eq(t.sides[A].probes + t.sides[B].probes, 0);
}
END_TEST

/* --- birthdays ---------------------------------------------------------------------------------
 */

static const wzp_handset_birthday small = {.sockets = 32, .probes = 128, .interval = 20 * WZP_MS};

static wzp_handset_counters counters(unsigned i) {
    wzp_handset_counters c;
    wzp_handset_count(t.sides[i].handset, &c);
    return c;
}

/* The ports that servers saw are of one block, so that 128 of its 1024 are nearly sure to meet. */
START_TEST(many_sockets_meet_many_probes) {
    const unsigned hard = _i % 2 == 0 ? A : B;
    party = small;
    start_both(hard == A ? TOY_SYR : TOY_PRC, hard == B ? TOY_SYR : TOY_PRC, _i / 2 == 1, false);
    ck_assert_int_eq(ring(TOY_SYR, TOY_PRC), WZP_RACE_DIRECT);
    ck_assert_uint_eq(t.sides[hard].birthdays, 1);
    ck_assert_uint_eq(t.sides[1 - hard].birthdays, 0);
    ck_assert_uint_eq(t.sides[A].paths, 2); /* the relay's, then this one */
    ck_assert_uint_eq(t.sides[B].paths, 2);
    ck_assert_uint_ge(counters(hard).birthday_hits, 1);
    ck_assert_uint_le(counters(hard).birthday_ports, 32);
    ck_assert_uint_le(counters(1 - hard).birthday_probes, 128);
    ck_assert_uint_eq(counters(hard).birthday_probes + counters(1 - hard).birthday_ports, 0);
    run(1000);
    ck_assert_uint_eq(t.sides[hard].open, 1);
    wzp_handset_hangup(t.sides[A].handset, t.net.now);
    run(5000);
    ck_assert_uint_eq(t.sides[hard].open, 0);
}
END_TEST

/* Both hard, both easy, not wanted by one of them, no sockets to be had: nobody begins. */
START_TEST(nobody_celebrates) {
    party = small;
    start(A, _i == 1 ? TOY_PRC : TOY_SYR, 10, false);
    t.sides[A].next_port = _i == 3 ? 0 : 20000;
    party.sockets = _i == 2 ? 0 : 32;
    start(B, _i == 0 ? TOY_SYR : TOY_PRC, 20, false);
    run(2000);
    const wzp_race_path path = ring(TOY_SYR, TOY_SYR);
    ck_assert_int_eq(path, _i == 1 ? WZP_RACE_DIRECT : WZP_RACE_RELAY);
    run(12000);
    for (unsigned i = 0; i < SIDES; i++) {
        ck_assert_uint_eq(t.sides[i].birthdays, 0);
        ck_assert_uint_eq(counters(i).birthdays, 0);
        ck_assert_uint_eq(counters(i).birthday_probes, 0);
    }
}
END_TEST

/* Somebody else is named, or we are: nothing leaves, and it is counted. */
START_TEST(nobody_is_scanned_for_others) {
    static const char *const lies[] = {"203.0.113.77", "198.51.100.20", "192.168.0.2",
                                       "2001:db8::1"};
    party = small;
    lie = lies[_i];
    start_both(TOY_SYR, TOY_PRC, false, false);
    ck_assert_int_eq(ring(TOY_SYR, TOY_PRC), WZP_RACE_RELAY);
    run(14000);
    ck_assert_uint_eq(t.sides[A].birthdays, 1);
    ck_assert_uint_eq(counters(B).birthday_probes, 0);
    ck_assert_uint_eq(counters(B).birthdays, 0);
    ck_assert_uint_eq(counters(B).told.unusable, 1);
    ck_assert_uint_eq(t.sides[A].open, 0);
    ck_assert_int_eq(t.sides[A].path, WZP_RACE_RELAY);
}
END_TEST

/* Bounded in number and in time, also where it is in vain; then all is closed. */
START_TEST(in_vain) {
    party = small;
    start_both(TOY_SYR, TOY_PRC, _i == 1, false);
    t.sides[A].nat.latest =
        (uint16_t)(t.sides[A].nat.latest + 8 * TOY_NAT_BLOCK); /* another block */
    ck_assert_int_eq(ring(TOY_SYR, TOY_PRC), WZP_RACE_RELAY);
    run(20000);
    ck_assert_uint_eq(counters(A).birthday_ports, 32);
    ck_assert_uint_eq(counters(B).birthday_probes, 128);
    ck_assert_uint_eq(counters(A).birthdays, 1);
    ck_assert_uint_eq(t.sides[A].open, 0);
    ck_assert_uint_eq(t.sides[A].paths, 1);
    ck_assert_int_eq(t.sides[A].path, WZP_RACE_RELAY);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("handset_ports");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, all_pairs_meet, 0, 2 * TOY_NAT_KINDS * TOY_NAT_KINDS);
    tcase_add_test(tc, a_minute_later);
    tcase_add_test(tc, others_took_ports);
    tcase_add_loop_test(tc, without_prediction_they_do_not, 0, 2);
    tcase_add_loop_test(tc, many_sockets_meet_many_probes, 0, 4);
    tcase_add_loop_test(tc, nobody_celebrates, 0, 4);
    tcase_add_loop_test(tc, nobody_is_scanned_for_others, 0, 4);
    tcase_add_loop_test(tc, in_vain, 0, 2);
    return wzp_run_suite("client.handset_ports", tc);
}
