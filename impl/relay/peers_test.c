/* Three federated relays with real QUIC in memory, and a deployed relay that the test plays (relay
 * sheet 9, 16; conformance sheet 24.15). */
#include <stdio.h>

#include "base/hex.h"
#include "base/testing/suite.h"
#include "relay/internal.h"
#include "relay/testing/stage.h"

enum { A, B, C, RELAYS, SOON = 300 };

static wzp_enforce enforce; /* of all three */

static const char *const labels[] = {"Relay A", "Relay B", "Relay C"};

/* What a stranger says that it is: the harness plays the fourth relay. */
static const char harness_fp[] = "ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:"
                                 "ee:ee:ee:ee:ee:ee:ee:ee:ee:ee:ee";

static void seed_of(uint8_t seed[WZP_KEY_LEN], size_t i) {
    memset(seed, (int)(0x40 + i), WZP_KEY_LEN);
}

static const char *tls_fingerprint(size_t i) {
    static char text[RELAYS][WZP_TLS_FINGERPRINT_TEXT + 1];
    uint8_t seed[WZP_KEY_LEN];
    wzp_tls_identity tls;
    seed_of(seed, i);
    wzp_tls_identity_from_seed(&tls, seed);
    memcpy(text[i], tls.fingerprint, sizeof text[i]);
    wzp_tls_identity_clear(&tls);
    return text[i];
}

/* A full mesh; each dials those after it, and all trust the harness. */
static stage *setup(uint64_t ring_timeout) {
    static const char *const rooms[] = {"general"};
    stage *st = NULL;
    for (size_t i = 0; i < RELAYS; i++) {
        wzp_fed_peer_cfg peers[RELAYS];
        size_t count = 0;
        for (size_t k = 0; k < RELAYS; k++) {
            if (k != i) {
                peers[count++] = (wzp_fed_peer_cfg){i < k ? stage_relay_addr(k) : (wzp_addr){0},
                                                    tls_fingerprint(k), labels[k]};
            }
        }
        peers[count++] = (wzp_fed_peer_cfg){{0}, harness_fp, "Harness"};
        const wzp_federation_cfg federation = {.peers = peers,
                                               .peer_count = count,
                                               .rooms = rooms,
                                               .room_count = 1,
                                               .pin_required = true,
                                               .dedup_cap = 4096};
        wzp_relay_cfg cfg = {.federation = &federation,
                             .enforce = enforce,
                             .ring_timeout = ring_timeout,
                             .advertised = stage_relay_addr(i),
                             .packet_events = true};
        seed_of(cfg.seed, i);
        if (st == NULL) {
            st = stage_new(&cfg);
        } else {
            stage_relay(st, &cfg);
        }
    }
    stage_run(st, 500);
    return st;
}

static guest *member(stage *st, size_t relay, const char *name) {
    stage_at(st, relay);
    return stage_member(st, name);
}

static guest *client(stage *st, size_t relay) {
    stage_at(st, relay);
    guest *g = stage_registered(st, NULL);
    stage_run(st, 2000);
    guest_forget(g);
    return g;
}

static const char *last(const guest *g, const char *variant) {
    const size_t count = guest_count(g, variant);
    return count > 0 ? guest_heard(g, variant, count - 1)->text : "";
}

static wzp_bytes packet(uint8_t out[24], uint32_t seq, uint8_t body) {
    const uint8_t head[16] = {2, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(seq >> 8), (uint8_t)seq};
    memset(out, body, 24);
    memcpy(out, head, sizeof head);
    return wzp_bytes_of(out, 24);
}

static size_t got(const guest *g, wzp_bytes datagram) {
    size_t count = 0;
    for (const heard *h = g->datagrams; h != NULL; h = h->next) {
        count += wzp_bytes_equal(wzp_bytes_of(h->text, h->len), datagram) ? 1 : 0;
    }
    return count;
}

/* --- rooms ------------------------------------------------------------------------------------ */

START_TEST(one_room_on_three_relays) {
    stage *st = setup(0);
    guest *all[6];
    uint8_t bytes[6][24];
    for (size_t i = 0; i < 6; i++) {
        all[i] = member(st, i % RELAYS, "general");
    }
    stage_run(st, SOON);
    for (size_t i = 0; i < 6; i++) {
        const char *update = last(all[i], "RoomUpdate");
        ck_assert_msg(strstr(update, "\"count\":6") != NULL, "%zu: %s", i, update);
        ck_assert_msg(strstr(update, labels[i % RELAYS]) == NULL, "%zu: %s", i, update);
        ck_assert_ptr_nonnull(strstr(update, labels[(i + 1) % RELAYS]));
        ck_assert_ptr_nonnull(strstr(update, labels[(i + 2) % RELAYS]));
        ck_assert_ptr_null(strstr(update, "origin"));
    }
    for (uint8_t i = 0; i < 6; i++) { /* all headers are equal */
        guest_send(all[i], packet(bytes[i], 1, i));
    }
    stage_run(st, SOON);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 6; k++) {
            const size_t count = got(all[i], wzp_bytes_of(bytes[k], 24));
            ck_assert_msg(count == (i != k ? 1 : 0), "%zu got %zu of %zu", i, count, k);
        }
    }
    stage_at(st, A);
    /* Four packets of B and C each came directly and once more. */
    ck_assert_int_eq(stage_metric(st, "wzp_federation_packets_deduped_total"), 4);
    ck_assert_int_eq(
        stage_metric(st,
                     "wzp_federation_packets_forwarded_total{direction=\"out\",peer=\"Relay B\"}"),
        4);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_peer_status{peer=\"Relay C\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_peer_rtt_ms{peer=\"Relay C\"}"), 20);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_active_rooms"), 2);
    guest_leave(all[1]);
    stage_run(st, SOON);
    for (size_t i = 0; i < 6; i++) {
        ck_assert(i == 1 || strstr(last(all[i], "RoomUpdate"), "\"count\":5") != NULL);
    }
    for (size_t i = 0; i < 6; i++) {
        guest_forget(all[i]);
    }
    stage_run(st, 30000); /* idle rooms are kept, and nobody is bothered */
    ck_assert_uint_eq(guest_count(all[0], "RoomUpdate"), 0);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_active_rooms"), 2);
    stage_free(&st);
}
END_TEST

START_TEST(other_rooms_stay_here) {
    stage *st = setup(0);
    uint8_t bytes[24];
    guest *a = member(st, A, "private");
    const guest *b = member(st, B, "private");
    guest_send(a, packet(bytes, 1, 1));
    stage_run(st, SOON);
    ck_assert_uint_eq(b->datagram_count, 0);
    ck_assert_ptr_nonnull(strstr(last(b, "RoomUpdate"), "\"count\":1"));
    stage_free(&st);
}
END_TEST

/* A relay is cut off until its links are given up, and comes back. */
START_TEST(a_relay_is_lost_and_comes_back) {
    stage *st = setup(0);
    uint8_t bytes[24];
    guest *a = member(st, A, "general");
    (void)member(st, C, "general");
    stage_run(st, SOON);
    ck_assert_ptr_nonnull(strstr(last(a, "RoomUpdate"), "\"count\":2"));
    st->net.cut[st->hosts[C]] = st->net.deaf[st->hosts[C]] = true;
    stage_run(st, 22000);
    ck_assert_ptr_nonnull(strstr(last(a, "RoomUpdate"), "\"count\":1"));
    stage_run(st, 20000);
    st->net.cut[st->hosts[C]] = st->net.deaf[st->hosts[C]] = false;
    stage_run(st, 45000);
    stage_at(st, A);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_peer_status{peer=\"Relay C\"}"), 1);
    const guest *c = member(st, C, "general");
    stage_run(st, SOON);
    ck_assert_ptr_nonnull(strstr(last(a, "RoomUpdate"), "\"count\":2"));
    guest_send(a, packet(bytes, 7, 7));
    stage_run(st, SOON);
    ck_assert_uint_eq(got(c, wzp_bytes_of(bytes, 24)), 1);
    stage_free(&st);
}
END_TEST

/* --- direct calls ----------------------------------------------------------------------------- */

static void offer(guest *from, const guest *to, const char *id) {
    const wzp_signal signal = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(from->identity.fingerprint),
                              .target_fingerprint = wzp_bytes_str(to->identity.fingerprint),
                              .call_id = wzp_bytes_str(id),
                              .supported_profiles = {&wzp_profile_good, 1},
                              .caller_reflexive_addr = {true, wzp_bytes_str("192.0.2.1:4433")}}};
    guest_tell(from, &signal);
    stage_run(from->stage, SOON);
}

static void answer(guest *from, const char *id, wzp_accept_mode mode) {
    const wzp_signal signal = {
        .kind = WZP_SIGNAL_DIRECT_CALL_ANSWER,
        .version = 1,
        .u.DirectCallAnswer = {
            .call_id = wzp_bytes_str(id),
            .accept_mode = (uint8_t)mode,
            .callee_reflexive_addr = {true, wzp_bytes_str("198.51.100.9:4433")}}};
    guest_tell(from, &signal);
    stage_run(from->stage, SOON);
}

static void say(guest *from, const char *json) {
    guest_say(from, json);
    stage_run(from->stage, SOON);
}

static guest *join_call(stage *st, size_t relay, const guest *who) {
    stage_at(st, relay);
    guest *g = stage_guest_again(st, who, "call-c1");
    guest_offer(g, NULL);
    stage_run(st, SOON);
    ck_assert(!g->closed);
    return g;
}

START_TEST(direct_call) {
    stage *st = setup(0);
    uint8_t bytes[24];
    guest *ann = client(st, A);
    guest *bob = client(st, C);
    offer(ann, bob, "c1");
    ck_assert_uint_eq(guest_count(ann, "CallRinging"), 1);
    ck_assert_uint_eq(guest_count(bob, "DirectCallOffer"), 1);
    answer(bob, "c1", WZP_ACCEPT_TRUSTED);
    ck_assert_uint_eq(guest_count(ann, "DirectCallAnswer"), 1);
    ck_assert_str_eq(
        last(ann, "CallSetup"),
        "{\"CallSetup\":{\"version\":1,\"call_id\":\"c1\",\"room\":\"call-c1\","
        "\"relay_addr\":\"10.0.0.1:4433\",\"peer_direct_addr\":\"198.51.100.9:4433\"}}");
    ck_assert_str_eq(last(bob, "CallSetup"),
                     "{\"CallSetup\":{\"version\":1,\"call_id\":\"c1\",\"room\":\"call-c1\","
                     "\"relay_addr\":\"10.0.0.3:4433\",\"peer_direct_addr\":\"192.0.2.1:4433\"}}");
    guest *ann_media = join_call(st, A, ann);
    guest *bob_media = join_call(st, C, bob);
    stage_run(st, SOON);
    ck_assert_ptr_nonnull(strstr(last(ann_media, "RoomUpdate"), "\"count\":2"));
    ck_assert_ptr_nonnull(strstr(last(bob_media, "RoomUpdate"), "\"count\":2"));
    guest_send(ann_media, packet(bytes, 3, 3));
    stage_run(st, SOON);
    ck_assert_uint_eq(got(bob_media, wzp_bytes_of(bytes, 24)), 1);
    ck_assert_uint_eq(ann_media->datagram_count, 0);
    guest_send(bob_media, packet(bytes, 4, 4));
    stage_run(st, SOON);
    ck_assert_uint_eq(got(ann_media, wzp_bytes_of(bytes, 24)), 1);
    stage_free(&st);
}
END_TEST

#define PROFILE                                                                                    \
    "{\"codec\":\"Opus24k\",\"fec_ratio\":0.2,\"frame_duration_ms\":20,\"frames_per_block\":5}"

/* What deployed relays lose (relay sheet 9.9), and the report that they do not. */
static const char *const crossing[] = {
    "{\"MediaPathReport\":{\"version\":1,\"call_id\":\"c1\",\"direct_ok\":true,\"race_winner\":"
    "\"Direct\"}}",
    "{\"CandidateUpdate\":{\"version\":1,\"call_id\":\"c1\",\"generation\":1}}",
    "{\"HardNatProbe\":{\"version\":1,\"call_id\":\"c1\",\"port_sequence\":[1],\"allocation\":"
    "\"random\",\"probe_time_ms\":1,\"external_ip\":\"203.0.113.5\"}}",
    "{\"HardNatBirthdayStart\":{\"version\":1,\"call_id\":\"c1\",\"acceptor_port_count\":1,"
    "\"acceptor_ports\":[5],\"external_ip\":\"203.0.113.5\"}}",
    "{\"UpgradeProposal\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p\","
    "\"proposed_profile\":" PROFILE "}}",
    "{\"UpgradeResponse\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p\",\"accepted\":"
    "true}}",
    "{\"UpgradeConfirm\":{\"version\":1,\"call_id\":\"c1\",\"proposal_id\":\"p\","
    "\"confirmed_profile\":" PROFILE "}}",
    "{\"QualityCapability\":{\"version\":1,\"call_id\":\"c1\",\"max_profile\":" PROFILE "}}",
    "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}",
};

START_TEST(everything_crosses) {
    char name[48];
    stage *st = setup(0);
    const char *json = crossing[_i / 2];
    (void)wzp_signal_peek_name(wzp_bytes_str(json), name, sizeof name);
    guest *ann = client(st, A);
    guest *bob = client(st, B);
    offer(ann, bob, "c1");
    answer(bob, "c1", WZP_ACCEPT_TRUSTED);
    guest *from = _i % 2 == 0 ? ann : bob;
    const guest *to = _i % 2 == 0 ? bob : ann;
    say(from, json);
    ck_assert_msg(guest_count(to, name) == 1, "%s came %zu times", name, guest_count(to, name));
    if (strcmp(name, "Hangup") == 0) {
        stage_at(st, A);
        ck_assert_int_eq(stage_metric(st, "wzp_relay_calls"), 0);
        stage_at(st, B);
        ck_assert_int_eq(stage_metric(st, "wzp_relay_calls"), 0);
    }
    stage_free(&st);
}
END_TEST

/* How a call ends that was never answered; each leaves nothing behind. */
static const struct end_case {
    const char *name;
    enum { REJECT, HANG_UP, HANG_UP_UNNAMED, CALLER_GOES, CALLEE_GOES, RING_TIME, NOBODY } how;
    const char *ann_hears, *bob_hears; /* the last Hangup */
} end_cases[] = {
    {"the callee rejects", REJECT,
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}", ""},
    {"the caller hangs up", HANG_UP, "",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Declined\",\"call_id\":\"c1\"}}"},
    {"an old client hangs up", HANG_UP_UNNAMED, "",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}"},
    {"the caller's connection ends", CALLER_GOES, "",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}"},
    {"the callee's connection ends", CALLEE_GOES,
     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}", ""},
    {"nobody answers", RING_TIME,
     "{\"Hangup\":{\"version\":1,\"reason\":\"Timeout\",\"call_id\":\"c1\"}}",
     "{\"Hangup\":{\"version\":1,\"reason\":\"Timeout\",\"call_id\":\"c1\"}}"},
    {"the callee is nowhere", NOBODY,
     "{\"Hangup\":{\"version\":1,\"reason\":\"Timeout\",\"call_id\":\"c1\"}}", ""},
};

START_TEST(ends) {
    const struct end_case *c = &end_cases[_i];
    stage *st = setup(5 * WZP_S);
    guest *ann = client(st, A);
    guest *bob = client(st, B);
    if (c->how == NOBODY) {
        guest_leave(bob);
        stage_run(st, SOON);
    }
    offer(ann, bob, "c1");
    ck_assert_uint_eq(guest_count(ann, "CallRinging"), 1);
    if (c->how == REJECT) {
        answer(bob, "c1", WZP_ACCEPT_REJECT);
    } else if (c->how == HANG_UP) {
        say(ann, "{\"Hangup\":{\"version\":1,\"reason\":\"Declined\",\"call_id\":\"c1\"}}");
    } else if (c->how == HANG_UP_UNNAMED) {
        say(ann, "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\"}}");
    } else if (c->how == CALLER_GOES || c->how == CALLEE_GOES) {
        guest_leave(c->how == CALLER_GOES ? ann : bob);
    }
    stage_run(st, 6000);
    ck_assert_msg(strcmp(last(ann, "Hangup"), c->ann_hears) == 0, "%s: the caller heard %s",
                  c->name, last(ann, "Hangup"));
    ck_assert_msg(strcmp(last(bob, "Hangup"), c->bob_hears) == 0, "%s: the callee heard %s",
                  c->name, last(bob, "Hangup"));
    for (size_t i = 0; i < RELAYS; i++) {
        stage_at(st, i);
        ck_assert_int_eq(stage_metric(st, "wzp_relay_calls"), 0);
    }
    stage_free(&st);
}
END_TEST

/* One identity on two relays rings at both; where it is not taken, it need not ring on. */
START_TEST(a_callee_on_two_relays) {
    const bool accepts = _i == 0;
    stage *st = setup(0);
    guest *ann = client(st, A);
    guest *bob = client(st, B);
    stage_at(st, C);
    guest *again = stage_guest_again(st, bob, "_signal");
    guest_register(again, NULL);
    stage_run(st, 2000);
    offer(ann, bob, "c1");
    ck_assert_uint_eq(guest_count(bob, "DirectCallOffer"), 1);
    ck_assert_uint_eq(guest_count(again, "DirectCallOffer"), 1);
    say(again, crossing[1]); /* says nothing about who takes the call */
    answer(bob, "c1", accepts ? WZP_ACCEPT_TRUSTED : WZP_ACCEPT_REJECT);
    ck_assert_uint_eq(guest_count(ann, "CallSetup"), accepts ? 1 : 0);
    ck_assert_uint_eq(guest_count(ann, "Hangup"), accepts ? 0 : 1);
    ck_assert_uint_eq(guest_count(bob, "Hangup"), 0);
    ck_assert_str_eq(last(again, "Hangup"),
                     "{\"Hangup\":{\"version\":1,\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    for (size_t i = 0; i < RELAYS; i++) {
        stage_at(st, i);
        ck_assert_int_eq(stage_metric(st, "wzp_relay_calls"), accepts && i != C ? 1 : 0);
    }
    stage_free(&st);
}
END_TEST

/* Accepting by relay only shows no address, over a link as well. */
START_TEST(generic_answer_hides_the_callee) {
    stage *st = setup(0);
    guest *ann = client(st, A);
    guest *bob = client(st, B);
    offer(ann, bob, "c1");
    answer(bob, "c1", WZP_ACCEPT_GENERIC);
    say(bob, crossing[1]);
    ck_assert_uint_eq(guest_count(ann, "CallSetup"), 1);
    for (const heard *h = ann->signals; h != NULL; h = h->next) {
        ck_assert_ptr_null(strstr(h->text, "198.51.100.9"));
    }
    ck_assert_uint_eq(guest_count(ann, "CandidateUpdate"), 0);
    stage_free(&st);
}
END_TEST

/* --- a deployed relay ------------------------------------------------------------------------- */

static guest *harness(stage *st, size_t relay) {
    char hello[192];
    stage_at(st, relay);
    guest *g = stage_guest(st, "_federation");
    (void)snprintf(hello, sizeof hello,
                   "{\"FederationHello\":{\"version\":1,\"tls_fingerprint\":\"%s\"}}", harness_fp);
    say(g, hello);
    ck_assert(!g->closed);
    return g;
}

static void inject(guest *g, const char *hex) {
    uint8_t bytes[128];
    size_t bad = 0;
    ck_assert(wzp_hex_parse(bytes, strlen(hex) / 2, hex, strlen(hex), &bad) == WZP_OK);
    guest_send(g, wzp_bytes_of(bytes, strlen(hex) / 2));
    stage_run(g->stage, SOON);
}

START_TEST(strangers_are_refused) {
    stage *st = setup(0);
    guest *silent = stage_guest(st, "_federation");
    guest *stranger = stage_guest(st, "_federation");
    guest *other = stage_guest(st, "_federation");
    say(stranger, "{\"FederationHello\":{\"version\":1,\"tls_fingerprint\":\"dd:dd\"}}");
    say(other, "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}");
    ck_assert(stranger->closed && other->closed && !silent->closed);
    stage_run(st, 6000);
    ck_assert(silent->closed);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_hellos_refused_total"), 1);
    stage_free(&st);
}
END_TEST

/* With the time that its number says: who speaks so is not hung up on. */
static wzp_bytes speech(uint8_t out[24], uint32_t n, uint8_t body) {
    const wzp_bytes bytes = packet(out, n, body);
    out[12] = (uint8_t)(n * 20 >> 8);
    out[13] = (uint8_t)(n * 20);
    return bytes;
}

/* Case F-10: one stream of 1000 packets a second comes over a link.  Who is here, and who is behind
 * another peer, is heard whole; the link stays, as others use it too. */
static const struct flood_case {
    const char *name;
    wzp_enforce enforce;
    unsigned most; /* of 4000 that are delivered */
    bool is_counted;
} flood_cases[] = {
    {"on", WZP_ENFORCE_ON, 1250, true},
    {"count", WZP_ENFORCE_COUNT, 2600, true},
    {"observe: as deployed", WZP_ENFORCE_OBSERVE, 2600, false},
};

START_TEST(a_flooding_peer) {
    const struct flood_case *c = &flood_cases[_i];
    uint8_t flood[8 + 616] = {0x0f, 0xea, 0xe1, 0x6d, 0x55, 0x36, 0x5a, 0xcf, 2};
    uint8_t bytes[24];
    size_t sent = 0;
    size_t heard_locally = 0;
    size_t heard_abroad = 0;
    enforce = c->enforce;
    stage *st = setup(0);
    enforce = WZP_ENFORCE_OFF;
    guest *a = member(st, A, "general");
    const guest *l = member(st, A, "general");
    guest *b = member(st, B, "general");
    guest *peer = harness(st, A);
    for (uint32_t n = 0; n < 4000; n++) {
        flood[16] = (uint8_t)(n >> 8);
        flood[17] = (uint8_t)n;
        /* As fast as its connection takes it. */
        sent += wzp_quic_send_datagram(peer->quic, peer->conn, wzp_bytes_of(flood, sizeof flood)) ==
                        WZP_OK
                    ? 1
                    : 0;
        if (n % 40 == 0) {
            guest_send(a, speech(bytes, n / 40, 1));
            guest_send(b, speech(bytes, n / 40, 2));
        }
        stage_run(st, 1);
    }
    stage_run(st, SOON);
    for (uint32_t n = 0; n < 100; n++) {
        heard_locally += got(l, speech(bytes, n, 1));
        heard_abroad += got(l, speech(bytes, n, 2));
    }
    ck_assert_msg(heard_locally == 100 && heard_abroad == 100, "%s: %zu of here, %zu of a peer",
                  c->name, heard_locally, heard_abroad);
    const size_t came = l->datagram_count - 200;
    ck_assert_msg(came > 300 && came <= c->most && sent > 3000, "%s: %zu of %zu of the flood",
                  c->name, came, sent);
    ck_assert(!peer->closed);
    stage_at(st, A);
    const long long excess = stage_metric(
        st, "wzp_federation_peer_packets_over_total{limit=\"excess\",peer=\"Harness\"}");
    ck_assert_msg((excess > 0) == c->is_counted, "%s: excess %lld", c->name, excess);
    ck_assert_int_gt(
        stage_metric(
            st, "wzp_federation_peer_packets_over_total{limit=\"room_rate\",peer=\"Harness\"}"),
        500);
    ck_assert_int_eq(
        stage_metric(st,
                     "wzp_federation_peer_packets_over_total{limit=\"excess\",peer=\"Relay B\"}"),
        0);
    stage_free(&st);
}
END_TEST

START_TEST(a_deployed_relay_links) {
    stage *st = setup(0);
    const guest *a = member(st, A, "general");
    const guest *b = member(st, B, "general");
    guest *peer = harness(st, A);
    ck_assert_ptr_nonnull(strstr(last(peer, "GlobalRoomActive"), a->identity.fingerprint));
    say(peer, "{\"Unheard\":{\"of\":1}}");
    say(peer, "nonsense");
    say(peer, "{\"GlobalRoomActive\":{\"version\":1,\"room\":\"general\",\"participants\":["
              "{\"fingerprint\":\"aabb\",\"alias\":null,\"relay_label\":null}]}}");
    ck_assert_ptr_nonnull(strstr(last(a, "RoomUpdate"), "\"count\":3"));
    ck_assert_ptr_nonnull(strstr(last(b, "RoomUpdate"), "\"count\":3"));
    inject(peer, "0feae16d55365acf02000000000000000001000000140000aabbcc");
    inject(peer, "0feae16d55365acf02000000000000000001000000140000aabbcc"); /* twice */
    inject(peer, "0feae16d55365acf02000000000000000001000000140000aabbcd"); /* equal headers */
    inject(peer, "0feae16d55365acf020000");
    inject(peer, "37a917d4256a91b502000000000000000001000000140000aabbcc");
    ck_assert(!peer->closed);
    ck_assert_uint_eq(a->datagram_count, 2);
    ck_assert_uint_eq(b->datagram_count, 2);
    ck_assert_uint_eq(peer->datagram_count, 0); /* not back to where it came from */
    stage_at(st, A);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_packets_without_room_total"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_packets_malformed_total"), 1);
    stage_run(st, 21000); /* silent: its people are gone everywhere */
    ck_assert_ptr_nonnull(strstr(last(a, "RoomUpdate"), "\"count\":2"));
    stage_run(st, 16000);
    ck_assert_ptr_nonnull(strstr(last(b, "RoomUpdate"), "\"count\":2"));
    stage_free(&st);
}
END_TEST

START_TEST(a_deployed_relay_calls) {
    char json[640];
    stage *st = setup(0);
    guest *bob = client(st, A);
    guest *eve = client(st, A);
    guest *peer = harness(st, A);
    const char *const form =
        "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"DirectCallOffer\":{\"version\":1,"
        "\"caller_fingerprint\":\"%s\",\"target_fingerprint\":\"%s\",\"call_id\":\"c1\","
        "\"identity_pub\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
        "\"ephemeral_pub\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
        "\"signature\":[],\"supported_profiles\":[]}},\"origin_relay_fp\":\"%s\"}}";
    (void)snprintf(json, sizeof json, form, eve->identity.fingerprint, bob->identity.fingerprint,
                   harness_fp);
    say(peer, json); /* in the name of a client that is ours */
    (void)snprintf(json, sizeof json, form, "aabb", bob->identity.fingerprint, tls_fingerprint(A));
    say(peer, json); /* as if it were our own */
    ck_assert_uint_eq(guest_count(bob, "DirectCallOffer"), 0);
    (void)snprintf(json, sizeof json, form, "aabb", bob->identity.fingerprint, harness_fp);
    say(peer, json);
    ck_assert_uint_eq(guest_count(bob, "DirectCallOffer"), 1);
    answer(bob, "c1", WZP_ACCEPT_REJECT);
    (void)snprintf(
        json, sizeof json,
        "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"Hangup\":{\"version\":1,"
        "\"reason\":\"Normal\",\"call_id\":\"c1\"}},\"origin_relay_fp\":\"%s\"}}",
        tls_fingerprint(A));
    ck_assert_str_eq(last(peer, "FederatedSignalForward"), json);
    stage_at(st, A);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_offers_spoofed_total"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_federation_envelopes_own_total"), 1);
    stage_free(&st);
}
END_TEST

/* A peer may end its own calls only. */
START_TEST(peers_do_not_meddle) {
    stage *st = setup(0);
    guest *ann = client(st, A);
    guest *bob = client(st, A);
    guest *peer = harness(st, A);
    offer(ann, bob, "c1");
    answer(bob, "c1", WZP_ACCEPT_TRUSTED);
    guest_forget(ann);
    guest_forget(bob);
    say(peer, "{\"FederatedSignalForward\":{\"version\":1,\"inner\":{\"Hangup\":{\"version\":1,"
              "\"reason\":\"Normal\",\"call_id\":\"c1\"}},\"origin_relay_fp\":\"ee\"}}");
    ck_assert_uint_eq(ann->signal_count + bob->signal_count, 0);
    stage_at(st, A);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_calls"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_call_signals_dropped_total{why=\"peer\"}"), 1);
    stage_free(&st);
}
END_TEST

/* A packet can finish the handshake and close: the endpoint has forgotten the connection before it
 * is told that it stood. */
START_TEST(a_peer_answers_and_hangs_up_at_once) {
    stage *st = setup(0);
    const wzp_quic_event gone = {.kind = WZP_QUIC_CONNECTED, .conn = UINT64_C(0xdead00000001)};
    wzp_relay_on_connected(st->relay, &gone);
    guest *ann = client(st, A);
    ck_assert_ptr_nonnull(ann);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("peers");
    tcase_add_test(tc, one_room_on_three_relays);
    tcase_add_test(tc, other_rooms_stay_here);
    tcase_add_test(tc, a_relay_is_lost_and_comes_back);
    tcase_add_test(tc, direct_call);
    tcase_add_loop_test(tc, everything_crosses, 0, 2 * WZP_COUNT_OF(crossing));
    tcase_add_loop_test(tc, ends, 0, WZP_COUNT_OF(end_cases));
    tcase_add_loop_test(tc, a_callee_on_two_relays, 0, 2);
    tcase_add_test(tc, generic_answer_hides_the_callee);
    tcase_add_test(tc, strangers_are_refused);
    tcase_add_loop_test(tc, a_flooding_peer, 0, (int)WZP_COUNT_OF(flood_cases));
    tcase_add_test(tc, a_deployed_relay_links);
    tcase_add_test(tc, a_deployed_relay_calls);
    tcase_add_test(tc, peers_do_not_meddle);
    tcase_add_test(tc, a_peer_answers_and_hangs_up_at_once);
    return wzp_run_suite("peers", tc);
}
