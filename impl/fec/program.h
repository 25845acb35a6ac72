/* A program: the sums that turn the rows of an equation system into its solution, written down
 * once by the solver and then run over symbols of any length, as often as there are blocks.
 *
 * Operands are indices into a table of rows: first the `inputs` symbols that are given (what is
 * missing among them may be written), then the intermediate symbols, then scratch rows. */
#ifndef WZP_FEC_PROGRAM_H
#define WZP_FEC_PROGRAM_H

#include "fec/octet.h"

#define WZP_RQ_NONE UINT32_MAX /* no operand: zeros */

/* So many octets of each row are worked on before the next ones: scratch rows are no longer. */
#define WZP_RQ_STRIPE ((size_t)256)

typedef struct wzp_rq_program {
    uint32_t *words; /* owned by whoever made it */
    size_t len, cap;
    size_t open;                             /* where the sum that is being written begins */
    uint32_t inputs, intermediates, scratch; /* rows */
} wzp_rq_program;

void wzp_rq_program_reset(wzp_rq_program *p, uint32_t inputs, uint32_t intermediates);

/* One more scratch row. */
uint32_t wzp_rq_program_row(wzp_rq_program *p);

/* A sum is begun, gets its terms, and is ended; NONE as a term is left out. */
void wzp_rq_program_begin(wzp_rq_program *p);
void wzp_rq_program_term(wzp_rq_program *p, uint32_t row);
/* The operand that holds the sum: NONE for no terms, the only term itself, or else `dst`, which
 * is then written. */
uint32_t wzp_rq_program_end(wzp_rq_program *p, uint32_t dst);
/* The same, but `dst` is written in any case. */
void wzp_rq_program_end_in(wzp_rq_program *p, uint32_t dst);

void wzp_rq_program_weighted_term(wzp_rq_program *p, uint32_t row, uint8_t factor);
void wzp_rq_program_weighted_end(wzp_rq_program *p, uint32_t dst);

void wzp_rq_program_spread(wzp_rq_program *p, uint32_t acc, uint32_t in, uint32_t a, uint32_t b);

/* Where the rows of a run are; row i of a kind is at base + i * stride, of inputs and
 * intermediates `len` octets each.  `table` has room for all rows, `scratch` for scratch rows of
 * WZP_RQ_STRIPE octets.  When `striped` is set, intermediates are no longer than that either. */
typedef struct wzp_rq_memory {
    uint8_t **table;
    uint8_t *inputs, *intermediates, *scratch;
    size_t input_stride, intermediate_stride;
    bool striped;
} wzp_rq_memory;

void wzp_rq_program_run(const wzp_rq_program *p, const wzp_octet_ops *ops,
                        const wzp_rq_memory *memory, size_t len);

#endif
