/* The slow obvious twin of the solver: writes the constraint matrix of RFC 6330, 5.3.3.4.2 out as
 * the text has it, every entry an octet, and eliminates in it. */
#ifndef WZP_FEC_TESTING_TWIN_H
#define WZP_FEC_TESTING_TWIN_H

#include "fec/params.h"
#include "fec/solve.h"

typedef struct twin {
    wzp_rq_params params;
    size_t rows;
    size_t symbol_len;
    uint8_t *matrix;  /* rows of L octets: LDPC, HDPC, then equations */
    uint8_t *symbols; /* their right-hand sides; after twin_solve the L intermediate symbols */
} twin;

/* `inputs` are symbols one behind the other; equations name them. */
void twin_init(twin *t, const wzp_rq_params *params, const wzp_rq_equation *equations, size_t n,
               const uint8_t *inputs, size_t symbol_len);
void twin_clear(twin *t);

/* False when the rank is less than L. */
bool twin_solve(twin *t);

/* The symbol `isi` of the solution. */
void twin_symbol(const twin *t, uint32_t isi, uint8_t *out);

#endif
