/* What is said on one path goes on, on another. */
#include "client/testing/links.h"

#include "base/testing/suite.h"

/* --- by the relay ----------------------------------------------------------------------------- */

START_TEST(by_the_relay_as_ever) {
    links_call *c = links_begin((wzp_client_cfg){0});
    ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    links_run(c, 4000);
    ck_assert_uint_eq(c->a.joined, 1);
    ck_assert_uint_gt(c->a.packets, 180);
    ck_assert_uint_eq(c->a.wrong + c->b.wrong, 0);
    wzp_client_hangup(c->a.client, c->net.now);
    links_run(c, 500);
    ck_assert_uint_eq(c->a.closed, 1);
    ck_assert_uint_eq(c->b.closed, 0);
    links_end(c);
}
END_TEST

START_TEST(by_the_relay_when_told_so) {
    links_call *c = links_begin_waiting();
    links_run(c, 500);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert_uint_eq(c->net.packets, 0);
    links_dial_relay(c);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_DIALLING);
    ck_assert(wzp_client_dial_relay(c->a.client, &links_relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    links_run(c, 500);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_UP);
    ck_assert_uint_eq(c->a.joined, 1);
    ck_assert_uint_eq(c->a.pushed, 0); /* not yet */
    links_take_relay(c);
    links_run(c, 4000);
    links_check_both(c, 190);
    links_end(c);
}
END_TEST

/* --- directly --------------------------------------------------------------------------------- */

START_TEST(directly_without_any_relay) {
    links_call *c = links_begin((wzp_client_cfg){
        .waits = true,
        .media_crypto = _i == 0 ? WZP_MEDIA_CRYPTO_CLEAR : WZP_MEDIA_CRYPTO_RELAY_AEAD});
    wzp_client_stats stats;
    c->net.deaf[LINKS_RELAY] = true;
    links_connect(c);
    links_take_direct(c);
    links_run(c, 4000);
    links_check_both(c, 190);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert_uint_eq(c->a.joined, 0);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.rtt / WZP_MS, 20);
    ck_assert_uint_eq(stats.unsent, 0);
    wzp_client_hangup(c->a.client, c->net.now);
    links_run(c, 500);
    ck_assert(wzp_client_push_coded(c->a.client, wzp_bytes_str("x"), c->net.now) == WZP_ERR_CLOSED);
    ck_assert_uint_eq(c->a.closed, 0);
    ck_assert_uint_lt(c->a.pushed + 20, c->b.pushed);
    links_end(c);
}
END_TEST

START_TEST(from_path_to_path_while_speaking) {
    links_call *c = links_begin_waiting();
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    links_take_direct(c);
    links_run(c, 2000);
    for (int i = 0; i < 4; i++) {
        links_take_relay(c);
        links_run(c, 1990);
        links_take_direct(c);
        links_run(c, 2010);
    }
    wzp_client_drop_relay(c->a.client, c->net.now);
    wzp_client_drop_relay(c->b.client, c->net.now);
    links_run(c, 3000);
    links_check_both(c, c->a.pushed - 30);
    ck_assert_uint_gt(c->a.pushed, 1000);
    ck_assert_uint_eq(c->a.concealed + c->b.concealed, 0);
    links_end(c);
}
END_TEST

/* What the other side says before it turns as well is not lost with the relay. */
START_TEST(who_turns_first_hears_who_turns_later) {
    links_call *c = links_begin_waiting();
    wzp_quic_counters counters;
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    links_take_relay(c);
    links_run(c, 1000);
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_drop_relay(c->a.client, c->net.now);
    ck_assert(links_relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    links_run(c, 200);
    wzp_client_take_direct(c->b.client, c->b.direct, c->net.now);
    wzp_client_drop_relay(c->b.client, c->net.now);
    links_run(c, 2000);
    links_check_both(c, c->a.pushed - 30);
    ck_assert_uint_eq(c->a.concealed + c->b.concealed, 0);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_eq(counters.conns, 1);
    links_end(c);
}
END_TEST

/* A peer on a slower path, or who has not heard yet, still sends by the other one. */
START_TEST(both_paths_are_listened_to) {
    links_call *c = links_begin_waiting();
    wzp_client_stats stats;
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    c->b.mirrors = true;
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_take_relay(c->b.client, c->net.now);
    links_run(c, 3000);
    links_check_heard(&c->a, 140, "a");
    for (uint32_t i = 0; i < 140; i++) {
        ck_assert_uint_eq(c->b.heard[i], 1);
    }
    wzp_client_count(c->b.client, &stats);
    ck_assert_uint_gt(stats.refused.duplicate, 140);
    links_end(c);
}
END_TEST

/* What is sealed for the relay is in clear on the direct path, and there is no relay that is told
 * about media that do not pass it. */
START_TEST(sealed_for_the_relay_only) {
    links_call *c =
        links_begin((wzp_client_cfg){.waits = true, .media_crypto = WZP_MEDIA_CRYPTO_RELAY_AEAD});
    wzp_client_stats stats;
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    links_take_direct(c);
    links_run(c, 2000);
    links_check_both(c, 90);
    links_take_relay(c);
    links_run(c, 1000);
    wzp_client_count(c->b.client, &stats);
    ck_assert_uint_gt(stats.cipher.forged, 40); /* the relay's key is not the peer's */
    ck_assert_uint_eq(stats.cipher.opened, 0);
    links_end(c);
}
END_TEST

/* A relay knows nothing of media that do not pass it. */
START_TEST(a_directive_is_for_the_relays_path) {
    static const wzp_signal directive = {
        .kind = WZP_SIGNAL_QUALITY_DIRECTIVE,
        .version = 1,
        .u.QualityDirective.recommended_profile = {.codec = WZP_CODEC_OPUS_64K,
                                                   .fec_ratio = 0.1F,
                                                   .frame_duration_ms = 20,
                                                   .frames_per_block = 10}};
    links_call *c = links_begin((wzp_client_cfg){.waits = true, .adapts = true});
    wzp_client_stats stats;
    uint8_t json[512];
    wzp_wr wr;
    wzp_wr_init(&wr, json, sizeof json);
    wzp_signal_write(&wr, &directive);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    links_connect(c);
    links_dial_relay(c);
    links_run(c, 400);
    if (_i == 0) {
        links_take_direct(c);
    } else {
        links_take_relay(c);
    }
    links_run(c, 400);
    wzp_client_signal(c->a.client, false, wzp_bytes_of(json, wzp_wr_len(&wr)), c->net.now);
    links_run(c, 400);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.codec, _i == 0 ? WZP_CODEC_OPUS_24K : WZP_CODEC_OPUS_64K);
    links_end(c);
}
END_TEST

START_TEST(a_silent_direct_path_is_told) {
    links_call *c = links_begin_waiting();
    links_connect(c);
    links_take_direct(c);
    links_run(c, 1000);
    c->net.cut[c->b.host] = true;
    links_run(c, 3900);
    ck_assert_uint_eq(c->a.lost, 0);
    links_run(c, 300);
    ck_assert_uint_eq(c->a.lost, 1);
    ck_assert_uint_eq(c->b.lost, 0);
    c->net.cut[c->b.host] = false;
    links_run(c, 2000);
    ck_assert_uint_eq(c->a.back, 1);
    ck_assert_uint_eq(c->a.lost, 1);
    links_end(c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, by_the_relay_as_ever);
    tcase_add_test(tc, by_the_relay_when_told_so);
    tcase_add_loop_test(tc, directly_without_any_relay, 0, 2);
    tcase_add_test(tc, from_path_to_path_while_speaking);
    tcase_add_test(tc, who_turns_first_hears_who_turns_later);
    tcase_add_test(tc, both_paths_are_listened_to);
    tcase_add_test(tc, sealed_for_the_relay_only);
    tcase_add_loop_test(tc, a_directive_is_for_the_relays_path, 0, 2);
    tcase_add_test(tc, a_silent_direct_path_is_told);
    return wzp_run_suite("links", tc);
}
