/* Two phones over the relay core: what each tells of the ports of its NAT, when, and what it makes
 * of what it hears. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "phone/phone_internal.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { A, B, PHONES, LOG_MAX = 1024 };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

typedef struct handset {
    wzp_phone *phone;
    wzp_prng prng;
    bool answers;
    wzp_accept_mode mode;
    char log[LOG_MAX]; /* what it was told: s the set-up, S with probes to follow, pPORT a probe, bN
                          so many ports are open */
    char said[LOG_MAX]; /* signals that left, by their names */
} handset;

static struct {
    pair_net net;
    handset phones[PHONES];
    wzp_relay *relay;
    wzp_prng prng;
    bool is_mute[PHONES]; /* tells nothing of its NAT */
    bool celebrates[PHONES];
} t;

static void note(char log[LOG_MAX], const char *what) {
    const size_t len = strlen(log);
    (void)snprintf(log + len, LOG_MAX - len, "%s%s", len > 0 ? " " : "", what);
}

static void on_signal(void *ctx, bool out, wzp_bytes json) {
    handset *h = ctx;
    char name[48];
    if (out) {
        note(h->said, wzp_signal_peek_name(json, name, sizeof name));
    }
}

static void after(void *ctx, wzp_time now) {
    handset *h = ctx;
    wzp_phone_event ev;
    char text[32];
    (void)now;
    while (wzp_phone_next_event(h->phone, &ev)) {
        if (ev.kind == WZP_PHONE_INCOMING && h->answers) {
            ck_assert_int_eq(wzp_phone_answer(h->phone, h->mode), WZP_OK);
        } else if (ev.kind == WZP_PHONE_SET_UP) {
            note(h->log, ev.peer_probes ? "S" : "s");
        } else if (ev.kind == WZP_PHONE_PROBE) {
            (void)snprintf(text, sizeof text, "p%u", ev.probe->external.port);
            note(h->log, text);
        } else if (ev.kind == WZP_PHONE_BIRTHDAY) {
            (void)snprintf(text, sizeof text, "b%u", ev.birthday->opened);
            note(h->log, text);
        }
    }
}

static wzp_call_probe counting(uint16_t last) {
    return (wzp_call_probe){.alloc = {WZP_PORT_ALLOC_SEQUENTIAL, 1},
                            .external = wzp_addr_v4(203, 0, 113, 5, last),
                            .ports = {last, (uint16_t)(last - 1), (uint16_t)(last - 2)},
                            .port_count = 3,
                            .time_ms = 1779700000000};
}

static void probe(unsigned who, uint16_t last) {
    const wzp_call_probe found = counting(last);
    wzp_phone_set_probe(t.phones[who].phone, &found);
}

static void start(unsigned i) {
    handset *h = &t.phones[i];
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + i), 5000);
    *h = (handset){.answers = true, .mode = WZP_ACCEPT_TRUSTED};
    wzp_prng_init(&h->prng, i, "phone");
    const wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&h->prng),
                               .seed = {(uint8_t)(i + 1)},
                               .path = {addr, relay_addr},
                               .probes = !t.is_mute[i],
                               .celebrates = t.celebrates[i],
                               .signal = on_signal,
                               .signal_ctx = h};
    ck_assert_int_eq(wzp_phone_new(&h->phone, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_phone_core(h->phone), addr, after, h);
}

static void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

static void set_up(void) {
    t.is_mute[A] = t.is_mute[B] = false;
    t.celebrates[A] = t.celebrates[B] = false;
    pair_init(&t.net, 1);
    wzp_prng_init(&t.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_relay_core(t.relay), relay_addr, NULL, NULL);
}

static void register_both(void) {
    start(A);
    start(B);
    run(500);
    t.phones[A].said[0] = t.phones[B].said[0] = '\0';
}

static void tear_down(void) {
    pair_clear(&t.net);
    for (unsigned i = 0; i < PHONES; i++) {
        wzp_phone_free(&t.phones[i].phone);
    }
    wzp_relay_free(&t.relay);
}

static void ring(void) {
    ck_assert_int_eq(wzp_phone_call(t.phones[A].phone, wzp_phone_fingerprint(t.phones[B].phone)),
                     WZP_OK);
    run(300);
}

#define HEARD(i, what) ck_assert_str_eq(t.phones[i].log, what)
#define SAID(i, what) ck_assert_str_eq(t.phones[i].said, what)

START_TEST(both_say_it_once) {
    register_both();
    probe(A, 40003);
    probe(B, 50003);
    ring();
    HEARD(A, "S p50003");
    HEARD(B, "S p40003");
    SAID(A, "DirectCallOffer HardNatProbe");
    SAID(B, "DirectCallAnswer HardNatProbe");
    const wzp_call_probe *got = &t.phones[B].phone->peer_probe;
    ck_assert(got->alloc.kind == WZP_PORT_ALLOC_SEQUENTIAL && got->alloc.delta == 1);
    ck_assert(got->port_count == 3 && got->ports[2] == 40001);
    ck_assert_uint_eq(got->time_ms, 1779700000000);
}
END_TEST

START_TEST(what_is_found_late_is_said_late) {
    register_both();
    ring();
    HEARD(A, "S");
    probe(A, 40003);
    run(100);
    HEARD(B, "S p40003");
    probe(A, 40013);
    run(100);
    HEARD(B, "S p40003 p40013");
    SAID(A, "DirectCallOffer HardNatProbe HardNatProbe");
}
END_TEST

START_TEST(what_is_out_of_date_is_held) {
    register_both();
    probe(A, 40003);
    wzp_phone_hold_probe(t.phones[A].phone);
    ring();
    HEARD(B, "S");
    probe(A, 40103);
    run(100);
    HEARD(B, "S p40103");
}
END_TEST

START_TEST(who_has_none_announces_none) {
    t.is_mute[A] = true;
    register_both();
    probe(B, 50003);
    ring();
    HEARD(A, "S p50003");
    HEARD(B, "s");
}
END_TEST

START_TEST(each_call_has_its_own) {
    register_both();
    probe(A, 40003);
    ring();
    HEARD(B, "S p40003");
    wzp_phone_hangup(t.phones[A].phone);
    run(100);
    ck_assert_uint_eq(t.phones[B].phone->peer_probe.port_count, 0);
    t.phones[A].said[0] = t.phones[B].log[0] = '\0';
    ring();
    HEARD(B, "S p40003");
    SAID(A, "DirectCallOffer HardNatProbe");
}
END_TEST

/* --- privacy (nat sheet 1.11) ----------------------------------------------------------------- */

/* N50: a probe that comes before anybody has accepted is kept, and nothing is said. */
START_TEST(nothing_before_it_is_accepted) {
    register_both();
    probe(A, 40003);
    probe(B, 50003);
    t.phones[B].answers = false;
    ring();
    probe(B, 50004);
    run(5000);
    SAID(A, "DirectCallOffer HardNatProbe");
    SAID(B, "");
    HEARD(B, "");
    ck_assert_int_eq(wzp_phone_answer(t.phones[B].phone, WZP_ACCEPT_TRUSTED), WZP_OK);
    run(300);
    SAID(B, "DirectCallAnswer HardNatProbe");
    HEARD(B, "S p40003");
    HEARD(A, "S p50004");
}
END_TEST

START_TEST(who_does_not_trust_says_nothing_and_uses_nothing) {
    register_both();
    probe(A, 40003);
    probe(B, 50003);
    t.phones[B].mode = WZP_ACCEPT_GENERIC;
    ring();
    probe(B, 50004);
    probe(A, 40004);
    run(300);
    SAID(B, "DirectCallAnswer");
    HEARD(A, "s"); /* nor which build it is */
    HEARD(B, "S");
    SAID(A, "DirectCallOffer HardNatProbe"); /* and no more once it knows */
}
END_TEST

START_TEST(nothing_without_a_call) {
    register_both();
    probe(A, 40003);
    run(100);
    t.phones[B].mode = WZP_ACCEPT_REJECT;
    probe(B, 50003);
    ring();
    probe(B, 50004);
    probe(A, 40004);
    run(100);
    SAID(B, "DirectCallAnswer");
    SAID(A, "DirectCallOffer HardNatProbe");
}
END_TEST

/* --- from others -------------------------------------------------------------------------------
 */

static void hear(unsigned who, const char *call_id, uint16_t last) {
    const wzp_call_probe found = counting(last);
    wzp_call_probe_text text;
    wzp_signal signal = {.kind = WZP_SIGNAL_HARD_NAT_PROBE,
                         .u.HardNatProbe.call_id = wzp_bytes_str(call_id)};
    wzp_call_probe_write(&signal.u.HardNatProbe, &found, &text);
    wzp_phone_on_path_signal(t.phones[who].phone, &signal);
    after(&t.phones[who], t.net.now);
}

/* Signals overtake each other. */
START_TEST(a_probe_before_its_offer) {
    wzp_phone *b;
    register_both();
    b = t.phones[B].phone;
    hear(B, "c0", 1);
    hear(B, "c1", 40003);
    HEARD(B, "");
    (void)snprintf(b->call_id, sizeof b->call_id, "c1");
    wzp_phone_adopt_early_probe(b);
    ck_assert(b->tell_probe && b->peer_probe.external.port == 40003);
    wzp_phone_forget_paths(b);
    wzp_phone_adopt_early_probe(b);
    ck_assert(!b->tell_probe);
    hear(B, "c1", 40003);
    (void)snprintf(b->call_id, sizeof b->call_id, "c2");
    wzp_phone_adopt_early_probe(b);
    ck_assert(!b->tell_probe);
}
END_TEST

START_TEST(another_call_is_another) {
    wzp_phone_counters counters;
    register_both();
    ring();
    hear(B, "another", 40003);
    HEARD(B, "S");
    wzp_phone_count(t.phones[B].phone, &counters);
    ck_assert_uint_eq(counters.probes_elsewhere, 1);
    ck_assert_uint_eq(counters.probes, 0);
}
END_TEST

START_TEST(nonsense_is_counted) {
    register_both();
    probe(A, 40003);
    ring();
    hear(B, t.phones[B].phone->call_id, 1); /* and with it port 0 */
    HEARD(B, "S p40003");
    ck_assert_uint_eq(wzp_phone_refused_addresses(t.phones[B].phone)->unusable, 1);
    ck_assert_uint_eq(t.phones[B].phone->peer_probe.external.port, 40003);
}
END_TEST

/* As upstream's clients send it, accepted or not. */
START_TEST(birthdays_are_tolerated) {
    wzp_phone_counters counters;
    static const uint16_t ports[] = {51000, 0, 62001};
    const wzp_signal start = {.kind = WZP_SIGNAL_HARD_NAT_BIRTHDAY_START,
                              .u.HardNatBirthdayStart = {.call_id = wzp_bytes_str("c1"),
                                                         .acceptor_port_count = 65535,
                                                         .acceptor_ports = {ports, 3},
                                                         .external_ip = wzp_bytes_str("")}};
    register_both();
    wzp_phone_on_path_signal(t.phones[B].phone, &start);
    ring();
    wzp_phone_on_path_signal(t.phones[B].phone, &start);
    run(100);
    wzp_phone_count(t.phones[B].phone, &counters);
    ck_assert_uint_eq(counters.birthdays_ignored, 2);
    ck_assert_uint_eq(counters.birthdays, 0);
    SAID(B, "DirectCallAnswer");
}
END_TEST

static void birthday(unsigned who, uint16_t opened) {
    const wzp_call_birthday said = {.external = wzp_addr_v4(203, 0, 113, 5, 0), .opened = opened};
    wzp_phone_birthday(t.phones[who].phone, &said);
}

START_TEST(a_birthday_is_said_and_heard) {
    t.celebrates[A] = t.celebrates[B] = true;
    register_both();
    birthday(A, 1);
    ring();
    birthday(A, 32);
    birthday(B, 64);
    run(100);
    HEARD(A, "S b64");
    HEARD(B, "S b32");
    SAID(A, "DirectCallOffer HardNatBirthdayStart");
    wzp_phone_hangup(t.phones[A].phone);
    birthday(A, 2);
    run(100);
    HEARD(B, "S b32");
    SAID(A, "DirectCallOffer HardNatBirthdayStart Hangup");
}
END_TEST

/* Nobody tells where he is to somebody whose call was not accepted with trust, nor believes it. */
START_TEST(no_birthday_without_trust) {
    t.celebrates[A] = t.celebrates[B] = true;
    register_both();
    t.phones[B].answers = _i == 1;
    t.phones[B].mode = WZP_ACCEPT_GENERIC;
    ring();
    birthday(A, 32);
    birthday(B, 32);
    run(100);
    ck_assert_ptr_null(strchr(t.phones[A].log, 'b'));
    ck_assert_ptr_null(strchr(t.phones[B].log, 'b'));
    ck_assert_ptr_null(strstr(t.phones[A].said, "Birthday"));
    ck_assert_ptr_null(strstr(t.phones[B].said, "Birthday"));
}
END_TEST

/* Both must hold it. */
START_TEST(no_birthday_for_one) {
    t.celebrates[_i] = true;
    register_both();
    ring();
    birthday((unsigned)(1 - _i), 32);
    birthday((unsigned)_i, 32);
    run(100);
    HEARD(A, "S");
    HEARD(B, "S");
}
END_TEST

/* --- marks -------------------------------------------------------------------------------------
 */

static const struct mark_case {
    const char *build;
    bool is_able, probes, celebrates;
} mark_cases[] = {
    {"1.2.3+probe1+bday1+bidir1", true, true, true},
    {"1.2.3+bday1+probe1+bidir1", true, true, true},
    {"1.2.3+bday1+bidir1", true, false, true},
    {"1.2.3+bday1", false, false, false},
    {"1.2.3+probe1+bidir1", true, true, false},
    {"1.2.3+bidir1", true, false, false},
    {"+probe1+bidir1", true, true, false},
    {"1.2.3+probe1+other2+bidir1", true, true, false},
    {"1.2.3+other2+probe1+bidir1", true, true, false},
    {"1.2.3+probe12+bidir1", true, false, false},
    {"1.2.3+xprobe1+bidir1", true, false, false},
    {"1.2.3+probe1", false, false, false},
    {"1.2.3+bidir1+probe1", false, false, false},
    {"1.2.3", false, false, false},
    {"", false, false, false},
};

START_TEST(marks) {
    const struct mark_case *c = &mark_cases[_i];
    const wzp_opt_str build = {true, wzp_bytes_str(c->build)};
    wzp_phone p = {0};
    wzp_phone_read_marks(&p, &build);
    ck_assert_msg(p.peer_is_able == c->is_able, "%s", c->build);
    ck_assert_msg(p.peer_probes == c->probes, "%s", c->build);
    ck_assert_msg(p.peer_celebrates == c->celebrates, "%s", c->build);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("phone_probe");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, both_say_it_once);
    tcase_add_test(tc, what_is_found_late_is_said_late);
    tcase_add_test(tc, what_is_out_of_date_is_held);
    tcase_add_test(tc, who_has_none_announces_none);
    tcase_add_test(tc, each_call_has_its_own);
    tcase_add_test(tc, nothing_before_it_is_accepted);
    tcase_add_test(tc, who_does_not_trust_says_nothing_and_uses_nothing);
    tcase_add_test(tc, nothing_without_a_call);
    tcase_add_test(tc, a_probe_before_its_offer);
    tcase_add_test(tc, another_call_is_another);
    tcase_add_test(tc, nonsense_is_counted);
    tcase_add_test(tc, birthdays_are_tolerated);
    tcase_add_test(tc, a_birthday_is_said_and_heard);
    tcase_add_loop_test(tc, no_birthday_without_trust, 0, 2);
    tcase_add_loop_test(tc, no_birthday_for_one, 0, 2);
    tcase_add_loop_test(tc, marks, 0, (int)WZP_COUNT_OF(mark_cases));
    return wzp_run_suite("client.phone_probe", tc);
}
