/* SSSE3 and AVX2, chosen at run time: a product with a constant is two looks into tables of 16. */
#include "fec/octet.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#define WITH_SSSE3 __attribute__((target("ssse3")))
#define WITH_AVX2 __attribute__((target("avx2")))

/* --- SSSE3 ------------------------------------------------------------------------------------ */

WITH_SSSE3 static inline __m128i load16(const uint8_t *from) {
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

WITH_SSSE3 static inline void store16(uint8_t *to, __m128i v) {
    _mm_storeu_si128((__m128i *)(void *)to, v);
}

WITH_SSSE3 static inline __m128i times16(const uint8_t *products, __m128i x) {
    const __m128i low = _mm_and_si128(x, _mm_set1_epi8(15));
    const __m128i high = _mm_and_si128(_mm_srli_epi64(x, 4), _mm_set1_epi8(15));
    return _mm_xor_si128(_mm_shuffle_epi8(load16(products), low),
                         _mm_shuffle_epi8(load16(products + 16), high));
}

WITH_SSSE3 static void sum_ssse3(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms,
                                 size_t n, size_t len) {
    size_t at = 0;
    for (; len - at >= 64; at += 64) {
        __m128i v[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(),
                        _mm_setzero_si128()};
        for (size_t i = 0; i < n; i++) {
            const uint8_t *row = rows[terms[i]] + at;
            for (size_t k = 0; k < 4; k++) {
                v[k] = _mm_xor_si128(v[k], load16(row + 16 * k));
            }
        }
        for (size_t k = 0; k < 4; k++) {
            store16(dst + at + 16 * k, v[k]);
        }
    }
    for (; len - at >= 16; at += 16) {
        __m128i v = _mm_setzero_si128();
        for (size_t i = 0; i < n; i++) {
            v = _mm_xor_si128(v, load16(rows[terms[i]] + at));
        }
        store16(dst + at, v);
    }
    wzp_octet_sum_from(at, dst, rows, terms, n, len);
}

WITH_SSSE3 static void weighted_ssse3(uint8_t *dst, const uint8_t *const *rows,
                                      const uint32_t *terms, size_t n, size_t len) {
    size_t at = 0;
    for (; len - at >= 16; at += 16) {
        __m128i v = _mm_setzero_si128();
        for (size_t i = 0; i < n; i++) {
            const uint8_t *products = wzp_octet_nibbles[WZP_OCTET_TERM_FACTOR(terms[i])];
            v = _mm_xor_si128(v,
                              times16(products, load16(rows[terms[i] & WZP_OCTET_TERM_ROW] + at)));
        }
        store16(dst + at, v);
    }
    wzp_octet_weighted_from(at, dst, rows, terms, n, len);
}

WITH_SSSE3 static void spread_ssse3(uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b,
                                    size_t len) {
    size_t at = 0;
    for (; len - at >= 16; at += 16) {
        const __m128i x = load16(acc + at);
        const __m128i carry =
            _mm_and_si128(_mm_cmpgt_epi8(_mm_setzero_si128(), x), _mm_set1_epi8(0x1d));
        __m128i next = _mm_xor_si128(_mm_add_epi8(x, x), carry);
        if (in != NULL) {
            next = _mm_xor_si128(next, load16(in + at));
        }
        store16(acc + at, next);
        store16(a + at, _mm_xor_si128(load16(a + at), next));
        store16(b + at, _mm_xor_si128(load16(b + at), next));
    }
    wzp_octet_spread_from(at, acc, in, a, b, len);
}

/* --- AVX2 ------------------------------------------------------------------------------------- */

WITH_AVX2 static inline __m256i load32(const uint8_t *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

WITH_AVX2 static inline void store32(uint8_t *to, __m256i v) {
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

WITH_AVX2 static inline __m256i both_halves(const uint8_t *from) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)from));
}

WITH_AVX2 static void sum_avx2(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms,
                               size_t n, size_t len) {
    size_t at = 0;
    for (; len - at >= 128; at += 128) {
        __m256i v0 = _mm256_setzero_si256();
        __m256i v1 = v0;
        __m256i v2 = v0;
        __m256i v3 = v0;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *row = rows[terms[i]] + at;
            v0 = _mm256_xor_si256(v0, load32(row));
            v1 = _mm256_xor_si256(v1, load32(row + 32));
            v2 = _mm256_xor_si256(v2, load32(row + 64));
            v3 = _mm256_xor_si256(v3, load32(row + 96));
        }
        store32(dst + at, v0);
        store32(dst + at + 32, v1);
        store32(dst + at + 64, v2);
        store32(dst + at + 96, v3);
    }
    for (; len - at >= 32; at += 32) {
        __m256i v = _mm256_setzero_si256();
        for (size_t i = 0; i < n; i++) {
            v = _mm256_xor_si256(v, load32(rows[terms[i]] + at));
        }
        store32(dst + at, v);
    }
    wzp_octet_sum_from(at, dst, rows, terms, n, len);
}

typedef struct halves {
    __m256i low, high; /* products with the lower and the higher four bits */
} halves;

WITH_AVX2 static inline halves halves_of(uint32_t term) {
    const uint8_t *products = wzp_octet_nibbles[WZP_OCTET_TERM_FACTOR(term)];
    return (halves){both_halves(products), both_halves(products + 16)};
}

WITH_AVX2 static inline __m256i times32(halves h, __m256i x) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i low = _mm256_and_si256(x, mask);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi64(x, 4), mask);
    return _mm256_xor_si256(_mm256_shuffle_epi8(h.low, low), _mm256_shuffle_epi8(h.high, high));
}

WITH_AVX2 static void weighted_avx2(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms,
                                    size_t n, size_t len) {
    size_t at = 0;
    for (; len - at >= 128; at += 128) {
        __m256i v0 = _mm256_setzero_si256();
        __m256i v1 = v0;
        __m256i v2 = v0;
        __m256i v3 = v0;
        for (size_t i = 0; i < n; i++) {
            const halves h = halves_of(terms[i]);
            const uint8_t *row = rows[terms[i] & WZP_OCTET_TERM_ROW] + at;
            v0 = _mm256_xor_si256(v0, times32(h, load32(row)));
            v1 = _mm256_xor_si256(v1, times32(h, load32(row + 32)));
            v2 = _mm256_xor_si256(v2, times32(h, load32(row + 64)));
            v3 = _mm256_xor_si256(v3, times32(h, load32(row + 96)));
        }
        store32(dst + at, v0);
        store32(dst + at + 32, v1);
        store32(dst + at + 64, v2);
        store32(dst + at + 96, v3);
    }
    for (; len - at >= 32; at += 32) {
        __m256i v = _mm256_setzero_si256();
        for (size_t i = 0; i < n; i++) {
            const uint8_t *row = rows[terms[i] & WZP_OCTET_TERM_ROW] + at;
            v = _mm256_xor_si256(v, times32(halves_of(terms[i]), load32(row)));
        }
        store32(dst + at, v);
    }
    wzp_octet_weighted_from(at, dst, rows, terms, n, len);
}

WITH_AVX2 static void spread_avx2(uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b,
                                  size_t len) {
    size_t at = 0;
    for (; len - at >= 32; at += 32) {
        const __m256i x = load32(acc + at);
        const __m256i carry =
            _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_setzero_si256(), x), _mm256_set1_epi8(0x1d));
        __m256i next = _mm256_xor_si256(_mm256_add_epi8(x, x), carry);
        if (in != NULL) {
            next = _mm256_xor_si256(next, load32(in + at));
        }
        store32(acc + at, next);
        store32(a + at, _mm256_xor_si256(load32(a + at), next));
        store32(b + at, _mm256_xor_si256(load32(b + at), next));
    }
    wzp_octet_spread_from(at, acc, in, a, b, len);
}

static const wzp_octet_ops with_ssse3 = {"ssse3", sum_ssse3, weighted_ssse3, spread_ssse3};
static const wzp_octet_ops with_avx2 = {"avx2", sum_avx2, weighted_avx2, spread_avx2};

const wzp_octet_ops *wzp_octet_ssse3(void) {
    return __builtin_cpu_supports("ssse3") ? &with_ssse3 : NULL;
}

const wzp_octet_ops *wzp_octet_avx2(void) {
    return __builtin_cpu_supports("avx2") ? &with_avx2 : NULL;
}

#else

const wzp_octet_ops *wzp_octet_ssse3(void) {
    return NULL;
}

const wzp_octet_ops *wzp_octet_avx2(void) {
    return NULL;
}

#endif
