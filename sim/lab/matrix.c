#include "sim/lab/matrix.h"

#include <stdio.h>

#include "sim/lab/html.h"

#define BLOCKED "BLK"

size_t wzp_lab_matrix_types(void) {
    size_t n = 0;
    while (wzp_sim_punch_type_at(n) != NULL) {
        n++;
    }
    return n + 1;
}

const char *wzp_lab_matrix_type(size_t index) {
    const wzp_sim_punch_type *type = wzp_sim_punch_type_at(index);
    if (type != NULL) {
        return type->name;
    }
    return index + 1 == wzp_lab_matrix_types() ? BLOCKED : NULL;
}

const char *wzp_lab_strategy_text(unsigned strategy) {
    static const char *const texts[WZP_LAB_STRATEGIES] = {
        [WZP_SIM_PUNCH_DEPLOYED] = "as deployed: only one side sends",
        [WZP_SIM_PUNCH_SPECIFIED] = "as specified: one packet opens the way, one side dials",
        [WZP_SIM_PUNCH_BOTH_DIAL] = "both sides dial",
        [WZP_SIM_PUNCH_PREDICTED] = "both sides dial, and predict sequential ports",
    };
    return texts[strategy];
}

/* --- cells ------------------------------------------------------------------------------------ */

static const char *host_text(size_t type, char buf[96]) {
    const wzp_sim_punch_type *known = wzp_sim_punch_type_at(type);
    (void)snprintf(buf, 96, known != NULL ? "nat = \"%s\"\n" : "firewall = {block_udp = true}\n%s",
                   known != NULL ? known->preset : "");
    return buf;
}

const char *wzp_lab_matrix_scenario(size_t row, size_t column, char buf[WZP_LAB_CELL_TEXT_MAX]) {
    char x[96];
    char y[96];
    (void)snprintf(
        buf, WZP_LAB_CELL_TEXT_MAX,
        "name = \"%s-%s\"\n"
        "about = \"y behind %s accepts, x behind %s dials\"\n"
        "duration = \"%u s\"\n"
        "[host.x]\n%s[host.y]\n%s",
        wzp_lab_matrix_type(row), wzp_lab_matrix_type(column), wzp_lab_matrix_type(row),
        wzp_lab_matrix_type(column),
        wzp_sim_punch_type_at(row) != NULL && wzp_sim_punch_type_at(column) != NULL ? 2U : 12U,
        host_text(column, x), host_text(row, y));
    return buf;
}

wzp_err wzp_lab_matrix_punch(size_t row, size_t column, uint64_t seed,
                             bool direct[WZP_LAB_STRATEGIES]) {
    const wzp_sim_punch_type *acceptor = wzp_sim_punch_type_at(row);
    const wzp_sim_punch_type *dialer = wzp_sim_punch_type_at(column);
    wzp_err err = WZP_OK;
    for (unsigned strategy = 0; strategy < WZP_LAB_STRATEGIES; strategy++) {
        wzp_sim_punch_cfg cfg = {.strategy = (wzp_sim_punch_strategy)strategy, .seed = seed};
        direct[strategy] = false;
        if (acceptor != NULL && dialer != NULL && err == WZP_OK &&
            wzp_sim_punch_side_of(acceptor->preset, &cfg.acceptor) &&
            wzp_sim_punch_side_of(dialer->preset, &cfg.dialer)) {
            err = wzp_sim_punch(&cfg, &direct[strategy]);
        }
    }
    return err;
}

/* --- what comes out --------------------------------------------------------------------------- */

/* What a call comes to with this strategy. */
static wzp_lab_path outcome(const wzp_lab_cell *cell, unsigned strategy) {
    if (cell->path == WZP_LAB_PATH_NONE) {
        return WZP_LAB_PATH_NONE;
    }
    return cell->path == WZP_LAB_PATH_DIRECT || cell->direct[strategy] ? WZP_LAB_PATH_DIRECT
                                                                       : WZP_LAB_PATH_RELAY;
}

static const char *sign_of(wzp_lab_path path) {
    return path == WZP_LAB_PATH_DIRECT ? "D" : path == WZP_LAB_PATH_RELAY ? "r" : "-";
}

static const char *colour_of(wzp_lab_path path) {
    return path == WZP_LAB_PATH_DIRECT  ? "\033[32m"
           : path == WZP_LAB_PATH_RELAY ? "\033[33m"
                                        : "\033[31m";
}

static void put_grid(FILE *out, const wzp_lab_cell *cells, unsigned strategy, bool colour) {
    const size_t n = wzp_lab_matrix_types();
    (void)fprintf(out, "%s\n A\\D", wzp_lab_strategy_text(strategy));
    for (size_t c = 0; c < n; c++) {
        (void)fprintf(out, " %3s", wzp_lab_matrix_type(c));
    }
    for (size_t r = 0; r < n; r++) {
        (void)fprintf(out, "\n %3s", wzp_lab_matrix_type(r));
        for (size_t c = 0; c < n; c++) {
            const wzp_lab_path path = outcome(&cells[r * n + c], strategy);
            (void)fprintf(out, "   %s%s%s", colour ? colour_of(path) : "", sign_of(path),
                          colour ? "\033[0m" : "");
        }
    }
    (void)fputs("\n\n", out);
}

bool wzp_lab_matrix_text(FILE *out, const wzp_lab_cell *cells, bool colour) {
    const size_t n = wzp_lab_matrix_types();
    for (unsigned strategy = 0; strategy < WZP_LAB_STRATEGIES; strategy++) {
        put_grid(out, cells, strategy, colour);
    }
    for (size_t i = 0; i < n * n; i++) {
        if (cells[i].failed) {
            (void)fprintf(out, "%s-%s: %s\n", wzp_lab_matrix_type(i / n),
                          wzp_lab_matrix_type(i % n), cells[i].why);
        }
    }
    (void)fputs("D direct (by the model), r relay, - no call; rows accept, columns dial\n", out);
    return ferror(out) == 0;
}

static const char *word_of(wzp_lab_path path) {
    return path == WZP_LAB_PATH_DIRECT ? "direct" : path == WZP_LAB_PATH_RELAY ? "relay" : "none";
}

json_t *wzp_lab_matrix_json(const wzp_lab_cell *cells) {
    const size_t n = wzp_lab_matrix_types();
    json_t *list = json_array();
    for (size_t i = 0; i < n * n; i++) {
        const wzp_lab_cell *cell = &cells[i];
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s}", "acceptor",
                            wzp_lab_matrix_type(i / n), "dialer", wzp_lab_matrix_type(i % n),
                            "call", word_of(cell->path), "deployed", word_of(outcome(cell, 0)),
                            "specified", word_of(outcome(cell, 1)), "both_dial",
                            word_of(outcome(cell, 2)), "predicted", word_of(outcome(cell, 3)),
                            "failed", cell->failed, "why", cell->why));
    }
    return json_pack("{s:s,s:o}", "format", "wzp-sim-matrix/1", "cells", list);
}

static void put_cell(FILE *out, const wzp_lab_cell *cell, unsigned strategy, const char *folder,
                     size_t row, size_t column) {
    const wzp_lab_path path = outcome(cell, strategy);
    const char *look = cell->failed                  ? "failed"
                       : path == WZP_LAB_PATH_DIRECT ? "passed"
                       : path == WZP_LAB_PATH_RELAY  ? "inconclusive"
                                                     : "failed";
    const char *word = path == WZP_LAB_PATH_NONE ? "no call" : word_of(path);
    (void)fprintf(out, "<td class=\"%s\">", look);
    if (folder != NULL) {
        (void)fputs("<a href=\"", out);
        wzp_lab_html_text(out, folder);
        (void)fprintf(out, "/%s-%s.html\">%s</a>", wzp_lab_matrix_type(row),
                      wzp_lab_matrix_type(column), word);
    } else {
        (void)fputs(word, out);
    }
    (void)fputs("</td>", out);
}

static void put_table(FILE *out, const wzp_lab_cell *cells, unsigned strategy, const char *folder) {
    const size_t n = wzp_lab_matrix_types();
    (void)fprintf(out,
                  "<h2>%s</h2>\n<div class=\"wide\"><table class=\"grid-of-pairs\"><tr>"
                  "<th>accepts \\ dials</th>",
                  wzp_lab_strategy_text(strategy));
    for (size_t c = 0; c < n; c++) {
        (void)fprintf(out, "<th scope=\"col\">%s</th>", wzp_lab_matrix_type(c));
    }
    (void)fputs("</tr>\n", out);
    for (size_t r = 0; r < n; r++) {
        (void)fprintf(out, "<tr><th scope=\"row\">%s</th>", wzp_lab_matrix_type(r));
        for (size_t c = 0; c < n; c++) {
            put_cell(out, &cells[r * n + c], strategy, folder, r, c);
        }
        (void)fputs("</tr>\n", out);
    }
    (void)fputs("</table></div>\n", out);
}

static void put_types(FILE *out) {
    (void)fputs(
        "<h2>Types</h2>\n<div class=\"wide\"><table><tr><th>name</th><th>preset</th></tr>\n", out);
    for (size_t i = 0; wzp_lab_matrix_type(i) != NULL; i++) {
        const wzp_sim_punch_type *type = wzp_sim_punch_type_at(i);
        (void)fprintf(out, "<tr><td>%s</td><td><code>%s</code></td></tr>\n", wzp_lab_matrix_type(i),
                      type != NULL ? type->preset : "no UDP passes");
    }
    (void)fputs("</table></div>\n", out);
}

bool wzp_lab_matrix_html(FILE *out, const wzp_lab_cell *cells, const char *folder) {
    wzp_lab_html_begin(out, "NAT against NAT");
    (void)fputs(
        "<h1>NAT against NAT</h1>\n<p class=\"lead\">What a call comes to between every two "
        "kinds of NAT. The calls were made: two clients, their boxes and a relay; a cell "
        "opens what happened in it. Whether both could meet directly is what a model of "
        "hole punching says, for each way of trying.</p>\n",
        out);
    for (unsigned strategy = WZP_LAB_STRATEGIES; strategy-- > 0;) {
        put_table(out, cells, strategy, folder);
    }
    put_types(out);
    wzp_lab_html_end(out);
    return ferror(out) == 0;
}
