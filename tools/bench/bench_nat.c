/* Packets through a NAT box, out and in by turns, with few and many mappings; and what a mapping
 * weighs. */
#include "bench.h"

#include "base/bytes.h"
#include "sim/box/box.h"
#include "sim/engine/engine.h"

enum { PACKETS = 65536, BURST = 16, ROUNDS = 11, MOST = 65000, HOSTS = 250, PAYLOAD = 120 };
enum { BUDGET_NS = 1000, BUDGET_MIB = 16 };

typedef struct through {
    wzp_sim_pipe in, out; /* what leaves at them is counted and gone */
    wzp_sim_engine *engine;
    wzp_sim_pool *pool;
    wzp_sim_box *box;
    uint32_t mappings;
    uint16_t ports[MOST]; /* external */
    uint32_t next;        /* mapping whose turn it is */
    uint64_t passed;
    wzp_addr seen; /* source of the last packet that left */
} through;

static const uint8_t payload[PAYLOAD];

static wzp_addr remote_of(uint32_t i) {
    return wzp_addr_v4(192, 0, 2, (uint8_t)(1 + i % HOSTS), 4433);
}

static wzp_addr inside_of(uint32_t i) {
    return wzp_addr_v4(10, 0, 0, (uint8_t)(1 + i % HOSTS), (uint16_t)(1024 + i / HOSTS));
}

static void count_in(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    through *t = (through *)pipe;
    (void)now;
    t->passed++;
    wzp_sim_packet_free(packet);
}

static void count_out(wzp_sim_pipe *pipe, wzp_sim_packet *packet, wzp_time now) {
    through *t = (through *)((char *)pipe - offsetof(through, out));
    (void)now;
    t->passed++;
    t->seen = packet->src;
    wzp_sim_packet_free(packet);
}

static void put(through *t, unsigned port, const wzp_addr *src, const wzp_addr *dst, wzp_time now) {
    wzp_sim_packet *packet =
        wzp_sim_packet_new(t->pool, src, dst, wzp_bytes_of(payload, sizeof payload), now);
    if (packet == NULL) {
        abort();
    }
    wzp_sim_node_deliver(wzp_sim_box_node(t->box), port, packet, now);
}

static void finish(const through *t) {
    if (wzp_sim_engine_run(t->engine, WZP_TIME_NEVER) != WZP_SIM_STOP_IDLE) {
        abort();
    }
}

/* Mappings take turns by a step that has no factor in common with their number, so that memory is
 * met in no order.  What the bench itself needs is computed, not fetched. */
static void run_packets(void *ctx) {
    through *t = ctx;
    const uint64_t before = t->passed;
    for (size_t i = 0; i < PACKETS; i += BURST) {
        const wzp_time now = wzp_sim_now(wzp_sim_engine_clock(t->engine));
        for (size_t k = 0; k < BURST; k += 2) {
            const wzp_addr inside = inside_of(t->next);
            const wzp_addr remote = remote_of(t->next);
            const wzp_addr outside = wzp_addr_v4(203, 0, 113, 1, t->ports[t->next]);
            put(t, 0, &inside, &remote, now);
            put(t, 1, &remote, &outside, now);
            t->next = (t->next + 40503) % t->mappings;
        }
        finish(t);
    }
    if (t->passed - before != PACKETS) {
        abort();
    }
}

static void open_mappings(through *t) {
    for (uint32_t i = 0; i < t->mappings; i++) {
        const wzp_addr remote = remote_of(i);
        const wzp_addr inside = inside_of(i);
        put(t, 0, &inside, &remote, wzp_sim_now(wzp_sim_engine_clock(t->engine)));
        finish(t);
        t->ports[i] = t->seen.port;
    }
}

static void new_through(through *t, const char *preset, uint32_t mappings) {
    wzp_sim_box_cfg cfg = {.name = "box",
                           .inside = wzp_addr_v4(10, 0, 0, 254, 0),
                           .externals = {wzp_addr_v4(203, 0, 113, 1, 0)},
                           .external_count = 1};
    wzp_fail fail;
    *t = (through){.in = {.carry = count_in}, .out = {.carry = count_out}, .mappings = mappings};
    if (!wzp_sim_nat_preset(preset, &cfg.nat) ||
        wzp_sim_engine_new(&t->engine, &(wzp_sim_engine_cfg){.seed = 1}) != WZP_OK) {
        abort();
    }
    cfg.nat.first_port = 1; /* 64,512 would not do */
    t->pool = wzp_sim_pool_new();
    if (t->pool == NULL ||
        wzp_sim_box_new(&t->box, &cfg, wzp_sim_engine_clock(t->engine), t->pool, &fail) != WZP_OK) {
        abort();
    }
    wzp_sim_box_attach(t->box, 0, &t->in);
    wzp_sim_box_attach(t->box, 1, &t->out);
    open_mappings(t);
}

static void free_through(through *t) {
    wzp_sim_box_free(&t->box);
    wzp_sim_pool_free(&t->pool);
    wzp_sim_engine_free(&t->engine);
}

static void report_memory(const char *name, const through *t) {
    wzp_sim_nat_counts counts;
    char budget[64];
    wzp_sim_nat_count(wzp_sim_box_nat(t->box), &counts);
    const double mib = (double)counts.bytes / (1 << 20);
    (void)snprintf(budget, sizeof budget, "%s (%.1f of %d MiB)", mib <= BUDGET_MIB ? "ok" : "OVER",
                   mib, BUDGET_MIB);
    const double each = (double)counts.bytes / (double)counts.mappings;
    bench_line(name, each, "B", each, 0, budget);
}

int main(void) {
    static through t[5];
    new_through(&t[0], "addrcone", 1);
    new_through(&t[1], "addrcone", 1000);
    new_through(&t[2], "addrcone", MOST);
    new_through(&t[3], "linux-masq", 1000);
    new_through(&t[4], "linux-masq", MOST);
    bench benches[] = {
        {.name = "NAT box, 1 mapping", .run = run_packets, .ctx = &t[0], .count = PACKETS},
        {.name = "NAT box, 1000 mappings", .run = run_packets, .ctx = &t[1], .count = PACKETS},
        {.name = "NAT box, 65000 mappings", .run = run_packets, .ctx = &t[2], .count = PACKETS},
        {.name = "NAT box, 1000 flows", .run = run_packets, .ctx = &t[3], .count = PACKETS},
        {.name = "NAT box, 65000 flows", .run = run_packets, .ctx = &t[4], .count = PACKETS},
    };
    bench_all(benches, WZP_COUNT_OF(benches), ROUNDS);
    for (size_t i = 0; i < WZP_COUNT_OF(benches); i++) {
        bench_report(&benches[i], ROUNDS, NULL, BUDGET_NS);
    }
    report_memory("a mapping, of 65000", &t[2]);
    report_memory("a flow, of 65000", &t[4]);
    for (size_t i = 0; i < WZP_COUNT_OF(t); i++) {
        free_through(&t[i]);
    }
    return 0;
}
