#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
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
    size_t types, count, done; /* count: cells */
    uint64_t first, last;      /* seeds */
    char folder[512];          /* of the cells' files; "": none */
} matrix;

/* --- one cell, in a process of its own -------------------------------------------------------- */

typedef struct place {
    wzp_lab_grid grid;
    size_t row, column;
    bool is_blocked;
    char name[64];
} place;

static place place_of(const matrix *m, size_t index) {
    place p = {.grid = (wzp_lab_grid)(index / m->types / m->types),
               .row = index / m->types % m->types,
               .column = index % m->types};
    p.is_blocked = p.row + 1 == m->types || p.column + 1 == m->types;
    (void)snprintf(p.name, sizeof p.name, "%s-%s-%s", wzp_lab_grid_word(p.grid),
                   wzp_lab_matrix_type(p.row), wzp_lab_matrix_type(p.column));
    return p;
}

static wzp_lab_scenario *scenario_of(const place *p, uint64_t seed) {
    static wzp_lab_errors errors;
    char text[WZP_LAB_CELL_TEXT_MAX];
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    wzp_lab_scenario *s = NULL;
    const char *scenario = wzp_lab_matrix_scenario(p->grid, p->row, p->column, text);
    if (wzp_lab_doc_parse(&doc, wzp_bytes_str(scenario), "matrix", why) == WZP_OK &&
        wzp_lab_scenario_read(&s, &doc, &seed, &errors) != WZP_OK) {
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

static bool write_scenario(const char *path, const place *p) {
    char text[WZP_LAB_CELL_TEXT_MAX];
    const char *scenario = wzp_lab_matrix_scenario(p->grid, p->row, p->column, text);
    return wzp_io_write_atomic(path, wzp_bytes_str(scenario), 0644) == WZP_OK;
}

/* Where UDP is blocked on one side, nobody is in the call. */
static void judge(wzp_lab_cell *cell, const wzp_lab_result *r, const place *p, uint64_t seed) {
    const wzp_lab_path a = r->calls[0].members[0].path;
    const wzp_lab_path b = r->calls[0].members[1].path;
    const wzp_lab_path path = a == b ? a : WZP_LAB_PATH_NONE;
    const wzp_lab_check *failure = wzp_lab_result_failure(r);
    const bool did_agree = wzp_lab_cell_agrees(cell, p->is_blocked);
    cell->direct += path == WZP_LAB_PATH_DIRECT ? 1 : 0;
    cell->relay += path == WZP_LAB_PATH_RELAY ? 1 : 0;
    cell->none += path == WZP_LAB_PATH_NONE ? 1 : 0;
    if (did_agree && !wzp_lab_cell_agrees(cell, p->is_blocked)) {
        cell->odd = (uint32_t)seed;
    }
    if (!p->is_blocked && failure != NULL && cell->failed++ == 0) {
        (void)snprintf(cell->why, sizeof cell->why, "seed %u, %s %.40s: expected %.20s, got %.50s",
                       (unsigned)seed, wzp_lab_check_word(failure->kind), failure->where,
                       failure->expected, failure->got);
    }
}

/* Files are those of the first seed. */
static bool run_seed(const matrix *m, const place *p, uint64_t seed, wzp_lab_cell *cell,
                     char why[256]) {
    char pcap[640];
    char page[640];
    char toml[640];
    const bool files = m->folder[0] != '\0' && seed == m->first;
    wzp_lab_result *r = NULL;
    wzp_lab_scenario *s = scenario_of(p, seed);
    (void)snprintf(why, 256, "the scenario cannot be read");
    (void)snprintf(pcap, sizeof pcap, "%s/%s.pcapng", m->folder, p->name);
    (void)snprintf(page, sizeof page, "%s/%s.html", m->folder, p->name);
    (void)snprintf(toml, sizeof toml, "%s/%s.toml", m->folder, p->name);
    const wzp_lab_run_cfg cfg = {.engine = m->o->engine,
                                 .pcap_file = files ? pcap : NULL,
                                 .log = wzp_log_stderr(m->o->log_level)};
    bool good = s != NULL && wzp_lab_run(&r, s, &cfg, why) == WZP_OK;
    if (good) {
        judge(cell, r, p, seed);
        good = !files || (write_page(page, r) && write_scenario(toml, p));
        (void)snprintf(why, 256, "%.200s cannot be written", page);
    }
    wzp_lab_result_free(&r);
    wzp_lab_scenario_free(&s);
    return good;
}

static char *work(void *ctx, size_t index) {
    char why[256] = "out of memory";
    const matrix *m = ctx;
    const place p = place_of(m, index);
    wzp_lab_cell cell = {.odd = (uint32_t)m->first,
                         .chance_ppm = wzp_lab_matrix_chance(p.grid, p.row, p.column)};
    bool good = wzp_lab_matrix_punch(p.grid, p.row, p.column, m->first, &cell.model) == WZP_OK;
    for (uint64_t seed = m->first; good && seed <= m->last; seed++) {
        good = run_seed(m, &p, seed, &cell, why);
    }
    if (!good) {
        cell.failed++;
        (void)snprintf(cell.why, sizeof cell.why, "%.150s", why);
    }
    json_t *json = json_pack("{s:i,s:i,s:i,s:i,s:b,s:i,s:s}", "direct", (int)cell.direct, "relay",
                             (int)cell.relay, "none", (int)cell.none, "odd", (int)cell.odd, "model",
                             cell.model, "failed", (int)cell.failed, "why", cell.why);
    char *line = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return line;
}

static uint32_t number(const json_t *json, const char *key) {
    return (uint32_t)json_integer_value(json_object_get(json, key));
}

static void done(void *ctx, size_t index, const char *line, const char *why) {
    json_error_t error;
    matrix *m = ctx;
    wzp_lab_cell *cell = &m->cells[index];
    json_t *json = line != NULL ? json_loads(line, 0, &error) : NULL;
    const place p = place_of(m, index);
    *cell = (wzp_lab_cell){.chance_ppm = wzp_lab_matrix_chance(p.grid, p.row, p.column),
                           .direct = number(json, "direct"),
                           .relay = number(json, "relay"),
                           .none = number(json, "none"),
                           .odd = number(json, "odd"),
                           .model = json_is_true(json_object_get(json, "model")),
                           .failed = json != NULL ? number(json, "failed") : 1};
    (void)snprintf(cell->why, sizeof cell->why, "%s",
                   json != NULL ? json_string_value(json_object_get(json, "why")) : why);
    json_decref(json);
    m->done++;
    if (!m->o->quiet && isatty(STDERR_FILENO) != 0) {
        (void)fprintf(stderr, "\r%zu of %zu cells ", m->done, m->count);
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
    for (size_t i = 0; good && i < m->count; i++) {
        const place p = place_of(m, i);
        if (m->cells[i].failed > 0 || !wzp_lab_cell_agrees(&m->cells[i], p.is_blocked)) {
            return EXIT_FINDINGS;
        }
    }
    return good ? EXIT_GOOD : EXIT_UNREADABLE;
}

int wzp_sim_matrix(const wzp_sim_options *o) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    matrix m = {.o = o, .types = wzp_lab_matrix_types()};
    m.count = WZP_LAB_GRIDS * m.types * m.types;
    m.first = o->has_seed ? o->seed : o->first_seed;
    m.last = o->has_seed ? o->seed : o->last_seed;
    if (o->file_count != 0) {
        (void)fputs("wzp-sim: matrix takes no scenario; see --help\n", stderr);
        return EXIT_USAGE;
    }
    m.cells = calloc(m.count, sizeof *m.cells);
    if (m.cells == NULL || !make_folder(&m)) {
        free(m.cells);
        return EXIT_UNREADABLE;
    }
    const wzp_sim_work w = {.work = work,
                            .done = done,
                            .ctx = &m,
                            .jobs = m.count,
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
