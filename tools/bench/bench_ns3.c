/* The same network on the native engine and on ns-3: what a packet costs, how much faster than real
 * time a call runs, and how many events a second that is.  Wi-Fi and LTE have no native model.
 *
 *     a -- router -- router -- b      three links with rate, queue and delay */
#include "bench.h"
#include "sim/net/router.h"
#include "sim/ns3/ns3.h"

enum { ROUNDS = 7, ROUTERS = 2, LINKS = ROUTERS + 1, PAYLOAD = 172, EVERY_MS = 20 };

typedef struct call call;

typedef struct phone {
    wzp_sim_node node; /* first */
    call *of;
    wzp_sim_pipe *pipe;
    wzp_addr own, other;
} phone;

struct call {
    const wzp_ns3_ops *ns3; /* NULL: native */
    wzp_sim_link_cfg links[LINKS];
    size_t link_count;
    uint64_t seconds;
    wzp_sim_fabric *fabric;
    wzp_sim_clock clock;
    wzp_sim_router *routers[ROUTERS];
    phone a, b;
    uint64_t heard, events;
};

static void must(bool good) {
    if (!good) {
        abort();
    }
}

static void hear(wzp_sim_node *node, unsigned port, wzp_sim_packet *packet, wzp_time now) {
    phone *p = (phone *)node;
    (void)port, (void)now;
    p->of->heard++;
    wzp_sim_packet_free(packet);
}

static void speak(void *self, void *arg, wzp_time now) {
    static const uint8_t payload[PAYLOAD];
    phone *p = self;
    call *c = p->of;
    wzp_sim_packet *packet = wzp_sim_packet_new(c->fabric->ops->pool(c->fabric), &p->own, &p->other,
                                                wzp_bytes_of(payload, sizeof payload), now);
    must(packet != NULL);
    wzp_sim_pipe_carry(p->pipe, packet, now);
    if (now < WZP_S + c->seconds * WZP_S) {
        wzp_sim_at(c->clock, now + EVERY_MS * WZP_MS, speak, p, arg);
    }
}

static wzp_sim_node *node_at(call *c, size_t i) {
    if (i == 0) {
        return &c->a.node;
    }
    return i == c->link_count ? &c->b.node : wzp_sim_router_node(c->routers[i - 1]);
}

static void attach(call *c, size_t i, unsigned port, wzp_sim_pipe *pipe) {
    if (i == 0) {
        c->a.pipe = pipe;
    } else if (i == c->link_count) {
        c->b.pipe = pipe;
    } else {
        const wzp_addr *to = port == 0 ? &c->a.own : &c->b.own;
        must(wzp_sim_router_attach(c->routers[i - 1], port, pipe) == WZP_OK &&
             wzp_sim_router_route(c->routers[i - 1], to, 32, port) == WZP_OK);
    }
}

static void set_up(void *ctx) {
    static const char *const names[] = {"l1", "l2", "l3"};
    static const char *const routers[] = {"r1", "r2"};
    call *c = ctx;
    const wzp_sim_engine_cfg cfg = {.seed = 1};
    must((c->ns3 != NULL ? wzp_sim_fabric_ns3(&c->fabric, &cfg, c->ns3)
                         : wzp_sim_fabric_native(&c->fabric, &cfg)) == WZP_OK);
    c->clock = c->fabric->ops->clock(c->fabric);
    c->a = (phone){{hear, "a"}, c, NULL, wzp_addr_v4(10, 0, 0, 1, 1), wzp_addr_v4(10, 0, 0, 2, 2)};
    c->b = (phone){{hear, "b"}, c, NULL, c->a.other, c->a.own};
    for (size_t i = 0; i + 1 < c->link_count; i++) {
        must(wzp_sim_router_new(&c->routers[i], &(wzp_sim_router_cfg){.name = routers[i]}) ==
             WZP_OK);
    }
    for (size_t i = 0; i < c->link_count && i < LINKS; i++) {
        const wzp_sim_end a = {.node = node_at(c, i), .port = i == 0 ? 0 : 1};
        const wzp_sim_end b = {.node = node_at(c, i + 1)};
        wzp_sim_pipe *pipe[2] = {NULL, NULL};
        size_t index = 0;
        wzp_fail fail;
        must(c->fabric->ops->link(c->fabric, names[i], &a, &b, &c->links[i], &c->links[i], pipe,
                                  &index, &fail) == WZP_OK);
        attach(c, i, a.port, pipe[0]);
        attach(c, i + 1, 0, pipe[1]);
    }
    wzp_sim_at(c->clock, WZP_S, speak, &c->a, NULL);
    wzp_sim_at(c->clock, WZP_S + EVERY_MS / 2 * WZP_MS, speak, &c->b, NULL);
}

static void tear_down(call *c) {
    c->events = c->fabric->ops->events(c->fabric);
    for (size_t i = 0; i + 1 < c->link_count; i++) {
        wzp_sim_router_free(&c->routers[i]);
    }
    c->fabric->ops->free(c->fabric);
}

static void play(void *ctx) {
    call *c = ctx;
    set_up(c);
    (void)c->fabric->ops->run(c->fabric, WZP_S + (c->seconds + 1) * WZP_S);
    tear_down(c);
}

/* --- the table -------------------------------------------------------------------------------- */

static void report(const char *name, const call *c, const bench *b, const bench *native) {
    char text[64];
    const double least = b->ns[0];
    const double median = b->ns[ROUNDS / 2];
    const double total = (double)b->count;
    (void)snprintf(text, sizeof text, "%s: packet and hop", name);
    bench_line(text, least, "ns", median, native != NULL ? least / native->ns[0] : 0, "-");
    (void)snprintf(text, sizeof text, "%s: times real time", name);
    bench_line(text, (double)c->seconds * 1e9 / (least * total), "x",
               (double)c->seconds * 1e9 / (median * total), 0, "-");
    (void)snprintf(text, sizeof text, "%s: events in 1 ms", name);
    bench_line(text, (double)c->events * 1e6 / (least * total), "",
               (double)c->events * 1e6 / (median * total), 0, "-");
}

static const wzp_sim_link_cfg line = {.rate = {.bits_per_s = 10000000},
                                      .queue = {.limit_ns = 100 * WZP_MS},
                                      .delay = {.base = 10 * WZP_MS}};
static const wzp_sim_link_cfg fair = {.rate = {.bits_per_s = 10000000},
                                      .queue = {.kind = WZP_SIM_QUEUE_FQ_CODEL},
                                      .delay = {.base = 10 * WZP_MS}};

static size_t packets_and_hops(uint64_t seconds, size_t links) {
    return seconds * 2 * (1000 / EVERY_MS) * links;
}

static void both(const wzp_ns3_ops *ns3, const char *what, const wzp_sim_link_cfg *cfg) {
    call calls[2] = {{.ns3 = NULL}, {.ns3 = ns3}};
    bench benches[2] = {{.run = play}, {.run = play}};
    char name[64];
    for (size_t i = 0; i < 2; i++) {
        calls[i].seconds = 200;
        calls[i].link_count = LINKS;
        for (size_t k = 0; k < LINKS; k++) {
            calls[i].links[k] = *cfg;
        }
        benches[i].ctx = &calls[i];
        benches[i].count = packets_and_hops(calls[i].seconds, LINKS);
    }
    bench_all(benches, 2, ROUNDS);
    must(calls[0].heard == calls[1].heard);
    (void)snprintf(name, sizeof name, "native, %s", what);
    report(name, &calls[0], &benches[0], NULL);
    (void)snprintf(name, sizeof name, "ns-3, %s", what);
    report(name, &calls[1], &benches[1], &benches[0]);
}

static void medium(const wzp_ns3_ops *ns3, const char *what, const char *access) {
    call c = {.ns3 = ns3, .link_count = 1, .seconds = 10, .links = {{.access = access}}};
    bench b = {.run = play, .ctx = &c, .count = packets_and_hops(c.seconds, 1)};
    bench_all(&b, 1, ROUNDS);
    report(what, &c, &b, NULL);
}

int main(void) {
    const wzp_ns3_ops *ns3 = NULL;
    char why[WZP_NS3_WHY_MAX];
    if (wzp_ns3_load(&ns3, why) != WZP_OK) {
        (void)fprintf(stderr, "bench_ns3: %s\n", why);
        return 0;
    }
    both(ns3, "droptail", &line);
    both(ns3, "FQ-CoDel", &fair);
    medium(ns3, "ns-3, Wi-Fi", "wifi");
    medium(ns3, "ns-3, LTE", "lte");
    return 0;
}
