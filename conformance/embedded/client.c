#include "conformance/embedded/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"
#include "conformance/embedded/check.h"
#include "conformance/embedded/phone.h"
#include "conformance/embedded/phrase.h"

struct wzp_ct_subject {
    const wzp_ct_embedded_client_cfg *cfg;
    wzp_client *client;  /* NULL until it has an address */
    wzp_ct_phone *phone; /* the same; it takes calls instead of joining a room */
    wzp_ct_check *check; /* or it looks at its network */
    wzp_prng prng;
    bool quiet;
    uint32_t spoken; /* frames */
    uint64_t unsent; /* of these, those that found no way out */
    char hangup[96];
};

/* --- the user --------------------------------------------------------------------------------- */

static void speak(wzp_ct_subject *s, const wzp_client_event *asked, wzp_time now) {
    static const int16_t silence[WZP_AUDIO_SENT_MAX];
    const wzp_bytes frame = wzp_ct_phrase(asked->codec, s->spoken++);
    const wzp_err err = s->quiet ? wzp_client_push(s->client, silence, asked->samples, now)
                                 : wzp_client_push_coded(s->client, frame, now);
    s->unsent += err != WZP_OK ? 1 : 0;
}

static void drain(wzp_ct_subject *s, wzp_time now) {
    wzp_client_event ev;
    while (s->client != NULL && wzp_client_next_event(s->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE) {
            speak(s, &ev, now);
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            (void)snprintf(s->hangup, sizeof s->hangup, "%s", ev.text);
        }
    }
}

/* --- its core, which has an address before there is a client ---------------------------------- */

static wzp_core core_of(const wzp_ct_subject *s) {
    return s->phone != NULL    ? wzp_ct_phone_core(s->phone)
           : s->check != NULL  ? wzp_ct_check_core(s->check)
           : s->client != NULL ? wzp_client_core(s->client)
                               : (wzp_core){NULL, NULL};
}

static void core_recv(void *self, const wzp_quic_path *path, uint8_t ecn, wzp_bytes payload,
                      wzp_time now) {
    wzp_ct_subject *s = self;
    const wzp_core core = core_of(s);
    if (core.self != NULL) {
        core.ops->recv(core.self, path, ecn, payload, now);
        drain(s, now);
    }
}

static void core_tick(void *self, wzp_time now) {
    wzp_ct_subject *s = self;
    const wzp_core core = core_of(s);
    if (core.self != NULL) {
        core.ops->tick(core.self, now);
        drain(s, now);
    }
}

static wzp_time core_deadline(const void *self) {
    const wzp_ct_subject *s = self;
    const wzp_core core = core_of(s);
    return core.self != NULL ? core.ops->deadline(core.self) : WZP_TIME_NEVER;
}

static size_t core_next_packet(void *self, wzp_time now, uint8_t *buf, size_t cap,
                               wzp_quic_meta *meta) {
    wzp_ct_subject *s = self;
    const wzp_core core = core_of(s);
    return core.self != NULL ? core.ops->next_packet(core.self, now, buf, cap, meta) : 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static uint8_t codec_of(const char *quality) {
    return strcmp(quality, "codec2-3200") == 0    ? WZP_CODEC_CODEC2_3200
           : strcmp(quality, "catastrophic") == 0 ? WZP_CODEC_CODEC2_1200
           : strcmp(quality, "degraded") == 0     ? WZP_CODEC_OPUS_6K
                                                  : WZP_CODEC_OPUS_24K;
}

static bool dial(wzp_ct_subject *s, const wzp_ct_invitation *to, const wzp_addr *local) {
    const wzp_rng rng = wzp_prng_rng(&s->prng);
    const wzp_ct_world *world = s->cfg->world;
    if (to->mode == WZP_CT_LISTENS || to->mode == WZP_CT_CALLS) {
        s->phone = wzp_ct_phone_new(to, local, s->cfg->virtual_time ? rng : s->cfg->rng,
                                    s->cfg->virtual_time, world->ops->now(world));
        if (s->phone != NULL && s->cfg->virtual_time && to->gateway.family != WZP_ADDR_NONE) {
            wzp_ct_phone_allow_upnp(s->phone, s->cfg->world);
        }
        return s->phone != NULL;
    }
    if (to->mode == WZP_CT_CHECKS) {
        s->check = wzp_ct_check_new(to, local, s->cfg->virtual_time ? rng : s->cfg->rng,
                                    s->cfg->virtual_time, world->ops->now(world));
        return s->check != NULL;
    }
    wzp_client_cfg cfg = {.rng = s->cfg->virtual_time ? rng : s->cfg->rng,
                          .room = to->room,
                          .alias = "client",
                          .codec = codec_of(to->quality),
                          .adapts = strcmp(to->quality, "auto") == 0,
                          .coded = !to->quiet && !to->hears,
                          .suppress_silence = to->quiet,
                          .listen_only = to->hears,
                          .coded_codec2 = true,
                          .media_crypto =
                              to->sealed ? WZP_MEDIA_CRYPTO_RELAY_AEAD : WZP_MEDIA_CRYPTO_CLEAR,
                          .path = {*local, to->addr},
                          .deterministic = s->cfg->virtual_time};
    wzp_rng_fill(cfg.rng, cfg.seed, sizeof cfg.seed);
    return wzp_client_new(&s->client, &cfg, world->ops->now(world)) == WZP_OK;
}

static void end(void *ctx, wzp_ct_subject *s) {
    const wzp_ct_embedded_client_cfg *cfg = ctx;
    cfg->world->ops->remove(cfg->world, s);
    wzp_client_free(&s->client);
    wzp_ct_phone_free(&s->phone);
    wzp_ct_check_free(&s->check, cfg->world->ops->now(cfg->world));
    free(s);
}

static wzp_ct_subject *start(void *ctx, const wzp_ct_invitation *to) {
    static const wzp_core_ops ops = {core_recv, core_tick, core_deadline, core_next_packet};
    const wzp_ct_embedded_client_cfg *cfg = ctx;
    wzp_addr local = {0};
    wzp_ct_subject *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->cfg = cfg;
    s->quiet = to->quiet;
    wzp_prng_init(&s->prng, wzp_rng_u64(cfg->rng), "client under test");
    if (!cfg->world->ops->add(cfg->world, (wzp_core){s, &ops}, &to->addr, &local, 1)) {
        free(s);
        return NULL;
    }
    if (!dial(s, to, &local)) {
        end(ctx, s);
        return NULL;
    }
    return s;
}

static void listen(void *ctx, wzp_ct_subject *s, wzp_ct_sayings *out) {
    wzp_client_stats stats;
    (void)ctx;
    if (s->phone != NULL || s->check != NULL) {
        *out = (wzp_ct_sayings){.speaks = false};
        return;
    }
    wzp_client_count(s->client, &stats);
    *out = (wzp_ct_sayings){.speaks = true,
                            .opened = stats.cipher.opened,
                            .forged = stats.cipher.forged,
                            .replayed = stats.cipher.replayed,
                            .undecryptable = stats.cipher.undecryptable,
                            .rekeys = stats.cipher.rekeys,
                            .tells = WZP_CT_TELLS_PLAYED | WZP_CT_TELLS_CONCEALED |
                                     WZP_CT_TELLS_RECOVERED,
                            .played = stats.played,
                            .concealed = stats.concealed,
                            .recovered = stats.recovered};
    (void)snprintf(out->hangup, sizeof out->hangup, "%s", s->hangup);
}

/* If it crashes, so do we. */
static wzp_ct_fate fate(void *ctx, wzp_ct_subject *s) {
    (void)ctx;
    wzp_ct_words words = {.has_ended = false};
    if (s->check != NULL) {
        wzp_ct_check_words(s->check, &words);
    }
    return words.has_ended || (s->phone != NULL && wzp_ct_phone_is_over(s->phone)) ? WZP_CT_EXITED
                                                                                   : WZP_CT_RUNS;
}

static void say(void *ctx, wzp_ct_subject *s, wzp_ct_words *out) {
    (void)ctx;
    *out = (wzp_ct_words){.text = ""};
    if (s->check != NULL) {
        wzp_ct_check_words(s->check, out);
    }
}

static wzp_ct_moving move(void *ctx, wzp_ct_subject *s) {
    const wzp_ct_embedded_client_cfg *cfg = ctx;
    if (s->phone != NULL) {
        wzp_ct_phone_move(s->phone, cfg->world->ops->now(cfg->world));
    }
    return s->phone != NULL ? WZP_CT_HAS_MOVED : WZP_CT_CANNOT_MOVE;
}

static const char *lacks(void *ctx, const wzp_ct_invitation *to) {
    (void)ctx;
    (void)to;
    return NULL;
}

const wzp_ct_client_ops wzp_ct_embedded_clients = {lacks, start, listen, fate, say, move, end};
