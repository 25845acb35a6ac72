#include "sim/lab/matrix.h"

#include <stdio.h>

#include "nat/birthday.h"
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

static const struct grid {
    const char *word, *text;
    const char *policy, *acceptor_policy; /* NULL: the same */
    wzp_sim_punch_strategy strategy;
    bool predicts, celebrates;
    bool row_maps, column_maps;
} grids[WZP_LAB_GRIDS] = {
    [WZP_LAB_GRID_DEPLOYED] = {.word = "deployed",
                               .text = "as deployed: only one side sends (M0)",
                               .policy = "deployed",
                               .strategy = WZP_SIM_PUNCH_DEPLOYED,
                               .predicts = true},
    /* A reference client does as it was meant where the other one is deployed. */
    [WZP_LAB_GRID_SPECIFIED] = {.word = "specified",
                                .text = "as specified: the acceptor tickles, the dialer dials (M1)",
                                .policy = "deployed",
                                .acceptor_policy = "reference",
                                .strategy = WZP_SIM_PUNCH_SPECIFIED,
                                .predicts = true},
    [WZP_LAB_GRID_BOTH_DIAL] = {.word = "both-dial",
                                .text = "reference, nothing predicted: both sides dial (M2)",
                                .policy = "reference",
                                .strategy = WZP_SIM_PUNCH_BOTH_DIAL},
    [WZP_LAB_GRID_PREDICTED] = {.word = "predicted",
                                .text = "reference: both dial, and predict ports (M3)",
                                .policy = "reference",
                                .strategy = WZP_SIM_PUNCH_PREDICTED,
                                .predicts = true},
    [WZP_LAB_GRID_BIRTHDAY] = {.word = "birthday",
                               .text = "as M2, and 256 sockets against 1024 probes (M4)",
                               .policy = "reference",
                               .strategy = WZP_SIM_PUNCH_BOTH_DIAL,
                               .celebrates = true},
    [WZP_LAB_GRID_MAPPED] = {.word = "mapped",
                             .text = "as M2, and the row's router maps a port (M5)",
                             .policy = "reference",
                             .strategy = WZP_SIM_PUNCH_BOTH_DIAL,
                             .row_maps = true},
    [WZP_LAB_GRID_BOTH_MAPPED] = {.word = "both-mapped",
                                  .text = "as M2, and both routers map a port (M5')",
                                  .policy = "reference",
                                  .strategy = WZP_SIM_PUNCH_BOTH_DIAL,
                                  .row_maps = true,
                                  .column_maps = true},
};

const char *wzp_lab_grid_word(wzp_lab_grid grid) {
    return grids[grid].word;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* A gateway needs a box that translates; the firewall of M5 would have to open pinholes. */
static bool can_map(size_t type) {
    wzp_sim_punch_side side;
    const wzp_sim_punch_type *known = wzp_sim_punch_type_at(type);
    return known != NULL && wzp_sim_punch_side_of(known->preset, &side) && side.box_count > 0 &&
           !side.boxes[0].identity;
}

static void put_host(FILE *out, const char *name, const struct grid *grid, size_t type, bool maps,
                     const char *policy) {
    const wzp_sim_punch_type *known = wzp_sim_punch_type_at(type);
    (void)fprintf(out, "[host.%s]\n", name);
    if (known != NULL) {
        (void)fprintf(out, "nat = \"%s\"\n", known->preset);
    } else {
        (void)fputs("firewall = {block_udp = true}\n", out);
    }
    if (policy != NULL) {
        (void)fprintf(out, "client = {policy = \"%s\"}\n", policy);
    } else if (grid->celebrates) {
        (void)fputs("client = {no_prediction = true, birthday = {sockets = 256, probes = 1024, "
                    "every = \"10 ms\"}}\n",
                    out);
    } else if (!grid->predicts) {
        (void)fputs("client = {no_prediction = true}\n", out);
    }
    if (maps && can_map(type)) {
        (void)fputs("gateway = {pmp = \"serves\"}\n", out);
    }
}

const char *wzp_lab_matrix_scenario(wzp_lab_grid which, size_t row, size_t column,
                                    char buf[WZP_LAB_CELL_TEXT_MAX]) {
    const struct grid *grid = &grids[which];
    FILE *out = fmemopen(buf, WZP_LAB_CELL_TEXT_MAX, "w");
    buf[0] = '\0';
    if (out == NULL) {
        return buf;
    }
    (void)fprintf(out,
                  "name = \"%s %s-%s\"\nabout = \"y behind %s accepts, x behind %s dials\"\n"
                  "duration = \"%s\"\npolicy = \"%s\"\n",
                  grid->word, wzp_lab_matrix_type(row), wzp_lab_matrix_type(column),
                  wzp_lab_matrix_type(row), wzp_lab_matrix_type(column),
                  wzp_lab_matrix_chance(which, row, column) != 0 ? "24 s" : "4500 ms",
                  grid->policy);
    put_host(out, "x", grid, column, grid->column_maps, NULL);
    put_host(out, "y", grid, row, grid->row_maps, grid->acceptor_policy);
    (void)fputs("[stun]\nservers = 4\n[call]\ndirect = true\nstart = \"1 s\"\n", out);
    (void)fclose(out);
    return buf;
}

wzp_err wzp_lab_matrix_punch(wzp_lab_grid which, size_t row, size_t column, uint64_t seed,
                             bool *direct) {
    const struct grid *grid = &grids[which];
    const wzp_sim_punch_type *acceptor = wzp_sim_punch_type_at(row);
    const wzp_sim_punch_type *dialer = wzp_sim_punch_type_at(column);
    wzp_sim_punch_cfg cfg = {.strategy = grid->strategy, .seed = seed};
    *direct = false;
    if (acceptor == NULL || dialer == NULL ||
        !wzp_sim_punch_side_of(acceptor->preset, &cfg.acceptor) ||
        !wzp_sim_punch_side_of(dialer->preset, &cfg.dialer)) {
        return WZP_OK;
    }
    cfg.acceptor.mapped = grid->row_maps && can_map(row);
    cfg.dialer.mapped = grid->column_maps && can_map(column);
    return wzp_sim_punch(&cfg, direct);
}

/* --- by chance -------------------------------------------------------------------------------- */

enum { SOCKETS = 256, PROBES = 1024, PORTS = 65536 - 1024, BLOCK = 1024 };

typedef enum hardness { EASY, HARD, HOPELESS } hardness;

/* Whether a socket has the same port for all destinations. */
static hardness hardness_of(size_t type, bool *has_block) {
    wzp_sim_punch_side side;
    const wzp_sim_punch_type *known = wzp_sim_punch_type_at(type);
    hardness is = EASY;
    *has_block = false;
    if (known == NULL || !wzp_sim_punch_side_of(known->preset, &side)) {
        return HOPELESS;
    }
    for (size_t i = 0; i < side.box_count; i++) {
        const wzp_sim_nat_cfg *box = &side.boxes[i];
        is = !box->identity && box->mapping != WZP_SIM_NAT_ANY ? HARD : is;
        *has_block = *has_block || box->block_size != 0 || box->ports == WZP_SIM_NAT_SEQUENTIAL;
    }
    return is;
}

/* Ports of a block, and such that count, are met within it by fewer sockets. */
uint32_t wzp_lab_matrix_chance(wzp_lab_grid which, size_t row, size_t column) {
    bool blocks[2];
    bool direct = false;
    const hardness a = hardness_of(row, &blocks[0]);
    const hardness b = hardness_of(column, &blocks[1]);
    if (!grids[which].celebrates || a == b || a == HOPELESS || b == HOPELESS ||
        wzp_lab_matrix_punch(which, row, column, 1, &direct) != WZP_OK || direct) {
        return 0;
    }
    return blocks[a == HARD ? 0 : 1] ? wzp_birthday_chance_ppm(WZP_BIRTHDAY_PORTS, BLOCK, BLOCK)
                                     : wzp_birthday_chance_ppm(SOCKETS, PROBES, PORTS);
}

/* --- what comes out --------------------------------------------------------------------------- */

static bool is_blocked(size_t row, size_t column) {
    return row + 1 == wzp_lab_matrix_types() || column + 1 == wzp_lab_matrix_types();
}

bool wzp_lab_cell_agrees(const wzp_lab_cell *cell, bool blocked) {
    if (blocked) {
        return cell->direct == 0 && cell->relay == 0;
    }
    if (cell->chance_ppm != 0) {
        const int64_t n = (int64_t)cell->direct + cell->relay;
        const int64_t off = (int64_t)cell->direct * WZP_PPM - n * cell->chance_ppm;
        const int64_t slack = cell->chance_ppm < WZP_PPM ? WZP_PPM : 0;
        const int64_t beyond = (off < 0 ? -off : off) - slack;
        const int64_t variance = n * cell->chance_ppm * (WZP_PPM - cell->chance_ppm);
        return cell->none == 0 && (beyond <= 0 || beyond * beyond <= 9 * variance);
    }
    return cell->none == 0 && (cell->model ? cell->relay == 0 : cell->direct == 0);
}

static const char *sign_of(const wzp_lab_cell *cell) {
    const bool mixed = (cell->direct > 0) + (cell->relay > 0) + (cell->none > 0) > 1;
    return mixed ? "p" : cell->direct > 0 ? "D" : cell->relay > 0 ? "r" : "-";
}

static const char *colour_of(const wzp_lab_cell *cell) {
    return *sign_of(cell) == 'D' ? "\033[32m" : *sign_of(cell) == '-' ? "\033[31m" : "\033[33m";
}

static const char *model_word(const wzp_lab_cell *cell, bool blocked) {
    return cell->chance_ppm != 0 ? "chance" : cell->model ? "direct" : blocked ? "none" : "relay";
}

static const wzp_lab_cell *cell_at(const wzp_lab_cell *cells, size_t grid, size_t row,
                                   size_t column) {
    const size_t n = wzp_lab_matrix_types();
    return &cells[(grid * n + row) * n + column];
}

static void put_grid(FILE *out, const wzp_lab_cell *cells, size_t grid, bool colour) {
    const size_t n = wzp_lab_matrix_types();
    (void)fprintf(out, "%s\n A\\D", grids[grid].text);
    for (size_t c = 0; c < n; c++) {
        (void)fprintf(out, " %3s", wzp_lab_matrix_type(c));
    }
    for (size_t r = 0; r < n; r++) {
        (void)fprintf(out, "\n %3s", wzp_lab_matrix_type(r));
        for (size_t c = 0; c < n; c++) {
            const wzp_lab_cell *cell = cell_at(cells, grid, r, c);
            (void)fprintf(out, "  %s%s%s%s",
                          wzp_lab_cell_agrees(cell, is_blocked(r, c)) ? " " : "!",
                          colour ? colour_of(cell) : "", sign_of(cell), colour ? "\033[0m" : "");
        }
    }
    (void)fputs("\n\n", out);
}

static void put_oddities(FILE *out, const wzp_lab_cell *cells, size_t grid) {
    const size_t n = wzp_lab_matrix_types();
    for (size_t i = 0; i < n * n; i++) {
        const wzp_lab_cell *cell = cell_at(cells, grid, i / n, i % n);
        if (cell->failed > 0) {
            (void)fprintf(out, "%s %s-%s: %u of the calls: %s\n", grids[grid].word,
                          wzp_lab_matrix_type(i / n), wzp_lab_matrix_type(i % n), cell->failed,
                          cell->why);
        } else if (!wzp_lab_cell_agrees(cell, is_blocked(i / n, i % n))) {
            (void)fprintf(
                out, "%s %s-%s: %u direct, %u relay, %u none; the model says %s; seed %u\n",
                grids[grid].word, wzp_lab_matrix_type(i / n), wzp_lab_matrix_type(i % n),
                cell->direct, cell->relay, cell->none, model_word(cell, false), cell->odd);
        }
    }
}

bool wzp_lab_matrix_text(FILE *out, const wzp_lab_cell *cells, bool colour) {
    for (size_t grid = 0; grid < WZP_LAB_GRIDS; grid++) {
        put_grid(out, cells, grid, colour);
    }
    for (size_t grid = 0; grid < WZP_LAB_GRIDS; grid++) {
        put_oddities(out, cells, grid);
    }
    (void)fputs("D direct, r relay, p by chance, - no call, ! not as the model says; rows accept, "
                "columns dial\n",
                out);
    return ferror(out) == 0;
}

json_t *wzp_lab_matrix_json(const wzp_lab_cell *cells) {
    const size_t n = wzp_lab_matrix_types();
    json_t *list = json_array();
    for (size_t i = 0; i < WZP_LAB_GRIDS * n * n; i++) {
        const wzp_lab_cell *cell = &cells[i];
        const size_t row = i / n % n;
        const size_t column = i % n;
        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:s,s:b,s:i,s:s}", "grid", grids[i / n / n].word,
                      "acceptor", wzp_lab_matrix_type(row), "dialer", wzp_lab_matrix_type(column),
                      "direct", (int)cell->direct, "relay", (int)cell->relay, "none",
                      (int)cell->none, "model", model_word(cell, is_blocked(row, column)), "agrees",
                      wzp_lab_cell_agrees(cell, is_blocked(row, column)), "failed",
                      (int)cell->failed, "why", cell->why));
    }
    return json_pack("{s:s,s:o}", "format", "wzp-sim-matrix/3", "cells", list);
}

/* --- a page ----------------------------------------------------------------------------------- */

static void put_cell(FILE *out, const wzp_lab_cell *cell, size_t grid, const char *folder,
                     size_t row, size_t column) {
    const bool agrees = wzp_lab_cell_agrees(cell, is_blocked(row, column));
    const char *look = !agrees || cell->failed > 0 ? "failed"
                       : cell->direct > 0          ? "passed"
                                                   : "inconclusive";
    const char *word = *sign_of(cell) == 'D'   ? "direct"
                       : *sign_of(cell) == 'r' ? "relay"
                       : *sign_of(cell) == 'p' ? "by chance"
                                               : "no call";
    (void)fprintf(out, "<td class=\"%s\"", look);
    if (folder != NULL) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s-%s-%s", grids[grid].word, wzp_lab_matrix_type(row),
                       wzp_lab_matrix_type(column));
        (void)fputs(" title=\"wzp-sim run ", out);
        wzp_lab_html_text(out, folder);
        (void)fprintf(out, "/%s.toml --seed %u\"><a href=\"", name, cell->odd);
        wzp_lab_html_text(out, folder);
        (void)fprintf(out, "/%s.html\">%s</a>", name, word);
    } else {
        (void)fprintf(out, ">%s", word);
    }
    (void)fputs(agrees ? "</td>" : " &ne; model</td>", out);
}

static void put_table(FILE *out, const wzp_lab_cell *cells, size_t grid, const char *folder) {
    const size_t n = wzp_lab_matrix_types();
    (void)fprintf(out,
                  "<h2>%s</h2>\n<div class=\"wide\"><table class=\"grid-of-pairs\"><tr>"
                  "<th>accepts \\ dials</th>",
                  grids[grid].text);
    for (size_t c = 0; c < n; c++) {
        (void)fprintf(out, "<th scope=\"col\">%s</th>", wzp_lab_matrix_type(c));
    }
    (void)fputs("</tr>\n", out);
    for (size_t r = 0; r < n; r++) {
        (void)fprintf(out, "<tr><th scope=\"row\">%s</th>", wzp_lab_matrix_type(r));
        for (size_t c = 0; c < n; c++) {
            put_cell(out, cell_at(cells, grid, r, c), grid, folder, r, c);
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
        "kinds of NAT, by policy.  The calls were made: two clients, their boxes and a "
        "relay; a cell opens what happened in one of them, and its title is the command "
        "that plays it again.  A cell that is not what a model of hole punching says is "
        "marked.</p>\n",
        out);
    for (size_t grid = 0; grid < WZP_LAB_GRIDS; grid++) {
        put_table(out, cells, grid, folder);
    }
    put_types(out);
    wzp_lab_html_end(out);
    return ferror(out) == 0;
}
