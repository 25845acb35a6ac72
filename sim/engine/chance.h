/* Chance without floating point: the same draws give the same results on every machine.
 *
 * A probability is parts per million in descriptions and compared with a 64-bit draw.
 * Distributions are integer functions of one draw each, in the unit of their parameters; tests
 * compare their moments and quantiles with libm's.  nat sheet 2.10. */
#ifndef WZP_SIM_ENGINE_CHANCE_H
#define WZP_SIM_ENGINE_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

#define WZP_PPM UINT32_C(1000000)

/* True with probability ppm / 1 000 000; certain at 1 000 000 and above.  Draws once unless it is
 * certain either way. */
bool wzp_chance(wzp_prng *prng, uint32_t ppm);

uint64_t wzp_chance_u64(wzp_prng *prng);

/* Uniform in low..high, both included; low if high < low.  One draw, and once in 2^64 / (high -
 * low) times one more, so that there is no bias. */
uint64_t wzp_chance_between(wzp_prng *prng, uint64_t low, uint64_t high);

/* Fixed point with 32 fractional bits. */
typedef int64_t wzp_q32;
#define WZP_Q32_ONE (INT64_C(1) << 32)

/* All to the nearest 2^-32, or to 15 digits of the result where that is coarser; ln and exp never
 * step down where x steps up. */
wzp_q32 wzp_q32_mul(wzp_q32 a, wzp_q32 b);           /* saturates */
wzp_q32 wzp_q32_ln(wzp_q32 x);                       /* x > 0 */
wzp_q32 wzp_q32_exp(wzp_q32 x);                      /* saturates from ln(2^31) on */
wzp_q32 wzp_q32_pow(wzp_q32 base, wzp_q32 exponent); /* base >= 0; saturates */
uint64_t wzp_isqrt(uint64_t x);                      /* floor */

wzp_q32 wzp_chance_unit(wzp_prng *prng);   /* uniform in [0, 1) */
wzp_q32 wzp_chance_normal(wzp_prng *prng); /* mean 0, deviation 1, cut at +-6; within 10^-6 */

/* E.g. ns between arrivals.  Rounded to the unit of `mean`, which must be large for the result to
 * have that mean. */
uint64_t wzp_chance_exponential(wzp_prng *prng, uint64_t mean);
uint32_t wzp_chance_poisson(wzp_prng *prng, wzp_q32 mean); /* 0 <= mean <= 30 */

#endif
