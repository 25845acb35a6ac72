/* A relay, or the bare server, and its clients in one process and in memory, for a profiler:
 * virtual time, a link of one millisecond.  What the server does while all have joined is done by
 * functions named steady_*, so that callgrind --toggle-collect='steady_*' counts it and nothing
 * else.  (One of them called by another is not counted: it switches counting off until it returns.)
 */
#include <assert.h>
#include <string.h>

#include "bench.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "relay_bare.h"
#include "relay_join.h"
#include "relay_link.h"
#include "relay_load.h"

enum { PACKETS = 1 << 17, CLIENTS_PORT = 9 };

#define SERVER wzp_addr_v4(127, 0, 0, 1, 4433)

typedef struct world {
    const load *l;
    wzp_time now;
    wzp_relay *relay; /* or else */
    bare *bare;
    wzp_quic *quic;
    joining joining;
    link up, down; /* to the relay, to the clients */
    packet_pool pool;
    uint64_t heard;
    bool is_steady;
    double server_ns; /* real time that the server's turns took */
} world;

void steady_recv(wzp_relay *relay, const packet *p, wzp_time now);
void steady_tick(wzp_relay *relay, wzp_time now);
wzp_time steady_deadline(wzp_relay *relay);
size_t steady_next(wzp_relay *relay, wzp_time now, uint8_t *buf, size_t cap, wzp_quic_meta *meta);

__attribute__((noinline)) void steady_recv(wzp_relay *relay, const packet *p, wzp_time now) {
    wzp_relay_recv(relay, &p->path, 0, wzp_bytes_of(p->data, p->len), now);
}

__attribute__((noinline)) void steady_tick(wzp_relay *relay, wzp_time now) {
    wzp_relay_tick(relay, now);
}

__attribute__((noinline)) wzp_time steady_deadline(wzp_relay *relay) {
    return wzp_relay_deadline(relay);
}

__attribute__((noinline)) size_t steady_next(wzp_relay *relay, wzp_time now, uint8_t *buf,
                                             size_t cap, wzp_quic_meta *meta) {
    return wzp_relay_next_packet(relay, now, buf, cap, meta);
}

/* --- the link --------------------------------------------------------------------------------- */

static void put(world *w, link *to, const uint8_t *data, size_t len, const wzp_quic_meta *meta) {
    const wzp_quic_path path = {meta->path.remote, meta->path.local};
    link_put(&w->pool, to, wzp_bytes_of(data, len), meta->segment, &path, w->now);
}

static packet *take(world *w, link *from) {
    return link_take(&w->pool, from, w->now);
}

/* --- the bare server ---------------------------------------------------------------------------
 */

void steady_bare_recv(bare *b, const packet *p, wzp_time now);
void steady_bare_tick(bare *b, wzp_time now);
void steady_not(world *w, unsigned client, size_t len);

static uint8_t bare_packet[BARE_PACKET];

__attribute__((noinline)) void steady_bare_recv(bare *b, const packet *p, wzp_time now) {
    bare_recv(b, load_client(p->path.remote.ip), p->data, p->len, now);
}

__attribute__((noinline)) void steady_bare_tick(bare *b, wzp_time now) {
    bare_tick(b, now);
}

/* The link is not the server's. */
__attribute__((noinline)) void steady_not(world *w, unsigned client, size_t len) {
    const wzp_quic_meta meta = {.path = {SERVER, load_addr(client, CLIENTS_PORT)},
                                .segment = (uint16_t)len};
    put(w, &w->down, bare_packet, len, &meta);
}

static uint8_t *lend(void *ctx) {
    (void)ctx;
    return bare_packet;
}

static void deliver(void *ctx, unsigned client, size_t len) {
    steady_not(ctx, client, len);
}

static void turn_bare(world *w) {
    for (packet *p; (p = take(w, &w->up)) != NULL;) {
        if (w->is_steady) {
            steady_bare_recv(w->bare, p, w->now);
        } else {
            bare_recv(w->bare, load_client(p->path.remote.ip), p->data, p->len, w->now);
        }
    }
    if (w->is_steady) {
        steady_bare_tick(w->bare, w->now);
    } else {
        bare_tick(w->bare, w->now);
    }
}

/* --- turns ------------------------------------------------------------------------------------ */

static void turn_relay(world *w) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    wzp_relay_event event;
    for (packet *p; (p = take(w, &w->up)) != NULL;) {
        if (w->is_steady) {
            steady_recv(w->relay, p, w->now);
        } else {
            wzp_relay_recv(w->relay, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
        }
    }
    if (w->is_steady) {
        steady_tick(w->relay, w->now);
    } else {
        wzp_relay_tick(w->relay, w->now);
    }
    for (size_t n; (n = w->is_steady ? steady_next(w->relay, w->now, buf, sizeof buf, &meta)
                                     : wzp_relay_next_packet(w->relay, w->now, buf, sizeof buf,
                                                             &meta)) > 0;) {
        put(w, &w->down, buf, n, &meta);
    }
    if (w->is_steady) {
        (void)steady_deadline(w->relay);
    }
    while (wzp_relay_next_event(w->relay, &event)) {
    }
}

static void turn_clients(world *w) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    wzp_quic_event ev;
    for (packet *p; (p = take(w, &w->down)) != NULL;) {
        wzp_quic_recv(w->quic, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
        while (wzp_quic_next_event(w->quic, &ev)) {
            joining_event(&w->joining, &ev, w->now);
            w->heard += ev.kind == WZP_QUIC_DATAGRAM ? 1 : 0;
        }
    }
    wzp_quic_tick(w->quic, w->now);
    for (size_t n; (n = wzp_quic_next_packet(w->quic, w->now, buf, sizeof buf, &meta)) > 0;) {
        put(w, &w->up, buf, n, &meta);
    }
}

static void pass(world *w, uint64_t span) {
    for (const wzp_time until = w->now + span; w->now < until; w->now += WZP_MS / 4) {
        const double begin = bench_now_ns();
        if (w->bare != NULL) {
            turn_bare(w);
        } else {
            turn_relay(w);
        }
        w->server_ns += bench_now_ns() - begin;
        turn_clients(w);
    }
}

/* --- a run ------------------------------------------------------------------------------------ */

static void talk(world *w, unsigned frames) {
    static uint32_t seq;
    uint8_t body[LOAD_HEADER + LOAD_PAYLOAD];
    for (unsigned i = 0; i < frames; i++, seq++) {
        for (unsigned speaker = 0; speaker < w->l->rooms * w->l->speakers; speaker++) {
            load_body(body, seq, w->now);
            (void)!wzp_quic_send_datagram(
                w->quic,
                w->joining.conns[speaker % w->l->rooms * w->l->members + speaker / w->l->rooms],
                wzp_bytes_of(body, sizeof body));
        }
        pass(w, WZP_S / w->l->rate);
    }
}

static bool open_world(world *w, bool is_bare) {
    const wzp_rng rng = wzp_io_rng();
    const wzp_relay_cfg relay_cfg = {
        .rng = rng, .seed = {1}, .enforce = WZP_ENFORCE_COUNT, .max_sessions = 2000};
    const wzp_quic_cfg quic_cfg = {.rng = rng, .max_conns = LOAD_MEMBERS_MAX + 1};
    const wzp_addr server = SERVER;
    link_open(&w->up);
    link_open(&w->down);
    if (!pool_open(&w->pool, PACKETS) || wzp_quic_new(&w->quic, &quic_cfg, w->now) != WZP_OK) {
        return false;
    }
    joining_init(&w->joining, w->l, w->quic, server, CLIENTS_PORT, !is_bare);
    if (is_bare) {
        w->bare = bare_new(w->l, &server, CLIENTS_PORT, (bare_sink){lend, deliver, w});
    }
    return is_bare ? w->bare != NULL : wzp_relay_new(&w->relay, &relay_cfg, w->now) == WZP_OK;
}

/* The cheapest two frames are what the code costs: with the second one come acknowledgements. */
static steady_result measure(world *w, unsigned frames) {
    steady_result result = {.least_ns = 1e9};
    w->is_steady = true;
    for (unsigned i = 0; i < frames; i += 2) {
        const uint64_t before = w->heard;
        w->server_ns = 0;
        talk(w, 2);
        const uint64_t heard = w->heard - before;
        const double ns = w->server_ns / (double)(heard > 0 ? heard : 1);
        result.packets += heard;
        result.least_ns = heard > 0 && ns < result.least_ns ? ns : result.least_ns;
    }
    w->is_steady = false;
    return result;
}

steady_result steady(const load *l, unsigned frames, bool is_bare) {
    static world w;
    w = (world){0};
    w.l = l;
    w.now = WZP_S;
    if (!open_world(&w, is_bare)) {
        return (steady_result){0};
    }
    while (!joining_done(&w.joining, w.now) && w.now < 100 * WZP_S) {
        joining_dial(&w.joining, w.now);
        pass(&w, WZP_MS);
    }
    talk(&w, 20);
    const steady_result result = measure(&w, frames);
    wzp_relay_free(&w.relay);
    bare_free(&w.bare);
    wzp_quic_free(&w.quic);
    pool_close(&w.pool);
    return result;
}
