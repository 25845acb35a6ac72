/* A capture that lost packets, has them twice or in another order, damaged or cut: what is decoded
 * is what was sent, and nothing else. */
#include <malloc.h>

#include "base/testing/suite.h"
#include "tools/pcap/quic/testing/captured.h"
#include "tools/pcap/quic/testing/twin.h"

enum { MESSAGES = 200, STREAMS = 40 };

/* What is sent is a function of its number, so that a test knows by its first bytes what all the
 * others must be. */
static size_t datagram_of(uint8_t *out, uint32_t number, bool to_server) {
    const size_t len = 20 + (size_t)number * 7 % 900;
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
    out[2] = to_server;
    for (size_t i = 3; i < len; i++) {
        out[i] = (uint8_t)((size_t)number * 31 + i * (to_server ? 3 : 5));
    }
    return len;
}

static size_t signal_len(uint32_t number) {
    return 10 + number * number * 13 % 9000;
}

static uint8_t signal_byte(size_t len, size_t i) {
    return (uint8_t)(len * 7 + i * 11 + i / 256);
}

typedef struct tally {
    wzp_pcap_quic *quic;
    unsigned datagrams[2][MESSAGES];
    uint64_t stream_next[2][4 * STREAMS + 8];
    size_t stream_len[2][4 * STREAMS + 8]; /* as its first four bytes say */
    unsigned complete[2];
    unsigned hellos, conns, problems;
} tally;

static void check_datagram(tally *t, bool to_server, wzp_bytes data) {
    uint8_t want[1000];
    ck_assert_uint_ge(data.len, 3);
    const uint32_t number = (uint32_t)data.data[0] << 8 | data.data[1];
    ck_assert_uint_lt(number, MESSAGES);
    ck_assert(wzp_bytes_equal(data, wzp_bytes_of(want, datagram_of(want, number, to_server))));
    t->datagrams[to_server][number]++;
    ck_assert_uint_eq(t->datagrams[to_server][number], 1);
}

static void check_stream(tally *t, const wzp_pcap_quic_event *ev) {
    ck_assert_uint_lt(ev->stream_id, WZP_COUNT_OF(t->stream_next[0]));
    uint64_t *next = &t->stream_next[ev->to_server][ev->stream_id];
    size_t *len = &t->stream_len[ev->to_server][ev->stream_id];
    ck_assert_uint_eq(*next, ev->stream_offset);
    for (size_t i = 0; i < ev->data.len; i++, (*next)++) {
        const uint8_t byte = ev->data.data[i];
        if (*next < 4) {
            *len = *len << 8 | byte;
        } else {
            ck_assert_uint_eq(byte, signal_byte(*len, (size_t)*next - 4));
        }
    }
    if (ev->fin && *next > 0) {
        ck_assert_uint_eq(*next, *len + 4);
        t->complete[ev->to_server]++;
    }
}

static void check(void *ctx, const wzp_pcap_quic_event *ev) {
    tally *t = ctx;
    if (ev->kind == WZP_PCAP_QUIC_DATAGRAM) {
        check_datagram(t, ev->to_server, ev->data);
    } else if (ev->kind == WZP_PCAP_QUIC_STREAM) {
        check_stream(t, ev);
    } else if (ev->kind == WZP_PCAP_QUIC_HELLO) {
        ck_assert_str_eq(ev->hello->sni, "room");
        t->hellos++;
    }
    t->conns += ev->kind == WZP_PCAP_QUIC_OPENED;
    t->problems += ev->kind == WZP_PCAP_QUIC_PROBLEM;
}

static tally *begin(const captured *c) {
    tally *t = calloc(1, sizeof *t);
    const wzp_pcap_quic_cfg cfg = {.sink = check, .sink_ctx = t};
    ck_assert(wzp_pcap_quic_new(&t->quic, &cfg) == WZP_OK);
    ck_assert(wzp_pcap_quic_secrets(t->quic, wzp_bytes_str(c->keylog)) == WZP_OK);
    return t;
}

static void end(tally *t) {
    wzp_pcap_quic_end(t->quic);
    wzp_pcap_quic_free(&t->quic);
    free(t);
}

/* Both ways, over a network that loses packets itself. */
static captured *call(uint64_t seed, wzp_quic_cfg cfg) {
    static uint8_t body[9100];
    captured *c = captured_new(cfg, seed);
    captured_dial(c, "room");
    c->net.loss_ppm = 20000;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        for (size_t side = 0; side < 2; side++) {
            captured_datagram(c, side, body, datagram_of(body, i, side == CAPTURED_CLIENT));
            if (i % (MESSAGES / STREAMS) == 0) {
                const size_t len = signal_len(i + (uint32_t)side);
                for (size_t at = 0; at < len; at++) {
                    body[at] = signal_byte(len, at);
                }
                captured_signal(c, side, body, len);
            }
        }
        captured_run(c, 10);
    }
    captured_run(c, 3000);
    return c;
}

static void show(tally *t, const captured_packet *p, const uint8_t *data, size_t len, bool cut) {
    const wzp_pcap_udp udp = {.src = p->src,
                              .dst = p->dst,
                              .cut = cut,
                              .payload_len = (uint32_t)p->len,
                              .payload = wzp_bytes_of(data, len)};
    wzp_pcap_quic_take(t->quic, &udp, 1, p->time);
}

static void expect_everything(const tally *t) {
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < MESSAGES; i++) {
            ck_assert_uint_eq(t->datagrams[side][i], 1);
        }
        ck_assert_uint_eq(t->complete[side], STREAMS);
    }
    ck_assert_uint_eq(t->hellos, 1);
    ck_assert_uint_eq(t->conns, 1);
    ck_assert_uint_eq(t->problems, 0);
}

/* Who captures everything, decodes everything: the network's own losses, and a Retry, are behind
 * the place where it was captured. */
START_TEST(whole) {
    captured *c = call(1, (wzp_quic_cfg){.always_retry = _i == 1});
    tally *t = begin(c);
    for (size_t i = 0; i < c->count; i++) {
        show(t, &c->packets[i], c->packets[i].data, c->packets[i].len, false);
    }
    expect_everything(t);
    const wzp_pcap_quic_counters *n = wzp_pcap_quic_count(t->quic);
    ck_assert_uint_eq(n->opened, n->packets);
    end(t);
    captured_free(c);
}
END_TEST

/* Behind the first one, packets come in twos, and far from where they belong: the same is said. */
START_TEST(twice_and_in_another_order) {
    captured *c = call(2, (wzp_quic_cfg){0});
    wzp_prng prng;
    tally *t = begin(c);
    wzp_prng_init(&prng, (uint64_t)_i, "order");
    size_t *order = calloc(c->count, sizeof *order);
    for (size_t i = 0; i < c->count; i++) {
        order[i] = i;
    }
    for (size_t i = 1; i + 12 < c->count; i++) {
        const size_t j = i + wzp_rng_below(wzp_prng_rng(&prng), _i % 2 == 0 ? 12 : 3);
        const size_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < c->count; i++) {
        const captured_packet *p = &c->packets[order[i]];
        show(t, p, p->data, p->len, false);
        if (wzp_rng_below(wzp_prng_rng(&prng), 4) == 0) {
            const size_t back = wzp_rng_below(wzp_prng_rng(&prng), i < 30 ? i + 1 : 30);
            p = &c->packets[order[i - back]];
            show(t, p, p->data, p->len, false);
        }
    }
    ck_assert_uint_eq(wzp_pcap_quic_count(t->quic)->bad_tag, 0);
    expect_everything(t);
    free(order);
    end(t);
    captured_free(c);
}
END_TEST

/* Lost, damaged, cut short with and without the capture's telling. */
START_TEST(lost_and_damaged) {
    captured *c = call(3, (wzp_quic_cfg){0});
    wzp_prng prng;
    uint8_t damaged[1500];
    wzp_prng_init(&prng, (uint64_t)_i, "damage");
    wzp_rng rng = wzp_prng_rng(&prng);
    tally *t = begin(c);
    for (size_t i = 0; i < c->count; i++) {
        const captured_packet *p = &c->packets[i];
        memcpy(damaged, p->data, p->len);
        switch (wzp_rng_below(rng, 8)) {
        case 0:
            break;
        case 1:
            damaged[wzp_rng_below(rng, p->len)] ^= (uint8_t)(1U << wzp_rng_below(rng, 8));
            show(t, p, damaged, p->len, false);
            break;
        case 2:
            show(t, p, damaged, wzp_rng_below(rng, p->len), wzp_rng_below(rng, 2) == 0);
            break;
        default:
            show(t, p, p->data, p->len, false);
        }
    }
    end(t);
    captured_free(c);
}
END_TEST

/* Each datagram is preceded by all its prefixes. */
START_TEST(every_prefix) {
    captured *c = captured_new((wzp_quic_cfg){.always_retry = true}, 4);
    uint8_t body[1000];
    captured_dial(c, "room");
    for (uint32_t i = 0; i < 5; i++) {
        captured_datagram(c, 0, body, datagram_of(body, i, false));
        captured_datagram(c, 1, body, datagram_of(body, i, true));
    }
    captured_run(c, 100);
    tally *t = begin(c);
    for (size_t i = 0; i < c->count; i++) {
        const captured_packet *p = &c->packets[i];
        for (size_t len = 0; len < p->len; len++) {
            uint8_t *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer sees each byte */
            memcpy(exact, p->data, len);
            show(t, p, exact, len, _i == 1);
            free(exact);
        }
        show(t, p, p->data, p->len, false);
    }
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(t->datagrams[0][i], 1);
        ck_assert_uint_eq(t->datagrams[1][i], 1);
    }
    end(t);
    captured_free(c);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

static void ignore(void *ctx, const wzp_pcap_quic_event *ev) {
    unsigned *forgotten = ctx;
    *forgotten += ev->kind == WZP_PCAP_QUIC_FORGOTTEN;
}

static void pass(wzp_pcap_quic *quic, const twin *t, bool to_server, const uint8_t *data,
                 size_t len) {
    const wzp_pcap_udp udp = {.src = to_server ? t->client : t->server,
                              .dst = to_server ? t->server : t->client,
                              .payload_len = (uint32_t)len,
                              .payload = wzp_bytes_of(data, len)};
    wzp_pcap_quic_take(quic, &udp, 1, 0);
}

/* One connection: both flights, then 1-RTT packets with a stream that waits for its beginning. */
static void one_more(wzp_pcap_quic *quic, uint32_t seed, bool has_secrets) {
    uint8_t buf[1500];
    uint8_t frames[1200];
    char keylog[1024];
    twin t = twin_make(seed, TWIN_AES_128, TWIN_V1, 8);
    if (has_secrets) {
        const size_t len = twin_keylog(&t, keylog, sizeof keylog);
        ck_assert(wzp_pcap_quic_secrets(quic, wzp_bytes_of(keylog, len)) == WZP_OK);
    }
    pass(quic, &t, true, buf, twin_first(&t, "room", buf, sizeof buf));
    pass(quic, &t, false, buf, twin_answer(&t, buf, sizeof buf));
    for (uint32_t i = 0; i < 2; i++) {
        wzp_wr wr;
        wzp_wr_init(&wr, frames, sizeof frames);
        memset(buf, 'x', 1000);
        twin_stream(&wr, 4 * (uint64_t)i, 5, wzp_bytes_of(buf, 1000), false);
        pass(quic, &t, i == 0, buf,
             twin_short(&t, i == 0, wzp_bytes_of(frames, wzp_wr_len(&wr)), buf, sizeof buf));
    }
}

enum { CROWD = 100000, CROWD_QUICK = 9000 };

/* Twice as many clients pass by as there is room for; with --all, a hundred thousand. */
static uint32_t crowd = CROWD_QUICK;

START_TEST(many_connections_pass_through) {
    unsigned forgotten = 0;
    wzp_pcap_quic *quic = NULL;
    const size_t before = mallinfo2().uordblks;
    const wzp_pcap_quic_cfg cfg = {.sink = ignore, .sink_ctx = &forgotten};
    ck_assert(wzp_pcap_quic_new(&quic, &cfg) == WZP_OK);
    for (uint32_t i = 0; i < crowd; i++) {
        one_more(quic, i, i % 2 == 0);
    }
    const size_t heap = mallinfo2().uordblks - before;
    ck_assert_uint_eq(wzp_pcap_quic_count(quic)->conns, crowd);
    ck_assert_uint_eq(forgotten, crowd - WZP_PCAP_QUIC_CONNS_MAX);
    ck_assert_msg(heap < (size_t)160 << 20, "%zu MiB", heap >> 20);
    wzp_pcap_quic_free(&quic);
    ck_assert_uint_lt(mallinfo2().uordblks - before, 1 << 20);
}
END_TEST

int main(int argc, char **argv) {
    TCase *tc = tcase_create("lossy");
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        crowd = CROWD;
        tcase_add_test(tc, many_connections_pass_through);
        return wzp_run_suite("pcap_quic crowd", tc);
    }
    tcase_add_loop_test(tc, whole, 0, 2);
    tcase_add_loop_test(tc, twice_and_in_another_order, 0, 6);
    tcase_add_loop_test(tc, lost_and_damaged, 0, 10);
    tcase_add_loop_test(tc, every_prefix, 0, 2);
    tcase_add_test(tc, many_connections_pass_through);
    return wzp_run_suite("pcap_quic lossy", tc);
}
