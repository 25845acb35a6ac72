#include "sim/engine/chance.h"

#include <assert.h>

#include "base/bytes.h"
#include "sim/engine/fixed.h"

uint64_t wzp_chance_u64(wzp_prng *prng) {
    return wzp_prng_u64(prng);
}

bool wzp_chance(wzp_prng *prng, uint32_t ppm) {
    if (ppm == 0 || ppm >= WZP_PPM) {
        return ppm != 0;
    }
    return (uint64_t)(((wzp_u128)wzp_prng_u64(prng) * WZP_PPM) >> 64) < ppm;
}

/* The upper half of draw * span is uniform but for the draws whose lower half is below 2^64 mod
 * span: these are drawn again (Lemire's method). */
uint64_t wzp_chance_between(wzp_prng *prng, uint64_t low, uint64_t high) {
    if (high <= low) {
        return low;
    }
    const uint64_t span = high - low + 1;
    if (span == 0) {
        return wzp_prng_u64(prng);
    }
    wzp_u128 product = (wzp_u128)wzp_prng_u64(prng) * span;
    if ((uint64_t)product < span) {
        const uint64_t again_below = (0 - span) % span;
        while ((uint64_t)product < again_below) {
            product = (wzp_u128)wzp_prng_u64(prng) * span;
        }
    }
    return low + (uint64_t)(product >> 64);
}

wzp_q32 wzp_chance_unit(wzp_prng *prng) {
    return (wzp_q32)(wzp_prng_u64(prng) >> 32);
}

/* --- normal ----------------------------------------------------------------------------------- */

static wzp_q32 polynomial(const wzp_q32 *coefficients, size_t count, wzp_q32 x) {
    wzp_q32 sum = coefficients[count - 1];
    for (size_t i = count - 1; i-- > 0;) {
        sum = coefficients[i] + wzp_q32_mul(sum, x);
    }
    return sum;
}

static wzp_q32 divide(wzp_q32 a, wzp_q32 b) {
    return (wzp_q32)(((wzp_i128)a << 32) / b);
}

/* How far from the mean the probability of the tail is (2 tail + 1)/2^65: algorithm AS 241, PPND7
 * (Wichura 1988), without its last branch, which begins beyond 6.6 deviations. */
static wzp_q32 normal_quantile(uint64_t tail) {
    static const wzp_q32 a[] = {14547624251, 216613548571, 684150202569, 253872831309};
    static const wzp_q32 b[] = {WZP_Q32_ONE, 76859167626, 338261993473, 288568388360};
    static const wzp_q32 c[] = {6113616556, 11840431941, 5612356093, 731167549};
    static const wzp_q32 d[] = {WZP_Q32_ONE, 3165397952, 516303730};
    const wzp_q32 q = (wzp_q32)(((UINT64_C(1) << 63) - tail) >> 32); /* 1/2 - probability */
    if (q <= 1825361101) {                                           /* 0.425 */
        const wzp_q32 r = 775778468 - wzp_q32_mul(q, q);             /* 0.425^2 - q^2 */
        return wzp_q32_mul(
            q, divide(polynomial(a, WZP_COUNT_OF(a), r), polynomial(b, WZP_COUNT_OF(b), r)));
    }
    const uint64_t minus_ln = wzp_fixed_ln_pow2(65) - wzp_fixed_ln(2 * tail + 1);
    const wzp_q32 root = (wzp_q32)(wzp_isqrt(minus_ln << 1) << 3);
    const wzp_q32 r = root - 6871947674; /* 1.6 */
    return divide(polynomial(c, WZP_COUNT_OF(c), r), polynomial(d, WZP_COUNT_OF(d), r));
}

/* One bit is the side, the others say how far: the two sides mirror each other exactly. */
wzp_q32 wzp_chance_normal(wzp_prng *prng) {
    const uint64_t draw = wzp_prng_u64(prng);
    const wzp_q32 far = normal_quantile(draw >> 1);
    const wzp_q32 cut = far < 6 * WZP_Q32_ONE ? far : 6 * WZP_Q32_ONE;
    return (draw & 1) != 0 ? -cut : cut;
}

/* --- exponential and Poisson ------------------------------------------------------------------ */

/* -mean ln(u) for u = draw/2^64. */
uint64_t wzp_chance_exponential(wzp_prng *prng, uint64_t mean) {
    const uint64_t draw = wzp_prng_u64(prng);
    const uint64_t minus_ln = wzp_fixed_ln_pow2(64) - wzp_fixed_ln(draw == 0 ? 1 : draw);
    const wzp_u128 wide = ((wzp_u128)mean * minus_ln + (UINT64_C(1) << 56)) >> 57;
    return wide > UINT64_MAX ? UINT64_MAX : (uint64_t)wide;
}

/* Adds up P(0), P(1), ..., with 88 fractional bits, until the sum passes the draw.
 * P(k) = P(k - 1) mean/k, and P(0) = e^-mean is at least 2^-44. */
uint32_t wzp_chance_poisson(wzp_prng *prng, wzp_q32 mean) {
    assert(mean >= 0 && mean <= 30 * WZP_Q32_ONE);
    const wzp_u128 draw = (wzp_u128)wzp_prng_u64(prng) << 24;
    int exponent = 0;
    const uint64_t mantissa = wzp_fixed_exp(-mean * (1 << 25), &exponent);
    const int shift = 26 + exponent;
    wzp_u128 p = shift >= 0 ? (wzp_u128)mantissa << shift : mantissa >> -shift;
    wzp_u128 sum = p;
    uint32_t k = 0;
    while (draw >= sum && p > 0) {
        k++;
        p = ((p * (uint64_t)mean) >> 32) / k;
        sum += p;
    }
    return k;
}
