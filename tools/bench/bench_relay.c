/* What forwarding costs: wzp-relay with a thousand real connections on loopback beside a forwarder
 * without any protocol, and beside the least server on the same libraries, on the same load, by
 * turns; servers on one core, all clients on another.  What is reported is processor time of the
 * server for each packet that a listener received.
 *
 * The forwarder is what the machine allows, the bare library what ngtcp2 and OpenSSL leave of it:
 * only what lies above that is ours to lower. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_count.h"
#include "io/sys.h"
#include "relay_load.h"

enum { ROUNDS = 3, STEADY_FRAMES = 20, STEADY_TURNS = 2 };

#define WARM (1500 * WZP_MS)
#define SPAN WZP_S
#define BUDGET 2.0       /* half of the forwarder's packets per core */
#define OWN_BUDGET 1.2   /* times the bare library */
#define DELAY_BUDGET 2.0 /* ms more than the forwarder's, 99 % */

typedef enum who { RAW, BARE, RELAY, WHO_COUNT } who;

static const char *const names[] = {"forwarder", "bare library", "relay"};
static contender *(*const opens[])(const load *) = {raw_open, bare_open, relay_open};

typedef struct results {
    outcome of[WHO_COUNT][ROUNDS]; /* the cheapest first */
} results;

static int by_cost(const void *a, const void *b) {
    const outcome *x = a;
    const outcome *y = b;
    return x->cpu_ns < y->cpu_ns ? -1 : x->cpu_ns > y->cpu_ns;
}

/* `rounds` measurements of each, by turns.  False: somebody could not. */
static bool measure(results *r, const load *l, size_t rounds) {
    contender *c[WHO_COUNT] = {NULL};
    bool done = true;
    for (int w = WHO_COUNT; w-- > 0 && done;) { /* first who takes longest: others would time out */
        c[w] = opens[w](l);
        done = c[w] != NULL;
        if (done) {
            contender_keep(c[w]);
        }
    }
    for (size_t i = 0; i < rounds && done; i++) {
        for (int w = 0; w < WHO_COUNT; w++) {
            r->of[w][i] = contender_measure(c[w], l, w == RAW || i > 0 ? WARM / 5 : WARM, SPAN);
        }
    }
    for (int w = 0; w < WHO_COUNT; w++) {
        contender_close(&c[w]);
        qsort(r->of[w], rounds, sizeof(outcome), by_cost);
    }
    return done;
}

static void line_of(const char *what, const load *l, double value, const char *unit, double ratio,
                    const char *budget) {
    char name[80];
    (void)snprintf(name, sizeof name, "%s, %s", what, l->name);
    bench_line(name, value, unit, value, ratio, budget);
}

static void line(const char *what, const load *l, const outcome *o, size_t rounds,
                 const outcome *floor, const char *budget) {
    char name[80];
    (void)snprintf(name, sizeof name, "%s, %s", what, l->name);
    bench_line(name, o->cpu_ns, "ns", o[rounds / 2].cpu_ns,
               floor != NULL ? o->cpu_ns / floor->cpu_ns : 0, budget);
}

static double lost(const outcome *o) {
    return o->wanted > 0 ? 1e6 * (double)(o->wanted - o->received) / (double)o->wanted : 0;
}

/* What the bare library cannot, nobody can who uses it. */
static void judge(char budget[64], const results *r) {
    const double ratio = r->of[RELAY]->cpu_ns / r->of[RAW]->cpu_ns;
    const double bare = r->of[BARE]->cpu_ns / r->of[RAW]->cpu_ns;
    if (ratio > BUDGET && bare > BUDGET) {
        (void)snprintf(budget, 64, "not kept (x %.2f): bare library is x %.2f", BUDGET, bare);
    } else {
        (void)snprintf(budget, 64, "%s (x %.2f)", ratio <= BUDGET ? "ok" : "OVER", BUDGET);
    }
}

static void judge_own(char budget[64], const results *r) {
    const double ratio = r->of[RELAY]->cpu_ns / r->of[BARE]->cpu_ns;
    (void)snprintf(budget, 64, "%s (x %.2f)", ratio <= OWN_BUDGET ? "ok" : "OVER", OWN_BUDGET);
}

static void report(const load *l, const results *r, size_t rounds) {
    char budget[64];
    const outcome *relay = r->of[RELAY];
    line(names[RAW], l, r->of[RAW], rounds, NULL, "-");
    line(names[BARE], l, r->of[BARE], rounds, r->of[RAW], "-");
    judge(budget, r);
    line(names[RELAY], l, relay, rounds, r->of[RAW], budget);
    judge_own(budget, r);
    line("relay to bare library", l, relay, rounds, r->of[BARE], budget);
}

/* Where coturn is installed; with less load where it loses more than 1 %. */
static void beside(const load *l, const results *r) {
    static const unsigned rates[] = {50, 10, 2};
    char name[64];
    char budget[64];
    contender *c = turn_open(l);
    outcome turn = {0};
    load lower = *l;
    for (size_t i = 0; i < WZP_COUNT_OF(rates) && c != NULL; i++) {
        lower.rate = rates[i];
        turn = contender_measure(c, &lower, WARM / 5, SPAN);
        (void)snprintf(name, sizeof name, "coturn at %u/s, lost per million", lower.rate);
        line_of(name, l, lost(&turn), "", 0, "-");
        if (lost(&turn) <= 1e4) {
            const double ratio = r->of[RELAY]->cpu_ns / turn.cpu_ns;
            (void)snprintf(name, sizeof name, "coturn at %u/s", lower.rate);
            (void)snprintf(budget, sizeof budget, "relay is x %.2f of it", ratio);
            line(name, l, &turn, 1, r->of[RAW], budget);
            break;
        }
    }
    contender_close(&c);
}

/* The least of the rounds: what a machine that does something else adds is not the server's. */
static double p99_of(const outcome *rounds) {
    double least = rounds->p99_us;
    for (size_t i = 1; i < ROUNDS; i++) {
        least = rounds[i].p99_us < least ? rounds[i].p99_us : least;
    }
    return least;
}

static void report_delays(const load *l, const results *r) {
    char name[64];
    char budget[64];
    for (int w = 0; w < WHO_COUNT; w++) {
        (void)snprintf(name, sizeof name, "%s, p99 delay at half", names[w]);
        line_of(name, l, p99_of(r->of[w]), "us", 0, "-");
    }
    const double added = (p99_of(r->of[RELAY]) - p99_of(r->of[RAW])) / 1000;
    (void)snprintf(budget, sizeof budget, "%s (at most %.2f ms)",
                   added <= DELAY_BUDGET ? "ok" : "OVER", DELAY_BUDGET);
    line_of("added by the relay", l, added, "ms", 0, budget);
}

/* The two loads that count, in rounds, and delays at half of each. */
static bool compare(const load *l) {
    static results r;
    if (!measure(&r, l, ROUNDS)) {
        return false;
    }
    report(l, &r, ROUNDS);
    line_of("relay, packets per core and second", l, 1e9 / r.of[RELAY]->cpu_ns, "/s", 0, "-");
    line_of("relay, lost per million", l, lost(r.of[RELAY]), "", 0, "-");
    beside(l, &r);
    load half = *l;
    half.rate /= 2;
    if (!measure(&r, &half, ROUNDS)) {
        return false;
    }
    report_delays(l, &r);
    return true;
}

static bool grow(const load *l) {
    static results r;
    if (!measure(&r, l, 1)) {
        return false;
    }
    line(names[RELAY], l, r.of[RELAY], 1, r.of[RAW], "-");
    line("relay to bare library", l, r.of[RELAY], 1, r.of[BARE], "-");
    return true;
}

/* In memory, for each packet. */
static double instructions(const load *l, const char *own, const char *mode) {
    char arguments[64];
    double packets = 0;
    (void)snprintf(arguments, sizeof arguments, "%s %u %u %u", mode, l->rooms, l->members,
                   STEADY_FRAMES);
    const double counted = bench_count(own, arguments, "steady_*", "packets ", &packets);
    return packets > 0 ? counted / packets : 0;
}

static void count_instructions(const load *l, const char *own) {
    const double bare = instructions(l, own, "bare");
    const double relay = instructions(l, own, "steady");
    if (bare > 0 && relay > 0) {
        line_of("bare library, instructions", l, bare, "", 0, "-");
        line_of("relay, instructions", l, relay, "", relay / bare, "-");
    } else {
        (void)fprintf(stderr, "bench_relay: no valgrind, no instructions counted\n");
    }
}

/* Without the kernel's part, which is the same for both: in memory, by turns. */
static bool in_memory(const load *l) {
    double least[2] = {1e9, 1e9};
    for (int turn = 0; turn < 2 * STEADY_TURNS; turn++) {
        const bool is_bare = turn % 2 == 0;
        const steady_result result = steady(l, STEADY_FRAMES, is_bare);
        if (result.packets == 0) {
            return false;
        }
        least[is_bare] = result.least_ns < least[is_bare] ? result.least_ns : least[is_bare];
    }
    line_of("bare library in memory", l, least[1], "ns", 0, "-");
    line_of("relay in memory", l, least[0], "ns", least[0] / least[1], "-");
    return true;
}

static unsigned number(const char *text) {
    return (unsigned)strtoul(text, NULL, 10);
}

/* For a profiler: who is to run in memory, and how long. */
static int run_steady(char **argv) {
    const load l = {"", number(argv[2]), number(argv[3]), 1, 50, 1};
    const bool is_bare = strcmp(argv[1], "bare") == 0;
    const steady_result result = steady(&l, number(argv[4]), is_bare);
    printf("packets %llu\nleast %.1f ns\n", (unsigned long long)result.packets, result.least_ns);
    return result.packets > 0 ? 0 : 1;
}

/* One of them over real sockets: `load relay ROOMS MEMBERS RATE ROUNDS`. */
static int run_one(char **argv) {
    const load l = {"", number(argv[3]), number(argv[4]), 1, number(argv[5]), 1};
    int w = WHO_COUNT;
    while (w-- > 0 && strcmp(argv[2], names[w]) != 0) {
    }
    contender *c = w >= 0 ? opens[w](&l) : NULL;
    for (unsigned i = 0; c != NULL && i < number(argv[6]); i++) {
        const outcome o = contender_measure(c, &l, i == 0 ? WARM : WARM / 5, SPAN);
        printf("%.0f ns, lost %.0f per million, delay 1 %% %.0f us, 50 %% %.0f us, 99 %% %.0f us\n",
               o.cpu_ns, lost(&o), o.p1_us, o.p50_us, o.p99_us);
    }
    const int failed = c != NULL ? 0 : 1;
    contender_close(&c);
    return failed;
}

int main(int argc, char **argv) {
    static const load both[] = {{"1 to 999", 1, 1000, 1, 50, 1},
                                {"100 rooms of 10", 100, 10, 1, 50, 1}};
    static const load growing[] = {{"1 to 9", 1, 10, 1, 50, 1},
                                   {"1 to 99", 1, 100, 1, 50, 1},
                                   {"1 to 299", 1, 300, 1, 50, 1},
                                   {"10 rooms of 10", 10, 10, 1, 50, 1},
                                   {"100 rooms of 10, 2 threads", 100, 10, 1, 50, 2}};
    static const load counted[] = {{"1 to 9", 1, 10, 1, 50, 1},
                                   {"10 rooms of 10", 10, 10, 1, 50, 1},
                                   {"1 to 99", 1, 100, 1, 50, 1}};
    if (argc == 5 && (strcmp(argv[1], "steady") == 0 || strcmp(argv[1], "bare") == 0)) {
        return run_steady(argv);
    }
    load_pin(0);
    if (argc == 7 && strcmp(argv[1], "load") == 0) {
        return run_one(argv);
    }
    bool done = true;
    for (size_t i = 0; i < 2 && done; i++) {
        done = compare(&both[i]);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(growing) && done; i++) {
        done = grow(&growing[i]);
    }
    for (size_t i = 0; i < 2 && done; i++) {
        done = in_memory(&both[i]);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(counted); i++) {
        count_instructions(&counted[i], argv[0]);
    }
    return done ? 0 : 1;
}
