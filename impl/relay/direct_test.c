/* Direct calls through real connections (relay sheet 8, 16; NAT sheet 1.10, 1.11). */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/calls.h"
#include "relay/limits.h"
#include "relay/testing/stage.h"

enum { SOON = 200 };

typedef struct fixture {
    stage *st;
    guest *a, *b, *c; /* registered; c is a stranger to every call */
} fixture;

static fixture setup_with(const wzp_relay_cfg *cfg) {
    fixture f = {.st = stage_new(cfg)};
    f.a = stage_registered(f.st, "Ann");
    f.b = stage_registered(f.st, "Bob");
    f.c = stage_registered(f.st, NULL);
    guest_forget(f.a);
    guest_forget(f.b);
    guest_forget(f.c);
    return f;
}

static fixture setup(void) {
    return setup_with(NULL);
}

static void teardown(fixture *f) {
    ck_assert_uint_eq(f->c->signal_count, 0); /* strangers never hear anything */
    stage_free(&f->st);
}

/* --- what the parties say --------------------------------------------------------------------- */

static const wzp_bytes locals_a[] = {{(const uint8_t *)"192.168.1.5:4433", 16},
                                     {(const uint8_t *)"[2001:db8::5]:4433", 18}};
static const wzp_bytes locals_b[] = {{(const uint8_t *)"192.168.88.22:4433", 18}};

static wzp_opt_str some(const char *text) {
    return (wzp_opt_str){true, wzp_bytes_str(text)};
}

static wzp_signal offer_of(const guest *from, const char *to, const char *id) {
    wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(from->identity.fingerprint),
                              .caller_alias = some("Ann"),
                              .target_fingerprint = wzp_bytes_str(to),
                              .call_id = wzp_bytes_str(id),
                              .supported_profiles = {&wzp_profile_good, 1},
                              .caller_reflexive_addr = some("192.0.2.1:4433"),
                              .caller_local_addrs = {locals_a, WZP_COUNT_OF(locals_a)},
                              .caller_mapped_addr = some("203.0.113.5:12345"),
                              .caller_build_version = some("f843a93")}};
    memcpy(offer.u.DirectCallOffer.identity_pub.bytes, from->identity.ed25519_pub, WZP_KEY_LEN);
    return offer;
}

static void call(guest *from, const guest *to, const char *id) {
    const wzp_signal offer = offer_of(from, to->identity.fingerprint, id);
    guest_tell(from, &offer);
    stage_run(from->stage, SOON);
}

/* Every answer shows addresses: it is the relay that must hold them back. */
static void answer(guest *from, const char *id, wzp_accept_mode mode) {
    const wzp_signal reply = {
        .kind = WZP_SIGNAL_DIRECT_CALL_ANSWER,
        .version = 1,
        .u.DirectCallAnswer = {.call_id = wzp_bytes_str(id),
                               .accept_mode = (uint8_t)mode,
                               .chosen_profile = {true, wzp_profile_good},
                               .callee_reflexive_addr = some("198.51.100.9:4433"),
                               .callee_local_addrs = {locals_b, WZP_COUNT_OF(locals_b)},
                               .callee_mapped_addr = some("198.51.100.9:54321"),
                               .callee_build_version = some("f843a94")}};
    guest_tell(from, &reply);
    stage_run(from->stage, SOON);
}

static void hang_up(guest *from, const char *json) {
    guest_say(from, json);
    stage_run(from->stage, SOON);
}

/* Exactly this, and nothing else since the last guest_forget. */
static void heard_only(guest *g, const char *json) {
    ck_assert_msg(g->signal_count == 1, "%zu signals instead of %s, the first is %s",
                  g->signal_count, json, g->signals != NULL ? g->signals->text : "none");
    ck_assert_str_eq(g->signals->text, json);
    guest_forget(g);
}

static void heard_nothing(const guest *g) {
    ck_assert_msg(g->signal_count == 0, "heard %s", g->signals != NULL ? g->signals->text : "");
}

static long long dropped(const fixture *f, const char *why) {
    char name[96];
    (void)snprintf(name, sizeof name, "wzp_relay_call_signals_dropped_total{why=\"%s\"}", why);
    return stage_metric(f->st, name);
}

static bool may_join(stage *st, const guest *who, const char *room_name) {
    guest *g = stage_guest_again(st, who, room_name);
    guest_offer(g, NULL);
    stage_run(st, SOON);
    ck_assert(g->closed == (guest_count(g, "RoomUpdate") == 0));
    return !g->closed;
}

/* --- setting up ------------------------------------------------------------------------------- */

START_TEST(offer_rings_at_once) {
    fixture f = setup();
    const wzp_signal offer = offer_of(f.a, f.b->identity.fingerprint, "c1");
    char *json = NULL;
    size_t len = 0;
    ck_assert(wzp_signal_to_json(&json, &len, &offer) == WZP_OK);
    call(f.a, f.b, "c1");
    heard_only(f.b, json);
    heard_only(f.a, "{\"CallRinging\":{\"version\":1,\"call_id\":\"c1\"}}");
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 1);
    free(json);
    teardown(&f);
}
END_TEST

START_TEST(trusted_answer_tells_both_where_the_other_is) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.a);
    guest_forget(f.b);
    answer(f.b, "c1", WZP_ACCEPT_TRUSTED);
    ck_assert_uint_eq(f.a->signal_count, 2);
    ck_assert_ptr_eq(guest_heard(f.a, "DirectCallAnswer", 0), f.a->signals); /* comes first */
    ck_assert_ptr_nonnull(
        strstr(f.a->signals->text, "\"callee_mapped_addr\":\"198.51.100.9:54321\""));
    ck_assert_str_eq(guest_heard(f.a, "CallSetup", 0)->text,
                     "{\"CallSetup\":{\"version\":1,\"call_id\":\"c1\",\"room\":\"call-c1\","
                     "\"relay_addr\":\"10.0.0.1:4433\",\"peer_direct_addr\":\"198.51.100.9:4433\","
                     "\"peer_local_addrs\":[\"192.168.88.22:4433\"],"
                     "\"peer_mapped_addr\":\"198.51.100.9:54321\"}}");
    heard_only(f.b, "{\"CallSetup\":{\"version\":1,\"call_id\":\"c1\",\"room\":\"call-c1\","
                    "\"relay_addr\":\"10.0.0.1:4433\",\"peer_direct_addr\":\"192.0.2.1:4433\","
                    "\"peer_local_addrs\":[\"192.168.1.5:4433\",\"[2001:db8::5]:4433\"],"
                    "\"peer_mapped_addr\":\"203.0.113.5:12345\"}}");
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls_answered_total{mode=\"trusted\"}"), 1);
    teardown(&f);
}
END_TEST

/* Nothing that the caller ever hears has an address of the callee in it. */
START_TEST(generic_answer_hides_the_callee) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_say(f.b, "{\"HardNatBirthdayStart\":{\"call_id\":\"c1\",\"acceptor_port_count\":1,"
                   "\"acceptor_ports\":[54321],\"external_ip\":\"198.51.100.9\"}}");
    answer(f.b, "c1", WZP_ACCEPT_GENERIC);
    guest_say(f.b, "{\"CandidateUpdate\":{\"call_id\":\"c1\",\"reflexive_addr\":\"198.51.100.9:1\","
                   "\"generation\":1}}");
    guest_say(f.b, "{\"HardNatProbe\":{\"call_id\":\"c1\",\"port_sequence\":[54321],\"allocation\":"
                   "\"random\",\"probe_time_ms\":1,\"external_ip\":\"198.51.100.9\"}}");
    stage_run(f.st, SOON);
    for (const heard *h = f.a->signals; h != NULL; h = h->next) {
        ck_assert_msg(strstr(h->text, "198.51.100.9") == NULL && strstr(h->text, "54321") == NULL &&
                          strstr(h->text, "192.168.88") == NULL,
                      "%s", h->text);
    }
    ck_assert_str_eq(guest_heard(f.a, "CallSetup", 0)->text,
                     "{\"CallSetup\":{\"version\":1,\"call_id\":\"c1\",\"room\":\"call-c1\","
                     "\"relay_addr\":\"10.0.0.1:4433\"}}");
    ck_assert_int_eq(dropped(&f, "withheld"), 3);
    /* The caller showed its own of its free will. */
    ck_assert_ptr_nonnull(strstr(guest_heard(f.b, "CallSetup", 0)->text, "192.0.2.1:4433"));
    guest_forget(f.b);
    guest_say(f.a, "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"c1\",\"generation\":2}}");
    stage_run(f.st, SOON);
    heard_only(f.b, "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"c1\",\"generation\":2}}");
    teardown(&f);
}
END_TEST

START_TEST(second_answer_sets_up_again) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    answer(f.b, "c1", WZP_ACCEPT_GENERIC);
    guest_forget(f.a);
    guest_forget(f.b);
    answer(f.b, "c1", WZP_ACCEPT_TRUSTED);
    ck_assert_ptr_nonnull(strstr(guest_heard(f.a, "CallSetup", 0)->text, "198.51.100.9:4433"));
    ck_assert_uint_eq(guest_count(f.b, "CallSetup"), 1);
    teardown(&f);
}
END_TEST

START_TEST(advertised_address) {
    const wzp_relay_cfg cfg = {.advertised = {WZP_ADDR_V6, 4444, {0x20, 1, 0xd, 0xb8, [15] = 1}}};
    fixture f = setup_with(&cfg);
    call(f.a, f.b, "c1");
    answer(f.b, "c1", WZP_ACCEPT_TRUSTED);
    ck_assert_ptr_nonnull(
        strstr(guest_heard(f.a, "CallSetup", 0)->text, "\"relay_addr\":\"[2001:db8::1]:4444\""));
    teardown(&f);
}
END_TEST

START_TEST(reject_is_a_hangup_for_the_caller) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.a);
    guest_forget(f.b);
    answer(f.b, "c1", WZP_ACCEPT_REJECT);
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    heard_nothing(f.b);
    ck_assert(!may_join(f.st, f.a, "call-c1"));
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls_ended_total{cause=\"reject\"}"), 1);
    teardown(&f);
}
END_TEST

/* --- refusals --------------------------------------------------------------------------------- */

START_TEST(offers_that_come_to_nothing) {
    fixture f = setup();
    wzp_signal offer = offer_of(f.a, "0000:0000:0000:0000:0000:0000:0000:0000", "c1");
    guest_tell(f.a, &offer);
    stage_run(f.st, SOON);
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\"}}");
    call(f.a, f.a, "c1");
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\",\"call_id\":\"c1\"}}");
    call(f.a, f.b, "");
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\"}}");
    call(f.a, f.b, "12345678901234567890123456789012345678901234567890123456789");
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\"}}");
    call(f.a, f.b, "c1");
    guest_forget(f.a);
    guest_forget(f.b);
    call(f.b, f.a, "c1"); /* somebody else's id */
    heard_only(f.b, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\",\"call_id\":\"c1\"}}");
    heard_nothing(f.a);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 1);
    teardown(&f);
}
END_TEST

START_TEST(calls_per_client) {
    fixture f = setup();
    for (int i = 0; i < WZP_LIMIT_CLIENT_CALLS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "c%d", i);
        call(f.a, f.b, id);
    }
    ck_assert_uint_eq(guest_count(f.b, "DirectCallOffer"), WZP_LIMIT_CLIENT_CALLS);
    guest *d = stage_registered(f.st, NULL);
    guest_forget(f.a);
    guest_forget(f.b);
    guest_forget(f.c);
    guest_forget(d);
    call(d, f.b, "cd");
    heard_only(d, "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\",\"call_id\":\"cd\"}}");
    call(f.a, d, "cd");
    heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\",\"call_id\":\"cd\"}}");
    heard_nothing(f.b);
    heard_nothing(d);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls_refused_total{why=\"callee busy\"}"), 1);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls_refused_total{why=\"caller busy\"}"), 1);
    teardown(&f);
}
END_TEST

START_TEST(callers_may_claim_any_name_unless_strict) {
    const wzp_relay_cfg cfg = {.strict_identity = _i == 1};
    fixture f = setup_with(&cfg);
    wzp_signal offer = offer_of(f.a, f.b->identity.fingerprint, "c1");
    offer.u.DirectCallOffer.caller_fingerprint = wzp_bytes_str("somebody else");
    guest_tell(f.a, &offer);
    stage_run(f.st, SOON);
    if (_i == 1) {
        heard_nothing(f.b);
        heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Error\",\"call_id\":\"c1\"}}");
    } else {
        ck_assert_ptr_nonnull(strstr(f.b->signals->text, "somebody else"));
    }
    teardown(&f);
}
END_TEST

START_TEST(long_lists_are_cut) {
    fixture f = setup();
    wzp_bytes many[WZP_CALL_CANDIDATES + 3];
    for (size_t i = 0; i < WZP_COUNT_OF(many); i++) {
        many[i] = wzp_bytes_str("192.168.1.5:4433");
    }
    wzp_signal offer = offer_of(f.a, f.b->identity.fingerprint, "c1");
    offer.u.DirectCallOffer.caller_local_addrs = (wzp_list_str){many, WZP_COUNT_OF(many)};
    guest_tell(f.a, &offer);
    stage_run(f.st, SOON);
    wzp_signal *got = NULL;
    ck_assert(wzp_signal_parse(&got, wzp_bytes_str(f.b->signals->text), NULL, NULL) == WZP_OK);
    ck_assert_uint_eq(got->u.DirectCallOffer.caller_local_addrs.count, WZP_CALL_CANDIDATES);
    wzp_signal_free(&got);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_candidates_cut_total"), 3);
    teardown(&f);
}
END_TEST

/* --- ending ----------------------------------------------------------------------------------- */

START_TEST(hangup_of_one_call) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    call(f.b, f.a, "c2");
    guest_forget(f.a);
    guest_forget(f.b);
    hang_up(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Declined\",\"call_id\":\"c2\"}}");
    heard_only(f.b, "{\"Hangup\":{\"version\":1,\"reason\":\"Declined\",\"call_id\":\"c2\"}}");
    heard_nothing(f.a);
    ck_assert(may_join(f.st, f.a, "call-c1"));
    ck_assert(!may_join(f.st, f.a, "call-c2"));
    teardown(&f);
}
END_TEST

START_TEST(hangup_without_id_ends_all_of_the_sender) {
    fixture f = setup();
    guest *d = stage_registered(f.st, NULL);
    guest_forget(f.c);
    call(f.a, f.b, "c1");
    call(d, f.a, "c2");
    call(d, f.b, "c3");
    guest_forget(f.a);
    guest_forget(f.b);
    guest_forget(d);
    hang_up(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}");
    heard_only(f.b, "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}");
    heard_only(d, "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}");
    heard_nothing(f.a);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 1);
    teardown(&f);
}
END_TEST

START_TEST(disconnect_ends_the_calls) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.b);
    guest_leave(f.a);
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.b, "Hangup"), 1);
    ck_assert_str_eq(guest_heard(f.b, "Hangup", 0)->text,
                     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls_ended_total{cause=\"gone\"}"), 1);
    guest_forget(f.c);
    teardown(&f);
}
END_TEST

/* The name moves to the newer connection, and the calls with it. */
START_TEST(registering_again_keeps_the_calls) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest *again = stage_guest_again(f.st, f.a, "_signal");
    guest_register(again, "Ann");
    stage_run(f.st, SOON);
    guest_forget(f.a);
    guest_forget(f.b);
    guest_forget(f.c);
    guest_forget(again);
    answer(f.b, "c1", WZP_ACCEPT_GENERIC);
    ck_assert_uint_eq(guest_count(again, "CallSetup"), 1);
    heard_nothing(f.a);
    hang_up(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    ck_assert_uint_eq(guest_count(f.b, "Hangup"), 0);
    guest_say(f.a, "{\"Ping\":{\"timestamp_ms\":7}}"); /* it is still served */
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.a, "Pong"), 1);
    guest_leave(f.a);
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.b, "Hangup"), 0);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 1);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_signal_clients"), 3);
    guest_forget(f.c);
    teardown(&f);
}
END_TEST

/* Whatever older ones there are: to these nothing leads any more. */
START_TEST(the_newest_connection_ends_the_calls) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest *again = stage_guest_again(f.st, f.a, "_signal");
    guest_register(again, "Ann");
    stage_run(f.st, SOON);
    guest_leave(again);
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.b, "Hangup"), 1);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 0);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_signal_clients"), 2);
    guest_forget(f.b);
    guest_leave(f.a);
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.b, "Hangup"), 0);
    guest_forget(f.a);
    guest_forget(f.b);
    guest_forget(f.c);
    teardown(&f);
}
END_TEST

START_TEST(ring_time) {
    static const uint64_t times[] = {0, 2 * WZP_S, WZP_TIME_NEVER};
    const wzp_relay_cfg cfg = {.ring_timeout = times[_i]};
    fixture f = setup_with(&cfg);
    call(f.a, f.b, "c1");
    call(f.b, f.a, "c2");
    answer(f.a, "c2", WZP_ACCEPT_GENERIC);
    guest_forget(f.a);
    guest_forget(f.b);
    stage_run(f.st, _i == 0 ? 59000 : 1000);
    heard_nothing(f.a);
    stage_run(f.st, 2000);
    if (_i < 2) {
        heard_only(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Timeout\",\"call_id\":\"c1\"}}");
        heard_only(f.b, "{\"Hangup\":{\"version\":1,\"reason\":\"Timeout\",\"call_id\":\"c1\"}}");
    } else {
        stage_run(f.st, 1000000);
        heard_nothing(f.a);
        heard_nothing(f.b);
    }
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), _i < 2 ? 1 : 2);
    teardown(&f);
}
END_TEST

/* --- strangers and unknown calls -------------------------------------------------------------- */

static const char *const about_c1[] = {
    "{\"DirectCallAnswer\":{\"version\":1,\"call_id\":\"c1\",\"accept_mode\":\"AcceptTrusted\"}}",
    "{\"DirectCallAnswer\":{\"version\":1,\"call_id\":\"c1\",\"accept_mode\":\"Reject\"}}",
    "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}",
    "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\"}}",
    "{\"MediaPathReport\":{\"version\":1,\"call_id\":\"c1\",\"direct_ok\":true}}",
    "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"c1\",\"generation\":1}}",
    "{\"Hold\":{\"version\":1}}",
};

START_TEST(strangers) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.a);
    guest_forget(f.b);
    guest_say(f.c, about_c1[_i]);
    stage_run(f.st, SOON);
    heard_nothing(f.a);
    heard_nothing(f.b);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_calls"), 1);
    ck_assert_int_eq(dropped(&f, "stranger"), strstr(about_c1[_i], "c1") != NULL ? 1 : 0);
    ck_assert(!f.c->closed);
    teardown(&f);
}
END_TEST

START_TEST(unknown_calls) {
    fixture f = setup();
    guest_say(f.a, about_c1[_i]);
    stage_run(f.st, SOON);
    heard_nothing(f.a);
    heard_nothing(f.b);
    ck_assert(!f.a->closed);
    guest_say(f.a, "{\"Ping\":{\"timestamp_ms\":7}}");
    stage_run(f.st, SOON);
    ck_assert_uint_eq(guest_count(f.a, "Pong"), 1);
    teardown(&f);
}
END_TEST

/* Clients may not inject what relays say to each other. */
START_TEST(federated_forward_from_a_client) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.a);
    guest_forget(f.b);
    guest_say(f.a, "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"Hangup\":{\"reason\":"
                   "\"Normal\",\"call_id\":\"c1\"}},\"origin_relay_fp\":\"x\"}}");
    stage_run(f.st, SOON);
    heard_nothing(f.b);
    teardown(&f);
}
END_TEST

/* --- passed on -------------------------------------------------------------------------------- */

static const char *const passed[] = {
    "{\"MediaPathReport\":{\"version\":1,\"call_id\":\"c1\",\"direct_ok\":true,"
    "\"race_winner\":\"Direct\"}}",
    "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"c1\",\"reflexive_addr\":\"203.0.113.5:"
    "4433\","
    "\"local_addrs\":[\"10.0.0.5:4433\"],\"mapped_addr\":\"198.51.100.42:12345\",\"generation\":7}"
    "}",
    "{\"HardNatProbe\":{\"version\":1,\"call_id\":\"c1\",\"port_sequence\":[40006,40004,40002],"
    "\"allocation\":\"sequential(delta=2)\",\"probe_time_ms\":1748160000000,"
    "\"external_ip\":\"203.0.113.5\"}}",
    "{\"HardNatBirthdayStart\":{\"version\":1,\"call_id\":\"c1\",\"acceptor_port_count\":2,"
    "\"acceptor_ports\":[50001,50007],\"external_ip\":\"203.0.113.5\"}}",
    "{\"UpgradeProposal\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p1\","
    "\"proposed_profile\":{\"codec\":\"Opus48k\",\"fec_ratio\":0.1,\"frame_duration_ms\":20,"
    "\"frames_per_block\":5,\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,"
    "\"video_resolution\":null,\"video_fps\":null},\"local_loss_pct\":0.5,\"local_rtt_ms\":25}}",
    "{\"UpgradeResponse\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p1\","
    "\"accepted\":false,\"reason\":\"loss too high\"}}",
    "{\"UpgradeConfirm\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p1\","
    "\"confirmed_profile\":{\"codec\":\"Opus64k\",\"fec_ratio\":0.1,\"frame_duration_ms\":20,"
    "\"frames_per_block\":5,\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,"
    "\"video_resolution\":null,\"video_fps\":null}}}",
    "{\"QualityCapability\":{\"version\":1,\"call_id\":\"c1\",\"max_profile\":{\"codec\":"
    "\"Opus24k\",\"fec_ratio\":0.2,\"frame_duration_ms\":20,\"frames_per_block\":5,"
    "\"priority_mode\":\"AudioFirst\",\"video_bitrate_kbps\":null,\"video_resolution\":null,"
    "\"video_fps\":null},\"loss_pct\":2.5,\"rtt_ms\":80}}",
    "{\"Hold\":{\"version\":1}}",
    "{\"Unhold\":{\"version\":1}}",
    "{\"Mute\":{\"version\":1}}",
    "{\"Unmute\":{\"version\":1}}",
    "{\"Transfer\":{\"version\":1,\"target_fingerprint\":\"0011\",\"relay_addr\":null}}",
    "{\"TransferAck\":{\"version\":1}}",
};

START_TEST(both_ways) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    answer(f.b, "c1", WZP_ACCEPT_TRUSTED);
    guest_forget(f.a);
    guest_forget(f.b);
    guest_say(f.a, passed[_i]);
    stage_run(f.st, SOON);
    heard_only(f.b, passed[_i]);
    heard_nothing(f.a);
    guest_say(f.b, passed[_i]);
    stage_run(f.st, SOON);
    heard_only(f.a, passed[_i]);
    heard_nothing(f.b);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_call_signals_total"), 2);
    teardown(&f);
}
END_TEST

/* Hold and its like name no call: with two it is not clear which. */
START_TEST(controls_need_one_active_call) {
    fixture f = setup();
    call(f.a, f.b, "c1");
    guest_forget(f.b);
    guest_say(f.a, "\"Hold\""); /* it rings only */
    stage_run(f.st, SOON);
    heard_nothing(f.b);
    answer(f.b, "c1", WZP_ACCEPT_GENERIC);
    guest_forget(f.b);
    guest_say(f.a, "\"Hold\""); /* the form of old clients */
    stage_run(f.st, SOON);
    heard_only(f.b, "{\"Hold\":{\"version\":1}}");
    call(f.b, f.a, "c2");
    answer(f.a, "c2", WZP_ACCEPT_GENERIC);
    guest_forget(f.b);
    guest_say(f.a, "\"Hold\"");
    stage_run(f.st, SOON);
    heard_nothing(f.b);
    ck_assert_int_eq(dropped(&f, "ambiguous"), 2);
    teardown(&f);
}
END_TEST

START_TEST(too_much_is_not_passed_on) {
    static char big[WZP_LIMIT_CALL_SIGNAL + 256];
    fixture f = setup();
    call(f.a, f.b, "c1");
    answer(f.b, "c1", WZP_ACCEPT_TRUSTED);
    guest_forget(f.b);
    (void)snprintf(big, sizeof big,
                   "{\"MediaPathReport\":{\"call_id\":\"c1\",\"direct_ok\":true,\"race_winner\":"
                   "\"%0*d\"}}",
                   WZP_LIMIT_CALL_SIGNAL, 7);
    guest_say(f.a, big);
    stage_run(f.st, 1500);
    heard_nothing(f.b);
    ck_assert_int_eq(dropped(&f, "size"), 1);
    for (int i = 0; i < WZP_LIMIT_CALL_RATE + 20; i++) {
        guest_say(f.a, passed[0]);
    }
    stage_run(f.st, 500);
    ck_assert_uint_eq(f.b->signal_count, WZP_LIMIT_CALL_RATE);
    ck_assert_int_eq(dropped(&f, "rate"), 20);
    stage_run(f.st, 1000);
    guest_forget(f.b);
    guest_say(f.a, passed[0]);
    stage_run(f.st, SOON);
    heard_only(f.b, passed[0]);
    teardown(&f);
}
END_TEST

START_TEST(reflect_is_limited) {
    fixture f = setup();
    for (int i = 0; i < WZP_LIMIT_REFLECT_RATE + 5; i++) {
        guest_say(f.a, "\"Reflect\"");
    }
    stage_run(f.st, 500);
    ck_assert_uint_eq(guest_count(f.a, "ReflectResponse"), WZP_LIMIT_REFLECT_RATE);
    ck_assert_str_eq(f.a->signals->text,
                     "{\"ReflectResponse\":{\"version\":1,\"observed_addr\":\"10.0.1.0:5000\"}}");
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_reflects_dropped_total"), 5);
    teardown(&f);
}
END_TEST

/* As deployed clients ask several relays what these see of them (NAT sheet 1.5): the next signal
 * after the Ack shall be the answer, and nobody else shall notice. */
START_TEST(without_a_key_nobody_is_there) {
    fixture f = setup();
    guest *asks[2] = {stage_guest(f.st, "_signal"), stage_guest(f.st, "_signal")};
    guest_forget(f.a);
    for (int i = 0; i < 2; i++) {
        guest_say(asks[i],
                  "{\"RegisterPresence\":{\"version\":1,\"identity_pub\":[0,0,0,0,0,0,0,0,0,"
                  "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],\"signature\":[],"
                  "\"alias\":null}}");
    }
    stage_run(f.st, SOON);
    for (int i = 0; i < 2; i++) {
        guest_say(asks[i], "\"Reflect\"");
    }
    stage_run(f.st, 2000);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(asks[i]->signal_count, 2);
        ck_assert_uint_eq(guest_count(asks[i], "RegisterPresenceAck"), 1);
        ck_assert_uint_eq(guest_count(asks[i], "ReflectResponse"), 1);
    }
    ck_assert_uint_eq(f.a->signal_count, 0);
    call(asks[0], f.b, "c9"); /* who has no name calls nobody */
    ck_assert_uint_eq(guest_count(f.b, "DirectCallOffer"), 0);
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_registered_without_key_total"), 2);
    teardown(&f);
}
END_TEST

/* --- the media room --------------------------------------------------------------------------- */

START_TEST(room_of_the_two) {
    fixture f = setup();
    ck_assert(!may_join(f.st, f.a, "call-c1")); /* no such call yet */
    call(f.a, f.b, "c1");
    ck_assert(may_join(f.st, f.a, "call-c1")); /* as deployed while it rings, too */
    ck_assert(!may_join(f.st, f.c, "call-c1"));
    ck_assert(may_join(f.st, f.b, "call-c1"));
    ck_assert(!may_join(f.st, f.b, "call-c1")); /* a third one, though it is a party's */
    const guest *first = &f.st->guests[4];
    ck_assert(!first->closed);
    ck_assert_uint_eq(guest_count(first, "RoomUpdate"), 2);
    hang_up(f.a, "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    ck_assert(!first->closed); /* nobody is thrown out */
    ck_assert_int_eq(stage_metric(f.st, "wzp_relay_sessions_refused_total"), 3);
    teardown(&f);
}
END_TEST

START_TEST(room_of_an_upper_case_id) {
    fixture f = setup();
    call(f.a, f.b, "AbC");
    ck_assert(may_join(f.st, f.b, "call-AbC"));
    ck_assert(may_join(f.st, f.a, "call-abc"));
    teardown(&f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("direct");
    tcase_add_test(tc, offer_rings_at_once);
    tcase_add_test(tc, trusted_answer_tells_both_where_the_other_is);
    tcase_add_test(tc, generic_answer_hides_the_callee);
    tcase_add_test(tc, second_answer_sets_up_again);
    tcase_add_test(tc, advertised_address);
    tcase_add_test(tc, reject_is_a_hangup_for_the_caller);
    tcase_add_test(tc, offers_that_come_to_nothing);
    tcase_add_test(tc, calls_per_client);
    tcase_add_loop_test(tc, callers_may_claim_any_name_unless_strict, 0, 2);
    tcase_add_test(tc, long_lists_are_cut);
    tcase_add_test(tc, hangup_of_one_call);
    tcase_add_test(tc, hangup_without_id_ends_all_of_the_sender);
    tcase_add_test(tc, disconnect_ends_the_calls);
    tcase_add_test(tc, registering_again_keeps_the_calls);
    tcase_add_test(tc, the_newest_connection_ends_the_calls);
    tcase_add_loop_test(tc, ring_time, 0, 3);
    tcase_add_loop_test(tc, strangers, 0, (int)WZP_COUNT_OF(about_c1));
    tcase_add_loop_test(tc, unknown_calls, 0, (int)WZP_COUNT_OF(about_c1));
    tcase_add_test(tc, federated_forward_from_a_client);
    tcase_add_loop_test(tc, both_ways, 0, (int)WZP_COUNT_OF(passed));
    tcase_add_test(tc, controls_need_one_active_call);
    tcase_add_test(tc, too_much_is_not_passed_on);
    tcase_add_test(tc, reflect_is_limited);
    tcase_add_test(tc, without_a_key_nobody_is_there);
    tcase_add_test(tc, room_of_the_two);
    tcase_add_test(tc, room_of_an_upper_case_id);
    return wzp_run_suite("direct", tc);
}
