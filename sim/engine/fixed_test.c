/* Fixed-point functions against libm, and what must hold exactly: monotone, right at the seams. */
#include <check.h>
#include <math.h>

#include "base/bytes.h"
#include "base/testing/suite.h"
#include "sim/engine/chance.h"
#include "sim/engine/fixed.h"

/* Asserting a million times takes check longer than all the rest. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

static double real(wzp_q32 x) {
    return ldexp((double)x, -32);
}

/* Any positive number, all magnitudes alike. */
static wzp_q32 positive(wzp_prng *prng) {
    const unsigned shift = (unsigned)wzp_chance_between(prng, 1, 62);
    return (wzp_q32)((wzp_chance_u64(prng) | UINT64_C(1) << 63) >> shift);
}

START_TEST(ln_is_near) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "ln");
    for (int i = 0; i < 1000000; i++) {
        const wzp_q32 x = positive(&prng);
        const double error = fabs(real(wzp_q32_ln(x)) - log(real(x)));
        EXPECT(error < 2e-10, "ln(%.12g) is %.12g", real(x), real(wzp_q32_ln(x)));
    }
    ck_assert_int_eq(wzp_q32_ln(WZP_Q32_ONE), 0);
    ck_assert_int_eq(wzp_q32_ln(1), -95265423098); /* -32 ln 2 */
    ck_assert_int_eq(wzp_q32_ln(INT64_MAX), 92288378626);
}
END_TEST

/* libm has no better logarithm than double's 53 bits, which is enough to see a wrong one. */
START_TEST(wide_ln_is_near) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "wide");
    for (int i = 0; i < 1000000; i++) {
        const uint64_t x = wzp_chance_u64(&prng) >> wzp_chance_between(&prng, 0, 60) | 1;
        const double error = fabs(ldexp((double)wzp_fixed_ln(x), -57) - log((double)x));
        EXPECT(error < 2e-14, "ln(%llu) is off by %g", (unsigned long long)x, error);
    }
    ck_assert_uint_eq(wzp_fixed_ln(1), 0);
    ck_assert_uint_eq(wzp_fixed_ln(UINT64_C(1) << 40), wzp_fixed_ln_pow2(40));
}
END_TEST

static void ascends_around(uint64_t x) {
    for (uint64_t y = x - 200; y < x + 200; y++) {
        EXPECT(wzp_fixed_ln(y) <= wzp_fixed_ln(y + 1), "at %llu", (unsigned long long)y);
    }
}

START_TEST(ln_ascends) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "ascends");
    for (unsigned n = 8; n < 64; n++) { /* the seams: powers of two and root two times these */
        ascends_around(UINT64_C(1) << n);
        ascends_around(UINT64_C(0xb504f333f9de6484) >> (63 - n));
    }
    for (int i = 0; i < 10000; i++) {
        ascends_around((wzp_chance_u64(&prng) >> wzp_chance_between(&prng, 1, 50)) + 200);
    }
}
END_TEST

START_TEST(exp_is_near) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "exp");
    for (int i = 0; i < 1000000; i++) {
        const wzp_q32 x =
            (wzp_q32)wzp_chance_between(&prng, 0, 46 * UINT64_C(4294967296)) - 25 * WZP_Q32_ONE;
        const double want = exp(real(x));
        const double error = fabs(real(wzp_q32_exp(x)) - want);
        EXPECT(error < 1.2e-10 + want * 1e-14, "exp(%.12g) is %.12g, not %.12g", real(x),
               real(wzp_q32_exp(x)), want);
    }
}
END_TEST

static const struct exp_case {
    const char *name;
    wzp_q32 x, want;
} exp_cases[] = {
    {"zero", 0, WZP_Q32_ONE},
    {"one", WZP_Q32_ONE, 11674931555},
    {"minus one", -WZP_Q32_ONE, 1580030169},
    {"just below ln 2^31", 92288378626, 9223372035981320729},
    {"just above ln 2^31", 92288378627, INT64_MAX},
    {"far above", INT64_MAX, INT64_MAX},
    {"the least that is not nothing", -98242467570, 1},
    {"too little", -98242467571, 0},
    {"far below", INT64_MIN, 0},
};

START_TEST(exp_at_the_ends) {
    const struct exp_case *c = &exp_cases[_i];
    const wzp_q32 got = wzp_q32_exp(c->x);
    const wzp_q32 slack = c->want > INT64_MAX / 2 && c->want != INT64_MAX ? 16384 : 0;
    ck_assert_msg(got - c->want <= slack && c->want - got <= slack, "%s: %lld", c->name,
                  (long long)got);
}
END_TEST

START_TEST(exp_ascends) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "exp ascends");
    for (int n = -32; n <= 30; n++) { /* around every seam, a multiple of ln 2 */
        const wzp_q32 seam = (wzp_q32)llround(n * 0.6931471805599453 * 4294967296.0);
        for (wzp_q32 x = seam - 300; x < seam + 300; x++) {
            EXPECT(wzp_q32_exp(x) <= wzp_q32_exp(x + 1), "at %lld", (long long)x);
        }
    }
    for (int i = 0; i < 1000000; i++) {
        const wzp_q32 x =
            (wzp_q32)wzp_chance_between(&prng, 0, 46 * UINT64_C(4294967296)) - 25 * WZP_Q32_ONE;
        EXPECT(wzp_q32_exp(x) <= wzp_q32_exp(x + 1), "at %lld", (long long)x);
    }
}
END_TEST

START_TEST(pow_is_near) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "pow");
    for (int i = 0; i < 1000000; i++) {
        const wzp_q32 base = positive(&prng);
        const wzp_q32 exponent =
            (wzp_q32)(positive(&prng) >> 26) * (wzp_chance(&prng, WZP_PPM / 2) ? 1 : -1);
        const double want = pow(real(base), real(exponent));
        if (want < ldexp(1, 31)) {
            const double error = fabs(real(wzp_q32_pow(base, exponent)) - want);
            EXPECT(error < 1.2e-10 + want * 1e-12, "%.12g ^ %.12g is %.12g, not %.12g", real(base),
                   real(exponent), real(wzp_q32_pow(base, exponent)), want);
        } else {
            EXPECT(wzp_q32_pow(base, exponent) > INT64_MAX - 10000000, "not saturated");
        }
    }
    ck_assert_int_eq(wzp_q32_pow(0, 0), WZP_Q32_ONE);
    ck_assert_int_eq(wzp_q32_pow(0, 1), 0);
    ck_assert_int_eq(wzp_q32_pow(0, -1), INT64_MAX);
    ck_assert_int_eq(wzp_q32_pow(4 * WZP_Q32_ONE, -WZP_Q32_ONE / 2), WZP_Q32_ONE / 2);
    ck_assert_int_eq(wzp_q32_pow(INT64_MAX, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(wzp_q32_pow(INT64_MAX, INT64_MIN), 0);
}
END_TEST

static const struct mul_case {
    const char *name;
    wzp_q32 a, b, want;
} mul_cases[] = {
    {"one", WZP_Q32_ONE, 12345, 12345},
    {"signs", -3 * WZP_Q32_ONE, 2 * WZP_Q32_ONE, -6 * WZP_Q32_ONE},
    {"rounds to the nearest", WZP_Q32_ONE / 2, 3, 2},
    {"rounds down below a half", WZP_Q32_ONE / 2 - 1, 1, 0},
    {"saturates", INT64_MAX, 2 * WZP_Q32_ONE, INT64_MAX},
    {"saturates below", INT64_MAX, -2 * WZP_Q32_ONE, INT64_MIN},
};

START_TEST(mul) {
    const struct mul_case *c = &mul_cases[_i];
    ck_assert_msg(wzp_q32_mul(c->a, c->b) == c->want, "%s: %lld", c->name,
                  (long long)wzp_q32_mul(c->a, c->b));
    ck_assert_int_eq(wzp_q32_mul(c->a, c->b), wzp_q32_mul(c->b, c->a));
}
END_TEST

static void check_root(uint64_t x) {
    const wzp_u128 root = wzp_isqrt(x);
    EXPECT(root * root <= x && (root + 1) * (root + 1) > x, "isqrt(%llu) is %llu",
           (unsigned long long)x, (unsigned long long)root);
}

START_TEST(isqrt_is_the_floor) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "isqrt");
    for (uint64_t x = 0; x < 70000; x++) {
        check_root(x);
    }
    for (int i = 0; i < 200000; i++) {
        const uint64_t root = wzp_chance_u64(&prng) >> wzp_chance_between(&prng, 32, 60);
        check_root(root * root);
        check_root(root * root - (root > 0));
        check_root(wzp_chance_u64(&prng));
    }
    check_root(UINT64_MAX);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("fixed");
    tcase_add_test(tc, ln_is_near);
    tcase_add_test(tc, wide_ln_is_near);
    tcase_add_test(tc, ln_ascends);
    tcase_add_test(tc, exp_is_near);
    tcase_add_loop_test(tc, exp_at_the_ends, 0, WZP_COUNT_OF(exp_cases));
    tcase_add_test(tc, exp_ascends);
    tcase_add_test(tc, pow_is_near);
    tcase_add_loop_test(tc, mul, 0, WZP_COUNT_OF(mul_cases));
    tcase_add_test(tc, isqrt_is_the_floor);
    return wzp_run_suite("fixed", tc);
}
