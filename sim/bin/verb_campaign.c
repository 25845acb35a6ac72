#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/log_sink.h"
#include "io/sys.h"
#include "sim/bin/files.h"
#include "sim/bin/workers.h"
#include "sim/lab/campaign.h"

enum { SCENARIOS_MAX = 1024 };

typedef struct scenario_file {
    char *path;
    char name[WZP_LAB_TEXT_MAX];
} scenario_file;

typedef struct campaign {
    const wzp_sim_options *o;
    scenario_file files[SCENARIOS_MAX];
    size_t count;
    uint64_t seeds;
    size_t *jobs; /* of this shard: file times seeds + seed */
    size_t job_count, done, failed;
    json_t *result;
    wzp_time began, shown;
} campaign;

/* --- which scenarios -------------------------------------------------------------------------- */

static int add_file(campaign *c, const char *path) {
    wzp_lab_scenario *s = NULL;
    const int status = wzp_sim_load(c->o, path, NULL, &s);
    if (status != -1) {
        return status;
    }
    if (c->count == SCENARIOS_MAX) {
        (void)fprintf(stderr, "wzp-sim: more than %d scenarios\n", SCENARIOS_MAX);
        wzp_lab_scenario_free(&s);
        return EXIT_USAGE;
    }
    if (wzp_lab_scenario_lacks(s) != NULL) {
        wzp_lab_campaign_skip(c->result, path, s);
    } else {
        scenario_file *f = &c->files[c->count++];
        f->path = strdup(path);
        memcpy(f->name, s->name, sizeof f->name);
    }
    wzp_lab_scenario_free(&s);
    return -1;
}

static int add_folder(campaign *c, const char *dir) {
    char *paths[SCENARIOS_MAX];
    int status = -1;
    const size_t n = wzp_sim_files_of(dir, paths, SCENARIOS_MAX);
    for (size_t i = 0; i < n; i++) {
        const int one = add_file(c, paths[i]);
        status = status == -1 ? one : status;
        free(paths[i]);
    }
    return n > 0 ? status : EXIT_UNREADABLE;
}

static int add_all(campaign *c) {
    char path[512];
    struct stat st;
    int status = -1;
    for (size_t i = 0; i < c->o->file_count; i++) {
        const char *name = c->o->files[i];
        int one = -1;
        if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
            one = add_folder(c, name);
        } else if ((one = wzp_sim_find(name, path)) == -1) {
            one = add_file(c, path);
        }
        status = status == -1 ? one : status;
    }
    return status;
}

static int by_path(const void *a, const void *b) {
    const scenario_file *x = a;
    const scenario_file *y = b;
    return strcmp(x->path, y->path);
}

/* --- runs ------------------------------------------------------------------------------------- */

static uint64_t seed_of(const campaign *c, size_t job) {
    return c->o->first_seed + c->jobs[job] % c->seeds;
}

static const scenario_file *file_of(const campaign *c, size_t job) {
    return &c->files[c->jobs[job] / c->seeds];
}

static char *work(void *ctx, size_t job) {
    char why[256] = "the scenario cannot be read with this seed";
    const campaign *c = ctx;
    const scenario_file *f = file_of(c, job);
    const uint64_t seed = seed_of(c, job);
    const wzp_lab_run_cfg cfg = {.engine = c->o->engine, .log = wzp_log_stderr(c->o->log_level)};
    wzp_lab_scenario *s = NULL;
    wzp_lab_result *r = NULL;
    json_t *record = NULL;
    if (wzp_sim_load(c->o, f->path, &seed, &s) == -1 && wzp_lab_run(&r, s, &cfg, why) == WZP_OK) {
        record = wzp_lab_record(r, f->path);
    } else {
        record = wzp_lab_record_broken(f->path, f->name, seed, why);
    }
    char *line = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return line;
}

static void show(campaign *c) {
    const wzp_time now = wzp_io_now();
    if (c->o->quiet || isatty(STDERR_FILENO) == 0 || now - c->began < 2 * WZP_S ||
        now - c->shown < WZP_S / 5) {
        return;
    }
    c->shown = now;
    const uint64_t left = (now - c->began) / c->done * (c->job_count - c->done);
    (void)fprintf(stderr, "\r%zu of %zu runs, %zu failed, %" PRIu64 " s left \033[K", c->done,
                  c->job_count, c->failed, left / WZP_S);
}

static void done(void *ctx, size_t job, const char *line, const char *why) {
    campaign *c = ctx;
    json_error_t error;
    json_t *record = line != NULL ? json_loads(line, 0, &error) : NULL;
    if (record == NULL) {
        const scenario_file *f = file_of(c, job);
        record = wzp_lab_record_broken(f->path, f->name, seed_of(c, job), why);
    }
    c->done++;
    c->failed += json_array_size(json_object_get(record, "failures")) > 0 ? 1 : 0;
    wzp_lab_campaign_add(c->result, record);
    show(c);
}

static bool make_jobs(campaign *c) {
    const size_t all = c->count * (size_t)c->seeds;
    c->jobs = calloc(all + 1, sizeof *c->jobs);
    for (size_t i = 0; c->jobs != NULL && i < all; i++) {
        if (i % c->o->shards == c->o->shard - 1) {
            c->jobs[c->job_count++] = i;
        }
    }
    return c->jobs != NULL;
}

static bool run_all(campaign *c) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const wzp_sim_work w = {.work = work,
                            .done = done,
                            .ctx = c,
                            .jobs = c->job_count,
                            .workers = c->o->jobs != 0 ? (size_t)c->o->jobs
                                                       : (size_t)(cpus > 0 ? cpus : 1)};
    c->began = wzp_io_now();
    (void)signal(SIGPIPE, SIG_IGN); /* NOLINT(bugprone-signal-handler): ignored */
    const bool good = wzp_sim_work_all(&w);
    if (c->shown != 0) {
        (void)fputs("\r\033[K", stderr);
    }
    if (!good) {
        (void)fprintf(stderr, "wzp-sim: no more processes: %s\n", wzp_io_reason(errno));
    }
    return good;
}

/* --- what comes out --------------------------------------------------------------------------- */

static int report(const wzp_sim_options *o, json_t *result) {
    const bool to_stdout = o->json != NULL && strcmp(o->json, "-") == 0;
    wzp_lab_campaign_finish(result);
    if (!to_stdout && !wzp_lab_campaign_text(stdout, result, o->colour, o->quiet)) {
        return EXIT_UNREADABLE;
    }
    if (o->json != NULL) {
        FILE *out = wzp_sim_create(o->json);
        const bool good =
            out != NULL && json_dumpf(result, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
        if (out == NULL || !wzp_sim_finish(out, o->json, good)) {
            return EXIT_UNREADABLE;
        }
    }
    const wzp_lab_campaign_totals t = wzp_lab_campaign_count(result);
    if (o->merge && t.missing > 0) {
        (void)fprintf(stderr, "wzp-sim: %zu runs are in none of the files\n", t.missing);
    }
    if (t.failed > 0) {
        return EXIT_FINDINGS;
    }
    return t.runs == 0 || (o->merge && t.missing > 0) ? EXIT_INCONCLUSIVE : EXIT_GOOD;
}

static int merge(const wzp_sim_options *o) {
    char why[256];
    json_t *all = NULL;
    for (size_t i = 0; i < o->file_count; i++) {
        json_t *one = wzp_lab_campaign_load(o->files[i], why);
        if (one == NULL) {
            (void)fprintf(stderr, "wzp-sim: %s\n", why);
            json_decref(all);
            return EXIT_UNREADABLE;
        }
        if (all == NULL) {
            all = one;
            continue;
        }
        const bool good = wzp_lab_campaign_merge(all, one, why);
        json_decref(one);
        if (!good) {
            (void)fprintf(stderr, "wzp-sim: %s: %s\n", o->files[i], why);
            json_decref(all);
            return EXIT_UNREADABLE;
        }
    }
    const int status = report(o, all);
    json_decref(all);
    return status;
}

static void free_campaign(campaign *c) {
    for (size_t i = 0; i < c->count; i++) {
        free(c->files[i].path);
    }
    free(c->jobs);
    json_decref(c->result);
    free(c);
}

/* What a replay must say besides scenario and seed. */
static void options_text(const wzp_sim_options *o, char *out, size_t cap) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < o->set_count && used < cap; i++) {
        used += (size_t)snprintf(out + used, cap - used, " --set '%s'", o->sets[i]);
    }
    if (o->engine != NULL && used < cap) {
        (void)snprintf(out + used, cap - used, " --engine %s", o->engine);
    }
}

int wzp_sim_campaign(const wzp_sim_options *o) {
    char options[2048];
    if (o->file_count == 0) {
        (void)fprintf(stderr, "wzp-sim: campaign %s; see --help\n",
                      o->merge ? "--merge takes the files that shards wrote with --json"
                               : "takes scenarios or folders of them");
        return EXIT_USAGE;
    }
    if (o->merge) {
        return merge(o);
    }
    campaign *c = calloc(1, sizeof *c);
    options_text(o, options, sizeof options);
    json_t *result = wzp_lab_campaign_new(o->first_seed, o->last_seed, options);
    if (c == NULL || result == NULL) {
        (void)fputs("wzp-sim: out of memory\n", stderr);
        json_decref(result);
        free(c);
        return EXIT_UNREADABLE;
    }
    c->o = o;
    c->result = result;
    c->seeds = o->last_seed - o->first_seed + 1;
    int status = add_all(c);
    qsort(c->files, c->count, sizeof *c->files, by_path);
    if (status == -1) {
        status = make_jobs(c) && run_all(c) ? report(o, c->result) : EXIT_UNREADABLE;
    }
    free_campaign(c);
    return status;
}
