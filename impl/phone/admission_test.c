/* A relay that asks for tokens, networks that turn streams around, and certificates that are and
 * are not the pinned one; all in memory. */
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "client/admission.h"
#include "client/client.h"
#include "phone/phone.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

typedef struct scene {
    pair_net net;
    wzp_relay *relay;
    wzp_client *client;
    wzp_phone *phone;
    wzp_prng prng, relay_prng;
    unsigned asked;
    char token[64], hangup[80], closed[80];
    bool joined, registered;
} scene;

/* The service takes what is called "good". */
static void check_tokens(void *ctx, wzp_time now) {
    scene *s = ctx;
    wzp_relay_auth question;
    while (wzp_relay_next_auth(s->relay, &question)) {
        s->asked++;
        (void)snprintf(s->token, sizeof s->token, "%.*s", (int)question.token.len,
                       (const char *)question.token.data);
        wzp_relay_auth_result(s->relay, question.id,
                              strcmp(s->token, "good") == 0 ? WZP_AUTH_ACCEPTED : WZP_AUTH_REFUSED,
                              "somebody", now);
    }
}

static void after(void *ctx, wzp_time now) {
    scene *s = ctx;
    wzp_client_event ev;
    static const int16_t silence[1920];
    while (wzp_client_next_event(s->client, now, &ev)) {
        s->joined = s->joined || ev.kind == WZP_CLIENT_ROOM;
        if (ev.kind == WZP_CLIENT_HANGUP) {
            (void)snprintf(s->hangup, sizeof s->hangup, "%s", ev.text);
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            ck_assert(wzp_client_push(s->client, silence, ev.samples, now) == WZP_OK);
        }
    }
}

static void after_phone(void *ctx, wzp_time now) {
    scene *s = ctx;
    wzp_phone_event ev;
    (void)now;
    while (wzp_phone_next_event(s->phone, &ev)) {
        s->registered = s->registered || ev.kind == WZP_PHONE_REGISTERED;
        if (ev.kind == WZP_PHONE_CLOSED) {
            (void)snprintf(s->closed, sizeof s->closed, "%s", ev.text);
        }
    }
}

static void open_scene(scene *s, uint64_t seed, bool auth) {
    *s = (scene){0};
    pair_init(&s->net, seed);
    wzp_prng_init(&s->relay_prng, seed, "relay");
    wzp_prng_init(&s->prng, seed, "client");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&s->relay_prng), .seed = {7}, .auth = auth};
    ck_assert(wzp_relay_new(&s->relay, &cfg, s->net.now) == WZP_OK);
    pair_add(&s->net, wzp_relay_core(s->relay), relay_addr, check_tokens, s);
}

static void come(scene *s, const char *token, const uint8_t *pin) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, 11, 5000);
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                                .seed = {1},
                                .codec = WZP_CODEC_OPUS_24K,
                                .token = token,
                                .pin = pin,
                                .path = {addr, relay_addr}};
    ck_assert(wzp_client_new(&s->client, &cfg, s->net.now) == WZP_OK);
    pair_add(&s->net, wzp_client_core(s->client), addr, after, s);
}

static void ring(scene *s, const char *token, const uint8_t *pin) {
    const wzp_addr addr = wzp_addr_v4(10, 0, 0, 12, 5000);
    const wzp_phone_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                               .seed = {2},
                               .token = token,
                               .pin = pin,
                               .path = {addr, relay_addr}};
    ck_assert(wzp_phone_new(&s->phone, &cfg, s->net.now) == WZP_OK);
    pair_add(&s->net, wzp_phone_core(s->phone), addr, after_phone, s);
}

static void close_scene(scene *s) {
    wzp_client_free(&s->client);
    wzp_phone_free(&s->phone);
    wzp_relay_free(&s->relay);
    pair_clear(&s->net);
}

/* Every fifth packet is lost: an offer that did not wait for the token would often come first, and
 * be refused. */
START_TEST(token_comes_first) {
    static scene s;
    open_scene(&s, (uint64_t)_i + 1, true);
    s.net.loss_ppm = 200000;
    come(&s, "good", NULL);
    ring(&s, "good", NULL);
    pair_run(&s.net, s.net.now + 8 * WZP_S);
    ck_assert_msg(s.joined && s.registered, "seed %d: joined %d, registered %d, %s, %s", _i + 1,
                  s.joined, s.registered, s.hangup, s.closed);
    ck_assert_uint_eq(s.asked, 2);
    ck_assert_str_eq(s.token, "good");
    close_scene(&s);
}
END_TEST

START_TEST(token_is_refused) {
    static scene s;
    open_scene(&s, 1, true);
    come(&s, _i == 0 ? "bad" : NULL, NULL);
    ring(&s, _i == 0 ? "bad" : NULL, NULL);
    pair_run(&s.net, s.net.now + 4 * WZP_S);
    ck_assert(!s.joined && !s.registered);
    ck_assert_uint_eq(s.asked, _i == 0 ? 2 : 0);
    close_scene(&s);
}
END_TEST

static void certificate(uint8_t out[WZP_SHA256_LEN], const wzp_relay *relay) {
    const char *text = wzp_relay_tls_fingerprint(relay);
    for (size_t i = 0; i < WZP_SHA256_LEN; i++) {
        out[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
    }
}

/* The token is not told to a stranger. */
START_TEST(pin) {
    static scene s;
    uint8_t pin_of_relay[WZP_SHA256_LEN];
    open_scene(&s, 1, true);
    certificate(pin_of_relay, s.relay);
    pin_of_relay[31] ^= _i == 0 ? 0 : 1;
    come(&s, "good", pin_of_relay);
    ring(&s, "good", pin_of_relay);
    pair_run(&s.net, s.net.now + 4 * WZP_S);
    ck_assert_uint_eq(s.asked, _i == 0 ? 2 : 0);
    ck_assert(s.joined == (_i == 0) && s.registered == (_i == 0));
    if (_i == 1) {
        ck_assert_str_eq(s.hangup, "the relay shows another certificate than the pinned one");
        ck_assert_str_eq(s.closed, "the relay shows another certificate than the pinned one");
    }
    close_scene(&s);
}
END_TEST

START_TEST(bad_tokens) {
    static char text[WZP_ADMISSION_TOKEN_MAX + 2];
    static wzp_admission a;
    ck_assert(wzp_admission_init(&a, "", NULL) == WZP_ERR_INVALID_ARGUMENT);
    memset(text, 'x', WZP_ADMISSION_TOKEN_MAX);
    ck_assert(wzp_admission_init(&a, text, NULL) == WZP_OK);
    text[WZP_ADMISSION_TOKEN_MAX] = 'x';
    ck_assert(wzp_admission_init(&a, text, NULL) == WZP_ERR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, token_comes_first, 0, 12);
    tcase_add_loop_test(tc, token_is_refused, 0, 2);
    tcase_add_loop_test(tc, pin, 0, 2);
    tcase_add_test(tc, bad_tokens);
    return wzp_run_suite("admission", tc);
}
