/* Test helper: packet cores on an in-memory network with a virtual clock.  Header-only, so that no
 * product library carries it. */
#ifndef WZP_QUIC_TESTING_PAIR_H
#define WZP_QUIC_TESTING_PAIR_H

#include <check.h>
#include <stdlib.h>

#include "quic/core.h"

#define PAIR_HOSTS 160
#define PAIR_FLIGHT 4096

typedef struct pair_packet {
    wzp_time at;
    uint64_t order;
    wzp_quic_path path; /* as the receiver sees it */
    size_t len;
    uint8_t data[1500];
} pair_packet;

typedef struct pair_net {
    wzp_time now;
    uint64_t delay;
    uint32_t loss_ppm;
    uint8_t ecn; /* how what arrives is marked */
    wzp_prng prng;
    size_t hosts;
    wzp_addr addr[PAIR_HOSTS];
    bool cut[PAIR_HOSTS];  /* nothing that this host sends arrives */
    bool deaf[PAIR_HOSTS]; /* nothing arrives here */
    /* Besides loss_ppm, of what this host sends, and of what should arrive here. */
    uint32_t loss_from_ppm[PAIR_HOSTS], loss_to_ppm[PAIR_HOSTS];
    wzp_core core[PAIR_HOSTS];
    void (*after[PAIR_HOSTS])(void *ctx, wzp_time now);
    void *after_ctx[PAIR_HOSTS];
    pair_packet *flight[PAIR_FLIGHT];
    size_t in_flight;
    uint64_t order, packets, bytes, lost;
    uint64_t hash; /* of everything that was sent */
} pair_net;

static inline void pair_init(pair_net *net, uint64_t seed) {
    memset(net, 0, sizeof *net);
    net->now = WZP_S;
    net->delay = 10 * WZP_MS;
    net->hash = UINT64_C(0xcbf29ce484222325);
    wzp_prng_init(&net->prng, seed, "net");
}

static inline void pair_add(pair_net *net, wzp_core core, wzp_addr addr,
                            void (*after)(void *, wzp_time), void *ctx) {
    ck_assert_uint_lt(net->hosts, PAIR_HOSTS);
    net->core[net->hosts] = core;
    net->addr[net->hosts] = addr;
    net->after[net->hosts] = after;
    net->after_ctx[net->hosts++] = ctx;
}

/* Draws only where there may be loss. */
static inline bool pair_loses(pair_net *net, uint32_t ppm) {
    return ppm > 0 && wzp_rng_below(wzp_prng_rng(&net->prng), 1000000) < ppm;
}

/* Not by the port alone. */
static inline bool pair_is_named(const wzp_addr *local) {
    static const uint8_t all[sizeof local->ip];
    return local->family != WZP_ADDR_NONE && memcmp(local->ip, all, sizeof all) != 0;
}

static inline void pair_send(pair_net *net, size_t host, const wzp_quic_meta *meta,
                             const uint8_t *data, size_t len) {
    for (size_t from = 0; from < len; from += meta->segment) {
        const size_t n = len - from < meta->segment ? len - from : meta->segment;
        net->packets++;
        net->bytes += n;
        for (size_t i = 0; i < n; i++) {
            net->hash = (net->hash ^ data[from + i]) * UINT64_C(0x100000001b3);
        }
        if (wzp_rng_below(wzp_prng_rng(&net->prng), 1000000) < net->loss_ppm || net->cut[host] ||
            pair_loses(net, net->loss_from_ppm[host])) {
            net->lost++;
            continue;
        }
        ck_assert_uint_lt(net->in_flight, PAIR_FLIGHT);
        pair_packet *p = malloc(sizeof *p);
        ck_assert_uint_le(n, sizeof p->data);
        p->at = net->now + net->delay;
        p->order = net->order++;
        const wzp_addr source =
            pair_is_named(&meta->path.local) ? meta->path.local : net->addr[host];
        p->path = (wzp_quic_path){meta->path.remote, source};
        p->len = n;
        memcpy(p->data, data + from, n);
        net->flight[net->in_flight++] = p;
    }
}

static inline void pair_pump(pair_net *net, size_t host) {
    static uint8_t buf[WZP_QUIC_PACKET_MAX];
    wzp_core *core = &net->core[host];
    for (int round = 0; round < 3; round++) {
        wzp_quic_meta meta;
        for (size_t n;
             (n = core->ops->next_packet(core->self, net->now, buf, sizeof buf, &meta)) > 0;) {
            pair_send(net, host, &meta, buf, n);
        }
        if (net->after[host] == NULL || round == 2) {
            break;
        }
        net->after[host](net->after_ctx[host], net->now);
    }
}

static inline size_t pair_first(const pair_net *net) {
    size_t best = 0;
    for (size_t i = 1; i < net->in_flight; i++) {
        const pair_packet *a = net->flight[i];
        const pair_packet *b = net->flight[best];
        if (a->at < b->at || (a->at == b->at && a->order < b->order)) {
            best = i;
        }
    }
    return best;
}

static inline void pair_deliver(pair_net *net, pair_packet *p) {
    for (size_t h = 0; h < net->hosts; h++) {
        if (wzp_addr_equal(&net->addr[h], &p->path.local) && !net->deaf[h] &&
            !pair_loses(net, net->loss_to_ppm[h])) {
            net->core[h].ops->recv(net->core[h].self, &p->path, net->ecn,
                                   wzp_bytes_of(p->data, p->len), net->now);
            net->core[h].ops->tick(net->core[h].self, net->now);
            pair_pump(net, h);
        }
    }
    free(p);
}

/* Runs the network until `until`. */
static inline void pair_run(pair_net *net, wzp_time until) {
    for (size_t h = 0; h < net->hosts; h++) {
        pair_pump(net, h);
    }
    for (;;) {
        wzp_time next = WZP_TIME_NEVER;
        size_t first = 0;
        if (net->in_flight > 0) {
            first = pair_first(net);
            next = net->flight[first]->at;
        }
        size_t host = SIZE_MAX;
        for (size_t h = 0; h < net->hosts; h++) {
            const wzp_time d = net->core[h].ops->deadline(net->core[h].self);
            if (d < next) {
                next = d > net->now ? d : net->now;
                host = h;
            }
        }
        if (next > until) {
            net->now = until;
            return;
        }
        net->now = next > net->now ? next : net->now;
        if (host != SIZE_MAX) {
            net->core[host].ops->tick(net->core[host].self, net->now);
            pair_pump(net, host);
        } else {
            pair_packet *p = net->flight[first];
            net->flight[first] = net->flight[--net->in_flight];
            net->flight[net->in_flight] = NULL;
            pair_deliver(net, p);
        }
    }
}

static inline void pair_clear(pair_net *net) {
    for (size_t i = 0; i < net->in_flight; i++) {
        free(net->flight[i]);
    }
    net->in_flight = 0;
}

#endif
