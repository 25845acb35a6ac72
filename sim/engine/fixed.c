#include "sim/engine/fixed.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "sim/engine/chance.h"

#define LN_FRACTION 57

/* With 63 fractional bits: ln 2 rounded up and down, the root of 2. */
#define LN2_UP UINT64_C(0x58b90bfbe8e7bcd6)
#define LN2_DOWN INT64_C(0x58b90bfbe8e7bcd5)
#define SQRT2 UINT64_C(0xb504f333f9de6484)

static uint64_t mul_high(uint64_t a, uint64_t b) {
    return (uint64_t)(((wzp_u128)a * b) >> 64);
}

/* --- logarithm -------------------------------------------------------------------------------- */

/* atanh(z) = z (1 + z^2/3 + z^4/5 + ...) for z < 0.172 with 64 fractional bits; the result has 63.
 * The first term left out is below 2^-63. */
static uint64_t atanh_series(uint64_t z) {
    static const uint64_t inverses[] = {
        /* 1/(2k + 1) with 63 fractional bits, last term first */
        UINT64_C(0x051eb851eb851eb8), UINT64_C(0x0590b21642c8590b), UINT64_C(0x0618618618618618),
        UINT64_C(0x06bca1af286bca1a), UINT64_C(0x0787878787878787), UINT64_C(0x0888888888888888),
        UINT64_C(0x09d89d89d89d89d8), UINT64_C(0x0ba2e8ba2e8ba2e8), UINT64_C(0x0e38e38e38e38e38),
        UINT64_C(0x1249249249249249), UINT64_C(0x1999999999999999), UINT64_C(0x2aaaaaaaaaaaaaaa),
        UINT64_C(0x8000000000000000),
    };
    const uint64_t square = mul_high(z, z);
    uint64_t sum = inverses[0];
    for (size_t i = 1; i < WZP_COUNT_OF(inverses); i++) {
        sum = inverses[i] + mul_high(sum, square);
    }
    return mul_high(sum, z);
}

uint64_t wzp_fixed_ln_pow2(unsigned n) {
    return (uint64_t)(((wzp_u128)n * LN2_UP) >> (63 - LN_FRACTION));
}

/* x = 2^n v with v in (sqrt(1/2), sqrt(2)], and ln v = 2 atanh((v - 1)/(v + 1)).  At the seam the
 * series is too small on the left and, being subtracted, too small on the right as well; with ln 2
 * rounded up the result never steps down. */
uint64_t wzp_fixed_ln(uint64_t x) {
    assert(x > 0);
    const unsigned shift = (unsigned)__builtin_clzll(x);
    const uint64_t m = x << shift; /* 1 <= m/2^63 < 2 */
    const bool small = m > SQRT2;  /* v = m/2^64, else m/2^63 */
    const uint64_t one_less = small ? 0 - m : m - (UINT64_C(1) << 63);
    const uint64_t half = small ? (m >> 1) + (UINT64_C(1) << 63) : (m >> 1) + (UINT64_C(1) << 62);
    const uint64_t z = (uint64_t)(((wzp_u128)one_less << 63) / half);
    const wzp_u128 part = (wzp_u128)atanh_series(z) << 1;
    const wzp_u128 whole = (wzp_u128)(63 - shift + small) * LN2_UP;
    return (uint64_t)((small ? whole - part : whole + part) >> (63 - LN_FRACTION));
}

/* --- exponential ------------------------------------------------------------------------------ */

/* e^r for r < ln 2 with 64 fractional bits; the result has 62.  The first term left out is below
 * 2^-63. */
static uint64_t exp_series(uint64_t r) {
    static const uint64_t inverse_factorials[] = {
        /* 1/k! with 62 fractional bits, last term first */
        0x2d0,
        0x32a5,
        0x35cfe,
        0x35cfe7,
        0x3272e95,
        0x2c248c27,
        UINT64_C(0x23ddb1dff),
        UINT64_C(0x1ae64567f5),
        UINT64_C(0x127e4fb7789),
        UINT64_C(0xb8ef1d2ab63),
        UINT64_C(0x680680680680),
        UINT64_C(0x3403403403403),
        UINT64_C(0x16c16c16c16c16),
        UINT64_C(0x88888888888888),
        UINT64_C(0x2aaaaaaaaaaaaaa),
        UINT64_C(0xaaaaaaaaaaaaaaa),
        UINT64_C(0x2000000000000000),
        UINT64_C(0x4000000000000000),
        UINT64_C(0x4000000000000000),
    };
    uint64_t sum = inverse_factorials[0];
    for (size_t i = 1; i < WZP_COUNT_OF(inverse_factorials); i++) {
        sum = inverse_factorials[i] + mul_high(sum, r);
    }
    return sum;
}

/* e^x = 2^n e^r.  With ln 2 rounded down r stays below the real one, and the series, cut off, below
 * 2: no step down where n changes. */
uint64_t wzp_fixed_exp(int64_t x, int *exponent) {
    const wzp_i128 wide = (wzp_i128)x * (1 << (63 - LN_FRACTION));
    int n = (int)(x / (LN2_DOWN >> (63 - LN_FRACTION)));
    wzp_i128 r = wide - (wzp_i128)n * LN2_DOWN;
    while (r < 0) {
        n--;
        r += LN2_DOWN;
    }
    while (r >= LN2_DOWN) {
        n++;
        r -= LN2_DOWN;
    }
    *exponent = n;
    return exp_series((uint64_t)r << 1);
}

/* --- what chance.h offers --------------------------------------------------------------------- */

wzp_q32 wzp_q32_mul(wzp_q32 a, wzp_q32 b) {
    const wzp_i128 product = ((wzp_i128)a * b + (INT64_C(1) << 31)) >> 32;
    if (product > INT64_MAX) {
        return INT64_MAX;
    }
    return product < INT64_MIN ? INT64_MIN : (wzp_q32)product;
}

/* ln(x / 2^32) with 57 fractional bits. */
static int64_t ln_wide(wzp_q32 x) {
    assert(x > 0);
    return (int64_t)(wzp_fixed_ln((uint64_t)x) - wzp_fixed_ln_pow2(32));
}

wzp_q32 wzp_q32_ln(wzp_q32 x) {
    return (ln_wide(x) + (INT64_C(1) << (LN_FRACTION - 33))) >> (LN_FRACTION - 32);
}

/* e^x for x with 57 fractional bits, to the nearest. */
static wzp_q32 exp_narrow(wzp_i128 x) {
    const int64_t most = INT64_C(24) << LN_FRACTION; /* beyond it all is 0 or saturated */
    if (x > most || x < -most) {
        return x > 0 ? INT64_MAX : 0;
    }
    int exponent = 0;
    const uint64_t mantissa = wzp_fixed_exp((int64_t)x, &exponent);
    if (exponent > 30) {
        return INT64_MAX;
    }
    if (exponent == 30) {
        return (wzp_q32)mantissa;
    }
    const unsigned shift = (unsigned)(30 - exponent);
    return shift > 63 ? 0 : (wzp_q32)(((mantissa >> (shift - 1)) + 1) >> 1);
}

wzp_q32 wzp_q32_exp(wzp_q32 x) {
    return exp_narrow((wzp_i128)x * (1 << (LN_FRACTION - 32)));
}

wzp_q32 wzp_q32_pow(wzp_q32 base, wzp_q32 exponent) {
    assert(base >= 0);
    if (base == 0 && exponent != 0) {
        return exponent > 0 ? 0 : INT64_MAX;
    }
    return exponent == 0 ? WZP_Q32_ONE : exp_narrow(((wzp_i128)ln_wide(base) * exponent) >> 32);
}

/* Newton's method from above: it falls until it stands on the floor. */
uint64_t wzp_isqrt(uint64_t x) {
    if (x < 2) {
        return x;
    }
    const unsigned bits = 64 - (unsigned)__builtin_clzll(x);
    uint64_t root = UINT64_C(1) << ((bits + 1) / 2); /* above the root; at most 2^32 */
    for (;;) {
        const uint64_t next = (root + x / root) / 2;
        if (next >= root) {
            return root;
        }
        root = next;
    }
}
