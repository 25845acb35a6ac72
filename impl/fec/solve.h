/* Solves for the intermediate symbols of a block (RFC 6330, 5.4.2): inactivation decoding, in
 * structure only.  What is to be done with symbols is written into a program.
 *
 * The five phases of the RFC, as they are here:
 *   1  peel    rows with one active column left give it; where there is none, columns are set
 *              aside ("idle"), as all permanently inactive ones are from the beginning
 *   2  reduce  what is left of rows on the idle columns is solved: rows of bits first, then the H
 *              dense rows over GF(256)
 *   3-5        the peeled columns follow from their own sparse rows, in order
 * The dense rows are never written out: MT times GAMMA is applied column by column.
 *
 * Memory is reserved at creation; nothing else allocates.  Not thread-safe. */
#ifndef WZP_FEC_SOLVE_H
#define WZP_FEC_SOLVE_H

#include "fec/params.h"
#include "fec/program.h"

/* One encoding symbol: the sum of its intermediate symbols is the input, or zeros for NONE. */
typedef struct wzp_rq_equation {
    uint32_t isi, input;
} wzp_rq_equation;

typedef struct wzp_rq_solver wzp_rq_solver;

/* For blocks of `cap_sources` and up to `cap_extra` equations more than K' has.  NULL when out of
 * memory; `cap_sources` is in 1..WZP_RQ_SOURCES_MAX. */
wzp_rq_solver *wzp_rq_solver_new(uint32_t cap_sources, uint32_t cap_extra);
void wzp_rq_solver_free(wzp_rq_solver **solver);

/* Octets that it holds. */
size_t wzp_rq_solver_size(const wzp_rq_solver *solver);

/* The most scratch rows and rows in all that a program of this solver has, beside inputs. */
size_t wzp_rq_solver_scratch(const wzp_rq_solver *solver);

/* Begins and solves; the program is borrowed from the solver until the next call, and more sums
 * may be appended to it (wzp_rq_solver_output).  Equations are distinct, K' or more, with inputs
 * below `inputs`.
 * WZP_ERR_FEC_RANK  the equations do not determine all symbols, or only with more columns set aside
 *                   than memory was reserved for, which takes symbols chosen for that */
WZP_MUST_USE wzp_err wzp_rq_solve(wzp_rq_solver *solver, const wzp_rq_params *params,
                                  const wzp_rq_equation *equations, size_t n, uint32_t inputs,
                                  const wzp_rq_program **out);

/* Appends: row `input` becomes the symbol `isi`. */
void wzp_rq_solver_output(wzp_rq_solver *solver, uint32_t isi, uint32_t input);

/* Columns set aside by the last call. */
uint32_t wzp_rq_solver_idle(const wzp_rq_solver *solver);

#endif
