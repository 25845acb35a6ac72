#include "conformance/corpus/network.h"

#include <string.h>

#include "sim/net/fabric.h"

enum { QUIC_BYTES = 32 }; /* of a short header, a tag and a frame around each packet */

typedef struct way {
    wzp_sim_node sender, relay;
    const wzp_trace *trace;
    wzp_time *arrivals;
    wzp_sim_fabric *fabric;
    wzp_sim_pipe *pipe;
    wzp_addr src, dst;
    wzp_time begin; /* of the trace, on the simulator's clock */
    size_t next;
    bool failed;
} way;

static void arrive(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    way *w = (way *)((char *)node - offsetof(way, relay));
    uint32_t index = 0;
    (void)port;
    memcpy(&index, packet->payload, sizeof index);
    if (index < w->trace->count && w->arrivals[index] == WZP_TIME_NEVER) {
        w->arrivals[index] = now - w->begin;
    }
    wzp_sim_packet_free(packet);
}

static void ignore(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)node, (void)port, (void)now;
    wzp_sim_packet_free(packet);
}

/* Sends what is due, and comes again for the next one. */
static void send_due(void *self, void *arg, wzp_time now) {
    static const uint8_t zeros[UINT16_MAX + WZP_MEDIA_HDR_LEN + QUIC_BYTES];
    way *w = self;
    (void)arg;
    for (; w->next < w->trace->count && w->begin + w->trace->packets[w->next].at <= now;
         w->next++) {
        const uint32_t index = (uint32_t)w->next;
        const size_t len = w->trace->packets[w->next].payload + WZP_MEDIA_HDR_LEN + QUIC_BYTES;
        wzp_sim_packet *packet = wzp_sim_packet_new(w->fabric->ops->pool(w->fabric), &w->src,
                                                    &w->dst, wzp_bytes_of(zeros, len), now);
        if (packet == NULL) {
            w->failed = true;
            return;
        }
        memcpy(packet->payload, &index, sizeof index);
        wzp_sim_pipe_carry(w->pipe, packet, now);
    }
    if (w->next < w->trace->count) {
        wzp_sim_at(w->fabric->ops->clock(w->fabric), w->begin + w->trace->packets[w->next].at,
                   send_due, w, NULL);
    }
}

static wzp_err join(way *w, const wzp_sim_link_cfg *up) {
    const wzp_sim_end a = {&w->sender, 0, w->src};
    const wzp_sim_end b = {&w->relay, 0, w->dst};
    const wzp_sim_link_cfg down = {.delay = {.base = 0}};
    wzp_sim_pipe *pipes[2];
    size_t index = 0;
    wzp_fail fail;
    const wzp_err err =
        w->fabric->ops->link(w->fabric, "access", &a, &b, up, &down, pipes, &index, &fail);
    w->pipe = pipes[0];
    return err;
}

wzp_err wzp_trace_carry(const wzp_trace *trace, const char *preset, uint64_t seed,
                        wzp_time *arrivals) {
    const wzp_sim_engine_cfg engine = {.seed = seed};
    wzp_sim_link_cfg up;
    way w = {.sender = {ignore, "sender"},
             .relay = {arrive, "relay"},
             .trace = trace,
             .arrivals = arrivals,
             .src = wzp_addr_v4(198, 51, 100, 1, 5000),
             .dst = wzp_addr_v4(192, 0, 2, 1, 4433)};
    if (!wzp_sim_link_preset(preset, true, &up)) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < trace->count; i++) {
        arrivals[i] = WZP_TIME_NEVER;
    }
    wzp_err err = wzp_sim_fabric_native(&w.fabric, &engine);
    if (err != WZP_OK) {
        return err;
    }
    const wzp_sim_clock clock = w.fabric->ops->clock(w.fabric);
    w.begin = wzp_sim_now(clock);
    err = join(&w, &up);
    if (err == WZP_OK && trace->count > 0) {
        const wzp_time last = w.begin + trace->packets[trace->count - 1].at;
        wzp_sim_at(clock, w.begin + trace->packets[0].at, send_due, &w, NULL);
        (void)w.fabric->ops->run(w.fabric, wzp_time_after(last, 60 * WZP_S));
    }
    w.fabric->ops->free(w.fabric);
    return w.failed ? WZP_ERR_NOMEM : err;
}
