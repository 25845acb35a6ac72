#include "sim/net/cross.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/net/timer.h"
#include "sim/net/window.h"

#define PACKET 1500
#define RTT (40 * WZP_MS)
#define SEGMENT (4 * WZP_S) /* VIDEO: the first half of it at twice the rate, then silence */
#define DUPLICATES 3        /* acknowledgements past a hole until it counts as lost */
#define RTO_LEAST (200 * WZP_MS)
#define RTO_SHIFT_MAX 8
#define FIRST_RTT (500 * WZP_MS)
#define FIRST_ACKS 64

typedef struct ack {
    wzp_time due;
    uint64_t seq, rtt;
} ack;

/* missing <= in_flight.  What is missing was dropped and the sender does not know it yet. */
struct wzp_sim_flow {
    wzp_sim_cross *cross;
    uint32_t hash;
    wzp_prng prng;
    wzp_sim_timer send; /* the first packet of a window model, all those of the others */
    wzp_time planned;   /* of the next packet at a fixed rate */
    uint64_t rest;      /* of the division that gave it */
    uint64_t seq;       /* of the next packet */
    wzp_sim_window window;
    uint64_t in_flight, missing;
    uint64_t first_missing;
    uint64_t recover; /* a hole before it belongs to a loss that was answered */
    uint64_t rtt;     /* smoothed */
    unsigned backoff;
    wzp_sim_timer alarm;  /* nothing comes back any more */
    wzp_sim_timer answer; /* the first of the acknowledgements */
    ack *acks;            /* a ring of `ack_count` from `ack_head`, by time */
    size_t ack_cap, ack_head, ack_count;
};

struct wzp_sim_cross {
    wzp_sim_cross_cfg cfg; /* packet and rtt are never 0 */
    wzp_sim_cross_cfg asked;
    wzp_time start;
    bool stopped;
    wzp_sim_emit *emit;
    void *ctx;
    wzp_sim_counts counts;
    size_t flow_count;
    wzp_sim_flow flows[];
};

static bool over(const wzp_sim_cross *cross, wzp_time now) {
    const wzp_sim_cross_cfg *cfg = &cross->cfg;
    return cross->stopped || (cfg->until != 0 && wzp_time_since(now, cross->start) >= cfg->until);
}

static void emit(wzp_sim_flow *flow, wzp_time now) {
    wzp_sim_cross *cross = flow->cross;
    cross->counts.in++;
    cross->counts.bytes_in += cross->cfg.packet;
    cross->emit(cross->ctx, flow, flow->seq++, cross->cfg.packet, now);
}

/* --- at a fixed rate -------------------------------------------------------------------------- */

static wzp_time next_even(wzp_sim_flow *flow, uint64_t bits_per_s) {
    const uint64_t work = flow->cross->cfg.packet * UINT64_C(8) * WZP_S + flow->rest;
    flow->rest = work % bits_per_s;
    return wzp_time_after(flow->planned, work / bits_per_s);
}

static wzp_time next_video(wzp_sim_flow *flow) {
    const wzp_sim_cross_cfg *cfg = &flow->cross->cfg;
    const wzp_time next = next_even(flow, 2 * cfg->bits_per_s);
    const uint64_t within = (next - flow->cross->start - cfg->from) % SEGMENT;
    return within < SEGMENT / 2 ? next : wzp_time_after(next, SEGMENT - within);
}

static wzp_time next_random(wzp_sim_flow *flow) {
    const wzp_sim_cross_cfg *cfg = &flow->cross->cfg;
    const uint64_t mean = cfg->packet * UINT64_C(8) * WZP_S / cfg->bits_per_s;
    return wzp_time_after(flow->planned, wzp_chance_exponential(&flow->prng, mean));
}

static wzp_time next_packet(wzp_sim_flow *flow) {
    switch (flow->cross->cfg.kind) {
    case WZP_SIM_CROSS_CBR:
        return next_even(flow, flow->cross->cfg.bits_per_s);
    case WZP_SIM_CROSS_POISSON:
        return next_random(flow);
    case WZP_SIM_CROSS_VIDEO:
        return next_video(flow);
    case WZP_SIM_CROSS_NONE:
    case WZP_SIM_CROSS_RENO:
    case WZP_SIM_CROSS_CUBIC:
        break;
    }
    return WZP_TIME_NEVER;
}

/* --- window models ---------------------------------------------------------------------------- */

static bool windowed(const wzp_sim_cross *cross) {
    return cross->cfg.kind == WZP_SIM_CROSS_RENO || cross->cfg.kind == WZP_SIM_CROSS_CUBIC;
}

static void fill_window(wzp_sim_flow *flow, wzp_time now) {
    while (!over(flow->cross, now) &&
           (flow->in_flight + 1) * WZP_SIM_WINDOW_ONE <= flow->window.size) {
        flow->in_flight++;
        emit(flow, now);
    }
}

/* With nothing left that could come back only a timeout helps. */
static void watch(wzp_sim_flow *flow, wzp_time now) {
    if (flow->missing > 0 && flow->missing == flow->in_flight) {
        const uint64_t rto = flow->rtt * 2 < RTO_LEAST ? RTO_LEAST : flow->rtt * 2;
        wzp_sim_timer_set(&flow->alarm, wzp_time_after(now, rto << flow->backoff));
    }
}

static void forget_missing(wzp_sim_flow *flow) {
    flow->in_flight -= flow->missing;
    flow->missing = 0;
    flow->first_missing = UINT64_MAX;
}

static void notice_loss(wzp_sim_flow *flow, wzp_time now) {
    if (flow->first_missing >= flow->recover) {
        wzp_sim_window_shrink(&flow->window, now);
        flow->recover = flow->seq;
    }
    forget_missing(flow);
}

static void acknowledge(wzp_sim_flow *flow, const ack *got, wzp_time now) {
    flow->in_flight--;
    flow->rtt = flow->rtt - flow->rtt / 8 + got->rtt / 8;
    flow->backoff = 0;
    if (flow->missing > 0 && got->seq >= flow->first_missing + DUPLICATES) {
        notice_loss(flow, now);
    } else if (got->seq >= flow->recover) {
        wzp_sim_window_grow(&flow->window, got->rtt, now);
    }
    fill_window(flow, now);
    watch(flow, now);
}

static void alarm_task(void *self, void *arg, wzp_time now) {
    wzp_sim_flow *flow = self;
    (void)arg;
    if (!wzp_sim_timer_due(&flow->alarm, now) || flow->missing != flow->in_flight) {
        return;
    }
    forget_missing(flow);
    wzp_sim_window_timeout(&flow->window);
    flow->recover = flow->seq;
    flow->backoff += flow->backoff < RTO_SHIFT_MAX ? 1 : 0;
    fill_window(flow, now);
}

/* --- acknowledgements ------------------------------------------------------------------------- */

static bool grow_acks(wzp_sim_flow *flow) {
    const size_t cap = flow->ack_cap == 0 ? FIRST_ACKS : flow->ack_cap * 2;
    ack *acks = calloc(cap, sizeof *acks);
    if (acks == NULL) {
        return false;
    }
    assert(flow->ack_count <= flow->ack_cap);
    for (size_t i = 0; i < flow->ack_count; i++) {
        acks[i] = flow->acks[(flow->ack_head + i) % flow->ack_cap];
    }
    free(flow->acks);
    flow->acks = acks;
    flow->ack_cap = cap;
    flow->ack_head = 0;
    return true;
}

static bool push_ack(wzp_sim_flow *flow, ack later) {
    if (flow->ack_count == flow->ack_cap && !grow_acks(flow)) {
        return false;
    }
    flow->acks[(flow->ack_head + flow->ack_count++) % flow->ack_cap] = later;
    if (flow->ack_count == 1) {
        wzp_sim_timer_set(&flow->answer, later.due);
    }
    return true;
}

static void answer_task(void *self, void *arg, wzp_time now) {
    wzp_sim_flow *flow = self;
    (void)arg;
    if (!wzp_sim_timer_due(&flow->answer, now)) {
        return;
    }
    const ack got = flow->acks[flow->ack_head];
    flow->ack_head = (flow->ack_head + 1) % flow->ack_cap;
    flow->ack_count--;
    if (flow->ack_count > 0) {
        wzp_sim_timer_set(&flow->answer, flow->acks[flow->ack_head].due);
    }
    acknowledge(flow, &got, now);
}

void wzp_sim_flow_left(wzp_sim_flow *flow, uint64_t seq, wzp_time entered, wzp_time leaves) {
    wzp_sim_cross *cross = flow->cross;
    cross->counts.out++;
    cross->counts.bytes_out += cross->cfg.packet;
    if (!windowed(cross)) {
        return;
    }
    const wzp_time due = wzp_time_after(leaves, cross->cfg.rtt);
    if (!push_ack(flow, (ack){due, seq, due - entered})) {
        wzp_sim_flow_lost(flow, seq, WZP_SIM_DROP_NOMEM, leaves);
    }
}

void wzp_sim_flow_lost(wzp_sim_flow *flow, uint64_t seq, wzp_sim_drop why, wzp_time now) {
    flow->cross->counts.dropped[why]++;
    if (!windowed(flow->cross)) {
        return;
    }
    flow->missing++;
    flow->first_missing = seq < flow->first_missing ? seq : flow->first_missing;
    watch(flow, now);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void send_task(void *self, void *arg, wzp_time now) {
    wzp_sim_flow *flow = self;
    (void)arg;
    if (!wzp_sim_timer_due(&flow->send, now) || over(flow->cross, now)) {
        return;
    }
    if (windowed(flow->cross)) {
        fill_window(flow, now);
        return;
    }
    flow->planned = now;
    emit(flow, now);
    wzp_sim_timer_set(&flow->send, next_packet(flow));
}

static void start(wzp_sim_flow *flow, uint64_t seed, size_t index, wzp_sim_clock clock) {
    wzp_sim_cross *cross = flow->cross;
    wzp_prng_init(&flow->prng, seed + index, "cross");
    flow->hash = (uint32_t)wzp_chance_u64(&flow->prng);
    flow->first_missing = UINT64_MAX;
    flow->rtt = FIRST_RTT;
    wzp_sim_window_init(&flow->window, cross->cfg.kind == WZP_SIM_CROSS_CUBIC);
    wzp_sim_timer_init(&flow->send, clock, send_task, flow);
    wzp_sim_timer_init(&flow->alarm, clock, alarm_task, flow);
    wzp_sim_timer_init(&flow->answer, clock, answer_task, flow);
    /* Flows that begin together would lose together. */
    const uint64_t apart = index == 0 ? 0 : wzp_chance_between(&flow->prng, 0, 2 * cross->cfg.rtt);
    const wzp_time from = wzp_time_after(cross->start, cross->cfg.from);
    const wzp_time now = wzp_sim_now(clock);
    wzp_sim_timer_set(&flow->send, wzp_time_after(from > now ? from : now, apart));
}

wzp_sim_cross *wzp_sim_cross_new(const wzp_sim_cross_cfg *cfg, uint64_t seed, wzp_sim_clock clock,
                                 wzp_time link_start, wzp_sim_emit *emit_packet, void *ctx) {
    const bool tcp = cfg->kind == WZP_SIM_CROSS_RENO || cfg->kind == WZP_SIM_CROSS_CUBIC;
    const size_t flow_count = tcp ? cfg->flows : 1;
    wzp_sim_cross *cross = calloc(1, sizeof *cross + flow_count * sizeof cross->flows[0]);
    if (cross == NULL) {
        return NULL;
    }
    cross->asked = cross->cfg = *cfg;
    cross->cfg.packet = cfg->packet == 0 ? PACKET : cfg->packet;
    cross->cfg.rtt = cfg->rtt == 0 ? RTT : cfg->rtt;
    cross->start = link_start;
    cross->emit = emit_packet;
    cross->ctx = ctx;
    cross->flow_count = flow_count;
    for (size_t i = 0; i < flow_count; i++) {
        cross->flows[i].cross = cross;
        start(&cross->flows[i], seed, i, clock);
    }
    return cross;
}

void wzp_sim_cross_stop(wzp_sim_cross *cross) {
    cross->stopped = true;
}

void wzp_sim_cross_free(wzp_sim_cross **cross) {
    if (*cross != NULL) {
        for (size_t i = 0; i < (*cross)->flow_count; i++) {
            free((*cross)->flows[i].acks);
        }
    }
    free(*cross);
    *cross = NULL;
}

const wzp_sim_cross_cfg *wzp_sim_cross_cfg_of(const wzp_sim_cross *cross) {
    return &cross->asked;
}

uint32_t wzp_sim_flow_hash(const wzp_sim_flow *flow) {
    return flow->hash;
}

void wzp_sim_cross_count(const wzp_sim_cross *cross, wzp_sim_counts *out) {
    out->in += cross->counts.in;
    out->out += cross->counts.out;
    out->bytes_in += cross->counts.bytes_in;
    out->bytes_out += cross->counts.bytes_out;
    for (size_t i = 0; i < WZP_SIM_DROP_COUNT; i++) {
        out->dropped[i] += cross->counts.dropped[i];
    }
}
