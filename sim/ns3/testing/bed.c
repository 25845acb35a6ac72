#include "sim/ns3/testing/bed.h"

#include <assert.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"

#define START (3 * WZP_S)
#define HEADERS 28
#define NUMBER 8 /* bytes of payload that hold `seq` */
#define PORT 4000

typedef struct sender {
    bed *bed;
    bed_source source;
    wzp_prng prng;
    wzp_time next;
} sender;

const wzp_ns3_ops *bed_ns3(void) {
    static const wzp_ns3_ops *ops;
    char why[WZP_NS3_WHY_MAX];
    if (ops == NULL && wzp_ns3_load(&ops, why) != WZP_OK) {
        (void)fprintf(stderr, "%s\n", why);
    }
    return ops;
}

/* --- what arrives ----------------------------------------------------------------------------- */

static void mix(bed *b, uint64_t word) {
    b->hash = (b->hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    b->hash ^= b->hash >> 32;
}

static void note(bed *b, const wzp_sim_packet *packet, wzp_time now) {
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 1024 : b->cap * 2;
        b->arrivals = realloc(b->arrivals, b->cap * sizeof *b->arrivals);
        assert(b->arrivals != NULL);
    }
    uint64_t seq = 0;
    for (size_t i = 0; i < NUMBER; i++) {
        seq = seq << 8 | packet->payload[i];
    }
    mix(b, seq);
    mix(b, now);
    b->arrivals[b->count++] = (bed_arrival){
        .seq = seq,
        .sent = packet->created - START,
        .at = now - START,
        .bytes = wzp_sim_packet_wire_len(packet),
        .flow = (uint16_t)(packet->src.port - PORT),
        .tos = packet->tos,
        .corrupted = packet->corrupted,
    };
}

static void deliver_b(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    bed *b = ((bed_end *)node)->bed;
    assert(port == 0 && now == wzp_sim_now(b->clock)); /* check would write a line for each */
    if (b->echoes) {
        wzp_sim_pipe_carry(b->pipes[1], packet, now);
        return;
    }
    note(b, packet, now);
    wzp_sim_packet_free(packet);
}

static void deliver_a(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    bed *b = ((bed_end *)node)->bed;
    assert(port == 0);
    if (packet->proto == WZP_SIM_ICMP) {
        b->errors++;
    } else if (b->echoes) {
        note(b, packet, now);
    }
    wzp_sim_packet_free(packet);
}

/* --- the bed ---------------------------------------------------------------------------------- */

void bed_open(bed *b, const char *engine, uint64_t seed) {
    const wzp_sim_engine_cfg cfg = {.seed = seed, .start = START};
    *b = (bed){.a = {{deliver_a, "a"}, b}, .b = {{deliver_b, "b"}, b}, .start = START};
    const wzp_err err = strcmp(engine, "ns3") == 0 ? wzp_sim_fabric_ns3(&b->fabric, &cfg, bed_ns3())
                                                   : wzp_sim_fabric_native(&b->fabric, &cfg);
    ck_assert_msg(err == WZP_OK, "%s: %s", engine, wzp_err_name(err));
    ck_assert_str_eq(b->fabric->engine, engine);
    b->clock = b->fabric->ops->clock(b->fabric);
    b->pool = b->fabric->ops->pool(b->fabric);
    ck_assert_uint_eq(wzp_sim_now(b->clock), START);
}

void bed_link(bed *b, const wzp_sim_link_cfg *ab, const wzp_sim_link_cfg *ba) {
    const wzp_sim_end a_end = {&b->a.node, 0, wzp_addr_v4(10, 0, 0, 1, 0)};
    const wzp_sim_end b_end = {&b->b.node, 0, wzp_addr_v4(10, 0, 0, 2, 0)};
    wzp_fail fail = {.field = "-"};
    const wzp_err err =
        b->fabric->ops->link(b->fabric, "link", &a_end, &b_end, ab, ba, b->pipes, &b->link, &fail);
    ck_assert_msg(err == WZP_OK, "%s: %s", wzp_err_name(err), fail.field);
}

void bed_close(bed *b) {
    b->fabric->ops->free(b->fabric);
    free(b->arrivals);
    b->arrivals = NULL;
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void send_one(sender *s, wzp_time now) {
    bed *b = s->bed;
    static uint8_t payload[UINT16_MAX];
    memset(payload, s->source.fill, s->source.size - HEADERS);
    for (size_t i = 0; i < NUMBER; i++) {
        payload[i] = (uint8_t)(b->sent >> (56 - 8 * i));
    }
    const wzp_addr src = wzp_addr_v4(10, 0, 0, 1, (uint16_t)(PORT + s->source.flow));
    const wzp_addr dst = wzp_addr_v4(10, 0, 0, 2, PORT);
    wzp_sim_packet *packet = wzp_sim_packet_new(
        b->pool, &src, &dst, wzp_bytes_of(payload, s->source.size - HEADERS), now);
    assert(packet != NULL);
    packet->tos = s->source.tos;
    b->sent++;
    wzp_sim_pipe_carry(b->pipes[0], packet, now);
}

static uint64_t gap(sender *s) {
    const uint64_t mean = s->source.interval;
    return s->source.poisson ? wzp_chance_exponential(&s->prng, mean) : mean;
}

static void send_task(void *self, void *arg, wzp_time now) {
    sender *s = self;
    (void)arg;
    for (uint32_t i = 0; i < (s->source.burst == 0 ? 1 : s->source.burst); i++) {
        send_one(s, now);
    }
    s->next += gap(s);
    if (s->next < START + s->source.until) {
        wzp_sim_at(s->bed->clock, s->next, send_task, s, NULL);
    } else {
        free(s);
    }
}

void bed_send(bed *b, const bed_source *source) {
    sender *s = malloc(sizeof *s);
    ck_assert_ptr_nonnull(s);
    *s = (sender){.bed = b, .source = *source, .next = START + source->from};
    char name[32];
    (void)snprintf(name, sizeof name, "flow %u", source->flow);
    wzp_sim_stream(b->clock, &s->prng, name);
    wzp_sim_at(b->clock, s->next, send_task, s, NULL);
}

wzp_sim_stop bed_run(bed *b, uint64_t duration) {
    return b->fabric->ops->run(b->fabric, START + duration);
}

/* --- figures ---------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

void bed_measure(const bed *b, uint16_t flow, bed_figures *out) {
    static const uint64_t at[] = {10, 50, 90, 99, 100};
    uint64_t *delays = calloc(b->count + 1, sizeof *delays);
    ck_assert_ptr_nonnull(delays);
    *out = (bed_figures){0};
    wzp_time first = WZP_TIME_NEVER;
    wzp_time last = 0;
    uint64_t first_bytes = 0;
    for (size_t i = 0; i < b->count; i++) {
        const bed_arrival *arrival = &b->arrivals[i];
        if (arrival->flow != flow) {
            continue;
        }
        delays[out->received++] = arrival->at - arrival->sent;
        out->bytes += arrival->bytes;
        if (first == WZP_TIME_NEVER) {
            first = arrival->at;
            first_bytes = arrival->bytes;
        }
        last = arrival->at;
    }
    qsort(delays, out->received, sizeof *delays, by_size);
    for (size_t i = 0; i < WZP_COUNT_OF(at) && out->received > 0; i++) {
        out->percentile[i] = delays[(out->received - 1) * at[i] / 100];
    }
    if (out->received > 1 && last > first) {
        out->throughput = (out->bytes - first_bytes) * 8 * 1000 / ((last - first) / WZP_US) * 1000;
    }
    free(delays);
}
