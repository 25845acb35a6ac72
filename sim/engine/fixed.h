/* Logarithm and exponential in integers, more precise than chance.h needs them, which builds on
 * both.  Each is one series whose terms are all positive, cut off downwards after every step: that
 * keeps the results monotone.  Internal to the engine. */
#ifndef WZP_SIM_ENGINE_FIXED_H
#define WZP_SIM_ENGINE_FIXED_H

#include <stdint.h>

__extension__ typedef __int128 wzp_i128;
__extension__ typedef unsigned __int128 wzp_u128;

/* ln(2^n) = n ln 2 with 57 fractional bits, as wzp_fixed_ln would have it. */
uint64_t wzp_fixed_ln_pow2(unsigned n);

/* ln(x) with 57 fractional bits, for x > 0; within 2^-55. */
uint64_t wzp_fixed_ln(uint64_t x);

/* e^x for x with 57 fractional bits: the result is in 2^62 .. 2^63 - 1 and has *exponent - 62 as
 * its power of two; within 2^-50 of itself. */
uint64_t wzp_fixed_exp(int64_t x, int *exponent);

#endif
