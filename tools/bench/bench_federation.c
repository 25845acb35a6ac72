/* What a datagram of a peer costs the relay that delivers it, against one of a local speaker: for
 * each packet to a listener, in one process and in memory, worlds by turns.
 *
 *     local       speaker and N listeners at the relay that is measured, which has no peers
 *     from a peer N listeners at it, the speaker at another one, which is linked
 *     to a peer   as local, in a room that is shared with a linked relay: N + 1 leave
 *
 * Both kinds of packet come in one datagram on one connection and leave in N: decryption,
 * encryption, timers and acknowledgements are the same.  Sockets would be the same on both sides,
 * too, and are left out, so that what the ratio is about is not hidden by them.  A federated one
 * is looked for among those seen and by its room's hash, but has passed the meters elsewhere. */
#include <assert.h>
#include <string.h>

#include "bench.h"
#include "bench_count.h"
#include "crypto/identity.h"
#include "io/sys.h"
#include "relay/relay.h"
#include "relay_join.h"
#include "relay_link.h"
#include "relay_load.h"

enum { PACKETS = 1 << 14, CLIENTS_PORT = 9, FRAMES = 200, COUNTED = 20 };

/* The memory of packets seen has then been touched everywhere: each page costs once. */
enum { WARM = 3000, WARM_COUNTED = 20 };

#define BUDGET 1.2
#define STEP (20 * WZP_US) /* at least, so that time goes on */

typedef enum kind { LOCAL, FROM_PEER, TO_PEER, KIND_COUNT } kind;

static const char *const names[] = {"local", "from a peer", "to a peer, too"};

enum { MEASURED, OTHER, RELAYS };

typedef struct world {
    kind kind;
    unsigned listeners;
    wzp_time now;
    wzp_relay *relays[RELAYS]; /* the other one may be NULL */
    load loads[RELAYS];
    joining joinings[RELAYS];
    wzp_quic *quic;         /* of all clients */
    link links[RELAYS + 1]; /* to each relay, and to the clients */
    packet_pool pool;
    uint64_t heard;
    uint32_t seq;
    double ns; /* real time of the measured relay's turns */
    bool is_steady;
} world;

static wzp_addr relay_addr(size_t i) {
    return wzp_addr_v4(127, 0, 0, (uint8_t)(i + 1), 4433);
}

/* --- the network ------------------------------------------------------------------------------ */

static link *link_to(world *w, const wzp_addr *to) {
    for (size_t i = 0; i < RELAYS; i++) {
        const wzp_addr addr = relay_addr(i);
        if (wzp_addr_same_ip(&addr, to)) {
            return &w->links[i];
        }
    }
    return &w->links[RELAYS];
}

static void put(world *w, const uint8_t *data, size_t len, const wzp_quic_meta *meta,
                const wzp_addr *from) {
    const wzp_quic_path path = {meta->path.remote, from != NULL ? *from : meta->path.local};
    link_put(&w->pool, link_to(w, &meta->path.remote), wzp_bytes_of(data, len), meta->segment,
             &path, w->now);
}

static packet *take(world *w, link *from) {
    return link_take(&w->pool, from, w->now);
}

/* --- turns ------------------------------------------------------------------------------------ */

void steady_turn(world *w, size_t index);

static void turn_relay(world *w, size_t index) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_relay *relay = w->relays[index];
    const wzp_addr own = relay_addr(index);
    wzp_quic_meta meta;
    wzp_relay_event event;
    for (packet *p; (p = take(w, &w->links[index])) != NULL;) {
        wzp_relay_recv(relay, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
    }
    wzp_relay_tick(relay, w->now);
    for (size_t n; (n = wzp_relay_next_packet(relay, w->now, buf, sizeof buf, &meta)) > 0;) {
        put(w, buf, n, &meta, &own);
    }
    while (wzp_relay_next_event(relay, &event)) {
    }
}

/* By this name callgrind knows what to count. */
__attribute__((noinline)) void steady_turn(world *w, size_t index) {
    turn_relay(w, index);
}

static void turn_clients(world *w) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_quic_meta meta;
    wzp_quic_event ev;
    for (packet *p; (p = take(w, &w->links[RELAYS])) != NULL;) {
        wzp_quic_recv(w->quic, &p->path, 0, wzp_bytes_of(p->data, p->len), w->now);
        while (wzp_quic_next_event(w->quic, &ev)) {
            const bool other =
                w->joinings[OTHER].dialled > 0 && ev.conn == w->joinings[OTHER].conns[0];
            joining_event(&w->joinings[other ? OTHER : MEASURED], &ev, w->now);
            w->heard += ev.kind == WZP_QUIC_DATAGRAM ? 1 : 0;
        }
    }
    wzp_quic_tick(w->quic, w->now);
    for (size_t n; (n = wzp_quic_next_packet(w->quic, w->now, buf, sizeof buf, &meta)) > 0;) {
        put(w, buf, n, &meta, NULL);
    }
}

static wzp_time first_of(const link *l) {
    return l->first != NULL ? l->first->at : WZP_TIME_NEVER;
}

/* When somebody has something to do. */
static wzp_time due(const world *w, size_t i) {
    const wzp_time packet_at = first_of(&w->links[i]);
    return i == RELAYS            ? wzp_time_min(packet_at, wzp_quic_deadline(w->quic))
           : w->relays[i] != NULL ? wzp_time_min(packet_at, wzp_relay_deadline(w->relays[i]))
                                  : WZP_TIME_NEVER;
}

static void turn_measured(world *w) {
    const double begin = bench_now_ns();
    if (w->is_steady) {
        steady_turn(w, MEASURED);
    } else {
        turn_relay(w, MEASURED);
    }
    w->ns += bench_now_ns() - begin;
}

/* From one thing that is due to the next: turns in vain would be paid with a cold cache where
 * there is another relay. */
static void pass(world *w, uint64_t span) {
    const wzp_time until = w->now + span;
    while (w->now < until) {
        if (due(w, MEASURED) <= w->now) {
            turn_measured(w);
        }
        if (due(w, OTHER) <= w->now) {
            turn_relay(w, OTHER);
        }
        if (due(w, RELAYS) <= w->now) {
            turn_clients(w);
        }
        wzp_time next = until;
        for (size_t i = 0; i <= RELAYS; i++) {
            next = wzp_time_min(next, due(w, i));
        }
        w->now = next > w->now + STEP ? next : w->now + STEP;
    }
    w->now = until;
}

/* --- worlds ----------------------------------------------------------------------------------- */

static bool add_relay(world *w, size_t index) {
    static const char *const rooms[] = {"room-0"};
    wzp_relay_cfg cfg = {.rng = wzp_io_rng(), .enforce = WZP_ENFORCE_COUNT, .max_sessions = 2000};
    wzp_tls_identity tls;
    uint8_t peer_seed[WZP_KEY_LEN];
    memset(cfg.seed, (int)index + 1, sizeof cfg.seed);
    memset(peer_seed, RELAYS - (int)index, sizeof peer_seed);
    wzp_tls_identity_from_seed(&tls, peer_seed);
    const wzp_fed_peer_cfg peer = {index == OTHER ? relay_addr(MEASURED) : (wzp_addr){0},
                                   tls.fingerprint, "peer"};
    const wzp_federation_cfg federation = {
        .peers = &peer, .peer_count = 1, .rooms = rooms, .room_count = 1, .pin_required = true};
    cfg.federation = w->kind != LOCAL ? &federation : NULL;
    const wzp_err err = wzp_relay_new(&w->relays[index], &cfg, w->now);
    wzp_tls_identity_clear(&tls);
    return err == WZP_OK;
}

static void add_members(world *w, size_t index, unsigned members) {
    w->loads[index] = (load){"", members > 0 ? 1 : 0, members, 1, 50, 1};
    joining_init(&w->joinings[index], &w->loads[index], w->quic, relay_addr(index), CLIENTS_PORT,
                 true);
}

static bool is_ready(const world *w) {
    return joining_done(&w->joinings[MEASURED], w->now) &&
           (w->kind != FROM_PEER || joining_done(&w->joinings[OTHER], w->now));
}

static void talk(world *w, unsigned frames) {
    uint8_t body[LOAD_HEADER + LOAD_PAYLOAD];
    const joining *j = &w->joinings[w->kind == FROM_PEER ? OTHER : MEASURED];
    for (unsigned i = 0; i < frames; i++) {
        load_body(body, w->seq++, w->now);
        (void)!wzp_quic_send_datagram(w->quic, j->conns[0], wzp_bytes_of(body, sizeof body));
        turn_clients(w);
        pass(w, 20 * WZP_MS);
    }
}

static void close_world(world **world_at) {
    world *w = *world_at;
    if (w != NULL) {
        for (size_t i = 0; i < RELAYS; i++) {
            wzp_relay_free(&w->relays[i]);
        }
        wzp_quic_free(&w->quic);
        pool_close(&w->pool);
        free(w);
        *world_at = NULL;
    }
}

static bool build(world *w) {
    const wzp_quic_cfg cfg = {.rng = wzp_io_rng(), .max_conns = LOAD_MEMBERS_MAX + 1};
    for (size_t i = 0; i <= RELAYS; i++) {
        link_open(&w->links[i]);
    }
    if (!pool_open(&w->pool, PACKETS) || wzp_quic_new(&w->quic, &cfg, w->now) != WZP_OK ||
        !add_relay(w, MEASURED) || (w->kind != LOCAL && !add_relay(w, OTHER))) {
        return false;
    }
    add_members(w, MEASURED, w->listeners + (w->kind == FROM_PEER ? 0 : 1));
    add_members(w, OTHER, w->kind == FROM_PEER ? 1 : 0);
    return true;
}

/* NULL: it could not be built, or what is said is not heard by all. */
static world *open_world(kind which, unsigned listeners, unsigned warm) {
    world *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    *w = (world){.kind = which, .listeners = listeners, .now = WZP_S};
    bool done = build(w);
    while (done && !is_ready(w) && w->now < 100 * WZP_S) {
        joining_dial(&w->joinings[MEASURED], w->now);
        joining_dial(&w->joinings[OTHER], w->now);
        turn_clients(w);
        pass(w, WZP_MS);
    }
    if (done) {
        talk(w, warm);
        const uint64_t before = w->heard;
        talk(w, 10);
        done = w->heard - before == 10 * (uint64_t)listeners;
    }
    if (!done) {
        (void)fprintf(stderr, "bench_federation: %s: not all was heard\n", names[which]);
        close_world(&w);
    }
    return w;
}

/* --- measurements ----------------------------------------------------------------------------- */

typedef struct samples {
    double ns[FRAMES];
} samples;

/* Two frames: with the second one come acknowledgements. */
static double measure_once(world *w) {
    const uint64_t before = w->heard;
    w->ns = 0;
    talk(w, 2);
    const uint64_t heard = w->heard - before;
    return w->ns / (double)(heard > 0 ? heard : 1);
}

static void judge(char budget[64], double ratio) {
    (void)snprintf(budget, 64, "%s (x %.2f)", ratio <= BUDGET ? "ok" : "OVER", BUDGET);
}

static void report(samples of[KIND_COUNT], unsigned listeners) {
    char name[80];
    char budget[64];
    for (int k = 0; k < KIND_COUNT; k++) {
        qsort(of[k].ns, FRAMES, sizeof(double), bench_compare);
        const double ratio = of[k].ns[0] / of[LOCAL].ns[0];
        (void)snprintf(name, sizeof name, "%s, 1 to %u", names[k], listeners);
        judge(budget, ratio);
        bench_line(name, of[k].ns[0], "ns", of[k].ns[FRAMES / 2], k != LOCAL ? ratio : 0,
                   k == FROM_PEER ? budget : "-");
    }
}

static bool compare(unsigned listeners) {
    static samples of[KIND_COUNT];
    world *worlds[KIND_COUNT] = {NULL};
    bool done = true;
    for (int k = 0; k < KIND_COUNT && done; k++) {
        worlds[k] = open_world((kind)k, listeners, WARM);
        done = worlds[k] != NULL;
    }
    for (size_t i = 0; i < FRAMES && done; i++) {
        for (int k = 0; k < KIND_COUNT; k++) {
            of[k].ns[i] = measure_once(worlds[k]);
        }
    }
    for (int k = 0; k < KIND_COUNT; k++) {
        close_world(&worlds[k]);
    }
    if (done) {
        report(of, listeners);
    }
    return done;
}

/* The same on every machine, however busy it is. */
static void count(unsigned listeners, const char *own) {
    double of[KIND_COUNT] = {0};
    for (int k = 0; k < KIND_COUNT; k++) {
        char arguments[64];
        char name[80];
        char budget[64];
        double packets = 0;
        (void)snprintf(arguments, sizeof arguments, "steady %d %u", k, listeners);
        const double counted = bench_count(own, arguments, "steady_turn", "packets ", &packets);
        of[k] = packets > 0 ? counted / packets : 0;
        if (of[k] > 0 && of[LOCAL] > 0) {
            (void)snprintf(name, sizeof name, "%s, 1 to %u, instructions", names[k], listeners);
            judge(budget, of[k] / of[LOCAL]);
            bench_line(name, of[k], "", of[k], k != LOCAL ? of[k] / of[LOCAL] : 0,
                       k == FROM_PEER ? budget : "-");
        }
    }
    if (of[LOCAL] <= 0) {
        (void)fprintf(stderr, "bench_federation: no valgrind, no instructions counted\n");
    }
}

static int run_steady(char **argv) {
    const unsigned long k = strtoul(argv[2], NULL, 10);
    world *w = k < KIND_COUNT
                   ? open_world((kind)k, (unsigned)strtoul(argv[3], NULL, 10), WARM_COUNTED)
                   : NULL;
    if (w == NULL) {
        return 1;
    }
    const uint64_t before = w->heard;
    w->is_steady = true;
    talk(w, COUNTED);
    printf("packets %llu\n", (unsigned long long)(w->heard - before));
    close_world(&w);
    return 0;
}

int main(int argc, char **argv) {
    static const unsigned sizes[] = {10, 100};
    bool done = true;
    if (argc == 4 && strcmp(argv[1], "steady") == 0) {
        return run_steady(argv);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(sizes) && done; i++) {
        done = compare(sizes[i]);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(sizes) && done; i++) {
        count(sizes[i], argv[0]);
    }
    return done ? 0 : 1;
}
