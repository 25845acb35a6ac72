/* Connections as no endpoint of ours makes them: every suite and version, key updates, ids that
 * change or have no bytes, packets that come too early, twice, cut, or not at all. */
#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/quic/testing/twin.h"
#include "tools/pcap/quic/testing/watch.h"

static uint8_t buf[2000];

static void show(seen *s, const twin *t, bool to_server, size_t len) {
    watch_show(s, to_server ? &t->client : &t->server, to_server ? &t->server : &t->client, buf,
               len);
}

static void give(seen *s, const twin *t) {
    char text[1024];
    const size_t len = twin_keylog(t, text, sizeof text);
    ck_assert(wzp_pcap_quic_secrets(s->quic, wzp_bytes_of(text, len)) == WZP_OK);
}

static void greet(seen *s, twin *t) {
    show(s, t, true, twin_first(t, "room", buf, sizeof buf));
    show(s, t, false, twin_answer(t, buf, sizeof buf));
}

static size_t short_with(twin *t, bool to_server, const char *text) {
    uint8_t frames[200];
    wzp_wr wr;
    wzp_wr_init(&wr, frames, sizeof frames);
    twin_datagram(&wr, wzp_bytes_str(text));
    return twin_short(t, to_server, wzp_bytes_of(frames, wzp_wr_len(&wr)), buf, sizeof buf);
}

static void say(seen *s, twin *t, bool to_server, const char *text) {
    show(s, t, to_server, short_with(t, to_server, text));
}

static const wzp_pcap_quic_counters *count(const seen *s) {
    return wzp_pcap_quic_count(s->quic);
}

static void expect_said(const seen *s, unsigned to_client, unsigned to_server) {
    ck_assert_uint_eq(s->datagrams[0], to_client);
    ck_assert_uint_eq(s->datagrams[1], to_server);
}

/* --- suites, versions, lengths of ids --------------------------------------------------------- */

START_TEST(every_suite_version_and_id) {
    twin t = twin_make(7, (twin_suite)(_i % 3), _i / 3 % 2 == 0 ? TWIN_V1 : TWIN_V2,
                       (uint8_t)(_i / 6 == 0   ? 8
                                 : _i / 6 == 1 ? 0
                                 : _i / 6 == 2 ? 1
                                               : 20));
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    ck_assert_str_eq(s->sni, "room");
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(s->cipher, twin_cipher(t.suite));
    ck_assert_uint_eq(s->datagram_frame_size, 65535);
    for (unsigned i = 0; i < 10; i++) {
        say(s, &t, i % 2 == 0, "some words");
    }
    expect_said(s, 5, 5);
    ck_assert_str_eq(s->problem, "");
    ck_assert_uint_eq(count(s)->opened, 13);
    ck_assert_uint_eq(count(s)->opened, count(s)->packets);
    watch_end(s);
}
END_TEST

/* --- key updates ------------------------------------------------------------------------------ */

START_TEST(keys_of_later_generations) {
    twin t = twin_make(1, (twin_suite)_i, TWIN_V1, 8);
    seen *s = watch();
    uint8_t late[300];
    size_t late_len = 0;
    give(s, &t);
    greet(s, &t);
    for (unsigned generation = 0; generation < 6; generation++) {
        say(s, &t, true, "client");
        say(s, &t, false, "server");
        ck_assert_uint_eq(s->generation[1], generation);
        ck_assert_uint_eq(s->generation[0], generation);
        if (late_len > 0) { /* of the generation before, overtaken */
            watch_show(s, &t.client, &t.server, late, late_len);
            ck_assert_uint_eq(s->generation[1], generation - 1);
        }
        late_len = short_with(&t, true, "late");
        memcpy(late, buf, late_len);
        twin_next_keys(&t, true);
        twin_next_keys(&t, false);
    }
    expect_said(s, 6, 11);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_KEYS], 10);
    ck_assert_uint_eq(count(s)->key_updates, 10);
    ck_assert_uint_eq(count(s)->bad_tag, 0);
    watch_end(s);
}
END_TEST

/* Whole generations were not captured, on one side or on both. */
START_TEST(generations_that_were_missed) {
    twin t = twin_make(3, (twin_suite)(_i % 3), TWIN_V1, 8);
    const unsigned missed = (unsigned)_i / 3 + 2;
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    say(s, &t, true, "before");
    for (unsigned i = 0; i < missed; i++) {
        twin_next_keys(&t, true);
    }
    t.number[1][2] += 5000;
    say(s, &t, true, "after");
    say(s, &t, false, "server");
    const bool is_found = missed <= 8;
    expect_said(s, 1, is_found ? 2 : 1);
    ck_assert_uint_eq(count(s)->bad_tag, is_found ? 0 : 1);
    if (is_found) {
        ck_assert_uint_eq(s->generation[1], missed);
        ck_assert_uint_eq(count(s)->key_updates, 1);
        twin_next_keys(&t, true);
        say(s, &t, true, "and on");
        ck_assert_uint_eq(s->generation[1], missed + 1);
        expect_said(s, 1, 3);
    }
    watch_end(s);
}
END_TEST

/* A phase bit that nobody has keys for moves nothing. */
START_TEST(damage_is_no_key_update) {
    twin t = twin_make(2, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    say(s, &t, true, "one");
    for (size_t i = 0; i < 100; i++) {
        const size_t len = short_with(&t, true, "damaged");
        buf[9 + i % (len - 9)] ^= (uint8_t)(1U << i % 8);
        show(s, &t, true, len);
        ck_assert_int_eq(s->last_seal, WZP_PCAP_QUIC_BAD_TAG);
    }
    say(s, &t, true, "two");
    expect_said(s, 0, 2);
    ck_assert_uint_eq(count(s)->bad_tag, 100);
    ck_assert_uint_eq(count(s)->key_updates, 0);
    watch_end(s);
}
END_TEST

/* --- ids and addresses ------------------------------------------------------------------------ */

static void offer_id(seen *s, twin *t, bool by_client, const wzp_pcap_quic_cid *id, uint64_t n) {
    uint8_t frames[64];
    const uint8_t token[16] = {0x70, (uint8_t)n, 3};
    wzp_wr wr;
    wzp_wr_init(&wr, frames, sizeof frames);
    twin_new_cid(&wr, n, id, token);
    show(s, t, by_client,
         twin_short(t, by_client, wzp_bytes_of(frames, wzp_wr_len(&wr)), buf, sizeof buf));
}

START_TEST(moves_under_another_id) {
    twin t = twin_make(3, TWIN_AES_256, TWIN_V1, 8);
    const wzp_pcap_quic_cid to_server = twin_id(3, 0xd1, 8);
    const wzp_pcap_quic_cid to_client = twin_id(3, 0xd2, 8);
    const uint8_t challenge[] = {0x1a, 1, 2, 3, 4, 5, 6, 7, 8};
    const uint8_t retire[] = {0x19, 0x00};
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    offer_id(s, &t, false, &to_server, 1);
    offer_id(s, &t, true, &to_client, 1);
    say(s, &t, true, "here");
    const wzp_addr home = t.client;
    t.client = wzp_addr_v4(172, 16, 0, 9, 999);
    t.to_server = to_server;
    t.to_client = to_client;
    show(s, &t, true,
         twin_short(&t, true, wzp_bytes_of(challenge, sizeof challenge), buf, sizeof buf));
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_PATH], 0); /* it only tries */
    say(s, &t, true, "there");
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_PATH], 1);
    ck_assert(wzp_addr_equal(&s->path, &t.client));
    show(s, &t, true, twin_short(&t, true, wzp_bytes_of(retire, sizeof retire), buf, sizeof buf));
    say(s, &t, false, "and back");
    t.to_server = twin_id(3, 0xcc, 8); /* retired, and under way still */
    t.client = home;
    t.number[1][2] -= 5;
    say(s, &t, true, "overtaken");
    ck_assert_uint_eq(s->again, 1);
    expect_said(s, 1, 2);
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->migrations, 1);
    ck_assert_uint_eq(count(s)->opened, count(s)->packets);
    watch_end(s);
}
END_TEST

/* A client without ids behind a NAT that forgets: the server's answers are known by addresses. */
START_TEST(rebinds_without_ids) {
    twin t = twin_make(4, TWIN_AES_128, TWIN_V1, 0);
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    for (unsigned i = 0; i < 30; i++) {
        t.client.port = (uint16_t)(20000 + i);
        say(s, &t, true, "out");
        say(s, &t, false, "in");
    }
    expect_said(s, 30, 30);
    ck_assert_uint_eq(count(s)->migrations, 30);
    ck_assert_uint_eq(count(s)->conns, 1);
    watch_end(s);
}
END_TEST

/* The next client on the same addresses, without ids too, is another connection. */
START_TEST(the_next_one_on_the_same_addresses) {
    seen *s = watch();
    twin first = twin_make(5, TWIN_AES_128, TWIN_V1, 0);
    twin second = twin_make(6, TWIN_CHACHA20, TWIN_V1, 0);
    second.client = first.client;
    give(s, &first);
    give(s, &second);
    greet(s, &first);
    say(s, &first, false, "first");
    greet(s, &second);
    ck_assert_uint_eq(count(s)->conns, 2);
    say(s, &second, false, "second");
    ck_assert_uint_eq(s->last_conn, 2);
    say(s, &first, true, "late");
    ck_assert_uint_eq(s->last_conn, 1);
    expect_said(s, 2, 1);
    watch_end(s);
}
END_TEST

enum { CROWD = 50 };

/* Between the same two sockets, told apart by ids. */
START_TEST(many_at_once) {
    static twin t[CROWD];
    seen *s = watch();
    for (uint32_t i = 0; i < CROWD; i++) {
        t[i] = twin_make(100 + i, (twin_suite)(i % 3), i % 2 == 0 ? TWIN_V1 : TWIN_V2,
                         _i == 0 ? 8 : (uint8_t)(1 + i % 20));
        t[i].client = t[0].client;
        if (_i == 1) {
            t[i].to_client.data[0] = (uint8_t)i; /* of one byte, and all differ */
        }
        give(s, &t[i]);
        greet(s, &t[i]);
    }
    for (uint32_t i = 0; i < 10 * CROWD; i++) {
        twin *one = &t[i * 7 % CROWD];
        say(s, one, i % 2 == 0, "words");
        ck_assert_uint_eq(s->last_conn, i * 7 % CROWD + 1);
        ck_assert_int_eq(s->last_seal, WZP_PCAP_QUIC_CLEAR);
    }
    expect_said(s, 5 * CROWD, 5 * CROWD);
    ck_assert_uint_eq(count(s)->conns, CROWD);
    watch_end(s);
}
END_TEST

/* --- packets that come too early -------------------------------------------------------------- */

START_TEST(secrets_come_last) {
    twin t = twin_make(8, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    greet(s, &t);
    say(s, &t, true, "a");
    say(s, &t, false, "b");
    expect_said(s, 0, 0);
    ck_assert_str_eq(s->alpn, "");
    give(s, &t);
    expect_said(s, 1, 1);
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(s->late, 3);
    ck_assert_uint_eq(count(s)->no_secret, 0);
    watch_end(s);
}
END_TEST

START_TEST(too_many_wait_for_secrets) {
    twin t = twin_make(9, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    greet(s, &t);
    for (unsigned i = 0; i < WZP_PCAP_QUIC_HELD_MAX; i++) {
        say(s, &t, true, "a");
    }
    ck_assert_uint_eq(count(s)->held_dropped, WZP_PCAP_QUIC_HELD_MAX + 1);
    ck_assert_uint_eq(count(s)->no_secret, WZP_PCAP_QUIC_HELD_MAX + 1);
    give(s, &t);
    say(s, &t, true, "b");
    expect_said(s, 0, 1);
    wzp_pcap_quic_end(s->quic);
    watch_end(s);
}
END_TEST

/* The server's flight was captured before the client's hello, and 1-RTT packets before both. */
START_TEST(everything_before_the_hello) {
    twin t = twin_make(10, TWIN_AES_128, TWIN_V1, 8);
    uint8_t first[1300];
    seen *s = watch();
    give(s, &t);
    const size_t len = twin_first(&t, "room", first, sizeof first);
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    say(s, &t, false, "0.5-RTT");
    expect_said(s, 0, 0);
    watch_show(s, &t.client, &t.server, first, len);
    expect_said(s, 1, 0);
    ck_assert_str_eq(s->sni, "room");
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(s->late, 3);
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->opened, count(s)->packets);
    watch_end(s);
}
END_TEST

/* Who is the client was guessed from the ports, and wrongly, until its hello came. */
START_TEST(sides_that_were_guessed) {
    twin t = twin_make(22, TWIN_AES_128, TWIN_V1, 8);
    uint8_t first[1300];
    seen *s = watch();
    give(s, &t);
    t.client.port = 443;
    const size_t len = twin_first(&t, "room", first, sizeof first);
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    say(s, &t, true, "out");
    say(s, &t, false, "in");
    watch_show(s, &t.client, &t.server, first, len);
    expect_said(s, 1, 1);
    say(s, &t, true, "out");
    say(s, &t, false, "in");
    expect_said(s, 2, 2);
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->opened, count(s)->packets);
    watch_end(s);
}
END_TEST

/* No ServerHello was captured: the suite follows from the secrets, and from what opens. */
START_TEST(without_the_server_hello) {
    twin t = twin_make(11 + (uint32_t)_i / 3, (twin_suite)(_i % 3), TWIN_V1, 8);
    seen *s = watch();
    give(s, &t);
    show(s, &t, true, twin_first(&t, "room", buf, sizeof buf));
    say(s, &t, true, "a"); /* its id is not known, its addresses are */
    expect_said(s, 0, 1);
    say(s, &t, false, "b");
    expect_said(s, 1, 1);
    for (unsigned i = 2; i < 6; i++) { /* what the first guess has left behind is no matter */
        twin_next_keys(&t, true);
        twin_next_keys(&t, false);
        say(s, &t, true, "a");
        say(s, &t, false, "b");
        expect_said(s, i, i);
    }
    ck_assert_uint_eq(count(s)->bad_tag, 0);
    watch_end(s);
}
END_TEST

/* No hello at all, and no secrets: nothing opens, and its packets are still one connection's. */
START_TEST(without_the_hello) {
    twin t = twin_make(12, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    (void)twin_first(&t, "room", buf, sizeof buf);
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    for (unsigned i = 0; i < 5; i++) {
        say(s, &t, true, "a");
        say(s, &t, false, "b");
    }
    t.client.port++;
    say(s, &t, true, "moved");
    wzp_pcap_quic_end(s->quic);
    expect_said(s, 0, 0);
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->no_hello, 13);
    ck_assert_uint_eq(count(s)->not_quic, 0);
    watch_end(s);
}
END_TEST

/* --- segmentation offload --------------------------------------------------------------------- */

/* Several datagrams as one, all as long as the first and the last one shorter; returns its length.
 */
static size_t super_packet(twin *t, uint8_t *out, size_t cap, unsigned count) {
    static const char *const texts[] = {"segment number one", "segment number two"};
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        const size_t len = short_with(t, false, i + 1 < count ? texts[i % 2] : "short");
        ck_assert_uint_le(at + len, cap);
        memcpy(out + at, buf, len);
        at += len;
    }
    return at;
}

START_TEST(datagrams_put_together_by_offload) {
    static uint8_t together[65000];
    static const uint8_t lens[] = {4, 8, 20};
    const bool has_secrets = _i / 3 == 0;
    twin t = twin_make(41, TWIN_AES_128, TWIN_V1, lens[_i % 3]);
    seen *s = watch();
    if (has_secrets) {
        give(s, &t);
    }
    greet(s, &t);
    for (unsigned count = 2; count <= 64; count = count * 2 + 1) {
        const size_t len = super_packet(&t, together, sizeof together, count);
        watch_show(s, &t.server, &t.client, together, len);
    }
    wzp_pcap_quic_end(s->quic);
    expect_said(s, has_secrets ? 2 + 5 + 11 + 23 + 47 : 0, 0);
    ck_assert_uint_eq(count(s)->segments, 2 + 5 + 11 + 23 + 47 - 5);
    ck_assert_uint_eq(count(s)->bad_tag, 0);
    ck_assert_uint_eq(count(s)->packets, 2 + 5 + 11 + 23 + 47 + 3);
    watch_end(s);
}
END_TEST

/* The capture's snaplen cuts the last ones off. */
START_TEST(whole_segments_of_a_cut_datagram) {
    static uint8_t together[65000];
    twin t = twin_make(42, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    const size_t len = super_packet(&t, together, sizeof together, 6);
    const wzp_pcap_udp udp = {.src = t.server,
                              .dst = t.client,
                              .cut = true,
                              .payload_len = (uint32_t)len,
                              .payload = wzp_bytes_of(together, len / 2)};
    wzp_pcap_quic_take(s->quic, &udp, 9, 9000);
    expect_said(s, 2, 0);
    ck_assert_uint_eq(count(s)->cut, 1);
    watch_end(s);
}
END_TEST

/* --- without a beginning ---------------------------------------------------------------------- */

static void give_noise(seen *s, unsigned others) {
    for (unsigned i = 0; i < others; i++) {
        const twin other = twin_make(900 + i, (twin_suite)(i % 3), TWIN_V1, 8);
        give(s, &other);
    }
}

/* Only the secrets of the log say whose packets these are. */
START_TEST(joined_in_the_middle) {
    static const uint8_t lens[] = {8, 0, 4, 20};
    static const uint64_t numbers[] = {0, 200, 70000, 16000000};
    twin t = twin_make(31, (twin_suite)(_i % 3), TWIN_V1, lens[_i / 3 % 4]);
    seen *s = watch();
    give_noise(s, 3);
    give(s, &t);
    give_noise(s, 5);
    t.number[0][2] = t.number[1][2] = numbers[_i / 12 % 4];
    if (_i / 48 % 2 == 1) { /* one key update went by as well */
        twin_next_keys(&t, true);
        twin_next_keys(&t, false);
    }
    for (unsigned i = 0; i < 5; i++) {
        say(s, &t, i % 2 == 0, "some words");
    }
    const bool is_far = numbers[_i / 12 % 4] >= UINT64_C(64) << 16;
    expect_said(s, is_far ? 0 : 2, is_far ? 0 : 3);
    ck_assert_uint_eq(count(s)->joined, is_far ? 0 : 1);
    ck_assert_uint_eq(count(s)->conns, is_far ? 0 : 1);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_JOINED], is_far ? 0 : 1);
    ck_assert_uint_eq(count(s)->headless, is_far ? 5 : 0);
    ck_assert_uint_eq(count(s)->bad_tag, 0);
    watch_end(s);
}
END_TEST

/* Long headers of the handshake are there, the hello is not; the sides are guessed wrongly. */
START_TEST(joined_without_the_hello) {
    twin t = twin_make(12, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    give(s, &t);
    t.client.port = 443;
    (void)twin_first(&t, "room", buf, sizeof buf);
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    for (unsigned i = 0; i < 20; i++) { /* until nobody waits for the hello any more */
        say(s, &t, true, "a");
        say(s, &t, false, "b");
    }
    ck_assert_uint_eq(count(s)->no_hello, 33);
    t.client.port++;
    say(s, &t, true, "moved");
    wzp_pcap_quic_end(s->quic);
    expect_said(s, 5, 5);
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->joined, 1);
    ck_assert_uint_eq(count(s)->migrations, 1);
    watch_end(s);
}
END_TEST

/* What is no QUIC is tried a few times and makes no connection. */
START_TEST(nothing_is_joined_by_chance) {
    const wzp_addr from = wzp_addr_v4(10, 0, 0, 1, 5000);
    const wzp_addr to = wzp_addr_v4(10, 0, 0, 2, 5001);
    wzp_prng prng;
    seen *s = watch();
    give_noise(s, 3);
    wzp_prng_init(&prng, 5, "noise");
    for (unsigned i = 0; i < 50; i++) {
        wzp_rng_fill(wzp_prng_rng(&prng), buf, 100);
        buf[0] = (uint8_t)(0x40 | (buf[0] & 0x3f));
        watch_show(s, &from, &to, buf, 100);
    }
    ck_assert_uint_eq(count(s)->conns, 0);
    ck_assert_uint_eq(count(s)->headless, 50);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_OPENED], 0);
    watch_end(s);
}
END_TEST

START_TEST(early_data) {
    static const char *const label = "CLIENT_EARLY_TRAFFIC_SECRET";
    twin t = twin_make(13, TWIN_AES_128, TWIN_V1, 8);
    const twin_suite suite = (twin_suite)_i; /* of the ticket */
    const twin_keys early = twin_keys_of(suite, TWIN_V1, t.secrets[1]);
    char random[65];
    char secret[97];
    char line[256];
    seen *s = watch();
    give(s, &t);
    wzp_hex_write(random, wzp_bytes_of(t.random, 32));
    wzp_hex_write(secret, wzp_bytes_of(t.secrets[1], twin_secret_len(suite)));
    (void)snprintf(line, sizeof line, "%s %s %s", label, random, secret);
    ck_assert(wzp_pcap_quic_secrets(s->quic, wzp_bytes_str(line)) == WZP_OK);
    wzp_wr wr;
    const uint8_t frames[] = {0x30, 'h', 'i'};
    const size_t len = twin_first(&t, "room", buf, sizeof buf);
    wzp_wr_init(&wr, buf + len, sizeof buf - len);
    const twin_packet p = {.type = WZP_PCAP_QUIC_0RTT,
                           .dcid = &t.original,
                           .scid = &t.to_client,
                           .number = t.number[1][2]++,
                           .payload = wzp_bytes_of(frames, sizeof frames)};
    twin_write(&wr, &early, &p);
    show(s, &t, true, len + wzp_wr_len(&wr)); /* in the datagram of the hello */
    expect_said(s, 0, 1);
    ck_assert_int_eq(s->last_type, WZP_PCAP_QUIC_0RTT);
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    say(s, &t, true, "later");
    expect_said(s, 0, 2);
    watch_end(s);
}
END_TEST

/* --- other beginnings and endings ------------------------------------------------------------- */

/* With the Retry in the capture, and without. */
START_TEST(after_a_retry) {
    twin t = twin_make(14, TWIN_AES_128, _i % 2 == 0 ? TWIN_V1 : TWIN_V2, _i / 2 == 0 ? 8 : 0);
    uint8_t hello[600];
    uint8_t frames[700];
    uint8_t secret[32];
    wzp_wr wr;
    seen *s = watch();
    give(s, &t);
    show(s, &t, true, twin_first(&t, "room", buf, sizeof buf));
    t.original = twin_id(14, 0xee, 12); /* which the Retry told */
    for (size_t i = 0; i < 2; i++) {
        twin_initial(t.version, &t.original, i == 0 ? "server in" : "client in", secret);
        t.initial[i] = twin_keys_of(TWIN_AES_128, t.version, secret);
    }
    wzp_wr_init(&wr, hello, sizeof hello);
    twin_client_hello(&wr, t.random, "room", wzp_bytes_of(twin_params, sizeof twin_params));
    const size_t hello_len = wzp_wr_len(&wr);
    wzp_wr_init(&wr, frames, sizeof frames);
    twin_crypto(&wr, 0, wzp_bytes_of(hello, hello_len));
    const twin_packet p = {.type = WZP_PCAP_QUIC_INITIAL,
                           .dcid = &t.original,
                           .scid = &t.to_client,
                           .token = wzp_bytes_str("a token"),
                           .number = t.number[1][0]++,
                           .pad_to = 1200,
                           .payload = wzp_bytes_of(frames, wzp_wr_len(&wr))};
    wzp_wr_init(&wr, buf, sizeof buf);
    twin_write(&wr, &t.initial[1], &p);
    show(s, &t, true, wzp_wr_len(&wr));
    show(s, &t, false, twin_answer(&t, buf, sizeof buf));
    say(s, &t, true, "in");
    expect_said(s, 0, 1);
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_HELLO], 1);
    ck_assert_uint_eq(count(s)->opened, count(s)->packets);
    watch_end(s);
}
END_TEST

/* The server knows only version 2, and says so. */
START_TEST(version_negotiation) {
    twin t = twin_make(15, TWIN_AES_128, TWIN_V1, 8);
    twin again = twin_make(15, TWIN_AES_128, TWIN_V2, 8);
    seen *s = watch();
    again.random[0] ^= 1;
    give(s, &again);
    show(s, &t, true, twin_first(&t, "room", buf, sizeof buf));
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_wr_u8(&wr, 0xc0);
    wzp_wr_u32(&wr, 0);
    twin_cid(&wr, &t.to_client);
    twin_cid(&wr, &t.original);
    wzp_wr_u32(&wr, TWIN_V2);
    show(s, &t, false, wzp_wr_len(&wr));
    ck_assert_int_eq(s->last_type, WZP_PCAP_QUIC_VERSION_NEGOTIATION);
    greet(s, &again);
    say(s, &again, true, "in");
    expect_said(s, 0, 1);
    ck_assert_uint_eq(count(s)->conns, 1);
    watch_end(s);
}
END_TEST

/* The client begins in version 1, the server answers in 2 (RFC 9368, 2.3). */
START_TEST(compatible_version) {
    twin t = twin_make(16, TWIN_AES_128, TWIN_V1, 8);
    twin other = twin_make(16, TWIN_AES_128, TWIN_V2, 8);
    seen *s = watch();
    give(s, &t);
    show(s, &t, true, twin_first(&t, "room", buf, sizeof buf));
    show(s, &other, false, twin_answer(&other, buf, sizeof buf));
    say(s, &other, true, "in");
    expect_said(s, 0, 1);
    ck_assert_str_eq(s->alpn, "wzp");
    ck_assert_uint_eq(count(s)->bad_tag, 0);
    watch_end(s);
}
END_TEST

START_TEST(stateless_reset) {
    twin t = twin_make(17, TWIN_AES_128, TWIN_V1, _i == 0 ? 8 : 0);
    const wzp_pcap_quic_cid id = twin_id(17, 0xd1, 8);
    const uint8_t token[16] = {0x70, 1, 3};
    seen *s = watch();
    give(s, &t);
    greet(s, &t);
    offer_id(s, &t, false, &id, 1);
    memset(buf, 0x5b, 60);
    memcpy(buf + 44, token, sizeof token);
    show(s, &t, false, 60);
    ck_assert_int_eq(s->last_seal, WZP_PCAP_QUIC_BAD_TAG);
    ck_assert_uint_eq(s->kinds[WZP_PCAP_QUIC_CLOSED], 1);
    ck_assert(s->reset);
    watch_end(s);
}
END_TEST

START_TEST(wrong_secrets) {
    twin t = twin_make(18, (twin_suite)_i, TWIN_V1, 8);
    twin liar = t;
    seen *s = watch();
    memset(liar.secrets, 0x33, sizeof liar.secrets);
    give(s, &liar);
    greet(s, &t);
    for (unsigned i = 0; i < 20; i++) {
        say(s, &t, i % 2 == 0, "secret");
    }
    expect_said(s, 0, 0);
    ck_assert_uint_eq(count(s)->bad_tag, 21);
    ck_assert_uint_eq(count(s)->opened, 2);
    watch_end(s);
}
END_TEST

/* A capture that keeps 100 bytes of each packet. */
START_TEST(cut_by_the_capture) {
    twin t = twin_make(19, TWIN_AES_128, TWIN_V1, 8);
    seen *s = watch();
    give(s, &t);
    for (unsigned i = 0; i < 4; i++) {
        const size_t len = i == 0   ? twin_first(&t, "room", buf, sizeof buf)
                           : i == 1 ? twin_answer(&t, buf, sizeof buf)
                                    : short_with(&t, i == 2, "a long text that does not fit");
        const size_t kept = i < 2 ? 100 : 30;
        const wzp_pcap_udp udp = {.src = i % 2 == 0 ? t.client : t.server,
                                  .dst = i % 2 == 0 ? t.server : t.client,
                                  .cut = true,
                                  .payload_len = (uint32_t)len,
                                  .payload = wzp_bytes_of(buf, kept)};
        wzp_pcap_quic_take(s->quic, &udp, i + 1, i);
    }
    ck_assert_uint_eq(count(s)->conns, 1);
    ck_assert_uint_eq(count(s)->opened, 0);
    ck_assert_uint_eq(count(s)->not_quic, 0);
    ck_assert_uint_eq(count(s)->cut + count(s)->no_hello, count(s)->packets);
    watch_end(s);
}
END_TEST

static const struct bad_case {
    const char *name, *frames;
    unsigned datagrams;
    const char *problem;
} bad_cases[] = {
    {"cut inside a datagram", "31 05 61 62", 0, "a packet that ends inside a frame"},
    {"cut inside a varint", "30", 1, ""},
    {"a type nobody knows", "31 01 61 40 ff 00", 1,
     "a frame of an unknown type: what follows it cannot be read"},
    {"a length of 2^62 - 1", "31 ff ff ff ff ff ff ff ff 61", 0,
     "a packet that ends inside a frame"},
    {"an id of 21 bytes", "18 00 00 15", 0, "a packet that ends inside a frame"},
    {"an id of no bytes", "18 00 00 00", 0, "a packet that ends inside a frame"},
    {"2^40 ranges", "02 00 00 c0 00 01 00 00 00 00 00 00", 0, "a packet that ends inside a frame"},
    {"a stream at 2^62 - 1", "0c 00 ff ff ff ff ff ff ff ff 61", 0, ""},
    {"padding alone", "00 00 00 00 00", 0, ""},
};

START_TEST(garbage_inside_valid_packets) {
    const struct bad_case *c = &bad_cases[_i];
    twin t = twin_make(20, TWIN_AES_128, TWIN_V1, 8);
    uint8_t frames[64];
    size_t len = 0;
    seen *s = watch();
    for (const char *at = c->frames; *at != '\0'; at += at[2] == ' ' ? 3 : 2) {
        ck_assert(wzp_hex_parse(frames + len++, 1, at, 2, NULL) == WZP_OK);
    }
    give(s, &t);
    greet(s, &t);
    show(s, &t, true, twin_short(&t, true, wzp_bytes_of(frames, len), buf, sizeof buf));
    ck_assert_msg(s->datagrams[1] == c->datagrams, "%s: %u", c->name, s->datagrams[1]);
    ck_assert_str_eq(s->problem, c->problem);
    ck_assert_uint_eq(count(s)->frames_bad, c->problem[0] != '\0');
    say(s, &t, true, "goes on");
    ck_assert_uint_eq(s->datagrams[1], c->datagrams + 1);
    watch_end(s);
}
END_TEST

/* Frames of streams are nobody's business before the handshake is done. */
START_TEST(frames_in_the_wrong_packet) {
    twin t = twin_make(21, TWIN_AES_128, TWIN_V1, 8);
    const uint8_t frames[] = {0x30, 'x'};
    wzp_wr wr;
    seen *s = watch();
    wzp_wr_init(&wr, buf, sizeof buf);
    const twin_packet p = {.type = WZP_PCAP_QUIC_INITIAL,
                           .dcid = &t.original,
                           .scid = &t.to_client,
                           .pad_to = 1200,
                           .payload = wzp_bytes_of(frames, sizeof frames)};
    twin_write(&wr, &t.initial[1], &p);
    show(s, &t, true, wzp_wr_len(&wr));
    expect_said(s, 0, 0);
    ck_assert_str_eq(s->problem, "a frame that such a packet may not have");
    watch_end(s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("twin");
    tcase_add_loop_test(tc, every_suite_version_and_id, 0, 24);
    tcase_add_loop_test(tc, keys_of_later_generations, 0, 3);
    tcase_add_loop_test(tc, generations_that_were_missed, 0, 27);
    tcase_add_test(tc, damage_is_no_key_update);
    tcase_add_test(tc, moves_under_another_id);
    tcase_add_test(tc, rebinds_without_ids);
    tcase_add_test(tc, the_next_one_on_the_same_addresses);
    tcase_add_loop_test(tc, many_at_once, 0, 2);
    tcase_add_test(tc, secrets_come_last);
    tcase_add_test(tc, too_many_wait_for_secrets);
    tcase_add_test(tc, everything_before_the_hello);
    tcase_add_test(tc, sides_that_were_guessed);
    tcase_add_loop_test(tc, without_the_server_hello, 0, 24);
    tcase_add_test(tc, without_the_hello);
    tcase_add_loop_test(tc, datagrams_put_together_by_offload, 0, 6);
    tcase_add_test(tc, whole_segments_of_a_cut_datagram);
    tcase_add_loop_test(tc, joined_in_the_middle, 0, 96);
    tcase_add_test(tc, joined_without_the_hello);
    tcase_add_test(tc, nothing_is_joined_by_chance);
    tcase_add_loop_test(tc, early_data, 0, 3);
    tcase_add_loop_test(tc, after_a_retry, 0, 4);
    tcase_add_test(tc, version_negotiation);
    tcase_add_test(tc, compatible_version);
    tcase_add_loop_test(tc, stateless_reset, 0, 2);
    tcase_add_loop_test(tc, wrong_secrets, 0, 3);
    tcase_add_test(tc, cut_by_the_capture);
    tcase_add_loop_test(tc, garbage_inside_valid_packets, 0, (int)WZP_COUNT_OF(bad_cases));
    tcase_add_test(tc, frames_in_the_wrong_packet);
    return wzp_run_suite("pcap_quic twin", tc);
}
