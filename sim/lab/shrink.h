/* The smallest scenario that still fails in the same way: first without faults, then shorter, then
 * with less of a network, then with plainer numbers.
 *
 * Greedy and deterministic: a change that keeps the failure is kept, and a round over all changes
 * that keeps none is the end. */
#ifndef WZP_SIM_LAB_SHRINK_H
#define WZP_SIM_LAB_SHRINK_H

#include "sim/lab/scenario.h"

typedef struct wzp_lab_shrink_cfg {
    /* Does it still fail in the same way?  A document that is no scenario does not. */
    bool (*fails)(void *ctx, const wzp_lab_doc *doc);
    void *ctx;
    unsigned tries_max; /* 0: 1000 */
} wzp_lab_shrink_cfg;

typedef struct wzp_lab_shrink_stats {
    unsigned tries, kept;
    bool complete; /* false: tries_max was reached */
} wzp_lab_shrink_stats;

/* `doc` fails and has its draws made; it becomes the smaller one.  WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_lab_shrink(wzp_lab_doc *doc, const wzp_lab_shrink_cfg *cfg,
                                    wzp_lab_shrink_stats *stats);

#endif
