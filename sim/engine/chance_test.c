/* Draws: a million of each against what libm says of the distribution. */
#include "sim/engine/chance.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/testing/suite.h"

enum { DRAWS = 1000000 };

static double unit(wzp_prng *prng) {
    return ldexp((double)wzp_chance_unit(prng), -32);
}

static double between(wzp_prng *prng) {
    return (double)wzp_chance_between(prng, 5000000, 15000000);
}

static double normal(wzp_prng *prng) {
    return ldexp((double)wzp_chance_normal(prng), -32);
}

static double exponential(wzp_prng *prng) {
    return (double)wzp_chance_exponential(prng, 20000000);
}

static double poisson_1(wzp_prng *prng) {
    return wzp_chance_poisson(prng, WZP_Q32_ONE);
}

static double poisson_12(wzp_prng *prng) {
    return wzp_chance_poisson(prng, 12 * WZP_Q32_ONE);
}

static double poisson_tenth(wzp_prng *prng) {
    return wzp_chance_poisson(prng, WZP_Q32_ONE / 10);
}

static double poisson_30(wzp_prng *prng) {
    return wzp_chance_poisson(prng, 30 * WZP_Q32_ONE);
}

static double chance_2_5(wzp_prng *prng) {
    return wzp_chance(prng, 25000);
}

/* Distribution functions: the probability of at most x. */
static double unit_cdf(double x) {
    return x;
}

static double between_cdf(double x) {
    return (x - 5e6) / 1e7;
}

static double normal_cdf(double x) {
    return erfc(-x / sqrt(2)) / 2;
}

static double exponential_cdf(double x) {
    return -expm1(-x / 2e7);
}

static double poisson_cdf(double x, double mean) {
    double p = exp(-mean);
    double sum = p;
    for (int k = 1; k <= (int)x; k++) {
        p *= mean / k;
        sum += p;
    }
    return sum;
}

static double poisson_1_cdf(double x) {
    return poisson_cdf(x, 1);
}

static double poisson_12_cdf(double x) {
    return poisson_cdf(x, 12);
}

static double poisson_tenth_cdf(double x) {
    return poisson_cdf(x, 0.1);
}

static double poisson_30_cdf(double x) {
    return poisson_cdf(x, 30);
}

static double chance_cdf(double x) {
    return x < 1 ? 0.975 : 1;
}

/* `kurtosis` is the fourth central moment over the squared variance: how exact a deviation from a
 * million draws can be. */
static const struct draw_case {
    const char *name;
    double (*draw)(wzp_prng *prng);
    double (*cdf)(double x);
    double mean, deviation, kurtosis;
} draw_cases[] = {
    {"unit", unit, unit_cdf, 0.5, 0.28867513459481287, 1.8},
    {"between", between, between_cdf, 1e7, 2886751.3459481287, 1.8},
    {"normal", normal, normal_cdf, 0, 1, 3},
    {"exponential", exponential, exponential_cdf, 2e7, 2e7, 9},
    {"poisson 0.1", poisson_tenth, poisson_tenth_cdf, 0.1, 0.31622776601683794, 13},
    {"poisson 1", poisson_1, poisson_1_cdf, 1, 1, 4},
    {"poisson 12", poisson_12, poisson_12_cdf, 12, 3.4641016151377544, 3.083},
    {"poisson 30", poisson_30, poisson_30_cdf, 30, 5.477225575051661, 3.033},
    {"chance 2.5 %", chance_2_5, chance_cdf, 0.025, 0.15612494995995996, 39.03},
};

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void check_moments(const struct draw_case *c, const double *draws) {
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        sum += draws[i];
        squares += (draws[i] - c->mean) * (draws[i] - c->mean);
    }
    const double mean = sum / DRAWS;
    const double deviation = sqrt(squares / DRAWS);
    const double mean_sigma = c->deviation / sqrt(DRAWS);
    const double deviation_sigma = c->deviation * sqrt((c->kurtosis - 1) / DRAWS) / 2;
    ck_assert_msg(fabs(mean - c->mean) < 3 * mean_sigma, "%s: mean %.9g", c->name, mean);
    ck_assert_msg(fabs(deviation - c->deviation) < 3 * deviation_sigma, "%s: deviation %.9g",
                  c->name, deviation);
    ck_assert_msg(fabs(mean - c->mean) < 0.005 * (c->mean + c->deviation), "%s: mean %.9g", c->name,
                  mean);
    ck_assert_msg(fabs(deviation - c->deviation) < 0.005 * c->deviation, "%s: deviation %.9g",
                  c->name, deviation);
}

/* Kolmogorov and Smirnov: the empirical distribution function is nowhere further away than 1.63
 * over the root of the number of draws, at 1 %.  Sorts the draws. */
static void check_quantiles(const struct draw_case *c, double *draws) {
    double worst = 0;
    qsort(draws, DRAWS, sizeof *draws, compare);
    for (size_t i = 0; i + 1 < DRAWS; i++) {
        if (draws[i] < draws[i + 1]) {
            worst = fmax(worst, fabs((double)(i + 1) / DRAWS - c->cdf(draws[i])));
        }
    }
    ck_assert_msg(worst < 1.63 / sqrt(DRAWS), "%s: %g", c->name, worst);
}

START_TEST(moments_and_quantiles) {
    const struct draw_case *c = &draw_cases[_i];
    double *draws = malloc(DRAWS * sizeof *draws);
    wzp_prng prng;
    ck_assert_ptr_nonnull(draws);
    wzp_prng_init(&prng, 2024, c->name);
    for (size_t i = 0; i < DRAWS; i++) {
        draws[i] = c->draw(&prng);
    }
    check_moments(c, draws);
    check_quantiles(c, draws);
    free(draws);
}
END_TEST

/* Not a distribution's average but each value: the n-th draw is the quantile of its own uniform
 * number, out to the cut. */
START_TEST(normal_is_the_inverse) {
    wzp_prng prng;
    wzp_prng twin;
    wzp_prng_init(&prng, 7, "inverse");
    twin = prng;
    double worst = 0;
    int wrong_side = 0;
    for (int i = 0; i < DRAWS; i++) {
        const double z = normal(&prng);
        const uint64_t draw = wzp_chance_u64(&twin);
        const double tail = (ldexp((double)(draw >> 1), 1) + 1) * 0x1p-65;
        const double density = exp(-z * z / 2) / sqrt(2 * 3.14159265358979);
        const double off = (erfc(fabs(z) / sqrt(2)) / 2 - tail) / density;
        worst = fmax(worst, fabs(off));
        wrong_side += (z < 0) != ((draw & 1) != 0);
    }
    ck_assert_double_lt(worst, 1e-6);
    ck_assert_int_eq(wrong_side, 0);
}
END_TEST

/* A generator whose next word is `word`: xoshiro256** starts from the second of its state. */
static wzp_prng next_is(uint64_t word) {
    const uint64_t ninth = UINT64_C(0x8e38e38e38e38e39); /* 1/9 and 1/5 mod 2^64 */
    const uint64_t fifth = UINT64_C(0xcccccccccccccccd);
    const uint64_t rotated = word * ninth;
    return (wzp_prng){.state = {1, (rotated >> 7 | rotated << 57) * fifth, 2, 3}};
}

START_TEST(extreme_draws) {
    static const uint64_t words[] = {0, 1, 2, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    for (size_t i = 0; i < WZP_COUNT_OF(words); i++) {
        wzp_prng prng = next_is(words[i]);
        ck_assert_uint_eq(wzp_chance_u64(&prng), words[i]);
        prng = next_is(words[i]);
        const wzp_q32 z = wzp_chance_normal(&prng);
        ck_assert_int_le(llabs(z), 6 * WZP_Q32_ONE);
        prng = next_is(words[i]);
        ck_assert_uint_le(wzp_chance_exponential(&prng, WZP_PPM), 44361420);
        prng = next_is(words[i]);
        ck_assert_uint_le(wzp_chance_poisson(&prng, 30 * WZP_Q32_ONE), 200);
    }
    wzp_prng prng = next_is(0);
    ck_assert_int_eq(wzp_chance_normal(&prng), 6 * WZP_Q32_ONE);
    prng = next_is(1);
    ck_assert_int_eq(wzp_chance_normal(&prng), -6 * WZP_Q32_ONE);
    prng = next_is(0);
    ck_assert_uint_eq(wzp_chance_exponential(&prng, UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(certainty_draws_nothing) {
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "certain");
    const wzp_prng before = prng;
    ck_assert(!wzp_chance(&prng, 0));
    ck_assert(wzp_chance(&prng, WZP_PPM));
    ck_assert(wzp_chance(&prng, UINT32_MAX));
    ck_assert_mem_eq(&prng, &before, sizeof prng);
    for (int i = 0; i < 1000; i++) {
        wzp_prng once = prng;
        (void)wzp_chance(&prng, 1);
        (void)wzp_chance_u64(&once);
        ck_assert_mem_eq(&prng, &once, sizeof prng);
    }
}
END_TEST

static const struct between_case {
    const char *name;
    uint64_t low, high;
} between_cases[] = {
    {"one value", 7, 7},
    {"two values", 7, 8},
    {"the top", UINT64_MAX - 2, UINT64_MAX},
    {"all but one", 1, UINT64_MAX},
    {"all", 0, UINT64_MAX},
    {"three quarters of all, where bias would show", 0, (UINT64_C(3) << 62) - 1},
};

/* Even over the thirds of the range, and over the remainders by three: without second draws, two of
 * the latter would come up half as often as the other in the last case. */
START_TEST(between_is_inside_and_even) {
    const struct between_case *c = &between_cases[_i];
    wzp_prng prng;
    wzp_prng_init(&prng, 9, c->name);
    const double third = ((double)(c->high - c->low) + 1) / 3;
    unsigned low = 0;
    unsigned remainders = 0;
    bool inside = true;
    for (int i = 0; i < 300000; i++) {
        const uint64_t value = wzp_chance_between(&prng, c->low, c->high);
        inside = inside && value >= c->low && value <= c->high;
        low += (double)(value - c->low) < third;
        remainders += (value - c->low) % 3 == 0;
    }
    ck_assert_msg(inside, "%s", c->name);
    const double want = third < 1 ? 100000 / third : 100000; /* of one value, or of a third */
    ck_assert_msg(fabs(low - want) < 4 * 258.2, "%s: %u", c->name, low);
    ck_assert_msg(fabs(remainders - want) < 4 * 258.2, "%s: %u", c->name, remainders);
}
END_TEST

START_TEST(between_of_nothing_is_low) {
    wzp_prng prng;
    wzp_prng_init(&prng, 9, "nothing");
    ck_assert_uint_eq(wzp_chance_between(&prng, 9, 3), 9);
}
END_TEST

/* Recorded runs must replay on every machine and years later. */
START_TEST(known_draws) {
    wzp_prng prng;
    wzp_prng_init(&prng, 42, "known");
    ck_assert_int_eq(wzp_chance_normal(&prng), 1930753644);
    ck_assert_uint_eq(wzp_chance_exponential(&prng, WZP_PPM), 606742);
    ck_assert_uint_eq(wzp_chance_poisson(&prng, 12 * WZP_Q32_ONE), 12);
    ck_assert_uint_eq(wzp_chance_between(&prng, 0, 999999), 603752);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("chance");
    tcase_add_loop_test(tc, moments_and_quantiles, 0, WZP_COUNT_OF(draw_cases));
    tcase_add_test(tc, normal_is_the_inverse);
    tcase_add_test(tc, extreme_draws);
    tcase_add_test(tc, certainty_draws_nothing);
    tcase_add_loop_test(tc, between_is_inside_and_even, 0, WZP_COUNT_OF(between_cases));
    tcase_add_test(tc, between_of_nothing_is_low);
    tcase_add_test(tc, known_draws);
    return wzp_run_suite("chance", tc);
}
