/* Two clients call each other through the relay core, all in memory; what one says must be what the
 * other hears, not merely some bytes. */
#include <math.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "client/client.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { SECONDS = 6, TOTAL = SECONDS * 48000 };

typedef struct user {
    wzp_client *client;
    wzp_prng prng;
    int16_t *said, *heard;
    size_t said_len, heard_len;
    bool joined;
    uint32_t members, tracks;
    char hangup[64];
} user;

/* Speech-like: a gliding tone under a syllable-like envelope. */
static int16_t sample_of(uint64_t seed, size_t n) {
    const double t = (double)n / 48000.0;
    const double pitch = 180.0 + 40.0 * (double)seed + 60.0 * sin(t * (1.1 + 0.3 * (double)seed));
    const double envelope = 0.25 + 0.75 * fabs(sin(t * (4.0 + (double)seed)));
    return (int16_t)(9000.0 * envelope *
                     (sin(t * pitch * 6.2831853) + 0.4 * sin(t * pitch * 12.566) +
                      0.2 * sin(t * pitch * 18.85)));
}

static void after(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_JOINED) {
            u->joined = true;
        } else if (ev.kind == WZP_CLIENT_ROOM) {
            u->members = ev.count;
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            strncpy(u->hangup, ev.text, sizeof u->hangup - 1);
        } else if (ev.kind == WZP_CLIENT_PLAY) {
            const size_t at = ev.at_sample;
            u->tracks = ev.track > u->tracks ? ev.track : u->tracks;
            for (size_t i = 0; i < ev.samples && at + i < TOTAL && ev.track == 1; i++) {
                u->heard[at + i] = ev.pcm[i];
                u->heard_len = at + i + 1;
            }
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            static const int16_t silence[1920];
            const bool over = u->said_len + ev.samples > TOTAL;
            const wzp_err err =
                wzp_client_push(u->client, over ? silence : u->said + u->said_len, ev.samples, now);
            ck_assert(err == WZP_OK);
            u->said_len += over ? 0 : ev.samples;
        }
    }
}

/* The best normalised correlation over lags up to 200 ms. */
static double correlation(const int16_t *a, const int16_t *b, size_t len) {
    double best = 0;
    for (size_t lag = 0; lag < 9600; lag += 4) {
        double ab = 0;
        double aa = 1;
        double bb = 1;
        for (size_t i = 48000; i + lag < len; i += 7) {
            ab += (double)a[i] * b[i + lag];
            aa += (double)a[i] * a[i];
            bb += (double)b[i + lag] * b[i + lag];
        }
        const double r = ab / sqrt(aa * bb);
        best = r > best ? r : best;
    }
    return best;
}

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

static void start(pair_net *net, user *u, uint64_t seed, const char *room) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + seed), 5000);
    wzp_prng_init(&u->prng, seed, "client");
    u->said = calloc(TOTAL, sizeof *u->said);
    u->heard = calloc(TOTAL, sizeof *u->heard);
    for (size_t i = 0; i < TOTAL; i++) {
        u->said[i] = sample_of(seed, i);
    }
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&u->prng),
                                .seed = {(uint8_t)seed},
                                .room = room,
                                .alias = "tester",
                                .codec = WZP_CODEC_OPUS_24K,
                                .path = {addr, relay_addr}};
    ck_assert(wzp_client_new(&u->client, &cfg, net->now) == WZP_OK);
    pair_add(net, wzp_client_core(u->client), addr, after, u);
}

static void stop(user *u) {
    wzp_client_free(&u->client);
    free(u->said);
    free(u->heard);
}

static wzp_relay *start_relay(pair_net *net, wzp_prng *prng) {
    wzp_relay *relay = NULL;
    wzp_prng_init(prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(prng), .enforce = WZP_ENFORCE_ON};
    ck_assert(wzp_relay_new(&relay, &cfg, net->now) == WZP_OK);
    pair_add(net, wzp_relay_core(relay), relay_addr, NULL, NULL);
    return relay;
}

START_TEST(what_is_said_is_heard) {
    static pair_net net;
    static user a;
    static user b;
    wzp_prng prng;
    wzp_client_stats stats;
    pair_init(&net, 1);
    a = b = (user){0};
    wzp_relay *relay = start_relay(&net, &prng);
    start(&net, &a, 1, "room");
    start(&net, &b, 2, "room");
    pair_run(&net, net.now + WZP_S); /* who joins late has missed the beginning */
    net.loss_ppm = _i == 0 ? 0 : 20000;
    pair_run(&net, net.now + (SECONDS + 1) * WZP_S);
    ck_assert(a.joined && b.joined);
    ck_assert_uint_eq(a.members, 2);
    ck_assert_str_eq(a.hangup, "");
    ck_assert_uint_eq(a.tracks, 1);
    const double floor = _i == 0 ? 0.65 : 0.6; /* another voice stays below 0.5 */
    ck_assert_msg(correlation(a.said, b.heard, TOTAL) > floor, "a to b: %f",
                  correlation(a.said, b.heard, TOTAL));
    ck_assert_msg(correlation(b.said, a.heard, TOTAL) > floor, "b to a: %f",
                  correlation(b.said, a.heard, TOTAL));
    /* The measure can tell two voices apart. */
    ck_assert(correlation(a.said, a.heard, TOTAL) < 0.5);
    wzp_client_count(a.client, &stats);
    ck_assert_uint_gt(stats.received, (uintmax_t)SECONDS * 40);
    ck_assert(_i == 0 ? stats.lost == 0 : stats.lost > 0);
    ck_assert(_i == 0 ? stats.recovered == 0 : stats.recovered > stats.concealed);
    ck_assert(stats.rtt_ms > 15 && stats.rtt_ms < 60);
    wzp_client_hangup(a.client, net.now);
    pair_run(&net, net.now + WZP_S);
    ck_assert_uint_eq(b.members, 1);
    stop(&a);
    stop(&b);
    wzp_relay_free(&relay);
    pair_clear(&net);
}
END_TEST

START_TEST(three_in_a_room_are_two_tracks_each) {
    static pair_net net;
    static user users[3];
    wzp_prng prng;
    pair_init(&net, 5);
    wzp_relay *relay = start_relay(&net, &prng);
    for (uint64_t i = 0; i < 3; i++) {
        users[i] = (user){0};
        start(&net, &users[i], i + 1, "trio");
    }
    pair_run(&net, net.now + 4 * WZP_S);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(users[i].members, 3);
        ck_assert_uint_eq(users[i].tracks, 2);
        stop(&users[i]);
    }
    wzp_relay_free(&relay);
    pair_clear(&net);
}
END_TEST

START_TEST(nobody_there) {
    static pair_net net;
    static user a;
    a = (user){0};
    pair_init(&net, 2);
    start(&net, &a, 1, "room");
    pair_run(&net, net.now + 15 * WZP_S);
    ck_assert(!a.joined);
    stop(&a);
    pair_clear(&net);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, what_is_said_is_heard, 0, 2);
    tcase_add_test(tc, three_in_a_room_are_two_tracks_each);
    tcase_add_test(tc, nobody_there);
    return wzp_run_suite("client", tc);
}
