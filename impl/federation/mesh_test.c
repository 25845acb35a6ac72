/* Many relays in memory, joined by queues: in every mesh, and through every partition of five
 * relays and its healing, each packet comes once to everyone else in the part, never back to its
 * sender, and everyone is listed everywhere and nobody who has left. */
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/suite.h"
#include "federation/federation.h"

enum { NODES = 8, MEMBERS = 3, LETTERS = 20000, DATAGRAM = 64 };

#define STEP (5 * WZP_MS)

typedef struct node {
    wzp_federation *fed;
    wzp_prng prng;
    size_t index, members;
    wzp_fed_room *room; /* NULL: nobody is there */
    uint32_t peer_of[NODES];
} node;

/* Both ends of a connection; its numbers are 2 * place and 2 * place + 1. */
typedef struct wire {
    size_t ends[2];
    wzp_fed_link *links[2];
    bool used, is_up;
} wire;

typedef struct letter {
    wzp_time at;
    uint64_t to; /* an end of a wire */
    size_t len;
    bool is_media;
    uint8_t *bytes;
} letter;

typedef struct world {
    size_t count;
    node nodes[NODES];
    bool joined[NODES][NODES]; /* by the plan */
    bool cut[NODES][NODES];    /* at the moment */
    wire wires[4096];
    size_t wire_count;
    letter post[LETTERS];
    size_t first, last;
    wzp_time now;
    uint64_t copies; /* datagrams between relays */
    unsigned got[NODES];
    wzp_prng prng;
} world;

/* --- the network ------------------------------------------------------------------------------ */

static void mail(world *w, uint64_t to, bool is_media, wzp_bytes bytes, uint64_t delay) {
    letter *l = &w->post[w->last++ % LETTERS];
    ck_assert_uint_lt(w->last - w->first, LETTERS);
    *l = (letter){w->now + delay, to, bytes.len, is_media, malloc(bytes.len + 1)};
    memcpy(l->bytes, bytes.data, bytes.len);
}

static uint64_t other_end(uint64_t conn) {
    return conn ^ 1;
}

static wire *wire_of(world *w, uint64_t conn) {
    return &w->wires[conn / 2 % WZP_COUNT_OF(w->wires)];
}

static void hang_up(world *w, size_t place) {
    wire *x = &w->wires[place];
    for (size_t i = 0; i < 2 && x->used; i++) {
        if (x->links[i] != NULL) {
            wzp_federation_closed(w->nodes[x->ends[i]].fed, x->links[i], w->now);
        }
    }
    x->used = x->is_up = false;
}

static void dial(world *w, node *from, const wzp_fed_output *out) {
    const size_t to = out->addr.port;
    if (w->cut[from->index][to]) {
        wzp_federation_failed(from->fed, out->peer, w->now);
        return;
    }
    const size_t place = w->wire_count++;
    ck_assert_uint_lt(place, WZP_COUNT_OF(w->wires));
    wire *x = &w->wires[place];
    *x = (wire){.ends = {from->index, to}, .used = true};
    x->links[0] = wzp_federation_dialled(from->fed, out->peer, 2 * place);
    x->is_up = true;
    wzp_federation_connected(from->fed, x->links[0], NULL, w->now);
}

static void on_signal(world *w, wire *x, size_t end, wzp_bytes json) {
    wzp_signal *signal = NULL;
    node *n = &w->nodes[x->ends[end]];
    ck_assert(wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK);
    if (x->links[end] == NULL) {
        const wzp_addr nowhere = wzp_addr_v4(127, 0, 0, 1, 1);
        ck_assert(signal->kind == WZP_SIGNAL_FEDERATION_HELLO);
        x->links[end] =
            wzp_federation_accepted(n->fed, 2 * (uint64_t)(x - w->wires) + end, &nowhere,
                                    signal->u.FederationHello.tls_fingerprint, w->now, NULL);
        ck_assert_ptr_nonnull(x->links[end]);
    } else {
        (void)wzp_federation_signal(n->fed, x->links[end], signal, w->now);
    }
    wzp_signal_free(&signal);
}

static void send_all(world *w, const node *n, wzp_bytes datagram, uint32_t except) {
    size_t count = 0;
    const wzp_fed_target *targets = wzp_federation_targets(n->fed, &count);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].peer != except) {
            const uint64_t jitter = wzp_rng_below(wzp_prng_rng(&w->prng), 4);
            mail(w, other_end(targets[i].conn), true, datagram, (1 + jitter) * STEP);
            w->copies++;
        }
    }
}

static void on_datagram(world *w, wire *x, size_t end, wzp_bytes datagram) {
    node *n = &w->nodes[x->ends[end]];
    wzp_fed_packet packet;
    if (x->links[end] == NULL || wzp_federation_ingress(n->fed, x->links[end], datagram, w->now,
                                                        &packet) != WZP_FED_DELIVER) {
        return;
    }
    w->got[n->index]++;
    send_all(w, n, datagram, wzp_fed_link_peer(x->links[end]));
}

static void step(world *w) {
    w->now += STEP;
    for (size_t i = 0; i < w->count; i++) {
        node *n = &w->nodes[i];
        wzp_fed_output out;
        wzp_federation_tick(n->fed, w->now);
        while (wzp_federation_next(n->fed, &out)) {
            if (out.kind == WZP_FED_DIAL) {
                dial(w, n, &out);
            } else if (out.kind == WZP_FED_SEND) {
                mail(w, other_end(out.conn), false, out.json, STEP);
            }
        }
    }
    for (size_t left = w->last - w->first; left > 0; left--) {
        letter l = w->post[w->first++ % LETTERS];
        wire *x = wire_of(w, l.to);
        if (l.at > w->now) {
            w->post[w->last++ % LETTERS] = l;
            continue;
        }
        if (x->used && l.is_media) {
            on_datagram(w, x, l.to & 1, wzp_bytes_of(l.bytes, l.len));
        } else if (x->used) {
            on_signal(w, x, l.to & 1, wzp_bytes_of(l.bytes, l.len));
        }
        free(l.bytes);
    }
}

static void run(world *w, uint64_t seconds) {
    for (const wzp_time end = w->now + seconds * WZP_S; w->now < end;) {
        step(w);
    }
}

/* --- members ---------------------------------------------------------------------------------- */

static void set_members(world *w, size_t index, size_t members) {
    static char names[MEMBERS][16];
    wzp_room_participant list[MEMBERS];
    node *n = &w->nodes[index];
    for (size_t i = 0; i < members; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu-%zu", index, i);
        list[i] = (wzp_room_participant){.fingerprint = wzp_bytes_str(names[i])};
    }
    if (members == 0 && n->room != NULL) {
        wzp_federation_leave(n->fed, n->room, n, w->now);
        n->room = NULL;
    } else if (members > 0) {
        n->room = n->room != NULL ? n->room : wzp_federation_join(n->fed, "general", n, w->now);
        wzp_federation_members(n->fed, n->room, n, list, members, w->now);
    }
    n->members = members;
}

static bool lists(const node *n, size_t index, size_t member) {
    char name[16];
    wzp_room_participant all[256];
    const size_t count = wzp_fed_room_remote(n->room, all, WZP_COUNT_OF(all));
    (void)snprintf(name, sizeof name, "%zu-%zu", index, member);
    for (size_t i = 0; i < count; i++) {
        if (wzp_bytes_equal(all[i].fingerprint, wzp_bytes_str(name))) {
            return true;
        }
    }
    return false;
}

/* Which nodes are in the same part. */
static void reach(const world *w, size_t from, bool seen[NODES]) {
    seen[from] = true;
    for (size_t round = 0; round < w->count; round++) {
        for (size_t a = 0; a < w->count; a++) {
            for (size_t b = 0; seen[a] && b < w->count; b++) {
                seen[b] = seen[b] || (w->joined[a][b] && !w->cut[a][b]);
            }
        }
    }
}

static void check_lists(const world *w, const char *when) {
    for (size_t i = 0; i < w->count; i++) {
        bool seen[NODES] = {false};
        reach(w, i, seen);
        for (size_t k = 0; w->nodes[i].room != NULL && k < w->count; k++) {
            for (size_t m = 0; k != i && m < MEMBERS; m++) {
                const bool want = seen[k] && m < w->nodes[k].members;
                ck_assert_msg(lists(&w->nodes[i], k, m) == want, "%s: relay %zu %s %zu-%zu", when,
                              i, want ? "does not list" : "lists", k, m);
            }
        }
    }
}

/* Everyone with members sends; all headers and half of the payloads are equal. */
static void check_packets(world *w, const char *when) {
    static uint32_t seq;
    unsigned want[NODES] = {0};
    seq++;
    memset(w->got, 0, sizeof w->got);
    for (size_t i = 0; i < w->count; i++) {
        uint8_t packet[32] = {
            2, 0, 0, 0, 0, 0, 0, (uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq};
        uint8_t buf[DATAGRAM];
        bool seen[NODES] = {false};
        packet[20] = (uint8_t)i;
        if (w->nodes[i].room == NULL) {
            continue;
        }
        const size_t len =
            wzp_federation_egress(w->nodes[i].fed, w->nodes[i].room,
                                  wzp_bytes_of(packet, sizeof packet), buf, sizeof buf, w->now);
        send_all(w, &w->nodes[i], wzp_bytes_of(buf, len), WZP_FED_NO_PEER);
        reach(w, i, seen);
        for (size_t k = 0; k < w->count; k++) {
            want[k] += seen[k] && k != i ? 1 : 0;
        }
    }
    run(w, 1);
    for (size_t i = 0; i < w->count; i++) {
        ck_assert_msg(w->got[i] == want[i], "%s: relay %zu got %u of %u packets", when, i,
                      w->got[i], want[i]);
    }
}

/* --- worlds ----------------------------------------------------------------------------------- */

static void fingerprint(char out[65], size_t i) {
    memset(out, "123456789"[i], 64);
    out[64] = '\0';
}

static void add_node(world *w, size_t index) {
    static const char *const rooms[] = {"general"};
    wzp_fed_peer_cfg peers[NODES];
    char fps[NODES][65];
    char labels[NODES][8];
    char own[65];
    uint32_t count = 0;
    node *n = &w->nodes[index];
    for (size_t i = 0; i < w->count; i++) {
        if (w->joined[index][i]) {
            fingerprint(fps[i], i);
            (void)snprintf(labels[i], sizeof labels[i], "R%zu", i);
            n->peer_of[i] = count;
            peers[count++] = (wzp_fed_peer_cfg){index < i ? wzp_addr_v4(10, 0, 0, 1, (uint16_t)i)
                                                          : (wzp_addr){0},
                                                fps[i], labels[i]};
        }
    }
    fingerprint(own, index);
    n->index = index;
    wzp_prng_init(&n->prng, index, "node");
    const wzp_federation_cfg cfg = {.rng = wzp_prng_rng(&n->prng),
                                    .fingerprint = own,
                                    .peers = peers,
                                    .peer_count = count,
                                    .rooms = rooms,
                                    .room_count = 1,
                                    .dedup_cap = 4096};
    ck_assert(wzp_federation_new(&n->fed, &cfg, w->now) == WZP_OK);
    n->room = NULL;
    n->members = 0;
}

static world *world_new(size_t count, uint64_t seed) {
    world *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->count = count;
    w->now = WZP_S;
    wzp_prng_init(&w->prng, seed, "world");
    return w;
}

static void start(world *w) {
    for (size_t i = 0; i < w->count; i++) {
        add_node(w, i);
        set_members(w, i, 1 + i % MEMBERS);
    }
    run(w, 3);
}

static void world_free(world **at) {
    world *w = *at;
    for (size_t i = 0; i < w->wire_count; i++) {
        hang_up(w, i);
    }
    for (size_t i = 0; i < w->count; i++) {
        wzp_federation_free(&w->nodes[i].fed);
    }
    for (; w->first < w->last; w->first++) {
        free(w->post[w->first % LETTERS].bytes);
    }
    free(w);
    *at = NULL;
}

static void join(world *w, size_t a, size_t b) {
    w->joined[a][b] = w->joined[b][a] = true;
}

static void full_mesh(world *w) {
    for (size_t a = 0; a < w->count; a++) {
        for (size_t b = a + 1; b < w->count; b++) {
            join(w, a, b);
        }
    }
}

/* A tree, so that all are joined, and some more. */
static void random_mesh(world *w) {
    const wzp_rng rng = wzp_prng_rng(&w->prng);
    for (size_t a = 1; a < w->count; a++) {
        join(w, a, (size_t)wzp_rng_below(rng, a));
        for (size_t b = 0; b < a; b++) {
            if (wzp_rng_below(rng, 3) == 0) {
                join(w, a, b);
            }
        }
    }
}

START_TEST(any_mesh) {
    world *w = world_new(2 + (size_t)_i % (NODES - 1), (uint64_t)_i);
    random_mesh(w);
    start(w);
    check_lists(w, "start");
    for (int round = 0; round < 3; round++) {
        check_packets(w, "start");
    }
    set_members(w, 0, 0); /* nobody keeps the others' memory of them alive */
    set_members(w, w->count - 1, MEMBERS);
    run(w, 2);
    check_lists(w, "after a change");
    check_packets(w, "after a change");
    set_members(w, 0, 2);
    run(w, 20);
    check_lists(w, "after a while");
    check_packets(w, "after a while");
    world_free(&w);
}
END_TEST

/* The second part is the set of bits. */
static void split(world *w, unsigned part) {
    for (size_t a = 0; a < w->count; a++) {
        for (size_t b = 0; b < w->count; b++) {
            w->cut[a][b] = ((part >> a ^ part >> b) & 1) != 0;
        }
    }
    for (size_t i = 0; i < w->wire_count; i++) {
        const wire *x = &w->wires[i];
        if (x->used && w->cut[x->ends[0]][x->ends[1]]) {
            hang_up(w, i);
        }
    }
}

START_TEST(every_split_of_five) {
    world *w = world_new(5, (uint64_t)_i);
    full_mesh(w);
    start(w);
    check_packets(w, "whole");
    split(w, (unsigned)_i + 1);
    check_packets(w, "just split");
    run(w, 25);
    check_lists(w, "split");
    check_packets(w, "split");
    memset(w->cut, 0, sizeof w->cut);
    run(w, 40); /* the back-off has grown */
    check_lists(w, "healed");
    check_packets(w, "healed");
    world_free(&w);
}
END_TEST

/* A relay vanishes, and is back after eight seconds with an empty memory. */
START_TEST(one_restarts) {
    world *w = world_new(5, 77);
    const size_t lost = (size_t)_i;
    full_mesh(w);
    start(w);
    split(w, 1U << lost);
    wzp_federation_free(&w->nodes[lost].fed);
    add_node(w, lost);
    run(w, 8);
    memset(w->cut, 0, sizeof w->cut);
    set_members(w, lost, 1);
    run(w, 12);
    check_lists(w, "back");
    check_packets(w, "back");
    world_free(&w);
}
END_TEST

/* What it costs in a full mesh: a join is told once over each link, and refreshed. */
START_TEST(announcements_do_not_circulate) {
    world *w = world_new(5, 5);
    uint64_t before = 0;
    uint64_t after = 0;
    full_mesh(w);
    start(w);
    run(w, 20);
    for (size_t i = 0; i < w->count; i++) {
        wzp_fed_counters n;
        wzp_federation_count(w->nodes[i].fed, &n);
        before += n.announcements;
    }
    set_members(w, 0, 2);
    run(w, 5);
    for (size_t i = 0; i < w->count; i++) {
        wzp_fed_counters n;
        wzp_federation_count(w->nodes[i].fed, &n);
        after += n.announcements;
    }
    ck_assert_uint_le(after - before, 60); /* three over each of 20 directions */
    world_free(&w);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("mesh");
    tcase_add_loop_test(tc, any_mesh, 0, 40);
    tcase_add_loop_test(tc, every_split_of_five, 0, 15);
    tcase_add_loop_test(tc, one_restarts, 0, 5);
    tcase_add_test(tc, announcements_do_not_circulate);
    return wzp_run_suite("mesh", tc);
}
