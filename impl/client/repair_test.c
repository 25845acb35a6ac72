/* Calls in Codec2 through the relay core and a network that loses packets: repair packets bring the
 * frames back. */
#include "base/testing/suite.h"
#include "client/client.h"
#include "fec/policy.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

typedef struct user {
    wzp_client *client;
    wzp_prng prng;
    size_t frame_len;
    uint32_t said, last, played, concealed, wrong, sources, repairs;
    uint64_t energy; /* of sound that was decoded */
    bool is_gone;
} user;

static void take(user *u, const wzp_client_event *ev) {
    uint32_t number = 0;
    if (ev->slot != WZP_JBUF_FRAME) {
        u->concealed += ev->slot == WZP_JBUF_CONCEAL && u->played > 0 ? 1 : 0;
        return;
    }
    u->played++;
    for (size_t i = 0; ev->pcm != NULL && i < ev->samples; i++) {
        u->energy += (uint64_t)((int64_t)ev->pcm[i] * ev->pcm[i]);
    }
    if (ev->payload.len > sizeof number) {
        memcpy(&number, ev->payload.data, sizeof number);
        u->wrong += number <= u->last || ev->payload.len != u->frame_len ? 1 : 0;
        u->last = number;
    }
}

/* Frames are numbered from 1. */
static void after_coded(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->client, now, &ev)) {
        uint8_t frame[16] = {0};
        u->is_gone = u->is_gone || ev.kind == WZP_CLIENT_HANGUP || ev.kind == WZP_CLIENT_CLOSED;
        if (ev.kind == WZP_CLIENT_PLAY) {
            take(u, &ev);
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            u->said++;
            memcpy(frame, &u->said, sizeof u->said);
            ck_assert_int_eq(
                wzp_client_push_coded(u->client, wzp_bytes_of(frame, u->frame_len), now), WZP_OK);
        }
    }
}

static void after_sound(void *ctx, wzp_time now) {
    user *u = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(u->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_PLAY) {
            take(u, &ev);
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            static int16_t pcm[WZP_AUDIO_SENT_MAX];
            for (size_t i = 0; i < ev.samples; i++) {
                pcm[i] = (int16_t)((i / 120 % 2 == 0 ? 1 : -1) * 6000); /* 200 Hz */
            }
            ck_assert_int_eq(wzp_client_push(u->client, pcm, ev.samples, now), WZP_OK);
        }
    }
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    user *u = ctx;
    (void)now;
    const bool is_repair = (packet->hdr.flags & WZP_MEDIA_REPAIR) != 0;
    u->repairs += is_repair ? 1 : 0;
    u->sources += is_repair ? 0 : 1;
}

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

typedef struct call {
    pair_net net;
    wzp_prng prng;
    wzp_relay *relay;
    user says, hears;
} call;

static void start(call *c, user *u, uint64_t seed, uint8_t codec, bool coded) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, (uint8_t)(10 + seed), 5000);
    const wzp_fec_policy *policy = wzp_fec_policy_of(codec);
    wzp_prng_init(&u->prng, seed, "client");
    u->frame_len = policy->frame_len;
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&u->prng),
                                .seed = {(uint8_t)seed},
                                .room = "room",
                                .codec = codec,
                                .listen_only = u == &c->hears,
                                .coded = coded,
                                .arrival = on_arrival,
                                .arrival_ctx = u,
                                .path = {addr, relay_addr}};
    ck_assert_int_eq(wzp_client_new(&u->client, &cfg, c->net.now), WZP_OK);
    pair_add(&c->net, wzp_client_core(u->client), addr, coded ? after_coded : after_sound, u);
}

static call *run_call(uint8_t codec, bool coded, uint32_t loss_ppm, uint64_t seconds) {
    static call c;
    memset(&c, 0, sizeof c);
    pair_init(&c.net, 4);
    wzp_prng_init(&c.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&c.prng)};
    ck_assert_int_eq(wzp_relay_new(&c.relay, &cfg, c.net.now), WZP_OK);
    pair_add(&c.net, wzp_relay_core(c.relay), relay_addr, NULL, NULL);
    start(&c, &c.hears, 2, codec, coded);
    start(&c, &c.says, 1, codec, coded);
    pair_run(&c.net, c.net.now + WZP_S);
    c.net.loss_ppm = loss_ppm;
    pair_run(&c.net, c.net.now + seconds * WZP_S);
    return &c;
}

static void end(call *c) {
    wzp_client_free(&c->says.client);
    wzp_client_free(&c->hears.client);
    wzp_relay_free(&c->relay);
    pair_clear(&c->net);
}

static const struct loss_case {
    uint8_t codec;
    uint32_t loss_ppm;     /* of each of the two links */
    unsigned most_percent; /* concealed of what was lost */
} loss_cases[] = {{WZP_CODEC_CODEC2_3200, 0, 0},
                  {WZP_CODEC_CODEC2_3200, 30000, 25},
                  {WZP_CODEC_CODEC2_1200, 0, 0},
                  {WZP_CODEC_CODEC2_1200, 30000, 30},
                  {WZP_CODEC_CODEC2_1200, 100000, 30}};

START_TEST(lost_frames_come_back) {
    const struct loss_case *k = &loss_cases[_i];
    const wzp_fec_policy *policy = wzp_fec_policy_of(k->codec);
    call *c = run_call(k->codec, true, k->loss_ppm, 60);
    const user *u = &c->hears;
    wzp_client_stats stats;
    wzp_client_count(u->client, &stats);
    const uint32_t lost = c->says.said - u->sources;
    ck_assert(!c->says.is_gone && !u->is_gone);
    ck_assert_uint_eq(u->wrong, 0);
    ck_assert_uint_ge(c->says.said, 60000U / policy->frame_ms);
    ck_assert(k->loss_ppm > 0 || stats.recovered == 0);
    ck_assert(k->loss_ppm == 0 || u->repairs > 0);
    ck_assert_msg(k->loss_ppm == 0 || stats.recovered * 10 > lost * UINT64_C(8),
                  "%llu of %u are recovered", (unsigned long long)stats.recovered, lost);
    ck_assert_msg(u->concealed * 100 <= lost * k->most_percent,
                  "codec %u: %u lost, %llu recovered, %u concealed", k->codec, lost,
                  (unsigned long long)stats.recovered, u->concealed);
    end(c);
}
END_TEST

START_TEST(sound_in_codec2) {
    const uint8_t codec = _i == 0 ? WZP_CODEC_CODEC2_3200 : WZP_CODEC_CODEC2_1200;
    if (!wzp_audio_is_codec(codec)) {
        return;
    }
    call *c = run_call(codec, false, 20000, 10);
    ck_assert_uint_gt(c->hears.played, 9000U / wzp_codec_find(codec)->frame_ms);
    ck_assert_uint_gt(c->hears.energy / c->hears.played, UINT64_C(100) * 100 * 960);
    end(c);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("repair");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, lost_frames_come_back, 0, WZP_COUNT_OF(loss_cases));
    tcase_add_loop_test(tc, sound_in_codec2, 0, 2);
    return wzp_run_suite("repair", tc);
}
