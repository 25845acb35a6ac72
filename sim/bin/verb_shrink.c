#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sys.h"
#include "sim/bin/files.h"
#include "sim/bin/workers.h"
#include "sim/lab/run.h"
#include "sim/lab/shrink.h"

/* The checks that a document fails, as " path audio "; " broken " if its process died. */
typedef struct failing {
    const wzp_sim_options *o;
    const wzp_lab_doc *doc;
    char words[256];
    char first[256]; /* the whole first one */
} failing;

typedef struct shrinking {
    failing now;
    char wanted[32]; /* " audio " */
    wzp_time began, shown;
    unsigned tries;
} shrinking;

/* --- one try, in a process of its own --------------------------------------------------------- */

static char *tell(const wzp_lab_result *r) {
    const wzp_lab_check *first = wzp_lab_result_failure(r);
    char *line = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&line, &len);
    if (out == NULL) {
        return NULL;
    }
    (void)fputc(' ', out);
    for (size_t i = 0; i < r->check_count; i++) {
        if (!r->checks[i].good) {
            (void)fprintf(out, "%s ", wzp_lab_check_word(r->checks[i].kind));
        }
    }
    if (first != NULL) {
        (void)fprintf(out, "\t%s %s: expected %s, got %s", wzp_lab_check_word(first->kind),
                      first->where, first->expected, first->got);
    }
    return fclose(out) == 0 ? line : NULL;
}

static char *work(void *ctx, size_t job) {
    static wzp_lab_errors errors;
    char why[256];
    const failing *f = ctx;
    const wzp_lab_run_cfg cfg = {.engine = f->o->engine};
    wzp_lab_scenario *s = NULL;
    wzp_lab_result *r = NULL;
    (void)job;
    if (wzp_lab_scenario_read(&s, f->doc, NULL, &errors) != WZP_OK ||
        wzp_lab_run(&r, s, &cfg, why) != WZP_OK) {
        wzp_lab_scenario_free(&s);
        return strdup(" ");
    }
    char *line = tell(r);
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return line;
}

static void done(void *ctx, size_t job, const char *line, const char *why) {
    failing *f = ctx;
    (void)job;
    if (line == NULL) {
        (void)snprintf(f->words, sizeof f->words, " broken ");
        (void)snprintf(f->first, sizeof f->first, "%s", why);
        return;
    }
    const size_t len = strcspn(line, "\t");
    (void)snprintf(f->words, sizeof f->words, "%.*s", (int)len, line);
    (void)snprintf(f->first, sizeof f->first, "%s", line[len] == '\t' ? line + len + 1 : "");
}

static bool look(failing *f, const wzp_lab_doc *doc) {
    const wzp_sim_work w = {.work = work, .done = done, .ctx = f, .jobs = 1, .workers = 1};
    f->doc = doc;
    f->words[0] = '\0';
    return wzp_sim_work_all(&w);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void show(shrinking *s) {
    const wzp_time now = wzp_io_now();
    s->tries++;
    if (!s->now.o->quiet && isatty(STDERR_FILENO) != 0 && now - s->began > 2 * WZP_S &&
        now - s->shown > WZP_S / 5) {
        s->shown = now;
        (void)fprintf(stderr, "\r%u smaller scenarios tried ", s->tries);
    }
}

static bool fails(void *ctx, const wzp_lab_doc *doc) {
    shrinking *s = ctx;
    show(s);
    return look(&s->now, doc) && strstr(s->now.words, s->wanted) != NULL;
}

static int put_result(shrinking *s, const wzp_lab_doc *doc, const char *path,
                      const wzp_lab_shrink_stats *stats) {
    const wzp_sim_options *o = s->now.o;
    const char *where = o->out != NULL ? o->out : "-";
    FILE *out = wzp_sim_create(where);
    if (out == NULL) {
        return EXIT_UNREADABLE;
    }
    (void)look(&s->now, doc);
    (void)fprintf(out, "# wzp-sim shrink %s: what is left after %u of %u changes%s.\n# %s\n", path,
                  stats->kept, stats->tries, stats->complete ? "" : ", stopped early",
                  s->now.first);
    const bool good = wzp_lab_doc_write(doc, out);
    if (!wzp_sim_finish(out, where, good)) {
        return EXIT_UNREADABLE;
    }
    if (o->out != NULL && !o->quiet) {
        printf("%s: %s\nagain: wzp-sim run %s\n", o->out, s->now.first, o->out);
    }
    return EXIT_FINDINGS;
}

/* The scenario of this seed, as a document that is complete without it. */
static int drawn(const wzp_sim_options *o, const char *path, wzp_lab_doc *out) {
    wzp_lab_scenario *s = NULL;
    const int status = wzp_sim_load(o, path, o->has_seed ? &o->seed : NULL, &s);
    if (status != -1) {
        return status;
    }
    const wzp_err err = wzp_lab_doc_copy(out, &s->doc);
    if (err == WZP_OK) {
        json_object_set_new(out->tree, "seed", json_integer((json_int_t)s->seed));
    }
    wzp_lab_scenario_free(&s);
    return err == WZP_OK ? -1 : EXIT_UNREADABLE;
}

/* Asked for by mistake: with a status of 0 a script would go on and read a file that is not there.
 */
static int nothing_to_shrink(const wzp_lab_doc *doc, const char *path) {
    const json_int_t seed = json_integer_value(json_object_get(doc->tree, "seed"));
    (void)fprintf(stderr,
                  "wzp-sim: %s passes with seed %" JSON_INTEGER_FORMAT
                  ": there is nothing to shrink; wzp-sim campaign %s finds seeds that fail\n",
                  path, seed, path);
    return EXIT_USAGE;
}

static int shrink(shrinking *s, wzp_lab_doc *doc, const char *path) {
    wzp_lab_shrink_stats stats;
    const wzp_lab_shrink_cfg cfg = {.fails = fails, .ctx = s};
    if (!look(&s->now, doc)) {
        (void)fprintf(stderr, "wzp-sim: no process could be made: %s\n", wzp_io_reason(errno));
        return EXIT_UNREADABLE;
    }
    const size_t len = strcspn(s->now.words + 1, " ");
    if (strlen(s->now.words) < 2 || len + 3 > sizeof s->wanted) {
        return nothing_to_shrink(doc, path);
    }
    (void)snprintf(s->wanted, sizeof s->wanted, " %.*s ", (int)len, s->now.words + 1);
    const wzp_err err = wzp_lab_shrink(doc, &cfg, &stats);
    if (s->shown != 0) {
        (void)fputs("\r\033[K", stderr);
    }
    if (err != WZP_OK) {
        (void)fprintf(stderr, "wzp-sim: %s\n", wzp_err_text(err));
        return EXIT_UNREADABLE;
    }
    return put_result(s, doc, path, &stats);
}

int wzp_sim_shrink(const wzp_sim_options *o) {
    char path[512];
    wzp_lab_doc doc = {0};
    shrinking s = {.now.o = o, .began = wzp_io_now()};
    if (o->file_count != 1) {
        (void)fputs("wzp-sim: shrink takes one scenario; see --help\n", stderr);
        return EXIT_USAGE;
    }
    int status = wzp_sim_find(o->files[0], path);
    status = status == -1 ? drawn(o, path, &doc) : status;
    if (status != -1) {
        return status;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    status = shrink(&s, &doc, path);
    wzp_lab_doc_clear(&doc);
    return status;
}
