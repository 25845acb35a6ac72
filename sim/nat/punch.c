#include "sim/nat/punch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"

enum {
    SERVERS = 3,
    AHEAD = 7,
    ROUNDS = 3,
    TARGETS = 2 * AHEAD,
    QUEUE = 512,
    UDP = 17,
    PORT = 40000
};

typedef enum kind { TICKLE, INITIAL, ANSWER, THIRD } kind;

typedef struct message {
    kind kind;
    wzp_addr src, dst;
} message;

/* One end: its boxes, and what it knows of itself and is told of the other. */
typedef struct side {
    wzp_sim_nat *nat[WZP_SIM_PUNCH_BOXES]; /* inner first */
    wzp_addr external[WZP_SIM_PUNCH_BOXES];
    size_t count;
    wzp_addr host;
    wzp_addr seen[SERVERS]; /* of `host`, by the servers, in this order */
    wzp_addr mapped;        /* family NONE: nothing that is of use */
    wzp_addr targets[TARGETS];
    size_t target_count;
    bool dials;
} side;

typedef struct world {
    side sides[2]; /* acceptor, dialer */
    message queue[QUEUE];
    size_t head, tail;
    bool direct;
} world;

/* --- the network ------------------------------------------------------------------------------ */

/* False: dropped on the way out.  *src is what the network sees. */
static bool leave(const side *from, wzp_addr *src, const wzp_addr *dst) {
    wzp_addr to = *dst;
    for (size_t i = 0; i < from->count; i++) {
        if (wzp_sim_nat_out(from->nat[i], UDP, src, &to, 0) != WZP_SIM_NAT_FORWARD) {
            return false;
        }
    }
    return true;
}

static bool enter(const side *at, const wzp_addr *src, wzp_addr *dst) {
    for (size_t i = at->count; i-- > 0;) {
        if (wzp_sim_nat_in(at->nat[i], UDP, src, dst, 0) != WZP_SIM_NAT_FORWARD) {
            return false;
        }
    }
    return wzp_addr_equal(dst, &at->host);
}

static const wzp_addr *public_address(const side *s) {
    return s->count > 0 ? &s->external[s->count - 1] : &s->host;
}

static void post(world *w, const side *from, kind what, const wzp_addr *dst) {
    message m = {what, from->host, *dst};
    if (leave(from, &m.src, dst)) {
        assert(w->tail < QUEUE);
        w->queue[w->tail++] = m;
    }
}

static bool is_dialed(const side *s, const wzp_addr *addr) {
    for (size_t i = 0; i < s->target_count; i++) {
        if (s->dials && wzp_addr_equal(&s->targets[i], addr)) {
            return true;
        }
    }
    return false;
}

static void hear(world *w, const side *at, const message *m) {
    switch (m->kind) {
    case TICKLE:
        break;
    case INITIAL:
        post(w, at, ANSWER, &m->src);
        break;
    case ANSWER:
        if (is_dialed(at, &m->src)) {
            post(w, at, THIRD, &m->src);
        }
        break;
    case THIRD:
        w->direct = true;
        break;
    }
}

static void deliver_all(world *w) {
    while (w->head < w->tail) {
        message m = w->queue[w->head++];
        for (size_t i = 0; i < 2; i++) {
            const side *at = &w->sides[i];
            wzp_addr dst = m.dst;
            if (wzp_addr_same_ip(public_address(at), &dst) && enter(at, &m.src, &dst)) {
                hear(w, at, &m);
            }
        }
    }
}

static void send_flight(world *w, const side *from, kind what) {
    for (size_t i = 0; i < from->target_count; i++) {
        post(w, from, what, &from->targets[i]);
    }
    deliver_all(w);
}

/* --- setting up ------------------------------------------------------------------------------- */

static wzp_err build(side *s, const wzp_sim_punch_side *cfg, const wzp_addr *address,
                     uint64_t seed) {
    static const char *const names[] = {"inner", "outer"};
    wzp_fail fail;
    bool translated = false;
    assert(cfg->box_count <= WZP_COUNT_OF(names));
    for (size_t i = 0; i < cfg->box_count; i++) {
        translated = translated || !cfg->boxes[i].identity;
    }
    s->host = translated ? wzp_addr_v4(192, 168, 1, 2, PORT) : *address;
    s->host.port = PORT;
    for (size_t i = 0; i < cfg->box_count; i++) {
        s->external[i] =
            i + 1 == cfg->box_count ? *address : wzp_addr_v4(100, 64, 0, (uint8_t)(2 + i), 0);
        const wzp_err err = wzp_sim_nat_new(&s->nat[i], &cfg->boxes[i], &s->external[i], 1, seed,
                                            names[i], 0, &fail);
        if (err != WZP_OK) {
            return err;
        }
        s->count++;
    }
    return WZP_OK;
}

/* The inner box forwards a port.  A client gives it back when the external address is none that the
 * other side can reach. */
static wzp_err map(side *s) {
    if (s->count == 0) {
        return WZP_OK;
    }
    wzp_sim_nat_explicit mapping = {.proto = UDP,
                                    .internal = s->host,
                                    .external = wzp_sim_nat_external(s->nat[0], &s->host),
                                    .expires = WZP_TIME_NEVER};
    mapping.external.port = PORT;
    const wzp_err err = wzp_sim_nat_map(s->nat[0], &mapping, 0);
    if (err != WZP_OK) {
        return err;
    }
    if (wzp_addr_same_ip(&mapping.external, public_address(s))) {
        s->mapped = mapping.external;
    } else {
        (void)wzp_sim_nat_unmap(s->nat[0], UDP, &mapping.external);
    }
    return WZP_OK;
}

static void learn(side *s) {
    for (size_t i = 0; i < SERVERS; i++) {
        const wzp_addr server = wzp_addr_v4(192, 0, 2, (uint8_t)(1 + i), 3478);
        s->seen[i] = s->host;
        if (!leave(s, &s->seen[i], &server)) {
            s->seen[i] = (wzp_addr){0};
        }
    }
}

/* Others use the same NAT meanwhile. */
static void disturb(const side *s, const wzp_sim_punch_side *cfg, uint32_t mean_milli,
                    wzp_prng *prng) {
    for (size_t i = 0; i < s->count; i++) {
        if (cfg->boxes[i].ports != WZP_SIM_NAT_SEQUENTIAL) {
            continue;
        }
        const uint32_t flows = wzp_chance_poisson(prng, (wzp_q32)mean_milli * WZP_Q32_ONE / 1000);
        for (uint32_t n = 0; n < flows; n++) {
            wzp_addr src = wzp_addr_v4(192, 168, 1, 3, (uint16_t)(PORT + n));
            wzp_addr dst = wzp_addr_v4(192, 0, 2, 99, 443);
            (void)wzp_sim_nat_out(s->nat[i], UDP, &src, &dst, 0);
        }
    }
}

/* --- whom to send to -------------------------------------------------------------------------- */

/* The step between the ports that the servers saw; 0: none that can be continued. */
static int32_t step_of(const side *peer) {
    const int32_t first = (int32_t)peer->seen[1].port - peer->seen[0].port;
    const int32_t second = (int32_t)peer->seen[2].port - peer->seen[1].port;
    return first == second ? first : 0;
}

static void add_target(side *s, const wzp_addr *target) {
    if (target->family == WZP_ADDR_NONE) {
        return;
    }
    for (size_t i = 0; i < s->target_count; i++) {
        if (wzp_addr_equal(&s->targets[i], target)) {
            return;
        }
    }
    s->targets[s->target_count++] = *target;
}

/* Predicted ports come before any other new destination, so that packet k of one side meets
 * mapping k of the other when both are sequential (nat sheet 1.18). */
static void choose_targets(side *s, const side *peer, wzp_sim_punch_strategy strategy) {
    const int32_t step = strategy == WZP_SIM_PUNCH_PREDICTED ? step_of(peer) : 0;
    for (int32_t k = 1; step != 0 && k <= AHEAD; k++) {
        wzp_addr next = peer->seen[SERVERS - 1];
        next.port = (uint16_t)(next.port + k * step);
        add_target(s, &next);
    }
    add_target(s, &peer->mapped);
    add_target(s, &peer->seen[0]);
}

/* --- the attempt ------------------------------------------------------------------------------ */

/* The dialer's packets arrive before the acceptor's first one has left: the worst case.  Then both
 * repeat theirs twice. */
static void attempt(world *w, wzp_sim_punch_strategy strategy) {
    side *acceptor = &w->sides[0];
    side *dialer = &w->sides[1];
    dialer->dials = true;
    acceptor->dials = strategy >= WZP_SIM_PUNCH_BOTH_DIAL;
    for (size_t round = 0; round < ROUNDS; round++) {
        send_flight(w, dialer, INITIAL);
        if (acceptor->dials) {
            send_flight(w, acceptor, INITIAL);
        } else if (round == 0 && strategy == WZP_SIM_PUNCH_SPECIFIED) {
            send_flight(w, acceptor, TICKLE);
        }
    }
}

static wzp_err prepare(world *w, const wzp_sim_punch_cfg *cfg) {
    const wzp_sim_punch_side *described[] = {&cfg->acceptor, &cfg->dialer};
    const wzp_addr addresses[] = {wzp_addr_v4(198, 51, 100, 9, 0), wzp_addr_v4(203, 0, 113, 5, 0)};
    wzp_prng prng;
    wzp_prng_init(&prng, cfg->seed, "foreign");
    for (size_t i = 0; i < 2; i++) {
        side *s = &w->sides[i];
        wzp_err err = build(s, described[i], &addresses[i], cfg->seed + i);
        if (err == WZP_OK && described[i]->mapped) {
            err = map(s);
        }
        if (err != WZP_OK) {
            return err;
        }
        learn(s);
        disturb(s, described[i], cfg->foreign_milli, &prng);
    }
    for (size_t i = 0; i < 2; i++) {
        choose_targets(&w->sides[i], &w->sides[1 - i], cfg->strategy);
    }
    return WZP_OK;
}

wzp_err wzp_sim_punch(const wzp_sim_punch_cfg *cfg, bool *direct) {
    if (cfg->foreign_milli > 30000 || cfg->acceptor.box_count > WZP_SIM_PUNCH_BOXES ||
        cfg->dialer.box_count > WZP_SIM_PUNCH_BOXES) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    world w = {.direct = false};
    const wzp_err err = prepare(&w, cfg);
    if (err == WZP_OK) {
        attempt(&w, cfg->strategy);
        *direct = w.direct;
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < WZP_SIM_PUNCH_BOXES; k++) {
            wzp_sim_nat_free(&w.sides[i].nat[k]);
        }
    }
    return err;
}

const wzp_sim_punch_type *wzp_sim_punch_type_at(size_t index) {
    static const wzp_sim_punch_type types[] = {
        {"PUB", "pub"},         {"FW", "fw"},          {"FC", "fullcone"}, {"RC", "addrcone"},
        {"PRC", "linux-masq"},  {"ADM", "adm"},        {"SYS", "symseq"},  {"SYR", "symrand"},
        {"CGE", "double-easy"}, {"CGH", "double-hard"}};
    return index < sizeof types / sizeof *types ? &types[index] : NULL;
}

bool wzp_sim_punch_side_of(const char *preset, wzp_sim_punch_side *out) {
    wzp_sim_punch_side made = {.box_count = 0};
    const int boxes = wzp_sim_nat_chain(preset, made.boxes);
    if (boxes < 0) {
        return false;
    }
    made.box_count = (size_t)boxes;
    *out = made;
    return true;
}

/* --- birthday --------------------------------------------------------------------------------- */

/* Each socket sends once; *port is where the last one was seen. */
static void open_sockets(wzp_sim_nat *nat, const wzp_sim_birthday_cfg *cfg, const wzp_addr *easy,
                         uint16_t *port) {
    for (uint32_t i = 0; i < cfg->sockets; i++) {
        wzp_addr src = wzp_addr_v4(192, 168, 1, 2, (uint16_t)(1024 + i));
        wzp_addr dst = *easy;
        if (wzp_sim_nat_out(nat, UDP, &src, &dst, 0) == WZP_SIM_NAT_FORWARD) {
            *port = src.port;
        }
    }
}

/* The first `probes` of all ports in random order. */
static bool probe(wzp_sim_nat *nat, const wzp_addr *external, const wzp_addr *easy, uint32_t low,
                  uint32_t count, uint32_t probes, uint16_t *ports, wzp_prng *prng) {
    for (uint32_t i = 0; i < count; i++) {
        ports[i] = (uint16_t)(low + i);
    }
    for (uint32_t i = 0; i < probes; i++) {
        const uint64_t other = wzp_chance_between(prng, i, count - 1);
        wzp_addr dst = *external;
        dst.port = ports[other];
        ports[other] = ports[i];
        if (wzp_sim_nat_in(nat, UDP, easy, &dst, 0) == WZP_SIM_NAT_FORWARD) {
            return true;
        }
    }
    return false;
}

wzp_err wzp_sim_birthday(const wzp_sim_birthday_cfg *cfg, bool *hit) {
    const wzp_addr external = wzp_addr_v4(203, 0, 113, 5, 0);
    const wzp_addr easy = wzp_addr_v4(198, 51, 100, 9, PORT);
    const uint32_t block = cfg->in_block ? cfg->nat.block_size : 0;
    const uint32_t count = block > 0 ? block : (uint32_t)cfg->last_port - cfg->first_port + 1;
    wzp_sim_nat *nat = NULL;
    wzp_fail fail;
    if (cfg->first_port > cfg->last_port || cfg->probes > count) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    uint16_t *ports = calloc(count, sizeof *ports);
    wzp_err err = ports != NULL ? wzp_sim_nat_new(&nat, &cfg->nat, &external, 1, cfg->seed,
                                                  "birthday", 0, &fail)
                                : WZP_ERR_NOMEM;
    if (err == WZP_OK) {
        wzp_prng prng;
        uint16_t seen = cfg->first_port;
        wzp_prng_init(&prng, cfg->seed, "probes");
        open_sockets(nat, cfg, &easy, &seen);
        const uint32_t low = block > 0 ? seen / block * block : cfg->first_port;
        *hit = probe(nat, &external, &easy, low, count, cfg->probes, ports, &prng);
    }
    wzp_sim_nat_free(&nat);
    free(ports);
    return err;
}
