/* Every NAT against every other: what a call between them comes to (nat sheet 2.12).
 *
 * The call itself is real: two clients, their boxes, a relay.  Whether the two could also meet
 * directly is, as long as clients do not try, what the model of hole punching says (nat/punch.h);
 * once they do, the packets say it. */
#ifndef WZP_SIM_LAB_MATRIX_H
#define WZP_SIM_LAB_MATRIX_H

#include "sim/lab/run.h"
#include "sim/nat/punch.h"

/* "PUB" ... "CGH", and "BLK" where no UDP passes; NULL past the last. */
const char *wzp_lab_matrix_type(size_t index);
size_t wzp_lab_matrix_types(void);

/* The scenario of a cell as text: y, of the row's type, accepts; x, of the column's, dials.
 * Returns `buf`. */
#define WZP_LAB_CELL_TEXT_MAX 512
const char *wzp_lab_matrix_scenario(size_t row, size_t column, char buf[WZP_LAB_CELL_TEXT_MAX]);

#define WZP_LAB_STRATEGIES 4

typedef struct wzp_lab_cell {
    wzp_lab_path path;               /* of the call: DIRECT, RELAY or NONE */
    bool direct[WZP_LAB_STRATEGIES]; /* by wzp_sim_punch_strategy: the model */
    bool failed;                     /* the call was not as it must be: `why` */
    char why[160];
} wzp_lab_cell;

const char *wzp_lab_strategy_text(unsigned strategy); /* static text */

/* Asks the model for all strategies.  NOMEM. */
WZP_MUST_USE wzp_err wzp_lab_matrix_punch(size_t row, size_t column, uint64_t seed,
                                          bool direct[WZP_LAB_STRATEGIES]);

/* Of all cells, row by row. */
bool wzp_lab_matrix_text(FILE *out, const wzp_lab_cell *cells, bool colour);
json_t *wzp_lab_matrix_json(const wzp_lab_cell *cells);

/* A page.  `folder`: relative to it, where "ROW-COLUMN.html" and ".pcapng" of the cells are; NULL:
 * there are none. */
bool wzp_lab_matrix_html(FILE *out, const wzp_lab_cell *cells, const char *folder);

#endif
