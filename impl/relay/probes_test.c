/* Relays that measure each other, and what they tell of their clients (relay sheet 10.1). */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/testing/stage.h"

enum { A, B, SOON = 300 };

static stage *setup(void) {
    const wzp_addr targets[] = {stage_relay_addr(B)};
    const wzp_relay_cfg a = {
        .probe_targets = targets, .probe_count = 1, .advertised = stage_relay_addr(A)};
    const wzp_relay_cfg b = {.seed = {1}, .advertised = stage_relay_addr(B)};
    stage *st = stage_new(&a);
    stage_relay(st, &b);
    return st;
}

static void mesh(const stage *st, char *out, size_t cap) {
    wzp_wr wr;
    wzp_wr_init(&wr, (uint8_t *)out, cap - 1);
    ck_assert(wzp_relay_mesh(st->relay, &wr) == WZP_OK);
    out[wzp_wr_len(&wr)] = '\0';
}

START_TEST(pings) {
    char page[1024];
    stage *st = setup();
    stage_run(st, 5500);
    ck_assert_int_eq(stage_metric(st, "wzp_probe_up{target=\"10.0.0.2:4433\"}"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_probe_rtt_ms{target=\"10.0.0.2:4433\"}"), 20);
    mesh(st, page, sizeof page);
    ck_assert_ptr_nonnull(strstr(page, "\n10.0.0.2:4433           20ms   0.0%     0ms  UP\n"));
    st->net.cut[st->hosts[B]] = true;
    stage_run(st, 35000);
    ck_assert_int_eq(stage_metric(st, "wzp_probe_up{target=\"10.0.0.2:4433\"}"), 0);
    st->net.cut[st->hosts[B]] = false;
    stage_run(st, 20000);
    ck_assert_int_eq(stage_metric(st, "wzp_probe_up{target=\"10.0.0.2:4433\"}"), 1);
    stage_at(st, B);
    mesh(st, page, sizeof page);
    ck_assert_ptr_nonnull(strstr(page, "  (no probe targets configured)\n"));
    stage_free(&st);
}
END_TEST

typedef struct seen {
    const char *wanted;
    wzp_addr at;
} seen;

static bool look(void *ctx, const wzp_addr *relay, const char *fingerprint) {
    seen *s = ctx;
    if (fingerprint != NULL && strcmp(fingerprint, s->wanted) == 0) {
        s->at = *relay;
    }
    return true;
}

/* Where this relay thinks that the guest is. */
static wzp_addr place_of(const stage *st, const guest *who) {
    seen s = {.wanted = who->identity.fingerprint};
    wzp_relay_visit_gossip(st->relay, look, &s);
    return s.at;
}

START_TEST(gossip) {
    stage *st = setup();
    const guest *ann = stage_registered(st, NULL);
    stage_at(st, B);
    const guest *bob = stage_member(st, "room");
    stage_run(st, 12000);
    wzp_addr at = place_of(st, ann);
    ck_assert(wzp_addr_same_ip(&at, &(wzp_addr){.family = at.family, .ip = {10, 0, 0, 1}}));
    stage_at(st, A);
    at = place_of(st, bob);
    const wzp_addr b = stage_relay_addr(B);
    ck_assert(wzp_addr_equal(&at, &b));
    stage_free(&st);
}
END_TEST

START_TEST(queries) {
    char query[256];
    char want[256];
    stage *st = setup();
    const guest *ann = stage_registered(st, NULL);
    guest *asks = stage_guest(st, "_probe");
    (void)snprintf(query, sizeof query,
                   "{\"RouteQuery\":{\"version\":1,\"fingerprint\":\"%s\",\"ttl\":3}}",
                   ann->identity.fingerprint);
    guest_say(asks, query);
    guest_say(asks, "{\"RouteQuery\":{\"version\":1,\"fingerprint\":\"aabb\",\"ttl\":3}}");
    guest_say(asks, "{\"PresenceUpdate\":{\"version\":1,\"fingerprints\":[\"aabb\"],"
                    "\"relay_addr\":\"10.9.9.9:1\"}}");
    guest_say(asks, "{\"Unheard\":{}}");
    stage_run(st, SOON);
    guest_say(asks, "{\"RouteQuery\":{\"version\":1,\"fingerprint\":\"aabb\",\"ttl\":3}}");
    stage_run(st, SOON);
    ck_assert(!asks->closed);
    (void)snprintf(want, sizeof want,
                   "{\"RouteResponse\":{\"version\":1,\"fingerprint\":\"%s\",\"found\":true,"
                   "\"relay_chain\":[\"10.0.0.1:4433\"]}}",
                   ann->identity.fingerprint);
    ck_assert_str_eq(guest_heard(asks, "RouteResponse", 0)->text, want);
    ck_assert_str_eq(guest_heard(asks, "RouteResponse", 1)->text,
                     "{\"RouteResponse\":{\"version\":1,\"fingerprint\":\"aabb\",\"found\":false,"
                     "\"relay_chain\":[]}}");
    /* Filed under the address that it came from, whatever it says. */
    ck_assert_str_eq(guest_heard(asks, "RouteResponse", 2)->text,
                     "{\"RouteResponse\":{\"version\":1,\"fingerprint\":\"aabb\",\"found\":true,"
                     "\"relay_chain\":[\"10.0.0.1:4433\",\"10.0.1.1:5000\"]}}");
    const char *update = guest_heard(asks, "PresenceUpdate", 0)->text;
    ck_assert_ptr_nonnull(strstr(update, ann->identity.fingerprint));
    ck_assert_ptr_nonnull(strstr(update, "\"relay_addr\":\"10.0.0.1:4433\""));
    for (int i = 0; i < 100; i++) {
        guest_say(asks, "{\"Ping\":{\"version\":1,\"timestamp_ms\":1}}");
    }
    stage_run(st, SOON);
    ck_assert_uint_lt(guest_count(asks, "Pong"), 60);
    ck_assert_int_gt(stage_metric(st, "wzp_relay_probes_dropped_total"), 40);
    stage_run(st, 1000);
    for (int i = 0; i < 10; i++) { /* each would be answered with a list of all clients */
        guest_say(asks, "{\"PresenceUpdate\":{\"version\":1,\"fingerprints\":[],"
                        "\"relay_addr\":\"10.9.9.9:1\"}}");
    }
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(asks, "PresenceUpdate"), 3);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("probes");
    tcase_add_test(tc, pings);
    tcase_add_test(tc, gossip);
    tcase_add_test(tc, queries);
    return wzp_run_suite("probes", tc);
}
