#include "quic/testing/two_ends.h"

static const struct sni_case {
    const char *sent, *seen; /* NULL: the handshake fails */
} sni_cases[] = {
    {"room", "room"},  {"RoomX", "roomx"},     {"", ""},        {"a.b-c_d", "a.b-c_d"},
    {"room.", "room"}, {"_signal", "_signal"}, {"-room", NULL}, {"room-", NULL},
    {"1234", NULL},    {"a..b", NULL},         {"ro om", NULL}, {"call-c1", "call-c1"},
};

START_TEST(server_name_is_the_room) {
    const struct sni_case *c = &sni_cases[_i];
    fixture *f = setup();
    dial(f, c->sent, NULL);
    run(f, 500);
    ck_assert_msg(f->server.connected == (c->seen != NULL), "%s: connected %u", c->sent,
                  f->server.connected);
    if (c->seen != NULL) {
        ck_assert_str_eq(f->server.sni, c->seen);
    } else {
        ck_assert_uint_eq(f->client.closed, 1);
        ck_assert_uint_eq(f->client.close.kind, WZP_QUIC_CLOSE_PEER_TRANSPORT);
    }
    teardown(f);
}
END_TEST

START_TEST(another_alpn_is_refused_with_0x178) {
    fixture *f = setup();
    dial(f, "room", _i == 0 ? "h3" : "");
    run(f, 500);
    ck_assert_uint_eq(f->server.connected, 0);
    ck_assert_uint_eq(f->client.closed, 1);
    ck_assert_uint_eq(f->client.close.kind, WZP_QUIC_CLOSE_PEER_TRANSPORT);
    ck_assert_uint_eq(f->client.close.code, 0x178);
    teardown(f);
}
END_TEST

static const size_t signal_sizes[] = {0, 1, 9, 1000, 65532, 65536, 300000, 1048576};

START_TEST(signals_of_every_size_arrive) {
    fixture *f = connected();
    uint8_t *big = calloc(1, 1048577);
    const size_t len = signal_sizes[_i];
    ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_of(big, len), NULL) ==
              WZP_OK);
    ck_assert(wzp_quic_send_signal(f->server.q, f->server.conn, wzp_bytes_of(big, len), NULL) ==
              WZP_OK);
    ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_of(big, 1048577), NULL) ==
              WZP_ERR_SIGNAL_TOO_LARGE);
    run(f, 6000);
    ck_assert_uint_eq(f->server.signals, 1);
    ck_assert_uint_eq(f->client.signals, 1);
    ck_assert_uint_eq(f->server.signal_len[0], len);
    ck_assert_uint_eq(f->server.acked, 1);
    ck_assert_uint_eq(f->client.acked, 1);
    free(big);
    teardown(f);
}
END_TEST

/* The sender's reference may go at once; a connection that ends early gives its own back. */
START_TEST(shared_signals_live_as_long_as_needed) {
    fixture *f = connected();
    static const uint8_t big[100000] = {'x'};
    wzp_quic_shared *shared = NULL;
    int64_t streams[3] = {0};
    ck_assert(wzp_quic_shared_new(&shared, wzp_bytes_of(big, WZP_QUIC_SIGNAL_MAX + 1)) ==
              WZP_ERR_SIGNAL_TOO_LARGE);
    ck_assert(wzp_quic_shared_new(&shared, wzp_bytes_of(big, sizeof big)) == WZP_OK);
    ck_assert(wzp_quic_send_shared(f->server.q, 99, shared, NULL) == WZP_ERR_CLOSED);
    for (size_t i = 0; i < WZP_COUNT_OF(streams); i++) {
        ck_assert(wzp_quic_send_shared(f->server.q, f->server.conn, shared, &streams[i]) == WZP_OK);
    }
    ck_assert_int_ne(streams[0], streams[1]);
    wzp_quic_shared_drop(&shared);
    ck_assert_ptr_null(shared);
    run(f, _i == 0 ? 5000 : 30); /* or ends while most of it is unsent */
    if (_i == 0) {
        ck_assert_uint_eq(f->client.signals, WZP_COUNT_OF(streams));
        ck_assert_uint_eq(f->client.signal_len[2], sizeof big);
        ck_assert_uint_eq(f->server.acked, WZP_COUNT_OF(streams));
    }
    teardown(f);
}
END_TEST

START_TEST(more_signals_than_streams_arrive_in_order) {
    fixture *f = connected();
    f->net.loss_ppm = _i == 0 ? 0 : 30000;
    uint8_t body[400] = {0};
    for (size_t i = 0; i < 350; i++) {
        ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_of(body, i), NULL) ==
                  WZP_OK);
    }
    run(f, 20000);
    ck_assert_uint_eq(f->server.signals, 350);
    for (size_t i = 0; i < 350 && _i == 0; i++) {
        ck_assert_uint_eq(f->server.signal_len[i], i);
    }
    teardown(f);
}
END_TEST

static void raw(fixture *f, const void *data, size_t len, bool fin, int64_t *stream) {
    if (*stream == 0) {
        ck_assert(wzp_quic_stream_open(f->client.q, f->client.conn, WZP_QUIC_BIDI, stream) ==
                  WZP_OK);
    }
    ck_assert(wzp_quic_stream_write(f->client.q, f->client.conn, *stream, wzp_bytes_of(data, len),
                                    fin) == WZP_OK);
    run(f, 30);
}

START_TEST(one_byte_at_a_time_and_trailing_bytes) {
    fixture *f = connected();
    int64_t stream = 0;
    const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c', 'J', 'U', 'N', 'K'};
    const size_t message = 7;
    for (size_t i = 0; i + 1 < message; i++) {
        raw(f, bytes + i, 1, false, &stream);
    }
    ck_assert_uint_eq(f->server.signals, 0);
    raw(f, bytes + message - 1, sizeof bytes - message + 1, true, &stream);
    ck_assert_uint_eq(f->server.signals, 1);
    ck_assert_uint_eq(f->server.bad, 0);
    ck_assert_str_eq(f->server.last_signal, "abc");
    teardown(f);
}
END_TEST

START_TEST(broken_framing_is_reported_and_survived) {
    fixture *f = connected();
    const uint8_t short_body[] = {0, 0, 0, 10, 'x'};
    const uint8_t huge[] = {0, 0x10, 0, 1, 'x'};
    raw(f, short_body, sizeof short_body, true, &(int64_t){0});
    run(f, 400);
    ck_assert_uint_eq(f->server.bad, 1);
    ck_assert_uint_eq(f->server.last_bad, WZP_ERR_SIGNAL_TRUNCATED);
    raw(f, huge, sizeof huge, false, &(int64_t){0});
    run(f, 400);
    ck_assert_uint_eq(f->server.last_bad, WZP_ERR_SIGNAL_TOO_LARGE);
    raw(f, huge, 2, true, &(int64_t){0});
    run(f, 400);
    ck_assert_uint_eq(f->server.bad, 3);
    ck_assert_uint_eq(f->server.closed, 0);
    ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_str("ok"), NULL) ==
              WZP_OK);
    run(f, 400);
    ck_assert_str_eq(f->server.last_signal, "ok");
    teardown(f);
}
END_TEST

START_TEST(a_stalled_stream_does_not_block_the_next) {
    fixture *f = connected();
    const uint8_t stalled[] = {0, 0};
    raw(f, stalled, sizeof stalled, false, &(int64_t){0});
    ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_str("after"), NULL) ==
              WZP_OK);
    run(f, 100);
    ck_assert_uint_eq(f->server.signals, 0); /* it may be reordering */
    run(f, 300);
    ck_assert_str_eq(f->server.last_signal, "after");
    run(f, 11000);
    ck_assert_uint_eq(f->server.bad, 1);
    ck_assert_uint_eq(f->server.last_bad, WZP_ERR_TIMEOUT);
    ck_assert_uint_eq(f->server.closed, 0);
    teardown(f);
}
END_TEST

START_TEST(unidirectional_streams_carry_text) {
    fixture *f = connected();
    int64_t stream;
    ck_assert(wzp_quic_stream_open(f->server.q, f->server.conn, WZP_QUIC_UNI_STREAM, &stream) ==
              WZP_OK);
    ck_assert(wzp_quic_stream_write(f->server.q, f->server.conn, stream, wzp_bytes_str("abc1234"),
                                    true) == WZP_OK);
    run(f, 200);
    ck_assert_str_eq(f->client.uni, "abc1234");
    ck_assert(f->client.uni_fin);
    teardown(f);
}
END_TEST

START_TEST(datagrams_both_ways_and_limits) {
    fixture *f = connected();
    uint8_t data[1500] = {2};
    const size_t max = wzp_quic_max_datagram(f->client.q, f->client.conn);
    ck_assert_uint_ge(max, 1162);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(data, max)) ==
              WZP_OK);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(data, max + 1)) ==
              WZP_ERR_TOO_LARGE);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(data, 0)) == WZP_OK);
    ck_assert(wzp_quic_send_datagram(f->server.q, f->server.conn, wzp_bytes_of(data, 20)) ==
              WZP_OK);
    run(f, 200);
    ck_assert_uint_eq(f->server.datagrams, 2);
    ck_assert_uint_eq(f->client.datagrams, 1);
    ck_assert_uint_eq(f->client.last_datagram_len, 20);
    /* A full queue drops the oldest and says so. */
    for (int i = 0; i < 200; i++) {
        ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(data, 1000)) ==
                  WZP_OK);
    }
    run(f, 1000);
    wzp_quic_stats stats;
    ck_assert(wzp_quic_conn_stats(f->client.q, f->client.conn, &stats));
    ck_assert_uint_gt(stats.datagrams_dropped_queue, 100);
    ck_assert_uint_eq(f->server.datagrams, 2 + 200 - stats.datagrams_dropped_queue);
    teardown(f);
}
END_TEST

/* Equal ones share their bytes within the endpoint; what lies in the caller's buffer later, or is
 * sent after them, must not show. */
START_TEST(datagrams_keep_what_they_were_given) {
    static const size_t lens[] = {1, 100, 256, 257, 1100};
    fixture *f = connected();
    for (unsigned i = 0; i < 3 * WZP_COUNT_OF(lens); i++) {
        uint8_t data[1500] = {0};
        const size_t len = lens[i / 3];
        const uint8_t last = i % 3 == 2 ? 7 : 6; /* the same twice, then another */
        data[len - 1] = last;
        ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(data, len)) ==
                  WZP_OK);
        memset(data, 99, sizeof data);
        run(f, i % 2 == 0 ? 40 : 0); /* together with the next one, or alone */
        if (i % 2 == 0) {
            ck_assert_uint_eq(f->server.datagrams, i + 1);
            ck_assert_uint_eq(f->server.last_datagram_len, len);
            ck_assert_uint_eq(f->server.last_datagram[len - 1], last);
            ck_assert(len == 1 || f->server.last_datagram[0] == 0);
        }
    }
    teardown(f);
}
END_TEST

/* In place of the server: another life of it, or somebody else. */
static void replace_server(fixture *f, uint8_t seed_byte) {
    const uint8_t seed[32] = {seed_byte};
    wzp_tls_identity tls;
    wzp_tls_identity_from_seed(&tls, seed);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    const wzp_quic_cfg cfg = {.identity = &identity, .rng = wzp_prng_rng(&f->server.prng)};
    wzp_quic_free(&f->server.q);
    ck_assert(wzp_quic_new(&f->server.q, &cfg, f->net.now) == WZP_OK);
    f->net.core[0].self = f->server.q;
}

START_TEST(a_server_that_comes_back_says_that_it_knows_nothing) {
    static uint8_t bytes[100];
    fixture *f = connected();
    wzp_quic_counters counters;
    replace_server(f, (uint8_t)_i);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_of(bytes, 100)) ==
              WZP_OK);
    run(f, 100);
    wzp_quic_count(f->server.q, &counters);
    ck_assert_uint_ge(counters.resets_sent, 1);
    if (_i == 0) {
        ck_assert_uint_eq(f->client.closed, 1);
        ck_assert_uint_eq(f->client.close.kind, WZP_QUIC_CLOSE_RESET);
    } else {
        ck_assert_uint_eq(f->client.closed, 0); /* anybody could say so */
    }
    teardown(f);
}
END_TEST

/* Shorter and shorter, then nothing: two servers that do not know each other fall silent. */
START_TEST(resets_do_not_go_on_for_ever) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    uint8_t packet[64] = {0x40};
    size_t len = sizeof packet;
    fixture *f = setup();
    const wzp_quic_path path = {server_addr, client_addr};
    wzp_quic_meta meta;
    unsigned rounds = 0;
    for (;; rounds++) {
        wzp_quic_recv(f->server.q, &path, 0, wzp_bytes_of(packet, len), f->net.now);
        const size_t n = wzp_quic_next_packet(f->server.q, f->net.now, buf, sizeof buf, &meta);
        if (n == 0) {
            break;
        }
        ck_assert_uint_lt(n, len);
        ck_assert_uint_eq(buf[0] & 0xc0, 0x40); /* it looks like a short header */
        memcpy(packet, buf, n);
        len = n;
    }
    ck_assert_uint_ge(rounds, 2);
    ck_assert_uint_eq(len, 21);
    teardown(f);
}
END_TEST

START_TEST(a_local_address_that_nobody_named_is_not_made_up) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    const wzp_addr unnamed[] = {{.family = WZP_ADDR_NONE}, wzp_addr_v4(0, 0, 0, 0, 4433)};
    fixture *f = setup();
    const wzp_quic_dial d = {.path = {.local = unnamed[_i], .remote = server_addr}};
    wzp_quic_conn conn;
    wzp_quic_meta meta;
    ck_assert(wzp_quic_connect(f->client.q, &d, f->net.now, &conn) == WZP_OK);
    run(f, 500); /* what comes in says to which address it came */
    ck_assert_uint_eq(f->client.connected, 1);
    ck_assert(wzp_quic_send_datagram(f->client.q, conn, wzp_bytes_str("x")) == WZP_OK);
    ck_assert_uint_gt(wzp_quic_next_packet(f->client.q, f->net.now, buf, sizeof buf, &meta), 0);
    ck_assert(wzp_addr_equal(&meta.path.local, &unnamed[_i]));
    wzp_quic_close(f->client.q, conn, 0, "bye", f->net.now);
    ck_assert_uint_gt(wzp_quic_next_packet(f->client.q, f->net.now, buf, sizeof buf, &meta), 0);
    ck_assert(wzp_addr_equal(&meta.path.local, &unnamed[_i]));
    ck_assert(wzp_addr_equal(&meta.path.remote, &server_addr));
    teardown(f);
}
END_TEST

START_TEST(close_carries_code_and_reason) {
    fixture *f = connected();
    wzp_quic_set_app(f->client.q, f->client.conn, &f->client);
    wzp_quic_close(f->server.q, f->server.conn, 7, "policy violation", f->net.now);
    run(f, 200);
    ck_assert_uint_eq(f->server.closed, 1);
    ck_assert_uint_eq(f->server.close.kind, WZP_QUIC_CLOSE_LOCAL);
    ck_assert_uint_eq(f->client.closed, 1);
    ck_assert_uint_eq(f->client.close.kind, WZP_QUIC_CLOSE_PEER_APP);
    ck_assert_uint_eq(f->client.close.code, 7);
    ck_assert_str_eq(f->client.close.reason, "policy violation");
    ck_assert_ptr_eq(f->client.last_app, &f->client); /* although the handle is stale by then */
    /* Stale handles are harmless. */
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_str("x")) ==
              WZP_ERR_CLOSED);
    ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_str("x"), NULL) ==
              WZP_ERR_CLOSED);
    wzp_quic_close(f->client.q, f->client.conn, 0, "", f->net.now);
    ck_assert_ptr_null(wzp_quic_app(f->client.q, f->client.conn));
    run(f, 3000);
    wzp_quic_counters counters;
    wzp_quic_count(f->server.q, &counters);
    ck_assert_uint_eq(counters.conns, 0);
    teardown(f);
}
END_TEST

START_TEST(keep_alive_holds_and_silence_ends) {
    fixture *f = connected();
    run(f, 60000);
    ck_assert_uint_eq(f->server.closed, 0);
    wzp_quic_abandon(f->client.q, f->client.conn);
    run(f, 40000);
    ck_assert_uint_eq(f->server.closed, 1);
    ck_assert_uint_eq(f->server.close.kind, WZP_QUIC_CLOSE_IDLE);
    teardown(f);
}
END_TEST

START_TEST(retry_validates_the_address) {
    fixture *f = setup_with((wzp_quic_cfg){.always_retry = true}, 3);
    wzp_quic_counters counters;
    dial(f, "room", NULL);
    run(f, 500);
    wzp_quic_count(f->server.q, &counters);
    ck_assert_uint_eq(counters.retries_sent, 1);
    ck_assert_uint_eq(f->server.connected, 1);
    ck_assert_uint_eq(f->client.connected, 1);
    teardown(f);
}
END_TEST

/* Its first packet, and nothing after it. */
static void begin_and_fall_silent(fixture *f, wzp_quic *crowd, wzp_addr own) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_conn conn = 0;
    wzp_quic_meta meta;
    const wzp_addr v6 = {WZP_ADDR_V6, server_addr.port, {0x20, 1, 0x0d, 0xb8, 9}};
    const wzp_addr there = own.family == WZP_ADDR_V6 ? v6 : server_addr;
    const wzp_quic_dial to = {.path = {own, there}, .sni = "room"};
    const wzp_quic_path path = {there, own};
    ck_assert(wzp_quic_connect(crowd, &to, f->net.now, &conn) == WZP_OK);
    for (size_t n; (n = wzp_quic_next_packet(crowd, f->net.now, buf, sizeof buf, &meta)) > 0;) {
        wzp_quic_recv(f->server.q, &path, 0, wzp_bytes_of(buf, n), f->net.now);
    }
    wzp_quic_abandon(crowd, conn);
}

/* The one that is in flight is given up after ten seconds; who came five seconds before asks until
 * then, and gets in. */
START_TEST(handshakes_in_flight_are_bounded) {
    fixture *f = setup_with((wzp_quic_cfg){.max_handshakes = 1, .max_proven = 1}, 3);
    wzp_prng prng;
    wzp_quic *crowd = NULL;
    wzp_quic_counters counters;
    wzp_prng_init(&prng, 7, "crowd");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    ck_assert(wzp_quic_new(&crowd, &cfg, f->net.now) == WZP_OK);
    begin_and_fall_silent(f, crowd, wzp_addr_v4(10, 9, 0, 1, 5000));
    run(f, 5000);
    dial(f, "room", NULL);
    run(f, 4000);
    wzp_quic_count(f->server.q, &counters);
    ck_assert_uint_eq(counters.conns, 1);
    ck_assert_uint_eq(counters.retries_sent, 1);
    ck_assert_uint_ge(counters.deferred, 2);
    ck_assert_uint_eq(f->client.connected, 0);
    run(f, 5500);
    ck_assert_uint_eq(f->client.connected, 1);
    wzp_quic_free(&crowd);
    teardown(f);
}
END_TEST

/* An address of IPv4 is one place, and so is a /64 of IPv6: two from each are enough. */
START_TEST(connections_of_one_place_are_bounded) {
    fixture *f = setup_with((wzp_quic_cfg){.max_conns_per_ip = 2}, 3);
    wzp_prng prng;
    wzp_quic *crowd = NULL;
    wzp_quic_counters counters;
    wzp_prng_init(&prng, 7, "crowd");
    const wzp_quic_cfg cfg = {.rng = wzp_prng_rng(&prng)};
    ck_assert(wzp_quic_new(&crowd, &cfg, f->net.now) == WZP_OK);
    for (uint8_t i = 0; i < 4; i++) {
        const wzp_addr near = {WZP_ADDR_V6, 5000, {0x20, 1, 0x0d, 0xb8, [15] = i}};
        const wzp_addr far = {WZP_ADDR_V6, 5000, {0x20, 1, 0x0d, 0xb8, [7] = (uint8_t)(i + 1)}};
        begin_and_fall_silent(f, crowd, near);
        begin_and_fall_silent(f, crowd, far);
        begin_and_fall_silent(f, crowd, wzp_addr_v4(10, 9, 0, 1, (uint16_t)(5000 + i)));
    }
    wzp_quic_count(f->server.q, &counters);
    ck_assert_uint_eq(counters.conns, 2 + 4 + 2);
    ck_assert_uint_eq(counters.refused_limit, 2 + 2);
    wzp_quic_free(&crowd);
    teardown(f);
}
END_TEST

START_TEST(garbage_is_counted_and_nothing_more) {
    fixture *f = connected();
    const wzp_quic_path path = {server_addr, client_addr};
    uint8_t junk[1400];
    for (int i = 0; i < 2000; i++) {
        const size_t len = wzp_rng_below(wzp_prng_rng(&f->net.prng), sizeof junk);
        wzp_rng_fill(wzp_prng_rng(&f->net.prng), junk, len);
        wzp_quic_recv(f->server.q, &path, 0, wzp_bytes_of(junk, len), f->net.now);
    }
    run(f, 500);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_str("hi")) == WZP_OK);
    run(f, 200);
    ck_assert_uint_eq(f->server.datagrams, 1);
    teardown(f);
}
END_TEST

START_TEST(a_client_may_move) {
    fixture *f = connected();
    run(f, 500);
    const wzp_addr moved = {WZP_ADDR_V4, 6000, {10, 0, 0, 2}};
    f->net.addr[1] = moved;
    ck_assert(wzp_quic_migrate(f->client.q, f->client.conn, &moved, f->net.now) == WZP_OK);
    ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_str("a")) == WZP_OK);
    run(f, 2000);
    ck_assert(wzp_quic_send_datagram(f->server.q, f->server.conn, wzp_bytes_str("b")) == WZP_OK);
    run(f, 500);
    ck_assert_uint_eq(f->server.datagrams, 1);
    ck_assert_uint_eq(f->client.datagrams, 1);
    wzp_quic_stats stats;
    ck_assert(wzp_quic_conn_stats(f->server.q, f->server.conn, &stats));
    ck_assert_uint_eq(stats.path.remote.port, 6000);
    teardown(f);
}
END_TEST

START_TEST(loss_is_recovered_for_signals) {
    fixture *f = connected();
    f->net.loss_ppm = 100000;
    uint8_t *body = calloc(1, 100000);
    for (int i = 0; i < 5; i++) {
        ck_assert(wzp_quic_send_signal(f->client.q, f->client.conn, wzp_bytes_of(body, 100000),
                                       NULL) == WZP_OK);
    }
    run(f, 25000);
    ck_assert_uint_gt(f->net.lost, 10);
    ck_assert_uint_eq(f->server.signals, 5);
    free(body);
    teardown(f);
}
END_TEST

static uint64_t scripted(uint64_t seed) {
    fixture *f = setup_with((wzp_quic_cfg){.deterministic = true, .always_retry = true}, seed);
    dial(f, "room", NULL);
    run(f, 500);
    ck_assert_uint_eq(f->client.connected, 1);
    for (int i = 0; i < 40; i++) {
        ck_assert(wzp_quic_send_datagram(f->client.q, f->client.conn, wzp_bytes_str("media")) ==
                  WZP_OK);
        run(f, 20);
    }
    ck_assert(wzp_quic_send_signal(f->server.q, f->server.conn, wzp_bytes_str("bye"), NULL) ==
              WZP_OK);
    run(f, 300);
    wzp_quic_close(f->client.q, f->client.conn, 0, "done", f->net.now);
    run(f, 300);
    const uint64_t hash = f->net.hash;
    teardown(f);
    return hash;
}

START_TEST(one_seed_one_run) {
    const uint64_t first = scripted(7);
    ck_assert_uint_eq(first, scripted(7));
    ck_assert_uint_ne(first, scripted(8));
}
END_TEST

START_TEST(logs_and_peer_facts) {
    fixture *f = connected();
    wzp_quic_peer_params params;
    uint8_t sha[32];
    ck_assert_uint_ge(f->client.keylog_lines, 4);
    ck_assert_uint_gt(f->client.qlog_bytes, 500);
    ck_assert(wzp_quic_peer(f->client.q, f->client.conn, &params));
    ck_assert_uint_eq(params.max_datagram_frame_size, 65535);
    ck_assert_uint_eq(params.max_idle_timeout, 30 * WZP_S);
    ck_assert_uint_eq(params.initial_max_streams_bidi, 100);
    ck_assert(wzp_quic_peer_cert_sha256(f->client.q, f->client.conn, sha));
    ck_assert_uint_eq(sha[0], 0x7c);
    ck_assert_uint_eq(sha[31], 0x20);
    teardown(f);
}
END_TEST

/* Two ends of a call: either may show who it is, and neither has to. */
static const struct proof_case {
    const char *name;
    bool client_shows, server_asks;
    bool server_sees;
} proof_cases[] = {
    {"both", true, true, true},
    {"the client has nothing to show", false, true, false},
    {"nobody asks", true, false, false},
};

static wzp_quic *new_end(wzp_prng *prng, const char *name, bool is_mutual,
                         const wzp_tls_identity *tls, wzp_time now) {
    const wzp_quic_identity identity = {wzp_bytes_of(tls->cert_der, tls->cert_len),
                                        wzp_bytes_of(tls->ed25519_seed, 32)};
    wzp_prng_init(prng, 1, name);
    const wzp_quic_cfg cfg = {
        .identity = &identity, .rng = wzp_prng_rng(prng), .mutual = is_mutual};
    wzp_quic *q = NULL;
    ck_assert(wzp_quic_new(&q, &cfg, now) == WZP_OK);
    return q;
}

START_TEST(each_end_may_prove_its_identity) {
    const struct proof_case *c = &proof_cases[_i];
    fixture *f = calloc(1, sizeof *f);
    wzp_identity who[2];
    wzp_tls_identity tls[2];
    uint8_t key[32];
    for (uint8_t i = 0; i < 2; i++) {
        const uint8_t seed[32] = {i};
        wzp_identity_from_seed(&who[i], seed);
        wzp_tls_identity_of(&tls[i], &who[i]);
    }
    pair_init(&f->net, 1);
    f->server.q = new_end(&f->server.prng, "server", c->server_asks, &tls[0], f->net.now);
    f->client.q = new_end(&f->client.prng, "client", c->client_shows, &tls[1], f->net.now);
    pair_add(&f->net, wzp_quic_core(f->server.q), server_addr, drain, &f->server);
    pair_add(&f->net, wzp_quic_core(f->client.q), client_addr, drain, &f->client);
    dial(f, "call-call-1", NULL);
    run(f, 500);
    ck_assert_msg(f->client.connected == 1 && f->server.connected == 1, "%s", c->name);
    ck_assert(wzp_quic_peer_key(f->client.q, f->client.conn, key));
    ck_assert_mem_eq(key, who[0].ed25519_pub, sizeof key);
    ck_assert_msg(wzp_quic_peer_key(f->server.q, f->server.conn, key) == c->server_sees, "%s",
                  c->name);
    ck_assert(!c->server_sees || memcmp(key, who[1].ed25519_pub, sizeof key) == 0);
    teardown(f);
}
END_TEST

/* The client's last flight is lost: it has what it needs, and the server has not. */
START_TEST(a_client_knows_when_both_are_done) {
    fixture *f = setup();
    dial(f, "room", NULL);
    run(f, 1);
    f->net.cut[CLIENT] = true;
    run(f, 500);
    ck_assert_uint_eq(f->client.connected, 1);
    ck_assert_uint_eq(f->server.connected, 0);
    ck_assert(!wzp_quic_is_confirmed(f->client.q, f->client.conn));
    f->net.cut[CLIENT] = false;
    run(f, 4000);
    ck_assert(wzp_quic_is_confirmed(f->client.q, f->client.conn));
    ck_assert(wzp_quic_is_confirmed(f->server.q, f->server.conn));
    ck_assert(!wzp_quic_is_confirmed(f->client.q, f->client.conn + 12345));
    teardown(f);
}
END_TEST

START_TEST(the_room_can_be_read_from_an_initial) {
    fixture *f = setup();
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    char sni[WZP_QUIC_SNI_MAX + 1];
    wzp_quic_meta meta;
    dial(f, "Ct-0123", NULL);
    const size_t n = wzp_quic_next_packet(f->client.q, f->net.now, buf, sizeof buf, &meta);
    ck_assert_uint_ge(n, 1200);
    ck_assert(wzp_quic_peek_sni(wzp_bytes_of(buf, meta.segment), sni) == WZP_OK);
    ck_assert_str_eq(sni, "ct-0123");
    for (size_t len = 0; len < meta.segment; len += 7) {
        ck_assert(wzp_quic_peek_sni(wzp_bytes_of(buf, len), sni) != WZP_OK);
    }
    buf[300] ^= 1;
    ck_assert(wzp_quic_peek_sni(wzp_bytes_of(buf, meta.segment), sni) == WZP_ERR_DECRYPT);
    teardown(f);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, server_name_is_the_room, 0, WZP_COUNT_OF(sni_cases));
    tcase_add_loop_test(tc, another_alpn_is_refused_with_0x178, 0, 2);
    tcase_add_loop_test(tc, shared_signals_live_as_long_as_needed, 0, 2);
    tcase_add_loop_test(tc, signals_of_every_size_arrive, 0, WZP_COUNT_OF(signal_sizes));
    tcase_add_loop_test(tc, more_signals_than_streams_arrive_in_order, 0, 2);
    tcase_add_test(tc, one_byte_at_a_time_and_trailing_bytes);
    tcase_add_test(tc, broken_framing_is_reported_and_survived);
    tcase_add_test(tc, a_stalled_stream_does_not_block_the_next);
    tcase_add_test(tc, unidirectional_streams_carry_text);
    tcase_add_test(tc, datagrams_both_ways_and_limits);
    tcase_add_test(tc, datagrams_keep_what_they_were_given);
    tcase_add_loop_test(tc, a_server_that_comes_back_says_that_it_knows_nothing, 0, 2);
    tcase_add_test(tc, resets_do_not_go_on_for_ever);
    tcase_add_loop_test(tc, a_local_address_that_nobody_named_is_not_made_up, 0, 2);
    tcase_add_test(tc, close_carries_code_and_reason);
    tcase_add_test(tc, keep_alive_holds_and_silence_ends);
    tcase_add_test(tc, retry_validates_the_address);
    tcase_add_test(tc, handshakes_in_flight_are_bounded);
    tcase_add_test(tc, connections_of_one_place_are_bounded);
    tcase_add_test(tc, garbage_is_counted_and_nothing_more);
    tcase_add_test(tc, a_client_may_move);
    tcase_add_test(tc, loss_is_recovered_for_signals);
    tcase_add_test(tc, one_seed_one_run);
    tcase_add_test(tc, logs_and_peer_facts);
    tcase_add_loop_test(tc, each_end_may_prove_its_identity, 0, WZP_COUNT_OF(proof_cases));
    tcase_add_test(tc, a_client_knows_when_both_are_done);
    tcase_add_test(tc, the_room_can_be_read_from_an_initial);
    return wzp_run_suite("quic", tc);
}
