#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/log_sink.h"
#include "io/sys.h"
#include "sim/bin/files.h"
#include "sim/bin/workers.h"
#include "sim/lab/html.h"
#include "sim/lab/matrix.h"
#include "sim/lab/report.h"

typedef struct matrix {
    const wzp_sim_options *o;
    wzp_lab_cell *cells;
    size_t types, done;
    char folder[512]; /* of the cells' files; "": none */
} matrix;

/* --- one cell, in a process of its own -------------------------------------------------------- */

static wzp_lab_scenario *scenario_of(const wzp_sim_options *o, size_t row, size_t column) {
    static wzp_lab_errors errors;
    char text[WZP_LAB_CELL_TEXT_MAX];
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    wzp_lab_scenario *s = NULL;
    const char *scenario = wzp_lab_matrix_scenario(row, column, text);
    if (wzp_lab_doc_parse(&doc, wzp_bytes_str(scenario), "matrix", why) == WZP_OK &&
        wzp_lab_scenario_read(&s, &doc, o->has_seed ? &o->seed : NULL, &errors) != WZP_OK) {
        wzp_lab_errors_write(&errors, stderr);
    }
    wzp_lab_doc_clear(&doc);
    return s;
}

static bool write_page(const char *path, const wzp_lab_result *r) {
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return false;
    }
    const bool good = wzp_lab_report_html(out, r);
    return fclose(out) == 0 && good;
}

/* Both must be in a relayed call, or nobody is. */
static void judge(wzp_lab_cell *cell, const wzp_lab_result *r, bool blocked) {
    const wzp_lab_path a = r->calls[0].members[0].path;
    const wzp_lab_path b = r->calls[0].members[1].path;
    const wzp_lab_check *failure = wzp_lab_result_failure(r);
    cell->path = blocked && a != b ? WZP_LAB_PATH_NONE : a;
    if (!blocked && failure != NULL) {
        cell->failed = true;
        (void)snprintf(cell->why, sizeof cell->why, "%s %.40s: expected %.30s, got %.60s",
                       wzp_lab_check_word(failure->kind), failure->where, failure->expected,
                       failure->got);
    }
}

static bool run_cell(const matrix *m, size_t index, wzp_lab_cell *cell, char why[256]) {
    char pcap[640];
    char page[640];
    const size_t row = index / m->types;
    const size_t column = index % m->types;
    const bool blocked = row + 1 == m->types || column + 1 == m->types;
    const bool files = m->folder[0] != '\0';
    wzp_lab_result *r = NULL;
    wzp_lab_scenario *s = scenario_of(m->o, row, column);
    (void)snprintf(why, 256, "the scenario cannot be read");
    (void)snprintf(pcap, sizeof pcap, "%s/%s-%s.pcapng", m->folder, wzp_lab_matrix_type(row),
                   wzp_lab_matrix_type(column));
    (void)snprintf(page, sizeof page, "%s/%s-%s.html", m->folder, wzp_lab_matrix_type(row),
                   wzp_lab_matrix_type(column));
    const wzp_lab_run_cfg cfg = {.engine = m->o->engine,
                                 .pcap_file = files ? pcap : NULL,
                                 .log = wzp_log_stderr(m->o->log_level)};
    bool good = s != NULL && wzp_lab_run(&r, s, &cfg, why) == WZP_OK &&
                wzp_lab_matrix_punch(row, column, s->seed, cell->direct) == WZP_OK;
    if (good) {
        judge(cell, r, blocked);
        good = !files || write_page(page, r);
        (void)snprintf(why, 256, "%.200s cannot be written", page);
    }
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return good;
}

static char *work(void *ctx, size_t index) {
    char why[256] = "";
    wzp_lab_cell cell = {.path = WZP_LAB_PATH_NONE};
    if (!run_cell(ctx, index, &cell, why)) {
        cell.failed = true;
        (void)snprintf(cell.why, sizeof cell.why, "%.150s", why);
    }
    json_t *json = json_pack("{s:i,s:b,s:b,s:b,s:b,s:b,s:s}", "path", (int)cell.path, "0",
                             cell.direct[0], "1", cell.direct[1], "2", cell.direct[2], "3",
                             cell.direct[3], "failed", cell.failed, "why", cell.why);
    char *line = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return line;
}

static void done(void *ctx, size_t index, const char *line, const char *why) {
    json_error_t error;
    matrix *m = ctx;
    wzp_lab_cell *cell = &m->cells[index];
    json_t *json = line != NULL ? json_loads(line, 0, &error) : NULL;
    cell->path = (wzp_lab_path)json_integer_value(json_object_get(json, "path"));
    for (unsigned i = 0; i < WZP_LAB_STRATEGIES; i++) {
        const char name[2] = {(char)('0' + i), '\0'};
        cell->direct[i] = json_is_true(json_object_get(json, name));
    }
    cell->failed = json == NULL || json_is_true(json_object_get(json, "failed"));
    (void)snprintf(cell->why, sizeof cell->why, "%s",
                   json != NULL ? json_string_value(json_object_get(json, "why")) : why);
    json_decref(json);
    m->done++;
    if (!m->o->quiet && isatty(STDERR_FILENO) != 0) {
        (void)fprintf(stderr, "\r%zu of %zu calls ", m->done, m->types * m->types);
    }
}

/* --- all -------------------------------------------------------------------------------------- */

/* "DIR/NAME.html" has its cells in "DIR/NAME.cells". */
static bool make_folder(matrix *m) {
    if (m->o->html == NULL || strcmp(m->o->html, "-") == 0) {
        return true;
    }
    const size_t len = strlen(m->o->html);
    const bool html = len > 5 && strcmp(m->o->html + len - 5, ".html") == 0;
    (void)snprintf(m->folder, sizeof m->folder, "%.*s.cells", (int)(html ? len - 5 : len),
                   m->o->html);
    if (mkdir(m->folder, 0777) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "wzp-sim: %s: %s\n", m->folder, wzp_io_reason(errno));
        return false;
    }
    return true;
}

static bool write_results(const matrix *m) {
    bool good = true;
    if (m->o->html != NULL) {
        const char *slash = strrchr(m->folder, '/');
        const char *folder = slash != NULL ? slash + 1 : m->folder;
        FILE *out = wzp_sim_create(m->o->html);
        good = out != NULL &&
               wzp_sim_finish(out, m->o->html,
                              wzp_lab_matrix_html(out, m->cells, *folder != '\0' ? folder : NULL));
    }
    if (m->o->json != NULL) {
        FILE *out = wzp_sim_create(m->o->json);
        json_t *json = wzp_lab_matrix_json(m->cells);
        const bool written =
            out != NULL && json_dumpf(json, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
        good = out != NULL && wzp_sim_finish(out, m->o->json, written) && good;
        json_decref(json);
    }
    return good;
}

static int finish(const matrix *m) {
    const bool to_stdout = (m->o->json != NULL && strcmp(m->o->json, "-") == 0) ||
                           (m->o->html != NULL && strcmp(m->o->html, "-") == 0);
    bool good = write_results(m);
    if (!to_stdout && !m->o->quiet) {
        good = wzp_lab_matrix_text(stdout, m->cells, m->o->colour) && good;
    }
    for (size_t i = 0; good && i < m->types * m->types; i++) {
        if (m->cells[i].failed) {
            return EXIT_FINDINGS;
        }
    }
    return good ? EXIT_GOOD : EXIT_UNREADABLE;
}

int wzp_sim_matrix(const wzp_sim_options *o) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    matrix m = {.o = o, .types = wzp_lab_matrix_types()};
    if (o->file_count != 0) {
        (void)fputs("wzp-sim: matrix takes no scenario; see --help\n", stderr);
        return EXIT_USAGE;
    }
    m.cells = calloc(m.types * m.types, sizeof *m.cells);
    if (m.cells == NULL || !make_folder(&m)) {
        free(m.cells);
        return EXIT_UNREADABLE;
    }
    const wzp_sim_work w = {.work = work,
                            .done = done,
                            .ctx = &m,
                            .jobs = m.types * m.types,
                            .workers =
                                o->jobs != 0 ? (size_t)o->jobs : (size_t)(cpus > 0 ? cpus : 1)};
    (void)signal(SIGPIPE, SIG_IGN);
    const bool good = wzp_sim_work_all(&w);
    if (!o->quiet && isatty(STDERR_FILENO) != 0) {
        (void)fputs("\r\033[K", stderr);
    }
    const int status = good ? finish(&m) : EXIT_UNREADABLE;
    free(m.cells);
    return status;
}
