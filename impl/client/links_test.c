/* Two clients on shared endpoints, a relay, and direct connections between the endpoints, as a
 * handset has them: what is said on one path goes on, on another. */
#include <stdio.h>

#include "base/testing/suite.h"
#include "client/client.h"
#include "crypto/identity.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { FRAMES = 3000, FRAME_LEN = 60, RELAY = 0 };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

/* --- one side of a call ----------------------------------------------------------------------- */

typedef struct party {
    wzp_endpoint *endpoint;
    wzp_client *client;
    wzp_prng prng;
    wzp_endpoint_user user;
    wzp_addr addr;
    size_t host;
    wzp_quic_conn direct;      /* the newest */
    wzp_quic_close_info close; /* of a direct one */
    bool mirrors;              /* hears each datagram of a direct connection twice */
    uint32_t joined, rooms, lost, back, hangups, closed;
    uint32_t pushed, concealed, wrong;
    uint32_t heard[FRAMES];
    uint32_t packets, first_seq, last_seq, offset; /* of what came; offset: of the media clock */
    char text[192];
} party;

static size_t frame_of(uint32_t number, uint8_t out[FRAME_LEN]) {
    memset(out, (int)(number % 251), FRAME_LEN);
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
    return FRAME_LEN;
}

static void on_play(party *p, const wzp_client_event *ev) {
    uint8_t want[FRAME_LEN];
    if (ev->slot == WZP_JBUF_FRAME) {
        const uint32_t number = (uint32_t)ev->payload.data[0] << 8 | ev->payload.data[1];
        const size_t len = frame_of(number, want);
        p->wrong += number >= FRAMES || !wzp_bytes_equal(ev->payload, wzp_bytes_of(want, len));
        p->heard[number % FRAMES]++;
    }
    p->concealed += ev->slot == WZP_JBUF_CONCEAL ? 1 : 0;
}

static void after(void *ctx, wzp_time now) {
    party *p = ctx;
    wzp_client_event ev;
    uint8_t frame[FRAME_LEN];
    while (p->client != NULL && wzp_client_next_event(p->client, now, &ev)) {
        switch (ev.kind) {
        case WZP_CLIENT_PLAY:
            on_play(p, &ev);
            break;
        case WZP_CLIENT_CAPTURE:
            ck_assert(wzp_client_push_coded(p->client,
                                            wzp_bytes_of(frame, frame_of(p->pushed++, frame)),
                                            now) == WZP_OK);
            break;
        case WZP_CLIENT_JOINED:
            p->joined++;
            break;
        case WZP_CLIENT_ROOM:
            p->rooms++;
            break;
        case WZP_CLIENT_LOST:
            p->lost++;
            break;
        case WZP_CLIENT_BACK:
            p->back++;
            break;
        case WZP_CLIENT_HANGUP:
            p->hangups++;
            (void)snprintf(p->text, sizeof p->text, "%s", ev.text);
            break;
        case WZP_CLIENT_CLOSED:
            p->closed++;
            break;
        }
    }
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    party *p = ctx;
    const uint32_t offset = packet->hdr.timestamp_ms - 20 * packet->hdr.seq;
    (void)now;
    if (p->packets++ == 0) {
        p->first_seq = p->last_seq = packet->hdr.seq;
        p->offset = offset;
    }
    p->wrong += offset != p->offset ? 1 : 0;
    p->last_seq = packet->hdr.seq - p->last_seq < UINT32_MAX / 2 ? packet->hdr.seq : p->last_seq;
}

static void on_direct(void *self, const wzp_quic_event *ev, wzp_time now) {
    party *p = self;
    if (ev->kind == WZP_QUIC_CONNECTED) {
        p->direct = ev->conn;
        wzp_endpoint_attach(p->endpoint, ev->conn, &p->user);
    } else if (ev->kind == WZP_QUIC_DATAGRAM && p->client != NULL) {
        wzp_client_direct_media(p->client, ev->body, now);
        if (p->mirrors) {
            wzp_client_direct_media(p->client, ev->body, now);
        }
    } else if (ev->kind == WZP_QUIC_CLOSED) {
        p->close = ev->close;
    }
}

/* --- as a core: what shares the socket -------------------------------------------------------- */

static void party_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                       wzp_time now) {
    const wzp_core end = wzp_endpoint_core(((party *)self)->endpoint);
    end.ops->recv(end.self, path, ecn, payload, now);
}

static void party_tick(void *self, wzp_time now) {
    party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    end.ops->tick(end.self, now);
    if (p->client != NULL) {
        const wzp_core core = wzp_client_core(p->client);
        core.ops->tick(core.self, now);
    }
}

static wzp_time party_deadline(const void *self) {
    const party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    wzp_time first = end.ops->deadline(end.self);
    if (p->client != NULL) {
        const wzp_core core = wzp_client_core(p->client);
        first = wzp_time_min(first, core.ops->deadline(core.self));
    }
    return first;
}

static size_t party_next(void *self, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta) {
    const party *p = self;
    const wzp_core end = wzp_endpoint_core(p->endpoint);
    if (p->client != NULL) { /* has none of its own */
        const wzp_core core = wzp_client_core(p->client);
        ck_assert_uint_eq(core.ops->next_packet(core.self, now, buf, cap, meta), 0);
    }
    return end.ops->next_packet(end.self, now, buf, cap, meta);
}

/* --- the call --------------------------------------------------------------------------------- */

typedef struct call {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
    party a, b;
} call;

static void start(call *c, party *p, wzp_client_cfg cfg) {
    static const wzp_core_ops ops = {party_recv, party_tick, party_deadline, party_next};
    p->host = c->net.hosts;
    p->addr = wzp_addr_v4(10, 0, 1, (uint8_t)p->host, 5000);
    p->user = (wzp_endpoint_user){p, on_direct};
    wzp_prng_init(&p->prng, p->host, "party");
    wzp_identity who;
    wzp_tls_identity tls;
    cfg.seed[0] = (uint8_t)p->host;
    wzp_identity_from_seed(&who, cfg.seed);
    wzp_tls_identity_of(&tls, &who);
    const wzp_quic_identity identity = {wzp_bytes_of(tls.cert_der, tls.cert_len),
                                        wzp_bytes_of(tls.ed25519_seed, 32)};
    const wzp_quic_cfg quic = {.rng = wzp_prng_rng(&p->prng),
                               .identity = &identity,
                               .mutual = true,
                               .datagram_lifetime = WZP_CLIENT_LIFETIME};
    ck_assert(wzp_endpoint_new(&p->endpoint, &quic, c->net.now) == WZP_OK);
    wzp_endpoint_on_incoming(p->endpoint, &p->user);
    cfg.rng = wzp_prng_rng(&p->prng);
    cfg.room = "room";
    cfg.codec = WZP_CODEC_OPUS_24K;
    cfg.coded = true;
    cfg.arrival = on_arrival;
    cfg.arrival_ctx = p;
    cfg.path = (wzp_quic_path){p->addr, relay_addr};
    cfg.endpoint = p->endpoint;
    ck_assert(wzp_client_new(&p->client, &cfg, c->net.now) == WZP_OK);
    pair_add(&c->net, (wzp_core){p, &ops}, p->addr, after, p);
}

static call *begin(wzp_client_cfg cfg) {
    call *c = calloc(1, sizeof *c);
    pair_init(&c->net, 4);
    wzp_prng_init(&c->prng, 3, "relay");
    const wzp_relay_cfg relay = {.rng = wzp_prng_rng(&c->prng), .enforce = WZP_ENFORCE_ON};
    ck_assert(wzp_relay_new(&c->relay, &relay, c->net.now) == WZP_OK);
    pair_add(&c->net, wzp_relay_core(c->relay), relay_addr, NULL, NULL);
    start(c, &c->a, cfg);
    start(c, &c->b, cfg);
    return c;
}

static call *begin_waiting(void) {
    return begin((wzp_client_cfg){.waits = true});
}

static void end(call *c) {
    wzp_client_free(&c->a.client);
    wzp_client_free(&c->b.client);
    wzp_endpoint_free(&c->a.endpoint);
    wzp_endpoint_free(&c->b.endpoint);
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
    free(c);
}

static void run(call *c, uint64_t ms) {
    pair_run(&c->net, c->net.now + ms * WZP_MS);
}

/* A dials B directly, and both know it. */
static void connect(call *c) {
    const wzp_quic_dial d = {.path = {c->a.addr, c->b.addr}, .sni = "call-room"};
    wzp_quic_conn conn;
    ck_assert(wzp_endpoint_dial(c->a.endpoint, &d, &c->a.user, c->net.now, &conn) == WZP_OK);
    run(c, 100);
    ck_assert(c->a.direct == conn && c->b.direct != 0);
}

static void dial_relay(call *c) {
    ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) == WZP_OK);
    ck_assert(wzp_client_dial_relay(c->b.client, &relay_addr, c->net.now) == WZP_OK);
}

static void take_direct(call *c) {
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_take_direct(c->b.client, c->b.direct, c->net.now);
}

static void take_relay(call *c) {
    wzp_client_take_relay(c->a.client, c->net.now);
    wzp_client_take_relay(c->b.client, c->net.now);
}

static wzp_client_relay relay_of(const party *p) {
    return wzp_client_relay_state(p->client, NULL);
}

/* Of the first so many frames of the other side all were heard, and once. */
static void check_heard(const party *p, uint32_t frames, const char *name) {
    for (uint32_t i = 0; i < frames; i++) {
        ck_assert_msg(p->heard[i] == 1, "%s: frame %u was heard %u times", name, i, p->heard[i]);
    }
    ck_assert_uint_eq(p->wrong, 0);
    ck_assert_uint_eq(p->last_seq - p->first_seq + 1, p->packets);
}

static void check_both(const call *c, uint32_t frames) {
    check_heard(&c->a, frames, "a");
    check_heard(&c->b, frames, "b");
}

/* --- by the relay ----------------------------------------------------------------------------- */

START_TEST(by_the_relay_as_ever) {
    call *c = begin((wzp_client_cfg){0});
    ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    run(c, 4000);
    ck_assert_uint_eq(c->a.joined, 1);
    ck_assert_uint_gt(c->a.packets, 180);
    ck_assert_uint_eq(c->a.wrong + c->b.wrong, 0);
    wzp_client_hangup(c->a.client, c->net.now);
    run(c, 500);
    ck_assert_uint_eq(c->a.closed, 1);
    ck_assert_uint_eq(c->b.closed, 0);
    end(c);
}
END_TEST

START_TEST(by_the_relay_when_told_so) {
    call *c = begin_waiting();
    run(c, 500);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert_uint_eq(c->net.packets, 0);
    dial_relay(c);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_DIALLING);
    ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    run(c, 500);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_UP);
    ck_assert_uint_eq(c->a.joined, 1);
    ck_assert_uint_eq(c->a.pushed, 0); /* not yet */
    take_relay(c);
    run(c, 4000);
    check_both(c, 190);
    end(c);
}
END_TEST

/* --- directly --------------------------------------------------------------------------------- */

START_TEST(directly_without_any_relay) {
    call *c = begin((wzp_client_cfg){.waits = true,
                                     .media_crypto = _i == 0 ? WZP_MEDIA_CRYPTO_CLEAR
                                                             : WZP_MEDIA_CRYPTO_RELAY_AEAD});
    wzp_client_stats stats;
    c->net.deaf[RELAY] = true;
    connect(c);
    take_direct(c);
    run(c, 4000);
    check_both(c, 190);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert_uint_eq(c->a.joined, 0);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.rtt / WZP_MS, 20);
    ck_assert_uint_eq(stats.unsent, 0);
    wzp_client_hangup(c->a.client, c->net.now);
    run(c, 500);
    ck_assert(wzp_client_push_coded(c->a.client, wzp_bytes_str("x"), c->net.now) == WZP_ERR_CLOSED);
    ck_assert_uint_eq(c->a.closed, 0);
    ck_assert_uint_lt(c->a.pushed + 20, c->b.pushed);
    end(c);
}
END_TEST

START_TEST(from_path_to_path_while_speaking) {
    call *c = begin_waiting();
    connect(c);
    dial_relay(c);
    run(c, 400);
    take_direct(c);
    run(c, 2000);
    for (int i = 0; i < 4; i++) {
        take_relay(c);
        run(c, 1990);
        take_direct(c);
        run(c, 2010);
    }
    wzp_client_drop_relay(c->a.client, c->net.now);
    wzp_client_drop_relay(c->b.client, c->net.now);
    run(c, 3000);
    check_both(c, c->a.pushed - 30);
    ck_assert_uint_gt(c->a.pushed, 1000);
    ck_assert_uint_eq(c->a.concealed + c->b.concealed, 0);
    end(c);
}
END_TEST

/* What the other side says before it turns as well is not lost with the relay. */
START_TEST(who_turns_first_hears_who_turns_later) {
    call *c = begin_waiting();
    wzp_quic_counters counters;
    connect(c);
    dial_relay(c);
    run(c, 400);
    take_relay(c);
    run(c, 1000);
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_drop_relay(c->a.client, c->net.now);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    run(c, 200);
    wzp_client_take_direct(c->b.client, c->b.direct, c->net.now);
    wzp_client_drop_relay(c->b.client, c->net.now);
    run(c, 2000);
    check_both(c, c->a.pushed - 30);
    ck_assert_uint_eq(c->a.concealed + c->b.concealed, 0);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_eq(counters.conns, 1);
    end(c);
}
END_TEST

/* A peer on a slower path, or who has not heard yet, still sends by the other one. */
START_TEST(both_paths_are_listened_to) {
    call *c = begin_waiting();
    wzp_client_stats stats;
    connect(c);
    dial_relay(c);
    run(c, 400);
    c->b.mirrors = true;
    wzp_client_take_direct(c->a.client, c->a.direct, c->net.now);
    wzp_client_take_relay(c->b.client, c->net.now);
    run(c, 3000);
    check_heard(&c->a, 140, "a");
    for (uint32_t i = 0; i < 140; i++) {
        ck_assert_uint_eq(c->b.heard[i], 1);
    }
    wzp_client_count(c->b.client, &stats);
    ck_assert_uint_gt(stats.refused.duplicate, 140);
    end(c);
}
END_TEST

/* What is sealed for the relay is in clear on the direct path, and there is no relay that is told
 * about media that do not pass it. */
START_TEST(sealed_for_the_relay_only) {
    call *c = begin((wzp_client_cfg){.waits = true, .media_crypto = WZP_MEDIA_CRYPTO_RELAY_AEAD});
    wzp_client_stats stats;
    connect(c);
    dial_relay(c);
    run(c, 400);
    take_direct(c);
    run(c, 2000);
    check_both(c, 90);
    take_relay(c);
    run(c, 1000);
    wzp_client_count(c->b.client, &stats);
    ck_assert_uint_gt(stats.cipher.forged, 40); /* the relay's key is not the peer's */
    ck_assert_uint_eq(stats.cipher.opened, 0);
    end(c);
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
    call *c = begin((wzp_client_cfg){.waits = true, .adapts = true});
    wzp_client_stats stats;
    uint8_t json[512];
    wzp_wr wr;
    wzp_wr_init(&wr, json, sizeof json);
    wzp_signal_write(&wr, &directive);
    ck_assert(wzp_wr_end(&wr) == WZP_OK);
    connect(c);
    dial_relay(c);
    run(c, 400);
    if (_i == 0) {
        take_direct(c);
    } else {
        take_relay(c);
    }
    run(c, 400);
    wzp_client_signal(c->a.client, false, wzp_bytes_of(json, wzp_wr_len(&wr)), c->net.now);
    run(c, 400);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.codec, _i == 0 ? WZP_CODEC_OPUS_24K : WZP_CODEC_OPUS_64K);
    end(c);
}
END_TEST

START_TEST(a_silent_direct_path_is_told) {
    call *c = begin_waiting();
    connect(c);
    take_direct(c);
    run(c, 1000);
    c->net.cut[c->b.host] = true;
    run(c, 3900);
    ck_assert_uint_eq(c->a.lost, 0);
    run(c, 300);
    ck_assert_uint_eq(c->a.lost, 1);
    ck_assert_uint_eq(c->b.lost, 0);
    c->net.cut[c->b.host] = false;
    run(c, 2000);
    ck_assert_uint_eq(c->a.back, 1);
    ck_assert_uint_eq(c->a.lost, 1);
    end(c);
}
END_TEST

/* --- the relay comes and goes ----------------------------------------------------------------- */

/* A dropped relay is told, and tells nothing any more. */
START_TEST(dropped_while_it_is_dialled_and_while_it_is_up) {
    call *c = begin_waiting();
    wzp_quic_counters counters;
    dial_relay(c);
    run(c, (uint64_t)_i * 5); /* up to 75 ms: the handshake takes less */
    wzp_client_drop_relay(c->a.client, c->net.now);
    const uint32_t told = c->a.joined + c->a.rooms;
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    run(c, 3000);
    ck_assert_uint_eq(c->a.joined + c->a.rooms, told);
    ck_assert_uint_eq(c->a.hangups + c->a.closed + c->a.lost, 0);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_eq(counters.conns, 0);
    wzp_client_drop_relay(c->a.client, c->net.now); /* there is none */
    ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) == WZP_OK);
    run(c, 400);
    take_relay(c);
    run(c, 3000);
    check_both(c, 100);
    end(c);
}
END_TEST

/* Here the other side plays a relay that never answers. */
START_TEST(a_dropped_relay_is_told_why) {
    call *c = begin_waiting();
    ck_assert(wzp_client_dial_relay(c->a.client, &c->b.addr, c->net.now) == WZP_OK);
    run(c, 200);
    wzp_client_drop_relay(c->a.client, c->net.now);
    run(c, 200);
    ck_assert(c->b.direct != 0);
    ck_assert_uint_eq(c->b.close.kind, WZP_QUIC_CLOSE_PEER_APP);
    ck_assert_uint_eq(c->b.close.code, 0);
    ck_assert_str_eq(c->b.close.reason, "not-selected");
    end(c);
}
END_TEST

START_TEST(nobody_answers) {
    const wzp_addr nobody = wzp_addr_v4(10, 0, 0, 9, 4433);
    call *c = begin_waiting();
    const char *why = NULL;
    ck_assert(wzp_client_dial_relay(c->a.client, &nobody, c->net.now) == WZP_OK);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DIALLING);
    ck_assert_str_eq(why, "");
    run(c, 11000);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DOWN);
    ck_assert_str_eq(why, "no answer (code 0x0)");
    ck_assert_uint_eq(c->a.closed + c->a.lost, 0);
    ck_assert(wzp_client_dial_relay(c->a.client, &(wzp_addr){0}, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    end(c);
}
END_TEST

/* The call goes on: sound is still asked for, and heard again when the relay is back. */
START_TEST(a_relay_that_is_lost_is_dialled_again) {
    call *c = begin_waiting();
    wzp_client_stats stats;
    dial_relay(c);
    take_relay(c);
    run(c, 2000);
    c->net.cut[RELAY] = c->net.deaf[RELAY] = true;
    run(c, 33000);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_DOWN && relay_of(&c->b) == relay_of(&c->a));
    ck_assert_uint_eq(c->a.lost, 1);
    ck_assert_uint_eq(c->a.closed + c->a.back, 0);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_gt(stats.unsent, 0);
    c->net.cut[RELAY] = c->net.deaf[RELAY] = false;
    dial_relay(c);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_DIALLING);
    run(c, 1000);
    const uint32_t from = c->b.pushed;
    run(c, 2000);
    ck_assert_uint_eq(c->a.joined, 2);
    ck_assert_uint_eq(c->a.back, 1);
    ck_assert_uint_gt(c->a.pushed, 1800); /* through all of it, one every 20 ms */
    ck_assert_uint_eq(c->a.wrong, 0);
    for (uint32_t i = from; i < from + 80; i++) {
        ck_assert_msg(c->a.heard[i] == 1, "frame %u", i);
    }
    end(c);
}
END_TEST

/* Until the relay is there the direct connection is used, if it works; then what is said is lost
 * for as long as that takes. */
START_TEST(to_a_relay_that_is_not_there_yet) {
    call *c = begin_waiting();
    connect(c);
    take_direct(c);
    run(c, 1000);
    take_relay(c);
    run(c, 1000);
    dial_relay(c);
    run(c, 1000);
    check_both(c, c->a.pushed - 10);
    ck_assert_uint_eq(c->a.concealed, 0);
    ck_assert(wzp_quic_is_confirmed(wzp_endpoint_quic(c->a.endpoint), c->a.direct));
    end(c);
}
END_TEST

START_TEST(a_direct_path_that_is_gone_loses_what_is_said_until_the_relay_is_there) {
    call *c = begin_waiting();
    wzp_client_stats stats;
    connect(c);
    take_direct(c);
    run(c, 1000);
    wzp_quic_close(wzp_endpoint_quic(c->a.endpoint), c->a.direct, 0, "gone", c->net.now);
    run(c, 200);
    take_relay(c);
    dial_relay(c);
    run(c, 1000);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_ge(stats.unsent, 10);
    ck_assert_uint_le(stats.unsent, 18);
    ck_assert_uint_eq(c->a.wrong + c->b.wrong, 0);
    ck_assert_uint_le(c->b.packets + stats.unsent, c->a.pushed + 1);
    ck_assert_uint_ge(c->b.packets + stats.unsent + 3, c->a.pushed); /* under way */
    ck_assert_uint_eq(c->b.last_seq - c->b.first_seq + 1, c->b.packets + stats.unsent);
    end(c);
}
END_TEST

START_TEST(a_relay_that_hangs_up_ends_nothing_else) {
    static const char json[] = "{\"Hangup\":{\"version\":1,\"reason\":\"Busy\"}}";
    call *c = begin_waiting();
    const char *why = NULL;
    connect(c);
    dial_relay(c);
    run(c, 400);
    take_direct(c);
    wzp_client_signal(c->a.client, false, wzp_bytes_str(json), c->net.now);
    ck_assert(wzp_client_relay_state(c->a.client, &why) == WZP_CLIENT_RELAY_DOWN);
    ck_assert_str_eq(why, "Busy");
    if (_i == 0) { /* else once it has gone by itself */
        ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) == WZP_OK);
    }
    run(c, 2000);
    ck_assert_uint_eq(c->a.hangups, 1);
    ck_assert_str_eq(c->a.text, "Busy");
    ck_assert_uint_eq(c->a.closed, 0);
    check_both(c, 90);
    ck_assert(_i == 0 || relay_of(&c->a) == WZP_CLIENT_RELAY_DOWN);
    ck_assert(_i == 0 || wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) == WZP_OK);
    run(c, 500);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_UP);
    ck_assert_uint_eq(c->a.joined, 2);
    end(c);
}
END_TEST

/* --- the end ---------------------------------------------------------------------------------- */

static void wait_for_relay(call *c) {
    dial_relay(c);
    run(c, 400);
}

static void speak(call *c) {
    wait_for_relay(c);
    take_relay(c);
    run(c, 400);
}

static void speak_directly(call *c) {
    wait_for_relay(c);
    connect(c);
    take_direct(c);
    run(c, 400);
}

static void lose_relay(call *c) {
    speak(c);
    c->net.cut[RELAY] = true;
    run(c, 32000);
}

static void drop(call *c) {
    speak(c);
    wzp_client_drop_relay(c->a.client, c->net.now);
}

static void hang_up(call *c) {
    speak(c);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_directly(call *c) {
    speak_directly(c);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_a_dial(call *c) {
    dial_relay(c);
    run(c, 10);
    wzp_client_hangup(c->a.client, c->net.now);
}

static void hang_up_nothing(call *c) {
    wzp_client_hangup(c->a.client, c->net.now);
}

static void linger(call *c) {
    speak(c);
    connect(c);
    take_direct(c);
    wzp_client_drop_relay(c->a.client, c->net.now);
}

static void (*const states[])(call *c) = {
    linger,         hang_up_nothing, dial_relay, wait_for_relay,   speak,         drop,
    speak_directly, lose_relay,      hang_up,    hang_up_directly, hang_up_a_dial};

/* In whatever state: nothing is asked for after it, and nothing is kept alive for nobody. */
START_TEST(it_may_be_freed_at_any_time) {
    call *c = begin_waiting();
    wzp_quic_counters counters;
    states[_i](c);
    wzp_client_free(&c->a.client);
    c->net.cut[RELAY] = false;
    run(c, 2000);
    wzp_quic_count(wzp_endpoint_quic(c->a.endpoint), &counters);
    ck_assert_uint_le(counters.conns, c->a.direct != 0 ? 1 : 0); /* is not the client's */
    end(c);
}
END_TEST

/* And so may the endpoint. */
START_TEST(it_may_lose_its_endpoint_at_any_time) {
    call *c = begin_waiting();
    wzp_client_stats stats;
    states[_i](c);
    wzp_client_detach(c->a.client);
    c->net.hosts = 0;
    wzp_endpoint_free(&c->a.endpoint);
    const wzp_core core = wzp_client_core(c->a.client);
    core.ops->tick(core.self, c->net.now);
    wzp_client_drop_relay(c->a.client, c->net.now);
    wzp_client_hangup(c->a.client, c->net.now);
    wzp_client_count(c->a.client, &stats);
    ck_assert_uint_eq(stats.rtt, 0);
    ck_assert(wzp_client_push_coded(c->a.client, wzp_bytes_str("x"), c->net.now) == WZP_ERR_CLOSED);
    end(c);
}
END_TEST

START_TEST(after_a_hangup_nothing_can_be_begun) {
    call *c = begin_waiting();
    speak(c);
    connect(c);
    const uint32_t pushed = c->a.pushed;
    wzp_client_hangup(c->a.client, c->net.now);
    ck_assert(relay_of(&c->a) == WZP_CLIENT_RELAY_NONE);
    ck_assert(wzp_client_dial_relay(c->a.client, &relay_addr, c->net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    take_direct(c);
    wzp_client_take_relay(c->a.client, c->net.now);
    run(c, 1000);
    ck_assert_uint_eq(c->a.pushed, pushed);
    ck_assert_uint_eq(c->a.closed + c->a.hangups + c->a.lost, 0);
    end(c);
}
END_TEST

START_TEST(who_waits_needs_an_endpoint) {
    wzp_client *client = NULL;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "client");
    const wzp_client_cfg cfg = {
        .rng = wzp_prng_rng(&prng), .codec = WZP_CODEC_OPUS_24K, .waits = true};
    ck_assert(wzp_client_new(&client, &cfg, WZP_S) == WZP_ERR_INVALID_ARGUMENT);
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
    tcase_add_loop_test(tc, dropped_while_it_is_dialled_and_while_it_is_up, 0, 16);
    tcase_add_test(tc, a_dropped_relay_is_told_why);
    tcase_add_test(tc, nobody_answers);
    tcase_add_test(tc, a_relay_that_is_lost_is_dialled_again);
    tcase_add_test(tc, to_a_relay_that_is_not_there_yet);
    tcase_add_test(tc, a_direct_path_that_is_gone_loses_what_is_said_until_the_relay_is_there);
    tcase_add_loop_test(tc, a_relay_that_hangs_up_ends_nothing_else, 0, 2);
    tcase_add_loop_test(tc, it_may_be_freed_at_any_time, 0, WZP_COUNT_OF(states));
    tcase_add_loop_test(tc, it_may_lose_its_endpoint_at_any_time, 0, WZP_COUNT_OF(states));
    tcase_add_test(tc, after_a_hangup_nothing_can_be_begun);
    tcase_add_test(tc, who_waits_needs_an_endpoint);
    return wzp_run_suite("links", tc);
}
