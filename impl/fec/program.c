#include "fec/program.h"

#include <assert.h>

/* An instruction: kind and number of terms, destination, terms.  SPREAD: accumulator, input and
 * the two rows. */
enum { SUM, WEIGHTED, SPREAD, KIND_BITS = 2, HEAD = 2 };

void wzp_rq_program_reset(wzp_rq_program *p, uint32_t inputs, uint32_t intermediates) {
    p->len = 0;
    p->inputs = inputs;
    p->intermediates = intermediates;
    p->scratch = 0;
}

uint32_t wzp_rq_program_row(wzp_rq_program *p) {
    return p->inputs + p->intermediates + p->scratch++;
}

static void put(wzp_rq_program *p, uint32_t word) {
    assert(p->len < p->cap); /* the solver's bound */
    p->words[p->len++] = word;
}

void wzp_rq_program_begin(wzp_rq_program *p) {
    p->open = p->len;
    put(p, SUM);
    put(p, WZP_RQ_NONE);
}

void wzp_rq_program_term(wzp_rq_program *p, uint32_t row) {
    if (row != WZP_RQ_NONE) {
        put(p, row);
    }
}

void wzp_rq_program_weighted_term(wzp_rq_program *p, uint32_t row, uint8_t factor) {
    if (row != WZP_RQ_NONE && factor != 0) {
        put(p, row | (uint32_t)factor << 24);
    }
}

static void end(wzp_rq_program *p, uint32_t kind, uint32_t dst) {
    const size_t terms = p->len - p->open - HEAD;
    p->words[p->open] = kind | (uint32_t)terms << KIND_BITS;
    p->words[p->open + 1] = dst;
}

uint32_t wzp_rq_program_end(wzp_rq_program *p, uint32_t dst) {
    const size_t terms = p->len - p->open - HEAD;
    if (terms <= 1) {
        const uint32_t only = terms == 1 ? p->words[p->open + HEAD] : WZP_RQ_NONE;
        p->len = p->open;
        return only;
    }
    end(p, SUM, dst);
    return dst;
}

void wzp_rq_program_end_in(wzp_rq_program *p, uint32_t dst) {
    end(p, SUM, dst);
}

void wzp_rq_program_weighted_end(wzp_rq_program *p, uint32_t dst) {
    end(p, WEIGHTED, dst);
}

void wzp_rq_program_spread(wzp_rq_program *p, uint32_t acc, uint32_t in, uint32_t a, uint32_t b) {
    put(p, SPREAD);
    put(p, acc);
    put(p, in);
    put(p, a);
    put(p, b);
}

static const uint32_t *step(const uint32_t *at, const wzp_octet_ops *ops, uint8_t *const *rows,
                            size_t len) {
    const uint32_t kind = at[0] & ((1U << KIND_BITS) - 1);
    const size_t n = at[0] >> KIND_BITS;
    const uint8_t *const *from = (const uint8_t *const *)rows;
    if (kind == SUM) {
        ops->sum(rows[at[1]], from, at + HEAD, n, len);
    } else if (kind == WEIGHTED) {
        ops->weighted_sum(rows[at[1]], from, at + HEAD, n, len);
    } else {
        ops->spread(rows[at[1]], at[2] != WZP_RQ_NONE ? rows[at[2]] : NULL, rows[at[3]],
                    rows[at[4]], len);
        return at + 5;
    }
    return at + HEAD + n;
}

static void place(const wzp_rq_program *p, const wzp_rq_memory *m, size_t from) {
    uint8_t **row = m->table;
    for (size_t i = 0; i < p->inputs; i++) {
        *row++ = m->inputs + i * m->input_stride + from;
    }
    for (size_t i = 0; i < p->intermediates; i++) {
        *row++ = m->intermediates + i * m->intermediate_stride + (m->striped ? 0 : from);
    }
    for (size_t i = 0; i < p->scratch; i++) {
        *row++ = m->scratch + i * WZP_RQ_STRIPE;
    }
}

void wzp_rq_program_run(const wzp_rq_program *p, const wzp_octet_ops *ops, const wzp_rq_memory *m,
                        size_t len) {
    for (size_t from = 0; from < len; from += WZP_RQ_STRIPE) {
        const size_t left = len - from;
        const uint32_t *at = p->words;
        place(p, m, from);
        while (at < p->words + p->len) {
            at = step(at, ops, m->table, left < WZP_RQ_STRIPE ? left : WZP_RQ_STRIPE);
        }
    }
}
