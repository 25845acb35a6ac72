/* Simulated calls: two parties on access links, a relay, QUIC, encryption and jitter buffers; no
 * codec, but the packets that one made (opus24k.txt beside the program).  How many times faster
 * than real time on one core, on the native engine and on ns-3, and what a second of a call costs
 * when many share one simulation, which should not depend on how many.
 *
 *     bench_call        all of it
 *     bench_call 50     50 calls and no more, for a profiler, which finds them in `steady`:
 *                       valgrind --tool=callgrind --toggle-collect='steady*' bench_call 50 */
#include "sim/host/call_host.h"

#include "bench.h"
#include "bench_count.h"
#include "io/sys.h"
#include "sim/host/relay_host.h"
#include "sim/net/fabric.h"
#include "sim/net/router.h"
#include "sim/ns3/ns3.h"

enum { CALLS_MAX = 200, NAME = 32, ROUNDS = 3, SET_UP_S = 6, PROFILED_S = 2 };

#define LINEAR 1.1 /* instructions of one of many calls to those of one alone */

typedef struct party {
    char name[NAME], room[NAME];
    wzp_sim_host *host;
    wzp_sim_call_host *call;
} party;

typedef struct world {
    wzp_sim_fabric *fabric;
    wzp_sim_router *router;
    wzp_sim_host *relay_host;
    wzp_sim_relay_host *relay;
    party parties[2 * CALLS_MAX];
    size_t count;
} world;

static wzp_sim_payloads *said; /* what all callers say */

static const wzp_addr relay_at = {WZP_ADDR_V4, 4433, {192, 0, 2, 1}};

static void require(bool holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "bench_call: %s\n", what);
        _Exit(1);
    }
}

/* A host on port `port` of the router, a link each way. */
static wzp_sim_host *plug(world *w, const char *name, unsigned port, const wzp_addr *ip,
                          const wzp_sim_link_cfg *up, const wzp_sim_link_cfg *down) {
    const wzp_sim_host_cfg cfg = {.name = name};
    wzp_sim_host *host = NULL;
    wzp_sim_pipe *pipes[2];
    size_t index = 0;
    wzp_fail fail;
    require(wzp_sim_host_new(&host, &cfg, w->fabric->ops->clock(w->fabric),
                             w->fabric->ops->pool(w->fabric)) == WZP_OK,
            "no host");
    const wzp_sim_end a = {wzp_sim_host_node(host), 0, *ip};
    const wzp_sim_end b = {wzp_sim_router_node(w->router), port, {0}};
    require(w->fabric->ops->link(w->fabric, name, &a, &b, up, down, pipes, &index, &fail) ==
                    WZP_OK &&
                wzp_sim_host_attach(host, 0, pipes[0]) == WZP_OK &&
                wzp_sim_host_address(host, 0, ip) == WZP_OK &&
                wzp_sim_router_attach(w->router, port, pipes[1]) == WZP_OK &&
                wzp_sim_router_route(w->router, ip, 32, port) == WZP_OK,
            "no link");
    return host;
}

static void add_party(world *w, const wzp_sim_link_cfg *up, const wzp_sim_link_cfg *down) {
    const size_t i = w->count++;
    party *p = &w->parties[i];
    const wzp_addr ip = wzp_addr_v4(198, 51, (uint8_t)(i / 200), (uint8_t)(1 + i % 200), 0);
    (void)snprintf(p->name, NAME, "party%zu", i);
    (void)snprintf(p->room, NAME, "room%zu", i / 2);
    p->host = plug(w, p->name, (unsigned)i + 1, &ip, up, down);
    const wzp_sim_call_cfg cfg = {.name = p->name,
                                  .id = (uint32_t)i,
                                  .relay = relay_at,
                                  .room = p->room,
                                  .codec = WZP_CODEC_OPUS_24K,
                                  .payloads = said,
                                  /* Not all at once, as in life. */
                                  .dial_at = WZP_S + i * 7 * WZP_MS};
    require(wzp_sim_call_host_new(&p->call, p->host, &cfg) == WZP_OK, "no caller");
}

/* Access links of 10 Mbit/s up and 50 down, 10 ms, queues of 100 ms (nat sheet 2.14, L0). */
static void build(world *w, size_t calls, const wzp_ns3_ops *ns3) {
    const wzp_sim_engine_cfg engine = {.seed = 1};
    const wzp_sim_router_cfg router = {.name = "core"};
    const wzp_sim_link_cfg up = {.rate = {.bits_per_s = 10000000},
                                 .delay = {.base = 10 * WZP_MS},
                                 .queue = {.limit_ns = 100 * WZP_MS}};
    const wzp_sim_link_cfg down = {.rate = {.bits_per_s = 50000000},
                                   .delay = {.base = 10 * WZP_MS},
                                   .queue = {.limit_ns = 100 * WZP_MS}};
    const wzp_sim_link_cfg wire = {.delay = {.base = 5 * WZP_MS}};
    const wzp_sim_relay_host_cfg relay = {
        .name = "relay", .relay = {.enforce = WZP_ENFORCE_ON, .max_sessions = 2 * CALLS_MAX}};
    memset(w, 0, sizeof *w);
    const wzp_err err = ns3 != NULL ? wzp_sim_fabric_ns3(&w->fabric, &engine, ns3)
                                    : wzp_sim_fabric_native(&w->fabric, &engine);
    require(err == WZP_OK && wzp_sim_router_new(&w->router, &router) == WZP_OK, "no network");
    w->relay_host = plug(w, "relay-host", 0, &relay_at, &wire, &wire);
    require(wzp_sim_relay_host_new(&w->relay, w->relay_host, &relay) == WZP_OK, "no relay");
    for (size_t i = 0; i < 2 * calls; i++) {
        add_party(w, &up, &down);
    }
}

static void run(world *w, wzp_time until) {
    require(w->fabric->ops->run(w->fabric, until) == WZP_SIM_STOP_TIME, "the run stopped early");
}

static void take_down(world *w) {
    for (size_t i = 0; i < w->count; i++) {
        wzp_sim_call_host_free(&w->parties[i].call);
        wzp_sim_host_free(&w->parties[i].host);
    }
    wzp_sim_relay_host_free(&w->relay);
    wzp_sim_host_free(&w->relay_host);
    w->fabric->ops->free(w->fabric);
    wzp_sim_router_free(&w->router);
}

/* A simulation that is fast and wrong is worth nothing. */
static void check_all_heard(const world *w, wzp_time until, uint64_t seconds) {
    for (size_t i = 0; i < w->count; i++) {
        static wzp_sim_call_report report;
        wzp_sim_call_host_report(w->parties[i].call, until, &report);
        require(report.senders == 1 && report.heard[0].sender == (i ^ 1), "somebody hears nobody");
        require(report.heard[0].verdict.which == WZP_SIM_CLASS_A0 &&
                    report.heard[0].played + 100 >= seconds * 50,
                "a call is not as good as its network");
    }
}

/* From the first packet to the end of a minute; ns3 NULL: on the native engine. */
static double whole_minute(world *w, const wzp_ns3_ops *ns3) {
    const double begin = bench_cpu_ns();
    build(w, 1, ns3);
    run(w, 61 * WZP_S);
    const double spent = bench_cpu_ns() - begin;
    check_all_heard(w, 61 * WZP_S, 60);
    take_down(w);
    return spent;
}

/* By this name callgrind finds what is measured, and nothing else. */
__attribute__((noinline)) static void steady(world *w, wzp_time until) {
    run(w, until);
}

/* ns for a second of one of `calls` calls, all of them set up. */
static double call_second(world *w, size_t calls, uint64_t seconds) {
    const wzp_time end = (SET_UP_S + seconds) * WZP_S;
    build(w, calls, NULL);
    run(w, SET_UP_S * WZP_S);
    const double begin = bench_cpu_ns();
    steady(w, end);
    const double spent = bench_cpu_ns() - begin;
    check_all_heard(w, end, SET_UP_S + seconds - 4);
    take_down(w);
    return spent / (double)(seconds * calls);
}

/* The packets that were encoded when the bench was built. */
static void load_payloads(const char *program) {
    enum { BIGGEST = 1024 * 1024 };
    static char text[BIGGEST];
    char file[512];
    size_t len = 0;
    wzp_fail fail;
    const char *slash = strrchr(program, '/');
    (void)snprintf(file, sizeof file, "%.*sopus24k.txt",
                   slash != NULL ? (int)(slash - program + 1) : 0, program);
    require(wzp_io_read_file(file, text, sizeof text, &len), "no opus24k.txt beside the program");
    require(wzp_sim_payloads_parse(&said, wzp_bytes_of(text, len), &fail) == WZP_OK,
            "opus24k.txt has no Opus packets");
}

static double sorted(double *ns, size_t count) {
    qsort(ns, count, sizeof *ns, bench_compare);
    return ns[0];
}

/* `bench_call N`: N calls and no more, for a profiler. */
static void profile(world *w, size_t calls) {
    char text[64];
    require(calls > 0 && calls <= CALLS_MAX, "1 to 200 calls");
    const double ns = call_second(w, calls, PROFILED_S);
    (void)snprintf(text, sizeof text, "a second of one of %zu", calls);
    bench_line(text, ns, "ns", ns, 0, "-");
}

/* The work for each call; how long it takes is up to the processor's caches as well. */
static void count_instructions(const char *own) {
    static const size_t counts[] = {1, 50, CALLS_MAX};
    double one = 0;
    for (size_t i = 0; i < WZP_COUNT_OF(counts); i++) {
        char text[64];
        char budget[64];
        double ns = 0;
        (void)snprintf(text, sizeof text, "%zu", counts[i]);
        const double all = bench_count(own, text, "steady*", "a second of one of ", &ns);
        const double each = all / (double)(counts[i] * PROFILED_S);
        if (all <= 0) {
            (void)fprintf(stderr, "bench_call: no valgrind, no instructions counted\n");
            return;
        }
        one = i == 0 ? each : one;
        (void)snprintf(text, sizeof text, "instructions, a second of one of %zu", counts[i]);
        (void)snprintf(budget, sizeof budget, "%s (x %.2f)", each <= LINEAR * one ? "ok" : "OVER",
                       LINEAR);
        bench_line(text, each, "", each, i == 0 ? 0 : each / one, i == 0 ? "-" : budget);
    }
}

static void report_minutes(double ns[ROUNDS], const char *name, double native) {
    char text[64];
    const double best = 60e9 / sorted(ns, ROUNDS);
    (void)snprintf(text, sizeof text, "%s (at least 300)", best >= 300 ? "ok" : "OVER");
    bench_line(name, best, "x", 60e9 / ns[ROUNDS / 2], native > 0 ? best / native : 0,
               native > 0 ? "-" : text);
}

int main(int argc, char **argv) {
    static world w;
    static const size_t counts[] = {1, 10, 50, 100, 200};
    double ns[WZP_COUNT_OF(counts)][ROUNDS];
    double minute[2][ROUNDS];
    char text[WZP_NS3_WHY_MAX];
    const wzp_ns3_ops *ns3 = NULL;
    load_payloads(argv[0]);
    if (argc > 1) {
        profile(&w, strtoul(argv[1], NULL, 10));
        return 0;
    }
    if (wzp_ns3_load(&ns3, text) != WZP_OK) {
        (void)fprintf(stderr, "bench_call: %s\n", text);
        ns3 = NULL;
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        minute[0][round] = whole_minute(&w, NULL);
        minute[1][round] = ns3 != NULL ? whole_minute(&w, ns3) : 0;
        for (size_t i = 0; i < WZP_COUNT_OF(counts); i++) {
            ns[i][round] = call_second(&w, counts[i], 4 + 100 / counts[i]);
        }
    }
    report_minutes(minute[0], "call of 60 s, times real time", 0);
    if (ns3 != NULL) {
        report_minutes(minute[1], "the same on ns-3", 60e9 / minute[0][0]);
    }
    const double one = sorted(ns[0], ROUNDS);
    for (size_t i = 0; i < WZP_COUNT_OF(counts); i++) {
        const double least = sorted(ns[i], ROUNDS);
        (void)snprintf(text, sizeof text, "a second of one of %zu call%s", counts[i],
                       counts[i] == 1 ? "" : "s");
        bench_line(text, least, "ns", ns[i][ROUNDS / 2], i == 0 ? 0 : least / one, "-");
    }
    count_instructions(argv[0]);
    return 0;
}
