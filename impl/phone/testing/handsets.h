/* Test helper: two handsets, a relay and a STUN server on the in-memory network.  Header-only, so
 * that no product library carries it. */
#ifndef WZP_PHONE_TESTING_HANDSETS_H
#define WZP_PHONE_TESTING_HANDSETS_H

#include <stdio.h>
#include <stdlib.h>

#include "call/testing/stun_server.h"
#include "phone/handset.h"
#include "quic/testing/pair.h"
#include "relay/relay.h"

enum { A, B, SIDES };

static const wzp_addr relay_addr = {WZP_ADDR_V4, 4433, {192, 0, 2, 1}};
static const wzp_addr stun_addr = {WZP_ADDR_V4, 3478, {192, 0, 2, 2}};

typedef struct side {
    wzp_handset *handset;
    wzp_client *client;
    wzp_prng prng;
    wzp_addr addr;
    wzp_accept_mode mode;
    wzp_handset_event path;     /* as told last */
    wzp_relay_entry nearest;    /* as told last */
    unsigned paths, same_paths; /* the latter: as it was told before */
    unsigned ended, registered, seen, set_ups, aways;
    char why[96];
    uint32_t said;
    unsigned sent; /* runs of packets */
    unsigned heard;
    wzp_time heard_at, longest_silence;
    bool is_blind; /* nothing goes from it to the other side directly */
} side;

static struct {
    pair_net net;
    side sides[SIDES];
    wzp_relay *relay;
    wzp_prng prng;
    stun_server stun;
    bool tells;      /* all that happens, on standard error */
    bool is_at_work; /* a handset, and nobody else */
} t;

static inline void tell(unsigned who, const char *what, const char *detail) {
    if (t.tells) {
        (void)fprintf(stderr, "%9.3f s  %c  %s %s\n", (double)t.net.now / (double)WZP_S,
                      who == A ? 'A' : 'B', what, detail);
    }
}

/* --- the network ------------------------------------------------------------------------------ */

static inline side *at(const wzp_addr *addr) {
    for (unsigned i = 0; i < SIDES; i++) {
        if (wzp_addr_equal(&t.sides[i].addr, addr)) {
            return &t.sides[i];
        }
    }
    return NULL;
}

static inline void guarded_recv(void *self, const wzp_quic_path *path, uint8_t ecn,
                                wzp_bytes payload, wzp_time now) {
    const side *s = self;
    const side *from = at(&path->remote);
    if (from == NULL || !from->is_blind) {
        const wzp_core core = wzp_handset_core(s->handset);
        t.is_at_work = true;
        core.ops->recv(core.self, path, ecn, payload, now);
        t.is_at_work = false;
    }
}

static inline void guarded_tick(void *self, wzp_time now) {
    const wzp_core core = wzp_handset_core(((side *)self)->handset);
    t.is_at_work = true;
    core.ops->tick(core.self, now);
    t.is_at_work = false;
}

static inline wzp_time guarded_deadline(const void *self) {
    const wzp_core core = wzp_handset_core(((const side *)self)->handset);
    return core.ops->deadline(core.self);
}

static inline size_t guarded_next(void *self, wzp_time now, uint8_t *buf, size_t cap,
                                  wzp_quic_meta *meta) {
    side *s = self;
    const wzp_core core = wzp_handset_core(s->handset);
    t.is_at_work = true;
    const size_t len = core.ops->next_packet(core.self, now, buf, cap, meta);
    t.is_at_work = false;
    s->sent += len > 0 ? 1 : 0;
    return len;
}

/* --- those who talk --------------------------------------------------------------------------- */

static inline unsigned index_of(const side *s) {
    return (unsigned)(s - t.sides);
}

static inline void tell_signal(void *ctx, bool out, wzp_bytes json) {
    char text[400];
    const size_t len = json.len < sizeof text ? json.len : sizeof text - 1;
    memcpy(text, json.data, len);
    text[len] = '\0';
    tell(index_of(ctx), out ? "says" : "hears", text);
}

static inline void tell_path(const side *s) {
    char addr[WZP_ADDR_TEXT_MAX];
    tell(index_of(s), s->path.path == WZP_RACE_DIRECT ? "is direct with" : "is relayed by",
         wzp_addr_text(&s->path.addr, addr));
}

static inline wzp_client *sound(side *s, const char *room) {
    wzp_client_cfg cfg = {.rng = wzp_prng_rng(&s->prng),
                          .room = room,
                          .codec = WZP_CODEC_OPUS_24K,
                          .coded = true,
                          .endpoint = wzp_handset_endpoint(s->handset),
                          .waits = true,
                          .path = {.remote = relay_addr}};
    wzp_client *client;
    cfg.seed[0] = (uint8_t)(s - t.sides + 1);
    ck_assert_int_eq(wzp_client_new(&client, &cfg, t.net.now), WZP_OK);
    return client;
}

static inline void on_phone(side *s, const wzp_phone_event *ev, wzp_time now) {
    if (ev->kind == WZP_PHONE_REGISTERED) {
        s->registered++;
    } else if (ev->kind == WZP_PHONE_AWAY) {
        s->aways++;
    } else if (ev->kind == WZP_PHONE_INCOMING) {
        ck_assert_int_eq(wzp_handset_answer(s->handset, s->mode, now), WZP_OK);
    } else if (ev->kind == WZP_PHONE_SET_UP) {
        s->set_ups++;
        s->client = sound(s, ev->room);
        wzp_handset_use(s->handset, s->client, now);
    } else if (ev->kind == WZP_PHONE_ENDED) {
        s->ended++;
        (void)snprintf(s->why, sizeof s->why, "%s", ev->text);
        wzp_client_free(&s->client);
        tell(index_of(s), "has ended:", s->why);
    }
}

static inline void on_client(side *s, const wzp_client_event *ev, wzp_time now) {
    if (ev->kind == WZP_CLIENT_CAPTURE) {
        uint8_t frame[40] = {0};
        memcpy(frame, &s->said, sizeof s->said);
        s->said++;
        ck_assert_int_eq(wzp_client_push_coded(s->client, wzp_bytes_of(frame, sizeof frame), now),
                         WZP_OK);
    } else if (ev->kind == WZP_CLIENT_PLAY && ev->slot == WZP_JBUF_FRAME) {
        const wzp_time gap = s->heard > 0 ? now - s->heard_at : 0;
        s->longest_silence = gap > s->longest_silence ? gap : s->longest_silence;
        s->heard_at = now;
        s->heard++;
    }
}

static inline void after(void *ctx, wzp_time now) {
    side *s = ctx;
    wzp_handset_event ev;
    wzp_client_event sounds;
    while (wzp_handset_next_event(s->handset, now, &ev)) {
        if (ev.kind == WZP_HANDSET_PHONE) {
            on_phone(s, ev.phone, now);
        } else if (ev.kind == WZP_HANDSET_PATH) {
            s->same_paths +=
                s->paths > 0 && ev.path == s->path.path && wzp_addr_equal(&ev.addr, &s->path.addr)
                    ? 1
                    : 0;
            s->path = ev;
            s->paths++;
            tell_path(s);
        } else if (ev.kind == WZP_HANDSET_NEAREST) {
            s->nearest = *ev.nearest;
            tell(index_of(s), "is nearest to", s->nearest.name);
        } else {
            s->seen++;
        }
    }
    while (s->client != NULL && wzp_client_next_event(s->client, now, &sounds)) {
        on_client(s, &sounds, now);
    }
}

/* --- set-up ----------------------------------------------------------------------------------- */

static inline void run(uint64_t ms) {
    pair_run(&t.net, t.net.now + ms * WZP_MS);
}

static inline void start(unsigned i, const wzp_handset_cfg *like) {
    static const wzp_core_ops ops = {guarded_recv, guarded_tick, guarded_deadline, guarded_next};
    side *s = &t.sides[i];
    *s = (side){.addr = wzp_addr_v4(203, 0, 113, (uint8_t)(10 + i), 5000),
                .mode = WZP_ACCEPT_TRUSTED};
    wzp_prng_init(&s->prng, i, "handset");
    wzp_handset_cfg cfg = *like;
    cfg.rng = wzp_prng_rng(&s->prng);
    cfg.seed[0] = (uint8_t)(i + 1);
    cfg.path.remote = relay_addr;
    cfg.net.own = s->addr;
    cfg.stun = &stun_addr;
    cfg.stun_count = 1;
    cfg.signal = t.tells ? tell_signal : NULL;
    cfg.signal_ctx = s;
    ck_assert_int_eq(wzp_handset_new(&s->handset, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, (wzp_core){s, &ops}, s->addr, after, s);
}

static inline void open_net(const wzp_handset_cfg *a, const wzp_handset_cfg *b) {
    pair_init(&t.net, 1);
    t.stun = (stun_server){.len = 0};
    wzp_prng_init(&t.prng, 3, "relay");
    const wzp_relay_cfg cfg = {.rng = wzp_prng_rng(&t.prng), .strict_identity = true};
    ck_assert_int_eq(wzp_relay_new(&t.relay, &cfg, t.net.now), WZP_OK);
    pair_add(&t.net, wzp_relay_core(t.relay), relay_addr, NULL, NULL);
    start(A, a);
    start(B, b);
    pair_add(&t.net, stun_server_core(&t.stun), stun_addr, NULL, NULL);
    run(500);
    ck_assert_uint_eq(t.sides[A].registered + t.sides[B].registered, 2);
}

static inline void close_net(void) {
    pair_clear(&t.net);
    for (unsigned i = 0; i < SIDES; i++) {
        wzp_client_free(&t.sides[i].client);
        wzp_handset_free(&t.sides[i].handset);
    }
    wzp_relay_free(&t.relay);
}

static inline void call(void) {
    ck_assert_int_eq(wzp_handset_call(t.sides[A].handset,
                                      wzp_handset_fingerprint(t.sides[B].handset), t.net.now),
                     WZP_OK);
}

static inline void expect_path(wzp_race_path path) {
    for (unsigned i = 0; i < SIDES; i++) {
        const side *other = &t.sides[1 - i];
        const wzp_addr *far = path == WZP_RACE_DIRECT ? &other->addr : &relay_addr;
        ck_assert_int_eq(t.sides[i].path.path, path);
        ck_assert_msg(wzp_addr_equal(&t.sides[i].path.addr, far), "side %u", i);
    }
}

static inline void expect_sound(uint64_t ms) {
    const unsigned before[SIDES] = {t.sides[A].heard, t.sides[B].heard};
    run(ms);
    for (unsigned i = 0; i < SIDES; i++) {
        const unsigned frames = t.sides[i].heard - before[i];
        ck_assert_msg(frames + 10 >= ms / 20, "side %u heard %u frames in %u ms", i, frames,
                      (unsigned)ms);
    }
}

static inline wzp_handset_counters counters(unsigned i) {
    wzp_handset_counters c;
    wzp_handset_count(t.sides[i].handset, &c);
    return c;
}

static inline void blind(bool is_blind) {
    t.sides[A].is_blind = t.sides[B].is_blind = is_blind;
}

#endif
