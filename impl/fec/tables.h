/* The tables of RFC 6330: random numbers (5.5), degrees (5.3.5.2), systematic indices (5.6). */
#ifndef WZP_FEC_TABLES_H
#define WZP_FEC_TABLES_H

#include <stdint.h>

#define WZP_RQ_ROWS 477
#define WZP_RQ_DEGREES 30

typedef struct wzp_rq_row {
    uint16_t source_count; /* K', strictly increasing */
    uint16_t j, s, h, w;
} wzp_rq_row;

extern const uint32_t wzp_rq_random[4][256];
extern const uint32_t wzp_rq_degree[WZP_RQ_DEGREES + 1];
extern const wzp_rq_row wzp_rq_systematic[WZP_RQ_ROWS];

#endif
