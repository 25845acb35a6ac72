/* Two handsets, a relay, a STUN server and a stranger in memory: a call takes the path that it
 * should, both sides agree, and it survives what breaks. */
#include "client/handset.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "nat/demux.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { A, B, SIDES };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {192, 0, 2, 1}};
static const wzp_addr stun_addr = {WZP_ADDR_V4, 3478, {192, 0, 2, 2}};

typedef struct side {
    wzp_handset *handset;
    wzp_client *client;
    wzp_prng prng;
    wzp_addr addr;
    wzp_accept_mode mode;
    wzp_handset_event path; /* as told last */
    unsigned paths, ended, registered, seen, set_ups;
    char why[96];
    uint32_t said;
    unsigned heard;
    wzp_time heard_at, longest_silence;
    bool is_blind; /* nothing goes from it to the other side directly */
} side;

static struct {
    pair_net net;
    side sides[SIDES];
    wzp_relay *relay;
    wzp_prng prng;
} t;

/* --- the network --------------------------------------------------------------------------------
 */

static side *at(const wzp_addr *addr) {
    for (unsigned i = 0; i < SIDES; i++) {
        if (wzp_addr_equal(&t.sides[i].addr, addr)) {
            return &t.sides[i];
        }
    }
    return NULL;
}

static void guarded_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                         wzp_time now) {
    const side *s = self;
    const side *from = at(&path->remote);
    if (from == NULL || !from->is_blind) {
        const wzp_core core = wzp_handset_core(s->handset);
        core.ops->recv(core.self, path, ecn, payload, now);
    }
}

static void guarded_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_handset_core(((side *)self)->handset);
    core.ops->tick(core.self, now);
}

static wzp_time guarded_deadline(const void *self) {
    const wzp_core core = wzp_handset_core(((const side *)self)->handset);
    return core.ops->deadline(core.self);
}

static size_t guarded_next(void *self, wzp_time now, uint8_t *buf, size_t cap,
                           wzp_quic_meta *meta) {
    const wzp_core core = wzp_handset_core(((side *)self)->handset);
    return core.ops->next_packet(core.self, now, buf, cap, meta);
}

/* --- those who talk ------------------------------------------------------------------------------
 */

static wzp_client *sound(side *s, const char *room) {
    wzp_client_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                          .room = room,
                          .codec = WZP_CODEC_OPUS_24K,
                          .coded = true,
                          .endpoint = wzp_handset_endpoint(s->handset),
                          .waits = true,
                          .path = {.remote = relay_addr}};
    wzp_client *client;
    cfg.seed[0] = (uint8_t)(s - t.sides + 1);
    ck_assert_int_eq(wzp_client_new(&client, &cfg, t.net.now), WZP_OK);
    return client;
}

static void on_phone(side *s, const wzp_phone_event *ev, wzp_time now) {
    if (ev->kind == WZP_PHONE_REGISTERED) {
        s->registered++;
    } else if (ev->kind == WZP_PHONE_INCOMING) {
        ck_assert_int_eq(wzp_handset_answer(s->handset, s->mode, now), WZP_OK);
    } else if (ev->kind == WZP_PHONE_SET_UP) {
        s->set_ups++;
        s->client = sound(s, ev->room);
        wzp_handset_use(s->handset, s->client, now);
    } else if (ev->kind == WZP_PHONE_ENDED) {
        s->ended++;
        (void)snprintf(s->why, sizeof s->why, "%s", ev->text);
        wzp_client_free(&s->client);
    }
}

static void on_client(side *s, const wzp_client_event *ev, wzp_time now) {
    if (ev->kind == WZP_CLIENT_CAPTURE) {
        uint8_t frame[40] = {0};
        memcpy(frame, &s->said, sizeof s->said);
        s->said++;
        ck_assert_int_eq(wzp_client_push_coded(s->client, wzp_bytes_of(frame, sizeof frame), now),
                         WZP_OK);
    } else if (ev->kind == WZP_CLIENT_PLAY && ev->slot == WZP_JBUF_FRAME) {
        const wzp_time gap = s->heard > 0 ? now - s->heard_at : 0;
        s->longest_silence = gap > s->longest_silence ? gap : s->longest_silence;
        s->heard_at = now;
        s->heard++;
    }
}

static void after(void *ctx, wzp_time now) {
    side *s = ctx;
    wzp_handset_event ev;
    wzp_client_event sounds;
    while (wzp_handset_next_event(s->handset, now, &ev)) {
        if (ev.kind == WZP_HANDSET_PHONE) {
            on_phone(s, ev.phone, now);
        } else if (ev.kind == WZP_HANDSET_PATH) {
            s->path = ev;
            s->paths++;
        } else {
            s->seen++;
        }
    }
    while (s->client != NULL && wzp_client_next_event(s->client, now, &sounds)) {
        on_client(s, &sounds, now);
    }
}

/* --- a STUN server -------------------------------------------------------------------------------
 */

static struct {
    wzp_addr to;
    uint8_t answer[64];
    size_t len;
} stun;

static void stun_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_stun_message request;
    wzp_wr wr;
    (void)self;
    (void)ecn;
    (void)now;
    ck_assert(wzp_stun_parse(&request, payload, NULL) == WZP_OK);
    wzp_stun_message answer = {.type = WZP_STUN_SUCCESS, .xor_mapped = path->remote};
    memcpy(answer.txid, request.txid, sizeof answer.txid);
    wzp_wr_init(&wr, stun.answer, sizeof stun.answer);
    wzp_stun_write(&wr, &answer);
    stun.len = wzp_wr_len(&wr);
    stun.to = path->remote;
}

static void stun_tick(void *self, wzp_time now) {
    (void)self;
    (void)now;
}

static wzp_time stun_deadline(const void *self) {
    (void)self;
    return stun.len > 0 ? 0 : WZP_TIME_NEVER;
}

static size_t stun_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    const size_t len = stun.len;
    (void)self;
    (void)now;
    (void)cap;
    memcpy(buf, stun.answer, len);
    *meta = (wzp_quic_meta){.path = {.remote = stun.to}, .segment = (uint16_t)len};
    stun.len = 0;
    return len;
}

/* --- set-up --------------------------------------------------------------------------------------
 */

static void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

static void start(unsigned i, const wzp_handset_cfg *like) {
    static const wzp_core_ops ops = {guarded_recv, guarded_tick, guarded_deadline, guarded_next};
    side *s = &t.sides[i];
    *s = (side){.addr = wzp_addr_v4(203, 0, 113, (uint8_t)(10 + i), 5000),
                .mode = WZP_ACCEPT_TRUSTED};
    wzp_prng_init(&s->prng, i, "handset");
    wzp_handset_cfg cfg = *like;
    cfg.rng = wzp_prng_rng(&s->prng);
    cfg.seed[0] = (uint8_t)(i + 1);
    cfg.path.remote = relay_addr;
    cfg.net.own = s->addr;
    cfg.stun = &stun_addr;
    cfg.stun_count = 1;
    ck_assert_int_eq(wzp_handset_new(&s->handset, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, (wzp_core){s, &ops}, s->addr, after, s);
}

static void open_net(const wzp_handset_cfg *a, const wzp_handset_cfg *b) {
    static const wzp_core_ops stun_ops = {stun_recv, stun_tick, stun_deadline, stun_next};
    pair_init(&t.net, 1);
    stun.len = 0;
    wzp_prng_init(&t.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_relay_core(t.relay), relay_addr, NULL, NULL);
    start(A, a);
    start(B, b);
    pair_add(&t.net, (wzp_core){NULL, &stun_ops}, stun_addr, NULL, NULL);
    run(500);
    ck_assert_uint_eq(t.sides[A].registered + t.sides[B].registered, 2);
}

static void close_net(void) {
    pair_clear(&t.net);
    for (unsigned i = 0; i < SIDES; i++) {
        wzp_client_free(&t.sides[i].client);
        wzp_handset_free(&t.sides[i].handset);
    }
    wzp_relay_free(&t.relay);
}

static void call(void) {
    ck_assert_int_eq(wzp_handset_call(t.sides[A].handset,
                                      wzp_handset_fingerprint(t.sides[B].handset), t.net.now),
                     WZP_OK);
}

static void expect_path(wzp_race_path path) {
    for (unsigned i = 0; i < SIDES; i++) {
        const side *other = &t.sides[1 - i];
        const wzp_addr *far = path == WZP_RACE_DIRECT ? &other->addr : &relay_addr;
        ck_assert_int_eq(t.sides[i].path.path, path);
        ck_assert_msg(wzp_addr_equal(&t.sides[i].path.addr, far), "side %u", i);
    }
}

static void expect_sound(uint64_t ms) {
    const unsigned before[SIDES] = {t.sides[A].heard, t.sides[B].heard};
    run(ms);
    for (unsigned i = 0; i < SIDES; i++) {
        const unsigned frames = t.sides[i].heard - before[i];
        ck_assert_msg(frames + 10 >= ms / 20, "side %u heard %u frames in %u ms", i, frames,
                      (unsigned)ms);
    }
}

static wzp_handset_counters counters(unsigned i) {
    wzp_handset_counters c;
    wzp_handset_count(t.sides[i].handset, &c);
    return c;
}

static void blind(bool is_blind) {
    t.sides[A].is_blind = t.sides[B].is_blind = is_blind;
}

static const wzp_handset_cfg reference = {.policy = WZP_RACE_REFERENCE};
static const wzp_handset_cfg deployed = {.policy = WZP_RACE_DEPLOYED};

/* --- the path that a call takes ------------------------------------------------------------------
 */

START_TEST(who_can_meet_meets) {
    open_net(&reference, &reference);
    call();
    run(1000);
    expect_path(WZP_RACE_DIRECT);
    ck_assert(t.sides[A].path.proven && t.sides[B].path.proven);
    expect_sound(1000);
    wzp_handset_hangup(t.sides[A].handset, t.net.now);
    wzp_client_free(&t.sides[A].client);
    run(300);
    ck_assert_uint_eq(t.sides[B].ended, 1);
    call(); /* the next call begins anew */
    run(1500);
    ck_assert_uint_eq(t.sides[B].set_ups, 2);
    expect_path(WZP_RACE_DIRECT);
    expect_sound(500);
    close_net();
}
END_TEST

START_TEST(who_cannot_meet_has_the_relay) {
    open_net(&reference, &reference);
    blind(true);
    call();
    run(3000);
    expect_path(WZP_RACE_RELAY);
    ck_assert_str_eq(t.sides[A].path.text, "a direct path did not come up on both sides");
    expect_sound(1000);
    close_net();
}
END_TEST

START_TEST(one_way_is_no_way) {
    open_net(&reference, &reference);
    t.sides[B].is_blind = true;
    call();
    run(3000);
    expect_path(WZP_RACE_RELAY);
    expect_sound(1000);
    close_net();
}
END_TEST

START_TEST(who_does_not_tell_has_the_relay) {
    const wzp_handset_cfg shy = {.policy = WZP_RACE_REFERENCE, .relay_only = true};
    for (unsigned i = 0; i < 3; i++) {
        open_net(i == 1 ? &shy : &reference, i == 2 ? &shy : &reference);
        t.sides[B].mode = i == 0 ? WZP_ACCEPT_GENERIC : WZP_ACCEPT_TRUSTED;
        call();
        run(2000);
        expect_path(WZP_RACE_RELAY);
        ck_assert_str_eq(t.sides[A].path.text, "one side does not tell where it is");
        ck_assert_uint_eq(counters(A).dials + counters(B).dials, 0);
        ck_assert_uint_eq(counters(A).tickles + counters(B).tickles, 0);
        expect_sound(500);
        close_net();
    }
}
END_TEST

START_TEST(direct_or_not_at_all) {
    const wzp_handset_cfg only = {.policy = WZP_RACE_REFERENCE, .direct_only = true};
    open_net(&only, &reference);
    blind(true);
    call();
    run(4000);
    ck_assert_uint_eq(t.sides[A].ended, 1);
    ck_assert_uint_eq(t.sides[B].ended, 1);
    ck_assert_str_eq(t.sides[A].why, "direct only: no direct path came up");
    close_net();
}
END_TEST

START_TEST(deployed_ones_meet) {
    const wzp_handset_cfg *pairs[][2] = {
        {&deployed, &deployed}, {&deployed, &reference}, {&reference, &deployed}};
    for (size_t i = 0; i < WZP_COUNT_OF(pairs); i++) {
        open_net(pairs[i][0], pairs[i][1]);
        call();
        run(3500);
        expect_path(WZP_RACE_DIRECT);
        ck_assert(!t.sides[A].path.proven);
        ck_assert_uint_eq(counters(A).dials + counters(B).dials, 1);
        expect_sound(500);
        close_net();
    }
}
END_TEST

/* --- what breaks ---------------------------------------------------------------------------------
 */

START_TEST(a_direct_path_breaks_and_comes_back) {
    open_net(&reference, &reference);
    call();
    run(2000);
    expect_path(WZP_RACE_DIRECT);
    blind(true);
    run(2500);
    expect_path(WZP_RACE_RELAY);
    ck_assert_str_eq(t.sides[A].path.text, "nothing comes by the direct path any more");
    expect_sound(1000);
    run(5000);
    for (unsigned i = 0; i < SIDES; i++) {
        ck_assert_uint_eq(counters(i).repairs, 1);
        ck_assert_uint_eq(counters(i).races, 2); /* in vain */
        ck_assert_uint_lt(t.sides[i].longest_silence, 2500 * WZP_MS);
    }
    close_net();
}
END_TEST

START_TEST(a_short_break_ends_on_a_direct_path) {
    open_net(&reference, &reference);
    call();
    run(2000);
    blind(true);
    run(1800);
    blind(false);
    run(4000);
    expect_path(WZP_RACE_DIRECT);
    expect_sound(1000);
    ck_assert_uint_eq(t.sides[A].paths, 3);
    ck_assert_uint_eq(t.sides[B].paths, 3);
    close_net();
}
END_TEST

/* Nothing reaches B directly; A hears B all the time. */
START_TEST(one_way_breaks) {
    open_net(&reference, &reference);
    call();
    run(2000);
    t.sides[A].is_blind = true;
    run(4000);
    expect_path(WZP_RACE_RELAY);
    ck_assert_uint_lt(t.sides[A].longest_silence, 200 * WZP_MS);
    ck_assert_uint_lt(t.sides[B].longest_silence, 2500 * WZP_MS);
    expect_sound(1000);
    close_net();
}
END_TEST

START_TEST(somebody_moves) {
    open_net(&reference, &reference);
    call();
    run(2000);
    side *a = &t.sides[A];
    const wzp_handset_net net = {.own = wzp_addr_v4(203, 0, 113, 77, 6000)};
    a->addr = net.own;
    t.net.addr[1] = net.own;
    wzp_handset_network(a->handset, &net, t.net.now);
    run(6000);
    ck_assert_uint_ge(counters(B).races, 2);
    expect_path(WZP_RACE_DIRECT);
    expect_sound(1000);
    close_net();
}
END_TEST

/* --- somebody else -------------------------------------------------------------------------------
 */

typedef struct stranger {
    wzp_endpoint *endpoint;
    wzp_endpoint_user user;
    wzp_prng prng;
    unsigned closed;
} stranger;

static void on_stranger(void *self, const wzp_quic_event *ev, wzp_time now) {
    (void)now;
    ((stranger *)self)->closed += ev->kind == WZP_QUIC_CLOSED ? 1 : 0;
}

START_TEST(strangers_are_refused) {
    static const wzp_addr addr = {WZP_ADDR_V4, 9, {198, 51, 100, 66}};
    stranger s = {.user = {&s, on_stranger}};
    wzp_quic_conn conn;
    open_net(&reference, &reference);
    wzp_prng_init(&s.prng, 9, "stranger");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&s.prng)};
    ck_assert_int_eq(wzp_endpoint_new(&s.endpoint, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_endpoint_core(s.endpoint), addr, NULL, NULL);
    wzp_quic_dial dial = {.path = {addr, t.sides[A].addr}, .sni = "call-call-1"};
    ck_assert_int_eq(wzp_endpoint_dial(s.endpoint, &dial, &s.user, t.net.now, &conn), WZP_OK);
    run(300);
    ck_assert_uint_eq(s.closed, 1); /* nobody calls */
    call();
    ck_assert_int_eq(wzp_endpoint_dial(s.endpoint, &dial, &s.user, t.net.now, &conn), WZP_OK);
    run(1000);
    ck_assert_uint_eq(s.closed, 2); /* another call */
    ck_assert_uint_eq(counters(A).refused_sni, 1);
    expect_path(WZP_RACE_DIRECT);
    const uint8_t junk[3] = {0, 1, 2};
    (void)wzp_endpoint_send(s.endpoint, &t.sides[A].addr, wzp_bytes_of(junk, 3));
    run(100);
    ck_assert_uint_eq(counters(A).strangers, 1);
    wzp_endpoint_free(&s.endpoint);
    close_net();
}
END_TEST

START_TEST(what_cannot_be_done) {
    open_net(&reference, &reference);
    wzp_handset *a = t.sides[A].handset;
    ck_assert_int_eq(wzp_handset_call(a, "not a fingerprint", t.net.now), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_handset_answer(a, WZP_ACCEPT_TRUSTED, t.net.now),
                     WZP_ERR_INVALID_ARGUMENT);
    call();
    ck_assert_int_eq(wzp_handset_call(a, wzp_handset_fingerprint(t.sides[B].handset), t.net.now),
                     WZP_ERR_INVALID_ARGUMENT);
    run(500);
    wzp_handset_close(a, t.net.now);
    wzp_client_free(&t.sides[A].client);
    run(500);
    ck_assert_uint_eq(t.sides[B].ended, 1);
    close_net();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("handset");
    tcase_add_test(tc, who_can_meet_meets);
    tcase_add_test(tc, who_cannot_meet_has_the_relay);
    tcase_add_test(tc, one_way_is_no_way);
    tcase_add_test(tc, who_does_not_tell_has_the_relay);
    tcase_add_test(tc, direct_or_not_at_all);
    tcase_add_test(tc, deployed_ones_meet);
    tcase_add_test(tc, a_direct_path_breaks_and_comes_back);
    tcase_add_test(tc, a_short_break_ends_on_a_direct_path);
    tcase_add_test(tc, one_way_breaks);
    tcase_add_test(tc, somebody_moves);
    tcase_add_test(tc, strangers_are_refused);
    tcase_add_test(tc, what_cannot_be_done);
    return wzp_run_suite("client.handset", tc);
}
