/* Coded mode: what one client pushes is what the other one plays, byte for byte, and what is
 * missing is said to be missing. */
#include "base/testing/suite.h"
#include "client/client.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { FRAMES = 400 };

typedef struct user {
    wzp_client *client;
    wzp_prng prng;
    uint32_t pushed, talk, silence; /* frames */
    bool heard[FRAMES];
    uint32_t played, concealed, paused_ms, arrivals, wrong, stray_pcm, hangups, lost, back;
    uint64_t next_at_ms;
} user;

static size_t frame_of(uint32_t number, uint8_t out[60]) {
    memset(out, (int)(number % 251), 60);
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
    return 60;
}

static void on_play(user *u, const wzp_client_event *ev) {
    uint8_t want[60];
    u->wrong += ev->at_ms != u->next_at_ms ? 1 : 0;
    u->next_at_ms = ev->at_ms + ev->samples / 48;
    u->stray_pcm += ev->pcm != NULL ? 1 : 0;
    switch (ev->slot) {
    case WZP_JBUF_FRAME: {
        const uint32_t number = (uint32_t)ev->payload.data[0] << 8 | ev->payload.data[1];
        const size_t len = frame_of(number, want);
        u->played++;
        u->wrong += !wzp_bytes_equal(ev->payload, wzp_bytes_of(want, len)) ? 1 : 0;
        if (number < FRAMES) {
            u->heard[number] = true;
        }
        break;
    }
    case WZP_JBUF_CONCEAL:
        u->concealed++;
        u->wrong += ev->payload.len != 0 ? 1 : 0;
        break;
    case WZP_JBUF_PAUSE:
        u->paused_ms += (uint32_t)(ev->samples / 48);
        break;
    }
}

static void on_capture(user *u, wzp_time now) {
    uint8_t frame[60];
    const uint32_t number = u->pushed++;
    const bool silent = number % (u->talk + u->silence) >= u->talk;
    const size_t len = number < FRAMES && !silent ? frame_of(number, frame) : 0;
    ck_assert(wzp_client_push_coded(u->client, wzp_bytes_of(frame, len), now) == WZP_OK);
}

static void after(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_PLAY) {
            on_play(u, &ev);
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            ck_assert_uint_eq(ev.samples, 960);
            on_capture(u, now);
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            u->hangups++;
        } else if (ev.kind == WZP_CLIENT_LOST) {
            u->lost++;
        } else if (ev.kind == WZP_CLIENT_BACK) {
            u->back++;
        }
    }
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    user *u = ctx;
    u->arrivals += packet->payload.len == 60 && now > 0 ? 1 : 0;
}

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

static void start(pair_net *net, user *u, uint64_t seed, bool listen_only) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + seed), 5000);
    wzp_prng_init(&u->prng, seed, "client");
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&u->prng),
                                .seed = {(uint8_t)seed},
                                .room = "room",
                                .codec = WZP_CODEC_OPUS_24K,
                                .listen_only = listen_only,
                                .coded = true,
                                .arrival = on_arrival,
                                .arrival_ctx = u,
                                .path = {addr, relay_addr}};
    ck_assert(wzp_client_new(&u->client, &cfg, net->now) == WZP_OK);
    pair_add(net, wzp_client_core(u->client), addr, after, u);
}

typedef struct call {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
    user says, hears;
} call;

enum { RELAY = 0, SAYS = 2 }; /* numbers in the network */

static void begin_call(call *c, uint32_t talk, uint32_t silence) {
    memset(c, 0, sizeof *c);
    pair_init(&c->net, 4);
    wzp_prng_init(&c->prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&c->prng), .enforce = WZP_ENFORCE_ON};
    ck_assert(wzp_relay_new(&c->relay, &cfg, c->net.now) == WZP_OK);
    pair_add(&c->net, wzp_relay_core(c->relay), relay_addr, NULL, NULL);
    c->says.talk = talk;
    c->says.silence = silence;
    start(&c->net, &c->hears, 2, true);
    pair_run(&c->net, c->net.now + WZP_S);
    start(&c->net, &c->says, 1, false);
    pair_run(&c->net, c->net.now + WZP_S / 2);
}

static void run_call(call *c, uint32_t talk, uint32_t silence, uint32_t loss_ppm) {
    begin_call(c, talk, silence);
    c->net.loss_ppm = loss_ppm;
    pair_run(&c->net, c->net.now + 10 * WZP_S);
}

static void end_call(call *c) {
    wzp_client_free(&c->says.client);
    wzp_client_free(&c->hears.client);
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
}

static uint32_t count_heard(const call *c) {
    uint32_t count = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        count += c->hears.heard[i] ? 1 : 0;
    }
    return count;
}

START_TEST(all_frames_come_as_they_were) {
    static call c;
    wzp_client_stats stats;
    run_call(&c, 1, 0, 0);
    ck_assert_uint_eq(count_heard(&c), FRAMES);
    ck_assert_uint_eq(c.hears.played, FRAMES);
    ck_assert_uint_eq(c.hears.arrivals, FRAMES);
    ck_assert_uint_eq(c.hears.wrong, 0);
    ck_assert_uint_eq(c.hears.stray_pcm, 0);
    ck_assert_uint_eq(c.hears.concealed, WZP_JBUF_IDLE_FRAMES); /* after the last one */
    ck_assert_uint_eq(c.says.played, 0);
    wzp_client_count(c.says.client, &stats);
    ck_assert_uint_eq(stats.sent, FRAMES);
    ck_assert_uint_ge(stats.rtt, 20 * WZP_MS);
    end_call(&c);
}
END_TEST

START_TEST(lost_frames_are_concealed) {
    static call c;
    run_call(&c, 1, 0, 50000);
    const uint32_t lost = FRAMES - count_heard(&c);
    ck_assert_uint_ge(lost, FRAMES / 20); /* two links */
    /* And those after the last one, and some by which the jitter buffer gets deeper. */
    ck_assert_uint_le(c.hears.concealed, lost + WZP_JBUF_IDLE_FRAMES + 3);
    ck_assert_uint_ge(c.hears.concealed, lost);
    ck_assert_uint_eq(c.hears.wrong, 0);
    wzp_client_stats stats;
    wzp_client_count(c.hears.client, &stats);
    ck_assert_uint_eq(stats.played, c.hears.played);
    end_call(&c);
}
END_TEST

/* What could not leave in a hole of the way up must not arrive at once after it: the relay would
 * see a sender over its rate, and a listener sound that is long past. */
START_TEST(a_hole_in_the_way_up_is_no_abuse) {
    static call c;
    wzp_client_stats stats;
    begin_call(&c, 1, 0);
    pair_run(&c.net, c.net.now + WZP_S);
    c.net.cut[SAYS] = true;
    pair_run(&c.net, c.net.now + 5 * WZP_S);
    c.net.cut[SAYS] = false;
    pair_run(&c.net, c.net.now + 3 * WZP_S);
    ck_assert_uint_eq(c.says.hangups, 0);
    ck_assert(c.hears.heard[FRAMES - 1]);
    ck_assert_uint_ge(count_heard(&c), FRAMES - 250 - 15);
    ck_assert_uint_le(count_heard(&c), FRAMES - 250);
    wzp_client_count(c.says.client, &stats);
    ck_assert_uint_gt(stats.expired, 100);
    end_call(&c);
}
END_TEST

/* Signals have streams of their own: where packets are lost, the room's list overtakes the answer.
 */
START_TEST(whoever_joins_with_losses_speaks) {
    static call c;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        memset(&c, 0, sizeof c);
        pair_init(&c.net, seed);
        c.net.loss_ppm = 300000;
        wzp_prng_init(&c.prng, seed, "relay");
        const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&c.prng)};
        ck_assert(wzp_relay_new(&c.relay, &cfg, c.net.now) == WZP_OK);
        pair_add(&c.net, wzp_relay_core(c.relay), relay_addr, NULL, NULL);
        c.says.talk = 1;
        start(&c.net, &c.says, 1, false);
        pair_run(&c.net, c.net.now + 3 * WZP_S);
        c.net.loss_ppm = 0;
        pair_run(&c.net, c.net.now + 4 * WZP_S);
        ck_assert_msg(c.says.pushed > 0, "seed %d", (int)seed);
        wzp_client_free(&c.says.client);
        wzp_relay_free(&c.relay);
        pair_clear(&c.net);
    }
}
END_TEST

static const struct patience_case {
    const char *name;
    uint64_t silence; /* of the relay, 30 s of a quiet call later */
    uint32_t lost, back;
} patience_cases[] = {
    {"a quiet call is not lost", 0, 0, 0},
    {"3 s are too short to be told", 3 * WZP_S, 0, 0},
    {"lost after 4 s, and back", 7 * WZP_S, 1, 1},
    {"lost, then closed", 40 * WZP_S, 1, 0},
};

START_TEST(a_lost_relay_is_noticed) {
    static call c;
    const struct patience_case *t = &patience_cases[_i];
    begin_call(&c, 1, 0);
    pair_run(&c.net, c.net.now + 40 * WZP_S); /* it says nothing after FRAMES */
    c.net.cut[RELAY] = t->silence != 0;
    pair_run(&c.net, c.net.now + t->silence);
    c.net.cut[RELAY] = false;
    pair_run(&c.net, c.net.now + 5 * WZP_S);
    ck_assert_msg(c.says.lost == t->lost && c.says.back == t->back, "%s: %u, %u", t->name,
                  c.says.lost, c.says.back);
    ck_assert_msg(c.hears.lost == t->lost && c.hears.back == t->back, "%s: %u, %u", t->name,
                  c.hears.lost, c.hears.back);
    end_call(&c);
}
END_TEST

START_TEST(silence_is_a_pause_and_not_loss) {
    static call c;
    run_call(&c, 5, 5, 0);
    ck_assert_uint_eq(count_heard(&c), FRAMES / 2);
    /* Nothing says that nothing comes: a pause begins as concealment, and is one only when the next
     * frame is there before its time. */
    ck_assert_uint_eq(c.hears.played, FRAMES / 2);
    ck_assert_uint_eq(c.hears.wrong, 0);
    ck_assert_uint_eq(c.says.pushed > FRAMES, true);
    end_call(&c);
}
END_TEST

START_TEST(each_mode_takes_its_own_frames) {
    static call c;
    static const int16_t pcm[960];
    static const uint8_t bytes[WZP_OPUS_PACKET_MAX + 1];
    run_call(&c, 1, 0, 0);
    wzp_client *client = c.says.client;
    ck_assert(wzp_client_push(client, pcm, 960, c.net.now) == WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_client_push_coded(client, wzp_bytes_of(bytes, sizeof bytes), c.net.now) ==
              WZP_ERR_INVALID_ARGUMENT);
    ck_assert(wzp_client_push_coded(client, wzp_bytes_of(bytes, sizeof bytes - 1), c.net.now) ==
              WZP_OK);
    wzp_client_hangup(client, c.net.now);
    pair_run(&c.net, c.net.now + WZP_S);
    ck_assert(wzp_client_push_coded(client, wzp_bytes_of(bytes, 1), c.net.now) == WZP_ERR_CLOSED);
    end_call(&c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, all_frames_come_as_they_were);
    tcase_add_test(tc, lost_frames_are_concealed);
    tcase_add_test(tc, a_hole_in_the_way_up_is_no_abuse);
    tcase_add_test(tc, whoever_joins_with_losses_speaks);
    tcase_add_loop_test(tc, a_lost_relay_is_noticed, 0, WZP_COUNT_OF(patience_cases));
    tcase_add_test(tc, silence_is_a_pause_and_not_loss);
    tcase_add_test(tc, each_mode_takes_its_own_frames);
    return wzp_run_suite("coded", tc);
}
