/* NEON, which every 64-bit ARM has. */
#include "fec/octet.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

static inline uint8x16_t times16(const uint8_t *products, uint8x16_t x) {
    return veorq_u8(vqtbl1q_u8(vld1q_u8(products), vandq_u8(x, vdupq_n_u8(15))),
                    vqtbl1q_u8(vld1q_u8(products + 16), vshrq_n_u8(x, 4)));
}

static void sum_neon(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                     size_t len) {
    size_t at = 0;
    for (; len - at >= 64; at += 64) {
        uint8x16_t v0 = vdupq_n_u8(0);
        uint8x16_t v1 = v0;
        uint8x16_t v2 = v0;
        uint8x16_t v3 = v0;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *row = rows[terms[i]] + at;
            v0 = veorq_u8(v0, vld1q_u8(row));
            v1 = veorq_u8(v1, vld1q_u8(row + 16));
            v2 = veorq_u8(v2, vld1q_u8(row + 32));
            v3 = veorq_u8(v3, vld1q_u8(row + 48));
        }
        vst1q_u8(dst + at, v0);
        vst1q_u8(dst + at + 16, v1);
        vst1q_u8(dst + at + 32, v2);
        vst1q_u8(dst + at + 48, v3);
    }
    for (; len - at >= 16; at += 16) {
        uint8x16_t v = vdupq_n_u8(0);
        for (size_t i = 0; i < n; i++) {
            v = veorq_u8(v, vld1q_u8(rows[terms[i]] + at));
        }
        vst1q_u8(dst + at, v);
    }
    wzp_octet_sum_from(at, dst, rows, terms, n, len);
}

static void weighted_neon(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                          size_t len) {
    size_t at = 0;
    for (; len - at >= 16; at += 16) {
        uint8x16_t v = vdupq_n_u8(0);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *products = wzp_octet_nibbles[WZP_OCTET_TERM_FACTOR(terms[i])];
            v = veorq_u8(v, times16(products, vld1q_u8(rows[terms[i] & WZP_OCTET_TERM_ROW] + at)));
        }
        vst1q_u8(dst + at, v);
    }
    wzp_octet_weighted_from(at, dst, rows, terms, n, len);
}

static void spread_neon(uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b, size_t len) {
    size_t at = 0;
    for (; len - at >= 16; at += 16) {
        const uint8x16_t x = vld1q_u8(acc + at);
        const uint8x16_t carry = vandq_u8(vcltzq_s8(vreinterpretq_s8_u8(x)), vdupq_n_u8(0x1d));
        uint8x16_t next = veorq_u8(vshlq_n_u8(x, 1), carry);
        if (in != NULL) {
            next = veorq_u8(next, vld1q_u8(in + at));
        }
        vst1q_u8(acc + at, next);
        vst1q_u8(a + at, veorq_u8(vld1q_u8(a + at), next));
        vst1q_u8(b + at, veorq_u8(vld1q_u8(b + at), next));
    }
    wzp_octet_spread_from(at, acc, in, a, b, len);
}

static const wzp_octet_ops with_neon = {"neon", sum_neon, weighted_neon, spread_neon};

const wzp_octet_ops *wzp_octet_neon(void) {
    return &with_neon;
}

#else

const wzp_octet_ops *wzp_octet_neon(void) {
    return NULL;
}

#endif
