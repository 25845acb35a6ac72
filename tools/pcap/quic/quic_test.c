/* Calls between endpoints of ours, looked at from beside. */
#include "tools/pcap/quic/quic.h"

#include "base/testing/suite.h"
#include "tools/pcap/quic/testing/captured.h"

enum { KINDS = WZP_PCAP_QUIC_FORGOTTEN + 1, BYTES_MAX = 1 << 20 };

/* What was said of a capture. */
typedef struct seen {
    wzp_pcap_quic *quic;
    unsigned kinds[KINDS];
    char sni[WZP_PCAP_QUIC_TEXT], alpn[WZP_PCAP_QUIC_TEXT], offered[WZP_PCAP_QUIC_TEXT];
    char problem[128], reason[WZP_PCAP_QUIC_TEXT];
    uint16_t cipher;
    uint64_t close_code, datagram_frame_size;
    unsigned datagrams[2], again, late, generation[2];
    size_t stream_len[2];
    uint64_t stream_hash[2], datagram_hash[2];
    unsigned fins[2];
    bool in_order;
    uint64_t stream_next[2][64];
    wzp_addr path;
} seen;

static uint64_t hash(uint64_t from, wzp_bytes data) {
    for (size_t i = 0; i < data.len; i++) {
        from = (from ^ data.data[i]) * UINT64_C(0x100000001b3);
    }
    return from;
}

static void look(void *ctx, const wzp_pcap_quic_event *ev) {
    seen *s = ctx;
    const size_t way = ev->to_server;
    s->kinds[ev->kind]++;
    switch (ev->kind) {
    case WZP_PCAP_QUIC_HELLO:
        memcpy(s->sni, ev->hello->sni, sizeof s->sni);
        memcpy(s->offered, ev->hello->alpn, sizeof s->alpn);
        break;
    case WZP_PCAP_QUIC_ACCEPTED:
        memcpy(s->alpn, ev->hello->alpn, sizeof s->alpn);
        s->cipher = ev->hello->cipher;
        break;
    case WZP_PCAP_QUIC_PARAMS:
        for (size_t i = 0; i < ev->params->count; i++) {
            if (ev->params->list[i].id == 0x20 && ev->params->list[i].is_number) {
                s->datagram_frame_size = ev->params->list[i].value;
            }
        }
        break;
    case WZP_PCAP_QUIC_PACKET:
        s->again += ev->packet->again;
        s->late += ev->packet->late;
        s->generation[way] = ev->packet->key_generation;
        break;
    case WZP_PCAP_QUIC_DATAGRAM:
        s->datagrams[way]++;
        s->datagram_hash[way] += hash(1, ev->data);
        break;
    case WZP_PCAP_QUIC_STREAM:
        ck_assert_uint_lt(ev->stream_id, 64);
        ck_assert_uint_eq(s->stream_next[way][ev->stream_id], ev->stream_offset);
        s->stream_next[way][ev->stream_id] += ev->data.len;
        s->stream_hash[way] = hash(s->stream_hash[way], ev->data);
        s->stream_len[way] += ev->data.len;
        s->fins[way] += ev->fin;
        break;
    case WZP_PCAP_QUIC_PATH:
        s->path = *ev->src;
        break;
    case WZP_PCAP_QUIC_CLOSED:
        s->close_code = ev->close->code;
        memcpy(s->reason, ev->close->reason, sizeof s->reason);
        break;
    case WZP_PCAP_QUIC_PROBLEM:
        (void)snprintf(s->problem, sizeof s->problem, "%s", ev->text);
        break;
    default:
        break;
    }
}

static seen *watch(void) {
    seen *s = calloc(1, sizeof *s);
    const wzp_pcap_quic_cfg cfg = {.sink = look, .sink_ctx = s, .frames = true, .any_port = true};
    ck_assert(wzp_pcap_quic_new(&s->quic, &cfg) == WZP_OK);
    return s;
}

static void forget(seen *s) {
    wzp_pcap_quic_free(&s->quic);
    ck_assert_ptr_null(s->quic);
    free(s);
}

static void show(seen *s, const captured_packet *p, uint64_t number) {
    const wzp_pcap_udp udp = {.src = p->src,
                              .dst = p->dst,
                              .payload_len = (uint32_t)p->len,
                              .payload = wzp_bytes_of(p->data, p->len)};
    wzp_pcap_quic_take(s->quic, &udp, number, p->time);
}

static void show_all(seen *s, const captured *c) {
    for (size_t i = 0; i < c->count; i++) {
        show(s, &c->packets[i], i + 1);
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
    forget(s);
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
    ck_assert_uint_gt(n->no_secret, 2U * DATAGRAMS);
    ck_assert_uint_eq(n->opened + n->no_secret, n->packets);
    ck_assert_uint_eq(n->not_quic, 0);
    ck_assert_uint_eq(n->conns, 1);
    forget(s);
    captured_free(c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("quic");
    tcase_add_test(tc, a_call_with_its_secrets);
    tcase_add_test(tc, a_call_without_secrets);
    return wzp_run_suite("pcap_quic", tc);
}
