/* Every NAT against every other: what a call between them comes to (nat sheet 2.12).
 *
 * The calls are real: two handsets, their boxes, a relay, STUN servers; the path is what packets
 * say.  Beside it stands what the model of hole punching says (nat/punch.h), which the sheet's
 * matrices are checked against. */
#ifndef WZP_SIM_LAB_MATRIX_H
#define WZP_SIM_LAB_MATRIX_H

#include "sim/lab/run.h"
#include "sim/nat/punch.h"

/* "PUB" ... "CGH", and "BLK" where no UDP passes; NULL past the last. */
const char *wzp_lab_matrix_type(size_t index);
size_t wzp_lab_matrix_types(void);

/* Ways of looking for a path, one matrix each. */
typedef enum wzp_lab_grid {
    WZP_LAB_GRID_DEPLOYED,    /* M0 */
    WZP_LAB_GRID_SPECIFIED,   /* as upstream means it: the acceptor tickles, the dialer dials: M1 */
    WZP_LAB_GRID_BOTH_DIAL,   /* reference, nothing predicted: M2 */
    WZP_LAB_GRID_PREDICTED,   /* reference: M3 */
    WZP_LAB_GRID_BIRTHDAY,    /* M2, and many sockets against many probes: M4 */
    WZP_LAB_GRID_MAPPED,      /* M2, and the router of the row's side maps a port: M5 */
    WZP_LAB_GRID_BOTH_MAPPED, /* and that of the column's: M5' */
    WZP_LAB_GRIDS
} wzp_lab_grid;

const char *wzp_lab_grid_word(wzp_lab_grid grid); /* "deployed", ...; static */

/* The scenario of a cell as text: y, of the row's type, accepts; x, of the column's, dials.
 * Returns `buf`. */
#define WZP_LAB_CELL_TEXT_MAX 1024
const char *wzp_lab_matrix_scenario(wzp_lab_grid which, size_t row, size_t column,
                                    char buf[WZP_LAB_CELL_TEXT_MAX]);

typedef struct wzp_lab_cell {
    uint32_t direct, relay, none; /* seeds */
    uint32_t odd;                 /* the seed to look at: the first that differs from the model */
    bool model;                   /* direct, it says */
    uint32_t chance_ppm;          /* that a call becomes direct, it says; 0: it leaves no doubt */
    uint32_t failed;              /* seeds whose call was not as it must be: `why` of the first */
    char why[160];
} wzp_lab_cell;

/* Whether all seeds are as the model says; by chance, whether their number is within three standard
 * deviations of it, and one more if it is not sure. */
bool wzp_lab_cell_agrees(const wzp_lab_cell *cell, bool blocked);

/* Asks the model.  NOMEM. */
WZP_MUST_USE wzp_err wzp_lab_matrix_punch(wzp_lab_grid grid, size_t row, size_t column,
                                          uint64_t seed, bool *direct);

/* Of a birthday, in parts per million; 0: there is none between these two, or it is not needed. */
uint32_t wzp_lab_matrix_chance(wzp_lab_grid which, size_t row, size_t column);

/* Of all cells, grid by grid and row by row. */
bool wzp_lab_matrix_text(FILE *out, const wzp_lab_cell *cells, bool colour);
json_t *wzp_lab_matrix_json(const wzp_lab_cell *cells);

/* A page.  `folder`: relative to it, where "GRID-ROW-COLUMN.html", ".pcapng" and ".toml" of the
 * cells are; NULL: there are none. */
bool wzp_lab_matrix_html(FILE *out, const wzp_lab_cell *cells, const char *folder);

#endif
