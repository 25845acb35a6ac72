#include "sim/host/relay_host.h"

#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/host/raw_host.h"
#include "sim/host/testing/star.h"

#define WAY (10 * WZP_MS)

enum { RELAY, X, Y };

static const wzp_addr relay_at = {WZP_ADDR_V4, 4433, {10, 0, 0, RELAY}};

typedef struct world {
    star star;
    wzp_sim_relay_host *relay;
    wzp_sim_call_host *calls[3];
    char log[1024]; /* of the relay */
    bool kill_at_join;
} world;

static void on_event(void *ctx, const wzp_relay_event *event, wzp_time now) {
    world *w = ctx;
    const size_t used = strlen(w->log);
    ck_assert_uint_eq(event->at, now); /* its clock is right */
    (void)snprintf(w->log + used, sizeof w->log - used, "%s ", event->event);
    if (w->kill_at_join && strcmp(event->event, "join") == 0) {
        wzp_sim_relay_host_kill(w->relay);
    }
}

static void setup(world *w, size_t callers) {
    static const wzp_sim_host_cfg hosts[] = {{.name = "r"}, {.name = "x"}, {.name = "y"}};
    memset(w, 0, sizeof *w);
    const wzp_sim_relay_host_cfg relay = {.name = "relay", .event = on_event, .ctx = w};
    star_init(&w->star, 5);
    ck_assert(wzp_sim_relay_host_new(&w->relay, star_add(&w->star, &hosts[RELAY], WAY), &relay) ==
              WZP_OK);
    for (size_t i = X; i <= callers; i++) {
        const wzp_sim_call_cfg cfg = {.name = hosts[i].name,
                                      .id = (uint32_t)i,
                                      .relay = relay_at,
                                      .room = "room",
                                      .codec = WZP_CODEC_OPUS_24K,
                                      .redial_after = WZP_S};
        ck_assert(wzp_sim_call_host_new(&w->calls[i], star_add(&w->star, &hosts[i], WAY), &cfg) ==
                  WZP_OK);
    }
}

static void teardown(world *w) {
    for (size_t i = X; i <= Y; i++) {
        wzp_sim_call_host_free(&w->calls[i]);
    }
    wzp_sim_relay_host_free(&w->relay);
    star_clear(&w->star);
}

START_TEST(it_tells_what_happens) {
    static world w;
    setup(&w, 2);
    star_run(&w.star, 5 * WZP_S);
    wzp_sim_call_host_hangup(w.calls[X]);
    star_run(&w.star, 6 * WZP_S);
    ck_assert_str_eq(w.log, "join join leave ");
    wzp_relay_totals totals;
    wzp_relay_count(wzp_sim_relay_host_relay(w.relay), &totals);
    ck_assert_uint_eq(totals.sessions, 1);
    ck_assert_uint_gt(totals.packets_forwarded, 300);
    teardown(&w);
}
END_TEST

START_TEST(it_comes_back_as_the_same) {
    static world w;
    char first[64];
    setup(&w, 2);
    wzp_sim_raw_host *prober = NULL;
    static const uint8_t bytes[50];
    const wzp_sim_raw_send script[] = {{.at = 11 * WZP_S, .to = relay_at, .payload = {bytes, 50}},
                                       {.at = 14 * WZP_S, .to = relay_at, .payload = {bytes, 50}}};
    const wzp_sim_raw_cfg raw = {.script = script, .script_len = 2};
    ck_assert(wzp_sim_raw_host_new(&prober, w.star.hosts[X], &raw) == WZP_OK);
    (void)snprintf(first, sizeof first, "%s",
                   wzp_relay_fingerprint(wzp_sim_relay_host_relay(w.relay)));
    wzp_sim_relay_host_restart(w.relay, 10 * WZP_S, 3 * WZP_S);
    star_run(&w.star, 12 * WZP_S);
    ck_assert_ptr_null(wzp_sim_relay_host_relay(w.relay));
    ck_assert_uint_eq(wzp_sim_raw_host_count(prober), 1); /* port unreachable */
    ck_assert_uint_eq(wzp_sim_raw_host_got(prober, 0).icmp, WZP_SIM_ICMP_PORT_UNREACHABLE);
    star_run(&w.star, 60 * WZP_S);
    ck_assert_uint_eq(wzp_sim_raw_host_count(prober), 1); /* somebody listens again */
    ck_assert_uint_eq(wzp_sim_relay_host_lives(w.relay), 2);
    ck_assert_str_eq(first, wzp_relay_fingerprint(wzp_sim_relay_host_relay(w.relay)));
    for (size_t i = X; i <= Y; i++) {
        wzp_sim_call_report report;
        wzp_sim_call_host_report(w.calls[i], 60 * WZP_S, &report);
        ck_assert(report.in_call);
        ck_assert_uint_eq(report.dials, 2);
        ck_assert_uint_eq(report.members, 2);
        ck_assert_uint_eq(report.senders, 1); /* the same ear goes on */
        ck_assert_str_eq(report.closed,
                         "reset by the peer (code 0x0)"); /* as soon as it was back */
        ck_assert_uint_gt(report.heard[0].verdict.gap_ms, 3000);
        ck_assert_uint_lt(report.heard[0].verdict.gap_ms, 8000); /* nat sheet 2.14, M16 */
        ck_assert_uint_ge(report.heard[0].last_at, 59 * WZP_S);
    }
    wzp_sim_raw_host_free(&prober);
    teardown(&w);
}
END_TEST

START_TEST(it_may_be_killed_by_its_own_event) {
    static world w;
    setup(&w, 1);
    w.kill_at_join = true;
    star_run(&w.star, 5 * WZP_S);
    ck_assert_str_eq(w.log, "join ");
    ck_assert_ptr_null(wzp_sim_relay_host_relay(w.relay));
    w.kill_at_join = false;
    ck_assert(wzp_sim_relay_host_start(w.relay) == WZP_OK);
    ck_assert(wzp_sim_relay_host_start(w.relay) == WZP_OK); /* it runs */
    ck_assert_uint_eq(wzp_sim_relay_host_lives(w.relay), 2);
    star_run(&w.star, 50 * WZP_S);
    ck_assert_str_eq(w.log, "join join ");
    teardown(&w);
}
END_TEST

START_TEST(a_port_that_is_taken) {
    static world w;
    wzp_sim_relay_host *second = NULL;
    const wzp_sim_relay_host_cfg cfg = {.name = "second"};
    setup(&w, 0);
    ck_assert(wzp_sim_relay_host_new(&second, w.star.hosts[RELAY], &cfg) == WZP_ERR_LIMIT);
    wzp_sim_relay_host_restart(w.relay, 2 * WZP_S, WZP_S);
    star_run(&w.star, 2 * WZP_S + 1);
    ck_assert(wzp_sim_relay_host_new(&second, w.star.hosts[RELAY], &cfg) == WZP_OK);
    star_run(&w.star, 4 * WZP_S);
    ck_assert_str_eq(w.log, "start_failed ");
    wzp_sim_relay_host_free(&second);
    teardown(&w);
}
END_TEST

START_TEST(a_polite_end) {
    static world w;
    setup(&w, 1);
    star_run(&w.star, 3 * WZP_S);
    wzp_sim_relay_host_shutdown(w.relay);
    star_run(&w.star, 3 * WZP_S + WZP_S / 2);
    wzp_sim_call_report report;
    wzp_sim_call_host_report(w.calls[X], 4 * WZP_S, &report);
    ck_assert_str_eq(report.closed, "normal close (code 0x0)");
    wzp_sim_relay_host_kill(w.relay);
    wzp_sim_relay_host_shutdown(w.relay); /* nobody there */
    teardown(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("relay_host");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, it_tells_what_happens);
    tcase_add_test(tc, it_comes_back_as_the_same);
    tcase_add_test(tc, it_may_be_killed_by_its_own_event);
    tcase_add_test(tc, a_port_that_is_taken);
    tcase_add_test(tc, a_polite_end);
    return wzp_run_suite("sim_host.relay_host", tc);
}
