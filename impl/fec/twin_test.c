/* Encoder and decoder against the dense twin. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/rng.h"
#include "base/testing/suite.h"
#include "fec/raptorq.h"
#include "fec/testing/twin.h"

static uint8_t *reserve(size_t size) {
    uint8_t *memory = malloc(size != 0 ? size : 1);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* The twin of an encoder. */
static void init_encoding(twin *t, size_t k, const uint8_t *sources, size_t symbol_len) {
    wzp_rq_params p;
    ck_assert_int_eq(wzp_rq_params_of(&p, k), WZP_OK);
    wzp_rq_equation *equations = calloc(p.kp, sizeof *equations);
    ck_assert_ptr_nonnull(equations);
    for (uint32_t i = 0; i < p.kp; i++) {
        equations[i] = (wzp_rq_equation){i, i < p.k ? i : WZP_RQ_NONE};
    }
    twin_init(t, &p, equations, p.kp, sources, symbol_len);
    free(equations);
}

START_TEST(the_matrix_of_the_vectors_is_the_twins) {
    json_error_t error;
    json_t *file = json_load_file(WZP_VECTORS_DIR "/media.json", 0, &error);
    ck_assert_ptr_nonnull(file);
    const json_t *rows = json_object_get(json_object_get(file, "rfc6330_internals"),
                                         "constraint_matrix_Kprime10_rows");
    const uint8_t none[10] = {0};
    twin t;
    init_encoding(&t, 10, none, 1);
    ck_assert_uint_eq(json_array_size(rows), 27);
    for (size_t i = 0; i < 27; i++) {
        char text[2 * 27 + 1];
        (void)wzp_hex_write(text, wzp_bytes_of(t.matrix + i * 27, 27));
        ck_assert_str_eq(text, json_string_value(json_array_get(rows, i)));
    }
    twin_clear(&t);
    json_decref(file);
}
END_TEST

static void compare_encoders(size_t k, size_t symbol_len, wzp_rng rng) {
    uint8_t *sources = reserve(k * symbol_len);
    uint8_t *got = reserve(symbol_len);
    uint8_t *want = reserve(symbol_len);
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    twin t;
    wzp_rng_fill(rng, sources, k * symbol_len);
    init_encoding(&t, k, sources, symbol_len);
    ck_assert(twin_solve(&t));
    ck_assert_int_eq(wzp_rq_plan_new(&plan, k), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_new(&encoder, plan, symbol_len), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_load(encoder, sources, symbol_len), WZP_OK);
    for (size_t i = 0; i < t.params.l; i++) {
        const wzp_bytes c = wzp_rq_encoder_intermediate(encoder, i);
        ck_assert_msg(memcmp(c.data, t.symbols + i * symbol_len, symbol_len) == 0,
                      "K %zu: intermediate symbol %zu", k, i);
    }
    for (uint32_t esi = 0; esi < 2 * k + 20; esi++) {
        twin_symbol(&t, wzp_rq_isi(&t.params, esi), want);
        ck_assert_int_eq(wzp_rq_encoder_symbol(encoder, esi, got, symbol_len), WZP_OK);
        ck_assert_msg(memcmp(got, want, symbol_len) == 0, "K %zu: symbol %u", k, esi);
        ck_assert_msg(esi >= k || memcmp(got, sources + esi * symbol_len, symbol_len) == 0,
                      "K %zu: symbol %u is not the source symbol", k, esi);
    }
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
    twin_clear(&t);
    free(sources);
    free(got);
    free(want);
}

START_TEST(small_blocks_encode_as_the_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "encode");
    for (size_t k = 1; k <= 60; k++) {
        compare_encoders(k, 1 + k % 5, wzp_prng_rng(&prng));
    }
}
END_TEST

START_TEST(larger_blocks_encode_as_the_twin) {
    static const size_t sizes[] = {100, 257, 511};
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "encode large");
    compare_encoders(sizes[_i], 3, wzp_prng_rng(&prng));
}
END_TEST

/* --- decoding --------------------------------------------------------------------------------- */

typedef struct trial {
    size_t k, symbol_len;
    uint8_t *sources;
    wzp_rq_params params;
    wzp_rq_equation *equations; /* of what arrived, with padding */
    size_t count;
    uint8_t *received;
    size_t received_count;
    bool is_source[1024]; /* that arrived */
} trial;

/* A source symbol is lost with the given probability; `extra` symbols more than needed arrive. */
static void lose(trial *t, wzp_rq_encoder *encoder, wzp_rq_decoder *decoder, unsigned percent,
                 size_t extra, wzp_rng rng) {
    t->count = 0;
    t->received_count = 0;
    ck_assert_int_eq(wzp_rq_decoder_begin(decoder, t->k, t->symbol_len), WZP_OK);
    for (uint32_t i = t->params.k; i < t->params.kp; i++) {
        t->equations[t->count++] = (wzp_rq_equation){i, WZP_RQ_NONE};
    }
    uint32_t esi = 0;
    while (t->received_count < t->k + extra) {
        const bool is_source = esi < t->k;
        if (is_source ? wzp_rng_below(rng, 100) >= percent : true) {
            uint8_t *at = t->received + t->received_count * t->symbol_len;
            ck_assert_int_eq(wzp_rq_encoder_symbol(encoder, esi, at, t->symbol_len), WZP_OK);
            t->equations[t->count++] =
                (wzp_rq_equation){wzp_rq_isi(&t->params, esi), (uint32_t)t->received_count++};
            ck_assert_int_eq(wzp_rq_decoder_add(decoder, esi, wzp_bytes_of(at, t->symbol_len)),
                             WZP_OK);
        }
        if (is_source) {
            t->is_source[esi] = wzp_rq_decoder_source(decoder, esi).len != 0;
        }
        esi += is_source ? 1 : 1 + (uint32_t)wzp_rng_below(rng, 50);
    }
}

static bool decode_both(trial *t, wzp_rq_decoder *decoder) {
    twin dense;
    twin_init(&dense, &t->params, t->equations, t->count, t->received, t->symbol_len);
    const bool want = twin_solve(&dense);
    const wzp_err got = wzp_rq_decoder_solve(decoder);
    const bool nothing_lost = wzp_rq_decoder_source(decoder, 0).len != 0 && got == WZP_OK;
    ck_assert_msg(want ? got == WZP_OK : got == WZP_ERR_FEC_RANK || nothing_lost,
                  "K %zu, %zu symbols: got %s, the twin %s", t->k, t->received_count,
                  wzp_err_name(got), want ? "solves it" : "does not");
    for (size_t i = 0; i < t->k; i++) {
        const wzp_bytes symbol = wzp_rq_decoder_source(decoder, i);
        if (got != WZP_OK) {
            ck_assert(symbol.len == (t->is_source[i] ? t->symbol_len : 0));
        } else {
            ck_assert_msg(symbol.len == t->symbol_len &&
                              memcmp(symbol.data, t->sources + i * t->symbol_len, symbol.len) == 0,
                          "K %zu: source symbol %zu", t->k, i);
        }
    }
    twin_clear(&dense);
    return want;
}

/* Runs `rounds` blocks; returns how many were decoded. */
static size_t run_trials(size_t k, size_t symbol_len, size_t rounds, wzp_rng rng) {
    trial t = {.k = k, .symbol_len = symbol_len};
    wzp_rq_plan *plan = NULL;
    wzp_rq_encoder *encoder = NULL;
    wzp_rq_decoder *decoder = NULL;
    const wzp_rq_decoder_cfg cfg = {k, k + 10, symbol_len};
    size_t decoded = 0;
    ck_assert_int_eq(wzp_rq_params_of(&t.params, k), WZP_OK);
    t.sources = reserve(k * symbol_len);
    t.received = reserve((k + 10) * symbol_len);
    t.equations = calloc((size_t)t.params.kp + 10, sizeof *t.equations);
    ck_assert_ptr_nonnull(t.equations);
    ck_assert_int_eq(wzp_rq_plan_new(&plan, k), WZP_OK);
    ck_assert_int_eq(wzp_rq_encoder_new(&encoder, plan, symbol_len), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_new(&decoder, &cfg), WZP_OK);
    for (size_t round = 0; round < rounds; round++) {
        static const unsigned losses[] = {5, 20, 50, 100};
        wzp_rng_fill(rng, t.sources, k * symbol_len);
        ck_assert_int_eq(wzp_rq_encoder_load(encoder, t.sources, symbol_len), WZP_OK);
        lose(&t, encoder, decoder, losses[round % 4], round / 4 % 4, rng);
        decoded += decode_both(&t, decoder) ? 1 : 0;
    }
    wzp_rq_decoder_free(&decoder);
    wzp_rq_encoder_free(&encoder);
    wzp_rq_plan_free(&plan);
    free(t.sources);
    free(t.received);
    free(t.equations);
    return decoded;
}

START_TEST(small_blocks_decode_as_the_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "decode");
    size_t decoded = 0;
    for (size_t k = 1; k <= 50; k++) {
        decoded += run_trials(k, 1 + k % 7, 32, wzp_prng_rng(&prng));
    }
    /* Some fail, or that they fail alike was not tried. */
    ck_assert_uint_lt(decoded, (size_t)50 * 32);
    ck_assert_uint_gt(decoded, (size_t)50 * 31);
}
END_TEST

START_TEST(larger_blocks_decode_as_the_twin) {
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "decode large");
    const size_t k = 51 + wzp_rng_below(wzp_prng_rng(&prng), _i == 0 ? 950 : 250);
    ck_assert_uint_gt(run_trials(k, 2, _i == 0 ? 4 : 8, wzp_prng_rng(&prng)), 0);
}
END_TEST

/* Fewer symbols than source symbols never suffice, and more of one that is no help do not either.
 */
START_TEST(one_symbol_too_few) {
    const wzp_rq_decoder_cfg cfg = {20, 10, 4};
    wzp_rq_decoder *decoder = NULL;
    ck_assert_int_eq(wzp_rq_decoder_new(&decoder, &cfg), WZP_OK);
    ck_assert_int_eq(wzp_rq_decoder_begin(decoder, 20, 4), WZP_OK);
    for (uint32_t esi = 1; esi < 20; esi++) {
        ck_assert_int_eq(wzp_rq_decoder_add(decoder, esi, wzp_bytes_of("abcd", 4)), WZP_OK);
        ck_assert_int_eq(wzp_rq_decoder_solve(decoder), WZP_ERR_FEC_RANK);
    }
    ck_assert_uint_eq(wzp_rq_decoder_count(decoder), 19);
    wzp_rq_decoder_free(&decoder);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("twin");
    tcase_add_test(tc, the_matrix_of_the_vectors_is_the_twins);
    tcase_add_test(tc, small_blocks_encode_as_the_twin);
    tcase_add_loop_test(tc, larger_blocks_encode_as_the_twin, 0, 3);
    tcase_add_test(tc, small_blocks_decode_as_the_twin);
    tcase_add_loop_test(tc, larger_blocks_decode_as_the_twin, 0, 5);
    tcase_add_test(tc, one_symbol_too_few);
    return wzp_run_suite("twin", tc);
}
