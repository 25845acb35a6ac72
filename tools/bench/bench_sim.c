/* What an event of the simulator costs: a task of the engine alone, and a packet through a link
 * with rate, queue and delay, from its making to its delivery. */
#include "bench.h"
#include "sim/engine/chance.h"
#include "sim/net/capture.h"

enum { ROUNDS = 21, TASKS = 400000, PACKETS = 200000, LINKS_MAX = 256, PAYLOAD = 160 };

#define BUDGET_NS 500

/* --- tasks ------------------------------------------------------------------------------------ */

/* `waiting` tasks, each of which leaves itself again for some later time. */
typedef struct tasks {
    wzp_sim_engine *engine;
    wzp_sim_clock clock;
    wzp_prng prng;
    size_t waiting, left;
} tasks;

static void again(void *self, void *arg, wzp_time now) {
    tasks *t = self;
    if (t->left > 0) {
        t->left--;
        wzp_sim_at(t->clock, now + (wzp_chance_u64(&t->prng) & 0xfffff), again, self, arg);
    }
}

static void run_tasks(void *ctx) {
    tasks *t = ctx;
    t->left = TASKS - t->waiting;
    for (size_t i = 0; i < t->waiting; i++) {
        wzp_sim_at(t->clock, 0, again, t, NULL);
    }
    if (wzp_sim_engine_run(t->engine, WZP_TIME_NEVER) != WZP_SIM_STOP_IDLE) {
        abort();
    }
}

static void new_tasks(tasks *t, size_t waiting) {
    *t = (tasks){.waiting = waiting};
    if (wzp_sim_engine_new(&t->engine, &(wzp_sim_engine_cfg){.seed = 1}) != WZP_OK) {
        abort();
    }
    t->clock = wzp_sim_engine_clock(t->engine);
    wzp_sim_stream(t->clock, &t->prng, "tasks");
}

/* --- packets ---------------------------------------------------------------------------------- */

/* Pairs of hosts, each with a link of its own; one sends a burst every millisecond. */
typedef struct packets {
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    wzp_sim_pool *pool;
    wzp_sim_pipe *pipes[LINKS_MAX];
    wzp_sim_node hosts[2];
    wzp_addr src, dst;
    size_t links, burst, left;
    uint64_t captured;
} packets;

static uint8_t payload[PAYLOAD];

static void receive(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    (void)node, (void)port, (void)now;
    wzp_sim_packet_free(packet);
}

static void send_burst(void *self, void *arg, wzp_time now) {
    packets *p = self;
    wzp_sim_pipe *pipe = arg;
    for (size_t i = 0; i < p->burst && p->left > 0; i++, p->left--) {
        wzp_sim_packet *packet = wzp_sim_packet_new(p->pool, &p->src, &p->dst,
                                                    wzp_bytes_of(payload, sizeof payload), now);
        if (packet == NULL) {
            abort();
        }
        wzp_sim_pipe_carry(pipe, packet, now);
    }
    if (p->left > 0) {
        wzp_sim_at(p->clock, now + WZP_MS, send_burst, self, arg);
    }
}

static void run_packets(void *ctx) {
    packets *p = ctx;
    const wzp_time now = wzp_sim_now(p->clock);
    p->left = PACKETS;
    for (size_t i = 0; i < p->links; i++) {
        wzp_sim_at(p->clock, now + i * 7919, send_burst, p, p->pipes[i]);
    }
    if (p->fabric->ops->run(p->fabric, WZP_TIME_NEVER) != WZP_SIM_STOP_IDLE) {
        abort();
    }
}

static void swallow(void *ctx, wzp_bytes bytes) {
    uint64_t *len = ctx;
    *len += bytes.len;
}

static wzp_sim_capture *capture_all(packets *p) {
    wzp_sim_capture *capture = NULL;
    const wzp_sim_capture_cfg cfg = {.sink = swallow, .sink_ctx = &p->captured};
    if (wzp_sim_capture_new(&capture, &cfg) != WZP_OK) {
        abort();
    }
    p->fabric->ops->tap(p->fabric, wzp_sim_capture_tap, capture);
    return capture;
}

static void new_packets(packets *p, size_t links, size_t burst, const wzp_sim_link_cfg *cfg) {
    *p = (packets){.links = links,
                   .burst = burst,
                   .hosts = {{receive, "a"}, {receive, "b"}},
                   .src = wzp_addr_v4(10, 0, 0, 1, 1000),
                   .dst = wzp_addr_v4(10, 0, 0, 2, 2000)};
    if (wzp_sim_fabric_native(&p->fabric, &(wzp_sim_engine_cfg){.seed = 1}) != WZP_OK) {
        abort();
    }
    p->clock = p->fabric->ops->clock(p->fabric);
    p->pool = p->fabric->ops->pool(p->fabric);
    for (size_t i = 0; i < links; i++) {
        wzp_sim_pipe *pipe[2];
        size_t index = 0;
        wzp_fail fail;
        char name[16];
        (void)snprintf(name, sizeof name, "l%zu", i);
        const wzp_sim_end a = {.node = &p->hosts[0], .port = (unsigned)i};
        const wzp_sim_end b = {.node = &p->hosts[1], .port = (unsigned)i};
        if (p->fabric->ops->link(p->fabric, name, &a, &b, cfg, cfg, pipe, &index, &fail) !=
            WZP_OK) {
            abort();
        }
        p->pipes[i] = pipe[0];
    }
}

/* 10 Mbit/s with a queue of 100 ms and 10 ms of delay: a packet takes 150 us to leave. */
static const wzp_sim_link_cfg plain = {
    .rate = {.bits_per_s = 10000000},
    .queue = {.kind = WZP_SIM_QUEUE_DROPTAIL, .limit_ns = 100 * WZP_MS},
    .delay = {.base = 10 * WZP_MS},
};

static const wzp_sim_link_cfg rough = {
    .rate = {.bits_per_s = 10000000},
    .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL},
    .delay = {.law = WZP_SIM_DELAY_NORMAL, .base = 20 * WZP_MS, .spread = 5 * WZP_MS},
    .loss = {.model = WZP_SIM_LOSS_GILBERT, .p = 5000, .r = 250000, .bad = WZP_PPM},
};

/* Tasks of the engine while packets pass, of whatever links they are: millions in a second. */
static void report_events(const char *name, const packets *p, const bench *b) {
    char text[64];
    const double events = (double)p->fabric->ops->events(p->fabric);
    const double each = events / ((double)b->count * (ROUNDS + 1));
    const double most = each * 1e3 / b->ns[0];
    (void)snprintf(text, sizeof text, "%s (at least 2.0)", most >= 2 ? "ok" : "OVER");
    bench_line(name, most, "M", each * 1e3 / b->ns[ROUNDS / 2], 0, text);
}

int main(void) {
    static tasks t[2];
    static packets p[5];
    new_tasks(&t[0], 16);
    new_tasks(&t[1], 16384);
    new_packets(&p[0], 1, 1, &plain);
    new_packets(&p[1], 1, 6, &plain);
    new_packets(&p[2], LINKS_MAX, 2, &plain);
    new_packets(&p[3], LINKS_MAX, 2, &rough);
    new_packets(&p[4], 1, 6, &plain);
    wzp_sim_capture *capture = capture_all(&p[4]);
    bench benches[] = {
        {.name = "task, 16 wait", .run = run_tasks, .ctx = &t[0], .count = TASKS},
        {.name = "task, 16384 wait", .run = run_tasks, .ctx = &t[1], .count = TASKS},
        {.name = "packet, one link, alone", .run = run_packets, .ctx = &p[0], .count = PACKETS},
        {.name = "packet, one link, queued", .run = run_packets, .ctx = &p[1], .count = PACKETS},
        {.name = "packet, 256 links", .run = run_packets, .ctx = &p[2], .count = PACKETS},
        {.name = "packet, 256 rough links", .run = run_packets, .ctx = &p[3], .count = PACKETS},
        {.name = "packet, captured at both ends",
         .run = run_packets,
         .ctx = &p[4],
         .count = PACKETS},
    };
    bench_all(benches, WZP_COUNT_OF(benches), ROUNDS);
    for (size_t i = 0; i < WZP_COUNT_OF(benches); i++) {
        /* Where links take turns it is the machine's memory that is measured, and who else uses
         * it: no budget. */
        const bool judged = benches[i].ctx == &p[0] || benches[i].ctx == &p[1];
        bench_report(&benches[i], ROUNDS, NULL, judged ? BUDGET_NS : 0);
    }
    report_events("link events in a second, one link", &p[1], &benches[3]);
    report_events("link events in a second, 256 links", &p[2], &benches[4]);
    wzp_sim_capture_free(&capture);
    for (size_t i = 0; i < WZP_COUNT_OF(p); i++) {
        p[i].fabric->ops->free(p[i].fabric);
    }
    wzp_sim_engine_free(&t[0].engine);
    wzp_sim_engine_free(&t[1].engine);
    return 0;
}
