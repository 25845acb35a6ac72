/* What forwarding costs: wzp-relay with a thousand real connections on loopback beside a forwarder
 * without any protocol, on the same load, by turns; servers on one core, all clients on another.
 * What is reported is processor time of the server for each packet that a listener received. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "io/sys.h"
#include "relay_load.h"

enum { ROUNDS = 3, STEADY_FRAMES = 20 };

#define WARM (1500 * WZP_MS)
#define SPAN WZP_S
#define BUDGET 2.0 /* half of the forwarder's packets per core */

static int by_cost(const void *a, const void *b) {
    const outcome *x = a;
    const outcome *y = b;
    return x->cpu_ns < y->cpu_ns ? -1 : x->cpu_ns > y->cpu_ns;
}

/* `rounds` measurements of each, by turns, the cheapest first.  False: somebody could not. */
static bool measure(outcome *raw, outcome *relay, const load *l, size_t rounds) {
    contender *a = raw_open(l);
    contender *b = a != NULL ? relay_open(l) : NULL;
    for (size_t i = 0; i < rounds && b != NULL; i++) {
        raw[i] = contender_measure(a, l, WARM / 5, SPAN);
        relay[i] = contender_measure(b, l, WARM, SPAN);
    }
    const bool done = b != NULL;
    contender_close(&b);
    contender_close(&a);
    qsort(raw, rounds, sizeof *raw, by_cost);
    qsort(relay, rounds, sizeof *relay, by_cost);
    return done;
}

static void line(const char *who, const load *l, const outcome *o, size_t rounds,
                 const outcome *floor, bool judged) {
    char name[80];
    char budget[64] = "-";
    const double ratio = floor != NULL ? o->cpu_ns / floor->cpu_ns : 0;
    (void)snprintf(name, sizeof name, "%s, %s", who, l->name);
    if (judged) {
        (void)snprintf(budget, sizeof budget, "%s (x %.2f)", ratio <= BUDGET ? "ok" : "OVER",
                       BUDGET);
    }
    bench_line(name, o->cpu_ns, "ns", o[rounds / 2].cpu_ns, ratio, budget);
}

static void line_of(const char *what, const load *l, double value, const char *unit) {
    char name[80];
    (void)snprintf(name, sizeof name, "%s, %s", what, l->name);
    bench_line(name, value, unit, value, 0, "-");
}

static double lost(const outcome *o) {
    return o->wanted > 0 ? 1e6 * (double)(o->wanted - o->received) / (double)o->wanted : 0;
}

/* Where coturn is installed. */
static void beside(const load *l, const outcome *floor) {
    outcome turn[ROUNDS];
    contender *c = turn_open(l);
    for (size_t i = 0; i < ROUNDS && c != NULL; i++) {
        turn[i] = contender_measure(c, l, WARM / 5, SPAN);
    }
    if (c != NULL) {
        qsort(turn, ROUNDS, sizeof *turn, by_cost);
        line("coturn", l, turn, ROUNDS, floor, false);
        line_of("coturn, lost per million", l, lost(turn), "");
    }
    contender_close(&c);
}

/* The two loads that count, in rounds, and delays at half of each. */
static bool compare(const load *l) {
    outcome raw[ROUNDS];
    outcome relay[ROUNDS];
    if (!measure(raw, relay, l, ROUNDS)) {
        return false;
    }
    line("forwarder", l, raw, ROUNDS, NULL, false);
    line("relay", l, relay, ROUNDS, raw, true);
    line_of("relay, packets per core and second", l, 1e9 / relay->cpu_ns, "/s");
    line_of("relay, lost per million", l, lost(relay), "");
    beside(l, raw);
    load half = *l;
    half.rate /= 2;
    if (!measure(raw, relay, &half, 1)) {
        return false;
    }
    line_of("forwarder, p99 delay at half", l, raw->p99_us, "us");
    line_of("relay, p99 delay at half", l, relay->p99_us, "us");
    return true;
}

static bool grow(const load *l) {
    outcome raw;
    outcome relay;
    if (!measure(&raw, &relay, l, 1)) {
        return false;
    }
    line("relay", l, &relay, 1, &raw, false);
    return true;
}

/* In memory, counted by valgrind where it is installed. */
static void count_instructions(const load *l, const char *own) {
    char command[512];
    char text[256];
    (void)snprintf(command, sizeof command,
                   "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
                   "--toggle-collect='steady_*' '%s' steady %u %u %u 2>&1",
                   own, l->rooms, l->members, STEADY_FRAMES);
    FILE *out = popen(command, "r");
    double instructions = 0;
    double packets = 0;
    while (out != NULL && fgets(text, sizeof text, out) != NULL) {
        const char *collected = strstr(text, "Collected : ");
        if (collected != NULL) {
            instructions = strtod(collected + 12, NULL);
        } else if (strncmp(text, "packets ", 8) == 0) {
            packets = strtod(text + 8, NULL);
        }
    }
    if (out != NULL) {
        (void)pclose(out);
    }
    if (packets > 0 && instructions > 0) {
        line_of("relay, instructions per packet", l, instructions / packets, "");
    } else {
        (void)fprintf(stderr, "bench_relay: no valgrind, no instructions counted\n");
    }
}

int main(int argc, char **argv) {
    static const load both[] = {{"1 to 999", 1, 1000, 1, 50, 1},
                                {"100 rooms of 10", 100, 10, 1, 50, 1}};
    static const load growing[] = {{"1 room of 10", 1, 10, 1, 50, 1},
                                   {"10 rooms of 10", 10, 10, 1, 50, 1},
                                   {"1 to 99", 1, 100, 1, 50, 1},
                                   {"100 rooms of 10, 2 threads", 100, 10, 1, 50, 2}};
    static const load counted = {"10 rooms of 10", 10, 10, 1, 50, 1};
    if (argc == 5 && strcmp(argv[1], "steady") == 0) {
        const load l = {
            "", (unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10), 1, 50,
            1};
        printf("packets %llu\n",
               (unsigned long long)steady(&l, (unsigned)strtoul(argv[4], NULL, 10)));
        return 0;
    }
    load_pin(0);
    bool done = true;
    for (size_t i = 0; i < 2 && done; i++) {
        done = compare(&both[i]);
    }
    for (size_t i = 0; i < WZP_COUNT_OF(growing) && done; i++) {
        done = grow(&growing[i]);
    }
    count_instructions(&counted, argv[0]);
    return done ? 0 : 1;
}
