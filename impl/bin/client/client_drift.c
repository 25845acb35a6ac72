/* drift: whether what was said in N seconds is heard in N seconds (tools sheet 4). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bin/client/client_about.h"
#include "bin/client/client_modes.h"
#include "bin/client/client_pair.h"
#include "bin/client/client_verdict.h"

enum { DEFAULT_S = 5 };

typedef struct run {
    wzp_pair pair;
    wzp_time first, last; /* when frames were decoded */
    uint32_t last_ms;     /* length of the last one */
    uint64_t decoded;
    wzp_client_stats stats; /* the listener's */
    double said_ms, heard_ms;
} run;

static void say(void *ctx, uint64_t at, int16_t *pcm, size_t samples, wzp_time now) {
    (void)ctx;
    (void)now;
    for (size_t i = 0; i < samples; i++) {
        const double t = (double)((at + i) % (48000ULL * 1000)) / 48000;
        pcm[i] = (int16_t)(8000 * sin(t * 440 * 6.283185307179586));
    }
}

/* What is concealed has no place on the sender's clock. */
static void hear(void *ctx, const wzp_client_event *ev, wzp_time now) {
    run *r = ctx;
    if (ev->slot == WZP_JBUF_FRAME) {
        r->first = r->decoded == 0 ? now : r->first;
        r->last = now;
        r->last_ms = (uint32_t)(ev->samples / 48);
        r->decoded++;
    }
}

static double drift_of(const run *r) {
    return r->heard_ms - r->said_ms;
}

static int run_once(run *r, const wzp_client_options *opts, const wzp_addr *relay,
                    const uint8_t seed[32]) {
    *r = (run){.pair = {.opts = opts,
                        .relay = *relay,
                        .seconds = opts->duration_s > 0 ? opts->duration_s : DEFAULT_S,
                        .say = say,
                        .hear = hear,
                        .ctx = r}};
    if (wzp_pair_run(&r->pair, seed) == WZP_PAIR_FAILED) {
        return r->pair.status;
    }
    wzp_user_count(&r->pair.listener, &r->stats);
    if (r->decoded < 2) {
        return wzp_client_complain(WZP_CLIENT_INCONCLUSIVE, "drift",
                                   "less than two frames were heard: nothing to measure");
    }
    r->said_ms = (double)r->pair.said / 48;
    r->heard_ms = (double)(r->last - r->first) / (double)WZP_MS + r->last_ms;
    return 0;
}

static void print_run(const run *r, bool json, bool is_first) {
    printf(json ? "%s{\"said_ms\":%.3f,\"heard_ms\":%.3f,\"drift_ms\":%.3f,\"grade\":\"%s\","
                  "\"decoded\":%llu,\"lost\":%llu,\"late\":%llu}"
                : "%ssaid %.1f ms, heard %.1f ms: drift %+.1f ms, %s; %llu frames decoded, %llu "
                  "lost, %llu late\n",
           json && !is_first ? "," : "", r->said_ms, r->heard_ms, drift_of(r),
           wzp_drift_grade(drift_of(r)), (unsigned long long)r->decoded,
           (unsigned long long)r->stats.lost, (unsigned long long)r->stats.late);
}

/* Returns the exit status that the median deserves. */
static int print_median(double *drifts, size_t count, bool json, bool wanted) {
    const wzp_spread s = wzp_spread_of(drifts, count);
    const char *grade = wzp_drift_grade(s.median);
    if (wanted) {
        printf(json ? ",\"drift_ms\":{\"median\":%.3f,\"least\":%.3f,\"most\":%.3f},"
                      "\"grade\":\"%s\""
                    : "median: drift %+.1f ms (%+.1f to %+.1f), %s\n",
               s.median, s.least, s.most, grade);
    }
    return strcmp(grade, "poor") == 0 ? WZP_CLIENT_FINDINGS : 0;
}

int wzp_client_drift(const wzp_client_options *opts, const wzp_addr *relay,
                     const uint8_t seed[32]) {
    static run r;
    double *drifts = calloc(opts->repeat, sizeof *drifts);
    size_t done = 0;
    int code = 0;
    if (drifts == NULL) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "--repeat", "out of memory");
    }
    wzp_client_about(opts->json);
    printf(opts->json ? ",\"mode\":\"drift\",\"runs\":[" : "");
    while (code == 0 && done < opts->repeat) {
        code = run_once(&r, opts, relay, seed);
        if (code == 0) {
            print_run(&r, opts->json, done == 0);
            drifts[done++] = drift_of(&r);
        }
        const bool stop = r.pair.how != WZP_PAIR_DONE;
        wzp_pair_free(&r.pair);
        if (stop) {
            break;
        }
    }
    printf(opts->json ? "]" : "");
    if (done > 0) {
        const int verdict = print_median(drifts, done, opts->json, opts->json || opts->repeat > 1);
        code = code != 0 ? code : verdict;
    }
    printf(opts->json ? "}\n" : "");
    free(drifts);
    return code;
}
