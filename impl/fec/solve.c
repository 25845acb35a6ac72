#include "fec/solve.h"

#include <assert.h>
#include <stdlib.h>

#include "fec/solve_internal.h"

/* Idle columns that are reserved for: all there can be in small blocks; in large ones random
 * symbols set P and about as many again aside. */
static size_t idle_cap(const wzp_rq_params *p) {
    const size_t usual = 2 * (size_t)p->p + 512;
    return usual < p->l ? usual : p->l;
}

static size_t words_of(size_t bits) {
    return (bits + 63) / 64;
}

/* Each sum has a head of two words, and an input beside its terms. */
static size_t program_cap(const wzp_rq_solver *s, const wzp_rq_params *p) {
    const size_t sparse = 2 * (s->cap_cols + 3 * s->cap_rows) + 3 * (size_t)p->l;
    const size_t spread = 5 * (size_t)p->l + 64 * (size_t)p->h;
    const size_t bits = s->cap_idle * (2 + s->cap_rest) + s->cap_idle * (3 + (size_t)p->h);
    const size_t dense = p->h * (4 + s->cap_idle + p->h);
    const size_t outputs = (size_t)p->k * (WZP_RQ_COLUMNS_MAX + 2);
    return sparse + spread + bits + dense + outputs;
}

/* Carves arrays out of one allocation; with memory NULL it only counts. */
typedef struct arena {
    uint8_t *memory;
    size_t used;
} arena;

static void *carve(arena *a, size_t count, size_t size) {
    void *at = a->memory != NULL ? a->memory + a->used : NULL;
    a->used += (count * size + 15) & ~(size_t)15;
    return at;
}

static void lay_out(wzp_rq_solver *s, const wzp_rq_params *p, arena *a) {
    const size_t n = s->cap_rows;
    s->row_at = carve(a, n + 1, sizeof *s->row_at);
    s->cols = carve(a, s->cap_cols, sizeof *s->cols);
    s->input = carve(a, n, sizeof *s->input);
    s->degree = carve(a, n, sizeof *s->degree);
    s->next = carve(a, n, sizeof *s->next);
    s->prev = carve(a, n, sizeof *s->prev);
    s->heads = carve(a, WZP_RQ_DEGREE_CAP + 1, sizeof *s->heads);
    s->col_at = carve(a, (size_t)p->l + 1, sizeof *s->col_at);
    s->col_rows = carve(a, s->cap_cols, sizeof *s->col_rows);
    s->place = carve(a, p->l, sizeof *s->place);
    s->group = carve(a, p->l, sizeof *s->group);
    s->group_size = carve(a, p->l, sizeof *s->group_size);
    s->pairs = carve(a, n, sizeof *s->pairs);
    s->peeled = carve(a, p->l, sizeof *s->peeled);
    s->value = carve(a, p->l, sizeof *s->value);
    s->bits = carve(a, p->l * words_of(s->cap_idle), sizeof *s->bits);
    s->idle = carve(a, s->cap_idle, sizeof *s->idle);
    s->pivot = carve(a, s->cap_idle, sizeof *s->pivot);
    s->reduced = carve(a, s->cap_idle, sizeof *s->reduced);
    s->free = carve(a, s->cap_idle, sizeof *s->free);
    s->rest = carve(a, s->cap_rest, sizeof *s->rest);
    s->rest_value = carve(a, s->cap_rest, sizeof *s->rest_value);
    s->rest_bits = carve(a, s->cap_rest * (words_of(s->cap_idle) + words_of(s->cap_rest)),
                         sizeof *s->rest_bits);
    s->dense = carve(a, (p->h + 2) * s->cap_idle, 1);
    s->program.words = carve(a, s->program.cap, sizeof *s->program.words);
}

wzp_rq_solver *wzp_rq_solver_new(uint32_t cap_sources, uint32_t cap_extra) {
    wzp_rq_params p;
    wzp_rq_solver *s = calloc(1, sizeof *s);
    if (s == NULL || wzp_rq_params_of(&p, cap_sources) != WZP_OK) {
        free(s);
        return NULL;
    }
    const size_t equations = (size_t)p.kp + cap_extra;
    s->cap_k = p.kp;
    s->cap_equations = equations;
    s->cap_rows = equations + p.s;
    s->cap_cols = equations * WZP_RQ_COLUMNS_MAX + 3 * ((size_t)p.b + p.s);
    s->cap_idle = idle_cap(&p);
    s->cap_rest = s->cap_idle + cap_extra;
    s->program.cap = program_cap(s, &p);
    arena a = {0};
    lay_out(s, &p, &a);
    s->size = a.used;
    s->memory = malloc(a.used);
    if (s->memory == NULL) {
        free(s);
        return NULL;
    }
    a = (arena){.memory = s->memory};
    lay_out(s, &p, &a);
    s->ops = wzp_octet_best();
    s->cap_scratch = 1 + (size_t)p.h + s->cap_rest + s->cap_idle;
    return s;
}

void wzp_rq_solver_free(wzp_rq_solver **solver) {
    if (*solver != NULL) {
        free((*solver)->memory);
        free(*solver);
        *solver = NULL;
    }
}

size_t wzp_rq_solver_size(const wzp_rq_solver *s) {
    return sizeof *s + s->size;
}

size_t wzp_rq_solver_scratch(const wzp_rq_solver *s) {
    return s->cap_scratch;
}

uint32_t wzp_rq_solver_idle(const wzp_rq_solver *s) {
    return s->idle_count;
}

/* --- the rows --------------------------------------------------------------------------------- */

static void add_row(wzp_rq_solver *s, uint32_t input) {
    s->input[s->row_count++] = input;
    s->row_at[s->row_count] = s->row_at[s->row_count - 1];
}

static void add_col(wzp_rq_solver *s, uint32_t col) {
    s->cols[s->row_at[s->row_count]++] = col;
}

/* RFC 6330, 5.3.3.3: column i of the circulants has rows r, r + a and r + 2a.  So row r has it when
 * i is one of three in each run of S columns. */
static void add_ldpc_row(wzp_rq_solver *s, uint32_t row) {
    const wzp_rq_params *p = &s->params;
    add_row(s, WZP_RQ_NONE);
    for (uint32_t first = 0, a = 1; first < p->b; first += p->s, a++) {
        for (uint32_t step = 0; step < 3; step++) {
            const uint32_t i = first + (row + p->s * 2 - step * a % p->s) % p->s;
            if (i < p->b) {
                add_col(s, i);
            }
        }
    }
    add_col(s, p->b + row);
    add_col(s, p->w + row % p->p);
    add_col(s, p->w + (row + 1) % p->p);
}

static void build_rows(wzp_rq_solver *s, const wzp_rq_equation *equations, size_t n) {
    s->row_count = 0;
    s->row_at[0] = 0;
    for (uint32_t row = 0; row < s->params.s; row++) {
        add_ldpc_row(s, row);
    }
    for (size_t i = 0; i < n; i++) {
        add_row(s, equations[i].input);
        uint32_t *end = &s->row_at[s->row_count];
        *end += (uint32_t)wzp_rq_columns(&s->params, equations[i].isi, s->cols + *end);
    }
}

wzp_err wzp_rq_solve(wzp_rq_solver *s, const wzp_rq_params *params,
                     const wzp_rq_equation *equations, size_t n, uint32_t inputs,
                     const wzp_rq_program **out) {
    assert(params->kp <= s->cap_k && n >= params->kp && n <= s->cap_equations);
    s->params = *params;
    wzp_rq_program_reset(&s->program, inputs, params->l);
    build_rows(s, equations, n);
    if (!wzp_rq_peel(s) || !wzp_rq_reduce(s)) {
        return WZP_ERR_FEC_RANK;
    }
    *out = &s->program;
    return WZP_OK;
}

void wzp_rq_solver_output(wzp_rq_solver *s, uint32_t isi, uint32_t input) {
    uint32_t columns[WZP_RQ_COLUMNS_MAX];
    const size_t n = wzp_rq_columns(&s->params, isi, columns);
    wzp_rq_program_begin(&s->program);
    for (size_t i = 0; i < n; i++) {
        wzp_rq_program_term(&s->program, s->program.inputs + columns[i]);
    }
    wzp_rq_program_end_in(&s->program, input);
}
