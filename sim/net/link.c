#include "sim/net/link.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/net/agenda.h"
#include "sim/net/cross.h"
#include "sim/net/delay.h"
#include "sim/net/loss.h"
#include "sim/net/mangle.h"
#include "sim/net/outage.h"
#include "sim/net/queue.h"
#include "sim/net/rate.h"
#include "sim/net/slots.h"

#define MTU 65535

/* Where a packet is: nowhere yet (`copies`), waiting (`queue`, then `ready`), or on the way with
 * its time of arrival (`flight`).  What is in `flight` has left, whatever happens to the link. */
struct wzp_sim_link {
    wzp_sim_pipe pipe; /* first: what the sender sees */
    wzp_sim_clock clock;
    wzp_time start;
    uint64_t seed; /* of its streams */
    wzp_sim_node *to;
    unsigned port;
    wzp_sim_node *from; /* where ICMP errors go; NULL: nowhere */
    unsigned from_port;
    wzp_addr from_address; /* no errors without one */
    wzp_sim_link_cfg cfg;
    wzp_sim_counts counts;
    wzp_sim_link_dropped *dropped; /* NULL: nobody looks */
    void *dropped_ctx;

    wzp_sim_outage outage;
    wzp_sim_slots slots;
    bool cut, cut_holds;
    wzp_sim_loss loss;
    wzp_sim_mangle mangle;
    wzp_sim_agenda copies; /* duplicates that enter later */
    wzp_sim_slab slab;
    wzp_sim_queue queue;
    wzp_sim_item *ready; /* out of the queue, waits for the bucket to fill */
    wzp_sim_rate rate;
    wzp_sim_timer serve; /* when the next may begin to leave; only while one waits */
    wzp_sim_delay delay;
    wzp_sim_agenda flight;
    wzp_sim_agenda errors; /* ICMP, to `from` */

    wzp_sim_cross *cross[WZP_SIM_CROSS_MAX];
    wzp_sim_cross **retired; /* stopped ones; packets and tasks may still know them */
    size_t retired_count;
    bool closing; /* nothing outside may be touched any more */
};

static void drop(wzp_sim_link *link, wzp_sim_packet *packet, wzp_sim_drop why) {
    link->counts.dropped[why]++;
    if (link->dropped != NULL && !link->closing) {
        link->dropped(link->dropped_ctx, packet, why, wzp_sim_now(link->clock));
    }
    wzp_sim_packet_free(packet);
}

void wzp_sim_link_watch(wzp_sim_link *link, wzp_sim_link_dropped *dropped, void *ctx) {
    link->dropped = dropped;
    link->dropped_ctx = ctx;
}

/* --- the far end ------------------------------------------------------------------------------ */

static void arrive_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    wzp_sim_packet *packet = wzp_sim_agenda_pop(&link->flight, now);
    if (packet != NULL) {
        link->counts.out++;
        link->counts.bytes_out += wzp_sim_packet_wire_len(packet);
        wzp_sim_node_deliver(link->to, link->port, packet, now);
    }
}

static void launch(wzp_sim_link *link, wzp_sim_packet *packet, wzp_time leaves) {
    const uint64_t base = link->cfg.slots.on ? link->slots.base : link->cfg.delay.base;
    const wzp_time due = wzp_sim_delay_arrival(&link->delay, base, leaves);
    if (!wzp_sim_agenda_push(&link->flight, due, packet)) {
        drop(link, packet, WZP_SIM_DROP_NOMEM);
    }
}

/* --- queue and rate --------------------------------------------------------------------------- */

static bool is_lossy(const wzp_sim_link *link) {
    return (link->cut && !link->cut_holds) || (link->outage.down && !link->outage.cfg.hold) ||
           wzp_sim_slots_down(&link->slots);
}

static bool is_held(const wzp_sim_link *link) {
    return (link->cut && link->cut_holds) || (link->outage.down && link->outage.cfg.hold) ||
           wzp_sim_slots_gap(&link->slots);
}

static void leave(wzp_sim_link *link, wzp_sim_item *item, wzp_time leaves) {
    if (item->packet != NULL) {
        launch(link, item->packet, leaves);
    } else {
        wzp_sim_flow_left(item->flow, item->seq, item->entered, leaves);
    }
    wzp_sim_slab_give(&link->slab, item);
}

/* The next to leave; NULL: none waits, or none may begin yet, and then it is planned when. */
static wzp_sim_item *next_item(wzp_sim_link *link, wzp_time now) {
    if (link->ready == NULL) {
        const wzp_time at = wzp_sim_rate_ready(&link->rate, now, 0);
        if (at > now && link->queue.packets > 0) {
            wzp_sim_timer_set(&link->serve, at);
        }
        link->ready = at > now ? NULL : wzp_sim_queue_pop(&link->queue, now);
        if (link->ready == NULL) {
            return NULL;
        }
    }
    wzp_sim_item *item = link->ready;
    const wzp_time at = wzp_sim_rate_ready(&link->rate, now, item->len);
    if (at > now) {
        wzp_sim_timer_set(&link->serve, at);
        return NULL;
    }
    link->ready = NULL;
    return item;
}

/* Lets go all that may leave now. */
static void serve(wzp_sim_link *link, wzp_time now) {
    while (!is_held(link)) {
        wzp_sim_item *item = next_item(link, now);
        if (item == NULL) {
            return;
        }
        leave(link, item, wzp_sim_rate_send(&link->rate, now, item->len));
    }
}

static void serve_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    if (wzp_sim_timer_due(&link->serve, now)) {
        serve(link, now);
    }
}

static void discard(void *ctx, wzp_sim_item *item, wzp_time now) {
    wzp_sim_link *link = ctx;
    if (item->packet != NULL) {
        drop(link, item->packet, WZP_SIM_DROP_QUEUE);
    } else if (!link->closing) {
        wzp_sim_flow_lost(item->flow, item->seq, WZP_SIM_DROP_QUEUE, now);
    }
    wzp_sim_slab_give(&link->slab, item);
}

/* NULL: out of memory. */
static wzp_sim_item *new_item(wzp_sim_link *link, uint32_t bytes, wzp_time now) {
    wzp_sim_item *item = wzp_sim_slab_take(&link->slab);
    if (item != NULL) {
        item->len = bytes + link->cfg.rate.overhead;
        item->entered = now;
    }
    return item;
}

static void join(wzp_sim_link *link, wzp_sim_item *item, wzp_time now) {
    wzp_sim_queue_push(&link->queue, item, now);
    serve(link, now);
}

static bool must_queue(const wzp_sim_link *link) {
    return wzp_sim_rate_limited(&link->cfg.rate) || is_held(link) || link->queue.packets > 0;
}

static void enter(wzp_sim_link *link, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_mangle_corrupt(&link->mangle, packet, now);
    if (!must_queue(link)) {
        launch(link, packet, now);
        return;
    }
    wzp_sim_item *item = new_item(link, wzp_sim_packet_wire_len(packet), now);
    if (item == NULL) {
        drop(link, packet, WZP_SIM_DROP_NOMEM);
        return;
    }
    item->packet = packet;
    join(link, item, now);
}

static void enter_cross(void *ctx, wzp_sim_flow *flow, uint64_t seq, uint32_t bytes, wzp_time now) {
    wzp_sim_link *link = ctx;
    if (is_lossy(link)) {
        wzp_sim_flow_lost(flow, seq, WZP_SIM_DROP_OUTAGE, now);
        return;
    }
    wzp_sim_item *item = new_item(link, bytes, now);
    if (item == NULL) {
        wzp_sim_flow_lost(flow, seq, WZP_SIM_DROP_NOMEM, now);
        return;
    }
    item->flow = flow;
    item->seq = seq;
    join(link, item, now);
}

/* --- the near end ----------------------------------------------------------------------------- */

static void error_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    wzp_sim_packet *packet = wzp_sim_agenda_pop(&link->errors, now);
    if (packet != NULL) {
        wzp_sim_node_deliver(link->from, link->from_port, packet, now);
    }
}

static void too_big(wzp_sim_link *link, wzp_sim_packet *packet, wzp_time now) {
    if (!link->cfg.mtu_silent && link->from != NULL) {
        wzp_sim_packet *error = wzp_sim_packet_icmp(
            packet, &link->from_address, WZP_SIM_ICMP_TOO_BIG, (uint16_t)link->cfg.mtu, now);
        if (error != NULL && !wzp_sim_agenda_push(&link->errors, now, error)) {
            wzp_sim_packet_free(error);
        }
    }
    drop(link, packet, WZP_SIM_DROP_MTU);
}

static void copy_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    wzp_sim_packet *packet = wzp_sim_agenda_pop(&link->copies, now);
    if (packet != NULL) {
        enter(link, packet, now);
    }
}

static void duplicate(wzp_sim_link *link, const wzp_sim_packet *packet, wzp_time now) {
    uint64_t extra = 0;
    if (!wzp_sim_mangle_duplicate(&link->mangle, now, &extra)) {
        return;
    }
    wzp_sim_packet *copy = wzp_sim_packet_copy(packet);
    if (copy != NULL && wzp_sim_agenda_push(&link->copies, wzp_time_after(now, extra), copy)) {
        link->counts.duplicated++;
        return;
    }
    wzp_sim_packet_free(copy);
    link->counts.dropped[WZP_SIM_DROP_NOMEM]++;
}

static bool hit(wzp_sim_link *link, wzp_time now) {
    const bool burst = wzp_sim_slots_hit(&link->slots, now);
    return wzp_sim_loss_hit(&link->loss, now) || burst;
}

static void carry(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_link *link = (wzp_sim_link *)pipe;
    const uint32_t bytes = wzp_sim_packet_wire_len(packet);
    link->counts.in++;
    link->counts.bytes_in += bytes;
    if (bytes > (link->cfg.mtu == 0 ? MTU : link->cfg.mtu)) {
        too_big(link, packet, now);
    } else if (is_lossy(link)) {
        drop(link, packet, WZP_SIM_DROP_OUTAGE);
    } else if (hit(link, now)) {
        drop(link, packet, WZP_SIM_DROP_LOSS);
    } else {
        duplicate(link, packet, now);
        enter(link, packet, now);
    }
}

/* --- outages ---------------------------------------------------------------------------------- */

static void outage_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    if (wzp_sim_outage_step(&link->outage, now)) {
        serve(link, now);
    }
}

static void slots_task(void *self, void *arg, wzp_time now) {
    wzp_sim_link *link = self;
    (void)arg;
    if (wzp_sim_slots_step(&link->slots, now)) {
        serve(link, now);
    }
}

void wzp_sim_link_cut(wzp_sim_link *link, bool down, bool hold) {
    link->cut = down;
    link->cut_holds = hold;
    serve(link, wzp_sim_now(link->clock));
}

/* --- cross traffic ---------------------------------------------------------------------------- */

static bool same_cross(const wzp_sim_cross_cfg *a, const wzp_sim_cross_cfg *b) {
    return a->kind == b->kind && a->bits_per_s == b->bits_per_s && a->flows == b->flows &&
           a->packet == b->packet && a->rtt == b->rtt && a->from == b->from && a->until == b->until;
}

/* False: out of memory; then it goes on. */
static bool retire(wzp_sim_link *link, size_t i) {
    wzp_sim_cross **retired =
        realloc(link->retired, (link->retired_count + 1) * sizeof(wzp_sim_cross *));
    if (retired == NULL) {
        return false;
    }
    wzp_sim_cross_stop(link->cross[i]);
    retired[link->retired_count++] = link->cross[i];
    link->retired = retired;
    link->cross[i] = NULL;
    return true;
}

static bool set_cross(wzp_sim_link *link, size_t i, const wzp_sim_cross_cfg *cfg) {
    if (link->cross[i] != NULL) {
        if (same_cross(wzp_sim_cross_cfg_of(link->cross[i]), cfg)) {
            return true;
        }
        if (!retire(link, i)) {
            return false;
        }
    }
    if (cfg->kind != WZP_SIM_CROSS_NONE) {
        const uint64_t seed = link->seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        link->cross[i] = wzp_sim_cross_new(cfg, seed, link->clock, link->start, enter_cross, link);
        return link->cross[i] != NULL;
    }
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

/* False: out of memory for a part of it, which stays as it was. */
static bool apply(wzp_sim_link *link, const wzp_sim_link_cfg *cfg) {
    const wzp_time now = wzp_sim_now(link->clock);
    link->cfg = *cfg;
    wzp_sim_loss_set(&link->loss, &cfg->loss);
    wzp_sim_mangle_set(&link->mangle, &cfg->mangle);
    wzp_sim_outage_set(&link->outage, &cfg->outage, now);
    wzp_sim_slots_set(&link->slots, &cfg->slots, now);
    wzp_sim_rate_set(&link->rate, &cfg->rate);
    wzp_sim_delay_set(&link->delay, &cfg->delay);
    bool ok = wzp_sim_queue_set(&link->queue, &cfg->queue, &cfg->rate, now) == WZP_OK;
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX; i++) {
        ok = set_cross(link, i, &cfg->cross[i]) && ok;
    }
    serve(link, now);
    return ok;
}

void wzp_sim_link_set(wzp_sim_link *link, const wzp_sim_link_cfg *cfg) {
    if (!apply(link, cfg)) {
        link->counts.dropped[WZP_SIM_DROP_NOMEM]++;
    }
}

static void init(wzp_sim_link *link, const char *name) {
    wzp_prng prng;
    wzp_sim_stream(link->clock, &prng, name);
    link->seed = wzp_chance_u64(&prng);
    link->pipe = (wzp_sim_pipe){carry, name};
    link->start = wzp_sim_now(link->clock);
    wzp_sim_outage_init(&link->outage, link->seed, link->clock, outage_task, link);
    wzp_sim_slots_init(&link->slots, link->seed, link->clock, slots_task, link);
    wzp_sim_loss_init(&link->loss, link->seed, link->start);
    wzp_sim_mangle_init(&link->mangle, link->seed, link->start);
    wzp_sim_agenda_init(&link->copies, link->clock, copy_task, link);
    wzp_sim_queue_init(&link->queue, link->seed, discard, link);
    wzp_sim_rate_init(&link->rate, link->start);
    wzp_sim_timer_init(&link->serve, link->clock, serve_task, link);
    wzp_sim_delay_init(&link->delay, link->seed, link->start);
    wzp_sim_agenda_init(&link->flight, link->clock, arrive_task, link);
    wzp_sim_agenda_init(&link->errors, link->clock, error_task, link);
}

wzp_err wzp_sim_link_new(wzp_sim_link **out, const char *name, const wzp_sim_link_cfg *cfg,
                         wzp_sim_clock clock, wzp_sim_pool *pool, wzp_sim_node *to, unsigned port) {
    (void)pool; /* its packets know it */
    if (cfg->access != NULL) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_sim_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return WZP_ERR_NOMEM;
    }
    link->clock = clock;
    link->to = to;
    link->port = port;
    init(link, name);
    if (!apply(link, cfg)) {
        wzp_sim_link_free(&link);
        return WZP_ERR_NOMEM;
    }
    *out = link;
    return WZP_OK;
}

void wzp_sim_link_free(wzp_sim_link **link) {
    wzp_sim_link *old = *link;
    if (old == NULL) {
        return;
    }
    old->closing = true;
    if (old->ready != NULL) {
        discard(old, old->ready, 0);
    }
    wzp_sim_queue_clear(&old->queue);
    wzp_sim_agenda_clear(&old->copies);
    wzp_sim_agenda_clear(&old->flight);
    wzp_sim_agenda_clear(&old->errors);
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX; i++) {
        wzp_sim_cross_free(&old->cross[i]);
    }
    for (size_t i = 0; i < old->retired_count; i++) {
        wzp_sim_cross_free(&old->retired[i]);
    }
    free(old->retired);
    wzp_sim_slab_clear(&old->slab);
    free(old);
    *link = NULL;
}

wzp_sim_pipe *wzp_sim_link_pipe(wzp_sim_link *link) {
    return &link->pipe;
}

void wzp_sim_link_set_origin(wzp_sim_link *link, wzp_sim_node *from, unsigned port,
                             const wzp_addr *address) {
    link->from = from;
    link->from_port = port;
    link->from_address = *address;
}

void wzp_sim_link_count(const wzp_sim_link *link, wzp_sim_counts *out) {
    *out = link->counts;
    out->marked = link->queue.marked;
}

void wzp_sim_link_cross_count(const wzp_sim_link *link, wzp_sim_counts *out) {
    *out = (wzp_sim_counts){0};
    for (size_t i = 0; i < WZP_SIM_CROSS_MAX; i++) {
        if (link->cross[i] != NULL) {
            wzp_sim_cross_count(link->cross[i], out);
        }
    }
    for (size_t i = 0; i < link->retired_count; i++) {
        wzp_sim_cross_count(link->retired[i], out);
    }
}

uint64_t wzp_sim_link_queued(const wzp_sim_link *link, uint64_t *bytes) {
    const bool ready = link->ready != NULL;
    if (bytes != NULL) {
        *bytes = link->queue.bytes + (ready ? link->ready->len : 0);
    }
    return link->queue.packets + (ready ? 1 : 0);
}
