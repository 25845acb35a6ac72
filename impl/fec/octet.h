/* Arithmetic of GF(256) with the polynomial 0x11d (RFC 6330, 5.7): single octets, and sums over
 * rows of them in several implementations that give the same bytes.
 *
 * A row is a symbol, or a stretch of one.  Sums name their terms by index into a table of rows, so
 * that many are read and one is written.  Stateless and thread-safe. */
#ifndef WZP_FEC_OCTET_H
#define WZP_FEC_OCTET_H

#include "base/bytes.h"

/* A term of a weighted sum: the row in the low bits, its factor in the highest octet. */
#define WZP_OCTET_TERM_ROW UINT32_C(0xffffff)
#define WZP_OCTET_TERM_FACTOR(term) ((uint8_t)((term) >> 24))

/* For all: rows hold `len` octets at least, nothing beyond is read or written, and `dst` may be
 * one of the terms but must not overlap one in part. */
typedef struct wzp_octet_ops {
    const char *name;

    /* dst = the sum of the terms; zeros if there are none. */
    void (*sum)(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                size_t len);

    /* dst = the sum of factor times row of the terms. */
    void (*weighted_sum)(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                         size_t len);

    /* acc = 2 acc + in, then added to both `a` and `b`; `in` may be NULL for zeros.  The steps of
     * the dense part of the code (RFC 6330, 5.3.3.3: MT times GAMMA). */
    void (*spread)(uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b, size_t len);
} wzp_octet_ops;

/* The quickest one that this processor has. */
const wzp_octet_ops *wzp_octet_best(void);

/* Number `i` of those that this processor has, the portable one first; NULL behind the last. */
const wzp_octet_ops *wzp_octet_nth(size_t i);

uint8_t wzp_octet_mul(uint8_t a, uint8_t b);

/* a must not be 0. */
uint8_t wzp_octet_inverse(uint8_t a);

/* --- for the implementations ------------------------------------------------------------------ */

/* Products of each octet with 0..15, then with 0, 16, 32, ..., 240. */
extern const uint8_t wzp_octet_nibbles[256][32];

/* The portable forms, from octet `at` on: what is left behind the last whole vector. */
void wzp_octet_sum_from(size_t at, uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms,
                        size_t n, size_t len);
void wzp_octet_weighted_from(size_t at, uint8_t *dst, const uint8_t *const *rows,
                             const uint32_t *terms, size_t n, size_t len);
void wzp_octet_spread_from(size_t at, uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b,
                           size_t len);

/* NULL where they do not exist. */
const wzp_octet_ops *wzp_octet_ssse3(void);
const wzp_octet_ops *wzp_octet_avx2(void);
const wzp_octet_ops *wzp_octet_neon(void);

#endif
