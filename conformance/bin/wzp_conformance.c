/* wzp-conformance: list, run, report, score. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "conformance/bin/options.h"
#include "conformance/bin/score.h"
#include "conformance/bin/target.h"
#include "conformance/engine/suite.h"
#include "conformance/report/report.h"
#include "io/sys.h"
#include "wzp_version.h"

enum { UNREACHABLE = 4 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int number) {
    (void)number;
    stop_requested = 1;
}

static double wall_s(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int list_cases(const wzp_ct_options *o) {
    for (size_t i = 0; i < o->case_count; i++) {
        const wzp_ct_info *info = &o->cases[i]->info;
        printf("%-7s %-6s %-10s %-50s %s\n", info->id, wzp_ct_level_name(info->level),
               info->requirement, info->title, info->source);
    }
    return 0;
}

typedef struct progress_line {
    bool shown;
    double started;
} progress_line;

typedef struct context {
    wzp_ct_target *target;
    progress_line line;
    bool tty;
} context;

static void show_progress(void *ctx, size_t done, size_t total, size_t failed) {
    context *c = ctx;
    if (c->tty && wall_s() - c->line.started > 2.0) {
        (void)fprintf(stderr, "\r%zu of %zu runs, %zu failed ", done, total, failed);
        c->line.shown = true;
    }
}

static bool target_alive(void *ctx) {
    return wzp_ct_target_alive(((context *)ctx)->target);
}

static bool scrape(void *ctx, wzp_ct_config config, char *text, size_t cap) {
    return wzp_ct_target_metrics(((context *)ctx)->target, config, text, cap);
}

static bool restart(void *ctx, wzp_ct_identity_file file) {
    return wzp_ct_target_restart(((context *)ctx)->target, file);
}

static bool is_restarted(void *ctx) {
    return wzp_ct_target_is_restarted(((context *)ctx)->target);
}

static bool dial(void *ctx, const wzp_addr *suite) {
    return wzp_ct_target_dial(((context *)ctx)->target, suite);
}

static bool is_dialling(void *ctx) {
    return wzp_ct_target_is_dialling(((context *)ctx)->target);
}

static void on_turn(void *ctx, wzp_time now) {
    wzp_ct_target_turn(((context *)ctx)->target, now);
}

static bool write_one(const char *path, const wzp_ct_report *report,
                      bool (*write)(FILE *, const wzp_ct_report *)) {
    if (path == NULL) {
        return true;
    }
    FILE *f = fopen(path, "w");
    const bool ok = f != NULL && write(f, report);
    if (f == NULL || fclose(f) != 0 || !ok) {
        (void)fprintf(stderr, "wzp-conformance: cannot write %s\n", path);
        return false;
    }
    return true;
}

/* 0 where nothing is to be wrapped: not a terminal. */
static unsigned terminal_width(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static bool write_reports(const wzp_ct_options *o, const wzp_ct_report *report) {
    const wzp_ct_report_opts opts = {
        .colour = o->colour, .quiet = o->quiet, .width = terminal_width()};
    const bool console =
        o->tap ? wzp_ct_report_tap(stdout, report) : wzp_ct_report_console(stdout, report, &opts);
    return write_one(o->json, report, wzp_ct_report_json) &&
           write_one(o->junit, report, wzp_ct_report_junit) &&
           write_one(o->html, report, wzp_ct_report_html) &&
           write_one(o->markdown, report, wzp_ct_report_markdown) && console;
}

static void describe_run(const wzp_ct_options *o, wzp_ct_report *report) {
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    (void)strftime(report->started, sizeof report->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    report->suite_version = WZP_VERSION;
    report->build_hash = WZP_BUILD_HASH;
    report->virtual_time = o->virtual_time;
    report->strict_limits = o->strict_limits;
    report->repeat = o->repeat;
    report->jobs = o->jobs;
    report->seed = o->seed;
    (void)snprintf(report->replay, sizeof report->replay, "%s", o->replay);
}

static int run_suite(const wzp_ct_options *o) {
    wzp_ct_report report = {0};
    wzp_ct_target *target = NULL;
    const int failed = wzp_ct_target_open(&target, o, &report);
    if (failed != 0) {
        return failed;
    }
    context ctx = {.target = target,
                   .line = {.started = wall_s()},
                   .tty = isatty(STDERR_FILENO) != 0 && !o->quiet};
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    wzp_ct_suite_cfg cfg = {.world = wzp_ct_target_world(target),
                            .cases = o->cases,
                            .case_count = o->case_count,
                            .repeat = o->repeat,
                            .jobs = o->jobs,
                            .seed = o->seed,
                            .declared = o->mode,
                            .strict_limits = o->strict_limits,
                            .virtual_time = o->virtual_time,
                            .long_too = o->long_too,
                            .bad_path = o->net != NULL,
                            .rng = wzp_ct_target_rng(target),
                            .evidence_dir = o->evidence_dir,
                            .evidence_all = o->evidence_all,
                            .stop = &stop_requested,
                            .alive = target_alive,
                            .relay = {.metrics = scrape,
                                      .restart = restart,
                                      .is_restarted = is_restarted,
                                      .dial = dial,
                                      .is_dialling = is_dialling},
                            .clients = wzp_ct_target_clients(target),
                            .clients_ctx = wzp_ct_target_clients_ctx(target),
                            .client_obeys = wzp_ct_target_client_obeys(target),
                            .client_tunes = wzp_ct_target_client_tunes(target),
                            .clients_share = o->mover != NULL,
                            .has_metrics = wzp_ct_target_has_metrics(target),
                            .has_auth_metrics = wzp_ct_target_has_auth_metrics(target),
                            .turn = on_turn,
                            .progress = show_progress,
                            .ctx = &ctx};
    memcpy(cfg.targets, wzp_ct_target_addrs(target), sizeof cfg.targets);
    const bool ran = wzp_ct_suite_run(&cfg, &report);
    describe_run(o, &report);
    report.duration_s = wall_s() - ctx.line.started;
    if (ctx.line.shown) {
        (void)fputs("\r                                        \r", stderr);
    }
    const bool is_missing = wzp_ct_target_client_is_missing(target);
    wzp_ct_target_close(&target);
    if (ran) {
        wzp_ct_options_expect(o, &report);
    }
    const bool written = ran && write_reports(o, &report);
    const int code = is_missing ? UNREACHABLE : wzp_ct_exit_code(&report);
    wzp_ct_suite_clear(&report);
    return written ? code : 3;
}

/* The report of an earlier run, in any of the formats; its verdict is the exit status. */
static int show_saved(const wzp_ct_options *o) {
    char why[256];
    wzp_ct_saved_report *saved = NULL;
    FILE *in = fopen(o->saved, "rb");
    if (in == NULL) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s\n", o->saved, wzp_io_reason(errno));
        return 3;
    }
    const bool readable = wzp_ct_report_read(&saved, in, why);
    (void)fclose(in);
    if (!readable) {
        (void)fprintf(stderr, "wzp-conformance: %s: %s\n", o->saved, why);
        return 3;
    }
    wzp_ct_report report = *wzp_ct_saved_report_get(saved);
    wzp_ct_options_expect(o, &report);
    const bool written = write_reports(o, &report);
    const int code = wzp_ct_exit_code(&report);
    wzp_ct_saved_report_free(&saved);
    return written ? code : 3;
}

int main(int argc, char **argv) {
    wzp_ct_options o;
    if (argc > 1 && strcmp(argv[1], "score") == 0) {
        return wzp_ct_score(argc - 1, argv + 1);
    }
    int code = wzp_ct_options_parse(&o, argc, argv);
    if (code >= 0) {
        wzp_ct_options_clear(&o);
        return code;
    }
    if (!wzp_ct_options_read_expectations(&o)) {
        wzp_ct_options_clear(&o);
        return 3;
    }
    switch (o.command) {
    case WZP_CT_COMMAND_LIST:
        code = list_cases(&o);
        break;
    case WZP_CT_COMMAND_RUN:
        code = o.dry_run ? list_cases(&o) : run_suite(&o);
        break;
    case WZP_CT_COMMAND_REPORT:
        code = show_saved(&o);
        break;
    }
    wzp_ct_options_clear(&o);
    return code;
}
