/* Whole calls through a relay while something goes wrong beside them: judged by the ears of those
 * who have nothing to do with it.  impl/relay/faults_test.c has what the relay counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/suite.h"
#include "sim/host/testing/star.h"

#define WAY (10 * WZP_MS)

enum { RELAY, X, Y, Z, SEATS };

static const wzp_addr relay_at = {WZP_ADDR_V4, 4433, {10, 0, 0, RELAY}};

typedef struct world {
    star star;
    wzp_sim_relay_host *relay;
    wzp_sim_call_host *calls[SEATS];
} world;

static const wzp_sim_host_cfg hosts[SEATS] = {
    {.name = "relay"}, {.name = "x"}, {.name = "y"}, {.name = "z"}};

static void enter(world *w, size_t who) {
    const wzp_sim_call_cfg cfg = {.name = hosts[who].name,
                                  .id = (uint32_t)who,
                                  .relay = relay_at,
                                  .room = "room",
                                  .codec = WZP_CODEC_OPUS_24K};
    ck_assert(wzp_sim_call_host_new(&w->calls[who], star_add(&w->star, &hosts[who], WAY), &cfg) ==
              WZP_OK);
}

/* X and Y, and Z with them, from the first second on. */
static void setup(world *w, size_t callers) {
    const wzp_sim_relay_host_cfg relay = {.name = "relay", .relay = {.enforce = WZP_ENFORCE_ON}};
    memset(w, 0, sizeof *w);
    star_init(&w->star, 11);
    ck_assert(wzp_sim_relay_host_new(&w->relay, star_add(&w->star, &hosts[RELAY], WAY), &relay) ==
              WZP_OK);
    for (size_t i = X; i <= callers; i++) {
        enter(w, i);
    }
}

static void teardown(world *w) {
    for (size_t i = X; i < SEATS; i++) {
        wzp_sim_call_host_free(&w->calls[i]);
    }
    wzp_sim_relay_host_free(&w->relay);
    star_clear(&w->star);
}

/* One has heard the other until now without a missing frame. */
static void hears(const world *w, size_t who, size_t whom, wzp_time now) {
    wzp_sim_call_report report;
    wzp_sim_call_host_report(w->calls[who], now, &report);
    ck_assert(report.in_call);
    const wzp_sim_heard *heard = NULL;
    for (size_t s = 0; s < report.senders; s++) {
        heard = report.heard[s].sender == whom ? &report.heard[s] : heard;
    }
    ck_assert_ptr_nonnull(heard);
    ck_assert_uint_eq(heard->verdict.concealed, 0);
    ck_assert_uint_ge(heard->last_at + WZP_S, now);
}

static void nobody_noticed(const world *w, wzp_time now) {
    hears(w, X, Y, now);
    hears(w, Y, X, now);
}

static long long metric(const world *w, const char *name) {
    static uint8_t page[1 << 16];
    char wanted[128];
    wzp_wr wr;
    wzp_wr_init(&wr, page, sizeof page - 1);
    ck_assert(wzp_relay_metrics(wzp_sim_relay_host_relay(w->relay), &wr) == WZP_OK);
    page[wzp_wr_len(&wr)] = '\0';
    (void)snprintf(wanted, sizeof wanted, "\n%s ", name);
    const char *at = strstr((const char *)page, wanted);
    return at != NULL ? strtoll(at + strlen(wanted), NULL, 10) : -1;
}

/* One client's first packet, which comes out of nowhere; answers find nobody. */
static void first_packet(world *w, wzp_quic *crowd, unsigned number, wzp_time now) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_conn conn = 0;
    wzp_quic_meta meta;
    const wzp_addr own = wzp_addr_v4(10, 9, (uint8_t)(number >> 8), (uint8_t)number, 5000);
    const wzp_quic_dial dial = {.path = {own, relay_at}, .sni = "room"};
    ck_assert(wzp_quic_connect(crowd, &dial, now, &conn) == WZP_OK);
    for (size_t n; (n = wzp_quic_next_packet(crowd, now, buf, sizeof buf, &meta)) > 0;) {
        wzp_sim_packet *packet =
            wzp_sim_packet_new(w->star.pool, &own, &relay_at, wzp_bytes_of(buf, n), now);
        ck_assert_ptr_nonnull(packet);
        wzp_sim_pipe_carry(&w->star.down[RELAY].pipe, packet, now);
    }
    wzp_quic_abandon(crowd, conn);
}

START_TEST(a_flood_of_handshakes) {
    enum { STEPS = 150, AT_ONCE = 20, UNPROVEN = 256, NEWCOMER = STEPS / 2 * AT_ONCE };
    static world w;
    wzp_prng prng;
    wzp_quic *crowd = NULL;
    wzp_prng_init(&prng, 7, "crowd");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng), .deterministic = true};
    setup(&w, Y);
    star_run(&w.star, 5 * WZP_S);
    ck_assert(wzp_quic_new(&crowd, &cfg, 5 * WZP_S) == WZP_OK);
    wzp_time now = 5 * WZP_S;
    for (unsigned i = 0; i < STEPS * AT_ONCE; i++) {
        first_packet(&w, crowd, i, now);
        if (i == NEWCOMER) {
            enter(&w, Z); /* in the middle of it, and has an address to prove */
        }
        if (i % AT_ONCE == AT_ONCE - 1) {
            now += 20 * WZP_MS;
            star_run(&w.star, now);
        }
    }
    hears(&w, Z, X, now); /* it was not kept waiting for the end of the flood */
    star_run(&w.star, 20 * WZP_S);
    nobody_noticed(&w, 20 * WZP_S);
    hears(&w, Z, X, 20 * WZP_S);
    hears(&w, X, Z, 20 * WZP_S);
    wzp_relay_totals totals;
    wzp_relay_count(wzp_sim_relay_host_relay(w.relay), &totals);
    ck_assert_uint_eq(totals.sessions, 3);
    ck_assert_int_eq(metric(&w, "wzp_quic_retries_sent_total"), STEPS * AT_ONCE - UNPROVEN + 1);
    ck_assert_int_eq(metric(&w, "wzp_quic_handshakes_failed_total"), UNPROVEN);
    wzp_quic_free(&crowd);
    teardown(&w);
}
END_TEST

static bool lost(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    const wzp_time *from = ctx;
    (void)packet;
    return now >= *from;
}

/* All that it says arrives; it hears nothing, and so acknowledges nothing. */
START_TEST(a_receiver_that_acknowledges_nothing) {
    static world w;
    static wzp_time from = 5 * WZP_S;
    wzp_sim_call_report report;
    setup(&w, Z);
    w.star.down[Z].loses = lost;
    w.star.down[Z].ctx = &from;
    star_run(&w.star, 15 * WZP_S);
    const uint64_t by_then = w.star.down[Z].lost;
    star_run(&w.star, 25 * WZP_S);
    nobody_noticed(&w, 25 * WZP_S);
    wzp_sim_call_host_report(w.calls[X], 25 * WZP_S, &report);
    ck_assert_uint_eq(report.members, 3);
    /* After a while the relay only looks whether the way is open again, five times a second.  So
     * does Z, which hears nothing either, and the relay acknowledges that. */
    const uint64_t lost_then = w.star.down[Z].lost - by_then;
    ck_assert_uint_ge(lost_then, 10 * (5 + 5) - 15);
    ck_assert_uint_le(lost_then, 10 * (5 + 5) + 15);
    star_run(&w.star, 70 * WZP_S);
    nobody_noticed(&w, 70 * WZP_S);
    wzp_sim_call_host_report(w.calls[X], 70 * WZP_S, &report);
    ck_assert_uint_eq(report.members, 2); /* who heard nothing has given up, and is missed */
    teardown(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("faults");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_flood_of_handshakes);
    tcase_add_test(tc, a_receiver_that_acknowledges_nothing);
    return wzp_run_suite("sim_host.faults", tc);
}
