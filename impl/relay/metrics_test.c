/* The metrics page: every name that deployed relays register is there with its type (relay sheet
 * 11.1), and what is counted reaches it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "relay/testing/stage.h"

enum { SOON = 200 };

static const struct family_case {
    const char *name, *type;
} families[] = {
    {"wzp_relay_active_sessions", "gauge"},
    {"wzp_relay_active_rooms", "gauge"},
    {"wzp_relay_packets_forwarded_total", "counter"},
    {"wzp_relay_bytes_forwarded_total", "counter"},
    {"wzp_relay_auth_attempts_total", "counter"},
    {"wzp_relay_handshake_duration_seconds", "histogram"},
    {"wzp_relay_session_jitter_buffer_depth", "gauge"},
    {"wzp_relay_session_loss_pct", "gauge"},
    {"wzp_relay_session_rtt_ms", "gauge"},
    {"wzp_relay_session_underruns_total", "counter"},
    {"wzp_relay_session_overruns_total", "counter"},
    {"wzp_relay_session_dred_reconstructions_total", "counter"},
    {"wzp_relay_session_classical_plc_total", "counter"},
    {"wzp_relay_conformance_violations_total", "counter"},
    {"wzp_relay_conformance_bytes_per_session", "histogram"},
    {"wzp_relay_conformance_iat_ms", "histogram"},
    {"wzp_federation_peer_status", "gauge"},
    {"wzp_federation_peer_rtt_ms", "gauge"},
    {"wzp_federation_packets_forwarded_total", "counter"},
    {"wzp_federation_packets_deduped_total", "counter"},
    {"wzp_federation_packets_rate_limited_total", "counter"},
    {"wzp_federation_active_rooms", "gauge"},
    {"wzp_probe_rtt_ms", "gauge"},
    {"wzp_probe_loss_pct", "gauge"},
    {"wzp_probe_jitter_ms", "gauge"},
    {"wzp_probe_up", "gauge"},
};

START_TEST(deployed_family) {
    const struct family_case *c = &families[_i];
    char line[160];
    stage *st = stage_new(NULL);
    (void)snprintf(line, sizeof line, "# TYPE %s %s\n", c->name, c->type);
    const char *page = stage_metrics(st);
    const char *first = strstr(page, line);
    ck_assert_msg(first != NULL, "%s: not there as a %s", c->name, c->type);
    ck_assert_msg(strstr(first + 1, line) == NULL, "%s: twice", c->name);
    stage_free(&st);
}
END_TEST

/* The guest says nothing for a while before its offer. */
START_TEST(handshake_is_observed) {
    stage *st = stage_new(NULL);
    const wzp_time began = st->net.now;
    guest *g = stage_guest(st, "room");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_count"), 0);
    stage_run(st, 300);
    guest_offer(g, NULL);
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_count"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_bucket{le=\"0.25\"}"),
                     0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_bucket{le=\"0.5\"}"),
                     1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_bucket{le=\"+Inf\"}"),
                     1);
    static const char sum[] = "\nwzp_relay_handshake_duration_seconds_sum ";
    const char *at = strstr(stage_metrics(st), sum);
    ck_assert_ptr_nonnull(at);
    const double seconds = strtod(at + strlen(sum), NULL);
    ck_assert_double_ge(seconds, 0.3);
    ck_assert_double_le(seconds, (double)(st->net.now - began) / 1e9);
    guest *bad = stage_guest(st, "room");
    guest_say(bad, "{\"Ping\":{\"timestamp_ms\":1}}");
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_count"), 1);
    stage_free(&st);
}
END_TEST

/* The service's time to check a token is none of the handshake. */
START_TEST(handshake_begins_after_the_token) {
    const wzp_relay_cfg cfg = {.auth = true};
    wzp_relay_auth question;
    stage *st = stage_new(&cfg);
    guest *g = stage_guest(st, "room");
    guest_say(g, "{\"AuthToken\":{\"token\":\"t\"}}");
    guest_offer(g, NULL);
    stage_run(st, 1500);
    ck_assert(wzp_relay_next_auth(st->relay, &question));
    wzp_relay_auth_result(st->relay, question.id, WZP_AUTH_ACCEPTED, "ann", st->net.now);
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_handshake_duration_seconds_bucket{le=\"0.001\"}"),
                     1);
    stage_free(&st);
}
END_TEST

START_TEST(recovery_only_grows) {
    static const char first[] = "wzp_relay_session_dred_reconstructions_total"
                                "{session_id=\"01000000000000000000000000000000\"}";
    static const char second[] = "wzp_relay_session_classical_plc_total"
                                 "{session_id=\"01000000000000000000000000000000\"}";
    stage *st = stage_new(NULL);
    guest *g = stage_member(st, "room");
    ck_assert_int_eq(stage_metric(st, first), -1);
    guest_say(g, "{\"LossRecoveryUpdate\":{\"dred_reconstructions\":7,"
                 "\"classical_plc_invocations\":3,\"frames_decoded\":100}}");
    stage_run(st, SOON);
    guest_say(g, "{\"LossRecoveryUpdate\":{\"dred_reconstructions\":6,"
                 "\"classical_plc_invocations\":4,\"frames_decoded\":90}}");
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, first), 7);
    ck_assert_int_eq(stage_metric(st, second), 4);
    guest_leave(g);
    stage_run(st, SOON);
    ck_assert_int_eq(stage_metric(st, first), -1);
    stage_free(&st);
}
END_TEST

/* The metric names in an expression must be families of the page. */
static unsigned check_names(const char *expr, const char *page) {
    static const char *const parts[] = {"_bucket", "_sum", "_count"};
    unsigned count = 0;
    for (const char *at = expr; (at = strstr(at, "wzp_")) != NULL; count++) {
        char line[160];
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        for (size_t i = 0; i < WZP_COUNT_OF(parts); i++) {
            const size_t part = strlen(parts[i]);
            if (len > part && memcmp(at + len - part, parts[i], part) == 0) {
                len -= part;
            }
        }
        (void)snprintf(line, sizeof line, "# TYPE %.*s ", (int)len, at);
        ck_assert_msg(strstr(page, line) != NULL, "no %.*s, in: %s", (int)len, at, expr);
        at += len;
    }
    return count;
}

static unsigned check_dashboard(const json_t *board, const char *page) {
    unsigned count = 0;
    size_t i;
    size_t n;
    const json_t *panel;
    const json_t *target;
    json_array_foreach(json_object_get(board, "panels"), i, panel) {
        json_array_foreach(json_object_get(panel, "targets"), n, target) {
            const char *expr = json_string_value(json_object_get(target, "expr"));
            ck_assert_ptr_nonnull(expr);
            count += check_names(expr, page);
        }
    }
    return count;
}

START_TEST(dashboard_names_exist) {
    json_error_t why;
    const wzp_relay_cfg cfg = {.auth = true};
    stage *st = stage_new(&cfg);
    json_t *board = json_load_file(WZP_SOURCE_DIR "/packaging/grafana/wzp-relay.json", 0, &why);
    ck_assert_msg(board != NULL, "line %d: %s", why.line, why.text);
    ck_assert_str_eq(json_string_value(json_object_get(board, "uid")), "wzp-relay-v1");
    ck_assert_uint_ge(check_dashboard(board, stage_metrics(st)), 20);
    json_decref(board);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("metrics");
    tcase_add_loop_test(tc, deployed_family, 0, (int)WZP_COUNT_OF(families));
    tcase_add_test(tc, handshake_is_observed);
    tcase_add_test(tc, handshake_begins_after_the_token);
    tcase_add_test(tc, recovery_only_grows);
    tcase_add_test(tc, dashboard_names_exist);
    return wzp_run_suite("metrics", tc);
}
