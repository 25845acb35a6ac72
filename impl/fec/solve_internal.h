/* The state of the solver, shared by its phases. */
#ifndef WZP_FEC_SOLVE_INTERNAL_H
#define WZP_FEC_SOLVE_INTERNAL_H

#include "fec/solve.h"

/* No row has more columns: an LDPC row three for each S of B, and three. */
#define WZP_RQ_DEGREE_CAP 192

/* Where a column is: neither, peeled as number `index`, or idle as number `index`. */
typedef enum wzp_rq_state { WZP_RQ_ACTIVE, WZP_RQ_PEELED, WZP_RQ_IDLE } wzp_rq_state;

typedef struct wzp_rq_place {
    wzp_rq_state state;
    uint32_t index;
} wzp_rq_place;

typedef struct wzp_rq_pair {
    uint32_t a, b; /* columns */
} wzp_rq_pair;

typedef struct wzp_rq_peeled {
    uint32_t row, col;
} wzp_rq_peeled;

struct wzp_rq_solver {
    uint8_t *memory; /* all arrays */
    size_t size;
    size_t cap_equations, cap_rows, cap_cols, cap_idle, cap_rest, cap_scratch;
    uint32_t cap_k; /* K' */
    const wzp_octet_ops *ops;
    wzp_rq_params params;
    wzp_rq_program program;

    /* Rows of bits: LDPC, then equations.  Row r has cols[row_at[r] .. row_at[r + 1]). */
    uint32_t row_count;
    uint32_t *row_at, *cols;
    uint32_t *input;

    /* Peeling: rows by the number of their active columns, in doubly linked lists. */
    uint32_t *degree, *next, *prev, *heads;
    uint32_t *col_at, *col_rows; /* rows of a column, like cols of a row */
    uint32_t active;             /* columns */
    wzp_rq_place *place;         /* of each column */
    uint32_t *group, *group_size;
    wzp_rq_pair *pairs;
    uint32_t peeled_count, idle_count;
    wzp_rq_peeled *peeled;
    uint32_t *idle; /* columns */

    /* Column number k that was peeled is value[k] plus the idle columns in its row of bits. */
    uint32_t *value;
    uint64_t *bits;
    size_t bits_words;

    /* Rows that nothing was peeled from: the same, and which of them were added up. */
    uint32_t rest_count;
    uint32_t *rest, *rest_value;
    uint64_t *rest_bits;
    size_t rest_words;
    uint32_t rank;
    uint32_t *pivot, *reduced;  /* of reduced row r: its idle column and its value */
    uint32_t *free, free_count; /* idle columns without a row */
    uint8_t *dense;             /* H rows, and two, of idle_count octets */
};

/* Phase 1: fills peeled, idle and place.  False: too many idle columns. */
bool wzp_rq_peel(wzp_rq_solver *s);

/* The other phases: writes the program.  False: the rank is too small. */
bool wzp_rq_reduce(wzp_rq_solver *s);

#endif
