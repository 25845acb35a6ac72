/* Phones over the real relay core, in memory: every way in which a call begins and ends. */
#include "phone/phone.h"

#include <check.h>
#include <stdio.h>

#include "base/testing/suite.h"
#include "client/client.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { PHONES = 3, A = 0, B = 1, C = 2, LOG_MAX = 512 };

typedef struct handset {
    wzp_phone *phone;
    wzp_client *client;
    wzp_prng prng, media_prng;
    uint8_t seed;
    pair_net *net;
    char log[LOG_MAX]; /* what it was told, without presence */
    char from[WZP_FINGERPRINT_TEXT + 1], room[WZP_QUIC_SNI_MAX + 1];
    wzp_addr relay;
    uint32_t present, members;
    bool proven;
    bool answers; /* at once */
    bool is_away; /* looks at nothing */
    wzp_accept_mode mode;
    uint64_t played;
} handset;

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

static struct {
    pair_net net;
    handset phones[PHONES];
    wzp_relay *relay;
    wzp_prng prng;
} t;

static void note(handset *h, const char *what, const char *text) {
    const size_t len = strlen(h->log);
    (void)snprintf(h->log + len, sizeof h->log - len, "%s%s%s;", what, *text != '\0' ? " " : "",
                   text);
}

static void after(void *ctx, wzp_time now) {
    static const char *const names[] = {[WZP_PHONE_REGISTERED] = "registered",
                                        [WZP_PHONE_INCOMING] = "incoming",
                                        [WZP_PHONE_RINGING] = "ringing",
                                        [WZP_PHONE_SET_UP] = "set up",
                                        [WZP_PHONE_REFLEXIVE] = "reflexive",
                                        [WZP_PHONE_PATH] = "path",
                                        [WZP_PHONE_UPDATE] = "update",
                                        [WZP_PHONE_ENDED] = "ended",
                                        [WZP_PHONE_AWAY] = "away",
                                        [WZP_PHONE_CLOSED] = "closed"};
    handset *h = ctx;
    wzp_phone_event ev;
    (void)now;
    while (!h->is_away && wzp_phone_next_event(h->phone, &ev)) {
        if (ev.kind == WZP_PHONE_PRESENCE) {
            h->present = ev.count;
            continue;
        }
        const bool told = ev.kind == WZP_PHONE_INCOMING || ev.kind == WZP_PHONE_ENDED;
        note(h, names[ev.kind], told ? ev.text : "");
        if (ev.kind == WZP_PHONE_INCOMING) {
            (void)snprintf(h->from, sizeof h->from, "%s", ev.fingerprint);
            h->proven = ev.proven;
        } else if (ev.kind == WZP_PHONE_SET_UP) {
            (void)snprintf(h->room, sizeof h->room, "%s", ev.room);
            h->relay = ev.relay;
        }
        if (ev.kind == WZP_PHONE_INCOMING && h->answers) {
            ck_assert_int_eq(wzp_phone_answer(h->phone, h->mode), WZP_OK);
        }
    }
}

static void start(unsigned i, const char *alias) {
    handset *h = &t.phones[i];
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + i), 5000);
    *h = (handset){.seed = (uint8_t)(i + 1), .net = &t.net};
    wzp_prng_init(&h->prng, i, "phone");
    const wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&h->prng),
                               .seed = {h->seed},
                               .alias = alias,
                               .path = {addr, relay_addr}};
    ck_assert_int_eq(wzp_phone_new(&h->phone, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_phone_core(h->phone), addr, after, h);
}

static void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

/* Alice, Bob and one without a name. */
static void set_up(void) {
    pair_init(&t.net, 1);
    wzp_prng_init(&t.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_relay_core(t.relay), relay_addr, NULL, NULL);
    start(A, "Alice");
    start(B, "Bob");
    start(C, NULL);
    run(500);
    for (unsigned i = 0; i < PHONES; i++) {
        ck_assert_str_eq(t.phones[i].log, "registered;");
        ck_assert_uint_eq(t.phones[i].present, PHONES);
        t.phones[i].log[0] = '\0';
    }
}

static void tear_down(void) {
    for (unsigned i = 0; i < PHONES; i++) {
        wzp_client_free(&t.phones[i].client);
        wzp_phone_free(&t.phones[i].phone);
    }
    wzp_relay_free(&t.relay);
    pair_clear(&t.net);
}

static void call(unsigned from, unsigned to) {
    const char *whom = wzp_phone_fingerprint(t.phones[to].phone);
    ck_assert_int_eq(wzp_phone_call(t.phones[from].phone, whom), WZP_OK);
}

/* A call that both have agreed on. */
static void talk(void) {
    t.phones[B].answers = true;
    t.phones[B].mode = WZP_ACCEPT_TRUSTED;
    call(A, B);
    run(300);
}

#define SAYS(i, what) ck_assert_str_eq(t.phones[i].log, what)

START_TEST(both_are_told_where_to_go) {
    talk();
    SAYS(A, "ringing;set up;");
    SAYS(B, "incoming Alice;set up;");
    SAYS(C, "");
    ck_assert_str_eq(t.phones[B].from, wzp_phone_fingerprint(t.phones[A].phone));
    ck_assert(t.phones[B].proven);
    ck_assert_str_eq(t.phones[A].room, t.phones[B].room);
    ck_assert(strncmp(t.phones[A].room, "call-", 5) == 0);
    ck_assert(wzp_addr_equal(&t.phones[A].relay, &relay_addr));
}
END_TEST

/* --- the sound of it -------------------------------------------------------------------------- */

static void media(void *ctx, wzp_time now) {
    static const int16_t silence[WZP_OPUS_FRAME_MAX];
    handset *h = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(h->client, now, &ev)) {
        h->members = ev.kind == WZP_CLIENT_ROOM ? ev.count : h->members;
        h->played += ev.kind == WZP_CLIENT_PLAY ? ev.samples : 0;
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            ck_assert_int_eq(wzp_client_push(h->client, silence, ev.samples, now), WZP_OK);
        }
    }
}

static void join(unsigned i) {
    handset *h = &t.phones[i];
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(20 + i), 5000);
    wzp_prng_init(&h->media_prng, i, "media");
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&h->media_prng),
                                .seed = {h->seed},
                                .room = h->room,
                                .codec = WZP_CODEC_OPUS_24K,
                                .path = {addr, relay_addr}};
    ck_assert_int_eq(wzp_client_new(&h->client, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_client_core(h->client), addr, media, h);
}

START_TEST(the_room_is_for_the_two) {
    talk();
    (void)snprintf(t.phones[C].room, sizeof t.phones[C].room, "%s", t.phones[A].room);
    join(A);
    join(B);
    join(C);
    run(3000);
    ck_assert_uint_eq(t.phones[A].members, 2);
    ck_assert_uint_eq(t.phones[B].members, 2);
    ck_assert_uint_eq(t.phones[C].members, 0);
    ck_assert_uint_gt(t.phones[A].played, 96000);
    ck_assert_uint_gt(t.phones[B].played, 96000);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------- */

START_TEST(a_call_is_rejected) {
    t.phones[B].answers = true;
    t.phones[B].mode = WZP_ACCEPT_REJECT;
    call(A, B);
    run(300);
    SAYS(A, "ringing;ended Normal;");
    SAYS(B, "incoming Alice;ended rejected;");
}
END_TEST

START_TEST(nobody_is_there) {
    ck_assert_int_eq(wzp_phone_call(t.phones[A].phone, "0123:4567:89ab:cdef:0123:4567:89ab:cdef"),
                     WZP_OK);
    run(300);
    SAYS(A, "ended nobody with this fingerprint is registered here;");
}
END_TEST

START_TEST(a_second_caller_hears_busy) {
    talk();
    call(C, B);
    run(300);
    SAYS(C, "ringing;ended Busy;");
    SAYS(B, "incoming Alice;set up;");
    SAYS(A, "ringing;set up;");
}
END_TEST

START_TEST(the_caller_gives_up) {
    call(A, B);
    run(300);
    wzp_phone_hangup(t.phones[A].phone);
    run(300);
    SAYS(A, "ringing;ended hung up here;");
    SAYS(B, "incoming Alice;ended Normal;");
    /* Too late to take it. */
    ck_assert_int_eq(wzp_phone_answer(t.phones[B].phone, WZP_ACCEPT_TRUSTED),
                     WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(the_callee_hangs_up_and_can_be_called_again) {
    talk();
    wzp_phone_hangup(t.phones[B].phone);
    run(300);
    SAYS(A, "ringing;set up;ended Normal;");
    char first[WZP_QUIC_SNI_MAX + 1];
    memcpy(first, t.phones[A].room, sizeof first);
    t.phones[A].log[0] = '\0';
    talk();
    SAYS(A, "ringing;set up;");
    ck_assert_str_ne(first, t.phones[A].room);
}
END_TEST

/* Both hang up at once, and B is calling again when the word of the old call's end arrives. */
START_TEST(the_end_of_an_old_call_is_not_that_of_a_new_one) {
    talk();
    wzp_phone_hangup(t.phones[A].phone);
    wzp_phone_hangup(t.phones[B].phone);
    call(B, C);
    run(300);
    SAYS(B, "incoming Alice;set up;ended hung up here;ringing;");
    SAYS(C, "incoming Bob;");
}
END_TEST

/* Nobody is told to answer what is over. */
START_TEST(a_call_that_is_over_does_not_ring) {
    t.phones[B].is_away = true;
    call(A, B);
    run(300);
    wzp_phone_hangup(t.phones[A].phone);
    run(300);
    t.phones[B].is_away = false;
    after(&t.phones[B], t.net.now);
    SAYS(B, "ended Normal;");
}
END_TEST

START_TEST(one_goes_away) {
    talk();
    wzp_phone_close(t.phones[B].phone, t.net.now);
    run(300);
    SAYS(A, "ringing;set up;ended Normal;");
    SAYS(B, "incoming Alice;set up;ended hung up here;closed;");
    ck_assert_uint_eq(t.phones[A].present, 2);
    ck_assert_int_eq(wzp_phone_call(t.phones[B].phone, t.phones[B].from), WZP_ERR_CLOSED);
}
END_TEST

START_TEST(the_relay_goes_away) {
    talk();
    t.net.cut[0] = true;
    run(60000);
    SAYS(A, "ringing;set up;ended the relay is gone;closed;");
}
END_TEST

START_TEST(what_cannot_be_called) {
    ck_assert_int_eq(wzp_phone_call(t.phones[A].phone, "bob"), WZP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(wzp_phone_answer(t.phones[A].phone, WZP_ACCEPT_TRUSTED),
                     WZP_ERR_INVALID_ARGUMENT);
    call(A, B);
    ck_assert_int_eq(wzp_phone_call(t.phones[A].phone, wzp_phone_fingerprint(t.phones[C].phone)),
                     WZP_ERR_INVALID_ARGUMENT);
    wzp_phone_hangup(t.phones[C].phone); /* nothing to end */
    run(300);
    SAYS(A, "ringing;");
    SAYS(C, "");
}
END_TEST

/* --- what nobody should say ------------------------------------------------------------------- */

static void hear_offer(unsigned who, wzp_bytes call_id, const char *alias) {
    uint8_t buf[4096];
    wzp_wr wr;
    const wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {
            .caller_fingerprint = wzp_bytes_str("0123:4567:89ab:cdef:0123:4567:89ab:cdef"),
            .caller_alias = {true, wzp_bytes_str(alias)},
            .target_fingerprint = wzp_bytes_str(wzp_phone_fingerprint(t.phones[who].phone)),
            .call_id = call_id,
            .supported_profiles = {&wzp_profile_good, 1}}};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_signal_write(&wr, &offer);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    wzp_phone_signal(t.phones[who].phone, false, wzp_bytes_of(buf, wzp_wr_len(&wr)), t.net.now);
    after(&t.phones[who], t.net.now);
}

static wzp_phone_counters count(unsigned who) {
    wzp_phone_counters counters;
    wzp_phone_count(t.phones[who].phone, &counters);
    return counters;
}

/* Busy would end the call that it is. */
START_TEST(an_offer_comes_again) {
    talk();
    hear_offer(B, wzp_bytes_str(t.phones[B].room + strlen("call-")), "Alice");
    run(300);
    SAYS(A, "ringing;set up;");
    SAYS(B, "incoming Alice;set up;");
    ck_assert_uint_eq(count(B).ignored, 1);
    ck_assert_uint_eq(count(B).refused_calls, 0);
    hear_offer(B, wzp_bytes_str("another"), "Carol");
    ck_assert_uint_eq(count(B).refused_calls, 1);
}
END_TEST

/* No hangup could name it, and the phone would be busy for ever. */
START_TEST(a_call_without_a_name) {
    static const char with_zero[] = "ab\0cd";
    hear_offer(B, wzp_bytes_of((const uint8_t *)with_zero, 5), "Alice");
    SAYS(B, "");
    ck_assert_uint_eq(count(B).refused_calls, 1);
    call(A, B);
    run(300);
    SAYS(B, "incoming Alice;");
}
END_TEST

START_TEST(a_name_that_pretends) {
    hear_offer(B, wzp_bytes_str("1"),
               /* NOLINTNEXTLINE(misc-misleading-bidirectional): that is what is tried */
               "\xe2\x80\xae"
               "ecila\xc2\x9b\x1b[2J\xc3\xa4");
    SAYS(B, "incoming ?ecila??[2J\xc3\xa4;");
}
END_TEST

START_TEST(what_is_not_understood_is_counted) {
    static const char *const said[] = {
        "{}", "{\"Hangup\":", "{\"CallRinging\":{\"version\":1,\"call_id\":\"1\"}}",
        "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"192.0.2.1:1\"}}"};
    for (size_t i = 0; i < WZP_COUNT_OF(said); i++) {
        wzp_phone_signal(t.phones[A].phone, false, wzp_bytes_str(said[i]), t.net.now);
    }
    ck_assert_uint_eq(count(A).unreadable, 2);
    ck_assert_uint_eq(count(A).ignored, 2);
}
END_TEST

/* As many signals wait already as the connection keeps. */
START_TEST(a_call_that_cannot_be_said_has_ended) {
    static const char mute[] = "{\"Mute\":{\"version\":1}}";
    t.net.cut[0] = true;
    while (count(A).unsent == 0) {
        wzp_phone_signal(t.phones[A].phone, true, wzp_bytes_str(mute), t.net.now);
    }
    call(A, B);
    after(&t.phones[A], t.net.now);
    SAYS(A, "ended the relay could not be told;");
    hear_offer(A, wzp_bytes_str("1"), "Bob");
    ck_assert_int_eq(wzp_phone_answer(t.phones[A].phone, WZP_ACCEPT_TRUSTED), WZP_OK);
    after(&t.phones[A], t.net.now);
    SAYS(A, "ended the relay could not be told;incoming Bob;ended the relay could not be told;");
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("phone");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, both_are_told_where_to_go);
    tcase_add_test(tc, the_room_is_for_the_two);
    tcase_add_test(tc, a_call_is_rejected);
    tcase_add_test(tc, nobody_is_there);
    tcase_add_test(tc, a_second_caller_hears_busy);
    tcase_add_test(tc, the_caller_gives_up);
    tcase_add_test(tc, the_callee_hangs_up_and_can_be_called_again);
    tcase_add_test(tc, the_end_of_an_old_call_is_not_that_of_a_new_one);
    tcase_add_test(tc, a_call_that_is_over_does_not_ring);
    tcase_add_test(tc, one_goes_away);
    tcase_add_test(tc, the_relay_goes_away);
    tcase_add_test(tc, what_cannot_be_called);
    tcase_add_test(tc, an_offer_comes_again);
    tcase_add_test(tc, a_call_without_a_name);
    tcase_add_test(tc, a_name_that_pretends);
    tcase_add_test(tc, what_is_not_understood_is_counted);
    tcase_add_test(tc, a_call_that_cannot_be_said_has_ended);
    return wzp_run_suite("phone", tc);
}
