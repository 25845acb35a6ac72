#include "fec/testing/twin.h"

#include <check.h>
#include <stdlib.h>

static uint8_t *entry(const twin *t, size_t row, size_t col) {
    return &t->matrix[row * t->params.l + col];
}

static void flip(const twin *t, size_t row, size_t col) {
    *entry(t, row, col) ^= 1;
}

static void write_ldpc(const twin *t) {
    const wzp_rq_params *p = &t->params;
    for (uint32_t i = 0; i < p->b; i++) {
        const uint32_t a = 1 + i / p->s;
        uint32_t r = i % p->s;
        for (int k = 0; k < 3; k++) {
            flip(t, r, i);
            r = (r + a) % p->s;
        }
    }
    for (uint32_t i = 0; i < p->s; i++) {
        flip(t, i, p->b + i);
        flip(t, i, p->w + i % p->p);
        flip(t, i, p->w + (i + 1) % p->p);
    }
}

static uint8_t power_of_2(uint32_t exponent) {
    uint8_t power = 1;
    for (exponent %= 255; exponent > 0; exponent--) {
        power = wzp_octet_mul(power, 2);
    }
    return power;
}

static uint8_t mt(const wzp_rq_params *p, uint32_t i, uint32_t j) {
    if (j == p->kp + p->s - 1) {
        return power_of_2(i);
    }
    const uint32_t a = wzp_rq_rand(j + 1, 6, p->h);
    const uint32_t b = (a + wzp_rq_rand(j + 1, 7, p->h - 1) + 1) % p->h;
    return i == a || i == b ? 1 : 0;
}

/* The product of MT and GAMMA, then the identity. */
static void write_hdpc(const twin *t) {
    const wzp_rq_params *p = &t->params;
    const uint32_t n = p->kp + p->s;
    uint8_t powers[255];
    for (uint32_t e = 0; e < 255; e++) {
        powers[e] = power_of_2(e);
    }
    for (uint32_t i = 0; i < p->h; i++) {
        for (uint32_t j = 0; j < n; j++) {
            const uint8_t factor = mt(p, i, j);
            for (uint32_t c = 0; factor != 0 && c <= j; c++) {
                *entry(t, p->s + i, c) ^= wzp_octet_mul(factor, powers[(j - c) % 255]);
            }
        }
        flip(t, p->s + i, n + i);
    }
}

void twin_init(twin *t, const wzp_rq_params *p, const wzp_rq_equation *equations, size_t n,
               const uint8_t *inputs, size_t symbol_len) {
    const size_t first = p->s + p->h;
    *t = (twin){.params = *p, .rows = first + n, .symbol_len = symbol_len};
    t->matrix = calloc(t->rows, p->l);
    t->symbols = calloc(t->rows, symbol_len);
    ck_assert(t->matrix != NULL && t->symbols != NULL);
    write_ldpc(t);
    write_hdpc(t);
    for (size_t i = 0; i < n; i++) {
        uint32_t columns[WZP_RQ_COLUMNS_MAX];
        const size_t count = wzp_rq_columns(p, equations[i].isi, columns);
        for (size_t k = 0; k < count; k++) {
            flip(t, first + i, columns[k]);
        }
        if (equations[i].input != WZP_RQ_NONE) {
            memcpy(t->symbols + (first + i) * symbol_len, inputs + equations[i].input * symbol_len,
                   symbol_len);
        }
    }
}

void twin_clear(twin *t) {
    free(t->matrix);
    free(t->symbols);
}

static void swap(uint8_t *a, uint8_t *b, size_t len) {
    for (size_t i = 0; i < len; i++) {
        const uint8_t octet = a[i];
        a[i] = b[i];
        b[i] = octet;
    }
}

static void scale(uint8_t *row, uint8_t factor, size_t len) {
    for (size_t i = 0; i < len; i++) {
        row[i] = wzp_octet_mul(row[i], factor);
    }
}

static void add_scaled(uint8_t *to, const uint8_t *from, uint8_t factor, size_t len) {
    const uint8_t *products = wzp_octet_nibbles[factor];
    for (size_t i = 0; i < len; i++) {
        to[i] ^= products[from[i] & 15] ^ products[16 + (from[i] >> 4)];
    }
}

static uint8_t *symbol(const twin *t, size_t row) {
    return t->symbols + row * t->symbol_len;
}

bool twin_solve(twin *t) {
    const size_t l = t->params.l;
    for (size_t col = 0; col < l; col++) {
        size_t found = col;
        while (found < t->rows && *entry(t, found, col) == 0) {
            found++;
        }
        if (found == t->rows) {
            return false;
        }
        if (found != col) {
            swap(entry(t, found, 0), entry(t, col, 0), l);
            swap(symbol(t, found), symbol(t, col), t->symbol_len);
        }
        const uint8_t inverse = wzp_octet_inverse(*entry(t, col, col));
        scale(entry(t, col, 0), inverse, l);
        scale(symbol(t, col), inverse, t->symbol_len);
        for (size_t row = 0; row < t->rows; row++) {
            const uint8_t factor = *entry(t, row, col);
            if (row != col && factor != 0) {
                add_scaled(entry(t, row, col), entry(t, col, col), factor, l - col);
                add_scaled(symbol(t, row), symbol(t, col), factor, t->symbol_len);
            }
        }
    }
    return true;
}

void twin_symbol(const twin *t, uint32_t isi, uint8_t *out) {
    uint32_t columns[WZP_RQ_COLUMNS_MAX];
    const size_t n = wzp_rq_columns(&t->params, isi, columns);
    memset(out, 0, t->symbol_len);
    for (size_t i = 0; i < n; i++) {
        add_scaled(out, symbol(t, columns[i]), 1, t->symbol_len);
    }
}
