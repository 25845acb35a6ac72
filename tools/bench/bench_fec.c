/* Blocks of symbols through RaptorQ, beside what the machine needs to copy them, and to add
 * them all up. */
#include "base/rng.h"
#include "bench.h"
#include "fec/octet.h"
#include "fec/raptorq.h"

enum { ROUNDS = 41, BLOCK_MAX = 100 * 1280 };

typedef struct fec_ctx {
    size_t k, symbol_len, lost, repeats;
    wzp_rq_plan *plan;
    wzp_rq_encoder *encoder;
    wzp_rq_decoder *decoder;
    uint8_t sources[BLOCK_MAX];
    uint8_t copy[BLOCK_MAX];
    uint8_t repairs[BLOCK_MAX];
    uint64_t sum;
} fec_ctx;

/* A mistake of this program. */
static void must(wzp_err err) {
    if (err != WZP_OK) {
        (void)fprintf(stderr, "bench_fec: %s\n", wzp_err_text(err));
        exit(1); /* NOLINT(concurrency-mt-unsafe): the only thread */
    }
}

static void copy(void *ctx) {
    fec_ctx *c = ctx;
    for (size_t i = 0; i < c->repeats; i++) {
        memcpy(c->copy, c->sources, c->k * c->symbol_len);
        bench_keep(c->copy);
    }
}

/* One symbol that is the sum of all: each octet is read once and added. */
static void add(void *ctx) {
    fec_ctx *c = ctx;
    const uint8_t *rows[100];
    uint32_t terms[100];
    for (uint32_t s = 0; s < c->k; s++) {
        rows[s] = c->sources + s * c->symbol_len;
        terms[s] = s;
    }
    for (size_t i = 0; i < c->repeats; i++) {
        wzp_octet_best()->sum(c->copy, rows, terms, c->k, c->symbol_len);
        bench_keep(c->copy);
    }
}

static void encode_block(fec_ctx *c) {
    must(wzp_rq_encoder_load(c->encoder, c->sources, c->symbol_len));
    for (size_t r = 0; r < c->lost; r++) {
        must(wzp_rq_encoder_symbol(c->encoder, (uint32_t)(c->k + r), c->repairs + r * c->symbol_len,
                                   c->symbol_len));
    }
}

static void encode(void *ctx) {
    fec_ctx *c = ctx;
    for (size_t i = 0; i < c->repeats; i++) {
        encode_block(c);
        bench_keep(c->repairs);
    }
}

/* The first symbols are lost, as many repair symbols replace them. */
static void decode(void *ctx) {
    fec_ctx *c = ctx;
    for (size_t i = 0; i < c->repeats; i++) {
        must(wzp_rq_decoder_begin(c->decoder, c->k, c->symbol_len));
        for (size_t s = c->lost; s < c->k; s++) {
            must(wzp_rq_decoder_add(c->decoder, (uint32_t)s,
                                    wzp_bytes_of(c->sources + s * c->symbol_len, c->symbol_len)));
        }
        for (size_t r = 0; r < c->lost; r++) {
            must(wzp_rq_decoder_add(c->decoder, (uint32_t)(c->k + r),
                                    wzp_bytes_of(c->repairs + r * c->symbol_len, c->symbol_len)));
        }
        must(wzp_rq_decoder_solve(c->decoder));
        bench_keep(wzp_rq_decoder_source(c->decoder, 0).data);
    }
}

static void open_block(fec_ctx *c, size_t k, size_t symbol_len) {
    const wzp_rq_decoder_cfg cfg = {k, k, symbol_len};
    wzp_prng prng;
    *c = (fec_ctx){.k = k, .symbol_len = symbol_len};
    c->lost = (k + 4) / 5;
    c->repeats = (size_t)4 * BLOCK_MAX / (k * symbol_len);
    wzp_prng_init(&prng, 1, "bench");
    wzp_rng_fill(wzp_prng_rng(&prng), c->sources, k * symbol_len);
    must(wzp_rq_plan_new(&c->plan, k));
    must(wzp_rq_encoder_new(&c->encoder, c->plan, symbol_len));
    must(wzp_rq_decoder_new(&c->decoder, &cfg));
    encode_block(c);
}

static void close_block(fec_ctx *c) {
    wzp_rq_decoder_free(&c->decoder);
    wzp_rq_encoder_free(&c->encoder);
    wzp_rq_plan_free(&c->plan);
}

static void report(bench *benches, const fec_ctx *c, double encode_ns, double decode_ns) {
    const double megabits = (double)(c->k * c->symbol_len * 8) / 1e6;
    bench_report(&benches[0], ROUNDS, NULL, 0);
    bench_report(&benches[1], ROUNDS, NULL, 0);
    for (size_t i = 2; i < 4; i++) {
        const double limit = i == 2 ? encode_ns : decode_ns;
        const double least = benches[i].ns[0];
        char budget[64];
        (void)snprintf(budget, sizeof budget, "%s (at most %.0f ns), %.1f Gbit/s",
                       least <= limit ? "ok" : "OVER", limit, megabits / least * 1e6);
        bench_line(benches[i].name, least, "ns", benches[i].ns[ROUNDS / 2],
                   least / benches[1].ns[0], budget);
    }
}

static void measure(size_t k, size_t symbol_len, double encode_ns, double decode_ns) {
    static fec_ctx c;
    static const char *const texts[] = {"copy", "add up", "encode", "decode, a fifth lost"};
    char names[4][64];
    open_block(&c, k, symbol_len);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s %zu x %zu B", texts[i], k, symbol_len);
    }
    bench benches[] = {{.name = names[0], .run = copy, .ctx = &c, .count = c.repeats},
                       {.name = names[1], .run = add, .ctx = &c, .count = c.repeats},
                       {.name = names[2], .run = encode, .ctx = &c, .count = c.repeats},
                       {.name = names[3], .run = decode, .ctx = &c, .count = c.repeats}};
    bench_all(benches, 4, ROUNDS);
    report(benches, &c, encode_ns, decode_ns);
    close_block(&c);
}

int main(void) {
    const double block_bits = 100 * 1280 * 8;
    measure(5, 256, 6000, 20000);
    measure(8, 256, 6000, 20000);
    measure(10, 256, 6000, 20000);
    measure(100, 1280, block_bits / 5, block_bits / 2.5);
    return 0;
}
