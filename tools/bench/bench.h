/* Timing for the benches: contenders take turns in one run, so that a noisy machine is unfair to
 * all of them alike, and what is reported are the least and the median time of an operation, and
 * the ratio to a floor that was measured beside it.
 *
 * Each line of output has six columns, tools/bench/run makes the table:
 *     name <TAB> value <TAB> unit <TAB> median <TAB> ratio to the floor <TAB> budget, or - */
#ifndef WZP_TOOLS_BENCH_H
#define WZP_TOOLS_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BENCH_ROUNDS_MAX = 101 };

/* Something to be timed: `run` does `count` operations.  `prepare` (may be NULL) is not timed and
 * precedes each run.  Who counts only a part of what it does has `measure` in the place of `run`,
 * which returns the ns of all `count` operations. */
typedef struct bench {
    const char *name;
    void (*run)(void *ctx);
    void (*prepare)(void *ctx);
    double (*measure)(void *ctx);
    void *ctx;
    size_t count;
    double ns[BENCH_ROUNDS_MAX]; /* per operation, sorted at the end */
} bench;

static inline double bench_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Of this thread: others share the machine. */
static inline double bench_cpu_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* The compiler must assume that the value is used. */
static inline void bench_keep(const void *value) {
    __asm__ volatile("" : : "r"(value) : "memory");
}

static inline int bench_compare(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static inline double bench_once(bench *b) {
    if (b->prepare != NULL) {
        b->prepare(b->ctx);
    }
    if (b->measure != NULL) {
        return b->measure(b->ctx) / (double)b->count;
    }
    const double begin = bench_now_ns();
    b->run(b->ctx);
    return (bench_now_ns() - begin) / (double)b->count;
}

/* A round in vain warms caches up; then `rounds` rounds in which all take their turn. */
static inline void bench_all(bench *benches, size_t n, size_t rounds) {
    for (size_t i = 0; i < n; i++) {
        bench_once(&benches[i]);
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < n; i++) {
            benches[i].ns[round] = bench_once(&benches[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        qsort(benches[i].ns, rounds, sizeof benches[i].ns[0], bench_compare);
    }
}

/* A ratio of 0 means that there is no floor, a budget of 0 that there is none. */
static inline void bench_line(const char *name, double value, const char *unit, double median,
                              double ratio, const char *budget) {
    printf("%s\t%.1f\t%s\t%.1f\t", name, value, unit, median);
    if (ratio > 0) {
        printf("%.2f\t%s\n", ratio, budget);
    } else {
        printf("-\t%s\n", budget);
    }
    (void)fflush(stdout);
}

/* "ok" or "OVER" with the limit: of the ratio when there is a floor, of the least time otherwise.
 */
static inline void bench_report(const bench *b, size_t rounds, const bench *floor, double limit) {
    char budget[64] = "-";
    const double least = b->ns[0];
    const double ratio = floor != NULL ? least / floor->ns[0] : 0;
    const double judged = floor != NULL ? ratio : least;
    if (limit > 0) {
        (void)snprintf(budget, sizeof budget, "%s (%s %.2f%s)", judged <= limit ? "ok" : "OVER",
                       floor != NULL ? "x" : "at most", limit, floor != NULL ? "" : " ns");
    }
    bench_line(b->name, least, "ns", b->ns[rounds / 2], ratio, budget);
}

#endif
