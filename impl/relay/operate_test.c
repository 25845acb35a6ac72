/* Draining, and changes to a relay that runs. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "relay/testing/stage.h"
#include "wire/media.h"

enum { SOON = 300, FAREWELL = 700 };

static void say_packet(guest *g, uint32_t seq) {
    uint8_t buf[64];
    wzp_wr wr;
    const wzp_media_packet packet = {.hdr = {.version = WZP_PROTOCOL_VERSION, .seq = seq},
                                     .payload = wzp_bytes_str("twenty milliseconds")};
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, &packet);
    guest_send(g, wzp_bytes_of(buf, wzp_wr_len(&wr)));
}

START_TEST(drain_waits_for_rooms) {
    stage *st = stage_new(NULL);
    guest *a = stage_member(st, "room");
    guest *b = stage_member(st, "room");
    guest *idle = stage_registered(st, NULL);
    wzp_relay_drain(st->relay, st->net.now);
    stage_run(st, FAREWELL);
    ck_assert(idle->closed && !a->closed && !b->closed);
    ck_assert_str_eq(idle->close.reason, "the relay drains");
    ck_assert_uint_eq(idle->close.code, 0);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_draining"), 1);
    say_packet(a, 1);
    stage_run(st, SOON);
    ck_assert_uint_eq(b->datagram_count, 1); /* the call goes on */
    guest_leave(a);
    stage_run(st, SOON);
    ck_assert(!wzp_relay_is_drained(st->relay));
    guest_leave(b);
    stage_run(st, SOON);
    ck_assert(wzp_relay_is_drained(st->relay));
    stage_free(&st);
}
END_TEST

START_TEST(drain_admits_nobody) {
    stage *st = stage_new(NULL);
    const guest *a = stage_member(st, "room");
    guest *late = stage_guest(st, "room"); /* connected before, says its offer after */
    wzp_relay_drain(st->relay, st->net.now);
    guest_offer(late, NULL);
    stage_run(st, FAREWELL);
    ck_assert(late->closed && !a->closed);
    ck_assert_uint_eq(guest_count(late, "CallAnswer"), 0);
    const guest *newcomer = stage_guest(st, "room");
    stage_run(st, SOON);
    ck_assert(newcomer->closed);
    ck_assert_str_eq(newcomer->close.reason, "the relay drains");
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 1);
    stage_free(&st);
}
END_TEST

START_TEST(drain_forgets_tokens) {
    const wzp_relay_cfg cfg = {.auth = true};
    wzp_relay_auth question;
    stage *st = stage_new(&cfg);
    guest *g = stage_guest(st, "_signal");
    guest_say(g, "{\"AuthToken\":{\"token\":\"t\"}}");
    stage_run(st, SOON);
    ck_assert(wzp_relay_next_auth(st->relay, &question));
    wzp_relay_drain(st->relay, st->net.now);
    wzp_relay_auth_result(st->relay, question.id, WZP_AUTH_ACCEPTED, "ann", st->net.now);
    guest_register(g, NULL);
    stage_run(st, FAREWELL);
    ck_assert_uint_eq(guest_count(g, "RegisterPresenceAck"), 0);
    ck_assert(g->closed && wzp_relay_is_drained(st->relay));
    stage_free(&st);
}
END_TEST

/* Both parties keep their signal connections and may still fall back to the relay's room. */
START_TEST(drain_waits_for_direct_calls) {
    char json[1024];
    stage *st = stage_new(NULL);
    guest *a = stage_registered(st, NULL);
    guest *b = stage_registered(st, NULL);
    wzp_signal offer = {
        .kind = WZP_SIGNAL_DIRECT_CALL_OFFER,
        .version = 1,
        .u.DirectCallOffer = {.caller_fingerprint = wzp_bytes_str(a->identity.fingerprint),
                              .target_fingerprint = wzp_bytes_str(b->identity.fingerprint),
                              .call_id = wzp_bytes_str("c1"),
                              .supported_profiles = {&wzp_profile_good, 1}}};
    guest_tell(a, &offer);
    stage_run(st, SOON);
    wzp_relay_drain(st->relay, st->net.now);
    (void)snprintf(json, sizeof json, "%s",
                   "{\"DirectCallAnswer\":{\"call_id\":\"c1\",\"accept_mode\":\"AcceptTrusted\"}}");
    guest_say(b, json);
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(a, "CallSetup"), 1);
    guest *media = stage_guest_again(st, a, "call-c1");
    guest_offer(media, NULL);
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(media, "CallAnswer"), 1);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_active_sessions"), 1);
    offer.u.DirectCallOffer.call_id = wzp_bytes_str("c2");
    guest_tell(a, &offer);
    stage_run(st, SOON);
    ck_assert_uint_eq(guest_count(b, "DirectCallOffer"), 1);
    guest_leave(media);
    guest_say(b, "{\"Hangup\":{\"reason\":\"Normal\",\"call_id\":\"c1\"}}");
    stage_run(st, SOON);
    ck_assert(!a->closed);
    stage_run(st, FAREWELL);
    ck_assert(wzp_relay_is_drained(st->relay));
    ck_assert_uint_eq(guest_count(a, "Hangup"), 2); /* of c2, then of c1 */
    ck_assert(a->closed && b->closed);
    stage_free(&st);
}
END_TEST

START_TEST(changes_apply_to_newcomers) {
    static const char *const before[] = {"old|192.0.2.1:1"};
    static const char *const after[] = {"new|192.0.2.2:2", "newer|192.0.2.3:3"};
    const wzp_relay_cfg cfg = {
        .max_sessions = 1, .region = "before", .available_relays = before, .available_count = 1};
    stage *st = stage_new(&cfg);
    const guest *a = stage_member(st, "room");
    guest *refused = stage_guest(st, "room");
    guest_offer(refused, NULL);
    stage_run(st, SOON);
    ck_assert(refused->closed);
    const wzp_relay_live live = {.enforce = WZP_ENFORCE_ON,
                                 .max_sessions = 2,
                                 .region = "after",
                                 .strict_identity = true,
                                 .available_relays = after,
                                 .available_count = 2};
    wzp_relay_change(st->relay, &live);
    const guest *b = stage_member(st, "room");
    ck_assert(!a->closed && !b->closed);
    ck_assert_int_eq(stage_metric(st, "wzp_relay_enforce_info{mode=\"on\"}"), 1);
    const guest *c = stage_registered(st, NULL); /* signs */
    const char *ack = guest_heard(c, "RegisterPresenceAck", 0)->text;
    ck_assert_ptr_nonnull(strstr(ack, "\"after\""));
    ck_assert_ptr_nonnull(strstr(ack, "[\"new|192.0.2.2:2\",\"newer|192.0.2.3:3\"]"));
    stage_free(&st);
}
END_TEST

/* Switched while packets wait in frames: nothing is lost or told twice. */
START_TEST(trunking_changes) {
    wzp_relay_live live = {.trunking = true};
    stage *st = stage_new(NULL);
    guest *a = stage_member(st, "room");
    guest *b = stage_member(st, "room");
    say_packet(a, 1);
    stage_run(st, SOON);
    ck_assert_int_eq(b->datagrams->text[0], WZP_PROTOCOL_VERSION);
    const size_t plain = b->datagrams->len;
    wzp_relay_change(st->relay, &live);
    guest_forget(b);
    say_packet(a, 2);
    stage_run(st, SOON);
    ck_assert_uint_eq(b->datagram_count, 1);
    ck_assert_uint_eq(b->datagrams->len, plain + 6);
    guest_forget(b);
    say_packet(a, 3);
    while (stage_metric(st, "wzp_relay_packets_in_total") < 3) {
        stage_run(st, 1);
    }
    ck_assert_uint_eq(b->datagram_count, 0); /* it waits in a frame */
    live.trunking = false;
    wzp_relay_change(st->relay, &live);
    say_packet(a, 4);
    stage_run(st, SOON);
    ck_assert_uint_eq(b->datagram_count, 2);
    ck_assert_uint_eq(b->datagrams->len, plain + 6); /* at its time, before the next one came */
    ck_assert_uint_eq(b->datagrams->next->len, plain);
    stage_free(&st);
}
END_TEST

/* The log's level and the tap, for members who are there already. */
static unsigned lines;

static void on_line(void *ctx, wzp_log_level level, const char *text) {
    (void)ctx;
    (void)level;
    lines += strncmp(text, "debug_tap: TAP room", 19) == 0 ? 1 : 0;
}

START_TEST(tap_changes) {
    const wzp_relay_cfg cfg = {.log = {on_line, NULL, WZP_LOG_WARN}};
    wzp_relay_live live = {.log_max = WZP_LOG_INFO, .debug_tap = "room"};
    stage *st = stage_new(&cfg);
    guest *a = stage_member(st, "room");
    lines = 0;
    wzp_relay_change(st->relay, &live);
    say_packet(a, 1);
    stage_run(st, SOON);
    ck_assert_uint_eq(lines, 1);
    live.log_max = WZP_LOG_WARN;
    wzp_relay_change(st->relay, &live);
    say_packet(a, 2);
    stage_run(st, SOON);
    ck_assert_uint_eq(lines, 1);
    live.log_max = WZP_LOG_INFO;
    live.debug_tap = "other";
    wzp_relay_change(st->relay, &live);
    say_packet(a, 3);
    stage_run(st, SOON);
    ck_assert_uint_eq(lines, 1);
    live.debug_tap = "*";
    wzp_relay_change(st->relay, &live);
    say_packet(a, 4);
    stage_run(st, SOON);
    ck_assert_uint_eq(lines, 2);
    stage_free(&st);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("operate");
    tcase_add_test(tc, drain_waits_for_rooms);
    tcase_add_test(tc, drain_admits_nobody);
    tcase_add_test(tc, drain_forgets_tokens);
    tcase_add_test(tc, drain_waits_for_direct_calls);
    tcase_add_test(tc, changes_apply_to_newcomers);
    tcase_add_test(tc, trunking_changes);
    tcase_add_test(tc, tap_changes);
    return wzp_run_suite("operate", tc);
}
