/* What the figures of the measuring modes mean (tools sheet 4). */
#ifndef WZP_BIN_CLIENT_CLIENT_VERDICT_H
#define WZP_BIN_CLIENT_CLIENT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* Of several runs.  Of an even count the lower of the two in the middle: a value that was
 * measured. */
typedef struct wzp_spread {
    double median, least, most;
} wzp_spread;

/* Sorts values[count]; count > 0. */
wzp_spread wzp_spread_of(double *values, size_t count);

/* "excellent" within 5 ms, "good" within 20, "fair" within 100, else "poor". */
const char *wzp_drift_grade(double drift_ms);

typedef struct wzp_half {
    double loss_pct, correlation;
} wzp_half;

/* NULL, or what became worse: the loss by more than 5 points, the correlation by more than 0.1. */
const char *wzp_halves_differ(const wzp_half *first, const wzp_half *second);

#endif
