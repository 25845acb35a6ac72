/* Phases 2 to 5 of the solver. */
#include <assert.h>

#include "fec/solve_internal.h"

enum { H_MAX = 16 }; /* dense rows: the table has 10 to 16 */

static uint32_t intermediate(const wzp_rq_solver *s, uint32_t col) {
    return s->program.inputs + col;
}

static bool bit(const uint64_t *bits, uint32_t i) {
    return ((bits[i / 64] >> (i % 64)) & 1) != 0;
}

static void flip(uint64_t *bits, uint32_t i) {
    bits[i / 64] ^= UINT64_C(1) << (i % 64);
}

static void add_bits(uint64_t *to, const uint64_t *from, size_t words) {
    for (size_t i = 0; i < words; i++) {
        to[i] ^= from[i];
    }
}

static uint64_t *bits_of(const wzp_rq_solver *s, uint32_t k) {
    return s->bits + k * s->bits_words;
}

static uint64_t *rest_bits_of(const wzp_rq_solver *s, uint32_t i) {
    return s->rest_bits + i * s->rest_words;
}

/* Adds up a row's input and its peeled columns, but for `own`; what is idle goes into bits. */
static uint32_t sum_row(wzp_rq_solver *s, uint32_t row, uint32_t own, uint64_t *bits,
                        uint32_t dst) {
    wzp_rq_program_begin(&s->program);
    wzp_rq_program_term(&s->program, s->input[row]);
    for (uint32_t i = s->row_at[row]; i < s->row_at[row + 1]; i++) {
        const uint32_t col = s->cols[i];
        const wzp_rq_place place = s->place[col];
        if (place.state == WZP_RQ_IDLE) {
            flip(bits, place.index);
        } else if (col != own) {
            wzp_rq_program_term(&s->program, s->value[place.index]);
            add_bits(bits, bits_of(s, place.index), s->bits_words);
        }
    }
    return wzp_rq_program_end(&s->program, dst);
}

/* Values of peeled columns but for what idle ones add: a row needs those peeled before it. */
static void sum_peeled(wzp_rq_solver *s) {
    s->bits_words = (s->idle_count + 63) / 64;
    memset(s->bits, 0, s->peeled_count * s->bits_words * sizeof *s->bits);
    for (uint32_t k = 0; k < s->peeled_count; k++) {
        const wzp_rq_peeled at = s->peeled[k];
        s->value[k] = sum_row(s, at.row, at.col, bits_of(s, k), intermediate(s, at.col));
    }
}

static void sum_rest(wzp_rq_solver *s) {
    s->rest_words = s->bits_words + (s->rest_count + 63) / 64;
    memset(s->rest_bits, 0, s->rest_count * s->rest_words * sizeof *s->rest_bits);
    for (uint32_t i = 0; i < s->rest_count; i++) {
        const uint32_t dst = wzp_rq_program_row(&s->program);
        s->rest_value[i] = sum_row(s, s->rest[i], WZP_RQ_NONE, rest_bits_of(s, i), dst);
        flip(rest_bits_of(s, i) + s->bits_words, i);
    }
}

static void swap_rest(wzp_rq_solver *s, uint32_t a, uint32_t b) {
    uint64_t *x = rest_bits_of(s, a);
    uint64_t *y = rest_bits_of(s, b);
    for (size_t i = 0; a != b && i < s->rest_words; i++) {
        const uint64_t word = x[i];
        x[i] = y[i];
        y[i] = word;
    }
}

/* Gauss and Jordan over the bits.  Behind the bits of a row are those of the rows it was made of.
 */
static void reduce_rest(wzp_rq_solver *s) {
    s->rank = 0;
    s->free_count = 0;
    for (uint32_t col = 0; col < s->idle_count; col++) {
        uint32_t found = s->rank;
        while (found < s->rest_count && !bit(rest_bits_of(s, found), col)) {
            found++;
        }
        if (found == s->rest_count) {
            s->free[s->free_count++] = col;
            continue;
        }
        swap_rest(s, found, s->rank);
        for (uint32_t i = 0; i < s->rest_count; i++) {
            if (i != s->rank && bit(rest_bits_of(s, i), col)) {
                add_bits(rest_bits_of(s, i), rest_bits_of(s, s->rank), s->rest_words);
            }
        }
        s->pivot[s->rank++] = col;
    }
}

static void sum_reduced(wzp_rq_solver *s) {
    for (uint32_t r = 0; r < s->rank; r++) {
        const uint64_t *made_of = rest_bits_of(s, r) + s->bits_words;
        wzp_rq_program_begin(&s->program);
        for (uint32_t i = 0; i < s->rest_count; i++) {
            if (bit(made_of, i)) {
                wzp_rq_program_term(&s->program, s->rest_value[i]);
            }
        }
        s->reduced[r] = wzp_rq_program_end(&s->program, wzp_rq_program_row(&s->program));
    }
}

/* --- the dense rows --------------------------------------------------------------------------- */

static uint8_t *dense_row(const wzp_rq_solver *s, uint32_t i) {
    return s->dense + (size_t)i * s->idle_count;
}

/* What the column adds to the accumulator: as a value returned, as coefficients in `in`. */
static uint32_t column_part(const wzp_rq_solver *s, uint32_t col, uint8_t *in) {
    const wzp_rq_place place = s->place[col];
    memset(in, 0, s->idle_count);
    if (place.state == WZP_RQ_IDLE) {
        in[place.index] = 1;
        return WZP_RQ_NONE;
    }
    const uint64_t *bits = bits_of(s, place.index);
    for (size_t w = 0; w < s->bits_words; w++) {
        for (uint64_t left = bits[w]; left != 0; left &= left - 1) {
            in[w * 64 + (size_t)__builtin_ctzll(left)] = 1;
        }
    }
    return s->value[place.index];
}

/* Number of the operand of dense row i. */
static uint32_t dense_operand(uint32_t acc, uint32_t i) {
    return acc + 1 + i;
}

/* RFC 6330, 5.3.3.3.  Column j of MT has its ones in two rows, the last column the powers of 2. */
static uint32_t spread_columns(wzp_rq_solver *s) {
    const wzp_rq_params *p = &s->params;
    const uint32_t last = p->kp + p->s - 1;
    const uint32_t h = p->h;
    assert(h > 1 && h <= H_MAX);
    uint8_t *acc = dense_row(s, h);
    uint8_t *in = dense_row(s, h + 1);
    const uint32_t first = wzp_rq_program_row(&s->program);
    for (uint32_t i = 0; i <= h; i++) {
        wzp_rq_program_begin(&s->program);
        wzp_rq_program_end_in(&s->program, i < h ? wzp_rq_program_row(&s->program) : first);
    }
    memset(s->dense, 0, (size_t)(h + 1) * s->idle_count);
    for (uint32_t j = 0; j < last; j++) {
        const uint32_t a = wzp_rq_rand(j + 1, 6, h);
        const uint32_t b = (a + wzp_rq_rand(j + 1, 7, h - 1) + 1) % h;
        const uint32_t value = column_part(s, j, in);
        s->ops->spread(acc, in, dense_row(s, a), dense_row(s, b), s->idle_count);
        wzp_rq_program_spread(&s->program, first, value, dense_operand(first, a),
                              dense_operand(first, b));
    }
    const uint32_t value = column_part(s, last, in);
    wzp_rq_program_begin(&s->program);
    wzp_rq_program_weighted_term(&s->program, first, 2);
    wzp_rq_program_weighted_term(&s->program, value, 1);
    wzp_rq_program_weighted_end(&s->program, first);
    uint8_t power = 1;
    for (uint32_t i = 0; i < h; i++, power = wzp_octet_mul(power, 2)) {
        uint8_t *row = dense_row(s, i);
        for (uint32_t k = 0; k < s->idle_count; k++) {
            row[k] ^= wzp_octet_mul(power, wzp_octet_mul(acc[k], 2) ^ in[k]);
        }
        row[s->place[p->kp + p->s + i].index] ^= 1;
    }
    return first;
}

/* Columns that reduced rows give are replaced in the dense rows by the free columns of those. */
static void eliminate_reduced(wzp_rq_solver *s) {
    for (uint32_t i = 0; i < s->params.h; i++) {
        uint8_t *row = dense_row(s, i);
        for (uint32_t r = 0; r < s->rank; r++) {
            const uint8_t factor = row[s->pivot[r]];
            const uint64_t *bits = rest_bits_of(s, r);
            for (uint32_t f = 0; factor != 0 && f < s->free_count; f++) {
                row[s->free[f]] ^= bit(bits, s->free[f]) ? factor : 0;
            }
        }
    }
}

/* Which dense rows the free columns are made of: column f is the sum of inverse[f][i] times row i.
 */
typedef struct dense_inverse {
    uint8_t of[H_MAX][H_MAX];
    bool is_used[H_MAX]; /* rows */
} dense_inverse;

/* Left: coefficients of the free columns; right: the rows that they were made of. */
typedef struct dense_system {
    uint8_t row[H_MAX][2 * H_MAX];
} dense_system;

static void scale_row(uint8_t *row, uint8_t factor) {
    for (size_t i = 0; i < 2 * (size_t)H_MAX; i++) {
        row[i] = wzp_octet_mul(row[i], factor);
    }
}

static void add_scaled(uint8_t *row, const uint8_t *from, uint8_t factor) {
    for (size_t i = 0; factor != 0 && i < 2 * (size_t)H_MAX; i++) {
        row[i] ^= wzp_octet_mul(from[i], factor);
    }
}

static bool invert(dense_system *system, uint32_t rows, uint32_t cols, uint32_t *row_of) {
    bool is_taken[H_MAX] = {false};
    for (uint32_t f = 0; f < cols; f++) {
        uint32_t found = 0;
        while (found < rows && (is_taken[found] || system->row[found][f] == 0)) {
            found++;
        }
        if (found == rows) {
            return false;
        }
        is_taken[found] = true;
        row_of[f] = found;
        scale_row(system->row[found], wzp_octet_inverse(system->row[found][f]));
        for (uint32_t i = 0; i < rows; i++) {
            if (i != found) {
                add_scaled(system->row[i], system->row[found], system->row[i][f]);
            }
        }
    }
    return true;
}

static bool solve_dense(const wzp_rq_solver *s, dense_inverse *out) {
    const uint32_t h = s->params.h;
    dense_system system = {{{0}}};
    uint32_t row_of[H_MAX];
    *out = (dense_inverse){{{0}}, {false}};
    for (uint32_t i = 0; i < h; i++) {
        for (uint32_t f = 0; f < s->free_count; f++) {
            system.row[i][f] = dense_row(s, i)[s->free[f]];
        }
        system.row[i][H_MAX + i] = 1;
    }
    if (!invert(&system, h, s->free_count, row_of)) {
        return false;
    }
    for (uint32_t f = 0; f < s->free_count; f++) {
        for (uint32_t i = 0; i < h; i++) {
            out->of[f][i] = system.row[row_of[f]][H_MAX + i];
            out->is_used[i] = out->is_used[i] || out->of[f][i] != 0;
        }
    }
    return true;
}

/* Values of the dense rows without what the reduced rows give, then of the free columns. */
static void sum_free(wzp_rq_solver *s, const dense_inverse *inverse, uint32_t acc) {
    wzp_rq_program *program = &s->program;
    uint8_t power = 1;
    for (uint32_t i = 0; i < s->params.h; i++, power = wzp_octet_mul(power, 2)) {
        if (!inverse->is_used[i]) {
            continue;
        }
        wzp_rq_program_begin(program);
        wzp_rq_program_weighted_term(program, dense_operand(acc, i), 1);
        wzp_rq_program_weighted_term(program, acc, power);
        for (uint32_t r = 0; r < s->rank; r++) {
            wzp_rq_program_weighted_term(program, s->reduced[r], dense_row(s, i)[s->pivot[r]]);
        }
        wzp_rq_program_weighted_end(program, dense_operand(acc, i));
    }
    for (uint32_t f = 0; f < s->free_count; f++) {
        wzp_rq_program_begin(program);
        for (uint32_t i = 0; i < s->params.h; i++) {
            wzp_rq_program_weighted_term(program, dense_operand(acc, i), inverse->of[f][i]);
        }
        wzp_rq_program_weighted_end(program, intermediate(s, s->idle[s->free[f]]));
    }
}

/* Idle columns with a row, then the peeled ones from their own rows: all else in those is known. */
static void sum_back(wzp_rq_solver *s) {
    wzp_rq_program *program = &s->program;
    for (uint32_t r = 0; r < s->rank; r++) {
        wzp_rq_program_begin(program);
        wzp_rq_program_term(program, s->reduced[r]);
        for (uint32_t f = 0; f < s->free_count; f++) {
            if (bit(rest_bits_of(s, r), s->free[f])) {
                wzp_rq_program_term(program, intermediate(s, s->idle[s->free[f]]));
            }
        }
        wzp_rq_program_end_in(program, intermediate(s, s->idle[s->pivot[r]]));
    }
    for (uint32_t k = 0; k < s->peeled_count; k++) {
        const wzp_rq_peeled at = s->peeled[k];
        wzp_rq_program_begin(program);
        wzp_rq_program_term(program, s->input[at.row]);
        for (uint32_t i = s->row_at[at.row]; i < s->row_at[at.row + 1]; i++) {
            if (s->cols[i] != at.col) {
                wzp_rq_program_term(program, intermediate(s, s->cols[i]));
            }
        }
        wzp_rq_program_end_in(program, intermediate(s, at.col));
    }
}

bool wzp_rq_reduce(wzp_rq_solver *s) {
    dense_inverse inverse;
    if (s->rest_count + s->params.h < s->idle_count) {
        return false;
    }
    sum_peeled(s);
    sum_rest(s);
    reduce_rest(s);
    if (s->free_count > s->params.h) {
        return false;
    }
    const uint32_t acc = spread_columns(s);
    eliminate_reduced(s);
    if (!solve_dense(s, &inverse)) {
        return false;
    }
    sum_reduced(s);
    sum_free(s, &inverse, acc);
    sum_back(s);
    return true;
}
