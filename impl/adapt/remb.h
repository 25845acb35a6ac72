/* What a receiver says that its way takes (REMB, media sheet 9.1): nothing is known until something
 * is lost; then somewhat less than what came, and more again while nothing is lost.
 *
 * Plain struct, no memory.  Whole numbers only. */
#ifndef WZP_ADAPT_REMB_H
#define WZP_ADAPT_REMB_H

#include <stdint.h>

#define WZP_REMB_UNKNOWN UINT32_MAX

typedef struct wzp_remb {
    uint32_t bps;
} wzp_remb;

void wzp_remb_init(wzp_remb *remb);

/* What came in the last `ns`, and how much was lost on the way. */
void wzp_remb_window(wzp_remb *remb, uint64_t bytes, uint64_t ns, uint32_t loss_ppm);

#endif
