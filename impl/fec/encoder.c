#include <stdlib.h>

#include "fec/raptorq.h"
#include "fec/solve.h"

struct wzp_rq_plan {
    wzp_rq_params params;
    wzp_rq_program program; /* words are owned */
};

static wzp_err record(wzp_rq_plan *plan, wzp_rq_solver *solver, wzp_rq_equation *equations) {
    const wzp_rq_params *p = &plan->params;
    const wzp_rq_program *program = NULL;
    for (uint32_t i = 0; i < p->kp; i++) {
        equations[i] = (wzp_rq_equation){i, i < p->k ? i : WZP_RQ_NONE};
    }
    const wzp_err err = wzp_rq_solve(solver, p, equations, p->kp, p->k, &program);
    if (err != WZP_OK) {
        return err; /* does not happen: the systematic indices were chosen so */
    }
    plan->program = *program;
    plan->program.cap = program->len;
    plan->program.words = malloc(program->len * sizeof *program->words);
    if (plan->program.words == NULL) {
        return WZP_ERR_NOMEM;
    }
    memcpy(plan->program.words, program->words, program->len * sizeof *program->words);
    return WZP_OK;
}

wzp_err wzp_rq_plan_new(wzp_rq_plan **out, size_t source_count) {
    wzp_rq_params params;
    wzp_err err = wzp_rq_params_of(&params, source_count);
    if (err != WZP_OK) {
        return err;
    }
    wzp_rq_plan *plan = calloc(1, sizeof *plan);
    wzp_rq_solver *solver = wzp_rq_solver_new(params.k, 0);
    wzp_rq_equation *equations = malloc(params.kp * sizeof *equations);
    err = WZP_ERR_NOMEM;
    if (plan != NULL && solver != NULL && equations != NULL) {
        plan->params = params;
        err = record(plan, solver, equations);
    }
    free(equations);
    wzp_rq_solver_free(&solver);
    if (err != WZP_OK) {
        wzp_rq_plan_free(&plan);
        return err;
    }
    *out = plan;
    return WZP_OK;
}

void wzp_rq_plan_free(wzp_rq_plan **plan) {
    if (*plan != NULL) {
        free((*plan)->program.words);
        free(*plan);
        *plan = NULL;
    }
}

const wzp_rq_params *wzp_rq_plan_params(const wzp_rq_plan *plan) {
    return &plan->params;
}

size_t wzp_rq_plan_size(const wzp_rq_plan *plan) {
    return sizeof *plan + plan->program.cap * sizeof *plan->program.words;
}

struct wzp_rq_encoder {
    const wzp_rq_plan *plan;
    const wzp_octet_ops *ops;
    size_t cap_symbol_len;
    size_t symbol_len; /* 0: no block */
    size_t stride;     /* of intermediate symbols */
    uint8_t *intermediates, *scratch;
    uint8_t **table;   /* of rows while a block is loaded */
    uint8_t **symbols; /* of intermediate symbols after that */
};

/* Rows begin in cache lines of their own, and an odd number of lines apart, so that the same
 * stretch of many rows does not compete for one set of the cache. */
static size_t stride_of(size_t symbol_len) {
    const size_t lines = (symbol_len + 63) / 64;
    return (lines | 1) * 64;
}

wzp_err wzp_rq_encoder_new(wzp_rq_encoder **out, const wzp_rq_plan *plan, size_t cap_symbol_len) {
    if (cap_symbol_len == 0 || cap_symbol_len > SIZE_MAX / 2 / WZP_RQ_SOURCES_MAX) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    const wzp_rq_program *program = &plan->program;
    const size_t l = plan->params.l;
    wzp_rq_encoder *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return WZP_ERR_NOMEM;
    }
    *e = (wzp_rq_encoder){.plan = plan,
                          .ops = wzp_octet_best(),
                          .cap_symbol_len = cap_symbol_len,
                          .intermediates = malloc(l * stride_of(cap_symbol_len)),
                          .scratch = malloc((program->scratch + 1) * WZP_RQ_STRIPE),
                          .table =
                              malloc((program->inputs + l + program->scratch) * sizeof *e->table),
                          .symbols = malloc(l * sizeof *e->symbols)};
    if (e->intermediates == NULL || e->scratch == NULL || e->table == NULL || e->symbols == NULL) {
        wzp_rq_encoder_free(&e);
        return WZP_ERR_NOMEM;
    }
    *out = e;
    return WZP_OK;
}

void wzp_rq_encoder_free(wzp_rq_encoder **encoder) {
    wzp_rq_encoder *e = *encoder;
    if (e != NULL) {
        free(e->intermediates);
        free(e->scratch);
        free(e->table);
        free(e->symbols);
        free(e);
        *encoder = NULL;
    }
}

wzp_err wzp_rq_encoder_load(wzp_rq_encoder *e, const uint8_t *sources, size_t symbol_len) {
    if (symbol_len == 0 || symbol_len > e->cap_symbol_len) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    e->symbol_len = symbol_len;
    e->stride = stride_of(symbol_len);
    const wzp_rq_memory memory = {.table = e->table,
                                  .inputs = wzp_drop_const(sources), /* never written */
                                  .intermediates = e->intermediates,
                                  .scratch = e->scratch,
                                  .input_stride = symbol_len,
                                  .intermediate_stride = e->stride};
    wzp_rq_program_run(&e->plan->program, e->ops, &memory, symbol_len);
    for (size_t i = 0; i < e->plan->params.l; i++) {
        e->symbols[i] = e->intermediates + i * e->stride;
    }
    return WZP_OK;
}

wzp_err wzp_rq_encoder_symbol(wzp_rq_encoder *e, uint32_t esi, uint8_t *out, size_t len) {
    if (e->symbol_len == 0) {
        return WZP_ERR_PEER_STATE;
    }
    if (esi > WZP_RQ_ESI_MAX) {
        return WZP_ERR_FEC_SYMBOL_ID;
    }
    if (len != e->symbol_len) {
        return WZP_ERR_FEC_SYMBOL_SIZE;
    }
    const wzp_rq_params *p = &e->plan->params;
    uint32_t columns[WZP_RQ_COLUMNS_MAX];
    const size_t n = wzp_rq_columns(p, wzp_rq_isi(p, esi), columns);
    e->ops->sum(out, (const uint8_t *const *)e->symbols, columns, n, len);
    return WZP_OK;
}

wzp_bytes wzp_rq_encoder_intermediate(const wzp_rq_encoder *e, size_t i) {
    if (e->symbol_len == 0 || i >= e->plan->params.l) {
        return wzp_bytes_of(NULL, 0);
    }
    return wzp_bytes_of(e->intermediates + i * e->stride, e->symbol_len);
}
