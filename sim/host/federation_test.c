/* One room on three linked relays: everybody hears everybody once, same seed same bytes, and a
 * relay that crashes costs the others nothing. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "crypto/identity.h"
#include "sim/host/testing/star.h"

enum { RELAYS = 3, MEMBERS = 6 };

#define WAY (10 * WZP_MS)
#define CRASH (10 * WZP_S)

static const char *const relay_names[] = {"ra", "rb", "rc"};
static const char *const names[] = {"u", "v", "w", "x", "y", "z"};

typedef struct world {
    star star;
    char fingerprints[RELAYS][WZP_TLS_FINGERPRINT_TEXT + 1];
    wzp_fed_peer_cfg peers[RELAYS][RELAYS];
    wzp_federation_cfg federations[RELAYS];
    wzp_sim_relay_host *relays[RELAYS];
    wzp_sim_call_host *calls[MEMBERS];
} world;

static wzp_addr relay_at(size_t i) {
    return wzp_addr_v4(10, 0, 0, (uint8_t)i, 4433);
}

static void add_relay(world *w, size_t i) {
    static const char *const rooms[] = {"room"};
    const wzp_sim_host_cfg host = {.name = relay_names[i]};
    size_t count = 0;
    for (size_t k = 0; k < RELAYS; k++) {
        if (k != i) {
            w->peers[i][count++] = (wzp_fed_peer_cfg){i < k ? relay_at(k) : (wzp_addr){0},
                                                      w->fingerprints[k], relay_names[k]};
        }
    }
    w->federations[i] = (wzp_federation_cfg){.peers = w->peers[i],
                                             .peer_count = count,
                                             .rooms = rooms,
                                             .room_count = 1,
                                             .pin_required = true};
    wzp_sim_relay_host_cfg cfg = {.name = relay_names[i],
                                  .relay = {.federation = &w->federations[i]}};
    memset(cfg.relay.seed, (int)i + 1, sizeof cfg.relay.seed);
    ck_assert(wzp_sim_relay_host_new(&w->relays[i], star_add(&w->star, &host, WAY), &cfg) ==
              WZP_OK);
}

static void setup(world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    star_init(&w->star, seed);
    for (size_t i = 0; i < RELAYS; i++) {
        uint8_t own[WZP_KEY_LEN];
        wzp_tls_identity tls;
        memset(own, (int)i + 1, sizeof own);
        wzp_tls_identity_from_seed(&tls, own);
        memcpy(w->fingerprints[i], tls.fingerprint, sizeof tls.fingerprint);
        wzp_tls_identity_clear(&tls);
    }
    for (size_t i = 0; i < RELAYS; i++) {
        add_relay(w, i);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        const wzp_sim_host_cfg host = {.name = names[i]};
        const wzp_sim_call_cfg cfg = {.name = names[i],
                                      .id = (uint32_t)i + 1,
                                      .relay = relay_at(i % RELAYS),
                                      .room = "room",
                                      .codec = WZP_CODEC_OPUS_24K,
                                      .dial_at = WZP_S,
                                      .redial_after = WZP_S};
        ck_assert(wzp_sim_call_host_new(&w->calls[i], star_add(&w->star, &host, (1 + i) * WAY),
                                        &cfg) == WZP_OK);
    }
}

static void teardown(world *w) {
    for (size_t i = 0; i < MEMBERS; i++) {
        wzp_sim_call_host_free(&w->calls[i]);
    }
    for (size_t i = 0; i < RELAYS; i++) {
        wzp_sim_relay_host_free(&w->relays[i]);
    }
    star_clear(&w->star);
}

START_TEST(everybody_hears_everybody) {
    static world w;
    setup(&w, 11);
    star_run(&w.star, 8 * WZP_S);
    for (size_t i = 0; i < MEMBERS; i++) {
        wzp_sim_call_report report;
        wzp_sim_call_host_report(w.calls[i], 8 * WZP_S, &report);
        ck_assert_uint_eq(report.members, MEMBERS);
        ck_assert_uint_eq(report.senders, MEMBERS - 1);
        for (size_t k = 0; k < report.senders; k++) {
            ck_assert_msg(report.heard[k].verdict.gap_ms < 100, "%s hears %u with a gap of %u ms",
                          names[i], report.heard[k].sender,
                          (unsigned)report.heard[k].verdict.gap_ms);
        }
    }
    teardown(&w);
}
END_TEST

START_TEST(same_seed_same_bytes) {
    static world w;
    uint8_t first[WZP_SHA256_LEN];
    for (int i = 0; i < 3; i++) {
        setup(&w, i < 2 ? 11 : 12);
        wzp_sim_relay_host_restart(w.relays[2], 3 * WZP_S, WZP_S);
        star_run(&w.star, 6 * WZP_S);
        if (i == 0) {
            memcpy(first, w.star.digest, sizeof first);
        }
        ck_assert((memcmp(first, w.star.digest, sizeof first) == 0) == (i < 2));
        teardown(&w);
    }
}
END_TEST

/* Back within ten seconds of the crash for those that it served; the others miss nothing of each
 * other. */
START_TEST(a_crash_costs_the_others_nothing) {
    static world w;
    setup(&w, 13);
    wzp_sim_relay_host_restart(w.relays[2], CRASH, 3 * WZP_S);
    star_run(&w.star, CRASH + 15 * WZP_S);
    for (size_t i = 0; i < MEMBERS; i++) {
        wzp_sim_call_report report;
        wzp_sim_call_host_report(w.calls[i], CRASH + 15 * WZP_S, &report);
        ck_assert_uint_eq(report.members, MEMBERS);
        for (size_t k = 0; k < report.senders; k++) {
            const bool is_hit = i % RELAYS == 2 || report.heard[k].sender % RELAYS == 0;
            ck_assert_uint_lt(report.heard[k].verdict.gap_ms, is_hit ? 10000 : 100);
            ck_assert_uint_ge(report.heard[k].last_at, CRASH + 14 * WZP_S);
        }
    }
    teardown(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("federation");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, everybody_hears_everybody);
    tcase_add_test(tc, same_seed_same_bytes);
    tcase_add_test(tc, a_crash_costs_the_others_nothing);
    return wzp_run_suite("sim_host.federation", tc);
}
