#include "fec/octet.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"

/* Schoolbook product: shift, and subtract the polynomial when a bit leaves. */
static uint8_t slow_mul(unsigned a, unsigned b) {
    unsigned product = 0;
    for (int bit = 0; bit < 8; bit++) {
        product ^= ((b >> bit) & 1) != 0 ? a : 0;
        a = (a << 1) ^ ((a & 0x80) != 0 ? 0x11d : 0);
    }
    return (uint8_t)product;
}

START_TEST(products_are_those_of_the_field) {
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t got = wzp_octet_mul((uint8_t)a, (uint8_t)b);
            ck_assert_msg(got == slow_mul(a, b), "%u * %u: got %u", a, b, got);
        }
    }
}
END_TEST

START_TEST(inverses) {
    for (unsigned a = 1; a < 256; a++) {
        const uint8_t inverse = wzp_octet_inverse((uint8_t)a);
        ck_assert_msg(slow_mul(a, inverse) == 1, "1 / %u: got %u", a, inverse);
    }
}
END_TEST

enum { ROWS = 12, LEN_MAX = 300 };

/* Rows of exactly `len` octets each, at odd addresses, so that sanitizers see a step too far. */
typedef struct table {
    uint8_t *rows[ROWS];
    size_t len;
} table;

static void fill(table *t, size_t len, wzp_rng rng) {
    t->len = len;
    for (size_t i = 0; i < ROWS; i++) {
        t->rows[i] = malloc(len + 1);
        ck_assert_ptr_nonnull(t->rows[i]);
        t->rows[i]++;
        wzp_rng_fill(rng, t->rows[i], len);
    }
}

static void copy(table *to, const table *from) {
    to->len = from->len;
    for (size_t i = 0; i < ROWS; i++) {
        to->rows[i] = malloc(from->len + 1);
        ck_assert_ptr_nonnull(to->rows[i]);
        memcpy(++to->rows[i], from->rows[i], from->len);
    }
}

static void clear(table *t) {
    for (size_t i = 0; i < ROWS; i++) {
        free(t->rows[i] - 1);
    }
}

static void slow_weighted(table *t, size_t dst, const uint32_t *terms, size_t n) {
    for (size_t at = 0; at < t->len; at++) {
        uint8_t octet = 0;
        for (size_t i = 0; i < n; i++) {
            octet ^= slow_mul(terms[i] >> 24, t->rows[terms[i] & WZP_OCTET_TERM_ROW][at]);
        }
        t->rows[dst][at] = octet;
    }
}

static void slow_spread(table *t, size_t in) {
    for (size_t at = 0; at < t->len; at++) {
        uint8_t *acc = &t->rows[0][at];
        *acc = slow_mul(*acc, 2) ^ (in < ROWS ? t->rows[in][at] : 0);
        t->rows[1][at] ^= *acc;
        t->rows[2][at] ^= *acc;
    }
}

static void is_equal(const char *ops, const char *what, const table *got, const table *want) {
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert_msg(memcmp(got->rows[i], want->rows[i], got->len) == 0,
                      "%s, %s of %zu octets: row %zu differs", ops, what, got->len, i);
    }
}

static const uint8_t *const *const_rows(const table *t) {
    return (const uint8_t *const *)t->rows;
}

static void compare_one(const wzp_octet_ops *ops, size_t len, wzp_rng rng) {
    table got;
    table want;
    uint32_t terms[ROWS];
    uint32_t weighted[ROWS];
    fill(&got, len, rng);
    copy(&want, &got);
    const size_t n = wzp_rng_below(rng, ROWS + 1);
    for (size_t i = 0; i < n; i++) {
        terms[i] = (uint32_t)wzp_rng_below(rng, ROWS);
        weighted[i] = terms[i] | (uint32_t)wzp_rng_below(rng, 256) << 24;
    }
    ops->weighted_sum(got.rows[3], const_rows(&got), weighted, n, len);
    slow_weighted(&want, 3, weighted, n);
    is_equal(ops->name, "weighted sum", &got, &want);
    ops->sum(got.rows[4], const_rows(&got), terms, n, len);
    for (size_t i = 0; i < n; i++) {
        terms[i] |= UINT32_C(1) << 24;
    }
    slow_weighted(&want, 4, terms, n);
    is_equal(ops->name, "sum", &got, &want);
    const size_t in = 5 + wzp_rng_below(rng, ROWS - 4); /* ROWS: none */
    ops->spread(got.rows[0], in < ROWS ? got.rows[in] : NULL, got.rows[1], got.rows[2], len);
    slow_spread(&want, in);
    is_equal(ops->name, "spread", &got, &want);
    clear(&got);
    clear(&want);
}

START_TEST(all_implementations_agree_with_the_schoolbook) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "octets");
    const wzp_rng rng = wzp_prng_rng(&prng);
    ck_assert_ptr_nonnull(wzp_octet_nth(0));
    ck_assert_str_eq(wzp_octet_nth(0)->name, "portable");
    for (size_t i = 0; wzp_octet_nth(i) != NULL; i++) {
        for (size_t len = 0; len <= LEN_MAX; len++) {
            compare_one(wzp_octet_nth(i), len, rng);
        }
    }
}
END_TEST

START_TEST(the_best_is_the_last) {
    size_t n = 0;
    while (wzp_octet_nth(n) != NULL) {
        n++;
    }
    ck_assert_ptr_eq(wzp_octet_best(), wzp_octet_nth(n - 1));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("octet");
    tcase_add_test(tc, products_are_those_of_the_field);
    tcase_add_test(tc, inverses);
    tcase_add_test(tc, all_implementations_agree_with_the_schoolbook);
    tcase_add_test(tc, the_best_is_the_last);
    return wzp_run_suite("octet", tc);
}
