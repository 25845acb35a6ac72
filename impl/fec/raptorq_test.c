#include "fec/raptorq.h"

#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/testing/suite.h"

/* --- allocations are counted: the linker sends ours through here ------------------------------ */

static size_t allocations;

/* NOLINTBEGIN(bugprone-reserved-identifier): names that the linker's --wrap gives */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) {
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    allocations++;
    return __real_realloc(old, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- a coder of both kinds -------------------------------------------------------------------- */

typedef struct pair {
    size_t k, symbol_len;
    wzp_rq_plan *plan;
    wzp_rq_encoder *encoder;
    wzp_rq_decoder *decoder;
    uint8_t *sources, *symbol;
} pair;

static pair open_pair(size_t k, size_t symbol_len, size_t repairs) {
    pair p = {.k = k, .symbol_len = symbol_len};
    const wzp_rq_decoder_cfg cfg = {k, repairs, symbol_len};
    ck_assert_int_eq(wzp_rq_plan_new(&p.plan, k), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_new(&p.encoder, p.plan, symbol_len), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_new(&p.decoder, &cfg), WZP_OK);
    p.sources = malloc(k * symbol_len);
    p.symbol = malloc(symbol_len);
    ck_assert(p.sources != NULL && p.symbol != NULL);
    return p;
}

static void close_pair(pair *p) {
    wzp_rq_decoder_free(&p->decoder);
    wzp_rq_encoder_free(&p->encoder);
    wzp_rq_plan_free(&p->plan);
    free(p->sources);
    free(p->symbol);
}

static void load_random(pair *p, uint64_t seed) {
    wzp_prng prng;
    wzp_prng_init(&prng, seed, "sources");
    wzp_rng_fill(wzp_prng_rng(&prng), p->sources, p->k * p->symbol_len);
    ck_assert_int_eq(wzp_rq_encoder_load(p->encoder, p->sources, p->symbol_len), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_begin(p->decoder, p->k, p->symbol_len), WZP_OK);
}

static void pass_on(pair *p, uint32_t esi) {
    ck_assert_int_eq(wzp_rq_encoder_symbol(p->encoder, esi, p->symbol, p->symbol_len), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p->decoder, esi, wzp_bytes_of(p->symbol, p->symbol_len)),
                     WZP_OK);
}

static bool is_recovered(const pair *p) {
    const wzp_bytes first = wzp_rq_decoder_source(p->decoder, 0);
    return first.len == p->symbol_len && memcmp(first.data, p->sources, p->k * p->symbol_len) == 0;
}

/* Every K-th symbol is lost and replaced. */
static void lose_some(pair *p, size_t extra) {
    uint32_t repair = (uint32_t)p->k;
    for (uint32_t esi = 0; esi < p->k; esi++) {
        pass_on(p, esi % 3 == 0 ? repair++ : esi);
    }
    for (size_t i = 0; i < extra; i++) {
        pass_on(p, repair++);
    }
}

/* --- sizes ------------------------------------------------------------------------------------ */

static const size_t symbol_lens[] = {1,   2,   7,   8,   9,   15,  16,  17,   31,   32,   33,
                                     63,  64,  65,  127, 128, 129, 255, 256,  257,  383,  384,
                                     511, 512, 513, 767, 768, 769, 999, 1168, 1280, 4096, 65535};

START_TEST(every_symbol_length) {
    pair p = open_pair(13, symbol_lens[_i], 12);
    load_random(&p, (uint64_t)_i);
    lose_some(&p, 2);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
    ck_assert_msg(is_recovered(&p), "symbols of %zu octets", symbol_lens[_i]);
    close_pair(&p);
}
END_TEST

START_TEST(large_blocks) {
    static const size_t sizes[] = {2000, 10000, 56403};
    pair p = open_pair(sizes[_i], 2, sizes[_i]);
    load_random(&p, 1);
    lose_some(&p, 3);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
    ck_assert_msg(is_recovered(&p), "%zu symbols", sizes[_i]);
    close_pair(&p);
}
END_TEST

/* A decoder is reserved for the largest block and also takes the others. */
START_TEST(blocks_of_many_sizes_in_one_decoder) {
    const wzp_rq_decoder_cfg cfg = {300, 300, 24};
    wzp_rq_decoder *decoder = NULL;
    ck_assert_int_eq(wzp_rq_decoder_new(&decoder, &cfg), WZP_OK);
    ck_assert_uint_gt(wzp_rq_decoder_size(decoder), (size_t)300 * 24);
    for (size_t k = 1; k <= 300; k += 13) {
        pair p = open_pair(k, 1 + k % 24, k + 2);
        wzp_rq_decoder *own = p.decoder;
        p.decoder = decoder;
        load_random(&p, k);
        lose_some(&p, 2);
        ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
        ck_assert_msg(is_recovered(&p), "%zu symbols", k);
        p.decoder = own;
        close_pair(&p);
    }
    wzp_rq_decoder_free(&decoder);
}
END_TEST

/* Without assertions of its own: check allocates for those. */
static size_t count_problems(pair *p) {
    size_t problems = wzp_rq_encoder_load(p->encoder, p->sources, p->symbol_len) != WZP_OK;
    problems += wzp_rq_decoder_begin(p->decoder, p->k, p->symbol_len) != WZP_OK;
    for (uint32_t i = 0; i < p->k; i++) {
        const uint32_t esi = i % 3 == 0 ? i + 1000 : i;
        problems += wzp_rq_encoder_symbol(p->encoder, esi, p->symbol, p->symbol_len) != WZP_OK;
        problems +=
            wzp_rq_decoder_add(p->decoder, esi, wzp_bytes_of(p->symbol, p->symbol_len)) != WZP_OK;
    }
    problems += wzp_rq_decoder_solve(p->decoder) != WZP_OK;
    return problems + (is_recovered(p) ? 0 : 1);
}

START_TEST(nothing_is_allocated_for_a_block) {
    pair p = open_pair(100, 64, 50);
    load_random(&p, 0);
    ck_assert_uint_gt(allocations, 10); /* it does count */
    const size_t before = allocations;
    size_t problems = 0;
    for (size_t block = 0; block < 20; block++) {
        p.sources[block]++;
        problems += count_problems(&p);
    }
    const size_t after = allocations;
    ck_assert_uint_eq(problems, 0);
    ck_assert_uint_eq(after, before);
    close_pair(&p);
}
END_TEST

/* --- which symbols suffice -------------------------------------------------------------------- */

/* Media sheet 7.5: of the 12870 ways to get 8 of 16 symbols of 8 exactly 38 do not suffice, of the
 * 56 ways to get 5 of 8 symbols of 5 all do.  The vectors name them; here they are counted. */
static size_t count_undecodable(size_t k, unsigned symbols) {
    pair p = open_pair(k, 8, symbols);
    size_t undecodable = 0;
    for (unsigned subset = 0; subset < 1U << symbols; subset++) {
        if ((size_t)__builtin_popcount(subset) != k) {
            continue;
        }
        load_random(&p, subset);
        for (uint32_t esi = 0; esi < symbols; esi++) {
            if ((subset >> esi & 1) != 0) {
                pass_on(&p, esi);
            }
        }
        const bool is_solved = wzp_rq_decoder_solve(p.decoder) == WZP_OK;
        undecodable += is_solved ? 0 : 1;
        ck_assert(!is_solved || is_recovered(&p));
    }
    close_pair(&p);
    return undecodable;
}

START_TEST(which_subsets_suffice) {
    ck_assert_uint_eq(count_undecodable(5, 8), 0);
    ck_assert_uint_eq(count_undecodable(8, 16), 38);
}
END_TEST

/* One that does not suffice does with the next symbol. */
START_TEST(another_symbol_helps) {
    static const uint32_t stuck[] = {0, 1, 2, 3, 5, 6, 10, 14};
    pair p = open_pair(8, 256, 8);
    load_random(&p, 1);
    for (size_t i = 0; i < WZP_COUNT_OF(stuck); i++) {
        pass_on(&p, stuck[i]);
    }
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_ERR_FEC_RANK);
    ck_assert_uint_eq(wzp_rq_decoder_source(p.decoder, 4).len, 0);
    ck_assert_uint_eq(wzp_rq_decoder_source(p.decoder, 5).len, 256);
    pass_on(&p, 11);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
    ck_assert(is_recovered(&p));
    close_pair(&p);
}
END_TEST

/* Symbols of octets that are zero at the end may be cut there (media sheet 7.6). */
START_TEST(padding_does_not_count) {
    pair p = open_pair(8, 256, 8);
    uint8_t cut[8 * 8];
    uint8_t symbol[8];
    wzp_rq_encoder *encoder = NULL;
    load_random(&p, 1);
    for (size_t i = 0; i < 8; i++) {
        memset(p.sources + i * 256 + 8, 0, 248);
        memcpy(cut + i * 8, p.sources + i * 256, 8);
    }
    ck_assert_int_eq(wzp_rq_encoder_load(p.encoder, p.sources, 256), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_new(&encoder, p.plan, 8), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_load(encoder, cut, 8), WZP_OK);
    for (uint32_t esi = 0; esi < 16; esi++) {
        ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, esi, p.symbol, 256), WZP_OK);
        ck_assert_int_eq(wzp_rq_encoder_symbol(encoder, esi, symbol, 8), WZP_OK);
        ck_assert(memcmp(p.symbol, symbol, 8) == 0);
        for (size_t at = 8; at < 256; at++) {
            ck_assert_uint_eq(p.symbol[at], 0);
        }
    }
    wzp_rq_encoder_free(&encoder);
    close_pair(&p);
}
END_TEST

/* --- what must be refused --------------------------------------------------------------------- */

START_TEST(sizes_that_are_refused) {
    static const struct size_case {
        wzp_rq_decoder_cfg cfg;
        wzp_err want;
    } cases[] = {
        {{0, 8, 256}, WZP_ERR_FEC_BLOCK_SIZE},        {{56404, 8, 256}, WZP_ERR_FEC_BLOCK_SIZE},
        {{SIZE_MAX, 8, 256}, WZP_ERR_FEC_BLOCK_SIZE}, {{8, SIZE_MAX, 256}, WZP_ERR_FEC_BLOCK_SIZE},
        {{8, 8, 0}, WZP_ERR_FEC_SYMBOL_SIZE},         {{8, 8, SIZE_MAX}, WZP_ERR_FEC_SYMBOL_SIZE},
    };
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    wzp_rq_decoder *decoder = NULL;
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        const wzp_err got = wzp_rq_decoder_new(&decoder, &cases[i].cfg);
        ck_assert_msg(got == cases[i].want, "case %zu: got %s", i, wzp_err_name(got));
        ck_assert_ptr_null(decoder);
    }
    ck_assert_int_eq(wzp_rq_plan_new(&plan, 0), WZP_ERR_FEC_BLOCK_SIZE);
    ck_assert_int_eq(wzp_rq_plan_new(&plan, 56404), WZP_ERR_FEC_BLOCK_SIZE);
    ck_assert_ptr_null(plan);
    ck_assert_int_eq(wzp_rq_plan_new(&plan, 8), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_new(&encoder, plan, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_encoder_new(&encoder, plan, SIZE_MAX), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_ptr_null(encoder);
    wzp_rq_plan_free(&plan);
}
END_TEST

START_TEST(an_encoder_refuses) {
    pair p = open_pair(8, 16, 8);
    ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, 0, p.symbol, 16), WZP_ERR_PEER_STATE);
    ck_assert_uint_eq(wzp_rq_encoder_intermediate(p.encoder, 0).len, 0);
    memset(p.sources, 1, (size_t)8 * 16);
    ck_assert_int_eq(wzp_rq_encoder_load(p.encoder, p.sources, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_encoder_load(p.encoder, p.sources, 17), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_encoder_load(p.encoder, p.sources, 16), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, 0, p.symbol, 15), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, WZP_RQ_ESI_MAX, p.symbol, 16), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, WZP_RQ_ESI_MAX + 1, p.symbol, 16),
                     WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(wzp_rq_encoder_symbol(p.encoder, UINT32_MAX, p.symbol, 16),
                     WZP_ERR_FEC_SYMBOL_ID);
    close_pair(&p);
}
END_TEST

START_TEST(a_decoder_refuses) {
    pair p = open_pair(8, 16, 2);
    const wzp_bytes symbol = {p.symbol, 16};
    memset(p.symbol, 1, 16);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 0, symbol), WZP_ERR_PEER_STATE);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_ERR_PEER_STATE);
    ck_assert_uint_eq(wzp_rq_decoder_count(p.decoder), 0);
    ck_assert_int_eq(wzp_rq_decoder_begin(p.decoder, 0, 16), WZP_ERR_FEC_BLOCK_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_begin(p.decoder, 9, 16), WZP_ERR_FEC_BLOCK_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_begin(p.decoder, 8, 0), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_begin(p.decoder, 8, 17), WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 0, symbol), WZP_ERR_PEER_STATE);
    ck_assert_int_eq(wzp_rq_decoder_begin(p.decoder, 8, 16), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 3, symbol), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 3, symbol), WZP_ERR_FEC_DUPLICATE);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 4, wzp_bytes_of(p.symbol, 15)),
                     WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 4, wzp_bytes_of(NULL, 0)),
                     WZP_ERR_FEC_SYMBOL_SIZE);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, WZP_RQ_ESI_MAX + 1, symbol),
                     WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, UINT32_MAX, symbol), WZP_ERR_FEC_SYMBOL_ID);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, WZP_RQ_ESI_MAX, symbol), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, WZP_RQ_ESI_MAX, symbol), WZP_ERR_FEC_DUPLICATE);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 8, symbol), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 9, symbol), WZP_ERR_QUEUE_FULL);
    ck_assert_uint_eq(wzp_rq_decoder_count(p.decoder), 3);
    ck_assert_uint_eq(wzp_rq_decoder_source(p.decoder, 8).len, 0);
    ck_assert_uint_eq(wzp_rq_decoder_source(p.decoder, SIZE_MAX).len, 0);
    close_pair(&p);
}
END_TEST

/* What was recovered needs no late source symbol. */
START_TEST(late_symbols_are_duplicates) {
    pair p = open_pair(8, 16, 4);
    load_random(&p, 3);
    lose_some(&p, 0);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_add(p.decoder, 0, wzp_bytes_of(p.symbol, 16)),
                     WZP_ERR_FEC_DUPLICATE);
    ck_assert_int_eq(wzp_rq_decoder_solve(p.decoder), WZP_OK);
    ck_assert(is_recovered(&p));
    close_pair(&p);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("raptorq");
    tcase_add_loop_test(tc, every_symbol_length, 0, WZP_COUNT_OF(symbol_lens));
    tcase_add_loop_test(tc, large_blocks, 0, 3);
    tcase_add_test(tc, blocks_of_many_sizes_in_one_decoder);
    tcase_add_test(tc, nothing_is_allocated_for_a_block);
    tcase_add_test(tc, which_subsets_suffice);
    tcase_add_test(tc, another_symbol_helps);
    tcase_add_test(tc, padding_does_not_count);
    tcase_add_test(tc, sizes_that_are_refused);
    tcase_add_test(tc, an_encoder_refuses);
    tcase_add_test(tc, a_decoder_refuses);
    tcase_add_test(tc, late_symbols_are_duplicates);
    return wzp_run_suite("raptorq", tc);
}
