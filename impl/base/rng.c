#include "base/rng.h"

#include <assert.h>
#include <string.h>

uint64_t wzp_rng_u64(wzp_rng rng) {
    uint8_t bytes[8];
    wzp_rng_fill(rng, bytes, sizeof bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        value |= (uint64_t)bytes[i] << (8 * i); /* the same value on every machine */
    }
    return value;
}

uint64_t wzp_rng_below(wzp_rng rng, uint64_t bound) {
    assert(bound > 0);
    const uint64_t reject_below = (0 - bound) % bound; /* 2^64 mod bound */
    for (;;) {
        const uint64_t value = wzp_rng_u64(rng);
        if (value >= reject_below) {
            return value % bound;
        }
    }
}

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, unsigned k) {
    return (x << k) | (x >> (64 - k));
}

static uint64_t next(uint64_t s[4]) {
    const uint64_t result = rotl(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

void wzp_prng_init(wzp_prng *prng, uint64_t seed, const char *name) {
    /* FNV-1a of the name keeps the streams apart; splitmix spreads the bits over the state. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *p = name; *p != '\0'; p++) {
        hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    }
    uint64_t mix = seed;
    mix = splitmix(&mix) ^ hash;
    memset(prng, 0, sizeof *prng);
    for (size_t i = 0; i < 4; i++) {
        prng->state[i] = splitmix(&mix);
    }
}

static void fill(void *ctx, uint8_t *out, size_t len) {
    wzp_prng *prng = ctx;
    for (size_t i = 0; i < len; i++) {
        if (prng->left == 0) {
            prng->word = next(prng->state);
            prng->left = 8;
        }
        out[i] = (uint8_t)prng->word;
        prng->word >>= 8;
        prng->left--;
    }
}

wzp_rng wzp_prng_rng(wzp_prng *prng) {
    return (wzp_rng){fill, prng};
}

uint64_t wzp_prng_u64(wzp_prng *prng) {
    return prng->left == 0 ? next(prng->state) : wzp_rng_u64(wzp_prng_rng(prng));
}
