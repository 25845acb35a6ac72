/* What RFC 6330 derives from the number of source symbols: the sizes of the code (5.3.3.3), its
 * random numbers (5.3.5.1), the tuple of an encoding symbol (5.3.5.4) and from it the
 * intermediate symbols that it is the sum of (5.3.5.3).  Pure functions; media sheet 8. */
#ifndef WZP_FEC_PARAMS_H
#define WZP_FEC_PARAMS_H

#include "base/bytes.h"
#include "base/err.h"

#define WZP_RQ_SOURCES_MAX 56403
#define WZP_RQ_ESI_MAX ((UINT32_C(1) << 24) - 1)
#define WZP_RQ_COLUMNS_MAX 33 /* of one encoding symbol: degree 30 at most, and three */

/* The letters of the RFC; the comment says what they count. */
typedef struct wzp_rq_params {
    uint32_t k;     /* source symbols of the block */
    uint32_t kp;    /* K', with padding symbols */
    uint32_t j;     /* systematic index */
    uint32_t s, h;  /* LDPC and HDPC symbols */
    uint32_t w;     /* LT symbols */
    uint32_t l;     /* intermediate symbols, K' + S + H */
    uint32_t p, p1; /* permanently inactive symbols, and the least prime from there */
    uint32_t b;     /* LT symbols that are no LDPC symbols */
} wzp_rq_params;

typedef struct wzp_rq_tuple {
    uint32_t d, a, b;    /* of the LT part */
    uint32_t d1, a1, b1; /* of the permanently inactive part */
} wzp_rq_tuple;

/* WZP_ERR_FEC_BLOCK_SIZE: no symbols, or more than WZP_RQ_SOURCES_MAX. */
WZP_MUST_USE wzp_err wzp_rq_params_of(wzp_rq_params *out, size_t source_count);

/* Rand[y, i, m]; i < 256, m > 0. */
uint32_t wzp_rq_rand(uint32_t y, uint32_t i, uint32_t m);

/* `isi` is the internal symbol id: that of a source symbol is its ESI, that of a repair symbol
 * ESI + K' - K. */
wzp_rq_tuple wzp_rq_tuple_of(const wzp_rq_params *p, uint32_t isi);

/* Writes the columns of intermediate symbols whose sum the symbol is, each once; returns how many.
 */
size_t wzp_rq_columns(const wzp_rq_params *p, uint32_t isi, uint32_t out[WZP_RQ_COLUMNS_MAX]);

static inline uint32_t wzp_rq_isi(const wzp_rq_params *p, uint32_t esi) {
    return esi < p->k ? esi : esi + (p->kp - p->k);
}

#endif
