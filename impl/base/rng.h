/* Randomness is an argument too: a fill function and its context, for keys as well, so that
 * vectors and whole calls can be regenerated.  impl/io supplies the operating system's source;
 * simulators and tests use wzp_prng, which is NOT fit for secrets. */
#ifndef WZP_BASE_RNG_H
#define WZP_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct wzp_rng {
    void (*fill)(void *ctx, uint8_t *out, size_t len); /* must not fail */
    void *ctx;
} wzp_rng;

static inline void wzp_rng_fill(wzp_rng rng, void *out, size_t len) {
    rng.fill(rng.ctx, (uint8_t *)out, len);
}

uint64_t wzp_rng_u64(wzp_rng rng);

/* Uniform in 0..bound-1 without bias; bound > 0. */
uint64_t wzp_rng_below(wzp_rng rng, uint64_t bound);

/* Deterministic stream (xoshiro256**).  Streams of one seed with different names are independent,
 * so that one more draw here shifts nothing there. */
typedef struct wzp_prng {
    uint64_t state[4];
    uint64_t word; /* bytes not handed out yet */
    unsigned left;
} wzp_prng;

void wzp_prng_init(wzp_prng *prng, uint64_t seed, const char *name);

/* `prng` is borrowed and must outlive the hook. */
wzp_rng wzp_prng_rng(wzp_prng *prng);

/* The same as wzp_rng_u64(wzp_prng_rng(prng)), and quick where no bytes are left over. */
uint64_t wzp_prng_u64(wzp_prng *prng);

#endif
