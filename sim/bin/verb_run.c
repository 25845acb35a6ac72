#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log_sink.h"
#include "io/sys.h"
#include "sim/bin/files.h"
#include "sim/lab/report.h"

/* A line on the terminal for whoever waits longer than this. */
#define PATIENCE (2 * WZP_S)

typedef struct watcher {
    wzp_time began, shown;
    bool on;
} watcher;

static void on_progress(void *ctx, uint64_t at, uint64_t duration) {
    watcher *w = ctx;
    const wzp_time now = wzp_io_now();
    if (w->on && now - w->began > PATIENCE && now - w->shown > WZP_S / 5) {
        w->shown = now;
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " s simulated ", at / WZP_S,
                      duration / WZP_S);
    }
}

static void end_progress(const watcher *w) {
    if (w->shown != 0) {
        (void)fputs("\r\033[K", stderr);
    }
}

static bool write_json(const char *path, const wzp_lab_result *result) {
    FILE *out = wzp_sim_create(path);
    json_t *json = wzp_lab_report_json(result);
    const bool good = out != NULL && json != NULL && json_dumpf(json, out, JSON_INDENT(1)) == 0 &&
                      fputc('\n', out) != EOF;
    json_decref(json);
    return out != NULL && wzp_sim_finish(out, path, good);
}

static bool write_html(const char *path, const wzp_lab_result *result) {
    FILE *out = wzp_sim_create(path);
    return out != NULL && wzp_sim_finish(out, path, wzp_lab_report_html(out, result));
}

static void put_speed(const wzp_lab_result *result, uint64_t wall) {
    const uint64_t times = wall > 0 ? result->scenario->duration / wall : 0;
    printf("%" PRIu64 " s in %" PRIu64 ".%02" PRIu64 " s, %" PRIu64 " times real time\n",
           result->scenario->duration / WZP_S, wall / WZP_S, wall / (WZP_S / 100) % 100, times);
}

/* The line that gives this run again. */
static void put_replay(const wzp_sim_options *o, const wzp_lab_result *result) {
    printf("again: wzp-sim run %s --seed %" PRIu64, o->files[0], result->scenario->seed);
    for (size_t i = 0; i < o->set_count; i++) {
        printf(" --set '%s'", o->sets[i]);
    }
    printf("%s%s\n", strcmp(result->engine, "native") != 0 ? " --engine " : "",
           strcmp(result->engine, "native") != 0 ? result->engine : "");
}

static int report(const wzp_sim_options *o, const wzp_lab_result *result, uint64_t wall) {
    static const int statuses[] = {EXIT_GOOD, EXIT_FINDINGS, EXIT_INCONCLUSIVE};
    const bool to_stdout = (o->json != NULL && strcmp(o->json, "-") == 0) ||
                           (o->html != NULL && strcmp(o->html, "-") == 0);
    const wzp_lab_outcome outcome = wzp_lab_result_outcome(result);
    const wzp_lab_text_opts text = {.colour = o->colour, .quiet = o->quiet};
    bool good = true;
    if (!to_stdout) {
        good = wzp_lab_report_text(stdout, result, &text);
        if (!o->quiet) {
            put_speed(result, wall);
        }
        if (outcome == WZP_LAB_FAILED) {
            put_replay(o, result);
        }
    }
    good = (o->json == NULL || write_json(o->json, result)) && good;
    good = (o->html == NULL || write_html(o->html, result)) && good;
    return good ? statuses[outcome] : EXIT_UNREADABLE;
}

static int run(const wzp_sim_options *o, const wzp_lab_scenario *s, FILE *trace) {
    char why[256];
    wzp_lab_result *result = NULL;
    watcher watch = {.began = wzp_io_now(), .on = !o->quiet && isatty(STDERR_FILENO) != 0};
    const wzp_lab_run_cfg cfg = {.engine = o->engine,
                                 .pcap_dir = o->pcap,
                                 .qlog_dir = o->qlog,
                                 .trace = trace,
                                 .log = wzp_log_stderr(o->log_level),
                                 .progress = on_progress,
                                 .ctx = &watch};
    const wzp_err err = wzp_lab_run(&result, s, &cfg, why);
    end_progress(&watch);
    if (err != WZP_OK) {
        (void)fprintf(stderr, "wzp-sim: %s\n", why);
        return err == WZP_ERR_IO && o->engine != NULL && strcmp(o->engine, "ns3") == 0
                   ? EXIT_UNREACHABLE
                   : EXIT_UNREADABLE;
    }
    const int status = report(o, result, wzp_io_now() - watch.began);
    wzp_lab_result_free(&result);
    return status;
}

int wzp_sim_run(const wzp_sim_options *o) {
    char path[512];
    wzp_lab_scenario *s = NULL;
    FILE *trace = NULL;
    if (o->file_count != 1) {
        (void)fputs("wzp-sim: run takes one scenario; see --help\n", stderr);
        return EXIT_USAGE;
    }
    int status = wzp_sim_find(o->files[0], path);
    status = status == -1 ? wzp_sim_load(o, path, o->has_seed ? &o->seed : NULL, &s) : status;
    if (status != -1) {
        return status;
    }
    if (o->check) {
        if (!o->quiet) {
            printf("%s: a scenario with %zu hosts and %zu calls\n", path, s->host_count,
                   s->call_count);
        }
        status = EXIT_GOOD;
    } else if (o->trace != NULL && (trace = wzp_sim_create(o->trace)) == NULL) {
        status = EXIT_UNREADABLE;
    } else {
        status = run(o, s, trace);
    }
    if (trace != NULL && !wzp_sim_finish(trace, o->trace, true)) {
        status = EXIT_UNREADABLE;
    }
    wzp_lab_scenario_free(&s);
    return status;
}
