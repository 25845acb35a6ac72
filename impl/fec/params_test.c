#include "fec/params.h"

#include <check.h>
#include <jansson.h>

#include "base/testing/suite.h"
#include "fec/solve_internal.h"
#include "fec/tables.h"

static json_t *load(const char *path) {
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error);
    ck_assert_msg(file != NULL, "%s:%d: %s", path, error.line, error.text);
    return file;
}

static uint64_t number(const json_t *list, size_t i) {
    return (uint64_t)json_integer_value(json_array_get(list, i));
}

START_TEST(tables_are_those_of_the_file) {
    json_t *file = load(WZP_VECTORS_DIR "/rfc6330.json");
    static const char *const names[] = {"V0", "V1", "V2", "V3"};
    for (size_t v = 0; v < WZP_COUNT_OF(names); v++) {
        const json_t *list = json_object_get(file, names[v]);
        ck_assert_uint_eq(json_array_size(list), 256);
        for (size_t i = 0; i < 256; i++) {
            ck_assert_uint_eq(wzp_rq_random[v][i], number(list, i));
        }
    }
    const json_t *degrees = json_object_get(file, "degree");
    ck_assert_uint_eq(json_array_size(degrees), WZP_RQ_DEGREES + 1);
    for (size_t i = 0; i <= WZP_RQ_DEGREES; i++) {
        ck_assert_uint_eq(wzp_rq_degree[i], number(degrees, i));
    }
    const json_t *rows = json_object_get(file, "systematic");
    ck_assert_uint_eq(json_array_size(rows), WZP_RQ_ROWS);
    for (size_t i = 0; i < WZP_RQ_ROWS; i++) {
        const wzp_rq_row *row = &wzp_rq_systematic[i];
        const json_t *want = json_array_get(rows, i);
        const uint64_t got[] = {row->source_count, row->j, row->s, row->h, row->w};
        for (size_t k = 0; k < WZP_COUNT_OF(got); k++) {
            ck_assert_msg(got[k] == number(want, k), "row %zu, number %zu", i, k);
        }
    }
    json_decref(file);
}
END_TEST

static bool is_prime(uint32_t n) {
    for (uint32_t d = 2; d * d <= n; d++) {
        if (n % d == 0) {
            return false;
        }
    }
    return n > 1;
}

/* A solver for many symbols also has room for few. */
START_TEST(sizes_grow_with_the_block) {
    for (size_t i = 1; i < WZP_RQ_ROWS; i++) {
        wzp_rq_params a;
        wzp_rq_params b;
        ck_assert_int_eq(wzp_rq_params_of(&a, wzp_rq_systematic[i - 1].source_count), WZP_OK);
        ck_assert_int_eq(wzp_rq_params_of(&b, wzp_rq_systematic[i].source_count), WZP_OK);
        ck_assert_msg(a.s <= b.s && a.h <= b.h && a.w <= b.w && a.l <= b.l && a.p <= b.p &&
                          a.b <= b.b,
                      "row %zu", i);
        ck_assert_uint_le(3 * ((size_t)b.b / b.s + 1) + 3, WZP_RQ_DEGREE_CAP);
    }
}
END_TEST

START_TEST(what_the_code_relies_on_in_the_table) {
    for (size_t i = 0; i < WZP_RQ_ROWS; i++) {
        const wzp_rq_row *row = &wzp_rq_systematic[i];
        wzp_rq_params p;
        ck_assert_int_eq(wzp_rq_params_of(&p, row->source_count), WZP_OK);
        ck_assert_uint_eq(p.kp, row->source_count);
        ck_assert(i == 0 || row->source_count > row[-1].source_count);
        ck_assert_msg(is_prime(p.s) && is_prime(p.w) && is_prime(p.p1), "row %zu", i);
        ck_assert_msg(p.p >= p.h && p.p1 >= p.p && p.l < (1U << 17), "row %zu", i);
        /* LDPC rows: no step of the circulants is a multiple of S. */
        ck_assert_msg(1 + (p.b - 1) / p.s < p.s, "row %zu", i);
    }
}
END_TEST

static const struct size_case {
    const char *name;
    size_t source_count;
    wzp_err want;
    uint32_t kp;
} size_cases[] = {
    {"none", 0, WZP_ERR_FEC_BLOCK_SIZE, 0},
    {"one", 1, WZP_OK, 10},
    {"first row filled", 10, WZP_OK, 10},
    {"second row", 11, WZP_OK, 12},
    {"last row but one", 55843, WZP_OK, 55843},
    {"last row begins", 55844, WZP_OK, 56403},
    {"last row filled", 56403, WZP_OK, 56403},
    {"one too many", 56404, WZP_ERR_FEC_BLOCK_SIZE, 0},
    {"very many", SIZE_MAX, WZP_ERR_FEC_BLOCK_SIZE, 0},
};

START_TEST(block_sizes) {
    const struct size_case *c = &size_cases[_i];
    wzp_rq_params p = {.kp = 0};
    const wzp_err got = wzp_rq_params_of(&p, c->source_count);
    ck_assert_msg(got == c->want, "%s: got %s", c->name, wzp_err_name(got));
    ck_assert_msg(p.kp == c->kp, "%s: K' %u", c->name, p.kp);
}
END_TEST

static uint32_t member(const json_t *object, const char *key) {
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

START_TEST(random_numbers_sizes_and_tuples_of_the_vectors) {
    json_t *file = load(WZP_VECTORS_DIR "/media.json");
    const json_t *internals = json_object_get(file, "rfc6330_internals");
    size_t i = 0;
    const json_t *e = NULL;
    json_array_foreach(json_object_get(internals, "rand"), i, e) {
        ck_assert_uint_eq(wzp_rq_rand(member(e, "y"), member(e, "i"), member(e, "m")),
                          member(e, "value"));
    }
    ck_assert_uint_gt(i, 0);
    json_array_foreach(json_object_get(internals, "params"), i, e) {
        wzp_rq_params p;
        ck_assert_int_eq(wzp_rq_params_of(&p, member(e, "K")), WZP_OK);
        const uint32_t got[] = {p.kp, p.j, p.s, p.h, p.w, p.l, p.p, p.p1, p.p - p.h, p.b};
        static const char *const keys[] = {"Kprime", "J", "S", "H", "W", "L", "P", "P1", "U", "B"};
        for (size_t k = 0; k < WZP_COUNT_OF(keys); k++) {
            ck_assert_msg(got[k] == member(e, keys[k]), "K %u: %s is %u", p.k, keys[k], got[k]);
        }
    }
    ck_assert_uint_gt(i, 0);
    wzp_rq_params p;
    ck_assert_int_eq(wzp_rq_params_of(&p, 10), WZP_OK);
    json_array_foreach(json_object_get(internals, "tuples_Kprime10"), i, e) {
        const uint32_t x = member(e, "X");
        const wzp_rq_tuple t = wzp_rq_tuple_of(&p, x);
        ck_assert_msg(t.d == member(e, "d") && t.a == member(e, "a") && t.b == member(e, "b") &&
                          t.d1 == member(e, "d1") && t.a1 == member(e, "a1") &&
                          t.b1 == member(e, "b1"),
                      "tuple of %u", x);
        uint32_t columns[WZP_RQ_COLUMNS_MAX];
        const json_t *want = json_object_get(e, "lt_columns");
        const size_t n = wzp_rq_columns(&p, x, columns);
        ck_assert_uint_eq(n, json_array_size(want));
        for (size_t k = 0; k < n; k++) {
            ck_assert_msg(columns[k] == number(want, k), "column %zu of %u", k, x);
        }
    }
    ck_assert_uint_gt(i, 0);
    json_decref(file);
}
END_TEST

START_TEST(columns_are_distinct_and_in_range) {
    static const size_t sizes[] = {1, 11, 50, 100, 257, 1000, 9000, 56403};
    wzp_rq_params p;
    ck_assert_int_eq(wzp_rq_params_of(&p, sizes[_i]), WZP_OK);
    for (uint32_t isi = 0; isi < 5000; isi++) {
        uint32_t columns[WZP_RQ_COLUMNS_MAX];
        const size_t n = wzp_rq_columns(&p, isi * 839, columns);
        ck_assert_uint_ge(n, 3);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_lt(columns[i], p.l);
            for (size_t k = 0; k < i; k++) {
                ck_assert_msg(columns[i] != columns[k], "K %u, symbol %u", p.k, isi * 839);
            }
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("params");
    tcase_add_test(tc, tables_are_those_of_the_file);
    tcase_add_test(tc, sizes_grow_with_the_block);
    tcase_add_test(tc, what_the_code_relies_on_in_the_table);
    tcase_add_loop_test(tc, block_sizes, 0, WZP_COUNT_OF(size_cases));
    tcase_add_test(tc, random_numbers_sizes_and_tuples_of_the_vectors);
    tcase_add_loop_test(tc, columns_are_distinct_and_in_range, 0, 8);
    return wzp_run_suite("params", tc);
}
