#include "fec/params.h"

#include "fec/tables.h"

static bool is_prime(uint32_t n) {
    for (uint32_t d = 2; d * d <= n; d++) {
        if (n % d == 0) {
            return false;
        }
    }
    return n > 1;
}

static const wzp_rq_row *row_for(size_t source_count) {
    size_t low = 0;
    size_t high = WZP_RQ_ROWS - 1;
    while (low < high) { /* the row sought is in low..high */
        const size_t middle = (low + high) / 2;
        if (wzp_rq_systematic[middle].source_count < source_count) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &wzp_rq_systematic[low];
}

wzp_err wzp_rq_params_of(wzp_rq_params *out, size_t source_count) {
    if (source_count == 0 || source_count > WZP_RQ_SOURCES_MAX) {
        return WZP_ERR_FEC_BLOCK_SIZE;
    }
    const wzp_rq_row *row = row_for(source_count);
    const uint32_t l = (uint32_t)row->source_count + row->s + row->h;
    *out = (wzp_rq_params){.k = (uint32_t)source_count,
                           .kp = row->source_count,
                           .j = row->j,
                           .s = row->s,
                           .h = row->h,
                           .w = row->w,
                           .l = l,
                           .p = l - row->w,
                           .p1 = l - row->w,
                           .b = (uint32_t)row->w - row->s};
    while (!is_prime(out->p1)) {
        out->p1++;
    }
    return WZP_OK;
}

uint32_t wzp_rq_rand(uint32_t y, uint32_t i, uint32_t m) {
    return (wzp_rq_random[0][(y + i) & 0xff] ^ wzp_rq_random[1][((y >> 8) + i) & 0xff] ^
            wzp_rq_random[2][((y >> 16) + i) & 0xff] ^ wzp_rq_random[3][((y >> 24) + i) & 0xff]) %
           m;
}

static uint32_t degree(uint32_t v, uint32_t w) {
    uint32_t d = 1;
    while (d < WZP_RQ_DEGREES && v >= wzp_rq_degree[d]) {
        d++;
    }
    return d < w - 2 ? d : w - 2;
}

wzp_rq_tuple wzp_rq_tuple_of(const wzp_rq_params *p, uint32_t isi) {
    const uint32_t a = (53591U + 997U * p->j) | 1U;
    const uint32_t y = 10267U * (p->j + 1) + isi * a;
    wzp_rq_tuple t = {.d = degree(wzp_rq_rand(y, 0, UINT32_C(1) << 20), p->w),
                      .a = 1 + wzp_rq_rand(y, 1, p->w - 1),
                      .b = wzp_rq_rand(y, 2, p->w),
                      .d1 = 2,
                      .a1 = 1 + wzp_rq_rand(isi, 4, p->p1 - 1),
                      .b1 = wzp_rq_rand(isi, 5, p->p1)};
    if (t.d < 4) {
        t.d1 = 2 + wzp_rq_rand(isi, 3, 2);
    }
    return t;
}

/* The steps through the second part are modulo a prime: ids without a symbol are passed over. */
static uint32_t skip_absent(const wzp_rq_params *p, uint32_t a1, uint32_t b1) {
    while (b1 >= p->p) {
        b1 = (b1 + a1) % p->p1;
    }
    return b1;
}

size_t wzp_rq_columns(const wzp_rq_params *p, uint32_t isi, uint32_t out[WZP_RQ_COLUMNS_MAX]) {
    const wzp_rq_tuple t = wzp_rq_tuple_of(p, isi);
    size_t n = 0;
    uint32_t b = t.b;
    for (uint32_t i = 0; i < t.d; i++) {
        out[n++] = b;
        b += t.a;
        b -= b >= p->w ? p->w : 0;
    }
    uint32_t b1 = skip_absent(p, t.a1, t.b1);
    for (uint32_t i = 0; i < t.d1; i++) {
        out[n++] = p->w + b1;
        b1 = skip_absent(p, t.a1, (b1 + t.a1) % p->p1);
    }
    return n;
}
