#include "fec/octet.h"

uint8_t wzp_octet_mul(uint8_t a, uint8_t b) {
    return wzp_octet_nibbles[a][b & 15] ^ wzp_octet_nibbles[a][16 + (b >> 4)];
}

/* a to the power of 254: the group of the other octets has 255 members. */
uint8_t wzp_octet_inverse(uint8_t a) {
    uint8_t power = a;
    uint8_t product = 1;
    for (int bit = 1; bit < 8; bit++) {
        power = wzp_octet_mul(power, power);
        product = wzp_octet_mul(product, power);
    }
    return product;
}

typedef uint64_t word; /* what is added at once */

static word load(const uint8_t *from) {
    word w;
    memcpy(&w, from, sizeof w);
    return w;
}

static void store(uint8_t *to, word w) {
    memcpy(to, &w, sizeof w);
}

void wzp_octet_sum_from(size_t at, uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms,
                        size_t n, size_t len) {
    for (; len - at >= sizeof(word); at += sizeof(word)) {
        word w = 0;
        for (size_t i = 0; i < n; i++) {
            w ^= load(rows[terms[i]] + at);
        }
        store(dst + at, w);
    }
    for (; at < len; at++) {
        uint8_t octet = 0;
        for (size_t i = 0; i < n; i++) {
            octet ^= rows[terms[i]][at];
        }
        dst[at] = octet;
    }
}

void wzp_octet_weighted_from(size_t at, uint8_t *dst, const uint8_t *const *rows,
                             const uint32_t *terms, size_t n, size_t len) {
    for (; at < len; at++) {
        uint8_t octet = 0;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *products = wzp_octet_nibbles[WZP_OCTET_TERM_FACTOR(terms[i])];
            const uint8_t x = rows[terms[i] & WZP_OCTET_TERM_ROW][at];
            octet ^= products[x & 15] ^ products[16 + (x >> 4)];
        }
        dst[at] = octet;
    }
}

void wzp_octet_spread_from(size_t at, uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b,
                           size_t len) {
    for (; len - at >= sizeof(word); at += sizeof(word)) {
        const word ones = UINT64_C(0x0101010101010101);
        const word w = load(acc + at);
        const word high = (w >> 7) & ones;
        const word next =
            ((w & ~(ones << 7)) << 1) ^ (high * 0x1d) ^ (in != NULL ? load(in + at) : 0);
        store(acc + at, next);
        store(a + at, load(a + at) ^ next);
        store(b + at, load(b + at) ^ next);
    }
    for (; at < len; at++) {
        const uint8_t twice = (uint8_t)((acc[at] << 1) ^ ((acc[at] & 0x80) != 0 ? 0x1d : 0));
        acc[at] = twice ^ (in != NULL ? in[at] : 0);
        a[at] ^= acc[at];
        b[at] ^= acc[at];
    }
}

static void sum(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                size_t len) {
    wzp_octet_sum_from(0, dst, rows, terms, n, len);
}

static void weighted_sum(uint8_t *dst, const uint8_t *const *rows, const uint32_t *terms, size_t n,
                         size_t len) {
    wzp_octet_weighted_from(0, dst, rows, terms, n, len);
}

static void spread(uint8_t *acc, const uint8_t *in, uint8_t *a, uint8_t *b, size_t len) {
    wzp_octet_spread_from(0, acc, in, a, b, len);
}

static const wzp_octet_ops portable = {"portable", sum, weighted_sum, spread};

const wzp_octet_ops *wzp_octet_nth(size_t i) {
    const wzp_octet_ops *all[] = {&portable, wzp_octet_ssse3(), wzp_octet_neon(), wzp_octet_avx2()};
    for (size_t k = 0; k < WZP_COUNT_OF(all); k++) {
        if (all[k] != NULL && i-- == 0) {
            return all[k];
        }
    }
    return NULL;
}

const wzp_octet_ops *wzp_octet_best(void) {
    const wzp_octet_ops *best = &portable;
    for (size_t i = 1; wzp_octet_nth(i) != NULL; i++) {
        best = wzp_octet_nth(i);
    }
    return best;
}
