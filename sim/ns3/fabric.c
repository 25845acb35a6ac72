#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net/packet.h"
#include "sim/ns3/ns3.h"
#include "sim/ns3/plan.h"

typedef struct ns3_fabric ns3_fabric;
typedef struct way way;

/* Where a native stage ends: what follows it. */
typedef struct joint {
    wzp_sim_node node; /* first: a node is cast to its joint */
    way *way;
} joint;

/* One direction (plan.h has the order).  A stage is NULL as long as nothing needs it. */
struct way {
    wzp_sim_pipe entry; /* first: a pipe is cast to its way */
    ns3_fabric *fabric;
    size_t index;
    unsigned direction;
    wzp_sim_end from, to;
    char *name, *from_interface, *to_interface;
    wzp_ns3_plan plan;
    wzp_sim_link *before, *mangle, *after;
    joint after_before, after_mangle, after_after;
    wzp_sim_counts counts;
};

typedef struct pair {
    way ways[2];
} pair;

typedef struct seat {
    const wzp_sim_node *node;
    size_t number; /* of ns-3's */
} seat;

struct ns3_fabric {
    wzp_sim_fabric fabric; /* first: a fabric is cast to it */
    const wzp_ns3_ops *ns3;
    wzp_ns3_world *world;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    pair **pairs; /* pointers: pipes of the ways are in use */
    size_t pair_count;
    seat *seats;
    size_t seat_count;
    wzp_sim_tap *tap;
    void *tap_ctx;
};

static ns3_fabric *of(wzp_sim_fabric *fabric) {
    return (ns3_fabric *)fabric;
}

static way *way_of(const ns3_fabric *f, size_t index, unsigned direction) {
    assert(index < f->pair_count && direction < 2);
    return &f->pairs[index]->ways[direction];
}

/* --- what passes, from back to front ---------------------------------------------------------- */

static void arrived(way *w, wzp_sim_packet *packet, wzp_time now) {
    const ns3_fabric *f = w->fabric;
    w->counts.out++;
    w->counts.bytes_out += wzp_sim_packet_wire_len(packet);
    if (f->tap != NULL) {
        f->tap(f->tap_ctx, w->to_interface, WZP_SIM_WAY_IN, packet, now);
    }
    wzp_sim_node_deliver(w->to.node, w->to.port, packet, now);
}

static void leave_after(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)port;
    arrived(((joint *)node)->way, packet, now);
}

static void on_arrive(void *ctx, size_t index, unsigned direction, void *handle, uint8_t tos,
                      wzp_time now) {
    way *w = way_of(ctx, index, direction);
    wzp_sim_packet *packet = handle;
    w->counts.marked += packet->tos != tos ? 1 : 0;
    packet->tos = tos;
    if (w->after != NULL) {
        wzp_sim_pipe_carry(wzp_sim_link_pipe(w->after), packet, now);
    } else {
        arrived(w, packet, now);
    }
}

static void drop(way *w, wzp_sim_packet *packet, wzp_sim_drop why) {
    w->counts.dropped[why]++;
    wzp_sim_packet_free(packet);
}

static void on_drop(void *ctx, size_t index, unsigned direction, void *packet, wzp_sim_drop why,
                    wzp_time now) {
    (void)now;
    drop(way_of(ctx, index, direction), packet, why);
}

static void on_release(void *ctx, void *packet) {
    (void)ctx;
    wzp_sim_packet_free(packet);
}

static size_t on_bytes(void *ctx, const void *packet, uint8_t *out, size_t cap) {
    (void)ctx;
    return wzp_sim_packet_bytes(packet, out, cap);
}

static uint64_t mix(uint64_t hash, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    }
    return hash;
}

static uint64_t flow_of(const wzp_sim_packet *packet) {
    const uint16_t ports[] = {packet->src.port, packet->dst.port};
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), packet->src.ip, sizeof packet->src.ip);
    hash = mix(hash, packet->dst.ip, sizeof packet->dst.ip);
    for (size_t i = 0; i < WZP_COUNT_OF(ports); i++) {
        const uint8_t bytes[] = {(uint8_t)(ports[i] >> 8), (uint8_t)ports[i]};
        hash = mix(hash, bytes, sizeof bytes);
    }
    return mix(hash, &packet->proto, 1);
}

static void to_queue(way *w, wzp_sim_packet *packet) {
    const ns3_fabric *f = w->fabric;
    const wzp_ns3_parcel parcel = {
        .packet = packet,
        .flow = flow_of(packet),
        .bytes = wzp_sim_packet_wire_len(packet),
        .tos = packet->tos,
    };
    f->ns3->send(f->world, w->index, w->direction, &parcel);
}

static void leave_mangle(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)port, (void)now;
    to_queue(((joint *)node)->way, packet);
}

static void to_loss(way *w, wzp_sim_packet *packet, wzp_time now) {
    const ns3_fabric *f = w->fabric;
    if (w->plan.ns3.loss.model != WZP_SIM_LOSS_NONE &&
        f->ns3->lost(f->world, w->index, w->direction, wzp_sim_packet_wire_len(packet))) {
        drop(w, packet, WZP_SIM_DROP_LOSS);
    } else if (w->mangle != NULL) {
        wzp_sim_pipe_carry(wzp_sim_link_pipe(w->mangle), packet, now);
    } else {
        to_queue(w, packet);
    }
}

static void leave_before(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)port;
    to_loss(((joint *)node)->way, packet, now);
}

static void enter(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    way *w = (way *)pipe;
    const ns3_fabric *f = w->fabric;
    w->counts.in++;
    w->counts.bytes_in += wzp_sim_packet_wire_len(packet);
    if (f->tap != NULL) {
        f->tap(f->tap_ctx, w->from_interface, WZP_SIM_WAY_OUT, packet, now);
    }
    if (w->before != NULL) {
        wzp_sim_pipe_carry(wzp_sim_link_pipe(w->before), packet, now);
    } else {
        to_loss(w, packet, now);
    }
}

/* --- stages ----------------------------------------------------------------------------------- */

/* Makes the stage when it is needed for the first time. */
static wzp_err set_stage(way *w, wzp_sim_link **stage, bool needed, const wzp_sim_link_cfg *cfg,
                         joint *to) {
    if (*stage != NULL) {
        wzp_sim_link_set(*stage, cfg);
        return WZP_OK;
    }
    if (!needed) {
        return WZP_OK;
    }
    const wzp_err err =
        wzp_sim_link_new(stage, w->name, cfg, w->fabric->clock, w->fabric->pool, &to->node, 0);
    if (err == WZP_OK) {
        wzp_sim_link_set_origin(*stage, w->from.node, w->from.port, &w->from.address);
    }
    return err;
}

static wzp_err set_stages(way *w, const wzp_ns3_plan *plan) {
    wzp_err err = set_stage(w, &w->before, plan->has_before, &plan->before, &w->after_before);
    if (err == WZP_OK) {
        err = set_stage(w, &w->mangle, plan->has_mangle, &plan->mangle, &w->after_mangle);
    }
    if (err == WZP_OK) {
        err = set_stage(w, &w->after, plan->has_after, &plan->after, &w->after_after);
    }
    w->plan = *plan;
    return err;
}

/* --- links ------------------------------------------------------------------------------------ */

static void clear_way(way *w) {
    wzp_sim_link_free(&w->before);
    wzp_sim_link_free(&w->mangle);
    wzp_sim_link_free(&w->after);
    free(w->name);
    free(w->from_interface);
    free(w->to_interface);
}

static void free_pair(pair *p) {
    clear_way(&p->ways[0]);
    clear_way(&p->ways[1]);
    free(p);
}

/* After a failure clear_way() frees what there is. */
static wzp_err init_way(way *w, ns3_fabric *f, unsigned direction, const char *name,
                        const wzp_sim_end *from, const wzp_sim_end *to, const wzp_ns3_plan *plan) {
    w->fabric = f;
    w->index = f->pair_count;
    w->direction = direction;
    w->from = *from;
    w->to = *to;
    w->name = wzp_sim_way_name(name, from, to);
    w->from_interface = wzp_sim_interface_name(from);
    w->to_interface = wzp_sim_interface_name(to);
    if (w->name == NULL || w->from_interface == NULL || w->to_interface == NULL) {
        return WZP_ERR_NOMEM;
    }
    w->entry = (wzp_sim_pipe){.carry = enter, .name = w->name};
    w->after_before = (joint){{.deliver = leave_before, .name = w->name}, w};
    w->after_mangle = (joint){{.deliver = leave_mangle, .name = w->name}, w};
    w->after_after = (joint){{.deliver = leave_after, .name = w->name}, w};
    return set_stages(w, plan);
}

/* ns-3's node under one of ours.  False: out of memory. */
static bool seat_of(ns3_fabric *f, const wzp_sim_node *node, size_t *number) {
    for (size_t i = 0; i < f->seat_count; i++) {
        if (f->seats[i].node == node) {
            *number = f->seats[i].number;
            return true;
        }
    }
    seat *seats = realloc(f->seats, (f->seat_count + 1) * sizeof *seats);
    if (seats == NULL) {
        return false;
    }
    f->seats = seats;
    *number = f->ns3->node(f->world);
    f->seats[f->seat_count++] = (seat){node, *number};
    return true;
}

static wzp_err add_pair(ns3_fabric *f, const char *name, const wzp_sim_end ends[2],
                        const wzp_ns3_plan plans[2]) {
    size_t seats[2];
    pair **pairs = realloc(f->pairs, (f->pair_count + 1) * sizeof(pair *));
    if (pairs == NULL) {
        return WZP_ERR_NOMEM;
    }
    f->pairs = pairs;
    pair *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    wzp_err err = init_way(&p->ways[0], f, 0, name, &ends[0], &ends[1], &plans[0]);
    if (err == WZP_OK) {
        err = init_way(&p->ways[1], f, 1, name, &ends[1], &ends[0], &plans[1]);
    }
    if (err == WZP_OK &&
        (!seat_of(f, ends[0].node, &seats[0]) || !seat_of(f, ends[1].node, &seats[1]))) {
        err = WZP_ERR_NOMEM;
    }
    if (err != WZP_OK) {
        free_pair(p);
        return err;
    }
    f->pairs[f->pair_count++] = p;
    const size_t index =
        f->ns3->link(f->world, name, seats[0], seats[1], &plans[0].ns3, &plans[1].ns3);
    assert(index == f->pair_count - 1);
    return WZP_OK;
}

wzp_err wzp_sim_ns3_check(const wzp_sim_link_cfg *cfg, wzp_fail *fail) {
    wzp_ns3_plan plan;
    const wzp_err err = wzp_sim_link_check(cfg, fail);
    return err != WZP_OK ? err : wzp_ns3_plan_make(&plan, cfg, fail);
}

static wzp_err plan_both(ns3_fabric *f, wzp_ns3_plan plans[2], const wzp_sim_link_cfg *ab,
                         const wzp_sim_link_cfg *ba, wzp_fail *fail) {
    const wzp_sim_link_cfg *const cfgs[2] = {ab, ba};
    for (size_t i = 0; i < 2; i++) {
        wzp_err err = wzp_sim_link_check(cfgs[i], fail);
        if (err == WZP_OK) {
            err = wzp_ns3_plan_make(&plans[i], cfgs[i], fail);
        }
        if (err != WZP_OK) {
            return err;
        }
    }
    const char *a = ab->access != NULL ? ab->access : "";
    const char *b = ba->access != NULL ? ba->access : "";
    /* One medium has two directions, and stations need the time before the start to join it. */
    if (strcmp(a, b) != 0 || (*a != '\0' && f->ns3->started(f->world))) {
        *fail = (wzp_fail){WZP_ERR_INVALID_ARGUMENT, "access", 0, 0};
        return WZP_ERR_INVALID_ARGUMENT;
    }
    return WZP_OK;
}

/* --- operations ------------------------------------------------------------------------------- */

static wzp_err link_nodes(wzp_sim_fabric *fabric, const char *name, const wzp_sim_end *a,
                          const wzp_sim_end *b, const wzp_sim_link_cfg *ab,
                          const wzp_sim_link_cfg *ba, wzp_sim_pipe *pipe[2], size_t *index,
                          wzp_fail *fail) {
    ns3_fabric *f = of(fabric);
    wzp_ns3_plan plans[2];
    wzp_err err = plan_both(f, plans, ab, ba, fail);
    if (err != WZP_OK) {
        return err;
    }
    err = add_pair(f, name, (const wzp_sim_end[2]){*a, *b}, plans);
    if (err != WZP_OK) {
        *fail = (wzp_fail){err, "link", 0, 0};
        return err;
    }
    *index = f->pair_count - 1;
    pipe[0] = &f->pairs[*index]->ways[0].entry;
    pipe[1] = &f->pairs[*index]->ways[1].entry;
    return WZP_OK;
}

static void set(wzp_sim_fabric *fabric, size_t index, unsigned direction,
                const wzp_sim_link_cfg *cfg) {
    const ns3_fabric *f = of(fabric);
    way *w = way_of(f, index, direction);
    wzp_ns3_plan plan;
    wzp_fail fail;
    if (wzp_ns3_plan_make(&plan, cfg, &fail) != WZP_OK) {
        return;
    }
    if (set_stages(w, &plan) != WZP_OK) {
        w->counts.dropped[WZP_SIM_DROP_NOMEM]++;
    }
    f->ns3->set(f->world, index, direction, &plan.ns3);
}

static void cut(wzp_sim_fabric *fabric, size_t index, unsigned direction, bool down, bool hold) {
    way *w = way_of(of(fabric), index, direction);
    if (set_stage(w, &w->before, true, &w->plan.before, &w->after_before) != WZP_OK) {
        w->counts.dropped[WZP_SIM_DROP_NOMEM]++;
        return;
    }
    wzp_sim_link_cut(w->before, down, hold);
}

static void add_counts(wzp_sim_counts *sum, const wzp_sim_link *stage) {
    if (stage == NULL) {
        return;
    }
    wzp_sim_counts counts;
    wzp_sim_link_count(stage, &counts);
    sum->duplicated += counts.duplicated;
    sum->marked += counts.marked;
    for (size_t i = 0; i < WZP_SIM_DROP_COUNT; i++) {
        sum->dropped[i] += counts.dropped[i];
    }
}

static void count(const wzp_sim_fabric *fabric, size_t index, unsigned direction,
                  wzp_sim_counts *out) {
    const way *w = way_of((const ns3_fabric *)fabric, index, direction);
    *out = w->counts;
    add_counts(out, w->before);
    add_counts(out, w->mangle);
    add_counts(out, w->after);
}

static void set_tap(wzp_sim_fabric *fabric, wzp_sim_tap *tap, void *ctx) {
    of(fabric)->tap = tap;
    of(fabric)->tap_ctx = ctx;
}

static wzp_sim_clock clock_of(wzp_sim_fabric *fabric) {
    return of(fabric)->clock;
}

static wzp_sim_pool *pool_of(wzp_sim_fabric *fabric) {
    return of(fabric)->pool;
}

static wzp_sim_stop run(wzp_sim_fabric *fabric, wzp_time until) {
    const ns3_fabric *f = of(fabric);
    return f->ns3->run(f->world, until);
}

static void stop(wzp_sim_fabric *fabric) {
    const ns3_fabric *f = of(fabric);
    f->ns3->stop(f->world);
}

static uint64_t events(const wzp_sim_fabric *fabric) {
    const ns3_fabric *f = (const ns3_fabric *)fabric;
    return f->ns3->events(f->world);
}

static void free_fabric(wzp_sim_fabric *fabric) {
    ns3_fabric *f = of(fabric);
    f->ns3->close(f->world);
    for (size_t i = 0; i < f->pair_count; i++) {
        free_pair(f->pairs[i]);
    }
    free(f->pairs);
    free(f->seats);
    wzp_sim_pool_free(&f->pool);
    free(f);
}

static const wzp_sim_fabric_ops fabric_ops = {
    .clock = clock_of,
    .pool = pool_of,
    .link = link_nodes,
    .set = set,
    .cut = cut,
    .count = count,
    .tap = set_tap,
    .run = run,
    .stop = stop,
    .events = events,
    .free = free_fabric,
};

wzp_err wzp_sim_fabric_ns3(wzp_sim_fabric **out, const wzp_sim_engine_cfg *cfg,
                           const wzp_ns3_ops *ns3) {
    ns3_fabric *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_ns3_owner owner = {f, on_arrive, on_drop, on_release, on_bytes};
    f->fabric = (wzp_sim_fabric){.ops = &fabric_ops, .engine = "ns3"};
    f->ns3 = ns3;
    f->pool = wzp_sim_pool_new();
    f->world = f->pool != NULL ? ns3->open(cfg, &owner) : NULL;
    if (f->world == NULL) {
        const wzp_err err = f->pool == NULL ? WZP_ERR_NOMEM : WZP_ERR_LIMIT;
        wzp_sim_pool_free(&f->pool);
        free(f);
        return err;
    }
    f->clock = (wzp_sim_clock){ns3->clock, f->world, cfg->seed};
    *out = &f->fabric;
    return WZP_OK;
}

/* The way that begins at an interface; NULL: there is none. */
static const way *way_from(const ns3_fabric *f, const char *interface) {
    for (size_t i = 0; i < 2 * f->pair_count; i++) {
        const way *w = &f->pairs[i / 2]->ways[i % 2];
        if (strcmp(w->from_interface, interface) == 0) {
            return w;
        }
    }
    return NULL;
}

wzp_err wzp_sim_ns3_pcap(wzp_sim_fabric *fabric, const char *interface, const char *path) {
    assert(fabric->ops == &fabric_ops);
    const ns3_fabric *f = of(fabric);
    const way *w = way_from(f, interface);
    const char *access = w != NULL && w->plan.ns3.access != NULL ? w->plan.ns3.access : "";
    if (w == NULL || (w->direction == 0 && strcmp(access, "lte") == 0)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    return f->ns3->pcap(f->world, w->index, w->direction, path) ? WZP_OK : WZP_ERR_IO;
}
