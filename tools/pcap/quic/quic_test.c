/* Calls between endpoints of ours, looked at from beside. */
#include "tools/pcap/quic/quic.h"

#include "base/testing/suite.h"
#include "tools/pcap/quic/testing/captured.h"
#include "tools/pcap/quic/testing/watch.h"

static void show_all(seen *s, const captured *c) {
    for (size_t i = 0; i < c->count; i++) {
        const captured_packet *p = &c->packets[i];
        watch_show(s, &p->src, &p->dst, p->data, p->len);
    }
    wzp_pcap_quic_end(s->quic);
}

static void give_secrets(seen *s, const captured *c) {
    ck_assert(wzp_pcap_quic_secrets(s->quic, wzp_bytes_str(c->keylog)) == WZP_OK);
}

enum { DATAGRAMS = 20, SIGNAL_LEN = 5000 };

/* Datagrams and signals both ways, then a close. */
static captured *call(wzp_quic_cfg cfg) {
    captured *c = captured_new(cfg, 1);
    uint8_t body[SIGNAL_LEN];
    captured_dial(c, "room");
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < DATAGRAMS; i++) {
        captured_datagram(c, CAPTURED_CLIENT, body + i, 100);
        captured_datagram(c, CAPTURED_SERVER, body + i, 200);
        captured_run(c, 20);
    }
    captured_signal(c, CAPTURED_CLIENT, body, SIGNAL_LEN);
    captured_signal(c, CAPTURED_SERVER, body, SIGNAL_LEN - 1000);
    captured_run(c, 500);
    wzp_quic_close(c->sides[CAPTURED_CLIENT].q, c->sides[CAPTURED_CLIENT].conn, 7, "bye",
                   c->net.now);
    captured_run(c, 500);
    ck_assert_uint_eq(c->sides[CAPTURED_SERVER].datagrams, DATAGRAMS);
    return c;
}

static void expect_all(const seen *s) {
    ck_assert_str_eq(s->problem, "");
    ck_assert_str_eq(s->sni, "room");
    ck_assert_str_eq(s->offered, "wzp");
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(s->cipher, 0x1301);
    ck_assert_uint_gt(s->datagram_frame_size, 1200);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_OPENED], 1);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_HELLO], 1);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_ACCEPTED], 1);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_PARAMS], 2);
    ck_assert_uint_eq(s->datagrams[0], DATAGRAMS);
    ck_assert_uint_eq(s->datagrams[1], DATAGRAMS);
    ck_assert_uint_eq(s->stream_len[1], 4 + SIGNAL_LEN);
    ck_assert_uint_eq(s->stream_len[0], 4 + SIGNAL_LEN - 1000);
    ck_assert_uint_ge(s->fins[0], 1);
    ck_assert_uint_ge(s->fins[1], 1);
    ck_assert_uint_ge(s->kinds[WZP_PCAP_QUIC_CLOSED], 1);
    ck_assert_uint_eq(s->close_code, 7);
    ck_assert_str_eq(s->reason, "bye");
    const wzp_pcap_quic_counters *n = wzp_pcap_quic_count(s->quic);
    ck_assert_uint_eq(n->opened, n->packets);
}

START_TEST(a_call_with_its_secrets) {
    captured *c = call((wzp_quic_cfg){0});
    seen *s = watch();
    give_secrets(s, c);
    show_all(s, c);
    expect_all(s);
    ck_assert_uint_eq(s->late, 0);
    watch_end(s);
    captured_free(c);
}
END_TEST

/* Nothing but the hello can be read. */
START_TEST(a_call_without_secrets) {
    captured *c = call((wzp_quic_cfg){0});
    seen *s = watch();
    show_all(s, c);
    ck_assert_str_eq(s->sni, "room");
    ck_assert_uint_eq(s->cipher, 0x1301);
    ck_assert_str_eq(s->alpn, "");
    const wzp_pcap_quic_counters *n = wzp_pcap_quic_count(s->quic);
    ck_assert_uint_gt(n->no_secret, UINT64_C(2) * DATAGRAMS);
    ck_assert_uint_eq(n->opened + n->no_secret, n->packets);
    ck_assert_uint_eq(n->not_quic, 0);
    ck_assert_uint_eq(n->conns, 1);
    watch_end(s);
    captured_free(c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("quic");
    tcase_add_test(tc, a_call_with_its_secrets);
    tcase_add_test(tc, a_call_without_secrets);
    return wzp_run_suite("pcap_quic", tc);
}
