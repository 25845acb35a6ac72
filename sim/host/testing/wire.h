/* Test helper: a wire with a fixed delay and a rule of its own for what is lost.  Header-only. */
#ifndef WZP_SIM_HOST_TESTING_WIRE_H
#define WZP_SIM_HOST_TESTING_WIRE_H

#include "sim/engine/engine.h"
#include "sim/net/node.h"

typedef struct wire {
    wzp_sim_pipe pipe; /* first */
    wzp_sim_clock clock;
    wzp_sim_node *to;
    unsigned port;
    uint64_t delay; /* 0: delivered at once, from within carry */
    bool (*loses)(void *ctx, const wzp_sim_packet *packet, wzp_time now); /* may be NULL */
    void (*look)(void *ctx, const wzp_sim_packet *packet, wzp_time now);  /* may be NULL */
    void *ctx;
    uint64_t carried, lost;
    wzp_sim_packet *first, **last; /* under way: the delay is fixed, so first in is first out */
} wire;

static inline void wire_arrive(void *self, void *arg, wzp_time now) {
    wire *w = self;
    (void)arg;
    wzp_sim_packet *packet = w->first;
    w->first = packet->next;
    if (w->first == NULL) {
        w->last = &w->first;
    }
    packet->next = NULL;
    wzp_sim_node_deliver(w->to, w->port, packet, now);
}

static inline void wire_carry(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    wire *w = (wire *)(void *)pipe;
    w->carried++;
    if (w->look != NULL) {
        w->look(w->ctx, packet, now);
    }
    if (w->loses != NULL && w->loses(w->ctx, packet, now)) {
        w->lost++;
        wzp_sim_packet_free(packet);
    } else if (w->delay == 0) {
        wzp_sim_node_deliver(w->to, w->port, packet, now);
    } else {
        packet->next = NULL;
        *w->last = packet;
        w->last = &packet->next;
        wzp_sim_at(w->clock, now + w->delay, wire_arrive, w, NULL);
    }
}

static inline void wire_init(wire *w, const char *name, wzp_sim_clock clock, wzp_sim_node *to,
                             unsigned port, uint64_t delay) {
    *w = (wire){.pipe = {wire_carry, name}, .clock = clock, .to = to, .port = port, .delay = delay};
    w->last = &w->first;
}

/* Frees what is under way. */
static inline void wire_clear(wire *w) {
    while (w->first != NULL) {
        wzp_sim_packet *packet = w->first;
        w->first = packet->next;
        wzp_sim_packet_free(packet);
    }
    w->last = &w->first;
}

#endif
