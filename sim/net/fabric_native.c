#include <assert.h>
#include <stdlib.h>

#include "sim/net/fabric.h"

typedef struct native native;

/* One direction: what its sender sees is `entry`, what its link delivers to is `exit`, and between
 * both, at the nodes' interfaces, somebody may look.
 *
 *     a --> entry --> link --> exit --> b */
typedef struct way {
    wzp_sim_pipe entry; /* first: a pipe is cast to its way */
    wzp_sim_node exit;
    native *fabric;
    wzp_sim_link *link;
    wzp_sim_node *to;
    char *from_interface, *to_interface;
    char *name; /* of link and entry */
} way;

typedef struct pair {
    way ways[2];
} pair;

struct native {
    wzp_sim_fabric fabric; /* first: a fabric is cast to its native one */
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    pair **pairs; /* pointers: pipes of the ways are in use */
    size_t pair_count, pair_cap;
    wzp_sim_tap *tap;
    void *tap_ctx;
    wzp_sim_drop_tap *drop_tap;
    void *drop_ctx;
};

static native *native_of(wzp_sim_fabric *fabric) {
    return (native *)fabric;
}

/* --- what passes ------------------------------------------------------------------------------ */

static void enter(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    const way *w = (const way *)pipe;
    const native *n = w->fabric;
    if (n->tap != NULL) {
        n->tap(n->tap_ctx, w->from_interface, WZP_SIM_WAY_OUT, packet, now);
    }
    wzp_sim_pipe_carry(wzp_sim_link_pipe(w->link), packet, now);
}

static void leave(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    const way *w = (const way *)((const char *)node - offsetof(way, exit));
    const native *n = w->fabric;
    if (n->tap != NULL) {
        n->tap(n->tap_ctx, w->to_interface, WZP_SIM_WAY_IN, packet, now);
    }
    wzp_sim_node_deliver(w->to, port, packet, now);
}

static void on_drop(void *ctx, const wzp_sim_packet *packet, wzp_sim_drop why, wzp_time now) {
    const way *w = ctx;
    if (w->fabric->drop_tap != NULL) {
        w->fabric->drop_tap(w->fabric->drop_ctx, w->name, packet, why, now);
    }
}

/* --- links ------------------------------------------------------------------------------------ */

static void clear_way(way *w) {
    wzp_sim_link_free(&w->link);
    free(w->name);
    free(w->from_interface);
    free(w->to_interface);
}

/* After a failure clear_way() frees what there is. */
static wzp_err init_way(way *w, native *n, const char *name, const wzp_sim_end *from,
                        const wzp_sim_end *to, const wzp_sim_link_cfg *cfg) {
    w->fabric = n;
    w->name = wzp_sim_way_name(name, from, to);
    w->from_interface = wzp_sim_interface_name(from);
    w->to_interface = wzp_sim_interface_name(to);
    if (w->name == NULL || w->from_interface == NULL || w->to_interface == NULL) {
        return WZP_ERR_NOMEM;
    }
    w->to = to->node;
    w->entry = (wzp_sim_pipe){.carry = enter, .name = w->name};
    w->exit = (wzp_sim_node){.deliver = leave, .name = to->node->name};
    const wzp_err err =
        wzp_sim_link_new(&w->link, w->name, cfg, n->clock, n->pool, &w->exit, to->port);
    if (err == WZP_OK) {
        wzp_sim_link_set_origin(w->link, from->node, from->port, &from->address);
        wzp_sim_link_watch(w->link, on_drop, w);
    }
    return err;
}

static wzp_err check_cfg(const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    if (cfg->access != NULL) {
        *fail = (wzp_fail){.code = WZP_ERR_INVALID_ARGUMENT, .field = "access"};
        return WZP_ERR_INVALID_ARGUMENT;
    }
    return wzp_sim_link_check(cfg, fail);
}

static bool make_room(native *n) {
    if (n->pair_count < n->pair_cap) {
        return true;
    }
    const size_t cap = n->pair_cap == 0 ? 16 : n->pair_cap * 2;
    pair **pairs = realloc(n->pairs, cap * sizeof(pair *));
    if (pairs == NULL) {
        return false;
    }
    n->pairs = pairs;
    n->pair_cap = cap;
    return true;
}

static wzp_err add_pair(native *n, const char *name, const wzp_sim_end *a, const wzp_sim_end *b,
                        const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba) {
    pair *p = make_room(n) ? calloc(1, sizeof *p) : NULL;
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_err err = init_way(&p->ways[0], n, name, a, b, ab);
    if (err == WZP_OK) {
        err = init_way(&p->ways[1], n, name, b, a, ba);
    }
    if (err != WZP_OK) {
        clear_way(&p->ways[0]);
        clear_way(&p->ways[1]);
        free(p);
        return err;
    }
    n->pairs[n->pair_count++] = p;
    return WZP_OK;
}

/* --- operations ------------------------------------------------------------------------------- */

static wzp_err link_nodes(wzp_sim_fabric *fabric, const char *name, const wzp_sim_end *a,
                          const wzp_sim_end *b, const wzp_sim_link_cfg *ab,
                          const wzp_sim_link_cfg *ba, wzp_sim_pipe *pipe[2], size_t *index,
                          wzp_fail *fail) {
    native *n = native_of(fabric);
    wzp_err err = check_cfg(ab, fail);
    if (err == WZP_OK) {
        err = check_cfg(ba, fail);
    }
    if (err != WZP_OK) {
        return err;
    }
    err = add_pair(n, name, a, b, ab, ba);
    if (err != WZP_OK) {
        *fail = (wzp_fail){.code = err, .field = "link"};
        return err;
    }
    *index = n->pair_count - 1;
    pipe[0] = &n->pairs[*index]->ways[0].entry;
    pipe[1] = &n->pairs[*index]->ways[1].entry;
    return WZP_OK;
}

static wzp_sim_link *link_at(const wzp_sim_fabric *fabric, size_t index, unsigned direction) {
    const native *n = (const native *)fabric;
    assert(index < n->pair_count && direction < 2);
    return n->pairs[index]->ways[direction].link;
}

static void set(wzp_sim_fabric *fabric, size_t index, unsigned direction,
                const wzp_sim_link_cfg *cfg) {
    wzp_sim_link_set(link_at(fabric, index, direction), cfg);
}

static void cut(wzp_sim_fabric *fabric, size_t index, unsigned direction, bool down, bool hold) {
    wzp_sim_link_cut(link_at(fabric, index, direction), down, hold);
}

static void count(const wzp_sim_fabric *fabric, size_t index, unsigned direction,
                  wzp_sim_counts *out) {
    wzp_sim_link_count(link_at(fabric, index, direction), out);
}

static void set_tap(wzp_sim_fabric *fabric, wzp_sim_tap *tap, void *ctx) {
    native_of(fabric)->tap = tap;
    native_of(fabric)->tap_ctx = ctx;
}

static void set_watch(wzp_sim_fabric *fabric, wzp_sim_drop_tap *tap, void *ctx) {
    native_of(fabric)->drop_tap = tap;
    native_of(fabric)->drop_ctx = ctx;
}

static wzp_sim_clock clock_of(wzp_sim_fabric *fabric) {
    return native_of(fabric)->clock;
}

static wzp_sim_pool *pool_of(wzp_sim_fabric *fabric) {
    return native_of(fabric)->pool;
}

static wzp_sim_stop run(wzp_sim_fabric *fabric, wzp_time until) {
    return wzp_sim_engine_run(native_of(fabric)->engine, until);
}

static void stop(wzp_sim_fabric *fabric) {
    wzp_sim_engine_stop(native_of(fabric)->engine);
}

static uint64_t events(const wzp_sim_fabric *fabric) {
    return wzp_sim_engine_events(((const native *)fabric)->engine);
}

static wzp_time deadline(const wzp_sim_fabric *fabric) {
    return wzp_sim_engine_deadline(((const native *)fabric)->engine);
}

static void free_native(wzp_sim_fabric *fabric) {
    native *n = native_of(fabric);
    for (size_t i = 0; i < n->pair_count; i++) {
        clear_way(&n->pairs[i]->ways[0]);
        clear_way(&n->pairs[i]->ways[1]);
        free(n->pairs[i]);
    }
    free(n->pairs);
    wzp_sim_engine_free(&n->engine);
    wzp_sim_pool_free(&n->pool);
    free(n);
}

static const wzp_sim_fabric_ops native_ops = {
    .clock = clock_of,
    .pool = pool_of,
    .link = link_nodes,
    .set = set,
    .cut = cut,
    .count = count,
    .tap = set_tap,
    .watch = set_watch,
    .run = run,
    .stop = stop,
    .events = events,
    .deadline = deadline,
    .free = free_native,
};

wzp_err wzp_sim_fabric_native(wzp_sim_fabric **out, const wzp_sim_engine_cfg *cfg) {
    native *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return WZP_ERR_NOMEM;
    }
    n->fabric = (wzp_sim_fabric){.ops = &native_ops, .engine = "native"};
    n->pool = wzp_sim_pool_new();
    const wzp_err err = n->pool == NULL ? WZP_ERR_NOMEM : wzp_sim_engine_new(&n->engine, cfg);
    if (err != WZP_OK) {
        wzp_sim_pool_free(&n->pool);
        free(n);
        return err;
    }
    n->clock = wzp_sim_engine_clock(n->engine);
    *out = &n->fabric;
    return WZP_OK;
}
