#include "media_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "client/client.h"
#include "media_hub.h"
#include "relay_link.h"

enum { PACKETS = 1 << 14, SAMPLES = 960, PATIENCE_S = 20 };

#define STEP WZP_MS
#define FRAME (20 * WZP_MS)
#define HUB wzp_addr_v4(10, 0, 0, 1, 4433)

typedef struct end {
    wzp_client *client;
    wzp_core core;
    link down;
    wzp_prng prng;
    size_t said; /* index of the frame in the voice */
    uint64_t captured, played, quiet;
} end;

struct media_calls {
    media_calls_cfg cfg;
    wzp_time now;
    media_hub hub;
    wzp_prng hub_prng, link_prng;
    packet_pool pool;
    link up;
    end *ends;
    bool failed, is_steady;
    media_calls_spent spent;
};

static wzp_addr address_of(size_t i) {
    return wzp_addr_v4(10, 0, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200), 5000);
}

static size_t index_of(const wzp_addr *addr) {
    return ((size_t)addr->ip[2] - 1) * 200 + addr->ip[3] - 1;
}

/* --- clients ---------------------------------------------------------------------------------- */

static void put(media_calls *w, link *to, const uint8_t *data, size_t len,
                const wzp_quic_meta *meta, const wzp_addr *from, uint32_t loss_ppm) {
    const wzp_quic_path path = {meta->path.remote, *from};
    for (size_t at = 0; at < len; at += meta->segment) {
        const size_t one = len - at < meta->segment ? len - at : meta->segment;
        if (loss_ppm == 0 || wzp_rng_below(wzp_prng_rng(&w->link_prng), 1000000) >= loss_ppm) {
            link_put(&w->pool, to, wzp_bytes_of(data + at, one), one, &path, w->now);
        }
    }
}

static void capture(media_calls *w, end *e, const wzp_client_event *ev) {
    const size_t at = e->said++ % w->cfg.frames;
    const wzp_err err =
        w->cfg.coded != NULL
            ? wzp_client_push_coded(e->client, w->cfg.coded[at], w->now)
            : wzp_client_push(e->client, w->cfg.voice + at * SAMPLES, ev->samples, w->now);
    e->captured++;
    w->failed |= err != WZP_OK || ev->samples != SAMPLES;
}

static bool is_silent(const wzp_client_event *ev) {
    for (size_t i = 0; ev->pcm != NULL && i < ev->samples; i++) {
        if (ev->pcm[i] != 0) {
            return false;
        }
    }
    return ev->pcm != NULL;
}

static void on_event(media_calls *w, end *e, const wzp_client_event *ev) {
    if (ev->kind == WZP_CLIENT_CAPTURE) {
        capture(w, e, ev);
    } else if (ev->kind == WZP_CLIENT_PLAY) {
        e->played++;
        e->quiet += is_silent(ev) ? 1 : 0;
    } else if (ev->kind != WZP_CLIENT_JOINED && ev->kind != WZP_CLIENT_ROOM) {
        w->failed = true;
    }
}

static void turn(media_calls *w, end *e, const wzp_addr *own) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    const wzp_core *core = &e->core;
    wzp_client_event event;
    wzp_quic_meta meta;
    bool is_due = core->ops->deadline(core->self) <= w->now;
    for (packet *p; (p = link_take(&w->pool, &e->down, w->now)) != NULL;) {
        core->ops->recv(core->self, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
        is_due = true;
    }
    if (!is_due) {
        return;
    }
    core->ops->tick(core->self, w->now);
    while (wzp_client_next_event(e->client, w->now, &event)) {
        on_event(w, e, &event);
    }
    for (size_t n; (n = core->ops->next_packet(core->self, w->now, buf, sizeof buf, &meta)) > 0;) {
        put(w, &w->up, buf, n, &meta, own, w->cfg.loss_ppm);
    }
}

static void turn_clients(media_calls *w) {
    for (size_t i = 0; i < w->cfg.ends; i++) {
        const wzp_addr own = address_of(i);
        turn(w, &w->ends[i], &own);
    }
}

void steady_clients(media_calls *w);

/* By this name a profiler finds what is measured. */
__attribute__((noinline)) void steady_clients(media_calls *w) {
    turn_clients(w);
}

/* --- the hub ---------------------------------------------------------------------------------- */

static void turn_hub(media_calls *w) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    const wzp_addr own = HUB;
    wzp_quic_meta meta;
    for (packet *p; (p = link_take(&w->pool, &w->up, w->now)) != NULL;) {
        wzp_quic_recv(w->hub.quic, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
        w->failed |= !media_hub_drain(&w->hub, w->now);
    }
    wzp_quic_tick(w->hub.quic, w->now);
    w->failed |= !media_hub_drain(&w->hub, w->now);
    for (size_t n; (n = wzp_quic_next_packet(w->hub.quic, w->now, buf, sizeof buf, &meta)) > 0;) {
        put(w, &w->ends[index_of(&meta.path.remote)].down, buf, n, &meta, &own, 0);
    }
}

static void pass(media_calls *w, uint64_t span) {
    for (const wzp_time until = w->now + span; w->now < until; w->now += STEP) {
        const double begin = bench_cpu_ns();
        turn_hub(w);
        const double between = bench_cpu_ns();
        if (w->is_steady) {
            steady_clients(w);
        } else {
            turn_clients(w);
        }
        w->spent.hub_ns += between - begin;
        w->spent.clients_ns += bench_cpu_ns() - between;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static bool dial(media_calls *w, size_t i) {
    char room[32];
    end *e = &w->ends[i];
    (void)snprintf(room, sizeof room, MEDIA_HUB_ROOM "%zu", i / 2);
    wzp_prng_init(&e->prng, i, "client");
    const wzp_client_cfg cfg = {.rng = wzp_prng_rng(&e->prng),
                                .seed = {(uint8_t)i, (uint8_t)(i >> 8), 1},
                                .room = room,
                                .codec = WZP_CODEC_OPUS_24K,
                                .adapts = true,
                                .coded = w->cfg.coded != NULL,
                                .media_crypto = WZP_MEDIA_CRYPTO_RELAY_AEAD,
                                .path = {address_of(i), HUB},
                                .deterministic = true};
    e->said = i * 37; /* not all say the same at a time */
    link_open(&e->down);
    if (wzp_client_new(&e->client, &cfg, w->now) != WZP_OK) {
        return false;
    }
    e->core = wzp_client_core(e->client);
    return true;
}

static bool all_hear(const media_calls *w) {
    for (size_t i = 0; i < w->cfg.ends; i++) {
        if (w->ends[i].played < 50) {
            return false;
        }
    }
    return true;
}

static bool build(media_calls *w) {
    wzp_prng_init(&w->hub_prng, 1, "hub");
    wzp_prng_init(&w->link_prng, 1, "links");
    link_open(&w->up);
    w->ends = calloc(w->cfg.ends, sizeof *w->ends);
    return w->ends != NULL && pool_open(&w->pool, PACKETS) &&
           media_hub_open(&w->hub, w->cfg.ends, wzp_prng_rng(&w->hub_prng), w->now) == WZP_OK;
}

media_calls *media_calls_new(const media_calls_cfg *cfg) {
    media_calls *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    *w = (media_calls){.cfg = *cfg, .now = WZP_S};
    bool done = build(w);
    /* Not all at once, as in life: two milliseconds lie between any two. */
    for (size_t i = 0; i < cfg->ends && done; i++) {
        done = dial(w, i);
        if (done) {
            w->cfg.ends = i + 1;
            pass(w, 2 * WZP_MS);
        }
    }
    while (done && !w->failed && !all_hear(w) && w->now < PATIENCE_S * WZP_S) {
        pass(w, FRAME);
    }
    if (!done || w->failed || !all_hear(w)) {
        (void)fprintf(stderr, "media_calls: not all hear each other\n");
        media_calls_free(&w);
    }
    return w;
}

void media_calls_free(media_calls **calls) {
    media_calls *w = *calls;
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->cfg.ends && w->ends != NULL; i++) {
        wzp_client_free(&w->ends[i].client);
    }
    media_hub_close(&w->hub);
    pool_close(&w->pool);
    free(w->ends);
    free(w);
    *calls = NULL;
}

/* --- a run ------------------------------------------------------------------------------------ */

static uint64_t captured(const media_calls *w) {
    uint64_t all = 0;
    for (size_t i = 0; i < w->cfg.ends; i++) {
        all += w->ends[i].captured;
    }
    return all;
}

media_calls_spent media_calls_run(media_calls *calls, unsigned frames) {
    media_calls *w = calls;
    const uint64_t before = captured(w);
    w->spent = (media_calls_spent){.captured = 0};
    w->is_steady = true;
    pass(w, frames * FRAME);
    w->is_steady = false;
    w->spent.captured = captured(w) - before;
    return w->spent;
}

enum { LIVE_S_MAX = 60, STEPS_A_SECOND = 1000 };

static void sleep_until(double ns) {
    const struct timespec ts = {(time_t)(ns / 1e9), (long)(ns - (double)(time_t)(ns / 1e9) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0) {
    }
}

media_calls_live media_calls_run_live(media_calls *calls, unsigned seconds) {
    static double late_ns[LIVE_S_MAX * STEPS_A_SECOND];
    const size_t steps = (size_t)(seconds < LIVE_S_MAX ? seconds : LIVE_S_MAX) * STEPS_A_SECOND;
    const double begin = bench_now_ns();
    const double cpu = bench_cpu_ns();
    for (size_t i = 0; i < steps; i++) {
        const double due = begin + (double)(i * STEP);
        sleep_until(due);
        late_ns[i] = bench_now_ns() - due;
        pass(calls, STEP);
    }
    const double spent = bench_cpu_ns() - cpu;
    qsort(late_ns, steps, sizeof *late_ns, bench_compare);
    return (media_calls_live){.busy = spent / (double)(steps * STEP),
                              .p99_ms = late_ns[steps * 99 / 100] / 1e6,
                              .latest_ms = late_ns[steps - 1] / 1e6};
}

static const char *fault_of(const media_calls *w, const end *e) {
    enum { ON_THE_WAY = 10 };
    wzp_client_stats stats;
    wzp_client_count(e->client, &stats);
    const uint64_t seldom = e->captured / 10;
    return stats.codec != WZP_CODEC_OPUS_24K || stats.codec_changes != 0 ? "it changed its codec"
           : stats.sent < e->captured                                    ? "it did not send all"
           : w->cfg.loss_ppm == 0 && stats.lost + stats.concealed > 0    ? "something was lost"
           : stats.lost > seldom                                         ? "too much was lost"
           : e->played + ON_THE_WAY < e->captured                        ? "it did not play all"
           : e->quiet > seldom                                           ? "it hears silence"
           : stats.cipher.opened + seldom < e->played ? "its media are not sealed"
                                                      : NULL;
}

bool media_calls_are_sound(const media_calls *calls) {
    const media_calls *w = calls;
    for (size_t i = 0; i < w->cfg.ends; i++) {
        const char *fault = fault_of(w, &w->ends[i]);
        if (fault != NULL) {
            (void)fprintf(stderr, "media_calls: client %zu: %s\n", i, fault);
            return false;
        }
    }
    return !w->failed;
}
